/** @file Laying out a sweep; see plan.h. */
#include "plan.h"

const char *blo_eval_part_name(int k)
{
  if (k >= PART_JV && k < PART_F_X) {
    return "J v";
  }
  if (k >= PART_HV && k < PART_F_Y) {
    return "H v";
  }
  if (is_x_part(k)) {
    return k == PART_G_X ? "grad_x g" : "grad_x f";
  }
  return k == PART_G_Y ? "grad_y g" : "grad_y f";
}

const blo_batch *blo_eval_batch_of(const blo_eval *e, const blo_ask *ask, blo_level level)
{
  const blo_batch *given = level == BLO_LOWER ? ask->lower_batch : ask->upper_batch;

  if (level == BLO_LOWER && ask->linearized) {
    return &e->linearized;
  }
  return given != NULL ? given : &e->all[level];
}

static void find_targets(const blo_ask *ask, const blo_answer *ans, plan *pl)
{
  bool hv = (ask->lower & BLO_WANT_HV) != 0, jv = (ask->lower & BLO_WANT_JV) != 0;
  blo_vec *f_y = ask->join ? ans->hv[0] : ans->f_y, *f_x = ask->join ? ans->jv[0] : ans->f_x;

  pl->target[PART_G_Y] = (ask->lower & BLO_WANT_Y) != 0 ? ans->g_y : NULL;
  pl->target[PART_G_X] = (ask->lower & BLO_WANT_X) != 0 ? ans->g_x : NULL;
  pl->target[PART_F_Y] = (ask->upper & BLO_WANT_Y) != 0 ? f_y : NULL;
  pl->target[PART_F_X] = (ask->upper & BLO_WANT_X) != 0 ? f_x : NULL;
  pl->n_v = hv || jv ? ask->n_v : 0;
  for (blo_int i = 0; i < pl->n_v; i++) {
    pl->target[PART_HV + i] = hv ? ans->hv[i] : NULL;
    pl->target[PART_JV + i] = jv ? ans->jv[i] : NULL;
  }
}

/** Do samples contribute to this vector? */
static bool has_samples(const blo_problem *p, int k)
{
  unsigned need = k == PART_F_X ? BLO_HAS_F_X : BLO_HAS_G_X;

  return !is_x_part(k) || (p->has & need) != 0;
}

/** Values and parts in the message are sent, and the slices of an aligned x that is rooted. */
static bool is_silent(const blo_ask *ask, const plan *pl)
{
  bool collects = false;

  for (int k = PART_G_X; k < N_PARTS; k++) {
    collects = collects || (pl->aligned[k] && blo_space_layout(pl->target[k]->space) == BLO_ROOTED);
  }
  return ((ask->lower | ask->upper) & BLO_WANT_VALUE) == 0 && pl->riders == 0 && !collects;
}

void blo_eval_make_plan(const blo_eval *e, const blo_ask *ask, const blo_answer *ans, plan *pl)
{
  const blo_problem *p = e->problem;

  *pl = (plan){.len = 0};
  find_targets(ask, ans, pl);
  for (int k = 0; k < N_PARTS; k++) {
    int twin = twin_of(ask, k);

    pl->offset[k] = -1;
    if (pl->target[k] == NULL || !has_samples(p, k)) {
      continue;
    }
    if (is_x_part(k) ? p->x_aligned : p->y_width > 0) {
      pl->aligned[k] = true;
    } else if (twin >= 0 && pl->offset[twin] >= 0) {
      pl->offset[k] = pl->offset[twin];
    } else {
      pl->offset[k] = pl->len;
      pl->len += is_x_part(k) ? p->n_x : p->n_packed;
    }
  }
  pl->riders = pl->len;
  pl->len += N_RIDERS;
  pl->silent = is_silent(ask, pl);
  pl->scale[BLO_LOWER] = p->y_width > 0 ? 1 : 1 / (double)blo_eval_batch_of(e, ask, BLO_LOWER)->n;
  pl->scale[BLO_UPPER] = (ask->join ? -1 : 1) / (double)blo_eval_batch_of(e, ask, BLO_UPPER)->n;
}

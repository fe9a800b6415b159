/** @file Laying out a sweep; see plan.h. */
#include "plan.h"

const char *blo_eval_part_name(int k)
{
  static const char *const names[] = {"grad_y g", "grad_x g", "H v", "J v", "grad_y f", "grad_x f"};

  return names[k < PART_HV ? k : is_product(k) ? PART_HV + k % 2 : 4 + k % 2];
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
    pl->target[hv_part(i)] = hv ? ans->hv[i] : NULL;
    pl->target[jv_part(i)] = jv ? ans->jv[i] : NULL;
  }
}

/** Does each rank keep its own slices of this vector, which belong to its samples? */
static bool stays(const blo_problem *p, int k)
{
  return is_x_part(k) ? p->x_aligned : p->y_width > 0;
}

/** Do samples contribute to this vector? */
static bool has_samples(const blo_problem *p, int k)
{
  unsigned need = k == PART_F_X ? BLO_HAS_F_X : BLO_HAS_G_X;

  return !is_x_part(k) || (p->has & need) != 0;
}

/** Values and parts in the message are sent, and the slices of an aligned x that is rooted, unless
 *  they are to stay where they are. */
static bool is_silent(const blo_ask *ask, const plan *pl)
{
  bool collects = false;

  for (int k = 0; k < N_PARTS; k++) {
    collects = collects || (pl->aligned[k] && !pl->scatter &&
                            blo_space_layout(pl->target[k]->space) == BLO_ROOTED);
  }
  return ((ask->lower | ask->upper) & BLO_WANT_VALUE) == 0 && pl->riders == 0 && !collects;
}

/** Give a part that is wanted and has contributions its place. */
static void place(const blo_problem *p, int k, int twin, plan *pl)
{
  if (stays(p, k)) {
    pl->aligned[k] = true;
  } else if (twin >= 0 && pl->offset[twin] >= 0) {
    pl->offset[k] = pl->offset[twin];
  } else {
    pl->offset[k] = pl->len;
    pl->len += is_x_part(k) ? p->n_x : p->n_packed;
  }
}

static bool is_wanted(const blo_ask *ask, const plan *pl, int k)
{
  unsigned bit = is_x_part(k) ? BLO_WANT_JV : BLO_WANT_HV;

  if (!pl->scatter) {
    return pl->target[k] != NULL;
  }
  return is_product(k) && (k - PART_HV) / 2 < pl->n_v && (ask->lower & bit) != 0;
}

blo_int blo_eval_piece_begin(const blo_eval *e, const plan *pl, int r)
{
  blo_int own = blo_eval_first_direction(e, pl->span.of, r) - pl->span.first;

  own = own < 0 ? 0 : own > pl->n_v ? pl->n_v : own;
  return pl->n_v == 0 ? 0 : own * (pl->riders / pl->n_v);
}

/** Leave this rank only what belongs to its directions, and what stays. */
static void keep_own_directions(const blo_eval *e, plan *pl)
{
  int rank = blo_comm_rank(e->comm);
  blo_int begin = blo_eval_first_direction(e, pl->span.of, rank) - pl->span.first;
  blo_int end = blo_eval_first_direction(e, pl->span.of, rank + 1) - pl->span.first;

  for (blo_int i = 0; i < pl->n_v; i++) {
    for (int k = hv_part(i); k <= jv_part(i) && (i < begin || i >= end); k++) {
      pl->target[k] = stays(e->problem, k) ? pl->target[k] : NULL;
    }
  }
}

void blo_eval_make_plan(const blo_eval *e, const blo_ask *ask, span which, const blo_answer *ans,
                        plan *pl)
{
  const blo_problem *p = e->problem;

  *pl = (plan){.span = which, .scatter = ask->scatter};
  find_targets(ask, ans, pl);
  for (int k = 0; k < N_PARTS; k++) {
    pl->offset[k] = -1;
    if (is_wanted(ask, pl, k) && has_samples(p, k)) {
      place(p, k, twin_of(ask, k), pl);
    }
  }
  if (pl->scatter) {
    keep_own_directions(e, pl);
  }
  pl->riders = pl->len;
  pl->len += N_RIDERS;
  pl->silent = is_silent(ask, pl);
  pl->scale[BLO_LOWER] = p->y_width > 0 ? 1 : 1 / (double)blo_eval_batch_of(e, ask, BLO_LOWER)->n;
  pl->scale[BLO_UPPER] = (ask->join ? -1 : 1) / (double)blo_eval_batch_of(e, ask, BLO_UPPER)->n;
}

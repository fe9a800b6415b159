/** @file The answer of a sweep: the parts of the total, and the terms without samples. */
#include "turn.h"
#include <string.h>

void blo_eval_clear(blo_vec *v)
{
  memset(v->data, 0, (size_t)blo_space_n_local(v->space) * sizeof *v->data);
}

/** Bring the parts of the total to where the caller wants them. */
static void deliver(const blo_eval *e, const turn *t, const double *total)
{
  const blo_problem *p = e->problem;
  const blo_ask *ask = t->ask;
  const plan *pl = &t->plan;

  for (int k = 0; k < N_PARTS; k++) {
    blo_vec *to = pl->target[k];
    int twin = twin_of(ask, k);
    bool twin_done = twin >= 0 && pl->target[twin] != NULL;
    if (to == NULL || pl->aligned[k] || (twin_done && pl->offset[k] < 0) ||
        (twin_done && pl->offset[twin] == pl->offset[k])) {
      continue;
    }
    if (pl->offset[k] < 0) {
      blo_eval_clear(to);
    } else if (is_x_part(k) || p->type->unpack == NULL) {
      memcpy(to->data, total + pl->offset[k],
             (size_t)(is_x_part(k) ? p->n_x : p->n_y) * sizeof *to->data);
    } else {
      p->type->unpack(p, total + pl->offset[k], to->data);
    }
  }
}

static double *owned_data(blo_vec *v)
{
  return v != NULL && blo_space_owned(v->space) ? v->data : NULL;
}

/** Terms without samples of a level, the same on every rank that owns the vector; without products
 *  if these are scattered. */
static void add_common_level(blo_eval *e, const blo_ask *ask, const plan *pl, blo_level level,
                             const blo_point *at, double *value)
{
  bool lower = level == BLO_LOWER;
  unsigned want = (lower ? ask->lower : ask->upper) & (pl->scatter ? BLO_WANT_VALUE : ~0U);
  blo_shard_out out = {
      .value = (want & BLO_WANT_VALUE) != 0 ? value : NULL,
      .gy = owned_data(pl->target[lower ? PART_G_Y : PART_F_Y]),
      .gx = owned_data(pl->target[lower ? PART_G_X : PART_F_X]),
  };

  for (blo_int i = 0; i < pl->n_v && lower && !pl->scatter; i++) {
    out.hv[i] = owned_data(pl->target[hv_part(i)]);
    out.jv[i] = owned_data(pl->target[jv_part(i)]);
  }
  if (want != 0) {
    e->problem->type->common(e->problem, level, want, at, lower || !ask->join ? 1 : -1, &out);
  }
}

/** The same for the products that a scattered sweep gives this rank. A problem expects a product in
 *  all directions or in none, so it is asked for one direction at a time. */
static void add_common_products(blo_eval *e, const blo_ask *ask, const plan *pl,
                                const blo_point *at)
{
  for (blo_int i = 0; i < pl->n_v; i++) {
    blo_vec *hv = pl->target[hv_part(i)], *jv = pl->target[jv_part(i)];
    unsigned of_hv = BLO_WANT_HV | BLO_WANT_GAUSS_NEWTON;
    unsigned want = ask->lower & ((hv != NULL ? of_hv : 0) | (jv != NULL ? BLO_WANT_JV : 0));
    blo_point one = {.x = at->x, .y = at->y, .n_v = 1, .v = {at->v[i]}};
    blo_shard_out out = {.hv = {hv != NULL ? hv->data : NULL},
                         .jv = {jv != NULL ? jv->data : NULL}};

    if (want != 0) {
      e->problem->type->common(e->problem, BLO_LOWER, want, &one, 1, &out);
    }
  }
}

static void add_common(blo_eval *e, const blo_ask *ask, const plan *pl, const blo_point *at,
                       double *values)
{
  if (e->problem->type->common != NULL) {
    add_common_level(e, ask, pl, BLO_LOWER, at, values + BLO_LOWER);
    add_common_level(e, ask, pl, BLO_UPPER, at, values + BLO_UPPER);
    if (pl->scatter) {
      add_common_products(e, ask, pl, at);
    }
  }
}

static blo_status check_y_parts(const blo_eval *e, const plan *pl)
{
  for (int k = 0; k < N_PARTS; k++) {
    const blo_vec *v = is_x_part(k) ? NULL : pl->target[k];
    BLO_CHECK(e->ctx, v == NULL || blo_vec_finite(v), BLO_E_NONFINITE,
              "%s is not finite in its terms without samples (y or x has grown too large)",
              blo_eval_part_name(k));
  }
  return BLO_OK;
}

/** Replicated y-vectors are the same on all ranks, so all come to the same verdict. Sharded ones
 * and scattered ones have been looked at before; what is added to them then is this rank's own
 * affair. */
static blo_status check_result(blo_eval *e, const plan *pl, const double *values)
{
  if (e->problem->y_width == 0 && !pl->scatter) {
    BLO_TRY(check_y_parts(e, pl));
  } else if (e->problem->type->common != NULL) {
    blo_eval_keep(e, check_y_parts(e, pl));
  }
  BLO_CHECK(e->ctx, blo_array_finite(2, values), BLO_E_NONFINITE,
            "the value of g or f is not finite in its terms without samples");
  return BLO_OK;
}

static void count(blo_eval *e, const blo_ask *ask, const plan *pl)
{
  blo_counts *c = &e->counts;

  c->g += (ask->lower & BLO_WANT_VALUE) != 0;
  c->g_x += (ask->lower & BLO_WANT_X) != 0;
  c->g_y += (ask->lower & BLO_WANT_Y) != 0;
  c->hv += (ask->lower & BLO_WANT_HV) != 0 ? pl->n_v : 0;
  c->jv += (ask->lower & BLO_WANT_JV) != 0 ? pl->n_v : 0;
  c->f += (ask->upper & BLO_WANT_VALUE) != 0;
  c->f_x += (ask->upper & BLO_WANT_X) != 0;
  c->f_y += (ask->upper & BLO_WANT_Y) != 0;
  c->samples += ask->lower != 0 ? blo_eval_batch_of(e, ask, BLO_LOWER)->n : 0;
  c->samples += ask->upper != 0 ? blo_eval_batch_of(e, ask, BLO_UPPER)->n : 0;
}

static void collect_rooted(const plan *pl)
{
  for (int k = 0; k < N_PARTS; k++) {
    if (pl->aligned[k] && !pl->scatter && blo_space_layout(pl->target[k]->space) == BLO_ROOTED) {
      blo_vec_collect(pl->target[k]);
    }
  }
}

blo_status blo_eval_finish_turn(blo_eval *e, const turn *t, const double *total)
{
  double values[2] = {0, 0};
  const plan *pl = &t->plan;

  count(e, t->ask, pl);
  deliver(e, t, total);
  collect_rooted(pl);
  if (!pl->silent) {
    values[BLO_LOWER] = total[pl->riders + RIDER_G];
    values[BLO_UPPER] = total[pl->riders + RIDER_F];
  }
  add_common(e, t->ask, pl, &t->at, values);
  BLO_TRY(check_result(e, pl, values));
  t->answer->g = values[BLO_LOWER];
  t->answer->f = (t->ask->join ? -1 : 1) * values[BLO_UPPER];
  return BLO_OK;
}

/** @file Memory of sweeps to come: the message, and the cache of linearisations. */
#include "eval_private.h"

/** Vectors of one space in a message: two gradients, and the products. */
static blo_int n_parts(blo_int directions)
{
  return 2 + directions;
}

blo_int blo_eval_longest_message(const blo_problem *p, blo_int directions)
{
  bool x_in_sum = !p->x_aligned && (p->has & (BLO_HAS_G_X | BLO_HAS_F_X)) != 0;
  blo_int y = p->y_width > 0 ? 0 : p->n_packed, x = x_in_sum ? p->n_x : 0;

  return n_parts(directions) * (x + y) + N_RIDERS;
}

/** Plan longer messages; the old plan stands if there is no memory. */
static blo_status reserve_message(blo_eval *e, blo_int directions)
{
  blo_int len = blo_eval_longest_message(e->problem, directions);
  blo_sum *sum = NULL;

  BLO_TRY(blo_realloc(e->ctx, len, sizeof *e->total, &e->total));
  BLO_TRY(blo_sum_create(e->comm, e->how, e->problem->n_shards, len, &sum));
  blo_sum_destroy(&e->sum);
  e->sum = sum;
  return BLO_OK;
}

static blo_status reserve_rows(blo_eval *e, blo_int rows)
{
  BLO_TRY(blo_realloc(e->ctx, rows, sizeof *e->linearized_row, &e->linearized_row));
  if (e->linearized.row != NULL) {
    e->linearized.row = e->linearized_row;
  }
  BLO_TRY(blo_realloc(e->ctx, rows * e->problem->cache_per_sample, sizeof *e->cache, &e->cache));
  e->rows = rows;
  return BLO_OK;
}

blo_status blo_eval_reserve(blo_eval *e, blo_int rows, blo_int directions)
{
  blo_int own = blo_eval_can_linearize(e) ? e->all[BLO_LOWER].n_own : 0;
  blo_int most = rows < own ? rows : own;
  bool together = (e->problem->has & BLO_HAS_DIRECTIONS) != 0;

  BLO_BUG_IF(directions > BLO_DIRECTIONS_MAX, "%lld directions at once", (long long)directions);
  if (directions > e->directions) {
    BLO_TRY(together ? reserve_message(e, directions) : BLO_OK);
    e->directions = directions;
  }
  return most > e->rows ? reserve_rows(e, most) : BLO_OK;
}

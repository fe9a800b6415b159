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

/** Numbers of the longest message of a scattered sweep that may want these products. */
static blo_int longest_scattered(const blo_problem *p, blo_int directions, unsigned want)
{
  bool y = (want & BLO_WANT_HV) != 0 && p->y_width == 0;
  bool x = (want & BLO_WANT_JV) != 0 && !p->x_aligned && (p->has & BLO_HAS_G_X) != 0;

  directions = (p->has & BLO_HAS_DIRECTIONS) != 0 ? directions : 1;
  return directions * ((y ? p->n_packed : 0) + (x ? p->n_x : 0)) + N_RIDERS;
}

/** Plan longer messages; the old plan stands if there is no memory. */
static blo_status reserve_message(blo_eval *e, blo_int len, bool pieces)
{
  blo_status status = BLO_OK;
  blo_sum *sum = NULL;

  if (len <= e->longest) {
    return pieces ? blo_sum_provide_pieces(e->sum) : BLO_OK;
  }
  BLO_GO(blo_realloc(e->ctx, len, sizeof *e->total, &e->total));
  BLO_GO(blo_sum_create(e->comm, e->how, e->problem->n_shards, len, &sum));
  BLO_GO(pieces ? blo_sum_provide_pieces(sum) : BLO_OK);
  blo_sum_destroy(&e->sum);
  e->sum = sum;
  e->longest = len;
  return BLO_OK;
done:
  blo_sum_destroy(&sum);
  return status;
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

/** The cache, for as many of these samples as the rank has. */
static blo_status reserve_linearization(blo_eval *e, blo_int rows)
{
  blo_int own = blo_eval_can_linearize(e) ? e->all[BLO_LOWER].n_own : 0;
  blo_int most = rows < own ? rows : own;

  return most > e->rows ? reserve_rows(e, most) : BLO_OK;
}

blo_status blo_eval_reserve(blo_eval *e, blo_int rows, blo_int directions)
{
  bool together = (e->problem->has & BLO_HAS_DIRECTIONS) != 0;

  BLO_BUG_IF(directions > BLO_DIRECTIONS_MAX, "%lld directions at once", (long long)directions);
  if (directions > e->directions) {
    blo_int len = blo_eval_longest_message(e->problem, together ? directions : 1);
    BLO_TRY(reserve_message(e, len, e->scattered > 0));
    e->directions = directions;
  }
  return reserve_linearization(e, rows);
}

blo_status blo_eval_reserve_scattered(blo_eval *e, blo_int rows, blo_int directions, unsigned want)
{
  BLO_BUG_IF(directions > BLO_DIRECTIONS_MAX, "%lld directions at once", (long long)directions);
  BLO_TRY(reserve_message(e, longest_scattered(e->problem, directions, want), true));
  e->scattered = directions > e->scattered ? directions : e->scattered;
  return reserve_linearization(e, rows);
}

blo_int blo_eval_scattered_bytes(const blo_eval *e, blo_int directions, unsigned want)
{
  blo_int len = longest_scattered(e->problem, directions, want);

  return blo_sum_bytes(e->comm, e->how, e->problem->n_shards, len) + len * (blo_int)sizeof(double);
}

blo_int blo_eval_first_direction(const blo_eval *e, blo_int n_v, int rank)
{
  return blo_shard_begin(n_v, blo_comm_size(e->comm), rank);
}

/** Numbers of a sweep that wants this. */
static blo_int length_of(const blo_problem *p, const blo_ask *ask)
{
  const unsigned in_y = BLO_WANT_Y | BLO_WANT_HV, in_x = BLO_WANT_X | BLO_WANT_JV;
  const unsigned level[] = {ask->lower, ask->upper};
  blo_int len = N_RIDERS;

  for (int l = 0; l < 2; l++) {
    for (unsigned bit = 1; bit <= BLO_WANT_JV; bit *= 2) {
      bool wanted = (level[l] & bit) != 0;
      len += wanted && (bit & in_y) != 0 && p->y_width == 0 ? p->n_packed : 0;
      len += wanted && (bit & in_x) != 0 && !p->x_aligned ? p->n_x : 0;
    }
  }
  return len;
}

blo_status blo_eval_reserve_pair(blo_eval *e, const blo_ask *first, const blo_ask *second)
{
  return reserve_message(e, length_of(e->problem, first) + length_of(e->problem, second),
                         e->scattered > 0);
}

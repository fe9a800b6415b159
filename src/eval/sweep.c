/** @file One sweep, or two that share a message: the shards of this rank, and one fused sum. */
#include "turn.h"
#include <string.h>

/* --------------------------------------------------------- linearisation */

static bool same_rows(const blo_batch *a, const blo_batch *b, blo_int n_shards)
{
  bool listed = a->row != NULL;

  return a->n == b->n && a->n_own == b->n_own && listed == (b->row != NULL) &&
         memcmp(a->start, b->start, (size_t)(n_shards + 1) * sizeof *a->start) == 0 &&
         (!listed || memcmp(a->row, b->row, (size_t)a->n_own * sizeof *a->row) == 0);
}

/** Keep the lower batch: products that use the linearisation come with this batch. */
static void keep_batch(blo_eval *e, const blo_batch *batch)
{
  size_t n_start = (size_t)(e->end_shard - e->first_shard + 1);

  BLO_BUG_IF(batch->n_own > e->rows, "%lld samples to linearise, %lld reserved",
             (long long)batch->n_own, (long long)e->rows);
  memcpy(e->linearized_start, batch->start, n_start * sizeof *batch->start);
  e->linearized = *batch;
  e->linearized.start = e->linearized_start;
  if (batch->row != NULL) {
    memcpy(e->linearized_row, batch->row, (size_t)batch->n_own * sizeof *batch->row);
    e->linearized.row = e->linearized_row;
  }
}

/** What the question says about linearisation goes together, and with what was reserved. */
static void begin_linearization(blo_eval *e, const blo_ask *ask)
{
  const blo_batch *batch = blo_eval_batch_of(e, ask, BLO_LOWER);

  BLO_BUG_IF(ask->linearized && e->linearized.n == 0, "no sweep has linearised");
  BLO_BUG_IF(ask->same_x && !ask->linearize, "same_x without linearize");
  if (ask->same_x) {
    BLO_BUG_IF(!same_rows(batch, &e->linearized, e->end_shard - e->first_shard),
               "same_x with other rows than the last linearising sweep had");
  } else if (ask->linearize) {
    keep_batch(e, batch);
  }
}

/* ------------------------------------------------------------ the shards */

/** Where shard s adds its contribution to a part; NULL if it has none. */
static double *part_at(const plan *pl, int k, blo_int s, double *message)
{
  if (pl->aligned[k]) {
    return pl->target[k]->data + blo_space_shard_offset(pl->target[k]->space, s);
  }
  return pl->offset[k] < 0 ? NULL : message + pl->offset[k];
}

/** A shard's part of x or y, if it is aligned with the samples; else all of it. */
static const double *shard_of(const blo_vec *v, bool aligned, blo_int s)
{
  return v->data + (aligned ? blo_space_shard_offset(v->space, s) : 0);
}

static blo_shard_task make_task(const blo_eval *e, const blo_ask *ask, const plan *pl,
                                blo_level level, blo_int s)
{
  const blo_batch *batch = blo_eval_batch_of(e, ask, level);
  const blo_problem *p = e->problem;
  blo_int own = s - e->first_shard, first = batch->start[own];
  bool lower = level == BLO_LOWER, cached = lower && (ask->linearize || ask->linearized);
  blo_shard_task task = {
      .level = level,
      .want = lower ? ask->lower : ask->upper,
      .shard = s,
      .n_rows = batch->start[own + 1] - first,
      .row = batch->row != NULL ? batch->row + first : NULL,
      .x = shard_of(ask->x, p->x_aligned, s),
      .y = shard_of(ask->y, p->y_width > 0, s),
      .n_v = lower ? pl->n_v : 0,
      .scale = pl->scale[level],
      .linearized = lower && ask->linearized,
      /* a sweep that failed may have left the cache half filled */
      .same_x = lower && ask->same_x && e->kept == BLO_OK,
      .cache = cached ? e->cache + first * p->cache_per_sample : NULL,
  };

  for (blo_int i = 0; i < task.n_v; i++) {
    task.v[i] = shard_of(ask->v[i], p->y_width > 0, s);
  }
  return task;
}

static blo_status sweep_level(blo_eval *e, const blo_ask *ask, const plan *pl, blo_level level,
                              blo_int s, double *message)
{
  bool lower = level == BLO_LOWER;
  blo_shard_task task = make_task(e, ask, pl, level, s);
  double value = 0;
  blo_shard_out out = {
      .value = (task.want & BLO_WANT_VALUE) != 0 ? &value : NULL,
      .gy = part_at(pl, lower ? PART_G_Y : PART_F_Y, s, message),
      .gx = part_at(pl, lower ? PART_G_X : PART_F_X, s, message),
  };

  if (task.want == 0 || task.n_rows == 0) {
    return BLO_OK;
  }
  for (blo_int i = 0; i < task.n_v; i++) {
    out.hv[i] = part_at(pl, hv_part(i), s, message);
    out.jv[i] = part_at(pl, jv_part(i), s, message);
  }
  BLO_TRY(e->problem->type->shard(e->problem, &task, &out));
  message[pl->riders + (lower ? RIDER_G : RIDER_F)] += value;
  return BLO_OK;
}

/** Zero the aligned vectors, into which the shards add. */
static void clear_aligned(const plan *pl)
{
  for (int k = 0; k < N_PARTS; k++) {
    if (pl->aligned[k]) {
      blo_eval_clear(pl->target[k]);
    }
  }
}

/** Numbers of shard s in a vector that is aligned with the samples. */
static blo_int shard_size(const blo_vec *v, blo_int s)
{
  return blo_space_shard_offset(v->space, s + 1) - blo_space_shard_offset(v->space, s);
}

/** Is what shard s has just added finite, and its part of an aligned x? */
static blo_status check_shard(const blo_eval *e, const blo_ask *ask, const plan *pl, blo_int s,
                              double *message, bool message_too)
{
  const blo_problem *p = e->problem;
  const double *x = shard_of(ask->x, p->x_aligned, s);

  BLO_CHECK(e->ctx, !p->x_aligned || blo_array_finite(shard_size(ask->x, s), x), BLO_E_NONFINITE,
            "x is not finite: rank %d, shard %lld", blo_comm_rank(e->comm), (long long)s);
  for (int k = 0; k < N_PARTS; k++) {
    const double *at = part_at(pl, k, s, message);
    blo_int n = is_x_part(k) ? p->n_x : p->n_packed;
    if (at == NULL || (!pl->aligned[k] && !message_too)) {
      continue;
    }
    n = pl->aligned[k] ? shard_size(pl->target[k], s) : n;
    BLO_CHECK(e->ctx, blo_array_finite(n, at), BLO_E_NONFINITE,
              "%s is not finite: rank %d, shard %lld", blo_eval_part_name(k),
              blo_comm_rank(e->comm), (long long)s);
  }
  BLO_CHECK(e->ctx, !message_too || blo_array_finite(2, message + pl->riders), BLO_E_NONFINITE,
            "the value of g or f is not finite: rank %d, shard %lld", blo_comm_rank(e->comm),
            (long long)s);
  return BLO_OK;
}

/** All shards of this rank, behind what is in the sum already; a failure is kept. */
static void sweep_shards(blo_eval *e, const turn *t, bool diagnose)
{
  const plan *pl = &t->plan;
  blo_status status = BLO_OK;
  double *message = NULL;

  clear_aligned(pl);
  (t->base == 0 ? blo_sum_begin : blo_sum_append)(e->sum, pl->len);
  for (blo_int s = e->first_shard; s < e->end_shard && status == BLO_OK; s++) {
    message = blo_sum_next_shard(e->sum);
    BLO_GO(sweep_level(e, t->ask, pl, BLO_LOWER, s, message));
    BLO_GO(sweep_level(e, t->ask, pl, BLO_UPPER, s, message));
    BLO_GO(check_shard(e, t->ask, pl, s, message, diagnose));
  }
done:
  blo_eval_keep(e, status);
  message[pl->riders + RIDER_FAILED] += e->kept != BLO_OK;
  for (int i = 0; i < BLO_N_NOTICES; i++) {
    message[pl->riders + RIDER_NOTICE + i] += e->notice[i];
  }
}

static void prepare(const blo_eval *e, const turn *t)
{
  blo_problem *p = e->problem;

  if (p->type->prepare != NULL) {
    p->type->prepare(p, &t->at, t->ask->lower, t->ask->upper, t->ask->linearized);
  }
}

/** The problem's preparations, and the shards. */
static void collect(blo_eval *e, const turn *t, bool diagnose)
{
  prepare(e, t);
  sweep_shards(e, t, diagnose);
}

/* ---------------------------------------------------------- the message */

/** The sum holds a number of this turn that is not finite: find out whose it was. Collective. */
static blo_status find_nonfinite(blo_eval *e, const turn *t)
{
  turn alone = *t;

  alone.base = 0;
  collect(e, &alone, true);
  BLO_TRY(blo_eval_settle(e));
  return blo_fail(e->ctx, BLO_E_NONFINITE, __FILE__, __LINE__,
                  "a sum over the shards, each of which is finite, is not finite");
}

/** Sum over the ranks; in a scattered sweep each is given its piece and the riders. Collective. */
static void sum_up(blo_eval *e, const plan *pl)
{
  if (!pl->scatter) {
    blo_sum_finish(e->sum, e->total);
    return;
  }
  for (int r = 0; r <= blo_comm_size(e->comm); r++) {
    e->piece[r] = blo_eval_piece_begin(e, pl, r);
  }
  blo_sum_finish_pieces(e->sum, e->piece, e->total);
}

/** Is a turn's sum finite? A rank that has only a piece of it is told by the others. Collective. */
static bool sum_is_finite(const blo_eval *e, const turn *t)
{
  const blo_int *piece = e->piece + blo_comm_rank(e->comm);
  const plan *pl = &t->plan;
  bool finite;
  blo_phase before;

  if (!pl->scatter) {
    return blo_array_finite(pl->len, e->total + t->base);
  }
  finite = blo_array_finite(piece[1] - piece[0], e->total + piece[0]) &&
           blo_array_finite(N_RIDERS, e->total + pl->riders);
  before = blo_phase_enter(e->ctx, BLO_PHASE_REDUCE);
  finite = blo_max_all(e->comm, finite ? 0 : 1) < 1;
  blo_phase_enter(e->ctx, before);
  return finite;
}

/** Sum over the ranks, and see what came along; every turn has riders. Collective. */
static blo_status exchange(blo_eval *e, int n, const turn *turns)
{
  const double *riders = e->total + turns[n - 1].base + turns[n - 1].plan.riders;

  sum_up(e, &turns[0].plan);
  for (int i = 0; i < BLO_N_NOTICES; i++) {
    e->noticed[i] = e->noticed[i] || riders[RIDER_NOTICE + i] > 0;
  }
  if (riders[RIDER_FAILED] > 0) {
    return blo_eval_settle(e);
  }
  for (int i = 0; i < n; i++) {
    if (!sum_is_finite(e, &turns[i])) {
      return find_nonfinite(e, &turns[i]);
    }
  }
  return BLO_OK;
}

/* ------------------------------------------------------------- the sweep */

/** A question that takes all of its directions at once; `which` they are of the caller's. */
static void lay_out(blo_eval *e, const blo_ask *ask, span which, blo_answer *answer, blo_int base,
                    turn *t)
{
  *t = (turn){.ask = ask, .answer = answer, .base = base};
  blo_eval_make_plan(e, ask, which, answer, &t->plan);
  t->at = (blo_point){.x = ask->x->data, .y = ask->y->data, .n_v = t->plan.n_v};
  for (blo_int i = 0; i < t->plan.n_v; i++) {
    t->at.v[i] = ask->v[i]->data;
  }
}

/** Up to two turns in one message. Collective. */
static blo_status take(blo_eval *e, int n, const turn *turns)
{
  bool silent = turns[0].plan.silent && turns[n - 1].plan.silent;
  blo_phase before = blo_phase_enter(e->ctx, BLO_PHASE_KERNEL);
  blo_status status;

  for (int i = 0; i < n; i++) {
    begin_linearization(e, turns[i].ask);
    collect(e, &turns[i], false);
  }
  status = silent ? BLO_OK : exchange(e, n, turns);
  blo_phase_enter(e->ctx, before);
  BLO_TRY(status);
  for (int i = 0; i < n; i++) {
    if (n > 1) { /* `unpack` and `common` may look at what `prepare` has kept of this point */
      prepare(e, &turns[i]);
    }
    BLO_TRY(blo_eval_finish_turn(e, &turns[i], e->total + turns[i].base));
  }
  return BLO_OK;
}

static blo_status sweep(blo_eval *e, const blo_ask *ask, span which, blo_answer *answer)
{
  turn t;

  lay_out(e, ask, which, answer, 0, &t);
  return take(e, 1, &t);
}

/** One direction at a time; what does not depend on it comes with the first one. Collective. */
static blo_status sweep_each(blo_eval *e, const blo_ask *ask, blo_answer *answer)
{
  blo_ask one = *ask;
  blo_answer its = *answer;

  one.n_v = 1;
  BLO_TRY(sweep(e, &one, (span){0, ask->n_v}, &its));
  answer->g = its.g;
  answer->f = its.f;
  one.lower &= BLO_WANT_HV | BLO_WANT_JV | BLO_WANT_GAUSS_NEWTON;
  one.upper = 0;
  one.linearized = ask->linearized || ask->linearize;
  one.linearize = one.same_x = false;
  for (blo_int i = 1; i < ask->n_v; i++) {
    one.v[0] = ask->v[i];
    its.hv[0] = answer->hv[i];
    its.jv[0] = answer->jv[i];
    BLO_TRY(sweep(e, &one, (span){i, ask->n_v}, &its));
  }
  return BLO_OK;
}

/** What does not go together in a question is its caller's mistake. */
static void refuse_bugs(const blo_eval *e, const blo_ask *ask)
{
  const unsigned products = BLO_WANT_HV | BLO_WANT_JV, gn = BLO_WANT_GAUSS_NEWTON;
  blo_int most = ask->scatter ? e->scattered : e->directions;

  BLO_BUG_IF((ask->lower & products) != 0 && (ask->n_v < 1 || ask->n_v > most),
             "products with %lld directions, %lld reserved", (long long)ask->n_v, (long long)most);
  BLO_BUG_IF((ask->lower & gn) != 0 && (ask->lower & products) != BLO_WANT_HV,
             "the Gauss-Newton matrix in place of H, in a sweep without H v or with J v");
  BLO_BUG_IF(ask->scatter && ((ask->lower & ~(products | gn | BLO_WANT_VALUE)) != 0 ||
                              (ask->upper & ~(unsigned)BLO_WANT_VALUE) != 0 || ask->join),
             "a scattered sweep that wants gradients");
}

blo_status blo_eval_sweep(blo_eval *e, const blo_ask *ask, blo_answer *answer)
{
  const blo_problem *p = e->problem;
  bool several = (ask->lower & (BLO_WANT_HV | BLO_WANT_JV)) != 0 && ask->n_v > 1;

  refuse_bugs(e, ask);
  BLO_CHECK(e->ctx, p->cache_per_sample > 0 || !(ask->linearize || ask->linearized),
            BLO_E_UNSUPPORTED, "problem '%s' cannot be linearised", p->type->name);
  BLO_CHECK(e->ctx, !ask->join || !several, BLO_E_UNSUPPORTED,
            "a joined sweep takes one direction, not %lld", (long long)ask->n_v);
  BLO_CHECK(e->ctx,
            (ask->lower & BLO_WANT_GAUSS_NEWTON) == 0 || (p->has & BLO_HAS_GAUSS_NEWTON) != 0,
            BLO_E_UNSUPPORTED, "problem '%s' has no Gauss-Newton matrix", p->type->name);
  return several && (p->has & BLO_HAS_DIRECTIONS) == 0 ? sweep_each(e, ask, answer)
                                                       : sweep(e, ask, (span){0, ask->n_v}, answer);
}

blo_status blo_eval_sweep_pair(blo_eval *e, const blo_ask *const ask[2],
                               blo_answer *const answer[2])
{
  turn turns[2];
  blo_int base = 0;

  for (int i = 0; i < 2; i++) {
    refuse_bugs(e, ask[i]);
    BLO_BUG_IF(ask[i]->scatter || ask[i]->n_v > 1 || ask[i]->linearize || ask[i]->linearized ||
                   (ask[i]->lower & BLO_WANT_GAUSS_NEWTON) != 0,
               "a pair of sweeps with several directions, Gauss-Newton products, scattered or "
               "linearised");
    lay_out(e, ask[i], (span){0, ask[i]->n_v}, answer[i], base, &turns[i]);
    base += turns[i].plan.len;
  }
  BLO_BUG_IF(base > e->longest, "a pair of sweeps of %lld numbers, %lld reserved", (long long)base,
             (long long)e->longest);
  return take(e, 2, turns);
}

/**
 * @file One sweep: the shards of this rank, one fused sum, and what is done with its parts.
 *
 * The message is the concatenation of the packed y-vectors that are wanted, the x-vectors (unless x
 * is aligned with the samples: then each rank writes its own slices and nothing needs to be
 * summed), and the riders: g, f, the number of ranks that failed, and the notices.
 */
#include "eval_private.h"
#include <string.h>

enum { RIDER_G, RIDER_F, RIDER_FAILED, RIDER_NOTICE, N_RIDERS = RIDER_NOTICE + BLO_N_NOTICES };

/** The vectors that a sweep can give. */
typedef enum part { PART_G_Y, PART_HV, PART_F_Y, PART_G_X, PART_JV, PART_F_X, N_PARTS } part;

static const char *const part_names[] = {"grad_y g", "H v", "grad_y f",
                                         "grad_x g", "J v", "grad_x f"};

/** Where each wanted part goes: an offset in the message, or an aligned vector. */
typedef struct plan {
  blo_int offset[N_PARTS]; /**< in the message; -1: not in it */
  blo_vec *aligned[N_PARTS];
  blo_vec *target[N_PARTS]; /**< where the caller wants it; NULL: not wanted */
  blo_int riders, len;
  double scale[2]; /**< of the two levels' contributions */
} plan;

static bool is_x_part(int k)
{
  return k >= PART_G_X;
}

/** Do samples contribute to this x-vector? */
static bool x_part_has_samples(const blo_problem *p, int k)
{
  return (p->type->has & (unsigned)(k == PART_F_X ? BLO_HAS_F_X : BLO_HAS_G_X)) != 0;
}

static void find_targets(const blo_ask *ask, const blo_answer *ans, plan *pl)
{
  const bool wanted[N_PARTS] = {
      (ask->lower & BLO_WANT_Y) != 0,  (ask->lower & BLO_WANT_HV) != 0,
      (ask->upper & BLO_WANT_Y) != 0,  (ask->lower & BLO_WANT_X) != 0,
      (ask->lower & BLO_WANT_JV) != 0, (ask->upper & BLO_WANT_X) != 0,
  };
  blo_vec *const vec[N_PARTS] = {
      ans->g_y, ans->hv, ask->join ? ans->hv : ans->f_y,
      ans->g_x, ans->jv, ask->join ? ans->jv : ans->f_x,
  };

  for (int k = 0; k < N_PARTS; k++) {
    pl->target[k] = wanted[k] ? vec[k] : NULL;
  }
}

/** Lay out the message. Joined parts share their place. */
static void make_plan(const blo_eval *e, const blo_ask *ask, const blo_answer *ans, plan *pl)
{
  const blo_problem *p = e->problem;

  *pl = (plan){.len = 0};
  find_targets(ask, ans, pl);
  for (int k = 0; k < N_PARTS; k++) {
    int twin = k == PART_F_Y ? PART_HV : PART_JV;
    bool shares = ask->join && (k == PART_F_Y || k == PART_F_X) && pl->target[twin] != NULL;

    pl->offset[k] = -1;
    if (pl->target[k] == NULL || (is_x_part(k) && !x_part_has_samples(p, k))) {
      continue;
    }
    if (is_x_part(k) && p->x_aligned) {
      pl->aligned[k] = pl->target[k];
    } else if (shares && pl->offset[twin] >= 0) {
      pl->offset[k] = pl->offset[twin];
    } else {
      pl->offset[k] = pl->len;
      pl->len += is_x_part(k) ? p->n_x : p->n_packed;
    }
  }
  pl->riders = pl->len;
  pl->len += N_RIDERS;
}

static const blo_batch *batch_of(const blo_eval *e, const blo_ask *ask, blo_level level)
{
  const blo_batch *given = level == BLO_LOWER ? ask->lower_batch : ask->upper_batch;

  if (level == BLO_LOWER && ask->linearized) {
    return &e->linearized;
  }
  return given != NULL ? given : &e->all[level];
}

/** Keep the lower batch: products that use the linearisation come with this batch. */
static void keep_batch(blo_eval *e, const blo_batch *batch)
{
  size_t n_start = (size_t)(e->end_shard - e->first_shard + 1);

  memcpy(e->linearized_start, batch->start, n_start * sizeof *batch->start);
  e->linearized = *batch;
  e->linearized.start = e->linearized_start;
  if (batch->row != NULL) {
    memcpy(e->linearized_row, batch->row, (size_t)batch->n_own * sizeof *batch->row);
    e->linearized.row = e->linearized_row;
  }
}

/** Where shard s adds its contribution to a part; NULL if it has none. */
static double *part_at(const blo_eval *e, const plan *pl, int k, blo_int s, double *message)
{
  if (pl->aligned[k] != NULL) {
    return pl->aligned[k]->data + blo_space_shard_offset(e->space_x, s);
  }
  return pl->offset[k] < 0 ? NULL : message + pl->offset[k];
}

static blo_status sweep_level(blo_eval *e, const blo_ask *ask, const plan *pl, blo_level level,
                              blo_int s, double *message)
{
  const blo_batch *batch = batch_of(e, ask, level);
  blo_problem *p = e->problem;
  blo_int own = s - e->first_shard, first = batch->start[own];
  bool lower = level == BLO_LOWER, cached = lower && (ask->linearize || ask->linearized);
  double value = 0;
  blo_shard_task task = {
      .level = level,
      .want = lower ? ask->lower : ask->upper,
      .shard = s,
      .n_rows = batch->start[own + 1] - first,
      .row = batch->row != NULL ? batch->row + first : NULL,
      .x = ask->x->data + (p->x_aligned ? blo_space_shard_offset(e->space_x, s) : 0),
      .y = ask->y->data,
      .v = ask->v != NULL ? ask->v->data : NULL,
      .scale = pl->scale[level],
      .linearized = lower && ask->linearized,
      .cache = cached ? e->cache + first * p->cache_per_sample : NULL,
  };
  blo_shard_out out = {
      .value = (task.want & BLO_WANT_VALUE) != 0 ? &value : NULL,
      .gy = part_at(e, pl, lower ? PART_G_Y : PART_F_Y, s, message),
      .gx = part_at(e, pl, lower ? PART_G_X : PART_F_X, s, message),
      .hv = lower ? part_at(e, pl, PART_HV, s, message) : NULL,
      .jv = lower ? part_at(e, pl, PART_JV, s, message) : NULL,
  };

  if (task.want == 0 || task.n_rows == 0) {
    return BLO_OK;
  }
  BLO_TRY(p->type->shard(p, &task, &out));
  message[pl->riders + (lower ? RIDER_G : RIDER_F)] += value;
  return BLO_OK;
}

/** Zero this rank's slices of the aligned vectors, into which the shards add. */
static void clear_aligned(const blo_eval *e, const plan *pl)
{
  blo_int first = blo_space_shard_offset(e->space_x, e->first_shard);
  blo_int n = blo_space_shard_offset(e->space_x, e->end_shard) - first;

  for (int k = PART_G_X; k < N_PARTS; k++) {
    if (pl->aligned[k] != NULL) {
      memset(pl->aligned[k]->data + first, 0, (size_t)n * sizeof(double));
    }
  }
}

/** Is what shard s has just added finite, and its part of an aligned x? */
static blo_status check_shard(const blo_eval *e, const blo_ask *ask, const plan *pl, blo_int s,
                              double *message, bool message_too)
{
  blo_int first = blo_space_shard_offset(e->space_x, s);
  blo_int n_aligned = blo_space_shard_offset(e->space_x, s + 1) - first;

  BLO_CHECK(e->ctx, !e->problem->x_aligned || blo_array_finite(n_aligned, ask->x->data + first),
            BLO_E_NONFINITE, "x is not finite: rank %d, shard %lld", blo_comm_rank(e->comm),
            (long long)s);
  for (int k = 0; k < N_PARTS; k++) {
    const double *at = part_at(e, pl, k, s, message);
    bool aligned = pl->aligned[k] != NULL;
    blo_int n = !is_x_part(k) ? e->problem->n_packed : e->problem->n_x;
    n = aligned ? n_aligned : n;
    BLO_CHECK(e->ctx, at == NULL || (!aligned && !message_too) || blo_array_finite(n, at),
              BLO_E_NONFINITE, "%s is not finite: rank %d, shard %lld", part_names[k],
              blo_comm_rank(e->comm), (long long)s);
  }
  BLO_CHECK(e->ctx, !message_too || blo_array_finite(2, message + pl->riders), BLO_E_NONFINITE,
            "the value of g or f is not finite: rank %d, shard %lld", blo_comm_rank(e->comm),
            (long long)s);
  return BLO_OK;
}

/** All shards of this rank, into the sum that has been begun. */
static blo_status sweep_shards(blo_eval *e, const blo_ask *ask, const plan *pl, bool diagnose)
{
  blo_status status = BLO_OK;
  double *message = NULL;

  for (blo_int s = e->first_shard; s < e->end_shard && status == BLO_OK; s++) {
    message = blo_sum_next_shard(e->sum);
    BLO_GO(sweep_level(e, ask, pl, BLO_LOWER, s, message));
    BLO_GO(sweep_level(e, ask, pl, BLO_UPPER, s, message));
    BLO_GO(check_shard(e, ask, pl, s, message, diagnose));
  }
done:
  message[pl->riders + RIDER_FAILED] += status != BLO_OK;
  for (int i = 0; i < BLO_N_NOTICES; i++) {
    message[pl->riders + RIDER_NOTICE + i] += e->notice[i];
  }
  return status;
}

/** The sum holds a number that is not finite: find out whose it was. Collective. */
static blo_status find_nonfinite(blo_eval *e, const blo_ask *ask, const plan *pl)
{
  clear_aligned(e, pl);
  blo_sum_begin(e->sum, pl->len);
  BLO_TRY(blo_agree(e->comm, sweep_shards(e, ask, pl, true)));
  return blo_fail(e->ctx, BLO_E_NONFINITE, __FILE__, __LINE__,
                  "a sum over the shards, each of which is finite, is not finite");
}

/** Bring the parts of the total to where the caller wants them. */
static void deliver(blo_eval *e, const blo_ask *ask, const plan *pl)
{
  const blo_problem *p = e->problem;

  for (int k = 0; k < N_PARTS; k++) {
    blo_vec *to = pl->target[k];
    bool twin_done = ask->join && ((k == PART_F_Y && pl->target[PART_HV] != NULL) ||
                                   (k == PART_F_X && pl->target[PART_JV] != NULL));
    if (to == NULL || pl->aligned[k] != NULL || (twin_done && pl->offset[k] < 0) ||
        (twin_done && pl->offset[k - 1] == pl->offset[k])) {
      continue;
    }
    if (pl->offset[k] < 0) {
      blo_vec_fill(to, 0);
    } else if (is_x_part(k) || p->type->unpack == NULL) {
      memcpy(to->data, e->total + pl->offset[k],
             (size_t)(is_x_part(k) ? p->n_x : p->n_y) * sizeof *to->data);
    } else {
      p->type->unpack(p, e->total + pl->offset[k], to->data);
    }
  }
}

static double *owned_data(blo_vec *v)
{
  return v != NULL && blo_space_owned(v->space) ? v->data : NULL;
}

/** Terms without samples, the same on every rank that owns the vector. */
static void add_common(blo_eval *e, const blo_ask *ask, const plan *pl, const blo_point *at,
                       double *values)
{
  blo_problem *p = e->problem;

  for (int level = BLO_LOWER; level <= BLO_UPPER && p->type->common != NULL; level++) {
    bool lower = level == BLO_LOWER;
    unsigned want = lower ? ask->lower : ask->upper;
    blo_vec *y_part = pl->target[lower ? PART_G_Y : PART_F_Y];
    blo_shard_out out = {
        .value = (want & BLO_WANT_VALUE) != 0 ? values + level : NULL,
        .gy = y_part != NULL ? y_part->data : NULL,
        .gx = owned_data(pl->target[lower ? PART_G_X : PART_F_X]),
        .hv = lower && pl->target[PART_HV] != NULL ? pl->target[PART_HV]->data : NULL,
        .jv = lower ? owned_data(pl->target[PART_JV]) : NULL,
    };
    if (want != 0) {
      p->type->common(p, (blo_level)level, want, at, lower || !ask->join ? 1 : -1, &out);
    }
  }
}

/** The y-vectors are the same on all ranks, so all ranks come to the same verdict. */
static blo_status check_result(const blo_eval *e, const plan *pl, const double *values)
{
  for (int k = 0; k < PART_G_X; k++) {
    const blo_vec *v = pl->target[k];
    BLO_CHECK(e->ctx, v == NULL || blo_vec_finite(v), BLO_E_NONFINITE,
              "%s is not finite in its terms without samples (y or x has grown too large)",
              part_names[k]);
  }
  BLO_CHECK(e->ctx, blo_array_finite(2, values), BLO_E_NONFINITE,
            "the value of g or f is not finite in its terms without samples");
  return BLO_OK;
}

static void count(blo_eval *e, const blo_ask *ask)
{
  blo_counts *c = &e->counts;

  c->g += (ask->lower & BLO_WANT_VALUE) != 0;
  c->g_x += (ask->lower & BLO_WANT_X) != 0;
  c->g_y += (ask->lower & BLO_WANT_Y) != 0;
  c->hv += (ask->lower & BLO_WANT_HV) != 0;
  c->jv += (ask->lower & BLO_WANT_JV) != 0;
  c->f += (ask->upper & BLO_WANT_VALUE) != 0;
  c->f_x += (ask->upper & BLO_WANT_X) != 0;
  c->f_y += (ask->upper & BLO_WANT_Y) != 0;
  c->samples += ask->lower != 0 ? batch_of(e, ask, BLO_LOWER)->n : 0;
  c->samples += ask->upper != 0 ? batch_of(e, ask, BLO_UPPER)->n : 0;
}

static void collect_rooted(const blo_eval *e, const plan *pl)
{
  for (int k = PART_G_X; k < N_PARTS; k++) {
    if (pl->aligned[k] != NULL && blo_space_layout(e->space_x) == BLO_ROOTED) {
      blo_vec_collect(pl->aligned[k]);
    }
  }
}

blo_status blo_eval_sweep(blo_eval *e, const blo_ask *ask, blo_answer *answer)
{
  blo_problem *p = e->problem;
  const blo_batch *lower = batch_of(e, ask, BLO_LOWER), *upper = batch_of(e, ask, BLO_UPPER);
  blo_point at = {ask->x->data, ask->y->data, ask->v != NULL ? ask->v->data : NULL};
  double values[2], sign = ask->join ? -1 : 1;
  blo_status local;
  blo_phase before;
  plan pl;

  BLO_CHECK(e->ctx, p->cache_per_sample > 0 || !(ask->linearize || ask->linearized),
            BLO_E_UNSUPPORTED, "problem '%s' cannot be linearised", p->type->name);
  make_plan(e, ask, answer, &pl);
  pl.scale[BLO_LOWER] = 1 / (double)lower->n;
  pl.scale[BLO_UPPER] = sign / (double)upper->n;
  if (ask->linearize) {
    keep_batch(e, lower);
  }
  before = blo_phase_enter(e->ctx, BLO_PHASE_KERNEL);
  if (p->type->prepare != NULL) {
    p->type->prepare(p, &at, ask->lower, ask->upper, ask->linearized);
  }
  clear_aligned(e, &pl);
  blo_sum_begin(e->sum, pl.len);
  local = sweep_shards(e, ask, &pl, false);
  blo_sum_finish(e->sum, e->total);
  blo_phase_enter(e->ctx, before);

  for (int i = 0; i < BLO_N_NOTICES; i++) {
    e->noticed[i] = e->noticed[i] || e->total[pl.riders + RIDER_NOTICE + i] > 0;
  }
  if (e->total[pl.riders + RIDER_FAILED] > 0) {
    return blo_agree(e->comm, local);
  }
  if (!blo_array_finite(pl.len, e->total)) {
    return find_nonfinite(e, ask, &pl);
  }
  count(e, ask);
  deliver(e, ask, &pl);
  collect_rooted(e, &pl);
  values[BLO_LOWER] = e->total[pl.riders + RIDER_G];
  values[BLO_UPPER] = e->total[pl.riders + RIDER_F];
  add_common(e, ask, &pl, &at, values);
  BLO_TRY(check_result(e, &pl, values));
  answer->g = values[BLO_LOWER];
  answer->f = sign * values[BLO_UPPER];
  return BLO_OK;
}

/**
 * @file The check that sums over samples add up: g, f and all their derivatives on a batch are the
 * means, weighted by the numbers of samples, of those on its two halves; of tasks, g is the sum.
 */
#include "check_private.h"
#include <math.h>

/** Every second sample of a batch. */
typedef struct half {
  blo_int *start; /**< [own shards + 1] */
  int32_t *row;
  blo_batch batch;
} half;

static void half_free(blo_context *ctx, half *h)
{
  blo_free(ctx, &h->start);
  blo_free(ctx, &h->row);
}

static blo_status half_alloc(blo_context *ctx, blo_int n_own_shards, blo_int n_own, half *h)
{
  BLO_TRY(blo_alloc(ctx, n_own_shards + 1, sizeof *h->start, &h->start));
  return blo_alloc(ctx, n_own, sizeof *h->row, &h->row);
}

/**
 * The samples of a batch (NULL: all) of a level whose number within the shard has the parity of
 * parity. Collective.
 */
static blo_status half_take(blo_eval *eval, blo_level level, const blo_batch *batch, int parity,
                            half *h)
{
  blo_problem *p = blo_eval_problem(eval);
  blo_int n = level == BLO_LOWER ? p->n_lower : p->n_upper, S = p->n_shards;
  blo_int first = blo_comm_first_shard(p->comm, S), end = blo_comm_end_shard(p->comm, S);
  blo_int most = blo_shard_begin(n, S, end) - blo_shard_begin(n, S, first), k = 0;

  BLO_TRY_ALL(p->comm, half_alloc(p->ctx, end - first, most, h));
  for (blo_int s = first; s < end; s++) {
    blo_int begin = batch != NULL ? batch->start[s - first] : 0;
    blo_int count = batch != NULL ? batch->start[s - first + 1] - begin
                                  : blo_shard_begin(n, S, s + 1) - blo_shard_begin(n, S, s);
    bool listed = batch != NULL && batch->row != NULL;
    for (blo_int i = (parity + s) % 2; i < count; i += 2) {
      h->row[k++] = listed ? batch->row[begin + i] : (int32_t)i;
    }
    h->start[s - first + 1] = k;
  }
  h->batch =
      (blo_batch){.n = blo_sum_all(p->comm, k), .n_own = k, .start = h->start, .row = h->row};
  return BLO_OK;
}

/** What the halves count in the whole. */
typedef struct weights {
  double first, second;
} weights;

/** Relative error of first * a + second * b = whole; a and b are overwritten. */
static double vector_error(weights w, blo_vec *a, blo_vec *b, const blo_vec *whole)
{
  double scale;

  blo_vec_scale(w.first, a);
  blo_vec_scale(w.second, b);
  scale = fmax(blo_vec_norm(whole), fmax(blo_vec_norm(a), blo_vec_norm(b)));
  blo_vec_axpy(1, a, b);
  blo_vec_axpy(-1, whole, b);
  return blo_check_ratio(blo_vec_norm(b), scale);
}

static double value_error(weights w, double a, double b, double whole)
{
  double scale = fmax(fabs(whole), fmax(fabs(w.first * a), fabs(w.second * b)));

  return blo_check_ratio(fabs(w.first * a + w.second * b - whole), scale);
}

static void compare(blo_checker *c, const weights *w, blo_check_row *row)
{
  blo_check_vectors a = blo_check_vectors_of(&c->work), b = blo_check_vectors_of(&c->other);
  blo_check_vectors whole = blo_check_vectors_of(&c->at);

  blo_check_row_record(row, value_error(w[BLO_LOWER], c->work.g, c->other.g, c->at.g));
  blo_check_row_record(row, value_error(w[BLO_UPPER], c->work.f, c->other.f, c->at.f));
  for (int k = 0; k < BLO_CHECK_VECTORS; k++) {
    blo_check_row_record(
        row, vector_error(w[blo_check_vector_level(k)], *a.at[k], *b.at[k], *whole.at[k]));
  }
}

static weights weights_of(const blo_checker *c, blo_level level, const half *h)
{
  double n = (double)(h[0].batch.n + h[1].batch.n);

  if (level == BLO_LOWER && blo_eval_problem(c->eval)->y_width > 0) {
    return (weights){1, 1};
  }
  return (weights){(double)h[0].batch.n / n, (double)h[1].batch.n / n};
}

blo_status blo_check_halves(blo_checker *c, blo_check_row *row)
{
  blo_context *ctx = blo_eval_problem(c->eval)->ctx;
  blo_answer *answer[] = {&c->work, &c->other};
  blo_ask ask = blo_check_ask_all(c);
  half h[2][2] = {{{.start = NULL}}};
  weights weight[2];
  blo_status status = BLO_OK;

  for (int level = BLO_LOWER; level <= BLO_UPPER; level++) {
    const blo_batch *batch = level == BLO_LOWER ? c->lower : c->upper;
    BLO_GO(half_take(c->eval, (blo_level)level, batch, 0, &h[level][0]));
    BLO_GO(half_take(c->eval, (blo_level)level, batch, 1, &h[level][1]));
    if (h[level][0].batch.n == 0 || h[level][1].batch.n == 0) {
      row->why = "a batch has too few samples to be halved";
      goto done;
    }
    weight[level] = weights_of(c, (blo_level)level, h[level]);
  }
  for (int k = 0; k < 2; k++) {
    ask.lower_batch = &h[BLO_LOWER][k].batch;
    ask.upper_batch = &h[BLO_UPPER][k].batch;
    BLO_GO(blo_eval_sweep(c->eval, &ask, answer[k]));
  }
  compare(c, weight, row);
done:
  for (int i = 0; i < 4; i++) {
    half_free(ctx, &h[i / 2][i % 2]);
  }
  return status;
}

/**
 * @file
 * A strict saddle over an ill-conditioned lower level: a test of methods that must leave saddles
 * (our own construction after the problem class of Huang, Chen, Ji, Ma and Lai 2022, arXiv
 * 2202.03684).
 *
 *     g(x, y) = (1/2) s'A s,  s = y - B x      f(x, y) = W(y) + (c/2) |x|^2
 *     W(z) = sum_{i < m} (z_i^4 / 4 - z_i^2 / 2) + (1/2) sum_{i >= m} z_i^2
 *
 * with B orthogonal and A of eigenvalues equally spaced in [1, kappa]. So y* = B x, H = A,
 * J = -B'A, F(x) = W(B x) + (c/2) |x|^2. At x = 0 grad F = 0 and the Hessian of F has the
 * eigenvalues c - 1 (m times) and 1 + c. The 2^m minima (B x)_i = +-sqrt(1 - c), i < m, have
 * F = -m (1 - c)^2 / 4 and eigenvalues 2 (1 - c) and 1 + c.
 *
 * The samples may carry noise, in pairs with opposite signs, so that full batches have none:
 *
 *     g_i = g + a_i'y + (1/2) s'N_i s      f_j = f + a_j'y + e_j'x + (1/2) y'N_j y
 *
 * `noise` is the standard deviation of the entries of a and e, `noise_hessian` that of N = (p q' +
 * q p') / sqrt(2) off the diagonal. The noise of N is multiplicative: at the saddle it leaves all
 * gradients as they are.
 */
#include "rank_one.h"
#include <math.h>
#include <string.h>

typedef struct options {
  analytic_options base;
  blo_int n, m, samples;
  double c, kappa, noise, noise_hessian;
} options;

/** The noise of this rank's samples of a level. */
typedef struct saddle_noise {
  rank_one add;  /**< a, and of f also e */
  double *p, *q; /**< [n_own][n], q with the factor noise_hessian / sqrt(2); NULL: none */
} saddle_noise;

typedef struct state {
  analytic base;
  const options *o;
  double *A, *B;  /**< [n][n] */
  double *s, *As; /**< [n] room */
  saddle_noise noise[2];
} state;

enum { FAMILY_A = 1, FAMILY_B, FAMILY_P = 10, FAMILY_Q = 12 };

/* -------------------------------------------------------------- formulas */

/** st->s = y - B x. */
static void find_s(const state *st, const double *x, const double *y)
{
  blo_int n = st->o->n;

  matrix_mul(n, n, st->B, x, st->s);
  for (blo_int i = 0; i < n; i++) {
    st->s[i] = y[i] - st->s[i];
  }
}

/** st->s = y - B x, st->As = A s. */
static void residual(const state *st, const double *x, const double *y)
{
  find_s(st, x, y);
  matrix_mul(st->o->n, st->o->n, st->A, st->s, st->As);
}

/** out = -B'z. */
static void minus_bt(const state *st, const double *z, double *out)
{
  blo_int n = st->o->n;

  matrix_mul_t(n, n, st->B, z, out);
  for (blo_int i = 0; i < n; i++) {
    out[i] = -out[i];
  }
}

static double g(const void *state_, const double *x, const double *y)
{
  const state *st = state_;

  residual(st, x, y);
  return 0.5 * blo_array_dot(st->o->n, st->s, st->As);
}

static void g_x(const void *state_, const double *x, const double *y, double *out)
{
  const state *st = state_;

  residual(st, x, y);
  minus_bt(st, st->As, out);
}

static void g_y(const void *state_, const double *x, const double *y, double *out)
{
  const state *st = state_;

  residual(st, x, y);
  memcpy(out, st->As, (size_t)st->o->n * sizeof *out);
}

static void hv(const void *state_, const double *x, const double *y, const double *v, double *out)
{
  const state *st = state_;

  (void)x;
  (void)y;
  matrix_mul(st->o->n, st->o->n, st->A, v, out);
}

static void jv(const void *state_, const double *x, const double *y, const double *v, double *out)
{
  const state *st = state_;

  hv(st, x, y, v, st->As);
  minus_bt(st, st->As, out);
}

static double f(const void *state_, const double *x, const double *y)
{
  const options *o = ((const state *)state_)->o;

  return analytic_wells(o->n, o->m, 1, y) + 0.5 * o->c * blo_array_dot(o->n, x, x);
}

static void f_x(const void *state_, const double *x, const double *y, double *out)
{
  const options *o = ((const state *)state_)->o;

  (void)y;
  for (blo_int i = 0; i < o->n; i++) {
    out[i] = o->c * x[i];
  }
}

static void f_y(const void *state_, const double *x, const double *y, double *out)
{
  const options *o = ((const state *)state_)->o;

  (void)x;
  analytic_wells_gradient(o->n, o->m, 1, y, out);
}

/* --------------------------------------------------------- known solution */

static void solve(const void *state_, const double *x, const double *y, double *out)
{
  const state *st = state_;

  (void)y;
  matrix_mul(st->o->n, st->o->n, st->B, x, out);
}

static void F_x(const void *state_, const double *x, const double *y, double *out)
{
  const state *st = state_;
  const options *o = st->o;

  (void)y;
  matrix_mul(o->n, o->n, st->B, x, st->s);
  analytic_wells_gradient(o->n, o->m, 1, st->s, st->As);
  matrix_mul_t(o->n, o->n, st->B, st->As, out);
  matrix_axpy(o->n, o->c, x, out);
}

static double gap(const void *state_, const double *x, const double *y)
{
  const state *st = state_;

  (void)y;
  matrix_mul(st->o->n, st->o->n, st->B, x, st->s);
  return analytic_wells_gap(st->o->n, st->o->m, 1, st->o->c, st->s);
}

static void nearest(const void *state_, const double *x, const double *y, double *out)
{
  const state *st = state_;
  const options *o = st->o;

  (void)y;
  matrix_mul(o->n, o->n, st->B, x, st->s);
  analytic_wells_nearest(o->n, o->m, 1, o->c, st->s, st->As);
  matrix_mul_t(o->n, o->n, st->B, st->As, out);
}

static void start(const void *state_, double *x, double *y)
{
  const state *st = state_;

  memset(x, 0, (size_t)st->o->n * sizeof *x);
  memset(y, 0, (size_t)st->o->n * sizeof *y);
}

static const analytic_math math = {.quadratic = true, .gap = gap, ANALYTIC_FORMULAS};

/* ------------------------------------------------------------------ noise */

/** p and q of a pair of samples that begins at the rank's sample i: the same p, opposite q. */
static void draw_pair(const options *o, blo_level level, blo_int i, saddle_noise *z)
{
  double *p = z->p + i * o->n, *q = z->q + i * o->n;
  uint64_t seed = (uint64_t)o->base.seed;

  matrix_normal(seed, FAMILY_P + (uint64_t)level, z->add.first + i, o->n, p);
  matrix_normal(seed, FAMILY_Q + (uint64_t)level, z->add.first + i, o->n, q);
  for (blo_int k = 0; k < o->n; k++) {
    q[k] *= o->noise_hessian / sqrt(2);
    p[o->n + k] = p[k];
    q[o->n + k] = -q[k];
  }
}

static blo_status make_hessian_noise(blo_problem *p, blo_level level, saddle_noise *z)
{
  const options *o = p->options;
  blo_int end = blo_comm_end_shard(p->comm, p->n_shards);

  BLO_TRY(blo_alloc(p->ctx, z->add.n_own * o->n, sizeof(double), &z->p));
  BLO_TRY(blo_alloc(p->ctx, z->add.n_own * o->n, sizeof(double), &z->q));
  for (blo_int s = blo_comm_first_shard(p->comm, p->n_shards); s < end; s++) {
    blo_int last = blo_shard_begin(o->samples, p->n_shards, s + 1);
    for (blo_int i = blo_shard_begin(o->samples, p->n_shards, s); i + 1 < last; i += 2) {
      draw_pair(o, level, i - z->add.first, z);
    }
  }
  return BLO_OK;
}

static blo_status make_noise(blo_problem *p, blo_level level, saddle_noise *z)
{
  const options *o = p->options;
  unsigned parts = level == BLO_LOWER ? RANK_A : RANK_A | RANK_E;

  BLO_TRY(rank_one_create(p, level, o->noise > 0 ? parts : 0, &z->add));
  rank_one_noise(p, level, (uint64_t)o->base.seed, o->noise, &z->add);
  return o->noise_hessian > 0 ? make_hessian_noise(p, level, z) : BLO_OK;
}

/** out = scale * sum N_i v over the samples of a task; `first`: the shard's first one. */
static void noise_product(const state *st, const blo_shard_task *task, blo_int first,
                          const double *v, double *out)
{
  const saddle_noise *z = &st->noise[task->level];
  blo_int n = st->o->n;

  memset(out, 0, (size_t)n * sizeof *out);
  for (blo_int k = 0; k < task->n_rows; k++) {
    blo_int i = first - z->add.first + (task->row != NULL ? task->row[k] : k);
    const double *p = z->p + i * n, *q = z->q + i * n;
    double pv = blo_array_dot(n, p, v), qv = blo_array_dot(n, q, v);
    for (blo_int j = 0; j < n; j++) {
      out[j] += task->scale * (p[j] * qv + q[j] * pv);
    }
  }
}

/** to_y += z, and of g, where x acts through y - B x, to_x += -B'z. */
static void add_both(const state *st, blo_level level, const double *z, double *to_x, double *to_y)
{
  blo_int n = st->o->n;

  if (to_y != NULL) {
    matrix_axpy(n, 1, z, to_y);
  }
  for (blo_int j = 0; j < n && to_x != NULL && level == BLO_LOWER; j++) {
    matrix_axpy(n, -z[j], st->B + j * n, to_x);
  }
}

static void hessian_noise(const state *st, const blo_shard_task *task, blo_int first,
                          const blo_shard_out *out)
{
  blo_int n = st->o->n;

  if (out->value != NULL || out->gx != NULL || out->gy != NULL) {
    const double *z = task->y;
    if (task->level == BLO_LOWER) {
      find_s(st, task->x, task->y);
      z = st->s;
    }
    noise_product(st, task, first, z, st->As);
    if (out->value != NULL) {
      *out->value += 0.5 * blo_array_dot(n, z, st->As);
    }
    add_both(st, task->level, st->As, out->gx, out->gy);
  }
  for (blo_int d = 0; d < task->n_v; d++) {
    noise_product(st, task, first, task->v[d], st->As);
    add_both(st, task->level, st->As, out->jv[d], out->hv[d]);
  }
}

/* ------------------------------------------------------------------ slots */

/** One kind of noise after the other: so opposite terms follow each other, and cancel exactly. */
static blo_status shard(blo_problem *p, const blo_shard_task *task, const blo_shard_out *out)
{
  const state *st = p->state;
  const saddle_noise *z = &st->noise[task->level];
  blo_int first = blo_shard_begin(st->o->samples, p->n_shards, task->shard);

  if (st->o->noise > 0) {
    rank_one_shard(&z->add, first, task, out);
  }
  if (st->o->noise_hessian > 0) {
    hessian_noise(st, task, first, out);
  }
  return BLO_OK;
}

/** The sizes of the samples, and what they contribute to. Local. */
static blo_status take_samples(blo_problem *p, const options *o)
{
  BLO_CHECK(p->ctx, (o->noise == 0 && o->noise_hessian == 0) || o->samples >= 2 * o->base.shards,
            BLO_E_OPTION,
            "problem.noise = %g and problem.noise_hessian = %g come in pairs of samples: "
            "problem.samples = %lld must be at least 2 problem.shards = %lld",
            o->noise, o->noise_hessian, (long long)o->samples, (long long)(2 * o->base.shards));
  if (o->samples > 0) {
    p->n_lower = p->n_upper = o->samples;
    p->fingerprint = p->fingerprint * 31 + (uint64_t)o->samples;
  }
  if (o->noise > 0) {
    p->has |= BLO_HAS_F_X;
  }
  if (o->noise_hessian > 0) { /* on batches H may be indefinite, so it is no Gauss-Newton matrix */
    p->has = (p->has | BLO_HAS_G_X) & ~(unsigned)BLO_HAS_GAUSS_NEWTON;
  }
  return BLO_OK;
}

static blo_status make(blo_problem *p, state *st)
{
  const options *o = st->o;
  blo_int n = o->n;

  BLO_TRY(blo_alloc(p->ctx, n * n, sizeof(double), &st->A));
  BLO_TRY(blo_alloc(p->ctx, n * n, sizeof(double), &st->B));
  BLO_TRY(blo_alloc(p->ctx, n, sizeof(double), &st->s));
  BLO_TRY(blo_alloc(p->ctx, n, sizeof(double), &st->As));
  for (blo_int k = 0; k < n; k++) {
    st->s[k] = matrix_linear(1, o->kappa, k, n);
  }
  matrix_orthonormal((uint64_t)o->base.seed, FAMILY_A, n, n, st->B);
  matrix_spectral(n, n, st->B, st->s, st->A);
  matrix_orthonormal((uint64_t)o->base.seed, FAMILY_B, n, n, st->B);
  for (int level = 0; level < 2 && (o->noise > 0 || o->noise_hessian > 0); level++) {
    BLO_TRY(make_noise(p, (blo_level)level, &st->noise[level]));
  }
  return BLO_OK;
}

static blo_status setup(blo_problem *p)
{
  state *st = p->state;

  st->o = p->options;
  BLO_CHECK(p->ctx, st->o->m <= st->o->n, BLO_E_OPTION,
            "problem.m = %lld wells in problem.n = %lld directions", (long long)st->o->m,
            (long long)st->o->n);
  BLO_TRY(analytic_setup(p, st->o->n, st->o->n, &math));
  BLO_TRY(take_samples(p, st->o));
  return blo_agree(p->comm, make(p, st));
}

static void teardown(blo_problem *p)
{
  state *st = p->state;

  analytic_teardown(p);
  blo_free(p->ctx, &st->A);
  blo_free(p->ctx, &st->B);
  blo_free(p->ctx, &st->s);
  blo_free(p->ctx, &st->As);
  for (int level = 0; level < 2; level++) {
    rank_one_free(p, &st->noise[level].add);
    blo_free(p->ctx, &st->noise[level].p);
    blo_free(p->ctx, &st->noise[level].q);
  }
}

static const blo_opt_row rows[] = {
    BLO_OPT(options, n, "10", 1, 2000, "-", "entries of x, and of y", "", 0),
    BLO_OPT(options, m, "2", 0, 2000, "-", "directions of negative curvature at the saddle", "", 0),
    BLO_OPT(options, c, "0.1", 0, 1e6, "-", "weight of |x|^2 / 2 in f; a saddle if less than 1", "",
            0),
    BLO_OPT(options, kappa, "100", 1, 1e12, "-", "largest eigenvalue of A; the smallest is 1", "",
            0),
    BLO_OPT(options, samples, "0", 0, 1e9, "samples",
            "samples of g, and of f, that carry the noise; 0 = one in each shard, without noise",
            "", 0),
    BLO_OPT(options, noise, "0", 0, 1e6, "-",
            "standard deviation of the noise that samples add to each entry of the gradients", "",
            0),
    BLO_OPT(options, noise_hessian, "0", 0, 1e6, "-",
            "standard deviation of the noise that samples add to the entries of the Hessians in y; "
            "in the gradients it vanishes at the saddle",
            "", 0),
    ANALYTIC_ROWS(options),
};

static const blo_opt_table table =
    BLO_OPT_TABLE("quartic_saddle", "a strict saddle with 2^m minima around it", options, rows);

const blo_problem_type blo_problem_quartic_saddle = {
    .name = "quartic_saddle",
    .summary = "known solution: strict saddle, 2^m minima, ill-conditioned lower level",
    .source = "own; problem class of Huang et al. 2022, arXiv 2202.03684",
    .state_size = sizeof(state),
    .options = &table,
    .setup = setup,
    .teardown = teardown,
    .has = BLO_HAS_DIRECTIONS,
    .shard = shard,
    .common = analytic_common,
    ANALYTIC_METRIC_SLOTS,
};

/**
 * @file
 * An upper level whose curvature grows with its gradient, as that of recurrent networks does: the
 * problem class of Hao, Gong and Liu 2024 (arXiv 2401.09587), our own construction:
 *
 *     f(x, y) = sum_i u(x_i) + sum_j (1 + (y_j - d_j)^2)^(1/2)      u(t) = cosh t - 1 or t^4 / 4
 *     g(x, y) = (1/2) y'H y - y'(B x + b)
 *
 * H has random eigenvectors and eigenvalues equally spaced in [low, high], B = coupling / n_x^(1/2)
 * times normal numbers, b and d are normal. y* = Y x + y0, Y = H^-1 B, y0 = H^-1 b; F is convex:
 *
 *     grad F = u'(x) + Y't,  t_j = s_j / (1 + s_j^2)^(1/2),  s = y* - d
 *
 * Its minimum has no closed form: Newton's method finds it at set-up. Steps of gradient descent on
 * u = cosh - 1 from x0 diverge if they are longer than 2 x0 / sinh(x0). Nothing here is guarded
 * against overflow of cosh: that is how divergence shows.
 *
 * Samples: g_i = (1 + s_i) g + a_i'y and f_j = f + a_j'y + e_j'x with normal s_i of standard
 * deviation `hessian_noise` and a, e of standard deviation `noise`, in pairs of opposite signs, so
 * that full batches have none: H v and J v of a batch are multiplied by 1 + mean s_i.
 */
#include "rank_one.h"
#include <math.h>
#include <string.h>

typedef struct options {
  analytic_options base;
  blo_int n, n_x, n_y;
  double low, high, coupling, x0, y0, noise, hessian_noise;
  int kind;
} options;

typedef enum kind { KIND_COSH, KIND_QUARTIC } kind;

typedef struct state {
  analytic base;
  const options *o;
  rank_one noise[2];
  double *factor; /**< [own samples of g] s_i; NULL without noise */
  double *H;      /**< [n_y][n_y] */
  double *B, *Y;  /**< [n_y][n_x] */
  double *b, *d;  /**< [n_y] */
  double *y0;     /**< [n_y] */
  double *room;   /**< [n_y] */
  double *best;   /**< [n_x] the minimiser of F */
  double least;   /**< F there */
  blo_int of_g;   /**< first sample of g of this rank */
} state;

enum { FAMILY_H = 1, FAMILY_B, FAMILY_b, FAMILY_D, FAMILY_FACTOR };

/* -------------------------------------------------------------- formulas */

static double g(const void *state_, const double *x, const double *y)
{
  const state *st = state_;
  blo_int n_x = st->base.n_x, n_y = st->base.n_y;

  return 0.5 * matrix_form(n_y, n_y, st->H, y, y) - matrix_form(n_y, n_x, st->B, y, x) -
         blo_array_dot(n_y, y, st->b);
}

static void g_x(const void *state_, const double *x, const double *y, double *out)
{
  const state *st = state_;

  (void)x;
  matrix_mul_t(st->base.n_y, st->base.n_x, st->B, y, out);
  for (blo_int i = 0; i < st->base.n_x; i++) {
    out[i] = -out[i];
  }
}

static void g_y(const void *state_, const double *x, const double *y, double *out)
{
  const state *st = state_;
  blo_int n_x = st->base.n_x, n_y = st->base.n_y;

  matrix_mul(n_y, n_y, st->H, y, out);
  for (blo_int j = 0; j < n_y; j++) {
    out[j] -= blo_array_dot(n_x, st->B + j * n_x, x) + st->b[j];
  }
}

static void hv(const void *state_, const double *x, const double *y, const double *v, double *out)
{
  const state *st = state_;

  (void)x;
  (void)y;
  matrix_mul(st->base.n_y, st->base.n_y, st->H, v, out);
}

static void jv(const void *state_, const double *x, const double *y, const double *v, double *out)
{
  (void)y;
  g_x(state_, x, v, out);
}

static double f(const void *state_, const double *x, const double *y)
{
  const state *st = state_;
  double sum = 0;

  for (blo_int i = 0; i < st->base.n_x; i++) {
    double half = sinh(x[i] / 2), square = x[i] * x[i];
    sum += st->o->kind == KIND_COSH ? 2 * half * half : square * square / 4;
  }
  for (blo_int j = 0; j < st->base.n_y; j++) {
    sum += hypot(1, y[j] - st->d[j]);
  }
  return sum;
}

static void f_x(const void *state_, const double *x, const double *y, double *out)
{
  const state *st = state_;

  (void)y;
  for (blo_int i = 0; i < st->base.n_x; i++) {
    out[i] = st->o->kind == KIND_COSH ? sinh(x[i]) : x[i] * x[i] * x[i];
  }
}

static void f_y(const void *state_, const double *x, const double *y, double *out)
{
  const state *st = state_;

  (void)x;
  for (blo_int j = 0; j < st->base.n_y; j++) {
    double s = y[j] - st->d[j];
    out[j] = s / hypot(1, s);
  }
}

/* --------------------------------------------------------- known solution */

static void solve(const void *state_, const double *x, const double *y, double *out)
{
  const state *st = state_;

  (void)y;
  matrix_mul(st->base.n_y, st->base.n_x, st->Y, x, out);
  matrix_axpy(st->base.n_y, 1, st->y0, out);
}

static double F(const void *state_, const double *x, const double *y)
{
  const state *st = state_;

  solve(st, x, y, st->room);
  return f(st, x, st->room);
}

static double gap(const void *state_, const double *x, const double *y)
{
  return F(state_, x, y) - ((const state *)state_)->least;
}

static void F_x(const void *state_, const double *x, const double *y, double *out)
{
  const state *st = state_;

  solve(st, x, y, st->room);
  f_y(st, x, st->room, st->room);
  f_x(st, x, NULL, out);
  for (blo_int j = 0; j < st->base.n_y; j++) {
    matrix_axpy(st->base.n_x, st->room[j], st->Y + j * st->base.n_x, out);
  }
}

static void nearest(const void *state_, const double *x, const double *y, double *out)
{
  const state *st = state_;

  (void)x;
  (void)y;
  memcpy(out, st->best, (size_t)st->base.n_x * sizeof *out);
}

static void start(const void *state_, double *x, double *y)
{
  const state *st = state_;

  for (blo_int i = 0; i < st->base.n_x; i++) {
    x[i] = st->o->x0;
  }
  for (blo_int j = 0; j < st->base.n_y; j++) {
    y[j] = st->o->y0;
  }
}

static const analytic_math math = {.quadratic = true, .F = F, .gap = gap, ANALYTIC_FORMULAS};

/* ------------------------------------------------------- the minimum of F */

/** Newton's method from x = e, with Armijo's rule. */
typedef struct newton {
  double *hessian, *inverse;       /**< [n_x][n_x] */
  double *gradient, *step, *trial; /**< [n_x] */
} newton;

/** diag(u''(x)) + Y' diag((1 + s^2)^(-3/2)) Y */
static void upper_hessian(const state *st, const double *x, double *a)
{
  blo_int n_x = st->base.n_x;

  memset(a, 0, (size_t)(n_x * n_x) * sizeof *a);
  solve(st, x, NULL, st->room);
  for (blo_int j = 0; j < st->base.n_y; j++) {
    const double *row = st->Y + j * n_x;
    matrix_add_outer(n_x, n_x, pow(hypot(1, st->room[j] - st->d[j]), -3), row, row, a);
  }
  for (blo_int i = 0; i < n_x; i++) {
    a[i * n_x + i] += st->o->kind == KIND_COSH ? cosh(x[i]) : 3 * x[i] * x[i];
  }
}

/** st->best <- best + t step with the first t = 1, 1/2, ... that decreases F enough; false if none
 *  does: then best is a minimum to rounding. */
static bool go(state *st, const newton *w)
{
  blo_int n = st->base.n_x;
  double here = F(st, st->best, NULL), slope = blo_array_dot(n, w->gradient, w->step);

  for (double t = 1; t > 1e-10; t /= 2) {
    memcpy(w->trial, st->best, (size_t)n * sizeof *w->trial);
    matrix_axpy(n, t, w->step, w->trial);
    if (F(st, w->trial, NULL) <= here + 1e-4 * t * slope) {
      memcpy(st->best, w->trial, (size_t)n * sizeof *w->trial);
      return true;
    }
  }
  return false;
}

/** All ranks have the same numbers, and matrix_pinv() gives all the same. Collective. */
static blo_status minimize(blo_problem *p, state *st, const newton *w)
{
  blo_int n = st->base.n_x;
  bool more = true;

  for (int i = 0; i < 200 && more; i++) {
    F_x(st, st->best, NULL, w->gradient);
    upper_hessian(st, st->best, w->hessian);
    BLO_TRY(matrix_pinv(p, n, w->hessian, w->inverse, NULL));
    matrix_mul(n, n, w->inverse, w->gradient, w->step);
    for (blo_int k = 0; k < n; k++) {
      w->step[k] = -w->step[k];
    }
    more = blo_array_norm(n, w->gradient) > 1e-14 * (double)n && go(st, w);
  }
  st->least = F(st, st->best, NULL);
  return BLO_OK;
}

static blo_status make_newton(blo_problem *p, newton *w)
{
  blo_int n = p->n_x;

  BLO_TRY(blo_alloc(p->ctx, n * n, sizeof(double), &w->hessian));
  BLO_TRY(blo_alloc(p->ctx, n * n, sizeof(double), &w->inverse));
  BLO_TRY(blo_alloc(p->ctx, n, sizeof(double), &w->gradient));
  BLO_TRY(blo_alloc(p->ctx, n, sizeof(double), &w->step));
  return blo_alloc(p->ctx, n, sizeof(double), &w->trial);
}

static blo_status find_minimum(blo_problem *p, state *st)
{
  blo_status status = BLO_OK;
  newton w = {.hessian = NULL};

  BLO_GO_ALL(p->comm, make_newton(p, &w));
  for (blo_int i = 0; i < p->n_x; i++) {
    st->best[i] = 1;
  }
  BLO_GO(minimize(p, st, &w));
done:
  blo_free(p->ctx, &w.hessian);
  blo_free(p->ctx, &w.inverse);
  blo_free(p->ctx, &w.gradient);
  blo_free(p->ctx, &w.step);
  blo_free(p->ctx, &w.trial);
  return status;
}

/* ------------------------------------------------------------------ slots */

/** The factors of the samples of a task multiply all of g: `common` has added the 1 of 1 + s_i. */
static void add_factors(blo_problem *p, const blo_shard_task *task, const blo_shard_out *out)
{
  const state *st = p->state;
  blo_int first = blo_shard_begin(p->n_lower, p->n_shards, task->shard) - st->of_g;
  blo_point at = {.x = task->x, .y = task->y, .n_v = task->n_v};
  double sum = 0;

  for (blo_int k = 0; k < task->n_rows; k++) {
    sum += st->factor[first + (task->row != NULL ? task->row[k] : k)];
  }
  if (sum != 0) {
    memcpy(at.v, task->v, sizeof at.v);
    analytic_common(p, BLO_LOWER, task->want, &at, task->scale * sum, out);
  }
}

static blo_status shard(blo_problem *p, const blo_shard_task *task, const blo_shard_out *out)
{
  const state *st = p->state;
  blo_int n = task->level == BLO_LOWER ? p->n_lower : p->n_upper;

  if (st->o->noise > 0) {
    rank_one_shard(&st->noise[task->level], blo_shard_begin(n, p->n_shards, task->shard), task,
                   out);
  }
  if (st->factor != NULL && task->level == BLO_LOWER) {
    add_factors(p, task, out);
  }
  return BLO_OK;
}

/** Opposite factors of samples 0 and 1, 2 and 3, ... of each shard. */
static void draw_factors(const blo_problem *p, const state *st)
{
  const blo_stream stream = {(uint64_t)st->o->base.seed, BLO_PURPOSE_TEST};
  blo_int end = blo_comm_end_shard(p->comm, p->n_shards);

  for (blo_int s = blo_comm_first_shard(p->comm, p->n_shards); s < end; s++) {
    blo_int last = blo_shard_begin(p->n_lower, p->n_shards, s + 1);
    for (blo_int i = blo_shard_begin(p->n_lower, p->n_shards, s); i + 1 < last; i += 2) {
      double *pair = st->factor + (i - st->of_g);
      pair[0] = st->o->hessian_noise * blo_stream_normal(stream, FAMILY_FACTOR, (uint64_t)i, 0);
      pair[1] = -pair[0];
    }
  }
}

static blo_status make_noise(blo_problem *p, state *st)
{
  for (int level = 0; level < 2 && st->o->noise > 0; level++) {
    rank_one *r = &st->noise[level];
    BLO_TRY(rank_one_create(p, (blo_level)level, level == 0 ? RANK_A : RANK_A | RANK_E, r));
    rank_one_noise(p, (blo_level)level, (uint64_t)st->o->base.seed, st->o->noise, r);
  }
  if (st->o->hessian_noise > 0) {
    blo_int end =
        blo_shard_begin(p->n_lower, p->n_shards, blo_comm_end_shard(p->comm, p->n_shards));
    st->of_g = blo_shard_begin(p->n_lower, p->n_shards, blo_comm_first_shard(p->comm, p->n_shards));
    BLO_TRY(blo_alloc(p->ctx, end - st->of_g, sizeof(double), &st->factor));
    draw_factors(p, st);
  }
  return BLO_OK;
}

static blo_status make_room(blo_problem *p, state *st)
{
  blo_int n_x = p->n_x, n_y = p->n_y;
  double **const of_y[] = {&st->b, &st->d, &st->y0, &st->room};

  for (blo_int i = 0; i < BLO_COUNT_OF(of_y); i++) {
    BLO_TRY(blo_alloc(p->ctx, n_y, sizeof(double), of_y[i]));
  }
  BLO_TRY(blo_alloc(p->ctx, n_y * n_y, sizeof(double), &st->H));
  BLO_TRY(blo_alloc(p->ctx, n_y * n_x, sizeof(double), &st->B));
  BLO_TRY(blo_alloc(p->ctx, n_y * n_x, sizeof(double), &st->Y));
  return blo_alloc(p->ctx, n_x, sizeof(double), &st->best);
}

/** Y = H^-1 B and y0 = H^-1 b, from the spectrum of H. */
static void lower_solution(state *st, const double *inverse)
{
  blo_int n_x = st->base.n_x, n_y = st->base.n_y;

  matrix_mul(n_y, n_y, inverse, st->b, st->y0);
  for (blo_int j = 0; j < n_y; j++) {
    matrix_mul_t(n_y, n_x, st->B, inverse + j * n_y, st->Y + j * n_x);
  }
}

/** H from its eigenvectors q and eigenvalues; `inverse` likewise. */
static void make_hessian(const state *st, const double *q, double *values, double *inverse)
{
  blo_int n = st->base.n_y;

  for (blo_int j = 0; j < n; j++) {
    values[j] = matrix_linear(st->o->low, st->o->high, j, n);
  }
  matrix_spectral(n, n, q, values, st->H);
  for (blo_int j = 0; j < n; j++) {
    values[j] = 1 / values[j];
  }
  matrix_spectral(n, n, q, values, inverse);
}

static blo_status draw(blo_problem *p, state *st)
{
  blo_int n_x = p->n_x, n_y = p->n_y;
  uint64_t seed = (uint64_t)st->o->base.seed;
  double *q = NULL, *inverse = NULL;
  blo_status status = BLO_OK;

  BLO_GO(make_room(p, st));
  BLO_GO(blo_alloc(p->ctx, n_y * n_y, sizeof(double), &q));
  BLO_GO(blo_alloc(p->ctx, n_y * n_y, sizeof(double), &inverse));
  matrix_orthonormal(seed, FAMILY_H, n_y, n_y, q);
  make_hessian(st, q, st->room, inverse);
  matrix_normal(seed, FAMILY_B, 0, n_y * n_x, st->B);
  for (blo_int k = 0; k < n_y * n_x; k++) {
    st->B[k] *= st->o->coupling / sqrt((double)n_x);
  }
  matrix_normal(seed, FAMILY_b, 0, n_y, st->b);
  matrix_normal(seed, FAMILY_D, 0, n_y, st->d);
  lower_solution(st, inverse);
  BLO_GO(make_noise(p, st));
done:
  blo_free(p->ctx, &q);
  blo_free(p->ctx, &inverse);
  return status;
}

static blo_status setup(blo_problem *p)
{
  state *st = p->state;
  const options *o = p->options;

  st->o = o;
  BLO_CHECK(p->ctx, o->low <= o->high, BLO_E_OPTION,
            "problem.low = %g is more than problem.high = %g", o->low, o->high);
  BLO_TRY(analytic_setup(p, o->n_x, o->n_y, &math));
  p->n_lower = p->n_upper = o->n;
  p->fingerprint = p->fingerprint * 31 + (uint64_t)o->n;
  BLO_TRY_ALL(p->comm, draw(p, st));
  return find_minimum(p, st);
}

static void teardown(blo_problem *p)
{
  state *st = p->state;
  double **const all[] = {&st->factor, &st->H,  &st->B,    &st->Y,   &st->b,
                          &st->d,      &st->y0, &st->room, &st->best};

  analytic_teardown(p);
  rank_one_free(p, &st->noise[BLO_LOWER]);
  rank_one_free(p, &st->noise[BLO_UPPER]);
  for (blo_int i = 0; i < BLO_COUNT_OF(all); i++) {
    blo_free(p->ctx, all[i]);
  }
}

static const char *const kind_names[] = {"cosh", "quartic", NULL};

static const blo_opt_row rows[] = {
    BLO_OPT_NAMES(options, kind, "cosh", kind_names,
                  "u(t) = cosh t - 1, whose curvature grows like its slope, or t^4 / 4", "", 0),
    BLO_OPT(options, n_x, "20", 1, 2000, "-", "entries of x", "", 0),
    BLO_OPT(options, n_y, "30", 1, 2000, "-", "entries of y", "", 0),
    BLO_OPT(options, low, "1", 0, 1e6, "-", "smallest eigenvalue of H", "", BLO_OPT_OPEN_LOW),
    BLO_OPT(options, high, "5", 0, 1e6, "-", "largest eigenvalue of H", "", BLO_OPT_OPEN_LOW),
    BLO_OPT(options, coupling, "1", 0, 1e6, "-", "size of B; 0: the levels are independent", "", 0),
    BLO_OPT(options, x0, "4", -700, 700, "-", "starting value of every entry of x", "", 0),
    BLO_OPT(options, y0, "0", -1e6, 1e6, "-", "starting value of every entry of y", "", 0),
    BLO_OPT(options, n, "1024", 1, 1e9, "samples", "samples of g, and of f", "", 0),
    BLO_OPT(options, noise, "0", 0, 1e6, "-",
            "standard deviation of the noise that samples add to each entry of the gradients", "",
            0),
    BLO_OPT(options, hessian_noise, "0", 0, 1, "-",
            "standard deviation of s_i: a sample's g is multiplied by 1 + s_i, and so are its H "
            "and J",
            "", 0),
    ANALYTIC_ROWS(options),
};

static const blo_opt_table table =
    BLO_OPT_TABLE("unbounded_smoothness", "an upper level whose curvature grows with its gradient",
                  options, rows);

const blo_problem_type blo_problem_unbounded_smoothness = {
    .name = "unbounded_smoothness",
    .summary = "known solution: cosh or quartic upper level, convex quadratic lower level",
    .source = "own; problem class of Hao, Gong and Liu 2024, arXiv 2401.09587",
    .state_size = sizeof(state),
    .options = &table,
    .has = BLO_HAS_G_X | BLO_HAS_F_X | BLO_HAS_DIRECTIONS,
    .setup = setup,
    .teardown = teardown,
    .shard = shard,
    .common = analytic_common,
    ANALYTIC_METRIC_SLOTS,
};

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
 */
#include "analytic.h"
#include <string.h>

typedef struct options {
  analytic_options base;
  blo_int n, m;
  double c, kappa;
} options;

typedef struct state {
  analytic base;
  const options *o;
  double *A, *B;  /**< [n][n] */
  double *s, *As; /**< [n] room */
} state;

enum { FAMILY_A = 1, FAMILY_B };

/* -------------------------------------------------------------- formulas */

/** st->s = y - B x, st->As = A s. */
static void residual(const state *st, const double *x, const double *y)
{
  blo_int n = st->o->n;

  matrix_mul(n, n, st->B, x, st->s);
  for (blo_int i = 0; i < n; i++) {
    st->s[i] = y[i] - st->s[i];
  }
  matrix_mul(n, n, st->A, st->s, st->As);
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

static const analytic_math math = {.quadratic = true,
                                   .g = g,
                                   .f = f,
                                   .g_x = g_x,
                                   .g_y = g_y,
                                   .f_x = f_x,
                                   .f_y = f_y,
                                   .hv = hv,
                                   .jv = jv,
                                   .solve = solve,
                                   .nearest = nearest,
                                   .gap = gap,
                                   .F_x = F_x,
                                   .start = start};

/* ------------------------------------------------------------------ slots */

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
}

static const blo_opt_row rows[] = {
    BLO_OPT(options, n, "10", 1, 2000, "-", "entries of x, and of y", "", 0),
    BLO_OPT(options, m, "2", 0, 2000, "-", "directions of negative curvature at the saddle", "", 0),
    BLO_OPT(options, c, "0.1", 0, 1e6, "-", "weight of |x|^2 / 2 in f; a saddle if less than 1", "",
            0),
    BLO_OPT(options, kappa, "100", 1, 1e12, "-", "largest eigenvalue of A; the smallest is 1", "",
            0),
    ANALYTIC_ROWS(options),
};

static const blo_opt_table table = {"quartic_saddle",
                                    "a strict saddle with 2^m minima around it",
                                    sizeof(options),
                                    rows,
                                    BLO_COUNT_OF(rows),
                                    NULL,
                                    0};

const blo_problem_type blo_problem_quartic_saddle = {
    .name = "quartic_saddle",
    .summary = "known solution: strict saddle, 2^m minima, ill-conditioned lower level",
    .source = "own; problem class of Huang et al. 2022, arXiv 2202.03684",
    .state_size = sizeof(state),
    .options = &table,
    .setup = setup,
    .teardown = teardown,
    ANALYTIC_SLOTS,
};

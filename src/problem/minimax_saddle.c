/**
 * @file
 * min over x, max over y of f with a strict saddle of F (our own construction after the problem
 * class of Huang, Chen, Ji, Ma and Lai 2022, arXiv 2202.03684): a bilevel problem with g = -f.
 *
 *     f(x, y) = W(x) + x'C y - (1/2) y'A y
 *     W(x) = sum_{i < m} (x_i^4 / 4 - b x_i^2 / 2) + (1/2) sum_{i >= m} x_i^2
 *
 * A has eigenvalues equally spaced in [1, kappa], C = sqrt(w) A^(1/2), so C A^-1 C' = w I:
 *     y* = sqrt(w) A^(-1/2) x      F(x) = W(x) + (w/2) |x|^2
 * At x = 0 the Hessian of F has the eigenvalues w - b (m times) and 1 + w; the 2^m minima
 * x_i = +-sqrt(b - w), i < m, have F = -m (b - w)^2 / 4.
 */
#include "analytic.h"
#include <math.h>
#include <string.h>

typedef struct options {
  analytic_options base;
  blo_int n, m;
  double b, w, kappa;
} options;

typedef struct state {
  analytic base;
  const options *o;
  double *A, *C, *Y; /**< [n][n], symmetric; y* = Y x */
  double *room;      /**< [n] */
} state;

enum { FAMILY_A = 1 };

/* -------------------------------------------------------------- formulas */

static double f(const void *state_, const double *x, const double *y)
{
  const state *st = state_;
  const options *o = st->o;

  return analytic_wells(o->n, o->m, o->b, x) + matrix_form(o->n, o->n, st->C, x, y) -
         0.5 * matrix_form(o->n, o->n, st->A, y, y);
}

static void f_x(const void *state_, const double *x, const double *y, double *out)
{
  const state *st = state_;
  const options *o = st->o;

  analytic_wells_gradient(o->n, o->m, o->b, x, out);
  matrix_mul(o->n, o->n, st->C, y, st->room);
  matrix_axpy(o->n, 1, st->room, out);
}

static void f_y(const void *state_, const double *x, const double *y, double *out)
{
  const state *st = state_;
  blo_int n = st->o->n;

  matrix_mul_t(n, n, st->C, x, out);
  matrix_mul(n, n, st->A, y, st->room);
  matrix_axpy(n, -1, st->room, out);
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

  (void)x;
  (void)y;
  matrix_mul(st->o->n, st->o->n, st->C, v, out);
  for (blo_int i = 0; i < st->o->n; i++) {
    out[i] = -out[i];
  }
}

/* --------------------------------------------------------- known solution */

static void solve(const void *state_, const double *x, const double *y, double *out)
{
  const state *st = state_;

  (void)y;
  matrix_mul(st->o->n, st->o->n, st->Y, x, out);
}

static void F_x(const void *state_, const double *x, const double *y, double *out)
{
  const options *o = ((const state *)state_)->o;

  (void)y;
  analytic_wells_gradient(o->n, o->m, o->b, x, out);
  matrix_axpy(o->n, o->w, x, out);
}

static double gap(const void *state_, const double *x, const double *y)
{
  const options *o = ((const state *)state_)->o;

  (void)y;
  return analytic_wells_gap(o->n, o->m, o->b, o->w, x);
}

static void nearest(const void *state_, const double *x, const double *y, double *out)
{
  const options *o = ((const state *)state_)->o;

  (void)y;
  analytic_wells_nearest(o->n, o->m, o->b, o->w, x, out);
}

static void start(const void *state_, double *x, double *y)
{
  const state *st = state_;

  memset(x, 0, (size_t)st->o->n * sizeof *x);
  memset(y, 0, (size_t)st->o->n * sizeof *y);
}

static const analytic_math math = {.f = f,
                                   .f_x = f_x,
                                   .f_y = f_y,
                                   .minimax = true,
                                   .quadratic = true,
                                   .hv = hv,
                                   .jv = jv,
                                   .solve = solve,
                                   .nearest = nearest,
                                   .gap = gap,
                                   .F_x = F_x,
                                   .start = start};

/* ------------------------------------------------------------------ slots */

/** factor * U diag(lambda^power) U', the same U for all three matrices. */
static void spectral(const state *st, const double *u, double factor, double power, double *to)
{
  const options *o = st->o;

  for (blo_int k = 0; k < o->n; k++) {
    st->room[k] = factor * pow(matrix_linear(1, o->kappa, k, o->n), power);
  }
  matrix_spectral(o->n, o->n, u, st->room, to);
}

static blo_status make(blo_problem *p, state *st)
{
  const options *o = st->o;
  blo_int n = o->n;
  double *u = NULL;

  BLO_TRY(blo_alloc(p->ctx, n * n, sizeof(double), &st->A));
  BLO_TRY(blo_alloc(p->ctx, n * n, sizeof(double), &st->C));
  BLO_TRY(blo_alloc(p->ctx, n * n, sizeof(double), &st->Y));
  BLO_TRY(blo_alloc(p->ctx, n, sizeof(double), &st->room));
  BLO_TRY(blo_alloc(p->ctx, n * n, sizeof(double), &u));
  matrix_orthonormal((uint64_t)o->base.seed, FAMILY_A, n, n, u);
  spectral(st, u, 1, 1, st->A);
  spectral(st, u, sqrt(o->w), 0.5, st->C);
  spectral(st, u, sqrt(o->w), -0.5, st->Y);
  blo_free(p->ctx, &u);
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
  blo_free(p->ctx, &st->C);
  blo_free(p->ctx, &st->Y);
  blo_free(p->ctx, &st->room);
}

static const blo_opt_row rows[] = {
    BLO_OPT(options, n, "10", 1, 2000, "-", "entries of x, and of y", "", 0),
    BLO_OPT(options, m, "2", 0, 2000, "-", "directions of negative curvature at the saddle", "", 0),
    BLO_OPT(options, b, "1.5", 0, 1e6, "-", "b of the wells; a saddle if more than w", "", 0),
    BLO_OPT(options, w, "0.5", 0, 1e6, "-", "curvature that the maximum over y adds", "", 0),
    BLO_OPT(options, kappa, "50", 1, 1e12, "-", "largest eigenvalue of A; the smallest is 1", "",
            0),
    ANALYTIC_ROWS(options),
};

static const blo_opt_table table =
    BLO_OPT_TABLE("minimax_saddle", "min over x, max over y, with a strict saddle", options, rows);

const blo_problem_type blo_problem_minimax_saddle = {
    .name = "minimax_saddle",
    .summary = "known solution: minimax (g = -f), strict saddle, 2^m minima",
    .source = "own; problem class of Huang et al. 2022, arXiv 2202.03684",
    .state_size = sizeof(state),
    .options = &table,
    .setup = setup,
    .teardown = teardown,
    ANALYTIC_SLOTS,
};

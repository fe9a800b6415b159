/**
 * @file
 * A convex follower whose solution is not unique, and one that is ill-conditioned (examples for the
 * lower-level-convex case of Liu, Liu, Zeng and Zhang 2021, arXiv 2110.00455). y = (u, w), both of
 * the length n of x; e is the vector of ones:
 *
 *     f(x, y) = (1/2) |x - w|^2 + (1/2) |u - e|^2
 *     llc:       g(x, y) = (1/2) |u|^2 - x'u
 *     diagonal:  g(x, y) = (1/2) (u - x)'D (u - x),  D with equal ratios in [1/kappa, 1]
 *
 * g does not depend on w: H = diag(D, 0) is singular (D = I for llc), the follower's solutions are
 * u = x with any w. The leader takes w = x, so F(x) = (1/2) |x - e|^2, with the solution
 * x = u = w = e.
 */
#include "analytic.h"
#include <math.h>

typedef struct options {
  analytic_options base;
  blo_int n;
  double kappa, x0;
  int kind;
} options;

typedef enum kind { KIND_LLC, KIND_DIAGONAL } kind;

typedef struct state {
  analytic base;
  const options *o;
  double *d; /**< [n] diagonal of D */
} state;

/* -------------------------------------------------------------- formulas */

static double g(const void *state_, const double *x, const double *y)
{
  const state *st = state_;
  double sum = 0;

  for (blo_int i = 0; i < st->o->n; i++) {
    double r = y[i] - x[i];
    sum += st->o->kind == KIND_LLC ? 0.5 * y[i] * y[i] - x[i] * y[i] : 0.5 * st->d[i] * r * r;
  }
  return sum;
}

static void g_x(const void *state_, const double *x, const double *y, double *out)
{
  const state *st = state_;

  for (blo_int i = 0; i < st->o->n; i++) {
    out[i] = st->o->kind == KIND_LLC ? -y[i] : st->d[i] * (x[i] - y[i]);
  }
}

static void g_y(const void *state_, const double *x, const double *y, double *out)
{
  const state *st = state_;
  blo_int n = st->o->n;

  for (blo_int i = 0; i < n; i++) {
    out[i] = st->d[i] * (y[i] - x[i]);
    out[n + i] = 0;
  }
}

static void hv(const void *state_, const double *x, const double *y, const double *v, double *out)
{
  const state *st = state_;
  blo_int n = st->o->n;

  (void)x;
  (void)y;
  for (blo_int i = 0; i < n; i++) {
    out[i] = st->d[i] * v[i];
    out[n + i] = 0;
  }
}

static void jv(const void *state_, const double *x, const double *y, const double *v, double *out)
{
  const state *st = state_;

  (void)x;
  (void)y;
  for (blo_int i = 0; i < st->o->n; i++) {
    out[i] = -st->d[i] * v[i];
  }
}

static double f(const void *state_, const double *x, const double *y)
{
  blo_int n = ((const state *)state_)->o->n;
  double sum = 0;

  for (blo_int i = 0; i < n; i++) {
    sum += 0.5 * (x[i] - y[n + i]) * (x[i] - y[n + i]) + 0.5 * (y[i] - 1) * (y[i] - 1);
  }
  return sum;
}

static void f_x(const void *state_, const double *x, const double *y, double *out)
{
  blo_int n = ((const state *)state_)->o->n;

  for (blo_int i = 0; i < n; i++) {
    out[i] = x[i] - y[n + i];
  }
}

static void f_y(const void *state_, const double *x, const double *y, double *out)
{
  blo_int n = ((const state *)state_)->o->n;

  for (blo_int i = 0; i < n; i++) {
    out[i] = y[i] - 1;
    out[n + i] = y[n + i] - x[i];
  }
}

/* --------------------------------------------------------- known solution */

static void solve(const void *state_, const double *x, const double *y, double *out)
{
  blo_int n = ((const state *)state_)->o->n;

  for (blo_int i = 0; i < n; i++) {
    out[i] = x[i];
    out[n + i] = y[n + i];
  }
}

static double F(const void *state_, const double *x, const double *y)
{
  double sum = 0;

  (void)y;
  for (blo_int i = 0; i < ((const state *)state_)->o->n; i++) {
    sum += 0.5 * (x[i] - 1) * (x[i] - 1);
  }
  return sum;
}

static void F_x(const void *state_, const double *x, const double *y, double *out)
{
  (void)y;
  for (blo_int i = 0; i < ((const state *)state_)->o->n; i++) {
    out[i] = x[i] - 1;
  }
}

static void nearest(const void *state_, const double *x, const double *y, double *out)
{
  (void)x;
  (void)y;
  for (blo_int i = 0; i < ((const state *)state_)->o->n; i++) {
    out[i] = 1;
  }
}

static void start(const void *state_, double *x, double *y)
{
  const options *o = ((const state *)state_)->o;

  for (blo_int i = 0; i < o->n; i++) {
    x[i] = y[i] = y[o->n + i] = o->x0;
  }
}

static const analytic_math math = {.quadratic = true, .F = F, .gap = F, ANALYTIC_FORMULAS};

/* ------------------------------------------------------------------ slots */

static blo_status make(blo_problem *p, state *st)
{
  const options *o = st->o;

  BLO_TRY(blo_alloc(p->ctx, o->n, sizeof(double), &st->d));
  for (blo_int i = 0; i < o->n; i++) {
    st->d[i] = o->kind == KIND_LLC ? 1 : matrix_log(1 / o->kappa, 1, i, o->n);
  }
  return BLO_OK;
}

static blo_status setup(blo_problem *p)
{
  state *st = p->state;

  st->o = p->options;
  BLO_TRY(analytic_setup(p, st->o->n, 2 * st->o->n, &math));
  return blo_agree(p->comm, make(p, st));
}

static void teardown(blo_problem *p)
{
  state *st = p->state;

  analytic_teardown(p);
  blo_free(p->ctx, &st->d);
}

static const char *const kind_names[] = {"llc", "diagonal", NULL};

static const blo_opt_row rows[] = {
    BLO_OPT_NAMES(options, kind, "llc", kind_names,
                  "g well conditioned in u, or with eigenvalues from 1/kappa to 1", "", 0),
    BLO_OPT(options, n, "50", 1, 1e6, "-", "entries of x; y has 2 n", "", 0),
    BLO_OPT(options, kappa, "100", 1, 1e12, "-", "condition number of D, for kind diagonal", "", 0),
    BLO_OPT(options, x0, "0.01", -1e6, 1e6, "-", "starting value of every entry of x and y",
            "code of the authors' group", 0),
    ANALYTIC_ROWS(options),
};

static const blo_opt_table table =
    BLO_OPT_TABLE("convex_follower", "a follower whose solution is not unique", options, rows);

const blo_problem_type blo_problem_convex_follower = {
    .name = "convex_follower",
    .summary = "known solution: convex lower level, not unique or ill-conditioned",
    .source = "examples for Liu, Liu, Zeng and Zhang 2021, arXiv 2110.00455",
    .state_size = sizeof(state),
    .options = &table,
    .setup = setup,
    .teardown = teardown,
    ANALYTIC_SLOTS,
};

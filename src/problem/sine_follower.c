/**
 * @file
 * A follower that is not convex (Liu, Liu, Zeng and Zhang 2021, arXiv 2110.00455, in the form of
 * the authors' code):
 *
 *     f(x, y) = x + x y      g(x, y) = -sin(x y)      1 <= x <= 10, -2 <= y <= 2
 *
 * The follower's minimisers are y = t / x with t = pi/2 + 2 k pi, |t| <= 2 x; the leader takes the
 * lowest of them:
 *     F(x) = x + t(x),  t(x) = the smallest t >= -2 x,   dF/dx = 1 where F is continuous.
 * t jumps down at x = (3/4 + j) pi, j = 0, 1, 2; the lowest value is at the last jump in the box:
 * x = 11 pi/4, y = -2, F = -11 pi/4.
 *
 * The oracles know nothing of the box: methods that leave it see the formulas outside.
 */
#include "analytic.h"
#include <math.h>

typedef struct options {
  analytic_options base;
  double x0, y0;
} options;

typedef struct state {
  analytic base;
  const options *o;
} state;

static const double PI = 3.14159265358979323846;

/* -------------------------------------------------------------- formulas */

static double g(const void *state_, const double *x, const double *y)
{
  (void)state_;
  return -sin(x[0] * y[0]);
}

static void g_x(const void *state_, const double *x, const double *y, double *out)
{
  (void)state_;
  out[0] = -y[0] * cos(x[0] * y[0]);
}

static void g_y(const void *state_, const double *x, const double *y, double *out)
{
  (void)state_;
  out[0] = -x[0] * cos(x[0] * y[0]);
}

static void hv(const void *state_, const double *x, const double *y, const double *v, double *out)
{
  (void)state_;
  out[0] = x[0] * x[0] * sin(x[0] * y[0]) * v[0];
}

static void jv(const void *state_, const double *x, const double *y, const double *v, double *out)
{
  double xy = x[0] * y[0];

  (void)state_;
  out[0] = (xy * sin(xy) - cos(xy)) * v[0];
}

static double f(const void *state_, const double *x, const double *y)
{
  (void)state_;
  return x[0] + x[0] * y[0];
}

static void f_x(const void *state_, const double *x, const double *y, double *out)
{
  (void)state_;
  (void)x;
  out[0] = 1 + y[0];
}

static void f_y(const void *state_, const double *x, const double *y, double *out)
{
  (void)state_;
  (void)y;
  out[0] = x[0];
}

/* --------------------------------------------------------- known solution */

/** The lowest k with pi/2 + 2 k pi >= -2 x; a jump counts as reached if rounding is all that is
 * missing. */
static double lowest(double x)
{
  return ceil((-2 * x - PI / 2) / (2 * PI) - 1e-12);
}

/** In the box x >= 1 there is always a minimiser inside; left of pi/4 the best y is the end 2. */
static void solve(const void *state_, const double *x, const double *y, double *out)
{
  double highest = floor((2 * x[0] - PI / 2) / (2 * PI) + 1e-12);
  double k = round((x[0] * y[0] - PI / 2) / (2 * PI));

  (void)state_;
  k = fmax(fmin(k, highest), lowest(x[0]));
  out[0] = x[0] >= PI / 4 ? (PI / 2 + 2 * PI * k) / x[0] : 2;
}

static double F(const void *state_, const double *x, const double *y)
{
  (void)state_;
  (void)y;
  return x[0] >= PI / 4 ? x[0] + PI / 2 + 2 * PI * lowest(x[0]) : 3 * x[0];
}

static double gap(const void *state_, const double *x, const double *y)
{
  return F(state_, x, y) + 11 * PI / 4;
}

static void F_x(const void *state_, const double *x, const double *y, double *out)
{
  (void)state_;
  (void)y;
  out[0] = x[0] >= PI / 4 ? 1 : 3;
}

static void nearest(const void *state_, const double *x, const double *y, double *out)
{
  (void)state_;
  (void)x;
  (void)y;
  out[0] = 11 * PI / 4;
}

static void start(const void *state_, double *x, double *y)
{
  const options *o = ((const state *)state_)->o;

  x[0] = o->x0;
  y[0] = o->y0;
}

static const analytic_math math = {.F = F, .gap = gap, ANALYTIC_FORMULAS};

/* ------------------------------------------------------------------ slots */

static blo_status setup(blo_problem *p)
{
  state *st = p->state;

  st->o = p->options;
  return analytic_setup(p, 1, 1, &math);
}

static const blo_opt_row rows[] = {
    BLO_OPT(options, x0, "1", -1e6, 1e6, "-", "starting value of x", "the authors' code", 0),
    BLO_OPT(options, y0, "2", -1e6, 1e6, "-", "starting value of y", "the authors' code", 0),
    ANALYTIC_ROWS(options),
};

static const blo_opt_table table =
    BLO_OPT_TABLE("sine_follower", "a follower that is not convex", options, rows);

const blo_problem_type blo_problem_sine_follower = {
    .name = "sine_follower",
    .summary = "known solution: scalars, the lower level is a sine",
    .source = "Liu, Liu, Zeng and Zhang 2021, arXiv 2110.00455 (code)",
    .state_size = sizeof(state),
    .options = &table,
    .setup = setup,
    .teardown = analytic_teardown,
    ANALYTIC_SLOTS,
};

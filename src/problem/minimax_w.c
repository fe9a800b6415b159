/**
 * @file
 * The W-shaped minimax problem, a bilevel problem with g = -f: a strict saddle that a plain method
 * reaches from the point (0.1, 1, 0) (after a test function of the literature on saddles:
 * Tripuraneni et al. 2018, arXiv 1711.02838, in the minimax form of Luo, Li and Chen 2021, arXiv
 * 2110.04814).
 *
 *     f(x, y) = w(x_3) - y_1^2 / 40 + x_1 y_1 - (5/2) y_2^2 + x_2 y_2
 *
 * With s = sqrt(e), z = |t|:
 *     w(t) = -s z^2 + z^3 / 3                                    z <= s
 *            -e z + e^(3/2) / 3                                  s < z <= L s
 *            s (z - (L+1) s)^2 + (z - (L+1) s)^3 / 3 - (3L+1) e^(3/2) / 3    beyond
 * w has continuous first derivatives, w''(0) = -2 s. y* = (20 x_1, x_2 / 5),
 *     F(x) = w(x_3) + 10 x_1^2 + x_2^2 / 10,
 * with minima at x = (0, 0, +-(L+1) s), where F = -(3L+1) e^(3/2) / 3.
 */
#include "analytic.h"
#include <math.h>

typedef struct options {
  analytic_options base;
  double e, L;
} options;

typedef struct state {
  analytic base;
  const options *o;
} state;

static double w(const options *o, double t)
{
  double s = sqrt(o->e), z = fabs(t), far = z - (o->L + 1) * s;

  if (z <= s) {
    return -s * z * z + z * z * z / 3;
  }
  if (z <= o->L * s) {
    return -o->e * z + o->e * s / 3;
  }
  return s * far * far + far * far * far / 3 - (3 * o->L + 1) * o->e * s / 3;
}

static double w_slope(const options *o, double t)
{
  double s = sqrt(o->e), z = fabs(t), far = z - (o->L + 1) * s, slope;

  if (z <= s) {
    slope = -2 * s * z + z * z;
  } else if (z <= o->L * s) {
    slope = -o->e;
  } else {
    slope = 2 * s * far + far * far;
  }
  return copysign(1, t) * slope;
}

/* -------------------------------------------------------------- formulas */

static double f(const void *state_, const double *x, const double *y)
{
  return w(((const state *)state_)->o, x[2]) - y[0] * y[0] / 40 + x[0] * y[0] - 2.5 * y[1] * y[1] +
         x[1] * y[1];
}

static void f_x(const void *state_, const double *x, const double *y, double *out)
{
  out[0] = y[0];
  out[1] = y[1];
  out[2] = w_slope(((const state *)state_)->o, x[2]);
}

static void f_y(const void *state_, const double *x, const double *y, double *out)
{
  (void)state_;
  out[0] = x[0] - y[0] / 20;
  out[1] = x[1] - 5 * y[1];
}

static void hv(const void *state_, const double *x, const double *y, const double *v, double *out)
{
  (void)state_;
  (void)x;
  (void)y;
  out[0] = v[0] / 20;
  out[1] = 5 * v[1];
}

static void jv(const void *state_, const double *x, const double *y, const double *v, double *out)
{
  (void)state_;
  (void)x;
  (void)y;
  out[0] = -v[0];
  out[1] = -v[1];
  out[2] = 0;
}

/* --------------------------------------------------------- known solution */

static void solve(const void *state_, const double *x, const double *y, double *out)
{
  (void)state_;
  (void)y;
  out[0] = 20 * x[0];
  out[1] = x[1] / 5;
}

static double gap(const void *state_, const double *x, const double *y)
{
  const options *o = ((const state *)state_)->o;

  (void)y;
  return w(o, x[2]) + (3 * o->L + 1) * o->e * sqrt(o->e) / 3 + 10 * x[0] * x[0] + x[1] * x[1] / 10;
}

static void F_x(const void *state_, const double *x, const double *y, double *out)
{
  (void)y;
  out[0] = 20 * x[0];
  out[1] = x[1] / 5;
  out[2] = w_slope(((const state *)state_)->o, x[2]);
}

static void nearest(const void *state_, const double *x, const double *y, double *out)
{
  const options *o = ((const state *)state_)->o;

  (void)y;
  out[0] = out[1] = 0;
  out[2] = copysign((o->L + 1) * sqrt(o->e), x[2]);
}

static void start(const void *state_, double *x, double *y)
{
  (void)state_;
  x[0] = 0.1;
  x[1] = 1;
  x[2] = y[0] = y[1] = 0;
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

static blo_status setup(blo_problem *p)
{
  state *st = p->state;

  st->o = p->options;
  return analytic_setup(p, 3, 2, &math);
}

static const blo_opt_row rows[] = {
    BLO_OPT(options, e, "0.01", 0, 1e6, "-", "e of w: curvature -2 sqrt(e) at the saddle", "",
            BLO_OPT_OPEN_LOW),
    BLO_OPT(options, L, "5", 1, 1e6, "-", "L of w: the minima are at (L + 1) sqrt(e)", "", 0),
    ANALYTIC_ROWS(options),
};

static const blo_opt_table table =
    BLO_OPT_TABLE("minimax_w", "the W-shaped minimax problem", options, rows);

const blo_problem_type blo_problem_minimax_w = {
    .name = "minimax_w",
    .summary = "known solution: minimax (g = -f), W-shaped, a flat strict saddle",
    .source = "after Tripuraneni et al. 2018, arXiv 1711.02838, and Luo, Li and Chen 2021, arXiv "
              "2110.04814",
    .state_size = sizeof(state),
    .options = &table,
    .setup = setup,
    .teardown = analytic_teardown,
    ANALYTIC_SLOTS,
};

/**
 * @file
 * Rank-one factorisation with both factors on different levels (our own construction): plain
 * methods that start on an axis converge to a strict saddle.
 *
 *     g(x, y) = (1/2) |x y' - M|^2 + (lambda/2) |y|^2      f(x, y) = (1/2) |x y' - M|^2 + (beta/2)
 * |x|^2
 *
 * M is diagonal [n_x][n_y] with sigma_j = sigma / j, j = 1, 2, ...; |.| is Frobenius' norm. With
 * s = |x|^2 + lambda and q = |M'x|^2:
 *     H = s I      y* = M'x / s      J v = 2 x (y'v) - M v
 *     F(x) = (1/2) |M|^2 - q (s + lambda) / (2 s^2) + (beta/2) (s - lambda)
 *     grad F = -((s + lambda) / s^2) M M'x + q ((s + 2 lambda) / s^3) x + beta x
 * Stationary points lie on the axes, where s^3 = 2 sigma_j^2 lambda^2 / beta if that is more than
 * lambda^3; the minima are those two of axis 1, the others are strict saddles.
 */
#include "analytic.h"
#include <math.h>
#include <string.h>

typedef struct options {
  analytic_options base;
  blo_int n_x, n_y;
  double sigma, lambda, beta;
} options;

typedef struct state {
  analytic base;
  const options *o;
} state;

/** Diagonal entry k of M, which has n_x rows and n_y columns. */
static double sigma(const options *o, blo_int k)
{
  return k < o->n_x && k < o->n_y ? o->sigma / (double)(k + 1) : 0;
}

/** x'M y. */
static double m_form(const options *o, const double *x, const double *y)
{
  double sum = 0;

  for (blo_int k = 0; k < o->n_x && k < o->n_y; k++) {
    sum += sigma(o, k) * x[k] * y[k];
  }
  return sum;
}

/** |M|^2. */
static double m_square(const options *o)
{
  double sum = 0;

  for (blo_int k = 0; k < o->n_x; k++) {
    sum += sigma(o, k) * sigma(o, k);
  }
  return sum;
}

/** to = w from + t M z (or M'z, n numbers either way). */
static void combine(const options *o, blo_int n, double w, const double *from, double t,
                    const double *z, double *to)
{
  for (blo_int k = 0; k < n; k++) {
    double s = sigma(o, k);
    to[k] = w * from[k] + (s != 0 ? t * s * z[k] : 0);
  }
}

/* -------------------------------------------------------------- formulas */

/** (1/2) |x y' - M|^2. */
static double misfit(const options *o, const double *x, const double *y)
{
  double xx = blo_array_dot(o->n_x, x, x), yy = blo_array_dot(o->n_y, y, y);

  return 0.5 * (xx * yy + m_square(o)) - m_form(o, x, y);
}

/** |y|^2 x - M y + extra x. */
static void misfit_x(const options *o, double extra, const double *x, const double *y, double *out)
{
  combine(o, o->n_x, blo_array_dot(o->n_y, y, y) + extra, x, -1, y, out);
}

/** |x|^2 y - M'x + extra y. */
static void misfit_y(const options *o, double extra, const double *x, const double *y, double *out)
{
  combine(o, o->n_y, blo_array_dot(o->n_x, x, x) + extra, y, -1, x, out);
}

static double g(const void *state_, const double *x, const double *y)
{
  const options *o = ((const state *)state_)->o;

  return misfit(o, x, y) + 0.5 * o->lambda * blo_array_dot(o->n_y, y, y);
}

static void g_x(const void *state_, const double *x, const double *y, double *out)
{
  misfit_x(((const state *)state_)->o, 0, x, y, out);
}

static void g_y(const void *state_, const double *x, const double *y, double *out)
{
  const options *o = ((const state *)state_)->o;

  misfit_y(o, o->lambda, x, y, out);
}

static void hv(const void *state_, const double *x, const double *y, const double *v, double *out)
{
  const options *o = ((const state *)state_)->o;
  double s = blo_array_dot(o->n_x, x, x) + o->lambda;

  (void)y;
  for (blo_int k = 0; k < o->n_y; k++) {
    out[k] = s * v[k];
  }
}

static void jv(const void *state_, const double *x, const double *y, const double *v, double *out)
{
  const options *o = ((const state *)state_)->o;

  combine(o, o->n_x, 2 * blo_array_dot(o->n_y, y, v), x, -1, v, out);
}

static double f(const void *state_, const double *x, const double *y)
{
  const options *o = ((const state *)state_)->o;

  return misfit(o, x, y) + 0.5 * o->beta * blo_array_dot(o->n_x, x, x);
}

static void f_x(const void *state_, const double *x, const double *y, double *out)
{
  const options *o = ((const state *)state_)->o;

  misfit_x(o, o->beta, x, y, out);
}

static void f_y(const void *state_, const double *x, const double *y, double *out)
{
  misfit_y(((const state *)state_)->o, 0, x, y, out);
}

/* --------------------------------------------------------- known solution */

static void solve(const void *state_, const double *x, const double *y, double *out)
{
  const options *o = ((const state *)state_)->o;
  double s = blo_array_dot(o->n_x, x, x) + o->lambda;

  (void)y;
  for (blo_int k = 0; k < o->n_y; k++) {
    out[k] = k < o->n_x ? sigma(o, k) * x[k] / s : 0;
  }
}

/** F as a function of s and q. */
static double value(const options *o, double s, double q)
{
  return 0.5 * m_square(o) - q * (s + o->lambda) / (2 * s * s) + 0.5 * o->beta * (s - o->lambda);
}

/** |M'x|^2. */
static double image(const options *o, const double *x)
{
  double sum = 0;

  for (blo_int k = 0; k < o->n_x; k++) {
    sum += sigma(o, k) * x[k] * sigma(o, k) * x[k];
  }
  return sum;
}

static double F(const void *state_, const double *x, const double *y)
{
  const options *o = ((const state *)state_)->o;

  (void)y;
  return value(o, blo_array_dot(o->n_x, x, x) + o->lambda, image(o, x));
}

/** s at the minima. */
static double best_s(const options *o)
{
  return fmax(cbrt(2 * o->sigma * o->sigma * o->lambda * o->lambda / o->beta), o->lambda);
}

static double gap(const void *state_, const double *x, const double *y)
{
  const options *o = ((const state *)state_)->o;
  double s = best_s(o);

  return F(state_, x, y) - value(o, s, o->sigma * o->sigma * (s - o->lambda));
}

static void F_x(const void *state_, const double *x, const double *y, double *out)
{
  const options *o = ((const state *)state_)->o;
  double s = blo_array_dot(o->n_x, x, x) + o->lambda, q = image(o, x);

  (void)y;
  for (blo_int k = 0; k < o->n_x; k++) {
    double mm = sigma(o, k) * sigma(o, k);
    out[k] =
        (-(s + o->lambda) / (s * s) * mm + q * (s + 2 * o->lambda) / (s * s * s) + o->beta) * x[k];
  }
}

static void nearest(const void *state_, const double *x, const double *y, double *out)
{
  const options *o = ((const state *)state_)->o;

  (void)y;
  memset(out, 0, (size_t)o->n_x * sizeof *out);
  out[0] = copysign(sqrt(best_s(o) - o->lambda), x[0]);
}

/** x = (0, ..., 0, 1/2), on the axis of a saddle if n_x is at least 2. */
static void start(const void *state_, double *x, double *y)
{
  const options *o = ((const state *)state_)->o;

  memset(x, 0, (size_t)o->n_x * sizeof *x);
  memset(y, 0, (size_t)o->n_y * sizeof *y);
  x[o->n_x - 1] = 0.5;
}

static const analytic_math math = {.quadratic = true, .F = F, .gap = gap, ANALYTIC_FORMULAS};

/* ------------------------------------------------------------------ slots */

static blo_status setup(blo_problem *p)
{
  state *st = p->state;

  st->o = p->options;
  return analytic_setup(p, st->o->n_x, st->o->n_y, &math);
}

static const blo_opt_row rows[] = {
    BLO_OPT(options, n_x, "2", 1, 1e6, "-", "entries of x", "", 0),
    BLO_OPT(options, n_y, "2", 1, 1e6, "-", "entries of y", "", 0),
    BLO_OPT(options, sigma, "2", 0, 1e6, "-", "singular value 1 of M; number j is sigma / j", "",
            BLO_OPT_OPEN_LOW),
    BLO_OPT(options, lambda, "1", 0, 1e6, "-", "weight of |y|^2 / 2 in g", "", BLO_OPT_OPEN_LOW),
    BLO_OPT(options, beta, "0.25", 0, 1e6, "-", "weight of |x|^2 / 2 in f", "", BLO_OPT_OPEN_LOW),
    ANALYTIC_ROWS(options),
};

static const blo_opt_table table =
    BLO_OPT_TABLE("factorization", "rank-one factors on two levels", options, rows);

const blo_problem_type blo_problem_factorization = {
    .name = "factorization",
    .summary = "known solution: rank-one factorisation, plain methods end at a saddle",
    .source = "own; problem class of Huang et al. 2022, arXiv 2202.03684",
    .state_size = sizeof(state),
    .options = &table,
    .setup = setup,
    .teardown = analytic_teardown,
    ANALYTIC_SLOTS,
};

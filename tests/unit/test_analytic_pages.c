/* The numbers that are known of the problems with unusual lower levels, and of the quadratic for
 * penalty methods: solutions, and trajectories of short loops. They were found once by another
 * program than this one, or by hand; docs/problems.md has them. */
#include "known.h"
#include <math.h>
#include <string.h>

static const double PI = 3.14159265358979323846;

/* ---------------------------------------------------------- the followers */

/* F by listing the follower's minimisers t / x, t = pi/2 + 2 k pi, in [-2, 2]. */
static double best_of_list(double x)
{
  double best = (double)INFINITY;
  for (int k = -10; k <= 10; k++) {
    double t = PI / 2 + 2 * PI * k;
    if (fabs(t / x) <= 2) {
      best = fmin(best, x + t);
    }
  }
  return best;
}

static void sine_follower(blo_comm *comm)
{
  bench b;
  double best[] = {11 * PI / 4}, end[] = {-2}, least = 0, one = 1;
  bench_open(comm, "sine_follower", "{shards: 4}", &b);
  BLO_EXPECT_ALL(b.y->data[0] == 2);
  known_metrics m = bench_metrics(&b, best, end);
  BLO_EXPECT_NEAR(m.F, -8.639379797, 0, 5e-10, "-11 pi / 4");
  BLO_EXPECT_ALL(m.error_x < 1e-15 && m.error_y < 1e-14 && fabs(m.gap) < 1e-14);
  for (int i = 0; i <= 900; i++) {
    double x = 1 + 0.01 * i, F = bench_metrics(&b, &x, bench_zeros).F;
    BLO_EXPECT_NEAR(F, best_of_list(x), 1e-14, 1e-14, "list of minimisers");
    least = fmin(least, F);
  }
  BLO_EXPECT_ALL(least >= -11 * PI / 4 && least < -11 * PI / 4 + 0.01);
  /* one step of the follower from z = -0.7 at x = 2.3, s = 5e-4, and the slopes of f after it */
  double x = 2.3, z = -0.7, s = 5e-4;
  oracles r = bench_ask(&b, &x, &z, &one);
  double y = z - s * r.g_y[0];
  oracles after = bench_ask(&b, &x, &y, &one);
  BLO_EXPECT_NEAR(y, -0.7000450726765389, 1e-15, 0, "another program");
  BLO_EXPECT_NEAR(after.f_y[0] * (1 - s * r.hv[0]), 2.3060788256480023, 1e-15, 0,
                  "another program");
  BLO_EXPECT_NEAR(after.f_x[0] - s * r.jv[0] * after.f_y[0], 0.2980597772757909, 1e-14, 0,
                  "another program");
  bench_close(comm, &b);
}

/* grad of f(x, y_K(x)) by the chain rule through K steps of size s from y = a. n = 1: u, w. */
static double unrolled_slope(bench *b, double x, double a, double s, int K)
{
  double y[BENCH_MAX][2] = {{a, a}}, q[2];
  for (int k = 0; k < K; k++) {
    oracles r = bench_ask(b, &x, y[k], bench_zeros);
    y[k + 1][0] = y[k][0] - s * r.g_y[0];
    y[k + 1][1] = y[k][1] - s * r.g_y[1];
  }
  oracles end = bench_ask(b, &x, y[K], bench_zeros);
  double slope = end.f_x[0];
  memcpy(q, end.f_y, sizeof q);
  for (int k = K - 1; k >= 0; k--) {
    oracles r = bench_ask(b, &x, y[k], q);
    slope -= s * r.jv[0];
    q[0] -= s * r.hv[0];
    q[1] -= s * r.hv[1];
  }
  return slope;
}

/* Unrolled gradient steps from a fixed start stop at a wrong x: w never moves. */
static void convex_follower(blo_comm *comm)
{
  bench b;
  double e[] = {1, 1, 1};
  bench_open(comm, "convex_follower", "{n: 1, shards: 4}", &b);
  BLO_EXPECT_ALL(b.x->data[0] == 0.01);
  BLO_EXPECT_NEAR(unrolled_slope(&b, 0.357191, 0.01, 0.1, 5), 0, 0, 1e-6, "another program");
  BLO_EXPECT_NEAR(unrolled_slope(&b, 0.357191 + 1e-3, 0.01, 0.1, 5), 1e-3 * (1 + pow(0.40951, 2)),
                  0, 1e-6, "1 + (1 - 0.9^5)^2, by hand");
  known_metrics m = bench_metrics(&b, e, e);
  BLO_EXPECT_ALL(m.F == 0 && m.gap == 0 && m.error_x == 0 && m.error_y == 0 && m.grad_norm == 0);
  bench_close(comm, &b);
  bench_open(comm, "convex_follower", "{kind: diagonal, n: 3, kappa: 100, shards: 4}", &b);
  oracles r = bench_ask(&b, bench_zeros, bench_zeros, (const double[]){1, 1, 1, 1, 1, 1});
  const double d[] = {0.01, 0.1, 1};
  for (int i = 0; i < 3; i++) {
    BLO_EXPECT_NEAR(r.hv[i], d[i], 1e-14, 0, "equal ratios from 1/kappa to 1");
    BLO_EXPECT_NEAR(r.jv[i], -d[i], 1e-14, 0, "equal ratios from 1/kappa to 1");
    BLO_EXPECT_ALL(r.hv[3 + i] == 0);
  }
  bench_close(comm, &b);
}

/* ------------------------------------------------------- the PL problems */

/* x <- x - eta gamma (f_x - J v), y <- y - eta lambda g_y with v = f_y / clip(h), h the diagonal of
 * H, clipped to [low, high] (MGBiO for a diagonal H). */
static void mgbio(bench *b, int n, const double *h, double low, double high, double gamma,
                  double lambda, double eta, double *x, double *y)
{
  double v[2];
  oracles r = bench_ask(b, x, y, bench_zeros);
  for (int i = 0; i < n; i++) {
    v[i] = r.f_y[i] / fmin(fmax(h[i], low), high);
  }
  r = bench_ask(b, x, y, v);
  for (int i = 0; i < n; i++) {
    x[i] -= eta * gamma * (r.f_x[i] - r.jv[i]);
    y[i] -= eta * lambda * r.g_y[i];
  }
}

static void tiny_pl_game(blo_comm *comm)
{
  static const double h[] = {1, 0};
  static const struct {
    int k;
    double x[2], y1, abs;
  } want[] = {{1, {0.46, 0.71}, 0.4, 1e-15},
              {2, {0.21585, 0.51835}, 0.1415, 1e-15},
              {10, {0.003496696792313, 0.056743196210819}, (double)NAN, 1e-15}};
  bench b;
  double x[2], y[2];
  bench_open(comm, "pl_game", "{kind: tiny, shards: 4}", &b);
  bench_get(b.x, x);
  bench_get(b.y, y);
  known_metrics m = bench_metrics(&b, x, y);
  BLO_EXPECT_NEAR(m.F, 0.71, 1e-15, 0, "x'S x / 2, S = [.98 -.02; -.02 .48]");
  BLO_EXPECT_NEAR(m.grad_norm, sqrt(0.96 * 0.96 + 0.46 * 0.46), 1e-14, 0, "|S x|");
  BLO_EXPECT_NEAR(m.error_y, 1.2, 1e-14, 0, "y_1* = -0.2, y_2 is free");
  BLO_EXPECT_NEAR(m.error_x, sqrt(2), 1e-14, 0, "x* = 0");
  for (int k = 1, i = 0; k <= 50; k++) {
    mgbio(&b, 2, h, 0.1, 2, 1, 1, 0.5, x, y);
    if (i < 3 && k == want[i].k) {
      BLO_EXPECT_NEAR(x[0], want[i].x[0], 0, want[i].abs, "another program");
      BLO_EXPECT_NEAR(x[1], want[i].x[1], 0, want[i].abs, "another program");
      BLO_EXPECT_ALL(isnan(want[i].y1) || fabs(y[0] - want[i].y1) < want[i].abs);
      i++;
    }
  }
  BLO_EXPECT_NEAR(bench_metrics(&b, x, y).grad_norm, 6.1237e-7, 0, 5e-12, "another program");
  BLO_EXPECT_ALL(y[1] == 3);
  bench_close(comm, &b);
}

/* The eigenvalues of S at [1, 1 +- sqrt 2 ...]: trace 1.46, determinant 0.47. */
static void tiny_pl_game_spectrum(blo_comm *comm)
{
  static const double lambda[] = {0.4792013, 0.9807987};
  bench b;
  bench_open(comm, "pl_game", "{kind: tiny, shards: 4}", &b);
  for (int i = 0; i < 2; i++) { /* (S - lambda) z = 0 with z = (.02, .98 - lambda) */
    double z[] = {0.02, 0.98 - lambda[i]};
    double size = sqrt(z[0] * z[0] + z[1] * z[1]);
    BLO_EXPECT_NEAR(bench_metrics(&b, z, bench_zeros).grad_norm / size, lambda[i], 0, 5e-8,
                    "another program");
  }
  bench_close(comm, &b);
}

/* Random consistent game: F is convex, with the same value for every y* (null space of Q). */
static void random_pl_game(blo_comm *comm)
{
  bench b;
  double x[20], y[20], e[20];
  bench_open(comm, "pl_game", "{shards: 16}", &b);
  bench_get(b.x, x);
  bench_get(b.y, y);
  known_metrics m = bench_metrics(&b, x, y);
  BLO_EXPECT_ALL(!isnan(m.gap) && m.gap > 0 && m.error_x > 0);
  BLO_EXPECT_NEAR(m.F, m.gap, 1e-12, 1e-13, "min F = 0, at 0");
  double trace = 0;
  for (int j = 0; j < 20; j++) {
    memset(e, 0, sizeof e);
    e[j] = 1;
    trace += bench_ask(&b, x, y, e).hv[j];
  }
  BLO_EXPECT_MSG(trace > 10 * 0.1 && trace < 10 * 1.0, "trace of Q %.3g: rank times [low, high]",
                 trace);
  bench_close(comm, &b);
}

/* From (0, 1.2) the surrogate points uphill at first, and the path to the solution depends on the
 * last bit: only its beginning and its end can be compared. */
static void sine_pl_scalar(blo_comm *comm)
{
  static const struct {
    double y0;
    int k;
    double x, y, abs;
  } want[] = {{0, 1, 0.75, 0, 1e-15},
              {0, 2, 1.3125, 0.224624247990608, 1e-15},
              {0, 10, 1.681892327679742, 1.600826813044536, 3e-15},
              {0, 100, 1.5, 1.5, 1e-12},
              {1.2, 1, -0.234872458649495, 0.978680522917327, 1e-15},
              {1.2, 2, -0.572797168549067, 0.759040764694587, 1e-15},
              {1.2, 1500, 1.5, 1.5, 1e-14}};
  bench b;
  bench_open(comm, "sine_pl", "{d: 1, n: 16, shards: 4}", &b);
  for (int i = 0; i < (int)(sizeof want / sizeof *want); i++) {
    double x = 0, y = want[i].y0, one = 1;
    for (int k = 0; k < want[i].k; k++) {
      double h = bench_ask(&b, &x, &y, &one).hv[0];
      mgbio(&b, 1, &h, 1, 8, 0.5, 0.1, 0.5, &x, &y);
    }
    BLO_EXPECT_NEAR(x, want[i].x, 0, want[i].abs, "another program");
    BLO_EXPECT_NEAR(y, want[i].y, 0, want[i].abs, "another program");
  }
  double best = 1.5;
  known_metrics m = bench_metrics(&b, &best, &best);
  BLO_EXPECT_NEAR(m.F, 0.25, 1e-15, 0, "d / 4");
  BLO_EXPECT_ALL(m.error_x == 0 && m.error_y == 0 && m.gap == 0 && m.grad_norm == 0);
  bench_close(comm, &b);
  bench_open(comm, "sine_pl", "{n: 16, shards: 4, a: -3}", &b);
  double at[] = {-2.5, -2.5, -2.5, -2.5, -2.5};
  BLO_EXPECT_NEAR(bench_metrics(&b, at, bench_zeros).F, 1.25, 1e-14, 0, "d / 4");
  bench_close(comm, &b);
}

/* ------------------------------------------------------------ the penalty */

/* The penalised solutions (x_a, y_a) are stationary points of f + a (g(x, y) - min_u g(x, u)). */
static void penalty_scalar(blo_comm *comm)
{
  static const double rows[][4] = {{1, 1.250000, 0.750000, 0.023438},
                                   {10, 1.408451, 0.718310, 0.002083},
                                   {100, 1.426534, 0.714693, 0.000205}};
  bench b;
  double best = 2.0 / 1.4, one = 1;
  bench_open(comm, "penalty_quadratic", "{kind: scalar, shards: 4}", &b);
  known_metrics m = bench_metrics(&b, &best, bench_zeros);
  BLO_EXPECT_NEAR(best, 1.428571, 0, 5e-7, "A t / (1 + rho A^2)");
  BLO_EXPECT_ALL(m.error_x < 1e-15 && m.grad_norm < 1e-15 && fabs(m.gap) < 1e-16);
  for (int i = 0; i < 3; i++) {
    double a = rows[i][0], x = rows[i][1], y = rows[i][2], u = x / 2;
    oracles at_y = bench_ask(&b, &x, &y, &one), at_u = bench_ask(&b, &x, &u, &one);
    BLO_EXPECT_NEAR(at_u.g_y[0], 0, 0, 1e-15, "u = y*(x)");
    BLO_EXPECT_NEAR(at_y.f_y[0] + a * at_y.g_y[0], 0, 0, 2e-6 * a, "six digits of y_a");
    BLO_EXPECT_NEAR(at_y.f_x[0] + a * (at_y.g_x[0] - at_u.g_x[0]), 0, 0, 2e-6 * a,
                    "six digits of x_a and y_a");
    double penalised = at_y.f + a * (at_y.g - at_u.g);
    BLO_EXPECT_NEAR(bench_metrics(&b, &x, bench_zeros).F - penalised, rows[i][3], 0, 1e-6,
                    "another program");
  }
  bench_close(comm, &b);
}

static const blo_test tests[] = {
    {"sine follower", sine_follower},    {"convex follower", convex_follower},
    {"tiny PL game", tiny_pl_game},      {"tiny PL game, spectrum", tiny_pl_game_spectrum},
    {"random PL game", random_pl_game},  {"sine PL, scalar", sine_pl_scalar},
    {"penalty, scalar", penalty_scalar},
};
BLO_TEST_MAIN("analytic_pages", tests)

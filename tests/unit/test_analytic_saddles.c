/* The numbers that are known of the problems with saddles: values and eigenvalues at saddles and
 * minima, and the trajectory of a method. They were found once by another program than this one,
 * or by hand; docs/problems.md has them. */
#include "ride.h"
#include <blo/check.h>
#include <math.h>
#include <string.h>

/* grad F(x), by Newton steps on y and a dense solution. */
static void gradient_of_F(bench *b, const double *x, double *to)
{
  bench_set(b->x, x);
  fixture_solve_lower(&b->f, b->x, b->y, 1e-12);
  BLO_REQUIRE_STATUS(blo_dense_hypergradient(b->f.eval, b->x, b->y, b->in_x[0], NULL), BLO_OK);
  bench_get(b->in_x[0], to);
}

/* |D^2 F(x) z - lambda z| / |z|, by central differences of grad F. */
static double eigen_error(bench *b, int n, const double *x, const double *z, double lambda)
{
  const double h = 1e-4;
  double at[BENCH_MAX] = {0}, up[BENCH_MAX], down[BENCH_MAX], error = 0, size = 0;
  for (int i = 0; i < n; i++) {
    at[i] = x[i] + h * z[i];
  }
  gradient_of_F(b, at, up);
  for (int i = 0; i < n; i++) {
    at[i] = x[i] - h * z[i];
  }
  gradient_of_F(b, at, down);
  for (int i = 0; i < n; i++) {
    error += pow((up[i] - down[i]) / (2 * h) - lambda * z[i], 2);
    size += z[i] * z[i];
  }
  return sqrt(error / size);
}

/* A method for `steps` iterations from the problem's start. @param[out] x  [n_x] */
static void run_method(bench *b, const char *method, const char *settings, int steps, double *x)
{
  blo_report report;
  blo_solver *s = ride_make(&b->f, method, settings, 1);
  for (int k = 0; k < steps; k++) {
    BLO_REQUIRE_STATUS(blo_solver_step(s, &report), BLO_OK);
  }
  bench_get(s->x, x);
  blo_solver_destroy(&s);
}

/* Column j of B is y*(e_j). @param[out] B [10][10] rows */
static void find_B(bench *b, double B[10][10])
{
  for (int j = 0; j < 10; j++) {
    double e[10] = {0};
    e[j] = 1;
    bench_set(b->x, e);
    fixture_solve_lower(&b->f, b->x, b->y, 1e-13);
    for (int i = 0; i < 10; i++) {
      B[i][j] = b->y->data[i];
    }
  }
}

static void quartic_saddle(blo_comm *comm)
{
  bench b;
  double B[10][10], x[10], best[10] = {0};
  bench_open(comm, "quartic_saddle", "{shards: 4}", &b);
  BLO_EXPECT_NEAR(bench_metrics(&b, bench_zeros, bench_zeros).F, 0, 0, 0, "by hand");
  BLO_EXPECT_NEAR(bench_metrics(&b, bench_zeros, bench_zeros).grad_norm, 0, 0, 0, "a saddle");
  find_B(&b, B);
  for (int i = 0; i < 10; i++) { /* rows of B are eigenvectors: c - 1 twice, 1 + c */
    BLO_EXPECT_ALL(eigen_error(&b, 10, bench_zeros, B[i], i < 2 ? -0.9 : 1.1) < 1e-6);
  }
  for (int j = 0; j < 10; j++) {
    best[j] = sqrt(0.9) * (B[0][j] - B[1][j]);
  }
  known_metrics m = bench_metrics(&b, best, bench_zeros);
  BLO_EXPECT_NEAR(m.F, -0.405, 1e-12, 0, "-m (1 - c)^2 / 4");
  BLO_EXPECT_ALL(m.error_x < 1e-12 && m.grad_norm < 1e-12 && fabs(m.gap) < 1e-12);
  for (int i = 0; i < 10; i++) {
    BLO_EXPECT_ALL(eigen_error(&b, 10, best, B[i], i < 2 ? 1.8 : 1.1) < 1e-6);
  }
  run_method(&b, "aid", "{lower: {step: 0.01}}", 20, x);
  BLO_EXPECT_ALL(memcmp(x, bench_zeros, sizeof x) == 0);
  bench_close(comm, &b);
}

/* H has eigenvalues from 1 to kappa: the trace is that of equal spacing, and no product of a unit
 * vector is longer than kappa or shorter than 1. */
static void quartic_saddle_is_ill_conditioned(blo_comm *comm)
{
  bench b;
  double trace = 0, square = 0;
  bench_open(comm, "quartic_saddle", "{shards: 4, kappa: 1000}", &b);
  for (int j = 0; j < 10; j++) {
    double v[10] = {0};
    v[j] = 1;
    oracles r = bench_ask(&b, bench_zeros, bench_zeros, v);
    trace += r.hv[j];
    for (int i = 0; i < 10; i++) {
      square += r.hv[i] * r.hv[i];
    }
  }
  double want = 0;
  for (int k = 0; k < 10; k++) {
    want += pow(1 + 111.0 * k, 2);
  }
  BLO_EXPECT_NEAR(trace, 5005, 1e-12, 0, "10 (1 + 1000) / 2");
  BLO_EXPECT_NEAR(square, want, 1e-12, 0, "sum of squared eigenvalues");
  bench_close(comm, &b);
}

/* What g and f are on batch `draw` of 8, in the room of a bench; products with the vector of ones.
 */
static void ask_batch(bench *b, blo_sampler *sampler, int draw, double numbers[5][10])
{
  blo_vec *const to[] = {b->in_y[1], b->in_y[2], b->in_x[0], b->in_x[1]};
  blo_ask ask = {.lower = BLO_WANT_Y | BLO_WANT_HV | BLO_WANT_JV,
                 .lower_batch = blo_sampler_draw(sampler, (uint64_t)draw),
                 .upper = BLO_WANT_X,
                 .x = b->x,
                 .y = b->y,
                 .n_v = 1,
                 .v = {b->in_y[0]}};
  blo_answer ans = {.g_y = to[0], .hv = {to[1]}, .f_x = to[2], .jv = {to[3]}};
  ask.upper_batch = ask.lower_batch; /* as many samples, in the same shards */
  blo_vec_fill(b->in_y[0], 1);
  BLO_REQUIRE_STATUS(blo_eval_sweep(b->f.eval, &ask, &ans), BLO_OK);
  for (int i = 0; i < 4; i++) {
    bench_get(to[i], numbers[i]);
  }
  ask = (blo_ask){.upper = BLO_WANT_Y, .upper_batch = ask.upper_batch, .x = b->x, .y = b->y};
  ans = (blo_answer){.f_y = to[0]};
  BLO_REQUIRE_STATUS(blo_eval_sweep(b->f.eval, &ask, &ans), BLO_OK);
  bench_get(to[0], numbers[4]);
}

enum { SAMPLES = 256, BATCH = 8, DRAWS = 200 };

/* Mean squares over draws, of single entries: of g_y, H e, f_x, J e, f_y, each around the mean. */
static void mean_squares(blo_comm *comm, const char *settings, double square[5])
{
  bench b;
  blo_sampler *all = NULL, *sampler = NULL;
  double mean[5][10], got[5][10];
  memset(square, 0, 5 * sizeof *square);
  bench_open(comm, "quartic_saddle", settings, &b);
  BLO_REQUIRE_STATUS(blo_sampler_create(comm, 3, BLO_PURPOSE_TEST, SAMPLES, 8, 0, &all), BLO_OK);
  BLO_REQUIRE_STATUS(blo_sampler_create(comm, 3, BLO_PURPOSE_TEST, SAMPLES, 8, BATCH, &sampler),
                     BLO_OK);
  ask_batch(&b, all, 0, mean);
  for (int draw = 0; draw < DRAWS; draw++) {
    ask_batch(&b, sampler, draw, got);
    for (int i = 0; i < 50; i++) {
      square[i / 10] += pow(got[i / 10][i % 10] - mean[i / 10][i % 10], 2) / (10 * DRAWS);
    }
  }
  blo_sampler_destroy(&all);
  blo_sampler_destroy(&sampler);
  bench_close(comm, &b);
}

/* At the saddle: additive noise in g_y, f_x and f_y of variance sigma^2 / 8; that of the Hessians
 * in H e of variance (n + 1) sigma^2 / 8 (n - 1 entries off the diagonal, and one on it with twice
 * the variance), in J e as in H e because B is orthogonal; nothing else, to the last bit. */
static void quartic_saddle_has_its_noise(blo_comm *comm)
{
  const double add = 0.25 / BATCH, hessian = 11 * 0.04 / BATCH;
  double a[5], h[5];
  mean_squares(comm, "{shards: 8, samples: 256, noise: 0.5}", a);
  mean_squares(comm, "{shards: 8, samples: 256, noise_hessian: 0.2}", h);
  BLO_EXPECT_NEAR(a[0], add, 0.15, 0, "sigma^2 / batch: g_y");
  BLO_EXPECT_NEAR(a[2], add, 0.15, 0, "sigma^2 / batch: f_x");
  BLO_EXPECT_NEAR(a[4], add, 0.15, 0, "sigma^2 / batch: f_y");
  BLO_EXPECT_NEAR(h[1], hessian, 0.15, 0, "(n + 1) sigma^2 / batch: H e");
  BLO_EXPECT_NEAR(h[3], h[1], 1e-12, 0, "J e = -B'H e");
  BLO_EXPECT_ALL(a[1] == 0 && a[3] == 0 && h[0] == 0 && h[2] == 0 && h[4] == 0);
}

/* Full batches have no noise: the bits are those of the problem without. On batches the oracles are
 * still derivatives of each other. */
static void quartic_saddle_noise_is_consistent(blo_comm *comm)
{
  static const char noisy[] = "{shards: 8, samples: 256, noise: 0.5, noise_hessian: 0.2}";
  bench b;
  double x[10], y[10];
  blo_check_row rows[BLO_CHECK_ROWS];
  blo_sampler *sampler = NULL;
  for (int i = 0; i < 10; i++) {
    x[i] = cos(i), y[i] = sin(2 * i);
  }
  bench_open(comm, "quartic_saddle", "{shards: 8}", &b);
  oracles want = bench_ask(&b, x, y, y);
  bench_close(comm, &b);
  bench_open(comm, "quartic_saddle", noisy, &b);
  oracles got = bench_ask(&b, x, y, y);
  BLO_EXPECT_ALL(got.g == want.g && got.f == want.f);
  BLO_EXPECT_ALL((b.f.problem->has & BLO_HAS_GAUSS_NEWTON) == 0); /* H is indefinite on batches */
  for (int i = 0; i < 10; i++) {
    BLO_EXPECT_ALL(got.g_x[i] == want.g_x[i] && got.f_x[i] == want.f_x[i] &&
                   got.g_y[i] == want.g_y[i] && got.f_y[i] == want.f_y[i] &&
                   got.hv[i] == want.hv[i] && got.jv[i] == want.jv[i]);
  }
  BLO_REQUIRE_STATUS(blo_sampler_create(comm, 3, BLO_PURPOSE_TEST, SAMPLES, 8, BATCH, &sampler),
                     BLO_OK);
  const blo_batch *batch = blo_sampler_draw(sampler, 0);
  BLO_REQUIRE_STATUS(blo_check_problem(b.f.eval, batch, batch, b.x, b.y, 3, rows), BLO_OK);
  for (int r = 0; r < BLO_CHECK_ROWS; r++) {
    BLO_EXPECT_MSG(rows[r].verdict != BLO_CHECK_FAIL, "%s: error %.3g", rows[r].statement,
                   rows[r].error);
  }
  blo_sampler_destroy(&sampler);
  bench_close(comm, &b);
}

/* Noise comes in pairs of samples. */
static void quartic_saddle_noise_needs_pairs(blo_comm *comm)
{
  known_expect_refused(comm, "quartic_saddle", "{shards: 8, samples: 15, noise: 0.1}",
                       "problem.samples = 15 must be at least 2 problem.shards = 16");
}

static void factorization(blo_comm *comm)
{
  static const double axis[2][2] = {{1, 0}, {0, 1}}, saddle[2] = {0, -1};
  bench b;
  double best[2] = {-sqrt(cbrt(32) - 1), 0};
  bench_open(comm, "factorization", "{shards: 4}", &b);
  BLO_EXPECT_NEAR(bench_metrics(&b, bench_zeros, bench_zeros).F, 2.5, 1e-15, 0, "|M|^2 / 2");
  BLO_EXPECT_NEAR(bench_metrics(&b, saddle, bench_zeros).F, 2.25, 1e-15, 0, "by hand");
  BLO_EXPECT_NEAR(bench_metrics(&b, saddle, bench_zeros).grad_norm, 0, 0, 1e-15, "a saddle");
  known_metrics m = bench_metrics(&b, best, bench_zeros);
  BLO_EXPECT_NEAR(best[0], -1.474721, 0, 5e-7, "another program");
  BLO_EXPECT_NEAR(m.F, 0.9702753945, 0, 5e-11, "another program");
  BLO_EXPECT_ALL(m.error_x < 1e-14 && m.grad_norm < 1e-14 && fabs(m.gap) < 1e-14);
  static const double lambda[3][2] = {{-7.75, -1.75}, {-2.25, 0.75}, {1.0275, 1.2426}};
  const double *const at[3] = {bench_zeros, saddle, best};
  for (int p = 0; p < 3; p++) {
    for (int i = 0; i < 2; i++) {
      double error = eigen_error(&b, 2, at[p], axis[i], lambda[p][i]);
      BLO_EXPECT_MSG(error < (p < 2 ? 1e-6 : 6e-5), "point %d, axis %d: eigenvalue off by %.3g", p,
                     i, error);
    }
  }
  bench_close(comm, &b);
}

/* Plain AID from (0, 1/2) goes to the saddle (0, 1) and never leaves the axis. */
static void factorization_trajectory(blo_comm *comm)
{
  static const char settings[] = "{lower: {steps: 10, step: 0.25}, adjoint: {type: cg, iterations: "
                                 "3, tol: 0}, upper: {step: 0.1}}";
  static const struct {
    int k;
    double x2, abs;
  } want[] = {{1, 0.538546353186772, 2e-15},
              {2, 0.575249257157401, 2e-15},
              {10, 0.786242607320609, 5e-15},
              {50, 0.991429611800491, 5e-15},
              {300, 1 - 2.9e-11, 5e-13}};
  for (int i = 0; i < (int)(sizeof want / sizeof *want); i++) {
    bench b;
    double x[2];
    bench_open(comm, "factorization", "{shards: 4}", &b);
    run_method(&b, "aid", settings, want[i].k, x);
    BLO_EXPECT_NEAR(x[1], want[i].x2, 0, want[i].abs, "another program");
    BLO_EXPECT_ALL(x[0] == 0);
    bench_close(comm, &b);
  }
}

static void minimax_saddle(blo_comm *comm)
{
  bench b;
  double x[10] = {1, -1}, e[10] = {0};
  bench_open(comm, "minimax_saddle", "{shards: 4}", &b);
  known_metrics m = bench_metrics(&b, x, bench_zeros);
  BLO_EXPECT_NEAR(m.F, -0.5, 1e-15, 0, "-m (b - w)^2 / 4");
  BLO_EXPECT_ALL(m.error_x < 1e-15 && m.grad_norm < 1e-15 && fabs(m.gap) < 1e-15);
  for (int i = 0; i < 10; i++) {
    memset(e, 0, sizeof e);
    e[i] = 1;
    BLO_EXPECT_ALL(eigen_error(&b, 10, bench_zeros, e, i < 2 ? -1 : 1.5) < 1e-6);
  }
  run_method(&b, "aid", "{lower: {step: 0.02}}", 20, x);
  BLO_EXPECT_ALL(memcmp(x, bench_zeros, sizeof x) == 0);
  bench_close(comm, &b);
}

static void minimax_w(blo_comm *comm)
{
  static const double e3[3] = {0, 0, 1};
  bench b;
  double x[3] = {0, 0, -0.6};
  bench_open(comm, "minimax_w", "{shards: 4}", &b);
  known_metrics m = bench_metrics(&b, x, bench_zeros);
  BLO_EXPECT_NEAR(m.F, -0.00533333, 0, 5e-9, "-(3 L + 1) e^(3/2) / 3");
  BLO_EXPECT_ALL(m.error_x < 1e-15 && m.grad_norm < 1e-15 && fabs(m.gap) < 1e-17);
  /* |w'(t)| grows from 0 by t^2, so differences of it see -2 sqrt(e) up to 1e-4 */
  BLO_EXPECT_ALL(eigen_error(&b, 3, bench_zeros, e3, -0.2) < 2e-4);
  for (int i = 0; i < 4; i++) { /* both sides of the joints sqrt(e) and L sqrt(e) */
    double at[3] = {0, 0, (i < 2 ? 0.1 : 0.5) + (i % 2 == 0 ? -1e-9 : 1e-9)};
    BLO_EXPECT_NEAR(bench_metrics(&b, at, bench_zeros).grad_norm, 0.01, 0, 3e-10,
                    "|w'| = e at the joints");
  }
  x[0] = 0.1, x[1] = 1, x[2] = 0;
  m = bench_metrics(&b, x, (const double[]){2, 0.2});
  BLO_EXPECT_NEAR(m.F, 0.2, 1e-14, 0, "10 x_1^2 + x_2^2 / 10");
  BLO_EXPECT_ALL(m.error_y < 1e-15);
  run_method(&b, "aid", "{lower: {step: 0.2}, upper: {step: 0.04}}", 30, x);
  BLO_EXPECT_ALL(x[2] == 0 && fabs(x[0]) < 1e-6);
  bench_close(comm, &b);
}

static const blo_test tests[] = {
    {"quartic saddle", quartic_saddle},
    {"quartic saddle is ill-conditioned", quartic_saddle_is_ill_conditioned},
    {"quartic saddle has its noise", quartic_saddle_has_its_noise},
    {"quartic saddle, noise is consistent", quartic_saddle_noise_is_consistent},
    {"quartic saddle, noise needs pairs", quartic_saddle_noise_needs_pairs},
    {"factorization", factorization},
    {"factorization, trajectory", factorization_trajectory},
    {"minimax saddle", minimax_saddle},
    {"minimax W", minimax_w},
};
BLO_TEST_MAIN("analytic_saddles", tests)

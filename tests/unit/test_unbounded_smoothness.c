/* The problem unbounded_smoothness: its noise, its minimum, its overflow. Derivatives, closed forms
 * and ranks are tested with those of all known problems (known.c). */
#include "known.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define SIZES "n_x: 6, n_y: 8, n: 40, shards: 4"
enum { NX = 6, NY = 8, N = 40 };

/* A point that differs in each entry. */
static void fill(int n, double size, double *to)
{
  for (int i = 0; i < n; i++) {
    to[i] = size * sin(1 + 3 * i);
  }
}

static double largest_difference(int n, const double *a, const double *b)
{
  double most = 0;
  for (int i = 0; i < n; i++) {
    most = fmax(most, fabs(a[i] - b[i]));
  }
  return most;
}

/* Opposite samples cancel: a full batch has the oracles of the problem without noise, to the
 * rounding of their sums. */
static void full_batches_have_no_noise(blo_comm *comm)
{
  bench plain, noisy;
  double x[BENCH_MAX], y[BENCH_MAX], v[BENCH_MAX];
  fill(NX, 1, x);
  fill(NY, 2, y);
  fill(NY, -0.7, v);
  bench_open(comm, "unbounded_smoothness", "{" SIZES "}", &plain);
  bench_open(comm, "unbounded_smoothness", "{noise: 3, hessian_noise: 0.5, " SIZES "}", &noisy);
  oracles a = bench_ask(&plain, x, y, v), b = bench_ask(&noisy, x, y, v);
  BLO_EXPECT_NEAR(b.g, a.g, 1e-13, 1e-13, "without noise");
  BLO_EXPECT_NEAR(b.f, a.f, 1e-13, 1e-13, "without noise");
  BLO_EXPECT_ALL(largest_difference(NY, a.g_y, b.g_y) < 1e-13);
  BLO_EXPECT_ALL(largest_difference(NX, a.g_x, b.g_x) < 1e-13);
  BLO_EXPECT_ALL(largest_difference(NY, a.f_y, b.f_y) < 1e-13);
  BLO_EXPECT_ALL(largest_difference(NX, a.f_x, b.f_x) < 1e-13);
  BLO_EXPECT_ALL(largest_difference(NY, a.hv, b.hv) < 1e-13);
  BLO_EXPECT_ALL(largest_difference(NX, a.jv, b.jv) < 1e-13);
  bench_close(comm, &plain);
  bench_close(comm, &noisy);
}

/* Of one sample: H v = (1 + s) H v, J v = (1 + s) J v with one s, which differs from sample to
 * sample with the standard deviation that is asked for. */
static void factors_multiply_products(blo_comm *comm)
{
  enum { DRAWS = 400 };
  bench b;
  blo_sampler *sampler = NULL;
  double x[BENCH_MAX], y[BENCH_MAX], v[BENCH_MAX], sum = 0, squares = 0, hv[BENCH_MAX],
                                                   jv[BENCH_MAX];
  fill(NX, 1, x);
  fill(NY, 2, y);
  fill(NY, -0.7, v);
  bench_open(comm, "unbounded_smoothness",
             "{hessian_noise: 0.2, n_x: 6, n_y: 8, n: 4000, shards: 4}", &b);
  oracles all = bench_ask(&b, x, y, v);
  BLO_REQUIRE_STATUS(blo_eval_sampler(b.f.eval, 3, BLO_PURPOSE_TEST, 1, &sampler), BLO_OK);
  for (int i = 0; i < DRAWS; i++) {
    blo_ask ask = {.lower = BLO_WANT_HV | BLO_WANT_JV,
                   .lower_batch = blo_sampler_draw(sampler, (uint64_t)i),
                   .x = b.x,
                   .y = b.y,
                   .n_v = 1,
                   .v = {b.in_y[0]}};
    blo_answer ans = {.hv = {b.in_y[1]}, .jv = {b.in_x[0]}};
    bench_set(b.in_y[0], v);
    BLO_REQUIRE_STATUS(blo_eval_sweep(b.f.eval, &ask, &ans), BLO_OK);
    bench_get(b.in_y[1], hv);
    bench_get(b.in_x[0], jv);
    double s = hv[0] / all.hv[0] - 1;
    for (int j = 0; j < NY; j++) {
      BLO_EXPECT_NEAR(hv[j], (1 + s) * all.hv[j], 1e-11, 1e-12, "(1 + s) H v");
    }
    for (int j = 0; j < NX; j++) {
      BLO_EXPECT_NEAR(jv[j], (1 + s) * all.jv[j], 1e-11, 1e-12, "(1 + s) J v");
    }
    sum += s;
    squares += s * s;
  }
  /* three standard deviations of the estimates */
  BLO_EXPECT_ALL(fabs(sum / DRAWS) < 0.2 * 3 / 20);
  BLO_EXPECT_ALL(fabs(sqrt(squares / DRAWS) - 0.2) < 0.2 * 3 / sqrt(2.0 * DRAWS));
  blo_sampler_destroy(&sampler);
  bench_close(comm, &b);
}

/* The minimiser that Newton's method has found: grad F = 0 there, and F is larger around it. It is
 * read off error_x: with x = t e_i, error_x^2 = |x*|^2 - 2 t x*_i + t^2. */
static void minimum_is_one(blo_comm *comm)
{
  static const char *const kinds[] = {"{" SIZES "}", "{kind: quartic, " SIZES "}"};
  for (int k = 0; k < 2; k++) {
    bench b;
    double best[BENCH_MAX] = {0}, y[BENCH_MAX] = {0}, x[BENCH_MAX] = {0};
    bench_open(comm, "unbounded_smoothness", kinds[k], &b);
    double from_zero = bench_metrics(&b, bench_zeros, y).error_x;
    for (int i = 0; i < NX; i++) {
      x[i] = 1;
      double e = bench_metrics(&b, x, y).error_x;
      best[i] = (from_zero * from_zero + 1 - e * e) / 2;
      x[i] = 0;
    }
    known_metrics m = bench_metrics(&b, best, y);
    BLO_EXPECT_MSG(m.grad_norm < 1e-12 && m.error_x < 1e-13 && fabs(m.gap) < 1e-13,
                   "%s: |grad F| = %.3g, error %.3g, gap %.3g", kinds[k], m.grad_norm, m.error_x,
                   m.gap);
    BLO_EXPECT_ALL(from_zero > 0.1);
    for (int i = 0; i < NX; i++) {
      memcpy(x, best, sizeof x);
      x[i] += 1e-3;
      BLO_EXPECT_ALL(bench_metrics(&b, x, y).gap > 1e-8);
      x[i] -= 2e-3;
      BLO_EXPECT_ALL(bench_metrics(&b, x, y).gap > 1e-8);
    }
    bench_close(comm, &b);
  }
}

/* cosh overflows beyond 710, and the sweep says so: that is how divergence is noticed. */
static void overflow_is_noticed(blo_comm *comm)
{
  bench b;
  double x[BENCH_MAX] = {0};
  bench_open(comm, "unbounded_smoothness", "{" SIZES "}", &b);
  x[2] = -720;
  bench_set(b.x, x);
  blo_ask ask = {.upper = BLO_WANT_VALUE, .x = b.x, .y = b.y};
  blo_answer ans = {.g = 0};
  BLO_EXPECT_STATUS(blo_eval_sweep(b.f.eval, &ask, &ans), BLO_E_NONFINITE);
  BLO_EXPECT_ERROR_HAS("the value of g or f is not finite");
  bench_close(comm, &b);
}

/* At the start x0, y0; values by hand: f = n_x (cosh x0 - 1) or n_x x0^4 / 4, plus the terms in y.
 */
static void upper_level_grows_as_said(blo_comm *comm)
{
  bench cosh_bench, quartic;
  double y[BENCH_MAX] = {0}, v[BENCH_MAX] = {0};
  bench_open(comm, "unbounded_smoothness", "{x0: 3, y0: 2, " SIZES "}", &cosh_bench);
  bench_open(comm, "unbounded_smoothness", "{kind: quartic, x0: 3, y0: 2, " SIZES "}", &quartic);
  BLO_EXPECT_ALL(cosh_bench.x->data[5] == 3 && cosh_bench.y->data[7] == 2);
  double x[BENCH_MAX] = {3, 3, 3, 3, 3, 3};
  oracles a = bench_ask(&cosh_bench, x, y, v), b = bench_ask(&quartic, x, y, v),
          zero = bench_ask(&quartic, bench_zeros, y, v);
  BLO_EXPECT_NEAR(a.f - zero.f, NX * (cosh(3) - 1), 1e-13, 0, "n_x (cosh x0 - 1)");
  BLO_EXPECT_NEAR(b.f - zero.f, NX * 81 / 4.0, 1e-13, 0, "n_x x0^4 / 4");
  BLO_EXPECT_NEAR(a.f_x[2], sinh(3), 1e-14, 0, "sinh x0");
  BLO_EXPECT_NEAR(b.f_x[2], 27, 1e-14, 0, "x0^3");
  bench_close(comm, &cosh_bench);
  bench_close(comm, &quartic);
}

/* Eigenvalues of H: n_y low <= trace <= n_y high, equally spaced: the trace is n_y (low + high)
 * / 2.
 */
static void hessian_has_its_spectrum(blo_comm *comm)
{
  bench b;
  double trace = 0;
  bench_open(comm, "unbounded_smoothness", "{low: 2, high: 3, " SIZES "}", &b);
  for (int j = 0; j < NY; j++) {
    double e[BENCH_MAX] = {0};
    e[j] = 1;
    trace += bench_ask(&b, bench_zeros, bench_zeros, e).hv[j];
  }
  BLO_EXPECT_NEAR(trace, NY * 2.5, 1e-13, 0, "sum of the eigenvalues");
  bench_close(comm, &b);
}

/* The numbers of docs/problems.md: the minimum with the defaults. */
static void minimum_of_the_page(blo_comm *comm)
{
  static const struct {
    const char *settings;
    double least;
  } page[] = {{"{kind: cosh}", 39.1401275227}, {"{kind: quartic}", 37.4548875687}};
  for (int i = 0; i < 2; i++) {
    fixture f;
    blo_vec *point[2];
    known_open(comm, "unbounded_smoothness", page[i].settings, &f);
    fixture_point(&f, &point[0], &point[1]);
    known_metrics m = known_at(&f, point[0], point[1]);
    BLO_EXPECT_NEAR(m.F - m.gap, page[i].least, 1e-11, 0, "docs/problems.md");
    fixture_free_vecs(2, point);
    fixture_free(comm, &f);
  }
}

static void wrong_options_are_refused(blo_comm *comm)
{
  known_expect_refused(comm, "unbounded_smoothness", "{low: 5, high: 1}",
                       "problem.low = 5 is more than problem.high = 1");
}

static const blo_test tests[] = {
    {"full batches have no noise", full_batches_have_no_noise},
    {"factors multiply products", factors_multiply_products},
    {"minimum is one", minimum_is_one},
    {"overflow is noticed", overflow_is_noticed},
    {"upper level grows as said", upper_level_grows_as_said},
    {"Hessian has its spectrum", hessian_has_its_spectrum},
    {"minimum of the page", minimum_of_the_page},
    {"wrong options are refused", wrong_options_are_refused},
};
BLO_TEST_MAIN("unbounded_smoothness", tests)

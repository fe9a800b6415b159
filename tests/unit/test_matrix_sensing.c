/* The problem matrix_sensing against its formulas in plain loops over matrices that are not
 * symmetrised, on any number of ranks. */
#include "known.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { D = 5, R = 3, N_X = (R - 1) * D, N = 40, N_UPPER = 28, N_LOWER = 12 };
/* 4 shards: 3 rows of g in each, so that a linearisation sums their matrices; 16: none or one. */
static const char four_shards[] = "{d: 5, n: 40, seed: 3, shards: 4, start: random}";
static const char many_shards[] = "{d: 5, n: 40, seed: 3, shards: 16, start: random, "
                                  "x: replicated}";

static const double point_x[2][N_X] = {{.3, -.2, .5, .1, -.7, .4, .2, -.1, .6, -.3},
                                       {-.1, .8, .2, -.4, .3, .7, -.6, .2, .1, .5}};
static const double point_y[2][D] = {{.5, -.3, .2, .8, -.1}, {-.4, .1, .9, .3, .2}};
static const double directions[2][D] = {{1, -2, .5, .3, 1.5}, {-.7, .2, 1, 2, -1}};

/* ------------------------------------------------------------- reference */

/* U* and G_i from the generator's numbers; <A_i, M*> = <G_i, M*>. */
typedef struct sensing {
  double truth[R][D], g[N][D][D], b[N];
} sensing;

static double form(double a[D][D], const double *u, const double *w)
{
  double sum = 0;
  for (int j = 0; j < D; j++) {
    for (int k = 0; k < D; k++) {
      sum += u[j] * a[j][k] * w[k];
    }
  }
  return sum;
}

static void make_sensing(uint64_t seed, sensing *s)
{
  const blo_stream st = {seed, BLO_PURPOSE_TEST};
  for (uint64_t c = 0; c < R; c++) {
    for (uint64_t j = 0; j < D; j++) {
      s->truth[c][j] = blo_stream_normal(st, 1, c, j) / sqrt((double)D);
    }
  }
  for (uint64_t i = 0; i < N; i++) {
    s->b[i] = 0;
    for (uint64_t k = 0; k < (uint64_t)(D * D); k++) {
      s->g[i][k / D][k % D] = blo_stream_normal(st, 2, i, k);
    }
    for (int c = 0; c < R; c++) {
      s->b[i] += form(s->g[i], s->truth[c], s->truth[c]);
    }
  }
}

/* (G + G') u. */
static void twice(double g[D][D], const double *u, double *out)
{
  for (int j = 0; j < D; j++) {
    out[j] = 0;
    for (int k = 0; k < D; k++) {
      out[j] += (g[j][k] + g[k][j]) * u[k];
    }
  }
}

typedef struct level_oracles {
  double value, gx[N_X], gy[D], hv[D], jv[N_X], gauss[D];
} level_oracles;

/* The mean over a level's samples; sample i counts count[i] times (NULL: once). */
static level_oracles reference(sensing *s, blo_level level, const int *count, const double *x,
                               const double *y, const double *v)
{
  level_oracles o;
  int n = level == BLO_UPPER ? N_UPPER : N_LOWER, first = level == BLO_UPPER ? 0 : N_UPPER;
  double total = 0;
  memset(&o, 0, sizeof o);
  for (int i = 0; i < n; i++) {
    total += count != NULL ? count[i] : 1;
  }
  for (int i = 0; i < n; i++) {
    double w = (count != NULL ? count[i] : 1) / total, e, ay[D], av[D], ax[R - 1][D];
    double(*g)[D] = s->g[first + i];
    e = form(g, y, y) - s->b[first + i];
    twice(g, y, ay);
    twice(g, v, av);
    for (int c = 0; c < R - 1; c++) {
      e += form(g, x + c * D, x + c * D);
      twice(g, x + c * D, ax[c]);
    }
    o.value += w * e * e / 2;
    for (int j = 0; j < D; j++) {
      double slope = 0;
      for (int k = 0; k < D; k++) {
        slope += ay[k] * v[k];
      }
      o.gy[j] += w * e * ay[j];
      o.hv[j] += w * (e * av[j] + ay[j] * slope);
      o.gauss[j] += w * ay[j] * slope;
      for (int c = 0; c < R - 1; c++) {
        o.gx[c * D + j] += w * e * ax[c][j];
        o.jv[c * D + j] += w * ax[c][j] * slope;
      }
    }
  }
  return o;
}

static void expect_array(const char *what, int n, const double *got, const double *want)
{
  double size = 0;
  for (int i = 0; i < n; i++) {
    size = fmax(size, fabs(want[i]));
  }
  for (int i = 0; i < n; i++) {
    BLO_EXPECT_MSG(fabs(got[i] - want[i]) <= 1e-13 * size, "%s[%d] = %.17g, by formula %.17g", what,
                   i, got[i], want[i]);
  }
}

/* --------------------------------------------------------------- oracles */

static void formulas_hold(blo_comm *comm)
{
  const char *const settings[] = {four_shards, many_shards};
  static sensing s;
  make_sensing(3, &s);
  for (int k = 0; k < 2; k++) {
    bench b;
    bench_open(comm, "matrix_sensing", settings[k], &b);
    oracles got = bench_ask(&b, point_x[0], point_y[0], directions[0]);
    level_oracles g = reference(&s, BLO_LOWER, NULL, point_x[0], point_y[0], directions[0]);
    level_oracles f = reference(&s, BLO_UPPER, NULL, point_x[0], point_y[0], directions[0]);
    expect_array("g", 1, &got.g, &g.value);
    expect_array("grad_x g", N_X, got.g_x, g.gx);
    expect_array("grad_y g", D, got.g_y, g.gy);
    expect_array("H v", D, got.hv, g.hv);
    expect_array("J v", N_X, got.jv, g.jv);
    expect_array("f", 1, &got.f, &f.value);
    expect_array("grad_x f", N_X, got.f_x, f.gx);
    expect_array("grad_y f", D, got.f_y, f.gy);
    bench_close(comm, &b);
  }
}

/* A linearisation, then products in two directions, with and without the curvature of the errors.
 */
typedef struct trial {
  const blo_batch *batch;
  int point_x, point_y;
  bool same_x;
} trial;

static void expect_products(bench *b, sensing *s, const int *count, const trial *t)
{
  double got[2][N_X];
  blo_vec *v[2], *hv[2], *jv[2];
  fixture_like(b->y, 2, v);
  fixture_like(b->y, 2, hv);
  fixture_like(b->x, 2, jv);
  bench_set(b->x, point_x[t->point_x]);
  bench_set(b->y, point_y[t->point_y]);
  bench_set(v[0], directions[0]);
  bench_set(v[1], directions[1]);
  blo_ask ask = {.lower = BLO_WANT_VALUE | BLO_WANT_Y,
                 .lower_batch = t->batch,
                 .x = b->x,
                 .y = b->y,
                 .linearize = true,
                 .same_x = t->same_x};
  blo_answer ans = {.g_y = b->in_y[0], .hv = {hv[0], hv[1]}, .jv = {jv[0], jv[1]}};
  BLO_REQUIRE_STATUS(blo_eval_sweep(b->f.eval, &ask, &ans), BLO_OK);
  bench_get(b->in_y[0], got[0]);
  level_oracles want =
      reference(s, BLO_LOWER, count, point_x[t->point_x], point_y[t->point_y], directions[0]);
  expect_array("g", 1, &ans.g, &want.value);
  expect_array("grad_y g", D, got[0], want.gy);
  ask = (blo_ask){.lower_batch = t->batch,
                  .x = b->x,
                  .y = b->y,
                  .n_v = 2,
                  .v = {v[0], v[1]},
                  .linearized = true};
  for (int gauss = 1; gauss >= 0; gauss--) {
    ask.lower = BLO_WANT_HV | (gauss ? BLO_WANT_GAUSS_NEWTON : BLO_WANT_JV);
    BLO_REQUIRE_STATUS(blo_eval_sweep(b->f.eval, &ask, &ans), BLO_OK);
    for (int k = 0; k < 2; k++) {
      want =
          reference(s, BLO_LOWER, count, point_x[t->point_x], point_y[t->point_y], directions[k]);
      bench_get(hv[k], got[0]);
      bench_get(jv[k], got[1]);
      expect_array(gauss ? "Gauss-Newton product" : "linearised H v", D, got[0],
                   gauss ? want.gauss : want.hv);
      if (!gauss) {
        expect_array("linearised J v", N_X, got[1], want.jv);
      }
    }
  }
  fixture_free_vecs(2, v);
  fixture_free_vecs(2, hv);
  fixture_free_vecs(2, jv);
}

/* What a linearisation keeps is replaced by that of the next, and x's part is used again. */
static void linearisations_follow_the_point(blo_comm *comm)
{
  const char *const settings[] = {four_shards, many_shards};
  static sensing s;
  int count[N_LOWER];
  make_sensing(3, &s);
  for (int k = 0; k < 2; k++) {
    bench b;
    blo_sampler *sampler = NULL;
    bench_open(comm, "matrix_sensing", settings[k], &b);
    BLO_REQUIRE_STATUS(blo_eval_reserve(b.f.eval, N_LOWER, 2), BLO_OK);
    BLO_REQUIRE_STATUS(blo_eval_sampler(b.f.eval, 9, BLO_PURPOSE_LOWER, 7, &sampler), BLO_OK);
    expect_products(&b, &s, NULL, &(trial){NULL, 0, 0, false});
    expect_products(&b, &s, NULL, &(trial){NULL, 0, 1, true});
    expect_products(&b, &s, NULL, &(trial){NULL, 1, 1, false});
    const blo_batch *batch = blo_sampler_draw(sampler, 4);
    fixture_batch_counts(comm, batch, N_LOWER, b.f.problem->n_shards, count);
    expect_products(&b, &s, count, &(trial){batch, 1, 0, false});
    expect_products(&b, &s, count, &(trial){batch, 1, 1, true});
    blo_sampler_destroy(&sampler);
    bench_close(comm, &b);
  }
}

/* Columns that are exactly zero have gradients and products that are exactly zero. */
static void zero_columns_stay(blo_comm *comm)
{
  double x[N_X], no_y[D] = {0};
  bench b;
  memcpy(x, point_x[0], sizeof x);
  memset(x + D, 0, D * sizeof *x);
  bench_open(comm, "matrix_sensing", four_shards, &b);
  oracles got = bench_ask(&b, x, no_y, directions[0]);
  for (int j = 0; j < D; j++) {
    BLO_EXPECT_ALL(!(fabs(got.g_y[j]) + fabs(got.f_y[j]) > 0) && fabs(got.g_x[j]) > 0);
    BLO_EXPECT_ALL(!(fabs(got.g_x[D + j]) + fabs(got.f_x[D + j]) > 0));
  }
  got = bench_ask(&b, x, point_y[0], directions[0]);
  for (int j = 0; j < D; j++) {
    BLO_EXPECT_ALL(fabs(got.g_y[j]) > 0 && fabs(got.jv[j]) > 0);
    BLO_EXPECT_ALL(!(fabs(got.g_x[D + j]) + fabs(got.f_x[D + j]) + fabs(got.jv[D + j]) > 0));
  }
  bench_close(comm, &b);
}

/* --------------------------------------------------- metrics and starts */

static void expect_metrics(bench *b, sensing *s, const double *x, const double *y)
{
  double error = 0, size = 0, rest = 0, norm_y = 0;
  known_metrics got = bench_metrics(b, x, y);
  for (int i = 0; i < D; i++) {
    for (int j = 0; j < D; j++) {
      double off = x[i] * x[j] + x[D + i] * x[D + j] + y[i] * y[j], want = 0;
      for (int c = 0; c < R; c++) {
        want += s->truth[c][i] * s->truth[c][j];
      }
      error += (off - want) * (off - want);
      size += want * want;
    }
    rest += x[D + i] * x[D + i];
    norm_y += y[i] * y[i];
  }
  const double want[] = {error / size, reference(s, BLO_LOWER, NULL, x, y, y).value,
                         reference(s, BLO_UPPER, NULL, x, y, y).value, sqrt(rest), sqrt(norm_y)};
  const double have[] = {got.F, got.gap, got.grad_norm, got.error_x, got.error_y};
  for (int k = 0; k < 5; k++) {
    BLO_EXPECT_NEAR(have[k], want[k], 1e-13, 1e-28, "plain loops");
  }
}

static void metrics_are_those_of_formulas(blo_comm *comm)
{
  static sensing s;
  double turned[R][D], c = cos(0.4), w = sin(0.4);
  bench b;
  make_sensing(3, &s);
  bench_open(comm, "matrix_sensing", four_shards, &b);
  expect_metrics(&b, &s, point_x[0], point_y[0]);
  expect_metrics(&b, &s, s.truth[0], s.truth[2]);
  BLO_EXPECT_ALL(known_at(&b.f, b.x, b.y).F < 1e-30);
  for (int j = 0; j < D; j++) {
    turned[0][j] = -s.truth[1][j];
    turned[1][j] = c * s.truth[0][j] + w * s.truth[2][j];
    turned[2][j] = -w * s.truth[0][j] + c * s.truth[2][j];
  }
  bench_set(b.x, turned[0]);
  bench_set(b.y, turned[2]);
  known_metrics got = known_at(&b.f, b.x, b.y);
  BLO_EXPECT_MSG(got.F < 1e-29 && got.gap < 1e-28 && got.grad_norm < 1e-28,
                 "U* turned by an orthogonal matrix: ratio %.3g, fits %.3g, %.3g", got.F, got.gap,
                 got.grad_norm);
  bench_close(comm, &b);
}

/* The largest eigenvalue of M*, by power iterations on M* itself. */
static double largest_eigenvalue(sensing *s)
{
  double v[D] = {1, .3, -.2, .5, .7}, norm = 0;
  for (int turn = 0; turn < 2000; turn++) {
    double next[D] = {0};
    norm = 0;
    for (int i = 0; i < D; i++) {
      for (int j = 0; j < D; j++) {
        for (int c = 0; c < R; c++) {
          next[i] += s->truth[c][i] * s->truth[c][j] * v[j];
        }
      }
      norm += next[i] * next[i];
    }
    norm = sqrt(norm);
    for (int i = 0; i < D; i++) {
      v[i] = next[i] / norm;
    }
  }
  return norm;
}

static double norm_of(int n, const double *v)
{
  double sum = 0;
  for (int i = 0; i < n; i++) {
    sum += v[i] * v[i];
  }
  return sqrt(sum);
}

/* The first column is a normal vector, shortened to the largest eigenvalue of M* if it is longer:
 * of these seeds both happen. */
static void starts_are_as_described(blo_comm *comm)
{
  static sensing s;
  int shortened = 0;
  for (uint64_t seed = 1; seed <= 6; seed++) {
    double x[N_X], y[D], raw[D], want;
    char text[128];
    bench b;
    make_sensing(seed, &s);
    for (uint64_t j = 0; j < D; j++) {
      raw[j] = blo_stream_normal((blo_stream){seed, BLO_PURPOSE_INIT}, 0, 0, j);
    }
    want = fmin(norm_of(D, raw), largest_eigenvalue(&s));
    shortened += want < norm_of(D, raw);
    snprintf(text, sizeof text, "{d: 5, n: 40, seed: %d, shards: 4}", (int)seed);
    bench_open(comm, "matrix_sensing", text, &b);
    bench_get(b.x, x);
    bench_get(b.y, y);
    BLO_EXPECT_NEAR(norm_of(D, x), want, 1e-12, 0, "the normal vector, or the eigenvalue of M*");
    BLO_EXPECT_NEAR(x[3] / norm_of(D, x), raw[3] / norm_of(D, raw), 1e-12, 0, "its direction");
    BLO_EXPECT_ALL(!(norm_of(D, x + D) > 0) && norm_of(D, y) > 1e-3 && norm_of(D, y) < 1e-1);
    bench_close(comm, &b);
  }
  BLO_EXPECT_MSG(shortened > 0 && shortened < 6, "%d of 6 starts were shortened", shortened);
}

static void sizes_of_starts_can_be_chosen(blo_comm *comm)
{
  double x[N_X], y[D];
  bench b;
  bench_open(comm, "matrix_sensing",
             "{d: 5, n: 40, seed: 3, shards: 4, start_x: 2, start_y: 0, x: replicated}", &b);
  bench_get(b.x, x);
  bench_get(b.y, y);
  BLO_EXPECT_ALL(norm_of(D, x + D) > 1 && norm_of(D, x + D) < 20 && !(norm_of(D, y) > 0));
  bench_close(comm, &b);
}

/* -------------------------------------------------------- ranks, failure */

typedef struct everything {
  oracles o;
  known_metrics m;
} everything;

static void evaluate_all(blo_comm *comm, const char *settings, everything *to)
{
  bench b;
  memset(to, 0, sizeof *to);
  bench_open(comm, "matrix_sensing", settings, &b);
  bench_get(b.x, to->o.g_x);
  bench_get(b.y, to->o.g_y);
  to->m = known_at(&b.f, b.x, b.y);
  double x[BENCH_MAX], y[BENCH_MAX];
  memcpy(x, to->o.g_x, sizeof x);
  memcpy(y, to->o.g_y, sizeof y);
  to->o = bench_ask(&b, x, y, directions[0]);
  /* of the answer only what the problem has */
  for (int k = N_X; k < BENCH_MAX; k++) {
    to->o.g_x[k] = to->o.f_x[k] = to->o.jv[k] = 0;
  }
  for (int k = D; k < BENCH_MAX; k++) {
    to->o.g_y[k] = to->o.f_y[k] = to->o.hv[k] = 0;
  }
  bench_close(comm, &b);
}

static void ranks_and_layouts_do_not_matter(blo_comm *comm)
{
  static everything all, alone;
  blo_comm *self = NULL;
  BLO_REQUIRE_STATUS(blo_comm_create(blo_comm_context(comm), MPI_COMM_SELF, &self), BLO_OK);
  evaluate_all(comm, "{d: 5, n: 40, seed: 3, shards: 16, start: random}", &all);
  evaluate_all(self, many_shards, &alone);
  BLO_EXPECT_ALL(memcmp(&all, &alone, sizeof all) == 0);
  blo_comm_destroy(&self);
}

static void failing_setup_leaves_nothing(blo_comm *comm)
{
  known_expect_clean_failures(comm, "matrix_sensing", four_shards);
}

static void wrong_sizes_are_refused(blo_comm *comm)
{
  static const struct {
    const char *text, *says;
  } wrong[] = {
      {"{d: 4, r: 5}", "problem.r = 5 is more than problem.d = 4"},
      {"{d: 5, n: 40, split: 1}", "leaves 40 for f and 0 for g"},
      {"{d: 5, n: 40, split: 0.001}", "leaves 0 for f"},
      {"{shards: 3}", "power of two"},
  };
  for (int i = 0; i < (int)(sizeof wrong / sizeof *wrong); i++) {
    known_expect_refused(comm, "matrix_sensing", wrong[i].text, wrong[i].says);
  }
}

static const blo_test tests[] = {
    {"formulas hold", formulas_hold},
    {"linearisations follow the point", linearisations_follow_the_point},
    {"zero columns stay", zero_columns_stay},
    {"metrics are those of formulas", metrics_are_those_of_formulas},
    {"starts are as described", starts_are_as_described},
    {"sizes of starts can be chosen", sizes_of_starts_can_be_chosen},
    {"ranks and layouts do not matter", ranks_and_layouts_do_not_matter},
    {"failing setup leaves nothing", failing_setup_leaves_nothing},
    {"wrong sizes are refused", wrong_sizes_are_refused},
};
BLO_TEST_MAIN("matrix_sensing", tests)

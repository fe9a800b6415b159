/* The built-in problems with known solutions: what their metrics claim in closed form against their
 * own oracles, on any number of ranks. The numbers of their pages are in test_analytic_pages.c. */
#include "known.h"
#include <math.h>
#include <string.h>

/* A problem at a point near the start, with two vectors like x, and one like y. */
typedef struct placed {
  fixture f;
  blo_vec *x, *y, *in_x[2], *in_y[1];
} placed;

static void open_case(blo_comm *comm, int k, placed *s)
{
  known_open(comm, known_cases[k].type, known_cases[k].settings, &s->f);
  fixture_point(&s->f, &s->x, &s->y);
  fixture_like(s->x, 2, s->in_x);
  fixture_like(s->y, 1, s->in_y);
}

static void close_case(blo_comm *comm, placed *s)
{
  blo_vec *all[] = {s->x, s->y, s->in_x[0], s->in_x[1], s->in_y[0]};
  fixture_free_vecs(5, all);
  fixture_free(comm, &s->f);
}

static double upper_value(const fixture *f, const blo_vec *x, const blo_vec *y)
{
  blo_ask ask = {.upper = BLO_WANT_VALUE, .x = x, .y = y};
  blo_answer answer = {.g = 0};
  BLO_REQUIRE_STATUS(blo_eval_sweep(f->eval, &ask, &answer), BLO_OK);
  return answer.f;
}

/* The hypergradient with v by CG, which solves consistent systems with singular H too. */
static void by_cg(const fixture *f, const blo_vec *x, const blo_vec *y, blo_vec *hx)
{
  blo_adjoint_options o = {.iterations = 100, .tol = 1e-14};
  blo_state *state = NULL;
  blo_estimator *e = NULL;
  BLO_REQUIRE_STATUS(blo_state_create(f->problem->ctx, &state), BLO_OK);
  BLO_REQUIRE_STATUS(blo_estimator_create(f->eval, &o, 0, 5, NULL, state, &e), BLO_OK);
  BLO_REQUIRE_STATUS(blo_estimator_compute(e, 0, x, y, hx), BLO_OK);
  blo_estimator_destroy(&e);
  blo_state_destroy(&state);
}

/* The leader of convex_follower takes w = x, which the lower level does not say. */
static void take_best_follower(const char *type, const blo_vec *x, blo_vec *y)
{
  if (strcmp(type, "convex_follower") == 0) {
    blo_int n = blo_space_n(x->space);
    memcpy(y->data + n, x->data, (size_t)n * sizeof *x->data);
  }
}

/* Newton steps find the minimum of sine_pl only where g is convex: gradient steps go there. */
static void approach(const char *type, const fixture *f, const blo_vec *x, blo_vec *y, blo_vec *g_y)
{
  blo_ask ask = {.lower = BLO_WANT_Y, .x = x, .y = y};
  blo_answer ans = {.g_y = g_y};
  for (int i = 0; i < 100 && strcmp(type, "sine_pl") == 0; i++) {
    BLO_REQUIRE_STATUS(blo_eval_sweep(f->eval, &ask, &ans), BLO_OK);
    blo_vec_axpy(-0.1, g_y, y);
  }
}

/* y*(x) by Newton steps on grad_y g: error_y is 0 there, and F and the norm of grad F are those of
 * f and of the hypergradient, by a dense solution. */
static void closed_forms_agree_with_oracles(blo_comm *comm)
{
  for (int k = 0; k < N_KNOWN; k++) {
    placed s;
    open_case(comm, k, &s);
    double far = known_at(&s.f, s.x, s.y).error_y;
    approach(known_cases[k].type, &s.f, s.x, s.y, s.in_y[0]);
    fixture_solve_lower(&s.f, s.x, s.y, 1e-12);
    take_best_follower(known_cases[k].type, s.x, s.y);
    known_metrics m = known_at(&s.f, s.x, s.y);
    double f = upper_value(&s.f, s.x, s.y);
    if (known_cases[k].definite) {
      BLO_REQUIRE_STATUS(blo_dense_hypergradient(s.f.eval, s.x, s.y, s.in_x[0], NULL), BLO_OK);
    } else {
      by_cg(&s.f, s.x, s.y, s.in_x[0]);
    }
    double norm = blo_vec_norm(s.in_x[0]);
    const char *type = known_cases[k].type;
    BLO_EXPECT_MSG(far > 1e-3 && m.error_y < 1e-10, "%s: y off by %.3g, before by %.3g", type,
                   m.error_y, far);
    BLO_EXPECT_MSG(fabs(m.F - f) < 1e-11 * (1 + fabs(f)), "%s: F %.15g, f at y* %.15g", type, m.F,
                   f);
    BLO_EXPECT_MSG(fabs(m.grad_norm - norm) < 1e-10 * (1 + norm),
                   "%s: |grad F| %.15g, hypergradient %.15g", type, m.grad_norm, norm);
    BLO_EXPECT_MSG(norm > 1e-3, "%s: the point tells nothing", type);
    close_case(comm, &s);
  }
}

/* F - gap is one number, the minimum; it is nowhere undercut, and grad F is the slope of F. */
static void gap_is_above_the_minimum(blo_comm *comm)
{
  for (int k = 0; k < N_KNOWN; k++) {
    placed s;
    open_case(comm, k, &s);
    known_metrics m = known_at(&s.f, s.x, s.y);
    double least = m.F - m.gap;
    const char *type = known_cases[k].type;
    for (int i = 0; i < 5 && !isnan(least); i++) {
      blo_stream st = {31, BLO_PURPOSE_TEST};
      for (blo_int j = 0; j < blo_space_n(s.x->space); j++) {
        s.x->data[j] += 0.4 * blo_stream_normal(st, (uint64_t)i, 0, (uint64_t)j);
      }
      blo_vec_publish(s.x);
      m = known_at(&s.f, s.x, s.y);
      BLO_EXPECT_MSG(m.gap > 0 && fabs(m.F - m.gap - least) < 1e-12 * (1 + fabs(m.F)),
                     "%s: gap %.3g, minimum %.15g and %.15g", type, m.gap, m.F - m.gap, least);
    }
    BLO_EXPECT_MSG(isnan(least) == isnan(m.error_x), "%s: a minimum without a place", type);
    close_case(comm, &s);
  }
}

/* Steps against the hypergradient from the random point: error_x and gap fall to 0 together. */
static void descent_ends_at_a_minimiser(blo_comm *comm)
{
  static const struct {
    const char *type, *settings;
    double step;
    int steps;
  } runs[] = {
      {"quadratic", "{n: 150, m: 130, n_x: 3, n_y: 4, mu: 0.5, start: random, shards: 4}", 0.8,
       100},
      {"factorization", "{shards: 4, start: random}", 0.3, 100},
      {"penalty_quadratic", "{n_x: 3, n_y: 4, rho: 0.5, shards: 4}", 0.5, 100},
      {"pl_game", "{n: 300, d: 8, rank: 2, low: 0.5, shards: 4}", 0.8, 100},
  };
  for (int k = 0; k < (int)(sizeof runs / sizeof *runs); k++) {
    placed s;
    known_open(comm, runs[k].type, runs[k].settings, &s.f);
    fixture_point(&s.f, &s.x, &s.y);
    fixture_like(s.x, 2, s.in_x);
    fixture_like(s.y, 1, s.in_y);
    double far = known_at(&s.f, s.x, s.y).error_x;
    for (int i = 0; i < runs[k].steps; i++) {
      fixture_solve_lower(&s.f, s.x, s.y, 1e-13);
      by_cg(&s.f, s.x, s.y, s.in_x[0]);
      blo_vec_axpy(-runs[k].step, s.in_x[0], s.x);
      blo_vec_publish(s.x);
    }
    known_metrics m = known_at(&s.f, s.x, s.y);
    BLO_EXPECT_MSG(far > 0.1 && m.error_x < 1e-8 && m.grad_norm < 1e-8 && fabs(m.gap) < 1e-14,
                   "%s: x off by %.3g (before %.3g), |grad F| %.3g, gap %.3g", runs[k].type,
                   m.error_x, far, m.grad_norm, m.gap);
    close_case(comm, &s);
  }
}

/* ------------------------------------------------------- ranks and layouts */

enum { CAP = 64 };

/* Everything that one full sweep and the metrics give. */
typedef struct everything {
  double value[2], metric[5], vec[6][CAP];
} everything;

static void evaluate_all(const fixture *f, everything *e)
{
  blo_vec *x, *y, *v, *out[6];
  unsigned first = BLO_WANT_VALUE | BLO_WANT_X | BLO_WANT_Y;
  memset(e, 0, sizeof *e);
  fixture_point(f, &x, &y);
  fixture_like(y, 1, &v);
  fixture_like(x, 3, out);
  fixture_like(y, 3, out + 3);
  blo_vec_copy(y, v);
  blo_ask ask = {.lower = first | BLO_WANT_HV | BLO_WANT_JV,
                 .upper = first,
                 .x = x,
                 .y = y,
                 .n_v = 1,
                 .v = {v}};
  blo_answer ans = {
      .g_x = out[0], .f_x = out[1], .jv = {out[2]}, .g_y = out[3], .f_y = out[4], .hv = {out[5]}};
  BLO_REQUIRE_STATUS(blo_eval_sweep(f->eval, &ask, &ans), BLO_OK);
  e->value[0] = ans.g;
  e->value[1] = ans.f;
  for (int i = 0; i < 6; i++) {
    blo_vec_publish(out[i]);
    memcpy(e->vec[i], out[i]->data, (size_t)blo_space_n(out[i]->space) * sizeof(double));
  }
  BLO_REQUIRE_STATUS(blo_eval_metrics(f->eval, x, y, e->metric), BLO_OK);
  fixture_free_vecs(1, &x);
  fixture_free_vecs(1, &y);
  fixture_free_vecs(1, &v);
  fixture_free_vecs(6, out);
}

/* One rank alone and all ranks have the same bits, x replicated or rooted. */
static void ranks_do_not_matter(blo_comm *comm)
{
  static everything all, alone;
  blo_comm *self = NULL;
  BLO_REQUIRE_STATUS(blo_comm_create(blo_comm_context(comm), MPI_COMM_SELF, &self), BLO_OK);
  for (int k = 0; k < N_KNOWN; k++) {
    char text[256] = "{x: replicated, ";
    fixture f;
    strncat(text, known_cases[k].settings + 1, sizeof text - strlen(text) - 1);
    known_open(comm, known_cases[k].type, known_cases[k].settings, &f);
    evaluate_all(&f, &all);
    fixture_free(comm, &f);
    known_open(self, known_cases[k].type, text, &f);
    evaluate_all(&f, &alone);
    fixture_free(self, &f);
    BLO_EXPECT_MSG(memcmp(&all, &alone, sizeof all) == 0, "%s differs with the ranks",
                   known_cases[k].type);
  }
  blo_comm_destroy(&self);
}

/* Several directions in one sweep give what each gives alone. */
static void directions_agree(blo_comm *comm)
{
  for (int k = 0; k < N_KNOWN; k++) {
    placed s;
    blo_vec *v[3], *hv[3], *jv[3];
    open_case(comm, k, &s);
    fixture_like(s.y, 3, v);
    fixture_like(s.y, 3, hv);
    fixture_like(s.x, 3, jv);
    BLO_REQUIRE_STATUS(blo_eval_reserve(s.f.eval, 0, 3), BLO_OK);
    blo_ask ask = {.lower = BLO_WANT_HV | BLO_WANT_JV, .x = s.x, .y = s.y, .n_v = 3};
    blo_answer ans = {.g = 0};
    for (int i = 0; i < 3; i++) {
      for (blo_int j = 0; j < blo_space_n(s.y->space); j++) {
        v[i]->data[j] = cos((double)((i + 1) * (j + 2)));
      }
      ask.v[i] = v[i];
      ans.hv[i] = hv[i];
      ans.jv[i] = jv[i];
    }
    BLO_REQUIRE_STATUS(blo_eval_sweep(s.f.eval, &ask, &ans), BLO_OK);
    for (int i = 0; i < 3; i++) {
      blo_ask one = {.lower = BLO_WANT_HV | BLO_WANT_JV, .x = s.x, .y = s.y, .n_v = 1, .v = {v[i]}};
      blo_answer its = {.hv = {s.in_y[0]}, .jv = {s.in_x[0]}};
      BLO_REQUIRE_STATUS(blo_eval_sweep(s.f.eval, &one, &its), BLO_OK);
      double size = blo_vec_norm(s.in_y[0]);
      blo_vec_axpy(-1, hv[i], s.in_y[0]);
      blo_vec_axpy(-1, jv[i], s.in_x[0]);
      BLO_EXPECT_MSG(size > 0 && blo_vec_norm(s.in_y[0]) == 0 && blo_vec_norm(s.in_x[0]) == 0,
                     "%s: direction %d differs", known_cases[k].type, i);
    }
    fixture_free_vecs(3, v);
    fixture_free_vecs(3, hv);
    fixture_free_vecs(3, jv);
    close_case(comm, &s);
  }
}

/* --------------------------------------------------------------- samples */

/* The spectrum is in the expectation: the trace of the mean of A, and of B of g, is that of
 * logarithmically spaced numbers, within five standard deviations. */
static void quadratic_has_its_spectrum(blo_comm *comm)
{
  enum { N_X = 5, N_Y = 8, SAMPLES = 4000 };
  fixture f;
  blo_vec *x, *y, *of[4];
  double trace = 0, want = 0, square = 0;
  known_open(comm, "quadratic", "{n: 4000, m: 64, n_x: 5, n_y: 8, mu: 0.01, L: 2, shards: 8}", &f);
  fixture_point(&f, &x, &y);
  fixture_like(y, 4, of);
  for (int j = 0; j < N_Y; j++) {
    blo_ask ask = {.lower = BLO_WANT_HV, .x = x, .y = y, .n_v = 1, .v = {of[0]}};
    blo_answer ans = {.hv = {of[1]}};
    blo_vec_fill(of[0], 0);
    of[0]->data[j] = 1;
    BLO_REQUIRE_STATUS(blo_eval_sweep(f.eval, &ask, &ans), BLO_OK);
    trace += of[1]->data[j];
    double eigenvalue = 0.01 * pow(200, j / (N_Y - 1.0));
    want += eigenvalue;
    square += eigenvalue * eigenvalue;
  }
  double deviation = sqrt(2 * square / SAMPLES); /* of a mean of sums of lambda chi^2 */
  BLO_EXPECT_MSG(fabs(trace - want) < 5 * deviation, "trace %.6g, expected %.6g +- %.2g", trace,
                 want, deviation);
  fixture_free_vecs(1, &x);
  fixture_free_vecs(1, &y);
  fixture_free_vecs(4, of);
  fixture_free(comm, &f);
}

static void lower_gradient(const fixture *f, const blo_batch *batch, const blo_vec *x,
                           const blo_vec *y, blo_vec *to)
{
  blo_ask ask = {.lower = BLO_WANT_Y, .lower_batch = batch, .x = x, .y = y};
  blo_answer ans = {.g_y = to};
  BLO_REQUIRE_STATUS(blo_eval_sweep(f->eval, &ask, &ans), BLO_OK);
}

/* Full batches have no noise at all; batches of 8 have mean 0 and variance sigma^2 / 8 (1 - 8/n)
 * per entry, up to the pairs, of which few are drawn. */
static void noise_is_that_of_samples(blo_comm *comm)
{
  enum { DRAWS = 1000, BATCH = 8, N = 1024, D = 5 };
  fixture quiet, noisy;
  blo_vec *x, *y, *g[3];
  blo_sampler *sampler = NULL;
  double square = 0;
  known_open(comm, "sine_pl", "{shards: 16}", &quiet);
  known_open(comm, "sine_pl", "{shards: 16, noise: 0.5}", &noisy);
  fixture_point(&quiet, &x, &y);
  fixture_like(y, 3, g);
  lower_gradient(&quiet, NULL, x, y, g[0]);
  lower_gradient(&noisy, NULL, x, y, g[1]);
  BLO_EXPECT_ALL(memcmp(g[0]->data, g[1]->data, D * sizeof(double)) == 0);
  BLO_REQUIRE_STATUS(blo_sampler_create(comm, 3, BLO_PURPOSE_LOWER, N, 16, BATCH, &sampler),
                     BLO_OK);
  for (int i = 0; i < DRAWS; i++) {
    lower_gradient(&noisy, blo_sampler_draw(sampler, (uint64_t)i), x, y, g[1]);
    blo_vec_axpy(-1, g[0], g[1]);
    blo_vec_axpy(1.0 / DRAWS, g[1], g[2]);
    square += blo_vec_dot(g[1], g[1]) / DRAWS;
  }
  double deviation = sqrt(square / D), want = 0.5 / sqrt(BATCH);
  BLO_EXPECT_NEAR(deviation, want, 0.06, 0, "sigma / sqrt(batch)");
  BLO_EXPECT_MSG(blo_vec_norm(g[2]) < 4 * want * sqrt((double)D / DRAWS), "mean of the noise %.3g",
                 blo_vec_norm(g[2]));
  blo_sampler_destroy(&sampler);
  fixture_free_vecs(1, &x);
  fixture_free_vecs(1, &y);
  fixture_free_vecs(3, g);
  fixture_free(comm, &quiet);
  fixture_free(comm, &noisy);
}

/* ---------------------------------------------------------------- set-up */

static void failing_setup_leaves_nothing(blo_comm *comm)
{
  for (int k = 0; k < N_KNOWN; k++) {
    known_expect_clean_failures(comm, known_cases[k].type, known_cases[k].settings);
  }
}

static void wrong_sizes_are_refused(blo_comm *comm)
{
  static const struct {
    const char *type, *settings, *says;
  } wrong[] = {
      {"quadratic", "{n: 10, n_y: 20}", "singular"},
      {"quadratic", "{mu: 2, L: 1}", "more than problem.L"},
      {"quadratic", "{n_x: 3, flat: 3}", "problem.flat"},
      {"quartic_saddle", "{n: 3, m: 4}", "4 wells"},
      {"minimax_saddle", "{n: 3, m: 4}", "4 wells"},
      {"pl_game", "{d: 3, rank: 4}", "problem.rank"},
      {"pl_game", "{low: 3, high: 2}", "problem.low"},
      {"minimax_w", "{shards: 3}", "power of two"},
  };
  for (int i = 0; i < (int)(sizeof wrong / sizeof *wrong); i++) {
    known_expect_refused(comm, wrong[i].type, wrong[i].settings, wrong[i].says);
  }
}

/* `start: random` adds start_size times normal numbers; `point` adds none. */
static void random_start_has_its_size(blo_comm *comm)
{
  fixture f;
  blo_vec *x, *y;
  known_open(comm, "convex_follower", "{n: 500, x0: 2, start: random, start_size: 3}", &f);
  BLO_REQUIRE_STATUS(blo_vec_create(blo_eval_space_x(f.eval), &x), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_create(blo_eval_space_y(f.eval), &y), BLO_OK);
  blo_eval_start(f.eval, x, y);
  double sum = 0, square = 0;
  for (int i = 0; i < 1000; i++) {
    sum += (y->data[i] - 2) / 1000;
    square += pow(y->data[i] - 2, 2) / 1000;
  }
  BLO_EXPECT_MSG(fabs(sum) < 0.4 && fabs(square - 9) < 2, "mean %.3g, square %.3g", sum, square);
  BLO_EXPECT_ALL(x->data[0] != y->data[0] && fabs(x->data[0] - 2) > 1e-6);
  fixture_free_vecs(1, &x);
  fixture_free_vecs(1, &y);
  fixture_free(comm, &f);
}

static const blo_test tests[] = {
    {"closed forms agree with oracles", closed_forms_agree_with_oracles},
    {"gap is above the minimum", gap_is_above_the_minimum},
    {"descent ends at a minimiser", descent_ends_at_a_minimiser},
    {"ranks do not matter", ranks_do_not_matter},
    {"directions agree", directions_agree},
    {"quadratic has its spectrum", quadratic_has_its_spectrum},
    {"noise is that of samples", noise_is_that_of_samples},
    {"failing setup leaves nothing", failing_setup_leaves_nothing},
    {"wrong sizes are refused", wrong_sizes_are_refused},
    {"random start has its size", random_start_has_its_size},
};
BLO_TEST_MAIN("analytic", tests)

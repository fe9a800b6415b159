/* stocbio_ineon against its pseudo-code: plain loops over small arrays, whose oracles are direct
 * sums over the samples of the batches that the samplers name. Iterates and every number of the
 * report agree after each iteration, and the verdicts. With f turned round (its scale negative) F
 * is concave, so that there is curvature to be found. */
#include "plain.h"
#include "ride.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NX = QUADRATIC_N_X, NY = QUADRATIC_N_Y };
enum { SEED = 31, ITERATIONS = 18 };

static const double TOL = 1e-11;

/* Settings: they make the run file and steer the loops. */
typedef struct plan {
  double f_scale;
  int T, Q, lower_batch, adjoint_batch, upper_batch;
  double tau, eta_h, eta, decay;
  int every, large_batch;
  double epsilon;
  double radius, threshold, gamma, step, move;
  int t_max;
  const char *accept, *sign;
  bool independent;
  int moves, minima, voids; /* what the run is meant to show, at least */
} plan;

/* In the order of the fields. */
static const plan plans[] = {
    /* searches without growth, that end by T' */
    {1,   3,   4,   20,   15,  10, 0.3,           0.2,      0.1,   0.5, 2, 0, 1e6,
     0.5, 1.0, 0.3, 0.05, 0.1, 3,  "certificate", "random", false, 0,   2, 0},
    /* the norm decides: descent first, a search later */
    {1,   12,  9,   40,   40,  30, 0.3,           0.2,      0.1,   0, 3, 0, 3,
     0.5, 1.0, 0.3, 0.05, 0.1, 5,  "certificate", "random", false, 0, 1, 0},
    /* y does not follow; u grows, but not enough; descent between searches all the same */
    {1,   1,   4,   20,   15,  10, 1e-4,          0.2,      0.1,   0, 1, 0, 1e6,
     0.5, 1.0, 0.3, 0.05, 0.1, 3,  "certificate", "random", false, 0, 0, 2},
    {-1,  3,   4,   20,   15,  10, 0.3,           0.2,      0.1,   0, 1, 0, 1e6,
     0.5, 2.5, 0.3, 0.01, 0.1, 4,  "certificate", "random", false, 0, 0, 2},
    /* negative curvature, in three ways */
    {-1,  3,   4,   20,  15,  10, 0.3,           0.2,      0.05,  0, 2, 50, 1e6,
     0.1, 0.3, 0.3, 0.2, 0.2, 9,  "certificate", "random", false, 2, 0, 0},
    {-1,  2,   3,   30,  25,  12, 0.3,        0.2,        0.05,  0, 2, 0, 1e6,
     0.1, 0.4, 0.3, 0.1, 0.2, 9,  "decrease", "gradient", false, 2, 0, 0},
    {-1,  4,   3,   10,  0,   0, 0.2,      0.3,    0.05,  0, 3, 0, 1e6,
     0.1, 0.3, 0.3, 0.1, 0.1, 9, "growth", "best", false, 2, 0, 0},
    /* steps so large that u grows along positive curvature */
    {1,   3,   4,   20, 15,  10, 0.3,           0.2,      0.1,   0, 2, 0, 1e6,
     0.1, 1.0, 0.3, 3,  0.1, 9,  "certificate", "random", false, 0, 0, 2},
    {1,   3,   4,   20, 15,  10, 0.3,        0.2,      0.1,  0, 2, 0, 1e6,
     0.1, 1.0, 0.3, 3,  0.1, 9,  "decrease", "random", true, 0, 0, 2},
};
enum { N_PLANS = sizeof plans / sizeof *plans };

static void to_text(const plan *p, char *text, size_t cap)
{
  snprintf(text, cap,
           "lower: {steps: %d, batch: %d, step: %.17g}\n"
           "adjoint: {iterations: %d, batch: %d, step: %.17g}\n"
           "upper: {batch: %d, step: %.17g, decay: %.17g}\n"
           "check: {every: %d, batch: %d, epsilon: %.17g}\n"
           "search: {radius: %.17g, threshold: %.17g, curvature: %.17g, step: %.17g, move: %.17g,"
           " iterations: %d, accept: %s, sign: %s, independent: %s, failure: 0.9}\n",
           p->T, p->lower_batch, p->tau, p->Q, p->adjoint_batch, p->eta_h, p->upper_batch, p->eta,
           p->decay, p->every, p->large_batch, p->epsilon, p->radius, p->threshold, p->gamma,
           p->step, p->move, p->t_max, p->accept, p->sign, p->independent ? "true" : "false");
}

/* ------------------------------------------------------- the plain loops */

/* What is seen after an outer iteration. */
typedef struct frame {
  blo_report report;
  double x[NX], y[NY];
} frame;

typedef struct reference {
  const plan *p;
  plain_draws small, large; /* of small and of large estimates */
  double x[NX], y[NY];
  int plan_number, searches, moves;
  frame *frames; /* [ITERATIONS] */
  int n;
} reference;

/* f_scale f, as f + (f_scale - 1) f: exact for 1 and -1. */
static quadratic_oracles f_at(const reference *r, const plain_draws *d, int draw, const double *x,
                              const double *y)
{
  quadratic_oracles f = plain_upper(d, draw, x, y);
  double more = r->p->f_scale - 1;
  f.value *= r->p->f_scale;
  plain_add(NX, f.gx, more, f.gx, f.gx);
  plain_add(NY, f.gy, more, f.gy, f.gy);
  return f;
}

/* StocHyper(x, y; plan number k); what it reports. */
static blo_report stoc_hyper(const reference *r, const plain_draws *draws, int k, const double *x,
                             double *y, double *hx)
{
  const plan *p = r->p;
  double w[NY], v[NY] = {0};
  blo_report s = blo_report_none();
  for (int t = 0; t < p->T; t++) {
    quadratic_oracles g = plain_lower(draws, draws->lower, k * p->T + t, x, y, y);
    plain_add(NY, y, -p->tau, g.gy, y);
  }
  quadratic_oracles f = f_at(r, draws, k, x, y);
  memcpy(w, f.gy, sizeof w);
  plain_neumann(draws, k * (p->Q + 1), p->Q, p->eta_h, x, y, v, w);
  quadratic_oracles g = plain_lower(draws, draws->cross, k, x, y, v);
  plain_hypergradient(&f, &g, hx);
  plain_certify(&f, &g, &s);
  s.hypergrad_norm = plain_norm(NX, hx);
  s.adjoint_iterations = p->Q;
  s.lower_steps = p->T;
  s.step_y = p->tau;
  s.second_order = BLO_SECOND_ORDER_UNDECIDED;
  s.verdict = plain_norm(NY, w) > plain_norm(NY, f.gy) ? BLO_VERDICT_GREW : BLO_VERDICT_SPENT;
  return s;
}

static void record(reference *r, const blo_report *report)
{
  if (r->n < ITERATIONS) {
    frame *to = &r->frames[r->n++];
    to->report = *report;
    to->report.perturbations = r->moves;
    memcpy(to->x, r->x, sizeof r->x);
    memcpy(to->y, r->y, sizeof r->y);
  }
}

/* A search and its vectors. */
typedef struct hunt {
  double u[NX], y_a[NY], y_b[NY];
  double tracked; /* |u| when y_b belonged to x + u */
  double g[2][NX], f[2];
} hunt;

/* x + h u / |u|, and y_a + (h / tracked) (y_b - y_a) */
static void side(const reference *r, const hunt *s, double h, double *x, double *y)
{
  double d[NY];
  plain_add(NX, r->x, h / plain_norm(NX, s->u), s->u, x);
  plain_add(NY, s->y_b, -1, s->y_a, d);
  plain_add(NY, s->y_a, h / s->tracked, d, y);
}

static void both_sides(reference *r, hunt *s, double h)
{
  double x[NX], y[NY];
  int k = r->plan_number++;
  for (int i = 0; i < 2; i++) {
    side(r, s, i == 0 ? h : -h, x, y);
    s->f[i] = stoc_hyper(r, &r->large, k, x, y, s->g[i]).f;
  }
}

static void take_move(reference *r, hunt *s, const double *g_large)
{
  const plan *p = r->p;
  double sign = 1, x[NX], y[NY];
  if (strcmp(p->sign, "random") == 0) {
    const blo_stream st = {SEED, BLO_PURPOSE_DIRECTION};
    sign = blo_stream_uniform(st, (uint64_t)r->searches, 1, 0) < 0.5 ? 1 : -1;
  } else if (strcmp(p->sign, "gradient") == 0) {
    sign = plain_dot(NX, g_large, s->u) > 0 ? -1 : 1;
  } else {
    both_sides(r, s, p->move);
    sign = s->f[0] <= s->f[1] ? 1 : -1;
  }
  side(r, s, sign * p->move, x, y);
  memcpy(r->x, x, sizeof x);
  memcpy(r->y, y, sizeof y);
  r->moves++;
}

static void begin_hunt(reference *r, hunt *s)
{
  const blo_stream st = {SEED, BLO_PURPOSE_DIRECTION};
  for (int i = 0; i < NX; i++) {
    s->u[i] = blo_stream_normal(st, (uint64_t)r->searches, 0, (uint64_t)i);
  }
  double length = plain_norm(NX, s->u);
  for (int i = 0; i < NX; i++) {
    s->u[i] *= r->p->radius / length;
  }
  memcpy(s->y_a, r->y, sizeof r->y);
  memcpy(s->y_b, r->y, sizeof r->y);
  r->searches++;
}

/* Whether an estimate at a distance brings y and v near to where they belong there. */
static bool all_follow(reference *r)
{
  const plan *p = r->p;
  const blo_stream st = {SEED, BLO_PURPOSE_DIRECTION};
  plan still = *p;
  double way[NX], x[NX], y[NY], hx[NX];
  int k = r->plan_number++;
  for (int i = 0; i < NX; i++) {
    way[i] = blo_stream_normal(st, (uint64_t)k, 0, (uint64_t)i);
  }
  plain_add(NX, r->x, p->threshold / plain_norm(NX, way), way, x);
  memcpy(y, r->y, sizeof y);
  still.T = 0;
  r->p = &still;
  double before = stoc_hyper(r, &r->large, k, x, y, hx).lower_residual;
  r->p = p;
  blo_report after = stoc_hyper(r, &r->large, k, x, y, hx);
  double growth = pow(p->threshold * sqrt(NX) / (0.9 * p->radius), 1.0 / p->t_max);
  return after.lower_residual * growth * growth <= before && after.adjoint_relative <= 0.5;
}

/* iNEON(x, y) and what follows from it. @return whether it has decided something */
static bool search(reference *r, const double *g_large)
{
  const plan *p = r->p;
  hunt s;
  begin_hunt(r, &s);
  for (int t = 1; r->n < ITERATIONS; t++) {
    double g_a[NX], g_b[NX], d[NX], z[NX], length = plain_norm(NX, s.u);
    bool found = false, end = false;
    int k = r->plan_number++;
    blo_report now = stoc_hyper(r, &r->small, k, r->x, s.y_a, g_a);
    plain_add(NX, r->x, 1, s.u, z);
    k = p->independent ? r->plan_number++ : k;
    double f_b = stoc_hyper(r, &r->small, k, z, s.y_b, g_b).f;
    s.tracked = length;
    plain_add(NX, g_b, -1, g_a, d);
    double curved = plain_dot(NX, s.u, d) / (length * length);
    double change = f_b - now.f - plain_dot(NX, g_a, s.u);
    if (strcmp(p->accept, "decrease") == 0 &&
        change <= -p->gamma * p->threshold * p->threshold / 4) {
      found = end = true;
      now.curvature_F = 2 * change / (length * length);
    } else {
      plain_add(NX, s.u, -p->step, d, s.u);
      length = plain_norm(NX, s.u);
    }
    if (!found && length >= p->threshold) {
      end = true;
      now.curvature_F = curved;
      found = strcmp(p->accept, "growth") == 0;
      if (strcmp(p->accept, "certificate") == 0) {
        both_sides(r, &s, p->threshold);
        plain_add(NX, s.g[0], -1, s.g[1], d);
        now.curvature_F = plain_dot(NX, s.u, d) / (2 * p->threshold * length);
        found = now.curvature_F <= -p->gamma / 2;
      }
    } else if (!found && t == p->t_max) {
      end = true;
      now.converged = length <= p->radius && all_follow(r);
      now.second_order = now.converged ? BLO_SECOND_ORDER_MINIMUM : BLO_SECOND_ORDER_UNDECIDED;
    }
    now.search = length;
    if (found) {
      take_move(r, &s, g_large);
    }
    record(r, &now);
    if (end) {
      return found || now.converged;
    }
  }
  return true;
}

static void run_pseudo_code(reference *r)
{
  const plan *p = r->p;
  bool decided = true;
  for (int rounds = 0; r->n < ITERATIONS; rounds++) {
    double g[NX];
    bool due = rounds % p->every == 0 && decided;
    decided = true;
    if (due) {
      blo_report now = stoc_hyper(r, &r->large, r->plan_number++, r->x, r->y, g);
      if (plain_norm(NX, g) <= 0.8 * p->epsilon) {
        now.search = p->radius;
        record(r, &now);
        decided = search(r, g);
        continue;
      }
    }
    blo_report now = stoc_hyper(r, &r->small, r->plan_number++, r->x, r->y, g);
    now.step_x = p->eta * pow(r->n + 1, -p->decay);
    plain_add(NX, r->x, -now.step_x, g, r->x);
    record(r, &now);
  }
}

/* ----------------------------------------------------------- comparisons */

static void make_reference(blo_comm *comm, const plan *p, const blo_solver *s, frame *frames,
                           reference *r)
{
  uint64_t bits[4];
  *r = (reference){.p = p, .frames = frames};
  plain_draws_open(comm, SEED, p->lower_batch, p->adjoint_batch, p->upper_batch, &r->small);
  blo_stream_bits((blo_stream){SEED, BLO_PURPOSE_DIRECTION}, 0, 2, 0, bits);
  plain_draws_open(comm, bits[0], p->large_batch, p->large_batch, p->large_batch, &r->large);
  memcpy(r->x, s->x->data, sizeof r->x);
  memcpy(r->y, s->y->data, sizeof r->y);
}

static void expect_variety(const plan *p, int plan_at, const frame *frames)
{
  int minima = 0, voids = 0;
  for (int k = 0; k < ITERATIONS; k++) {
    minima += frames[k].report.converged;
  }
  for (int k = 2; k < ITERATIONS; k++) { /* descent begins in k */
    const blo_report *last = &frames[k - 1].report;
    bool moved = last->perturbations > frames[k - 2].report.perturbations;
    voids += !isnan(last->search) && isnan(frames[k].report.search) && !last->converged && !moved;
  }
  BLO_EXPECT_MSG(frames[ITERATIONS - 1].report.perturbations >= p->moves && minima >= p->minima &&
                     voids >= p->voids && plain_norm(NX, frames[ITERATIONS - 1].x) < 100,
                 "plan %d: %g moves, %d minima, %d void searches", plan_at,
                 frames[ITERATIONS - 1].report.perturbations, minima, voids);
}

static void follow(blo_comm *comm, int plan_at)
{
  const plan *p = &plans[plan_at];
  char text[1024];
  frame frames[ITERATIONS];
  fixture f;
  blo_report got;
  reference r;
  fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &f);
  quadratic_faults(f.problem)->upper_scale = p->f_scale;
  to_text(p, text, sizeof text);
  blo_solver *s = ride_make(&f, "stocbio_ineon", text, SEED);
  make_reference(comm, p, s, frames, &r);
  run_pseudo_code(&r);
  s->want_norms = true;
  for (int k = 0; k < ITERATIONS; k++) {
    const plain_spot at = {"stocbio_ineon", plan_at, k, TOL};
    BLO_REQUIRE_STATUS(blo_solver_step(s, &got), BLO_OK);
    plain_expect_step(&at, s, &got, &frames[k].report, frames[k].x, frames[k].y);
    BLO_EXPECT_ALL(s->evidence[0] != '\0');
  }
  expect_variety(p, plan_at, frames);
  plain_draws_close(&r.small);
  plain_draws_close(&r.large);
  blo_solver_destroy(&s);
  fixture_free(comm, &f);
}

static void method_does_what_its_page_says(blo_comm *comm)
{
  for (int i = 0; i < N_PLANS; i++) {
    follow(comm, i);
  }
}

/* Settings that make no sense together, and what is said of them. */
static void nonsense_is_refused(blo_comm *comm)
{
  static const struct {
    const char *settings, *says;
  } all[] = {
      {"search: {radius: 0.5}", "solver.search.radius = 0.5 must be less than"},
      {"upper: {step: 0}", "solver.search.step must be given"},
      {"check: {batch: 20}\nadjoint: {batch: 10}\nlower: {batch: 30}",
       "solver.check.batch = 20 is less than the 30 samples of solver.lower.batch"},
      {"check: {batch: 20}\nadjoint: {batch: 0}\nlower: {batch: 10}",
       "solver.check.batch = 20 is less than the 100 samples of solver.adjoint.batch"},
      {"check: {batch: 20}\nadjoint: {batch: 20}\nlower: {batch: 10}\nupper: {batch: 21}",
       "solver.check.batch = 20 is less than the 21 samples of solver.upper.batch"},
      {"search: {curvature: 1e-300}", "iterations follow from"},
      {"search: {iterations: 3}", "3 iterations show curvature below -"},
      {"search: {failure: 0}", "out of range"},
      {"lower: {step: 0}", "out of range"},
      {"lower: {momentum: 0.5}", "momentum"},
  };
  fixture f;
  fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &f);
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    ride_expect_refused(&f, "stocbio_ineon", all[i].settings, BLO_E_OPTION, all[i].says);
  }
  fixture_free(comm, &f);
}

/* A search whose u leaves the range of doubles says so. */
static void search_looks_at_u(blo_comm *comm)
{
  ride r;
  int done;
  ride_fixture(comm, FIXTURE_QUADRATIC, "stocbio_ineon",
               "check: {epsilon: 1e6}\nlower: {step: 0.3}\nadjoint: {step: 0.2}\n"
               "search: {step: 1e308, threshold: 1e300, iterations: 1100}",
               SEED, &r);
  BLO_EXPECT_STATUS(ride_until_failure(&r, 5, &done), BLO_E_NONFINITE);
  BLO_EXPECT_ERROR_HAS("search for negative curvature is not finite");
  ride_close(comm, &r);
}

static const blo_test tests[] = {
    {"method does what its page says", method_does_what_its_page_says},
    {"nonsense is refused", nonsense_is_refused},
    {"search looks at u", search_looks_at_u},
};
BLO_TEST_MAIN("stocbio_ineon", tests)

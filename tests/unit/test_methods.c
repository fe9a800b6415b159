/* aid, stocbio and soba against their pseudo-code: plain loops over small arrays, whose oracles are
 * direct sums over the samples of the batches that the sampler names (arXiv 2010.07962, algorithms
 * 1 to 3; arXiv 2201.13409, algorithm 1). Iterates and every number of the report agree after each
 * of several iterations. Measured on 1 and 4 ranks: differences below 3e-15 max(1, size). */
#include "plain.h"
#include "ride.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NX = QUADRATIC_N_X, NY = QUADRATIC_N_Y };
enum { SEED = 29, ITERATIONS = 5 };

static const double TOL = 1e-12;

/* Settings of a method: they make the run file and steer the loops. */
typedef struct plan {
  const char *method, *adjoint; /* adjoint "" for SOBA */
  int T, K;
  int lower_batch, adjoint_batch, upper_batch;
  double rho, rho_decay, lower_momentum;
  double eta, eta_decay;
  double gamma, gamma_decay, upper_momentum;
  bool warm_y, warm_v;
} plan;

static const plan plans[] = {
    {"aid", "cg", 3, 3, 0, 0, 0, 0.3, 0, 0, 1, 0, 0.2, 0, 0, true, true},
    {"aid", "cg", 2, 4, 20, 30, 10, 0.3, 0.5, 0.6, 1, 0, 0.2, 0.25, 0.7, true, false},
    {"aid", "cg", 4, 2, 25, 40, 0, 0.2, 0.7, 0.5, 1, 0, 0.3, 1, 0.4, false, true},
    {"aid", "neumann", 3, 5, 0, 0, 0, 0.3, 1, 0.3, 0.3, 0, 0.2, 0.5, 0.5, false, true},
    {"stocbio", "neumann", 3, 4, 20, 15, 10, 0.3, 0.5, 0, 0.3, 0, 0.2, 0.5, 0, true, false},
    {"stocbio", "neumann", 2, 3, 30, 25, 12, 0.25, 0, 0.5, 0.2, 0, 0.2, 0, 0.8, true, true},
    {"stocbio", "neumann", 4, 1, 10, 30, 0, 0.25, 1, 0.8, 0.4, 0, 0.1, 0.3, 0.8, false, false},
    {"soba", "", 1, 1, 20, 0, 10, 0.3, 0.5, 0, 0.2, 0.25, 0.2, 0.5, 0, true, true},
    {"soba", "", 1, 1, 30, 0, 0, 0.2, 0, 0, 0.3, 1, 0.1, 0.75, 0.6, true, true},
};
enum { N_PLANS = sizeof plans / sizeof *plans };

static void to_text(const plan *p, char *text, size_t cap)
{
  size_t n;
  bool soba = p->adjoint[0] == '\0';
  snprintf(text, cap,
           "lower: {batch: %d, step: %.17g, decay: %.17g}\n"
           "upper: {batch: %d, step: %.17g, decay: %.17g, momentum: %.17g}\n",
           p->lower_batch, p->rho, p->rho_decay, p->upper_batch, p->gamma, p->gamma_decay,
           p->upper_momentum);
  if (soba) {
    n = strlen(text);
    snprintf(text + n, cap - n, "adjoint: {step: %.17g, decay: %.17g}\n", p->eta, p->eta_decay);
    return;
  }
  snprintf(text, cap,
           "lower: {steps: %d, batch: %d, step: %.17g, decay: %.17g, momentum: %.17g,"
           " warm_start: %s}\n"
           "adjoint: {type: %s, iterations: %d, batch: %d, step: %.17g, tol: 0, warm_start: %s}\n"
           "upper: {batch: %d, step: %.17g, decay: %.17g, momentum: %.17g}\n",
           p->T, p->lower_batch, p->rho, p->rho_decay, p->lower_momentum,
           p->warm_y ? "true" : "false", p->adjoint, p->K, p->adjoint_batch, p->eta,
           p->warm_v ? "true" : "false", p->upper_batch, p->gamma, p->gamma_decay,
           p->upper_momentum);
}

/* ------------------------------------------------------- the plain loops */

/* A run of the pseudo-code: its batches, its iterates, and the report of the last iteration. */
typedef struct reference {
  const plan *p;
  plain_draws draws;
  double x[NX], y[NY], v[NY], y0[NY];
  double my[NY], mx[NX]; /* momenta */
  blo_report report;
} reference;

static void open_reference(blo_comm *comm, const plan *p, const blo_solver *s, reference *r)
{
  *r = (reference){.p = p};
  memcpy(r->x, s->x->data, sizeof r->x);
  memcpy(r->y, s->y->data, sizeof r->y);
  memcpy(r->y0, s->y->data, sizeof r->y0);
  plain_draws_open(comm, SEED, p->lower_batch, p->adjoint_batch, p->upper_batch, &r->draws);
}

/* g and its derivatives where the run is, products with `v`, on batch `draw`. */
static quadratic_oracles lower_at(const reference *r, blo_sampler *from, int draw, const double *v)
{
  return plain_lower(&r->draws, from, draw, r->x, r->y, v);
}

static void lower_steps(reference *r, int k, double rho)
{
  const plan *p = r->p;
  for (int t = 0; t < p->T; t++) {
    if (t == 0 && !p->warm_y) {
      memcpy(r->y, r->y0, sizeof r->y);
      memset(r->my, 0, sizeof r->my);
    }
    quadratic_oracles g = lower_at(r, r->draws.lower, k * p->T + t, r->v);
    for (int j = 0; j < NY; j++) {
      r->my[j] = p->lower_momentum * r->my[j] + g.gy[j];
      r->y[j] -= rho * r->my[j];
    }
  }
}

static void upper_step(reference *r, double gamma, const double *hx)
{
  r->report.hypergrad_norm = plain_norm(NX, hx);
  for (int i = 0; i < NX; i++) {
    r->mx[i] = r->p->upper_momentum * r->mx[i] + hx[i];
    r->x[i] -= gamma * r->mx[i];
  }
}

/* CG has one matrix; the series draws a fresh one for each product, and one more for the residual
 * of a warm start. */
static void solve(reference *r, int k, double *w)
{
  const plan *p = r->p;
  int draw = k * (p->K + 1);
  if (strcmp(p->adjoint, "cg") == 0) {
    r->report.curvature = plain_cg(&r->draws, draw, p->K, r->x, r->y, r->v, w);
  } else {
    plain_neumann(&r->draws, draw + p->warm_v, p->K, p->eta, r->x, r->y, r->v, w);
  }
}

static void double_loop(reference *r, int k)
{
  const plan *p = r->p;
  blo_report *s = &r->report;
  bool one = strcmp(p->adjoint, "cg") == 0 || p->adjoint_batch == 0;
  int draw = k * (p->K + 1);
  double w[NY], hx[NX];
  *s = blo_report_none();
  s->step_x = plain_schedule(p->gamma, p->gamma_decay, k);
  s->step_y = plain_schedule(p->rho, p->rho_decay, k);
  s->lower_steps = p->T;
  s->adjoint_iterations = p->K;
  s->verdict = BLO_VERDICT_SPENT;
  lower_steps(r, k, s->step_y);
  if (!p->warm_v) {
    memset(r->v, 0, sizeof r->v);
  }
  quadratic_oracles f = plain_upper(&r->draws, k, r->x, r->y);
  quadratic_oracles h0 = lower_at(r, r->draws.hessian, draw, r->v);
  plain_add(NY, f.gy, -1, h0.hv, w);
  solve(r, k, w);
  quadratic_oracles g =
      one ? lower_at(r, r->draws.hessian, draw, r->v) : lower_at(r, r->draws.cross, k, r->v);
  plain_hypergradient(&f, &g, hx);
  plain_certify(&f, &g, s);
  upper_step(r, s->step_x, hx);
}

static void single_loop(reference *r, int k)
{
  const plan *p = r->p;
  quadratic_oracles g = lower_at(r, r->draws.lower, k, r->v);
  quadratic_oracles f = plain_upper(&r->draws, k, r->x, r->y);
  double hx[NX], eta = plain_schedule(p->eta, p->eta_decay, k);
  r->report = blo_report_none();
  r->report.f = f.value;
  r->report.g = g.value;
  r->report.lower_residual = plain_norm(NY, g.gy);
  r->report.adjoint_residual = plain_distance(NY, g.hv, f.gy);
  r->report.adjoint_iterations = 1;
  r->report.step_x = plain_schedule(p->gamma, p->gamma_decay, k);
  r->report.step_y = plain_schedule(p->rho, p->rho_decay, k);
  r->report.verdict = BLO_VERDICT_SPENT;
  for (int j = 0; j < NY; j++) {
    r->y[j] -= r->report.step_y * g.gy[j];
    r->v[j] -= eta * (g.hv[j] - f.gy[j]);
  }
  plain_hypergradient(&f, &g, hx);
  upper_step(r, r->report.step_x, hx);
}

/* ----------------------------------------------------------- comparisons */

static void follow(blo_comm *comm, const fixture *f, int number)
{
  const plan *p = &plans[number];
  char text[1024];
  blo_report got;
  reference r;
  to_text(p, text, sizeof text);
  blo_solver *s = ride_make(f, p->method, text, SEED);
  open_reference(comm, p, s, &r);
  s->want_norms = true;
  for (int k = 0; k < ITERATIONS; k++) {
    const plain_spot at = {p->method, number, k, TOL};
    BLO_REQUIRE_STATUS(blo_solver_step(s, &got), BLO_OK);
    (p->adjoint[0] == '\0' ? single_loop : double_loop)(&r, k);
    plain_expect_step(&at, s, &got, &r.report, r.x, r.y);
  }
  plain_draws_close(&r.draws);
  blo_solver_destroy(&s);
}

static void methods_do_what_their_pages_say(blo_comm *comm)
{
  for (int i = 0; i < N_PLANS; i++) {
    fixture f;
    fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &f);
    follow(comm, &f, i);
    fixture_free(comm, &f);
  }
}

/* c / (t + 1)^e at powers of two, where both sides are exact. */
static void steps_decay(blo_comm *comm)
{
  (void)comm;
  BLO_EXPECT_ALL(blo_schedule_at((blo_schedule){3, 0}, 7) == 3);
  BLO_EXPECT_ALL(blo_schedule_at((blo_schedule){3, 1}, 0) == 3);
  BLO_EXPECT_ALL(blo_schedule_at((blo_schedule){3, 1}, 3) == 0.75);
  BLO_EXPECT_ALL(blo_schedule_at((blo_schedule){3, 0.5}, 15) == 0.75);
  BLO_EXPECT_ALL(blo_schedule_at((blo_schedule){3, 2}, 1) == 0.75);
}

/* An upper step beyond the range of doubles: the step that made it says so, not the next sweep. */
static void upper_step_looks_at_x(blo_comm *comm)
{
  fixture f;
  blo_report r;
  fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &f);
  quadratic_faults(f.problem)->upper_scale = 1e300;
  blo_solver *s = ride_make(&f, "soba", "upper: {step: 1e12, batch: 0}\nlower: {batch: 0}", SEED);
  BLO_EXPECT_STATUS(blo_solver_step(s, &r), BLO_E_NONFINITE);
  BLO_EXPECT_ERROR_HAS("x is not finite after the upper step of iteration 0");
  blo_solver_destroy(&s);
  fixture_free(comm, &f);
}

static const blo_test tests[] = {
    {"methods do what their pages say", methods_do_what_their_pages_say},
    {"steps decay", steps_decay},
    {"upper step looks at x", upper_step_looks_at_x},
};
BLO_TEST_MAIN("methods", tests)

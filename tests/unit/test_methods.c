/* aid, stocbio and soba against their pseudo-code: plain loops over small arrays, whose oracles are
 * direct sums over the samples of the batches that the sampler names (arXiv 2010.07962, algorithms
 * 1 to 3; arXiv 2201.13409, algorithm 1). Iterates and every number of the report agree after each
 * of several iterations. Measured on 1 and 4 ranks: differences below 3e-15 max(1, size). */
#include "fixture.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NX = QUADRATIC_N_X, NY = QUADRATIC_N_Y, N = QUADRATIC_N, M = QUADRATIC_M };
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

/* A run of the pseudo-code: its samplers, its iterates, and the report of the last iteration. */
typedef struct reference {
  const plan *p;
  blo_comm *comm;
  blo_sampler *lower, *hessian, *cross, *upper;
  double x[NX], y[NY], v[NY], y0[NY];
  double my[NY], mx[NX]; /* momenta */
  blo_report report;
} reference;

static void open_sampler(blo_comm *comm, blo_purpose purpose, int n, int batch, blo_sampler **out)
{
  BLO_REQUIRE_STATUS(blo_sampler_create(comm, SEED, purpose, n, 16, batch, out), BLO_OK);
}

static void open_reference(blo_comm *comm, const plan *p, const double *x, const double *y,
                           reference *r)
{
  *r = (reference){.p = p, .comm = comm};
  memcpy(r->x, x, sizeof r->x);
  memcpy(r->y, y, sizeof r->y);
  memcpy(r->y0, y, sizeof r->y0);
  open_sampler(comm, BLO_PURPOSE_LOWER, N, p->lower_batch, &r->lower);
  open_sampler(comm, BLO_PURPOSE_ADJOINT, N, p->adjoint_batch, &r->hessian);
  open_sampler(comm, BLO_PURPOSE_CROSS, N, p->adjoint_batch, &r->cross);
  open_sampler(comm, BLO_PURPOSE_UPPER, M, p->upper_batch, &r->upper);
}

static void close_reference(reference *r)
{
  blo_sampler_destroy(&r->lower);
  blo_sampler_destroy(&r->hessian);
  blo_sampler_destroy(&r->cross);
  blo_sampler_destroy(&r->upper);
}

/* g and its derivatives at (x, y), products with `v`, on batch `draw`. */
static quadratic_oracles lower_at(const reference *r, blo_sampler *sampler, int draw,
                                  const double *v)
{
  int count[N];
  fixture_batch_counts(r->comm, blo_sampler_draw(sampler, (uint64_t)draw), N, 16, count);
  return quadratic_mean(BLO_LOWER, count, r->x, r->y, v);
}

static quadratic_oracles upper_at(const reference *r, int draw)
{
  int count[M];
  fixture_batch_counts(r->comm, blo_sampler_draw(r->upper, (uint64_t)draw), M, 16, count);
  return quadratic_mean(BLO_UPPER, count, r->x, r->y, NULL);
}

static double dot(int n, const double *a, const double *b)
{
  double sum = 0;
  for (int i = 0; i < n; i++) {
    sum += a[i] * b[i];
  }
  return sum;
}

static double norm(int n, const double *a)
{
  return sqrt(dot(n, a, a));
}

/* |a - b| */
static double distance(int n, const double *a, const double *b)
{
  double d[NY];
  for (int i = 0; i < n; i++) {
    d[i] = a[i] - b[i];
  }
  return norm(n, d);
}

static void lower_steps(reference *r, int k, double rho)
{
  const plan *p = r->p;
  for (int t = 0; t < p->T; t++) {
    if (t == 0 && !p->warm_y) {
      memcpy(r->y, r->y0, sizeof r->y);
      memset(r->my, 0, sizeof r->my);
    }
    quadratic_oracles g = lower_at(r, r->lower, k * p->T + t, r->v);
    for (int j = 0; j < NY; j++) {
      r->my[j] = p->lower_momentum * r->my[j] + g.gy[j];
      r->y[j] -= rho * r->my[j];
    }
  }
}

/* Batch `i` of the solve: CG has one matrix, the series draws a fresh one for each product. */
static quadratic_oracles solve_product(const reference *r, int k, int i, const double *v)
{
  bool one = strcmp(r->p->adjoint, "cg") == 0;
  return lower_at(r, r->hessian, k * (r->p->K + 1) + (one ? 0 : i), v);
}

/* The textbook's CG from v, whose residual is w. */
static void conjugate_gradients(reference *r, int k, double *w)
{
  double d[NY], ww = dot(NY, w, w);
  memcpy(d, w, sizeof d);
  for (int i = 0; i < r->p->K; i++) {
    quadratic_oracles g = solve_product(r, k, i, d);
    double alpha = ww / dot(NY, d, g.hv), old = ww, curved = dot(NY, d, g.hv) / dot(NY, d, d);
    for (int j = 0; j < NY; j++) {
      r->v[j] += alpha * d[j];
      w[j] -= alpha * g.hv[j];
    }
    ww = dot(NY, w, w);
    for (int j = 0; j < NY; j++) {
      d[j] = w[j] + ww / old * d[j];
    }
    r->report.curvature = i == 0 ? curved : fmin(r->report.curvature, curved);
  }
}

/* v_0 + eta sum_{i=0}^K (I - eta H)^i w. */
static void neumann_series(reference *r, int k, double *w)
{
  for (int i = 0; i <= r->p->K; i++) {
    if (i > 0) {
      quadratic_oracles g = solve_product(r, k, r->p->warm_v ? i : i - 1, w);
      for (int j = 0; j < NY; j++) {
        w[j] -= r->p->eta * g.hv[j];
      }
    }
    for (int j = 0; j < NY; j++) {
      r->v[j] += r->p->eta * w[j];
    }
  }
}

static void upper_step(reference *r, double gamma, const double *hx)
{
  r->report.hypergrad_norm = norm(NX, hx);
  for (int i = 0; i < NX; i++) {
    r->mx[i] = r->p->upper_momentum * r->mx[i] + hx[i];
    r->x[i] -= gamma * r->mx[i];
  }
}

static double schedule(double c, double e, int k)
{
  return c * pow(k + 1, -e);
}

static void double_loop(reference *r, int k)
{
  const plan *p = r->p;
  blo_report *s = &r->report;
  bool one = strcmp(p->adjoint, "cg") == 0 || p->adjoint_batch == 0;
  double w[NY], hx[NX];
  *s = blo_report_none();
  s->step_x = schedule(p->gamma, p->gamma_decay, k);
  s->step_y = schedule(p->rho, p->rho_decay, k);
  s->lower_steps = p->T;
  s->adjoint_iterations = p->K;
  s->verdict = BLO_VERDICT_SPENT;
  lower_steps(r, k, s->step_y);
  if (!p->warm_v) {
    memset(r->v, 0, sizeof r->v);
  }
  quadratic_oracles f = upper_at(r, k), h0 = solve_product(r, k, 0, r->v);
  for (int j = 0; j < NY; j++) {
    w[j] = f.gy[j] - h0.hv[j];
  }
  (strcmp(p->adjoint, "cg") == 0 ? conjugate_gradients : neumann_series)(r, k, w);
  quadratic_oracles g = one ? solve_product(r, k, 0, r->v) : lower_at(r, r->cross, k, r->v);
  for (int i = 0; i < NX; i++) {
    hx[i] = f.gx[i] - g.jv[i];
  }
  s->f = f.value;
  s->g = g.value;
  s->lower_residual = norm(NY, g.gy);
  s->adjoint_residual = distance(NY, g.hv, f.gy);
  s->adjoint_rhs = norm(NY, f.gy);
  s->adjoint_relative = s->adjoint_residual / s->adjoint_rhs;
  upper_step(r, s->step_x, hx);
}

static void single_loop(reference *r, int k)
{
  const plan *p = r->p;
  quadratic_oracles g = lower_at(r, r->lower, k, r->v), f = upper_at(r, k);
  double hx[NX], eta = schedule(p->eta, p->eta_decay, k);
  r->report = blo_report_none();
  r->report.f = f.value;
  r->report.g = g.value;
  r->report.lower_residual = norm(NY, g.gy);
  r->report.adjoint_residual = distance(NY, g.hv, f.gy);
  r->report.adjoint_iterations = 1;
  r->report.step_x = schedule(p->gamma, p->gamma_decay, k);
  r->report.step_y = schedule(p->rho, p->rho_decay, k);
  r->report.verdict = BLO_VERDICT_SPENT;
  for (int j = 0; j < NY; j++) {
    r->y[j] -= r->report.step_y * g.gy[j];
    r->v[j] -= eta * (g.hv[j] - f.gy[j]);
  }
  for (int i = 0; i < NX; i++) {
    hx[i] = f.gx[i] - g.jv[i];
  }
  upper_step(r, r->report.step_x, hx);
}

/* ----------------------------------------------------------- comparisons */

static void expect_number(const plan *p, int k, const char *name, double got, double want)
{
  bool same = isnan(want) ? isnan(got) : fabs(got - want) <= TOL * fmax(1, fabs(want));
  BLO_EXPECT_MSG(same, "%s, %s, iteration %d: %s is %.17g, by the pseudo-code %.17g", p->method,
                 p->adjoint, k, name, got, want);
}

static void expect_report(const plan *p, int k, const blo_report *got, const blo_report *want)
{
#define EXPECT_FIELD(name, unit, help) expect_number(p, k, #name, got->name, want->name);
  BLO_REPORT_LIST(EXPECT_FIELD)
#undef EXPECT_FIELD
  BLO_EXPECT_MSG(got->verdict == want->verdict && got->converged == want->converged,
                 "%s, %s, iteration %d: %s", p->method, p->adjoint, k,
                 blo_verdict_text(got->verdict));
}

static void follow(blo_comm *comm, const fixture *f, const plan *p)
{
  char text[1024];
  blo_conf *conf = NULL;
  blo_solver *s = NULL;
  blo_report got;
  reference r;
  to_text(p, text, sizeof text);
  BLO_REQUIRE_STATUS(blo_conf_parse(blo_comm_context(comm), "test", text, &conf), BLO_OK);
  BLO_REQUIRE_STATUS(blo_solver_create(f->eval, blo_solver_find(p->method), conf, SEED, &s),
                     BLO_OK);
  open_reference(comm, p, s->x->data, s->y->data, &r);
  s->want_norms = true;
  for (int k = 0; k < ITERATIONS; k++) {
    BLO_REQUIRE_STATUS(blo_solver_step(s, &got), BLO_OK);
    (p->adjoint[0] == '\0' ? single_loop : double_loop)(&r, k);
    expect_report(p, k, &got, &r.report);
    expect_number(p, k, "distance of x", distance(NX, s->x->data, r.x), 0);
    expect_number(p, k, "distance of y", distance(NY, s->y->data, r.y), 0);
    BLO_EXPECT_MSG(norm(NX, r.x) < 100 && norm(NY, r.y) < 100 && r.report.hypergrad_norm > 1e-3,
                   "%s, %s: the run has blown up, or has nothing to say", p->method, p->adjoint);
  }
  close_reference(&r);
  blo_solver_destroy(&s);
  blo_conf_destroy(&conf);
}

static void methods_do_what_their_pages_say(blo_comm *comm)
{
  for (int i = 0; i < N_PLANS; i++) {
    fixture f;
    fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &f);
    follow(comm, &f, &plans[i]);
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
  blo_conf *conf = NULL;
  blo_solver *s = NULL;
  blo_report r;
  fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &f);
  quadratic_faults(f.problem)->upper_scale = 1e300;
  BLO_REQUIRE_STATUS(blo_conf_parse(blo_comm_context(comm), "test",
                                    "upper: {step: 1e12, batch: 0}\nlower: {batch: 0}", &conf),
                     BLO_OK);
  BLO_REQUIRE_STATUS(blo_solver_create(f.eval, blo_solver_find("soba"), conf, SEED, &s), BLO_OK);
  BLO_EXPECT_STATUS(blo_solver_step(s, &r), BLO_E_NONFINITE);
  BLO_EXPECT_ERROR_HAS("x is not finite after the upper step of iteration 0");
  blo_solver_destroy(&s);
  blo_conf_destroy(&conf);
  fixture_free(comm, &f);
}

static const blo_test tests[] = {
    {"methods do what their pages say", methods_do_what_their_pages_say},
    {"steps decay", steps_decay},
    {"upper step looks at x", upper_step_looks_at_x},
};
BLO_TEST_MAIN("methods", tests)

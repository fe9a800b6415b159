/* bo_rep against its pseudo-code (arXiv 2401.09587, algorithms 1 and 2): plain loops over small
 * arrays, whose oracles are direct sums over the samples of the batches that the sampler names.
 * Iterates and every number of the report agree after each of several iterations. Measured on 1 and
 * 4 ranks: differences below 2e-15 max(1, size). */
#include "fixture.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NX = QUADRATIC_N_X, NY = QUADRATIC_N_Y, N = QUADRATIC_N, M = QUADRATIC_M };
enum { SEED = 31, ITERATIONS = 9 };

static const double TOL = 1e-12;

/* c / (1 + max(0, k - after) / over)^power */
typedef struct falling {
  double power, after, over;
} falling;

/* Settings: they make the run file and steer the loops. */
typedef struct plan {
  int S, T;
  double a, D;
  int I, N, K;
  double alpha, R;
  const char *result;
  int lower_batch, adjoint_batch, upper_batch;
  const char *adjoint; /* neumann, cg, or system */
  double nu, eta, beta;
  const char *first;
  falling of_alpha, of_eta, of_beta;
} plan;

#define CONSTANT                                                                                   \
  {                                                                                                \
    0, 0, 1                                                                                        \
  }
static const plan plans[] = {
    {2,  3,  0.3,       0.2, 2,    4,   3,      0.2,      0.1,      "average", 20,
     15, 10, "neumann", 0.3, 0.05, 0.9, "zero", CONSTANT, CONSTANT, CONSTANT},
    {1, 2, 0.2,       HUGE_VAL, 3,   5,   2,          0.3,         HUGE_VAL,     "last",     30,
     0, 0, "neumann", 0.2,      0.1, 0.5, "gradient", {0.5, 0, 1}, {0.75, 2, 4}, {0.5, 1, 3}},
    {0,  1,  0.2,  1, 1,    2, 4,      0.3,      0.05,      "last",  0,
     25, 30, "cg", 1, 0.02, 0, "zero", CONSTANT, {1, 3, 2}, CONSTANT},
    {3,  1,  0.3,      0.3, 4,    3,   1,          0.25,     0.2,      "average", 25,
     20, 12, "system", 0.2, 0.05, 0.8, "gradient", CONSTANT, CONSTANT, {1, 0, 2}},
};
enum { N_PLANS = sizeof plans / sizeof *plans };

static void print_falling(const char *key, falling d, char *text, size_t cap)
{
  snprintf(text, cap, "%s: {power: %.17g, after: %.17g, over: %.17g}", key, d.power, d.after,
           d.over);
}

static void to_text(const plan *p, char *text, size_t cap)
{
  char alpha[128], eta[128], beta[128], solve[128];
  print_falling("decay", p->of_alpha, alpha, sizeof alpha);
  print_falling("decay", p->of_eta, eta, sizeof eta);
  print_falling("momentum_decay", p->of_beta, beta, sizeof beta);
  if (strcmp(p->adjoint, "system") == 0) {
    snprintf(solve, sizeof solve, "linear_system: true");
  } else {
    snprintf(solve, sizeof solve, "type: %s, iterations: %d, tol: 0", p->adjoint, p->K);
  }
  snprintf(text, cap,
           "refine: {epochs: %d, steps: %d, step: %.17g, radius: %.17g}\n"
           "lower: {interval: %d, steps: %d, batch: %d, step: %.17g, radius: %.17g, result: %s, "
           "%s}\n"
           "adjoint: {%s, step: %.17g, batch: %d}\n"
           "upper: {batch: %d, step: %.17g, momentum: %.17g, first: %s, %s, %s}\n",
           p->S, p->T, p->a, p->D, p->I, p->N, p->lower_batch, p->alpha, p->R, p->result, alpha,
           solve, p->nu, p->adjoint_batch, p->upper_batch, p->eta, p->beta, p->first, eta, beta);
}

/* ------------------------------------------------------- the plain loops */

typedef struct reference {
  const plan *p;
  blo_comm *comm;
  blo_sampler *lower, *hessian, *cross, *upper;
  double x[NX], y[NY], m[NX], z[NY];
  blo_report report;
} reference;

static void open_sampler(blo_comm *comm, blo_purpose purpose, int n, int batch, blo_sampler **out)
{
  BLO_REQUIRE_STATUS(blo_sampler_create(comm, SEED, purpose, n, 16, batch, out), BLO_OK);
}

static void open_reference(blo_comm *comm, const plan *p, const blo_solver *s, reference *r)
{
  *r = (reference){.p = p, .comm = comm};
  memcpy(r->x, s->x->data, sizeof r->x);
  memcpy(r->y, s->y->data, sizeof r->y);
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

static double distance(int n, const double *a, const double *b)
{
  double d[NY];
  for (int i = 0; i < n; i++) {
    d[i] = a[i] - b[i];
  }
  return norm(n, d);
}

static double at(double value, falling d, int k)
{
  return value * pow(1 + (k > d.after ? k - d.after : 0) / d.over, -d.power);
}

static void clear_report(blo_report *r)
{
  *r = (blo_report){
#define REPORT_NONE(name, unit, help) .name = (double)NAN,
      BLO_REPORT_LIST(REPORT_NONE)
#undef REPORT_NONE
  };
}

/* An epoch of outer iteration K; `turns` counts how often the ball was met. */
static void epoch(reference *r, int K, int steps, double a, double D, bool mean, int *turns)
{
  const plan *p = r->p;
  int last = p->S > 0 ? p->T << (p->S - 1) : 0, per_outer = last > p->N ? last : p->N;
  double c[NY], sum[NY] = {0};
  quadratic_oracles g = {0};
  memcpy(c, r->y, sizeof c);
  for (int t = 0; t < steps; t++) {
    g = lower_at(r, r->lower, K * per_outer + t, r->z);
    for (int j = 0; j < NY; j++) {
      r->y[j] -= a * g.gy[j];
    }
    double far = distance(NY, r->y, c);
    for (int j = 0; j < NY; j++) {
      r->y[j] = far > D ? c[j] + D * (r->y[j] - c[j]) / far : r->y[j];
      sum[j] += r->y[j];
    }
    *turns += far > D;
  }
  for (int j = 0; j < NY && mean; j++) {
    r->y[j] = sum[j] / steps;
  }
  r->report.g = g.value;
  r->report.lower_residual = norm(NY, g.gy);
  r->report.lower_steps = steps;
  r->report.step_y = a;
}

/* Batch `i` of the solve: CG has one matrix, the series draws a fresh one for each product. */
static quadratic_oracles solve_product(const reference *r, int K, int i, const double *v)
{
  bool one = strcmp(r->p->adjoint, "cg") == 0;
  return lower_at(r, r->hessian, K * (r->p->K + 1) + (one ? 0 : i), v);
}

/* The textbook's CG from 0 for the right-hand side w. */
static void conjugate_gradients(reference *r, int K, double *w, double *v)
{
  double d[NY], ww = dot(NY, w, w);
  memcpy(d, w, sizeof d);
  for (int i = 0; i < r->p->K; i++) {
    quadratic_oracles g = solve_product(r, K, i, d);
    double alpha = ww / dot(NY, d, g.hv), old = ww, curved = dot(NY, d, g.hv) / dot(NY, d, d);
    for (int j = 0; j < NY; j++) {
      v[j] += alpha * d[j];
      w[j] -= alpha * g.hv[j];
    }
    ww = dot(NY, w, w);
    for (int j = 0; j < NY; j++) {
      d[j] = w[j] + ww / old * d[j];
    }
    r->report.curvature = i == 0 ? curved : fmin(r->report.curvature, curved);
  }
}

/* (1/l) sum_{q < Q} prod_{j <= q} (1 - H_j / l) w, 1/l = nu, Q = K + 1 */
static void neumann_series(reference *r, int K, double *w, double *v)
{
  for (int q = 0; q <= r->p->K; q++) {
    if (q > 0) {
      quadratic_oracles g = solve_product(r, K, q - 1, w);
      for (int j = 0; j < NY; j++) {
        w[j] -= r->p->nu * g.hv[j];
      }
    }
    for (int j = 0; j < NY; j++) {
      v[j] += r->p->nu * w[j];
    }
  }
}

static void solved(reference *r, int K, double *h)
{
  bool cg = strcmp(r->p->adjoint, "cg") == 0, one = cg || r->p->adjoint_batch == 0;
  blo_report *s = &r->report;
  quadratic_oracles f = upper_at(r, K);
  double w[NY], v[NY] = {0};
  memcpy(w, f.gy, sizeof w);
  (cg ? conjugate_gradients : neumann_series)(r, K, w, v);
  quadratic_oracles g = one ? solve_product(r, K, 0, v) : lower_at(r, r->cross, K, v);
  for (int i = 0; i < NX; i++) {
    h[i] = f.gx[i] - g.jv[i];
  }
  s->f = f.value;
  s->g = g.value;
  s->lower_residual = norm(NY, g.gy);
  s->adjoint_residual = distance(NY, g.hv, f.gy);
  s->adjoint_rhs = norm(NY, f.gy);
  s->adjoint_relative = s->adjoint_residual / s->adjoint_rhs;
  s->adjoint_iterations = r->p->K;
}

static void tracked(reference *r, int K, double *h)
{
  quadratic_oracles f = upper_at(r, K), g = lower_at(r, r->hessian, K, r->z);
  for (int i = 0; i < NX; i++) {
    h[i] = f.gx[i] - g.jv[i];
  }
  for (int j = 0; j < NY; j++) {
    r->z[j] -= r->p->nu * (g.hv[j] - f.gy[j]);
  }
  r->report.f = f.value;
  r->report.g = g.value;
  r->report.lower_residual = (double)NAN;
  r->report.adjoint_residual = distance(NY, g.hv, f.gy);
  r->report.adjoint_iterations = 1;
}

static void upper_step(reference *r, int k, const double *h)
{
  const plan *p = r->p;
  bool whole = k == 0 && strcmp(p->first, "gradient") == 0;
  double beta = 1 - at(1 - p->beta, p->of_beta, k), eta = at(p->eta, p->of_eta, k);
  for (int i = 0; i < NX; i++) {
    r->m[i] = whole ? h[i] : beta * r->m[i] + (1 - beta) * h[i];
  }
  double size = norm(NX, r->m);
  for (int i = 0; i < NX; i++) {
    r->x[i] -= eta * r->m[i] / size;
  }
  r->report.hypergrad_norm = norm(NX, h);
  r->report.step_x = eta;
}

static void iterate(reference *r, int K, int *turns)
{
  const plan *p = r->p;
  int k = K - p->S;
  double h[NX];
  clear_report(&r->report);
  if (k < 0) {
    epoch(r, K, p->T << K, p->a / (1 << K), p->D / pow(sqrt(2), K), true, turns);
    return;
  }
  r->report.lower_steps = 0;
  r->report.verdict = BLO_VERDICT_SPENT;
  if (k > 0 && k % p->I == 0) {
    epoch(r, K, p->N, at(p->alpha, p->of_alpha, k), p->R, strcmp(p->result, "average") == 0, turns);
  }
  (strcmp(p->adjoint, "system") == 0 ? tracked : solved)(r, K, h);
  upper_step(r, k, h);
}

/* ----------------------------------------------------------- comparisons */

static void expect_number(const plan *p, int k, const char *name, double got, double want)
{
  bool same = isnan(want) ? isnan(got) : fabs(got - want) <= TOL * fmax(1, fabs(want));
  BLO_EXPECT_MSG(same, "plan %d, iteration %d: %s is %.17g, by the pseudo-code %.17g",
                 (int)(p - plans), k, name, got, want);
}

static void expect_report(const plan *p, int k, const blo_report *got, const blo_report *want)
{
#define EXPECT_FIELD(name, unit, help) expect_number(p, k, #name, got->name, want->name);
  BLO_REPORT_LIST(EXPECT_FIELD)
#undef EXPECT_FIELD
  BLO_EXPECT_MSG(got->verdict == want->verdict && got->converged == want->converged,
                 "plan %d, iteration %d: %s", (int)(p - plans), k, blo_verdict_text(got->verdict));
}

static void make_solver(const fixture *f, const char *text, blo_conf **conf, blo_solver **s)
{
  *conf = NULL;
  *s = NULL;
  BLO_REQUIRE_STATUS(blo_conf_parse(f->problem->ctx, "test", text, conf), BLO_OK);
  BLO_REQUIRE_STATUS(blo_solver_create(f->eval, blo_solver_find("bo_rep"), *conf, SEED, s), BLO_OK);
}

static void follow(blo_comm *comm, const fixture *f, const plan *p)
{
  char text[1024];
  blo_conf *conf;
  blo_solver *s;
  blo_report got;
  reference r;
  int turns = 0;
  to_text(p, text, sizeof text);
  make_solver(f, text, &conf, &s);
  open_reference(comm, p, s, &r);
  s->want_norms = true;
  for (int k = 0; k < ITERATIONS; k++) {
    BLO_REQUIRE_STATUS(blo_solver_step(s, &got), BLO_OK);
    iterate(&r, k, &turns);
    expect_report(p, k, &got, &r.report);
    expect_number(p, k, "distance of x", distance(NX, s->x->data, r.x), 0);
    expect_number(p, k, "distance of y", distance(NY, s->y->data, r.y), 0);
    BLO_EXPECT_MSG(norm(NX, r.x) < 100 && norm(NY, r.y) < 100, "the run has blown up");
  }
  BLO_EXPECT_MSG(turns > 0 || isinf(p->R), "plan %d never meets a ball", (int)(p - plans));
  close_reference(&r);
  blo_solver_destroy(&s);
  blo_conf_destroy(&conf);
}

static void bo_rep_does_what_its_page_says(blo_comm *comm)
{
  for (int i = 0; i < N_PLANS; i++) {
    fixture f;
    fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &f);
    follow(comm, &f, &plans[i]);
    fixture_free(comm, &f);
  }
}

static const blo_test tests[] = {
    {"bo_rep does what its page says", bo_rep_does_what_its_page_says},
};
BLO_TEST_MAIN("bo_rep", tests)

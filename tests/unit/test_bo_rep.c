/* bo_rep against its pseudo-code (arXiv 2401.09587, algorithms 1 and 2): plain loops over small
 * arrays, whose oracles are direct sums over the samples of the batches that the sampler names.
 * Iterates and every number of the report agree after each of several iterations. Measured on 1 and
 * 4 ranks: differences below 2e-15 max(1, size). */
#include "plain.h"
#include "ride.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NX = QUADRATIC_N_X, NY = QUADRATIC_N_Y };
enum { SEED = 31, ITERATIONS = 16 };

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
  plain_draws draws;
  double x[NX], y[NY], m[NX], z[NY];
  double c[NY], sum[NY]; /* of an epoch */
  blo_report report;
} reference;

static void open_reference(blo_comm *comm, const plan *p, const blo_solver *s, reference *r)
{
  *r = (reference){.p = p};
  memcpy(r->x, s->x->data, sizeof r->x);
  memcpy(r->y, s->y->data, sizeof r->y);
  plain_draws_open(comm, SEED, p->lower_batch, p->adjoint_batch, p->upper_batch, &r->draws);
}

static quadratic_oracles lower_at(const reference *r, blo_sampler *from, int draw, const double *v)
{
  return plain_lower(&r->draws, from, draw, r->x, r->y, v);
}

static double at(double value, falling d, int k)
{
  return value * pow(1 + (k > d.after ? k - d.after : 0) / d.over, -d.power);
}

/* Steps of outer iteration K, the first ones of an epoch or more of them; `turns` counts how often
 * the ball was met. */
static void descend(reference *r, int K, bool begin, int steps, double a, double D, int *turns)
{
  const plan *p = r->p;
  int part = p->S > 0 ? p->T : 0, per_outer = part > p->N ? part : p->N;
  quadratic_oracles g = {0};
  for (int j = 0; j < NY && begin; j++) {
    r->c[j] = r->y[j];
    r->sum[j] = 0;
  }
  for (int t = 0; t < steps; t++) {
    g = lower_at(r, r->draws.lower, K * per_outer + t, r->z);
    for (int j = 0; j < NY; j++) {
      r->y[j] -= a * g.gy[j];
    }
    double far = plain_distance(NY, r->y, r->c);
    for (int j = 0; j < NY; j++) {
      r->y[j] = far > D ? r->c[j] + D * (r->y[j] - r->c[j]) / far : r->y[j];
      r->sum[j] += r->y[j];
    }
    *turns += far > D;
  }
  r->report.g = g.value;
  r->report.lower_residual = plain_norm(NY, g.gy);
  r->report.lower_steps = steps;
  r->report.step_y = a;
}

static void take_mean(reference *r, int steps)
{
  for (int j = 0; j < NY; j++) {
    r->y[j] = r->sum[j] / steps;
  }
}

/* Epoch s has T 2^s steps, T of them in each of its 2^s iterations. */
static void refine(reference *r, int K, int *turns)
{
  const plan *p = r->p;
  int s = 0, begin = 0;
  while (K >= begin + (1 << s)) {
    begin += 1 << s++;
  }
  descend(r, K, K == begin, p->T, p->a / (1 << s), p->D / pow(sqrt(2), s), turns);
  if (K + 1 == begin + (1 << s)) {
    take_mean(r, p->T << s);
  }
}

/* CG has one matrix; the series is (1/l) sum_{q < Q} prod_{j <= q} (1 - H_j / l) w, 1/l = nu,
 * Q = K + 1, and draws a fresh one for each product. */
static void solved(reference *r, int K, double *h)
{
  const plan *p = r->p;
  bool cg = strcmp(p->adjoint, "cg") == 0, one = cg || p->adjoint_batch == 0;
  int draw = K * (p->K + 1);
  quadratic_oracles f = plain_upper(&r->draws, K, r->x, r->y);
  double w[NY], v[NY] = {0};
  memcpy(w, f.gy, sizeof w);
  if (cg) {
    r->report.curvature = plain_cg(&r->draws, draw, p->K, r->x, r->y, v, w);
  } else {
    plain_neumann(&r->draws, draw, p->K, p->nu, r->x, r->y, v, w);
  }
  quadratic_oracles g =
      one ? lower_at(r, r->draws.hessian, draw, v) : lower_at(r, r->draws.cross, K, v);
  plain_hypergradient(&f, &g, h);
  plain_certify(&f, &g, &r->report);
  r->report.adjoint_iterations = p->K;
}

static void tracked(reference *r, int K, double *h)
{
  quadratic_oracles f = plain_upper(&r->draws, K, r->x, r->y);
  quadratic_oracles g = lower_at(r, r->draws.hessian, K, r->z);
  plain_hypergradient(&f, &g, h);
  for (int j = 0; j < NY; j++) {
    r->z[j] -= r->p->nu * (g.hv[j] - f.gy[j]);
  }
  r->report.f = f.value;
  r->report.g = g.value;
  r->report.lower_residual = (double)NAN;
  r->report.adjoint_residual = plain_distance(NY, g.hv, f.gy);
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
  double size = plain_norm(NX, r->m);
  for (int i = 0; i < NX; i++) {
    r->x[i] -= eta * r->m[i] / size;
  }
  r->report.hypergrad_norm = plain_norm(NX, h);
  r->report.step_x = eta;
}

static void iterate(reference *r, int K, int *turns)
{
  const plan *p = r->p;
  int k = K - (1 << p->S) + 1;
  double h[NX];
  r->report = blo_report_none();
  if (k < 0) {
    refine(r, K, turns);
    return;
  }
  r->report.lower_steps = 0;
  r->report.verdict = BLO_VERDICT_SPENT;
  if (k > 0 && k % p->I == 0) {
    descend(r, K, true, p->N, at(p->alpha, p->of_alpha, k), p->R, turns);
    if (strcmp(p->result, "average") == 0) {
      take_mean(r, p->N);
    }
  }
  (strcmp(p->adjoint, "system") == 0 ? tracked : solved)(r, K, h);
  upper_step(r, k, h);
}

/* ----------------------------------------------------------- comparisons */

static void follow(blo_comm *comm, const fixture *f, int number)
{
  const plan *p = &plans[number];
  char text[1024];
  blo_report got;
  reference r;
  int turns = 0;
  to_text(p, text, sizeof text);
  blo_solver *s = ride_make(f, "bo_rep", text, SEED);
  open_reference(comm, p, s, &r);
  s->want_norms = true;
  for (int k = 0; k < ITERATIONS; k++) {
    const plain_spot at = {"bo_rep", number, k, TOL};
    BLO_REQUIRE_STATUS(blo_solver_step(s, &got), BLO_OK);
    iterate(&r, k, &turns);
    plain_expect_step(&at, s, &got, &r.report, r.x, r.y);
  }
  BLO_EXPECT_MSG(turns > 0 || isinf(p->R), "plan %d never meets a ball", number);
  plain_draws_close(&r.draws);
  blo_solver_destroy(&s);
}

static void bo_rep_does_what_its_page_says(blo_comm *comm)
{
  for (int i = 0; i < N_PLANS; i++) {
    fixture f;
    fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &f);
    follow(comm, &f, i);
    fixture_free(comm, &f);
  }
}

static const blo_test tests[] = {
    {"bo_rep does what its page says", bo_rep_does_what_its_page_says},
};
BLO_TEST_MAIN("bo_rep", tests)

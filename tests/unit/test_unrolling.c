/* iaptt_gm and ia_gm against their pseudo-code: plain loops over small arrays, whose oracles are
 * direct sums over the samples of the batches that the sampler names (arXiv 2110.00455). Iterates
 * and every number of the report agree after each of
 * several iterations. */
#include "plain.h"
#include "ride.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NX = QUADRATIC_N_X, NY = QUADRATIC_N_Y };
enum { SEED = 31, ITERATIONS = 6, K_MAX = 8 };

static const double TOL = 1e-12;

/* Settings of a method: they make the run file and steer the loops. */
typedef struct plan {
  const char *method, *dynamics, *init, *rule;
  int K, batch_g, batch_f;
  double s, s_decay, alpha, alpha_decay, gamma, gamma_decay;
  double y_box, x_box; /* |y_i| and |x_i| are at most that; 0: no box */
} plan;

static const plan plans[] = {
    {"iaptt_gm", "", "learned", "sgd", 5, 0, 0, 0.3, 0, 0.1, 0, 0.2, 0, 0, 0},
    {"iaptt_gm", "", "learned", "sgd", 4, 20, 10, 0.6, 0.5, 2, 0.3, 0.2, 0.5, 0.7, 1.2},
    {"iaptt_gm", "", "learned", "adam", 8, 30, 0, 0.8, 0, 0.05, 0.5, 0.3, 0, 0, 0.8},
    {"iaptt_gm", "", "fixed", "sgd", 3, 25, 12, 0.3, 0.2, 0.1, 0, 0.1, 0, 0.6, 0},
    {"ia_gm", "gradient", "learned", "sgd", 4, 25, 15, 0.3, 0.5, 0.2, 0.25, 0.2, 0.5, 0.5, 1},
    {"ia_gm", "gradient", "last", "sgd", 2, 30, 15, 0.2, 0, 0.2, 0, 0.2, 0, 0.8, 0},
    {"ia_gm", "gradient", "fixed", "sgd", 6, 0, 0, 0.2, 0, 0.2, 0, 0.2, 0.5, 0, 0},
    {"ia_gm", "nesterov", "learned", "adam", 7, 40, 20, 0.15, 0.1, 0.5, 0.5, 0.2, 0, 0.6, 1},
    {"ia_gm", "nesterov", "learned", "sgd", 8, 0, 0, 0.2, 0, 0.1, 0, 0.1, 0, 0, 0},
};
enum { N_PLANS = sizeof plans / sizeof *plans };

static void to_text(const plan *p, char *text, size_t cap)
{
  char y_set[128] = "{type: none}", x_set[128] = "{type: none}", dynamics[64] = "";
  if (p->y_box > 0) {
    snprintf(y_set, sizeof y_set, "{type: box, low: %.17g, high: %.17g}", -p->y_box, p->y_box);
  }
  if (p->x_box > 0) {
    snprintf(x_set, sizeof x_set, "{type: box, low: %.17g, high: %.17g}", -p->x_box, p->x_box);
  }
  if (p->dynamics[0] != '\0') {
    snprintf(dynamics, sizeof dynamics, "  dynamics: %s\n", p->dynamics);
  }
  snprintf(text, cap,
           "lower:\n  steps: %d\n  batch: %d\n  step: %.17g\n  decay: %.17g\n  set: %s\n%s"
           "init: {type: %s, rule: %s, step: %.17g, decay: %.17g}\n"
           "upper:\n  batch: %d\n  step: %.17g\n  decay: %.17g\n  set: %s\n",
           p->K, p->batch_g, p->s, p->s_decay, y_set, dynamics, p->init, p->rule, p->alpha,
           p->alpha_decay, p->batch_f, p->gamma, p->gamma_decay, x_set);
}

/* ------------------------------------------------------- the plain loops */

/* A run of the pseudo-code; the trajectory is kept whole. */
typedef struct reference {
  const plan *p;
  plain_draws draws;
  int k;                              /* both levels are on batch k */
  double x[NX], z[NY], m[NY], v2[NY]; /* Adam's moments */
  double y[K_MAX + 1][NY], u[K_MAX + 1][NY], v[K_MAX + 1][NY], b[K_MAX + 1];
  double dx[NX], dz[NY];
  int cut;
  blo_report report;
} reference;

static double clip(double a, double bound)
{
  return bound > 0 ? fmax(-bound, fmin(bound, a)) : a;
}

static quadratic_oracles lower_at(const reference *r, const double *y, const double *v)
{
  return plain_lower(&r->draws, r->draws.lower, r->k, r->x, y, v);
}

static quadratic_oracles upper_at(const reference *r, const double *y)
{
  return plain_upper(&r->draws, r->k, r->x, y);
}

static void forward(reference *r, double s)
{
  bool nesterov = strcmp(r->p->dynamics, "nesterov") == 0;
  double tau = 1, zero[NY] = {0};
  memcpy(r->y[0], r->z, sizeof r->z);
  memcpy(r->u[0], r->z, sizeof r->z);
  for (int k = 0; k < r->p->K; k++) {
    double next = (1 + sqrt(1 + 4 * tau * tau)) / 2;
    quadratic_oracles g = lower_at(r, r->u[k], zero);
    r->b[k] = nesterov ? (tau - 1) / next : 0;
    tau = next;
    for (int j = 0; j < NY; j++) {
      r->v[k + 1][j] = r->u[k][j] - s * g.gy[j];
      r->y[k + 1][j] = clip(r->v[k + 1][j], r->p->y_box);
      r->u[k + 1][j] = r->y[k + 1][j] + r->b[k] * (r->y[k + 1][j] - r->y[k][j]);
    }
  }
}

static void choose_cut(reference *r)
{
  double largest = -(double)INFINITY;
  r->cut = r->p->K;
  for (int c = 1; c <= r->p->K && strcmp(r->p->method, "iaptt_gm") == 0; c++) {
    double f = upper_at(r, r->y[c]).value;
    r->cut = f > largest ? c : r->cut;
    largest = fmax(largest, f);
  }
}

static void reverse(reference *r, double s)
{
  quadratic_oracles f = upper_at(r, r->y[r->cut]);
  double p[NY], w[NY] = {0};
  memcpy(p, f.gy, sizeof p);
  memcpy(r->dx, f.gx, sizeof r->dx);
  for (int k = r->cut - 1; k >= 0; k--) {
    double q[NY];
    for (int j = 0; j < NY; j++) {
      bool inside = r->p->y_box == 0 || fabs(r->v[k + 1][j]) < r->p->y_box;
      q[j] = inside ? p[j] + (1 + r->b[k]) * w[j] : 0;
      p[j] = -r->b[k] * w[j];
    }
    quadratic_oracles g = lower_at(r, r->u[k], q);
    for (int i = 0; i < NX; i++) {
      r->dx[i] -= s * g.jv[i];
    }
    for (int j = 0; j < NY; j++) {
      w[j] = q[j] - s * g.hv[j];
    }
  }
  for (int j = 0; j < NY; j++) {
    r->dz[j] = p[j] + w[j];
  }
}

static void move(reference *r, int k)
{
  const plan *p = r->p;
  double alpha = plain_schedule(p->alpha, p->alpha_decay, k);
  for (int i = 0; i < NX; i++) {
    r->x[i] = clip(r->x[i] - r->report.step_x * r->dx[i], p->x_box);
  }
  if (strcmp(p->init, "learned") == 0) {
    if (strcmp(p->rule, "adam") == 0) {
      plain_adam(NY, k, alpha, r->dz, r->m, r->v2, r->z);
    } else {
      plain_add(NY, r->z, -alpha, r->dz, r->z);
    }
    for (int j = 0; j < NY; j++) {
      r->z[j] = clip(r->z[j], p->y_box);
    }
  }
  if (strcmp(p->init, "last") == 0) {
    memcpy(r->z, r->y[r->cut], sizeof r->z);
  }
}

static void iterate(reference *r, int k)
{
  const plan *p = r->p;
  double s = plain_schedule(p->s, p->s_decay, k);
  r->k = k;
  forward(r, s);
  choose_cut(r);
  reverse(r, s);
  quadratic_oracles g = lower_at(r, r->y[r->cut], r->dz);
  r->report = blo_report_none();
  r->report.f = upper_at(r, r->y[r->cut]).value;
  r->report.g = g.value;
  r->report.lower_residual = plain_norm(NY, g.gy);
  r->report.hypergrad_norm = plain_norm(NX, r->dx);
  r->report.lower_steps = p->K;
  r->report.truncation = strcmp(p->method, "iaptt_gm") == 0 ? r->cut : (double)NAN;
  r->report.step_x = plain_schedule(p->gamma, p->gamma_decay, k);
  r->report.step_y = s;
  move(r, k);
}

static void open_reference(blo_comm *comm, const plan *p, const blo_solver *s, reference *r)
{
  *r = (reference){.p = p};
  memcpy(r->x, s->x->data, sizeof r->x);
  memcpy(r->z, s->y->data, sizeof r->z);
  plain_draws_open(comm, SEED, p->batch_g, 0, p->batch_f, &r->draws);
}

/* ----------------------------------------------------------- comparisons */

/* Oracle calls of an iteration, as on the methods' pages. */
static void expect_counts(const plan *p, int k, const reference *r, const blo_counts *before,
                          const blo_counts *after)
{
  bool truncates = strcmp(p->method, "iaptt_gm") == 0;
  int again = r->cut < p->K;
  bool same = after->g_y - before->g_y == p->K + 1 + again && after->hv - before->hv == r->cut &&
              after->jv - before->jv == r->cut && after->f_y - before->f_y == 1 + again &&
              after->f - before->f == (truncates ? p->K + again : 1);
  BLO_EXPECT_MSG(same, "%s, iteration %d: other costs than on its page", p->method, k);
}

/* @param[in,out] cuts  bits: trajectories cut at the first, at the last, at another step */
static void follow(blo_comm *comm, const fixture *f, int number, unsigned *cuts)
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
    blo_counts before = *blo_eval_counts(f->eval);
    BLO_REQUIRE_STATUS(blo_solver_step(s, &got), BLO_OK);
    iterate(&r, k);
    plain_expect_step(&at, s, &got, &r.report, r.x, r.y[r.cut]);
    plain_expect_vector(&at, "z", NY, ride_kept(s, "z")->data, r.z);
    expect_counts(p, k, &r, &before, blo_eval_counts(f->eval));
    *cuts |= r.cut == p->K ? 2u : r.cut == 1 ? 1u : 4u;
  }
  plain_draws_close(&r.draws);
  blo_solver_destroy(&s);
}

static void methods_do_what_their_pages_say(blo_comm *comm)
{
  unsigned cuts = 0;
  for (int i = 0; i < N_PLANS; i++) {
    fixture f;
    fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &f);
    follow(comm, &f, i, &cuts);
    fixture_free(comm, &f);
  }
  BLO_EXPECT_MSG(cuts == 7, "trajectories were not cut at the first, the last and other steps: %u",
                 cuts);
}

/* ------------------------------------------------------------------ refusals */

static void senseless_settings_are_refused(blo_comm *comm)
{
  static const struct {
    const char *method, *settings, *says;
  } all[] = {
      {"ia_gm", "{lower: {batch: 20}, init: {rule: adam}, upper: {batch: 20}}",
       "solver.init.rule 'adam' moves"},
      {"ia_gm", "{init: {type: fixed, rule: adam}}", "solver.init.rule 'adam' belongs to"},
      {"iaptt_gm", "{init: {type: last, rule: adam}}", "with 'last' z takes no steps"},
      {"iaptt_gm", "{lower: {batch: 20, set: {type: ball}}, upper: {batch: 20}}",
       "solver.lower.set.type 'ball'"},
      {"ia_gm", "{lower: {batch: 20}, upper: {batch: 30}}", "same batch size"},
      {"iaptt_gm", "{lower: {steps: 100, memory: 18}}", "needs 19 at least"},
  };
  fixture f;
  fixture_make(comm, FIXTURE_TASKS, "", BLO_REPRODUCIBLE, &f);
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    ride_expect_refused(&f, all[i].method, all[i].settings, BLO_E_OPTION, all[i].says);
  }
  fixture_free(comm, &f);
}

/* Tasks that are not in the batch: their z stands still, and their y is their z. */
static void other_tasks_stand_still(blo_comm *comm)
{
  enum { BATCH = 20 };
  ride r;
  double before[TASKS_N_Y], after[TASKS_N_Y], y[TASKS_N_Y];
  ride_fixture(comm, FIXTURE_TASKS, "iaptt_gm",
               "{lower: {steps: 3, batch: 20, set: {type: box, low: -1, high: 1}}, "
               "upper: {batch: 20}}",
               SEED, &r);
  blo_vec *z = ride_kept(r.s, "z");
  for (int k = 0; k < 4; k++) {
    int moved = 0, same = 0;
    blo_vec_get_all(z, before);
    ride_step(&r);
    blo_vec_get_all(z, after);
    blo_vec_get_all(r.s->y, y);
    for (int i = 0; i < TASKS_N; i++) {
      size_t bytes = TASKS_W * sizeof *y;
      moved += memcmp(before + i * TASKS_W, after + i * TASKS_W, bytes) != 0;
      same += memcmp(before + i * TASKS_W, y + i * TASKS_W, bytes) == 0;
    }
    BLO_EXPECT_MSG(moved == BATCH && same == TASKS_N - BATCH,
                   "iteration %d: z of %d tasks moved, y of %d is their z", k, moved, same);
  }
  ride_close(comm, &r);
}

static const blo_test tests[] = {
    {"methods do what their pages say", methods_do_what_their_pages_say},
    {"senseless settings are refused", senseless_settings_are_refused},
    {"other tasks stand still", other_tasks_stand_still},
};
BLO_TEST_MAIN("unrolling", tests)

/* minimax_gda against its pseudo-code: plain loops over small arrays, whose oracles are direct sums
 * over the samples of the batches that the sampler names (docs/methods/minimax_gda.md). Iterates,
 * the second lower vector u and every number of the report agree after each iteration, over several
 * stages. And what does not show there: the direction of x is exactly 0 where it should be, tasks
 * that are not drawn stand still, an aligned x stays on its ranks, and what is refused. */
#include "plain.h"
#include "ride.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NX = QUADRATIC_N_X, NY = QUADRATIC_N_Y };
enum { SEED = 31, ITERATIONS = 8 };

static const double TOL = 1e-12;

/* Settings: they make the run file and steer the loops. A set of radius or bound 0 is none. */
typedef struct plan {
  double a0, tau, q;
  int number, K;
  int lower_batch, upper_batch;
  double r, r_decay, e, e_decay, lower_momentum, upper_momentum;
  double box, ball; /* X = [-box, box]^n, Y the ball around 0 */
  bool adam, reset, rescale, richardson;
} plan;

static const plan plans[] = {
    {0.5, 2, 0, 3, 3, 0, 0, 0.2, 0, 0.1, 0, 0, 0, 0, 0, false, false, false, false},
    {1, 1.5, 1, 2, 3, 30, 20, 0.1, 0.25, 0.1, 0.5, 0, 0, 0, 0, false, false, false, false},
    {0.7, 3, 0.5, 4, 2, 30, 20, 0.05, 0, 0.1, 0, 0.6, 0.4, 0, 0, false, false, true, false},
    {0.7, 3, 0, 4, 2, 40, 0, 0.05, 0, 0.05, 0, 0.6, 0.4, 0, 0, false, true, false, false},
    {0.7, 2, 0, 4, 2, 40, 30, 0.02, 0, 0.01, 0, 0, 0, 0, 0, true, false, false, false},
    {0.5, 2, 0.5, 3, 2, 0, 0, 0.2, 0, 0.1, 0, 0, 0, 0, 0, false, false, false, true},
    {0.5, 2.5, 0, 2, 4, 50, 30, 0.2, 0, 0.1, 0, 0, 0, 0.3, 0.15, false, false, false, true},
    {3, 1, 0, 1, 4, 20, 10, 0.1, 0, 0.1, 0, 0, 0, 0, 0, false, false, false, false},
};
enum { N_PLANS = sizeof plans / sizeof *plans };

static void to_text(const plan *p, char *text, size_t cap)
{
  char box[128] = "{type: none}", ball[128] = "{type: none}";
  if (p->box > 0) {
    snprintf(box, sizeof box, "{type: box, low: %.17g, high: %.17g}", -p->box, p->box);
    snprintf(ball, sizeof ball, "{type: ball, radius: %.17g}", p->ball);
  }
  snprintf(text, cap,
           "lower: {batch: %d, step: %.17g, decay: %.17g, momentum: %.17g, rule: %s, set: %s}\n"
           "upper: {batch: %d, step: %.17g, decay: %.17g, momentum: %.17g, rule: %s, set: %s,"
           " stage_decay: %.17g}\n"
           "stages: {penalty: %.17g, growth: %.17g, number: %d, steps: %d, reset: %s,"
           " rescale: %s, richardson: %s}\n",
           p->lower_batch, p->r, p->r_decay, p->lower_momentum, p->adam ? "adam" : "sgd", ball,
           p->upper_batch, p->e, p->e_decay, p->upper_momentum, p->adam ? "adam" : "sgd", box, p->q,
           p->a0, p->tau, p->number, p->K, p->reset ? "true" : "false",
           p->rescale ? "true" : "false", p->richardson ? "true" : "false");
}

/* ------------------------------------------------------- the plain loops */

/* A variable with what its steps keep. */
typedef struct variable {
  int n;
  double z[NY], m[NY], v[NY], d[NY];
} variable;

typedef struct reference {
  const plan *p;
  plain_draws draws;
  variable x, w, u;
  double x_before[NX], w_before[NY];
  blo_report report;
} reference;

static void open_reference(blo_comm *comm, const plan *p, const blo_solver *s, reference *r)
{
  *r = (reference){.p = p, .x.n = NX, .w.n = NY, .u.n = NY};
  memcpy(r->x.z, s->x->data, NX * sizeof(double));
  memcpy(r->w.z, s->y->data, NY * sizeof(double));
  memcpy(r->u.z, s->y->data, NY * sizeof(double));
  plain_draws_open(comm, SEED, p->lower_batch, 0, p->upper_batch, &r->draws);
}

static void to_set(const plan *p, variable *z, bool is_x)
{
  double size = plain_norm(z->n, z->z);
  for (int i = 0; i < z->n && p->box > 0; i++) {
    if (is_x) {
      z->z[i] = fmax(-p->box, fmin(p->box, z->z[i]));
    } else if (size > p->ball) {
      z->z[i] *= p->ball / size;
    }
  }
}

/* A step of size `rate` along d: descent, heavy ball or Adam. */
static void move(const plan *p, int k, double rate, double momentum, variable *z)
{
  if (p->adam) {
    plain_adam(z->n, k, rate, z->d, z->m, z->v, z->z);
    return;
  }
  plain_add(z->n, z->d, momentum, z->m, z->m);
  plain_add(z->n, z->z, -rate, z->m, z->z);
}

static void find_directions(reference *r, int k, double a)
{
  static const double none[NY];
  const plain_draws *d = &r->draws;
  quadratic_oracles g_w = plain_lower(d, d->lower, k, r->x.z, r->w.z, none);
  quadratic_oracles g_u = plain_lower(d, d->lower, k, r->x.z, r->u.z, none);
  quadratic_oracles f_w = plain_upper(d, k, r->x.z, r->w.z);
  for (int j = 0; j < NY; j++) {
    r->w.d[j] = f_w.gy[j] + a * g_w.gy[j];
    r->u.d[j] = a * g_u.gy[j];
  }
  for (int i = 0; i < NX; i++) {
    r->x.d[i] = f_w.gx[i] + a * (g_w.gx[i] - g_u.gx[i]);
  }
  r->report.f = f_w.value;
  r->report.g = g_w.value;
  r->report.penalty = a;
  r->report.hypergrad_norm = plain_norm(NX, r->x.d);
  r->report.lower_residual = plain_norm(NY, g_u.gy);
}

static void extrapolated(double tau, int n, const double *before, double *z)
{
  for (int i = 0; i < n; i++) {
    z[i] = (tau * z[i] - before[i]) / (tau - 1);
  }
}

/* The end of stage i: with `richardson` the last one's x and w are extrapolated. */
static void end_of_stage(reference *r, int i)
{
  const plan *p = r->p;
  r->report.converged = p->richardson && i == p->number - 1;
  if (r->report.converged) {
    extrapolated(p->tau, NX, r->x_before, r->x.z);
    extrapolated(p->tau, NY, r->w_before, r->w.z);
    to_set(p, &r->x, true);
    to_set(p, &r->w, false);
  } else {
    memcpy(r->x_before, r->x.z, sizeof r->x_before);
    memcpy(r->w_before, r->w.z, sizeof r->w_before);
  }
}

static void iterate(reference *r, int k)
{
  const plan *p = r->p;
  int i = k / p->K < p->number ? k / p->K : p->number - 1;
  double a = p->a0, y_scale = 1, x_scale = 1;
  for (int j = 0; j < i + 1; j++) {
    a *= p->tau;
    y_scale /= j < i ? p->tau : 1;
    x_scale /= j < i ? pow(p->tau, p->q) : 1;
  }
  r->report = blo_report_none();
  r->report.step_y = plain_schedule(p->r * y_scale, p->r_decay, k);
  r->report.step_x = plain_schedule(p->e * x_scale, p->e_decay, k);
  if (p->reset && k % p->K == 0 && k / p->K < p->number) {
    memset(r->x.m, 0, sizeof r->x.m);
    memset(r->w.m, 0, sizeof r->w.m);
    memset(r->u.m, 0, sizeof r->u.m);
  }
  for (int j = 0; j < NY && p->rescale && i > 0 && k == i * p->K; j++) {
    r->w.z[j] = r->u.z[j] + (r->w.z[j] - r->u.z[j]) / p->tau;
  }
  find_directions(r, k, a);
  move(p, k, r->report.step_y, p->lower_momentum, &r->w);
  move(p, k, r->report.step_y, p->lower_momentum, &r->u);
  move(p, k, r->report.step_x, p->upper_momentum, &r->x);
  to_set(p, &r->w, false);
  to_set(p, &r->u, false);
  to_set(p, &r->x, true);
  if (k + 1 == (i + 1) * p->K) {
    end_of_stage(r, i);
  }
}

static void follow(blo_comm *comm, const fixture *f, int number)
{
  char text[1024];
  blo_report got;
  reference r;
  to_text(&plans[number], text, sizeof text);
  blo_solver *s = ride_make(f, "minimax_gda", text, SEED);
  open_reference(comm, &plans[number], s, &r);
  s->want_norms = true;
  for (int k = 0; k < ITERATIONS; k++) {
    const plain_spot at = {"minimax_gda", number, k, TOL};
    BLO_REQUIRE_STATUS(blo_solver_step(s, &got), BLO_OK);
    iterate(&r, k);
    plain_expect_step(&at, s, &got, &r.report, r.x.z, r.w.z);
    plain_expect_vector(&at, "u", NY, ride_kept(s, "lower.u")->data, r.u.z);
  }
  plain_draws_close(&r.draws);
  blo_solver_destroy(&s);
}

static void does_what_its_page_says(blo_comm *comm)
{
  for (int i = 0; i < N_PLANS; i++) {
    fixture f;
    fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &f);
    follow(comm, &f, i);
    fixture_free(comm, &f);
  }
}

/* ------------------------------------------------------------- properties */

/* With f = 0, u = w for ever, and so x has no direction: not one bit of it moves, in spite of a
 * large penalty and of batches. */
static void without_f_nothing_moves_x(blo_comm *comm)
{
  fixture f;
  blo_report r;
  double x0[NX];
  fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &f);
  quadratic_faults(f.problem)->upper_scale = 0;
  blo_solver *s = ride_make(&f, "minimax_gda",
                            "lower: {batch: 30, step: 1e-4, momentum: 0.5}\n"
                            "upper: {batch: 20, step: 1e3, momentum: 0.5}\n"
                            "stages: {penalty: 300, steps: 4}",
                            SEED);
  s->want_norms = true;
  memcpy(x0, s->x->data, sizeof x0);
  for (int k = 0; k < 12; k++) {
    BLO_REQUIRE_STATUS(blo_solver_step(s, &r), BLO_OK);
    BLO_EXPECT_MSG(r.hypergrad_norm == 0, "iteration %d: %g", k, r.hypergrad_norm);
    BLO_EXPECT_ALL(r.lower_residual > 1e-3);
  }
  BLO_EXPECT_ALL(memcmp(x0, s->x->data, sizeof x0) == 0);
  BLO_EXPECT_ALL(memcmp(s->y->data, ride_kept(s, "lower.u")->data, NY * sizeof(double)) == 0);
  blo_solver_destroy(&s);
  fixture_free(comm, &f);
}

/* Tasks of which some number has changed. */
static int changed_tasks(const double *before, const double *after)
{
  int n = 0;
  for (int t = 0; t < TASKS_N; t++) {
    n += memcmp(before + t * TASKS_W, after + t * TASKS_W, TASKS_W * sizeof(double)) != 0;
  }
  return n;
}

static void other_tasks_stand_still(blo_comm *comm)
{
  fixture f;
  blo_report r;
  double before[2][TASKS_N_Y], after[2][TASKS_N_Y];
  fixture_make(comm, FIXTURE_TASKS, "", BLO_REPRODUCIBLE, &f);
  blo_solver *s = ride_make(&f, "minimax_gda",
                            "lower: {batch: 20}\nupper: {batch: 20}\nstages: {steps: 2}", SEED);
  for (int k = 0; k < 6; k++) {
    blo_vec_get_all(s->y, before[0]);
    blo_vec_get_all(ride_kept(s, "lower.u"), before[1]);
    BLO_REQUIRE_STATUS(blo_solver_step(s, &r), BLO_OK);
    blo_vec_get_all(s->y, after[0]);
    blo_vec_get_all(ride_kept(s, "lower.u"), after[1]);
    for (int i = 0; i < 2; i++) {
      int n = changed_tasks(before[i], after[i]);
      BLO_EXPECT_MSG(n == 20, "iteration %d: %d tasks of %s have moved", k, n, i == 0 ? "w" : "u");
    }
  }
  blo_solver_destroy(&s);
  fixture_free(comm, &f);
}

/* Bytes that a step sends on the cleaning problem in some layout of x. */
static blo_int bytes_of_a_step(blo_comm *comm, int kind, const char *folder, blo_int *n_x)
{
  fixture f;
  blo_report r;
  fixture_make(comm, kind, folder, BLO_REPRODUCIBLE, &f);
  blo_solver *s = ride_make(&f, "minimax_gda", "lower: {batch: 40}\nupper: {batch: 30}", SEED);
  *n_x = f.problem->n_x;
  blo_int before = blo_comm_traffic(comm).bytes;
  BLO_REQUIRE_STATUS(blo_solver_step(s, &r), BLO_OK);
  blo_int sent = blo_comm_traffic(comm).bytes - before;
  blo_solver_destroy(&s);
  fixture_free(comm, &f);
  return sent;
}

/* Sharded, nothing of x travels; rooted, three gradients go to the root and x comes back. */
static void an_aligned_x_stays_at_home(blo_comm *comm)
{
  char folder[256];
  blo_int n_x, n_y = (FIXTURE_FEATURES + 1) * FIXTURE_CLASSES;
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  blo_int sharded = bytes_of_a_step(comm, FIXTURE_CLEANING, folder, &n_x);
  blo_int rooted = bytes_of_a_step(comm, FIXTURE_CLEANING_ROOTED, folder, &n_x);
  BLO_EXPECT_MSG(sharded < 8 * (3 * n_y + n_x / 2), "%lld bytes", (long long)sharded);
  BLO_EXPECT_MSG(blo_comm_size(comm) == 1 || rooted >= sharded + 8 * n_x, "%lld bytes",
                 (long long)rooted);
}

/* ---------------------------------------------------------------- refusals */

static void refuse(const fixture *f, const char *text, const char *says)
{
  ride_expect_refused(f, "minimax_gda", text, BLO_E_OPTION, says);
}

static void refuses_what_makes_no_sense(blo_comm *comm)
{
  fixture f;
  fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &f);
  refuse(&f, "stages: {richardson: true, growth: 1}", "growth > 1 (it is 1)");
  refuse(&f, "stages: {tol: 0.1, number: 1}", "number > 1 (it is 1)");
  refuse(&f, "stages: {penalty: 1e12, growth: 1e6, number: 60}", "is not finite");
  refuse(&f, "stages: {reset: true}", "needs lower.momentum or upper.momentum above 0");
  refuse(&f, "lower: {rule: adam, momentum: 0.5}", "belongs to solver.lower.rule = 'sgd'");
  fixture_free(comm, &f);
  fixture_make(comm, FIXTURE_TASKS, "", BLO_REPRODUCIBLE, &f);
  refuse(&f, "lower: {batch: 20, momentum: 0.5}\nupper: {batch: 20}",
         "would move tasks that are not in the batch");
  refuse(&f, "lower: {batch: 20, rule: adam}\nupper: {batch: 20}", "rule = 'adam' would move");
  refuse(&f, "lower: {batch: 20, set: {type: ball}}\nupper: {batch: 20}",
         "solver.lower.set.type 'ball' couples the tasks");
  refuse(&f, "lower: {batch: 20, set: {type: simplex}}\nupper: {batch: 20}",
         "solver.lower.set.type 'simplex' couples the tasks");
  fixture_free(comm, &f);
}

/* A step that leaves the range of doubles: the step that made it says so, not the next sweep. */
static void notices_overflow(blo_comm *comm)
{
  fixture f;
  blo_report r;
  fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &f);
  quadratic_faults(f.problem)->upper_scale = 1e300;
  blo_solver *s = ride_make(&f, "minimax_gda", "lower: {step: 1e12}", SEED);
  BLO_EXPECT_STATUS(blo_solver_step(s, &r), BLO_E_NONFINITE);
  BLO_EXPECT_ERROR_HAS("w (the solver's y) is not finite after the lower step of iteration 0");
  BLO_EXPECT_ALL(blo_array_finite(NX, s->x->data));
  blo_solver_destroy(&s);
  fixture_free(comm, &f);
}

static void says_how_long_the_stages_take(blo_comm *comm)
{
  fixture f;
  fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &f);
  blo_solver *s = ride_make(&f, "minimax_gda", "stages: {number: 7, steps: 300}", SEED);
  ride_expect_described(s, "stages    7 of 300 steps, 2100 iterations in all");
  blo_solver_destroy(&s);
  fixture_free(comm, &f);
}

static const blo_test tests[] = {
    {"does what its page says", does_what_its_page_says},
    {"without f nothing moves x", without_f_nothing_moves_x},
    {"other tasks stand still", other_tasks_stand_still},
    {"an aligned x stays at home", an_aligned_x_stays_at_home},
    {"refuses what makes no sense", refuses_what_makes_no_sense},
    {"notices overflow", notices_overflow},
    {"says how long the stages take", says_how_long_the_stages_take},
};
BLO_TEST_MAIN("minimax_gda", tests)

/* Methods whose x is kept in a set: x is in it whenever the problem is asked, and they end at the
 * minimiser of F over the set: x = P(x - grad F(x)), with F and P in plain loops. */
#include "ride.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NX = QUADRATIC_N_X, NY = QUADRATIC_N_Y, SEED = 5 };

/* --------------------------------------------------- sets in plain loops */

typedef struct set_case {
  const char *settings;
  blo_set_type type;
  double a, b; /* box: low, high; ball: center, radius; simplex: total */
} set_case;

static const set_case set_cases[] = {
    {"{type: box, low: -0.1, high: 0.05}", BLO_SET_BOX, -0.1, 0.05},
    {"{type: ball, center: 0.2, radius: 0.3}", BLO_SET_BALL, 0.2, 0.3},
    {"{type: simplex, total: 0.7}", BLO_SET_SIMPLEX, 0.7, 0},
    {"{type: user}", BLO_SET_USER, 0, 0},
    {"{type: none}", BLO_SET_NONE, 0, 0},
};
enum { BOX, BALL, SIMPLEX, USER, NONE, N_SETS };

/* The problem's own set: x_i >= (i - 2) / 10. */
static double own_bound(blo_int i)
{
  return (double)(i - 2) / 10;
}

/* The t with sum_i max(z_i - t, 0) = total, by bisection. */
static double water_level(double total, const double *z)
{
  double low = -1e3, high = 1e3;
  for (int turn = 0; turn < 200; turn++) {
    double t = 0.5 * (low + high), sum = 0;
    for (int i = 0; i < NX; i++) {
      sum += fmax(z[i] - t, 0);
    }
    *(sum > total ? &low : &high) = t;
  }
  return 0.5 * (low + high);
}

static void nearest(const set_case *c, double *z)
{
  double r = 0, t = c->type == BLO_SET_SIMPLEX ? water_level(c->a, z) : 0;
  for (int i = 0; i < NX; i++) {
    r += (z[i] - c->a) * (z[i] - c->a);
  }
  r = sqrt(r);
  for (int i = 0; i < NX; i++) {
    switch (c->type) {
    case BLO_SET_BOX:
      z[i] = fmin(fmax(z[i], c->a), c->b);
      break;
    case BLO_SET_BALL:
      z[i] = r > c->b ? c->a + (z[i] - c->a) * c->b / r : z[i];
      break;
    case BLO_SET_SIMPLEX:
      z[i] = fmax(z[i] - t, 0);
      break;
    case BLO_SET_USER:
      z[i] = fmax(z[i], own_bound(i));
      break;
    case BLO_SET_NONE:
      break;
    }
  }
}

static double distance(const double *a, const double *b)
{
  double sum = 0;
  for (int i = 0; i < NX; i++) {
    sum += (a[i] - b[i]) * (a[i] - b[i]);
  }
  return sqrt(sum);
}

static double outside(const set_case *c, const double *x)
{
  double p[NX];
  memcpy(p, x, sizeof p);
  nearest(c, p);
  return distance(p, x);
}

/* ------------------------------------- the quadratic that watches its x */

typedef struct watch_options {
  blo_int set; /* whose points are the only ones that may be asked for */
} watch_options;

static const blo_opt_row watch_rows[] = {
    BLO_OPT(watch_options, set, "0", 0, N_SETS - 1, "-", "number of the set", "", 0)};
static const blo_opt_table watch_table = {
    "watch", "", sizeof(watch_options), watch_rows, BLO_COUNT_OF(watch_rows), NULL, 0};

static blo_status watching_shard(blo_problem *p, const blo_shard_task *task,
                                 const blo_shard_out *out)
{
  const watch_options *o = p->options;
  double by = outside(&set_cases[o->set], task->x);
  BLO_CHECK(p->ctx, by <= 1e-14, BLO_E_DATA, "asked for an x that is outside by %.3g", by);
  return blo_problem_test_quadratic.shard(p, task, out);
}

static void own_project(const blo_problem *p, blo_level level, const blo_slice *z, double *d)
{
  (void)p, (void)level, (void)d;
  for (blo_int i = 0; i < z->n; i++) {
    z->data[i] = fmax(z->data[i], own_bound(z->first + i));
  }
}

static blo_problem_type watched_type(void)
{
  blo_problem_type type = blo_problem_test_quadratic;
  type.options = &watch_table;
  type.shard = watching_shard;
  type.project = own_project;
  return type;
}

static void open_watched(blo_comm *comm, const blo_problem_type *type, int set, fixture *f)
{
  char text[32];
  *f = (fixture){NULL, NULL, NULL};
  snprintf(text, sizeof text, "{set: %d}", set);
  BLO_REQUIRE_STATUS(blo_conf_parse(blo_comm_context(comm), "test", text, &f->conf), BLO_OK);
  BLO_REQUIRE_STATUS(blo_problem_create(comm, type, f->conf, &f->problem), BLO_OK);
  BLO_REQUIRE_STATUS(blo_eval_create(f->problem, BLO_REPRODUCIBLE, &f->eval), BLO_OK);
}

/* --------------------------------------------------------------- methods */

typedef struct method {
  const char *name, *settings; /* %s: the set */
  unsigned sets;               /* it is run in: bits */
  int steps;
  double near; /* that it ends so near to the minimiser; 0: need not */
} method;

enum { ALL = (1 << N_SETS) - 1 };
static const method methods[] = {
    {"aid", "{lower: {steps: 5, step: 0.3}, adjoint: {iterations: 7}, upper: {step: 0.2, set: %s}}",
     ALL, 200, 1e-9},
    {"aid",
     "{lower: {steps: 5, step: 0.3}, adjoint: {iterations: 7}, upper: {step: 0.05, momentum: "
     "0.7, set: %s}}",
     1 << BALL | 1 << SIMPLEX, 250, 1e-9},
    /* Adam scales each entry: its limit is a minimiser only over a product of intervals */
    {"aid",
     "{lower: {steps: 5, step: 0.3}, adjoint: {iterations: 7}, upper: {step: 0.1, decay: 0.6, "
     "rule: adam, set: %s}}",
     1 << BOX | 1 << USER, 400, 4e-3},
    {"aid",
     "{lower: {rule: newton, steps: 2}, adjoint: {type: direct}, upper: {step: 0.2, set: %s}}",
     1 << SIMPLEX, 120, 1e-9},
    {"soba",
     "{lower: {batch: 0, step: 0.3, decay: 0}, adjoint: {step: 0.3, decay: 0}, upper: {batch: 0, "
     "step: 0.1, decay: 0, set: %s}}",
     ALL, 800, 1e-7},
    {"stocbio",
     "{lower: {batch: 0, steps: 20, step: 0.3}, adjoint: {batch: 0, iterations: 60, step: 0.3}, "
     "upper: {batch: 0, step: 0.2, set: %s}}",
     1 << BOX, 80, 1e-6},
    {"soba", "{lower: {batch: 20}, upper: {batch: 15, step: 0.5, set: %s}}", ALL, 20, 0},
    {"aid",
     "{lower: {steps: 5, step: 0.3}, adjoint: {iterations: 7}, upper: {step: 5, clip: 1, set: "
     "%s}}",
     ALL, 20, 0},
};
enum { N_METHODS = sizeof methods / sizeof *methods };

/* Run a method in a set; each step leaves x in it. */
static void run(const fixture *f, const method *m, int set, double *x)
{
  char text[512];
  blo_report report;
  double worst = 0;
  snprintf(text, sizeof text, m->settings, set_cases[set].settings);
  blo_solver *s = ride_make(f, m->name, text, SEED);
  for (int k = 0; k < m->steps; k++) {
    BLO_REQUIRE_STATUS(blo_solver_step(s, &report), BLO_OK);
    worst = fmax(worst, outside(&set_cases[set], s->x->data));
  }
  BLO_EXPECT_MSG(worst <= 1e-14, "%s, set %d: x is outside by %.3g", m->name, set, worst);
  memcpy(x, s->x->data, NX * sizeof *x);
  blo_solver_destroy(&s);
}

/* |x - P(x - grad F(x))|: 0 at the minimiser of F over the set only, F being convex. */
static double mapping(const set_case *c, const double *x)
{
  double y[NY], z[NX];
  quadratic_solution(x, y);
  quadratic_hypergradient(x, y, z);
  for (int i = 0; i < NX; i++) {
    z[i] = x[i] - z[i];
  }
  nearest(c, z);
  return distance(x, z);
}

static void methods_end_at_the_constrained_minimum(blo_comm *comm)
{
  const blo_problem_type type = watched_type();
  for (int k = 0; k < N_METHODS * N_SETS; k++) {
    const method *m = &methods[k / N_SETS];
    int set = k % N_SETS;
    double x[NX];
    fixture f;
    if ((m->sets >> set & 1) == 0) {
      continue;
    }
    open_watched(comm, &type, set, &f);
    run(&f, m, set, x);
    if (m->near > 0) {
      double off = mapping(&set_cases[set], x), free = mapping(&set_cases[NONE], x);
      BLO_EXPECT_MSG(off <= m->near, "%s, set %d: |x - P(x - grad F)| = %.3g", m->name, set, off);
      BLO_EXPECT_MSG(set == NONE || free > 1e-2, "%s, set %d: the set has no effect (%.3g)",
                     m->name, set, free);
    }
    fixture_free(comm, &f);
  }
}

static void ranks_do_not_matter(blo_comm *comm)
{
  const blo_problem_type type = watched_type();
  const int which[] = {1, N_METHODS - 2};
  blo_comm *self = NULL;
  BLO_REQUIRE_STATUS(blo_comm_create(blo_comm_context(comm), MPI_COMM_SELF, &self), BLO_OK);
  for (int k = 0; k < 2 * N_SETS; k++) {
    method m = methods[which[k / N_SETS]];
    double x[2][NX];
    fixture f;
    m.steps = 10;
    open_watched(comm, &type, k % N_SETS, &f);
    run(&f, &m, k % N_SETS, x[0]);
    fixture_free(comm, &f);
    open_watched(self, &type, k % N_SETS, &f);
    run(&f, &m, k % N_SETS, x[1]);
    fixture_free(self, &f);
    BLO_EXPECT_MSG(memcmp(x[0], x[1], sizeof x[0]) == 0, "%s, set %d: other bits", m.name,
                   k % N_SETS);
  }
  blo_comm_destroy(&self);
}

static void wrong_sets_are_refused(blo_comm *comm)
{
  static const struct {
    const char *method, *settings, *says;
  } wrong[] = {
      {"aid", "{upper: {set: {type: box, low: 2, high: 1}}}", "low = 2 above high = 1 is empty"},
      {"soba", "{upper: {set: {type: user}}}", "'test_quadratic' has no set of its own"},
      {"aid", "{upper: {set: {type: cube}}}", "is not one of"},
      {"aid", "{upper: {set: {type: ball, radius: 0}}}", "radius"},
      {"aid", "{upper: {set: {type: simplex, total: -1}}}", "total"},
      {"aid", "{lower: {set: {type: box}}}", "set"},
      {"aid", "{upper: {set: {low: 0}}}",
       "solver.upper.set.low belongs to solver.upper.set.type = 'box'; with 'none'"},
      {"soba", "{upper: {set: {type: simplex, high: 1}}}", "solver.upper.set.high belongs to"},
      {"mgbio", "{upper: {set: {type: box, center: 1}}}",
       "solver.upper.set.center belongs to solver.upper.set.type = 'ball'"},
      {"iaptt_gm", "{lower: {set: {type: box, radius: 2}}}", "solver.lower.set.radius belongs to"},
      {"minimax_gda", "{lower: {set: {total: 2}}}",
       "solver.lower.set.total belongs to solver.lower.set.type = 'simplex'"},
      {"minimax_gda", "{upper: {set: {type: box, low: 2, high: 1}}}",
       "solver.upper.set.type 'box'"},
      {"minimax_gda", "{lower: {set: {type: box, low: 2, high: 1}}}",
       "solver.lower.set.type 'box'"},
      {"minimax_gda", "{lower: {set: {type: user}}}", "solver.lower.set.type 'user'"},
  };
  fixture f;
  fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &f);
  for (int i = 0; i < (int)(sizeof wrong / sizeof *wrong); i++) {
    ride_expect_refused(&f, wrong[i].method, wrong[i].settings, BLO_E_OPTION, wrong[i].says);
  }
  fixture_free(comm, &f);
}

static const blo_test tests[] = {
    {"methods end at the constrained minimum", methods_end_at_the_constrained_minimum},
    {"ranks do not matter", ranks_do_not_matter},
    {"wrong sets are refused", wrong_sets_are_refused},
};
BLO_TEST_MAIN("projection_methods", tests)

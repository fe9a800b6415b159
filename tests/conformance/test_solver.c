/* Every method of the list: the same bits on any number of ranks, in any layout of x and after a
 * restart; close results with fast sums; no allocation in a step; messages as its page says. */
#include "fixture.h"
#include "transplant.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Short settings under which each method makes progress on the small problems. */
static const char *const settings[] = {
    "lower:\n  steps: 4\n  step: 0.3\n  momentum: 0.5\nadjoint:\n  on_curvature: truncate\n"
    "  iterations: 4\nupper:\n  step: 0.5\n  momentum: 0.5\n",
    "lower:\n  steps: 4\n  step: 0.3\n  batch: 40\nadjoint:\n  iterations: 4\n  step: 0.3\n"
    "  batch: 40\nupper:\n  step: 0.5\n  batch: 30\n",
    "lower:\n  step: 0.3\n  batch: 40\nadjoint:\n  step: 0.3\nupper:\n  step: 0.5\n  batch: 30\n",
};

/* y that belongs to tasks has one batch size for all; the steps suit its part of the tasks. */
static const char *const settings_of_tasks[] = {
    "lower:\n  steps: 4\n  step: 0.3\n  momentum: 0.5\nadjoint:\n  iterations: 4\n"
    "upper:\n  step: 0.5\n  momentum: 0.5\n",
    "lower:\n  steps: 4\n  step: 0.1\n  batch: 20\nadjoint:\n  iterations: 4\n  step: 0.1\n"
    "  batch: 20\nupper:\n  step: 0.5\n  batch: 20\n",
    "lower:\n  step: 0.1\n  batch: 20\nadjoint:\n  step: 0.1\nupper:\n  step: 0.2\n  batch: 20\n",
};

/* Of 8 tasks in 4 shards. */
static const char *const settings_of_few_shot[] = {
    "lower:\n  steps: 4\n  step: 0.1\n  momentum: 0.5\nadjoint:\n  iterations: 4\n"
    "upper:\n  step: 0.1\n  momentum: 0.5\n",
    "lower:\n  steps: 4\n  step: 0.1\n  batch: 4\nadjoint:\n  iterations: 4\n  step: 0.1\n"
    "  batch: 4\nupper:\n  step: 0.1\n  batch: 4\n",
    "lower:\n  step: 0.1\n  batch: 4\nadjoint:\n  step: 0.1\nupper:\n  step: 0.1\n  batch: 4\n",
};

/* And of aid with Adam's upper step; and with Newton steps and the direct adjoint on a grid of one
 * rank, whose bits do not depend on the number of ranks. */
static const char *const settings_of_aid[] = {
    "lower:\n  steps: 4\n  step: 0.3\nadjoint:\n  on_curvature: truncate\n  iterations: 4\n"
    "upper:\n  step: 0.02\n  rule: adam\n  clip: 0.1\n",
    "lower:\n  steps: 2\n  rule: newton\nadjoint:\n  type: direct\n  on_curvature: truncate\n"
    "upper:\n  step: 0.02\ndense:\n  ranks: 1\n  block: 8\n",
};

static const blo_solver_type *type_at(int i)
{
  blo_int n;
  const blo_solver_type *const *types = blo_solver_types(&n);
  return i < n ? types[i] : NULL;
}

/* The methods, and behind them the first one with other settings. */
static const blo_solver_type *variant_at(int i)
{
  blo_int n;
  blo_solver_types(&n);
  return i >= n && i < n + BLO_COUNT_OF(settings_of_aid) ? type_at(0) : type_at(i);
}

static const char *settings_for(int kind, int variant)
{
  blo_int n;
  blo_solver_types(&n);
  if (variant >= n) {
    return settings_of_aid[variant - n];
  }
  if (kind == FIXTURE_FEW_SHOT) {
    return settings_of_few_shot[variant];
  }
  return (kind == FIXTURE_TASKS ? settings_of_tasks : settings)[variant];
}

typedef struct setup {
  fixture f;
  blo_conf *conf;
  blo_solver *solver;
} setup;

static void make(blo_comm *comm, int kind, int method, const char *folder, blo_reduction how,
                 setup *s)
{
  blo_context *ctx = blo_comm_context(comm);
  fixture_make(comm, kind, folder, how, &s->f);
  s->conf = NULL;
  s->solver = NULL;
  BLO_REQUIRE_STATUS(blo_conf_parse(ctx, "test", settings_for(kind, method), &s->conf), BLO_OK);
  BLO_REQUIRE_STATUS(blo_solver_create(s->f.eval, variant_at(method), s->conf, 17, &s->solver),
                     BLO_OK);
}

static void release(blo_comm *comm, setup *s)
{
  blo_solver_destroy(&s->solver);
  blo_conf_destroy(&s->conf);
  fixture_free(comm, &s->f);
}

static void advance(setup *s, int steps)
{
  blo_report r;
  for (int k = 0; k < steps; k++) {
    BLO_REQUIRE_STATUS(blo_solver_step(s->solver, &r), BLO_OK);
  }
}

enum { STEPS = 12 };

static int steps_of(int kind)
{
  return fixture_is_network(kind) ? 5 : STEPS;
}

/* Checksums of x and y after some steps on a communicator. */
static void run(blo_comm *comm, int kind, int method, const char *folder, uint32_t crc[2])
{
  setup s;
  make(comm, kind, method, folder, BLO_REPRODUCIBLE, &s);
  advance(&s, steps_of(kind));
  BLO_REQUIRE_STATUS(blo_vec_checksum(s.solver->x, &crc[0]), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_checksum(s.solver->y, &crc[1]), BLO_OK);
  release(comm, &s);
}

static void bits_do_not_know_ranks_or_layout(blo_comm *comm)
{
  char folder[256];
  blo_comm *self = NULL;
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  BLO_REQUIRE_STATUS(blo_comm_create(blo_comm_context(comm), MPI_COMM_SELF, &self), BLO_OK);
  for (int method = 0; variant_at(method) != NULL; method++) {
    uint32_t sharded[2] = {0, 0};
    for (int kind = 0; kind < N_FIXTURES; kind++) {
      uint32_t here[2], alone[2];
      run(comm, kind, method, folder, here);
      run(self, kind, method, folder, alone);
      BLO_EXPECT_MSG(memcmp(here, alone, sizeof here) == 0, "%s on %s: other bits than on one rank",
                     variant_at(method)->name, fixture_name(kind));
      BLO_EXPECT_MSG(kind != FIXTURE_CLEANING_ROOTED || memcmp(here, sharded, sizeof here) == 0,
                     "%s: rooted x has other bits than sharded x", variant_at(method)->name);
      memcpy(sharded, here, sizeof here);
    }
  }
  blo_comm_destroy(&self);
}

static void fast_sums_are_close(blo_comm *comm)
{
  char folder[256];
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  for (int method = 0; type_at(method) != NULL; method++) {
    for (int kind = 0; kind < N_FIXTURES; kind++) {
      setup a, b;
      make(comm, kind, method, folder, BLO_REPRODUCIBLE, &a);
      make(comm, kind, method, folder, BLO_FAST, &b);
      advance(&a, steps_of(kind));
      advance(&b, steps_of(kind));
      blo_vec *const va[] = {a.solver->x, a.solver->y}, *const vb[] = {b.solver->x, b.solver->y};
      for (int i = 0; i < 2; i++) {
        double size = blo_vec_norm(va[i]);
        blo_vec *d;
        BLO_REQUIRE_STATUS(blo_vec_create(va[i]->space, &d), BLO_OK);
        blo_vec_copy(va[i], d);
        for (blo_int k = 0; k < blo_space_n_local(d->space); k++) {
          d->data[k] -= vb[i]->data[k];
        }
        BLO_EXPECT_MSG(blo_vec_norm(d) <= 1e-10 * size, "%s on %s", type_at(method)->name,
                       fixture_name(kind));
        blo_vec_destroy(&d);
      }
      release(comm, &a);
      release(comm, &b);
    }
  }
}

static void continue_elsewhere(blo_comm *comm, int kind, int method, const char *folder)
{
  setup a, b;
  uint32_t crc[4];
  make(comm, kind, method, folder, BLO_REPRODUCIBLE, &a);
  make(comm, kind, method, folder, BLO_REPRODUCIBLE, &b);
  advance(&a, 5);
  transplant(a.solver->state, b.solver->state);
  advance(&a, 6);
  advance(&b, 6);
  BLO_REQUIRE_STATUS(blo_vec_checksum(a.solver->x, &crc[0]), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_checksum(b.solver->x, &crc[1]), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_checksum(a.solver->y, &crc[2]), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_checksum(b.solver->y, &crc[3]), BLO_OK);
  BLO_EXPECT_MSG(crc[0] == crc[1] && crc[2] == crc[3], "%s on %s: the state list lacks something",
                 variant_at(method)->name, fixture_name(kind));
  release(comm, &a);
  release(comm, &b);
}

static void state_is_complete(blo_comm *comm)
{
  char folder[256];
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  for (int method = 0; variant_at(method) != NULL; method++) {
    continue_elsewhere(comm, FIXTURE_CLEANING, method, folder);
    continue_elsewhere(comm, FIXTURE_TASKS, method, folder);
    continue_elsewhere(comm, FIXTURE_REPRESENTATION, method, folder);
    continue_elsewhere(comm, FIXTURE_FEW_SHOT, method, folder);
  }
}

static void steps_allocate_nothing(blo_comm *comm)
{
  char folder[256];
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  for (int method = 0; variant_at(method) != NULL; method++) {
    for (int kind = 0; kind < N_FIXTURES; kind++) {
      setup s;
      make(comm, kind, method, folder, BLO_REPRODUCIBLE, &s);
      blo_int before = blo_memory(blo_comm_context(comm)).total;
      advance(&s, 3);
      BLO_EXPECT_MSG(blo_memory(blo_comm_context(comm)).total == before, "%s on %s",
                     variant_at(method)->name, fixture_name(kind));
      release(comm, &s);
    }
  }
}

/* Oracle calls and reductions of one iteration, as in docs/methods.md (T = K = 4). With tasks the
 * sweeps before and after the solve communicate, its products do not; of the scalar products CG
 * has 1 + 2 K messages, the Neumann series 2 norms, the certificate 1. */
static void costs_are_as_said(blo_comm *comm)
{
  static const struct {
    blo_int g_y, hv, jv, f_y, reductions, of_tasks;
  } want[] = {{4 + 1, 4 + 2, 1, 1, 4 + 4 + 2, 2 + 1 + 2 * 4 + 1},
              {4 + 1, 4 + 1, 1, 1, 4 + 4 + 2, 2 + 2 + 1},
              {1, 1, 1, 1, 1, 1}};
  static const int kinds[] = {FIXTURE_QUADRATIC, FIXTURE_TASKS};
  for (int i = 0; type_at(i / 2) != NULL; i++) {
    setup s;
    int method = i / 2, kind = kinds[i % 2];
    make(comm, kind, method, "", BLO_REPRODUCIBLE, &s);
    blo_traffic before = blo_comm_traffic(comm);
    advance(&s, 1);
    blo_traffic after = blo_comm_traffic(comm);
    blo_int expected = i % 2 == 0 ? want[method].reductions : want[method].of_tasks;
    const blo_counts *c = blo_eval_counts(s.f.eval);
    BLO_EXPECT_MSG(c->g_y == want[method].g_y && c->hv == want[method].hv &&
                       c->jv == want[method].jv && c->f_y == want[method].f_y,
                   "%s: g_y %lld, hv %lld, jv %lld, f_y %lld", type_at(method)->name,
                   (long long)c->g_y, (long long)c->hv, (long long)c->jv, (long long)c->f_y);
    BLO_EXPECT_SAME_BYTES(c, sizeof *c);
    BLO_EXPECT_MSG(after.reductions - before.reductions == expected, "%s on %s: %lld reductions",
                   type_at(method)->name, fixture_name(kind),
                   (long long)(after.reductions - before.reductions));
    release(comm, &s);
  }
}

/* Norm of grad F at x, from the closed form. */
static double slope_at(int kind, const double *x)
{
  double y[TASKS_N_Y], hx[QUADRATIC_N_X] = {0}, norm = 0;
  if (kind == FIXTURE_TASKS) {
    tasks_solution(x, y);
    tasks_hypergradient(x, y, hx);
  } else {
    quadratic_solution(x, y);
    quadratic_hypergradient(x, y, hx);
  }
  for (int i = 0; i < QUADRATIC_N_X; i++) {
    norm += hx[i] * hx[i];
  }
  return sqrt(norm);
}

static void find_minimum(blo_comm *comm, int kind, int method, const char *text)
{
  setup s;
  blo_conf *conf = NULL;
  blo_solver *solver = NULL;
  make(comm, kind, method, "", BLO_REPRODUCIBLE, &s);
  BLO_REQUIRE_STATUS(blo_conf_parse(blo_comm_context(comm), "test", text, &conf), BLO_OK);
  BLO_REQUIRE_STATUS(blo_solver_create(s.f.eval, type_at(method), conf, 1, &solver), BLO_OK);
  blo_report r;
  for (int k = 0; k < 1000; k++) {
    solver->want_norms = k == 999;
    BLO_REQUIRE_STATUS(blo_solver_step(solver, &r), BLO_OK);
  }
  double norm = slope_at(kind, solver->x->data);
  BLO_EXPECT_MSG(norm < 1e-10, "%s on %s: |grad F| = %.3g", type_at(method)->name,
                 fixture_name(kind), norm);
  BLO_EXPECT_MSG(r.hypergrad_norm < 1e-10, "%s on %s reports %.3g", type_at(method)->name,
                 fixture_name(kind), r.hypergrad_norm);
  blo_solver_destroy(&solver);
  blo_conf_destroy(&conf);
  release(comm, &s);
}

/* With an exact lower level and adjoint, AID is gradient descent on F: it ends where grad F = 0. */
static void methods_find_the_minimum(blo_comm *comm)
{
  static const char *const slow[] = {
      "lower:\n  steps: 40\n  step: 0.4\nadjoint:\n  iterations: 20\n  tol: 1e-13\nupper:\n  step: "
      "0.1\n",
      "lower:\n  steps: 40\n  step: 0.4\n  batch: 0\nadjoint:\n  iterations: 60\n  step: 0.4\n"
      "  batch: 0\nupper:\n  step: 0.1\n  batch: 0\n",
      "lower:\n  step: 0.4\n  batch: 0\n  decay: 0\nadjoint:\n  step: 0.4\n  decay: 0\n"
      "upper:\n  step: 0.1\n  batch: 0\n  decay: 0\n"};
  for (int method = 0; type_at(method) != NULL; method++) {
    find_minimum(comm, FIXTURE_QUADRATIC, method, slow[method]);
    find_minimum(comm, FIXTURE_TASKS, method, slow[method]);
  }
}

/* A lower step far too large: the run ends with a status that names what is not finite. */
static void divergence_is_noticed(blo_comm *comm)
{
  setup s;
  blo_conf *conf = NULL;
  blo_solver *solver = NULL;
  blo_report r;
  blo_status status = BLO_OK;
  make(comm, FIXTURE_QUADRATIC, 0, "", BLO_REPRODUCIBLE, &s);
  BLO_REQUIRE_STATUS(blo_conf_parse(blo_comm_context(comm), "test", "lower: {step: 100}", &conf),
                     BLO_OK);
  BLO_REQUIRE_STATUS(blo_solver_create(s.f.eval, type_at(0), conf, 1, &solver), BLO_OK);
  for (int k = 0; k < 200 && status == BLO_OK; k++) {
    status = blo_solver_step(solver, &r);
  }
  BLO_EXPECT_STATUS(status, BLO_E_NONFINITE);
  BLO_EXPECT_ERROR_HAS("not finite");
  blo_solver_destroy(&solver);
  blo_conf_destroy(&conf);
  release(comm, &s);
}

static const blo_test tests[] = {
    {"bits do not know ranks or layout", bits_do_not_know_ranks_or_layout},
    {"fast sums are close", fast_sums_are_close},
    {"state is complete", state_is_complete},
    {"steps allocate nothing", steps_allocate_nothing},
    {"costs are as said", costs_are_as_said},
    {"methods find the minimum", methods_find_the_minimum},
    {"divergence is noticed", divergence_is_noticed},
};
BLO_TEST_MAIN("solver", tests)

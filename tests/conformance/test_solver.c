/* Every method of the list, with what tests/support/case_NAME.c says of it: the same bits on any
 * number of ranks, in any layout of x and after a restart; close results with fast sums; no
 * allocation in a step; oracle calls and messages as its page says; the minimum found; divergence
 * noticed before it is in the state; refused what it cannot do. */
#include "method_case.h"
#include "transplant.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------ set-up */

static bool refuses(const method_case *m, int kind)
{
  return (m->refuses >> kind & 1u) != 0;
}

/* The first fixture that the method takes: the quadratic one, unless it is for special problems. */
static int base_kind(const method_case *m)
{
  int kind = 0;
  while (refuses(m, kind)) {
    kind++;
  }
  return kind;
}

static const char *settings_for(const method_settings *s, int kind)
{
  if (kind == FIXTURE_FEW_SHOT && s->of_few_shot != NULL) {
    return s->of_few_shot;
  }
  return kind == FIXTURE_TASKS && s->of_tasks != NULL ? s->of_tasks : s->general;
}

typedef struct setup {
  fixture f;
  blo_conf *conf;
  blo_solver *solver;
} setup;

/* Problem, evaluator and solver: its status. */
static blo_status try_make(blo_comm *comm, int kind, const char *method, const char *text,
                           const char *folder, blo_reduction how, setup *s)
{
  *s = (setup){.solver = NULL};
  fixture_make(comm, kind, folder, how, &s->f);
  BLO_REQUIRE_STATUS(blo_conf_parse(blo_comm_context(comm), "test", text, &s->conf), BLO_OK);
  return blo_solver_create(s->f.eval, blo_solver_find(method), s->conf, 17, &s->solver);
}

static void make(blo_comm *comm, int kind, const method_case *m, int variant, const char *folder,
                 blo_reduction how, setup *s)
{
  const char *text = settings_for(&m->settings[variant], kind);
  BLO_REQUIRE_STATUS(try_make(comm, kind, m->name, text, folder, how, s), BLO_OK);
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

static int steps_of(int kind)
{
  return fixture_is_network(kind) ? 5 : 12;
}

/* What a test does with a method, one of its variants and a fixture. */
typedef void each(blo_comm *comm, const method_case *m, int variant, int kind, const char *folder);

static void for_all(blo_comm *comm, bool variants, each *call)
{
  char folder[256];
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  for (int i = 0; method_cases[i] != NULL; i++) {
    const method_case *m = method_cases[i];
    for (int v = 0; m->settings[v].general != NULL && (v == 0 || variants); v++) {
      for (int kind = 0; kind < N_FIXTURES; kind++) {
        if (!refuses(m, kind)) {
          call(comm, m, v, kind, folder);
        }
      }
    }
  }
}

/* -------------------------------------------------------------------- bits */

/* Checksums of x and y after some steps on a communicator. */
static void run(blo_comm *comm, const method_case *m, int variant, int kind, const char *folder,
                uint32_t crc[2])
{
  setup s;
  make(comm, kind, m, variant, folder, BLO_REPRODUCIBLE, &s);
  advance(&s, steps_of(kind));
  BLO_REQUIRE_STATUS(blo_vec_checksum(s.solver->x, &crc[0]), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_checksum(s.solver->y, &crc[1]), BLO_OK);
  release(comm, &s);
}

static void compare_with_one_rank(blo_comm *comm, const method_case *m, int variant, int kind,
                                  const char *folder)
{
  uint32_t here[2], alone[2], sharded[2];
  blo_comm *self = NULL;
  BLO_REQUIRE_STATUS(blo_comm_create(blo_comm_context(comm), MPI_COMM_SELF, &self), BLO_OK);
  run(comm, m, variant, kind, folder, here);
  run(self, m, variant, kind, folder, alone);
  BLO_EXPECT_MSG(memcmp(here, alone, sizeof here) == 0,
                 "%s (%d) on %s: other bits than on one rank", m->name, variant,
                 fixture_name(kind));
  if (kind == FIXTURE_CLEANING_ROOTED) {
    run(comm, m, variant, FIXTURE_CLEANING, folder, sharded);
    BLO_EXPECT_MSG(memcmp(here, sharded, sizeof here) == 0,
                   "%s (%d): rooted x has other bits than sharded x", m->name, variant);
  }
  blo_comm_destroy(&self);
}

static void bits_do_not_know_ranks_or_layout(blo_comm *comm)
{
  for_all(comm, true, compare_with_one_rank);
}

static void expect_close(const method_case *m, int kind, const blo_vec *a, const blo_vec *b)
{
  double size = blo_vec_norm(a);
  blo_vec *d;
  BLO_REQUIRE_STATUS(blo_vec_create(a->space, &d), BLO_OK);
  blo_vec_copy(a, d);
  for (blo_int k = 0; k < blo_space_n_local(d->space); k++) {
    d->data[k] -= b->data[k];
  }
  BLO_EXPECT_MSG(blo_vec_norm(d) <= 1e-10 * size, "%s on %s", m->name, fixture_name(kind));
  blo_vec_destroy(&d);
}

static void compare_with_fast_sums(blo_comm *comm, const method_case *m, int variant, int kind,
                                   const char *folder)
{
  setup a, b;
  make(comm, kind, m, variant, folder, BLO_REPRODUCIBLE, &a);
  make(comm, kind, m, variant, folder, BLO_FAST, &b);
  advance(&a, steps_of(kind));
  advance(&b, steps_of(kind));
  expect_close(m, kind, a.solver->x, b.solver->x);
  expect_close(m, kind, a.solver->y, b.solver->y);
  release(comm, &a);
  release(comm, &b);
}

static void fast_sums_are_close(blo_comm *comm)
{
  for_all(comm, false, compare_with_fast_sums);
}

/* ------------------------------------------------------------------- state */

static void continue_elsewhere(blo_comm *comm, const method_case *m, int variant, int kind,
                               const char *folder)
{
  setup a, b;
  uint32_t crc[4];
  if (kind != base_kind(m) && kind != FIXTURE_CLEANING && kind != FIXTURE_TASKS &&
      kind != FIXTURE_REPRESENTATION && kind != FIXTURE_FEW_SHOT) {
    return;
  }
  make(comm, kind, m, variant, folder, BLO_REPRODUCIBLE, &a);
  make(comm, kind, m, variant, folder, BLO_REPRODUCIBLE, &b);
  advance(&a, 5);
  transplant(a.solver->state, b.solver->state);
  advance(&a, 6);
  advance(&b, 6);
  BLO_REQUIRE_STATUS(blo_vec_checksum(a.solver->x, &crc[0]), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_checksum(b.solver->x, &crc[1]), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_checksum(a.solver->y, &crc[2]), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_checksum(b.solver->y, &crc[3]), BLO_OK);
  BLO_EXPECT_MSG(crc[0] == crc[1] && crc[2] == crc[3],
                 "%s (%d) on %s: the state list lacks something", m->name, variant,
                 fixture_name(kind));
  release(comm, &a);
  release(comm, &b);
}

static void state_is_complete(blo_comm *comm)
{
  for_all(comm, true, continue_elsewhere);
}

static void count_allocations(blo_comm *comm, const method_case *m, int variant, int kind,
                              const char *folder)
{
  setup s;
  make(comm, kind, m, variant, folder, BLO_REPRODUCIBLE, &s);
  blo_int before = blo_memory(blo_comm_context(comm)).total;
  advance(&s, steps_of(kind));
  BLO_EXPECT_MSG(blo_memory(blo_comm_context(comm)).total == before, "%s (%d) on %s", m->name,
                 variant, fixture_name(kind));
  release(comm, &s);
}

static void steps_allocate_nothing(blo_comm *comm)
{
  for_all(comm, true, count_allocations);
}

/* ------------------------------------------------------------------- costs */

static void expect_cost(const method_case *m, int k, const method_cost *got,
                        const method_cost *want)
{
  BLO_EXPECT_MSG(memcmp(got, want, sizeof *got) == 0,
                 "%s, steps 0 to %d: g_x %lld (%lld), g_y %lld (%lld), hv %lld (%lld), jv %lld "
                 "(%lld), f_x %lld (%lld), f_y %lld (%lld), reductions %lld (%lld)",
                 m->name, k, (long long)got->g_x, (long long)want->g_x, (long long)got->g_y,
                 (long long)want->g_y, (long long)got->hv, (long long)want->hv, (long long)got->jv,
                 (long long)want->jv, (long long)got->f_x, (long long)want->f_x,
                 (long long)got->f_y, (long long)want->f_y, (long long)got->reductions,
                 (long long)want->reductions);
}

/* Oracle calls and reductions of the first iterations, as on the method's page. */
static void follow_costs(blo_comm *comm, const method_case *m, int kind)
{
  setup s;
  make(comm, kind, m, 0, "", BLO_REPRODUCIBLE, &s);
  blo_int before = blo_comm_traffic(comm).reductions;
  blo_counts zero = *blo_eval_counts(s.f.eval);
  for (int k = 0; k < 8; k++) {
    method_cost want = m->cost(k, kind == FIXTURE_TASKS), got;
    advance(&s, 1);
    const blo_counts *c = blo_eval_counts(s.f.eval);
    BLO_EXPECT_SAME_BYTES(c, sizeof *c);
    got = (method_cost){.g_x = c->g_x - zero.g_x,
                        .g_y = c->g_y - zero.g_y,
                        .hv = c->hv - zero.hv,
                        .jv = c->jv - zero.jv,
                        .f_x = c->f_x - zero.f_x,
                        .f_y = c->f_y - zero.f_y,
                        .reductions = blo_comm_traffic(comm).reductions - before};
    expect_cost(m, k, &got, &want);
  }
  release(comm, &s);
}

static void costs_are_as_said(blo_comm *comm)
{
  for (int i = 0; method_cases[i] != NULL; i++) {
    const method_case *m = method_cases[i];
    follow_costs(comm, m, base_kind(m));
    if (!refuses(m, FIXTURE_TASKS)) {
      follow_costs(comm, m, FIXTURE_TASKS);
    }
  }
}

/* ------------------------------------------------------ where methods lead */

/* Norm of grad F at x, from the closed form. */
static double slope_at(int kind, const double *x)
{
  double y[TASKS_N_Y], hx[QUADRATIC_N_X] = {0}, norm = 0;
  if (kind == FIXTURE_TASKS) {
    tasks_solution(x, y);
    tasks_hypergradient(x, y, hx);
  } else if (kind == FIXTURE_MINIMAX) {
    minimax_solution(x, y);
    minimax_hypergradient(x, y, hx);
  } else {
    quadratic_solution(x, y);
    quadratic_hypergradient(x, y, hx);
  }
  for (int i = 0; i < QUADRATIC_N_X; i++) {
    norm += hx[i] * hx[i];
  }
  return sqrt(norm);
}

static void find_minimum(blo_comm *comm, int kind, const method_case *m, const char *text)
{
  setup s;
  blo_report r;
  double near = m->near > 0 ? m->near : 1e-10;
  BLO_REQUIRE_STATUS(try_make(comm, kind, m->name, text, "", BLO_REPRODUCIBLE, &s), BLO_OK);
  for (int k = 0; k < 1000; k++) {
    s.solver->want_norms = k == 999;
    BLO_REQUIRE_STATUS(blo_solver_step(s.solver, &r), BLO_OK);
  }
  double norm = slope_at(kind, s.solver->x->data);
  BLO_EXPECT_MSG(norm < near, "%s on %s: |grad F| = %.3g", m->name, fixture_name(kind), norm);
  BLO_EXPECT_MSG(r.hypergrad_norm < near, "%s on %s reports %.3g", m->name, fixture_name(kind),
                 r.hypergrad_norm);
  release(comm, &s);
}

static void methods_find_the_minimum(blo_comm *comm)
{
  for (int i = 0; method_cases[i] != NULL; i++) {
    const method_case *m = method_cases[i];
    if (m->minimum != NULL) {
      find_minimum(comm, base_kind(m), m, m->minimum);
    }
    if (m->minimum_of_tasks != NULL) {
      find_minimum(comm, FIXTURE_TASKS, m, m->minimum_of_tasks);
    }
  }
}

static bool state_is_finite(const blo_state *state)
{
  bool finite = true;
  for (blo_int i = 0; i < blo_state_count(state); i++) {
    const blo_state_entry *e = blo_state_get(state, i);
    finite = finite && (e->kind != BLO_STATE_VEC || blo_vec_finite(e->at.vec));
  }
  return finite;
}

/* A step size far too large: a step says which value is not finite, and none that succeeds leaves
 * such a value in what a checkpoint would save. */
static void diverge(blo_comm *comm, const method_case *m)
{
  setup s;
  blo_report r;
  blo_status status = BLO_OK;
  bool finite = true;
  BLO_REQUIRE_STATUS(try_make(comm, base_kind(m), m->name, m->diverging, "", BLO_REPRODUCIBLE, &s),
                     BLO_OK);
  for (int k = 0; k < 400 && status == BLO_OK; k++) {
    finite = finite && state_is_finite(s.solver->state);
    status = blo_solver_step(s.solver, &r);
  }
  BLO_EXPECT_MSG(finite, "%s: the state is not finite, and no step has said so", m->name);
  BLO_EXPECT_MSG(status == BLO_E_NONFINITE, "%s: %s", m->name, blo_status_text(status));
  BLO_EXPECT_ERROR_HAS("not finite");
  release(comm, &s);
}

static void divergence_is_noticed(blo_comm *comm)
{
  for (int i = 0; method_cases[i] != NULL; i++) {
    diverge(comm, method_cases[i]);
  }
}

/* What a method cannot do it refuses when it is made. */
static void others_are_refused(blo_comm *comm)
{
  char folder[256];
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  for (int i = 0; method_cases[i] != NULL; i++) {
    const method_case *m = method_cases[i];
    for (int kind = 0; kind < N_FIXTURES; kind++) {
      if (refuses(m, kind)) {
        setup s;
        const char *text = settings_for(&m->settings[0], kind);
        blo_status status = try_make(comm, kind, m->name, text, folder, BLO_REPRODUCIBLE, &s);
        BLO_EXPECT_MSG(status == BLO_E_UNSUPPORTED, "%s on %s: %s", m->name, fixture_name(kind),
                       blo_status_text(status));
        release(comm, &s);
      }
    }
  }
}

static const blo_test tests[] = {
    {"bits do not know ranks or layout", bits_do_not_know_ranks_or_layout},
    {"fast sums are close", fast_sums_are_close},
    {"state is complete", state_is_complete},
    {"steps allocate nothing", steps_allocate_nothing},
    {"costs are as said", costs_are_as_said},
    {"methods find the minimum", methods_find_the_minimum},
    {"divergence is noticed", divergence_is_noticed},
    {"others are refused", others_are_refused},
};
BLO_TEST_MAIN("solver", tests)

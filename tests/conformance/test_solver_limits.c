/* Every method of the list: the minimum found, and nothing that looks like it before; divergence
 * noticed before it is in the state. */
#include "method_ride.h"
#include <math.h>

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

/* What run.tol looks at must not be small before x is near the solution. */
static void expect_honest(int kind, const method_case *m, const ride *s, int k)
{
  const blo_report *r = &s->report;
  double seen = isnan(r->stationarity) ? r->hypergrad_norm : r->stationarity;
  BLO_EXPECT_MSG(!(seen <= 1e-6) || slope_at(kind, s->s->x->data) < 1e-3,
                 "%s on %s: run.tol sees %.3g after step %d, but |grad F| = %.3g", m->name,
                 fixture_name(kind), seen, k, slope_at(kind, s->s->x->data));
}

static void find_minimum(blo_comm *comm, int kind, const method_case *m, const char *text)
{
  ride s;
  double near = m->near > 0 ? m->near : 1e-10;
  BLO_REQUIRE_STATUS(method_try(comm, kind, m->name, text, "", BLO_REPRODUCIBLE, &s), BLO_OK);
  for (int k = 0; k < 1000; k++) {
    s.s->want_norms = k < 50 || k == 999;
    BLO_REQUIRE_STATUS(blo_solver_step(s.s, &s.report), BLO_OK);
    if (s.s->want_norms) {
      expect_honest(kind, m, &s, k);
    }
  }
  double norm = slope_at(kind, s.s->x->data);
  BLO_EXPECT_MSG(norm < near, "%s on %s: |grad F| = %.3g", m->name, fixture_name(kind), norm);
  BLO_EXPECT_MSG(s.report.hypergrad_norm < near, "%s on %s reports %.3g", m->name,
                 fixture_name(kind), s.report.hypergrad_norm);
  ride_close(comm, &s);
}

static void methods_find_the_minimum(blo_comm *comm)
{
  for (int i = 0; method_cases[i] != NULL; i++) {
    const method_case *m = method_cases[i];
    if (m->minimum != NULL) {
      find_minimum(comm, method_base_kind(m), m, m->minimum);
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
  ride s;
  blo_report r;
  blo_status status = BLO_OK;
  bool finite = true;
  BLO_REQUIRE_STATUS(
      method_try(comm, method_base_kind(m), m->name, m->diverging, "", BLO_REPRODUCIBLE, &s),
      BLO_OK);
  for (int k = 0; k < 400 && status == BLO_OK; k++) {
    finite = finite && state_is_finite(s.s->state);
    status = blo_solver_step(s.s, &r);
  }
  BLO_EXPECT_MSG(finite, "%s: the state is not finite, and no step has said so", m->name);
  BLO_EXPECT_MSG(status == BLO_E_NONFINITE, "%s: %s", m->name, blo_status_text(status));
  BLO_EXPECT_ERROR_HAS("not finite");
  ride_close(comm, &s);
}

static void divergence_is_noticed(blo_comm *comm)
{
  for (int i = 0; method_cases[i] != NULL; i++) {
    diverge(comm, method_cases[i]);
  }
}

static const blo_test tests[] = {
    {"methods find the minimum", methods_find_the_minimum},
    {"divergence is noticed", divergence_is_noticed},
};
BLO_TEST_MAIN("solver_limits", tests)

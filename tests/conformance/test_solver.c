/* Every method of the list, with what tests/support/case_NAME.c says of it: a state list that is
 * complete; no allocation in a step; oracle calls and messages as its page says; refused what it
 * cannot do. See also test_solver_bits.c and test_solver_limits.c. */
#include "method_ride.h"
#include "transplant.h"
#include <string.h>

static void continue_elsewhere(blo_comm *comm, const method_case *m, int variant, int kind,
                               const char *folder)
{
  ride a, b;
  uint32_t crc[4];
  if (kind != method_base_kind(m) && kind != FIXTURE_CLEANING && kind != FIXTURE_TASKS &&
      kind != FIXTURE_REPRESENTATION && kind != FIXTURE_FEW_SHOT) {
    return;
  }
  method_make(comm, kind, m, variant, folder, BLO_REPRODUCIBLE, &a);
  method_make(comm, kind, m, variant, folder, BLO_REPRODUCIBLE, &b);
  method_advance(&a, 5);
  transplant(a.s->state, b.s->state);
  method_advance(&a, 6);
  method_advance(&b, 6);
  BLO_REQUIRE_STATUS(blo_vec_checksum(a.s->x, &crc[0]), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_checksum(b.s->x, &crc[1]), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_checksum(a.s->y, &crc[2]), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_checksum(b.s->y, &crc[3]), BLO_OK);
  BLO_EXPECT_MSG(crc[0] == crc[1] && crc[2] == crc[3],
                 "%s (%d) on %s: the state list lacks something", m->name, variant,
                 fixture_name(kind));
  ride_close(comm, &a);
  ride_close(comm, &b);
}

static void state_is_complete(blo_comm *comm)
{
  method_for_all(comm, true, continue_elsewhere);
}

static void count_allocations(blo_comm *comm, const method_case *m, int variant, int kind,
                              const char *folder)
{
  ride s;
  method_make(comm, kind, m, variant, folder, BLO_REPRODUCIBLE, &s);
  blo_int before = blo_memory(blo_comm_context(comm)).total;
  method_advance(&s, method_steps(kind));
  BLO_EXPECT_MSG(blo_memory(blo_comm_context(comm)).total == before, "%s (%d) on %s", m->name,
                 variant, fixture_name(kind));
  ride_close(comm, &s);
}

static void steps_allocate_nothing(blo_comm *comm)
{
  method_for_all(comm, true, count_allocations);
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
  ride s;
  method_make(comm, kind, m, 0, "", BLO_REPRODUCIBLE, &s);
  blo_int before = blo_comm_traffic(comm).reductions;
  blo_counts zero = *blo_eval_counts(s.f.eval);
  for (int k = 0; k < 8; k++) {
    method_cost want = m->cost(k, kind == FIXTURE_TASKS), got;
    method_advance(&s, 1);
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
  ride_close(comm, &s);
}

static void costs_are_as_said(blo_comm *comm)
{
  for (int i = 0; method_cases[i] != NULL; i++) {
    const method_case *m = method_cases[i];
    follow_costs(comm, m, method_base_kind(m));
    if (!method_refuses(m, FIXTURE_TASKS)) {
      follow_costs(comm, m, FIXTURE_TASKS);
    }
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
      if (method_refuses(m, kind)) {
        ride s;
        const char *text = method_text(&m->settings[0], kind);
        blo_status status = method_try(comm, kind, m->name, text, folder, BLO_REPRODUCIBLE, &s);
        BLO_EXPECT_MSG(status == BLO_E_UNSUPPORTED, "%s on %s: %s", m->name, fixture_name(kind),
                       blo_status_text(status));
        ride_close(comm, &s);
      }
    }
  }
}

static const blo_test tests[] = {
    {"state is complete", state_is_complete},
    {"steps allocate nothing", steps_allocate_nothing},
    {"costs are as said", costs_are_as_said},
    {"others are refused", others_are_refused},
};
BLO_TEST_MAIN("solver", tests)

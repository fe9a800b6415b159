/* Tests that fail on the last rank only, each in its own way; harness.sh looks at what is said. */
#include "harness.h"

#include <math.h>

static bool is_last(blo_comm *comm)
{
  return blo_comm_rank(comm) == blo_comm_size(comm) - 1;
}

static void expectation(blo_comm *comm)
{
  BLO_EXPECT_ALL(!is_last(comm));
  BLO_EXPECT_MSG(false, "goes on after the first");
}

static void requirement(blo_comm *comm)
{
  BLO_REQUIRE_ALL(!is_last(comm));
  BLO_EXPECT_MSG(false, "does not go on");
}

static void same_number(blo_comm *comm)
{
  BLO_EXPECT_SAME(is_last(comm) ? -0.0 : 0.0);
}

static void same_bytes(blo_comm *comm)
{
  int value[2] = {7, is_last(comm)};
  BLO_EXPECT_SAME_BYTES(value, sizeof value);
  BLO_EXPECT_SAME_BYTES(value, is_last(comm) ? 4 : 8);
}

static void near(blo_comm *comm)
{
  BLO_EXPECT_NEAR(is_last(comm) ? 1.001 : 1.0, 1.0, 1e-4, 0, "a table");
  BLO_EXPECT_NEAR(is_last(comm) ? (double)NAN : 1.0, 1.0, 1e-4, 0, "another table");
}

static void status_code(blo_comm *comm)
{
  BLO_EXPECT_STATUS(is_last(comm) ? BLO_E_IO : BLO_OK, BLO_OK);
}

static void leak(blo_comm *comm)
{
  static double *kept[3];
  for (int i = 0; i < 3 && is_last(comm); i++) {
    BLO_BUG_IF(blo_alloc(blo_comm_context(comm), 1, 8, &kept[i]) != BLO_OK, "no memory");
  }
}

/* Loses an allocation when the second one fails. */
static blo_status careless(blo_comm *comm, void *arg)
{
  (void)arg;
  static double *first, *second;
  BLO_TRY_ALL(comm, blo_alloc(blo_comm_context(comm), 1, 8, &first));
  BLO_TRY_ALL(comm, blo_alloc(blo_comm_context(comm), 1, 8, &second));
  blo_free(blo_comm_context(comm), &first);
  blo_free(blo_comm_context(comm), &second);
  return BLO_OK;
}

static void sweep(blo_comm *comm)
{
  blo_test_sweep_faults(comm, careless, NULL);
}

static blo_status disagree(blo_comm *comm, void *arg)
{
  (void)arg;
  return blo_fault_point(blo_comm_context(comm), "on this rank alone");
}

static void sweep_alone(blo_comm *comm)
{
  blo_test_sweep_faults(comm, disagree, NULL);
}

static const blo_test tests[] = {
    {"expectation", expectation},
    {"requirement", requirement},
    {"same number", same_number},
    {"same bytes", same_bytes},
    {"near", near},
    {"status", status_code},
    {"leak", leak},
    {"sweep", sweep},
    {"sweep alone", sweep_alone},
};
BLO_TEST_MAIN("failing", tests)

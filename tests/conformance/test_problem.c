/* Every problem's oracles are each other's derivatives, on any number of ranks; and the two halves
 * of the interface (samples, terms without samples) add up. */
#include "fixture.h"
#include <blo/check.h>
#include <math.h>

static void check(blo_comm *comm, int kind, const fixture *f, blo_vec *x, blo_vec *y)
{
  blo_check_row rows[BLO_CHECK_ROWS];
  (void)comm;
  BLO_REQUIRE_STATUS(blo_check_problem(f->eval, NULL, NULL, x, y, 3, rows), BLO_OK);
  for (int r = 0; r < BLO_CHECK_ROWS; r++) {
    BLO_EXPECT_MSG(rows[r].verdict != BLO_CHECK_FAIL, "%s: %s: error %.3g > %.3g",
                   fixture_name(kind), rows[r].statement, rows[r].error, rows[r].tol);
  }
}

static void oracles_are_derivatives(blo_comm *comm)
{
  fixture_for_all(comm, check);
}

static const blo_test tests[] = {{"oracles are derivatives", oracles_are_derivatives}};
BLO_TEST_MAIN("problem", tests)

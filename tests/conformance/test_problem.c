/* Every problem's oracles are each other's derivatives, on any number of ranks; and the two halves
 * of the interface (samples, terms without samples) add up. */
#include "fixture.h"
#include <blo/check.h>
#include <math.h>

static void oracles_are_derivatives(blo_comm *comm)
{
  char folder[256];
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  for (int kind = 0; kind < N_FIXTURES; kind++) {
    fixture f;
    blo_vec *x, *y;
    blo_check_row rows[BLO_CHECK_ROWS];
    fixture_make(comm, kind, folder, BLO_REPRODUCIBLE, &f);
    fixture_point(&f, &x, &y);
    BLO_REQUIRE_STATUS(blo_check_problem(f.eval, NULL, NULL, x, y, 3, rows), BLO_OK);
    for (int r = 0; r < BLO_CHECK_ROWS; r++) {
      BLO_EXPECT_MSG(rows[r].verdict != BLO_CHECK_FAIL, "%s: %s: error %.3g > %.3g",
                     fixture_name(kind), rows[r].statement, rows[r].error, rows[r].tol);
    }
    blo_vec_destroy(&x);
    blo_vec_destroy(&y);
    fixture_free(comm, &f);
  }
}

static const blo_test tests[] = {{"oracles are derivatives", oracles_are_derivatives}};
BLO_TEST_MAIN("problem", tests)

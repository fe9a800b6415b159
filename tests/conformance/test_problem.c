/* Every problem's oracles are each other's derivatives, on any number of ranks; and the two halves
 * of the interface (samples, terms without samples) add up. */
#include "known.h"
#include <blo/check.h>
#include <math.h>

static void check(const char *name, const fixture *f, const blo_vec *x, const blo_vec *y)
{
  blo_check_row rows[BLO_CHECK_ROWS];
  BLO_REQUIRE_STATUS(blo_check_problem(f->eval, NULL, NULL, x, y, 3, rows), BLO_OK);
  for (int r = 0; r < BLO_CHECK_ROWS; r++) {
    BLO_EXPECT_MSG(rows[r].verdict != BLO_CHECK_FAIL, "%s: %s: error %.3g > %.3g", name,
                   rows[r].statement, rows[r].error, rows[r].tol);
  }
}

static void check_kind(blo_comm *comm, int kind, const fixture *f, blo_vec *x, blo_vec *y)
{
  (void)comm;
  check(fixture_name(kind), f, x, y);
}

static void oracles_are_derivatives(blo_comm *comm)
{
  fixture_for_all(comm, check_kind);
}

static void oracles_of_known_problems_are_derivatives(blo_comm *comm)
{
  for (int k = 0; k < N_KNOWN; k++) {
    fixture f;
    blo_vec *point[2];
    known_open(comm, known_cases[k].type, known_cases[k].settings, &f);
    fixture_point(&f, &point[0], &point[1]);
    check(known_cases[k].type, &f, point[0], point[1]);
    fixture_free_vecs(2, point);
    fixture_free(comm, &f);
  }
}

/* Has no closed form of F, so it is not among the known cases. */
static void oracles_of_matrix_sensing_are_derivatives(blo_comm *comm)
{
  const char *const settings[] = {"{d: 6, n: 80, shards: 8, start: random}",
                                  "{d: 7, r: 4, start_x: 0.1, shards: 64, x: replicated}"};
  for (int k = 0; k < 2; k++) {
    fixture f;
    blo_vec *point[2];
    known_open(comm, "matrix_sensing", settings[k], &f);
    fixture_point(&f, &point[0], &point[1]);
    check("matrix_sensing", &f, point[0], point[1]);
    fixture_free_vecs(2, point);
    fixture_free(comm, &f);
  }
}

static const blo_test tests[] = {
    {"oracles are derivatives", oracles_are_derivatives},
    {"oracles of known problems are derivatives", oracles_of_known_problems_are_derivatives},
    {"oracles of matrix_sensing are derivatives", oracles_of_matrix_sensing_are_derivatives},
};
BLO_TEST_MAIN("problem", tests)

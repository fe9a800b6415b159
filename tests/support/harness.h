/**
 * @file
 * Tests with CUnit under mpirun: all ranks run all tests, every assertion is agreed over the ranks,
 * rank 0 reports.
 *
 * CUnit's fatal assertions leave a test by a long jump; if only some ranks jumped, the others would
 * wait for them for ever. So plain CU_* assertions are not used: with the ones below all ranks see
 * the same verdict and leave together. All of them are Collective, over MPI_COMM_WORLD.
 *
 *     static void sums_add_up(blo_comm *comm) { BLO_EXPECT_ALL(blo_sum_all(comm, 1) > 0); }
 *     static const blo_test tests[] = {{"sums add up", sums_add_up}};
 *     BLO_TEST_MAIN("comm", tests)
 *
 * After each test the number of live allocations must be what it was before. An argument of the
 * program selects the tests whose names contain it.
 */
#ifndef BLO_TEST_HARNESS_H
#define BLO_TEST_HARNESS_H

#include <blo/comm.h>

/** A test: what it shows, and the function that shows it; Collective. */
typedef struct blo_test {
  const char *name;
  void (*fn)(blo_comm *comm);
} blo_test;

/** The exit code of a program of which every test was skipped; CTest reports it as skipped. */
enum { BLO_TEST_SKIPPED = 77 };

/** Run the tests: 0 if all passed, 1 if one failed, BLO_TEST_SKIPPED. Call: first thing in main. */
int blo_test_main(int argc, char **argv, const char *suite, const blo_test *tests, int n);

#define BLO_TEST_MAIN(suite, tests)                                                                \
  int main(int argc, char **argv)                                                                  \
  {                                                                                                \
    return blo_test_main(argc, argv, (suite), (tests), (int)(sizeof(tests) / sizeof((tests)[0]))); \
  }

/* -------------------------------------------------------------- assertions */

/** The condition holds on every rank; else the test fails and goes on. */
#define BLO_EXPECT_ALL(cond) blo_test_expect((cond), false, __FILE__, __LINE__, "%s", #cond)
/** The condition holds on every rank; else the test fails and all ranks leave it. */
#define BLO_REQUIRE_ALL(cond) blo_test_expect((cond), true, __FILE__, __LINE__, "%s", #cond)
/** As BLO_EXPECT_ALL, with a message of its own: format and arguments. */
#define BLO_EXPECT_MSG(cond, ...) blo_test_expect((cond), false, __FILE__, __LINE__, __VA_ARGS__)
/** As BLO_REQUIRE_ALL, with a message of its own: format and arguments. */
#define BLO_REQUIRE_MSG(cond, ...) blo_test_expect((cond), true, __FILE__, __LINE__, __VA_ARGS__)
/** A double has the same bits on all ranks. */
#define BLO_EXPECT_SAME(value) blo_test_same_double((value), __FILE__, __LINE__, #value)
/** `n` bytes are the same on all ranks. */
#define BLO_EXPECT_SAME_BYTES(bytes, n)                                                            \
  blo_test_same((bytes), (blo_int)(n), __FILE__, __LINE__, #bytes)
/** |got - want| <= abs + rel |want| on every rank; `origin` says where `want` comes from. */
#define BLO_EXPECT_NEAR(got, want, rel, abs, origin)                                               \
  blo_test_near((got), (want), (rel), (abs), __FILE__, __LINE__, #got, (origin))
/** A call gives this status on every rank; a failure shows the text of the last error. */
#define BLO_EXPECT_STATUS(call, code)                                                              \
  blo_test_status((call), (code), false, __FILE__, __LINE__, #call)
/** As BLO_EXPECT_STATUS; on failure all ranks leave the test. */
#define BLO_REQUIRE_STATUS(call, code)                                                             \
  blo_test_status((call), (code), true, __FILE__, __LINE__, #call)
/** The text of the last error contains this on every rank. */
#define BLO_EXPECT_ERROR_HAS(text) blo_test_error_has((text), __FILE__, __LINE__)

bool blo_test_expect(bool ok, bool fatal, const char *file, int line, const char *fmt, ...)
    BLO_PRINTF(5, 6);
bool blo_test_same_double(double value, const char *file, int line, const char *what);
bool blo_test_same(const void *bytes, blo_int n, const char *file, int line, const char *what);
bool blo_test_near(double got, double want, double rel, double abs, const char *file, int line,
                   const char *what, const char *origin);
bool blo_test_status(blo_status got, blo_status want, bool fatal, const char *file, int line,
                     const char *what);
bool blo_test_error_has(const char *text, const char *file, int line);

/* ------------------------------------------------------------------ helpers */

/** Say why the running test is skipped; the test returns right after. Call: Collective. */
void blo_test_skip(const char *fmt, ...) BLO_PRINTF(1, 2);

/** The path of a new, empty folder, the same on all ranks; it and its contents are removed at the
 *  end of the program. Call: Collective. @param[out] path [cap] */
void blo_test_tmpdir(blo_comm *comm, char *path, size_t cap);

/**
 * Let everything fail once: for each rank and k = 1, 2, ... run `call` with the k-th fallible
 * operation of that rank failing, until k is more than the call has. Expects that every such run
 * ends with BLO_E_FAULT on all ranks and leaves no allocation, and that the last one succeeds.
 *
 * Call  Collective.
 * @param call  Collective; releases all that it makes, whether it fails or not
 * @return the number of faults that struck, over all ranks
 */
blo_int blo_test_sweep_faults(blo_comm *comm, blo_status (*call)(blo_comm *comm, void *arg),
                              void *arg);

#endif

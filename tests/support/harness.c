/* The test program: MPI, context and communicator, CUnit's registry, report and verdict. */
#include "harness.h"
#include "running.h"

#include <CUnit/CUnit.h>
#include <CUnit/TestDB.h>
#include <CUnit/TestRun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

/* CUnit's test functions take no argument, so what runs now has to be reachable from here. */
static blo_test_running now;

const blo_test_running *blo_test_now(void)
{
  return &now;
}

void blo_test_count_skip(void)
{
  now.n_skipped++;
}

static const blo_test *find_test(const char *name)
{
  for (int i = 0; i < now.n_tests; i++) {
    if (strcmp(now.tests[i].name, name) == 0) {
      return &now.tests[i];
    }
  }
  return NULL;
}

/* Every CUnit test is this function: the test proper, between two looks at the memory. */
static void run_current(void)
{
  const blo_test *test = find_test(CU_get_current_test()->pName);
  blo_fault_arm(now.ctx, 0); /* a test that was left in the middle may have armed one */
  blo_int before = blo_memory(now.ctx).live;
  test->fn(now.comm);
  blo_fault_arm(now.ctx, 0);
  blo_int after = blo_memory(now.ctx).live;
  blo_test_expect(after == before, false, __FILE__, __LINE__,
                  "test \"%s\" leaves %lld live allocations", test->name,
                  (long long)(after - before));
}

/* Named before it runs, so that the output of a test that hangs tells which one it was. */
static void announce(const CU_pTest test, const CU_pSuite suite)
{
  (void)suite;
  printf("  %s\n", test->pName);
  fflush(stdout);
}

static void fill_registry(const char *suite_name, const char *filter)
{
  CU_pSuite suite = NULL;
  if (CU_initialize_registry() == CUE_SUCCESS) {
    suite = CU_add_suite(suite_name, NULL, NULL);
  }
  BLO_BUG_IF(suite == NULL, "CUnit: %s", CU_get_error_msg());
  for (int i = 0; i < now.n_tests; i++) {
    if (filter == NULL || strstr(now.tests[i].name, filter) != NULL) {
      CU_pTest added = CU_add_test(suite, now.tests[i].name, run_current);
      BLO_BUG_IF(added == NULL || CU_get_error() != CUE_SUCCESS, "CUnit: test \"%s\": %s",
                 now.tests[i].name, CU_get_error_msg());
    }
  }
}

static void print_report(const char *suite_name)
{
  for (CU_pFailureRecord f = CU_get_failure_list(); f != NULL; f = f->pNext) {
    printf("FAILED %s: %s:%u: %s\n", f->pTest != NULL ? f->pTest->pName : suite_name,
           f->strFileName != NULL ? f->strFileName : "?", f->uiLineNumber,
           f->strCondition != NULL ? f->strCondition : "?");
  }
  printf("%s on %d ranks: %u tests, %u failed, %d skipped, %u assertions\n", suite_name, now.size,
         CU_get_number_of_tests_run(), CU_get_number_of_tests_failed(), now.n_skipped,
         CU_get_number_of_asserts());
}

/* MPI's own leaks, some of plug-ins that it unloads at once, are not looked at. */
static void init_mpi(int *argc, char ***argv)
{
  int threads = 0;
#ifdef __SANITIZE_ADDRESS__
  __lsan_disable();
#endif
  MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &threads);
#ifdef __SANITIZE_ADDRESS__
  __lsan_enable();
#endif
}

/* Leaks that blo_memory() does not see, e.g. of other libraries' objects, when built for it. Looked
 * for while the plug-ins of MPI are loaded: later, their leaks could not be told from ours. */
static bool leaks(void)
{
#ifdef __SANITIZE_ADDRESS__
  return __lsan_do_recoverable_leak_check() != 0;
#else
  return false;
#endif
}

/* Assertions are agreed, but leaks and what CUnit itself finds belong to one rank. */
static int verdict(void)
{
  int n_run = (int)CU_get_number_of_tests_run();
  int bad = CU_get_number_of_failure_records() > 0 || n_run == 0 || leaks(), bad_anywhere = 0;
  MPI_Allreduce(&bad, &bad_anywhere, 1, MPI_INT, MPI_MAX, now.mpi);
  if (bad_anywhere) {
    return EXIT_FAILURE;
  }
  return now.n_skipped == n_run ? BLO_TEST_SKIPPED : EXIT_SUCCESS;
}

static void start(const blo_test *tests, int n)
{
  now.tests = tests;
  now.n_tests = n;
  MPI_Comm_dup(MPI_COMM_WORLD, &now.mpi);
  MPI_Comm_rank(now.mpi, &now.rank);
  MPI_Comm_size(now.mpi, &now.size);
  BLO_BUG_IF(blo_context_create(&now.ctx) != BLO_OK, "no context");
  blo_log_setup(now.ctx, now.rank, BLO_LOG_ERROR);
  BLO_BUG_IF(blo_comm_create(now.ctx, MPI_COMM_WORLD, &now.comm) != BLO_OK, "no communicator: %s",
             blo_error_text(now.ctx));
}

static void finish(void)
{
  blo_test_tmpdir_remove();
  blo_comm_destroy(&now.comm);
  blo_context_destroy(&now.ctx);
  CU_cleanup_registry();
  MPI_Comm_free(&now.mpi);
}

int blo_test_main(int argc, char **argv, const char *suite, const blo_test *tests, int n)
{
  init_mpi(&argc, &argv);
  start(tests, n);
  fill_registry(suite, argc > 1 ? argv[1] : NULL);
  if (now.rank == 0) {
    CU_set_test_start_handler(announce);
  }
  CU_run_all_tests();
  if (now.rank == 0) {
    print_report(suite);
  }
  int result = verdict();
  finish();
  MPI_Finalize();
  return result;
}

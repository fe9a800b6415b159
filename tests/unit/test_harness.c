/* The harness itself: folders, fault sweeps, and verdicts that are agreed. */
#include "harness.h"

#include <stdio.h>
#include <string.h>

static void ranks_get_one_folder(blo_comm *comm)
{
  char first[256], second[256];
  blo_test_tmpdir(comm, first, sizeof first);
  blo_test_tmpdir(comm, second, sizeof second);
  BLO_EXPECT_SAME_BYTES(first, strlen(first));
  BLO_EXPECT_ALL(strcmp(first, second) != 0);
  char path[300];
  snprintf(path, sizeof path, "%s/%d", first, blo_comm_rank(comm));
  FILE *file = fopen(path, "w");
  BLO_REQUIRE_ALL(file != NULL);
  BLO_EXPECT_ALL(fclose(file) == 0);
}

/* Two allocations and one agreement: two places where each rank can fail. */
static blo_status take_two(blo_comm *comm, void *arg)
{
  (void)arg;
  blo_context *ctx = blo_comm_context(comm);
  double *a = NULL, *b = NULL;
  blo_status status = blo_alloc(ctx, 10, sizeof *a, &a);
  if (status == BLO_OK) {
    status = blo_alloc(ctx, 20, sizeof *b, &b);
  }
  status = blo_agree(comm, status);
  blo_free(ctx, &a);
  blo_free(ctx, &b);
  return status;
}

static void sweep_meets_every_fault(blo_comm *comm)
{
  blo_int n = blo_test_sweep_faults(comm, take_two, NULL);
  BLO_EXPECT_ALL(n == 2 * blo_comm_size(comm));
}

static blo_status fail_on_last(blo_comm *comm)
{
  blo_status own = BLO_OK;
  if (blo_comm_rank(comm) == blo_comm_size(comm) - 1) {
    own = blo_fail(blo_comm_context(comm), BLO_E_IO, __FILE__, __LINE__, "no file 17");
  }
  return blo_agree(comm, own);
}

static void status_and_text_are_expected(blo_comm *comm)
{
  BLO_EXPECT_STATUS(fail_on_last(comm), BLO_E_IO);
  BLO_EXPECT_ERROR_HAS("no file 17");
}

static void numbers_are_compared(blo_comm *comm)
{
  BLO_EXPECT_SAME(1.0 / blo_comm_size(comm));
  BLO_EXPECT_NEAR(1.0 + 1e-12, 1.0, 1e-11, 0, "by construction");
}

static const blo_test tests[] = {
    {"ranks get one folder", ranks_get_one_folder},
    {"sweep meets every fault", sweep_meets_every_fault},
    {"status and text are expected", status_and_text_are_expected},
    {"numbers are compared", numbers_are_compared},
};
BLO_TEST_MAIN("harness", tests)

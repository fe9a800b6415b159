/* What the files of the harness share: the program's communicators and counts. */
#ifndef BLO_TEST_RUNNING_H
#define BLO_TEST_RUNNING_H

#include "harness.h"

typedef struct blo_test_running {
  MPI_Comm mpi; /* for the harness's own messages, apart from those that are tested */
  int rank, size;
  blo_context *ctx;
  blo_comm *comm;
  const blo_test *tests;
  int n_tests, n_skipped;
} blo_test_running;

/* The running program. */
const blo_test_running *blo_test_now(void);
/* The running test is a skipped one. */
void blo_test_count_skip(void);
/* Remove what blo_test_tmpdir() made. Collective. */
void blo_test_tmpdir_remove(void);

#endif

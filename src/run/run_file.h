/**
 * @file
 * The run file: configuration, provenance, outcome, history and the last x and y that were
 * gathered, rewritten whole each time (docs/output-format.md). All Local, on the root, but where
 * said.
 */
#ifndef BLO_RUN_FILE_H
#define BLO_RUN_FILE_H

#include "folder.h"
#include "history.h"
#include "provenance.h"

typedef struct blo_run_file {
  blo_context *ctx;
  char path[BLO_PATH_CAP];
  const char *given, *resolved;     /**< configuration texts, borrowed */
  const char *problem, *solver;     /**< names of the types, borrowed */
  const blo_provenance *provenance; /**< borrowed */
  const blo_history *history;       /**< borrowed */
  double *x, *y;                    /**< [n_x], [n_y] of iteration final_at */
  const blo_problem *of;            /**< whose x and y they are, borrowed */
  blo_int final_at;                 /**< -1: nothing was gathered yet */
} blo_run_file;

/** Take the memory for x and y, and see that there is room to save them. @return BLO_OK;
 * BLO_E_MEMORY
 */
BLO_MUST_USE blo_status blo_run_file_reserve(blo_run_file *file, const blo_solver *solver);
void blo_run_file_clear(blo_run_file *file);
/** Gather x and y for the run file. Call: Collective. */
void blo_run_file_gather(blo_run_file *file, const blo_solver *solver);
/** Write it. @return BLO_OK; BLO_E_IO; BLO_E_MEMORY */
BLO_MUST_USE blo_status blo_run_file_write(const blo_run_file *file, const blo_run_result *result);

#endif

/**
 * @file
 * The outer loop around a solver: records, checkpoints, stopping. save.c has what it writes.
 */
#ifndef BLO_RUN_DRIVER_H
#define BLO_RUN_DRIVER_H

#include "progress.h"
#include "rescue.h"
#include "run_file.h"

/** A failure that is told later. */
typedef struct blo_failure {
  blo_status status;
  char text[BLO_MESSAGE_MAX], site[256];
} blo_failure;

/** What the last row of the history has only because the run had come to its end. */
enum { BLO_CLOSING_NOTHING, BLO_CLOSING_METRICS, BLO_CLOSING_ROW };

typedef struct blo_driver {
  blo_comm *comm;
  blo_context *ctx;
  bool is_root;
  blo_setup *setup; /**< borrowed */
  const blo_run_options *options;
  blo_solver *solver;
  blo_eval *eval;
  blo_history *history;
  blo_meter meter;
  blo_provenance provenance;
  blo_run_file file; /**< on the root */
  blo_progress progress;
  blo_run_result *result;
  blo_report report;    /**< of the last iteration */
  blo_rescue *rescue;   /**< of the last recorded iteration; NULL: run.rescue is off */
  double stationarity;  /**< of the last iteration, for run.tol */
  blo_int converged;    /**< by the method's own test */
  blo_int second_order; /**< blo_second_order, of the last iteration */
  blo_int closing;      /**< BLO_CLOSING_... */
  blo_int first;        /**< iterations done before this process */
  blo_int saved_at;     /**< iteration of the newest checkpoint, -1: none */
  blo_failure trouble;  /**< root: a failure of its own that the others do not know yet */
  double longest;       /**< seconds of the longest iteration */
  double save_seconds;  /**< of the slowest checkpoint, at first an estimate */
  double flush_seconds, next_flush;
} blo_driver;

/** Make what a run needs besides its setup. `given` and `resolved`: texts, borrowed.
 *  Call: Collective. */
BLO_MUST_USE blo_status blo_driver_init(blo_driver *d, blo_comm *comm, blo_setup *setup,
                                        const char *given, const char *resolved,
                                        blo_run_result *result);
/** Free it; also after a failed blo_driver_init(). Call: Collective. */
void blo_driver_clear(blo_driver *d);
/** Take up the state of a checkpoint. Call: Collective. */
BLO_MUST_USE blo_status blo_driver_load(blo_driver *d, const char *path);
/** First row of the history, and the run file in its place. Call: Collective. */
BLO_MUST_USE blo_status blo_driver_start(blo_driver *d);
/** Iterate until there is an outcome, and save. Call: Collective. */
BLO_MUST_USE blo_status blo_driver_run(blo_driver *d);

/** Save a checkpoint, and the run file with x and y; then tell the root's own trouble.
 *  Call: Collective. @return BLO_OK; BLO_E_IO; that trouble */
BLO_MUST_USE blo_status blo_driver_save(blo_driver *d);
/** Write the run file. Call: Collective. */
BLO_MUST_USE blo_status blo_driver_write(blo_driver *d);
/** On the root: rewrite the run file if it is time to; a full disk is only logged, it may have room
 *  again at the next time. Call: Local. */
void blo_driver_flush(blo_driver *d);
/** On the root: keep a failure until all ranks agree on it after the next iteration. Call: Local.
 */
void blo_driver_note(blo_driver *d, blo_status status);
/** Keep the failure that the context has just recorded. Call: Local. */
blo_failure blo_failure_keep(const blo_context *ctx, blo_status status);
/** Record it again. Call: Local. @return its status */
blo_status blo_failure_tell(blo_context *ctx, const blo_failure *failure);

#endif

/**
 * @file
 * What the user sees of a run, on rank 0: one progress line that is rewritten on a terminal, at
 * most one log line a second elsewhere, and a short block at the end. All Local.
 */
#ifndef BLO_RUN_PROGRESS_H
#define BLO_RUN_PROGRESS_H

#include "history.h"

typedef struct blo_progress {
  blo_context *ctx;
  bool on, terminal;
  double begin, shown; /**< times of the start and of the last line */
  blo_int first, last; /**< iterations done at the start and to be done in all */
} blo_progress;

void blo_progress_start(blo_progress *p, blo_context *ctx, blo_int first, blo_int last);
/** Show iteration k, if it is time for a line. */
void blo_progress_show(blo_progress *p, blo_int k, const blo_report *report,
                       const blo_history *history);
/** Clear the progress line. */
void blo_progress_end(blo_progress *p);

/** The block at the end. `done` iterations were made in this process. */
void blo_summary_print(blo_context *ctx, const blo_run_result *result, const blo_report *report,
                       const blo_history *history, const blo_totals *totals, blo_int done);

#endif

/**
 * @file
 * The history of a run: a row per recorded iteration with the report of the step, the task metrics,
 * oracle counts, messages and times. Rows are kept on the root; the metrics on all ranks.
 */
#ifndef BLO_RUN_HISTORY_H
#define BLO_RUN_HISTORY_H

#include "meter.h"

typedef struct blo_history {
  blo_context *ctx;
  const blo_problem_type *problem;
  blo_column *column; /**< [n] */
  blo_int n;
  blo_columns *rows;  /**< on the root, else NULL */
  double *row;        /**< [n] work */
  double *metrics;    /**< [n_metrics] as evaluated last */
  blo_int metrics_at; /**< the iteration of that, -1: never */
} blo_history;

/** Make an empty history. Call: Local. @return BLO_OK; BLO_E_MEMORY */
BLO_MUST_USE blo_status blo_history_create(blo_comm *comm, const blo_problem_type *problem,
                                           blo_history **out);
/** Free it. NULL is accepted. Call: Local. */
void blo_history_destroy(blo_history **history);
/**
 * Append the row of an iteration; metrics that are not of this iteration stand as NAN.
 * Call: Local, does nothing but on the root. @return BLO_OK; BLO_E_MEMORY
 */
BLO_MUST_USE blo_status blo_history_add(blo_history *history, blo_int iteration,
                                        const blo_report *report, const blo_counts *counts,
                                        const blo_totals *totals);
/** Take the last row away, or its metrics alone. Call: Local, does nothing but on the root. */
void blo_history_drop_row(blo_history *history);
void blo_history_drop_metrics(blo_history *history);

#endif

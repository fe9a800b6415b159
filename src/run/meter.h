/**
 * @file
 * What a run has used so far: wall time, time per phase, messages and bytes of its iterations. The
 * earlier parts of a resumed run are included.
 */
#ifndef BLO_RUN_METER_H
#define BLO_RUN_METER_H

#include <blo/run.h>

typedef struct blo_totals {
  double seconds;                /**< of the loop */
  double phase[BLO_PHASE_COUNT]; /**< seconds */
  blo_int messages, bytes;       /**< of the iterations alone, without metrics and checkpoints */
} blo_totals;

typedef struct blo_meter {
  blo_comm *comm;
  blo_totals now;    /**< as of the last blo_meter_read() */
  blo_totals before; /**< of earlier parts of the run */
  double begin, phase_begin[BLO_PHASE_COUNT];
  blo_traffic step_begin;
} blo_meter;

/** Let `now` and the evaluator's counts survive a restart. @return BLO_OK; BLO_E_MEMORY */
BLO_MUST_USE blo_status blo_meter_enter(blo_meter *meter, blo_counts *counts, blo_state *state);
/** The loop begins; what `now` holds, if loaded, counts as before. */
void blo_meter_start(blo_meter *meter, blo_comm *comm);
/** Around an iteration: its messages count. */
void blo_meter_step_begin(blo_meter *meter);
void blo_meter_step_end(blo_meter *meter);
/** Bring `now` up to date. */
void blo_meter_read(blo_meter *meter);
/** Seconds since blo_meter_start(). */
double blo_meter_elapsed(const blo_meter *meter);

#endif

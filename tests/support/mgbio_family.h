/**
 * @file
 * What mgbio, msgbio and vr_msgbio share in the conformance suite. The grid has one rank, so that
 * the bits depend on nothing.
 */
#ifndef BLO_TEST_MGBIO_FAMILY_H
#define BLO_TEST_MGBIO_FAMILY_H

#include "method_case.h"

#define MGBIO_GRID "dense: {ranks: 1, block: 8}\n"
#define MGBIO_WIDE "tracker: {mu: 0.1, L: 1e6}\n"

/** As they are, on batches (all tasks, if there are tasks); with a larger first batch, a warm-up, a
 *  set, bounds, and a clip that acts on most of the problems. */
#define MGBIO_MOMENTUM_SETTINGS                                                                    \
  {                                                                                                \
    {"lower: {step: 0.2, batch: 40}\nupper: {step: 0.2, batch: 30}\n" MGBIO_WIDE MGBIO_GRID,       \
     "lower: {step: 0.2, batch: 0}\nupper: {step: 0.2, batch: 0}\n" MGBIO_WIDE MGBIO_GRID,         \
     "lower: {step: 0.1, batch: 0}\nupper: {step: 0.1, batch: 0}\n" MGBIO_WIDE MGBIO_GRID},        \
        {"lower: {step: 0.2, batch: 10, warm_up: 3}\nmomentum: {first: 3}\n"                       \
         "upper: {step: 0.2, batch: 7, set: {type: ball, radius: 3}}\n" MGBIO_BOUNDS MGBIO_GRID,   \
         MGBIO_WARM MGBIO_BOUNDS MGBIO_GRID, MGBIO_WARM MGBIO_BOUNDS MGBIO_GRID},                  \
  }
#define MGBIO_WARM   "lower: {step: 0.2, batch: 0, warm_up: 3}\nupper: {step: 0.2, batch: 0}\n"
#define MGBIO_BOUNDS "tracker: {mu: 0.5, L: 1.1, cross_bound: 0.3, gradient_bound: 0.2}\n"

/** What `steps` steps cost that ask at `points` points (docs/methods/mgbio.md). */
method_cost mgbio_cost(int points, int steps, bool tasks);

#endif

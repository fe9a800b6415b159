/**
 * @file
 * Runs of a method from a saddle, one for each of many seeds: each rank makes some of them, alone,
 * and all ranks see how all of them have ended.
 */
#ifndef BLO_TEST_SADDLE_RUN_H
#define BLO_TEST_SADDLE_RUN_H

#include "known.h"

enum { SADDLE_SEEDS_MAX = 64 };

/** The method on the problem. */
typedef struct saddle_plan {
  const char *problem, *problem_settings;
  const char *method, *settings;
  int seeds;      /**< the runs' seeds are 1 ... seeds */
  int iterations; /**< at most */
  double near;    /**< F(x) - min F <= near: a minimum is reached */
} saddle_plan;

/** How a run has ended; counts of iterations done, -1: never. */
typedef struct saddle_end {
  double status; /**< blo_status */
  double reached, stopped, perturbations;
  double second_order;          /**< blo_second_order */
  double gap, error_x, error_y; /**< at the end */
} saddle_end;

/** Make all runs. Call: Collective. @param[out] end [seeds], the same on all ranks */
void saddle_runs(blo_comm *comm, const saddle_plan *plan, saddle_end *end);

/** All of them together. */
typedef struct saddle_tally {
  int reached;     /**< runs that came to a minimum */
  int minima;      /**< that stopped there with BLO_SECOND_ORDER_MINIMUM */
  int undecided;   /**< that stopped there with another verdict */
  int false_stops; /**< that stopped elsewhere, with any verdict */
  int wrong;       /**< of these, with BLO_SECOND_ORDER_MINIMUM */
  int failed;      /**< with a status that is not BLO_OK */
  double median_reached, median_stopped;
  double largest_gap; /**< at a stop */
} saddle_tally;
saddle_tally saddle_count(blo_comm *comm, const saddle_plan *plan);

#endif

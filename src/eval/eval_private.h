/** @file The evaluator's contents, for the files of this layer only. */
#ifndef BLO_EVAL_PRIVATE_H
#define BLO_EVAL_PRIVATE_H

#include <blo/eval.h>

struct blo_eval {
  blo_problem *problem;
  blo_comm *comm;
  blo_context *ctx;
  blo_space *space_x, *space_y;
  blo_int first_shard, end_shard;
  blo_sum *sum, *metric_sum;
  double *total;        /**< [longest message] the sum over all ranks */
  double *metric_total; /**< [n_metric_sums] */
  blo_batch all[2];     /**< full batches of the two levels */
  blo_int *all_start[2];
  blo_batch linearized; /**< the batch whose linearisation is in `cache` */
  blo_int *linearized_start;
  int32_t *linearized_row;
  double *cache; /**< [own lower samples][cache_per_sample] */
  blo_counts counts;
  bool notice[BLO_N_NOTICES], noticed[BLO_N_NOTICES];
};

#endif

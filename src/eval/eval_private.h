/** @file The evaluator's contents, for the files of this layer only. */
#ifndef BLO_EVAL_PRIVATE_H
#define BLO_EVAL_PRIVATE_H

#include <blo/eval.h>

/** Numbers that ride in a message: g, f, the number of ranks that failed, and the notices. */
enum { RIDER_G, RIDER_F, RIDER_FAILED, RIDER_NOTICE, N_RIDERS = RIDER_NOTICE + BLO_N_NOTICES };

struct blo_eval {
  blo_problem *problem;
  blo_comm *comm;
  blo_context *ctx;
  blo_space *space_x, *space_y;
  blo_int first_shard, end_shard;
  blo_reduction how;
  blo_int directions; /**< that `sum` and `total` have room for */
  blo_int scattered;  /**< the same in scattered sweeps */
  blo_int longest;    /**< numbers that `sum` and `total` have room for */
  blo_int *piece;     /**< [size + 1] where the ranks' pieces of a scattered sum begin */
  blo_sum *sum, *metric_sum;
  double *total;        /**< [longest message] the sum over all ranks */
  double *metric_total; /**< [n_metric_sums] */
  blo_batch all[2];     /**< full batches of the two levels */
  blo_int *all_start[2];
  blo_int rows;         /**< samples that can be linearised at once */
  blo_batch linearized; /**< the batch whose linearisation is in `cache`; n = 0: none */
  blo_int *linearized_start;
  int32_t *linearized_row; /**< [rows] */
  double *cache;           /**< [rows][cache_per_sample] */
  blo_int tasks;           /**< size of the method's batches of tasks; 0: not known yet */
  blo_counts counts;
  bool notice[BLO_N_NOTICES], noticed[BLO_N_NOTICES];
  blo_status kept; /**< this rank's first failure that the others do not know of yet */
  char kept_text[BLO_MESSAGE_MAX], kept_site[256];
};

/** Doubles of the longest message of a sweep with so many directions. */
blo_int blo_eval_longest_message(const blo_problem *p, blo_int directions);
/** Keep a failure, if none is kept yet, until blo_eval_settle(). Call: Local. */
void blo_eval_keep(blo_eval *e, blo_status local);

#endif

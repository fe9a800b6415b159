/**
 * @file
 * The one metric of test problems that have nothing better: the number of samples of g.
 */
#ifndef BLO_TEST_SAMPLE_COUNT_H
#define BLO_TEST_SAMPLE_COUNT_H

#include <blo/problem.h>

extern const blo_metric sample_count;

/** The slots metrics_shard and metrics_finish, with one sum. */
blo_status sample_count_shard(blo_problem *p, blo_int shard, const double *x, double *sums);
void sample_count_finish(const blo_problem *p, const double *sums, double *values);

#endif

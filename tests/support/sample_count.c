/* The number of samples as a metric; see sample_count.h. */
#include "sample_count.h"

const blo_metric sample_count = {"samples", "samples", "number of samples of g"};

blo_status sample_count_shard(blo_problem *p, blo_int shard, const double *x, double *sums)
{
  (void)x;
  sums[0] += (double)(blo_shard_begin(p->n_lower, p->n_shards, shard + 1) -
                      blo_shard_begin(p->n_lower, p->n_shards, shard));
  return BLO_OK;
}

void sample_count_finish(const blo_problem *p, const double *sums, double *values)
{
  (void)p;
  values[0] = sums[0];
}

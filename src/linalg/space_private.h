/** @file A space's contents, for the files of this layer only. */
#ifndef BLO_SPACE_PRIVATE_H
#define BLO_SPACE_PRIVATE_H

#include <blo/linalg.h>

struct blo_space {
  blo_comm *comm;
  blo_layout layout;
  blo_int n, n_shards;
  blo_int first_shard, end_shard; /**< stored on this rank */
  bool owned;
  double *part; /**< [n_shards] room for the parts of a scalar product */
  blo_sum *sum; /**< for scalar products of sharded vectors */
};

#endif

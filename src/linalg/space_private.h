/** @file A space's contents, for the files of this layer only. */
#ifndef BLO_SPACE_PRIVATE_H
#define BLO_SPACE_PRIVATE_H

#include <blo/linalg.h>

struct blo_space {
  blo_comm *comm;
  blo_layout layout;
  blo_int n, n_items, width; /**< n = n_items * width */
  blo_int n_shards;
  blo_int first_shard, end_shard; /**< stored on this rank */
  bool owned;
  double *part; /**< [n_shards] room for the parts of a scalar product */
  blo_sum *sum; /**< for scalar products of sharded vectors */
};

/** Global index of the first number of a shard: shards are cut between items. */
static inline blo_int space_shard_begin(const blo_space *s, blo_int shard)
{
  return s->width * blo_shard_begin(s->n_items, s->n_shards, shard);
}

#endif

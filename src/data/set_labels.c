/** @file The labels of a whole set, on every rank. */
#include <blo/data.h>
#include <string.h>

void blo_set_labels(const blo_set *set, int32_t *label)
{
  int size = blo_comm_size(set->comm);

  memcpy(label + set->first, set->own->label, (size_t)set->own->n_rows * sizeof *label);
  for (int r = 0; r < size; r++) {
    blo_int begin =
        blo_shard_begin(set->n, set->n_shards, blo_rank_first_shard(set->n_shards, size, r));
    blo_int end =
        blo_shard_begin(set->n, set->n_shards, blo_rank_first_shard(set->n_shards, size, r + 1));
    blo_bcast(set->comm, r, label + begin, (end - begin) * (blo_int)sizeof *label);
  }
}

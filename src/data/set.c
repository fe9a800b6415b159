/** @file Sets: n samples of a source over the ranks, cut into logical shards. */
#include "source_private.h"

void blo_set_share(blo_int n, blo_int n_shards, int size, int rank, blo_int *begin, blo_int *end)
{
  *begin = blo_shard_begin(n, n_shards, blo_rank_first_shard(n_shards, size, rank));
  *end = blo_shard_begin(n, n_shards, blo_rank_first_shard(n_shards, size, rank + 1));
}

/** Whether the rows can be a set; the same on every rank. */
static blo_status check_rows(blo_comm *comm, const blo_source *source, const blo_int *rows,
                             blo_int n, blo_int n_shards)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_int n_rows = blo_source_n_rows(source);

  BLO_TRY(blo_shards_check(comm, n_shards));
  BLO_CHECK(ctx, n >= n_shards, BLO_E_DATA,
            "a set of %lld samples from %s cannot be cut into %lld shards: lower the option "
            "problem.data.shards (or problem.shards), or take more samples",
            (long long)n, source->path, (long long)n_shards);
  for (blo_int i = 0; i < n; i++) {
    BLO_CHECK(ctx, rows[i] >= 0 && rows[i] < n_rows, BLO_E_DATA,
              "sample %lld of %s is asked for, but it has the samples 0..%lld", (long long)rows[i],
              source->path, (long long)n_rows - 1);
  }
  return BLO_OK;
}

static blo_status new_set(blo_comm *comm, blo_int n, blo_int n_shards, blo_set **out)
{
  blo_set *set;
  blo_int end;

  BLO_TRY(blo_alloc(blo_comm_context(comm), 1, sizeof *set, &set));
  set->comm = comm;
  set->n = n;
  set->n_shards = n_shards;
  set->first_shard = blo_comm_first_shard(comm, n_shards);
  set->end_shard = blo_comm_end_shard(comm, n_shards);
  blo_set_share(n, n_shards, blo_comm_size(comm), blo_comm_rank(comm), &set->first, &end);
  *out = set;
  return BLO_OK;
}

static blo_status take_rows(blo_set *set, const blo_source *source, const blo_int *rows)
{
  blo_int begin, end;

  if (source->data == NULL) {
    return blo_table_deal(set->comm, source->table, rows, set->n, set->n_shards, &set->own);
  }
  blo_set_share(set->n, set->n_shards, blo_comm_size(set->comm), blo_comm_rank(set->comm), &begin,
                &end);
  return blo_agree(set->comm, blo_hdf5_read(source->data, rows + begin, end - begin, &set->own));
}

blo_status blo_set_take(blo_comm *comm, blo_source *source, const blo_int *rows, blo_int n,
                        blo_int n_shards, blo_set **out)
{
  blo_status status = BLO_OK;
  blo_set *set = NULL;

  *out = NULL;
  BLO_GO(check_rows(comm, source, rows, n, n_shards));
  BLO_GO(blo_agree(comm, new_set(comm, n, n_shards, &set)));
  BLO_GO(take_rows(set, source, rows));
  *out = set;
  set = NULL;
done:
  blo_set_destroy(&set);
  return status;
}

void blo_set_destroy(blo_set **set)
{
  blo_context *ctx;

  if (*set != NULL) {
    ctx = blo_comm_context((*set)->comm);
    blo_table_destroy(ctx, &(*set)->own);
    blo_free(ctx, set);
  }
}

blo_int blo_set_offset(const blo_set *set, blo_int s)
{
  return blo_shard_begin(set->n, set->n_shards, s) - set->first;
}

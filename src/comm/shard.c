/** @file Logical shards: how n items are cut, and which shards a rank owns. */
#include "comm_private.h"

blo_int blo_shard_begin(blo_int n, blo_int n_shards, blo_int s)
{
  /* n * s can overflow for huge n: cut the quotient and the remainder separately */
  return n / n_shards * s + n % n_shards * s / n_shards;
}

blo_int blo_rank_first_shard(blo_int n_shards, int size, int rank)
{
  return n_shards * rank / size;
}

blo_int blo_comm_first_shard(const blo_comm *comm, blo_int n_shards)
{
  return blo_rank_first_shard(n_shards, comm->size, comm->rank);
}

blo_int blo_comm_end_shard(const blo_comm *comm, blo_int n_shards)
{
  return blo_rank_first_shard(n_shards, comm->size, comm->rank + 1);
}

blo_status blo_shards_check(blo_comm *comm, blo_int n_shards)
{
  BLO_CHECK(
      comm->ctx, n_shards > 0 && (n_shards & (n_shards - 1)) == 0, BLO_E_OPTION,
      "problem.data.shards (or problem.shards), the number of logical shards, must be a power of "
      "two, not %lld",
      (long long)n_shards);
  BLO_CHECK(comm->ctx, n_shards >= comm->size, BLO_E_OPTION,
            "%d ranks are more than the %lld logical shards: use at most %lld ranks, or set "
            "problem.data.shards (or problem.shards) higher",
            comm->size, (long long)n_shards, (long long)n_shards);
  return BLO_OK;
}

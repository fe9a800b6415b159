/** @file Spaces: where the numbers of a vector live. */
#include <blo/linalg.h>
#include "space_private.h"

const char *const blo_layout_names[] = {"rooted", "replicated", "sharded", NULL};

blo_status blo_space_create(blo_comm *comm, blo_layout layout, blo_int n, blo_int n_shards,
                            blo_space **out)
{
  return blo_space_create_items(comm, layout, n, 1, n_shards, out);
}

blo_status blo_space_create_items(blo_comm *comm, blo_layout layout, blo_int n_items, blo_int width,
                                  blo_int n_shards, blo_space **out)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_status status = BLO_OK;
  blo_space *s = NULL;

  BLO_GO(blo_alloc(ctx, 1, sizeof *s, &s));
  *s = (blo_space){.comm = comm,
                   .layout = layout,
                   .n = n_items * width,
                   .n_items = n_items,
                   .width = width,
                   .n_shards = n_shards};
  s->first_shard = layout == BLO_SHARDED ? blo_comm_first_shard(comm, n_shards) : 0;
  s->end_shard = layout == BLO_SHARDED ? blo_comm_end_shard(comm, n_shards) : n_shards;
  s->owned = layout != BLO_ROOTED || blo_comm_rank(comm) == BLO_ROOT;
  BLO_GO(blo_alloc(ctx, n_shards, sizeof *s->part, &s->part));
  BLO_GO(blo_sum_create(comm, BLO_REPRODUCIBLE, n_shards, BLO_DOTS_MAX, &s->sum));
  *out = s;
  s = NULL;
done:
  blo_space_destroy(&s);
  return status;
}

void blo_space_destroy(blo_space **space)
{
  blo_space *s = *space;

  if (s != NULL) {
    blo_context *ctx = blo_comm_context(s->comm);
    blo_sum_destroy(&s->sum);
    blo_free(ctx, &s->part);
    blo_free(ctx, space);
  }
}

blo_comm *blo_space_comm(const blo_space *s)
{
  return s->comm;
}

blo_layout blo_space_layout(const blo_space *s)
{
  return s->layout;
}

blo_int blo_space_n(const blo_space *s)
{
  return s->n;
}

blo_int blo_space_n_shards(const blo_space *s)
{
  return s->n_shards;
}

blo_int blo_space_first(const blo_space *s)
{
  return space_shard_begin(s, s->first_shard);
}

blo_int blo_space_n_local(const blo_space *s)
{
  return space_shard_begin(s, s->end_shard) - blo_space_first(s);
}

bool blo_space_owned(const blo_space *s)
{
  return s->owned;
}

blo_int blo_space_shard_offset(const blo_space *s, blo_int shard)
{
  return space_shard_begin(s, shard) - blo_space_first(s);
}

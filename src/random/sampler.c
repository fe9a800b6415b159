/** @file Batches by systematic stratified sampling over the logical shards; see random.h. */
#include <blo/random.h>
#include <math.h>
#include <string.h>

struct blo_sampler {
  blo_context *ctx;
  blo_stream stream;
  blo_int n, n_shards, first, end, size;
  blo_int max_own;
  blo_int *start; /**< [own shards + 1] */
  int32_t *row;   /**< [max_own] */
  blo_batch batch;
};

/** Index 2^63 of shard 0: a counter that no draw within a shard uses. */
static const uint64_t OFFSET_INDEX = (uint64_t)1 << 63;

static blo_int shard_size(const blo_sampler *s, blo_int shard)
{
  return blo_shard_begin(s->n, s->n_shards, shard + 1) - blo_shard_begin(s->n, s->n_shards, shard);
}

/** The most that floor(b c1/n + u) - floor(b c0/n + u) can be: one more than b n_s / n, and n_s. */
static blo_int most_of_shard(const blo_sampler *s, blo_int shard)
{
  blo_int n_s = shard_size(s, shard);
  blo_int most = (blo_int)ceil((double)s->size * (double)n_s / (double)s->n) + 1;

  return most < n_s ? most : n_s;
}

static void make_full(blo_sampler *s)
{
  blo_int begin = blo_shard_begin(s->n, s->n_shards, s->first);

  for (blo_int k = s->first; k <= s->end; k++) {
    s->start[k - s->first] = blo_shard_begin(s->n, s->n_shards, k) - begin;
  }
  s->batch.n_own = s->start[s->end - s->first];
}

blo_status blo_sampler_create(const blo_comm *comm, uint64_t seed, blo_purpose purpose, blo_int n,
                              blo_int n_shards, blo_int b, blo_sampler **out)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_status status = BLO_OK;
  blo_sampler *s = NULL;

  BLO_GO(blo_alloc(ctx, 1, sizeof *s, &s));
  *s = (blo_sampler){.ctx = ctx,
                     .stream = {seed, purpose},
                     .n = n,
                     .n_shards = n_shards,
                     .first = blo_comm_first_shard(comm, n_shards),
                     .end = blo_comm_end_shard(comm, n_shards),
                     .size = b > 0 && b < n ? b : n};
  for (blo_int k = s->first; k < s->end; k++) {
    s->max_own += most_of_shard(s, k);
  }
  BLO_GO(blo_alloc(ctx, s->end - s->first + 1, sizeof *s->start, &s->start));
  s->batch = (blo_batch){.n = s->size, .start = s->start};
  if (s->size == n) {
    make_full(s);
  } else {
    BLO_GO(blo_alloc(ctx, s->max_own, sizeof *s->row, &s->row));
    s->batch.row = s->row;
  }
  *out = s;
  s = NULL;
done:
  blo_sampler_destroy(&s);
  return status;
}

void blo_sampler_destroy(blo_sampler **sampler)
{
  if (*sampler != NULL) {
    blo_context *ctx = (*sampler)->ctx;
    blo_free(ctx, &(*sampler)->start);
    blo_free(ctx, &(*sampler)->row);
    blo_free(ctx, sampler);
  }
}

/** Keep `row` ascending while `value` is put in; false if it is there already. */
static bool insert_ascending(int32_t *row, blo_int n, int32_t value)
{
  blo_int at = n;

  while (at > 0 && row[at - 1] >= value) {
    at--;
  }
  if (at < n && row[at] == value) {
    return false;
  }
  memmove(row + at + 1, row + at, (size_t)(n - at) * sizeof *row);
  row[at] = value;
  return true;
}

/** k distinct rows of a shard's n, all subsets alike (Floyd's algorithm; Bentley, CACM 30, 1987).
 */
static void draw_rows(const blo_sampler *s, uint64_t draw, blo_int shard, blo_int k, blo_int n,
                      int32_t *row)
{
  for (blo_int j = n - k; j < n; j++) {
    int32_t t =
        (int32_t)blo_stream_below(s->stream, draw, (uint64_t)shard, (uint64_t)j, (uint64_t)j + 1);
    blo_int have = j - (n - k);
    if (!insert_ascending(row, have, t)) {
      insert_ascending(row, have, (int32_t)j);
    }
  }
}

/** Samples that the shards before `shard` contribute, given the offset u. */
static blo_int drawn_before(const blo_sampler *s, blo_int shard, double u)
{
  double share = (double)blo_shard_begin(s->n, s->n_shards, shard) / (double)s->n;

  return shard == s->n_shards ? s->size : (blo_int)floor((double)s->size * share + u);
}

const blo_batch *blo_sampler_draw(blo_sampler *s, uint64_t draw)
{
  double u;
  blo_int own = 0;

  if (s->size == s->n) {
    return &s->batch;
  }
  u = blo_stream_uniform(s->stream, draw, 0, OFFSET_INDEX);
  for (blo_int k = s->first; k < s->end; k++) {
    blo_int n_s = shard_size(s, k), take = drawn_before(s, k + 1, u) - drawn_before(s, k, u);
    take = take < n_s ? take : n_s;
    s->start[k - s->first] = own;
    draw_rows(s, draw, k, take, n_s, s->row + own);
    own += take;
  }
  s->start[s->end - s->first] = own;
  s->batch.n_own = own;
  return &s->batch;
}

bool blo_sampler_is_full(const blo_sampler *s)
{
  return s->size == s->n;
}

blo_int blo_sampler_size(const blo_sampler *s)
{
  return s->size;
}

blo_int blo_sampler_max_own(const blo_sampler *s)
{
  return s->max_own;
}

/** @file Batches by systematic stratified sampling over the logical shards; see random.h. */
#include <blo/random.h>
#include <math.h>

struct blo_sampler {
  blo_context *ctx;
  blo_stream stream;
  blo_int n, n_shards, first, end, size;
  blo_int max_own;
  blo_int *start;  /**< [own shards + 1] */
  int32_t *row;    /**< [max_own] */
  uint64_t *taken; /**< one bit for each sample of the largest shard */
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
  blo_int most = n_s == 0 ? 0 : (blo_int)ceil((double)s->size * (double)n_s / (double)s->n) + 1;

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
    BLO_GO(blo_alloc(ctx, (n / n_shards + 1) / 64 + 1, sizeof *s->taken, &s->taken));
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
    blo_free(ctx, &(*sampler)->taken);
    blo_free(ctx, sampler);
  }
}

/** Take a sample; false if it is taken already. */
static bool take(uint64_t *taken, blo_int sample)
{
  uint64_t bit = (uint64_t)1 << (sample % 64), before = taken[sample / 64];

  taken[sample / 64] |= bit;
  return (before & bit) == 0;
}

/** List the samples that are taken, ascending, and give them back. */
static void list_taken(uint64_t *taken, blo_int n, int32_t *row)
{
  blo_int k = 0;

  for (blo_int word = 0; word <= n / 64; word++) {
    for (int bit = 0; taken[word] != 0; bit++, taken[word] >>= 1) {
      if ((taken[word] & 1) != 0) {
        row[k++] = (int32_t)(64 * word + bit);
      }
    }
  }
}

/** k distinct rows of a shard's n, all subsets alike (Floyd's algorithm; Bentley, CACM 30, 1987).
 */
static void draw_rows(const blo_sampler *s, uint64_t draw, blo_int shard, blo_int k, blo_int n,
                      int32_t *row)
{
  for (blo_int j = n - k; j < n; j++) {
    blo_int t =
        (blo_int)blo_stream_below(s->stream, draw, (uint64_t)shard, (uint64_t)j, (uint64_t)j + 1);
    if (!take(s->taken, t)) {
      take(s->taken, j);
    }
  }
  list_taken(s->taken, n, row);
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
    blo_int n_s = shard_size(s, k), n_k = drawn_before(s, k + 1, u) - drawn_before(s, k, u);
    n_k = n_k < n_s ? n_k : n_s;
    s->start[k - s->first] = own;
    draw_rows(s, draw, k, n_k, n_s, s->row + own);
    own += n_k;
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

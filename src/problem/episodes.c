/** @file Drawing episodes; see episodes.h. */
#include "episodes.h"

/** The samples of a source by class. */
typedef struct classes {
  blo_int n, largest;
  blo_int *start;  /**< [n + 1] */
  blo_int *member; /**< [samples] rows, class by class */
  blo_int *bag;    /**< [max(n, largest)] scratch of a draw */
} classes;

static void free_classes(blo_context *ctx, classes *c)
{
  blo_free(ctx, &c->start);
  blo_free(ctx, &c->member);
  blo_free(ctx, &c->bag);
}

/** Counting sort of the rows by label. */
static blo_status sort_classes(blo_context *ctx, const int32_t *label, blo_int n_rows, classes *c)
{
  BLO_TRY(blo_alloc(ctx, c->n + 2, sizeof *c->start, &c->start));
  BLO_TRY(blo_alloc(ctx, n_rows, sizeof *c->member, &c->member));
  for (blo_int i = 0; i < n_rows; i++) {
    c->start[label[i] + 2]++;
  }
  for (blo_int k = 2; k <= c->n + 1; k++) {
    c->largest = c->start[k] > c->largest ? c->start[k] : c->largest;
    c->start[k] += c->start[k - 1];
  }
  for (blo_int i = 0; i < n_rows; i++) {
    c->member[c->start[label[i] + 1]++] = i;
  }
  return blo_alloc(ctx, c->n > c->largest ? c->n : c->largest, sizeof *c->bag, &c->bag);
}

static blo_status read_labels(blo_comm *comm, blo_source *source, blo_int n_shards, int32_t **label)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_int n = blo_source_n_rows(source), *row = NULL;
  blo_status status = BLO_OK;
  blo_set *all = NULL;

  BLO_GO_ALL(comm, blo_alloc(ctx, n, sizeof *row, &row));
  BLO_GO_ALL(comm, blo_alloc(ctx, n, sizeof **label, label));
  for (blo_int i = 0; i < n; i++) {
    row[i] = i;
  }
  BLO_GO(blo_set_take(comm, source, row, n, n_shards, &all));
  blo_set_labels(all, *label);
done:
  blo_set_destroy(&all);
  blo_free(ctx, &row);
  return status;
}

/** k different numbers of 0..n-1, the first of a random permutation; `index` numbers the draws. */
static void pick(blo_stream stream, blo_int episode, blo_int number, blo_int n, blo_int k,
                 blo_int *bag)
{
  for (blo_int i = 0; i < n; i++) {
    bag[i] = i;
  }
  for (blo_int i = 0; i < k; i++) {
    uint64_t index = (uint64_t)number << 32 | (uint64_t)i;
    blo_int j =
        i + (blo_int)blo_stream_below(stream, (uint64_t)episode, 0, index, (uint64_t)(n - i));
    blo_int keep = bag[i];
    bag[i] = bag[j];
    bag[j] = keep;
  }
}

/** Rows of one episode. Draw 0 gives the classes, draw 1 + c the samples of the c-th. */
static void draw_episode(const episode_shape *s, const classes *c, blo_stream stream,
                         blo_int episode, blo_int *row)
{
  blo_int each = s->shots + s->queries;

  pick(stream, episode, 0, c->n, s->ways, c->bag);
  for (blo_int w = 0; w < s->ways; w++) {
    row[w * each] = c->bag[w];
  }
  for (blo_int w = 0; w < s->ways; w++) {
    blo_int class = row[w * each], n = c->start[class + 1] - c->start[class];
    pick(stream, episode, 1 + w, n, each, c->bag);
    for (blo_int k = 0; k < each; k++) {
      row[w * each + k] = c->member[c->start[class] + c->bag[k]];
    }
  }
}

static blo_status check_classes(blo_context *ctx, const char *path, const episode_shape *s,
                                const classes *c)
{
  BLO_CHECK(ctx, c->n >= s->ways, BLO_E_DATA, "%s has %lld classes: too few for ways = %lld", path,
            (long long)c->n, (long long)s->ways);
  for (blo_int k = 0; k < c->n; k++) {
    blo_int n = c->start[k + 1] - c->start[k];
    BLO_CHECK(ctx, n >= s->shots + s->queries, BLO_E_DATA,
              "%s: class %lld has %lld samples: too few for shots = %lld and queries = %lld", path,
              (long long)k, (long long)n, (long long)s->shots, (long long)s->queries);
  }
  return BLO_OK;
}

/** Local: the same on every rank. */
static blo_status draw_all(blo_context *ctx, const char *path, const episode_shape *s,
                           episode_draw draw, blo_int n, const classes *c, blo_int **row)
{
  /* every source has its own stream: the seed is spread by an odd number (Knuth's) */
  blo_stream stream = {draw.seed + draw.number * 0x9e3779b97f4a7c15u, BLO_PURPOSE_EPISODE};

  BLO_TRY(check_classes(ctx, path, s, c));
  BLO_TRY(blo_alloc(ctx, n * episode_size(s), sizeof **row, row));
  for (blo_int e = 0; e < n; e++) {
    draw_episode(s, c, stream, e, *row + e * episode_size(s));
  }
  return BLO_OK;
}

blo_status episodes_take(blo_comm *comm, blo_source *source, const char *path,
                         const episode_shape *shape, episode_draw draw, blo_int n, blo_int n_shards,
                         blo_set **out)
{
  blo_context *ctx = blo_comm_context(comm);
  classes c = {.n = blo_source_n_classes(source)};
  blo_status status = BLO_OK;
  int32_t *label = NULL;
  blo_int *row = NULL;

  BLO_CHECK(ctx, n % n_shards == 0, BLO_E_OPTION,
            "%lld episodes are no multiple of the %lld shards (problem.shards)", (long long)n,
            (long long)n_shards);
  BLO_GO(read_labels(comm, source, n_shards, &label));
  BLO_GO_ALL(comm, sort_classes(ctx, label, blo_source_n_rows(source), &c));
  BLO_GO_ALL(comm, draw_all(ctx, path, shape, draw, n, &c, &row));
  BLO_GO(blo_set_take(comm, source, row, n * episode_size(shape), n_shards, out));
done:
  free_classes(ctx, &c);
  blo_free(ctx, &label);
  blo_free(ctx, &row);
  return status;
}

void episode_part(const episode_shape *s, bool queries, blo_int *place, int32_t *label)
{
  blo_int each = s->shots + s->queries, n = queries ? s->queries : s->shots;

  for (blo_int w = 0; w < s->ways; w++) {
    for (blo_int k = 0; k < n; k++) {
      place[w * n + k] = w * each + (queries ? s->shots : 0) + k;
      label[w * n + k] = (int32_t)w;
    }
  }
}

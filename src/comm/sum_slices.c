/**
 * @file Finishing a sum by slices: each rank is sent everybody's nodes for one slice of the vector,
 * and finishes the tree on it; the order of additions is that of the tree. A slice is a piece that
 * is the rank's own, followed by a tail that all ranks have. The exchange is made in rounds, so
 * that its room is about two vectors, however many nodes the ranks have.
 */
#include "sum_private.h"
#include <string.h>

enum { LEAST_ROOM = 1024 }; /**< numbers; shorter messages cost what their latency costs */

/* ------------------------------------------------------------- the plan */

/** The nodes of rank r; with BLO_FAST a rank is a leaf of a tree over the ranks. */
static blo_int nodes_of_rank(blo_reduction how, blo_int n_shards, int size, int r, node *nodes)
{
  blo_int deepest = 0;

  if (how == BLO_FAST) {
    nodes[0] = (node){r, 1};
    return 1;
  }
  return sum_nodes_of(blo_rank_first_shard(n_shards, size, r),
                      blo_rank_first_shard(n_shards, size, r + 1), nodes, &deepest);
}

static blo_int room_of(blo_int max_len, blo_int most_nodes, int size)
{
  blo_int least = max_len < LEAST_ROOM ? max_len : LEAST_ROOM, room = max_len / (most_nodes * size);

  return (room > least ? room : least) + 1;
}

blo_status sum_plan_slices(blo_sum *s)
{
  blo_context *ctx = s->comm->ctx;
  slices *sl = &s->slices;
  int size = s->comm->size;

  sl->n_all = sl->most = 0;
  BLO_TRY(blo_alloc(ctx, size * sum_stack_cap(s->n_shards), sizeof *sl->all, &sl->all));
  BLO_TRY(blo_alloc(ctx, size, sizeof *sl->n_nodes, &sl->n_nodes));
  BLO_TRY(blo_alloc(ctx, 4 * size, sizeof *sl->counts, &sl->counts));
  for (int r = 0; r < size; r++) {
    sl->n_nodes[r] = nodes_of_rank(s->how, s->n_shards, size, r, sl->all + sl->n_all);
    sl->n_all += sl->n_nodes[r];
    sl->most = sl->n_nodes[r] > sl->most ? sl->n_nodes[r] : sl->most;
  }
  sl->room = room_of(s->max_len, sl->most, size);
  BLO_TRY(blo_alloc(ctx, sl->n_nodes[s->comm->rank] * size, (size_t)sl->room * sizeof *sl->send,
                    &sl->send));
  return blo_alloc(ctx, sl->n_all, (size_t)sl->room * sizeof *sl->recv, &sl->recv);
}

blo_int sum_slices_room(blo_reduction how, blo_int n_shards, int size, blo_int max_len)
{
  node nodes[2 * 64]; /* sum_stack_cap() of the largest integer */
  blo_int most = 0, all = 0;

  for (int r = 0; r < size; r++) {
    blo_int n = nodes_of_rank(how, n_shards, size, r, nodes);
    most = n > most ? n : most;
    all += n;
  }
  return (most * size + all) * room_of(max_len, most, size);
}

void sum_free_slices(blo_context *ctx, slices *sl)
{
  blo_free(ctx, &sl->all);
  blo_free(ctx, &sl->n_nodes);
  blo_free(ctx, &sl->counts);
  blo_free(ctx, &sl->send);
  blo_free(ctx, &sl->recv);
}

/* --------------------------------------------------------------- slices */

/** Of a vector of `len` numbers: [begin, end), and then [tail, len). */
typedef struct slice {
  blo_int begin, end, tail, len;
} slice;

static slice slice_of(const blo_sum *s, const blo_int *begin, int r)
{
  int size = s->comm->size;

  if (begin != NULL) {
    return (slice){begin[r], begin[r + 1], begin[size], s->len};
  }
  return (slice){blo_shard_begin(s->len, size, r), blo_shard_begin(s->len, size, r + 1), s->len,
                 s->len};
}

static blo_int size_of(slice c)
{
  return c.end - c.begin + c.len - c.tail;
}

/** The first run of numbers of the slice's part [from, to) that lie together in the vector: its
 *  length, and where. */
static blo_int run_of(slice c, blo_int from, blo_int to, blo_int *at)
{
  blo_int piece = c.end - c.begin;
  bool inside = from < piece;

  *at = inside ? c.begin + from : c.tail + from - piece;
  return inside && to > piece ? piece - from : to - from;
}

/** Copy the slice's part [from, to) from the vector, or into it. */
static void take(slice c, blo_int from, blo_int to, const double *vector, double *out)
{
  for (blo_int n, at; from < to; from += n, out += n) {
    n = run_of(c, from, to, &at);
    memcpy(out, vector + at, (size_t)n * sizeof *out);
  }
}

static void put(slice c, blo_int from, blo_int to, const double *in, double *vector)
{
  for (blo_int n, at; from < to; from += n, in += n) {
    n = run_of(c, from, to, &at);
    memcpy(vector + at, in, (size_t)n * sizeof *in);
  }
}

/* --------------------------------------------------------------- rounds */

/** Numbers of a slice that go in one round: the same on all ranks, even if not all have planned for
 *  the same length. */
static blo_int round_size(const blo_sum *s)
{
  return room_of(s->len, s->slices.most, s->comm->size);
}

/** How many numbers of a slice are sent in the round that begins at `from`. */
static blo_int in_round(const blo_sum *s, slice c, blo_int from)
{
  blo_int left = size_of(c) - from, most = round_size(s);

  return left < 0 ? 0 : left < most ? left : most;
}

/** Send every rank its part of my nodes, receive my part, of `mine` numbers, of everybody's. */
static void exchange(blo_sum *s, const blo_int *begin, blo_int from, blo_int mine)
{
  slices *sl = &s->slices;
  int size = s->comm->size, at = 0, got = 0;
  int *sent = sl->counts, *sent_at = sent + size, *recd = sent + 2 * size,
      *recd_at = sent + 3 * size;
  blo_int n_nodes = sl->n_nodes[s->comm->rank];

  for (int r = 0; r < size; r++) {
    slice c = slice_of(s, begin, r);
    blo_int n = in_round(s, c, from);
    sent_at[r] = at;
    recd_at[r] = got;
    sent[r] = (int)(n_nodes * n);
    recd[r] = (int)(sl->n_nodes[r] * mine);
    for (blo_int k = 0; k < n_nodes; k++) {
      take(c, from, from + n, s->slot + k * s->stride, sl->send + at + k * n);
    }
    at += sent[r];
    got += recd[r];
  }
  MPI_Alltoallv(sl->send, sent, sent_at, MPI_DOUBLE, sl->recv, recd, recd_at, MPI_DOUBLE,
                s->comm->mpi);
}

/** Finish the tree on what was received; the result is where its first node was. Only the tree over
 *  the ranks of BLO_FAST can end in several nodes: its size need not be a power of two. */
static void combine(blo_sum *s, blo_int n)
{
  double *recv = s->slices.recv;
  blo_int top = 0;

  for (blo_int k = 0; k < s->slices.n_all; k++) {
    s->stack[top] = s->slices.all[k];
    if (top != k) {
      memmove(recv + top * n, recv + k * n, (size_t)n * sizeof *recv);
    }
    top = sum_join(s->stack, top + 1, recv, n, n);
  }
  for (; top > 1; top--) {
    sum_add(recv + (top - 2) * n, recv + (top - 1) * n, n);
  }
}

void sum_finish_slice(blo_sum *s, const blo_int *begin, double *total)
{
  slice own = slice_of(s, begin, s->comm->rank);
  blo_int longest = 0;

  for (int r = 0; r < s->comm->size; r++) {
    blo_int n = size_of(slice_of(s, begin, r));
    longest = n > longest ? n : longest;
  }
  for (blo_int from = 0; from < longest; from += round_size(s)) {
    blo_int n = in_round(s, own, from);
    exchange(s, begin, from, n);
    combine(s, n);
    put(own, from, from + n, s->slices.recv, total);
  }
}

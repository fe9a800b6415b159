/**
 * @file Sums over logical shards that do not depend on the number of ranks.
 *
 * The S shard vectors are the leaves of one binary tree over the shard numbers; a node is the sum
 * of its left and its right child, in this order. A rank that owns the shards [lo, hi) forms the
 * maximal nodes that lie in its range (a binary counter over the leaves: two neighbouring nodes of
 * equal width whose left one begins at a multiple of twice the width are joined at once). The rest
 * of the tree is finished over the network:
 *  - if every rank has exactly one node (size a power of two): by recursive doubling, in which both
 *    partners form the same sum, since a + b = b + a bit for bit;
 *  - else each rank is sent everybody's nodes for one slice of the vector, finishes the tree on its
 *    slice, and the slices are gathered.
 * The order of additions is that of the tree in both cases.
 */
#include "comm_private.h"
#include <limits.h>
#include <string.h>

typedef struct node {
  blo_int first, width;
} node;

struct blo_sum {
  blo_comm *comm;
  blo_reduction how;
  blo_int n_shards, first, end; /**< this rank's shards are [first, end) */
  blo_int max_len, len;
  blo_int stride;     /**< doubles between two slots */
  blo_int next;       /**< the next shard to open */
  blo_int top, depth; /**< nodes on the stack, and slots for them */
  node *stack;        /**< [depth] */
  double *slot;       /**< [depth][stride] vectors of the stack's nodes */
  /* for the exchange by slices */
  node *all;        /**< nodes of all ranks, in shard order */
  blo_int *n_nodes; /**< [size] nodes of each rank */
  blo_int n_all;
  int *counts;         /**< [4][size] counts and displacements */
  double *send, *recv; /**< pieces of slices */
};

/* ------------------------------------------------------------- the tree */

/** True if the two topmost nodes are the children of one node. */
static bool joinable(const node *stack, blo_int top)
{
  const node *left = stack + top - 2, *right = stack + top - 1;

  return top > 1 && left->width == right->width && left->first % (2 * left->width) == 0;
}

/** The maximal nodes within [lo, hi), and how many the stack holds at most on the way. */
static blo_int nodes_of(blo_int lo, blo_int hi, node *stack, blo_int *deepest)
{
  blo_int top = 0;

  for (blo_int s = lo; s < hi; s++) {
    stack[top++] = (node){s, 1};
    *deepest = top > *deepest ? top : *deepest;
    while (joinable(stack, top)) {
      stack[top - 2].width *= 2;
      top--;
    }
  }
  return top;
}

static void add(double *restrict a, const double *restrict b, blo_int n)
{
  for (blo_int i = 0; i < n; i++) {
    a[i] += b[i];
  }
}

/** Join the topmost nodes for as long as they are siblings. */
static blo_int join(node *stack, blo_int top, double *slot, blo_int stride, blo_int len)
{
  while (joinable(stack, top)) {
    add(slot + (top - 2) * stride, slot + (top - 1) * stride, len);
    stack[top - 2].width *= 2;
    top--;
  }
  return top;
}

double blo_tree_sum(double *part, blo_int n_shards)
{
  for (blo_int width = 1; width < n_shards; width *= 2) {
    for (blo_int s = 0; s < n_shards; s += 2 * width) {
      part[s] += part[s + width];
    }
  }
  return part[0];
}

/* ---------------------------------------------------------- life of a plan */

/** More than the deepest stack: at most two nodes of each width, and the leaf just pushed. */
static blo_int stack_cap(blo_int n_shards)
{
  blo_int cap = 3;

  for (blo_int w = n_shards; w > 1; w /= 2) {
    cap += 2;
  }
  return cap;
}

static bool by_doubling(const blo_sum *s)
{
  return s->n_shards % s->comm->size == 0 && (s->comm->size & (s->comm->size - 1)) == 0;
}

static blo_int stride_of(blo_int max_len)
{
  return (max_len + 7) / 8 * 8;
}

/** All ranks' nodes and the room for the exchange by slices. */
static blo_status plan_slices(blo_sum *s)
{
  blo_context *ctx = s->comm->ctx;
  int size = s->comm->size;
  blo_int slice = s->max_len / size + 1, deepest = 0;

  BLO_TRY(blo_alloc(ctx, size * stack_cap(s->n_shards), sizeof *s->all, &s->all));
  BLO_TRY(blo_alloc(ctx, size, sizeof *s->n_nodes, &s->n_nodes));
  BLO_TRY(blo_alloc(ctx, 4 * size, sizeof *s->counts, &s->counts));
  for (int r = 0; r < size; r++) {
    s->n_nodes[r] =
        nodes_of(blo_rank_first_shard(s->n_shards, size, r),
                 blo_rank_first_shard(s->n_shards, size, r + 1), s->all + s->n_all, &deepest);
    s->n_all += s->n_nodes[r];
  }
  BLO_CHECK(ctx, s->max_len <= INT_MAX / stack_cap(s->n_shards), BLO_E_SHAPE,
            "a fused sum of %lld numbers is too long for %d ranks; a power of two ranks can do it",
            (long long)s->max_len, size);
  BLO_TRY(
      blo_alloc(ctx, s->n_nodes[s->comm->rank] * (s->max_len + size), sizeof(double), &s->send));
  return blo_alloc(ctx, s->n_all * slice, sizeof(double), &s->recv);
}

blo_status blo_sum_create(blo_comm *comm, blo_reduction how, blo_int n_shards, blo_int max_len,
                          blo_sum **out)
{
  blo_context *ctx = comm->ctx;
  blo_status status = BLO_OK;
  blo_sum *s = NULL;

  BLO_CHECK_GO(ctx, max_len <= INT_MAX / 2, BLO_E_SHAPE,
               "a fused sum of %lld numbers is too long for one MPI message", (long long)max_len);
  BLO_GO(blo_alloc(ctx, 1, sizeof *s, &s));
  s->comm = comm;
  s->how = how;
  s->n_shards = n_shards;
  s->first = blo_comm_first_shard(comm, n_shards);
  s->end = blo_comm_end_shard(comm, n_shards);
  s->max_len = max_len;
  s->stride = stride_of(max_len);
  BLO_GO(blo_alloc(ctx, stack_cap(n_shards), sizeof *s->stack, &s->stack));
  nodes_of(s->first, s->end, s->stack, &s->depth);
  s->depth = how == BLO_FAST ? 1 : s->depth + 1; /* one more to receive into */
  BLO_GO(blo_alloc(ctx, s->depth * s->stride, sizeof *s->slot, &s->slot));
  if (how == BLO_REPRODUCIBLE && !by_doubling(s)) {
    BLO_GO(plan_slices(s));
  }
  *out = s;
  s = NULL;
done:
  blo_sum_destroy(&s);
  return status;
}

void blo_sum_destroy(blo_sum **sum)
{
  blo_sum *s = *sum;

  if (s != NULL) {
    blo_context *ctx = s->comm->ctx;
    blo_free(ctx, &s->stack);
    blo_free(ctx, &s->slot);
    blo_free(ctx, &s->all);
    blo_free(ctx, &s->n_nodes);
    blo_free(ctx, &s->counts);
    blo_free(ctx, &s->send);
    blo_free(ctx, &s->recv);
    blo_free(ctx, sum);
  }
}

/* -------------------------------------------------------------- one sum */

void blo_sum_begin(blo_sum *s, blo_int len)
{
  BLO_BUG_IF(len > s->max_len, "sum of %lld doubles, planned for %lld", (long long)len,
             (long long)s->max_len);
  s->len = len;
  s->next = s->first;
  s->top = 0;
  if (s->how == BLO_FAST) {
    memset(s->slot, 0, (size_t)len * sizeof *s->slot);
  }
}

/** The shard that was opened last is complete: put it into the tree. */
static void close_shard(blo_sum *s)
{
  if (s->how == BLO_REPRODUCIBLE && s->next > s->first) {
    s->top = join(s->stack, s->top, s->slot, s->stride, s->len);
  }
}

double *blo_sum_next_shard(blo_sum *s)
{
  double *leaf;

  BLO_BUG_IF(s->next >= s->end, "more shards opened than the rank owns");
  close_shard(s);
  if (s->how == BLO_FAST) {
    s->next++;
    return s->slot;
  }
  leaf = s->slot + s->top * s->stride;
  memset(leaf, 0, (size_t)s->len * sizeof *leaf);
  s->stack[s->top++] = (node){s->next++, 1};
  return leaf;
}

static void finish_by_doubling(blo_sum *s)
{
  double *mine = s->slot, *theirs = s->slot + s->stride;

  for (int step = 1; step < s->comm->size; step *= 2) {
    int partner = s->comm->rank ^ step;
    MPI_Sendrecv(mine, (int)s->len, MPI_DOUBLE, partner, 0, theirs, (int)s->len, MPI_DOUBLE,
                 partner, 0, s->comm->mpi, MPI_STATUS_IGNORE);
    add(mine, theirs, s->len);
  }
}

static blo_int slice_begin(const blo_sum *s, int rank)
{
  return s->len * rank / s->comm->size;
}

/** Send every rank its slice of my nodes, receive my slice of everybody's. */
static void exchange_slices(blo_sum *s)
{
  int size = s->comm->size, at = 0, got = 0;
  int *sent = s->counts, *sent_at = sent + size, *recd = sent + 2 * size,
      *recd_at = sent + 3 * size;
  blo_int mine = slice_begin(s, s->comm->rank + 1) - slice_begin(s, s->comm->rank);

  for (int r = 0; r < size; r++) {
    blo_int begin = slice_begin(s, r), n = slice_begin(s, r + 1) - begin;
    sent_at[r] = at;
    recd_at[r] = got;
    sent[r] = (int)(s->top * n);
    recd[r] = (int)(s->n_nodes[r] * mine);
    for (blo_int k = 0; k < s->top; k++) {
      memcpy(s->send + at + k * n, s->slot + k * s->stride + begin, (size_t)n * sizeof *s->send);
    }
    at += sent[r];
    got += recd[r];
  }
  MPI_Alltoallv(s->send, sent, sent_at, MPI_DOUBLE, s->recv, recd, recd_at, MPI_DOUBLE,
                s->comm->mpi);
}

/** Finish the tree on my slice; the result is where its first node was. */
static void combine_slice(blo_sum *s, blo_int n)
{
  blo_int top = 0;

  for (blo_int k = 0; k < s->n_all; k++) {
    s->stack[top] = s->all[k];
    if (top != k) {
      memmove(s->recv + top * n, s->recv + k * n, (size_t)n * sizeof *s->recv);
    }
    top = join(s->stack, top + 1, s->recv, n, n);
  }
}

static void finish_by_slices(blo_sum *s, double *total)
{
  int size = s->comm->size, *n = s->counts, *at = s->counts + size;
  blo_int mine = slice_begin(s, s->comm->rank + 1) - slice_begin(s, s->comm->rank);

  exchange_slices(s);
  combine_slice(s, mine);
  for (int r = 0; r < size; r++) {
    at[r] = (int)slice_begin(s, r);
    n[r] = (int)slice_begin(s, r + 1) - at[r];
  }
  MPI_Allgatherv(s->recv, (int)mine, MPI_DOUBLE, total, n, at, MPI_DOUBLE, s->comm->mpi);
}

void blo_sum_finish(blo_sum *s, double *total)
{
  blo_phase before = blo_phase_enter(s->comm->ctx, BLO_PHASE_REDUCE);

  while (s->how == BLO_REPRODUCIBLE && s->next < s->end) {
    blo_sum_next_shard(s);
  }
  close_shard(s);
  s->comm->traffic.reductions++;
  s->comm->traffic.bytes += s->len * (blo_int)sizeof(double);
  if (s->how == BLO_FAST) {
    if (s->comm->size > 1) {
      MPI_Allreduce(MPI_IN_PLACE, s->slot, (int)s->len, MPI_DOUBLE, MPI_SUM, s->comm->mpi);
    }
    memcpy(total, s->slot, (size_t)s->len * sizeof *total);
  } else if (by_doubling(s)) {
    finish_by_doubling(s);
    memcpy(total, s->slot, (size_t)s->len * sizeof *total);
  } else {
    finish_by_slices(s, total);
  }
  blo_phase_enter(s->comm->ctx, before);
}

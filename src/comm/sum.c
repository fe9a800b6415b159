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
 *  - else, or if the ranks are to have only pieces of the total, each rank is sent everybody's
 * nodes for one slice of the vector and finishes the tree on it (sum_slices.c); if all are to have
 * all, the slices are gathered. The order of additions is that of the tree in all cases.
 */
#include "sum_private.h"
#include <limits.h>
#include <string.h>

/* ------------------------------------------------------------- the tree */

/** True if the two topmost nodes are the children of one node. */
static bool joinable(const node *stack, blo_int top)
{
  const node *left = stack + top - 2, *right = stack + top - 1;

  return top > 1 && left->width == right->width && left->first % (2 * left->width) == 0;
}

blo_int sum_nodes_of(blo_int lo, blo_int hi, node *stack, blo_int *deepest)
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

void sum_add(double *restrict a, const double *restrict b, blo_int n)
{
  for (blo_int i = 0; i < n; i++) {
    a[i] += b[i];
  }
}

blo_int sum_join(node *stack, blo_int top, double *slot, blo_int stride, blo_int len)
{
  while (joinable(stack, top)) {
    sum_add(slot + (top - 2) * stride, slot + (top - 1) * stride, len);
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

blo_int sum_stack_cap(blo_int n_shards)
{
  blo_int cap = 3;

  for (blo_int w = n_shards; w > 1; w /= 2) {
    cap += 2;
  }
  return cap;
}

/** Has every rank of so many exactly one node of the tree? */
static bool by_doubling(blo_reduction how, blo_int n_shards, int size)
{
  return how == BLO_REPRODUCIBLE && n_shards % size == 0 && (size & (size - 1)) == 0;
}

static bool doubles(const blo_sum *s)
{
  return by_doubling(s->how, s->n_shards, s->comm->size);
}

static blo_int stride_of(blo_int max_len)
{
  return (max_len + 7) / 8 * 8;
}

/** Slots for the stack of rank r, and one to receive into. */
static blo_int depth_of(blo_reduction how, blo_int n_shards, int size, int r, node *stack)
{
  blo_int deepest = 0;

  if (how == BLO_FAST) {
    return 1;
  }
  sum_nodes_of(blo_rank_first_shard(n_shards, size, r), blo_rank_first_shard(n_shards, size, r + 1),
               stack, &deepest);
  return deepest + (size > 1 && by_doubling(how, n_shards, size));
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
  BLO_GO(blo_alloc(ctx, sum_stack_cap(n_shards), sizeof *s->stack, &s->stack));
  s->depth = depth_of(how, n_shards, comm->size, comm->rank, s->stack);
  BLO_GO(blo_alloc(ctx, s->depth * s->stride, sizeof *s->slot, &s->slot));
  if (how == BLO_REPRODUCIBLE && !doubles(s)) {
    BLO_GO(sum_plan_slices(s));
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
    sum_free_slices(ctx, &s->slices);
    blo_free(ctx, sum);
  }
}

blo_status blo_sum_provide_pieces(blo_sum *s)
{
  blo_status status = BLO_OK;

  if (s->comm->size > 1 && s->slices.all == NULL) {
    status = sum_plan_slices(s);
    if (status != BLO_OK) {
      sum_free_slices(s->comm->ctx, &s->slices);
    }
  }
  return status;
}

blo_int blo_sum_bytes(const blo_comm *comm, blo_reduction how, blo_int n_shards, blo_int max_len)
{
  node stack[2 * 64]; /* sum_stack_cap() of the largest integer */
  blo_int slots = 0, room = 0;

  for (int r = 0; r < comm->size; r++) {
    blo_int depth = depth_of(how, n_shards, comm->size, r, stack);
    slots = depth > slots ? depth : slots;
  }
  if (comm->size > 1) {
    room = sum_slices_room(how, n_shards, comm->size, max_len);
  }
  return (slots * stride_of(max_len) + room) * (blo_int)sizeof(double);
}

/* -------------------------------------------------------------- one sum */

/** Begin a pass over the shards, whose vectors are [from, len) of the sum's. */
static void begin_pass(blo_sum *s, blo_int from, blo_int len)
{
  BLO_BUG_IF(len > s->max_len, "sum of %lld doubles, planned for %lld", (long long)len,
             (long long)s->max_len);
  s->from = from;
  s->len = len;
  s->next = s->first;
  s->top = 0;
  if (s->how == BLO_FAST) {
    memset(s->slot + from, 0, (size_t)(len - from) * sizeof *s->slot);
  }
}

void blo_sum_begin(blo_sum *s, blo_int len)
{
  begin_pass(s, 0, len);
}

/** The shard that was opened last is complete: put it into the tree. */
static void close_shard(blo_sum *s)
{
  if (s->how == BLO_REPRODUCIBLE && s->next > s->first) {
    s->top = sum_join(s->stack, s->top, s->slot + s->from, s->stride, s->len - s->from);
  }
}

double *blo_sum_next_shard(blo_sum *s)
{
  double *leaf;

  BLO_BUG_IF(s->next >= s->end, "more shards opened than the rank owns");
  close_shard(s);
  if (s->how == BLO_FAST) {
    s->next++;
    return s->slot + s->from;
  }
  leaf = s->slot + s->top * s->stride + s->from;
  memset(leaf, 0, (size_t)(s->len - s->from) * sizeof *leaf);
  s->stack[s->top++] = (node){s->next++, 1};
  return leaf;
}

/** Every shard of this rank is in its nodes. */
static void complete_pass(blo_sum *s)
{
  while (s->how == BLO_REPRODUCIBLE && s->next < s->end) {
    blo_sum_next_shard(s);
  }
  close_shard(s);
}

/* The nodes of a pass lie in the same slots as those of the pass before, behind its numbers. */
void blo_sum_append(blo_sum *s, blo_int len)
{
  complete_pass(s);
  begin_pass(s, s->len, s->len + len);
}

static void finish_by_doubling(blo_sum *s)
{
  double *mine = s->slot, *theirs = s->slot + s->stride;

  for (int step = 1; step < s->comm->size; step *= 2) {
    int partner = s->comm->rank ^ step;
    MPI_Sendrecv(mine, (int)s->len, MPI_DOUBLE, partner, 0, theirs, (int)s->len, MPI_DOUBLE,
                 partner, 0, s->comm->mpi, MPI_STATUS_IGNORE);
    sum_add(mine, theirs, s->len);
  }
}

static void finish_by_slices(blo_sum *s, double *total)
{
  int size = s->comm->size, *n = s->slices.counts, *at = n + size;

  sum_finish_slice(s, NULL, total);
  for (int r = 0; r < size; r++) {
    at[r] = (int)blo_shard_begin(s->len, size, r);
    n[r] = (int)blo_shard_begin(s->len, size, r + 1) - at[r];
  }
  MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, total, n, at, MPI_DOUBLE, s->comm->mpi);
}

/** One more sum is on its way. */
static void close_all(blo_sum *s)
{
  complete_pass(s);
  s->comm->traffic.reductions++;
  s->comm->traffic.bytes += s->len * (blo_int)sizeof(double);
}

void blo_sum_finish(blo_sum *s, double *total)
{
  blo_phase before = blo_phase_enter(s->comm->ctx, BLO_PHASE_REDUCE);

  close_all(s);
  if (s->how == BLO_FAST) {
    if (s->comm->size > 1) {
      MPI_Allreduce(MPI_IN_PLACE, s->slot, (int)s->len, MPI_DOUBLE, MPI_SUM, s->comm->mpi);
    }
    memcpy(total, s->slot, (size_t)s->len * sizeof *total);
  } else if (doubles(s)) {
    finish_by_doubling(s);
    memcpy(total, s->slot, (size_t)s->len * sizeof *total);
  } else {
    finish_by_slices(s, total);
  }
  blo_phase_enter(s->comm->ctx, before);
}

void blo_sum_finish_pieces(blo_sum *s, const blo_int *begin, double *total)
{
  blo_phase before = blo_phase_enter(s->comm->ctx, BLO_PHASE_REDUCE);

  BLO_BUG_IF(s->comm->size > 1 && s->slices.all == NULL, "a sum in pieces was not provided for");
  close_all(s);
  if (s->comm->size == 1) {
    memcpy(total, s->slot, (size_t)s->len * sizeof *total);
  } else {
    sum_finish_slice(s, begin, total);
  }
  blo_phase_enter(s->comm->ctx, before);
}

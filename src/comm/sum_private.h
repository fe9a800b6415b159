/** @file The contents of a planned sum, for the files of this layer only; see sum.c. */
#ifndef BLO_SUM_PRIVATE_H
#define BLO_SUM_PRIVATE_H

#include "comm_private.h"

/** A node of the tree over the shards: the sum of the shards [first, first + width). */
typedef struct node {
  blo_int first, width;
} node;

/** Nodes of all ranks, and room for their exchange by slices; see sum_slices.c. */
typedef struct slices {
  node *all;           /**< [n_all] in shard order */
  blo_int *n_nodes;    /**< [size] nodes of each rank */
  blo_int n_all, most; /**< all nodes, and those of the rank that has most */
  blo_int room;        /**< numbers of its slice that a rank is sent in one round */
  int *counts;         /**< [4][size] counts and displacements */
  double *send, *recv; /**< [n_nodes of this rank][size][room], [n_all][room] */
} slices;

struct blo_sum {
  blo_comm *comm;
  blo_reduction how;
  blo_int n_shards, first, end; /**< this rank's shards are [first, end) */
  blo_int max_len, len;
  blo_int from;       /**< where the vectors of this pass over the shards begin */
  blo_int stride;     /**< doubles between two slots */
  blo_int next;       /**< the next shard to open */
  blo_int top, depth; /**< nodes on the stack, and slots for them */
  node *stack;        /**< [sum_stack_cap()] */
  double *slot;       /**< [depth][stride] vectors of the stack's nodes */
  slices slices;      /**< not planned: its `all` is NULL */
};

/** More than the deepest stack: at most two nodes of each width, and the leaf just pushed. */
blo_int sum_stack_cap(blo_int n_shards);
/** The maximal nodes within [lo, hi). @param[out] stack [sum_stack_cap()]
 *  @param[in,out] deepest  raised to what the stack holds at most on the way */
blo_int sum_nodes_of(blo_int lo, blo_int hi, node *stack, blo_int *deepest);
/** a = a + b. */
void sum_add(double *restrict a, const double *restrict b, blo_int n);
/** Join the topmost nodes for as long as they are siblings; the new top. */
blo_int sum_join(node *stack, blo_int top, double *slot, blo_int stride, blo_int len);

/** Take the memory for an exchange by slices. Call: Local. */
blo_status sum_plan_slices(blo_sum *s);
/** Doubles of that memory on the rank that has most. Call: Local. */
blo_int sum_slices_room(blo_reduction how, blo_int n_shards, int size, blo_int max_len);
void sum_free_slices(blo_context *ctx, slices *sl);
/**
 * Finish the tree on this rank's slice, [begin[rank], begin[rank + 1]) and [begin[size], len).
 * Call  Collective.
 * @param[in]  begin  [size + 1]; NULL: the vector cut evenly
 * @param[out] total  [len], written at the slice only
 */
void sum_finish_slice(blo_sum *s, const blo_int *begin, double *total);

#endif

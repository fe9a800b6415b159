/**
 * @file
 * Operations of two inputs of which either may be global. Row i of such a node uses row i of an
 * input on rows, and the only row of a global one; with directions, tangents likewise.
 */
#ifndef BLO_PAIR_H
#define BLO_PAIR_H

#include "graph_private.h"

/** A node of two inputs, added with the shape, sizes and numbers of `described`. */
static inline blo_node pair_add(blo_graph *g, node described, blo_node a, blo_node b)
{
  described.n_in = 2;
  described.in[0] = a;
  described.in[1] = b;
  return graph_add(g, &described);
}

/** Where the numbers of input k for row i of the node begin; for tangents, i counts rows and
 *  directions, of which there are n_v (else 1). */
static inline blo_int pair_at(const op_call *c, int k, blo_int i, blo_int n_v)
{
  return (c->in_node[k]->global ? i % n_v : i) * c->in_node[k]->n;
}

/** The same in an array that may not be there. */
static inline const double *pair_in(const double *tensor, blo_int at)
{
  return tensor != NULL ? tensor + at : NULL;
}

#endif

/**
 * @file
 * Which nodes are the losses of a graph's Gauss-Newton matrix (Schraudolph 2002, Neural Computation
 * 14(7):1723-1738; Martens 2010, ICML). The value of a graph is a sum of convex losses l_k of what
 * a model makes of y, z_k(y), with weights w_k >= 0 that do not depend on y:
 *
 *     H = G + sum_k w_k sum_c (dl_k/dz_kc) (d2z_kc/dy2)
 *     G = sum_k w_k (dz_k/dy)' (d2l_k/dz_k2) (dz_k/dy),   positive semidefinite.
 *
 * Products with G are those with H but for the tangents of adjoints: only the losses give their
 * second derivatives, all other operations pass on (dF/din)' dot(bar(out)). Above the losses these
 * tangents are zero, because what lies there is linear in the losses.
 *
 * A loss is the first convex operation on the way down from the value; above it lie only sums and
 * weights that are never negative, below it the model, be its operations convex or not (relu, the
 * squares of a normalisation). So of a loss of a loss the outer one is the loss, the inner one part
 * of the model. There is no such matrix if the way down meets something else before a loss (a
 * function that is not convex, a weight that may be negative or depends on y), or if an operation
 * is part of the value and part of a model too.
 */
#include "graph_private.h"

static bool constants_are_never_negative(const node *n)
{
  for (blo_int k = 0; k < n->n; k++) {
    if (!(n->data[k] >= 0)) {
      return false;
    }
  }
  return true;
}

static bool inputs_are_never_negative(const blo_graph *g, const node *n)
{
  for (int k = 0; k < n->n_in; k++) {
    if (!graph_node(g, n->in[k])->never_negative) {
      return false;
    }
  }
  return true;
}

bool graph_never_negative(const blo_graph *g, const node *n)
{
  switch (n->type->kind) {
  case OP_LOSS:
  case OP_WEIGHT:
    return true;
  case OP_SUM:
  case OP_PRODUCT:
    return inputs_are_never_negative(g, n);
  case OP_AFFINE:
    return n->number[0] >= 0 && n->number[1] >= 0 && inputs_are_never_negative(g, n);
  default:
    return n->data != NULL && constants_are_never_negative(n);
  }
}

/** Is the node a sum of those of its inputs that depend on y, with weights that are never negative?
 */
static bool adds_up(const blo_graph *g, const node *n)
{
  const node *a = graph_node(g, n->in[0]), *b = graph_node(g, n->in[n->n_in - 1]);

  switch (n->type->kind) {
  case OP_SUM:
    return true;
  case OP_AFFINE:
    return n->number[0] >= 0;
  case OP_PRODUCT:
    return a->on_y != b->on_y && (a->on_y ? b : a)->never_negative;
  default:
    return false;
  }
}

/** What a node is part of; may be both. */
enum { OF_VALUE = 1, OF_MODEL = 2 };

/** Set what the inputs of a node are part of. @return false if there is no Gauss-Newton matrix */
static bool pass_down(blo_graph *g, node *n)
{
  bool adds = n->part == OF_VALUE && adds_up(g, n);

  n->is_loss = n->part == OF_VALUE && !adds && n->type->kind == OP_LOSS;
  for (int k = 0; k < n->n_in; k++) {
    g->nodes[n->in[k]].part |= adds ? OF_VALUE : OF_MODEL;
  }
  return adds || n->is_loss || n->part == OF_MODEL;
}

void graph_find_losses(blo_graph *g)
{
  g->has_gauss_newton = true;
  g->nodes[g->loss].part = OF_VALUE;
  for (int k = 0; k < g->n_terms; k++) {
    g->nodes[g->terms[k]].part = OF_VALUE;
  }
  for (int i = g->n_nodes - 1; i >= 0; i--) {
    node *n = &g->nodes[i];
    if (n->part != 0 && n->on_y && !n->is_param && !pass_down(g, n)) {
      g->has_gauss_newton = false;
    }
  }
}

bool blo_graph_has_gauss_newton(const blo_graph *g)
{
  return g->has_gauss_newton;
}

/** @file A linear layer with bias. */
#include "graph_private.h"

enum { PART_NAME_CAP = BLO_NAME_MAX + 16 };

blo_node blo_graph_linear(blo_graph *g, blo_owner owner, const char *name, blo_node in,
                          blo_int n_out)
{
  char weights[PART_NAME_CAP], bias[PART_NAME_CAP];
  const node *a;
  blo_node w, b;

  if (graph_failed(g, 1, &in)) {
    return -1;
  }
  a = graph_node(g, in);
  if (a->n_dims == NODE_DIMS) {
    return graph_refuse(g, BLO_E_SHAPE, "linear: the input '%s' is an image", name);
  }
  snprintf(weights, sizeof weights, "%s.W", name);
  snprintf(bias, sizeof bias, "%s.b", name);
  w = blo_graph_param(g, owner, weights, 2, (const blo_int[]){a->dim[a->n_dims - 1], n_out},
                      (blo_init){BLO_INIT_GLOROT, 1});
  b = blo_graph_param(g, owner, bias, 1, &n_out, (blo_init){BLO_INIT_CONSTANT, 0});
  return blo_graph_bias(g, blo_graph_matmul(g, in, w), b);
}

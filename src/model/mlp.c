/** @file Layers one after the other. */
#include "graph_private.h"

enum { LAYER_NAME_CAP = BLO_NAME_MAX + 16 };

blo_node blo_graph_mlp(blo_graph *g, blo_owner owner, const char *name, blo_node in, int n_layers,
                       const blo_int *width, blo_activation activation)
{
  char layer[LAYER_NAME_CAP];

  for (int k = 0; k < n_layers; k++) {
    snprintf(layer, sizeof layer, "%s.%d", name, k + 1);
    in = blo_graph_linear(g, owner, layer, in, width[k]);
    in = blo_graph_activation(g, in, activation);
  }
  return in;
}

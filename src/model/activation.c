/** @file Activations by name. */
#include "graph_private.h"

const char *const blo_activation_names[] = {"tanh", "relu", "sigmoid", "softplus", NULL};

blo_node blo_graph_activation(blo_graph *g, blo_node in, blo_activation kind)
{
  switch (kind) {
  case BLO_TANH:
    return blo_graph_tanh(g, in);
  case BLO_RELU:
    return blo_graph_relu(g, in);
  case BLO_SIGMOID:
    return blo_graph_sigmoid(g, in);
  case BLO_SOFTPLUS:
    break;
  }
  return blo_graph_softplus(g, in);
}

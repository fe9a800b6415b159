/** @file The squares of all parameters, as terms. */
#include "graph_private.h"

void blo_graph_ridge(blo_graph *g, blo_owner owner, double factor)
{
  for (blo_int i = 0; i < blo_params_count(g->params); i++) {
    blo_block b = *blo_params_get(g->params, i);
    if (b.owner == owner && (factor < 0 || factor > 0)) {
      blo_node norm = blo_graph_square_norm(g, blo_graph_param_again(g, b.name));
      blo_graph_term(g, blo_graph_affine(g, norm, factor, 0));
    }
  }
}

/** @file What the pooling operations share; see pool.h. */
#include "pool.h"

bool pool_describe(blo_graph *g, const op_type *type, blo_node in, blo_int size, node *n)
{
  const node *a;

  if (graph_failed(g, 1, &in)) {
    return false;
  }
  a = graph_node(g, in);
  if (a->n_dims != NODE_DIMS || size < 1 || size > a->dim[1] || size > a->dim[2]) {
    graph_refuse(g, BLO_E_SHAPE,
                 "%s: windows of %lld x %lld do not fit an input of %d dimensions "
                 "[%lld][%lld][%lld]",
                 type->name, (long long)size, (long long)size, a->n_dims, (long long)a->dim[0],
                 (long long)a->dim[1], (long long)a->dim[2]);
    return false;
  }
  *n = (node){.type = type,
              .n_in = 1,
              .in = {in},
              .n_dims = NODE_DIMS,
              .dim = {a->dim[0], a->dim[1] / size, a->dim[2] / size},
              .size = {size}};
  n->n = n->dim[0] * n->dim[1] * n->dim[2];
  return true;
}

/**
 * @file
 * The network of few-shot learning. A block is: 3x3 convolution with K, normalisation per channel
 * and sample, times `scale`, plus `shift`; 2x2 max pooling; relu. Pooling before relu is the same
 * function with the same derivatives as after it, and relu then has a quarter of the numbers. The
 * convolution has no bias: the normalisation would remove it, its derivatives would be 0 and the
 * Hessian singular; `shift` does its work. The smooth form has mean pooling and softplus.
 */
#include "group_norm.h"

enum { PART_NAME_CAP = BLO_NAME_MAX + 32 };

static const double norm_eps = 1e-5; /* as in PyTorch */

typedef struct block {
  blo_owner owner;
  const char *name;
  int number;
  bool smooth;
} block;

static blo_node part(blo_graph *g, const block *b, const char *what, int n_dims, const blo_int *dim,
                     blo_init init)
{
  char name[PART_NAME_CAP];

  snprintf(name, sizeof name, "%s.%d.%s", b->name, b->number, what);
  return blo_graph_param(g, b->owner, name, n_dims, dim, init);
}

static blo_node add_block(blo_graph *g, const block *b, blo_node in, blo_int n_filters)
{
  const node *a;
  blo_node k, scale, shift, out;
  blo_int n;

  if (graph_failed(g, 1, &in)) {
    return -1;
  }
  a = graph_node(g, in);
  k = part(g, b, "K", 4, (const blo_int[]){n_filters, a->dim[0], 3, 3},
           (blo_init){BLO_INIT_KAIMING, 1});
  out = blo_graph_conv2d(g, in, k, 1, 1);
  if (out < 0) {
    return -1;
  }
  n = graph_node(g, out)->dim[1] * graph_node(g, out)->dim[2];
  scale = part(g, b, "scale", 1, &n_filters, (blo_init){BLO_INIT_CONSTANT, 1});
  shift = part(g, b, "shift", 1, &n_filters, (blo_init){BLO_INIT_CONSTANT, 0});
  out = group_norm_add(g, out, scale, shift, n, norm_eps);
  if (b->smooth) {
    return blo_graph_softplus(g, blo_graph_mean_pool(g, out, 2));
  }
  return blo_graph_relu(g, blo_graph_max_pool(g, out, 2));
}

/** Elementwise functions do not look at their shape, so one can be declared flat: nothing is
 * copied. */
static blo_node flat(blo_graph *g, blo_node last)
{
  if (last >= 0) {
    node *n = &g->nodes[last];
    n->n_dims = 1;
    n->dim[0] = n->n;
  }
  return last;
}

blo_node blo_graph_conv_net(blo_graph *g, blo_owner owner, const char *name, blo_node in,
                            int n_blocks, blo_int n_filters, bool smooth)
{
  blo_node out = in;

  if (n_blocks < 1) {
    return graph_refuse(g, BLO_E_SHAPE, "conv_net: %d blocks", n_blocks);
  }
  for (int i = 1; i <= n_blocks; i++) {
    out = add_block(g, &(block){owner, name, i, smooth}, out, n_filters);
  }
  return flat(g, out);
}

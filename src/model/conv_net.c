/**
 * @file
 * The network of few-shot learning. A block is: 3x3 convolution with K, normalisation, 2x2 max
 * pooling, relu. Pooling before relu is the same function with the same derivatives as after it,
 * and relu then has a quarter of the numbers. Normalised by channel, the convolution has no bias:
 * the normalisation would remove it, its derivatives would be 0 and the Hessian singular; a shift
 * after it does its work. The smooth form has mean pooling and softplus.
 */
#include "group_norm.h"

enum { PART_NAME_CAP = BLO_NAME_MAX + 32 };

const char *const blo_conv_norm_names[] = {"channel", "sample", "none", NULL};

static const double norm_eps = 1e-5; /* as in PyTorch */

typedef struct block {
  blo_owner owner;
  const char *name;
  int number;
  const blo_conv_spec *spec;
} block;

static blo_node part(blo_graph *g, const block *b, const char *what, int n_dims, const blo_int *dim,
                     blo_init init)
{
  char name[PART_NAME_CAP];

  snprintf(name, sizeof name, "%s.%d.%s", b->name, b->number, what);
  return blo_graph_param(g, b->owner, name, n_dims, dim, init);
}

/** A number for each filter, all starting at `value`. */
static blo_node each_filter(blo_graph *g, const block *b, const char *what, double value)
{
  return part(g, b, what, 1, &b->spec->n_filters, (blo_init){BLO_INIT_CONSTANT, value});
}

static blo_node normalise(blo_graph *g, const block *b, blo_node in)
{
  const node *a;

  if (graph_failed(g, 1, &in)) {
    return -1;
  }
  a = graph_node(g, in);
  if (b->spec->norm == BLO_NORM_CHANNEL) {
    blo_int n = a->dim[1] * a->dim[2];
    blo_node scale = each_filter(g, b, "scale", 1);
    return group_norm_add(g, in, scale, each_filter(g, b, "shift", 0), n, norm_eps);
  }
  in = blo_graph_bias(g, in, each_filter(g, b, "b", 0));
  if (in < 0 || b->spec->norm == BLO_NORM_NONE) {
    return in;
  }
  return blo_graph_group_norm(g, in, graph_node(g, in)->n, norm_eps);
}

static blo_node add_block(blo_graph *g, const block *b, blo_node in)
{
  blo_node k, out;

  if (graph_failed(g, 1, &in)) {
    return -1;
  }
  k = part(g, b, "K", 4, (const blo_int[]){b->spec->n_filters, graph_node(g, in)->dim[0], 3, 3},
           (blo_init){BLO_INIT_KAIMING, 1});
  out = normalise(g, b, blo_graph_conv2d(g, in, k, 1, 1));
  if (b->spec->smooth) {
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
                            const blo_conv_spec *spec)
{
  blo_node out = in;

  if (spec->n_blocks < 1) {
    return graph_refuse(g, BLO_E_SHAPE, "conv_net: %d blocks", spec->n_blocks);
  }
  for (int i = 1; i <= spec->n_blocks; i++) {
    out = add_block(g, &(block){owner, name, i, spec}, out);
  }
  return flat(g, out);
}

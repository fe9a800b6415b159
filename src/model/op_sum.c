/**
 * @file
 * Sums over groups of numbers that lie next to each other, times a factor: the sum of all (one
 * group, factor 1) and means (factor 1/n). Linear, so tangents go the way of values and adjoints.
 */
#include "graph_private.h"

/** out = factor * sum of the group, for `rows` rows. */
static void reduce(const op_call *c, blo_int rows, const double *in, double *out)
{
  blo_int size = c->node->size[0];

  for (blo_int k = 0; k < rows * c->node->n; k++) {
    double sum = 0;
    for (blo_int i = k * size; i < (k + 1) * size; i++) {
      sum += in[i];
    }
    out[k] = c->node->number[0] * sum;
  }
}

/** The adjoint of reduce(). */
static void repeat(const op_call *c, blo_int rows, const double *out, double *in)
{
  blo_int size = c->node->size[0];

  for (blo_int k = 0; k < rows * c->node->n; k++) {
    double add = c->node->number[0] * out[k];
    for (blo_int i = k * size; i < (k + 1) * size; i++) {
      in[i] += add;
    }
  }
}

static void value(const op_call *c)
{
  reduce(c, c->rows, c->in[0], c->out);
}

static void vjp(const op_call *c)
{
  repeat(c, c->rows, c->bar, c->in_bar[0]);
}

static void jvp(const op_call *c)
{
  reduce(c, c->rows * c->n_v, c->in_dot[0], c->out_dot);
}

static void vjp_dot(const op_call *c)
{
  repeat(c, c->rows * c->n_v, c->bar_dot, c->in_bar_dot[0]);
}

static const op_type op_sum = {"sum", value, vjp, jvp, vjp_dot, OP_SUM};
static const op_type op_mean = {"mean_groups", value, vjp, jvp, vjp_dot, OP_SUM};

static blo_node add(blo_graph *g, node n, blo_node in, blo_int size, double factor)
{
  n.n_in = 1;
  n.in[0] = in;
  n.size[0] = size;
  n.number[0] = factor;
  return graph_add(g, &n);
}

blo_node blo_graph_sum(blo_graph *g, blo_node in)
{
  if (graph_failed(g, 1, &in)) {
    return -1;
  }
  return add(g, graph_flat(&op_sum, 1), in, graph_node(g, in)->n, 1);
}

/** Take groups of n numbers out of a shape: whole dimensions from the last one on, and a part of
 *  the next. False if the groups would cross a dimension's end. */
static bool take_groups(node *shape, blo_int n)
{
  blo_int left = n;

  while (left > 1 && shape->n_dims > 0 && left % shape->dim[shape->n_dims - 1] == 0) {
    left /= shape->dim[--shape->n_dims];
  }
  if (shape->n_dims == 0) {
    *shape = graph_flat(shape->type, 1);
    return left == 1;
  }
  if (n < 1 || shape->dim[shape->n_dims - 1] % left != 0) {
    return false;
  }
  shape->dim[shape->n_dims - 1] /= left;
  shape->n /= n;
  return true;
}

blo_node blo_graph_mean_groups(blo_graph *g, blo_node in, blo_int n)
{
  node shape;

  if (graph_failed(g, 1, &in)) {
    return -1;
  }
  shape = graph_like(g, &op_mean, in);
  if (!take_groups(&shape, n)) {
    return graph_refuse(g, BLO_E_SHAPE, "mean_groups: groups of %lld do not fit the dimensions",
                        (long long)n);
  }
  return add(g, shape, in, n, 1 / (double)n);
}

/**
 * @file
 * out = in + b, b global with m numbers: along the last dimension, or along the channels of an
 * image. Linear in both inputs, so tangents go the way of values and adjoints.
 */
#include "graph_private.h"

/** The entry of b that belongs to number k of a row: b_(k / inner % m). */
typedef struct stripes {
  blo_int m, inner;
} stripes;

static stripes stripes_of(const op_call *c)
{
  return (stripes){c->in_node[1]->n, c->node->size[0]};
}

/** out += b in each of `rows` rows; b has n_b rows, used in turn. */
static void spread(const op_call *c, blo_int rows, const double *b, blo_int n_b, double *out)
{
  stripes s = stripes_of(c);
  blo_int n = c->node->n;

  for (blo_int r = 0; r < rows; r++) {
    const double *from = b + r % n_b * s.m;
    for (blo_int k = 0; k < n; k += s.inner) {
      double add = from[k / s.inner % s.m];
      for (blo_int i = k; i < k + s.inner; i++) {
        out[r * n + i] += add;
      }
    }
  }
}

/** The adjoint of spread(). */
static void gather(const op_call *c, blo_int rows, const double *out, blo_int n_b, double *b)
{
  stripes s = stripes_of(c);
  blo_int n = c->node->n;

  for (blo_int r = 0; r < rows; r++) {
    double *to = b + r % n_b * s.m;
    for (blo_int k = 0; k < n; k += s.inner) {
      double sum = 0;
      for (blo_int i = k; i < k + s.inner; i++) {
        sum += out[r * n + i];
      }
      to[k / s.inner % s.m] += sum;
    }
  }
}

static void copy(blo_int n, const double *from, double *to)
{
  for (blo_int k = 0; k < n; k++) {
    to[k] = from != NULL ? from[k] : 0;
  }
}

static void add(blo_int n, const double *from, double *to)
{
  for (blo_int k = 0; k < n; k++) {
    to[k] += from[k];
  }
}

static void value(const op_call *c)
{
  copy(c->rows * c->node->n, c->in[0], c->out);
  spread(c, c->rows, c->in[1], 1, c->out);
}

static void vjp(const op_call *c)
{
  if (c->in_bar[0] != NULL) {
    add(c->rows * c->node->n, c->bar, c->in_bar[0]);
  }
  if (c->in_bar[1] != NULL) {
    gather(c, c->rows, c->bar, 1, c->in_bar[1]);
  }
}

static void jvp(const op_call *c)
{
  copy(c->rows * c->n_v * c->node->n, c->in_dot[0], c->out_dot);
  if (c->in_dot[1] != NULL) {
    spread(c, c->rows * c->n_v, c->in_dot[1], c->n_v, c->out_dot);
  }
}

static void vjp_dot(const op_call *c)
{
  if (c->in_bar_dot[0] != NULL) {
    add(c->rows * c->n_v * c->node->n, c->bar_dot, c->in_bar_dot[0]);
  }
  if (c->in_bar_dot[1] != NULL) {
    gather(c, c->rows * c->n_v, c->bar_dot, c->n_v, c->in_bar_dot[1]);
  }
}

static const op_type op_bias = {"bias", value, vjp, jvp, vjp_dot};

blo_node blo_graph_bias(blo_graph *g, blo_node in, blo_node b)
{
  const blo_node both[] = {in, b};
  const struct node *a, *v;
  node n;

  if (graph_failed(g, 2, both)) {
    return -1;
  }
  a = graph_node(g, in);
  v = graph_node(g, b);
  n = graph_like(g, &op_bias, in);
  n.n_in = 2;
  n.in[0] = in;
  n.in[1] = b;
  n.size[0] = a->n_dims == NODE_DIMS ? a->dim[1] * a->dim[2] : 1;
  if (!v->global || v->n != (a->n_dims == NODE_DIMS ? a->dim[0] : a->dim[a->n_dims - 1])) {
    return graph_refuse(g, BLO_E_SHAPE, "bias: %lld numbers do not fit the input's dimensions",
                        (long long)v->n);
  }
  return graph_add(g, &n);
}

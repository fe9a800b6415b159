/**
 * @file
 * out = in + b, b global with m numbers: along the last dimension, or along the channels of an
 * image. Linear in both inputs, so tangents go the way of values and adjoints.
 */
#include "array.h"
#include "clones.h"
#include "graph_private.h"
#include <string.h>

/** A row has `lines` times m numbers of `inner` each; b has m numbers. */
typedef struct stripes {
  blo_int lines, m, inner;
} stripes;

static stripes stripes_of(const op_call *c)
{
  blo_int m = c->in_node[1]->n, inner = c->node->size[0];

  return (stripes){c->node->n / (m * inner), m, inner};
}

BLO_CLONES static void add_number(blo_int n, double number, double *to)
{
  for (blo_int k = 0; k < n; k++) {
    to[k] += number;
  }
}

static double sum(blo_int n, const double *from)
{
  double total = 0;

  for (blo_int k = 0; k < n; k++) {
    total += from[k];
  }
  return total;
}

/** out += b, a row. */
static void spread_row(stripes s, const double *b, double *out)
{
  for (blo_int l = 0; s.inner == 1 && l < s.lines; l++) {
    array_add(s.m, b, out + l * s.m);
  }
  for (blo_int k = 0; s.inner > 1 && k < s.m; k++) {
    add_number(s.inner, b[k], out + k * s.inner);
  }
}

/** The adjoint of spread_row(). */
static void gather_row(stripes s, const double *out, double *b)
{
  for (blo_int l = 0; s.inner == 1 && l < s.lines; l++) {
    array_add(s.m, out + l * s.m, b);
  }
  for (blo_int k = 0; s.inner > 1 && k < s.m; k++) {
    b[k] += sum(s.inner, out + k * s.inner);
  }
}

/** out = in + b in `rows` rows; b has n_b rows, used in turn; what is NULL is 0. */
static void spread(const op_call *c, blo_int rows, const double *in, const double *b, blo_int n_b,
                   double *out)
{
  stripes s = stripes_of(c);
  blo_int n = c->node->n;

  for (blo_int r = 0; r < rows; r++) {
    if (in != NULL) {
      memcpy(out + r * n, in + r * n, (size_t)n * sizeof *out);
    } else {
      memset(out + r * n, 0, (size_t)n * sizeof *out);
    }
    if (b != NULL) {
      spread_row(s, b + r % n_b * s.m, out + r * n);
    }
  }
}

/** b += what belongs to it of out; the adjoint of spread(). */
static void gather(const op_call *c, blo_int rows, const double *out, blo_int n_b, double *b)
{
  stripes s = stripes_of(c);

  for (blo_int r = 0; r < rows; r++) {
    gather_row(s, out + r * c->node->n, b + r % n_b * s.m);
  }
}

static void value(const op_call *c)
{
  spread(c, c->rows, c->in[0], c->in[1], 1, c->out);
}

static void vjp(const op_call *c)
{
  if (c->in_bar[0] != NULL) {
    array_add(c->rows * c->node->n, c->bar, c->in_bar[0]);
  }
  if (c->in_bar[1] != NULL) {
    gather(c, c->rows, c->bar, 1, c->in_bar[1]);
  }
}

static void jvp(const op_call *c)
{
  spread(c, c->rows * c->n_v, c->in_dot[0], c->in_dot[1], c->n_v, c->out_dot);
}

static void vjp_dot(const op_call *c)
{
  if (c->in_bar_dot[0] != NULL) {
    array_add(c->rows * c->n_v * c->node->n, c->bar_dot, c->in_bar_dot[0]);
  }
  if (c->in_bar_dot[1] != NULL) {
    gather(c, c->rows * c->n_v, c->bar_dot, c->n_v, c->in_bar_dot[1]);
  }
}

static const op_type op_bias = {"bias", value, vjp, jvp, vjp_dot, OP_SUM};

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

/**
 * @file
 * out = numbers from .. from + n of the last dimension. Linear, so tangents go the way of values
 * and adjoints.
 */
#include "graph_private.h"
#include <string.h>

/** A line of the input's last dimension has `whole` numbers, of which `n` begin at `from`. */
typedef struct sizes {
  blo_int lines, whole, from, n;
} sizes;

static sizes sizes_of(const op_call *c, blo_int rows)
{
  const node *in = c->in_node[0];
  blo_int whole = in->dim[in->n_dims - 1];

  return (sizes){rows * in->n / whole, whole, c->node->size[0], c->node->dim[c->node->n_dims - 1]};
}

static void cut(sizes s, const double *in, double *out)
{
  for (blo_int l = 0; l < s.lines; l++) {
    memcpy(out + l * s.n, in + l * s.whole + s.from, (size_t)s.n * sizeof *out);
  }
}

/** The adjoint of cut(). */
static void add(sizes s, const double *out, double *in)
{
  for (blo_int l = 0; l < s.lines; l++) {
    for (blo_int k = 0; k < s.n; k++) {
      in[l * s.whole + s.from + k] += out[l * s.n + k];
    }
  }
}

static void value(const op_call *c)
{
  cut(sizes_of(c, c->rows), c->in[0], c->out);
}

static void vjp(const op_call *c)
{
  add(sizes_of(c, c->rows), c->bar, c->in_bar[0]);
}

static void jvp(const op_call *c)
{
  cut(sizes_of(c, c->rows * c->n_v), c->in_dot[0], c->out_dot);
}

static void vjp_dot(const op_call *c)
{
  add(sizes_of(c, c->rows * c->n_v), c->bar_dot, c->in_bar_dot[0]);
}

static const op_type op_slice = {"slice", value, vjp, jvp, vjp_dot, OP_SUM};

blo_node blo_graph_slice(blo_graph *g, blo_node in, blo_int from, blo_int n)
{
  node part;
  blo_int whole;

  if (graph_failed(g, 1, &in)) {
    return -1;
  }
  part = graph_like(g, &op_slice, in);
  whole = part.dim[part.n_dims - 1];
  if (from < 0 || n < 1 || n > whole || from > whole - n) {
    return graph_refuse(g, BLO_E_SHAPE, "slice: numbers %lld to %lld of %lld", (long long)from,
                        (long long)(from + n - 1), (long long)whole);
  }
  part.n_in = 1;
  part.in[0] = in;
  part.size[0] = from;
  part.dim[part.n_dims - 1] = n;
  part.n = part.n / whole * n;
  return graph_add(g, &part);
}

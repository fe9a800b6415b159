/**
 * @file
 * out = (a, b) along the last dimension. Linear, so tangents go the way of values and adjoints.
 */
#include "pair.h"
#include <string.h>

/** Lines of the last dimension: `lines` of them a row, with width[k] numbers of input k. */
typedef struct sizes {
  blo_int lines, width[2];
} sizes;

static sizes sizes_of(const op_call *c)
{
  const node *a = c->in_node[0], *b = c->in_node[1];
  blo_int last = a->dim[a->n_dims - 1];

  return (sizes){a->n / last, {last, b->dim[b->n_dims - 1]}};
}

/** Write input k into `rows` rows of out, n_v of them for each sample; NULL is 0. */
static void place_lines(const op_call *c, int k, blo_int rows, blo_int n_v, const double *in,
                        double *out)
{
  sizes s = sizes_of(c);
  blo_int step = s.width[0] + s.width[1];
  size_t bytes = (size_t)s.width[k] * sizeof *out;

  for (blo_int i = 0; i < rows; i++) {
    for (blo_int l = 0; l < s.lines; l++) {
      double *to = out + (i * s.lines + l) * step + k * s.width[0];
      if (in != NULL) {
        memcpy(to, in + pair_at(c, k, i, n_v) + l * s.width[k], bytes);
      } else {
        memset(to, 0, bytes);
      }
    }
  }
}

/** The adjoint of place_lines(). */
static void add_lines(const op_call *c, int k, blo_int rows, blo_int n_v, const double *out,
                      double *in)
{
  sizes s = sizes_of(c);
  blo_int step = s.width[0] + s.width[1];

  for (blo_int i = 0; i < rows && in != NULL; i++) {
    for (blo_int l = 0; l < s.lines; l++) {
      const double *from = out + (i * s.lines + l) * step + k * s.width[0];
      double *to = in + pair_at(c, k, i, n_v) + l * s.width[k];
      for (blo_int j = 0; j < s.width[k]; j++) {
        to[j] += from[j];
      }
    }
  }
}

static void value(const op_call *c)
{
  place_lines(c, 0, c->rows, 1, c->in[0], c->out);
  place_lines(c, 1, c->rows, 1, c->in[1], c->out);
}

static void vjp(const op_call *c)
{
  add_lines(c, 0, c->rows, 1, c->bar, c->in_bar[0]);
  add_lines(c, 1, c->rows, 1, c->bar, c->in_bar[1]);
}

static void jvp(const op_call *c)
{
  place_lines(c, 0, c->rows * c->n_v, c->n_v, c->in_dot[0], c->out_dot);
  place_lines(c, 1, c->rows * c->n_v, c->n_v, c->in_dot[1], c->out_dot);
}

static void vjp_dot(const op_call *c)
{
  add_lines(c, 0, c->rows * c->n_v, c->n_v, c->bar_dot, c->in_bar_dot[0]);
  add_lines(c, 1, c->rows * c->n_v, c->n_v, c->bar_dot, c->in_bar_dot[1]);
}

static const op_type op_concat = {"concat", value, vjp, jvp, vjp_dot, OP_SUM};

static bool same_lines(const node *a, const node *b)
{
  size_t before_last = (size_t)(a->n_dims - 1) * sizeof *a->dim;

  return a->n_dims == b->n_dims && memcmp(a->dim, b->dim, before_last) == 0;
}

blo_node blo_graph_concat(blo_graph *g, blo_node a, blo_node b)
{
  const blo_node both[] = {a, b};
  node n;

  if (graph_failed(g, 2, both)) {
    return -1;
  }
  if (!same_lines(graph_node(g, a), graph_node(g, b))) {
    return graph_refuse(g, BLO_E_SHAPE, "concat: all dimensions but the last must be the same");
  }
  n = graph_like(g, &op_concat, a);
  n.dim[n.n_dims - 1] += graph_node(g, b)->dim[n.n_dims - 1];
  n.n += graph_node(g, b)->n;
  return pair_add(g, n, a, b);
}

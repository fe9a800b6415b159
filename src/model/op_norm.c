/**
 * @file
 * out = a . a, and out = s = ||a|| with derivative 0 at 0. With u = a / s (0 at 0) the norm has
 *
 *     vjp      bar(a) += u bar
 *     jvp      dot = u . dot(a)
 *     vjp_dot  dot(bar(a)) += u dot(bar) + bar (dot(a) - u (u . dot(a))) / s
 */
#include "array.h"
#include "graph_private.h"
#include <math.h>

/* ----------------------------------------------------------- sum of squares */

static void square_value(const op_call *c)
{
  blo_int n = c->in_node[0]->n;

  for (blo_int r = 0; r < c->rows; r++) {
    c->out[r] = array_dot(n, c->in[0] + r * n, c->in[0] + r * n);
  }
}

static void square_vjp(const op_call *c)
{
  blo_int n = c->in_node[0]->n;

  for (blo_int r = 0; r < c->rows; r++) {
    array_add_times(n, 2 * c->bar[r], c->in[0] + r * n, c->in_bar[0] + r * n);
  }
}

static void square_jvp(const op_call *c)
{
  blo_int n = c->in_node[0]->n;

  for (blo_int i = 0; i < c->rows * c->n_v; i++) {
    c->out_dot[i] = 2 * array_dot(n, c->in[0] + i / c->n_v * n, c->in_dot[0] + i * n);
  }
}

static void square_vjp_dot(const op_call *c)
{
  blo_int n = c->in_node[0]->n;

  for (blo_int i = 0; i < c->rows * c->n_v; i++) {
    blo_int r = i / c->n_v;
    array_add_times(n, 2 * c->bar_dot[i], c->in[0] + r * n, c->in_bar_dot[0] + i * n);
    if (c->in_dot[0] != NULL) {
      array_add_times(n, 2 * c->bar[r], c->in_dot[0] + i * n, c->in_bar_dot[0] + i * n);
    }
  }
}

/* ------------------------------------------------------------------- norm */

static void value(const op_call *c)
{
  square_value(c);
  for (blo_int r = 0; r < c->rows; r++) {
    c->out[r] = sqrt(c->out[r]);
  }
}

/** 1 / s of row r, 0 at 0. */
static double inverse(const op_call *c, blo_int r)
{
  return c->out[r] > 0 ? 1 / c->out[r] : 0;
}

static void vjp(const op_call *c)
{
  blo_int n = c->in_node[0]->n;

  for (blo_int r = 0; r < c->rows; r++) {
    array_add_times(n, c->bar[r] * inverse(c, r), c->in[0] + r * n, c->in_bar[0] + r * n);
  }
}

static void jvp(const op_call *c)
{
  blo_int n = c->in_node[0]->n;

  for (blo_int i = 0; i < c->rows * c->n_v; i++) {
    blo_int r = i / c->n_v;
    c->out_dot[i] = inverse(c, r) * array_dot(n, c->in[0] + r * n, c->in_dot[0] + i * n);
  }
}

static void vjp_dot(const op_call *c)
{
  blo_int n = c->in_node[0]->n;

  for (blo_int i = 0; i < c->rows * c->n_v; i++) {
    blo_int r = i / c->n_v;
    const double *a = c->in[0] + r * n;
    double over_s = inverse(c, r), along = c->bar_dot[i];
    if (c->in_dot[0] != NULL) {
      const double *a_dot = c->in_dot[0] + i * n;
      double bar_s = c->bar[r] * over_s;
      along -= bar_s * over_s * array_dot(n, a, a_dot);
      array_add_times(n, bar_s, a_dot, c->in_bar_dot[0] + i * n);
    }
    array_add_times(n, along * over_s, a, c->in_bar_dot[0] + i * n);
  }
}

/* Both are convex, as all norms and their squares are. */
static const op_type op_square_norm = {"square_norm", square_value,   square_vjp,
                                       square_jvp,    square_vjp_dot, OP_LOSS};
static const op_type op_norm = {"norm", value, vjp, jvp, vjp_dot, OP_LOSS};

static blo_node add(blo_graph *g, const op_type *type, blo_node in)
{
  node n = graph_flat(type, 1);

  n.n_in = 1;
  n.in[0] = in;
  return graph_add(g, &n);
}

blo_node blo_graph_square_norm(blo_graph *g, blo_node in)
{
  return add(g, &op_square_norm, in);
}

blo_node blo_graph_norm(blo_graph *g, blo_node in)
{
  return add(g, &op_norm, in);
}

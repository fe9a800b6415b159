/**
 * @file
 * Softmax cross-entropy: out = log sum_c exp z_c - z_l for logits z [C] and the row's label l. With
 * p = softmax(z), kept from the value, and u = dot(z),
 *
 *     vjp      bar(z) += (p - e_l) bar
 *     jvp      dot = (p - e_l) . u
 *     vjp_dot  dot(bar(z)) += (p - e_l) dot(bar) + bar (p o u - p (p . u))
 */
#include "array.h"
#include "graph_private.h"
#include <math.h>

static double top(blo_int n, const double *z)
{
  double most = z[0];

  for (blo_int k = 1; k < n; k++) {
    most = fmax(most, z[k]);
  }
  return most;
}

static void value(const op_call *c)
{
  blo_int n = c->in_node[0]->n;

  for (blo_int r = 0; r < c->rows; r++) {
    const double *z = c->in[0] + r * n;
    double *p = c->keep + r * n, most = top(n, z), sum = 0;
    for (blo_int k = 0; k < n; k++) {
      p[k] = exp(z[k] - most);
      sum += p[k];
    }
    for (blo_int k = 0; k < n; k++) {
      p[k] /= sum;
    }
    c->out[r] = log(sum) - (z[graph_label(c->batch, r)] - most);
  }
}

/** to += a (p - e_l). */
static void add_slope(blo_int n, const double *p, blo_int label, double a, double *to)
{
  array_add_times(n, a, p, to);
  to[label] -= a;
}

static void vjp(const op_call *c)
{
  blo_int n = c->in_node[0]->n;

  for (blo_int r = 0; r < c->rows; r++) {
    add_slope(n, c->keep + r * n, graph_label(c->batch, r), c->bar[r], c->in_bar[0] + r * n);
  }
}

static void jvp(const op_call *c)
{
  blo_int n = c->in_node[0]->n;

  for (blo_int i = 0; i < c->rows * c->n_v; i++) {
    blo_int r = i / c->n_v;
    const double *u = c->in_dot[0] + i * n;
    c->out_dot[i] = array_dot(n, c->keep + r * n, u) - u[graph_label(c->batch, r)];
  }
}

static void vjp_dot(const op_call *c)
{
  blo_int n = c->in_node[0]->n;

  for (blo_int i = 0; i < c->rows * c->n_v; i++) {
    blo_int r = i / c->n_v;
    const double *p = c->keep + r * n;
    double *to = c->in_bar_dot[0] + i * n;
    add_slope(n, p, graph_label(c->batch, r), c->bar_dot[i], to);
    if (c->in_dot[0] != NULL) {
      const double *u = c->in_dot[0] + i * n;
      double pu = array_dot(n, p, u);
      for (blo_int k = 0; k < n; k++) {
        to[k] += c->bar[r] * p[k] * (u[k] - pu);
      }
    }
  }
}

/* Convex: diag(p) - p p' is positive semidefinite. */
static const op_type op_softmax_ce = {"softmax_ce", value, vjp, jvp, vjp_dot, OP_LOSS};

blo_node blo_graph_softmax_ce(blo_graph *g, blo_node logits)
{
  node n = graph_flat(&op_softmax_ce, 1);

  if (graph_failed(g, 1, &logits)) {
    return -1;
  }
  if (graph_node(g, logits)->n != g->input.n_classes || graph_node(g, logits)->global) {
    return graph_refuse(g, BLO_E_SHAPE, "softmax_ce: %lld logits for %lld classes",
                        (long long)graph_node(g, logits)->n, (long long)g->input.n_classes);
  }
  n.n_in = 1;
  n.in[0] = logits;
  n.keep = graph_node(g, logits)->n;
  return graph_add(g, &n);
}

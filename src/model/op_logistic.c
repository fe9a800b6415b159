/**
 * @file
 * Logistic loss of two classes: out = log(1 + exp(-s z)), s = 1 for label 1 and -1 for label 0.
 * With q = 1 / (1 + exp(s z)), the probability of the wrong class, the derivatives in z are -s q
 * and q (1 - q). q is kept from the value.
 */
#include "graph_private.h"
#include <math.h>

static double sign(const op_call *c, blo_int r)
{
  return graph_label(c->batch, r) == 1 ? 1 : -1;
}

/* exp of negative numbers only: nothing overflows. */
static void value(const op_call *c)
{
  for (blo_int r = 0; r < c->rows; r++) {
    double t = sign(c, r) * c->in[0][r], e = exp(-fabs(t));
    c->out[r] = fmax(-t, 0) + log1p(e);
    c->keep[r] = (t >= 0 ? e : 1) / (1 + e);
  }
}

static void vjp(const op_call *c)
{
  for (blo_int r = 0; r < c->rows; r++) {
    c->in_bar[0][r] -= sign(c, r) * c->keep[r] * c->bar[r];
  }
}

static void jvp(const op_call *c)
{
  for (blo_int i = 0; i < c->rows * c->n_v; i++) {
    blo_int r = i / c->n_v;
    c->out_dot[i] = -sign(c, r) * c->keep[r] * c->in_dot[0][i];
  }
}

static void vjp_dot(const op_call *c)
{
  for (blo_int i = 0; i < c->rows * c->n_v; i++) {
    blo_int r = i / c->n_v;
    double q = c->keep[r];
    c->in_bar_dot[0][i] -= sign(c, r) * q * c->bar_dot[i];
    if (c->in_dot[0] != NULL) {
      c->in_bar_dot[0][i] += c->bar[r] * q * (1 - q) * c->in_dot[0][i];
    }
  }
}

/* Convex: q (1 - q) is not negative. */
static const op_type op_logistic = {"logistic", value, vjp, jvp, vjp_dot, OP_LOSS};

blo_node blo_graph_logistic(blo_graph *g, blo_node logit)
{
  node n = graph_flat(&op_logistic, 1);

  if (graph_failed(g, 1, &logit)) {
    return -1;
  }
  if (graph_node(g, logit)->n != 1 || graph_node(g, logit)->global || g->input.n_classes != 2) {
    return graph_refuse(g, BLO_E_SHAPE,
                        "logistic: one logit a sample for two classes, not %lld "
                        "for %lld",
                        (long long)graph_node(g, logit)->n, (long long)g->input.n_classes);
  }
  n.n_in = 1;
  n.in[0] = logit;
  n.keep = 1;
  return graph_add(g, &n);
}

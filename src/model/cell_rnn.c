/**
 * @file
 * The plain cell (Elman 1990): h = tanh(a), a = p + q. As its "gate" it keeps h. With s = 1 - h^2,
 *
 *     vjp      bar(a) = s bar(h)
 *     jvp      dot(h) = s dot(a)
 *     vjp_dot  dot(bar(a)) = s dot(bar(h)) - 2 h dot(h) bar(h)
 *
 * and the adjoints of p and q are that of a.
 */
#include "clones.h"
#include "op_recurrent.h"
#include "squash.h"

BLO_CLONES static void value(blo_int k, const double *p, const cell_row *v)
{
  double *gate = v->gate, *h = v->h;

  EACH_UNIT
  for (blo_int u = 0; u < k; u++) {
    h[u] = gate[u] = squash_tanh(p[u] + gate[u]);
  }
}

BLO_CLONES static void vjp(blo_int k, const cell_row *v, const cell_row *bar, double *p_bar)
{
  const double *h = v->gate, *h_bar = bar->h;
  double *a_bar = bar->gate;

  EACH_UNIT
  for (blo_int u = 0; u < k; u++) {
    a_bar[u] = (1 - h[u] * h[u]) * h_bar[u];
    p_bar[u] += a_bar[u];
  }
}

BLO_CLONES static void jvp(blo_int k, const cell_row *v, const double *p_dot, const cell_row *dot)
{
  const double *h = v->gate;
  double *gate_dot = dot->gate, *h_dot = dot->h;

  EACH_UNIT
  for (blo_int u = 0; u < k; u++) {
    h_dot[u] = gate_dot[u] = (1 - h[u] * h[u]) * (p_dot[u] + gate_dot[u]);
  }
}

BLO_CLONES static void vjp_dot(blo_int k, const cell_row *v, const cell_row *dot,
                               const cell_row *bar, const cell_row *bar_dot, double *p_bar_dot)
{
  const double *h = v->gate, *h_dot = dot->gate, *h_bar = bar->h, *h_bar_dot = bar_dot->h;
  double *a_bar_dot = bar_dot->gate;

  EACH_UNIT
  for (blo_int u = 0; u < k; u++) {
    a_bar_dot[u] = (1 - h[u] * h[u]) * h_bar_dot[u] - 2 * h[u] * h_dot[u] * h_bar[u];
    p_bar_dot[u] += a_bar_dot[u];
  }
}

static const cell_type cell_rnn = {
    .op = {"rnn", recurrent_value, recurrent_vjp, recurrent_jvp, recurrent_vjp_dot, OP_MODEL},
    .gates = 1,
    .value = value,
    .vjp = vjp,
    .jvp = jvp,
    .vjp_dot = vjp_dot};

blo_node blo_graph_rnn(blo_graph *g, blo_node p, blo_node w)
{
  return recurrent_add(g, &cell_rnn, 2, (const blo_node[]){p, w});
}

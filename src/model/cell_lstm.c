/**
 * @file
 * The long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al.
 * 2000): with a = p + q for the gates i, f, g, o and the cell c' before,
 *
 *     i, f, o = sigma(a_i), sigma(a_f), sigma(a_o)   g = tanh(a_g)
 *     c = f c' + i g                                 h = o m,  m = tanh(c).
 *
 * Kept are i, f, g, o and, as the state, c and m; of tangents those of i, f, g, o, c; of adjoints
 * C = bar(c), complete. Let H = bar(h). All products are elementwise.
 *
 *     vjp      C += o (1 - m^2) H               bar(c') += f C
 *              bar(a_i) = i (1 - i) g C         bar(a_f) = f (1 - f) c' C
 *              bar(a_g) = (1 - g^2) i C         bar(a_o) = o (1 - o) m H
 *     jvp      dot(i) = i (1 - i) dot(a_i), ... dot(g) = (1 - g^2) dot(a_g)
 *              dot(c) = dot(f) c' + f dot(c') + dot(i) g + i dot(g)
 *              dot(m) = (1 - m^2) dot(c)        dot(h) = dot(o) m + o dot(m)
 *     vjp_dot  dot(C) += (1 - m^2) (o dot(H) + dot(o) H) - 2 m dot(m) o H
 *              dot(bar(c')) += f dot(C) + dot(f) C
 *              dot(bar(a_i)) = i (1 - i) (g dot(C) + dot(g) C) + (1 - 2 i) dot(i) g C
 *              dot(bar(a_f)) = f (1 - f) (c' dot(C) + dot(c') C) + (1 - 2 f) dot(f) c' C
 *              dot(bar(a_g)) = (1 - g^2) (i dot(C) + dot(i) C) - 2 g dot(g) i C
 *              dot(bar(a_o)) = o (1 - o) (m dot(H) + dot(m) H) + (1 - 2 o) dot(o) m H
 *
 * and the adjoints of p and q are those of a.
 */
#include "array.h"
#include "clones.h"
#include "op_recurrent.h"
#include "squash.h"

BLO_CLONES static void value(blo_int k, const double *p, const cell_row *v)
{
  double *i = v->gate, *f = v->gate + k, *g = v->gate + 2 * k, *o = v->gate + 3 * k;
  double *c = v->state, *m = v->state + k, *h = v->h;
  const double *p_i = p, *p_f = p + k, *p_g = p + 2 * k, *p_o = p + 3 * k;
  const double *before = v->state_before;

  EACH_UNIT
  for (blo_int u = 0; u < k; u++) {
    i[u] = squash_sigmoid(p_i[u] + i[u]);
    f[u] = squash_sigmoid(p_f[u] + f[u]);
    g[u] = squash_tanh(p_g[u] + g[u]);
    o[u] = squash_sigmoid(p_o[u] + o[u]);
    c[u] = f[u] * before[u] + i[u] * g[u];
    m[u] = squash_tanh(c[u]);
    h[u] = o[u] * m[u];
  }
}

BLO_CLONES static void vjp(blo_int k, const cell_row *v, const cell_row *bar, double *p_bar)
{
  const double *i = v->gate, *f = v->gate + k, *g = v->gate + 2 * k, *o = v->gate + 3 * k;
  const double *before = v->state_before, *m = v->state + k, *h_bar = bar->h;
  double *ai = bar->gate, *af = bar->gate + k, *ag = bar->gate + 2 * k, *ao = bar->gate + 3 * k;
  double *c_bar = bar->state, *before_bar = bar->state_before;

  EACH_UNIT
  for (blo_int u = 0; u < k; u++) {
    double C = c_bar[u] + o[u] * (1 - m[u] * m[u]) * h_bar[u];
    c_bar[u] = C;
    before_bar[u] += f[u] * C;
    ai[u] = i[u] * (1 - i[u]) * g[u] * C;
    af[u] = f[u] * (1 - f[u]) * before[u] * C;
    ag[u] = (1 - g[u] * g[u]) * i[u] * C;
    ao[u] = o[u] * (1 - o[u]) * m[u] * h_bar[u];
  }
  array_add(4 * k, bar->gate, p_bar);
}

BLO_CLONES static void jvp(blo_int k, const cell_row *v, const double *p_dot, const cell_row *dot)
{
  const double *i = v->gate, *f = v->gate + k, *g = v->gate + 2 * k, *o = v->gate + 3 * k;
  const double *before = v->state_before, *m = v->state + k, *before_dot = dot->state_before;
  const double *pi = p_dot, *pf = p_dot + k, *pg = p_dot + 2 * k, *po = p_dot + 3 * k;
  double *di = dot->gate, *df = dot->gate + k, *dg = dot->gate + 2 * k, *d_o = dot->gate + 3 * k;
  double *dc = dot->state, *dh = dot->h;

  EACH_UNIT
  for (blo_int u = 0; u < k; u++) {
    di[u] = i[u] * (1 - i[u]) * (pi[u] + di[u]);
    df[u] = f[u] * (1 - f[u]) * (pf[u] + df[u]);
    dg[u] = (1 - g[u] * g[u]) * (pg[u] + dg[u]);
    d_o[u] = o[u] * (1 - o[u]) * (po[u] + d_o[u]);
    dc[u] = df[u] * before[u] + f[u] * before_dot[u] + di[u] * g[u] + i[u] * dg[u];
    dh[u] = d_o[u] * m[u] + o[u] * (1 - m[u] * m[u]) * dc[u];
  }
}

BLO_CLONES static void vjp_dot(blo_int k, const cell_row *v, const cell_row *dot,
                               const cell_row *bar, const cell_row *bar_dot, double *p_bar_dot)
{
  const double *i = v->gate, *f = v->gate + k, *g = v->gate + 2 * k, *o = v->gate + 3 * k;
  const double *di = dot->gate, *df = dot->gate + k, *dg = dot->gate + 2 * k;
  const double *d_o = dot->gate + 3 * k, *dc = dot->state, *before_dot = dot->state_before;
  const double *before = v->state_before, *m = v->state + k;
  const double *H = bar->h, *C = bar->state, *H_dot = bar_dot->h;
  double *ai = bar_dot->gate, *af = ai + k, *ag = ai + 2 * k, *ao = ai + 3 * k;
  double *C_dot = bar_dot->state, *to = bar_dot->state_before;

  EACH_UNIT
  for (blo_int u = 0; u < k; u++) {
    double slope = 1 - m[u] * m[u], dm = slope * dc[u], Hu = H[u], Cu = C[u], dH = H_dot[u];
    double dC = C_dot[u] + slope * (o[u] * dH + d_o[u] * Hu) - 2 * m[u] * dm * o[u] * Hu;

    C_dot[u] = dC;
    to[u] += f[u] * dC + df[u] * Cu;
    ai[u] = i[u] * (1 - i[u]) * (g[u] * dC + dg[u] * Cu) + (1 - 2 * i[u]) * di[u] * g[u] * Cu;
    af[u] = f[u] * (1 - f[u]) * (before[u] * dC + before_dot[u] * Cu) +
            (1 - 2 * f[u]) * df[u] * before[u] * Cu;
    ag[u] = (1 - g[u] * g[u]) * (i[u] * dC + di[u] * Cu) - 2 * g[u] * dg[u] * i[u] * Cu;
    ao[u] = o[u] * (1 - o[u]) * (m[u] * dH + dm * Hu) + (1 - 2 * o[u]) * d_o[u] * m[u] * Hu;
  }
  array_add(4 * k, bar_dot->gate, p_bar_dot);
}

static const cell_type cell_lstm = {
    .op = {"lstm", recurrent_value, recurrent_vjp, recurrent_jvp, recurrent_vjp_dot, OP_MODEL},
    .gates = 4,
    .state = 2,
    .state_dot = 1,
    .state_bar = 1,
    .value = value,
    .vjp = vjp,
    .jvp = jvp,
    .vjp_dot = vjp_dot};

blo_node blo_graph_lstm(blo_graph *g, blo_node p, blo_node w)
{
  return recurrent_add(g, &cell_lstm, 2, (const blo_node[]){p, w});
}

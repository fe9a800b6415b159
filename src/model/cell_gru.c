/**
 * @file
 * The gated recurrent unit (Cho et al. 2014, arXiv 1406.1078) in the form of PyTorch: with the
 * input part p, q = h' W + b_hh and the state h' before,
 *
 *     r = sigma(p_r + q_r)   z = sigma(p_z + q_z)   n = tanh(p_n + r q_n)   h = n + z (h' - n).
 *
 * Kept are r, z, n and, as the state, q_n; of tangents the same. Let H = bar(h) and a_r, a_z, a_n
 * the arguments of the three functions. All products are elementwise.
 *
 *     vjp      bar(a_n) = (1 - n^2) N           N = (1 - z) H
 *              bar(a_r) = r (1 - r) R           R = q_n bar(a_n)
 *              bar(a_z) = z (1 - z) Z           Z = (h' - n) H
 *              bar(q_n) = r bar(a_n)            bar(h') += z H
 *     jvp      dot(r) = r (1 - r) dot(a_r)      dot(z) = z (1 - z) dot(a_z)
 *              dot(n) = (1 - n^2) (dot(p_n) + dot(r) q_n + r dot(q_n))
 *              dot(h) = (1 - z) dot(n) + dot(z) (h' - n) + z dot(h')
 *     vjp_dot  dot(N) = (1 - z) dot(H) - dot(z) H
 *              dot(bar(a_n)) = (1 - n^2) dot(N) - 2 n dot(n) N
 *              dot(R) = q_n dot(bar(a_n)) + dot(q_n) bar(a_n)
 *              dot(bar(a_r)) = r (1 - r) dot(R) + (1 - 2 r) dot(r) R
 *              dot(Z) = (h' - n) dot(H) + (dot(h') - dot(n)) H
 *              dot(bar(a_z)) = z (1 - z) dot(Z) + (1 - 2 z) dot(z) Z
 *              dot(bar(q_n)) = r dot(bar(a_n)) + dot(r) bar(a_n)
 *              dot(bar(h')) += z dot(H) + dot(z) H
 *
 * The adjoints of p are those of a_r, a_z, a_n; those of q_r and q_z are the same.
 */
#include "clones.h"
#include "op_recurrent.h"
#include "squash.h"

BLO_CLONES static void value(blo_int k, const double *p, const cell_row *v)
{
  double *r = v->gate, *z = v->gate + k, *n = v->gate + 2 * k, *q_n = v->state, *h = v->h;
  const double *p_r = p, *p_z = p + k, *p_n = p + 2 * k, *h_before = v->h_before;

  EACH_UNIT
  for (blo_int u = 0; u < k; u++) {
    q_n[u] = n[u];
    r[u] = squash_sigmoid(p_r[u] + r[u]);
    z[u] = squash_sigmoid(p_z[u] + z[u]);
    n[u] = squash_tanh(p_n[u] + r[u] * q_n[u]);
    h[u] = n[u] + z[u] * (h_before[u] - n[u]);
  }
}

BLO_CLONES static void vjp(blo_int k, const cell_row *v, const cell_row *bar, double *p_bar)
{
  const double *r = v->gate, *z = v->gate + k, *n = v->gate + 2 * k;
  const double *q_n = v->state, *h_before = v->h_before, *h_bar = bar->h;
  double *r_bar = bar->gate, *z_bar = bar->gate + k, *qn_bar = bar->gate + 2 * k;
  double *pr_bar = p_bar, *pz_bar = p_bar + k, *pn_bar = p_bar + 2 * k, *before = bar->h_before;

  EACH_UNIT
  for (blo_int u = 0; u < k; u++) {
    double an_bar = (1 - n[u] * n[u]) * (1 - z[u]) * h_bar[u];
    r_bar[u] = r[u] * (1 - r[u]) * q_n[u] * an_bar;
    z_bar[u] = z[u] * (1 - z[u]) * (h_before[u] - n[u]) * h_bar[u];
    qn_bar[u] = r[u] * an_bar;
    pr_bar[u] += r_bar[u];
    pz_bar[u] += z_bar[u];
    pn_bar[u] += an_bar;
    before[u] += z[u] * h_bar[u];
  }
}

BLO_CLONES static void jvp(blo_int k, const cell_row *v, const double *p_dot, const cell_row *dot)
{
  const double *r = v->gate, *z = v->gate + k, *n = v->gate + 2 * k;
  const double *q_n = v->state, *h_before = v->h_before, *h_before_dot = dot->h_before;
  const double *pr_dot = p_dot, *pz_dot = p_dot + k, *pn_dot = p_dot + 2 * k;
  double *r_dot = dot->gate, *z_dot = dot->gate + k, *n_dot = dot->gate + 2 * k;
  double *qn_dot = dot->state, *h_dot = dot->h;

  EACH_UNIT
  for (blo_int u = 0; u < k; u++) {
    qn_dot[u] = n_dot[u];
    r_dot[u] = r[u] * (1 - r[u]) * (pr_dot[u] + r_dot[u]);
    z_dot[u] = z[u] * (1 - z[u]) * (pz_dot[u] + z_dot[u]);
    n_dot[u] = (1 - n[u] * n[u]) * (pn_dot[u] + r_dot[u] * q_n[u] + r[u] * qn_dot[u]);
    h_dot[u] = (1 - z[u]) * n_dot[u] + z_dot[u] * (h_before[u] - n[u]) + z[u] * h_before_dot[u];
  }
}

BLO_CLONES static void vjp_dot(blo_int k, const cell_row *v, const cell_row *dot,
                               const cell_row *bar, const cell_row *bar_dot, double *p_bar_dot)
{
  const double *r = v->gate, *z = v->gate + k, *n = v->gate + 2 * k;
  const double *r_dot = dot->gate, *z_dot = dot->gate + k, *n_dot = dot->gate + 2 * k;
  const double *q_n = v->state, *qn_dot = dot->state, *h = bar->h, *h_dot = bar_dot->h;
  const double *before = v->h_before, *before_dot = dot->h_before;
  double *ar = bar_dot->gate, *az = bar_dot->gate + k, *qn = bar_dot->gate + 2 * k;
  double *pr = p_bar_dot, *pz = p_bar_dot + k, *pn = p_bar_dot + 2 * k, *to = bar_dot->h_before;

  EACH_UNIT
  for (blo_int u = 0; u < k; u++) {
    double n_bar = (1 - z[u]) * h[u], n_bar_dot = (1 - z[u]) * h_dot[u] - z_dot[u] * h[u];
    double slope = 1 - n[u] * n[u], an = slope * n_bar;
    double an_dot = slope * n_bar_dot - 2 * n[u] * n_dot[u] * n_bar;
    double r_bar = q_n[u] * an, r_bar_dot = q_n[u] * an_dot + qn_dot[u] * an;
    double gap = before[u] - n[u], z_bar = gap * h[u];
    double z_bar_dot = gap * h_dot[u] + (before_dot[u] - n_dot[u]) * h[u];

    ar[u] = r[u] * (1 - r[u]) * r_bar_dot + (1 - 2 * r[u]) * r_dot[u] * r_bar;
    az[u] = z[u] * (1 - z[u]) * z_bar_dot + (1 - 2 * z[u]) * z_dot[u] * z_bar;
    qn[u] = r[u] * an_dot + r_dot[u] * an;
    pr[u] += ar[u];
    pz[u] += az[u];
    pn[u] += an_dot;
    to[u] += z[u] * h_dot[u] + z_dot[u] * h[u];
  }
}

static const cell_type cell_gru = {
    .op = {"gru", recurrent_value, recurrent_vjp, recurrent_jvp, recurrent_vjp_dot, OP_MODEL},
    .gates = 3,
    .state = 1,
    .state_dot = 1,
    .value = value,
    .vjp = vjp,
    .jvp = jvp,
    .vjp_dot = vjp_dot};

blo_node blo_graph_gru(blo_graph *g, blo_node p, blo_node w, blo_node b_hh)
{
  return recurrent_add(g, &cell_gru, 3, (const blo_node[]){p, w, b_hh});
}

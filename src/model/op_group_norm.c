/**
 * @file
 * Each group of n numbers a to mean 0 and variance 1 (nearly: eps > 0), with the statistics of the
 * group itself, and then a scale w and a shift t of its own (or w = 1 and t = 0):
 *
 *     out = w z + t,  z = s (a - <a>),  s = 1 / r,  r = sqrt(<(a - <a>)^2> + eps).
 *
 * <u> is the mean of u over the group, u o w the elementwise product. Along u = dot(a), the
 * variance changes by 2 r <z o u>, hence s by -s^2 <z o u>, and
 *
 *     dot(z) = s (u - <u> - z <z o u>) = J u.
 *
 * J is symmetric, as it must be: z = n grad r is a gradient. With b = bar,
 *
 *     vjp      bar(a) += w J b       bar(w) += n <z o b>       bar(t) += n <b>
 *     jvp      dot = w J u + dot(w) z + dot(t)
 *     vjp_dot  dot(bar(a)) += w J dot(b) + dot(w) J b + w dot(J) b
 *              dot(bar(w)) += n (<z o dot(b)> + <dot(z) o b>)
 *              dot(bar(t)) += n <dot(b)>
 *     <dot(z) o b> = s (<u o b> - <u><b> - <z o u><z o b>)
 *     dot(J) b = -s^2 <z o u> (b - <b> - z <z o b>) - s dot(z) <z o b> - s z <dot(z) o b>
 *              = -s^2 ( <z o u> (b - <b>) + <z o b> (u - <u>)
 *                       + z (<u o b> - <u><b> - 3 <z o u><z o b>) )
 *
 * Second derivation: dot(J) b = n D^3 r [u, b], so it must be symmetric in u and b, and it is. For
 * eps = 0, J has degree -1 in a - <a>, so u = a - <a> = r z must give -J b: with <z> = 0,
 * <z o z> = 1, <z o u> = r and <u o b> = r <z o b> the formula gives
 * -s (b - <b> + z <z o b> + z (<z o b> - 3 <z o b>)) = -J b.
 *
 * <a> and s are kept, z is made anew where it is needed.
 */
#include "array.h"
#include "clones.h"
#include "group_norm.h"
#include <math.h>

/** A group: z = s (a - mean). */
typedef struct group {
  blo_int n;
  const double *a;
  double mean, s;
} group;

/** Means over a group of b, and of z o b. */
typedef struct moments {
  double one, z;
} moments;

/* ------------------------------------------------------------------ loops over a group */

/* Sums in LANES parts: their order, and so the bits, do not depend on the width of registers. */
enum { LANES = 8 };

static double joined(const double *part)
{
  return ((part[0] + part[4]) + (part[2] + part[6])) + ((part[1] + part[5]) + (part[3] + part[7]));
}

BLO_CLONES static double mean_of(blo_int n, const double *a)
{
  double part[LANES] = {0};
  blo_int i = 0;

  for (; i + LANES <= n; i += LANES) {
    for (int k = 0; k < LANES; k++) {
      part[k] += a[i + k];
    }
  }
  for (int k = 0; i + k < n; k++) {
    part[k] += a[i + k];
  }
  return joined(part) / (double)n;
}

/** <(a - shift) o b> */
BLO_CLONES static double mean_product(blo_int n, const double *a, double shift, const double *b)
{
  double part[LANES] = {0};
  blo_int i = 0;

  for (; i + LANES <= n; i += LANES) {
    for (int k = 0; k < LANES; k++) {
      part[k] += (a[i + k] - shift) * b[i + k];
    }
  }
  for (int k = 0; i + k < n; k++) {
    part[k] += (a[i + k] - shift) * b[i + k];
  }
  return joined(part) / (double)n;
}

/** to = factor (a - mean) + shift */
BLO_CLONES static void set(blo_int n, double factor, const double *a, double mean, double shift,
                           double *to)
{
  for (blo_int i = 0; i < n; i++) {
    to[i] = factor * (a[i] - mean) + shift;
  }
}

/** to += fb b + fa (a - mean) + shift */
BLO_CLONES static void add(blo_int n, double fb, const double *b, double fa, const double *a,
                           double mean, double shift, double *to)
{
  for (blo_int i = 0; i < n; i++) {
    to[i] += fb * b[i] + fa * (a[i] - mean) + shift;
  }
}

/* ----------------------------------------------------------------- parts of the formulas */

static moments moments_of(const group *g, const double *b)
{
  return (moments){mean_of(g->n, b), g->s * mean_product(g->n, g->a, g->mean, b)};
}

/** to += factor J b */
static void add_slope(const group *g, double factor, const double *b, moments m, double *to)
{
  double f = factor * g->s;

  add(g->n, f, b, -f * m.z * g->s, g->a, g->mean, -f * m.one, to);
}

/** to += factor dot(J) b; ub = <u o b> - <u><b> */
static void add_curvature(const group *g, double factor, const double *u, moments mu,
                          const double *b, moments mb, double ub, double *to)
{
  double f = -factor * g->s * g->s;

  add(g->n, f * mu.z, b, f * (ub - 3 * mu.z * mb.z) * g->s, g->a, g->mean,
      -f * (mu.z * mb.one + mb.z * mu.one), to);
  array_add_times(g->n, f * mb.z, u, to);
}

/* ------------------------------------------------------------------------- functions */

/** Group k of a tensor in n_v directions: row, direction, group of the row. */
typedef struct index {
  blo_int value; /**< place of the group among the values */
  blo_int own;   /**< place among the scales, */
  blo_int dot;   /**< and among their tangents */
} index;

static blo_int groups(const op_call *c)
{
  return c->node->n / c->node->size[0];
}

static index index_of(const op_call *c, blo_int k, blo_int n_v)
{
  blo_int m = groups(c);

  return (index){k / (n_v * m) * m + k % m, k % m, k % (n_v * m)};
}

static group group_at(const op_call *c, blo_int i)
{
  blo_int n = c->node->size[0];

  return (group){n, c->in[0] + i * n, c->keep[2 * i], c->keep[2 * i + 1]};
}

static double scale_at(const op_call *c, index i)
{
  return c->node->n_in > 1 ? c->in[1][i.own] : 1;
}

static void value(const op_call *c)
{
  blo_int n = c->node->size[0];

  for (blo_int k = 0; k < c->rows * groups(c); k++) {
    const double *a = c->in[0] + k * n;
    double *out = c->out + k * n, *keep = c->keep + 2 * k;
    index i = index_of(c, k, 1);
    keep[0] = mean_of(n, a);
    set(n, 1, a, keep[0], 0, out);
    keep[1] = 1 / sqrt(mean_product(n, out, 0, out) + c->node->number[0]);
    set(n, scale_at(c, i) * keep[1], a, keep[0], c->node->n_in > 1 ? c->in[2][i.own] : 0, out);
  }
}

static void vjp(const op_call *c)
{
  blo_int n = c->node->size[0];

  for (blo_int k = 0; k < c->rows * groups(c); k++) {
    index i = index_of(c, k, 1);
    group g = group_at(c, k);
    const double *b = c->bar + k * n;
    moments m = moments_of(&g, b);
    if (c->in_bar[0] != NULL) {
      add_slope(&g, scale_at(c, i), b, m, c->in_bar[0] + k * n);
    }
    if (c->in_bar[1] != NULL) {
      c->in_bar[1][i.own] += (double)n * m.z;
      c->in_bar[2][i.own] += (double)n * m.one;
    }
  }
}

static void jvp(const op_call *c)
{
  blo_int n = c->node->size[0];

  for (blo_int k = 0; k < c->rows * c->n_v * groups(c); k++) {
    index i = index_of(c, k, c->n_v);
    group g = group_at(c, i.value);
    double w_dot = c->in_dot[1] != NULL ? c->in_dot[1][i.dot] : 0;
    double t_dot = c->in_dot[2] != NULL ? c->in_dot[2][i.dot] : 0;
    set(n, w_dot * g.s, g.a, g.mean, t_dot, c->out_dot + k * n);
    if (c->in_dot[0] != NULL) {
      const double *u = c->in_dot[0] + k * n;
      add_slope(&g, scale_at(c, i), u, moments_of(&g, u), c->out_dot + k * n);
    }
  }
}

/** The parts of vjp_dot that come from tangents of the inputs.
 *  @param[in,out] to [n] or NULL @return dot(bar(w)), its part */
static double add_moved(const op_call *c, const group *g, index i, blo_int k, double *to)
{
  const double *b = c->bar + i.value * g->n;
  moments mb = moments_of(g, b), mu;
  const double *u;
  double ub;

  if (c->in_dot[1] != NULL && to != NULL) {
    add_slope(g, c->in_dot[1][i.dot], b, mb, to);
  }
  if (c->in_dot[0] == NULL) {
    return 0;
  }
  u = c->in_dot[0] + k * g->n;
  mu = moments_of(g, u);
  ub = mean_product(g->n, u, mu.one, b);
  if (to != NULL) {
    add_curvature(g, scale_at(c, i), u, mu, b, mb, ub, to);
  }
  return (double)g->n * g->s * (ub - mu.z * mb.z);
}

static void vjp_dot(const op_call *c)
{
  blo_int n = c->node->size[0];

  for (blo_int k = 0; k < c->rows * c->n_v * groups(c); k++) {
    index i = index_of(c, k, c->n_v);
    group g = group_at(c, i.value);
    const double *b_dot = c->bar_dot + k * n;
    double *to = c->in_bar_dot[0] != NULL ? c->in_bar_dot[0] + k * n : NULL;
    moments m = moments_of(&g, b_dot);
    double moved = c->bar != NULL ? add_moved(c, &g, i, k, to) : 0;
    if (to != NULL) {
      add_slope(&g, scale_at(c, i), b_dot, m, to);
    }
    if (c->in_bar_dot[1] != NULL) {
      c->in_bar_dot[1][i.dot] += (double)n * m.z + moved;
      c->in_bar_dot[2][i.dot] += (double)n * m.one;
    }
  }
}

static const op_type op_group_norm = {"group_norm", value, vjp, jvp, vjp_dot, OP_MODEL};

/* ------------------------------------------------------------------------------ nodes */

/** Fill in the node; `in` is no failed node. @return false if refused */
static bool describe(blo_graph *g, blo_node in, blo_int n, double eps, node *made)
{
  *made = graph_like(g, &op_group_norm, in);
  if (n < 1 || made->n % n != 0 || !(eps > 0)) {
    graph_refuse(g, BLO_E_SHAPE,
                 "group_norm: groups of %lld of %lld numbers, eps %g: groups must be whole, eps "
                 "positive",
                 (long long)n, (long long)made->n, eps);
    return false;
  }
  made->n_in = 1;
  made->in[0] = in;
  made->keep = 2 * (made->n / n);
  made->size[0] = n;
  made->number[0] = eps;
  return true;
}

blo_node blo_graph_group_norm(blo_graph *g, blo_node in, blo_int n, double eps)
{
  node made;

  return !graph_failed(g, 1, &in) && describe(g, in, n, eps, &made) ? graph_add(g, &made) : -1;
}

blo_node group_norm_add(blo_graph *g, blo_node in, blo_node scale, blo_node shift, blo_int n,
                        double eps)
{
  const blo_node all[] = {in, scale, shift};
  node made;

  if (graph_failed(g, 3, all) || !describe(g, in, n, eps, &made)) {
    return -1;
  }
  BLO_BUG_IF(graph_node(g, scale)->n != made.n / n || graph_node(g, shift)->n != made.n / n,
             "group_norm: not one scale and shift for each group");
  made.n_in = 3;
  made.in[1] = scale;
  made.in[2] = shift;
  return graph_add(g, &made);
}

/**
 * @file
 * out = ||a - b||^2 / 2. With d = a - b,
 *
 *     vjp      bar(a) += d bar                            bar(b) -= d bar
 *     jvp      dot = d . dot(d)
 *     vjp_dot  dot(bar(a)) += d dot(bar) + dot(d) bar     dot(bar(b)) -= the same
 */
#include "pair.h"

/** Two rows of numbers, of a and b; NULL is 0. */
typedef struct two {
  const double *a, *b;
} two;

static inline double difference(two p, blo_int k)
{
  return (p.a != NULL ? p.a[k] : 0) - (p.b != NULL ? p.b[k] : 0);
}

static two values(const op_call *c, blo_int r)
{
  return (two){c->in[0] + pair_at(c, 0, r, 1), c->in[1] + pair_at(c, 1, r, 1)};
}

static two tangents(const op_call *c, blo_int i)
{
  return (two){pair_in(c->in_dot[0], pair_at(c, 0, i, c->n_v)),
               pair_in(c->in_dot[1], pair_at(c, 1, i, c->n_v))};
}

static double dot(blo_int n, two p, two q)
{
  double sum = 0;

  for (blo_int k = 0; k < n; k++) {
    sum += difference(p, k) * difference(q, k);
  }
  return sum;
}

/** to += factor * (a - b). */
static void add_times(blo_int n, double factor, two p, double *to)
{
  for (blo_int k = 0; k < n; k++) {
    to[k] += factor * difference(p, k);
  }
}

static void value(const op_call *c)
{
  for (blo_int r = 0; r < c->rows; r++) {
    c->out[r] = 0.5 * dot(c->in_node[0]->n, values(c, r), values(c, r));
  }
}

static void vjp(const op_call *c)
{
  for (blo_int r = 0; r < c->rows; r++) {
    for (int k = 0; k < 2; k++) {
      if (c->in_bar[k] != NULL) {
        add_times(c->in_node[0]->n, k == 0 ? c->bar[r] : -c->bar[r], values(c, r),
                  c->in_bar[k] + pair_at(c, k, r, 1));
      }
    }
  }
}

static void jvp(const op_call *c)
{
  for (blo_int i = 0; i < c->rows * c->n_v; i++) {
    c->out_dot[i] = dot(c->in_node[0]->n, values(c, i / c->n_v), tangents(c, i));
  }
}

static void add_tangent(const op_call *c, blo_int i, double sign, double *to)
{
  blo_int n = c->in_node[0]->n, r = i / c->n_v;

  add_times(n, sign * c->bar_dot[i], values(c, r), to);
  if (c->bar != NULL) {
    add_times(n, sign * c->bar[r], tangents(c, i), to);
  }
}

static void vjp_dot(const op_call *c)
{
  for (blo_int i = 0; i < c->rows * c->n_v; i++) {
    for (int k = 0; k < 2; k++) {
      if (c->in_bar_dot[k] != NULL) {
        add_tangent(c, i, k == 0 ? 1 : -1, c->in_bar_dot[k] + pair_at(c, k, i, c->n_v));
      }
    }
  }
}

/* Convex in a and b together: a convex function of a - b. */
static const op_type op_squared = {"squared", value, vjp, jvp, vjp_dot, OP_LOSS};

blo_node blo_graph_squared(blo_graph *g, blo_node a, blo_node b)
{
  const blo_node both[] = {a, b};

  if (graph_failed(g, 2, both)) {
    return -1;
  }
  if (graph_node(g, a)->n != graph_node(g, b)->n) {
    return graph_refuse(g, BLO_E_SHAPE, "squared: %lld numbers against %lld",
                        (long long)graph_node(g, a)->n, (long long)graph_node(g, b)->n);
  }
  return pair_add(g, graph_flat(&op_squared, 1), a, b);
}

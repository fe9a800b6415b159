/**
 * @file
 * Elementwise with a second input that may be repeated: out = a + B b and out = a o B b. B repeats
 * each number of b along the numbers of a that belong to it, so B' sums over them. The product:
 *
 *     vjp      bar(a) += bar o B b                        bar(b) += B' (bar o a)
 *     jvp      dot = dot(a) o B b + a o B dot(b)
 *     vjp_dot  dot(bar(a)) += dot(bar) o B b + bar o B dot(b)
 *              dot(bar(b)) += B' (dot(bar) o a + bar o dot(a))
 *
 * The sum is linear: tangents go the way of values and adjoints.
 */
#include "array.h"
#include "clones.h"
#include "pair.h"

/** b has m numbers, each for `repeat` numbers of a. */
typedef struct sizes {
  blo_int m, repeat;
} sizes;

static sizes sizes_of(const op_call *c)
{
  return (sizes){c->in_node[1]->n, c->node->size[0]};
}

/* ------------------------------------------------------------- kernels of a row */

/** to += B b. */
BLO_CLONES static void add_repeated(sizes s, const double *restrict b, double *restrict to)
{
  for (blo_int k = 0; s.repeat == 1 && k < s.m; k++) {
    to[k] += b[k];
  }
  for (blo_int k = 0; s.repeat > 1 && k < s.m; k++) {
    for (blo_int i = 0; i < s.repeat; i++) {
      to[k * s.repeat + i] += b[k];
    }
  }
}

/** to += B' a. */
static void add_sums(sizes s, const double *restrict a, double *restrict to)
{
  for (blo_int k = 0; k < s.m; k++) {
    double sum = 0;
    for (blo_int i = 0; i < s.repeat; i++) {
      sum += a[k * s.repeat + i];
    }
    to[k] += sum;
  }
}

/** to += a o B b. */
BLO_CLONES static void add_products(sizes s, const double *restrict a, const double *restrict b,
                                    double *restrict to)
{
  for (blo_int k = 0; s.repeat == 1 && k < s.m; k++) {
    to[k] += a[k] * b[k];
  }
  for (blo_int k = 0; s.repeat > 1 && k < s.m; k++) {
    for (blo_int i = k * s.repeat; i < (k + 1) * s.repeat; i++) {
      to[i] += a[i] * b[k];
    }
  }
}

/** to += B' (p o q). */
static void add_dots(sizes s, const double *restrict p, const double *restrict q,
                     double *restrict to)
{
  if (s.repeat == 1) {
    add_products(s, p, q, to);
    return;
  }
  for (blo_int k = 0; k < s.m; k++) {
    double sum = 0;
    for (blo_int i = k * s.repeat; i < (k + 1) * s.repeat; i++) {
      sum += p[i] * q[i];
    }
    to[k] += sum;
  }
}

/* ---------------------------------------------------------------------- sum */

/** out = a + B b in `rows` rows, n_v of them for each sample; inputs that are NULL are 0. */
static void sum_rows(const op_call *c, blo_int rows, blo_int n_v, const double *const *in,
                     double *out)
{
  sizes s = sizes_of(c);
  blo_int n = c->node->n;

  for (blo_int i = 0; i < rows; i++) {
    array_clear(n, out + i * n);
    if (in[0] != NULL) {
      array_add(n, in[0] + pair_at(c, 0, i, n_v), out + i * n);
    }
    if (in[1] != NULL) {
      add_repeated(s, in[1] + pair_at(c, 1, i, n_v), out + i * n);
    }
  }
}

/** The adjoint of sum_rows(). */
static void give_rows(const op_call *c, blo_int rows, blo_int n_v, const double *out,
                      double *const *in)
{
  sizes s = sizes_of(c);
  blo_int n = c->node->n;

  for (blo_int i = 0; i < rows; i++) {
    if (in[0] != NULL) {
      array_add(n, out + i * n, in[0] + pair_at(c, 0, i, n_v));
    }
    if (in[1] != NULL) {
      add_sums(s, out + i * n, in[1] + pair_at(c, 1, i, n_v));
    }
  }
}

static void sum_value(const op_call *c)
{
  sum_rows(c, c->rows, 1, c->in, c->out);
}

static void sum_vjp(const op_call *c)
{
  give_rows(c, c->rows, 1, c->bar, c->in_bar);
}

static void sum_jvp(const op_call *c)
{
  sum_rows(c, c->rows * c->n_v, c->n_v, c->in_dot, c->out_dot);
}

static void sum_vjp_dot(const op_call *c)
{
  give_rows(c, c->rows * c->n_v, c->n_v, c->bar_dot, c->in_bar_dot);
}

static const op_type op_add = {"add", sum_value, sum_vjp, sum_jvp, sum_vjp_dot, OP_SUM};

/* ------------------------------------------------------------------ product */

static void value(const op_call *c)
{
  blo_int n = c->node->n;

  for (blo_int r = 0; r < c->rows; r++) {
    array_clear(n, c->out + r * n);
    add_products(sizes_of(c), c->in[0] + pair_at(c, 0, r, 1), c->in[1] + pair_at(c, 1, r, 1),
                 c->out + r * n);
  }
}

static void vjp(const op_call *c)
{
  sizes s = sizes_of(c);

  for (blo_int r = 0; r < c->rows; r++) {
    const double *bar = c->bar + r * c->node->n;
    blo_int a = pair_at(c, 0, r, 1), b = pair_at(c, 1, r, 1);
    if (c->in_bar[0] != NULL) {
      add_products(s, bar, c->in[1] + b, c->in_bar[0] + a);
    }
    if (c->in_bar[1] != NULL) {
      add_dots(s, bar, c->in[0] + a, c->in_bar[1] + b);
    }
  }
}

static void jvp(const op_call *c)
{
  sizes s = sizes_of(c);
  blo_int n = c->node->n, rows = c->rows * c->n_v;

  for (blo_int i = 0; i < rows; i++) {
    array_clear(n, c->out_dot + i * n);
    const double *a = c->in[0] + pair_at(c, 0, i / c->n_v, 1);
    const double *b = c->in[1] + pair_at(c, 1, i / c->n_v, 1);
    if (c->in_dot[0] != NULL) {
      add_products(s, c->in_dot[0] + pair_at(c, 0, i, c->n_v), b, c->out_dot + i * n);
    }
    if (c->in_dot[1] != NULL) {
      add_products(s, a, c->in_dot[1] + pair_at(c, 1, i, c->n_v), c->out_dot + i * n);
    }
  }
}

/** Row and direction i: the part for a, then that for b. */
static void tangent_a(const op_call *c, blo_int i, double *to)
{
  sizes s = sizes_of(c);
  blo_int n = c->node->n, r = i / c->n_v;

  add_products(s, c->bar_dot + i * n, c->in[1] + pair_at(c, 1, r, 1), to);
  if (c->in_dot[1] != NULL) {
    add_products(s, c->bar + r * n, c->in_dot[1] + pair_at(c, 1, i, c->n_v), to);
  }
}

static void tangent_b(const op_call *c, blo_int i, double *to)
{
  sizes s = sizes_of(c);
  blo_int n = c->node->n, r = i / c->n_v;

  add_dots(s, c->bar_dot + i * n, c->in[0] + pair_at(c, 0, r, 1), to);
  if (c->in_dot[0] != NULL) {
    add_dots(s, c->bar + r * n, c->in_dot[0] + pair_at(c, 0, i, c->n_v), to);
  }
}

static void vjp_dot(const op_call *c)
{
  for (blo_int i = 0; i < c->rows * c->n_v; i++) {
    if (c->in_bar_dot[0] != NULL) {
      tangent_a(c, i, c->in_bar_dot[0] + pair_at(c, 0, i, c->n_v));
    }
    if (c->in_bar_dot[1] != NULL) {
      tangent_b(c, i, c->in_bar_dot[1] + pair_at(c, 1, i, c->n_v));
    }
  }
}

static const op_type op_product = {"product", value, vjp, jvp, vjp_dot, OP_PRODUCT};

/* -------------------------------------------------------------------- nodes */

/** Has b one number for each entry of a's first dimensions, however many of them? */
static bool fits(const node *a, const node *b)
{
  blo_int entries = 1;

  for (int k = 0; k < a->n_dims && entries < b->n; k++) {
    entries *= a->dim[k];
  }
  return entries == b->n;
}

static blo_node describe(blo_graph *g, const op_type *type, blo_node a, blo_node b)
{
  const blo_node both[] = {a, b};
  node n;

  if (graph_failed(g, 2, both)) {
    return -1;
  }
  n = graph_like(g, type, a);
  if (!fits(graph_node(g, a), graph_node(g, b))) {
    return graph_refuse(g, BLO_E_SHAPE, "%s: %lld numbers do not fit the first dimensions of %lld",
                        type->name, (long long)graph_node(g, b)->n, (long long)n.n);
  }
  n.size[0] = n.n / graph_node(g, b)->n;
  return pair_add(g, n, a, b);
}

blo_node blo_graph_add(blo_graph *g, blo_node a, blo_node b)
{
  return describe(g, &op_add, a, b);
}

blo_node blo_graph_product(blo_graph *g, blo_node a, blo_node b)
{
  return describe(g, &op_product, a, b);
}

/**
 * @file
 * out = in W: the last dimension of `in`, k numbers, times W [k][m]. With A the rows of `in`, a row
 * for each sample and position (e.g. time step),
 *
 *     vjp      bar(A) += bar W'                          bar(W) += A' bar
 *     jvp      dot = dot(A) W + A dot(W)
 *     vjp_dot  dot(bar(A)) += dot(bar) W' + bar dot(W)'   dot(bar(W)) += A' dot(bar) + dot(A)' bar
 *
 * Of a narrow W the directions are laid side by side, [k][D][m], and become one product of good
 * width.
 *
 * Tangents lie between the samples, [samples][D][positions][..]. With one direction or one position
 * a product takes all rows at once; with several of both it is made sample by sample.
 */
#include "graph_private.h"
#include <blo/blas.h>
#include <string.h>

blo_node matmul_rows_add(blo_graph *g, blo_node in, blo_node w);

/** Rows that one product takes. The tangent in direction d of row i begins at
 *  d * step + i * stride of the numbers per row. */
typedef struct part {
  blo_int rows, stride, step;
  const double *a, *bar;         /**< [rows][k], [rows][m] */
  double *a_bar;                 /**< [rows][k] */
  const double *a_dot, *bar_dot; /**< tangents of them */
  double *a_bar_dot, *out_dot;
} part;

typedef struct sizes {
  blo_int k, m, positions, n_v;
} sizes;

static sizes sizes_of(const op_call *c)
{
  const node *w = c->in_node[1];

  return (sizes){w->dim[0], w->dim[1], c->in_node[0]->n / w->dim[0], c->n_v};
}

/** All rows at once? Else sample by sample, though there be only one. */
static bool at_once(sizes s)
{
  return s.positions == 1 || s.n_v <= 1;
}

static blo_int n_parts(const op_call *c, sizes s)
{
  return at_once(s) ? 1 : c->rows;
}

static const double *offset_const(const double *p, blo_int by)
{
  return p != NULL ? p + by : NULL;
}

static double *offset(double *p, blo_int by)
{
  return p != NULL ? p + by : NULL;
}

static part part_of(const op_call *c, sizes s, blo_int number)
{
  bool whole = at_once(s);
  blo_int first = number * s.positions, first_dot = first * s.n_v;

  return (part){.rows = whole ? c->rows * s.positions : s.positions,
                .stride = whole ? s.n_v : 1,
                .step = whole ? 1 : s.positions,
                .a = c->in[0] + first * s.k,
                .bar = offset_const(c->bar, first * s.m),
                .a_bar = offset(c->in_bar[0], first * s.k),
                .a_dot = offset_const(c->in_dot[0], first_dot * s.k),
                .bar_dot = offset_const(c->bar_dot, first_dot * s.m),
                .a_bar_dot = offset(c->in_bar_dot[0], first_dot * s.k),
                .out_dot = offset(c->out_dot, first_dot * s.m)};
}

static void value(const op_call *c)
{
  sizes s = sizes_of(c);

  blo_gemm(false, false, c->rows * s.positions, s.m, s.k, c->in[0], s.k, c->in[1], s.m, 0, c->out,
           s.m);
}

static void vjp(const op_call *c)
{
  sizes s = sizes_of(c);
  blo_int rows = c->rows * s.positions;

  if (c->in_bar[0] != NULL) {
    blo_gemm(false, true, rows, s.k, s.m, c->bar, s.m, c->in[1], s.m, 1, c->in_bar[0], s.k);
  }
  if (c->in_bar[1] != NULL) {
    blo_gemm(true, false, s.k, s.m, rows, c->in[0], s.k, c->bar, s.m, 1, c->in_bar[1], s.m);
  }
}

/** Columns below which BLAS is far from its speed. */
enum { NARROW = 48 };

static bool side_by_side(sizes s)
{
  return s.positions == 1 && s.n_v > 1 && s.m < NARROW;
}

/** From [D][k][m] to [k][D][m]. */
static void lay_side_by_side(sizes s, const double *from, double *to)
{
  for (blo_int d = 0; d < s.n_v; d++) {
    for (blo_int i = 0; i < s.k; i++) {
      memcpy(to + (i * s.n_v + d) * s.m, from + (d * s.k + i) * s.m, (size_t)s.m * sizeof *to);
    }
  }
}

/** To [D][k][m] add what is in [k][D][m]. */
static void add_one_by_one(sizes s, const double *from, double *to)
{
  for (blo_int d = 0; d < s.n_v; d++) {
    for (blo_int i = 0; i < s.k; i++) {
      for (blo_int j = 0; j < s.m; j++) {
        to[(d * s.k + i) * s.m + j] += from[(i * s.n_v + d) * s.m + j];
      }
    }
  }
}

/** out_dot (+)= A dot(W). */
static void add_a_w_dot(const op_call *c, sizes s, const part *p, double beta)
{
  if (side_by_side(s)) {
    lay_side_by_side(s, c->in_dot[1], c->work);
    blo_gemm(false, false, p->rows, s.n_v * s.m, s.k, p->a, s.k, c->work, s.n_v * s.m, beta,
             p->out_dot, s.n_v * s.m);
    return;
  }
  for (blo_int d = 0; d < s.n_v; d++) {
    blo_gemm(false, false, p->rows, s.m, s.k, p->a, s.k, c->in_dot[1] + d * s.k * s.m, s.m, beta,
             p->out_dot + d * p->step * s.m, p->stride * s.m);
  }
}

static void jvp(const op_call *c)
{
  sizes s = sizes_of(c);
  double beta = c->in_dot[0] != NULL ? 1 : 0;

  if (c->in_dot[0] != NULL) {
    blo_gemm(false, false, c->rows * s.n_v * s.positions, s.m, s.k, c->in_dot[0], s.k, c->in[1],
             s.m, 0, c->out_dot, s.m);
  }
  for (blo_int i = 0; i < n_parts(c, s) && c->in_dot[1] != NULL; i++) {
    part p = part_of(c, s, i);
    add_a_w_dot(c, s, &p, beta);
  }
}

/** dot(bar(A)) += bar dot(W)'. */
static void add_bar_w_dot(const op_call *c, sizes s, const part *p)
{
  for (blo_int d = 0; d < s.n_v; d++) {
    blo_gemm(false, true, p->rows, s.k, s.m, p->bar, s.m, c->in_dot[1] + d * s.k * s.m, s.m, 1,
             p->a_bar_dot + d * p->step * s.k, p->stride * s.k);
  }
}

/** dot(bar(W)) += A' dot(bar). */
static void add_a_bar_dot(const op_call *c, sizes s, const part *p)
{
  if (side_by_side(s)) {
    blo_gemm(true, false, s.k, s.n_v * s.m, p->rows, p->a, s.k, p->bar_dot, s.n_v * s.m, 0, c->work,
             s.n_v * s.m);
    add_one_by_one(s, c->work, c->in_bar_dot[1]);
    return;
  }
  for (blo_int d = 0; d < s.n_v; d++) {
    blo_gemm(true, false, s.k, s.m, p->rows, p->a, s.k, p->bar_dot + d * p->step * s.m,
             p->stride * s.m, 1, c->in_bar_dot[1] + d * s.k * s.m, s.m);
  }
}

/** dot(bar(W)) += dot(A)' bar. */
static void add_a_dot_bar(const op_call *c, sizes s, const part *p)
{
  for (blo_int d = 0; d < s.n_v; d++) {
    blo_gemm(true, false, s.k, s.m, p->rows, p->a_dot + d * p->step * s.k, p->stride * s.k, p->bar,
             s.m, 1, c->in_bar_dot[1] + d * s.k * s.m, s.m);
  }
}

static void vjp_dot(const op_call *c)
{
  sizes s = sizes_of(c);

  if (c->in_bar_dot[0] != NULL) {
    blo_gemm(false, true, c->rows * s.n_v * s.positions, s.k, s.m, c->bar_dot, s.m, c->in[1], s.m,
             1, c->in_bar_dot[0], s.k);
  }
  for (blo_int i = 0; i < n_parts(c, s); i++) {
    part p = part_of(c, s, i);
    if (c->in_bar_dot[0] != NULL && c->in_dot[1] != NULL) {
      add_bar_w_dot(c, s, &p);
    }
    if (c->in_bar_dot[1] != NULL) {
      add_a_bar_dot(c, s, &p);
      if (p.a_dot != NULL) {
        add_a_dot_bar(c, s, &p);
      }
    }
  }
}

static const op_type op_matmul = {"matmul", value, vjp, jvp, vjp_dot, OP_MODEL};

static bool shapes_fit(blo_graph *g, blo_node in, blo_node w)
{
  const node *a = graph_node(g, in), *b = graph_node(g, w);

  if (!b->global || b->n_dims != 2 || a->dim[a->n_dims - 1] != b->dim[0]) {
    graph_refuse(g, BLO_E_SHAPE,
                 "matmul: the input's last dimension is %lld, so the matrix must be a global [%lld]"
                 "[..], not [%lld][%lld]",
                 (long long)a->dim[a->n_dims - 1], (long long)a->dim[a->n_dims - 1],
                 (long long)b->dim[0], (long long)b->dim[1]);
    return false;
  }
  return true;
}

static bool fetches(const blo_graph *g, blo_node in)
{
  const node *a = graph_node(g, in);

  return a->type == &op_features && a->n_dims == 1 && (g->input.sparse || g->input.skip_zeros);
}

blo_node blo_graph_matmul(blo_graph *g, blo_node in, blo_node w)
{
  const blo_node both[] = {in, w};
  node n;

  if (graph_failed(g, 2, both) || !shapes_fit(g, in, w)) {
    return -1;
  }
  if (fetches(g, in)) {
    return matmul_rows_add(g, in, w);
  }
  n = graph_like(g, &op_matmul, in);
  n.dim[n.n_dims - 1] = graph_node(g, w)->dim[1];
  n.n = n.n / graph_node(g, w)->dim[0] * graph_node(g, w)->dim[1];
  n.n_in = 2;
  n.in[0] = in;
  n.in[1] = w;
  n.work_v = graph_node(g, w)->dim[1] < NARROW ? graph_node(g, w)->n : 0;
  return graph_add(g, &n);
}

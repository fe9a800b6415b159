/**
 * @file
 * out = a W for features a of the samples of which most are zero, sparse or not: zeros are left
 * out. The scaling a'_j = (a_j - shift_j) scale_j stays out of the nonzeros: with v_j = a_j scale_j
 * and t_j = -shift_j scale_j,
 *
 *     out = sum_j v_j W_j + sum_j t_j W_j          bar(W)_j += sum_i v_ij bar_i + t_j sum_i bar_i
 *
 * Both sums over nonzeros run over lists: the forward one over a row's, the backward one over a
 * column's, which are made from the rows'. So neither reads or writes W more often than it must.
 * The features have no derivatives, so tangents go the way of values and adjoints.
 */
#include "array.h"
#include "gather.h"
#include "graph_private.h"
#include <string.h>

blo_node matmul_rows_add(blo_graph *g, blo_node in, blo_node w);

/** The nonzeros of the rows, in scratch memory: by rows, or by columns. */
typedef struct lists {
  blo_int *start; /**< [rows or columns + 1] */
  double *v;      /**< [nonzeros] */
  int32_t *index; /**< [nonzeros] column, or row */
} lists;

static double scaled(const blo_graph_rows *b, blo_int k, double a)
{
  return b->scaling != NULL ? a * b->scaling->scale[k] : a;
}

static void push(const blo_graph_rows *b, blo_int k, double a, lists *l, blo_int *n)
{
  l->v[*n] = scaled(b, k, a);
  l->index[*n] = (int32_t)k;
  (*n)++;
}

enum { EIGHT = 8 }; /**< bytes looked at together; rows are padded with zeros to a multiple of it */

/** Eight features, at least one of them not zero. Every one is stored and counted if it is not
 * zero: no branch for the processor to guess. */
static inline blo_int push_eight(const uint8_t *a, const double *scale, blo_int k, blo_int n,
                                 double *restrict v, int32_t *restrict index)
{
  double value[EIGHT];

  for (int j = 0; j < EIGHT; j++) {
    value[j] = (double)a[j] * (scale != NULL ? scale[j] : 1);
  }
  for (int j = 0; j < EIGHT; j++) {
    v[n] = value[j];
    index[n] = (int32_t)(k + j);
    n += a[j] != 0;
  }
  return n;
}

static void list_u8(const blo_graph_rows *b, const uint8_t *a, blo_int n_features, lists *l,
                    blo_int *n)
{
  const double *scale = b->scaling != NULL ? b->scaling->scale : NULL;
  blo_int k = 0;

  for (; k + EIGHT <= n_features; k += EIGHT) {
    uint64_t eight;
    memcpy(&eight, a + k, sizeof eight);
    if (eight != 0) {
      *n = push_eight(a + k, scale != NULL ? scale + k : NULL, k, *n, l->v, l->index);
    }
  }
  for (; k < n_features; k++) {
    if (a[k] != 0) {
      push(b, k, a[k], l, n);
    }
  }
}

static void list_dense(const blo_graph_rows *b, blo_int r, lists *l, blo_int *n)
{
  const blo_table *t = b->table;
  blo_int first = r * t->ld;

  if (t->storage == BLO_U8) {
    list_u8(b, (const uint8_t *)t->values + first, t->n_features, l, n);
    return;
  }
  for (blo_int k = 0; k < t->n_features; k++) {
    double a = t->storage == BLO_F32 ? (double)((const float *)t->values)[first + k]
                                     : ((const double *)t->values)[first + k];
    if (a < 0 || a > 0) {
      push(b, k, a, l, n);
    }
  }
}

static void list_sparse(const blo_graph_rows *b, blo_int r, lists *l, blo_int *n)
{
  const blo_table *t = b->table;

  for (blo_int j = t->row_start[r]; j < t->row_start[r + 1]; j++) {
    push(b, t->column[j], ((const double *)t->values)[j], l, n);
  }
}

/** Doubles of scratch before the lists by columns. */
static blo_int lists_size(blo_int n_start, blo_int n_entries)
{
  return n_start + 1 + n_entries + (n_entries + 1) / 2;
}

static lists place_lists(double *work, blo_int n_start, blo_int n_entries)
{
  lists l = {.start = (blo_int *)(void *)work, .v = work + n_start + 1};

  l.index = (int32_t *)(void *)(l.v + n_entries);
  return l;
}

/** One entry more than there can be nonzeros: what comes after the last is stored too. */
static blo_int capacity(const op_call *c)
{
  return c->rows * c->graph->input.n_nonzeros + 1;
}

static lists by_rows(const op_call *c)
{
  lists l = place_lists(c->work, c->rows, capacity(c));
  blo_int n = 0;

  for (blo_int i = 0; i < c->rows; i++) {
    l.start[i] = n;
    if (c->batch->table->sparse) {
      list_sparse(c->batch, c->batch->row[i], &l, &n);
    } else {
      list_dense(c->batch, c->batch->row[i], &l, &n);
    }
  }
  l.start[c->rows] = n;
  return l;
}

/** Counting sort; the rows of a column stay in order. */
static lists by_columns(const op_call *c, const lists *rows, blo_int n_columns)
{
  blo_int cap = capacity(c);
  lists l = place_lists(c->work + lists_size(c->rows, cap), n_columns + 1, cap);

  memset(l.start, 0, (size_t)(n_columns + 2) * sizeof *l.start);
  for (blo_int j = 0; j < rows->start[c->rows]; j++) {
    l.start[rows->index[j] + 2]++;
  }
  for (blo_int k = 2; k <= n_columns; k++) {
    l.start[k] += l.start[k - 1];
  }
  for (blo_int i = 0; i < c->rows; i++) {
    for (blo_int j = rows->start[i]; j < rows->start[i + 1]; j++) {
      blo_int at = l.start[rows->index[j] + 1]++;
      l.v[at] = rows->v[j];
      l.index[at] = (int32_t)i;
    }
  }
  return l;
}

static gather_list list_of(const lists *l, blo_int i)
{
  return (gather_list){l->start[i + 1] - l->start[i], l->v + l->start[i], l->index + l->start[i]};
}

static double shift_of(const op_call *c, blo_int k)
{
  const blo_scaling *s = c->batch->scaling;

  return s != NULL ? -s->shift[k] * s->scale[k] : 0;
}

/** out = a W for one W; the rows of out are `stride` apart. */
static void forward(const op_call *c, const lists *l, const double *w, double *out, blo_int stride)
{
  blo_int n = c->in_node[1]->dim[0], m = c->in_node[1]->dim[1];

  if (c->rows == 0) {
    return; /* not even the first row is there */
  }
  memset(out, 0, (size_t)m * sizeof *out);
  for (blo_int k = 0; c->batch->scaling != NULL && k < n; k++) {
    array_add_times(m, shift_of(c, k), w + k * m, out);
  }
  for (blo_int i = 1; i < c->rows; i++) {
    memcpy(out + i * stride, out, (size_t)m * sizeof *out);
  }
  for (blo_int i = 0; i < c->rows; i++) {
    gather_list row = list_of(l, i);
    gather_rows(&row, m, w, m, out + i * stride);
  }
}

/** Columns of r that are worked on at a time: so many of all rows stay in the nearest cache. */
enum { COLUMNS = 32 };

/** to += a' r for adjoints r whose rows are `stride` apart; `sum` is scratch [m]. */
static void backward(const op_call *c, const lists *l, const double *r, blo_int stride, double *sum,
                     double *to)
{
  blo_int n = c->in_node[1]->dim[0], m = c->in_node[1]->dim[1];

  memset(sum, 0, (size_t)m * sizeof *sum);
  for (blo_int i = 0; i < c->rows; i++) {
    array_add(m, r + i * stride, sum);
  }
  for (blo_int first = 0; first < m; first += COLUMNS) {
    blo_int width = m - first < COLUMNS ? m - first : COLUMNS;
    for (blo_int k = 0; k < n; k++) {
      gather_list column = list_of(l, k);
      gather_rows(&column, width, r + first, stride, to + k * m + first);
    }
  }
  for (blo_int k = 0; c->batch->scaling != NULL && k < n; k++) {
    array_add_times(m, shift_of(c, k), sum, to + k * m);
  }
}

static void value(const op_call *c)
{
  lists l = by_rows(c);

  forward(c, &l, c->in[1], c->out, c->node->n);
}

static void jvp(const op_call *c)
{
  blo_int n = c->in_node[1]->n, m = c->in_node[1]->dim[1];
  lists l = by_rows(c);

  for (blo_int d = 0; d < c->n_v; d++) {
    forward(c, &l, c->in_dot[1] + d * n, c->out_dot + d * m, c->n_v * m);
  }
}

/** Where the scratch for a sum of adjoints is: after both lists. */
static double *sum_place(const op_call *c, blo_int n_columns)
{
  blo_int cap = capacity(c);

  return c->work + lists_size(c->rows, cap) + lists_size(n_columns + 1, cap);
}

static void vjp(const op_call *c)
{
  blo_int n = c->in_node[1]->dim[0], m = c->in_node[1]->dim[1];

  if (c->in_bar[1] != NULL) {
    lists rows = by_rows(c), columns = by_columns(c, &rows, n);
    backward(c, &columns, c->bar, m, sum_place(c, n), c->in_bar[1]);
  }
}

static void vjp_dot(const op_call *c)
{
  blo_int n = c->in_node[1]->dim[0], m = c->in_node[1]->dim[1];

  if (c->in_bar_dot[1] != NULL) {
    lists rows = by_rows(c), columns = by_columns(c, &rows, n);
    for (blo_int d = 0; d < c->n_v; d++) {
      backward(c, &columns, c->bar_dot + d * m, c->n_v * m, sum_place(c, n),
               c->in_bar_dot[1] + d * n * m);
    }
  }
}

static const op_type op_matmul_rows = {"matmul_rows", value, vjp, jvp, vjp_dot, OP_MODEL};

/** The node for blo_graph_matmul(); shapes have been checked. */
blo_node matmul_rows_add(blo_graph *g, blo_node in, blo_node w)
{
  const node *b = graph_node(g, w);
  node n = graph_flat(&op_matmul_rows, b->dim[1]);

  n.n_in = 2;
  n.in[0] = in;
  n.in[1] = w;
  n.fetches = true;
  n.work = 2 * 3 + b->dim[0] + 4 + b->dim[1];
  n.work_rows = 1 + 3 * g->input.n_nonzeros + 2;
  return graph_add(g, &n);
}

/**
 * @file
 * out = K * in: 2-D cross-correlation with zero padding. With C(a) the matrix of an image
 * (im2col.h), the kernels as a matrix K [m][c kh kw], and C' the adjoint of C,
 *
 *     value    out = K C(in)
 *     vjp      bar(in) += C'(K' bar)                bar(K) += bar C(in)'
 *     jvp      dot = K C(dot(in)) + dot(K) C(in)
 *     vjp_dot  dot(bar(in)) += C'(K' dot(bar) + dot(K)' bar)
 *              dot(bar(K)) += dot(bar) C(in)' + bar C(dot(in))'
 *
 * The samples' images are taken in tiles: a part of a large image, or several small ones side by
 * side, so that all products have sizes that BLAS is good at.
 */
#include "graph_private.h"
#include "im2col.h"
#include <blo/blas.h>
#include <string.h>

/** What the functions share in one call. */
typedef struct conv {
  window s;
  blo_int m, q, places;      /**< kernels, numbers of one, numbers of a channel of the result */
  blo_int n_in, n_out;       /**< of a row */
  double *col, *col_dot;     /**< scratch [q][columns of a tile] */
  double *image, *image_dot; /**< scratch [m][columns of a tile] */
} conv;

static window window_of(const node *n, const node *in)
{
  return (window){.c = in->dim[0],
                  .h = in->dim[1],
                  .w = in->dim[2],
                  .kh = n->size[0],
                  .kw = n->size[1],
                  .stride = n->size[2],
                  .pad = n->size[3],
                  .oh = n->dim[1],
                  .ow = n->dim[2]};
}

static conv conv_of(const op_call *c)
{
  conv v = {.s = window_of(c->node, c->in_node[0]), .m = c->node->dim[0]};
  blo_int columns = tile_columns_max(&v.s);

  v.q = v.s.c * v.s.kh * v.s.kw;
  v.places = v.s.oh * v.s.ow;
  v.n_in = c->in_node[0]->n;
  v.n_out = c->node->n;
  v.col = c->work;
  v.col_dot = v.col + v.q * columns;
  v.image = v.col_dot + v.q * columns;
  v.image_dot = v.image + v.m * columns;
  return v;
}

/* ------------------------------------------ results of a tile as a matrix [m][columns] */

/** A row-major matrix in memory. */
typedef struct matrix {
  double *at;
  blo_int ld;
} matrix;
typedef struct const_matrix {
  const double *at;
  blo_int ld;
} const_matrix;

static bool in_one_image(const conv *v, tile t)
{
  return t.first / v->s.oh == (t.last - 1) / v->s.oh;
}

static blo_int place_in_image(const conv *v, tile t, blo_int apart)
{
  return t.first / v->s.oh * apart + t.first % v->s.oh * v->s.ow;
}

/** The matrix of a tile of `images` [..][m][oh][ow], `apart` numbers from one to the next: where
 *  they are, or copied together. */
static const_matrix joined(const conv *v, tile t, const double *images, blo_int apart, double *copy)
{
  blo_int n = tile_columns(&v->s, t);

  if (in_one_image(v, t)) {
    return (const_matrix){images + place_in_image(v, t, apart), v->places};
  }
  for (blo_int first = t.first; first < t.last; first += v->s.oh) {
    tile_part p = tile_part_at(&v->s, t, first);
    for (blo_int k = 0; k < v->m; k++) {
      memcpy(copy + k * n + p.at, images + p.number * apart + k * v->places,
             (size_t)v->places * sizeof *copy);
    }
  }
  return (const_matrix){copy, n};
}

/** Where to make the matrix that split() then brings to the images. */
static matrix target(const conv *v, tile t, double *images, blo_int apart, double *copy)
{
  if (in_one_image(v, t)) {
    return (matrix){images + place_in_image(v, t, apart), v->places};
  }
  return (matrix){copy, tile_columns(&v->s, t)};
}

static void split(const conv *v, tile t, matrix from, double *images, blo_int apart)
{
  if (in_one_image(v, t)) {
    return;
  }
  for (blo_int first = t.first; first < t.last; first += v->s.oh) {
    tile_part p = tile_part_at(&v->s, t, first);
    for (blo_int k = 0; k < v->m; k++) {
      memcpy(images + p.number * apart + k * v->places, from.at + k * from.ld + p.at,
             (size_t)v->places * sizeof *images);
    }
  }
}

/* ------------------------------------------------------------ the three products */

/** out = K col + beta out */
static void apply(const conv *v, tile t, const double *k, const double *col, double beta,
                  matrix out)
{
  blo_int n = tile_columns(&v->s, t);

  blo_gemm(false, false, v->m, n, v->q, k, v->q, col, n, beta, out.at, out.ld);
}

/** k_bar += bar col' */
static void add_kernel_bar(const conv *v, tile t, const_matrix bar, const double *col,
                           double *k_bar)
{
  blo_int n = tile_columns(&v->s, t);

  blo_gemm(false, true, v->m, v->q, n, bar.at, bar.ld, col, n, 1, k_bar, v->q);
}

/** col = K' bar + beta col */
static void apply_adjoint(const conv *v, tile t, const double *k, const_matrix bar, double beta,
                          double *col)
{
  blo_int n = tile_columns(&v->s, t);

  blo_gemm(true, false, v->q, n, v->m, k, v->q, bar.at, bar.ld, beta, col, n);
}

/* ---------------------------------------------------------------- the functions */

static void value_tile(const op_call *c, const conv *v, tile t)
{
  matrix out = target(v, t, c->out, v->n_out, v->image);

  im2col(&v->s, t, c->in[0], v->n_in, v->col);
  apply(v, t, c->in[1], v->col, 0, out);
  split(v, t, out, c->out, v->n_out);
}

static void vjp_tile(const op_call *c, const conv *v, tile t)
{
  const_matrix bar = joined(v, t, c->bar, v->n_out, v->image);

  if (c->in_bar[1] != NULL) {
    im2col(&v->s, t, c->in[0], v->n_in, v->col);
    add_kernel_bar(v, t, bar, v->col, c->in_bar[1]);
  }
  if (c->in_bar[0] != NULL) {
    apply_adjoint(v, t, c->in[1], bar, 0, v->col);
    col2im(&v->s, t, v->col, c->in_bar[0], v->n_in);
  }
}

static void jvp_tile(const op_call *c, const conv *v, tile t)
{
  if (c->in_dot[1] != NULL) {
    im2col(&v->s, t, c->in[0], v->n_in, v->col);
  }
  for (blo_int d = 0; d < c->n_v; d++) {
    double *images = c->out_dot + d * v->n_out;
    matrix out = target(v, t, images, c->n_v * v->n_out, v->image);
    if (c->in_dot[1] != NULL) {
      apply(v, t, c->in_dot[1] + d * v->m * v->q, v->col, 0, out);
    }
    if (c->in_dot[0] != NULL) {
      im2col(&v->s, t, c->in_dot[0] + d * v->n_in, c->n_v * v->n_in, v->col_dot);
      apply(v, t, c->in[1], v->col_dot, c->in_dot[1] != NULL ? 1 : 0, out);
    }
    split(v, t, out, images, c->n_v * v->n_out);
  }
}

/** One direction of vjp_dot; v->col has the matrix of the input. */
static void vjp_dot_direction(const op_call *c, const conv *v, tile t, const_matrix bar, blo_int d)
{
  blo_int n_k = v->m * v->q, in_apart = c->n_v * v->n_in, out_apart = c->n_v * v->n_out;
  const_matrix bar_dot = joined(v, t, c->bar_dot + d * v->n_out, out_apart, v->image_dot);

  if (c->in_bar_dot[1] != NULL) {
    add_kernel_bar(v, t, bar_dot, v->col, c->in_bar_dot[1] + d * n_k);
  }
  if (c->in_bar_dot[1] != NULL && c->in_dot[0] != NULL) {
    im2col(&v->s, t, c->in_dot[0] + d * v->n_in, in_apart, v->col_dot);
    add_kernel_bar(v, t, bar, v->col_dot, c->in_bar_dot[1] + d * n_k);
  }
  if (c->in_bar_dot[0] != NULL) {
    apply_adjoint(v, t, c->in[1], bar_dot, 0, v->col_dot);
    if (c->in_dot[1] != NULL) {
      apply_adjoint(v, t, c->in_dot[1] + d * n_k, bar, 1, v->col_dot);
    }
    col2im(&v->s, t, v->col_dot, c->in_bar_dot[0] + d * v->n_in, in_apart);
  }
}

static void vjp_dot_tile(const op_call *c, const conv *v, tile t)
{
  const_matrix bar = {NULL, 0};

  if (c->bar != NULL) {
    bar = joined(v, t, c->bar, v->n_out, v->image);
  }
  if (c->in_bar_dot[1] != NULL) {
    im2col(&v->s, t, c->in[0], v->n_in, v->col);
  }
  for (blo_int d = 0; d < c->n_v; d++) {
    vjp_dot_direction(c, v, t, bar, d);
  }
}

typedef void tile_function(const op_call *c, const conv *v, tile t);

static void for_tiles(const op_call *c, tile_function *f)
{
  conv v = conv_of(c);

  for (blo_int first = 0; first < c->rows * v.s.oh;) {
    tile t = tile_at(&v.s, c->rows, first);
    f(c, &v, t);
    first = t.last;
  }
}

static void value(const op_call *c)
{
  for_tiles(c, value_tile);
}

static void vjp(const op_call *c)
{
  for_tiles(c, vjp_tile);
}

static void jvp(const op_call *c)
{
  for_tiles(c, jvp_tile);
}

static void vjp_dot(const op_call *c)
{
  for_tiles(c, vjp_dot_tile);
}

static const op_type op_conv2d = {"conv2d", value, vjp, jvp, vjp_dot, OP_MODEL};

/* --------------------------------------------------------------------- node */

static bool describe(blo_graph *g, const node *in, const blo_block *k, node *n)
{
  window s;

  if (n->size[2] < 1 || n->size[3] < 0 || in->n_dims != NODE_DIMS || k->dim[1] != in->dim[0] ||
      k->dim[2] > in->dim[1] + 2 * n->size[3] || k->dim[3] > in->dim[2] + 2 * n->size[3]) {
    graph_refuse(g, BLO_E_SHAPE,
                 "conv2d: kernels '%s' [%lld][%lld][%lld][%lld], stride %lld and padding %lld do "
                 "not fit an input of %d dimensions [%lld][%lld][%lld]",
                 k->name, (long long)k->dim[0], (long long)k->dim[1], (long long)k->dim[2],
                 (long long)k->dim[3], (long long)n->size[2], (long long)n->size[3], in->n_dims,
                 (long long)in->dim[0], (long long)in->dim[1], (long long)in->dim[2]);
    return false;
  }
  n->size[0] = k->dim[2];
  n->size[1] = k->dim[3];
  n->n_dims = NODE_DIMS;
  n->dim[0] = k->dim[0];
  n->dim[1] = (in->dim[1] + 2 * n->size[3] - k->dim[2]) / n->size[2] + 1;
  n->dim[2] = (in->dim[2] + 2 * n->size[3] - k->dim[3]) / n->size[2] + 1;
  n->n = n->dim[0] * n->dim[1] * n->dim[2];
  s = window_of(n, in);
  n->work = 2 * tile_columns_max(&s) * (s.c * s.kh * s.kw + n->dim[0]);
  return true;
}

blo_node blo_graph_conv2d(blo_graph *g, blo_node in, blo_node k, blo_int stride, blo_int pad)
{
  const blo_node both[] = {in, k};
  node n = {.type = &op_conv2d, .n_in = 2, .in = {in, k}, .size = {0, 0, stride, pad}};
  const blo_block *kernels = NULL;

  if (graph_failed(g, 2, both)) {
    return -1;
  }
  if (graph_node(g, k)->is_param) {
    kernels = blo_params_get(g->params, graph_node(g, k)->block);
  }
  if (kernels == NULL || kernels->n_dims != BLO_DIMS_MAX) {
    return graph_refuse(g, BLO_E_UNSUPPORTED,
                        "conv2d: the kernels must be a parameter [out][in][height][width]");
  }
  return describe(g, graph_node(g, in), kernels, &n) ? graph_add(g, &n) : -1;
}

/**
 * @file
 * The mean of each window of size x size of an image; rows and columns that fill no window are left
 * out. Linear, so tangents go the way of values and adjoints.
 */
#include "pool.h"
#include <string.h>

/** One plane [h][w], and its result [h / size][w / size]. */
typedef struct plane {
  blo_int size, h, w, oh, ow;
  double share;
} plane;

static plane plane_of(const op_call *c)
{
  const node *a = c->in_node[0];
  blo_int size = c->node->size[0];

  return (plane){.size = size,
                 .h = a->dim[1],
                 .w = a->dim[2],
                 .oh = a->dim[1] / size,
                 .ow = a->dim[2] / size,
                 .share = 1 / (double)(size * size)};
}

/** out = means of each of n planes. */
static void means(const plane *p, blo_int n, const double *in, double *out)
{
  memset(out, 0, (size_t)(n * p->oh * p->ow) * sizeof *out);
  for (blo_int i = 0; i < n; i++, in += p->h * p->w, out += p->oh * p->ow) {
    for (blo_int y = 0; y < p->oh * p->size; y++) {
      double *to = out + y / p->size * p->ow;
      for (blo_int x = 0; x < p->ow * p->size; x++) {
        to[x / p->size] += p->share * in[y * p->w + x];
      }
    }
  }
}

/** The adjoint of means(). */
static void add_shares(const plane *p, blo_int n, const double *out, double *in)
{
  for (blo_int i = 0; i < n; i++, in += p->h * p->w, out += p->oh * p->ow) {
    for (blo_int y = 0; y < p->oh * p->size; y++) {
      const double *from = out + y / p->size * p->ow;
      for (blo_int x = 0; x < p->ow * p->size; x++) {
        in[y * p->w + x] += p->share * from[x / p->size];
      }
    }
  }
}

static blo_int planes(const op_call *c)
{
  return c->rows * c->in_node[0]->dim[0];
}

static void value(const op_call *c)
{
  plane p = plane_of(c);

  means(&p, planes(c), c->in[0], c->out);
}

static void vjp(const op_call *c)
{
  plane p = plane_of(c);

  add_shares(&p, planes(c), c->bar, c->in_bar[0]);
}

static void jvp(const op_call *c)
{
  plane p = plane_of(c);

  means(&p, planes(c) * c->n_v, c->in_dot[0], c->out_dot);
}

static void vjp_dot(const op_call *c)
{
  plane p = plane_of(c);

  add_shares(&p, planes(c) * c->n_v, c->bar_dot, c->in_bar_dot[0]);
}

static const op_type op_mean_pool = {"mean_pool", value, vjp, jvp, vjp_dot, OP_SUM};

blo_node blo_graph_mean_pool(blo_graph *g, blo_node in, blo_int size)
{
  node n;

  return pool_describe(g, &op_mean_pool, in, size, &n) ? graph_add(g, &n) : -1;
}

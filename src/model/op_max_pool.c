/**
 * @file
 * The largest number of each window of size x size of an image; rows and columns that fill no
 * window are left out. Of equal numbers the first counts. The places of the winners are kept, and
 * all derivatives go there: with w(k) the winner of number k,
 *
 *     vjp      bar(in)_w(k) += bar_k          vjp_dot  dot(bar(in))_w(k) += dot(bar)_k
 *     jvp      dot_k = dot(in)_w(k)
 */
#include "pool.h"
#include <math.h>

/** The place of the largest number of the window that begins at `first`. */
static blo_int winner(const double *in, blo_int first, blo_int width, blo_int size)
{
  blo_int best = first;

  for (blo_int y = 0; y < size; y++) {
    for (blo_int at = first + y * width; at < first + y * width + size; at++) {
      best = in[at] > in[best] || isnan(in[at]) ? at : best; /* NAN is not to be hidden */
    }
  }
  return best;
}

static void value_row(const op_call *c, const double *in, double *out, double *keep)
{
  const node *a = c->in_node[0];
  blo_int size = c->node->size[0], h = a->dim[1], w = a->dim[2], k = 0;

  for (blo_int channel = 0; channel < a->dim[0]; channel++) {
    for (blo_int y = 0; y + size <= h; y += size) {
      for (blo_int x = 0; x + size <= w; x += size) {
        blo_int best = winner(in, (channel * h + y) * w + x, w, size);
        out[k] = in[best];
        keep[k++] = (double)best;
      }
    }
  }
}

static void value(const op_call *c)
{
  blo_int n = c->node->n, n_in = c->in_node[0]->n;

  for (blo_int r = 0; r < c->rows; r++) {
    value_row(c, c->in[0] + r * n_in, c->out + r * n, c->keep + r * n);
  }
}

/** Add what belongs to the numbers of the result to the winners; `each` tensors for a row. */
static void add_to_winners(const op_call *c, blo_int each, const double *from, double *to)
{
  blo_int n = c->node->n, n_in = c->in_node[0]->n;

  for (blo_int i = 0; i < c->rows * each; i++) {
    const double *at = c->keep + i / each * n;
    for (blo_int k = 0; k < n; k++) {
      to[i * n_in + (blo_int)at[k]] += from[i * n + k];
    }
  }
}

static void vjp(const op_call *c)
{
  add_to_winners(c, 1, c->bar, c->in_bar[0]);
}

static void jvp(const op_call *c)
{
  blo_int n = c->node->n, n_in = c->in_node[0]->n;

  for (blo_int i = 0; i < c->rows * c->n_v; i++) {
    const double *at = c->keep + i / c->n_v * n;
    for (blo_int k = 0; k < n; k++) {
      c->out_dot[i * n + k] = c->in_dot[0][i * n_in + (blo_int)at[k]];
    }
  }
}

static void vjp_dot(const op_call *c)
{
  add_to_winners(c, c->n_v, c->bar_dot, c->in_bar_dot[0]);
}

static const op_type op_max_pool = {"max_pool", value, vjp, jvp, vjp_dot, OP_MODEL};

blo_node blo_graph_max_pool(blo_graph *g, blo_node in, blo_int size)
{
  node n;

  if (!pool_describe(g, &op_max_pool, in, size, &n)) {
    return -1;
  }
  n.keep = n.n;
  return graph_add(g, &n);
}

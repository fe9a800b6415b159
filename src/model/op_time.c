/**
 * @file
 * From a sequence [time][k] to [k], over the steps before the padding: the largest, the last, the
 * mean of each number; 0 if there are no steps. The largest is that of the first step that has it.
 *
 * The first two take the number of one step, which `keep` remembers; so all three are linear once
 * the value is known, and tangents go the way of values and adjoints.
 */
#include "sequence.h"
#include <math.h>
#include <string.h>

typedef struct sizes {
  blo_int time, k;
} sizes;

static sizes sizes_of(const op_call *c)
{
  const node *in = c->in_node[0];

  return (sizes){in->dim[0], in->dim[1]};
}

/* ---------------------------------------------------------- largest and last */

/** out [rows][n_v][k] from in [rows][n_v][time][k], by the steps that `keep` names; -1: 0. */
static void take(const op_call *c, blo_int n_v, const double *in, double *out)
{
  sizes s = sizes_of(c);

  for (blo_int i = 0; i < c->rows * n_v; i++) {
    const double *step = c->keep + i / n_v * s.k;
    for (blo_int u = 0; u < s.k; u++) {
      blo_int t = (blo_int)step[u];
      out[i * s.k + u] = t >= 0 ? in[(i * s.time + t) * s.k + u] : 0;
    }
  }
}

/** The adjoint of take(). */
static void give(const op_call *c, blo_int n_v, const double *out, double *in)
{
  sizes s = sizes_of(c);

  for (blo_int i = 0; i < c->rows * n_v; i++) {
    const double *step = c->keep + i / n_v * s.k;
    for (blo_int u = 0; u < s.k; u++) {
      blo_int t = (blo_int)step[u];
      if (t >= 0) {
        in[(i * s.time + t) * s.k + u] += out[i * s.k + u];
      }
    }
  }
}

/** The largest numbers so far and their steps, step by step. */
static void max_row(blo_int length, blo_int k, const double *in, double *best, double *step)
{
  for (blo_int u = 0; u < k; u++) {
    best[u] = length > 0 ? in[u] : 0;
    step[u] = length > 0 ? 0 : -1;
  }
  for (blo_int t = 1; t < length; t++) {
    for (blo_int u = 0; u < k; u++) {
      bool more = in[t * k + u] > best[u] || isnan(in[t * k + u]); /* NAN is not to be hidden */
      best[u] = more ? in[t * k + u] : best[u];
      step[u] = more ? (double)t : step[u];
    }
  }
}

static void max_value(const op_call *c)
{
  sizes s = sizes_of(c);

  for (blo_int r = 0; r < c->rows; r++) {
    max_row(sequence_length(c, r, s.time), s.k, c->in[0] + r * s.time * s.k, c->out + r * s.k,
            c->keep + r * s.k);
  }
}

static void last_value(const op_call *c)
{
  sizes s = sizes_of(c);

  for (blo_int i = 0; i < c->rows * s.k; i++) {
    c->keep[i] = (double)(sequence_length(c, i / s.k, s.time) - 1);
  }
  take(c, 1, c->in[0], c->out);
}

static void give_vjp(const op_call *c)
{
  give(c, 1, c->bar, c->in_bar[0]);
}

static void take_jvp(const op_call *c)
{
  take(c, c->n_v, c->in_dot[0], c->out_dot);
}

static void give_vjp_dot(const op_call *c)
{
  give(c, c->n_v, c->bar_dot, c->in_bar_dot[0]);
}

/* The largest is convex too, but bends nowhere: as a loss it would have the matrix 0. */
static const op_type op_max_time = {"max_time", max_value,    give_vjp,
                                    take_jvp,   give_vjp_dot, OP_MODEL};
static const op_type op_last_time = {"last_time", last_value,   give_vjp,
                                     take_jvp,    give_vjp_dot, OP_SUM};

/* --------------------------------------------------------------------- mean */

static void average(const op_call *c, blo_int n_v, const double *in, double *out)
{
  sizes s = sizes_of(c);

  memset(out, 0, (size_t)(c->rows * n_v * s.k) * sizeof *out);
  for (blo_int i = 0; i < c->rows * n_v; i++) {
    blo_int length = sequence_length(c, i / n_v, s.time);
    for (blo_int t = 0; t < length; t++) {
      for (blo_int u = 0; u < s.k; u++) {
        out[i * s.k + u] += in[(i * s.time + t) * s.k + u] / (double)length;
      }
    }
  }
}

/** The adjoint of average(). */
static void share(const op_call *c, blo_int n_v, const double *out, double *in)
{
  sizes s = sizes_of(c);

  for (blo_int i = 0; i < c->rows * n_v; i++) {
    blo_int length = sequence_length(c, i / n_v, s.time);
    for (blo_int t = 0; t < length; t++) {
      for (blo_int u = 0; u < s.k; u++) {
        in[(i * s.time + t) * s.k + u] += out[i * s.k + u] / (double)length;
      }
    }
  }
}

static void mean_value(const op_call *c)
{
  average(c, 1, c->in[0], c->out);
}

static void mean_vjp(const op_call *c)
{
  share(c, 1, c->bar, c->in_bar[0]);
}

static void mean_jvp(const op_call *c)
{
  average(c, c->n_v, c->in_dot[0], c->out_dot);
}

static void mean_vjp_dot(const op_call *c)
{
  share(c, c->n_v, c->bar_dot, c->in_bar_dot[0]);
}

static const op_type op_mean_time = {"mean_time", mean_value,   mean_vjp,
                                     mean_jvp,    mean_vjp_dot, OP_SUM};

/* ------------------------------------------------------------------- nodes */

static blo_node add(blo_graph *g, const op_type *type, blo_node in, bool keeps_steps)
{
  const node *a;
  node n;

  if (graph_failed(g, 1, &in)) {
    return -1;
  }
  a = graph_node(g, in);
  if (a->n_dims != 2) {
    return graph_refuse(g, BLO_E_SHAPE, "%s: the input has %d dimensions, not [time][k]",
                        type->name, a->n_dims);
  }
  n = graph_flat(type, a->dim[1]);
  n.n_in = 1;
  n.in[0] = in;
  n.keep = keeps_steps ? n.n : 0;
  return graph_add(g, &n);
}

blo_node blo_graph_max_time(blo_graph *g, blo_node in)
{
  return add(g, &op_max_time, in, true);
}

blo_node blo_graph_last_time(blo_graph *g, blo_node in)
{
  return add(g, &op_last_time, in, true);
}

blo_node blo_graph_mean_time(blo_graph *g, blo_node in)
{
  return add(g, &op_mean_time, in, false);
}

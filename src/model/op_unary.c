/**
 * @file
 * Elementwise functions of one input: out = f(a). With f' and f'' at a,
 *
 *     vjp      bar(a) += f' bar          vjp_dot  dot(bar(a)) += f' dot(bar) + f'' dot(a) bar
 *     jvp      dot = f' dot(a)
 *
 * Each function is a row of a table: f, and (f', f'') from a and f(a), so that none is computed
 * twice.
 */
#include "clones.h"
#include "graph_private.h"
#include "squash.h"
#include <math.h>

typedef struct slopes {
  double first, second;
} slopes;

/* `number` are the node's settings. */
typedef double function(double a, const double *number);
typedef slopes derivatives(double a, double f, const double *number);

static inline void value(const op_call *c, function *f)
{
  const double *restrict a = c->in[0], *restrict number = c->node->number;
  double *restrict out = c->out;
  blo_int n = c->rows * c->node->n;

  for (blo_int i = 0; i < n; i++) {
    out[i] = f(a[i], number);
  }
}

static inline void vjp(const op_call *c, derivatives *df)
{
  const double *restrict a = c->in[0], *restrict out = c->out, *restrict bar = c->bar;
  const double *restrict number = c->node->number;
  double *restrict to = c->in_bar[0];
  blo_int n = c->rows * c->node->n;

  for (blo_int i = 0; i < n; i++) {
    to[i] += df(a[i], out[i], number).first * bar[i];
  }
}

static inline void jvp(const op_call *c, derivatives *df)
{
  const double *restrict number = c->node->number;
  blo_int n = c->node->n;

  for (blo_int d = 0; d < c->rows * c->n_v; d++) {
    const double *restrict a = c->in[0] + d / c->n_v * n, *restrict f = c->out + d / c->n_v * n;
    const double *restrict dot = c->in_dot[0] + d * n;
    double *restrict to = c->out_dot + d * n;
    for (blo_int k = 0; k < n; k++) {
      to[k] = df(a[k], f[k], number).first * dot[k];
    }
  }
}

/** The second part of the tangent: f'' dot(a) bar. */
static inline void bend(const op_call *c, derivatives *df, blo_int d)
{
  const double *restrict number = c->node->number;
  blo_int n = c->node->n, at = d / c->n_v * n;
  const double *restrict a = c->in[0] + at, *restrict f = c->out + at, *restrict bar = c->bar + at;
  const double *restrict dot = c->in_dot[0] + d * n;
  double *restrict to = c->in_bar_dot[0] + d * n;

  for (blo_int k = 0; k < n; k++) {
    to[k] += df(a[k], f[k], number).second * bar[k] * dot[k];
  }
}

static inline void vjp_dot(const op_call *c, derivatives *df)
{
  const double *restrict number = c->node->number;
  blo_int n = c->node->n;

  for (blo_int d = 0; d < c->rows * c->n_v; d++) {
    const double *restrict a = c->in[0] + d / c->n_v * n, *restrict f = c->out + d / c->n_v * n;
    const double *restrict bar_dot = c->bar_dot + d * n;
    double *restrict to = c->in_bar_dot[0] + d * n;
    for (blo_int k = 0; k < n; k++) {
      to[k] += df(a[k], f[k], number).first * bar_dot[k];
    }
    if (c->in_dot[0] != NULL) {
      bend(c, df, d);
    }
  }
}

/* ------------------------------------------------------------ the functions */

static double tanh_f(double a, const double *number)
{
  (void)number;
  return squash_tanh(a);
}

static slopes tanh_df(double a, double f, const double *number)
{
  (void)a, (void)number;
  return (slopes){1 - f * f, -2 * f * (1 - f * f)};
}

static double sigmoid_f(double a, const double *number)
{
  (void)number;
  return squash_sigmoid(a);
}

static slopes sigmoid_df(double a, double f, const double *number)
{
  (void)a, (void)number;
  return (slopes){f * (1 - f), f * (1 - f) * (1 - 2 * f)};
}

static double relu_f(double a, const double *number)
{
  (void)number;
  return a <= 0 ? 0 : a; /* not a number stays so */
}

static slopes relu_df(double a, double f, const double *number)
{
  (void)f, (void)number;
  return (slopes){a > 0 ? 1 : 0, 0};
}

static double softplus_f(double a, const double *number)
{
  (void)number;
  return fmax(a, 0) + log1p(exp(-fabs(a)));
}

static slopes softplus_df(double a, double f, const double *number)
{
  double s = sigmoid_f(a, number);

  (void)f;
  return (slopes){s, s * (1 - s)};
}

static double exp_f(double a, const double *number)
{
  (void)number;
  return exp(a);
}

static slopes exp_df(double a, double f, const double *number)
{
  (void)a, (void)number;
  return (slopes){f, f};
}

static double square_f(double a, const double *number)
{
  (void)number;
  return a * a;
}

static slopes square_df(double a, double f, const double *number)
{
  (void)f, (void)number;
  return (slopes){2 * a, 2};
}

static double sin_f(double a, const double *number)
{
  (void)number;
  return sin(a);
}

static slopes sin_df(double a, double f, const double *number)
{
  (void)number;
  return (slopes){cos(a), -f};
}

static double cos_f(double a, const double *number)
{
  (void)number;
  return cos(a);
}

static slopes cos_df(double a, double f, const double *number)
{
  (void)number;
  return (slopes){-sin(a), -f};
}

/** (a + eps)^(-1/2), number = {eps}. */
static double rsqrt_f(double a, const double *number)
{
  return 1 / sqrt(a + number[0]);
}

static slopes rsqrt_df(double a, double f, const double *number)
{
  double inverse = 1 / (a + number[0]);

  return (slopes){-0.5 * f * inverse, 0.75 * f * inverse * inverse};
}

/** number = {factor, shift}. */
static double affine_f(double a, const double *number)
{
  return number[0] * a + number[1];
}

static slopes affine_df(double a, double f, const double *number)
{
  (void)a, (void)f;
  return (slopes){number[0], 0};
}

#define UNARY(name, kind)                                                                          \
  BLO_CLONES static void name##_value(const op_call *c)                                            \
  {                                                                                                \
    value(c, name##_f);                                                                            \
  }                                                                                                \
  BLO_CLONES static void name##_vjp(const op_call *c)                                              \
  {                                                                                                \
    vjp(c, name##_df);                                                                             \
  }                                                                                                \
  BLO_CLONES static void name##_jvp(const op_call *c)                                              \
  {                                                                                                \
    jvp(c, name##_df);                                                                             \
  }                                                                                                \
  BLO_CLONES static void name##_vjp_dot(const op_call *c)                                          \
  {                                                                                                \
    vjp_dot(c, name##_df);                                                                         \
  }                                                                                                \
  static const op_type unary_##name = {#name,      name##_value,   name##_vjp,                     \
                                       name##_jvp, name##_vjp_dot, kind};
/* Losses are the convex functions that are never negative (rsqrt where it is defined). */
UNARY(tanh, OP_MODEL)
UNARY(sigmoid, OP_WEIGHT)
UNARY(relu, OP_LOSS)
UNARY(softplus, OP_LOSS)
UNARY(exp, OP_LOSS)
UNARY(square, OP_LOSS)
UNARY(sin, OP_MODEL)
UNARY(cos, OP_MODEL)
UNARY(rsqrt, OP_LOSS)
UNARY(affine, OP_AFFINE)

/* ------------------------------------------------------------------- nodes */

static blo_node add(blo_graph *g, const op_type *type, blo_node in, double first, double second)
{
  node n;

  if (graph_failed(g, 1, &in)) {
    return -1;
  }
  n = graph_like(g, type, in);
  n.n_in = 1;
  n.in[0] = in;
  n.number[0] = first;
  n.number[1] = second;
  return graph_add(g, &n);
}

blo_node blo_graph_tanh(blo_graph *g, blo_node in)
{
  return add(g, &unary_tanh, in, 0, 0);
}

blo_node blo_graph_sigmoid(blo_graph *g, blo_node in)
{
  return add(g, &unary_sigmoid, in, 0, 0);
}

blo_node blo_graph_relu(blo_graph *g, blo_node in)
{
  return add(g, &unary_relu, in, 0, 0);
}

blo_node blo_graph_softplus(blo_graph *g, blo_node in)
{
  return add(g, &unary_softplus, in, 0, 0);
}

blo_node blo_graph_exp(blo_graph *g, blo_node in)
{
  return add(g, &unary_exp, in, 0, 0);
}

blo_node blo_graph_square(blo_graph *g, blo_node in)
{
  return add(g, &unary_square, in, 0, 0);
}

blo_node blo_graph_sin(blo_graph *g, blo_node in)
{
  return add(g, &unary_sin, in, 0, 0);
}

blo_node blo_graph_cos(blo_graph *g, blo_node in)
{
  return add(g, &unary_cos, in, 0, 0);
}

blo_node blo_graph_rsqrt(blo_graph *g, blo_node in, double eps)
{
  return add(g, &unary_rsqrt, in, eps, 0);
}

blo_node blo_graph_affine(blo_graph *g, blo_node in, double factor, double shift)
{
  return add(g, &unary_affine, in, factor, shift);
}

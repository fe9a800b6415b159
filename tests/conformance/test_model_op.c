/* ranks: 1 */
/* Every operation of the model layer against plain loops in hyper-dual numbers. */
#include "op_case.h"

/* ------------------------------------------------------------- elementwise */

static hyperdual relu(hyperdual a)
{
  return hd_max(a, hd(0));
}

static hyperdual softplus(hyperdual a)
{
  return hd_log(hd_add(hd(1), hd_exp(a)));
}

static hyperdual square(hyperdual a)
{
  return hd_mul(a, a);
}

static hyperdual rsqrt(hyperdual a)
{
  return hd_pow(hd_add(a, hd(6)), -0.5);
}

static hyperdual affine(hyperdual a)
{
  return hd_add(hd_scale(1.5, a), hd(-0.4));
}

static hyperdual same(hyperdual a)
{
  return a;
}

#define UNARY(name, ...)                                                                           \
  static blo_node build_##name(blo_graph *g, const blo_node *in)                                   \
  {                                                                                                \
    return blo_graph_##name(g, __VA_ARGS__);                                                       \
  }
UNARY(tanh, in[0])
UNARY(sigmoid, in[0])
UNARY(relu, in[0])
UNARY(softplus, in[0])
UNARY(exp, in[0])
UNARY(square, in[0])
UNARY(sin, in[0])
UNARY(cos, in[0])
UNARY(rsqrt, in[0], 6)
UNARY(affine, in[0], 1.5, -0.4)
UNARY(slice, in[0], 1, 2)
UNARY(sum, in[0])
UNARY(square_norm, in[0])
UNARY(norm, in[0])
UNARY(add, in[0], in[1])
UNARY(product, in[0], in[1])
UNARY(bias, in[0], in[1])
UNARY(concat, in[0], in[1])
UNARY(squared, in[0], in[1])
UNARY(matmul, in[0], in[1])
UNARY(softmax_ce, in[0])
UNARY(logistic, in[0])

static blo_node itself(blo_graph *g, const blo_node *in)
{
  (void)g;
  return in[0];
}

#define FLAT_WHOLE                                                                                 \
  {                                                                                                \
    WHOLE, 1, {FLAT}, 0                                                                            \
  }
#define IMAGE_WHOLE                                                                                \
  {                                                                                                \
    WHOLE, 3, {2, 4, 3}, 0                                                                         \
  }
#define IMAGE_LINES                                                                                \
  {                                                                                                \
    MEAN, 2, {2, 4}, 0                                                                             \
  }

static void elementwise(blo_comm *comm)
{
  static const op_case cases[] = {
      {"nothing", itself, same, NULL, FLAT, {FLAT_WHOLE}, 0},
      {"tanh", build_tanh, hd_tanh, NULL, FLAT, {FLAT_WHOLE}, 0},
      {"sigmoid", build_sigmoid, hd_sigmoid, NULL, FLAT, {FLAT_WHOLE}, 0},
      {"relu", build_relu, relu, NULL, FLAT, {FLAT_WHOLE}, 0},
      {"softplus", build_softplus, softplus, NULL, FLAT, {FLAT_WHOLE}, 0},
      {"exp", build_exp, hd_exp, NULL, FLAT, {FLAT_WHOLE}, 0},
      {"square", build_square, square, NULL, FLAT, {FLAT_WHOLE}, 0},
      {"sin", build_sin, hd_sin, NULL, FLAT, {FLAT_WHOLE}, 0},
      {"cos", build_cos, hd_cos, NULL, FLAT, {FLAT_WHOLE}, 0},
      {"rsqrt", build_rsqrt, rsqrt, NULL, FLAT, {FLAT_WHOLE}, 0},
      {"affine", build_affine, affine, NULL, FLAT, {FLAT_WHOLE}, 0},
      {"cos of an image", build_cos, hd_cos, NULL, MOST, {IMAGE_WHOLE}, 0},
  };
  OP_CASE_RUN(comm, cases);
}

/* --------------------------------------------------------- two inputs */

/** out_k = a_k (+ or *) b_(k / repeat). */
#define REPEATED(name, op, n, repeat)                                                              \
  static void name(const hyperdual *a, const hyperdual *b, int label, hyperdual *out)              \
  {                                                                                                \
    (void)label;                                                                                   \
    for (int k = 0; k < (n); k++) {                                                                \
      out[k] = op(a[k], b[k / (repeat)]);                                                          \
    }                                                                                              \
  }
REPEATED(add_flat, hd_add, FLAT, 1)
REPEATED(add_one, hd_add, FLAT, FLAT)
REPEATED(add_channel, hd_add, MOST, 12)
REPEATED(add_line, hd_add, MOST, 3)
REPEATED(product_flat, hd_mul, FLAT, 1)
REPEATED(product_one, hd_mul, FLAT, FLAT)
REPEATED(product_channel, hd_mul, MOST, 12)
REPEATED(product_line, hd_mul, MOST, 3)

static void bias_lines(const hyperdual *a, const hyperdual *b, int label, hyperdual *out)
{
  (void)label;
  for (int k = 0; k < 8; k++) {
    out[k] = hd_add(a[k], b[k % 4]);
  }
}

#define FLAT_ONE                                                                                   \
  {                                                                                                \
    SLICE, 1, {1}, 3                                                                               \
  }
#define IMAGE_CHANNEL                                                                              \
  {                                                                                                \
    MEAN, 1, {2}, 0                                                                                \
  }

static void sums_and_products(blo_comm *comm)
{
  static const op_case cases[] = {
      {"add", build_add, NULL, add_flat, FLAT, {FLAT_WHOLE, FLAT_WHOLE}, 0},
      {"add one", build_add, NULL, add_one, FLAT, {FLAT_WHOLE, FLAT_ONE}, 0},
      {"add lines", build_add, NULL, add_line, MOST, {IMAGE_WHOLE, IMAGE_LINES}, 0},
      {"product", build_product, NULL, product_flat, FLAT, {FLAT_WHOLE, FLAT_WHOLE}, 0},
      {"product one", build_product, NULL, product_one, FLAT, {FLAT_WHOLE, FLAT_ONE}, 0},
      {"product lines", build_product, NULL, product_line, MOST, {IMAGE_WHOLE, IMAGE_LINES}, 0},
  };
  OP_CASE_RUN(comm, cases);
}

static void channels(blo_comm *comm)
{
  static const op_case cases[] = {
      {"add channel", build_add, NULL, add_channel, MOST, {IMAGE_WHOLE, IMAGE_CHANNEL}, 0},
      {"product channel",
       build_product,
       NULL,
       product_channel,
       MOST,
       {IMAGE_WHOLE, IMAGE_CHANNEL},
       0},
      {"bias", build_bias, NULL, add_flat, FLAT, {FLAT_WHOLE, {NONE, 1, {FLAT}, 0}}, 0},
      {"bias of lines", build_bias, NULL, bias_lines, 8, {IMAGE_LINES, {NONE, 1, {4}, 0}}, 0},
      {"bias of channels",
       build_bias,
       NULL,
       add_channel,
       MOST,
       {IMAGE_WHOLE, {NONE, 1, {2}, 0}},
       0},
  };
  OP_CASE_RUN(comm, cases);
}

static blo_node build_with_itself(blo_graph *g, const blo_node *in)
{
  return blo_graph_add(g, blo_graph_product(g, in[0], in[0]), in[0]);
}

static hyperdual with_itself(hyperdual a)
{
  return hd_add(hd_mul(a, a), a);
}

static blo_node build_label(blo_graph *g, const blo_node *in)
{
  return blo_graph_product(g, in[0], blo_graph_label(g));
}

static void times_label(const hyperdual *a, const hyperdual *b, int label, hyperdual *out)
{
  (void)b;
  for (int k = 0; k < FLAT; k++) {
    out[k] = hd_scale(label, a[k]);
  }
}

static void with_itself_and_label(blo_comm *comm)
{
  static const op_case cases[] = {
      {"a a + a", build_with_itself, with_itself, NULL, FLAT, {FLAT_WHOLE}, 0},
      {"label", build_label, NULL, times_label, FLAT, {FLAT_WHOLE}, 2},
  };
  OP_CASE_RUN(comm, cases);
}

/** [2][4][3] or [5] times [3][2] or [5][2]. */
#define MATMUL(name, lines, n)                                                                     \
  static void name(const hyperdual *a, const hyperdual *b, int label, hyperdual *out)              \
  {                                                                                                \
    (void)label;                                                                                   \
    for (int k = 0; k < (lines)*2; k++) {                                                          \
      out[k] = hd(0);                                                                              \
      for (int j = 0; j < (n); j++) {                                                              \
        out[k] = hd_add(out[k], hd_mul(a[k / 2 * (n) + j], b[j * 2 + k % 2]));                     \
      }                                                                                            \
    }                                                                                              \
  }
MATMUL(matmul_flat, 1, FLAT)
MATMUL(matmul_lines, 8, 3)

static void products_with_matrices(blo_comm *comm)
{
  static const op_case cases[] = {
      {"matmul", build_matmul, NULL, matmul_flat, 2, {FLAT_WHOLE, {NONE, 2, {FLAT, 2}, 0}}, 0},
      {"matmul of lines",
       build_matmul,
       NULL,
       matmul_lines,
       16,
       {IMAGE_WHOLE, {NONE, 2, {3, 2}, 0}},
       0},
  };
  OP_CASE_RUN(comm, cases);
}

/* ------------------------------------------------------------- reductions */

#define GROUPS(n_groups)                                                                           \
  static void means_##n_groups(const hyperdual *a, const hyperdual *b, int label, hyperdual *out)  \
  {                                                                                                \
    (void)b, (void)label;                                                                          \
    for (int k = 0; k < (n_groups); k++) {                                                         \
      out[k] = hd(0);                                                                              \
    }                                                                                              \
    for (int k = 0; k < MOST; k++) {                                                               \
      int to = k / (MOST / (n_groups));                                                            \
      out[to] = hd_add(out[to], hd_scale((n_groups) / 24., a[k]));                                 \
    }                                                                                              \
  }                                                                                                \
  static blo_node build_means_##n_groups(blo_graph *g, const blo_node *in)                         \
  {                                                                                                \
    return blo_graph_mean_groups(g, in[0], MOST / (n_groups));                                     \
  }
GROUPS(1)
GROUPS(2)
GROUPS(8)
GROUPS(4)

static void sum_all(const hyperdual *a, const hyperdual *b, int label, hyperdual *out)
{
  means_1(a, b, label, out);
  out[0] = hd_scale(MOST, out[0]);
}

static void squares(const hyperdual *a, const hyperdual *b, int label, hyperdual *out)
{
  (void)b, (void)label;
  out[0] = hd(0);
  for (int k = 0; k < FLAT; k++) {
    out[0] = hd_add(out[0], hd_mul(a[k], a[k]));
  }
}

static void norms(const hyperdual *a, const hyperdual *b, int label, hyperdual *out)
{
  squares(a, b, label, out);
  out[0] = hd_pow(out[0], 0.5);
}

static void half_distance(const hyperdual *a, const hyperdual *b, int label, hyperdual *out)
{
  hyperdual d[FLAT];
  for (int k = 0; k < FLAT; k++) {
    d[k] = hd_sub(a[k], b[k]);
  }
  squares(d, NULL, label, out);
  out[0] = hd_scale(0.5, out[0]);
}

static void reductions(blo_comm *comm)
{
  static const op_case cases[] = {
      {"sum", build_sum, NULL, sum_all, 1, {IMAGE_WHOLE}, 0},
      {"mean", build_means_1, NULL, means_1, 1, {IMAGE_WHOLE}, 0},
      {"mean of channels", build_means_2, NULL, means_2, 2, {IMAGE_WHOLE}, 0},
      {"mean of lines", build_means_8, NULL, means_8, 8, {IMAGE_WHOLE}, 0},
      {"mean of lines two by two", build_means_4, NULL, means_4, 4, {IMAGE_WHOLE}, 0},
      {"square norm", build_square_norm, NULL, squares, 1, {FLAT_WHOLE}, 0},
      {"norm", build_norm, NULL, norms, 1, {FLAT_WHOLE}, 0},
      {"squared", build_squared, NULL, half_distance, 1, {FLAT_WHOLE, FLAT_WHOLE}, 0},
  };
  OP_CASE_RUN(comm, cases);
}

/* ------------------------------------------------------- parts and losses */

static void part(const hyperdual *a, const hyperdual *b, int label, hyperdual *out)
{
  (void)b, (void)label;
  for (int k = 0; k < 16; k++) {
    out[k] = a[k / 2 * 3 + 1 + k % 2];
  }
}

static void joined_flat(const hyperdual *a, const hyperdual *b, int label, hyperdual *out)
{
  (void)label;
  for (int k = 0; k < FLAT + 2; k++) {
    out[k] = k < FLAT ? a[k] : b[k - FLAT];
  }
}

static void joined(const hyperdual *a, const hyperdual *b, int label, hyperdual *out)
{
  (void)label;
  for (int k = 0; k < 40; k++) {
    out[k] = k % 5 < 3 ? a[k / 5 * 3 + k % 5] : b[k / 5 * 2 + k % 5 - 3];
  }
}

static void cross_entropy(const hyperdual *a, const hyperdual *b, int label, hyperdual *out)
{
  hyperdual sum = {0};
  (void)b;
  for (int k = 0; k < 3; k++) {
    sum = hd_add(sum, hd_exp(a[k]));
  }
  out[0] = hd_sub(hd_log(sum), a[label]);
}

static void logistic(const hyperdual *a, const hyperdual *b, int label, hyperdual *out)
{
  (void)b;
  out[0] = softplus(hd_scale(label == 1 ? -1 : 1, a[0]));
}

static void parts(blo_comm *comm)
{
  static const op_case cases[] = {
      {"slice", build_slice, NULL, part, 16, {IMAGE_WHOLE}, 0},
      {"concat", build_concat, NULL, joined_flat, FLAT + 2, {FLAT_WHOLE, {SLICE, 1, {2}, 2}}, 0},
      {"concat of lines",
       build_concat,
       NULL,
       joined,
       40,
       {IMAGE_WHOLE, {SLICE, 3, {2, 4, 2}, 1}},
       0},
  };
  OP_CASE_RUN(comm, cases);
}

static void losses(blo_comm *comm)
{
  static const op_case cases[] = {
      {"softmax_ce", build_softmax_ce, NULL, cross_entropy, 1, {{SLICE, 1, {3}, 1}}, 3},
      {"logistic", build_logistic, NULL, logistic, 1, {FLAT_ONE}, 2},
  };
  OP_CASE_RUN(comm, cases);
}

static const blo_test tests[] = {
    {"elementwise", elementwise},
    {"sums and products", sums_and_products},
    {"channels", channels},
    {"with itself, and label", with_itself_and_label},
    {"products with matrices", products_with_matrices},
    {"reductions", reductions},
    {"parts", parts},
    {"losses", losses},
};
BLO_TEST_MAIN("model op", tests)

/* ranks: 1 2 */
/* Every operation of the model layer against plain loops in hyper-dual numbers, between all kinds
 * of inputs: on rows or global, made of x, of y, of both, of the samples' own entries of x, of
 * none. */
#include "model_check.h"

enum { ROWS = 5, MOST = 24, FLAT = 5 };
/* Images are [2][4][4]; of them [2][4][3] is cut, because squares hide mistakes. */
enum { SIDE = 4, WIDTH = 3 };

/** Where an input comes from: `out` = F(base, p_x, p_y, s), base from the features. */
typedef enum kind {
  DATA,
  ROW_X,
  ROW_Y,
  ROW_XY,
  ROW_S,
  ROW_SY,
  CONSTANT,
  PARAM_X,
  GLOBAL_X,
  PARAM_Y,
  GLOBAL_Y, /* the last two in terms only */
  GLOBAL_XY,
  N_KINDS
} kind;
static const char *const kind_name[] = {"data",   "rows on x", "rows on y", "rows on x and y",
                                        "sample", "sample, y", "constant",  "x",
                                        "tanh x", "y",         "tanh y",    "tanh x y"};

/** How the base of an input on rows is made of the features. */
typedef enum base { NONE, WHOLE, SLICE, MEAN } base;
typedef struct slot {
  base base;
  int n_dims;
  blo_int dim[3];
  blo_int at; /* SLICE: first number */
} slot;

typedef struct op_case {
  const char *name;
  blo_node (*build)(blo_graph *g, const blo_node *in);
  hyperdual (*f)(hyperdual); /* elementwise, or: */
  void (*refer)(const hyperdual *a, const hyperdual *b, int label, hyperdual *out);
  blo_int n_out;
  slot in[2];        /* of the second one n_dims is 0 if there is none */
  blo_int n_classes; /* 0: labels do not matter */
} op_case;

/** The features are an image or flat, as the first input is. */
static bool is_image(const op_case *op)
{
  return op->in[0].n_dims > 1;
}

/** A case with its kinds of inputs. */
typedef struct setting {
  const op_case *op;
  kind kind[2];
} setting;

static const blo_int row[ROWS] = {3, 0, 4, 1, 1};
static const double sample_value[ROWS] = {0.3, -1.2, 0.8, 2.1, -0.4};
static const int32_t own_label[ROWS] = {1, 0, 1, 1, 0};

static blo_int numbers(const slot *s)
{
  blo_int n = s->n_dims > 0 ? 1 : 0;
  for (int k = 0; k < s->n_dims; k++) {
    n *= s->dim[k];
  }
  return n;
}

static double constant(int k)
{
  return 0.4 - 0.15 * k;
}

/* ----------------------------------------------------------- the reference */

static void refer_base(const op_case *op, const slot *s, const double *f, double *to)
{
  blo_int n = numbers(s), all = is_image(op) ? MOST : FLAT, whole = is_image(op) ? WIDTH : FLAT;
  blo_int width = s->dim[s->n_dims - 1];
  for (blo_int k = 0; k < n; k++) {
    if (s->base == WHOLE) {
      to[k] = f[k];
    } else if (s->base == SLICE) {
      to[k] = f[k / width * whole + s->at + k % width];
    } else {
      to[k] = 0;
      for (blo_int i = 0; i < all / n; i++) {
        to[k] += f[k * (all / n) + i] / (double)(all / n);
      }
    }
  }
}

static hyperdual refer_number(kind how, int k, double b, hyperdual x, hyperdual y, hyperdual s)
{
  switch (how) {
  case DATA:
    return hd(b);
  case ROW_X:
    return hd_tanh(hd_add(hd(b), x));
  case ROW_Y:
    return hd_tanh(hd_add(hd(b), y));
  case ROW_XY:
    return hd_tanh(hd_mul(hd_add(hd(b), x), y));
  case ROW_S:
    return hd_tanh(hd_scale(b, s));
  case ROW_SY:
    return hd_tanh(hd_mul(hd_add(hd(b), y), s));
  case CONSTANT:
    return hd(constant(k));
  case PARAM_X:
    return x;
  case GLOBAL_X:
    return hd_tanh(x);
  case PARAM_Y:
    return y;
  case GLOBAL_Y:
    return hd_tanh(y);
  default:
    return hd_tanh(hd_mul(x, y));
  }
}

static const hyperdual *block(const model_case *c, const char *name, const hyperdual *x,
                              const hyperdual *y)
{
  const blo_block *b = blo_params_find(c->params, name);
  return (b->owner == BLO_IN_X ? x : y) + b->offset;
}

static void refer_input(const model_case *c, int i, const double *f, const hyperdual *x,
                        const hyperdual *y, hyperdual s, hyperdual *to)
{
  const setting *set = c->more;
  const slot *in = &set->op->in[i];
  const hyperdual *px = block(c, i == 0 ? "x0" : "x1", x, y);
  const hyperdual *py = block(c, i == 0 ? "y0" : "y1", x, y);
  double b[MOST] = {0}, cut[MOST];
  if (in->base != NONE && f != NULL) {
    for (int k = 0; k < (is_image(set->op) ? MOST : FLAT); k++) {
      cut[k] = f[is_image(set->op) ? k / WIDTH * SIDE + 1 + k % WIDTH : k];
    }
    refer_base(set->op, in, cut, b);
  }
  for (int k = 0; k < numbers(in); k++) {
    to[k] = refer_number(set->kind[i], k, b[k], px[k], py[k], s);
  }
}

/** sum_k sin(out_k y_k + tanh x_k). */
static hyperdual refer_op(const model_case *c, const double *f, int label, const hyperdual *x,
                          const hyperdual *y, hyperdual s)
{
  const op_case *op = ((const setting *)c->more)->op;
  const hyperdual *px = block(c, "x out", x, y), *py = block(c, "y out", x, y);
  hyperdual in[2][MOST], out[2 * MOST], sum = {0};
  for (int i = 0; i < 2 && op->in[i].n_dims > 0; i++) {
    refer_input(c, i, f, x, y, s, in[i]);
  }
  if (op->refer != NULL) {
    op->refer(in[0], in[1], label, out);
  }
  for (int k = 0; k < op->n_out; k++) {
    hyperdual o = op->f != NULL ? op->f(in[0][k]) : out[k];
    sum = hd_add(sum, hd_sin(hd_add(hd_mul(o, py[k]), hd_tanh(px[k]))));
  }
  return sum;
}

static const double *features(const model_case *c, blo_int i)
{
  return (const double *)c->rows.table->values + c->rows.row[i] * c->rows.table->ld;
}

static hyperdual row_loss(const model_case *c, blo_int i, const hyperdual *x, const hyperdual *y,
                          hyperdual s)
{
  int label = c->rows.label != NULL ? c->rows.label[i] : c->rows.table->label[c->rows.row[i]];
  return refer_op(c, features(c, i), label, x, y, s);
}

static hyperdual global_term(const model_case *c, const hyperdual *x, const hyperdual *y)
{
  return refer_op(c, NULL, 0, x, y, hd(0));
}

/** Beside a term: sin(t sum_k f_k), t of y. */
static hyperdual other_loss(const model_case *c, blo_int i, const hyperdual *x, const hyperdual *y,
                            hyperdual s)
{
  const hyperdual *t = block(c, "t", x, y);
  double sum = 0;
  (void)s;
  for (int k = 0; k < c->rows.table->n_features; k++) {
    sum += features(c, i)[k];
  }
  return hd_sin(hd_scale(sum, *t));
}

/** Beside a loss: ||tanh(x out) o (y out)||^2. */
static hyperdual other_term(const model_case *c, const hyperdual *x, const hyperdual *y)
{
  const op_case *op = ((const setting *)c->more)->op;
  const hyperdual *px = block(c, "x out", x, y), *py = block(c, "y out", x, y);
  hyperdual sum = {0};
  for (int k = 0; k < op->n_out; k++) {
    hyperdual p = hd_mul(hd_tanh(px[k]), py[k]);
    sum = hd_add(sum, hd_mul(p, p));
  }
  return sum;
}

/* ------------------------------------------------------------------ graphs */

static const blo_init zero = {BLO_INIT_CONSTANT, 0};

static blo_node build_base(blo_graph *g, const op_case *op, const slot *s)
{
  blo_node f =
      is_image(op) ? blo_graph_slice(g, blo_graph_images(g, 2), 1, WIDTH) : blo_graph_features(g);
  blo_int all = is_image(op) ? MOST : FLAT;
  if (s->base == SLICE) {
    return blo_graph_slice(g, f, s->at, s->dim[s->n_dims - 1]);
  }
  return s->base == MEAN ? blo_graph_mean_groups(g, f, all / numbers(s)) : f;
}

static blo_node build_input(blo_graph *g, const setting *set, int i)
{
  const slot *s = &set->op->in[i];
  blo_node x = blo_graph_param(g, BLO_IN_X, i == 0 ? "x0" : "x1", s->n_dims, s->dim, zero);
  blo_node y = blo_graph_param(g, BLO_IN_Y, i == 0 ? "y0" : "y1", s->n_dims, s->dim, zero);
  double c[MOST];
  for (int k = 0; k < numbers(s); k++) {
    c[k] = constant(k);
  }
  switch (set->kind[i]) {
  case DATA:
    return build_base(g, set->op, s);
  case ROW_X:
    return blo_graph_tanh(g, blo_graph_add(g, build_base(g, set->op, s), x));
  case ROW_Y:
    return blo_graph_tanh(g, blo_graph_add(g, build_base(g, set->op, s), y));
  case ROW_XY:
    return blo_graph_tanh(g,
                          blo_graph_product(g, blo_graph_add(g, build_base(g, set->op, s), x), y));
  case ROW_S:
    return blo_graph_tanh(
        g, blo_graph_product(g, build_base(g, set->op, s), blo_graph_sample_value(g)));
  case ROW_SY:
    return blo_graph_tanh(g, blo_graph_product(g, blo_graph_add(g, build_base(g, set->op, s), y),
                                               blo_graph_sample_value(g)));
  case CONSTANT:
    return blo_graph_constant(g, numbers(s), c);
  case PARAM_X:
    return x;
  case GLOBAL_X:
    return blo_graph_tanh(g, x);
  case PARAM_Y:
    return y;
  case GLOBAL_Y:
    return blo_graph_tanh(g, y);
  default:
    return blo_graph_tanh(g, blo_graph_product(g, x, y));
  }
}

static bool is_global(kind k)
{
  return k >= CONSTANT;
}

static bool is_term(const setting *set)
{
  return is_global(set->kind[0]) && (set->op->in[1].n_dims == 0 || is_global(set->kind[1]));
}

static void build(blo_graph *g, const setting *set)
{
  blo_int n = set->op->n_out;
  blo_node in[2], out, x, y, sum;
  for (int i = 0; i < 2 && set->op->in[i].n_dims > 0; i++) {
    in[i] = build_input(g, set, i);
  }
  x = blo_graph_tanh(g, blo_graph_param(g, BLO_IN_X, "x out", 1, &n, zero));
  y = blo_graph_param(g, BLO_IN_Y, "y out", 1, &n, zero);
  out = set->op->build(g, in);
  sum = blo_graph_sum(g, blo_graph_sin(g, blo_graph_add(g, blo_graph_product(g, out, y), x)));
  if (is_term(set)) {
    blo_node f = blo_graph_sum(g, blo_graph_features(g));
    blo_node t = blo_graph_param(g, BLO_IN_Y, "t", 1, (const blo_int[]){1}, zero);
    blo_graph_term(g, sum);
    blo_graph_loss(g, blo_graph_sin(g, blo_graph_product(g, f, t)));
  } else {
    blo_graph_loss(g, sum);
    blo_graph_term(g, blo_graph_square_norm(g, blo_graph_product(g, x, y)));
  }
}

static void run(blo_comm *comm, const blo_table *table, const setting *set)
{
  blo_context *ctx = blo_comm_context(comm);
  const op_case *op = set->op;
  blo_input input = {.n_features = table->n_features, .n_classes = table->n_classes};
  bool term = is_term(set), two = op->in[1].n_dims > 0;
  char name[128];
  model_case c = {.name = name,
                  .loss = term ? other_loss : row_loss,
                  .term = term ? global_term : other_term,
                  .more = set};
  snprintf(name, sizeof name, "%s(%s%s%s)", op->name, kind_name[set->kind[0]], two ? "; " : "",
           two ? kind_name[set->kind[1]] : "");
  BLO_REQUIRE_STATUS(blo_params_create(ctx, &c.params), BLO_OK);
  BLO_REQUIRE_STATUS(blo_graph_create(ctx, c.params, &input, &c.graph), BLO_OK);
  build(c.graph, set);
  if (BLO_EXPECT_STATUS(blo_graph_finish(c.graph, 3), BLO_OK)) {
    c.rows = (blo_graph_rows){.n = ROWS,
                              .table = table,
                              .row = row,
                              .label = set->kind[0] % 2 == 0 ? own_label : NULL,
                              .sample_value = sample_value};
    model_check_random(&c, 0.7, 1, 1e-11);
  } else {
    blo_test_expect(false, false, __FILE__, __LINE__, "%s", name);
  }
  blo_graph_destroy(&c.graph);
  blo_params_destroy(&c.params);
}

/** Inputs that only take global tensors have no base. */
static bool possible(const setting *set)
{
  for (int i = 0; i < 2 && set->op->in[i].n_dims > 0; i++) {
    bool flat = set->op->in[i].n_dims == 1;
    if ((!is_global(set->kind[i]) && set->op->in[i].base == NONE) ||
        (set->kind[i] == CONSTANT && !flat) || (!is_term(set) && set->kind[i] >= GLOBAL_Y)) {
      return false;
    }
  }
  return !(is_term(set) && set->op->n_classes > 0); /* labels belong to rows */
}

static void run_kinds(blo_comm *comm, const op_case *op)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_table *table = NULL;
  bool two = op->in[1].n_dims > 0;
  BLO_REQUIRE_STATUS(model_random_table(ctx, ROWS, is_image(op) ? 2 * SIDE * SIDE : FLAT,
                                        op->n_classes > 0 ? op->n_classes : 2, 5, &table),
                     BLO_OK);
  for (int a = 0; a < N_KINDS; a++) {
    for (int b = 0; b < (two ? N_KINDS : 1); b++) {
      setting set = {op, {(kind)a, (kind)b}};
      if (possible(&set)) {
        run(comm, table, &set);
      }
    }
  }
  blo_table_destroy(ctx, &table);
}

static void run_cases(blo_comm *comm, const op_case *cases, size_t n)
{
  for (size_t k = 0; k < n; k++) {
    run_kinds(comm, &cases[k]);
  }
}
#define RUN(comm, cases) run_cases(comm, cases, sizeof(cases) / sizeof((cases)[0]))

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
  RUN(comm, cases);
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
  RUN(comm, cases);
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
  RUN(comm, cases);
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
  RUN(comm, cases);
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
  RUN(comm, cases);
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
  RUN(comm, cases);
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
  RUN(comm, cases);
}

static void losses(blo_comm *comm)
{
  static const op_case cases[] = {
      {"softmax_ce", build_softmax_ce, NULL, cross_entropy, 1, {{SLICE, 1, {3}, 1}}, 3},
      {"logistic", build_logistic, NULL, logistic, 1, {FLAT_ONE}, 2},
  };
  RUN(comm, cases);
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

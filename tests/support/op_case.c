#include "op_case.h"

enum { ROWS = 5 };

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

void op_case_run(blo_comm *comm, const op_case *cases, size_t n)
{
  for (size_t k = 0; k < n; k++) {
    run_kinds(comm, &cases[k]);
  }
}

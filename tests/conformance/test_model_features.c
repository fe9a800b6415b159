/* ranks: 1 2 */
/* Features of all kinds of storage, scaled or not, dense, sparse or with zeros left out, through
 * layers of x and of y, against plain loops in hyper-dual numbers. */
#include "model_check.h"

enum { ROWS = 5, FEATURES = 11, HIDDEN = 3, CLASSES = 3 };

/** How the features are kept. */
typedef struct variant {
  const char *name;
  blo_storage storage;
  bool sparse, skip_zeros, scaled;
} variant;

static const blo_int row[ROWS] = {3, 0, 4, 1, 1};

/** Feature k of sample i: small integers, most of them 0; sample 4 has none. */
static double feature(blo_int i, blo_int k)
{
  blo_stream stream = {5, BLO_PURPOSE_TEST};
  uint64_t r = blo_stream_below(stream, 0, (uint64_t)i, (uint64_t)k, 10);
  return i == 4 || r < 6 ? 0 : (double)(r - 5);
}

static double shift(blo_int k)
{
  return 0.3 * (double)k - 1;
}

static double scale(blo_int k)
{
  return k == 2 ? 0 : 0.5 + 0.1 * (double)k;
}

/* ---------------------------------------------------------------- reference */

static const hyperdual *block(const model_case *c, const char *name, const hyperdual *x,
                              const hyperdual *y)
{
  const blo_block *b = blo_params_find(c->params, name);
  return (b->owner == BLO_IN_X ? x : y) + b->offset;
}

/** out_j = sum_k in_k W_kj + b_j. */
static void layer(int n, const hyperdual *in, int m, const hyperdual *w, const hyperdual *b,
                  hyperdual *out)
{
  for (int j = 0; j < m; j++) {
    out[j] = b != NULL ? b[j] : hd(0);
    for (int k = 0; k < n; k++) {
      out[j] = hd_add(out[j], hd_mul(in[k], w[k * m + j]));
    }
  }
}

static hyperdual loss(const model_case *c, blo_int i, const hyperdual *x, const hyperdual *y,
                      hyperdual s)
{
  const variant *v = c->more;
  hyperdual a[FEATURES], h[HIDDEN], z[CLASSES], other[CLASSES], sum = {0};
  (void)s;
  for (int k = 0; k < FEATURES; k++) {
    double f = feature(row[i], k);
    a[k] = hd(v->scaled ? (f - shift(k)) * scale(k) : f);
  }
  layer(FEATURES, a, HIDDEN, block(c, "net.1.W", x, y), block(c, "net.1.b", x, y), h);
  for (int k = 0; k < HIDDEN; k++) {
    h[k] = hd_sigmoid(h[k]);
  }
  layer(HIDDEN, h, HIDDEN, block(c, "net.2.W", x, y), block(c, "net.2.b", x, y), z);
  for (int k = 0; k < HIDDEN; k++) {
    h[k] = hd_sigmoid(z[k]);
  }
  layer(HIDDEN, h, CLASSES, block(c, "out.W", x, y), block(c, "out.b", x, y), z);
  layer(FEATURES, a, CLASSES, block(c, "direct", x, y), NULL, other);
  for (int k = 0; k < CLASSES; k++) {
    z[k] = hd_add(z[k], hd_tanh(other[k]));
    sum = hd_add(sum, hd_exp(z[k]));
  }
  return hd_sub(hd_log(sum), z[c->rows.table->label[row[i]]]);
}

/* ------------------------------------------------------------------- tables */

static void fill_dense(const blo_table *t)
{
  for (blo_int i = 0; i < ROWS; i++) {
    for (blo_int k = 0; k < FEATURES; k++) {
      blo_int at = i * t->ld + k;
      if (t->storage == BLO_U8) {
        ((uint8_t *)t->values)[at] = (uint8_t)feature(i, k);
      } else if (t->storage == BLO_F32) {
        ((float *)t->values)[at] = (float)feature(i, k);
      } else {
        ((double *)t->values)[at] = feature(i, k);
      }
    }
  }
}

static void fill_sparse(const blo_table *t)
{
  blo_int n = 0;
  for (blo_int i = 0; i < ROWS; i++) {
    t->row_start[i] = n;
    for (int32_t k = 0; k < FEATURES; k++) {
      if (feature(i, k) > 0) {
        t->column[n] = k;
        ((double *)t->values)[n++] = feature(i, k);
      }
    }
  }
  t->row_start[ROWS] = n;
}

/** A dense table made into the variant. */
static blo_status make_table(blo_context *ctx, const variant *v, blo_table **out)
{
  blo_table *t;
  BLO_TRY(model_random_table(ctx, ROWS, FEATURES, CLASSES, 5, out));
  t = *out;
  blo_free(ctx, &t->values);
  t->storage = v->storage;
  t->sparse = v->sparse;
  if (v->sparse) {
    BLO_TRY(blo_alloc(ctx, ROWS + 1, sizeof *t->row_start, &t->row_start));
    BLO_TRY(blo_alloc(ctx, ROWS * FEATURES, sizeof *t->column, &t->column));
    BLO_TRY(blo_alloc(ctx, ROWS * FEATURES, sizeof(double), &t->values));
    fill_sparse(t);
    return BLO_OK;
  }
  BLO_TRY(blo_alloc(ctx, ROWS * t->ld, blo_storage_size(t->storage), &t->values));
  fill_dense(t);
  return BLO_OK;
}

/* -------------------------------------------------------------------- cases */

static void describe(blo_graph *g)
{
  static const blo_int width[] = {HIDDEN, HIDDEN}, dim[] = {FEATURES, CLASSES};
  blo_node f = blo_graph_features(g);
  blo_node h = blo_graph_mlp(g, BLO_IN_Y, "net", f, 2, width, BLO_SIGMOID);
  blo_node z = blo_graph_linear(g, BLO_IN_Y, "out", h, CLASSES);
  blo_node w = blo_graph_param(g, BLO_IN_X, "direct", 2, dim, (blo_init){BLO_INIT_GLOROT, 1});
  blo_node other = blo_graph_tanh(g, blo_graph_matmul(g, f, w));
  blo_graph_loss(g, blo_graph_softmax_ce(g, blo_graph_add(g, z, other)));
}

static void run(blo_comm *comm, const variant *v)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_input input = {.n_features = FEATURES,
                     .n_classes = CLASSES,
                     .sparse = v->sparse,
                     .skip_zeros = v->skip_zeros,
                     .n_nonzeros = FEATURES};
  model_case c = {.name = v->name, .loss = loss, .more = v};
  blo_table *table = NULL;
  double shifts[FEATURES], scales[FEATURES];
  blo_scaling scaling = {.shift = shifts, .scale = scales};
  for (blo_int k = 0; k < FEATURES; k++) {
    shifts[k] = shift(k);
    scales[k] = scale(k);
  }
  BLO_REQUIRE_STATUS(make_table(ctx, v, &table), BLO_OK);
  BLO_REQUIRE_STATUS(blo_params_create(ctx, &c.params), BLO_OK);
  BLO_REQUIRE_STATUS(blo_graph_create(ctx, c.params, &input, &c.graph), BLO_OK);
  describe(c.graph);
  BLO_REQUIRE_STATUS(blo_graph_finish(c.graph, 3), BLO_OK);
  c.rows = (blo_graph_rows){
      .n = ROWS, .table = table, .row = row, .scaling = v->scaled ? &scaling : NULL};
  model_check_random(&c, 0.5, 1, 1e-11);
  blo_graph_destroy(&c.graph);
  blo_params_destroy(&c.params);
  blo_table_destroy(ctx, &table);
}

static void dense(blo_comm *comm)
{
  static const variant all[] = {{"double", BLO_F64, false, false, false},
                                {"double, scaled", BLO_F64, false, false, true},
                                {"float, scaled", BLO_F32, false, false, true},
                                {"bytes", BLO_U8, false, false, false},
                                {"bytes, scaled", BLO_U8, false, false, true}};
  for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
    run(comm, &all[k]);
  }
}

static void zeros_left_out(blo_comm *comm)
{
  static const variant all[] = {{"double without zeros", BLO_F64, false, true, false},
                                {"double without zeros, scaled", BLO_F64, false, true, true},
                                {"float without zeros, scaled", BLO_F32, false, true, true},
                                {"bytes without zeros", BLO_U8, false, true, false},
                                {"bytes without zeros, scaled", BLO_U8, false, true, true},
                                {"sparse", BLO_F64, true, false, false},
                                {"sparse, scaled", BLO_F64, true, false, true}};
  for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
    run(comm, &all[k]);
  }
}

static const blo_test tests[] = {{"dense", dense}, {"zeros left out", zeros_left_out}};
BLO_TEST_MAIN("model features", tests)

/* The core of the model layer: what is refused, parameters and their starting values, memory. */
#include "model_check.h"
#include <string.h>

enum { ROWS = 6, FEATURES = 4, CLASSES = 3, SEED = 9 };
static const blo_input dense = {.n_features = FEATURES, .n_classes = CLASSES};
static const blo_init zero = {BLO_INIT_CONSTANT, 0}, glorot = {BLO_INIT_GLOROT, 1};

/* ---------------------------------------------------------------- refusals */

/** A description that does not fit, and what finish() says. */
typedef struct refusal {
  const char *what;
  void (*describe)(blo_graph *g);
  blo_status status;
  const char *says;
} refusal;

static blo_node param(blo_graph *g, blo_owner owner, const char *name, blo_int n)
{
  return blo_graph_param(g, owner, name, 1, &n, zero);
}

static blo_node matrix(blo_graph *g, blo_owner owner, const char *name, blo_int n, blo_int m)
{
  return blo_graph_param(g, owner, name, 2, (const blo_int[]){n, m}, glorot);
}

static void bias_of_another_size(blo_graph *g)
{
  blo_graph_bias(g, blo_graph_features(g), param(g, BLO_IN_Y, "b", FEATURES + 1));
}

static void bias_on_rows(blo_graph *g)
{
  blo_graph_bias(g, blo_graph_features(g), blo_graph_features(g));
}

static void matrix_of_another_size(blo_graph *g)
{
  blo_graph_matmul(g, blo_graph_features(g), matrix(g, BLO_IN_Y, "W", FEATURES - 1, 2));
}

static void add_of_another_size(blo_graph *g)
{
  blo_graph_add(g, blo_graph_features(g), param(g, BLO_IN_Y, "b", 2));
}

static void product_with_more(blo_graph *g)
{
  blo_graph_product(g, blo_graph_label(g), param(g, BLO_IN_Y, "b", 2));
}

static void squared_of_another_size(blo_graph *g)
{
  blo_graph_squared(g, blo_graph_features(g), param(g, BLO_IN_Y, "b", 1));
}

static void concat_of_other_dims(blo_graph *g)
{
  blo_graph_concat(g, matrix(g, BLO_IN_X, "W", 2, 3), matrix(g, BLO_IN_X, "V", 3, 3));
}

static void concat_of_other_n_dims(blo_graph *g)
{
  blo_graph_concat(g, matrix(g, BLO_IN_X, "W", 1, 3), param(g, BLO_IN_X, "v", 3));
}

static void slice_beyond(blo_graph *g)
{
  blo_graph_slice(g, blo_graph_features(g), 2, FEATURES - 1);
}

static void slice_of_nothing(blo_graph *g)
{
  blo_graph_slice(g, blo_graph_features(g), 1, 0);
}

static void groups_across_lines(blo_graph *g)
{
  blo_graph_mean_groups(g, matrix(g, BLO_IN_X, "W", 2, 3), 2);
}

static void groups_of_nothing(blo_graph *g)
{
  blo_graph_mean_groups(g, blo_graph_features(g), 0);
}

static void groups_too_large(blo_graph *g)
{
  blo_graph_mean_groups(g, blo_graph_features(g), 2 * FEATURES);
}

static void too_few_logits(blo_graph *g)
{
  blo_graph_softmax_ce(g, blo_graph_features(g));
  blo_graph_slice(g, blo_graph_features(g), 9, 9); /* the first failure counts */
}

static void global_logits(blo_graph *g)
{
  blo_graph_softmax_ce(g, param(g, BLO_IN_Y, "z", CLASSES));
}

static void logistic_of_three_classes(blo_graph *g)
{
  blo_graph_logistic(g, blo_graph_label(g));
}

static void other_dims(blo_graph *g)
{
  matrix(g, BLO_IN_Y, "W", 2, 3);
  matrix(g, BLO_IN_Y, "W", 3, 2);
}

static void other_owner(blo_graph *g)
{
  param(g, BLO_IN_Y, "w", 2);
  param(g, BLO_IN_X, "w", 2);
}

static void other_start(blo_graph *g)
{
  const blo_int n = 2;

  param(g, BLO_IN_Y, "w", n);
  blo_graph_param(g, BLO_IN_Y, "w", 1, &n, (blo_init){BLO_INIT_CONSTANT, 1});
}

static void no_name(blo_graph *g)
{
  param(g, BLO_IN_Y, "", 1);
}

static void long_name(blo_graph *g)
{
  char name[2 * BLO_NAME_MAX];

  memset(name, 'a', sizeof name);
  name[sizeof name - 1] = '\0';
  blo_graph_linear(g, BLO_IN_Y, name, blo_graph_features(g), 1);
}

static void no_numbers(blo_graph *g)
{
  param(g, BLO_IN_Y, "w", 0);
}

static void global_of_y_with_rows(blo_graph *g)
{
  blo_graph_add(g, blo_graph_features(g), blo_graph_tanh(g, param(g, BLO_IN_Y, "w", FEATURES)));
}

static void no_loss(blo_graph *g)
{
  blo_graph_term(g, blo_graph_square_norm(g, param(g, BLO_IN_Y, "w", 2)));
}

static void large_loss(blo_graph *g)
{
  blo_graph_loss(g, blo_graph_features(g));
}

static void global_loss(blo_graph *g)
{
  blo_graph_loss(g, param(g, BLO_IN_Y, "w", 1));
}

static void two_losses(blo_graph *g)
{
  blo_graph_loss(g, blo_graph_label(g));
  blo_graph_loss(g, blo_graph_label(g));
}

static void term_on_rows(blo_graph *g)
{
  blo_graph_term(g, blo_graph_label(g));
}

static void large_term(blo_graph *g)
{
  blo_graph_term(g, param(g, BLO_IN_Y, "w", 2));
}

static void no_square_images(blo_graph *g)
{
  blo_graph_images(g, 2);
}

static void expect_refusals(blo_context *ctx, const blo_input *input, const refusal *r, size_t n)
{
  for (size_t k = 0; k < n; k++) {
    blo_params *params = NULL;
    blo_graph *g = NULL;
    BLO_REQUIRE_STATUS(blo_params_create(ctx, &params), BLO_OK);
    BLO_REQUIRE_STATUS(blo_graph_create(ctx, params, input, &g), BLO_OK);
    r[k].describe(g);
    blo_status status = blo_graph_finish(g, 1);
    BLO_EXPECT_MSG(status == r[k].status && strstr(blo_error_text(ctx), r[k].says) != NULL,
                   "%s: %s: %s", r[k].what, blo_status_text(status), blo_error_text(ctx));
    blo_graph_destroy(&g);
    blo_params_destroy(&params);
  }
}

static void misfits_are_refused(blo_comm *comm)
{
  static const refusal all[] = {
      {"bias", bias_of_another_size, BLO_E_SHAPE, "bias: 5 numbers"},
      {"bias on rows", bias_on_rows, BLO_E_SHAPE, "bias"},
      {"matmul", matrix_of_another_size, BLO_E_SHAPE, "matmul"},
      {"add", add_of_another_size, BLO_E_SHAPE, "add: 2 numbers"},
      {"product", product_with_more, BLO_E_SHAPE, "product: 2 numbers"},
      {"squared", squared_of_another_size, BLO_E_SHAPE, "squared: 4 numbers against 1"},
      {"concat", concat_of_other_dims, BLO_E_SHAPE, "concat"},
      {"concat, n_dims", concat_of_other_n_dims, BLO_E_SHAPE, "concat"},
      {"slice", slice_beyond, BLO_E_SHAPE, "slice: numbers 2 to 4 of 4"},
      {"empty slice", slice_of_nothing, BLO_E_SHAPE, "slice"},
      {"groups", groups_across_lines, BLO_E_SHAPE, "groups of 2"},
      {"empty groups", groups_of_nothing, BLO_E_SHAPE, "groups of 0"},
      {"large groups", groups_too_large, BLO_E_SHAPE, "groups of 8"},
      {"softmax_ce", too_few_logits, BLO_E_SHAPE, "softmax_ce: 4 logits for 3 classes"},
      {"softmax_ce of y", global_logits, BLO_E_SHAPE, "softmax_ce"},
      {"logistic", logistic_of_three_classes, BLO_E_SHAPE, "logistic"},
      {"dims", other_dims, BLO_E_SHAPE, "'W' is described twice"},
      {"owner", other_owner, BLO_E_SHAPE, "'w' is described twice"},
      {"start", other_start, BLO_E_SHAPE, "'w' is described twice"},
      {"no name", no_name, BLO_E_SHAPE, "a name of 1 to 47"},
      {"long name", long_name, BLO_E_SHAPE, "a name of 1 to 47"},
      {"no numbers", no_numbers, BLO_E_SHAPE, "no numbers"},
      {"function of y", global_of_y_with_rows, BLO_E_UNSUPPORTED, "parameters of y alone"},
      {"no loss", no_loss, BLO_E_UNSUPPORTED, "no loss"},
      {"large loss", large_loss, BLO_E_SHAPE, "a loss must be one number, not 4"},
      {"global loss", global_loss, BLO_E_UNSUPPORTED, "depend on the samples"},
      {"two losses", two_losses, BLO_E_UNSUPPORTED, "one loss"},
      {"term on rows", term_on_rows, BLO_E_UNSUPPORTED, "must not depend on samples"},
      {"large term", large_term, BLO_E_SHAPE, "a term must be one number, not 2"},
      {"images", no_square_images, BLO_E_SHAPE, "no square images"},
  };

  expect_refusals(blo_comm_context(comm), &dense, all, sizeof all / sizeof *all);
}

static void sparse_tanh(blo_graph *g)
{
  blo_graph_tanh(g, blo_graph_features(g));
}

static void sparse_sum(blo_graph *g)
{
  blo_graph_loss(g, blo_graph_sum(g, blo_graph_features(g)));
}

static void sparse_output(blo_graph *g)
{
  blo_graph_mark_output(g, blo_graph_features(g));
}

static void features_of_texts(blo_graph *g)
{
  blo_graph_features(g);
}

static void sparse_features_and_texts(blo_comm *comm)
{
  static const refusal sparse[] = {
      {"tanh", sparse_tanh, BLO_E_UNSUPPORTED, "only be multiplied by a matrix"},
      {"sum", sparse_sum, BLO_E_UNSUPPORTED, "only be multiplied by a matrix"},
      {"output", sparse_output, BLO_E_UNSUPPORTED, "no output"}};
  static const refusal text = {"features", features_of_texts, BLO_E_UNSUPPORTED, "embedding"};
  blo_input input = dense;

  input.n_tokens = 10;
  expect_refusals(blo_comm_context(comm), &input, &text, 1);
  input.n_tokens = 0;
  input.sparse = true;
  expect_refusals(blo_comm_context(comm), &input, sparse, 3);
}

/* ------------------------------------------------------------- two levels */

static void describe_lower(blo_graph *g)
{
  blo_node h = blo_graph_mlp(g, BLO_IN_Y, "net", blo_graph_features(g), 2, (const blo_int[]){5, 2},
                             BLO_TANH);
  blo_node z = blo_graph_linear(g, BLO_IN_Y, "out", h, CLASSES);
  blo_node w = blo_graph_exp(g, param(g, BLO_IN_X, "log_weight", 1));

  blo_graph_mark_output(g, z);
  blo_graph_loss(g, blo_graph_softmax_ce(g, z));
  blo_graph_term(g, blo_graph_product(
                        g, blo_graph_square_norm(g, matrix(g, BLO_IN_Y, "out.W", 2, CLASSES)), w));
}

static void describe_upper(blo_graph *g)
{
  blo_node f = blo_graph_features(g), more = matrix(g, BLO_IN_X, "more", FEATURES, 2);
  blo_node z =
      blo_graph_matmul(g, blo_graph_matmul(g, f, more), matrix(g, BLO_IN_Y, "out.W", 2, CLASSES));

  blo_graph_loss(g, blo_graph_softmax_ce(g, z));
}

/** A lower and an upper graph over one list. */
typedef struct levels {
  blo_params *params;
  blo_graph *lower, *upper;
} levels;

static blo_status make_levels(blo_context *ctx, blo_int directions, levels *l)
{
  *l = (levels){0};
  BLO_TRY(blo_params_create(ctx, &l->params));
  BLO_TRY(blo_graph_create(ctx, l->params, &dense, &l->lower));
  BLO_TRY(blo_graph_create(ctx, l->params, &dense, &l->upper));
  describe_lower(l->lower);
  describe_upper(l->upper);
  BLO_TRY(blo_graph_finish(l->lower, directions));
  return blo_graph_finish(l->upper, directions);
}

static void free_levels(levels *l)
{
  blo_graph_destroy(&l->lower);
  blo_graph_destroy(&l->upper);
  blo_params_destroy(&l->params);
}

static void names_and_places(blo_comm *comm)
{
  static const struct {
    const char *name;
    blo_owner owner;
    blo_int n, offset;
  } want[] = {{"net.1.W", BLO_IN_Y, 20, 0},   {"net.1.b", BLO_IN_Y, 5, 20},
              {"net.2.W", BLO_IN_Y, 10, 25},  {"net.2.b", BLO_IN_Y, 2, 35},
              {"out.W", BLO_IN_Y, 6, 37},     {"out.b", BLO_IN_Y, 3, 43},
              {"log_weight", BLO_IN_X, 1, 0}, {"more", BLO_IN_X, 8, 1}};
  enum { N = sizeof want / sizeof *want };
  levels l;

  BLO_REQUIRE_STATUS(make_levels(blo_comm_context(comm), 1, &l), BLO_OK);
  BLO_EXPECT_ALL(blo_params_count(l.params) == N);
  BLO_EXPECT_ALL(blo_params_size(l.params, BLO_IN_X) == 9);
  BLO_EXPECT_ALL(blo_params_size(l.params, BLO_IN_Y) == 46);
  for (blo_int k = 0; k < N && k < blo_params_count(l.params); k++) {
    const blo_block *b = blo_params_get(l.params, k);
    BLO_EXPECT_ALL(strcmp(b->name, want[k].name) == 0 && b->owner == want[k].owner);
    BLO_EXPECT_ALL(b->n == want[k].n && b->offset == want[k].offset);
    BLO_EXPECT_ALL(blo_params_find(l.params, want[k].name) == b);
  }
  BLO_EXPECT_ALL(blo_params_find(l.params, "net.1") == NULL);
  free_levels(&l);
}

/** The upper graph gives gradients of its own parameters only: others' places stay as they are. */
static void others_are_left_alone(blo_comm *comm)
{
  static const blo_int row[] = {0, 1};
  double x[9], y[46], gx[9] = {0}, gy[46] = {0}, hv[46] = {0}, *hvs[] = {hv};
  const double *v[] = {y};
  blo_context *ctx = blo_comm_context(comm);
  blo_table *table = NULL;
  levels l;

  BLO_REQUIRE_STATUS(make_levels(ctx, 1, &l), BLO_OK);
  BLO_REQUIRE_STATUS(model_random_table(ctx, 2, FEATURES, CLASSES, 3, &table), BLO_OK);
  for (int k = 0; k < 46; k++) {
    y[k] = 0.1 * k - 2;
    x[k % 9] = 1;
  }
  blo_graph_samples(l.upper, &(blo_graph_call){.rows = {.n = 2, .table = table, .row = row},
                                               .x = x,
                                               .y = y,
                                               .n_v = 1,
                                               .v = v,
                                               .scale = 1,
                                               .gx = gx,
                                               .gy = gy,
                                               .hv = hvs});
  BLO_EXPECT_ALL(gx[0] == 0 && gx[1] != 0 && gx[8] != 0);
  for (int k = 0; k < 46; k++) {
    bool own = k >= 37 && k < 43;
    BLO_EXPECT_ALL((gy[k] != 0) == own && (hv[k] != 0) == own);
  }
  blo_table_destroy(ctx, &table);
  free_levels(&l);
}

/* --------------------------------------------------------- starting values */

enum { WIDE = 60, TALL = 40, FILTERS = 16, N_START = WIDE * TALL };

/** A list with blocks of all kinds of start, in one order or in the other. */
static blo_status make_starts(blo_context *ctx, bool turned, blo_params **params, blo_graph **g)
{
  static const struct {
    const char *name;
    int n_dims;
    blo_int dim[4];
    blo_init init;
  } block[] = {{"glorot", 2, {WIDE, TALL}, {BLO_INIT_GLOROT, 0.5}},
               {"kaiming", 4, {FILTERS, 6, 5, 5}, {BLO_INIT_KAIMING, 2}},
               {"uniform", 1, {N_START}, {BLO_INIT_UNIFORM, 0.3}},
               {"normal", 1, {N_START}, {BLO_INIT_NORMAL, 0.7}},
               {"constant", 2, {7, 3}, {BLO_INIT_CONSTANT, -1.5}},
               {"glorot of filters", 4, {FILTERS, 6, 5, 5}, {BLO_INIT_GLOROT, 1}},
               {"glorot of a vector", 1, {N_START}, {BLO_INIT_GLOROT, 1}}};
  enum { N = sizeof block / sizeof *block };

  *params = NULL;
  *g = NULL;
  BLO_TRY(blo_params_create(ctx, params));
  BLO_TRY(blo_graph_create(ctx, *params, &dense, g));
  for (int i = 0; i < N; i++) {
    int k = turned ? N - 1 - i : i;
    blo_graph_param(*g, BLO_IN_Y, block[k].name, block[k].n_dims, block[k].dim, block[k].init);
  }
  return BLO_OK;
}

/** The start of a block; @param[out] out [n] */
static void start_of(const blo_params *params, const char *name, uint64_t seed, double *out)
{
  const blo_block *b = blo_params_find(params, name);

  BLO_REQUIRE_ALL(b != NULL);
  blo_params_start(params, BLO_IN_Y, seed, b->offset, b->n, out);
}

/** The block is random with this variance and, if `bound` > 0, uniform on +-bound: mean and
 *  variance to 5 standard errors, the largest number close to the bound. */
static void expect_spread(const blo_params *params, const char *name, double variance, double bound)
{
  const blo_block *b = blo_params_find(params, name);
  double out[N_START], mean = 0, square = 0, most = 0, n = (double)b->n;

  BLO_REQUIRE_ALL(b->n <= N_START);
  start_of(params, name, SEED, out);
  for (blo_int k = 0; k < b->n; k++) {
    mean += out[k] / n;
    square += out[k] * out[k] / n;
    most = fmax(most, fabs(out[k]));
  }
  BLO_EXPECT_MSG(fabs(mean) < 5 * sqrt(variance / n), "%s: mean %g", name, mean);
  BLO_EXPECT_MSG(fabs(square / variance - 1) < 5 * sqrt((bound > 0 ? 0.8 : 2) / n),
                 "%s: variance %g, not %g", name, square, variance);
  if (bound > 0) {
    BLO_EXPECT_MSG(most <= bound && most > 0.99 * bound, "%s: %g for %g", name, most, bound);
  }
}

static void starts_have_their_spread(blo_comm *comm)
{
  double glorot_bound = 0.5 * sqrt(6. / (WIDE + TALL)), out[21];
  double filter_bound = sqrt(6. / (6 * 25 + FILTERS * 25)), vector_bound = sqrt(3. / N_START);
  blo_params *params;
  blo_graph *g;

  BLO_REQUIRE_STATUS(make_starts(blo_comm_context(comm), false, &params, &g), BLO_OK);
  expect_spread(params, "glorot", glorot_bound * glorot_bound / 3, glorot_bound);
  expect_spread(params, "glorot of filters", filter_bound * filter_bound / 3, filter_bound);
  expect_spread(params, "glorot of a vector", vector_bound * vector_bound / 3, vector_bound);
  expect_spread(params, "kaiming", 4 * 2. / (6 * 25), 0);
  expect_spread(params, "uniform", 0.09 / 3, 0.3);
  expect_spread(params, "normal", 0.49, 0);
  start_of(params, "constant", SEED, out);
  for (int k = 0; k < 21; k++) {
    BLO_EXPECT_ALL(out[k] == -1.5);
  }
  blo_graph_destroy(&g);
  blo_params_destroy(&params);
}

static void starts_do_not_depend_on_order(blo_comm *comm)
{
  static const char *const name[] = {"glorot", "kaiming", "uniform", "normal"};
  double a[N_START], b[N_START], c[N_START];
  blo_params *one, *two;
  blo_graph *g, *h;

  BLO_REQUIRE_STATUS(make_starts(blo_comm_context(comm), false, &one, &g), BLO_OK);
  BLO_REQUIRE_STATUS(make_starts(blo_comm_context(comm), true, &two, &h), BLO_OK);
  for (int k = 0; k < 4; k++) {
    size_t bytes = (size_t)blo_params_find(one, name[k])->n * sizeof *a;
    BLO_EXPECT_ALL(blo_params_find(one, name[k])->offset != blo_params_find(two, name[k])->offset);
    start_of(one, name[k], SEED, a);
    start_of(two, name[k], SEED, b);
    start_of(one, name[k], SEED + 1, c);
    BLO_EXPECT_ALL(memcmp(a, b, bytes) == 0 && memcmp(a, c, bytes) != 0);
    BLO_EXPECT_SAME_BYTES(a, bytes);
  }
  blo_graph_destroy(&g);
  blo_graph_destroy(&h);
  blo_params_destroy(&one);
  blo_params_destroy(&two);
}

static void starts_do_not_depend_on_cuts(blo_comm *comm)
{
  static const blo_int length[] = {1, 7, 1000, 2399};
  blo_context *ctx = blo_comm_context(comm);
  double *whole = NULL, *pieces = NULL;
  blo_params *params;
  blo_graph *g;
  blo_int n;

  BLO_REQUIRE_STATUS(make_starts(ctx, false, &params, &g), BLO_OK);
  n = blo_params_size(params, BLO_IN_Y);
  BLO_REQUIRE_STATUS(blo_alloc(ctx, n, sizeof *whole, &whole), BLO_OK);
  BLO_REQUIRE_STATUS(blo_alloc(ctx, n, sizeof *pieces, &pieces), BLO_OK);
  blo_params_start(params, BLO_IN_Y, SEED, 0, n, whole);
  for (blo_int first = 0, k = 0; first < n; k++) {
    blo_int left = n - first, m = length[k % 4] < left ? length[k % 4] : left;
    blo_params_start(params, BLO_IN_Y, SEED, first, m, pieces + first);
    first += m;
  }
  BLO_EXPECT_ALL(memcmp(whole, pieces, (size_t)n * sizeof *whole) == 0);
  blo_params_start(params, BLO_IN_X, SEED, 0, 0, NULL);
  blo_free(ctx, &whole);
  blo_free(ctx, &pieces);
  blo_graph_destroy(&g);
  blo_params_destroy(&params);
}

/* ------------------------------------------------------------------ memory */

static void calls_allocate_nothing(blo_comm *comm)
{
  static const blo_int row[ROWS] = {2, 0, 1, 4, 5, 3};
  double x[9] = {0.1, 1, 2, 3}, y[46], gx[9], gy[46], value = 0, out[ROWS * CLASSES], loss[ROWS];
  double hv[2][46], jv[2][9], *hvs[] = {hv[0], hv[1]}, *jvs[] = {jv[0], jv[1]}, *cache = NULL;
  const double *v[] = {y, y};
  blo_context *ctx = blo_comm_context(comm);
  blo_table *table = NULL;
  levels l;

  BLO_REQUIRE_STATUS(make_levels(ctx, 2, &l), BLO_OK);
  BLO_REQUIRE_STATUS(model_random_table(ctx, ROWS, FEATURES, CLASSES, 3, &table), BLO_OK);
  blo_params_start(l.params, BLO_IN_Y, SEED, 0, 46, y);
  blo_int n_cache = ROWS * blo_graph_cache_size(l.lower);
  BLO_REQUIRE_STATUS(blo_alloc(ctx, n_cache, sizeof *cache, &cache), BLO_OK);
  blo_graph_call c = {.rows = {.n = ROWS, .table = table, .row = row},
                      .x = x,
                      .y = y,
                      .n_v = 2,
                      .v = v,
                      .scale = 1,
                      .cache = cache,
                      .value = &value,
                      .gx = gx,
                      .gy = gy,
                      .hv = hvs,
                      .jv = jvs};
  blo_int before = blo_memory(ctx).total;
  blo_graph_samples(l.lower, &c);
  c.linearized = true;
  blo_graph_samples(l.lower, &c);
  blo_graph_terms(l.lower, &c);
  blo_graph_output(l.lower, &c, out, loss);
  BLO_EXPECT_ALL(blo_memory(ctx).total == before);
  blo_free(ctx, &cache);
  blo_table_destroy(ctx, &table);
  free_levels(&l);
}

static blo_status describe_and_finish(blo_comm *comm, void *arg)
{
  levels l;
  blo_status status = make_levels(blo_comm_context(comm), 2, &l);

  (void)arg;
  free_levels(&l);
  return blo_agree(comm, status);
}

static blo_status describe_constant(blo_comm *comm, void *arg)
{
  static const double values[] = {1, 2, 3, 4};
  blo_context *ctx = blo_comm_context(comm);
  blo_params *params = NULL;
  blo_graph *g = NULL;
  blo_status status = BLO_OK;

  (void)arg;
  BLO_GO(blo_params_create(ctx, &params));
  BLO_GO(blo_graph_create(ctx, params, &dense, &g));
  for (int k = 0; k < 40; k++) { /* more than the first lot of nodes */
    blo_node c = blo_graph_constant(g, FEATURES, values);
    blo_graph_term(g, blo_graph_sum(g, c));
  }
  blo_graph_loss(g, blo_graph_label(g));
  BLO_GO(blo_graph_finish(g, 0));
done:
  blo_graph_destroy(&g);
  blo_params_destroy(&params);
  return blo_agree(comm, status);
}

static void faults_leak_nothing(blo_comm *comm)
{
  BLO_EXPECT_ALL(blo_test_sweep_faults(comm, describe_and_finish, NULL) > 5);
  BLO_EXPECT_ALL(blo_test_sweep_faults(comm, describe_constant, NULL) > 40);
}

/* --------------------------------------------------------- nothing at all */

static void nothing_wanted_and_no_rows(blo_comm *comm)
{
  double x[9] = {0}, y[46] = {0}, gy[46] = {0}, value = 0;
  blo_context *ctx = blo_comm_context(comm);
  blo_table *table = NULL;
  blo_graph *none = NULL;
  blo_params *no_params = NULL;
  levels l;

  blo_graph_destroy(&none);
  blo_params_destroy(&no_params);
  BLO_REQUIRE_STATUS(make_levels(ctx, 0, &l), BLO_OK);
  BLO_REQUIRE_STATUS(model_random_table(ctx, 1, FEATURES, CLASSES, 3, &table), BLO_OK);
  blo_graph_call c = {
      .rows = {.n = 0, .table = table}, .x = x, .y = y, .scale = 1, .value = &value, .gy = gy};
  blo_graph_samples(l.lower, &c);
  BLO_EXPECT_ALL(value == 0 && gy[45] == 0);
  blo_graph_terms(l.upper, &c); /* it has none */
  BLO_EXPECT_ALL(value == 0);
  c = (blo_graph_call){
      .rows = {.n = 1, .table = table, .row = (const blo_int[]){0}}, .x = x, .y = y, .scale = 1};
  blo_graph_samples(l.lower, &c);
  blo_graph_terms(l.lower, &c);
  blo_graph_output(l.lower, &c, NULL, NULL);
  BLO_EXPECT_ALL(blo_graph_chunk(l.lower) >= 1 && blo_graph_bytes(l.lower) > 0);
  blo_table_destroy(ctx, &table);
  free_levels(&l);
}

/** A loss without parameters has a value and nothing else; it may be what the samples bring. */
static void loss_without_parameters(blo_comm *comm)
{
  static const blo_int row[] = {1, 0, 1};
  double y[2] = {1, 2}, gy[2] = {0}, hv[2] = {0}, *hvs[] = {hv}, value = 0, out[3], loss[3];
  const double *vs[] = {y};
  blo_input input = {.n_features = 1, .n_classes = 2};
  blo_context *ctx = blo_comm_context(comm);
  blo_params *params = NULL;
  blo_table *table = NULL;
  blo_graph *g = NULL;

  BLO_REQUIRE_STATUS(model_random_table(ctx, 2, 1, 2, 3, &table), BLO_OK);
  BLO_REQUIRE_STATUS(blo_params_create(ctx, &params), BLO_OK);
  BLO_REQUIRE_STATUS(blo_graph_create(ctx, params, &input, &g), BLO_OK);
  param(g, BLO_IN_Y, "w", 2);
  blo_graph_loss(g, blo_graph_features(g));
  blo_graph_mark_output(g, blo_graph_label(g));
  BLO_REQUIRE_STATUS(blo_graph_finish(g, 1), BLO_OK);
  blo_graph_call c = {.rows = {.n = 3, .table = table, .row = row},
                      .y = y,
                      .n_v = 1,
                      .v = vs,
                      .scale = 2,
                      .value = &value,
                      .gy = gy,
                      .hv = hvs};
  blo_graph_samples(g, &c);
  blo_graph_output(g, &c, out, loss);
  const double *f = table->values;
  BLO_EXPECT_NEAR(value, 2 * (2 * f[table->ld] + f[0]), 1e-15, 0, "the features");
  BLO_EXPECT_ALL(gy[0] == 0 && gy[1] == 0 && hv[0] == 0 && hv[1] == 0);
  BLO_EXPECT_ALL(loss[0] == f[table->ld] && loss[1] == f[0]);
  BLO_EXPECT_ALL(out[0] == table->label[1] && out[1] == table->label[0]);
  blo_graph_destroy(&g);
  blo_params_destroy(&params);
  blo_table_destroy(ctx, &table);
}

/** The marked output of rows, by hand: with y = 0 but for out.b, logits are out.b. */
static void output_is_that_of_the_rows(blo_comm *comm)
{
  static const blo_int row[] = {1, 0};
  double x[9] = {0}, y[46] = {0}, out[2 * CLASSES], loss[2], sum = 0;
  blo_context *ctx = blo_comm_context(comm);
  blo_table *table = NULL;
  levels l;

  BLO_REQUIRE_STATUS(make_levels(ctx, 0, &l), BLO_OK);
  BLO_REQUIRE_STATUS(model_random_table(ctx, 2, FEATURES, CLASSES, 3, &table), BLO_OK);
  for (int k = 0; k < CLASSES; k++) {
    y[43 + k] = 0.5 * k;
    sum += exp(0.5 * k);
  }
  blo_graph_call c = {.rows = {.n = 2, .table = table, .row = row}, .x = x, .y = y, .scale = 3};
  blo_graph_output(l.lower, &c, out, loss);
  for (int i = 0; i < 2; i++) {
    double logit = 0.5 * table->label[row[i]];
    BLO_EXPECT_NEAR(loss[i], log(sum) - logit, 1e-14, 0, "-log softmax, by hand");
    for (int k = 0; k < CLASSES; k++) {
      BLO_EXPECT_NEAR(out[i * CLASSES + k], 0.5 * k, 0, 0, "the bias");
    }
  }
  blo_table_destroy(ctx, &table);
  free_levels(&l);
}

/** The norm has derivative 0 at 0, in products too; away from it a sum of squares does not. */
static void norm_at_zero(blo_comm *comm)
{
  double x[1] = {1}, y[2] = {0, 0}, v[2] = {1, 2}, gy[2] = {0}, hv[2] = {0}, value = 0;
  double *hvs[] = {hv};
  const double *vs[] = {v};
  blo_context *ctx = blo_comm_context(comm);
  blo_params *params = NULL;
  blo_graph *g = NULL;

  BLO_REQUIRE_STATUS(blo_params_create(ctx, &params), BLO_OK);
  BLO_REQUIRE_STATUS(blo_graph_create(ctx, params, &dense, &g), BLO_OK);
  blo_graph_term(g, blo_graph_norm(g, param(g, BLO_IN_Y, "w", 2)));
  blo_graph_loss(g, blo_graph_label(g));
  BLO_REQUIRE_STATUS(blo_graph_finish(g, 1), BLO_OK);
  blo_graph_call c = {
      .x = x, .y = y, .n_v = 1, .v = vs, .scale = 1, .value = &value, .gy = gy, .hv = hvs};
  blo_graph_terms(g, &c);
  BLO_EXPECT_ALL(value == 0 && gy[0] == 0 && gy[1] == 0 && hv[0] == 0 && hv[1] == 0);
  y[0] = 3;
  y[1] = 4;
  blo_graph_terms(g, &c);
  BLO_EXPECT_NEAR(value, 5, 1e-15, 0, "3, 4, 5");
  BLO_EXPECT_NEAR(gy[1], 0.8, 1e-15, 0, "a / ||a||");
  blo_graph_destroy(&g);
  blo_params_destroy(&params);
}

static void activations_have_names(blo_comm *comm)
{
  static const char *const want[] = {"tanh", "relu", "sigmoid", "softplus"};
  static const double at_two[] = {0.96402758007581688, 2, 0.88079707797788244, 2.1269280110429725};
  static const blo_int row[] = {0};
  blo_context *ctx = blo_comm_context(comm);
  blo_table *table = NULL;

  BLO_REQUIRE_STATUS(model_random_table(ctx, 1, 1, 2, 3, &table), BLO_OK);
  ((double *)table->values)[0] = 2;
  for (int k = 0; k < 4; k++) {
    blo_input input = {.n_features = 1, .n_classes = 2};
    blo_params *params = NULL;
    blo_graph *g = NULL;
    double loss = 0;
    BLO_REQUIRE_STATUS(blo_params_create(ctx, &params), BLO_OK);
    BLO_REQUIRE_STATUS(blo_graph_create(ctx, params, &input, &g), BLO_OK);
    blo_graph_loss(g, blo_graph_activation(g, blo_graph_features(g), (blo_activation)k));
    BLO_REQUIRE_STATUS(blo_graph_finish(g, 0), BLO_OK);
    blo_graph_output(g, &(blo_graph_call){.rows = {.n = 1, .table = table, .row = row}}, NULL,
                     &loss);
    BLO_EXPECT_NEAR(loss, at_two[k], 1e-15, 0, "the function at 2");
    BLO_EXPECT_ALL(strcmp(blo_activation_names[k], want[k]) == 0);
    blo_graph_destroy(&g);
    blo_params_destroy(&params);
  }
  BLO_EXPECT_ALL(blo_activation_names[4] == NULL);
  blo_table_destroy(ctx, &table);
}

static const blo_test tests[] = {
    {"misfits are refused", misfits_are_refused},
    {"sparse features and texts", sparse_features_and_texts},
    {"names and places", names_and_places},
    {"others are left alone", others_are_left_alone},
    {"starts have their spread", starts_have_their_spread},
    {"starts do not depend on order", starts_do_not_depend_on_order},
    {"starts do not depend on cuts", starts_do_not_depend_on_cuts},
    {"calls allocate nothing", calls_allocate_nothing},
    {"faults leak nothing", faults_leak_nothing},
    {"nothing wanted and no rows", nothing_wanted_and_no_rows},
    {"loss without parameters", loss_without_parameters},
    {"output is that of the rows", output_is_that_of_the_rows},
    {"norm at zero", norm_at_zero},
    {"activations have names", activations_have_names},
};
BLO_TEST_MAIN("graph core", tests)

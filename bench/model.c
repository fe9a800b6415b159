/**
 * @file
 * Benchmark of the model layer on one core: what a gradient, a linearisation and products cost, in
 * milliseconds and as ratios to the gradient.
 *
 *     bench_model [repeats]                      the networks below on made-up data
 *     bench_model [repeats] <images> <labels>    the MLPs on the first 1000 samples of an IDX pair
 *
 * mlp_xy: 784-128 in x, 128-10 in y (hyper-representation); mlp_y: all in y (data cleaning); batch
 * 1000. lstm_y: embedding 64, LSTM 64 units, length 32, 2 classes, all in y, batch 64; lstm_xy: the
 * head in y. conv_xy: the 4-block network of few-shot learning, 32 filters on 28 x 28, the head in
 * y, batch 25.
 */
#include <blo/blo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPEATS_MAX = 1000, DIRECTIONS = 8 };

/** What is measured. */
enum { GRADIENT_Y, GRADIENT, LINEARIZE, PRODUCT_H, PRODUCT, PRODUCT_H_8, PRODUCT_8, N_MEASURES };
static const char *const measure_names[N_MEASURES] = {
    "gradient in y", "gradient in x, y", "linearise", "H v", "H v and J v",
    "8 H v",         "8 (H v and J v)"};

typedef struct subject {
  const char *name;
  blo_context *ctx;
  blo_params *params;
  blo_graph *graph;
  blo_table *table;
  blo_scaling *scaling; /**< NULL: none */
  blo_int rows, *row;
  double *x, *y, *gx, *gy, *cache;
  double *v[DIRECTIONS], *hv[DIRECTIONS], *jv[DIRECTIONS];
} subject;

/* A bug or an unusable machine: a benchmark needs no recovery. */
static void must(blo_context *ctx, blo_status status)
{
  if (status != BLO_OK) {
    fprintf(stderr, "bench: %s\n", blo_error_text(ctx));
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
}

/* ------------------------------------------------------------------ data */

static blo_table *new_table(blo_context *ctx, blo_int rows, blo_int features, blo_int classes,
                            blo_storage storage)
{
  blo_table *t;

  must(ctx, blo_alloc(ctx, 1, sizeof *t, &t));
  t->n_rows = rows;
  t->n_features = features;
  t->n_classes = classes;
  t->storage = storage;
  t->ld = (features + 7) / 8 * 8;
  must(ctx, blo_alloc(ctx, rows * t->ld, blo_storage_size(storage), &t->values));
  must(ctx, blo_alloc(ctx, rows, sizeof *t->label, &t->label));
  must(ctx, blo_alloc(ctx, classes, sizeof *t->class_value, &t->class_value));
  for (blo_int i = 0; i < rows; i++) {
    t->label[i] = (int32_t)(i % classes);
  }
  return t;
}

static uint64_t number(blo_int i, blo_int k, uint64_t below)
{
  return blo_stream_below((blo_stream){1, BLO_PURPOSE_TEST}, 0, (uint64_t)i, (uint64_t)k, below);
}

/** Images of bytes, `percent` of them not zero. */
static blo_table *images(blo_context *ctx, blo_int rows, blo_int features, blo_int classes,
                         uint64_t percent)
{
  blo_table *t = new_table(ctx, rows, features, classes, BLO_U8);
  uint8_t *byte = t->values;

  for (blo_int i = 0; i < rows; i++) {
    for (blo_int k = 0; k < features; k++) {
      bool ink = number(i, k, 100) < percent;
      byte[i * t->ld + k] = ink ? (uint8_t)(1 + number(i, k + features, 255)) : 0;
    }
  }
  return t;
}

static blo_table *sentences(blo_context *ctx, blo_int rows, blo_int length, blo_int n_tokens)
{
  blo_table *t = new_table(ctx, rows, length, 2, BLO_I32);
  int32_t *token = t->values;

  t->n_tokens = n_tokens;
  for (blo_int i = 0; i < rows; i++) {
    for (blo_int k = 0; k < length; k++) {
      token[i * t->ld + k] = (int32_t)(1 + number(i, k, (uint64_t)n_tokens - 1));
    }
  }
  return t;
}

static blo_table *read_images(blo_context *ctx, const char *path, const char *labels)
{
  blo_source_spec spec = {.path = path, .labels = labels, .group = ""};
  blo_table *t;

  must(ctx, blo_table_read(ctx, &spec, NULL, &t));
  return t;
}

/** The field's habit for MNIST: (a / 255 - 0.1307) / 0.3081. */
static blo_scaling *mnist_scaling(blo_context *ctx, blo_int n)
{
  blo_scaling *s;

  must(ctx, blo_alloc(ctx, 1, sizeof *s, &s));
  s->n_features = n;
  must(ctx, blo_alloc(ctx, n, sizeof *s->shift, &s->shift));
  must(ctx, blo_alloc(ctx, n, sizeof *s->scale, &s->scale));
  for (blo_int k = 0; k < n; k++) {
    s->shift[k] = 0.1307 * 255;
    s->scale[k] = 1 / (255 * 0.3081);
  }
  return s;
}

static double density(const blo_table *t)
{
  blo_int nonzeros = 0;

  for (blo_int i = 0; i < t->n_rows * t->ld; i++) {
    nonzeros += ((const uint8_t *)t->values)[i] != 0;
  }
  return (double)nonzeros / (double)(t->n_rows * t->n_features);
}

/* --------------------------------------------------------------- subjects */

typedef void describe_fn(blo_graph *g);

static void head(blo_graph *g, blo_node in)
{
  blo_graph_loss(g, blo_graph_softmax_ce(g, blo_graph_linear(g, BLO_IN_Y, "head", in,
                                                             blo_graph_input(g)->n_classes)));
}

static void describe_mlp(blo_graph *g, blo_owner owner)
{
  blo_int width = 128;

  head(g, blo_graph_mlp(g, owner, "mlp", blo_graph_features(g), 1, &width, BLO_TANH));
}

static void mlp_xy(blo_graph *g)
{
  describe_mlp(g, BLO_IN_X);
}

static void mlp_y(blo_graph *g)
{
  describe_mlp(g, BLO_IN_Y);
}

static void describe_lstm(blo_graph *g, blo_owner owner)
{
  blo_int dim[] = {blo_graph_input(g)->n_tokens, 64};
  blo_node e = blo_graph_param(g, owner, "E", 2, dim, (blo_init){BLO_INIT_NORMAL, 0.1});
  blo_node h = blo_graph_recurrent(g, owner, "lstm", blo_graph_embedding(g, e), BLO_CELL_LSTM, 64);

  head(g, blo_graph_max_time(g, h));
}

static void lstm_xy(blo_graph *g)
{
  describe_lstm(g, BLO_IN_X);
}

static void lstm_y(blo_graph *g)
{
  describe_lstm(g, BLO_IN_Y);
}

static void conv_xy(blo_graph *g)
{
  head(g, blo_graph_conv_net(g, BLO_IN_X, "conv", blo_graph_images(g, 1),
                             &(blo_conv_spec){4, 32, BLO_NORM_CHANNEL, false}));
}

static double *zeros(blo_context *ctx, blo_int n)
{
  double *a;

  must(ctx, blo_alloc(ctx, n, sizeof *a, &a));
  return a;
}

static void open_subject(subject *s, describe_fn *describe)
{
  blo_input in = {.n_features = s->table->n_features,
                  .n_classes = s->table->n_classes,
                  .n_tokens = s->table->n_tokens};
  blo_int n_x, n_y;

  if (in.n_tokens == 0) {
    in.skip_zeros = density(s->table) < 0.4;
    in.n_nonzeros = in.n_features;
  }
  must(s->ctx, blo_params_create(s->ctx, &s->params));
  must(s->ctx, blo_graph_create(s->ctx, s->params, &in, &s->graph));
  describe(s->graph);
  must(s->ctx, blo_graph_finish(s->graph, DIRECTIONS));
  n_x = blo_params_size(s->params, BLO_IN_X);
  n_y = blo_params_size(s->params, BLO_IN_Y);
  s->x = zeros(s->ctx, n_x);
  s->y = zeros(s->ctx, n_y);
  s->gx = zeros(s->ctx, n_x);
  s->gy = zeros(s->ctx, n_y);
  s->cache = zeros(s->ctx, s->rows * blo_graph_cache_size(s->graph));
  blo_params_start(s->params, BLO_IN_X, 1, 0, n_x, s->x);
  blo_params_start(s->params, BLO_IN_Y, 1, 0, n_y, s->y);
  for (int d = 0; d < DIRECTIONS; d++) {
    s->v[d] = zeros(s->ctx, n_y);
    s->hv[d] = zeros(s->ctx, n_y);
    s->jv[d] = zeros(s->ctx, n_x);
    blo_params_start(s->params, BLO_IN_Y, 2 + (uint64_t)d, 0, n_y, s->v[d]);
  }
  must(s->ctx, blo_alloc(s->ctx, s->rows, sizeof *s->row, &s->row));
  for (blo_int i = 0; i < s->rows; i++) {
    s->row[i] = i;
  }
}

static void close_subject(subject *s)
{
  blo_graph_destroy(&s->graph);
  blo_params_destroy(&s->params);
  blo_table_destroy(s->ctx, &s->table);
  blo_scaling_destroy(s->ctx, &s->scaling);
  for (int d = 0; d < DIRECTIONS; d++) {
    blo_free(s->ctx, &s->v[d]);
    blo_free(s->ctx, &s->hv[d]);
    blo_free(s->ctx, &s->jv[d]);
  }
  blo_free(s->ctx, &s->x);
  blo_free(s->ctx, &s->y);
  blo_free(s->ctx, &s->gx);
  blo_free(s->ctx, &s->gy);
  blo_free(s->ctx, &s->cache);
  blo_free(s->ctx, &s->row);
}

/* -------------------------------------------------------------- measuring */

static void run_chunk(subject *s, int what, blo_int first, blo_int n)
{
  double value = 0;
  bool product = what >= PRODUCT_H;
  blo_graph_call call = {
      .rows = {.n = n, .table = s->table, .scaling = s->scaling, .row = s->row + first},
      .x = s->x,
      .y = s->y,
      .scale = 1 / (double)s->rows,
      .value = product ? NULL : &value,
      .gx = what == GRADIENT ? s->gx : NULL,
      .gy = what == GRADIENT || what == GRADIENT_Y ? s->gy : NULL,
      .linearized = product,
      .n_v = what >= PRODUCT_H_8 ? DIRECTIONS : product,
      .v = (const double *const *)s->v,
      .hv = product ? s->hv : NULL,
      .jv = what == PRODUCT || what == PRODUCT_8 ? s->jv : NULL};

  if (product || what == LINEARIZE) {
    call.cache = s->cache + first * blo_graph_cache_size(s->graph);
  }
  blo_graph_samples(s->graph, &call);
}

static double run(subject *s, int what)
{
  blo_int chunk = blo_graph_chunk(s->graph);
  double begin = blo_now();

  for (blo_int first = 0; first < s->rows; first += chunk) {
    run_chunk(s, what, first, s->rows - first < chunk ? s->rows - first : chunk);
  }
  return 1e3 * (blo_now() - begin);
}

static int ascending(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

static void measure(subject *s, int repeats, describe_fn *describe)
{
  static double time[N_MEASURES][REPEATS_MAX];

  open_subject(s, describe);
  for (int what = 0; what < N_MEASURES; what++) {
    run(s, what);
  }
  for (int r = 0; r < repeats; r++) {
    for (int what = 0; what < N_MEASURES; what++) {
      time[what][r] = run(s, what);
    }
  }
  for (int what = 0; what < N_MEASURES; what++) {
    qsort(time[what], (size_t)repeats, sizeof(double), ascending);
  }
  for (int what = 0; what < N_MEASURES; what++) {
    int full = strcmp(s->name + strlen(s->name) - 2, "_y") == 0 ? GRADIENT_Y : GRADIENT;
    printf("%-8s %-17s %9.3f ms  %5.2f gradients\n", s->name, measure_names[what],
           time[what][repeats / 2], time[what][repeats / 2] / time[full][repeats / 2]);
  }
  close_subject(s);
}

int main(int argc, char **argv)
{
  blo_context *ctx = NULL;
  int repeats = argc > 1 ? atoi(argv[1]) : 21;

  MPI_Init(&argc, &argv);
  if (blo_context_create(&ctx) != BLO_OK || repeats < 1 || repeats > REPEATS_MAX) {
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  blo_blas_single_thread();
  for (int owner = 0; owner < 2; owner++) {
    subject mlp = {.name = owner == 0 ? "mlp_xy" : "mlp_y", .ctx = ctx, .rows = 1000};
    mlp.table = argc > 3 ? read_images(ctx, argv[2], argv[3]) : images(ctx, 1000, 784, 10, 19);
    mlp.scaling = mnist_scaling(ctx, 784);
    measure(&mlp, repeats, owner == 0 ? mlp_xy : mlp_y);
  }
  for (int owner = 0; owner < 2; owner++) {
    subject lstm = {.name = owner == 0 ? "lstm_xy" : "lstm_y", .ctx = ctx, .rows = 64};
    lstm.table = sentences(ctx, 64, 32, 2000);
    measure(&lstm, repeats, owner == 0 ? lstm_xy : lstm_y);
  }
  subject conv = {.name = "conv_xy", .ctx = ctx, .rows = 25};
  conv.table = images(ctx, 25, 784, 5, 19);
  measure(&conv, repeats, conv_xy);
  blo_context_destroy(&ctx);
  MPI_Finalize();
  return 0;
}

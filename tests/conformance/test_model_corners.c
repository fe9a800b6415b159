/* ranks: 1 2 */
/* Corners of the model layer: nodes and parameters that are used in several ways, what calls leave
 * alone, and descriptions that must be refused. */
#include "model_check.h"
#include <string.h>

enum { ROWS = 4, FEATURES = 4, CLASSES = 3 };
static const blo_int row[ROWS] = {2, 0, 3, 1};
static const blo_init zero = {BLO_INIT_CONSTANT, 0};

/** A graph with all that it needs. */
typedef struct stage {
  blo_context *ctx;
  blo_input input;
  blo_params *params;
  blo_graph *graph;
  blo_table *table;
} stage;

static void open_stage(blo_comm *comm, stage *s)
{
  s->ctx = blo_comm_context(comm);
  s->input.n_features = s->input.n_features > 0 ? s->input.n_features : FEATURES;
  s->input.n_classes = CLASSES;
  BLO_REQUIRE_STATUS(model_random_table(s->ctx, ROWS, s->input.n_features, CLASSES, 3, &s->table),
                     BLO_OK);
  BLO_REQUIRE_STATUS(blo_params_create(s->ctx, &s->params), BLO_OK);
  BLO_REQUIRE_STATUS(blo_graph_create(s->ctx, s->params, &s->input, &s->graph), BLO_OK);
}

static void close_stage(stage *s)
{
  blo_graph_destroy(&s->graph);
  blo_params_destroy(&s->params);
  blo_table_destroy(s->ctx, &s->table);
}

static blo_node param(blo_graph *g, blo_owner owner, const char *name, blo_int n)
{
  return blo_graph_param(g, owner, name, 1, &n, zero);
}

static void check(stage *s, model_case *c)
{
  BLO_REQUIRE_STATUS(blo_graph_finish(s->graph, 3), BLO_OK);
  c->params = s->params;
  c->graph = s->graph;
  c->rows = (blo_graph_rows){.n = ROWS, .table = s->table, .row = row};
  model_check_random(c, 0.7, 5, 1e-11);
}

static double feature(const model_case *c, blo_int i, blo_int k)
{
  const blo_table *t = c->rows.table;

  return ((const double *)t->values)[c->rows.row[i] * t->ld + k];
}

/* ---------------------------------------------- parameters and nodes used again */

/** z_k = exp(x_k) a_k y_k + y_k; the loss is sin(||z||^2), which is the output too. */
static hyperdual shared_loss(const model_case *c, blo_int i, const hyperdual *x, const hyperdual *y,
                             hyperdual sample_value)
{
  hyperdual sum = hd(0);

  (void)sample_value;
  for (blo_int k = 0; k < FEATURES; k++) {
    hyperdual z = hd_add(hd_mul(hd_scale(feature(c, i, k), hd_exp(x[k])), y[k]), y[k]);
    sum = hd_add(sum, hd_mul(z, z));
  }
  return hd_sin(sum);
}

/** sum_k exp(x_k) y_k^2, exp(x) shared with the loss, twice; a term that is a node of x; one that
 *  is a parameter; -0.3 ||y||^2 and 0.2 ||x||^2. */
static hyperdual shared_term(const model_case *c, const hyperdual *x, const hyperdual *y)
{
  hyperdual sum = y[FEATURES];

  (void)c;
  for (blo_int k = 0; k <= FEATURES; k++) {
    if (k < FEATURES) {
      hyperdual e = hd_exp(x[k]);
      sum = hd_add(sum, hd_add(hd_scale(2, hd_mul(e, hd_mul(y[k], y[k]))), e));
      sum = hd_add(sum, hd_scale(0.2, hd_mul(x[k], x[k])));
    }
    sum = hd_sub(sum, hd_scale(0.3, hd_mul(y[k], y[k])));
  }
  return sum;
}

static void used_again(blo_comm *comm)
{
  stage s = {0};
  model_case c = {.name = "shared", .loss = shared_loss, .term = shared_term};
  double output[ROWS], loss[ROWS], x[FEATURES] = {0.1, -0.2, 0.3, 0.4};
  double y[FEATURES + 1] = {1, 2, -1, 0.5, 3};

  open_stage(comm, &s);
  blo_graph *g = s.graph;
  blo_node e = blo_graph_exp(g, param(g, BLO_IN_X, "x", FEATURES));
  blo_node first = param(g, BLO_IN_Y, "y", FEATURES), again = blo_graph_param_again(g, "y");
  blo_node a = blo_graph_product(g, blo_graph_features(g), e);
  blo_node z = blo_graph_add(g, blo_graph_product(g, a, first), again);
  blo_node l = blo_graph_sin(g, blo_graph_square_norm(g, z));
  blo_node t = blo_graph_sum(g, blo_graph_product(g, blo_graph_square(g, again), e));
  blo_graph_loss(g, l);
  blo_graph_mark_output(g, l);
  blo_graph_term(g, t);
  blo_graph_term(g, t);
  blo_graph_term(g, blo_graph_sum(g, e));
  blo_graph_term(g, param(g, BLO_IN_Y, "alone", 1));
  blo_graph_ridge(g, BLO_IN_Y, -0.3);
  blo_graph_ridge(g, BLO_IN_X, 0.2);
  blo_graph_ridge(g, BLO_IN_X, 0);
  check(&s, &c);
  blo_graph_output(g, &(blo_graph_call){.rows = c.rows, .x = x, .y = y}, output, loss);
  BLO_EXPECT_ALL(memcmp(output, loss, sizeof loss) == 0);
  close_stage(&s);
}

/* ---------------------------------------------------- images in their places */

/** Features [2][2][2]: number (c, y, x) of the image is 4 c + 2 y + x; channels have factors. */
static hyperdual image_loss(const model_case *c, blo_int i, const hyperdual *x, const hyperdual *y,
                            hyperdual sample_value)
{
  hyperdual sum = hd(0);

  (void)x, (void)sample_value;
  for (blo_int channel = 0; channel < 2; channel++) {
    for (blo_int k = 0; k < 2; k++) { /* the last column */
      double a = feature(c, i, 4 * channel + 2 * k + 1);
      sum = hd_add(sum, hd_sin(hd_scale(a, y[channel])));
    }
  }
  return sum;
}

static void images(blo_comm *comm)
{
  stage s = {.input = {.n_features = 8}};
  model_case c = {.name = "images", .loss = image_loss};

  open_stage(comm, &s);
  blo_graph *g = s.graph;
  blo_node last = blo_graph_slice(g, blo_graph_images(g, 2), 1, 1);
  blo_node z = blo_graph_product(g, last, param(g, BLO_IN_Y, "y", 2));
  blo_graph_loss(g, blo_graph_sum(g, blo_graph_sin(g, z)));
  check(&s, &c);
  close_stage(&s);
}

/* ------------------------------------------------------- what calls leave alone */

static void describe_net(blo_graph *g)
{
  blo_node z = blo_graph_linear(g, BLO_IN_Y, "net", blo_graph_features(g), CLASSES);

  blo_graph_loss(g, blo_graph_softmax_ce(g, z));
  blo_graph_mark_output(g, z);
}

enum { N_NET = FEATURES * CLASSES + CLASSES, CACHE = 4096 };

/** Outputs at another point do not disturb a linearisation. */
static void outputs_leave_the_cache_alone(blo_comm *comm)
{
  static double cache[CACHE], before[CACHE];
  double y[N_NET], there[N_NET], output[ROWS * CLASSES], loss[ROWS];
  stage s = {0};

  open_stage(comm, &s);
  describe_net(s.graph);
  BLO_REQUIRE_STATUS(blo_graph_finish(s.graph, 1), BLO_OK);
  BLO_REQUIRE_ALL(ROWS * blo_graph_cache_size(s.graph) <= CACHE);
  for (int k = 0; k < N_NET; k++) {
    y[k] = 0.1 * k;
    there[k] = 1 - 0.3 * k;
  }
  blo_graph_call call = {
      .rows = {.n = ROWS, .table = s.table, .row = row}, .y = y, .scale = 1, .cache = cache};
  blo_graph_samples(s.graph, &call);
  memcpy(before, cache, sizeof cache);
  call.y = there;
  blo_graph_output(s.graph, &call, output, loss);
  BLO_EXPECT_ALL(memcmp(cache, before, sizeof cache) == 0);
  close_stage(&s);
}

/** A call without rows writes nothing, of sparse products neither. */
static void no_rows_write_nothing(blo_comm *comm)
{
  double y[N_NET] = {1}, v[N_NET] = {2}, hv[N_NET] = {0}, cache[64] = {0}, value = 0;
  double *hvs[] = {hv};
  const double *vs[] = {v};

  for (int skip = 0; skip < 2; skip++) {
    stage s = {.input = {.skip_zeros = skip, .n_nonzeros = FEATURES}};
    open_stage(comm, &s);
    describe_net(s.graph);
    BLO_REQUIRE_STATUS(blo_graph_finish(s.graph, 1), BLO_OK);
    y[FEATURES * CLASSES] = 7;
    blo_graph_call call = {.rows = {.table = s.table, .row = row},
                           .y = y,
                           .n_v = 1,
                           .v = vs,
                           .scale = 1,
                           .cache = cache,
                           .value = &value,
                           .hv = hvs};
    for (int k = 0; k < 64; k++) {
      cache[k] = 5;
    }
    blo_graph_samples(s.graph, &call);
    BLO_EXPECT_ALL(value == 0 && hv[0] == 0 && hv[N_NET - 1] == 0);
    for (int k = 0; k < 64; k++) {
      BLO_EXPECT_ALL(cache[k] == 5);
    }
    close_stage(&s);
  }
}

/* -------------------------------------------------------------- what is not a number */

/** No activation hides that a parameter is not a number: runs end as diverged by the value. */
static void not_a_number_shows(blo_comm *comm)
{
  for (int kind = BLO_TANH; kind <= BLO_SOFTPLUS; kind++) {
    stage s = {0};
    double loss[ROWS], y[] = {(double)NAN};
    open_stage(comm, &s);
    blo_graph *g = s.graph;
    blo_node z = blo_graph_add(g, blo_graph_label(g), param(g, BLO_IN_Y, "y", 1));
    blo_graph_loss(g, blo_graph_activation(g, z, (blo_activation)kind));
    BLO_REQUIRE_STATUS(blo_graph_finish(g, 0), BLO_OK);
    blo_graph_call call = {.rows = {.n = ROWS, .table = s.table, .row = row}, .y = y};
    blo_graph_output(g, &call, NULL, loss);
    BLO_EXPECT_MSG(isnan(loss[0]), "%s: %g", blo_activation_names[kind], loss[0]);
    close_stage(&s);
  }
}

/* ------------------------------------------------------------------------- memory */

/** Large global nodes do not make the chunks of rows small. */
static void global_nodes_cost_no_rows(blo_comm *comm)
{
  enum { LARGE = 5000000 };
  stage s = {0};

  open_stage(comm, &s);
  blo_graph *g = s.graph;
  blo_node w = blo_graph_exp(g, param(g, BLO_IN_X, "large", LARGE));
  describe_net(g);
  blo_graph_term(g, blo_graph_sum(g, blo_graph_square(g, w)));
  BLO_REQUIRE_STATUS(blo_graph_finish(g, 0), BLO_OK);
  BLO_EXPECT_MSG(blo_graph_chunk(g) > 100, "chunks of %d rows", (int)blo_graph_chunk(g));
  BLO_EXPECT_ALL(blo_graph_bytes(g) > 4 * LARGE * (blo_int)sizeof(double));
  close_stage(&s);
}

/* ---------------------------------------------------------------------- refusals */

static void two_negative_dims(blo_graph *g)
{
  blo_graph_param(g, BLO_IN_Y, "w", 2, (const blo_int[]){-2, -3}, zero);
}

static void too_many_numbers(blo_graph *g)
{
  const blo_int large = (blo_int)1 << 32;

  blo_graph_param(g, BLO_IN_Y, "w", 2, (const blo_int[]){large, large}, zero);
}

static void empty_constant(blo_graph *g)
{
  blo_graph_constant(g, 0, NULL);
}

static void two_outputs(blo_graph *g)
{
  blo_graph_mark_output(g, blo_graph_label(g));
  blo_graph_mark_output(g, blo_graph_features(g));
}

static void global_output(blo_graph *g)
{
  blo_graph_mark_output(g, param(g, BLO_IN_Y, "y", 2));
}

static void unknown_parameter(blo_graph *g)
{
  blo_graph_param_again(g, "nobody");
}

static void layer_of_an_image(blo_graph *g)
{
  blo_graph_linear(g, BLO_IN_Y, "layer", blo_graph_images(g, 1), 1);
}

static void negative_filters(blo_graph *g)
{
  blo_graph_conv_net(g, BLO_IN_Y, "net", blo_graph_images(g, 1),
                     &(blo_conv_spec){1, -1, BLO_NORM_NONE, false});
}

static void net_of_no_image(blo_graph *g)
{
  blo_graph_conv_net(g, BLO_IN_Y, "net", blo_graph_features(g),
                     &(blo_conv_spec){1, 1, BLO_NORM_NONE, false});
}

static void cell_of_no_sequence(blo_graph *g)
{
  blo_graph_recurrent(g, BLO_IN_Y, "cell", blo_graph_features(g), BLO_CELL_GRU, 2);
}

static void no_hidden_units(blo_graph *g)
{
  blo_graph_recurrent(g, BLO_IN_Y, "cell", blo_graph_features(g), BLO_CELL_LSTM, -1);
}

static void refusals(blo_comm *comm)
{
  static const struct {
    void (*describe)(blo_graph *g);
    blo_status status;
    const char *says;
  } all[] = {
      {two_negative_dims, BLO_E_SHAPE, "'w' has no numbers"},
      {too_many_numbers, BLO_E_SHAPE, "'w' has too many numbers"},
      {empty_constant, BLO_E_SHAPE, "constant: 0 numbers"},
      {two_outputs, BLO_E_UNSUPPORTED, "one output"},
      {global_output, BLO_E_UNSUPPORTED, "an output must depend on the samples"},
      {unknown_parameter, BLO_E_UNSUPPORTED, "no parameter 'nobody'"},
      {layer_of_an_image, BLO_E_SHAPE, "'layer' is an image"},
      {negative_filters, BLO_E_SHAPE, "net.1.K"},
      {net_of_no_image, BLO_E_SHAPE, "conv2d"},
      {cell_of_no_sequence, BLO_E_SHAPE, "gru"},
      {no_hidden_units, BLO_E_SHAPE, "cell.W_ih"},
  };

  for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
    stage s = {0};
    open_stage(comm, &s);
    all[k].describe(s.graph);
    blo_status status = blo_graph_finish(s.graph, 1);
    BLO_EXPECT_MSG(status == all[k].status && strstr(blo_error_text(s.ctx), all[k].says) != NULL,
                   "%s: %s: %s", all[k].says, blo_status_text(status), blo_error_text(s.ctx));
    close_stage(&s);
  }
}

/** No features, or a number of directions below 0; and a finished graph stays as it is. */
static void finishing(blo_comm *comm)
{
  stage s = {0};
  blo_graph *none = NULL;

  open_stage(comm, &s);
  describe_net(s.graph);
  BLO_EXPECT_STATUS(blo_graph_finish(s.graph, -1), BLO_E_SHAPE);
  BLO_EXPECT_STATUS(blo_graph_finish(s.graph, 2), BLO_OK);
  blo_int cache = blo_graph_cache_size(s.graph);
  BLO_EXPECT_STATUS(blo_graph_finish(s.graph, 2), BLO_E_UNSUPPORTED);
  BLO_EXPECT_ALL(blo_graph_label(s.graph) < 0 && blo_graph_cache_size(s.graph) == cache);
  BLO_REQUIRE_STATUS(blo_graph_create(s.ctx, s.params, &(blo_input){.n_classes = 2}, &none),
                     BLO_OK);
  BLO_EXPECT_ALL(blo_graph_features(none) < 0 && blo_graph_images(none, 1) < 0);
  BLO_EXPECT_STATUS(blo_graph_finish(none, 0), BLO_E_SHAPE);
  blo_graph_destroy(&none);
  close_stage(&s);
}

/* ------------------------------------------------------------------------- faults */

/** Describe, finish and free a network with all that takes memory while it is described. */
static blo_status describe_much(blo_comm *comm, void *arg)
{
  static const double mean[] = {1}, variance[] = {2};
  blo_context *ctx = blo_comm_context(comm);
  blo_input input = {.n_features = 16, .n_classes = CLASSES};
  blo_params *params = NULL;
  blo_graph *g = NULL;
  blo_status status = BLO_OK;

  (void)arg;
  BLO_GO(blo_params_create(ctx, &params));
  BLO_GO(blo_graph_create(ctx, params, &input, &g));
  blo_node in = blo_graph_batch_norm(g, blo_graph_images(g, 1), mean, variance, 1);
  for (int norm = BLO_NORM_CHANNEL; norm <= BLO_NORM_NONE; norm++) {
    const blo_conv_spec spec = {2, 2, (blo_conv_norm)norm, false};
    blo_node z = blo_graph_conv_net(g, BLO_IN_Y, blo_conv_norm_names[norm], in, &spec);
    z = blo_graph_linear(g, BLO_IN_X, "head", z, CLASSES);
    if (norm == BLO_NORM_NONE) {
      blo_graph_loss(g, blo_graph_softmax_ce(g, z));
    }
  }
  blo_graph_ridge(g, BLO_IN_Y, 1);
  BLO_GO(blo_graph_finish(g, 2));
done:
  blo_graph_destroy(&g);
  blo_params_destroy(&params);
  return blo_agree(comm, status);
}

static void faults_leak_nothing(blo_comm *comm)
{
  BLO_EXPECT_ALL(blo_test_sweep_faults(comm, describe_much, NULL) > 10);
}

static const blo_test tests[] = {
    {"parameters and nodes used again", used_again},
    {"images", images},
    {"outputs leave the cache alone", outputs_leave_the_cache_alone},
    {"no rows write nothing", no_rows_write_nothing},
    {"not a number shows", not_a_number_shows},
    {"global nodes cost no rows", global_nodes_cost_no_rows},
    {"refusals", refusals},
    {"finishing", finishing},
    {"faults leak nothing", faults_leak_nothing},
};
BLO_TEST_MAIN("model corners", tests)

/**
 * @file
 * Few-shot learning as a bilevel problem with many lower levels (Rajeswaran et al. 2019, arXiv
 * 1909.04630; in the form with a shared representation of Ji, Yang and Liang 2021, arXiv
 * 2010.07962, section 6.1). Task t is an episode (episodes.h); x are the parameters of a
 * representation phi_x that all tasks share, y = (y_1, ..., y_T) those of one softmax layer for
 * each task:
 *
 *     g(x, y) = sum_t [ mean over the support of t of CE(y_t, phi_x(a)) + reg ||y_t||^2 ]
 *     f(x, y) = (1/T) sum_t mean over the queries of t of CE(y_t, phi_x(a))
 *
 * The samples of the problem are the tasks: y is sharded with them, and lower-level steps send
 * nothing. Episodes of other classes, the test tasks, measure what phi_x is worth: their layers are
 * fitted by `adapt_steps` gradient steps from zero.
 */
#include "episodes.h"
#include "likeliest.h"
#include "samples.h"
#include <math.h>
#include <string.h>

typedef struct options {
  blo_source_spec train, test;
  blo_model_options model;
  blo_int ways, shots, queries, episodes, test_episodes, shards, seed, init_seed, adapt_steps;
  double reg, adapt_step;
  int scaling;
} options;

/** The samples of a task on one level: its support, or its queries. */
typedef struct task_part {
  blo_int n;
  blo_int *place; /**< [n] in the episode */
  int32_t *label; /**< [n] */
} task_part;

typedef struct state {
  episode_shape shape;
  blo_set *train, *test; /**< episode by episode; test may be NULL */
  blo_scaling *scaling;
  blo_params *params;
  blo_graph *graph[2];
  task_part part[2];       /**< by level */
  blo_int *row;            /**< [samples of a part] in the table */
  double *output, *loss;   /**< of the queries */
  double *y, *g_y, *cache; /**< of a test task that is being adapted */
  const double *x;         /**< where metrics are taken */
} state;

/* ------------------------------------------------------------------- set-up */

/** Test tasks have other classes, but samples of the same kind. */
static blo_status check_sources(blo_context *ctx, const options *o, const blo_source *train,
                                const blo_source *test)
{
  const char *const kinds[] = {"numbers", "texts"}, *const forms[] = {"dense", "sparse"};
  bool texts = blo_source_is_tokens(train), sparse = blo_source_is_sparse(train);

  BLO_CHECK(ctx, blo_source_is_tokens(test) == texts, BLO_E_DATA, "%s has %s, %s has %s",
            o->test.path, kinds[!texts], o->train.path, kinds[texts]);
  BLO_CHECK(ctx, blo_source_is_sparse(test) == sparse, BLO_E_DATA,
            "%s is %s, %s is %s: both must be of one kind", o->test.path, forms[!sparse],
            o->train.path, forms[sparse]);
  BLO_CHECK(ctx, blo_source_n_features(test) == blo_source_n_features(train), BLO_E_SHAPE,
            "%s has %lld features, %s has %lld", o->test.path,
            (long long)blo_source_n_features(test), o->train.path,
            (long long)blo_source_n_features(train));
  return BLO_OK;
}

/** The tokens of both sources stand for the same words. */
static blo_status check_words(blo_context *ctx, const options *o, const state *st)
{
  const blo_table *train = st->train->own, *test = st->test->own;
  bool known = train->vocabulary_crc != 0 && test->vocabulary_crc != 0;

  BLO_CHECK(ctx,
            train->n_tokens == test->n_tokens &&
                (!known || train->vocabulary_crc == test->vocabulary_crc),
            BLO_E_DATA,
            "%s has a vocabulary of %lld tokens, %s has another one of %lld: convert it with that "
            "one's vocabulary (--vocabulary-from)",
            o->train.path, (long long)train->n_tokens, o->test.path, (long long)test->n_tokens);
  return BLO_OK;
}

static blo_status load(blo_problem *p, const options *o, state *st)
{
  episode_draw draw = {(uint64_t)o->seed, 0}, test_draw = {(uint64_t)o->seed, 1};
  blo_status status = BLO_OK;
  blo_source *train = NULL, *test = NULL;

  BLO_CHECK(p->ctx, o->train.path[0] != '\0', BLO_E_OPTION,
            "problem.train.path is not given: where are the samples?");
  BLO_CHECK(p->ctx,
            o->test.path[0] != '\0' || (o->test.labels[0] == '\0' && o->test.group[0] == '\0'),
            BLO_E_OPTION, "problem.test has labels or a group, but no path");
  BLO_GO(blo_source_open(p->comm, &o->train, NULL, &train));
  BLO_GO(episodes_take(p->comm, train, o->train.path, &st->shape, draw, o->episodes, o->shards,
                       &st->train));
  if (o->test.path[0] != '\0') {
    BLO_GO(blo_source_open(p->comm, &o->test, NULL, &test));
    BLO_GO(check_sources(p->ctx, o, train, test));
    BLO_GO(episodes_take(p->comm, test, o->test.path, &st->shape, test_draw, o->test_episodes,
                         o->shards, &st->test));
    BLO_GO(check_words(p->ctx, o, st));
  }
  BLO_GO(blo_scaling_create(st->train, (blo_scaling_kind)o->scaling, &st->scaling));
done:
  blo_source_close(&train);
  blo_source_close(&test);
  return status;
}

static void describe(const blo_problem *p, blo_level level, blo_graph *g)
{
  const options *o = p->options;
  blo_node phi = blo_model_features(g, &o->model, BLO_IN_X);
  blo_node z = blo_graph_linear(g, BLO_IN_Y, "head", phi, o->ways);

  blo_graph_loss(g, blo_graph_softmax_ce(g, z));
  blo_graph_mark_output(g, z);
  if (level == BLO_LOWER) {
    blo_graph_ridge(g, BLO_IN_Y, o->reg);
  }
}

static blo_status make_graphs(blo_problem *p, const options *o, state *st)
{
  blo_input in = {.n_features = st->train->own->n_features,
                  .n_classes = o->ways,
                  .n_tokens = st->train->own->n_tokens,
                  .sparse = st->train->own->sparse};

  BLO_CHECK(p->ctx, !in.sparse, BLO_E_UNSUPPORTED, "few_shot: sparse features are not supported");
  BLO_TRY(blo_params_create(p->ctx, &st->params));
  for (int level = BLO_LOWER; level <= BLO_UPPER; level++) {
    BLO_TRY(blo_graph_create(p->ctx, st->params, &in, &st->graph[level]));
    describe(p, (blo_level)level, st->graph[level]);
    BLO_TRY(blo_graph_finish(st->graph[level], level == BLO_LOWER ? BLO_DIRECTIONS_MAX : 0));
  }
  return BLO_OK;
}

static blo_status make_part(blo_problem *p, state *st, blo_level level)
{
  bool queries = level == BLO_UPPER;
  task_part *t = &st->part[level];

  t->n = st->shape.ways * (queries ? st->shape.queries : st->shape.shots);
  BLO_TRY(blo_alloc(p->ctx, t->n, sizeof *t->place, &t->place));
  BLO_TRY(blo_alloc(p->ctx, t->n, sizeof *t->label, &t->label));
  episode_part(&st->shape, queries, t->place, t->label);
  return BLO_OK;
}

static blo_status make_buffers(blo_problem *p, state *st)
{
  blo_int n = st->part[BLO_LOWER].n, m = st->part[BLO_UPPER].n;

  BLO_TRY(blo_alloc(p->ctx, n > m ? n : m, sizeof *st->row, &st->row));
  BLO_TRY(blo_alloc(p->ctx, m * st->shape.ways, sizeof *st->output, &st->output));
  BLO_TRY(blo_alloc(p->ctx, m, sizeof *st->loss, &st->loss));
  BLO_TRY(blo_alloc(p->ctx, p->y_width, sizeof *st->y, &st->y));
  BLO_TRY(blo_alloc(p->ctx, p->y_width, sizeof *st->g_y, &st->g_y));
  return blo_alloc(p->ctx, p->cache_per_sample, sizeof *st->cache, &st->cache);
}

static blo_status build(blo_problem *p, const options *o, state *st)
{
  BLO_TRY(make_graphs(p, o, st));
  BLO_TRY(make_part(p, st, BLO_LOWER));
  BLO_TRY(make_part(p, st, BLO_UPPER));
  p->n_lower = p->n_upper = o->episodes;
  p->n_shards = o->shards;
  p->y_width = blo_params_size(st->params, BLO_IN_Y);
  p->n_y = p->n_lower * p->y_width;
  p->n_x = blo_params_size(st->params, BLO_IN_X);
  BLO_CHECK(p->ctx, p->n_x > 0, BLO_E_OPTION,
            "few_shot: a linear model has no representation to learn: set problem.model.type");
  p->x_layout = BLO_ROOTED;
  p->reuses_x = true;
  p->has |= blo_graph_has_gauss_newton(st->graph[BLO_LOWER]) ? BLO_HAS_GAUSS_NEWTON : 0u;
  p->params = st->params;
  p->cache_per_sample = st->part[BLO_LOWER].n * blo_graph_cache_size(st->graph[BLO_LOWER]);
  return make_buffers(p, st);
}

static blo_status setup(blo_problem *p)
{
  const options *o = p->options;
  state *st = p->state;

  st->shape = (episode_shape){o->ways, o->shots, o->queries};
  BLO_TRY(blo_shards_check(p->comm, o->shards));
  BLO_TRY(load(p, o, st));
  BLO_TRY_ALL(p->comm, build(p, o, st));
  p->fingerprint = blo_set_fingerprint(st->train);
  if (st->test != NULL) {
    p->fingerprint = p->fingerprint * 31 + blo_set_fingerprint(st->test);
  }
  return BLO_OK;
}

static void teardown(blo_problem *p)
{
  state *st = p->state;

  for (int level = BLO_LOWER; level <= BLO_UPPER; level++) {
    blo_graph_destroy(&st->graph[level]);
    blo_free(p->ctx, &st->part[level].place);
    blo_free(p->ctx, &st->part[level].label);
  }
  blo_params_destroy(&st->params);
  blo_set_destroy(&st->train);
  blo_set_destroy(&st->test);
  blo_scaling_destroy(p->ctx, &st->scaling);
  blo_free(p->ctx, &st->row);
  blo_free(p->ctx, &st->output);
  blo_free(p->ctx, &st->loss);
  blo_free(p->ctx, &st->y);
  blo_free(p->ctx, &st->g_y);
  blo_free(p->ctx, &st->cache);
}

static void start(const blo_problem *p, const blo_slice *x, const blo_slice *y)
{
  const options *o = p->options;
  const state *st = p->state;

  blo_params_start(st->params, BLO_IN_X, (uint64_t)o->init_seed, x->first, x->n, x->data);
  memset(y->data, 0, (size_t)y->n * sizeof *y->data);
}

/* ------------------------------------------------------------------- sweeps */

/** Find the table's rows of a part of an episode. */
static void find_rows(state *st, blo_int episode, blo_level level)
{
  const task_part *t = &st->part[level];
  blo_int base = episode * episode_size(&st->shape);

  for (blo_int i = 0; i < t->n; i++) {
    st->row[i] = base + t->place[i];
  }
}

/** The portion of these rows that begins with number `first`. */
static blo_graph_rows portion(const state *st, const blo_set *set, blo_level level, blo_int first)
{
  const task_part *t = &st->part[level];
  blo_int chunk = blo_graph_chunk(st->graph[level]), left = t->n - first;

  return (blo_graph_rows){.n = left < chunk ? left : chunk,
                          .table = set->own,
                          .scaling = st->scaling,
                          .row = st->row + first,
                          .label = t->label + first};
}

/** Run a graph over the samples of a part of an episode, in portions of rows. The call's scale is
 * for the mean over the part. */
static void run_part(state *st, const blo_set *set, blo_int episode, blo_level level,
                     const blo_graph_call *call)
{
  const task_part *t = &st->part[level];
  blo_graph *g = st->graph[level];
  blo_int chunk = blo_graph_chunk(g);

  find_rows(st, episode, level);
  for (blo_int first = 0; first < t->n; first += chunk) {
    blo_graph_call c = *call;
    c.rows = portion(st, set, level, first);
    c.scale = call->scale / (double)t->n;
    c.cache = call->cache != NULL ? call->cache + first * blo_graph_cache_size(g) : NULL;
    blo_graph_samples(g, &c);
  }
  blo_graph_terms(g, call);
}

/** Task number i of a sweep: its own part of y and of what belongs to y. */
static void run_task(blo_problem *p, const blo_shard_task *task, const blo_shard_out *out,
                     blo_int i)
{
  state *st = p->state;
  blo_int in_shard = task->row != NULL ? task->row[i] : i, at = in_shard * p->y_width;
  blo_int first = blo_set_offset(st->train, task->shard) / episode_size(&st->shape);
  const double *v[BLO_DIRECTIONS_MAX];
  double *hv[BLO_DIRECTIONS_MAX];
  blo_graph_call call = {.x = task->x,
                         .y = task->y + at,
                         .n_v = task->level == BLO_LOWER ? task->n_v : 0,
                         .v = v,
                         .scale = task->scale,
                         .linearized = task->linearized,
                         .same_x = task->same_x,
                         .gauss_newton = (task->want & BLO_WANT_GAUSS_NEWTON) != 0,
                         .value = out->value,
                         .gx = out->gx,
                         .gy = out->gy != NULL ? out->gy + at : NULL,
                         .hv = out->hv[0] != NULL ? hv : NULL,
                         .jv = out->jv[0] != NULL ? out->jv : NULL};

  for (blo_int d = 0; d < task->n_v; d++) {
    v[d] = task->v[d] + at;
    hv[d] = out->hv[0] != NULL ? out->hv[d] + at : NULL;
  }
  call.cache = task->cache != NULL ? task->cache + i * p->cache_per_sample : NULL;
  run_part(st, st->train, first + in_shard, task->level, &call);
}

static blo_status shard(blo_problem *p, const blo_shard_task *task, const blo_shard_out *out)
{
  for (blo_int i = 0; i < task->n_rows; i++) {
    run_task(p, task, out, i);
  }
  return BLO_OK;
}

/* ------------------------------------------------------------------ metrics */

static const blo_metric metrics[] = {
    {"test_accuracy", "-", "share of the test tasks' queries that are classified correctly"},
    {"test_interval", "-", "half the 95 % confidence interval of test_accuracy over the tasks"},
    {"test_loss", "-", "mean cross-entropy of the test tasks' queries"},
};
enum { SUM_RIGHT, SUM_RIGHT_SQUARED, SUM_LOSS, N_SUMS };

static void metrics_prepare(blo_problem *p, const blo_point *at)
{
  state *st = p->state;

  st->x = at->x;
}

/** st->y = the layer of a test task after gradient steps from zero; x stands still. */
static void adapt(blo_problem *p, blo_int episode)
{
  const options *o = p->options;
  state *st = p->state;

  memset(st->y, 0, (size_t)p->y_width * sizeof *st->y);
  for (blo_int t = 0; t < o->adapt_steps; t++) {
    blo_graph_call call = {
        .x = st->x, .y = st->y, .scale = 1, .gy = st->g_y, .cache = st->cache, .same_x = t > 0};
    memset(st->g_y, 0, (size_t)p->y_width * sizeof *st->g_y);
    run_part(st, st->test, episode, BLO_LOWER, &call);
    for (blo_int k = 0; k < p->y_width; k++) {
      st->y[k] -= o->adapt_step * st->g_y[k];
    }
  }
}

/** Outputs and losses of the queries of a test task. */
static void judge(state *st, blo_int episode)
{
  const task_part *t = &st->part[BLO_UPPER];
  blo_graph *g = st->graph[BLO_UPPER];
  blo_int chunk = blo_graph_chunk(g);

  find_rows(st, episode, BLO_UPPER);
  for (blo_int first = 0; first < t->n; first += chunk) {
    blo_graph_call call = {.x = st->x, .y = st->y};
    call.rows = portion(st, st->test, BLO_UPPER, first);
    blo_graph_output(g, &call, st->output + first * st->shape.ways, st->loss + first);
  }
}

static void score(blo_problem *p, blo_int episode, double *sums)
{
  state *st = p->state;
  const task_part *t = &st->part[BLO_UPPER];
  double right = 0, loss = 0;

  adapt(p, episode);
  judge(st, episode);
  for (blo_int i = 0; i < t->n; i++) {
    right += likeliest(st->shape.ways, st->output + i * st->shape.ways) == t->label[i];
    loss += st->loss[i];
  }
  right /= (double)t->n;
  sums[SUM_RIGHT] += right;
  sums[SUM_RIGHT_SQUARED] += right * right;
  sums[SUM_LOSS] += loss / (double)t->n;
}

static blo_status metrics_shard(blo_problem *p, blo_int s, const double *x, double *sums)
{
  const state *st = p->state;
  blo_int size = episode_size(&st->shape);

  (void)x;
  if (st->test != NULL) {
    blo_int end = blo_set_offset(st->test, s + 1) / size;
    for (blo_int e = blo_set_offset(st->test, s) / size; e < end; e++) {
      score(p, e, sums);
    }
  }
  return BLO_OK;
}

static void metrics_finish(const blo_problem *p, const double *sums, double *values)
{
  const options *o = p->options;
  const state *st = p->state;
  double n = st->test != NULL ? (double)o->test_episodes : (double)NAN;
  double mean = sums[SUM_RIGHT] / n, spread = sums[SUM_RIGHT_SQUARED] / n - mean * mean;

  values[0] = mean;
  values[1] = 1.96 * sqrt(fmax(spread, 0) / n);
  values[2] = sums[SUM_LOSS] / n;
}

/* ------------------------------------------------------------- the table */

static const blo_opt_row rows[] = {
    BLO_OPT(options, ways, "5", 2, 256, "classes", "classes of an episode, N", "", 0),
    BLO_OPT(options, shots, "1", 1, 1e4, "samples", "samples of a class to learn from, K", "", 0),
    BLO_OPT(options, queries, "5", 1, 1e4, "samples", "samples of a class to be judged by, Q", "",
            0),
    BLO_OPT(options, episodes, "512", 1, 1e9, "episodes",
            "training tasks, a multiple of the shards; each has its own part of y", "", 0),
    BLO_OPT(options, test_episodes, "128", 1, 1e9, "episodes",
            "test tasks, a multiple of the shards, from the test source", "", 0),
    BLO_OPT(options, adapt_steps, "20", 1, 1e6, "steps",
            "gradient steps that fit the layer of a test task, from zero", "", 0),
    BLO_OPT(options, adapt_step, "0.5", 0, 1e6, "-", "step size of these steps", "",
            BLO_OPT_OPEN_LOW),
    BLO_OPT(options, reg, "0.01", 0, 1e6, "-", "weight of ||y_t||^2 in g", "", 0),
    BLO_OPT(options, shards, "64", 1, 1 << 20, "shards",
            "logical shards, a power of two: the most ranks that can be used", "", 0),
    BLO_OPT(options, seed, "1", 0, 9007199254740992.0, "-", "seed of the episodes", "", 0),
    BLO_OPT(options, init_seed, "1", 0, 9007199254740992.0, "-", "seed of the starting x", "", 0),
    BLO_OPT_NAMES(options, scaling, "unit", blo_scaling_names,
                  "of the features, found on the training tasks", "", 0),
};

static const blo_opt_sub subs[] = {
    {"train", offsetof(options, train), &blo_source_table},
    {"test", offsetof(options, test), &blo_source_table},
    {"model", offsetof(options, model), &blo_model_table},
};

static const blo_opt_table table = BLO_OPT_TABLE_WITH(
    "few_shot", "learn a representation from many small tasks", options, rows, subs);

const blo_problem_type blo_problem_few_shot = {
    .name = "few_shot",
    .summary = "few-shot learning: a shared representation in x, a layer for each task in y",
    .source = "Rajeswaran et al. 2019, arXiv 1909.04630; Ji, Yang and Liang 2021, arXiv 2010.07962",
    .state_size = sizeof(state),
    .options = &table,
    .has = BLO_HAS_G_X | BLO_HAS_F_X | BLO_HAS_DIRECTIONS,
    .metrics = metrics,
    .n_metrics = BLO_COUNT_OF(metrics),
    .n_metric_sums = N_SUMS,
    .setup = setup,
    .teardown = teardown,
    .start = start,
    .shard = shard,
    .metrics_prepare = metrics_prepare,
    .metrics_shard = metrics_shard,
    .metrics_finish = metrics_finish,
};

/** @file The slots of problems made of graphs; see network.h. */
#include "likeliest.h"
#include "network_private.h"
#include <math.h>
#include <string.h>

/* ------------------------------------------------------------------- set-up */

static const blo_net_options *options_of(const blo_problem *p)
{
  return p->options;
}

static blo_status new_net(blo_problem *p)
{
  return blo_alloc(p->ctx, 1, sizeof(blo_net), p->state);
}

blo_status blo_net_load(blo_problem *p)
{
  BLO_TRY_ALL(p->comm, new_net(p));
  return samples_load(p, &options_of(p)->data, &net_of(p)->data);
}

const blo_set *blo_net_train(const blo_problem *p)
{
  return net_of(p)->data.set[PART_TRAIN];
}

static blo_status make_graph(blo_problem *p, blo_level level, const blo_input *input)
{
  blo_net *net = net_of(p);

  BLO_TRY(blo_graph_create(p->ctx, net->params, input, &net->graph[level]));
  p->type->describe(p, level, net->graph[level]);
  return blo_graph_finish(net->graph[level], level == BLO_LOWER ? BLO_DIRECTIONS_MAX : 0);
}

/** Sizes and layout of x and y, from what the graphs use. */
static blo_status set_sizes(blo_problem *p)
{
  blo_net *net = net_of(p);
  blo_int n_x = blo_params_size(net->params, BLO_IN_X);
  bool upper = blo_graph_reads_sample_value(net->graph[BLO_UPPER]);

  p->x_aligned = blo_graph_reads_sample_value(net->graph[BLO_LOWER]);
  BLO_CHECK(p->ctx, !upper, BLO_E_UNSUPPORTED,
            "problem '%s': x belongs to training samples, the upper level has none", p->type->name);
  BLO_CHECK(
      p->ctx, p->x_aligned || n_x > 0, BLO_E_UNSUPPORTED,
      "problem '%s': nothing belongs to x: no parameter of the model, no samples' own entries",
      p->type->name);
  BLO_CHECK(p->ctx, !p->x_aligned || n_x == 0, BLO_E_UNSUPPORTED,
            "problem '%s': x is made either of parameters or of the samples' own entries",
            p->type->name);
  p->n_x = p->x_aligned ? p->n_lower : n_x;
  p->n_y = blo_params_size(net->params, BLO_IN_Y);
  BLO_CHECK(p->ctx, p->n_y > 0, BLO_E_UNSUPPORTED, "problem '%s': no parameter belongs to y",
            p->type->name);
  p->x_layout = p->x_aligned ? BLO_SHARDED : BLO_ROOTED;
  p->has = BLO_HAS_G_X | BLO_HAS_DIRECTIONS | (p->x_aligned ? 0u : BLO_HAS_F_X) |
           (blo_graph_has_gauss_newton(net->graph[BLO_LOWER]) ? BLO_HAS_GAUSS_NEWTON : 0u);
  p->reuses_x = !p->x_aligned;
  p->cache_per_sample = blo_graph_cache_size(net->graph[BLO_LOWER]);
  p->params = net->params;
  return BLO_OK;
}

static blo_status make_buffers(blo_problem *p)
{
  blo_net *net = net_of(p);
  const blo_graph *lower = net->graph[BLO_LOWER], *upper = net->graph[BLO_UPPER];
  blo_int rows = blo_larger(blo_graph_chunk(lower), blo_graph_chunk(upper));
  blo_int n_output = blo_graph_chunk(upper) * blo_graph_output_size(upper);

  BLO_TRY(blo_alloc(p->ctx, rows, sizeof *net->row, &net->row));
  BLO_TRY(blo_alloc(p->ctx, n_output, sizeof *net->output, &net->output));
  BLO_TRY(blo_alloc(p->ctx, rows, sizeof *net->loss, &net->loss));
  for (int d = 0; p->x_aligned && d < BLO_DIRECTIONS_MAX; d++) {
    BLO_TRY(blo_alloc(p->ctx, rows, sizeof(double), &net->j_sample_value[d]));
  }
  BLO_TRY(blo_alloc(p->ctx, rows, sizeof(double), &net->sample_value));
  return blo_alloc(p->ctx, rows, sizeof(double), &net->g_sample_value);
}

static blo_status build(blo_problem *p, const blo_input *input)
{
  blo_net *net = net_of(p);

  BLO_TRY(blo_params_create(p->ctx, &net->params));
  BLO_TRY(make_graph(p, BLO_LOWER, input));
  BLO_TRY(make_graph(p, BLO_UPPER, input));
  BLO_TRY(set_sizes(p));
  return make_buffers(p);
}

blo_status blo_net_build(blo_problem *p)
{
  blo_input input = network_input(p, &net_of(p)->data);

  return blo_agree(p->comm, build(p, &input));
}

blo_status blo_net_setup(blo_problem *p)
{
  BLO_TRY(blo_net_load(p));
  return blo_net_build(p);
}

void blo_net_teardown(blo_problem *p)
{
  blo_net *net = net_of(p);

  if (net != NULL) {
    blo_graph_destroy(&net->graph[BLO_LOWER]);
    blo_graph_destroy(&net->graph[BLO_UPPER]);
    blo_params_destroy(&net->params);
    blo_free(p->ctx, &net->row);
    blo_free(p->ctx, &net->output);
    blo_free(p->ctx, &net->loss);
    for (int d = 0; d < BLO_DIRECTIONS_MAX; d++) {
      blo_free(p->ctx, &net->j_sample_value[d]);
    }
    blo_free(p->ctx, &net->sample_value);
    blo_free(p->ctx, &net->g_sample_value);
    samples_free(p, &net->data);
    blo_free(p->ctx, p->state);
  }
}

void blo_net_start(const blo_problem *p, const blo_slice *x, const blo_slice *y)
{
  const blo_net_options *o = options_of(p);
  const blo_params *params = net_of(p)->params;

  for (blo_int i = 0; p->x_aligned && i < x->n; i++) {
    x->data[i] = 0;
  }
  if (!p->x_aligned) {
    blo_params_start(params, BLO_IN_X, (uint64_t)o->init_seed, x->first, x->n, x->data);
  }
  blo_params_start(params, BLO_IN_Y, (uint64_t)o->init_seed, y->first, y->n, y->data);
}

/* ------------------------------------------------------------------- sweeps */

/** Rows first..first+n of a task, with their entries of x. */
static blo_graph_rows rows_of(const blo_problem *p, const blo_shard_task *task, blo_int first,
                              blo_int n)
{
  blo_net *net = net_of(p);
  const blo_set *set = net->data.set[task->level == BLO_LOWER ? PART_TRAIN : PART_VAL];
  blo_int offset = blo_set_offset(set, task->shard);

  for (blo_int i = 0; i < n; i++) {
    blo_int in_shard = task->row != NULL ? task->row[first + i] : first + i;
    net->row[i] = offset + in_shard;
    if (p->x_aligned && task->level == BLO_LOWER) {
      net->sample_value[i] = task->x[in_shard];
    }
  }
  return (blo_graph_rows){.n = n,
                          .table = set->own,
                          .scaling = net->data.scaling,
                          .row = net->row,
                          .sample_value = net->sample_value};
}

static void clear(blo_int n, double *a)
{
  memset(a, 0, (size_t)n * sizeof *a);
}

/** Add what belongs to the rows' own entries of x to the shard's slice. */
static void scatter(const blo_shard_task *task, blo_int first, blo_int n, const double *from,
                    double *to)
{
  for (blo_int i = 0; i < n; i++) {
    to[task->row != NULL ? task->row[first + i] : first + i] += from[i];
  }
}

/** Where the graph puts what is wanted; with an aligned x, the parts of x go to buffers. */
static blo_graph_call call_of(const blo_problem *p, const blo_shard_task *task,
                              const blo_shard_out *out)
{
  blo_net *net = net_of(p);
  bool aligned = p->x_aligned;

  return (blo_graph_call){.x = aligned ? NULL : task->x,
                          .y = task->y,
                          .n_v = task->level == BLO_LOWER ? task->n_v : 0,
                          .v = task->v,
                          .scale = task->scale,
                          .linearized = task->linearized,
                          .same_x = task->same_x,
                          .gauss_newton = (task->want & BLO_WANT_GAUSS_NEWTON) != 0,
                          .value = out->value,
                          .gx = aligned ? NULL : out->gx,
                          .gy = out->gy,
                          .g_sample_value = aligned && out->gx != NULL ? net->g_sample_value : NULL,
                          .hv = out->hv[0] != NULL ? out->hv : NULL,
                          .jv = !aligned && out->jv[0] != NULL ? out->jv : NULL,
                          .j_sample = aligned && out->jv[0] != NULL ? net->j_sample_value : NULL};
}

static void run_rows(const blo_problem *p, const blo_shard_task *task, const blo_shard_out *out,
                     blo_int first, blo_int n)
{
  blo_net *net = net_of(p);
  blo_graph_call call = call_of(p, task, out);

  call.rows = rows_of(p, task, first, n);
  call.cache = task->cache != NULL ? task->cache + first * p->cache_per_sample : NULL;
  if (call.g_sample_value != NULL) {
    clear(n, net->g_sample_value);
  }
  for (blo_int d = 0; call.j_sample != NULL && d < task->n_v; d++) {
    clear(n, net->j_sample_value[d]);
  }
  blo_graph_samples(net->graph[task->level], &call);
  if (call.g_sample_value != NULL) {
    scatter(task, first, n, net->g_sample_value, out->gx);
  }
  for (blo_int d = 0; call.j_sample != NULL && d < task->n_v; d++) {
    scatter(task, first, n, net->j_sample_value[d], out->jv[d]);
  }
}

blo_status blo_net_shard(blo_problem *p, const blo_shard_task *task, const blo_shard_out *out)
{
  blo_int chunk = blo_graph_chunk(net_of(p)->graph[task->level]);

  for (blo_int first = 0; first < task->n_rows; first += chunk) {
    blo_int left = task->n_rows - first;
    run_rows(p, task, out, first, left < chunk ? left : chunk);
  }
  return BLO_OK;
}

void blo_net_common(const blo_problem *p, blo_level level, unsigned want, const blo_point *at,
                    double scale, const blo_shard_out *out)
{
  bool aligned = p->x_aligned;
  blo_graph_call call = {.x = aligned ? NULL : at->x,
                         .y = at->y,
                         .n_v = (want & (BLO_WANT_HV | BLO_WANT_JV)) != 0 ? at->n_v : 0,
                         .v = at->v,
                         .gauss_newton = (want & BLO_WANT_GAUSS_NEWTON) != 0,
                         .scale = scale,
                         .value = out->value,
                         .gx = aligned ? NULL : out->gx,
                         .gy = out->gy,
                         .hv = out->hv[0] != NULL ? out->hv : NULL,
                         .jv = !aligned && out->jv[0] != NULL ? out->jv : NULL};

  blo_graph_terms(net_of(p)->graph[level], &call);
}

/* ------------------------------------------------------------------ metrics */

const blo_metric blo_net_metrics[BLO_NET_N_METRICS] = {BLO_NET_METRICS};

void blo_net_metrics_prepare(blo_problem *p, const blo_point *at)
{
  net_of(p)->x = p->x_aligned ? NULL : at->x;
  net_of(p)->y = at->y;
}

/** Of several outputs the largest speaks, of one its sign. */
static blo_int classify_row(blo_int n, const double *output)
{
  return n == 1 ? output[0] > 0 : likeliest(n, output);
}

/** Add loss and right answers of rows first..first+n of a set's shard. */
static void score_rows(blo_net *net, const blo_set *set, blo_int first, blo_int n, double *sums)
{
  blo_graph *g = net->graph[BLO_UPPER];
  blo_int n_output = blo_graph_output_size(g);
  blo_graph_call call = {
      .rows = {.n = n, .table = set->own, .scaling = net->data.scaling, .row = net->row},
      .x = net->x,
      .y = net->y};

  for (blo_int i = 0; i < n; i++) {
    net->row[i] = first + i;
  }
  blo_graph_output(g, &call, n_output > 0 ? net->output : NULL, net->loss);
  for (blo_int i = 0; i < n; i++) {
    sums[0] += net->loss[i];
    if (n_output > 0) {
      sums[1] += classify_row(n_output, net->output + i * n_output) == set->own->label[first + i];
    }
  }
}

static void score_shard(blo_net *net, const blo_set *set, blo_int s, double *sums)
{
  blo_int end = blo_set_offset(set, s + 1), chunk = blo_graph_chunk(net->graph[BLO_UPPER]);

  for (blo_int first = blo_set_offset(set, s); first < end; first += chunk) {
    score_rows(net, set, first, end - first < chunk ? end - first : chunk, sums);
  }
}

blo_status blo_net_metrics_shard(blo_problem *p, blo_int shard, const double *x, double *sums)
{
  blo_net *net = net_of(p);

  (void)x;
  if (net->data.set[PART_TEST] != NULL) {
    score_shard(net, net->data.set[PART_TEST], shard, sums);
  }
  score_shard(net, net->data.set[PART_VAL], shard, sums + 2);
  return BLO_OK;
}

void blo_net_metrics_finish(const blo_problem *p, const double *sums, double *values)
{
  const blo_net *net = net_of(p);
  const blo_set *test = net->data.set[PART_TEST];
  bool scored = blo_graph_output_size(net->graph[BLO_UPPER]) > 0;
  double n_test = test != NULL ? (double)test->n : (double)NAN;
  double n_val = (double)net->data.set[PART_VAL]->n;

  values[0] = scored ? sums[1] / n_test : (double)NAN;
  values[1] = sums[0] / n_test;
  values[2] = scored ? sums[3] / n_val : (double)NAN;
  values[3] = sums[2] / n_val;
}

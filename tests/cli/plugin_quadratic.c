/**
 * @file
 * A plugin as a user would write one: a problem with its own oracles, options, and names for the
 * parts of x and y.
 *
 *     g_i = (d_i / 2) |y - B x - c_i|^2        f_j = (1/2) |y - t_j|^2 + (rho / 2) |x|^2
 *
 * over random c, t and d > 0. So H = mean(d) I, J = -mean(d) B', y*(x) = B x + the mean of c with
 * weights d. y has the parts W [2][3] and b [3], x the part scale [4]. With `split` each sample has
 * a y of its own, y_i, in g_i and in f_i.
 */
#include <blo/model.h>
#include <blo/plugin.h>
#include <math.h>

enum { N_X = 4, N_Y = 9, N = 48, M = 40 };

typedef struct options {
  double rho;
  bool split;
} options;

typedef struct state {
  blo_params *params;
  double b[N_Y][N_X];
} state;

/* Number k of sample i: kind 0 is c, 1 is t, 2 is log d, 3 is B. */
static double number(int kind, blo_int i, int k)
{
  static const blo_stream stream = {11, BLO_PURPOSE_TEST};

  return blo_stream_normal(stream, (uint64_t)kind, (uint64_t)i, (uint64_t)k);
}

/* The blocks: a graph is where they are declared, even if nothing is computed with it. */
static blo_status name_parts(blo_problem *p, blo_params *params)
{
  static const blo_int w[] = {2, 3}, b[] = {3}, scale[] = {N_X};
  const blo_init zero = {BLO_INIT_CONSTANT, 0};
  const blo_input input = {.n_features = 1};
  blo_graph *graph = NULL;
  blo_status status;

  BLO_TRY(blo_graph_create(p->ctx, params, &input, &graph));
  blo_graph_param(graph, BLO_IN_Y, "layer.W", 2, w, zero);
  blo_graph_param(graph, BLO_IN_Y, "layer.b", 1, b, zero);
  blo_graph_param(graph, BLO_IN_X, "scale", 1, scale, zero);
  blo_graph_loss(graph, blo_graph_sum(graph, blo_graph_features(graph)));
  status = blo_graph_finish(graph, 0); /* says whether all of that has worked */
  blo_graph_destroy(&graph);
  return status;
}

static blo_status make(blo_problem *p)
{
  state *s = p->state;

  BLO_TRY(blo_params_create(p->ctx, &s->params));
  return name_parts(p, s->params);
}

static blo_status setup(blo_problem *p)
{
  const options *o = p->options;
  state *s = p->state;

  BLO_TRY_ALL(p->comm, make(p));
  for (int j = 0; j < N_Y; j++) {
    for (int k = 0; k < N_X; k++) {
      s->b[j][k] = number(3, j, k);
    }
  }
  p->params = s->params;
  p->n_x = N_X;
  p->n_y = o->split ? N * N_Y : N_Y;
  p->y_width = o->split ? N_Y : 0;
  p->n_lower = N;
  p->n_upper = o->split ? N : M;
  p->n_shards = 8;
  p->x_layout = BLO_ROOTED;
  p->fingerprint = 0x71756164;
  return BLO_OK;
}

static void teardown(blo_problem *p)
{
  state *s = p->state;

  blo_params_destroy(&s->params);
}

static void start(const blo_problem *p, const blo_slice *x, const blo_slice *y)
{
  (void)p;
  for (blo_int k = 0; k < x->n; k++) {
    x->data[k] = 0.1 * (double)(x->first + k + 1);
  }
  for (blo_int j = 0; j < y->n; j++) {
    y->data[j] = 0;
  }
}

/* `at`: where the sample's y begins. */
static void add_lower(const state *s, blo_int i, blo_int at, const blo_shard_task *t,
                      const blo_shard_out *out)
{
  double d = exp(0.3 * number(2, i, 0));

  for (int j = 0; j < N_Y; j++) {
    double e = t->y[at + j] - number(0, i, j);
    for (int k = 0; k < N_X; k++) {
      e -= s->b[j][k] * t->x[k];
    }
    if (out->value != NULL) {
      *out->value += t->scale * 0.5 * d * e * e;
    }
    if (out->gy != NULL) {
      out->gy[at + j] += t->scale * d * e;
    }
    if (out->hv[0] != NULL) {
      out->hv[0][at + j] += t->scale * d * t->v[0][at + j];
    }
    for (int k = 0; k < N_X; k++) {
      if (out->gx != NULL) {
        out->gx[k] -= t->scale * d * s->b[j][k] * e;
      }
      if (out->jv[0] != NULL) {
        out->jv[0][k] -= t->scale * d * s->b[j][k] * t->v[0][at + j];
      }
    }
  }
}

static void add_upper(double rho, blo_int i, blo_int at, const blo_shard_task *t,
                      const blo_shard_out *out)
{
  for (int j = 0; j < N_Y; j++) {
    double e = t->y[at + j] - number(1, i, j);
    if (out->value != NULL) {
      *out->value += t->scale * 0.5 * e * e;
    }
    if (out->gy != NULL) {
      out->gy[at + j] += t->scale * e;
    }
  }
  for (int k = 0; k < N_X; k++) {
    if (out->value != NULL) {
      *out->value += t->scale * 0.5 * rho * t->x[k] * t->x[k];
    }
    if (out->gx != NULL) {
      out->gx[k] += t->scale * rho * t->x[k];
    }
  }
}

static blo_status shard(blo_problem *p, const blo_shard_task *task, const blo_shard_out *out)
{
  const options *o = p->options;
  bool lower = task->level == BLO_LOWER;
  blo_int first = blo_shard_begin(lower ? p->n_lower : p->n_upper, p->n_shards, task->shard);

  for (blo_int r = 0; r < task->n_rows; r++) {
    blo_int row = task->row != NULL ? task->row[r] : r, i = first + row;
    blo_int at = o->split ? row * N_Y : 0;
    if (lower) {
      add_lower(p->state, i, at, task, out);
    } else {
      add_upper(o->rho, i, at, task, out);
    }
  }
  return BLO_OK;
}

static const blo_opt_row rows[] = {
    BLO_OPT(options, rho, "0.1", 0, 1e6, "-", "Weight of |x|^2 / 2 in f.", "", 0),
    BLO_OPT_PLAIN(options, split, "false", "Each sample has a y of its own.", 0),
};
static const blo_opt_table table = {.name = "plugin_quadratic",
                                    .help = "a quadratic in a plugin",
                                    .size = sizeof(options),
                                    .rows = rows,
                                    .n_rows = BLO_COUNT_OF(rows)};

static const blo_problem_type quadratic = {
    .name = "plugin_quadratic",
    .summary = "a quadratic in a plugin",
    .source = "none",
    .state_size = sizeof(state),
    .options = &table,
    .has = BLO_HAS_G_X | BLO_HAS_F_X,
    .setup = setup,
    .teardown = teardown,
    .start = start,
    .shard = shard,
};

BLO_PLUGIN(&quadratic);

/* For a test: the address of something of the library, as the plugin sees it. */
BLO_API const void *plugin_sees(void);
const void *plugin_sees(void)
{
  return blo_layout_names;
}

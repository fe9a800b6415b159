/**
 * @file
 * Hyper-representation as matrix sensing: M* = U* U*' of rank r is to be found from n linear
 * measurements b_i = <A_i, M*> (the experiment of Xian, Huang and Huang, "Escaping Saddle Point
 * Efficiently in Minimax and Bilevel Optimizations"). x holds the first r - 1 columns of
 * U [d][r], column after column, y the last one:
 *
 *     g(x, y) = (1 / 2 |D_2|) sum_{i in D_2} e_i^2
 *     f(x, y) = (1 / 2 |D_1|) sum_{i in D_1} e_i^2      e_i = <A_i, U U'> - b_i
 *
 * U* [d][r] has normal entries of variance 1/d; A_i = (G + G')/2 with standard normal G, which has
 * the same <A_i, U U'> as G. With z_c = A_i u_c for column c of U, and z_y for y, a sample gives
 *
 *     grad_c = 2 e z_c      H v = 2 e A_i v + 4 z_y (z_y'v)      (J v)_c = 4 z_c (z_y'v)
 *
 * and the Gauss-Newton product 4 z_y (z_y'v).
 *
 * A rank stores the d^2 numbers of each of its samples; reading them is what a sweep costs. A
 * linearisation keeps z and e, so that a product only has to read A_i for the term 2 e A_i v; a
 * shard with more than one row sums its e_i A_i into one matrix for that, at the first product.
 */
#include "matrix.h"
#include <blo/blas.h>
#include <math.h>
#include <string.h>

typedef struct options {
  blo_int d, r, n;
  blo_int seed, shards;
  double split, start_x, start_y;
  int start, x;
} options;

typedef enum start_kind { START_PAPER, START_RANDOM } start_kind;
static const char *const start_names[] = {"paper", "random", NULL};
static const char *const x_names[] = {"rooted", "replicated", NULL};

/* Families of random numbers. */
enum { FAMILY_FACTOR = 1, FAMILY_SENSOR };

/* Numbers in 64 bytes: rows begin there, so that BLAS has the same bits on any rank (blas.h). */
enum { ALIGN = 8 };

/** This rank's samples of a level. */
typedef struct sensors {
  blo_int n, first, n_own;
  blo_int number; /**< of the level's first sample, in both levels together */
  double *a;      /**< [n_own][stride], of which the first d^2 are A_i */
  double *b;      /**< [n_own] */
} sensors;

typedef enum metric {
  METRIC_RATIO,
  METRIC_FIT_LOWER,
  METRIC_FIT_UPPER,
  METRIC_NORM_REST,
  METRIC_NORM_Y,
  N_METRICS
} metric;

/** What is kept of a row: z [r][d] of the columns of x, then of y; e; and the part of e + b that
 *  belongs to x. */
typedef struct state {
  blo_int d, n_x;
  blo_int stride;     /**< of the matrices */
  blo_int n_kept;     /**< numbers kept of a row */
  sensors level[2];   /**< by blo_level */
  double *truth;      /**< [r][d] the columns of U* */
  double *kept;       /**< [n_kept] where no cache is */
  double *product;    /**< [d] */
  const double *at_y; /**< while metrics are found */
  double metric[N_METRICS];
} state;

static blo_int aligned(blo_int n)
{
  return (n + ALIGN - 1) / ALIGN * ALIGN;
}

/* ----------------------------------------------------------------- a row */

/** z = A_i u for n columns u. */
static void sense(const state *st, const double *a, blo_int n, const double *u, double *z)
{
  for (blo_int c = 0; c < n; c++) {
    blo_gemv(st->d, st->d, a, st->d, u + c * st->d, 0, z + c * st->d);
  }
}

static double *error_of(const state *st, double *kept)
{
  return kept + st->n_x + st->d;
}

/** Fill what is kept of own sample i; the columns of x are there already if `same_x`. */
static void link_row(const state *st, const sensors *m, blo_int i, bool same_x, const double *x,
                     const double *y, double *kept)
{
  const double *a = m->a + i * st->stride;
  double *z_y = kept + st->n_x, *e = error_of(st, kept), *of_x = e + 1;

  if (!same_x) {
    sense(st, a, st->n_x / st->d, x, kept);
    *of_x = blo_array_dot(st->n_x, x, kept);
  }
  sense(st, a, 1, y, z_y);
  *e = *of_x + blo_array_dot(st->d, y, z_y) - m->b[i];
}

/** Everything but 2 e A_i v. */
static void add_row(const state *st, const blo_shard_task *task, double *kept,
                    const blo_shard_out *out)
{
  const double *z_y = kept + st->n_x, e = *error_of(st, kept);

  if (out->value != NULL) {
    *out->value += task->scale * 0.5 * e * e;
  }
  if (out->gx != NULL) {
    matrix_axpy(st->n_x, task->scale * 2 * e, kept, out->gx);
  }
  if (out->gy != NULL) {
    matrix_axpy(st->d, task->scale * 2 * e, z_y, out->gy);
  }
  for (blo_int k = 0; k < task->n_v; k++) {
    double slope = 4 * task->scale * blo_array_dot(st->d, z_y, task->v[k]);
    if (out->hv[k] != NULL) {
      matrix_axpy(st->d, slope, z_y, out->hv[k]);
    }
    if (out->jv[k] != NULL) {
      matrix_axpy(st->n_x, slope, kept, out->jv[k]);
    }
  }
}

/** hv += weight A v in all directions. */
static void add_curvature(const state *st, const blo_shard_task *task, double weight,
                          const double *a, const blo_shard_out *out)
{
  for (blo_int k = 0; k < task->n_v; k++) {
    sense(st, a, 1, task->v[k], st->product);
    matrix_axpy(st->d, weight, st->product, out->hv[k]);
  }
}

/* --------------------------------------------------------------- a shard */

/** Where row k of the task is among the own samples. */
static blo_int own_row(const sensors *m, const blo_problem *p, const blo_shard_task *task,
                       blo_int k)
{
  blo_int offset = blo_shard_begin(m->n, p->n_shards, task->shard) - m->first;

  return offset + (task->row != NULL ? task->row[k] : k);
}

static double *kept_of(const state *st, const blo_shard_task *task, blo_int k)
{
  return task->cache != NULL ? task->cache + k * st->n_kept : st->kept;
}

/** After the rows of the cache: a mark whether the sum is there, then sum_i e_i A_i [d][d]. NULL if
 *  the rows of the task are too few to have room for it. */
static double *sum_of(const state *st, const blo_problem *p, const blo_shard_task *task)
{
  blo_int room = task->n_rows * (p->cache_per_sample - st->n_kept);

  return room >= ALIGN + st->d * st->d ? task->cache + task->n_rows * st->n_kept : NULL;
}

/** sum_i e_i A_i of a linearised shard, made if it is not there; NULL: no room for it. */
static const double *curvature_sum(const blo_problem *p, const blo_shard_task *task)
{
  const state *st = p->state;
  const sensors *m = &st->level[BLO_LOWER];
  blo_int n = st->d * st->d;
  double *sum = sum_of(st, p, task);

  if (sum != NULL && sum[0] == 0) {
    memset(sum + ALIGN, 0, (size_t)n * sizeof *sum);
    for (blo_int k = 0; k < task->n_rows; k++) {
      matrix_axpy(n, *error_of(st, kept_of(st, task, k)),
                  m->a + own_row(m, p, task, k) * st->stride, sum + ALIGN);
    }
    sum[0] = 1;
  }
  return sum != NULL ? sum + ALIGN : NULL;
}

/** A new linearisation begins: the sum is that of an old one. */
static void forget_sum(const blo_problem *p, const blo_shard_task *task)
{
  double *sum = task->cache != NULL && !task->linearized ? sum_of(p->state, p, task) : NULL;

  if (sum != NULL) {
    sum[0] = 0;
  }
}

static blo_status shard(blo_problem *p, const blo_shard_task *task, const blo_shard_out *out)
{
  const state *st = p->state;
  const sensors *m = &st->level[task->level];
  bool curved = out->hv[0] != NULL && (task->want & BLO_WANT_GAUSS_NEWTON) == 0;
  const double *sum = curved && task->linearized ? curvature_sum(p, task) : NULL;

  forget_sum(p, task);
  for (blo_int k = 0; k < task->n_rows; k++) {
    blo_int i = own_row(m, p, task, k);
    double *kept = kept_of(st, task, k);
    if (!task->linearized) {
      link_row(st, m, i, task->same_x, task->x, task->y, kept);
    }
    add_row(st, task, kept, out);
    if (curved && sum == NULL) {
      add_curvature(st, task, 2 * task->scale * *error_of(st, kept), m->a + i * st->stride, out);
    }
  }
  if (sum != NULL) {
    add_curvature(st, task, 2 * task->scale, sum, out);
  }
  return BLO_OK;
}

/* ------------------------------------------------------------------ life */

/** A_i = (G + G')/2. */
static void draw_sensor(const options *o, blo_int number, double *a)
{
  matrix_normal((uint64_t)o->seed, FAMILY_SENSOR, number, o->d * o->d, a);
  for (blo_int j = 0; j < o->d; j++) {
    for (blo_int k = 0; k < j; k++) {
      a[j * o->d + k] = a[k * o->d + j] = 0.5 * (a[j * o->d + k] + a[k * o->d + j]);
    }
  }
}

/** The own samples of a level, which has `n`. Local. */
static blo_status draw_level(blo_problem *p, blo_level level, blo_int n, blo_int number)
{
  const options *o = p->options;
  state *st = p->state;
  sensors *m = &st->level[level];
  blo_int end = blo_shard_begin(n, p->n_shards, blo_comm_end_shard(p->comm, p->n_shards));

  m->n = n;
  m->first = blo_shard_begin(n, p->n_shards, blo_comm_first_shard(p->comm, p->n_shards));
  m->n_own = end - m->first;
  m->number = number;
  BLO_TRY(blo_alloc(p->ctx, m->n_own * st->stride, sizeof *m->a, &m->a));
  BLO_TRY(blo_alloc(p->ctx, m->n_own, sizeof *m->b, &m->b));
  for (blo_int i = 0; i < m->n_own; i++) {
    draw_sensor(o, m->number + m->first + i, m->a + i * st->stride);
    sense(st, m->a + i * st->stride, o->r, st->truth, st->kept);
    m->b[i] = blo_array_dot(o->r * o->d, st->truth, st->kept);
  }
  return BLO_OK;
}

/** U* and room. Local. */
static blo_status draw_truth(blo_problem *p)
{
  const options *o = p->options;
  state *st = p->state;

  BLO_TRY(blo_alloc(p->ctx, o->r * o->d, sizeof *st->truth, &st->truth));
  BLO_TRY(blo_alloc(p->ctx, st->n_kept, sizeof *st->kept, &st->kept));
  BLO_TRY(blo_alloc(p->ctx, o->d, sizeof *st->product, &st->product));
  for (blo_int c = 0; c < o->r; c++) {
    matrix_normal((uint64_t)o->seed, FAMILY_FACTOR, c, o->d, st->truth + c * o->d);
  }
  for (blo_int k = 0; k < o->r * o->d; k++) {
    st->truth[k] /= sqrt((double)o->d);
  }
  return BLO_OK;
}

/** Numbers a sample must bring along for the sum of a shard's full batch; 0 if it has one row. */
static blo_int share_of_sum(const blo_problem *p)
{
  const options *o = p->options;
  blo_int rows = p->n_lower / p->n_shards;

  return rows > 1 ? aligned((ALIGN + o->d * o->d + rows - 1) / rows) : 0;
}

static void set_sizes(blo_problem *p, blo_int n)
{
  const options *o = p->options;
  state *st = p->state;

  st->d = p->n_y = o->d;
  st->n_x = p->n_x = (o->r - 1) * o->d;
  st->stride = aligned(o->d * o->d);
  st->n_kept = aligned(o->r * o->d + 2);
  p->n_upper = (blo_int)(o->split * (double)n + 0.5);
  p->n_lower = n - p->n_upper;
  p->n_shards = o->shards;
  p->x_layout = o->x == 0 ? BLO_ROOTED : BLO_REPLICATED;
  p->reuses_x = true;
  p->cache_per_sample = st->n_kept + share_of_sum(p);
  p->fingerprint = (((uint64_t)o->d * 31 + (uint64_t)o->r) * 31 + (uint64_t)p->n_upper) * 31 +
                   (uint64_t)p->n_lower * 31 + (uint64_t)o->seed;
}

static blo_status setup(blo_problem *p)
{
  const options *o = p->options;
  blo_int n = o->n > 0 ? o->n : 20 * o->d;

  BLO_TRY(blo_shards_check(p->comm, o->shards));
  BLO_CHECK(p->ctx, o->r <= o->d, BLO_E_OPTION, "problem.r = %lld is more than problem.d = %lld",
            (long long)o->r, (long long)o->d);
  set_sizes(p, n);
  BLO_CHECK(p->ctx, p->n_upper > 0 && p->n_lower > 0, BLO_E_OPTION,
            "problem.split = %g of problem.n = %lld samples leaves %lld for f and %lld for g; each "
            "needs one",
            o->split, (long long)n, (long long)p->n_upper, (long long)p->n_lower);
  BLO_TRY_ALL(p->comm, draw_truth(p));
  BLO_TRY_ALL(p->comm, draw_level(p, BLO_UPPER, p->n_upper, 0));
  BLO_TRY_ALL(p->comm, draw_level(p, BLO_LOWER, p->n_lower, p->n_upper));
  return BLO_OK;
}

static void teardown(blo_problem *p)
{
  state *st = p->state;

  for (int level = 0; level < 2; level++) {
    blo_free(p->ctx, &st->level[level].a);
    blo_free(p->ctx, &st->level[level].b);
  }
  blo_free(p->ctx, &st->truth);
  blo_free(p->ctx, &st->kept);
  blo_free(p->ctx, &st->product);
}

/* ----------------------------------------------------------------- start */

/** The largest eigenvalue of M*, by power iterations on U*'U*; it scales a start only. */
static double largest_eigenvalue(const blo_problem *p)
{
  const options *o = p->options;
  const state *st = p->state;
  double *v = st->kept, norm = 0;

  for (blo_int c = 0; c < o->r; c++) {
    v[c] = 1;
  }
  for (int turn = 0; turn < 200; turn++) {
    norm = blo_array_norm(o->r, v);
    for (blo_int c = 0; c < o->r; c++) {
      v[c] /= norm;
    }
    matrix_mul_t(o->r, o->d, st->truth, v, st->product);
    matrix_mul(o->r, o->d, st->truth, st->product, v);
  }
  return blo_array_norm(o->r, v);
}

/** What the normal numbers of column c are multiplied by. */
static double start_size(const blo_problem *p, blo_int c)
{
  const options *o = p->options;
  const blo_stream st = {(uint64_t)o->seed, BLO_PURPOSE_INIT};
  double square = 0, most;

  if (o->start == START_RANDOM) {
    return 1 / sqrt((double)o->d);
  }
  if (c > 0) {
    return c < o->r - 1 ? o->start_x : o->start_y;
  }
  for (blo_int j = 0; j < o->d; j++) {
    double u = blo_stream_normal(st, 0, 0, (uint64_t)j);
    square += u * u;
  }
  most = largest_eigenvalue(p);
  return sqrt(square) > most ? most / sqrt(square) : 1;
}

/** Columns from number c on, in a vector of which the rank has `to`. */
static void put_start(const blo_problem *p, blo_int c, blo_int n_columns, const blo_slice *to)
{
  const options *o = p->options;
  const blo_stream st = {(uint64_t)o->seed, BLO_PURPOSE_INIT};

  for (blo_int k = 0; k < n_columns; k++) {
    double size = start_size(p, c + k);
    for (blo_int j = 0; j < o->d; j++) {
      blo_int at = k * o->d + j - to->first;
      if (at >= 0 && at < to->n) {
        to->data[at] =
            size != 0 ? size * blo_stream_normal(st, (uint64_t)(c + k), 0, (uint64_t)j) : 0;
      }
    }
  }
}

static void start(const blo_problem *p, const blo_slice *x, const blo_slice *y)
{
  const options *o = p->options;

  put_start(p, 0, o->r - 1, x);
  put_start(p, o->r - 1, 1, y);
}

/* --------------------------------------------------------------- metrics */

/** Entry (i, j) of U U', U = [x, y]; y NULL: all columns are in x. */
static double entry(blo_int d, blo_int n_x, const double *x, const double *y, blo_int i, blo_int j)
{
  double sum = y != NULL ? y[i] * y[j] : 0;

  for (blo_int k = 0; k < n_x; k += d) {
    sum += x[k + i] * x[k + j];
  }
  return sum;
}

/** |U U' - M*|^2 / |M*|^2, entry by entry: no digits are lost near 0. */
static double distance_ratio(const state *st, const double *x, const double *y)
{
  double error = 0, size = 0;

  for (blo_int i = 0; i < st->d; i++) {
    for (blo_int j = 0; j < st->d; j++) {
      double want = entry(st->d, st->n_x + st->d, st->truth, NULL, i, j);
      double off = entry(st->d, st->n_x, x, y, i, j) - want;
      error += off * off;
      size += want * want;
    }
  }
  return error / size;
}

static void metrics_prepare(blo_problem *p, const blo_point *at)
{
  state *st = p->state;

  st->at_y = at->y;
  st->metric[METRIC_RATIO] = distance_ratio(st, at->x, at->y);
  st->metric[METRIC_NORM_REST] = blo_array_norm(st->n_x - st->d, at->x + st->d);
  st->metric[METRIC_NORM_Y] = blo_array_norm(st->d, at->y);
}

static blo_status metrics_shard(blo_problem *p, blo_int s, const double *x, double *sums)
{
  const state *st = p->state;

  for (int level = 0; level < 2; level++) {
    blo_int n = st->level[level].n;
    blo_shard_task task = {.level = (blo_level)level,
                           .shard = s,
                           .n_rows = blo_shard_begin(n, p->n_shards, s + 1) -
                                     blo_shard_begin(n, p->n_shards, s),
                           .x = x,
                           .y = st->at_y,
                           .scale = 1};
    BLO_TRY(shard(p, &task, &(blo_shard_out){.value = &sums[level]}));
  }
  return BLO_OK;
}

static void metrics_finish(const blo_problem *p, const double *sums, double *values)
{
  const state *st = p->state;

  memcpy(values, st->metric, sizeof st->metric);
  values[METRIC_FIT_LOWER] = sums[BLO_LOWER] / (double)p->n_lower;
  values[METRIC_FIT_UPPER] = sums[BLO_UPPER] / (double)p->n_upper;
}

static const blo_metric metrics[N_METRICS] = {
    [METRIC_RATIO] = {"ratio", "-", "|U U' - M*|^2 / |M*|^2 (Frobenius)"},
    [METRIC_FIT_LOWER] = {"fit_lower", "-", "g(x, y) over all of its samples"},
    [METRIC_FIT_UPPER] = {"fit_upper", "-", "f(x, y) over all of its samples"},
    [METRIC_NORM_REST] = {"norm_rest", "-", "norm of x without its first column"},
    [METRIC_NORM_Y] = {"norm_y", "-", "norm of y"},
};

/* --------------------------------------------------------------- options */

static const char source[] = "Xian, Huang and Huang, section on hyper-representation";

static const blo_opt_row rows[] = {
    BLO_OPT(options, d, "50", 2, 2000, "-", "rows of U; their experiments: 50, 75, 100", source, 0),
    BLO_OPT(options, r, "3", 2, 2000, "-", "columns of U", source, 0),
    BLO_OPT(options, n, "0", 0, 1e8, "samples", "sensing matrices of both levels; 0 = 20 d", source,
            0),
    BLO_OPT(options, split, "0.7", 0, 1, "-",
            "part of the samples that belongs to f (the first ones); g has the rest", source, 0),
    BLO_OPT(options, seed, "1", 0, 9007199254740992.0, "-", "seed of U*, of the A_i and the start",
            "", 0),
    BLO_OPT_NAMES(options, start, "paper", start_names,
                  "paper: first column normal, shortened to the largest eigenvalue of M*, the "
                  "others by start_x and start_y; random: all entries normal of variance 1/d",
                  source, 0),
    BLO_OPT(options, start_x, "0", 0, 1e6, "-",
            "paper: standard deviation of the other columns of x; 0: exactly zero, a saddle of F",
            source, 0),
    BLO_OPT(options, start_y, "1e-2", 0, 1e6, "-",
            "paper: standard deviation of y; with 0 (theirs) y never moves either", "", 0),
    BLO_OPT(options, shards, "64", 1, 1 << 20, "shards",
            "logical shards, a power of two: the most ranks that can be used", "", 0),
    BLO_OPT_NAMES(options, x, "rooted", x_names,
                  "x on the root rank (updated there and broadcast), or on every rank", "", 0),
};

static const blo_opt_table table =
    BLO_OPT_TABLE("matrix_sensing", "hyper-representation as matrix sensing", options, rows);

const blo_problem_type blo_problem_matrix_sensing = {
    .name = "matrix_sensing",
    .summary = "known solution: columns of a low-rank factor from linear measurements",
    .source = "Xian, Huang and Huang, Escaping Saddle Point Efficiently in Minimax and Bilevel "
              "Optimizations",
    .state_size = sizeof(state),
    .options = &table,
    .has = BLO_HAS_G_X | BLO_HAS_F_X | BLO_HAS_DIRECTIONS | BLO_HAS_GAUSS_NEWTON,
    .metrics = metrics,
    .n_metrics = N_METRICS,
    .n_metric_sums = 2,
    .setup = setup,
    .teardown = teardown,
    .start = start,
    .shard = shard,
    .metrics_shard = metrics_shard,
    .metrics_prepare = metrics_prepare,
    .metrics_finish = metrics_finish,
};

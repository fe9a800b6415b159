/**
 * @file
 * A lower level that is not convex but satisfies a Polyak-Lojasiewicz inequality (our own
 * construction for the problem class of Huang 2023, arXiv 2303.03944):
 *
 *     g(x, y) = sum_j (s_j^2 + 3 sin(s_j)^2),  s = y - B x      f(x, y) = (1/2) |x - a|^2 + (1/2)
 * |y - c|^2
 *
 * with B orthogonal and c = B (a + e), e the vector of ones, a the same in every entry. t^2 + 3
 * sin^2 t has the constant mu = 1/32 and curvature 2 + 6 cos 2t in [-4, 8], 8 at its only
 * stationary point. So y* = B x and F(x) = (1/2) |x - a|^2 + (1/2) |x - a - e|^2 = |x - a - e/2|^2
 * + n/4: x* = a + e/2.
 *
 * `noise` adds a_i'y to g_i and a_j'y + e_j'x to f_j: noise of that standard deviation in all
 * gradients, in pairs of samples with opposite vectors, so that full batches have none.
 */
#include "rank_one.h"
#include <math.h>

typedef struct options {
  analytic_options base;
  blo_int d, n;
  double a, x0, y0, noise;
} options;

typedef struct state {
  analytic base;
  const options *o;
  rank_one noise[2];
  double *B, *c; /**< [d][d], [d] */
  double *room;  /**< [d] */
} state;

enum { FAMILY_B = 1 };

/* -------------------------------------------------------------- formulas */

/** Entry j of s goes to st->room. */
static void residual(const state *st, const double *x, const double *y)
{
  matrix_mul(st->o->d, st->o->d, st->B, x, st->room);
  for (blo_int j = 0; j < st->o->d; j++) {
    st->room[j] = y[j] - st->room[j];
  }
}

/** out = -B' room. */
static void minus_bt_room(const state *st, double *out)
{
  matrix_mul_t(st->o->d, st->o->d, st->B, st->room, out);
  for (blo_int j = 0; j < st->o->d; j++) {
    out[j] = -out[j];
  }
}

static double g(const void *state_, const double *x, const double *y)
{
  const state *st = state_;
  double sum = 0;

  residual(st, x, y);
  for (blo_int j = 0; j < st->o->d; j++) {
    sum += st->room[j] * st->room[j] + 3 * sin(st->room[j]) * sin(st->room[j]);
  }
  return sum;
}

static void g_y(const void *state_, const double *x, const double *y, double *out)
{
  const state *st = state_;

  residual(st, x, y);
  for (blo_int j = 0; j < st->o->d; j++) {
    out[j] = 2 * st->room[j] + 3 * sin(2 * st->room[j]);
  }
}

static void g_x(const void *state_, const double *x, const double *y, double *out)
{
  const state *st = state_;

  g_y(st, x, y, st->room);
  minus_bt_room(st, out);
}

static void hv(const void *state_, const double *x, const double *y, const double *v, double *out)
{
  const state *st = state_;

  residual(st, x, y);
  for (blo_int j = 0; j < st->o->d; j++) {
    out[j] = (2 + 6 * cos(2 * st->room[j])) * v[j];
  }
}

static void jv(const void *state_, const double *x, const double *y, const double *v, double *out)
{
  const state *st = state_;

  hv(st, x, y, v, st->room);
  minus_bt_room(st, out);
}

static double f(const void *state_, const double *x, const double *y)
{
  const state *st = state_;
  double sum = 0;

  for (blo_int j = 0; j < st->o->d; j++) {
    double of_x = x[j] - st->o->a, of_y = y[j] - st->c[j];
    sum += 0.5 * (of_x * of_x + of_y * of_y);
  }
  return sum;
}

static void f_x(const void *state_, const double *x, const double *y, double *out)
{
  const options *o = ((const state *)state_)->o;

  (void)y;
  for (blo_int j = 0; j < o->d; j++) {
    out[j] = x[j] - o->a;
  }
}

static void f_y(const void *state_, const double *x, const double *y, double *out)
{
  const state *st = state_;

  (void)x;
  for (blo_int j = 0; j < st->o->d; j++) {
    out[j] = y[j] - st->c[j];
  }
}

/* --------------------------------------------------------- known solution */

static void solve(const void *state_, const double *x, const double *y, double *out)
{
  const state *st = state_;

  (void)y;
  matrix_mul(st->o->d, st->o->d, st->B, x, out);
}

static void F_x(const void *state_, const double *x, const double *y, double *out)
{
  const options *o = ((const state *)state_)->o;

  (void)y;
  for (blo_int j = 0; j < o->d; j++) {
    out[j] = 2 * (x[j] - o->a - 0.5);
  }
}

static double gap(const void *state_, const double *x, const double *y)
{
  const options *o = ((const state *)state_)->o;
  double sum = 0;

  (void)y;
  for (blo_int j = 0; j < o->d; j++) {
    sum += (x[j] - o->a - 0.5) * (x[j] - o->a - 0.5);
  }
  return sum;
}

static void nearest(const void *state_, const double *x, const double *y, double *out)
{
  const options *o = ((const state *)state_)->o;

  (void)x;
  (void)y;
  for (blo_int j = 0; j < o->d; j++) {
    out[j] = o->a + 0.5;
  }
}

static void start(const void *state_, double *x, double *y)
{
  const options *o = ((const state *)state_)->o;

  for (blo_int j = 0; j < o->d; j++) {
    x[j] = o->x0;
    y[j] = o->y0;
  }
}

static const analytic_math math = {.gap = gap, ANALYTIC_FORMULAS};

/* ------------------------------------------------------------------ slots */

static blo_status shard(blo_problem *p, const blo_shard_task *task, const blo_shard_out *out)
{
  const state *st = p->state;

  if (st->o->noise > 0) {
    rank_one_shard(&st->noise[task->level], blo_shard_begin(st->o->n, p->n_shards, task->shard),
                   task, out);
  }
  return BLO_OK;
}

static blo_status make_noise(blo_problem *p, state *st)
{
  for (int level = 0; level < 2 && st->o->noise > 0; level++) {
    rank_one *r = &st->noise[level];
    BLO_TRY(rank_one_create(p, (blo_level)level, level == 0 ? RANK_A : RANK_A | RANK_E, r));
    rank_one_noise(p, (blo_level)level, (uint64_t)st->o->base.seed, st->o->noise, r);
  }
  return BLO_OK;
}

static blo_status make(blo_problem *p, state *st)
{
  blo_int d = st->o->d;

  BLO_TRY(blo_alloc(p->ctx, d * d, sizeof(double), &st->B));
  BLO_TRY(blo_alloc(p->ctx, d, sizeof(double), &st->c));
  BLO_TRY(blo_alloc(p->ctx, d, sizeof(double), &st->room));
  matrix_orthonormal((uint64_t)st->o->base.seed, FAMILY_B, d, d, st->B);
  for (blo_int j = 0; j < d; j++) {
    st->room[j] = st->o->a + 1;
  }
  matrix_mul(d, d, st->B, st->room, st->c);
  return make_noise(p, st);
}

static blo_status setup(blo_problem *p)
{
  state *st = p->state;

  st->o = p->options;
  BLO_TRY(analytic_setup(p, st->o->d, st->o->d, &math));
  p->n_lower = p->n_upper = st->o->n;
  p->fingerprint = p->fingerprint * 31 + (uint64_t)st->o->n;
  return blo_agree(p->comm, make(p, st));
}

static void teardown(blo_problem *p)
{
  state *st = p->state;

  analytic_teardown(p);
  rank_one_free(p, &st->noise[BLO_LOWER]);
  rank_one_free(p, &st->noise[BLO_UPPER]);
  blo_free(p->ctx, &st->B);
  blo_free(p->ctx, &st->c);
  blo_free(p->ctx, &st->room);
}

static const blo_opt_row rows[] = {
    BLO_OPT(options, d, "5", 1, 2000, "-", "entries of x, and of y; B = 1 if 1", "", 0),
    BLO_OPT(options, a, "1", -1e6, 1e6, "-", "every entry of a", "", 0),
    BLO_OPT(options, x0, "0", -1e6, 1e6, "-", "starting value of every entry of x", "", 0),
    BLO_OPT(options, y0, "0", -1e6, 1e6, "-", "starting value of every entry of y", "", 0),
    BLO_OPT(options, n, "1024", 1, 1e9, "samples", "samples of g, and of f", "", 0),
    BLO_OPT(options, noise, "0", 0, 1e6, "-",
            "standard deviation of the noise that samples add to each entry of the gradients", "",
            0),
    ANALYTIC_ROWS(options),
};

static const blo_opt_table table =
    BLO_OPT_TABLE("sine_pl", "a lower level that is not convex but PL", options, rows);

const blo_problem_type blo_problem_sine_pl = {
    .name = "sine_pl",
    .summary = "known solution: lower level not convex, Polyak-Lojasiewicz",
    .source = "own; problem class of Huang 2023, arXiv 2303.03944",
    .state_size = sizeof(state),
    .options = &table,
    .has = BLO_HAS_G_X | BLO_HAS_F_X | BLO_HAS_DIRECTIONS,
    .setup = setup,
    .teardown = teardown,
    .shard = shard,
    .common = analytic_common,
    ANALYTIC_METRIC_SLOTS,
};

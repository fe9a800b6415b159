/* A sweep over a problem whose x belongs to the samples of g, one number each, and whose terms
 * without samples reach every output: the same bits with x sharded and rooted and on one rank, the
 * mean over the samples plus those terms, joined or not; and numbers that are not finite are named
 * with their place. The problem:
 *
 *     g_i = x_i a_i'y + (1/2) (s_i'y)^2     f_j = t_j'y + (1/2) |y|^2
 *     r_g: value (c/2) |y|^2, in x: c x_i (to grad_x g), c (1'v) (to J v)
 *     r_f: value (d/2) |y|^2, in x: d (x_i + 2)
 *
 * The x-terms have no value, for no rank sees the whole of a sharded x (see problem.h). */
#include "fixture.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { N = 45, M = 30, NY = 4, SHARDS = 8 };

/* Weights of the terms without samples, and a sample of g whose grad_x is NAN; -1: none. */
typedef struct state {
  double c, d;
  blo_int nan_sample;
} state;

static double number(int level, blo_int i, int k)
{
  blo_stream st = {31, BLO_PURPOSE_TEST};
  return blo_stream_normal(st, (uint64_t)level, (uint64_t)i, (uint64_t)k);
}

static double dot_numbers(int level, blo_int i, const double *y)
{
  double sum = 0;
  for (int j = 0; j < NY; j++) {
    sum += number(level, i, j) * y[j];
  }
  return sum;
}

enum { OF_A, OF_S, OF_T, OF_X, OF_Y, OF_V }; /* streams of numbers */

/* ----------------------------------------------------------- the problem */

static blo_status setup(blo_problem *p)
{
  *(state *)p->state = (state){.c = 0.7, .d = 0.4, .nan_sample = -1};
  p->n_x = p->n_lower = N;
  p->n_upper = M;
  p->n_y = NY;
  p->n_shards = SHARDS;
  p->x_aligned = true;
  p->x_layout = BLO_SHARDED;
  return BLO_OK;
}

static void start(const blo_problem *p, const blo_slice *x, const blo_slice *y)
{
  (void)p;
  for (blo_int i = 0; i < x->n; i++) {
    x->data[i] = number(OF_X, x->first + i, 0);
  }
  for (int j = 0; j < NY; j++) {
    y->data[j] = number(OF_Y, j, 0);
  }
}

static void add(double a, int level, blo_int i, double *y)
{
  for (int j = 0; j < NY && y != NULL; j++) {
    y[j] += a * number(level, i, j);
  }
}

static void add_to(double *number_at, double a)
{
  if (number_at != NULL) {
    *number_at += a;
  }
}

static void add_lower(const blo_shard_task *t, blo_int i, double x, double spoil,
                      const blo_shard_out *out, blo_int at)
{
  double ay = dot_numbers(OF_A, i, t->y), sy = dot_numbers(OF_S, i, t->y);
  add_to(out->value, t->scale * (x * ay + 0.5 * sy * sy));
  add_to(out->gx != NULL ? out->gx + at : NULL, t->scale * ay + spoil);
  add(t->scale * x, OF_A, i, out->gy);
  add(t->scale * sy, OF_S, i, out->gy);
  if (t->n_v > 0) {
    add_to(out->jv[0] != NULL ? out->jv[0] + at : NULL, t->scale * dot_numbers(OF_A, i, t->v[0]));
    add(t->scale * dot_numbers(OF_S, i, t->v[0]), OF_S, i, out->hv[0]);
  }
}

static void add_upper(const blo_shard_task *t, blo_int i, const blo_shard_out *out)
{
  double yy = blo_array_dot(NY, t->y, t->y);
  add_to(out->value, t->scale * (dot_numbers(OF_T, i, t->y) + 0.5 * yy));
  add(t->scale, OF_T, i, out->gy);
  for (int j = 0; j < NY && out->gy != NULL; j++) {
    out->gy[j] += t->scale * t->y[j];
  }
}

static blo_status shard(blo_problem *p, const blo_shard_task *task, const blo_shard_out *out)
{
  const state *st = p->state;
  bool lower = task->level == BLO_LOWER;
  blo_int first = blo_shard_begin(lower ? N : M, SHARDS, task->shard);
  for (blo_int r = 0; r < task->n_rows; r++) {
    blo_int at = task->row != NULL ? task->row[r] : r;
    if (lower) {
      double spoil = first + at == st->nan_sample ? (double)NAN : 0;
      add_lower(task, first + at, task->x[at], spoil, out, at);
    } else {
      add_upper(task, first + at, out);
    }
  }
  return BLO_OK;
}

static blo_int n_local(const blo_problem *p)
{
  blo_int first = blo_comm_first_shard(p->comm, SHARDS), end = blo_comm_end_shard(p->comm, SHARDS);
  return p->x_layout == BLO_ROOTED
             ? N
             : blo_shard_begin(N, SHARDS, end) - blo_shard_begin(N, SHARDS, first);
}

static void common(const blo_problem *p, blo_level level, unsigned want, const blo_point *at,
                   double scale, const blo_shard_out *out)
{
  const state *st = p->state;
  bool lower = level == BLO_LOWER;
  double weight = scale * (lower ? st->c : st->d), sum_v = 0;
  (void)want;
  add_to(out->value, 0.5 * weight * blo_array_dot(NY, at->y, at->y));
  for (int j = 0; j < NY; j++) {
    add_to(out->gy != NULL ? out->gy + j : NULL, weight * at->y[j]);
    if (out->hv[0] != NULL) {
      out->hv[0][j] += weight * at->v[0][j];
    }
    sum_v += at->n_v > 0 ? at->v[0][j] : 0;
  }
  for (blo_int i = 0; i < n_local(p); i++) {
    add_to(out->gx != NULL ? out->gx + i : NULL, weight * (at->x[i] + (lower ? 0 : 2)));
    add_to(out->jv[0] != NULL ? out->jv[0] + i : NULL, weight * sum_v);
  }
}

static const blo_problem_type aligned_type = {
    .name = "test_aligned",
    .summary = "one x_i per sample of g, terms without samples everywhere",
    .source = "",
    .state_size = sizeof(state),
    .has = BLO_HAS_G_X,
    .setup = setup,
    .start = start,
    .shard = shard,
    .common = common,
};

/* ------------------------------------------------------------- a sweep */

typedef struct rig {
  blo_problem *problem;
  blo_eval *eval;
  blo_vec *x, *y, *v, *g_x, *g_y, *hv, *jv, *f_x, *f_y;
  blo_ask ask;
  blo_answer ans;
} rig;

static void open_rig(blo_comm *comm, blo_layout layout, bool join, rig *w)
{
  static const unsigned all = BLO_WANT_VALUE | BLO_WANT_X | BLO_WANT_Y;
  *w = (rig){.problem = NULL};
  BLO_REQUIRE_STATUS(blo_problem_create(comm, &aligned_type, NULL, &w->problem), BLO_OK);
  w->problem->x_layout = layout;
  BLO_REQUIRE_STATUS(blo_eval_create(w->problem, BLO_REPRODUCIBLE, &w->eval), BLO_OK);
  blo_vec **const in_x[] = {&w->x, &w->g_x, &w->jv, &w->f_x};
  blo_vec **const in_y[] = {&w->y, &w->v, &w->g_y, &w->hv, &w->f_y};
  for (int i = 0; i < 4; i++) {
    BLO_REQUIRE_STATUS(blo_vec_create(blo_eval_space_x(w->eval), in_x[i]), BLO_OK);
  }
  for (int i = 0; i < 5; i++) {
    BLO_REQUIRE_STATUS(blo_vec_create(blo_eval_space_y(w->eval), in_y[i]), BLO_OK);
  }
  blo_eval_start(w->eval, w->x, w->y);
  for (int j = 0; j < NY; j++) {
    w->v->data[j] = number(OF_V, j, 0);
  }
  w->ask = (blo_ask){.lower = all | BLO_WANT_HV | BLO_WANT_JV,
                     .upper = all,
                     .x = w->x,
                     .y = w->y,
                     .n_v = 1,
                     .v = {w->v},
                     .join = join};
  w->ans = (blo_answer){.g_x = w->g_x,
                        .g_y = w->g_y,
                        .hv = {w->hv},
                        .jv = {w->jv},
                        .f_x = join ? NULL : w->f_x,
                        .f_y = join ? NULL : w->f_y};
}

static void close_rig(rig *w)
{
  blo_vec **const all[] = {&w->x, &w->g_x, &w->jv, &w->f_x, &w->y, &w->v, &w->g_y, &w->hv, &w->f_y};
  for (int i = 0; i < 9; i++) {
    blo_vec_destroy(all[i]);
  }
  blo_eval_destroy(&w->eval);
  blo_problem_destroy(&w->problem);
}

/* Everything that a sweep gives, whole, on every rank. */
typedef struct outcome {
  double g, f, g_x[N], g_y[NY], hv[NY], jv[N], f_x[N], f_y[NY];
} outcome;

static outcome sweep(blo_comm *comm, blo_layout layout, bool join)
{
  outcome o = {0};
  rig w;
  open_rig(comm, layout, join, &w);
  BLO_REQUIRE_STATUS(blo_eval_sweep(w.eval, &w.ask, &w.ans), BLO_OK);
  o.g = w.ans.g;
  o.f = w.ans.f;
  blo_vec_gather(w.g_x, o.g_x);
  blo_vec_gather(w.jv, o.jv);
  blo_vec_gather(w.f_x, o.f_x);
  memcpy(o.g_y, w.g_y->data, sizeof o.g_y);
  memcpy(o.hv, w.hv->data, sizeof o.hv);
  memcpy(o.f_y, w.f_y->data, sizeof o.f_y);
  close_rig(&w);
  blo_bcast(comm, 0, &o, sizeof o);
  return o;
}

/* The same from the formulas at the head of the file. */
static outcome by_hand(bool join)
{
  const double c = 0.7, d = 0.4;
  outcome o = {0};
  double y[NY], v[NY], yy = 0, sum_v = 0;
  for (int j = 0; j < NY; j++) {
    y[j] = number(OF_Y, j, 0);
    v[j] = number(OF_V, j, 0);
    yy += y[j] * y[j];
    sum_v += v[j];
  }
  o.g = c / 2 * yy;
  o.f = (1 + d) / 2 * yy;
  for (int j = 0; j < NY; j++) {
    o.g_y[j] = c * y[j];
    o.hv[j] = c * v[j];
    o.f_y[j] = (1 + d) * y[j];
  }
  for (int i = 0; i < N; i++) {
    double x = number(OF_X, i, 0), ay = dot_numbers(OF_A, i, y), sy = dot_numbers(OF_S, i, y);
    o.g += (x * ay + sy * sy / 2) / N;
    o.g_x[i] = ay / N + c * x;
    o.jv[i] = dot_numbers(OF_A, i, v) / N + c * sum_v;
    o.f_x[i] = d * (x + 2);
    for (int j = 0; j < NY; j++) {
      o.g_y[j] += (x * number(OF_A, i, j) + sy * number(OF_S, i, j)) / N;
      o.hv[j] += dot_numbers(OF_S, i, v) * number(OF_S, i, j) / N;
    }
  }
  for (int i = 0; i < M; i++) {
    o.f += dot_numbers(OF_T, i, y) / M;
    for (int j = 0; j < NY; j++) {
      o.f_y[j] += number(OF_T, i, j) / M;
    }
  }
  for (int i = 0; i < N && join; i++) {
    o.jv[i] -= o.f_x[i];
    o.f_x[i] = 0;
  }
  for (int j = 0; j < NY && join; j++) {
    o.hv[j] -= o.f_y[j];
    o.f_y[j] = 0;
  }
  return o;
}

static double largest_difference(const double *a, const double *b, int n)
{
  double most = 0;
  for (int i = 0; i < n; i++) {
    most = fmax(most, fabs(a[i] - b[i]));
  }
  return most;
}

static void expect_close(const outcome *got, const outcome *want, const char *what)
{
  BLO_EXPECT_MSG(fabs(got->g - want->g) < 1e-13 && fabs(got->f - want->f) < 1e-13,
                 "%s: g %.17g, f %.17g", what, got->g, got->f);
  BLO_EXPECT_MSG(largest_difference(got->g_x, want->g_x, N) < 1e-13, "%s: grad_x g", what);
  BLO_EXPECT_MSG(largest_difference(got->g_y, want->g_y, NY) < 1e-13, "%s: grad_y g", what);
  BLO_EXPECT_MSG(largest_difference(got->hv, want->hv, NY) < 1e-13, "%s: H v", what);
  BLO_EXPECT_MSG(largest_difference(got->jv, want->jv, N) < 1e-13, "%s: J v", what);
  BLO_EXPECT_MSG(largest_difference(got->f_x, want->f_x, N) < 1e-13, "%s: grad_x f", what);
  BLO_EXPECT_MSG(largest_difference(got->f_y, want->f_y, NY) < 1e-13, "%s: grad_y f", what);
}

static void layouts_give_the_same_bits(blo_comm *comm)
{
  blo_comm *self = NULL;
  BLO_REQUIRE_STATUS(blo_comm_create(blo_comm_context(comm), MPI_COMM_SELF, &self), BLO_OK);
  for (int join = 0; join < 2; join++) {
    outcome sharded = sweep(comm, BLO_SHARDED, join), rooted = sweep(comm, BLO_ROOTED, join);
    outcome alone = sweep(self, BLO_SHARDED, join), want = by_hand(join);
    expect_close(&sharded, &want, join ? "joined" : "apart");
    BLO_EXPECT_ALL(memcmp(&sharded, &rooted, sizeof rooted) == 0);
    BLO_EXPECT_ALL(memcmp(&sharded, &alone, sizeof alone) == 0);
  }
  blo_comm_destroy(&self);
}

/* ----------------------------------------------------- what is not finite */

static void nan_in_an_aligned_part_is_traced(blo_comm *comm)
{
  for (int layout = 0; layout < 2; layout++) {
    for (blo_int shard_no = 0; shard_no < SHARDS; shard_no += SHARDS - 1) {
      char text[64];
      rig w;
      open_rig(comm, layout == 0 ? BLO_SHARDED : BLO_ROOTED, false, &w);
      ((state *)w.problem->state)->nan_sample = blo_shard_begin(N, SHARDS, shard_no) + 1;
      BLO_EXPECT_STATUS(blo_eval_sweep(w.eval, &w.ask, &w.ans), BLO_E_NONFINITE);
      BLO_EXPECT_ERROR_HAS("grad_x g is not finite");
      snprintf(text, sizeof text, "shard %lld", (long long)shard_no);
      BLO_EXPECT_ERROR_HAS(text);
      close_rig(&w);
    }
  }
}

/* Even a sweep that asks for f alone, of which x is no argument, looks at a sharded x. */
static void infinite_x_is_traced(blo_comm *comm)
{
  rig w;
  open_rig(comm, BLO_SHARDED, false, &w);
  if (blo_comm_rank(comm) == blo_comm_size(comm) - 1) {
    w.x->data[blo_space_n_local(w.x->space) - 1] = (double)INFINITY;
  }
  w.ask.lower = 0;
  w.ask.upper = BLO_WANT_VALUE;
  BLO_EXPECT_STATUS(blo_eval_sweep(w.eval, &w.ask, &w.ans), BLO_E_NONFINITE);
  BLO_EXPECT_ERROR_HAS("x is not finite");
  BLO_EXPECT_ERROR_HAS("shard 7");
  close_rig(&w);
}

/* Terms without samples that overflow while all sums over samples are finite. */
static void terms_without_samples_are_checked(blo_comm *comm)
{
  rig w;
  open_rig(comm, BLO_SHARDED, false, &w);
  state *st = w.problem->state;
  st->c = 1e200;
  w.y->data[1] = 1e120;
  w.ask.upper = 0;
  w.ask.lower = BLO_WANT_VALUE;
  BLO_EXPECT_STATUS(blo_eval_sweep(w.eval, &w.ask, &w.ans), BLO_E_NONFINITE);
  BLO_EXPECT_ERROR_HAS("value of g or f is not finite in its terms without samples");
  w.ask.lower = BLO_WANT_Y;
  BLO_EXPECT_STATUS(blo_eval_sweep(w.eval, &w.ask, &w.ans), BLO_E_NONFINITE);
  BLO_EXPECT_ERROR_HAS("grad_y g is not finite in its terms without samples");
  st->c = 1;
  BLO_EXPECT_STATUS(blo_eval_sweep(w.eval, &w.ask, &w.ans), BLO_OK);
  close_rig(&w);
}

/* Products J v alone stay with the samples of a sharded x, and nothing is sent: what is not finite
 * is kept until somebody asks. The slices of a rooted x are sent to the root, so it is known at
 * once.
 */
static void cross_products_send_nothing(blo_comm *comm)
{
  for (int layout = 0; layout < 2; layout++) {
    bool rooted = layout == 1;
    rig w;
    open_rig(comm, rooted ? BLO_ROOTED : BLO_SHARDED, false, &w);
    w.ask.lower = BLO_WANT_X | BLO_WANT_JV;
    w.ask.upper = 0;
    blo_traffic before = blo_comm_traffic(comm);
    BLO_REQUIRE_STATUS(blo_eval_sweep(w.eval, &w.ask, &w.ans), BLO_OK);
    blo_traffic after = blo_comm_traffic(comm);
    BLO_EXPECT_ALL(after.reductions == before.reductions + (rooted ? 1 : 0));
    BLO_EXPECT_ALL(rooted || memcmp(&before, &after, sizeof before) == 0);
    ((state *)w.problem->state)->nan_sample = N - 1;
    BLO_EXPECT_STATUS(blo_eval_sweep(w.eval, &w.ask, &w.ans), rooted ? BLO_E_NONFINITE : BLO_OK);
    BLO_EXPECT_STATUS(blo_eval_settle(w.eval), rooted ? BLO_OK : BLO_E_NONFINITE);
    BLO_EXPECT_ERROR_HAS("grad_x g is not finite");
    close_rig(&w);
  }
}

static const blo_test tests[] = {
    {"layouts give the same bits", layouts_give_the_same_bits},
    {"NaN in an aligned part is traced", nan_in_an_aligned_part_is_traced},
    {"infinite x is traced", infinite_x_is_traced},
    {"cross products send nothing", cross_products_send_nothing},
    {"terms without samples are checked", terms_without_samples_are_checked},
};
BLO_TEST_MAIN("sweep", tests)

/* A problem whose y belongs to tasks; see tasks.h. */
#include "tasks.h"
#include <blo/random.h>
#include <math.h>

enum { N = TASKS_N, W = TASKS_W, NX = TASKS_N_X };

static const double RHO = 0.3;

static double number(int what, blo_int i, int k)
{
  blo_stream st = {77, BLO_PURPOSE_TEST};
  return blo_stream_normal(st, (uint64_t)what, (uint64_t)i, (uint64_t)k);
}

typedef struct one_task {
  double s[W], b[W][NX], c[W], t[W], q[NX];
} one_task;

static one_task task_at(blo_int i)
{
  one_task r;
  for (int j = 0; j < W; j++) {
    r.s[j] = 0.5 * number(0, i, j);
    r.c[j] = number(1, i, j);
    r.t[j] = number(2, i, j);
    for (int k = 0; k < NX; k++) {
      r.b[j][k] = number(3, i, j * NX + k);
    }
  }
  for (int k = 0; k < NX; k++) {
    r.q[k] = number(4, i, k);
  }
  return r;
}

typedef struct tasks_state {
  tasks_probe probe;
  one_task task[N];
  const double *y; /* of the metrics */
} tasks_state;

tasks_probe *tasks_probe_of(blo_problem *p)
{
  tasks_state *st = p->state;
  return &st->probe;
}

static double dot(int n, const double *a, const double *b)
{
  double sum = 0;
  for (int i = 0; i < n; i++) {
    sum += a[i] * b[i];
  }
  return sum;
}

/* ------------------------------------------------------------- oracles */

/* What a linearisation keeps of a task: u = B x + c, and s, of which H is made. */
typedef struct kept {
  double u[W], s[W];
} kept;

static void find_u(const one_task *r, const double *x, double *u)
{
  for (int j = 0; j < W; j++) {
    u[j] = r->c[j] + dot(NX, r->b[j], x);
  }
}

static void add_gradients(const one_task *r, const kept *m, double scale, const double *y,
                          double *value, double *gx, double *gy)
{
  double sy = dot(W, m->s, y);
  for (int j = 0; j < W; j++) {
    double ay = m->s[j] * sy + y[j];
    if (value != NULL) {
      *value += scale * (0.5 * ay - m->u[j]) * y[j];
    }
    if (gy != NULL) {
      gy[j] += scale * (ay - m->u[j]);
    }
    for (int k = 0; k < NX && gx != NULL; k++) {
      gx[k] -= scale * r->b[j][k] * y[j];
    }
  }
}

static void add_products(const one_task *r, const double *s, double scale, const double *v,
                         double *hv, double *jv)
{
  double sv = dot(W, s, v);
  for (int j = 0; j < W; j++) {
    if (hv != NULL) {
      hv[j] += scale * (s[j] * sv + v[j]);
    }
    for (int k = 0; k < NX && jv != NULL; k++) {
      jv[k] -= scale * r->b[j][k] * v[j];
    }
  }
}

/* The task's quantities that products and gradients are made of, kept ones if there are any. */
static kept prepare_task(tasks_state *st, blo_int i, const blo_shard_task *t, blo_int row)
{
  kept m, *cache = t->cache != NULL ? (kept *)(void *)t->cache + row : NULL;
  if (t->linearized) {
    return *cache;
  }
  for (int j = 0; j < W; j++) {
    m.s[j] = st->task[i].s[j];
    m.u[j] = t->same_x ? cache->u[j] : 0;
  }
  if (!t->same_x) {
    find_u(&st->task[i], t->x, m.u);
  }
  st->probe.again += t->same_x;
  st->probe.fresh += !t->same_x;
  if (cache != NULL) {
    *cache = m;
  }
  return m;
}

static void add_lower(tasks_state *st, blo_int i, blo_int in_shard, blo_int row,
                      const blo_shard_task *t, const blo_shard_out *out)
{
  kept m = prepare_task(st, i, t, row);
  blo_int at = in_shard * W;
  double scale = t->scale;
  if (i == st->probe.nan_task) {
    m.u[1] = (double)NAN;
  }
  if ((t->want & (BLO_WANT_VALUE | BLO_WANT_X | BLO_WANT_Y)) != 0) {
    add_gradients(&st->task[i], &m, scale, t->y + at, out->value, out->gx,
                  out->gy != NULL ? out->gy + at : NULL);
  }
  for (blo_int d = 0; d < t->n_v; d++) {
    add_products(&st->task[i], m.s, scale, t->v[d] + at,
                 out->hv[d] != NULL ? out->hv[d] + at : NULL, out->jv[d]);
  }
}

static void add_upper(const one_task *r, blo_int in_shard, const blo_shard_task *t,
                      const blo_shard_out *out)
{
  for (int j = 0; j < W; j++) {
    blo_int at = in_shard * W + j;
    double e = t->y[at] - r->t[j];
    if (out->value != NULL) {
      *out->value += t->scale * 0.5 * e * e;
    }
    if (out->gy != NULL) {
      out->gy[at] += t->scale * e;
    }
  }
  for (int k = 0; k < NX; k++) {
    if (out->value != NULL) {
      *out->value += t->scale * r->q[k] * t->x[k];
    }
    if (out->gx != NULL) {
      out->gx[k] += t->scale * r->q[k];
    }
  }
}

static blo_status shard(blo_problem *p, const blo_shard_task *t, const blo_shard_out *out)
{
  tasks_state *st = p->state;
  blo_int first = blo_shard_begin(N, p->n_shards, t->shard);
  for (blo_int r = 0; r < t->n_rows; r++) {
    blo_int in_shard = t->row != NULL ? t->row[r] : r, i = first + in_shard;
    if (t->level == BLO_UPPER) {
      add_upper(&st->task[i], in_shard, t, out);
      continue;
    }
    BLO_CHECK(p->ctx, !st->probe.failing_products || !t->linearized, BLO_E_DATA, "H v fails");
    BLO_CHECK(p->ctx, i != st->probe.failing_task, BLO_E_DATA, "task %lld fails", (long long)i);
    add_lower(st, i, in_shard, r, t, out);
  }
  return BLO_OK;
}

static void common(const blo_problem *p, blo_level level, unsigned want, const blo_point *at,
                   double scale, const blo_shard_out *out)
{
  (void)p;
  (void)want;
  for (int k = 0; k < NX && level == BLO_UPPER; k++) {
    if (out->value != NULL) {
      *out->value += 0.5 * scale * RHO * at->x[k] * at->x[k];
    }
    if (out->gx != NULL) {
      out->gx[k] += scale * RHO * at->x[k];
    }
  }
}

static blo_status setup(blo_problem *p)
{
  tasks_state *st = p->state;
  st->probe = (tasks_probe){.nan_task = -1, .failing_task = -1};
  for (blo_int i = 0; i < N; i++) {
    st->task[i] = task_at(i);
  }
  p->n_x = NX;
  p->n_y = TASKS_N_Y;
  p->y_width = W;
  p->n_lower = p->n_upper = N;
  p->n_shards = TASKS_SHARDS;
  p->x_layout = BLO_ROOTED;
  p->cache_per_sample = sizeof(kept) / sizeof(double);
  p->reuses_x = true;
  return BLO_OK;
}

static void start(const blo_problem *p, const blo_slice *x, const blo_slice *y)
{
  (void)p;
  for (blo_int k = 0; k < x->n; k++) {
    x->data[k] = number(5, x->first + k, 0);
  }
  for (blo_int k = 0; k < y->n; k++) {
    y->data[k] = 0.1 * number(6, y->first + k, 0);
  }
}

/* -------------------------------------------------------------- metrics */

static void metrics_prepare(blo_problem *p, const blo_point *at)
{
  tasks_state *st = p->state;
  st->y = at->y;
}

static blo_status metrics_shard(blo_problem *p, blo_int s, const double *x, double *sums)
{
  const tasks_state *st = p->state;
  blo_int own = blo_shard_begin(N, p->n_shards, blo_comm_first_shard(p->comm, p->n_shards));
  (void)x;
  for (blo_int i = blo_shard_begin(N, p->n_shards, s); i < blo_shard_begin(N, p->n_shards, s + 1);
       i++) {
    sums[0] += dot(W, st->y + (i - own) * W, st->y + (i - own) * W);
  }
  return BLO_OK;
}

static void metrics_finish(const blo_problem *p, const double *sums, double *values)
{
  (void)p;
  values[0] = sums[0] / N;
}

static const blo_metric metrics[] = {{"mean_square", "-", "mean of |y_i|^2"}};

const blo_problem_type blo_problem_test_tasks = {
    .name = "test_tasks",
    .summary = "quadratic tasks with a closed form",
    .source = "",
    .state_size = sizeof(tasks_state),
    .has = BLO_HAS_G_X | BLO_HAS_F_X | BLO_HAS_DIRECTIONS,
    .metrics = metrics,
    .n_metrics = 1,
    .n_metric_sums = 1,
    .setup = setup,
    .start = start,
    .shard = shard,
    .common = common,
    .metrics_prepare = metrics_prepare,
    .metrics_shard = metrics_shard,
    .metrics_finish = metrics_finish,
};

/* ---------------------------------------------------------- closed form */

/* z = A^-1 z by Sherman and Morrison's formula. */
static void solve(const one_task *r, double *z)
{
  double factor = dot(W, r->s, z) / (1 + dot(W, r->s, r->s));
  for (int j = 0; j < W; j++) {
    z[j] -= factor * r->s[j];
  }
}

void tasks_solution(const double *x, double *y)
{
  for (blo_int i = 0; i < N; i++) {
    one_task r = task_at(i);
    find_u(&r, x, y + i * W);
    solve(&r, y + i * W);
  }
}

void tasks_hypergradient(const double *x, const double *y, double *hx)
{
  for (int k = 0; k < NX; k++) {
    hx[k] = RHO * x[k];
  }
  for (blo_int i = 0; i < N; i++) {
    one_task r = task_at(i);
    double v[W];
    for (int j = 0; j < W; j++) {
      v[j] = y[i * W + j] - r.t[j];
    }
    solve(&r, v);
    for (int k = 0; k < NX; k++) {
      hx[k] += r.q[k] / N;
      for (int j = 0; j < W; j++) {
        hx[k] += r.b[j][k] * v[j] / N;
      }
    }
  }
}

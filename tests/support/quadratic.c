/* A problem with a closed-form hypergradient; see quadratic.h. */
#include "quadratic.h"
#include "sample_count.h"
#include <blo/random.h>
#include <math.h>
#include <string.h>

enum { NX = QUADRATIC_N_X, NY = QUADRATIC_N_Y };

static const blo_stream stream = {2024, BLO_PURPOSE_TEST};

/* Number `k` of sample i of a level: pure functions, so no rank stores data. */
static double number(int level, blo_int i, int k)
{
  return blo_stream_normal(stream, (uint64_t)level, (uint64_t)i, (uint64_t)k);
}

typedef struct lower_sample {
  double s[NY], c[NX][NY], a[NY];
} lower_sample;

static lower_sample lower_at(blo_int i)
{
  lower_sample r;
  for (int j = 0; j < NY; j++) {
    r.s[j] = number(0, i, j);
    r.a[j] = number(0, i, 100 + j);
    for (int k = 0; k < NX; k++) {
      r.c[k][j] = number(0, i, 200 + k * NY + j);
    }
  }
  return r;
}

typedef struct upper_sample {
  double t[NY], d[NY], p, q[NX];
} upper_sample;

static upper_sample upper_at(blo_int j)
{
  upper_sample r;
  for (int k = 0; k < NY; k++) {
    r.t[k] = number(1, j, k);
    r.d[k] = exp(number(1, j, 100 + k));
  }
  for (int k = 0; k < NX; k++) {
    r.q[k] = number(1, j, 200 + k);
  }
  r.p = exp(number(1, j, 300));
  return r;
}

/* What an instance keeps: the samples, drawn once, and its faults. */
typedef struct quadratic_state {
  quadratic_fault fault;
  lower_sample lower[QUADRATIC_N];
  upper_sample upper[QUADRATIC_M];
} quadratic_state;

/* E, the same for all samples; exact in a few bits, so that it needs no table. */
static double cross(int k, int j)
{
  return ((k * 5 + j * 3) % 7 - 3) / 16.0;
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

/* H v and J v of direction d. */
static void add_products(const lower_sample *r, const blo_shard_task *t, blo_int d,
                         const blo_shard_out *out)
{
  const double *v = t->v[d];
  double sv = dot(NY, r->s, v);
  for (int j = 0; j < NY && out->hv[d] != NULL; j++) {
    out->hv[d][j] += t->scale * (r->s[j] * sv + v[j]);
  }
  for (int k = 0; k < NX && out->jv[d] != NULL; k++) {
    out->jv[d][k] += t->scale * dot(NY, r->c[k], v);
  }
}

static void add_lower(const lower_sample *r, const blo_shard_task *t, const blo_shard_out *out)
{
  double sy = dot(NY, r->s, t->y);
  for (int j = 0; j < NY; j++) {
    double cx = 0;
    for (int k = 0; k < NX; k++) {
      cx += r->c[k][j] * t->x[k];
    }
    if (out->gy != NULL) {
      out->gy[j] += t->scale * (r->s[j] * sy + t->y[j] + cx + r->a[j]);
    }
    if (out->value != NULL) {
      *out->value += t->scale * (0.5 * (r->s[j] * sy + t->y[j]) + cx + r->a[j]) * t->y[j];
    }
  }
  for (int k = 0; k < NX && out->gx != NULL; k++) {
    out->gx[k] += t->scale * dot(NY, r->c[k], t->y);
  }
  for (blo_int d = 0; d < t->n_v; d++) {
    add_products(r, t, d, out);
  }
}

static void add_upper(const upper_sample *r, const blo_shard_task *t, const blo_shard_out *out)
{
  for (int j = 0; j < NY; j++) {
    double e = t->y[j] - r->t[j], ex = 0;
    for (int k = 0; k < NX; k++) {
      ex += cross(k, j) * t->x[k];
    }
    if (out->gy != NULL) {
      out->gy[j] += t->scale * (r->d[j] * e + ex);
    }
    if (out->value != NULL) {
      *out->value += t->scale * (0.5 * r->d[j] * e * e + ex * t->y[j]);
    }
  }
  for (int k = 0; k < NX; k++) {
    double ey = 0;
    for (int j = 0; j < NY; j++) {
      ey += cross(k, j) * t->y[j];
    }
    if (out->gx != NULL) {
      out->gx[k] += t->scale * (r->p * t->x[k] + r->q[k] + ey);
    }
    if (out->value != NULL) {
      *out->value += t->scale * (0.5 * r->p * t->x[k] + r->q[k]) * t->x[k];
    }
  }
}

/* (shift / 2) |y|^2 and its derivatives. */
static void add_shift(double shift, const blo_shard_task *t, const blo_shard_out *out)
{
  for (int j = 0; j < NY; j++) {
    if (out->gy != NULL) {
      out->gy[j] += t->scale * shift * t->y[j];
    }
    for (blo_int d = 0; d < t->n_v && out->hv[0] != NULL; d++) {
      out->hv[d][j] += t->scale * shift * t->v[d][j];
    }
    if (out->value != NULL) {
      *out->value += t->scale * 0.5 * shift * t->y[j] * t->y[j];
    }
  }
}

static blo_status shard(blo_problem *p, const blo_shard_task *task, const blo_shard_out *out)
{
  const quadratic_state *st = p->state;
  const quadratic_fault *fault = &st->fault;
  bool lower = task->level == BLO_LOWER;
  blo_int first = blo_shard_begin(lower ? QUADRATIC_N : QUADRATIC_M, p->n_shards, task->shard);
  blo_shard_task upper_task = *task;
  upper_task.scale *= fault->upper_scale;
  for (blo_int r = 0; r < task->n_rows; r++) {
    blo_int i = first + (task->row != NULL ? task->row[r] : r);
    if (lower) {
      lower_sample sample = st->lower[i];
      if (i == fault->nan_sample) {
        sample.a[3] = (double)NAN;
      }
      BLO_CHECK(p->ctx, i != fault->failing_sample, BLO_E_DATA, "sample %lld fails", (long long)i);
      add_lower(&sample, task, out);
      add_shift(fault->shift, task, out);
    } else {
      add_upper(&st->upper[i], &upper_task, out);
    }
  }
  return BLO_OK;
}

static blo_status setup(blo_problem *p)
{
  quadratic_state *st = p->state;
  st->fault = (quadratic_fault){-1, -1, 0, 1};
  for (blo_int i = 0; i < QUADRATIC_N; i++) {
    st->lower[i] = lower_at(i);
  }
  for (blo_int j = 0; j < QUADRATIC_M; j++) {
    st->upper[j] = upper_at(j);
  }
  p->n_x = NX;
  p->n_y = NY;
  p->n_lower = QUADRATIC_N;
  p->n_upper = QUADRATIC_M;
  p->n_shards = 16;
  p->x_layout = BLO_ROOTED;
  return BLO_OK;
}

quadratic_fault *quadratic_faults(blo_problem *p)
{
  quadratic_state *st = p->state;
  return &st->fault;
}

static void start(const blo_problem *p, const blo_slice *x, const blo_slice *y)
{
  (void)p;
  for (blo_int i = 0; i < x->n; i++) {
    x->data[i] = number(3, x->first + i, 0);
  }
  memset(y->data, 0, (size_t)y->n * sizeof *y->data);
}

const blo_problem_type blo_problem_test_quadratic = {
    .name = "test_quadratic",
    .summary = "quadratic with a closed form",
    .source = "",
    .state_size = sizeof(quadratic_state),
    .has = BLO_HAS_G_X | BLO_HAS_F_X | BLO_HAS_DIRECTIONS,
    .metrics = &sample_count,
    .n_metrics = 1,
    .n_metric_sums = 1,
    .setup = setup,
    .start = start,
    .shard = shard,
    .metrics_shard = sample_count_shard,
    .metrics_finish = sample_count_finish,
};

/* --------------------------------------------------------- direct sums */

quadratic_oracles quadratic_mean(blo_level level, const int *count, const double *x,
                                 const double *y, const double *v)
{
  quadratic_oracles sum = {0};
  bool lower = level == BLO_LOWER;
  int n = lower ? QUADRATIC_N : QUADRATIC_M, total = 0;
  blo_shard_task task = {.x = x, .y = y, .n_v = v != NULL, .v = {v}};
  blo_shard_out out = {.value = &sum.value,
                       .gx = sum.gx,
                       .gy = sum.gy,
                       .hv = {lower && v != NULL ? sum.hv : NULL},
                       .jv = {lower && v != NULL ? sum.jv : NULL}};
  for (int i = 0; i < n; i++) {
    total += count[i];
  }
  for (int i = 0; i < n; i++) {
    task.scale = (double)count[i] / total;
    if (count[i] > 0 && lower) {
      lower_sample sample = lower_at(i);
      add_lower(&sample, &task, &out);
    } else if (count[i] > 0) {
      upper_sample sample = upper_at(i);
      add_upper(&sample, &task, &out);
    }
  }
  return sum;
}

/* ---------------------------------------------------------- closed form */

/* Solve A z = b by Gauss elimination with row pivots; both are overwritten, b by z. */
static void eliminate(double a[NY][NY], double *b)
{
  for (int k = 0; k < NY; k++) {
    int best = k;
    for (int i = k + 1; i < NY; i++) {
      best = fabs(a[i][k]) > fabs(a[best][k]) ? i : best;
    }
    for (int j = 0; j < NY; j++) {
      double keep = a[k][j];
      a[k][j] = a[best][j];
      a[best][j] = keep;
    }
    double keep = b[k];
    b[k] = b[best];
    b[best] = keep;
    for (int i = k + 1; i < NY; i++) {
      double factor = a[i][k] / a[k][k];
      for (int j = k; j < NY; j++) {
        a[i][j] -= factor * a[k][j];
      }
      b[i] -= factor * b[k];
    }
  }
  for (int k = NY - 1; k >= 0; k--) {
    for (int j = k + 1; j < NY; j++) {
      b[k] -= a[k][j] * b[j];
    }
    b[k] /= a[k][k];
  }
}

typedef struct means {
  double a[NY][NY], c[NX][NY], b[NY];
} means;

static means lower_means(void)
{
  means m;
  memset(&m, 0, sizeof m);
  for (blo_int i = 0; i < QUADRATIC_N; i++) {
    lower_sample r = lower_at(i);
    for (int j = 0; j < NY; j++) {
      m.b[j] += r.a[j] / QUADRATIC_N;
      for (int k = 0; k < NY; k++) {
        m.a[j][k] += (r.s[j] * r.s[k] + (j == k)) / QUADRATIC_N;
      }
      for (int k = 0; k < NX; k++) {
        m.c[k][j] += r.c[k][j] / QUADRATIC_N;
      }
    }
  }
  return m;
}

void quadratic_solution(const double *x, double *y)
{
  means m = lower_means();
  for (int j = 0; j < NY; j++) {
    y[j] = -m.b[j];
    for (int k = 0; k < NX; k++) {
      y[j] -= m.c[k][j] * x[k];
    }
  }
  eliminate(m.a, y);
}

void quadratic_hypergradient(const double *x, const double *y, double *hx)
{
  means m = lower_means();
  double v[NY] = {0}, fx[NX] = {0};
  blo_shard_task task = {.x = x, .y = y, .scale = 1.0 / QUADRATIC_M};
  blo_shard_out out = {.gy = v, .gx = fx};
  for (blo_int j = 0; j < QUADRATIC_M; j++) {
    upper_sample r = upper_at(j);
    add_upper(&r, &task, &out);
  }
  eliminate(m.a, v);
  for (int k = 0; k < NX; k++) {
    hx[k] = fx[k] - dot(NY, m.c[k], v);
  }
}

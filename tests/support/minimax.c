/* A small minimax problem with a closed form; see minimax.h. */
#include "minimax.h"
#include "sample_count.h"
#include <blo/random.h>
#include <math.h>
#include <string.h>

enum { NX = MINIMAX_N_X, NY = MINIMAX_N_Y, N = MINIMAX_N };

static const blo_stream stream = {2025, BLO_PURPOSE_TEST};

typedef struct sample {
  double p, q[NX], c[NX][NY], a[NY], d[NY];
} sample;

/* Number `k` of sample i: a pure function, so no rank reads data. */
static double number(blo_int i, int k)
{
  return blo_stream_normal(stream, 0, (uint64_t)i, (uint64_t)k);
}

static sample sample_at(blo_int i)
{
  sample r = {.p = exp(0.5 * number(i, 0))};
  for (int j = 0; j < NY; j++) {
    r.a[j] = number(i, 100 + j);
    r.d[j] = exp(0.5 * number(i, 200 + j));
  }
  for (int k = 0; k < NX; k++) {
    r.q[k] = number(i, 300 + k);
    for (int j = 0; j < NY; j++) {
      r.c[k][j] = ((k + j) % 3 - 1) / 2.0 + 0.5 * number(i, 400 + k * NY + j);
    }
  }
  return r;
}

typedef struct minimax_state {
  sample sample[N];
} minimax_state;

/* ------------------------------------------------------------- oracles */

/* H v and J v of direction d. */
static void add_products(const sample *r, const blo_shard_task *t, blo_int d,
                         const blo_shard_out *out)
{
  const double *v = t->v[d];
  for (int j = 0; j < NY && out->hv[d] != NULL; j++) {
    out->hv[d][j] += t->scale * r->d[j] * v[j];
  }
  for (int k = 0; k < NX && out->jv[d] != NULL; k++) {
    for (int j = 0; j < NY; j++) {
      out->jv[d][k] -= t->scale * r->c[k][j] * v[j];
    }
  }
}

/* f_i and its derivatives, times `scale`. */
static void add_f(const sample *r, double scale, const blo_shard_task *t, const blo_shard_out *out)
{
  double cx[NY] = {0}, cy[NX] = {0};
  for (int k = 0; k < NX; k++) {
    for (int j = 0; j < NY; j++) {
      cx[j] += r->c[k][j] * t->x[k];
      cy[k] += r->c[k][j] * t->y[j];
    }
  }
  for (int j = 0; j < NY; j++) {
    if (out->gy != NULL) {
      out->gy[j] += scale * (cx[j] + r->a[j] - r->d[j] * t->y[j]);
    }
    if (out->value != NULL) {
      *out->value += scale * (cx[j] + r->a[j] - 0.5 * r->d[j] * t->y[j]) * t->y[j];
    }
  }
  for (int k = 0; k < NX; k++) {
    if (out->gx != NULL) {
      out->gx[k] += scale * (r->p * t->x[k] + r->q[k] + cy[k]);
    }
    if (out->value != NULL) {
      *out->value += scale * (0.5 * r->p * t->x[k] + r->q[k]) * t->x[k];
    }
  }
}

static blo_status shard(blo_problem *p, const blo_shard_task *task, const blo_shard_out *out)
{
  const minimax_state *st = p->state;
  blo_int first = blo_shard_begin(N, p->n_shards, task->shard);
  double scale = task->level == BLO_LOWER ? -task->scale : task->scale;
  for (blo_int r = 0; r < task->n_rows; r++) {
    const sample *one = &st->sample[first + (task->row != NULL ? task->row[r] : r)];
    add_f(one, scale, task, out);
    for (blo_int d = 0; d < task->n_v; d++) {
      add_products(one, task, d, out);
    }
  }
  return BLO_OK;
}

static blo_status setup(blo_problem *p)
{
  minimax_state *st = p->state;
  for (blo_int i = 0; i < N; i++) {
    st->sample[i] = sample_at(i);
  }
  p->n_x = NX;
  p->n_y = NY;
  p->n_lower = p->n_upper = N;
  p->n_shards = 16;
  p->x_layout = BLO_ROOTED;
  p->minimax = true;
  return BLO_OK;
}

static void start(const blo_problem *p, const blo_slice *x, const blo_slice *y)
{
  (void)p;
  for (blo_int i = 0; i < x->n; i++) {
    x->data[i] = number(N, (int)(x->first + i));
  }
  memset(y->data, 0, (size_t)y->n * sizeof *y->data);
}

const blo_problem_type blo_problem_test_minimax = {
    .name = "test_minimax",
    .summary = "minimax with a closed form",
    .source = "",
    .state_size = sizeof(minimax_state),
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

/* ------------------------------------------------ direct sums, closed form */

minimax_oracles minimax_mean(const double *x, const double *y)
{
  minimax_oracles sum = {0};
  blo_shard_task task = {.x = x, .y = y};
  blo_shard_out out = {.value = &sum.value, .gx = sum.gx, .gy = sum.gy};
  for (blo_int i = 0; i < N; i++) {
    sample r = sample_at(i);
    add_f(&r, 1.0 / N, &task, &out);
  }
  return sum;
}

/* The means of C and of D. */
static void means(double c[NX][NY], double d[NY])
{
  memset(c, 0, NX * sizeof *c);
  memset(d, 0, NY * sizeof *d);
  for (blo_int i = 0; i < N; i++) {
    sample r = sample_at(i);
    for (int j = 0; j < NY; j++) {
      d[j] += r.d[j] / N;
      for (int k = 0; k < NX; k++) {
        c[k][j] += r.c[k][j] / N;
      }
    }
  }
}

/* f is quadratic in y: grad_y f at y = 0 is C'x + a. */
void minimax_solution(const double *x, double *y)
{
  double c[NX][NY], d[NY], zero[NY] = {0};
  minimax_oracles at = minimax_mean(x, zero);
  means(c, d);
  for (int j = 0; j < NY; j++) {
    y[j] = at.gy[j] / d[j];
  }
}

void minimax_hypergradient(const double *x, const double *y, double *hx)
{
  double c[NX][NY], d[NY];
  minimax_oracles at = minimax_mean(x, y);
  means(c, d);
  for (int k = 0; k < NX; k++) {
    hx[k] = at.gx[k];
    for (int j = 0; j < NY; j++) {
      hx[k] += c[k][j] * at.gy[j] / d[j];
    }
  }
}

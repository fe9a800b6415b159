/** @file What the problems with known solutions share; see analytic.h. */
#include "analytic.h"
#include <math.h>
#include <string.h>

const char *const analytic_start_names[] = {"point", "random", NULL};
const char *const analytic_x_names[] = {"rooted", "replicated", NULL};

enum { METRIC_F, METRIC_GAP, METRIC_GRADIENT, METRIC_ERROR_X, METRIC_ERROR_Y };

const blo_metric analytic_metrics[N_ANALYTIC_METRICS] = {
    {"F", "-", "F(x) = f(x, y*(x)), in closed form"},
    {"gap", "-", "F(x) - min F"},
    {"grad_norm", "-", "norm of grad F(x), in closed form"},
    {"error_x", "-", "distance of x to the nearest minimiser of F"},
    {"error_y", "-", "distance of y to y*(x), the nearest one if there are several"},
};

/* ------------------------------------------------------------------ life */

blo_status analytic_setup(blo_problem *p, blo_int n_x, blo_int n_y, const analytic_math *math)
{
  const analytic_options *o = p->options;
  analytic *st = p->state;

  BLO_TRY(blo_shards_check(p->comm, o->shards));
  st->math = math;
  st->n_x = p->n_x = n_x;
  st->n_y = p->n_y = n_y;
  p->n_lower = p->n_upper = p->n_shards = o->shards;
  p->x_layout = o->x == 0 ? BLO_ROOTED : BLO_REPLICATED;
  p->minimax = math->minimax;
  p->has |= math->quadratic ? BLO_HAS_GAUSS_NEWTON : 0u;
  p->fingerprint = ((uint64_t)n_x * 31 + (uint64_t)n_y) * 31 + (uint64_t)o->seed;
  return blo_agree(p->comm, blo_alloc(p->ctx, n_x + n_y, sizeof *st->work, &st->work));
}

void analytic_teardown(blo_problem *p)
{
  analytic *st = p->state;

  blo_free(p->ctx, &st->work);
}

/** The rank's part of a starting vector. */
static void put_start(const analytic_options *o, uint64_t number, const double *whole,
                      const blo_slice *to)
{
  const blo_stream st = {(uint64_t)o->seed, BLO_PURPOSE_INIT};
  double size = o->start == 1 ? o->start_size : 0;

  for (blo_int i = 0; i < to->n; i++) {
    to->data[i] = whole[to->first + i];
    if (size > 0) {
      to->data[i] += size * blo_stream_normal(st, number, 0, (uint64_t)(to->first + i));
    }
  }
}

void analytic_start(const blo_problem *p, const blo_slice *x, const blo_slice *y)
{
  const analytic *st = p->state;

  st->math->start(st, st->work, st->work + st->n_x);
  put_start(p->options, 0, st->work, x);
  put_start(p->options, 1, st->work + st->n_x, y);
}

/* --------------------------------------------------------------- oracles */

blo_status analytic_shard(blo_problem *p, const blo_shard_task *task, const blo_shard_out *out)
{
  (void)p;
  (void)task;
  (void)out;
  return BLO_OK;
}

static void add_vector(const analytic *st, analytic_vector *formula, const blo_point *at, blo_int n,
                       double scale, double *to)
{
  if (to != NULL) {
    formula(st, at->x, at->y, st->work);
    matrix_axpy(n, scale, st->work, to);
  }
}

static void add_product(const analytic *st, analytic_product *formula, const blo_point *at,
                        const double *v, blo_int n, double scale, double *to)
{
  if (to != NULL) {
    formula(st, at->x, at->y, v, st->work);
    matrix_axpy(n, scale, st->work, to);
  }
}

void analytic_common(const blo_problem *p, blo_level level, unsigned want, const blo_point *at,
                     double scale, const blo_shard_out *out)
{
  const analytic *st = p->state;
  const analytic_math *m = st->math;
  bool g_itself = level == BLO_LOWER && !m->minimax;
  double sign = level == BLO_LOWER && m->minimax ? -scale : scale;

  (void)want;
  if (out->value != NULL) {
    *out->value += sign * (g_itself ? m->g : m->f)(st, at->x, at->y);
  }
  add_vector(st, g_itself ? m->g_x : m->f_x, at, st->n_x, sign, out->gx);
  add_vector(st, g_itself ? m->g_y : m->f_y, at, st->n_y, sign, out->gy);
  for (blo_int i = 0; i < at->n_v; i++) {
    add_product(st, m->hv, at, at->v[i], st->n_y, scale, out->hv[i]);
    add_product(st, m->jv, at, at->v[i], st->n_x, scale, out->jv[i]);
  }
}

/* --------------------------------------------------------------- metrics */

static double distance(blo_int n, const double *a, const double *b)
{
  double sum = 0;

  for (blo_int i = 0; i < n; i++) {
    sum += (a[i] - b[i]) * (a[i] - b[i]);
  }
  return sqrt(sum);
}

void analytic_metrics_prepare(blo_problem *p, const blo_point *at)
{
  analytic *st = p->state;
  const analytic_math *m = st->math;

  m->solve(st, at->x, at->y, st->work);
  st->metric[METRIC_ERROR_Y] = distance(st->n_y, at->y, st->work);
  st->metric[METRIC_F] = m->F != NULL ? m->F(st, at->x, NULL) : m->f(st, at->x, st->work);
  st->metric[METRIC_GAP] = m->gap(st, at->x, NULL);
  m->nearest(st, at->x, NULL, st->work);
  st->metric[METRIC_ERROR_X] = distance(st->n_x, at->x, st->work);
  m->F_x(st, at->x, NULL, st->work);
  st->metric[METRIC_GRADIENT] = sqrt(blo_array_dot(st->n_x, st->work, st->work));
}

blo_status analytic_metrics_shard(blo_problem *p, blo_int shard, const double *x, double *sums)
{
  (void)p;
  (void)shard;
  (void)x;
  (void)sums;
  return BLO_OK;
}

void analytic_metrics_finish(const blo_problem *p, const double *sums, double *values)
{
  const analytic *st = p->state;

  (void)sums;
  memcpy(values, st->metric, sizeof st->metric);
}

/* ----------------------------------------------------------------- wells */

double analytic_wells(blo_int n, blo_int m, double b, const double *z)
{
  double sum = 0;

  for (blo_int i = 0; i < n; i++) {
    double zz = z[i] * z[i];
    sum += i < m ? zz * zz / 4 - b * zz / 2 : zz / 2;
  }
  return sum;
}

void analytic_wells_gradient(blo_int n, blo_int m, double b, const double *z, double *out)
{
  for (blo_int i = 0; i < n; i++) {
    out[i] = i < m ? (z[i] * z[i] - b) * z[i] : z[i];
  }
}

void analytic_wells_nearest(blo_int n, blo_int m, double b, double add, const double *z,
                            double *out)
{
  double well = sqrt(fmax(b - add, 0));

  for (blo_int i = 0; i < n; i++) {
    out[i] = i < m ? copysign(well, z[i]) : 0;
  }
}

double analytic_wells_gap(blo_int n, blo_int m, double b, double add, const double *z)
{
  double depth = b - add, sum = 0;

  for (blo_int i = 0; i < n; i++) {
    double zz = z[i] * z[i];
    if (i >= m) {
      sum += (1 + add) * zz / 2;
    } else {
      sum += depth > 0 ? (zz - depth) * (zz - depth) / 4 : zz * zz / 4 - depth * zz / 2;
    }
  }
  return sum;
}

/** @file Means of samples of rank one, and the solution of the bilevel problem that they make; see
 * rank_one.h. */
#include "rank_one.h"
#include <math.h>

static blo_int means_length(const blo_problem *p)
{
  return p->n_y * p->n_y + p->n_x * p->n_x + p->n_x * p->n_y + p->n_y + p->n_x;
}

static rank_one_means means_in(const blo_problem *p, double *numbers)
{
  rank_one_means m = {.A = numbers};

  m.B = m.A + p->n_y * p->n_y;
  m.C = m.B + p->n_x * p->n_x;
  m.a = m.C + p->n_x * p->n_y;
  m.e = m.a + p->n_y;
  return m;
}

blo_status rank_one_make_means(blo_problem *p)
{
  rank_one_state *st = p->state;
  blo_int n_x = p->n_x, n_y = p->n_y;

  for (int level = 0; level < 2; level++) {
    BLO_TRY(blo_alloc(p->ctx, means_length(p), sizeof(double), &st->numbers[level]));
    st->means[level] = means_in(p, st->numbers[level]);
  }
  BLO_TRY(blo_alloc(p->ctx, n_y * n_y, sizeof(double), &st->inverse));
  BLO_TRY(blo_alloc(p->ctx, n_y * n_x, sizeof(double), &st->Y));
  BLO_TRY(blo_alloc(p->ctx, n_y, sizeof(double), &st->y0));
  BLO_TRY(blo_alloc(p->ctx, n_x * n_x, sizeof(double), &st->S));
  BLO_TRY(blo_alloc(p->ctx, n_x * n_x, sizeof(double), &st->S_inverse));
  BLO_TRY(blo_alloc(p->ctx, n_x, sizeof(double), &st->r));
  BLO_TRY(blo_alloc(p->ctx, n_x, sizeof(double), &st->room_x));
  return blo_alloc(p->ctx, n_y, sizeof(double), &st->room_y);
}

void rank_one_teardown(blo_problem *p)
{
  rank_one_state *st = p->state;
  double **const all[] = {&st->numbers[0], &st->numbers[1], &st->inverse, &st->Y,      &st->y0,
                          &st->S,          &st->S_inverse,  &st->r,       &st->room_x, &st->room_y};

  analytic_teardown(p);
  rank_one_free(p, &st->level[BLO_LOWER]);
  rank_one_free(p, &st->level[BLO_UPPER]);
  for (blo_int i = 0; i < BLO_COUNT_OF(all); i++) {
    blo_free(p->ctx, all[i]);
  }
}

/* ----------------------------------------------------------------- means */

/** Add the matrices of own sample i, times w. */
static void add_sample(const rank_one *r, blo_int i, double w, const rank_one_means *to)
{
  const double *s = rank_one_at(r, RANK_S, i), *b = rank_one_at(r, RANK_B, i);
  const double *c = rank_one_at(r, RANK_C, i), *d = rank_one_at(r, RANK_D, i);
  const double *a = rank_one_at(r, RANK_A, i), *e = rank_one_at(r, RANK_E, i);

  if (s != NULL) {
    matrix_add_outer(r->n_y, r->n_y, w, s, s, to->A);
  }
  if (b != NULL) {
    matrix_add_outer(r->n_x, r->n_x, w, b, b, to->B);
  }
  if (c != NULL) {
    matrix_add_outer(r->n_x, r->n_y, w, c, d, to->C);
  }
  if (a != NULL) {
    matrix_axpy(r->n_y, w, a, to->a);
  }
  if (e != NULL) {
    matrix_axpy(r->n_x, w, e, to->e);
  }
}

static void level_means(blo_problem *p, blo_level level, blo_sum *sum)
{
  rank_one_state *st = p->state;
  const rank_one *r = &st->level[level];
  blo_int n = level == BLO_LOWER ? p->n_lower : p->n_upper;
  blo_int end = blo_comm_end_shard(p->comm, p->n_shards);

  blo_sum_begin(sum, means_length(p));
  for (blo_int s = blo_comm_first_shard(p->comm, p->n_shards); s < end; s++) {
    rank_one_means to = means_in(p, blo_sum_next_shard(sum));
    blo_int last = blo_shard_begin(n, p->n_shards, s + 1);
    for (blo_int i = blo_shard_begin(n, p->n_shards, s); i < last; i++) {
      add_sample(r, i - r->first, 1 / (double)n, &to);
    }
  }
  blo_sum_finish(sum, st->numbers[level]);
}

blo_status rank_one_find_means(blo_problem *p)
{
  blo_status status = BLO_OK;
  blo_sum *sum = NULL;

  BLO_GO_ALL(p->comm,
             blo_sum_create(p->comm, BLO_REPRODUCIBLE, p->n_shards, means_length(p), &sum));
  level_means(p, BLO_LOWER, sum);
  level_means(p, BLO_UPPER, sum);
done:
  blo_sum_destroy(&sum);
  return status;
}

/* -------------------------------------------------------------- solution */

/** Y = -A^+ C' and y0 = -A^+ a. */
static void lower_solution(rank_one_state *st)
{
  const rank_one_means *g = &st->means[BLO_LOWER];
  blo_int n_x = st->base.n_x, n_y = st->base.n_y;

  for (blo_int j = 0; j < n_y; j++) {
    const double *row = st->inverse + j * n_y;
    st->y0[j] = -blo_array_dot(n_y, row, g->a);
    for (blo_int k = 0; k < n_x; k++) {
      st->Y[j * n_x + k] = -blo_array_dot(n_y, row, g->C + k * n_y);
    }
  }
}

/** S, made symmetric to the last bit. */
static void upper_hessian(rank_one_state *st)
{
  const rank_one_means *f = &st->means[BLO_UPPER];
  blo_int n_x = st->base.n_x, n_y = st->base.n_y;
  double *S = st->S;

  for (blo_int k = 0; k < n_x; k++) {
    matrix_mul_t(n_y, n_x, st->Y, f->C + k * n_y, S + k * n_x); /* row k of C_f Y */
    matrix_axpy(n_x, 0.5, f->B + k * n_x, S + k * n_x);
  }
  for (blo_int j = 0; j < n_y; j++) {
    matrix_mul_t(n_y, n_x, st->Y, f->A + j * n_y, st->room_x); /* row j of A_f Y */
    matrix_add_outer(n_x, n_x, 0.5, st->Y + j * n_x, st->room_x, S);
  }
  for (blo_int k = 0; k < n_x; k++) {
    for (blo_int l = 0; l <= k; l++) {
      S[k * n_x + l] = S[l * n_x + k] = S[k * n_x + l] + S[l * n_x + k];
    }
  }
}

/** r, which is grad F at 0. */
static void upper_slope(rank_one_state *st)
{
  const rank_one_means *f = &st->means[BLO_UPPER];
  blo_int n_x = st->base.n_x, n_y = st->base.n_y;

  matrix_mul(n_y, n_y, f->A, st->y0, st->room_y);
  matrix_axpy(n_y, 1, f->a, st->room_y);
  matrix_mul_t(n_y, n_x, st->Y, st->room_y, st->r);
  matrix_mul(n_x, n_y, f->C, st->y0, st->room_x);
  matrix_axpy(n_x, 1, st->room_x, st->r);
  matrix_axpy(n_x, 1, f->e, st->r);
}

/** |r - S S^+ r| is small: F does not fall for ever in the null space of S. */
static bool slope_in_range(rank_one_state *st)
{
  blo_int n = st->base.n_x;
  double off = 0;

  matrix_mul(n, n, st->S_inverse, st->r, st->room_x);
  for (blo_int k = 0; k < n; k++) {
    off = fmax(off, fabs(st->r[k] - blo_array_dot(n, st->S + k * n, st->room_x)));
  }
  return off <= 1e-10 * sqrt(blo_array_dot(n, st->r, st->r));
}

blo_status rank_one_solve(blo_problem *p)
{
  rank_one_state *st = p->state;
  bool definite;

  BLO_TRY(matrix_pinv(p, p->n_y, st->means[BLO_LOWER].A, st->inverse, NULL));
  lower_solution(st);
  upper_hessian(st);
  upper_slope(st);
  BLO_TRY(matrix_pinv(p, p->n_x, st->S, st->S_inverse, &definite));
  st->bounded = definite && slope_in_range(st);
  return BLO_OK;
}

/* -------------------------------------------------------------- formulas */

static double value(const rank_one_state *st, const rank_one_means *m, const double *x,
                    const double *y)
{
  blo_int n_x = st->base.n_x, n_y = st->base.n_y;

  return 0.5 * matrix_form(n_y, n_y, m->A, y, y) + 0.5 * matrix_form(n_x, n_x, m->B, x, x) +
         matrix_form(n_x, n_y, m->C, x, y) + blo_array_dot(n_y, m->a, y) +
         blo_array_dot(n_x, m->e, x);
}

/** B x + C y + e. */
static void gradient_x(const rank_one_state *st, const rank_one_means *m, const double *x,
                       const double *y, double *out)
{
  blo_int n_x = st->base.n_x, n_y = st->base.n_y;

  for (blo_int k = 0; k < n_x; k++) {
    out[k] =
        blo_array_dot(n_x, m->B + k * n_x, x) + blo_array_dot(n_y, m->C + k * n_y, y) + m->e[k];
  }
}

/** A y + C'x + a. */
static void gradient_y(const rank_one_state *st, const rank_one_means *m, const double *x,
                       const double *y, double *out)
{
  blo_int n_x = st->base.n_x, n_y = st->base.n_y;

  matrix_mul_t(n_x, n_y, m->C, x, out);
  for (blo_int j = 0; j < n_y; j++) {
    out[j] += blo_array_dot(n_y, m->A + j * n_y, y) + m->a[j];
  }
}

double rank_one_g(const void *state_, const double *x, const double *y)
{
  const rank_one_state *st = state_;

  return value(st, &st->means[BLO_LOWER], x, y);
}

void rank_one_g_x(const void *state_, const double *x, const double *y, double *out)
{
  const rank_one_state *st = state_;

  gradient_x(st, &st->means[BLO_LOWER], x, y, out);
}

void rank_one_g_y(const void *state_, const double *x, const double *y, double *out)
{
  const rank_one_state *st = state_;

  gradient_y(st, &st->means[BLO_LOWER], x, y, out);
}

double rank_one_f(const void *state_, const double *x, const double *y)
{
  const rank_one_state *st = state_;

  return value(st, &st->means[BLO_UPPER], x, y);
}

void rank_one_f_x(const void *state_, const double *x, const double *y, double *out)
{
  const rank_one_state *st = state_;

  gradient_x(st, &st->means[BLO_UPPER], x, y, out);
}

void rank_one_f_y(const void *state_, const double *x, const double *y, double *out)
{
  const rank_one_state *st = state_;

  gradient_y(st, &st->means[BLO_UPPER], x, y, out);
}

void rank_one_hv(const void *state_, const double *x, const double *y, const double *v, double *out)
{
  const rank_one_state *st = state_;

  (void)x;
  (void)y;
  matrix_mul(st->base.n_y, st->base.n_y, st->means[BLO_LOWER].A, v, out);
}

void rank_one_jv(const void *state_, const double *x, const double *y, const double *v, double *out)
{
  const rank_one_state *st = state_;

  (void)x;
  (void)y;
  matrix_mul(st->base.n_x, st->base.n_y, st->means[BLO_LOWER].C, v, out);
}

/** The nearest minimiser: y - A^+ grad_y g(x, y). */
void rank_one_y(const void *state_, const double *x, const double *y, double *out)
{
  const rank_one_state *st = state_;
  blo_int n = st->base.n_y;

  rank_one_g_y(st, x, y, st->room_y);
  for (blo_int j = 0; j < n; j++) {
    out[j] = y[j] - blo_array_dot(n, st->inverse + j * n, st->room_y);
  }
}

double rank_one_F(const void *state_, const double *x, const double *y)
{
  const rank_one_state *st = state_;

  (void)y;
  matrix_mul(st->base.n_y, st->base.n_x, st->Y, x, st->room_y);
  matrix_axpy(st->base.n_y, 1, st->y0, st->room_y);
  return rank_one_f(st, x, st->room_y);
}

void rank_one_F_x(const void *state_, const double *x, const double *y, double *out)
{
  const rank_one_state *st = state_;

  (void)y;
  matrix_mul(st->base.n_x, st->base.n_x, st->S, x, out);
  matrix_axpy(st->base.n_x, 1, st->r, out);
}

/** (1/2) q'S^+ q with q = grad F(x): no difference of large numbers. */
double rank_one_gap(const void *state_, const double *x, const double *y)
{
  const rank_one_state *st = state_;
  blo_int n = st->base.n_x;

  rank_one_F_x(st, x, y, st->room_x);
  return st->bounded ? 0.5 * matrix_form(n, n, st->S_inverse, st->room_x, st->room_x) : (double)NAN;
}

/** x - S^+ grad F(x); NAN if F has no minimum. */
void rank_one_nearest(const void *state_, const double *x, const double *y, double *out)
{
  const rank_one_state *st = state_;
  blo_int n = st->base.n_x;

  rank_one_F_x(st, x, y, st->room_x);
  for (blo_int k = 0; k < n; k++) {
    out[k] = st->bounded ? x[k] - blo_array_dot(n, st->S_inverse + k * n, st->room_x) : (double)NAN;
  }
}

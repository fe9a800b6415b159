/**
 * @file
 * A strongly convex quadratic for penalty methods (our own numbers, for the problem class of the
 * minimax reformulation of arXiv 2305.13153):
 *
 *     f(x, y) = (1/2) |y - t|^2 + (rho/2) |x|^2      g(x, y) = (1/2) y'A y - y'(B x + c)
 *
 * y* = A^-1 (B x + c) = J x + z with J = A^-1 B, z = A^-1 c, and
 *     F(x) = (1/2) |J x + z - t|^2 + (rho/2) |x|^2,   x* = -(J'J + rho I)^-1 J'(z - t).
 * The penalised problem min_{x,y} max_u f(x, y) + a (g(x, y) - g(x, u)) has the solution
 *     x_a = -(J'M J + rho I)^-1 J'M (z - t),  M = a A (I + a A)^-1,  y_a = (I + a A)^-1 (t + a (B
 * x_a + c)), so the error x_a - x* is O(1/a).
 *
 * scalar: A = a_scalar, B = 1, c = 0, t = 1: x* = A / (1 + rho A^2).
 * vector: A = U diag(1 ... 4) U', B with normal entries over sqrt(n_x), c and t normal.
 */
#include "analytic.h"
#include <math.h>
#include <string.h>

typedef struct options {
  analytic_options base;
  blo_int n_x, n_y;
  double A, t, rho;
  int kind;
} options;

typedef enum kind { KIND_SCALAR, KIND_VECTOR } kind;

typedef struct state {
  analytic base;
  const options *o;
  double *A, *B, *J;  /**< [n_y][n_y], [n_y][n_x], [n_y][n_x] */
  double *c, *t, *z;  /**< [n_y] */
  double *S, *best;   /**< [n_x][n_x] J'J + rho I; [n_x] x* */
  double *room_x;     /**< [n_x] */
  double *room, *res; /**< [n_y] */
} state;

enum { FAMILY_A = 1, FAMILY_B, FAMILY_C, FAMILY_T };

/* -------------------------------------------------------------- formulas */

/** st->room = B x + c. */
static void rhs(const state *st, const double *x)
{
  matrix_mul(st->base.n_y, st->base.n_x, st->B, x, st->room);
  matrix_axpy(st->base.n_y, 1, st->c, st->room);
}

static double g(const void *state_, const double *x, const double *y)
{
  const state *st = state_;
  blo_int n = st->base.n_y;

  rhs(st, x);
  return 0.5 * matrix_form(n, n, st->A, y, y) - blo_array_dot(n, y, st->room);
}

static void g_y(const void *state_, const double *x, const double *y, double *out)
{
  const state *st = state_;

  rhs(st, x);
  matrix_mul(st->base.n_y, st->base.n_y, st->A, y, out);
  matrix_axpy(st->base.n_y, -1, st->room, out);
}

static void hv(const void *state_, const double *x, const double *y, const double *v, double *out)
{
  const state *st = state_;

  (void)x;
  (void)y;
  matrix_mul(st->base.n_y, st->base.n_y, st->A, v, out);
}

static void jv(const void *state_, const double *x, const double *y, const double *v, double *out)
{
  const state *st = state_;

  (void)x;
  (void)y;
  matrix_mul_t(st->base.n_y, st->base.n_x, st->B, v, out);
  for (blo_int i = 0; i < st->base.n_x; i++) {
    out[i] = -out[i];
  }
}

/** g is bilinear in (x, y) but for a term in y alone, so grad_x g = J y. */
static void g_x(const void *state_, const double *x, const double *y, double *out)
{
  jv(state_, x, y, y, out);
}

static void f_y(const void *state_, const double *x, const double *y, double *out)
{
  const state *st = state_;

  (void)x;
  for (blo_int i = 0; i < st->base.n_y; i++) {
    out[i] = y[i] - st->t[i];
  }
}

static double f(const void *state_, const double *x, const double *y)
{
  const state *st = state_;

  f_y(st, x, y, st->res);
  return 0.5 * blo_array_dot(st->base.n_y, st->res, st->res) +
         0.5 * st->o->rho * blo_array_dot(st->base.n_x, x, x);
}

static void f_x(const void *state_, const double *x, const double *y, double *out)
{
  const state *st = state_;

  (void)y;
  for (blo_int i = 0; i < st->base.n_x; i++) {
    out[i] = st->o->rho * x[i];
  }
}

/* --------------------------------------------------------- known solution */

static void solve(const void *state_, const double *x, const double *y, double *out)
{
  const state *st = state_;

  (void)y;
  matrix_mul(st->base.n_y, st->base.n_x, st->J, x, out);
  matrix_axpy(st->base.n_y, 1, st->z, out);
}

/** grad F = J'(J x + z - t) + rho x. */
static void F_x(const void *state_, const double *x, const double *y, double *out)
{
  const state *st = state_;

  solve(st, x, y, st->res);
  matrix_axpy(st->base.n_y, -1, st->t, st->res);
  matrix_mul_t(st->base.n_y, st->base.n_x, st->J, st->res, out);
  matrix_axpy(st->base.n_x, st->o->rho, x, out);
}

static double gap(const void *state_, const double *x, const double *y)
{
  const state *st = state_;
  blo_int n = st->base.n_x;

  (void)y;
  for (blo_int i = 0; i < n; i++) {
    st->room_x[i] = x[i] - st->best[i];
  }
  return 0.5 * matrix_form(n, n, st->S, st->room_x, st->room_x);
}

static void nearest(const void *state_, const double *x, const double *y, double *out)
{
  const state *st = state_;

  (void)x;
  (void)y;
  memcpy(out, st->best, (size_t)st->base.n_x * sizeof *out);
}

static void start(const void *state_, double *x, double *y)
{
  const state *st = state_;

  memset(x, 0, (size_t)st->base.n_x * sizeof *x);
  memset(y, 0, (size_t)st->base.n_y * sizeof *y);
}

static const analytic_math math = {.quadratic = true, .gap = gap, ANALYTIC_FORMULAS};

/* ------------------------------------------------------------------ slots */

static blo_status make_room(blo_problem *p, state *st)
{
  blo_int n_x = p->n_x, n_y = p->n_y;

  BLO_TRY(blo_alloc(p->ctx, n_y * n_y, sizeof(double), &st->A));
  BLO_TRY(blo_alloc(p->ctx, n_y * n_x, sizeof(double), &st->B));
  BLO_TRY(blo_alloc(p->ctx, n_y * n_x, sizeof(double), &st->J));
  BLO_TRY(blo_alloc(p->ctx, n_y, sizeof(double), &st->c));
  BLO_TRY(blo_alloc(p->ctx, n_y, sizeof(double), &st->t));
  BLO_TRY(blo_alloc(p->ctx, n_y, sizeof(double), &st->z));
  BLO_TRY(blo_alloc(p->ctx, n_x * n_x, sizeof(double), &st->S));
  BLO_TRY(blo_alloc(p->ctx, n_x, sizeof(double), &st->best));
  BLO_TRY(blo_alloc(p->ctx, n_x, sizeof(double), &st->room_x));
  BLO_TRY(blo_alloc(p->ctx, n_y, sizeof(double), &st->room));
  return blo_alloc(p->ctx, n_y, sizeof(double), &st->res);
}

/** A, J and z of kind vector; J = A^-1 B with A^-1 = U diag(1 / lambda) U'. */
static blo_status fill_vector(blo_problem *p, state *st)
{
  blo_int n_x = p->n_x, n_y = p->n_y;
  uint64_t seed = (uint64_t)st->o->base.seed;
  double *u = NULL, *Au = NULL;

  BLO_TRY(blo_alloc(p->ctx, n_y * n_y, sizeof *u, &u));
  matrix_orthonormal(seed, FAMILY_A, n_y, n_y, u);
  matrix_normal(seed, FAMILY_C, 0, n_y, st->c);
  matrix_normal(seed, FAMILY_T, 0, n_y, st->t);
  matrix_normal(seed, FAMILY_B, 0, n_y * n_x, st->B);
  for (blo_int i = 0; i < n_y * n_x; i++) {
    st->B[i] /= sqrt((double)n_x);
  }
  for (blo_int k = 0; k < n_y; k++) {
    double lambda = matrix_linear(1, 4, k, n_y);
    Au = u + k * n_y;
    matrix_add_outer(n_y, n_y, lambda, Au, Au, st->A);
    matrix_mul_t(n_y, n_x, st->B, Au, st->room_x);
    matrix_add_outer(n_y, n_x, 1 / lambda, Au, st->room_x, st->J);
    matrix_axpy(n_y, blo_array_dot(n_y, Au, st->c) / lambda, Au, st->z);
  }
  blo_free(p->ctx, &u);
  return BLO_OK;
}

static blo_status fill(blo_problem *p, state *st)
{
  BLO_TRY(make_room(p, st));
  if (st->o->kind == KIND_VECTOR) {
    return fill_vector(p, st);
  }
  st->A[0] = st->o->A;
  st->B[0] = 1;
  st->J[0] = 1 / st->o->A;
  st->t[0] = st->o->t;
  return BLO_OK;
}

/** S = J'J + rho I and x* = -S^-1 J'(z - t). Collective. */
static blo_status find_best(blo_problem *p, state *st)
{
  blo_int n = p->n_x;
  blo_status status = BLO_OK;
  double *inverse = NULL;

  BLO_GO_ALL(p->comm, blo_alloc(p->ctx, n * n, sizeof *inverse, &inverse));
  for (blo_int k = 0; k < p->n_y; k++) {
    matrix_add_outer(n, n, 1, st->J + k * n, st->J + k * n, st->S);
  }
  for (blo_int i = 0; i < n; i++) {
    st->S[i * n + i] += st->o->rho;
  }
  BLO_GO(matrix_pinv(p, n, st->S, inverse, NULL));
  for (blo_int i = 0; i < p->n_y; i++) {
    st->res[i] = st->t[i] - st->z[i];
  }
  matrix_mul_t(p->n_y, n, st->J, st->res, st->room_x);
  matrix_mul(n, n, inverse, st->room_x, st->best);
done:
  blo_free(p->ctx, &inverse);
  return status;
}

static blo_status setup(blo_problem *p)
{
  state *st = p->state;
  bool scalar;

  st->o = p->options;
  scalar = st->o->kind == KIND_SCALAR;
  BLO_TRY(analytic_setup(p, scalar ? 1 : st->o->n_x, scalar ? 1 : st->o->n_y, &math));
  BLO_TRY(blo_agree(p->comm, fill(p, st)));
  return find_best(p, st);
}

static void teardown(blo_problem *p)
{
  state *st = p->state;
  double **const all[] = {&st->A, &st->B,    &st->J,      &st->c,    &st->t,  &st->z,
                          &st->S, &st->best, &st->room_x, &st->room, &st->res};

  analytic_teardown(p);
  for (blo_int i = 0; i < BLO_COUNT_OF(all); i++) {
    blo_free(p->ctx, all[i]);
  }
}

static const char *const kind_names[] = {"scalar", "vector", NULL};

static const blo_opt_row rows[] = {
    BLO_OPT_NAMES(options, kind, "vector", kind_names,
                  "one number on each level, or vectors with random matrices", "", 0),
    BLO_OPT(options, n_x, "8", 1, 2000, "-", "entries of x, for kind vector", "", 0),
    BLO_OPT(options, n_y, "12", 1, 2000, "-", "entries of y, for kind vector", "", 0),
    BLO_OPT(options, A, "2", 0, 1e6, "-", "A of kind scalar", "", BLO_OPT_OPEN_LOW),
    BLO_OPT(options, t, "1", -1e6, 1e6, "-", "t of kind scalar", "", 0),
    BLO_OPT(options, rho, "0.1", 0, 1e6, "-", "weight of |x|^2 / 2 in f", "", BLO_OPT_OPEN_LOW),
    ANALYTIC_ROWS(options),
};

static const blo_opt_table table =
    BLO_OPT_TABLE("penalty_quadratic", "a quadratic for penalty methods", options, rows);

const blo_problem_type blo_problem_penalty_quadratic = {
    .name = "penalty_quadratic",
    .summary = "known solution: quadratic whose penalised solutions are known too",
    .source = "own; problem class of arXiv 2305.13153",
    .state_size = sizeof(state),
    .options = &table,
    .setup = setup,
    .teardown = teardown,
    ANALYTIC_SLOTS,
};

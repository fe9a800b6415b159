/**
 * @file Cholesky and LU factors of distributed symmetric matrices.
 *
 * Cholesky needs the lower triangle only, so the upper one and a copy of the diagonal suffice to
 * bring the matrix back: trying whether a matrix is positive definite takes no second matrix.
 *
 * pdpotrf does not look for NaNs: it may report success with NaNs in its factor. So the 1-norm,
 * which the condition number needs anyway, and the diagonal of the factor are looked at as well.
 *
 * The norm of the inverse is estimated by LAPACK's dlacn2 (Higham 1988, ACM Trans. Math. Softw. 14,
 * 381-396), which asks for a few solves. pdpocon and pdgecon do the same with ScaLAPACK's pdlacon,
 * but that forgets its estimate between calls (2.2.1) and returns a much too small one.
 */
#include "dense_private.h"
#include "scalapack.h"
#include <math.h>
#include <string.h>

struct blo_factor {
  blo_dense *a;
  blo_dense *rhs;   /**< [n][n_rhs] right-hand sides, in blocks */
  double *diagonal; /**< [diagonal_most()] of a, before Cholesky */
  int *pivots;      /**< [m_local + block] of LU */
  double *x, *v;    /**< [n] of dlacn2, replicated */
  int *signs;       /**< [n] likewise */
  blo_factor_kind kind;
  blo_int failed_minor;
  double norm; /**< 1-norm of what the factors are of */
};

static const int ONE = 1;

/* ------------------------------------------------------------------- room */

/** Entries of the diagonal on a rank with np rows and nq columns are these at most, pivots these.
 */
static blo_int diagonal_most(blo_int np, blo_int nq)
{
  return np < nq ? np : nq;
}

static blo_int n_pivots(const blo_grid *g, blo_int np)
{
  return np + g->rows.block;
}

blo_int blo_factor_bytes(const blo_grid *g, blo_int n, blo_int n_rhs)
{
  blo_int np = axis_count(g->rows, 0, n), nq = axis_count(g->cols, 0, n);

  return blo_dense_bytes(g, n, n_rhs) + (diagonal_most(np, nq) + 2 * n) * (blo_int)sizeof(double) +
         (n_pivots(g, np) + n) * (blo_int)sizeof(int);
}

/* ------------------------------------------------------------------- life */

/** All but the right-hand sides. Local. */
static blo_status make(blo_dense *a, blo_factor **out)
{
  blo_context *ctx = a->grid->ctx;
  blo_factor *f;

  BLO_TRY(blo_alloc(ctx, 1, sizeof *f, out));
  f = *out;
  f->a = a;
  BLO_TRY(blo_alloc(ctx, diagonal_most(a->m_local, a->n_local), sizeof *f->diagonal, &f->diagonal));
  BLO_TRY(blo_alloc(ctx, n_pivots(a->grid, a->m_local), sizeof *f->pivots, &f->pivots));
  BLO_TRY(blo_alloc(ctx, a->n, sizeof *f->x, &f->x));
  BLO_TRY(blo_alloc(ctx, a->n, sizeof *f->v, &f->v));
  return blo_alloc(ctx, a->n, sizeof *f->signs, &f->signs);
}

blo_status blo_factor_create(blo_dense *a, blo_int n_rhs, blo_factor **out)
{
  blo_grid *g = a->grid;
  blo_status status = BLO_OK;
  blo_factor *f = NULL;

  BLO_BUG_IF(a->m != a->n, "factors of a matrix that is not square");
  BLO_GO(dense_check_size(g, n_rhs * a->n, "the right-hand sides"));
  BLO_GO_ALL(g->comm, make(a, &f));
  BLO_GO(blo_dense_create(g, a->n, n_rhs, &f->rhs));
  *out = f;
  f = NULL;
done:
  blo_factor_destroy(&f);
  return status;
}

void blo_factor_destroy(blo_factor **factor)
{
  blo_factor *f = *factor;

  if (f != NULL) {
    blo_context *ctx = f->a->grid->ctx;
    blo_dense_destroy(&f->rhs);
    blo_free(ctx, &f->diagonal);
    blo_free(ctx, &f->pivots);
    blo_free(ctx, &f->x);
    blo_free(ctx, &f->v);
    blo_free(ctx, &f->signs);
    blo_free(ctx, factor);
  }
}

void blo_factor_forget(blo_factor *f)
{
  f->kind = BLO_FACTOR_NONE;
}

blo_factor_kind blo_factor_which(const blo_factor *f)
{
  return f->kind;
}

double blo_factor_norm(const blo_factor *f)
{
  return f->norm;
}

blo_int blo_factor_failed_minor(const blo_factor *f)
{
  return f->failed_minor;
}

/* ----------------------------------------------------------- the diagonal */

/** This rank's next entry of the diagonal, from local column *j on; NULL after the last. */
static double *next_on_diagonal(const blo_dense *a, blo_int *j)
{
  const axis rows = a->grid->rows;

  while (*j < a->n_local) {
    blo_int column = (*j)++, i = axis_global(a->grid->cols, column);
    if (axis_owner(rows, i) == rows.me) {
      return dense_at(a, axis_local(rows, i), column);
    }
  }
  return NULL;
}

static void save_diagonal(blo_factor *f)
{
  blo_int j = 0, k = 0;

  for (double *d = next_on_diagonal(f->a, &j); d != NULL; d = next_on_diagonal(f->a, &j)) {
    f->diagonal[k++] = *d;
  }
}

static void restore_diagonal(blo_factor *f)
{
  blo_int j = 0, k = 0;

  for (double *d = next_on_diagonal(f->a, &j); d != NULL; d = next_on_diagonal(f->a, &j)) {
    *d = f->diagonal[k++];
  }
}

static bool diagonal_finite(const blo_dense *a)
{
  blo_int j = 0;

  for (double *d = next_on_diagonal(a, &j); d != NULL; d = next_on_diagonal(a, &j)) {
    if (!isfinite(*d)) {
      return false;
    }
  }
  return true;
}

/* ---------------------------------------------------------------- factors */

/**
 * What all ranks make of `info`, those outside the grid too: 0, or the place of the failure. A
 * factor that is not finite counts as a failure at n + 1. Collective.
 */
static blo_int agree_on(const blo_factor *f, int info)
{
  BLO_BUG_IF(info < 0, "ScaLAPACK refuses argument %d", -info);
  bool broken = info == 0 && !diagonal_finite(f->a);
  return (blo_int)blo_max_all(f->a->grid->comm, broken ? (double)(f->a->n + 1) : info);
}

/** 0, the leading minor that is not positive, or n + 1 for something that is not finite.
 *  Collective. */
static blo_int try_cholesky(blo_factor *f)
{
  blo_dense *a = f->a;
  const int n = (int)a->n;
  int info = 0;

  if (!isfinite(f->norm)) {
    return a->n + 1;
  }
  if (blo_grid_inside(a->grid)) {
    pdpotrf_("L", &n, a->data, &ONE, &ONE, a->desc, &info, 1);
  }
  return agree_on(f, info);
}

void blo_factor_cholesky(blo_factor *f, double shift, bool *definite)
{
  BLO_BUG_IF(f->kind != BLO_FACTOR_NONE, "the matrix is factorised already");
  save_diagonal(f);
  blo_dense_shift(shift, f->a);
  f->norm = blo_dense_norm_one(f->a);
  f->failed_minor = try_cholesky(f);
  *definite = f->failed_minor == 0;
  f->kind = BLO_FACTOR_CHOLESKY;
  if (!*definite) {
    blo_factor_undo(f);
  }
}

blo_status blo_factor_lu(blo_factor *f)
{
  blo_dense *a = f->a;
  const int n = (int)a->n;
  int info = 0;

  BLO_BUG_IF(f->kind != BLO_FACTOR_NONE, "the matrix is factorised already");
  f->norm = blo_dense_norm_one(a);
  BLO_CHECK(a->grid->ctx, isfinite(f->norm), BLO_E_NONFINITE,
            "the matrix [%d][%d] to be factorised is not finite", n, n);
  if (blo_grid_inside(a->grid)) {
    pdgetrf_(&n, &n, a->data, &ONE, &ONE, a->desc, f->pivots, &info);
  }
  blo_int failed = agree_on(f, info);
  BLO_CHECK(a->grid->ctx, failed <= n, BLO_E_NONFINITE,
            "the LU factors of the matrix [%d][%d] are not finite", n, n);
  BLO_CHECK(a->grid->ctx, failed == 0, BLO_E_CURVATURE,
            "the matrix [%d][%d] is singular: pivot %lld is zero", n, n, (long long)failed);
  f->kind = BLO_FACTOR_LU;
  return BLO_OK;
}

void blo_factor_undo(blo_factor *f)
{
  BLO_BUG_IF(f->kind != BLO_FACTOR_CHOLESKY, "no Cholesky factors to undo");
  restore_diagonal(f);
  blo_dense_mirror(f->a, false);
  f->kind = BLO_FACTOR_NONE;
}

/* ----------------------------------------------------------------- solves */

/** The right-hand sides from replicated vectors, or this rank's part of the solutions to them. */
static void move_rhs(const blo_dense *rhs, blo_int n_rhs, bool in, double *b)
{
  for (blo_int j = 0; j < rhs->n_local; j++) {
    blo_int k = axis_global(rhs->grid->cols, j);
    for (blo_int i = 0; i < rhs->m_local && k < n_rhs; i++) {
      double *mine = dense_at(rhs, i, j);
      double *there = b + k * rhs->m + axis_global(rhs->grid->rows, i);
      *(in ? mine : there) = *(in ? there : mine);
    }
  }
}

static void solve_inside(const blo_factor *f, int n_rhs)
{
  const blo_dense *a = f->a, *rhs = f->rhs;
  const int n = (int)a->n;
  int info = 0;

  if (f->kind == BLO_FACTOR_CHOLESKY) {
    pdpotrs_("L", &n, &n_rhs, a->data, &ONE, &ONE, a->desc, rhs->data, &ONE, &ONE, rhs->desc, &info,
             1);
  } else {
    pdgetrs_("N", &n, &n_rhs, a->data, &ONE, &ONE, a->desc, f->pivots, rhs->data, &ONE, &ONE,
             rhs->desc, &info, 1);
  }
  BLO_BUG_IF(info != 0, "ScaLAPACK refuses argument %d of a solve", -info);
}

void blo_factor_solve(const blo_factor *f, blo_int n_rhs, double *b)
{
  const blo_grid *g = f->a->grid;

  BLO_BUG_IF(f->kind == BLO_FACTOR_NONE, "a solve without factors");
  BLO_BUG_IF(n_rhs < 0 || n_rhs > f->rhs->n, "%lld right-hand sides, and room for %lld",
             (long long)n_rhs, (long long)f->rhs->n);
  if (blo_grid_inside(g)) {
    move_rhs(f->rhs, n_rhs, true, b);
    solve_inside(f, (int)n_rhs);
  }
  memset(b, 0, (size_t)(n_rhs * f->a->n) * sizeof *b);
  move_rhs(f->rhs, n_rhs, false, b);
  grid_sum(g, b, n_rhs * f->a->n);
}

/** 1 / (|A| |A^-1|); the inverse is symmetric as A is, so dlacn2 need not say which of the two it
 *  asks for. All ranks have the same numbers and make the same decisions. */
double blo_factor_rcond(blo_factor *f)
{
  const int n = (int)f->a->n;
  int next = 0, state[3] = {0, 0, 0};
  double inverse = 0;

  BLO_BUG_IF(f->kind == BLO_FACTOR_NONE, "a condition number without factors");
  dlacn2_(&n, f->v, f->x, f->signs, &inverse, &next, state);
  while (next != 0) {
    blo_factor_solve(f, 1, f->x);
    dlacn2_(&n, f->v, f->x, f->signs, &inverse, &next, state);
  }
  return isfinite(inverse) ? 1 / inverse / f->norm : 0;
}

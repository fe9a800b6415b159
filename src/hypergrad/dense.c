/**
 * @file The hypergradient by a dense direct solution of H v = grad_y f; see hypergrad.h. H is
 * assembled and factorised at the root alone, so that v has the same bits on every rank and the
 * others need no room for it.
 */
#include <blo/hypergrad.h>
#include <limits.h>
#include <math.h>
#include <string.h>

/* LAPACK, with Fortran's hidden lengths of character arguments. */
extern void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info,
                    size_t n_uplo);
extern void dpotrs_(const char *uplo, const int *n, const int *nrhs, const double *a,
                    const int *lda, double *b, const int *ldb, int *info, size_t n_uplo);
extern void dpocon_(const char *uplo, const int *n, const double *a, const int *lda,
                    const double *anorm, double *rcond, double *work, int *iwork, int *info,
                    size_t n_uplo);
extern double dlansy_(const char *norm, const char *uplo, const int *n, const double *a,
                      const int *lda, double *work, size_t n_norm, size_t n_uplo);
extern void dsysv_(const char *uplo, const int *n, const int *nrhs, double *a, const int *lda,
                   int *ipiv, double *b, const int *ldb, double *work, const int *lwork, int *info,
                   size_t n_uplo);
extern void dsycon_(const char *uplo, const int *n, const double *a, const int *lda,
                    const int *ipiv, const double *anorm, double *rcond, double *work, int *iwork,
                    int *info, size_t n_uplo);

enum { WORK_PER_ROW = 64 }; /**< room for blocks of 64 columns in dsysv */

typedef struct dense {
  blo_eval *eval;
  const blo_vec *x, *y;
  blo_vec *f_x, *f_y, *jv;
  blo_int n_v;                                             /**< columns found at once */
  blo_vec *v[BLO_DIRECTIONS_MAX], *hv[BLO_DIRECTIONS_MAX]; /**< [n_v] */
  double *H;    /**< at the root: [n][n], column j is H e_j */
  double *copy; /**< at the root: [n][n] a copy, for the second factorisation */
  double *rhs;  /**< at the root: [n] grad_y f, then v */
  double *work; /**< at the root: [WORK_PER_ROW * n] */
  int *iwork;   /**< at the root: [2][n] pivots and LAPACK's room */
} dense;

static blo_status make_root(dense *d, blo_int n)
{
  blo_context *ctx = blo_eval_problem(d->eval)->ctx;

  BLO_CHECK(ctx, n <= INT_MAX / WORK_PER_ROW, BLO_E_SHAPE,
            "n_y = %lld is too large for a dense Hessian", (long long)n);
  BLO_TRY(blo_alloc(ctx, n * n, sizeof *d->H, &d->H));
  BLO_TRY(blo_alloc(ctx, n * n, sizeof *d->copy, &d->copy));
  BLO_TRY(blo_alloc(ctx, n, sizeof *d->rhs, &d->rhs));
  BLO_TRY(blo_alloc(ctx, n, WORK_PER_ROW * sizeof *d->work, &d->work));
  return blo_alloc(ctx, n, 2 * sizeof *d->iwork, &d->iwork);
}

static blo_status make(dense *d)
{
  blo_space *space_x = blo_eval_space_x(d->eval), *space_y = blo_eval_space_y(d->eval);
  const blo_problem *p = blo_eval_problem(d->eval);

  d->n_v = p->n_y < BLO_DIRECTIONS_MAX ? p->n_y : BLO_DIRECTIONS_MAX;
  BLO_TRY(blo_eval_reserve(d->eval, p->n_lower, d->n_v));
  BLO_TRY(blo_vec_create(space_x, &d->f_x));
  BLO_TRY(blo_vec_create(space_x, &d->jv));
  BLO_TRY(blo_vec_create(space_y, &d->f_y));
  for (blo_int i = 0; i < d->n_v; i++) {
    BLO_TRY(blo_vec_create(space_y, &d->v[i]));
    BLO_TRY(blo_vec_create(space_y, &d->hv[i]));
  }
  return blo_comm_rank(p->comm) == BLO_ROOT ? make_root(d, p->n_y) : BLO_OK;
}

static void free_all(dense *d)
{
  blo_context *ctx = blo_eval_problem(d->eval)->ctx;

  blo_vec_destroy(&d->f_x);
  blo_vec_destroy(&d->jv);
  blo_vec_destroy(&d->f_y);
  for (blo_int i = 0; i < d->n_v; i++) {
    blo_vec_destroy(&d->v[i]);
    blo_vec_destroy(&d->hv[i]);
  }
  blo_free(ctx, &d->H);
  blo_free(ctx, &d->copy);
  blo_free(ctx, &d->rhs);
  blo_free(ctx, &d->work);
  blo_free(ctx, &d->iwork);
}

/** d->hv[i] = H d->v[i] for the first n_v. Collective. */
static blo_status products(dense *d, blo_int n_v, bool linearized)
{
  blo_ask ask = {.lower = BLO_WANT_HV, .x = d->x, .y = d->y, .n_v = n_v, .linearized = linearized};
  blo_answer answer = {.g = 0};

  for (blo_int i = 0; i < n_v; i++) {
    ask.v[i] = d->v[i];
    answer.hv[i] = d->hv[i];
  }
  return blo_eval_sweep(d->eval, &ask, &answer);
}

/** d->jv = J d->v[0]. Collective. */
static blo_status cross_product(dense *d)
{
  blo_ask ask = {.lower = BLO_WANT_JV, .x = d->x, .y = d->y, .n_v = 1, .v = {d->v[0]}};
  blo_answer answer = {.jv = {d->jv}};

  BLO_TRY(blo_eval_sweep(d->eval, &ask, &answer));
  return blo_eval_settle(d->eval);
}

/** v = e_j. */
static void set_unit(blo_vec *v, blo_int j)
{
  blo_int own = j - blo_space_first(v->space);

  blo_vec_fill(v, 0);
  if (own >= 0 && own < blo_space_n_local(v->space)) {
    v->data[own] = 1;
  }
}

static blo_status linearize(dense *d)
{
  blo_ask ask = {.lower = BLO_WANT_VALUE, .x = d->x, .y = d->y, .linearize = true};
  blo_answer answer = {.g = 0};

  return blo_eval_sweep(d->eval, &ask, &answer);
}

/** Collective. */
static blo_status assemble(dense *d)
{
  blo_int n = blo_space_n(d->f_y->space);
  bool fast = blo_eval_can_linearize(d->eval);

  if (fast) {
    BLO_TRY(linearize(d));
  }
  for (blo_int j = 0; j < n; j += d->n_v) {
    blo_int n_v = n - j < d->n_v ? n - j : d->n_v;
    for (blo_int i = 0; i < n_v; i++) {
      set_unit(d->v[i], j + i);
    }
    BLO_TRY(products(d, n_v, fast));
    for (blo_int i = 0; i < n_v; i++) {
      blo_vec_gather(d->hv[i], d->H != NULL ? d->H + (j + i) * n : NULL);
    }
  }
  return blo_eval_settle(d->eval);
}

/** v = H^-1 v by Cholesky factors in place. @return false if H is not positive definite */
static bool solve_definite(dense *d, int n, double norm, double *v, double *rcond)
{
  const int one = 1;
  int info;

  dpotrf_("L", &n, d->H, &n, &info, 1);
  if (info > 0) {
    return false;
  }
  dpotrs_("L", &n, &one, d->H, &n, v, &n, &info, 1);
  dpocon_("L", &n, d->H, &n, &norm, rcond, d->work, d->iwork, &info, 1);
  return true;
}

/** The same by symmetric indefinite factors of the copy; rcond is negated. */
static blo_status solve_indefinite(dense *d, int n, double norm, double *v, double *rcond)
{
  const int one = 1, n_work = WORK_PER_ROW * n;
  int info, *pivot = d->iwork + n;

  dsysv_("L", &n, &one, d->copy, &n, pivot, v, &n, d->work, &n_work, &info, 1);
  BLO_CHECK(blo_eval_problem(d->eval)->ctx, info == 0, BLO_E_CURVATURE,
            "the dense Hessian is singular: pivot %d of %d is 0", info, n);
  dsycon_("L", &n, d->copy, &n, pivot, &norm, rcond, d->work, d->iwork, &info, 1);
  *rcond = -*rcond;
  return BLO_OK;
}

/** Root only. */
static blo_status solve_at_root(dense *d, int n, double *v, double *rcond)
{
  double norm = dlansy_("1", "L", &n, d->H, &n, d->work, 1, 1);

  memcpy(d->copy, d->H, (size_t)n * (size_t)n * sizeof *d->H);
  return solve_definite(d, n, norm, v, rcond) ? BLO_OK : solve_indefinite(d, n, norm, v, rcond);
}

/** d->v[0] = H^-1 grad_y f, the same bits on every rank. Collective. */
static blo_status solve(dense *d, double *rcond)
{
  blo_comm *comm = blo_eval_problem(d->eval)->comm;
  blo_status at_root = BLO_OK;

  blo_vec_gather(d->f_y, d->rhs);
  if (d->H != NULL) {
    at_root = solve_at_root(d, (int)blo_space_n(d->f_y->space), d->rhs, rcond);
  }
  BLO_TRY(blo_agree_from(comm, BLO_ROOT, at_root));
  blo_vec_scatter(d->rhs, d->v[0]);
  blo_bcast(comm, BLO_ROOT, rcond, sizeof *rcond);
  return BLO_OK;
}

blo_status blo_dense_hypergradient(blo_eval *eval, const blo_vec *x, const blo_vec *y, blo_vec *hx,
                                   double *rcond)
{
  dense d = {.eval = eval, .x = x, .y = y};
  blo_ask ask = {.upper = BLO_WANT_X | BLO_WANT_Y, .x = x, .y = y};
  blo_answer answer = {.g = 0};
  blo_status status = BLO_OK;
  double reciprocal = 0;

  BLO_GO_ALL(blo_eval_problem(eval)->comm, make(&d));
  answer.f_x = d.f_x;
  answer.f_y = d.f_y;
  BLO_GO(blo_eval_sweep(eval, &ask, &answer));
  BLO_GO(assemble(&d));
  BLO_GO(solve(&d, &reciprocal));
  BLO_GO(cross_product(&d));
  blo_vec_copy(d.f_x, hx);
  blo_vec_axpy(-1, d.jv, hx);
  if (rcond != NULL) {
    *rcond = reciprocal;
  }
done:
  free_all(&d);
  return status;
}

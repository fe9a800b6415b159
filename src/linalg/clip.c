/**
 * @file The projection of a symmetric matrix on {mu <= eigenvalues <= L}.
 *
 * With A = Z diag(l) Z', the nearest matrix in Frobenius' norm is Z diag(c) Z', c_i the nearest
 * number in [mu, L] (Higham 1988, Linear Algebra Appl. 103, 103-118, for L infinite). Where the
 * changes c - l are not large compared with L, it is made as A + Z diag(c - l) Z' from the
 * eigenvectors of the changed ones alone: what is not clipped then keeps its digits. Else the
 * rounding errors of that sum, of the size of the largest l, could leave [mu, L], and it is made
 * from all eigenvectors. Both are sums of k columns' products, one pdsyrk for each run of weights
 * of one sign: Z diag(weight) Z' = +-(Z |weight|^(1/2)) (Z |weight|^(1/2))'.
 *
 * Most clips change nothing, once a lower level is strongly convex. Two Cholesky factorisations
 * show that, and cost a small part of the eigenvalues.
 */
#include "dense_private.h"
#include "scalapack.h"
#include <float.h>
#include <math.h>

const char *const blo_clip_mode_names[] = {"eig", "svd", NULL};

struct blo_clip {
  blo_dense *a;
  blo_dense *z;       /**< eigenvectors */
  blo_dense *scratch; /**< a copy of a while it has factors, or for the eigenvalues; then scaled
                           eigenvectors */
  blo_factor *factor; /**< of a */
  blo_eigen *eigen;
  double *before, *after; /**< [n] eigenvalues */
  double *weight;         /**< [n] */
  double *coefficient;    /**< [n] of a right-hand side in the eigenvectors */
  double mu;              /**< of the last clip */
  blo_clip_report report;
};

/* ------------------------------------------------------------------- life */

/** All but what is made of matrices. Local. */
static blo_status make(blo_dense *a, blo_clip **out)
{
  blo_context *ctx = a->grid->ctx;
  blo_clip *c;

  BLO_TRY(blo_alloc(ctx, 1, sizeof *c, out));
  c = *out;
  c->a = a;
  c->report.least = c->report.most = (double)NAN;
  BLO_TRY(blo_alloc(ctx, a->n, sizeof *c->before, &c->before));
  BLO_TRY(blo_alloc(ctx, a->n, sizeof *c->after, &c->after));
  BLO_TRY(blo_alloc(ctx, a->n, sizeof *c->weight, &c->weight));
  return blo_alloc(ctx, a->n, sizeof *c->coefficient, &c->coefficient);
}

blo_status blo_clip_create(blo_dense *a, blo_clip **out)
{
  blo_grid *g = a->grid;
  blo_status status = BLO_OK;
  blo_clip *c = NULL;

  BLO_BUG_IF(a->m != a->n, "clipping a matrix that is not square");
  BLO_GO_ALL(g->comm, make(a, &c));
  BLO_GO(blo_dense_create(g, a->n, a->n, &c->z));
  BLO_GO(blo_dense_create(g, a->n, a->n, &c->scratch));
  BLO_GO(blo_factor_create(a, 1, &c->factor));
  BLO_GO(blo_eigen_create(g, a->n, &c->eigen));
  *out = c;
  c = NULL;
done:
  blo_clip_destroy(&c);
  return status;
}

void blo_clip_destroy(blo_clip **clip)
{
  blo_clip *c = *clip;

  if (c != NULL) {
    blo_context *ctx = c->a->grid->ctx;
    blo_eigen_destroy(&c->eigen);
    blo_factor_destroy(&c->factor);
    blo_dense_destroy(&c->scratch);
    blo_dense_destroy(&c->z);
    blo_free(ctx, &c->before);
    blo_free(ctx, &c->after);
    blo_free(ctx, &c->weight);
    blo_free(ctx, &c->coefficient);
    blo_free(ctx, clip);
  }
}

blo_int blo_clip_bytes(const blo_grid *g, blo_int n)
{
  return 2 * blo_dense_bytes(g, n, n) + blo_factor_bytes(g, n, 1) + blo_eigen_bytes(g, n) +
         4 * n * (blo_int)sizeof(double);
}

blo_clip_report blo_clip_last(const blo_clip *c)
{
  return c->report;
}

/* --------------------------------------------------------------- inactive */

/** True if s a + shift I has Cholesky factors, s = 1 or -1; a is as it was: the scratch matrix
 * keeps it, for blo_factor_undo() may change the sign of a zero. Collective. */
static bool is_definite(blo_clip *c, double s, double shift)
{
  bool definite;

  blo_dense_copy(c->a, c->scratch);
  blo_dense_scale(s, c->a);
  blo_factor_cholesky(c->factor, shift, &definite);
  blo_factor_forget(c->factor);
  blo_dense_copy(c->scratch, c->a);
  return definite;
}

/** True if all eigenvalues are shown to be in [mu, L]. Both norms are bounds of the largest one. */
static bool is_inside(blo_clip *c, double norm_one, double mu, double L)
{
  return is_definite(c, 1, -mu) &&
         (norm_one <= L || blo_dense_norm_frobenius(c->a) <= L || is_definite(c, -1, L));
}

/* --------------------------------------------------------------- spectrum */

static double clipped(double l, double mu, double L, blo_clip_mode mode)
{
  double size = mode == BLO_CLIP_SVD ? fabs(l) : l;
  double nearest = fmin(fmax(size, mu), L);

  return mode == BLO_CLIP_SVD && l < 0 ? -nearest : nearest;
}

/** Eigenvalues of this size or less are 0 up to rounding errors, and their sign means nothing. */
static double rounding(const blo_clip *c)
{
  blo_int n = c->a->n;

  return (double)n * DBL_EPSILON * fmax(fabs(c->before[0]), fabs(c->before[n - 1]));
}

/** The eigenvalues after the clip, and what is to be reported of those before. */
static void clip_eigenvalues(blo_clip *c, double mu, double L, blo_clip_mode mode)
{
  blo_clip_report *r = &c->report;
  double zero = rounding(c);
  blo_int n = c->a->n;

  r->below = r->above = r->negative = 0;
  for (blo_int k = 0; k < n; k++) {
    double l = fabs(c->before[k]) <= zero ? 0 : c->before[k];
    double size = mode == BLO_CLIP_SVD ? fabs(l) : l;
    c->after[k] = clipped(l, mu, L, mode);
    r->below += size < mu;
    r->above += size > L;
    r->negative += l < 0;
  }
  r->least = c->before[0];
  r->most = c->before[n - 1];
}

/** Column k of the scratch matrix = that of z, times the root of |weight_k|. Local. */
static void scale_columns(blo_clip *c)
{
  for (blo_int j = 0; j < c->z->n_local; j++) {
    double root = sqrt(fabs(c->weight[axis_global(c->z->grid->cols, j)]));
    for (blo_int i = 0; i < c->z->m_local; i++) {
      *dense_at(c->scratch, i, j) = root * *dense_at(c->z, i, j);
    }
  }
}

/** The lower triangle of a gets +-S S' added, S being columns [first, end) of the scratch matrix.
 */
static void add_run(blo_clip *c, blo_int first, blo_int end, double sign)
{
  const int n = (int)c->a->n, k = (int)(end - first), one = 1, column = (int)first + 1;
  const double plus = 1;

  if (blo_grid_inside(c->a->grid)) {
    pdsyrk_("L", "N", &n, &k, &sign, c->scratch->data, &one, &column, c->scratch->desc, &plus,
            c->a->data, &one, &one, c->a->desc, 1, 1);
  }
}

static int sign_of(double x)
{
  return (x > 0) - (x < 0);
}

/** a = a + Z diag(weight) Z', exactly symmetric; nothing if all weights are 0. Collective. */
static void add_weighted(blo_clip *c)
{
  blo_int n = c->a->n, first = 0;
  bool any = false;

  scale_columns(c);
  while (first < n) {
    int sign = sign_of(c->weight[first]);
    blo_int end = first + 1;
    while (end < n && sign_of(c->weight[end]) == sign) {
      end++;
    }
    if (sign != 0) {
      add_run(c, first, end, sign);
      any = true;
    }
    first = end;
  }
  if (any) {
    blo_dense_mirror(c->a, true);
  }
}

/** a is changed or made anew, see above. */
static void rebuild(blo_clip *c, double L)
{
  blo_int n = c->a->n;
  double largest = 0;

  for (blo_int k = 0; k < n; k++) {
    c->weight[k] = c->after[k] - c->before[k];
    largest = fmax(largest, fabs(c->weight[k]));
  }
  if (largest > 2 * L) {
    blo_dense_fill(0, c->a);
    for (blo_int k = 0; k < n; k++) {
      c->weight[k] = c->after[k];
    }
  }
  add_weighted(c);
}

static blo_status clip_spectrum(blo_clip *c, double mu, double L, blo_clip_mode mode)
{
  blo_dense_copy(c->a, c->scratch);
  BLO_TRY(blo_eigen_solve(c->eigen, c->scratch, c->before, c->z));
  clip_eigenvalues(c, mu, L, mode);
  rebuild(c, L);
  return BLO_OK;
}

/* ------------------------------------------------------------------ public */

blo_status blo_clip_apply(blo_clip *c, double mu, double L, blo_clip_mode mode)
{
  blo_clip_report *r = &c->report;
  double norm = blo_dense_norm_one(c->a);

  BLO_BUG_IF(!(mu > 0 && mu <= L), "clipping to [%g, %g]", mu, L);
  BLO_BUG_IF(blo_factor_which(c->factor) != BLO_FACTOR_NONE, "clipping a matrix before release");
  r->path = BLO_CLIP_NONE;
  BLO_CHECK(c->a->grid->ctx, isfinite(norm), BLO_E_NONFINITE,
            "the matrix [%lld][%lld] to be clipped is not finite", (long long)c->a->n,
            (long long)c->a->n);
  c->mu = mu;
  if (is_inside(c, norm, mu, L)) {
    r->below = r->above = r->negative = 0;
    r->least = r->most = (double)NAN;
    r->path = BLO_CLIP_INACTIVE;
    r->inactive++;
    return BLO_OK;
  }
  BLO_TRY(clip_spectrum(c, mu, L, mode));
  r->path = BLO_CLIP_SPECTRUM;
  r->spectrum++;
  return BLO_OK;
}

/** Cholesky factors of a, whose a - mu I had some. If mu is below the rounding errors, a itself may
 *  have none; then a multiple of mu is below them too. The scratch matrix keeps a. Collective. */
static void factorise(blo_clip *c)
{
  bool definite;

  blo_dense_copy(c->a, c->scratch);
  blo_factor_cholesky(c->factor, 0, &definite);
  for (double shift = c->mu; !definite; shift *= 2) {
    BLO_BUG_IF(!isfinite(shift), "the clipped matrix has been changed before a solve");
    blo_factor_cholesky(c->factor, shift, &definite);
  }
}

void blo_clip_solve(blo_clip *c, double *b)
{
  BLO_BUG_IF(c->report.path == BLO_CLIP_NONE, "a solve before the matrix is clipped");
  if (c->report.path == BLO_CLIP_INACTIVE) {
    if (blo_factor_which(c->factor) == BLO_FACTOR_NONE) {
      factorise(c);
    }
    blo_factor_solve(c->factor, 1, b);
    return;
  }
  blo_dense_multiply(true, c->z, b, c->coefficient);
  for (blo_int k = 0; k < c->a->n; k++) {
    c->coefficient[k] /= c->after[k];
  }
  blo_dense_multiply(false, c->z, c->coefficient, b);
}

void blo_clip_release(blo_clip *c)
{
  if (blo_factor_which(c->factor) != BLO_FACTOR_NONE) {
    blo_factor_forget(c->factor);
    blo_dense_copy(c->scratch, c->a);
  }
}

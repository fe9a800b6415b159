/** @file Small dense matrices; see matrix.h. */
#include "matrix.h"
#include <math.h>
#include <string.h>

/* LAPACK, with Fortran's hidden lengths of character arguments. */
extern void dsyev_(const char *job, const char *uplo, const int *n, double *a, const int *lda,
                   double *w, double *work, const int *lwork, int *info, size_t n_job,
                   size_t n_uplo);

static const double CUT = 1e-12; /**< eigenvalues that count as zero, relative to the largest */

void matrix_mul(blo_int m, blo_int n, const double *a, const double *x, double *out)
{
  for (blo_int i = 0; i < m; i++) {
    out[i] = blo_array_dot(n, a + i * n, x);
  }
}

void matrix_mul_t(blo_int m, blo_int n, const double *a, const double *x, double *out)
{
  memset(out, 0, (size_t)n * sizeof *out);
  for (blo_int i = 0; i < m; i++) {
    matrix_axpy(n, x[i], a + i * n, out);
  }
}

void matrix_axpy(blo_int n, double a, const double *x, double *y)
{
  for (blo_int i = 0; i < n; i++) {
    y[i] += a * x[i];
  }
}

void matrix_add_outer(blo_int m, blo_int n, double w, const double *x, const double *y, double *a)
{
  for (blo_int i = 0; i < m; i++) {
    matrix_axpy(n, w * x[i], y, a + i * n);
  }
}

double matrix_form(blo_int m, blo_int n, const double *a, const double *x, const double *y)
{
  double sum = 0;

  for (blo_int i = 0; i < m; i++) {
    sum += x[i] * blo_array_dot(n, a + i * n, y);
  }
  return sum;
}

double matrix_linear(double low, double high, blo_int k, blo_int n)
{
  return n == 1 ? high : low + (high - low) * (double)k / (double)(n - 1);
}

double matrix_log(double low, double high, blo_int k, blo_int n)
{
  return n == 1 || high == 0 ? high : low * pow(high / low, (double)k / (double)(n - 1));
}

void matrix_normal(uint64_t seed, uint64_t family, blo_int item, blo_int n, double *out)
{
  const blo_stream st = {seed, BLO_PURPOSE_TEST};

  for (blo_int k = 0; k < n; k++) {
    out[k] = blo_stream_normal(st, family, (uint64_t)item, (uint64_t)k);
  }
}

/** Row k orthonormal to the rows before it: modified Gram and Schmidt, twice, which makes it
 * orthogonal to rounding (Giraud, Langou and Rozloznik 2005). */
static void orthonormalize(blo_int n, blo_int k, double *q)
{
  double *row = q + k * n, norm;

  for (int pass = 0; pass < 2; pass++) {
    for (blo_int j = 0; j < k; j++) {
      matrix_axpy(n, -blo_array_dot(n, q + j * n, row), q + j * n, row);
    }
    norm = sqrt(blo_array_dot(n, row, row));
    for (blo_int i = 0; i < n; i++) {
      row[i] /= norm;
    }
  }
}

void matrix_orthonormal(uint64_t seed, uint64_t family, blo_int r, blo_int n, double *q)
{
  for (blo_int k = 0; k < r; k++) {
    double *row = q + k * n;
    matrix_normal(seed, family, k, n, row);
    orthonormalize(n, k, q);
    for (blo_int i = 0, turn = row[k] < 0; i < n && turn; i++) {
      row[i] = -row[i];
    }
  }
}

void matrix_spectral(blo_int r, blo_int n, const double *q, const double *d, double *a)
{
  memset(a, 0, (size_t)(n * n) * sizeof *a);
  for (blo_int k = 0; k < r; k++) {
    matrix_add_outer(n, n, d[k], q + k * n, q + k * n, a);
  }
}

/* -------------------------------------------------------- pseudo-inverse */

/** Root only. */
static blo_status decompose(blo_problem *p, int n, double *vectors, double *values)
{
  const int n_work = 64 * n;
  int info;
  double *work = NULL;

  BLO_TRY(blo_alloc(p->ctx, n_work, sizeof *work, &work));
  dsyev_("V", "L", &n, vectors, &n, values, work, &n_work, &info, 1, 1);
  blo_free(p->ctx, &work);
  BLO_CHECK(p->ctx, info == 0, BLO_E_DATA, "LAPACK's dsyev fails with code %d", info);
  return BLO_OK;
}

/** Root only. Eigenvector k is row k of what dsyev leaves, which stores by columns. */
static blo_status invert(blo_problem *p, blo_int n, const double *a, double *pinv, bool *definite)
{
  blo_status status = BLO_OK;
  double *q = NULL, *w = NULL, largest;

  BLO_GO(blo_alloc(p->ctx, n * n, sizeof *q, &q));
  BLO_GO(blo_alloc(p->ctx, n, sizeof *w, &w));
  memcpy(q, a, (size_t)(n * n) * sizeof *q);
  BLO_GO(decompose(p, (int)n, q, w));
  largest = fmax(fabs(w[0]), fabs(w[n - 1]));
  *definite = w[0] >= -CUT * largest;
  for (blo_int k = 0; k < n; k++) {
    w[k] = fabs(w[k]) > CUT * largest ? 1 / w[k] : 0;
  }
  matrix_spectral(n, n, q, w, pinv);
done:
  blo_free(p->ctx, &q);
  blo_free(p->ctx, &w);
  return status;
}

blo_status matrix_pinv(blo_problem *p, blo_int n, const double *a, double *pinv, bool *definite)
{
  bool no_negative = true;
  blo_status at_root = BLO_OK;

  if (blo_comm_rank(p->comm) == BLO_ROOT) {
    at_root = invert(p, n, a, pinv, &no_negative);
  }
  BLO_TRY(blo_agree_from(p->comm, BLO_ROOT, at_root));
  blo_bcast(p->comm, BLO_ROOT, pinv, n * n * (blo_int)sizeof *pinv);
  blo_bcast(p->comm, BLO_ROOT, &no_negative, sizeof no_negative);
  if (definite != NULL) {
    *definite = no_negative;
  }
  return BLO_OK;
}

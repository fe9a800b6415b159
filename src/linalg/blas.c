/** @file Row-major matrix products by Fortran's column-major dgemm and dgemv; see blas.h. */
#include <blo/blas.h>
#include <limits.h>

/* BLAS, with Fortran's hidden lengths of character arguments. */
extern void dgemm_(const char *ta, const char *tb, const int *m, const int *n, const int *k,
                   const double *alpha, const double *a, const int *lda, const double *b,
                   const int *ldb, const double *beta, double *c, const int *ldc, size_t n_ta,
                   size_t n_tb);
extern void dgemv_(const char *t, const int *m, const int *n, const double *alpha, const double *a,
                   const int *lda, const double *x, const int *step_x, const double *beta,
                   double *y, const int *step_y, size_t n_t);

/* OpenBLAS's own; other libraries read their environment variables. */
extern void openblas_set_num_threads(int n) __attribute__((weak));

void blo_blas_single_thread(void)
{
  if (openblas_set_num_threads != NULL) {
    openblas_set_num_threads(1);
  }
}

static int narrow(blo_int n)
{
  BLO_BUG_IF(n < 0 || n > INT_MAX, "%lld does not fit BLAS's integers", (long long)n);
  return (int)n;
}

/** Fortran wants 1 at least, also of a matrix without columns. */
static int distance(blo_int ld)
{
  return ld > 0 ? narrow(ld) : 1;
}

/** A row-major matrix is a column-major one transposed, so C' = op(B)' op(A)' is what dgemm sees.
 */
void blo_gemm(bool ta, bool tb, blo_int m, blo_int n, blo_int k, const double *a, blo_int lda,
              const double *b, blo_int ldb, double beta, double *c, blo_int ldc)
{
  const int im = narrow(m), in = narrow(n), ik = narrow(k);
  const int la = distance(lda), lb = distance(ldb), lc = distance(ldc);
  const double one = 1;

  if (m > 0 && n > 0) {
    dgemm_(tb ? "T" : "N", ta ? "T" : "N", &in, &im, &ik, &one, b, &lb, a, &la, &beta, c, &lc, 1,
           1);
  }
}

/** Likewise: A is what dgemv sees transposed. */
void blo_gemv(blo_int m, blo_int n, const double *a, blo_int lda, const double *x, double beta,
              double *y)
{
  const int im = narrow(m), in = narrow(n), la = distance(lda), step = 1;
  const double one = 1;

  dgemv_("T", &in, &im, &one, a, &la, x, &step, &beta, y, &step, 1);
}

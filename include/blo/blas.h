/**
 * @file
 * blas (layer linalg): matrix products by BLAS, row-major. With one thread, the bits of a product
 * depend on its sizes and numbers only, not on where it is in memory or on which rank.
 */
#ifndef BLO_BLAS_H
#define BLO_BLAS_H

#include <blo/base.h>

/**
 * Let BLAS use one thread from now on: ranks share the processors already, and bits depend on the
 * number of threads. Made by blo_problem_create(). Call: Local.
 */
BLO_API void blo_blas_single_thread(void);

/**
 * C = op(A) op(B) + beta C, op(A) [m][k], op(B) [k][n], C [m][n]; op(A) is A or, with `ta`, its
 * transpose. lda, ldb, ldc are the distances of rows in memory. Sizes of 0 are allowed.
 * Call: Local.
 */
BLO_API void blo_gemm(bool ta, bool tb, blo_int m, blo_int n, blo_int k, const double *a,
                      blo_int lda, const double *b, blo_int ldb, double beta, double *c,
                      blo_int ldc);

/**
 * y = A x + beta y, A [m][n], m, n > 0; lda is the distance of rows in memory. On some processors
 * the bits depend on where A, x and y begin within 64 bytes: let them begin alike on all ranks.
 * Call: Local.
 */
BLO_API void blo_gemv(blo_int m, blo_int n, const double *a, blo_int lda, const double *x,
                      double beta, double *y);

#endif

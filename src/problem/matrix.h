/**
 * @file
 * Small dense matrices of the problems with known solutions: products, random orthonormal rows,
 * matrices of a given spectrum, a pseudo-inverse. For files of this layer only.
 *
 * Matrices are stored by rows. All but matrix_pinv() is plain C, so every rank computes the same
 * bits by itself.
 */
#ifndef BLO_MATRIX_H
#define BLO_MATRIX_H

#include <blo/problem.h>

/** out = A x. @param[in] a [m][n]  @param[in] x [n]  @param[out] out [m]. Call: Local. */
void matrix_mul(blo_int m, blo_int n, const double *a, const double *x, double *out);
/** out = A' x. @param[in] a [m][n]  @param[in] x [m]  @param[out] out [n]. Call: Local. */
void matrix_mul_t(blo_int m, blo_int n, const double *a, const double *x, double *out);
/** y = y + a x. @param[in] x [n]  @param[in,out] y [n]. Call: Local. */
void matrix_axpy(blo_int n, double a, const double *x, double *y);
/** a = a + w x y'. @param[in,out] a [m][n]  @param[in] x [m]  @param[in] y [n]. Call: Local. */
void matrix_add_outer(blo_int m, blo_int n, double w, const double *x, const double *y, double *a);
/** x' A y. @param[in] a [m][n]  @param[in] x [m]  @param[in] y [n]. Call: Local. */
double matrix_form(blo_int m, blo_int n, const double *a, const double *x, const double *y);

/** Number k of n from `low` to `high`, equally spaced or with equal ratios; `high` if n = 1. Equal
 *  ratios need low > 0, or give zeros if high = 0. Call: Local. */
double matrix_linear(double low, double high, blo_int k, blo_int n);
double matrix_log(double low, double high, blo_int k, blo_int n);

/** `n` standard normal numbers of family `family`, item `item`. Call: Local. */
void matrix_normal(uint64_t seed, uint64_t family, blo_int item, blo_int n, double *out);
/**
 * r random orthonormal rows of length n (r <= n): Gaussian rows made orthonormal, and turned so
 * that entry k of row k is not negative. So the one for n = 1 is 1. Call: Local.
 * @param[out] q [r][n]
 */
void matrix_orthonormal(uint64_t seed, uint64_t family, blo_int r, blo_int n, double *q);
/** a = sum_k d_k q_k q_k', q_k the rows of q. @param[in] q [r][n]  @param[out] a [n][n]. Local. */
void matrix_spectral(blo_int r, blo_int n, const double *q, const double *d, double *a);
/**
 * The pseudo-inverse of a symmetric matrix, from its eigenvalues (LAPACK dsyev); those below 1e-12
 * of the largest one in size count as zero. Found at the root and broadcast.
 *
 * Call  Collective. @return BLO_OK; BLO_E_MEMORY; BLO_E_DATA if LAPACK finds no eigenvalues
 * @param[in]  a     [n][n], the same on all ranks
 * @param[out] pinv  [n][n]
 * @param[out] definite  true if no eigenvalue counts as negative; may be NULL
 */
blo_status matrix_pinv(blo_problem *p, blo_int n, const double *a, double *pinv, bool *definite);

#endif

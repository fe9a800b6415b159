/**
 * @file
 * The functions of BLACS, PBLAS and ScaLAPACK that the dense matrices use, for files of this layer
 * only: Fortran's, with 32-bit integers, indices from 1, and the hidden lengths of characters.
 */
#ifndef BLO_SCALAPACK_H
#define BLO_SCALAPACK_H

#include <blo/comm.h>
#include <stddef.h>

/* -------------------------------------------------------------------- BLACS */

extern int Csys2blacs_handle(MPI_Comm comm);
extern void Cfree_blacs_system_handle(int handle);
extern void Cblacs_gridmap(int *context, int *map, int ld, int rows, int cols);
extern void Cblacs_gridexit(int context);
extern void Cblacs_set(int context, int what, const int *value);

enum { BLACS_REPEATABLE = 15 }; /**< for Cblacs_set: sums in the same order in every call */

/* -------------------------------------------------------------- BLAS, PBLAS */

extern void dgemv_(const char *trans, const int *m, const int *n, const double *alpha,
                   const double *a, const int *lda, const double *x, const int *incx,
                   const double *beta, double *y, const int *incy, size_t n_trans);

extern void pdgemm_(const char *ta, const char *tb, const int *m, const int *n, const int *k,
                    const double *alpha, const double *a, const int *ia, const int *ja,
                    const int *desca, const double *b, const int *ib, const int *jb,
                    const int *descb, const double *beta, double *c, const int *ic, const int *jc,
                    const int *descc, size_t n_ta, size_t n_tb);
extern void pdsyrk_(const char *uplo, const char *trans, const int *n, const int *k,
                    const double *alpha, const double *a, const int *ia, const int *ja,
                    const int *desca, const double *beta, double *c, const int *ic, const int *jc,
                    const int *descc, size_t n_uplo, size_t n_trans);
extern void pdtran_(const int *m, const int *n, const double *alpha, const double *a, const int *ia,
                    const int *ja, const int *desca, const double *beta, double *c, const int *ic,
                    const int *jc, const int *descc);

/* ------------------------------------------------------------------- LAPACK */

extern void dlacn2_(const int *n, double *v, double *x, int *signs, double *est, int *next,
                    int *state);

/* ---------------------------------------------------------------- ScaLAPACK */

extern void pdpotrf_(const char *uplo, const int *n, double *a, const int *ia, const int *ja,
                     const int *desca, int *info, size_t n_uplo);
extern void pdpotrs_(const char *uplo, const int *n, const int *nrhs, const double *a,
                     const int *ia, const int *ja, const int *desca, double *b, const int *ib,
                     const int *jb, const int *descb, int *info, size_t n_uplo);
extern void pdgetrf_(const int *m, const int *n, double *a, const int *ia, const int *ja,
                     const int *desca, int *ipiv, int *info);
extern void pdgetrs_(const char *trans, const int *n, const int *nrhs, const double *a,
                     const int *ia, const int *ja, const int *desca, const int *ipiv, double *b,
                     const int *ib, const int *jb, const int *descb, int *info, size_t n_trans);
extern void pdsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *ia,
                     const int *ja, const int *desca, double *w, double *z, const int *iz,
                     const int *jz, const int *descz, double *work, const int *lwork, int *iwork,
                     const int *liwork, int *info, size_t n_jobz, size_t n_uplo);

#endif

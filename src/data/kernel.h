/**
 * @file
 * The kernel families behind blo_features_forward() and blo_features_adjoint(): the same template
 * (kernel_family.inc) compiled for plain C, for AVX2+FMA and for AVX-512.
 *
 * All families work on octets, 8 doubles, whatever the width of a register is, and add the 8
 * partial sums of a scalar product in one fixed order. So AVX2 and AVX-512 give the same bits, and
 * plain C differs from them only by the rounding that a fused multiply-add saves.
 */
#ifndef BLO_KERNEL_H
#define BLO_KERNEL_H

#include <blo/data.h>

enum { BLO_OCTET = 8 };

/** Rows of a dense table and the shape of the weights [n_classes][ld] that meet them, which may be
 *  several vectors side by side. */
typedef struct blo_dense_rows {
  const void *row[BLO_BLOCK_ROWS]; /**< first value of each */
  blo_int n;                       /**< <= BLO_BLOCK_ROWS */
  blo_int ld;                      /**< multiple of BLO_OCTET */
  blo_int n_classes;               /**< of all vectors together */
  blo_int per_vector;              /**< of one vector */
  blo_int ahead; /**< bytes from a row to the one to fetch next; 0 if that is not known */
} blo_dense_rows;

/** Rows of a sparse table and the shape of the weights [n_features + 1][ld] that meet them. */
typedef struct blo_sparse_rows {
  const blo_table *table;
  const blo_int *row; /**< [n] */
  blo_int n;
  blo_int ld; /**< even, at least n_classes */
  blo_int n_classes;
  blo_int stride; /**< numbers from a row of z or r to the next */
} blo_sparse_rows;

/** Dense kernels are indexed by blo_storage; the bias is the caller's there, the last row here.
 *  The adjoints add to several vectors: dense, each [per_vector][ld]; sparse, each as the weights.
 */
typedef struct blo_kernel {
  void (*dense_forward[3])(const blo_dense_rows *a, const double *w, double *z);
  void (*dense_adjoint[3])(const blo_dense_rows *a, const double *r, double *const *g);
  void (*sparse_forward)(const blo_sparse_rows *a, const double *w, double *z);
  void (*sparse_adjoint)(const blo_sparse_rows *a, const double *r, blo_int n_vectors,
                         double *const *g);
} blo_kernel;

/** The families; those that the compiler was not told to make are NULL. */
extern const blo_kernel *const blo_kernel_plain;
extern const blo_kernel *const blo_kernel_avx2;
extern const blo_kernel *const blo_kernel_avx512;

enum { BLO_ISA_PLAIN, BLO_ISA_AVX2, BLO_ISA_AVX512, BLO_ISA_COUNT };

/** The family of that number, NULL if it was not compiled. Call: Local. */
const blo_kernel *blo_kernel_of(int isa);

#endif

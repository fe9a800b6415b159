/**
 * @file
 * What eigen.c knows of the libraries for eigenvalues. ELPA is there if the build has found it, and
 * takes the grids and sizes that it can; pdsyevd takes all.
 */
#ifndef BLO_EIGEN_PRIVATE_H
#define BLO_EIGEN_PRIVATE_H

#include "dense_private.h"

typedef struct eigen_library {
  const char *name;
  bool both_triangles; /**< wants both, not only the lower one */
  /** True if it takes matrices [n][n]; the same on all ranks. Local. */
  bool (*takes)(const blo_grid *grid, blo_int n);
  /** Provide for them, and free that. Collective, over all ranks. */
  blo_status (*create)(const blo_grid *grid, blo_int n, void **out);
  void (*destroy)(void **state);
  /** 0, or what went wrong, maybe on some ranks only; w is right on rank 0 at least. Collective,
   *  over the ranks of the grid. */
  int (*solve)(const void *state, blo_dense *a, double *w, blo_dense *z);
} eigen_library;

extern const eigen_library eigen_scalapack;
#ifdef BLO_HAVE_ELPA
extern const eigen_library eigen_elpa;
#endif

/** Bytes of pdsyevd's work space on a rank with np rows and nq columns. Local. */
blo_int eigen_scalapack_bytes(const blo_grid *grid, blo_int n, blo_int np, blo_int nq);

#endif

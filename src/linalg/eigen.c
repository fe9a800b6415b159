/** @file Eigenvalues and eigenvectors of distributed symmetric matrices, by one of two libraries.
 */
#include "eigen_private.h"
#include <math.h>

struct blo_eigen {
  blo_grid *grid;
  blo_int n;
  const eigen_library *library;
  void *state; /**< the library's */
};

static const eigen_library *preferred(void)
{
#ifdef BLO_HAVE_ELPA
  return &eigen_elpa;
#else
  return &eigen_scalapack;
#endif
}

const char *blo_eigen_library(void)
{
  return preferred()->name;
}

/** All but the library's part. Local. */
static blo_status make(blo_grid *g, blo_int n, blo_eigen **out)
{
  BLO_TRY(blo_alloc(g->ctx, 1, sizeof **out, out));
  **out = (blo_eigen){.grid = g, .n = n, .library = preferred(), .state = NULL};
  if (!(*out)->library->takes(g, n)) {
    (*out)->library = &eigen_scalapack;
  }
  return BLO_OK;
}

blo_status blo_eigen_create(blo_grid *g, blo_int n, blo_eigen **out)
{
  blo_status status = BLO_OK;
  blo_eigen *e = NULL;

  BLO_GO_ALL(g->comm, make(g, n, &e));
  BLO_GO(e->library->create(g, n, &e->state));
  *out = e;
  e = NULL;
done:
  blo_eigen_destroy(&e);
  return status;
}

void blo_eigen_destroy(blo_eigen **eigen)
{
  blo_eigen *e = *eigen;

  if (e != NULL) {
    blo_context *ctx = e->grid->ctx;
    e->library->destroy(&e->state);
    blo_free(ctx, eigen);
  }
}

blo_int blo_eigen_bytes(const blo_grid *g, blo_int n)
{
  return eigen_scalapack_bytes(g, n, axis_count(g->rows, 0, n), axis_count(g->cols, 0, n));
}

/** Largest |a_ij| of this rank's part of the lower triangle; infinite if one is not finite. */
static double largest_below(const blo_dense *a)
{
  double largest = 0;

  for (blo_int j = 0; j < a->n_local; j++) {
    blo_int column = axis_global(a->grid->cols, j);
    for (blo_int i = 0; i < a->m_local; i++) {
      double size = fabs(*dense_at(a, i, j));
      if (axis_global(a->grid->rows, i) >= column) {
        largest = isnan(size) ? (double)INFINITY : fmax(largest, size);
      }
    }
  }
  return largest;
}

/**
 * Bring the largest entry near 1 by a power of two, which changes no bits: ELPA's squares overflow
 * or vanish otherwise. The libraries may do anything with NaNs, so these are refused.
 * @param[out] exponent  a is divided by 2^exponent
 */
static blo_status scale(blo_dense *a, int *exponent)
{
  double largest = blo_max_all(a->grid->comm, largest_below(a));
  int e = largest > 0 ? ilogb(largest) : 0;

  BLO_CHECK(a->grid->ctx, isfinite(largest), BLO_E_NONFINITE,
            "the matrix [%lld][%lld] whose eigenvalues are wanted is not finite", (long long)a->n,
            (long long)a->n);
  *exponent = e < -1000 ? -1000 : e > 1000 ? 1000 : e;
  blo_dense_scale(ldexp(1, -*exponent), a);
  return BLO_OK;
}

blo_status blo_eigen_solve(blo_eigen *e, blo_dense *a, double *w, blo_dense *z)
{
  int info = 0, exponent = 0;

  BLO_BUG_IF(a->grid != e->grid || z->grid != e->grid, "a matrix of another grid");
  BLO_BUG_IF(a->n != e->n || a->m != e->n || z->m != e->n || z->n != e->n,
             "a matrix of another size than %lld", (long long)e->n);
  BLO_TRY(scale(a, &exponent));
  if (e->library->both_triangles) {
    blo_dense_mirror(a, true);
  }
  if (blo_grid_inside(e->grid)) {
    info = e->library->solve(e->state, a, w, z);
  }
  info = (int)blo_max_all(e->grid->comm, info);
  BLO_CHECK(e->grid->ctx, info == 0, BLO_E_NONFINITE,
            "%s: the eigenvalues of the matrix [%lld][%lld] do not converge (%d)", e->library->name,
            (long long)e->n, (long long)e->n, info);
  blo_bcast(e->grid->comm, BLO_ROOT, w, e->n * (blo_int)sizeof *w);
  for (blo_int k = 0; k < e->n; k++) {
    w[k] = ldexp(w[k], exponent);
  }
  return BLO_OK;
}

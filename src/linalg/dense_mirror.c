/**
 * @file Triangles of a square matrix that become alike. The blocks on the diagonal lie on one rank
 * each; what is beside them goes block column by block column through PBLAS' pdtran.
 */
#include "dense_private.h"
#include "scalapack.h"

/** The block on the diagonal that begins at index `first`, on the rank that has it. */
typedef struct corner {
  double *at;
  blo_int n, ld;
} corner;

static blo_int block_size(const blo_dense *a, blo_int first)
{
  blo_int b = a->grid->rows.block;

  return a->n - first < b ? a->n - first : b;
}

static bool find_corner(const blo_dense *a, blo_int first, corner *c)
{
  const axis rows = a->grid->rows, cols = a->grid->cols;

  if (axis_owner(rows, first) != rows.me || axis_owner(cols, first) != cols.me) {
    return false;
  }
  *c = (corner){dense_at(a, axis_local(rows, first), axis_local(cols, first)), block_size(a, first),
                a->m_local};
  return true;
}

static void mirror_corner(corner c, bool from_lower)
{
  for (blo_int j = 0; j < c.n; j++) {
    for (blo_int i = j + 1; i < c.n; i++) {
      double *lower = c.at + j * c.ld + i, *upper = c.at + i * c.ld + j;
      *(from_lower ? upper : lower) = *(from_lower ? lower : upper);
    }
  }
}

/** The lower triangle becomes the mean of both. */
static void average_corner(corner c)
{
  for (blo_int j = 0; j < c.n; j++) {
    for (blo_int i = j + 1; i < c.n; i++) {
      c.at[j * c.ld + i] = 0.5 * c.at[j * c.ld + i] + 0.5 * c.at[i * c.ld + j];
    }
  }
}

/** Beside the block at `first`: to = beta to + alpha from', where `to` is below it or, with
 *  `to_upper`, right of it. */
static void transpose_beside(blo_dense *a, blo_int first, bool to_upper, double alpha, double beta)
{
  const int b = (int)block_size(a, first), rest = (int)(a->n - first) - b;
  const int here = (int)first + 1, there = here + b;

  if (rest == 0) {
    return;
  }
  if (to_upper) {
    pdtran_(&b, &rest, &alpha, a->data, &there, &here, a->desc, &beta, a->data, &here, &there,
            a->desc);
  } else {
    pdtran_(&rest, &b, &alpha, a->data, &here, &there, a->desc, &beta, a->data, &there, &here,
            a->desc);
  }
}

void blo_dense_mirror(blo_dense *a, bool from_lower)
{
  corner c;

  BLO_BUG_IF(a->m != a->n, "the mirror image of a matrix that is not square");
  for (blo_int first = 0; first < a->n && blo_grid_inside(a->grid); first += a->grid->rows.block) {
    if (find_corner(a, first, &c)) {
      mirror_corner(c, from_lower);
    }
    transpose_beside(a, first, from_lower, 1, 0);
  }
}

void blo_dense_symmetrise(blo_dense *a)
{
  corner c;

  BLO_BUG_IF(a->m != a->n, "the symmetric part of a matrix that is not square");
  for (blo_int first = 0; first < a->n && blo_grid_inside(a->grid); first += a->grid->rows.block) {
    if (find_corner(a, first, &c)) {
      average_corner(c);
    }
    transpose_beside(a, first, false, 0.5, 0.5);
  }
  blo_dense_mirror(a, true);
}

/**
 * @file
 * The inside of grids and distributed matrices, for files of this layer only.
 *
 * Entry (i, j) of a matrix with blocks of b is on the rank in row (i / b) mod P and column (j / b)
 * mod Q of the grid, in local row (i / b) / P * b + i mod b, and its local column likewise; the
 * local part is stored column after column.
 */
#ifndef BLO_DENSE_PRIVATE_H
#define BLO_DENSE_PRIVATE_H

#include <blo/dense.h>

/** Rows or columns as they are dealt to `count` ranks in blocks; this rank has number `me`. */
typedef struct axis {
  blo_int block;
  int count, me;
} axis;

struct blo_grid {
  blo_comm *comm;
  blo_context *ctx;
  int context;     /**< BLACS' context; negative: this rank is outside */
  axis rows, cols; /**< me = -1 outside */
};

enum { DESC_SIZE = 9 };

struct blo_dense {
  blo_grid *grid;
  blo_int m, n;
  blo_int m_local, n_local; /**< 0 outside */
  int desc[DESC_SIZE];      /**< ScaLAPACK's descriptor; its leading dimension is max(1, m_local) */
  double *data;             /**< [n_local][m_local] */
  double *in, *out;         /**< [n_local or m_local, the larger], [m or n, the larger] room for
                                 blo_dense_multiply() and the norms */
};

/** How many of n indices the rank with number `me` on the axis has. */
blo_int axis_count(axis a, int me, blo_int n);
/** The number on the axis of the rank that has index i, and where it has it. */
static inline int axis_owner(axis a, blo_int i)
{
  return (int)(i / a.block % a.count);
}
static inline blo_int axis_local(axis a, blo_int i)
{
  return i / a.block / a.count * a.block + i % a.block;
}
/** The index that this rank has at local place k. */
static inline blo_int axis_global(axis a, blo_int k)
{
  return (k / a.block * a.count + a.me) * a.block + k % a.block;
}

/** This rank's entry in local row i and local column j. */
static inline double *dense_at(const blo_dense *a, blo_int i, blo_int j)
{
  return a->data + j * a->m_local + i;
}

/** Refuse what does not fit ScaLAPACK's 32-bit integers: `numbers` of `what` on this or another
 *  rank. Local. */
blo_status dense_check_size(const blo_grid *grid, blo_int numbers, const char *what);

/** The sum of n numbers over all ranks, in place, counted as a reduction: for parts that do not
 *  overlap, or whose order of addition may depend on the ranks. Collective. */
void grid_sum(const blo_grid *grid, double *numbers, blo_int n);

#endif

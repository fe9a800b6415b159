/**
 * @file
 * assemble (layer eval): the Hessian H = grad_yy g [n_y][n_y] and the cross Jacobian J = grad_xy g
 * [n_x][n_y] of a batch as distributed matrices, column by column from products with unit vectors,
 * BLO_DIRECTIONS_MAX at once. Each panel of columns is summed over the ranks straight to those that
 * go on with it, and moved to the owners of its entries: besides its share of the matrices no rank
 * holds more than two panels of 64 columns (with up to 256 logical shards; and, on rank counts that
 * are no powers of two, some MiB at most that do not grow with n_y).
 *
 * With reproducible sums the entries have the same bits on any number of ranks, whatever the grid.
 */
#ifndef BLO_ASSEMBLE_H
#define BLO_ASSEMBLE_H

#include <blo/dense.h>
#include <blo/eval.h>

typedef struct blo_assembler blo_assembler;

/** What to assemble. */
typedef struct blo_assemble_ask {
  double scale;           /**< s */
  const blo_batch *batch; /**< of g; NULL: all samples */
  const blo_vec *x, *y;   /**< x is published */
  bool gauss_newton;      /**< the Gauss-Newton matrix instead of H; then `cross` is NULL */
  bool linearized;        /**< the last linearising sweep was made here, on this batch; no matter
                               if the problem cannot linearise */
  blo_dense *hessian;     /**< [n_y][n_y] H is added to s times: A = A + s H; or NULL */
  blo_dense *cross;       /**< [n_x][n_y] J likewise; or NULL */
} blo_assemble_ask;

/**
 * Provide for assembling from batches with up to `rows` samples of this rank (n_lower: any). The
 * evaluator keeps what is reserved in it, for scattered sweeps and for linearisations.
 * Call  Collective. Same: grid, which is of the problem's communicator, cross.
 * @param[in] eval, grid  borrowed  @param[in] cross  J will be asked for, too
 * @return BLO_OK; BLO_E_MEMORY; BLO_E_SHAPE if a panel is too long for an MPI message
 */
BLO_API BLO_MUST_USE blo_status blo_assembler_create(blo_eval *eval, blo_grid *grid, blo_int rows,
                                                     bool cross, blo_assembler **out);
/** Free it. NULL is accepted. Call: Local. */
BLO_API void blo_assembler_destroy(blo_assembler **a);
/** Bytes that it takes on this rank at most, with what the evaluator reserves for its messages but
 *  not for linearisations, and but for tables that do not grow with n_x and n_y. Call: Local. */
BLO_API blo_int blo_assembler_bytes(const blo_eval *eval, const blo_grid *grid, bool cross);
/**
 * Assemble: hessian += scale * H, cross += scale * J. H comes out symmetric up to rounding: see
 * blo_dense_symmetrise(). H and J together cost one read of the data. Nothing is allocated. After a
 * failure the matrices may hold part of what was to be added.
 * Call  Collective. Cost: n_y / BLO_DIRECTIONS_MAX sweeps (n_y if the problem takes one direction
 *       at a time), each with one reduction (none for a part that stays with the samples of its
 *       rank) and, for each matrix, one exchange; one more sweep to linearise, and one agreement
 * @return BLO_OK; BLO_E_UNSUPPORTED if gauss_newton is asked of a problem without it; what a sweep
 *         returns
 */
BLO_API BLO_MUST_USE blo_status blo_assemble(blo_assembler *a, const blo_assemble_ask *ask);

#endif

/**
 * @file
 * hessian (layer hypergrad): the Hessian of g at one point, assembled and factorised, for all who
 * need it there: the direct adjoint, Newton steps. It is assembled again only when the point has
 * changed.
 */
#ifndef BLO_HESSIAN_H
#define BLO_HESSIAN_H

#include <blo/assemble.h>
#include <stdio.h>

typedef struct blo_hessian blo_hessian;

/**
 * Provide for it: matrix, factors, panels.
 *
 * Call  Collective. Same: options. @param[in] options  borrowed
 * @return BLO_OK; BLO_E_MEMORY if it would exceed run.memory_limit, with the numbers and what to do
 *         instead; BLO_E_SHAPE if n_y does not fit ScaLAPACK's integers
 */
BLO_API BLO_MUST_USE blo_status blo_hessian_create(blo_eval *eval, const blo_dense_options *options,
                                                   blo_hessian **out);
/** Free it. NULL is accepted. Call: Collective. */
BLO_API void blo_hessian_destroy(blo_hessian **h);
BLO_API blo_grid *blo_hessian_grid(const blo_hessian *h);
/** Bytes of matrix, factors and panels on the rank that has most. Call: Local. */
BLO_API blo_int blo_hessian_bytes(const blo_hessian *h);

/** Print size, grid, memory and what the bits depend on (`--dry-run`); nothing of NULL. Call:
 * Local.
 */
BLO_API void blo_hessian_describe(const blo_hessian *h, FILE *to);

/** Where the matrix is wanted. */
typedef struct blo_hessian_point {
  const blo_batch *batch; /**< of g */
  bool full;              /**< the batch holds all samples: the matrix may be used again */
  const blo_vec *x, *y;
  bool gauss_newton; /**< the Gauss-Newton matrix instead of H */
  bool linearized;   /**< the last linearising sweep was made here, on this batch */
} blo_hessian_point;

/**
 * Let it be the matrix at a point: nothing is done if it is there already, on all data; else it is
 * assembled and made exactly symmetric.
 * Call  Collective. Cost: one reduction, or that of blo_assemble().
 * @return BLO_OK; what blo_assemble() returns
 */
BLO_API BLO_MUST_USE blo_status blo_hessian_at(blo_hessian *h, const blo_hessian_point *point);
/**
 * Cholesky factors of H + shift I; those that are there already are kept.
 * Call  Collective. @param[out] definite  false: there are none, and blo_hessian_minor() tells
 * where it failed
 * @return BLO_OK; what blo_assemble() returns, if LU factors have replaced H
 */
BLO_API BLO_MUST_USE blo_status blo_hessian_cholesky(blo_hessian *h, double shift, bool *definite);
/** LU factors of an indefinite H. Call: Collective. @return BLO_OK; BLO_E_CURVATURE if it is
 *  singular; BLO_E_NONFINITE */
BLO_API BLO_MUST_USE blo_status blo_hessian_lu(blo_hessian *h);
/** out = (H + shift I)^-1 in, with the factors that there are; out may be in. Call: Collective. */
BLO_API void blo_hessian_solve(blo_hessian *h, const blo_vec *in, blo_vec *out);
/** 1-norm reciprocal condition number, estimated from the factors that there are. Call: Collective.
 *  Cost: a few solves, the first time after a factorisation. */
BLO_API double blo_hessian_rcond(blo_hessian *h);
/** Are the factors those of a matrix that is singular to working precision: is its reciprocal
 *  condition number not above n_y times the rounding unit? Call: Collective. Cost: as before. */
BLO_API bool blo_hessian_is_singular(blo_hessian *h);
/** Largest absolute column sum of H + shift I, as it was to be factorised last. Call: Local. */
BLO_API double blo_hessian_norm(const blo_hessian *h);
/** Which factors there are; the order of the leading minor at which Cholesky failed last.
 *  Call: Local. */
BLO_API blo_factor_kind blo_hessian_factor(const blo_hessian *h);
BLO_API blo_int blo_hessian_minor(const blo_hessian *h);
/** Matrices assembled and factorisations tried since it was made, none of NULL. Call: Local. */
BLO_API blo_int blo_hessian_assembled(const blo_hessian *h);
BLO_API blo_int blo_hessian_factorized(const blo_hessian *h);

/**
 * Refuse what needs `bytes` more on a rank than run.memory_limit allows, naming the numbers and
 * what to do instead. Call  Local. @param[in] what  e.g. "a dense Hessian"  @param[in] instead e.g.
 * "adjoint.type 'cg'"
 * @return BLO_OK; BLO_E_MEMORY
 */
BLO_API BLO_MUST_USE blo_status blo_hessian_check_room(const blo_grid *grid, const char *what,
                                                       blo_int bytes, const char *instead);

#endif

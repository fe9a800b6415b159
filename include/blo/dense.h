/**
 * @file
 * dense (layer linalg): dense matrices that are distributed over a process grid in blocks
 * (block-cyclic, as ScaLAPACK has them), their factors, eigenvalues, and the projection of
 * symmetric ones on {mu <= eigenvalues <= L}.
 *
 * A grid has P x Q ranks, near-square; ranks that find no place in it have no entries, but take
 * part in every Collective function here and learn every result. Vectors that meet a matrix are
 * replicated: [n] numbers, the same on every rank.
 *
 * Bits. The results of factors, eigenvalues and products depend on the shape of the grid and on the
 * block size, because the order of additions does; with the same grid they are the same in every
 * run. A grid of one rank gives the same bits on any number of ranks.
 *
 * Names follow ScaLAPACK (Blackford et al. 1997, ScaLAPACK Users' Guide, SIAM). Its indices are
 * 32-bit: the local part of a matrix may have at most 2^31 - 1 entries, which create functions
 * check.
 */
#ifndef BLO_DENSE_H
#define BLO_DENSE_H

#include <blo/linalg.h>
#include <blo/options.h>

/* --------------------------------------------------------------- the grid */

/** How matrices are distributed; the block `dense` of methods that have any. */
typedef struct blo_dense_options {
  blo_int ranks; /**< that share a matrix; 0: all */
  blo_int block; /**< rows and columns of a block */
} blo_dense_options;
/** The rows of its option table; and the block itself. */
BLO_API extern const blo_opt_table blo_dense_table;

typedef struct blo_grid blo_grid;

/**
 * Make the grid of P x Q ranks, P = floor(sqrt(R)), Q = floor(R / P), of R = `ranks` ranks (0, or
 * more than there are: all). The others are outside.
 * Call  Collective. Same: options. @return BLO_OK; BLO_E_MEMORY
 */
BLO_API BLO_MUST_USE blo_status blo_grid_create(blo_comm *comm, const blo_dense_options *options,
                                                blo_grid **out);
/** Free it; its matrices are gone before. NULL is accepted. Call: Collective. */
BLO_API void blo_grid_destroy(blo_grid **grid);
BLO_API blo_comm *blo_grid_comm(const blo_grid *grid);
BLO_API int blo_grid_rows(const blo_grid *grid);
BLO_API int blo_grid_cols(const blo_grid *grid);
BLO_API blo_int blo_grid_block(const blo_grid *grid);
/** What the bits of results on it depend on, in words. Call: Local. */
BLO_API const char *blo_grid_bits_text(const blo_grid *grid);
/** True if this rank has a place in the grid. Call: Local. */
BLO_API bool blo_grid_inside(const blo_grid *grid);

/* --------------------------------------------------------------- matrices */

typedef struct blo_dense blo_dense;

/**
 * Make a zero matrix [m][n].
 * Call  Collective. Same: all arguments.
 * @return BLO_OK; BLO_E_SHAPE if a dimension or the local part does not fit ScaLAPACK's integers,
 *         with the number of ranks that would do; BLO_E_MEMORY
 */
BLO_API BLO_MUST_USE blo_status blo_dense_create(blo_grid *grid, blo_int m, blo_int n,
                                                 blo_dense **out);
/** Free it. NULL is accepted. Call: Local. */
BLO_API void blo_dense_destroy(blo_dense **a);
BLO_API blo_grid *blo_dense_grid(const blo_dense *a);
/** Its rows m and columns n. Call: Local. */
BLO_API blo_int blo_dense_m(const blo_dense *a);
BLO_API blo_int blo_dense_n(const blo_dense *a);
/** Bytes of such a matrix on the rank that has most, without making it. Call: Local. */
BLO_API blo_int blo_dense_bytes(const blo_grid *grid, blo_int m, blo_int n);

/** Set every entry, each on the rank that owns it: a_ij = entry(arg, i, j). Call: Local. */
BLO_API void blo_dense_set(blo_dense *a, double (*entry)(void *arg, blo_int i, blo_int j),
                           void *arg);
/** a_ij = value; to = from; a = s a; b = b + s a; a = a + s I (square). Call: Local. */
BLO_API void blo_dense_fill(double value, blo_dense *a);
BLO_API void blo_dense_copy(const blo_dense *from, blo_dense *to);
BLO_API void blo_dense_scale(double s, blo_dense *a);
BLO_API void blo_dense_axpy(double s, const blo_dense *a, blo_dense *b);
BLO_API void blo_dense_shift(double s, blo_dense *a);
/** a = (a + a') / 2, exactly symmetric then; a square. Call: Collective. */
BLO_API void blo_dense_symmetrise(blo_dense *a);
/** The upper triangle becomes the mirror image of the lower one, or the lower one that of the upper
 *  one; a square. Call: Collective. */
BLO_API void blo_dense_mirror(blo_dense *a, bool from_lower);
/** Largest column sum of |a_ij|, and the root of the sum of squares: infinite or NaN if an entry
 * is, or a sum overflows. Call: Collective. */
BLO_API double blo_dense_norm_one(const blo_dense *a);
BLO_API double blo_dense_norm_frobenius(const blo_dense *a);
/** out = A in, or A' in. Call: Collective. Cost: one reduction of the length of `out`.
 *  @param[in] in  replicated [n], or [m] if transposed  @param[out] out  replicated */
BLO_API void blo_dense_multiply(bool transpose, const blo_dense *a, const double *in, double *out);
/** C = alpha op(A) op(B) + beta C, op(A) being A or its transpose. Call: Collective. */
BLO_API void blo_dense_gemm(bool ta, bool tb, double alpha, const blo_dense *a, const blo_dense *b,
                            double beta, blo_dense *c);

/* ----------------------------------------------- entries to and from ranks */

/** A rectangle of a matrix, as one rank holds it in its own memory: column after column, the
 *  distance of two columns being `n_rows`. */
typedef struct blo_rect {
  blo_int row, n_rows, col, n_cols;
} blo_rect;

/** Room for moving rectangles between the ranks and a matrix. */
typedef struct blo_mover blo_mover;
/**
 * Provide for rectangles of at most `most` numbers on this rank, of matrices of the grid, of which
 * this rank owns at most `owned` numbers that move at a time.
 * Call  Local. @return BLO_OK; BLO_E_SHAPE if that is too much for an MPI message; BLO_E_MEMORY
 */
BLO_API BLO_MUST_USE blo_status blo_mover_create(blo_grid *grid, blo_int most, blo_int owned,
                                                 blo_mover **out);
/** Free it. NULL is accepted. Call: Local. */
BLO_API void blo_mover_destroy(blo_mover **mover);
/** Entries of [m][n_cols] consecutive columns that one rank owns at most. Call: Local. */
BLO_API blo_int blo_dense_owned_most(const blo_grid *grid, blo_int m, blo_int n_cols);
/**
 * a = a + s * (what the ranks hold), entry by entry.
 * Call  Collective. Cost: one exchange of what moves.
 * @param[in] rects  [ranks] what each rank holds, disjoint; the same on every rank; n_cols or
 *                   n_rows 0: nothing
 * @param[in] mine   this rank's numbers
 */
BLO_API void blo_dense_add(blo_dense *a, double s, const blo_rect *rects, const double *mine,
                           blo_mover *mover);
/** The other way: the ranks receive rectangles, which may be anything. Call: Collective. */
BLO_API void blo_dense_get(const blo_dense *a, const blo_rect *rects, double *mine,
                           blo_mover *mover);

/* ---------------------------------------------------------------- factors */

/** What a matrix has been factorised into. */
typedef enum blo_factor_kind {
  BLO_FACTOR_NONE,
  BLO_FACTOR_CHOLESKY, /**< A + shift I = L L', positive definite */
  BLO_FACTOR_LU        /**< P A = L U with partial pivoting, for indefinite matrices */
} blo_factor_kind;

/** The factors of one square symmetric matrix (both triangles stored), in its own memory. */
typedef struct blo_factor blo_factor;

/** Provide for factorising `a`, which is borrowed, and for n_rhs right-hand sides at once.
 *  Call: Collective. @return BLO_OK; BLO_E_MEMORY; BLO_E_SHAPE */
BLO_API BLO_MUST_USE blo_status blo_factor_create(blo_dense *a, blo_int n_rhs, blo_factor **out);
/** Free it, not the matrix. NULL is accepted. Call: Local. */
BLO_API void blo_factor_destroy(blo_factor **f);
/** Bytes of it on the rank that has most. Call: Local. */
BLO_API blo_int blo_factor_bytes(const blo_grid *grid, blo_int n, blo_int n_rhs);
/**
 * Cholesky factors of a + shift I in the lower triangle of `a`; the upper one keeps a's entries.
 * Call  Collective.
 * @param[out] definite  false: a + shift I is not positive definite (or not finite), `a` is as it
 *                       was, but maybe for the sign of zeros, and there are no factors
 */
BLO_API void blo_factor_cholesky(blo_factor *f, double shift, bool *definite);
/** LU factors, which replace `a`. ScaLAPACK has no symmetric indefinite factors; these cost twice
 *  as much. Call: Collective. @return BLO_OK; BLO_E_CURVATURE if `a` is singular, BLO_E_NONFINITE
 * if it or its factors are not finite; `a` is lost then, unless it was not finite */
BLO_API BLO_MUST_USE blo_status blo_factor_lu(blo_factor *f);
/** Bring the entries of `a` back after Cholesky, but maybe not the sign of zeros (pdpotrf adds 0 to
 *  the upper triangle); the factors are gone. Not after LU. Call: Collective. */
BLO_API void blo_factor_undo(blo_factor *f);
/** `a` has been overwritten: there are no factors of it. Call: Local. */
BLO_API void blo_factor_forget(blo_factor *f);
/** Which factors there are, and 0 or the leading minor at which the last Cholesky failed, n + 1 if
 *  something was not finite. Call: Local. */
BLO_API blo_factor_kind blo_factor_which(const blo_factor *f);
BLO_API blo_int blo_factor_failed_minor(const blo_factor *f);
/** b = A^-1 b, or (A + shift I)^-1 b, for n_rhs vectors, replicated [n_rhs][n]. Call: Collective.
 * Cost: one reduction of n_rhs n numbers besides ScaLAPACK's messages. */
BLO_API void blo_factor_solve(const blo_factor *f, blo_int n_rhs, double *b);
/** 1-norm of what was to be factorised last: a + shift I, or a. Call: Local. */
BLO_API double blo_factor_norm(const blo_factor *f);
/** 1-norm reciprocal condition number of what has been factorised, estimated (dlacn2; from above).
 *  Call: Collective. */
BLO_API double blo_factor_rcond(blo_factor *f);

/* ------------------------------------------------------------ eigenvalues */

/** "ScaLAPACK pdsyevd" or "ELPA": what the build prefers. ELPA does not take grids with ranks that
 *  have no entries of the matrix; then it is pdsyevd. Call: Local. */
BLO_API const char *blo_eigen_library(void);

typedef struct blo_eigen blo_eigen;
/** Provide for eigen-decompositions of symmetric [n][n] matrices of the grid. Call: Collective.
 *  @return BLO_OK; BLO_E_MEMORY; BLO_E_SHAPE if the workspace does not fit ScaLAPACK's integers;
 *  BLO_E_UNSUPPORTED if ELPA refuses */
BLO_API BLO_MUST_USE blo_status blo_eigen_create(blo_grid *grid, blo_int n, blo_eigen **out);
/** Free it. NULL is accepted. Call: Collective. */
BLO_API void blo_eigen_destroy(blo_eigen **e);
/** Bytes of it on the rank that has most; for ELPA, which takes them by itself in each solve, an
 *  estimate. Call: Local. */
BLO_API blo_int blo_eigen_bytes(const blo_grid *grid, blo_int n);
/**
 * A = Z diag(w) Z', w ascending. Only the lower triangle of `a` is looked at; `a` is overwritten.
 * Call  Collective.
 * @param[out] w  replicated [n]  @param[out] z  [n][n] orthonormal eigenvectors in columns
 * @return BLO_OK; BLO_E_NONFINITE if the iteration did not converge or `a` is not finite
 */
BLO_API BLO_MUST_USE blo_status blo_eigen_solve(blo_eigen *e, blo_dense *a, double *w,
                                                blo_dense *z);

/* --------------------------------------------------------------- clipping */

/** What becomes of an eigenvalue l: the nearest number in [mu, L] (the projection in Frobenius'
 *  norm, positive definite); or its absolute value's nearest one with l's sign, 0 counting as
 *  positive (the reading with singular values). 0 is all that is at most n eps times the largest
 *  eigenvalue: the sign of a rounding error means nothing. */
typedef enum blo_clip_mode { BLO_CLIP_EIG, BLO_CLIP_SVD } blo_clip_mode;
/** "eig", "svd", NULL. */
BLO_API extern const char *const blo_clip_mode_names[];

/** How a clip was made. */
typedef enum blo_clip_path {
  BLO_CLIP_NONE,
  BLO_CLIP_INACTIVE, /**< Cholesky of A - mu I and a bound on the norm showed that A is inside */
  BLO_CLIP_SPECTRUM  /**< by eigen-decomposition */
} blo_clip_path;

/** What is known of the clips so far. */
typedef struct blo_clip_report {
  blo_clip_path path;         /**< of the last one */
  blo_int inactive, spectrum; /**< how often each path was taken */
  blo_int below, above;       /**< eigenvalues < mu and > L before it; with svd, their sizes */
  blo_int negative;           /**< eigenvalues < 0 before it */
  double least, most;         /**< extreme eigenvalues before it; NAN if not computed */
} blo_clip_report;

/** The projection of one symmetric matrix on {mu <= eigenvalues <= L}, and solves with it. */
typedef struct blo_clip blo_clip;

/** Provide for clipping `a`, which is borrowed. Call: Collective.
 *  @return BLO_OK; BLO_E_MEMORY; BLO_E_SHAPE */
BLO_API BLO_MUST_USE blo_status blo_clip_create(blo_dense *a, blo_clip **out);
/** Free it, not the matrix. NULL is accepted. Call: Collective. */
BLO_API void blo_clip_destroy(blo_clip **c);
/** Bytes of it (without the matrix) on the rank that has most. Call: Local. */
BLO_API blo_int blo_clip_bytes(const blo_grid *grid, blo_int n);
/**
 * a = its projection; a has both triangles and stays exactly symmetric. No eigen-decomposition is
 * made if Cholesky factors of a - mu I exist, and a's 1-norm or Frobenius norm is at most L, or
 * L I - a has Cholesky factors too; then no bit of a changes.
 * Call  Collective. @param[in] mu, L  0 < mu <= L
 * @return BLO_OK; BLO_E_NONFINITE, and a is as it was
 */
BLO_API BLO_MUST_USE blo_status blo_clip_apply(blo_clip *c, double mu, double L,
                                               blo_clip_mode mode);
/** b = a^-1 b with the clipped matrix, replicated [n]: by Cholesky factors, made at the first solve
 *  after an inactive clip, or by the eigenvectors. Cost: one reduction of n numbers with factors,
 *  two with eigenvectors. Call: Collective. */
BLO_API void blo_clip_solve(blo_clip *c, double *b);
/** After the last solve, before `a` is changed or read by anybody: bring its entries back.
 *  Call: Collective. */
BLO_API void blo_clip_release(blo_clip *c);
BLO_API blo_clip_report blo_clip_last(const blo_clip *c);

#endif

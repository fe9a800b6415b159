/**
 * @file
 * tracking (layer hypergrad): running estimates of the Hessian and of the cross Jacobian of g as
 * distributed matrices, and what hypergradients need of them: for MGBiO, MSGBiO and VR-MSGBiO
 * (Huang 2023, arXiv 2303.03944) and STABLE (Chen, Sun, Xiao and Yin 2022, arXiv 2102.04671).
 *
 * With a fresh batch xi in iteration t, A_t(x, y) = grad_yy g(x, y; xi) or grad_xy g(x, y; xi):
 *
 *     fresh      M_t = Pi[ A_t(x_t, y_t) ]
 *     momentum   M_t = Pi[ (1 - a) M_{t-1} + a A_t(x_t, y_t) ]
 *     storm      M_t = Pi[ (1 - a) (M_{t-1} - A_t(x_{t-1}, y_{t-1})) + A_t(x_t, y_t) ]
 *
 * where Pi is, for the Hessian, the projection on {mu <= eigenvalues <= L} (dense.h), and for the
 * cross Jacobian that on the ball of radius C in Frobenius' norm. The projection is not linear, so
 * it acts on what all ranks have summed up. The projected M_{t-1} enters the recursion.
 *
 * Bits: as those of dense.h, on which grid the estimates are matters, unless it has one rank.
 */
#ifndef BLO_TRACKING_H
#define BLO_TRACKING_H

#include <blo/assemble.h>
#include <blo/hypergrad.h>
#include <blo/state.h>
#include <stdio.h>

typedef enum blo_track_rule { BLO_TRACK_FRESH, BLO_TRACK_MOMENTUM, BLO_TRACK_STORM } blo_track_rule;

/** What the matrices are like. */
typedef struct blo_tracker_options {
  double mu, L;       /**< bounds of the eigenvalues, 0 < mu <= L */
  double cross_bound; /**< C, > 0, infinite: none */
  int clip;           /**< blo_clip_mode */
} blo_tracker_options;
/** Its rows in an option table of the struct T, with a method's own defaults. */
#define BLO_TRACKER_ROWS(T, mu_def, L_def, cross_def)                                              \
  BLO_OPT(T, mu, mu_def, 0, 1e300, "-", "smallest eigenvalue of the tracked Hessian", "",          \
          BLO_OPT_OPEN_LOW),                                                                       \
      BLO_OPT(T, L, L_def, 0, BLO_INF, "-", "largest eigenvalue of the tracked Hessian", "",       \
              BLO_OPT_OPEN_LOW),                                                                   \
      BLO_OPT(T, cross_bound, cross_def, 0, BLO_INF, "-",                                          \
              "largest Frobenius norm of the tracked cross Jacobian", "", BLO_OPT_OPEN_LOW),       \
      BLO_OPT_NAMES(T, clip, "eig", blo_clip_mode_names,                                           \
                    "what becomes of eigenvalues outside [mu, L]: the nearest number in it, or "   \
                    "with the sign kept (as clipped singular values)",                             \
                    "Huang 2023, arXiv 2303.03944", 0)

typedef struct blo_tracker blo_tracker;

/**
 * Make zero estimates, with their grid.
 *
 * Call  Collective. Same: options.
 * @param[in] dense    how they are distributed; looked at here only
 * @param[in] options  borrowed
 * @param[in] rows     of this rank in the largest batch (n_lower: any)
 * @param[in,out] state  receives "tracker.hessian", "tracker.cross" and the counts, both as they
 * are after their projections; NULL: nothing does
 * @return BLO_OK; BLO_E_OPTION if mu > L; BLO_E_MEMORY, with the numbers and what to do instead if
 *         it would exceed run.memory_limit; BLO_E_SHAPE if they do not fit ScaLAPACK's integers
 */
BLO_API BLO_MUST_USE blo_status blo_tracker_create(blo_eval *eval, const blo_dense_options *dense,
                                                   const blo_tracker_options *options, blo_int rows,
                                                   blo_state *state, blo_tracker **out);
/** Free it. NULL is accepted. Call: Collective. */
BLO_API void blo_tracker_destroy(blo_tracker **t);
/** Bytes of it on the rank that has most, without what the evaluator reserves for linearisations.
 *  Call: Local. */
BLO_API blo_int blo_tracker_bytes(const blo_eval *eval, const blo_grid *grid);
BLO_API blo_grid *blo_tracker_grid(const blo_tracker *t);
/** Print sizes, grid, memory, bounds and what the bits depend on (`--dry-run`). Call: Local. */
BLO_API void blo_tracker_describe(const blo_tracker *t, FILE *to);

/** One iteration. The coefficients a of the two estimates may differ. */
typedef struct blo_track_step {
  blo_track_rule rule;
  const blo_batch *batch;       /**< of g; NULL: all */
  const blo_vec *x, *y;         /**< x is published */
  const blo_vec *x_old, *y_old; /**< of the iteration before, published too; storm only */
  double a_hessian, a_cross;    /**< momentum, storm: a, in (0, 1]; with 1 both are `fresh` */
  bool linearized; /**< the last linearising sweep was made at (x, y), storm: at (x_old, y_old), on
                        this batch; no matter if the problem cannot linearise */
} blo_track_step;
/**
 * Advance both estimates and project them.
 * Call  Collective. Cost: that of blo_assemble() for both matrices from the same sweeps, storm
 *       twice; one sweep less if `linearized`; one exchange to symmetrise; blo_clip_apply(); one
 *       reduction of a number
 * @return BLO_OK; what blo_assemble() and blo_clip_apply() return; BLO_E_NONFINITE if the norm of
 *         the cross Jacobian is not finite. After a failure the estimates are lost
 */
BLO_API BLO_MUST_USE blo_status blo_tracker_update(blo_tracker *t, const blo_track_step *step);
/** out = H^-1 in with the tracked Hessian; vectors in y, out may be in. After an update. Call:
 *  Collective. Cost: that of blo_clip_solve(); Cholesky factors, if the last clip was inactive, are
 *  made for each solve, so that the estimates always are what a checkpoint must hold. */
BLO_API void blo_tracker_solve(blo_tracker *t, const blo_vec *in, blo_vec *out);
/** out = J v (in x, published) with the tracked cross Jacobian; and out = J' w (in y). Call:
 *  Collective. Cost: blo_vec_get_all() and blo_dense_multiply(). */
BLO_API void blo_tracker_cross(blo_tracker *t, const blo_vec *v, blo_vec *out);
BLO_API void blo_tracker_cross_transposed(blo_tracker *t, const blo_vec *w, blo_vec *out);
/**
 * What is known of v as a solution of H v = rhs with the tracked Hessian: the residual, how H was
 * clipped and how often each way, and the grid. What belongs to the lower level stays NAN.
 * Call: Collective, after a solve. Cost: one reduction of n_y numbers.
 */
BLO_API void blo_tracker_certify(blo_tracker *t, const blo_vec *rhs, const blo_vec *v,
                                 blo_certificate *certificate);
/** Which way the Hessian was clipped last, and how often each; and how often the cross Jacobian was
 *  shortened. Restarts do not reset the counts. Call: Local. */
BLO_API blo_clip_report blo_tracker_clips(const blo_tracker *t);
BLO_API blo_int blo_tracker_shortened(const blo_tracker *t);

#endif

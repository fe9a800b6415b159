/**
 * @file
 * A trajectory of projected lower-level steps from a point z, and the derivative of f at one of its
 * iterates with respect to x and z, by an exact reverse sweep; for files of this layer only.
 *
 *     y_0 = z,   v_{k+1} = u_k - s grad_y g(x, u_k),   y_{k+1} = P_Y(v_{k+1}),   k = 0 ... K - 1
 *     gradient   u_k = y_k
 *     nesterov   u_0 = z,   u_{k+1} = y_{k+1} + b_k (y_{k+1} - y_k),   b_k = (t_k - 1) / t_{k+1},
 *                t_0 = 1,   t_{k+1} = (1 + sqrt(1 + 4 t_k^2)) / 2     (Nesterov 1983; projected)
 *
 * The trajectory is *cut* at y_c: c = K, or if it is truncated the lowest c in 1 ... K with the
 * largest f(x, y_c) (Liu, Liu, Zeng and Zhang 2021, arXiv 2110.00455).
 *
 * The points v before their projection are kept; y_k and u_k follow from v_k and v_{k-1} with the
 * same bits. Kept are all of them, or only the *marks* v_L, v_2L, ... and those of one *segment*
 * between two marks: the reverse sweep then makes the steps of each segment again, in all at most
 * K more gradients of g, from the same numbers and so with the same bits (Griewank and Walther
 * 2008, Evaluating Derivatives, chapter 12: the scheme with one level).
 */
#ifndef BLO_TRAJECTORY_H
#define BLO_TRAJECTORY_H

#include <blo/solver.h>

typedef enum trajectory_dynamics { TRAJECTORY_GRADIENT, TRAJECTORY_NESTEROV } trajectory_dynamics;
extern const char *const trajectory_dynamics_names[]; /**< "gradient", "nesterov", NULL */

/** What a method makes of a trajectory. */
typedef struct trajectory_kind {
  trajectory_dynamics dynamics;
  bool truncates; /**< it is cut where f is largest, else at its end */
} trajectory_kind;

/** Options of the trajectory, the block `lower` of a method. */
typedef struct trajectory_options {
  blo_int steps, batch, memory;
  double step, decay;
  blo_projection_options set; /**< Y */
} trajectory_options;
extern const blo_opt_sub trajectory_subs[1];
#define TRAJECTORY_ROWS(steps_def, step_def)                                                       \
  BLO_OPT(trajectory_options, steps, steps_def, 1, 1e6, "steps",                                   \
          "K: lower-level steps of a trajectory; more are not always better, see the page of the " \
          "method",                                                                                \
          "", 0),                                                                                  \
      BLO_OPT(                                                                                     \
          trajectory_options, batch, "0", 0, 1e12, "samples",                                      \
          "samples of g, 0 = all; one batch serves the whole trajectory of an outer iteration, "   \
          "there and back",                                                                        \
          "", 0),                                                                                  \
      BLO_SCHEDULE_ROWS(trajectory_options, step_def, "0",                                         \
                        "step size s of the steps, less than 2 over the largest eigenvalue of H "  \
                        "(nesterov: at most 1 over it)"),                                          \
      BLO_OPT(trajectory_options, memory, "0", 0, 1e6, "iterates",                                 \
              "vectors like y in which the trajectory is kept, 0 = K, one for each step; with "    \
              "less, about 2 sqrt(K) at least, steps are made again on the way back, with the "    \
              "same bits, at the cost of at most K gradients of g",                                \
              "Griewank and Walther 2008, Evaluating Derivatives, chapter 12",                     \
              BLO_OPT_RESUME_FREE)

/** Results are read by the methods; what is below `step` is the trajectory's own. */
typedef struct trajectory {
  blo_int cut;   /**< c */
  double f, g;   /**< at y_c */
  blo_vec *y;    /**< y_c */
  blo_vec *g_y;  /**< grad_y g there, after trajectory_forward() */
  blo_vec *f_y;  /**< grad_y f there; after trajectory_reverse() d f / d z */
  blo_vec *f_x;  /**< grad_x f there; after trajectory_reverse() d f / d x */
  double step_y; /**< s */

  blo_context *ctx;
  blo_eval *eval;
  const trajectory_options *options;
  trajectory_kind kind;
  blo_projection *set; /**< Y */
  blo_sampler *lower, *upper;
  const blo_batch *lower_batch, *upper_batch;
  bool keeps;  /**< sweeps share what does not depend on y */
  bool linear; /**< ... and there has been one since x changed */
  const blo_vec *x, *z;
  double *momentum;         /**< [K] b_k; NULL: gradient steps */
  blo_int length;           /**< L */
  blo_int n_mark, n_before; /**< marks; points before marks */
  blo_vec **mark;           /**< [n_mark] v_L, v_2L, ... */
  blo_vec **before;         /**< [n_before] nesterov: v_{L-1}, v_{2L-1}, ... */
  blo_vec **fill;           /**< [L - 1] the points between two marks */
  blo_int held;             /**< the segment that they belong to */
  blo_vec *at, *other;      /**< u_k; y_{k-1}, and other work */
  blo_vec *w;               /**< nesterov: the adjoint of u_k */
  blo_vec *jv;
} trajectory;

/**
 * Make a trajectory. Call: Local.
 * @param[in] options    borrowed
 * @param[in] kind       which steps; where it is cut (truncated: of gradient steps only)
 * @param[in] batch_f    samples of f, 0 = all; one batch in an outer iteration
 * @return BLO_OK; BLO_E_MEMORY; BLO_E_OPTION if `memory` is too small, if Y couples the tasks of
 *         which a batch is taken, and see blo_projection_create() and blo_eval_sampler()
 */
blo_status trajectory_create(blo_eval *eval, const trajectory_options *options,
                             trajectory_kind kind, blo_int batch_f, uint64_t seed,
                             trajectory **out);
/** Free it. NULL is accepted. Call: Local. */
void trajectory_destroy(trajectory **t);
/**
 * The trajectory of outer iteration k from z [n_y] in Y, and everything at y_c.
 *
 * Call  Collective. x is published; x and z stay as they are until trajectory_reverse() is done.
 * Cost  K + 1 gradients of g, 1 gradient of f; K + 1 reductions. Truncated: K values of f more, and
 *       if c < K one gradient of g and of f and one reduction
 * @return BLO_OK; what a sweep returns
 */
blo_status trajectory_forward(trajectory *t, blo_int k, const blo_vec *x, const blo_vec *z);
/**
 * From the derivatives of f at y_c to those of f(x, y_c(x, z)), in t->f_x and t->f_y.
 * Call  Collective. Cost: c products H v, each with a J v; c reductions; the steps made again
 * @return BLO_OK; what a sweep returns
 */
blo_status trajectory_reverse(trajectory *t);
/** How a trajectory of these options is kept, for blo_solver_describe(). Call: Local. */
void trajectory_describe(const trajectory *t, FILE *to);

#endif

/**
 * @file
 * The lower track, for files of this layer only: what its rules share, and what a rule is.
 */
#ifndef BLO_LOWER_PRIVATE_H
#define BLO_LOWER_PRIVATE_H

#include <blo/solver.h>

/** One step of a track: step t of outer iteration k. */
typedef struct lower_turn {
  blo_int k, t;
  const blo_vec *x;
  blo_vec *y;
} lower_turn;

/** A lower-level step. */
typedef struct lower_rule {
  /** Refuse what does not go together, provide for the steps. Call: Local. */
  blo_status (*setup)(blo_lower *l, blo_state *state);
  /** One step. Collective. @param[out] more  false: y has not moved, the track is at its end */
  blo_status (*step)(blo_lower *l, const lower_turn *turn, bool *more);
} lower_rule;

struct blo_lower {
  blo_eval *eval;
  const blo_lower_options *options;
  const lower_rule *rule;
  blo_sampler *sampler;
  blo_hessian *hessian; /**< of newton and gauss_newton, borrowed */
  blo_vec *g_y;
  blo_vec *m;         /**< NULL without momentum */
  blo_vec *p, *trial; /**< newton, gauss_newton: direction, and a point to look at; else NULL */
  blo_vec *y0;        /**< NULL with a warm start */
  blo_int taken;      /**< steps of the last track */
  double limit;       /**< newton, gauss_newton: a norm of grad_y g that is not less ends the
                           track */
  bool keeps;         /**< the steps of an outer iteration share what does not depend on y */
  bool deals;         /**< each outer iteration has other tasks */
};

extern const lower_rule lower_newton; /**< newton and gauss_newton: lower_newton.c */

#endif

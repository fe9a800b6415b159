/**
 * @file
 * Epochs of stochastic gradient descent on g in a ball around the point where the epoch begins, for
 * files of this layer only (Hazan and Kale 2014, JMLR 15; in the bilevel setting Hao, Gong and Liu
 * 2024, arXiv 2401.09587):
 *
 *     c = w_0 = y     w_{t+1} = P_Ball(c, D)(w_t - a grad_y g(x, w_t; zeta_t)),  t = 0 ... T - 1
 *     y = the mean of w_1 ... w_T, or w_T
 */
#ifndef BLO_EPOCH_SGD_H
#define BLO_EPOCH_SGD_H

#include <blo/solver.h>

/** Some steps of an epoch, which may be made in parts, in outer iterations that follow one another.
 *  Between them y is w. */
typedef struct epoch {
  blo_int k;         /**< outer iteration the steps belong to */
  blo_int per_outer; /**< draws an outer iteration at most: step i has batch k per_outer + i */
  blo_int done;      /**< steps of the epoch before these; 0: it begins at y */
  blo_int steps;     /**< at least 1 */
  double step;       /**< a */
  double radius;     /**< D; infinite: no ball */
  bool average;      /**< the epoch returns the mean, else w_T */
  bool ends;         /**< these are its last ones: y becomes what it returns */
} epoch;

typedef struct epoch_sgd {
  blo_eval *eval;
  blo_sampler *sampler;
  bool keeps;             /**< one x and one batch serve all steps, and it pays */
  blo_vec *g_y, *work;    /**< of the space of y */
  blo_vec *center, *mean; /**< c, and the mean so far: what an epoch in parts keeps */
} epoch_sgd;

/** Make room, and a sampler of `batch` samples of g. Call: Local. @param[out] e  zeros before */
blo_status epoch_sgd_create(blo_eval *eval, uint64_t seed, blo_int batch, epoch_sgd *e);
/** Free it; zeros are accepted. Call: Local. */
void epoch_sgd_free(epoch_sgd *e);
/**
 * Make steps of an epoch from y at x.
 *
 * Call  Collective. Cost: `steps` gradients of g, one value of g; as many reductions (of y that
 * belongs to tasks only the last one), a scalar product in y each if the radius is finite
 * @param[out] g  value on the last batch, before the last step
 * @return BLO_OK; BLO_E_NONFINITE; what a sweep returns
 */
blo_status epoch_sgd_run(epoch_sgd *e, const epoch *run, const blo_vec *x, blo_vec *y, double *g);

#endif

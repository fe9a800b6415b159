/**
 * @file
 * The stochastic hypergradient estimate of stocBiO as a function of a sample plan (Ji, Yang and
 * Liang 2021, arXiv 2010.07962, algorithms 2 and 3). For files of this layer only.
 *
 *     StocHyper(x, y; omega):
 *       T times  y <- y - tau grad_y g(x, y; S_t)
 *       r_0 = grad_y f(x, y; B_f),   r_q = r_{q-1} - eta_h H(x, y; B_q) r_{q-1},  q = 1 ... Q
 *       v = eta_h sum_{q=0}^Q r_q
 *       the estimate is  grad_x f(x, y; B_f) - J(x, y; B_g) v
 *
 * The plan omega = (S_1, ..., S_T, B_f, B_1, ..., B_Q, B_g) is a pure function of its number: the
 * same number at two points means the same samples at both, other numbers mean fresh ones.
 */
#ifndef BLO_STOC_HYPER_H
#define BLO_STOC_HYPER_H

#include <blo/solver.h>

/** Options of the lower-level steps and of the Neumann series. */
typedef struct stoc_lower_options {
  blo_int steps, batch; /**< T, |S_t| */
  double step;          /**< tau */
} stoc_lower_options;
typedef struct stoc_adjoint_options {
  blo_int iterations, batch; /**< Q, |B_q| = |B_g| */
  double step;               /**< eta_h */
} stoc_adjoint_options;

typedef struct stoc_hyper {
  blo_lower_options lower_options;
  blo_adjoint_options adjoint_options;
  blo_lower *lower;
  blo_estimator *adjoint; /**< its f and certificate are those of the last estimate */
} stoc_hyper;

/**
 * Make an estimate with constant steps that carries nothing from one call to the next.
 *
 * Call  Collective. Same: all arguments. @return BLO_OK; BLO_E_MEMORY; BLO_E_OPTION if y belongs to
 *       tasks and the batches differ
 * @param[out] h  zeroed before; keeps its place until stoc_hyper_destroy()
 */
blo_status stoc_hyper_create(blo_solver *s, const stoc_lower_options *lower,
                             const stoc_adjoint_options *adjoint, blo_int batch_upper,
                             uint64_t seed, stoc_hyper *h);
/** Free its parts. Call: Local. */
void stoc_hyper_destroy(stoc_hyper *h);
/**
 * The estimate with plan number `plan`. Call: Collective. Cost: T + 1 gradients of g, Q + 1
 * products H v, 1 product J v, 1 gradient of f; T + Q + 2 reductions
 * @param[in]     x   published
 * @param[in,out] y   the lower iterate
 * @param[out]    hx  in the space of x
 */
blo_status stoc_hyper_at(stoc_hyper *h, blo_int plan, const blo_vec *x, blo_vec *y, blo_vec *hx);
/** The same without the lower-level steps: its certificate tells the residual of y as it is. Call:
 *  Collective. Cost: T gradients of g and T reductions less */
blo_status stoc_hyper_look(stoc_hyper *h, blo_int plan, const blo_vec *x, const blo_vec *y,
                           blo_vec *hx);
/** Enter what the last estimate tells of itself into a report. Call: Local. */
void stoc_hyper_report(const stoc_hyper *h, blo_report *r);

#endif

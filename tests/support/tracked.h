/**
 * @file
 * Methods on tracked matrices (blo/tracking.h) as plain loops: MGBiO, MSGBiO and VR-MSGBiO (Huang
 * 2023, arXiv 2303.03944). With an estimate of each of grad_x f, grad_y f, grad_y g by the rule
 * that also makes H and J, iteration t = 1, 2, ... is
 *
 *     w = u - J H^-1 h     x <- x - eta_t gamma w     y <- y - eta_t lambda v
 *     eta_t = k / (m + t)^power     a_{t+1} = min(1, c eta_t^c_power), the same for all five
 *
 * and the first iteration is always fresh.
 */
#ifndef BLO_TEST_TRACKED_H
#define BLO_TEST_TRACKED_H

#include "fixture.h"
#include <blo/tracking.h>

typedef struct tracked_plan {
  blo_track_rule rule; /**< fresh: MGBiO, momentum: MSGBiO, storm: VR-MSGBiO */
  double gamma, lambda;
  double k, m, power; /**< of eta */
  double c, c_power;
  blo_int batch; /**< of both levels; 0: all */
  blo_tracker_options tracker;
  blo_dense_options dense;
} tracked_plan;

/** Numbers of an iteration that belong to one point and one batch, and their estimates. */
typedef struct tracked_vectors {
  blo_vec *f_x, *f_y, *g_y;
} tracked_vectors;

/** A run. Its state holds all that the next iteration needs. */
typedef struct tracked {
  tracked_plan plan;
  blo_eval *eval;
  blo_state *state;
  blo_tracker *tracker;
  blo_sampler *lower, *upper;
  blo_vec *x, *y, *x_old, *y_old;
  tracked_vectors estimate, now, before;
  blo_vec *w, *v; /**< direction in x, adjoint */
  blo_int t;      /**< iterations made */
} tracked;

/** Begin at the problem's start; leaves the test on failure. Call: Collective. */
void tracked_open(blo_eval *eval, const tracked_plan *plan, tracked *r);
void tracked_close(tracked *r);
/** Make n iterations, or fewer if one fails: its status. Call: Collective. */
blo_status tracked_steps(tracked *r, int n);

/** crc32 of all that a state holds, in global order. Call: Collective. */
uint32_t tracked_checksum(const blo_state *state);

#endif

/**
 * @file
 * What blo/tracking.h computes, in plain arrays: matrices from single products with unit vectors,
 * the recursions as they are written, eigenvalues by LAPACK (dsyev).
 */
#ifndef BLO_TEST_TRACK_REFERENCE_H
#define BLO_TEST_TRACK_REFERENCE_H

#include "fixture.h"
#include <blo/tracking.h>

/** The estimates, column after column, and room. */
typedef struct track_reference {
  const fixture *f;
  int n_x, n_y, n_room;
  double *pool;                   /**< what the others point into */
  double *H, *J;                  /**< [n_y][n_y], [n_y][n_x] */
  double *new_H, *new_J;          /**< of the batch at the point */
  double *old_H, *old_J;          /**< and at the point before */
  double *vectors, *eigen, *room; /**< [n_y][n_y], [n_y] of H; [n_room] of dsyev */
  double *in, *out;               /**< [n_x or n_y, the larger] for those who compare products */
} track_reference;

/** Zero estimates; leaves the test on failure. */
void track_reference_open(const fixture *f, track_reference *r);
void track_reference_close(track_reference *r);
/** Estimates by a rule, not yet projected. Call: Collective. */
void track_reference_advance(track_reference *r, const blo_track_step *step);
/** The projection of H ("eig") and of J. */
void track_reference_project(track_reference *r, const blo_tracker_options *o);
/** Eigenvalues and eigenvectors of (H + H') / 2. */
void track_reference_decompose(track_reference *r);

/** out = A v, or A' v. @param[in] a [n][m] column after column */
void track_multiply(bool transpose, int m, int n, const double *a, const double *v, double *out);

#endif

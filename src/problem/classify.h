/**
 * @file
 * What the problems with a linear softmax classifier share: their data (samples.h), and a
 * classifier on each of the three sets. For files of this layer only.
 */
#ifndef BLO_CLASSIFY_H
#define BLO_CLASSIFY_H

#include "samples.h"
#include "softmax.h"

/** What the state of every problem of this family begins with. */
typedef struct classify {
  samples data;
  softmax model[N_PARTS];
  double *packed_y, *packed_v;
  double x0; /**< starting value of every entry of x */
} classify;

/** Load everything and set the sizes of y and of the samples in `p`. Call: Collective. */
blo_status classify_setup(blo_problem *p, const blo_data_options *options, double x0, classify *c);
/** Free it. Call: Local. */
void classify_teardown(blo_problem *p, classify *c);

/* Slots that the problems share; see blo_problem_type. */
void classify_start(const blo_problem *p, const blo_slice *x, const blo_slice *y);
void classify_prepare(blo_problem *p, const blo_point *at, unsigned want_lower, unsigned want_upper,
                      bool linearized);
void classify_unpack(const blo_problem *p, const double *packed, double *y);
void classify_metrics_prepare(blo_problem *p, const blo_point *at);

/** The metrics BLO_NET_METRICS come from 4 sums. */
enum { N_CLASSIFY_METRICS = 4, N_CLASSIFY_SUMS = 4 };
void classify_score(const classify *c, blo_int shard, double *sums);
void classify_metrics(const classify *c, const double *sums, double *values);

#endif

/**
 * @file
 * Data of the classification problems: a training, a validation and a test set cut from one or two
 * sources, scaled alike, with a softmax classifier on each. For files of this layer only.
 */
#ifndef BLO_CLASSIFY_H
#define BLO_CLASSIFY_H

#include "softmax.h"

/** The block `problem.data` of a run file. */
typedef struct classify_options {
  blo_source_spec train, test;
  blo_int n_train, n_val, n_test, shards, seed;
  int split, scaling;
} classify_options;
extern const blo_opt_table classify_table;

/** What the options of every problem of this family begin with. */
typedef struct classify_base {
  classify_options data;
  double x0; /**< starting value of every entry of x */
} classify_base;

typedef enum classify_part { PART_TRAIN, PART_VAL, PART_TEST, N_CLASSIFY_PARTS } classify_part;

/** What the state of every problem of this family begins with. */
typedef struct classify {
  blo_set *set[N_CLASSIFY_PARTS]; /**< the test set may be NULL */
  softmax model[N_CLASSIFY_PARTS];
  blo_scaling *scaling;
  blo_int n_classes, n_features;
  double *packed_y, *packed_v;
} classify;

/** Load everything and set the sizes of y and of the samples in `p`. Call: Collective. */
blo_status classify_setup(blo_problem *p, const classify_options *options, classify *c);
/** Free it. Call: Local. */
void classify_teardown(blo_problem *p, classify *c);

/* Slots that the problems share; see blo_problem_type. */
void classify_start(const blo_problem *p, const blo_slice *x, const blo_slice *y);
void classify_prepare(blo_problem *p, const blo_point *at, unsigned want_lower, unsigned want_upper,
                      bool linearized);
void classify_unpack(const blo_problem *p, const double *packed, double *y);
void classify_metrics_prepare(blo_problem *p, const blo_point *at);

/** The metrics test_accuracy, test_loss, val_accuracy, val_loss come from 4 sums. */
#define CLASSIFY_METRICS                                                                           \
  {"test_accuracy", "-", "share of the test samples that are classified correctly"},               \
      {"test_loss", "-", "mean cross-entropy on the test set"},                                    \
      {"val_accuracy", "-", "share of the validation samples that are classified correctly"},      \
  {                                                                                                \
    "val_loss", "-", "mean cross-entropy on the validation set"                                    \
  }
enum { N_CLASSIFY_METRICS = 4, N_CLASSIFY_SUMS = 4 };
void classify_score(const classify *c, blo_int shard, double *sums);
void classify_metrics(const classify *c, const double *sums, double *values);

#endif

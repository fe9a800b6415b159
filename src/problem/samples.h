/**
 * @file
 * Data of the built-in problems: a training, a validation and a test set cut from one or two
 * sources, scaled alike. For files of this layer only.
 */
#ifndef BLO_SAMPLES_H
#define BLO_SAMPLES_H

#include <blo/network.h>

typedef enum samples_part { PART_TRAIN, PART_VAL, PART_TEST, N_PARTS } samples_part;

typedef struct samples {
  blo_set *set[N_PARTS]; /**< the test set may be NULL */
  blo_scaling *scaling;
  blo_int n_classes, n_features, n_tokens;
  bool sparse;
} samples;

/** Load everything; set the numbers of samples and shards and the fingerprint of `p`. Collective.
 */
blo_status samples_load(blo_problem *p, const blo_data_options *options, samples *s);
/** Free it. Call: Local. */
void samples_free(blo_problem *p, samples *s);

#endif

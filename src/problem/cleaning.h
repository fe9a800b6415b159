/**
 * @file
 * What the two forms of hyper_cleaning share: options, corrupted labels, and the metrics of finding
 * them. For files of this layer only.
 */
#ifndef BLO_CLEANING_H
#define BLO_CLEANING_H

#include "samples.h"

typedef struct cleaning_options {
  blo_net_options net;
  double x0;
  blo_model_options model;
  double corrupt, reg;
  int corrupt_kind, x;
} cleaning_options;

typedef struct corruption {
  unsigned char *corrupted; /**< [own training samples] 1 if the label was replaced */
  blo_int n_corrupted;      /**< over all ranks */
} corruption;

/** The form with a network. */
extern const blo_problem_type cleaning_net_type;
/** The descriptors' options and metrics. */
extern const blo_opt_table cleaning_table;
enum { CLEANING_N_METRICS = BLO_NET_N_METRICS + 3, CLEANING_N_SUMS = BLO_NET_N_SUMS + 2 };
extern const blo_metric cleaning_metrics[CLEANING_N_METRICS];

/** Corrupt the labels of the training set, once; takes the fingerprint on. Call: Collective. */
blo_status corruption_make(blo_problem *p, const blo_set *train, corruption *c);
void corruption_free(blo_problem *p, corruption *c);
/** x belongs to the training samples: sharded, or rooted if asked for. */
void cleaning_align_x(blo_problem *p);
/** Add one shard's samples that are flagged (x < 0), and those of them that are corrupted.
 *  @param[in,out] sums [2] */
void corruption_score(const corruption *c, const blo_set *train, blo_int shard, const double *x,
                      double *sums);
/** Precision, recall, F1; 0/0 gives NAN: nothing was flagged, or nothing is corrupted.
 *  @param[out] values [3] */
void corruption_metrics(const corruption *c, const double *sums, double *values);

#endif

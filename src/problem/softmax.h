/**
 * @file
 * The softmax classifier of the built-in problems, for files of this layer only.
 *
 * Sample i has features a_i (a constant 1 included) and label l_i; y = (y_1, ..., y_C). With
 *     z = (y_1 . a_i, ..., y_C . a_i),   p = softmax(z),   CE_i = -log p_{l_i},
 * and a weight w_i = sigmoid(x_i) or 1, the samples' parts of the oracles are
 *     value   w_i CE_i                            grad_x   w'_i CE_i,  w' = w (1 - w)
 *     grad_y  w_i (p - e_{l_i}) (x) a_i
 *     H v     w_i (p o u - p (p . u)) (x) a_i     J v      w'_i (p - e_{l_i}) . u
 * where u = (v_1 . a_i, ..., v_C . a_i), (x) the outer and o the elementwise product.
 */
#ifndef BLO_SOFTMAX_H
#define BLO_SOFTMAX_H

#include <blo/problem.h>

/** A classifier on one set of samples. */
typedef struct softmax {
  blo_features features;
  const blo_set *set;
  const double *packed_y; /**< weights as blo_features_pack() made them */
  const double *packed_v; /**< as softmax_pack_directions() made them */
} softmax;

/** More classes than this are refused: blocks of rows live on the stack. */
enum { SOFTMAX_MAX_CLASSES = 256 };

/** Doubles kept per sample by a linearisation: p and CE. */
static inline blo_int softmax_cache_size(blo_int n_classes)
{
  return n_classes + 1;
}

/** Pack the directions of products to come. @param[in] v [n_v] as y
 *  @param[out] packed [n_v * packed size of the features]. Call: Local. */
void softmax_pack_directions(const softmax *m, blo_int n_v, const double *const *v, double *packed);

/** Add a shard's contributions; `weighted`: x holds the samples' logits. Call: Local. */
void softmax_shard(const softmax *m, const blo_shard_task *task, bool weighted,
                   const blo_shard_out *out);

/** sigmoid, without overflow for any argument. */
double softmax_sigmoid(double x);

/** Add a shard's summed cross-entropy and number of right answers. @param[in,out] sums [2] */
void softmax_score(const softmax *m, blo_int shard, double *sums);

#endif

/** @file What the files of the derivative checks share. */
#ifndef BLO_CHECK_PRIVATE_H
#define BLO_CHECK_PRIVATE_H

#include <blo/check.h>

/** The vectors of an answer, as a list: the level and the want bit of each. */
enum { BLO_CHECK_VECTORS = 6 };
typedef struct blo_check_vectors {
  blo_vec **at[BLO_CHECK_VECTORS]; /**< g_y, hv, f_y, g_x, jv, f_x */
} blo_check_vectors;
blo_check_vectors blo_check_vectors_of(blo_answer *answer);
/** Of these, f_y and f_x belong to the upper level. */
blo_level blo_check_vector_level(int k);

/** The point, the directions, and the oracles' answers. */
typedef struct blo_checker {
  blo_eval *eval;
  const blo_batch *lower, *upper; /**< NULL: all samples */
  const blo_vec *x, *y;
  blo_vec *u, *v, *w; /**< directions: in y, in y, in x */
  blo_vec *x_moved, *y_moved;
  blo_answer at;          /**< everything at (x, y), products with v */
  blo_answer work, other; /**< of other sweeps */
} blo_checker;

/** The question for everything at (x, y), products with v, on the checker's batches. Local. */
blo_ask blo_check_ask_all(const blo_checker *c);
/** difference / scale, but 0 for 0 / 0. Local. */
double blo_check_ratio(double difference, double scale);
/** A batch is the weighted mean of its two halves; c->at is given. Collective. */
blo_status blo_check_halves(blo_checker *c, blo_check_row *row);

#endif

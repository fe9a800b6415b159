/**
 * @file Where the parts of a sweep go, for the files of this layer only.
 *
 * The message is the concatenation of the packed y-vectors that are wanted, the x-vectors, and the
 * riders. A vector that is aligned with the samples is not in it: each rank writes its own slices,
 * and nothing needs to be summed.
 */
#ifndef BLO_EVAL_PLAN_H
#define BLO_EVAL_PLAN_H

#include "eval_private.h"

/** The vectors that a sweep can give; PART_HV + i and PART_JV + i are of direction i. */
typedef enum part {
  PART_G_Y,
  PART_HV,
  PART_F_Y = PART_HV + BLO_DIRECTIONS_MAX,
  PART_G_X,
  PART_JV,
  PART_F_X = PART_JV + BLO_DIRECTIONS_MAX,
  N_PARTS
} part;

typedef struct plan {
  blo_int n_v;              /**< directions that take part */
  blo_vec *target[N_PARTS]; /**< where the caller wants it; NULL: not wanted */
  bool aligned[N_PARTS];    /**< the shards add into their slices of the target */
  blo_int offset[N_PARTS];  /**< in the message; -1: not in it */
  blo_int riders, len;
  bool silent;     /**< nothing needs to be sent */
  double scale[2]; /**< of the two levels' contributions */
} plan;

static inline bool is_x_part(int k)
{
  return k >= PART_G_X;
}

/** In a joined sweep: the part that shares its place with this part of f; -1 for other parts. */
static inline int twin_of(const blo_ask *ask, int k)
{
  if (!ask->join || (k != PART_F_Y && k != PART_F_X)) {
    return -1;
  }
  return k == PART_F_Y ? PART_HV : PART_JV;
}

/** The words for a part. Call: Local. */
const char *blo_eval_part_name(int k);
/** The batch of a level. Call: Local. */
const blo_batch *blo_eval_batch_of(const blo_eval *e, const blo_ask *ask, blo_level level);
/** Lay out a sweep. Call: Local, the same on every rank. */
void blo_eval_make_plan(const blo_eval *e, const blo_ask *ask, const blo_answer *ans, plan *pl);

#endif

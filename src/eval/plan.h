/**
 * @file Where the parts of a sweep go, for the files of this layer only.
 *
 * The message is the concatenation of the vectors that are wanted (packed y-vectors, x-vectors) in
 * the order of their parts, and the riders. A vector that is aligned with the samples is not in it:
 * each rank writes its own slices, and nothing needs to be summed.
 *
 * A scattered sweep has only products and riders in its message, so the products of consecutive
 * directions lie together: what a rank is given of the sum is one piece, and the riders.
 */
#ifndef BLO_EVAL_PLAN_H
#define BLO_EVAL_PLAN_H

#include "eval_private.h"

/** The vectors that a sweep can give; PART_HV + 2 i and PART_JV + 2 i are of direction i. */
typedef enum part {
  PART_G_Y,
  PART_G_X,
  PART_HV,
  PART_JV,
  PART_F_Y = PART_HV + 2 * BLO_DIRECTIONS_MAX,
  PART_F_X,
  N_PARTS
} part;

/** Which directions of its caller's a sweep takes. */
typedef struct span {
  blo_int first; /**< its direction i is the caller's first + i */
  blo_int of;    /**< that the caller has */
} span;

typedef struct plan {
  span span;
  blo_int n_v;              /**< directions that take part */
  bool scatter;             /**< products go to the rank of their direction only */
  blo_vec *target[N_PARTS]; /**< where the caller wants it on this rank; NULL: nowhere */
  bool aligned[N_PARTS];    /**< the shards add into their slices of the target */
  blo_int offset[N_PARTS];  /**< in the message; -1: not in it */
  blo_int riders, len;
  bool silent;     /**< nothing needs to be sent */
  double scale[2]; /**< of the two levels' contributions */
} plan;

static inline bool is_x_part(int k)
{
  return k % 2 == 1;
}

static inline bool is_product(int k)
{
  return k >= PART_HV && k < PART_F_Y;
}

static inline int hv_part(blo_int direction)
{
  return PART_HV + 2 * (int)direction;
}

static inline int jv_part(blo_int direction)
{
  return PART_JV + 2 * (int)direction;
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
/** Lay out a sweep over these directions of the caller's. Call: Local, the same on every rank. */
void blo_eval_make_plan(const blo_eval *e, const blo_ask *ask, span which, const blo_answer *ans,
                        plan *pl);
/** Where the piece of rank r begins in the message of a scattered sweep; r = size: the riders.
 *  Call: Local. */
blo_int blo_eval_piece_begin(const blo_eval *e, const plan *pl, int r);

#endif

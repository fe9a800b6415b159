/** @file A question, its layout and its place in the message, for the files of this layer only. */
#ifndef BLO_EVAL_TURN_H
#define BLO_EVAL_TURN_H

#include "plan.h"

typedef struct turn {
  const blo_ask *ask;
  blo_answer *answer;
  plan plan;
  blo_point at;
  blo_int base; /**< where its numbers begin in the message */
} turn;

/** What the shards and the ranks have added up, and the terms without samples. Call: Collective.
 *  @param[in] total  the numbers of this turn */
blo_status blo_eval_finish_turn(blo_eval *e, const turn *t, const double *total);
/** Zero what this rank stores of a vector, owned or not. Call: Local. */
void blo_eval_clear(blo_vec *v);

#endif

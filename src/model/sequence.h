/** @file Sequences: nodes [time][..] of which each row has a length. */
#ifndef BLO_SEQUENCE_H
#define BLO_SEQUENCE_H

#include "graph_private.h"

/** Steps of row r before its padding, of `time` in all. */
static inline blo_int sequence_length(const op_call *c, blo_int r, blo_int time)
{
  bool full = c->batch == NULL || c->length == NULL || c->length[r] > time;

  return full ? time : c->length[r];
}

#endif

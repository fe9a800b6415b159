/**
 * @file
 * state (layer linalg): what must survive a restart, as a list of named entries. Each block of a
 * solver enters what it owns; a checkpoint is a walk over the list and knows nothing of algorithms.
 * Random streams need no entry: their numbers follow from the counters entered here.
 */
#ifndef BLO_STATE_H
#define BLO_STATE_H

#include <blo/dense.h>

typedef enum blo_state_kind {
  BLO_STATE_VEC,
  BLO_STATE_INT,
  BLO_STATE_DOUBLE,
  BLO_STATE_DENSE
} blo_state_kind;

typedef struct blo_state_entry {
  const char *name; /**< dotted, e.g. "lower.momentum"; borrowed */
  blo_state_kind kind;
  union {
    blo_vec *vec;
    blo_int *integer; /**< the same on all ranks */
    double *number;   /**< the same on all ranks */
    blo_dense *dense;
  } at;
} blo_state_entry;

typedef struct blo_state blo_state;

/** Make an empty list. Call: Local. */
BLO_API BLO_MUST_USE blo_status blo_state_create(blo_context *ctx, blo_state **out);
/** Free the list, not what it points to. NULL is accepted. Call: Local. */
BLO_API void blo_state_destroy(blo_state **state);
/** Enter a vector, an integer, a number, a matrix, all borrowed. Names are unique. Call: Local.
 *  @return BLO_OK; BLO_E_MEMORY */
BLO_API BLO_MUST_USE blo_status blo_state_add_vec(blo_state *state, const char *name, blo_vec *vec);
BLO_API BLO_MUST_USE blo_status blo_state_add_int(blo_state *state, const char *name, blo_int *at);
BLO_API BLO_MUST_USE blo_status blo_state_add_double(blo_state *state, const char *name,
                                                     double *at);
BLO_API BLO_MUST_USE blo_status blo_state_add_dense(blo_state *state, const char *name,
                                                    blo_dense *dense);
/** The entries, in the order in which they were entered. Call: Local. */
BLO_API blo_int blo_state_count(const blo_state *state);
BLO_API const blo_state_entry *blo_state_get(const blo_state *state, blo_int i);
/** The entry of that name, or NULL. Call: Local. */
BLO_API const blo_state_entry *blo_state_find(const blo_state *state, const char *name);

#endif

/** @file An x or y in the run file: one array, or a group with an array for each named part. */
#ifndef BLO_RUN_POINT_H
#define BLO_RUN_POINT_H

#include <blo/checkpoint.h>
#include <blo/model.h>

/** A vector, and what it is made of. */
typedef struct blo_point_vector {
  const blo_params *params; /**< names of its parts, or NULL */
  blo_owner owner;
  const double *data; /**< [n] */
  blo_int n;
  blo_int n_items; /**< tasks that own n / n_items numbers each, which the blocks describe; 0: it is
                      not split */
  const char *help; /**< what it is, in words */
} blo_point_vector;

/**
 * Write a vector at `path`. Covered by blocks it is a group of arrays `path`/BLOCK with the blocks'
 * dimensions, behind [n_items] if it is split among tasks; else one array. Call: Local.
 * @return BLO_OK; BLO_E_IO; BLO_E_MEMORY
 */
BLO_MUST_USE blo_status blo_point_write(blo_context *ctx, blo_h5 *h5, const char *path,
                                        const blo_point_vector *vector);

#endif

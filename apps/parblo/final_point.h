/** @file Where a run ended: its configuration and the x and y of its run file or checkpoint. */
#ifndef BLO_APP_FINAL_POINT_H
#define BLO_APP_FINAL_POINT_H

#include <blo/blo.h>

typedef struct blo_final {
  const char *path;
  blo_h5 *file; /**< at the root */
  bool is_run;  /**< a run file, not a checkpoint */
  char *config; /**< the resolved configuration */
  blo_int iteration;
} blo_final;

/**
 * Open the file on the root, and tell all ranks what it is. Call: Collective.
 * @param[out] f  close with blo_final_close(), also after a failure
 * @return BLO_OK; BLO_E_IO; BLO_E_FORMAT; BLO_E_DATA if the run has not saved a point yet
 */
BLO_MUST_USE blo_status blo_final_open(blo_comm *comm, const char *path, blo_final *f);
/** Close the file and free what was read. Call: Local. */
void blo_final_close(blo_context *ctx, blo_final *f);
/**
 * Read the point. Call: Collective.
 * @param[out] x, y  in the spaces of the problem; x is published
 * @return BLO_OK; BLO_E_MISMATCH if sizes, or a checkpoint's data, are not those of the problem;
 *         BLO_E_FORMAT; BLO_E_MEMORY
 */
BLO_MUST_USE blo_status blo_final_read(blo_comm *comm, const blo_final *f, const blo_problem *p,
                                       blo_vec *x, blo_vec *y);

#endif

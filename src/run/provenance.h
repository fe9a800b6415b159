/** @file Where a run took place and what it was made with, for its run file. */
#ifndef BLO_RUN_PROVENANCE_H
#define BLO_RUN_PROVENANCE_H

#include <blo/run.h>

typedef struct blo_provenance {
  blo_context *ctx;
  char *hosts; /**< names of the ranks' hosts, each once, separated by commas; on the root */
  int ranks, isa;
  char started[32]; /**< ISO 8601, UTC */
} blo_provenance;

/** Collect it. Call: Collective. @return BLO_OK; BLO_E_MEMORY */
BLO_MUST_USE blo_status blo_provenance_collect(blo_comm *comm, blo_provenance *p);
/** Free what blo_provenance_collect() made. Call: Local. */
void blo_provenance_clear(blo_provenance *p);
/** Write the group "provenance". Call: Local. @return BLO_OK; BLO_E_IO; BLO_E_MEMORY */
BLO_MUST_USE blo_status blo_provenance_write(const blo_provenance *p, blo_h5 *file);

#endif

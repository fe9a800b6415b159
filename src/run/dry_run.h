/** @file What `--dry-run` prints instead of running. */
#ifndef BLO_RUN_DRY_RUN_H
#define BLO_RUN_DRY_RUN_H

#include <blo/run.h>

/** Print pipeline, cost, memory and the resolved configuration on the root. Call: Collective. */
void blo_dry_run_print(blo_comm *comm, const blo_setup *setup, const char *resolved);

#endif

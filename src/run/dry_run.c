/** @file Describing a run without running it. */
#include "dry_run.h"

void blo_dry_run_print(blo_comm *comm, const blo_setup *setup, const char *resolved)
{
  double mib = (double)blo_memory(blo_comm_context(comm)).peak_bytes / 0x1p20;
  double most = blo_max_all(comm, mib);
  double all = (double)blo_sum_all(comm, blo_memory(blo_comm_context(comm)).peak_bytes) / 0x1p20;

  if (blo_comm_rank(comm) != BLO_ROOT) {
    return;
  }
  blo_solver_describe(setup->solver, stdout);
  printf("memory    at most %.1f MiB on a rank, %.1f MiB on %d ranks\n", most, all,
         blo_comm_size(comm));
  printf("\n# the configuration with all defaults\n%s", resolved);
  fflush(stdout);
}

/* Everything fails once: the k-th fallible operation of each rank in turn (SQLite's and libuv's
 * out-of-memory loops, over ranks). */
#include "harness.h"
#include "running.h"

/* Far above what any call has; a sweep that gets here arms faults that are never counted down. */
enum { K_MAX = 100000 };

/* One run with a fault; true if it struck. Leaves the test unless status and memory are right. */
static bool run_with_fault(blo_comm *comm, blo_status (*call)(blo_comm *comm, void *arg), void *arg,
                           int victim, blo_int k)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_int before = blo_memory(ctx).live;
  blo_fault_arm(ctx, blo_comm_rank(comm) == victim ? k : 0);
  blo_status got = call(comm, arg);
  bool struck = blo_fault_struck(ctx);
  blo_fault_arm(ctx, 0);
  MPI_Bcast(&struck, 1, MPI_C_BOOL, victim, blo_test_now()->mpi);
  blo_status want = struck ? BLO_E_FAULT : BLO_OK;
  BLO_REQUIRE_MSG(got == want, "operation %lld of rank %d %s: \"%s\", not \"%s\": %s", (long long)k,
                  victim, struck ? "failing" : "does not exist", blo_status_text(got),
                  blo_status_text(want), blo_error_text(ctx));
  BLO_REQUIRE_MSG(blo_memory(ctx).live == before,
                  "operation %lld of rank %d failing leaves %lld live allocations", (long long)k,
                  victim, (long long)(blo_memory(ctx).live - before));
  return struck;
}

blo_int blo_test_sweep_faults(blo_comm *comm, blo_status (*call)(blo_comm *comm, void *arg),
                              void *arg)
{
  blo_int n_struck = 0;
  for (int victim = 0; victim < blo_comm_size(comm); victim++) {
    blo_int k = 1;
    while (run_with_fault(comm, call, arg, victim, k)) {
      k++;
      BLO_REQUIRE_MSG(k < K_MAX, "operation %lld of rank %d still fails", (long long)k, victim);
    }
    n_struck += k - 1;
  }
  return n_struck;
}

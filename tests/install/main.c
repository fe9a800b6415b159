/* A user's program: the sum of 1 over all ranks is the number of ranks. */
#include <blo/comm.h>
#include <stdio.h>

int main(int argc, char **argv)
{
  blo_context *ctx = NULL;
  blo_comm *comm = NULL;
  MPI_Init(&argc, &argv);
  blo_status status = blo_context_create(&ctx);
  if (status == BLO_OK) {
    status = blo_comm_create(ctx, MPI_COMM_WORLD, &comm);
  }
  if (status == BLO_OK) {
    blo_int sum = blo_sum_all(comm, 1);
    printf("sum %lld of %d\n", (long long)sum, blo_comm_size(comm));
  }
  blo_comm_destroy(&comm);
  blo_context_destroy(&ctx);
  MPI_Finalize();
  return status != BLO_OK;
}

/** @file The communicator: a duplicate of the user's, and broadcasts of any length. */
#include "comm_private.h"
#include <string.h>

blo_status blo_comm_create(blo_context *ctx, MPI_Comm mpi, blo_comm **out)
{
  blo_comm *comm = NULL;
  blo_status status = blo_alloc(ctx, 1, sizeof *comm, &comm);
  int ok = status == BLO_OK, all_ok = 0;

  MPI_Allreduce(&ok, &all_ok, 1, MPI_INT, MPI_MIN, mpi);
  if (!all_ok) {
    blo_free(ctx, &comm);
    return status != BLO_OK ? status
                            : blo_fail(ctx, BLO_E_MEMORY, __FILE__, __LINE__,
                                       "another rank has no memory for a communicator");
  }
  comm->ctx = ctx;
  MPI_Comm_dup(mpi, &comm->mpi);
  MPI_Comm_set_errhandler(comm->mpi, MPI_ERRORS_ARE_FATAL);
  MPI_Comm_rank(comm->mpi, &comm->rank);
  MPI_Comm_size(comm->mpi, &comm->size);
  *out = comm;
  return BLO_OK;
}

void blo_comm_destroy(blo_comm **comm)
{
  if (*comm != NULL) {
    MPI_Comm_free(&(*comm)->mpi);
    blo_free((*comm)->ctx, comm);
  }
}

int blo_comm_rank(const blo_comm *comm)
{
  return comm->rank;
}

int blo_comm_size(const blo_comm *comm)
{
  return comm->size;
}

blo_context *blo_comm_context(const blo_comm *comm)
{
  return comm->ctx;
}

MPI_Comm blo_comm_mpi(const blo_comm *comm)
{
  return comm->mpi;
}

blo_traffic blo_comm_traffic(const blo_comm *comm)
{
  return comm->traffic;
}

void blo_comm_count_broadcast(blo_comm *comm, blo_int n_bytes)
{
  comm->traffic.broadcasts++;
  comm->traffic.bytes += n_bytes;
}

void blo_comm_count_reduction(blo_comm *comm, blo_int n_bytes)
{
  comm->traffic.reductions++;
  comm->traffic.bytes += n_bytes;
}

void blo_bcast(blo_comm *comm, int root, void *data, blo_int n_bytes)
{
  char *at = data;

  blo_comm_count_broadcast(comm, n_bytes);
  for (blo_int left = n_bytes; left > 0;) {
    int piece = (int)(left < BLO_MPI_PIECE ? left : BLO_MPI_PIECE);
    MPI_Bcast(at, piece, MPI_BYTE, root, comm->mpi);
    at += piece;
    left -= piece;
  }
}

blo_status blo_bcast_text(blo_comm *comm, int root, char **text)
{
  blo_status status = BLO_OK;
  blo_int n = 0;

  if (comm->rank == root) {
    n = (blo_int)strlen(*text) + 1;
  }
  blo_bcast(comm, root, &n, sizeof n);
  if (comm->rank != root) {
    status = blo_alloc(comm->ctx, n, 1, text);
  }
  BLO_TRY(blo_agree(comm, status));
  blo_bcast(comm, root, *text, n);
  return BLO_OK;
}

double blo_max_all(blo_comm *comm, double value)
{
  MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_DOUBLE, MPI_MAX, comm->mpi);
  return value;
}

blo_int blo_sum_all(blo_comm *comm, blo_int value)
{
  MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_INT64_T, MPI_SUM, comm->mpi);
  return value;
}

/**
 * @file Agreement on errors: a failure on one rank becomes the same failure on all ranks before
 * any of them enters the next collective call (the idea of FFTW's any_true and libsc's scda).
 */
#include "comm_private.h"

typedef struct report {
  int status;
  char text[BLO_MESSAGE_MAX], site[256];
} report;

/** Let `root`'s error be everybody's. */
static blo_status share_error(blo_comm *comm, int root, blo_status status)
{
  report r = {(int)status, "", ""};

  if (comm->rank == root) {
    const char *from[] = {blo_error_text(comm->ctx), blo_error_site(comm->ctx)};
    for (size_t i = 0; i < sizeof r.text - 1 && from[0][i] != '\0'; i++) {
      r.text[i] = from[0][i];
    }
    for (size_t i = 0; i < sizeof r.site - 1 && from[1][i] != '\0'; i++) {
      r.site[i] = from[1][i];
    }
  }
  MPI_Bcast(&r, (int)sizeof r, MPI_BYTE, root, comm->mpi);
  blo_error_set(comm->ctx, r.text, r.site);
  return (blo_status)r.status;
}

blo_status blo_agree(blo_comm *comm, blo_status local)
{
  int first = local == BLO_OK ? comm->size : comm->rank;

  comm->traffic.agreements++;
  if (comm->size > 1) {
    MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, comm->mpi);
  }
  return first == comm->size ? BLO_OK : share_error(comm, first, local);
}

blo_status blo_agree_from(blo_comm *comm, int root, blo_status at_root)
{
  int status = (int)at_root;

  comm->traffic.agreements++;
  MPI_Bcast(&status, 1, MPI_INT, root, comm->mpi);
  return status == BLO_OK ? BLO_OK : share_error(comm, root, (blo_status)status);
}

/** @file The communicator's contents, for the files of this layer only. */
#ifndef BLO_COMM_PRIVATE_H
#define BLO_COMM_PRIVATE_H

#include <blo/comm.h>

struct blo_comm {
  blo_context *ctx;
  MPI_Comm mpi;
  int rank, size;
  blo_traffic traffic;
};

/** Largest number of items in one MPI call; longer transfers go in pieces. */
enum { BLO_MPI_PIECE = 1 << 28 };

#endif

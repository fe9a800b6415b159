/** @file Collecting and writing the provenance of a run. */
#include "provenance.h"
#include <blo/dense.h>
#include <cblas.h>
#include <hdf5.h>
#include <string.h>
#include <time.h>

#ifndef BLO_GIT_REVISION
#define BLO_GIT_REVISION "unknown"
#endif
#if defined __clang__
#define COMPILER "clang " __clang_version__
#elif defined __GNUC__
#define COMPILER "gcc " __VERSION__
#else
#define COMPILER "unknown"
#endif

enum { HOST_CAP = MPI_MAX_PROCESSOR_NAME + 1 };

/* Append the names [ranks][HOST_CAP] to `list`, each once. */
static void join_hosts(const char *names, int ranks, char *list)
{
  for (int r = 0; r < ranks; r++) {
    const char *name = names + (size_t)r * HOST_CAP;
    bool seen = false;
    for (int q = 0; q < r && !seen; q++) {
      seen = strcmp(names + (size_t)q * HOST_CAP, name) == 0;
    }
    if (!seen) {
      list += sprintf(list, "%s%s", r > 0 ? "," : "", name);
    }
  }
}

static blo_status collect_hosts(blo_comm *comm, blo_provenance *p)
{
  char own[HOST_CAP] = "", *names = NULL;
  blo_status status = BLO_OK;
  int length;

  if (blo_comm_rank(comm) == BLO_ROOT) {
    status = blo_alloc(p->ctx, p->ranks, HOST_CAP, &names);
    if (status == BLO_OK) {
      status = blo_alloc(p->ctx, p->ranks, HOST_CAP, &p->hosts);
    }
  }
  BLO_GO(blo_agree_from(comm, BLO_ROOT, status));
  MPI_Get_processor_name(own, &length);
  MPI_Gather(own, HOST_CAP, MPI_CHAR, names, HOST_CAP, MPI_CHAR, BLO_ROOT, blo_comm_mpi(comm));
  if (names != NULL) {
    join_hosts(names, p->ranks, p->hosts);
  }
done:
  blo_free(p->ctx, &names);
  return status;
}

blo_status blo_provenance_collect(blo_comm *comm, blo_provenance *p)
{
  time_t now = time(NULL);
  struct tm utc;

  *p = (blo_provenance){
      .ctx = blo_comm_context(comm), .ranks = blo_comm_size(comm), .isa = blo_isa_agree(comm)};
  if (gmtime_r(&now, &utc) != NULL) {
    strftime(p->started, sizeof p->started, "%Y-%m-%dT%H:%M:%SZ", &utc);
  }
  return collect_hosts(comm, p);
}

void blo_provenance_clear(blo_provenance *p)
{
  if (p->ctx != NULL) {
    blo_free(p->ctx, &p->hosts);
  }
}

static blo_status write_libraries(blo_h5 *file)
{
  char mpi[MPI_MAX_LIBRARY_VERSION_STRING + 1] = "", hdf5[64];
  unsigned major, minor, release;
  int length;

  MPI_Get_library_version(mpi, &length);
  BLO_TRY(blo_h5_put_text(file, "provenance/mpi", mpi));
  H5get_libversion(&major, &minor, &release);
  snprintf(hdf5, sizeof hdf5, "%u.%u.%u", major, minor, release);
  BLO_TRY(blo_h5_put_text(file, "provenance/hdf5", hdf5));
  BLO_TRY(blo_h5_put_text(file, "provenance/eigenvalues", blo_eigen_library()));
  return blo_h5_put_text(file, "provenance/blas", openblas_get_config());
}

blo_status blo_provenance_write(const blo_provenance *p, blo_h5 *file)
{
  BLO_TRY(blo_h5_put_text(file, "provenance/version", BLO_VERSION));
  BLO_TRY(blo_h5_put_text(file, "provenance/revision", BLO_GIT_REVISION));
  BLO_TRY(blo_h5_put_text(file, "provenance/compiler", COMPILER));
  BLO_TRY(write_libraries(file));
  BLO_TRY(blo_h5_put_text(file, "provenance/isa", blo_isa_name(p->isa)));
  BLO_TRY(blo_h5_put_text(file, "provenance/hosts", p->hosts));
  BLO_TRY(blo_h5_put_int(file, "provenance/ranks", p->ranks));
  return blo_h5_put_text(file, "provenance/started", p->started);
}

/* Folders for the files of a test, below one folder per program that is removed at its end. */
#define _XOPEN_SOURCE 700 /* nftw */
#include "harness.h"
#include "running.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { PATH_CAP = 512 };

/* The program's own folder, "" before the first call; and the number of folders in it. */
static char base[PATH_CAP];
static int n_made;

static void make_base(void)
{
  const char *tmp = getenv("TMPDIR");
  snprintf(base, sizeof base, "%s/parblo-test-XXXXXX", tmp != NULL && *tmp != '\0' ? tmp : "/tmp");
  BLO_BUG_IF(mkdtemp(base) == NULL, "cannot make a folder %s", base);
}

void blo_test_tmpdir(blo_comm *comm, char *path, size_t cap)
{
  (void)comm;
  const blo_test_running *now = blo_test_now();
  if (base[0] == '\0') {
    if (now->rank == 0) {
      make_base();
    }
    MPI_Bcast(base, PATH_CAP, MPI_CHAR, 0, now->mpi);
  }
  int length = snprintf(path, cap, "%s/%d", base, n_made++);
  BLO_BUG_IF(length < 0 || (size_t)length >= cap, "path of %d bytes into %zu", length, cap);
  if (now->rank == 0) {
    BLO_BUG_IF(mkdir(path, S_IRWXU) != 0, "cannot make the folder %s", path);
  }
  MPI_Barrier(now->mpi);
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *where)
{
  (void)info, (void)type, (void)where;
  return remove(path);
}

void blo_test_tmpdir_remove(void)
{
  const blo_test_running *now = blo_test_now();
  MPI_Barrier(now->mpi);
  if (now->rank == 0 && base[0] != '\0' && nftw(base, remove_one, 8, FTW_DEPTH | FTW_PHYS) != 0) {
    printf("cannot remove %s\n", base);
  }
}

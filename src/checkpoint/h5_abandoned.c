/**
 * @file Temporary files of processes that were killed while they wrote, told from those that are
 * being written: by the process number in the name, and by their age.
 */
#include "h5_private.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/** The number after the last mark; 0 if `path` is no name of a temporary file. */
static long process_of(const char *path)
{
  const char *at = NULL;
  char *end;
  long process;

  for (const char *next = strstr(path, BLO_H5_TEMPORARY); next != NULL;
       next = strstr(at, BLO_H5_TEMPORARY)) {
    at = next + sizeof BLO_H5_TEMPORARY - 1;
  }
  if (at == NULL) {
    return 0;
  }
  process = strtol(at, &end, 10);
  return end != at && *end == '\0' && process > 0 && (pid_t)process == process ? process : 0;
}

static bool is_gone(long process)
{
  return kill((pid_t)process, 0) != 0 && errno == ESRCH;
}

static bool is_old(const char *path)
{
  const double day = 86400; /* s */
  struct stat is;

  return stat(path, &is) == 0 && difftime(time(NULL), is.st_mtime) > day;
}

bool blo_h5_is_abandoned(const char *path)
{
  long process = process_of(path);

  return process > 0 && (is_gone(process) || is_old(path));
}

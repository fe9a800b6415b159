/** @file HDF5's own error reports: silenced, and turned into the reasons in our messages. */
#include "hdf5_private.h"
#include <stdio.h>

void blo_hdf5_silence(blo_hdf5_report *was)
{
  H5Eget_auto2(H5E_DEFAULT, &was->print, &was->data);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

void blo_hdf5_restore(const blo_hdf5_report *was)
{
  H5Eset_auto2(H5E_DEFAULT, was->print, was->data);
}

enum { REASON_MAX = 400 };

/** Called for each record of the error stack, the cause of all first. */
static herr_t take_first(unsigned n, const H5E_error2_t *error, void *reason)
{
  if (n == 0 && error->desc != NULL) {
    snprintf(reason, REASON_MAX, "%s", error->desc);
    for (char *c = reason; *c != '\0'; c++) {
      *c = *c == '\n' ? ' ' : *c; /* our messages are lines */
    }
  }
  return 0;
}

blo_status blo_hdf5_fail(blo_context *ctx, blo_status status, const char *file, int line,
                         const char *path, const char *what)
{
  char reason[REASON_MAX] = "no reason given";

  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_first, reason);
  return blo_fail(ctx, status, file, line, "%s: %s (HDF5: %s)", path, what, reason);
}

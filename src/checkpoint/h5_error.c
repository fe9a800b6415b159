/** @file The reason of a failed HDF5 call: what the disk said, else HDF5's error stack. */
#include "h5_private.h"
#include <stdio.h>
#include <string.h>

/** The first entry on the way up is the place where it went wrong. */
static herr_t take_deepest(unsigned n, const H5E_error2_t *entry, void *reason)
{
  if (n == 0 && entry->desc != NULL) {
    blo_h5_reason *r = reason;
    snprintf(r->text, sizeof r->text, "%s", entry->desc);
  }
  return 0;
}

blo_h5_reason blo_h5_why(const blo_h5 *f)
{
  blo_h5_reason reason = {"HDF5 gives no reason"};

  if (f->disk.error != 0) {
    snprintf(reason.text, sizeof reason.text, "%s", strerror(f->disk.error));
  } else {
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_deepest, &reason);
  }
  return reason;
}

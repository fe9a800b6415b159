/** @file How the entries of a state, and what identifies its run, are spelled in a checkpoint. */
#include "checkpoint_private.h"
#include <inttypes.h>
#include <stdio.h>

void blo_ckpt_entry_path(const blo_state_entry *entry, char *path)
{
  int length = snprintf(path, BLO_CKPT_PATH_MAX, BLO_CKPT_STATE "/%s", entry->name);

  BLO_BUG_IF(length < 0 || length >= BLO_CKPT_PATH_MAX, "the name of state entry '%s' is too long",
             entry->name);
}

void blo_ckpt_fingerprint_text(uint64_t fingerprint, char *text)
{
  snprintf(text, BLO_CKPT_FINGERPRINT_MAX, "%016" PRIx64, fingerprint);
}

/**
 * @file Failures of sweeps that send nothing: kept on their rank, the first one, until the ranks
 * communicate.
 */
#include "eval_private.h"
#include <stdio.h>

void blo_eval_keep(blo_eval *e, blo_status local)
{
  if (local != BLO_OK && e->kept == BLO_OK) {
    e->kept = local;
    snprintf(e->kept_text, sizeof e->kept_text, "%s", blo_error_text(e->ctx));
    snprintf(e->kept_site, sizeof e->kept_site, "%s", blo_error_site(e->ctx));
  }
}

blo_status blo_eval_settle(blo_eval *e)
{
  blo_status local = e->kept;

  if (local != BLO_OK) {
    blo_error_set(e->ctx, e->kept_text, e->kept_site);
    e->kept = BLO_OK;
  }
  return blo_agree(e->comm, local);
}

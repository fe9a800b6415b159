/** @file What the driver writes: checkpoints and the run file. */
#include "driver.h"

blo_failure blo_failure_keep(const blo_context *ctx, blo_status status)
{
  blo_failure f = {.status = status};

  snprintf(f.text, sizeof f.text, "%s", blo_error_text(ctx));
  snprintf(f.site, sizeof f.site, "%s", blo_error_site(ctx));
  return f;
}

blo_status blo_failure_tell(blo_context *ctx, const blo_failure *f)
{
  if (f->status != BLO_OK) {
    blo_error_set(ctx, f->text, f->site);
  }
  return f->status;
}

void blo_driver_note(blo_driver *d, blo_status status)
{
  if (status != BLO_OK && d->trouble.status == BLO_OK) {
    d->trouble = blo_failure_keep(d->ctx, status);
    blo_eval_notify(d->eval, BLO_NOTICE_CHECKPOINT);
  }
}

/* Write the run file, and see when to do that again. */
static blo_status write_local(blo_driver *d)
{
  const double share = 0.05; /* of the time */
  double begin = blo_now(), pause;
  blo_status status;

  blo_meter_read(&d->meter);
  d->result->iterations = d->solver->k;
  d->result->seconds = d->meter.now.seconds;
  status = blo_run_file_write(&d->file, d->result);
  d->flush_seconds = blo_now() - begin;
  pause = d->flush_seconds / share;
  d->next_flush = blo_now() + (pause > d->options->flush_every ? pause : d->options->flush_every);
  return status;
}

void blo_driver_flush(blo_driver *d)
{
  blo_phase before;
  blo_status status;

  if (!d->is_root || blo_now() < d->next_flush) {
    return;
  }
  before = blo_phase_enter(d->ctx, BLO_PHASE_FILE);
  status = write_local(d);
  if (status == BLO_E_IO) {
    blo_log(d->ctx, BLO_LOG_ERROR, "run", "%s; the run goes on", blo_error_text(d->ctx));
  } else {
    blo_driver_note(d, status);
  }
  blo_phase_enter(d->ctx, before);
}

blo_status blo_driver_write(blo_driver *d)
{
  blo_phase before = blo_phase_enter(d->ctx, BLO_PHASE_FILE);
  blo_status status = d->is_root ? write_local(d) : BLO_OK;

  blo_phase_enter(d->ctx, before);
  return blo_agree_from(d->comm, BLO_ROOT, status);
}

static blo_status save_checkpoint(blo_driver *d)
{
  blo_snapshot snap = {.iteration = d->solver->k,
                       .problem = d->setup->problem->type->name,
                       .solver = d->solver->type->name,
                       .fingerprint = d->setup->problem->fingerprint,
                       .config = d->file.resolved,
                       .version = BLO_VERSION,
                       .note = d->solver->evidence,
                       .state = d->solver->state,
                       .history = d->history->rows};
  const blo_run_options *o = d->options;

  blo_meter_read(&d->meter);
  BLO_TRY(blo_checkpoint_save(d->comm, o->output, o->name, o->checkpoint_keep, &snap,
                              d->result->checkpoint, sizeof d->result->checkpoint));
  d->saved_at = d->solver->k;
  return BLO_OK;
}

static blo_status save_all(blo_driver *d)
{
  double begin = blo_now(), seconds;
  char last[sizeof d->result->checkpoint];
  blo_status status;

  snprintf(last, sizeof last, "%s", d->result->checkpoint);
  status = save_checkpoint(d);
  if (status != BLO_OK) {
    snprintf(d->result->checkpoint, sizeof last, "%s", last);
    return status;
  }
  blo_run_file_gather(&d->file, d->solver);
  seconds = blo_now() - begin;
  d->save_seconds = seconds > d->save_seconds ? seconds : d->save_seconds;
  return blo_driver_write(d);
}

/* Trouble ends the run, so what can still be saved is saved first. */
blo_status blo_driver_save(blo_driver *d)
{
  blo_phase before = blo_phase_enter(d->ctx, BLO_PHASE_FILE);
  blo_status saved = save_all(d);
  blo_status trouble = blo_agree_from(d->comm, BLO_ROOT, blo_failure_tell(d->ctx, &d->trouble));

  blo_phase_enter(d->ctx, before);
  return trouble != BLO_OK ? trouble : saved;
}

/** @file The outer loop. */
#include "driver.h"
#include "interrupt.h"
#include <math.h>
#include <string.h>

/* A guess until the first checkpoint has been timed: 100 MB/s, and some time for the file system.
 */
static double guess_save_seconds(const blo_solver *solver)
{
  double bytes = 0;

  for (blo_int i = 0; i < blo_state_count(solver->state); i++) {
    const blo_state_entry *entry = blo_state_get(solver->state, i);
    if (entry->kind == BLO_STATE_VEC) {
      bytes += 8 * (double)blo_space_n(entry->at.vec->space);
    }
    if (entry->kind == BLO_STATE_DENSE) {
      bytes += 8 * (double)blo_dense_m(entry->at.dense) * (double)blo_dense_n(entry->at.dense);
    }
  }
  return 0.1 + bytes / 1e8;
}

/* What a resumed run must know of the last iteration, to end or to go on as if it had not ended. */
static blo_status enter_state(blo_driver *d)
{
  blo_state *state = d->solver->state;

  BLO_TRY(blo_state_add_double(state, "run.stationarity", &d->stationarity));
  BLO_TRY(blo_state_add_int(state, "run.converged", &d->converged));
  BLO_TRY(blo_state_add_int(state, "run.second_order", &d->second_order));
  BLO_TRY(blo_state_add_int(state, "run.closing", &d->closing));
  return blo_meter_enter(&d->meter, blo_eval_counts(d->eval), state);
}

static blo_status init_local(blo_driver *d)
{
  BLO_TRY(blo_history_create(d->comm, d->setup->problem->type, &d->history));
  BLO_TRY(enter_state(d));
  d->file.history = d->history;
  return d->is_root ? blo_run_path(d->ctx, d->options->output, d->options->name, d->file.path)
                    : BLO_OK;
}

/* The copy of the state; after it, what saving needs must still find room. */
static blo_status reserve(blo_driver *d)
{
  if (d->options->rescue) {
    BLO_TRY(blo_rescue_create(d->comm, d->solver->state, &d->rescue));
  }
  return blo_agree(d->comm, d->is_root ? blo_run_file_reserve(&d->file, d->solver) : BLO_OK);
}

blo_status blo_driver_init(blo_driver *d, blo_comm *comm, blo_setup *setup, const char *given,
                           const char *resolved, blo_run_result *result)
{
  *d = (blo_driver){.comm = comm,
                    .ctx = blo_comm_context(comm),
                    .is_root = blo_comm_rank(comm) == BLO_ROOT,
                    .setup = setup,
                    .options = &setup->run,
                    .solver = setup->solver,
                    .eval = setup->eval,
                    .result = result,
                    .report = blo_report_none(),
                    .stationarity = (double)NAN,
                    .saved_at = -1,
                    .save_seconds = guess_save_seconds(setup->solver)};
  d->file = (blo_run_file){.ctx = d->ctx,
                           .given = given,
                           .resolved = resolved,
                           .problem = setup->problem->type->name,
                           .solver = setup->solver->type->name,
                           .provenance = &d->provenance,
                           .final_at = -1};
  BLO_TRY(blo_provenance_collect(comm, &d->provenance));
  BLO_TRY_ALL(comm, init_local(d));
  return reserve(d);
}

void blo_driver_clear(blo_driver *d)
{
  blo_rescue_destroy(&d->rescue);
  blo_run_file_clear(&d->file);
  blo_provenance_clear(&d->provenance);
  blo_history_destroy(&d->history);
}

/* How a method that has met its own stopping test ends: it may have looked at the second order. */
static blo_outcome converged_outcome(const blo_driver *d)
{
  static const blo_outcome outcomes[] = {
      [BLO_SECOND_ORDER_NONE] = BLO_OUTCOME_CONVERGED,
      [BLO_SECOND_ORDER_UNDECIDED] = BLO_OUTCOME_UNDECIDED,
      [BLO_SECOND_ORDER_SADDLE] = BLO_OUTCOME_UNDECIDED,
      [BLO_SECOND_ORDER_MINIMUM] = BLO_OUTCOME_MINIMUM,
  };

  return outcomes[d->second_order];
}

/* What the method knows of the second order goes with the outcome. */
static void tell_second_order(blo_driver *d)
{
  if (d->second_order != BLO_SECOND_ORDER_NONE) {
    snprintf(d->result->reason, sizeof d->result->reason, "second order: %s; %s",
             blo_second_order_text((blo_second_order)d->second_order), d->solver->evidence);
  }
}

_Static_assert((int)BLO_EVIDENCE_MAX == (int)BLO_NOTE_MAX, "a checkpoint has room for evidence");

/* A run that had met its own test goes on only if that was not decided. */
static void reopen(blo_driver *d)
{
  if (d->second_order == BLO_SECOND_ORDER_UNDECIDED) {
    d->converged = 0;
  }
  if (d->converged != 0) {
    blo_log(d->ctx, BLO_LOG_RESULT, "run", "the method had ended the run: %s",
            blo_outcome_text(converged_outcome(d)));
  }
}

blo_status blo_driver_load(blo_driver *d, const char *path)
{
  blo_snapshot snap = {.problem = d->setup->problem->type->name,
                       .solver = d->solver->type->name,
                       .fingerprint = d->setup->problem->fingerprint,
                       .version = BLO_VERSION,
                       .note = d->solver->evidence,
                       .state = d->solver->state,
                       .history = d->history->rows};

  BLO_TRY(blo_checkpoint_load(d->comm, path, &snap));
  d->first = d->saved_at = d->solver->k;
  blo_run_file_gather(&d->file, d->solver);
  snprintf(d->result->checkpoint, sizeof d->result->checkpoint, "%s", path);
  blo_log(d->ctx, BLO_LOG_RESULT, "run", "resuming from %s at iteration %lld", path,
          (long long)d->first);
  reopen(d);
  return BLO_OK;
}

/* ----------------------------------------------------------------- one iteration */

static bool metrics_due(const blo_driver *d, blo_int k)
{
  return k % d->options->metrics_every == 0;
}

static bool cadence_due(const blo_driver *d, blo_int k)
{
  return k % d->options->record_every == 0 || metrics_due(d, k);
}

static bool row_due(const blo_driver *d, blo_int k)
{
  return cadence_due(d, k) || k == d->options->iterations;
}

static blo_int closing_of(const blo_driver *d, blo_int k)
{
  if (metrics_due(d, k)) {
    return BLO_CLOSING_NOTHING;
  }
  return cadence_due(d, k) ? BLO_CLOSING_METRICS : BLO_CLOSING_ROW;
}

static blo_status evaluate_metrics(blo_driver *d)
{
  if (d->setup->problem->type->n_metrics == 0) {
    return BLO_OK;
  }
  BLO_TRY(blo_eval_metrics(d->eval, d->solver->x, d->solver->y, d->history->metrics));
  d->history->metrics_at = d->solver->k;
  return BLO_OK;
}

/* The row of this iteration; `last`: the run has come to its end, not to an interruption. */
static blo_status record(blo_driver *d, bool last)
{
  blo_int k = d->solver->k;
  blo_phase before;
  blo_status status = BLO_OK;

  d->closing = last ? closing_of(d, k) : BLO_CLOSING_NOTHING;
  if (!last && !row_due(d, k)) {
    return BLO_OK;
  }
  before = blo_phase_enter(d->ctx, BLO_PHASE_MONITOR);
  if (last || metrics_due(d, k)) {
    BLO_GO(evaluate_metrics(d));
  }
  blo_meter_read(&d->meter);
  blo_driver_note(
      d, blo_history_add(d->history, k, &d->report, blo_eval_counts(d->eval), &d->meter.now));
done:
  blo_phase_enter(d->ctx, before);
  return status;
}

/* Notices ride on the messages of the next iteration; it is still made, then all ranks stop. So a
 * time limit needs room for two iterations, if the notice is not given before this one. */
static void give_notices(blo_driver *d)
{
  double need = 2 * d->longest + d->save_seconds + d->flush_seconds;

  if (blo_run_interrupted()) {
    blo_eval_notify(d->eval, BLO_NOTICE_SIGNAL);
  }
  if (d->is_root && blo_meter_elapsed(&d->meter) + need > d->options->time_limit) {
    blo_eval_notify(d->eval, BLO_NOTICE_TIME);
  }
}

static blo_outcome decide(const blo_driver *d)
{
  const blo_run_options *o = d->options;

  if (d->converged != 0) {
    return converged_outcome(d);
  }
  if ((o->tol > 0 && d->stationarity <= o->tol)) {
    return BLO_OUTCOME_CONVERGED;
  }
  if (d->solver->k >= o->iterations) {
    return BLO_OUTCOME_BUDGET;
  }
  if (blo_eval_noticed(d->eval, BLO_NOTICE_SIGNAL)) {
    return BLO_OUTCOME_SIGNAL;
  }
  return blo_eval_noticed(d->eval, BLO_NOTICE_TIME) ? BLO_OUTCOME_TIME : BLO_OUTCOME_RUNNING;
}

static blo_status step(blo_driver *d)
{
  blo_status status;

  d->solver->want_norms = row_due(d, d->solver->k + 1) || d->options->tol > 0;
  blo_meter_step_begin(&d->meter);
  status = blo_solver_step(d->solver, &d->report);
  blo_meter_step_end(&d->meter);
  d->converged = d->report.converged;
  d->second_order = d->report.second_order;
  d->stationarity =
      isnan(d->report.stationarity) ? d->report.hypergrad_norm : d->report.stationarity;
  return status;
}

/* The run has come to its end, not to an interruption. */
static bool is_end(blo_outcome outcome)
{
  return outcome == BLO_OUTCOME_BUDGET || outcome == BLO_OUTCOME_CONVERGED ||
         outcome == BLO_OUTCOME_MINIMUM || outcome == BLO_OUTCOME_UNDECIDED;
}

static bool save_due(const blo_driver *d)
{
  blo_int every = d->options->checkpoint_every;

  return (every > 0 && d->solver->k % every == 0) ||
         blo_eval_noticed(d->eval, BLO_NOTICE_CHECKPOINT);
}

/* What is saved, or kept for a rescue, must be finite; a step need not have noticed that it is not.
 */
static blo_status check_state(blo_driver *d, blo_outcome outcome)
{
  bool wanted = outcome != BLO_OUTCOME_RUNNING || row_due(d, d->solver->k) || save_due(d);

  return wanted ? blo_state_check(d->comm, d->solver->state) : BLO_OK;
}

static void keep_good(blo_driver *d)
{
  if (d->rescue != NULL && row_due(d, d->solver->k)) {
    blo_rescue_keep(d->rescue);
  }
}

static blo_status advance(blo_driver *d)
{
  blo_outcome outcome;

  BLO_TRY(step(d));
  outcome = decide(d);
  BLO_TRY(check_state(d, outcome));
  BLO_TRY(record(d, is_end(outcome)));
  keep_good(d);
  d->result->outcome = outcome;
  tell_second_order(d);
  return BLO_OK;
}

/* A checkpoint on the way. When the disk is full the older ones stand, and the run goes on. */
static blo_status save_on_the_way(blo_driver *d)
{
  blo_status status = blo_driver_save(d);

  blo_eval_forget(d->eval, BLO_NOTICE_CHECKPOINT);
  if (status == BLO_E_IO) {
    if (d->is_root) {
      blo_log(d->ctx, BLO_LOG_ERROR, "run", "%s; the run goes on", blo_error_text(d->ctx));
    }
    return BLO_OK;
  }
  return status;
}

static blo_status iterate(blo_driver *d)
{
  while (d->result->outcome == BLO_OUTCOME_RUNNING) {
    double begin = blo_now(), seconds;
    give_notices(d);
    BLO_TRY(advance(d));
    blo_progress_show(&d->progress, d->solver->k, &d->report, d->history);
    seconds = blo_now() - begin;
    d->longest = seconds > d->longest ? seconds : d->longest;
    if (d->result->outcome == BLO_OUTCOME_RUNNING) {
      blo_driver_flush(d);
      if (save_due(d)) {
        BLO_TRY(save_on_the_way(d));
      }
    }
  }
  return BLO_OK;
}

/* ---------------------------------------------------------------- begin and end */

/* Values that are not finite and curvature end the optimization; they are no errors of the
 * machinery. */
static blo_status explain(blo_driver *d, blo_status status)
{
  if (status != BLO_E_NONFINITE && status != BLO_E_CURVATURE) {
    return status;
  }
  d->result->outcome = status == BLO_E_NONFINITE ? BLO_OUTCOME_DIVERGED : BLO_OUTCOME_CURVATURE;
  snprintf(d->result->reason, sizeof d->result->reason, "after iteration %lld: %.600s",
           (long long)d->solver->k, blo_error_text(d->ctx));
  return BLO_OK;
}

/* A run that had ended goes on: its history shall be that of a run that never ended. */
static void reopen_history(blo_driver *d)
{
  if (d->closing == BLO_CLOSING_ROW) {
    blo_history_drop_row(d->history);
  } else if (d->closing == BLO_CLOSING_METRICS) {
    blo_history_drop_metrics(d->history);
  }
  d->closing = BLO_CLOSING_NOTHING;
}

blo_status blo_driver_start(blo_driver *d)
{
  blo_meter_start(&d->meter, d->comm);
  blo_progress_start(&d->progress, d->ctx, d->first, d->options->iterations);
  if (d->solver->k == 0) {
    BLO_TRY(explain(d, record(d, false)));
  }
  if (d->result->outcome == BLO_OUTCOME_RUNNING) {
    d->result->outcome = decide(d);
    tell_second_order(d);
  }
  if (d->result->outcome == BLO_OUTCOME_RUNNING) {
    reopen_history(d);
    keep_good(d);
  }
  return blo_driver_write(d);
}

/* The last checkpoint. If it cannot be saved, the run file is written all the same. */
static blo_status save_last(blo_driver *d)
{
  blo_status status = blo_driver_save(d);

  if (status != BLO_OK) {
    blo_failure first = blo_failure_keep(d->ctx, status);
    if (blo_driver_write(d) != BLO_OK) {
      return blo_failure_tell(d->ctx, &first);
    }
  }
  return status;
}

/* The iterates are of no use: the last good state takes their place. */
static blo_status rescue(blo_driver *d)
{
  char *reason = d->result->reason;
  size_t n = strlen(reason), cap = sizeof d->result->reason;

  if (d->rescue != NULL && blo_rescue_restore(d->rescue) && d->solver->k > d->saved_at) {
    BLO_TRY(save_last(d));
  }
  if (d->result->checkpoint[0] != '\0') {
    snprintf(reason + n, cap - n, "; the last good checkpoint is %.300s", d->result->checkpoint);
  } else {
    snprintf(reason + n, cap - n, "; there is no checkpoint (run.rescue, run.checkpoint_every)");
  }
  return blo_driver_write(d);
}

static blo_status finish(blo_driver *d)
{
  if (d->result->outcome == BLO_OUTCOME_DIVERGED || d->result->outcome == BLO_OUTCOME_CURVATURE) {
    return rescue(d);
  }
  return d->saved_at != d->solver->k ? save_last(d) : blo_driver_write(d);
}

blo_status blo_driver_run(blo_driver *d)
{
  blo_status status = explain(d, iterate(d));

  blo_progress_end(&d->progress);
  BLO_TRY(status);
  BLO_TRY(finish(d));
  d->result->iterations = d->solver->k;
  d->result->seconds = d->meter.now.seconds;
  blo_summary_print(d->ctx, d->result, &d->report, d->history, &d->meter.now,
                    d->solver->k - d->first);
  return BLO_OK;
}

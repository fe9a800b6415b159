/** @file The block that is printed at the end of a run. */
#include "progress.h"
#include <math.h>

enum { LINE_CAP = 512 };

static int add_number(char *line, int n, const char *name, double value)
{
  int more;

  if (isnan(value) || n >= LINE_CAP) {
    return n;
  }
  more = snprintf(line + n, (size_t)(LINE_CAP - n), "%s%s = %.6g", n > 0 ? ", " : "", name, value);
  return n + more;
}

static void print_numbers(blo_context *ctx, const blo_report *r, const blo_history *h)
{
  char line[LINE_CAP] = "";
  int n = add_number(line, 0, "f", r->f);

  n = add_number(line, n, "hypergrad_norm", r->hypergrad_norm);
  n = add_number(line, n, "lower_residual", r->lower_residual);
  add_number(line, n, "adjoint_residual", r->adjoint_residual);
  if (line[0] != '\0') {
    blo_log(ctx, BLO_LOG_RESULT, "run", "%s", line);
  }
  line[0] = '\0';
  n = 0;
  for (blo_int i = 0; h->metrics_at >= 0 && i < h->problem->n_metrics; i++) {
    n = add_number(line, n, h->problem->metrics[i].name, h->metrics[i]);
  }
  if (line[0] != '\0') {
    blo_log(ctx, BLO_LOG_RESULT, "run", "%s (iteration %lld)", line, (long long)h->metrics_at);
  }
}

static void print_grid(blo_context *ctx, const blo_report *r)
{
  if (r->grid_ranks > 1) {
    blo_log(ctx, BLO_LOG_RESULT, "run",
            "dense matrices on a grid of %.0f ranks: another grid gives other last bits "
            "(dense.ranks)",
            r->grid_ranks);
  }
}

static void print_costs(blo_context *ctx, const blo_totals *t, blo_int iterations)
{
  char line[LINE_CAP] = "";
  double all = 0, per = iterations > 0 ? 1.0 / (double)iterations : 0;
  int n = 0;

  for (int i = 0; i < BLO_PHASE_COUNT; i++) {
    all += t->phase[i];
  }
  for (int i = 0; i < BLO_PHASE_COUNT && n < LINE_CAP; i++) {
    double share = all > 0 ? 100 * t->phase[i] / all : 0;
    n += snprintf(line + n, (size_t)(LINE_CAP - n), "%s%s %.2f s (%.0f %%)", i > 0 ? ", " : "",
                  blo_phase_name((blo_phase)i), t->phase[i], share);
  }
  blo_log(ctx, BLO_LOG_RESULT, "run", "time: %s", line);
  blo_log(ctx, BLO_LOG_RESULT, "run", "messages per iteration: %.4g, %.4g kB",
          (double)t->messages * per, 1e-3 * (double)t->bytes * per);
}

static void print_files(blo_context *ctx, const blo_run_result *r)
{
  bool interrupted = r->outcome == BLO_OUTCOME_SIGNAL || r->outcome == BLO_OUTCOME_TIME;

  blo_log(ctx, BLO_LOG_RESULT, "run", "run file: %s", r->run_file);
  if (r->checkpoint[0] != '\0') {
    blo_log(ctx, BLO_LOG_RESULT, "run", "checkpoint: %s", r->checkpoint);
  }
  if (interrupted) {
    blo_log(ctx, BLO_LOG_RESULT, "run", "to continue: parblo resume %s", r->checkpoint);
  }
}

void blo_summary_print(blo_context *ctx, const blo_run_result *result, const blo_report *report,
                       const blo_history *history, const blo_totals *totals, blo_int done)
{
  blo_log(ctx, BLO_LOG_RESULT, "run", "%s: %lld iterations in %.3f s (%lld now)",
          blo_outcome_text(result->outcome), (long long)result->iterations, result->seconds,
          (long long)done);
  if (result->reason[0] != '\0') {
    blo_log(ctx, BLO_LOG_RESULT, "run", "%s", result->reason);
  }
  print_numbers(ctx, report, history);
  print_grid(ctx, report);
  print_costs(ctx, totals, result->iterations);
  print_files(ctx, result);
}

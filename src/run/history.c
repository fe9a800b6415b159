/** @file The columns of the history, and filling its rows. */
#include "history.h"
#include <math.h>

/* Everything but the metrics, in the order of the columns; metrics follow the report. */
static const blo_column first_columns[] = {
    {"iteration", "iterations", "outer iterations done; 0 is the starting point"},
    {"seconds", "s", "wall time of the loop, earlier parts of a resumed run included"},
#define COLUMN(name, unit, help) {#name, unit, help},
    BLO_REPORT_LIST(COLUMN)
#undef COLUMN
        {"verdict", "-",
         "how the adjoint solve ended: 0 none, 1 converged, 2 iterations spent, 3 negative "
         "curvature, "
         "4 residual grew, 5 ill-conditioned"},
};

static const blo_column last_columns[] = {
#define COLUMN(name, text) {"n_" #name, "calls", text},
    BLO_COUNT_LIST(COLUMN)
#undef COLUMN
        {"messages", "messages", "reductions, broadcasts and agreements of the iterations so far"},
    {"bytes", "B", "payload of these messages on one rank"},
#define COLUMN(code, name, text) {"seconds_" name, "s", text},
    BLO_PHASE_LIST(COLUMN)
#undef COLUMN
};

static void name_columns(blo_history *h)
{
  blo_column *to = h->column;

  for (blo_int i = 0; i < BLO_COUNT_OF(first_columns); i++) {
    *to++ = first_columns[i];
  }
  for (blo_int i = 0; i < h->problem->n_metrics; i++) {
    const blo_metric *m = &h->problem->metrics[i];
    *to++ = (blo_column){.name = m->name, .unit = m->unit, .help = m->help};
  }
  for (blo_int i = 0; i < BLO_COUNT_OF(last_columns); i++) {
    *to++ = last_columns[i];
  }
}

static blo_status make(blo_comm *comm, blo_history *h)
{
  h->n = BLO_COUNT_OF(first_columns) + h->problem->n_metrics + BLO_COUNT_OF(last_columns);
  BLO_TRY(blo_alloc(h->ctx, h->problem->n_metrics, sizeof *h->metrics, &h->metrics));
  BLO_TRY(blo_alloc(h->ctx, h->n, sizeof *h->row, &h->row));
  BLO_TRY(blo_alloc(h->ctx, h->n, sizeof *h->column, &h->column));
  name_columns(h);
  if (blo_comm_rank(comm) != BLO_ROOT) {
    return BLO_OK;
  }
  return blo_columns_create(h->ctx, h->column, h->n, &h->rows);
}

blo_status blo_history_create(blo_comm *comm, const blo_problem_type *problem, blo_history **out)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_status status = BLO_OK;
  blo_history *h = NULL;

  BLO_GO(blo_alloc(ctx, 1, sizeof *h, &h));
  *h = (blo_history){.ctx = ctx, .problem = problem, .metrics_at = -1};
  BLO_GO(make(comm, h));
  *out = h;
  h = NULL;
done:
  blo_history_destroy(&h);
  return status;
}

void blo_history_destroy(blo_history **history)
{
  blo_history *h = *history;

  if (h != NULL) {
    blo_columns_destroy(&h->rows);
    blo_free(h->ctx, &h->column);
    blo_free(h->ctx, &h->row);
    blo_free(h->ctx, &h->metrics);
    blo_free(h->ctx, history);
  }
}

blo_status blo_history_add(blo_history *h, blo_int iteration, const blo_report *report,
                           const blo_counts *counts, const blo_totals *totals)
{
  double *to = h->row;

  if (h->rows == NULL) {
    return BLO_OK;
  }
  *to++ = (double)iteration;
  *to++ = totals->seconds;
#define PUT(name, unit, help) *to++ = report->name;
  BLO_REPORT_LIST(PUT)
#undef PUT
  *to++ = report->verdict;
  for (blo_int i = 0; i < h->problem->n_metrics; i++) {
    *to++ = h->metrics_at == iteration ? h->metrics[i] : (double)NAN;
  }
#define PUT(name, text) *to++ = (double)counts->name;
  BLO_COUNT_LIST(PUT)
#undef PUT
  *to++ = (double)totals->messages;
  *to++ = (double)totals->bytes;
  for (int i = 0; i < BLO_PHASE_COUNT; i++) {
    *to++ = totals->phase[i];
  }
  return blo_columns_append(h->rows, h->row);
}

void blo_history_drop_row(blo_history *h)
{
  if (h->rows != NULL) {
    h->rows->n_rows--;
  }
}

void blo_history_drop_metrics(blo_history *h)
{
  if (h->rows != NULL) {
    double *row = h->rows->data + (h->rows->n_rows - 1) * h->n + BLO_COUNT_OF(first_columns);
    for (blo_int i = 0; i < h->problem->n_metrics; i++) {
      row[i] = (double)NAN;
    }
  }
}

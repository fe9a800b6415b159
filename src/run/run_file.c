/** @file Writing the run file. */
#include "run_file.h"
#include "point.h"

/* Saving takes room for one more vector at a time: better missed before the first iteration than
 * after the last one. */
static blo_status try_room_for_saving(const blo_run_file *f)
{
  blo_int n = f->of->n_x > f->of->n_y ? f->of->n_x : f->of->n_y;
  double *room = NULL;

  BLO_TRY(blo_alloc(f->ctx, n, sizeof *room, &room));
  blo_free(f->ctx, &room);
  return BLO_OK;
}

blo_status blo_run_file_reserve(blo_run_file *f, const blo_solver *solver)
{
  f->final_at = -1;
  f->of = blo_eval_problem(solver->eval);
  BLO_TRY(blo_alloc(f->ctx, f->of->n_x, sizeof *f->x, &f->x));
  BLO_TRY(blo_alloc(f->ctx, f->of->n_y, sizeof *f->y, &f->y));
  return try_room_for_saving(f);
}

void blo_run_file_clear(blo_run_file *f)
{
  if (f->ctx != NULL) {
    blo_free(f->ctx, &f->x);
    blo_free(f->ctx, &f->y);
  }
}

void blo_run_file_gather(blo_run_file *f, const blo_solver *solver)
{
  blo_vec_gather(solver->x, f->x);
  blo_vec_gather(solver->y, f->y);
  f->final_at = solver->k;
}

static blo_status write_config(const blo_run_file *f, blo_h5 *h5)
{
  BLO_TRY(blo_h5_put_text(h5, "config/given", f->given));
  BLO_TRY(blo_h5_put_text(h5, "config/resolved", f->resolved));
  BLO_TRY(blo_h5_put_text(h5, "config/problem", f->problem));
  return blo_h5_put_text(h5, "config/solver", f->solver);
}

static blo_status write_outcome(const blo_run_result *r, blo_h5 *h5)
{
  BLO_TRY(blo_h5_put_int(h5, "outcome/code", r->outcome));
  BLO_TRY(blo_h5_put_text(h5, "outcome/text", blo_outcome_text(r->outcome)));
  BLO_TRY(blo_h5_put_text(h5, "outcome/reason", r->reason));
  BLO_TRY(blo_h5_put_int(h5, "outcome/iterations", r->iterations));
  BLO_TRY(blo_h5_put_double(h5, "outcome/seconds", r->seconds));
  return blo_h5_put_text(h5, "outcome/checkpoint", r->checkpoint);
}

static blo_status write_final(const blo_run_file *f, blo_h5 *h5)
{
  const blo_problem *p = f->of;
  blo_point_vector x = {
      .params = p->params, .owner = BLO_IN_X, .data = f->x, .n = p->n_x, .help = "upper variable"};
  blo_point_vector y = {.params = p->params,
                        .owner = BLO_IN_Y,
                        .data = f->y,
                        .n = p->n_y,
                        .n_items = p->y_width > 0 ? p->n_lower : 0,
                        .help = "lower variable"};

  if (f->final_at < 0) {
    return BLO_OK;
  }
  BLO_TRY(blo_h5_put_int(h5, "final/iteration", f->final_at));
  BLO_TRY(blo_point_write(f->ctx, h5, "final/x", &x));
  return blo_point_write(f->ctx, h5, "final/y", &y);
}

blo_status blo_run_file_write(const blo_run_file *f, const blo_run_result *result)
{
  blo_status status = BLO_OK;
  blo_h5 *h5 = NULL;

  BLO_GO(blo_h5_create(f->ctx, f->path, &h5));
  BLO_GO(write_config(f, h5));
  BLO_GO(blo_provenance_write(f->provenance, h5));
  BLO_GO(write_outcome(result, h5));
  BLO_GO(blo_columns_write(f->history->rows, h5, "history"));
  BLO_GO(write_final(f, h5));
  BLO_GO(blo_h5_commit(&h5, "run"));
done:
  blo_h5_close(&h5);
  return status;
}

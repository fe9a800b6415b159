/** @file The double loop of AID and stocBiO; see double_loop.h. */
#include "double_loop.h"
#include <math.h>

blo_status double_loop_setup(blo_solver *s)
{
  const double_loop_options *o = s->options;
  blo_comm *comm = blo_eval_problem(s->eval)->comm;
  double_loop *d = s->data;

  if (blo_lower_is_dense(&o->lower) || blo_adjoint_is_dense(&o->adjoint)) {
    BLO_TRY(blo_hessian_create(s->eval, &o->dense, &d->hessian));
  }
  BLO_TRY_ALL(comm,
              blo_lower_create(s->eval, &o->lower, s->seed, s->y, d->hessian, s->state, &d->lower));
  BLO_TRY(blo_estimator_create(s->eval, &o->adjoint, o->upper.batch, s->seed, d->hessian, s->state,
                               &d->adjoint));
  BLO_TRY_ALL(comm, blo_upper_create(s->eval, &o->upper, s->state, &d->upper));
  blo_upper_begin(d->upper, s->x);
  return blo_agree(comm, blo_vec_create(blo_eval_space_x(s->eval), &d->hx));
}

static void fill_report(const blo_solver *s, const double_loop *d, blo_report *r)
{
  const double_loop_options *o = s->options;

  blo_report_estimate(d->adjoint, r);
  r->lower_steps = (double)blo_lower_steps_taken(d->lower);
  r->step_x = blo_schedule_at((blo_schedule){o->upper.step, o->upper.decay}, s->k);
  r->step_y = blo_lower_is_dense(&o->lower)
                  ? (double)NAN /* a line search finds one for each step */
                  : blo_schedule_at((blo_schedule){o->lower.step, o->lower.decay}, s->k);
}

blo_status double_loop_step(blo_solver *s, blo_report *r)
{
  double_loop *d = s->data;
  blo_int before = blo_hessian_factorized(d->hessian);

  BLO_TRY(blo_lower_track(d->lower, s->k, s->x, s->y));
  BLO_TRY(blo_estimator_compute(d->adjoint, s->k, s->x, s->y, d->hx));
  blo_report_hessian(d->hessian, before, r);
  if (s->want_norms) {
    r->hypergrad_norm = blo_vec_norm(d->hx);
  }
  fill_report(s, d, r);
  return blo_upper_step(d->upper, s->k, d->hx, s->x);
}

void double_loop_teardown(blo_solver *s)
{
  double_loop *d = s->data;

  blo_lower_destroy(&d->lower);
  blo_estimator_destroy(&d->adjoint);
  blo_upper_destroy(&d->upper);
  blo_vec_destroy(&d->hx);
  blo_hessian_destroy(&d->hessian);
}

void double_loop_describe(const blo_solver *s, FILE *to)
{
  const double_loop *d = s->data;

  blo_hessian_describe(d->hessian, to);
}

/** @file The estimate of stocBiO as a function of a sample plan; see stoc_hyper.h. */
#include "stoc_hyper.h"
#include <string.h>

static int index_of(const char *const *names, const char *name)
{
  int i = 0;

  while (strcmp(names[i], name) != 0) {
    i++;
  }
  return i;
}

blo_status stoc_hyper_create(blo_solver *s, const stoc_lower_options *lower,
                             const stoc_adjoint_options *adjoint, blo_int batch_upper,
                             uint64_t seed, stoc_hyper *h)
{
  blo_comm *comm = blo_eval_problem(s->eval)->comm;

  h->lower_options = (blo_lower_options){.steps = lower->steps,
                                         .step = lower->step,
                                         .batch = lower->batch,
                                         .rule = BLO_LOWER_GRADIENT,
                                         .warm_start = true};
  h->adjoint_options = (blo_adjoint_options){.type = index_of(blo_estimator_names, "neumann"),
                                             .iterations = adjoint->iterations,
                                             .step = adjoint->step,
                                             .batch = adjoint->batch};
  BLO_TRY_ALL(comm,
              blo_lower_create(s->eval, &h->lower_options, seed, s->y, NULL, s->state, &h->lower));
  return blo_estimator_create(s->eval, &h->adjoint_options, batch_upper, seed, NULL, s->state,
                              &h->adjoint);
}

void stoc_hyper_destroy(stoc_hyper *h)
{
  blo_lower_destroy(&h->lower);
  blo_estimator_destroy(&h->adjoint);
}

blo_status stoc_hyper_look(stoc_hyper *h, blo_int plan, const blo_vec *x, const blo_vec *y,
                           blo_vec *hx)
{
  return blo_estimator_compute(h->adjoint, plan, x, y, hx);
}

blo_status stoc_hyper_at(stoc_hyper *h, blo_int plan, const blo_vec *x, blo_vec *y, blo_vec *hx)
{
  BLO_TRY(blo_lower_track(h->lower, plan, x, y));
  return stoc_hyper_look(h, plan, x, y, hx);
}

void stoc_hyper_report(const stoc_hyper *h, blo_report *r)
{
  blo_report_estimate(h->adjoint, r);
  r->lower_steps = (double)blo_lower_steps_taken(h->lower);
  r->step_y = h->lower_options.step;
}

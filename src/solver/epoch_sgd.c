/** @file Epochs of stochastic gradient descent in a ball; see epoch_sgd.h. */
#include "epoch_sgd.h"
#include <math.h>

blo_status epoch_sgd_create(blo_eval *eval, uint64_t seed, blo_int batch, epoch_sgd *e)
{
  blo_vec **const all[] = {&e->g_y, &e->center, &e->mean, &e->work};

  e->eval = eval;
  BLO_TRY(blo_eval_sampler(eval, seed, BLO_PURPOSE_LOWER, batch, &e->sampler));
  for (blo_int i = 0; i < BLO_COUNT_OF(all); i++) {
    BLO_TRY(blo_vec_create(blo_eval_space_y(eval), all[i]));
  }
  e->keeps = blo_eval_problem(eval)->reuses_x && blo_eval_can_linearize(eval) &&
             blo_eval_one_batch(eval, e->sampler);
  return e->keeps ? blo_eval_reserve(eval, blo_sampler_max_own(e->sampler), 1) : BLO_OK;
}

void epoch_sgd_free(epoch_sgd *e)
{
  blo_sampler_destroy(&e->sampler);
  blo_vec_destroy(&e->g_y);
  blo_vec_destroy(&e->center);
  blo_vec_destroy(&e->mean);
  blo_vec_destroy(&e->work);
}

/** Step i of these. The value that the last one asks for makes its sweep communicate, whatever the
 *  layout of y: what failed before is known then, and so are notices. */
static blo_status step(epoch_sgd *e, const epoch *run, blo_int i, const blo_vec *x, blo_vec *y,
                       double *g)
{
  bool last = i == run->steps - 1;
  blo_answer ans = {.g_y = e->g_y};
  blo_ask ask = {.lower = BLO_WANT_Y | (last ? BLO_WANT_VALUE : 0u),
                 .lower_batch = blo_eval_draw(e->eval, e->sampler, run->k, run->per_outer, i),
                 .x = x,
                 .y = y,
                 .linearize = e->keeps,
                 .same_x = e->keeps && i > 0};

  BLO_TRY(blo_eval_sweep(e->eval, &ask, &ans));
  *g = last ? ans.g : *g;
  blo_vec_axpy(-run->step, e->g_y, y);
  if (!isinf(run->radius)) {
    blo_ball_project(e->center, run->radius, y, e->work);
  }
  return BLO_OK;
}

/** mean <- mean + (w_{t+1} - mean) / (t + 1): entries that stand still keep their bits. */
static void average(epoch_sgd *e, blo_int t, const blo_vec *y)
{
  blo_vec_copy(y, e->work);
  blo_vec_axpy(-1, e->mean, e->work);
  blo_vec_axpy(1 / (double)(t + 1), e->work, e->mean);
}

blo_status epoch_sgd_run(epoch_sgd *e, const epoch *run, const blo_vec *x, blo_vec *y, double *g)
{
  if (run->done == 0) {
    blo_vec_copy(y, e->center);
    blo_vec_copy(y, e->mean);
  }
  for (blo_int i = 0; i < run->steps; i++) {
    BLO_TRY(step(e, run, i, x, y, g));
    if (run->average) {
      average(e, run->done + i, y);
    }
  }
  if (run->average && run->ends) {
    blo_vec_copy(e->mean, y);
  }
  return blo_step_check(y, "y", "the lower steps", run->k);
}

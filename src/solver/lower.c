/** @file The lower track: T steps on g, warm started or not; (stochastic) gradient steps with heavy
 *  ball here, Newton's and Gauss-Newton's in lower_newton.c. */
#include "lower_private.h"
#include <math.h>

const char *const blo_lower_rule_names[] = {"gradient", "newton", "gauss_newton", NULL};

/* --------------------------------------------------------- gradient steps */

static blo_status gradient_setup(blo_lower *l, blo_state *state)
{
  if (l->keeps) {
    BLO_TRY(blo_eval_reserve(l->eval, blo_sampler_max_own(l->sampler), 1));
  }
  if (l->options->momentum > 0) {
    BLO_TRY(blo_vec_create(blo_eval_space_y(l->eval), &l->m));
    BLO_TRY(blo_state_add_vec(state, "lower.momentum", l->m));
  }
  return BLO_OK;
}

static blo_status gradient_step(blo_lower *l, const lower_turn *turn, bool *more)
{
  const blo_lower_options *o = l->options;
  double rho = blo_schedule_at((blo_schedule){o->step, o->decay}, turn->k);
  blo_answer ans = {.g_y = l->g_y};
  blo_ask ask = {.lower = BLO_WANT_Y,
                 .lower_batch = blo_eval_draw(l->eval, l->sampler, turn->k, o->steps, turn->t),
                 .x = turn->x,
                 .y = turn->y,
                 .linearize = l->keeps,
                 .same_x = l->keeps && turn->t > 0};

  BLO_TRY(blo_eval_sweep(l->eval, &ask, &ans));
  if (l->m != NULL) {
    blo_vec_aypx(o->momentum, l->g_y, l->m);
  }
  blo_vec_axpy(-rho, l->m != NULL ? l->m : l->g_y, turn->y);
  *more = true;
  return BLO_OK;
}

static const lower_rule lower_gradient = {gradient_setup, gradient_step};

static const lower_rule *const rules[] = {[BLO_LOWER_GRADIENT] = &lower_gradient,
                                          [BLO_LOWER_NEWTON] = &lower_newton,
                                          [BLO_LOWER_GAUSS_NEWTON] = &lower_newton};

/* ------------------------------------------------------------------- life */

bool blo_lower_is_dense(const blo_lower_options *options)
{
  return options->rule != BLO_LOWER_GRADIENT;
}

/** One x and one batch serve several steps, and the problem gains from it. */
static bool can_keep(const blo_lower *l)
{
  return blo_eval_problem(l->eval)->reuses_x && blo_eval_can_linearize(l->eval) &&
         blo_eval_one_batch(l->eval, l->sampler) && l->options->steps > 1;
}

blo_status blo_lower_create(blo_eval *eval, const blo_lower_options *options, uint64_t seed,
                            const blo_vec *y0, blo_hessian *hessian, blo_state *state,
                            blo_lower **out)
{
  const blo_problem *p = blo_eval_problem(eval);
  blo_space *space = blo_eval_space_y(eval);
  blo_status status = BLO_OK;
  blo_lower *l = NULL;

  BLO_GO(blo_alloc(p->ctx, 1, sizeof *l, &l));
  *l = (blo_lower){
      .eval = eval, .options = options, .rule = rules[options->rule], .hessian = hessian};
  BLO_GO(blo_eval_sampler(eval, seed, BLO_PURPOSE_LOWER, options->batch, &l->sampler));
  l->keeps = can_keep(l);
  l->deals = p->y_width > 0 && !blo_sampler_is_full(l->sampler);
  BLO_GO(blo_vec_create(space, &l->g_y));
  BLO_GO(l->rule->setup(l, state));
  if (!options->warm_start) {
    BLO_GO(blo_vec_create(space, &l->y0));
    blo_vec_copy(y0, l->y0);
  }
  *out = l;
  l = NULL;
done:
  blo_lower_destroy(&l);
  return status;
}

void blo_lower_destroy(blo_lower **lower)
{
  blo_lower *l = *lower;

  if (l != NULL) {
    blo_context *ctx = blo_eval_problem(l->eval)->ctx;
    blo_sampler_destroy(&l->sampler);
    blo_vec_destroy(&l->g_y);
    blo_vec_destroy(&l->m);
    blo_vec_destroy(&l->p);
    blo_vec_destroy(&l->trial);
    blo_vec_destroy(&l->y0);
    blo_free(ctx, lower);
  }
}

/* -------------------------------------------------------------- the track */

/** Where the steps of an outer iteration begin. Momentum from other tasks' steps would move those
 * of them that have no gradient now. */
static void reset(blo_lower *l, blo_vec *y)
{
  if (l->y0 != NULL) {
    blo_vec_copy(l->y0, y);
  }
  if (l->m != NULL && (l->y0 != NULL || l->deals)) {
    blo_vec_fill(l->m, 0);
  }
  l->taken = 0;
  l->limit = (double)INFINITY;
}

blo_status blo_lower_track(blo_lower *l, blo_int k, const blo_vec *x, blo_vec *y)
{
  lower_turn turn = {.k = k, .x = x, .y = y};
  bool more = true;

  reset(l, y);
  for (; more && turn.t < l->options->steps; turn.t++) {
    BLO_TRY(l->rule->step(l, &turn, &more));
    l->taken += more ? 1 : 0;
  }
  return BLO_OK;
}

blo_int blo_lower_steps_taken(const blo_lower *l)
{
  return l->taken;
}

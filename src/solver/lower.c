/** @file The lower track: T (stochastic) gradient steps on g, warm started or not, heavy ball. */
#include <blo/solver.h>

struct blo_lower {
  blo_eval *eval;
  const blo_lower_options *options;
  blo_sampler *sampler;
  blo_vec *g_y;
  blo_vec *m;  /**< NULL without momentum */
  blo_vec *y0; /**< NULL with a warm start */
  bool keeps;  /**< the steps of an outer iteration share what does not depend on y */
  bool deals;  /**< each outer iteration has other tasks */
};

/** One x and one batch serve several steps, and the problem gains from it. */
static bool can_keep(const blo_lower *l)
{
  return blo_eval_problem(l->eval)->reuses_x && blo_eval_can_linearize(l->eval) &&
         blo_eval_one_batch(l->eval, l->sampler) && l->options->steps > 1;
}

blo_status blo_lower_create(blo_eval *eval, const blo_lower_options *options, uint64_t seed,
                            const blo_vec *y0, blo_state *state, blo_lower **out)
{
  const blo_problem *p = blo_eval_problem(eval);
  blo_space *space = blo_eval_space_y(eval);
  blo_status status = BLO_OK;
  blo_lower *l = NULL;

  BLO_GO(blo_alloc(p->ctx, 1, sizeof *l, &l));
  *l = (blo_lower){.eval = eval, .options = options};
  BLO_GO(blo_eval_sampler(eval, seed, BLO_PURPOSE_LOWER, options->batch, &l->sampler));
  l->keeps = can_keep(l);
  l->deals = p->y_width > 0 && !blo_sampler_is_full(l->sampler);
  if (l->keeps) {
    BLO_GO(blo_eval_reserve(eval, blo_sampler_max_own(l->sampler), 1));
  }
  BLO_GO(blo_vec_create(space, &l->g_y));
  if (options->momentum > 0) {
    BLO_GO(blo_vec_create(space, &l->m));
    BLO_GO(blo_state_add_vec(state, "lower.momentum", l->m));
  }
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
    blo_vec_destroy(&l->y0);
    blo_free(ctx, lower);
  }
}

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
}

static blo_status step(blo_lower *l, blo_int k, blo_int t, double rho, const blo_vec *x, blo_vec *y)
{
  blo_answer ans = {.g_y = l->g_y};
  blo_ask ask = {.lower = BLO_WANT_Y,
                 .lower_batch = blo_eval_draw(l->eval, l->sampler, k, l->options->steps, t),
                 .x = x,
                 .y = y,
                 .linearize = l->keeps,
                 .same_x = l->keeps && t > 0};

  BLO_TRY(blo_eval_sweep(l->eval, &ask, &ans));
  if (l->m != NULL) {
    blo_vec_aypx(l->options->momentum, l->g_y, l->m);
  }
  blo_vec_axpy(-rho, l->m != NULL ? l->m : l->g_y, y);
  return BLO_OK;
}

blo_status blo_lower_track(blo_lower *l, blo_int k, const blo_vec *x, blo_vec *y)
{
  const blo_lower_options *o = l->options;
  double rho = blo_schedule_at((blo_schedule){o->step, o->decay}, k);

  reset(l, y);
  for (blo_int t = 0; t < o->steps; t++) {
    BLO_TRY(step(l, k, t, rho, x, y));
  }
  return BLO_OK;
}

/** @file The upper step: gradient descent on x, with heavy-ball momentum if asked for. */
#include <blo/solver.h>

struct blo_upper {
  blo_context *ctx;
  const blo_upper_options *options;
  blo_vec *m; /**< NULL without momentum */
};

blo_status blo_upper_create(blo_eval *eval, const blo_upper_options *options, blo_state *state,
                            blo_upper **out)
{
  blo_context *ctx = blo_eval_problem(eval)->ctx;
  blo_status status = BLO_OK;
  blo_upper *u = NULL;

  BLO_GO(blo_alloc(ctx, 1, sizeof *u, &u));
  *u = (blo_upper){.ctx = ctx, .options = options};
  if (options->momentum > 0) {
    BLO_GO(blo_vec_create(blo_eval_space_x(eval), &u->m));
    BLO_GO(blo_state_add_vec(state, "upper.momentum", u->m));
  }
  *out = u;
  u = NULL;
done:
  blo_upper_destroy(&u);
  return status;
}

void blo_upper_destroy(blo_upper **upper)
{
  if (*upper != NULL) {
    blo_context *ctx = (*upper)->ctx;
    blo_vec_destroy(&(*upper)->m);
    blo_free(ctx, upper);
  }
}

blo_status blo_upper_step(blo_upper *u, blo_int k, const blo_vec *hx, blo_vec *x)
{
  const blo_upper_options *o = u->options;
  double gamma = blo_schedule_at((blo_schedule){o->step, o->decay}, k);

  if (u->m != NULL) {
    blo_vec_aypx(o->momentum, hx, u->m);
  }
  blo_vec_axpy(-gamma, u->m != NULL ? u->m : hx, x);
  blo_vec_publish(x);
  /* of a sharded x each rank sees its own part: the next sweep looks at it */
  BLO_CHECK(u->ctx,
            blo_space_layout(x->space) == BLO_SHARDED ||
                blo_array_finite(blo_space_n_local(x->space), x->data),
            BLO_E_NONFINITE, "x is not finite after the upper step of iteration %lld",
            (long long)k);
  return BLO_OK;
}

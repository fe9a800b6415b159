/**
 * @file
 * The upper step on x along the hypergradient estimate: gradient descent, with heavy-ball momentum
 * if asked for, or Adam. Before that an estimate that is too long is shortened (Pascanu, Mikolov
 * and Bengio 2013, arXiv 1211.5063, algorithm 1).
 */
#include "projection_private.h"
#include <blo/solver.h>

const blo_opt_sub blo_upper_subs[1] = {
    {"set", offsetof(blo_upper_options, set), &blo_projection_table}};

const char *const blo_upper_rule_names[] = {"sgd", "adam", NULL};

struct blo_upper {
  blo_context *ctx;
  const blo_upper_options *options;
  blo_projection *set;
  blo_vec *m;    /**< momentum, or Adam's mean; NULL: none */
  blo_vec *v;    /**< Adam's mean square; NULL: none */
  blo_vec *work; /**< clip: a copy of hx; NULL: not needed */
};

static blo_status make_vector(blo_eval *eval, blo_state *state, const char *name, blo_vec **out)
{
  BLO_TRY(blo_vec_create(blo_eval_space_x(eval), out));
  return blo_state_add_vec(state, name, *out);
}

static blo_status make_vectors(blo_eval *eval, blo_state *state, blo_upper *u)
{
  const blo_upper_options *o = u->options;

  if (o->clip > 0) {
    BLO_TRY(blo_vec_create(blo_eval_space_x(eval), &u->work));
  }
  if (o->rule == BLO_UPPER_ADAM) {
    BLO_CHECK(
        u->ctx, o->momentum == 0, BLO_E_OPTION,
        "solver.upper.momentum = %g belongs to solver.upper.rule = 'sgd'; with 'adam' it must "
        "be 0 (beta1 takes its place)",
        o->momentum);
    BLO_TRY(make_vector(eval, state, "upper.m", &u->m));
    return make_vector(eval, state, "upper.v", &u->v);
  }
  return o->momentum > 0 ? make_vector(eval, state, "upper.momentum", &u->m) : BLO_OK;
}

blo_status blo_upper_create(blo_eval *eval, const blo_upper_options *options, blo_state *state,
                            blo_upper **out)
{
  blo_context *ctx = blo_eval_problem(eval)->ctx;
  blo_status status = BLO_OK;
  blo_upper *u = NULL;

  BLO_GO(blo_alloc(ctx, 1, sizeof *u, &u));
  *u = (blo_upper){.ctx = ctx, .options = options};
  BLO_GO(make_vectors(eval, state, u));
  BLO_GO(blo_projection_create(eval, &options->set, BLO_UPPER, &u->set));
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
    blo_vec_destroy(&(*upper)->v);
    blo_vec_destroy(&(*upper)->work);
    blo_projection_destroy(&(*upper)->set);
    blo_free(ctx, upper);
  }
}

/* The direction of the step: hx, or what is parallel to it and has, times `factor`, the norm
 * `clip`. Collective with clip. */
static const blo_vec *clipped(blo_upper *u, const blo_vec *hx, double *factor)
{
  double norm, scale;

  *factor = 1;
  if (u->work == NULL) {
    return hx;
  }
  blo_vec_copy(hx, u->work);
  norm = scaled_norm(u->work, &scale);
  if (norm > u->options->clip * scale) {
    *factor = u->options->clip / norm;
    return u->work;
  }
  return hx;
}

static void descend(blo_upper *u, double gamma, double scale, const blo_vec *hx, blo_vec *x)
{
  if (u->m == NULL) {
    blo_vec_axpy(-gamma * scale, hx, x);
    return;
  }
  blo_vec_scale(u->options->momentum, u->m);
  blo_vec_axpy(scale, hx, u->m);
  blo_vec_axpy(-gamma, u->m, x);
}

void blo_upper_begin(blo_upper *u, blo_vec *x)
{
  if (u->set != NULL) {
    blo_projection_apply(u->set, x);
    blo_vec_publish(x);
  }
}

blo_status blo_upper_step(blo_upper *u, blo_int k, const blo_vec *hx, blo_vec *x)
{
  const blo_upper_options *o = u->options;
  double gamma = blo_schedule_at((blo_schedule){o->step, o->decay}, k);
  double scale;
  const blo_vec *d = clipped(u, hx, &scale);

  if (o->rule == BLO_UPPER_ADAM) {
    const blo_adam adam = {.beta1 = o->beta1, .beta2 = o->beta2, .epsilon = o->epsilon};
    blo_vec_adam(&adam, k + 1, gamma, scale, d, u->m, u->v, x);
  } else {
    descend(u, gamma, scale, d, x);
  }
  blo_projection_apply(u->set, x);
  blo_vec_publish(x);
  return blo_step_check(x, "x", "the upper step", k);
}

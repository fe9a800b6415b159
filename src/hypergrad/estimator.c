/**
 * @file
 * What all adjoint estimators share: the right-hand side, the start, the products, and the final
 * sweep that gives J v and, from the same read of the data, the true residual of v.
 */
#include <blo/hypergrad.h>
#include <float.h>
#include <math.h>

/* ------------------------------------------------------------------ life */

/** Evaluations of g in a solve use one batch, linearised once if the problem can. */
static bool linearizes(const blo_estimator *e)
{
  return e->fixed && blo_eval_can_linearize(e->eval);
}

static blo_status make_samplers(blo_estimator *e, blo_int batch_upper, uint64_t seed)
{
  blo_int b = e->options->batch;

  BLO_TRY(blo_eval_sampler(e->eval, seed, BLO_PURPOSE_UPPER, batch_upper, &e->upper));
  BLO_TRY(blo_eval_sampler(e->eval, seed, BLO_PURPOSE_ADJOINT, b, &e->hessian));
  BLO_TRY(blo_eval_sampler(e->eval, seed, BLO_PURPOSE_CROSS, b, &e->cross));
  e->fixed = e->type->one_batch || blo_eval_one_batch(e->eval, e->hessian);
  return linearizes(e) ? blo_eval_reserve(e->eval, blo_sampler_max_own(e->hessian), 1) : BLO_OK;
}

static blo_status make_vectors(blo_estimator *e)
{
  blo_space *y = blo_eval_space_y(e->eval);
  blo_vec **const all[] = {&e->v, &e->hv, &e->rhs, &e->g_y};

  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    BLO_TRY(blo_vec_create(y, all[i]));
  }
  for (blo_int i = 0; i < e->type->n_work; i++) {
    BLO_TRY(blo_vec_create(y, &e->work[i]));
  }
  return blo_vec_create(blo_eval_space_x(e->eval), &e->f_x);
}

/** Local. */
static blo_status make(blo_eval *eval, const blo_adjoint_options *options, blo_int batch_upper,
                       uint64_t seed, blo_estimator **out)
{
  blo_context *ctx = blo_eval_problem(eval)->ctx;
  blo_estimator *e;

  BLO_TRY(blo_alloc(ctx, 1, sizeof *e, out));
  e = *out;
  e->type = blo_estimator_find(blo_estimator_names[options->type]);
  e->eval = eval;
  e->options = options;
  BLO_TRY(make_samplers(e, batch_upper, seed));
  return make_vectors(e);
}

bool blo_adjoint_is_dense(const blo_adjoint_options *options)
{
  return blo_estimator_find(blo_estimator_names[options->type])->dense;
}

/** The Hessian of the types that work with one. A batch of tasks leaves the other tasks' part of it
 *  zero, so it would be singular. Collective. */
static blo_status provide_hessian(blo_estimator *e, blo_hessian *shared)
{
  static const blo_dense_options defaults = {.ranks = 0, .block = 64};
  const blo_problem *p = blo_eval_problem(e->eval);

  BLO_CHECK(p->ctx, p->y_width == 0 || blo_sampler_is_full(e->hessian), BLO_E_UNSUPPORTED,
            "adjoint.type '%s' cannot take batches of tasks: their Hessian is zero for the other "
            "tasks; use 'cg' or 'neumann', or all tasks (batch 0)",
            e->type->name);
  e->assembled = shared;
  e->own_assembled = shared == NULL;
  return e->own_assembled ? blo_hessian_create(e->eval, &defaults, &e->assembled) : BLO_OK;
}

blo_status blo_estimator_create(blo_eval *eval, const blo_adjoint_options *options,
                                blo_int batch_upper, uint64_t seed, blo_hessian *hessian,
                                blo_state *state, blo_estimator **out)
{
  blo_comm *comm = blo_eval_problem(eval)->comm;
  blo_status status = BLO_OK;
  blo_estimator *e = NULL;

  BLO_GO_ALL(comm, make(eval, options, batch_upper, seed, &e));
  if (e->type->dense) {
    BLO_GO(provide_hessian(e, hessian));
  }
  if (options->warm_start) {
    BLO_GO_ALL(comm, blo_state_add_vec(state, "adjoint.v", e->v));
  }
  *out = e;
  e = NULL;
done:
  blo_estimator_destroy(&e);
  return status;
}

void blo_estimator_destroy(blo_estimator **estimator)
{
  blo_estimator *e = *estimator;

  if (e != NULL) {
    blo_context *ctx = blo_eval_problem(e->eval)->ctx;
    if (e->own_assembled) {
      blo_hessian_destroy(&e->assembled);
    }
    blo_sampler_destroy(&e->upper);
    blo_sampler_destroy(&e->hessian);
    blo_sampler_destroy(&e->cross);
    blo_vec_destroy(&e->v);
    blo_vec_destroy(&e->hv);
    blo_vec_destroy(&e->rhs);
    blo_vec_destroy(&e->g_y);
    blo_vec_destroy(&e->f_x);
    for (size_t i = 0; i < sizeof e->work / sizeof *e->work; i++) {
      blo_vec_destroy(&e->work[i]);
    }
    blo_free(ctx, estimator);
  }
}

/* ---------------------------------------------------------- one estimate */

/** A fresh batch for a product: a warm start and K products take at most K + 1. */
static const blo_batch *draw_hessian(blo_estimator *e)
{
  return blo_eval_draw(e->eval, e->hessian, e->k, e->options->iterations + 1, e->draw++);
}

/** The batch of the next product with H: that of the solve, or a fresh one. */
static const blo_batch *hessian_batch(blo_estimator *e)
{
  return e->fixed ? e->batch : draw_hessian(e);
}

/**
 * grad_y f and grad_x f; with one batch of g also its linearisation and grad_y g; with a warm start
 * also H v, all in one sweep.
 */
static blo_status begin(blo_estimator *e)
{
  bool warm = e->options->warm_start;
  blo_answer ans = {.g_y = e->g_y, .hv = {e->hv}, .f_y = e->rhs, .f_x = e->f_x};
  blo_ask ask = {.lower = (e->fixed ? BLO_WANT_VALUE | BLO_WANT_Y : 0u) | (warm ? BLO_WANT_HV : 0u),
                 .upper = BLO_WANT_VALUE | BLO_WANT_X | BLO_WANT_Y,
                 .upper_batch = blo_eval_draw(e->eval, e->upper, e->k, 1, 0),
                 .x = e->x,
                 .y = e->y,
                 .n_v = 1,
                 .v = {e->v},
                 .linearize = linearizes(e)};

  ask.lower_batch = ask.lower != 0 ? hessian_batch(e) : NULL;
  BLO_TRY(blo_eval_sweep(e->eval, &ask, &ans));
  e->f = ans.f;
  e->g = e->fixed ? ans.g : (double)NAN;
  blo_vec_copy(e->rhs, e->work[0]);
  if (warm) {
    blo_vec_axpy(-1, e->hv, e->work[0]);
  } else {
    blo_vec_fill(e->v, 0);
  }
  return BLO_OK;
}

blo_status blo_estimator_product(blo_estimator *e, const blo_vec *p)
{
  blo_answer ans = {.hv = {e->hv}};
  blo_ask ask = {.lower = BLO_WANT_HV,
                 .lower_batch = hessian_batch(e),
                 .x = e->x,
                 .y = e->y,
                 .n_v = 1,
                 .v = {p},
                 .linearized = linearizes(e)};

  return blo_eval_sweep(e->eval, &ask, &ans);
}

/** What the residual of an exact solution may be, relatively: a few roundings in each of n_y terms.
 */
static double rounding(const blo_estimator *e)
{
  return 10 * (double)blo_space_n(e->v->space) * DBL_EPSILON;
}

/** hx = grad_x f - J v, and the residuals that certify it. */
static blo_status finish(blo_estimator *e, blo_vec *hx)
{
  const blo_vec *const certified[] = {e->rhs, e->hv, e->g_y};
  double squares[3];
  blo_certificate *c = &e->certificate;
  blo_answer ans = {.g_y = e->g_y, .hv = {e->hv}, .jv = {hx}};
  blo_ask ask = {.lower = BLO_WANT_HV | BLO_WANT_JV | (e->fixed ? 0u : BLO_WANT_VALUE | BLO_WANT_Y),
                 .x = e->x,
                 .y = e->y,
                 .n_v = 1,
                 .v = {e->v},
                 .linearized = linearizes(e)};

  ask.lower_batch = e->fixed ? hessian_batch(e) : blo_eval_draw(e->eval, e->cross, e->k, 1, 0);
  BLO_TRY(blo_eval_sweep(e->eval, &ask, &ans));
  e->g = e->fixed ? e->g : ans.g;
  blo_vec_aypx(-1, e->f_x, hx);
  blo_vec_axpy(-1, e->rhs, e->hv);
  blo_vec_dots(3, certified, certified, squares);
  c->adjoint_rhs = sqrt(squares[0]);
  c->adjoint_residual = sqrt(squares[1]);
  c->adjoint_relative = squares[1] == 0 ? 0 : c->adjoint_residual / c->adjoint_rhs;
  c->lower_residual = sqrt(squares[2]);
  if (e->type->dense && c->verdict == BLO_VERDICT_CONVERGED &&
      !(c->adjoint_relative <= fmax(e->options->tol, rounding(e)))) {
    c->verdict = BLO_VERDICT_ILL;
  }
  c->sampled = !blo_sampler_is_full(e->hessian) || !blo_sampler_is_full(e->upper);
  return BLO_OK;
}

blo_status blo_estimator_compute(blo_estimator *e, blo_int k, const blo_vec *x, const blo_vec *y,
                                 blo_vec *hx)
{
  blo_status solved;

  e->x = x;
  e->y = y;
  e->k = k;
  e->draw = 0;
  e->batch = e->fixed ? draw_hessian(e) : NULL;
  e->certificate = (blo_certificate){.curvature = (double)NAN, .rcond = (double)NAN};
  BLO_TRY(begin(e));
  solved = e->type->solve(e);
  if (solved != BLO_OK) { /* the reason may be a product that failed on one rank */
    BLO_TRY(blo_eval_settle(e->eval));
    return solved;
  }
  return finish(e, hx);
}

/**
 * @file
 * The direct adjoint: H assembled over the ranks and factorised, v = H^-1 grad_y f. Cholesky
 * factors if H is positive definite, which it is where the lower level is strongly convex; if not,
 * LU factors, or the end of the run, as the option says. An H that is singular to working precision
 * ends the run likewise, or v is called ill-conditioned.
 *
 * What is solved for is the correction H^-1 (grad_y f - H v): from v = 0 that is v itself, and with
 * a warm start it refines the solution iteratively (Higham 2002, Accuracy and Stability of
 * Numerical Algorithms, chapter 12) where H has not changed much.
 */
#include <blo/hypergrad.h>

/** Does negative curvature of g, or none, end the run? */
static bool stops(const blo_estimator *e)
{
  return e->options->on_curvature == BLO_CURVATURE_STOP;
}

/** LU factors where there are no Cholesky factors, unless that is to end the run. Collective. */
static blo_status factorize_indefinite(blo_estimator *e)
{
  blo_context *ctx = blo_eval_problem(e->eval)->ctx;
  blo_int minor = blo_hessian_minor(e->assembled);

  BLO_CHECK(ctx, minor <= blo_space_n(e->v->space), BLO_E_NONFINITE,
            "the Hessian of g, or its Cholesky factors, are not finite");
  BLO_CHECK(ctx, !stops(e), BLO_E_CURVATURE,
            "the Hessian of g is not positive definite: its leading minor of order %lld is not, so "
            "the lower level is not strongly convex here, or H is singular to working precision; "
            "see adjoint.on_curvature",
            (long long)minor);
  return blo_hessian_lu(e->assembled);
}

static blo_status factorize(blo_estimator *e)
{
  bool definite;

  if (blo_hessian_factor(e->assembled) == BLO_FACTOR_LU) {
    return BLO_OK;
  }
  BLO_TRY(blo_hessian_cholesky(e->assembled, 0, &definite));
  return definite ? BLO_OK : factorize_indefinite(e);
}

/** Of an H that is singular to working precision v would be made of rounding errors. Collective. */
static blo_status judge(blo_estimator *e)
{
  blo_certificate *c = &e->certificate;
  bool singular = blo_hessian_is_singular(e->assembled);

  c->factor = blo_hessian_factor(e->assembled);
  c->rcond = blo_hessian_rcond(e->assembled);
  BLO_CHECK(blo_eval_problem(e->eval)->ctx, !singular || !stops(e), BLO_E_CURVATURE,
            "the Hessian of g is singular to working precision, its reciprocal condition number is "
            "%.2g: the lower level is not strongly convex here. Regularise it, or use adjoint.type "
            "'cg'; see adjoint.on_curvature",
            c->rcond);
  c->verdict = singular                     ? BLO_VERDICT_ILL
               : c->factor == BLO_FACTOR_LU ? BLO_VERDICT_CURVATURE
                                            : BLO_VERDICT_CONVERGED;
  return BLO_OK;
}

static blo_status solve(blo_estimator *e)
{
  blo_certificate *c = &e->certificate;
  blo_grid *grid = blo_hessian_grid(e->assembled);
  blo_int assembled = blo_hessian_assembled(e->assembled);
  const blo_hessian_point point = {.batch = e->batch,
                                   .full = blo_sampler_is_full(e->hessian),
                                   .x = e->x,
                                   .y = e->y,
                                   .linearized = blo_eval_can_linearize(e->eval)};

  BLO_TRY(blo_hessian_at(e->assembled, &point));
  BLO_TRY(factorize(e));
  BLO_TRY(judge(e));
  blo_hessian_solve(e->assembled, e->work[0], e->hv);
  blo_vec_axpy(1, e->hv, e->v);
  c->factor_reused = blo_hessian_assembled(e->assembled) == assembled;
  c->iterations = c->factor_reused ? 0 : blo_space_n(e->v->space);
  c->grid_rows = blo_grid_rows(grid);
  c->grid_cols = blo_grid_cols(grid);
  return BLO_OK;
}

const blo_estimator_type blo_estimator_direct = {
    .name = "direct",
    .summary = "H assembled and factorised over the ranks, exact; for some ten thousand variables",
    .source = "Blackford et al. 1997, ScaLAPACK Users' Guide (pdpotrf, pdgetrf); n_y products with "
              "H an iteration",
    .n_work = 1,
    .one_batch = true,
    .dense = true,
    .solve = solve,
};

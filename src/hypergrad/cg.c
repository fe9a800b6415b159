/**
 * @file
 * Conjugate gradients on H v = grad_y f (Hestenes and Stiefel 1952), H symmetric and, if the lower
 * level is strongly convex, positive definite. p'Hp <= 0 proves that it is not: the solve then
 * ends, with the v found so far (Steihaug 1983) or with the run, as the option says.
 */
#include <blo/hypergrad.h>
#include <float.h>
#include <math.h>

static blo_status negative_curvature(blo_estimator *e, double php, double pp)
{
  e->certificate.verdict = BLO_VERDICT_CURVATURE;
  BLO_CHECK(
      blo_eval_problem(e->eval)->ctx, e->options->on_curvature == BLO_CURVATURE_TRUNCATE,
      BLO_E_CURVATURE,
      "conjugate gradients met negative curvature of g: p'Hp / p'p = %.3g in product %lld, so "
      "the lower level is not strongly convex here; see adjoint.on_curvature",
      php / pp, (long long)e->certificate.iterations);
  return BLO_OK;
}

static blo_status check_finite(const blo_estimator *e, double number, const char *what)
{
  BLO_CHECK(blo_eval_problem(e->eval)->ctx, isfinite(number), BLO_E_NONFINITE,
            "conjugate gradients: %s is %g after %lld products; grad_y f or H is too large", what,
            number, (long long)e->certificate.iterations);
  return BLO_OK;
}

static blo_status solve(blo_estimator *e)
{
  blo_certificate *c = &e->certificate;
  blo_vec *r = e->work[0], *p = e->work[1], *hp = e->hv;
  const blo_vec *const start[] = {e->rhs, r}, *const curved[] = {p, hp}, *const twice[] = {p, p};
  double dots[2], size, rr, goal;

  blo_vec_dots(2, start, start, dots);
  size = sqrt(dots[0]);
  rr = dots[1];
  /* beyond rounding the recursion only underflows: p'Hp = 0 would look like curvature */
  goal = fmax(e->options->tol, DBL_EPSILON) * size;
  BLO_TRY(check_finite(e, size, "the norm of grad_y f"));
  BLO_TRY(check_finite(e, rr, "the squared residual"));
  blo_vec_copy(r, p);
  c->verdict = sqrt(rr) <= goal ? BLO_VERDICT_CONVERGED : BLO_VERDICT_SPENT;
  while (c->verdict == BLO_VERDICT_SPENT && c->iterations < e->options->iterations) {
    double pp, php, alpha, rr_new;

    BLO_TRY(blo_estimator_product(e, p));
    c->iterations++;
    blo_vec_dots(2, twice, curved, dots); /* p'p and p'Hp in one message */
    pp = dots[0];
    php = dots[1];
    BLO_TRY(check_finite(e, php, "p'Hp"));
    c->curvature = fmin(c->curvature, php / pp); /* fmin ignores the NAN of the start */
    if (php <= 0) {
      return negative_curvature(e, php, pp);
    }
    alpha = rr / php;
    blo_vec_axpy(alpha, p, e->v);
    blo_vec_axpy(-alpha, hp, r);
    rr_new = blo_vec_dot(r, r);
    if (sqrt(rr_new) <= goal) {
      c->verdict = BLO_VERDICT_CONVERGED;
    }
    blo_vec_aypx(rr_new / rr, r, p);
    rr = rr_new;
  }
  return BLO_OK;
}

const blo_estimator_type blo_estimator_cg = {
    .name = "cg",
    .summary = "conjugate gradients on the adjoint system, K products with one Hessian",
    .source =
        "Hestenes and Stiefel 1952; Pedregosa 2016, arXiv 1602.02355; Ji, Yang and Liang 2021, "
        "arXiv 2010.07962, section 2 (AID)",
    .n_work = 2,
    .one_batch = true,
    .solve = solve,
};

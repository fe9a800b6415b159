/**
 * @file
 * The hypergradient to rounding, matrix-free: Newton's method with truncated conjugate gradients on
 * the lower level (Dembo and Steihaug 1983; Nocedal and Wright 2006, algorithm 7.1), CG with
 * refinement on the adjoint system; see second_order.h.
 */
#include <blo/second_order.h>
#include <float.h>
#include <math.h>

enum { HALVINGS = 40, ROUNDS = 5 };

/* What is asked of a starting residual, and the part of |y| by which sensitivities move y. */
static const double REDUCTION = 0.1, MOVE = 1e-4;

/* Armijo's constant; the decrease of |grad_y g| that is progress where rounding hides that of g. */
static const double ARMIJO = 1e-4, PROGRESS = 0.9;

struct blo_exact {
  blo_eval *eval;
  blo_context *ctx;
  blo_exact_options o;
  bool minimax, linearizes;
  double flat; /**< curvature p'Hp / p'p that is rounding, as a part of |H| */
  const blo_vec *x, *y;
  double size;              /**< |H| as met so far at this x */
  double g;                 /**< at the point of g_y */
  blo_vec *g_y, *s, *trial; /**< grad_y g; Newton's step; y + t s */
  blo_vec *r, *p, *hp;      /**< of CG */
  blo_vec *v, *rhs, *f_x;   /**< adjoint, grad_y f, grad_x f */
  blo_vec *shifted, *other; /**< minimax: y +- t p, and a gradient there */
  blo_exact_report *report;
};

/** How CG ended. */
typedef enum cg_end { CG_SOLVED, CG_SPENT, CG_FLAT, CG_CURVED } cg_end;

/* ------------------------------------------------------------------- life */

static blo_status make_vectors(blo_exact *e)
{
  blo_vec **const always[] = {&e->g_y, &e->s, &e->trial, &e->r, &e->p, &e->hp, &e->v, &e->rhs};
  blo_space *y = blo_eval_space_y(e->eval);

  for (blo_int i = 0; i < BLO_COUNT_OF(always); i++) {
    BLO_TRY(blo_vec_create(y, always[i]));
  }
  if (e->minimax) {
    BLO_TRY(blo_vec_create(y, &e->shifted));
    BLO_TRY(blo_vec_create(y, &e->other));
  }
  return blo_vec_create(blo_eval_space_x(e->eval), &e->f_x);
}

blo_status blo_exact_create(blo_eval *eval, const blo_exact_options *options, blo_exact **out)
{
  const blo_problem *p = blo_eval_problem(eval);
  blo_status status = BLO_OK;
  blo_exact *e = NULL;

  BLO_GO(blo_alloc(p->ctx, 1, sizeof *e, &e));
  *e = (blo_exact){.eval = eval,
                   .ctx = p->ctx,
                   .o = *options,
                   .minimax = p->minimax,
                   .linearizes = options->linearize && !p->minimax && blo_eval_can_linearize(eval)};
  e->flat = e->minimax ? 1e-8 : 10 * DBL_EPSILON;
  BLO_GO(make_vectors(e));
  BLO_GO(e->linearizes ? blo_eval_reserve(eval, p->n_lower, 1) : BLO_OK);
  *out = e;
  e = NULL;
done:
  blo_exact_destroy(&e);
  return status;
}

void blo_exact_destroy(blo_exact **exact)
{
  blo_exact *e = *exact;

  if (e != NULL) {
    blo_context *ctx = e->ctx;
    blo_vec **const all[] = {&e->g_y, &e->s,   &e->trial, &e->r,       &e->p,    &e->hp,
                             &e->v,   &e->rhs, &e->f_x,   &e->shifted, &e->other};
    for (blo_int i = 0; i < BLO_COUNT_OF(all); i++) {
      blo_vec_destroy(all[i]);
    }
    blo_free(ctx, exact);
  }
}

/* ---------------------------------------------------------------- oracles */

/** g and grad_y g at y; what products at y share is kept. Collective. */
static blo_status look(blo_exact *e, const blo_vec *y)
{
  blo_answer ans = {.g_y = e->g_y, .f_y = e->g_y};
  blo_ask ask = {.x = e->x, .y = y, .linearize = e->linearizes};

  *(e->minimax ? &ask.upper : &ask.lower) = BLO_WANT_VALUE | BLO_WANT_Y;
  BLO_TRY(blo_eval_sweep(e->eval, &ask, &ans));
  e->g = e->minimax ? -ans.f : ans.g;
  if (e->minimax) {
    blo_vec_scale(-1, e->g_y);
  }
  return BLO_OK;
}

/** out = grad_y f at y + t p. Collective. */
static blo_status slope_at(blo_exact *e, double t, const blo_vec *p, blo_vec *out)
{
  blo_answer ans = {.f_y = out};
  blo_ask ask = {.upper = BLO_WANT_Y, .x = e->x, .y = e->shifted};

  blo_vec_copy(e->y, e->shifted);
  blo_vec_axpy(t, p, e->shifted);
  return blo_eval_sweep(e->eval, &ask, &ans);
}

/** H p = -grad_yy f p by central differences. Collective. */
static blo_status difference(blo_exact *e, const blo_vec *p, blo_vec *hv)
{
  const blo_vec *const both[] = {p, e->y};
  double squares[2], t;

  blo_vec_dots(2, both, both, squares);
  if (squares[0] == 0) {
    blo_vec_fill(hv, 0);
    return BLO_OK;
  }
  t = cbrt(DBL_EPSILON) * fmax(1, sqrt(squares[1])) / sqrt(squares[0]);
  BLO_TRY(slope_at(e, -t, p, hv));
  BLO_TRY(slope_at(e, t, p, e->other));
  blo_vec_axpy(-1, e->other, hv);
  blo_vec_scale(1 / (2 * t), hv);
  return BLO_OK;
}

blo_status blo_exact_product(blo_exact *e, const blo_vec *p, blo_vec *hv)
{
  blo_answer ans = {.hv = {hv}};
  blo_ask ask = {
      .lower = BLO_WANT_HV, .x = e->x, .y = e->y, .n_v = 1, .v = {p}, .linearized = e->linearizes};

  return e->minimax ? difference(e, p, hv) : blo_eval_sweep(e->eval, &ask, &ans);
}

/** hp = H p, and what it says of |H|. @param[out] pp, php  p'p and p'Hp. Collective. */
static blo_status product(blo_exact *e, const blo_vec *p, double *pp, double *php)
{
  const blo_vec *const left[] = {p, p, e->hp}, *const right[] = {p, e->hp, e->hp};
  double dots[3];

  BLO_TRY(blo_exact_product(e, p, e->hp));
  e->report->products++;
  blo_vec_dots(3, left, right, dots);
  BLO_CHECK(e->ctx, isfinite(dots[0]) && isfinite(dots[2]), BLO_E_NONFINITE,
            "exact hypergradient: the product of a vector of squared norm %g with H has the "
            "squared norm %g",
            dots[0], dots[2]);
  *pp = dots[0];
  *php = dots[1];
  e->size = dots[0] > 0 ? fmax(e->size, sqrt(dots[2] / dots[0])) : e->size;
  return BLO_OK;
}

/* ----------------------------------------------------- conjugate gradients */

/** Improve z as a solution of H z = b until the residual is at most `goal`; e->r is b - H z.
 *  Collective. */
static blo_status solve(blo_exact *e, blo_vec *z, double goal, cg_end *end)
{
  double rr = blo_vec_dot(e->r, e->r);

  *end = CG_SPENT;
  blo_vec_copy(e->r, e->p);
  for (blo_int i = 0; sqrt(rr) > goal && i < e->o.products; i++) {
    double pp, php, rr_old = rr;

    BLO_TRY(product(e, e->p, &pp, &php));
    e->report->curvature = fmin(e->report->curvature, php / pp);
    if (php <= e->flat * e->size * pp) {
      *end = php < -e->flat * e->size * pp ? CG_CURVED : CG_FLAT;
      return BLO_OK;
    }
    blo_vec_axpy(rr / php, e->p, z);
    blo_vec_axpy(-rr / php, e->hp, e->r);
    rr = blo_vec_dot(e->r, e->r);
    blo_vec_aypx(rr / rr_old, e->r, e->p);
  }
  *end = sqrt(rr) <= goal ? CG_SOLVED : CG_SPENT;
  return BLO_OK;
}

/* -------------------------------------------------------- the lower level */

/** What a residual of the lower level is measured by. */
static double lower_scale(const blo_exact *e, const blo_vec *y)
{
  return e->size * fmax(1, blo_vec_norm(y));
}

/** e->s: Newton's step from y, or what CG has of it. @param[in] least  the residual of CG that
 *  will do  @param[out] slope  s'grad_y g. Collective. */
static blo_status find_step(blo_exact *e, double norm, double scale, double least, double *slope)
{
  cg_end end;

  blo_vec_fill(e->s, 0);
  blo_vec_copy(e->g_y, e->r);
  blo_vec_scale(-1, e->r);
  BLO_TRY(solve(e, e->s, fmax(least, fmin(0.1, norm / scale) * norm), &end));
  e->report->curved = end == CG_CURVED && norm > e->o.tol_lower * scale;
  *slope = blo_vec_dot(e->s, e->g_y);
  if (!(*slope < 0)) {
    blo_vec_copy(e->g_y, e->s);
    blo_vec_scale(-1 / e->size, e->s);
    *slope = -norm * norm / e->size;
  }
  return BLO_OK;
}

/** Is the point that was looked at last good enough? Where g changes by no more than `noise`, its
 *  gradient tells. */
static bool accepts(const blo_exact *e, double g, double noise, double decrease, double norm,
                    double norm_now)
{
  return fabs(e->g - g) <= noise ? norm_now <= PROGRESS * norm : e->g <= g - ARMIJO * decrease;
}

/** y <- y + t s with the first t that will do, of the first `most`. @param[in,out] norm  |grad_y g|
 *  @param[out] moved  false: there is none, and y stays. Collective. */
static blo_status move(blo_exact *e, blo_vec *y, int most, double slope, double *norm, bool *moved)
{
  double g = e->g, size = fmax(1, blo_vec_norm(y)), t = 1;
  double noise = 1e3 * DBL_EPSILON * (fabs(g) + e->size * size * size);

  *moved = false;
  for (int i = 0; i < most && !*moved; i++, t *= 0.5) {
    blo_status status;
    double norm_now;
    blo_vec_copy(y, e->trial);
    blo_vec_axpy(t, e->s, e->trial);
    status = look(e, e->trial);
    if (status == BLO_E_NONFINITE) {
      continue;
    }
    BLO_TRY(status);
    norm_now = blo_vec_norm(e->g_y);
    *moved = accepts(e, g, noise, -t * slope, *norm, norm_now);
    *norm = *moved ? norm_now : *norm;
  }
  if (!*moved) {
    return look(e, y);
  }
  blo_vec_copy(e->trial, y);
  return BLO_OK;
}

/** Once the residual is within the tolerance a step is whole or not at all: rounding may have won.
 */
static blo_status solve_lower(blo_exact *e, blo_vec *y)
{
  double norm, pp, php, scale, slope, enough;
  bool moved = true;

  BLO_TRY(look(e, y));
  norm = blo_vec_norm(e->g_y);
  BLO_TRY(product(e, e->g_y, &pp, &php)); /* for |H| */
  scale = lower_scale(e, y);
  enough = REDUCTION * norm;
  while (moved && norm > fmin(e->o.tol_lower * scale, enough) && e->report->steps < e->o.newton) {
    double goal = e->o.tol_lower * scale;
    BLO_TRY(find_step(e, norm, scale, 0.1 * fmin(goal, enough), &slope));
    BLO_TRY(move(e, y, norm > goal ? HALVINGS : 1, slope, &norm, &moved));
    if (moved) {
      e->report->steps++;
      e->report->curvature = (double)NAN;
      e->report->curved = false;
    }
    scale = lower_scale(e, y);
  }
  e->report->lower_residual = norm;
  e->report->lower_scale = scale;
  return BLO_OK;
}

/* ------------------------------------------------------------ the adjoint */

/** e->r = grad_y f - H v, and its norm. Collective. */
static blo_status find_residual(blo_exact *e, double *norm)
{
  double pp, php;

  BLO_TRY(product(e, e->v, &pp, &php));
  blo_vec_copy(e->rhs, e->r);
  blo_vec_axpy(-1, e->hp, e->r);
  *norm = blo_vec_norm(e->r);
  return BLO_OK;
}

/** |H| |v| + |grad_y f|. Collective. */
static double adjoint_scale(const blo_exact *e)
{
  return e->size * blo_vec_norm(e->v) + blo_vec_norm(e->rhs);
}

/** A round of CG from the true residual. Where that is within `tol` already, v stays if rounding
 *  keeps CG from making it less. @param[in,out] norm  of the residual. Collective. */
static blo_status refine(blo_exact *e, double tol, double goal, double *norm, bool *more)
{
  double before = *norm;
  cg_end end;

  blo_vec_copy(e->v, e->s);
  BLO_TRY(solve(e, e->v, 0.5 * goal, &end));
  BLO_TRY(find_residual(e, norm));
  *more = end == CG_SOLVED;
  if (before > tol) {
    e->report->curved = e->report->curved || end == CG_CURVED;
  } else if (!(*norm <= PROGRESS * before)) {
    *more = false;
    *norm = before;
    blo_vec_copy(e->s, e->v);
  }
  return BLO_OK;
}

static blo_status solve_adjoint(blo_exact *e)
{
  double norm, enough;
  bool more = true;

  BLO_TRY(find_residual(e, &norm));
  enough = REDUCTION * norm;
  for (int i = 0; i < ROUNDS && more; i++) {
    double tol = e->o.tol_adjoint * adjoint_scale(e), goal = fmin(tol, enough);
    if (!(norm > goal)) {
      break;
    }
    BLO_TRY(refine(e, tol, goal, &norm, &more));
  }
  e->report->adjoint_residual = norm;
  e->report->adjoint_scale = adjoint_scale(e);
  return BLO_OK;
}

/* ------------------------------------------------------- the hypergradient */

/** hx = grad_x f - J v. Collective. */
static blo_status form(blo_exact *e, blo_vec *hx)
{
  blo_answer ans = {.f_x = e->minimax ? hx : e->f_x, .f_y = e->rhs, .jv = {hx}};
  blo_ask ask = {.upper = BLO_WANT_X | (e->minimax ? 0u : BLO_WANT_Y), .x = e->x, .y = e->y};

  BLO_TRY(blo_eval_sweep(e->eval, &ask, &ans));
  if (e->minimax) {
    return BLO_OK;
  }
  BLO_TRY(solve_adjoint(e));
  ask = (blo_ask){.lower = BLO_WANT_JV,
                  .x = e->x,
                  .y = e->y,
                  .n_v = 1,
                  .v = {e->v},
                  .linearized = e->linearizes};
  BLO_TRY(blo_eval_sweep(e->eval, &ask, &ans));
  blo_vec_aypx(-1, e->f_x, hx);
  return BLO_OK;
}

/** Numbers that overflow are no solution, not even with a residual of 0. */
static double quotient(double residual, double scale)
{
  if (!isfinite(residual) || !isfinite(scale)) {
    return (double)INFINITY;
  }
  return residual == 0 ? 0 : residual / scale;
}

static void conclude(const blo_exact *e, const blo_vec *hx)
{
  blo_exact_report *r = e->report;

  r->hypergrad_norm = blo_vec_norm(hx);
  r->lower_error = quotient(r->lower_residual, r->lower_scale);
  r->adjoint_error = e->minimax ? 0 : quotient(r->adjoint_residual, r->adjoint_scale);
  r->solved =
      !r->curved && r->lower_error <= e->o.tol_lower && r->adjoint_error <= e->o.tol_adjoint;
}

static blo_status compute(blo_exact *e, blo_vec *y, blo_vec *hx)
{
  BLO_TRY(solve_lower(e, y));
  BLO_TRY(form(e, hx));
  conclude(e, hx);
  return BLO_OK;
}

blo_status blo_exact_hypergradient(blo_exact *e, const blo_vec *x, blo_vec *y, blo_vec *hx,
                                   blo_exact_report *report)
{
  const double none = (double)NAN;
  blo_status status, kept;

  *report = (blo_exact_report){.hypergrad_norm = none,
                               .curvature = none,
                               .lower_residual = none,
                               .lower_error = none,
                               .adjoint_residual = e->minimax ? 0 : none,
                               .adjoint_error = e->minimax ? 0 : none};
  e->report = report;
  e->x = x;
  e->y = y;
  e->size = 0;
  status = compute(e, y, hx);
  kept = blo_eval_settle(e->eval); /* a product of tasks may have failed on one rank */
  return kept != BLO_OK ? kept : status;
}

/* ------------------------------------------------------------ sensitivities */

/** out = the hypergradient formula at (x, y), y as it is. Collective. */
static blo_status form_at(blo_exact *e, const blo_vec *y, blo_vec *out)
{
  e->y = y;
  BLO_TRY(look(e, y));
  return form(e, out);
}

/** |J w| at (x, y). Collective. */
static blo_status cross_norm(blo_exact *e, const blo_vec *y, const blo_vec *w, blo_vec *spare,
                             double *norm)
{
  blo_answer ans = {.jv = {spare}};
  blo_ask ask = {
      .lower = BLO_WANT_JV, .x = e->x, .y = y, .n_v = 1, .v = {w}, .linearized = e->linearizes};

  e->y = y;
  *norm = 0;
  if (!e->minimax) {
    BLO_TRY(look(e, y)); /* linearises at y again */
    BLO_TRY(blo_eval_sweep(e->eval, &ask, &ans));
    *norm = blo_vec_norm(spare);
  }
  return BLO_OK;
}

blo_status blo_exact_sensitivity(blo_exact *e, const blo_vec *w, const blo_vec *hx, blo_vec *spare,
                                 double *lower, double *adjoint)
{
  const blo_vec *y = e->y;
  double size = blo_vec_norm(w), t = MOVE * fmax(1, blo_vec_norm(y)) / size;
  blo_exact_report kept = *e->report;

  *lower = *adjoint = 0;
  if (size == 0) {
    return BLO_OK;
  }
  blo_vec_copy(y, e->trial);
  blo_vec_axpy(t, w, e->trial);
  BLO_TRY(form_at(e, e->trial, spare));
  blo_vec_axpy(-1, hx, spare);
  *lower = blo_vec_norm(spare) / t;
  BLO_TRY(cross_norm(e, y, w, spare, adjoint));
  kept.products = e->report->products;
  *e->report = kept;
  return BLO_OK;
}

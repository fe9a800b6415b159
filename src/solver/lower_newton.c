/**
 * @file
 * Newton's and Gauss-Newton's steps of the lower track,
 *
 *     (B + tau I) p = -grad_y g      y <- y + t p      B = grad_yy g, or the Gauss-Newton matrix
 *
 * after Nocedal and Wright 2006, Numerical Optimization: tau = 0 if B is positive definite, else
 * the first of a doubling sequence that makes it so (algorithm 3.3), and backtracking for t
 * (algorithm 3.1), so that g decreases (algorithm 3.2, line search Newton with modification).
 *
 * Close to the solution rounding of g hides the decrease along p, which is about -p.grad_y g / 2:
 * below HIDDEN |g| the slope at the new point decides, p.grad_y g(y + t p) <= (2 c_1 - 1) p.grad_y
 * g(y), which for quadratic g is the same test (Hager and Zhang 2005, SIAM J. Optim. 16(1),
 * section 4), if g does not visibly increase. If such a step does not make the norm of the gradient
 * less, rounding leaves nothing to gain.
 *
 * If B is singular but for rounding, Cholesky may succeed, and p would have a part in B's null
 * space that is rounding errors over rounding errors: then tau > 0, too.
 *
 * Values, norms and scalar products have the same bits on every rank, and so have the decisions.
 */
#include "lower_private.h"
#include <float.h>
#include <math.h>

static const double ARMIJO = 1e-4;               /**< c_1 of algorithm 3.1 */
static const double HIDDEN = 1000 * DBL_EPSILON; /**< of |g|: more than the rounding of its sum */
enum { HALVINGS = 40, SHIFTS = 60 };

static bool is_gauss_newton(const blo_lower *l)
{
  return l->options->rule == BLO_LOWER_GAUSS_NEWTON;
}

/* ------------------------------------------------------------------ setup */

static blo_status check(const blo_lower *l)
{
  const blo_problem *p = blo_eval_problem(l->eval);
  const blo_lower_options *o = l->options;
  const char *rule = blo_lower_rule_names[o->rule];

  BLO_BUG_IF(l->hessian == NULL, "lower.rule %s without a blo_hessian", rule);
  BLO_CHECK(p->ctx, o->momentum == 0, BLO_E_OPTION,
            "solver.lower.momentum = %g belongs to solver.lower.rule = 'gradient'; with '%s' it "
            "must be 0",
            o->momentum, rule);
  BLO_CHECK(p->ctx, !l->deals, BLO_E_UNSUPPORTED,
            "solver.lower.rule = '%s' needs all tasks, not batches of %lld of them (solver.lower."
            "batch); use 'gradient', or batch 0",
            rule, (long long)o->batch);
  BLO_CHECK(p->ctx, !is_gauss_newton(l) || (p->has & BLO_HAS_GAUSS_NEWTON) != 0, BLO_E_UNSUPPORTED,
            "problem '%s' has no Gauss-Newton matrix (solver.lower.rule = '%s'); use 'newton' or "
            "'gradient'",
            p->type->name, rule);
  return BLO_OK;
}

static blo_status setup(blo_lower *l, blo_state *state)
{
  blo_space *space = blo_eval_space_y(l->eval);

  (void)state; /* a step knows nothing of those before it */
  BLO_TRY(check(l));
  BLO_TRY(blo_eval_reserve(l->eval, blo_sampler_max_own(l->sampler), 1));
  BLO_TRY(blo_vec_create(space, &l->p));
  return blo_vec_create(space, &l->trial);
}

/* --------------------------------------------------------- the direction */

/** g, grad_y g, and what the products of the assembly share. Collective. */
static blo_status look(blo_lower *l, const lower_turn *turn, const blo_batch *batch, double *g)
{
  blo_answer ans = {.g_y = l->g_y};
  blo_ask ask = {.lower = BLO_WANT_VALUE | BLO_WANT_Y,
                 .lower_batch = batch,
                 .x = turn->x,
                 .y = turn->y,
                 .linearize = blo_eval_can_linearize(l->eval),
                 .same_x = l->keeps && turn->t > 0};

  BLO_TRY(blo_eval_sweep(l->eval, &ask, &ans));
  *g = ans.g;
  return BLO_OK;
}

/**
 * p = -(B + tau I)^-1 grad_y g, if B + tau I is positive definite by more than rounding errors, and
 * the curvature along p, p'(B + tau I) p / p'p = -p.grad_y g / p'p, is more than `least`.
 * Collective.
 * @param[out] slope  p.grad_y g
 */
static blo_status try_shift(blo_lower *l, double tau, double least, double *slope, bool *good)
{
  const blo_vec *const a[] = {l->p, l->p}, *const b[] = {l->g_y, l->p};
  double dots[2];

  BLO_TRY(blo_hessian_cholesky(l->hessian, tau, good));
  *good = *good && !blo_hessian_is_singular(l->hessian);
  if (*good) {
    blo_hessian_solve(l->hessian, l->g_y, l->p);
    blo_vec_scale(-1, l->p);
    blo_vec_dots(2, a, b, dots);
    *slope = dots[0];
    *good = -dots[0] > least * dots[1];
  }
  return BLO_OK;
}

/**
 * p with the first tau that will do: 0; if B is singular a small one, unless p then is mostly in
 * B's null space, where the curvature is tau; doublings from 1e-3 of B's size. More than its norm
 * is enough, so some ten are, unless numbers overflow. Collective.
 */
static blo_status find_shift(blo_lower *l, double *slope)
{
  double norm, small, tau;
  bool good;

  BLO_TRY(try_shift(l, 0, 0, slope, &good));
  norm = blo_hessian_norm(l->hessian);
  small = sqrt(DBL_EPSILON) * norm;
  tau = norm > 0 ? 1e-3 * norm : 1;
  if (!good) {
    BLO_TRY(try_shift(l, small, 2 * small, slope, &good));
  }
  for (int i = 0; i < SHIFTS && !good; i++, tau *= 2) {
    BLO_TRY(try_shift(l, tau, 0, slope, &good));
  }
  BLO_CHECK(blo_eval_problem(l->eval)->ctx, good, BLO_E_NONFINITE,
            "no multiple of the identity makes the Hessian of g positive definite: its numbers "
            "are too large");
  return BLO_OK;
}

/** p of the head of this file, and its slope. Collective. */
static blo_status direction(blo_lower *l, const lower_turn *turn, const blo_batch *batch,
                            double *slope)
{
  const blo_hessian_point point = {.batch = batch,
                                   .full = blo_sampler_is_full(l->sampler),
                                   .x = turn->x,
                                   .y = turn->y,
                                   .gauss_newton = is_gauss_newton(l),
                                   .linearized = blo_eval_can_linearize(l->eval)};

  BLO_TRY(blo_hessian_at(l->hessian, &point));
  return find_shift(l, slope);
}

/* ------------------------------------------------------- the line search */

/** What a line search goes by. */
typedef struct search_from {
  double g, slope; /**< g and p.grad_y g at y */
  bool hidden;     /**< rounding hides the decrease of g along p */
} search_from;

/** trial = y + t p; is that good enough? Where g is not finite it is not. Collective. */
static blo_status try_step(blo_lower *l, const lower_turn *turn, const blo_batch *batch,
                           const search_from *from, double t, bool *good)
{
  blo_answer ans = {.g_y = l->g_y};
  blo_ask ask = {.lower = BLO_WANT_VALUE | (from->hidden ? (unsigned)BLO_WANT_Y : 0u),
                 .lower_batch = batch,
                 .x = turn->x,
                 .y = l->trial};
  blo_status status;

  blo_vec_copy(turn->y, l->trial);
  blo_vec_axpy(t, l->p, l->trial);
  status = blo_eval_sweep(l->eval, &ask, &ans);
  if (status == BLO_OK && blo_eval_problem(l->eval)->y_width > 0) {
    status = blo_eval_settle(l->eval); /* what has failed on one rank is this step's */
  }
  *good = false;
  if (status != BLO_OK) {
    return status == BLO_E_NONFINITE ? BLO_OK : status;
  }
  if (from->hidden) {
    *good = ans.g <= from->g + HIDDEN * fabs(from->g) &&
            blo_vec_dot(l->p, l->g_y) <= (2 * ARMIJO - 1) * from->slope;
  } else {
    *good = ans.g <= from->g + ARMIJO * t * from->slope;
  }
  return BLO_OK;
}

/** y = y + t p with the first t of 1, 1/2, 1/4, ... that is good enough, if there is one.
 *  Collective. */
static blo_status search(blo_lower *l, const lower_turn *turn, const blo_batch *batch,
                         const search_from *from, bool *found)
{
  double t = 1;

  *found = false;
  for (int i = 0; i <= HALVINGS && !*found; i++, t /= 2) {
    BLO_TRY(try_step(l, turn, batch, from, t, found));
  }
  if (*found) {
    blo_vec_copy(l->trial, turn->y);
  }
  return BLO_OK;
}

static blo_status step(blo_lower *l, const lower_turn *turn, bool *more)
{
  const blo_batch *batch = blo_eval_draw(l->eval, l->sampler, turn->k, l->options->steps, turn->t);
  search_from from;
  double norm;

  *more = false;
  BLO_TRY(look(l, turn, batch, &from.g));
  norm = blo_vec_norm(l->g_y);
  if (norm <= l->options->tol || norm >= l->limit) {
    return BLO_OK;
  }
  BLO_TRY(direction(l, turn, batch, &from.slope));
  from.hidden = -from.slope <= HIDDEN * fabs(from.g);
  l->limit = from.hidden && blo_eval_one_batch(l->eval, l->sampler) ? norm : (double)INFINITY;
  return search(l, turn, batch, &from, more);
}

const lower_rule lower_newton = {setup, step};

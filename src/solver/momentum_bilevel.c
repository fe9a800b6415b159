/** @file The iteration of MGBiO, MSGBiO and VR-MSGBiO; see momentum_bilevel.h. */
#include "momentum_bilevel.h"
#include <math.h>

/* ------------------------------------------------------------------ laws */

/** eta_t; a fixed eta has the power 0. */
static double eta_at(const momentum_law *law, blo_int t)
{
  return law->eta.k / pow(law->eta.m + (double)t, law->eta_power);
}

/** The coefficient of iteration t > 1 for one of the c. */
static double rate_at(const momentum_law *law, double c, blo_int t)
{
  return fmin(1, c * pow(eta_at(law, t - 1), law->rate_power));
}

static bool has_batches(const momentum_bilevel *d)
{
  return !blo_sampler_is_full(d->zeta) || !blo_sampler_is_full(d->xi);
}

static blo_status check(const blo_solver *s, const momentum_bilevel *d)
{
  const blo_problem *p = blo_eval_problem(s->eval);
  double eta = eta_at(&d->law, 1);

  BLO_CHECK(
      p->ctx, eta <= 1, BLO_E_OPTION,
      "solver.eta: eta_1 = k / (m + 1)^e = %g with k = %g, m = %g, e = %.3g, but x and y move "
      "by a share of a step, at most 1; take a smaller k or a larger m",
      eta, d->law.eta.k, d->law.eta.m, d->law.eta_power);
  BLO_CHECK(p->ctx, p->y_width == 0 || !has_batches(d), BLO_E_UNSUPPORTED,
            "solver.type '%s' cannot take batches of tasks: their Hessian is zero for the other "
            "tasks, and its estimate would tend to the bound mu; use all tasks (solver.lower.batch "
            "and solver.upper.batch 0)",
            s->type->name);
  return BLO_OK;
}

/* ------------------------------------------------------------------ life */

/** A larger sampler for the first iteration, where there is a larger batch. */
static blo_status make_first(blo_solver *s, blo_purpose purpose, blo_int batch, blo_int times,
                             const blo_sampler *usual, blo_sampler **out)
{
  return times == 1 || blo_sampler_is_full(usual)
             ? BLO_OK
             : blo_eval_sampler(s->eval, s->seed, purpose, batch * times, out);
}

static blo_status make_samplers(blo_solver *s, momentum_bilevel *d)
{
  const momentum_blocks *o = d->o;
  blo_int times = d->law.rates.first;

  BLO_TRY(blo_eval_sampler(s->eval, s->seed, BLO_PURPOSE_LOWER, o->lower.batch, &d->zeta));
  BLO_TRY(blo_eval_sampler(s->eval, s->seed, BLO_PURPOSE_UPPER, o->upper.batch, &d->xi));
  BLO_TRY(check(s, d));
  BLO_TRY(make_first(s, BLO_PURPOSE_LOWER, o->lower.batch, times, d->zeta, &d->first_zeta));
  return make_first(s, BLO_PURPOSE_UPPER, o->upper.batch, times, d->xi, &d->first_xi);
}

static blo_status make_vectors(const blo_solver *s, momentum_vectors *q)
{
  BLO_TRY(blo_vec_create(blo_eval_space_x(s->eval), &q->u));
  BLO_TRY(blo_vec_create(blo_eval_space_y(s->eval), &q->h));
  return blo_vec_create(blo_eval_space_y(s->eval), &q->v);
}

static void free_vectors(momentum_vectors *q)
{
  blo_vec_destroy(&q->u);
  blo_vec_destroy(&q->h);
  blo_vec_destroy(&q->v);
}

/** What the recursions of the vectors need, and what of it must survive a restart. */
static blo_status make_recursion(blo_solver *s, momentum_bilevel *d)
{
  BLO_TRY(make_vectors(s, &d->estimate));
  if (d->law.rule == BLO_TRACK_FRESH) {
    return BLO_OK;
  }
  BLO_TRY(make_vectors(s, &d->here));
  BLO_TRY(blo_state_add_vec(s->state, "estimate.u", d->estimate.u));
  BLO_TRY(blo_state_add_vec(s->state, "estimate.h", d->estimate.h));
  BLO_TRY(blo_state_add_vec(s->state, "estimate.v", d->estimate.v));
  if (d->law.rule == BLO_TRACK_MOMENTUM) {
    return BLO_OK;
  }
  BLO_TRY(make_vectors(s, &d->before));
  BLO_TRY(blo_vec_create(blo_eval_space_x(s->eval), &d->x_old));
  BLO_TRY(blo_vec_create(blo_eval_space_y(s->eval), &d->y_old));
  BLO_TRY(blo_state_add_vec(s->state, "x_old", d->x_old));
  return blo_state_add_vec(s->state, "y_old", d->y_old);
}

static blo_status make_local(blo_solver *s, momentum_bilevel *d)
{
  blo_space *x = blo_eval_space_x(s->eval), *y = blo_eval_space_y(s->eval);

  BLO_TRY(make_samplers(s, d));
  BLO_TRY(make_recursion(s, d));
  BLO_TRY(blo_vec_create(x, &d->w));
  BLO_TRY(blo_vec_create(y, &d->p));
  BLO_TRY(blo_vec_create(x, &d->x_tilde));
  BLO_TRY(blo_vec_create(y, &d->y_tilde));
  return blo_projection_create(s->eval, &d->o->upper.set, BLO_UPPER, &d->set);
}

blo_status momentum_bilevel_setup(blo_solver *s, const momentum_blocks *o, const momentum_law *law)
{
  momentum_bilevel *d = s->data;
  const blo_sampler *largest;

  *d = (momentum_bilevel){.law = *law, .o = o};
  d->bounds = (blo_tracker_options){.mu = o->tracker.mu,
                                    .L = o->tracker.L,
                                    .cross_bound = o->tracker.cross_bound,
                                    .clip = o->tracker.clip};
  BLO_TRY_ALL(blo_eval_problem(s->eval)->comm, make_local(s, d));
  largest = d->first_zeta != NULL ? d->first_zeta : d->zeta;
  BLO_TRY(blo_tracker_create(s->eval, &o->dense, &d->bounds, blo_sampler_max_own(largest),
                             law->rule == BLO_TRACK_FRESH ? NULL : s->state, &d->tracker));
  blo_projection_apply(d->set, s->x);
  blo_vec_publish(s->x);
  return BLO_OK;
}

void momentum_bilevel_teardown(blo_solver *s)
{
  momentum_bilevel *d = s->data;

  blo_tracker_destroy(&d->tracker);
  blo_projection_destroy(&d->set);
  blo_sampler_destroy(&d->zeta);
  blo_sampler_destroy(&d->xi);
  blo_sampler_destroy(&d->first_zeta);
  blo_sampler_destroy(&d->first_xi);
  free_vectors(&d->estimate);
  free_vectors(&d->here);
  free_vectors(&d->before);
  blo_vec_destroy(&d->x_old);
  blo_vec_destroy(&d->y_old);
  blo_vec_destroy(&d->w);
  blo_vec_destroy(&d->p);
  blo_vec_destroy(&d->x_tilde);
  blo_vec_destroy(&d->y_tilde);
}

void momentum_bilevel_describe(const blo_solver *s, FILE *to)
{
  blo_tracker_describe(((const momentum_bilevel *)s->data)->tracker, to);
}

/* ------------------------------------------------------------- estimates */

/** Where, and on which batches. */
typedef struct place {
  const blo_batch *zeta, *xi;
  const blo_vec *x, *y;
  bool values;    /**< those of f and g, too */
  bool linearize; /**< the matrices are assembled here next */
} place;

/** The three gradients: one sweep. Collective. */
static blo_status gradients(const blo_solver *s, const place *at, const momentum_vectors *to,
                            blo_report *r)
{
  unsigned value = at->values ? BLO_WANT_VALUE : 0;
  blo_answer answer = {.f_x = to->u, .f_y = to->h, .g_y = to->v};
  blo_ask ask = {.lower = BLO_WANT_Y | value,
                 .upper = BLO_WANT_X | BLO_WANT_Y | value,
                 .lower_batch = at->zeta,
                 .upper_batch = at->xi,
                 .x = at->x,
                 .y = at->y,
                 .linearize = at->linearize && blo_eval_can_linearize(s->eval)};

  BLO_TRY(blo_eval_sweep(s->eval, &ask, &answer));
  if (at->values) {
    r->g = answer.g;
    r->f = answer.f;
  }
  return BLO_OK;
}

/** e <- (1 - a) (e - before) + here; `before` NULL: e <- (1 - a) e + a here. */
static void combine(double a, const blo_vec *here, const blo_vec *before, blo_vec *e)
{
  if (before == NULL) {
    blo_vec_scale(1 - a, e);
    blo_vec_axpy(a, here, e);
  } else {
    blo_vec_axpy(-1, before, e);
    blo_vec_aypx(1 - a, here, e);
  }
}

/** h <- its projection on the ball of radius C. Collective. */
static blo_status shorten(const blo_solver *s, double most, blo_vec *h)
{
  double norm = isinf(most) ? 0 : blo_vec_norm(h);

  BLO_CHECK(blo_eval_problem(s->eval)->ctx, isfinite(norm), BLO_E_NONFINITE,
            "the norm of the estimate of grad_y f is not finite in iteration %lld",
            (long long)s->k);
  if (norm > most) {
    blo_vec_scale(most / norm, h);
  }
  return BLO_OK;
}

/** u, h and v by their rule. Collective. */
static blo_status estimate_vectors(const blo_solver *s, momentum_bilevel *d,
                                   const blo_track_step *step, const blo_batch *xi, blo_report *r)
{
  const momentum_rate_options *c = &d->law.rates;
  bool fresh = step->rule == BLO_TRACK_FRESH, storm = step->rule == BLO_TRACK_STORM;
  place at = {step->batch, xi, step->x, step->y, true, !storm};
  blo_int t = s->k + 1;

  BLO_TRY(gradients(s, &at, fresh ? &d->estimate : &d->here, r));
  if (storm) {
    at = (place){step->batch, xi, step->x_old, step->y_old, false, true};
    BLO_TRY(gradients(s, &at, &d->before, r));
  }
  if (!fresh) {
    combine(rate_at(&d->law, c->c_u, t), d->here.u, d->before.u, d->estimate.u);
    combine(rate_at(&d->law, c->c_u, t), d->here.h, d->before.h, d->estimate.h);
    combine(rate_at(&d->law, c->c_v, t), d->here.v, d->before.v, d->estimate.v);
  }
  return shorten(s, d->o->tracker.gradient_bound, d->estimate.h);
}

/** Batches of g are numbered through the steps of the warm-up first, and those of f alike. */
static blo_int draw_of(const blo_solver *s, const momentum_bilevel *d)
{
  return d->o->lower.warm_up + s->k;
}

static const blo_batch *draw(const blo_solver *s, const momentum_bilevel *d, blo_sampler *usual,
                             blo_sampler *first)
{
  return blo_eval_draw(s->eval, s->k == 0 && first != NULL ? first : usual, draw_of(s, d), 1, 0);
}

/** All five estimates at (x_t, y_t). Collective. */
static blo_status estimate(const blo_solver *s, momentum_bilevel *d, blo_report *r)
{
  const blo_batch *xi = draw(s, d, d->xi, d->first_xi);
  blo_int t = s->k + 1;
  blo_track_step step = {.rule = t == 1 ? BLO_TRACK_FRESH : d->law.rule,
                         .batch = draw(s, d, d->zeta, d->first_zeta),
                         .x = s->x,
                         .y = s->y,
                         .x_old = d->x_old,
                         .y_old = d->y_old,
                         .linearized = true};

  if (step.rule == BLO_TRACK_STORM) {
    blo_vec_publish(d->x_old); /* it was copied where x is owned */
  }
  if (step.rule != BLO_TRACK_FRESH) {
    step.a_cross = rate_at(&d->law, d->law.rates.c_G, t);
    step.a_hessian = rate_at(&d->law, d->law.rates.c_H, t);
  }
  BLO_TRY(estimate_vectors(s, d, &step, xi, r));
  return blo_tracker_update(d->tracker, &step);
}

/* ------------------------------------------------------------- iteration */

/** y approaches y*(x_1) before the first iteration. Collective. */
static blo_status warm_up(const blo_solver *s, momentum_bilevel *d)
{
  for (blo_int i = 0; i < d->o->lower.warm_up; i++) {
    blo_answer answer = {.g_y = d->estimate.v};
    blo_ask ask = {.lower = BLO_WANT_Y,
                   .lower_batch = blo_eval_draw(s->eval, d->zeta, i, 1, 0),
                   .x = s->x,
                   .y = s->y};

    BLO_TRY(blo_eval_sweep(s->eval, &ask, &answer));
    blo_vec_axpy(-d->o->lower.step, d->estimate.v, s->y);
  }
  return BLO_OK;
}

/** w = u - G H^-1 h. Collective. */
static void find_direction(momentum_bilevel *d)
{
  blo_tracker_solve(d->tracker, d->estimate.h, d->p);
  blo_tracker_cross(d->tracker, d->p, d->w);
  blo_vec_aypx(-1, d->estimate.u, d->w);
}

/** z~ - z is left in z~. */
static void approach(double eta, blo_vec *z_tilde, blo_vec *z)
{
  blo_vec_axpy(-1, z, z_tilde);
  blo_vec_axpy(eta, z_tilde, z);
}

static void move(blo_solver *s, momentum_bilevel *d, double eta)
{
  if (d->x_old != NULL) {
    blo_vec_copy(s->x, d->x_old);
    blo_vec_copy(s->y, d->y_old);
  }
  blo_vec_copy(s->x, d->x_tilde);
  blo_vec_axpy(-d->o->upper.step, d->w, d->x_tilde);
  blo_projection_apply(d->set, d->x_tilde);
  blo_vec_copy(s->y, d->y_tilde);
  blo_vec_axpy(-d->o->lower.step, d->estimate.v, d->y_tilde);
  approach(eta, d->x_tilde, s->x);
  approach(eta, d->y_tilde, s->y);
  blo_vec_publish(s->x);
}

static void fill_report(const blo_solver *s, momentum_bilevel *d, double eta, blo_report *r)
{
  blo_grid *grid = blo_tracker_grid(d->tracker);
  blo_certificate c;

  r->grid_ranks = blo_grid_rows(grid) * blo_grid_cols(grid);
  r->lower_steps = 1 + (s->k == 0 ? (double)d->o->lower.warm_up : 0);
  r->step_x = eta * d->o->upper.step;
  r->step_y = eta * d->o->lower.step;
  r->verdict = BLO_VERDICT_CONVERGED; /* a solve with factors */
  r->curvature = blo_tracker_clips(d->tracker).least;
  if (!s->want_norms) {
    return;
  }
  blo_tracker_certify(d->tracker, d->estimate.h, d->p, &c);
  r->hypergrad_norm = blo_vec_norm(d->w);
  r->lower_residual = blo_vec_norm(d->estimate.v);
  r->stationarity = fmax(r->hypergrad_norm, r->lower_residual);
  r->adjoint_residual = c.adjoint_residual;
  r->adjoint_rhs = c.adjoint_rhs;
  r->adjoint_relative = c.adjoint_relative;
}

blo_status momentum_bilevel_step(blo_solver *s, blo_report *r)
{
  momentum_bilevel *d = s->data;
  double eta = eta_at(&d->law, s->k + 1);

  if (s->k == 0) {
    BLO_TRY(warm_up(s, d));
  }
  BLO_TRY(estimate(s, d, r));
  find_direction(d);
  fill_report(s, d, eta, r);
  move(s, d, eta);
  BLO_TRY(blo_step_check(s->x, "x", "the step", s->k));
  return blo_step_check(s->y, "y", "the step", s->k);
}

/* ---------------------------------------------------------------- tables */

static const blo_opt_row tracker_rows[] = {
    BLO_TRACKER_ROWS(momentum_tracker_options, "0.1", "10", "inf"),
    BLO_OPT(momentum_tracker_options, gradient_bound, "inf", 0, BLO_INF, "-",
            "largest norm of the estimate of grad_y f", MOMENTUM_SOURCE, BLO_OPT_OPEN_LOW),
};
const blo_opt_table momentum_tracker_table =
    BLO_OPT_TABLE("tracker", "bounds of the estimates", momentum_tracker_options, tracker_rows);

/**
 * @file
 * Perturbed multi-step GDmax (Huang, Chen, Ji, Ma and Lai 2022, arXiv 2202.03684) for
 *
 *     min over x, max over y of f(x, y),  f strongly concave in y,  F(x) = max over y of f
 *
 * Since grad F(x) = grad_x f at y*(x), it takes gradients of f only, on all data:
 *
 *     for k = 0, 1, ...
 *       D times:  y <- y + tau grad_y f(x, y)
 *       h = grad_x f(x, y)
 *       stop, perturb or descend with h and f(x, y)                     (escape.h)
 *
 * y is carried over.
 */
#include "escape.h"
#include <math.h>

typedef struct lower_options {
  blo_int steps;
  double step;
} lower_options;

typedef struct options {
  lower_options lower;
  escape_upper_options upper;
  escape_options escape;
} options;

typedef struct state {
  escape *escape;
  blo_vec *f_y, *hx;
} state;

/* ------------------------------------------------------------------- step */

static blo_status ascend(blo_solver *s, state *st, blo_int steps, double tau)
{
  blo_answer ans = {.f_y = st->f_y};
  const blo_ask ask = {.upper = BLO_WANT_Y, .x = s->x, .y = s->y};

  for (blo_int t = 0; t < steps; t++) {
    BLO_TRY(blo_eval_sweep(s->eval, &ask, &ans));
    blo_vec_axpy(tau, st->f_y, s->y);
  }
  return BLO_OK;
}

static blo_int steps_of(const options *o, escape_work work)
{
  return work == ESCAPE_LOOK ? 0 : (work == ESCAPE_USUAL ? 1 : o->escape.check) * o->lower.steps;
}

/** Ascent steps, then grad_x f and, from the same read of the data, f and what is left of
 *  grad_y f. */
static blo_status hypergradient(blo_solver *s, escape_work work, bool want_norms, blo_vec *hx,
                                blo_report *r)
{
  state *st = s->data;
  const options *o = s->options;
  blo_int steps = steps_of(o, work);
  blo_answer ans = {.f_x = hx, .f_y = st->f_y};
  const blo_ask ask = {.upper = BLO_WANT_VALUE | BLO_WANT_X | BLO_WANT_Y, .x = s->x, .y = s->y};

  BLO_TRY(ascend(s, st, steps, o->lower.step));
  BLO_TRY(blo_eval_sweep(s->eval, &ask, &ans));
  r->f = ans.f;
  r->lower_residual = want_norms ? blo_vec_norm(st->f_y) : (double)NAN;
  r->lower_steps = (double)steps;
  r->step_y = o->lower.step;
  return BLO_OK;
}

/** The check at a stop. */
static blo_status solve_again(blo_solver *s, escape_work work, blo_vec *hx, blo_report *r)
{
  return hypergradient(s, work, true, hx, r);
}

static blo_status step(blo_solver *s, blo_report *r)
{
  state *st = s->data;

  BLO_TRY(hypergradient(s, ESCAPE_USUAL, s->want_norms, st->hx, r));
  return escape_step(st->escape, s, st->hx, r);
}

/* ------------------------------------------------------------------- life */

static blo_status make(blo_solver *s, const options *o, state *st)
{
  const blo_problem *p = blo_eval_problem(s->eval);

  BLO_CHECK(p->ctx, p->minimax, BLO_E_UNSUPPORTED,
            "perturbed_gdmax is for min over x, max over y of f (g = -f); the lower level of '%s' "
            "is another; see perturbed_aid",
            p->type->name);
  BLO_TRY(escape_create(s, &o->upper, &o->escape, solve_again, &st->escape));
  BLO_TRY(blo_vec_create(blo_eval_space_y(s->eval), &st->f_y));
  return blo_vec_create(blo_eval_space_x(s->eval), &st->hx);
}

static blo_status setup(blo_solver *s)
{
  return blo_agree(blo_eval_problem(s->eval)->comm, make(s, s->options, s->data));
}

static void teardown(blo_solver *s)
{
  state *st = s->data;

  escape_destroy(&st->escape);
  blo_vec_destroy(&st->f_y);
  blo_vec_destroy(&st->hx);
}

static void describe(const blo_solver *s, FILE *to)
{
  const state *st = s->data;

  escape_describe(st->escape, to);
}

static const blo_opt_row lower_rows[] = {
    BLO_OPT(lower_options, steps, "10", 1, 1e9, "steps",
            "D: ascent steps on y in an outer iteration; at least 5 and sqrt(kappa), kappa the "
            "condition number of grad_yy f; with 1 it may not settle",
            "", 0),
    BLO_OPT(lower_options, step, "0.1", 0, 1e12, "-",
            "tau, about 1 over the largest curvature of f in y", "", BLO_OPT_OPEN_LOW),
};
static const blo_opt_table lower_table =
    BLO_OPT_TABLE("lower", "the ascent on y", lower_options, lower_rows);
static const blo_opt_sub subs[] = {{"lower", offsetof(options, lower), &lower_table},
                                   {"upper", offsetof(options, upper), &escape_upper_table},
                                   {"escape", offsetof(options, escape), &escape_table}};
static const blo_opt_table table = BLO_OPT_TABLE_OF(
    "perturbed_gdmax", "perturbed multi-step gradient descent for minimax problems", options, subs);

const blo_solver_type blo_solver_perturbed_gdmax = {
    .name = "perturbed_gdmax",
    .summary = "minimax: ascent on y, descent on x, perturbed near saddles, full batches",
    .source = "Huang, Chen, Ji, Ma and Lai 2022, arXiv 2202.03684",
    .cost = "D + 1 gradients of f in y, 1 of f in x; D + 1 reductions (D = lower.steps); at a "
            "stop, 3 escape.check D gradients in y once, and what 1 / ln(1 + step curvature) "
            "iterations cost",
    .state_size = sizeof(state),
    .options = &table,
    .setup = setup,
    .step = step,
    .teardown = teardown,
    .describe = describe,
};

/**
 * @file
 * Perturbed AID with warm start (Huang, Chen, Ji, Ma and Lai 2022, arXiv 2202.03684): the double
 * loop of AID on all data, and a small random step wherever the hypergradient is small, which
 * descent carries away from a strict saddle.
 *
 *     for k = 0, 1, ...
 *       D times:  y <- y - tau grad_y g(x, y)
 *       v  ~  H^-1 grad_y f, N products;   h = grad_x f - J v
 *       stop, perturb or descend with h and f(x, y)                     (escape.h)
 *
 * y and v are carried over.
 */
#include "escape.h"
#include <math.h>

typedef struct lower_options {
  blo_int steps; /**< D */
  double step;   /**< tau */
  bool warm_start;
} lower_options;

typedef struct adjoint_options {
  blo_int iterations; /**< N */
  double tol, step;
  int type, on_curvature;
  bool warm_start;
} adjoint_options;

typedef struct options {
  lower_options lower;
  adjoint_options adjoint;
  escape_upper_options upper;
  escape_options escape;
  blo_dense_options dense;
} options;

/** The lower level and the adjoint, solved with some number of steps. */
typedef struct pair {
  blo_lower_options lower_options;
  blo_adjoint_options adjoint_options;
  blo_lower *lower;
  blo_estimator *adjoint;
} pair;

typedef struct state {
  blo_hessian *hessian; /**< of `direct`, else NULL */
  pair usual, careful;  /**< of an iteration; of the check at a stop */
  blo_state *apart;     /**< entries of `careful`, which begins anew at each stop */
  escape *escape;
  blo_vec *hx;
} state;

/* ----------------------------------------------------------------- blocks */

static blo_status make_pair(blo_solver *s, state *st, blo_state *entries, pair *p)
{
  blo_comm *comm = blo_eval_problem(s->eval)->comm;

  BLO_TRY_ALL(
      comm, blo_lower_create(s->eval, &p->lower_options, s->seed, s->y, NULL, entries, &p->lower));
  return blo_estimator_create(s->eval, &p->adjoint_options, 0, s->seed, st->hessian, entries,
                              &p->adjoint);
}

static void destroy_pair(pair *p)
{
  blo_lower_destroy(&p->lower);
  blo_estimator_destroy(&p->adjoint);
}

/* ------------------------------------------------------------------- step */

/** At y as it is. */
static blo_status look(blo_solver *s, state *st, const pair *p, blo_vec *hx, blo_report *r)
{
  blo_int before = blo_hessian_factorized(st->hessian);

  BLO_TRY(blo_estimator_compute(p->adjoint, s->k, s->x, s->y, hx));
  blo_report_estimate(p->adjoint, r);
  blo_report_hessian(st->hessian, before, r);
  return BLO_OK;
}

static blo_status hypergradient(blo_solver *s, escape_work work, blo_vec *hx, blo_report *r)
{
  state *st = s->data;
  const pair *p = work == ESCAPE_LOOK || work == ESCAPE_USUAL ? &st->usual : &st->careful;

  if (work == ESCAPE_CAREFUL) {
    blo_vec_fill(p->adjoint->v, 0);
  }
  if (work != ESCAPE_LOOK) {
    BLO_TRY(blo_lower_track(p->lower, s->k, s->x, s->y));
    r->lower_steps = (double)blo_lower_steps_taken(p->lower);
    r->step_y = p->lower_options.step;
  }
  return look(s, st, p, hx, r);
}

static blo_status step(blo_solver *s, blo_report *r)
{
  state *st = s->data;

  BLO_TRY(hypergradient(s, ESCAPE_USUAL, st->hx, r));
  return escape_step(st->escape, s, st->hx, r);
}

/* ------------------------------------------------------------------- life */

/** Both levels on all samples. */
static void fill_options(const options *o, pair *p)
{
  p->lower_options = (blo_lower_options){
      .steps = o->lower.steps, .step = o->lower.step, .warm_start = o->lower.warm_start};
  p->adjoint_options = (blo_adjoint_options){.iterations = o->adjoint.iterations,
                                             .tol = o->adjoint.tol,
                                             .step = o->adjoint.step,
                                             .type = o->adjoint.type,
                                             .on_curvature = o->adjoint.on_curvature,
                                             .warm_start = o->adjoint.warm_start};
}

static blo_status setup(blo_solver *s)
{
  const options *o = s->options;
  blo_problem *p = blo_eval_problem(s->eval);
  state *st = s->data;

  BLO_TRY_ALL(p->comm, escape_create(s, &o->upper, &o->escape, hypergradient, &st->escape));
  BLO_TRY_ALL(p->comm, blo_vec_create(blo_eval_space_x(s->eval), &st->hx));
  BLO_TRY_ALL(p->comm, blo_state_create(p->ctx, &st->apart));
  fill_options(o, &st->usual);
  if (blo_adjoint_is_dense(&st->usual.adjoint_options)) {
    BLO_TRY(blo_hessian_create(s->eval, &o->dense, &st->hessian));
  }
  st->careful = st->usual;
  st->careful.lower_options.steps *= o->escape.check;
  st->careful.lower_options.warm_start = true;
  st->careful.adjoint_options.iterations *= o->escape.check;
  st->careful.adjoint_options.warm_start = true;
  BLO_TRY(make_pair(s, st, s->state, &st->usual));
  return make_pair(s, st, st->apart, &st->careful);
}

static void teardown(blo_solver *s)
{
  state *st = s->data;

  destroy_pair(&st->usual);
  destroy_pair(&st->careful);
  escape_destroy(&st->escape);
  blo_state_destroy(&st->apart);
  blo_vec_destroy(&st->hx);
  blo_hessian_destroy(&st->hessian);
}

static void describe(const blo_solver *s, FILE *to)
{
  const state *st = s->data;

  escape_describe(st->escape, to);
  blo_hessian_describe(st->hessian, to);
}

static const blo_opt_row lower_rows[] = {
    BLO_OPT(lower_options, steps, "10", 1, 1e9, "steps",
            "D: lower-level steps in an outer iteration; from sqrt(kappa) to kappa / 5 with warm "
            "start, kappa the condition number of H",
            "", 0),
    BLO_OPT(lower_options, step, "0.1", 0, 1e12, "-",
            "lower step size tau, about 1 over the largest eigenvalue of H", "", BLO_OPT_OPEN_LOW),
    BLO_OPT_PLAIN(lower_options, warm_start, "true",
                  "begin at the y of the iteration before, not at the starting point", 0),
};
static const blo_opt_row adjoint_rows[] = {
    BLO_OPT_NAMES(adjoint_options, type, "cg", blo_estimator_names, "how H v = grad_y f is solved",
                  "", 0),
    BLO_OPT(adjoint_options, iterations, "10", 1, 1e9, "products",
            "N: products with H, CG iterations at most, or terms of the Neumann series beyond the "
            "first; direct takes n_y when H has changed",
            "", 0),
    BLO_OPT(adjoint_options, tol, "1e-10", 0, 1, "-",
            "CG: stop when the residual is at most tol (or rounding) times the norm of grad_y f; "
            "direct: call a larger one ill-conditioned",
            "", 0),
    BLO_OPT(adjoint_options, step, "0.1", 0, 1e12, "-",
            "Neumann: less than 2 over the largest eigenvalue of H",
            "Ji, Yang and Liang 2021, arXiv 2010.07962, eq. 4", BLO_OPT_OPEN_LOW),
    BLO_OPT_NAMES(adjoint_options, on_curvature, "stop", blo_on_curvature_names,
                  "H is not positive definite: end the run, or go on; the theory does not hold "
                  "then, and a stop there is not decided",
                  "", 0),
    BLO_OPT_PLAIN(adjoint_options, warm_start, "true",
                  "begin the solve at the v of the iteration before", 0),
};

static const blo_opt_table lower_table =
    BLO_OPT_TABLE("lower", "the lower-level steps, on all samples", lower_options, lower_rows);
static const blo_opt_table adjoint_table =
    BLO_OPT_TABLE("adjoint", "the adjoint system, on all samples", adjoint_options, adjoint_rows);
static const blo_opt_sub subs[] = {{"lower", offsetof(options, lower), &lower_table},
                                   {"adjoint", offsetof(options, adjoint), &adjoint_table},
                                   {"upper", offsetof(options, upper), &escape_upper_table},
                                   {"escape", offsetof(options, escape), &escape_table},
                                   {"dense", offsetof(options, dense), &blo_dense_table}};
static const blo_opt_table table = BLO_OPT_TABLE_OF(
    "perturbed_aid", "perturbed approximate implicit differentiation", options, subs);

const blo_solver_type blo_solver_perturbed_aid = {
    .name = "perturbed_aid",
    .summary = "AID that leaves strict saddles by perturbations, full batches",
    .source = "Huang, Chen, Ji, Ma and Lai 2022, arXiv 2202.03684",
    .cost = "D + 1 gradients of g, N + 2 products H v, 1 product J v, 1 gradient of f; D + N + 2 "
            "reductions (D = lower.steps, N = adjoint.iterations); at a stop, 3 escape.check "
            "times D gradients and N products once, and what 1 / ln(1 + step curvature) iterations "
            "cost",
    .state_size = sizeof(state),
    .options = &table,
    .setup = setup,
    .step = step,
    .teardown = teardown,
    .describe = describe,
};

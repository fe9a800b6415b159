/**
 * @file
 * BO-REP: normalised steps with momentum on x, and a lower level that is refined once and then
 * updated periodically, for upper levels of unbounded smoothness (Hao, Gong and Liu 2024, arXiv
 * 2401.09587, algorithms 1 and 2):
 *
 *     S times, x fixed:      y <- epoch of SGD from y: T_s steps a_s, in the ball of radius D_s
 *                            a_{s+1} = a_s / 2   T_{s+1} = 2 T_s   D_{s+1} = D_s / 2^(1/2)
 *     for k = 0, 1, ...
 *       if k > 0, I | k:     y <- epoch of SGD from y: N steps alpha_k, in the ball of radius R
 *       h = grad_x f - J v,  v ~ H^-1 grad_y f by a Neumann series with Q terms
 *       m <- beta_k m + (1 - beta_k) h
 *       x <- x - eta_k m / ||m||
 *
 * Each T_1 steps of the refinement are an outer iteration of their own, so that all of these take
 * the same time: 1, 2, 4, ... make an epoch. All batches are fresh. With
 * v = (1/l) sum_{q < Q} prod_{j <= q} (1 - H_j / l) grad_y f the estimator `neumann` has step 1/l
 * and Q - 1 iterations; one chain of batches serves all terms (the paper draws one for each: same
 * mean). `linear_system` is what the authors' code does instead: one step on H z = grad_y f in each
 * iteration, z kept.
 */
#include "epoch_sgd.h"
#include "projection_private.h"
#include <math.h>

/** A step size c is c / (1 + max(0, k - after) / over)^power in iteration k after the refinement.
 */
typedef struct decay_options {
  double power, after, over;
} decay_options;

typedef struct refine_options {
  blo_int epochs, steps; /**< S, T_1 */
  double step, radius;   /**< a_1, D_1 */
} refine_options;

typedef enum result { RESULT_AVERAGE, RESULT_LAST } result;
static const char *const result_names[] = {"average", "last", NULL};

typedef struct lower_options {
  blo_int interval, steps, batch; /**< I, N */
  double step, radius;            /**< alpha, R */
  int result;
  decay_options decay;
} lower_options;

typedef struct adjoint_options {
  blo_adjoint_options solve; /**< first, so that the rows of the block fit */
  bool linear_system;
} adjoint_options;

typedef enum first { FIRST_ZERO, FIRST_GRADIENT } first;
static const char *const first_names[] = {"zero", "gradient", NULL};

typedef struct upper_options {
  blo_int batch;
  double step, momentum; /**< eta, beta */
  int first;             /**< m before the first step */
  decay_options decay, momentum_decay;
} upper_options;

typedef struct options {
  refine_options refine;
  lower_options lower;
  adjoint_options adjoint;
  upper_options upper;
  blo_dense_options dense;
} options;

/** The running solution of H z = grad_y f. */
typedef struct linear_system {
  blo_sampler *zeta, *xi; /**< batches of g and of f */
  blo_vec *z, *d_z;
} linear_system;

typedef struct state {
  epoch_sgd sgd;
  blo_hessian *hessian;   /**< of a direct adjoint */
  blo_estimator *adjoint; /**< NULL with linear_system */
  linear_system system;
  blo_vec *m, *h;
} state;

/** The outer iterations of the refinement, 1 + 2 + 4 + ... */
static blo_int refining(const options *o)
{
  return ((blo_int)1 << o->refine.epochs) - 1;
}

static double decayed(double value, const decay_options *d, blo_int k)
{
  return value / pow(1 + fmax(0, (double)k - d->after) / d->over, d->power);
}

/* ------------------------------------------------------------------- life */

/** Tasks outside a batch would have a y of some earlier x, and still enter f in the iterations
 *  between two updates. */
static blo_status check(const blo_solver *s, const options *o)
{
  const blo_problem *p = blo_eval_problem(s->eval);
  blo_int batches[] = {o->lower.batch, o->adjoint.solve.batch, o->upper.batch};

  for (blo_int i = 0; p->y_width > 0 && i < BLO_COUNT_OF(batches); i++) {
    BLO_CHECK(p->ctx, batches[i] == 0 || batches[i] >= p->n_lower, BLO_E_UNSUPPORTED,
              "bo_rep cannot take batches of tasks: y is updated in some iterations only, for all "
              "tasks; set solver.lower.batch, solver.adjoint.batch and solver.upper.batch to 0");
  }
  BLO_CHECK(p->ctx, !o->adjoint.linear_system || !o->adjoint.solve.warm_start, BLO_E_OPTION,
            "solver.adjoint.warm_start = true belongs to a solve; with linear_system = true, which "
            "always keeps its z, it must be false");
  return BLO_OK;
}

static blo_status make_system(blo_solver *s, const options *o, linear_system *ls)
{
  BLO_TRY(
      blo_eval_sampler(s->eval, s->seed, BLO_PURPOSE_ADJOINT, o->adjoint.solve.batch, &ls->zeta));
  BLO_TRY(blo_eval_sampler(s->eval, s->seed, BLO_PURPOSE_UPPER, o->upper.batch, &ls->xi));
  BLO_TRY(blo_vec_create(blo_eval_space_y(s->eval), &ls->z));
  BLO_TRY(blo_vec_create(blo_eval_space_y(s->eval), &ls->d_z));
  return blo_state_add_vec(s->state, "adjoint.z", ls->z);
}

static blo_status make_adjoint(blo_solver *s, const options *o, state *st)
{
  blo_comm *comm = blo_eval_problem(s->eval)->comm;

  if (o->adjoint.linear_system) {
    return blo_agree(comm, make_system(s, o, &st->system));
  }
  if (blo_adjoint_is_dense(&o->adjoint.solve)) {
    BLO_TRY(blo_hessian_create(s->eval, &o->dense, &st->hessian));
  }
  return blo_estimator_create(s->eval, &o->adjoint.solve, o->upper.batch, s->seed, st->hessian,
                              s->state, &st->adjoint);
}

static blo_status make_vectors(blo_solver *s, const options *o, state *st)
{
  BLO_TRY(blo_vec_create(blo_eval_space_x(s->eval), &st->h));
  BLO_TRY(blo_vec_create(blo_eval_space_x(s->eval), &st->m));
  if (o->refine.epochs > 1) { /* the first one is done in one iteration */
    BLO_TRY(blo_state_add_vec(s->state, "refine.center", st->sgd.center));
    BLO_TRY(blo_state_add_vec(s->state, "refine.mean", st->sgd.mean));
  }
  return blo_state_add_vec(s->state, "upper.momentum", st->m);
}

static blo_status setup(blo_solver *s)
{
  blo_comm *comm = blo_eval_problem(s->eval)->comm;
  const options *o = s->options;
  state *st = s->data;

  BLO_TRY(check(s, o));
  BLO_TRY_ALL(comm, epoch_sgd_create(s->eval, s->seed, o->lower.batch, &st->sgd));
  BLO_TRY(make_adjoint(s, o, st));
  return blo_agree(comm, make_vectors(s, o, st));
}

static void teardown(blo_solver *s)
{
  state *st = s->data;

  epoch_sgd_free(&st->sgd);
  blo_estimator_destroy(&st->adjoint);
  blo_hessian_destroy(&st->hessian);
  blo_sampler_destroy(&st->system.zeta);
  blo_sampler_destroy(&st->system.xi);
  blo_vec_destroy(&st->system.z);
  blo_vec_destroy(&st->system.d_z);
  blo_vec_destroy(&st->m);
  blo_vec_destroy(&st->h);
}

/* ------------------------------------------------------------ lower level */

/** Draws of g an outer iteration at most: a part of the refinement, or an update. */
static blo_int draws(const options *o)
{
  blo_int part = o->refine.epochs > 0 ? o->refine.steps : 0;

  return part > o->lower.steps ? part : o->lower.steps;
}

static blo_status run_epoch(blo_solver *s, const epoch *run, blo_report *r)
{
  state *st = s->data;

  BLO_TRY(epoch_sgd_run(&st->sgd, run, s->x, s->y, &r->g));
  r->lower_steps = (double)run->steps;
  r->step_y = run->step;
  return BLO_OK;
}

/** Iteration 2^e - 1 + i of the refinement is part i of the 2^e ones of epoch e = 0, 1, ...; an
 * epoch returns the mean. */
static blo_status refine(blo_solver *s, blo_report *r)
{
  const options *o = s->options;
  int e = ilogb((double)(s->k + 1));
  blo_int parts = (blo_int)1 << e, i = s->k + 1 - parts;
  epoch run = {.k = s->k,
               .per_outer = draws(o),
               .done = i * o->refine.steps,
               .steps = o->refine.steps,
               .step = o->refine.step * exp2(-e),
               .radius = o->refine.radius * exp2(-e / 2.0),
               .average = true,
               .ends = i + 1 == parts};

  BLO_TRY(run_epoch(s, &run, r));
  if (s->want_norms) {
    r->lower_residual = blo_vec_norm(((state *)s->data)->sgd.g_y);
  }
  return BLO_OK;
}

/** The periodic update; k counts from the end of the refinement. */
static blo_status update(blo_solver *s, blo_int k, blo_report *r)
{
  const lower_options *l = &((const options *)s->options)->lower;
  epoch run = {.k = s->k,
               .per_outer = draws(s->options),
               .steps = l->steps,
               .step = decayed(l->step, &l->decay, k),
               .radius = l->radius,
               .average = l->result == RESULT_AVERAGE,
               .ends = true};

  r->lower_steps = 0;
  return k > 0 && k % l->interval == 0 ? run_epoch(s, &run, r) : BLO_OK;
}

/* ----------------------------------------------------------- hypergradient */

static blo_status solved(blo_solver *s, blo_report *r)
{
  state *st = s->data;
  blo_int before = blo_hessian_factorized(st->hessian);

  BLO_TRY(blo_estimator_compute(st->adjoint, s->k, s->x, s->y, st->h));
  blo_report_hessian(st->hessian, before, r);
  blo_report_estimate(st->adjoint, r);
  return BLO_OK;
}

/** h from the old z, and z <- z - nu (H z - grad_y f), from one sweep. */
static blo_status tracked(blo_solver *s, blo_report *r)
{
  const options *o = s->options;
  state *st = s->data;
  linear_system *ls = &st->system;
  blo_answer ans = {.hv = {ls->d_z}, .jv = {st->h}};
  blo_ask ask = {.lower = BLO_WANT_VALUE | BLO_WANT_HV | BLO_WANT_JV,
                 .upper = BLO_WANT_VALUE | BLO_WANT_X | BLO_WANT_Y,
                 .lower_batch = blo_eval_draw(s->eval, ls->zeta, s->k, 1, 0),
                 .upper_batch = blo_eval_draw(s->eval, ls->xi, s->k, 1, 0),
                 .x = s->x,
                 .y = s->y,
                 .n_v = 1,
                 .v = {ls->z},
                 .join = true};

  BLO_TRY(blo_eval_sweep(s->eval, &ask, &ans));
  blo_vec_scale(-1, st->h);
  r->f = ans.f;
  r->g = ans.g;
  r->adjoint_iterations = 1;
  r->verdict = BLO_VERDICT_SPENT;
  if (s->want_norms) {
    r->adjoint_residual = blo_vec_norm(ls->d_z);
  }
  blo_vec_axpy(-o->adjoint.solve.step, ls->d_z, ls->z);
  return BLO_OK;
}

/* ------------------------------------------------------------- upper level */

/** m and x; x stands still where m = 0. h is overwritten. */
static blo_status normalized_step(blo_solver *s, blo_int k, blo_report *r)
{
  const upper_options *u = &((const options *)s->options)->upper;
  state *st = s->data;
  double share = decayed(1 - u->momentum, &u->momentum_decay, k), norm, scale;
  bool whole = k == 0 && u->first == FIRST_GRADIENT;

  r->step_x = decayed(u->step, &u->decay, k);
  blo_vec_scale(1 - share, st->m);
  blo_vec_axpy(whole ? 1 : share, st->h, st->m);
  blo_vec_copy(st->m, st->h);
  norm = scaled_norm(st->h, &scale); /* so h / norm has the length 1 for any m */
  BLO_CHECK(blo_eval_problem(s->eval)->ctx, isfinite(norm), BLO_E_NONFINITE,
            "the momentum is not finite in iteration %lld", (long long)s->k);
  if (norm > 0) {
    blo_vec_axpy(-r->step_x / norm, st->h, s->x);
    blo_vec_publish(s->x);
  }
  return BLO_OK;
}

static blo_status step(blo_solver *s, blo_report *r)
{
  const options *o = s->options;
  blo_int k = s->k - refining(o);

  if (k < 0) {
    return refine(s, r);
  }
  BLO_TRY(update(s, k, r));
  BLO_TRY(o->adjoint.linear_system ? tracked(s, r) : solved(s, r));
  if (s->want_norms) {
    r->hypergrad_norm = blo_vec_norm(((state *)s->data)->h);
    if (o->adjoint.linear_system) {
      r->stationarity = fmax(r->hypergrad_norm, r->adjoint_residual);
    }
  }
  return normalized_step(s, k, r);
}

static void describe(const blo_solver *s, FILE *to)
{
  const options *o = s->options;
  const state *st = s->data;

  if (o->refine.epochs > 0) {
    fprintf(to,
            "          the first %lld iterations refine y, x stands still: %lld gradients of g\n",
            (long long)refining(o), (long long)(o->refine.steps * refining(o)));
  }
  blo_hessian_describe(st->hessian, to);
}

/* ----------------------------------------------------------------- options */

static const blo_opt_row decay_rows[] = {
    BLO_OPT(decay_options, power, "0", 0, 100, "-",
            "p of the factor 1 / (1 + max(0, k - after) / over)^p, 0 = constant; k counts from the "
            "end of the refinement",
            "", 0),
    BLO_OPT(decay_options, after, "0", 0, BLO_INF, "iterations", "where the decay begins", "", 0),
    BLO_OPT(decay_options, over, "1", 0, BLO_INF, "iterations",
            "its time scale; with after = 0 and over = 1 the factor is 1 / (k + 1)^p", "",
            BLO_OPT_OPEN_LOW),
};
static const blo_opt_row refine_rows[] = {
    BLO_OPT(refine_options, epochs, "5", 0, 30, "epochs",
            "S: epochs of SGD on y before x moves, 2^S - 1 outer iterations; 0: none", "", 0),
    BLO_OPT(
        refine_options, steps, "20", 1, 1e6, "steps",
        "T_1: steps of the first epoch, doubled from epoch to epoch; an outer iteration makes as "
        "many",
        "", 0),
    BLO_OPT(refine_options, step, "0.1", 0, 1e12, "-",
            "a_1: step size of the first epoch, halved from epoch to epoch", "", 0),
    BLO_OPT(refine_options, radius, "inf", 0, BLO_INF, "-",
            "D_1: radius of the first epoch's ball around its start, divided by sqrt(2) from epoch "
            "to epoch; at least the distance to the lower level's solution; inf: no balls",
            "", BLO_OPT_OPEN_LOW),
};
static const blo_opt_row lower_rows[] = {
    BLO_OPT(lower_options, interval, "10", 1, 1e9, "iterations",
            "I: iterations from update to update of y", "", 0),
    BLO_OPT(lower_options, steps, "20", 1, 1e9, "steps", "N: steps of an update", "", 0),
    BLO_OPT(lower_options, batch, "256", 0, 1e12, "samples", "samples of g in a step, 0 = all", "",
            0),
    BLO_OPT(lower_options, step, "0.05", 0, 1e12, "-", "alpha: step size of an update", "", 0),
    BLO_OPT(lower_options, radius, "inf", 0, BLO_INF, "-",
            "R: an update stays in the ball of this radius around the y before it; inf: no ball",
            "", BLO_OPT_OPEN_LOW),
    BLO_OPT_NAMES(lower_options, result, "average", result_names,
                  "what an update returns: the mean of its iterates or the last one", "", 0),
};
static const blo_opt_row adjoint_rows[] = {
    BLO_ADJOINT_ROWS("neumann", "9", "0.1", "256", "false"),
    BLO_OPT_PLAIN(adjoint_options, linear_system, "false",
                  "no solve: one step z <- z - nu (H z - grad_y f) an iteration with nu = step, z "
                  "kept, and h = grad_x f - J z; type, iterations and tol are not used",
                  0),
};
static const blo_opt_row upper_rows[] = {
    BLO_OPT(upper_options, batch, "256", 0, 1e12, "samples",
            "samples of f in an iteration, 0 = all", "", 0),
    BLO_OPT(upper_options, step, "0.05", 0, 1e12, "-",
            "eta: the length of each step of x, whatever the hypergradient", "", 0),
    BLO_OPT(upper_options, momentum, "0.9", 0, 0.999999, "-", "beta of m <- beta m + (1 - beta) h",
            "", 0),
    BLO_OPT_NAMES(upper_options, first, "zero", first_names,
                  "m before the first step: zero, or the first hypergradient", "", 0),
};

static const blo_opt_table eta_decay_table =
    BLO_OPT_TABLE("decay", "decay of the length of the steps", decay_options, decay_rows);
static const blo_opt_table beta_decay_table =
    BLO_OPT_TABLE("momentum_decay", "decay of 1 - beta", decay_options, decay_rows);
static const blo_opt_table alpha_decay_table =
    BLO_OPT_TABLE("decay", "decay of the step size", decay_options, decay_rows);
static const blo_opt_sub lower_subs[] = {
    {"decay", offsetof(lower_options, decay), &alpha_decay_table}};
static const blo_opt_sub upper_subs[] = {
    {"decay", offsetof(upper_options, decay), &eta_decay_table},
    {"momentum_decay", offsetof(upper_options, momentum_decay), &beta_decay_table}};

static const blo_opt_table refine_table =
    BLO_OPT_TABLE("refine", "the initialization refinement", refine_options, refine_rows);
static const blo_opt_table lower_table =
    BLO_OPT_TABLE_WITH("lower", "the periodic updates of y", lower_options, lower_rows, lower_subs);
static const blo_opt_table adjoint_table =
    BLO_OPT_TABLE("adjoint", "the adjoint system", adjoint_options, adjoint_rows);
static const blo_opt_table upper_table =
    BLO_OPT_TABLE_WITH("upper", "the step on x", upper_options, upper_rows, upper_subs);
static const blo_opt_sub subs[] = {
    {"refine", offsetof(options, refine), &refine_table},
    {"lower", offsetof(options, lower), &lower_table},
    {"adjoint", offsetof(options, adjoint), &adjoint_table},
    {"upper", offsetof(options, upper), &upper_table},
    {"dense", offsetof(options, dense), &blo_dense_table},
};
static const blo_opt_table table = BLO_OPT_TABLE_OF(
    "bo_rep", "initialization refinement, periodic updates, normalised steps", options, subs);

const blo_solver_type blo_solver_bo_rep = {
    .name = "bo_rep",
    .summary = "BO-REP: normalised momentum steps on x, refined and periodically updated y",
    .source = "Hao, Gong and Liu 2024, arXiv 2401.09587, algorithms 1 and 2",
    .cost = "first, 2^S - 1 times (S = refine.epochs): T gradients of g and reductions (T = "
            "refine.steps); "
            "then 1 gradient of g, K + 1 products H v, 1 product J v, 1 gradient of f, K + 2 "
            "reductions (K = adjoint.iterations), and in every I-th iteration N gradients of g and "
            "reductions more; linear_system: 1 product H v with J v, 1 gradient of f, 1 reduction",
    .state_size = sizeof(state),
    .options = &table,
    .setup = setup,
    .step = step,
    .teardown = teardown,
    .describe = describe,
};

/**
 * @file
 * MinimaxOPT: the minimax reformulation of a bilevel problem, solved by multi-stage gradient
 * descent ascent (arXiv 2305.13153):
 *
 *     min over x, w  max over u  of  f(x, w) + a (g(x, w) - g(x, u))
 *
 * for growing penalties a. The solution for a fixed a lies O(1/a) from that of the bilevel problem;
 * no second derivatives of g are needed. Stage i = 0 ... N-1 has a = a_0 tau^(i+1) and K steps
 *
 *     d_u = a grad_y g(x, u; xi)                         u <- P_Y(u - r tau^-i d_u)
 *     d_w = grad_y f(x, w; zeta) + a grad_y g(x, w; xi)  w <- P_Y(w - r tau^-i d_w)
 *     d_x = grad_x f(x, w; zeta) + a (grad_x g(x, w; xi) - grad_x g(x, u; xi))
 *                                                        x <- P_X(x - e tau^(-q i) d_x)
 *
 * with all directions at the old point. w is the solver's y. u and w have the same step and the
 * same batch xi: then they lag alike behind y*(x), and d_x, which has their difference times a, is
 * not spoilt by a lag or by noise. After the last stage a and the steps stay. The loop of the
 * stages follows the successor code of the authors (2003pro/ScaleBiO, minmax.py), which multiplies
 * a before the first stage; the paper's theory was not at hand. docs/methods/minimax_gda.md.
 */
#include "projection_private.h"
#include <blo/solver.h>
#include <math.h>

typedef struct lower_options {
  blo_int batch;
  double step, decay, momentum;
  double beta1, beta2, epsilon;
  int rule; /**< blo_upper_rule */
  blo_projection_options set;
} lower_options;

typedef struct upper_options {
  blo_upper_options base; /**< first, because its rows count from its own beginning */
  double stage_decay;
} upper_options;

typedef struct stage_options {
  double penalty, growth, tol;
  blo_int number, steps;
  bool reset, rescale, richardson;
} stage_options;

typedef struct options {
  lower_options lower;
  upper_options upper;
  stage_options stages;
} options;

/** A lower vector, w or u, with its gradients of g and what its steps keep. */
typedef struct follower {
  blo_vec *y;
  blo_vec *g_x, *g_y;
  blo_vec *m; /**< momentum, or Adam's mean; NULL: none */
  blo_vec *v; /**< Adam's mean square; NULL: none */
} follower;

typedef struct state {
  follower w, u;                /**< w.y is borrowed from the solver */
  blo_vec *f_x, *f_y;           /**< gradients of f at (x, w) */
  blo_vec *x_before, *y_before; /**< x and w at the end of the stage before; NULL: not needed */
  blo_sampler *xi, *zeta;
  blo_projection *set;      /**< Y */
  blo_upper_options x_step; /**< the upper step's options, with the step size of the stage */
  blo_upper *upper;
} state;

/* ----------------------------------------------------------------- stages */

/** Where an iteration stands. */
typedef struct stage {
  blo_int i;
  bool first, last; /**< it is the first, the last step of stage i */
  double a;
  double y_scale, x_scale; /**< tau^-i and tau^(-q i) */
} stage;

static stage stage_at(const options *o, blo_int k)
{
  const stage_options *st = &o->stages;
  blo_int i = k / st->steps < st->number ? k / st->steps : st->number - 1;

  return (stage){.i = i,
                 .first = k == i * st->steps,
                 .last = k + 1 == (i + 1) * st->steps,
                 .a = st->penalty * pow(st->growth, (double)(i + 1)),
                 .y_scale = pow(st->growth, -(double)i),
                 .x_scale = pow(st->growth, -o->upper.stage_decay * (double)i)};
}

/** The ends of the stages are compared. */
static bool compares(const stage_options *o)
{
  return o->richardson || o->tol > 0;
}

/* ------------------------------------------------------------------ setup */

static blo_status check_stages(blo_context *ctx, const options *o)
{
  const stage_options *st = &o->stages;
  double last = st->penalty * pow(st->growth, (double)st->number);

  BLO_CHECK(ctx, isfinite(last), BLO_E_OPTION,
            "solver.stages: the last penalty, penalty growth^number = %g * %g^%lld, is not finite",
            st->penalty, st->growth, (long long)st->number);
  BLO_CHECK(ctx, !compares(st) || (st->growth > 1 && st->number > 1), BLO_E_OPTION,
            "solver.stages.%s compares the ends of stages with different penalties: it needs "
            "growth > 1 (it is %g) and number > 1 (it is %lld)",
            st->richardson ? "richardson" : "tol", st->growth, (long long)st->number);
  BLO_CHECK(ctx, !st->reset || o->lower.momentum > 0 || o->upper.base.momentum > 0, BLO_E_OPTION,
            "solver.stages.reset = true clears heavy-ball momentum: it needs lower.momentum or "
            "upper.momentum above 0");
  return BLO_OK;
}

/** With batches of tasks the lower vectors of all other tasks must stand still. */
static blo_status check_lower(const blo_solver *s, const state *st, const lower_options *o)
{
  const blo_problem *p = blo_eval_problem(s->eval);
  bool adam = o->rule == BLO_UPPER_ADAM, keeps = adam || o->momentum > 0;

  BLO_CHECK(p->ctx, !adam || o->momentum == 0, BLO_E_OPTION,
            "solver.lower.momentum = %g belongs to solver.lower.rule = 'sgd'; with 'adam' it must "
            "be 0 (beta1 takes its place)",
            o->momentum);
  BLO_CHECK(p->ctx, !keeps || p->y_width == 0 || blo_sampler_is_full(st->xi), BLO_E_OPTION,
            "solver.lower.%s would move tasks that are not in the batch: with batches of tasks "
            "(lower.batch = %lld of %lld) rule must be 'sgd' and momentum 0",
            adam ? "rule = 'adam'" : "momentum", (long long)o->batch, (long long)p->n_lower);
  return BLO_OK;
}

static blo_status make_kept(blo_solver *s, blo_space *space, const char *name, blo_vec **out)
{
  BLO_TRY(blo_vec_create(space, out));
  return blo_state_add_vec(s->state, name, *out);
}

static blo_status make_follower(blo_solver *s, const lower_options *o, const char *const names[2],
                                follower *to)
{
  blo_space *y = blo_eval_space_y(s->eval);

  BLO_TRY(blo_vec_create(y, &to->g_y));
  BLO_TRY(blo_vec_create(blo_eval_space_x(s->eval), &to->g_x));
  if (o->rule == BLO_UPPER_ADAM || o->momentum > 0) {
    BLO_TRY(make_kept(s, y, names[0], &to->m));
  }
  return o->rule == BLO_UPPER_ADAM ? make_kept(s, y, names[1], &to->v) : BLO_OK;
}

static blo_status make_vectors(blo_solver *s, const options *o, state *st)
{
  static const char *const of_w[] = {"lower.w.m", "lower.w.v"};
  static const char *const of_u[] = {"lower.u.m", "lower.u.v"};
  blo_space *x = blo_eval_space_x(s->eval), *y = blo_eval_space_y(s->eval);

  st->w.y = s->y;
  BLO_TRY(make_kept(s, y, "lower.u", &st->u.y));
  BLO_TRY(make_follower(s, &o->lower, of_w, &st->w));
  BLO_TRY(make_follower(s, &o->lower, of_u, &st->u));
  BLO_TRY(blo_vec_create(x, &st->f_x));
  BLO_TRY(blo_vec_create(y, &st->f_y));
  if (compares(&o->stages)) {
    BLO_TRY(make_kept(s, x, "stages.x", &st->x_before));
    BLO_TRY(make_kept(s, y, "stages.y", &st->y_before));
  }
  return BLO_OK;
}

static blo_status make_samplers(blo_solver *s, const options *o, state *st)
{
  BLO_TRY(blo_eval_sampler(s->eval, s->seed, BLO_PURPOSE_LOWER, o->lower.batch, &st->xi));
  return blo_eval_sampler(s->eval, s->seed, BLO_PURPOSE_UPPER, o->upper.base.batch, &st->zeta);
}

/** What is asked at (x, w) and at (x, u). */
static void questions(const blo_solver *s, const state *st, blo_ask ask[2])
{
  ask[0] = (blo_ask){.lower = BLO_WANT_VALUE | BLO_WANT_X | BLO_WANT_Y,
                     .upper = BLO_WANT_VALUE | BLO_WANT_X | BLO_WANT_Y,
                     .x = s->x,
                     .y = st->w.y};
  ask[1] = (blo_ask){.lower = BLO_WANT_X | BLO_WANT_Y, .x = s->x, .y = st->u.y};
}

static blo_status make_parts(blo_solver *s, const options *o, state *st)
{
  blo_ask ask[2];

  BLO_TRY(check_stages(blo_eval_problem(s->eval)->ctx, o));
  BLO_TRY(make_samplers(s, o, st));
  BLO_TRY(check_lower(s, st, &o->lower));
  BLO_TRY(check_set_of_tasks(blo_eval_problem(s->eval), &o->lower.set, st->xi));
  BLO_TRY(make_vectors(s, o, st));
  questions(s, st, ask);
  BLO_TRY(blo_eval_reserve_pair(s->eval, &ask[0], &ask[1]));
  BLO_TRY(blo_projection_create(s->eval, &o->lower.set, BLO_LOWER, &st->set));
  st->x_step = o->upper.base;
  return blo_upper_create(s->eval, &st->x_step, s->state, &st->upper);
}

static blo_status setup(blo_solver *s)
{
  state *st = s->data;

  BLO_TRY_ALL(blo_eval_problem(s->eval)->comm, make_parts(s, s->options, st));
  blo_upper_begin(st->upper, s->x);
  blo_projection_apply(st->set, s->y);
  blo_vec_copy(s->y, st->u.y);
  return BLO_OK;
}

/* ------------------------------------------------------------------- step */

/** All gradients, in one message: of g and f at (x, w), of g at (x, u) on the same batch. */
static blo_status gradients(blo_solver *s, state *st, blo_report *r)
{
  blo_answer at_w = {.g_x = st->w.g_x, .g_y = st->w.g_y, .f_x = st->f_x, .f_y = st->f_y};
  blo_answer at_u = {.g_x = st->u.g_x, .g_y = st->u.g_y};
  blo_ask ask[2];

  questions(s, st, ask);
  ask[0].lower_batch = ask[1].lower_batch = blo_eval_draw(s->eval, st->xi, s->k, 1, 0);
  ask[0].upper_batch = blo_eval_draw(s->eval, st->zeta, s->k, 1, 0);
  BLO_TRY(blo_eval_sweep_pair(s->eval, (const blo_ask *const[]){&ask[0], &ask[1]},
                              (blo_answer *const[]){&at_w, &at_u}));
  r->g = at_w.g;
  r->f = at_w.f;
  return BLO_OK;
}

/** From the gradients of g to d_x, in w.g_x, d_w and d_u, in the g_y of each. The two gradients in
 * x are subtracted before they are multiplied by a: with w = u their difference is exactly 0. */
static void directions(state *st, double a)
{
  blo_vec_axpy(-1, st->u.g_x, st->w.g_x);
  blo_vec_aypx(a, st->f_x, st->w.g_x);
  blo_vec_aypx(a, st->f_y, st->w.g_y);
  blo_vec_scale(a, st->u.g_y);
}

/** A step of w or u of size rho along its direction, which is in g_y. */
static blo_status follow(const blo_solver *s, const lower_options *o, double rho, follower *f,
                         const char *name)
{
  state *st = s->data;

  if (o->rule == BLO_UPPER_ADAM) {
    const blo_adam adam = {.beta1 = o->beta1, .beta2 = o->beta2, .epsilon = o->epsilon};
    blo_vec_adam(&adam, s->k + 1, rho, 1, f->g_y, f->m, f->v, f->y);
  } else {
    if (f->m != NULL) {
      blo_vec_aypx(o->momentum, f->g_y, f->m);
    }
    blo_vec_axpy(-rho, f->m != NULL ? f->m : f->g_y, f->y);
  }
  blo_projection_apply(st->set, f->y);
  /* an infinite v would stop the steps in silence; one that is sharded is only seen by the driver,
   * which looks at the whole state at recorded rows */
  if (f->v != NULL) {
    BLO_TRY(blo_step_check(f->v, "Adam's mean square", "the lower step", s->k));
  }
  return blo_step_check(f->y, name, "the lower step", s->k);
}

/** Clear the heavy-ball momenta, which are made of gradients with the last stage's penalty. */
static void reset_momenta(blo_solver *s, const options *o, state *st)
{
  const blo_state_entry *of_x = blo_state_find(s->state, "upper.momentum");

  if (o->lower.momentum > 0) {
    blo_vec_fill(st->w.m, 0);
    blo_vec_fill(st->u.m, 0);
  }
  if (of_x != NULL) {
    blo_vec_fill(of_x->at.vec, 0);
  }
}

/** w <- u + (w - u) / tau. With equal steps D = a (w - u) obeys D <- D - a r tau^-i (grad_y f + H
 * D) + O(1/a) and goes to -H^-1 grad_y f; a change of a alone multiplies it by tau, and in
 * directions of small curvature that is not forgotten within a stage. Our own. */
static void rescale(double tau, const follower *u, follower *w)
{
  blo_vec_axpy(-1, u->y, w->y);
  blo_vec_scale(1 / tau, w->y);
  blo_vec_axpy(1, u->y, w->y);
}

/** What the change of the penalty asks for before stage i > 0. */
static void begin_stage(blo_solver *s, const options *o, const stage *now)
{
  state *st = s->data;

  if (!now->first || now->i == 0) {
    return;
  }
  if (o->stages.reset) {
    reset_momenta(s, o, st);
  }
  if (o->stages.rescale) {
    rescale(o->stages.growth, &st->u, &st->w);
  }
}

/** z <- (tau z - before) / (tau - 1): for z(a) = z* + c / a + O(1/a^2) at two penalties with
 * quotient tau the term in 1/a goes away (Richardson 1911). */
static void extrapolate(double tau, const blo_vec *before, blo_vec *z)
{
  blo_vec_scale(tau / (tau - 1), z);
  blo_vec_axpy(-1 / (tau - 1), before, z);
}

/** By the same expansion x(a) - x* = (x at the end of the stage before - x) / (tau - 1) + O(1/a^2):
 * its norm. Collective. */
static double bias(const stage_options *o, const blo_solver *s, state *st)
{
  blo_vec *change = st->u.g_x; /* no longer needed in this iteration */

  blo_vec_copy(s->x, change);
  blo_vec_axpy(-1, st->x_before, change);
  return blo_vec_norm(change) / (o->growth - 1);
}

/** At the end of a stage: is it the last one that is needed? The points of the run are the
 * extrapolated ones then, if they are wanted. */
static void end_stage(blo_solver *s, const stage_options *o, const stage *now, blo_report *r)
{
  state *st = s->data;

  if (!now->last || !compares(o)) {
    return;
  }
  if (now->i > 0) {
    r->converged =
        (o->tol > 0 && bias(o, s, st) <= o->tol) || (o->richardson && now->i == o->number - 1);
  }
  if (r->converged && o->richardson) {
    extrapolate(o->growth, st->x_before, s->x);
    extrapolate(o->growth, st->y_before, s->y);
    blo_projection_apply(st->set, s->y);
    blo_upper_begin(st->upper, s->x);
    blo_vec_publish(s->x);
    return;
  }
  blo_vec_copy(s->x, st->x_before);
  blo_vec_copy(s->y, st->y_before);
}

static blo_status step(blo_solver *s, blo_report *r)
{
  const options *o = s->options;
  state *st = s->data;
  const stage now = stage_at(o, s->k);
  double rho = now.y_scale * blo_schedule_at((blo_schedule){o->lower.step, o->lower.decay}, s->k);

  begin_stage(s, o, &now);
  BLO_TRY(gradients(s, st, r));
  if (s->want_norms) {
    r->lower_residual = blo_vec_norm(st->u.g_y);
  }
  directions(st, now.a);
  if (s->want_norms) {
    r->hypergrad_norm = blo_vec_norm(st->w.g_x);
    /* before the last stage x is not where it shall be; with w = u d_x knows nothing of g yet */
    r->stationarity =
        now.i == o->stages.number - 1 && s->k > 0 ? r->hypergrad_norm : (double)INFINITY;
  }
  st->x_step.step = now.x_scale * o->upper.base.step;
  r->penalty = now.a;
  r->step_y = rho;
  r->step_x = blo_schedule_at((blo_schedule){st->x_step.step, st->x_step.decay}, s->k);
  BLO_TRY(follow(s, &o->lower, rho, &st->w, "w (the solver's y)"));
  BLO_TRY(follow(s, &o->lower, rho, &st->u, "u"));
  BLO_TRY(blo_upper_step(st->upper, s->k, st->w.g_x, s->x));
  end_stage(s, &o->stages, &now, r);
  return BLO_OK;
}

static void free_follower(follower *f)
{
  blo_vec_destroy(&f->g_x);
  blo_vec_destroy(&f->g_y);
  blo_vec_destroy(&f->m);
  blo_vec_destroy(&f->v);
}

static void teardown(blo_solver *s)
{
  state *st = s->data;

  free_follower(&st->w);
  free_follower(&st->u);
  blo_vec_destroy(&st->u.y);
  blo_vec_destroy(&st->f_x);
  blo_vec_destroy(&st->f_y);
  blo_vec_destroy(&st->x_before);
  blo_vec_destroy(&st->y_before);
  blo_sampler_destroy(&st->xi);
  blo_sampler_destroy(&st->zeta);
  blo_projection_destroy(&st->set);
  blo_upper_destroy(&st->upper);
}

static void describe(const blo_solver *s, FILE *to)
{
  const options *o = s->options;
  const stage_options *st = &o->stages;
  const stage first = stage_at(o, 0), last = stage_at(o, st->number * st->steps - 1);

  fprintf(
      to,
      "stages    %lld of %lld steps, %lld iterations in all, penalty %g to %g, lower step %g to "
      "%g, upper %g to %g\n",
      (long long)st->number, (long long)st->steps, (long long)(st->number * st->steps), first.a,
      last.a, o->lower.step, o->lower.step * last.y_scale, o->upper.base.step,
      o->upper.base.step * last.x_scale);
}

/* ---------------------------------------------------------------- options */

static const blo_opt_row lower_rows[] = {
    BLO_OPT(lower_options, batch, "256", 0, 1e12, "samples",
            "samples of g in a step, the same ones for w and u, 0 = all", "", 0),
    BLO_SCHEDULE_ROWS(lower_options, "0.1", "0",
                      "step size r of w and u in the first stage; stage i has r growth^-i"),
    BLO_OPT_NAMES(lower_options, rule, "sgd", blo_upper_rule_names,
                  "the steps of w and u: along their directions, or Adam's, with moments for each",
                  "Kingma and Ba 2015, arXiv 1412.6980, algorithm 1", 0),
    BLO_OPT(lower_options, momentum, "0", 0, 0.9999, "-",
            "sgd: heavy-ball momentum of the steps of w and u", "Polyak 1964", 0),
    BLO_OPT(lower_options, beta1, "0.9", 0, 0.9999, "-",
            "adam: decay of the mean of the directions", "", 0),
    BLO_OPT(lower_options, beta2, "0.999", 0, 0.999999, "-",
            "adam: decay of the mean of their squares", "", 0),
    BLO_OPT(lower_options, epsilon, "1e-8", 0, 1, "-", "adam: added to the root of the mean square",
            "", BLO_OPT_OPEN_LOW),
};
static const blo_opt_row upper_rows[] = {
    BLO_UPPER_ROWS("0.1", "0", "256"),
    BLO_OPT(upper_options, stage_decay, "0", 0, 1, "-",
            "q of the factor growth^(-q i) on the upper step in stage i; 1 is the authors' code, "
            "with which x comes to a halt",
            "", 0),
};
static const blo_opt_row stage_rows[] = {
    BLO_OPT(stage_options, penalty, "0.5", 0, 1e12, "-",
            "a_0; stage i = 0, 1, ... has the penalty a = a_0 growth^(i+1)", "", BLO_OPT_OPEN_LOW),
    BLO_OPT(stage_options, growth, "2", 1, 1e6, "-",
            "tau: from stage to stage the penalty is multiplied, the lower step divided by it",
            "arXiv 2305.13153", 0),
    BLO_OPT(stage_options, number, "10", 1, 1e6, "stages", "N; the last one goes on", "", 0),
    BLO_OPT(stage_options, steps, "400", 1, 1e9, "steps", "K: outer iterations in a stage", "", 0),
    BLO_OPT(stage_options, tol, "0", 0, BLO_INF, "-",
            "stop at the end of a stage if x has changed by at most tol (growth - 1) in it, which "
            "estimates |x - x*| <= tol; 0: never",
            "", 0),
    BLO_OPT_PLAIN(stage_options, reset, "false", "set heavy-ball momenta to 0 before each stage",
                  0),
    BLO_OPT_PLAIN(stage_options, rescale, "false",
                  "w <- u + (w - u) / growth before each stage but the first: the direction of x "
                  "does not jump with the penalty then",
                  0),
    BLO_OPT_PLAIN(
        stage_options, richardson, "false",
        "stop at the end of the last stage, or by tol, with x and y extrapolated from the "
        "ends of the last two stages: error O(1/a^2)",
        0),
};

static const blo_opt_sub lower_subs[] = {
    {"set", offsetof(lower_options, set), &blo_projection_table}};
static const blo_opt_table lower_table =
    BLO_OPT_TABLE_WITH("lower", "the steps of w and u", lower_options, lower_rows, lower_subs);
static const blo_opt_table upper_table =
    BLO_OPT_TABLE_WITH("upper", "the step on x", upper_options, upper_rows, blo_upper_subs);
static const blo_opt_table stage_table =
    BLO_OPT_TABLE("stages", "penalties and stages", stage_options, stage_rows);
static const blo_opt_sub subs[] = {
    {"lower", offsetof(options, lower), &lower_table},
    {"upper", offsetof(options, upper), &upper_table},
    {"stages", offsetof(options, stages), &stage_table},
};
static const blo_opt_table table = BLO_OPT_TABLE_OF(
    "minimax_gda", "minimax reformulation, multi-stage gradient descent ascent", options, subs);

const blo_solver_type blo_solver_minimax_gda = {
    .name = "minimax_gda",
    .summary = "MinimaxOPT: penalised minimax form, multi-stage gradient descent ascent, first "
               "order",
    .source = "arXiv 2305.13153; stages as in the authors' successor code (ScaleBiO)",
    .cost = "2 gradients of g in x and y, 1 gradient of f, on batches; 1 reduction",
    .state_size = sizeof(state),
    .options = &table,
    .setup = setup,
    .step = step,
    .teardown = teardown,
    .describe = describe,
};

/** @file Stop, perturb or descend, by the values of f and the norm of the hypergradient; see
 *  escape.h. */
#include "escape.h"
#include "direction.h"
#include <math.h>
#include <stdarg.h>
#include <string.h>

/** The numbers in use: options, or what follows from the rule. */
typedef struct plan {
  double eta, radius, decrease;
  blo_int wait;
  double curvature; /**< F is seen to fall if its curvature is -curvature or less */
  double length;    /**< S: F has about the same curvature so far away */
  blo_int follow;   /**< iterations in which such a perturbation grows by e */
} plan;

struct escape {
  blo_context *ctx;
  const escape_options *o;
  escape_solve *solve;
  plan plan;
  double n_x;
  blo_int k_p;        /**< iteration of the last perturbation, -1: never */
  blo_int count;      /**< perturbations */
  double f_s;         /**< f before it */
  blo_vec *x_s, *h_s; /**< x and the estimate of the hypergradient before it */
  blo_vec *work, *y;  /**< room; y during the check of who follows x */
};

/* ------------------------------------------------------------------ plan */

/** An iteration count from a formula. */
static blo_status to_wait(blo_context *ctx, double iterations, blo_int *wait)
{
  BLO_CHECK(ctx, iterations < 1e15, BLO_E_OPTION,
            "solver.escape: a wait of %.3g iterations follows from the other numbers; give wait, "
            "or larger ones",
            iterations);
  *wait = (blo_int)fmax(1, ceil(iterations));
  return BLO_OK;
}

static double or_default(double value, double other)
{
  return value > 0 ? value : other;
}

/** A perturbation of length eta r has the part eta r / sqrt(n_x) in a direction of curvature
 *  -gamma, where it grows by 1 + eta gamma an iteration; T iterations bring it to the length S. The
 *  other way round, a given T finds the curvature that grows so much in it. */
static blo_status find_wait(const escape *e, const escape_options *o, plan *p)
{
  double growth = log(p->length * sqrt(e->n_x) / (p->eta * p->radius));

  BLO_CHECK(e->ctx, p->eta * p->radius <= p->length / exp(1), BLO_E_OPTION,
            "solver.escape.radius = %g: a perturbation of length step radius = %g has no room to "
            "grow to escape.length = %g; radius at most %.3g",
            p->radius, p->eta * p->radius, p->length, p->length / exp(1) / p->eta);
  if (p->wait == 0) {
    BLO_TRY(to_wait(e->ctx, growth / log1p(p->eta * or_default(o->curvature, 0.3)), &p->wait));
  }
  p->curvature = expm1(growth / (double)p->wait) / p->eta;
  return BLO_OK;
}

static blo_status plan_practical(escape *e, const escape_options *o, plan *p)
{
  double most;

  BLO_CHECK(e->ctx, o->lipschitz == 0 && o->hessian_lipschitz == 0 && o->iota == 0, BLO_E_OPTION,
            "solver.escape.lipschitz, hessian_lipschitz and iota belong to escape.rule = 'theory'");
  p->eta = or_default(p->eta, 0.1);
  p->radius = or_default(p->radius, 0.1);
  p->decrease = or_default(p->decrease, 1e-4);
  p->length = or_default(o->length, 0.3);
  BLO_TRY(find_wait(e, o, p));
  most = p->curvature * p->length * p->length / 2;
  BLO_CHECK(e->ctx, p->decrease <= most, BLO_E_OPTION,
            "solver.escape.decrease = %g: F falls by %.3g only along a curvature of -%.3g, the one "
            "that the wait shows, over escape.length = %g; decrease at most that",
            p->decrease, most, p->curvature, p->length);
  return BLO_OK;
}

/** How probable it is that curvature of F that the wait just shows is missed. If xi is uniform in
 *  the ball of radius r, its part in a direction is less than delta r / sqrt(n_x) with a
 * probability of at most sqrt(2 / pi) sqrt(1 + 2 / n_x) delta (the density of the part is largest
 * at 0). Then it grows to delta S, where F has fallen by gamma delta^2 S^2 / 2; F wants that to be
 * `decrease`. */
static double missed_practical(const escape *e)
{
  const plan *p = &e->plan;
  double delta = sqrt(2 * p->decrease / p->curvature) / p->length;

  return fmin(1, sqrt(2 / acos(-1) * (1 + 2 / e->n_x)) * delta);
}

/** Jin et al. 2021, theorem 18. */
static double missed_theory(const escape *e, double iota)
{
  return e->o->lipschitz * sqrt(e->n_x) / e->plan.curvature * iota * iota * exp2(8 - iota);
}

/** The least whole iota from 20 on with which that says something. */
static double useful_iota(const escape *e)
{
  double iota = 20;

  while (iota < 1000 && missed_theory(e, iota) >= 1) {
    iota++;
  }
  return iota;
}

static blo_status check_theory(const escape *e, const escape_options *o, const plan *p)
{
  BLO_CHECK(e->ctx, o->lipschitz > 0 && o->hessian_lipschitz > 0, BLO_E_OPTION,
            "solver.escape.rule = 'theory' needs lipschitz and hessian_lipschitz, the Lipschitz "
            "constants of the gradient and of the Hessian of F, greater than 0");
  BLO_CHECK(e->ctx, p->eta == 0 && p->radius == 0 && p->decrease == 0 && p->wait == 0, BLO_E_OPTION,
            "solver.escape.rule = 'theory' makes step, radius, decrease and wait: leave "
            "solver.upper.step and escape.radius, decrease and wait at 0");
  BLO_CHECK(e->ctx, o->curvature == 0 && o->length == 0, BLO_E_OPTION,
            "solver.escape.curvature and length belong to escape.rule = 'practical'");
  return BLO_OK;
}

/** Jin et al. 2021, eq. 6, with the constants of F. */
static blo_status plan_theory(escape *e, const escape_options *o, plan *p)
{
  double iota = or_default(o->iota, 20), cube = iota * iota * iota;

  BLO_TRY(check_theory(e, o, p));
  p->curvature = sqrt(o->hessian_lipschitz * o->epsilon);
  BLO_CHECK(e->ctx, iota >= 20, BLO_E_OPTION,
            "solver.escape.iota = %g: below 20 the wait is over before so small a perturbation has "
            "grown, and the method stops at saddles; here %g makes an escape probable",
            iota, useful_iota(e));
  p->eta = 1 / o->lipschitz;
  p->length = p->curvature / o->hessian_lipschitz;
  p->radius = o->epsilon / (400 * cube);
  p->decrease = sqrt(o->epsilon * o->epsilon * o->epsilon / o->hessian_lipschitz) / (50 * cube);
  return to_wait(e->ctx, o->lipschitz / p->curvature * iota, &p->wait);
}

static blo_status make_plan(escape *e, const escape_upper_options *upper)
{
  const escape_options *o = e->o;

  e->plan =
      (plan){.eta = upper->step, .radius = o->radius, .decrease = o->decrease, .wait = o->wait};
  BLO_TRY((o->rule == ESCAPE_THEORY ? plan_theory : plan_practical)(e, o, &e->plan));
  e->plan.follow = (blo_int)fmax(1, ceil(1 / log1p(e->plan.eta * e->plan.curvature)));
  return BLO_OK;
}

/* ------------------------------------------------------------------ life */

static blo_status make_state(blo_solver *s, escape *e)
{
  blo_space *x = blo_eval_space_x(s->eval);

  BLO_TRY(blo_vec_create(x, &e->x_s));
  BLO_TRY(blo_vec_create(x, &e->h_s));
  BLO_TRY(blo_vec_create(x, &e->work));
  BLO_TRY(blo_vec_create(blo_eval_space_y(s->eval), &e->y));
  BLO_TRY(blo_state_add_int(s->state, "escape.perturbed_at", &e->k_p));
  BLO_TRY(blo_state_add_int(s->state, "escape.perturbations", &e->count));
  BLO_TRY(blo_state_add_double(s->state, "escape.f", &e->f_s));
  BLO_TRY(blo_state_add_vec(s->state, "escape.x", e->x_s));
  return blo_state_add_vec(s->state, "escape.hx", e->h_s);
}

blo_status escape_create(blo_solver *s, const escape_upper_options *upper,
                         const escape_options *options, escape_solve *solve, escape **out)
{
  blo_problem *p = blo_eval_problem(s->eval);
  blo_status status = BLO_OK;
  escape *e = NULL;

  BLO_GO(blo_alloc(p->ctx, 1, sizeof *e, &e));
  *e = (escape){.ctx = p->ctx, .o = options, .solve = solve, .n_x = (double)p->n_x, .k_p = -1};
  BLO_GO(make_plan(e, upper));
  BLO_GO(make_state(s, e));
  *out = e;
  e = NULL;
done:
  escape_destroy(&e);
  return status;
}

void escape_destroy(escape **e)
{
  if (*e != NULL) {
    blo_context *ctx = (*e)->ctx;
    blo_vec_destroy(&(*e)->x_s);
    blo_vec_destroy(&(*e)->h_s);
    blo_vec_destroy(&(*e)->work);
    blo_vec_destroy(&(*e)->y);
    blo_free(ctx, e);
  }
}

/** How sure an escape is. */
static void describe_odds(const escape *e, FILE *to)
{
  double missed = missed_theory(e, or_default(e->o->iota, 20));

  if (e->o->rule != ESCAPE_THEORY) {
    fprintf(
        to,
        "          curvature that is just so is missed with probability at most %.2g; a smaller "
        "decrease lessens that\n",
        missed_practical(e));
  } else if (missed < 1) {
    fprintf(to, "          an escape fails with probability at most %.2g\n", missed);
  } else {
    fprintf(to,
            "          the theory says nothing of an escape with so small an iota: give one of at "
            "least %g\n",
            useful_iota(e));
  }
}

void escape_describe(const escape *e, FILE *to)
{
  const plan *p = &e->plan;

  fprintf(to,
          "escape    step %.3g, radius %.3g, wait %lld iterations, decrease %.3g; looks for "
          "curvature of F below %.3g\n",
          p->eta, p->radius, (long long)p->wait, p->decrease, -p->curvature);
  describe_odds(e, to);
}

/* -------------------------------------------------------------- the moves */

/** xi, uniform in the ball of radius r: a random direction, and the length r U^(1/n_x). */
static void draw(const escape *e, const blo_solver *s, blo_vec *xi)
{
  const blo_stream stream = {s->seed, BLO_PURPOSE_DIRECTION};
  double u = blo_stream_uniform(stream, (uint64_t)s->k, 1, 0);

  random_direction(s->seed, BLO_PURPOSE_DIRECTION, s->k, xi);
  blo_vec_scale(e->plan.radius * pow(u, 1 / e->n_x), xi);
}

static void perturb(escape *e, blo_solver *s, blo_vec *hx, double f)
{
  blo_vec_copy(s->x, e->x_s);
  blo_vec_copy(hx, e->h_s);
  e->f_s = f;
  e->k_p = s->k;
  e->count++;
  draw(e, s, hx);
  blo_vec_axpy(-e->plan.eta, hx, s->x);
}

/* --------------------------------------------------------------- evidence */

/** Add to the evidence. */
BLO_PRINTF(2, 3) static void say(blo_solver *s, const char *fmt, ...)
{
  size_t used = strlen(s->evidence);
  va_list args;

  va_start(args, fmt);
  vsnprintf(s->evidence + used, sizeof s->evidence - used, fmt, args);
  va_end(args);
}

static bool is_waiting(const escape *e, blo_int k)
{
  return e->k_p >= 0 && k - e->k_p <= e->plan.wait;
}

/** What is known on the way, before this iteration's move. */
static void tell(const escape *e, blo_solver *s, const blo_report *r)
{
  s->evidence[0] = '\0';
  if (is_waiting(e, s->k)) {
    say(s, "perturbed at iteration %lld, f has fallen by %.3g in %lld of %lld iterations",
        (long long)e->k_p + 1, e->f_s - r->f, (long long)(s->k - e->k_p), (long long)e->plan.wait);
  } else {
    say(s, "%lld perturbations so far; hypergradient %.3g, %.3g leads to the next",
        (long long)e->count, r->hypergrad_norm, 0.8 * e->o->epsilon);
  }
}

/* --------------------------------------------------------------- the stop */

/** What the check at the stop has found. */
typedef struct finding {
  bool y_follows; /**< x, in the time in which a perturbation grows */
  bool v_follows;
  double fell;    /**< the better f in the wait */
  double norm;    /**< of the better hypergradient */
  double error;   /**< of the estimate that led to the perturbation */
  double error_f; /**< of f there */
} finding;

/** |a - b|; a is overwritten. */
static double distance(blo_vec *a, const blo_vec *b)
{
  blo_vec_axpy(-1, b, a);
  return blo_vec_norm(a);
}

/** Why the finding does not support the stop; NULL: it does. */
static const char *objection(const escape *e, const finding *c, blo_verdict verdict)
{
  if (verdict == BLO_VERDICT_CURVATURE || verdict == BLO_VERDICT_GREW ||
      verdict == BLO_VERDICT_ILL) {
    return "the adjoint system could not be solved";
  }
  if (!c->y_follows) {
    return "y does not follow x: other or more lower steps";
  }
  if (!c->v_follows) {
    return "v does not follow x: other or more adjoint steps";
  }
  if (!(c->fell >= -e->plan.decrease)) {
    return "f has risen: smaller upper.step";
  }
  if (!(c->fell < e->plan.decrease)) {
    return "f has fallen by more than that: more lower steps";
  }
  if (!(c->error <= e->o->epsilon / 5)) {
    return "the error is above epsilon/5: more lower or adjoint steps";
  }
  if (!(c->norm <= e->o->epsilon)) {
    return "x is not stationary";
  }
  return fabs(c->error_f) <= e->plan.decrease ? NULL : "f had a larger error than that";
}

static void judge(const escape *e, blo_solver *s, const finding *c, blo_report *r)
{
  const char *but = objection(e, c, r->verdict);

  r->second_order = but == NULL ? BLO_SECOND_ORDER_MINIMUM : BLO_SECOND_ORDER_UNDECIDED;
  s->evidence[0] = '\0';
  say(s, "perturbed at iteration %lld, f fell by %.2g", (long long)e->k_p + 1, c->fell);
  say(s, c->fell < e->plan.decrease ? " < " : ", not < ");
  say(s, "%.2g in %lld iterations", e->plan.decrease, (long long)e->plan.wait);
  if (but == NULL) {
    say(s, ", so curvature > %.2g", -e->plan.curvature);
  }
  say(s, "; hypergradient %.2g, error %.2g, epsilon %.2g; residual %.1g of y", c->norm, c->error,
      e->o->epsilon, r->lower_residual);
  if (!isnan(r->adjoint_residual)) {
    say(s, ", %.1g of v", r->adjoint_residual);
  }
  if (but != NULL) {
    say(s, "; but %s", but);
  }
}

/** Whether y and v come to where they belong while a perturbation grows by e: at the distance S
 * from x_s, in the direction of the perturbation, where y* is another. x is left there. */
static blo_status see_who_follows(escape *e, blo_solver *s, blo_vec *hx, blo_report *r, finding *c)
{
  double before;

  blo_vec_copy(s->y, e->y);
  blo_vec_copy(e->x_s, s->x);
  random_direction(s->seed, BLO_PURPOSE_DIRECTION, e->k_p, hx);
  blo_vec_axpy(-e->plan.length, hx, s->x);
  blo_vec_publish(s->x);
  BLO_TRY(e->solve(s, ESCAPE_LOOK, hx, r));
  before = r->lower_residual;
  for (blo_int i = 0; i < e->plan.follow; i++) {
    BLO_TRY(e->solve(s, ESCAPE_USUAL, hx, r));
  }
  c->y_follows = r->lower_residual <= 0.1 * before;
  c->v_follows = !(r->adjoint_relative > 0.1) || r->adjoint_rhs <= 1e-6 * e->o->epsilon;
  blo_vec_copy(e->y, s->y);
  return BLO_OK;
}

/** Compute f again, with more work; then return to x_s, and do so with what was known there. */
static blo_status stop(escape *e, blo_solver *s, blo_vec *hx, blo_report *r)
{
  finding found;

  BLO_TRY(e->solve(s, ESCAPE_CAREFUL, hx, r));
  found.fell = -r->f;
  BLO_TRY(see_who_follows(e, s, hx, r, &found));
  blo_vec_copy(e->x_s, s->x);
  blo_vec_publish(s->x);
  BLO_TRY(e->solve(s, ESCAPE_CAREFUL, e->work, r));
  BLO_TRY(e->solve(s, ESCAPE_AGAIN, hx, r));
  found.fell += r->f;
  found.norm = r->hypergrad_norm = blo_vec_norm(hx);
  found.error = distance(e->h_s, hx) + distance(e->work, hx);
  found.error_f = e->f_s - r->f;
  r->converged = true;
  judge(e, s, &found, r);
  return BLO_OK;
}

/* --------------------------------------------------------------- a step */

blo_status escape_step(escape *e, blo_solver *s, blo_vec *hx, blo_report *r)
{
  const plan *p = &e->plan;

  r->hypergrad_norm = blo_vec_norm(hx);
  r->step_x = p->eta;
  BLO_CHECK(e->ctx, isfinite(r->hypergrad_norm), BLO_E_NONFINITE,
            "the norm of the hypergradient is not finite in iteration %lld", (long long)s->k);
  r->second_order = BLO_SECOND_ORDER_UNDECIDED;
  tell(e, s, r);
  if (e->k_p >= 0 && s->k - e->k_p == p->wait && e->f_s - r->f < p->decrease) {
    BLO_TRY(stop(e, s, hx, r));
  } else if (r->hypergrad_norm <= 0.8 * e->o->epsilon && !is_waiting(e, s->k)) {
    perturb(e, s, hx, r->f);
  } else {
    blo_vec_axpy(-p->eta, hx, s->x);
  }
  r->perturbations = (double)e->count;
  blo_vec_publish(s->x);
  return blo_step_check(s->x, "x", "the upper step", s->k);
}

/* --------------------------------------------------------------- options */

static const char *const rule_names[] = {"practical", "theory", NULL};

static const blo_opt_row upper_rows[] = {
    BLO_OPT(escape_upper_options, step, "0", 0, 1e12, "-",
            "upper step size eta, about 1 over the largest curvature of F; 0: 0.1, or 1 / "
            "lipschitz with escape.rule = theory",
            "", 0),
};
const blo_opt_table escape_upper_table =
    BLO_OPT_TABLE("upper", "the upper-level step", escape_upper_options, upper_rows);

static const blo_opt_row rows[] = {
    BLO_OPT(escape_options, epsilon, "1e-3", 0, BLO_INF, "-",
            "x is perturbed where the norm of the hypergradient is at most 4/5 epsilon; the "
            "minimum that is returned has at most epsilon",
            "arXiv 1902.04811", BLO_OPT_OPEN_LOW),
    BLO_OPT_NAMES(escape_options, rule, "practical", rule_names,
                  "what radius, decrease and wait (and upper.step) are where they are 0: "
                  "practical, or by the formulas of the theory, with its constants",
                  "theory: arXiv 1902.04811, eq. 6", 0),
    BLO_OPT(escape_options, radius, "0", 0, 1e12, "-",
            "r: a perturbation is upper.step times a vector uniform in the ball of this radius; 0: "
            "0.1, or epsilon / (400 iota^3)",
            "", 0),
    BLO_OPT(escape_options, wait, "0", 0, 1e12, "iterations",
            "T: iterations between a perturbation and the next one, or the stop; 0: ln(length "
            "sqrt(n_x) / (step radius)) / ln(1 + step curvature), or iota L / sqrt(rho epsilon)",
            "", 0),
    BLO_OPT(escape_options, decrease, "0", 0, BLO_INF, "-",
            "F: stop if f falls by less in the wait; at most curvature length^2 / 2; 0: 1e-4, or "
            "sqrt(epsilon^3 / rho) / (50 iota^3)",
            "arXiv 1703.00887, algorithm 2", 0),
    BLO_OPT(escape_options, curvature, "0", 0, 1e12, "-",
            "practical: gamma, the smallest negative curvature of F that is to be found; 0: 0.3",
            "", 0),
    BLO_OPT(escape_options, length, "0", 0, 1e12, "-",
            "practical: S, how long a perturbation grows until the curvature of F has changed; at "
            "least e times step radius; 0: 0.3",
            "", 0),
    BLO_OPT(escape_options, lipschitz, "0", 0, BLO_INF, "-",
            "theory: L, the Lipschitz constant of grad F", "arXiv 1902.04811", 0),
    BLO_OPT(escape_options, hessian_lipschitz, "0", 0, BLO_INF, "-",
            "theory: rho, the Lipschitz constant of the Hessian of F", "arXiv 1902.04811", 0),
    BLO_OPT(escape_options, iota, "0", 0, 1000, "-",
            "theory: iota, at least 20; an escape fails with probability at most L sqrt(n_x / "
            "(rho epsilon)) iota^2 2^(8 - iota): where that is 1 or more --dry-run names an iota "
            "with which it is less; 0: 20",
            "arXiv 1902.04811, theorem 18", 0),
    BLO_OPT(escape_options, check, "20", 1, 1e6, "-",
            "at the stop f and the hypergradient are computed again with this many times the "
            "steps, to see whether f fell so little, and whether the estimate before the "
            "perturbation was right to epsilon / 5",
            "", 0),
};
const blo_opt_table escape_table =
    BLO_OPT_TABLE("escape", "how saddles are left, and when to stop", escape_options, rows);

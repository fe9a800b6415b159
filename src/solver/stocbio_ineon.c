/**
 * @file
 * StocBiO with iNEON (Huang, Chen, Ji, Ma and Lai 2022, arXiv 2202.03684): stochastic descent on x,
 * and where a large batch says that grad F is small, a search for negative curvature of F; it ends
 * with a step along it, or shows that x is an approximate local minimum.
 *
 *     for k = 0, 1, ...
 *       every c iterations:
 *         (g, y) <- StocHyper(x, y; large batches)
 *         if ||g|| <= (4/5) epsilon:
 *           u <- iNEON(x, y)
 *           if there is none: x is an epsilon-local minimum w.h.p.
 *           if there is one: x <- x + s alpha u / ||u||,  s = +1 or -1
 *           else this is not decided, and the next iteration descends;  continue
 *       (g, y) <- StocHyper(x, y; small batches)
 *       x <- x - eta g
 *
 * What of this is the paper's and what is reconstructed is said in docs/methods/stocbio_ineon.md.
 * An iteration of the search is an outer iteration of the driver's loop, so that checkpoints,
 * limits and signals work within a search: k above then stands for st->rounds.
 */
#include "curvature_search.h"
#include <math.h>

typedef struct check_options {
  blo_int every, batch;
  double epsilon;
} check_options;

typedef struct upper_options {
  blo_int batch;
  double step, decay;
} upper_options;

typedef struct options {
  stoc_lower_options lower;
  stoc_adjoint_options adjoint;
  upper_options upper;
  check_options check;
  search_options search;
} options;

typedef struct state {
  blo_int rounds;           /**< passes of the loop above begun */
  blo_int searching;        /**< 1 within a search */
  blo_int searches;         /**< begun */
  blo_int moves;            /**< steps along negative curvature */
  blo_int undecided;        /**< 1 after a search that has decided nothing: descent comes first */
  blo_int plan;             /**< next plan number */
  double large;             /**< ||g|| of the last check; negative: there was none */
  blo_vec *hx;              /**< an estimate; that of the check until a search has ended */
  blo_upper_options x_step; /**< plain steps along the estimate */
  blo_upper *upper;
  stoc_hyper small, of_check;
  curvature_search search;
} state;

/* ----------------------------------------------------------------- setup */

static blo_int samples_in(blo_int batch, blo_int n)
{
  return batch == 0 || batch > n ? n : batch;
}

/** A check on smaller batches than those of the steps would decide on worse estimates. */
static blo_status compare_batches(const blo_solver *s, const options *o)
{
  const blo_problem *p = blo_eval_problem(s->eval);
  const struct {
    const char *key;
    blo_int batch, n;
  } all[] = {{"lower", o->lower.batch, p->n_lower},
             {"adjoint", o->adjoint.batch, p->n_lower},
             {"upper", o->upper.batch, p->n_upper}};

  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    blo_int n = all[i].n;
    BLO_CHECK(p->ctx, samples_in(o->check.batch, n) >= samples_in(all[i].batch, n), BLO_E_OPTION,
              "solver.check.batch = %lld is less than the %lld samples of solver.%s.batch: the "
              "batches of the check must not be smaller than those of the steps (0: all samples)",
              (long long)o->check.batch, (long long)samples_in(all[i].batch, n), all[i].key);
  }
  return BLO_OK;
}

/** Large batches come from a seed of their own: whatever the numbers of steps, they share no draws
 *  with small ones. */
static uint64_t seed_of_check(uint64_t seed)
{
  uint64_t bits[4];

  blo_stream_bits((blo_stream){seed, BLO_PURPOSE_DIRECTION}, 0, 2, 0, bits);
  return bits[0];
}

static blo_status make_estimates(blo_solver *s, const options *o, state *st)
{
  stoc_lower_options lower = o->lower;
  stoc_adjoint_options adjoint = o->adjoint;

  BLO_TRY(stoc_hyper_create(s, &lower, &adjoint, o->upper.batch, s->seed, &st->small));
  lower.batch = adjoint.batch = o->check.batch;
  return stoc_hyper_create(s, &lower, &adjoint, o->check.batch, seed_of_check(s->seed),
                           &st->of_check);
}

static blo_status enter_state(blo_solver *s, state *st)
{
  st->large = -1;
  BLO_TRY(blo_vec_create(blo_eval_space_x(s->eval), &st->hx));
  BLO_TRY(blo_state_add_int(s->state, "rounds", &st->rounds));
  BLO_TRY(blo_state_add_int(s->state, "searching", &st->searching));
  BLO_TRY(blo_state_add_int(s->state, "searches", &st->searches));
  BLO_TRY(blo_state_add_int(s->state, "moves", &st->moves));
  BLO_TRY(blo_state_add_int(s->state, "undecided", &st->undecided));
  BLO_TRY(blo_state_add_int(s->state, "plan", &st->plan));
  BLO_TRY(blo_state_add_double(s->state, "check.norm", &st->large));
  return blo_state_add_vec(s->state, "check.gradient", st->hx);
}

static blo_status setup(blo_solver *s)
{
  blo_comm *comm = blo_eval_problem(s->eval)->comm;
  const options *o = s->options;
  state *st = s->data;

  BLO_TRY(compare_batches(s, o));
  BLO_TRY(make_estimates(s, o, st));
  st->x_step =
      (blo_upper_options){.batch = o->upper.batch, .step = o->upper.step, .decay = o->upper.decay};
  BLO_TRY_ALL(comm, blo_upper_create(s->eval, &st->x_step, s->state, &st->upper));
  BLO_TRY_ALL(comm, enter_state(s, st));
  return curvature_search_create(s, &o->search, o->upper.step, &st->small, &st->of_check, &st->plan,
                                 &st->search);
}

/* --------------------------------------------------------------- descent */

#define SAY(s, ...) snprintf((s)->evidence, sizeof(s)->evidence, __VA_ARGS__)

/** The estimate on large batches; a search begins where its norm is small. */
static blo_status check(blo_solver *s, state *st, blo_report *r)
{
  const options *o = s->options;

  BLO_TRY(stoc_hyper_at(&st->of_check, st->plan++, s->x, s->y, st->hx));
  st->large = blo_vec_norm(st->hx);
  BLO_CHECK(blo_eval_problem(s->eval)->ctx, isfinite(st->large), BLO_E_NONFINITE,
            "the hypergradient of the check in iteration %lld is not finite", (long long)s->k);
  if (st->large <= 0.8 * o->check.epsilon) {
    stoc_hyper_report(&st->of_check, r);
    r->hypergrad_norm = st->large;
    curvature_search_begin(&st->search, st->searches++);
    r->search = st->search.length;
    st->searching = 1;
  }
  return BLO_OK;
}

static blo_status descend(blo_solver *s, state *st, blo_report *r)
{
  const options *o = s->options;

  BLO_TRY(stoc_hyper_at(&st->small, st->plan++, s->x, s->y, st->hx));
  stoc_hyper_report(&st->small, r);
  if (s->want_norms) {
    r->hypergrad_norm = blo_vec_norm(st->hx);
  }
  r->step_x = blo_schedule_at((blo_schedule){o->upper.step, o->upper.decay}, s->k);
  return blo_upper_step(st->upper, s->k, st->hx, s->x);
}

static void tell_of_descent(blo_solver *s, const state *st)
{
  const options *o = s->options;

  if (st->large > 0.8 * o->check.epsilon) {
    SAY(s, "norm of grad F %.3g on a large batch, more than 4/5 of check.epsilon", st->large);
  } else {
    SAY(s, "descent after search %lld, which began at a norm of grad F of %.3g on a large batch",
        (long long)st->searches, st->large);
  }
}

static blo_status round_of_descent(blo_solver *s, state *st, blo_report *r)
{
  const options *o = s->options;
  bool due = st->rounds++ % o->check.every == 0 && st->undecided == 0;

  st->undecided = 0;
  if (due) {
    BLO_TRY(check(s, st, r));
  }
  if (st->searching != 0) {
    SAY(s, "norm of grad F %.3g on a large batch, search %lld begins", st->large,
        (long long)st->searches);
    return BLO_OK;
  }
  tell_of_descent(s, st);
  return descend(s, st, r);
}

/* ---------------------------------------------------------------- search */

/** The sign s of the step s alpha u / ||u||. */
static blo_status find_sign(blo_solver *s, state *st, double *sign)
{
  const search_options *o = &((const options *)s->options)->search;
  const blo_stream stream = {s->seed, BLO_PURPOSE_DIRECTION};

  if (o->sign == SIGN_RANDOM) {
    *sign = blo_stream_uniform(stream, (uint64_t)st->searches, 1, 0) < 0.5 ? 1 : -1;
  } else if (o->sign == SIGN_GRADIENT) {
    *sign = blo_vec_dot(st->hx, st->search.u) > 0 ? -1 : 1;
  } else {
    BLO_TRY(curvature_search_sides(&st->search, o->move));
    *sign = st->search.f[0] <= st->search.f[1] ? 1 : -1;
  }
  return BLO_OK;
}

static blo_status move(blo_solver *s, state *st)
{
  const options *o = s->options;
  double sign = 1;

  BLO_TRY(find_sign(s, st, &sign));
  curvature_search_move(&st->search, sign * o->search.move);
  st->moves++;
  SAY(s, "search %lld has found curvature %.3g of F, and x has moved along it",
      (long long)st->searches, st->search.curvature);
  return BLO_OK;
}

/** What a search that has not found any negative curvature tells. */
static void conclude(blo_solver *s, const state *st, search_end end)
{
  const options *o = s->options;
  const curvature_search *c = &st->search;

  if (end == SEARCH_NOTHING) {
    SAY(s,
        "norm of grad F %.3g on a large batch, at most 4/5 of %.3g; u has length %.3g after %lld "
        "iterations from %.3g: no curvature of F below -%.3g, with probability %g",
        st->large, o->check.epsilon, c->length, (long long)c->t, o->search.radius, c->shown,
        1 - 0.8 * o->search.failure);
  } else if (end == SEARCH_OPEN) {
    SAY(s,
        "search %lld is void: u has grown from %.3g to %.3g in %lld iterations, not to threshold = "
        "%.3g; a smaller threshold or more iterations may help",
        (long long)st->searches, o->search.radius, c->length, (long long)c->t, o->search.threshold);
  } else if (end == SEARCH_BLIND) {
    SAY(s,
        "search %lld is void: u has not grown, but y or v do not follow x (residual of v %.2g of "
        "the right side); other or more lower or adjoint steps",
        (long long)st->searches, st->of_check.adjoint->certificate.adjoint_relative);
  } else {
    SAY(s,
        "search %lld is void: u has grown to %.3g, but the curvature of F along it is %.3g, more "
        "than -%.3g / 2; larger batches may help",
        (long long)st->searches, c->length, c->curvature, o->search.curvature);
  }
}

static blo_status search(blo_solver *s, state *st, blo_report *r)
{
  const curvature_search *c = &st->search;
  search_end end;

  BLO_TRY(curvature_search_iterate(&st->search, r, &end));
  if (end == SEARCH_GOES_ON) {
    SAY(s, "in search %lld u has length %.3g after %lld of %lld iterations",
        (long long)st->searches, c->length, (long long)c->t, (long long)c->iterations);
    return BLO_OK;
  }
  st->searching = 0;
  if (end == SEARCH_FOUND) {
    return move(s, st);
  }
  conclude(s, st, end);
  r->converged = end == SEARCH_NOTHING;
  r->second_order = r->converged ? BLO_SECOND_ORDER_MINIMUM : BLO_SECOND_ORDER_UNDECIDED;
  st->undecided = !r->converged;
  return BLO_OK;
}

static blo_status step(blo_solver *s, blo_report *r)
{
  state *st = s->data;

  r->second_order = BLO_SECOND_ORDER_UNDECIDED;
  BLO_TRY((st->searching != 0 ? search : round_of_descent)(s, st, r));
  r->perturbations = (double)st->moves;
  return BLO_OK;
}

static void teardown(blo_solver *s)
{
  state *st = s->data;

  stoc_hyper_destroy(&st->small);
  stoc_hyper_destroy(&st->of_check);
  curvature_search_destroy(&st->search);
  blo_upper_destroy(&st->upper);
  blo_vec_destroy(&st->hx);
}

static void describe(const blo_solver *s, FILE *to)
{
  const options *o = s->options;
  const curvature_search *c = &((const state *)s->data)->search;

  fprintf(to,
          "search    at most T' = %lld iterations, with step %g; looks for curvature of F below "
          "%.3g, which is missed with probability at most %g\n",
          (long long)c->iterations, c->eta, -c->shown, 0.8 * o->search.failure);
}

/* --------------------------------------------------------------- options */

static const blo_opt_row lower_rows[] = {
    BLO_OPT(stoc_lower_options, steps, "10", 1, 1e9, "steps", "T: lower-level steps of an estimate",
            "", 0),
    BLO_OPT(stoc_lower_options, batch, "256", 0, 1e12, "samples",
            "samples of g in a step, 0 = all; a fresh batch for each", "", 0),
    BLO_OPT(stoc_lower_options, step, "0.1", 0, 1e12, "-", "lower step size tau; 2 / (l + mu)", "",
            BLO_OPT_OPEN_LOW),
};
static const blo_opt_row adjoint_rows[] = {
    BLO_OPT(stoc_adjoint_options, iterations, "10", 1, 1e9, "products",
            "Q: products with H, the terms of the Neumann series beyond the first", "", 0),
    BLO_OPT(stoc_adjoint_options, batch, "256", 0, 1e12, "samples",
            "samples of g in a product, 0 = all; a fresh batch for each", "", 0),
    BLO_OPT(stoc_adjoint_options, step, "0.1", 0, 1e12, "-",
            "eta_h of the series, less than 2 over the largest eigenvalue of H",
            "Ji, Yang and Liang 2021, arXiv 2010.07962, eq. 4", BLO_OPT_OPEN_LOW),
};
static const blo_opt_row upper_rows[] = {
    BLO_OPT(upper_options, batch, "256", 0, 1e12, "samples", "samples of f in an estimate, 0 = all",
            "", 0),
    BLO_SCHEDULE_ROWS(upper_options, "0.1", "0", "upper step size eta; about 1 / L"),
};
static const blo_opt_row check_rows[] = {
    BLO_OPT(check_options, every, "10", 1, 1e9, "iterations",
            "descent iterations from one check on large batches to the next", "", 0),
    BLO_OPT(check_options, batch, "0", 0, 1e12, "samples",
            "samples of g and of f in the large batches of checks, certificates and signs, 0 = all",
            "", 0),
    BLO_OPT(check_options, epsilon, "0.01", 0, BLO_INF, "-",
            "a search begins where the norm of the hypergradient on large batches is at most "
            "4/5 epsilon; more than the level at which steps on small batches settle",
            "", 0),
};

static const blo_opt_table lower_table =
    BLO_OPT_TABLE("lower", "the lower-level steps of an estimate", stoc_lower_options, lower_rows);
static const blo_opt_table adjoint_table = BLO_OPT_TABLE(
    "adjoint", "the Neumann series of an estimate", stoc_adjoint_options, adjoint_rows);
static const blo_opt_table upper_table =
    BLO_OPT_TABLE("upper", "the step on x", upper_options, upper_rows);
static const blo_opt_table check_table =
    BLO_OPT_TABLE("check", "where a search begins", check_options, check_rows);
static const blo_opt_sub subs[] = {
    {"lower", offsetof(options, lower), &lower_table},
    {"adjoint", offsetof(options, adjoint), &adjoint_table},
    {"upper", offsetof(options, upper), &upper_table},
    {"check", offsetof(options, check), &check_table},
    {"search", offsetof(options, search), &curvature_search_table},
};
static const blo_opt_table table = BLO_OPT_TABLE_OF(
    "stocbio_ineon", "stochastic bilevel optimization that leaves saddles", options, subs);

const blo_solver_type blo_solver_stocbio_ineon = {
    .name = "stocbio_ineon",
    .summary = "stocBiO with iNEON: searches for negative curvature of F where grad F is small",
    .source = "Huang, Chen, Ji, Ma and Lai 2022, arXiv 2202.03684; Xu, Jin and Yang 2018, arXiv "
              "1711.01944; Allen-Zhu and Li 2018, arXiv 1711.06673",
    .cost = "an estimate: T + 1 gradients of g, Q + 1 products H v, 1 product J v, 1 gradient of "
            "f, T + Q + 2 reductions (T = lower.steps, Q = adjoint.iterations); descent: 1 "
            "estimate, and one on large batches every check.every iterations; an iteration of a "
            "search: 2 estimates, and 2 on large batches in the last one, for the certificate or, "
            "one of "
            "them without lower steps, to see whether y and v follow x",
    .state_size = sizeof(state),
    .options = &table,
    .setup = setup,
    .step = step,
    .teardown = teardown,
    .describe = describe,
};

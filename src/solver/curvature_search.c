/** @file iNEON, the search for negative curvature; see curvature_search.h. */
#include "curvature_search.h"
#include "direction.h"
#include <math.h>

/* ------------------------------------------------------------------ life */

static blo_status make_vectors(blo_solver *s, curvature_search *c)
{
  blo_space *x = blo_eval_space_x(s->eval), *y = blo_eval_space_y(s->eval);

  BLO_TRY(blo_vec_create(x, &c->u));
  BLO_TRY(blo_vec_create(x, &c->g_a));
  BLO_TRY(blo_vec_create(x, &c->g_b));
  BLO_TRY(blo_vec_create(x, &c->z));
  BLO_TRY(blo_vec_create(y, &c->y_a));
  BLO_TRY(blo_vec_create(y, &c->y_b));
  return blo_vec_create(y, &c->y_z);
}

static blo_status enter_state(blo_solver *s, curvature_search *c)
{
  BLO_TRY(blo_state_add_int(s->state, "search.t", &c->t));
  BLO_TRY(blo_state_add_double(s->state, "search.length", &c->length));
  BLO_TRY(blo_state_add_vec(s->state, "search.u", c->u));
  BLO_TRY(blo_state_add_vec(s->state, "search.y_a", c->y_a));
  return blo_state_add_vec(s->state, "search.y_b", c->y_b);
}

/** T', or the curvature that a given T' shows. As eta <= 1 / L, no curvature is below -1 / eta. */
static blo_status find_iterations(blo_context *ctx, const search_options *o, blo_int d,
                                  curvature_search *c)
{
  double way = log(o->threshold / o->radius * sqrt((double)d) / o->failure);
  double iterations =
      o->iterations > 0 ? (double)o->iterations : ceil(way / log1p(c->eta * o->curvature));

  BLO_CHECK(ctx, iterations < 1e15, BLO_E_OPTION,
            "solver.search: %.3g iterations follow from threshold, radius, curvature = %g and step "
            "= %g; give iterations, or larger numbers",
            iterations, o->curvature, c->eta);
  c->iterations = (blo_int)iterations;
  c->shown = expm1(way / iterations) / c->eta;
  BLO_CHECK(ctx, way <= iterations * log(2), BLO_E_OPTION,
            "solver.search: %lld iterations show curvature below -%.3g only, but F has none below "
            "-1 / step = -%.3g if step is small enough: iterations of at least %.0f",
            (long long)c->iterations, c->shown, 1 / c->eta, ceil(way / log(2)));
  return BLO_OK;
}

blo_status curvature_search_create(blo_solver *s, const search_options *o, double eta,
                                   stoc_hyper *small, stoc_hyper *large, blo_int *plan,
                                   curvature_search *c)
{
  blo_problem *p = blo_eval_problem(s->eval);

  *c = (curvature_search){.s = s,
                          .o = o,
                          .small = small,
                          .large = large,
                          .plan = plan,
                          .eta = o->step > 0 ? o->step : eta};
  BLO_CHECK(p->ctx, o->radius < o->threshold, BLO_E_OPTION,
            "solver.search.radius = %g must be less than solver.search.threshold = %g, the length "
            "that u has to reach",
            o->radius, o->threshold);
  BLO_CHECK(p->ctx, c->eta > 0, BLO_E_OPTION,
            "solver.upper.step = 0: then solver.search.step must be given, and more than 0");
  BLO_TRY(find_iterations(p->ctx, o, p->n_x, c));
  BLO_TRY_ALL(p->comm, make_vectors(s, c));
  return blo_agree(p->comm, enter_state(s, c));
}

void curvature_search_destroy(curvature_search *c)
{
  blo_vec **const all[] = {&c->u, &c->y_a, &c->y_b, &c->g_a, &c->g_b, &c->z, &c->y_z};

  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    blo_vec_destroy(all[i]);
  }
}

/* ---------------------------------------------------------------- points */

/** z = x + h u / ||u||, and y_z, the prediction for y* there: y* is nearly linear, y_a is near its
 *  value at x, y_b near that at the last x + u. */
static void go_to_side(curvature_search *c, double h)
{
  double part = h / c->tracked;

  blo_vec_copy(c->s->x, c->z);
  blo_vec_axpy(h / c->length, c->u, c->z);
  blo_vec_publish(c->z);
  blo_vec_copy(c->y_a, c->y_z);
  blo_vec_scale(1 - part, c->y_z);
  blo_vec_axpy(part, c->y_b, c->y_z);
}

blo_status curvature_search_sides(curvature_search *c, double h)
{
  blo_vec *const estimate[] = {c->g_a, c->g_b};
  blo_int plan = (*c->plan)++;

  for (int side = 0; side < 2; side++) {
    go_to_side(c, side == 0 ? h : -h);
    BLO_TRY(stoc_hyper_at(c->large, plan, c->z, c->y_z, estimate[side]));
    c->f[side] = c->large->adjoint->f;
  }
  return BLO_OK;
}

void curvature_search_move(curvature_search *c, double h)
{
  go_to_side(c, h);
  blo_vec_copy(c->z, c->s->x);
  blo_vec_copy(c->y_z, c->s->y);
  blo_vec_publish(c->s->x);
}

/* ------------------------------------------------------------ the search */

void curvature_search_begin(curvature_search *c, blo_int draw)
{
  random_direction(c->s->seed, BLO_PURPOSE_DIRECTION, draw, c->u);
  blo_vec_scale(c->o->radius, c->u);
  blo_vec_copy(c->s->y, c->y_a);
  blo_vec_copy(c->s->y, c->y_b);
  c->t = 0;
  c->length = c->tracked = c->o->radius;
}

/** What two estimates with one plan tell of F along u. */
typedef struct pair {
  double curvature; /**< <u, g_b - g_a> / ||u||^2 */
  double change;    /**< F(x + u) - F(x) - <grad F(x), u> */
} pair;

/** The estimates at x and x + u; g_b is then the difference. */
static blo_status compare(curvature_search *c, blo_report *r, pair *found)
{
  const blo_vec *const a[] = {c->u, c->u, c->g_a}, *const b[] = {c->g_b, c->g_a, c->g_a};
  blo_int plan = (*c->plan)++;
  double dots[3], f;

  BLO_TRY(stoc_hyper_at(c->small, plan, c->s->x, c->y_a, c->g_a));
  stoc_hyper_report(c->small, r);
  f = c->small->adjoint->f;
  blo_vec_copy(c->s->x, c->z);
  blo_vec_axpy(1, c->u, c->z);
  blo_vec_publish(c->z);
  plan = c->o->independent ? (*c->plan)++ : plan;
  BLO_TRY(stoc_hyper_at(c->small, plan, c->z, c->y_b, c->g_b));
  c->tracked = c->length;
  blo_vec_axpy(-1, c->g_a, c->g_b);
  blo_vec_dots(3, a, b, dots);
  found->curvature = dots[0] / (c->length * c->length);
  found->change = c->small->adjoint->f - f - dots[1];
  r->hypergrad_norm = sqrt(dots[2]);
  return BLO_OK;
}

/** The second difference of F along u on a large batch: <u, g(x + U u) - g(x - U u)> / (2 U) for
 *  ||u|| = 1. */
static blo_status certify(curvature_search *c, search_end *end)
{
  double h = c->o->threshold;

  BLO_TRY(curvature_search_sides(c, h));
  blo_vec_axpy(-1, c->g_b, c->g_a);
  c->curvature = blo_vec_dot(c->u, c->g_a) / (2 * h * c->length);
  *end = c->curvature <= -c->o->curvature / 2 ? SEARCH_FOUND : SEARCH_REFUTED;
  return BLO_OK;
}

/** Whether y and v follow x: in an estimate on a large batch at the distance U from x, where y* is
 *  another. The residual of y must fall faster than u grows, and that of v be half of grad_y f at
 *  most. At x itself both may vanish by symmetry. */
static blo_status see_who_follows(curvature_search *c, bool *follow)
{
  const blo_certificate *now = &c->large->adjoint->certificate;
  double faster = (1 + c->eta * c->shown) * (1 + c->eta * c->shown), before;
  blo_int plan = (*c->plan)++;

  random_direction(c->s->seed, BLO_PURPOSE_DIRECTION, plan, c->z);
  blo_vec_scale(c->o->threshold, c->z);
  blo_vec_axpy(1, c->s->x, c->z);
  blo_vec_publish(c->z);
  blo_vec_copy(c->s->y, c->y_z);
  BLO_TRY(stoc_hyper_look(c->large, plan, c->z, c->y_z, c->g_a));
  before = now->lower_residual;
  BLO_TRY(stoc_hyper_at(c->large, plan, c->z, c->y_z, c->g_a));
  *follow = now->lower_residual * faster <= before && now->adjoint_relative <= 0.5;
  return BLO_OK;
}

/** After T' iterations without growth to U. */
static blo_status conclude(curvature_search *c, search_end *end)
{
  bool follow = false;

  *end = SEARCH_OPEN;
  if (c->length <= c->o->radius) {
    BLO_TRY(see_who_follows(c, &follow));
    *end = follow ? SEARCH_NOTHING : SEARCH_BLIND;
  }
  return BLO_OK;
}

static blo_status decide(curvature_search *c, const pair *last, search_end *end)
{
  *end = SEARCH_GOES_ON;
  if (c->length < c->o->threshold) {
    return c->t >= c->iterations ? conclude(c, end) : BLO_OK;
  } else if (c->o->accept == ACCEPT_CERTIFICATE) {
    return certify(c, end);
  } else {
    c->curvature = last->curvature;
    *end = c->o->accept == ACCEPT_GROWTH ? SEARCH_FOUND : SEARCH_REFUTED;
  }
  return BLO_OK;
}

blo_status curvature_search_iterate(curvature_search *c, blo_report *r, search_end *end)
{
  const search_options *o = c->o;
  pair now;

  c->curvature = (double)NAN;
  BLO_TRY(compare(c, r, &now));
  c->t++;
  if (o->accept == ACCEPT_DECREASE &&
      now.change <= -o->curvature * o->threshold * o->threshold / 4) {
    c->curvature = 2 * now.change / (c->length * c->length);
    *end = SEARCH_FOUND;
  } else {
    blo_vec_axpy(-c->eta, c->g_b, c->u);
    c->length = blo_vec_norm(c->u);
    BLO_CHECK(blo_eval_problem(c->s->eval)->ctx, isfinite(c->length), BLO_E_NONFINITE,
              "the vector u of the search for negative curvature is not finite in its iteration "
              "%lld",
              (long long)c->t);
    BLO_TRY(decide(c, &now, end));
  }
  r->search = c->length;
  r->curvature_F = c->curvature;
  return BLO_OK;
}

/* --------------------------------------------------------------- options */

static const char *const accept_names[] = {"certificate", "growth", "decrease", NULL};
static const char *const sign_names[] = {"random", "gradient", "best", NULL};

static const blo_opt_row rows[] = {
    BLO_OPT(search_options, radius, "0.01", 0, BLO_INF, "-", "r: the length that u begins with",
            "Xu, Jin and Yang 2018, arXiv 1711.01944, algorithm 1", BLO_OPT_OPEN_LOW),
    BLO_OPT(search_options, threshold, "0.2", 0, BLO_INF, "-",
            "U: the length of u at which it has grown; small against the scale on which the "
            "Hessian of F changes",
            "", BLO_OPT_OPEN_LOW),
    BLO_OPT(search_options, curvature, "0.3", 0, BLO_INF, "-",
            "gamma: the smallest negative curvature that matters; sqrt(rho epsilon) for an "
            "epsilon-local minimum, rho the Lipschitz constant of the Hessian of F",
            "", BLO_OPT_OPEN_LOW),
    BLO_OPT(search_options, step, "0", 0, BLO_INF, "-",
            "eta of u <- u - eta (g_b - g_a), at most about 1 / L, 0 = upper.step", "", 0),
    BLO_OPT(search_options, iterations, "0", 0, 1e9, "iterations",
            "T': iterations at most, 0 = ln(threshold sqrt(n_x) / (failure radius)) / ln(1 + step "
            "curvature)",
            "", 0),
    BLO_OPT(search_options, failure, "0.01", 0, 1, "-",
            "delta: 0.8 delta bounds the probability that the random start has a part of less than "
            "delta radius / sqrt(n_x) along the curvature, too little for that many iterations",
            "", BLO_OPT_OPEN_LOW),
    BLO_OPT(search_options, move, "0.3", 0, BLO_INF, "-",
            "alpha: length of the step along negative curvature; gamma / rho", "",
            BLO_OPT_OPEN_LOW),
    BLO_OPT_NAMES(search_options, accept, "certificate", accept_names,
                  "what makes u a direction of negative curvature: its growth and a second "
                  "difference of F along it on a large batch; its growth alone; or a decrease of "
                  "F beyond the linear one by curvature threshold^2 / 4 before it reaches "
                  "threshold",
                  "Allen-Zhu and Li 2018, arXiv 1711.06673; Xu, Jin and Yang 2018", 0),
    BLO_OPT_NAMES(search_options, sign, "random", sign_names,
                  "the sign of the step along u: random; against the gradient of the last check; "
                  "or that with the lower f on a large batch, after lower steps",
                  "", 0),
    BLO_OPT_PLAIN(search_options, independent, "false",
                  "draw other samples at x + u than at x: only to see how much worse that is", 0),
};

const blo_opt_table curvature_search_table =
    BLO_OPT_TABLE("search", "the search for negative curvature of F (iNEON)", search_options, rows);

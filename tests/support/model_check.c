#include "model_check.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Directions: the first two are random; the others are made of them, and so are their products, so
 * that only two need hyper-dual evaluations. Graphs are finished with three or four directions, so
 * five are taken in groups. */
enum { N_V = 5 };
static const double mix[N_V][2] = {{1, 0}, {0, 1}, {2, -1}, {-1, 0.5}, {1, 1}};

/** What can be wanted of a call. */
enum { VALUE = 1, GX = 2, GY = 4, G_SAMPLE = 8, HV = 16, JV = 32, J_SAMPLE = 64, ALL = 127 };

/** Everything that a call can give; the vectors lie one after the other in `memory`. */
typedef struct answer {
  double *memory;
  double *value, *gx, *gy, *g_sample;
  double *hv[N_V], *jv[N_V], *j_sample[N_V];
} answer;

/** A case at a point, for the samples' losses or for the terms. */
typedef struct check {
  const model_case *c;
  bool terms;
  blo_int n_x, n_y, n_rows, n_answer;
  const double *x, *y;
  double *other_x, *other_y; /**< another point */
  double *v[N_V];
  double *cache;
  answer want, got;
  double tol;
  double worst; /**< error of the comparisons so far, relative to what is allowed */
  const char *worst_of;
} check;

/** How a call is made. */
typedef struct way {
  blo_int first, n; /**< rows */
  blo_int n_v;
  unsigned wanted;
  double scale;
  bool cached, linearized, same_x;
  const double *x, *y;
} way;

/* ------------------------------------------------------------------ memory */

static double *numbers(blo_int n)
{
  double *made = calloc((size_t)n + 1, sizeof *made);

  BLO_BUG_IF(made == NULL, "no memory for a test");
  return made;
}

static double *cut(double **from, blo_int n)
{
  double *at = *from;

  *from += n;
  return at;
}

static void make_answer(const check *k, answer *a)
{
  double *at = a->memory = numbers(k->n_answer);

  a->value = cut(&at, 1);
  a->gx = cut(&at, k->n_x);
  a->gy = cut(&at, k->n_y);
  a->g_sample = cut(&at, k->n_rows);
  for (int d = 0; d < N_V; d++) {
    a->hv[d] = cut(&at, k->n_y);
    a->jv[d] = cut(&at, k->n_x);
    a->j_sample[d] = cut(&at, k->n_rows);
  }
}

static void clear(const check *k, const answer *a)
{
  memset(a->memory, 0, (size_t)k->n_answer * sizeof *a->memory);
}

/* --------------------------------------------------------------- reference */

/** The point in hyper-dual numbers: x, y, the samples' own entries of x. */
typedef struct point {
  hyperdual *memory, *x, *y, *s;
} point;

static void make_point(const check *k, point *p)
{
  const double *sample_value = k->terms ? NULL : k->c->rows.sample_value;

  p->memory = calloc((size_t)(k->n_x + k->n_y + k->n_rows) + 1, sizeof *p->memory);
  BLO_BUG_IF(p->memory == NULL, "no memory for a test");
  p->x = p->memory;
  p->y = p->x + k->n_x;
  p->s = p->y + k->n_y;
  for (blo_int i = 0; i < k->n_x; i++) {
    p->x[i].f = k->x[i];
  }
  for (blo_int i = 0; i < k->n_y; i++) {
    p->y[i].f = k->y[i];
  }
  for (blo_int i = 0; i < k->n_rows && sample_value != NULL; i++) {
    p->s[i].f = sample_value[i];
  }
}

static hyperdual total(const check *k, const point *p)
{
  hyperdual sum = {0};

  if (k->terms) {
    return k->c->term(k->c, p->x, p->y);
  }
  for (blo_int i = 0; i < k->n_rows; i++) {
    sum = hd_add(sum, k->c->loss(k->c, i, p->x, p->y, p->s[i]));
  }
  return sum;
}

/** Gradient and product with v_d: e1 goes along each unit vector in turn, e2 along v_d. */
static void refer_direction(check *k, point *p, int d)
{
  answer *a = &k->want;
  blo_int n = k->n_x + k->n_y + k->n_rows;

  for (blo_int i = 0; i < k->n_y; i++) {
    p->y[i].b = k->v[d][i];
  }
  for (blo_int i = 0; i < n; i++) {
    p->memory[i].a = 1;
    hyperdual f = total(k, p);
    p->memory[i].a = 0;
    *a->value = f.f;
    a->gx[i] = f.a; /* gx, gy and g_sample lie one after the other, as the point does */
    if (i < k->n_x) {
      a->jv[d][i] = f.ab;
    } else if (i < k->n_x + k->n_y) {
      a->hv[d][i - k->n_x] = f.ab;
    } else {
      a->j_sample[d][i - k->n_x - k->n_y] = f.ab;
    }
  }
}

static void combine(blo_int n, const double *by, double *const *of, double *to)
{
  for (blo_int i = 0; i < n; i++) {
    to[i] = by[0] * of[0][i] + by[1] * of[1][i];
  }
}

static void refer(check *k)
{
  point p;

  make_point(k, &p);
  clear(k, &k->want);
  for (int d = 0; d < 2; d++) {
    refer_direction(k, &p, d);
  }
  for (int d = 2; d < N_V; d++) {
    combine(k->n_y, mix[d], k->want.hv, k->want.hv[d]);
    combine(k->n_x, mix[d], k->want.jv, k->want.jv[d]);
    combine(k->n_rows, mix[d], k->want.j_sample, k->want.j_sample[d]);
  }
  free(p.memory);
}

/* -------------------------------------------------------------- comparison */

static double largest(blo_int n, const double *a)
{
  double most = 0;

  for (blo_int i = 0; i < n; i++) {
    most = fmax(most, fabs(a[i]));
  }
  return most;
}

/** Note the error of one vector: against its largest entry or, if it is zero but for rounding,
 * against a small part of the value and the gradient. */
static void compare(check *k, const char *name, blo_int n, const double *got, const double *want,
                    double factor)
{
  blo_int n_first = 1 + k->n_x + k->n_y + k->n_rows;
  double floor = 1e-3 * fmax(1, largest(n_first, k->want.memory));
  double scale = fabs(factor) > 0 ? fabs(factor) : 1; /* 0: nothing may be there */
  double allowed = k->tol * scale * fmax(floor, largest(n, want));

  for (blo_int i = 0; i < n; i++) {
    double error = fabs(got[i] - factor * want[i]) / allowed;
    if (!(error <= k->worst)) {
      k->worst = isfinite(error) ? error : HUGE_VAL;
      k->worst_of = name;
    }
  }
}

/** Compare what was wanted with factor * the reference; what was not wanted must be 0. */
static void compare_all(check *k, unsigned wanted, blo_int n_v, double factor)
{
  const answer *got = &k->got, *want = &k->want;

  compare(k, "value", 1, got->value, want->value, wanted & VALUE ? factor : 0);
  compare(k, "gradient in x", k->n_x, got->gx, want->gx, wanted & GX ? factor : 0);
  compare(k, "gradient in y", k->n_y, got->gy, want->gy, wanted & GY ? factor : 0);
  compare(k, "gradient in sample values", k->n_rows, got->g_sample, want->g_sample,
          wanted & G_SAMPLE ? factor : 0);
  for (blo_int d = 0; d < n_v; d++) {
    compare(k, "H v", k->n_y, got->hv[d], want->hv[d], wanted & HV ? factor : 0);
    compare(k, "J v", k->n_x, got->jv[d], want->jv[d], wanted & JV ? factor : 0);
    compare(k, "J v in sample values", k->n_rows, got->j_sample[d], want->j_sample[d],
            wanted & J_SAMPLE ? factor : 0);
  }
}

/** Report the worst error since the last report. */
static void report(check *k, const char *what)
{
  BLO_EXPECT_MSG(k->worst <= 1, "%s: %s, %s: %s: error %.3g of what is allowed",
                 k->c->name != NULL ? k->c->name : "", k->terms ? "terms" : "samples", what,
                 k->worst_of, k->worst);
  k->worst = 0;
  k->worst_of = "";
}

/* -------------------------------------------------------------------- calls */

/** The usual call: all rows, all results, nothing kept. */
static way plain(const check *k)
{
  return (way){.n = k->n_rows, .n_v = N_V, .wanted = ALL, .scale = 1, .x = k->x, .y = k->y};
}

static blo_graph_rows some_rows(const check *k, const way *w)
{
  blo_graph_rows r = k->c->rows;

  r.n = w->n;
  r.row += w->first;
  r.label = r.label != NULL ? r.label + w->first : NULL;
  r.sample_value = r.sample_value != NULL ? r.sample_value + w->first : NULL;
  return r;
}

/** Make the call; it adds to `got`. */
static void ask(check *k, const way *w)
{
  answer *a = &k->got;
  double *j_sample[N_V];
  bool sample = !k->terms && k->c->rows.sample_value != NULL;
  blo_graph_call call = {.x = w->x,
                         .y = w->y,
                         .n_v = w->n_v,
                         .v = (const double *const *)k->v,
                         .scale = w->scale,
                         .linearized = w->linearized,
                         .same_x = w->same_x,
                         .cache = w->cached ? k->cache : NULL,
                         .value = w->wanted & VALUE ? a->value : NULL,
                         .gx = w->wanted & GX ? a->gx : NULL,
                         .gy = w->wanted & GY ? a->gy : NULL,
                         .hv = w->wanted & HV ? a->hv : NULL,
                         .jv = w->wanted & JV ? a->jv : NULL};

  for (int d = 0; d < N_V; d++) {
    j_sample[d] = a->j_sample[d] + w->first;
  }
  if (sample) {
    call.g_sample_value = w->wanted & G_SAMPLE ? a->g_sample + w->first : NULL;
    call.j_sample = w->wanted & J_SAMPLE ? j_sample : NULL;
  }
  if (k->terms) {
    blo_graph_terms(k->c->graph, &call);
  } else {
    call.rows = some_rows(k, w);
    blo_graph_samples(k->c->graph, &call);
  }
}

static void ask_and_compare(check *k, const way *w)
{
  clear(k, &k->got);
  ask(k, w);
  compare_all(k, w->wanted, w->n_v, w->scale);
}

/* ------------------------------------------------------------------- checks */

static void check_directions(check *k)
{
  for (blo_int n_v = 0; n_v <= N_V; n_v++) {
    way w = plain(k);
    w.n_v = n_v;
    ask_and_compare(k, &w);
  }
  report(k, "0, 1, 2, ... directions");
}

/** Each selection of results gives these results and leaves the others alone. */
static void check_selections(check *k)
{
  for (blo_int n_v = 1; n_v <= 3; n_v += 2) {
    for (unsigned wanted = 0; wanted <= ALL; wanted++) {
      way w = plain(k);
      w.n_v = n_v;
      w.wanted = wanted;
      ask_and_compare(k, &w);
    }
  }
  report(k, "some of the results");
}

static void check_adding(check *k)
{
  way w = plain(k);

  w.scale = -0.3;
  ask_and_compare(k, &w);
  ask(k, &w);
  w.n_v = 1;
  ask(k, &w);
  compare_all(k, ALL & ~(unsigned)(HV | JV | J_SAMPLE), 0, -0.9);
  compare(k, "H v", k->n_y, k->got.hv[0], k->want.hv[0], -0.9);
  compare(k, "J v", k->n_x, k->got.jv[0], k->want.jv[0], -0.9);
  report(k, "scale, and calls that add up");
}

static void check_symmetry(check *k)
{
  way w = plain(k);
  double uhv = 0, vhu = 0, size = 0;

  clear(k, &k->got);
  ask(k, &w);
  for (blo_int i = 0; i < k->n_y; i++) {
    uhv += k->v[0][i] * k->got.hv[1][i];
    vhu += k->v[1][i] * k->got.hv[0][i];
    size += fabs(k->v[0][i] * k->got.hv[1][i]) + fabs(k->v[1][i] * k->got.hv[0][i]);
  }
  BLO_EXPECT_MSG(fabs(uhv - vhu) <= k->tol * fmax(size, 1e-3), "u.Hv = %.17g, v.Hu = %.17g", uhv,
                 vhu);
}

/** Fill the cache, asking for some results at the same time. */
static void linearise(check *k, unsigned wanted, double scale, const double *y, bool same_x)
{
  way w = plain(k);

  w.cached = true;
  w.wanted = wanted;
  w.scale = scale;
  w.n_v = wanted & (HV | JV | J_SAMPLE) ? 1 : 0;
  w.y = y;
  w.same_x = same_x;
  ask_and_compare(k, &w);
}

/** Calls at another point, with nothing kept: workspace that is shared changes, caches do not. */
static void distract(check *k)
{
  way w = plain(k);

  w.x = k->other_x;
  w.y = k->other_y;
  ask(k, &w);
  k->terms = k->c->term != NULL;
  ask(k, &w);
  k->terms = false;
}

/** Calls at the linearised point, for each selection of results or for every `step`-th; products
 * alone come first, because gradients leave adjoints that products use. */
static void products(check *k, double scale, const double *y, unsigned step)
{
  distract(k);
  for (unsigned i = 0; i <= ALL; i += step) {
    way w = plain(k);
    w.cached = w.linearized = true;
    w.wanted = (i + HV + JV + J_SAMPLE) & ALL;
    w.scale = scale;
    w.n_v = i % 3 == 0 ? 1 : N_V;
    w.y = y;
    ask_and_compare(k, &w);
  }
}

static void check_linearised(check *k)
{
  static const unsigned with[] = {0, VALUE, GX, GY, VALUE | GX | GY | G_SAMPLE, ALL, HV, JV};

  for (size_t i = 0; i < sizeof with / sizeof *with; i++) {
    linearise(k, with[i], 0.7, k->y, false);
    products(k, 0.7, k->y, i == 0 ? 1 : 11);
  }
  report(k, "linearised");
}

/** After a linearisation elsewhere in y, same_x gives everything at y. */
static void check_same_x(check *k)
{
  static const unsigned with[] = {0, VALUE | GY, ALL};

  for (size_t i = 0; i < sizeof with / sizeof *with; i++) {
    way there = plain(k);
    there.cached = true;
    there.wanted = with[2 - i];
    there.y = k->other_y;
    clear(k, &k->got);
    ask(k, &there);
    linearise(k, with[i], 1, k->y, true);
    products(k, 1, k->y, 11);
  }
  report(k, "same x");
}

static void check_parts(check *k)
{
  for (blo_int n = 1; n<k->n_rows; n += k->n_rows> 3 ? 2 : 1) {
    way w = plain(k);
    clear(k, &k->got);
    w.n = n;
    ask(k, &w);
    w.first = n;
    w.n = k->n_rows - n;
    ask(k, &w);
    compare_all(k, ALL, N_V, 1);
  }
  report(k, "parts of the rows");
}

static void check_losses(check *k)
{
  double *loss = numbers(k->n_rows);
  blo_graph_call call = {.rows = k->c->rows, .x = k->x, .y = k->y};
  point p;

  make_point(k, &p);
  blo_graph_output(k->c->graph, &call, NULL, loss);
  for (blo_int i = 0; i < k->n_rows; i++) {
    double want = k->c->loss(k->c, i, p.x, p.y, p.s[i]).f;
    compare(k, "loss", 1, &loss[i], &want, 1);
  }
  report(k, "losses of the rows");
  free(loss);
  free(p.memory);
}

static void check_all(check *k)
{
  check_directions(k);
  check_selections(k);
  check_adding(k);
  check_symmetry(k);
  if (!k->terms) {
    check_linearised(k);
    check_same_x(k);
    check_parts(k);
    check_losses(k);
  }
}

/* -------------------------------------------------------------------- whole */

static void draw(blo_int n, uint64_t seed, uint64_t vector, double size, double *to)
{
  blo_stream stream = {seed, BLO_PURPOSE_TEST};

  for (blo_int i = 0; i < n; i++) {
    to[i] = size * blo_stream_normal(stream, vector, 0, (uint64_t)i);
  }
}

static double *elsewhere(blo_int n, const double *from)
{
  double *made = numbers(n);

  for (blo_int i = 0; i < n; i++) {
    made[i] = 0.5 * from[i] - 0.1;
  }
  return made;
}

static void check_part(const model_case *c, bool terms, const double *x, const double *y,
                       double tol)
{
  check k = {.c = c,
             .terms = terms,
             .n_x = blo_params_size(c->params, BLO_IN_X),
             .n_y = blo_params_size(c->params, BLO_IN_Y),
             .n_rows = terms ? 0 : c->rows.n,
             .x = x,
             .y = y,
             .tol = tol,
             .worst_of = ""};

  k.n_answer = 1 + k.n_x + k.n_y + k.n_rows + N_V * (k.n_x + k.n_y + k.n_rows);
  k.cache = numbers(k.n_rows * blo_graph_cache_size(c->graph));
  k.other_x = elsewhere(k.n_x, x);
  k.other_y = elsewhere(k.n_y, y);
  make_answer(&k, &k.want);
  make_answer(&k, &k.got);
  for (uint64_t d = 0; d < N_V; d++) {
    k.v[d] = numbers(k.n_y);
    draw(d < 2 ? k.n_y : 0, 11, d, 1, k.v[d]);
    if (d >= 2) {
      combine(k.n_y, mix[d], k.v, k.v[d]);
    }
  }
  refer(&k);
  check_all(&k);
  for (int d = 0; d < N_V; d++) {
    free(k.v[d]);
  }
  free(k.other_x);
  free(k.other_y);
  free(k.cache);
  free(k.want.memory);
  free(k.got.memory);
}

void model_check(const model_case *c, const double *x, const double *y, double tol)
{
  check_part(c, false, x, y, tol);
  if (c->term != NULL) {
    check_part(c, true, x, y, tol);
  }
}

void model_check_random(const model_case *c, double size, uint64_t seed, double tol)
{
  blo_int n_x = blo_params_size(c->params, BLO_IN_X), n_y = blo_params_size(c->params, BLO_IN_Y);
  double *x = numbers(n_x), *y = numbers(n_y);

  draw(n_x, seed, 0, size, x);
  draw(n_y, seed, 1, size, y);
  model_check(c, x, y, tol);
  free(x);
  free(y);
}

/* MGBiO, MSGBiO and VR-MSGBiO against their pseudo-code (docs/methods/mgbio.md): plain loops over
 * small arrays, whose oracles are direct sums over the samples of the batches that the sampler
 * names, and whose eigenvalues are LAPACK's. Iterates and every number of the report agree after
 * each of several iterations. Measured: differences below 3e-15 max(1, size). */
#include "plain.h"
#include "ride.h"
#include "track_reference.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NX = QUADRATIC_N_X, NY = QUADRATIC_N_Y };
enum { SEED = 31, ITERATIONS = 6 };

static const double TOL = 1e-12;

/* Settings of a method: they make the run file and steer the loops. */
typedef struct plan {
  const char *method;
  blo_track_rule rule;
  int lower_batch, upper_batch, first, warm_up;
  double lambda, gamma, radius; /* of the ball that x is kept in */
  double k, m, eta_power;
  double c_v, c_u, c_G, c_H, rate_power;
  blo_tracker_options tracker;
  double gradient_bound;
} plan;

/* With bounds that never act, and with bounds that all do. */
#define WIDE  {1e-3, 50, 1e10, BLO_CLIP_EIG}, 1e10
#define TIGHT {1.6, 2.1, 0.9, BLO_CLIP_EIG}, 0.7

static const plan plans[] = {
    {"mgbio", BLO_TRACK_FRESH, 0, 0, 1, 0, 0.3, 0.2, 99, 0.7, 0, 0, 1, 1, 1, 1, 1, WIDE},
    {"mgbio", BLO_TRACK_FRESH, 20, 15, 1, 3, 0.3, 0.4, .3, 1, 0, 0, 1, 1, 1, 1, 1, TIGHT},
    {"msgbio", BLO_TRACK_MOMENTUM, 20, 15, 1, 0, .3, .4, 99, 1.2, 5, .5, .5, .7, .9, 1.1, 1, WIDE},
    {"msgbio", BLO_TRACK_MOMENTUM, 9, 8, 4, 2, .3, .4, .12, 1.2, 5, .5, .5, .7, .9, 1.1, 1, TIGHT},
    {"vr_msgbio", BLO_TRACK_STORM, 20, 15, 1, 0, .3, .4, 99, 1.2, 5, 1. / 3, 1, .7, .5, 1.1, 2,
     WIDE},
    {"vr_msgbio", BLO_TRACK_STORM, 9, 8, 4, 2, .3, .4, .12, 1.2, 5, 1. / 3, 1, .7, .5, 3, 2, TIGHT},
};
enum { N_PLANS = sizeof plans / sizeof *plans };

static void to_text(const plan *p, char *text, size_t cap)
{
  size_t n;
  snprintf(text, cap,
           "lower: {batch: %d, step: %.17g, warm_up: %d}\n"
           "upper: {batch: %d, step: %.17g, set: {type: ball, radius: %.17g}}\n"
           "tracker: {mu: %.17g, L: %.17g, cross_bound: %.17g, gradient_bound: %.17g}\n"
           "dense: {block: 2}\n",
           p->lower_batch, p->lambda, p->warm_up, p->upper_batch, p->gamma, p->radius,
           p->tracker.mu, p->tracker.L, p->tracker.cross_bound, p->gradient_bound);
  n = strlen(text);
  if (p->rule == BLO_TRACK_FRESH) {
    snprintf(text + n, cap - n, "eta: %.17g\n", p->k);
  } else {
    snprintf(text + n, cap - n,
             "eta: {k: %.17g, m: %.17g}\n"
             "momentum: {c_v: %.17g, c_u: %.17g, c_G: %.17g, c_H: %.17g, first: %d}\n",
             p->k, p->m, p->c_v, p->c_u, p->c_G, p->c_H, p->first);
  }
}

/* ------------------------------------------------------- the plain loops */

/* Everything at a point, on a batch of each level. */
typedef struct seen {
  double f, g, u[NX], h[NY], v[NY], G[NY * NX], H[NY * NY];
} seen;

/* A run of the pseudo-code: its batches, its iterates, and the report of the last iteration. */
typedef struct reference {
  const plan *p;
  plain_draws draws, first; /* of all iterations but the first */
  track_reference matrices; /* H and J, column after column */
  double x[NX], y[NY], x_old[NX], y_old[NY], u[NX], h[NY], v[NY];
  int acted[3]; /* times the bounds of h and J and the set did */
  blo_report report;
} reference;

static void open_reference(blo_comm *comm, const fixture *f, const plan *p, const blo_solver *s,
                           reference *r)
{
  *r = (reference){.p = p};
  memcpy(r->x, s->x->data, sizeof r->x);
  memcpy(r->y, s->y->data, sizeof r->y);
  plain_draws_open(comm, SEED, p->lower_batch, 0, p->upper_batch, &r->draws);
  plain_draws_open(comm, SEED, p->first * p->lower_batch, 0, p->first * p->upper_batch, &r->first);
  track_reference_open(f, &r->matrices);
}

static void close_reference(reference *r)
{
  plain_draws_close(&r->draws);
  plain_draws_close(&r->first);
  track_reference_close(&r->matrices);
}

static void lower_at(const plain_draws *d, int draw, const double *x, const double *y, seen *o)
{
  for (int j = 0; j < NY; j++) {
    double e[NY] = {0};
    e[j] = 1;
    quadratic_oracles q = plain_lower(d, d->lower, draw, x, y, e);
    memcpy(o->H + j * NY, q.hv, sizeof q.hv);
    memcpy(o->G + j * NX, q.jv, sizeof q.jv);
    memcpy(o->v, q.gy, sizeof o->v);
    o->g = q.value;
  }
}

static void upper_at(const plain_draws *d, int draw, const double *x, const double *y, seen *o)
{
  quadratic_oracles q = plain_upper(d, draw, x, y);
  memcpy(o->u, q.gx, sizeof o->u);
  memcpy(o->h, q.gy, sizeof o->h);
  o->f = q.value;
}

/* The batches of iteration t = 1, 2, ... */
static void ask(const reference *r, int t, const double *x, const double *y, seen *o)
{
  int draw = r->p->warm_up + t - 1;
  const plain_draws *d = t == 1 ? &r->first : &r->draws;
  lower_at(d, draw, x, y, o);
  upper_at(d, draw, x, y, o);
}

static double eta(const plan *p, int t)
{
  return p->k * pow(p->m + t, -p->eta_power);
}

static void combine(const plan *p, int t, double c, int n, const double *now, const double *old,
                    double *e)
{
  double a =
      t == 1 || p->rule == BLO_TRACK_FRESH ? 1 : fmin(1, c * pow(eta(p, t - 1), p->rate_power));
  for (int i = 0; i < n; i++) {
    e[i] = p->rule == BLO_TRACK_STORM ? now[i] + (1 - a) * (e[i] - old[i])
                                      : a * now[i] + (1 - a) * e[i];
  }
}

static bool shorten(double most, int n, double *z)
{
  double size = plain_norm(n, z);
  for (int i = 0; i < n && size > most; i++) {
    z[i] *= most / size;
  }
  return size > most;
}

static void estimate(reference *r, int t)
{
  const plan *p = r->p;
  seen now, old = {0};
  ask(r, t, r->x, r->y, &now);
  if (p->rule == BLO_TRACK_STORM && t > 1) {
    ask(r, t, r->x_old, r->y_old, &old);
  }
  combine(p, t, p->c_u, NX, now.u, old.u, r->u);
  combine(p, t, p->c_u, NY, now.h, old.h, r->h);
  combine(p, t, p->c_v, NY, now.v, old.v, r->v);
  combine(p, t, p->c_G, NX * NY, now.G, old.G, r->matrices.J);
  combine(p, t, p->c_H, NY * NY, now.H, old.H, r->matrices.H);
  r->acted[0] += shorten(p->gradient_bound, NY, r->h);
  r->acted[1] += plain_norm(NX * NY, r->matrices.J) > p->tracker.cross_bound;
  track_reference_project(&r->matrices, &p->tracker);
  r->report.f = now.f;
  r->report.g = now.g;
}

/* w = u - G H^-1 h, by the eigenvectors of H. */
static void direction(reference *r, double *w)
{
  const blo_tracker_options *o = &r->p->tracker;
  const track_reference *m = &r->matrices;
  double z[NY] = {0}, Gz[NX];
  bool inside = true;
  for (int k = 0; k < NY; k++) {
    const double *e = m->vectors + k * NY;
    double part = 0, l = m->eigen[k], clipped = fmin(fmax(l, o->mu), o->L);
    inside = inside && clipped == l;
    for (int j = 0; j < NY; j++) {
      part += e[j] * r->h[j];
    }
    for (int j = 0; j < NY; j++) {
      z[j] += part / clipped * e[j];
    }
  }
  track_multiply(false, NX, NY, m->J, z, Gz);
  for (int i = 0; i < NX; i++) {
    w[i] = r->u[i] - Gz[i];
  }
  r->report.curvature = inside ? (double)NAN : m->eigen[0];
}

static void move(reference *r, double share, const double *w)
{
  double x_tilde[NX];
  memcpy(r->x_old, r->x, sizeof r->x);
  memcpy(r->y_old, r->y, sizeof r->y);
  for (int i = 0; i < NX; i++) {
    x_tilde[i] = r->x[i] - r->p->gamma * w[i];
  }
  r->acted[2] += shorten(r->p->radius, NX, x_tilde);
  for (int i = 0; i < NX; i++) {
    r->x[i] += share * (x_tilde[i] - r->x[i]);
  }
  for (int j = 0; j < NY; j++) {
    r->y[j] -= share * r->p->lambda * r->v[j];
  }
}

static void warm_up(reference *r)
{
  seen o;
  for (int i = 0; i < r->p->warm_up; i++) {
    lower_at(&r->draws, i, r->x, r->y, &o);
    for (int j = 0; j < NY; j++) {
      r->y[j] -= r->p->lambda * o.v[j];
    }
  }
}

static void iterate(reference *r, int t)
{
  const plan *p = r->p;
  double w[NX];
  r->report = blo_report_none();
  r->report.verdict = BLO_VERDICT_CONVERGED;
  if (t == 1) {
    warm_up(r);
  }
  estimate(r, t);
  direction(r, w);
  move(r, eta(p, t), w);
  r->report.hypergrad_norm = plain_norm(NX, w);
  r->report.lower_residual = plain_norm(NY, r->v);
  r->report.adjoint_rhs = plain_norm(NY, r->h);
  r->report.adjoint_residual = r->report.adjoint_relative = 0;
  r->report.lower_steps = 1 + (t == 1 ? p->warm_up : 0);
  r->report.step_x = eta(p, t) * p->gamma;
  r->report.step_y = eta(p, t) * p->lambda;
}

/* ----------------------------------------------------------- comparisons */

/* P x Q with P = floor(sqrt(R)), Q = floor(R / P) (dense.h). */
static int grid_ranks(int size)
{
  return size < 4 ? size : 4;
}

static void follow(blo_comm *comm, int number)
{
  const plan *p = &plans[number];
  char text[1024];
  blo_report got;
  fixture f;
  reference r;
  to_text(p, text, sizeof text);
  fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &f);
  blo_solver *s = ride_make(&f, p->method, text, SEED);
  open_reference(comm, &f, p, s, &r);
  s->want_norms = true;
  for (int t = 1; t <= ITERATIONS; t++) {
    const plain_spot at = {p->method, number, t, TOL};
    BLO_REQUIRE_STATUS(blo_solver_step(s, &got), BLO_OK);
    iterate(&r, t);
    r.report.grid_ranks = grid_ranks(blo_comm_size(comm));
    plain_expect_step(&at, s, &got, &r.report, r.x, r.y);
    BLO_EXPECT_MSG(plain_norm(NX, r.x) < 10 && plain_norm(NX, r.u) > 1e-3, "nothing is compared");
  }
  for (int i = 0; i < 3; i++) {
    BLO_EXPECT_MSG((r.acted[i] > 1) == (p->tracker.L < 10), "%s: bound %d acted %d times",
                   p->method, i, r.acted[i]);
  }
  close_reference(&r);
  blo_solver_destroy(&s);
  fixture_free(comm, &f);
}

static void methods_do_what_their_page_says(blo_comm *comm)
{
  for (int i = 0; i < N_PLANS; i++) {
    follow(comm, i);
  }
}

static const blo_test tests[] = {
    {"methods do what their page says", methods_do_what_their_page_says},
};
BLO_TEST_MAIN("mgbio_steps", tests)

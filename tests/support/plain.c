/* Methods in plain loops: what they share; see plain.h. */
#include "plain.h"
#include <math.h>
#include <string.h>

enum { NX = QUADRATIC_N_X, NY = QUADRATIC_N_Y, N = QUADRATIC_N, M = QUADRATIC_M, SHARDS = 16 };

/* ---------------------------------------------------------------- small arrays */

double plain_dot(int n, const double *a, const double *b)
{
  double sum = 0;
  for (int i = 0; i < n; i++) {
    sum += a[i] * b[i];
  }
  return sum;
}

double plain_norm(int n, const double *a)
{
  return sqrt(plain_dot(n, a, a));
}

double plain_distance(int n, const double *a, const double *b)
{
  double sum = 0;
  for (int i = 0; i < n; i++) {
    sum += (a[i] - b[i]) * (a[i] - b[i]);
  }
  return sqrt(sum);
}

void plain_add(int n, const double *a, double w, const double *b, double *to)
{
  for (int i = 0; i < n; i++) {
    to[i] = a[i] + w * b[i];
  }
}

double plain_schedule(double c, double e, int k)
{
  return c * pow(k + 1, -e);
}

void plain_adam(int n, int k, double rate, const double *d, double *m, double *v, double *z)
{
  for (int i = 0; i < n; i++) {
    m[i] = 0.9 * m[i] + 0.1 * d[i];
    v[i] = 0.999 * v[i] + 0.001 * d[i] * d[i];
    z[i] -= rate * (m[i] / (1 - pow(0.9, k + 1))) / (sqrt(v[i] / (1 - pow(0.999, k + 1))) + 1e-8);
  }
}

/* --------------------------------------------------------------------- oracles */

void plain_draws_open(blo_comm *comm, uint64_t seed, int lower, int adjoint, int upper,
                      plain_draws *d)
{
  *d = (plain_draws){.comm = comm};
  const struct {
    blo_purpose purpose;
    int n, batch;
    blo_sampler **to;
  } all[] = {{BLO_PURPOSE_LOWER, N, lower, &d->lower},
             {BLO_PURPOSE_ADJOINT, N, adjoint, &d->hessian},
             {BLO_PURPOSE_CROSS, N, adjoint, &d->cross},
             {BLO_PURPOSE_UPPER, M, upper, &d->upper}};
  for (int i = 0; i < 4; i++) {
    BLO_REQUIRE_STATUS(
        blo_sampler_create(comm, seed, all[i].purpose, all[i].n, SHARDS, all[i].batch, all[i].to),
        BLO_OK);
  }
}

void plain_draws_close(plain_draws *d)
{
  blo_sampler_destroy(&d->lower);
  blo_sampler_destroy(&d->hessian);
  blo_sampler_destroy(&d->cross);
  blo_sampler_destroy(&d->upper);
}

quadratic_oracles plain_lower(const plain_draws *d, blo_sampler *from, int draw, const double *x,
                              const double *y, const double *v)
{
  int count[N];
  fixture_batch_counts(d->comm, blo_sampler_draw(from, (uint64_t)draw), N, SHARDS, count);
  return quadratic_mean(BLO_LOWER, count, x, y, v);
}

quadratic_oracles plain_upper(const plain_draws *d, int draw, const double *x, const double *y)
{
  int count[M];
  fixture_batch_counts(d->comm, blo_sampler_draw(d->upper, (uint64_t)draw), M, SHARDS, count);
  return quadratic_mean(BLO_UPPER, count, x, y, NULL);
}

/* ------------------------------------------------------------- adjoint systems */

double plain_cg(const plain_draws *d, int draw, int iterations, const double *x, const double *y,
                double *v, double *w)
{
  double p[NY], ww = plain_dot(NY, w, w), least = (double)INFINITY;
  memcpy(p, w, sizeof p);
  for (int i = 0; i < iterations; i++) {
    quadratic_oracles g = plain_lower(d, d->hessian, draw, x, y, p);
    double curved = plain_dot(NY, p, g.hv), alpha = ww / curved, old = ww;
    least = fmin(least, curved / plain_dot(NY, p, p));
    plain_add(NY, v, alpha, p, v);
    plain_add(NY, w, -alpha, g.hv, w);
    ww = plain_dot(NY, w, w);
    plain_add(NY, w, ww / old, p, p);
  }
  return least;
}

void plain_neumann(const plain_draws *d, int draw, int products, double eta, const double *x,
                   const double *y, double *v, double *w)
{
  plain_add(NY, v, eta, w, v);
  for (int i = 0; i < products; i++) {
    quadratic_oracles g = plain_lower(d, d->hessian, draw + i, x, y, w);
    plain_add(NY, w, -eta, g.hv, w);
    plain_add(NY, v, eta, w, v);
  }
}

void plain_hypergradient(const quadratic_oracles *f, const quadratic_oracles *g, double *hx)
{
  plain_add(NX, f->gx, -1, g->jv, hx);
}

void plain_certify(const quadratic_oracles *f, const quadratic_oracles *g, blo_report *r)
{
  r->f = f->value;
  r->g = g->value;
  r->lower_residual = plain_norm(NY, g->gy);
  r->adjoint_residual = plain_distance(NY, g->hv, f->gy);
  r->adjoint_rhs = plain_norm(NY, f->gy);
  r->adjoint_relative = r->adjoint_residual / r->adjoint_rhs;
}

/* ----------------------------------------------------------------- comparisons */

static void expect_number(const plain_spot *at, const char *name, double got, double want)
{
  bool same = isnan(want) ? isnan(got) : fabs(got - want) <= at->tol * fmax(1, fabs(want));
  BLO_EXPECT_MSG(same, "%s, plan %d, iteration %d: %s is %.17g, by the pseudo-code %.17g",
                 at->method, at->plan, at->k, name, got, want);
}

void plain_expect_vector(const plain_spot *at, const char *name, int n, const double *got,
                         const double *want)
{
  double far = plain_distance(n, got, want);
  BLO_EXPECT_MSG(far <= at->tol, "%s, plan %d, iteration %d: %s is %.3g from the pseudo-code's",
                 at->method, at->plan, at->k, name, far);
}

void plain_expect_report(const plain_spot *at, const blo_report *got, const blo_report *want)
{
#define EXPECT_FIELD(name, unit, help) expect_number(at, #name, got->name, want->name);
  BLO_REPORT_LIST(EXPECT_FIELD)
#undef EXPECT_FIELD
  BLO_EXPECT_MSG(got->verdict == want->verdict && got->converged == want->converged &&
                     got->second_order == want->second_order,
                 "%s, plan %d, iteration %d: %s, converged %d, %s", at->method, at->plan, at->k,
                 blo_verdict_text(got->verdict), got->converged,
                 blo_second_order_text(got->second_order));
}

void plain_expect_step(const plain_spot *at, const blo_solver *s, const blo_report *got,
                       const blo_report *want, const double *x, const double *y)
{
  int n_x = (int)blo_space_n(s->x->space), n_y = (int)blo_space_n(s->y->space);
  plain_expect_report(at, got, want);
  plain_expect_vector(at, "x", n_x, s->x->data, x);
  plain_expect_vector(at, "y", n_y, s->y->data, y);
  BLO_EXPECT_MSG(plain_norm(n_x, x) < 100 && plain_norm(n_y, y) < 100 &&
                     !(want->hypergrad_norm <= 1e-3),
                 "%s, plan %d: the run has blown up, or has nothing to say", at->method, at->plan);
}

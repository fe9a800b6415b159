/* Perturbed descent in plain loops; see perturbed.h. */
#include "perturbed.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double TOL = 1e-12;

perturbed perturbed_start(const perturbed_plan *plan, const blo_solver *s,
                          void (*estimate)(perturbed *p, perturbed_work work, blo_report *r))
{
  perturbed p = {.plan = *plan,
                 .n = (int)blo_space_n(s->x->space),
                 .seed = s->seed,
                 .k_p = -1,
                 .estimate = estimate};
  memcpy(p.x, s->x->data, (size_t)p.n * sizeof *p.x);
  memcpy(p.y, s->y->data, (size_t)blo_space_n(s->y->space) * sizeof *p.y);
  return p;
}

/* The direction of the vector that perturbs in iteration k, in some length: number by number from
 * the streams. */
static void draw(const perturbed *p, int k, double length, double *xi)
{
  const blo_stream st = {p->seed, BLO_PURPOSE_DIRECTION};
  double size;
  for (int i = 0; i < p->n; i++) {
    xi[i] = blo_stream_normal(st, (uint64_t)k, 0, (uint64_t)i);
  }
  size = plain_norm(p->n, xi);
  for (int i = 0; i < p->n; i++) {
    xi[i] *= length / size;
  }
}

static double radius_of(const perturbed *p, int k)
{
  const blo_stream st = {p->seed, BLO_PURPOSE_DIRECTION};
  return p->plan.radius * pow(blo_stream_uniform(st, (uint64_t)k, 1, 0), 1.0 / p->n);
}

/* At the distance S from x_s y and v come along in the iterations in which the perturbation grows
 * by e, if it grows from eta r / sqrt n to S in the wait. */
static bool all_follow(perturbed *p, blo_report *r)
{
  const perturbed_plan *e = &p->plan;
  int iterations = (int)ceil(e->wait / log(e->length * sqrt((double)p->n) / (e->eta * e->radius)));
  double way[PERTURBED_MAX], y[PERTURBED_MAX], before;
  memcpy(y, p->y, sizeof y);
  draw(p, p->k_p, e->length, way);
  plain_add(p->n, p->x_s, -1, way, p->x);
  p->estimate(p, PERTURBED_LOOK, r);
  before = r->lower_residual;
  for (int i = 0; i < iterations; i++) {
    p->estimate(p, PERTURBED_ITERATION, r);
  }
  memcpy(p->y, y, sizeof y);
  return r->lower_residual <= before / 10 &&
         (isnan(r->adjoint_relative) || r->adjoint_relative <= 0.1);
}

/* The better f; x_s again, and the estimate there twice. */
static void stop(perturbed *p, blo_report *r)
{
  double first[PERTURBED_MAX], f_end;
  p->estimate(p, PERTURBED_CHECK, r);
  f_end = r->f;
  bool follow = all_follow(p, r);
  memcpy(p->x, p->x_s, sizeof p->x);
  p->estimate(p, PERTURBED_CHECK, r);
  memcpy(first, p->hx, sizeof first);
  p->estimate(p, PERTURBED_AGAIN, r);
  p->error = plain_distance(p->n, p->h_s, p->hx) + plain_distance(p->n, first, p->hx);
  r->hypergrad_norm = plain_norm(p->n, p->hx);
  r->converged = true;
  r->second_order = p->error <= p->plan.epsilon / 5 && r->hypergrad_norm <= p->plan.epsilon &&
                            fabs(p->f_s - r->f) <= p->plan.decrease &&
                            fabs(r->f - f_end) < p->plan.decrease && follow
                        ? BLO_SECOND_ORDER_MINIMUM
                        : BLO_SECOND_ORDER_UNDECIDED;
}

/* Stop, perturb or descend in iteration k; complete the report. */
static void move(perturbed *p, int k, blo_report *r)
{
  double xi[PERTURBED_MAX];
  r->hypergrad_norm = plain_norm(p->n, p->hx);
  r->step_x = p->plan.eta;
  r->second_order = BLO_SECOND_ORDER_UNDECIDED;
  if (p->k_p >= 0 && k - p->k_p == p->plan.wait && p->f_s - r->f < p->plan.decrease) {
    stop(p, r);
  } else if (r->hypergrad_norm <= 0.8 * p->plan.epsilon &&
             (p->k_p < 0 || k - p->k_p > p->plan.wait)) {
    memcpy(p->x_s, p->x, sizeof p->x);
    memcpy(p->h_s, p->hx, sizeof p->hx);
    p->f_s = r->f;
    p->k_p = k;
    p->count++;
    draw(p, k, radius_of(p, k), xi);
    for (int i = 0; i < p->n; i++) {
      p->x[i] -= p->plan.eta * xi[i];
    }
  } else {
    for (int i = 0; i < p->n; i++) {
      p->x[i] -= p->plan.eta * p->hx[i];
    }
  }
  r->perturbations = p->count;
}

static double told(const char *evidence, const char *of)
{
  const char *at = strstr(evidence, of);
  return at == NULL ? (double)NAN : strtod(at + strlen(of), NULL);
}

int perturbed_follow(int number, blo_solver *s, int iterations, perturbed *p)
{
  int seen = 0;
  s->want_norms = true;
  for (int k = 0; k < iterations; k++) {
    const plain_spot at = {s->type->name, number, k, TOL};
    blo_report got, want = blo_report_none();
    BLO_REQUIRE_STATUS(blo_solver_step(s, &got), BLO_OK);
    p->estimate(p, PERTURBED_ITERATION, &want);
    move(p, k, &want);
    plain_expect_report(&at, &got, &want);
    plain_expect_vector(&at, "x", p->n, s->x->data, p->x);
    plain_expect_vector(&at, "y", (int)blo_space_n(s->y->space), s->y->data, p->y);
    BLO_EXPECT_MSG(!want.converged ||
                       fabs(told(s->evidence, ", error ") - p->error) <= 0.06 * p->error,
                   "plan %d, iteration %d: the error is %g; %s", number, k, p->error, s->evidence);
    seen |= p->count > 0 ? PERTURBED_MOVED : 0;
    if (got.converged) {
      seen |= got.second_order == BLO_SECOND_ORDER_MINIMUM ? PERTURBED_SURE : PERTURBED_UNSURE;
    }
  }
  return seen;
}

/* Perturbed descent in plain loops; see perturbed.h. */
#include "perturbed.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double TOL = 1e-12;

double perturbed_norm(int n, const double *a)
{
  double sum = 0;
  for (int i = 0; i < n; i++) {
    sum += a[i] * a[i];
  }
  return sqrt(sum);
}

double perturbed_distance(int n, const double *a, const double *b)
{
  double sum = 0;
  for (int i = 0; i < n; i++) {
    sum += (a[i] - b[i]) * (a[i] - b[i]);
  }
  return sqrt(sum);
}

/* The vector that perturbs in iteration k: number by number from the streams. */
static void draw(const perturbed *p, int k, double *xi)
{
  const blo_stream st = {p->seed, BLO_PURPOSE_DIRECTION};
  double length = p->radius * pow(blo_stream_uniform(st, (uint64_t)k, 1, 0), 1.0 / p->n), size;
  for (int i = 0; i < p->n; i++) {
    xi[i] = blo_stream_normal(st, (uint64_t)k, 0, (uint64_t)i);
  }
  size = perturbed_norm(p->n, xi);
  for (int i = 0; i < p->n; i++) {
    xi[i] *= length / size;
  }
}

/* x_s again, and the estimate there twice. */
static void stop(perturbed *p, blo_report *r)
{
  double first[PERTURBED_MAX];
  memcpy(p->x, p->x_s, sizeof p->x);
  p->again(p, 0, r);
  memcpy(first, p->hx, sizeof first);
  p->again(p, 1, r);
  p->error = perturbed_distance(p->n, p->h_s, p->hx) + perturbed_distance(p->n, first, p->hx);
  r->hypergrad_norm = perturbed_norm(p->n, p->hx);
  r->converged = true;
  r->second_order = p->error <= p->epsilon / 5 && r->hypergrad_norm <= p->epsilon &&
                            fabs(p->f_s - r->f) <= p->decrease
                        ? BLO_SECOND_ORDER_MINIMUM
                        : BLO_SECOND_ORDER_UNDECIDED;
}

void perturbed_move(perturbed *p, int k, blo_report *r)
{
  double xi[PERTURBED_MAX];
  r->hypergrad_norm = perturbed_norm(p->n, p->hx);
  r->step_x = p->eta;
  r->second_order = BLO_SECOND_ORDER_UNDECIDED;
  if (p->k_p >= 0 && k - p->k_p == p->wait && p->f_s - r->f < p->decrease) {
    stop(p, r);
  } else if (r->hypergrad_norm <= 0.8 * p->epsilon && (p->k_p < 0 || k - p->k_p > p->wait)) {
    memcpy(p->x_s, p->x, sizeof p->x);
    memcpy(p->h_s, p->hx, sizeof p->hx);
    p->f_s = r->f;
    p->k_p = k;
    p->count++;
    draw(p, k, xi);
    for (int i = 0; i < p->n; i++) {
      p->x[i] -= p->eta * xi[i];
    }
  } else {
    for (int i = 0; i < p->n; i++) {
      p->x[i] -= p->eta * p->hx[i];
    }
  }
  r->perturbations = p->count;
}

blo_report perturbed_blank(void)
{
  return (blo_report){
#define BLANK(name, unit, help) .name = (double)NAN,
      BLO_REPORT_LIST(BLANK)
#undef BLANK
  };
}

static void expect_number(int plan, int k, const char *name, double got, double want)
{
  bool same = isnan(want) ? isnan(got) : fabs(got - want) <= TOL * fmax(1, fabs(want));
  BLO_EXPECT_MSG(same, "plan %d, iteration %d: %s is %.17g, by the pseudo-code %.17g", plan, k,
                 name, got, want);
}

static double told(const char *evidence, const char *of)
{
  const char *at = strstr(evidence, of);
  return at == NULL ? (double)NAN : strtod(at + strlen(of), NULL);
}

void perturbed_expect(int plan, int k, const blo_report *got, const blo_report *want,
                      const perturbed *p, const char *evidence)
{
#define EXPECT_FIELD(name, unit, help) expect_number(plan, k, #name, got->name, want->name);
  BLO_REPORT_LIST(EXPECT_FIELD)
#undef EXPECT_FIELD
  BLO_EXPECT_MSG(got->verdict == want->verdict && got->converged == want->converged &&
                     got->second_order == want->second_order,
                 "plan %d, iteration %d: %s", plan, k, evidence);
  BLO_EXPECT_MSG(!want->converged || fabs(told(evidence, ", error ") - p->error) <= 0.06 * p->error,
                 "plan %d, iteration %d: the error is %g; %s", plan, k, p->error, evidence);
}

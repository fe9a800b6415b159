/**
 * @file
 * What perturbed_aid and perturbed_gdmax do with an estimate of the hypergradient, in plain loops
 * over a small array, as docs/methods/perturbed_aid.md says it.
 */
#ifndef BLO_TEST_PERTURBED_H
#define BLO_TEST_PERTURBED_H

#include "fixture.h"

enum { PERTURBED_MAX = 8 };

typedef struct perturbed {
  int n, wait;
  double eta, epsilon, radius, decrease;
  uint64_t seed;
  double x[PERTURBED_MAX], hx[PERTURBED_MAX]; /**< x, and the estimate there */
  double x_s[PERTURBED_MAX], h_s[PERTURBED_MAX], f_s;
  int k_p, count;
  double error; /**< that the last check has found */
  /** Estimate at x again, with more work, round 0 or 1: hx, and the report. */
  void (*again)(struct perturbed *p, int round, blo_report *r);
} perturbed;

/** Stop, perturb or descend in iteration k; complete the report. */
void perturbed_move(perturbed *p, int k, blo_report *r);

/** All columns NAN, nothing decided. */
blo_report perturbed_blank(void);
/** Every number and word of a report is as wanted, to 1e-12 max(1, size); and at a stop the error
 * of which the evidence tells, to the two digits that it has. */
void perturbed_expect(int plan, int k, const blo_report *got, const blo_report *want,
                      const perturbed *p, const char *evidence);
/** Euclidean norm, and distance. */
double perturbed_norm(int n, const double *a);
double perturbed_distance(int n, const double *a, const double *b);

#endif

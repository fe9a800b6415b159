/**
 * @file
 * What perturbed_aid and perturbed_gdmax do with an estimate of the hypergradient, in plain loops
 * over a small array, as docs/methods/perturbed_aid.md says it.
 */
#ifndef BLO_TEST_PERTURBED_H
#define BLO_TEST_PERTURBED_H

#include "plain.h"

enum { PERTURBED_MAX = 8 }; /**< entries of x or y */

/** An iteration's estimate; one without lower steps; with more work, the first, and again. */
typedef enum perturbed_work {
  PERTURBED_LOOK,
  PERTURBED_ITERATION,
  PERTURBED_CHECK,
  PERTURBED_AGAIN
} perturbed_work;

/** Settings of the upper level and of the escape. */
typedef struct perturbed_plan {
  int wait;
  double eta, epsilon, radius, decrease, length;
} perturbed_plan;

/** A run: x and y, and the estimate of the hypergradient there. */
typedef struct perturbed {
  perturbed_plan plan;
  int n;
  uint64_t seed;
  double x[PERTURBED_MAX], y[PERTURBED_MAX], hx[PERTURBED_MAX];
  double x_s[PERTURBED_MAX], h_s[PERTURBED_MAX], f_s;
  int k_p, count;
  double error; /**< that the last check has found */
  /** Estimate at x: hx, y, and the report. @param work  how much */
  void (*estimate)(struct perturbed *p, perturbed_work work, blo_report *r);
} perturbed;

/** At the start of the solver, nothing perturbed. */
perturbed perturbed_start(const perturbed_plan *plan, const blo_solver *s,
                          void (*estimate)(perturbed *p, perturbed_work work, blo_report *r));

/** What a run has shown, as bits. */
enum { PERTURBED_MOVED = 1, PERTURBED_SURE = 2, PERTURBED_UNSURE = 4 };

/** Step by step the solver does the same, to 1e-12 max(1, size): every number and word of the
 * report, x, y, and at a stop the error of which the evidence tells, to the two digits that it has.
 *  @param number  of the plan, for messages
 *  @return what the run has shown */
int perturbed_follow(int number, blo_solver *s, int iterations, perturbed *p);

#endif

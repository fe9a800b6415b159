/* stocbio_ineon in the conformance suite: with searches that end without growth; with steps of the
 * search so large that u grows anyhow, so that x moves; and with certificates. */
#include "method_case.h"

enum { T = 4, Q = 4 };              /* lower.steps, adjoint.iterations */
enum { EVERY = 3, ITERATIONS = 8 }; /* check.every, search.iterations */

/* docs/methods/stocbio_ineon.md. A cycle is a check, that begins a search as epsilon is large; its
 * iterations, of two estimates, and two more after the last one, one of them without lower steps;
 * and the descent until the next check. With tasks the sweeps before
 * and after the solve communicate, its products do not; the Neumann series has 2 norms, the
 * certificate 1 message. */
static method_cost cost(int k, bool tasks)
{
  int estimates = 0, looks = 0;
  for (int i = 0; i <= k; i++) {
    int in_cycle = i % (EVERY + ITERATIONS);
    estimates += in_cycle >= 1 && in_cycle <= ITERATIONS ? 2 : 1;
    estimates += in_cycle == ITERATIONS ? 2 : 0;
    looks += in_cycle == ITERATIONS;
  }
  return (method_cost){.g_x = 0,
                       .g_y = estimates * (T + 1) - looks * T,
                       .hv = estimates * (Q + 1),
                       .jv = estimates,
                       .f_x = estimates,
                       .f_y = estimates,
                       .reductions =
                           estimates * (tasks ? 2 + 2 + 1 : T + Q + 2) - looks * (tasks ? 1 : T)};
}

#define GENERAL                                                                                    \
  "lower: {steps: 4, step: 0.3, batch: 40}\nadjoint: {iterations: 4, step: 0.3, batch: 40}\n"      \
  "upper: {step: 0.5, batch: 30}\ncheck: {every: 3, epsilon: 1e6}\n"
#define OF_TASKS                                                                                   \
  "lower: {steps: 4, step: 0.1, batch: 20}\nadjoint: {iterations: 4, step: 0.1, batch: 20}\n"      \
  "upper: {step: 0.5, batch: 20}\ncheck: {every: 3, batch: 20, epsilon: 1e6}\n"
#define OF_FEW_SHOT                                                                                \
  "lower: {steps: 4, step: 0.1, batch: 4}\nadjoint: {iterations: 4, step: 0.1, batch: 4}\n"        \
  "upper: {step: 0.1, batch: 4}\ncheck: {every: 3, batch: 4, epsilon: 1e6}\n"
#define ALL_OF(search)                                                                             \
  {                                                                                                \
    GENERAL search, OF_TASKS search, OF_FEW_SHOT search                                            \
  }

static const char slow[] = "lower: {steps: 40, step: 0.4, batch: 0}\n"
                           "adjoint: {iterations: 60, step: 0.4, batch: 0}\n"
                           "upper: {step: 0.1, batch: 0}\ncheck: {epsilon: 0}\n";

const method_case method_case_stocbio_ineon = {
    .name = "stocbio_ineon",
    .settings =
        {ALL_OF("search: {radius: 0.15, failure: 0.9, iterations: 8}\n"),
         ALL_OF("search: {radius: 0.15, failure: 0.9, iterations: 8, step: 100, accept: growth, "
                "sign: best}\n"),
         ALL_OF(
             "search: {radius: 0.15, failure: 0.9, iterations: 8, step: 100, sign: gradient}\n")},
    .cost = cost,
    .minimum = slow,
    .minimum_of_tasks = slow,
    .diverging = "lower: {step: 100}",
};

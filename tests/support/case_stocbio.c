/* stocbio in the conformance suite. */
#include "method_case.h"

enum { T = 4, K = 4 }; /* lower.steps, adjoint.iterations */

/* docs/methods.md; with tasks the sweeps before and after the solve communicate, its products do
 * not; the Neumann series has 2 norms, the certificate 1 message. */
static method_cost cost(int k, bool tasks)
{
  int steps = k + 1;
  return (method_cost){.g_x = 0,
                       .g_y = steps * (T + 1),
                       .hv = steps * (K + 1),
                       .jv = steps,
                       .f_x = steps,
                       .f_y = steps,
                       .reductions = steps * (tasks ? 2 + 2 + 1 : T + K + 2)};
}

static const char slow[] = "lower:\n  steps: 40\n  step: 0.4\n  batch: 0\nadjoint:\n"
                           "  iterations: 60\n  step: 0.4\n  batch: 0\nupper:\n  step: 0.1\n"
                           "  batch: 0\n";

const method_case method_case_stocbio = {
    .name = "stocbio",
    .settings = {{"lower:\n  steps: 4\n  step: 0.3\n  batch: 40\nadjoint:\n  iterations: 4\n"
                  "  step: 0.3\n  batch: 40\nupper:\n  step: 0.5\n  batch: 30\n",
                  "lower:\n  steps: 4\n  step: 0.1\n  batch: 20\nadjoint:\n  iterations: 4\n"
                  "  step: 0.1\n  batch: 20\nupper:\n  step: 0.5\n  batch: 20\n",
                  "lower:\n  steps: 4\n  step: 0.1\n  batch: 4\nadjoint:\n  iterations: 4\n"
                  "  step: 0.1\n  batch: 4\nupper:\n  step: 0.1\n  batch: 4\n"}},
    .cost = cost,
    .minimum = slow,
    .minimum_of_tasks = slow,
    .diverging = "lower: {step: 100}",
};

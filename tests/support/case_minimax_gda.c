/* minimax_gda in the conformance suite: as it is; with Adam, and extrapolated after the second
 * stage; and with momenta that each stage resets, and sets. The stages are short, so that their
 * ends are passed. */
#include "method_case.h"

/* docs/methods/minimax_gda.md; the same where y belongs to tasks, because the gradient in x is what
 * the tasks share. */
static method_cost cost(int k, bool tasks)
{
  int steps = k + 1;
  (void)tasks;
  return (method_cost){.g_x = 2 * steps,
                       .g_y = 2 * steps,
                       .hv = 0,
                       .jv = 0,
                       .f_x = steps,
                       .f_y = steps,
                       .reductions = steps};
}

#define STAGES "stages:\n  penalty: 1\n  steps: 3\n  number: 3\n"

/* The error of x after the extrapolation is O(1/a^2) with a = 256 at last. */
static const char slow[] = "lower:\n  step: 0.2\n  batch: 0\nupper:\n  step: 0.1\n  batch: 0\n"
                           "stages:\n  penalty: 1\n  steps: 125\n  number: 8\n  richardson: true\n";

const method_case method_case_minimax_gda = {
    .name = "minimax_gda",
    .settings =
        {{"lower:\n  step: 0.1\n  batch: 40\nupper:\n  step: 0.1\n  batch: 30\n"
          "  stage_decay: 0.5\n" STAGES,
          "lower:\n  step: 0.1\n  batch: 20\nupper:\n  step: 0.1\n  batch: 20\n" STAGES,
          "lower:\n  step: 0.05\n  batch: 4\nupper:\n  step: 0.05\n  batch: 4\n" STAGES},
         {.general =
              "lower:\n  step: 0.02\n  batch: 0\n  rule: adam\nupper:\n  step: 0.01\n  batch: 0\n"
              "  rule: adam\n"
              "stages:\n  penalty: 1\n  steps: 4\n  number: 2\n  richardson: true\n  tol: 1e-9\n"},
         {.general =
              "lower:\n  step: 0.02\n  batch: 0\n  momentum: 0.8\n  set: {type: ball, radius: 2}\n"
              "upper:\n  step: 0.02\n  batch: 0\n  momentum: 0.5\n"
              "  set: {type: box, low: -2, high: 2}\n" STAGES "  reset: true\n  rescale: true\n"}},
    .cost = cost,
    .minimum = slow,
    .minimum_of_tasks = slow,
    .near = 2e-4,
    .diverging = "lower: {step: 100}",
};

/* aid in the conformance suite: as it is; with Adam's upper step; and with Newton steps and the
 * direct adjoint on a grid of one rank, whose bits do not depend on the number of ranks. */
#include "method_case.h"

enum { D = 4, N = 4 }; /* lower.steps, adjoint.iterations */

/* docs/methods.md; with tasks the sweeps before and after the solve communicate, its products do
 * not; of the scalar products CG has 1 + 2 N messages, the certificate 1. */
method_cost method_cost_of_aid(int k, bool tasks)
{
  int steps = k + 1;
  return (method_cost){.g_x = 0,
                       .g_y = steps * (D + 1),
                       .hv = steps * (N + 2),
                       .jv = steps,
                       .f_x = steps,
                       .f_y = steps,
                       .reductions = steps * (tasks ? 2 + 1 + 2 * N + 1 : D + N + 2)};
}

const method_case method_case_aid = {
    .name = "aid",
    .settings =
        {{"lower:\n  steps: 4\n  step: 0.3\n  momentum: 0.5\nadjoint:\n"
          "  on_curvature: truncate\n  iterations: 4\nupper:\n  step: 0.5\n  momentum: 0.5\n",
          "lower:\n  steps: 4\n  step: 0.3\n  momentum: 0.5\nadjoint:\n  iterations: 4\n"
          "upper:\n  step: 0.5\n  momentum: 0.5\n",
          "lower:\n  steps: 4\n  step: 0.1\n  momentum: 0.5\nadjoint:\n  iterations: 4\n"
          "upper:\n  step: 0.1\n  momentum: 0.5\n"},
         {.general = "lower:\n  steps: 4\n  step: 0.3\nadjoint:\n  on_curvature: truncate\n"
                     "  iterations: 4\nupper:\n  step: 0.02\n  rule: adam\n  clip: 0.1\n"},
         {.general =
              "lower:\n  steps: 2\n  rule: newton\nadjoint:\n  type: direct\n"
              "  on_curvature: truncate\nupper:\n  step: 0.02\ndense:\n  ranks: 1\n  block: 8\n"}},
    .cost = method_cost_of_aid,
    .minimum = "lower:\n  steps: 40\n  step: 0.4\nadjoint:\n  iterations: 20\n  tol: 1e-13\n"
               "upper:\n  step: 0.1\n",
    .minimum_of_tasks = "lower:\n  steps: 40\n  step: 0.4\nadjoint:\n  iterations: 20\n"
                        "  tol: 1e-13\nupper:\n  step: 0.1\n",
    .diverging = "lower: {step: 100}",
};

/* perturbed_gdmax in the conformance suite: as it is; and perturbed from the beginning, every third
 * iteration, with a stop and its check now and then. */
#include "method_case.h"

enum { D = 4 }; /* lower.steps */

/* docs/methods/perturbed_gdmax.md; the norm of hx is a broadcast. */
static method_cost cost(int k, bool tasks)
{
  int steps = k + 1;
  (void)tasks;
  return (method_cost){.f_x = steps, .f_y = steps * (D + 1), .reductions = steps * (D + 1)};
}

const method_case method_case_perturbed_gdmax = {
    .name = "perturbed_gdmax",
    .settings = {{.general = "lower: {steps: 4, step: 0.3}\nupper: {step: 0.2}\n"},
                 {.general =
                      "lower: {steps: 4, step: 0.3}\nupper: {step: 0.1}\n"
                      "escape: {epsilon: 1e9, wait: 2, length: 30, decrease: 1e3, check: 2}\n"}},
    .refuses = ((1u << N_FIXTURES) - 1) & ~(1u << FIXTURE_MINIMAX),
    .cost = cost,
    .minimum = "lower: {steps: 20, step: 0.5}\nupper: {step: 0.2}\nescape: {epsilon: 1e-100, "
               "radius: 1e-12}\n",
    .diverging = "lower: {step: 100}",
};

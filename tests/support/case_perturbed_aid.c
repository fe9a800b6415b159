/* perturbed_aid in the conformance suite: as it is; and perturbed from the beginning, every third
 * iteration, with a stop and its check now and then, cold starts and the direct adjoint on a grid
 * of one rank. */
#include "method_case.h"

enum { D = 4, N = 4 }; /* lower.steps, adjoint.iterations */

/* docs/methods/perturbed_aid.md; messages of tasks as for aid. The norm of hx is a broadcast. */
static method_cost cost(int k, bool tasks)
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

const method_case method_case_perturbed_aid = {
    .name = "perturbed_aid",
    .settings = {{"lower: {steps: 4, step: 0.3}\nadjoint: {on_curvature: truncate, iterations: 4}\n"
                  "upper: {step: 0.5}\n",
                  "lower: {steps: 4, step: 0.3}\nadjoint: {iterations: 4}\nupper: {step: 0.5}\n",
                  "lower: {steps: 4, step: 0.1}\nadjoint: {iterations: 4}\nupper: {step: 0.1}\n"},
                 {"lower: {steps: 4, step: 0.3, warm_start: false}\n"
                  "adjoint: {type: direct, on_curvature: truncate, warm_start: false}\n"
                  "upper: {step: 0.1}\nescape: {epsilon: 1e9, wait: 2, decrease: 1e9, check: 2}\n"
                  "dense: {ranks: 1, block: 8}\n",
                  NULL,
                  "lower: {steps: 4, step: 0.1, warm_start: false}\n"
                  "adjoint: {type: direct, on_curvature: truncate, warm_start: false}\n"
                  "upper: {step: 0.1}\nescape: {epsilon: 1e9, wait: 2, decrease: 1e9, check: 2}\n"
                  "dense: {ranks: 1, block: 8}\n"}},
    .cost = cost,
    .minimum = "lower: {steps: 40, step: 0.4}\nadjoint: {iterations: 20, tol: 1e-13}\n"
               "upper: {step: 0.1}\nescape: {epsilon: 1e-100, radius: 1e-12}\n",
    .minimum_of_tasks = "lower: {steps: 40, step: 0.4}\nadjoint: {iterations: 20, tol: 1e-13}\n"
                        "upper: {step: 0.1}\nescape: {epsilon: 1e-100, radius: 1e-12}\n",
    .diverging = "lower: {step: 100}",
};

/* perturbed_aid in the conformance suite: as it is; and perturbed from the beginning, every third
 * iteration, with a stop and its check now and then, cold starts and the direct adjoint on a grid
 * of one rank. It costs what aid does: the norm of hx is a broadcast. */
#include "method_case.h"

const method_case method_case_perturbed_aid = {
    .name = "perturbed_aid",
    .settings = {{"lower: {steps: 4, step: 0.3}\nadjoint: {on_curvature: truncate, iterations: 4}\n"
                  "upper: {step: 0.5}\n",
                  "lower: {steps: 4, step: 0.3}\nadjoint: {iterations: 4}\nupper: {step: 0.5}\n",
                  "lower: {steps: 4, step: 0.1}\nadjoint: {iterations: 4}\nupper: {step: 0.1}\n"},
                 {"lower: {steps: 4, step: 0.3, warm_start: false}\n"
                  "adjoint: {type: direct, on_curvature: truncate, warm_start: false}\n"
                  "upper: {step: 0.1}\nescape: {epsilon: 1e9, wait: 2, length: 30, decrease: 1e3, "
                  "check: 2}\n"
                  "dense: {ranks: 1, block: 8}\n",
                  NULL,
                  "lower: {steps: 4, step: 0.1, warm_start: false}\n"
                  "adjoint: {type: direct, on_curvature: truncate, warm_start: false}\n"
                  "upper: {step: 0.1}\nescape: {epsilon: 1e9, wait: 2, length: 30, decrease: 1e3, "
                  "check: 2}\n"
                  "dense: {ranks: 1, block: 8}\n"}},
    .cost = method_cost_of_aid,
    .minimum = "lower: {steps: 40, step: 0.4}\nadjoint: {iterations: 20, tol: 1e-13}\n"
               "upper: {step: 0.1}\nescape: {epsilon: 1e-100, radius: 1e-12}\n",
    .minimum_of_tasks = "lower: {steps: 40, step: 0.4}\nadjoint: {iterations: 20, tol: 1e-13}\n"
                        "upper: {step: 0.1}\nescape: {epsilon: 1e-100, radius: 1e-12}\n",
    .diverging = "lower: {step: 100}",
};

/* bo_rep in the conformance suite of the methods. */
#include "method_case.h"

/* settings[0]: two epochs of refinement, 3 and 6 steps, in three iterations; then an update of 4
 * steps every second iteration and K = 3 products. Full batches of tasks only. */
static method_cost cost(int k, bool tasks)
{
  enum { S = 2, T = 3, I = 2, N = 4, K = 3 };
  int all = (1 << S) - 1, parts = k + 1 < all ? k + 1 : all, steps = T * parts;
  int iterations = k + 1 - parts, updates = iterations > 0 ? (iterations - 1) / I : 0;
  method_cost c = {.g_x = 0};
  c.g_y = steps + N * updates + iterations;
  c.hv = (K + 1) * iterations;
  c.jv = c.f_x = c.f_y = iterations;
  /* of tasks: the last step of a part has a value; balls have a norm a step; of a solve the sweeps
   * before and after it, and the norms of the first and the last term and the certificate's */
  c.reductions = tasks ? parts + updates + steps + N * updates + (2 + 2 + 1) * iterations
                       : c.g_y - iterations + (K + 2) * iterations;
  return c;
}

#define REFINE "refine: {epochs: 2, steps: 3, step: 0.2, radius: 3}\n"
#define SOLVE  "adjoint: {type: neumann, iterations: 3, step: 0.3"
const method_case method_case_bo_rep = {
    .name = "bo_rep",
    .settings =
        {{.general =
              REFINE "lower: {interval: 2, steps: 4, step: 0.3, radius: 2, batch: 40}\n" SOLVE
                     ", batch: 40}\nupper: {step: 0.05, batch: 30}\n",
          .of_tasks =
              REFINE "lower: {interval: 2, steps: 4, step: 0.3, radius: 2, batch: 0}\n" SOLVE
                     ", batch: 0}\nupper: {step: 0.05, batch: 0}\n",
          .of_few_shot = REFINE
          "lower: {interval: 2, steps: 4, step: 0.1, radius: 2, batch: 0}\n"
          "adjoint: {iterations: 3, step: 0.1, batch: 0}\nupper: {step: 0.05, batch: 0}\n"},
         /* the running z, no refinement, last iterates, decays, no balls */
         {.general = "refine: {epochs: 0}\n"
                     "lower: {interval: 3, steps: 4, step: 0.3, batch: 40, result: last, decay: "
                     "{power: 0.5}}\n"
                     "adjoint: {linear_system: true, step: 0.3, batch: 30}\n"
                     "upper: {step: 0.05, batch: 0, first: gradient, decay: {power: 0.5, after: 2, "
                     "over: 4}, momentum_decay: {power: 0.5}}\n",
          .of_tasks = "refine: {epochs: 0}\nlower: {interval: 3, steps: 4, step: 0.3, batch: 0}\n"
                      "adjoint: {linear_system: true, step: 0.3, batch: 0}\nupper: {step: 0.05, "
                      "batch: 0}\n",
          .of_few_shot =
              "refine: {epochs: 0}\nlower: {interval: 3, steps: 4, step: 0.1, batch: 0}\n"
              "adjoint: {linear_system: true, step: 0.1, batch: 0}\nupper: {step: 0.05, batch: "
              "0}\n"}},
    .cost = cost,
    /* The length of the steps falls to 0.1 10^-11.. by the end: the distance to x* is of that size.
     */
    .minimum = "refine: {epochs: 3, steps: 20, step: 0.4}\n"
               "lower: {interval: 1, steps: 40, step: 0.4, batch: 0, result: last}\n"
               "adjoint: {iterations: 60, step: 0.4, batch: 0}\n"
               "upper: {step: 0.1, momentum: 0, batch: 0, decay: {power: 12, after: 100, over: "
               "100}}\n",
    .minimum_of_tasks = "refine: {epochs: 3, steps: 20, step: 0.4}\n"
                        "lower: {interval: 1, steps: 40, step: 0.4, batch: 0, result: last}\n"
                        "adjoint: {iterations: 60, step: 0.4, batch: 0}\n"
                        "upper: {step: 0.1, momentum: 0, batch: 0, decay: {power: 12, after: 100, "
                        "over: 100}}\n",
    .near = 1e-8,
    .diverging = "refine: {epochs: 0}\nlower: {interval: 1, steps: 10, step: 100, batch: 0}\n",
};

/* mgbio in the conformance suite: as it is; with a clip that acts on most of the problems, a set
 * and bounds; and on batches, with a warm-up. The grid has one rank, so that the bits depend on
 * nothing. */
#include "method_case.h"

#define GRID "dense: {ranks: 1, block: 8}\n"
#define WIDE "tracker: {mu: 0.1, L: 1e6}\n"

/* docs/methods/mgbio.md. The matrices come eight columns at a time. A Hessian that needs no clip
 * takes its norm and that of each of two Cholesky factorisations, the norm of J, the solve, the
 * product. */
static method_cost cost(int k, bool tasks)
{
  int steps = k + 1, n_y = tasks ? TASKS_N_Y : QUADRATIC_N_Y;
  return (method_cost){.g_x = 0,
                       .g_y = steps,
                       .hv = steps * n_y,
                       .jv = steps * n_y,
                       .f_x = steps,
                       .f_y = steps,
                       .reductions = steps * (1 + (n_y + 7) / 8 + 6)};
}

const method_case method_case_mgbio = {
    .name = "mgbio",
    .settings =
        {{.general = "lower: {step: 0.3}\nupper: {step: 0.3}\n" WIDE GRID},
         {.general =
              "lower: {step: 0.2}\nupper: {step: 0.2, set: {type: ball, radius: 3}}\neta: 0.8\n"
              "tracker: {mu: 0.5, L: 1.1, cross_bound: 0.3, gradient_bound: 0.2}\n" GRID},
         {"lower: {step: 0.2, batch: 40, warm_up: 2}\nupper: {step: 0.2, batch: 30}\n"
          "tracker: {mu: 0.5, L: 10, clip: svd}\n" GRID,
          "lower: {step: 0.1, warm_up: 2}\nupper: {step: 0.1}\n" GRID,
          "lower: {step: 0.1, warm_up: 2}\nupper: {step: 0.1}\n" GRID}},
    .cost = cost,
    .minimum = "lower: {step: 0.4}\nupper: {step: 0.1}\neta: 1\n" WIDE GRID,
    .minimum_of_tasks = "lower: {step: 0.4}\nupper: {step: 0.1}\neta: 1\n" WIDE GRID,
    .diverging = "lower: {step: 100}\n" GRID,
};

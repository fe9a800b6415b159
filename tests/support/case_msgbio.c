/* msgbio in the conformance suite: as it is, on batches (all tasks, if there are tasks); with a
 * larger first batch, a warm-up, a set, bounds, and a clip that acts on most of the problems. The
 * grid has one rank, so that the bits depend on nothing. */
#include "method_case.h"

#define GRID "dense: {ranks: 1, block: 8}\n"
#define WIDE "tracker: {mu: 0.1, L: 1e6}\n"

/* docs/methods/mgbio.md. */
static method_cost cost(int k, bool tasks)
{
  int points = k + 1, n_y = tasks ? TASKS_N_Y : QUADRATIC_N_Y;
  return (method_cost){.g_x = 0,
                       .g_y = points,
                       .hv = points * n_y,
                       .jv = points * n_y,
                       .f_x = points,
                       .f_y = points,
                       .reductions = points * (1 + (n_y + 7) / 8) + 6 * (k + 1)};
}

static const char slow[] = "lower: {step: 0.4, batch: 0}\nupper: {step: 0.1, batch: 0}\n"
                           "eta: {k: 10, m: 100}\n" WIDE GRID;

const method_case method_case_msgbio = {
    .name = "msgbio",
    .settings = {{"lower: {step: 0.2, batch: 40}\nupper: {step: 0.2, batch: 30}\n" WIDE GRID,
                  "lower: {step: 0.2, batch: 0}\nupper: {step: 0.2, batch: 0}\n" WIDE GRID,
                  "lower: {step: 0.1, batch: 0}\nupper: {step: 0.1, batch: 0}\n" WIDE GRID},
                 {"lower: {step: 0.2, batch: 10, warm_up: 3}\nmomentum: {first: 3}\n"
                  "upper: {step: 0.2, batch: 7, set: {type: ball, radius: 3}}\n"
                  "tracker: {mu: 0.5, L: 1.1, cross_bound: 0.3, gradient_bound: 0.2}\n" GRID,
                  "lower: {step: 0.2, batch: 0, warm_up: 3}\nupper: {step: 0.2, batch: 0}\n"
                  "tracker: {mu: 0.5, L: 1.1, cross_bound: 0.3, gradient_bound: 0.2}\n" GRID,
                  "lower: {step: 0.2, batch: 0, warm_up: 3}\nupper: {step: 0.2, batch: 0}\n"
                  "tracker: {mu: 0.5, L: 1.1, cross_bound: 0.3, gradient_bound: 0.2}\n" GRID}},
    .cost = cost,
    .minimum = slow,
    .minimum_of_tasks = slow,
    .diverging = "lower: {step: 1000}\n" GRID,
};

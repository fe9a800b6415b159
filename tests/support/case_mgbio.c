/* mgbio in the conformance suite: as it is; with a clip that acts on most of the problems, a set
 * and bounds; and on batches, with a warm-up. */
#include "mgbio_family.h"

static method_cost cost(int k, bool tasks)
{
  return mgbio_cost(k + 1, k + 1, tasks);
}

const method_case method_case_mgbio = {
    .name = "mgbio",
    .settings = {{.general = "lower: {step: 0.3}\nupper: {step: 0.3}\n" MGBIO_WIDE MGBIO_GRID},
                 {.general = "lower: {step: 0.2}\nupper: {step: 0.2, set: {type: ball, radius: "
                             "3}}\neta: 0.8\n" MGBIO_BOUNDS MGBIO_GRID},
                 {"lower: {step: 0.2, batch: 40, warm_up: 2}\nupper: {step: 0.2, batch: 30}\n"
                  "tracker: {mu: 0.5, L: 10, clip: svd}\n" MGBIO_GRID,
                  "lower: {step: 0.1, warm_up: 2}\nupper: {step: 0.1}\n" MGBIO_GRID,
                  "lower: {step: 0.1, warm_up: 2}\nupper: {step: 0.1}\n" MGBIO_GRID}},
    .cost = cost,
    .minimum = "lower: {step: 0.4}\nupper: {step: 0.1}\neta: 1\n" MGBIO_WIDE MGBIO_GRID,
    .minimum_of_tasks = "lower: {step: 0.4}\nupper: {step: 0.1}\neta: 1\n" MGBIO_WIDE MGBIO_GRID,
    .diverging = "lower: {step: 100}\n" MGBIO_GRID,
};

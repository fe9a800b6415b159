/* msgbio in the conformance suite; see mgbio_family.h. */
#include "mgbio_family.h"

static method_cost cost(int k, bool tasks)
{
  return mgbio_cost(k + 1, k + 1, tasks);
}

static const char slow[] = "lower: {step: 0.4, batch: 0}\nupper: {step: 0.1, batch: 0}\n"
                           "eta: {k: 10, m: 100}\n" MGBIO_WIDE MGBIO_GRID;

const method_case method_case_msgbio = {
    .name = "msgbio",
    .settings = MGBIO_MOMENTUM_SETTINGS,
    .cost = cost,
    .minimum = slow,
    .minimum_of_tasks = slow,
    .diverging = "lower: {step: 1000}\n" MGBIO_GRID,
};

/* vr_msgbio in the conformance suite; see mgbio_family.h. */
#include "mgbio_family.h"

/* Two points from the second step on. The tasks can be linearised: one more sweep for the second
 * point. */
static method_cost cost(int k, bool tasks)
{
  method_cost c = mgbio_cost(2 * k + 1, k + 1, tasks);
  c.reductions += tasks ? k : 0;
  return c;
}

static const char slow[] = "lower: {step: 0.4, batch: 0}\nupper: {step: 0.1, batch: 0}\n"
                           "eta: {k: 4, m: 64}\n" MGBIO_WIDE MGBIO_GRID;

const method_case method_case_vr_msgbio = {
    .name = "vr_msgbio",
    .settings = MGBIO_MOMENTUM_SETTINGS,
    .cost = cost,
    .minimum = slow,
    .minimum_of_tasks = slow,
    .diverging = "lower: {step: 1000}\n" MGBIO_GRID,
};

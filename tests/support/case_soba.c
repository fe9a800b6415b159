/* soba in the conformance suite; and with momentum of the upper step, which makes it MA-SOBA. */
#include "method_case.h"

static method_cost cost(int k, bool tasks)
{
  int steps = k + 1;
  (void)tasks;
  return (method_cost){.g_x = 0,
                       .g_y = steps,
                       .hv = steps,
                       .jv = steps,
                       .f_x = steps,
                       .f_y = steps,
                       .reductions = steps};
}

static const char slow[] = "lower:\n  step: 0.4\n  batch: 0\n  decay: 0\nadjoint:\n  step: 0.4\n"
                           "  decay: 0\nupper:\n  step: 0.1\n  batch: 0\n  decay: 0\n";

const method_case method_case_soba = {
    .name = "soba",
    .settings =
        {{"lower:\n  step: 0.3\n  batch: 40\nadjoint:\n  step: 0.3\nupper:\n  step: 0.5\n"
          "  batch: 30\n",
          "lower:\n  step: 0.1\n  batch: 20\nadjoint:\n  step: 0.1\nupper:\n  step: 0.2\n"
          "  batch: 20\n",
          "lower:\n  step: 0.1\n  batch: 4\nadjoint:\n  step: 0.1\nupper:\n  step: 0.1\n"
          "  batch: 4\n"},
         {.general =
              "lower:\n  step: 0.1\n  batch: 30\nadjoint:\n  step: 0.1\nupper:\n  step: 0.1\n"
              "  batch: 30\n  momentum: 0.8\n"}},
    .cost = cost,
    .minimum = slow,
    .minimum_of_tasks = slow,
    .diverging = "lower: {step: 100, decay: 0}",
};

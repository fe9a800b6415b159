/* ia_gm in the conformance suite: as it is, on batches; accelerated, with sets, Adam on both
 * variables and a trajectory of which little is kept; and plain unrolling, from the last y and from
 * a fixed one. */
#include "method_case.h"

enum { K = 4 }; /* lower.steps */

/* docs/methods/ia_gm.md; with tasks the K steps are silent, the products are not, because J v is
 * what the tasks share. */
static method_cost cost(int k, bool tasks)
{
  int steps = k + 1;
  return (method_cost){.g_x = 0,
                       .g_y = steps * (K + 1),
                       .hv = steps * K,
                       .jv = steps * K,
                       .f_x = steps,
                       .f_y = steps,
                       .reductions = steps * (tasks ? K + 1 : 2 * K + 1)};
}

/* So many steps solve the lower level to rounding, so that z no longer matters. */
static const char slow[] = "lower:\n  steps: 60\n  step: 0.4\nupper:\n  step: 0.1\n";

const method_case method_case_ia_gm = {
    .name = "ia_gm",
    .settings = {{"lower:\n  steps: 4\n  step: 0.3\n  batch: 40\ninit:\n  step: 0.05\n"
                  "upper:\n  step: 0.1\n  batch: 30\n",
                  "lower:\n  steps: 4\n  step: 0.1\n  batch: 20\ninit:\n  step: 0.05\n"
                  "upper:\n  step: 0.1\n  batch: 20\n",
                  "lower:\n  steps: 4\n  step: 0.1\n  batch: 4\ninit:\n  step: 0.05\n"
                  "upper:\n  step: 0.1\n  batch: 4\n"},
                 {.general = "lower:\n  steps: 9\n  step: 0.1\n  dynamics: nesterov\n  memory: 7\n"
                             "  set: {type: ball, radius: 3}\ninit: {rule: adam, step: 0.02}\n"
                             "upper: {rule: adam, step: 0.02}\n"},
                 {.general =
                      "lower:\n  steps: 4\n  step: 0.2\ninit: {type: last}\nupper:\n  step: 0.1\n"},
                 {.general = "lower:\n  steps: 4\n  step: 0.2\n  set: {type: simplex, total: 2}\n"
                             "init: {type: fixed}\nupper:\n  step: 0.1\n"}},
    .cost = cost,
    .minimum = slow,
    .minimum_of_tasks = slow,
    .diverging = "lower: {step: 100}",
};

/* iaptt_gm in the conformance suite: as it is, on batches; with sets, Adam on both variables and a
 * trajectory of which little is kept; and with a ball, full batches and momentum of x. */
#include "method_case.h"

enum { K = 4 }; /* lower.steps */

/* The step at which f is largest: here it is the last one, but with the second batches of the
 * quadratic the first one. The plain loops of test_iaptt_gm.c find cuts of their own. */
static int cut(int k, bool tasks)
{
  return !tasks && k == 1 ? 1 : K;
}

/* docs/methods/iaptt_gm.md. With tasks the first step, whose sweep brings no value of f, is silent.
 */
static method_cost cost(int k, bool tasks)
{
  method_cost sum = {0};
  for (int i = 0; i <= k; i++) {
    int c = cut(i, tasks), again = c < K;
    sum.g_y += K + 1 + again;
    sum.hv += c;
    sum.jv += c;
    sum.f_x += 1 + again;
    sum.f_y += 1 + again;
    sum.reductions += K + 1 + again + c - tasks;
  }
  return sum;
}

const method_case method_case_iaptt_gm = {
    .name = "iaptt_gm",
    .settings =
        {{"lower:\n  steps: 4\n  step: 0.3\n  batch: 40\ninit:\n  step: 0.02\n"
          "upper:\n  step: 0.05\n  batch: 30\n",
          "lower:\n  steps: 4\n  step: 0.1\n  batch: 20\ninit:\n  step: 0.05\n"
          "upper:\n  step: 0.1\n  batch: 20\n",
          "lower:\n  steps: 4\n  step: 0.1\n  batch: 4\ninit:\n  step: 0.05\n"
          "upper:\n  step: 0.1\n  batch: 4\n"},
         {.general =
              "lower:\n  steps: 6\n  step: 0.2\n  memory: 4\n  set: {type: box, low: -1.5, high: "
              "1}\n"
              "init: {rule: adam, step: 0.02}\nupper: {rule: adam, step: 0.02, clip: 0.5}\n"},
         {.general = "lower:\n  steps: 5\n  step: 0.2\n  set: {type: ball, radius: 3}\n"
                     "init: {step: 0.05, decay: 0.5}\nupper:\n  step: 0.1\n  momentum: 0.5\n"}},
    .cost = cost,
    .diverging = "lower: {step: 100}",
};

/**
 * @file
 * What the conformance suite of the methods needs to know of each of them. Every method of
 * solver_list.h has one file tests/support/case_NAME.c, which defines `method_case_NAME`; without
 * it the suite does not link.
 */
#ifndef BLO_TEST_METHOD_CASE_H
#define BLO_TEST_METHOD_CASE_H

#include "fixture.h"

enum { METHOD_VARIANTS_MAX = 4 };

/** Oracle calls and reductions of the steps 0 ... k of a run together (values of g and f ride along
 *  in other sweeps; they are not looked at). */
typedef struct method_cost {
  blo_int g_x, g_y, hv, jv, f_x, f_y;
  blo_int reductions;
} method_cost;

/** Short settings (the map `solver` without `type`) under which the method makes progress on the
 * fixtures of a kind, with a bounded number of oracle calls. */
typedef struct method_settings {
  /** All fixtures but the following; of the smallest data sets a batch of 40 of g or 30 of f is
   *  all. */
  const char *general;
  const char *of_tasks;    /**< FIXTURE_TASKS, all batches of one size; NULL: `general` */
  const char *of_few_shot; /**< FIXTURE_FEW_SHOT, 8 tasks in 4 shards; NULL: `general` */
} method_settings;

typedef struct method_case {
  const char *name;
  /** [0] is the method as it is; others exercise other parts of it. NULL-terminated by `general`.
   */
  method_settings settings[METHOD_VARIANTS_MAX + 1];
  /** Fixtures that the method must refuse with BLO_E_UNSUPPORTED when it is made: bits 1u << kind.
   *  It has to work on all others. */
  unsigned refuses;
  /** What the steps 0 ... k cost together with settings[0] on FIXTURE_QUADRATIC (or the first
   *  fixture that is not refused), or on FIXTURE_TASKS, by the formula of the method's page:
   *  written as the formula, not as a sum that was seen. */
  method_cost (*cost)(int k, bool tasks);
  /** Settings, all deterministic, under which 1000 steps find the minimum of F on
   *  FIXTURE_QUADRATIC (or FIXTURE_MINIMAX if that is refused) and on FIXTURE_TASKS within `near`
   *  in the norm of grad F; NULL where it is refused, or where the method has another limit. */
  const char *minimum, *minimum_of_tasks;
  double near; /**< 0: 1e-10 */
  /** Settings under which the method diverges on FIXTURE_QUADRATIC (or FIXTURE_MINIMAX) within 400
   *  steps: a step size that is far too large. */
  const char *diverging;
} method_case;

/** That of aid, with lower.steps and adjoint.iterations 4 and CG (docs/methods.md). */
method_cost method_cost_of_aid(int k, bool tasks);

/** The cases, in the order of solver_list.h; NULL-terminated. */
extern const method_case *const method_cases[];

#endif

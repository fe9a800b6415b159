/**
 * @file
 * The conformance suites of the methods: each method of the list, in its variants, on each fixture.
 */
#ifndef BLO_TEST_METHOD_RIDE_H
#define BLO_TEST_METHOD_RIDE_H

#include "method_case.h"
#include "ride.h"

/** The method says that it refuses this fixture. */
bool method_refuses(const method_case *m, int kind);
/** The first fixture that it takes: the quadratic one, unless it is for special problems. */
int method_base_kind(const method_case *m);
/** The settings of a variant for a fixture. */
const char *method_text(const method_settings *s, int kind);
/** Problem, evaluator and solver: its status. Call: Collective. */
blo_status method_try(blo_comm *comm, int kind, const char *method, const char *text,
                      const char *folder, blo_reduction how, ride *s);
/** The same for a variant; leaves the test on failure. Call: Collective. */
void method_make(blo_comm *comm, int kind, const method_case *m, int variant, const char *folder,
                 blo_reduction how, ride *s);
/** Some more steps; leaves the test on failure. Call: Collective. */
void method_advance(ride *s, int steps);
/** Steps that a suite makes on a fixture. */
int method_steps(int kind);

/** What a test does with a method, one of its variants and a fixture. */
typedef void method_each(blo_comm *comm, const method_case *m, int variant, int kind,
                         const char *folder);
/** Do it with all that the methods take; without `variants` with the first one only. */
void method_for_all(blo_comm *comm, bool variants, method_each *call);

#endif

/**
 * @file
 * Methods made from the text of their settings (the map `solver` without `type`), and run.
 */
#ifndef BLO_TEST_RIDE_H
#define BLO_TEST_RIDE_H

#include "known.h"

/** Make a solver: its status. Call: Collective. @param[out] s  NULL on failure */
blo_status ride_try(const fixture *f, const char *method, const char *text, uint64_t seed,
                    blo_solver **s);
/** Make a solver; leaves the test on failure. Call: Collective. */
blo_solver *ride_make(const fixture *f, const char *method, const char *text, uint64_t seed);
/** Making it fails with this status and these words. Call: Collective. */
void ride_expect_refused(const fixture *f, const char *method, const char *text, blo_status code,
                         const char *says);

/** What `--dry-run` prints of it has these words. Call: Local. */
void ride_expect_described(const blo_solver *s, const char *says);

/** A method on a problem. */
typedef struct ride {
  fixture f;
  blo_solver *s;
  blo_report report; /**< of the last step; blo_report_none() before */
} ride;

/** On a built-in problem; on one that tests/support/fixture.h makes without data. */
void ride_known(blo_comm *comm, const char *problem, const char *settings, const char *method,
                const char *text, uint64_t seed, ride *r);
void ride_fixture(blo_comm *comm, int kind, const char *method, const char *text, uint64_t seed,
                  ride *r);
void ride_close(blo_comm *comm, ride *r);

/** One step; leaves the test on failure. */
void ride_step(ride *r);
/** Steps until `k` have been made since the start. */
void ride_to(ride *r, blo_int k);
/** Steps until one fails, at most `most`: its status. @param[out] done  steps that did not fail */
blo_status ride_until_failure(ride *r, int most, int *done);

/** F and its kin where the solver is; of built-in problems. */
known_metrics ride_at(const ride *r);
/** A vector of the solver's state by its name. */
blo_vec *ride_kept(const blo_solver *s, const char *name);

#endif

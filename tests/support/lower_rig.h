/**
 * @file
 * A lower track with its matrix, at a point, for tests of its rules.
 */
#ifndef BLO_TEST_LOWER_RIG_H
#define BLO_TEST_LOWER_RIG_H

#include "fixture.h"

enum { RIG_SEED = 3 }; /**< of the batches */

typedef struct lower_rig {
  fixture f;
  blo_lower_options o;
  blo_state *state;
  blo_hessian *hessian;
  blo_lower *lower;
  blo_vec *x, *y, *g_y;
} lower_rig;

/** Grids of one rank, and of all with small blocks. */
extern const blo_dense_options rig_one_rank, rig_all_ranks;

/** Warm started steps on all samples, gradient steps of size 0.1, no tolerance.
 */
blo_lower_options rig_rule(int rule, blo_int steps);
/** Make the track for the problem in r->f, at a point near its start; leaves
 * the test on failure.
 */
void rig_make(lower_rig *r, blo_lower_options o, blo_dense_options dense);
/** The same for a fixture of tests/support/fixture.h. */
void rig_open(blo_comm *comm, int kind, const char *folder, blo_lower_options o,
              blo_dense_options dense, lower_rig *r);
/** And for a network of hyper cleaning, on the same data, with little
 * regularisation: where it begins H is indefinite. */
void rig_open_network(blo_comm *comm, const char *folder, blo_lower_options o,
                      blo_dense_options dense, lower_rig *r);
/** A new folder with the data of the fixtures. @param[out] path [cap] */
void rig_folder(blo_comm *comm, char *path, size_t cap);
void rig_close(blo_comm *comm, lower_rig *r);

/** The steps of outer iteration 0; leaves the test on failure. */
void rig_track(lower_rig *r);
/** g over all data. @param[out] norm  that of grad_y g */
double rig_look(lower_rig *r, double *norm);
double rig_residual(lower_rig *r);
/** Is H positive definite here? */
bool rig_is_definite(lower_rig *r);
/** The norm of y - b, as far as y is on this rank. @param[in] b  all of it */
double rig_distance(const lower_rig *r, const double *b);

#endif

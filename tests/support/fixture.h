/**
 * @file
 * Problems for tests: the quadratic, quadratic tasks, a minimax problem, and the built-in ones on
 * small generated data.
 */
#ifndef BLO_TEST_FIXTURE_H
#define BLO_TEST_FIXTURE_H

#include "harness.h"
#include "minimax.h"
#include "quadratic.h"
#include "tasks.h"
#include <blo/solver.h>

/** A problem with its evaluator. */
typedef struct fixture {
  blo_conf *conf;
  blo_problem *problem;
  blo_eval *eval;
} fixture;

/** The problems that a suite runs through. */
typedef enum fixture_kind {
  FIXTURE_QUADRATIC,
  FIXTURE_CLEANING,        /**< x sharded */
  FIXTURE_CLEANING_ROOTED, /**< x rooted */
  FIXTURE_RIDGE_FEATURE,
  FIXTURE_RIDGE_CLASS,
  FIXTURE_RIDGE_SPARSE,   /**< LIBSVM data, one weight */
  FIXTURE_TASKS,          /**< y sharded with tasks */
  FIXTURE_MINIMAX,        /**< g = -f */
  FIXTURE_REPRESENTATION, /**< mlp in x, rooted */
  FIXTURE_CLEANING_MLP,   /**< y an mlp, x sharded */
  FIXTURE_CLEANING_LSTM,  /**< texts */
  FIXTURE_BLOCK_SQUARE,
  FIXTURE_BLOCK_NORM, /**< not smooth where a block of y is 0 */
  FIXTURE_FEW_SHOT,   /**< convolutions in x, y sharded with tasks */
  N_FIXTURES
} fixture_kind;
const char *fixture_name(int kind);
/** The problem is made of graphs, and its data are fewer. */
bool fixture_is_network(int kind);

/** The generated data: sample i has class i % 3, in this order in the files. */
enum { FIXTURE_ROWS = 360, FIXTURE_FEATURES = 5, FIXTURE_CLASSES = 3 };
/** Feature k of sample i. */
double fixture_feature(blo_int i, int k);

/** Write data.csv (dense), data.svm (sparse), texts.h5 (tokens) and images.h5 into `folder`; the
 * root does. */
void fixture_write_data(blo_comm *comm, const char *folder);
/** Make problem and evaluator on the data in `folder`; leaves the test on failure. */
void fixture_make(blo_comm *comm, int kind, const char *folder, blo_reduction how, fixture *f);
void fixture_free(blo_comm *comm, fixture *f);

/** Call `each` for every kind of problem on reproducible sums, with a point; data files included.
 */
void fixture_for_all(blo_comm *comm, void (*each)(blo_comm *comm, int kind, const fixture *f,
                                                  blo_vec *x, blo_vec *y));
/** Make `n` vectors like `v`; leaves the test on failure. */
void fixture_like(const blo_vec *v, int n, blo_vec **out);
/** Free `n` vectors. */
void fixture_free_vecs(int n, blo_vec **v);

/** How often each of the n samples of a level is in the batch, over all ranks. Call: Collective.
 *  @param[out] count [n] */
void fixture_batch_counts(blo_comm *comm, const blo_batch *batch, blo_int n, blo_int n_shards,
                          int *count);

/** A point: x near the start, y random; x is published. Free both with blo_vec_destroy(). */
void fixture_point(const fixture *f, blo_vec **x, blo_vec **y);
/** Solve the lower level at x to ||grad_y g|| <= tol, by Newton steps with CG. */
void fixture_solve_lower(const fixture *f, const blo_vec *x, blo_vec *y, double tol);

#endif

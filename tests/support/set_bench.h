/**
 * @file
 * A bench for projections: a problem of which only the space of x and the slot `project` matter,
 * the projection onto a set of x, and vectors, set from and given as plain arrays.
 */
#ifndef BLO_TEST_SET_BENCH_H
#define BLO_TEST_SET_BENCH_H

#include "harness.h"
#include <blo/projection.h>

enum { SET_BENCH_MAX = 200 }; /**< entries of x */

/** x of `n` entries in `layout`, both options; y of 3. */
extern const blo_problem_type set_bench_shape;
/** Its own set: entry i of x is at least i / 8 - 1, of y at most 1. */
double set_bench_bound(blo_level level, blo_int i);

typedef struct set_bench {
  blo_conf *conf;
  blo_problem *problem;
  blo_eval *eval;
  blo_projection *set; /**< of x */
  blo_vec *z, *d;      /**< like x */
} set_bench;

void set_bench_open(blo_comm *comm, int n, blo_layout layout, const blo_projection_options *o,
                    set_bench *b);
void set_bench_close(set_bench *b);
/** v = all, but for NAN on workers of a rooted v, where nothing should be looked at. */
void set_bench_put(const double *all, blo_vec *v);
/** out = P(z). */
void set_bench_project(set_bench *b, const double *z, double *out);
/** out = DP(z)' d; expects that z stays. */
void set_bench_pull_back(set_bench *b, const double *z, const double *d, double *out);

#endif

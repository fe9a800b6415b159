/**
 * @file
 * The built-in problems with known solutions, in small sizes, for suites that run through them; and
 * a bench on which one of them is asked at points that are plain arrays.
 */
#ifndef BLO_TEST_KNOWN_H
#define BLO_TEST_KNOWN_H

#include "fixture.h"

/** One of the problems, with settings. */
typedef struct known_case {
  const char *type, *settings;
  bool definite; /**< H is positive definite at a point near the start and near y* there */
} known_case;

enum { N_KNOWN = 15 };
extern const known_case known_cases[N_KNOWN];

/** Make problem and evaluator; leaves the test on failure. Free with fixture_free(). */
void known_open(blo_comm *comm, const char *type, const char *settings, fixture *f);

/** Making the problem fails with BLO_E_OPTION and these words. */
void known_expect_refused(blo_comm *comm, const char *type, const char *settings, const char *says);
/** Whatever fails while it is made, nothing is left; see blo_test_sweep_faults(). */
void known_expect_clean_failures(blo_comm *comm, const char *type, const char *settings);

/** What the metrics are at (x, y). */
typedef struct known_metrics {
  double F, gap, grad_norm, error_x, error_y;
} known_metrics;
known_metrics known_at(const fixture *f, const blo_vec *x, const blo_vec *y);

enum { BENCH_MAX = 20 }; /**< entries of x or y on a bench */
extern const double bench_zeros[BENCH_MAX];

/** A problem, a point (the start at first), and room: two vectors like x, three like y. */
typedef struct bench {
  fixture f;
  blo_vec *x, *y, *in_x[2], *in_y[3];
} bench;

void bench_open(blo_comm *comm, const char *type, const char *settings, bench *b);
void bench_close(blo_comm *comm, bench *b);

/** The metrics at arrays x [n_x] and y [n_y]. */
known_metrics bench_metrics(bench *b, const double *x, const double *y);

/** Everything at (x, y), on all ranks; the products with `v` [n_y]. */
typedef struct oracles {
  double g, f, g_x[BENCH_MAX], f_x[BENCH_MAX], jv[BENCH_MAX];
  double g_y[BENCH_MAX], f_y[BENCH_MAX], hv[BENCH_MAX];
} oracles;
oracles bench_ask(bench *b, const double *x, const double *y, const double *v);

/** Set a vector that every rank has all of, and publish it. @param[in] values [n] */
void bench_set(blo_vec *v, const double *values);
/** Its numbers, on all ranks. @param[out] to [n] */
void bench_get(blo_vec *v, double *to);

#endif

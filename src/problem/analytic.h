/**
 * @file
 * What the problems with known solutions share: a file of such a problem is its formulas, as plain
 * C functions; the slots, the options and the metrics are here. For files of this layer only.
 */
#ifndef BLO_ANALYTIC_H
#define BLO_ANALYTIC_H

#include "matrix.h"

/** Formulas get the problem's state, all of x [n_x] and y [n_y]; outputs are overwritten. */
typedef double analytic_value(const void *state, const double *x, const double *y);
typedef void analytic_vector(const void *state, const double *x, const double *y, double *out);
typedef void analytic_product(const void *state, const double *x, const double *y, const double *v,
                              double *out);

typedef struct analytic_math {
  analytic_value *g, *f;
  analytic_vector *g_x, *g_y, *f_x, *f_y;
  bool minimax;   /**< g = -f: g, g_x and g_y need not be given */
  bool quadratic; /**< g is a convex quadratic function of y, a least-squares problem with linear
                       residuals: H is its own Gauss-Newton matrix */
  analytic_product *hv, *jv;
  analytic_vector *solve;   /**< y*(x) [n_y]; if there are several, that nearest to y */
  analytic_vector *nearest; /**< [n_x] the minimiser of F nearest to x; y is NULL */
  analytic_value *F;        /**< F(x), y is NULL; NULL: f(x, y*(x)) */
  analytic_value *gap;      /**< F(x) - min F, y is NULL */
  analytic_vector *F_x;     /**< [n_x] grad F(x); y is NULL */
  /** The point that `start: point` means. */
  void (*start)(const void *state, double *x, double *y);
} analytic_math;

/** Initialisers of those that nearly every problem gives, from functions of the same names. */
#define ANALYTIC_FORMULAS                                                                          \
  .g = g, .f = f, .g_x = g_x, .g_y = g_y, .f_x = f_x, .f_y = f_y, .hv = hv, .jv = jv,              \
  .solve = solve, .nearest = nearest, .F_x = F_x, .start = start

/** What the options of these problems begin with. */
typedef struct analytic_options {
  double start_size;
  blo_int shards, seed;
  int start, x;
} analytic_options;

enum { N_ANALYTIC_METRICS = 5 };
extern const blo_metric analytic_metrics[N_ANALYTIC_METRICS];
extern const char *const analytic_start_names[], *const analytic_x_names[];

/** What the state of these problems begins with. */
typedef struct analytic {
  const analytic_math *math;
  blo_int n_x, n_y;
  double *work;                      /**< [n_x + n_y] a result before it is added */
  double metric[N_ANALYTIC_METRICS]; /**< at the point of the last metrics_prepare */
} analytic;

/** The rows of the shared options; T begins with `analytic_options base`. */
#define ANALYTIC_CHOICE(T, key, field, def, names, help)                                           \
  {                                                                                                \
    key, BLO_OPT_CHOICE, offsetof(T, field), sizeof(int), def, 0, 0, names, "-", help, "", 0       \
  }
#define ANALYTIC_ROWS(T)                                                                           \
  ANALYTIC_CHOICE(T, "start", base.start, "point", analytic_start_names,                           \
                  "start at the problem's own point (docs/problems.md), or at that point plus "    \
                  "start_size times standard normal numbers in x and y"),                          \
      BLO_OPT_AS("start_size", T, base.start_size, "1", 0, 1e12, "-", "see start", "", 0),         \
      BLO_OPT_AS("seed", T, base.seed, "1", 0, 9007199254740992.0, "-",                            \
                 "seed of everything that is random in the problem and its start", "", 0),         \
      BLO_OPT_AS("shards", T, base.shards, "64", 1, 1 << 20, "shards",                             \
                 "logical shards, a power of two: the most ranks that can be used", "", 0),        \
      ANALYTIC_CHOICE(T, "x", base.x, "rooted", analytic_x_names,                                  \
                      "x on the root rank (updated there and broadcast), or on every rank")

/** Set the sizes; one sample that contributes nothing in each shard. Call: Collective. */
blo_status analytic_setup(blo_problem *p, blo_int n_x, blo_int n_y, const analytic_math *math);
/** Free what analytic_setup() made. Call: Local. */
void analytic_teardown(blo_problem *p);

/* Slots; see blo_problem_type. */
void analytic_start(const blo_problem *p, const blo_slice *x, const blo_slice *y);
blo_status analytic_shard(blo_problem *p, const blo_shard_task *task, const blo_shard_out *out);
void analytic_common(const blo_problem *p, blo_level level, unsigned want, const blo_point *at,
                     double scale, const blo_shard_out *out);
void analytic_metrics_prepare(blo_problem *p, const blo_point *at);
blo_status analytic_metrics_shard(blo_problem *p, blo_int shard, const double *x, double *sums);
void analytic_metrics_finish(const blo_problem *p, const double *sums, double *values);

/** The metrics, and the slots that all of these problems have. */
#define ANALYTIC_METRIC_SLOTS                                                                      \
  .metrics = analytic_metrics, .n_metrics = N_ANALYTIC_METRICS, .n_metric_sums = 0,                \
  .start = analytic_start, .metrics_prepare = analytic_metrics_prepare,                            \
  .metrics_shard = analytic_metrics_shard, .metrics_finish = analytic_metrics_finish
/** Those of a problem whose samples contribute nothing. */
#define ANALYTIC_SLOTS                                                                             \
  ANALYTIC_METRIC_SLOTS, .has = BLO_HAS_DIRECTIONS, .shard = analytic_shard,                       \
                         .common = analytic_common

/* Wells: W(z) = sum_{i < m} (z_i^4 / 4 - b z_i^2 / 2) + (1/2) sum_{i >= m} z_i^2, z [n]. */

/** W(z). Call: Local. */
double analytic_wells(blo_int n, blo_int m, double b, const double *z);
/** grad W(z). Call: Local. @param[out] out [n] */
void analytic_wells_gradient(blo_int n, blo_int m, double b, const double *z, double *out);
/** The minimiser of W + (add / 2) |z|^2, add > -1, nearest to z. Call: Local.
 *  @param[out] out [n] */
void analytic_wells_nearest(blo_int n, blo_int m, double b, double add, const double *z,
                            double *out);
/** That function above its minimum, (1/4) sum_{i < m} (z_i^2 - t)^2 + ... Call: Local. */
double analytic_wells_gap(blo_int n, blo_int m, double b, double add, const double *z);

#endif

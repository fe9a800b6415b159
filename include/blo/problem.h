/**
 * @file
 * problem: a bilevel problem as a set of oracles over samples.
 *
 *     min over x of F(x) = f(x, y*(x)),   y*(x) in argmin over y of g(x, y)
 *     g(x, y) = (1/n) sum_i g_i(x, y) + r_g(x, y)      f(x, y) = (1/m) sum_j f_j(x, y) + r_f(x, y)
 *
 * with H = grad_yy g (n_y x n_y) and J = grad_xy g (n_x x n_y), so J v = grad_x (v . grad_y g).
 *
 * A problem fills one descriptor, blo_problem_type. Its main slot, `shard`, adds up what the
 * samples of a batch contribute in one logical shard: everything that is wanted from one read of
 * the data. Distribution, batches, reductions, counting and checks belong to the layer eval;
 * a problem knows nothing of MPI beyond its set-up.
 */
#ifndef BLO_PROBLEM_H
#define BLO_PROBLEM_H

#include <blo/data.h>
#include <blo/linalg.h>
#include <blo/model.h>
#include <blo/options.h>
#include <blo/random.h>

typedef enum blo_level { BLO_LOWER, BLO_UPPER } blo_level;

/** What a sweep may ask for. Of the upper level (f) only the first three exist. */
enum {
  BLO_WANT_VALUE = 1, /**< g or f */
  BLO_WANT_X = 2,     /**< grad_x g or grad_x f */
  BLO_WANT_Y = 4,     /**< grad_y g or grad_y f */
  BLO_WANT_HV = 8,    /**< H v */
  BLO_WANT_JV = 16,   /**< J v */
  /** With BLO_WANT_HV, without BLO_WANT_JV: instead of H v the products with the (generalised)
   *  Gauss-Newton matrix: that of g with its convex losses, but with the model in them linear in y
   *  around the current point. Positive semidefinite (Schraudolph 2002, Neural Computation 14(7)).
   *  Only asked of problems with BLO_HAS_GAUSS_NEWTON. */
  BLO_WANT_GAUSS_NEWTON = 32
};

/** Directions v that one sweep can take at once. */
enum { BLO_DIRECTIONS_MAX = 8 };

/** Where a sweep is evaluated, as this rank has it. */
typedef struct blo_point {
  const double *x; /**< x->data of this rank: [n_x], or the rank's slices if x is sharded */
  const double *y; /**< [n_y], or the rank's slices if y is sharded */
  blo_int n_v;     /**< directions; 0 unless H v or J v is wanted; 1 without BLO_HAS_DIRECTIONS */
  const double *v[BLO_DIRECTIONS_MAX]; /**< [n_v] each as y */
} blo_point;

/** The part of a sweep that lies in one logical shard. */
typedef struct blo_shard_task {
  blo_level level;
  unsigned want;
  blo_int shard;      /**< its number */
  blo_int n_rows;     /**< samples of the batch in this shard */
  const int32_t *row; /**< [n_rows] counted from the shard's first sample; NULL: 0, 1, 2, ... */
  const double *x;    /**< aligned x: the shard's slice; else [n_x] */
  const double *y;    /**< aligned y: the shard's slice; else [n_y] */
  blo_int n_v;        /**< as in blo_point */
  const double *v[BLO_DIRECTIONS_MAX]; /**< each as y */
  double scale;                        /**< factor of everything that is added */
  bool linearized; /**< `cache` holds what an earlier sweep left there; y need not be looked at */
  bool same_x; /**< `cache` is to be filled, and holds what an earlier sweep left there at the same
                    x and rows: whatever in it does not depend on y need not be computed again */
  double *cache; /**< [n_rows][cache_per_sample] to fill or to use, or NULL */
} blo_shard_task;

/** Where contributions are added; NULL what is not wanted. */
typedef struct blo_shard_out {
  double *value;                  /**< one number */
  double *gx;                     /**< aligned x: the shard's slice; else [n_x] */
  double *gy;                     /**< aligned y: the shard's slice; else [n_packed] */
  double *hv[BLO_DIRECTIONS_MAX]; /**< [n_v] each as gy; all NULL or none */
  double *jv[BLO_DIRECTIONS_MAX]; /**< [n_v] each as gx; all NULL or none */
} blo_shard_out;

/** One task metric, as it stands in the run file. */
typedef struct blo_metric {
  const char *name, *unit, *help;
} blo_metric;

typedef struct blo_problem blo_problem;

/** Part of a vector: `n` numbers that begin at global index `first`. */
typedef struct blo_slice {
  blo_int first, n;
  double *data;
} blo_slice;

/** What the samples contribute to; what is not said here is zero, or comes from `common`. */
enum {
  BLO_HAS_G_X = 1, /**< grad_x g and J v have contributions of samples */
  BLO_HAS_F_X = 2, /**< grad_x f has contributions of samples */
  /** `shard` and `common` take several directions at once; without it a sweep with several
   *  directions is made one direction at a time */
  BLO_HAS_DIRECTIONS = 4,
  BLO_HAS_GAUSS_NEWTON = 8 /**< BLO_WANT_GAUSS_NEWTON is answered */
};

typedef struct blo_problem_type blo_problem_type;
struct blo_problem_type {
  const char *name;             /**< key in run files */
  const char *summary;          /**< one line for `parblo list` */
  const char *source;           /**< where the problem comes from */
  size_t state_size;            /**< private struct, zeroed */
  const blo_opt_table *options; /**< its struct is `options` of the instance */
  unsigned has;                 /**< BLO_HAS_..., what an instance begins with */
  const blo_metric *metrics;
  blo_int n_metrics;
  blo_int n_metric_sums; /**< sums over samples that the metrics are made of */

  /** The descriptor to go on with, by the options, which are those of both; may be NULL. Local. */
  const blo_problem_type *(*variant)(const blo_problem *p);
  /** Of problems made of graphs (network.h): describe the losses of a level. Local. */
  void (*describe)(const blo_problem *p, blo_level level, blo_graph *g);
  /** Load data, set the public sizes of the instance, make the state. Call: Collective. */
  blo_status (*setup)(blo_problem *p);
  /** Free the state; also after a failed setup. Call: Local. */
  void (*teardown)(blo_problem *p);
  /** Starting values of the entries of x and of y that this rank stores. Call: Local. */
  void (*start)(const blo_problem *p, const blo_slice *x, const blo_slice *y);
  /** Before the shards of a sweep: whatever is the same for all (pack y and v). May be NULL. Local.
   */
  void (*prepare)(blo_problem *p, const blo_point *at, unsigned want_lower, unsigned want_upper,
                  bool linearized);
  /** Add scale * (sum over the task's samples) to `out`. Call: Local. */
  blo_status (*shard)(blo_problem *p, const blo_shard_task *task, const blo_shard_out *out);
  /** From a packed sum [n_packed] to [n_y]; linear. NULL: n_packed = n_y and nothing to do. Local.
   */
  void (*unpack)(const blo_problem *p, const double *packed, double *y);
  /** Add scale * (terms without samples: r_g, r_f and their derivatives) to `out`, whose gy and hv
   *  are the rank's part of a y-vector, gx and jv that of an x-vector, as in blo_point. With a
   * sharded x each rank sees only its own part of x, so the value must then depend on y alone:
   * terms in x_i belong to sample i, in `shard`. Likewise the value must not depend on a y that
   * belongs to tasks. May be NULL. Local.
   */
  void (*common)(const blo_problem *p, blo_level level, unsigned want, const blo_point *at,
                 double scale, const blo_shard_out *out);
  /**
   * The problem's own sets X and Y (`set: {type: user}`). With d = NULL: z <- the nearest point of
   * X (level upper) or of Y (level lower). Else z stays, and d <- (derivative of the projection at
   * z)' d. z is all of the vector, or the rank's part if it is sharded: then the set must be a
   * product over the entries. May be NULL. Local.
   */
  void (*project)(const blo_problem *p, blo_level level, const blo_slice *z, double *d);
  /** Before the metric sums of the shards, with no direction. May be NULL. Call: Local. */
  void (*metrics_prepare)(blo_problem *p, const blo_point *at);
  /** Add one shard's sums. @param[in,out] sums [n_metric_sums]. Call: Local. */
  blo_status (*metrics_shard)(blo_problem *p, blo_int shard, const double *x, double *sums);
  /** From the total sums to the metrics. @param[out] values [n_metrics]. Call: Local. */
  void (*metrics_finish)(const blo_problem *p, const double *sums, double *values);
};

/** An instance. Sizes are set by `setup` and fixed from then on. */
struct blo_problem {
  const blo_problem_type *type;
  blo_comm *comm;
  blo_context *ctx;
  void *options; /**< the struct of type->options */
  void *state;   /**< [state_size] */
  unsigned has;  /**< BLO_HAS_...; setup may change it */
  blo_int n_x, n_y;
  blo_int n_packed;         /**< length of packed y-sums; n_y if `unpack` is NULL */
  blo_int n_lower, n_upper; /**< samples of g and of f */
  blo_int n_shards;         /**< logical shards of both sample sets, of x and of y */
  bool x_aligned;           /**< x_i belongs to sample i of g: n_x = n_lower */
  /** If not 0: each sample of g, a task, has y_width numbers of y of its own, so n_y = n_lower *
   *  y_width; y is sharded with the tasks, and g is the sum of the tasks' own g_i, not their mean:
   * so step sizes are a task's, whatever the number of tasks. Sample i of f is then task i too
   * (n_upper = n_lower), and methods draw one batch of tasks an outer iteration for everything.
   * `unpack` is NULL, x is not aligned. */
  blo_int y_width;
  bool minimax;  /**< g = -f: methods for min over x of max over y of f ask for f only */
  bool reuses_x; /**< `shard` gains from same_x */
  blo_layout x_layout;
  blo_int cache_per_sample; /**< doubles kept per sample when linearised; 0: cannot */
  uint64_t fingerprint;     /**< identifies data and sizes; the same on any number of ranks */
  const blo_params *params; /**< names of the parts of x and y, or NULL */
};

/**
 * Make a problem from its block of a run file.
 *
 * Call  Collective. Same: all arguments.
 * @param[in] conf  the map `problem`; borrowed, outlives the problem; NULL: all defaults
 * @return BLO_OK; BLO_E_OPTION; whatever reading the data gives
 */
BLO_API BLO_MUST_USE blo_status blo_problem_create(blo_comm *comm, const blo_problem_type *type,
                                                   const blo_conf *conf, blo_problem **out);
/** Free it. NULL is accepted. Call: Local. */
BLO_API void blo_problem_destroy(blo_problem **problem);
/** The built-in type of that name, NULL if there is none; and the list. Call: Local. */
BLO_API const blo_problem_type *blo_problem_find(const char *name);
BLO_API const blo_problem_type *const *blo_problem_types(blo_int *n);
/** The space of x, and that of y: replicated, or sharded with the tasks it belongs to. Call: Local.
 */
BLO_API BLO_MUST_USE blo_status blo_problem_spaces(blo_problem *p, blo_space **x, blo_space **y);

#endif

/**
 * @file
 * solver: methods that advance a bilevel problem by one outer iteration at a time, the report that
 * each iteration fills, and the blocks that methods are made of.
 *
 * A method is one const descriptor (blo_solver_type) in one file, named in solver_list.h. The run
 * driver owns the loop; a solver knows nothing of files, budgets, signals or MPI.
 */
#ifndef BLO_SOLVER_H
#define BLO_SOLVER_H

#include <blo/hypergrad.h>
#include <blo/projection.h>

/** What is known of the second order at a point x. */
#define BLO_SECOND_ORDER_LIST(X)                                                                   \
  X(BLO_SECOND_ORDER_NONE, "none") /* nobody asked */                                              \
  X(BLO_SECOND_ORDER_UNDECIDED, "not decided")                                                     \
  X(BLO_SECOND_ORDER_SADDLE, "strict saddle") /* stationary, with negative curvature of F */       \
  X(BLO_SECOND_ORDER_MINIMUM, "approximate local minimum")
#define BLO_SECOND_ORDER_ENUM(code, text) code,
typedef enum blo_second_order {
  BLO_SECOND_ORDER_LIST(BLO_SECOND_ORDER_ENUM) BLO_SECOND_ORDER_COUNT
} blo_second_order;
#undef BLO_SECOND_ORDER_ENUM
/** The words for it. Call: Local. */
BLO_API const char *blo_second_order_text(blo_second_order verdict);

/** What one outer iteration reports; a column of the history each, NAN where not computed. */
#define BLO_REPORT_LIST(X)                                                                         \
  X(f, "-", "upper objective on the batch of the iteration")                                       \
  X(g, "-", "lower objective on the batch of the iteration")                                       \
  X(hypergrad_norm, "-", "norm of the hypergradient estimate")                                     \
  X(lower_residual, "-", "norm of grad_y g at the point of the hypergradient")                     \
  X(adjoint_residual, "-", "norm of H v - grad_y f")                                               \
  X(adjoint_rhs, "-", "norm of grad_y f")                                                          \
  X(adjoint_relative, "-", "adjoint_residual / adjoint_rhs")                                       \
  X(adjoint_iterations, "products", "Hessian products of the adjoint solve")                       \
  X(curvature, "-",                                                                                \
    "smallest curvature of g met: by CG, or as an eigenvalue of a tracked Hessian")                \
  X(factorizations, "-", "factorisations of H in this iteration")                                  \
  X(grid_ranks, "ranks",                                                                           \
    "ranks that share the dense matrices; if more than 1, the last bits depend on their grid")     \
  X(lower_steps, "steps", "lower-level steps taken in this iteration")                             \
  X(perturbations, "-", "perturbations and steps along negative curvature so far")                 \
  X(search, "-", "length of the vector that a search for negative curvature of F lets grow")       \
  X(curvature_F, "-", "curvature of F along the direction that the last search found")             \
  X(truncation, "steps", "the lower-level step at which the trajectory is cut")                    \
  X(penalty, "-", "weight of the lower level in a penalised problem")                              \
  X(step_x, "-", "upper step size")                                                                \
  X(step_y, "-", "lower step size of a schedule")
#define BLO_REPORT_FIELD(name, unit, help) double name;
typedef struct blo_report {
  BLO_REPORT_LIST(BLO_REPORT_FIELD)
  /** What run.tol is compared with, which must be small only at a solution: of methods that move y
   *  or an adjoint by single steps their residuals count too. NAN: hypergrad_norm; infinite: not
   *  yet. Set if `want_norms`. */
  double stationarity;
  blo_verdict verdict;
  blo_second_order second_order; /**< of methods that look for it: what they know by now */
  bool converged;                /**< the method's own stopping test is met */
} blo_report;
#undef BLO_REPORT_FIELD
/** A report in which nothing was computed. Call: Local. */
BLO_API blo_report blo_report_none(void);

enum { BLO_EVIDENCE_MAX = 256 };

typedef struct blo_solver blo_solver;

typedef struct blo_solver_type {
  const char *name;    /**< key in run files and checkpoints */
  const char *summary; /**< one line for `parblo list` */
  const char *source;  /**< paper, algorithm */
  const char *cost;    /**< oracle calls and reductions of one outer iteration, in words */
  size_t state_size;
  const blo_opt_table *options;
  blo_status (*setup)(blo_solver *s);               /**< Collective: blocks, state entries */
  blo_status (*step)(blo_solver *s, blo_report *r); /**< Collective: one outer iteration */
  void (*teardown)(blo_solver *s);                  /**< Local; also after a failed setup */
  /** Print more lines for blo_solver_describe(), or NULL. Local, at the root. */
  void (*describe)(const blo_solver *s, FILE *to);
} blo_solver_type;

struct blo_solver {
  const blo_solver_type *type;
  blo_eval *eval;
  void *options; /**< the struct of type->options; const to the method */
  void *data;    /**< [state_size] the method's own struct */
  uint64_t seed;
  blo_state *state; /**< what a checkpoint holds */
  blo_int k;        /**< outer iterations done */
  blo_vec *x, *y;   /**< the iterates; x is published */
  bool want_norms;  /**< the report's norms are wanted in this step (they may cost a message) */
  char evidence[BLO_EVIDENCE_MAX]; /**< what the report's second_order rests on, in words; set with
                                      it */
};

/**
 * Make a solver at the problem's starting point.
 *
 * Call  Collective. Same: all arguments.
 * @param[in] conf  the map `solver`; borrowed, outlives the solver; NULL: all defaults
 */
BLO_API BLO_MUST_USE blo_status blo_solver_create(blo_eval *eval, const blo_solver_type *type,
                                                  const blo_conf *conf, uint64_t seed,
                                                  blo_solver **out);
/** Free it. NULL is accepted. Call: Local. */
BLO_API void blo_solver_destroy(blo_solver **solver);
/**
 * One outer iteration.
 * Call  Collective. @return BLO_OK; BLO_E_NONFINITE or BLO_E_CURVATURE, which the driver turns into
 *       an outcome; other statuses are errors. x and y are unusable after a failure.
 */
BLO_API BLO_MUST_USE blo_status blo_solver_step(blo_solver *solver, blo_report *report);
/** Print the effective pipeline and the cost of one iteration (`--dry-run`). Call: Local. */
BLO_API void blo_solver_describe(const blo_solver *solver, FILE *to);
BLO_API const blo_solver_type *blo_solver_find(const char *name);
BLO_API const blo_solver_type *const *blo_solver_types(blo_int *n);

/* ------------------------------------------------------------- blocks */

/** Enter what an estimator tells of its last estimate. Call: Local. */
BLO_API void blo_report_estimate(const blo_estimator *e, blo_report *r);
/** Enter the factorisations of a shared Hessian since there were `before`, and its grid; NULL:
 *  there is none. Call: Local. */
BLO_API void blo_report_hessian(const blo_hessian *h, blo_int before, blo_report *r);
/**
 * See that what this step has moved is finite. Of a sharded vector each rank sees only its own
 * part: there the next sweep looks at it. Call  Local, with the same result on all ranks.
 * @param[in] what  e.g. "x", "the upper step"
 * @return BLO_OK; BLO_E_NONFINITE "x is not finite after the upper step of iteration k"
 */
BLO_API BLO_MUST_USE blo_status blo_step_check(const blo_vec *v, const char *name, const char *what,
                                               blo_int k);

/** A step size c / (t + 1)^e, t = 0, 1, ... */
typedef struct blo_schedule {
  double step, decay;
} blo_schedule;
/** Its value at t. Call: Local. */
BLO_API double blo_schedule_at(blo_schedule schedule, blo_int t);

/** Rows for a schedule in the struct T, with a method's own defaults. */
#define BLO_SCHEDULE_ROWS(T, step_def, decay_def, what)                                            \
  BLO_OPT(T, step, step_def, 0, 1e12, "-", what, "", 0),                                           \
      BLO_OPT(T, decay, decay_def, 0, 10, "-",                                                     \
              "e of the step size step / (k + 1)^e in outer iteration k", "", 0)

/** What a lower-level step is. */
typedef enum blo_lower_rule {
  BLO_LOWER_GRADIENT,
  BLO_LOWER_NEWTON,
  BLO_LOWER_GAUSS_NEWTON
} blo_lower_rule;
/** "gradient", "newton", "gauss_newton", NULL. */
BLO_API extern const char *const blo_lower_rule_names[];

/**
 * Options of the lower track. gradient: T steps y <- y - rho m, m <- momentum m + grad_y g(x, y;
 * batch). newton, gauss_newton: at most T steps y <- y + t p, (B + tau I) p = - grad_y g, where B
 * is H or the Gauss-Newton matrix, tau >= 0 makes it safely positive definite, and t = 1, 1/2, 1/4,
 * ... is the first that decreases g enough (Nocedal and Wright 2006, algorithms 3.1, 3.2 and 3.3).
 */
typedef struct blo_lower_options {
  blo_int steps, batch;
  double step, decay, momentum;
  bool warm_start;
  int rule;   /**< blo_lower_rule */
  double tol; /**< newton, gauss_newton: no more steps once ||grad_y g|| <= tol */
} blo_lower_options;
#define BLO_LOWER_ROWS(steps_def, step_def, batch_def)                                             \
  BLO_OPT(blo_lower_options, steps, steps_def, 1, 1e9, "steps",                                    \
          "lower-level steps in an outer iteration", "", 0),                                       \
      BLO_OPT(blo_lower_options, batch, batch_def, 0, 1e12, "samples",                             \
              "samples of g in a step, 0 = all", "", 0),                                           \
      BLO_SCHEDULE_ROWS(blo_lower_options, step_def, "0", "lower step size rho"),                  \
      BLO_OPT(blo_lower_options, momentum, "0", 0, 0.9999, "-",                                    \
              "heavy-ball momentum of the lower steps", "Polyak 1964", 0),                         \
      BLO_OPT_PLAIN(blo_lower_options, warm_start, "true",                                         \
                    "begin at the y of the iteration before, not at the starting point", 0),       \
      BLO_OPT_NAMES(blo_lower_options, rule, "gradient", blo_lower_rule_names,                     \
                    "a step: along the gradient, or Newton's or Gauss-Newton's with line search, " \
                    "for which the matrix is assembled and factorised (see dense); step, decay "   \
                    "and momentum are the gradient's",                                             \
                    "Nocedal and Wright 2006, Numerical Optimization, chapters 3 and 10", 0),      \
      BLO_OPT(blo_lower_options, tol, "1e-10", 0, BLO_INF, "-",                                    \
              "newton, gauss_newton: no more steps once the norm of grad_y g is at most tol", "",  \
              0)

typedef struct blo_lower blo_lower;
/**
 * Make a lower track that starts from `y0` unless warm started; its entries "lower.*" go to
 * `state`. Call  Local.
 * @param[in] hessian  borrowed, may be shared with other blocks; needed by newton and gauss_newton
 * @return BLO_OK; BLO_E_MEMORY; BLO_E_UNSUPPORTED if the problem has no Gauss-Newton matrix, or
 *         Newton steps are asked on batches of tasks; BLO_E_OPTION if they are given momentum
 */
BLO_API BLO_MUST_USE blo_status blo_lower_create(blo_eval *eval, const blo_lower_options *options,
                                                 uint64_t seed, const blo_vec *y0,
                                                 blo_hessian *hessian, blo_state *state,
                                                 blo_lower **out);
/** Steps that the last blo_lower_track() took. Call: Local. */
BLO_API blo_int blo_lower_steps_taken(const blo_lower *lower);
/** True if a track of these options works with a blo_hessian. Call: Local. */
BLO_API bool blo_lower_is_dense(const blo_lower_options *options);
/** Free it. NULL is accepted. Call: Local. */
BLO_API void blo_lower_destroy(blo_lower **lower);
/** Run the T steps of outer iteration k on y. Call: Collective. Cost: T reductions, or none if y
 *  belongs to tasks: what fails is then kept (see blo_eval_sweep()).
 *  @return BLO_OK; what a sweep returns */
BLO_API BLO_MUST_USE blo_status blo_lower_track(blo_lower *lower, blo_int k, const blo_vec *x,
                                                blo_vec *y);

/** How the upper step uses the hypergradient estimate. */
typedef enum blo_upper_rule { BLO_UPPER_SGD, BLO_UPPER_ADAM } blo_upper_rule;
/** "sgd", "adam", NULL. */
BLO_API extern const char *const blo_upper_rule_names[];

/** Options of the upper step. sgd: x <- P_X(x - gamma m), m <- momentum m + hx; adam:
 *  blo_vec_adam(), then P_X. */
typedef struct blo_upper_options {
  blo_int batch;
  double step, decay;
  int rule; /**< blo_upper_rule */
  double momentum;
  double beta1, beta2, epsilon; /**< of adam */
  double clip;                  /**< largest norm of hx that is used; 0: any */
  blo_projection_options set;   /**< X: x is projected onto it after each step */
} blo_upper_options;
/** The tables inside that of blo_upper_options. */
BLO_API extern const blo_opt_sub blo_upper_subs[1];
#define BLO_UPPER_ROWS(step_def, decay_def, batch_def)                                             \
  BLO_OPT(blo_upper_options, batch, batch_def, 0, 1e12, "samples",                                 \
          "samples of f in an iteration, 0 = all", "", 0),                                         \
      BLO_SCHEDULE_ROWS(blo_upper_options, step_def, decay_def, "upper step size gamma"),          \
      BLO_OPT_NAMES(blo_upper_options, rule, "sgd", blo_upper_rule_names,                          \
                    "the step: along the hypergradient, or Adam's, with its moments",              \
                    "Kingma and Ba 2015, arXiv 1412.6980, algorithm 1", 0),                        \
      BLO_OPT(blo_upper_options, momentum, "0", 0, 0.9999, "-",                                    \
              "sgd: heavy-ball momentum of the upper steps", "Polyak 1964", 0),                    \
      BLO_OPT(blo_upper_options, beta1, "0.9", 0, 0.9999, "-",                                     \
              "adam: decay of the mean of the hypergradients", "", 0),                             \
      BLO_OPT(blo_upper_options, beta2, "0.999", 0, 0.999999, "-",                                 \
              "adam: decay of the mean of their squares", "", 0),                                  \
      BLO_OPT(blo_upper_options, epsilon, "1e-8", 0, 1, "-",                                       \
              "adam: added to the root of the mean square", "", BLO_OPT_OPEN_LOW),                 \
      BLO_OPT(blo_upper_options, clip, "0", 0, BLO_INF, "-",                                       \
              "a hypergradient with a larger norm is scaled to this norm, 0 = none is; the norm "  \
              "costs one message an iteration if x is sharded or rooted",                          \
              "Pascanu, Mikolov and Bengio 2013, arXiv 1211.5063, algorithm 1", 0)

typedef struct blo_upper blo_upper;
/** Make an upper step; its entries "upper.*" go to `state`. Call: Local.
 *  @return BLO_OK; BLO_E_OPTION if adam is given momentum; BLO_E_MEMORY */
BLO_API BLO_MUST_USE blo_status blo_upper_create(blo_eval *eval, const blo_upper_options *options,
                                                 blo_state *state, blo_upper **out);
/** Free it. NULL is accepted. Call: Local. */
BLO_API void blo_upper_destroy(blo_upper **upper);
/** Bring the starting point into X, and publish it. Call: Collective. */
BLO_API void blo_upper_begin(blo_upper *upper, blo_vec *x);
/** The step of outer iteration k with the estimate hx, and publish x. Call: Collective. Cost: one
 *  broadcast if x is rooted; with `clip` one message more unless x is replicated; the projection's.
 *  @return BLO_OK; BLO_E_NONFINITE */
BLO_API BLO_MUST_USE blo_status blo_upper_step(blo_upper *upper, blo_int k, const blo_vec *hx,
                                               blo_vec *x);

#endif

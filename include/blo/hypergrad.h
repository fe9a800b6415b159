/**
 * @file
 * hypergrad: estimators of the hypergradient
 *
 *     grad F(x) = grad_x f - J v,   H v = grad_y f,   all at (x, y) with y close to y*(x)
 *
 * (implicit function theorem; e.g. Ghadimi and Wang 2018, arXiv 1802.02246, Lemma 2.1). An
 * estimator solves the adjoint system for v in its way and says how well: every hypergradient
 * carries a certificate.
 */
#ifndef BLO_HYPERGRAD_H
#define BLO_HYPERGRAD_H

#include <blo/eval.h>
#include <blo/hessian.h>
#include <blo/state.h>

/** How an adjoint solve ended. */
#define BLO_VERDICT_LIST(X)                                                                        \
  X(BLO_VERDICT_NONE, "none")                    /* no adjoint system was solved */                \
  X(BLO_VERDICT_CONVERGED, "converged")          /* the tolerance was reached */                   \
  X(BLO_VERDICT_SPENT, "iterations spent")       /* the iterations are used up */                  \
  X(BLO_VERDICT_CURVATURE, "negative curvature") /* H is not positive definite */                  \
  X(BLO_VERDICT_GREW, "residual grew")           /* a Neumann series that does not contract */     \
  X(BLO_VERDICT_ILL, "ill-conditioned")          /* direct: H is singular to working precision, or \
                                                    the residual is above the tolerance */
#define BLO_VERDICT_ENUM(code, text) code,
typedef enum blo_verdict { BLO_VERDICT_LIST(BLO_VERDICT_ENUM) BLO_VERDICT_COUNT } blo_verdict;
#undef BLO_VERDICT_ENUM
/** The words for a verdict. Call: Local. */
BLO_API const char *blo_verdict_text(blo_verdict verdict);

/** What is known about the quality of a hypergradient; NAN where a number was not computed. */
typedef struct blo_certificate {
  double lower_residual;   /**< ||grad_y g(x, y)|| */
  double adjoint_residual; /**< ||H v - grad_y f||, from a product with the final v */
  double adjoint_rhs;      /**< ||grad_y f|| */
  double adjoint_relative; /**< adjoint_residual / adjoint_rhs; 0 if both are 0 */
  double curvature;        /**< smallest p'Hp / p'p that was met (CG) */
  double rcond;            /**< direct: 1-norm reciprocal condition number of H, estimated */
  blo_int iterations;      /**< products with H used to find v */
  blo_verdict verdict;
  bool sampled;             /**< the numbers come from batches, not from all data */
  blo_factor_kind factor;   /**< direct: what H was factorised into */
  blo_clip_report clip;     /**< tracked matrices: how H was clipped, and how often each way */
  bool factor_reused;       /**< direct: x and y stood still, and so did the factors */
  int grid_rows, grid_cols; /**< dense matrices: the grid of ranks on which the bits of v depend; 1
                               x 1: on none; 0 x 0: there is none */
} blo_certificate;

/** What an adjoint solve does when it meets p'Hp <= 0. */
typedef enum blo_on_curvature { BLO_CURVATURE_STOP, BLO_CURVATURE_TRUNCATE } blo_on_curvature;

/** Options of the adjoint solve, the block `adjoint` of a solver. */
typedef struct blo_adjoint_options {
  blo_int iterations; /**< K: products with H */
  blo_int batch;      /**< samples of g per batch, 0 = all */
  double tol;         /**< CG: stop at ||H v - grad_y f|| <= tol ||grad_y f|| */
  double step;        /**< Neumann: eta */
  int type;           /**< index into blo_estimator_names */
  int on_curvature;   /**< blo_on_curvature */
  bool warm_start;    /**< begin at the last v */
} blo_adjoint_options;

/** Names of the estimators for option tables, NULL-terminated. */
BLO_API extern const char *const blo_estimator_names[];
BLO_API extern const char *const blo_on_curvature_names[];

/** The rows of an option table for blo_adjoint_options, with a method's own defaults. */
#define BLO_ADJOINT_ROWS(type_def, iterations_def, step_def, batch_def, warm_def)                  \
  BLO_OPT_NAMES(blo_adjoint_options, type, type_def, blo_estimator_names,                          \
                "how H v = grad_y f is solved", "", 0),                                            \
      BLO_OPT(blo_adjoint_options, iterations, iterations_def, 1, 1e9, "products",                 \
              "products with H: CG iterations at most, or terms of the Neumann series beyond the " \
              "first; "                                                                            \
              "direct takes n_y when H has changed",                                               \
              "", 0),                                                                              \
      BLO_OPT(                                                                                     \
          blo_adjoint_options, batch, batch_def, 0, 1e12, "samples",                               \
          "samples of g in a product, 0 = all; the Neumann series draws a fresh batch for each "   \
          "product, CG and direct one for all",                                                    \
          "", 0),                                                                                  \
      BLO_OPT(                                                                                     \
          blo_adjoint_options, tol, "1e-10", 0, 1, "-",                                            \
          "CG: stop when the residual is at most tol (or rounding) times the norm of grad_y f; "   \
          "direct: call a larger one ill-conditioned",                                             \
          "", 0),                                                                                  \
      BLO_OPT(blo_adjoint_options, step, step_def, 0, 1e12, "-",                                   \
              "Neumann: eta, less than 2 over the largest eigenvalue of H",                        \
              "Ji, Yang and Liang 2021, arXiv 2010.07962, eq. 4", BLO_OPT_OPEN_LOW),               \
      BLO_OPT_NAMES(                                                                               \
          blo_adjoint_options, on_curvature, "stop", blo_on_curvature_names,                       \
          "CG met negative curvature of g, or direct an H that is not positive definite or is "    \
          "singular: end the run, or go on (CG with the v found so far, direct with LU factors)",  \
          "", 0),                                                                                  \
      BLO_OPT_PLAIN(blo_adjoint_options, warm_start, warm_def,                                     \
                    "begin the solve at the v of the iteration before", 0)

/** The block with general defaults, for documentation and tests. */
BLO_API extern const blo_opt_table blo_adjoint_table;

typedef struct blo_estimator blo_estimator;

typedef struct blo_estimator_type {
  const char *name, *summary, *source;
  blo_int n_work; /**< y-vectors of work */
  bool one_batch; /**< all products of a solve must be with the same H */
  bool dense;     /**< works with e->assembled */
  /**
   * Improve e->v as a solution of H v = e->rhs. On entry e->work[0] holds rhs - H v.
   * Sets iterations, curvature and verdict of the certificate. Call: Collective.
   */
  blo_status (*solve)(blo_estimator *e);
} blo_estimator_type;

/** An instance. Solvers read v, f, g and the certificate; the rest is for estimator types. */
struct blo_estimator {
  const blo_estimator_type *type;
  blo_eval *eval;
  const blo_adjoint_options *options; /**< borrowed */
  blo_sampler *upper;                 /**< batches of f */
  blo_sampler *hessian, *cross;       /**< batches of H v and of J v */
  bool fixed;                         /**< one batch of g serves a whole solve */
  blo_hessian *assembled;             /**< of types with `dense`, else NULL */
  bool own_assembled;                 /**< made here */
  blo_int k, draw;                    /**< the call, and its next Hessian batch */
  const blo_batch *batch;             /**< of the whole solve, if it is fixed */
  const blo_vec *x, *y;               /**< where the current solve is */
  blo_vec *v;                         /**< the adjoint */
  blo_vec *hv, *rhs, *g_y;            /**< a product, grad_y f, grad_y g */
  blo_vec *f_x;
  blo_vec *work[4];
  double f, g; /**< values on the batches of the last call; g is NAN if not evaluated */
  blo_certificate certificate;
};

/**
 * Make an estimator.
 *
 * Call  Collective.
 * @param[in] options      borrowed
 * @param[in] batch_upper  samples of f per batch, 0 = all
 * @param[in] seed         of the batches
 * @param[in] hessian      for `direct`, borrowed, may be shared with other blocks; NULL: it makes
 *                         one with the default options if it needs one
 * @param[in,out] state    receives "adjoint.v" if the solve is warm started
 * @return BLO_OK; BLO_E_MEMORY; BLO_E_UNSUPPORTED for `direct` with batches of tasks
 */
BLO_API BLO_MUST_USE blo_status blo_estimator_create(blo_eval *eval,
                                                     const blo_adjoint_options *options,
                                                     blo_int batch_upper, uint64_t seed,
                                                     blo_hessian *hessian, blo_state *state,
                                                     blo_estimator **out);
/** True if an adjoint of these options works with a blo_hessian. Call: Local. */
BLO_API bool blo_adjoint_is_dense(const blo_adjoint_options *options);
/** Free it. NULL is accepted. Call: Local. */
BLO_API void blo_estimator_destroy(blo_estimator **e);
/**
 * Estimate the hypergradient at (x, y).
 *
 * Call  Collective.
 * Cost  K + 2 reductions with K products of the solve; a warm start costs no more. If y belongs to
 *       tasks the products cost none, but the scalar products one each
 * @param[in]  k   number of the call (the outer iteration): it numbers the batches; with fresh
 *                 ones the Hessian batches are k (K + 1), k (K + 1) + 1, ...; if y belongs to
 *                 tasks, batch k of tasks serves for everything
 * @param[out] hx  [n_x] in the space of x
 * @return BLO_OK, with e->certificate; BLO_E_CURVATURE if CG met p'Hp <= 0 and `on_curvature` is
 *         "stop"; what a sweep returns
 */
BLO_API BLO_MUST_USE blo_status blo_estimator_compute(blo_estimator *e, blo_int k, const blo_vec *x,
                                                      const blo_vec *y, blo_vec *hx);
/** For estimator types: e->hv = H p, on the solve's batch or a fresh one. Call: Collective. */
BLO_API BLO_MUST_USE blo_status blo_estimator_product(blo_estimator *e, const blo_vec *p);
/** The type of that name, NULL if there is none; and the list. Call: Local. */
BLO_API const blo_estimator_type *blo_estimator_find(const char *name);
BLO_API const blo_estimator_type *const *blo_estimator_types(blo_int *n);

/**
 * The hypergradient at (x, y) over all data by a dense direct solution: H column by column from
 * products, at the root; Cholesky factors (LAPACK dpotrf), or if H is not positive definite those
 * of Bunch and Kaufman (dsysv). The yardstick of the estimators, for small n_y.
 *
 * Call  Collective. Cost: n_y + 3 sweeps, or n_y / 8 + 3 if the problem takes several directions;
 *       2 n_y^2 doubles at the root
 * @param[out] hx     [n_x] in the space of x
 * @param[out] rcond  replicated: 1-norm reciprocal condition number of H, negative if H is not
 *                    positive definite; may be NULL
 * @return BLO_OK; BLO_E_CURVATURE if H is singular; BLO_E_SHAPE if n_y does not fit LAPACK's
 *         integers; BLO_E_MEMORY; what a sweep returns
 */
BLO_API BLO_MUST_USE blo_status blo_dense_hypergradient(blo_eval *eval, const blo_vec *x,
                                                        const blo_vec *y, blo_vec *hx,
                                                        double *rcond);

#endif

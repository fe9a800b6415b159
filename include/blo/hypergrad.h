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
#include <blo/state.h>

/** How an adjoint solve ended. */
#define BLO_VERDICT_LIST(X)                                                                        \
  X(BLO_VERDICT_NONE, "none")                    /* no adjoint system was solved */                \
  X(BLO_VERDICT_CONVERGED, "converged")          /* the tolerance was reached */                   \
  X(BLO_VERDICT_SPENT, "iterations spent")       /* the iterations are used up */                  \
  X(BLO_VERDICT_CURVATURE, "negative curvature") /* H is not positive definite */                  \
  X(BLO_VERDICT_GREW, "residual grew")           /* a Neumann series that does not contract */
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
  double curvature;        /**< smallest p'Hp / p'p that was met (CG) */
  blo_int iterations;      /**< products with H used to find v */
  blo_verdict verdict;
  bool sampled; /**< the numbers come from batches, not from all data */
} blo_certificate;

typedef struct blo_estimator blo_estimator;

typedef struct blo_estimator_type {
  const char *name, *summary, *source;
  size_t state_size;
  const blo_opt_table *options;
  blo_status (*setup)(blo_estimator *e); /**< Local: memory, state entries */
  void (*teardown)(blo_estimator *e);    /**< Local */
  /** Solve H v = grad_y f; see blo_estimator_compute(). Collective. */
  blo_status (*solve)(blo_estimator *e, const blo_vec *x, const blo_vec *y);
} blo_estimator_type;

/** An instance; solvers touch only what blo_estimator_compute() gives. */
struct blo_estimator {
  const blo_estimator_type *type;
  blo_eval *eval;
  const void *options;          /**< the struct of type->options */
  void *state;                  /**< [state_size] */
  blo_sampler *upper;           /**< batches of f */
  blo_sampler *hessian, *cross; /**< batches of H v and of J v */
  bool full;                    /**< hessian and cross batches are all data: linearise once */
  blo_int n_calls;              /**< hypergradients so far: numbers the batches */
  blo_vec *v;                   /**< the adjoint, kept for a warm start */
  blo_vec *hv, *rhs, *g_y;      /**< work: a product, grad_y f, grad_y g */
  blo_vec *f_x;
  double f, g; /**< values on the batches of the last call */
  blo_certificate certificate;
};

/**
 * Make an estimator.
 *
 * Call  Collective.
 * @param[in] type_name  "cg" or "neumann"; checked by the caller's option table
 * @param[in] options    the struct of the type's option table; borrowed
 * @param[in] batch_upper, batch_hessian  samples per batch, 0 = all
 * @param[in] seed       of the batches
 * @param[in,out] state  receives the estimator's entries, names beginning with "adjoint."
 */
BLO_API BLO_MUST_USE blo_status blo_estimator_create(blo_eval *eval, const char *type_name,
                                                     const void *options, blo_int batch_upper,
                                                     blo_int batch_hessian, uint64_t seed,
                                                     blo_state *state, blo_estimator **out);
/** Free it. NULL is accepted. Call: Local. */
BLO_API void blo_estimator_destroy(blo_estimator **e);
/**
 * Estimate the hypergradient at (x, y).
 *
 * Call  Collective.
 * Cost  full data: K + 2 reductions (CG and Neumann with K products); fresh batches: K + 2
 * @param[out] hx  [n_x] in the space of x
 * @return BLO_OK, with e->certificate; BLO_E_CURVATURE if CG met p'Hp <= 0 and the option
 *         `on_curvature` is "stop"; what a sweep returns
 */
BLO_API BLO_MUST_USE blo_status blo_estimator_compute(blo_estimator *e, const blo_vec *x,
                                                      const blo_vec *y, blo_vec *hx);
BLO_API const blo_estimator_type *blo_estimator_find(const char *name);
BLO_API const blo_estimator_type *const *blo_estimator_types(blo_int *n);

/** Options of conjugate gradients. */
typedef struct blo_cg_options {
  blo_int iterations;
  double tol;
  int on_curvature; /**< blo_on_curvature */
  bool warm_start;
} blo_cg_options;
typedef enum blo_on_curvature { BLO_CURVATURE_STOP, BLO_CURVATURE_TRUNCATE } blo_on_curvature;
BLO_API extern const blo_opt_table blo_cg_table;

/** Options of the Neumann series. */
typedef struct blo_neumann_options {
  blo_int terms;
  double step;
  bool warm_start;
} blo_neumann_options;
BLO_API extern const blo_opt_table blo_neumann_table;

#endif

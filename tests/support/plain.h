/**
 * @file
 * What the plain loops share that follow a method step by step on the quadratic: oracles that are
 * direct sums over the samples of the batches that the samplers name, small arrays, the two ways to
 * solve the adjoint system, and the comparison with what the method says. No sum, solve or step of
 * the library takes part.
 */
#ifndef BLO_TEST_PLAIN_H
#define BLO_TEST_PLAIN_H

#include "fixture.h"

/* ---------------------------------------------------------------- small arrays */

double plain_dot(int n, const double *a, const double *b);
double plain_norm(int n, const double *a);
/** ||a - b|| */
double plain_distance(int n, const double *a, const double *b);
/** to = a + w b; `to` may be one of them. */
void plain_add(int n, const double *a, double w, const double *b, double *to);

/** c / (k + 1)^e */
double plain_schedule(double c, double e, int k);
/** Step k = 0, 1, ... of Adam along d: beta = 0.9, 0.999, eps = 1e-8. @param[in,out] m, v, z [n] */
void plain_adam(int n, int k, double rate, const double *d, double *m, double *v, double *z);

/* --------------------------------------------------------------------- oracles */

/** The samplers of a method with lower steps, products for the adjoint, and upper steps. */
typedef struct plain_draws {
  blo_comm *comm;
  blo_sampler *lower, *hessian, *cross, *upper;
} plain_draws;

/** Batch sizes 0 are all samples. Leaves the test on failure. */
void plain_draws_open(blo_comm *comm, uint64_t seed, int lower, int adjoint, int upper,
                      plain_draws *d);
void plain_draws_close(plain_draws *d);

/** g at (x, y) on batch `draw` of one of the samplers, products with v. Call: Collective. */
quadratic_oracles plain_lower(const plain_draws *d, blo_sampler *from, int draw, const double *x,
                              const double *y, const double *v);
/** f at (x, y) on batch `draw`. Call: Collective. */
quadratic_oracles plain_upper(const plain_draws *d, int draw, const double *x, const double *y);

/* ------------------------------------------------------------- adjoint systems */

/** The textbook's CG for H v = b from v, whose residual is w = b - H v; one batch of `hessian`.
 *  @return the smallest curvature along a direction */
double plain_cg(const plain_draws *d, int draw, int iterations, const double *x, const double *y,
                double *v, double *w);
/** v + eta (w + (I - eta H_1) w + ... + (I - eta H_K) ... (I - eta H_1) w), K = `products`, whose
 *  batches are `draw`, draw + 1, ... of `hessian`; w becomes the last power. */
void plain_neumann(const plain_draws *d, int draw, int products, double eta, const double *x,
                   const double *y, double *v, double *w);

/** grad_x f - J v, where g has the products with v. */
void plain_hypergradient(const quadratic_oracles *f, const quadratic_oracles *g, double *hx);
/** What an adjoint that was solved for reports: f, g, and the columns of both residuals. */
void plain_certify(const quadratic_oracles *f, const quadratic_oracles *g, blo_report *r);

/* ----------------------------------------------------------------- comparisons */

/** What is compared, and how closely: to tol max(1, |want|). */
typedef struct plain_spot {
  const char *method;
  int plan, k; /**< of the test's plans; iteration */
  double tol;
} plain_spot;

/** Their distance is 0 to tol. */
void plain_expect_vector(const plain_spot *at, const char *name, int n, const double *got,
                         const double *want);
/** Every column (NAN where NAN is wanted), the verdicts, and whether it has converged. */
void plain_expect_report(const plain_spot *at, const blo_report *got, const blo_report *want);
/** The report, and the solver's x and y, all of which every rank has; and that there is something
 *  to compare: they are below 100, and a hypergradient above 1e-3. */
void plain_expect_step(const plain_spot *at, const blo_solver *s, const blo_report *got,
                       const blo_report *want, const double *x, const double *y);

#endif

/**
 * @file
 * second_order (layer solver): what is known of the second order of F at a point, and the blocks
 * that it takes.
 *
 *     exact hypergradient   the lower level solved by Newton's method with conjugate gradients, the
 *                           adjoint by conjugate gradients, on all data, to a tolerance
 *     B q                   (grad F(x + h q) - grad F(x - h q)) / (2 h), B = D^2 F(x), |q| = 1
 *     Lanczos               the ends of the spectrum of B from its products alone
 *     certificate           strict saddle, approximate local minimum, or not decided
 *
 * For a problem with `minimax` (g = -f) only f is asked for: grad_y g = -grad_y f, products H v are
 * central differences of it, and grad F = grad_x f.
 */
#ifndef BLO_SECOND_ORDER_H
#define BLO_SECOND_ORDER_H

#include <blo/solver.h>

/* ------------------------------------------------- exact hypergradient */

typedef struct blo_exact_options {
  double tol_lower, tol_adjoint; /**< relative, see blo_exact_report */
  blo_int newton;                /**< most Newton steps */
  blo_int products;              /**< most products H v of a CG solve */
  bool linearize; /**< keep what products at a point share, for all samples: faster, more memory */
} blo_exact_options;

/**
 * How well a hypergradient is solved, by backward errors (Rigal and Gaches 1967): with |H| the
 * largest norm of a product H p, |p| = 1, that was met,
 *
 *     lower    ||grad_y g|| / (|H| max(1, ||y||))
 *     adjoint  ||H v - grad_y f|| / (|H| ||v|| + ||grad_y f||)
 *
 * So y solves a lower level whose H is changed by that part of itself, and v likewise. Rounding
 * leaves some 1e-16 of either, whatever the condition of H.
 */
typedef struct blo_exact_report {
  double hypergrad_norm;
  double lower_residual, lower_error;     /**< ||grad_y g||, and the quotient above */
  double adjoint_residual, adjoint_error; /**< ||H v - grad_y f||, quotient; 0 if minimax */
  double lower_scale, adjoint_scale;      /**< denominators of the quotients */
  double curvature; /**< smallest p'Hp / p'p that CG met at the last y; NAN: no CG was needed */
  blo_int steps;    /**< Newton steps */
  blo_int products; /**< products H v */
  bool curved;      /**< CG met negative curvature at the last y */
  bool solved;      /**< both errors are within the tolerances, and not `curved` */
} blo_exact_report;

typedef struct blo_exact blo_exact;

/** Make a solver for hypergradients; all its memory is taken here. Call: Local.
 *  @param[in] options  copied  @return BLO_OK; BLO_E_MEMORY; BLO_E_SHAPE */
BLO_API BLO_MUST_USE blo_status blo_exact_create(blo_eval *eval, const blo_exact_options *options,
                                                 blo_exact **out);
/** Free it. NULL is accepted. Call: Local. */
BLO_API void blo_exact_destroy(blo_exact **exact);
/**
 * Solve the lower level from y, the adjoint system from the last v, and form the hypergradient.
 *
 * Either solve begins with at least one step, and ends at the tolerance and a tenth of the residual
 * that it began with, or where rounding lets the residual decrease no more. Without that a start
 * that is good enough by norms would stay as it is, for x + h q and x - h q alike, and their
 * difference would be that of f(., y) with y fixed.
 *
 * Newton steps y <- y + t s, s from CG on H s = -grad_y g, stopped at min(0.1, error) of the right
 * side, or where CG meets p'Hp <= 0 (then s so far, or the gradient); t = 1, 1/2, ... by Armijo's
 * rule, or once rounding hides the decrease of g, by that of its gradient. CG on a singular H
 * converges if the right side is in its range (Polyak-Lojasiewicz lower levels).
 *
 * Call  Collective. Cost: oracle calls on all data; see the report
 * @param[in]     x   published, kept by reference for blo_exact_product()
 * @param[in,out] y   the start, then the solution; kept by reference
 * @param[out]    hx  [n_x] in the space of x
 * @return BLO_OK, solved or not; what a sweep returns
 */
BLO_API BLO_MUST_USE blo_status blo_exact_hypergradient(blo_exact *exact, const blo_vec *x,
                                                        blo_vec *y, blo_vec *hx,
                                                        blo_exact_report *report);
/** hv = H p at the point of the last hypergradient, with no sweep between that linearises. Call:
 *  Collective. Cost: one product, or two gradients of f if minimax. @return what a sweep returns */
BLO_API BLO_MUST_USE blo_status blo_exact_product(blo_exact *exact, const blo_vec *p, blo_vec *hv);
/**
 * What residuals may do to the last hypergradient: with w about H^+ r, |r| = 1,
 *
 *     lower    |(phi(y + t w) - phi(y)) / t|, phi(y) = grad_x f - J v, H v = grad_y f, t |w| = 1e-4
 *              max(1, ||y||): a residual r of the lower level moves y by w, and phi by that
 *     adjoint  |J w|: a residual r of the adjoint moves v by w, and phi by J w; 0 if minimax
 *
 * Call  Collective. Cost: two gradients, a solve of the adjoint, a product J w
 * @param[in]  w, hx  w in the space of y; the last hypergradient  @param[out] spare  like hx
 * @return what a sweep returns
 */
BLO_API BLO_MUST_USE blo_status blo_exact_sensitivity(blo_exact *exact, const blo_vec *w,
                                                      const blo_vec *hx, blo_vec *spare,
                                                      double *lower, double *adjoint);

/* ------------------------------------------------------------- Lanczos */

/** out = B q, |q| = 1. Call: Collective. */
typedef blo_status blo_lanczos_product(void *arg, const blo_vec *q, blo_vec *out);

/**
 * What k steps from a random start say of a symmetric B of order n. With Ritz values
 * theta_1 <= ... <= theta_k and off-diagonal entries beta_1, ..., beta_k:
 *
 *     `smallest` is an upper bound of lambda_min, and B has an eigenvalue within `residual` of it;
 *     `bound` is a lower bound with probability 1 - failure.
 *
 * For an eigenvector u of lambda_min, u'q_1 = (u'q_(k+1)) beta_1 ... beta_k / p(lambda_min), with
 * p(t) = (t - theta_1) ... (t - theta_k), from B Q = Q T + beta_k q_(k+1) e_k'. For q_1 uniform on
 * the sphere |u'q_1| < tau has probability at most tau sqrt(2 n / pi). So with
 * tau = failure sqrt(pi / (2 n)) lambda_min is not below the t < theta_1 at which
 *
 *     (theta_1 - t) ... (theta_k - t) = beta_1 ... beta_k / tau
 *
 * (van Dorsselaer, Hochstenbach and van der Vorst 2000, SIAM J. Matrix Anal. Appl. 22(3),
 * 837-852). It is `smallest` itself if the Krylov space is invariant, and for k = n without a
 * probability. It needs no bound on the spread; the a-priori inequality of Kuczynski and
 * Wozniakowski (1992, SIAM J. Matrix Anal. Appl. 13(4)), theta_1 - lambda_min <= eps (lambda_max -
 * lambda_min) but for a probability of 1.648 sqrt(n) exp(-sqrt(eps) (2 k - 1)), tells how
 * many steps are enough.
 */
typedef struct blo_lanczos_report {
  blo_int steps;
  double smallest, largest; /**< Ritz values */
  double residual;          /**< |B z - smallest z| of its Ritz vector z */
  double bound;
  double asymmetry; /**< |Q'B Q - T|_F: 0 but for the errors of the products */
} blo_lanczos_report;

typedef struct blo_lanczos blo_lanczos;

/** Make room for `steps` >= 1 steps, min(steps, n) vectors. Call: Collective. @return BLO_OK;
 *  BLO_E_MEMORY */
BLO_API BLO_MUST_USE blo_status blo_lanczos_create(blo_space *space, blo_int steps,
                                                   blo_lanczos **out);
/** Free it. NULL is accepted. Call: Local. */
BLO_API void blo_lanczos_destroy(blo_lanczos **lanczos);
/**
 * Steps with full reorthogonalisation (twice), until smallest - bound <= tol max |theta_i|, or all
 * are done. The start is a standard normal vector keyed by the global index, so that layouts and
 * ranks do not show.
 *
 * Call  Collective. Cost: one product a step, and scalar products
 * @param[in] arg      for `product`, whose vectors are in the space; q is published
 * @param[in] failure  in (0, 1)
 * @return BLO_OK; BLO_E_NONFINITE if a product is not finite; what `product` returns
 */
BLO_API BLO_MUST_USE blo_status blo_lanczos_run(blo_lanczos *lanczos, blo_lanczos_product *product,
                                                void *arg, uint64_t seed, double failure,
                                                double tol, blo_lanczos_report *report);
/** The Ritz vector of `smallest` after a run, |z| = 1, published. Call: Collective. */
BLO_API void blo_lanczos_vector(const blo_lanczos *lanczos, blo_vec *z);
/** w = Q T^+ e_1 after a run, Ritz values up to `least` taken as 0: about B^+ q_1, and that itself
 *  if the Krylov space is invariant; published. Call: Collective. */
BLO_API void blo_lanczos_inverse(blo_lanczos *lanczos, double least, blo_vec *w);

/* --------------------------------------------------------- certificate */

typedef struct blo_certify_options {
  double epsilon;      /**< stationary: ||grad F|| <= epsilon */
  double gamma;        /**< curvature that counts; 0: 1e-3 of the largest |Ritz value| */
  double failure;      /**< of the lower bound */
  double tol;          /**< of Lanczos */
  double h;            /**< of the differences; 0: cbrt(tolerance) max(1, ||x|| / sqrt(n_x)) */
  blo_int steps;       /**< most Lanczos steps on D^2 F */
  blo_int lower_steps; /**< most Lanczos steps on H; 0: none */
  blo_exact_options exact;
} blo_certify_options;
BLO_API extern const blo_opt_table blo_certify_table;

/** The certificate; NAN where a number was not computed. */
typedef struct blo_certify_report {
  blo_second_order verdict;
  blo_exact_report at;      /**< the hypergradient at x */
  blo_exact_report worst;   /**< largest residuals and errors of all; steps and products of all */
  blo_lanczos_report lower; /**< of H at x; steps 0 if not wanted */
  blo_lanczos_report upper; /**< of D^2 F */
  double rayleigh;          /**< z'D^2F z along `direction`, by differences */
  double difference;        /**< its change when h is doubled */
  double by_lower, by_adjoint; /**< blo_exact_sensitivity() for w = H^+ r, r random; 0: no steps */
  double solving;              /**< what residuals do to curvatures, below */
  double accuracy;             /**< of curvatures: the sum below */
  double gamma, h;             /**< as used */
  blo_int hypergradients;      /**< computed in all */
  char evidence[256];          /**< what the verdict rests on, in words */
} blo_certify_report;

typedef struct blo_certifier blo_certifier;

/** Take all the memory for certificates. Call: Collective. @param[in] options  copied
 *  @return BLO_OK; BLO_E_MEMORY; BLO_E_SHAPE */
BLO_API BLO_MUST_USE blo_status blo_certifier_create(blo_eval *eval,
                                                     const blo_certify_options *options,
                                                     blo_certifier **out);
/** Free it. NULL is accepted. Call: Local. */
BLO_API void blo_certifier_destroy(blo_certifier **certifier);
/**
 * Look at the point x.
 *
 * Accuracy of curvatures, the sum of
 *
 *     difference   change of z'Bz when h is doubled                          (h^2, kinks)
 *     asymmetry    |Q'B Q - T|_F                                             (noise)
 *     repetition   |z'Bz - theta_1|, the same number computed twice          (noise)
 *     solving      sqrt(n_y) (by_lower R + by_adjoint S) / h                 (condition of H)
 *
 * Solving: a lower level left with the residual r has y off by H^+ r, |H^+ r| up to kappa |r| /
 * |H|, and the hypergradient off by M r, M = (d phi / d y) H^+; an adjoint left with the residual s
 * has it off by J H^+ s. Two such errors divided by 2 h make 1 / h. R and S are the largest |r| and
 * |s| of all hypergradients, but not less than rounding, DBL_EPSILON times their scales. For a
 * random unit vector u, E |M u|^2 = |M|_F^2 / n_y, so |M r| is about at most sqrt(n_y) |M u| |r|;
 * by_lower is |M u|, and H^+ u comes from the Lanczos process on H with the start u. An estimate:
 * it knows of H what `lower_steps` steps tell, and nothing (0) without them. Ritz values up to 10
 * DBL_EPSILON |H| (1e-8 |H| if minimax) count as 0.
 *
 * not decided  if a hypergradient is not solved to its tolerances, H has negative curvature,
 *              ||grad F|| > epsilon, numbers are not finite, or accuracy exceeds both gamma and
 *              1e-3 of the largest |Ritz value|
 * strict saddle               if rayleigh + accuracy < -gamma
 * approximate local minimum   if bound - accuracy >= -gamma, with probability 1 - failure
 * not decided                 else
 *
 * Call  Collective. Cost: 2 steps + 5 hypergradients, lower_steps products H v, a
 *       sensitivity
 * @param[in]     x   published
 * @param[in,out] y   near y*(x); then y*(x)
 * @param[out]    direction  [n_x] the unit vector of `rayleigh`, published; NULL: not wanted
 * @return BLO_OK, whatever the verdict; what a sweep returns
 */
BLO_API BLO_MUST_USE blo_status blo_certifier_run(blo_certifier *certifier, const blo_vec *x,
                                                  blo_vec *y, uint64_t seed,
                                                  blo_certify_report *report, blo_vec *direction);

#endif

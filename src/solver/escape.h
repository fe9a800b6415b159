/**
 * @file
 * Perturbed descent, which perturbed_aid and perturbed_gdmax share, for files of this layer only:
 * what is done in outer iteration k with an estimate h of grad F(x), and f at (x, y).
 *
 *     stop      k = k_p + T and f_s - f < F:    x <- x_s, return
 *     perturb   |h| <= (4/5) epsilon, and k_p = never or k > k_p + T:
 *               x_s <- x, f_s <- f, k_p <- k    x <- x - eta xi,  xi uniform in the ball |xi| <= r
 *     descend   else:                           x <- x - eta h
 *
 * Source: the rule for the descent of a function with exact gradients is that of Jin, Netrapalli,
 * Ge, Kakade and Jordan 2021 (arXiv 1902.04811, theorem 18 and eq. 6), the stop that of their 2017
 * paper (arXiv 1703.00887, algorithm 2); with hypergradients Huang, Chen, Ji, Ma and Lai 2022
 * (arXiv 2202.03684). If |h - grad F| <= epsilon / 5, then |h| <= (4/5) epsilon says that
 * |grad F| <= epsilon.
 *
 * At the stop all that led to it is checked. f is computed again where x is now, with more work;
 * hypergradient and f at x_s, twice. x_s is an approximate local minimum if
 *
 *     y and v follow x fast enough for f to show the curvature of F: at a distance S from x_s the
 *       residual of y falls to a tenth in the 1 / ln(1 + eta gamma) iterations in which a
 *       perturbation grows by e, and that of v is at most a tenth of |grad_y f|
 *     the better values of f have fallen by less than F, and not risen by more
 *     |h - h_2| + |h_1 - h_2| <= epsilon / 5 (the error of h by the better estimate h_2, and how
 * far that one has settled), |h_2| <= epsilon, and f was right to F
 *
 * Else this is not decided. At x_s itself nothing can be seen of the first: at a saddle residuals
 * may vanish by symmetry whatever the steps are.
 */
#ifndef BLO_ESCAPE_H
#define BLO_ESCAPE_H

#include <blo/solver.h>

/** The map `upper` of these methods. */
typedef struct escape_upper_options {
  double step; /**< eta; 0: by the rule */
} escape_upper_options;
extern const blo_opt_table escape_upper_table;

typedef enum escape_rule { ESCAPE_PRACTICAL, ESCAPE_THEORY } escape_rule;

/** The map `escape`. What is 0 follows from the rule. */
typedef struct escape_options {
  double epsilon;
  double radius;                             /**< r */
  double decrease;                           /**< F */
  blo_int wait;                              /**< T */
  double curvature, length;                  /**< practical: gamma, S */
  double lipschitz, hessian_lipschitz, iota; /**< theory: L, rho, iota */
  blo_int check;
  int rule; /**< escape_rule */
} escape_options;
extern const blo_opt_table escape_table;

typedef struct escape escape;

/** How much work an estimate is. */
typedef enum escape_work {
  ESCAPE_LOOK,    /**< no lower steps: the report tells the residual of y as it is */
  ESCAPE_USUAL,   /**< that of an iteration */
  ESCAPE_CAREFUL, /**< `check` times as much, with nothing of the iterations before but y */
  ESCAPE_AGAIN    /**< as much again, from where the last one has ended */
} escape_work;

/**
 * Compute the hypergradient at (s->x, s->y), y brought forward; and fill f and what certifies them
 * in the report. Call: Collective.
 */
typedef blo_status escape_solve(blo_solver *s, escape_work work, blo_vec *hx, blo_report *r);

/**
 * Make the block; its entries "escape.*" go to s->state. Call: Local.
 * @param[in] upper, options  borrowed
 * @return BLO_OK; BLO_E_OPTION if the options do not go together; BLO_E_MEMORY
 */
blo_status escape_create(blo_solver *s, const escape_upper_options *upper,
                         const escape_options *options, escape_solve *solve, escape **out);
/** Free it. NULL is accepted. Call: Local. */
void escape_destroy(escape **e);
/**
 * Stop, perturb or descend, and publish x; says so in the report, whose f is that at (s->x, s->y).
 * Call: Collective. Cost: the norm of hx; a perturbation, a norm more; at the stop, three careful
 * estimates, one without lower steps, and 1 / ln(1 + eta gamma) usual ones.
 * @param[in,out] hx  the estimate; room afterwards
 * @return BLO_OK; BLO_E_NONFINITE; what solve() returns
 */
blo_status escape_step(escape *e, blo_solver *s, blo_vec *hx, blo_report *r);
/** Print the numbers in use, for blo_solver_describe(). Call: Local. */
void escape_describe(const escape *e, FILE *to);

#endif

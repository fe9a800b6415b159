/**
 * @file
 * iNEON: a search for negative curvature of F with hypergradients only (Huang, Chen, Ji, Ma and Lai
 * 2022, arXiv 2202.03684; after NEON, Xu, Jin and Yang 2018, arXiv 1711.01944, and Neon2, Allen-Zhu
 * and Li 2018, arXiv 1711.06673). For files of this layer only.
 *
 *     u <- r (a random unit direction),   y_a, y_b <- y
 *     for t = 0, 1, ..., T' - 1:
 *       (g_a, y_a) <- StocHyper(x, y_a; omega_t)
 *       (g_b, y_b) <- StocHyper(x + u, y_b; omega_t)          the same plan at both points
 *       u <- u - eta (g_b - g_a)
 *       if ||u|| >= U: break
 *     if ||u|| <= r: nothing found
 *
 * As g_b - g_a is about D^2 F(x) u, the part of u along an eigenvector of eigenvalue -gamma grows
 * by 1 + eta gamma in an iteration, parts of positive curvature shrink. With other samples at the
 * two points their noise, which does not shrink with u, would swamp the difference.
 *
 * The part of a random unit direction along an eigenvector is less than delta / sqrt(d) with a
 * probability of at most sqrt(2 / pi) delta: its density is at most sqrt(d / (2 pi)) there (d >= 3;
 * for d = 1 and 2 the probability is even less). So with T' = ln(U sqrt(d) / (delta r)) / ln(1 +
 * eta gamma) it has grown to U else, if its curvature is -gamma or less. A u between r and U shows
 * nothing: F may be curved the other way at this distance. And u cannot grow if y or v do not
 * follow x: then nothing is shown either.
 */
#ifndef BLO_CURVATURE_SEARCH_H
#define BLO_CURVATURE_SEARCH_H

#include "stoc_hyper.h"

/** When a direction is accepted; see docs/methods/stocbio_ineon.md. */
typedef enum search_accept {
  ACCEPT_CERTIFICATE, /**< ||u|| >= U, and curvature <= -gamma / 2 on a large batch */
  ACCEPT_GROWTH,      /**< ||u|| >= U */
  ACCEPT_DECREASE     /**< F(x + u) - F(x) - <grad F(x), u> <= -gamma U^2 / 4 with ||u|| <= U */
} search_accept;

/** How the sign of the step along u is chosen. */
typedef enum search_sign { SIGN_RANDOM, SIGN_GRADIENT, SIGN_BEST } search_sign;

typedef struct search_options {
  double radius, threshold, curvature, step, move; /**< r, U, gamma, eta, alpha */
  double failure;                                  /**< delta */
  blo_int iterations;                              /**< T'; 0: by the rule */
  int accept, sign;
  bool independent; /**< other plans at x + u than at x */
} search_options;
extern const blo_opt_table curvature_search_table;

typedef enum search_end {
  SEARCH_GOES_ON,
  SEARCH_FOUND,   /**< negative curvature along u */
  SEARCH_NOTHING, /**< u has not grown: no curvature below -shown, with high probability */
  SEARCH_REFUTED, /**< u has grown, but not along negative curvature: noise */
  SEARCH_OPEN,    /**< u has grown, but not to U in T' iterations */
  SEARCH_BLIND    /**< u has not grown, but y or v do not follow x */
} search_end;

typedef struct curvature_search {
  blo_solver *s;
  const search_options *o;
  stoc_hyper *small, *large; /**< estimates within the search, and of the certificate; borrowed */
  blo_int *plan;             /**< next plan number; borrowed */
  double eta;
  blo_int iterations;     /**< T' */
  double shown;           /**< curvature below minus this is found in them */
  blo_int t;              /**< iterations done */
  double length;          /**< ||u|| */
  double tracked;         /**< y_b belongs to x + u when u had this length */
  double curvature;       /**< of F along u, found at the end; NAN if not computed */
  double f[2];            /**< values of f with the last estimates on both sides */
  blo_vec *u, *y_a, *y_b; /**< u is not published */
  blo_vec *g_a, *g_b;     /**< estimates at x and x + u; on both sides of x */
  blo_vec *z, *y_z;       /**< another point, and the lower iterate there */
} curvature_search;

/**
 * Make a search; its entries "search.*" go to the solver's state. Call: Collective.
 * @param[in] eta  the step of the search if the options name none
 * @return BLO_OK; BLO_E_MEMORY; BLO_E_OPTION
 */
blo_status curvature_search_create(blo_solver *s, const search_options *o, double eta,
                                   stoc_hyper *small, stoc_hyper *large, blo_int *plan,
                                   curvature_search *c);
/** Free its parts. Call: Local. */
void curvature_search_destroy(curvature_search *c);
/** Begin search number `draw` at the solver's x and y. Call: Collective. */
void curvature_search_begin(curvature_search *c, blo_int draw);
/**
 * One iteration; the one that ends the search also decides. Call: Collective. Cost: two small
 * estimates with one scalar message each; with ACCEPT_CERTIFICATE two large ones at the end, and if
 * u has not grown two, one of them without lower steps
 * @return BLO_OK; BLO_E_NONFINITE; what an estimate returns
 */
blo_status curvature_search_iterate(curvature_search *c, blo_report *r, search_end *end);
/**
 * Large estimates at x + h u / ||u|| and at x - h u / ||u|| with one plan: c->g_a and c->f[0],
 * c->g_b and c->f[1]. Call: Collective.
 */
blo_status curvature_search_sides(curvature_search *c, double h);
/** x <- x + h u / ||u||, published, and y moves with it. Call: Collective. */
void curvature_search_move(curvature_search *c, double h);

#endif

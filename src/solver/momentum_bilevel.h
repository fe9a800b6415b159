/**
 * @file
 * The iteration that MGBiO, MSGBiO and VR-MSGBiO share (Huang 2023, arXiv 2303.03944), for files of
 * this layer only. With estimates u of grad_x f, h of grad_y f, v of grad_y g, G of J and H of
 * grad_yy g, all at (x, y), iteration t = 1, 2, ... is
 *
 *     w = u - G H^-1 h
 *     x <- x + eta_t (x~ - x),  x~ = P_X(x - gamma w)
 *     y <- y + eta_t (y~ - y),  y~ = y - lambda v                       at the same time
 *
 * The methods differ in the rule of the estimates and in eta_t = k / (m + t)^e. With one batch zeta
 * of g and one batch xi of f for all of them, q(x, y) being what is estimated on its batch, e_t its
 * estimate, and Pi an operator on it,
 *
 *     fresh      e_t = Pi[ q(x_t, y_t) ]
 *     momentum   e_t = Pi[ (1 - a_t) e_{t-1} + a_t q(x_t, y_t) ]
 *     storm      e_t = Pi[ (1 - a_t) (e_{t-1} - q(x_{t-1}, y_{t-1})) + q(x_t, y_t) ]
 *
 * Pi is the projection on the ball of radius C for h and G, S (eigenvalues to [mu, L]) for H, and
 * nothing for u and v. a_{t+1} = min(1, c eta_t^p), with a c for v, one for u and h, one for G and
 * one for H (alpha, beta, beta^ and alpha^ of the paper). The first iteration is always fresh.
 */
#ifndef BLO_MOMENTUM_BILEVEL_H
#define BLO_MOMENTUM_BILEVEL_H

#include <blo/solver.h>
#include <blo/tracking.h>

/* -------------------------------------------------------------- options */

typedef struct momentum_lower_options {
  blo_int batch, warm_up;
  double step; /**< lambda */
} momentum_lower_options;

typedef struct momentum_upper_options {
  blo_int batch;
  double step;                /**< gamma */
  blo_projection_options set; /**< X */
} momentum_upper_options;

typedef struct momentum_tracker_options {
  double mu, L, cross_bound, gradient_bound;
  int clip;
} momentum_tracker_options;

/** What all three have. */
typedef struct momentum_blocks {
  momentum_lower_options lower;
  momentum_upper_options upper;
  momentum_tracker_options tracker;
  blo_dense_options dense;
} momentum_blocks;

typedef struct momentum_eta_options {
  double k, m;
} momentum_eta_options;

typedef struct momentum_rate_options {
  double c_v, c_u, c_G, c_H;
  blo_int first;
} momentum_rate_options;

/** What the two with momentum have. */
typedef struct momentum_options {
  momentum_blocks blocks;
  momentum_eta_options eta;
  momentum_rate_options momentum;
} momentum_options;

/* --------------------------------------------------------------- method */

/** What makes the iteration one of the three. */
typedef struct momentum_law {
  blo_track_rule rule;
  momentum_eta_options eta;
  double eta_power;            /**< e */
  momentum_rate_options rates; /**< not looked at by `fresh`, but for `first` */
  double rate_power;           /**< p */
} momentum_law;

/** Estimates, or what they are made of at one point. */
typedef struct momentum_vectors {
  blo_vec *u, *h, *v;
} momentum_vectors;

typedef struct momentum_bilevel {
  momentum_law law;
  const momentum_blocks *o;
  blo_tracker_options bounds; /**< that the tracker borrows */
  blo_tracker *tracker;       /**< G and H */
  blo_projection *set;        /**< X */
  blo_sampler *zeta, *xi;     /**< batches of g, of f */
  blo_sampler *first_zeta;    /**< larger ones for the first iteration; NULL: as the others */
  blo_sampler *first_xi;
  momentum_vectors estimate; /**< u, h, v */
  momentum_vectors here;     /**< of the batch at (x, y); not for `fresh` */
  momentum_vectors before;   /**< at (x_old, y_old); `storm` only */
  blo_vec *x_old, *y_old;    /**< of the iteration before; `storm` only */
  blo_vec *w, *p;            /**< direction in x; H^-1 h */
  blo_vec *x_tilde, *y_tilde;
} momentum_bilevel;

/** Set the solver up. @param[in] blocks  borrowed. Call: Collective. @return BLO_OK; BLO_E_OPTION
 *  if eta_1 > 1 or mu > L; BLO_E_UNSUPPORTED on batches of tasks; what the blocks return */
blo_status momentum_bilevel_setup(blo_solver *s, const momentum_blocks *blocks,
                                  const momentum_law *law);
blo_status momentum_bilevel_step(blo_solver *s, blo_report *r);
void momentum_bilevel_teardown(blo_solver *s);
void momentum_bilevel_describe(const blo_solver *s, FILE *to);

/* --------------------------------------------------------------- tables */

extern const blo_opt_table momentum_tracker_table;

#define MOMENTUM_SOURCE "Huang 2023, arXiv 2303.03944"

/** The tables of lower and upper level, with a method's own batches. */
#define MOMENTUM_BLOCK_TABLES(batch_def)                                                           \
  static const blo_opt_row lower_rows[] = {                                                        \
      BLO_OPT(momentum_lower_options, batch, batch_def, 0, 1e12, "samples",                        \
              "samples of g in an iteration, 0 = all", "", 0),                                     \
      BLO_OPT(                                                                                     \
          momentum_lower_options, warm_up, "0", 0, 1e9, "steps",                                   \
          "steps y <- y - lambda grad_y g, at the first x and on batches of their own, before "    \
          "the first iteration; for lower levels that are not convex",                             \
          "", 0),                                                                                  \
      BLO_OPT(momentum_lower_options, step, "0.1", 0, 1e12, "-", "lower step size lambda",         \
              MOMENTUM_SOURCE, 0),                                                                 \
  };                                                                                               \
  static const blo_opt_row upper_rows[] = {                                                        \
      BLO_OPT(momentum_upper_options, batch, batch_def, 0, 1e12, "samples",                        \
              "samples of f in an iteration, 0 = all", "", 0),                                     \
      BLO_OPT(momentum_upper_options, step, "0.1", 0, 1e12, "-", "upper step size gamma",          \
              MOMENTUM_SOURCE, 0),                                                                 \
  };                                                                                               \
  static const blo_opt_sub upper_subs[] = {                                                        \
      {"set", offsetof(momentum_upper_options, set), &blo_projection_table}};                      \
  static const blo_opt_table lower_table =                                                         \
      BLO_OPT_TABLE("lower", "the step on y", momentum_lower_options, lower_rows);                 \
  static const blo_opt_table upper_table =                                                         \
      BLO_OPT_TABLE_WITH("upper", "the step on x", momentum_upper_options, upper_rows, upper_subs)

/** They and the other common ones inside the options struct T. */
#define MOMENTUM_BLOCK_SUBS(T)                                                                     \
  {"lower", offsetof(T, blocks.lower), &lower_table},                                              \
      {"upper", offsetof(T, blocks.upper), &upper_table},                                          \
      {"tracker", offsetof(T, blocks.tracker), &momentum_tracker_table},                           \
  {                                                                                                \
    "dense", offsetof(T, blocks.dense), &blo_dense_table                                           \
  }

#define MOMENTUM_RATE(name, c_def, help)                                                           \
  BLO_OPT(momentum_rate_options, name, c_def, 1e-9, BLO_INF, "-", help, MOMENTUM_SOURCE, 0)

/** All tables of a method with momentum. `power`: eta's, `rate`: what a_{t+1} is. */
#define MOMENTUM_TABLES(method, help, power, rate, k_def, c_def, first_def)                        \
  MOMENTUM_BLOCK_TABLES("16");                                                                     \
  static const blo_opt_row eta_rows[] = {                                                          \
      BLO_OPT(momentum_eta_options, k, k_def, 1e-9, 1e9, "-", "k of eta_t = k / (m + t)^" power,   \
              MOMENTUM_SOURCE, 0),                                                                 \
      BLO_OPT(momentum_eta_options, m, "8", 0, 1e12, "-",                                          \
              "m of eta_t, large enough that no eta_t is above 1", MOMENTUM_SOURCE, 0),            \
  };                                                                                               \
  static const blo_opt_row rate_rows[] = {                                                         \
      MOMENTUM_RATE(c_v, c_def, "c of the estimate of grad_y g: a_{t+1} = min(1, " rate ")"),      \
      MOMENTUM_RATE(c_u, c_def, "c of those of grad_x f and grad_y f"),                            \
      MOMENTUM_RATE(c_G, c_def, "c of that of the cross Jacobian"),                                \
      MOMENTUM_RATE(c_H, c_def, "c of that of the Hessian"),                                       \
      BLO_OPT(momentum_rate_options, first, first_def, 1, 1e6, "-",                                \
              "how many times larger the batches of the first iteration are", "", 0),              \
  };                                                                                               \
  static const blo_opt_table eta_table =                                                           \
      BLO_OPT_TABLE("eta", "the share of a step that is taken", momentum_eta_options, eta_rows);   \
  static const blo_opt_table rate_table =                                                          \
      BLO_OPT_TABLE("momentum", "how fast estimates forget", momentum_rate_options, rate_rows);    \
  static const blo_opt_sub subs[] = {                                                              \
      MOMENTUM_BLOCK_SUBS(momentum_options),                                                       \
      {"eta", offsetof(momentum_options, eta), &eta_table},                                        \
      {"momentum", offsetof(momentum_options, momentum), &rate_table}};                            \
  static const blo_opt_table table = BLO_OPT_TABLE_OF(method, help, momentum_options, subs)

#endif

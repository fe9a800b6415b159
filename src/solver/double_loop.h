/**
 * @file
 * The double loop that AID and stocBiO share, for files of this layer only:
 *
 *     for k = 0, 1, ...
 *       T times:  y <- y - rho_k grad_y g(x, y; batch)
 *       v  ~  H^-1 grad_y f                      by the adjoint estimator
 *       x <- x - gamma_k (grad_x f - J v)
 *
 * The methods differ in their adjoint estimator, batches and defaults.
 */
#ifndef BLO_DOUBLE_LOOP_H
#define BLO_DOUBLE_LOOP_H

#include <blo/solver.h>

typedef struct double_loop_options {
  blo_lower_options lower;
  blo_adjoint_options adjoint;
  blo_upper_options upper;
  blo_dense_options dense;
} double_loop_options;

typedef struct double_loop {
  blo_hessian *hessian; /**< that lower level and adjoint share; NULL if neither is dense */
  blo_lower *lower;
  blo_estimator *adjoint;
  blo_upper *upper;
  blo_vec *hx;
} double_loop;

blo_status double_loop_setup(blo_solver *s);
blo_status double_loop_step(blo_solver *s, blo_report *r);
void double_loop_teardown(blo_solver *s);
void double_loop_describe(const blo_solver *s, FILE *to);

/** The option table of a method, from the rows of its three blocks. */
#define DOUBLE_LOOP_TABLE(method, help)                                                            \
  static const blo_opt_table lower_table =                                                         \
      BLO_OPT_TABLE("lower", "the lower-level steps", blo_lower_options, lower_rows);              \
  static const blo_opt_table adjoint_table =                                                       \
      BLO_OPT_TABLE("adjoint", "the adjoint system", blo_adjoint_options, adjoint_rows);           \
  static const blo_opt_table upper_table = BLO_OPT_TABLE_WITH(                                     \
      "upper", "the upper-level step", blo_upper_options, upper_rows, blo_upper_subs);             \
  static const blo_opt_sub subs[] = {                                                              \
      {"lower", offsetof(double_loop_options, lower), &lower_table},                               \
      {"adjoint", offsetof(double_loop_options, adjoint), &adjoint_table},                         \
      {"upper", offsetof(double_loop_options, upper), &upper_table},                               \
      {"dense", offsetof(double_loop_options, dense), &blo_dense_table}};                          \
  static const blo_opt_table table = BLO_OPT_TABLE_OF(method, help, double_loop_options, subs)

#endif

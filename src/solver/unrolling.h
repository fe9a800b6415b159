/**
 * @file
 * What IAPTT-GM and IA-GM share (Liu, Liu, Zeng and Zhang 2021, arXiv 2110.00455), for files of
 * this layer only. The start z of the lower-level trajectory is a variable of the upper level:
 *
 *     minimise phi(x, z) = f(x, y_c(x, z))   over x in X, z in Y
 *
 *     for k = 0, 1, ...
 *       y_0 = z, y_1, ..., y_K by projected steps on g, cut at y_c       (trajectory.h)
 *       (d_x, d_z) = grad phi(x, z)                                      by the reverse sweep
 *       x <- P_X(x - gamma_k d_x)       z <- P_Y(z - alpha_k d_z)        or Adam's steps
 *
 * Plain unrolling is the same with a z that is no variable: fixed, or the last y_c.
 */
#ifndef BLO_UNROLLING_H
#define BLO_UNROLLING_H

#include "trajectory.h"

/** What becomes of z. */
typedef enum unrolling_start { UNROLLING_LEARNED, UNROLLING_FIXED, UNROLLING_LAST } unrolling_start;
extern const char *const unrolling_start_names[]; /**< "learned", "fixed", "last", NULL */

/** Options of z, the block `init` of a method. */
typedef struct unrolling_init {
  int type; /**< unrolling_start */
  int rule; /**< blo_upper_rule, of type learned */
  double step, decay;
  double beta1, beta2, epsilon; /**< of adam */
} unrolling_init;
extern const blo_opt_table unrolling_init_table;

/** What a method is made of; the options are borrowed. */
typedef struct unrolling_parts {
  trajectory_kind kind;
  const trajectory_options *lower;
  const unrolling_init *init;
  const blo_upper_options *upper;
} unrolling_parts;

typedef struct unrolling {
  unrolling_parts parts;
  trajectory *track;
  blo_upper *upper;
  blo_vec *z;
  blo_vec *m, *v; /**< Adam's moments of z; NULL: none */
} unrolling;

/** Make the blocks. Call: Collective. */
blo_status unrolling_setup(blo_solver *s, const unrolling_parts *parts);
blo_status unrolling_step(blo_solver *s, blo_report *r);
void unrolling_teardown(blo_solver *s);
void unrolling_describe(const blo_solver *s, FILE *to);

/** The option table of a method with the struct `T {T_lower lower; unrolling_init init;
 *  blo_upper_options upper}`, from the rows of its lower and upper blocks. */
#define UNROLLING_TABLE(method, help, T, T_lower)                                                  \
  static const blo_opt_table lower_table = BLO_OPT_TABLE_WITH(                                     \
      "lower", "the trajectory of lower-level steps", T_lower, lower_rows, trajectory_subs);       \
  static const blo_opt_table upper_table = BLO_OPT_TABLE_WITH(                                     \
      "upper", "the upper-level step", blo_upper_options, upper_rows, blo_upper_subs);             \
  static const blo_opt_sub subs[] = {{"lower", offsetof(T, lower), &lower_table},                  \
                                     {"init", offsetof(T, init), &unrolling_init_table},           \
                                     {"upper", offsetof(T, upper), &upper_table}};                 \
  static const blo_opt_table table = BLO_OPT_TABLE_OF(method, help, T, subs)

#endif

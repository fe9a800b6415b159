/**
 * @file
 * Quadratics that are means over samples of rank one, with the solution of the bilevel problem in
 * closed form. For files of this layer only.
 *
 * A sample of a level is the function
 *     (1/2) (s'y)^2 + (1/2) (b'x)^2 + (c'x) (d'y) + a'y + e'x
 * of which a problem may leave out vectors. With the means A = mean s s', B = mean b b', C = mean c
 * d', a, e of both levels (g: lower, f: upper), and A^+ the pseudo-inverse of that of g:
 *     y* = Y x + y0,  Y = -A^+ C',  y0 = -A^+ a
 *     F(x) = (1/2) x'S x + r'x + const
 *     S = B_f + C_f Y + Y'C_f' + Y'A_f Y     r = e_f + C_f y0 + Y'(A_f y0 + a_f)
 * If A is singular y* is any solution of A y + C'x + a = 0; F is the same for all of them if f does
 * not change in the null space of A.
 */
#ifndef BLO_RANK_ONE_H
#define BLO_RANK_ONE_H

#include "analytic.h"

/** The vectors of a sample. */
enum { RANK_S = 1, RANK_B = 2, RANK_C = 4, RANK_D = 8, RANK_A = 16, RANK_E = 32, N_RANK_PARTS = 6 };

/** This rank's samples of a level. */
typedef struct rank_one {
  blo_int n_x, n_y;
  blo_int first, n_own;       /**< first sample of this rank, and how many */
  double *part[N_RANK_PARTS]; /**< s, b, c, d, a, e: [n_own][n_y or n_x]; NULL if left out */
} rank_one;

/** Room for the samples of a level, zeros. The sizes of `p` are set. Call: Local.
 *  @param[in] parts  RANK_... */
blo_status rank_one_create(blo_problem *p, blo_level level, unsigned parts, rank_one *r);
/** Free it. Call: Local. */
void rank_one_free(blo_problem *p, rank_one *r);
/** Vector `part` (RANK_...) of own sample i. Call: Local. */
double *rank_one_at(const rank_one *r, unsigned part, blo_int i);
/**
 * Fill a and e with normal numbers of standard deviation `sigma` that come in pairs: in each shard
 * samples 0 and 1, 2 and 3, ... have opposite vectors, a last one without partner has zeros. So the
 * sum over all samples of a shard is 0 exactly. Call: Local.
 */
void rank_one_noise(blo_problem *p, blo_level level, uint64_t seed, double sigma, rank_one *r);
/** What the samples of a task add, as the slot `shard`. Call: Local. */
void rank_one_shard(const rank_one *r, blo_int first, const blo_shard_task *task,
                    const blo_shard_out *out);

/** Mean matrices of a level, parts of one array. */
typedef struct rank_one_means {
  double *A, *B, *C, *a, *e; /**< [n_y][n_y], [n_x][n_x], [n_x][n_y], [n_y], [n_x] */
} rank_one_means;

/** What the state of a problem that is made of such samples begins with. */
typedef struct rank_one_state {
  analytic base;
  rank_one level[2];
  double *numbers[2];      /**< [all means] of a level */
  rank_one_means means[2]; /**< the same on all ranks */
  double *inverse, *Y;     /**< [n_y][n_y] A^+, [n_y][n_x] */
  double *y0;              /**< [n_y] */
  double *S, *S_inverse;   /**< [n_x][n_x] */
  double *r;               /**< [n_x] */
  double *room_x, *room_y; /**< [n_x], [n_y] */
  bool bounded;            /**< F has a minimum */
} rank_one_state;

/** Room for means and solution; the means are zero. The sizes of `p` are set. Call: Local. */
blo_status rank_one_make_means(blo_problem *p);
/** The means of the samples, by sums over the shards. Call: Collective. */
blo_status rank_one_find_means(blo_problem *p);
/** The solution, from the means. Call: Collective. */
blo_status rank_one_solve(blo_problem *p);
/** Free all. Call: Local. */
void rank_one_teardown(blo_problem *p);
/** Slot `shard`. */
blo_status rank_one_slot(blo_problem *p, const blo_shard_task *task, const blo_shard_out *out);

/* Formulas in the means; see analytic_math. */
analytic_value rank_one_g, rank_one_f, rank_one_F, rank_one_gap;
analytic_vector rank_one_g_x, rank_one_g_y, rank_one_f_x, rank_one_f_y, rank_one_y, rank_one_F_x,
    rank_one_nearest;
analytic_product rank_one_hv, rank_one_jv;

#define RANK_ONE_MATH                                                                              \
  .quadratic = true, .g = rank_one_g, .f = rank_one_f, .g_x = rank_one_g_x, .g_y = rank_one_g_y,   \
  .f_x = rank_one_f_x, .f_y = rank_one_f_y, .hv = rank_one_hv, .jv = rank_one_jv,                  \
  .solve = rank_one_y, .nearest = rank_one_nearest, .F = rank_one_F, .gap = rank_one_gap,          \
  .F_x = rank_one_F_x

#endif

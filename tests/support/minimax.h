/**
 * @file
 * A small minimax problem with a closed form: g = -f, both levels over the same samples,
 *
 *     f_i = (p_i / 2) |x|^2 + q_i'x + x'C_i y + a_i'y - (1/2) y'D_i y       D_i diagonal, positive
 *
 * over random p > 0, q, C, a, D. With their means p, q, C, a, D:
 *     y*(x) = D^-1 (C'x + a),   grad F = p x + q + C y*,   H = D,   J = -C.
 * Samples of both levels contribute to x, which is rooted. F is strongly convex.
 */
#ifndef BLO_TEST_MINIMAX_H
#define BLO_TEST_MINIMAX_H

#include <blo/problem.h>

enum { MINIMAX_N_X = 4, MINIMAX_N_Y = 6, MINIMAX_N = 80 };

extern const blo_problem_type blo_problem_test_minimax;

/** f and its derivatives. */
typedef struct minimax_oracles {
  double value, gx[MINIMAX_N_X], gy[MINIMAX_N_Y];
} minimax_oracles;
/** The mean over all samples. No shard, batch or sum of the library takes part. */
minimax_oracles minimax_mean(const double *x, const double *y);

/** y*(x). */
void minimax_solution(const double *x, double *y);
/** The hypergradient grad_x f - J H^-1 grad_y f at x and any y; with y = y*(x) it is grad F. */
void minimax_hypergradient(const double *x, const double *y, double *hx);

#endif

/**
 * @file
 * A problem with a closed-form hypergradient, written as a user would write one with C functions:
 *
 *     g_i = (1/2) y'A_i y + x'C_i y + a_i'y              A_i = s_i s_i' + I
 *     f_j = (1/2) (y - t_j)'D_j (y - t_j) + (1/2) |x|^2 p_j + q_j'x + x'E y
 *
 * over random s, C, a, t, D (diagonal), p, q. With the means A, C, a:
 *     y*(x) = -A^-1 (C'x + a),   grad F = grad_x f - C A^-1 grad_y f.
 * Samples of both levels contribute to x, which is rooted.
 */
#ifndef BLO_TEST_QUADRATIC_H
#define BLO_TEST_QUADRATIC_H

#include <blo/problem.h>

enum { QUADRATIC_N_X = 5, QUADRATIC_N_Y = 7, QUADRATIC_N = 100, QUADRATIC_M = 70 };

extern const blo_problem_type blo_problem_test_quadratic;

/** What can be made wrong with an instance, to see what becomes of it. */
typedef struct quadratic_fault {
  blo_int nan_sample, failing_sample; /**< samples of g that answer NAN or fail; -1: none */
  double shift;                       /**< added to the diagonal of each A_i; 0: none */
  double upper_scale;                 /**< factor of f; 1: none */
} quadratic_fault;
/** The instance's faults. */
quadratic_fault *quadratic_faults(blo_problem *p);

/** A level's oracles; hv and jv of the lower one only. */
typedef struct quadratic_oracles {
  double value, gx[QUADRATIC_N_X], gy[QUADRATIC_N_Y], hv[QUADRATIC_N_Y], jv[QUADRATIC_N_X];
} quadratic_oracles;
/** The mean over samples of a level: sample i counts count[i] times. No shard, batch or sum of the
 *  library takes part. @param[in] v  [n_y], of the lower level; else NULL */
quadratic_oracles quadratic_mean(blo_level level, const int *count, const double *x,
                                 const double *y, const double *v);

/** y*(x), by Gauss elimination on the mean matrices. */
void quadratic_solution(const double *x, double *y);
/** The hypergradient at x and any y (closed form; with y = y*(x) it is grad F). */
void quadratic_hypergradient(const double *x, const double *y, double *hx);

#endif

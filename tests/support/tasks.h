/**
 * @file
 * A problem whose y belongs to tasks, with a closed-form hypergradient: task i has y_i of W
 * numbers,
 *
 *     g_i = (1/2) y_i'A_i y_i - y_i'(B_i x + c_i)     A_i = s_i s_i' + I
 *     f_i = (1/2) |y_i - t_i|^2 + q_i'x                    r_f = (rho/2) |x|^2
 *
 * over random s, B, c, t, q; g is their sum, so the blocks of H are the A_i. So
 *     y*_i(x) = A_i^-1 (B_i x + c_i),   grad F = mean q + rho x + (1/N) sum_i B_i'A_i^-1 (y_i -
 * t_i). B_i x + c_i is kept by a linearisation, and used again by one with same_x.
 */
#ifndef BLO_TEST_TASKS_H
#define BLO_TEST_TASKS_H

#include <blo/problem.h>

enum { TASKS_N = 45, TASKS_W = 3, TASKS_N_X = 4, TASKS_N_Y = TASKS_N * TASKS_W, TASKS_SHARDS = 8 };

extern const blo_problem_type blo_problem_test_tasks;

/** What can be made wrong with an instance, and what it has counted, on this rank. */
typedef struct tasks_probe {
  blo_int nan_task, failing_task; /**< of g; -1: none */
  bool failing_products;          /**< linearised products fail */
  blo_int fresh, again;           /**< times that B_i x + c_i was computed, was used again */
} tasks_probe;
tasks_probe *tasks_probe_of(blo_problem *p);

/** y*(x). @param[out] y [TASKS_N_Y] */
void tasks_solution(const double *x, double *y);
/** The hypergradient at x and any y [TASKS_N_Y]; with y = y*(x) it is grad F. */
void tasks_hypergradient(const double *x, const double *y, double *hx);

#endif

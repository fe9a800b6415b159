/**
 * @file
 * check (layer eval): are a problem's oracles each other's derivatives? Every oracle is compared
 * with something that does not use it: directional derivatives with differences of values and of
 * gradients, products with their symmetry, linearised and joined products with direct ones, a batch
 * with the mean of its two halves.
 *
 * Random directions and points are keyed by global indices: they are the same on any number of
 * ranks and for any layout.
 */
#ifndef BLO_CHECK_H
#define BLO_CHECK_H

#include <blo/assemble.h>
#include <blo/eval.h>

/** The comparisons: name, tolerance of the relative error, the statement that is checked. w is a
 *  random direction in x, u and v are random directions in y. */
#define BLO_CHECK_LIST(X)                                                                          \
  X(f_x, 1e-8, "grad_x f . w = d/de f(x + e w, y)")                                                \
  X(f_y, 1e-8, "grad_y f . v = d/de f(x, y + e v)")                                                \
  X(g_x, 1e-8, "grad_x g . w = d/de g(x + e w, y)")                                                \
  X(g_y, 1e-8, "grad_y g . v = d/de g(x, y + e v)")                                                \
  X(hv, 1e-7, "u . H v = d/de u . grad_y g(x, y + e v)")                                           \
  X(jv, 1e-7, "w . J v = d/de w . grad_x g(x, y + e v)")                                           \
  X(jv_adjoint, 1e-7, "w . J v = d/de v . grad_y g(x + e w, y)")                                   \
  X(hv_symmetry, 1e-12, "u . H v = v . H u")                                                       \
  X(hv_linearized, 1e-12, "linearised H v = direct H v")                                           \
  X(jv_linearized, 1e-12, "linearised J v = direct J v")                                           \
  X(hv_joined, 1e-12, "joined sweep = H v - grad_y f")                                             \
  X(jv_joined, 1e-12, "joined sweep = J v - grad_x f")                                             \
  X(halves, 1e-12, "f, g, gradients = mean of two half batches")

#define BLO_CHECK_ENUM(name, tol, text) BLO_CHECK_ROW_##name,
enum { BLO_CHECK_LIST(BLO_CHECK_ENUM) BLO_CHECK_ROWS };
#undef BLO_CHECK_ENUM

typedef enum blo_check_verdict { BLO_CHECK_SKIP, BLO_CHECK_PASS, BLO_CHECK_FAIL } blo_check_verdict;
/** "SKIP", "PASS", "FAIL". Call: Local. */
BLO_API const char *blo_check_verdict_text(blo_check_verdict verdict);

/** One line of the table. */
typedef struct blo_check_row {
  const char *name, *statement;
  double error; /**< the largest relative error found, NAN if skipped */
  double tol;
  blo_check_verdict verdict;
  const char *why; /**< of a skipped row; else "" */
} blo_check_row;

/** Make a row that is skipped until an error is recorded. Call: Local. */
BLO_API void blo_check_row_init(blo_check_row *row, const char *name, const char *statement,
                                double tol);
/** Enter an error; the worst one counts, a NAN fails. Call: Local. */
BLO_API void blo_check_row_record(blo_check_row *row, double error);

/**
 * to = from + size * (standard normal numbers), published. Call: Collective.
 * @param[in] number  of the perturbation: other numbers give other ones
 */
BLO_API void blo_check_perturb(const blo_vec *from, double size, uint64_t seed, uint64_t number,
                               blo_vec *to);

/**
 * Check the oracles of the evaluator's problem at (x, y).
 *
 * Differences: Ridders' method (Adv. Eng. Software 4 (1982) 75-76), central differences at ten
 * steps from 0.1 down to 4e-7 (the directions have entries of size 1), extrapolated to step 0; the
 * entry that agrees best with its neighbours is taken, so the choice does not look at the answer.
 *
 * Errors are relative to the typical size of the quantity: for a directional derivative a . b that
 * is max(|a . b|, ||a|| ||b|| / sqrt(n)), and not less than 1e-4 of the quantity that is
 * differenced, because below that differences see only rounding. Gradients agree then to 1e-8
 * (rounding 2e-16 over steps of 1e-3 to 1e-1), products, whose differenced gradients are themselves
 * sums with rounding, to 1e-7; comparisons of products with products to 1e-12 of their norms.
 *
 * Call  Collective. Same: all arguments. Cost: about 100 sweeps.
 * @param[in]  lower, upper  batches, fixed for all comparisons; NULL: all samples
 * @param[in]  x  in the evaluator's space, published
 * @param[out] rows  [BLO_CHECK_ROWS]
 * @return BLO_OK whatever the verdicts; what a sweep returns; BLO_E_MEMORY
 */
BLO_API BLO_MUST_USE blo_status blo_check_problem(blo_eval *eval, const blo_batch *lower,
                                                  const blo_batch *upper, const blo_vec *x,
                                                  const blo_vec *y, uint64_t seed,
                                                  blo_check_row *rows);

/** Comparisons of products with the assembled matrices. */
#define BLO_CHECK_DENSE_LIST(X)                                                                    \
  X(dense_hv, 1e-12, "assembled H times v = H v")                                                  \
  X(dense_jv, 1e-12, "assembled J times v = J v")                                                  \
  X(dense_symmetry, 1e-12, "assembled H = its transpose")

#define BLO_CHECK_ENUM(name, tol, text) BLO_CHECK_ROW_##name,
enum { BLO_CHECK_DENSE_LIST(BLO_CHECK_ENUM) BLO_CHECK_DENSE_ROWS };
#undef BLO_CHECK_ENUM

/** Make the rows of blo_check_dense(), skipped for that reason (borrowed). Call: Local.
 *  @param[out] rows [BLO_CHECK_DENSE_ROWS] */
BLO_API void blo_check_dense_skip(const char *why, blo_check_row *rows);
/**
 * Assemble H and J of a batch at (x, y) (assemble.h) and compare them with products, in a random
 * direction v; errors relative to the norm of the matrix times that of v, or of the matrix.
 *
 * Call  Collective. Same: all arguments. Cost: n_y / 8 + 2 sweeps, or n_y + 2 if the problem takes
 *       one direction at a time; two matrices [n_y][n_y] and one [n_x][n_y], over the ranks
 * @param[in]  batch  of g; NULL: all samples
 * @param[in]  most   J is left out if n_x n_y is more than this
 * @param[out] rows   [BLO_CHECK_DENSE_ROWS]
 * @return BLO_OK whatever the verdicts; what a sweep returns; BLO_E_MEMORY; BLO_E_SHAPE
 */
BLO_API BLO_MUST_USE blo_status blo_check_dense(blo_eval *eval, const blo_batch *batch,
                                                const blo_vec *x, const blo_vec *y, uint64_t seed,
                                                blo_int most, blo_check_row *rows);

#endif

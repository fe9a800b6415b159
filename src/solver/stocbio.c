/**
 * @file
 * stocBiO (Ji, Yang and Liang 2021, arXiv 2010.07962, algorithms 2 and 3): T stochastic steps on
 * the warm-started lower level, a Neumann series of K products with a fresh batch each for the
 * adjoint, one step on x with a fresh batch for the mixed product. Constant steps.
 */
#include "double_loop.h"

static const blo_opt_row lower_rows[] = {BLO_LOWER_ROWS("10", "0.1", "256")};
static const blo_opt_row adjoint_rows[] = {
    BLO_ADJOINT_ROWS("neumann", "10", "0.1", "256", "false")};
static const blo_opt_row upper_rows[] = {BLO_UPPER_ROWS("1", "0", "256")};
DOUBLE_LOOP_TABLE("stocbio", "stochastic bilevel optimization");

const blo_solver_type blo_solver_stocbio = {
    .name = "stocbio",
    .summary = "stocBiO: stochastic lower steps, Neumann adjoint with fresh batches",
    .source = "Ji, Yang and Liang 2021, arXiv 2010.07962, algorithms 2 and 3",
    .cost = "T + 1 gradients of g, K + 1 products H v, 1 product J v, 1 gradient of f, on batches; "
            "T + K + 2 reductions (T = lower.steps, K = adjoint.iterations); the gradient and the "
            "product beyond T and K are the certificate's, from the batch of J v",
    .state_size = sizeof(double_loop),
    .options = &table,
    .setup = double_loop_setup,
    .step = double_loop_step,
    .teardown = double_loop_teardown,
    .describe = double_loop_describe,
};

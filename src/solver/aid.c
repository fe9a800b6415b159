/**
 * @file
 * AID: approximate implicit differentiation with warm start (Ji, Yang and Liang 2021, arXiv
 * 2010.07962, algorithm 1, AID-BiO; Pedregosa 2016; Grazzi et al. 2020). D steps on the lower
 * level, N iterations on the adjoint system by CG or a Neumann series, one step on x; y and v are
 * carried over. Full batches unless asked otherwise.
 */
#include "double_loop.h"

static const blo_opt_row lower_rows[] = {BLO_LOWER_ROWS("20", "0.1", "0")};
static const blo_opt_row adjoint_rows[] = {BLO_ADJOINT_ROWS("cg", "20", "0.1", "0", "true")};
static const blo_opt_row upper_rows[] = {BLO_UPPER_ROWS("1", "0", "0")};
DOUBLE_LOOP_TABLE("aid", "approximate implicit differentiation");

const blo_solver_type blo_solver_aid = {
    .name = "aid",
    .summary = "AID with CG or Neumann adjoint, warm started, full batches",
    .source = "Ji, Yang and Liang 2021, arXiv 2010.07962, algorithm 1 (AID-BiO)",
    .cost = "D gradients of g, N + 1 products H v, 1 product J v, 1 gradient of f; D + N + 2 "
            "reductions (D = lower.steps, N = adjoint.iterations); direct: n_y products in n_y / 8 "
            "sweeps "
            "instead of N; newton: n_y products, a gradient and a few values of g a step",
    .state_size = sizeof(double_loop),
    .options = &table,
    .setup = double_loop_setup,
    .step = double_loop_step,
    .teardown = double_loop_teardown,
    .describe = double_loop_describe,
};

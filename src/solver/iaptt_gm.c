/**
 * @file
 * IAPTT-GM: gradient method with initialisation auxiliary and pessimistic trajectory truncation
 * (Liu, Liu, Zeng and Zhang 2021, arXiv 2110.00455), for lower levels that need not be convex. The
 * start z of the lower-level trajectory is a variable, and the trajectory is cut where the upper
 * level is worst:
 *
 *     minimise max over c in 1 ... K of f(x, y_c(x, z))   over x in X, z in Y
 *
 * with the gradient at the maximiser, the lowest c on ties. Constants and the range of c are those
 * of the authors' code.
 */
#include "unrolling.h"

typedef struct options {
  trajectory_options lower;
  unrolling_init init;
  blo_upper_options upper;
} options;

static blo_status setup(blo_solver *s)
{
  const options *o = s->options;
  const unrolling_parts parts = {
      {TRAJECTORY_GRADIENT, .truncates = true}, &o->lower, &o->init, &o->upper};

  return unrolling_setup(s, &parts);
}

static const blo_opt_row lower_rows[] = {TRAJECTORY_ROWS("40", "0.1")};
static const blo_opt_row upper_rows[] = {BLO_UPPER_ROWS("0.1", "0", "0")};
UNROLLING_TABLE("iaptt_gm", "unrolling with a learned start, cut where f is worst", options,
                trajectory_options);

const blo_solver_type blo_solver_iaptt_gm = {
    .name = "iaptt_gm",
    .summary = "IAPTT-GM: learned start, trajectory cut where f is worst; lower level not convex",
    .source = "Liu, Liu, Zeng and Zhang 2021, arXiv 2110.00455 (IAPTT-GM)",
    .cost =
        "K + 1 gradients of g, K values of f, 1 gradient of f, c products H v with J v; K + c + "
        "1 reductions; if c < K one gradient of g and of f with their values and one reduction "
        "more (K = lower.steps, c <= K the step where f is largest)",
    .state_size = sizeof(unrolling),
    .options = &table,
    .setup = setup,
    .step = unrolling_step,
    .teardown = unrolling_teardown,
    .describe = unrolling_describe,
};

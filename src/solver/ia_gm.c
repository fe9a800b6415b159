/**
 * @file
 * IA-GM and IA-GM(A): gradient method with initialisation auxiliary (Liu, Liu, Zeng and Zhang 2021,
 * arXiv 2110.00455), for convex lower levels. The start z of the lower-level trajectory is a
 * variable, the steps are gradient steps or Nesterov's:
 *
 *     minimise f(x, y_K(x, z))   over x in X, z in Y
 *
 * With `init.type: fixed` or `last` z is no variable: plain unrolling, also called reverse-mode
 * iterative differentiation (Franceschi et al. 2017, arXiv 1703.01785).
 */
#include "unrolling.h"

typedef struct lower_options {
  trajectory_options base; /**< first, because its rows count from its own beginning */
  int dynamics;            /**< trajectory_dynamics */
} lower_options;

typedef struct options {
  lower_options lower;
  unrolling_init init;
  blo_upper_options upper;
} options;

static blo_status setup(blo_solver *s)
{
  const options *o = s->options;
  const unrolling_parts parts = {{(trajectory_dynamics)o->lower.dynamics, .truncates = false},
                                 &o->lower.base,
                                 &o->init,
                                 &o->upper};

  return unrolling_setup(s, &parts);
}

static const blo_opt_row lower_rows[] = {
    TRAJECTORY_ROWS("40", "0.1"),
    BLO_OPT_NAMES(lower_options, dynamics, "gradient", trajectory_dynamics_names,
                  "projected gradient steps, or accelerated ones, for convex g",
                  "Nesterov 1983; Beck and Teboulle 2009, SIAM J. Imaging Sci. 2(1)", 0),
};
static const blo_opt_row upper_rows[] = {BLO_UPPER_ROWS("0.1", "0", "0")};
UNROLLING_TABLE("ia_gm", "unrolling with a learned start, or plain", options, lower_options);

const blo_solver_type blo_solver_ia_gm = {
    .name = "ia_gm",
    .summary = "IA-GM, IA-GM(A): learned start, gradient or Nesterov steps; plain unrolling",
    .source = "Liu, Liu, Zeng and Zhang 2021, arXiv 2110.00455 (IA-GM)",
    .cost = "K + 1 gradients of g, 1 gradient of f, K products H v with J v; 2 K + 1 reductions (K "
            "= lower.steps)",
    .state_size = sizeof(unrolling),
    .options = &table,
    .setup = setup,
    .step = unrolling_step,
    .teardown = unrolling_teardown,
    .describe = unrolling_describe,
};

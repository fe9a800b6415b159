/**
 * @file
 * MSGBiO (Huang 2023, arXiv 2303.03944): MGBiO on batches, with momentum in all five estimates.
 */
#include "momentum_bilevel.h"

static blo_status setup(blo_solver *s)
{
  const momentum_options *o = s->options;
  const momentum_law law = {.rule = BLO_TRACK_MOMENTUM,
                            .eta = o->eta,
                            .eta_power = 0.5,
                            .rates = o->momentum,
                            .rate_power = 1};

  return momentum_bilevel_setup(s, &o->blocks, &law);
}

MOMENTUM_TABLES("msgbio", "stochastic gradient bilevel optimization with momentum", "(1/2)",
                "c eta_t", "1", "2", "1");

const blo_solver_type blo_solver_msgbio = {
    .name = "msgbio",
    .summary = "MSGBiO: MGBiO on batches, with momentum in gradients and matrices",
    .source = "Huang 2023, arXiv 2303.03944 (MSGBiO)",
    .cost = "1 gradient of g, 1 of f, n_y products H v and J v, on batches; 1 + n_y / 8 sweeps, "
            "and the projection of the Hessian",
    .state_size = sizeof(momentum_bilevel),
    .options = &table,
    .setup = setup,
    .step = momentum_bilevel_step,
    .teardown = momentum_bilevel_teardown,
    .describe = momentum_bilevel_describe,
};

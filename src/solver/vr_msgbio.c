/**
 * @file
 * VR-MSGBiO (Huang 2023, arXiv 2303.03944): MSGBiO with the corrections of STORM (Cutkosky and
 * Orabona 2019, arXiv 1905.10018), for which each batch is asked at the old point, too.
 */
#include "momentum_bilevel.h"

static blo_status setup(blo_solver *s)
{
  const momentum_options *o = s->options;
  const momentum_law law = {.rule = BLO_TRACK_STORM,
                            .eta = o->eta,
                            .eta_power = 1.0 / 3,
                            .rates = o->momentum,
                            .rate_power = 2};

  return momentum_bilevel_setup(s, &o->blocks, &law);
}

MOMENTUM_TABLES("vr_msgbio", "stochastic gradient bilevel optimization with variance reduction",
                "(1/3)", "c eta_t^2", "0.5", "1", "10");

const blo_solver_type blo_solver_vr_msgbio = {
    .name = "vr_msgbio",
    .summary = "VR-MSGBiO: MSGBiO with variance reduction in gradients and matrices",
    .source = "Huang 2023, arXiv 2303.03944 (VR-MSGBiO)",
    .cost = "2 gradients of g, 2 of f, 2 n_y products H v and J v, on batches (half in the first "
            "iteration); 2 + n_y / 4 sweeps, and the projection of the Hessian",
    .state_size = sizeof(momentum_bilevel),
    .options = &table,
    .setup = setup,
    .step = momentum_bilevel_step,
    .teardown = momentum_bilevel_teardown,
    .describe = momentum_bilevel_describe,
};

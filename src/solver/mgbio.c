/**
 * @file
 * MGBiO (Huang 2023, arXiv 2303.03944): momentum-based gradient bilevel optimization for lower
 * levels that satisfy a Polyak-Lojasiewicz inequality. All derivatives are of the point, on all
 * data unless asked otherwise; eta is fixed.
 */
#include "momentum_bilevel.h"

typedef struct options {
  momentum_blocks blocks;
  double eta;
} options;

static blo_status setup(blo_solver *s)
{
  const options *o = s->options;
  const momentum_law law = {.rule = BLO_TRACK_FRESH, .eta.k = o->eta, .rates.first = 1};

  return momentum_bilevel_setup(s, &o->blocks, &law);
}

MOMENTUM_BLOCK_TABLES("0");

static const blo_opt_row rows[] = {
    BLO_OPT(options, eta, "0.5", 0, 1, "-", "the share of a step that is taken", MOMENTUM_SOURCE,
            BLO_OPT_OPEN_LOW),
};
static const blo_opt_sub subs[] = {MOMENTUM_BLOCK_SUBS(options)};
static const blo_opt_table table = BLO_OPT_TABLE_WITH(
    "mgbio", "gradient bilevel optimization with clipped matrices", options, rows, subs);

const blo_solver_type blo_solver_mgbio = {
    .name = "mgbio",
    .summary = "MGBiO: lower levels of Polyak-Lojasiewicz type, clipped Hessian, full batches",
    .source = "Huang 2023, arXiv 2303.03944 (MGBiO)",
    .cost = "1 gradient of g, 1 of f, n_y products H v and J v; 1 + n_y / 8 sweeps, and the "
            "projection of the Hessian",
    .state_size = sizeof(momentum_bilevel),
    .options = &table,
    .setup = setup,
    .step = momentum_bilevel_step,
    .teardown = momentum_bilevel_teardown,
    .describe = momentum_bilevel_describe,
};

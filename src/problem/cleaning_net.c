/** @file hyper_cleaning with a network: the weighted loss as a graph. The formulas are in
 *  hyper_cleaning.c, with CE_i(y) the loss of the network. */
#include "cleaning.h"

typedef struct state {
  blo_net *net;
  corruption labels;
} state;

static void describe(const blo_problem *p, blo_level level, blo_graph *g)
{
  const cleaning_options *o = p->options;
  blo_node phi = blo_model_features(g, &o->model, BLO_IN_Y);
  blo_node z = blo_graph_linear(g, BLO_IN_Y, "head", phi, blo_graph_input(g)->n_classes);
  blo_node ce = blo_graph_softmax_ce(g, z);

  blo_graph_mark_output(g, z);
  if (level == BLO_UPPER) {
    blo_graph_loss(g, ce);
    return;
  }
  blo_graph_loss(g, blo_graph_product(g, ce, blo_graph_sigmoid(g, blo_graph_sample_value(g))));
  blo_graph_ridge(g, BLO_IN_Y, o->reg);
}

static blo_status setup(blo_problem *p)
{
  state *st = p->state;

  BLO_TRY(blo_net_load(p));
  BLO_TRY(corruption_make(p, blo_net_train(p), &st->labels));
  BLO_TRY(blo_net_build(p));
  cleaning_align_x(p);
  return BLO_OK;
}

static void teardown(blo_problem *p)
{
  state *st = p->state;

  corruption_free(p, &st->labels);
  blo_net_teardown(p);
}

static void start(const blo_problem *p, const blo_slice *x, const blo_slice *y)
{
  const cleaning_options *o = p->options;

  blo_net_start(p, x, y);
  for (blo_int i = 0; i < x->n; i++) {
    x->data[i] = o->x0;
  }
}

static blo_status metrics_shard(blo_problem *p, blo_int s, const double *x, double *sums)
{
  const state *st = p->state;

  BLO_TRY(blo_net_metrics_shard(p, s, x, sums));
  corruption_score(&st->labels, blo_net_train(p), s, x, sums + BLO_NET_N_SUMS);
  return BLO_OK;
}

static void metrics_finish(const blo_problem *p, const double *sums, double *values)
{
  const state *st = p->state;

  blo_net_metrics_finish(p, sums, values);
  corruption_metrics(&st->labels, sums + BLO_NET_N_SUMS, values + BLO_NET_N_METRICS);
}

const blo_problem_type cleaning_net_type = {
    .name = "hyper_cleaning",
    .summary = "data cleaning: one weight per training sample, a network as classifier",
    .source = "Franceschi et al. 2017, arXiv 1703.01785; Hao, Gong and Liu 2024, arXiv 2401.09587",
    .state_size = sizeof(state),
    .options = &cleaning_table,
    .has = BLO_HAS_G_X | BLO_HAS_DIRECTIONS,
    .metrics = cleaning_metrics,
    .n_metrics = CLEANING_N_METRICS,
    .n_metric_sums = CLEANING_N_SUMS,
    .describe = describe,
    .setup = setup,
    .teardown = teardown,
    .start = start,
    .shard = blo_net_shard,
    .common = blo_net_common,
    .metrics_prepare = blo_net_metrics_prepare,
    .metrics_shard = metrics_shard,
    .metrics_finish = metrics_finish,
};

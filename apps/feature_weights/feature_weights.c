/**
 * @file
 * Your own problem in 80 lines: which features matter? x holds the logarithm of a weight for each
 * feature, y a softmax classifier on the weighted features,
 *
 *     g(x, y) = (1/n) sum_i CE(y, exp(x) o a_i) + reg ||y||^2      f(x, y) = (1/m) sum_j CE(y,
 * exp(x) o a_j)
 *
 * so a feature that helps on the validation samples gets more weight, and with it less ridge. All
 * gradients and products follow from the description; docs/own-problem.md explains it line by line.
 */
#include <blo/blo.h>

typedef struct options {
  blo_net_options net; /* first: where the data is, and how things start */
  double reg;
} options;

/* The losses of a level, from the samples' features to one number. */
static void describe(const blo_problem *p, blo_level level, blo_graph *g)
{
  const options *o = p->options;
  const blo_input *in = blo_graph_input(g);
  blo_node x = blo_graph_param(g, BLO_IN_X, "log_weight", 1, &in->n_features,
                               (blo_init){BLO_INIT_CONSTANT, 0});
  blo_node a = blo_graph_product(g, blo_graph_features(g), blo_graph_exp(g, x));
  blo_node z = blo_graph_linear(g, BLO_IN_Y, "classifier", a, in->n_classes);

  blo_graph_loss(g, blo_graph_softmax_ce(g, z));
  blo_graph_mark_output(g, z); /* what accuracy is counted from */
  if (level == BLO_LOWER) {
    blo_graph_ridge(g, BLO_IN_Y, o->reg);
  }
}

/* The options of `problem` in a run file: parsing, ranges, help and the record follow from this. */
static const blo_opt_row rows[] = {
    BLO_NET_ROWS(options),
    BLO_OPT(options, reg, "0.01", 0, 1e6, "-", "weight of ||y||^2 in g", "", 0),
};
static const blo_opt_sub subs[] = {{"data", offsetof(options, net.data), &blo_data_table}};
static const blo_opt_table table =
    BLO_OPT_TABLE_WITH("feature_weights", "learn which features matter", options, rows, subs);

static const blo_problem_type feature_weights = {
    BLO_NET_SLOTS,
    .name = "feature_weights",
    .summary = "one weight for each feature, a softmax classifier on the weighted features",
    .source = "docs/own-problem.md",
    .options = &table,
    .describe = describe,
};

BLO_PLUGIN(&feature_weights);

/**
 * @file
 * Hyper-representation (Franceschi et al. 2018, arXiv 1806.04910; in the form of Ji, Yang and Liang
 * 2021, arXiv 2010.07962): x are the parameters of a network that all classes share, y those of the
 * softmax layer on top, fitted to the training samples:
 *
 *     g(x, y) = (1/n) sum_i CE(y, phi_x(a_i)) + reg ||y||^2      f(x, y) = (1/m) sum_j CE(y,
 * phi_x(a_j))
 *
 * with the representation phi_x. For reg > 0 the lower level is strongly convex.
 */
#include <blo/network.h>

typedef struct options {
  blo_net_options net;
  blo_model_options model;
  double reg;
} options;

static void describe(const blo_problem *p, blo_level level, blo_graph *g)
{
  const options *o = p->options;
  blo_node phi = blo_model_features(g, &o->model, BLO_IN_X);
  blo_node z = blo_graph_linear(g, BLO_IN_Y, "head", phi, blo_graph_input(g)->n_classes);

  blo_graph_loss(g, blo_graph_softmax_ce(g, z));
  blo_graph_mark_output(g, z);
  if (level == BLO_LOWER) {
    blo_graph_ridge(g, BLO_IN_Y, o->reg);
  }
}

static const blo_opt_row rows[] = {
    BLO_NET_ROWS(options),
    BLO_OPT(options, reg, "0.001", 0, 1e6, "-", "weight of ||y||^2 in g", "", 0),
};
static const blo_opt_sub subs[] = {{"data", offsetof(options, net.data), &blo_data_table},
                                   {"model", offsetof(options, model), &blo_model_table}};
static const blo_opt_table table = BLO_OPT_TABLE_WITH(
    "hyper_representation", "learn a representation on which a linear classifier does well",
    options, rows, subs);

const blo_problem_type blo_problem_hyper_representation = {
    BLO_NET_SLOTS,
    .name = "hyper_representation",
    .summary = "representation learning: a network in x, the softmax layer on top in y",
    .source = "Franceschi et al. 2018, arXiv 1806.04910; Ji, Yang and Liang 2021, arXiv 2010.07962",
    .options = &table,
    .describe = describe,
};

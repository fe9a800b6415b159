/**
 * @file
 * Hyperparameter optimisation of a network: x holds the logarithm of one regularisation weight for
 * each block of the network's parameters y,
 *
 *     g(x, y) = (1/n) sum_i CE_i(y) + (1/2) sum_b exp(x_b) R(y_b)      f(y) = (1/m) sum_j CE_j(y)
 *
 * with R(y_b) = ||y_b||^2, or ||y_b|| as in the experiments of Hao, Gong and Liu 2024, arXiv
 * 2401.09587 (there with one weight for all). Blocks are what the output names: "lstm.W_ih" and so
 * on.
 */
#include <blo/network.h>
#include <math.h>

typedef struct options {
  blo_net_options net;
  blo_model_options model;
  int penalty; /**< 0 square, 1 norm */
  double weight;
} options;

static blo_int count_blocks(const blo_params *params)
{
  blo_int n = 0;

  for (blo_int i = 0; i < blo_params_count(params); i++) {
    n += blo_params_get(params, i)->owner == BLO_IN_Y;
  }
  return n;
}

/** (1/2) exp(x_b) R(y_b) for every block b. */
static void add_penalties(const options *o, blo_graph *g)
{
  const blo_params *params = blo_graph_params(g);
  blo_int n = count_blocks(params), b = 0;
  blo_node x = blo_graph_param(g, BLO_IN_X, "log_weight", 1, &n,
                               (blo_init){BLO_INIT_CONSTANT, log(o->weight)});
  blo_node weight = blo_graph_affine(g, blo_graph_exp(g, x), 0.5, 0);

  for (blo_int i = 0; b < n; i++) {
    if (blo_params_get(params, i)->owner == BLO_IN_Y) {
      blo_node y = blo_graph_param_again(g, blo_params_get(params, i)->name);
      blo_node size = o->penalty == 0 ? blo_graph_square_norm(g, y) : blo_graph_norm(g, y);
      blo_graph_term(g, blo_graph_product(g, size, blo_graph_slice(g, weight, b++, 1)));
    }
  }
}

static void describe(const blo_problem *p, blo_level level, blo_graph *g)
{
  const options *o = p->options;
  blo_node phi = blo_model_features(g, &o->model, BLO_IN_Y);
  blo_node z = blo_graph_linear(g, BLO_IN_Y, "head", phi, blo_graph_input(g)->n_classes);

  blo_graph_loss(g, blo_graph_softmax_ce(g, z));
  blo_graph_mark_output(g, z);
  if (level == BLO_LOWER) {
    add_penalties(o, g);
  }
}

static const char *const penalty_names[] = {"square", "norm", NULL};

static const blo_opt_row rows[] = {
    BLO_NET_ROWS(options),
    BLO_OPT_NAMES(options, penalty, "square", penalty_names,
                  "R of a block: the square of its norm, or its norm",
                  "Hao, Gong and Liu 2024, arXiv 2401.09587", 0),
    BLO_OPT(options, weight, "0.001", 0, 1e6, "-", "starting weight exp(x_b) of every block", "",
            BLO_OPT_OPEN_LOW),
};
static const blo_opt_sub subs[] = {{"data", offsetof(options, net.data), &blo_data_table},
                                   {"model", offsetof(options, model), &blo_model_table}};
static const blo_opt_table table = BLO_OPT_TABLE_WITH(
    "block_ridge", "one regularisation weight for each block of parameters", options, rows, subs);

const blo_problem_type blo_problem_block_ridge = {
    BLO_NET_SLOTS,
    .name = "block_ridge",
    .summary =
        "hyperparameters: one regularisation weight for each block of a network's parameters",
    .source = "Hao, Gong and Liu 2024, arXiv 2401.09587, section 5",
    .options = &table,
    .describe = describe,
};

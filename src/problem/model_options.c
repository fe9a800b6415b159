/** @file The networks that the built-in problems offer. */
#include <blo/network.h>

const char *const blo_model_names[] = {"linear", "mlp", "conv", "rnn", "gru", "lstm", NULL};
const char *const blo_pooling_names[] = {"max", "mean", "last", NULL};

static const blo_opt_row rows[] = {BLO_MODEL_ROWS("mlp")};

const blo_opt_table blo_model_table =
    BLO_OPT_TABLE("model", "the network", blo_model_options, rows);

static blo_node mlp(blo_graph *g, const blo_model_options *o, blo_owner owner)
{
  blo_int width[BLO_MODEL_LAYERS_MAX];

  for (blo_int k = 0; k < o->layers; k++) {
    width[k] = o->hidden;
  }
  return blo_graph_mlp(g, owner, "mlp", blo_graph_features(g), (int)o->layers, width,
                       (blo_activation)o->activation);
}

static blo_node convolutional(blo_graph *g, const blo_model_options *o, blo_owner owner)
{
  blo_conv_spec spec = {(int)o->layers, o->filters, (blo_conv_norm)o->norm, o->smooth};

  return blo_graph_conv_net(g, owner, "conv", blo_graph_images(g, o->channels), &spec);
}

static blo_node recurrent(blo_graph *g, const blo_model_options *o, blo_owner owner)
{
  static const blo_cell cells[] = {BLO_CELL_RNN, BLO_CELL_GRU, BLO_CELL_LSTM};
  blo_cell cell = cells[o->type - BLO_MODEL_RNN];
  blo_int n = blo_graph_input(g)->n_tokens, n_tokens = n > 0 ? n : 1; /* the embedding refuses 0 */
  blo_node h = blo_graph_embedding(g, blo_graph_param(g, owner, "embedding.E", 2,
                                                      (const blo_int[]){n_tokens, o->embedding},
                                                      (blo_init){BLO_INIT_NORMAL, 1}));

  for (blo_int k = 0; k < o->layers; k++) {
    char name[BLO_NAME_MAX];
    if (k == 0) {
      snprintf(name, sizeof name, "%s", blo_cell_names[cell]);
    } else {
      snprintf(name, sizeof name, "%s%lld", blo_cell_names[cell], (long long)k + 1);
    }
    h = blo_graph_recurrent(g, owner, name, h, cell, o->hidden);
  }
  switch (o->pooling) {
  case 0:
    return blo_graph_max_time(g, h);
  case 1:
    return blo_graph_mean_time(g, h);
  default:
    return blo_graph_last_time(g, h);
  }
}

blo_node blo_model_features(blo_graph *g, const blo_model_options *o, blo_owner owner)
{
  switch ((blo_model_type)o->type) {
  case BLO_MODEL_LINEAR:
    break;
  case BLO_MODEL_MLP:
    return mlp(g, o, owner);
  case BLO_MODEL_CONV:
    return convolutional(g, o, owner);
  case BLO_MODEL_RNN:
  case BLO_MODEL_GRU:
  case BLO_MODEL_LSTM:
    return recurrent(g, o, owner);
  }
  return blo_graph_features(g);
}

/**
 * @file
 * network (layer problem): problems described with the operations of model.h. A problem says what
 * its losses are, for each level, as a graph over the samples of its data; everything else - data
 * sets, shards, batches, products, metrics, starting values, names in the output - is done here.
 *
 *     g(x, y) = (1/n) sum of the lower graph's loss over the training samples + its terms
 *     f(x, y) = (1/m) sum of the upper graph's loss over the validation samples + its terms
 *
 * Parameters of the graphs belong to x or to y (blo_owner). If a graph uses the samples' own
 * entries of x (blo_graph_sample_value()), x is aligned with the training samples and has no other
 * parts.
 *
 * A descriptor is made of BLO_NET_SLOTS and `describe`; its options begin with a blo_net_options,
 * its state with a `blo_net *`. docs/own-problem.md shows a whole one.
 */
#ifndef BLO_NETWORK_H
#define BLO_NETWORK_H

#include <blo/problem.h>

/** The block `problem.data` of a run file. */
typedef struct blo_data_options {
  blo_source_spec train, test;
  blo_int n_train, n_val, n_test, shards, seed;
  int split, scaling;
} blo_data_options;
BLO_API extern const blo_opt_table blo_data_table;
/** The block of a blo_source_spec. */
BLO_API extern const blo_opt_table blo_source_table;

/** What networks are made of: the block `problem.model` of the built-in problems. */
typedef struct blo_model_options {
  int type;       /**< blo_model_type */
  int activation; /**< blo_activation */
  int pooling;    /**< over time: 0 max, 1 mean, 2 last */
  int norm;       /**< blo_conv_norm */
  blo_int hidden; /**< width of a hidden layer, units of a recurrent one */
  blo_int layers; /**< hidden layers, or blocks of a convolutional network */
  blo_int filters, channels;
  blo_int embedding; /**< numbers per word */
  bool smooth;       /**< conv: without kinks */
} blo_model_options;
typedef enum blo_model_type {
  BLO_MODEL_LINEAR,
  BLO_MODEL_MLP,
  BLO_MODEL_CONV,
  BLO_MODEL_RNN,
  BLO_MODEL_GRU,
  BLO_MODEL_LSTM
} blo_model_type;
/** Names for option tables, NULL-terminated. */
BLO_API extern const char *const blo_model_names[];
BLO_API extern const char *const blo_pooling_names[];
enum { BLO_MODEL_LAYERS_MAX = 16 };

/** The rows of an option table for blo_model_options, with a problem's own default of the type. */
#define BLO_MODEL_ROWS(type_default)                                                               \
  BLO_OPT_NAMES(blo_model_options, type, type_default, blo_model_names,                            \
                "the network: linear, mlp and conv on features, rnn, gru and lstm on texts", "",   \
                0),                                                                                \
      BLO_OPT_NAMES(blo_model_options, activation, "tanh", blo_activation_names,                   \
                    "mlp: activation of the hidden layers", "", 0),                                \
      BLO_OPT(blo_model_options, hidden, "128", 1, 1e6, "units",                                   \
              "mlp: width of a hidden layer; rnn, gru, lstm: units", "", 0),                       \
      BLO_OPT(blo_model_options, layers, "1", 1, BLO_MODEL_LAYERS_MAX, "layers",                   \
              "mlp: hidden layers; conv: blocks; rnn, gru, lstm: layers one above the other", "",  \
              0),                                                                                  \
      BLO_OPT(blo_model_options, filters, "32", 1, 4096, "filters", "conv: filters of each block", \
              "", 0),                                                                              \
      BLO_OPT(blo_model_options, channels, "1", 1, 1024, "channels",                               \
              "conv: channels of the images, which are square: features are "                      \
              "[channel][row][column]",                                                            \
              "", 0),                                                                              \
      BLO_OPT_NAMES(blo_model_options, norm, "sample", blo_conv_norm_names,                        \
                    "conv: what is brought to mean 0 and variance 1 after a convolution: each "    \
                    "channel of a sample, all channels of a sample together, or nothing",          \
                    "", 0),                                                                        \
      BLO_OPT_PLAIN(blo_model_options, smooth, "false",                                            \
                    "conv: softplus and mean pooling instead of relu and max pooling, over whose " \
                    "kinks the differences of `parblo check` fall",                                \
                    0),                                                                            \
      BLO_OPT(blo_model_options, embedding, "64", 1, 1e5, "numbers",                               \
              "rnn, gru, lstm: numbers per word", "", 0),                                          \
      BLO_OPT_NAMES(blo_model_options, pooling, "max", blo_pooling_names,                          \
                    "rnn, gru, lstm: over time, the largest, the mean, or the last state", "", 0)
/** The block with the default mlp. */
BLO_API extern const blo_opt_table blo_model_table;

/**
 * The network of the options, without its last layer: [k] numbers for each sample. Its parameters
 * are named "mlp.1.W", "conv.1.K", "embedding.E", "lstm.W_ih" and so on. Call: Local.
 */
BLO_API blo_node blo_model_features(blo_graph *g, const blo_model_options *options,
                                    blo_owner owner);

/** What the options of a network problem begin with. */
typedef struct blo_net_options {
  blo_data_options data;
  blo_int init_seed; /**< of the starting values of parameters */
} blo_net_options;
/** The row for init_seed in the struct T, whose member `net` is the blo_net_options. */
#define BLO_NET_ROWS(T)                                                                            \
  BLO_OPT_AS("init_seed", T, net.init_seed, "1", 0, 9007199254740992.0, "-",                       \
             "seed of the starting values of parameters", "", 0)

typedef struct blo_net blo_net;

/** The metrics of a network problem, from BLO_NET_SUMS sums. */
#define BLO_NET_METRICS                                                                            \
  {"test_accuracy", "-", "share of the test samples that are classified correctly"},               \
      {"test_loss", "-", "mean upper-level loss on the test set"},                                 \
      {"val_accuracy", "-", "share of the validation samples that are classified correctly"},      \
  {                                                                                                \
    "val_loss", "-", "mean upper-level loss on the validation set"                                 \
  }
enum { BLO_NET_N_METRICS = 4, BLO_NET_N_SUMS = 4 };
BLO_API extern const blo_metric blo_net_metrics[BLO_NET_N_METRICS];

/* The slots. Own problems may wrap them. */

/** blo_net_load() and blo_net_build(). Call: Collective. */
BLO_API BLO_MUST_USE blo_status blo_net_setup(blo_problem *p);
/** Load the data; labels of the training set may be changed afterwards. Call: Collective. */
BLO_API BLO_MUST_USE blo_status blo_net_load(blo_problem *p);
/** The training set. Call: Local. */
BLO_API const blo_set *blo_net_train(const blo_problem *p);
/** Describe the graphs, take memory, set the sizes of x and y. Call: Collective. */
BLO_API BLO_MUST_USE blo_status blo_net_build(blo_problem *p);
BLO_API void blo_net_teardown(blo_problem *p);
/** Parameters as they are described; an x aligned with samples is 0. Call: Local. */
BLO_API void blo_net_start(const blo_problem *p, const blo_slice *x, const blo_slice *y);
BLO_API BLO_MUST_USE blo_status blo_net_shard(blo_problem *p, const blo_shard_task *task,
                                              const blo_shard_out *out);
BLO_API void blo_net_common(const blo_problem *p, blo_level level, unsigned want,
                            const blo_point *at, double scale, const blo_shard_out *out);
BLO_API void blo_net_metrics_prepare(blo_problem *p, const blo_point *at);
BLO_API BLO_MUST_USE blo_status blo_net_metrics_shard(blo_problem *p, blo_int shard,
                                                      const double *x, double *sums);
BLO_API void blo_net_metrics_finish(const blo_problem *p, const double *sums, double *values);

#define BLO_NET_SLOTS                                                                              \
  .has = BLO_HAS_G_X | BLO_HAS_F_X | BLO_HAS_DIRECTIONS, .state_size = sizeof(blo_net *),          \
  .metrics = blo_net_metrics, .n_metrics = BLO_NET_N_METRICS, .n_metric_sums = BLO_NET_N_SUMS,     \
  .setup = blo_net_setup, .teardown = blo_net_teardown, .start = blo_net_start,                    \
  .shard = blo_net_shard, .common = blo_net_common, .metrics_prepare = blo_net_metrics_prepare,    \
  .metrics_shard = blo_net_metrics_shard, .metrics_finish = blo_net_metrics_finish

#endif

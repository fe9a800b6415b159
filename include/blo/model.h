/**
 * @file
 * model: losses as graphs of tensor operations, and all their derivatives.
 *
 * A graph is described once: operations on *parameters*, which belong to x or to y, and on what the
 * samples bring (features or tokens, labels, per-sample values). From it follow, for a batch of
 * samples: the loss; its gradients in x and y; and the products of the bilevel problem,
 *
 *     H v = grad_yy g . v     J v = grad_xy g . v = grad_x (v . grad_y g),
 *
 * both from one pass, for one or several directions v at once. The products are the tangent of
 * reverse differentiation (forward over reverse; Pearlmutter, Neural Computation 6 (1994) 147-160):
 * with bar(a) = d loss / d a the adjoint of a node a and dot(a) = (d a / d y) v its tangent, the
 * product is dot(bar(y)) (H v) and dot(bar(x)) (J v). Every operation brings four functions: its
 * value, its vjp (adds to the adjoints of its inputs), its jvp (tangent of its value), and the
 * tangent of its vjp. What depends on x alone has no tangent: there the product is a plain vjp.
 *
 * A node is a tensor for each sample (or *row*) of a batch, [rows][n] with rows outermost, or one
 * tensor for all of them (*global*: parameters, constants and what is made of them). Its n numbers
 * have up to three dimensions, the last one running fastest: features [f], sequences [time][f],
 * images [channel][height][width].
 *
 * A graph knows nothing of ranks, shards or reductions. All its functions are Local.
 */
#ifndef BLO_MODEL_H
#define BLO_MODEL_H

#include <blo/data.h>
#include <blo/random.h>
#include <stdio.h>

/* ------------------------------------------------------------- parameters */

/** The vector that a parameter is part of. */
typedef enum blo_owner { BLO_IN_X, BLO_IN_Y } blo_owner;

/** How a parameter starts. Fans are those of its dims: see blo_graph_param(). */
typedef enum blo_init_kind {
  BLO_INIT_CONSTANT, /**< all `value` */
  BLO_INIT_GLOROT,   /**< uniform on +-value sqrt(6 / (fan_in + fan_out)); Glorot and Bengio 2010 */
  BLO_INIT_KAIMING,  /**< normal, variance value^2 2 / fan_in; He et al. 2015, arXiv 1502.01852 */
  BLO_INIT_UNIFORM,  /**< uniform on +-value */
  BLO_INIT_NORMAL    /**< normal, standard deviation `value` */
} blo_init_kind;
typedef struct blo_init {
  blo_init_kind kind;
  double value;
} blo_init;

enum { BLO_DIMS_MAX = 4, BLO_NAME_MAX = 48 };

/** A named block of x or y. */
typedef struct blo_block {
  char name[BLO_NAME_MAX]; /**< dotted, e.g. "lstm.W_ih" */
  blo_owner owner;
  int n_dims;
  blo_int dim[BLO_DIMS_MAX]; /**< row-major, last one fastest */
  blo_int n, offset;         /**< numbers, and the first one's place in the owner's vector */
  blo_init init;
} blo_block;

typedef struct blo_params blo_params;

/** Make an empty list of parameters. @return BLO_OK; BLO_E_MEMORY. Call: Local. */
BLO_API BLO_MUST_USE blo_status blo_params_create(blo_context *ctx, blo_params **out);
/** Free it, after the graphs that use it. NULL is accepted. Call: Local. */
BLO_API void blo_params_destroy(blo_params **params);
/** Numbers that belong to an owner. Call: Local. */
BLO_API blo_int blo_params_size(const blo_params *params, blo_owner owner);
/** Number of blocks; the i-th; the one of that name or NULL. Call: Local. */
BLO_API blo_int blo_params_count(const blo_params *params);
BLO_API const blo_block *blo_params_get(const blo_params *params, blo_int i);
BLO_API const blo_block *blo_params_find(const blo_params *params, const char *name);
/**
 * Starting values of the numbers first..first+n of an owner's vector, drawn from the stream (seed,
 * BLO_PURPOSE_INIT) by block and place: the same however the vector is cut.
 * @param[out] out [n]. Call: Local.
 */
BLO_API void blo_params_start(const blo_params *params, blo_owner owner, uint64_t seed,
                              blo_int first, blo_int n, double *out);

/* ------------------------------------------------------------------ graphs */

typedef struct blo_graph blo_graph;
/** A node of a graph; negative if describing has failed (see blo_graph_finish()). */
typedef int blo_node;

/** What the samples of a graph look like. */
typedef struct blo_input {
  blo_int n_features; /**< of dense and sparse features, or the longest length of tokens */
  blo_int n_classes;
  blo_int n_tokens; /**< size of the vocabulary; 0: features are numbers */
  bool sparse;
  bool skip_zeros;    /**< dense features with so many zeros that leaving them out pays */
  blo_int n_nonzeros; /**< most nonzeros of a row of sparse features or with skip_zeros */
} blo_input;

/** Make an empty graph over a list of parameters, borrowed. Call: Local. @return BLO_OK;
 * BLO_E_MEMORY */
BLO_API BLO_MUST_USE blo_status blo_graph_create(blo_context *ctx, blo_params *params,
                                                 const blo_input *input, blo_graph **out);
/** Free it. NULL is accepted. Call: Local. */
BLO_API void blo_graph_destroy(blo_graph **graph);

/* Describing. Each call adds a node and returns it. What does not fit (shapes, owners, memory) is
 * remembered: the node is negative, calls with negative nodes do nothing, and blo_graph_finish()
 * reports the first failure. So a description needs no checks. All Local. */

/** The features of the sample [f]; the same as square images [channels][h][h]. */
BLO_API blo_node blo_graph_features(blo_graph *g);
BLO_API blo_node blo_graph_images(blo_graph *g, blo_int channels);
/** The sample's own entry of x (x aligned with samples) [1]. */
BLO_API blo_node blo_graph_sample_value(blo_graph *g);
/** The sample's label as a number, 0 .. n_classes-1 [1]. */
BLO_API blo_node blo_graph_label(blo_graph *g);
/** A global constant [n]; the numbers are copied. */
BLO_API blo_node blo_graph_constant(blo_graph *g, blo_int n, const double *values);
/**
 * A parameter, global. One name is one parameter, in all graphs over the same list; dims, owner and
 * start must then agree. Fans of dims [a]: a, a; [in][out]: in, out; [out][in][kh][kw]: in kh kw,
 * out kh kw.
 * @param[in] dim  [n_dims]
 */
BLO_API blo_node blo_graph_param(blo_graph *g, blo_owner owner, const char *name, int n_dims,
                                 const blo_int *dim, blo_init init);

/** A parameter that has been described before, by its name. */
BLO_API blo_node blo_graph_param_again(blo_graph *g, const char *name);

/** in [..][k] times W [k][m]: [..][m]; `in` may be sparse features. */
BLO_API blo_node blo_graph_matmul(blo_graph *g, blo_node in, blo_node w);
/** in + b, b [m] along the last dimension, or along the first of an image [m][h][w]. */
BLO_API blo_node blo_graph_bias(blo_graph *g, blo_node in, blo_node b);

/* Elementwise; the result has the input's shape. */
BLO_API blo_node blo_graph_tanh(blo_graph *g, blo_node in);
BLO_API blo_node blo_graph_sigmoid(blo_graph *g, blo_node in);
/** max(0, a); the derivative at 0 is 0. */
BLO_API blo_node blo_graph_relu(blo_graph *g, blo_node in);
/** log(1 + exp a). */
BLO_API blo_node blo_graph_softplus(blo_graph *g, blo_node in);
BLO_API blo_node blo_graph_exp(blo_graph *g, blo_node in);
BLO_API blo_node blo_graph_square(blo_graph *g, blo_node in);
BLO_API blo_node blo_graph_sin(blo_graph *g, blo_node in);
BLO_API blo_node blo_graph_cos(blo_graph *g, blo_node in);
/** (a + eps)^(-1/2). */
BLO_API blo_node blo_graph_rsqrt(blo_graph *g, blo_node in, double eps);
/** factor * a + shift. */
BLO_API blo_node blo_graph_affine(blo_graph *g, blo_node in, double factor, double shift);
/** a + b, and a * b elementwise. b has a's shape, or fewer numbers: one for each entry of a's first
 *  dimensions (as many as it has numbers; then repeated along the rest), or one in all. b may be
 *  global. */
BLO_API blo_node blo_graph_add(blo_graph *g, blo_node a, blo_node b);
BLO_API blo_node blo_graph_product(blo_graph *g, blo_node a, blo_node b);

/** Sum over all numbers of the node [1]; over groups of the last `n` numbers [..]. */
BLO_API blo_node blo_graph_sum(blo_graph *g, blo_node in);
BLO_API blo_node blo_graph_mean_groups(blo_graph *g, blo_node in, blo_int n);
/** Sum of squares [1], and its square root (with derivative 0 at 0). */
BLO_API blo_node blo_graph_square_norm(blo_graph *g, blo_node in);
BLO_API blo_node blo_graph_norm(blo_graph *g, blo_node in);
/** Numbers from..from+n of the last dimension, and the last dimensions one after the other. */
BLO_API blo_node blo_graph_slice(blo_graph *g, blo_node in, blo_int from, blo_int n);
BLO_API blo_node blo_graph_concat(blo_graph *g, blo_node a, blo_node b);

/** -log softmax(z)_label of logits z [C]: [1]. */
BLO_API blo_node blo_graph_softmax_ce(blo_graph *g, blo_node logits);
/** log(1 + exp(-s z)) with s = 1 for label 1, -1 for label 0, z [1]: [1]. */
BLO_API blo_node blo_graph_logistic(blo_graph *g, blo_node logit);
/** ||a - b||^2 / 2: [1]. */
BLO_API blo_node blo_graph_squared(blo_graph *g, blo_node a, blo_node b);

/** Rows of the table E [n_tokens][k] for the sample's tokens: [time][k]; 0 for padding. */
BLO_API blo_node blo_graph_embedding(blo_graph *g, blo_node table);
/** Over time, padding left out: the largest, the mean, the last one of each number. [t][k]: [k]. */
BLO_API blo_node blo_graph_max_time(blo_graph *g, blo_node in);
BLO_API blo_node blo_graph_mean_time(blo_graph *g, blo_node in);
BLO_API blo_node blo_graph_last_time(blo_graph *g, blo_node in);
/**
 * Recurrent layers over inputs P [time][gates] that are already products with the input weights:
 * states h [time][k] from h = 0, padding leaves them as they are. The formulas are in
 * src/model/op_recurrent.c; gate order as in PyTorch: LSTM i, f, g, o; GRU r, z, n.
 * @param[in] w     [k][k], [k][4 k], [k][3 k]
 * @param[in] b_hh  GRU: [3 k], added to the products with h
 */
BLO_API blo_node blo_graph_rnn(blo_graph *g, blo_node p, blo_node w);
BLO_API blo_node blo_graph_lstm(blo_graph *g, blo_node p, blo_node w);
BLO_API blo_node blo_graph_gru(blo_graph *g, blo_node p, blo_node w, blo_node b_hh);

/** 2-D cross-correlation of an image [c][h][w] with K [m][c][kh][kw], zero padding `pad`, stride
 *  `stride`: [m][h'][w'], h' = (h + 2 pad - kh) / stride + 1. */
BLO_API blo_node blo_graph_conv2d(blo_graph *g, blo_node in, blo_node k, blo_int stride,
                                  blo_int pad);
/** Largest and mean over windows of size x size, stride = size, incomplete windows left out. */
BLO_API blo_node blo_graph_max_pool(blo_graph *g, blo_node in, blo_int size);
BLO_API blo_node blo_graph_mean_pool(blo_graph *g, blo_node in, blo_int size);

/**
 * Batch normalisation with fixed statistics, per channel (first dimension of an image, last of
 * others): (a - mean) / sqrt(variance + eps), made of operations above; scale and shift are
 * parameters of the caller's. @param[in] mean, variance [channels]
 */
BLO_API blo_node blo_graph_batch_norm(blo_graph *g, blo_node in, const double *mean,
                                      const double *variance, double eps);
/** Normalisation over groups of the last n numbers of each sample, to mean 0 and variance 1 (Ba,
 *  Kiros and Hinton 2016; per channel of an image: Ulyanov et al. 2016): exact, the statistics are
 *  the sample's own and differentiated. */
BLO_API blo_node blo_graph_group_norm(blo_graph *g, blo_node in, blo_int n, double eps);

/* ----------------------------------------------------------- ready-made */

typedef enum blo_activation { BLO_TANH, BLO_RELU, BLO_SIGMOID, BLO_SOFTPLUS } blo_activation;
/** "tanh", "relu", "sigmoid", "softplus", NULL. */
BLO_API extern const char *const blo_activation_names[];
/** One of them. Call: Local. */
BLO_API blo_node blo_graph_activation(blo_graph *g, blo_node in, blo_activation kind);

/** in W + b: parameters NAME.W [in][out] (Glorot) and NAME.b [out] (0). Call: Local. */
BLO_API blo_node blo_graph_linear(blo_graph *g, blo_owner owner, const char *name, blo_node in,
                                  blo_int n_out);
/** Hidden layers NAME.1, NAME.2, ... of the given widths, each with an activation. Call: Local. */
BLO_API blo_node blo_graph_mlp(blo_graph *g, blo_owner owner, const char *name, blo_node in,
                               int n_layers, const blo_int *width, blo_activation activation);
/** What a convolutional network is like. */
typedef enum blo_conv_norm {
  BLO_NORM_CHANNEL, /**< each channel of each sample on its own, then scale and shift */
  BLO_NORM_SAMPLE,  /**< all channels of a sample together, after a bias for each */
  BLO_NORM_NONE     /**< only the bias */
} blo_conv_norm;
/** "channel", "sample", "none", NULL. */
BLO_API extern const char *const blo_conv_norm_names[];
typedef struct blo_conv_spec {
  int n_blocks;
  blo_int n_filters;
  blo_conv_norm norm;
  bool smooth; /**< softplus and mean pooling instead of relu and max pooling, which have kinks */
} blo_conv_spec;
/** The network of few-shot learning (Vinyals et al. 2016, arXiv 1606.04080): blocks NAME.1, NAME.2,
 * ... of 3x3 convolution (K [n_filters][channels][3][3], Kaiming), normalisation (scale, shift or b
 *  [n_filters]), 2x2 max pooling and relu. The result is flat. Call: Local. */
BLO_API blo_node blo_graph_conv_net(blo_graph *g, blo_owner owner, const char *name, blo_node in,
                                    const blo_conv_spec *spec);
typedef enum blo_cell { BLO_CELL_RNN, BLO_CELL_GRU, BLO_CELL_LSTM } blo_cell;
/** "rnn", "gru", "lstm", NULL. */
BLO_API extern const char *const blo_cell_names[];
/** A recurrent layer over a sequence: NAME.W_ih [in][gates k], NAME.b_ih, NAME.W_hh [k][gates k]
 *  (GRU: NAME.b_hh), all uniform on +-1/sqrt(k), as in PyTorch. [t][in]: [t][k]. Call: Local. */
BLO_API blo_node blo_graph_recurrent(blo_graph *g, blo_owner owner, const char *name, blo_node in,
                                     blo_cell cell, blo_int n_hidden);

/* -------------------------------------------------- what the graph is for */

/** The loss of a sample [1]: the graph's value is its sum over the rows. Once. Call: Local. */
BLO_API void blo_graph_loss(blo_graph *g, blo_node loss);
/** A global term [1], e.g. a regularisation; several are added. Call: Local. */
BLO_API void blo_graph_term(blo_graph *g, blo_node term);
/** The term factor * (sum of squares of all parameters of an owner in the list, other graphs' too,
 * as far as they are described by now); nothing for factor 0. Call: Local. */
BLO_API void blo_graph_ridge(blo_graph *g, blo_owner owner, double factor);
/** Numbers to read for each sample with blo_graph_output(), e.g. logits. Once. Call: Local. */
BLO_API void blo_graph_mark_output(blo_graph *g, blo_node node);

/**
 * Complete the graph: plan and take all memory. Call: Local.
 * @param[in] directions  at most so many products at once; 0: no products
 * @return BLO_OK; BLO_E_SHAPE or BLO_E_UNSUPPORTED with what did not fit; BLO_E_MEMORY
 */
BLO_API BLO_MUST_USE blo_status blo_graph_finish(blo_graph *g, blo_int directions);
/** Rows that one call takes at most. Call: Local. */
BLO_API blo_int blo_graph_chunk(const blo_graph *g);
/** Doubles that a linearisation keeps per row. Call: Local. */
BLO_API blo_int blo_graph_cache_size(const blo_graph *g);
/**
 * True if the value is a sum of convex losses of what a model makes of y: then products with the
 * Gauss-Newton matrix exist, which is H without the second derivatives of the model (which
 * operations are the losses: src/model/gauss_newton.c). Of a finished graph. Call: Local.
 */
BLO_API bool blo_graph_has_gauss_newton(const blo_graph *g);
/** Bytes that finish() took or, for a graph that is not finished, 0. Call: Local. */
BLO_API blo_int blo_graph_bytes(const blo_graph *g);
/** What the samples look like, as it was given. Call: Local. */
BLO_API const blo_input *blo_graph_input(const blo_graph *g);
/** The list of parameters. Call: Local. */
BLO_API const blo_params *blo_graph_params(const blo_graph *g);
/** True if the loss uses the samples' own entries of x; numbers of the marked output, 0 if none is
 *  marked. Call: Local. */
BLO_API bool blo_graph_reads_sample_value(const blo_graph *g);
BLO_API blo_int blo_graph_output_size(const blo_graph *g);
/** Print the nodes, one a line: operation, shape, owner of the parameters it depends on. Local. */
BLO_API void blo_graph_print(const blo_graph *g, FILE *to);

/* ---------------------------------------------------------------- evaluate */

/** The samples of a call. */
typedef struct blo_graph_rows {
  blo_int n;                  /**< at most blo_graph_chunk() */
  const blo_table *table;     /**< features or tokens, and labels */
  const blo_scaling *scaling; /**< of the features, or NULL */
  const blo_int *row;         /**< [n] of the table */
  const int32_t *label;       /**< [n] other labels than the table's, or NULL */
  const double *sample_value; /**< [n] entries of x, or NULL */
} blo_graph_rows;

/** A call. Pointers that are NULL are not wanted; results are added to. */
typedef struct blo_graph_call {
  blo_graph_rows rows;
  const double *x, *y;    /**< the owners' vectors */
  blo_int n_v;            /**< directions; 0: no products */
  const double *const *v; /**< [n_v] each [n_y] */
  double scale;      /**< of everything; of a linearisation and the products that use it alike */
  bool linearized;   /**< `cache` holds what a call with the same rows, x and y left there */
  bool same_x;       /**< `cache` holds what a call with the same rows and x left there */
  bool gauss_newton; /**< hv are products with the Gauss-Newton matrix instead of H, jv and
                        j_sample are NULL; of graphs with blo_graph_has_gauss_newton() */
  /** n cache_size doubles, node by node over the rows of the call: to fill, or to use with the same
   *  rows; NULL: nothing is kept */
  double *cache;
  double *value;
  double *gx, *gy;         /**< [n_x], [n_y] */
  double *g_sample_value;  /**< [n] */
  double *const *hv;       /**< [n_v] each [n_y], or NULL */
  double *const *jv;       /**< [n_v] each [n_x], or NULL */
  double *const *j_sample; /**< [n_v] each [n] */
} blo_graph_call;

/** The sum of the rows' losses and its derivatives. With `cache` and neither flag: linearise.
 *  Call: Local. */
BLO_API void blo_graph_samples(blo_graph *g, const blo_graph_call *call);
/** The terms without samples and their derivatives; rows, cache and flags are not looked at. Call:
 * Local. */
BLO_API void blo_graph_terms(blo_graph *g, const blo_graph_call *call);
/** The marked output and the loss of each row. Either may be NULL. Call: Local.
 *  @param[out] output [n][numbers of the marked node]  @param[out] loss [n] */
BLO_API void blo_graph_output(blo_graph *g, const blo_graph_call *call, double *output,
                              double *loss);

#endif

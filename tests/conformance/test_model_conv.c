/* Convolution, pooling and normalisation against plain loops in hyper-dual numbers. A case is a
 * list of layers from the features to the logits of a softmax; both the graph and the reference are
 * made from the list. Data are random, so no two numbers of a window are equal and no relu is at 0.
 */
#include "model_check.h"
#include <string.h>

typedef enum layer_kind {
  END,
  CONV,
  TANH,
  RELU,
  SOFTPLUS,
  MAX_POOL,
  MEAN_POOL,
  GROUP_NORM, /* over h w numbers; with size > 0: over `size` numbers */
  BATCH_NORM,
  SCALE,
  SHIFT,
  LINEAR
} layer_kind;

enum { LAYERS_MAX = 16, NUMBERS_MAX = 512, CHANNELS_MAX = 8, N_ROWS = 5 };

typedef struct layer {
  layer_kind kind;
  blo_owner owner;
  blo_int m, kh, kw, stride, pad; /* of a convolution; m of a linear layer */
  blo_int size;                   /* of windows, of groups */
} layer;

typedef struct shape {
  blo_int c, h, w;
} shape;

/** A conv_net is made by blo_graph_conv_net() from the first net_layers layers. */
typedef struct spec {
  const char *name;
  shape in;
  layer layers[LAYERS_MAX];
  int net_layers, net_blocks;
  blo_int net_filters;
  blo_conv_norm net_norm;
  bool net_smooth;
  bool sequence; /* with a term: a batch norm of a parameter [3][2] */
} spec;

static const double eps = 1e-5;
static const double mean_of[CHANNELS_MAX] = {0.3, -0.2, 0.5, -0.7, 0.1, 0.9, -0.4, 0.6};
static const double variance_of[CHANNELS_MAX] = {0.5, 2, 1.5, 0.8, 1.1, 0.3, 0.9, 1.7};

static shape shape_after(const layer *l, shape s)
{
  switch (l->kind) {
  case CONV:
    return (shape){l->m, (s.h + 2 * l->pad - l->kh) / l->stride + 1,
                   (s.w + 2 * l->pad - l->kw) / l->stride + 1};
  case MAX_POOL:
  case MEAN_POOL:
    return (shape){s.c, s.h / l->size, s.w / l->size};
  case LINEAR:
    return (shape){l->m, 1, 1};
  default:
    return s;
  }
}

static blo_int numbers(shape s)
{
  return s.c * s.h * s.w;
}

/* ------------------------------------------------------------------ reference */

/** What is left of the parameters of x and of y, in the order of the layers. */
typedef struct parameters {
  const hyperdual *at[2];
} parameters;

static const hyperdual *next(parameters *p, blo_owner owner, blo_int n)
{
  const hyperdual *at = p->at[owner];

  p->at[owner] += n;
  return at;
}

/** Number (c, y, x) of an image, 0 outside. */
static hyperdual pixel(shape s, const hyperdual *image, blo_int c, blo_int y, blo_int x)
{
  bool inside = y >= 0 && y < s.h && x >= 0 && x < s.w;

  return inside ? image[(c * s.h + y) * s.w + x] : hd(0);
}

static hyperdual conv_number(const layer *l, shape s, const hyperdual *in, const hyperdual *k,
                             blo_int y, blo_int x)
{
  hyperdual sum = hd(0);

  for (blo_int c = 0; c < s.c; c++) {
    for (blo_int i = 0; i < l->kh; i++) {
      for (blo_int j = 0; j < l->kw; j++) {
        hyperdual a = pixel(s, in, c, y * l->stride + i - l->pad, x * l->stride + j - l->pad);
        sum = hd_add(sum, hd_mul(k[(c * l->kh + i) * l->kw + j], a));
      }
    }
  }
  return sum;
}

static hyperdual pool_number(const layer *l, shape s, const hyperdual *in, blo_int c, blo_int y,
                             blo_int x)
{
  hyperdual top = hd(-(double)INFINITY), sum = hd(0);

  for (blo_int i = 0; i < l->size; i++) {
    for (blo_int j = 0; j < l->size; j++) {
      hyperdual a = pixel(s, in, c, y * l->size + i, x * l->size + j);
      top = hd_max(top, a);
      sum = hd_add(sum, a);
    }
  }
  return l->kind == MAX_POOL ? top : hd_scale(1 / (double)(l->size * l->size), sum);
}

/** Layers whose numbers come from places of an image. */
static void image_layer(const layer *l, shape s, const hyperdual *in, parameters *p, hyperdual *out)
{
  shape o = shape_after(l, s);
  blo_int n_k = s.c * l->kh * l->kw;
  const hyperdual *k = l->kind == CONV ? next(p, l->owner, o.c * n_k) : NULL;

  for (blo_int i = 0; i < numbers(o); i++) {
    blo_int c = i / (o.h * o.w), y = i / o.w % o.h, x = i % o.w;
    out[i] =
        l->kind == CONV ? conv_number(l, s, in, k + c * n_k, y, x) : pool_number(l, s, in, c, y, x);
  }
}

static void group_norm(blo_int n, const hyperdual *in, hyperdual *out)
{
  hyperdual mean = hd(0), variance = hd(0), inverse;

  for (blo_int i = 0; i < n; i++) {
    mean = hd_add(mean, hd_scale(1 / (double)n, in[i]));
  }
  for (blo_int i = 0; i < n; i++) {
    hyperdual off = hd_sub(in[i], mean);
    variance = hd_add(variance, hd_scale(1 / (double)n, hd_mul(off, off)));
  }
  inverse = hd_pow(hd_add(variance, hd(eps)), -0.5);
  for (blo_int i = 0; i < n; i++) {
    out[i] = hd_mul(hd_sub(in[i], mean), inverse);
  }
}

static void linear(const layer *l, blo_int n, const hyperdual *in, parameters *p, hyperdual *out)
{
  const hyperdual *w = next(p, l->owner, n * l->m), *b = next(p, l->owner, l->m);

  for (blo_int j = 0; j < l->m; j++) {
    out[j] = b[j];
    for (blo_int i = 0; i < n; i++) {
      out[j] = hd_add(out[j], hd_mul(in[i], w[i * l->m + j]));
    }
  }
}

/** Layers that change each number by itself. */
static hyperdual elementwise(const layer *l, hyperdual a, blo_int channel, const hyperdual *b)
{
  switch (l->kind) {
  case TANH:
    return hd_tanh(a);
  case RELU:
    return hd_max(a, hd(0));
  case SOFTPLUS:
    return hd_log(hd_add(hd(1), hd_exp(a)));
  case BATCH_NORM:
    return hd_scale(1 / sqrt(variance_of[channel] + eps), hd_sub(a, hd(mean_of[channel])));
  case SCALE:
    return hd_mul(a, b[channel]);
  default:
    return hd_add(a, b[channel]);
  }
}

static void refer_layer(const layer *l, shape s, const hyperdual *in, parameters *p, hyperdual *out)
{
  blo_int n = numbers(s), group = l->size > 0 ? l->size : s.h * s.w;
  const hyperdual *b = NULL;

  switch (l->kind) {
  case CONV:
  case MAX_POOL:
  case MEAN_POOL:
    image_layer(l, s, in, p, out);
    return;
  case GROUP_NORM:
    for (blo_int i = 0; i < n; i += group) {
      group_norm(group, in + i, out + i);
    }
    return;
  case LINEAR:
    linear(l, n, in, p, out);
    return;
  case SCALE:
  case SHIFT:
    b = next(p, l->owner, s.c);
    break;
  default:
    break;
  }
  for (blo_int i = 0; i < n; i++) {
    out[i] = elementwise(l, in[i], i / (s.h * s.w), b);
  }
}

static hyperdual cross_entropy(blo_int n, const hyperdual *z, int32_t label)
{
  hyperdual sum = hd(0);

  for (blo_int k = 0; k < n; k++) {
    sum = hd_add(sum, hd_exp(hd_sub(z[k], z[label])));
  }
  return hd_log(sum);
}

static hyperdual loss(const model_case *c, blo_int i, const hyperdual *x, const hyperdual *y,
                      hyperdual sample_value)
{
  const spec *m = c->more;
  const blo_table *t = c->rows.table;
  blo_int row = c->rows.row[i];
  hyperdual a[2][NUMBERS_MAX];
  parameters p = {{[BLO_IN_X] = x, [BLO_IN_Y] = y}};
  shape s = m->in;
  int at = 0;

  (void)sample_value;
  for (blo_int k = 0; k < numbers(s); k++) {
    a[0][k] = hd(((const double *)t->values)[row * t->ld + k]);
  }
  for (const layer *l = m->layers; l->kind != END; l++) {
    refer_layer(l, s, a[at], &p, a[1 - at]);
    s = shape_after(l, s);
    at = 1 - at;
  }
  return cross_entropy(numbers(s), a[at], t->label[row]);
}

static hyperdual sequence_term(const model_case *c, const hyperdual *x, const hyperdual *y)
{
  const layer norm = {.kind = BATCH_NORM};
  blo_int at = blo_params_find(c->params, "sequence")->offset;
  hyperdual sum = hd(0);

  (void)x;
  for (blo_int k = 0; k < 6; k++) {
    hyperdual z = elementwise(&norm, y[at + k], k % 2, NULL);
    sum = hd_add(sum, hd_mul(z, z));
  }
  return sum;
}

/* ---------------------------------------------------------------------- graph */

static blo_node parameter(blo_graph *g, const layer *l, int number, int n_dims, const blo_int *dim)
{
  char name[BLO_NAME_MAX];

  snprintf(name, sizeof name, "p%d", number);
  return blo_graph_param(g, l->owner, name, n_dims, dim, (blo_init){BLO_INIT_NORMAL, 1});
}

static blo_node add_layer(blo_graph *g, const layer *l, shape s, int number, blo_node in)
{
  switch (l->kind) {
  case CONV:
    return blo_graph_conv2d(g, in,
                            parameter(g, l, number, 4, (const blo_int[]){l->m, s.c, l->kh, l->kw}),
                            l->stride, l->pad);
  case TANH:
    return blo_graph_tanh(g, in);
  case RELU:
    return blo_graph_relu(g, in);
  case SOFTPLUS:
    return blo_graph_softplus(g, in);
  case MAX_POOL:
    return blo_graph_max_pool(g, in, l->size);
  case MEAN_POOL:
    return blo_graph_mean_pool(g, in, l->size);
  case GROUP_NORM:
    return blo_graph_group_norm(g, in, l->size > 0 ? l->size : s.h * s.w, eps);
  case BATCH_NORM:
    return blo_graph_batch_norm(g, in, mean_of, variance_of, eps);
  case SCALE:
    return blo_graph_product(g, in, parameter(g, l, number, 1, &s.c));
  case SHIFT:
    return blo_graph_add(g, in, parameter(g, l, number, 1, &s.c));
  case LINEAR:
    return blo_graph_linear(g, l->owner, "linear", in, l->m);
  case END:
    break;
  }
  return in;
}

static void describe(blo_graph *g, const spec *m)
{
  shape s = m->in;
  blo_node at = s.h * s.w > 1 ? blo_graph_images(g, s.c) : blo_graph_features(g);

  if (m->net_layers > 0) {
    at = blo_graph_conv_net(
        g, m->layers[0].owner, "net", at,
        &(blo_conv_spec){m->net_blocks, m->net_filters, m->net_norm, m->net_smooth});
  }
  for (int k = 0; m->layers[k].kind != END; k++) {
    if (k >= m->net_layers) {
      at = add_layer(g, &m->layers[k], s, k, at);
    }
    s = shape_after(&m->layers[k], s);
  }
  blo_graph_loss(g, blo_graph_softmax_ce(g, at));
}

static void add_sequence_term(blo_graph *g)
{
  blo_node in = blo_graph_param(g, BLO_IN_Y, "sequence", 2, (const blo_int[]){3, 2},
                                (blo_init){BLO_INIT_NORMAL, 1});

  blo_graph_term(g,
                 blo_graph_square_norm(g, blo_graph_batch_norm(g, in, mean_of, variance_of, eps)));
}

static blo_int n_logits(const spec *m)
{
  shape s = m->in;

  for (const layer *l = m->layers; l->kind != END; l++) {
    s = shape_after(l, s);
  }
  return numbers(s);
}

static void check_spec(blo_comm *comm, const spec *m, double size)
{
  static const blo_int row[N_ROWS] = {3, 0, 6, 2, 5};
  blo_context *ctx = blo_comm_context(comm);
  blo_input input = {.n_features = numbers(m->in), .n_classes = n_logits(m)};
  model_case c = {
      .name = m->name, .loss = loss, .term = m->sequence ? sequence_term : NULL, .more = m};
  blo_table *table = NULL;

  BLO_REQUIRE_STATUS(model_random_table(ctx, 7, input.n_features, input.n_classes, 5, &table),
                     BLO_OK);
  BLO_REQUIRE_STATUS(blo_params_create(ctx, &c.params), BLO_OK);
  BLO_REQUIRE_STATUS(blo_graph_create(ctx, c.params, &input, &c.graph), BLO_OK);
  describe(c.graph, m);
  if (m->sequence) {
    add_sequence_term(c.graph);
  }
  BLO_REQUIRE_STATUS(blo_graph_finish(c.graph, 3), BLO_OK);
  BLO_REQUIRE_MSG(blo_graph_chunk(c.graph) >= N_ROWS, "%s: too large", m->name);
  c.rows = (blo_graph_rows){.n = N_ROWS, .table = table, .row = row};
  model_check_random(&c, size, 17, 1e-10);
  blo_graph_destroy(&c.graph);
  blo_params_destroy(&c.params);
  blo_table_destroy(ctx, &table);
}

static void check_specs(blo_comm *comm, const spec *specs, size_t n, double size)
{
  for (size_t k = 0; k < n; k++) {
    check_spec(comm, &specs[k], size);
  }
}

#define CHECK_SPECS(specs, size) check_specs(comm, specs, sizeof(specs) / sizeof *(specs), size)

/* ----------------------------------------------------------------------- cases */

#define X BLO_IN_X
#define Y BLO_IN_Y
#define PLAIN(what)                                                                                \
  {                                                                                                \
    .kind = what                                                                                   \
  }
#define OF(what, whose)                                                                            \
  {                                                                                                \
    .kind = what, .owner = whose                                                                   \
  }
#define OVER(what, numbers)                                                                        \
  {                                                                                                \
    .kind = what, .size = numbers                                                                  \
  }
#define DENSE(whose, n_out)                                                                        \
  {                                                                                                \
    .kind = LINEAR, .owner = whose, .m = n_out                                                     \
  }
#define CONVOLVE(whose, filters, high, wide, step, around)                                         \
  {                                                                                                \
    .kind = CONV, .owner = whose, .m = filters, .kh = high, .kw = wide, .stride = step,            \
    .pad = around                                                                                  \
  }
#define CASE(text, channels, side, ...)                                                            \
  {                                                                                                \
    .name = text, .in = {channels, side, side}, .layers = { __VA_ARGS__ }                          \
  }

/** Shapes of one convolution of the features, in y alone and in x alone (no products then). */
static void convolutions_of_data(blo_comm *comm)
{
  static const spec specs[] = {
      CASE("1x1", 2, 3, CONVOLVE(Y, 2, 1, 1, 1, 0)),
      CASE("3x3, same", 1, 4, CONVOLVE(Y, 2, 3, 3, 1, 1)),
      CASE("3x3, padding 2", 2, 3, CONVOLVE(Y, 1, 3, 3, 1, 2)),
      CASE("2x3, stride 2", 2, 5, CONVOLVE(Y, 2, 2, 3, 2, 0)),
      CASE("2x3, stride 2, padding 1", 3, 5, CONVOLVE(Y, 2, 2, 3, 2, 1)),
      CASE("3x3, stride 3, padding 2", 1, 6, CONVOLVE(Y, 3, 3, 3, 3, 2)),
      CASE("5x5, same, image smaller", 1, 3, CONVOLVE(Y, 2, 2, 3, 1, 0), PLAIN(TANH),
           CONVOLVE(Y, 2, 5, 5, 1, 2)),
      CASE("3x3, same, one column", 2, 4, CONVOLVE(Y, 2, 1, 4, 1, 0), PLAIN(TANH),
           CONVOLVE(Y, 2, 3, 3, 1, 1)),
      CASE("in x", 2, 4, CONVOLVE(X, 2, 3, 3, 1, 1)),
  };

  CHECK_SPECS(specs, 0.5);
}

/** Two convolutions with something curved between: inputs and kernels in x and y in all ways. */
static void convolutions_in_series(blo_comm *comm)
{
  static const spec specs[] = {
      CASE("y y", 1, 4, CONVOLVE(Y, 2, 3, 3, 1, 1), PLAIN(TANH), CONVOLVE(Y, 2, 3, 3, 1, 1)),
      CASE("x y", 1, 4, CONVOLVE(X, 2, 3, 3, 1, 1), PLAIN(TANH), CONVOLVE(Y, 2, 2, 3, 1, 1)),
      CASE("y x", 1, 4, CONVOLVE(Y, 2, 3, 3, 1, 1), PLAIN(TANH), CONVOLVE(X, 2, 3, 3, 2, 1)),
      CASE("x x y", 1, 4, CONVOLVE(X, 2, 1, 1, 1, 0), PLAIN(TANH), CONVOLVE(X, 2, 2, 2, 1, 0),
           PLAIN(TANH), CONVOLVE(Y, 1, 3, 3, 1, 2)),
      CASE("x y x", 2, 5, CONVOLVE(X, 2, 3, 3, 2, 1), PLAIN(TANH), CONVOLVE(Y, 2, 3, 3, 1, 1),
           PLAIN(TANH), CONVOLVE(X, 3, 2, 3, 2, 2)),
      CASE("y x y", 2, 5, CONVOLVE(Y, 2, 3, 3, 2, 0), PLAIN(TANH), CONVOLVE(X, 3, 2, 2, 1, 1),
           PLAIN(TANH), CONVOLVE(Y, 2, 3, 3, 1, 1)),
  };

  CHECK_SPECS(specs, 0.5);
}

/** Images of more columns than a tile has, and images that share tiles. */
static void convolutions_in_tiles(blo_comm *comm)
{
  static const spec specs[] = {
      CASE("y", 1, 20, CONVOLVE(Y, 1, 3, 3, 1, 1), PLAIN(TANH), OVER(MEAN_POOL, 5)),
      CASE("x y", 1, 21, CONVOLVE(X, 1, 3, 2, 1, 1), PLAIN(TANH), CONVOLVE(Y, 1, 3, 3, 1, 1),
           PLAIN(TANH), OVER(MEAN_POOL, 5)),
      CASE("y x", 1, 20, CONVOLVE(Y, 1, 3, 3, 1, 0), PLAIN(TANH), CONVOLVE(X, 1, 2, 3, 1, 2),
           PLAIN(TANH), OVER(MEAN_POOL, 5)),
      CASE("two images a tile", 1, 11, CONVOLVE(Y, 1, 2, 1, 1, 0), PLAIN(TANH),
           CONVOLVE(Y, 2, 3, 3, 1, 1), PLAIN(TANH), CONVOLVE(X, 1, 3, 3, 2, 1)),
  };

  CHECK_SPECS(specs, 0.5);
}

static void pools(blo_comm *comm)
{
  static const spec specs[] = {
      CASE("max", 2, 6, CONVOLVE(Y, 2, 3, 1, 1, 0), PLAIN(TANH), OVER(MAX_POOL, 2),
           CONVOLVE(X, 2, 1, 1, 1, 0)),
      CASE("max, windows left out", 1, 7, CONVOLVE(X, 2, 2, 2, 1, 1), OVER(MAX_POOL, 3),
           PLAIN(TANH), CONVOLVE(Y, 2, 1, 1, 1, 0)),
      CASE("mean", 2, 6, CONVOLVE(Y, 2, 3, 1, 1, 0), PLAIN(TANH), OVER(MEAN_POOL, 2),
           CONVOLVE(X, 2, 1, 1, 1, 0)),
      CASE("mean, windows left out", 1, 7, CONVOLVE(X, 2, 2, 2, 1, 1), OVER(MEAN_POOL, 3),
           PLAIN(TANH), CONVOLVE(Y, 2, 1, 1, 1, 0)),
      CASE("of data", 2, 4, OVER(MAX_POOL, 2), CONVOLVE(Y, 2, 1, 1, 1, 0)),
  };

  CHECK_SPECS(specs, 0.5);
}

static void normalisations(blo_comm *comm)
{
  static const spec specs[] = {
      CASE("group y", 1, 3, CONVOLVE(Y, 2, 3, 3, 1, 1), PLAIN(GROUP_NORM)),
      CASE("group x y", 1, 4, CONVOLVE(X, 2, 3, 3, 1, 1), PLAIN(GROUP_NORM),
           CONVOLVE(Y, 2, 2, 2, 1, 0)),
      CASE("group y x", 1, 4, CONVOLVE(Y, 2, 2, 3, 1, 1), PLAIN(GROUP_NORM),
           CONVOLVE(X, 2, 2, 2, 1, 0)),
      CASE("group x y x", 2, 4, CONVOLVE(X, 2, 1, 2, 1, 0), PLAIN(TANH), CONVOLVE(Y, 2, 3, 3, 1, 1),
           OVER(GROUP_NORM, 24), CONVOLVE(X, 2, 2, 2, 1, 0)),
      CASE("groups of three", 2, 4, CONVOLVE(Y, 2, 1, 2, 1, 0), OVER(GROUP_NORM, 3)),
      CASE("group of data", 2, 4, PLAIN(GROUP_NORM), CONVOLVE(Y, 2, 3, 3, 1, 1)),
      CASE("batch", 2, 4, CONVOLVE(X, 3, 3, 3, 1, 1), PLAIN(BATCH_NORM), PLAIN(TANH),
           CONVOLVE(Y, 2, 3, 3, 1, 1), PLAIN(BATCH_NORM)),
      {.name = "batch of numbers and of a sequence",
       .in = {9, 1, 1},
       .layers = {DENSE(Y, 5), PLAIN(BATCH_NORM), PLAIN(TANH)},
       .sequence = true},
      CASE("scale and shift", 2, 3, CONVOLVE(X, 2, 3, 3, 1, 1), PLAIN(GROUP_NORM), OF(SCALE, Y),
           OF(SHIFT, Y), PLAIN(TANH)),
  };

  CHECK_SPECS(specs, 0.8);
}

#define BLOCK(whose, filters)                                                                      \
  CONVOLVE(whose, filters, 3, 3, 1, 1), PLAIN(GROUP_NORM), OF(SCALE, whose), OF(SHIFT, whose),     \
      PLAIN(RELU), OVER(MAX_POOL, 2)
#define NET(text, channels, side, whose, filters, head)                                            \
  {                                                                                                \
    .name = text, .in = {channels, side, side},                                                    \
    .layers = {BLOCK(whose, filters), BLOCK(whose, filters), head}, .net_layers = 12,              \
    .net_blocks = 2, .net_filters = filters                                                        \
  }

static void conv_nets(blo_comm *comm)
{
  static const spec specs[] = {
      NET("net in y", 1, 8, Y, 3, DENSE(Y, 4)),
      NET("net in x, head in y", 1, 8, X, 3, DENSE(Y, 4)),
      NET("net in y, head in x", 2, 7, Y, 2, DENSE(X, 3)),
  };

  CHECK_SPECS(specs, 0.8);
}

/* The parts of blocks of the other kinds. */
#define BIASED(whose, filters) CONVOLVE(whose, filters, 3, 3, 1, 1), OF(SHIFT, whose)
#define SHARP                  PLAIN(RELU), OVER(MAX_POOL, 2)
#define SMOOTH                 OVER(MEAN_POOL, 2), PLAIN(SOFTPLUS)
#define OTHER_NET(text, channels, side, filters, how, is_smooth, n, ...)                           \
  {                                                                                                \
    .name = text, .in = {channels, side, side}, .layers = {__VA_ARGS__}, .net_layers = n,          \
    .net_blocks = 2, .net_filters = filters, .net_norm = how, .net_smooth = is_smooth              \
  }

/** All kinds of normalisation, with kinks and smooth, as they are documented. */
static void conv_nets_of_other_kinds(blo_comm *comm)
{
  static const spec specs[] = {
      OTHER_NET("by sample, in y", 1, 8, 2, BLO_NORM_SAMPLE, false, 10, BIASED(Y, 2),
                OVER(GROUP_NORM, 128), SHARP, BIASED(Y, 2), OVER(GROUP_NORM, 32), SHARP,
                DENSE(Y, 3)),
      OTHER_NET("by sample, smooth, in x", 2, 7, 3, BLO_NORM_SAMPLE, true, 10, BIASED(X, 3),
                OVER(GROUP_NORM, 147), SMOOTH, BIASED(X, 3), OVER(GROUP_NORM, 27), SMOOTH,
                DENSE(Y, 3)),
      OTHER_NET("none, in x", 1, 8, 3, BLO_NORM_NONE, false, 8, BIASED(X, 3), SHARP, BIASED(X, 3),
                SHARP, DENSE(Y, 3)),
      OTHER_NET("none, smooth, in y", 2, 6, 2, BLO_NORM_NONE, true, 8, BIASED(Y, 2), SMOOTH,
                BIASED(Y, 2), SMOOTH, DENSE(X, 3)),
      OTHER_NET("by channel, smooth, in y", 1, 8, 2, BLO_NORM_CHANNEL, true, 12,
                CONVOLVE(Y, 2, 3, 3, 1, 1), PLAIN(GROUP_NORM), OF(SCALE, Y), OF(SHIFT, Y), SMOOTH,
                CONVOLVE(Y, 2, 3, 3, 1, 1), PLAIN(GROUP_NORM), OF(SCALE, Y), OF(SHIFT, Y), SMOOTH,
                DENSE(X, 3)),
  };

  CHECK_SPECS(specs, 0.8);
}

/* ------------------------------------------------------------------ what is refused */

typedef blo_node describing(blo_graph *g, blo_node image);

static blo_node too_large_kernel(blo_graph *g, blo_node image)
{
  blo_node k = blo_graph_param(g, X, "k", 4, (const blo_int[]){1, 2, 7, 7},
                               (blo_init){BLO_INIT_CONSTANT, 1});
  return blo_graph_conv2d(g, image, k, 1, 1);
}

static blo_node other_channels(blo_graph *g, blo_node image)
{
  blo_node k = blo_graph_param(g, X, "k", 4, (const blo_int[]){1, 3, 1, 1},
                               (blo_init){BLO_INIT_CONSTANT, 1});
  return blo_graph_conv2d(g, image, k, 1, 0);
}

static blo_node no_stride(blo_graph *g, blo_node image)
{
  blo_node k = blo_graph_param(g, X, "k", 4, (const blo_int[]){1, 2, 1, 1},
                               (blo_init){BLO_INIT_CONSTANT, 1});
  return blo_graph_conv2d(g, image, k, 0, 0);
}

static blo_node flat_kernel(blo_graph *g, blo_node image)
{
  blo_node k =
      blo_graph_param(g, X, "k", 3, (const blo_int[]){1, 2, 9}, (blo_init){BLO_INIT_CONSTANT, 1});
  return blo_graph_conv2d(g, image, k, 1, 0);
}

static blo_node no_kernel(blo_graph *g, blo_node image)
{
  return blo_graph_conv2d(g, image, image, 1, 0);
}

static blo_node large_pool(blo_graph *g, blo_node image)
{
  return blo_graph_max_pool(g, image, 5);
}

static blo_node mean_pool_of_number(blo_graph *g, blo_node image)
{
  (void)image;
  return blo_graph_mean_pool(g, blo_graph_label(g), 1);
}

static blo_node parts_of_groups(blo_graph *g, blo_node image)
{
  return blo_graph_group_norm(g, image, 7, eps);
}

static blo_node no_eps(blo_graph *g, blo_node image)
{
  return blo_graph_group_norm(g, image, 16, 0);
}

static blo_node negative_variance(blo_graph *g, blo_node image)
{
  return blo_graph_batch_norm(g, image, mean_of, (const double[]){1, -1}, eps);
}

static blo_node too_many_blocks(blo_graph *g, blo_node image)
{
  return blo_graph_conv_net(g, Y, "net", image, &(blo_conv_spec){3, 2, BLO_NORM_CHANNEL, false});
}

static blo_node no_blocks(blo_graph *g, blo_node image)
{
  return blo_graph_conv_net(g, Y, "net", image, &(blo_conv_spec){0, 2, BLO_NORM_CHANNEL, false});
}

static void refusals(blo_comm *comm)
{
  static const struct {
    describing *describe;
    blo_status status;
    const char *says;
  } bad[] = {
      {too_large_kernel, BLO_E_SHAPE, "[1][2][7][7]"},
      {other_channels, BLO_E_SHAPE, "[1][3][1][1]"},
      {no_stride, BLO_E_SHAPE, "stride 0"},
      {flat_kernel, BLO_E_UNSUPPORTED, "[out][in][height][width]"},
      {no_kernel, BLO_E_UNSUPPORTED, "parameter"},
      {large_pool, BLO_E_SHAPE, "max_pool: windows of 5 x 5"},
      {mean_pool_of_number, BLO_E_SHAPE, "mean_pool"},
      {parts_of_groups, BLO_E_SHAPE, "groups of 7 of 32"},
      {no_eps, BLO_E_SHAPE, "eps"},
      {negative_variance, BLO_E_DATA, "channel 1"},
      {too_many_blocks, BLO_E_SHAPE, "max_pool"},
      {no_blocks, BLO_E_SHAPE, "0 blocks"},
  };
  blo_context *ctx = blo_comm_context(comm);
  blo_input input = {.n_features = 32, .n_classes = 2};

  for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
    blo_params *params = NULL;
    blo_graph *g = NULL;
    BLO_REQUIRE_STATUS(blo_params_create(ctx, &params), BLO_OK);
    BLO_REQUIRE_STATUS(blo_graph_create(ctx, params, &input, &g), BLO_OK);
    BLO_EXPECT_ALL(bad[k].describe(g, blo_graph_images(g, 2)) < 0);
    BLO_EXPECT_STATUS(blo_graph_finish(g, 1), bad[k].status);
    BLO_EXPECT_ERROR_HAS(bad[k].says);
    blo_graph_destroy(&g);
    blo_params_destroy(&params);
  }
}

static const blo_test tests[] = {{"convolutions of data", convolutions_of_data},
                                 {"convolutions in series", convolutions_in_series},
                                 {"convolutions in tiles", convolutions_in_tiles},
                                 {"pools", pools},
                                 {"normalisations", normalisations},
                                 {"conv nets", conv_nets},
                                 {"conv nets of other kinds", conv_nets_of_other_kinds},
                                 {"refusals", refusals}};
BLO_TEST_MAIN("model_conv", tests)

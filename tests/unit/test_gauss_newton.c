/* ranks: 1 2 3 */
/* Products with the Gauss-Newton matrix: of graphs against J' L J, with J from differences of the
 * outputs (values only) and L, the losses' Hessian, in closed form; its properties; and which
 * graphs have none. */
#include "model_check.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 6, TABLE_ROWS = 8, FEATURES = 4, SIDE = 6, TOKENS = 6, TIME = 4, CLASSES = 3 };
enum { OUTPUTS = 3, DIRECTIONS = 3, N_V = 5 };

static const blo_int row[ROWS] = {7, 0, 4, 1, 1, 5};
static const double sample_value[ROWS] = {0.3, -1.2, 0.8, 2.1, -0.4, 0};
static const blo_init normal = {BLO_INIT_NORMAL, 1};
static const double ridge = 0.05, loss_weight = 0.7, second_weight = 0.2;

/* ------------------------------------------------------------- the graphs */

typedef enum kind_of_data { NUMBERS, IMAGES, TEXTS } kind_of_data;

/** A graph whose marked output z [n_out] is what the losses see. */
typedef struct net {
  const char *name;
  kind_of_data data;
  blo_int n_classes, n_out;
  void (*describe)(blo_graph *g);
  void (*curve)(const double *z, int label, double *L); /**< adds the loss's Hessian in z */
  bool weighted;                                        /**< by sigmoid(sample value) */
  bool linear_in_y;                                     /**< G = H */
} net;

static blo_node head(blo_graph *g, blo_node in, blo_int n)
{
  blo_node z = blo_graph_linear(g, BLO_IN_Y, "head", in, n);
  blo_graph_mark_output(g, z);
  return z;
}

static blo_node mlp(blo_graph *g, blo_owner owner, blo_activation activation)
{
  return blo_graph_mlp(g, owner, "mlp", blo_graph_features(g), 2, (const blo_int[]){4, 3},
                       activation);
}

/** A term with a model in it: ||tanh b||^2 for the bias of the head. */
static void penalise_bias(blo_graph *g)
{
  blo_node b = blo_graph_param_again(g, "head.b");
  blo_graph_term(g, blo_graph_square_norm(g, blo_graph_tanh(g, b)));
}

static void mlp_ce(blo_graph *g)
{
  blo_graph_loss(g, blo_graph_softmax_ce(g, head(g, mlp(g, BLO_IN_Y, BLO_TANH), CLASSES)));
  blo_graph_ridge(g, BLO_IN_Y, ridge);
  penalise_bias(g);
}

static void relu_logistic(blo_graph *g)
{
  blo_graph_loss(g, blo_graph_logistic(g, head(g, mlp(g, BLO_IN_Y, BLO_RELU), 1)));
}

static void sigmoid_squared(blo_graph *g)
{
  blo_node z = head(g, mlp(g, BLO_IN_Y, BLO_SIGMOID), 1);
  blo_node loss = blo_graph_squared(g, blo_graph_label(g), z);
  blo_graph_loss(g, blo_graph_affine(g, loss, loss_weight, 3));
}

static void representation(blo_graph *g)
{
  blo_graph_loss(g, blo_graph_softmax_ce(g, head(g, mlp(g, BLO_IN_X, BLO_SOFTPLUS), CLASSES)));
  blo_graph_ridge(g, BLO_IN_Y, ridge);
}

static void conv(blo_graph *g, const blo_conv_spec *spec)
{
  blo_node phi = blo_graph_conv_net(g, BLO_IN_Y, "conv", blo_graph_images(g, 1), spec);
  blo_node ce = blo_graph_softmax_ce(g, head(g, phi, CLASSES));
  blo_node weight = blo_graph_sigmoid(g, blo_graph_sample_value(g));
  blo_graph_loss(g, blo_graph_product(g, weight, ce));
}

static void conv_by_channel(blo_graph *g)
{
  conv(g, &(blo_conv_spec){1, 2, BLO_NORM_CHANNEL, false});
}

static void conv_by_sample(blo_graph *g)
{
  conv(g, &(blo_conv_spec){1, 2, BLO_NORM_SAMPLE, true});
}

/** R = (1/2) exp(x) ||V||, as in block_ridge, for the weights of the head. */
static void penalise_head(blo_graph *g)
{
  const blo_int one = 1;
  blo_node x = blo_graph_param(g, BLO_IN_X, "weight", 1, &one, normal);
  blo_node size = blo_graph_norm(g, blo_graph_param_again(g, "head.W"));
  blo_node weight = blo_graph_affine(g, blo_graph_exp(g, x), 0.5, 0);
  blo_graph_term(g, blo_graph_product(g, size, blo_graph_slice(g, weight, 0, 1)));
}

static void recurrent(blo_graph *g, blo_cell cell, blo_node (*pool)(blo_graph *, blo_node))
{
  blo_node table = blo_graph_param(g, BLO_IN_Y, "E", 2, (const blo_int[]){TOKENS, 2}, normal);
  blo_node h = blo_graph_embedding(g, table);
  h = blo_graph_recurrent(g, BLO_IN_Y, "one", h, cell, 2);
  h = blo_graph_recurrent(g, BLO_IN_Y, "two", h, cell, 2);
  blo_graph_loss(g, blo_graph_softmax_ce(g, head(g, pool(g, h), CLASSES)));
  penalise_head(g);
}

static void rnn(blo_graph *g)
{
  recurrent(g, BLO_CELL_RNN, blo_graph_max_time);
}

static void gru(blo_graph *g)
{
  recurrent(g, BLO_CELL_GRU, blo_graph_mean_time);
}

static void lstm(blo_graph *g)
{
  recurrent(g, BLO_CELL_LSTM, blo_graph_last_time);
}

/** Convex operations in the model, and two losses of one output. */
static void convex_model(blo_graph *g)
{
  blo_node h = blo_graph_linear(g, BLO_IN_Y, "in", blo_graph_features(g), 4);
  blo_node rms = blo_graph_rsqrt(g, blo_graph_mean_groups(g, blo_graph_square(g, h), 4), 0.1);
  blo_node a = blo_graph_product(g, h, rms), b = blo_graph_exp(g, blo_graph_affine(g, h, -0.3, 0));
  blo_node c = blo_graph_group_norm(g, blo_graph_sin(g, h), 2, 0.1);
  blo_node d = blo_graph_norm(g, blo_graph_cos(g, blo_graph_slice(g, h, 1, 2)));
  blo_node e = blo_graph_square_norm(g, h), f = blo_graph_squared(g, a, c);
  h = blo_graph_concat(g, blo_graph_concat(g, a, b), blo_graph_softplus(g, c));
  h = blo_graph_concat(g, h, blo_graph_concat(g, blo_graph_add(g, d, e), f));
  blo_node z = head(g, h, CLASSES);
  blo_node second = blo_graph_affine(g, blo_graph_square_norm(g, z), second_weight, 0);
  blo_graph_loss(g, blo_graph_add(g, blo_graph_softmax_ce(g, z), second));
}

/** The outer loss counts; its argument is the output. */
static void loss_of_a_loss(blo_graph *g)
{
  blo_node z = blo_graph_linear(g, BLO_IN_Y, "in", mlp(g, BLO_IN_Y, BLO_TANH), CLASSES);
  blo_node inner = blo_graph_affine(g, blo_graph_softmax_ce(g, z), 2, -1);
  blo_graph_mark_output(g, inner);
  blo_graph_loss(g, blo_graph_softplus(g, inner));
}

static blo_node twin(blo_graph *g, blo_owner owner, const char *one, const char *two)
{
  blo_node h = blo_graph_tanh(g, blo_graph_linear(g, owner, one, blo_graph_features(g), 3));
  return blo_graph_linear(g, owner, two, h, OUTPUTS);
}

/** ||z(y) - z(x)||^2 / 2: no residual at x = y. */
static void twins(blo_graph *g)
{
  blo_node z = twin(g, BLO_IN_Y, "one", "two");
  blo_graph_mark_output(g, z);
  blo_graph_loss(g, blo_graph_squared(g, z, twin(g, BLO_IN_X, "three", "four")));
}

static void add_identity(blo_int n, double factor, double *L)
{
  for (blo_int k = 0; k < n; k++) {
    L[k * n + k] += factor;
  }
}

/** diag(p) - p p'. */
static void curve_ce(const double *z, int label, double *L)
{
  double p[CLASSES], sum = 0;
  (void)label;
  for (int k = 0; k < CLASSES; k++) {
    sum += p[k] = exp(z[k]);
  }
  for (int k = 0; k < CLASSES * CLASSES; k++) {
    L[k] -= p[k / CLASSES] * p[k % CLASSES] / (sum * sum);
  }
  for (int k = 0; k < CLASSES; k++) {
    L[k * CLASSES + k] += p[k] / sum;
  }
}

static void curve_logistic(const double *z, int label, double *L)
{
  double c = cosh(0.5 * z[0]);
  (void)label;
  L[0] += 0.25 / (c * c);
}

static void curve_squared(const double *z, int label, double *L)
{
  (void)z, (void)label;
  add_identity(1, loss_weight, L);
}

static void curve_both(const double *z, int label, double *L)
{
  curve_ce(z, label, L);
  add_identity(CLASSES, 2 * second_weight, L);
}

static void curve_twins(const double *z, int label, double *L)
{
  (void)z, (void)label;
  add_identity(OUTPUTS, 1, L);
}

static const net nets[] = {
    {"mlp, ce", NUMBERS, CLASSES, CLASSES, mlp_ce, curve_ce, false, false},
    {"relu, logistic", NUMBERS, 2, 1, relu_logistic, curve_logistic, false, false},
    {"sigmoid, squared", NUMBERS, CLASSES, 1, sigmoid_squared, curve_squared, false, false},
    {"representation", NUMBERS, CLASSES, CLASSES, representation, curve_ce, false, true},
    {"conv by channel", IMAGES, CLASSES, CLASSES, conv_by_channel, curve_ce, true, false},
    {"conv by sample", IMAGES, CLASSES, CLASSES, conv_by_sample, curve_ce, true, false},
    {"rnn", TEXTS, CLASSES, CLASSES, rnn, curve_ce, false, false},
    {"gru", TEXTS, CLASSES, CLASSES, gru, curve_ce, false, false},
    {"lstm", TEXTS, CLASSES, CLASSES, lstm, curve_ce, false, false},
    {"convex model", NUMBERS, CLASSES, CLASSES, convex_model, curve_both, false, false},
    {"loss of a loss", NUMBERS, CLASSES, 1, loss_of_a_loss, curve_logistic, false, false},
    {"twins", NUMBERS, CLASSES, OUTPUTS, twins, curve_twins, false, false},
};
enum { N_NETS = sizeof nets / sizeof nets[0] };

/* --------------------------------------------------------------- a rig */

typedef struct rig {
  const net *net;
  blo_context *ctx;
  blo_params *params;
  blo_graph *graph;
  blo_table *table;
  blo_graph_rows rows;
  blo_int n_x, n_y;
  double *x, *y, *other_y, *v[N_V], *hv[N_V], *cache;
  double *G, *H, *want; /* [n_y][n_y], what the graph gives and the reference */
} rig;

static double *numbers(blo_int n)
{
  double *made = calloc((size_t)n + 1, sizeof *made);
  BLO_BUG_IF(made == NULL, "no memory for a test");
  return made;
}

static double *random_numbers(blo_int n, double size, uint64_t seed)
{
  blo_stream stream = {seed, BLO_PURPOSE_TEST};
  double *made = numbers(n);
  for (blo_int i = 0; i < n; i++) {
    made[i] = size * blo_stream_normal(stream, 0, 0, (uint64_t)i);
  }
  return made;
}

static blo_status make_data(rig *r, blo_input *in)
{
  const net *n = r->net;
  blo_int width = n->data == IMAGES ? SIDE * SIDE : FEATURES;

  *in = (blo_input){.n_features = n->data == TEXTS ? TIME : width,
                    .n_classes = n->n_classes,
                    .n_tokens = n->data == TEXTS ? TOKENS : 0};
  return n->data == TEXTS
             ? model_random_tokens(r->ctx, TABLE_ROWS, TIME, TOKENS, n->n_classes, 3, &r->table)
             : model_random_table(r->ctx, TABLE_ROWS, width, n->n_classes, 3, &r->table);
}

static void open_rig(blo_comm *comm, const net *n, rig *r)
{
  blo_input in;
  *r = (rig){.net = n, .ctx = blo_comm_context(comm)};
  BLO_REQUIRE_STATUS(make_data(r, &in), BLO_OK);
  BLO_REQUIRE_STATUS(blo_params_create(r->ctx, &r->params), BLO_OK);
  BLO_REQUIRE_STATUS(blo_graph_create(r->ctx, r->params, &in, &r->graph), BLO_OK);
  n->describe(r->graph);
  BLO_REQUIRE_STATUS(blo_graph_finish(r->graph, DIRECTIONS), BLO_OK);
  r->rows = (blo_graph_rows){
      .n = ROWS, .table = r->table, .row = row, .sample_value = n->weighted ? sample_value : NULL};
  r->n_x = blo_params_size(r->params, BLO_IN_X);
  r->n_y = blo_params_size(r->params, BLO_IN_Y);
  r->x = random_numbers(r->n_x, 0.8, 1);
  r->y = random_numbers(r->n_y, 0.8, 2);
  r->other_y = random_numbers(r->n_y, 0.8, 3);
  for (int d = 0; d < N_V; d++) {
    r->v[d] = random_numbers(r->n_y, 1, 10 + (uint64_t)d);
    r->hv[d] = numbers(r->n_y);
  }
  r->cache = numbers(ROWS * blo_graph_cache_size(r->graph));
  r->G = numbers(r->n_y * r->n_y);
  r->H = numbers(r->n_y * r->n_y);
  r->want = numbers(r->n_y * r->n_y);
}

static void close_rig(rig *r)
{
  double *all[] = {r->x, r->y, r->other_y, r->cache, r->G, r->H, r->want};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
    free(all[i]);
  }
  for (int d = 0; d < N_V; d++) {
    free(r->v[d]);
    free(r->hv[d]);
  }
  blo_graph_destroy(&r->graph);
  blo_params_destroy(&r->params);
  blo_table_destroy(r->ctx, &r->table);
}

static blo_graph_call call_of(const rig *r, blo_int n_v, double *const *v, double *const *hv)
{
  return (blo_graph_call){.rows = r->rows,
                          .x = r->x,
                          .y = r->y,
                          .n_v = n_v,
                          .v = (const double *const *)v,
                          .scale = 1,
                          .hv = hv,
                          .gauss_newton = true};
}

/** hv = products of the samples and the terms. */
static void multiply(rig *r, const blo_graph_call *call)
{
  for (blo_int d = 0; d < call->n_v; d++) {
    memset(call->hv[d], 0, (size_t)r->n_y * sizeof(double));
  }
  blo_graph_samples(r->graph, call);
  blo_graph_terms(r->graph, call);
}

/** The matrix, row by row; `unit` is scratch [n_y]. */
static void fill_matrix(rig *r, bool gauss_newton, double *to)
{
  double *unit = numbers(r->n_y);
  for (blo_int k = 0; k < r->n_y; k++) {
    double *out = to + k * r->n_y;
    blo_graph_call call = call_of(r, 1, &unit, &out);
    call.gauss_newton = gauss_newton;
    unit[k] = 1;
    multiply(r, &call);
    unit[k] = 0;
  }
  free(unit);
}

/* ------------------------------------------------------------ the reference */

static void outputs_at(rig *r, blo_int k, double step, double *z)
{
  blo_graph_call call = {.rows = r->rows, .x = r->x, .y = r->y};
  double before = r->y[k];
  r->y[k] += step;
  blo_graph_output(r->graph, &call, z, NULL);
  r->y[k] = before;
}

/** J [rows n_out][n_y] by differences of the fourth order. */
static void fill_jacobian(rig *r, double *J)
{
  const double h = 4e-4;
  blo_int n = ROWS * r->net->n_out;
  double *z = numbers(4 * n);
  for (blo_int k = 0; k < r->n_y; k++) {
    outputs_at(r, k, 2 * h, z);
    outputs_at(r, k, h, z + n);
    outputs_at(r, k, -h, z + 2 * n);
    outputs_at(r, k, -2 * h, z + 3 * n);
    for (blo_int i = 0; i < n; i++) {
      J[i * r->n_y + k] = (8 * (z[n + i] - z[2 * n + i]) - (z[i] - z[3 * n + i])) / (12 * h);
    }
  }
  free(z);
}

/** want += J_i' (w L) J_i of row i. */
static void add_row(rig *r, blo_int i, const double *z, const double *J)
{
  blo_int m = r->net->n_out, n = r->n_y;
  double L[OUTPUTS * OUTPUTS] = {0};
  double w = r->net->weighted ? 1 / (1 + exp(-sample_value[i])) : 1;
  r->net->curve(z + i * m, r->table->label[row[i]], L);
  for (blo_int c = 0; c < m * m; c++) {
    const double *a = J + (i * m + c / m) * n, *b = J + (i * m + c % m) * n;
    for (blo_int k = 0; k < n * n; k++) {
      r->want[k] += w * L[c] * a[k / n] * b[k % n];
    }
  }
}

/** Of (1/2) exp(x) ||V||: (1/2) exp(x) (I - V V' / s^2) / s with s = ||V||. */
static void add_head_penalty(rig *r)
{
  const blo_block *b = blo_params_find(r->params, "head.W");
  const double *y = r->y + b->offset;
  double s = 0;
  for (blo_int k = 0; k < b->n; k++) {
    s += y[k] * y[k];
  }
  for (blo_int k = 0; k < b->n * b->n; k++) {
    blo_int i = k / b->n, j = k % b->n;
    double bend = ((i == j) - y[i] * y[j] / s) / sqrt(s);
    r->want[(b->offset + i) * r->n_y + b->offset + j] += 0.5 * exp(r->x[0]) * bend;
  }
}

/** Of ||tanh b||^2: 2 (1 - tanh^2)^2. */
static void add_bias_penalty(rig *r)
{
  const blo_block *b = blo_params_find(r->params, "head.b");
  for (blo_int k = b->offset; k < b->offset + b->n; k++) {
    double t = tanh(r->y[k]);
    r->want[k * r->n_y + k] += 2 * (1 - t * t) * (1 - t * t);
  }
}

static void fill_reference(rig *r)
{
  double *z = numbers(ROWS * r->net->n_out), *J = numbers(ROWS * r->net->n_out * r->n_y);
  outputs_at(r, 0, 0, z);
  fill_jacobian(r, J);
  for (blo_int i = 0; i < ROWS; i++) {
    add_row(r, i, z, J);
  }
  if (r->net->describe == mlp_ce || r->net->describe == representation) {
    add_identity(r->n_y, 2 * ridge, r->want);
  }
  if (r->net->describe == mlp_ce) {
    add_bias_penalty(r);
  }
  if (r->net->data == TEXTS) {
    add_head_penalty(r);
  }
  free(z);
  free(J);
}

static double largest(blo_int n, const double *a)
{
  double most = 0;
  for (blo_int i = 0; i < n; i++) {
    most = fmax(most, fabs(a[i]));
  }
  return most;
}

/** Largest difference, relative to the largest entry of `want`. */
static double error_of(blo_int n, const double *got, const double *want)
{
  double most = 0;
  for (blo_int i = 0; i < n; i++) {
    most = fmax(most, fabs(got[i] - want[i]));
  }
  return most / largest(n, want);
}

static void products_are_those_of_the_reference(blo_comm *comm)
{
  for (int i = 0; i < N_NETS; i++) {
    rig r;
    open_rig(comm, &nets[i], &r);
    blo_int n = r.n_y * r.n_y;
    fill_matrix(&r, true, r.G);
    fill_matrix(&r, false, r.H);
    fill_reference(&r);
    double error = error_of(n, r.G, r.want), gap = error_of(n, r.G, r.H);
    BLO_EXPECT_MSG(blo_graph_has_gauss_newton(r.graph), "%s: has none", nets[i].name);
    BLO_EXPECT_MSG(error < 1e-10, "%s: error %.3g", nets[i].name, error);
    BLO_EXPECT_MSG(nets[i].linear_in_y ? memcmp(r.G, r.H, (size_t)n * sizeof *r.G) == 0
                                       : gap > 1e-2,
                   "%s: G and H differ by %.3g", nets[i].name, gap);
    close_rig(&r);
  }
}

/* ------------------------------------------------------------- properties */

/** The Rayleigh quotient of A at the vector that power steps with s I - A end at, close to the
 *  smallest eigenvalue; relative to the largest sum of a row's sizes, s. */
static double lowest(blo_int n, const double *A)
{
  double *v = random_numbers(n, 1, 4), *to = numbers(n), s = 0, rayleigh = 0;
  for (blo_int i = 0; i < n; i++) {
    double sum = 0;
    for (blo_int j = 0; j < n; j++) {
      sum += fabs(A[i * n + j]);
    }
    s = fmax(s, sum);
  }
  for (int step = 0; step < 2000; step++) {
    double vv = 0, vAv = 0, size = 0;
    for (blo_int i = 0; i < n; i++) {
      double Av = 0;
      for (blo_int j = 0; j < n; j++) {
        Av += A[i * n + j] * v[j];
      }
      to[i] = s * v[i] - Av;
      vv += v[i] * v[i];
      vAv += v[i] * Av;
      size += to[i] * to[i];
    }
    rayleigh = vAv / vv;
    for (blo_int i = 0; i < n; i++) {
      v[i] = to[i] / sqrt(size);
    }
  }
  free(v);
  free(to);
  return rayleigh / s;
}

static void matrix_is_symmetric_and_semidefinite(blo_comm *comm)
{
  for (int i = 0; i < N_NETS; i++) {
    rig r;
    open_rig(comm, &nets[i], &r);
    blo_int n = r.n_y;
    fill_matrix(&r, true, r.G);
    fill_matrix(&r, false, r.H);
    for (blo_int k = 0; k < n * n; k++) {
      r.want[k] = r.G[k % n * n + k / n];
    }
    double skew = error_of(n * n, r.G, r.want), g = lowest(n, r.G), h = lowest(n, r.H);
    BLO_EXPECT_MSG(skew < 1e-12, "%s: not symmetric by %.3g", nets[i].name, skew);
    BLO_EXPECT_MSG(g > -1e-14, "%s: G has the eigenvalue %.3g", nets[i].name, g);
    BLO_EXPECT_MSG(nets[i].linear_in_y ? h > -1e-14 : h < -1e-4,
                   "%s: the smallest eigenvalue of H is %.3g", nets[i].name, h);
    close_rig(&r);
  }
}

/** With no residual a sum of squares has H = G. */
static void without_residual_it_is_the_hessian(blo_comm *comm)
{
  rig r;
  open_rig(comm, &nets[N_NETS - 1], &r);
  BLO_REQUIRE_ALL(r.net->describe == twins && r.n_x == r.n_y);
  memcpy(r.x, r.y, (size_t)r.n_y * sizeof *r.x);
  fill_matrix(&r, true, r.G);
  fill_matrix(&r, false, r.H);
  double error = error_of(r.n_y * r.n_y, r.G, r.H);
  BLO_EXPECT_MSG(error < 1e-15, "G and H differ by %.3g", error);
  close_rig(&r);
}

/* -------------------------------------------------------- kinds of calls */

/** hv are the products `want` [N_V][n_y]. */
static void expect_same(const rig *r, const char *what, const double *want, double tol)
{
  for (int d = 0; d < N_V; d++) {
    double error = error_of(r->n_y, r->hv[d], want + d * r->n_y);
    BLO_EXPECT_MSG(error <= tol, "%s: %s: direction %d off by %.3g", r->net->name, what, d, error);
  }
}

/** Products at a linearised point, which was reached with or without another one at the same x. */
static void multiply_linearized(rig *r, bool same_x)
{
  blo_graph_call first = call_of(r, 0, NULL, NULL), products = call_of(r, N_V, r->v, r->hv);
  first.gauss_newton = false;
  first.cache = products.cache = r->cache;
  if (same_x) {
    first.y = r->other_y;
    blo_graph_samples(r->graph, &first);
    first.y = r->y;
    first.same_x = true;
  }
  blo_graph_samples(r->graph, &first);
  products.linearized = true;
  multiply(r, &products);
}

static void multiply_in_portions(rig *r)
{
  blo_graph_call call = call_of(r, N_V, r->v, r->hv);
  call.rows.n = 2;
  multiply(r, &call);
  call.rows.n = ROWS - 2;
  call.rows.row += 2;
  call.rows.sample_value = r->net->weighted ? sample_value + 2 : NULL;
  blo_graph_samples(r->graph, &call);
}

/** Gradients and value beside the products are as without them. */
static void expect_gradients(rig *r)
{
  double value[2] = {0}, *gy[] = {numbers(r->n_y), numbers(r->n_y)};
  for (int with = 0; with < 2; with++) {
    blo_graph_call call = call_of(r, with * N_V, r->v, with ? r->hv : NULL);
    call.gauss_newton = with;
    call.value = &value[with];
    call.gy = gy[with];
    multiply(r, &call);
  }
  BLO_EXPECT_MSG(memcmp(gy[0], gy[1], (size_t)r->n_y * sizeof **gy) == 0 &&
                     memcmp(&value[0], &value[1], sizeof value[0]) == 0,
                 "%s: gradients", r->net->name);
  free(gy[0]);
  free(gy[1]);
}

/** Of one direction: the same but for rounding, as the sizes of matrix products differ. */
static void multiply_singly(rig *r)
{
  for (int d = 0; d < N_V; d++) {
    blo_graph_call call = call_of(r, 1, &r->v[d], &r->hv[d]);
    multiply(r, &call);
  }
}

static void all_kinds_of_calls_agree(blo_comm *comm)
{
  for (int i = 0; i < N_NETS; i++) {
    rig r;
    open_rig(comm, &nets[i], &r);
    double *want = numbers(N_V * r.n_y);
    blo_graph_call call = call_of(&r, N_V, r.v, r.hv);
    multiply(&r, &call);
    for (int d = 0; d < N_V; d++) {
      memcpy(want + d * r.n_y, r.hv[d], (size_t)r.n_y * sizeof *want);
    }
    multiply_singly(&r);
    expect_same(&r, "one by one", want, 1e-14);
    multiply_in_portions(&r);
    expect_same(&r, "in portions", want, 1e-14);
    multiply_linearized(&r, false);
    expect_same(&r, "linearised", want, 0);
    multiply_linearized(&r, true);
    expect_same(&r, "same x", want, 0);
    expect_gradients(&r);
    free(want);
    close_rig(&r);
  }
}

/* ----------------------------------------------------- which graphs have one */

typedef struct shape {
  const char *name;
  bool has;
  blo_node (*describe)(blo_graph *g, blo_node z, blo_node ce);
} shape;

static blo_node plain_loss(blo_graph *g, blo_node z, blo_node ce)
{
  (void)g, (void)z;
  return ce;
}

static blo_node no_convex_loss(blo_graph *g, blo_node z, blo_node ce)
{
  (void)z;
  return blo_graph_sin(g, ce);
}

static blo_node free_weight(blo_graph *g, blo_node z, blo_node ce)
{
  (void)z;
  return blo_graph_product(g, ce, blo_graph_sample_value(g));
}

static blo_node square_weight(blo_graph *g, blo_node z, blo_node ce)
{
  (void)z;
  return blo_graph_product(g, ce, blo_graph_square(g, blo_graph_sample_value(g)));
}

static blo_node constant_weight(blo_graph *g, blo_node z, blo_node ce)
{
  (void)z;
  return blo_graph_product(g, ce, blo_graph_constant(g, 1, (const double[]){2}));
}

static blo_node negative_constant(blo_graph *g, blo_node z, blo_node ce)
{
  (void)z;
  return blo_graph_product(g, ce, blo_graph_constant(g, 1, (const double[]){-2}));
}

static blo_node shifted_weight(blo_graph *g, blo_node z, blo_node ce)
{
  blo_node w = blo_graph_sigmoid(g, blo_graph_sample_value(g));
  (void)z;
  return blo_graph_product(g, ce, blo_graph_affine(g, w, 1, -0.5));
}

static blo_node weight_of_y(blo_graph *g, blo_node z, blo_node ce)
{
  return blo_graph_product(g, ce, blo_graph_sigmoid(g, blo_graph_slice(g, z, 0, 1)));
}

static blo_node negative_factor(blo_graph *g, blo_node z, blo_node ce)
{
  (void)z;
  return blo_graph_affine(g, ce, -1, 0);
}

static blo_node loss_and_model(blo_graph *g, blo_node z, blo_node ce)
{
  (void)z;
  return blo_graph_add(g, ce, blo_graph_square(g, ce));
}

static blo_node without_y(blo_graph *g, blo_node z, blo_node ce)
{
  (void)z;
  return blo_graph_add(g, ce, blo_graph_sin(g, blo_graph_sample_value(g)));
}

static blo_node concave_term(blo_graph *g, blo_node z, blo_node ce)
{
  (void)z;
  blo_graph_ridge(g, BLO_IN_Y, -1);
  return ce;
}

static const shape shapes[] = {
    {"plain", true, plain_loss},
    {"sin(loss)", false, no_convex_loss},
    {"x loss", false, free_weight},
    {"x^2 loss", true, square_weight},
    {"2 loss, by a constant", true, constant_weight},
    {"-2 loss, by a constant", false, negative_constant},
    {"(sigmoid(x) - 1/2) loss", false, shifted_weight},
    {"sigmoid(y) loss", false, weight_of_y},
    {"-loss", false, negative_factor},
    {"loss + loss^2", false, loss_and_model},
    {"loss + sin(x)", true, without_y},
    {"loss - ||y||^2", false, concave_term},
};

static void some_graphs_have_none(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  const blo_input in = {.n_features = FEATURES, .n_classes = CLASSES};
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
    blo_params *params = NULL;
    blo_graph *g = NULL;
    BLO_REQUIRE_STATUS(blo_params_create(ctx, &params), BLO_OK);
    BLO_REQUIRE_STATUS(blo_graph_create(ctx, params, &in, &g), BLO_OK);
    blo_node z = blo_graph_linear(g, BLO_IN_Y, "head", blo_graph_features(g), CLASSES);
    blo_graph_loss(g, shapes[i].describe(g, z, blo_graph_softmax_ce(g, z)));
    BLO_REQUIRE_STATUS(blo_graph_finish(g, 1), BLO_OK);
    BLO_EXPECT_MSG(blo_graph_has_gauss_newton(g) == shapes[i].has, "%s", shapes[i].name);
    blo_graph_destroy(&g);
    blo_params_destroy(&params);
  }
}

static const blo_test tests[] = {
    {"products are those of the reference", products_are_those_of_the_reference},
    {"the matrix is symmetric and semidefinite", matrix_is_symmetric_and_semidefinite},
    {"without residual it is the Hessian", without_residual_it_is_the_hessian},
    {"all kinds of calls agree", all_kinds_of_calls_agree},
    {"some graphs have none", some_graphs_have_none},
};
BLO_TEST_MAIN("gauss_newton", tests)

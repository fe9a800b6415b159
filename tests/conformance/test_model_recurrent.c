/* ranks: 1 2 */
/* Sequences: embedding, recurrent cells, reductions over time, against plain loops in hyper-dual
 * numbers; every part on x, on y or fixed, rows of all lengths from 0 to full. */
#include "model_check.h"
#include <stdio.h>
#include <string.h>

enum { TOKENS = 5, TIME = 4, WIDE = 16, ROWS = 6, TABLE_ROWS = 5, IN = 2, CLASSES = 3 };
enum { NO_CELL = 3, FIXED = 2 }; /* beyond blo_cell and blo_owner */
typedef enum readout { MAX, MEAN, LAST, EVERYTHING, N_READOUTS } readout;

static const blo_int n_gates[] = {1, 3, 4};
static const blo_int length[TABLE_ROWS] = {2, 4, 0, 1, 3};
static const blo_int row[ROWS] = {4, 1, 2, 0, 3, 1};

/** A net: table, then layers "one" and perhaps "two", a readout, weights "V" if it is not
 *  EVERYTHING, softmax cross-entropy. */
typedef struct net {
  int table, input, hidden, bias, v; /* owners, or FIXED: the table constant, no input weights */
  int cell[2];
  readout readout;
  blo_int k[2];
  bool ready_made; /* layers by blo_graph_recurrent(), owned by `input` and `hidden` */
} net;

static double fixed_number(blo_int i)
{
  return 0.7 * (double)(i * 7 % 11) / 5 - 0.8;
}

/* ----------------------------------------------------------- the reference */

/** A sample's sequence on its way through the net. */
typedef struct sample {
  const model_case *c;
  const hyperdual *x, *y;
  blo_int length, width;
  hyperdual at[TIME][WIDE];
} sample;

/** The numbers of a parameter, or NULL. */
static const hyperdual *numbers(const sample *s, const char *layer, const char *part)
{
  char name[BLO_NAME_MAX];
  const blo_block *b;

  snprintf(name, sizeof name, "%s%s", layer, part);
  b = blo_params_find(s->c->params, name);
  return b == NULL ? NULL : (b->owner == BLO_IN_X ? s->x : s->y) + b->offset;
}

static void multiply(blo_int n, const hyperdual *a, blo_int m, const hyperdual *w, hyperdual *out)
{
  for (blo_int j = 0; j < m; j++) {
    for (blo_int i = 0; i < n; i++) {
      out[j] = hd_add(out[j], hd_mul(a[i], w[i * m + j]));
    }
  }
}

static void refer_embedding(sample *s, blo_int i, blo_int width)
{
  const blo_table *t = s->c->rows.table;
  const int32_t *token = (const int32_t *)t->values + row[i] * t->ld;
  const hyperdual *e = numbers(s, "", "E");

  s->width = width;
  s->length = length[row[i]];
  for (blo_int j = 0; j < s->length * width; j++) {
    blo_int from = token[j / width] * width + j % width;
    s->at[j / width][j % width] = e != NULL ? e[from] : hd(fixed_number(from));
  }
}

/** The input part of a step, in place. */
static void refer_input(sample *s, const char *name, blo_int t, blo_int gates_k)
{
  const hyperdual *w = numbers(s, name, ".W_ih");
  hyperdual p[WIDE] = {{0}};

  if (w == NULL) {
    return;
  }
  memcpy(p, numbers(s, name, ".b_ih"), (size_t)gates_k * sizeof *p);
  multiply(s->width, s->at[t], gates_k, w, p);
  memcpy(s->at[t], p, sizeof p);
}

static hyperdual mix(hyperdual z, hyperdual a, hyperdual b)
{
  return hd_add(hd_mul(hd_sub(hd(1), z), a), hd_mul(z, b));
}

/** h and c after unit u, from its gates' p and q; k units. */
static void refer_unit(int cell, blo_int k, const hyperdual *p, const hyperdual *q, hyperdual *h,
                       hyperdual *c)
{
  if (cell == BLO_CELL_RNN) {
    *h = hd_tanh(hd_add(p[0], q[0]));
  } else if (cell == BLO_CELL_GRU) {
    hyperdual r = hd_sigmoid(hd_add(p[0], q[0])), z = hd_sigmoid(hd_add(p[k], q[k]));
    hyperdual n = hd_tanh(hd_add(p[2 * k], hd_mul(r, q[2 * k])));
    *h = mix(z, n, *h);
  } else {
    hyperdual i = hd_sigmoid(hd_add(p[0], q[0])), f = hd_sigmoid(hd_add(p[k], q[k]));
    hyperdual g = hd_tanh(hd_add(p[2 * k], q[2 * k]));
    hyperdual o = hd_sigmoid(hd_add(p[3 * k], q[3 * k]));
    *c = hd_add(hd_mul(f, *c), hd_mul(i, g));
    *h = hd_mul(o, hd_tanh(*c));
  }
}

static void refer_layer(sample *s, const char *name, int cell, blo_int k)
{
  const hyperdual *w = numbers(s, name, ".W_hh"), *b = numbers(s, name, ".b_hh");
  hyperdual h[WIDE] = {{0}}, c[WIDE] = {{0}};
  blo_int gates_k = n_gates[cell] * k;

  for (blo_int t = 0; t < TIME; t++) {
    hyperdual q[WIDE] = {{0}};
    for (blo_int u = 0; b != NULL && u < gates_k; u++) {
      q[u] = b[u];
    }
    multiply(k, h, gates_k, w, q);
    if (t < s->length) {
      refer_input(s, name, t, gates_k);
    }
    for (blo_int u = 0; t < s->length && u < k; u++) {
      refer_unit(cell, k, s->at[t] + u, q + u, h + u, c + u);
    }
    memcpy(s->at[t], h, sizeof h);
  }
  s->width = k;
}

static hyperdual refer_readout(const sample *s, readout how, blo_int u)
{
  hyperdual r = s->length > 0 ? s->at[0][u] : hd(0);

  for (blo_int t = 1; t < s->length; t++) {
    hyperdual a = s->at[t][u];
    r = how == MAX ? hd_max(r, a) : how == LAST ? a : hd_add(r, a);
  }
  return how == MEAN && s->length > 0 ? hd_scale(1 / (double)s->length, r) : r;
}

static hyperdual refer_loss(blo_int n, const hyperdual *z, int32_t label)
{
  hyperdual sum = {0};

  for (blo_int j = 0; j < n; j++) {
    sum = hd_add(sum, hd_exp(z[j]));
  }
  return hd_sub(hd_log(sum), z[label]);
}

static hyperdual refer(const model_case *c, blo_int i, const hyperdual *x, const hyperdual *y,
                       hyperdual sample_value)
{
  static const char *const name[] = {"one", "two"};
  const net *n = c->more;
  sample s = {.c = c, .x = x, .y = y};
  hyperdual r[WIDE], z[TIME * WIDE] = {{0}};
  int32_t label = c->rows.table->label[row[i]];

  (void)sample_value;
  refer_embedding(&s, i,
                  n->input == FIXED && n->cell[0] != NO_CELL ? n_gates[n->cell[0]] * n->k[0] : IN);
  for (int l = 0; l < 2 && n->cell[l] != NO_CELL; l++) {
    refer_layer(&s, name[l], n->cell[l], n->k[l]);
  }
  if (n->readout == EVERYTHING) {
    for (blo_int j = 0; j < TIME * s.width; j++) {
      z[j] = s.at[j / s.width][j % s.width];
    }
    return refer_loss(TIME * s.width, z, label);
  }
  for (blo_int u = 0; u < s.width; u++) {
    r[u] = refer_readout(&s, n->readout, u);
  }
  multiply(s.width, r, CLASSES, numbers(&s, "", "V"), z);
  return refer_loss(CLASSES, z, label);
}

/* ---------------------------------------------------------------- the graph */

static blo_node param(blo_graph *g, int owner, const char *name, int n_dims, blo_int a, blo_int b)
{
  return blo_graph_param(g, owner == BLO_IN_X ? BLO_IN_X : BLO_IN_Y, name, n_dims,
                         (const blo_int[]){a, b}, (blo_init){BLO_INIT_NORMAL, 1});
}

static blo_node build_table(blo_graph *g, const net *n, blo_int width)
{
  double values[TOKENS * WIDE];

  for (blo_int i = 0; i < TOKENS * width; i++) {
    values[i] = fixed_number(i);
  }
  return n->table == FIXED ? blo_graph_constant(g, TOKENS * width, values)
                           : param(g, n->table, "E", 2, TOKENS, width);
}

/** A layer from its parts, each with an owner of its own. */
static blo_node build_layer(blo_graph *g, const net *n, blo_node in)
{
  blo_int k = n->k[0], gates_k = n_gates[n->cell[0]] * k;
  blo_node p = in, w = param(g, n->hidden, "one.W_hh", 2, k, gates_k);

  if (n->input != FIXED) {
    p = blo_graph_matmul(g, in, param(g, n->input, "one.W_ih", 2, IN, gates_k));
    p = blo_graph_bias(g, p, param(g, n->input, "one.b_ih", 1, gates_k, 0));
  }
  switch (n->cell[0]) {
  case BLO_CELL_RNN:
    return blo_graph_rnn(g, p, w);
  case BLO_CELL_LSTM:
    return blo_graph_lstm(g, p, w);
  default:
    return blo_graph_gru(g, p, w, param(g, n->bias, "one.b_hh", 1, gates_k, 0));
  }
}

static blo_node build_layers(blo_graph *g, const net *n)
{
  blo_int wide = n->cell[0] != NO_CELL ? n_gates[n->cell[0]] * n->k[0] : IN;
  blo_node at = blo_graph_embedding(g, build_table(g, n, n->input == FIXED ? wide : IN));

  if (n->cell[0] == NO_CELL) {
    return at;
  }
  if (!n->ready_made) {
    return build_layer(g, n, at);
  }
  at = blo_graph_recurrent(g, (blo_owner)n->input, "one", at, (blo_cell)n->cell[0], n->k[0]);
  return n->cell[1] == NO_CELL ? at
                               : blo_graph_recurrent(g, (blo_owner)n->hidden, "two", at,
                                                     (blo_cell)n->cell[1], n->k[1]);
}

static blo_node build_readout(blo_graph *g, const net *n, blo_node sequence, blo_int width)
{
  blo_node r;

  if (n->readout == EVERYTHING) {
    return sequence;
  }
  r = n->readout == MAX    ? blo_graph_max_time(g, sequence)
      : n->readout == MEAN ? blo_graph_mean_time(g, sequence)
                           : blo_graph_last_time(g, sequence);
  return blo_graph_matmul(g, r, param(g, n->v, "V", 2, width, CLASSES));
}

static blo_int last_width(const net *n)
{
  return n->cell[0] == NO_CELL ? IN : n->k[n->cell[1] == NO_CELL ? 0 : 1];
}

static blo_status make_table(blo_context *ctx, blo_int n_classes, blo_table **out)
{
  BLO_TRY(model_random_tokens(ctx, TABLE_ROWS, TIME, TOKENS, n_classes, 4, out));
  for (blo_int i = 0; i < TABLE_ROWS; i++) {
    int32_t *token = (int32_t *)(*out)->values + i * (*out)->ld;
    for (blo_int t = 0; t < TIME; t++) {
      token[t] = t < length[i] ? (int32_t)(1 + (3 * i + 2 * t + t * t) % (TOKENS - 1)) : 0;
    }
  }
  return BLO_OK;
}

static void check_net(blo_comm *comm, const net *n, double tol)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_int width = last_width(n), n_classes = n->readout == EVERYTHING ? TIME * width : CLASSES;
  blo_input input = {.n_features = TIME, .n_classes = n_classes, .n_tokens = TOKENS};
  model_case c = {.rows = {.n = ROWS, .row = row}, .loss = refer, .more = n};
  blo_table *table = NULL;
  char name[80];
  blo_node out;

  snprintf(name, sizeof name, "cells %d %d, readout %d, k %d, owners %d %d %d %d %d", n->cell[0],
           n->cell[1], n->readout, (int)n->k[0], n->table, n->input, n->hidden, n->bias, n->v);
  c.name = name;

  BLO_REQUIRE_STATUS(make_table(ctx, n_classes, &table), BLO_OK);
  c.rows.table = table;
  BLO_REQUIRE_STATUS(blo_params_create(ctx, &c.params), BLO_OK);
  BLO_REQUIRE_STATUS(blo_graph_create(ctx, c.params, &input, &c.graph), BLO_OK);
  out = build_readout(c.graph, n, build_layers(c.graph, n), width);
  blo_graph_loss(c.graph, blo_graph_softmax_ce(c.graph, out));
  BLO_REQUIRE_STATUS(blo_graph_finish(c.graph, 3), BLO_OK);
  model_check_random(&c, 0.8, (uint64_t)(10 + n->cell[0]), tol);
  blo_graph_destroy(&c.graph);
  blo_params_destroy(&c.params);
  blo_table_destroy(ctx, &table);
}

/* -------------------------------------------------------------------- tests */

static bool has_y(const net *n)
{
  bool cell = n->cell[0] != NO_CELL;

  return n->table == BLO_IN_Y || (n->v == BLO_IN_Y && n->readout != EVERYTHING) ||
         (cell && (n->input == BLO_IN_Y || n->hidden == BLO_IN_Y)) ||
         (n->cell[0] == BLO_CELL_GRU && n->bias == BLO_IN_Y);
}

/** All owners of the parts; readouts and sizes take turns. */
static void check_cell(blo_comm *comm, int cell)
{
  int n_owners = 3 * 3 * 2 * 2 * 2;

  for (int i = 0; i < n_owners; i++) {
    net n = {.table = i % 3,
             .input = i / 3 % 3,
             .hidden = i / 9 % 2,
             .v = i / 18 % 2,
             .bias = i / 36,
             .cell = {cell, NO_CELL},
             .readout = (readout)((i + i / 4) % N_READOUTS),
             .k = {1 + (i + i / 3) % 4}};
    if (has_y(&n) && (n.bias == 0 || cell == BLO_CELL_GRU)) {
      check_net(comm, &n, 1e-11);
    }
  }
}

static void rnn(blo_comm *comm)
{
  check_cell(comm, BLO_CELL_RNN);
}

static void gru(blo_comm *comm)
{
  check_cell(comm, BLO_CELL_GRU);
}

static void lstm(blo_comm *comm)
{
  check_cell(comm, BLO_CELL_LSTM);
}

static void over_time(blo_comm *comm)
{
  for (int i = 0; i < 3 * 2 * N_READOUTS; i++) {
    net n = {
        .table = i % 3, .v = i / 3 % 2, .cell = {NO_CELL, NO_CELL}, .readout = (readout)(i / 6)};
    if (has_y(&n)) {
      check_net(comm, &n, 1e-12);
    }
  }
}

/** Layers on layers, with all owners. */
static void ready_made(blo_comm *comm)
{
  for (int i = 0; i < 16 * 3; i++) {
    net n = {.table = i % 2,
             .input = i / 2 % 2,
             .hidden = i / 4 % 2,
             .v = i / 8 % 2,
             .cell = {i % 3, i % 4 == 3 ? NO_CELL : (i + i / 3) % 3},
             .readout = (readout)(i / 2 % N_READOUTS),
             .k = {2 + i % 2, 1 + i % 3},
             .ready_made = true};
    if (has_y(&n)) {
      check_net(comm, &n, 1e-11);
    }
  }
}

/* ----------------------------------------------------------------- refusals */

typedef blo_node wrong(blo_graph *g);

static blo_node short_table(blo_graph *g)
{
  return blo_graph_embedding(g, param(g, BLO_IN_X, "E", 2, TOKENS - 1, IN));
}

static blo_node right_sequence(blo_graph *g)
{
  return blo_graph_embedding(g, param(g, BLO_IN_X, "E", 2, TOKENS, IN));
}

static blo_node narrow_gates(blo_graph *g)
{
  return blo_graph_lstm(g, right_sequence(g), param(g, BLO_IN_Y, "W", 2, IN, 4 * IN));
}

static blo_node wrong_bias(blo_graph *g)
{
  blo_node p = blo_graph_matmul(g, right_sequence(g), param(g, BLO_IN_Y, "U", 2, IN, 3));

  return blo_graph_gru(g, p, param(g, BLO_IN_Y, "W", 2, 1, 3), param(g, BLO_IN_Y, "b", 1, 4, 0));
}

static blo_node global_input(blo_graph *g)
{
  return blo_graph_rnn(g, param(g, BLO_IN_X, "P", 2, TIME, 2), param(g, BLO_IN_Y, "W", 2, 2, 2));
}

static blo_node no_sequence(blo_graph *g)
{
  return blo_graph_max_time(g, blo_graph_mean_time(g, right_sequence(g)));
}

static void expect_refusal(blo_comm *comm, wrong *build, blo_int n_tokens, blo_status status,
                           const char *text)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_input input = {.n_features = TIME, .n_classes = CLASSES, .n_tokens = n_tokens};
  blo_params *params = NULL;
  blo_graph *g = NULL;

  BLO_REQUIRE_STATUS(blo_params_create(ctx, &params), BLO_OK);
  BLO_REQUIRE_STATUS(blo_graph_create(ctx, params, &input, &g), BLO_OK);
  BLO_EXPECT_ALL(build(g) < 0);
  BLO_EXPECT_STATUS(blo_graph_finish(g, 1), status);
  BLO_EXPECT_ERROR_HAS(text);
  blo_graph_destroy(&g);
  blo_params_destroy(&params);
}

static void refusals(blo_comm *comm)
{
  expect_refusal(comm, short_table, TOKENS, BLO_E_SHAPE, "5 rows");
  expect_refusal(comm, right_sequence, 0, BLO_E_UNSUPPORTED, "no tokens");
  expect_refusal(comm, narrow_gates, TOKENS, BLO_E_SHAPE, "lstm");
  expect_refusal(comm, wrong_bias, TOKENS, BLO_E_SHAPE, "gru");
  expect_refusal(comm, global_input, TOKENS, BLO_E_SHAPE, "rnn");
  expect_refusal(comm, no_sequence, TOKENS, BLO_E_SHAPE, "max_time");
}

static const blo_test tests[] = {
    {"embedding and reductions over time", over_time},
    {"rnn", rnn},
    {"gru", gru},
    {"lstm", lstm},
    {"ready-made layers, one on the other", ready_made},
    {"what does not fit is refused", refusals},
};
BLO_TEST_MAIN("model_recurrent", tests)

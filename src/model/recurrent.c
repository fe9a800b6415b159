/** @file A recurrent layer with its parameters. */
#include "graph_private.h"
#include <math.h>

enum { PART_NAME_CAP = BLO_NAME_MAX + 16 };

const char *const blo_cell_names[] = {"rnn", "gru", "lstm", NULL};

typedef struct layer {
  blo_graph *g;
  blo_owner owner;
  const char *name;
  blo_init init;
} layer;

static blo_node part(const layer *l, const char *what, int n_dims, blo_int a, blo_int b)
{
  char name[PART_NAME_CAP];

  snprintf(name, sizeof name, "%s.%s", l->name, what);
  return blo_graph_param(l->g, l->owner, name, n_dims, (const blo_int[]){a, b}, l->init);
}

blo_node blo_graph_recurrent(blo_graph *g, blo_owner owner, const char *name, blo_node in,
                             blo_cell cell, blo_int n_hidden)
{
  static const blo_int n_gates[] = {[BLO_CELL_RNN] = 1, [BLO_CELL_GRU] = 3, [BLO_CELL_LSTM] = 4};
  layer l = {g, owner, name, {BLO_INIT_UNIFORM, 1 / sqrt((double)n_hidden)}};
  blo_int k = n_hidden, n = n_gates[cell] * k;
  const node *a;
  blo_node p, w;

  if (graph_failed(g, 1, &in)) {
    return -1;
  }
  a = graph_node(g, in);
  p = blo_graph_matmul(g, in, part(&l, "W_ih", 2, a->dim[a->n_dims - 1], n));
  p = blo_graph_bias(g, p, part(&l, "b_ih", 1, n, 0));
  w = part(&l, "W_hh", 2, k, n);
  switch (cell) {
  case BLO_CELL_RNN:
    return blo_graph_rnn(g, p, w);
  case BLO_CELL_GRU:
    return blo_graph_gru(g, p, w, part(&l, "b_hh", 1, n, 0));
  default:
    return blo_graph_lstm(g, p, w);
  }
}

/**
 * @file
 * out_t = row token_t of the table E [n_tokens][k], 0 for padding. Linear in E: the adjoint of a
 * row is the sum of the adjoints of all steps with that token.
 *
 * The node counts as data: its values are looked up again where they are needed, which is cheaper
 * than to keep them.
 */
#include "array.h"
#include "sequence.h"
#include <string.h>

static const int32_t *tokens_of(const op_call *c, blo_int r)
{
  const blo_table *t = c->batch->table;

  return (const int32_t *)t->values + c->batch->row[r] * t->ld;
}

/** out [rows][n_v][time][k] from tables [n_v][n_tokens][k]. */
static void look_up(const op_call *c, blo_int n_v, const double *table, double *out)
{
  blo_int time = c->node->dim[0], k = c->node->dim[1], n_table = c->in_node[0]->n;
  size_t bytes = (size_t)k * sizeof *out;

  for (blo_int i = 0; i < c->rows * n_v; i++) {
    const double *from = table + i % n_v * n_table;
    double *to = out + i * time * k;
    const int32_t *token = tokens_of(c, i / n_v);
    blo_int length = sequence_length(c, i / n_v, time);
    for (blo_int t = 0; t < length; t++) {
      memcpy(to + t * k, from + token[t] * k, bytes);
    }
    memset(to + length * k, 0, (size_t)(time - length) * bytes);
  }
}

/** The adjoint of look_up(). */
static void scatter(const op_call *c, blo_int n_v, const double *out, double *table)
{
  blo_int time = c->node->dim[0], k = c->node->dim[1], n_table = c->in_node[0]->n;

  for (blo_int i = 0; i < c->rows * n_v; i++) {
    const double *from = out + i * time * k;
    const int32_t *token = tokens_of(c, i / n_v);
    blo_int length = sequence_length(c, i / n_v, time);
    for (blo_int t = 0; t < length; t++) {
      double *to = table + i % n_v * n_table + token[t] * k;
      array_add(k, from + t * k, to);
    }
  }
}

static void value(const op_call *c)
{
  look_up(c, 1, c->in[0], c->out);
}

static void vjp(const op_call *c)
{
  if (c->in_bar[0] != NULL) {
    scatter(c, 1, c->bar, c->in_bar[0]);
  }
}

static void jvp(const op_call *c)
{
  look_up(c, c->n_v, c->in_dot[0], c->out_dot);
}

static void vjp_dot(const op_call *c)
{
  if (c->in_bar_dot[0] != NULL) {
    scatter(c, c->n_v, c->bar_dot, c->in_bar_dot[0]);
  }
}

static const op_type op_embedding = {"embedding", value, vjp, jvp, vjp_dot, OP_MODEL};

/** Numbers of a row of the table, which may be a list without dimensions; 0: it does not fit. */
static blo_int row_size(const blo_graph *g, const node *e)
{
  blo_int n = g->input.n_tokens;
  bool fits = e->global && (e->n_dims == 1 ? e->n % n == 0 : e->n_dims == 2 && e->dim[0] == n);

  return fits ? e->n / n : 0;
}

blo_node blo_graph_embedding(blo_graph *g, blo_node table)
{
  blo_int time = g->input.n_features, k;

  if (graph_failed(g, 1, &table)) {
    return -1;
  }
  if (g->input.n_tokens == 0) {
    return graph_refuse(g, BLO_E_UNSUPPORTED, "embedding: the samples have no tokens");
  }
  k = row_size(g, graph_node(g, table));
  if (k == 0) {
    return graph_refuse(g, BLO_E_SHAPE, "embedding: the table must have %lld rows, one a token",
                        (long long)g->input.n_tokens);
  }
  return graph_add(g, &(node){.type = &op_embedding,
                              .n_in = 1,
                              .in = {table},
                              .n_dims = 2,
                              .dim = {time, k},
                              .n = time * k,
                              .is_data = true});
}

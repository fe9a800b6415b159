/** @file Life of a graph, and how nodes are added to it. */
#include "graph_private.h"
#include <string.h>

blo_status blo_graph_create(blo_context *ctx, blo_params *params, const blo_input *input,
                            blo_graph **out)
{
  BLO_TRY(blo_alloc(ctx, 1, sizeof **out, out));
  **out = (blo_graph){.ctx = ctx, .params = params, .input = *input, .loss = -1, .output = -1};
  return BLO_OK;
}

void blo_graph_destroy(blo_graph **graph)
{
  blo_graph *g = *graph;

  if (g != NULL) {
    blo_context *ctx = g->ctx;
    for (int i = 0; i < g->n_nodes; i++) {
      blo_free(ctx, &g->nodes[i].data);
    }
    blo_free(ctx, &g->nodes);
    blo_free(ctx, &g->places);
    blo_free(ctx, &g->areas);
    blo_free(ctx, &g->terms);
    blo_free(ctx, &g->memory);
    blo_free(ctx, &g->length);
    blo_free(ctx, graph);
  }
}

/* -------------------------------------------------------------- describing */

blo_node graph_refuse(blo_graph *g, blo_status code, const char *fmt, ...)
{
  va_list args;

  if (g->status == BLO_OK) {
    g->status = code;
    va_start(args, fmt);
    vsnprintf(g->why, sizeof g->why, fmt, args);
    va_end(args);
  }
  return -1;
}

bool graph_failed(const blo_graph *g, int n, const blo_node *in)
{
  for (int k = 0; k < n; k++) {
    if (in[k] < 0) {
      return true;
    }
  }
  return g->status != BLO_OK;
}

const node *graph_node(const blo_graph *g, blo_node i)
{
  return &g->nodes[i];
}

node graph_like(const blo_graph *g, const op_type *type, blo_node like)
{
  const node *l = graph_node(g, like);
  node n = {.type = type, .n_dims = l->n_dims, .n = l->n};

  memcpy(n.dim, l->dim, sizeof n.dim);
  return n;
}

node graph_flat(const op_type *type, blo_int n)
{
  return (node){.type = type, .n_dims = 1, .dim = {n}, .n = n};
}

static blo_status grow(blo_graph *g)
{
  int cap = 2 * g->cap + 32;

  if (g->n_nodes < g->cap) {
    return BLO_OK;
  }
  BLO_TRY(blo_realloc(g->ctx, cap, sizeof *g->nodes, &g->nodes));
  g->cap = cap;
  return BLO_OK;
}

/** What follows from the inputs. */
static void inherit(const blo_graph *g, node *n)
{
  n->global = n->global || (n->n_in > 0 && !n->is_data);
  for (int k = 0; k < n->n_in; k++) {
    const node *in = graph_node(g, n->in[k]);
    n->global = n->global && in->global;
    n->on_x = n->on_x || in->on_x;
    n->on_y = n->on_y || in->on_y;
  }
}

/** Linearisations keep adjoints by rows, so none of a global node on the way to y. */
static bool keeps_global_adjoint(const blo_graph *g, const node *n)
{
  for (int k = 0; k < n->n_in; k++) {
    const node *in = graph_node(g, n->in[k]);
    if (!n->global && in->global && !in->is_param && in->on_y) {
      return true;
    }
  }
  return false;
}

static bool is_sparse(const blo_graph *g, blo_node i)
{
  return g->input.sparse && graph_node(g, i)->type == &op_features;
}

static bool reads_sparse(const blo_graph *g, const node *n)
{
  for (int k = 0; k < n->n_in; k++) {
    if (is_sparse(g, n->in[k]) && !n->fetches) {
      return true;
    }
  }
  return false;
}

blo_node graph_add(blo_graph *g, const node *described)
{
  node n = *described;
  blo_status status;

  if (graph_failed(g, n.n_in, n.in)) {
    return -1;
  }
  inherit(g, &n);
  n.never_negative = graph_never_negative(g, &n);
  if (n.n < 1) {
    return graph_refuse(g, BLO_E_SHAPE, "%s: %lld numbers", n.type->name, (long long)n.n);
  }
  if (g->places != NULL) {
    return graph_refuse(g, BLO_E_UNSUPPORTED, "%s: the graph is finished", n.type->name);
  }
  if (reads_sparse(g, &n)) {
    return graph_refuse(g, BLO_E_UNSUPPORTED,
                        "%s: sparse features can only be multiplied by a matrix", n.type->name);
  }
  if (keeps_global_adjoint(g, &n)) {
    return graph_refuse(g, BLO_E_UNSUPPORTED,
                        "%s: what is computed from parameters of y alone cannot be used with "
                        "samples; use the parameters themselves",
                        n.type->name);
  }
  status = grow(g);
  if (status != BLO_OK) {
    return graph_refuse(g, status, "%s", blo_error_text(g->ctx));
  }
  g->nodes[g->n_nodes] = n;
  return g->n_nodes++;
}

/* ------------------------------------------------------ what the graph is for */

static bool is_scalar(blo_graph *g, blo_node i, const char *what)
{
  if (graph_failed(g, 1, &i)) {
    return false;
  }
  if (graph_node(g, i)->n != 1 || is_sparse(g, i)) {
    graph_refuse(g, BLO_E_SHAPE, "%s must be one number, not %lld", what,
                 (long long)graph_node(g, i)->n);
    return false;
  }
  return true;
}

void blo_graph_loss(blo_graph *g, blo_node loss)
{
  if (!is_scalar(g, loss, "a loss")) {
    return;
  }
  if (graph_node(g, loss)->global || g->loss >= 0) {
    graph_refuse(g, BLO_E_UNSUPPORTED, "%s",
                 g->loss >= 0 ? "a graph has one loss" : "a loss must depend on the samples");
    return;
  }
  g->loss = loss;
}

void blo_graph_term(blo_graph *g, blo_node term)
{
  blo_status status;

  if (!is_scalar(g, term, "a term")) {
    return;
  }
  if (!graph_node(g, term)->global) {
    graph_refuse(g, BLO_E_UNSUPPORTED, "a term must not depend on samples");
    return;
  }
  status = blo_realloc(g->ctx, g->n_terms + 1, sizeof *g->terms, &g->terms);
  if (status != BLO_OK) {
    graph_refuse(g, status, "%s", blo_error_text(g->ctx));
    return;
  }
  g->terms[g->n_terms++] = term;
}

void blo_graph_mark_output(blo_graph *g, blo_node output)
{
  if (graph_failed(g, 1, &output)) {
    return;
  }
  if (is_sparse(g, output)) {
    graph_refuse(g, BLO_E_UNSUPPORTED, "sparse features are no output");
    return;
  }
  if (graph_node(g, output)->global || g->output >= 0) {
    graph_refuse(g, BLO_E_UNSUPPORTED, "%s",
                 g->output >= 0 ? "a graph has one output"
                                : "an output must depend on the samples");
    return;
  }
  g->output = output;
}

/** Mark what a node is made of. */
static void mark(blo_graph *g, int i, unsigned purpose)
{
  if (i >= 0 && (g->nodes[i].purpose & purpose) == 0) {
    g->nodes[i].purpose |= purpose;
    for (int k = 0; k < g->nodes[i].n_in; k++) {
      mark(g, g->nodes[i].in[k], purpose);
    }
  }
}

blo_status blo_graph_finish(blo_graph *g, blo_int directions)
{
  BLO_CHECK(g->ctx, g->status == BLO_OK, g->status, "the model: %s", g->why);
  BLO_CHECK(g->ctx, g->loss >= 0, BLO_E_UNSUPPORTED, "the model has no loss");
  BLO_CHECK(g->ctx, g->places == NULL, BLO_E_UNSUPPORTED, "the model is finished already");
  BLO_CHECK(g->ctx, directions >= 0, BLO_E_SHAPE, "%lld directions", (long long)directions);
  mark(g, g->loss, FOR_LOSS);
  mark(g, g->output, FOR_OUTPUT);
  for (int k = 0; k < g->n_terms; k++) {
    mark(g, g->terms[k], FOR_TERM);
  }
  graph_find_losses(g);
  return graph_plan(g, directions);
}

const blo_input *blo_graph_input(const blo_graph *g)
{
  return &g->input;
}

const blo_params *blo_graph_params(const blo_graph *g)
{
  return g->params;
}

bool blo_graph_reads_sample_value(const blo_graph *g)
{
  for (int i = 0; i < g->n_nodes; i++) {
    if (g->nodes[i].is_sample && (g->nodes[i].purpose & FOR_LOSS) != 0) {
      return true;
    }
  }
  return false;
}

blo_int blo_graph_output_size(const blo_graph *g)
{
  return g->output >= 0 ? graph_node(g, g->output)->n : 0;
}

blo_int blo_graph_chunk(const blo_graph *g)
{
  return g->chunk;
}

blo_int blo_graph_cache_size(const blo_graph *g)
{
  return g->cache_size;
}

blo_int blo_graph_bytes(const blo_graph *g)
{
  return g->bytes;
}

static void print_shape(const node *n, FILE *to)
{
  fprintf(to, n->global ? "[" : "[rows][");
  for (int k = 0; k < n->n_dims; k++) {
    fprintf(to, "%s%lld", k > 0 ? "][" : "", (long long)n->dim[k]);
  }
  fprintf(to, "]");
}

void blo_graph_print(const blo_graph *g, FILE *to)
{
  for (int i = 0; i < g->n_nodes; i++) {
    const node *n = graph_node(g, i);
    fprintf(to, "%3d %-16s ", i, n->type->name);
    print_shape(n, to);
    for (int k = 0; k < n->n_in; k++) {
      fprintf(to, " %d", n->in[k]);
    }
    if (n->is_param) {
      fprintf(to, " %s", blo_params_get(g->params, n->block)->name);
    }
    fprintf(to, "%s%s\n", n->on_x ? " x" : "", n->on_y ? " y" : "");
  }
}

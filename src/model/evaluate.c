/**
 * @file
 * The four passes over a graph: values forwards, adjoints backwards, tangents forwards, tangents of
 * adjoints backwards. Which nodes a pass visits follows from what is wanted and from what a
 * linearisation has left: a product at a linearised point runs only the last two passes, and of
 * these only what lies between the direction and the parameters that are asked for.
 */
#include "array.h"
#include "graph_private.h"
#include <string.h>

/** One call, for one group of directions. */
typedef struct pass {
  blo_graph *g;
  const blo_graph_call *call;
  unsigned purpose;
  blo_int rows;
  blo_int first_v, n_v; /**< the group */
  bool values, y_values_only, adjoints, products;
  bool bar_x, bar_y, dot_x, dot_y; /**< adjoints of x, of y, and their tangents are wanted */
} pass;

/* ------------------------------------------------------ where tensors are */

static double *workspace(const blo_graph *g, blo_int at)
{
  return at >= 0 ? g->memory + at : NULL;
}

static double *shifted(double *vector, blo_int offset)
{
  return vector != NULL ? vector + offset : NULL;
}

static void place_param(const pass *p, int i)
{
  blo_graph *g = p->g;
  const blo_graph_call *c = p->call;
  const blo_block *b = blo_params_get(g->params, g->nodes[i].block);
  bool x = b->owner == BLO_IN_X, single = p->products && p->n_v == 1;
  double *const *out = x ? c->jv : c->hv;
  place *at = &g->places[i];

  *at =
      (place){.value = (x ? c->x : c->y) + b->offset, .bar = shifted(x ? c->gx : c->gy, b->offset)};
  if (p->products && out != NULL) {
    at->bar_dot = single ? out[p->first_v] + b->offset : workspace(g, g->areas[i].bar_dot);
  }
  if (p->products && !x) {
    at->dot = single ? c->v[p->first_v] + b->offset : workspace(g, g->areas[i].dot);
  }
}

static void place_node(const pass *p, int i)
{
  blo_graph *g = p->g;
  const node *n = &g->nodes[i];
  const area *a = &g->areas[i];
  double *cache = p->call->cache != NULL ? p->call->cache : g->own_cache;
  place *at = &g->places[i];

  at->value_out = n->at_value >= 0 ? cache + n->at_value * p->rows : workspace(g, a->value);
  at->keep = n->at_keep >= 0 ? cache + n->at_keep * p->rows : workspace(g, a->keep);
  at->bar = n->at_bar >= 0 ? cache + n->at_bar * p->rows : workspace(g, a->bar);
  at->dot_out = workspace(g, a->dot);
  at->bar_dot = workspace(g, a->bar_dot);
  at->keep_dot = workspace(g, a->keep_dot);
  at->value = at->value_out;
  at->dot = at->dot_out;
}

static void place_all(const pass *p)
{
  for (int i = 0; i < p->g->n_nodes; i++) {
    if (p->g->nodes[i].is_param) {
      place_param(p, i);
    } else {
      place_node(p, i);
    }
  }
}

/* -------------------------------------------------------- who takes part */

static bool visited(const pass *p, int i)
{
  return (p->g->nodes[i].purpose & p->purpose) != 0;
}

static bool has_bar(const pass *p, int i)
{
  const node *n = &p->g->nodes[i];

  return n->is_param ? p->g->places[i].bar != NULL : (n->on_x && p->bar_x) || (n->on_y && p->bar_y);
}

static bool has_bar_dot(const pass *p, int i)
{
  const node *n = &p->g->nodes[i];

  return n->is_param ? p->g->places[i].bar_dot != NULL
                     : (n->on_x && p->dot_x) || (n->on_y && p->dot_y);
}

/** Is the node's value computed in this call? */
static bool computes(const pass *p, int i)
{
  const node *n = &p->g->nodes[i];

  if (!visited(p, i) || n->is_param || n->is_data) {
    return false;
  }
  return n->global || (p->values && (n->on_y || !p->y_values_only));
}

/** Does the node look at its inputs' values in this call? */
static bool reads(const pass *p, int i)
{
  const node *n = &p->g->nodes[i];

  return computes(p, i) || (p->adjoints && has_bar(p, i)) ||
         (p->products && (n->on_y || has_bar_dot(p, i)));
}

static bool is_read(const pass *p, int i)
{
  if (i == p->g->loss || i == p->g->output) {
    return true;
  }
  for (int j = i + 1; j < p->g->n_nodes; j++) {
    const node *n = &p->g->nodes[j];
    for (int k = 0; k < n->n_in; k++) {
      if (n->in[k] == i && visited(p, j) && !n->fetches && reads(p, j)) {
        return true;
      }
    }
  }
  return false;
}

/* ------------------------------------------------------------ the passes */

static op_call call_of(const pass *p, int i)
{
  blo_graph *g = p->g;
  const node *n = &g->nodes[i];
  const place *at = &g->places[i];
  op_call c = {.graph = g,
               .node = n,
               .batch = n->global ? NULL : &p->call->rows,
               .length = g->input.n_tokens > 0 ? g->length : NULL,
               .rows = n->global ? 1 : p->rows,
               .n_v = p->n_v,
               .out = at->value_out,
               .keep = at->keep,
               .keep_dot = at->keep_dot,
               .out_dot = at->dot_out,
               .work = g->work};

  for (int k = 0; k < n->n_in; k++) {
    c.in_node[k] = &g->nodes[n->in[k]];
    c.in[k] = g->places[n->in[k]].value;
  }
  return c;
}

static void values(const pass *p)
{
  for (int i = 0; i < p->g->n_nodes; i++) {
    const node *n = &p->g->nodes[i];
    if (computes(p, i) || (n->is_data && visited(p, i) && is_read(p, i))) {
      op_call c = call_of(p, i);
      n->type->value(&c);
    }
  }
}

static blo_int numbers(const pass *p, int i)
{
  return p->g->nodes[i].n * (p->g->nodes[i].global ? 1 : p->rows);
}

static void clear_bars(const pass *p)
{
  for (int i = 0; i < p->g->n_nodes; i++) {
    if (visited(p, i) && !p->g->nodes[i].is_param && has_bar(p, i)) {
      array_clear(numbers(p, i), p->g->places[i].bar);
    }
  }
}

/** Is the adjoint of any input wanted? Not so if they are parameters whose vector is left out. */
static bool any(double *const *in_bar)
{
  for (int k = 0; k < NODE_INPUTS; k++) {
    if (in_bar[k] != NULL) {
      return true;
    }
  }
  return false;
}

/** From the nodes whose adjoints are set back to the parameters. */
static void adjoints(const pass *p)
{
  for (int i = p->g->n_nodes - 1; i >= 0; i--) {
    const node *n = &p->g->nodes[i];
    if (n->n_in > 0 && visited(p, i) && has_bar(p, i)) {
      op_call c = call_of(p, i);
      c.bar = p->g->places[i].bar;
      for (int k = 0; k < n->n_in; k++) {
        c.in_bar[k] = has_bar(p, n->in[k]) ? p->g->places[n->in[k]].bar : NULL;
      }
      if (n->keeps_bar || any(c.in_bar)) {
        n->type->vjp(&c);
      }
    }
  }
}

/** Does the node give its second derivatives? With the Gauss-Newton matrix only the losses do. */
static bool bends(const pass *p, int i)
{
  const node *n = &p->g->nodes[i];

  return n->on_y && (!p->call->gauss_newton || n->is_loss);
}

static void give_tangents(const pass *p, int i, op_call *c)
{
  const node *n = &p->g->nodes[i];

  for (int k = 0; k < n->n_in; k++) {
    c->in_dot[k] = p->g->nodes[n->in[k]].on_y ? p->g->places[n->in[k]].dot : NULL;
  }
}

static void tangents(const pass *p)
{
  for (int i = 0; i < p->g->n_nodes; i++) {
    const node *n = &p->g->nodes[i];
    if (visited(p, i) && n->on_y && !n->is_param) {
      op_call c = call_of(p, i);
      give_tangents(p, i, &c);
      n->type->jvp(&c);
    }
  }
}

static void clear_bar_dots(const pass *p)
{
  for (int i = 0; i < p->g->n_nodes; i++) {
    bool own = !p->g->nodes[i].is_param || p->n_v > 1;
    if (visited(p, i) && own && has_bar_dot(p, i)) {
      array_clear(numbers(p, i) * p->n_v, p->g->places[i].bar_dot);
    }
  }
}

static void tangents_of_adjoints(const pass *p)
{
  for (int i = p->g->n_nodes - 1; i >= 0; i--) {
    const node *n = &p->g->nodes[i];
    if (n->n_in > 0 && visited(p, i) && has_bar_dot(p, i)) {
      op_call c = call_of(p, i);
      if (bends(p, i)) {
        give_tangents(p, i, &c);
        c.bar = p->g->places[i].bar;
      }
      c.bar_dot = p->g->places[i].bar_dot;
      for (int k = 0; k < n->n_in; k++) {
        c.in_bar_dot[k] = has_bar_dot(p, n->in[k]) ? p->g->places[n->in[k]].bar_dot : NULL;
      }
      if (any(c.in_bar_dot)) {
        n->type->vjp_dot(&c);
      }
    }
  }
}

/* ------------------------------------- directions of parameters, side by side */

static void stack_directions(const pass *p)
{
  for (int i = 0; i < p->g->n_nodes && p->n_v > 1; i++) {
    const node *n = &p->g->nodes[i];
    double *to = workspace(p->g, p->g->areas[i].dot);
    if (n->is_param && n->on_y && visited(p, i)) {
      blo_int offset = blo_params_get(p->g->params, n->block)->offset;
      for (blo_int d = 0; d < p->n_v; d++) {
        memcpy(to + d * n->n, p->call->v[p->first_v + d] + offset, (size_t)n->n * sizeof *to);
      }
    }
  }
}

static void unstack_products(const pass *p)
{
  for (int i = 0; i < p->g->n_nodes && p->n_v > 1; i++) {
    const node *n = &p->g->nodes[i];
    if (n->is_param && visited(p, i) && has_bar_dot(p, i)) {
      const blo_block *b = blo_params_get(p->g->params, n->block);
      double *const *out = b->owner == BLO_IN_X ? p->call->jv : p->call->hv;
      for (blo_int d = 0; d < p->n_v; d++) {
        array_add(n->n, p->g->places[i].bar_dot + d * n->n, out[p->first_v + d] + b->offset);
      }
    }
  }
}

/* ---------------------------------------------------------- whole calls */

/** The parts of g_sample_value and j_sample, from the nodes of the samples' entries of x. */
static void deliver_sample_values(const pass *p)
{
  const blo_graph_call *c = p->call;

  for (int i = 0; i < p->g->n_nodes; i++) {
    const place *at = &p->g->places[i];
    if (!p->g->nodes[i].is_sample || !visited(p, i)) {
      continue;
    }
    if (p->adjoints && c->g_sample_value != NULL) {
      array_add(p->rows, at->bar, c->g_sample_value);
    }
    for (blo_int d = 0; p->products && c->j_sample != NULL && d < p->n_v; d++) {
      for (blo_int r = 0; r < p->rows; r++) {
        c->j_sample[p->first_v + d][r] += at->bar_dot[r * p->n_v + d];
      }
    }
  }
}

static void fill(blo_int n, double value, double *to)
{
  for (blo_int k = 0; k < n; k++) {
    to[k] = value;
  }
}

/** Start the adjoints: d value / d loss of each row, or d value / d term. */
static void seed_bars(const pass *p)
{
  const blo_graph *g = p->g;

  if (p->purpose == FOR_LOSS) {
    if (has_bar(p, g->loss)) {
      fill(p->rows, p->call->scale, g->places[g->loss].bar);
    }
    return;
  }
  for (int k = 0; k < g->n_terms; k++) {
    if (has_bar(p, g->terms[k])) {
      *g->places[g->terms[k]].bar += p->call->scale;
    }
  }
}

static void add_value(const pass *p)
{
  const blo_graph *g = p->g;
  double sum = 0;

  if (p->purpose == FOR_LOSS) {
    for (blo_int r = 0; r < p->rows; r++) {
      sum += g->places[g->loss].value[r];
    }
  }
  for (int k = 0; p->purpose == FOR_TERM && k < g->n_terms; k++) {
    sum += *g->places[g->terms[k]].value;
  }
  *p->call->value += p->call->scale * sum;
}

static void first_order(pass *p)
{
  place_all(p);
  values(p);
  if (p->call->value != NULL) {
    add_value(p);
  }
  if (p->adjoints) {
    clear_bars(p);
    seed_bars(p);
    adjoints(p);
  }
}

/** The products of one group of directions; values and adjoints are in place. */
static void second_order(pass *p)
{
  place_all(p);
  stack_directions(p);
  tangents(p);
  clear_bar_dots(p);
  tangents_of_adjoints(p);
  unstack_products(p);
}

/** Lengths of the rows' token sequences: all up to the padding. */
static void find_lengths(blo_graph *g, const blo_graph_rows *b)
{
  const blo_table *t = b->table;

  for (blo_int i = 0; g->input.n_tokens > 0 && i < b->n; i++) {
    const int32_t *token = (const int32_t *)t->values + b->row[i] * t->ld;
    g->length[i] = 0;
    while (g->length[i] < t->n_features && token[g->length[i]] != 0) {
      g->length[i]++;
    }
  }
}

static bool is_on_y(const blo_graph *g, unsigned purpose)
{
  if (purpose == FOR_LOSS) {
    return g->nodes[g->loss].on_y;
  }
  for (int k = 0; k < g->n_terms; k++) {
    if (g->nodes[g->terms[k]].on_y) {
      return true;
    }
  }
  return false;
}

static void evaluate(blo_graph *g, const blo_graph_call *call, unsigned purpose, blo_int rows)
{
  bool products = call->n_v > 0 && is_on_y(g, purpose);
  bool ready = purpose == FOR_LOSS && call->linearized;
  bool keeps = purpose == FOR_LOSS && call->cache != NULL && !ready && g->directions > 0;
  pass p = {.g = g,
            .call = call,
            .purpose = purpose,
            .rows = rows,
            .values = !ready,
            .products = products,
            .y_values_only = purpose == FOR_LOSS && call->same_x,
            .bar_x = call->gx != NULL || call->g_sample_value != NULL,
            .bar_y = call->gy != NULL || keeps || (products && !ready)};

  BLO_BUG_IF(call->n_v > 0 && g->directions == 0, "a graph without directions gives no products");
  BLO_BUG_IF(products && call->gauss_newton &&
                 (!g->has_gauss_newton || call->jv != NULL || call->j_sample != NULL),
             "a graph that has no Gauss-Newton matrix, or products J v with it");
  p.adjoints = p.bar_x || p.bar_y;
  p.dot_x = call->jv != NULL || call->j_sample != NULL;
  p.dot_y = call->hv != NULL;
  first_order(&p);
  deliver_sample_values(&p);
  p.adjoints = false;
  for (p.first_v = 0; products && p.first_v < call->n_v; p.first_v += p.n_v) {
    blo_int left = call->n_v - p.first_v;
    p.n_v = left < g->directions ? left : g->directions;
    second_order(&p);
    deliver_sample_values(&p);
  }
}

static void check_rows(const blo_graph *g, const blo_graph_call *call)
{
  BLO_BUG_IF(call->rows.n > g->chunk, "%lld rows, but %lld at most", (long long)call->rows.n,
             (long long)g->chunk);
}

void blo_graph_samples(blo_graph *g, const blo_graph_call *call)
{
  check_rows(g, call);
  find_lengths(g, &call->rows);
  evaluate(g, call, FOR_LOSS, call->rows.n);
}

void blo_graph_terms(blo_graph *g, const blo_graph_call *call)
{
  if (g->n_terms > 0) {
    evaluate(g, call, FOR_TERM, 1);
  }
}

void blo_graph_output(blo_graph *g, const blo_graph_call *call, double *output, double *loss)
{
  /* a linearisation stays as it is */
  const blo_graph_call plain = {.rows = call->rows, .x = call->x, .y = call->y};
  pass p = {.g = g,
            .call = &plain,
            .purpose = (output != NULL ? FOR_OUTPUT : 0u) | (loss != NULL ? FOR_LOSS : 0u),
            .rows = call->rows.n,
            .values = true};

  BLO_BUG_IF(output != NULL && g->output < 0, "the graph has no output");
  check_rows(g, call);
  find_lengths(g, &call->rows);
  place_all(&p);
  values(&p);
  if (output != NULL) {
    memcpy(output, g->places[g->output].value, (size_t)numbers(&p, g->output) * sizeof *output);
  }
  if (loss != NULL) {
    memcpy(loss, g->places[g->loss].value, (size_t)p.rows * sizeof *loss);
  }
}

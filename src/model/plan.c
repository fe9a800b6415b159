/**
 * @file
 * The memory of a graph, all taken at once when the graph is complete: what a linearisation keeps
 * of each row (the *cache*: values, what operations keep, adjoints on the way to y), and workspace
 * for the rest. Rows and directions are taken in portions, so that the memory stays bounded.
 */
#include "graph_private.h"

enum {
  BUDGET = 1 << 24, /**< doubles that one portion of rows may take, if it has more than one row */
  ROWS_MAX = 512    /**< beyond it matrix products gain nothing */
};

static bool in_cache(const node *n)
{
  return !n->global && !n->is_data;
}

static void lay_cache(blo_graph *g)
{
  for (int i = 0; i < g->n_nodes; i++) {
    node *n = &g->nodes[i];
    n->at_value = n->at_keep = n->at_bar = -1;
    if (in_cache(n)) {
      n->at_value = g->cache_size;
      n->at_keep = n->at_value + n->n;
      g->cache_size = n->at_keep + n->keep;
      if (n->on_y) {
        n->at_bar = g->cache_size;
        g->cache_size += n->n;
      }
    }
  }
}

/** Takes the next `n` doubles of the memory; none if n is 0. */
static blo_int take(blo_int *used, blo_int n)
{
  blo_int at = n > 0 ? *used : -1;

  *used += (n + 7) / 8 * 8;
  return at;
}

/** Workspace of a node for `rows` rows and d directions. */
static area lay_node(const node *n, blo_int rows, blo_int d, blo_int *used)
{
  blo_int r = n->global ? 1 : rows;
  bool on = n->on_x || n->on_y, own = !n->is_param;
  bool stacked = n->is_param && d > 1; /* the directions of a parameter, side by side */

  return (area){
      .value = take(used, own && !in_cache(n) ? r * n->n : 0),
      .keep = take(used, own && n->global ? n->keep : 0),
      .bar = take(used, own && on && n->at_bar < 0 ? r * n->n : 0),
      .dot = take(used, n->on_y && (own || stacked) ? r * d * n->n : 0),
      .bar_dot = take(used, on && (own || stacked) ? r * d * n->n : 0),
      .keep_dot = take(used, n->on_y ? r * d * n->keep_dot : 0),
  };
}

static blo_int scratch(const blo_graph *g, blo_int rows, blo_int d)
{
  blo_int most = 0;

  for (int i = 0; i < g->n_nodes; i++) {
    const node *n = &g->nodes[i];
    blo_int r = n->global ? 1 : rows;
    blo_int need = n->work + n->work_rows * r + (n->work_row * r + n->work_v) * (d > 1 ? d : 1);
    most = need > most ? need : most;
  }
  return most;
}

/** Doubles that the whole workspace takes; with `areas` also where each node's is. */
static blo_int lay(const blo_graph *g, blo_int rows, blo_int d, area *areas)
{
  blo_int used = 0;

  for (int i = 0; i < g->n_nodes; i++) {
    area a = lay_node(&g->nodes[i], rows, d, &used);
    if (areas != NULL) {
      areas[i] = a;
    }
  }
  take(&used, rows * g->cache_size);
  take(&used, scratch(g, rows, d));
  return used;
}

/** The most rows whose own part of the workspace stays in the budget; 1 at least. What global
 *  nodes take does not depend on the rows, however large it is. */
static blo_int fitting_rows(const blo_graph *g, blo_int d)
{
  blo_int rows = ROWS_MAX, without_rows = lay(g, 0, d, NULL);

  while (rows > 1 && lay(g, rows, d, NULL) - without_rows > BUDGET) {
    rows = rows > 8 ? rows / 2 : rows - 1;
  }
  return rows;
}

static blo_int fitting_directions(const blo_graph *g, blo_int wanted)
{
  blo_int d = wanted;

  while (d > 1 && lay(g, g->chunk, d, NULL) > 2 * BUDGET) {
    d--;
  }
  return d;
}

blo_status graph_plan(blo_graph *g, blo_int directions)
{
  blo_int n_doubles;

  lay_cache(g);
  BLO_TRY(blo_alloc(g->ctx, g->n_nodes, sizeof *g->places, &g->places));
  BLO_TRY(blo_alloc(g->ctx, g->n_nodes, sizeof *g->areas, &g->areas));
  g->chunk = fitting_rows(g, directions > 1 ? 1 : directions);
  g->directions = fitting_directions(g, directions);
  n_doubles = lay(g, g->chunk, g->directions, g->areas);
  BLO_TRY(blo_alloc(g->ctx, n_doubles, sizeof *g->memory, &g->memory));
  BLO_TRY(blo_alloc(g->ctx, g->chunk, sizeof *g->length, &g->length));
  g->work = g->memory + n_doubles - (scratch(g, g->chunk, g->directions) + 7) / 8 * 8;
  g->own_cache = g->work - (g->chunk * g->cache_size + 7) / 8 * 8;
  g->bytes = n_doubles * (blo_int)sizeof *g->memory + g->chunk * (blo_int)sizeof *g->length +
             g->n_nodes * (blo_int)(sizeof *g->places + sizeof *g->areas);
  return BLO_OK;
}

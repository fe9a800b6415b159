/** @file Nodes without inputs: what samples bring, constants, and parameters. */
#include "graph_private.h"
#include "params_private.h"
#include <math.h>
#include <string.h>

/* ---------------------------------------------------------------- samples */

/** Row r of a dense table as doubles, scaled. */
static void load_row(const blo_graph_rows *b, blo_int r, blo_int n, double *to)
{
  const blo_table *t = b->table;
  blo_int first = r * t->ld;

  for (blo_int k = 0; k < n; k++) {
    switch (t->storage) {
    case BLO_U8:
      to[k] = ((const uint8_t *)t->values)[first + k];
      break;
    case BLO_F32:
      to[k] = (double)((const float *)t->values)[first + k];
      break;
    default:
      to[k] = ((const double *)t->values)[first + k];
      break;
    }
  }
  for (blo_int k = 0; b->scaling != NULL && k < n; k++) {
    to[k] = (to[k] - b->scaling->shift[k]) * b->scaling->scale[k];
  }
}

static void features_value(const op_call *c)
{
  blo_int n = c->node->n;

  for (blo_int i = 0; i < c->rows; i++) {
    load_row(c->batch, c->batch->row[i], n, c->out + i * n);
  }
}

static void label_value(const op_call *c)
{
  for (blo_int i = 0; i < c->rows; i++) {
    c->out[i] = graph_label(c->batch, i);
  }
}

static void sample_value(const op_call *c)
{
  memcpy(c->out, c->batch->sample_value, (size_t)c->rows * sizeof *c->out);
}

static void constant_value(const op_call *c)
{
  memcpy(c->out, c->node->data, (size_t)c->node->n * sizeof *c->out);
}

/* Sources have no inputs, so no other functions; a parameter's tensors are parts of x and y. */
const op_type op_features = {"features", features_value, NULL, NULL, NULL, OP_MODEL};
const op_type op_label = {"label", label_value, NULL, NULL, NULL, OP_WEIGHT};
const op_type op_sample_value = {"sample value", sample_value, NULL, NULL, NULL, OP_MODEL};
const op_type op_constant = {"constant", constant_value, NULL, NULL, NULL, OP_MODEL};
const op_type op_param = {"parameter", NULL, NULL, NULL, NULL, OP_MODEL};

int32_t graph_label(const blo_graph_rows *batch, blo_int i)
{
  return batch->label != NULL ? batch->label[i] : batch->table->label[batch->row[i]];
}

static blo_node add_features(blo_graph *g, const node *shaped)
{
  if (g->input.n_tokens > 0) {
    return graph_refuse(g, BLO_E_UNSUPPORTED,
                        "the samples are texts: a model of texts begins with an embedding");
  }
  return graph_add(g, shaped);
}

blo_node blo_graph_features(blo_graph *g)
{
  node n = graph_flat(&op_features, g->input.n_features);

  n.is_data = true;
  return add_features(g, &n);
}

blo_node blo_graph_images(blo_graph *g, blo_int channels)
{
  node n = graph_flat(&op_features, g->input.n_features);
  blo_int side = channels > 0 && n.n > 0 ? (blo_int)(sqrt((double)(n.n / channels)) + 0.5) : 0;

  if (side < 1 || n.n % channels != 0 || side * side != n.n / channels) {
    return graph_refuse(g, BLO_E_SHAPE, "%lld features are no square images of %lld channels",
                        (long long)n.n, (long long)channels);
  }
  n.is_data = true;
  n.n_dims = 3;
  n.dim[0] = channels;
  n.dim[1] = n.dim[2] = side;
  return add_features(g, &n);
}

blo_node blo_graph_sample_value(blo_graph *g)
{
  node n = graph_flat(&op_sample_value, 1);

  n.is_data = n.is_sample = n.on_x = true;
  return graph_add(g, &n);
}

blo_node blo_graph_label(blo_graph *g)
{
  node n = graph_flat(&op_label, 1);

  n.is_data = true;
  return graph_add(g, &n);
}

blo_node blo_graph_constant(blo_graph *g, blo_int n, const double *values)
{
  node c = graph_flat(&op_constant, n);
  blo_status status;
  blo_node added;

  c.global = true;
  if (g->status != BLO_OK) {
    return -1;
  }
  if (n < 1) {
    return graph_refuse(g, BLO_E_SHAPE, "constant: %lld numbers", (long long)n);
  }
  status = blo_alloc(g->ctx, n, sizeof *c.data, &c.data);
  if (status != BLO_OK) {
    return graph_refuse(g, status, "%s", blo_error_text(g->ctx));
  }
  memcpy(c.data, values, (size_t)n * sizeof *values);
  added = graph_add(g, &c);
  if (added < 0) {
    blo_free(g->ctx, &c.data);
  }
  return added;
}

/* ------------------------------------------------------------- parameters */

/* So many have bytes that can be counted. */
static const blo_int NUMBERS_MAX = INT64_MAX / 64;

static bool same_block(const blo_block *a, const blo_block *b)
{
  return a->owner == b->owner && a->n_dims == b->n_dims &&
         memcmp(a->dim, b->dim, sizeof a->dim) == 0 && a->init.kind == b->init.kind &&
         !(a->init.value < b->init.value) && !(a->init.value > b->init.value);
}

/** The block of that name, made if it is new. */
static blo_status need_block(blo_graph *g, const blo_block *wanted, blo_int *number)
{
  const blo_block *have = blo_params_find(g->params, wanted->name);

  if (have == NULL) {
    BLO_TRY(params_append(g->params, wanted));
    *number = blo_params_count(g->params) - 1;
    return BLO_OK;
  }
  BLO_CHECK(g->ctx, same_block(have, wanted), BLO_E_SHAPE,
            "parameter '%s' is described twice, with other sizes, owner or start", wanted->name);
  *number = have - blo_params_get(g->params, 0);
  return BLO_OK;
}

static bool make_block(blo_graph *g, const char *name, int n_dims, const blo_int *dim, blo_block *b)
{
  if (n_dims < 1 || n_dims > BLO_DIMS_MAX || strlen(name) >= sizeof b->name || name[0] == '\0') {
    graph_refuse(g, BLO_E_SHAPE, "parameter '%s': 1 to %d dimensions and a name of 1 to %d letters",
                 name, BLO_DIMS_MAX, BLO_NAME_MAX - 1);
    return false;
  }
  b->n_dims = n_dims;
  b->n = 1;
  for (int k = 0; k < n_dims; k++) {
    if (dim[k] < 1 || dim[k] > NUMBERS_MAX / b->n) {
      graph_refuse(g, BLO_E_SHAPE, "parameter '%s' has %s numbers", name,
                   dim[k] < 1 ? "no" : "too many");
      return false;
    }
    b->dim[k] = dim[k];
    b->n *= dim[k];
  }
  memcpy(b->name, name, strlen(name) + 1);
  return true;
}

/** A node has three dimensions at most: of four the last two become one. */
static void node_dims(const blo_block *b, node *n)
{
  n->n_dims = b->n_dims < NODE_DIMS ? b->n_dims : NODE_DIMS;
  for (int k = 0; k < n->n_dims; k++) {
    n->dim[k] = b->dim[k];
  }
  n->dim[NODE_DIMS - 1] *= b->n_dims > NODE_DIMS ? b->dim[NODE_DIMS] : 1;
}

blo_node blo_graph_param(blo_graph *g, blo_owner owner, const char *name, int n_dims,
                         const blo_int *dim, blo_init init)
{
  blo_block b = {.owner = owner, .init = init};
  node n = {.type = &op_param, .global = true, .is_param = true};
  blo_status status;

  if (g->status != BLO_OK || !make_block(g, name, n_dims, dim, &b)) {
    return -1;
  }
  status = need_block(g, &b, &n.block);
  if (status != BLO_OK) {
    return graph_refuse(g, status, "%s", blo_error_text(g->ctx));
  }
  n.n = b.n;
  node_dims(&b, &n);
  n.on_x = owner == BLO_IN_X;
  n.on_y = owner == BLO_IN_Y;
  return graph_add(g, &n);
}

blo_node blo_graph_param_again(blo_graph *g, const char *name)
{
  const blo_block *b = blo_params_find(g->params, name);

  if (b == NULL) {
    return graph_refuse(g, BLO_E_UNSUPPORTED, "there is no parameter '%s'", name);
  }
  return blo_graph_param(g, b->owner, b->name, b->n_dims, b->dim, b->init);
}

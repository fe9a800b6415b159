/** @file Oracles of the softmax classifier; the formulas are in softmax.h. */
#include "softmax.h"
#include "likeliest.h"
#include <math.h>
#include <string.h>

/** What one block of rows needs between the products with the data. */
typedef struct block {
  blo_int n, n_classes;
  blo_int row[BLO_BLOCK_ROWS];      /**< in the table */
  blo_int in_shard[BLO_BLOCK_ROWS]; /**< counted from the shard's first sample */
  double w[BLO_BLOCK_ROWS], dw[BLO_BLOCK_ROWS];
  const int32_t *label[BLO_BLOCK_ROWS];
  double *p[BLO_BLOCK_ROWS]; /**< [C] probabilities, then CE */
} block;

double softmax_sigmoid(double x)
{
  return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x));
}

/** z[C] becomes p, and z[C] (one past) CE of the label. */
static void probabilities(blo_int n_classes, int32_t label, double *z)
{
  double top = z[0], sum = 0, of_label;

  for (blo_int c = 1; c < n_classes; c++) {
    top = z[c] > top ? z[c] : top;
  }
  of_label = z[label] - top;
  for (blo_int c = 0; c < n_classes; c++) {
    z[c] = exp(z[c] - top);
    sum += z[c];
  }
  for (blo_int c = 0; c < n_classes; c++) {
    z[c] /= sum;
  }
  z[n_classes] = log(sum) - of_label;
}

/** Rows first..first+n of the task, their weights, and where their p is kept. */
static void open_block(const softmax *m, const blo_shard_task *task, bool weighted, blo_int first,
                       double *store, block *b)
{
  blo_int offset = blo_set_offset(m->set, task->shard), left = task->n_rows - first;
  blo_int stride = softmax_cache_size(b->n_classes);

  b->n = left < BLO_BLOCK_ROWS ? left : BLO_BLOCK_ROWS;
  for (blo_int i = 0; i < b->n; i++) {
    b->in_shard[i] = task->row != NULL ? task->row[first + i] : first + i;
    b->row[i] = offset + b->in_shard[i];
    b->w[i] = weighted ? softmax_sigmoid(task->x[b->in_shard[i]]) : 1;
    b->dw[i] = b->w[i] * (1 - b->w[i]);
    b->label[i] = m->set->own->label + b->row[i];
    b->p[i] = task->cache != NULL ? task->cache + (first + i) * stride : store + i * stride;
  }
}

/** z = y a for the rows of the block, then p and CE. */
static void link_block(const softmax *m, const block *b, double *z)
{
  size_t bytes = (size_t)b->n_classes * sizeof *z;

  blo_features_forward(&m->features, b->row, b->n, m->packed_y, z);
  for (blo_int i = 0; i < b->n; i++) {
    memcpy(b->p[i], z + i * b->n_classes, bytes);
    probabilities(b->n_classes, *b->label[i], b->p[i]);
  }
}

static void add_value(const block *b, double scale, double *value)
{
  for (blo_int i = 0; i < b->n; i++) {
    *value += scale * b->w[i] * b->p[i][b->n_classes];
  }
}

static void add_grad_x(double scale, const block *b, double *gx)
{
  for (blo_int i = 0; i < b->n; i++) {
    gx[b->in_shard[i]] += scale * b->dw[i] * b->p[i][b->n_classes];
  }
}

/** r = scale w (p - e), then its product with the features. */
static void add_grad_y(const softmax *m, double scale, const block *b, double *r, double *gy)
{
  for (blo_int i = 0; i < b->n; i++) {
    double s = scale * b->w[i], *to = r + i * b->n_classes;
    for (blo_int c = 0; c < b->n_classes; c++) {
      to[c] = s * b->p[i][c];
    }
    to[*b->label[i]] -= s;
  }
  blo_features_adjoint(&m->features, b->row, b->n, r, gy);
}

static double dot(blo_int n, const double *a, const double *b)
{
  double sum = 0;

  for (blo_int c = 0; c < n; c++) {
    sum += a[c] * b[c];
  }
  return sum;
}

/** u = v a of one row becomes weight (p o u - p (p . u)). Returns (p - e_label) . u. */
static double tangent(blo_int n_classes, const double *restrict p, int32_t label, double weight,
                      double *restrict u)
{
  double pu = dot(n_classes, p, u), slope = pu - u[label];

  for (blo_int c = 0; c < n_classes; c++) {
    u[c] = weight * p[c] * (u[c] - pu);
  }
  return slope;
}

/** The tangents of row i in n directions: u [n][C]; J v goes to jv[n] if they are not NULL. */
static void add_tangents(const block *b, blo_int i, double scale, blo_int n, double *u,
                         double *const *jv)
{
  double weight = scale * b->w[i], weight_x = scale * b->dw[i];

  for (blo_int d = 0; d < n; d++) {
    double slope = tangent(b->n_classes, b->p[i], *b->label[i], weight, u + d * b->n_classes);
    if (jv[d] != NULL) {
      jv[d][b->in_shard[i]] += weight_x * slope;
    }
  }
}

/** Directions whose products with a block of rows have room on the stack. */
static blo_int group_of(const softmax *m, blo_int n_left)
{
  blo_int most = SOFTMAX_MAX_CLASSES / m->features.n_classes;

  return n_left < most ? n_left : most;
}

/** Where the weights of the group that begins with this direction are. */
static blo_int packed_offset(const softmax *m, blo_int direction)
{
  return direction * blo_features_packed_size(&m->features);
}

void softmax_pack_directions(const softmax *m, blo_int n_v, const double *const *v, double *packed)
{
  for (blo_int d = 0, n = 0; d < n_v; d += n) {
    n = group_of(m, n_v - d);
    blo_features_pack_many(&m->features, n, v + d, packed + packed_offset(m, d));
  }
}

/** Directions d..d+n with one block; u [rows][n][C]. */
static void add_group(const softmax *m, double scale, const block *b, blo_int d, blo_int n,
                      double *u, const blo_shard_out *out)
{
  blo_features_forward_many(&m->features, n, b->row, b->n, m->packed_v + packed_offset(m, d), u);
  for (blo_int i = 0; i < b->n; i++) {
    add_tangents(b, i, scale, n, u + i * n * b->n_classes, out->jv + d);
  }
  if (out->hv[0] != NULL) {
    blo_features_adjoint_many(&m->features, n, b->row, b->n, u, out->hv + d);
  }
}

static void add_products(const softmax *m, const blo_shard_task *task, const block *b, double *u,
                         const blo_shard_out *out)
{
  for (blo_int d = 0, n = 0; d < task->n_v; d += n) {
    n = group_of(m, task->n_v - d);
    add_group(m, task->scale, b, d, n, u, out);
  }
}

void softmax_shard(const softmax *m, const blo_shard_task *task, bool weighted,
                   const blo_shard_out *out)
{
  double store[BLO_BLOCK_ROWS * (SOFTMAX_MAX_CLASSES + 1)];
  double z[BLO_BLOCK_ROWS * SOFTMAX_MAX_CLASSES];
  block b = {.n_classes = m->features.n_classes};

  for (blo_int first = 0; first < task->n_rows; first += b.n) {
    open_block(m, task, weighted, first, store, &b);
    if (!task->linearized) {
      link_block(m, &b, z);
    }
    if (out->value != NULL) {
      add_value(&b, task->scale, out->value);
    }
    if (out->gx != NULL) {
      add_grad_x(task->scale, &b, out->gx);
    }
    if (out->gy != NULL) {
      add_grad_y(m, task->scale, &b, z, out->gy);
    }
    if (out->hv[0] != NULL || out->jv[0] != NULL) {
      add_products(m, task, &b, z, out);
    }
  }
}

void softmax_score(const softmax *m, blo_int shard, double *sums)
{
  double store[BLO_BLOCK_ROWS * (SOFTMAX_MAX_CLASSES + 1)];
  double z[BLO_BLOCK_ROWS * SOFTMAX_MAX_CLASSES];
  block b = {.n_classes = m->features.n_classes};
  blo_shard_task task = {
      .shard = shard, .n_rows = blo_set_offset(m->set, shard + 1) - blo_set_offset(m->set, shard)};

  for (blo_int first = 0; first < task.n_rows; first += b.n) {
    open_block(m, &task, false, first, store, &b);
    link_block(m, &b, z);
    for (blo_int i = 0; i < b.n; i++) {
      sums[0] += b.p[i][b.n_classes];
      sums[1] += likeliest(b.n_classes, b.p[i]) == *b.label[i];
    }
  }
}

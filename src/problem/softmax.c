/** @file Oracles of the softmax classifier; the formulas are in softmax.h. */
#include "softmax.h"
#include "likeliest.h"
#include <math.h>
#include <string.h>

/** What one block of rows needs between the products with the data. */
typedef struct block {
  blo_int n, n_classes;
  blo_int row[BLO_BLOCK_ROWS]; /**< in the table */
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
    blo_int in_shard = task->row != NULL ? task->row[first + i] : first + i;
    b->row[i] = offset + in_shard;
    b->w[i] = weighted ? softmax_sigmoid(task->x[in_shard]) : 1;
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

/** First row of the block, counted from the shard's first sample. */
static blo_int in_shard(const softmax *m, const blo_shard_task *task, const block *b, blo_int i)
{
  return b->row[i] - blo_set_offset(m->set, task->shard);
}

static void add_grad_x(const softmax *m, const blo_shard_task *task, const block *b, double *gx)
{
  for (blo_int i = 0; i < b->n; i++) {
    gx[in_shard(m, task, b, i)] += task->scale * b->dw[i] * b->p[i][b->n_classes];
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

/** u = v a is in `u`; H v overwrites it with scale w (p o u - p (p . u)). */
static void add_products(const softmax *m, const blo_shard_task *task, const block *b, double *u,
                         const blo_shard_out *out)
{
  blo_features_forward(&m->features, b->row, b->n, m->packed_v, u);
  for (blo_int i = 0; i < b->n; i++) {
    double *ui = u + i * b->n_classes, pu = dot(b->n_classes, b->p[i], ui);
    if (out->jv[0] != NULL) {
      out->jv[0][in_shard(m, task, b, i)] += task->scale * b->dw[i] * (pu - ui[*b->label[i]]);
    }
    for (blo_int c = 0; c < b->n_classes; c++) {
      ui[c] = task->scale * b->w[i] * b->p[i][c] * (ui[c] - pu);
    }
  }
  if (out->hv[0] != NULL) {
    blo_features_adjoint(&m->features, b->row, b->n, u, out->hv[0]);
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
      add_grad_x(m, task, &b, out->gx);
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

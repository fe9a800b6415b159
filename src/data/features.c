/**
 * @file
 * Products with the rows of a table: what does not depend on the processor. The scaling
 * a' = (a - shift) * scale is a linear map of weights and gradients, so it is applied to them:
 *
 *     W_c . a' + b_c = W'_c . a + b'_c,   W'_ck = W_ck scale_k,   b'_c = b_c - sum_k W'_ck shift_k
 *
 * and a packed gradient holds the raw sums sum_i R[i][c] a_i and s_c = sum_i R[i][c].
 *
 * Packed, dense: [C][ld] weights, zero beyond n_features, then [C] biases.
 * Packed, sparse: [n_features + 1][ld], the classes side by side, the last row the biases.
 *
 * The weights of several vectors are packed as one vector with the classes of all of them. Their
 * gradients are apart, each packed as its own.
 */
#include "kernel.h"

#include <math.h>
#include <string.h>

static blo_int round_up(blo_int n, blo_int multiple)
{
  return (n + multiple - 1) / multiple * multiple;
}

void blo_features_init(blo_features *f, const blo_table *table, const blo_scaling *scaling,
                       blo_int n_classes, int isa)
{
  BLO_BUG_IF(isa < 0 || isa >= BLO_ISA_COUNT || !blo_kernel_of(isa), "no kernel family %d", isa);
  BLO_BUG_IF(n_classes < 1, "%lld classes", (long long)n_classes);
  BLO_BUG_IF(table->storage == BLO_I32, "tokens have no products");
  *f = (blo_features){
      .table = table,
      .scaling = scaling,
      .n_classes = n_classes,
      .ld = table->sparse ? round_up(n_classes, 2) : round_up(table->n_features, BLO_OCTET),
      .isa = isa,
  };
}

/** The view with the classes of `n_vectors` vectors. */
static blo_features side_by_side(const blo_features *f, blo_int n_vectors)
{
  blo_features all;

  blo_features_init(&all, f->table, f->scaling, n_vectors * f->n_classes, f->isa);
  return all;
}

blo_int blo_features_packed_size(const blo_features *f)
{
  return f->table->sparse ? (f->table->n_features + 1) * f->ld : f->n_classes * (f->ld + 1);
}

/** Where weights and biases of a packed vector are: weight (c, k) at c * by_class + k * by_feature,
 *  bias c at bias + c. */
typedef struct layout {
  blo_int by_class, by_feature, bias;
} layout;

static layout packed_layout(const blo_features *f)
{
  if (f->table->sparse) {
    return (layout){.by_class = 1, .by_feature = f->ld, .bias = f->table->n_features * f->ld};
  }
  return (layout){.by_class = f->ld, .by_feature = 1, .bias = f->n_classes * f->ld};
}

/* Features copied for one class before the next: bounds the memory that a transposition touches. */
enum { STRIP = 256 };

static blo_int strip_end(const blo_features *f, blo_int begin)
{
  blo_int n = f->table->n_features;
  return begin + STRIP < n ? begin + STRIP : n;
}

static double scale_of(const blo_features *f, blo_int k)
{
  return f->scaling ? f->scaling->scale[k] : 1;
}

/** b - sum_k W_k scale_k shift_k, with the summation of Neumaier, ZAMM 54, 1974: the terms are
 * large and cancel later if means are large against standard deviations. */
static double packed_bias(const blo_features *f, const double *y)
{
  blo_int n = f->table->n_features;
  double sum = y[n], lost = 0;

  for (blo_int k = 0; f->scaling && k < n; k++) {
    double term = -(y[k] * f->scaling->scale[k]) * f->scaling->shift[k];
    double next = sum + term;
    lost += fabs(sum) >= fabs(term) ? (sum - next) + term : (term - next) + sum;
    sum = next;
  }
  return sum + lost;
}

/** The weights of one vector, to where its first class has its own. */
static void pack_weights(const blo_features *f, layout at, const double *y, double *weight)
{
  blo_int n = f->table->n_features;

  for (blo_int begin = 0; begin < n; begin += STRIP) {
    for (blo_int c = 0; c < f->n_classes; c++) {
      for (blo_int k = begin; k < strip_end(f, begin); k++) {
        weight[c * at.by_class + k * at.by_feature] = y[c * (n + 1) + k] * scale_of(f, k);
      }
    }
  }
}

void blo_features_pack_many(const blo_features *f, blo_int n_vectors, const double *const *y,
                            double *packed)
{
  blo_features all = side_by_side(f, n_vectors);
  layout at = packed_layout(&all);
  blo_int n_ext = f->table->n_features + 1;

  memset(packed, 0, (size_t)blo_features_packed_size(&all) * sizeof *packed);
  for (blo_int v = 0; v < n_vectors; v++) {
    blo_int first = v * f->n_classes;
    pack_weights(f, at, y[v], packed + first * at.by_class);
    for (blo_int c = 0; c < f->n_classes; c++) {
      packed[at.bias + first + c] = packed_bias(f, y[v] + c * n_ext);
    }
  }
}

void blo_features_pack(const blo_features *f, const double *y, double *packed)
{
  blo_features_pack_many(f, 1, &y, packed);
}

void blo_features_unpack(const blo_features *f, const double *packed, double *y)
{
  layout at = packed_layout(f);
  blo_int n = f->table->n_features;

  for (blo_int begin = 0; begin < n; begin += STRIP) {
    for (blo_int c = 0; c < f->n_classes; c++) {
      double sum = packed[at.bias + c];
      for (blo_int k = begin; k < strip_end(f, begin); k++) {
        double shift = f->scaling ? f->scaling->shift[k] : 0;
        double raw = packed[c * at.by_class + k * at.by_feature];
        y[c * (n + 1) + k] = (raw - sum * shift) * scale_of(f, k);
      }
    }
  }
  for (blo_int c = 0; c < f->n_classes; c++) {
    y[c * (n + 1) + n] = packed[at.bias + c];
  }
}

static blo_dense_rows dense_rows(const blo_features *f, blo_int n_vectors, const blo_int *row,
                                 blo_int n)
{
  blo_dense_rows a = {
      .n = n, .ld = f->ld, .n_classes = n_vectors * f->n_classes, .per_vector = f->n_classes};
  size_t bytes = (size_t)f->table->ld * blo_storage_size(f->table->storage);

  for (blo_int i = 0; i < n; i++) {
    a.row[i] = (const char *)f->table->values + (size_t)row[i] * bytes;
  }
  /* rows in a run: the block behind this one is likely to come next */
  if (n > 0 && row[n - 1] - row[0] == n - 1 && row[n - 1] + n < f->table->n_rows) {
    a.ahead = n * (blo_int)bytes;
  }
  return a;
}

/** Numbers of a row of Z or R are `stride` from those of the row before. */
static blo_sparse_rows sparse_rows(const blo_features *f, const blo_int *row, blo_int n,
                                   blo_int stride)
{
  return (blo_sparse_rows){.table = f->table,
                           .row = row,
                           .n = n,
                           .ld = f->ld,
                           .n_classes = f->n_classes,
                           .stride = stride};
}

void blo_features_forward(const blo_features *f, const blo_int *row, blo_int n,
                          const double *packed, double *z)
{
  const blo_kernel *kernel = blo_kernel_of(f->isa);

  if (f->table->sparse) {
    blo_sparse_rows a = sparse_rows(f, row, n, f->n_classes);
    kernel->sparse_forward(&a, packed, z);
    return;
  }
  blo_dense_rows a = dense_rows(f, 1, row, n);
  const double *bias = packed + f->n_classes * f->ld;
  for (blo_int i = 0; i < n; i++) {
    memcpy(z + i * f->n_classes, bias, (size_t)f->n_classes * sizeof *z);
  }
  kernel->dense_forward[f->table->storage](&a, packed, z);
}

void blo_features_forward_many(const blo_features *f, blo_int n_vectors, const blo_int *row,
                               blo_int n, const double *packed, double *z)
{
  blo_features all = side_by_side(f, n_vectors);

  blo_features_forward(&all, row, n, packed, z);
}

/** bias += sum_i r_i, for one vector; rows of r are `stride` apart. */
static void add_biases(blo_int n_classes, blo_int n, const double *r, blo_int stride, double *bias)
{
  for (blo_int c = 0; c < n_classes; c++) {
    double sum = bias[c];
    for (blo_int i = 0; i < n; i++) {
      sum += r[i * stride + c];
    }
    bias[c] = sum;
  }
}

void blo_features_adjoint_many(const blo_features *f, blo_int n_vectors, const blo_int *row,
                               blo_int n, const double *r, double *const *packed)
{
  const blo_kernel *kernel = blo_kernel_of(f->isa);
  blo_int stride = n_vectors * f->n_classes;

  if (f->table->sparse) {
    blo_sparse_rows a = sparse_rows(f, row, n, stride);
    kernel->sparse_adjoint(&a, r, n_vectors, packed);
    return;
  }
  blo_dense_rows a = dense_rows(f, n_vectors, row, n);
  for (blo_int v = 0; v < n_vectors; v++) {
    add_biases(f->n_classes, n, r + v * f->n_classes, stride, packed[v] + f->n_classes * f->ld);
  }
  kernel->dense_adjoint[f->table->storage](&a, r, packed);
}

void blo_features_adjoint(const blo_features *f, const blo_int *row, blo_int n, const double *r,
                          double *packed)
{
  blo_features_adjoint_many(f, 1, row, n, r, &packed);
}

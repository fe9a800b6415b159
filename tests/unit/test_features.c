/**
 * @file
 * Products with features against naive loops in long double, for all kernel families that this
 * processor has; and the identities and bit rules that the rest of ParBLO relies on.
 * ranks: 1 2
 */
#include <blo/data.h>
#include <blo/random.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

enum { N_ROWS = 9, SPARSE = 3 /* after the dense storages */, N_KINDS };

/* Gaps (row 4 is missing), repeats and no order. */
static const blo_int rows[BLO_BLOCK_ROWS] = {3, 0, 8, 8, 1, 7, 2, 5, 6, 0, 3, 8, 1, 2, 5, 7};

typedef struct fixture {
  blo_context *ctx;
  blo_table *table;
  blo_scaling scaling;
  blo_features f;
  blo_int n_y, n_packed;
  double *y;      /* [C][n_features + 1] random weights */
  double *packed; /* [n_packed] the same, packed */
  double *g;      /* [n_packed + 1] gradient, and a number that nobody may touch */
  double *back;   /* [C][n_features + 1] */
  double *z, *r;  /* [BLO_BLOCK_ROWS][C] */
} fixture;

static const double untouched = 4711;

/** Number `index` of a family of random numbers, within +-1. */
static double random_number(uint64_t family, blo_int index)
{
  blo_stream stream = {.seed = 1, .purpose = BLO_PURPOSE_TEST};
  return 2 * blo_stream_uniform(stream, family, 0, (uint64_t)index) - 1;
}

static double *make(fixture *x, blo_int n)
{
  double *a = NULL;
  BLO_REQUIRE_STATUS(blo_alloc(x->ctx, n, sizeof *a, &a), BLO_OK);
  return a;
}

static double *make_random(fixture *x, uint64_t family, blo_int n)
{
  double *a = make(x, n);
  for (blo_int i = 0; i < n; i++) {
    a[i] = random_number(family, i);
  }
  return a;
}

static void fill_dense(blo_table *t)
{
  for (blo_int i = 0; i < t->n_rows; i++) {
    for (blo_int k = 0; k < t->n_features; k++) {
      double value = random_number(2, i * t->n_features + k);
      blo_int at = i * t->ld + k;
      if (t->storage == BLO_U8) {
        ((uint8_t *)t->values)[at] = (uint8_t)(127.5 * (value + 1));
      } else if (t->storage == BLO_F32) {
        ((float *)t->values)[at] = (float)value;
      } else {
        ((double *)t->values)[at] = value;
      }
    }
  }
}

/** Two of five entries; row 7 is empty. */
static void fill_sparse(blo_table *t)
{
  for (blo_int i = 0; i < t->n_rows; i++) {
    blo_int at = t->row_start[i];
    for (blo_int k = 0; k < t->n_features && i != 7; k++) {
      double value = random_number(2, i * t->n_features + k);
      if (value < -0.2) {
        ((double *)t->values)[at] = value;
        t->column[at++] = (int32_t)k;
      }
    }
    t->row_start[i + 1] = at;
  }
}

static blo_table *make_table(fixture *x, int kind, blo_int n_features)
{
  blo_table *t = NULL;
  blo_int ld = (n_features + 7) / 8 * 8;

  BLO_REQUIRE_STATUS(blo_alloc(x->ctx, 1, sizeof *t, &t), BLO_OK);
  *t = (blo_table){.n_rows = N_ROWS, .n_features = n_features, .storage = BLO_F64, .ld = ld};
  if (kind == SPARSE) {
    t->sparse = true;
    t->values = make(x, N_ROWS * n_features);
    BLO_REQUIRE_STATUS(blo_alloc(x->ctx, N_ROWS + 1, sizeof *t->row_start, &t->row_start), BLO_OK);
    BLO_REQUIRE_STATUS(blo_alloc(x->ctx, N_ROWS * n_features, sizeof *t->column, &t->column),
                       BLO_OK);
    fill_sparse(t);
  } else {
    t->storage = (blo_storage)kind;
    BLO_REQUIRE_STATUS(blo_alloc(x->ctx, N_ROWS * ld, blo_storage_size(t->storage), &t->values),
                       BLO_OK);
    fill_dense(t);
  }
  return t;
}

static void setup(fixture *x, blo_comm *comm, int kind, blo_int n_features, blo_int n_classes,
                  int isa, bool scaled)
{
  *x = (fixture){.ctx = blo_comm_context(comm)};
  x->table = make_table(x, kind, n_features);
  x->scaling = (blo_scaling){.n_features = n_features,
                             .shift = make_random(x, 3, n_features),
                             .scale = make_random(x, 4, n_features)};
  blo_features_init(&x->f, x->table, scaled ? &x->scaling : NULL, n_classes, isa);
  x->n_y = n_classes * (n_features + 1);
  x->n_packed = blo_features_packed_size(&x->f);
  x->y = make_random(x, 5, x->n_y);
  x->packed = make(x, x->n_packed);
  x->g = make(x, x->n_packed + 1);
  x->g[x->n_packed] = untouched;
  x->back = make(x, x->n_y);
  x->z = make(x, BLO_BLOCK_ROWS * n_classes);
  x->r = make_random(x, 6, BLO_BLOCK_ROWS * n_classes);
  blo_features_pack(&x->f, x->y, x->packed);
}

static void teardown(fixture *x)
{
  double **const owned[] = {
      &x->scaling.shift, &x->scaling.scale, &x->y, &x->packed, &x->g, &x->back, &x->z, &x->r};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) {
    blo_free(x->ctx, owned[i]);
  }
  blo_table_destroy(x->ctx, &x->table);
}

/** Entry k of row i, by looking it up. */
static double entry(const blo_table *t, blo_int i, blo_int k)
{
  if (t->sparse) {
    for (blo_int j = t->row_start[i]; j < t->row_start[i + 1]; j++) {
      if (t->column[j] == k) {
        return ((const double *)t->values)[j];
      }
    }
    return 0;
  }
  if (t->storage == BLO_U8) {
    return ((const uint8_t *)t->values)[i * t->ld + k];
  }
  if (t->storage == BLO_F32) {
    return (double)((const float *)t->values)[i * t->ld + k];
  }
  return ((const double *)t->values)[i * t->ld + k];
}

/** a'_ik, with a'_i,n_features = 1; `size` is what its rounding errors are relative to. */
static long double extended(const fixture *x, blo_int i, blo_int k, long double *size)
{
  *size = 1;
  if (k == x->table->n_features) {
    return 1;
  }
  long double shift = x->f.scaling ? (long double)x->scaling.shift[k] : 0;
  long double scale = x->f.scaling ? (long double)x->scaling.scale[k] : 1;
  long double a = (long double)entry(x->table, i, k);
  *size = (fabsl(a) + fabsl(shift)) * fabsl(scale);
  return (a - shift) * scale;
}

/** Z[i][c] by its definition; `sizes` is the sum of the sizes of the terms. */
static long double exact_z(const fixture *x, blo_int i, blo_int c, long double *sizes)
{
  blo_int n_ext = x->table->n_features + 1;
  long double sum = 0, size;

  *sizes = LDBL_MIN;
  for (blo_int k = 0; k < n_ext; k++) {
    long double weight = (long double)x->y[c * n_ext + k];
    sum += weight * extended(x, rows[i], k, &size);
    *sizes += fabsl(weight) * size;
  }
  return sum;
}

/** G[c][k] by its definition, of the first n rows. */
static long double exact_g(const fixture *x, blo_int n, blo_int c, blo_int k, long double *sizes)
{
  long double sum = 0, size;

  *sizes = LDBL_MIN;
  for (blo_int i = 0; i < n; i++) {
    long double factor = (long double)x->r[i * x->f.n_classes + c];
    sum += factor * extended(x, rows[i], k, &size);
    *sizes += fabsl(factor) * size;
  }
  return sum;
}

/** How far a result is from the truth. */
typedef struct deviation {
  double of_terms; /* largest error relative to the sizes of its terms */
  double of_all;   /* largest error relative to the largest result */
} deviation;

static void take_in(deviation *d, double got, long double want, long double sizes, double *largest)
{
  double error = (double)fabsl((long double)got - want);
  d->of_terms = fmax(d->of_terms, error / (double)sizes);
  d->of_all = fmax(d->of_all, error);
  *largest = fmax(*largest, (double)fabsl(want));
}

static deviation forward_deviation(const fixture *x, blo_int n)
{
  deviation d = {0};
  double largest = DBL_MIN;
  long double sizes;

  for (blo_int i = 0; i < n; i++) {
    for (blo_int c = 0; c < x->f.n_classes; c++) {
      long double want = exact_z(x, i, c, &sizes);
      take_in(&d, x->z[i * x->f.n_classes + c], want, sizes, &largest);
    }
  }
  d.of_all /= largest;
  return d;
}

static deviation adjoint_deviation(const fixture *x, blo_int n)
{
  blo_int n_ext = x->table->n_features + 1;
  deviation d = {0};
  double largest = DBL_MIN;
  long double sizes;

  for (blo_int c = 0; c < x->f.n_classes; c++) {
    for (blo_int k = 0; k < n_ext; k++) {
      long double want = exact_g(x, n, c, k, &sizes);
      take_in(&d, x->back[c * n_ext + k], want, sizes, &largest);
    }
  }
  d.of_all /= largest;
  return d;
}

typedef void check_fn(fixture *x, blo_comm *comm);

static blo_int next_n_features(blo_int n)
{
  return n < 20 ? n + 1 : n == 20 ? 64 : n == 64 ? 785 : 0;
}

static blo_int next_n_classes(blo_int n)
{
  return n < 13 ? n + 1 : n == 13 ? 20 : n == 20 ? 43 : 0;
}

/** All storages and all shapes, with and without scaling. */
static void over_all_shapes(blo_comm *comm, int isa, check_fn *check)
{
  for (int kind = 0; kind < N_KINDS; kind++) {
    for (blo_int d = 1; d != 0; d = next_n_features(d)) {
      for (blo_int c = 1; c != 0; c = next_n_classes(c)) {
        fixture x;
        setup(&x, comm, kind, d, c, isa, (c + d) % 3 != 0);
        check(&x, comm);
        teardown(&x);
      }
    }
  }
}

/* With at most 785 terms, added in 8 strands, 98 roundings are the most that meet one term. */
#define ROUNDING (110 * DBL_EPSILON)

/* Assertions talk to the other ranks, so they are for what fails only; all ranks fail alike. */
#define EXPECT_SMALL(x, error, bound)                                                              \
  do {                                                                                             \
    double error_ = (error);                                                                       \
    if (!(error_ <= (bound))) {                                                                    \
      BLO_EXPECT_MSG(false,                                                                        \
                     "%s is %.3g, above %.3g: %s, storage %d%s, %lld features, %lld classes",      \
                     #error, error_, (double)(bound), blo_isa_name((x)->f.isa),                    \
                     (int)(x)->table->storage, (x)->table->sparse ? " sparse" : "",                \
                     (long long)(x)->table->n_features, (long long)(x)->f.n_classes);              \
    }                                                                                              \
  } while (0)

/** Places of a gradient that stand for no weight (where the random weights are zero) stay zero, and
 *  what is behind it is not touched. */
static bool padding_is_clean(const fixture *x)
{
  for (blo_int i = 0; i < x->n_packed; i++) {
    if (x->packed[i] == 0 && x->g[i] != 0) {
      return false;
    }
  }
  return x->g[x->n_packed] == untouched;
}

static void check_products(fixture *x, blo_comm *comm)
{
  blo_int n = 1 + (x->f.n_classes * 7 + x->table->n_features) % BLO_BLOCK_ROWS;
  (void)comm;

  blo_features_forward(&x->f, rows, n, x->packed, x->z);
  EXPECT_SMALL(x, forward_deviation(x, n).of_terms, ROUNDING);
  blo_features_adjoint(&x->f, rows, n, x->r, x->g);
  blo_features_unpack(&x->f, x->g, x->back);
  EXPECT_SMALL(x, adjoint_deviation(x, n).of_terms, ROUNDING);
  EXPECT_SMALL(x, padding_is_clean(x) ? 0 : 1, 0);
}

static void over_families(blo_comm *comm, check_fn *check)
{
  int best = blo_isa_agree(comm);
  for (int isa = 0; isa <= best; isa++) {
    over_all_shapes(comm, isa, check);
  }
  BLO_EXPECT_ALL(best >= 0);
}

static void products_match_their_definition(blo_comm *comm)
{
  over_families(comm, check_products);
}

static long double dot(blo_int n, const double *a, const double *b, long double *size)
{
  long double sum = 0;
  for (blo_int i = 0; i < n; i++) {
    sum += (long double)a[i] * (long double)b[i];
    *size += fabsl((long double)a[i] * (long double)b[i]);
  }
  return sum;
}

/** |<a, b> - <c, d>| relative to the sums of absolute values. */
static double dots_differ(blo_int n_ab, const double *a, const double *b, blo_int n_cd,
                          const double *c, const double *d)
{
  long double size = LDBL_MIN;
  long double left = dot(n_ab, a, b, &size);
  long double right = dot(n_cd, c, d, &size);
  return (double)(fabsl(left - right) / size);
}

/** <Z(y), R> = <y, G(R)>. */
static void check_adjoint(fixture *x, blo_comm *comm)
{
  (void)comm;
  blo_features_forward(&x->f, rows, BLO_BLOCK_ROWS, x->packed, x->z);
  blo_features_adjoint(&x->f, rows, BLO_BLOCK_ROWS, x->r, x->g);
  blo_features_unpack(&x->f, x->g, x->back);
  EXPECT_SMALL(x, dots_differ(BLO_BLOCK_ROWS * x->f.n_classes, x->z, x->r, x->n_y, x->y, x->back),
               ROUNDING);
}

static void adjoint_is_the_transpose(blo_comm *comm)
{
  over_families(comm, check_adjoint);
}

/** <pack(y), g> = <y, unpack(g)> for any g. */
static void check_pack(fixture *x, blo_comm *comm)
{
  (void)comm;
  for (blo_int i = 0; i < x->n_packed; i++) {
    x->g[i] = random_number(7, i);
  }
  blo_features_unpack(&x->f, x->g, x->back);
  EXPECT_SMALL(x, dots_differ(x->n_packed, x->packed, x->g, x->n_y, x->y, x->back),
               8 * DBL_EPSILON);
}

static void unpack_is_the_transpose_of_pack(blo_comm *comm)
{
  over_all_shapes(comm, 0, check_pack);
  BLO_EXPECT_ALL(true);
}

static bool same_bits(const double *a, const double *b, blo_int n)
{
  return memcmp(a, b, (size_t)n * sizeof *a) == 0;
}

/** Rows in calls of at most `most`: the bits of Z and G are those of one call. */
static bool grouping_keeps_bits(fixture *x, const double *z, const double *g, blo_int most)
{
  memset(x->z, 0, (size_t)(BLO_BLOCK_ROWS * x->f.n_classes) * sizeof *x->z);
  memset(x->g, 0, (size_t)x->n_packed * sizeof *x->g);
  for (blo_int i = 0; i < BLO_BLOCK_ROWS; i += most) {
    blo_int n = BLO_BLOCK_ROWS - i < most ? BLO_BLOCK_ROWS - i : most;
    blo_features_forward(&x->f, rows + i, n, x->packed, x->z + i * x->f.n_classes);
    blo_features_adjoint(&x->f, rows + i, n, x->r + i * x->f.n_classes, x->g);
  }
  return same_bits(x->z, z, BLO_BLOCK_ROWS * x->f.n_classes) && same_bits(x->g, g, x->n_packed);
}

static void check_grouping(fixture *x, blo_comm *comm)
{
  double *z = make(x, BLO_BLOCK_ROWS * x->f.n_classes);
  double *g = make(x, x->n_packed);
  (void)comm;

  blo_features_forward(&x->f, rows, BLO_BLOCK_ROWS, x->packed, z);
  blo_features_adjoint(&x->f, rows, BLO_BLOCK_ROWS, x->r, g);
  for (blo_int most = 1; most < BLO_BLOCK_ROWS; most++) {
    EXPECT_SMALL(x, grouping_keeps_bits(x, z, g, most) ? 0 : 1, 0);
  }
  blo_free(x->ctx, &z);
  blo_free(x->ctx, &g);
}

static void bits_do_not_depend_on_grouping(blo_comm *comm)
{
  over_families(comm, check_grouping);
}

/* Vectors with weights, multipliers and gradients of their own, and their products side by side. */
enum { MANY = 8 };
typedef struct many {
  blo_int n;
  const double *y[MANY]; /* [n_y] each */
  double *g[MANY];       /* [n_packed + 1] each, a number behind it that nobody may touch */
  double *packed;        /* [n * n_packed + 1] likewise */
  double *z, *r;         /* [BLO_BLOCK_ROWS][n][C] */
} many;

static void make_many(fixture *x, blo_int n, many *m)
{
  blo_int n_z = BLO_BLOCK_ROWS * n * x->f.n_classes;

  *m = (many){.n = n, .packed = make(x, n * x->n_packed + 1), .z = make(x, n_z)};
  m->packed[n * x->n_packed] = untouched;
  m->r = make_random(x, 8, n_z);
  for (blo_int v = 0; v < n; v++) {
    m->y[v] = make_random(x, 10 + (uint64_t)v, x->n_y);
    m->g[v] = make(x, x->n_packed + 1);
    m->g[v][x->n_packed] = untouched;
  }
}

static void free_many(fixture *x, many *m)
{
  for (blo_int v = 0; v < m->n; v++) {
    blo_free(x->ctx, &m->y[v]);
    blo_free(x->ctx, &m->g[v]);
  }
  blo_free(x->ctx, &m->packed);
  blo_free(x->ctx, &m->z);
  blo_free(x->ctx, &m->r);
}

/** Vector v alone, in one call for all rows: the bits are those that it has among the others. */
static bool alone_is_the_same(fixture *x, const many *m, blo_int v)
{
  blo_int n_classes = x->f.n_classes, width = m->n * n_classes;
  bool same = true;

  for (blo_int i = 0; i < BLO_BLOCK_ROWS; i++) {
    memcpy(x->r + i * n_classes, m->r + i * width + v * n_classes,
           (size_t)n_classes * sizeof *x->r);
  }
  memset(x->g, 0, (size_t)x->n_packed * sizeof *x->g);
  blo_features_pack(&x->f, m->y[v], x->packed);
  blo_features_forward(&x->f, rows, BLO_BLOCK_ROWS, x->packed, x->z);
  blo_features_adjoint(&x->f, rows, BLO_BLOCK_ROWS, x->r, x->g);
  for (blo_int i = 0; i < BLO_BLOCK_ROWS; i++) {
    same = same && same_bits(x->z + i * n_classes, m->z + i * width + v * n_classes, n_classes);
  }
  return same && same_bits(x->g, m->g[v], x->n_packed + 1);
}

static void check_many(fixture *x, blo_comm *comm)
{
  enum { FIRST = 5 }; /* rows of a first call */
  blo_int width, rest = BLO_BLOCK_ROWS - FIRST;
  many m;
  (void)comm;

  make_many(x, 1 + (x->f.n_classes + x->table->n_features) % MANY, &m);
  width = m.n * x->f.n_classes;
  blo_features_pack_many(&x->f, m.n, m.y, m.packed);
  blo_features_forward_many(&x->f, m.n, rows, FIRST, m.packed, m.z);
  blo_features_adjoint_many(&x->f, m.n, rows, FIRST, m.r, m.g);
  blo_features_forward_many(&x->f, m.n, rows + FIRST, rest, m.packed, m.z + FIRST * width);
  blo_features_adjoint_many(&x->f, m.n, rows + FIRST, rest, m.r + FIRST * width, m.g);
  EXPECT_SMALL(x, m.packed[m.n * x->n_packed] == untouched ? 0 : 1, 0);
  for (blo_int v = 0; v < m.n; v++) {
    EXPECT_SMALL(x, alone_is_the_same(x, &m, v) ? 0 : 1, 0);
  }
  free_many(x, &m);
}

static void several_vectors_have_the_bits_of_one(blo_comm *comm)
{
  over_families(comm, check_many);
}

/** x was made for AVX-512; the same products by AVX2. */
static void check_fused_families(fixture *x, blo_comm *comm)
{
  fixture other;

  setup(&other, comm, x->table->sparse ? SPARSE : (int)x->table->storage, x->table->n_features,
        x->f.n_classes, x->f.isa - 1, x->f.scaling != NULL);
  blo_features_forward(&x->f, rows, BLO_BLOCK_ROWS, x->packed, x->z);
  blo_features_adjoint(&x->f, rows, BLO_BLOCK_ROWS, x->r, x->g);
  EXPECT_SMALL(x, grouping_keeps_bits(&other, x->z, x->g, BLO_BLOCK_ROWS) ? 0 : 1, 0);
  teardown(&other);
}

static void avx2_and_avx512_give_the_same_bits(blo_comm *comm)
{
  int best = blo_isa_agree(comm);
  if (strcmp(blo_isa_name(best), "avx512") != 0) {
    blo_test_skip("the best family here is %s", blo_isa_name(best));
    return;
  }
  over_all_shapes(comm, best, check_fused_families);
  BLO_EXPECT_ALL(true);
}

/** Write the entries of a sparse fixture into a dense one. */
static void copy_entries(const blo_table *from, blo_table *to)
{
  for (blo_int i = 0; i < N_ROWS; i++) {
    for (blo_int k = 0; k < from->n_features; k++) {
      ((double *)to->values)[i * to->ld + k] = entry(from, i, k);
    }
  }
}

static void sparse_agrees_with_dense(blo_comm *comm)
{
  fixture sparse, dense;
  double worst = 0;

  setup(&sparse, comm, SPARSE, 100, 7, blo_isa_agree(comm), true);
  setup(&dense, comm, BLO_F64, 100, 7, blo_isa_agree(comm), true);
  copy_entries(sparse.table, dense.table);
  blo_features_forward(&sparse.f, rows, BLO_BLOCK_ROWS, sparse.packed, sparse.z);
  blo_features_forward(&dense.f, rows, BLO_BLOCK_ROWS, dense.packed, dense.z);
  for (blo_int i = 0; i < BLO_BLOCK_ROWS * 7; i++) {
    worst = fmax(worst, fabs(sparse.z[i] - dense.z[i]));
  }
  blo_features_adjoint(&sparse.f, rows, BLO_BLOCK_ROWS, sparse.r, sparse.g);
  blo_features_adjoint(&dense.f, rows, BLO_BLOCK_ROWS, dense.r, dense.g);
  blo_features_unpack(&sparse.f, sparse.g, sparse.back);
  blo_features_unpack(&dense.f, dense.g, dense.back);
  for (blo_int i = 0; i < dense.n_y; i++) {
    worst = fmax(worst, fabs(sparse.back[i] - dense.back[i]));
  }
  BLO_EXPECT_MSG(worst < 1e-13, "sparse and dense differ by %.3g", worst);
  teardown(&sparse);
  teardown(&dense);
}

/** Features of mean 1000 and standard deviation 1. */
static void make_means_large(fixture *x)
{
  blo_stream stream = {.seed = 2, .purpose = BLO_PURPOSE_TEST};
  blo_table *t = x->table;

  for (blo_int k = 0; k < t->n_features; k++) {
    for (blo_int i = 0; i < N_ROWS; i++) {
      ((double *)t->values)[i * t->ld + k] =
          1000 + blo_stream_normal(stream, (uint64_t)i, 0, (uint64_t)k);
    }
    x->scaling.shift[k] = 1000 + 0.1 * x->scaling.shift[k];
    x->scaling.scale[k] = 1 + 0.1 * x->scaling.scale[k];
  }
  blo_features_pack(&x->f, x->y, x->packed);
}

static void large_means_keep_twelve_digits(blo_comm *comm)
{
  fixture x;

  setup(&x, comm, BLO_F64, 785, 10, blo_isa_agree(comm), true);
  make_means_large(&x);
  blo_features_forward(&x.f, rows, BLO_BLOCK_ROWS, x.packed, x.z);
  EXPECT_SMALL(&x, forward_deviation(&x, BLO_BLOCK_ROWS).of_all, 1e-12);
  blo_features_adjoint(&x.f, rows, BLO_BLOCK_ROWS, x.r, x.g);
  blo_features_unpack(&x.f, x.g, x.back);
  EXPECT_SMALL(&x, adjoint_deviation(&x, BLO_BLOCK_ROWS).of_all, 1e-12);
  teardown(&x);
}

static void environment_lowers_the_family(blo_comm *comm)
{
  int best = blo_isa_agree(comm);

  if (blo_comm_rank(comm) == 0) {
    setenv("PARBLO_ISA", "plain", 1);
  }
  BLO_EXPECT_ALL(blo_isa_agree(comm) == 0);
  if (blo_comm_rank(comm) == 0) {
    setenv("PARBLO_ISA", "avx512", 1);
  }
  BLO_EXPECT_ALL(blo_isa_agree(comm) == best);
  unsetenv("PARBLO_ISA");
}

static const blo_test tests[] = {
    {"products match their definition", products_match_their_definition},
    {"adjoint is the transpose", adjoint_is_the_transpose},
    {"unpack is the transpose of pack", unpack_is_the_transpose_of_pack},
    {"bits do not depend on grouping", bits_do_not_depend_on_grouping},
    {"several vectors have the bits of one", several_vectors_have_the_bits_of_one},
    {"AVX2 and AVX-512 give the same bits", avx2_and_avx512_give_the_same_bits},
    {"sparse agrees with dense", sparse_agrees_with_dense},
    {"large means keep twelve digits", large_means_keep_twelve_digits},
    {"environment lowers the family", environment_lowers_the_family},
};
BLO_TEST_MAIN("features", tests)

/** @file Distributed dense matrices: life, entries, norms and products; see dense.h. */
#include "dense_private.h"
#include "scalapack.h"
#include <math.h>
#include <string.h>

/* ------------------------------------------------------------------- life */

/** The most entries that a rank has: the first one in the grid has them. */
static blo_int entries_most(const blo_grid *g, blo_int m, blo_int n)
{
  return axis_count(g->rows, 0, m) * axis_count(g->cols, 0, n);
}

static void describe(blo_dense *a)
{
  const blo_grid *g = a->grid;
  const int desc[DESC_SIZE] = {1, /* a dense matrix */
                               g->context,
                               (int)a->m,
                               (int)a->n,
                               (int)g->rows.block,
                               (int)g->cols.block,
                               0,
                               0,
                               (int)blo_larger(a->m_local, 1)};

  memcpy(a->desc, desc, sizeof desc);
}

static blo_status make(blo_grid *g, blo_int m, blo_int n, blo_dense **out)
{
  blo_dense *a;

  BLO_TRY(blo_alloc(g->ctx, 1, sizeof *a, out));
  a = *out;
  *a = (blo_dense){.grid = g,
                   .m = m,
                   .n = n,
                   .m_local = axis_count(g->rows, g->rows.me, m),
                   .n_local = axis_count(g->cols, g->cols.me, n)};
  describe(a);
  BLO_TRY(blo_alloc(g->ctx, blo_larger(a->m_local, a->n_local), sizeof *a->in, &a->in));
  BLO_TRY(blo_alloc(g->ctx, blo_larger(m, n), sizeof *a->out, &a->out));
  return blo_alloc(g->ctx, a->m_local * a->n_local, sizeof *a->data, &a->data);
}

blo_status blo_dense_create(blo_grid *g, blo_int m, blo_int n, blo_dense **out)
{
  blo_status status = BLO_OK;
  blo_dense *a = NULL;

  BLO_GO(dense_check_size(g, blo_larger(m, n), "the dimension of a dense matrix"));
  BLO_GO(dense_check_size(g, entries_most(g, m, n), "a dense matrix"));
  BLO_GO_ALL(g->comm, make(g, m, n, &a));
  *out = a;
  a = NULL;
done:
  blo_dense_destroy(&a);
  return status;
}

void blo_dense_destroy(blo_dense **dense)
{
  blo_dense *a = *dense;

  if (a != NULL) {
    blo_context *ctx = a->grid->ctx;
    blo_free(ctx, &a->data);
    blo_free(ctx, &a->in);
    blo_free(ctx, &a->out);
    blo_free(ctx, dense);
  }
}

blo_int blo_dense_bytes(const blo_grid *g, blo_int m, blo_int n)
{
  blo_int vectors =
      blo_larger(axis_count(g->rows, 0, m), axis_count(g->cols, 0, n)) + blo_larger(m, n);

  return (entries_most(g, m, n) + vectors) * (blo_int)sizeof(double);
}

blo_grid *blo_dense_grid(const blo_dense *a)
{
  return a->grid;
}

blo_int blo_dense_m(const blo_dense *a)
{
  return a->m;
}

blo_int blo_dense_n(const blo_dense *a)
{
  return a->n;
}

/* ---------------------------------------------------------------- entries */

void blo_dense_set(blo_dense *a, double (*entry)(void *arg, blo_int i, blo_int j), void *arg)
{
  for (blo_int j = 0; j < a->n_local; j++) {
    for (blo_int i = 0; i < a->m_local; i++) {
      *dense_at(a, i, j) = entry(arg, axis_global(a->grid->rows, i), axis_global(a->grid->cols, j));
    }
  }
}

static blo_int n_own(const blo_dense *a)
{
  return a->m_local * a->n_local;
}

void blo_dense_fill(double value, blo_dense *a)
{
  for (blo_int k = 0; k < n_own(a); k++) {
    a->data[k] = value;
  }
}

/** Two grids that give every entry the same place. */
static bool same_places(const blo_grid *a, const blo_grid *b)
{
  return a->comm == b->comm && a->rows.count == b->rows.count && a->cols.count == b->cols.count &&
         a->rows.block == b->rows.block;
}

static void check_alike(const blo_dense *a, const blo_dense *b)
{
  BLO_BUG_IF(!same_places(a->grid, b->grid) || a->m != b->m || a->n != b->n,
             "matrices [%lld][%lld] and [%lld][%lld], or of other grids", (long long)a->m,
             (long long)a->n, (long long)b->m, (long long)b->n);
}

void blo_dense_copy(const blo_dense *from, blo_dense *to)
{
  check_alike(from, to);
  memcpy(to->data, from->data, (size_t)n_own(from) * sizeof *to->data);
}

void blo_dense_scale(double s, blo_dense *a)
{
  for (blo_int k = 0; k < n_own(a); k++) {
    a->data[k] *= s;
  }
}

void blo_dense_axpy(double s, const blo_dense *a, blo_dense *b)
{
  check_alike(a, b);
  for (blo_int k = 0; k < n_own(a); k++) {
    b->data[k] += s * a->data[k];
  }
}

void blo_dense_shift(double s, blo_dense *a)
{
  const axis rows = a->grid->rows;

  BLO_BUG_IF(a->m != a->n, "a shift of a matrix that is not square");
  for (blo_int j = 0; j < a->n_local; j++) {
    blo_int k = axis_global(a->grid->cols, j);
    if (axis_owner(rows, k) == rows.me) {
      *dense_at(a, axis_local(rows, k), j) += s;
    }
  }
}

/* ------------------------------------------------------------------ norms */

double blo_dense_norm_one(const blo_dense *a)
{
  double norm = 0;

  memset(a->out, 0, (size_t)a->n * sizeof *a->out);
  for (blo_int j = 0; j < a->n_local; j++) {
    double *sum = a->out + axis_global(a->grid->cols, j);
    for (blo_int i = 0; i < a->m_local; i++) {
      *sum += fabs(*dense_at(a, i, j));
    }
  }
  grid_sum(a->grid, a->out, a->n);
  for (blo_int j = 0; j < a->n; j++) {
    norm = a->out[j] <= norm ? norm : a->out[j]; /* a NAN stays */
    if (isnan(norm)) {
      break;
    }
  }
  return norm;
}

double blo_dense_norm_frobenius(const blo_dense *a)
{
  double sum = blo_array_dot(n_own(a), a->data, a->data);

  grid_sum(a->grid, &sum, 1);
  return sqrt(sum);
}

/* --------------------------------------------------------------- products */

void blo_dense_multiply(bool transpose, const blo_dense *a, const double *in, double *out)
{
  const axis from = transpose ? a->grid->rows : a->grid->cols;
  const axis to = transpose ? a->grid->cols : a->grid->rows;
  blo_int n_in = transpose ? a->m_local : a->n_local, n_to = transpose ? a->n : a->m;
  blo_int n_out = transpose ? a->n_local : a->m_local;
  const int m = (int)a->m_local, n = (int)a->n_local, ld = (int)blo_larger(a->m_local, 1), one = 1;
  const double plus = 1, zero = 0;

  for (blo_int k = 0; k < n_in; k++) {
    a->in[k] = in[axis_global(from, k)];
  }
  memset(a->out, 0, (size_t)blo_larger(a->m, a->n) * sizeof *a->out);
  if (m > 0 && n > 0) {
    dgemv_(transpose ? "T" : "N", &m, &n, &plus, a->data, &ld, a->in, &one, &zero, a->out, &one, 1);
  }
  memset(out, 0, (size_t)n_to * sizeof *out);
  for (blo_int k = 0; k < n_out; k++) {
    out[axis_global(to, k)] = a->out[k];
  }
  grid_sum(a->grid, out, n_to);
}

void blo_dense_gemm(bool ta, bool tb, double alpha, const blo_dense *a, const blo_dense *b,
                    double beta, blo_dense *c)
{
  const int m = (int)c->m, n = (int)c->n, k = (int)(ta ? a->m : a->n), one = 1;

  BLO_BUG_IF((ta ? a->n : a->m) != c->m || (tb ? b->m : b->n) != c->n || (tb ? b->n : b->m) != k,
             "the shapes of a product do not fit");
  if (blo_grid_inside(a->grid)) {
    pdgemm_(ta ? "T" : "N", tb ? "T" : "N", &m, &n, &k, &alpha, a->data, &one, &one, a->desc,
            b->data, &one, &one, b->desc, &beta, c->data, &one, &one, c->desc, 1, 1);
  }
}

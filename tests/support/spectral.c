/* Matrices with known eigenvalues by reflections of diagonal ones; see the header. */
#include "spectral.h"
#include "whole.h"
#include "harness.h"
#include <math.h>

enum { N_REFLECTIONS = 3 };

static double *numbers(blo_comm *comm, blo_int n)
{
  double *out = NULL;
  BLO_REQUIRE_STATUS(blo_alloc(blo_comm_context(comm), n, sizeof *out, &out), BLO_OK);
  return out;
}

/* A unit vector, the same on all ranks. */
static void direction(blo_int n, int k, double *v)
{
  double norm = 0;
  for (blo_int i = 0; i < n; i++) {
    v[i] = 0.2 + sin(1.3 * (double)((i + 1) * (k + 2)) + (double)k);
    norm += v[i] * v[i];
  }
  for (blo_int i = 0; i < n; i++) {
    v[i] /= sqrt(norm);
  }
}

/* A = H A H, H = I - 2 v v': with p = A v and q = p - (v'p) v, it is A - 2 (v q' + q v'). */
static void reflect(blo_int n, const double *v, double *p, double *a)
{
  double vp = 0;
  for (blo_int i = 0; i < n; i++) {
    p[i] = 0;
    for (blo_int j = 0; j < n; j++) {
      p[i] += a[i * n + j] * v[j];
    }
    vp += v[i] * p[i];
  }
  for (blo_int i = 0; i < n; i++) {
    p[i] -= vp * v[i];
  }
  for (blo_int i = 0; i < n; i++) {
    for (blo_int j = 0; j <= i; j++) {
      a[i * n + j] -= 2 * (v[i] * p[j] + p[i] * v[j]);
      a[j * n + i] = a[i * n + j];
    }
  }
}

void spectral_make(blo_comm *comm, blo_int n, const double *l, spectral *s)
{
  double *v = numbers(comm, n), *p = numbers(comm, n);
  *s = (spectral){n, numbers(comm, n * n)};
  for (blo_int i = 0; i < n; i++) {
    s->a[i * n + i] = l[i];
  }
  for (int k = 0; k < N_REFLECTIONS; k++) {
    direction(n, k, v);
    reflect(n, v, p, s->a);
  }
  blo_free(blo_comm_context(comm), &v);
  blo_free(blo_comm_context(comm), &p);
}

void spectral_free(blo_comm *comm, spectral *s)
{
  blo_free(blo_comm_context(comm), &s->a);
}

double spectral_entry(void *arg, blo_int i, blo_int j)
{
  const spectral *s = arg;
  return s->a[i * s->n + j];
}

blo_dense *spectral_dense(blo_grid *grid, spectral *s)
{
  blo_dense *a = NULL;
  BLO_REQUIRE_STATUS(blo_dense_create(grid, s->n, s->n, &a), BLO_OK);
  blo_dense_set(a, spectral_entry, s);
  return a;
}

double spectral_distance(const blo_dense *a, spectral *s)
{
  blo_comm *comm = blo_grid_comm(blo_dense_grid(a));
  double *all = whole_matrix_alloc(a), most = 0;
  for (blo_int j = 0; j < s->n; j++) {
    for (blo_int i = 0; i < s->n; i++) {
      double d = fabs(all[j * s->n + i] - s->a[i * s->n + j]);
      most = d <= most ? most : d;
    }
  }
  blo_free(blo_comm_context(comm), &all);
  return most;
}

uint32_t spectral_bits(const blo_dense *a)
{
  blo_comm *comm = blo_grid_comm(blo_dense_grid(a));
  double *all = whole_matrix_alloc(a);
  size_t bytes = (size_t)(blo_dense_m(a) * blo_dense_n(a)) * sizeof *all;
  uint32_t crc = blo_crc32(0, all, bytes);
  blo_free(blo_comm_context(comm), &all);
  return crc;
}

void spectral_times(const spectral *s, const double *in, double *out)
{
  for (blo_int i = 0; i < s->n; i++) {
    out[i] = 0;
    for (blo_int j = 0; j < s->n; j++) {
      out[i] += s->a[i * s->n + j] * in[j];
    }
  }
}

double spectral_norm_one(const spectral *s)
{
  double norm = 0;
  for (blo_int i = 0; i < s->n; i++) {
    double sum = 0;
    for (blo_int j = 0; j < s->n; j++) {
      sum += fabs(s->a[i * s->n + j]);
    }
    norm = fmax(norm, sum);
  }
  return norm;
}

blo_grid *spectral_grid(blo_comm *comm, blo_int ranks, blo_int block)
{
  blo_grid *grid = NULL;
  const blo_dense_options options = {.ranks = ranks, .block = block};
  BLO_REQUIRE_STATUS(blo_grid_create(comm, &options, &grid), BLO_OK);
  return grid;
}

void spectral_cases(blo_comm *comm, int step, void (*check)(blo_grid *grid, blo_int n))
{
  static const blo_int blocks[] = {1, 2, 7, 16, 64};
  static const blo_int sizes[] = {1, 2, 3, 5, 17, 64, 65, 100, 257, 600};
  int size = blo_comm_size(comm), turn = 0;
  const blo_int grids[] = {0, 1, size - 1};
  for (int g = 0; g < (size > 2 ? 3 : size); g++) {
    for (int b = 0; b < 5; b++) {
      blo_grid *grid = spectral_grid(comm, grids[g], blocks[b]);
      for (int k = 0; k < 10; k++) {
        bool wanted = sizes[k] <= 100 || (sizes[k] <= 257 && b >= 3) || b == 4;
        if (wanted && turn++ % step == 0) {
          check(grid, sizes[k]);
        }
      }
      blo_grid_destroy(&grid);
    }
  }
}

void spectral_expect_repeats(blo_comm *comm, spectral_bits_on bits_on)
{
  blo_grid *grid = spectral_grid(comm, 0, 16);
  uint32_t first = bits_on(grid, 150);
  BLO_EXPECT_SAME_BYTES(&first, sizeof first);
  for (int k = 0; k < 3; k++) {
    BLO_EXPECT_ALL(bits_on(grid, 150) == first);
  }
  blo_grid_destroy(&grid);
}

void spectral_expect_one_rank(blo_comm *comm, spectral_bits_on bits_on)
{
  blo_comm *self = NULL;
  BLO_REQUIRE_STATUS(blo_comm_create(blo_comm_context(comm), MPI_COMM_SELF, &self), BLO_OK);
  blo_grid *one = spectral_grid(comm, 1, 16), *own = spectral_grid(self, 0, 16);
  BLO_EXPECT_ALL(bits_on(one, 150) == bits_on(own, 150));
  blo_grid_destroy(&one);
  blo_grid_destroy(&own);
  blo_comm_destroy(&self);
}

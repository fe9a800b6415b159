/* ranks: 1 2 3 4 6 */
/* Eigenvalues and eigenvectors of distributed symmetric matrices. */
#include "harness.h"
#include "spectral.h"
#include <blo/dense.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

extern void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda,
                    double *w, double *work, const int *lwork, int *iwork, const int *liwork,
                    int *info, size_t n_jobz, size_t n_uplo);

enum { N_MAX = 600 };

/* --------------------------------------------------------------- spectra */

/* In ascending order; every third one as the one before, some of them 0, down to -5. */
static double wanted(blo_int k, blo_int n)
{
  double l = -5 + 25 * (double)(k - (k % 3 == 2)) / (double)(n > 1 ? n : 2);
  return fabs(l) < 0.3 ? 0 : l;
}

static void make(blo_comm *comm, blo_int n, double scale, spectral *s)
{
  double l[N_MAX];
  for (blo_int k = 0; k < n; k++) {
    l[k] = scale * wanted(k, n);
  }
  spectral_make(comm, n, l, s);
}

static double diagonal_entry(void *arg, blo_int i, blo_int j)
{
  return i == j ? ((const double *)arg)[i] : 0;
}

static blo_dense *square(blo_grid *grid, blo_int n)
{
  blo_dense *a = NULL;
  BLO_REQUIRE_STATUS(blo_dense_create(grid, n, n, &a), BLO_OK);
  return a;
}

/* |A Z - Z diag(w)| and |Z' Z - I| in Frobenius' norm. */
static void check_vectors(blo_grid *grid, spectral *s, double *w, const blo_dense *z, double scale)
{
  blo_dense *a = spectral_dense(grid, s), *d = square(grid, s->n), *product = square(grid, s->n);
  blo_dense_set(d, diagonal_entry, w);
  blo_dense_gemm(false, false, 1, z, d, 0, product);
  blo_dense_gemm(false, false, 1, a, z, -1, product);
  BLO_EXPECT_NEAR(blo_dense_norm_frobenius(product), 0, 0, 1e-11 * scale, "A Z = Z diag(w)");
  blo_dense_gemm(true, false, 1, z, z, 0, product);
  blo_dense_shift(-1, product);
  BLO_EXPECT_NEAR(blo_dense_norm_frobenius(product), 0, 0, 1e-11, "Z' Z = I");
  blo_dense_destroy(&a);
  blo_dense_destroy(&d);
  blo_dense_destroy(&product);
}

/* The matrix with rubbish above the diagonal. */
static double lower_entry(void *arg, blo_int i, blo_int j)
{
  return i >= j ? spectral_entry(arg, i, j) : (double)NAN;
}

static void check_scaled(blo_grid *grid, blo_int n, double scale)
{
  static double w[N_MAX];
  blo_comm *comm = blo_grid_comm(grid);
  spectral s;
  blo_eigen *e = NULL;
  double error = 0;
  make(comm, n, scale, &s);
  blo_dense *a = square(grid, n), *z = square(grid, n);
  blo_dense_set(a, lower_entry, &s);
  BLO_REQUIRE_STATUS(blo_eigen_create(grid, n, &e), BLO_OK);
  BLO_REQUIRE_STATUS(blo_eigen_solve(e, a, w, z), BLO_OK);
  BLO_EXPECT_SAME_BYTES(w, (size_t)n * sizeof *w);
  for (blo_int k = 0; k < n; k++) {
    double d = fabs(w[k] - scale * wanted(k, n));
    error = d <= error ? error : d;
    BLO_REQUIRE_ALL(k == 0 || w[k] >= w[k - 1]);
  }
  BLO_EXPECT_MSG(error <= 2e-12 * scale, "n = %lld, block %lld: an eigenvalue is wrong by %g",
                 (long long)n, (long long)blo_grid_block(grid), error);
  check_vectors(grid, &s, w, z, scale);
  blo_eigen_destroy(&e);
  blo_dense_destroy(&a);
  blo_dense_destroy(&z);
  spectral_free(comm, &s);
}

static void check(blo_grid *grid, blo_int n)
{
  check_scaled(grid, n, 1);
}

static void eigenvalues_are_those_it_was_made_of(blo_comm *comm)
{
  spectral_cases(comm, 1, check);
}

static void size_of_entries_does_not_matter(blo_comm *comm)
{
  static const blo_int sizes[] = {1, 5, 40};
  blo_grid *grid = spectral_grid(comm, 0, 8);
  for (int k = 0; k < 3; k++) {
    check_scaled(grid, sizes[k], 1e-120);
    check_scaled(grid, sizes[k], 1e120);
  }
  blo_grid_destroy(&grid);
}

/* ------------------------------------------------------- against LAPACK */

static double graded_entry(void *arg, blo_int i, blo_int j)
{
  (void)arg;
  return 1 / (double)(i + j + 1) + (i == j ? 0.01 * (double)i : 0);
}

static void lapack(int n, double *w)
{
  const int n_work = 1 + 6 * n + 2 * n * n, n_iwork = 3 + 5 * n;
  double *a = malloc(sizeof(double) * (size_t)(n * n)), *work = NULL;
  int *iwork = malloc(sizeof(int) * (size_t)n_iwork), info = -1;
  work = malloc(sizeof(double) * (size_t)n_work);
  for (int i = 0; i < n * n; i++) {
    a[i] = graded_entry(NULL, i % n, i / n);
  }
  dsyevd_("N", "L", &n, a, &n, w, work, &n_work, iwork, &n_iwork, &info, 1, 1);
  free(a);
  free(work);
  free(iwork);
  BLO_REQUIRE_ALL(info == 0);
}

static void it_agrees_with_lapack(blo_comm *comm)
{
  enum { N = 130 };
  double w[N], want[N], error = 0;
  blo_grid *grid = spectral_grid(comm, 0, 12);
  blo_dense *a = square(grid, N), *z = square(grid, N);
  blo_eigen *e = NULL;
  lapack(N, want);
  blo_dense_set(a, graded_entry, NULL);
  BLO_REQUIRE_STATUS(blo_eigen_create(grid, N, &e), BLO_OK);
  BLO_REQUIRE_STATUS(blo_eigen_solve(e, a, w, z), BLO_OK);
  for (int k = 0; k < N; k++) {
    error = fmax(error, fabs(w[k] - want[k]));
  }
  BLO_EXPECT_NEAR(error, 0, 0, 1e-13 * want[N - 1], "dsyevd");
  blo_eigen_destroy(&e);
  blo_dense_destroy(&a);
  blo_dense_destroy(&z);
  blo_grid_destroy(&grid);
}

/* ------------------------------------------------------------ special ones */

static double zero_entry(void *arg, blo_int i, blo_int j)
{
  (void)arg;
  (void)i;
  (void)j;
  return 0;
}

static double reversed_entry(void *arg, blo_int i, blo_int j)
{
  (void)arg;
  return i == j ? -(double)i : 0;
}

static void check_diagonal(blo_grid *grid, blo_int n, double (*entry)(void *, blo_int, blo_int))
{
  double w[N_MAX], most = 0;
  blo_dense *a = square(grid, n), *z = square(grid, n);
  blo_eigen *e = NULL;
  blo_dense_set(a, entry, NULL);
  BLO_REQUIRE_STATUS(blo_eigen_create(grid, n, &e), BLO_OK);
  BLO_REQUIRE_STATUS(blo_eigen_solve(e, a, w, z), BLO_OK);
  for (blo_int k = 0; k < n; k++) {
    most = fmax(most, fabs(w[k] - entry(NULL, n - 1 - k, n - 1 - k)));
  }
  BLO_EXPECT_NEAR(most, 0, 0, 1e-13, "the diagonal, sorted");
  blo_dense_gemm(true, false, 1, z, z, 0, a);
  blo_dense_shift(-1, a);
  BLO_EXPECT_NEAR(blo_dense_norm_frobenius(a), 0, 0, 1e-13, "Z' Z = I");
  blo_eigen_destroy(&e);
  blo_dense_destroy(&a);
  blo_dense_destroy(&z);
}

static void check_both_diagonals(blo_grid *grid, blo_int n)
{
  if (n <= 100) {
    check_diagonal(grid, n, zero_entry);
    check_diagonal(grid, n, reversed_entry);
  }
}

static void diagonal_matrices_work(blo_comm *comm)
{
  spectral_cases(comm, 2, check_both_diagonals);
}

static double nan_entry(void *arg, blo_int i, blo_int j)
{
  return i == 9 && j == 4 ? *(const double *)arg : graded_entry(NULL, i, j);
}

static void what_is_not_finite_is_refused(blo_comm *comm)
{
  enum { N = 12 };
  double bad[] = {(double)NAN, (double)INFINITY}, w[N];
  blo_grid *grid = spectral_grid(comm, 0, 3);
  blo_dense *a = square(grid, N), *z = square(grid, N);
  blo_eigen *e = NULL;
  BLO_REQUIRE_STATUS(blo_eigen_create(grid, N, &e), BLO_OK);
  for (int k = 0; k < 2; k++) {
    blo_dense_set(a, nan_entry, &bad[k]);
    BLO_EXPECT_STATUS(blo_eigen_solve(e, a, w, z), BLO_E_NONFINITE);
  }
  blo_dense_set(a, graded_entry, NULL);
  BLO_EXPECT_STATUS(blo_eigen_solve(e, a, w, z), BLO_OK);
  blo_eigen_destroy(&e);
  blo_dense_destroy(&a);
  blo_dense_destroy(&z);
  blo_grid_destroy(&grid);
}

/* --------------------------------------------------------------------- bits */

/* Checksum of eigenvalues and eigenvectors on a grid. */
static uint32_t bits_on(blo_grid *grid, blo_int n)
{
  static double w[N_MAX];
  spectral s;
  blo_eigen *e = NULL;
  make(blo_grid_comm(grid), n, 1, &s);
  blo_dense *a = spectral_dense(grid, &s), *z = square(grid, n);
  BLO_REQUIRE_STATUS(blo_eigen_create(grid, n, &e), BLO_OK);
  BLO_REQUIRE_STATUS(blo_eigen_solve(e, a, w, z), BLO_OK);
  uint32_t crc = blo_crc32(spectral_bits(z), w, (size_t)n * sizeof *w);
  blo_eigen_destroy(&e);
  blo_dense_destroy(&a);
  blo_dense_destroy(&z);
  spectral_free(blo_grid_comm(grid), &s);
  return crc;
}

static void bits_repeat(blo_comm *comm)
{
  spectral_expect_repeats(comm, bits_on);
}

static void one_rank_has_the_bits_of_one_rank(blo_comm *comm)
{
  spectral_expect_one_rank(comm, bits_on);
}

/* ------------------------------------------------------------------- memory */

static bool by_elpa(void)
{
  return strcmp(blo_eigen_library(), "ELPA") == 0;
}

static void bytes_are_foreseen(blo_comm *comm)
{
  static const blo_int sizes[] = {1, 10, 64, 65, 300};
  blo_context *ctx = blo_comm_context(comm);
  blo_grid *grid = spectral_grid(comm, 0, 16);
  for (int k = 0; k < 5; k++) {
    blo_eigen *e = NULL;
    double before = (double)blo_memory(ctx).bytes, want = (double)blo_eigen_bytes(grid, sizes[k]);
    BLO_REQUIRE_STATUS(blo_eigen_create(grid, sizes[k], &e), BLO_OK);
    double got = blo_max_all(comm, (double)blo_memory(ctx).bytes - before);
    BLO_EXPECT_MSG(want + 512 >= got && (by_elpa() || got >= want), "%g bytes foreseen, %g taken",
                   want, got);
    blo_eigen_destroy(&e);
  }
  blo_grid_destroy(&grid);
}

static void too_large_ones_are_refused(blo_comm *comm)
{
  blo_grid *grid = spectral_grid(comm, 1, 64);
  blo_eigen *e = NULL;
  if (by_elpa()) {
    blo_test_skip("ELPA has no such limit");
  } else {
    BLO_EXPECT_STATUS(blo_eigen_create(grid, 40000, &e), BLO_E_SHAPE);
    BLO_EXPECT_ERROR_HAS("pdsyevd");
  }
  blo_eigen_destroy(&e);
  blo_grid_destroy(&grid);
}

typedef struct creation {
  blo_grid *grid;
  blo_int n;
} creation;

static blo_status create(blo_comm *comm, void *arg)
{
  const creation *c = arg;
  blo_eigen *e = NULL;
  blo_status status = blo_eigen_create(c->grid, c->n, &e);
  (void)comm;
  blo_eigen_destroy(&e);
  return status;
}

static void every_allocation_may_fail(blo_comm *comm)
{
  blo_grid *grid = spectral_grid(comm, 0, 4);
  creation small = {grid, 2}, large = {grid, 30};
  BLO_EXPECT_ALL(blo_test_sweep_faults(comm, create, &small) >= 2 * blo_comm_size(comm));
  BLO_EXPECT_ALL(blo_test_sweep_faults(comm, create, &large) >= 2 * blo_comm_size(comm));
  blo_grid_destroy(&grid);
}

static const blo_test tests[] = {
    {"eigenvalues are those it was made of", eigenvalues_are_those_it_was_made_of},
    {"the size of entries does not matter", size_of_entries_does_not_matter},
    {"it agrees with LAPACK", it_agrees_with_lapack},
    {"diagonal matrices work", diagonal_matrices_work},
    {"what is not finite is refused", what_is_not_finite_is_refused},
    {"bits repeat", bits_repeat},
    {"one rank has the bits of one rank", one_rank_has_the_bits_of_one_rank},
    {"bytes are foreseen", bytes_are_foreseen},
    {"too large ones are refused", too_large_ones_are_refused},
    {"every allocation may fail", every_allocation_may_fail},
};
BLO_TEST_MAIN("eigen", tests)

/* ranks: 1 2 3 4 6 */
/* Factors of distributed symmetric matrices: solutions, condition numbers, what is left of the
 * matrix. */
#include "harness.h"
#include "spectral.h"
#include <blo/dense.h>
#include <math.h>
#include <string.h>

extern void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info,
                    size_t n_uplo);

enum { N_MAX = 600, RHS = 3 };

/* --------------------------------------------------------------- matrices */

/* In [0.5, 20]. */
static double positive(blo_int k, blo_int n)
{
  return 0.5 + 19.5 * (double)k / (double)(n > 1 ? n - 1 : 1);
}

/* In [-7, 20], and not below 0.5 in size. */
static double indefinite(blo_int k, blo_int n)
{
  double l = positive(k, n);
  return k % 3 == 1 ? -0.3 * l - 0.5 : l;
}

static void make(blo_comm *comm, blo_int n, double (*l)(blo_int k, blo_int n), double add,
                 bool invert, spectral *s)
{
  double values[N_MAX];
  for (blo_int k = 0; k < n; k++) {
    values[k] = invert ? 1 / (l(k, n) + add) : l(k, n) + add;
  }
  spectral_make(comm, n, values, s);
}

/* --------------------------------------------------------------- solutions */

static double wanted_x(blo_int r, blo_int i)
{
  return cos((double)(r + 1) * (double)i) + 0.1 * (double)r;
}

static double solution_error(const blo_factor *f, const spectral *s, blo_int n_rhs)
{
  static double b[RHS * N_MAX], x[N_MAX];
  double error = 0;
  for (blo_int r = 0; r < n_rhs; r++) {
    for (blo_int i = 0; i < s->n; i++) {
      x[i] = wanted_x(r, i);
    }
    spectral_times(s, x, b + r * s->n);
  }
  blo_factor_solve(f, n_rhs, b);
  for (blo_int r = 0; r < n_rhs; r++) {
    for (blo_int i = 0; i < s->n; i++) {
      double d = fabs(b[r * s->n + i] - wanted_x(r, i));
      error = d <= error ? error : d;
    }
  }
  return error;
}

/* The estimate of |A^-1| is from below, and hardly ever off by more than a factor of 3 (Higham and
 * Tisseur 2000, SIAM J. Matrix Anal. Appl. 21, 1185-1201). */
static void check_rcond(blo_factor *f, const spectral *s, const spectral *inverse)
{
  double exact = 1 / (spectral_norm_one(s) * spectral_norm_one(inverse));
  double got = blo_factor_rcond(f);
  BLO_EXPECT_SAME(got);
  BLO_EXPECT_MSG(got >= exact * (1 - 1e-10) && got <= 3 * exact,
                 "n = %lld: 1 / condition = %g, exactly %g", (long long)s->n, got, exact);
}

static void check_cholesky(blo_grid *grid, blo_int n)
{
  const double shift = 0.75;
  blo_comm *comm = blo_grid_comm(grid);
  spectral s, shifted, inverse;
  blo_factor *f = NULL;
  bool definite = false;
  make(comm, n, positive, 0, false, &s);
  make(comm, n, positive, shift, false, &shifted);
  make(comm, n, positive, shift, true, &inverse);
  blo_dense *a = spectral_dense(grid, &s);
  BLO_REQUIRE_STATUS(blo_factor_create(a, RHS, &f), BLO_OK);
  blo_factor_cholesky(f, shift, &definite);
  BLO_EXPECT_ALL(definite && blo_factor_which(f) == BLO_FACTOR_CHOLESKY);
  BLO_EXPECT_NEAR(solution_error(f, &shifted, RHS), 0, 0, 1e-11, "x of b = (A + shift I) x");
  BLO_EXPECT_NEAR(solution_error(f, &shifted, 1), 0, 0, 1e-11, "the same with one vector");
  check_rcond(f, &shifted, &inverse);
  blo_factor_undo(f);
  BLO_EXPECT_ALL(blo_factor_which(f) == BLO_FACTOR_NONE);
  BLO_EXPECT_MSG(spectral_distance(a, &s) == 0, "n = %lld: undo does not give the bits back",
                 (long long)n);
  blo_factor_destroy(&f);
  blo_dense_destroy(&a);
  spectral_free(comm, &s);
  spectral_free(comm, &shifted);
  spectral_free(comm, &inverse);
}

static void cholesky_solves_and_goes_away(blo_comm *comm)
{
  spectral_cases(comm, 1, check_cholesky);
}

static void check_lu(blo_grid *grid, blo_int n)
{
  blo_comm *comm = blo_grid_comm(grid);
  spectral s, inverse;
  blo_factor *f = NULL;
  make(comm, n, indefinite, 0, false, &s);
  make(comm, n, indefinite, 0, true, &inverse);
  blo_dense *a = spectral_dense(grid, &s);
  BLO_REQUIRE_STATUS(blo_factor_create(a, RHS, &f), BLO_OK);
  BLO_REQUIRE_STATUS(blo_factor_lu(f), BLO_OK);
  BLO_EXPECT_ALL(blo_factor_which(f) == BLO_FACTOR_LU);
  BLO_EXPECT_NEAR(solution_error(f, &s, RHS), 0, 0, 1e-11, "x of b = A x");
  BLO_EXPECT_NEAR(solution_error(f, &s, 2), 0, 0, 1e-11, "the same with two vectors");
  check_rcond(f, &s, &inverse);
  blo_dense_set(a, spectral_entry, &s);
  blo_factor_forget(f);
  BLO_REQUIRE_STATUS(blo_factor_lu(f), BLO_OK);
  BLO_EXPECT_NEAR(solution_error(f, &s, 1), 0, 0, 1e-11, "the same with new factors");
  blo_factor_destroy(&f);
  blo_dense_destroy(&a);
  spectral_free(comm, &s);
  spectral_free(comm, &inverse);
}

static void lu_solves_indefinite_ones(blo_comm *comm)
{
  spectral_cases(comm, 2, check_lu);
}

/* ----------------------------------------------------------------- refusals */

static void check_refusal(blo_grid *grid, blo_int n)
{
  blo_comm *comm = blo_grid_comm(grid);
  spectral s;
  blo_factor *f = NULL;
  bool definite = true;
  const int order = (int)n;
  int info = 0;
  make(comm, n, indefinite, n == 1 ? -3 : 0, false, &s);
  blo_dense *a = spectral_dense(grid, &s);
  BLO_REQUIRE_STATUS(blo_factor_create(a, 1, &f), BLO_OK);
  blo_factor_cholesky(f, 0, &definite);
  BLO_EXPECT_ALL(!definite && blo_factor_which(f) == BLO_FACTOR_NONE);
  BLO_EXPECT_MSG(spectral_distance(a, &s) == 0, "n = %lld: a failure changes bits", (long long)n);
  dpotrf_("L", &order, s.a, &order, &info, 1);
  BLO_EXPECT_MSG(blo_factor_failed_minor(f) == info, "minor %lld fails, LAPACK says %d",
                 (long long)blo_factor_failed_minor(f), info);
  blo_factor_cholesky(f, 30, &definite);
  BLO_EXPECT_ALL(definite && blo_factor_failed_minor(f) == 0);
  blo_factor_destroy(&f);
  blo_dense_destroy(&a);
  spectral_free(comm, &s);
}

static void indefinite_ones_stay_as_they_are(blo_comm *comm)
{
  spectral_cases(comm, 2, check_refusal);
}

/* A NaN at (i, j) and (j, i), and rows and columns around it as of a definite matrix. */
typedef struct spoilt {
  blo_int i, j;
  double value;
} spoilt;

static double spoilt_entry(void *arg, blo_int i, blo_int j)
{
  const spoilt *s = arg;
  if ((i == s->i && j == s->j) || (i == s->j && j == s->i)) {
    return s->value;
  }
  return i == j ? 100 : 1;
}

static void what_is_not_finite_has_no_factors(blo_comm *comm)
{
  const spoilt cases[] = {{0, 0, (double)NAN},        {19, 19, (double)NAN},
                          {7, 15, (double)NAN},       {7, 15, (double)INFINITY},
                          {10, 10, (double)INFINITY}, {10, 10, 1e300}};
  blo_grid *grid = spectral_grid(comm, 0, 3);
  blo_dense *a = NULL;
  blo_factor *f = NULL;
  BLO_REQUIRE_STATUS(blo_dense_create(grid, 20, 20, &a), BLO_OK);
  BLO_REQUIRE_STATUS(blo_factor_create(a, 1, &f), BLO_OK);
  for (int k = 0; k < 6; k++) {
    spoilt s = cases[k];
    bool definite = true, finite = isfinite(s.value);
    blo_dense_set(a, spoilt_entry, &s);
    uint32_t before = spectral_bits(a);
    blo_factor_cholesky(f, 0, &definite);
    BLO_EXPECT_MSG(definite == finite, "case %d: definite is %d", k, definite);
    if (finite) {
      blo_factor_undo(f);
    } else {
      BLO_EXPECT_ALL(blo_factor_failed_minor(f) == 21);
      BLO_EXPECT_STATUS(blo_factor_lu(f), BLO_E_NONFINITE);
    }
    BLO_EXPECT_ALL(spectral_bits(a) == before);
  }
  blo_factor_destroy(&f);
  blo_dense_destroy(&a);
  blo_grid_destroy(&grid);
}

/* Row and column 5 are zero. */
static double singular_entry(void *arg, blo_int i, blo_int j)
{
  (void)arg;
  return i == 5 || j == 5 ? 0 : i == j ? 3 : 1 / (double)(1 + i + j);
}

static void singular_matrices_are_refused(blo_comm *comm)
{
  blo_grid *grid = spectral_grid(comm, 0, 2);
  blo_dense *a = NULL;
  blo_factor *f = NULL;
  BLO_REQUIRE_STATUS(blo_dense_create(grid, 12, 12, &a), BLO_OK);
  blo_dense_set(a, singular_entry, NULL);
  BLO_REQUIRE_STATUS(blo_factor_create(a, 1, &f), BLO_OK);
  BLO_EXPECT_STATUS(blo_factor_lu(f), BLO_E_CURVATURE);
  BLO_EXPECT_ERROR_HAS("singular");
  BLO_EXPECT_ALL(blo_factor_which(f) == BLO_FACTOR_NONE);
  blo_factor_destroy(&f);
  blo_dense_destroy(&a);
  blo_grid_destroy(&grid);
}

/* Wilkinson's matrix (1961, J. ACM 8, 281-330), without ties between pivots: in the last column
 * numbers nearly double in each of n - 1 steps. */
static double growing_entry(void *arg, blo_int i, blo_int j)
{
  const double *size = arg;
  return j == 39 || i == j ? *size : i > j ? -0.99 * *size : 0;
}

static void factors_that_overflow_are_refused(blo_comm *comm)
{
  double size = 1e300;
  blo_grid *grid = spectral_grid(comm, 0, 8);
  blo_dense *a = NULL;
  blo_factor *f = NULL;
  BLO_REQUIRE_STATUS(blo_dense_create(grid, 40, 40, &a), BLO_OK);
  blo_dense_set(a, growing_entry, &size);
  BLO_REQUIRE_STATUS(blo_factor_create(a, 1, &f), BLO_OK);
  BLO_EXPECT_STATUS(blo_factor_lu(f), BLO_E_NONFINITE);
  BLO_EXPECT_ERROR_HAS("factors");
  BLO_EXPECT_ALL(blo_factor_which(f) == BLO_FACTOR_NONE);
  blo_factor_destroy(&f);
  blo_dense_destroy(&a);
  blo_grid_destroy(&grid);
}

/* --------------------------------------------------------------------- bits */

/* The solution with Cholesky, or LU, factors on a grid. */
static void solve_on(blo_grid *grid, bool lu, blo_int n, double *x)
{
  blo_comm *comm = blo_grid_comm(grid);
  spectral s;
  blo_factor *f = NULL;
  bool definite = true;
  make(comm, n, lu ? indefinite : positive, 0, false, &s);
  blo_dense *a = spectral_dense(grid, &s);
  BLO_REQUIRE_STATUS(blo_factor_create(a, 1, &f), BLO_OK);
  if (lu) {
    BLO_REQUIRE_STATUS(blo_factor_lu(f), BLO_OK);
  } else {
    blo_factor_cholesky(f, 0, &definite);
  }
  BLO_REQUIRE_ALL(definite);
  for (blo_int i = 0; i < n; i++) {
    x[i] = wanted_x(0, i);
  }
  blo_factor_solve(f, 1, x);
  x[n] = blo_factor_rcond(f);
  blo_factor_destroy(&f);
  blo_dense_destroy(&a);
  spectral_free(comm, &s);
}

static void bits_repeat(blo_comm *comm)
{
  enum { N = 150 };
  static double first[N + 1], again[N + 1];
  blo_grid *grid = spectral_grid(comm, 0, 16);
  for (int lu = 0; lu < 2; lu++) {
    solve_on(grid, lu == 1, N, first);
    BLO_EXPECT_SAME_BYTES(first, sizeof first);
    for (int k = 0; k < 3; k++) {
      solve_on(grid, lu == 1, N, again);
      BLO_EXPECT_ALL(memcmp(first, again, sizeof first) == 0);
    }
  }
  blo_grid_destroy(&grid);
}

/* A communicator of one rank is what a run on one rank has. */
static void one_rank_has_the_bits_of_one_rank(blo_comm *comm)
{
  enum { N = 150 };
  static double here[N + 1], alone[N + 1];
  blo_comm *self = NULL;
  BLO_REQUIRE_STATUS(blo_comm_create(blo_comm_context(comm), MPI_COMM_SELF, &self), BLO_OK);
  blo_grid *one = spectral_grid(comm, 1, 16), *own = spectral_grid(self, 0, 16);
  for (int lu = 0; lu < 2; lu++) {
    solve_on(one, lu == 1, N, here);
    solve_on(own, lu == 1, N, alone);
    BLO_EXPECT_ALL(memcmp(here, alone, sizeof here) == 0);
  }
  blo_grid_destroy(&one);
  blo_grid_destroy(&own);
  blo_comm_destroy(&self);
}

static double minus_one(void *arg, blo_int i, blo_int j)
{
  (void)arg;
  return i == j ? -1 : 0;
}

/* 0 / -1 is -0, but the sum of one rank and others that have nothing is 0. */
static void zeros_have_no_sign(blo_comm *comm)
{
  enum { N = 9 };
  double x[N] = {0};
  blo_grid *grid = spectral_grid(comm, 1, 4);
  blo_dense *a = NULL;
  blo_factor *f = NULL;
  BLO_REQUIRE_STATUS(blo_dense_create(grid, N, N, &a), BLO_OK);
  blo_dense_set(a, minus_one, NULL);
  BLO_REQUIRE_STATUS(blo_factor_create(a, 1, &f), BLO_OK);
  BLO_REQUIRE_STATUS(blo_factor_lu(f), BLO_OK);
  blo_factor_solve(f, 1, x);
  for (int i = 0; i < N; i++) {
    BLO_EXPECT_ALL(x[i] == 0 && !signbit(x[i]));
  }
  blo_factor_destroy(&f);
  blo_dense_destroy(&a);
  blo_grid_destroy(&grid);
}

/* ------------------------------------------------------------------- memory */

static void bytes_are_foreseen(blo_comm *comm)
{
  static const blo_int sizes[] = {1, 10, 64, 65, 300};
  blo_context *ctx = blo_comm_context(comm);
  blo_grid *grid = spectral_grid(comm, 0, 16);
  for (int k = 0; k < 5; k++) {
    blo_dense *a = NULL;
    blo_factor *f = NULL;
    BLO_REQUIRE_STATUS(blo_dense_create(grid, sizes[k], sizes[k], &a), BLO_OK);
    double before = (double)blo_memory(ctx).bytes;
    BLO_REQUIRE_STATUS(blo_factor_create(a, RHS, &f), BLO_OK);
    double got = blo_max_all(comm, (double)blo_memory(ctx).bytes - before);
    BLO_EXPECT_NEAR((double)blo_factor_bytes(grid, sizes[k], RHS), got, 0, 512, "blo_memory()");
    blo_factor_destroy(&f);
    blo_dense_destroy(&a);
  }
  blo_grid_destroy(&grid);
}

static blo_status create_all(blo_comm *comm, void *arg)
{
  blo_factor *f = NULL;
  blo_status status = blo_factor_create(arg, RHS, &f);
  (void)comm;
  blo_factor_destroy(&f);
  return status;
}

static void every_allocation_may_fail(blo_comm *comm)
{
  blo_grid *grid = spectral_grid(comm, 0, 4);
  blo_dense *a = NULL;
  BLO_REQUIRE_STATUS(blo_dense_create(grid, 20, 20, &a), BLO_OK);
  BLO_EXPECT_ALL(blo_test_sweep_faults(comm, create_all, a) >= 9 * blo_comm_size(comm));
  blo_dense_destroy(&a);
  blo_grid_destroy(&grid);
}

static const blo_test tests[] = {
    {"Cholesky solves and goes away", cholesky_solves_and_goes_away},
    {"LU solves indefinite ones", lu_solves_indefinite_ones},
    {"indefinite ones stay as they are", indefinite_ones_stay_as_they_are},
    {"what is not finite has no factors", what_is_not_finite_has_no_factors},
    {"singular matrices are refused", singular_matrices_are_refused},
    {"factors that overflow are refused", factors_that_overflow_are_refused},
    {"bits repeat", bits_repeat},
    {"one rank has the bits of one rank", one_rank_has_the_bits_of_one_rank},
    {"zeros have no sign", zeros_have_no_sign},
    {"bytes are foreseen", bytes_are_foreseen},
    {"every allocation may fail", every_allocation_may_fail},
};
BLO_TEST_MAIN("factor", tests)

/* ranks: 1 2 3 4 6 */
/* The projection of symmetric matrices on {mu <= eigenvalues <= L}, and solves with it. */
#include "harness.h"
#include "spectral.h"
#include <blo/dense.h>
#include <math.h>
#include <string.h>

enum { N_MAX = 600 };

/* What a clip is to do, written down once more: with l in hand, by cases. */
static double clipped(double l, double mu, double L, blo_clip_mode mode)
{
  if (mode == BLO_CLIP_SVD && l < 0) {
    return l < -L ? -L : l > -mu ? -mu : l;
  }
  return l < mu ? mu : l > L ? L : l;
}

static double wanted_x(blo_int i)
{
  return cos(2 * (double)i) - 0.3;
}

/* Solve b = A x with the clipped matrix s three times, with a release before the last one. */
static void check_solve(blo_clip *c, const spectral *s, double tolerance)
{
  static double x[N_MAX], b[N_MAX];
  for (int turn = 0; turn < 3; turn++) {
    double error = 0;
    for (blo_int i = 0; i < s->n; i++) {
      x[i] = wanted_x(i);
    }
    spectral_times(s, x, b);
    blo_clip_solve(c, b);
    for (blo_int i = 0; i < s->n; i++) {
      error = fmax(error, fabs(b[i] - x[i]));
    }
    BLO_EXPECT_NEAR(error, 0, 0, tolerance, "x of b = A x");
    if (turn == 1) {
      blo_clip_release(c);
    }
  }
  blo_clip_release(c);
}

/* How many eigenvalues the clip changes; rounding errors may change more, those on the bounds. */
static blo_int count(blo_int n, const double *l, blo_clip_mode mode, double first, double end)
{
  blo_int sum = 0;
  for (blo_int k = 0; k < n; k++) {
    double size = mode == BLO_CLIP_SVD ? fabs(l[k]) : l[k];
    sum += first < size && size < end;
  }
  return sum;
}

static void check_report(blo_clip *c, blo_int n, const double *l, double mu, double L,
                         blo_clip_mode mode)
{
  const double inf = (double)INFINITY;
  double least = l[0], most = l[0];
  blo_clip_report r = blo_clip_last(c);
  BLO_EXPECT_ALL(r.path == BLO_CLIP_SPECTRUM && r.spectrum == 1 && r.inactive == 0);
  BLO_EXPECT_ALL(r.below >= count(n, l, mode, -inf, mu) &&
                 r.below <= count(n, l, mode, -inf, mu * (1 + 1e-9)));
  BLO_EXPECT_ALL(r.above >= count(n, l, mode, L, inf) &&
                 r.above <= count(n, l, mode, L * (1 - 1e-9), inf));
  BLO_EXPECT_ALL(r.negative == count(n, l, BLO_CLIP_EIG, -inf, 0));
  for (blo_int k = 0; k < n; k++) {
    least = fmin(least, l[k]);
    most = fmax(most, l[k]);
  }
  BLO_EXPECT_NEAR(r.least, least, 1e-12, 1e-12 * fabs(most), "the eigenvalues");
  BLO_EXPECT_NEAR(r.most, most, 1e-12, 1e-12 * fabs(least), "the eigenvalues");
}

/* Clip the matrix with eigenvalues l, of which one at least is to change. */
static void check_active(blo_grid *grid, blo_int n, const double *l, double mu, double L,
                         blo_clip_mode mode)
{
  blo_comm *comm = blo_grid_comm(grid);
  double after[N_MAX], size = 0;
  spectral s, want;
  blo_clip *c = NULL;
  for (blo_int k = 0; k < n; k++) {
    after[k] = clipped(l[k], mu, L, mode);
    size = fmax(size, fabs(l[k]));
  }
  spectral_make(comm, n, l, &s);
  spectral_make(comm, n, after, &want);
  blo_dense *a = spectral_dense(grid, &s), *mirrored = NULL;
  BLO_REQUIRE_STATUS(blo_clip_create(a, &c), BLO_OK);
  BLO_REQUIRE_STATUS(blo_clip_apply(c, mu, L, mode), BLO_OK);
  double error = spectral_distance(a, &want);
  BLO_EXPECT_MSG(error <= 1e-13 * (size + L), "n = %lld, block %lld: an entry is wrong by %g",
                 (long long)n, (long long)blo_grid_block(grid), error);
  check_report(c, n, l, mu, L, mode);
  check_solve(c, &want, 1e-11 * fmax(1, size / mu * 1e-3));
  BLO_REQUIRE_STATUS(blo_dense_create(grid, n, n, &mirrored), BLO_OK);
  blo_dense_copy(a, mirrored);
  blo_dense_mirror(mirrored, false);
  BLO_EXPECT_ALL(spectral_bits(a) == spectral_bits(mirrored));
  blo_clip_destroy(&c);
  blo_dense_destroy(&a);
  blo_dense_destroy(&mirrored);
  spectral_free(comm, &s);
  spectral_free(comm, &want);
}

/* Inside [1, 8], on its ends, outside, 0, negative, the ones with the same rest modulo 8 alike. */
static void mixture(blo_int n, double *l)
{
  static const double kinds[] = {-3, 0, 0.5, 20, 1, 8, 4, -0.25};
  for (blo_int k = 0; k < n; k++) {
    l[k] = kinds[k % 8] + (k % 8 == 6 ? 0.01 * (double)(k % 100) : 0);
  }
}

static void check_mixture(blo_grid *grid, blo_int n)
{
  double l[N_MAX];
  mixture(n, l);
  check_active(grid, n, l, 1, 8, BLO_CLIP_EIG);
  check_active(grid, n, l, 1, 8, BLO_CLIP_SVD);
}

static void spectra_are_clipped(blo_comm *comm)
{
  spectral_cases(comm, 2, check_mixture);
}

/* -3, 0, 0.5, 20 with [1, 8]: 1, 1, 1, 8, or with signs -3, 1, 1, 8. The reference is here a
 * diagonal matrix, and numbers written down. */
typedef struct example {
  double l[4];
} example;

static double example_entry(void *arg, blo_int i, blo_int j)
{
  return i == j ? ((const example *)arg)->l[i] : 0;
}

static void the_example_comes_out(blo_comm *comm)
{
  example before = {{-3, 0, 0.5, 20}};
  const example after[] = {{{1, 1, 1, 8}}, {{-3, 1, 1, 8}}};
  blo_grid *grid = spectral_grid(comm, 0, 2);
  blo_dense *a = NULL;
  blo_clip *c = NULL;
  BLO_REQUIRE_STATUS(blo_dense_create(grid, 4, 4, &a), BLO_OK);
  BLO_REQUIRE_STATUS(blo_clip_create(a, &c), BLO_OK);
  for (int mode = 0; mode < 2; mode++) {
    spectral want;
    blo_dense_set(a, example_entry, &before);
    BLO_REQUIRE_STATUS(blo_clip_apply(c, 1, 8, (blo_clip_mode)mode), BLO_OK);
    want = (spectral){4, (double[16]){0}};
    for (int i = 0; i < 4; i++) {
      want.a[5 * i] = after[mode].l[i];
    }
    BLO_EXPECT_NEAR(spectral_distance(a, &want), 0, 0, 1e-14, "by hand");
    blo_clip_report r = blo_clip_last(c);
    BLO_EXPECT_ALL(r.below == (mode == 0 ? 3 : 2) && r.above == 1 && r.negative == 1);
    BLO_EXPECT_ALL(fabs(r.least + 3) < 1e-14 && fabs(r.most - 20) < 1e-13);
  }
  blo_clip_destroy(&c);
  blo_dense_destroy(&a);
  blo_grid_destroy(&grid);
}

static void only_one_side_may_be_active(blo_comm *comm)
{
  const double low[] = {2, 3, 0.1, 5, 6, 2.5}, high[] = {2, 3, 100, 5, 6, 2.5};
  const double all_below[] = {-9, -3, -2, 0, 0.1, 0.5}, negative[] = {-2, -3, -4, -5, -7, -0.1};
  blo_grid *grid = spectral_grid(comm, 0, 2);
  for (int mode = 0; mode < 2; mode++) {
    check_active(grid, 6, low, 1, 8, (blo_clip_mode)mode);
    check_active(grid, 6, high, 1, 8, (blo_clip_mode)mode);
    check_active(grid, 6, all_below, 1, 8, (blo_clip_mode)mode);
    check_active(grid, 6, negative, 1, 8, (blo_clip_mode)mode);
    check_active(grid, 6, low, 3, 3, (blo_clip_mode)mode);
  }
  blo_grid_destroy(&grid);
}

/* Raising one small eigenvalue leaves the rest alone: in Frobenius' norm, the error is that of the
 * one eigenvalue, some eps |A|, and not of n of them. */
static void what_is_not_clipped_keeps_its_digits(blo_comm *comm)
{
  enum { N = 300 };
  const double mu = 1e-6;
  double l[N], change[N] = {0};
  blo_grid *grid = spectral_grid(comm, 0, 16);
  spectral s, want;
  blo_clip *c = NULL;
  for (int k = 0; k < N; k++) {
    l[k] = k == 7 ? -1e-9 : 100 + 0.1 * k;
  }
  change[7] = mu - l[7];
  spectral_make(comm, N, l, &s);
  spectral_make(comm, N, change, &want);
  blo_dense *a = spectral_dense(grid, &s);
  for (int i = 0; i < N * N; i++) {
    want.a[i] += s.a[i];
  }
  BLO_REQUIRE_STATUS(blo_clip_create(a, &c), BLO_OK);
  BLO_REQUIRE_STATUS(blo_clip_apply(c, mu, 1e3, BLO_CLIP_EIG), BLO_OK);
  BLO_EXPECT_ALL(blo_clip_last(c).below == 1);
  blo_dense *rest = spectral_dense(grid, &want);
  blo_dense_axpy(-1, a, rest);
  BLO_EXPECT_NEAR(blo_dense_norm_frobenius(rest), 0, 0, 4e-13, "the sum");
  blo_dense_destroy(&rest);
  blo_clip_destroy(&c);
  blo_dense_destroy(&a);
  spectral_free(comm, &s);
  spectral_free(comm, &want);
  blo_grid_destroy(&grid);
}

/* Eigenvalues a billion times as large as L must not spoil definiteness by their rounding errors:
 * A - (mu / 2) I has Cholesky factors, and (L + mu) I - A. */
static void large_eigenvalues_leave_it_definite(blo_comm *comm)
{
  enum { N = 50 };
  const double mu = 1e-6, L = 1;
  double l[N];
  blo_grid *grid = spectral_grid(comm, 0, 8);
  spectral s;
  blo_clip *c = NULL;
  blo_factor *f = NULL;
  bool definite = false;
  for (int k = 0; k < N; k++) {
    l[k] = k % 2 == 0 ? 1e12 * sin((double)k) : 1e-3 * (double)k;
  }
  spectral_make(comm, N, l, &s);
  blo_dense *a = spectral_dense(grid, &s);
  BLO_REQUIRE_STATUS(blo_clip_create(a, &c), BLO_OK);
  BLO_REQUIRE_STATUS(blo_clip_apply(c, mu, L, BLO_CLIP_EIG), BLO_OK);
  BLO_REQUIRE_STATUS(blo_factor_create(a, 1, &f), BLO_OK);
  blo_factor_cholesky(f, -mu / 2, &definite);
  BLO_EXPECT_ALL(definite);
  if (definite) {
    blo_factor_undo(f);
  }
  blo_dense_scale(-1, a);
  blo_factor_cholesky(f, L + mu, &definite);
  BLO_EXPECT_ALL(definite);
  blo_factor_destroy(&f);
  blo_clip_destroy(&c);
  blo_dense_destroy(&a);
  spectral_free(comm, &s);
  blo_grid_destroy(&grid);
}

/* ----------------------------------------------------------------- inactive */

static void check_inactive(blo_grid *grid, blo_int n, double mu, double L, blo_clip_mode mode)
{
  blo_comm *comm = blo_grid_comm(grid);
  double l[N_MAX];
  spectral s;
  blo_clip *c = NULL;
  for (blo_int k = 0; k < n; k++) {
    l[k] = 1 + 7 * (double)k / (double)(n > 1 ? n - 1 : 1);
  }
  spectral_make(comm, n, l, &s);
  blo_dense *a = spectral_dense(grid, &s);
  uint32_t before = spectral_bits(a);
  BLO_REQUIRE_STATUS(blo_clip_create(a, &c), BLO_OK);
  for (blo_int turn = 1; turn <= 2; turn++) {
    BLO_REQUIRE_STATUS(blo_clip_apply(c, mu, L, mode), BLO_OK);
    blo_clip_report r = blo_clip_last(c);
    BLO_EXPECT_ALL(r.path == BLO_CLIP_INACTIVE && r.inactive == turn && r.spectrum == 0);
    BLO_EXPECT_ALL(r.below == 0 && r.above == 0 && isnan(r.least) && isnan(r.most));
    BLO_EXPECT_ALL(spectral_bits(a) == before);
    check_solve(c, &s, 1e-12);
    BLO_EXPECT_ALL(spectral_bits(a) == before);
  }
  blo_clip_destroy(&c);
  blo_dense_destroy(&a);
  spectral_free(comm, &s);
}

/* The second L is below both norms, so that it takes the second factorisation. */
static void check_both_bounds(blo_grid *grid, blo_int n)
{
  check_inactive(grid, n, 0.9, 1e4, BLO_CLIP_EIG);
  check_inactive(grid, n, 0.9, 8.1, BLO_CLIP_SVD);
}

static void a_clip_that_changes_nothing_is_cheap(blo_comm *comm)
{
  spectral_cases(comm, 2, check_both_bounds);
}

/* Three by three on the diagonal, with eigenvalues 3, 6, 6 and 1-norm 7; zeros of both signs
 * elsewhere. */
static double with_zeros(void *arg, blo_int i, blo_int j)
{
  (void)arg;
  if (i / 3 != j / 3) {
    return (i + j) % 2 == 0 ? -0.0 : 0;
  }
  return i == j ? 5 : i % 3 + j % 3 == 3 ? -1 : 1;
}

/* Neither a look at the matrix, with both factorisations, nor a solve gives a zero another sign. */
static void check_zeros(blo_grid *grid, blo_int n)
{
  double b[N_MAX] = {1};
  blo_clip *c = NULL;
  blo_dense *a = NULL;
  BLO_REQUIRE_STATUS(blo_dense_create(grid, n, n, &a), BLO_OK);
  blo_dense_set(a, with_zeros, NULL);
  uint32_t before = spectral_bits(a);
  BLO_REQUIRE_STATUS(blo_clip_create(a, &c), BLO_OK);
  BLO_REQUIRE_STATUS(blo_clip_apply(c, 1, 6.5, BLO_CLIP_EIG), BLO_OK);
  BLO_EXPECT_ALL(blo_clip_last(c).path == BLO_CLIP_INACTIVE);
  BLO_EXPECT_ALL(spectral_bits(a) == before);
  blo_clip_solve(c, b);
  blo_clip_release(c);
  BLO_EXPECT_ALL(spectral_bits(a) == before);
  blo_clip_destroy(&c);
  blo_dense_destroy(&a);
}

static void zeros_keep_their_sign(blo_comm *comm)
{
  static const blo_int blocks[] = {1, 3, 64};
  for (int k = 0; k < 3; k++) {
    blo_grid *grid = spectral_grid(comm, 0, blocks[k]);
    check_zeros(grid, 20);
    check_zeros(grid, 100);
    blo_grid_destroy(&grid);
  }
}

/* With 1-norm and Frobenius norm hardly above L, and one eigenvalue as well. */
static void a_bound_that_is_just_passed_counts(blo_comm *comm)
{
  const double l[] = {1, 1, 1, 10.01};
  blo_grid *grid = spectral_grid(comm, 0, 2);
  blo_clip *c = NULL;
  spectral s;
  spectral_make(comm, 4, l, &s);
  blo_dense *a = spectral_dense(grid, &s);
  BLO_REQUIRE_STATUS(blo_clip_create(a, &c), BLO_OK);
  BLO_REQUIRE_STATUS(blo_clip_apply(c, 0.5, 10, BLO_CLIP_EIG), BLO_OK);
  BLO_EXPECT_ALL(blo_clip_last(c).path == BLO_CLIP_SPECTRUM && blo_clip_last(c).above == 1);
  blo_clip_destroy(&c);
  blo_dense_destroy(&a);
  spectral_free(comm, &s);
  blo_grid_destroy(&grid);
}

/* ------------------------------------------------------------------- misuse */

static double nan_entry(void *arg, blo_int i, blo_int j)
{
  (void)arg;
  return i + j == 9 ? (double)NAN : i == j ? 3 : 0.5;
}

static void what_is_not_finite_is_refused(blo_comm *comm)
{
  blo_grid *grid = spectral_grid(comm, 0, 3);
  blo_dense *a = NULL;
  blo_clip *c = NULL;
  BLO_REQUIRE_STATUS(blo_dense_create(grid, 10, 10, &a), BLO_OK);
  blo_dense_set(a, nan_entry, NULL);
  uint32_t before = spectral_bits(a);
  BLO_REQUIRE_STATUS(blo_clip_create(a, &c), BLO_OK);
  BLO_EXPECT_STATUS(blo_clip_apply(c, 1, 8, BLO_CLIP_EIG), BLO_E_NONFINITE);
  BLO_EXPECT_ALL(spectral_bits(a) == before && blo_clip_last(c).path == BLO_CLIP_NONE);
  blo_clip_destroy(&c);
  blo_dense_destroy(&a);
  blo_grid_destroy(&grid);
}

/* --------------------------------------------------------------------- bits */

static uint32_t bits_on(blo_grid *grid, blo_int n)
{
  static double l[N_MAX], b[N_MAX];
  spectral s;
  blo_clip *c = NULL;
  mixture(n, l);
  spectral_make(blo_grid_comm(grid), n, l, &s);
  blo_dense *a = spectral_dense(grid, &s);
  BLO_REQUIRE_STATUS(blo_clip_create(a, &c), BLO_OK);
  BLO_REQUIRE_STATUS(blo_clip_apply(c, 1, 8, BLO_CLIP_EIG), BLO_OK);
  for (blo_int i = 0; i < n; i++) {
    b[i] = wanted_x(i);
  }
  blo_clip_solve(c, b);
  uint32_t crc = blo_crc32(spectral_bits(a), b, (size_t)n * sizeof *b);
  blo_clip_destroy(&c);
  blo_dense_destroy(&a);
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

static void bytes_are_foreseen(blo_comm *comm)
{
  static const blo_int sizes[] = {1, 10, 64, 65, 300};
  bool exact = strcmp(blo_eigen_library(), "ELPA") != 0;
  blo_context *ctx = blo_comm_context(comm);
  blo_grid *grid = spectral_grid(comm, 0, 16);
  for (int k = 0; k < 5; k++) {
    blo_dense *a = NULL;
    blo_clip *c = NULL;
    double want = (double)blo_clip_bytes(grid, sizes[k]);
    BLO_REQUIRE_STATUS(blo_dense_create(grid, sizes[k], sizes[k], &a), BLO_OK);
    double before = (double)blo_memory(ctx).bytes;
    BLO_REQUIRE_STATUS(blo_clip_create(a, &c), BLO_OK);
    double got = blo_max_all(comm, (double)blo_memory(ctx).bytes - before);
    BLO_EXPECT_MSG(want + 2048 >= got && (!exact || got >= want), "%g bytes foreseen, %g taken",
                   want, got);
    blo_clip_destroy(&c);
    blo_dense_destroy(&a);
  }
  blo_grid_destroy(&grid);
}

static blo_status create(blo_comm *comm, void *arg)
{
  blo_clip *c = NULL;
  blo_status status = blo_clip_create(arg, &c);
  (void)comm;
  blo_clip_destroy(&c);
  return status;
}

static void every_allocation_may_fail(blo_comm *comm)
{
  blo_grid *grid = spectral_grid(comm, 0, 4);
  blo_dense *a = NULL;
  BLO_REQUIRE_STATUS(blo_dense_create(grid, 20, 20, &a), BLO_OK);
  BLO_EXPECT_ALL(blo_test_sweep_faults(comm, create, a) >= 20 * blo_comm_size(comm));
  blo_dense_destroy(&a);
  blo_grid_destroy(&grid);
}

/* Nothing is allocated once it is made. */
static void clips_allocate_nothing(blo_comm *comm)
{
  enum { N = 40 };
  double l[N], b[N] = {1};
  blo_grid *grid = spectral_grid(comm, 0, 8);
  spectral s;
  blo_clip *c = NULL;
  mixture(N, l);
  spectral_make(comm, N, l, &s);
  blo_dense *a = spectral_dense(grid, &s);
  BLO_REQUIRE_STATUS(blo_clip_create(a, &c), BLO_OK);
  blo_int before = blo_memory(blo_comm_context(comm)).total;
  BLO_REQUIRE_STATUS(blo_clip_apply(c, 1, 8, BLO_CLIP_EIG), BLO_OK);
  blo_clip_solve(c, b);
  BLO_REQUIRE_STATUS(blo_clip_apply(c, 0.5, 9, BLO_CLIP_EIG), BLO_OK);
  BLO_EXPECT_ALL(blo_clip_last(c).path == BLO_CLIP_INACTIVE);
  blo_clip_solve(c, b);
  blo_clip_release(c);
  BLO_EXPECT_ALL(blo_memory(blo_comm_context(comm)).total == before);
  blo_clip_destroy(&c);
  blo_dense_destroy(&a);
  spectral_free(comm, &s);
  blo_grid_destroy(&grid);
}

static const blo_test tests[] = {
    {"spectra are clipped", spectra_are_clipped},
    {"the example comes out", the_example_comes_out},
    {"only one side may be active", only_one_side_may_be_active},
    {"what is not clipped keeps its digits", what_is_not_clipped_keeps_its_digits},
    {"large eigenvalues leave it definite", large_eigenvalues_leave_it_definite},
    {"a clip that changes nothing is cheap", a_clip_that_changes_nothing_is_cheap},
    {"zeros keep their sign", zeros_keep_their_sign},
    {"a bound that is just passed counts", a_bound_that_is_just_passed_counts},
    {"what is not finite is refused", what_is_not_finite_is_refused},
    {"bits repeat", bits_repeat},
    {"one rank has the bits of one rank", one_rank_has_the_bits_of_one_rank},
    {"bytes are foreseen", bytes_are_foreseen},
    {"every allocation may fail", every_allocation_may_fail},
    {"clips allocate nothing", clips_allocate_nothing},
};
BLO_TEST_MAIN("clip", tests)

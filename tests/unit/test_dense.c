/* Layer linalg: distributed matrices have the entries that they should, wherever these are.
 * ranks: 1 2 3 4 6 */
#include "harness.h"
#include "whole.h"
#include <blo/dense.h>
#include <float.h>
#include <math.h>
#include <string.h>

enum { M = 41, N = 53, MOST = N * N };

/** Shapes of grids: ranks (0: all) and blocks. */
static const blo_dense_options shapes[] = {{0, 1}, {0, 7}, {0, 64}, {1, 8}, {2, 5}, {4, 16}};

static double value(void *seed, blo_int i, blo_int j)
{
  return sin((double)(i * 7 + j * 13 + *(const int *)seed)) * exp2((double)((i * j) % 9) - 4);
}

/** Largest |got - want| where want is an entry function of two indices. */
static double distance(const blo_dense *a, double (*want)(void *, blo_int, blo_int), void *arg)
{
  static double all[MOST];
  double most = 0;

  whole_matrix(a, all);
  for (blo_int j = 0; j < blo_dense_n(a); j++) {
    for (blo_int i = 0; i < blo_dense_m(a); i++) {
      double d = fabs(all[j * blo_dense_m(a) + i] - want(arg, i, j));
      most = d <= most ? most : d;
    }
  }
  return most;
}

/** Run a test on every shape of grid. */
static void on_grids(blo_comm *comm, void (*test)(blo_grid *grid))
{
  for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
    blo_grid *grid = NULL;
    BLO_REQUIRE_STATUS(blo_grid_create(comm, &shapes[k], &grid), BLO_OK);
    test(grid);
    blo_grid_destroy(&grid);
  }
}

static blo_dense *make(blo_grid *grid, blo_int m, blo_int n, int seed)
{
  blo_dense *a = NULL;

  BLO_REQUIRE_STATUS(blo_dense_create(grid, m, n, &a), BLO_OK);
  blo_dense_set(a, value, &seed);
  return a;
}

static void grids_are_near_square(blo_comm *comm)
{
  static const int want[][2] = {{1, 1}, {1, 2}, {1, 3}, {2, 2}, {2, 2}, {2, 3}};
  int size = blo_comm_size(comm);

  for (int ranks = 0; ranks <= size; ranks++) {
    blo_dense_options o = {ranks, 8};
    int r = ranks == 0 ? size : ranks;
    blo_grid *grid = NULL;
    BLO_REQUIRE_STATUS(blo_grid_create(comm, &o, &grid), BLO_OK);
    BLO_EXPECT_ALL(blo_grid_rows(grid) == want[r - 1][0]);
    BLO_EXPECT_ALL(blo_grid_cols(grid) == want[r - 1][1]);
    BLO_EXPECT_ALL(blo_grid_inside(grid) ==
                   (blo_comm_rank(comm) < want[r - 1][0] * want[r - 1][1]));
    blo_grid_destroy(&grid);
  }
}

static double zero(void *arg, blo_int i, blo_int j)
{
  (void)arg, (void)i, (void)j;
  return 0;
}

static void test_entries(blo_grid *grid)
{
  blo_dense *a = make(grid, M, N, 1), *b = NULL;
  int seed = 1;

  BLO_EXPECT_ALL(distance(a, value, &seed) == 0);
  BLO_REQUIRE_STATUS(blo_dense_create(grid, M, N, &b), BLO_OK);
  BLO_EXPECT_ALL(distance(b, zero, NULL) == 0);
  blo_dense_copy(a, b);
  blo_dense_scale(-3, b);
  blo_dense_axpy(4, a, b);
  BLO_EXPECT_ALL(distance(b, value, &seed) < 1e-14);
  blo_dense_fill(0, b);
  BLO_EXPECT_ALL(distance(b, zero, NULL) == 0);
  blo_dense_destroy(&a);
  blo_dense_destroy(&b);
}

/* BLACS has one handle for all grids of a communicator. */
static void grids_may_stand_side_by_side(blo_comm *comm)
{
  blo_dense_options o = {0, 8}, p = {1, 3};
  blo_grid *a = NULL, *b = NULL;

  for (int i = 0; i < 3; i++) {
    BLO_REQUIRE_STATUS(blo_grid_create(comm, &o, &a), BLO_OK);
    BLO_REQUIRE_STATUS(blo_grid_create(comm, &p, &b), BLO_OK);
    test_entries(b);
    blo_grid_destroy(i % 2 == 0 ? &a : &b);
    test_entries(i % 2 == 0 ? b : a);
    blo_grid_destroy(&a);
    blo_grid_destroy(&b);
  }
}

static void entries_are_where_they_belong(blo_comm *comm)
{
  on_grids(comm, test_entries);
}

/** Rank r of P holds its share of the columns [first, first + n), or of the rows. */
static void cut(blo_grid *grid, bool rows, blo_int first, blo_int n, blo_rect *rects)
{
  int size = blo_comm_size(blo_grid_comm(grid));

  for (int r = 0; r < size; r++) {
    blo_int begin = first + blo_shard_begin(n, size, r);
    blo_int count = first + blo_shard_begin(n, size, r + 1) - begin;
    rects[r] = rows ? (blo_rect){begin, count, 3, N - 3} : (blo_rect){2, M - 2, begin, count};
  }
}

static void fill_rect(const blo_rect *r, int seed, double *mine)
{
  for (blo_int j = 0; j < r->n_cols; j++) {
    for (blo_int i = 0; i < r->n_rows; i++) {
      mine[j * r->n_rows + i] = value(&seed, r->row + i, r->col + j);
    }
  }
}

typedef struct inner {
  bool rows;
  blo_int first, n;
  double scale;
} inner;

static double want_inner(void *arg, blo_int i, blo_int j)
{
  const inner *w = arg;
  int seed = 2, old = 1;
  blo_int k = w->rows ? i : j;
  bool in = k >= w->first && k < w->first + w->n && (w->rows ? j >= 3 : i >= 2);

  return value(&old, i, j) + (in ? w->scale * value(&seed, i, j) : 0);
}

static void test_rects(blo_grid *grid)
{
  static double mine[MOST];
  blo_int most = blo_dense_owned_most(grid, M, N);
  blo_rect rects[8];
  int rank = blo_comm_rank(blo_grid_comm(grid));
  blo_mover *mover = NULL;

  BLO_REQUIRE_STATUS(blo_mover_create(grid, M * N, most, &mover), BLO_OK);
  for (int rows = 0; rows < 2; rows++) {
    blo_dense *a = make(grid, M, N, 1);
    inner w = {rows == 1, 5, 31, -0.5};
    cut(grid, w.rows, w.first, w.n, rects);
    fill_rect(&rects[rank], 2, mine);
    blo_dense_add(a, w.scale, rects, mine, mover);
    BLO_EXPECT_ALL(distance(a, want_inner, &w) < 1e-14);
    memset(mine, 0, sizeof mine);
    blo_dense_get(a, rects, mine, mover);
    for (blo_int k = 0; k < rects[rank].n_rows * rects[rank].n_cols; k++) {
      blo_int i = rects[rank].row + k % rects[rank].n_rows;
      blo_int j = rects[rank].col + k / rects[rank].n_rows;
      mine[k] -= want_inner(&w, i, j);
    }
    BLO_EXPECT_ALL(blo_array_dot(rects[rank].n_rows * rects[rank].n_cols, mine, mine) < 1e-26);
    blo_dense_destroy(&a);
  }
  blo_mover_destroy(&mover);
}

static void rectangles_go_to_their_owners_and_back(blo_comm *comm)
{
  on_grids(comm, test_rects);
}

static double from_lower(void *seed, blo_int i, blo_int j)
{
  return i >= j ? value(seed, i, j) : value(seed, j, i);
}

static double from_upper(void *seed, blo_int i, blo_int j)
{
  return i <= j ? value(seed, i, j) : value(seed, j, i);
}

static double mean(void *seed, blo_int i, blo_int j)
{
  return 0.5 * value(seed, i, j) + 0.5 * value(seed, j, i);
}

static double shifted(void *seed, blo_int i, blo_int j)
{
  return mean(seed, i, j) + (i == j ? 2.5 : 0);
}

static void test_triangles(blo_grid *grid)
{
  int seed = 3;

  for (blo_int n = 1; n <= N; n += 13) {
    blo_dense *a = make(grid, n, n, seed);
    blo_dense_mirror(a, true);
    BLO_EXPECT_ALL(distance(a, from_lower, &seed) == 0);
    blo_dense_set(a, value, &seed);
    blo_dense_mirror(a, false);
    BLO_EXPECT_ALL(distance(a, from_upper, &seed) == 0);
    blo_dense_set(a, value, &seed);
    blo_dense_symmetrise(a);
    BLO_EXPECT_ALL(distance(a, mean, &seed) <= 16 * DBL_EPSILON);
    blo_dense_shift(2.5, a);
    BLO_EXPECT_ALL(distance(a, shifted, &seed) <= 32 * DBL_EPSILON);
    blo_dense_destroy(&a);
  }
}

static void triangles_become_alike(blo_comm *comm)
{
  on_grids(comm, test_triangles);
}

static void test_norms(blo_grid *grid)
{
  blo_dense *a = make(grid, M, N, 4);
  double one = 0, squares = 0;
  int seed = 4;

  for (blo_int j = 0; j < N; j++) {
    double sum = 0;
    for (blo_int i = 0; i < M; i++) {
      sum += fabs(value(&seed, i, j));
      squares += value(&seed, i, j) * value(&seed, i, j);
    }
    one = fmax(one, sum);
  }
  BLO_EXPECT_NEAR(blo_dense_norm_one(a), one, 1e-14, 0, "the sums themselves");
  BLO_EXPECT_NEAR(blo_dense_norm_frobenius(a), sqrt(squares), 1e-14, 0, "the sum itself");
  blo_dense_scale((double)NAN, a);
  BLO_EXPECT_ALL(isnan(blo_dense_norm_one(a)) && isnan(blo_dense_norm_frobenius(a)));
  blo_dense_destroy(&a);
}

static void norms_are_those_of_all_entries(blo_comm *comm)
{
  on_grids(comm, test_norms);
}

static void test_multiply(blo_grid *grid)
{
  blo_dense *a = make(grid, M, N, 5);
  double in[N], out[N], want, worst = 0;
  int seed = 5;

  for (int t = 0; t < 2; t++) {
    for (blo_int k = 0; k < N; k++) {
      in[k] = cos((double)k);
    }
    blo_dense_multiply(t == 1, a, in, out);
    for (blo_int i = 0; i < (t == 1 ? N : M); i++) {
      want = 0;
      for (blo_int j = 0; j < (t == 1 ? M : N); j++) {
        want += in[j] * (t == 1 ? value(&seed, j, i) : value(&seed, i, j));
      }
      worst = fmax(worst, fabs(out[i] - want));
    }
    BLO_EXPECT_SAME_BYTES(out, (t == 1 ? N : M) * sizeof *out);
  }
  BLO_EXPECT_ALL(worst < 1e-12);
  blo_dense_destroy(&a);
}

static void products_with_vectors_are_replicated(blo_comm *comm)
{
  on_grids(comm, test_multiply);
}

typedef struct product {
  bool ta, tb;
} product;

static double want_product(void *arg, blo_int i, blo_int j)
{
  const product *p = arg;
  int sa = 6, sb = 7, sc = 8;
  double sum = 0;

  for (blo_int k = 0; k < 29; k++) {
    sum += (p->ta ? value(&sa, k, i) : value(&sa, i, k)) *
           (p->tb ? value(&sb, j, k) : value(&sb, k, j));
  }
  return -2 * sum + 3 * value(&sc, i, j);
}

static void test_gemm(blo_grid *grid)
{
  for (int kind = 0; kind < 4; kind++) {
    product p = {kind % 2 == 1, kind / 2 == 1};
    blo_dense *a = p.ta ? make(grid, 29, M, 6) : make(grid, M, 29, 6);
    blo_dense *b = p.tb ? make(grid, N, 29, 7) : make(grid, 29, N, 7);
    blo_dense *c = make(grid, M, N, 8);
    blo_dense_gemm(p.ta, p.tb, -2, a, b, 3, c);
    BLO_EXPECT_ALL(distance(c, want_product, &p) < 1e-11);
    blo_dense_destroy(&a);
    blo_dense_destroy(&b);
    blo_dense_destroy(&c);
  }
}

static void products_of_matrices_have_all_forms(blo_comm *comm)
{
  on_grids(comm, test_gemm);
}

static void sizes_beyond_the_integers_are_refused(blo_comm *comm)
{
  blo_dense_options o = {0, 64};
  blo_grid *grid = NULL;
  blo_dense *a = NULL;

  BLO_REQUIRE_STATUS(blo_grid_create(comm, &o, &grid), BLO_OK);
  BLO_EXPECT_STATUS(blo_dense_create(grid, 200000, 200000, &a), BLO_E_SHAPE);
  BLO_EXPECT_ERROR_HAS("use more ranks");
  BLO_EXPECT_STATUS(blo_dense_create(grid, (blo_int)1 << 31, 1, &a), BLO_E_SHAPE);
  blo_grid_destroy(&grid);
}

static void memory_is_as_predicted(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_dense_options o = {0, 16};
  blo_grid *grid = NULL;
  blo_dense *a = NULL;
  blo_int before, used;

  BLO_REQUIRE_STATUS(blo_grid_create(comm, &o, &grid), BLO_OK);
  before = blo_memory(ctx).bytes;
  BLO_REQUIRE_STATUS(blo_dense_create(grid, 300, 200, &a), BLO_OK);
  used = (blo_int)blo_max_all(comm, (double)(blo_memory(ctx).bytes - before));
  BLO_EXPECT_NEAR((double)used, (double)blo_dense_bytes(grid, 300, 200), 0, 512, "the prediction");
  blo_dense_destroy(&a);
  blo_grid_destroy(&grid);
}

static blo_status make_all(blo_comm *comm, void *arg)
{
  blo_dense_options o = {0, 16};
  blo_status status = BLO_OK;
  blo_grid *grid = NULL;
  blo_dense *a = NULL;
  blo_mover *mover = NULL;

  (void)arg;
  BLO_GO(blo_grid_create(comm, &o, &grid));
  BLO_GO(blo_dense_create(grid, 40, 30, &a));
  BLO_GO_ALL(comm, blo_mover_create(grid, 30, 30, &mover));
done:
  blo_mover_destroy(&mover);
  blo_dense_destroy(&a);
  blo_grid_destroy(&grid);
  return status;
}

static void every_allocation_may_fail(blo_comm *comm)
{
  BLO_EXPECT_ALL(blo_test_sweep_faults(comm, make_all, NULL) > 0);
}

static const blo_test tests[] = {
    {"grids are near-square", grids_are_near_square},
    {"grids may stand side by side", grids_may_stand_side_by_side},
    {"entries are where they belong", entries_are_where_they_belong},
    {"rectangles go to their owners and back", rectangles_go_to_their_owners_and_back},
    {"triangles become alike", triangles_become_alike},
    {"norms are those of all entries", norms_are_those_of_all_entries},
    {"products with vectors are replicated", products_with_vectors_are_replicated},
    {"products of matrices have all forms", products_of_matrices_have_all_forms},
    {"sizes beyond the integers are refused", sizes_beyond_the_integers_are_refused},
    {"memory is as predicted", memory_is_as_predicted},
    {"every allocation may fail", every_allocation_may_fail},
};
BLO_TEST_MAIN("dense", tests)

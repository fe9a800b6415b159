/* Distributed matrices in checkpoints: all bits come back on any process grid and block size, the
 * file has the matrix itself, row after row, damage is noticed, and no rank holds more than panels.
 * ranks: 1 2 3 4 6 */
#include "harness.h"

#include <blo/checkpoint.h>
#include <dirent.h>
#include <fcntl.h>
#include <hdf5_hl.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_CAP = 512, SEAL_LENGTH = 64, PANEL_NUMBERS = 1 << 20, MAX_MATRICES = 3 };

/* ------------------------------------------------------------ the contents */

/* Numbers that arithmetic would change come first; then any finite ones, from splitmix64. */
static double bits_at(uint64_t seed, blo_int i)
{
  static const double special[] = {
      -0.0, 0.0, 5e-324, -2.2e-308, (double)NAN, (double)INFINITY, 1.7976931348623157e308};
  enum { N = sizeof special / sizeof *special };
  uint64_t z = seed * 1000003 + (uint64_t)i * 0x9E3779B97F4A7C15u;
  double value;

  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  z ^= z >> 31;
  memcpy(&value, &z, sizeof value);
  return i < N ? special[i] : isfinite(value) ? value : (double)i;
}

static bool same_bits(double a, double b)
{
  return memcmp(&a, &b, sizeof a) == 0;
}

/* -------------------------------------------------------------- the fixture */

typedef struct shape {
  blo_int m, n;
} shape;

/* A solver's state of matrices, numbered, with a vector between them. */
typedef struct fixture {
  blo_comm *comm;
  blo_grid *grid;
  blo_int n_matrices;
  shape shape[MAX_MATRICES];
  blo_dense *a[MAX_MATRICES];
  blo_space *space;
  blo_vec *vec;
  blo_state *state;
  blo_snapshot snap;
} fixture;

typedef struct numbering {
  uint64_t seed;
  blo_int n;
} numbering;

static double entry_of(void *arg, blo_int i, blo_int j)
{
  const numbering *of = arg;
  return bits_at(of->seed, i * of->n + j);
}

static void fill(fixture *fx, uint64_t seed)
{
  for (blo_int k = 0; k < fx->n_matrices; k++) {
    numbering of = {seed + (uint64_t)k, fx->shape[k].n};
    blo_dense_set(fx->a[k], entry_of, &of);
  }
  blo_vec_fill(fx->vec, (double)seed);
}

static const char *const names[MAX_MATRICES] = {"lower.hessian", "adjoint.cross", "upper.third"};

static blo_status set_up_state(fixture *fx, blo_dense_options grid)
{
  BLO_TRY(blo_state_create(blo_comm_context(fx->comm), &fx->state));
  BLO_TRY(blo_space_create(fx->comm, BLO_REPLICATED, 9, 8, &fx->space));
  BLO_TRY(blo_vec_create(fx->space, &fx->vec));
  BLO_TRY(blo_grid_create(fx->comm, &grid, &fx->grid));
  for (blo_int k = 0; k < fx->n_matrices; k++) {
    BLO_TRY(blo_dense_create(fx->grid, fx->shape[k].m, fx->shape[k].n, &fx->a[k]));
    BLO_TRY(blo_state_add_dense(fx->state, names[k], fx->a[k]));
    if (k == 0) {
      BLO_TRY(blo_state_add_vec(fx->state, "lower.y", fx->vec));
    }
  }
  return BLO_OK;
}

static void set_up(fixture *fx, blo_comm *comm, blo_dense_options grid, blo_int n, const shape *is)
{
  *fx = (fixture){.comm = comm, .n_matrices = n};
  memcpy(fx->shape, is, (size_t)n * sizeof *is);
  blo_status status = set_up_state(fx, grid);
  BLO_BUG_IF(status != BLO_OK, "no fixture: %s", blo_error_text(blo_comm_context(comm)));
  fx->snap = (blo_snapshot){.iteration = 7,
                            .problem = "ridge",
                            .solver = "newton",
                            .fingerprint = 17,
                            .config = "solver:\n  type: newton\n",
                            .version = BLO_VERSION,
                            .state = fx->state};
}

static void tear_down(fixture *fx)
{
  for (blo_int k = 0; k < fx->n_matrices; k++) {
    blo_dense_destroy(&fx->a[k]);
  }
  blo_grid_destroy(&fx->grid);
  blo_vec_destroy(&fx->vec);
  blo_space_destroy(&fx->space);
  blo_state_destroy(&fx->state);
}

/* The columns of a matrix that a rank compares. */
static blo_rect share_of(const blo_comm *comm, shape is, int rank)
{
  blo_int first = is.n * rank / blo_comm_size(comm);
  blo_int end = is.n * (rank + 1) / blo_comm_size(comm);
  return (blo_rect){.n_rows = is.m, .col = first, .n_cols = end - first};
}

/* This rank's share of the matrix has the bits that fill() has put. */
static bool matrix_is_filled(const fixture *fx, blo_int k, uint64_t seed)
{
  blo_context *ctx = blo_comm_context(fx->comm);
  shape is = fx->shape[k];
  blo_rect *rects, mine = share_of(fx->comm, is, blo_comm_rank(fx->comm));
  blo_int numbers = mine.n_rows * mine.n_cols;
  double *data;
  blo_mover *mover;
  bool same = true;
  BLO_REQUIRE_STATUS(blo_alloc(ctx, blo_comm_size(fx->comm), sizeof *rects, &rects), BLO_OK);
  BLO_REQUIRE_STATUS(blo_alloc(ctx, numbers, sizeof *data, &data), BLO_OK);
  BLO_REQUIRE_STATUS(blo_mover_create(fx->grid, numbers, is.m * is.n, &mover), BLO_OK);
  for (int r = 0; r < blo_comm_size(fx->comm); r++) {
    rects[r] = share_of(fx->comm, is, r);
  }
  blo_dense_get(fx->a[k], rects, data, mover);
  for (blo_int j = 0; j < mine.n_cols; j++) {
    for (blo_int i = 0; i < is.m; i++) {
      double want = bits_at(seed + (uint64_t)k, i * is.n + mine.col + j);
      same = same && same_bits(data[j * is.m + i], want);
    }
  }
  blo_mover_destroy(&mover);
  blo_free(ctx, &data);
  blo_free(ctx, &rects);
  return same;
}

/* Collective over all ranks of the test. */
static bool is_filled(const fixture *fx, uint64_t seed)
{
  bool same = true;
  for (blo_int i = 0; i < blo_space_n(fx->space); i++) {
    same = same && same_bits(fx->vec->data[i], (double)seed);
  }
  for (blo_int k = 0; k < fx->n_matrices; k++) {
    same = matrix_is_filled(fx, k, seed) && same;
  }
  return same;
}

static blo_status save(fixture *fx, const char *folder, char *path)
{
  return blo_checkpoint_save(fx->comm, folder, "run", 2, &fx->snap, path, PATH_CAP);
}

/* ------------------------------------------------------------- round trips */

static void all_shapes_survive(blo_comm *comm)
{
  static const shape shapes[] = {{1, 1},   {5, 3}, {3, 5}, {1, 97},    {97, 1},
                                 {64, 48}, {0, 4}, {4, 0}, {200, 130}, {130, 200}};
  const blo_dense_options from[] = {{0, 16}, {1, 64}, {0, 3}};
  const blo_dense_options to[] = {{(blo_comm_size(comm) + 1) / 2, 7}, {0, 5}, {0, 64}};
  char folder[PATH_CAP], path[PATH_CAP];
  fixture fx;
  blo_test_tmpdir(comm, folder, sizeof folder);
  for (size_t g = 0; g < sizeof from / sizeof *from; g++) {
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
      set_up(&fx, comm, from[g], 1, &shapes[s]);
      fill(&fx, 5);
      BLO_REQUIRE_STATUS(save(&fx, folder, path), BLO_OK);
      BLO_EXPECT_ALL(is_filled(&fx, 5));
      tear_down(&fx);
      set_up(&fx, comm, to[g], 1, &shapes[s]);
      fill(&fx, 6);
      BLO_REQUIRE_STATUS(blo_checkpoint_load(comm, path, &fx.snap), BLO_OK);
      BLO_EXPECT_MSG(is_filled(&fx, 5), "[%lld][%lld], grids %zu", (long long)shapes[s].m,
                     (long long)shapes[s].n, g);
      tear_down(&fx);
    }
  }
}

static const shape several[MAX_MATRICES] = {{40, 40}, {17, 40}, {3, 2}};

static bool save_on(blo_comm *part, const char *folder, char *path)
{
  fixture fx;
  set_up(&fx, part, (blo_dense_options){0, 4}, MAX_MATRICES, several);
  fill(&fx, 11);
  bool ok = save(&fx, folder, path) == BLO_OK;
  tear_down(&fx);
  return ok;
}

/* What the ranks of `part` have loaded, saved again, is the same file. */
static bool load_on(blo_comm *part, const char *folder, const char *path, char *again)
{
  fixture fx;
  set_up(&fx, part, (blo_dense_options){0, 7}, MAX_MATRICES, several);
  fill(&fx, 12);
  bool ok = blo_checkpoint_load(part, path, &fx.snap) == BLO_OK;
  fx.snap.iteration++;
  ok = save(&fx, folder, again) == BLO_OK && ok;
  tear_down(&fx);
  return ok;
}

static bool arrays_are_same(blo_context *ctx, const char *one, const char *other, const char *path)
{
  blo_h5 *f[2] = {NULL, NULL};
  double data[2][40 * 40];
  blo_int n = 0;
  bool same = blo_h5_open(ctx, one, "checkpoint", &f[0]) == BLO_OK &&
              blo_h5_open(ctx, other, "checkpoint", &f[1]) == BLO_OK &&
              blo_h5_array_size(f[0], path, &n) == BLO_OK && n <= 40 * 40 &&
              blo_h5_get_array(f[0], path, data[0], n) == BLO_OK &&
              blo_h5_get_array(f[1], path, data[1], n) == BLO_OK &&
              memcmp(data[0], data[1], (size_t)n * sizeof **data) == 0;
  blo_h5_close(&f[0]);
  blo_h5_close(&f[1]);
  return same;
}

static void rank_count_does_not_matter(blo_comm *comm)
{
  char folder[PATH_CAP], path[PATH_CAP] = "", again[PATH_CAP] = "", entry[PATH_CAP];
  bool inside = 2 * blo_comm_rank(comm) <= blo_comm_size(comm), ok;
  MPI_Comm mpi;
  blo_comm *part;
  blo_test_tmpdir(comm, folder, sizeof folder);
  MPI_Comm_split(blo_comm_mpi(comm), inside, blo_comm_rank(comm), &mpi);
  BLO_REQUIRE_STATUS(blo_comm_create(blo_comm_context(comm), mpi, &part), BLO_OK);
  for (int turn = 0; turn < 2; turn++) {
    ok = turn == 0 ? save_on(comm, folder, path) : !inside || save_on(part, folder, path);
    BLO_EXPECT_ALL(ok);
    blo_bcast(comm, 0, path, PATH_CAP);
    ok = turn == 0 ? !inside || load_on(part, folder, path, again)
                   : load_on(comm, folder, path, again);
    BLO_EXPECT_ALL(ok);
    for (int k = 0; k < MAX_MATRICES; k++) {
      snprintf(entry, sizeof entry, "state/%s", names[k]);
      BLO_EXPECT_ALL(!inside || arrays_are_same(blo_comm_context(comm), path, again, entry));
    }
  }
  blo_comm_destroy(&part);
  MPI_Comm_free(&mpi);
}

/* The matrices of a state may have grids of their own. */
static void grids_may_differ(blo_comm *comm)
{
  char folder[PATH_CAP], path[PATH_CAP];
  const shape is = {30, 20};
  fixture one, other;
  blo_test_tmpdir(comm, folder, sizeof folder);
  set_up(&one, comm, (blo_dense_options){0, 4}, 1, &is);
  set_up(&other, comm, (blo_dense_options){1, 9}, 1, &is);
  BLO_REQUIRE_STATUS(blo_state_add_dense(one.state, "other", other.a[0]), BLO_OK);
  fill(&one, 3);
  fill(&other, 4);
  BLO_REQUIRE_STATUS(save(&one, folder, path), BLO_OK);
  fill(&one, 5);
  fill(&other, 5);
  BLO_REQUIRE_STATUS(blo_checkpoint_load(comm, path, &one.snap), BLO_OK);
  BLO_EXPECT_ALL(is_filled(&one, 3));
  BLO_EXPECT_ALL(matrix_is_filled(&other, 0, 4));
  tear_down(&other);
  tear_down(&one);
}

/* Read with HDF5 alone, as other programs do: a dataset [m][n] of rows. */
static void others_can_read_it(blo_comm *comm)
{
  enum { M = 37, N = 23 };
  static const shape is = {M, N};
  char folder[PATH_CAP], path[PATH_CAP];
  double data[M][N];
  hsize_t dim[2] = {0, 0};
  uint32_t crc = 0;
  bool same = true;
  fixture fx;
  blo_test_tmpdir(comm, folder, sizeof folder);
  set_up(&fx, comm, (blo_dense_options){0, 5}, 1, &is);
  fill(&fx, 2);
  BLO_REQUIRE_STATUS(save(&fx, folder, path), BLO_OK);
  hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  BLO_REQUIRE_ALL(file >= 0);
  hid_t set = H5Dopen2(file, "state/lower.hessian", H5P_DEFAULT), space = H5Dget_space(set);
  BLO_EXPECT_ALL(H5Sget_simple_extent_ndims(space) == 2);
  H5Sget_simple_extent_dims(space, dim, NULL);
  BLO_REQUIRE_ALL(dim[0] == M && dim[1] == N);
  BLO_EXPECT_ALL(H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
  for (blo_int i = 0; i < M; i++) {
    for (blo_int j = 0; j < N; j++) {
      same = same && same_bits(data[i][j], bits_at(2, i * N + j));
    }
  }
  BLO_EXPECT_ALL(same);
  BLO_EXPECT_ALL(H5LTget_attribute(set, ".", "crc32", H5T_NATIVE_UINT32, &crc) >= 0);
  BLO_EXPECT_ALL(crc == blo_crc32(0, data, sizeof data));
  H5Sclose(space);
  H5Dclose(set);
  H5Fclose(file);
  tear_down(&fx);
}

/* ------------------------------------------------------------------ panels */

/* Three panels of rows, the last one shorter; one row that is more than a panel. */
static const shape large[] = {{2200, 1000}, {2, PANEL_NUMBERS + 1000}};
static const shape three_panels = {2200, 1000};

/* Saving and loading need at most a panel on each rank, and three more at the root. */
static void nobody_holds_more_than_panels(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  char folder[PATH_CAP], path[PATH_CAP];
  blo_int panel = (PANEL_NUMBERS + 1000) * (blo_int)sizeof(double), small = 100000;
  blo_int allowed = (blo_comm_rank(comm) == 0 ? 4 * panel : panel) + small;
  fixture fx;
  blo_test_tmpdir(comm, folder, sizeof folder);
  for (size_t s = 0; s < sizeof large / sizeof *large; s++) {
    set_up(&fx, comm, (blo_dense_options){0, 32}, 1, &large[s]);
    fill(&fx, 8);
    blo_memory_limit(ctx, blo_memory(ctx).bytes + allowed);
    blo_status saved = save(&fx, folder, path);
    fill(&fx, 9);
    blo_status loaded = saved == BLO_OK ? blo_checkpoint_load(comm, path, &fx.snap) : saved;
    blo_memory_limit(ctx, 0);
    BLO_REQUIRE_STATUS(loaded, BLO_OK);
    BLO_EXPECT_ALL(is_filled(&fx, 8));
    tear_down(&fx);
  }
}

/* ------------------------------------------------------------------ damage */

/* Flip a bit of this entry of the first matrix, filled with `seed`; at the root, in place. With
 * `mend` the end marker is made to fit, so that only the matrix's own checksum can tell. */
static void spoil_at_root(const char *path, double entry, bool mend)
{
  struct stat is;
  int fd = open(path, O_RDWR);
  BLO_BUG_IF(fd < 0 || fstat(fd, &is) != 0, "cannot open %s", path);
  size_t n = (size_t)is.st_size, at = 0;
  unsigned char *bytes = malloc(n);
  BLO_BUG_IF(bytes == NULL || pread(fd, bytes, n, 0) != is.st_size, "cannot read %s", path);
  while (at + sizeof entry <= n && memcmp(bytes + at, &entry, sizeof entry) != 0) {
    at++;
  }
  BLO_BUG_IF(at + sizeof entry > n, "the entry is not in %s", path);
  bytes[at] ^= 1;
  n -= SEAL_LENGTH;
  if (mend) {
    char seal[SEAL_LENGTH + 1];
    snprintf(seal, sizeof seal, "\nend of file: %020lld bytes before, crc32 %08" PRIx32 "\n",
             (long long)n, blo_crc32(0, bytes, n));
    memcpy(bytes + n, seal, SEAL_LENGTH);
  }
  BLO_BUG_IF(pwrite(fd, bytes, n + SEAL_LENGTH, 0) != is.st_size, "cannot write %s", path);
  free(bytes);
  close(fd);
}

static void spoil(blo_comm *comm, const char *path, double entry, bool mend)
{
  if (blo_comm_rank(comm) == 0) {
    spoil_at_root(path, entry, mend);
  }
  MPI_Barrier(blo_comm_mpi(comm));
}

/* An entry in each panel, and the very last one. */
static void damage_is_noticed(blo_comm *comm)
{
  static const blo_int rows[] = {0, 1047, 1048, 1500, 2199};
  char folder[PATH_CAP], path[PATH_CAP], found[PATH_CAP];
  char *config = NULL;
  fixture fx;
  blo_test_tmpdir(comm, folder, sizeof folder);
  set_up(&fx, comm, (blo_dense_options){0, 64}, 1, &three_panels);
  fill(&fx, 21);
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    double entry = bits_at(21, rows[k] * three_panels.n + three_panels.n - 1);
    BLO_REQUIRE_STATUS(save(&fx, folder, path), BLO_OK);
    spoil(comm, path, entry, k > 0);
    BLO_EXPECT_STATUS(blo_checkpoint_load(comm, path, &fx.snap), BLO_E_FORMAT);
    BLO_EXPECT_ERROR_HAS(k > 0 ? "'state/lower.hessian' is damaged: its crc32 is" : "should end");
    BLO_EXPECT_STATUS(blo_checkpoint_find(comm, path, found, PATH_CAP, &config), BLO_E_FORMAT);
    BLO_EXPECT_ERROR_HAS(k > 0 ? "'state/lower.hessian' is damaged: its crc32 is" : "should end");
    fill(&fx, 21);
  }
  tear_down(&fx);
}

/* ---------------------------------------------------------------- mismatch */

static void expect_mismatch(fixture *fx, const char *path, const char *words)
{
  fill(fx, 32);
  BLO_EXPECT_STATUS(blo_checkpoint_load(fx->comm, path, &fx->snap), BLO_E_MISMATCH);
  BLO_EXPECT_ERROR_HAS(words);
  BLO_EXPECT_ALL(is_filled(fx, 32));
}

/* The entry "x" of the file is of another kind than this run's. */
static void expect_kind_mismatch(blo_comm *comm, blo_status (*add)(fixture *fx, blo_state *state),
                                 const char *path, const char *words)
{
  static const shape is = {3, 3};
  fixture fx;
  set_up(&fx, comm, (blo_dense_options){0, 2}, 1, &is);
  blo_state *state = NULL;
  BLO_REQUIRE_STATUS(blo_state_create(blo_comm_context(comm), &state), BLO_OK);
  BLO_REQUIRE_STATUS(add(&fx, state), BLO_OK);
  fx.snap.state = state;
  expect_mismatch(&fx, path, words);
  blo_state_destroy(&state);
  tear_down(&fx);
}

static blo_status add_vec(fixture *fx, blo_state *state)
{
  return blo_state_add_vec(state, "x", fx->vec);
}

static blo_status add_dense(fixture *fx, blo_state *state)
{
  return blo_state_add_dense(state, "x", fx->a[0]);
}

static blo_status add_int(fixture *fx, blo_state *state)
{
  return blo_state_add_int(state, "x", &fx->n_matrices);
}

/* A checkpoint whose only entry is "x". */
static void save_x(blo_comm *comm, blo_status (*add)(fixture *fx, blo_state *state),
                   const char *folder, char *path)
{
  static const shape is = {3, 3};
  fixture fx;
  blo_state *state = NULL;
  set_up(&fx, comm, (blo_dense_options){0, 2}, 1, &is);
  BLO_REQUIRE_STATUS(blo_state_create(blo_comm_context(comm), &state), BLO_OK);
  BLO_REQUIRE_STATUS(add(&fx, state), BLO_OK);
  fx.snap.state = state;
  BLO_REQUIRE_STATUS(save(&fx, folder, path), BLO_OK);
  blo_state_destroy(&state);
  tear_down(&fx);
}

static void mismatch_is_refused(blo_comm *comm)
{
  static const shape was[] = {{5, 3}, {2, 2}}, is[] = {{3, 5}, {2, 2}};
  const blo_dense_options grid = {0, 2};
  char folder[PATH_CAP], path[PATH_CAP];
  fixture fx;
  blo_test_tmpdir(comm, folder, sizeof folder);
  set_up(&fx, comm, grid, 2, was);
  fill(&fx, 31);
  BLO_REQUIRE_STATUS(save(&fx, folder, path), BLO_OK);
  tear_down(&fx);
  set_up(&fx, comm, grid, 2, is);
  expect_mismatch(&fx, path,
                  "'lower.hessian' with dimensions [5][3], this run's matrix has [3][5]");
  tear_down(&fx);
  set_up(&fx, comm, grid, 1, was);
  expect_mismatch(&fx, path, "has 'adjoint.cross', which this run's state lacks");
  tear_down(&fx);
  set_up(&fx, comm, grid, 3, (const shape[]){{5, 3}, {2, 2}, {1, 1}});
  expect_mismatch(&fx, path, "lacks the matrix 'upper.third'");
  tear_down(&fx);

  save_x(comm, add_dense, folder, path);
  expect_kind_mismatch(comm, add_vec, path, "dimensions [3][3], this run's vector has [9]");
  expect_kind_mismatch(comm, add_int, path, "has the integer 'x', the checkpoint has not");
  save_x(comm, add_vec, folder, path);
  expect_kind_mismatch(comm, add_dense, path, "dimensions [9], this run's matrix has [3][3]");
  save_x(comm, add_int, folder, path);
  expect_kind_mismatch(comm, add_dense, path, "has the matrix 'x', the checkpoint has not");
}

/* ------------------------------------------------------------------ faults */

static blo_int count_files(blo_comm *comm, const char *folder)
{
  blo_int n = 0;
  if (blo_comm_rank(comm) == 0) {
    DIR *dir = opendir(folder);
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
      n += e->d_name[0] != '.';
    }
    closedir(dir);
  }
  blo_bcast(comm, 0, &n, sizeof n);
  return n;
}

/* A full disk, as far as a process can make one: the file ends before the matrix, in the first
 * panel, between panels, in the last one. */
static void failed_save_leaves_the_older_one(blo_comm *comm)
{
  static const rlim_t most[] = {0, 1 << 20, 8384000, 9000000, 17000000};
  char folder[PATH_CAP], path[PATH_CAP];
  fixture fx;
  blo_test_tmpdir(comm, folder, sizeof folder);
  set_up(&fx, comm, (blo_dense_options){0, 16}, 1, &three_panels);
  fill(&fx, 41);
  BLO_REQUIRE_STATUS(save(&fx, folder, path), BLO_OK);
  fill(&fx, 42);
  signal(SIGXFSZ, SIG_IGN);
  for (size_t k = 0; k < sizeof most / sizeof *most; k++) {
    struct rlimit before, limit;
    getrlimit(RLIMIT_FSIZE, &before);
    limit = (struct rlimit){most[k], before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
    blo_status status = save(&fx, folder, path);
    setrlimit(RLIMIT_FSIZE, &before);
    BLO_EXPECT_STATUS(status, BLO_E_IO);
    BLO_EXPECT_ERROR_HAS("File too large");
    BLO_EXPECT_ALL(count_files(comm, folder) == 1);
  }
  BLO_REQUIRE_STATUS(blo_checkpoint_load(comm, path, &fx.snap), BLO_OK);
  BLO_EXPECT_ALL(is_filled(&fx, 41));
  tear_down(&fx);
}

typedef struct sweep {
  fixture fx;
  const char *folder, *path;
} sweep;

static blo_status save_with_faults(blo_comm *comm, void *arg)
{
  sweep *s = arg;
  char path[PATH_CAP];
  blo_status status = save(&s->fx, s->folder, path);
  BLO_REQUIRE_ALL(count_files(comm, s->folder) == 1);
  if (status == BLO_OK && blo_max_all(comm, blo_fault_struck(blo_comm_context(comm))) > 0) {
    /* while older files were looked for, which is only logged: then the new one is whole */
    BLO_REQUIRE_STATUS(blo_checkpoint_load(comm, path, &s->fx.snap), BLO_OK);
    status = BLO_E_FAULT;
  }
  return status;
}

static blo_status load_with_faults(blo_comm *comm, void *arg)
{
  sweep *s = arg;
  return blo_checkpoint_load(comm, s->path, &s->fx.snap);
}

static void every_fault_is_agreed(blo_comm *comm)
{
  char folder[PATH_CAP], path[PATH_CAP];
  sweep s = {.folder = folder, .path = path};
  blo_test_tmpdir(comm, folder, sizeof folder);
  set_up(&s.fx, comm, (blo_dense_options){0, 3}, MAX_MATRICES, several);
  fill(&s.fx, 51);
  BLO_REQUIRE_STATUS(save(&s.fx, folder, path), BLO_OK);
  blo_int n_save = blo_test_sweep_faults(comm, save_with_faults, &s);
  fill(&s.fx, 52);
  blo_int n_load = blo_test_sweep_faults(comm, load_with_faults, &s);
  BLO_EXPECT_ALL(is_filled(&s.fx, 51));
  BLO_EXPECT_MSG(n_save > 100 && n_load > 50, "%lld, %lld faults in save, load", (long long)n_save,
                 (long long)n_load);
  tear_down(&s.fx);
}

/* Every third operation of the root fails, of which many are between panels: nobody waits. */
static blo_int fail_at_root(blo_comm *comm, blo_status (*call)(blo_comm *comm, void *arg), sweep *s)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_int n_struck = 0;
  double struck = 1;
  for (blo_int k = 20; struck > 0; k += 3) {
    blo_fault_arm(ctx, blo_comm_rank(comm) == 0 ? k : 0);
    blo_status status = call(comm, s);
    struck = blo_max_all(comm, blo_fault_struck(ctx));
    blo_fault_arm(ctx, 0);
    BLO_REQUIRE_MSG(status == (struck > 0 ? BLO_E_FAULT : BLO_OK), "operation %lld: %s",
                    (long long)k, blo_error_text(ctx));
    n_struck += struck > 0;
  }
  return n_struck;
}

static void failing_between_panels_is_agreed(blo_comm *comm)
{
  char folder[PATH_CAP], path[PATH_CAP];
  sweep s = {.folder = folder, .path = path};
  blo_test_tmpdir(comm, folder, sizeof folder);
  set_up(&s.fx, comm, (blo_dense_options){0, 100}, 1, &three_panels);
  fill(&s.fx, 61);
  BLO_REQUIRE_STATUS(save(&s.fx, folder, path), BLO_OK);
  blo_int n_save = fail_at_root(comm, save_with_faults, &s);
  fill(&s.fx, 62);
  blo_int n_load = fail_at_root(comm, load_with_faults, &s);
  BLO_EXPECT_ALL(is_filled(&s.fx, 61));
  BLO_EXPECT_MSG(n_save > 10 && n_load > 10, "%lld, %lld faults", (long long)n_save,
                 (long long)n_load);
  tear_down(&s.fx);
}

static const blo_test tests[] = {
    {"all shapes survive", all_shapes_survive},
    {"rank count does not matter", rank_count_does_not_matter},
    {"grids may differ", grids_may_differ},
    {"others can read it", others_can_read_it},
    {"nobody holds more than panels", nobody_holds_more_than_panels},
    {"damage is noticed", damage_is_noticed},
    {"mismatch is refused", mismatch_is_refused},
    {"failed save leaves the older one", failed_save_leaves_the_older_one},
    {"every fault is agreed", every_fault_is_agreed},
    {"failing between panels is agreed", failing_between_panels_is_agreed},
};
BLO_TEST_MAIN("dense_checkpoint", tests)

/* Checkpoints: all bits come back on any number of ranks; files are whole or absent; damage is
 * noticed, and the newest whole checkpoint is found. */
#include "harness.h"

#include <blo/checkpoint.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { N_VECS = 4, N_SHARDS = 8, PATH_CAP = 512, SEAL_LENGTH = 64 };

static const struct {
  const char *name;
  blo_layout layout;
  blo_int n;
} vecs[N_VECS] = {{"lower.y", BLO_SHARDED, 37},
                  {"upper.x", BLO_ROOTED, 101},
                  {"adjoint.v", BLO_REPLICATED, 5},
                  {"upper.empty", BLO_SHARDED, 0}};

static const blo_column columns[] = {
    {"iteration", "-", "outer iteration"},
    {"f", "-", "upper objective"},
    {"wall_time", "s", "wall time"},
};
enum { N_COLUMNS = sizeof columns / sizeof *columns, N_ROWS = 70 };

/* A solver's state and its history, on the ranks of `comm`. */
typedef struct fixture {
  blo_comm *comm;
  blo_space *space[N_VECS];
  blo_vec *vec[N_VECS];
  blo_int step, samples;
  double rate, best;
  blo_state *state;
  blo_columns *history;
  blo_snapshot snap;
} fixture;

/* ------------------------------------------------------------ the contents */

/* Any bits, from splitmix64: the numbers that arithmetic or text would change come first. */
static double bits_at(uint64_t seed, blo_int i)
{
  static const double special[] = {-0.0, 5e-324, -2.2e-308, (double)INFINITY,
                                   1.7976931348623157e308};
  uint64_t z = seed * 1000003 + (uint64_t)i * 0x9E3779B97F4A7C15u;
  double value;

  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  z ^= z >> 31;
  memcpy(&value, &z, sizeof value);
  return i < 5 ? special[i] : value;
}

static bool same_bits(double a, double b)
{
  return memcmp(&a, &b, sizeof a) == 0;
}

static void fill(fixture *fx, uint64_t seed)
{
  for (int k = 0; k < N_VECS; k++) {
    blo_int first = blo_space_first(fx->space[k]);
    for (blo_int i = 0; i < blo_space_n_local(fx->space[k]); i++) {
      fx->vec[k]->data[i] = bits_at(seed + (uint64_t)k, first + i);
    }
  }
  fx->step = -((blo_int)seed << 40) - 1;
  fx->samples = INT64_MAX - (blo_int)seed;
  fx->rate = bits_at(seed, 0);
  fx->best = bits_at(seed, 1000);
}

/* What fill() has put, on this rank. */
static bool is_filled(const fixture *fx, uint64_t seed)
{
  bool same = fx->step == -((blo_int)seed << 40) - 1 && fx->samples == INT64_MAX - (blo_int)seed &&
              same_bits(fx->rate, bits_at(seed, 0)) && same_bits(fx->best, bits_at(seed, 1000));
  for (int k = 0; k < N_VECS; k++) {
    blo_int first = blo_space_first(fx->space[k]);
    for (blo_int i = 0; i < blo_space_n_local(fx->space[k]); i++) {
      same = same && same_bits(fx->vec[k]->data[i], bits_at(seed + (uint64_t)k, first + i));
    }
  }
  return same;
}

static blo_status add_rows(blo_columns *history)
{
  for (blo_int i = 0; i < N_ROWS; i++) {
    double row[N_COLUMNS] = {(double)i, i % 3 == 0 ? (double)NAN : bits_at(99, i),
                             0.25 * (double)i};
    BLO_TRY(blo_columns_append(history, row));
  }
  return BLO_OK;
}

static bool has_rows(const blo_columns *history)
{
  bool same = history->n_rows == N_ROWS;
  for (blo_int i = 0; same && i < N_ROWS; i++) {
    const double *row = history->data + i * N_COLUMNS;
    same = same_bits(row[0], (double)i) &&
           same_bits(row[1], i % 3 == 0 ? (double)NAN : bits_at(99, i)) &&
           same_bits(row[2], 0.25 * (double)i);
  }
  return same;
}

/* -------------------------------------------------------------- the fixture */

static blo_status set_up_state(fixture *fx, blo_context *ctx)
{
  BLO_TRY(blo_state_create(ctx, &fx->state));
  for (int k = 0; k < N_VECS; k++) {
    BLO_TRY(blo_space_create(fx->comm, vecs[k].layout, vecs[k].n, N_SHARDS, &fx->space[k]));
    BLO_TRY(blo_vec_create(fx->space[k], &fx->vec[k]));
    BLO_TRY(blo_state_add_vec(fx->state, vecs[k].name, fx->vec[k]));
  }
  BLO_TRY(blo_state_add_int(fx->state, "lower.step", &fx->step));
  BLO_TRY(blo_state_add_double(fx->state, "upper.rate", &fx->rate));
  BLO_TRY(blo_state_add_int(fx->state, "samples", &fx->samples));
  return blo_state_add_double(fx->state, "best", &fx->best);
}

static void set_up(fixture *fx, blo_comm *comm, uint64_t seed)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_status status;

  *fx = (fixture){.comm = comm};
  status = set_up_state(fx, ctx);
  if (status == BLO_OK && blo_comm_rank(comm) == BLO_ROOT) {
    status = blo_columns_create(ctx, columns, N_COLUMNS, &fx->history);
  }
  BLO_BUG_IF(status != BLO_OK, "no fixture: %s", blo_error_text(ctx));
  fill(fx, seed);
  fx->snap = (blo_snapshot){.iteration = 7,
                            .problem = "ridge_logistic",
                            .solver = "stocbio",
                            .fingerprint = 0xfedcba9876543210u,
                            .config = "solver:\n  type: stocbio\n",
                            .version = BLO_VERSION,
                            .state = fx->state,
                            .history = fx->history};
}

static void tear_down(fixture *fx)
{
  blo_columns_destroy(&fx->history);
  blo_state_destroy(&fx->state);
  for (int k = 0; k < N_VECS; k++) {
    blo_vec_destroy(&fx->vec[k]);
    blo_space_destroy(&fx->space[k]);
  }
}

static blo_status save_at(fixture *fx, const char *folder, const char *name, blo_int keep,
                          blo_int iteration, char *path)
{
  fx->snap.iteration = iteration;
  return blo_checkpoint_save(fx->comm, folder, name, keep, &fx->snap, path, PATH_CAP);
}

/* ----------------------------------------------------------------- files */

/* Number of files of the folder whose names contain `part`, on all ranks. */
static blo_int count_files(blo_comm *comm, const char *folder, const char *part)
{
  blo_int n = 0;
  if (blo_comm_rank(comm) == 0) {
    DIR *dir = opendir(folder);
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
      n += e->d_name[0] != '.' && strstr(e->d_name, part) != NULL;
    }
    closedir(dir);
  }
  blo_bcast(comm, 0, &n, sizeof n);
  return n;
}

/* A file's bytes at rank 0. */
typedef struct bytes {
  unsigned char *at;
  size_t n;
} bytes;

static bytes read_bytes(blo_comm *comm, const char *path)
{
  bytes b = {NULL, 0};
  if (blo_comm_rank(comm) == 0) {
    struct stat is;
    int fd = open(path, O_RDONLY);
    BLO_BUG_IF(fd < 0 || fstat(fd, &is) != 0, "cannot open %s", path);
    b.n = (size_t)is.st_size;
    b.at = malloc(b.n);
    BLO_BUG_IF(b.at == NULL || read(fd, b.at, b.n) != is.st_size, "cannot read %s", path);
    close(fd);
  }
  return b;
}

static void write_bytes(blo_comm *comm, const char *path, const void *at, size_t n)
{
  if (blo_comm_rank(comm) == 0) {
    FILE *file = fopen(path, "wb");
    BLO_BUG_IF(file == NULL || fwrite(at, 1, n, file) != n || fclose(file) != 0, "cannot write %s",
               path);
  }
}

/* A flipped bit in the vector that begins with bits_at(seed, 0), wherever HDF5 has put it. With
 * `mend` the end marker is made to fit, so that only the vector's own checksum can tell. */
static void spoil_vector(blo_comm *comm, const char *path, uint64_t seed, bool mend)
{
  double number = bits_at(seed, 5);
  bytes b = read_bytes(comm, path);
  bool found = false;
  for (size_t i = 0; !found && i + sizeof number + SEAL_LENGTH <= b.n; i++) {
    if (memcmp(b.at + i, &number, sizeof number) == 0) {
      b.at[i] ^= 1;
      found = true;
    }
  }
  BLO_REQUIRE_ALL(found || blo_comm_rank(comm) != 0);
  if (found && mend) {
    char seal[SEAL_LENGTH + 1];
    size_t n = b.n - SEAL_LENGTH;
    snprintf(seal, sizeof seal, "\nend of file: %020lld bytes before, crc32 %08" PRIx32 "\n",
             (long long)n, blo_crc32(0, b.at, n));
    memcpy(b.at + n, seal, SEAL_LENGTH);
  }
  write_bytes(comm, path, b.at, b.n);
  free(b.at);
}

/* --------------------------------------------------------- what is tested */

static void state_survives(blo_comm *comm)
{
  char folder[PATH_CAP], path[PATH_CAP], found[PATH_CAP];
  char *config = NULL;
  fixture fx;
  blo_test_tmpdir(comm, folder, sizeof folder);
  set_up(&fx, comm, 3);
  BLO_REQUIRE_STATUS(fx.history != NULL ? add_rows(fx.history) : BLO_OK, BLO_OK);
  BLO_REQUIRE_STATUS(save_at(&fx, folder, "run", 3, 123456, path), BLO_OK);
  BLO_EXPECT_ALL(strstr(path, "/run.ckpt.000000123456.h5") != NULL);
  tear_down(&fx);

  set_up(&fx, comm, 4);
  BLO_REQUIRE_STATUS(blo_checkpoint_find(comm, folder, found, PATH_CAP, &config), BLO_OK);
  BLO_EXPECT_ALL(strcmp(path, found) == 0);
  BLO_EXPECT_ALL(strcmp(config, "solver:\n  type: stocbio\n") == 0);
  BLO_REQUIRE_STATUS(blo_checkpoint_load(comm, found, &fx.snap), BLO_OK);
  BLO_EXPECT_ALL(fx.snap.iteration == 123456);
  BLO_EXPECT_ALL(is_filled(&fx, 3));
  BLO_EXPECT_ALL(fx.history == NULL || has_rows(fx.history));
  BLO_EXPECT_ALL(count_files(comm, folder, "") == 1);
  blo_free(blo_comm_context(comm), &config);
  tear_down(&fx);
}

/* Save on the ranks of one communicator, load on those of another; members only. */
static bool save_on(blo_comm *part, const char *folder, const char *name, char *path)
{
  fixture fx;
  set_up(&fx, part, 11);
  bool ok = save_at(&fx, folder, name, 1, 5, path) == BLO_OK;
  tear_down(&fx);
  return ok;
}

static bool load_on(blo_comm *part, const char *path)
{
  fixture fx;
  set_up(&fx, part, 12);
  fx.snap.history = NULL;
  bool ok = blo_checkpoint_load(part, path, &fx.snap) == BLO_OK && is_filled(&fx, 11);
  tear_down(&fx);
  return ok;
}

static void rank_count_does_not_matter(blo_comm *comm)
{
  char folder[PATH_CAP], path[PATH_CAP] = "";
  bool inside = 2 * blo_comm_rank(comm) <= blo_comm_size(comm), ok = true;
  MPI_Comm mpi;
  blo_comm *part;
  blo_test_tmpdir(comm, folder, sizeof folder);
  MPI_Comm_split(blo_comm_mpi(comm), inside, blo_comm_rank(comm), &mpi);
  BLO_REQUIRE_STATUS(blo_comm_create(blo_comm_context(comm), mpi, &part), BLO_OK);

  BLO_EXPECT_ALL(save_on(comm, folder, "all", path));
  ok = !inside || load_on(part, path);
  BLO_EXPECT_ALL(ok);
  ok = !inside || save_on(part, folder, "part", path);
  BLO_EXPECT_ALL(ok);
  blo_bcast(comm, 0, path, PATH_CAP);
  BLO_EXPECT_ALL(load_on(comm, path));

  blo_comm_destroy(&part);
  MPI_Comm_free(&mpi);
}

static void newest_are_kept(blo_comm *comm)
{
  char folder[PATH_CAP], path[PATH_CAP], stale[PATH_CAP + 64];
  fixture fx;
  blo_test_tmpdir(comm, folder, sizeof folder);
  set_up(&fx, comm, 1);
  BLO_REQUIRE_STATUS(save_at(&fx, folder, "run.b", 2, 1, path), BLO_OK);
  BLO_REQUIRE_STATUS(save_at(&fx, folder, "run", 9, 90, path), BLO_OK);
  /* more than the number of any process */
  snprintf(stale, sizeof stale, "%s/run.ckpt.000000000019.h5.tmp.999999999", folder);
  write_bytes(comm, stale, "x", 1);
  for (blo_int k = 10; k <= 50; k += 10) {
    BLO_REQUIRE_STATUS(save_at(&fx, folder, "run", 2, k, path), BLO_OK);
  }
  BLO_EXPECT_ALL(count_files(comm, folder, "run.ckpt.000000000050.h5") == 1);
  BLO_EXPECT_ALL(count_files(comm, folder, "run.ckpt.000000000040.h5") == 1);
  BLO_EXPECT_ALL(count_files(comm, folder, "run.ckpt.000000000090.h5") == 1);
  BLO_EXPECT_ALL(count_files(comm, folder, "run.b.ckpt.000000000001.h5") == 1);
  BLO_EXPECT_ALL(count_files(comm, folder, "") == 4);
  tear_down(&fx);
}

/* What process 1, which always runs, is writing stays, unless nobody has written to it for a day.
 */
static void files_being_written_stay(blo_comm *comm)
{
  char folder[PATH_CAP], path[PATH_CAP], live[PATH_CAP + 64];
  struct timespec day_ago = {.tv_sec = time(NULL) - 86400 - 60}, times[2] = {day_ago, day_ago};
  fixture fx;
  blo_test_tmpdir(comm, folder, sizeof folder);
  set_up(&fx, comm, 1);
  snprintf(live, sizeof live, "%s/run.ckpt.000000000001.h5.tmp.1", folder);
  write_bytes(comm, live, "x", 1);
  BLO_EXPECT_ALL(!blo_h5_is_abandoned(live) && !blo_h5_is_abandoned(folder));
  BLO_REQUIRE_STATUS(save_at(&fx, folder, "run", 2, 10, path), BLO_OK);
  BLO_EXPECT_ALL(count_files(comm, folder, "") == 2);
  BLO_REQUIRE_ALL(blo_comm_rank(comm) != 0 || utimensat(AT_FDCWD, live, times, 0) == 0);
  BLO_REQUIRE_STATUS(save_at(&fx, folder, "run", 2, 20, path), BLO_OK);
  BLO_EXPECT_ALL(count_files(comm, folder, ".tmp.") == 0 && count_files(comm, folder, "") == 2);
  tear_down(&fx);
}

/* ----------------------------------------------------------------- damage */

/* The status of finding and loading; *same says whether the contents are those saved with `seed`.
 */
static blo_status reload(blo_comm *comm, const char *path, uint64_t seed, bool *same)
{
  char found[PATH_CAP];
  char *config = NULL;
  fixture fx;
  set_up(&fx, comm, seed + 100);
  blo_status status = blo_checkpoint_find(comm, path, found, PATH_CAP, &config);
  if (status == BLO_OK) {
    status = blo_checkpoint_load(comm, found, &fx.snap);
  }
  *same = status == BLO_OK && is_filled(&fx, seed) &&
          (fx.history == NULL || has_rows(fx.history)) && fx.snap.iteration == 5 &&
          strcmp(config, fx.snap.config) == 0;
  blo_free(blo_comm_context(comm), &config);
  tear_down(&fx);
  return status;
}

/* Damaged in two ways; either time the one before it is taken, and only if it is older. */
static void older_one_stands_in(blo_comm *comm)
{
  char folder[PATH_CAP], older[PATH_CAP], path[PATH_CAP], found[PATH_CAP];
  char *config = NULL;
  blo_context *ctx = blo_comm_context(comm);
  fixture fx;
  blo_test_tmpdir(comm, folder, sizeof folder);
  set_up(&fx, comm, 21);
  BLO_REQUIRE_STATUS(save_at(&fx, folder, "run", 5, 5, older), BLO_OK);
  fill(&fx, 23);
  BLO_REQUIRE_STATUS(save_at(&fx, folder, "run", 5, 6, path), BLO_OK);
  BLO_REQUIRE_STATUS(blo_checkpoint_find(comm, folder, found, PATH_CAP, &config), BLO_OK);
  BLO_EXPECT_ALL(strcmp(found, path) == 0);
  blo_free(ctx, &config);

  spoil_vector(comm, path, 23, false);
  BLO_EXPECT_STATUS(blo_checkpoint_load(comm, path, &fx.snap), BLO_E_FORMAT);
  BLO_EXPECT_ERROR_HAS("run.ckpt.000000000006.h5 is damaged: it should end");
  BLO_REQUIRE_STATUS(blo_checkpoint_find(comm, folder, found, PATH_CAP, &config), BLO_OK);
  BLO_EXPECT_ALL(strcmp(found, older) == 0);
  blo_free(ctx, &config);
  BLO_REQUIRE_STATUS(blo_checkpoint_find(comm, path, found, PATH_CAP, &config), BLO_OK);
  BLO_EXPECT_ALL(strcmp(found, older) == 0);
  blo_free(ctx, &config);

  /* a newer one cannot stand in for an older one that the user has named */
  BLO_REQUIRE_STATUS(save_at(&fx, folder, "run", 5, 7, path), BLO_OK);
  spoil_vector(comm, older, 21, true);
  BLO_EXPECT_STATUS(blo_checkpoint_find(comm, older, found, PATH_CAP, &config), BLO_E_FORMAT);
  BLO_EXPECT_ERROR_HAS("run.ckpt.000000000005.h5: 'state/lower.y' is damaged: its crc32 is");
  BLO_EXPECT_STATUS(blo_checkpoint_load(comm, older, &fx.snap), BLO_E_FORMAT);
  BLO_EXPECT_ERROR_HAS("'state/lower.y' is damaged");
  tear_down(&fx);
}

static void wrong_places_are_named(blo_comm *comm)
{
  char folder[PATH_CAP], path[PATH_CAP], found[PATH_CAP], other[PATH_CAP + 16];
  char *config = NULL;
  fixture fx;
  blo_test_tmpdir(comm, folder, sizeof folder);
  BLO_EXPECT_STATUS(blo_checkpoint_find(comm, folder, found, PATH_CAP, &config), BLO_E_IO);
  BLO_EXPECT_ERROR_HAS("there is no checkpoint in the folder");
  snprintf(other, sizeof other, "%s/absent", folder);
  BLO_EXPECT_STATUS(blo_checkpoint_find(comm, other, found, PATH_CAP, &config), BLO_E_IO);
  BLO_EXPECT_ERROR_HAS("/absent: No such file or directory");
  write_bytes(comm, other, "solver: {}\n", 11);
  BLO_EXPECT_STATUS(blo_checkpoint_find(comm, other, found, PATH_CAP, &config), BLO_E_FORMAT);
  BLO_EXPECT_ERROR_HAS("absent");

  set_up(&fx, comm, 1);
  BLO_REQUIRE_STATUS(save_at(&fx, folder, "digits", 1, 1, path), BLO_OK);
  BLO_REQUIRE_STATUS(save_at(&fx, folder, "covtype", 1, 2, path), BLO_OK);
  tear_down(&fx);
  BLO_EXPECT_STATUS(blo_checkpoint_find(comm, folder, found, PATH_CAP, &config), BLO_E_OPTION);
  BLO_EXPECT_ERROR_HAS("2 runs (covtype, digits); name the file");
  BLO_REQUIRE_STATUS(blo_checkpoint_find(comm, path, found, PATH_CAP, &config), BLO_OK);
  BLO_EXPECT_ALL(strcmp(path, found) == 0);
  blo_free(blo_comm_context(comm), &config);
  BLO_EXPECT_STATUS(blo_checkpoint_find(comm, path, found, 10, &config), BLO_E_IO);
}

/* --------------------------------------------------------------- mismatch */

static void expect_mismatch(fixture *fx, const char *path, const blo_snapshot *snap,
                            const char *words)
{
  blo_snapshot other = *snap;
  BLO_EXPECT_STATUS(blo_checkpoint_load(fx->comm, path, &other), BLO_E_MISMATCH);
  BLO_EXPECT_ERROR_HAS(words);
  BLO_EXPECT_ALL(is_filled(fx, 8));
}

/* Enter in another list what is entered in one. */
static blo_status enter_too(blo_state *state, const blo_state_entry *e)
{
  switch (e->kind) {
  case BLO_STATE_VEC:
    return blo_state_add_vec(state, e->name, e->at.vec);
  case BLO_STATE_DENSE:
    return blo_state_add_dense(state, e->name, e->at.dense);
  case BLO_STATE_INT:
    return blo_state_add_int(state, e->name, e->at.integer);
  case BLO_STATE_DOUBLE:
    break;
  }
  return blo_state_add_double(state, e->name, e->at.number);
}

/* A state of which one entry is another than in the fixture's. */
static void expect_state_mismatch(fixture *fx, const char *path, const char *name, double *number,
                                  blo_vec *vec, const char *words)
{
  blo_context *ctx = blo_comm_context(fx->comm);
  blo_snapshot snap = fx->snap;
  blo_status status = blo_state_create(ctx, &snap.state);
  for (blo_int i = 0; i < blo_state_count(fx->state); i++) {
    const blo_state_entry *e = blo_state_get(fx->state, i);
    if (status == BLO_OK && strcmp(e->name, name) != 0) {
      status = enter_too(snap.state, e);
    }
  }
  if (status == BLO_OK && number != NULL) {
    status = blo_state_add_double(snap.state, name, number);
  }
  if (status == BLO_OK && vec != NULL) {
    status = blo_state_add_vec(snap.state, name, vec);
  }
  BLO_REQUIRE_STATUS(status, BLO_OK);
  expect_mismatch(fx, path, &snap, words);
  blo_state_destroy(&snap.state);
}

static void mismatch_is_refused(blo_comm *comm)
{
  char folder[PATH_CAP], path[PATH_CAP];
  double extra = 0;
  fixture fx;
  blo_test_tmpdir(comm, folder, sizeof folder);
  set_up(&fx, comm, 7);
  BLO_REQUIRE_STATUS(save_at(&fx, folder, "run", 1, 1, path), BLO_OK);
  fill(&fx, 8);
  blo_snapshot snap = fx.snap;
  snap.problem = "hyper_cleaning";
  expect_mismatch(&fx, path, &snap,
                  "is of problem 'ridge_logistic', this run has 'hyper_cleaning'");
  snap = fx.snap;
  snap.solver = "saba";
  expect_mismatch(&fx, path, &snap, "is of solver 'stocbio', this run has 'saba'");
  snap = fx.snap;
  snap.fingerprint = 17;
  expect_mismatch(&fx, path, &snap,
                  "fingerprint 'fedcba9876543210', this run has "
                  "'0000000000000011'");
  expect_state_mismatch(&fx, path, "lower.y", NULL, NULL, "has 'lower.y', which this run's state");
  expect_state_mismatch(&fx, path, "samples", NULL, NULL, "has 'samples', which this run's state");
  expect_state_mismatch(&fx, path, "new", &extra, NULL, "lacks the number 'new'");
  expect_state_mismatch(&fx, path, "samples", &extra, NULL, "has the number 'samples', the check");
  expect_state_mismatch(&fx, path, "upper.x", &extra, NULL, "has the number 'upper.x', the check");
  expect_state_mismatch(&fx, path, "lower.y", NULL, fx.vec[1],
                        "'lower.y' with dimensions [37], this run's vector has [101]");
  tear_down(&fx);
}

/* --------------------------------------------------- files that cannot be */

static void failed_save_leaves_the_older_one(blo_comm *comm)
{
  char folder[PATH_CAP], path[PATH_CAP], first[PATH_CAP], file[PATH_CAP + 16];
  fixture fx;
  bool same = false;
  blo_test_tmpdir(comm, folder, sizeof folder);
  set_up(&fx, comm, 6);
  BLO_REQUIRE_STATUS(fx.history != NULL ? add_rows(fx.history) : BLO_OK, BLO_OK);
  snprintf(file, sizeof file, "%s/file", folder);
  write_bytes(comm, file, "x", 1);
  BLO_EXPECT_STATUS(save_at(&fx, file, "run", 1, 1, path), BLO_E_IO);
  BLO_EXPECT_ERROR_HAS("Not a directory");
  snprintf(file, sizeof file, "%s/none", folder);
  BLO_EXPECT_STATUS(save_at(&fx, file, "run", 1, 1, path), BLO_E_IO);
  BLO_EXPECT_ERROR_HAS("No such file or directory");
  BLO_EXPECT_STATUS(blo_checkpoint_save(comm, folder, "run", 1, &fx.snap, path, strlen(folder)),
                    BLO_E_IO);

  /* a full disk, as far as a process can make one: every file ends after so many bytes */
  BLO_REQUIRE_STATUS(save_at(&fx, folder, "run", 1, 5, first), BLO_OK);
  signal(SIGXFSZ, SIG_IGN);
  for (rlim_t most = 0; most <= 6144; most += 512) {
    struct rlimit before, limit;
    getrlimit(RLIMIT_FSIZE, &before);
    limit = (struct rlimit){most, before.rlim_max};
    fill(&fx, 31);
    setrlimit(RLIMIT_FSIZE, &limit);
    blo_status status = save_at(&fx, folder, "run", 1, 5, path);
    setrlimit(RLIMIT_FSIZE, &before);
    BLO_EXPECT_STATUS(status, BLO_E_IO);
    BLO_EXPECT_ERROR_HAS("File too large");
    BLO_EXPECT_ALL(count_files(comm, folder, "") == 2);
  }
  BLO_REQUIRE_STATUS(reload(comm, first, 6, &same), BLO_OK);
  BLO_EXPECT_ALL(same);
  tear_down(&fx);
}

/* ----------------------------------------------------------------- faults */

typedef struct sweep {
  const char *folder, *path;
  fixture fx;
  blo_int n_logged;
} sweep;

/* Whatever fails: no temporary file, and the file of before or the new one stands. A fault after
 * the new one stands, when older ones are looked for, is only logged; here it counts as told. */
static blo_status save_with_faults(blo_comm *comm, void *arg)
{
  sweep *s = arg;
  char path[PATH_CAP];
  blo_status status = save_at(&s->fx, s->folder, "run", 2, 5, path);
  if (status == BLO_OK && blo_max_all(comm, blo_fault_struck(blo_comm_context(comm))) > 0) {
    s->n_logged++;
    status = BLO_E_FAULT;
  }
  BLO_REQUIRE_ALL(count_files(comm, s->folder, ".tmp") == 0);
  BLO_REQUIRE_ALL(count_files(comm, s->folder, "run.ckpt.000000000005.h5") == 1);
  BLO_REQUIRE_ALL(count_files(comm, s->folder, "") == 2);
  return status;
}

static blo_status find_with_faults(blo_comm *comm, void *arg)
{
  sweep *s = arg;
  char found[PATH_CAP];
  char *config = NULL;
  blo_status status = blo_checkpoint_find(comm, s->path, found, PATH_CAP, &config);
  blo_free(blo_comm_context(comm), &config);
  return status;
}

static blo_status load_with_faults(blo_comm *comm, void *arg)
{
  sweep *s = arg;
  blo_status status = blo_checkpoint_load(comm, s->path, &s->fx.snap);
  BLO_REQUIRE_ALL(status != BLO_OK || is_filled(&s->fx, 9));
  return status;
}

static void every_fault_is_agreed(blo_comm *comm)
{
  char folder[PATH_CAP], path[PATH_CAP];
  sweep s = {.folder = folder, .path = path};
  blo_test_tmpdir(comm, folder, sizeof folder);
  set_up(&s.fx, comm, 9);
  BLO_REQUIRE_STATUS(s.fx.history != NULL ? add_rows(s.fx.history) : BLO_OK, BLO_OK);
  BLO_REQUIRE_STATUS(save_at(&s.fx, folder, "run", 2, 4, path), BLO_OK);
  BLO_REQUIRE_STATUS(save_at(&s.fx, folder, "run", 2, 5, path), BLO_OK);
  blo_int n_save = blo_test_sweep_faults(comm, save_with_faults, &s);
  blo_int n_find = blo_test_sweep_faults(comm, find_with_faults, &s);
  fill(&s.fx, 10);
  blo_int n_load = blo_test_sweep_faults(comm, load_with_faults, &s);
  BLO_EXPECT_ALL(is_filled(&s.fx, 9));
  BLO_EXPECT_MSG(n_save > 100 && n_find > 50 && n_load > 50,
                 "%lld, %lld, %lld faults in save, find, load", (long long)n_save,
                 (long long)n_find, (long long)n_load);
  BLO_EXPECT_MSG(s.n_logged > 3 && s.n_logged < 20, "%lld faults logged", (long long)s.n_logged);
  tear_down(&s.fx);
}

static const blo_test tests[] = {
    {"state survives", state_survives},
    {"rank count does not matter", rank_count_does_not_matter},
    {"newest are kept", newest_are_kept},
    {"files being written stay", files_being_written_stay},
    {"older one stands in", older_one_stands_in},
    {"wrong places are named", wrong_places_are_named},
    {"mismatch is refused", mismatch_is_refused},
    {"failed save leaves the older one", failed_save_leaves_the_older_one},
    {"every fault is agreed", every_fault_is_agreed},
};
BLO_TEST_MAIN("checkpoint", tests)

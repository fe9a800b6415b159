/* The run driver: what a run leaves, how it stops, that it continues with the same bits, and that
 * it refuses what it should without leaving anything behind. */
#include "harness.h"

#include <blo/run.h>
#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

enum { N_SAMPLES = 200, N_FEATURES = 5, N_X = N_FEATURES + 1, N_Y = 3 * N_X, PATH = 600, SETS = 8 };

/* A folder with data and a run file, and a request that tests fill. */
typedef struct bench {
  blo_comm *comm;
  blo_context *ctx;
  char folder[256], file[PATH], out[PATH], output_set[PATH + 32];
  const char *set[SETS];
  blo_run_request request;
  blo_run_result result;
} bench;

static void write_data(const char *path)
{
  FILE *f = fopen(path, "w");
  BLO_BUG_IF(f == NULL, "cannot write %s", path);
  blo_stream st = {7, BLO_PURPOSE_TEST};
  for (uint64_t i = 0; i < N_SAMPLES; i++) {
    double sum = 0;
    for (uint64_t j = 0; j < N_FEATURES; j++) {
      double value = blo_stream_normal(st, 0, i, j);
      sum += j < 2 ? value : 0;
      fprintf(f, "%.6f,", value);
    }
    fprintf(f, "%d\n", sum < -0.7 ? 0 : sum < 0.7 ? 1 : 2);
  }
  fclose(f);
}

static void write_run_file(const char *path)
{
  FILE *f = fopen(path, "w");
  BLO_BUG_IF(f == NULL, "cannot write %s", path);
  fputs("problem:\n"
        "  type: ridge_logistic\n"
        "  data: {n_train: 100, n_val: 60, n_test: 40, shards: 16, train: {path: data.csv}}\n"
        "solver:\n"
        "  type: stocbio\n"
        "  lower: {steps: 3, batch: 20, step: 0.1, momentum: 0.5}\n"
        "  upper: {batch: 20, step: 0.1, momentum: 0.5}\n"
        "  adjoint: {iterations: 4, batch: 30}\n"
        "run: {iterations: 12, metrics_every: 5, log: error}\n",
        f);
  fclose(f);
}

/* In its place: a problem with a strict saddle, and a method that leaves it. */
static void write_saddle_file(const bench *b)
{
  if (blo_comm_rank(b->comm) == 0) {
    FILE *f = fopen(b->file, "w");
    BLO_BUG_IF(f == NULL, "cannot write %s", b->file);
    fputs("problem: {type: quartic_saddle}\n"
          "solver:\n"
          "  type: perturbed_aid\n"
          "  lower: {steps: 20, step: 0.0198}\n"
          "  adjoint: {iterations: 10}\n"
          "  upper: {step: 0.1}\n"
          "  escape: {wait: 155}\n"
          "run: {iterations: 600, metrics_every: 600, log: error}\n",
          f);
    fclose(f);
  }
  MPI_Barrier(MPI_COMM_WORLD);
}

static void open_bench(blo_comm *comm, bench *b)
{
  char data[PATH];
  *b = (bench){.comm = comm, .ctx = blo_comm_context(comm)};
  blo_test_tmpdir(comm, b->folder, sizeof b->folder);
  snprintf(b->file, sizeof b->file, "%s/small.yml", b->folder);
  snprintf(data, sizeof data, "%s/data.csv", b->folder);
  if (blo_comm_rank(comm) == 0) {
    write_data(data);
    write_run_file(b->file);
  }
  MPI_Barrier(MPI_COMM_WORLD);
}

/* Run (or resume, if `resume`) with output to <folder>/<out> and up to SETS - 1 more settings, the
 * list ended by NULL. */
static blo_status go(bench *b, const char *out, bool resume, const char *const *sets)
{
  blo_int n = 0;
  snprintf(b->out, sizeof b->out, "%s/%s", b->folder, out);
  snprintf(b->output_set, sizeof b->output_set, "run.output=%s", b->out);
  b->set[n++] = b->output_set;
  while (sets != NULL && sets[n - 1] != NULL) {
    b->set[n] = sets[n - 1];
    n++;
  }
  b->request.file = b->file;
  b->request.resume = resume ? b->out : NULL;
  b->request.set = b->set;
  b->request.n_set = n;
  blo_status status = blo_run_execute(b->comm, &b->request, &b->result);
  MPI_Barrier(MPI_COMM_WORLD); /* so that no rank looks before another has written */
  return status;
}

#define SET(...) ((const char *const[]){__VA_ARGS__, NULL})

static bool exists(const char *path)
{
  struct stat info;
  return stat(path, &info) == 0;
}

static void read_array(bench *b, const char *file, const char *path, double *to, blo_int n)
{
  blo_h5 *h5 = NULL;
  BLO_REQUIRE_STATUS(blo_h5_open(b->ctx, file, "run", &h5), BLO_OK);
  blo_status status = blo_h5_get_array(h5, path, to, n);
  blo_h5_close(&h5);
  BLO_REQUIRE_STATUS(status, BLO_OK);
}

static bool same_array(bench *b, const char *one, const char *other, const char *path, blo_int n)
{
  double a[64], c[64];
  BLO_BUG_IF(n > 64, "%lld numbers", (long long)n);
  read_array(b, one, path, a, n);
  read_array(b, other, path, c, n);
  return memcmp(a, c, (size_t)n * sizeof *a) == 0;
}

/* All that measures neither time nor messages is the same in two run files. */
static void expect_same_results(bench *b, const char *one, const char *other, blo_int rows)
{
  static const char *const columns[] = {"iteration",     "f",    "hypergrad_norm",
                                        "test_accuracy", "n_hv", "n_samples"};
  BLO_EXPECT_ALL(same_array(b, one, other, "final/x", N_X));
  BLO_EXPECT_ALL(same_array(b, one, other, "final/y", N_Y));
  for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
    char path[64];
    snprintf(path, sizeof path, "history/%s", columns[i]);
    BLO_EXPECT_MSG(same_array(b, one, other, path, rows), "%s differs", path);
  }
}

/* And the messages are, on the same number of ranks. */
static void expect_same_runs(bench *b, const char *one, const char *other, blo_int rows)
{
  expect_same_results(b, one, other, rows);
  BLO_EXPECT_ALL(same_array(b, one, other, "history/messages", rows));
  BLO_EXPECT_ALL(same_array(b, one, other, "history/bytes", rows));
}

static void tables_are_well_formed(blo_comm *comm)
{
  blo_int n_problems, n_solvers;
  const blo_problem_type *const *problems = blo_problem_types(&n_problems);
  const blo_solver_type *const *solvers = blo_solver_types(&n_solvers);
  BLO_EXPECT_STATUS(blo_opt_table_check(blo_comm_context(comm), &blo_run_table), BLO_OK);
  for (blo_int i = 0; i < n_problems; i++) {
    BLO_EXPECT_STATUS(blo_opt_table_check(blo_comm_context(comm), problems[i]->options), BLO_OK);
  }
  for (blo_int i = 0; i < n_solvers; i++) {
    BLO_EXPECT_STATUS(blo_opt_table_check(blo_comm_context(comm), solvers[i]->options), BLO_OK);
  }
}

static void leaves_history_and_checkpoint(blo_comm *comm)
{
  bench b;
  double iteration[13], accuracy[13], seconds[13];
  open_bench(comm, &b);
  BLO_REQUIRE_STATUS(go(&b, "a/b", false, NULL), BLO_OK);
  BLO_EXPECT_ALL(b.result.outcome == BLO_OUTCOME_BUDGET && b.result.iterations == 12);
  BLO_EXPECT_ALL(exists(b.result.checkpoint));
  read_array(&b, b.result.run_file, "history/iteration", iteration, 13);
  read_array(&b, b.result.run_file, "history/test_accuracy", accuracy, 13);
  read_array(&b, b.result.run_file, "history/seconds", seconds, 13);
  for (int i = 0; i <= 12; i++) {
    bool measured = i % 5 == 0 || i == 12;
    BLO_EXPECT_ALL(iteration[i] == i);
    BLO_EXPECT_MSG(isnan(accuracy[i]) == !measured, "row %d: test_accuracy %g", i, accuracy[i]);
    BLO_EXPECT_ALL(i == 0 || seconds[i] > seconds[i - 1]);
  }
}

/* Rows 0, 5, 10 and the last one, which has its norms and metrics whatever the cadence. */
static void last_iteration_is_recorded(blo_comm *comm)
{
  bench b;
  double iteration[4], norm[4], accuracy[4];
  open_bench(comm, &b);
  BLO_REQUIRE_STATUS(go(&b, "a", false, SET("run.record_every=5", "run.metrics_every=100")),
                     BLO_OK);
  read_array(&b, b.result.run_file, "history/iteration", iteration, 4);
  read_array(&b, b.result.run_file, "history/hypergrad_norm", norm, 4);
  read_array(&b, b.result.run_file, "history/test_accuracy", accuracy, 4);
  BLO_EXPECT_ALL(iteration[2] == 10 && iteration[3] == 12);
  BLO_EXPECT_ALL(isnan(norm[0]) && isfinite(norm[1]) && isfinite(norm[3]));
  BLO_EXPECT_ALL(isfinite(accuracy[0]) && isnan(accuracy[2]) && isfinite(accuracy[3]));
}

/* Without the driver: the solver's steps alone give the x that a run ends with. */
static void ends_where_the_solver_does(blo_comm *comm)
{
  bench b;
  blo_setup *setup = NULL;
  blo_report report;
  double x[N_X] = {0}, final_x[N_X];
  open_bench(comm, &b);
  BLO_REQUIRE_STATUS(go(&b, "a", false, NULL), BLO_OK);
  BLO_REQUIRE_STATUS(blo_setup_create(comm, &b.request, &setup), BLO_OK);
  for (int k = 0; k < 12; k++) {
    BLO_EXPECT_STATUS(blo_solver_step(setup->solver, &report), BLO_OK);
  }
  blo_vec_gather(setup->solver->x, x);
  blo_setup_destroy(comm, &setup);
  read_array(&b, b.result.run_file, "final/x", final_x, N_X);
  BLO_EXPECT_ALL(blo_comm_rank(comm) != 0 || memcmp(x, final_x, sizeof x) == 0);
}

static void continues_with_the_same_bits(blo_comm *comm)
{
  bench b;
  char whole[PATH];
  open_bench(comm, &b);
  BLO_REQUIRE_STATUS(go(&b, "whole", false, NULL), BLO_OK);
  memcpy(whole, b.result.run_file, sizeof whole);
  BLO_REQUIRE_STATUS(go(&b, "parts", false, SET("run.iterations=5")), BLO_OK);
  BLO_REQUIRE_STATUS(go(&b, "parts", true, SET("run.iterations=10")), BLO_OK);
  BLO_EXPECT_ALL(b.result.iterations == 10);
  BLO_REQUIRE_STATUS(go(&b, "parts", true, SET("run.iterations=12")), BLO_OK);
  expect_same_runs(&b, whole, b.result.run_file, 13);
  /* nothing left to do: the file stays as it was */
  BLO_REQUIRE_STATUS(go(&b, "parts", true, NULL), BLO_OK);
  expect_same_runs(&b, whole, b.result.run_file, 13);
}

/* What had to be done at the end of a shorter run, a row and metrics, is not seen in a longer one;
 * but the norms for that row have cost messages. */
static void extended_run_has_the_history_of_a_longer_one(blo_comm *comm)
{
  bench b;
  char whole[PATH];
  open_bench(comm, &b);
  BLO_REQUIRE_STATUS(go(&b, "whole", false, SET("run.record_every=3")), BLO_OK);
  memcpy(whole, b.result.run_file, sizeof whole);
  BLO_REQUIRE_STATUS(go(&b, "parts", false, SET("run.record_every=3", "run.iterations=6")), BLO_OK);
  BLO_REQUIRE_STATUS(go(&b, "parts", true, SET("run.iterations=7")), BLO_OK);
  BLO_REQUIRE_STATUS(go(&b, "parts", true, NULL), BLO_OK); /* has nothing to do */
  BLO_REQUIRE_STATUS(go(&b, "parts", true, SET("run.iterations=12")), BLO_OK);
  expect_same_results(&b, whole, b.result.run_file, 7); /* 0, 3, 5, 6, 9, 10, 12 */
}

/* Looks every few milliseconds for the file that a run has written before its first iteration, and
 * interrupts that run, not one after it. */
static char awaited[PATH];

static void interrupt_when_it_runs(int signal_number)
{
  (void)signal_number;
  if (access(awaited, F_OK) == 0) {
    awaited[0] = '\0';
    blo_run_interrupt();
  }
}

static void interrupt_last_rank(bench *b, const char *out, bool on)
{
  struct sigaction action = {.sa_handler = on ? interrupt_when_it_runs : SIG_IGN,
                             .sa_flags = SA_RESTART};
  struct itimerval timer = {{0, on ? 2000 : 0}, {0, on ? 2000 : 0}};
  if (blo_comm_rank(b->comm) == blo_comm_size(b->comm) - 1) {
    snprintf(awaited, sizeof awaited, "%s/%s/small.h5", b->folder, out);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
  }
}

static void signal_stops_all_ranks(blo_comm *comm)
{
  bench b;
  char parts[PATH], iterations[64];
  open_bench(comm, &b);
  interrupt_last_rank(&b, "parts", true);
  blo_status status =
      go(&b, "parts", false,
         SET("run.iterations=1e9", "run.record_every=1e9", "run.metrics_every=1e9"));
  interrupt_last_rank(&b, "parts", false);
  BLO_REQUIRE_STATUS(status, BLO_OK);
  BLO_EXPECT_ALL(b.result.outcome == BLO_OUTCOME_SIGNAL && b.result.iterations > 0);
  snprintf(iterations, sizeof iterations, "run.iterations=%lld",
           (long long)b.result.iterations + 3);
  BLO_REQUIRE_STATUS(go(&b, "parts", true, SET(iterations)), BLO_OK);
  BLO_EXPECT_ALL(b.result.outcome == BLO_OUTCOME_BUDGET);
  memcpy(parts, b.result.run_file, sizeof parts);
  BLO_REQUIRE_STATUS(
      go(&b, "whole", false, SET(iterations, "run.record_every=1e9", "run.metrics_every=1e9")),
      BLO_OK);
  expect_same_runs(&b, parts, b.result.run_file, 2);
}

/* While the data were read: nothing is written, and what is there is not replaced. */
static void signal_before_the_start_stops_all_ranks(blo_comm *comm)
{
  bench b;
  char checkpoint[PATH];
  bool last = blo_comm_rank(comm) == blo_comm_size(comm) - 1;
  open_bench(comm, &b);
  if (last) {
    blo_run_interrupt();
  }
  BLO_REQUIRE_STATUS(go(&b, "new", false, NULL), BLO_OK);
  BLO_EXPECT_ALL(b.result.outcome == BLO_OUTCOME_SIGNAL && b.result.iterations == 0);
  BLO_EXPECT_ALL(b.result.run_file[0] == '\0' && b.result.checkpoint[0] == '\0' && !exists(b.out));
  BLO_REQUIRE_STATUS(go(&b, "new", false, NULL), BLO_OK);
  BLO_REQUIRE_ALL(b.result.outcome == BLO_OUTCOME_BUDGET);
  memcpy(checkpoint, b.result.checkpoint, sizeof checkpoint);
  if (last) {
    blo_run_interrupt();
  }
  BLO_REQUIRE_STATUS(go(&b, "new", false, SET("run.iterations=5")), BLO_OK);
  BLO_EXPECT_ALL(b.result.outcome == BLO_OUTCOME_SIGNAL && exists(checkpoint));
}

static void stops_before_the_time_limit(blo_comm *comm)
{
  bench b;
  open_bench(comm, &b);
  BLO_REQUIRE_STATUS(go(&b, "a", false,
                        SET("run.time_limit=1.5", "run.iterations=1e9", "run.record_every=1e6",
                            "run.metrics_every=1e6")),
                     BLO_OK);
  BLO_EXPECT_ALL(b.result.outcome == BLO_OUTCOME_TIME);
  BLO_EXPECT_MSG(b.result.seconds < 1.5, "%g s", b.result.seconds);
  BLO_EXPECT_ALL(exists(b.result.checkpoint));
}

static void tolerance_ends_the_run(blo_comm *comm)
{
  bench b;
  double norm[64];
  open_bench(comm, &b);
  BLO_REQUIRE_STATUS(go(&b, "a", false, SET("run.tol=1e3", "run.record_every=100")), BLO_OK);
  BLO_EXPECT_ALL(b.result.outcome == BLO_OUTCOME_CONVERGED && b.result.iterations == 1);
  read_array(&b, b.result.run_file, "history/hypergrad_norm", norm, 2);
  BLO_EXPECT_ALL(norm[1] <= 1e3);
  read_array(&b, b.result.run_file, "history/test_accuracy", norm, 2);
  BLO_EXPECT_ALL(isfinite(norm[1]));
}

static void converged_run_has_nothing_to_do(blo_comm *comm)
{
  bench b;
  char whole[PATH];
  open_bench(comm, &b);
  BLO_REQUIRE_STATUS(go(&b, "whole", false, NULL), BLO_OK);
  memcpy(whole, b.result.run_file, sizeof whole);
  BLO_REQUIRE_STATUS(go(&b, "a", false, SET("run.tol=1e3")), BLO_OK);
  for (int i = 0; i < 2; i++) {
    BLO_REQUIRE_STATUS(go(&b, "a", true, NULL), BLO_OK);
    BLO_EXPECT_ALL(b.result.outcome == BLO_OUTCOME_CONVERGED && b.result.iterations == 1);
  }
  BLO_REQUIRE_STATUS(go(&b, "a", true, SET("run.tol=1e-9")), BLO_OK);
  BLO_EXPECT_ALL(b.result.outcome == BLO_OUTCOME_BUDGET && b.result.iterations == 12);
  expect_same_runs(&b, whole, b.result.run_file, 13);
}

static void checkpoints_are_kept_as_asked(blo_comm *comm)
{
  bench b;
  char path[PATH + 64];
  open_bench(comm, &b);
  BLO_REQUIRE_STATUS(go(&b, "a", false, SET("run.checkpoint_every=4", "run.name=n")), BLO_OK);
  for (int k = 4; k <= 12; k += 4) {
    snprintf(path, sizeof path, "%s/n.ckpt.%012d.h5", b.out, k);
    BLO_EXPECT_MSG(exists(path) == (k > 4), "%s", path);
  }
}

/* A run that diverges after some iterations; its result is in b->result. */
static void diverge(bench *b, const char *out, const char *const *sets)
{
  BLO_REQUIRE_STATUS(go(b, out, false, sets), BLO_OK);
  BLO_EXPECT_ALL(b->result.outcome == BLO_OUTCOME_DIVERGED && exists(b->result.run_file));
  BLO_EXPECT_ALL(strstr(b->result.reason, "not finite") != NULL);
}

#define DIVERGING "run.iterations=200", "solver.upper.step=1e3", "solver.lower.batch=0"

/* With checkpoints or without, it leaves the state after the last recorded iteration that was
 * finite, with the history so far, and nothing that is not finite. */
static void divergence_leaves_the_last_good_state(blo_comm *comm)
{
  bench b;
  char file[1024], checkpoint[1024];
  double x[N_X];
  open_bench(comm, &b);
  diverge(&b, "a", SET(DIVERGING, "run.checkpoint_every=1", "run.rescue=false"));
  blo_int last = b.result.iterations;
  snprintf(file, sizeof file, "%s", b.result.run_file);
  BLO_EXPECT_ALL(last > 1 && strstr(b.result.reason, b.result.checkpoint) != NULL);
  diverge(&b, "b", SET(DIVERGING));
  snprintf(checkpoint, sizeof checkpoint, "%s", b.result.checkpoint);
  BLO_EXPECT_ALL(b.result.iterations == last && exists(checkpoint));
  BLO_EXPECT_ALL(strstr(b.result.reason, checkpoint) != NULL);
  expect_same_results(&b, file, b.result.run_file, last + 1);
  read_array(&b, b.result.run_file, "final/x", x, N_X);
  BLO_EXPECT_ALL(blo_array_finite(N_X, x));
  diverge(&b, "c", SET(DIVERGING, "run.rescue=false"));
  BLO_EXPECT_ALL(b.result.checkpoint[0] == '\0');
  BLO_EXPECT_ALL(strstr(b.result.reason, "there is no checkpoint") != NULL);
}

/* Recorded less often, the state is an older one, from which the run goes on as it went. */
static void rescued_state_goes_on(blo_comm *comm)
{
  bench b;
  open_bench(comm, &b);
  diverge(&b, "a", SET(DIVERGING, "run.record_every=3", "run.metrics_every=6"));
  blo_int first = b.result.iterations;
  BLO_EXPECT_MSG(first > 0 && first % 3 == 0, "iteration %lld", (long long)first);
  BLO_REQUIRE_STATUS(go(&b, "a", true, NULL), BLO_OK);
  BLO_EXPECT_ALL(b.result.outcome == BLO_OUTCOME_DIVERGED && b.result.iterations == first);
}

/* A saddle that is left: the run ends with its evidence, which a resume finds again. One that is
 * not decided can go on. */
static void second_order_survives_a_resume(blo_comm *comm)
{
  bench b;
  char reason[BLO_MESSAGE_MAX];
  open_bench(comm, &b);
  write_saddle_file(&b);
  BLO_REQUIRE_STATUS(go(&b, "a", false, NULL), BLO_OK);
  BLO_EXPECT_ALL(b.result.outcome == BLO_OUTCOME_MINIMUM && b.result.iterations < 600);
  BLO_EXPECT_ALL(strstr(b.result.reason, "approximate local minimum; perturbed at") != NULL);
  snprintf(reason, sizeof reason, "%s", b.result.reason);
  blo_int done = b.result.iterations;
  BLO_REQUIRE_STATUS(go(&b, "a", true, NULL), BLO_OK);
  BLO_EXPECT_ALL(b.result.outcome == BLO_OUTCOME_MINIMUM && b.result.iterations == done);
  BLO_EXPECT_ALL(strcmp(b.result.reason, reason) == 0);
  BLO_REQUIRE_STATUS(go(&b, "b", false, SET("solver.lower.steps=10", "solver.escape.wait=50")),
                     BLO_OK);
  BLO_EXPECT_ALL(b.result.outcome == BLO_OUTCOME_UNDECIDED);
  done = b.result.iterations;
  BLO_REQUIRE_STATUS(go(&b, "b", true, NULL), BLO_OK);
  BLO_EXPECT_ALL(b.result.iterations > done);
}

static void changed_options_are_refused_at_resume(blo_comm *comm)
{
  bench b;
  open_bench(comm, &b);
  BLO_REQUIRE_STATUS(go(&b, "a", false, NULL), BLO_OK);
  BLO_EXPECT_STATUS(go(&b, "a", true, SET("solver.upper.step=0.25")), BLO_E_MISMATCH);
  BLO_EXPECT_ERROR_HAS("solver.upper.step was '0.1' and is now '0.25'");
  BLO_EXPECT_STATUS(go(&b, "a", true, SET("solver.type=soba")), BLO_E_MISMATCH);
  BLO_EXPECT_ERROR_HAS("solver.type was 'stocbio' and is now 'soba'");
  BLO_EXPECT_STATUS(go(&b, "a", true, SET("run.seed=2")), BLO_E_MISMATCH);
  BLO_EXPECT_STATUS(go(&b, "a", true, SET("problem.data.seed=2")), BLO_E_MISMATCH);
}

/* The data may lie elsewhere when a run is resumed, but must be the same. */
static void moved_data_are_known_by_their_fingerprint(blo_comm *comm)
{
  bench b;
  char data[PATH], moved[PATH], set[PATH + 64];
  open_bench(comm, &b);
  BLO_REQUIRE_STATUS(go(&b, "a", false, NULL), BLO_OK);
  snprintf(data, sizeof data, "%s/data.csv", b.folder);
  snprintf(moved, sizeof moved, "%s/moved.csv", b.folder);
  snprintf(set, sizeof set, "problem.data.train.path=%s", moved);
  BLO_REQUIRE_ALL(blo_comm_rank(comm) != 0 || rename(data, moved) == 0);
  BLO_EXPECT_STATUS(go(&b, "a", true, SET("run.iterations=14")), BLO_E_IO);
  BLO_EXPECT_STATUS(go(&b, "a", true, SET("run.iterations=14", set)), BLO_OK);
  BLO_EXPECT_ALL(b.result.iterations == 14);
  if (blo_comm_rank(comm) == 0) {
    FILE *f = fopen(moved, "r+");
    BLO_BUG_IF(f == NULL, "cannot change %s", moved);
    fputs("9", f); /* the first digit of the first feature */
    fclose(f);
  }
  BLO_EXPECT_STATUS(go(&b, "a", true, SET("run.iterations=16", set)), BLO_E_MISMATCH);
}

static void wrong_run_files_are_explained(blo_comm *comm)
{
  bench b;
  open_bench(comm, &b);
  BLO_EXPECT_STATUS(go(&b, "a", false, SET("solvr.type=aid")), BLO_E_OPTION);
  BLO_EXPECT_ERROR_HAS("did you mean 'solver'");
  BLO_EXPECT_STATUS(go(&b, "a", false, SET("solver.type=stocbi")), BLO_E_OPTION);
  BLO_EXPECT_ERROR_HAS("did you mean 'stocbio'");
  BLO_EXPECT_STATUS(go(&b, "a", false, SET("problem.type=")), BLO_E_OPTION);
  BLO_EXPECT_ERROR_HAS("problem.type is missing");
  BLO_EXPECT_STATUS(go(&b, "a", false, SET("run.name=x/y")), BLO_E_OPTION);
  BLO_EXPECT_STATUS(go(&b, "a", false, SET("run.memory_limit=1e-6")), BLO_E_MEMORY);
  BLO_EXPECT_ERROR_HAS("run.memory_limit");
  BLO_EXPECT_ALL(!exists(b.out));
}

static void failed_start_leaves_nothing(blo_comm *comm)
{
  bench b;
  char parent[PATH];
  open_bench(comm, &b);
  snprintf(parent, sizeof parent, "%s/new", b.folder);
  BLO_EXPECT_STATUS(go(&b, "new/deep/", false, SET("problem.data.train.path=none.csv")), BLO_E_IO);
  BLO_EXPECT_ALL(!exists(parent));
  BLO_EXPECT_STATUS(go(&b, "small.yml/out", false, NULL), BLO_E_IO);
  BLO_EXPECT_ERROR_HAS("cannot write to the output folder");
  b.request.dry_run = true;
  BLO_EXPECT_STATUS(go(&b, "new", false, NULL), BLO_OK);
  BLO_EXPECT_ALL(!exists(parent) && b.result.outcome == BLO_OUTCOME_RUNNING);
}

static void unfinished_runs_are_not_overwritten(blo_comm *comm)
{
  bench b;
  open_bench(comm, &b);
  BLO_REQUIRE_STATUS(go(&b, "a", false, SET("run.time_limit=1e-6")), BLO_OK);
  BLO_REQUIRE_ALL(b.result.outcome == BLO_OUTCOME_TIME && b.result.iterations == 1);
  BLO_EXPECT_STATUS(go(&b, "a", false, NULL), BLO_E_OPTION);
  BLO_EXPECT_ERROR_HAS("parblo resume");
  BLO_EXPECT_STATUS(go(&b, "a", false, SET("run.iterations=3", "run.replace=true")), BLO_OK);
  BLO_EXPECT_ALL(b.result.iterations == 3);
  /* a finished one is, with its checkpoints */
  BLO_EXPECT_STATUS(go(&b, "a", false, SET("run.iterations=2")), BLO_OK);
  BLO_EXPECT_STATUS(go(&b, "a", true, NULL), BLO_OK);
  BLO_EXPECT_ALL(b.result.iterations == 2);
}

/* Resumed into the folder of another run, or under its name. */
static void unfinished_runs_are_not_overwritten_by_resuming(blo_comm *comm)
{
  bench b;
  char other[PATH], resumed[PATH], output[PATH + 32];
  open_bench(comm, &b);
  BLO_REQUIRE_STATUS(go(&b, "other", false, SET("run.time_limit=1e-6")), BLO_OK);
  memcpy(other, b.result.checkpoint, sizeof other);
  BLO_REQUIRE_STATUS(go(&b, "a", false, SET("run.iterations=5", "run.replace=true")), BLO_OK);
  memcpy(resumed, b.result.checkpoint, sizeof resumed);
  snprintf(output, sizeof output, "run.output=%s/other", b.folder);
  BLO_EXPECT_STATUS(go(&b, "a", true, SET(output)), BLO_E_OPTION);
  BLO_EXPECT_ERROR_HAS("unfinished run 'small'");
  BLO_EXPECT_ALL(exists(other));
  BLO_EXPECT_STATUS(go(&b, "a", true, SET(output, "run.name=free", "run.iterations=6")), BLO_OK);
  BLO_EXPECT_ALL(exists(other) && exists(resumed));
  BLO_EXPECT_STATUS(go(&b, "a", true, SET(output, "run.replace=true", "run.iterations=7")), BLO_OK);
  BLO_EXPECT_ALL(!exists(other) && exists(resumed) && b.result.iterations == 7);
}

/* The new run cannot write its run file: the checkpoint of the old one stands. */
static void earlier_run_stands_until_the_new_one_has_started(blo_comm *comm)
{
  bench b;
  char checkpoint[PATH];
  open_bench(comm, &b);
  BLO_REQUIRE_STATUS(go(&b, "a", false, NULL), BLO_OK);
  memcpy(checkpoint, b.result.checkpoint, sizeof checkpoint);
  BLO_REQUIRE_ALL(blo_comm_rank(comm) != 0 ||
                  (unlink(b.result.run_file) == 0 && mkdir(b.result.run_file, 0777) == 0));
  BLO_EXPECT_STATUS(go(&b, "a", false, SET("run.replace=true")), BLO_E_IO);
  BLO_EXPECT_ALL(exists(checkpoint));
}

/* Enough memory for reading the data, but not for a history of 4097 rows: the iterations that were
 * made by then are saved. */
static void short_memory_for_the_history_loses_no_iterations(blo_comm *comm)
{
  enum { ROWS = 4096, FIRST = 2400, LAST = 3200, STRIDE = 200 };
  bench b;
  blo_int saved = 0;
  open_bench(comm, &b);
  for (int kib = FIRST; saved == 0 && kib < LAST; kib += STRIDE) {
    char set[64];
    snprintf(set, sizeof set, "run.memory_limit=%.9g", kib / 0x1p20);
    blo_status status = go(&b, "a", false,
                           SET(set, "run.iterations=1e6", "run.metrics_every=1e9",
                               "solver.lower.steps=1", "solver.adjoint.iterations=1"));
    BLO_REQUIRE_STATUS(status, BLO_E_MEMORY);
    BLO_EXPECT_ERROR_HAS("run.memory_limit");
    saved = (blo_int)blo_max_all(comm, (double)b.result.iterations); /* known to the root */
  }
  BLO_EXPECT_MSG(saved >= ROWS, "%lld iterations were saved", (long long)saved);
  BLO_EXPECT_ALL(exists(b.result.checkpoint) && exists(b.result.run_file));
}

static blo_status run_and_resume(blo_comm *comm, void *arg)
{
  (void)comm;
  bench *b = arg;
  blo_status status = go(b, "a", false, SET("run.iterations=2", "run.replace=true"));
  return status != BLO_OK ? status : go(b, "a", true, SET("run.iterations=3"));
}

/* True if the output folder has no temporary file. */
static bool is_tidy(const bench *b)
{
  DIR *dir = opendir(b->out);
  bool tidy = true;
  for (struct dirent *e = dir != NULL ? readdir(dir) : NULL; e != NULL; e = readdir(dir)) {
    tidy = tidy && strstr(e->d_name, ".tmp.") == NULL;
  }
  if (dir != NULL) {
    closedir(dir);
  }
  return tidy;
}

/* The k-th fallible operation of one rank fails; true if there is one. */
static bool fails_together(bench *b, int victim, blo_int k)
{
  blo_int before = blo_memory(b->ctx).live;
  blo_fault_arm(b->ctx, blo_comm_rank(b->comm) == victim ? k : 0);
  blo_status status = run_and_resume(b->comm, b);
  bool struck = blo_max_all(b->comm, blo_fault_struck(b->ctx) ? 1 : 0) > 0;
  blo_fault_arm(b->ctx, 0);
  /* where older checkpoints are looked for, after the new one stands, a fault costs nothing */
  bool whole = status == BLO_OK && b->result.iterations == 3 && exists(b->result.checkpoint);
  BLO_EXPECT_MSG(status == (struck ? BLO_E_FAULT : BLO_OK) || (struck && whole),
                 "operation %lld of rank %d: %s: %s", (long long)k, victim, blo_status_text(status),
                 blo_error_text(b->ctx));
  BLO_EXPECT_MSG(blo_memory(b->ctx).live == before, "operation %lld of rank %d leaves memory",
                 (long long)k, victim);
  BLO_EXPECT_MSG(is_tidy(b), "operation %lld of rank %d leaves a temporary file", (long long)k,
                 victim);
  return struck;
}

/* A run has thousands of operations that can fail, most of them in the parser of the run file; a
 * prime stride takes some of every kind, other ones on each rank. */
static void every_failure_is_agreed(blo_comm *comm)
{
  enum { STRIDE = 67 };
  bench b;
  blo_int n = 0;
  open_bench(comm, &b);
  for (int victim = 0; victim < blo_comm_size(comm); victim++) {
    for (blo_int k = 1 + victim; fails_together(&b, victim, k); k += STRIDE * blo_comm_size(comm)) {
      n++;
    }
  }
  BLO_EXPECT_MSG(n > 20, "only %lld faults struck", (long long)n);
}

static const blo_test tests[] = {
    {"tables are well formed", tables_are_well_formed},
    {"leaves history and checkpoint", leaves_history_and_checkpoint},
    {"last iteration is recorded", last_iteration_is_recorded},
    {"ends where the solver does", ends_where_the_solver_does},
    {"continues with the same bits", continues_with_the_same_bits},
    {"extended run has the history of a longer one", extended_run_has_the_history_of_a_longer_one},
    {"signal stops all ranks", signal_stops_all_ranks},
    {"signal before the start stops all ranks", signal_before_the_start_stops_all_ranks},
    {"stops before the time limit", stops_before_the_time_limit},
    {"tolerance ends the run", tolerance_ends_the_run},
    {"converged run has nothing to do", converged_run_has_nothing_to_do},
    {"checkpoints are kept as asked", checkpoints_are_kept_as_asked},
    {"divergence leaves the last good state", divergence_leaves_the_last_good_state},
    {"rescued state goes on", rescued_state_goes_on},
    {"second order survives a resume", second_order_survives_a_resume},
    {"changed options are refused at resume", changed_options_are_refused_at_resume},
    {"moved data are known by their fingerprint", moved_data_are_known_by_their_fingerprint},
    {"wrong run files are explained", wrong_run_files_are_explained},
    {"failed start leaves nothing", failed_start_leaves_nothing},
    {"unfinished runs are not overwritten", unfinished_runs_are_not_overwritten},
    {"unfinished runs are not overwritten by resuming",
     unfinished_runs_are_not_overwritten_by_resuming},
    {"earlier run stands until the new one has started",
     earlier_run_stands_until_the_new_one_has_started},
    {"short memory for the history loses no iterations",
     short_memory_for_the_history_loses_no_iterations},
    {"every failure is agreed", every_failure_is_agreed},
};
BLO_TEST_MAIN("run", tests)

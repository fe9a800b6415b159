/**
 * @file
 * Benchmark: the Hessian of ridge_logistic as a distributed matrix: assembled, factorised, its
 * eigenvalues, clipped; on one rank also LAPACK's routines on the same numbers of rows.
 *
 *     mpirun -n P bench_dense [n_y samples repeats block]
 *
 * Prints one line a step, "<step>: <median> ms". dense.sh puts ranks side by side.
 */
#include <blo/blo.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info,
                    size_t n_uplo);
extern void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda,
                    double *w, double *work, const int *lwork, int *iwork, const int *liwork,
                    int *info, size_t n_jobz, size_t n_uplo);

enum { CLASSES = 10, REPEATS_MAX = 99 };

typedef struct sizes {
  blo_int n, samples, repeats, block;
} sizes;

/* A bug or an unusable machine: a benchmark needs no recovery. */
static void must(blo_context *ctx, blo_status status)
{
  if (status != BLO_OK) {
    fprintf(stderr, "bench: %s\n", blo_error_text(ctx));
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
}

/* ------------------------------------------------------------------- timing */

typedef struct timer {
  blo_comm *comm;
  blo_int n;
  double begin, seconds[REPEATS_MAX];
} timer;

static void start(timer *t)
{
  MPI_Barrier(blo_comm_mpi(t->comm));
  t->begin = blo_now();
}

/* As the slowest rank sees it. */
static void stop(timer *t)
{
  t->seconds[t->n++] = blo_max_all(t->comm, blo_now() - t->begin);
}

static int ascending(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

static void report(timer *t, const char *step)
{
  qsort(t->seconds, (size_t)t->n, sizeof *t->seconds, ascending);
  if (blo_comm_rank(t->comm) == 0) {
    printf("%s: %.2f ms\n", step, 1e3 * t->seconds[t->n / 2]);
    fflush(stdout);
  }
  t->n = 0;
}

/* ------------------------------------------------------------------ problem */

static void write_data(blo_context *ctx, const char *path, const sizes *z)
{
  blo_int d = z->n / CLASSES - 1; /* the bias is one more */
  blo_table t = {.n_rows = z->samples + 100, .n_features = d, .n_classes = CLASSES};
  blo_stream st = {1, BLO_PURPOSE_TEST};
  const char *name = "train";
  const blo_table *const tables[] = {&t};

  t.storage = BLO_F64;
  t.ld = (d + 7) / 8 * 8;
  must(ctx, blo_alloc(ctx, t.n_rows * t.ld, sizeof(double), &t.values));
  must(ctx, blo_alloc(ctx, t.n_rows, sizeof *t.label, &t.label));
  must(ctx, blo_alloc(ctx, CLASSES, sizeof *t.class_value, &t.class_value));
  for (int32_t c = 0; c < CLASSES; c++) {
    t.class_value[c] = c;
  }
  for (blo_int i = 0; i < t.n_rows; i++) {
    t.label[i] = (int32_t)(i % CLASSES);
    for (blo_int k = 0; k < d; k++) {
      ((double *)t.values)[i * t.ld + k] = blo_stream_normal(st, 0, (uint64_t)i, (uint64_t)k);
    }
  }
  must(ctx, blo_table_write(ctx, path, 1, &name, tables));
  blo_free(ctx, &t.values);
  blo_free(ctx, &t.label);
  blo_free(ctx, &t.class_value);
}

static void make_problem(blo_comm *comm, const sizes *z, blo_problem **problem)
{
  blo_context *ctx = blo_comm_context(comm);
  const char *folder = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";
  char path[256], text[512];
  blo_conf *conf = NULL;
  int pid = (int)getpid();

  blo_bcast(comm, 0, &pid, sizeof pid);
  snprintf(path, sizeof path, "%s/parblo-bench-%d.h5", folder, pid);
  if (blo_comm_rank(comm) == 0) {
    write_data(ctx, path, z);
  }
  snprintf(text, sizeof text, "data: {train: {path: %s}, n_val: 100, split: ordered}\n", path);
  MPI_Barrier(blo_comm_mpi(comm));
  must(ctx, blo_conf_parse(ctx, "bench", text, &conf));
  must(ctx, blo_problem_create(comm, blo_problem_find("ridge_logistic"), conf, problem));
  blo_conf_destroy(&conf);
  if (blo_comm_rank(comm) == 0) {
    unlink(path);
  }
}

/* -------------------------------------------------------------------- steps */

static void bench_assembly(timer *t, blo_eval *eval, blo_dense *h, blo_int repeats)
{
  blo_context *ctx = blo_eval_problem(eval)->ctx;
  blo_int n_lower = blo_eval_problem(eval)->n_lower;
  blo_vec *x = NULL, *y = NULL;
  blo_assembler *a = NULL;

  must(ctx, blo_vec_create(blo_eval_space_x(eval), &x));
  must(ctx, blo_vec_create(blo_eval_space_y(eval), &y));
  must(ctx, blo_assembler_create(eval, blo_dense_grid(h), n_lower, false, &a));
  blo_eval_start(eval, x, y);
  for (blo_int r = 0; r < repeats; r++) {
    const blo_assemble_ask ask = {.scale = 1, .x = x, .y = y, .hessian = h};
    start(t);
    blo_dense_fill(0, h);
    must(ctx, blo_assemble(a, &ask));
    blo_dense_symmetrise(h);
    stop(t);
  }
  report(t, "assembly");
  blo_assembler_destroy(&a);
  blo_vec_destroy(&x);
  blo_vec_destroy(&y);
}

static void bench_factors(timer *t, blo_dense *h, blo_int repeats)
{
  blo_context *ctx = blo_comm_context(t->comm);
  blo_dense *work = NULL;
  blo_factor *f = NULL;
  bool definite;

  must(ctx, blo_dense_create(blo_dense_grid(h), blo_dense_n(h), blo_dense_n(h), &work));
  must(ctx, blo_factor_create(work, 1, &f));
  for (blo_int r = 0; r < repeats; r++) {
    blo_dense_copy(h, work);
    start(t);
    blo_factor_cholesky(f, 0, &definite);
    stop(t);
    blo_factor_forget(f);
  }
  report(t, definite ? "Cholesky" : "Cholesky (not definite)");
  for (blo_int r = 0; r < repeats; r++) {
    blo_dense_copy(h, work);
    start(t);
    must(ctx, blo_factor_lu(f));
    stop(t);
    blo_factor_forget(f);
  }
  report(t, "LU");
  blo_factor_destroy(&f);
  blo_dense_destroy(&work);
}

/* @return the largest eigenvalue; `least` gets the smallest one */
static double bench_eigen(timer *t, blo_dense *h, blo_int repeats, double *least)
{
  blo_context *ctx = blo_comm_context(t->comm);
  blo_grid *grid = blo_dense_grid(h);
  blo_int n = blo_dense_n(h);
  blo_dense *work = NULL, *z = NULL;
  blo_eigen *e = NULL;
  double *w = NULL, most;

  must(ctx, blo_alloc(ctx, n, sizeof *w, &w));
  must(ctx, blo_dense_create(grid, n, n, &work));
  must(ctx, blo_dense_create(grid, n, n, &z));
  must(ctx, blo_eigen_create(grid, n, &e));
  for (blo_int r = 0; r < repeats; r++) {
    blo_dense_copy(h, work);
    start(t);
    must(ctx, blo_eigen_solve(e, work, w, z));
    stop(t);
  }
  report(t, "eigenvalues and vectors");
  *least = w[0];
  most = w[n - 1];
  blo_eigen_destroy(&e);
  blo_dense_destroy(&work);
  blo_dense_destroy(&z);
  blo_free(ctx, &w);
  return most;
}

/* Clip to [mu, L]; the matrix is h each time. */
static void bench_clip(timer *t, blo_dense *h, blo_int repeats, double mu, double L,
                       const char *step)
{
  blo_context *ctx = blo_comm_context(t->comm);
  blo_dense *work = NULL;
  blo_clip *c = NULL;

  must(ctx, blo_dense_create(blo_dense_grid(h), blo_dense_n(h), blo_dense_n(h), &work));
  must(ctx, blo_clip_create(work, &c));
  for (blo_int r = 0; r < repeats; r++) {
    blo_dense_copy(h, work);
    start(t);
    must(ctx, blo_clip_apply(c, mu, L, BLO_CLIP_EIG));
    stop(t);
  }
  report(t, step);
  blo_clip_destroy(&c);
  blo_dense_destroy(&work);
}

static void fill(blo_int n, double *a)
{
  for (blo_int j = 0; j < n; j++) {
    for (blo_int i = 0; i < n; i++) {
      a[j * n + i] = 1.0 / (double)(1 + llabs(i - j)) + (i == j ? 2 : 0);
    }
  }
}

static void bench_lapack(timer *t, blo_int n, blo_int repeats)
{
  blo_context *ctx = blo_comm_context(t->comm);
  const int size = (int)n, n_work = 1 + 6 * size + 2 * size * size, n_iwork = 3 + 5 * size;
  double *a = NULL, *w = NULL, *work = NULL;
  int *iwork = NULL, info;

  must(ctx, blo_alloc(ctx, n * n, sizeof *a, &a));
  must(ctx, blo_alloc(ctx, n, sizeof *w, &w));
  must(ctx, blo_alloc(ctx, n_work, sizeof *work, &work));
  must(ctx, blo_alloc(ctx, n_iwork, sizeof *iwork, &iwork));
  for (blo_int r = 0; r < repeats; r++) {
    fill(n, a);
    start(t);
    dpotrf_("L", &size, a, &size, &info, 1);
    stop(t);
  }
  report(t, "LAPACK Cholesky");
  for (blo_int r = 0; r < repeats; r++) {
    fill(n, a);
    start(t);
    dsyevd_("V", "L", &size, a, &size, w, work, &n_work, iwork, &n_iwork, &info, 1, 1);
    stop(t);
  }
  report(t, "LAPACK eigenvalues and vectors");
  blo_free(ctx, &a);
  blo_free(ctx, &w);
  blo_free(ctx, &work);
  blo_free(ctx, &iwork);
}

static void bench(blo_comm *comm, const sizes *z)
{
  blo_context *ctx = blo_comm_context(comm);
  const blo_dense_options options = {.ranks = 0, .block = z->block};
  timer t = {.comm = comm};
  blo_problem *problem = NULL;
  blo_eval *eval = NULL;
  blo_grid *grid = NULL;
  blo_dense *h = NULL;
  double least, most;

  make_problem(comm, z, &problem);
  must(ctx, blo_eval_create(problem, BLO_REPRODUCIBLE, &eval));
  must(ctx, blo_grid_create(comm, &options, &grid));
  must(ctx, blo_dense_create(grid, problem->n_y, problem->n_y, &h));
  bench_assembly(&t, eval, h, z->repeats);
  bench_factors(&t, h, z->repeats);
  most = bench_eigen(&t, h, z->repeats, &least);
  bench_clip(&t, h, z->repeats, 0.5 * least, 2 * most, "inactive clip");
  bench_clip(&t, h, z->repeats, 0.5 * (least + most), 2 * most, "clip by eigenvalues");
  if (blo_comm_size(comm) == 1) {
    bench_lapack(&t, problem->n_y, z->repeats);
  }
  blo_dense_destroy(&h);
  blo_grid_destroy(&grid);
  blo_eval_destroy(&eval);
  blo_problem_destroy(&problem);
}

int main(int argc, char **argv)
{
  sizes z = {.n = 2000, .samples = 2000, .repeats = 5, .block = 64};
  blo_int *const numbers[] = {&z.n, &z.samples, &z.repeats, &z.block};
  blo_context *ctx = NULL;
  blo_comm *comm = NULL;

  MPI_Init(&argc, &argv);
  for (int i = 1; i < argc && i <= (int)BLO_COUNT_OF(numbers); i++) {
    *numbers[i - 1] = strtoll(argv[i], NULL, 10);
  }
  z.repeats = z.repeats < REPEATS_MAX ? z.repeats : REPEATS_MAX;
  must(NULL, blo_context_create(&ctx));
  must(ctx, blo_comm_create(ctx, MPI_COMM_WORLD, &comm));
  if (blo_comm_rank(comm) == 0) {
    printf("n_y %lld, %lld samples, %d rank(s), blocks of %lld, eigenvalues by %s\n",
           (long long)z.n, (long long)z.samples, blo_comm_size(comm), (long long)z.block,
           blo_eigen_library());
  }
  bench(comm, &z);
  blo_comm_destroy(&comm);
  blo_context_destroy(&ctx);
  MPI_Finalize();
  return 0;
}

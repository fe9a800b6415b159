/**
 * @file
 * Benchmark: one full-batch hypergradient of data cleaning with K CG products, cold start, in
 * double precision, on n x d x C generated data; for features stored as doubles and as bytes.
 *
 *     mpirun -n P bench_hypergradient [n d C K repeats]
 *
 * Prints one line a storage kind: the median time, the share of it spent in the sweeps over the
 * data (products and their link functions), floating-point rate of the products, and the rate at
 * which the features are read beside the rate at which this machine reads memory (all ranks at
 * once). compare.sh puts the times of 1 and 2 ranks and of PyTorch side by side.
 */
#include <blo/blo.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct sizes {
  blo_int n, n_val, d, c, k, repeats;
} sizes;

/* A bug or an unusable machine: a benchmark needs no recovery. */
static void must(blo_context *ctx, blo_status status)
{
  if (status != BLO_OK) {
    fprintf(stderr, "bench: %s\n", blo_error_text(ctx));
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
}

/* ------------------------------------------------------------------ data */

static void fill_row(blo_table *t, blo_int i)
{
  blo_stream st = {1, BLO_PURPOSE_TEST};
  uint64_t bits[4];

  for (blo_int k = 0; k < t->n_features; k++) {
    if (k % 32 == 0) {
      blo_stream_bits(st, 0, (uint64_t)i, (uint64_t)k, bits);
    }
    unsigned char byte = (unsigned char)(bits[k / 8 % 4] >> (8 * (k % 8)));
    if (t->storage == BLO_U8) {
      ((unsigned char *)t->values)[i * t->ld + k] = byte;
    } else {
      ((double *)t->values)[i * t->ld + k] = byte / 255.0;
    }
  }
}

static void write_data(blo_context *ctx, const char *path, const sizes *z, blo_storage storage)
{
  blo_table t = {.n_rows = z->n + z->n_val, .n_features = z->d, .n_classes = z->c};
  const char *name = "train";
  const blo_table *const tables[] = {&t};

  t.storage = storage;
  t.ld = (z->d + 7) / 8 * 8;
  must(ctx, blo_alloc(ctx, t.n_rows * t.ld, blo_storage_size(storage), &t.values));
  must(ctx, blo_alloc(ctx, t.n_rows, sizeof *t.label, &t.label));
  must(ctx, blo_alloc(ctx, z->c, sizeof *t.class_value, &t.class_value));
  for (blo_int c = 0; c < z->c; c++) {
    t.class_value[c] = (int32_t)c;
  }
  for (blo_int i = 0; i < t.n_rows; i++) {
    t.label[i] = (int32_t)(i * 7 % z->c);
    fill_row(&t, i);
  }
  must(ctx, blo_table_write(ctx, path, 1, &name, tables));
  blo_free(ctx, &t.values);
  blo_free(ctx, &t.label);
  blo_free(ctx, &t.class_value);
}

/* ------------------------------------------------------------- measuring */

static int ascending(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

static double median(double *t, blo_int n)
{
  qsort(t, (size_t)n, sizeof *t, ascending);
  return t[n / 2];
}

/* Bytes a second that each rank reads when all read at once. */
static double read_rate(blo_comm *comm)
{
  enum { N = 1 << 25, ROUNDS = 5 };
  blo_context *ctx = blo_comm_context(comm);
  double *a = NULL, t[ROUNDS];
  volatile double sink = 0;

  must(ctx, blo_alloc(ctx, N, sizeof *a, &a));
  for (blo_int i = 0; i < N; i++) {
    a[i] = (double)i;
  }
  for (int r = 0; r < ROUNDS; r++) {
    MPI_Barrier(blo_comm_mpi(comm));
    double begin = blo_now();
    sink = sink + blo_array_dot(N / 2, a, a + N / 2);
    t[r] = blo_now() - begin;
  }
  blo_free(ctx, &a);
  return N * sizeof(double) / median(t, ROUNDS);
}

typedef struct result {
  double seconds, kernel_share;
} result;

/* Median time of a hypergradient over the repeats, as the slowest rank sees it. */
static result measure(blo_eval *eval, const sizes *z)
{
  blo_comm *comm = blo_eval_problem(eval)->comm;
  blo_context *ctx = blo_comm_context(comm);
  blo_adjoint_options o = {.iterations = z->k, .tol = 0, .type = 0};
  blo_state *state = NULL;
  blo_estimator *e = NULL;
  blo_vec *x = NULL, *y = NULL, *hx = NULL;
  double *t = NULL, kernel;
  result r;

  must(ctx, blo_alloc(ctx, z->repeats, sizeof *t, &t));
  must(ctx, blo_state_create(ctx, &state));
  must(ctx, blo_estimator_create(eval, &o, 0, 1, NULL, state, &e));
  must(ctx, blo_vec_create(blo_eval_space_x(eval), &x));
  must(ctx, blo_vec_create(blo_eval_space_x(eval), &hx));
  must(ctx, blo_vec_create(blo_eval_space_y(eval), &y));
  blo_eval_start(eval, x, y);
  must(ctx, blo_estimator_compute(e, 0, x, y, hx)); /* warm up */
  kernel = blo_phase_seconds(ctx, BLO_PHASE_KERNEL);
  double begin_all = blo_now();
  for (blo_int k = 0; k < z->repeats; k++) {
    MPI_Barrier(blo_comm_mpi(comm));
    double begin = blo_now();
    must(ctx, blo_estimator_compute(e, k, x, y, hx));
    t[k] = blo_max_all(comm, blo_now() - begin);
  }
  r.kernel_share = (blo_phase_seconds(ctx, BLO_PHASE_KERNEL) - kernel) / (blo_now() - begin_all);
  r.seconds = median(t, z->repeats);
  blo_vec_destroy(&x);
  blo_vec_destroy(&y);
  blo_vec_destroy(&hx);
  blo_estimator_destroy(&e);
  blo_state_destroy(&state);
  blo_free(ctx, &t);
  return r;
}

/* ---------------------------------------------------------------- report */

/* Products with the n x d x C data: 2 for the gradient, 2 for each H v, 1 for J v and its H v's. */
static double flops(const sizes *z)
{
  double product = 2.0 * (double)(z->d * z->c);

  return product * ((double)z->n * (2 + 2 * (double)z->k + 2) + 2 * (double)z->n_val);
}

static void report(const sizes *z, const char *storage, size_t bytes, result r, double rate,
                   int n_ranks)
{
  double passes = (double)z->n * (double)(z->k + 2) + (double)z->n_val;
  double read = passes * (double)z->d * (double)bytes / r.seconds;

  printf("%s %lld x %lld x %lld, %lld CG products, %d rank(s), median of %lld: %.2f ms\n", storage,
         (long long)z->n, (long long)z->d, (long long)z->c, (long long)z->k, n_ranks,
         (long long)z->repeats, 1e3 * r.seconds);
  printf("  %.0f %% of it in the sweeps over the data; %.1f GFLOP/s\n", 100 * r.kernel_share,
         flops(z) / r.seconds / 1e9);
  printf("  features are read at %.1f GB/s, %.0f %% of the %.1f GB/s that memory gives\n",
         read / 1e9, 100 * read / rate, rate / 1e9);
}

static void bench_storage(blo_comm *comm, const sizes *z, blo_storage storage, double rate)
{
  blo_context *ctx = blo_comm_context(comm);
  char path[256], text[1024];
  blo_conf *conf = NULL;
  blo_problem *problem = NULL;
  blo_eval *eval = NULL;
  int pid = (int)getpid();

  blo_bcast(comm, 0, &pid, sizeof pid);
  snprintf(path, sizeof path, "%s/parblo-bench-%d.h5",
           getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp", pid);
  if (blo_comm_rank(comm) == 0) {
    write_data(ctx, path, z, storage);
  }
  snprintf(text, sizeof text,
           "corrupt: 0.5\ndata: {train: {path: %s}, n_val: %lld, split: ordered}\n", path,
           (long long)z->n_val);
  MPI_Barrier(blo_comm_mpi(comm));
  must(ctx, blo_conf_parse(ctx, "bench", text, &conf));
  must(ctx, blo_problem_create(comm, blo_problem_find("hyper_cleaning"), conf, &problem));
  must(ctx, blo_eval_create(problem, BLO_REPRODUCIBLE, &eval));
  result r = measure(eval, z);
  if (blo_comm_rank(comm) == 0) {
    remove(path);
    report(z, storage == BLO_U8 ? "u8 " : "f64", blo_storage_size(storage), r, rate,
           blo_comm_size(comm));
  }
  blo_eval_destroy(&eval);
  blo_problem_destroy(&problem);
  blo_conf_destroy(&conf);
}

int main(int argc, char **argv)
{
  blo_context *ctx = NULL;
  blo_comm *comm = NULL;
  blo_int number[] = {20000, 784, 10, 10, 9};

  MPI_Init(&argc, &argv);
  for (int i = 1; i < argc && i <= 5; i++) {
    number[i - 1] = atoll(argv[i]);
  }
  sizes z = {.n = number[0],
             .n_val = number[0] / 4,
             .d = number[1],
             .c = number[2],
             .k = number[3],
             .repeats = number[4]};
  if (blo_context_create(&ctx) != BLO_OK || blo_comm_create(ctx, MPI_COMM_WORLD, &comm) != BLO_OK) {
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  blo_log_setup(ctx, blo_comm_rank(comm), BLO_LOG_RESULT);
  int isa = blo_isa_agree(comm);
  double rate = read_rate(comm) * blo_comm_size(comm);
  if (blo_comm_rank(comm) == 0) {
    printf("kernels: %s\n", blo_isa_name(isa));
  }
  bench_storage(comm, &z, BLO_F64, rate);
  bench_storage(comm, &z, BLO_U8, rate);
  blo_comm_destroy(&comm);
  blo_context_destroy(&ctx);
  MPI_Finalize();
  return 0;
}

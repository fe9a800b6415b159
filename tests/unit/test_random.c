/* Layer random: known answers, moments, and batches that do not know the rank count. */
#include "harness.h"
#include <blo/random.h>
#include <math.h>
#include <string.h>

static void philox_gives_its_known_answer(blo_comm *comm)
{
  /* kat_vectors of Random123 1.14, philox4x64 10 rounds, zero counter and key */
  const uint64_t want[4] = {0x16554d9eca36314cu, 0xdb20fe9d672d0fdcu, 0xd7e772cee186176bu,
                            0x7e68b68aec7ba23bu};
  uint64_t got[4];
  (void)comm;
  blo_stream_bits((blo_stream){0, 0}, 0, 0, 0, got);
  BLO_EXPECT_ALL(memcmp(got, want, sizeof want) == 0);
}

static void moments_are_right(blo_comm *comm)
{
  enum { M = 100000 };
  blo_stream st = {5, BLO_PURPOSE_TEST};
  double u1 = 0, u2 = 0, n1 = 0, n2 = 0, n4 = 0;
  (void)comm;
  for (uint64_t i = 0; i < M; i++) {
    double u = blo_stream_uniform(st, 1, 2, i), z = blo_stream_normal(st, 3, 4, i);
    u1 += u / M;
    u2 += u * u / M;
    n1 += z / M;
    n2 += z * z / M;
    n4 += z * z * z * z / M;
  }
  /* five standard deviations of each mean */
  BLO_EXPECT_NEAR(u1, 0.5, 0, 5 * sqrt(1.0 / 12 / M), "uniform");
  BLO_EXPECT_NEAR(u2, 1.0 / 3, 0, 5 * sqrt(4.0 / 45 / M), "uniform");
  BLO_EXPECT_NEAR(n1, 0, 0, 5 * sqrt(1.0 / M), "normal");
  BLO_EXPECT_NEAR(n2, 1, 0, 5 * sqrt(2.0 / M), "normal");
  BLO_EXPECT_NEAR(n4, 3, 0, 5 * sqrt(96.0 / M), "normal");
}

static void integers_are_even(blo_comm *comm)
{
  enum { M = 70000 };
  blo_int count[7] = {0};
  blo_stream st = {9, BLO_PURPOSE_TEST};
  (void)comm;
  for (uint64_t i = 0; i < M; i++) {
    uint64_t k = blo_stream_below(st, 0, 0, i, 7);
    count[k < 7 ? k : 0]++;
    BLO_BUG_IF(k >= 7, "out of range");
  }
  for (int k = 0; k < 7; k++) {
    BLO_EXPECT_NEAR((double)count[k], M / 7.0, 0, 5 * sqrt(M / 7.0), "uniform");
  }
  uint64_t huge = ((uint64_t)1 << 63) + 5;
  BLO_EXPECT_ALL(blo_stream_below(st, 1, 0, 0, huge) < huge &&
                 blo_stream_below(st, 1, 0, 0, 1) == 0);
}

static void permutation_is_one(blo_comm *comm)
{
  enum { M = 500 };
  blo_int perm[M], moved = 0;
  bool seen[M] = {false};
  (void)comm;
  blo_stream_permutation((blo_stream){1, BLO_PURPOSE_TEST}, 3, M, perm);
  for (blo_int i = 0; i < M; i++) {
    seen[perm[i]] = true;
    moved += perm[i] != i;
  }
  for (blo_int i = 0; i < M; i++) {
    BLO_BUG_IF(!seen[i], "missing");
  }
  BLO_EXPECT_ALL(moved > M / 2);
  BLO_EXPECT_SAME_BYTES(perm, sizeof perm);
}

enum { N = 1000, S = 16, DRAWS = 4000 };

/* Mark the samples of a batch, over all ranks. */
static void mark(blo_comm *comm, const blo_batch *batch, int *mark_n)
{
  blo_int first = blo_comm_first_shard(comm, S), end = blo_comm_end_shard(comm, S);
  memset(mark_n, 0, N * sizeof *mark_n);
  for (blo_int s = first; s < end; s++) {
    for (blo_int r = batch->start[s - first]; r < batch->start[s - first + 1]; r++) {
      blo_int in_shard = batch->row != NULL ? batch->row[r] : r - batch->start[s - first];
      mark_n[blo_shard_begin(N, S, s) + in_shard]++;
    }
  }
  MPI_Allreduce(MPI_IN_PLACE, mark_n, N, MPI_INT, MPI_SUM, blo_comm_mpi(comm));
}

static void batches_are_exact_and_even(blo_comm *comm)
{
  const blo_int sizes[] = {1, 7, 50, 990};
  static int now[N], often[N];
  for (size_t k = 0; k < 4; k++) {
    blo_sampler *sampler = NULL;
    blo_int b = sizes[k];
    bool exact = true, distinct = true;
    BLO_REQUIRE_STATUS(blo_sampler_create(comm, 3, BLO_PURPOSE_LOWER, N, S, b, &sampler), BLO_OK);
    memset(often, 0, sizeof often);
    for (blo_int d = 0; d < DRAWS; d++) {
      const blo_batch *batch = blo_sampler_draw(sampler, (uint64_t)d);
      blo_int total = 0;
      exact = exact && batch->n == b && batch->n_own <= blo_sampler_max_own(sampler);
      mark(comm, batch, now);
      for (blo_int i = 0; i < N; i++) {
        total += now[i];
        often[i] += now[i];
        distinct = distinct && now[i] <= 1;
      }
      exact = exact && total == b;
    }
    BLO_EXPECT_ALL(exact && distinct);
    double p = (double)b / N, sd = sqrt((double)DRAWS * p * (1 - p)), worst = 0;
    for (blo_int i = 0; i < N; i++) {
      worst = fmax(worst, fabs(often[i] - (double)DRAWS * p) / sd);
    }
    BLO_EXPECT_MSG(worst < 5.5, "batch %lld: a sample is %.1f standard deviations off",
                   (long long)b, worst);
    blo_sampler_destroy(&sampler);
  }
}

static void batches_do_not_know_the_ranks(blo_comm *comm)
{
  static int here[N], alone[N];
  blo_comm *self = NULL;
  blo_sampler *a = NULL, *b = NULL;
  BLO_REQUIRE_STATUS(blo_comm_create(blo_comm_context(comm), MPI_COMM_SELF, &self), BLO_OK);
  BLO_REQUIRE_STATUS(blo_sampler_create(comm, 3, BLO_PURPOSE_UPPER, N, S, 60, &a), BLO_OK);
  BLO_REQUIRE_STATUS(blo_sampler_create(self, 3, BLO_PURPOSE_UPPER, N, S, 60, &b), BLO_OK);
  for (uint64_t d = 0; d < 20; d++) {
    mark(comm, blo_sampler_draw(a, d), here);
    mark(self, blo_sampler_draw(b, d), alone);
    BLO_EXPECT_ALL(memcmp(here, alone, sizeof here) == 0);
  }
  blo_sampler_destroy(&a);
  blo_sampler_destroy(&b);
  blo_comm_destroy(&self);
}

static void full_batch_is_everything(blo_comm *comm)
{
  static int now[N];
  blo_sampler *sampler = NULL;
  BLO_REQUIRE_STATUS(blo_sampler_create(comm, 3, BLO_PURPOSE_LOWER, N, S, 0, &sampler), BLO_OK);
  BLO_EXPECT_ALL(blo_sampler_is_full(sampler) && blo_sampler_size(sampler) == N);
  const blo_batch *batch = blo_sampler_draw(sampler, 9);
  BLO_EXPECT_ALL(batch->row == NULL && batch->n == N);
  mark(comm, batch, now);
  bool all = true;
  for (blo_int i = 0; i < N; i++) {
    all = all && now[i] == 1;
  }
  BLO_EXPECT_ALL(all);
  blo_sampler_destroy(&sampler);
}

static const blo_test tests[] = {
    {"philox gives its known answer", philox_gives_its_known_answer},
    {"moments are right", moments_are_right},
    {"integers are even", integers_are_even},
    {"permutation is one", permutation_is_one},
    {"batches are exact and even", batches_are_exact_and_even},
    {"batches do not know the ranks", batches_do_not_know_the_ranks},
    {"full batch is everything", full_batch_is_everything},
};
BLO_TEST_MAIN("random", tests)

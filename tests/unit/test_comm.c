/* ranks: 1 2 3 4 6 */
/* Layer comm: agreement, shards, and sums whose bits do not depend on the number of ranks. */
#include "harness.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static void lowest_failing_rank_speaks(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  int rank = blo_comm_rank(comm), size = blo_comm_size(comm);
  for (int first = 0; first < size; first++) {
    blo_status local = BLO_OK;
    if (rank >= first) {
      local = blo_fail(ctx, BLO_E_DATA, "x.c", 3, "rank %d", rank);
    }
    BLO_EXPECT_STATUS(blo_agree(comm, local), BLO_E_DATA);
    char want[32];
    snprintf(want, sizeof want, "rank %d", first);
    BLO_EXPECT_ERROR_HAS(want);
  }
  BLO_EXPECT_STATUS(blo_agree(comm, BLO_OK), BLO_OK);
}

static void root_tells_all(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  int last = blo_comm_size(comm) - 1;
  blo_status own = BLO_OK;
  if (blo_comm_rank(comm) == last) {
    own = blo_fail(ctx, BLO_E_IO, "x.c", 3, "gone");
  }
  BLO_EXPECT_STATUS(blo_agree_from(comm, last, own), BLO_E_IO);
  BLO_EXPECT_ERROR_HAS("gone");
  char *text = NULL;
  bool have = blo_comm_rank(comm) != last || blo_strdup(ctx, "hello", &text) == BLO_OK;
  BLO_REQUIRE_ALL(have);
  BLO_REQUIRE_STATUS(blo_bcast_text(comm, last, &text), BLO_OK);
  BLO_EXPECT_ALL(strcmp(text, "hello") == 0);
  blo_free(ctx, &text);
}

static void shards_cover_everything(blo_comm *comm)
{
  (void)comm;
  const blo_int ns[] = {0, 1, 63, 64, 1797, (blo_int)1 << 60};
  for (size_t i = 0; i < sizeof ns / sizeof *ns; i++) {
    blo_int n = ns[i], most = 0, least = n;
    for (blo_int s = 0; s < 64; s++) {
      blo_int size = blo_shard_begin(n, 64, s + 1) - blo_shard_begin(n, 64, s);
      most = size > most ? size : most;
      least = size < least ? size : least;
    }
    BLO_EXPECT_ALL(blo_shard_begin(n, 64, 0) == 0 && blo_shard_begin(n, 64, 64) == n);
    BLO_EXPECT_ALL(most - least <= 1);
  }
  BLO_EXPECT_STATUS(blo_shards_check(comm, 48), BLO_E_OPTION);
  BLO_EXPECT_STATUS(blo_shards_check(comm, 0), BLO_E_OPTION);
  BLO_EXPECT_STATUS(blo_shards_check(comm, 1), blo_comm_size(comm) > 1 ? BLO_E_OPTION : BLO_OK);
  BLO_EXPECT_STATUS(blo_shards_check(comm, 64), BLO_OK);
}

/* Element i of shard s: sizes differ by 2^40, so that any change of order shows. */
static double element(blo_int s, blo_int i)
{
  return sin((double)(s * 1000 + i)) * exp2((double)((s * 7 + i * 13) % 41) - 20);
}

/* The definition: a node is the sum of its halves. */
static double tree(blo_int first, blo_int width, blo_int i)
{
  if (width == 1) {
    return 0 + element(first, i);
  }
  return tree(first, width / 2, i) + tree(first + width / 2, width / 2, i);
}

static void open_shards(blo_comm *comm, blo_sum *sum, blo_int n_shards, blo_int len)
{
  blo_sum_begin(sum, len);
  for (blo_int s = blo_comm_first_shard(comm, n_shards); s < blo_comm_end_shard(comm, n_shards);
       s++) {
    double *to = blo_sum_next_shard(sum);
    for (blo_int i = 0; i < len; i++) {
      to[i] += element(s, i);
    }
  }
}

static void add_shards(blo_comm *comm, blo_sum *sum, blo_int n_shards, blo_int len, double *total)
{
  open_shards(comm, sum, n_shards, len);
  blo_sum_finish(sum, total);
}

static void sum_is_the_tree(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  const blo_int lens[] = {1, 2, 7, 1001}, shards[] = {4, 8, 64};
  double *total = NULL;
  blo_sum *sum = NULL;
  BLO_REQUIRE_STATUS(blo_alloc(ctx, 1001, sizeof *total, &total), BLO_OK);
  for (size_t k = blo_comm_size(comm) > 4; k < 3; k++) {
    BLO_REQUIRE_STATUS(blo_sum_create(comm, BLO_REPRODUCIBLE, shards[k], 1001, &sum), BLO_OK);
    for (size_t l = 0; l < 4; l++) {
      add_shards(comm, sum, shards[k], lens[l], total);
      bool equal = true;
      for (blo_int i = 0; i < lens[l]; i++) {
        equal = equal && total[i] == tree(0, shards[k], i);
      }
      BLO_EXPECT_MSG(equal, "%lld shards, %lld numbers", (long long)shards[k], (long long)lens[l]);
    }
    blo_sum_destroy(&sum);
  }
  blo_free(ctx, &total);
}

/* Ways to cut a vector over the ranks: evenly, with gaps at both ends, all of it to one rank. */
enum { EVEN, FEW, ONE, N_CUTS };

static void cut(int how, int size, blo_int tail, blo_int *begin)
{
  for (int r = 0; r <= size; r++) {
    bool after = r > size / 2;
    begin[r] = how == EVEN  ? tail * r / size
               : how == FEW ? blo_shard_begin(2, size, r) * (tail / 2)
                            : (after ? tail : 0);
  }
  begin[size] = tail;
}

/* The rank has its piece and the tail as `want` has them, and the rest is as it was, `untouched`.
 */
static bool right_piece(blo_comm *comm, const blo_int *begin, blo_int len, const double *want,
                        const double *got, double untouched, double tolerance)
{
  int rank = blo_comm_rank(comm), size = blo_comm_size(comm);
  bool right = true;
  for (blo_int i = 0; i < len; i++) {
    bool mine = (i >= begin[rank] && i < begin[rank + 1]) || i >= begin[size] || size == 1;
    right = right && (mine ? fabs(got[i] - want[i]) <= tolerance : got[i] == untouched);
  }
  return right;
}

enum { PIECES_LEN = 6007, MOST_RANKS = 16 };

/* Sums of `len` numbers cut in all ways, of which the last n_tail are everybody's. */
static void expect_pieces(blo_comm *comm, blo_sum *sum, blo_int n_shards, blo_int len,
                          blo_int n_tail, double tolerance)
{
  static double want[PIECES_LEN], got[PIECES_LEN];
  blo_int begin[MOST_RANKS + 1];
  for (blo_int i = 0; i < len; i++) {
    want[i] = tree(0, n_shards, i);
  }
  for (int how = 0; how < N_CUTS; how++) {
    cut(how, blo_comm_size(comm), len - n_tail, begin);
    for (blo_int i = 0; i < len; i++) {
      got[i] = -7;
    }
    open_shards(comm, sum, n_shards, len);
    blo_sum_finish_pieces(sum, begin, got);
    BLO_EXPECT_MSG(right_piece(comm, begin, len, want, got, -7, tolerance),
                   "%lld shards, %lld numbers, %lld for all, cut %d", (long long)n_shards,
                   (long long)len, (long long)n_tail, how);
  }
}

static void pieces_are_of_the_tree(blo_comm *comm)
{
  const blo_int lens[] = {1, 9, 700, PIECES_LEN}, tails[] = {0, 1, 6, 600}, shards[] = {8, 64};
  blo_sum *sum = NULL;
  for (size_t k = 0; k < 2; k++) {
    BLO_REQUIRE_STATUS(blo_sum_create(comm, BLO_REPRODUCIBLE, shards[k], PIECES_LEN, &sum), BLO_OK);
    BLO_REQUIRE_STATUS(blo_sum_provide_pieces(sum), BLO_OK);
    BLO_REQUIRE_STATUS(blo_sum_provide_pieces(sum), BLO_OK);
    for (size_t i = 0; i < 16; i++) {
      if (tails[i % 4] <= lens[i / 4]) {
        expect_pieces(comm, sum, shards[k], lens[i / 4], tails[i % 4], 0);
      }
    }
    blo_sum_destroy(&sum);
  }
}

/* As after a longer plan for which only some ranks had memory. */
static void ranks_may_plan_for_other_lengths(blo_comm *comm)
{
  blo_int longest = PIECES_LEN * (1 + 20 * (blo_int)blo_comm_rank(comm));
  blo_sum *sum = NULL;
  BLO_REQUIRE_STATUS(blo_sum_create(comm, BLO_REPRODUCIBLE, 64, longest, &sum), BLO_OK);
  BLO_REQUIRE_STATUS(blo_sum_provide_pieces(sum), BLO_OK);
  expect_pieces(comm, sum, 64, PIECES_LEN, 6, 0);
  blo_sum_destroy(&sum);
}

static void fast_pieces_are_close(blo_comm *comm)
{
  blo_sum *sum = NULL;
  BLO_REQUIRE_STATUS(blo_sum_create(comm, BLO_FAST, 8, 700, &sum), BLO_OK);
  BLO_REQUIRE_STATUS(blo_sum_provide_pieces(sum), BLO_OK);
  expect_pieces(comm, sum, 8, 700, 5, 1e-14 * 8 * exp2(20));
  blo_sum_destroy(&sum);
}

/* A plan takes no more than is said before, and not much less: its vectors, and a few tables. */
static void bytes_are_known_before(blo_comm *comm)
{
  const blo_reduction hows[] = {BLO_REPRODUCIBLE, BLO_FAST};
  for (int i = 0; i < 2; i++) {
    blo_int before = blo_memory(blo_comm_context(comm)).bytes, used;
    blo_sum *sum = NULL;
    BLO_REQUIRE_STATUS(blo_sum_create(comm, hows[i], 64, 100000, &sum), BLO_OK);
    BLO_REQUIRE_STATUS(blo_sum_provide_pieces(sum), BLO_OK);
    used = blo_memory(blo_comm_context(comm)).bytes - before;
    double most = blo_max_all(comm, (double)used);
    double said = (double)blo_sum_bytes(comm, hows[i], 64, 100000);
    BLO_EXPECT_MSG(said < 1.05 * most && most < said + 10000, "%.0f bytes, said %.0f", most, said);
    blo_sum_destroy(&sum);
  }
}

static void fast_sum_is_close(blo_comm *comm)
{
  double total[9];
  blo_sum *sum = NULL;
  BLO_REQUIRE_STATUS(blo_sum_create(comm, BLO_FAST, 64, 9, &sum), BLO_OK);
  add_shards(comm, sum, 64, 9, total);
  for (blo_int i = 0; i < 9; i++) {
    double size = 0;
    for (blo_int s = 0; s < 64; s++) {
      size += fabs(element(s, i));
    }
    BLO_EXPECT_NEAR(total[i], tree(0, 64, i), 0, 1e-14 * size, "the tree");
  }
  blo_sum_destroy(&sum);
}

static void tree_here_is_tree_there(blo_comm *comm)
{
  double part[64];
  (void)comm;
  for (blo_int s = 0; s < 64; s++) {
    part[s] = element(s, 5);
  }
  BLO_EXPECT_ALL(blo_tree_sum(part, 64) == tree(0, 64, 5));
}

static void shards_left_out_are_zero(blo_comm *comm)
{
  double total[2] = {-1, -1};
  blo_sum *sum = NULL;
  BLO_REQUIRE_STATUS(blo_sum_create(comm, BLO_REPRODUCIBLE, 8, 2, &sum), BLO_OK);
  blo_sum_begin(sum, 2);
  if (blo_comm_rank(comm) == 0) {
    blo_sum_next_shard(sum)[1] += 3;
  }
  blo_sum_finish(sum, total);
  BLO_EXPECT_ALL(total[0] == 0 && total[1] == 3);
  blo_sum_destroy(&sum);
}

static void messages_are_counted(blo_comm *comm)
{
  double total[10];
  blo_sum *sum = NULL;
  blo_traffic before = blo_comm_traffic(comm);
  BLO_REQUIRE_STATUS(blo_sum_create(comm, BLO_REPRODUCIBLE, 8, 10, &sum), BLO_OK);
  add_shards(comm, sum, 8, 10, total);
  add_shards(comm, sum, 8, 4, total);
  blo_traffic after = blo_comm_traffic(comm);
  BLO_EXPECT_ALL(after.reductions == before.reductions + 2);
  BLO_EXPECT_ALL(after.bytes == before.bytes + 14 * 8);
  blo_sum_destroy(&sum);
}

static blo_status make_and_free(blo_comm *comm, void *arg)
{
  blo_sum *sum = NULL;
  (void)arg;
  blo_status status = blo_agree(comm, blo_sum_create(comm, BLO_REPRODUCIBLE, 8, 10, &sum));
  if (status == BLO_OK) {
    status = blo_agree(comm, blo_sum_provide_pieces(sum));
  }
  blo_sum_destroy(&sum);
  return status;
}

static void making_a_sum_can_fail(blo_comm *comm)
{
  BLO_EXPECT_ALL(blo_test_sweep_faults(comm, make_and_free, NULL) >= 3);
}

static const blo_test tests[] = {
    {"lowest failing rank speaks", lowest_failing_rank_speaks},
    {"root tells all", root_tells_all},
    {"shards cover everything", shards_cover_everything},
    {"sum is the tree, bit for bit", sum_is_the_tree},
    {"pieces are of the tree, bit for bit", pieces_are_of_the_tree},
    {"ranks may plan for other lengths", ranks_may_plan_for_other_lengths},
    {"fast pieces are close", fast_pieces_are_close},
    {"bytes are known before", bytes_are_known_before},
    {"fast sum is close", fast_sum_is_close},
    {"tree here is tree there", tree_here_is_tree_there},
    {"shards left out are zero", shards_left_out_are_zero},
    {"messages are counted", messages_are_counted},
    {"making a sum can fail", making_a_sum_can_fail},
};
BLO_TEST_MAIN("comm", tests)

/* Layer linalg: vectors of the three layouts give the same bits, and move where they should. */
#include "harness.h"
#include <blo/state.h>
#include <math.h>
#include <string.h>

enum { N = 1003, S = 16 };

static double value(blo_int i, int k)
{
  return sin((double)(i * 3 + k)) * exp2((double)(i % 23) - 11);
}

typedef struct trio {
  blo_space *space[3];
  blo_vec *a[3], *b[3];
} trio;

/* The same two vectors in each layout; workers' copies of rooted ones hold rubbish. */
static void make(blo_comm *comm, trio *t)
{
  memset(t, 0, sizeof *t);
  for (int l = 0; l < 3; l++) {
    BLO_REQUIRE_STATUS(blo_space_create(comm, (blo_layout)l, N, S, &t->space[l]), BLO_OK);
    BLO_REQUIRE_STATUS(blo_vec_create(t->space[l], &t->a[l]), BLO_OK);
    BLO_REQUIRE_STATUS(blo_vec_create(t->space[l], &t->b[l]), BLO_OK);
    blo_int first = blo_space_first(t->space[l]);
    for (blo_int i = 0; i < blo_space_n_local(t->space[l]); i++) {
      bool owned = blo_space_owned(t->space[l]);
      t->a[l]->data[i] = owned ? value(first + i, 0) : -77;
      t->b[l]->data[i] = owned ? value(first + i, 1) : -78;
    }
  }
}

static void release(trio *t)
{
  for (int l = 0; l < 3; l++) {
    blo_vec_destroy(&t->a[l]);
    blo_vec_destroy(&t->b[l]);
    blo_space_destroy(&t->space[l]);
  }
}

static void dots_do_not_know_the_layout(blo_comm *comm)
{
  trio t;
  double dot[3], exact = 0, size = 0;
  make(comm, &t);
  for (int l = 0; l < 3; l++) {
    dot[l] = blo_vec_dot(t.a[l], t.b[l]);
    BLO_EXPECT_SAME(dot[l]);
  }
  BLO_EXPECT_ALL(dot[0] == dot[1] && dot[1] == dot[2]);
  for (blo_int i = 0; i < N; i++) {
    exact += value(i, 0) * value(i, 1);
    size += fabs(value(i, 0) * value(i, 1));
  }
  BLO_EXPECT_NEAR(dot[0], exact, 0, 1e-14 * size, "the plain sum");
  release(&t);
}

static void several_dots_are_one_message(blo_comm *comm)
{
  trio t;
  double dots[3];
  make(comm, &t);
  const blo_vec *a[] = {t.a[BLO_SHARDED], t.a[BLO_SHARDED], t.b[BLO_SHARDED]};
  const blo_vec *b[] = {t.a[BLO_SHARDED], t.b[BLO_SHARDED], t.b[BLO_SHARDED]};
  blo_int before = blo_comm_traffic(comm).reductions;
  blo_vec_dots(3, a, b, dots);
  BLO_EXPECT_ALL(blo_comm_traffic(comm).reductions == before + 1);
  BLO_EXPECT_ALL(dots[0] == blo_vec_dot(a[0], b[0]) && dots[1] == blo_vec_dot(a[1], b[1]));
  BLO_EXPECT_ALL(sqrt(dots[2]) == blo_vec_norm(t.b[BLO_REPLICATED]));
  release(&t);
}

static void elementwise_is_done_by_owners(blo_comm *comm)
{
  trio t;
  uint32_t crc[3];
  make(comm, &t);
  for (int l = 0; l < 3; l++) {
    blo_vec_axpy(0.5, t.a[l], t.b[l]);
    blo_vec_aypx(-2, t.a[l], t.b[l]);
    blo_vec_scale(3, t.b[l]);
    BLO_REQUIRE_STATUS(blo_vec_checksum(t.b[l], &crc[l]), BLO_OK);
    BLO_EXPECT_SAME_BYTES(&crc[l], sizeof crc[l]);
  }
  BLO_EXPECT_ALL(crc[0] == crc[1] && crc[1] == crc[2]);
  blo_vec *b = t.b[BLO_REPLICATED];
  BLO_EXPECT_ALL(b->data[5] == 3 * (-2 * (value(5, 1) + 0.5 * value(5, 0)) + value(5, 0)));
  bool worker = !blo_space_owned(t.space[BLO_ROOTED]);
  BLO_EXPECT_ALL(!worker || t.b[BLO_ROOTED]->data[0] == -78);
  blo_vec_fill(t.b[BLO_SHARDED], 2);
  blo_vec_copy(t.b[BLO_SHARDED], t.a[BLO_SHARDED]);
  BLO_EXPECT_ALL(blo_vec_dot(t.a[BLO_SHARDED], t.a[BLO_SHARDED]) == 4.0 * N);
  release(&t);
}

static void published_vector_is_everywhere(blo_comm *comm)
{
  trio t;
  make(comm, &t);
  for (int l = 0; l < 3; l++) {
    blo_vec_publish(t.a[l]);
  }
  BLO_EXPECT_ALL(memcmp(t.a[BLO_ROOTED]->data, t.a[BLO_REPLICATED]->data, N * sizeof(double)) == 0);
  release(&t);
}

static void gather_and_scatter_are_inverse(blo_comm *comm)
{
  trio t;
  double all[N];
  make(comm, &t);
  for (int l = 0; l < 3; l++) {
    memset(all, 0, sizeof all);
    blo_vec_gather(t.a[l], all);
    bool right = true;
    for (blo_int i = 0; i < N && blo_comm_rank(comm) == BLO_ROOT; i++) {
      right = right && all[i] == value(i, 0);
    }
    BLO_EXPECT_ALL(right);
    blo_vec_fill(t.b[l], 0);
    blo_vec_scatter(all, t.b[l]);
    BLO_EXPECT_ALL(blo_vec_dot(t.b[l], t.b[l]) == blo_vec_dot(t.a[l], t.a[l]));
  }
  release(&t);
}

static void collect_brings_slices_to_the_root(blo_comm *comm)
{
  trio t;
  make(comm, &t);
  blo_vec *v = t.a[BLO_ROOTED];
  blo_int begin = blo_shard_begin(N, S, blo_comm_first_shard(comm, S));
  blo_int end = blo_shard_begin(N, S, blo_comm_end_shard(comm, S));
  for (blo_int i = 0; i < N; i++) {
    v->data[i] = i >= begin && i < end ? value(i, 1) : (double)NAN;
  }
  blo_vec_collect(v);
  BLO_EXPECT_ALL(blo_vec_dot(v, v) == blo_vec_dot(t.b[BLO_SHARDED], t.b[BLO_SHARDED]));
  release(&t);
}

/* Items of 3 numbers: a shard has whole items, those that a set of samples puts there. */
static void items_stay_in_one_shard(blo_comm *comm)
{
  enum { ITEMS = 29, WIDTH = 3 };
  double all[ITEMS * WIDTH], dot[3];
  uint32_t crc[3];
  for (int l = 0; l < 3; l++) {
    blo_space *space = NULL;
    blo_vec *v = NULL;
    BLO_REQUIRE_STATUS(blo_space_create_items(comm, (blo_layout)l, ITEMS, WIDTH, S, &space),
                       BLO_OK);
    BLO_REQUIRE_STATUS(blo_vec_create(space, &v), BLO_OK);
    blo_int first = blo_space_first(space), begin = blo_comm_first_shard(comm, S);
    BLO_EXPECT_ALL(blo_space_n(space) == ITEMS * WIDTH);
    BLO_EXPECT_ALL(l != BLO_SHARDED || first == WIDTH * blo_shard_begin(ITEMS, S, begin));
    for (blo_int s = 0; s <= S; s++) {
      BLO_EXPECT_ALL(first + blo_space_shard_offset(space, s) ==
                     WIDTH * blo_shard_begin(ITEMS, S, s));
    }
    for (blo_int i = 0; i < blo_space_n_local(space); i++) {
      v->data[i] = value(first + i, 0);
    }
    dot[l] = blo_vec_dot(v, v);
    BLO_REQUIRE_STATUS(blo_vec_checksum(v, &crc[l]), BLO_OK);
    blo_vec_gather(v, all);
    blo_vec_fill(v, 0);
    blo_vec_scatter(all, v);
    BLO_EXPECT_ALL(blo_vec_dot(v, v) == dot[l]);
    bool right = true;
    for (blo_int i = 0; i < blo_space_n_local(space); i++) {
      right = right && v->data[i] == value(first + i, 0);
    }
    BLO_EXPECT_ALL(right);
    blo_vec_destroy(&v);
    blo_space_destroy(&space);
  }
  BLO_EXPECT_SAME(dot[0]);
  BLO_EXPECT_ALL(dot[0] == dot[1] && dot[1] == dot[2] && crc[0] == crc[1] && crc[1] == crc[2]);
}

/* Rooted items that each rank has computed in its own copy. */
static void items_are_collected(blo_comm *comm)
{
  enum { ITEMS = 29, WIDTH = 3 };
  blo_space *space = NULL;
  blo_vec *v = NULL;
  BLO_REQUIRE_STATUS(blo_space_create_items(comm, BLO_ROOTED, ITEMS, WIDTH, S, &space), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_create(space, &v), BLO_OK);
  blo_int begin = WIDTH * blo_shard_begin(ITEMS, S, blo_comm_first_shard(comm, S));
  blo_int end = WIDTH * blo_shard_begin(ITEMS, S, blo_comm_end_shard(comm, S));
  for (blo_int i = 0; i < ITEMS * WIDTH; i++) {
    v->data[i] = i >= begin && i < end ? value(i, 1) : (double)NAN;
  }
  blo_vec_collect(v);
  bool right = true;
  for (blo_int i = 0; i < ITEMS * WIDTH && blo_comm_rank(comm) == BLO_ROOT; i++) {
    right = right && v->data[i] == value(i, 1);
  }
  BLO_EXPECT_ALL(right);
  blo_vec_destroy(&v);
  blo_space_destroy(&space);
}

static void nan_and_inf_are_seen(blo_comm *comm)
{
  double a[37] = {0};
  (void)comm;
  for (int i = 0; i < 37; i++) {
    a[i] = 1e308;
  }
  BLO_EXPECT_ALL(blo_array_finite(37, a) && blo_array_finite(0, a));
  for (int i = 0; i < 37; i++) {
    a[i] = (double)NAN;
    BLO_EXPECT_ALL(!blo_array_finite(37, a));
    a[i] = -(double)INFINITY;
    BLO_EXPECT_ALL(!blo_array_finite(37, a));
    a[i] = 5e-324;
  }
  BLO_EXPECT_ALL(blo_array_finite(37, a));
}

static void state_is_found_by_name(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_state *state = NULL;
  blo_int k = 4;
  double d = 0.5;
  BLO_REQUIRE_STATUS(blo_state_create(ctx, &state), BLO_OK);
  BLO_REQUIRE_STATUS(blo_state_add_int(state, "k", &k), BLO_OK);
  BLO_REQUIRE_STATUS(blo_state_add_double(state, "lambda", &d), BLO_OK);
  BLO_EXPECT_ALL(blo_state_count(state) == 2 && blo_state_get(state, 0)->at.integer == &k);
  BLO_EXPECT_ALL(*blo_state_find(state, "lambda")->at.number == 0.5);
  BLO_EXPECT_ALL(blo_state_find(state, "mu") == NULL);
  blo_state_destroy(&state);
}

static const blo_test tests[] = {
    {"dots do not know the layout", dots_do_not_know_the_layout},
    {"several dots are one message", several_dots_are_one_message},
    {"elementwise is done by owners", elementwise_is_done_by_owners},
    {"published vector is everywhere", published_vector_is_everywhere},
    {"gather and scatter are inverse", gather_and_scatter_are_inverse},
    {"collect brings slices to the root", collect_brings_slices_to_the_root},
    {"items stay in one shard", items_stay_in_one_shard},
    {"items are collected", items_are_collected},
    {"nan and inf are seen", nan_and_inf_are_seen},
    {"state is found by name", state_is_found_by_name},
};
BLO_TEST_MAIN("linalg", tests)

/* Every method of the list: the same bits on any number of ranks and in any layout of x; close
 * results with fast sums. */
#include "method_ride.h"
#include <string.h>

/* Checksums of x and y after some steps on a communicator. */
static void run(blo_comm *comm, const method_case *m, int variant, int kind, const char *folder,
                uint32_t crc[2])
{
  ride s;
  method_make(comm, kind, m, variant, folder, BLO_REPRODUCIBLE, &s);
  method_advance(&s, method_steps(kind));
  BLO_REQUIRE_STATUS(blo_vec_checksum(s.s->x, &crc[0]), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_checksum(s.s->y, &crc[1]), BLO_OK);
  ride_close(comm, &s);
}

static void compare_with_one_rank(blo_comm *comm, const method_case *m, int variant, int kind,
                                  const char *folder)
{
  uint32_t here[2], alone[2], sharded[2];
  blo_comm *self = NULL;
  BLO_REQUIRE_STATUS(blo_comm_create(blo_comm_context(comm), MPI_COMM_SELF, &self), BLO_OK);
  run(comm, m, variant, kind, folder, here);
  run(self, m, variant, kind, folder, alone);
  BLO_EXPECT_MSG(memcmp(here, alone, sizeof here) == 0,
                 "%s (%d) on %s: other bits than on one rank", m->name, variant,
                 fixture_name(kind));
  if (kind == FIXTURE_CLEANING_ROOTED) {
    run(comm, m, variant, FIXTURE_CLEANING, folder, sharded);
    BLO_EXPECT_MSG(memcmp(here, sharded, sizeof here) == 0,
                   "%s (%d): rooted x has other bits than sharded x", m->name, variant);
  }
  blo_comm_destroy(&self);
}

static void bits_do_not_know_ranks_or_layout(blo_comm *comm)
{
  method_for_all(comm, true, compare_with_one_rank);
}

static void expect_close(const method_case *m, int kind, const blo_vec *a, const blo_vec *b)
{
  double size = blo_vec_norm(a);
  blo_vec *d;
  BLO_REQUIRE_STATUS(blo_vec_create(a->space, &d), BLO_OK);
  blo_vec_copy(a, d);
  for (blo_int k = 0; k < blo_space_n_local(d->space); k++) {
    d->data[k] -= b->data[k];
  }
  BLO_EXPECT_MSG(blo_vec_norm(d) <= 1e-10 * size, "%s on %s", m->name, fixture_name(kind));
  blo_vec_destroy(&d);
}

static void compare_with_fast_sums(blo_comm *comm, const method_case *m, int variant, int kind,
                                   const char *folder)
{
  ride a, b;
  method_make(comm, kind, m, variant, folder, BLO_REPRODUCIBLE, &a);
  method_make(comm, kind, m, variant, folder, BLO_FAST, &b);
  method_advance(&a, method_steps(kind));
  method_advance(&b, method_steps(kind));
  expect_close(m, kind, a.s->x, b.s->x);
  expect_close(m, kind, a.s->y, b.s->y);
  ride_close(comm, &a);
  ride_close(comm, &b);
}

static void fast_sums_are_close(blo_comm *comm)
{
  method_for_all(comm, false, compare_with_fast_sums);
}

static const blo_test tests[] = {
    {"bits do not know ranks or layout", bits_do_not_know_ranks_or_layout},
    {"fast sums are close", fast_sums_are_close},
};
BLO_TEST_MAIN("solver_bits", tests)

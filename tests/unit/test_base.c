/* Layer base: texts, memory, faults, log, timers. */
/* ranks: 1 */
#include "harness.h"
#include <stdint.h>
#include <string.h>

static void every_code_has_words(blo_comm *comm)
{
  (void)comm;
  for (int s = 0; s < BLO_STATUS_COUNT; s++) {
    BLO_EXPECT_ALL(blo_status_text((blo_status)s)[0] != '\0');
    BLO_EXPECT_ALL((blo_status_exit_code((blo_status)s) == 0) == (s == BLO_OK));
  }
  for (int o = 0; o < BLO_OUTCOME_COUNT; o++) {
    BLO_EXPECT_ALL(blo_outcome_text((blo_outcome)o)[0] != '\0');
  }
  BLO_EXPECT_ALL(strcmp(blo_status_text((blo_status)999), "unknown status") == 0);
}

static void error_keeps_text_and_place(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  BLO_EXPECT_STATUS(blo_fail(ctx, BLO_E_IO, "/somewhere/src/base/x.c", 12, "file %d", 7), BLO_E_IO);
  BLO_EXPECT_ALL(strcmp(blo_error_text(ctx), "file 7") == 0);
  BLO_EXPECT_ALL(strcmp(blo_error_site(ctx), "src/base/x.c:12") == 0);
  /* the old text may be part of the new one */
  blo_status status = blo_fail(ctx, BLO_E_IO, "x.c", 1, "again: %s", blo_error_text(ctx));
  BLO_EXPECT_ALL(status == BLO_E_IO && strcmp(blo_error_text(ctx), "again: file 7") == 0);
}

static void memory_is_zero_aligned_counted(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_memory_use before = blo_memory(ctx);
  double *a = NULL;
  BLO_REQUIRE_STATUS(blo_alloc(ctx, 1000, sizeof *a, &a), BLO_OK);
  BLO_EXPECT_ALL((uintptr_t)a % 64 == 0 && a[0] == 0 && a[999] == 0);
  BLO_EXPECT_ALL(blo_memory(ctx).bytes == before.bytes + 8000);
  a[999] = 5;
  BLO_REQUIRE_STATUS(blo_realloc(ctx, 2000, sizeof *a, &a), BLO_OK);
  BLO_EXPECT_ALL(a[999] == 5 && a[1000] == 0 && a[1999] == 0);
  BLO_EXPECT_ALL(blo_memory(ctx).live == before.live + 1);
  blo_free(ctx, &a);
  blo_free(ctx, &a);
  BLO_EXPECT_ALL(a == NULL && blo_memory(ctx).bytes == before.bytes);
  BLO_EXPECT_ALL(blo_memory(ctx).peak_bytes >= before.bytes + 16000);
}

static void absurd_sizes_are_refused(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  char *a = NULL;
  BLO_EXPECT_STATUS(blo_alloc(ctx, INT64_MAX, 8, &a), BLO_E_MEMORY);
  BLO_EXPECT_STATUS(blo_alloc(ctx, -1, 8, &a), BLO_E_MEMORY);
  BLO_EXPECT_STATUS(blo_alloc(ctx, (blo_int)1 << 60, 1, &a), BLO_E_MEMORY);
  BLO_EXPECT_ALL(a == NULL);
  BLO_REQUIRE_STATUS(blo_alloc(ctx, 0, 8, &a), BLO_OK);
  BLO_EXPECT_ALL(a != NULL);
  blo_free(ctx, &a);
}

static void limit_is_kept(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  char *a = NULL, *b = NULL;
  blo_memory_limit(ctx, blo_memory(ctx).bytes + 1000);
  BLO_REQUIRE_STATUS(blo_alloc(ctx, 600, 1, &a), BLO_OK);
  BLO_EXPECT_STATUS(blo_alloc(ctx, 401, 1, &b), BLO_E_MEMORY);
  BLO_EXPECT_ERROR_HAS("run.memory_limit");
  BLO_EXPECT_STATUS(blo_alloc(ctx, 400, 1, &b), BLO_OK);
  blo_memory_limit(ctx, 0);
  blo_free(ctx, &a);
  blo_free(ctx, &b);
}

static void kth_operation_fails_once(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_fault_arm(ctx, 3);
  BLO_EXPECT_ALL(blo_fault_point(ctx, "a") == BLO_OK);
  BLO_EXPECT_ALL(blo_fault_point(ctx, "b") == BLO_OK && !blo_fault_struck(ctx));
  BLO_EXPECT_ALL(blo_fault_point(ctx, "c") == BLO_E_FAULT && blo_fault_struck(ctx));
  BLO_EXPECT_ALL(blo_fault_point(ctx, "d") == BLO_OK);
  blo_fault_arm(ctx, 0);
}

static void phases_add_up(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  double begin = blo_now(), sum = 0, sum_before = 0;
  for (int p = 0; p < BLO_PHASE_COUNT; p++) {
    sum_before += blo_phase_seconds(ctx, (blo_phase)p);
  }
  blo_phase outer = blo_phase_enter(ctx, BLO_PHASE_KERNEL);
  while (blo_now() - begin < 0.01) {
  }
  BLO_EXPECT_ALL(blo_phase_enter(ctx, outer) == BLO_PHASE_KERNEL);
  for (int p = 0; p < BLO_PHASE_COUNT; p++) {
    sum += blo_phase_seconds(ctx, (blo_phase)p);
  }
  BLO_EXPECT_ALL(blo_phase_seconds(ctx, BLO_PHASE_KERNEL) >= 0.0099);
  BLO_EXPECT_NEAR(sum - sum_before, blo_now() - begin, 0, 0.005, "the clock");
}

static void crc_is_zlibs(blo_comm *comm)
{
  (void)comm;
  BLO_EXPECT_ALL(blo_crc32(0, "123456789", 9) == 0xcbf43926u); /* the polynomial's check value */
  BLO_EXPECT_ALL(blo_crc32(blo_crc32(0, "1234", 4), "56789", 5) == 0xcbf43926u);
}

static const blo_test tests[] = {
    {"every code has words", every_code_has_words},
    {"error keeps text and place", error_keeps_text_and_place},
    {"memory is zero, aligned, counted", memory_is_zero_aligned_counted},
    {"absurd sizes are refused", absurd_sizes_are_refused},
    {"limit is kept", limit_is_kept},
    {"k-th operation fails once", kth_operation_fails_once},
    {"phases add up", phases_add_up},
    {"crc is zlib's", crc_is_zlibs},
};
BLO_TEST_MAIN("base", tests)

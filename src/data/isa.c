/**
 * @file
 * Which kernel family the ranks use: the best that all of their processors have.
 */
#include "kernel.h"

#include <stdlib.h>
#include <string.h>

const blo_kernel *blo_kernel_of(int isa)
{
  const blo_kernel *const family[BLO_ISA_COUNT] = {
      [BLO_ISA_PLAIN] = blo_kernel_plain,
      [BLO_ISA_AVX2] = blo_kernel_avx2,
      [BLO_ISA_AVX512] = blo_kernel_avx512,
  };
  return family[isa];
}

const char *blo_isa_name(int isa)
{
  static const char *const name[BLO_ISA_COUNT] = {"plain", "avx2", "avx512"};
  return name[isa];
}

/** What the processor can do of that which was compiled. */
static int own_isa(void)
{
#if defined __GNUC__ && (defined __x86_64__ || defined __i386__)
  bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                __builtin_cpu_supports("avx512vl");
  if (avx512 && blo_kernel_avx512) {
    return BLO_ISA_AVX512;
  }
  if (avx2 && blo_kernel_avx2) {
    return BLO_ISA_AVX2;
  }
#endif
  return BLO_ISA_PLAIN;
}

/** What PARBLO_ISA allows; an unknown name allows everything and is reported. */
static int allowed_isa(blo_context *ctx)
{
  const char *wish = getenv("PARBLO_ISA");

  for (int isa = 0; wish && isa < BLO_ISA_COUNT; isa++) {
    if (strcmp(wish, blo_isa_name(isa)) == 0) {
      return isa;
    }
  }
  if (wish && *wish) {
    blo_log(ctx, BLO_LOG_ERROR, "isa",
            "PARBLO_ISA = '%s' is ignored: known are plain, avx2, avx512", wish);
  }
  return BLO_ISA_COUNT - 1;
}

int blo_isa_agree(blo_comm *comm)
{
  int isa = own_isa();
  int allowed = blo_comm_rank(comm) == 0 ? allowed_isa(blo_comm_context(comm)) : 0;

  blo_bcast(comm, 0, &allowed, sizeof allowed);
  if (allowed < isa) {
    isa = allowed;
  }
  return (int)-blo_max_all(comm, -isa);
}

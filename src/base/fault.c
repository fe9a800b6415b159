/** @file Fault injection: the k-th fallible operation of a rank fails on purpose (tests only). */
#include "context_private.h"

void blo_fault_arm(blo_context *ctx, blo_int kth)
{
  ctx->fault_in = kth;
  ctx->fault_struck = false;
}

bool blo_fault_struck(const blo_context *ctx)
{
  return ctx->fault_struck;
}

blo_status blo_fault_point(blo_context *ctx, const char *what)
{
  if (ctx->fault_in == 0 || --ctx->fault_in > 0) {
    return BLO_OK;
  }
  ctx->fault_struck = true;
  return blo_fail(ctx, BLO_E_FAULT, __FILE__, __LINE__, "injected fault: %s", what);
}

/** @file The clock, and the time spent in each phase of a step. */
#include "context_private.h"
#include <time.h>

static const char *const names[] = {
#define NAME(code, name, text) name,
    BLO_PHASE_LIST(NAME)
#undef NAME
};

double blo_now(void)
{
  struct timespec t;

  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

const char *blo_phase_name(blo_phase phase)
{
  return names[phase];
}

blo_phase blo_phase_enter(blo_context *ctx, blo_phase phase)
{
  blo_phase before = ctx->phase;
  double now = blo_now();

  ctx->phase_seconds[before] += now - ctx->phase_since;
  ctx->phase_since = now;
  ctx->phase = phase;
  return before;
}

double blo_phase_seconds(const blo_context *ctx, blo_phase phase)
{
  double running = ctx->phase == phase ? blo_now() - ctx->phase_since : 0;

  return ctx->phase_seconds[phase] + running;
}

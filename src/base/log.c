/** @file The log: one line a record; rank 0 speaks, and any rank for errors. */
#include "context_private.h"
#include <stdio.h>

static const char *const level_names[] = {"error", "result", "step", "detail", "debug"};

void blo_log_setup(blo_context *ctx, int rank, blo_log_level level)
{
  ctx->rank = rank;
  ctx->log_level = level;
}

bool blo_log_on(const blo_context *ctx, blo_log_level level)
{
  return level == BLO_LOG_ERROR || (ctx->rank == 0 && level <= ctx->log_level);
}

void blo_log(blo_context *ctx, blo_log_level level, const char *where, const char *fmt, ...)
{
  FILE *to = level == BLO_LOG_ERROR ? stderr : stdout;
  char line[2 * BLO_MESSAGE_MAX];
  int n;
  va_list args;

  if (!blo_log_on(ctx, level)) {
    return;
  }
  n = snprintf(line, sizeof line, "[%s][%s] ", level_names[level], where);
  va_start(args, fmt);
  vsnprintf(line + n, sizeof line - (size_t)n, fmt, args);
  va_end(args);
  fprintf(to, "%s\n", line); /* one call a line, so that ranks do not mix within it */
  fflush(to);
}

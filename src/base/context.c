/** @file Life of a context, and the text of its last error. */
#include "context_private.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

blo_status blo_context_create(blo_context **out)
{
  blo_context *ctx = calloc(1, sizeof *ctx);

  *out = ctx;
  if (ctx == NULL) {
    return BLO_E_MEMORY;
  }
  ctx->log_level = BLO_LOG_RESULT;
  ctx->phase = BLO_PHASE_VECTOR;
  ctx->phase_since = blo_now();
  return BLO_OK;
}

void blo_context_destroy(blo_context **ctx)
{
  free(*ctx);
  *ctx = NULL;
}

/** The part of a path from the last "src/", "apps/" or "tests/" on: messages name no build folder.
 */
static const char *short_path(const char *file)
{
  static const char *const roots[] = {"src/", "apps/", "tests/"};
  const char *best = file;

  for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
    for (const char *at = strstr(file, roots[i]); at != NULL; at = strstr(at + 1, roots[i])) {
      best = at > best ? at : best;
    }
  }
  return best;
}

blo_status blo_fail(blo_context *ctx, blo_status status, const char *file, int line,
                    const char *fmt, ...)
{
  char text[BLO_MESSAGE_MAX]; /* an argument may be the old text itself */
  va_list args;

  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  memcpy(ctx->text, text, sizeof text);
  snprintf(ctx->site, sizeof ctx->site, "%s:%d", short_path(file), line);
  return status;
}

const char *blo_error_text(const blo_context *ctx)
{
  return ctx->text;
}

const char *blo_error_site(const blo_context *ctx)
{
  return ctx->site;
}

void blo_error_set(blo_context *ctx, const char *text, const char *site)
{
  snprintf(ctx->text, sizeof ctx->text, "%s", text);
  snprintf(ctx->site, sizeof ctx->site, "%s", site);
}

_Noreturn void blo_bug(const char *file, int line, const char *fmt, ...)
{
  va_list args;

  fprintf(stderr, "ParBLO bug at %s:%d: ", short_path(file), line);
  va_start(args, fmt);
  vfprintf(stderr, fmt, args);
  va_end(args);
  fputc('\n', stderr);
  abort();
}

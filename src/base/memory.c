/**
 * @file Counted, aligned, zeroed allocations. Each block is preceded by its size, and by where it
 * really begins. calloc() gives large blocks as pages that are not touched: what is provided for
 * but not used (a dry run) costs nothing, and a page lies near the processor that uses it first.
 */
#include "context_private.h"
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64 };

typedef struct header {
  blo_int bytes;
  void *raw; /**< what calloc() gave */
} header;

static header *header_of(void *block)
{
  return (header *)(void *)((char *)block - ALIGN);
}

static void count(blo_context *ctx, blo_int bytes)
{
  ctx->memory.bytes += bytes;
  if (ctx->memory.bytes > ctx->memory.peak_bytes) {
    ctx->memory.peak_bytes = ctx->memory.bytes;
  }
}

/** @return false if count * size, aligned and with its header, does not fit. */
static bool bytes_of(blo_int n, size_t size, blo_int *bytes)
{
  if (n < 0 || size > INT64_MAX / 4 || (n > 0 && (blo_int)size > (INT64_MAX / 4) / n)) {
    return false;
  }
  *bytes = n * (blo_int)size;
  return true;
}

/** Zeroed bytes at an address that is a multiple of ALIGN, behind room for a header. NULL: failed.
 */
static void *allocate(blo_int bytes)
{
  char *raw = calloc((size_t)bytes + 2 * ALIGN, 1), *block;

  if (raw == NULL) {
    return NULL;
  }
  block = raw + ALIGN + (ALIGN - (uintptr_t)raw % ALIGN) % ALIGN;
  *header_of(block) = (header){bytes, raw};
  return block;
}

static blo_status check_limit(blo_context *ctx, blo_int bytes)
{
  blo_int limit = ctx->memory_limit, used = ctx->memory.bytes;

  BLO_CHECK(ctx, limit == 0 || bytes <= limit - used, BLO_E_MEMORY,
            "%.3g GiB in use and %.3g GiB more would exceed the memory limit of %.3g GiB a rank "
            "(run.memory_limit); use more ranks",
            (double)used / 0x1p30, (double)bytes / 0x1p30, (double)limit / 0x1p30);
  return BLO_OK;
}

blo_status blo_alloc(blo_context *ctx, blo_int n, size_t size, void *out)
{
  blo_int bytes = 0;
  void *none = NULL, *block;

  memcpy(out, &none, sizeof none);
  BLO_TRY(blo_fault_point(ctx, "allocation"));
  BLO_CHECK(ctx, bytes_of(n, size, &bytes), BLO_E_MEMORY,
            "cannot allocate %lld items of %zu bytes: the size overflows", (long long)n, size);
  BLO_TRY(check_limit(ctx, bytes));
  block = allocate(bytes);
  BLO_CHECK(ctx, block != NULL, BLO_E_MEMORY,
            "cannot allocate %lld bytes (%lld bytes are in use by this rank)", (long long)bytes,
            (long long)ctx->memory.bytes);
  memcpy(out, &block, sizeof block);
  ctx->memory.live++;
  ctx->memory.total++;
  count(ctx, bytes);
  return BLO_OK;
}

void blo_free(blo_context *ctx, void *in_out)
{
  void *block, *none = NULL;

  memcpy(&block, in_out, sizeof block);
  if (block == NULL) {
    return;
  }
  ctx->memory.live--;
  count(ctx, -header_of(block)->bytes);
  free(header_of(block)->raw);
  memcpy(in_out, &none, sizeof none);
}

blo_status blo_realloc(blo_context *ctx, blo_int n, size_t size, void *in_out)
{
  void *old, *bigger;

  memcpy(&old, in_out, sizeof old);
  BLO_TRY(blo_alloc(ctx, n, size, &bigger));
  if (old != NULL) {
    blo_int was = header_of(old)->bytes, is = header_of(bigger)->bytes;
    memcpy(bigger, old, (size_t)(was < is ? was : is));
    blo_free(ctx, &old);
  }
  memcpy(in_out, &bigger, sizeof bigger);
  return BLO_OK;
}

blo_status blo_strdup(blo_context *ctx, const char *text, char **out)
{
  size_t n = strlen(text) + 1;

  BLO_TRY(blo_alloc(ctx, (blo_int)n, 1, out));
  memcpy(*out, text, n);
  return BLO_OK;
}

blo_memory_use blo_memory(const blo_context *ctx)
{
  return ctx->memory;
}

void blo_memory_limit(blo_context *ctx, blo_int bytes)
{
  ctx->memory_limit = bytes;
}

blo_int blo_memory_limit_set(const blo_context *ctx)
{
  return ctx->memory_limit;
}

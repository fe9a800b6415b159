/** @file The list of parameters, and their starting values. */
#include "params_private.h"
#include <math.h>
#include <string.h>

blo_status blo_params_create(blo_context *ctx, blo_params **out)
{
  BLO_TRY(blo_alloc(ctx, 1, sizeof **out, out));
  (*out)->ctx = ctx;
  return BLO_OK;
}

void blo_params_destroy(blo_params **params)
{
  if (*params != NULL) {
    blo_context *ctx = (*params)->ctx;
    blo_free(ctx, &(*params)->blocks);
    blo_free(ctx, params);
  }
}

blo_int blo_params_size(const blo_params *params, blo_owner owner)
{
  return params->size[owner];
}

blo_int blo_params_count(const blo_params *params)
{
  return params->n;
}

const blo_block *blo_params_get(const blo_params *params, blo_int i)
{
  return &params->blocks[i];
}

const blo_block *blo_params_find(const blo_params *params, const char *name)
{
  for (blo_int i = 0; i < params->n; i++) {
    if (strcmp(params->blocks[i].name, name) == 0) {
      return &params->blocks[i];
    }
  }
  return NULL;
}

blo_status params_append(blo_params *params, const blo_block *block)
{
  if (params->n == params->cap) {
    blo_int cap = 2 * params->cap + 16;
    BLO_TRY(blo_realloc(params->ctx, cap, sizeof *params->blocks, &params->blocks));
    params->cap = cap;
  }
  params->blocks[params->n] = *block;
  params->blocks[params->n].offset = params->size[block->owner];
  params->size[block->owner] += block->n;
  params->n++;
  return BLO_OK;
}

/* ------------------------------------------------------------ starting values */

typedef struct fans {
  double in, out;
} fans;

static fans fans_of(const blo_block *b)
{
  double field = b->n_dims == 4 ? (double)(b->dim[2] * b->dim[3]) : 1;

  if (b->n_dims == 1) {
    return (fans){(double)b->dim[0], (double)b->dim[0]};
  }
  if (b->n_dims == 4) {
    return (fans){(double)b->dim[1] * field, (double)b->dim[0] * field};
  }
  return (fans){(double)b->dim[0], (double)(b->n / b->dim[0])};
}

/** The spread of a block's random numbers: half width, or standard deviation. */
static double spread(const blo_block *b)
{
  fans f = fans_of(b);

  switch (b->init.kind) {
  case BLO_INIT_GLOROT:
    return b->init.value * sqrt(6 / (f.in + f.out));
  case BLO_INIT_KAIMING:
    return b->init.value * sqrt(2 / f.in);
  case BLO_INIT_CONSTANT:
  case BLO_INIT_UNIFORM:
  case BLO_INIT_NORMAL:
    break;
  }
  return b->init.value;
}

/** Streams are keyed by the block's name, so adding a block changes no other. */
static double start_value(const blo_block *b, uint64_t seed, double size, blo_int i)
{
  blo_stream stream = {seed, BLO_PURPOSE_INIT};
  uint64_t key = blo_crc32(0, b->name, strlen(b->name));

  switch (b->init.kind) {
  case BLO_INIT_CONSTANT:
    break;
  case BLO_INIT_GLOROT:
  case BLO_INIT_UNIFORM:
    return size * (2 * blo_stream_uniform(stream, key, 0, (uint64_t)i) - 1);
  case BLO_INIT_KAIMING:
  case BLO_INIT_NORMAL:
    return size * blo_stream_normal(stream, key, 0, (uint64_t)i);
  }
  return size;
}

void blo_params_start(const blo_params *params, blo_owner owner, uint64_t seed, blo_int first,
                      blo_int n, double *out)
{
  for (blo_int k = 0; k < params->n; k++) {
    const blo_block *b = &params->blocks[k];
    blo_int begin = first > b->offset ? first : b->offset;
    blo_int end = first + n < b->offset + b->n ? first + n : b->offset + b->n;
    double size = spread(b);
    for (blo_int i = begin; b->owner == owner && i < end; i++) {
      out[i - first] = start_value(b, seed, size, i - b->offset);
    }
  }
}

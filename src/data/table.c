/** @file Life of a table. */
#include "table_private.h"
#include <string.h>

size_t blo_storage_size(blo_storage storage)
{
  static const size_t bytes[] = {
      [BLO_U8] = 1, [BLO_F32] = sizeof(float), [BLO_F64] = 8, [BLO_I32] = 4};

  return bytes[storage];
}

blo_status blo_table_alloc_entries(blo_context *ctx, blo_table *t)
{
  blo_int n = t->row_start[t->n_rows];

  BLO_TRY(blo_alloc(ctx, n, sizeof *t->column, &t->column));
  return blo_alloc(ctx, n, sizeof(double), &t->values);
}

static blo_status alloc_rows(blo_context *ctx, blo_table *t, blo_int n_rows)
{
  t->n_rows = n_rows;
  BLO_TRY(blo_alloc(ctx, n_rows, sizeof *t->label, &t->label));
  if (t->sparse) {
    return blo_alloc(ctx, n_rows + 1, sizeof *t->row_start, &t->row_start);
  }
  return blo_alloc(ctx, n_rows, (size_t)t->ld * blo_storage_size(t->storage), &t->values);
}

blo_status blo_table_create_like(blo_context *ctx, const blo_table *like, blo_int n_rows,
                                 blo_table **out)
{
  blo_status status = BLO_OK;
  blo_table *t = NULL;
  size_t class_bytes = (size_t)like->n_classes * sizeof *like->class_value;

  BLO_GO(blo_alloc(ctx, 1, sizeof *t, &t));
  t->n_features = like->n_features;
  t->n_classes = like->n_classes;
  t->sparse = like->sparse;
  t->storage = like->storage;
  t->ld = like->ld;
  t->n_tokens = like->n_tokens;
  t->vocabulary_crc = like->vocabulary_crc;
  BLO_GO(blo_alloc(ctx, t->n_classes, sizeof *t->class_value, &t->class_value));
  memcpy(t->class_value, like->class_value, class_bytes);
  BLO_GO(alloc_rows(ctx, t, n_rows));
  *out = t;
  t = NULL;
done:
  blo_table_destroy(ctx, &t);
  return status;
}

void blo_table_destroy(blo_context *ctx, blo_table **table)
{
  blo_table *t = *table;

  if (t == NULL) {
    return;
  }
  blo_free(ctx, &t->values);
  blo_free(ctx, &t->row_start);
  blo_free(ctx, &t->column);
  blo_free(ctx, &t->label);
  blo_free(ctx, &t->class_value);
  blo_free(ctx, table);
}

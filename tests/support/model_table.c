#include "model_check.h"

static blo_status make_table(blo_context *ctx, const blo_table *like, blo_int n_rows, uint64_t seed,
                             blo_table **out)
{
  blo_stream stream = {seed, BLO_PURPOSE_TEST};
  blo_status status = BLO_OK;
  blo_table *t = NULL;

  BLO_GO(blo_alloc(ctx, 1, sizeof *t, &t));
  *t = *like;
  t->n_rows = n_rows;
  t->ld = (t->n_features + 7) / 8 * 8;
  BLO_GO(blo_alloc(ctx, n_rows * t->ld, blo_storage_size(t->storage), &t->values));
  BLO_GO(blo_alloc(ctx, n_rows, sizeof *t->label, &t->label));
  BLO_GO(blo_alloc(ctx, t->n_classes, sizeof *t->class_value, &t->class_value));
  for (int32_t c = 0; c < t->n_classes; c++) {
    t->class_value[c] = c;
  }
  for (blo_int i = 0; i < n_rows; i++) {
    t->label[i] = (int32_t)blo_stream_below(stream, 2, 0, (uint64_t)i, (uint64_t)t->n_classes);
  }
  *out = t;
  t = NULL;
done:
  blo_table_destroy(ctx, &t);
  return status;
}

blo_status model_random_table(blo_context *ctx, blo_int n_rows, blo_int n_features,
                              blo_int n_classes, uint64_t seed, blo_table **out)
{
  const blo_table like = {.n_features = n_features, .n_classes = n_classes, .storage = BLO_F64};
  blo_stream stream = {seed, BLO_PURPOSE_TEST};

  BLO_TRY(make_table(ctx, &like, n_rows, seed, out));
  for (blo_int i = 0; i < n_rows; i++) {
    double *row = (double *)(*out)->values + i * (*out)->ld;
    for (blo_int k = 0; k < n_features; k++) {
      row[k] = blo_stream_normal(stream, 1, (uint64_t)i, (uint64_t)k);
    }
  }
  return BLO_OK;
}

blo_status model_random_tokens(blo_context *ctx, blo_int n_rows, blo_int max_length,
                               blo_int n_tokens, blo_int n_classes, uint64_t seed, blo_table **out)
{
  const blo_table like = {
      .n_features = max_length, .n_classes = n_classes, .storage = BLO_I32, .n_tokens = n_tokens};
  blo_stream stream = {seed, BLO_PURPOSE_TEST};

  BLO_TRY(make_table(ctx, &like, n_rows, seed, out));
  for (blo_int i = 0; i < n_rows; i++) {
    int32_t *token = (int32_t *)(*out)->values + i * (*out)->ld;
    uint64_t row = (uint64_t)i;
    blo_int length = 1 + (blo_int)blo_stream_below(stream, 3, 0, row, (uint64_t)max_length);
    for (blo_int k = 0; k < length; k++) {
      token[k] =
          (int32_t)(1 + blo_stream_below(stream, 4, row, (uint64_t)k, (uint64_t)n_tokens - 1));
    }
  }
  return BLO_OK;
}

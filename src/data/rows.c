/** @file Growing tables: room is doubled, so that no header and no line count has to be trusted. */
#include "rows.h"
#include "table_private.h"

/** What is taken first; more if a header tells the number of rows, since that is then enough. */
enum { FIRST_BYTES = 1 << 22, FIRST_KNOWN_BYTES = 1 << 26, FIRST_ENTRIES = 1 << 16 };

blo_status blo_rows_begin_dense(blo_context *ctx, blo_int n_features, blo_storage storage,
                                blo_int known, blo_rows *rows)
{
  *rows = (blo_rows){ctx, NULL, known, 0, 0};
  BLO_TRY(blo_alloc(ctx, 1, sizeof *rows->table, &rows->table));
  rows->table->n_features = n_features;
  rows->table->ld = blo_ld_of(n_features);
  rows->table->storage = storage;
  return BLO_OK;
}

blo_status blo_rows_begin_sparse(blo_context *ctx, blo_rows *rows)
{
  BLO_TRY(blo_rows_begin_dense(ctx, 0, BLO_F64, 0, rows));
  rows->table->sparse = true;
  return BLO_OK;
}

void blo_rows_end(blo_rows *rows)
{
  if (rows->ctx != NULL) {
    blo_table_destroy(rows->ctx, &rows->table);
  }
}

static size_t row_bytes(const blo_table *t)
{
  return (size_t)t->ld * blo_storage_size(t->storage);
}

/** Give the arrays room for `cap` rows. */
static blo_status resize(blo_rows *rows, blo_int cap)
{
  blo_table *t = rows->table;

  BLO_TRY(blo_realloc(rows->ctx, cap, sizeof *t->label, &t->label));
  if (t->sparse) {
    BLO_TRY(blo_realloc(rows->ctx, cap + 1, sizeof *t->row_start, &t->row_start));
  } else {
    BLO_TRY(blo_realloc(rows->ctx, cap, row_bytes(t), &t->values));
  }
  rows->row_cap = cap;
  return BLO_OK;
}

/** Give the arrays of a sparse table room for `cap` entries. */
static blo_status resize_entries(blo_rows *rows, blo_int cap)
{
  blo_table *t = rows->table;

  BLO_TRY(blo_realloc(rows->ctx, cap, sizeof *t->column, &t->column));
  BLO_TRY(blo_realloc(rows->ctx, cap, sizeof(double), &t->values));
  rows->entry_cap = cap;
  return BLO_OK;
}

static blo_int more_rows(const blo_rows *rows)
{
  blo_int bytes = rows->known > 0 ? FIRST_KNOWN_BYTES : FIRST_BYTES;
  blo_int first = bytes / ((blo_int)row_bytes(rows->table) + 64) + 1;
  blo_int cap = rows->row_cap == 0 ? first : 2 * rows->row_cap;

  return rows->known > 0 && cap > rows->known ? rows->known : cap;
}

blo_status blo_rows_next(blo_rows *rows, int32_t label, void **place)
{
  blo_table *t = rows->table;

  if (t->n_rows == rows->row_cap) {
    BLO_TRY(resize(rows, more_rows(rows)));
  }
  t->label[t->n_rows] = label;
  if (t->sparse) {
    t->row_start[t->n_rows + 1] = t->row_start[t->n_rows];
  }
  if (place != NULL) {
    *place = blo_table_row(t, t->n_rows);
  }
  t->n_rows++;
  return BLO_OK;
}

blo_status blo_rows_add_entry(blo_rows *rows, int32_t column, double value)
{
  blo_table *t = rows->table;
  blo_int *end = &t->row_start[t->n_rows];

  if (*end == rows->entry_cap) {
    BLO_TRY(resize_entries(rows, rows->entry_cap == 0 ? FIRST_ENTRIES : 2 * rows->entry_cap));
  }
  t->column[*end] = column;
  ((double *)t->values)[*end] = value;
  ++*end;
  return BLO_OK;
}

blo_status blo_rows_widen(blo_rows *rows)
{
  blo_table *t = rows->table;
  const uint8_t *narrow = t->values;
  double *wide = NULL;

  BLO_TRY(blo_alloc(rows->ctx, rows->row_cap, (size_t)t->ld * sizeof *wide, &wide));
  for (blo_int i = 0; i < t->n_rows * t->ld; i++) {
    wide[i] = narrow[i];
  }
  blo_free(rows->ctx, &t->values);
  t->values = wide;
  t->storage = BLO_F64;
  return BLO_OK;
}

blo_status blo_rows_finish(blo_rows *rows, blo_classes *classes, const blo_rules *rules,
                           const char *path, blo_table **out)
{
  blo_table *t = rows->table;

  BLO_CHECK(rows->ctx, t->n_rows > 0, BLO_E_DATA, "%s has no samples", path);
  BLO_CHECK(rows->ctx, t->n_features > 0, BLO_E_DATA, "%s has no features", path);
  BLO_TRY(blo_rules_check(rows->ctx, rules, t, path));
  if (rows->row_cap > t->n_rows) {
    BLO_TRY(resize(rows, t->n_rows));
  }
  if (t->sparse) {
    BLO_TRY(resize_entries(rows, t->row_start[t->n_rows]));
  }
  blo_classes_apply(classes, t->label, t->n_rows);
  BLO_TRY(blo_realloc(rows->ctx, classes->n, sizeof *classes->value, &classes->value));
  t->class_value = classes->value;
  t->n_classes = classes->n;
  classes->value = NULL;
  *out = t;
  rows->table = NULL;
  return BLO_OK;
}

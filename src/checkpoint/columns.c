/** @file Tables of recorded columns: rows are appended in memory, columns are written and read. */
#include <blo/checkpoint.h>
#include <stdio.h>
#include <string.h>

enum { FIRST_CAP = 64, PATH_MAX_LENGTH = 512 };

blo_status blo_columns_create(blo_context *ctx, const blo_column *column, blo_int n_columns,
                              blo_columns **out)
{
  blo_columns *c;

  BLO_BUG_IF(n_columns < 1, "a table of %lld columns has no axis", (long long)n_columns);
  BLO_TRY(blo_alloc(ctx, 1, sizeof *c, &c));
  *c = (blo_columns){.ctx = ctx, .column = column, .n_columns = n_columns};
  *out = c;
  return BLO_OK;
}

void blo_columns_destroy(blo_columns **columns)
{
  if (*columns != NULL) {
    blo_context *ctx = (*columns)->ctx;
    blo_free(ctx, &(*columns)->data);
    blo_free(ctx, columns);
  }
}

static blo_status reserve(blo_columns *c, blo_int n_rows)
{
  blo_int cap = c->cap == 0 ? FIRST_CAP : 2 * c->cap;

  if (n_rows <= c->cap) {
    return BLO_OK;
  }
  cap = cap < n_rows ? n_rows : cap;
  BLO_TRY(blo_realloc(c->ctx, cap, (size_t)c->n_columns * sizeof *c->data, &c->data));
  c->cap = cap;
  return BLO_OK;
}

blo_status blo_columns_append(blo_columns *c, const double *row)
{
  BLO_TRY(reserve(c, c->n_rows + 1));
  memcpy(c->data + c->n_rows * c->n_columns, row, (size_t)c->n_columns * sizeof *row);
  c->n_rows++;
  return BLO_OK;
}

/** @param[out] path [PATH_MAX_LENGTH] */
static void column_path(const blo_columns *c, const char *group, blo_int k, char *path)
{
  int length = snprintf(path, PATH_MAX_LENGTH, "%s/%s", group, c->column[k].name);

  BLO_BUG_IF(length < 0 || length >= PATH_MAX_LENGTH, "the path of column '%s' is too long",
             c->column[k].name);
}

static blo_status write_column(const blo_columns *c, blo_h5 *f, const char *group, blo_int k,
                               double *work)
{
  char path[PATH_MAX_LENGTH], axis[PATH_MAX_LENGTH];

  column_path(c, group, k, path);
  column_path(c, group, 0, axis);
  for (blo_int i = 0; i < c->n_rows; i++) {
    work[i] = c->data[i * c->n_columns + k];
  }
  return blo_h5_put_array(f, path, work, c->n_rows, true, c->column[k].unit, c->column[k].help,
                          k > 0 ? axis : NULL);
}

blo_status blo_columns_write(const blo_columns *c, blo_h5 *f, const char *group)
{
  blo_status status = BLO_OK;
  double *work = NULL;

  BLO_GO(blo_alloc(c->ctx, c->n_rows, sizeof *work, &work));
  for (blo_int k = 0; k < c->n_columns; k++) {
    BLO_GO(write_column(c, f, group, k, work));
  }
done:
  blo_free(c->ctx, &work);
  return status;
}

static blo_status read_column(blo_columns *c, blo_h5 *f, const char *group, blo_int k, double *work)
{
  char path[PATH_MAX_LENGTH];

  column_path(c, group, k, path);
  BLO_TRY(blo_h5_get_array(f, path, work, c->n_rows));
  for (blo_int i = 0; i < c->n_rows; i++) {
    c->data[i * c->n_columns + k] = work[i];
  }
  return BLO_OK;
}

blo_status blo_columns_read(blo_columns *c, blo_h5 *f, const char *group)
{
  blo_status status = BLO_OK;
  char axis[PATH_MAX_LENGTH];
  double *work = NULL;
  blo_int n_rows = 0;

  column_path(c, group, 0, axis);
  BLO_GO(blo_h5_array_size(f, axis, &n_rows));
  BLO_GO(reserve(c, n_rows));
  BLO_GO(blo_alloc(c->ctx, n_rows, sizeof *work, &work));
  c->n_rows = n_rows;
  for (blo_int k = 0; k < c->n_columns; k++) {
    BLO_GO(read_column(c, f, group, k, work));
  }
done:
  blo_free(c->ctx, &work);
  return status;
}

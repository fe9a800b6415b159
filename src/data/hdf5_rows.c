/**
 * @file Reading rows of an HDF5 file. What is wanted is a list of spans of a dataset; spans that
 * lie near each other are read together, so that each chunk is read, and its checksum verified,
 * about once, and never more than a piece is in memory beside the rows asked for.
 */
#include "hdf5_private.h"
#include "readers.h"
#include "table_private.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/** Units [begin, end) of a dataset that go to place number `to`. */
typedef struct span {
  blo_int begin, end, to;
} span;

/** How many spans from the first one on are read together: at most a piece, or one span. */
static blo_int together(const span *s, blo_int n, blo_int piece)
{
  blo_int k = 1;

  while (k < n && s[k].end - s[0].begin <= piece) {
    k++;
  }
  return k;
}

static blo_int longest(const span *s, blo_int n, blo_int at_least)
{
  for (blo_int i = 0; i < n; i++) {
    blo_int length = s[i].end - s[i].begin;
    at_least = length > at_least ? length : at_least;
  }
  return at_least;
}

/**
 * Read spans, begins and ends ascending; span i goes to `to` + its place * `stride` bytes.
 */
static blo_status read_spans(const blo_hdf5_data *h, const blo_hdf5_dataset *d, const span *s,
                             blo_int n, void *to, size_t stride)
{
  blo_status status = BLO_OK;
  blo_int piece = blo_hdf5_piece(d->unit_bytes);
  char *buffer = NULL;

  piece = piece < d->length ? piece : d->length;
  BLO_GO(blo_alloc(h->ctx, longest(s, n, piece), d->unit_bytes, &buffer));
  for (blo_int i = 0, k; i < n; i += k) {
    k = together(s + i, n - i, piece);
    BLO_GO(blo_hdf5_read_block(h, d, s[i].begin, s[i + k - 1].end - s[i].begin, buffer));
    for (blo_int j = i; j < i + k; j++) {
      memcpy((char *)to + (size_t)s[j].to * stride,
             buffer + (size_t)(s[j].begin - s[i].begin) * d->unit_bytes,
             (size_t)(s[j].end - s[j].begin) * d->unit_bytes);
    }
  }
done:
  blo_free(h->ctx, &buffer);
  return status;
}

/** Rows wanted: in the file's order, and number `to` in the table that is made. */
typedef struct wanted {
  blo_int n;
  span *row; /**< [n] ascending */
} wanted;

static int by_begin(const void *a, const void *b)
{
  const span *x = a, *y = b;

  return (x->begin > y->begin) - (x->begin < y->begin);
}

static blo_status make_wanted(blo_context *ctx, const blo_int *rows, blo_int n, wanted *w)
{
  bool sorted = true;

  w->n = n;
  BLO_TRY(blo_alloc(ctx, n, sizeof *w->row, &w->row));
  for (blo_int i = 0; i < n; i++) {
    blo_int row = rows != NULL ? rows[i] : i;
    w->row[i] = (span){row, row + 1, i};
    sorted = sorted && (i == 0 || w->row[i - 1].begin <= row);
  }
  if (!sorted) {
    qsort(w->row, (size_t)n, sizeof *w->row, by_begin);
  }
  return BLO_OK;
}

static blo_status read_row_labels(blo_hdf5_data *h, const wanted *w, blo_table *t)
{
  blo_status status = BLO_OK;
  blo_int *label = NULL;

  BLO_GO(blo_alloc(h->ctx, w->n, sizeof *label, &label));
  BLO_GO(read_spans(h, &h->label, w->row, w->n, label, sizeof *label));
  for (blo_int i = 0; i < w->n; i++) {
    blo_int to = w->row[i].to;
    blo_place place = {h->path, "sample", w->row[i].begin};
    BLO_GO(blo_classes_take(h->ctx, &h->classes, place, (double)label[to], &t->label[to]));
  }
  blo_classes_apply(&h->classes, t->label, w->n);
done:
  blo_free(h->ctx, &label);
  return status;
}

/** All of `n` values, which belong to sample `row`, must be finite. */
static blo_status check_values(const blo_hdf5_data *h, blo_int row, blo_storage storage,
                               const void *values, blo_int first, blo_int n)
{
  for (blo_int k = 0; k < n; k++) {
    double value = blo_storage_get(storage, values, first + k);
    BLO_CHECK(h->ctx, isfinite(value), BLO_E_DATA,
              "%s, sample %lld: value %lld (both from 0) is %f", h->path, (long long)row,
              (long long)k, value);
  }
  return BLO_OK;
}

/** A sentence is one token or more, none of them padding, and padding after its end. */
static blo_status check_tokens(const blo_hdf5_data *h, blo_int row, const int32_t *token, blo_int n)
{
  for (blo_int k = 0; k < n; k++) {
    BLO_CHECK(h->ctx, token[k] >= 0 && token[k] < h->head->n_tokens, BLO_E_DATA,
              "%s, sample %lld: token %lld (both from 0) is %d, outside 0..%lld", h->path,
              (long long)row, (long long)k, (int)token[k], (long long)h->head->n_tokens - 1);
    BLO_CHECK(h->ctx, k == 0 || token[k] == 0 || token[k - 1] != 0, BLO_E_DATA,
              "%s, sample %lld: token %lld (both from 0) stands behind the end of the sentence",
              h->path, (long long)row, (long long)k);
  }
  BLO_CHECK(h->ctx, token[0] != 0, BLO_E_DATA, "%s, sample %lld has no tokens", h->path,
            (long long)row);
  return BLO_OK;
}

static blo_status check_dense_row(const blo_hdf5_data *h, blo_int row, const blo_table *t,
                                  blo_int to)
{
  if (t->storage == BLO_I32) {
    return check_tokens(h, row, blo_table_row(t, to), t->n_features);
  }
  return check_values(h, row, t->storage, blo_table_row(t, to), 0, t->n_features);
}

static blo_status read_dense_rows(blo_hdf5_data *h, const wanted *w, blo_table *t)
{
  BLO_TRY(read_spans(h, &h->features, w->row, w->n, t->values,
                     (size_t)t->ld * blo_storage_size(t->storage)));
  for (blo_int i = 0; i < w->n && t->storage != BLO_U8; i++) {
    BLO_TRY(check_dense_row(h, w->row[i].begin, t, w->row[i].to));
  }
  return BLO_OK;
}

/** A sparse row's entries in the file. */
typedef struct extent {
  blo_int begin, end;
} extent;

/** Where the entries of the wanted rows lie. @param[out] e [n] in the table's order */
static blo_status read_extents(blo_hdf5_data *h, const wanted *w, extent *e)
{
  blo_status status = BLO_OK;
  wanted pairs = {w->n, NULL};
  blo_int last = 0;

  BLO_GO(blo_alloc(h->ctx, w->n, sizeof *pairs.row, &pairs.row));
  for (blo_int i = 0; i < w->n; i++) {
    pairs.row[i] = (span){w->row[i].begin, w->row[i].begin + 2, w->row[i].to};
  }
  BLO_GO(read_spans(h, &h->row_start, pairs.row, pairs.n, e, sizeof *e));
  for (blo_int i = 0; i < w->n; i++) {
    const extent *x = &e[w->row[i].to];
    bool again = i > 0 && w->row[i].begin == w->row[i - 1].begin;
    BLO_CHECK_GO(h->ctx,
                 (again || x->begin >= last) && x->begin >= 0 && x->begin <= x->end &&
                     x->end <= h->column.length,
                 BLO_E_FORMAT,
                 "%s: row_start of sample %lld is damaged: %lld..%lld of %lld entries", h->path,
                 (long long)w->row[i].begin, (long long)x->begin, (long long)x->end,
                 (long long)h->column.length);
    last = x->end;
  }
done:
  blo_free(h->ctx, &pairs.row);
  return status;
}

static blo_status check_columns(const blo_hdf5_data *h, blo_int row, const int32_t *column,
                                blo_int n)
{
  for (blo_int k = 0; k < n; k++) {
    blo_int least = k > 0 ? column[k - 1] + (blo_int)1 : 0;
    BLO_CHECK(h->ctx, column[k] >= least && column[k] < h->head->n_features, BLO_E_FORMAT,
              "%s, sample %lld: column %lld is outside %lld..%lld", h->path, (long long)row,
              (long long)column[k], (long long)least, (long long)h->head->n_features - 1);
  }
  return BLO_OK;
}

static blo_status check_entries(const blo_hdf5_data *h, const wanted *w, const blo_table *t)
{
  for (blo_int i = 0; i < w->n; i++) {
    blo_int to = w->row[i].to, first = t->row_start[to], n = t->row_start[to + 1] - first;
    BLO_TRY(check_columns(h, w->row[i].begin, t->column + first, n));
    BLO_TRY(check_values(h, w->row[i].begin, BLO_F64, t->values, first, n));
  }
  return BLO_OK;
}

static blo_status read_sparse_rows(blo_hdf5_data *h, const wanted *w, blo_table *t)
{
  blo_status status = BLO_OK;
  extent *e = NULL;
  span *s = NULL;

  BLO_GO(blo_alloc(h->ctx, w->n, sizeof *e, &e));
  BLO_GO(read_extents(h, w, e));
  for (blo_int i = 0; i < w->n; i++) {
    t->row_start[i + 1] = t->row_start[i] + e[i].end - e[i].begin;
  }
  BLO_GO(blo_table_alloc_entries(h->ctx, t));
  BLO_GO(blo_alloc(h->ctx, w->n, sizeof *s, &s));
  for (blo_int i = 0; i < w->n; i++) {
    blo_int to = w->row[i].to;
    s[i] = (span){e[to].begin, e[to].end, t->row_start[to]};
  }
  BLO_GO(read_spans(h, &h->column, s, w->n, t->column, sizeof *t->column));
  BLO_GO(read_spans(h, &h->value, s, w->n, t->values, sizeof(double)));
  BLO_GO(check_entries(h, w, t));
done:
  blo_free(h->ctx, &s);
  blo_free(h->ctx, &e);
  return status;
}

blo_status blo_hdf5_read(blo_hdf5_data *data, const blo_int *rows, blo_int n, blo_table **out)
{
  blo_status status = BLO_OK;
  blo_context *ctx = data->ctx;
  wanted w = {0, NULL};
  blo_table *t = NULL;
  blo_hdf5_report report;

  blo_hdf5_silence(&report);
  BLO_GO(make_wanted(ctx, rows, n, &w));
  BLO_GO(blo_table_create_like(ctx, data->head, n, &t));
  BLO_GO(read_row_labels(data, &w, t));
  BLO_GO(t->sparse ? read_sparse_rows(data, &w, t) : read_dense_rows(data, &w, t));
  *out = t;
  t = NULL;
done:
  blo_table_destroy(ctx, &t);
  blo_free(ctx, &w.row);
  blo_hdf5_restore(&report);
  return status;
}

blo_status blo_read_hdf5(blo_context *ctx, const blo_source_spec *spec, const blo_rules *rules,
                         blo_table **out)
{
  blo_status status = BLO_OK;
  blo_hdf5_data *h = NULL;

  BLO_GO(blo_hdf5_open(ctx, spec->path, spec->group, rules, &h));
  BLO_GO(blo_hdf5_read(h, NULL, h->head->n_rows, out));
done:
  blo_hdf5_close_data(&h);
  return status;
}

/**
 * @file Reader of IDX files: a magic number 00 00 type rank, one big-endian size per dimension, the
 * values big-endian (Y. LeCun, C. Cortes, C. Burges, The MNIST database, "file format for vectors
 * and matrices of various types and sizes"). One file has the samples, another one the labels.
 */
#include "readers.h"
#include "rows.h"
#include "table_private.h"
#include <math.h>
#include <string.h>

enum { IDX_U8 = 0x08, IDX_I8 = 0x09, IDX_I16 = 0x0B, IDX_I32 = 0x0C, IDX_F32 = 0x0D, IDX_F64 };

typedef struct idx {
  blo_context *ctx;
  blo_input *in;
  const char *path;
  int type, rank;
  blo_int n_items, item_values; /**< the first dimension, and the product of the others */
} idx;

/** Bytes of one value, 0 for an unknown type. */
static blo_int type_bytes(int type)
{
  switch (type) {
  case IDX_U8:
  case IDX_I8:
    return 1;
  case IDX_I16:
    return 2;
  case IDX_I32:
  case IDX_F32:
    return 4;
  case IDX_F64:
    return 8;
  default:
    return 0;
  }
}

/** The storage that holds every value of the type exactly. */
static blo_storage storage_of(int type)
{
  if (type == IDX_U8) {
    return BLO_U8;
  }
  return type == IDX_I32 || type == IDX_F64 ? BLO_F64 : BLO_F32;
}

static uint64_t big_endian(const unsigned char *bytes, blo_int n)
{
  uint64_t v = 0;

  for (blo_int i = 0; i < n; i++) {
    v = v << 8 | bytes[i];
  }
  return v;
}

static double decode(int type, const unsigned char *bytes)
{
  uint64_t bits = big_endian(bytes, type_bytes(type));
  uint32_t bits32 = (uint32_t)bits;
  float single;
  double value;

  switch (type) {
  case IDX_I8:
    return (double)(int8_t)bits;
  case IDX_I16:
    return (double)(int16_t)bits;
  case IDX_I32:
    return (double)(int32_t)bits32;
  case IDX_F32:
    memcpy(&single, &bits32, sizeof single);
    return (double)single;
  case IDX_F64:
    memcpy(&value, &bits, sizeof value);
    return value;
  default:
    return (double)bits;
  }
}

static blo_status read_dimensions(idx *f)
{
  unsigned char size[4];
  blo_int bytes, most = blo_input_most_bytes(f->in);

  f->item_values = 1;
  for (int d = 0; d < f->rank; d++) {
    BLO_TRY(blo_input_fill(f->in, size, 4, "header"));
    blo_int n = (blo_int)big_endian(size, 4);
    if (d == 0) {
      f->n_items = n;
    } else {
      BLO_CHECK(f->ctx, n == 0 || f->item_values <= INT32_MAX / n, BLO_E_FORMAT,
                "%s is damaged: its header gives a sample more than %d values", f->path, INT32_MAX);
      f->item_values *= n;
    }
  }
  bytes = f->n_items * type_bytes(f->type);
  BLO_CHECK(f->ctx, f->item_values == 0 || bytes <= most / f->item_values, BLO_E_FORMAT,
            "%s is damaged: its header promises %lld samples of %lld values, more than the file "
            "can hold",
            f->path, (long long)f->n_items, (long long)f->item_values);
  return BLO_OK;
}

/** Open a file and read its header. */
static blo_status open_idx(blo_context *ctx, const char *path, idx *f)
{
  unsigned char magic[4];

  *f = (idx){.ctx = ctx, .path = path};
  BLO_TRY(blo_input_open(ctx, path, &f->in));
  BLO_TRY(blo_input_fill(f->in, magic, 4, "header"));
  f->type = magic[2];
  f->rank = magic[3];
  BLO_CHECK(ctx, magic[0] == 0 && magic[1] == 0 && type_bytes(f->type) > 0 && f->rank > 0,
            BLO_E_FORMAT, "%s is no IDX file: it begins with %02x %02x %02x %02x", path, magic[0],
            magic[1], magic[2], magic[3]);
  return read_dimensions(f);
}

static blo_status expect_end(idx *f)
{
  char more;
  blo_int got;

  BLO_TRY(blo_input_read(f->in, &more, 1, &got));
  BLO_CHECK(f->ctx, got == 0, BLO_E_FORMAT,
            "%s is damaged: there is more than the %lld samples of %lld values of its header",
            f->path, (long long)f->n_items, (long long)f->item_values);
  return BLO_OK;
}

/** Decode the values of sample i into its row. */
static blo_status decode_row(const idx *f, blo_int i, const unsigned char *raw, blo_storage storage,
                             void *row)
{
  for (blo_int k = 0; k < f->item_values; k++) {
    double value = decode(f->type, raw + k * type_bytes(f->type));
    BLO_CHECK(f->ctx, isfinite(value), BLO_E_DATA,
              "%s, sample %lld: feature %lld (both from 0) is %f", f->path, (long long)i,
              (long long)k, value);
    blo_storage_put(storage, row, k, value);
  }
  return BLO_OK;
}

static blo_status read_features(idx *f, blo_rows *rows)
{
  blo_status status = BLO_OK;
  blo_storage storage = storage_of(f->type);
  blo_int bytes = f->item_values * type_bytes(f->type);
  unsigned char *raw = NULL;
  void *row;

  BLO_GO(blo_rows_begin_dense(f->ctx, f->item_values, storage, f->n_items, rows));
  BLO_GO(blo_alloc(f->ctx, bytes, 1, &raw));
  for (blo_int i = 0; i < f->n_items; i++) {
    BLO_GO(blo_rows_next(rows, 0, &row));
    BLO_GO(blo_input_fill(f->in, storage == BLO_U8 ? row : raw, bytes, "samples"));
    if (storage != BLO_U8) {
      BLO_GO(decode_row(f, i, raw, storage, row));
    }
  }
  BLO_GO(expect_end(f));
done:
  blo_free(f->ctx, &raw);
  return status;
}

static blo_status read_labels(idx *f, blo_classes *classes, int32_t *label)
{
  unsigned char raw[8];

  for (blo_int i = 0; i < f->n_items; i++) {
    blo_place place = {f->path, "sample", i};
    BLO_TRY(blo_input_fill(f->in, raw, type_bytes(f->type), "labels"));
    BLO_TRY(blo_classes_take(f->ctx, classes, place, decode(f->type, raw), &label[i]));
  }
  return expect_end(f);
}

/** The two headers must fit each other before anything is read. */
static blo_status check_pair(const idx *images, const idx *labels)
{
  BLO_CHECK(images->ctx, images->rank >= 2, BLO_E_FORMAT,
            "%s has %d dimension: samples need 2 or more (is it the file of the labels?)",
            images->path, images->rank);
  BLO_CHECK(images->ctx, labels->rank == 1, BLO_E_FORMAT,
            "%s has %d dimensions: labels have 1 (is it the file of the samples?)", labels->path,
            labels->rank);
  BLO_CHECK(images->ctx, images->n_items == labels->n_items, BLO_E_DATA,
            "%s has %lld samples, but %s has %lld labels", images->path, (long long)images->n_items,
            labels->path, (long long)labels->n_items);
  BLO_CHECK(images->ctx, images->n_items > 0 && images->item_values > 0, BLO_E_DATA,
            "%s has no samples: its header gives %lld samples of %lld values", images->path,
            (long long)images->n_items, (long long)images->item_values);
  return BLO_OK;
}

blo_status blo_read_idx(blo_context *ctx, const blo_source_spec *spec, const blo_rules *rules,
                        blo_table **out)
{
  blo_status status = BLO_OK;
  idx images = {0}, labels = {0};
  blo_rows rows = {0};
  blo_classes classes = {0};

  BLO_CHECK(ctx, spec->labels != NULL && spec->labels[0] != '\0', BLO_E_OPTION,
            "%s is an IDX file of samples: the IDX file of their labels must be given too",
            spec->path);
  BLO_GO(open_idx(ctx, spec->path, &images));
  BLO_GO(open_idx(ctx, spec->labels, &labels));
  BLO_GO(check_pair(&images, &labels));
  BLO_GO(blo_classes_begin(ctx, rules, &classes));
  BLO_GO(read_features(&images, &rows));
  BLO_GO(read_labels(&labels, &classes, rows.table->label));
  BLO_GO(blo_rows_finish(&rows, &classes, rules, spec->path, out));
done:
  blo_classes_end(ctx, &classes);
  blo_rows_end(&rows);
  blo_input_close(&labels.in);
  blo_input_close(&images.in);
  return status;
}

/**
 * @file Opening HDF5 data: the datasets, their sizes, the classes. ParBLO's own layout is read, and
 * dense features and integer labels of other people's files.
 */
#include "hdf5_private.h"
#include "table_private.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/** Room for the chunks at the borders of pieces; larger chunks would be read twice. */
enum { CACHE_SLOTS = 521, CACHE_BYTES = 16 << 20 };

/* ---------------------------------------------------------- one dataset */

static blo_status read_shape(blo_hdf5_data *h, blo_hdf5_dataset *d, int rank)
{
  blo_status status = BLO_OK;
  hsize_t dims[2] = {0, 0};
  hid_t space = H5Dget_space(d->id);

  BLO_HDF5_CHECK_GO(h->ctx, space > 0, BLO_E_FORMAT, h->path, d->name);
  BLO_CHECK_GO(h->ctx, H5Sget_simple_extent_ndims(space) == rank, BLO_E_FORMAT,
               "%s: dataset %s does not have %d dimension(s)", h->path, d->name, rank);
  H5Sget_simple_extent_dims(space, dims, NULL);
  BLO_CHECK_GO(h->ctx, dims[0] <= INT64_MAX / 4096 && dims[1] <= INT32_MAX, BLO_E_FORMAT,
               "%s: dataset %s has absurd sizes", h->path, d->name);
  d->length = (blo_int)dims[0];
  d->width = rank == 2 ? (blo_int)dims[1] : 0;
done:
  blo_hdf5_close(&space, H5Sclose);
  return status;
}

/** Open a dataset and learn its shape. */
static blo_status open_dataset(blo_hdf5_data *h, const char *name, int rank, hid_t memory_type,
                               blo_hdf5_dataset *d)
{
  blo_status status = BLO_OK;
  hid_t access = H5Pcreate(H5P_DATASET_ACCESS);

  H5Pset_chunk_cache(access, CACHE_SLOTS, CACHE_BYTES, H5D_CHUNK_CACHE_W0_DEFAULT);
  *d = (blo_hdf5_dataset){.name = name, .memory_type = memory_type};
  d->id = H5Dopen2(h->group, name, access);
  BLO_HDF5_CHECK_GO(h->ctx, d->id > 0, BLO_E_FORMAT, h->path, name);
  BLO_GO(read_shape(h, d, rank));
  d->unit_bytes = H5Tget_size(memory_type) * (size_t)(rank == 2 ? d->width : 1);
done:
  blo_hdf5_close(&access, H5Pclose);
  return status;
}

blo_status blo_hdf5_read_block(const blo_hdf5_data *data, const blo_hdf5_dataset *d, blo_int begin,
                               blo_int n, void *to)
{
  blo_status status = BLO_OK;
  hsize_t start[2] = {(hsize_t)begin, 0}, count[2] = {(hsize_t)n, (hsize_t)d->width};
  hid_t space, memory;
  herr_t read;

  if (n == 0) {
    return BLO_OK;
  }
  BLO_TRY(blo_fault_point(data->ctx, "reading a dataset"));
  space = H5Dget_space(d->id);
  memory = H5Screate_simple(d->width > 0 ? 2 : 1, count, NULL);
  H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
  read = H5Dread(d->id, d->memory_type, memory, space, H5P_DEFAULT, to);
  BLO_HDF5_CHECK_GO(data->ctx, read >= 0, BLO_E_FORMAT, data->path, d->name);
done:
  blo_hdf5_close(&memory, H5Sclose);
  blo_hdf5_close(&space, H5Sclose);
  return status;
}

/* -------------------------------------------------------------- opening */

/** The storage that holds every value of a dataset exactly, from its type. */
static blo_status find_storage(blo_hdf5_data *h, const blo_hdf5_dataset *d, blo_storage *storage)
{
  hid_t type = H5Dget_type(d->id);
  H5T_class_t class = H5Tget_class(type);
  size_t bytes = H5Tget_size(type);
  bool is_signed = class == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_2;

  blo_hdf5_close(&type, H5Tclose);
  BLO_CHECK(h->ctx, class == H5T_INTEGER || class == H5T_FLOAT, BLO_E_FORMAT,
            "%s: dataset %s does not hold numbers", h->path, d->name);
  if (class == H5T_INTEGER && bytes == 1 && !is_signed) {
    *storage = BLO_U8;
  } else {
    *storage = bytes <= (class == H5T_INTEGER ? 2 : sizeof(float)) ? BLO_F32 : BLO_F64;
  }
  return BLO_OK;
}

/** The dataset holds integers of 32 bits, and the attributes tell how many tokens there are. */
static blo_status open_tokens(blo_hdf5_data *h)
{
  blo_table *t = h->head;
  blo_int crc;
  hid_t type = H5Dget_type(h->features.id);
  bool fits = H5Tget_class(type) == H5T_INTEGER && H5Tget_size(type) == sizeof(int32_t) &&
              H5Tget_sign(type) == H5T_SGN_2;

  blo_hdf5_close(&type, H5Tclose);
  BLO_CHECK(h->ctx, fits, BLO_E_FORMAT, "%s: dataset %s does not hold integers of 32 bits", h->path,
            h->features.name);
  t->storage = BLO_I32;
  BLO_TRY(blo_hdf5_read_int(h->ctx, h->group, h->path, "n_tokens", &t->n_tokens));
  BLO_TRY(blo_hdf5_read_int(h->ctx, h->group, h->path, "vocabulary_crc32", &crc));
  BLO_CHECK(h->ctx, t->n_tokens >= 2 && t->n_tokens <= INT32_MAX, BLO_E_FORMAT,
            "%s: n_tokens is %lld", h->path, (long long)t->n_tokens);
  t->vocabulary_crc = (uint32_t)crc;
  return BLO_OK;
}

/** Whether a group of our layout says that it has tokens; a plain dataset of integers has none. */
static blo_status has_tokens(blo_hdf5_data *h, bool ours, bool *tokens)
{
  char storage[8] = "";

  if (ours) {
    BLO_TRY(blo_hdf5_read_text(h->ctx, h->group, h->path, "storage", storage, sizeof storage));
  }
  *tokens = strcmp(storage, "tokens") == 0;
  return BLO_OK;
}

static blo_status open_dense(blo_hdf5_data *h, bool ours)
{
  blo_table *t = h->head;
  hid_t types[] = {H5T_NATIVE_UINT8, H5T_NATIVE_FLOAT, H5T_NATIVE_DOUBLE, H5T_NATIVE_INT32};
  bool tokens;

  BLO_TRY(open_dataset(h, blo_hdf5_find_name(h->group, blo_hdf5_feature_names), 2,
                       H5T_NATIVE_DOUBLE, &h->features));
  BLO_TRY(has_tokens(h, ours, &tokens));
  BLO_TRY(tokens ? open_tokens(h) : find_storage(h, &h->features, &t->storage));
  h->features.memory_type = types[t->storage];
  h->features.unit_bytes = (size_t)h->features.width * blo_storage_size(t->storage);
  t->n_rows = h->features.length;
  t->n_features = h->features.width;
  t->ld = blo_ld_of(t->n_features);
  return BLO_OK;
}

static blo_status open_sparse(blo_hdf5_data *h)
{
  blo_table *t = h->head;

  BLO_TRY(open_dataset(h, "row_start", 1, H5T_NATIVE_INT64, &h->row_start));
  BLO_TRY(open_dataset(h, "column", 1, H5T_NATIVE_INT32, &h->column));
  BLO_TRY(open_dataset(h, "value", 1, H5T_NATIVE_DOUBLE, &h->value));
  BLO_CHECK(h->ctx, h->value.length == h->column.length, BLO_E_FORMAT,
            "%s: %lld values, but %lld columns", h->path, (long long)h->value.length,
            (long long)h->column.length);
  t->sparse = true;
  t->storage = BLO_F64;
  t->n_rows = h->row_start.length - 1;
  BLO_TRY(blo_hdf5_read_int(h->ctx, h->group, h->path, "n_features", &t->n_features));
  BLO_CHECK(h->ctx, t->n_features >= 0 && t->n_features <= INT32_MAX, BLO_E_FORMAT,
            "%s: n_features is %lld", h->path, (long long)t->n_features);
  return BLO_OK;
}

/** Label types other than integers would be rounded silently. */
static blo_status open_labels(blo_hdf5_data *h)
{
  hid_t type;
  H5T_class_t class;

  BLO_TRY(open_dataset(h, blo_hdf5_find_name(h->group, blo_hdf5_label_names), 1, H5T_NATIVE_INT64,
                       &h->label));
  type = H5Dget_type(h->label.id);
  class = H5Tget_class(type);
  blo_hdf5_close(&type, H5Tclose);
  BLO_CHECK(h->ctx, class == H5T_INTEGER, BLO_E_FORMAT, "%s: dataset %s does not hold integers",
            h->path, h->label.name);
  BLO_CHECK(h->ctx, h->label.length == h->head->n_rows, BLO_E_FORMAT,
            "%s: %lld labels, but %lld samples", h->path, (long long)h->label.length,
            (long long)h->head->n_rows);
  return BLO_OK;
}

/** The attributes that our layout has must tell the same as the datasets. */
static blo_status check_attributes(blo_hdf5_data *h)
{
  const blo_table *t = h->head;
  char storage[8];
  blo_int n_rows, n_features;

  BLO_TRY(blo_hdf5_read_int(h->ctx, h->group, h->path, "n_rows", &n_rows));
  BLO_TRY(blo_hdf5_read_int(h->ctx, h->group, h->path, "n_features", &n_features));
  BLO_TRY(blo_hdf5_read_text(h->ctx, h->group, h->path, "storage", storage, sizeof storage));
  BLO_CHECK(h->ctx,
            n_rows == t->n_rows && n_features == t->n_features &&
                strcmp(storage, blo_hdf5_storage_name(t)) == 0,
            BLO_E_FORMAT,
            "%s: attributes tell of %lld rows, %lld features, storage %s, but the datasets have "
            "%lld, %lld, %s",
            h->path, (long long)n_rows, (long long)n_features, storage, (long long)t->n_rows,
            (long long)t->n_features, blo_hdf5_storage_name(t));
  return BLO_OK;
}

/** Take numbers [0, length) of a dataset of integers as labels, a piece at a time. */
static blo_status take_labels(blo_hdf5_data *h, const blo_hdf5_dataset *d, blo_classes *classes)
{
  blo_status status = BLO_OK;
  blo_int piece = blo_hdf5_piece(sizeof(blo_int)), *label = NULL;
  int32_t value;

  BLO_GO(blo_alloc(h->ctx, piece, sizeof *label, &label));
  for (blo_int begin = 0; begin < d->length; begin += piece) {
    blo_int n = d->length - begin < piece ? d->length - begin : piece;
    BLO_GO(blo_hdf5_read_block(h, d, begin, n, label));
    for (blo_int i = 0; i < n; i++) {
      blo_place place = {h->path, "sample", begin + i};
      BLO_GO(blo_classes_take(h->ctx, classes, place, (double)label[i], &value));
    }
  }
done:
  blo_free(h->ctx, &label);
  return status;
}

/** The classes: those of the rules, or those that the file lists, or those of its labels. */
static blo_status find_classes(blo_hdf5_data *h, const blo_rules *rules, bool ours)
{
  blo_status status = BLO_OK;
  blo_hdf5_dataset list = {0};
  blo_int n_classes;

  BLO_GO(blo_classes_begin(h->ctx, rules, &h->classes));
  if (!h->classes.fixed && ours) {
    BLO_GO(open_dataset(h, "class_value", 1, H5T_NATIVE_INT64, &list));
    BLO_GO(take_labels(h, &list, &h->classes));
    BLO_GO(blo_hdf5_read_int(h->ctx, h->group, h->path, "n_classes", &n_classes));
    BLO_CHECK_GO(h->ctx, n_classes == h->classes.n, BLO_E_FORMAT,
                 "%s: n_classes is %lld, but class_value has %lld different ones", h->path,
                 (long long)n_classes, (long long)h->classes.n);
  } else if (!h->classes.fixed) {
    BLO_GO(take_labels(h, &h->label, &h->classes));
  }
  h->classes.fixed = true;
  h->head->n_classes = h->classes.n;
  h->head->class_value = h->classes.value;
done:
  blo_hdf5_close(&list.id, H5Dclose);
  return status;
}

/** With the default driver: every rank reads for itself. */
blo_status blo_hdf5_open_file(blo_context *ctx, const char *path, hid_t *file)
{
  blo_status status = BLO_OK;
  int descriptor = open(path, O_RDONLY);
  hid_t access = 0;

  BLO_CHECK(ctx, descriptor >= 0, BLO_E_IO, "cannot open %s: %s", path, strerror(errno));
  close(descriptor);
  BLO_TRY(blo_fault_point(ctx, "opening an HDF5 file"));
  access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
  *file = H5Fopen(path, H5F_ACC_RDONLY, access);
  BLO_HDF5_CHECK_GO(ctx, *file > 0, BLO_E_FORMAT, path, "no HDF5 file, or a damaged one");
done:
  blo_hdf5_close(&access, H5Pclose);
  return status;
}

static blo_status open_data(blo_hdf5_data *h, const char *group, const blo_rules *rules)
{
  const blo_table *t = h->head;
  bool ours;

  BLO_TRY(blo_hdf5_open_file(h->ctx, h->path, &h->file));
  BLO_TRY(blo_hdf5_open_group(h->ctx, h->file, h->path, group, &h->group, &ours));
  BLO_TRY(blo_hdf5_has_dataset(h->group, "row_start") ? open_sparse(h) : open_dense(h, ours));
  BLO_TRY(open_labels(h));
  if (ours) {
    BLO_TRY(check_attributes(h));
  }
  BLO_CHECK(h->ctx, t->n_rows > 0 && t->n_features > 0, BLO_E_DATA,
            "%s has no samples: %lld rows, %lld features", h->path, (long long)t->n_rows,
            (long long)t->n_features);
  BLO_TRY(blo_rules_check(h->ctx, rules, t, h->path));
  return find_classes(h, rules, ours);
}

blo_status blo_hdf5_open(blo_context *ctx, const char *path, const char *group,
                         const blo_rules *rules, blo_hdf5_data **out)
{
  blo_status status = BLO_OK;
  blo_hdf5_data *h = NULL;
  blo_hdf5_report report;

  blo_hdf5_silence(&report);
  BLO_GO(blo_alloc(ctx, 1, sizeof *h, &h));
  h->ctx = ctx;
  BLO_GO(blo_alloc(ctx, 1, sizeof *h->head, &h->head));
  BLO_GO(blo_strdup(ctx, path, &h->path));
  BLO_GO(open_data(h, group != NULL ? group : "", rules));
  *out = h;
  h = NULL;
done:
  blo_hdf5_close_data(&h);
  blo_hdf5_restore(&report);
  return status;
}

void blo_hdf5_close_data(blo_hdf5_data **data)
{
  blo_hdf5_data *h = *data;

  if (h == NULL) {
    return;
  }
  blo_hdf5_close(&h->features.id, H5Dclose);
  blo_hdf5_close(&h->label.id, H5Dclose);
  blo_hdf5_close(&h->row_start.id, H5Dclose);
  blo_hdf5_close(&h->column.id, H5Dclose);
  blo_hdf5_close(&h->value.id, H5Dclose);
  blo_hdf5_close(&h->group, H5Gclose);
  blo_hdf5_close(&h->file, H5Fclose);
  blo_classes_end(h->ctx, &h->classes);
  blo_free(h->ctx, &h->head);
  blo_free(h->ctx, &h->path);
  blo_free(h->ctx, data);
}

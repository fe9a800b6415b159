/**
 * @file Writing ParBLO's HDF5 layout: metadata in the latest format, which has checksums, and every
 * dataset in chunks with Fletcher32 checksums. The file is written beside its place, flushed,
 * synced and renamed, so that a name never stands for half a file.
 */
#include "hdf5_private.h"
#include "table_private.h"
#include "text_private.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PACK_NONE, PACK_BYTES, PACK_INTEGERS };

/** A dataset to write: [n], or [n][width] whose rows lie `stride` numbers apart in memory. */
typedef struct array {
  const char *name;
  hid_t file_type, memory_type;
  blo_int n, width, stride; /**< width 0: one-dimensional */
  int pack;
  const void *data;
} array;

/** A group being written. */
typedef struct target {
  blo_context *ctx;
  const char *path;
  hid_t group;
} target;

static blo_status write_attribute(const target *to, const char *name, hid_t file_type,
                                  hid_t memory_type, const void *value)
{
  blo_status status = BLO_OK;
  hid_t space = H5Screate(H5S_SCALAR);
  hid_t id = H5Acreate2(to->group, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT);

  BLO_HDF5_CHECK_GO(to->ctx, id > 0 && H5Awrite(id, memory_type, value) >= 0, BLO_E_IO, to->path,
                    "cannot write an attribute");
done:
  blo_hdf5_close(&id, H5Aclose);
  blo_hdf5_close(&space, H5Sclose);
  return status;
}

static blo_status write_int(const target *to, const char *name, blo_int value)
{
  return write_attribute(to, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &value);
}

static blo_status write_text(const target *to, const char *name, const char *text)
{
  hid_t type = H5Tcopy(H5T_C_S1);
  blo_status status;

  H5Tset_size(type, strlen(text) + 1);
  status = write_attribute(to, name, type, type, text);
  blo_hdf5_close(&type, H5Tclose);
  return status;
}

/** Chunks of whole rows, checksums, and compression where it pays. */
static hid_t chunked(const array *a)
{
  hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
  size_t unit = H5Tget_size(a->file_type) * (size_t)(a->width > 0 ? a->width : 1);
  blo_int rows = blo_hdf5_piece(unit);
  hsize_t chunk[2] = {(hsize_t)rows, (hsize_t)a->width};

  if (rows > a->n) {
    chunk[0] = a->n > 0 ? (hsize_t)a->n : 1;
  }
  H5Pset_chunk(plist, a->width > 0 ? 2 : 1, chunk);
  if (a->pack == PACK_INTEGERS) {
    H5Pset_shuffle(plist);
  }
  if (a->pack != PACK_NONE) {
    H5Pset_deflate(plist, 1);
  }
  H5Pset_fletcher32(plist);
  return plist;
}

static blo_status write_array(const target *to, const array *a)
{
  blo_status status = BLO_OK;
  int rank = a->width > 0 ? 2 : 1;
  hsize_t size[2] = {(hsize_t)a->n, (hsize_t)a->width}, begin[2] = {0, 0};
  hsize_t memory_size[2] = {(hsize_t)a->n, (hsize_t)a->stride};
  hid_t space = H5Screate_simple(rank, size, NULL);
  hid_t memory = H5Screate_simple(rank, memory_size, NULL);
  hid_t plist = chunked(a);
  hid_t id = H5Dcreate2(to->group, a->name, a->file_type, space, H5P_DEFAULT, plist, H5P_DEFAULT);

  BLO_HDF5_CHECK_GO(to->ctx, id > 0, BLO_E_IO, to->path, a->name);
  BLO_GO(blo_fault_point(to->ctx, "writing a dataset"));
  H5Sselect_hyperslab(memory, H5S_SELECT_SET, begin, NULL, size, NULL);
  BLO_HDF5_CHECK_GO(to->ctx, H5Dwrite(id, a->memory_type, memory, space, H5P_DEFAULT, a->data) >= 0,
                    BLO_E_IO, to->path, a->name);
done:
  blo_hdf5_close(&id, H5Dclose);
  blo_hdf5_close(&plist, H5Pclose);
  blo_hdf5_close(&memory, H5Sclose);
  blo_hdf5_close(&space, H5Sclose);
  return status;
}

static blo_status write_features(const target *to, const blo_table *t)
{
  hid_t in_file[] = {H5T_STD_U8LE, H5T_IEEE_F32LE, H5T_IEEE_F64LE, H5T_STD_I32LE};
  hid_t in_memory[] = {H5T_NATIVE_UINT8, H5T_NATIVE_FLOAT, H5T_NATIVE_DOUBLE, H5T_NATIVE_INT32};
  const int pack[] = {[BLO_U8] = PACK_BYTES,
                      [BLO_F32] = PACK_NONE,
                      [BLO_F64] = PACK_NONE,
                      [BLO_I32] = PACK_INTEGERS};
  array features = {"features",
                    in_file[t->storage],
                    in_memory[t->storage],
                    t->n_rows,
                    t->n_features,
                    t->ld,
                    pack[t->storage],
                    t->values};

  return write_array(to, &features);
}

static blo_status write_entries(const target *to, const blo_table *t)
{
  blo_int n = t->row_start[t->n_rows];
  const array arrays[] = {
      {"row_start", H5T_STD_I64LE, H5T_NATIVE_INT64, t->n_rows + 1, 0, 0, PACK_INTEGERS,
       t->row_start},
      {"column", H5T_STD_I32LE, H5T_NATIVE_INT32, n, 0, 0, PACK_INTEGERS, t->column},
      {"value", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, n, 0, 0, PACK_NONE, t->values}};

  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
    BLO_TRY(write_array(to, &arrays[i]));
  }
  return BLO_OK;
}

/** Labels are written as they were in the source, not as class numbers. */
static blo_status write_labels(const target *to, const blo_table *t)
{
  blo_status status = BLO_OK;
  array classes = {"class_value", H5T_STD_I32LE, H5T_NATIVE_INT32, t->n_classes, 0, 0,
                   PACK_NONE,     t->class_value};
  array labels = {"label", H5T_STD_I32LE, H5T_NATIVE_INT32, t->n_rows, 0, 0, PACK_NONE, NULL};
  int32_t *label = NULL;

  BLO_GO(write_array(to, &classes));
  BLO_GO(blo_alloc(to->ctx, t->n_rows, sizeof *label, &label));
  for (blo_int i = 0; i < t->n_rows; i++) {
    label[i] = t->class_value[t->label[i]];
  }
  labels.data = label;
  BLO_GO(write_array(to, &labels));
done:
  blo_free(to->ctx, &label);
  return status;
}

static blo_status write_table(const target *to, const blo_table *t)
{
  BLO_TRY(write_int(to, "n_rows", t->n_rows));
  BLO_TRY(write_int(to, "n_features", t->n_features));
  BLO_TRY(write_int(to, "n_classes", t->n_classes));
  BLO_TRY(write_text(to, "storage", blo_hdf5_storage_name(t)));
  if (t->storage == BLO_I32) {
    BLO_TRY(write_int(to, "n_tokens", t->n_tokens));
    BLO_TRY(write_int(to, "vocabulary_crc32", t->vocabulary_crc));
  }
  BLO_TRY(t->sparse ? write_entries(to, t) : write_features(to, t));
  return write_labels(to, t);
}

/** The bytes of the longest word, its 0 included, and all words in as many bytes each. */
static blo_status lay_out(const target *to, const blo_vocabulary *v, size_t *width, char **bytes)
{
  blo_int n = blo_vocabulary_n_tokens(v);

  *width = 0;
  for (blo_int i = 0; i < n; i++) {
    size_t bytes_of_word = strlen(blo_vocabulary_word(v, i)) + 1;
    *width = bytes_of_word > *width ? bytes_of_word : *width;
  }
  BLO_TRY(blo_alloc(to->ctx, n, *width, bytes));
  for (blo_int i = 0; i < n; i++) {
    const char *word = blo_vocabulary_word(v, i);
    memcpy(*bytes + (size_t)i * *width, word, strlen(word));
  }
  return BLO_OK;
}

/** Texts of a fixed length lie in chunks with checksums; those of any length would not. */
static blo_status write_words(const target *to, const blo_vocabulary *v)
{
  blo_status status = BLO_OK;
  char *bytes = NULL;
  size_t width;
  hid_t type = H5Tcopy(H5T_C_S1);

  BLO_GO(lay_out(to, v, &width, &bytes));
  H5Tset_size(type, width);
  H5Tset_cset(type, H5T_CSET_UTF8);
  array words = {BLO_HDF5_VOCABULARY, type, type, blo_vocabulary_n_tokens(v), 0, 0,
                 PACK_BYTES,          bytes};
  BLO_GO(write_array(to, &words));
done:
  blo_hdf5_close(&type, H5Tclose);
  blo_free(to->ctx, &bytes);
  return status;
}

static blo_status write_vocabulary(const target *root, const blo_vocabulary *v)
{
  blo_status status = BLO_OK;
  target to = *root;

  BLO_TRY(write_words(root, v));
  to.group = H5Dopen2(root->group, BLO_HDF5_VOCABULARY, H5P_DEFAULT);
  BLO_HDF5_CHECK_GO(to.ctx, to.group > 0, BLO_E_IO, to.path, BLO_HDF5_VOCABULARY);
  BLO_GO(write_text(&to, "tokeniser", BLO_TOKENISER));
  BLO_GO(write_int(&to, "min_count", blo_vocabulary_min_count(v)));
  BLO_GO(write_int(&to, "max_length", blo_vocabulary_max_length(v)));
done:
  blo_hdf5_close(&to.group, H5Dclose);
  return status;
}

/** What a file is to hold. */
typedef struct contents {
  blo_int n;
  const char *const *names;
  const blo_table *const *tables;
  const blo_vocabulary *vocabulary; /**< or NULL */
} contents;

static blo_status write_groups(blo_context *ctx, hid_t file, const char *path, const contents *c)
{
  blo_status status = BLO_OK;
  target root = {ctx, path, file}, to = {ctx, path, 0};

  BLO_GO(write_text(&root, "format", BLO_HDF5_FORMAT));
  BLO_GO(write_int(&root, "format_version", BLO_HDF5_VERSION));
  if (c->vocabulary != NULL) {
    BLO_GO(write_vocabulary(&root, c->vocabulary));
  }
  for (blo_int i = 0; i < c->n; i++) {
    to.group = H5Gcreate2(file, c->names[i], H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    BLO_HDF5_CHECK_GO(ctx, to.group > 0, BLO_E_IO, path, c->names[i]);
    BLO_GO(write_table(&to, c->tables[i]));
    blo_hdf5_close(&to.group, H5Gclose);
  }
  BLO_HDF5_CHECK_GO(ctx, H5Fflush(file, H5F_SCOPE_GLOBAL) >= 0, BLO_E_IO, path, "cannot flush");
done:
  blo_hdf5_close(&to.group, H5Gclose);
  return status;
}

static blo_status write_file(blo_context *ctx, const char *path, const contents *c)
{
  blo_status status = BLO_OK;
  hid_t access = H5Pcreate(H5P_FILE_ACCESS), file;
  herr_t closed;

  H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
  file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
  BLO_HDF5_CHECK_GO(ctx, file > 0, BLO_E_IO, path, "cannot create");
  status = write_groups(ctx, file, path, c);
  closed = H5Fclose(file);
  if (status == BLO_OK) {
    BLO_HDF5_CHECK_GO(ctx, closed >= 0, BLO_E_IO, path, "cannot close");
  }
done:
  blo_hdf5_close(&access, H5Pclose);
  return status;
}

/** A device or a pipe must not be replaced by a file. */
static blo_status check_place(blo_context *ctx, const char *path)
{
  struct stat is;

  BLO_CHECK(ctx, stat(path, &is) != 0 || S_ISREG(is.st_mode), BLO_E_IO,
            "cannot write %s: it is there already, and no regular file", path);
  return BLO_OK;
}

/** Make the file, empty: so a file of somebody else is neither overwritten nor removed. */
static blo_status reserve(blo_context *ctx, const char *temporary)
{
  int descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

  BLO_CHECK(ctx, descriptor >= 0, BLO_E_IO, "cannot make %s: %s", temporary, strerror(errno));
  close(descriptor);
  return BLO_OK;
}

/** Bring a file or folder to the disk. */
static blo_status sync_path(blo_context *ctx, const char *path, int flags)
{
  int descriptor = open(path, flags);
  bool synced = descriptor >= 0 && fsync(descriptor) == 0;
  int why = errno;

  if (descriptor >= 0) {
    close(descriptor);
  }
  BLO_CHECK(ctx, synced, BLO_E_IO, "cannot sync %s: %s", path, strerror(why));
  return blo_fault_point(ctx, "syncing a file");
}

/** The temporary file becomes the file; both the file and its name reach the disk. */
static blo_status publish(blo_context *ctx, const char *temporary, const char *path)
{
  blo_status status = BLO_OK;
  char *folder = NULL, *slash;

  BLO_TRY(sync_path(ctx, temporary, O_RDONLY));
  BLO_TRY(blo_strdup(ctx, path, &folder));
  slash = strrchr(folder, '/');
  strcpy(slash == NULL ? folder : slash + (slash == folder), slash == NULL ? "." : "");
  BLO_CHECK_GO(ctx, rename(temporary, path) == 0, BLO_E_IO, "cannot rename %s to %s: %s", temporary,
               path, strerror(errno));
  BLO_GO(sync_path(ctx, folder, O_RDONLY));
done:
  blo_free(ctx, &folder);
  return status;
}

static blo_status write_whole(blo_context *ctx, const char *path, const contents *c)
{
  enum { SUFFIX_MAX = 32 };
  blo_status status = BLO_OK;
  char *temporary = NULL;
  size_t room = strlen(path) + SUFFIX_MAX;
  bool made = false;
  blo_hdf5_report report;

  blo_hdf5_silence(&report);
  BLO_GO(check_place(ctx, path));
  BLO_GO(blo_alloc(ctx, (blo_int)room, 1, &temporary));
  snprintf(temporary, room, "%s.partial.%ld", path, (long)getpid());
  BLO_GO(reserve(ctx, temporary));
  made = true;
  BLO_GO(write_file(ctx, temporary, c));
  BLO_GO(publish(ctx, temporary, path));
done:
  if (status != BLO_OK && made) {
    unlink(temporary);
  }
  blo_free(ctx, &temporary);
  blo_hdf5_restore(&report);
  return status;
}

blo_status blo_table_write(blo_context *ctx, const char *path, blo_int n, const char *const *names,
                           const blo_table *const *tables)
{
  return write_whole(ctx, path, &(contents){n, names, tables, NULL});
}

blo_status blo_table_write_text(blo_context *ctx, const char *path, blo_int n,
                                const char *const *names, const blo_table *const *tables,
                                const blo_vocabulary *vocabulary)
{
  return write_whole(ctx, path, &(contents){n, names, tables, vocabulary});
}

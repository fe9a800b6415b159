/** @file Files for the tests of the data layer: made by the root rank in the test's folder. */
#ifndef BLO_TEST_DATA_FILES_H
#define BLO_TEST_DATA_FILES_H

#include <blo/data.h>
#include <harness.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum { PATH_CAP = 512 };

/** The path of a file in the tests' own folder; it stays valid, the same name gives the same. */
static inline const char *data_path(blo_comm *comm, const char *name)
{
  enum { MOST = 32 };
  static char folder[256], paths[MOST][PATH_CAP];
  char path[PATH_CAP];
  int i = 0;

  if (folder[0] == '\0') {
    blo_test_tmpdir(comm, folder, sizeof folder);
  }
  snprintf(path, sizeof path, "%s/%s", folder, name);
  while (i < MOST && paths[i][0] != '\0' && strcmp(paths[i], path) != 0) {
    i++;
  }
  BLO_BUG_IF(i == MOST, "more than %d files in a test program", MOST);
  memcpy(paths[i], path, sizeof path);
  return paths[i];
}

/** Local: write a file, compressed or not. */
static inline bool data_put(const char *path, const void *bytes, size_t n, bool gzip)
{
  gzFile file;
  bool written;

  remove(path); /* some file systems wait for the disk when a file is truncated and rewritten */
  file = gzopen(path, gzip ? "wb" : "wbT");
  written = file != NULL && gzwrite(file, bytes, (unsigned)n) == (int)n;
  return file != NULL && gzclose(file) == Z_OK && (written || n == 0);
}

/** Collective: the root writes a file, which all ranks can read afterwards. */
static inline const char *data_write(blo_comm *comm, const char *name, const void *bytes, size_t n,
                                     bool gzip)
{
  const char *path = data_path(comm, name);
  bool written = blo_comm_rank(comm) != 0 || data_put(path, bytes, n, gzip);

  BLO_REQUIRE_MSG(written, "%s can be written", path);
  return path;
}

static inline const char *data_write_text(blo_comm *comm, const char *name, const char *text)
{
  return data_write(comm, name, text, strlen(text), false);
}

/** A file's bytes. @param[out] bytes [cap] @return how many; 0 if it is not there */
static inline size_t data_get(const char *path, unsigned char *bytes, size_t cap)
{
  FILE *file = fopen(path, "rb");
  size_t n = file != NULL ? fread(bytes, 1, cap, file) : 0;

  if (file != NULL) {
    fclose(file);
  }
  return n;
}

/** Feature k of row i, whatever the table's form. */
static inline double data_value(const blo_table *t, blo_int i, blo_int k)
{
  if (t->sparse) {
    for (blo_int j = t->row_start[i]; j < t->row_start[i + 1]; j++) {
      if (t->column[j] == k) {
        return ((const double *)t->values)[j];
      }
    }
    return 0;
  }
  switch (t->storage) {
  case BLO_U8:
    return ((const uint8_t *)t->values)[i * t->ld + k];
  case BLO_F32:
    return (double)((const float *)t->values)[i * t->ld + k];
  case BLO_I32:
    return ((const int32_t *)t->values)[i * t->ld + k];
  default:
    return ((const double *)t->values)[i * t->ld + k];
  }
}

/** The label of row i as it was in the file. */
static inline int data_label(const blo_table *t, blo_int i)
{
  return (int)t->class_value[t->label[i]];
}

/** True if two tables hold the same in the same form. */
static inline bool data_equal(const blo_table *a, const blo_table *b)
{
  size_t rows = (size_t)a->n_rows;

  if (a->n_rows != b->n_rows || a->n_features != b->n_features || a->n_classes != b->n_classes ||
      a->sparse != b->sparse || a->storage != b->storage || a->ld != b->ld ||
      a->n_tokens != b->n_tokens || a->vocabulary_crc != b->vocabulary_crc ||
      memcmp(a->label, b->label, rows * sizeof *a->label) != 0 ||
      memcmp(a->class_value, b->class_value, (size_t)a->n_classes * sizeof *a->class_value) != 0) {
    return false;
  }
  if (!a->sparse) {
    return memcmp(a->values, b->values, rows * (size_t)a->ld * blo_storage_size(a->storage)) == 0;
  }
  size_t n = (size_t)a->row_start[a->n_rows];
  return memcmp(a->row_start, b->row_start, (rows + 1) * sizeof *a->row_start) == 0 &&
         memcmp(a->column, b->column, n * sizeof *a->column) == 0 &&
         memcmp(a->values, b->values, n * sizeof(double)) == 0;
}

/** A builder of IDX files: big-endian numbers one after the other. */
typedef struct idx_bytes {
  unsigned char *at;
  size_t n;
} idx_bytes;

static inline void idx_put(idx_bytes *b, uint64_t bits, int n_bytes)
{
  for (int i = n_bytes - 1; i >= 0; i--) {
    b->at[b->n++] = (unsigned char)(bits >> (8 * i));
  }
}

/** The header of an IDX file with up to three dimensions; 0 ends the list. */
static inline void idx_header(idx_bytes *b, int type, uint32_t n0, uint32_t n1, uint32_t n2)
{
  uint32_t size[] = {n0, n1, n2};
  int rank = n2 > 0 ? 3 : n1 > 0 ? 2 : 1;

  b->n = 0;
  idx_put(b, (uint64_t)(type << 8 | rank), 4);
  for (int d = 0; d < rank; d++) {
    idx_put(b, size[d], 4);
  }
}

#endif

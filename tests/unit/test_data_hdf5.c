/** @file HDF5 data: round trips, damage, files of others, and that nothing half-written is left. */
#include "test_data_files.h"
#include <hdf5.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

/** Local: read a group of a file. */
static blo_status read_group(blo_comm *comm, const char *path, const char *group, blo_table **t)
{
  blo_source_spec spec = {.path = path, .group = group};

  return blo_table_read(blo_comm_context(comm), &spec, NULL, t);
}

/** Local: write one table as the group "train". */
static blo_status write_train(blo_comm *comm, const char *path, const blo_table *t)
{
  static const char *const names[] = {"train"};

  return blo_table_write(blo_comm_context(comm), path, 1, names, &t);
}

/** The path of a file of this rank's own. */
static const char *own_path(blo_comm *comm, const char *name)
{
  char text[64];

  snprintf(text, sizeof text, "%s%d", name, blo_comm_rank(comm));
  return data_path(comm, text);
}

/** A table of each form, from a text. */
static blo_table *make_table(blo_comm *comm, const char *text)
{
  blo_source_spec spec = {.path = data_write_text(comm, "text", text)};
  blo_table *t = NULL;

  BLO_REQUIRE_STATUS(blo_table_read(blo_comm_context(comm), &spec, NULL, &t), BLO_OK);
  return t;
}

static const char u8_text[] = "5,1,2,3\n-7,0,255,4\n5,0,0,9\n";
static const char f64_text[] = "5,1.5,2,3\n-7,0,-1e300,4\n";
static const char csr_text[] = "5 1:1.5 9:2\n-7\n5 2:1e-300 3:4 4:5\n";
static const char empty_csr_text[] = "1 1:0\n2\n";

static void expect_round_trip(blo_comm *comm, const blo_table *t)
{
  const char *path = own_path(comm, "round.h5");
  blo_table *back = NULL;

  BLO_EXPECT_STATUS(write_train(comm, path, t), BLO_OK);
  BLO_REQUIRE_STATUS(read_group(comm, path, "train", &back), BLO_OK);
  BLO_EXPECT_ALL(data_equal(t, back));
  blo_table_destroy(blo_comm_context(comm), &back);
}

static void small_tables_come_back(blo_comm *comm)
{
  static const char *const texts[] = {u8_text, f64_text, csr_text, empty_csr_text};

  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    blo_table *t = make_table(comm, texts[i]);
    expect_round_trip(comm, t);
    blo_table_destroy(blo_comm_context(comm), &t);
  }
}

/** Dense samples of several chunks, single precision, through an IDX file. */
static void large_dense_tables_come_back(blo_comm *comm)
{
  enum { N = 5000, D = 101 };
  unsigned char *bytes = malloc(16 + 4 * N * D);
  idx_bytes b = {bytes, 0};
  blo_source_spec spec = {0};
  blo_table *t = NULL;

  idx_header(&b, 0x0D, N, D, 0);
  for (int i = 0; i < N * D; i++) {
    float value = (float)i / 7;
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    idx_put(&b, bits, 4);
  }
  spec.path = data_write(comm, "images", bytes, b.n, false);
  idx_header(&b, 0x08, N, 0, 0);
  for (int i = 0; i < N; i++) {
    idx_put(&b, (uint64_t)(i % 10), 1);
  }
  spec.labels = data_write(comm, "labels", bytes, b.n, false);
  free(bytes);
  BLO_REQUIRE_STATUS(blo_table_read(blo_comm_context(comm), &spec, NULL, &t), BLO_OK);
  BLO_EXPECT_ALL(t->storage == BLO_F32);
  expect_round_trip(comm, t);
  blo_table_destroy(blo_comm_context(comm), &t);
}

/** Sparse samples of several chunks, one of them longer than a chunk. */
static void large_sparse_tables_come_back(blo_comm *comm)
{
  enum { LONG = 300000, SHORT = 20000 };
  char *text = malloc(12 * (LONG + 3 * SHORT));
  size_t used = 0;

  for (int i = 0; i < SHORT; i++) {
    used += (size_t)sprintf(text + used, "1 %d:1 %d:2\n", i + 1, i + 5);
  }
  used += (size_t)sprintf(text + used, "0");
  for (int k = 1; k <= LONG; k++) {
    used += (size_t)sprintf(text + used, " %d:%d", k, k % 100);
  }
  blo_table *t = make_table(comm, text);
  free(text);
  BLO_EXPECT_ALL(t->n_rows == SHORT + 1 && t->n_features == LONG);
  expect_round_trip(comm, t);
  blo_table_destroy(blo_comm_context(comm), &t);
}

static void groups_are_found_by_name(blo_comm *comm)
{
  static const char *const names[] = {"train", "test"};
  blo_context *ctx = blo_comm_context(comm);
  blo_table *pair[] = {make_table(comm, u8_text), make_table(comm, csr_text)}, *t = NULL;
  const blo_table *const tables[] = {pair[0], pair[1]};
  const char *path = own_path(comm, "two.h5");

  BLO_EXPECT_STATUS(blo_table_write(ctx, path, 2, names, tables), BLO_OK);
  for (int i = 0; i < 2; i++) {
    BLO_EXPECT_STATUS(read_group(comm, path, names[i], &t), BLO_OK);
    BLO_EXPECT_ALL(t != NULL && data_equal(t, pair[i]));
    blo_table_destroy(ctx, &t);
  }
  BLO_EXPECT_STATUS(read_group(comm, path, "", &t), BLO_E_OPTION);
  BLO_EXPECT_ERROR_HAS("has 2 groups: the option `group` must name one of test, train");
  BLO_EXPECT_STATUS(read_group(comm, path, "valid", &t), BLO_E_OPTION);
  BLO_EXPECT_ERROR_HAS("has no group \"valid\"; it has: test, train");
  BLO_EXPECT_STATUS(write_train(comm, path, pair[0]), BLO_OK);
  BLO_EXPECT_STATUS(read_group(comm, path, "", &t), BLO_OK);
  blo_table_destroy(ctx, &t);
  blo_table_destroy(ctx, &pair[0]);
  blo_table_destroy(ctx, &pair[1]);
}

/** Labels and features follow another table, as for text files. */
static void rules_hold_for_hdf5_too(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_table *train = make_table(comm, "-7,1,1,1\n5,1,1,1\n9,1,1,1\n");
  blo_table *other = make_table(comm, "-7,1,1,1\n4,1,1,1\n"), *narrow = make_table(comm, "5,1,1\n");
  blo_table *both = make_table(comm, u8_text), *t = NULL;
  const char *path = own_path(comm, "rules.h5");
  blo_source_spec spec = {.path = path, .group = ""};

  BLO_EXPECT_STATUS(write_train(comm, path, both), BLO_OK);
  BLO_REQUIRE_STATUS(blo_table_read(ctx, &spec, train, &t), BLO_OK);
  BLO_EXPECT_ALL(t->n_classes == 3 && t->label[0] == 1 && t->label[1] == 0);
  blo_table_destroy(ctx, &t);
  spec.n_classes = 6;
  BLO_EXPECT_STATUS(blo_table_read(ctx, &spec, NULL, &t), BLO_E_DATA);
  BLO_EXPECT_ERROR_HAS("sample 1: label -7 is not allowed: 0..5");
  BLO_EXPECT_STATUS(write_train(comm, path, other), BLO_OK);
  BLO_EXPECT_STATUS(blo_table_read(ctx, &spec, train, &t), BLO_E_DATA);
  BLO_EXPECT_ERROR_HAS("sample 1: label 4 is not allowed: -7, 5, 9");
  BLO_EXPECT_STATUS(write_train(comm, path, narrow), BLO_OK);
  BLO_EXPECT_STATUS(blo_table_read(ctx, &spec, train, &t), BLO_E_DATA);
  BLO_EXPECT_ERROR_HAS("has 2 features, but the data it belongs with has 3");
  blo_table_destroy(ctx, &train);
  blo_table_destroy(ctx, &other);
  blo_table_destroy(ctx, &narrow);
  blo_table_destroy(ctx, &both);
}

/* ----------------------------------------------------------------- damage */

/** What became of damaged copies of a file. */
typedef struct tally {
  size_t refused, same, silent;
} tally;

/** Read damaged bytes and compare with what was there before. */
static void try_damaged(blo_comm *comm, const unsigned char *bytes, size_t n,
                        const blo_table *whole, tally *count)
{
  const char *path = own_path(comm, "damaged.h5");
  blo_table *t = NULL;
  blo_source_spec spec = {.path = path, .format = BLO_FORMAT_HDF5, .group = "train"};

  data_put(path, bytes, n, false);
  if (blo_table_read(blo_comm_context(comm), &spec, NULL, &t) != BLO_OK) {
    count->refused++;
  } else if (data_equal(t, whole)) {
    count->same++;
  } else {
    count->silent++;
  }
  blo_table_destroy(blo_comm_context(comm), &t);
}

/** Every byte has one of its bits flipped; the ranks share the work. */
static void flipped_bits_are_noticed(blo_comm *comm)
{
  enum { CAP = 1 << 16 };
  static const char *const texts[] = {u8_text, csr_text};
  size_t rank = (size_t)blo_comm_rank(comm), size = (size_t)blo_comm_size(comm);
  unsigned char *bytes = malloc(CAP);

  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    blo_table *whole = make_table(comm, texts[i]);
    const char *path = own_path(comm, "whole.h5");
    tally count = {0, 0, 0};
    BLO_REQUIRE_STATUS(write_train(comm, path, whole), BLO_OK);
    size_t n = data_get(path, bytes, CAP);
    for (size_t at = rank; at < n; at += size) {
      unsigned char bit = (unsigned char)(1 << at * 5 % 8);
      bytes[at] ^= bit;
      try_damaged(comm, bytes, n, whole, &count);
      bytes[at] ^= bit;
    }
    BLO_EXPECT_MSG(n < CAP && count.silent == 0 && count.refused * size > n / 8,
                   "%zu bytes: %zu silent, %zu refused, %zu the same", n, count.silent,
                   count.refused, count.same);
    blo_table_destroy(blo_comm_context(comm), &whole);
  }
  free(bytes);
}

static void truncated_files_are_refused(blo_comm *comm)
{
  enum { CAP = 1 << 16 };
  unsigned char *bytes = malloc(CAP);
  blo_table *whole = make_table(comm, u8_text), *t = NULL;
  const char *path = own_path(comm, "whole.h5");
  tally count = {0, 0, 0};
  size_t trials = 0;

  BLO_REQUIRE_STATUS(write_train(comm, path, whole), BLO_OK);
  for (size_t n = data_get(path, bytes, CAP), cut = 0; cut < n; cut += 13) {
    try_damaged(comm, bytes, cut, whole, &count);
    trials++;
  }
  BLO_EXPECT_MSG(count.refused == trials, "%zu of %zu", count.refused, trials);
  BLO_EXPECT_STATUS(read_group(comm, own_path(comm, "damaged.h5"), "", &t), BLO_E_FORMAT);
  BLO_EXPECT_ERROR_HAS("damaged.h5");
  blo_table_destroy(blo_comm_context(comm), &whole);
  free(bytes);
}

/* -------------------------------------------------------- files of others */

/** Local: a dataset of integers or doubles, as another program would write it. */
static void put_dataset(hid_t file, const char *name, hid_t stored, hid_t given, hsize_t n,
                        hsize_t width, const void *data)
{
  hsize_t size[] = {n, width};
  hid_t space = H5Screate_simple(width > 0 ? 2 : 1, size, NULL);
  hid_t set = H5Dcreate2(file, name, stored, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);

  H5Dwrite(set, given, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
  H5Dclose(set);
  H5Sclose(space);
}

static const char *write_foreign(blo_comm *comm, const char *features, hid_t stored,
                                 const double value[6], hid_t label_type)
{
  static const int label[] = {3, -1, 3};
  const char *path = own_path(comm, "foreign.h5");
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);

  put_dataset(file, features, stored, H5T_NATIVE_DOUBLE, 3, 2, value);
  put_dataset(file, "y", label_type, H5T_NATIVE_INT, 3, 0, label);
  H5Fclose(file);
  return path;
}

static void files_of_others_are_read(blo_comm *comm)
{
  const double value[6] = {0, 1, 200, 3, 4, 5};
  const struct {
    hid_t stored;
    blo_storage storage;
  } types[] = {{H5T_STD_U8BE, BLO_U8},
               {H5T_STD_I16BE, BLO_F32},
               {H5T_STD_I32LE, BLO_F64},
               {H5T_IEEE_F32BE, BLO_F32},
               {H5T_IEEE_F64LE, BLO_F64}};

  for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
    const char *path = write_foreign(comm, "X", types[i].stored, value, H5T_STD_I64BE);
    blo_table *t = NULL;
    BLO_REQUIRE_STATUS(read_group(comm, path, "", &t), BLO_OK);
    BLO_EXPECT_ALL(t->n_rows == 3 && t->n_features == 2 && t->storage == types[i].storage);
    BLO_EXPECT_ALL(data_value(t, 1, 0) == 200 && data_value(t, 2, 1) == 5);
    BLO_EXPECT_ALL(data_label(t, 0) == 3 && data_label(t, 1) == -1 && t->n_classes == 2);
    blo_table_destroy(blo_comm_context(comm), &t);
  }
}

static void files_of_others_can_be_wrong(blo_comm *comm)
{
  const double good[6] = {0, 1, 2, 3, 4, 5}, bad[6] = {0, 1, 2, (double)NAN, 4, 5};
  blo_table *t = NULL;
  const char *path = write_foreign(comm, "x", H5T_IEEE_F64LE, bad, H5T_STD_I32LE);

  BLO_EXPECT_STATUS(read_group(comm, path, "", &t), BLO_E_DATA);
  BLO_EXPECT_ERROR_HAS("sample 1: value 1 (both from 0) is nan");
  path = write_foreign(comm, "x", H5T_IEEE_F64LE, good, H5T_IEEE_F32LE);
  BLO_EXPECT_STATUS(read_group(comm, path, "", &t), BLO_E_FORMAT);
  BLO_EXPECT_ERROR_HAS("dataset y does not hold integers");
  path = write_foreign(comm, "pictures", H5T_IEEE_F64LE, good, H5T_STD_I32LE);
  BLO_EXPECT_STATUS(read_group(comm, path, "", &t), BLO_E_FORMAT);
  BLO_EXPECT_ERROR_HAS("has no group with data");
}

/* ---------------------------------------------------------------- failing */

/** Whatever fails, the old file is whole, nothing is beside it, and no memory is lost. */
static void failed_writes_leave_the_old_file(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_table *old = make_table(comm, u8_text), *new = make_table(comm, csr_text), *t = NULL;
  const char *path = own_path(comm, "kept.h5");
  char partial[PATH_CAP + 40];
  blo_int live, struck = 0;
  bool kept = true, gone = true, status_is_fault = true;

  snprintf(partial, sizeof partial, "%s.partial.%ld", path, (long)getpid());
  BLO_REQUIRE_STATUS(write_train(comm, path, old), BLO_OK);
  live = blo_memory(ctx).live;
  for (blo_int k = 1;; k++, struck++) {
    blo_fault_arm(ctx, k);
    blo_status status = write_train(comm, path, new);
    bool last = !blo_fault_struck(ctx);
    blo_fault_arm(ctx, 0);
    if (last) {
      break;
    }
    status_is_fault = status_is_fault && status == BLO_E_FAULT;
    gone = gone && access(partial, F_OK) != 0 && blo_memory(ctx).live == live;
    kept = kept && read_group(comm, path, "", &t) == BLO_OK &&
           (data_equal(t, old) || data_equal(t, new));
    blo_table_destroy(ctx, &t);
  }
  BLO_EXPECT_ALL(status_is_fault && gone && kept && struck > 5);
  BLO_EXPECT_STATUS(read_group(comm, path, "", &t), BLO_OK);
  BLO_EXPECT_ALL(data_equal(t, new));
  blo_table_destroy(ctx, &t);
  blo_table_destroy(ctx, &old);
  blo_table_destroy(ctx, &new);
}

static void places_that_cannot_be_written_are_named(blo_comm *comm)
{
  blo_table *t = make_table(comm, u8_text);

  BLO_EXPECT_STATUS(write_train(comm, data_path(comm, "no/such/folder.h5"), t), BLO_E_IO);
  BLO_EXPECT_ERROR_HAS("no/such/folder.h5");
  BLO_EXPECT_ERROR_HAS("No such file or directory");
  blo_table_destroy(blo_comm_context(comm), &t);
}

/** The user's own handler of HDF5's errors is as it was. */
static void the_callers_error_handler_is_kept(blo_comm *comm)
{
  H5E_auto2_t before, after;
  void *data;
  blo_table *t = NULL;

  H5Eget_auto2(H5E_DEFAULT, &before, &data);
  BLO_EXPECT_STATUS(
      read_group(comm, data_write_text(comm, "x.h5", "\x89HDF\r\n\x1a\n junk"), "", &t),
      BLO_E_FORMAT);
  H5Eget_auto2(H5E_DEFAULT, &after, &data);
  BLO_EXPECT_ALL(before == after && before != NULL);
}

static const blo_test tests[] = {
    {"small tables", small_tables_come_back},
    {"large dense tables", large_dense_tables_come_back},
    {"large sparse tables", large_sparse_tables_come_back},
    {"groups", groups_are_found_by_name},
    {"rules", rules_hold_for_hdf5_too},
    {"flipped bits", flipped_bits_are_noticed},
    {"truncated files", truncated_files_are_refused},
    {"files of others", files_of_others_are_read},
    {"files of others that are wrong", files_of_others_can_be_wrong},
    {"failed writes", failed_writes_leave_the_old_file},
    {"places that cannot be written", places_that_cannot_be_written_are_named},
    {"the caller's error handler", the_callers_error_handler_is_kept},
};

BLO_TEST_MAIN("data, HDF5", tests)

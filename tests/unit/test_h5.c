/* HDF5 files that are whole or absent: all values come back, other programs find what they expect,
 * and any damage is noticed.
 * ranks: 1 */
#include "harness.h"

#include <blo/checkpoint.h>
#include <dirent.h>
#include <fcntl.h>
#include <hdf5_hl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_CAP = 512, LONG_TEXT = 100000, N_NUMBERS = 50, N_ROWS = 5000 };

static const blo_column columns[] = {
    {"iteration", "-", "outer iteration"},
    {"f", "-", "upper objective"},
    {"wall_time", "s", "wall time"},
};
enum { N_COLUMNS = sizeof columns / sizeof *columns };

static const double specials[] = {-0.0, 5e-324, 0.1, 1.7976931348623157e308};
enum { N_SPECIALS = sizeof specials / sizeof *specials };

static double cell(blo_int i, blo_int k)
{
  return k == 0 ? (double)i : i % 7 == 0 ? (double)NAN : sin((double)(i * N_COLUMNS + k));
}

static void new_path(blo_comm *comm, char *path, const char *name)
{
  char folder[PATH_CAP - 64];
  blo_test_tmpdir(comm, folder, sizeof folder);
  snprintf(path, PATH_CAP, "%s/%s", folder, name);
}

static blo_status put_table(blo_context *ctx, blo_h5 *f, blo_int n_rows)
{
  blo_columns *table = NULL;
  blo_status status = blo_columns_create(ctx, columns, N_COLUMNS, &table);
  for (blo_int i = 0; status == BLO_OK && i < n_rows; i++) {
    double row[N_COLUMNS] = {cell(i, 0), cell(i, 1), cell(i, 2)};
    status = blo_columns_append(table, row);
  }
  if (status == BLO_OK) {
    status = blo_columns_write(table, f, "history");
  }
  if (table != NULL) {
    blo_columns_destroy(&table);
  }
  return status;
}

static blo_status put_numbers(blo_h5 *f)
{
  for (int i = 0; i < N_NUMBERS; i++) {
    char path[32];
    snprintf(path, sizeof path, "many/deep/n%02d", i);
    BLO_TRY(i % 2 == 0 ? blo_h5_put_int(f, path, INT64_MIN + i)
                       : blo_h5_put_double(f, path, specials[i % N_SPECIALS]));
  }
  return BLO_OK;
}

/* A file with something of everything. */
static blo_status write_file(blo_context *ctx, const char *path, blo_int n_rows)
{
  blo_h5 *f = NULL;
  blo_status status = BLO_OK;
  char *text = NULL;
  BLO_GO(blo_h5_create(ctx, path, &f));
  BLO_GO(blo_alloc(ctx, LONG_TEXT + 1, 1, &text));
  memset(text, 'y', LONG_TEXT);
  BLO_GO(blo_h5_put_text(f, "text/long", text));
  BLO_GO(blo_h5_put_text(f, "text/empty", ""));
  BLO_GO(blo_h5_put_text(f, "name", "μ, two\nlines"));
  BLO_GO(put_numbers(f));
  BLO_GO(blo_h5_put_int(f, "at_root", 17));
  BLO_GO(blo_h5_put_array(f, "z/b", specials, N_SPECIALS, false, NULL, NULL, NULL));
  BLO_GO(blo_h5_put_array(f, "z/a.dotted", specials, 1, false, "m", "a length", NULL));
  BLO_GO(blo_h5_put_array(f, "z/c/none", NULL, 0, false, NULL, NULL, NULL));
  BLO_GO(put_table(ctx, f, n_rows));
  BLO_GO(blo_h5_commit(&f, "run"));
done:
  blo_h5_close(&f);
  blo_free(ctx, &text);
  return status;
}

static bool has_text(blo_context *ctx, blo_h5 *f, const char *path, const char *want)
{
  char *text = NULL;
  bool same = blo_h5_get_text(f, path, &text) == BLO_OK && strcmp(text, want) == 0;
  blo_free(ctx, &text);
  return same;
}

static bool numbers_are_there(blo_h5 *f)
{
  bool same = true;
  for (int i = 0; i < N_NUMBERS; i++) {
    char path[32];
    blo_int integer = 0;
    double number = 0;
    snprintf(path, sizeof path, "many/deep/n%02d", i);
    if (i % 2 == 0) {
      same = same && blo_h5_get_int(f, path, &integer) == BLO_OK && integer == INT64_MIN + i;
    } else {
      same = same && blo_h5_get_double(f, path, &number) == BLO_OK &&
             memcmp(&number, specials + i % N_SPECIALS, sizeof number) == 0;
    }
  }
  return same;
}

static void values_come_back(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  char path[PATH_CAP];
  double data[N_SPECIALS];
  char *text = NULL;
  blo_int n = -1;
  blo_h5 *f = NULL;
  new_path(comm, path, "file.h5");
  BLO_REQUIRE_STATUS(write_file(ctx, path, 10), BLO_OK);
  BLO_REQUIRE_STATUS(blo_h5_open(ctx, path, "run", &f), BLO_OK);
  BLO_REQUIRE_STATUS(blo_h5_get_text(f, "text/long", &text), BLO_OK);
  BLO_EXPECT_ALL(strlen(text) == LONG_TEXT && strspn(text, "y") == LONG_TEXT);
  blo_free(ctx, &text);
  BLO_EXPECT_ALL(has_text(ctx, f, "text/empty", ""));
  BLO_EXPECT_ALL(has_text(ctx, f, "name", "μ, two\nlines"));
  BLO_EXPECT_ALL(numbers_are_there(f));
  BLO_EXPECT_ALL(blo_h5_get_int(f, "at_root", &n) == BLO_OK && n == 17);
  BLO_EXPECT_STATUS(blo_h5_array_size(f, "z/b", &n), BLO_OK);
  BLO_EXPECT_ALL(n == N_SPECIALS);
  BLO_EXPECT_STATUS(blo_h5_get_array(f, "z/b", data, N_SPECIALS), BLO_OK);
  BLO_EXPECT_ALL(memcmp(data, specials, sizeof data) == 0);
  BLO_EXPECT_STATUS(blo_h5_get_array(f, "z/c/none", NULL, 0), BLO_OK);
  BLO_EXPECT_STATUS(blo_h5_verify(f), BLO_OK);
  blo_h5_close(&f);
  BLO_EXPECT_ALL(f == NULL);
  blo_h5_close(&f);
}

static void what_is_not_there_is_said(blo_comm *comm)
{
  static const char *const there[] = {"text",    "text/long",  "many/deep",
                                      "at_root", "z/a.dotted", "many/deep/n07"};
  static const char *const absent[] = {"tex", "text/longer", "many/n07", "z/b/c", "at_root/x"};
  blo_context *ctx = blo_comm_context(comm);
  char path[PATH_CAP];
  double data[N_SPECIALS];
  char *text = NULL;
  blo_int n;
  blo_h5 *f = NULL;
  new_path(comm, path, "file.h5");
  BLO_REQUIRE_STATUS(write_file(ctx, path, 0), BLO_OK);
  BLO_EXPECT_STATUS(blo_h5_open(ctx, path, "checkpoint", &f), BLO_E_FORMAT);
  BLO_EXPECT_ERROR_HAS("file.h5 is a file of kind 'run'; expected 'checkpoint'");
  BLO_REQUIRE_STATUS(blo_h5_open(ctx, path, NULL, &f), BLO_OK);
  for (size_t i = 0; i < sizeof there / sizeof *there; i++) {
    BLO_EXPECT_MSG(blo_h5_has(f, there[i]), "%s", there[i]);
  }
  for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
    BLO_EXPECT_MSG(!blo_h5_has(f, absent[i]), "%s", absent[i]);
  }
  BLO_EXPECT_STATUS(blo_h5_get_text(f, "z/b", &text), BLO_E_FORMAT);
  BLO_EXPECT_ERROR_HAS("'z/b' is not a text");
  BLO_EXPECT_STATUS(blo_h5_array_size(f, "name", &n), BLO_E_FORMAT);
  BLO_EXPECT_ERROR_HAS("'name' is not an array of doubles");
  BLO_EXPECT_STATUS(blo_h5_get_int(f, "many/deep/n01", &n), BLO_E_FORMAT);
  BLO_EXPECT_ERROR_HAS("'n01' is not a single integer");
  BLO_EXPECT_STATUS(blo_h5_get_double(f, "at_root", data), BLO_E_FORMAT);
  BLO_EXPECT_STATUS(blo_h5_get_array(f, "z/b", data, N_SPECIALS - 1), BLO_E_FORMAT);
  BLO_EXPECT_ERROR_HAS("'z/b' has 4 numbers; expected 3");
  BLO_EXPECT_STATUS(blo_h5_array_size(f, "z/none", &n), BLO_E_FORMAT);
  BLO_EXPECT_ERROR_HAS("cannot open the array 'z/none'");
  blo_h5_close(&f);
}

static blo_status collect(void *arg, const char *path)
{
  char *names = arg;
  size_t used = strlen(names);
  snprintf(names + used, PATH_CAP - used, "%s;", path);
  return BLO_OK;
}

static blo_status refuse(void *arg, const char *path)
{
  (*(int *)arg)++;
  (void)path;
  return BLO_E_DATA;
}

static void arrays_are_listed(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  char path[PATH_CAP], names[PATH_CAP] = "";
  int calls = 0;
  blo_h5 *f = NULL;
  new_path(comm, path, "file.h5");
  BLO_REQUIRE_STATUS(write_file(ctx, path, 3), BLO_OK);
  BLO_REQUIRE_STATUS(blo_h5_open(ctx, path, "run", &f), BLO_OK);
  BLO_EXPECT_STATUS(blo_h5_each_array(f, "z", collect, names), BLO_OK);
  BLO_EXPECT_MSG(strcmp(names, "z/a.dotted;z/b;z/c/none;") == 0, "%s", names);
  names[0] = '\0';
  BLO_EXPECT_STATUS(blo_h5_each_array(f, "/", collect, names), BLO_OK);
  BLO_EXPECT_MSG(strcmp(names, "history/f;history/iteration;history/wall_time;"
                               "z/a.dotted;z/b;z/c/none;") == 0,
                 "%s", names);
  BLO_EXPECT_STATUS(blo_h5_each_array(f, "nowhere", refuse, &calls), BLO_OK);
  BLO_EXPECT_STATUS(blo_h5_each_array(f, "z", refuse, &calls), BLO_E_DATA);
  BLO_EXPECT_ALL(calls == 1);
  blo_h5_close(&f);
}

/* ----------------------------------------------------------------- tables */

static void tables_come_back(blo_comm *comm)
{
  static const blo_column other[] = {{"iteration", "-", ""}, {"loss", "-", ""}};
  blo_context *ctx = blo_comm_context(comm);
  char path[PATH_CAP];
  blo_columns *table = NULL;
  blo_h5 *f = NULL;
  bool same = true;
  new_path(comm, path, "file.h5");
  BLO_REQUIRE_STATUS(write_file(ctx, path, N_ROWS), BLO_OK);
  BLO_REQUIRE_STATUS(blo_h5_open(ctx, path, "run", &f), BLO_OK);
  BLO_REQUIRE_STATUS(blo_columns_create(ctx, columns, N_COLUMNS, &table), BLO_OK);
  BLO_REQUIRE_STATUS(blo_columns_append(table, specials), BLO_OK);
  BLO_REQUIRE_STATUS(blo_columns_read(table, f, "history"), BLO_OK);
  BLO_REQUIRE_ALL(table->n_rows == N_ROWS);
  for (blo_int i = 0; i < N_ROWS; i++) {
    for (blo_int k = 0; k < N_COLUMNS; k++) {
      double want = cell(i, k);
      same = same && memcmp(table->data + i * N_COLUMNS + k, &want, sizeof want) == 0;
    }
  }
  BLO_EXPECT_ALL(same);
  BLO_EXPECT_STATUS(blo_columns_append(table, specials), BLO_OK);
  BLO_EXPECT_ALL(table->n_rows == N_ROWS + 1);
  blo_columns_destroy(&table);
  BLO_REQUIRE_STATUS(blo_columns_create(ctx, other, 2, &table), BLO_OK);
  BLO_EXPECT_STATUS(blo_columns_read(table, f, "history"), BLO_E_FORMAT);
  BLO_EXPECT_ERROR_HAS("history/loss");
  blo_columns_destroy(&table);
  blo_h5_close(&f);
}

static bool attribute_is(hid_t dataset, const char *name, const char *want)
{
  char found[64] = "";
  return H5LTget_attribute_string(dataset, ".", name, found) >= 0 && strcmp(found, want) == 0;
}

/* Read with HDF5 alone, as other programs do. */
static void others_can_read_tables(blo_comm *comm)
{
  char path[PATH_CAP];
  static double data[N_ROWS];
  unsigned filter_flags;
  size_t none = 0;
  hsize_t chunk = 0, most = 0;
  new_path(comm, path, "file.h5");
  BLO_REQUIRE_STATUS(write_file(blo_comm_context(comm), path, N_ROWS), BLO_OK);
  hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  BLO_REQUIRE_ALL(file >= 0);
  hid_t f = H5Dopen2(file, "history/f", H5P_DEFAULT);
  hid_t axis = H5Dopen2(file, "history/iteration", H5P_DEFAULT);
  hid_t made = H5Dget_create_plist(f), space = H5Dget_space(f);
  H5Sget_simple_extent_dims(space, NULL, &most);
  BLO_EXPECT_ALL(most == H5S_UNLIMITED);
  BLO_EXPECT_ALL(H5Pget_chunk(made, 1, &chunk) == 1 && chunk == 4096);
  BLO_EXPECT_ALL(H5Pget_nfilters(made) == 3);
  BLO_EXPECT_ALL(H5Pget_filter_by_id2(made, H5Z_FILTER_SHUFFLE, &filter_flags, &none, NULL, 0, NULL,
                                      NULL) >= 0);
  BLO_EXPECT_ALL(H5DSis_scale(axis) > 0 && H5DSis_scale(f) == 0);
  BLO_EXPECT_ALL(H5DSis_attached(f, axis, 0) > 0);
  BLO_EXPECT_ALL(attribute_is(f, "long_name", "upper objective"));
  hid_t wall = H5Dopen2(file, "history/wall_time", H5P_DEFAULT);
  BLO_EXPECT_ALL(attribute_is(wall, "units", "s"));
  BLO_EXPECT_ALL(H5Dread(f, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
  BLO_EXPECT_ALL(isnan(data[0]) && isnan(data[4998]) &&
                 memcmp(data + 4999, &(double){cell(4999, 1)}, sizeof *data) == 0);
  uint32_t crc = 0;
  BLO_EXPECT_ALL(H5LTget_attribute(f, ".", "crc32", H5T_NATIVE_UINT32, &crc) >= 0);
  BLO_EXPECT_ALL(crc == blo_crc32(0, data, sizeof data));
  H5Dclose(wall);
  H5Sclose(space);
  H5Pclose(made);
  H5Dclose(axis);
  H5Dclose(f);
  BLO_EXPECT_ALL(H5Fclose(file) >= 0);
}

/* ----------------------------------------------------------------- damage */

/* One bit of every byte, then every length, of a file on disk. */
static void every_damage_is_noticed(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  char path[PATH_CAP];
  struct stat is;
  blo_h5 *f = NULL;
  blo_int n_missed = 0;
  new_path(comm, path, "file.h5");
  BLO_REQUIRE_STATUS(blo_h5_create(ctx, path, &f), BLO_OK);
  BLO_REQUIRE_STATUS(put_table(ctx, f, 20), BLO_OK);
  BLO_REQUIRE_STATUS(put_numbers(f), BLO_OK);
  BLO_REQUIRE_STATUS(blo_h5_commit(&f, "run"), BLO_OK);
  int fd = open(path, O_RDWR);
  BLO_REQUIRE_ALL(fd >= 0 && fstat(fd, &is) == 0);
  for (off_t at = 0; at < is.st_size; at++) {
    unsigned char was = 0, now;
    bool ok = pread(fd, &was, 1, at) == 1;
    now = (unsigned char)(was ^ (1u << (at * 5 % 8)));
    ok = ok && pwrite(fd, &now, 1, at) == 1;
    n_missed += blo_h5_open(ctx, path, "run", &f) != BLO_E_FORMAT;
    blo_h5_close(&f);
    BLO_BUG_IF(!ok || pwrite(fd, &was, 1, at) != 1, "cannot change %s", path);
  }
  BLO_EXPECT_MSG(n_missed == 0, "%lld of %lld flips missed", (long long)n_missed,
                 (long long)is.st_size);
  BLO_EXPECT_STATUS(blo_h5_open(ctx, path, "run", &f), BLO_OK);
  blo_h5_close(&f);
  n_missed = 0;
  for (off_t length = is.st_size - 1; length >= 0; length -= 1 + length / 100) {
    BLO_BUG_IF(ftruncate(fd, length) != 0, "cannot cut %s", path);
    n_missed += blo_h5_open(ctx, path, "run", &f) != BLO_E_FORMAT;
    blo_h5_close(&f);
  }
  BLO_EXPECT_MSG(n_missed == 0, "%lld cuts missed", (long long)n_missed);
  BLO_EXPECT_ERROR_HAS("file.h5 (0 bytes) has no end marker");
  close(fd);
}

/* ------------------------------------------------------- whole or absent */

static blo_int count_entries(const char *path)
{
  char folder[PATH_CAP];
  blo_int n = 0;
  snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
  DIR *dir = opendir(folder);
  BLO_BUG_IF(dir == NULL, "cannot read %s", folder);
  for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
    n += e->d_name[0] != '.';
  }
  closedir(dir);
  return n;
}

static void readers_see_old_or_new(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  char path[PATH_CAP];
  blo_int value = 0;
  blo_h5 *f = NULL, *reader = NULL;
  new_path(comm, path, "file.h5");
  for (blo_int k = 1; k <= 2; k++) {
    BLO_REQUIRE_STATUS(blo_h5_create(ctx, path, &f), BLO_OK);
    BLO_REQUIRE_STATUS(blo_h5_put_int(f, "k", k), BLO_OK);
    BLO_EXPECT_STATUS(blo_h5_open(ctx, path, "run", &reader), k == 1 ? BLO_E_IO : BLO_OK);
    blo_h5_close(&reader);
    BLO_REQUIRE_STATUS(blo_h5_commit(&f, "run"), BLO_OK);
    BLO_EXPECT_ALL(f == NULL);
  }
  BLO_REQUIRE_STATUS(blo_h5_create(ctx, path, &f), BLO_OK);
  BLO_REQUIRE_STATUS(blo_h5_put_int(f, "k", 3), BLO_OK);
  BLO_EXPECT_ALL(count_entries(path) == 2);
  blo_h5_close(&f);
  BLO_EXPECT_ALL(count_entries(path) == 1);
  BLO_REQUIRE_STATUS(blo_h5_open(ctx, path, "run", &reader), BLO_OK);
  BLO_EXPECT_ALL(blo_h5_get_int(reader, "k", &value) == BLO_OK && value == 2);
  blo_h5_close(&reader);
}

static herr_t count_prints(hid_t stack, void *n)
{
  (void)stack;
  (*(int *)n)++;
  return 0;
}

/* HDF5's switch for printing errors is the application's; our calls print nothing and restore it.
 */
static void printing_is_left_alone(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  H5E_auto2_t before, after;
  void *arg_before, *arg_after;
  char path[PATH_CAP];
  char *text = NULL;
  double number;
  blo_int n;
  int n_prints = 0;
  blo_h5 *f = NULL;
  new_path(comm, path, "file.h5");
  H5Eget_auto2(H5E_DEFAULT, &before, &arg_before);
  H5Eset_auto2(H5E_DEFAULT, count_prints, &n_prints);
  BLO_EXPECT_STATUS(blo_h5_open(ctx, path, "run", &f), BLO_E_IO);
  BLO_REQUIRE_STATUS(write_file(ctx, path, 1), BLO_OK);
  BLO_REQUIRE_STATUS(blo_h5_open(ctx, path, "run", &f), BLO_OK);
  BLO_EXPECT_STATUS(blo_h5_get_int(f, "absent", &n), BLO_E_FORMAT);
  BLO_EXPECT_STATUS(blo_h5_get_double(f, "absent", &number), BLO_E_FORMAT);
  BLO_EXPECT_STATUS(blo_h5_get_text(f, "absent", &text), BLO_E_FORMAT);
  BLO_EXPECT_STATUS(blo_h5_array_size(f, "absent", &n), BLO_E_FORMAT);
  BLO_EXPECT_STATUS(blo_h5_get_array(f, "absent", &number, 1), BLO_E_FORMAT);
  BLO_EXPECT_ALL(!blo_h5_has(f, "absent/deep"));
  BLO_EXPECT_STATUS(blo_h5_put_int(f, "read_only", 1), BLO_E_FORMAT);
  BLO_EXPECT_STATUS(blo_h5_put_text(f, "read_only", ""), BLO_E_FORMAT);
  BLO_EXPECT_STATUS(blo_h5_put_array(f, "read_only", &number, 1, false, NULL, NULL, NULL),
                    BLO_E_FORMAT);
  blo_h5_close(&f);
  BLO_EXPECT_MSG(n_prints == 0, "HDF5 printed %d times", n_prints);
  H5Eget_auto2(H5E_DEFAULT, &after, &arg_after);
  BLO_EXPECT_ALL(after == count_prints && arg_after == &n_prints);
  H5Eset_auto2(H5E_DEFAULT, before, arg_before);
}

/* Whatever fails, only the file of before is there. */
static blo_status write_with_faults(blo_comm *comm, void *arg)
{
  const char *path = arg;
  blo_status status = write_file(blo_comm_context(comm), path, 3);
  BLO_REQUIRE_ALL(count_entries(path) == 1);
  return status;
}

static blo_status read_with_faults(blo_comm *comm, void *arg)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_columns *table = NULL;
  blo_status status = BLO_OK;
  blo_h5 *f = NULL;
  BLO_GO(blo_columns_create(ctx, columns, N_COLUMNS, &table));
  BLO_GO(blo_h5_open(ctx, arg, "run", &f));
  BLO_GO(blo_h5_verify(f));
  BLO_GO(blo_columns_read(table, f, "history"));
done:
  blo_h5_close(&f);
  blo_columns_destroy(&table);
  return status;
}

static void every_step_can_fail(blo_comm *comm)
{
  char path[PATH_CAP];
  new_path(comm, path, "file.h5");
  BLO_REQUIRE_STATUS(write_file(blo_comm_context(comm), path, 3), BLO_OK);
  BLO_EXPECT_ALL(blo_test_sweep_faults(comm, write_with_faults, path) > 100);
  BLO_EXPECT_ALL(blo_test_sweep_faults(comm, read_with_faults, path) > 50);
  BLO_EXPECT_ALL(H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL) == 0); /* none left open */
}

static const blo_test tests[] = {
    {"values come back", values_come_back},
    {"what is not there is said", what_is_not_there_is_said},
    {"arrays are listed", arrays_are_listed},
    {"tables come back", tables_come_back},
    {"others can read tables", others_can_read_tables},
    {"every damage is noticed", every_damage_is_noticed},
    {"readers see old or new", readers_see_old_or_new},
    {"printing is left alone", printing_is_left_alone},
    {"every step can fail", every_step_can_fail},
};
BLO_TEST_MAIN("h5", tests)

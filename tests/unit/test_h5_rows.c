/* Arrays that are written and read by rows: in the file they are what whole arrays are, and neither
 * writing, reading nor verifying needs them in memory.
 * ranks: 1 */
#include "harness.h"

#include <blo/checkpoint.h>
#include <hdf5.h>
#include <stdio.h>
#include <string.h>

enum { PATH_CAP = 512, M = 7, ROW = 6, N = M * ROW };

static const blo_int cube[] = {M, 3, 2};

static double number(blo_int i)
{
  return i == 0 ? -0.0 : i == 1 ? 5e-324 : 1.0 / (double)(i + 1);
}

static void fill(double *data, blo_int n, blo_int first)
{
  for (blo_int i = 0; i < n; i++) {
    data[i] = number(first + i);
  }
}

static void new_path(blo_comm *comm, char *path)
{
  char folder[PATH_CAP - 64];
  blo_test_tmpdir(comm, folder, sizeof folder);
  snprintf(path, PATH_CAP, "%s/file.h5", folder);
}

/* The numbers of an array [M][...], in pieces of these many rows, to the end. */
static blo_status put_pieces(blo_h5 *f, const char *path, int n_dims, const blo_int *dim,
                             const blo_int *piece)
{
  double data[N];
  blo_status status = BLO_OK;
  blo_h5_rows *r = NULL;
  blo_int row_size = 1;
  for (int k = 1; k < n_dims; k++) {
    row_size *= dim[k];
  }
  BLO_GO(blo_h5_rows_create(f, path, n_dims, dim, &r));
  for (blo_int first = 0, k = 0; first < dim[0]; first += piece[k++]) {
    fill(data, piece[k] * row_size, first * row_size);
    BLO_GO(blo_h5_rows_put(r, piece[k], data));
  }
  BLO_GO(blo_h5_rows_finish(r));
done:
  blo_h5_rows_close(&r);
  return status;
}

static blo_status get_pieces(blo_h5 *f, const char *path, blo_int row_size, const blo_int *piece,
                             double *data)
{
  blo_status status = BLO_OK;
  blo_h5_rows *r = NULL;
  BLO_GO(blo_h5_rows_open(f, path, &r));
  for (blo_int first = 0, k = 0; first < M; first += piece[k++]) {
    BLO_GO(blo_h5_rows_get(r, piece[k], data + first * row_size));
  }
  BLO_GO(blo_h5_rows_finish(r));
done:
  blo_h5_rows_close(&r);
  return status;
}

static const blo_int some[] = {1, 0, 4, 2}, others[] = {3, 3, 1};

static blo_status write_file(blo_context *ctx, const char *path)
{
  const blo_int none[] = {0, 5}, empty[] = {M, 0};
  double data[N];
  blo_status status = BLO_OK;
  blo_h5 *f = NULL;
  fill(data, N, 0);
  BLO_GO(blo_h5_create(ctx, path, &f));
  BLO_GO(put_pieces(f, "deep/cube", 3, cube, some));
  BLO_GO(put_pieces(f, "deep/line", 1, (const blo_int[]){M}, others));
  BLO_GO(put_pieces(f, "none", 2, none, some));
  BLO_GO(put_pieces(f, "empty", 2, empty, others));
  BLO_GO(blo_h5_put_tensor(f, "whole", data, 3, cube, NULL, NULL));
  BLO_GO(blo_h5_put_array(f, "chunked", data, M, true, NULL, NULL, NULL));
  BLO_GO(blo_h5_commit(&f, "run"));
done:
  blo_h5_close(&f);
  return status;
}

static void pieces_make_the_array(blo_comm *comm)
{
  static const struct {
    const char *path;
    int n_dims;
    blo_int n;
  } arrays[] = {{"deep/cube", 3, N}, {"deep/line", 1, M}, {"none", 2, 0},
                {"empty", 2, 0},     {"whole", 3, N},     {"chunked", 1, M}};
  char path[PATH_CAP];
  double want[N], found[N];
  blo_int dim[BLO_H5_DIMS_MAX];
  int n_dims = 0;
  blo_h5 *f = NULL;
  fill(want, N, 0);
  new_path(comm, path);
  BLO_REQUIRE_STATUS(write_file(blo_comm_context(comm), path), BLO_OK);
  BLO_REQUIRE_STATUS(blo_h5_open(blo_comm_context(comm), path, "run", &f), BLO_OK);
  for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++) {
    blo_int n = arrays[k].n;
    BLO_EXPECT_STATUS(blo_h5_array_dims(f, arrays[k].path, &n_dims, dim), BLO_OK);
    BLO_EXPECT_MSG(n_dims == arrays[k].n_dims, "%s: %d dimensions", arrays[k].path, n_dims);
    BLO_EXPECT_STATUS(blo_h5_get_array(f, arrays[k].path, found, n), BLO_OK);
    BLO_EXPECT_MSG(memcmp(found, want, (size_t)n * sizeof *found) == 0, "%s", arrays[k].path);
    if (n > 0) {
      memset(found, 0xff, sizeof found);
      BLO_EXPECT_STATUS(get_pieces(f, arrays[k].path, n / M, k % 2 == 0 ? others : some, found),
                        BLO_OK);
      BLO_EXPECT_MSG(memcmp(found, want, (size_t)n * sizeof *found) == 0, "%s", arrays[k].path);
    }
  }
  BLO_EXPECT_STATUS(blo_h5_array_dims(f, "deep/cube", &n_dims, dim), BLO_OK);
  BLO_EXPECT_ALL(memcmp(dim, cube, sizeof cube) == 0);
  BLO_EXPECT_STATUS(blo_h5_verify(f), BLO_OK);
  blo_h5_close(&f);
}

/* 24 MB are written in pieces of 1 MB and verified with 8 MiB. */
static void large_arrays_need_little_memory(blo_comm *comm)
{
  enum { LARGE = 3000, WIDTH = 1000, PIECE = 125 };
  const blo_int dim[] = {LARGE, WIDTH}, most = (1 << 23) + 10000;
  blo_context *ctx = blo_comm_context(comm);
  char path[PATH_CAP];
  static double data[PIECE * WIDTH];
  blo_h5_rows *r = NULL;
  blo_h5 *f = NULL;
  new_path(comm, path);
  blo_memory_limit(ctx, blo_memory(ctx).bytes + most);
  BLO_REQUIRE_STATUS(blo_h5_create(ctx, path, &f), BLO_OK);
  BLO_REQUIRE_STATUS(blo_h5_rows_create(f, "large", 2, dim, &r), BLO_OK);
  for (blo_int first = 0; first < LARGE; first += PIECE) {
    fill(data, PIECE * WIDTH, first * WIDTH);
    BLO_REQUIRE_STATUS(blo_h5_rows_put(r, PIECE, data), BLO_OK);
  }
  BLO_REQUIRE_STATUS(blo_h5_rows_finish(r), BLO_OK);
  blo_h5_rows_close(&r);
  BLO_REQUIRE_STATUS(blo_h5_commit(&f, "run"), BLO_OK);
  BLO_REQUIRE_STATUS(blo_h5_open(ctx, path, "run", &f), BLO_OK);
  BLO_EXPECT_STATUS(blo_h5_verify(f), BLO_OK);
  blo_memory_limit(ctx, 0);
  blo_h5_close(&f);
}

static herr_t count_prints(hid_t stack, void *n)
{
  (void)stack;
  (*(int *)n)++;
  return 0;
}

/* An array that was begun and not finished has no checksum; HDF5 prints nothing. */
static void what_is_no_array_is_said(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  H5E_auto2_t before;
  void *arg;
  char path[PATH_CAP];
  double data[N];
  int n_prints = 0;
  blo_h5_rows *r = NULL;
  blo_h5 *f = NULL;
  new_path(comm, path);
  H5Eget_auto2(H5E_DEFAULT, &before, &arg);
  H5Eset_auto2(H5E_DEFAULT, count_prints, &n_prints);
  BLO_REQUIRE_STATUS(blo_h5_create(ctx, path, &f), BLO_OK);
  BLO_REQUIRE_STATUS(blo_h5_put_text(f, "text", "some"), BLO_OK);
  BLO_EXPECT_STATUS(blo_h5_rows_create(f, "text", 3, cube, &r), BLO_E_IO);
  BLO_REQUIRE_STATUS(blo_h5_rows_create(f, "cut", 3, cube, &r), BLO_OK);
  fill(data, N, 0);
  BLO_EXPECT_STATUS(blo_h5_rows_put(r, M, data), BLO_OK);
  blo_h5_rows_close(&r);
  BLO_EXPECT_ALL(r == NULL);
  blo_h5_rows_close(&r);
  BLO_REQUIRE_STATUS(blo_h5_commit(&f, "run"), BLO_OK);
  BLO_REQUIRE_STATUS(blo_h5_open(ctx, path, "run", &f), BLO_OK);
  BLO_EXPECT_STATUS(blo_h5_rows_open(f, "text", &r), BLO_E_FORMAT);
  BLO_EXPECT_ERROR_HAS("'text' is not an array of doubles");
  BLO_EXPECT_STATUS(blo_h5_rows_open(f, "absent", &r), BLO_E_FORMAT);
  BLO_EXPECT_STATUS(blo_h5_verify(f), BLO_E_FORMAT);
  BLO_EXPECT_ERROR_HAS("cannot read 'crc32'");
  blo_h5_close(&f);
  BLO_EXPECT_MSG(n_prints == 0, "HDF5 printed %d times", n_prints);
  H5Eset_auto2(H5E_DEFAULT, before, arg);
}

static blo_status write_with_faults(blo_comm *comm, void *arg)
{
  return write_file(blo_comm_context(comm), arg);
}

static blo_status read_with_faults(blo_comm *comm, void *arg)
{
  double data[N];
  blo_status status = BLO_OK;
  blo_h5 *f = NULL;
  BLO_GO(blo_h5_open(blo_comm_context(comm), arg, "run", &f));
  BLO_GO(get_pieces(f, "deep/cube", ROW, some, data));
  BLO_GO(blo_h5_verify(f));
done:
  blo_h5_close(&f);
  return status;
}

static void every_step_can_fail(blo_comm *comm)
{
  char path[PATH_CAP];
  new_path(comm, path);
  BLO_EXPECT_ALL(blo_test_sweep_faults(comm, write_with_faults, path) > 50);
  BLO_EXPECT_ALL(blo_test_sweep_faults(comm, read_with_faults, path) > 50);
  BLO_EXPECT_ALL(H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL) == 0); /* none left open */
}

static const blo_test tests[] = {
    {"pieces make the array", pieces_make_the_array},
    {"large arrays need little memory", large_arrays_need_little_memory},
    {"what is no array is said", what_is_no_array_is_said},
    {"every step can fail", every_step_can_fail},
};
BLO_TEST_MAIN("h5_rows", tests)

/**
 * @file Arrays that are written or read by rows, a few at a time: so nobody has to hold them whole.
 * The checksum of the bytes runs along, and is that of the whole array at the end.
 */
#include "h5_private.h"

enum { PANEL_BYTES = 1 << 23 };

struct blo_h5_rows {
  blo_h5 *f;
  char *path;
  hid_t dataset;
  blo_h5_shape shape;
  blo_int row_size; /**< numbers of a row */
  blo_int next;     /**< the first row that has not been moved */
  uint32_t crc;     /**< of the rows before it */
};

blo_int blo_h5_panel_rows(blo_int n_rows, blo_int row_size)
{
  blo_int most = PANEL_BYTES / (blo_int)sizeof(double);
  blo_int fit = row_size > 0 ? most / row_size : n_rows;

  fit = fit < n_rows ? fit : n_rows;
  return fit > 1 ? fit : 1;
}

/* ------------------------------------------------------------- begin, end */

/** Make the dataset of this shape, or open the one that is there. */
static blo_status open_rows(blo_h5_rows *r, const blo_h5_shape *wanted)
{
  if (wanted != NULL) {
    r->shape = *wanted;
    BLO_TRY(blo_h5_create_array(r->f, r->path, &r->shape, &r->dataset));
  } else {
    BLO_TRY(blo_h5_open_array(r->f, r->path, &r->dataset, &r->shape));
  }
  r->row_size = 1;
  for (int i = 1; i < r->shape.n_dims; i++) {
    r->row_size *= (blo_int)r->shape.dim[i];
  }
  return BLO_OK;
}

static blo_status begin(blo_h5 *f, const char *path, const blo_h5_shape *wanted, blo_h5_rows **out)
{
  blo_status status = BLO_OK;
  blo_h5_rows *r = NULL;

  BLO_GO(blo_alloc(f->ctx, 1, sizeof *r, &r));
  *r = (blo_h5_rows){.f = f, .dataset = H5I_INVALID_HID};
  BLO_GO(blo_strdup(f->ctx, path, &r->path));
  BLO_H5_QUIETLY(status = open_rows(r, wanted));
  BLO_GO(status);
  *out = r;
  r = NULL;
done:
  blo_h5_rows_close(&r);
  return status;
}

blo_status blo_h5_rows_create(blo_h5 *f, const char *path, int n_dims, const blo_int *dim,
                              blo_h5_rows **out)
{
  blo_h5_shape shape = blo_h5_shape_of(n_dims, dim);

  return begin(f, path, &shape, out);
}

blo_status blo_h5_rows_open(blo_h5 *f, const char *path, blo_h5_rows **out)
{
  return begin(f, path, NULL, out);
}

void blo_h5_rows_close(blo_h5_rows **rows)
{
  blo_h5_rows *r = *rows;

  if (r != NULL) {
    blo_context *ctx = r->f->ctx;
    BLO_H5_QUIETLY(blo_h5_drop(&r->dataset));
    blo_free(ctx, &r->path);
    blo_free(ctx, rows);
  }
}

static blo_status finish(blo_h5_rows *r)
{
  blo_status status = BLO_OK;

  if (!r->f->writing) {
    return blo_h5_check_crc(r->f, r->dataset, r->path, r->crc);
  }
  BLO_GO(blo_h5_write_crc(r->f, r->dataset, r->crc));
  BLO_H5_GO(r->f, blo_h5_drop(&r->dataset), "write", r->path);
done:
  return status;
}

blo_status blo_h5_rows_finish(blo_h5_rows *r)
{
  blo_status status;

  BLO_BUG_IF(r->next != (blo_int)r->shape.dim[0], "'%s' ends after %lld of %lld rows", r->path,
             (long long)r->next, (long long)r->shape.dim[0]);
  BLO_H5_QUIETLY(status = finish(r));
  return status;
}

/* ------------------------------------------------------------------- rows */

/** Where the next n rows are in the file. Negative: failed. */
static hid_t select_rows(const blo_h5_rows *r, blo_int n)
{
  hsize_t start[BLO_H5_DIMS_MAX] = {(hsize_t)r->next}, count[BLO_H5_DIMS_MAX] = {(hsize_t)n};
  hid_t space = H5Dget_space(r->dataset);

  for (int i = 1; i < r->shape.n_dims; i++) {
    count[i] = r->shape.dim[i];
  }
  if (space >= 0 && H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) < 0) {
    blo_h5_drop(&space);
  }
  return space;
}

/** Write n rows, or read them: one of the two is NULL. */
static blo_status move_rows(const blo_h5_rows *r, blo_int n, const double *from, double *to)
{
  blo_status status = BLO_OK;
  hsize_t numbers = (hsize_t)(n * r->row_size);
  const char *doing = from != NULL ? "write" : "read";
  hid_t in_file = H5I_INVALID_HID, in_memory = H5I_INVALID_HID;

  BLO_H5_GO(r->f, (in_file = select_rows(r, n)) >= 0, doing, r->path);
  BLO_H5_GO(r->f, (in_memory = H5Screate_simple(1, &numbers, NULL)) >= 0, doing, r->path);
  BLO_H5_GO(r->f,
            (from != NULL
                 ? H5Dwrite(r->dataset, H5T_NATIVE_DOUBLE, in_memory, in_file, H5P_DEFAULT, from)
                 : H5Dread(r->dataset, H5T_NATIVE_DOUBLE, in_memory, in_file, H5P_DEFAULT, to)) >=
                0,
            doing, r->path);
done:
  blo_h5_drop(&in_memory);
  blo_h5_drop(&in_file);
  return status;
}

static blo_status next_rows(blo_h5_rows *r, blo_int n, const double *from, double *to)
{
  blo_status status = BLO_OK;

  BLO_BUG_IF(n < 0 || r->next + n > (blo_int)r->shape.dim[0],
             "rows %lld to %lld of '%s', which has %lld", (long long)r->next,
             (long long)(r->next + n), r->path, (long long)r->shape.dim[0]);
  if (n * r->row_size > 0) {
    BLO_H5_QUIETLY(status = move_rows(r, n, from, to));
    BLO_TRY(status);
    r->crc =
        blo_crc32(r->crc, from != NULL ? from : to, (size_t)(n * r->row_size) * sizeof(double));
  }
  r->next += n;
  return BLO_OK;
}

blo_status blo_h5_rows_put(blo_h5_rows *r, blo_int n, const double *rows)
{
  return next_rows(r, n, rows, NULL);
}

blo_status blo_h5_rows_get(blo_h5_rows *r, blo_int n, double *rows)
{
  return next_rows(r, n, NULL, rows);
}

/* ----------------------------------------------------------------- verify */

/** Read the array by panels and compare its checksum. */
static blo_status verify_panels(blo_h5_rows *r)
{
  blo_int n_rows = (blo_int)r->shape.dim[0], most = blo_h5_panel_rows(n_rows, r->row_size);
  blo_status status = BLO_OK;
  double *panel = NULL;

  BLO_GO(blo_alloc(r->f->ctx, most * r->row_size, sizeof *panel, &panel));
  for (blo_int first = 0, n; first < n_rows; first += n) {
    n = n_rows - first < most ? n_rows - first : most;
    BLO_GO(blo_h5_rows_get(r, n, panel));
  }
  BLO_GO(blo_h5_rows_finish(r));
done:
  blo_free(r->f->ctx, &panel);
  return status;
}

blo_status blo_h5_verify_array(blo_h5 *f, const char *path)
{
  blo_status status = BLO_OK;
  blo_h5_rows *r = NULL;

  BLO_GO(blo_h5_rows_open(f, path, &r));
  BLO_GO(verify_panels(r));
done:
  blo_h5_rows_close(&r);
  return status;
}

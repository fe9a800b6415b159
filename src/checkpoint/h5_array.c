/** @file Arrays of doubles in an HDF5 file: contiguous ones for state, chunked ones for tables. */
#include "h5_private.h"
#include <hdf5_hl.h>
#include <string.h>

enum { CHUNK_MAX = 4096, DEFLATE_LEVEL = 1 };

/* ---------------------------------------------------------------- writing */

blo_h5_shape blo_h5_shape_of(int n_dims, const blo_int *dim)
{
  blo_h5_shape shape = {.n_dims = n_dims};

  BLO_BUG_IF(n_dims < 1 || n_dims > BLO_H5_DIMS_MAX, "an array of %d dimensions", n_dims);
  for (int i = 0; i < n_dims; i++) {
    shape.dim[i] = (hsize_t)dim[i];
  }
  return shape;
}

static blo_int count(const blo_h5_shape *shape)
{
  blo_int n = 1;

  for (int i = 0; i < shape->n_dims; i++) {
    n *= (blo_int)shape->dim[i];
  }
  return n;
}

/** Chunks of a table: shuffled and deflated, which pays for counts and times, not for state. */
static hid_t creation_list(const blo_h5_shape *shape)
{
  hsize_t n = shape->dim[0], chunk = n == 0 ? 1 : n < CHUNK_MAX ? n : CHUNK_MAX;
  hid_t list = H5Pcreate(H5P_DATASET_CREATE);

  if (list >= 0 && shape->chunked &&
      (H5Pset_chunk(list, 1, &chunk) < 0 || H5Pset_shuffle(list) < 0 ||
       H5Pset_deflate(list, DEFLATE_LEVEL) < 0 || H5Pset_fletcher32(list) < 0)) {
    blo_h5_drop(&list);
  }
  return list;
}

blo_status blo_h5_create_array(blo_h5 *f, const char *path, const blo_h5_shape *shape,
                               hid_t *dataset)
{
  blo_status status = BLO_OK;
  hsize_t unlimited = H5S_UNLIMITED;
  hid_t space = H5I_INVALID_HID, list = H5I_INVALID_HID;

  BLO_H5_GO(f,
            (space = H5Screate_simple(shape->n_dims, shape->dim,
                                      shape->chunked ? &unlimited : NULL)) >= 0,
            "write", path);
  BLO_H5_GO(f, (list = creation_list(shape)) >= 0, "write", path);
  BLO_H5_GO(f,
            (*dataset = H5Dcreate2(f->file, path, H5T_IEEE_F64LE, space, f->make_groups, list,
                                   H5P_DEFAULT)) >= 0,
            "write", path);
done:
  blo_h5_drop(&list);
  blo_h5_drop(&space);
  return status;
}

/** Let the array `along` be the dimension scale of the dataset, named by the last part of its path.
 */
static blo_status attach_scale(blo_h5 *f, hid_t dataset, const char *along)
{
  blo_status status = BLO_OK;
  const char *slash = strrchr(along, '/');
  hid_t scale = H5I_INVALID_HID;

  BLO_H5_GO(f, (scale = H5Dopen2(f->file, along, H5P_DEFAULT)) >= 0, "open the scale", along);
  if (H5DSis_scale(scale) <= 0) {
    BLO_H5_GO(f, H5DSset_scale(scale, slash != NULL ? slash + 1 : along) >= 0, "make a scale of",
              along);
  }
  BLO_H5_GO(f, H5DSattach_scale(dataset, scale, 0) >= 0, "attach the scale", along);
  BLO_H5_GO(f, blo_h5_drop(&scale), "write", along);
done:
  blo_h5_drop(&scale);
  return status;
}

static blo_status put_array(blo_h5 *f, const char *path, const double *data,
                            const blo_h5_shape *shape, const char *unit, const char *help,
                            const char *along)
{
  blo_status status = BLO_OK;
  hid_t dataset = H5I_INVALID_HID;
  blo_int n = count(shape);

  BLO_GO(blo_h5_create_array(f, path, shape, &dataset));
  if (n > 0) {
    BLO_H5_GO(f, H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0,
              "write", path);
  }
  BLO_GO(blo_h5_write_crc(f, dataset, blo_crc32(0, data, (size_t)n * sizeof *data)));
  BLO_GO(blo_h5_write_text_attribute(f, dataset, "units", unit));
  BLO_GO(blo_h5_write_text_attribute(f, dataset, "long_name", help));
  if (along != NULL) {
    BLO_GO(attach_scale(f, dataset, along));
  }
  BLO_H5_GO(f, blo_h5_drop(&dataset), "write", path); /* the last chunk is written here */
done:
  blo_h5_drop(&dataset);
  return status;
}

blo_status blo_h5_put_array(blo_h5 *f, const char *path, const double *data, blo_int n,
                            bool chunked, const char *unit, const char *help, const char *along)
{
  blo_h5_shape shape = {.n_dims = 1, .dim = {(hsize_t)n}, .chunked = chunked};
  blo_status status;

  BLO_H5_QUIETLY(status = put_array(f, path, data, &shape, unit, help, along));
  return status;
}

blo_status blo_h5_put_tensor(blo_h5 *f, const char *path, const double *data, int n_dims,
                             const blo_int *dim, const char *unit, const char *help)
{
  blo_h5_shape shape = blo_h5_shape_of(n_dims, dim);
  blo_status status;

  BLO_H5_QUIETLY(status = put_array(f, path, data, &shape, unit, help, NULL));
  return status;
}

/* ---------------------------------------------------------------- reading */

static bool is_array_of_doubles(hid_t dataset, hid_t space)
{
  hid_t type = H5Dget_type(dataset);
  int n_dims = H5Sget_simple_extent_ndims(space);
  bool is = H5Tget_class(type) == H5T_FLOAT && H5Tget_size(type) == sizeof(double) && n_dims >= 1 &&
            n_dims <= BLO_H5_DIMS_MAX;

  blo_h5_drop(&type);
  return is;
}

blo_status blo_h5_open_array(blo_h5 *f, const char *path, hid_t *dataset, blo_h5_shape *shape)
{
  blo_status status = BLO_OK;
  hid_t space = H5I_INVALID_HID;

  BLO_H5_GO(f, (*dataset = H5Dopen2(f->file, path, H5P_DEFAULT)) >= 0, "open the array", path);
  BLO_H5_GO(f, (space = H5Dget_space(*dataset)) >= 0, "read", path);
  BLO_CHECK_GO(f->ctx, is_array_of_doubles(*dataset, space), BLO_E_FORMAT,
               "%s: '%s' is not an array of doubles with 1 to %d dimensions", f->path, path,
               BLO_H5_DIMS_MAX);
  *shape = (blo_h5_shape){.n_dims = H5Sget_simple_extent_ndims(space)};
  H5Sget_simple_extent_dims(space, shape->dim, NULL);
done:
  blo_h5_drop(&space);
  return status;
}

static blo_status read_shape(blo_h5 *f, const char *path, blo_h5_shape *shape)
{
  hid_t dataset = H5I_INVALID_HID;
  blo_status status = blo_h5_open_array(f, path, &dataset, shape);

  blo_h5_drop(&dataset);
  return status;
}

static blo_status get_array(blo_h5 *f, const char *path, double *data, blo_int n)
{
  blo_status status = BLO_OK;
  hid_t dataset = H5I_INVALID_HID;
  blo_h5_shape shape = {0};
  blo_int found;

  BLO_GO(blo_h5_open_array(f, path, &dataset, &shape));
  found = count(&shape);
  BLO_CHECK_GO(f->ctx, found == n, BLO_E_FORMAT, "%s: '%s' has %lld numbers; expected %lld",
               f->path, path, (long long)found, (long long)n);
  if (n > 0) {
    BLO_H5_GO(f, H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0,
              "read", path);
  }
  BLO_GO(blo_h5_check_crc(f, dataset, path, blo_crc32(0, data, (size_t)n * sizeof *data)));
done:
  blo_h5_drop(&dataset);
  return status;
}

blo_status blo_h5_array_size(blo_h5 *f, const char *path, blo_int *n)
{
  blo_h5_shape shape;
  blo_status status;

  BLO_H5_QUIETLY(status = read_shape(f, path, &shape));
  if (status == BLO_OK) {
    *n = count(&shape);
  }
  return status;
}

blo_status blo_h5_array_dims(blo_h5 *f, const char *path, int *n_dims, blo_int dim[BLO_H5_DIMS_MAX])
{
  blo_h5_shape shape;
  blo_status status;

  BLO_H5_QUIETLY(status = read_shape(f, path, &shape));
  if (status == BLO_OK) {
    *n_dims = shape.n_dims;
    for (int i = 0; i < shape.n_dims; i++) {
      dim[i] = (blo_int)shape.dim[i];
    }
  }
  return status;
}

blo_status blo_h5_get_array(blo_h5 *f, const char *path, double *data, blo_int n)
{
  blo_status status;

  BLO_H5_QUIETLY(status = get_array(f, path, data, n));
  return status;
}

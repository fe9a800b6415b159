/** @file Arrays of doubles in an HDF5 file: contiguous ones for state, chunked ones for tables. */
#include "h5_private.h"
#include <hdf5_hl.h>
#include <string.h>

enum { CHUNK_MAX = 4096, DEFLATE_LEVEL = 1 };

/* ---------------------------------------------------------------- writing */

/** Chunks of a table: shuffled and deflated, which pays for counts and times, not for state. */
static hid_t creation_list(hsize_t n, bool chunked)
{
  hsize_t chunk = n == 0 ? 1 : n < CHUNK_MAX ? n : CHUNK_MAX;
  hid_t list = H5Pcreate(H5P_DATASET_CREATE);

  if (list >= 0 && chunked &&
      (H5Pset_chunk(list, 1, &chunk) < 0 || H5Pset_shuffle(list) < 0 ||
       H5Pset_deflate(list, DEFLATE_LEVEL) < 0 || H5Pset_fletcher32(list) < 0)) {
    blo_h5_drop(&list);
  }
  return list;
}

static blo_status create_array(blo_h5 *f, const char *path, blo_int n, bool chunked, hid_t *dataset)
{
  blo_status status = BLO_OK;
  hsize_t now = (hsize_t)n, most = chunked ? H5S_UNLIMITED : now;
  hid_t space = H5I_INVALID_HID, list = H5I_INVALID_HID;

  BLO_H5_GO(f, (space = H5Screate_simple(1, &now, &most)) >= 0, "write", path);
  BLO_H5_GO(f, (list = creation_list(now, chunked)) >= 0, "write", path);
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

static blo_status put_array(blo_h5 *f, const char *path, const double *data, blo_int n,
                            bool chunked, const char *unit, const char *help, const char *along)
{
  blo_status status = BLO_OK;
  hid_t dataset = H5I_INVALID_HID;

  BLO_GO(create_array(f, path, n, chunked, &dataset));
  if (n > 0) {
    BLO_H5_GO(f, H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0,
              "write", path);
  }
  BLO_GO(blo_h5_write_crc(f, dataset, data, (size_t)n * sizeof *data));
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
  blo_status status;

  BLO_H5_QUIETLY(status = put_array(f, path, data, n, chunked, unit, help, along));
  return status;
}

/* ---------------------------------------------------------------- reading */

static bool is_array_of_doubles(hid_t dataset, hid_t space)
{
  hid_t type = H5Dget_type(dataset);
  bool is = H5Tget_class(type) == H5T_FLOAT && H5Tget_size(type) == sizeof(double) &&
            H5Sget_simple_extent_ndims(space) == 1;

  blo_h5_drop(&type);
  return is;
}

static blo_status open_array(blo_h5 *f, const char *path, hid_t *dataset, blo_int *n)
{
  blo_status status = BLO_OK;
  hid_t space = H5I_INVALID_HID;

  BLO_H5_GO(f, (*dataset = H5Dopen2(f->file, path, H5P_DEFAULT)) >= 0, "open the array", path);
  BLO_H5_GO(f, (space = H5Dget_space(*dataset)) >= 0, "read", path);
  BLO_CHECK_GO(f->ctx, is_array_of_doubles(*dataset, space), BLO_E_FORMAT,
               "%s: '%s' is not an array of doubles with one dimension", f->path, path);
  *n = H5Sget_simple_extent_npoints(space);
done:
  blo_h5_drop(&space);
  return status;
}

static blo_status array_size(blo_h5 *f, const char *path, blo_int *n)
{
  hid_t dataset = H5I_INVALID_HID;
  blo_status status = open_array(f, path, &dataset, n);

  blo_h5_drop(&dataset);
  return status;
}

static blo_status get_array(blo_h5 *f, const char *path, double *data, blo_int n)
{
  blo_status status = BLO_OK;
  hid_t dataset = H5I_INVALID_HID;
  blo_int found = 0;

  BLO_GO(open_array(f, path, &dataset, &found));
  BLO_CHECK_GO(f->ctx, found == n, BLO_E_FORMAT, "%s: '%s' has %lld numbers; expected %lld",
               f->path, path, (long long)found, (long long)n);
  if (n > 0) {
    BLO_H5_GO(f, H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0,
              "read", path);
  }
  BLO_GO(blo_h5_check_crc(f, dataset, path, data, (size_t)n * sizeof *data));
done:
  blo_h5_drop(&dataset);
  return status;
}

blo_status blo_h5_array_size(blo_h5 *f, const char *path, blo_int *n)
{
  blo_status status;

  BLO_H5_QUIETLY(status = array_size(f, path, n));
  return status;
}

blo_status blo_h5_get_array(blo_h5 *f, const char *path, double *data, blo_int n)
{
  blo_status status;

  BLO_H5_QUIETLY(status = get_array(f, path, data, n));
  return status;
}

/** @file Texts in an HDF5 file: scalar datasets, because attributes are made for small values. */
#include "h5_private.h"
#include <string.h>

static blo_status put_text(blo_h5 *f, const char *path, const char *text)
{
  blo_status status = BLO_OK;
  size_t size = strlen(text) + 1;
  hid_t type = H5I_INVALID_HID, space = H5I_INVALID_HID, dataset = H5I_INVALID_HID;

  BLO_H5_GO(f, (type = blo_h5_text_type(size)) >= 0, "write", path);
  BLO_H5_GO(f, (space = H5Screate(H5S_SCALAR)) >= 0, "write", path);
  BLO_H5_GO(f,
            (dataset = H5Dcreate2(f->file, path, type, space, f->make_groups, H5P_DEFAULT,
                                  H5P_DEFAULT)) >= 0,
            "write", path);
  BLO_H5_GO(f, H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) >= 0, "write", path);
  BLO_GO(blo_h5_write_crc(f, dataset, blo_crc32(0, text, size)));
  BLO_H5_GO(f, blo_h5_drop(&dataset), "write", path);
done:
  blo_h5_drop(&dataset);
  blo_h5_drop(&space);
  blo_h5_drop(&type);
  return status;
}

blo_status blo_h5_put_text(blo_h5 *f, const char *path, const char *text)
{
  blo_status status;

  BLO_H5_QUIETLY(status = put_text(f, path, text));
  return status;
}

/** The type of a text dataset in the file. */
static blo_status open_text(blo_h5 *f, const char *path, hid_t *dataset, hid_t *type)
{
  blo_status status = BLO_OK;
  hid_t space = H5I_INVALID_HID;

  BLO_H5_GO(f, (*dataset = H5Dopen2(f->file, path, H5P_DEFAULT)) >= 0, "open the text", path);
  BLO_H5_GO(f, (*type = H5Dget_type(*dataset)) >= 0, "read", path);
  BLO_H5_GO(f, (space = H5Dget_space(*dataset)) >= 0, "read", path);
  BLO_CHECK_GO(f->ctx,
               H5Tget_class(*type) == H5T_STRING && H5Tis_variable_str(*type) == 0 &&
                   H5Sget_simple_extent_type(space) == H5S_SCALAR,
               BLO_E_FORMAT, "%s: '%s' is not a text of fixed length", f->path, path);
done:
  blo_h5_drop(&space);
  return status;
}

static blo_status get_text(blo_h5 *f, const char *path, char **out)
{
  blo_status status = BLO_OK;
  hid_t dataset = H5I_INVALID_HID, type = H5I_INVALID_HID;
  char *text = NULL;
  size_t size;

  BLO_GO(open_text(f, path, &dataset, &type));
  size = H5Tget_size(type);
  BLO_GO(blo_alloc(f->ctx, (blo_int)size + 1, 1, &text));
  BLO_H5_GO(f, H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) >= 0, "read", path);
  BLO_GO(blo_h5_check_crc(f, dataset, path, blo_crc32(0, text, size)));
  *out = text;
  text = NULL;
done:
  blo_free(f->ctx, &text);
  blo_h5_drop(&type);
  blo_h5_drop(&dataset);
  return status;
}

blo_status blo_h5_get_text(blo_h5 *f, const char *path, char **text)
{
  blo_status status;

  BLO_H5_QUIETLY(status = get_text(f, path, text));
  return status;
}

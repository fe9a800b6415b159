/** @file Attributes of an HDF5 object, and the numbers of a file, which are attributes of groups.
 */
#include "h5_private.h"
#include <string.h>

/** H5Dclose() lets go of a dataset even if its last data cannot be written; H5Idec_ref() does not.
 */
bool blo_h5_drop(hid_t *id)
{
  bool ok = *id < 0 || (H5Iget_type(*id) == H5I_DATASET ? H5Dclose(*id) : H5Idec_ref(*id)) >= 0;

  *id = H5I_INVALID_HID;
  return ok;
}

/* ------------------------------------------------------------- attributes */

blo_status blo_h5_write_attribute(blo_h5 *f, hid_t owner, const char *name, hid_t stored,
                                  hid_t given, const void *value)
{
  blo_status status = BLO_OK;
  hid_t space = H5I_INVALID_HID, attribute = H5I_INVALID_HID;

  BLO_H5_GO(f, (space = H5Screate(H5S_SCALAR)) >= 0, "write", name);
  BLO_H5_GO(f, (attribute = H5Acreate2(owner, name, stored, space, H5P_DEFAULT, H5P_DEFAULT)) >= 0,
            "write", name);
  BLO_H5_GO(f, H5Awrite(attribute, given, value) >= 0, "write", name);
  BLO_H5_GO(f, blo_h5_drop(&attribute), "write", name);
done:
  blo_h5_drop(&attribute);
  blo_h5_drop(&space);
  return status;
}

/** One value of that class, no larger than there is room for. */
static bool is_single(hid_t attribute, H5T_class_t kind, size_t room)
{
  hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
  size_t size = H5Tget_size(type);
  bool fits = kind == H5T_STRING ? H5Tis_variable_str(type) == 0 && size <= room : size == room;
  bool single = H5Tget_class(type) == kind && H5Sget_simple_extent_npoints(space) == 1;

  blo_h5_drop(&type);
  blo_h5_drop(&space);
  return fits && single;
}

blo_status blo_h5_read_attribute(blo_h5 *f, hid_t owner, const char *name, H5T_class_t kind,
                                 hid_t wanted, void *value)
{
  blo_status status = BLO_OK;
  hid_t attribute = H5I_INVALID_HID;

  BLO_H5_GO(f, (attribute = H5Aopen(owner, name, H5P_DEFAULT)) >= 0, "read", name);
  BLO_CHECK_GO(f->ctx, is_single(attribute, kind, H5Tget_size(wanted)), BLO_E_FORMAT,
               "%s: '%s' is not a single %s of at most %zu bytes", f->path, name,
               kind == H5T_STRING    ? "text"
               : kind == H5T_INTEGER ? "integer"
                                     : "floating-point number",
               H5Tget_size(wanted));
  BLO_H5_GO(f, H5Aread(attribute, wanted, value) >= 0, "read", name);
done:
  blo_h5_drop(&attribute);
  return status;
}

hid_t blo_h5_text_type(size_t size)
{
  hid_t type = H5Tcopy(H5T_C_S1);

  if (type >= 0 && (H5Tset_size(type, size) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0)) {
    blo_h5_drop(&type);
  }
  return type;
}

blo_status blo_h5_write_text_attribute(blo_h5 *f, hid_t owner, const char *name, const char *text)
{
  blo_status status = BLO_OK;
  hid_t type = H5I_INVALID_HID;

  if (text != NULL) {
    BLO_H5_GO(f, (type = blo_h5_text_type(strlen(text) + 1)) >= 0, "write", name);
    BLO_GO(blo_h5_write_attribute(f, owner, name, type, type, text));
  }
done:
  blo_h5_drop(&type);
  return status;
}

/* ---------------------------------------------------------------- numbers */

static blo_status open_group(blo_h5 *f, const char *group, hid_t *id)
{
  blo_status status = BLO_OK;

  if (f->writing && !blo_h5_has(f, group)) {
    BLO_H5_GO(f, (*id = H5Gcreate2(f->file, group, f->make_groups, H5P_DEFAULT, H5P_DEFAULT)) >= 0,
              "make the group", group);
  } else {
    BLO_H5_GO(f, (*id = H5Gopen2(f->file, group, H5P_DEFAULT)) >= 0, "open the group", group);
  }
done:
  return status;
}

/** The group that has the number at "group/name", or "name" if it is the root group. */
static blo_status open_owner(blo_h5 *f, const char *path, hid_t *owner, const char **name)
{
  blo_status status = BLO_OK;
  const char *slash = strrchr(path, '/');
  char *group = NULL;

  BLO_GO(blo_strdup(f->ctx, slash != NULL ? path : "/", &group));
  if (slash != NULL) {
    group[slash - path] = '\0';
  }
  *name = slash != NULL ? slash + 1 : path;
  BLO_GO(open_group(f, group, owner));
done:
  blo_free(f->ctx, &group);
  return status;
}

static blo_status put_number(blo_h5 *f, const char *path, hid_t stored, hid_t given,
                             const void *value)
{
  hid_t owner = H5I_INVALID_HID;
  const char *name;
  blo_status status = open_owner(f, path, &owner, &name);

  if (status == BLO_OK) {
    status = blo_h5_write_attribute(f, owner, name, stored, given, value);
  }
  blo_h5_drop(&owner);
  return status;
}

static blo_status get_number(blo_h5 *f, const char *path, H5T_class_t kind, hid_t wanted,
                             void *value)
{
  hid_t owner = H5I_INVALID_HID;
  const char *name;
  blo_status status = open_owner(f, path, &owner, &name);

  if (status == BLO_OK) {
    status = blo_h5_read_attribute(f, owner, name, kind, wanted, value);
  }
  blo_h5_drop(&owner);
  return status;
}

blo_status blo_h5_put_int(blo_h5 *f, const char *path, blo_int value)
{
  blo_status status;

  BLO_H5_QUIETLY(status = put_number(f, path, H5T_STD_I64LE, H5T_NATIVE_INT64, &value));
  return status;
}

blo_status blo_h5_put_double(blo_h5 *f, const char *path, double value)
{
  blo_status status;

  BLO_H5_QUIETLY(status = put_number(f, path, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value));
  return status;
}

blo_status blo_h5_get_int(blo_h5 *f, const char *path, blo_int *value)
{
  blo_status status;

  BLO_H5_QUIETLY(status = get_number(f, path, H5T_INTEGER, H5T_NATIVE_INT64, value));
  return status;
}

blo_status blo_h5_get_double(blo_h5 *f, const char *path, double *value)
{
  blo_status status;

  BLO_H5_QUIETLY(status = get_number(f, path, H5T_FLOAT, H5T_NATIVE_DOUBLE, value));
  return status;
}

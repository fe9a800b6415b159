/** @file Finding the group that has the data, and its attributes. */
#include "hdf5_private.h"
#include <stdio.h>
#include <string.h>

const char *blo_hdf5_storage_name(const blo_table *table)
{
  static const char *const names[] = {
      [BLO_U8] = "u8", [BLO_F32] = "f32", [BLO_F64] = "f64", [BLO_I32] = "tokens"};

  return table->sparse ? "csr" : names[table->storage];
}

const char *const blo_hdf5_feature_names[] = {"features", "x", "X", "data", NULL};
const char *const blo_hdf5_label_names[] = {"label", "labels", "y", NULL};

static bool is_of_type(hid_t group, const char *name, H5I_type_t type)
{
  hid_t id = H5Lexists(group, name, H5P_DEFAULT) > 0 ? H5Oopen(group, name, H5P_DEFAULT) : 0;
  bool is = id > 0 && H5Iget_type(id) == type;

  blo_hdf5_close(&id, H5Oclose);
  return is;
}

bool blo_hdf5_has_dataset(hid_t group, const char *name)
{
  return is_of_type(group, name, H5I_DATASET);
}

const char *blo_hdf5_find_name(hid_t group, const char *const *names)
{
  for (blo_int i = 0; names[i] != NULL; i++) {
    if (blo_hdf5_has_dataset(group, names[i])) {
      return names[i];
    }
  }
  return names[0];
}

blo_status blo_hdf5_read_int(blo_context *ctx, hid_t object, const char *path, const char *name,
                             blo_int *value)
{
  blo_status status = BLO_OK;
  hid_t id = H5Aopen(object, name, H5P_DEFAULT), space = id > 0 ? H5Aget_space(id) : 0;

  BLO_HDF5_CHECK_GO(ctx, space > 0, BLO_E_FORMAT, path, name);
  BLO_CHECK_GO(ctx, H5Sget_simple_extent_npoints(space) == 1, BLO_E_FORMAT,
               "%s: attribute %s is not a single number", path, name);
  BLO_HDF5_CHECK_GO(ctx, H5Aread(id, H5T_NATIVE_INT64, value) >= 0, BLO_E_FORMAT, path, name);
done:
  blo_hdf5_close(&space, H5Sclose);
  blo_hdf5_close(&id, H5Aclose);
  return status;
}

blo_status blo_hdf5_read_text(blo_context *ctx, hid_t object, const char *path, const char *name,
                              char *text, size_t cap)
{
  blo_status status = BLO_OK;
  hid_t id = H5Aopen(object, name, H5P_DEFAULT), type = id > 0 ? H5Aget_type(id) : 0;

  BLO_HDF5_CHECK_GO(ctx, type > 0, BLO_E_FORMAT, path, name);
  BLO_CHECK_GO(ctx,
               H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 &&
                   H5Tget_size(type) < cap && H5Aget_storage_size(id) < cap,
               BLO_E_FORMAT, "%s: attribute %s is not a text of fixed length below %zu", path, name,
               cap);
  memset(text, 0, cap);
  BLO_HDF5_CHECK_GO(ctx, H5Aread(id, type, text) >= 0, BLO_E_FORMAT, path, name);
done:
  blo_hdf5_close(&type, H5Tclose);
  blo_hdf5_close(&id, H5Aclose);
  return status;
}

blo_status blo_hdf5_check_format(blo_context *ctx, hid_t file, const char *path, bool *ours)
{
  char format[32];
  blo_int version;
  htri_t there = H5Aexists(file, "format");

  BLO_HDF5_CHECK(ctx, there >= 0, BLO_E_FORMAT, path, "cannot look for the attribute format");
  *ours = false;
  if (!there) {
    return BLO_OK;
  }
  BLO_TRY(blo_hdf5_read_text(ctx, file, path, "format", format, sizeof format));
  BLO_CHECK(ctx, strcmp(format, BLO_HDF5_FORMAT) == 0, BLO_E_FORMAT,
            "%s: its format is \"%s\", not \"%s\"", path, format, BLO_HDF5_FORMAT);
  BLO_TRY(blo_hdf5_read_int(ctx, file, path, "format_version", &version));
  BLO_CHECK(ctx, version == BLO_HDF5_VERSION, BLO_E_FORMAT,
            "%s: its format version is %lld; this ParBLO reads version %d", path,
            (long long)version, BLO_HDF5_VERSION);
  *ours = true;
  return BLO_OK;
}

/** The groups of a file, for messages, and the last one's name. */
typedef struct listing {
  blo_int n;
  char last[128], all[400];
} listing;

static herr_t list_group(hid_t file, const char *name, const H5L_info_t *link, void *to)
{
  listing *l = to;
  size_t used = strlen(l->all);

  (void)link;
  if (is_of_type(file, name, H5I_GROUP)) {
    snprintf(l->all + used, sizeof l->all - used, l->n > 0 ? ", %s" : "%s", name);
    snprintf(l->last, sizeof l->last, "%s", name);
    l->n++;
  }
  return 0;
}

blo_status blo_hdf5_open_group(blo_context *ctx, hid_t file, const char *path, const char *group,
                               hid_t *id, bool *ours)
{
  listing groups = {0, "", ""};
  const char *name = group;

  BLO_TRY(blo_hdf5_check_format(ctx, file, path, ours));
  BLO_HDF5_CHECK(ctx, H5Literate(file, H5_INDEX_NAME, H5_ITER_INC, NULL, list_group, &groups) >= 0,
                 BLO_E_FORMAT, path, "cannot list its groups");
  if (group[0] == '\0' && !*ours &&
      blo_hdf5_has_dataset(file, blo_hdf5_find_name(file, blo_hdf5_feature_names))) {
    name = "/";
  } else if (group[0] == '\0') {
    BLO_CHECK(ctx, groups.n > 0, BLO_E_FORMAT, "%s has no group with data", path);
    BLO_CHECK(ctx, groups.n == 1, BLO_E_OPTION,
              "%s has %lld groups: the option `group` must name one of %s", path,
              (long long)groups.n, groups.all);
    name = groups.last;
  }
  BLO_CHECK(ctx, name[0] == '/' || H5Lexists(file, name, H5P_DEFAULT) > 0, BLO_E_OPTION,
            "%s has no group \"%s\"; it has: %s", path, name, groups.all);
  *id = H5Gopen2(file, name, H5P_DEFAULT);
  BLO_HDF5_CHECK(ctx, *id > 0, BLO_E_FORMAT, path, "cannot open the group");
  return BLO_OK;
}

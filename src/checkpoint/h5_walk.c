/** @file Walks over an HDF5 file: what is there, and whether all of it is as it was written. */
#include "h5_private.h"
#include <stdio.h>
#include <string.h>

/** A link below `root` that leads somewhere; every group on the way has to be looked for. */
static bool link_exists(blo_h5 *f, const char *path)
{
  char part[1024];
  size_t length = strlen(path);

  if (length >= sizeof part) {
    return false;
  }
  for (size_t i = 1; i <= length; i++) {
    if (path[i] == '/' || path[i] == '\0') {
      snprintf(part, i + 1, "%s", path);
      if (H5Lexists(f->file, part, H5P_DEFAULT) <= 0) {
        return false;
      }
    }
  }
  return true;
}

static bool has(blo_h5 *f, const char *path)
{
  const char *slash = strrchr(path, '/');
  char group[1024] = "/";

  if (strcmp(path, "/") == 0 || link_exists(f, path)) {
    return true;
  }
  if (slash != NULL && slash != path) {
    snprintf(group, sizeof group, "%.*s", (int)(slash - path), path);
  }
  return (strcmp(group, "/") == 0 || link_exists(f, group)) &&
         H5Aexists_by_name(f->file, group, slash != NULL ? slash + 1 : path, H5P_DEFAULT) > 0;
}

bool blo_h5_has(blo_h5 *f, const char *path)
{
  bool found;

  BLO_H5_QUIETLY(found = has(f, path));
  return found;
}

/* ------------------------------------------------------------------ walks */

typedef struct walk {
  blo_h5 *f;
  const char *group;
  blo_h5_visit visit;                              /* for arrays and texts */
  blo_status (*each)(void *arg, const char *path); /* for numbers, or arrays alone */
  void *arg;
  blo_status status;
} walk;

/** The path from the root of the file. */
static blo_status join(const walk *w, const char *name, char **path)
{
  bool at_root = strcmp(w->group, "/") == 0;
  size_t room = strlen(w->group) + strlen(name) + 2;

  BLO_TRY(blo_alloc(w->f->ctx, (blo_int)room, 1, path));
  snprintf(*path, room, "%s%s%s", at_root ? "" : w->group, at_root ? "" : "/", name);
  return BLO_OK;
}

static blo_status visit_object(walk *w, hid_t object, const char *path)
{
  blo_status status = BLO_OK;
  hid_t type = H5I_INVALID_HID;
  H5I_type_t what = H5Iget_type(object);

  if (what == H5I_GROUP) {
    return w->visit(w->arg, path, BLO_H5_GROUP);
  }
  BLO_CHECK_GO(w->f->ctx, what == H5I_DATASET, BLO_E_FORMAT,
               "%s: '%s' is neither a group nor a dataset", w->f->path, path);
  BLO_H5_GO(w->f, (type = H5Dget_type(object)) >= 0, "read", path);
  BLO_GO(w->visit(w->arg, path, H5Tget_class(type) == H5T_STRING ? BLO_H5_TEXT : BLO_H5_ARRAY));
done:
  blo_h5_drop(&type);
  return status;
}

static herr_t visit_link(hid_t root, const char *name, const H5L_info_t *info, void *arg)
{
  walk *w = arg;
  blo_status status = BLO_OK;
  hid_t object = H5I_INVALID_HID;
  char *path = NULL;

  (void)info;
  BLO_GO(join(w, name, &path));
  BLO_H5_GO(w->f, (object = H5Oopen(root, name, H5P_DEFAULT)) >= 0, "open", path);
  BLO_GO(visit_object(w, object, path));
done:
  blo_h5_drop(&object);
  blo_free(w->f->ctx, &path);
  w->status = status;
  return status == BLO_OK ? 0 : 1;
}

static herr_t visit_attribute(hid_t group, const char *name, const H5A_info_t *info, void *arg)
{
  walk *w = arg;
  blo_status status = BLO_OK;
  hid_t attribute = H5I_INVALID_HID, type = H5I_INVALID_HID;
  char *path = NULL;

  (void)info;
  BLO_GO(join(w, name, &path));
  BLO_H5_GO(w->f, (attribute = H5Aopen(group, name, H5P_DEFAULT)) >= 0, "open", path);
  BLO_H5_GO(w->f, (type = H5Aget_type(attribute)) >= 0, "read", path);
  if (H5Tget_class(type) != H5T_STRING) {
    BLO_GO(w->each(w->arg, path));
  }
done:
  blo_h5_drop(&type);
  blo_h5_drop(&attribute);
  blo_free(w->f->ctx, &path);
  w->status = status;
  return status == BLO_OK ? 0 : 1;
}

/** A walk that a callback ended has its status; one that HDF5 ended is damage. */
static blo_status iterate(walk *w, bool numbers)
{
  blo_status status = BLO_OK;
  herr_t result;

  if (!blo_h5_has(w->f, w->group)) {
    return BLO_OK;
  }
  result = numbers ? H5Aiterate_by_name(w->f->file, w->group, H5_INDEX_NAME, H5_ITER_INC, NULL,
                                        visit_attribute, w, H5P_DEFAULT)
                   : H5Lvisit_by_name(w->f->file, w->group, H5_INDEX_NAME, H5_ITER_INC, visit_link,
                                      w, H5P_DEFAULT);
  BLO_GO(w->status);
  BLO_H5_GO(w->f, result >= 0, "walk through", w->group);
done:
  return status;
}

blo_status blo_h5_walk(blo_h5 *f, const char *group, blo_h5_visit visit, void *arg)
{
  blo_status status;
  walk w = {.f = f, .group = group, .visit = visit, .arg = arg};

  BLO_H5_QUIETLY(status = iterate(&w, false));
  return status;
}

static blo_status visit_array(void *arg, const char *path, blo_h5_kind kind)
{
  const walk *w = arg;

  return kind == BLO_H5_ARRAY ? w->each(w->arg, path) : BLO_OK;
}

blo_status blo_h5_each_array(blo_h5 *f, const char *group,
                             blo_status (*each)(void *arg, const char *path), void *arg)
{
  walk w = {.each = each, .arg = arg};

  return blo_h5_walk(f, group, visit_array, &w);
}

blo_status blo_h5_each_number(blo_h5 *f, const char *group,
                              blo_status (*each)(void *arg, const char *path), void *arg)
{
  blo_status status;
  walk w = {.f = f, .group = group, .each = each, .arg = arg};

  BLO_H5_QUIETLY(status = iterate(&w, true));
  return status;
}

/* ----------------------------------------------------------------- verify */

static blo_status verify_text(blo_h5 *f, const char *path)
{
  char *text = NULL;

  BLO_TRY(blo_h5_get_text(f, path, &text));
  blo_free(f->ctx, &text);
  return BLO_OK;
}

/** To open a number is to read it, and HDF5 then compares its own checksum. */
static blo_status meet(void *arg, const char *path)
{
  (void)arg, (void)path;
  return BLO_OK;
}

static blo_status verify_one(void *arg, const char *path, blo_h5_kind kind)
{
  switch (kind) {
  case BLO_H5_ARRAY:
    return blo_h5_verify_array(arg, path);
  case BLO_H5_TEXT:
    return verify_text(arg, path);
  case BLO_H5_GROUP:
    break;
  }
  return blo_h5_each_number(arg, path, meet, NULL);
}

blo_status blo_h5_verify(blo_h5 *f)
{
  BLO_TRY(blo_h5_each_number(f, "/", meet, NULL));
  return blo_h5_walk(f, "/", verify_one, f);
}

/**
 * @file HDF5 files that are whole or absent: written beside their place, synced, renamed.
 *
 * The order file, fsync, rename, fsync of the folder is the one of Pillai et al., "All file systems
 * are not created equal" (OSDI 2014): whatever part of it a crash cuts off, the name shows either
 * the old contents or the new ones.
 */
#include "h5_private.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FORMAT_VERSION = 1, KIND_MAX = 32 };

/* ------------------------------------------------------------ the handle */

static blo_status handle_create(blo_context *ctx, const char *path, bool writing, blo_h5 **out)
{
  enum { SUFFIX_MAX = 32 };
  blo_status status = BLO_OK;
  size_t room = strlen(path) + SUFFIX_MAX;
  blo_h5 *f = NULL;

  BLO_GO(blo_alloc(ctx, 1, sizeof *f, &f));
  *f = (blo_h5){.ctx = ctx,
                .disk.fd = -1,
                .file = H5I_INVALID_HID,
                .make_groups = H5I_INVALID_HID,
                .writing = writing};
  BLO_GO(blo_strdup(ctx, path, &f->path));
  if (writing) {
    BLO_GO(blo_alloc(ctx, (blo_int)room, 1, &f->temporary));
    snprintf(f->temporary, room, "%s" BLO_H5_TEMPORARY "%ld", path, (long)getpid());
  }
  *out = f;
  f = NULL;
done:
  blo_h5_close(&f);
  return status;
}

static blo_status open_disk(blo_h5 *f)
{
  const char *path = f->writing ? f->temporary : f->path;
  int flags = f->writing ? O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC : O_RDONLY | O_CLOEXEC;
  struct stat is = {0};

  BLO_TRY(blo_fault_point(f->ctx, "open"));
  f->disk.fd = open(path, flags, S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH);
  BLO_CHECK(f->ctx, f->disk.fd >= 0, BLO_E_IO, "cannot %s %s: %s", f->writing ? "make" : "open",
            path, strerror(errno));
  BLO_CHECK(f->ctx, fstat(f->disk.fd, &is) == 0 && S_ISREG(is.st_mode), BLO_E_IO,
            "cannot open %s: it is not a file", path);
  return BLO_OK;
}

static blo_status create(blo_context *ctx, const char *path, blo_h5 **out)
{
  blo_status status = BLO_OK;
  hid_t access = H5I_INVALID_HID;
  blo_h5 *f = NULL;

  BLO_GO(handle_create(ctx, path, true, &f));
  BLO_GO(open_disk(f));
  BLO_H5_GO(f, (access = blo_h5_access_list(&f->disk)) >= 0, "set up", path);
  BLO_H5_GO(f, (f->file = H5Fcreate(f->temporary, H5F_ACC_TRUNC, H5P_DEFAULT, access)) >= 0,
            "create", f->temporary);
  BLO_H5_GO(f, (f->make_groups = H5Pcreate(H5P_LINK_CREATE)) >= 0, "set up", path);
  BLO_H5_GO(f, H5Pset_create_intermediate_group(f->make_groups, 1) >= 0, "set up", path);
  *out = f;
  f = NULL;
done:
  blo_h5_drop(&access);
  blo_h5_close(&f);
  return status;
}

blo_status blo_h5_create(blo_context *ctx, const char *path, blo_h5 **out)
{
  blo_status status;

  BLO_H5_QUIETLY(status = create(ctx, path, out));
  return status;
}

void blo_h5_close(blo_h5 **file)
{
  blo_h5 *f = *file;

  if (f == NULL) {
    return;
  }
  BLO_H5_QUIETLY(blo_h5_drop(&f->make_groups); blo_h5_drop(&f->file));
  if (f->disk.fd >= 0) {
    close(f->disk.fd);
  }
  if (f->temporary != NULL) {
    unlink(f->temporary);
  }
  blo_free(f->ctx, &f->path);
  blo_free(f->ctx, &f->temporary);
  blo_free(f->ctx, file);
}

/* ---------------------------------------------------------- kind, reading */

static blo_status put_kind(blo_h5 *f, const char *kind)
{
  BLO_TRY(blo_h5_write_text_attribute(f, f->file, "kind", kind));
  return blo_h5_put_int(f, "format_version", FORMAT_VERSION);
}

static blo_status check_kind(blo_h5 *f, const char *kind)
{
  char found[KIND_MAX] = "";
  blo_int version = 0;
  hid_t type = blo_h5_text_type(sizeof found);
  blo_status status = blo_h5_read_attribute(f, f->file, "kind", H5T_STRING, type, found);

  blo_h5_drop(&type);
  BLO_TRY(status);
  BLO_CHECK(f->ctx, kind == NULL || strcmp(found, kind) == 0, BLO_E_FORMAT,
            "%s is a file of kind '%s'; expected '%s'", f->path, found, kind);
  BLO_TRY(blo_h5_get_int(f, "format_version", &version));
  BLO_CHECK(f->ctx, version == FORMAT_VERSION, BLO_E_FORMAT,
            "%s has format version %lld; this version of ParBLO reads version %d", f->path,
            (long long)version, FORMAT_VERSION);
  return BLO_OK;
}

static blo_status open_to_read(blo_context *ctx, const char *path, const char *kind, blo_h5 **out)
{
  blo_status status = BLO_OK;
  hid_t access = H5I_INVALID_HID;
  blo_h5 *f = NULL;

  BLO_GO(handle_create(ctx, path, false, &f));
  BLO_GO(open_disk(f));
  BLO_GO(blo_h5_check_seal(f));
  BLO_H5_GO(f, (access = blo_h5_access_list(&f->disk)) >= 0, "set up", path);
  BLO_H5_GO(f, (f->file = H5Fopen(path, H5F_ACC_RDONLY, access)) >= 0, "read the HDF5 file", path);
  BLO_GO(check_kind(f, kind));
  *out = f;
  f = NULL;
done:
  blo_h5_drop(&access);
  blo_h5_close(&f);
  return status;
}

blo_status blo_h5_open(blo_context *ctx, const char *path, const char *kind, blo_h5 **out)
{
  blo_status status;

  BLO_H5_QUIETLY(status = open_to_read(ctx, path, kind, out));
  return status;
}

/* ----------------------------------------------------------------- commit */

static blo_status sync_file(blo_h5 *f)
{
  BLO_TRY(blo_fault_point(f->ctx, "sync"));
  BLO_CHECK(f->ctx, fsync(f->disk.fd) == 0, BLO_E_IO, "cannot sync %s: %s", f->temporary,
            strerror(errno));
  return BLO_OK;
}

/** Some file systems cannot sync a folder (EINVAL): there the rename is as durable as it gets. */
static blo_status sync_folder(blo_context *ctx, const char *folder)
{
  int fd, failed, reason;

  BLO_TRY(blo_fault_point(ctx, "sync"));
  fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  failed = fd < 0 || (fsync(fd) != 0 && errno != EINVAL);
  reason = errno;
  if (fd >= 0) {
    close(fd);
  }
  BLO_CHECK(ctx, !failed, BLO_E_IO, "cannot sync the folder %s: %s", folder, strerror(reason));
  return BLO_OK;
}

/** The name is on disk when its folder is: "." if the path has none. */
static blo_status sync_folder_of(blo_context *ctx, const char *path)
{
  blo_status status = BLO_OK;
  char *folder = NULL, *slash;

  BLO_GO(blo_strdup(ctx, path, &folder));
  slash = strrchr(folder, '/');
  if (slash != NULL) {
    slash[slash == folder] = '\0';
  }
  BLO_GO(sync_folder(ctx, slash != NULL ? folder : "."));
done:
  blo_free(ctx, &folder);
  return status;
}

static blo_status move_into_place(blo_h5 *f)
{
  BLO_TRY(blo_fault_point(f->ctx, "rename"));
  BLO_CHECK(f->ctx, rename(f->temporary, f->path) == 0, BLO_E_IO, "cannot rename %s to %s: %s",
            f->temporary, f->path, strerror(errno));
  blo_free(f->ctx, &f->temporary);
  return BLO_OK;
}

static blo_status commit(blo_h5 *f, const char *kind)
{
  blo_status status = BLO_OK;

  BLO_GO(put_kind(f, kind));
  BLO_H5_GO(f, H5Fflush(f->file, H5F_SCOPE_GLOBAL) >= 0, "write", f->temporary);
  BLO_H5_GO(f, blo_h5_drop(&f->file), "close", f->temporary);
  BLO_GO(blo_h5_seal(f));
  BLO_GO(sync_file(f));
  BLO_GO(move_into_place(f));
  BLO_GO(sync_folder_of(f->ctx, f->path));
done:
  return status;
}

blo_status blo_h5_commit(blo_h5 **file, const char *kind)
{
  blo_status status;

  BLO_H5_QUIETLY(status = commit(*file, kind));
  blo_h5_close(file);
  return status;
}

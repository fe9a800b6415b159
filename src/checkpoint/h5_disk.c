/**
 * @file The HDF5 file driver under our files: POSIX calls whose failures we remember ourselves.
 *
 * With HDF5's own driver, a write that fails (disk full) while a file is being closed leaves a
 * half-closed file in the library, over which the process crashes when HDF5 shuts down. This driver
 * therefore takes every write as done, and remembers the first failure; who writes asks for it
 * after each step. It takes no locks: network file systems often have none, and our files change
 * hands by rename.
 */
#include "h5_private.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/** HDF5 knows the driver's part of a disk only; that is its first member. */
static blo_h5_disk *disk_of(H5FD_t *file)
{
  return (blo_h5_disk *)(void *)file;
}

static const blo_h5_disk *const_disk_of(const H5FD_t *file)
{
  return (const blo_h5_disk *)(const void *)file;
}

/** The descriptor is open already; the access list tells where it is. */
static H5FD_t *open_file(const char *name, unsigned flags, hid_t access, haddr_t max)
{
  blo_h5_disk *const *given = H5Pget_driver_info(access);
  struct stat is;

  (void)name, (void)flags, (void)max;
  if (given == NULL || fstat((*given)->fd, &is) != 0) {
    return NULL;
  }
  (*given)->end = (haddr_t)is.st_size;
  return &(*given)->file;
}

/** The descriptor stays open, for fsync. */
static herr_t close_file(H5FD_t *file)
{
  (void)file;
  return 0;
}

static herr_t query(const H5FD_t *file, unsigned long *flags)
{
  (void)file;
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
           H5FD_FEAT_AGGREGATE_SMALLDATA;
  return 0;
}

static haddr_t get_allocated(const H5FD_t *file, H5FD_mem_t type)
{
  (void)type;
  return const_disk_of(file)->allocated;
}

static herr_t set_allocated(H5FD_t *file, H5FD_mem_t type, haddr_t address)
{
  (void)type;
  disk_of(file)->allocated = address;
  return 0;
}

static haddr_t get_end(const H5FD_t *file, H5FD_mem_t type)
{
  (void)type;
  return const_disk_of(file)->end;
}

/** Bytes behind the end of the file are zero, as HDF5 wants it. */
static herr_t read_bytes(H5FD_t *file, H5FD_mem_t type, hid_t how, haddr_t at, size_t size,
                         void *buffer)
{
  blo_h5_disk *disk = disk_of(file);
  char *to = buffer;

  (void)type, (void)how;
  while (size > 0) {
    ssize_t n = pread(disk->fd, to, size, (off_t)at);
    if (n < 0 && errno != EINTR) {
      disk->error = errno;
      return -1;
    }
    if (n == 0) {
      memset(to, 0, size);
      break;
    }
    n = n < 0 ? 0 : n;
    to += n;
    at += (haddr_t)n;
    size -= (size_t)n;
  }
  return 0;
}

static herr_t write_bytes(H5FD_t *file, H5FD_mem_t type, hid_t how, haddr_t at, size_t size,
                          const void *buffer)
{
  blo_h5_disk *disk = disk_of(file);
  const char *from = buffer;

  (void)type, (void)how;
  if (at + size > disk->end) {
    disk->end = at + size;
  }
  while (size > 0 && disk->error == 0) {
    ssize_t n = pwrite(disk->fd, from, size, (off_t)at);
    if (n < 0 && errno != EINTR) {
      disk->error = errno;
    }
    n = n < 0 ? 0 : n;
    from += n;
    at += (haddr_t)n;
    size -= (size_t)n;
  }
  return 0;
}

static herr_t truncate_file(H5FD_t *file, hid_t how, hbool_t closing)
{
  blo_h5_disk *disk = disk_of(file);

  (void)how, (void)closing;
  if (disk->allocated != disk->end && disk->error == 0 &&
      ftruncate(disk->fd, (off_t)disk->allocated) != 0) {
    disk->error = errno;
  }
  disk->end = disk->allocated;
  return 0;
}

static const H5FD_class_t driver = {
#ifdef H5FD_CLASS_VERSION /* from HDF5 1.14 on; 513 is in the range for drivers of applications */
    .version = H5FD_CLASS_VERSION,
    .value = 513,
#endif
    .name = "parblo",
    .maxaddr = INT64_MAX,
    .fc_degree = H5F_CLOSE_STRONG,
    .fapl_size = sizeof(blo_h5_disk *),
    .open = open_file,
    .close = close_file,
    .query = query,
    .get_eoa = get_allocated,
    .set_eoa = set_allocated,
    .get_eof = get_end,
    .read = read_bytes,
    .write = write_bytes,
    .truncate = truncate_file,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

/** HDF5 1.10 is the first whose metadata is checksummed throughout. */
hid_t blo_h5_access_list(blo_h5_disk *disk)
{
  hid_t access = H5Pcreate(H5P_FILE_ACCESS), id = H5FDregister(&driver);

  if (access >= 0 && (id < 0 || H5Pset_driver(access, id, &disk) < 0 ||
                      H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110) < 0 ||
                      H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) < 0)) {
    blo_h5_drop(&access);
  }
  blo_h5_drop(&id); /* the list has its own hold on it */
  return access;
}

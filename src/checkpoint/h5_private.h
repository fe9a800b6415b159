/**
 * @file What the files about one HDF5 file share: the handle, errors with HDF5's reason,
 * attributes.
 *
 * HDF5 prints its errors itself and keeps that switch in a global, so every public function does
 * its work inside BLO_H5_QUIETLY, which restores the switch; the reason goes into our own message.
 */
#ifndef BLO_H5_PRIVATE_H
#define BLO_H5_PRIVATE_H

#include <blo/checkpoint.h>
#include <hdf5.h>

/** Between the name of a file and the number of the process that writes it. */
#define BLO_H5_TEMPORARY ".tmp."

/** What HDF5 reads from and writes to. */
typedef struct blo_h5_disk {
  H5FD_t file; /**< HDF5's part; first, because HDF5 has pointers to it */
  haddr_t allocated, end;
  int fd;
  int error; /**< errno of the first failure */
} blo_h5_disk;

/** How HDF5 opens a file: on this disk, whose descriptor is open. Negative: failed. */
hid_t blo_h5_access_list(blo_h5_disk *disk);

/** The end marker: put it behind what HDF5 has written and closed; compare it before HDF5 reads. */
blo_status blo_h5_seal(blo_h5 *f);
blo_status blo_h5_check_seal(blo_h5 *f);

struct blo_h5 {
  blo_context *ctx;
  blo_h5_disk disk;
  hid_t file;
  hid_t make_groups; /**< link creation list that makes the groups on the way */
  bool writing;
  char *path;      /**< where the file stands, or is to stand */
  char *temporary; /**< where it is being written; NULL once it has been renamed */
};

/** Why the last HDF5 call failed: the operating system's reason, or HDF5's. */
typedef struct blo_h5_reason {
  char text[256];
} blo_h5_reason;
blo_h5_reason blo_h5_why(const blo_h5 *f);

/** Do a statement without HDF5 printing its errors. */
#define BLO_H5_QUIETLY(statement)                                                                  \
  do {                                                                                             \
    H5E_BEGIN_TRY                                                                                  \
    {                                                                                              \
      statement;                                                                                   \
    }                                                                                              \
    H5E_END_TRY                                                                                    \
  } while (0)

/** One step of HDF5's: a place that can fail. `ok` holds the call; failing goes to `done`. */
#define BLO_H5_GO(f, ok, doing, what)                                                              \
  do {                                                                                             \
    BLO_GO(blo_fault_point((f)->ctx, (doing)));                                                    \
    BLO_CHECK_GO((f)->ctx, (ok) && (f)->disk.error == 0, (f)->writing ? BLO_E_IO : BLO_E_FORMAT,   \
                 "%s: cannot %s '%s': %s", (f)->path, (doing), (what), blo_h5_why(f).text);        \
  } while (0)

/** Close an object of HDF5's if it is open. @return false if that failed: data may be lost */
bool blo_h5_drop(hid_t *id);

/** Put one value, or read it if it has this class and size, as an attribute of an open object. */
blo_status blo_h5_write_attribute(blo_h5 *f, hid_t owner, const char *name, hid_t stored,
                                  hid_t given, const void *value);
blo_status blo_h5_read_attribute(blo_h5 *f, hid_t owner, const char *name, H5T_class_t kind,
                                 hid_t wanted, void *value);
/** Put a short text as an attribute; `text` NULL puts none. */
blo_status blo_h5_write_text_attribute(blo_h5 *f, hid_t owner, const char *name, const char *text);

/** The type of a text as it is stored: its bytes and the closing zero, UTF-8. Negative: failed. */
hid_t blo_h5_text_type(size_t size);

/** The attribute "crc32" of a dataset: write it, or compare it with that of what was read. */
blo_status blo_h5_write_crc(blo_h5 *f, hid_t dataset, uint32_t crc);
blo_status blo_h5_check_crc(blo_h5 *f, hid_t dataset, const char *path, uint32_t found);

/** What an array is like; only one of one dimension can be chunked. */
typedef struct blo_h5_shape {
  int n_dims;
  hsize_t dim[BLO_H5_DIMS_MAX];
  bool chunked;
} blo_h5_shape;
blo_h5_shape blo_h5_shape_of(int n_dims, const blo_int *dim);
/** Make the dataset of an array, or open it if it is one of doubles. */
blo_status blo_h5_create_array(blo_h5 *f, const char *path, const blo_h5_shape *shape,
                               hid_t *dataset);
blo_status blo_h5_open_array(blo_h5 *f, const char *path, hid_t *dataset, blo_h5_shape *shape);
/** Rows in a panel: 8 MiB of them, one at least, n_rows at most (but for none). */
blo_int blo_h5_panel_rows(blo_int n_rows, blo_int row_size);
/** Read an array, a panel at a time, and compare its crc32. */
blo_status blo_h5_verify_array(blo_h5 *f, const char *path);

/** What blo_h5_walk() meets. */
typedef enum blo_h5_kind { BLO_H5_GROUP, BLO_H5_ARRAY, BLO_H5_TEXT } blo_h5_kind;
typedef blo_status (*blo_h5_visit)(void *arg, const char *path, blo_h5_kind kind);
/** Call `visit` for all that is below a group, by name; nothing if there is no group. */
blo_status blo_h5_walk(blo_h5 *f, const char *group, blo_h5_visit visit, void *arg);
/** Call `each` with the path of every number of a group; nothing if there is no group. */
blo_status blo_h5_each_number(blo_h5 *f, const char *group,
                              blo_status (*each)(void *arg, const char *path), void *arg);
#endif

/** @file ParBLO's HDF5 layout for data (docs/data-format.md). For this layer only. */
#ifndef BLO_HDF5_PRIVATE_H
#define BLO_HDF5_PRIVATE_H

#include "classes.h"
#include <hdf5.h>

#define BLO_HDF5_FORMAT "parblo-data"
enum { BLO_HDF5_VERSION = 1 };

/** Bytes of a chunk, about, and of what is read at once. */
enum { BLO_HDF5_PIECE = 1 << 20 };

/* ------------------------------------------------------- errors of HDF5 */

/** How HDF5 reported its errors before we silenced it. */
typedef struct blo_hdf5_report {
  H5E_auto2_t print;
  void *data;
} blo_hdf5_report;

/** Keep HDF5 from printing its errors; they go into our messages instead. Call: Local. */
void blo_hdf5_silence(blo_hdf5_report *was);
/** Let HDF5 report as it did before. Call: Local. */
void blo_hdf5_restore(const blo_hdf5_report *was);
/** As blo_fail(), with the text "path: what: reason", the reason being HDF5's own. */
blo_status blo_hdf5_fail(blo_context *ctx, blo_status status, const char *file, int line,
                         const char *path, const char *what);

/** Fail with HDF5's reason unless `cond`. */
#define BLO_HDF5_CHECK(ctx, cond, status, path, what)                                              \
  do {                                                                                             \
    if (!(cond)) {                                                                                 \
      return blo_hdf5_fail((ctx), (status), __FILE__, __LINE__, (path), (what));                   \
    }                                                                                              \
  } while (0)

/** As BLO_HDF5_CHECK, to the label `done`. */
#define BLO_HDF5_CHECK_GO(ctx, cond, code, path, what)                                             \
  do {                                                                                             \
    if (!(cond)) {                                                                                 \
      status = blo_hdf5_fail((ctx), (code), __FILE__, __LINE__, (path), (what));                   \
      goto done;                                                                                   \
    }                                                                                              \
  } while (0)

/** Close an id of the kind that `closer` closes, if it is one, and forget it. */
static inline void blo_hdf5_close(hid_t *id, herr_t (*closer)(hid_t))
{
  if (*id > 0) {
    closer(*id);
  }
  *id = 0;
}

/* -------------------------------------------------------------- reading */

/** A dataset [length] or [length][width]; a unit is a number or a row of numbers. */
typedef struct blo_hdf5_dataset {
  const char *name;
  hid_t id, memory_type;
  blo_int length, width; /**< width 0: one-dimensional */
  size_t unit_bytes;     /**< of a unit in memory */
} blo_hdf5_dataset;

/** An open group with data. */
typedef struct blo_hdf5_data {
  blo_context *ctx;
  char *path;
  hid_t file, group;
  blo_table *head; /**< sizes, storage and classes; no rows */
  blo_classes classes;
  blo_hdf5_dataset features;                 /**< dense */
  blo_hdf5_dataset row_start, column, value; /**< sparse */
  blo_hdf5_dataset label;
} blo_hdf5_data;

/**
 * Open a group of a file and read its header: sizes, storage, classes.
 * @param[in] group  "" for the only one
 * @return BLO_OK; BLO_E_IO; BLO_E_FORMAT; BLO_E_OPTION (no such group); BLO_E_DATA (the classes are
 *         not those of the rules); BLO_E_MEMORY. Call: Local.
 */
blo_status blo_hdf5_open(blo_context *ctx, const char *path, const char *group,
                         const blo_rules *rules, blo_hdf5_data **out);
/** Close it. NULL is accepted. Call: Local. */
void blo_hdf5_close_data(blo_hdf5_data **data);
/** Units of a dataset that are read or kept in a chunk together: about BLO_HDF5_PIECE bytes. */
static inline blo_int blo_hdf5_piece(size_t unit_bytes)
{
  return unit_bytes < BLO_HDF5_PIECE ? BLO_HDF5_PIECE / (blo_int)unit_bytes : 1;
}
/** Read the units [begin, begin + n) of a dataset. Call: Local. */
blo_status blo_hdf5_read_block(const blo_hdf5_data *data, const blo_hdf5_dataset *d, blo_int begin,
                               blo_int n, void *to);
/**
 * Read rows, in any order. Call: Local.
 * @param[in] rows [n], within the table; NULL: the rows 0..n-1
 */
blo_status blo_hdf5_read(blo_hdf5_data *data, const blo_int *rows, blo_int n, blo_table **out);

/** Open a file read-only. @return BLO_OK; BLO_E_IO; BLO_E_FORMAT. Call: Local. */
blo_status blo_hdf5_open_file(blo_context *ctx, const char *path, hid_t *file);

/* Parts of opening, in hdf5_group.c. */

/** Whether the file says that it has ParBLO's layout; a version that is not known is an error. */
blo_status blo_hdf5_check_format(blo_context *ctx, hid_t file, const char *path, bool *ours);

/** Find and open the group. @param[out] ours  the file says that it has ParBLO's layout */
blo_status blo_hdf5_open_group(blo_context *ctx, hid_t file, const char *path, const char *group,
                               hid_t *id, bool *ours);
/** Read an integer attribute of an object. */
blo_status blo_hdf5_read_int(blo_context *ctx, hid_t object, const char *path, const char *name,
                             blo_int *value);
/** Read a text attribute of an object. @param[out] text [cap] */
blo_status blo_hdf5_read_text(blo_context *ctx, hid_t object, const char *path, const char *name,
                              char *text, size_t cap);
/** True if the group has a dataset of that name. */
bool blo_hdf5_has_dataset(hid_t group, const char *name);
/** The first of the names of which the group has a dataset; the first one if it has none. */
const char *blo_hdf5_find_name(hid_t group, const char *const *names);
/** Names under which files of others have features, and labels; NULL-terminated. */
extern const char *const blo_hdf5_feature_names[], *const blo_hdf5_label_names[];
/** The name of a storage in files: "u8", "f32", "f64", "csr", "tokens". */
const char *blo_hdf5_storage_name(const blo_table *table);

/* Vocabularies, in hdf5_vocabulary.c: a dataset of texts of a fixed length in the root group. */

#define BLO_HDF5_VOCABULARY "vocabulary"

#endif

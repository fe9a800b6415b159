/**
 * @file
 * checkpoint: HDF5 files that are whole or absent, tables of recorded columns, and checkpoints.
 *
 * A file is written beside its place, flushed, synced and renamed (with the folder synced), with
 * checksummed metadata (HDF5's latest format), a crc32 on every array and an end marker. So a
 * reader sees either the old file or the new one, never a part, and damage is always noticed.
 *
 * A checkpoint is a walk over a blo_state (state.h): vectors and matrices in global order, so that
 * any number of ranks and any process grid can read it. It knows nothing of algorithms.
 */
#ifndef BLO_CHECKPOINT_H
#define BLO_CHECKPOINT_H

#include <blo/options.h>
#include <blo/state.h>

/* ------------------------------------------------- writing one HDF5 file */

/** A file being written or read, on one rank. All functions on it are Local. */
typedef struct blo_h5 blo_h5;

/** Begin to write `path` (under a temporary name beside it). @return BLO_OK; BLO_E_IO; BLO_E_MEMORY
 */
BLO_API BLO_MUST_USE blo_status blo_h5_create(blo_context *ctx, const char *path, blo_h5 **out);
/** Open for reading; checks that the file ends with its end marker and is of kind `kind` ("run",
 *  "checkpoint"; NULL: any). @return BLO_OK; BLO_E_IO; BLO_E_FORMAT naming the file */
BLO_API BLO_MUST_USE blo_status blo_h5_open(blo_context *ctx, const char *path, const char *kind,
                                            blo_h5 **out);
/** Put the end marker (attribute `kind`, format version), flush, sync, rename. Frees the handle
 *  in any case; on failure the temporary file is gone and an older file stands (if only the sync
 *  of the folder fails, the new one). @return BLO_OK; BLO_E_IO; BLO_E_MEMORY */
BLO_API BLO_MUST_USE blo_status blo_h5_commit(blo_h5 **file, const char *kind);
/** Close without keeping what was written; or close a file that was read. NULL is accepted. */
BLO_API void blo_h5_close(blo_h5 **file);
/** True if `path` is the temporary file of a process that no longer runs on this host, or one that
 *  nobody has written to for a day (its process may have run on another host). */
BLO_API bool blo_h5_is_abandoned(const char *path);

/** A text or a number under a path such as "config/resolved"; groups are made on the way. A number
 *  is an attribute of its group; a text a scalar dataset with its crc32. @return BLO_OK; BLO_E_IO;
 *  BLO_E_MEMORY */
BLO_API BLO_MUST_USE blo_status blo_h5_put_text(blo_h5 *f, const char *path, const char *text);
BLO_API BLO_MUST_USE blo_status blo_h5_put_int(blo_h5 *f, const char *path, blo_int value);
BLO_API BLO_MUST_USE blo_status blo_h5_put_double(blo_h5 *f, const char *path, double value);
/** An array [n] of doubles, with its crc32; `unit` and `help` become the attributes "units" and
 *  "long_name" if not NULL.
 *  `chunked` makes it extendible, compressed and gives it a dimension scale named `along`
 *  (path of another array of that length) if not NULL. */
BLO_API BLO_MUST_USE blo_status blo_h5_put_array(blo_h5 *f, const char *path, const double *data,
                                                 blo_int n, bool chunked, const char *unit,
                                                 const char *help, const char *along);
/** The same for an array of 1 to BLO_H5_DIMS_MAX dimensions, the last one fastest, not chunked.
 *  @param[in] dim [n_dims]  @param[in] data [product of dim] */
enum { BLO_H5_DIMS_MAX = 5 };
BLO_API BLO_MUST_USE blo_status blo_h5_put_tensor(blo_h5 *f, const char *path, const double *data,
                                                  int n_dims, const blo_int *dim, const char *unit,
                                                  const char *help);
/** Read what was put; a text is freed with blo_free(). @return BLO_OK; BLO_E_FORMAT if it is
 * absent, damaged or of another kind; BLO_E_MEMORY */
BLO_API BLO_MUST_USE blo_status blo_h5_get_text(blo_h5 *f, const char *path, char **text);
BLO_API BLO_MUST_USE blo_status blo_h5_get_int(blo_h5 *f, const char *path, blo_int *value);
BLO_API BLO_MUST_USE blo_status blo_h5_get_double(blo_h5 *f, const char *path, double *value);
/** Numbers of an array. @return BLO_OK; BLO_E_FORMAT if there is none */
BLO_API BLO_MUST_USE blo_status blo_h5_array_size(blo_h5 *f, const char *path, blo_int *n);
/** Dimensions of an array. @param[out] dim  [n_dims]
 *  @return BLO_OK; BLO_E_FORMAT if there is none */
BLO_API BLO_MUST_USE blo_status blo_h5_array_dims(blo_h5 *f, const char *path, int *n_dims,
                                                  blo_int dim[BLO_H5_DIMS_MAX]);
/** Read an array of exactly n numbers and verify its crc32. @return BLO_OK; BLO_E_FORMAT */
BLO_API BLO_MUST_USE blo_status blo_h5_get_array(blo_h5 *f, const char *path, double *data,
                                                 blo_int n);
/**
 * An array that is written or read by rows, the indices of its first dimension, a few at a time: so
 * it need not be in memory as a whole. In the file it is an array as blo_h5_put_tensor() makes it.
 */
typedef struct blo_h5_rows blo_h5_rows;
/** Begin to write an array of 1 to BLO_H5_DIMS_MAX dimensions. It is closed before the file is.
 *  @param[in] dim [n_dims]  @return BLO_OK; BLO_E_IO; BLO_E_MEMORY */
BLO_API BLO_MUST_USE blo_status blo_h5_rows_create(blo_h5 *f, const char *path, int n_dims,
                                                   const blo_int *dim, blo_h5_rows **out);
/** Begin to read an array; blo_h5_array_dims() tells its dimensions. It is closed before the file
 *  is. @return BLO_OK; BLO_E_FORMAT if there is none; BLO_E_MEMORY */
BLO_API BLO_MUST_USE blo_status blo_h5_rows_open(blo_h5 *f, const char *path, blo_h5_rows **out);
/** Write, or read, the next n rows, the last dimension fastest; there must be so many.
 *  @param rows [n][product of the other dimensions]  @return BLO_OK; BLO_E_IO; BLO_E_FORMAT */
BLO_API BLO_MUST_USE blo_status blo_h5_rows_put(blo_h5_rows *r, blo_int n, const double *rows);
BLO_API BLO_MUST_USE blo_status blo_h5_rows_get(blo_h5_rows *r, blo_int n, double *rows);
/** After the last row: write the crc32, or compare it; nothing that was read is certain before.
 *  @return BLO_OK; BLO_E_IO; BLO_E_FORMAT */
BLO_API BLO_MUST_USE blo_status blo_h5_rows_finish(blo_h5_rows *r);
/** Free it, finished or not. NULL is accepted. */
BLO_API void blo_h5_rows_close(blo_h5_rows **rows);
/** True if the path exists. */
BLO_API bool blo_h5_has(blo_h5 *f, const char *path);
/** Names below a group: calls `each` with the path of every array, by name; none if there is no
 * such group. A status other than BLO_OK ends the walk and is returned. */
BLO_API BLO_MUST_USE blo_status blo_h5_each_array(blo_h5 *f, const char *group,
                                                  blo_status (*each)(void *arg, const char *path),
                                                  void *arg);

/** Read everything there is and compare the checksums. @return BLO_OK; BLO_E_FORMAT naming the file
 *  and what is damaged; BLO_E_MEMORY */
BLO_API BLO_MUST_USE blo_status blo_h5_verify(blo_h5 *f);

/* --------------------------------------------------------------- columns */

/** One recorded quantity. Texts are borrowed. */
typedef struct blo_column {
  const char *name, *unit, *help;
} blo_column;

/** Rows of numbers, one column each quantity; the first column is the axis of the others. */
typedef struct blo_columns {
  blo_context *ctx;
  const blo_column *column; /**< [n_columns], borrowed */
  blo_int n_columns, n_rows, cap;
  double *data; /**< [cap][n_columns] */
} blo_columns;

/* All Local. */

/** Make an empty table. @return BLO_OK; BLO_E_MEMORY */
BLO_API BLO_MUST_USE blo_status blo_columns_create(blo_context *ctx, const blo_column *column,
                                                   blo_int n_columns, blo_columns **out);
/** Free it. NULL is accepted. */
BLO_API void blo_columns_destroy(blo_columns **columns);
/** Append a row. @param[in] row [n_columns]. @return BLO_OK; BLO_E_MEMORY */
BLO_API BLO_MUST_USE blo_status blo_columns_append(blo_columns *columns, const double *row);
/** Write all columns below `group` as extendible arrays with units and dimension scales. */
BLO_API BLO_MUST_USE blo_status blo_columns_write(const blo_columns *columns, blo_h5 *f,
                                                  const char *group);
/** Replace the rows by those in the file; all columns must be there. */
BLO_API BLO_MUST_USE blo_status blo_columns_read(blo_columns *columns, blo_h5 *f,
                                                 const char *group);

/* ------------------------------------------------------------ checkpoints */

enum { BLO_NOTE_MAX = 256 };

/** What a checkpoint holds besides the state. At saving given by the caller, at loading filled. */
typedef struct blo_snapshot {
  blo_int iteration;
  const char *problem, *solver; /**< names of the types */
  uint64_t fingerprint;         /**< of the problem's data */
  const char *config;           /**< the resolved configuration, as YAML text */
  const char *version;          /**< of ParBLO */
  char *note; /**< [BLO_NOTE_MAX] words that go with the state, or NULL; "" if a file has none */
  blo_state *state;
  blo_columns *history; /**< on the root; NULL elsewhere or if there is none */
} blo_snapshot;

/**
 * Save to <folder>/<name>.ckpt.<iteration, 12 digits>.h5 and delete all but the newest `keep` >= 1.
 * Checkpoints of later iterations (a resume from an earlier point leaves them) neither count nor
 * go; one that cannot be deleted is named in the log.
 *
 * Call  Collective. @param[out] path [cap] where it stands
 * Cost  a gather of every vector; matrices go to the root in panels of rows of at most 8 MiB (one
 *       row at least), for which the root needs room for four panels, the others for one
 * @return BLO_OK; BLO_E_IO (older checkpoints then still stand); BLO_E_MEMORY
 */
BLO_API BLO_MUST_USE blo_status blo_checkpoint_save(blo_comm *comm, const char *folder,
                                                    const char *name, blo_int keep,
                                                    const blo_snapshot *snap, char *path,
                                                    size_t cap);
/**
 * Find what to resume from: `where` is a checkpoint file or a folder. In a folder the newest
 * checkpoint that verifies is taken (all arrays are read and their crc32 compared); each damaged
 * one is named in an error line of the log. A damaged file that was named itself is an error,
 * unless an older one of the same run beside it verifies: that is then taken, and said. A folder
 * with checkpoints of several runs does not tell which one is meant.
 *
 * Call  Collective. @param[out] path [cap]  @param[out] config text of the configuration, free with
 *       blo_free  @return BLO_OK; BLO_E_IO if there is none; BLO_E_OPTION naming the runs if there
 * are several; BLO_E_FORMAT if none verifies; BLO_E_MEMORY
 */
BLO_API BLO_MUST_USE blo_status blo_checkpoint_find(blo_comm *comm, const char *where, char *path,
                                                    size_t cap, char **config);
/**
 * Load the state. Every entry of snap->state must be there with its kind and dimensions, and
 * nothing else. Matrices may have been saved from another grid.
 *
 * Call  Collective. @param[in,out] snap  problem, solver and fingerprint are compared; state and
 *       history (root) are filled, iteration is set
 * @return BLO_OK; BLO_E_MISMATCH naming what differs, with both values (the state is then as it
 * was); BLO_E_FORMAT; BLO_E_IO; BLO_E_MEMORY
 */
BLO_API BLO_MUST_USE blo_status blo_checkpoint_load(blo_comm *comm, const char *path,
                                                    blo_snapshot *snap);

#endif

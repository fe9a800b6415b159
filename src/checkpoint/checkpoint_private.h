/** @file What save, find and load share: where things are in a checkpoint, and names of files. */
#ifndef BLO_CHECKPOINT_PRIVATE_H
#define BLO_CHECKPOINT_PRIVATE_H

#include "h5_private.h"

/** The kind of file that a checkpoint is. */
#define BLO_CKPT_KIND "checkpoint"

/* Paths in a checkpoint. */
#define BLO_CKPT_ITERATION   "iteration"
#define BLO_CKPT_PROBLEM     "problem"
#define BLO_CKPT_SOLVER      "solver"
#define BLO_CKPT_FINGERPRINT "fingerprint"
#define BLO_CKPT_CONFIG      "config"
#define BLO_CKPT_VERSION     "version"
#define BLO_CKPT_NOTE        "note"
#define BLO_CKPT_STATE       "state"
#define BLO_CKPT_HISTORY     "history"

enum { BLO_CKPT_PATH_MAX = 512, BLO_CKPT_FINGERPRINT_MAX = 20 };

/** The path of a state entry. @param[out] path [BLO_CKPT_PATH_MAX] */
void blo_ckpt_entry_path(const blo_state_entry *entry, char *path);
/** The text of a fingerprint. @param[out] text [BLO_CKPT_FINGERPRINT_MAX] */
void blo_ckpt_fingerprint_text(uint64_t fingerprint, char *text);

/** Room for moving the vectors and matrices of a state between the ranks and the root. */
typedef struct blo_ckpt_room blo_ckpt_room;
/** Take it; free it (NULL is accepted). Local. */
blo_status blo_ckpt_room_create(blo_comm *comm, const blo_state *state, blo_ckpt_room **out);
void blo_ckpt_room_destroy(blo_ckpt_room **room);
/** At the root: room for the largest vector; NULL elsewhere. */
double *blo_ckpt_room_vec(const blo_ckpt_room *room);
/**
 * Put a matrix [m][n] into the root's file, or get it from there: a dataset with its rows in order.
 * Collective; but the status is the rank's own, not agreed.
 * @param f  the file; NULL at other ranks, and at the root if it takes part only
 */
blo_status blo_ckpt_put_dense(blo_ckpt_room *room, const blo_dense *a, blo_h5 *f, const char *path);
blo_status blo_ckpt_get_dense(blo_ckpt_room *room, blo_dense *a, blo_h5 *f, const char *path);

/** A file in a folder that belongs to checkpoints. */
typedef struct blo_ckpt_file {
  char *path;
  blo_int iteration;
  size_t run_length; /**< of the name of the run, with which the file's name begins */
  bool temporary;    /**< being written, or left by a process that ended while it was writing */
} blo_ckpt_file;

typedef struct blo_ckpt_list {
  blo_context *ctx;
  blo_int n, cap;
  blo_ckpt_file *file;
} blo_ckpt_list;

/** An empty list; add a file, whose path is copied; free. All Local. */
blo_status blo_ckpt_list_create(blo_context *ctx, blo_ckpt_list **out);
void blo_ckpt_list_destroy(blo_ckpt_list **list);
blo_status blo_ckpt_list_add(blo_ckpt_list *list, const char *path, blo_ckpt_file is);
/** Add the files of a folder, sort the list newest first. `run` (NULL: any) [run_length] is the
 *  name of the run. */
blo_status blo_ckpt_list_folder(blo_ckpt_list *list, const char *folder, const char *run,
                                size_t run_length);
/** The part of a path after its last slash. */
const char *blo_ckpt_base_name(const char *path);
/** Read "<run>.ckpt.<iteration>.h5", also with ".tmp.<number>" after it. @return false if it is
 *  something else */
bool blo_ckpt_parse_name(const char *name, blo_ckpt_file *is);

#endif

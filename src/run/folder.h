/**
 * @file
 * The output folder: made, tried and, if the run does not start, removed again; and what an earlier
 * run of the same name has left in it. All Local, on the root.
 */
#ifndef BLO_RUN_FOLDER_H
#define BLO_RUN_FOLDER_H

#include <blo/run.h>

enum { BLO_PATH_CAP = 1024 };

typedef struct blo_folder {
  char path[BLO_PATH_CAP];
  size_t made_from; /**< path[0..made_from) was there before; 0: nothing was made */
} blo_folder;

/** Make the folder and its missing parents and see that a file can be written in it.
 *  @return BLO_OK; BLO_E_IO "cannot write to ..." */
BLO_MUST_USE blo_status blo_folder_make(blo_context *ctx, const char *path, blo_folder *folder);
/** Remove the folders that blo_folder_make() has made, as far as they are empty. */
void blo_folder_unmake(blo_folder *folder);

/** True if both paths lead to one folder. */
bool blo_folder_same(const char *one, const char *other);

/** "<folder>/<name>.h5". @return BLO_OK; BLO_E_OPTION if it is too long, or the path of a
 * checkpoint being written would be */
BLO_MUST_USE blo_status blo_run_path(blo_context *ctx, const char *folder, const char *name,
                                     char path[BLO_PATH_CAP]);

/** True if a file of that name is a checkpoint of the run `name`. */
bool blo_run_owns(const char *file, const char *name);
/** Refuse if the folder has checkpoints of an unfinished run of that name.
 *  @return BLO_OK; BLO_E_OPTION saying what to do */
BLO_MUST_USE blo_status blo_earlier_check(blo_context *ctx, const char *folder, const char *name);
/** Remove the checkpoints of an earlier run of that name, so that none of them is taken for one of
 *  the run that starts now. @return BLO_OK; BLO_E_IO */
BLO_MUST_USE blo_status blo_earlier_remove(blo_context *ctx, const char *folder, const char *name);
/** Remove temporary files that a run of that name left when it was killed; not those of one that is
 *  running. @return BLO_OK; BLO_E_IO */
BLO_MUST_USE blo_status blo_leftovers_remove(blo_context *ctx, const char *folder,
                                             const char *name);

#endif

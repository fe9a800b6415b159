/** @file Saving a checkpoint: the root writes, entry by entry; the older ones are thinned out. */
#include "checkpoint_private.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---------------------------------------------------------------- writing */

static blo_status put_identity(blo_h5 *f, const blo_snapshot *snap)
{
  char fingerprint[BLO_CKPT_FINGERPRINT_MAX];

  blo_ckpt_fingerprint_text(snap->fingerprint, fingerprint);
  BLO_TRY(blo_h5_put_int(f, BLO_CKPT_ITERATION, snap->iteration));
  BLO_TRY(blo_h5_put_text(f, BLO_CKPT_PROBLEM, snap->problem));
  BLO_TRY(blo_h5_put_text(f, BLO_CKPT_SOLVER, snap->solver));
  BLO_TRY(blo_h5_put_text(f, BLO_CKPT_FINGERPRINT, fingerprint));
  BLO_TRY(blo_h5_put_text(f, BLO_CKPT_CONFIG, snap->config));
  BLO_TRY(blo_h5_put_text(f, BLO_CKPT_NOTE, snap->note != NULL ? snap->note : ""));
  return blo_h5_put_text(f, BLO_CKPT_VERSION, snap->version);
}

/** What comes before the state: room on every rank; at the root the file. */
static blo_status begin(blo_comm *comm, const char *path, const blo_snapshot *snap,
                        blo_ckpt_room **room, blo_h5 **f)
{
  BLO_TRY(blo_ckpt_room_create(comm, snap->state, room));
  if (blo_comm_rank(comm) != BLO_ROOT) {
    return BLO_OK;
  }
  BLO_TRY(blo_h5_create(blo_comm_context(comm), path, f));
  return put_identity(*f, snap);
}

static blo_status put_vec(blo_ckpt_room *room, const blo_vec *v, blo_h5 *f, const char *path)
{
  double *all = blo_ckpt_room_vec(room);

  blo_vec_gather(v, all);
  return f == NULL ? BLO_OK
                   : blo_h5_put_array(f, path, all, blo_space_n(v->space), false, NULL, NULL, NULL);
}

/** @param f  NULL if this rank does not write, but takes part */
static blo_status put_entry(blo_ckpt_room *room, const blo_state_entry *entry, blo_h5 *f)
{
  char path[BLO_CKPT_PATH_MAX];

  blo_ckpt_entry_path(entry, path);
  switch (entry->kind) {
  case BLO_STATE_VEC:
    return put_vec(room, entry->at.vec, f, path);
  case BLO_STATE_DENSE:
    return blo_ckpt_put_dense(room, entry->at.dense, f, path);
  case BLO_STATE_INT:
    return f == NULL ? BLO_OK : blo_h5_put_int(f, path, *entry->at.integer);
  case BLO_STATE_DOUBLE:
    break;
  }
  return f == NULL ? BLO_OK : blo_h5_put_double(f, path, *entry->at.number);
}

/**
 * Every rank takes part in moving every entry, also when the root can no longer write: so the
 * root's status needs no agreement on the way.
 * @return the root's status, not agreed
 */
static blo_status put_state(blo_ckpt_room *room, const blo_state *state, blo_h5 *f)
{
  blo_status status = BLO_OK;

  for (blo_int i = 0; i < blo_state_count(state); i++) {
    blo_status put = put_entry(room, blo_state_get(state, i), status == BLO_OK ? f : NULL);
    status = status == BLO_OK ? put : status;
  }
  return status;
}

static blo_status finish(blo_h5 **f, const blo_snapshot *snap)
{
  if (snap->history != NULL) {
    BLO_TRY(blo_columns_write(snap->history, *f, BLO_CKPT_HISTORY));
  }
  return blo_h5_commit(f, BLO_CKPT_KIND);
}

/* --------------------------------------------------------------- thinning */

/** A file that cannot be removed costs room, not the checkpoint: it is named and left. */
static void remove_file(blo_context *ctx, const char *path)
{
  if (unlink(path) != 0 && errno != ENOENT) {
    blo_log(ctx, BLO_LOG_ERROR, "checkpoint", "cannot remove the older file %s: %s", path,
            strerror(errno));
  }
}

/**
 * Remove what is older than the newest `keep` and temporary files of runs that were killed. Files
 * that another process is writing are left, and so are those of later iterations: they come from
 * before a resume from an earlier point, and must not push out the file that was just written.
 */
static blo_status remove_older(blo_context *ctx, const char *folder, const char *name, blo_int keep,
                               blo_int iteration)
{
  blo_status status = BLO_OK;
  blo_ckpt_list *list = NULL;
  blo_int n_kept = 0;

  BLO_GO(blo_ckpt_list_create(ctx, &list));
  BLO_GO(blo_ckpt_list_folder(list, folder, name, strlen(name)));
  for (blo_int i = 0; i < list->n; i++) {
    const blo_ckpt_file *file = list->file + i;
    if (file->iteration > iteration) {
      continue;
    }
    if (file->temporary ? blo_h5_is_abandoned(file->path) : n_kept >= keep) {
      remove_file(ctx, file->path);
    }
    n_kept += !file->temporary;
  }
done:
  blo_ckpt_list_destroy(&list);
  return status;
}

/** The checkpoint stands already: what goes wrong here is said, and tried again after the next. */
static void thin_out(blo_context *ctx, const char *folder, const char *name, blo_int keep,
                     blo_int iteration)
{
  if (remove_older(ctx, folder, name, keep, iteration) != BLO_OK) {
    blo_log(ctx, BLO_LOG_ERROR, "checkpoint", "older checkpoints of '%s' in %s stay: %s", name,
            folder, blo_error_text(ctx));
  }
}

/* ------------------------------------------------------------------- save */

static blo_status save(blo_comm *comm, const char *folder, const char *name, blo_int keep,
                       const blo_snapshot *snap, const char *path)
{
  blo_context *ctx = blo_comm_context(comm);
  bool root = blo_comm_rank(comm) == BLO_ROOT;
  blo_status status = BLO_OK;
  blo_h5 *f = NULL;
  blo_ckpt_room *room = NULL;

  BLO_GO_ALL(comm, begin(comm, path, snap, &room, &f));
  status = put_state(room, snap->state, f);
  if (root && status == BLO_OK) {
    status = finish(&f, snap);
  }
  if (root && status == BLO_OK) {
    thin_out(ctx, folder, name, keep, snap->iteration);
  }
  BLO_GO(blo_agree_from(comm, BLO_ROOT, status));
done:
  blo_h5_close(&f);
  blo_ckpt_room_destroy(&room);
  return status;
}

blo_status blo_checkpoint_save(blo_comm *comm, const char *folder, const char *name, blo_int keep,
                               const blo_snapshot *snap, char *path, size_t cap)
{
  blo_context *ctx = blo_comm_context(comm);
  int length =
      snprintf(path, cap, "%s/%s.ckpt.%012lld.h5", folder, name, (long long)snap->iteration);
  blo_phase before;
  blo_status status;

  BLO_BUG_IF(keep < 1, "keeping %lld checkpoints would keep none", (long long)keep);
  BLO_CHECK(ctx, length >= 0 && (size_t)length < cap, BLO_E_IO,
            "the path of the checkpoint has %d bytes; there is room for %zu: %s/%s...", length,
            cap - 1, folder, name);
  before = blo_phase_enter(ctx, BLO_PHASE_FILE);
  status = save(comm, folder, name, keep, snap, path);
  blo_phase_enter(ctx, before);
  return status;
}

/** @file Loading a checkpoint: nothing is changed before all that identifies it has been compared.
 */
#include "checkpoint_private.h"
#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------- comparison */

/** Compare one text of the file with what this run has; `advice` says what to do. */
static blo_status compare_text(blo_h5 *f, const char *path, const char *mine, const char *what,
                               const char *advice)
{
  blo_status status = BLO_OK;
  char *found = NULL;

  BLO_GO(blo_h5_get_text(f, path, &found));
  BLO_CHECK_GO(f->ctx, strcmp(found, mine) == 0, BLO_E_MISMATCH,
               "checkpoint %s is of %s '%s', this run has '%s'; %s", f->path, what, found, mine,
               advice);
done:
  blo_free(f->ctx, &found);
  return status;
}

static blo_status compare_identity(blo_h5 *f, const blo_snapshot *snap)
{
  char fingerprint[BLO_CKPT_FINGERPRINT_MAX];

  blo_ckpt_fingerprint_text(snap->fingerprint, fingerprint);
  BLO_TRY(compare_text(f, BLO_CKPT_PROBLEM, snap->problem, "problem",
                       "resume with the configuration that it was made with"));
  BLO_TRY(compare_text(f, BLO_CKPT_SOLVER, snap->solver, "solver",
                       "resume with the configuration that it was made with"));
  return compare_text(f, BLO_CKPT_FINGERPRINT, fingerprint, "other data: fingerprint",
                      "resume with the data files that it was made with, or start a new run");
}

static const char *const kind_names[] = {
    [BLO_STATE_VEC] = "vector", [BLO_STATE_INT] = "integer", [BLO_STATE_DOUBLE] = "number"};

/** The file has the entry with its kind and size. A wrong kind shows itself as unreadable. */
static blo_status compare_entry(blo_h5 *f, const blo_state_entry *entry)
{
  char path[BLO_CKPT_PATH_MAX];
  blo_int n = 0, integer;
  double number;
  blo_status status = BLO_OK;

  blo_ckpt_entry_path(entry, path);
  BLO_CHECK(f->ctx, blo_h5_has(f, path), BLO_E_MISMATCH,
            "checkpoint %s lacks the %s '%s' of this run's state; it was made with another "
            "configuration or version",
            f->path, kind_names[entry->kind], entry->name);
  switch (entry->kind) {
  case BLO_STATE_VEC:
    status = blo_h5_array_size(f, path, &n);
    break;
  case BLO_STATE_INT:
    status = blo_h5_get_int(f, path, &integer);
    break;
  case BLO_STATE_DOUBLE:
    status = blo_h5_get_double(f, path, &number);
    break;
  }
  BLO_CHECK(f->ctx, status != BLO_E_FORMAT, BLO_E_MISMATCH,
            "this run's state has the %s '%s', the checkpoint has not: %s", kind_names[entry->kind],
            entry->name, blo_error_text(f->ctx));
  BLO_TRY(status);
  BLO_CHECK(f->ctx, entry->kind != BLO_STATE_VEC || n == blo_space_n(entry->at.vec->space),
            BLO_E_MISMATCH,
            "checkpoint %s has a vector '%s' of %lld numbers, this run has one of %lld; resume "
            "with the configuration that it was made with",
            f->path, entry->name, (long long)n, (long long)blo_space_n(entry->at.vec->space));
  return BLO_OK;
}

typedef struct known {
  blo_h5 *f;
  const blo_state *state;
} known;

static blo_status compare_back(void *arg, const char *path)
{
  const known *k = arg;

  BLO_CHECK(k->f->ctx, blo_state_find(k->state, path + sizeof BLO_CKPT_STATE) != NULL,
            BLO_E_MISMATCH,
            "checkpoint %s has '%s', which this run's state lacks; it was made with another "
            "configuration or version",
            k->f->path, path + sizeof BLO_CKPT_STATE);
  return BLO_OK;
}

/** Each entry is in the file, and all that is in the file is an entry. */
static blo_status compare_state(blo_h5 *f, const blo_state *state)
{
  known k = {f, state};

  for (blo_int i = 0; i < blo_state_count(state); i++) {
    BLO_TRY(compare_entry(f, blo_state_get(state, i)));
  }
  BLO_TRY(blo_h5_each_array(f, BLO_CKPT_STATE, compare_back, &k));
  return blo_h5_each_number(f, BLO_CKPT_STATE, compare_back, &k);
}

/* ---------------------------------------------------------------- reading */

/** The root's part before the vectors: comparison, and room for the largest vector. */
static blo_status begin(blo_context *ctx, const char *path, blo_snapshot *snap, double **all,
                        blo_h5 **f)
{
  BLO_TRY(blo_h5_open(ctx, path, BLO_CKPT_KIND, f));
  BLO_TRY(compare_identity(*f, snap));
  BLO_TRY(compare_state(*f, snap->state));
  BLO_TRY(blo_alloc(ctx, blo_ckpt_largest_vec(snap->state), sizeof **all, all));
  BLO_TRY(blo_h5_get_int(*f, BLO_CKPT_ITERATION, &snap->iteration));
  return snap->history != NULL ? blo_columns_read(snap->history, *f, BLO_CKPT_HISTORY) : BLO_OK;
}

static blo_status get_entry(blo_h5 *f, const blo_state_entry *entry, double *all)
{
  char path[BLO_CKPT_PATH_MAX];

  blo_ckpt_entry_path(entry, path);
  switch (entry->kind) {
  case BLO_STATE_VEC:
    return blo_h5_get_array(f, path, all, blo_space_n(entry->at.vec->space));
  case BLO_STATE_INT:
    return blo_h5_get_int(f, path, entry->at.integer);
  case BLO_STATE_DOUBLE:
    break;
  }
  return blo_h5_get_double(f, path, entry->at.number);
}

static void share_entry(blo_comm *comm, const blo_state_entry *entry, double *all)
{
  switch (entry->kind) {
  case BLO_STATE_VEC:
    blo_vec_scatter(all, entry->at.vec);
    break;
  case BLO_STATE_INT:
    blo_bcast(comm, BLO_ROOT, entry->at.integer, sizeof *entry->at.integer);
    break;
  case BLO_STATE_DOUBLE:
    blo_bcast(comm, BLO_ROOT, entry->at.number, sizeof *entry->at.number);
    break;
  }
}

/**
 * Every rank takes part in sharing every entry, also when the root can no longer read: so the
 * root's status needs no agreement on the way.
 * @return the root's status, not agreed
 */
static blo_status get_state(blo_comm *comm, blo_state *state, blo_h5 *f, double *all)
{
  blo_status status = BLO_OK;

  for (blo_int i = 0; i < blo_state_count(state); i++) {
    const blo_state_entry *entry = blo_state_get(state, i);
    if (f != NULL && status == BLO_OK) {
      status = get_entry(f, entry, all);
    }
    share_entry(comm, entry, all);
  }
  return status;
}

blo_status blo_checkpoint_load(blo_comm *comm, const char *path, blo_snapshot *snap)
{
  blo_context *ctx = blo_comm_context(comm);
  bool root = blo_comm_rank(comm) == BLO_ROOT;
  blo_phase before = blo_phase_enter(ctx, BLO_PHASE_FILE);
  blo_status status = BLO_OK;
  blo_h5 *f = NULL;
  double *all = NULL;

  BLO_GO(blo_agree_from(comm, BLO_ROOT, root ? begin(ctx, path, snap, &all, &f) : BLO_OK));
  blo_bcast(comm, BLO_ROOT, &snap->iteration, sizeof snap->iteration);
  BLO_GO(blo_agree_from(comm, BLO_ROOT, get_state(comm, snap->state, f, all)));
done:
  blo_h5_close(&f);
  blo_free(ctx, &all);
  blo_phase_enter(ctx, before);
  return status;
}

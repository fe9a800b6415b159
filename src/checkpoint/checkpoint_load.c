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

static const char *const kind_names[] = {[BLO_STATE_VEC] = "vector",
                                         [BLO_STATE_INT] = "integer",
                                         [BLO_STATE_DOUBLE] = "number",
                                         [BLO_STATE_DENSE] = "matrix"};

/** The dimensions of an array, as they stand in messages. */
typedef struct dims {
  int n;
  blo_int at[BLO_H5_DIMS_MAX];
  char text[128];
} dims;

static void spell(dims *d)
{
  size_t used = 0;

  for (int i = 0; i < d->n; i++) {
    used += (size_t)snprintf(d->text + used, sizeof d->text - used, "[%lld]", (long long)d->at[i]);
  }
}

static blo_status compare_dims(blo_h5 *f, const char *path, const blo_state_entry *entry)
{
  dims found = {0}, mine = {.n = 1};

  if (entry->kind == BLO_STATE_VEC) {
    mine.at[0] = blo_space_n(entry->at.vec->space);
  } else {
    mine = (dims){2, {blo_dense_m(entry->at.dense), blo_dense_n(entry->at.dense)}, ""};
  }
  BLO_TRY(blo_h5_array_dims(f, path, &found.n, found.at));
  spell(&found);
  spell(&mine);
  BLO_CHECK(f->ctx, strcmp(found.text, mine.text) == 0, BLO_E_MISMATCH,
            "checkpoint %s has '%s' with dimensions %s, this run's %s has %s; resume with the "
            "configuration that it was made with",
            f->path, entry->name, found.text, kind_names[entry->kind], mine.text);
  return BLO_OK;
}

/** The file has the entry with its kind and size. A wrong kind shows itself as unreadable. */
static blo_status compare_entry(blo_h5 *f, const blo_state_entry *entry)
{
  char path[BLO_CKPT_PATH_MAX];
  blo_int integer;
  double number;
  blo_status status = BLO_OK;

  blo_ckpt_entry_path(entry, path);
  BLO_CHECK(f->ctx, blo_h5_has(f, path), BLO_E_MISMATCH,
            "checkpoint %s lacks the %s '%s' of this run's state; it was made with another "
            "configuration or version",
            f->path, kind_names[entry->kind], entry->name);
  switch (entry->kind) {
  case BLO_STATE_VEC:
  case BLO_STATE_DENSE:
    status = compare_dims(f, path, entry);
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
  return status;
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

/** The words that go with the state. */
static blo_status get_note(blo_h5 *f, blo_snapshot *snap)
{
  char *text = NULL;
  blo_status status = BLO_OK;

  if (snap->note == NULL) {
    return BLO_OK;
  }
  snap->note[0] = '\0';
  if (blo_h5_has(f, BLO_CKPT_NOTE)) {
    BLO_GO(blo_h5_get_text(f, BLO_CKPT_NOTE, &text));
    snprintf(snap->note, BLO_NOTE_MAX, "%s", text);
  }
done:
  blo_free(f->ctx, &text);
  return status;
}

/** What comes before the state: room on every rank; at the root comparison. */
static blo_status begin(blo_comm *comm, const char *path, blo_snapshot *snap, blo_ckpt_room **room,
                        blo_h5 **f)
{
  BLO_TRY(blo_ckpt_room_create(comm, snap->state, room));
  if (blo_comm_rank(comm) != BLO_ROOT) {
    return BLO_OK;
  }
  BLO_TRY(blo_h5_open(blo_comm_context(comm), path, BLO_CKPT_KIND, f));
  BLO_TRY(compare_identity(*f, snap));
  BLO_TRY(compare_state(*f, snap->state));
  BLO_TRY(blo_h5_get_int(*f, BLO_CKPT_ITERATION, &snap->iteration));
  BLO_TRY(get_note(*f, snap));
  return snap->history != NULL ? blo_columns_read(snap->history, *f, BLO_CKPT_HISTORY) : BLO_OK;
}

static blo_status get_vec(blo_ckpt_room *room, blo_vec *v, blo_h5 *f, const char *path)
{
  double *all = blo_ckpt_room_vec(room);
  blo_status status = f == NULL ? BLO_OK : blo_h5_get_array(f, path, all, blo_space_n(v->space));

  blo_vec_scatter(all, v);
  return status;
}

static blo_status get_int(blo_comm *comm, blo_int *value, blo_h5 *f, const char *path)
{
  blo_status status = f == NULL ? BLO_OK : blo_h5_get_int(f, path, value);

  blo_bcast(comm, BLO_ROOT, value, sizeof *value);
  return status;
}

static blo_status get_double(blo_comm *comm, double *value, blo_h5 *f, const char *path)
{
  blo_status status = f == NULL ? BLO_OK : blo_h5_get_double(f, path, value);

  blo_bcast(comm, BLO_ROOT, value, sizeof *value);
  return status;
}

/** @param f  NULL if this rank does not read, but takes part */
static blo_status get_entry(blo_comm *comm, blo_ckpt_room *room, const blo_state_entry *entry,
                            blo_h5 *f)
{
  char path[BLO_CKPT_PATH_MAX];

  blo_ckpt_entry_path(entry, path);
  switch (entry->kind) {
  case BLO_STATE_VEC:
    return get_vec(room, entry->at.vec, f, path);
  case BLO_STATE_DENSE:
    return blo_ckpt_get_dense(room, entry->at.dense, f, path);
  case BLO_STATE_INT:
    return get_int(comm, entry->at.integer, f, path);
  case BLO_STATE_DOUBLE:
    break;
  }
  return get_double(comm, entry->at.number, f, path);
}

/**
 * Every rank takes part in sharing every entry, also when the root can no longer read: so the
 * root's status needs no agreement on the way.
 * @return the root's status, not agreed
 */
static blo_status get_state(blo_comm *comm, blo_ckpt_room *room, blo_state *state, blo_h5 *f)
{
  blo_status status = BLO_OK;

  for (blo_int i = 0; i < blo_state_count(state); i++) {
    blo_status got = get_entry(comm, room, blo_state_get(state, i), status == BLO_OK ? f : NULL);
    status = status == BLO_OK ? got : status;
  }
  return status;
}

blo_status blo_checkpoint_load(blo_comm *comm, const char *path, blo_snapshot *snap)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_phase before = blo_phase_enter(ctx, BLO_PHASE_FILE);
  blo_status status = BLO_OK;
  blo_h5 *f = NULL;
  blo_ckpt_room *room = NULL;

  BLO_GO_ALL(comm, begin(comm, path, snap, &room, &f));
  blo_bcast(comm, BLO_ROOT, &snap->iteration, sizeof snap->iteration);
  if (snap->note != NULL) {
    blo_bcast(comm, BLO_ROOT, snap->note, BLO_NOTE_MAX);
  }
  BLO_GO(blo_agree_from(comm, BLO_ROOT, get_state(comm, room, snap->state, f)));
done:
  blo_h5_close(&f);
  blo_ckpt_room_destroy(&room);
  blo_phase_enter(ctx, before);
  return status;
}

/** @file Finding the checkpoint to resume from: the newest one of a run that verifies. */
#include "checkpoint_private.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* ------------------------------------------------------------- candidates */

static bool same_run(const blo_ckpt_file *a, const blo_ckpt_file *b)
{
  return a->run_length == b->run_length &&
         strncmp(blo_ckpt_base_name(a->path), blo_ckpt_base_name(b->path), a->run_length) == 0;
}

static bool is_first_of_run(const blo_ckpt_list *list, blo_int i)
{
  for (blo_int j = 0; j < i; j++) {
    if (!list->file[j].temporary && same_run(list->file + j, list->file + i)) {
      return false;
    }
  }
  return !list->file[i].temporary;
}

/** A folder stands for one run; of several, the user must name a file. */
static blo_status check_one_run(const blo_ckpt_list *list, const char *folder)
{
  char names[BLO_MESSAGE_MAX / 2] = "";
  blo_int n_runs = 0;
  size_t used = 0;

  for (blo_int i = 0; i < list->n; i++) {
    const blo_ckpt_file *file = list->file + i;
    if (is_first_of_run(list, i) && used < sizeof names) {
      used += (size_t)snprintf(names + used, sizeof names - used, "%s%.*s", n_runs > 0 ? ", " : "",
                               (int)file->run_length, blo_ckpt_base_name(file->path));
      n_runs++;
    }
  }
  BLO_CHECK(list->ctx, n_runs > 0, BLO_E_IO,
            "there is no checkpoint in the folder %s (no file *.ckpt.<12 digits>.h5)", folder);
  BLO_CHECK(list->ctx, n_runs == 1, BLO_E_OPTION,
            "the folder %s has checkpoints of %lld runs (%s); name the file to resume from", folder,
            (long long)n_runs, names);
  return BLO_OK;
}

/** The file itself, then those beside it that can stand in for it: older, of the same run. */
static blo_status list_file(blo_ckpt_list *list, const char *path)
{
  blo_status status = BLO_OK;
  const char *base = blo_ckpt_base_name(path);
  blo_ckpt_file named = {0};
  blo_ckpt_list *beside = NULL;
  char *folder = NULL;

  BLO_GO(blo_ckpt_list_add(list, path, named));
  if (!blo_ckpt_parse_name(base, &named)) {
    goto done;
  }
  BLO_GO(blo_strdup(list->ctx, base > path ? path : ".", &folder));
  if (base > path) {
    folder[base - path > 1 ? base - path - 1 : 1] = '\0';
  }
  BLO_GO(blo_ckpt_list_create(list->ctx, &beside));
  BLO_GO(blo_ckpt_list_folder(beside, folder, base, named.run_length));
  for (blo_int i = 0; i < beside->n; i++) {
    if (beside->file[i].iteration < named.iteration) {
      BLO_GO(blo_ckpt_list_add(list, beside->file[i].path, beside->file[i]));
    }
  }
done:
  blo_ckpt_list_destroy(&beside);
  blo_free(list->ctx, &folder);
  return status;
}

static blo_status list_candidates(blo_ckpt_list *list, const char *where)
{
  struct stat is;

  BLO_CHECK(list->ctx, stat(where, &is) == 0, BLO_E_IO, "cannot resume from %s: %s", where,
            strerror(errno));
  if (!S_ISDIR(is.st_mode)) {
    return list_file(list, where);
  }
  BLO_TRY(blo_ckpt_list_folder(list, where, NULL, 0));
  return check_one_run(list, where);
}

/* ----------------------------------------------------------------- choice */

static blo_status verify(blo_context *ctx, const char *path, char **config)
{
  blo_status status = BLO_OK;
  blo_h5 *f = NULL;

  BLO_GO(blo_h5_open(ctx, path, BLO_CKPT_KIND, &f));
  BLO_GO(blo_h5_verify(f));
  BLO_GO(blo_h5_get_text(f, BLO_CKPT_CONFIG, config));
done:
  blo_h5_close(&f);
  return status;
}

/** What was wrong with the newest candidate that did not verify. */
typedef struct verdict {
  blo_int n_damaged;
  blo_status status;
  char text[BLO_MESSAGE_MAX];
} verdict;

/* The only candidate is named by the error itself. */
static void note_damage(const blo_ckpt_list *list, blo_status status, verdict *v)
{
  blo_context *ctx = list->ctx;

  if (list->n > 1) {
    blo_log(ctx, BLO_LOG_ERROR, "checkpoint", "%s", blo_error_text(ctx));
  }
  if (v->n_damaged++ == 0) {
    v->status = status;
    snprintf(v->text, sizeof v->text, "%s", blo_error_text(ctx));
  }
}

static blo_status take(blo_context *ctx, const blo_ckpt_file *file, const verdict *v, char *path,
                       size_t cap)
{
  BLO_CHECK(ctx, strlen(file->path) < cap, BLO_E_IO,
            "the path of the checkpoint has more than %zu bytes: %s", cap - 1, file->path);
  snprintf(path, cap, "%s", file->path);
  if (v->n_damaged > 0) {
    blo_log(ctx, BLO_LOG_RESULT, "checkpoint", "the older %s is taken instead", path);
  }
  return BLO_OK;
}

/** Take the first that verifies; lack of memory says nothing about a file. */
static blo_status choose(const blo_ckpt_list *list, char *path, size_t cap, char **config)
{
  verdict v = {0};

  for (blo_int i = 0; i < list->n; i++) {
    if (list->file[i].temporary) {
      continue;
    }
    blo_status status = verify(list->ctx, list->file[i].path, config);
    if (status == BLO_OK) {
      return take(list->ctx, list->file + i, &v, path, cap);
    }
    if (status != BLO_E_FORMAT && status != BLO_E_IO) {
      return status;
    }
    note_damage(list, status, &v);
  }
  return blo_fail(
      list->ctx, v.status, __FILE__, __LINE__,
      "there is no checkpoint to resume from: %lld tried, none is whole; the newest: %s",
      (long long)v.n_damaged, v.text);
}

static blo_status find_at_root(blo_context *ctx, const char *where, char *path, size_t cap,
                               char **config)
{
  blo_status status = BLO_OK;
  blo_ckpt_list *list = NULL;

  BLO_GO(blo_ckpt_list_create(ctx, &list));
  BLO_GO(list_candidates(list, where));
  BLO_GO(choose(list, path, cap, config));
done:
  blo_ckpt_list_destroy(&list);
  return status;
}

blo_status blo_checkpoint_find(blo_comm *comm, const char *where, char *path, size_t cap,
                               char **config)
{
  blo_context *ctx = blo_comm_context(comm);
  bool root = blo_comm_rank(comm) == BLO_ROOT;
  blo_status status = BLO_OK;
  char *text = NULL;

  BLO_GO(
      blo_agree_from(comm, BLO_ROOT, root ? find_at_root(ctx, where, path, cap, &text) : BLO_OK));
  blo_bcast(comm, BLO_ROOT, path, (blo_int)cap);
  BLO_GO(blo_bcast_text(comm, BLO_ROOT, &text));
  *config = text;
  text = NULL;
done:
  blo_free(ctx, &text);
  return status;
}

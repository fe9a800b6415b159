/** @file What an earlier run of the same name has left: checkpoints that a new run replaces. */
#include "folder.h"
#include <blo/checkpoint.h>
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

blo_status blo_run_path(blo_context *ctx, const char *folder, const char *name,
                        char path[BLO_PATH_CAP])
{
  static const char longest[] = ".ckpt.000000000000000000.h5.tmp.4194304";
  int n = snprintf(path, BLO_PATH_CAP, "%s/%s.h5", folder, name);
  size_t most = strlen(folder) + 1 + strlen(name) + sizeof longest - 1;

  BLO_CHECK(ctx, n > 0 && most < BLO_PATH_CAP, BLO_E_OPTION,
            "run.output and run.name make paths of up to %zu bytes, %d are possible", most,
            BLO_PATH_CAP - 1);
  return BLO_OK;
}

/* What follows "<name>.ckpt.<digits>" (or "<name>" if `plain`), see blo_checkpoint_save(); NULL if
 * the file is of another name. */
static const char *rest_of(const char *file, const char *name, bool plain)
{
  static const char middle[] = ".ckpt.";
  size_t n = strlen(name), digits;

  if (strncmp(file, name, n) != 0) {
    return NULL;
  }
  file += n;
  if (strncmp(file, middle, sizeof middle - 1) != 0) {
    return plain ? file : NULL;
  }
  file += sizeof middle - 1;
  digits = strspn(file, "0123456789");
  return digits > 0 ? file + digits : NULL;
}

bool blo_run_owns(const char *file, const char *name)
{
  const char *rest = rest_of(file, name, false);

  return rest != NULL && strcmp(rest, ".h5") == 0;
}

/* A temporary file of a run: it was killed while it wrote, or is writing. */
static bool is_leftover(const char *file, const char *name)
{
  static const char ending[] = ".h5.tmp.";
  const char *rest = rest_of(file, name, true);

  return rest != NULL && strncmp(rest, ending, sizeof ending - 1) == 0;
}

/* Calls `act` (unless NULL) with every file of which `is` is true, and counts them. */
static blo_status each_file(blo_context *ctx, const char *folder, const char *name,
                            bool (*is)(const char *file, const char *name),
                            blo_status (*act)(blo_context *ctx, const char *path), blo_int *n)
{
  char path[2 * BLO_PATH_CAP];
  blo_status status = BLO_OK;
  DIR *dir = opendir(folder);

  *n = 0;
  if (dir == NULL) {
    return BLO_OK;
  }
  for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
    if (is(entry->d_name, name)) {
      (*n)++;
      snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
      BLO_GO(act != NULL ? act(ctx, path) : BLO_OK);
    }
  }
done:
  closedir(dir);
  return status;
}

static blo_status unlink_one(blo_context *ctx, const char *path)
{
  BLO_CHECK(ctx, unlink(path) == 0, BLO_E_IO, "cannot remove '%s' of an earlier run: %s", path,
            strerror(errno));
  return BLO_OK;
}

static blo_status unlink_abandoned(blo_context *ctx, const char *path)
{
  return blo_h5_is_abandoned(path) ? unlink_one(ctx, path) : BLO_OK;
}

/* True if the run file of that name says that its run has come to its end. */
static bool is_finished(blo_context *ctx, const char *path)
{
  blo_h5 *file = NULL;
  blo_int code = BLO_OUTCOME_RUNNING;

  if (blo_h5_open(ctx, path, "run", &file) == BLO_OK &&
      blo_h5_get_int(file, "outcome/code", &code) != BLO_OK) {
    code = BLO_OUTCOME_RUNNING;
  }
  blo_h5_close(&file);
  return code != BLO_OUTCOME_RUNNING && code != BLO_OUTCOME_SIGNAL && code != BLO_OUTCOME_TIME;
}

blo_status blo_earlier_check(blo_context *ctx, const char *folder, const char *name)
{
  char path[BLO_PATH_CAP];
  blo_int n;

  BLO_TRY(blo_run_path(ctx, folder, name, path));
  BLO_TRY(each_file(ctx, folder, name, blo_run_owns, NULL, &n));
  BLO_CHECK(
      ctx, n == 0 || is_finished(ctx, path), BLO_E_OPTION,
      "'%s' has checkpoints (%lld) of an unfinished run '%s': continue it with `parblo resume "
      "%s`, choose another run.name or run.output, or set run.replace=true",
      folder, (long long)n, name, folder);
  return BLO_OK;
}

blo_status blo_earlier_remove(blo_context *ctx, const char *folder, const char *name)
{
  blo_int n;

  BLO_TRY(each_file(ctx, folder, name, blo_run_owns, unlink_one, &n));
  if (n > 0) {
    blo_log(ctx, BLO_LOG_DETAIL, "run", "removed %lld checkpoints of an earlier run '%s'",
            (long long)n, name);
  }
  return BLO_OK;
}

blo_status blo_leftovers_remove(blo_context *ctx, const char *folder, const char *name)
{
  blo_int n;

  return each_file(ctx, folder, name, is_leftover, unlink_abandoned, &n);
}

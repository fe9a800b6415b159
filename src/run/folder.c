/** @file Making, trying and unmaking the output folder. */
#include "folder.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_folder(const char *path)
{
  struct stat info;

  return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

bool blo_folder_same(const char *one, const char *other)
{
  struct stat a, b;

  return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* mkdir() unless it is there; `end` is where the path is cut for the moment. */
static bool make_one(blo_folder *f, size_t end)
{
  char kept = f->path[end];
  bool ok;

  f->path[end] = '\0';
  ok = is_folder(f->path);
  if (!ok && mkdir(f->path, 0777) == 0) {
    f->made_from = f->made_from == 0 ? end : f->made_from;
    ok = true;
  } else if (!ok && errno == EEXIST) {
    errno = ENOTDIR; /* says better what is wrong */
  }
  f->path[end] = kept;
  return ok;
}

static bool make_all(blo_folder *f)
{
  size_t n = strlen(f->path);

  for (size_t end = 1; end <= n; end++) {
    if ((f->path[end] == '/' || f->path[end] == '\0') && !make_one(f, end)) {
      return false;
    }
  }
  return true;
}

static bool try_file(const blo_folder *f)
{
  char probe[BLO_PATH_CAP + 64];
  int file;

  snprintf(probe, sizeof probe, "%s/.parblo-probe-%ld", f->path, (long)getpid());
  file = open(probe, O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (file < 0) {
    return false;
  }
  close(file);
  return unlink(probe) == 0;
}

blo_status blo_folder_make(blo_context *ctx, const char *path, blo_folder *f)
{
  int n = snprintf(f->path, sizeof f->path, "%s", path[0] != '\0' ? path : ".");
  int why;

  f->made_from = 0;
  BLO_CHECK(ctx, n < (int)sizeof f->path, BLO_E_OPTION,
            "the path of the output folder has %d bytes, %d are possible", n, BLO_PATH_CAP - 1);
  BLO_TRY(blo_fault_point(ctx, "making the output folder"));
  if (make_all(f) && try_file(f)) {
    return BLO_OK;
  }
  why = errno;
  blo_folder_unmake(f);
  return blo_fail(ctx, BLO_E_IO, __FILE__, __LINE__,
                  "cannot write to the output folder '%s': %s (run.output)", f->path,
                  strerror(why));
}

void blo_folder_unmake(blo_folder *f)
{
  char path[BLO_PATH_CAP];
  size_t n = strlen(f->path);

  memcpy(path, f->path, n + 1);
  for (; f->made_from > 0 && n >= f->made_from; n--) {
    if (path[n] == '/' || path[n] == '\0') {
      path[n] = '\0';
      rmdir(path); /* fails if somebody else has put something there: then it stays */
    }
  }
  f->made_from = 0;
}

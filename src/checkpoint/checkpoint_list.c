/** @file The checkpoints of a folder, by their names. */
#include "checkpoint_private.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char mark[] = ".ckpt.", extension[] = ".h5", unfinished[] = BLO_H5_TEMPORARY;

enum { DIGITS_MIN = 12, DIGITS_MAX = 18 };

const char *blo_ckpt_base_name(const char *path)
{
  const char *slash = strrchr(path, '/');

  return slash != NULL ? slash + 1 : path;
}

/** The name of a run may contain the mark itself: the last one counts. */
static const char *find_mark(const char *name)
{
  const char *last = NULL;

  for (const char *at = strstr(name, mark); at != NULL; at = strstr(at + 1, mark)) {
    last = at;
  }
  return last;
}

bool blo_ckpt_parse_name(const char *name, blo_ckpt_file *is)
{
  const char *at = find_mark(name), *digits, *end;

  if (at == NULL || at == name) {
    return false;
  }
  digits = end = at + sizeof mark - 1;
  while (isdigit((unsigned char)*end)) {
    end++;
  }
  if (end - digits < DIGITS_MIN || end - digits > DIGITS_MAX ||
      strncmp(end, extension, sizeof extension - 1) != 0) {
    return false;
  }
  is->iteration = strtoll(digits, NULL, 10);
  is->run_length = (size_t)(at - name);
  end += sizeof extension - 1;
  is->temporary = strncmp(end, unfinished, sizeof unfinished - 1) == 0;
  return *end == '\0' || is->temporary;
}

/* --------------------------------------------------------------- the list */

blo_status blo_ckpt_list_create(blo_context *ctx, blo_ckpt_list **out)
{
  blo_ckpt_list *list;

  BLO_TRY(blo_alloc(ctx, 1, sizeof *list, &list));
  list->ctx = ctx;
  *out = list;
  return BLO_OK;
}

void blo_ckpt_list_destroy(blo_ckpt_list **list)
{
  if (*list != NULL) {
    blo_context *ctx = (*list)->ctx;
    for (blo_int i = 0; i < (*list)->n; i++) {
      blo_free(ctx, &(*list)->file[i].path);
    }
    blo_free(ctx, &(*list)->file);
    blo_free(ctx, list);
  }
}

blo_status blo_ckpt_list_add(blo_ckpt_list *list, const char *path, blo_ckpt_file is)
{
  if (list->n == list->cap) {
    blo_int cap = list->cap == 0 ? 16 : 2 * list->cap;
    BLO_TRY(blo_realloc(list->ctx, cap, sizeof *list->file, &list->file));
    list->cap = cap;
  }
  BLO_TRY(blo_strdup(list->ctx, path, &is.path));
  list->file[list->n++] = is;
  return BLO_OK;
}

static blo_status add_in_folder(blo_ckpt_list *list, const char *folder, const char *name,
                                blo_ckpt_file is)
{
  blo_status status = BLO_OK;
  size_t room = strlen(folder) + strlen(name) + 2;
  char *path = NULL;

  BLO_GO(blo_alloc(list->ctx, (blo_int)room, 1, &path));
  snprintf(path, room, "%s/%s", folder, name);
  BLO_GO(blo_ckpt_list_add(list, path, is));
done:
  blo_free(list->ctx, &path);
  return status;
}

static int newest_first(const void *a, const void *b)
{
  blo_int of_a = ((const blo_ckpt_file *)a)->iteration;
  blo_int of_b = ((const blo_ckpt_file *)b)->iteration;

  return (of_a < of_b) - (of_a > of_b);
}

blo_status blo_ckpt_list_folder(blo_ckpt_list *list, const char *folder, const char *run,
                                size_t run_length)
{
  blo_status status = BLO_OK;
  DIR *dir = NULL;

  BLO_GO(blo_fault_point(list->ctx, "read folder"));
  dir = opendir(folder);
  BLO_CHECK_GO(list->ctx, dir != NULL, BLO_E_IO, "cannot read the folder %s: %s", folder,
               strerror(errno));
  for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
    blo_ckpt_file is = {0};
    const char *name = entry->d_name;
    if (blo_ckpt_parse_name(name, &is) &&
        (run == NULL || (is.run_length == run_length && strncmp(name, run, run_length) == 0))) {
      BLO_GO(add_in_folder(list, folder, name, is));
    }
  }
  if (list->n > 1) {
    qsort(list->file, (size_t)list->n, sizeof *list->file, newest_first);
  }
done:
  if (dir != NULL) {
    closedir(dir);
  }
  return status;
}

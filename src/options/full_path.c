/**
 * @file
 * Where a file named in a configuration lies: beside the run file that names it.
 */
#include "conf.h"

#include "text.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The folder part of a file name with its slash, "" if there is none. */
static size_t folder_length(const char *name)
{
  const char *slash = strrchr(name, '/');
  return slash ? (size_t)(slash - name) + 1 : 0;
}

static blo_status append_current_folder(blo_context *ctx, blo_text *path)
{
  char folder[4096];
  BLO_CHECK(ctx, getcwd(folder, sizeof folder), BLO_E_IO, "the current folder has no name: %s",
            strerror(errno));
  BLO_TRY(blo_text_append(ctx, path, folder, strlen(folder)));
  return blo_text_append(ctx, path, "/", strcmp(folder, "/") == 0 ? 0 : 1);
}

static blo_status make_full(const blo_conf *node, blo_text *path)
{
  bool from_set = strcmp(node->where, BLO_CONF_SET_ORIGIN) == 0;
  const char *name = from_set ? "" : blo_conf_name(node);
  if (name[0] != '/') {
    BLO_TRY(append_current_folder(node->ctx, path));
  }
  BLO_TRY(blo_text_append(node->ctx, path, name, folder_length(name)));
  return blo_text_append(node->ctx, path, node->text, strlen(node->text));
}

blo_status blo_conf_complete_path(blo_conf *node)
{
  blo_text path = {0};
  if (!node->text[0] || node->text[0] == '/') {
    return BLO_OK;
  }
  blo_status status = make_full(node, &path);
  if (status == BLO_OK) {
    status = blo_conf_put_text(node, node->where, path.bytes);
  }
  blo_free(node->ctx, &path.bytes);
  return status;
}

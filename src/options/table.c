/**
 * @file
 * Reading an option table: from the map of a configuration into the struct it describes.
 */
#include "table.h"

#include <string.h>

/* A table being read; `path` is its place in the configuration even if there is no node. */
typedef struct reading {
  blo_context *ctx;
  const blo_opt_table *table;
  const blo_conf *node;    /* NULL: nothing given */
  const char *const *also; /* keys of somebody else, NULL-terminated; NULL: none */
  const char *path;
} reading;

void blo_opt_join(const char *path, const char *key, char joined[BLO_CONF_PATH_CAP])
{
  snprintf(joined, BLO_CONF_PATH_CAP, "%s%s%s", path, path[0] ? "." : "", key);
}

static blo_int count_names(const char *const *names)
{
  blo_int n = 0;
  while (names && names[n]) {
    n++;
  }
  return n;
}

/* All keys that the map may hold, NULL-terminated. */
static blo_status known_keys(const reading *r, const char ***out)
{
  const blo_opt_table *t = r->table;
  blo_int n_also = count_names(r->also);
  blo_int n = 0;
  BLO_TRY(blo_alloc(r->ctx, t->n_rows + t->n_subs + n_also + 1, sizeof **out, out));
  for (blo_int i = 0; i < n_also; i++) {
    (*out)[n++] = r->also[i];
  }
  for (blo_int i = 0; i < t->n_rows; i++) {
    (*out)[n++] = t->rows[i].key;
  }
  for (blo_int i = 0; i < t->n_subs; i++) {
    (*out)[n++] = t->subs[i].key;
  }
  return BLO_OK;
}

static bool is_among(const char *key, const char *const *names)
{
  for (blo_int i = 0; names[i]; i++) {
    if (strcmp(key, names[i]) == 0) {
      return true;
    }
  }
  return false;
}

static blo_status refuse_key(const reading *r, const blo_conf *child, const char *const *names)
{
  char list[512];
  blo_line known = {list, sizeof list, 0};
  blo_line_add_names(&known, names[0] ? names : (const char *const[]){"none", NULL});
  const char *near = blo_nearest(child->key, names);
  return blo_fail(r->ctx, BLO_E_OPTION, __FILE__, __LINE__,
                  "%s: unknown key '%s'%s%s%s (known: %s)", child->where, child->path,
                  near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "", list);
}

static blo_status check_keys(const reading *r)
{
  blo_status status = BLO_OK;
  const char **names = NULL;
  BLO_GO(known_keys(r, &names));
  for (blo_int i = 0; i < blo_conf_count(r->node); i++) {
    const blo_conf *child = r->node->child[i];
    if (!is_among(child->key, names)) {
      BLO_GO(refuse_key(r, child, names));
    }
  }
done:
  blo_free(r->ctx, &names);
  return status;
}

static blo_status missing(const reading *r, const blo_opt_row *row, const char *path)
{
  char words[BLO_OPT_ALLOWED_CAP];
  blo_line allowed = {words, sizeof words, 0};
  blo_opt_allowed(row, true, &allowed);
  return blo_fail(r->ctx, BLO_E_OPTION, __FILE__, __LINE__,
                  "%s: %s is missing and has no default: must be %s",
                  r->node ? r->node->where : r->table->name, path, words);
}

static blo_status read_default(const reading *r, const blo_opt_row *row, const char *path,
                               void *out)
{
  if (row->flags & BLO_OPT_REQUIRED) {
    return missing(r, row, path);
  }
  return blo_opt_value_parse(r->ctx, row, (blo_opt_place){"default value", path}, row->def, out);
}

static blo_status read_row(const reading *r, const blo_opt_row *row, void *out)
{
  char path[BLO_CONF_PATH_CAP];
  blo_conf *child = r->node ? blo_conf_find(r->node, row->key) : NULL;
  blo_opt_join(r->path, row->key, path);
  bool is_empty = child && child->text && !child->text[0];
  if (!child || (is_empty && (row->flags & BLO_OPT_REQUIRED))) {
    return read_default(r, row, path, out);
  }
  BLO_CHECK(r->ctx, child->text, BLO_E_OPTION, "%s: %s is a map, but must be a single %s",
            child->where, child->path, blo_opt_kind_name(row->kind));
  if (row->flags & BLO_OPT_PATH) {
    BLO_TRY(blo_conf_complete_path(child));
  }
  blo_opt_place at = {child->where, child->path};
  return blo_opt_value_parse(r->ctx, row, at, child->text, out);
}

static blo_status read_table(const reading *r, void *out);

static blo_status read_sub(const reading *r, const blo_opt_sub *sub, void *out)
{
  char path[BLO_CONF_PATH_CAP];
  blo_opt_join(r->path, sub->key, path);
  reading below = {.ctx = r->ctx,
                   .table = sub->table,
                   .node = r->node ? blo_conf_find(r->node, sub->key) : NULL,
                   .path = path};
  return read_table(&below, blo_opt_field(out, sub->offset));
}

static blo_status read_table(const reading *r, void *out)
{
  char shown[BLO_SHOWN_CAP];
  BLO_CHECK(r->ctx, !r->node || blo_conf_is_map(r->node), BLO_E_OPTION,
            "%s: %s = '%s' must be a map of options, not a single value", r->node->where,
            r->node->path, blo_shown(r->node->text, shown));
  BLO_TRY(check_keys(r));
  for (blo_int i = 0; i < r->table->n_rows; i++) {
    BLO_TRY(read_row(r, &r->table->rows[i], out));
  }
  for (blo_int i = 0; i < r->table->n_subs; i++) {
    BLO_TRY(read_sub(r, &r->table->subs[i], out));
  }
  return BLO_OK;
}

blo_status blo_opt_read(blo_context *ctx, const blo_opt_table *table, const blo_conf *node,
                        const char *const *also, void *out)
{
  memset(out, 0, table->size); /* padding, too: equal options are equal bytes */
  reading r = {
      .ctx = ctx, .table = table, .node = node, .also = also, .path = node ? node->path : ""};
  return read_table(&r, out);
}

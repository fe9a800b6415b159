/**
 * @file
 * The configuration tree: nodes, where they came from, and access by key or dotted path.
 */
#include "conf.h"

#include "text.h"
#include <ctype.h>
#include <string.h>

static void node_free(blo_conf *node)
{
  blo_context *ctx = node->ctx;
  for (blo_int i = 0; i < node->n; i++) {
    node_free(node->child[i]);
  }
  blo_free(ctx, &node->child);
  blo_free(ctx, &node->path);
  blo_free(ctx, &node->where);
  blo_free(ctx, &node->text);
  blo_free(ctx, &node);
}

void blo_conf_destroy(blo_conf **root)
{
  if (root && *root) {
    node_free(*root);
    *root = NULL;
  }
}

static blo_status join_path(blo_context *ctx, const char *parent, const char *key, char **out)
{
  blo_status status = BLO_OK;
  blo_text path = {0};
  if (parent[0]) {
    BLO_GO(blo_text_append(ctx, &path, parent, strlen(parent)));
    BLO_GO(blo_text_append(ctx, &path, ".", 1));
  }
  BLO_GO(blo_text_append(ctx, &path, key, strlen(key)));
  *out = path.bytes;
  path.bytes = NULL;
done:
  blo_free(ctx, &path.bytes);
  return status;
}

static blo_status node_make(blo_context *ctx, blo_conf *parent, const char *key, const char *where,
                            blo_conf **out)
{
  blo_status status = BLO_OK;
  blo_conf *node = NULL;
  BLO_GO(blo_alloc(ctx, 1, sizeof *node, &node));
  node->ctx = ctx;
  node->parent = parent;
  node->depth = parent ? parent->depth + 1 : 0;
  BLO_GO(join_path(ctx, parent ? parent->path : "", key, &node->path));
  node->key = node->path + strlen(node->path) - strlen(key);
  BLO_GO(blo_strdup(ctx, where, &node->where));
  *out = node;
  node = NULL;
done:
  blo_conf_destroy(&node);
  return status;
}

blo_status blo_conf_root(blo_context *ctx, const char *name, blo_conf **out)
{
  return node_make(ctx, NULL, "", name, out);
}

/* Dots separate keys in paths, and plain words need no quotes anywhere. */
static blo_status check_key(const blo_conf *parent, const char *key, const char *where)
{
  char shown[BLO_SHOWN_CAP];
  size_t n = 0;
  while (isalnum((unsigned char)key[n]) || (key[n] && strchr("_-", key[n]))) {
    n++;
  }
  BLO_CHECK(parent->ctx, n > 0 && !key[n], BLO_E_OPTION,
            "%s: '%s' cannot be a key: only letters, digits, '_' and '-' are allowed", where,
            blo_shown(key, shown));
  BLO_CHECK(parent->ctx, n < BLO_CONF_KEY_CAP, BLO_E_OPTION,
            "%s: key '%s' has %zu characters, at most %d are allowed", where, blo_shown(key, shown),
            n, BLO_CONF_KEY_CAP - 1);
  BLO_CHECK(parent->ctx, parent->depth < BLO_CONF_DEPTH, BLO_E_OPTION,
            "%s: key '%s' lies inside more than %d maps", where, key, BLO_CONF_DEPTH);
  return BLO_OK;
}

static blo_status reserve_child(blo_conf *parent)
{
  if (parent->n < parent->cap) {
    return BLO_OK;
  }
  blo_int cap = parent->cap > 0 ? 2 * parent->cap : 8;
  BLO_TRY(blo_realloc(parent->ctx, cap, sizeof(blo_conf *), &parent->child));
  parent->cap = cap;
  return BLO_OK;
}

static blo_conf *child_of(const blo_conf *node, const char *key, size_t length)
{
  for (blo_int i = 0; i < node->n; i++) {
    blo_conf *child = node->child[i];
    if (strncmp(child->key, key, length) == 0 && !child->key[length]) {
      return child;
    }
  }
  return NULL;
}

blo_status blo_conf_add(blo_conf *parent, const char *key, const char *where, blo_conf **out)
{
  BLO_TRY(check_key(parent, key, where));
  const blo_conf *twin = child_of(parent, key, strlen(key));
  BLO_CHECK(parent->ctx, !twin, BLO_E_OPTION, "%s: duplicate key '%s'; it was given before at %s",
            where, twin->path, twin->where);
  BLO_TRY(reserve_child(parent));
  BLO_TRY(node_make(parent->ctx, parent, key, where, out));
  parent->child[parent->n++] = *out;
  return BLO_OK;
}

blo_status blo_conf_put_text(blo_conf *node, const char *where, const char *text)
{
  blo_status status = BLO_OK;
  char *new_text = NULL;
  char *new_where = NULL;
  BLO_CHECK_GO(node->ctx, node->n == 0, BLO_E_OPTION,
               "%s: %s is a map (%s) and cannot become a value: set its keys one by one", where,
               node->path, node->where);
  BLO_GO(blo_strdup(node->ctx, text, &new_text));
  BLO_GO(blo_strdup(node->ctx, where, &new_where));
  blo_free(node->ctx, &node->text);
  blo_free(node->ctx, &node->where);
  node->text = new_text;
  node->where = new_where;
  node->is_list = false;
  new_text = NULL;
  new_where = NULL;
done:
  blo_free(node->ctx, &new_text);
  blo_free(node->ctx, &new_where);
  return status;
}

bool blo_conf_is_map(const blo_conf *node)
{
  return !node->text || !node->text[0];
}

blo_status blo_conf_become_map(blo_conf *node, const char *where)
{
  char shown[BLO_SHOWN_CAP];
  BLO_CHECK(node->ctx, blo_conf_is_map(node), BLO_E_OPTION,
            "%s: %s must be a map, but it is the value '%s' (%s)", where, node->path,
            blo_shown(node->text, shown), node->where);
  blo_free(node->ctx, &node->text);
  return BLO_OK;
}

blo_status blo_conf_child(blo_conf *node, const char *key, const char *where, blo_conf **out)
{
  *out = child_of(node, key, strlen(key));
  return *out ? BLO_OK : blo_conf_add(node, key, where, out);
}

blo_status blo_conf_need_map(blo_conf *node, const char *key, blo_conf **out)
{
  const char *where = blo_conf_name(node);
  BLO_TRY(blo_conf_become_map(node, where));
  BLO_TRY(blo_conf_child(node, key, where, out));
  return blo_conf_become_map(*out, where);
}

blo_conf *blo_conf_find(const blo_conf *node, const char *path)
{
  blo_conf *found = NULL;
  while (node && path) {
    size_t length = strcspn(path, ".");
    found = child_of(node, path, length);
    path = path[length] ? path + length + 1 : NULL;
    node = found;
  }
  return found;
}

const char *blo_conf_text(const blo_conf *node, const char *key)
{
  const blo_conf *child = blo_conf_find(node, key);
  return child ? child->text : NULL;
}

const char *blo_conf_where(const blo_conf *node)
{
  return node->where;
}

const char *blo_conf_path(const blo_conf *node)
{
  return node->path;
}

blo_int blo_conf_count(const blo_conf *node)
{
  return node ? node->n : 0;
}

const char *blo_conf_key(const blo_conf *node, blo_int i)
{
  return node->child[i]->key;
}

const char *blo_conf_name(const blo_conf *node)
{
  while (node->parent) {
    node = node->parent;
  }
  return node->where;
}

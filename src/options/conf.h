/**
 * @file
 * The configuration tree as its makers see it: parser, --set, record.
 */
#ifndef BLO_OPTIONS_CONF_H
#define BLO_OPTIONS_CONF_H

#include <blo/options.h>

enum {
  BLO_CONF_DEPTH = 16,     /**< maps inside maps; bounds recursion and the length of a path */
  BLO_CONF_KEY_CAP = 64,   /**< longest key, end included */
  BLO_CONF_PATH_CAP = 1024 /**< BLO_CONF_DEPTH keys */
};

#define BLO_CONF_SET_ORIGIN "--set"

/** A map (`text` NULL) or a scalar. An empty scalar stands for an empty map, too: "solver:". */
struct blo_conf {
  blo_context *ctx;
  blo_conf *parent; /**< NULL at the root */
  blo_conf **child;
  blo_int n, cap;
  blo_int depth;
  char *path;      /**< dotted, "" at the root */
  const char *key; /**< the last part of `path` */
  char *where;     /**< "file:line", BLO_CONF_SET_ORIGIN, or only the file at the root */
  char *text;
  bool is_list; /**< `text` is a list of plain scalars, "[a, b]" */
};

/** An empty root map; `name` is the file. @return BLO_OK; BLO_E_MEMORY */
BLO_MUST_USE blo_status blo_conf_root(blo_context *ctx, const char *name, blo_conf **out);
/** A new empty map; the key must not be there yet. @return BLO_OK; BLO_E_OPTION; BLO_E_MEMORY */
BLO_MUST_USE blo_status blo_conf_add(blo_conf *parent, const char *key, const char *where,
                                     blo_conf **out);
/** Make a node without children a scalar with this text. @return BLO_OK; BLO_E_OPTION; ... */
BLO_MUST_USE blo_status blo_conf_put_text(blo_conf *node, const char *where, const char *text);
/** The child of that key, made as an empty map from `where` if there is none. */
BLO_MUST_USE blo_status blo_conf_child(blo_conf *node, const char *key, const char *where,
                                       blo_conf **out);
/** Turn an empty scalar into an empty map; refuse another scalar. @return BLO_OK; BLO_E_OPTION */
BLO_MUST_USE blo_status blo_conf_become_map(blo_conf *node, const char *where);
/** True for a map and for an empty scalar. */
bool blo_conf_is_map(const blo_conf *node);
/** The run file's name. */
const char *blo_conf_name(const blo_conf *node);
/**
 * Make a scalar that is a path absolute, so that it means the same file wherever the record is
 * read: a relative one counts from the run file's folder, or from the current folder if --set gave
 * it.
 * @return BLO_OK; BLO_E_MEMORY; BLO_E_IO if the current folder has no name
 */
BLO_MUST_USE blo_status blo_conf_complete_path(blo_conf *node);

#endif

/**
 * @file
 * options: one table per block, and everything that follows from it: parsing, defaults, ranges,
 * help, reference pages, the record of what was used, the comparison at resume.
 *
 * A *configuration* (blo_conf) is a tree of maps and scalars, read from a YAML file or text; each
 * node knows the file and line it came from. An *option table* describes a struct: one row per
 * field, and sub-tables for structs inside it. Reading a table from a map fills the struct.
 *
 * Everything here is Local: the run driver reads the file on one rank and broadcasts its text.
 */
#ifndef BLO_OPTIONS_H
#define BLO_OPTIONS_H

#include <blo/base.h>
#include <stdio.h>

/* ------------------------------------------------------------ the tree */

typedef struct blo_conf blo_conf;

/**
 * Parse YAML text: maps, scalars, and lists of scalars (kept as text); anchors, tags and several
 * documents are refused with file and line. A duplicate key is an error.
 *
 * @param[in]  name  used in messages, e.g. the path of the file
 * @param[out] out   the root map; free with blo_conf_destroy()
 * @return BLO_OK; BLO_E_OPTION with "name:line: ..."; BLO_E_MEMORY
 */
BLO_API BLO_MUST_USE blo_status blo_conf_parse(blo_context *ctx, const char *name, const char *text,
                                               blo_conf **out);
/**
 * Read a whole file into text (for blo_conf_parse).
 * @return BLO_OK; BLO_E_IO; BLO_E_FORMAT if it is no text, or more than 16 MiB; BLO_E_MEMORY
 */
BLO_API BLO_MUST_USE blo_status blo_text_read(blo_context *ctx, const char *path, char **text);
/** Apply "a.b.c=value"; makes maps on the way; origin is "--set". @return BLO_OK; BLO_E_OPTION */
BLO_API BLO_MUST_USE blo_status blo_conf_set(blo_conf *root, const char *assignment);
/** The child of a map, NULL if there is none; a dotted path descends. */
BLO_API blo_conf *blo_conf_find(const blo_conf *node, const char *path);
/** The child map of that name, made empty (line 0, same file) if there is none. */
BLO_API BLO_MUST_USE blo_status blo_conf_need_map(blo_conf *node, const char *key, blo_conf **out);
/** The text of a scalar child, NULL if absent. */
BLO_API const char *blo_conf_text(const blo_conf *node, const char *key);
/** "file:line" of a node, or "--set". @return a string owned by the tree */
BLO_API const char *blo_conf_where(const blo_conf *node);
/** Dotted path of a node from the root, e.g. "solver.lower". @return a string owned by the tree */
BLO_API const char *blo_conf_path(const blo_conf *node);
/** Number of children of a map; the i-th child's key. */
BLO_API blo_int blo_conf_count(const blo_conf *node);
BLO_API const char *blo_conf_key(const blo_conf *node, blo_int i);
/** Write the tree as YAML text that blo_conf_parse() reads back. @param[out] text free with
 * blo_free */
BLO_API BLO_MUST_USE blo_status blo_conf_print(const blo_conf *root, char **text);
/** Free the tree (from its root). NULL is accepted. */
BLO_API void blo_conf_destroy(blo_conf **root);

/* ----------------------------------------------------------- the tables */

typedef enum blo_opt_kind {
  BLO_OPT_BOOL,   /**< bool: true/false, yes/no, on/off */
  BLO_OPT_INT,    /**< blo_int */
  BLO_OPT_DOUBLE, /**< double; "inf" is allowed if the range allows it, nan never */
  BLO_OPT_TEXT,   /**< const char *, owned by the configuration; "" is "not given" */
  BLO_OPT_CHOICE  /**< int: index into `choices` */
} blo_opt_kind;

enum {
  BLO_OPT_REQUIRED = 1,    /**< no default: the key must be given */
  BLO_OPT_RESUME_FREE = 2, /**< may differ at resume (budgets, verbosity) */
  BLO_OPT_OPEN_LOW = 4,    /**< the value must be greater than `low`, not equal */
  BLO_OPT_PATH = 8         /**< a file; see blo_opt_read() */
};

/** One option; made by the BLO_OPT macros, which take kind and place from the field itself. */
typedef struct blo_opt_row {
  const char *key;
  blo_opt_kind kind;
  size_t offset, size;
  const char *def;            /**< default, as text; NULL if required */
  double low, high;           /**< inclusive range for numbers */
  const char *const *choices; /**< NULL-terminated names for BLO_OPT_CHOICE */
  const char *unit;           /**< "-" if dimensionless */
  const char *help;           /**< one sentence */
  const char *source;         /**< paper, section or equation; "" if our own */
  unsigned flags;
} blo_opt_row;

typedef struct blo_opt_table blo_opt_table;

/** A struct inside the struct, under its own key. */
typedef struct blo_opt_sub {
  const char *key;
  size_t offset;
  const blo_opt_table *table;
} blo_opt_sub;

struct blo_opt_table {
  const char *name; /**< e.g. "stocbio" */
  const char *help; /**< one line */
  size_t size;      /**< sizeof the struct */
  const blo_opt_row *rows;
  blo_int n_rows;
  const blo_opt_sub *subs; /**< may be NULL */
  blo_int n_subs;
};

/** Initialisers of a table for the struct T: of rows; of rows and tables inside it; of tables
 * inside it only. */
#define BLO_OPT_TABLE(name, help, T, rows)                                                         \
  {                                                                                                \
    name, help, sizeof(T), rows, BLO_COUNT_OF(rows), NULL, 0                                       \
  }
#define BLO_OPT_TABLE_WITH(name, help, T, rows, subs)                                              \
  {                                                                                                \
    name, help, sizeof(T), rows, BLO_COUNT_OF(rows), subs, BLO_COUNT_OF(subs)                      \
  }
#define BLO_OPT_TABLE_OF(name, help, T, subs)                                                      \
  {                                                                                                \
    name, help, sizeof(T), NULL, 0, subs, BLO_COUNT_OF(subs)                                       \
  }

#define BLO_INF 1e308

/** The kind of a field, from its type. */
#define BLO_OPT_KIND(T, f)                                                                         \
  _Generic(((T *)0)->f,                                                                            \
      bool: BLO_OPT_BOOL,                                                                          \
      blo_int: BLO_OPT_INT,                                                                        \
      double: BLO_OPT_DOUBLE,                                                                      \
      const char *: BLO_OPT_TEXT,                                                                  \
      int: BLO_OPT_CHOICE)

/** Number with range; T is the struct, f the field, which is also the key. */
#define BLO_OPT(T, f, def, low, high, unit, help, source, flags)                                   \
  BLO_OPT_AS(#f, T, f, def, low, high, unit, help, source, flags)
/** The same under a key of its own, for a field of a struct inside T. */
#define BLO_OPT_AS(key, T, f, def, low, high, unit, help, source, flags)                           \
  {                                                                                                \
    key, BLO_OPT_KIND(T, f), offsetof(T, f), sizeof(((T *)0)->f), def, low, high, NULL, unit,      \
        help, source, flags                                                                        \
  }
/** Text or truth value: no range. */
#define BLO_OPT_PLAIN(T, f, def, help, flags)                                                      \
  {                                                                                                \
#f, BLO_OPT_KIND(T, f), offsetof(T, f), sizeof(((T *)0)->f), def, 0, 0, NULL, "-", help, "",   \
        flags                                                                                      \
  }
/** One of a list of names. */
#define BLO_OPT_NAMES(T, f, def, names, help, source, flags)                                       \
  {                                                                                                \
#f, BLO_OPT_KIND(T, f), offsetof(T, f), sizeof(((T *)0)->f), def, 0, 0, names, "-", help,      \
        source, flags                                                                              \
  }
#define BLO_COUNT_OF(a) ((blo_int)(sizeof(a) / sizeof((a)[0])))

/**
 * Fill the struct from a map. Missing keys take their defaults; `node` NULL means all defaults.
 *
 * Unknown keys are errors that name file, line, path and the nearest known key; values that do not
 * parse or are out of range name the value and what is allowed. `also` (NULL-terminated, may be
 * NULL) are keys of the map that somebody else reads, e.g. "type".
 * Texts in the struct point into the configuration, which must outlive it.
 *
 * A BLO_OPT_PATH is made absolute, in the configuration too, so that its record means the same file
 * wherever it is read: a relative path counts from the run file's folder, from --set it counts from
 * the current folder.
 *
 * @return BLO_OK; BLO_E_OPTION; BLO_E_MEMORY; BLO_E_IO if the current folder has no name
 */
BLO_API BLO_MUST_USE blo_status blo_opt_read(blo_context *ctx, const blo_opt_table *table,
                                             const blo_conf *node, const char *const *also,
                                             void *out);
/** Only the rows, subs and names are checked: the table is well formed (used by a rule test). */
BLO_API BLO_MUST_USE blo_status blo_opt_table_check(blo_context *ctx, const blo_opt_table *table);
/** The value of one row as text, as a run file would have it. @param[out] text [cap] */
BLO_API void blo_opt_value_text(const blo_opt_row *row, const void *in, char *text, size_t cap);
/** Put all values, defaults included, into the map, so that it says what was used. */
BLO_API BLO_MUST_USE blo_status blo_opt_record(blo_context *ctx, const blo_opt_table *table,
                                               const void *in, blo_conf *node);
/**
 * Compare two structs of one table, leaving out rows that may change at resume.
 * @return BLO_OK; BLO_E_MISMATCH naming `path`.key and both values
 */
BLO_API BLO_MUST_USE blo_status blo_opt_same(blo_context *ctx, const blo_opt_table *table,
                                             const char *path, const void *was, const void *now);
/** Print the options for a terminal: key, kind, default, range, help, source. */
BLO_API void blo_opt_help(const blo_opt_table *table, const char *path, FILE *to);
/** Print the options as a Markdown table (the reference pages in docs/). */
BLO_API void blo_opt_markdown(const blo_opt_table *table, const char *path, FILE *to);
/** The known name nearest to `word` (edit distance), NULL if none is near. `names` NULL-terminated.
 */
BLO_API const char *blo_nearest(const char *word, const char *const *names);

#endif

/**
 * @file
 * What the parts of the option tables share: values as text, ranges in words, paths of sub-tables.
 */
#ifndef BLO_OPTIONS_TABLE_H
#define BLO_OPTIONS_TABLE_H

#include "conf.h"
#include "text.h"

enum {
  BLO_OPT_NUMBER_CAP = 32,  /**< shortest text of any number, end included */
  BLO_OPT_ALLOWED_CAP = 256 /**< what a row allows, in words */
};

/** Where a value was given, and its full key path: for messages. */
typedef struct blo_opt_place {
  const char *where, *path;
} blo_opt_place;

/** Parse a text into the row's field of a struct, checking the range. @return BLO_OK; BLO_E_OPTION
 */
BLO_MUST_USE blo_status blo_opt_value_parse(blo_context *ctx, const blo_opt_row *row,
                                            blo_opt_place at, const char *text, void *out);
/** The value of a row as text of any length. @param[in] number  memory that may be used for it */
const char *blo_opt_value(const blo_opt_row *row, const void *in, char number[BLO_OPT_NUMBER_CAP]);

/** "integer", "number", ... */
const char *blo_opt_kind_name(blo_opt_kind kind);
/** What is allowed, for a message ("greater than 0 and at most 1") or short ("> 0, <= 1"). */
void blo_opt_allowed(const blo_opt_row *row, bool in_words, blo_line *line);
/** True for numbers: kinds with a range. */
bool blo_opt_has_range(const blo_opt_row *row);

/** Print a table by `print`, then its sub-tables in the same way under their dotted paths. */
void blo_opt_each_table(const blo_opt_table *table, const char *path, FILE *to,
                        void (*print)(const blo_opt_table *table, const char *path, FILE *to));

/** "path.key", or only the key if the path is empty. */
void blo_opt_join(const char *path, const char *key, char joined[BLO_CONF_PATH_CAP]);
/** A field of the struct. */
void *blo_opt_field(void *in, size_t offset);
const void *blo_opt_field_const(const void *in, size_t offset);

#endif

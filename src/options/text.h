/**
 * @file
 * Text of growing length in counted memory, and lines of bounded length for messages.
 */
#ifndef BLO_OPTIONS_TEXT_H
#define BLO_OPTIONS_TEXT_H

#include <blo/base.h>

/** Growing text; `bytes` is NUL-terminated as soon as something was appended. All zero: empty. */
typedef struct blo_text {
  char *bytes;
  blo_int n, cap;
} blo_text;

/** Append `n` bytes. Call: Local. @return BLO_OK; BLO_E_MEMORY */
BLO_MUST_USE blo_status blo_text_append(blo_context *ctx, blo_text *text, const char *bytes,
                                        size_t n);

/** A line in memory of the caller; what does not fit is cut off. `n` is the length so far. */
typedef struct blo_line {
  char *text;
  size_t cap, n;
} blo_line;

/** Append formatted text. Call: Local. */
void blo_line_add(blo_line *line, const char *fmt, ...) BLO_PRINTF(2, 3);
/** Append the names, separated by commas; a list that gets too long ends in "...". Call: Local. */
void blo_line_add_names(blo_line *line, const char *const *names);

/** True for what YAML reads as "no value" unless it is quoted. */
bool blo_text_is_null(const char *text);

enum { BLO_SHOWN_CAP = 84 };

/** A value as it may stand in a one-line message: shortened, control characters replaced. */
const char *blo_shown(const char *value, char shown[BLO_SHOWN_CAP]);

#endif

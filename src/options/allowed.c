/**
 * @file
 * What an option allows, said in words for messages and in signs for help pages.
 */
#include "table.h"

const char *blo_opt_kind_name(blo_opt_kind kind)
{
  switch (kind) {
  case BLO_OPT_BOOL:
    return "truth value";
  case BLO_OPT_INT:
    return "integer";
  case BLO_OPT_DOUBLE:
    return "number";
  case BLO_OPT_TEXT:
    return "text";
  case BLO_OPT_CHOICE:
    return "choice";
  }
  blo_bug(__FILE__, __LINE__, "unknown kind of option %d", (int)kind);
}

static void add_range(const blo_opt_row *row, bool in_words, blo_line *line)
{
  bool open = row->flags & BLO_OPT_OPEN_LOW;
  bool has_low = row->low > -BLO_INF;
  bool has_high = row->high < BLO_INF;
  if (!has_low && !has_high) {
    blo_line_add(line, row->kind == BLO_OPT_INT ? "any whole number" : "any number");
  }
  if (has_low) {
    const char *words = open ? "greater than " : "at least ";
    blo_line_add(line, "%s%.15g", in_words ? words : (open ? "> " : ">= "), row->low);
  }
  if (has_low && has_high) {
    blo_line_add(line, in_words ? " and " : ", ");
  }
  if (has_high) {
    blo_line_add(line, "%s%.15g", in_words ? "at most " : "<= ", row->high);
  }
}

void blo_opt_allowed(const blo_opt_row *row, bool in_words, blo_line *line)
{
  switch (row->kind) {
  case BLO_OPT_BOOL:
    blo_line_add(line, in_words ? "true or false (also yes, no, on, off)" : "true, false");
    return;
  case BLO_OPT_INT:
  case BLO_OPT_DOUBLE:
    add_range(row, in_words, line);
    return;
  case BLO_OPT_TEXT:
    blo_line_add(line, row->flags & BLO_OPT_PATH ? "a path" : "any text");
    return;
  case BLO_OPT_CHOICE:
    blo_line_add(line, in_words ? "one of " : "");
    blo_line_add_names(line, row->choices);
    return;
  }
}

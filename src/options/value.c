/**
 * @file
 * One option's value: from text into its field with the range checked, and back into text.
 */
#include "table.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void *blo_opt_field(void *in, size_t offset)
{
  return (char *)in + offset;
}

const void *blo_opt_field_const(const void *in, size_t offset)
{
  return (const char *)in + offset;
}

bool blo_opt_has_range(const blo_opt_row *row)
{
  return row->kind == BLO_OPT_INT || row->kind == BLO_OPT_DOUBLE;
}

/* Decimal numbers and inf only; strtod alone also takes nan and hexadecimal. */
static bool parse_double(const char *text, double *value)
{
  const char *body = text + (*text == '-' || *text == '+');
  if (strcasecmp(body, "inf") == 0 || strcasecmp(body, ".inf") == 0) {
    *value = *text == '-' ? -HUGE_VAL : HUGE_VAL;
    return true;
  }
  if (body[strspn(body, "0123456789.eE+-")]) {
    return false;
  }
  char *end = NULL;
  *value = strtod(text, &end);
  return end != text && !*end && isfinite(*value);
}

/* "1e3" and "5.0" are whole numbers, too, as long as a double holds every one of that size. */
static bool parse_int(const char *text, blo_int *value)
{
  char *end = NULL;
  errno = 0;
  *value = strtoll(text, &end, 10);
  if (end != text && !*end && errno == 0) {
    return true;
  }
  double real = 0;
  bool whole = parse_double(text, &real) && fabs(real) <= 0x1p53 && floor(real) == real;
  *value = whole ? (blo_int)real : 0;
  return whole;
}

static bool parse_bool(const char *text, bool *value)
{
  static const char *const names[] = {"false", "true", "no", "yes", "off", "on"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (strcasecmp(text, names[i]) == 0) {
      *value = i % 2 == 1;
      return true;
    }
  }
  return false;
}

static bool parse_choice(const char *text, const char *const *choices, int *value)
{
  for (int i = 0; choices[i]; i++) {
    if (strcmp(text, choices[i]) == 0) {
      *value = i;
      return true;
    }
  }
  return false;
}

static bool in_range(const blo_opt_row *row, double value)
{
  bool open = row->flags & BLO_OPT_OPEN_LOW;
  bool low = row->low <= -BLO_INF || (open ? value > row->low : value >= row->low);
  return low && (value <= row->high || row->high >= BLO_INF);
}

/* One message for every value that does not fit: `problem` says how, the row what is allowed. What
 * is at least a number stands without quotes. */
static blo_status refuse(blo_context *ctx, const blo_opt_row *row, blo_opt_place at,
                         const char *text, const char *quote, const char *problem)
{
  char shown[BLO_SHOWN_CAP];
  char words[BLO_OPT_ALLOWED_CAP];
  blo_line allowed = {words, sizeof words, 0};
  blo_opt_allowed(row, true, &allowed);
  if (!text[0]) {
    return blo_fail(ctx, BLO_E_OPTION, __FILE__, __LINE__, "%s: %s has no value: must be %s",
                    at.where, at.path, words);
  }
  return blo_fail(ctx, BLO_E_OPTION, __FILE__, __LINE__, "%s: %s = %s%s%s %s: must be %s", at.where,
                  at.path, quote, blo_shown(text, shown), quote, problem, words);
}

static blo_status check_range(blo_context *ctx, const blo_opt_row *row, blo_opt_place at,
                              const char *text, double value)
{
  return in_range(row, value) ? BLO_OK : refuse(ctx, row, at, text, "", "is out of range");
}

static blo_status refuse_choice(blo_context *ctx, const blo_opt_row *row, blo_opt_place at,
                                const char *text)
{
  char shown[BLO_SHOWN_CAP];
  char names[BLO_OPT_ALLOWED_CAP];
  blo_line known = {names, sizeof names, 0};
  blo_line_add_names(&known, row->choices);
  const char *near = blo_nearest(text, row->choices);
  return blo_fail(ctx, BLO_E_OPTION, __FILE__, __LINE__, "%s: %s = '%s' is not one of %s%s%s%s",
                  at.where, at.path, blo_shown(text, shown), names, near ? "; did you mean '" : "",
                  near ? near : "", near ? "'?" : "");
}

blo_status blo_opt_value_parse(blo_context *ctx, const blo_opt_row *row, blo_opt_place at,
                               const char *text, void *out)
{
  void *field = blo_opt_field(out, row->offset);
  switch (row->kind) {
  case BLO_OPT_BOOL:
    return parse_bool(text, field) ? BLO_OK
                                   : refuse(ctx, row, at, text, "'", "is not a truth value");
  case BLO_OPT_INT:
    if (!parse_int(text, field)) {
      return refuse(ctx, row, at, text, "'", "is not a whole number");
    }
    return check_range(ctx, row, at, text, (double)*(blo_int *)field);
  case BLO_OPT_DOUBLE:
    if (!parse_double(text, field)) {
      return refuse(ctx, row, at, text, "'", "is not a number");
    }
    return check_range(ctx, row, at, text, *(double *)field);
  case BLO_OPT_TEXT:
    *(const char **)field = text;
    return BLO_OK;
  case BLO_OPT_CHOICE:
    return parse_choice(text, row->choices, field) ? BLO_OK : refuse_choice(ctx, row, at, text);
  }
  blo_bug(__FILE__, __LINE__, "option '%s' has the unknown kind %d", row->key, (int)row->kind);
}

/* The fewest digits that read back as the same double; 17 always do. Numbers up to a million get
 * as many as they have before the point, or %g would write 100 as 1e+02. */
static void print_double(double value, char number[BLO_OPT_NUMBER_CAP])
{
  int digits = fabs(value) >= 10 && fabs(value) < 1e6 ? 1 + (int)log10(fabs(value)) : 1;
  do {
    snprintf(number, BLO_OPT_NUMBER_CAP, "%.*g", digits, value);
    digits++;
  } while (digits <= 17 && strtod(number, NULL) != value);
}

const char *blo_opt_value(const blo_opt_row *row, const void *in, char number[BLO_OPT_NUMBER_CAP])
{
  const void *field = blo_opt_field_const(in, row->offset);
  switch (row->kind) {
  case BLO_OPT_BOOL:
    return *(const bool *)field ? "true" : "false";
  case BLO_OPT_INT:
    snprintf(number, BLO_OPT_NUMBER_CAP, "%" PRId64, *(const blo_int *)field);
    return number;
  case BLO_OPT_DOUBLE:
    print_double(*(const double *)field, number);
    return number;
  case BLO_OPT_TEXT: {
    const char *text = *(const char *const *)field;
    return text ? text : "";
  }
  case BLO_OPT_CHOICE:
    return row->choices[*(const int *)field];
  }
  blo_bug(__FILE__, __LINE__, "option '%s' has the unknown kind %d", row->key, (int)row->kind);
}

void blo_opt_value_text(const blo_opt_row *row, const void *in, char *text, size_t cap)
{
  char number[BLO_OPT_NUMBER_CAP];
  snprintf(text, cap, "%s", blo_opt_value(row, in, number));
}

/** @file Text files line by line: where the label is, and where the text. */
#include "number.h"
#include "text_private.h"
#include <ctype.h>
#include <string.h>

enum { SHOWN = 40 };

/** A part of a line. */
typedef struct field {
  const char *begin, *end;
} field;

static bool is_empty(const char *line)
{
  return line[strspn(line, " \t\r\f\v")] == '\0';
}

/** The next line that is not empty, NULL after the last one. */
static blo_status next_line(blo_lines *lines, const char **line)
{
  do {
    BLO_TRY(blo_input_line(lines->in, line));
  } while (*line != NULL && is_empty(*line));
  return BLO_OK;
}

static blo_int count_columns(const char *line)
{
  blo_int n = 1;

  for (const char *p = line; *p != '\0'; p++) {
    n += *p == '\t';
  }
  return n;
}

/** Column k of a line that has so many. */
static field find_column(const char *line, blo_int k)
{
  const char *p = line;

  for (; k > 0; k--) {
    p = strchr(p, '\t') + 1;
  }
  return (field){p, p + strcspn(p, "\t")};
}

static blo_status check_column(const blo_lines *lines, const char *what, blo_int column)
{
  blo_int n = lines->n_columns;

  BLO_CHECK(lines->ctx, column >= -n && column < n, BLO_E_OPTION,
            "%s has %lld columns, so that the %s column must be in %lld..%lld, not %lld",
            lines->spec->path, (long long)n, what, (long long)-n, (long long)n - 1,
            (long long)column);
  return BLO_OK;
}

/** Learn the file's form from its first line. */
static blo_status learn(blo_lines *lines, const char *line)
{
  const blo_text_spec *spec = lines->spec;
  blo_int n = lines->n_columns = count_columns(line);

  lines->tabs = n > 1;
  if (!lines->tabs) {
    return BLO_OK;
  }
  BLO_TRY(check_column(lines, "label", spec->label_column));
  BLO_TRY(check_column(lines, "text", spec->text_column));
  lines->label_column = spec->label_column + (spec->label_column < 0 ? n : 0);
  lines->text_column = spec->text_column + (spec->text_column < 0 ? n : 0);
  BLO_CHECK(lines->ctx, lines->label_column != lines->text_column, BLO_E_OPTION,
            "column %lld (from 0) of %s cannot be both label and text",
            (long long)lines->label_column, spec->path);
  return BLO_OK;
}

/** Find label and text of a line. */
static blo_status split(const blo_lines *lines, const char *line, field *label, field *text)
{
  blo_place place = blo_input_place(lines->in);

  if (lines->tabs) {
    blo_int n = count_columns(line);
    BLO_CHECK(lines->ctx, n == lines->n_columns, BLO_E_FORMAT,
              BLO_AT ": %lld columns between tabs, but the lines before have %lld",
              BLO_AT_ARGS(place), (long long)n, (long long)lines->n_columns);
    *label = find_column(line, lines->label_column);
    *text = find_column(line, lines->text_column);
    return BLO_OK;
  }
  label->begin = line + strspn(line, " ");
  label->end = label->begin + strcspn(label->begin, " \t");
  BLO_CHECK(lines->ctx, *label->end != '\0', BLO_E_FORMAT,
            BLO_AT ": no text; a line must have a label, a tab or blank, and the text",
            BLO_AT_ARGS(place));
  *text = (field){label->end + 1, line + strlen(line)};
  return BLO_OK;
}

/** Text for a message: at most SHOWN characters, none that a terminal would not show. */
static const char *show(field f, char *shown)
{
  int n = 0;

  for (const char *p = f.begin; p < f.end && n < SHOWN; p++) {
    shown[n++] = isprint((unsigned char)*p) ? *p : '?';
  }
  shown[n] = '\0';
  return shown;
}

static blo_status parse_label(const blo_lines *lines, field f, double *label)
{
  char shown[SHOWN + 1];
  const char *end;

  f.begin += strspn(f.begin, " ");
  while (f.end > f.begin && f.end[-1] == ' ') {
    f.end--;
  }
  end = f.begin < f.end ? blo_number_parse(f.begin, label) : NULL;
  BLO_CHECK(lines->ctx, end == f.end, BLO_E_FORMAT, BLO_AT ": the label \"%s\" is not an integer",
            BLO_AT_ARGS(blo_input_place(lines->in)), show(f, shown));
  return BLO_OK;
}

/** Names of columns stand over a table only, and begin with a letter, a quote or "_". */
static bool is_header(const blo_lines *lines, const char *line)
{
  const char *p;

  if (!lines->tabs) {
    return false;
  }
  p = find_column(line, lines->label_column).begin;
  return isalpha((unsigned char)*p) || *p == '"' || *p == '_';
}

blo_status blo_lines_open(blo_context *ctx, const blo_text_spec *spec, blo_lines *lines)
{
  *lines = (blo_lines){.ctx = ctx, .spec = spec};
  return blo_input_open(ctx, spec->path, &lines->in);
}

blo_status blo_lines_next(blo_lines *lines, blo_line *line)
{
  const char *bytes;
  field label = {NULL, NULL}, text = {NULL, NULL};

  *line = (blo_line){0, NULL, 0};
  BLO_TRY(next_line(lines, &bytes));
  if (bytes != NULL && lines->n_columns == 0) {
    BLO_TRY(learn(lines, bytes));
    if (is_header(lines, bytes)) {
      BLO_TRY(next_line(lines, &bytes));
    }
  }
  if (bytes == NULL) {
    return BLO_OK;
  }
  BLO_TRY(split(lines, bytes, &label, &text));
  BLO_TRY(parse_label(lines, label, &line->label));
  line->text = text.begin;
  line->n = (blo_int)(text.end - text.begin);
  return BLO_OK;
}

void blo_lines_close(blo_lines *lines)
{
  blo_input_close(&lines->in);
}

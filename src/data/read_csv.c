/**
 * @file Reader of tables of numbers, one sample a line: comma, semicolon, tab or blanks between the
 * columns, found from the first line (compare RFC 4180). One column is the label. A first line
 * with names is left out, as are empty lines and lines that begin with "#".
 */
#include "number.h"
#include "readers.h"
#include "rows.h"
#include "table_private.h"
#include <ctype.h>
#include <math.h>
#include <string.h>

typedef struct csv {
  blo_context *ctx;
  blo_input *in;
  char delimiter[3]; /**< the characters that end a field; two for blanks */
  blo_int n_columns, label_column;
  double *value; /**< [n_columns] of the line at hand */
  blo_rows rows;
  blo_classes classes;
} csv;

/** Blanks, any number of them, between the columns. */
static bool by_blanks(const char *delimiter)
{
  return delimiter[0] == ' ';
}

/** The next field [*begin, *end) of a line, without blanks around it; false after the last one. */
static bool next_field(const char *delimiter, const char **rest, const char **begin,
                       const char **end)
{
  const char *p = *rest, *q;

  if (p == NULL) {
    return false;
  }
  p += strspn(p, by_blanks(delimiter) ? " \t" : " ");
  q = p + strcspn(p, delimiter);
  *rest = *q != '\0' ? q + 1 : NULL;
  *begin = p;
  while (q > p && q[-1] == ' ') {
    q--;
  }
  *end = q;
  return !by_blanks(delimiter) || q > p;
}

static bool is_data(const char *line)
{
  const char *p = line + strspn(line, " \t");

  return *p != '\0' && *p != '#';
}

/** The next line with data, NULL after the last one. */
static blo_status next_line(csv *c, const char **line)
{
  do {
    BLO_TRY(blo_input_line(c->in, line));
  } while (*line != NULL && !is_data(*line));
  return BLO_OK;
}

static void find_delimiter(csv *c, const char *line)
{
  size_t at = strcspn(line, ",;\t");

  strcpy(c->delimiter, " \t");
  if (line[at] == ',' || line[at] == ';' || line[at] == '\t') {
    c->delimiter[0] = line[at];
    c->delimiter[1] = '\0';
  }
}

/** Names of columns begin with a letter, a quote or "_", and are neither "nan" nor "inf". */
static bool is_header(const csv *c, const char *line)
{
  const char *rest = line, *begin, *end;
  double value;

  while (next_field(c->delimiter, &rest, &begin, &end)) {
    bool name = isalpha((unsigned char)*begin) || *begin == '"' || *begin == '_';
    if (name && blo_number_parse(begin, &value) != end) {
      return true;
    }
  }
  return false;
}

static blo_int count_fields(const csv *c, const char *line)
{
  const char *rest = line, *begin, *end;
  blo_int n = 0;

  while (next_field(c->delimiter, &rest, &begin, &end)) {
    n++;
  }
  return n;
}

/** Learn the shape of the file from its first line, and where the label is. */
static blo_status learn_columns(csv *c, const blo_source_spec *spec, const char *line)
{
  blo_int n, label = spec->label_column;

  find_delimiter(c, line);
  n = count_fields(c, line);
  BLO_CHECK(c->ctx, n >= 2, BLO_E_FORMAT,
            BLO_AT ": one column only; a label and features must be separated by comma, semicolon, "
                   "tab or blanks",
            BLO_AT_ARGS(blo_input_place(c->in)));
  BLO_CHECK(c->ctx, label >= -n && label < n, BLO_E_OPTION,
            "%s has %lld columns, so that the label column must be in %lld..%lld, not %lld",
            spec->path, (long long)n, (long long)-n, (long long)n - 1, (long long)label);
  c->n_columns = n;
  c->label_column = label < 0 ? label + n : label;
  BLO_TRY(blo_alloc(c->ctx, n, sizeof *c->value, &c->value));
  return blo_rows_begin_dense(c->ctx, n - 1, BLO_U8, 0, &c->rows);
}

static blo_status parse_field(csv *c, blo_int k, const char *begin, const char *end)
{
  blo_place place = blo_input_place(c->in);

  BLO_CHECK(c->ctx, blo_number_parse(begin, &c->value[k]) == end, BLO_E_FORMAT,
            BLO_AT ": column %lld (from 0), \"%.*s\", is not a number", BLO_AT_ARGS(place),
            (long long)k, end - begin < 40 ? (int)(end - begin) : 40, begin);
  BLO_CHECK(c->ctx, isfinite(c->value[k]), BLO_E_DATA, BLO_AT ": column %lld (from 0) is %f",
            BLO_AT_ARGS(place), (long long)k, c->value[k]);
  return BLO_OK;
}

static blo_status parse_line(csv *c, const char *line)
{
  const char *rest = line, *begin, *end;
  blo_int n = count_fields(c, line);

  BLO_CHECK(c->ctx, n == c->n_columns, BLO_E_FORMAT,
            BLO_AT ": %lld columns, but the lines before have %lld",
            BLO_AT_ARGS(blo_input_place(c->in)), (long long)n, (long long)c->n_columns);
  for (blo_int k = 0; next_field(c->delimiter, &rest, &begin, &end); k++) {
    BLO_TRY(parse_field(c, k, begin, end));
  }
  return BLO_OK;
}

/** True if all features of the line can be stored in 8 bits. */
static bool fits_u8(const csv *c)
{
  for (blo_int k = 0; k < c->n_columns; k++) {
    double v = c->value[k];
    if (k != c->label_column && !(v >= 0 && v <= 255 && v == trunc(v) && !signbit(v))) {
      return false;
    }
  }
  return true;
}

static blo_status add_row(csv *c)
{
  blo_table *t = c->rows.table;
  int32_t label;
  void *row;

  BLO_TRY(blo_classes_take(c->ctx, &c->classes, blo_input_place(c->in), c->value[c->label_column],
                           &label));
  if (t->storage == BLO_U8 && !fits_u8(c)) {
    BLO_TRY(blo_rows_widen(&c->rows));
  }
  BLO_TRY(blo_rows_next(&c->rows, label, &row));
  for (blo_int k = 0, to = 0; k < c->n_columns; k++) {
    if (k != c->label_column) {
      blo_storage_put(t->storage, row, to++, c->value[k]);
    }
  }
  return BLO_OK;
}

static blo_status read_rows(csv *c, const blo_source_spec *spec)
{
  const char *line;

  BLO_TRY(next_line(c, &line));
  BLO_CHECK(c->ctx, line != NULL, BLO_E_DATA, "%s has no samples", spec->path);
  BLO_TRY(learn_columns(c, spec, line));
  if (is_header(c, line)) {
    BLO_TRY(next_line(c, &line));
  }
  while (line != NULL) {
    BLO_TRY(parse_line(c, line));
    BLO_TRY(add_row(c));
    BLO_TRY(next_line(c, &line));
  }
  return BLO_OK;
}

blo_status blo_read_csv(blo_context *ctx, const blo_source_spec *spec, const blo_rules *rules,
                        blo_table **out)
{
  blo_status status = BLO_OK;
  csv c = {.ctx = ctx};

  BLO_GO(blo_classes_begin(ctx, rules, &c.classes));
  BLO_GO(blo_input_open(ctx, spec->path, &c.in));
  BLO_GO(read_rows(&c, spec));
  BLO_GO(blo_rows_finish(&c.rows, &c.classes, rules, spec->path, out));
done:
  blo_input_close(&c.in);
  blo_rows_end(&c.rows);
  blo_classes_end(ctx, &c.classes);
  blo_free(ctx, &c.value);
  return status;
}

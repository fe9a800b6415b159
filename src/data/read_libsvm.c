/**
 * @file Reader of LIBSVM files: a line is "label index:value index:value ...", indices from 1 and
 * ascending, "#" begins a comment (C.-C. Chang and C.-J. Lin, LIBSVM, README, "svm-train").
 */
#include "number.h"
#include "readers.h"
#include "rows.h"
#include <math.h>
#include <string.h>

typedef struct svm {
  blo_context *ctx;
  blo_input *in;
  blo_int most, largest; /**< highest index allowed, highest index seen */
  blo_rows rows;
  blo_classes classes;
} svm;

static bool is_blank(char c)
{
  return c == ' ' || c == '\t';
}

/** At the end of a line or before a comment. */
static bool is_over(const char *p)
{
  return *p == '\0' || *p == '#';
}

static const char *skip_blanks(const char *p)
{
  return p + strspn(p, " \t");
}

static blo_status read_label(svm *s, const char **p)
{
  blo_place place = blo_input_place(s->in);
  double label;
  int32_t value;
  const char *end = blo_number_parse(*p, &label);

  BLO_CHECK(s->ctx, end != NULL && (is_blank(*end) || is_over(end)), BLO_E_FORMAT,
            BLO_AT ": \"%.*s\" is not a label", BLO_AT_ARGS(place), (int)strcspn(*p, " \t"), *p);
  BLO_TRY(blo_classes_take(s->ctx, &s->classes, place, label, &value));
  *p = end;
  return blo_rows_next(&s->rows, value, NULL);
}

/** "index:" at *p. */
static blo_status read_index(svm *s, const char **p, blo_int *index)
{
  blo_place place = blo_input_place(s->in);
  const char *q = *p;

  for (*index = 0; *q >= '0' && *q <= '9'; q++) {
    *index = *index <= INT32_MAX ? 10 * *index + (*q - '0') : *index;
  }
  BLO_CHECK(s->ctx, q > *p && *q == ':', BLO_E_FORMAT, BLO_AT ": \"%.*s\" is not index:value",
            BLO_AT_ARGS(place), (int)strcspn(*p, " \t"), *p);
  BLO_CHECK(s->ctx, *index >= 1 && *index <= s->most, BLO_E_DATA,
            BLO_AT ": feature %lld is outside 1..%lld", BLO_AT_ARGS(place), (long long)*index,
            (long long)s->most);
  *p = q + 1;
  return BLO_OK;
}

/** One "index:value" at *p, whose index must be above `last`. */
static blo_status read_entry(svm *s, const char **p, blo_int *last)
{
  blo_place place = blo_input_place(s->in);
  const char *begin = *p, *end;
  blo_int index;
  double value;

  BLO_TRY(read_index(s, p, &index));
  BLO_CHECK(s->ctx, index > *last, BLO_E_FORMAT,
            BLO_AT ": feature %lld comes after feature %lld: indices must ascend",
            BLO_AT_ARGS(place), (long long)index, (long long)*last);
  end = blo_number_parse(*p, &value);
  BLO_CHECK(s->ctx, end != NULL && (is_blank(*end) || is_over(end)), BLO_E_FORMAT,
            BLO_AT ": \"%.*s\" is not index:value", BLO_AT_ARGS(place), (int)strcspn(begin, " \t"),
            begin);
  BLO_CHECK(s->ctx, isfinite(value), BLO_E_DATA, BLO_AT ": feature %lld is %f", BLO_AT_ARGS(place),
            (long long)index, value);
  *p = end;
  *last = index;
  return blo_rows_add_entry(&s->rows, (int32_t)(index - 1), value);
}

static blo_status read_row(svm *s, const char *line)
{
  const char *p = skip_blanks(line);
  blo_int last = 0;

  if (is_over(p)) {
    return BLO_OK;
  }
  BLO_TRY(read_label(s, &p));
  for (p = skip_blanks(p); !is_over(p); p = skip_blanks(p)) {
    BLO_TRY(read_entry(s, &p, &last));
  }
  s->largest = last > s->largest ? last : s->largest;
  return BLO_OK;
}

static blo_status read_rows(svm *s)
{
  const char *line;

  for (;;) {
    BLO_TRY(blo_input_line(s->in, &line));
    if (line == NULL) {
      return BLO_OK;
    }
    BLO_TRY(read_row(s, line));
  }
}

blo_status blo_read_libsvm(blo_context *ctx, const blo_source_spec *spec, const blo_rules *rules,
                           blo_table **out)
{
  blo_status status = BLO_OK;
  blo_int wanted = spec->n_features > 0 ? spec->n_features : rules->n_features;
  svm s = {.ctx = ctx, .most = wanted > 0 ? wanted : INT32_MAX};

  BLO_CHECK(ctx, spec->n_features >= 0 && wanted <= INT32_MAX, BLO_E_OPTION,
            "the number of features must be 0 (as found) or 1..%d, not %lld", INT32_MAX,
            (long long)spec->n_features);
  BLO_GO(blo_classes_begin(ctx, rules, &s.classes));
  BLO_GO(blo_rows_begin_sparse(ctx, &s.rows));
  BLO_GO(blo_input_open(ctx, spec->path, &s.in));
  BLO_GO(read_rows(&s));
  s.rows.table->n_features = wanted > 0 ? wanted : s.largest;
  BLO_GO(blo_rows_finish(&s.rows, &s.classes, rules, spec->path, out));
done:
  blo_input_close(&s.in);
  blo_rows_end(&s.rows);
  blo_classes_end(ctx, &s.classes);
  return status;
}

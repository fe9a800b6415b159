/** @file Reader of text files with a given vocabulary: sentences to rows of tokens. */
#include "rows.h"
#include "text_private.h"

typedef struct reader {
  blo_context *ctx;
  const blo_vocabulary *vocabulary;
  blo_lines lines;
  blo_words sentence;
  blo_rows rows;
  blo_classes classes;
} reader;

/** The tokens of a sentence; a row is never empty. @param[out] row [max_length], zero */
static void put_tokens(const reader *r, int32_t *row)
{
  blo_int room = r->vocabulary->max_length;
  blo_int n = r->sentence.n < room ? r->sentence.n : room;

  row[0] = BLO_TOKEN_UNKNOWN;
  for (blo_int k = 0; k < n; k++) {
    row[k] = blo_vocabulary_token(r->vocabulary, blo_words_at(&r->sentence, k));
  }
}

static blo_status add_line(reader *r, const blo_line *line)
{
  int32_t label;
  void *row;

  BLO_TRY(blo_classes_take(r->ctx, &r->classes, blo_input_place(r->lines.in), line->label, &label));
  BLO_TRY(blo_words_split(r->ctx, line->text, line->n, &r->sentence));
  BLO_TRY(blo_rows_next(&r->rows, label, &row));
  put_tokens(r, row);
  return BLO_OK;
}

static blo_status read_lines(reader *r, const blo_text_spec *spec)
{
  blo_line line;

  BLO_TRY(blo_lines_open(r->ctx, spec, &r->lines));
  BLO_TRY(blo_rows_begin_dense(r->ctx, r->vocabulary->max_length, BLO_I32, 0, &r->rows));
  r->rows.table->n_tokens = blo_vocabulary_n_tokens(r->vocabulary);
  r->rows.table->vocabulary_crc = blo_vocabulary_crc(r->vocabulary);
  do {
    BLO_TRY(blo_lines_next(&r->lines, &line));
    BLO_TRY(line.text != NULL ? add_line(r, &line) : BLO_OK);
  } while (line.text != NULL);
  return BLO_OK;
}

blo_status blo_table_read_text(blo_context *ctx, const blo_text_spec *spec,
                               const blo_vocabulary *vocabulary, const blo_table *classes,
                               blo_table **out)
{
  const blo_source_spec source = {.path = spec->path, .n_classes = spec->n_classes};
  blo_rules rules = blo_rules_make(&source, classes);
  blo_status status = BLO_OK;
  reader r = {.ctx = ctx, .vocabulary = vocabulary};

  *out = NULL;
  BLO_GO(blo_classes_begin(ctx, &rules, &r.classes));
  BLO_GO(read_lines(&r, spec));
  BLO_GO(blo_rows_finish(&r.rows, &r.classes, &rules, spec->path, out));
done:
  blo_lines_close(&r.lines);
  blo_words_free(ctx, &r.sentence);
  blo_rows_end(&r.rows);
  blo_classes_end(ctx, &r.classes);
  return status;
}

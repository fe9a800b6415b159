/** @file `parblo convert --text`; see convert_text.h. */
#include "convert_text.h"
#include <stdio.h>

enum { DEFAULT_WORDS = 10000, DEFAULT_MIN_COUNT = 2, SHOWN_WORDS = 5 };

const blo_text_request blo_text_defaults = {
    .n_words = -1, .min_count = -1, .label_column = 0, .text_column = -1};

blo_status blo_text_check(blo_context *ctx, const blo_text_request *r)
{
  const blo_text_request *no = &blo_text_defaults;

  BLO_CHECK(ctx,
            r->wanted ||
                (r->other == NULL && r->n_words == no->n_words && r->min_count == no->min_count &&
                 r->max_length == no->max_length && r->text_column == no->text_column),
            BLO_E_OPTION,
            "--vocabulary, --vocabulary-from, --min-count, --max-length and --text-column need "
            "--text");
  BLO_CHECK(ctx, r->other == NULL || (r->n_words == no->n_words && r->min_count == no->min_count),
            BLO_E_OPTION,
            "--vocabulary and --min-count make a new vocabulary, but --vocabulary-from %s takes "
            "one that is there",
            r->other);
  return BLO_OK;
}

static blo_text_spec spec_of(const blo_text_request *r, const char *path)
{
  return (blo_text_spec){.path = path,
                         .label_column = r->label_column,
                         .text_column = r->text_column,
                         .n_classes = r->n_classes};
}

static blo_status find_vocabulary(blo_context *ctx, const blo_text_request *r, const char *path,
                                  blo_vocabulary **vocabulary)
{
  const blo_text_spec text = spec_of(r, path);
  const blo_vocabulary_spec spec = {r->n_words < 0 ? DEFAULT_WORDS : r->n_words,
                                    r->min_count < 0 ? DEFAULT_MIN_COUNT : r->min_count,
                                    r->max_length};

  if (r->other == NULL) {
    return blo_vocabulary_create(ctx, &text, &spec, vocabulary);
  }
  BLO_TRY(blo_vocabulary_read(ctx, r->other, vocabulary));
  if (r->max_length > 0) {
    blo_vocabulary_set_length(*vocabulary, r->max_length);
  }
  return BLO_OK;
}

blo_status blo_text_tables(blo_context *ctx, const blo_text_request *r, const char *const *path,
                           blo_int n, blo_table **table, blo_vocabulary **vocabulary)
{
  const blo_table *first = NULL;

  BLO_TRY(find_vocabulary(ctx, r, path[0], vocabulary));
  for (blo_int i = 0; i < n; i++) {
    if (path[i] != NULL) {
      const blo_text_spec spec = spec_of(r, path[i]);
      BLO_TRY(blo_table_read_text(ctx, &spec, *vocabulary, first, &table[i]));
      first = first == NULL ? table[i] : first;
    }
  }
  return BLO_OK;
}

void blo_vocabulary_line(const blo_vocabulary *vocabulary)
{
  blo_int n = blo_vocabulary_n_tokens(vocabulary);

  printf("vocabulary of %lld tokens, each %lld times or more, rows of %lld:", (long long)n,
         (long long)blo_vocabulary_min_count(vocabulary),
         (long long)blo_vocabulary_max_length(vocabulary));
  for (blo_int i = 2; i < n && i < 2 + SHOWN_WORDS; i++) {
    printf(" %s", blo_vocabulary_word(vocabulary, i));
  }
  printf(n > 2 + SHOWN_WORDS ? " ...\n" : "\n");
}

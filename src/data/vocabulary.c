/** @file Vocabularies: the most frequent words of a text file, and their tokens. */
#include "text_private.h"
#include <stdlib.h>
#include <string.h>

/* -------------------------------------------------------------------- life */

blo_status blo_vocabulary_begin(blo_context *ctx, blo_vocabulary **out)
{
  static const char *const names[] = {
      [BLO_TOKEN_PADDING] = "<padding>", [BLO_TOKEN_UNKNOWN] = "<unknown>"};
  blo_status status = BLO_OK;
  blo_vocabulary *v = NULL;
  blo_int number;

  BLO_GO(blo_alloc(ctx, 1, sizeof *v, &v));
  for (int i = 0; i < BLO_TOKEN_FIRST; i++) {
    BLO_GO(blo_word_set_insert(ctx, &v->set, names[i], &number));
  }
  *out = v;
  v = NULL;
done:
  blo_vocabulary_destroy(ctx, &v);
  return status;
}

void blo_vocabulary_destroy(blo_context *ctx, blo_vocabulary **vocabulary)
{
  if (*vocabulary != NULL) {
    blo_word_set_free(ctx, &(*vocabulary)->set);
    blo_free(ctx, vocabulary);
  }
}

blo_int blo_vocabulary_n_tokens(const blo_vocabulary *vocabulary)
{
  return vocabulary->set.words.n;
}

int32_t blo_vocabulary_token(const blo_vocabulary *vocabulary, const char *word)
{
  blo_int token = blo_word_set_find(&vocabulary->set, word);

  return token >= BLO_TOKEN_FIRST ? (int32_t)token : BLO_TOKEN_UNKNOWN;
}

const char *blo_vocabulary_word(const blo_vocabulary *vocabulary, blo_int token)
{
  return blo_words_at(&vocabulary->set.words, token);
}

blo_int blo_vocabulary_min_count(const blo_vocabulary *vocabulary)
{
  return vocabulary->min_count;
}

blo_int blo_vocabulary_max_length(const blo_vocabulary *vocabulary)
{
  return vocabulary->max_length;
}

void blo_vocabulary_set_length(blo_vocabulary *vocabulary, blo_int max_length)
{
  vocabulary->max_length = max_length;
}

uint32_t blo_vocabulary_crc(const blo_vocabulary *vocabulary)
{
  const blo_words *words = &vocabulary->set.words;
  uint32_t crc = blo_crc32(0, words->bytes, (size_t)words->n_bytes);

  return crc != 0 ? crc : 1;
}

/* ---------------------------------------------------------------- counting */

/** The words of a file, how often each occurs, and the longest sentence. */
typedef struct census {
  blo_context *ctx;
  blo_word_set set;
  blo_int *count, cap;
  blo_words sentence;
  blo_int n_rows, longest;
} census;

static blo_status count_word(census *c, const char *word)
{
  blo_int number;

  BLO_TRY(blo_word_set_insert(c->ctx, &c->set, word, &number));
  if (number >= c->cap) {
    c->cap = 2 * number + 1024;
    BLO_TRY(blo_realloc(c->ctx, c->cap, sizeof *c->count, &c->count));
  }
  c->count[number]++;
  return BLO_OK;
}

static blo_status count_line(census *c, const blo_line *line)
{
  BLO_TRY(blo_words_split(c->ctx, line->text, line->n, &c->sentence));
  for (blo_int i = 0; i < c->sentence.n; i++) {
    BLO_TRY(count_word(c, blo_words_at(&c->sentence, i)));
  }
  c->longest = c->sentence.n > c->longest ? c->sentence.n : c->longest;
  c->n_rows++;
  return BLO_OK;
}

static blo_status count_file(census *c, const blo_text_spec *text)
{
  blo_status status = BLO_OK;
  blo_lines lines = {0};
  blo_line line;

  BLO_GO(blo_lines_open(c->ctx, text, &lines));
  do {
    BLO_GO(blo_lines_next(&lines, &line));
    BLO_GO(line.text != NULL ? count_line(c, &line) : BLO_OK);
  } while (line.text != NULL);
  BLO_CHECK_GO(c->ctx, c->n_rows > 0, BLO_E_DATA, "%s has no samples", text->path);
done:
  blo_lines_close(&lines);
  return status;
}

static void end_census(census *c)
{
  blo_word_set_free(c->ctx, &c->set);
  blo_free(c->ctx, &c->count);
  blo_words_free(c->ctx, &c->sentence);
}

/* ---------------------------------------------------------------- choosing */

typedef struct candidate {
  const char *word;
  blo_int count;
} candidate;

/** The most frequent first; those of the same count by their bytes. */
static int by_count(const void *a, const void *b)
{
  const candidate *x = a, *y = b;

  return x->count != y->count ? (x->count < y->count) - (x->count > y->count)
                              : strcmp(x->word, y->word);
}

/** Words that are frequent and short enough. @param[out] list [words counted] @return how many */
static blo_int find_candidates(const census *c, blo_int min_count, candidate *list)
{
  blo_int n = 0;

  for (blo_int i = 0; i < c->set.words.n; i++) {
    const char *word = blo_words_at(&c->set.words, i);
    if (c->count[i] >= min_count && strlen(word) <= BLO_WORD_BYTES_MAX) {
      list[n++] = (candidate){word, c->count[i]};
    }
  }
  return n;
}

static blo_status choose(const census *c, const char *path, const blo_vocabulary_spec *spec,
                         blo_vocabulary *v)
{
  blo_status status = BLO_OK;
  candidate *list = NULL;
  blo_int n, number;

  BLO_GO(blo_alloc(c->ctx, c->set.words.n, sizeof *list, &list));
  n = find_candidates(c, spec->min_count, list);
  BLO_CHECK_GO(c->ctx, n > 0, BLO_E_DATA,
               "%s: no word occurs %lld times or more, so that the vocabulary is empty; lower the "
               "least count",
               path, (long long)spec->min_count);
  qsort(list, (size_t)n, sizeof *list, by_count);
  for (blo_int i = 0; i < n && i < spec->n_words; i++) {
    BLO_GO(blo_word_set_insert(c->ctx, &v->set, list[i].word, &number));
  }
  v->min_count = spec->min_count;
  v->max_length = spec->max_length > 0 ? spec->max_length : c->longest;
done:
  blo_free(c->ctx, &list);
  return status;
}

static blo_status check_spec(blo_context *ctx, const blo_vocabulary_spec *spec)
{
  BLO_CHECK(ctx, spec->n_words >= 1 && spec->n_words <= INT32_MAX - BLO_TOKEN_FIRST, BLO_E_OPTION,
            "the number of words in a vocabulary must be in 1..%d, not %lld",
            INT32_MAX - BLO_TOKEN_FIRST, (long long)spec->n_words);
  BLO_CHECK(ctx, spec->min_count >= 1, BLO_E_OPTION,
            "the least count of a word must be 1 or more, not %lld", (long long)spec->min_count);
  BLO_CHECK(ctx, spec->max_length >= 0 && spec->max_length <= INT32_MAX - 7, BLO_E_OPTION,
            "the length of rows must be 0 (the longest sentence's) or more, not %lld",
            (long long)spec->max_length);
  return BLO_OK;
}

blo_status blo_vocabulary_create(blo_context *ctx, const blo_text_spec *text,
                                 const blo_vocabulary_spec *spec, blo_vocabulary **out)
{
  blo_status status = BLO_OK;
  census c = {.ctx = ctx};
  blo_vocabulary *v = NULL;

  *out = NULL;
  BLO_GO(check_spec(ctx, spec));
  BLO_GO(count_file(&c, text));
  BLO_GO(blo_vocabulary_begin(ctx, &v));
  BLO_GO(choose(&c, text->path, spec, v));
  *out = v;
  v = NULL;
done:
  blo_vocabulary_destroy(ctx, &v);
  end_census(&c);
  return status;
}

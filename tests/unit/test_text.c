/**
 * @file Text: the tokeniser against words written by hand, the order of vocabularies against counts
 * made by hand, and rows of tokens through files, sources and sets. Each rank reads and writes
 * files of its own, unless a source or set is shared.
 */
#include "test_data_files.h"
#include <stdlib.h>

/** The path of a file of this rank's own. */
static const char *own_path(blo_comm *comm, const char *name)
{
  char text[64];

  snprintf(text, sizeof text, "%s%d", name, blo_comm_rank(comm));
  return data_path(comm, text);
}

static const blo_vocabulary_spec all_words = {1000000, 1, 0};

static blo_text_spec text_file(blo_comm *comm, const char *name, const char *text)
{
  return (blo_text_spec){.path = data_write_text(comm, name, text), .text_column = -1};
}

/** The vocabulary of a text, in which nothing is left out. */
static blo_vocabulary *vocabulary_of(blo_comm *comm, const blo_text_spec *spec)
{
  blo_vocabulary *v = NULL;

  BLO_REQUIRE_STATUS(blo_vocabulary_create(blo_comm_context(comm), spec, &all_words, &v), BLO_OK);
  return v;
}

static blo_table *table_of(blo_comm *comm, const blo_text_spec *spec, const blo_vocabulary *v)
{
  blo_table *t = NULL;

  BLO_REQUIRE_STATUS(blo_table_read_text(blo_comm_context(comm), spec, v, NULL, &t), BLO_OK);
  return t;
}

/* --------------------------------------------------------------- tokeniser */

/** What comes out, with a blank between words. */
static void joined(const blo_words *words, char *text, size_t cap)
{
  size_t used = 0;

  text[0] = '\0';
  for (blo_int i = 0; i < words->n; i++) {
    used += (size_t)snprintf(text + used, cap - used, i > 0 ? " %s" : "%s", blo_words_at(words, i));
  }
}

/** Text, and its words by the rules in docs/data-format.md. */
static const struct {
  const char *text, *words;
} sentences[] = {
    {"", ""},
    {" \t \v", ""},
    {"A stirring, funny film.", "a stirring , funny film ."},
    {"it's n't 'tis snake_case", "it's n't 'tis snake_case"},
    {"don\xE2\x80\x99t", "don't"},
    {"re-imagining of 1930s", "re - imagining of 1930s"},
    {"3.14 and 1,000", "3 . 14 and 1 , 000"},
    {"so... good!!", "so . . . good ! !"},
    {"http://twitpic.com/2y1zl - ok", "<url> - ok"},
    {"(HTTPS://a.b) Www.x.org, end", "( <url> <url> end"},
    {"http:// www. x", "http : / / www . x"},
    {"xhttp://a", "xhttp : / / a"},
    {"@switchfoot hi .@Kenichan!", "<user> hi . <user> !"},
    {"me@home.org @ @@x @a'b", "me @ home . org @ @ <user> <user> 'b"},
    {"<url> <user>", "< url > < user >"},
    {"na\xC3\xAFve CR\xC3\x88ME", "na\xC3\xAFve cr\xC3\xA8me"},
    {"na\xEFve CR\xC8ME", "na\xC3\xAFve cr\xC3\xA8me"},
    {"2\xD7"
     "3 \xF7",
     "2 \xC3\x97 3 \xC3\xB7"},
    {"\xE2\x98\xBA\xF0\x9F\x98\x80x", "\xE2\x98\xBA \xF0\x9F\x98\x80 x"},
    {"a\xC2\xA0"
     "b\xE2\x80\x83"
     "c\x85"
     "d\x7F"
     "e",
     "a b c d e"},
    {"\xC0\xAF", "\xC3\xA0 \xC2\xAF"}, /* not the shortest form of "/" */
    /* the bytes from 80 to A0 are white space of Latin-1 */
    {"\xE0\x81\x81", "\xC3\xA0"},                               /* not the shortest form of "A" */
    {"\xED\xA0\x80", "\xC3\xAD"},                               /* half of a surrogate pair */
    {"\xE2\x82", "\xC3\xA2"},                                   /* cut in a character */
    {"\xF4\x90\x80\x80", "\xC3\xB4"},                           /* beyond U+10FFFF */
    {"\xCE\xB1\xCE\xB2 \xD0\x96", "\xCE\xB1\xCE\xB2 \xD0\x96"}, /* not folded beyond Latin-1 */
    {"\xC3\x9F \xC3\xBF \xC3\x9E", "\xC3\x9F \xC3\xBF \xC3\xBE"},
    {"*x* [a] \"q\" #tag & $5", "* x * [ a ] \" q \" # tag & $ 5"},
};

static void words_are_those_written_by_hand(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_words words = {0};
  char got[256];

  for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++) {
    const char *text = sentences[i].text, *want = sentences[i].words;
    BLO_EXPECT_STATUS(blo_words_split(ctx, text, (blo_int)strlen(text), &words), BLO_OK);
    joined(&words, got, sizeof got);
    BLO_EXPECT_MSG(strcmp(got, want) == 0, "\"%s\": \"%s\", not \"%s\"", text, got, want);
  }
  blo_words_free(ctx, &words);
}

/** Only the bytes given are looked at. */
static void text_ends_where_it_is_said(blo_comm *comm)
{
  static const char text[] = {'w', 'w', 'w', '.', 'a', ' ', '\xE2', '\x98', '\xBA'};
  static const char *const want[] = {"",
                                     "w",
                                     "ww",
                                     "www",
                                     "www .",
                                     "<url>",
                                     "<url>",
                                     "<url> \xC3\xA2",
                                     "<url> \xC3\xA2",
                                     "<url> \xE2\x98\xBA"};
  blo_context *ctx = blo_comm_context(comm);
  blo_words words = {0};
  char got[64];

  for (size_t n = 0; n < sizeof want / sizeof *want; n++) {
    BLO_EXPECT_STATUS(blo_words_split(ctx, text, (blo_int)n, &words), BLO_OK);
    joined(&words, got, sizeof got);
    BLO_EXPECT_MSG(strcmp(got, want[n]) == 0, "%zu bytes: \"%s\"", n, got);
  }
  blo_words_free(ctx, &words);
}

/* -------------------------------------------------------------- vocabulary */

/** e 4 times; b, c 3; a, d 2; f once. Bytes order b before c, and a before d. */
static const char counted[] = "1 c c b e\n0 e b d a\n\n1 E f b c\n0 D a e\n";

static void words_are_ordered_by_count_and_bytes(blo_comm *comm)
{
  static const char *const want[] = {"<padding>", "<unknown>", "e", "b", "c", "a", "d"};
  blo_context *ctx = blo_comm_context(comm);
  blo_text_spec spec = text_file(comm, "counted", counted);
  blo_vocabulary_spec rules = {100, 2, 0};
  blo_vocabulary *v = NULL;

  BLO_REQUIRE_STATUS(blo_vocabulary_create(ctx, &spec, &rules, &v), BLO_OK);
  BLO_REQUIRE_ALL(blo_vocabulary_n_tokens(v) == 7);
  for (int i = 0; i < 7; i++) {
    BLO_EXPECT_ALL(strcmp(blo_vocabulary_word(v, i), want[i]) == 0);
    BLO_EXPECT_ALL(blo_vocabulary_token(v, want[i]) == (i < 2 ? 1 : i));
  }
  BLO_EXPECT_ALL(blo_vocabulary_token(v, "f") == 1 && blo_vocabulary_token(v, "E") == 1);
  BLO_EXPECT_ALL(blo_vocabulary_min_count(v) == 2 && blo_vocabulary_max_length(v) == 4);
  blo_vocabulary_destroy(ctx, &v);
  rules = (blo_vocabulary_spec){2, 1, 9};
  BLO_REQUIRE_STATUS(blo_vocabulary_create(ctx, &spec, &rules, &v), BLO_OK);
  BLO_EXPECT_ALL(blo_vocabulary_n_tokens(v) == 4 && blo_vocabulary_token(v, "b") == 3);
  BLO_EXPECT_ALL(blo_vocabulary_token(v, "c") == 1 && blo_vocabulary_max_length(v) == 9);
  blo_vocabulary_destroy(ctx, &v);
}

/** More words than the first table of the hash has room for: word i is there 1 + i % 3 times. */
static void many_words_are_found_again(blo_comm *comm)
{
  enum { N = 5000 };
  blo_context *ctx = blo_comm_context(comm);
  char *text = malloc(30 * N), word[16];
  size_t used = 0;
  bool found = true;

  for (int i = 0; i < N; i++) {
    used += (size_t)sprintf(text + used, "%d w%d\n", i % 2, i);
    for (int k = 0; k < i % 3; k++) {
      used += (size_t)sprintf(text + used, "0 w%d\n", i);
    }
  }
  blo_text_spec spec = text_file(comm, "many", text);
  free(text);
  blo_vocabulary *v = vocabulary_of(comm, &spec);
  BLO_EXPECT_ALL(blo_vocabulary_n_tokens(v) == N + 2);
  for (int i = 0; i < N; i++) {
    snprintf(word, sizeof word, "w%d", i);
    int32_t t = blo_vocabulary_token(v, word);
    int before = i % 3 == 2 ? 2 : i % 3 == 1 ? 2 + N / 3 : 2 + 2 * (N / 3);
    found = found && strcmp(blo_vocabulary_word(v, t), word) == 0 && t >= before &&
            t < before + N / 3 + 2;
  }
  BLO_EXPECT_ALL(found);
  blo_vocabulary_destroy(ctx, &v);
}

static void wishes_that_cannot_be_met_are_refused(blo_comm *comm)
{
  static const struct {
    blo_vocabulary_spec spec;
    blo_status status;
    const char *text;
  } cases[] = {{{0, 1, 0}, BLO_E_OPTION, "words in a vocabulary must be in 1.."},
               {{5, 0, 0}, BLO_E_OPTION, "must be 1 or more, not 0"},
               {{5, 1, -1}, BLO_E_OPTION, "0 (the longest sentence's) or more, not -1"},
               {{5, 6, 0}, BLO_E_DATA, "no word occurs 6 times or more"}};
  blo_text_spec spec = text_file(comm, "counted", counted);
  blo_vocabulary *v = NULL;

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    BLO_EXPECT_STATUS(blo_vocabulary_create(blo_comm_context(comm), &spec, &cases[i].spec, &v),
                      cases[i].status);
    BLO_EXPECT_ERROR_HAS(cases[i].text);
    BLO_EXPECT_ALL(v == NULL);
  }
}

/* -------------------------------------------------------------------- rows */

/** Rows against tokens that are counted by hand: e 2, b 3, c 4, a 5, d 6, f 7. */
static void sentences_become_rows(blo_comm *comm)
{
  static const int32_t want[5][4] = {
      {4, 4, 3, 2}, {1, 0, 0, 0}, {1, 7, 0, 0}, {2, 3, 6, 5}, {1, 0, 0, 0}};
  static const int label[] = {3, -2, 3, 7, 7};
  blo_context *ctx = blo_comm_context(comm);
  blo_text_spec spec = text_file(comm, "counted", counted);
  blo_text_spec other = text_file(comm, "rows", "3 c c B e\n-2 \n3 zzz f\n7 e b d a c\n7\t \t\n");
  blo_vocabulary *v = vocabulary_of(comm, &spec);
  blo_table *t = NULL;

  BLO_EXPECT_STATUS(blo_table_read_text(ctx, &other, v, NULL, &t), BLO_OK);
  BLO_REQUIRE_ALL(t != NULL && t->n_rows == 5 && t->n_features == 4 && t->ld == 8);
  BLO_EXPECT_ALL(t->storage == BLO_I32 && !t->sparse && t->n_tokens == 8 && t->n_classes == 3);
  for (blo_int i = 0; i < 5; i++) {
    const int32_t *row = (const int32_t *)t->values + i * t->ld;
    BLO_EXPECT_ALL(memcmp(row, want[i], sizeof want[i]) == 0 && row[4] == 0 && row[7] == 0);
    BLO_EXPECT_ALL(data_label(t, i) == label[i]);
  }
  blo_table_destroy(ctx, &t);
  blo_vocabulary_destroy(ctx, &v);
}

static void columns_between_tabs_are_found(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_text_spec last = text_file(comm, "tabs", "label\tid\ttext\n1\tx\ta b\n\n 0 \ty\t\n");
  blo_text_spec first = text_file(comm, "first", "a b\tx\t1\n\ty\t0\n");
  blo_vocabulary *v = vocabulary_of(comm, &last);
  blo_table *t = table_of(comm, &last, v), *u = NULL;

  BLO_EXPECT_ALL(t->n_rows == 2 && data_label(t, 0) == 1 && data_label(t, 1) == 0);
  BLO_EXPECT_ALL(data_value(t, 0, 0) == 2 && data_value(t, 0, 1) == 3 && data_value(t, 1, 0) == 1);
  first.label_column = -1;
  first.text_column = 0;
  u = table_of(comm, &first, v);
  BLO_EXPECT_ALL(data_equal(t, u));
  blo_table_destroy(ctx, &u);
  first.label_column = 0;
  BLO_EXPECT_STATUS(blo_table_read_text(ctx, &first, v, NULL, &u), BLO_E_OPTION);
  BLO_EXPECT_ERROR_HAS("cannot be both label and text");
  first.label_column = 3;
  BLO_EXPECT_STATUS(blo_table_read_text(ctx, &first, v, NULL, &u), BLO_E_OPTION);
  BLO_EXPECT_ERROR_HAS("3 columns, so that the label column must be in -3..2, not 3");
  blo_table_destroy(ctx, &t);
  blo_vocabulary_destroy(ctx, &v);
}

static void lines_that_are_wrong_are_named(blo_comm *comm)
{
  static const struct {
    const char *text, *said;
    blo_status status;
  } cases[] = {
      {"1 a\n\n1\n", "wrong, line 3: no text", BLO_E_FORMAT},
      {"1 a\ngood film\n", "wrong, line 2: the label \"good\" is not an integer", BLO_E_FORMAT},
      {"1 a\n1.5 b\n", "wrong, line 2: label 1.5 is not an integer", BLO_E_DATA},
      {"1\ta\n1 b\n", "wrong, line 2: 1 columns between tabs, but the lines before have 2",
       BLO_E_FORMAT},
      {"1\ta\n\tb\n", "wrong, line 2: the label \"\" is not an integer", BLO_E_FORMAT},
      {"\x89HD \x01", "wrong, line 1: the label \"?HD\" is not an integer", BLO_E_FORMAT},
      {"", "wrong has no samples", BLO_E_DATA},
      {" \n\n", "wrong has no samples", BLO_E_DATA},
      {"label\ttext\n", "wrong has no samples", BLO_E_DATA},
  };
  blo_context *ctx = blo_comm_context(comm);
  blo_text_spec good = text_file(comm, "counted", counted);
  blo_vocabulary *v = vocabulary_of(comm, &good);
  blo_table *t = NULL;

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    blo_text_spec spec = text_file(comm, "wrong", cases[i].text);
    BLO_EXPECT_STATUS(blo_table_read_text(ctx, &spec, v, NULL, &t), cases[i].status);
    BLO_EXPECT_ERROR_HAS(cases[i].said);
  }
  blo_text_spec binary = {.path = data_write(comm, "wrong", "1 a\0b\n", 6, true),
                          .text_column = -1};
  BLO_EXPECT_STATUS(blo_table_read_text(ctx, &binary, v, NULL, &t), BLO_E_FORMAT);
  BLO_EXPECT_ERROR_HAS("wrong, line 1: a byte 0");
  blo_vocabulary_destroy(ctx, &v);
}

/* ------------------------------------------------------------------- files */

/** Sentences of 1..7 words of 40, three labels. */
static blo_text_spec write_sentences(blo_comm *comm, int n)
{
  char *text = malloc((size_t)(50 * n + 50));
  size_t used = 0;

  for (int i = 0; i < n; i++) {
    used += (size_t)sprintf(text + used, "%d", i % 3);
    for (int k = 0; k <= i % 7; k++) {
      used += (size_t)sprintf(text + used, " w%d", (7 * i + 5 * k * k) % 40);
    }
    text[used++] = '\n';
  }
  blo_text_spec spec = {.path = data_write(comm, "sentences", text, used, true), .text_column = -1};
  free(text);
  return spec;
}

static blo_status write_one(blo_comm *comm, const char *path, const blo_table *t,
                            const blo_vocabulary *v)
{
  static const char *const names[] = {"train"};

  return blo_table_write_text(blo_comm_context(comm), path, 1, names, &t, v);
}

static blo_status read_one(blo_comm *comm, const char *path, const blo_table *classes,
                           blo_table **t)
{
  blo_source_spec spec = {.path = path, .group = ""};

  return blo_table_read(blo_comm_context(comm), &spec, classes, t);
}

static void tokens_and_words_come_back(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_text_spec spec = write_sentences(comm, 300);
  blo_vocabulary *v = vocabulary_of(comm, &spec), *w = NULL;
  blo_table *t = table_of(comm, &spec, v), *back = NULL;
  const char *path = own_path(comm, "tokens.h5");
  bool same = true;

  BLO_EXPECT_STATUS(write_one(comm, path, t, v), BLO_OK);
  BLO_REQUIRE_STATUS(read_one(comm, path, NULL, &back), BLO_OK);
  BLO_EXPECT_ALL(back->storage == BLO_I32 && back->n_tokens == 42 && data_equal(t, back));
  BLO_REQUIRE_STATUS(blo_vocabulary_read(ctx, path, &w), BLO_OK);
  BLO_REQUIRE_ALL(blo_vocabulary_n_tokens(w) == 42 && blo_vocabulary_max_length(w) == 7);
  BLO_EXPECT_ALL(blo_vocabulary_min_count(w) == 1);
  for (blo_int i = 0; i < 42; i++) {
    same = same && strcmp(blo_vocabulary_word(v, i), blo_vocabulary_word(w, i)) == 0;
  }
  BLO_EXPECT_ALL(same);
  blo_table *again = table_of(comm, &spec, w);
  BLO_EXPECT_ALL(data_equal(t, again));
  blo_table_destroy(ctx, &again);
  blo_table_destroy(ctx, &back);
  blo_vocabulary_destroy(ctx, &w);
  BLO_EXPECT_STATUS(
      blo_table_write(ctx, path, 1, (const char *const[]){"x"}, &(const blo_table *){t}), BLO_OK);
  BLO_EXPECT_STATUS(blo_vocabulary_read(ctx, path, &w), BLO_E_DATA);
  BLO_EXPECT_ERROR_HAS("has no vocabulary");
  blo_table_destroy(ctx, &t);
  blo_vocabulary_destroy(ctx, &v);
}

/** Wherever a bit is flipped, tokens and words are refused or as they were. */
static void flipped_bits_are_noticed(blo_comm *comm)
{
  enum { CAP = 1 << 16 };
  blo_context *ctx = blo_comm_context(comm);
  size_t rank = (size_t)blo_comm_rank(comm), size = (size_t)blo_comm_size(comm), refused = 0,
         bad = 0;
  unsigned char *bytes = malloc(CAP);
  blo_text_spec spec = text_file(comm, "counted", counted);
  blo_vocabulary *v = vocabulary_of(comm, &spec), *w = NULL;
  blo_table *t = table_of(comm, &spec, v), *u = NULL, *again = NULL;
  const char *path = own_path(comm, "whole.h5"), *damaged = own_path(comm, "damaged.h5");

  BLO_REQUIRE_STATUS(write_one(comm, path, t, v), BLO_OK);
  size_t n = data_get(path, bytes, CAP);
  for (size_t at = rank; at < n; at += size) {
    unsigned char bit = (unsigned char)(1 << at * 5 % 8);
    bytes[at] ^= bit;
    data_put(damaged, bytes, n, false);
    bytes[at] ^= bit;
    bool read = read_one(comm, damaged, NULL, &u) == BLO_OK &&
                blo_vocabulary_read(ctx, damaged, &w) == BLO_OK &&
                blo_table_read_text(ctx, &spec, w, NULL, &again) == BLO_OK;
    refused += !read;
    bad += read && (!data_equal(t, u) || !data_equal(t, again));
    blo_table_destroy(ctx, &u);
    blo_table_destroy(ctx, &again);
    blo_vocabulary_destroy(ctx, &w);
  }
  BLO_EXPECT_MSG(n > 0 && n < CAP && bad == 0 && refused * size > n / 8,
                 "%zu bytes: %zu changed, %zu refused", n, bad, refused);
  blo_table_destroy(ctx, &t);
  blo_vocabulary_destroy(ctx, &v);
  free(bytes);
}

/** Write a table whose token k of row 1 is another one, and read it. */
static blo_status read_changed(blo_comm *comm, blo_table *t, blo_int k, int32_t token)
{
  const char *path = own_path(comm, "changed.h5");
  int32_t *at = (int32_t *)t->values + t->ld + k, was = *at;
  blo_table *back = NULL;
  blo_status status;

  *at = token;
  status = write_one(comm, path, t, NULL);
  *at = was;
  if (status == BLO_OK) {
    status = read_one(comm, path, NULL, &back);
  }
  blo_table_destroy(blo_comm_context(comm), &back);
  return status;
}

/** Row 1 is "a b c": three tokens of five. */
static void rows_that_are_no_sentences_are_refused(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_text_spec spec = text_file(comm, "three", "0 a b c d e\n1 a b c\n");
  blo_vocabulary *v = vocabulary_of(comm, &spec);
  blo_table *t = table_of(comm, &spec, v);

  BLO_EXPECT_STATUS(read_changed(comm, t, 2, 6), BLO_OK);
  BLO_EXPECT_STATUS(read_changed(comm, t, 2, 0), BLO_OK);
  BLO_EXPECT_STATUS(read_changed(comm, t, 2, 7), BLO_E_DATA);
  BLO_EXPECT_ERROR_HAS("sample 1: token 2 (both from 0) is 7, outside 0..6");
  BLO_EXPECT_ERROR_HAS("changed.h5");
  BLO_EXPECT_STATUS(read_changed(comm, t, 4, -1), BLO_E_DATA);
  BLO_EXPECT_ERROR_HAS("sample 1: token 4 (both from 0) is -1");
  BLO_EXPECT_STATUS(read_changed(comm, t, 4, 2), BLO_E_DATA);
  BLO_EXPECT_ERROR_HAS("sample 1: token 4 (both from 0) stands behind the end");
  BLO_EXPECT_STATUS(read_changed(comm, t, 1, 0), BLO_E_DATA);
  BLO_EXPECT_ERROR_HAS("sample 1: token 2 (both from 0) stands behind the end");
  ((int32_t *)t->values)[t->ld + 1] = ((int32_t *)t->values)[t->ld + 2] = 0;
  BLO_EXPECT_STATUS(read_changed(comm, t, 0, 0), BLO_E_DATA);
  BLO_EXPECT_ERROR_HAS("sample 1 has no tokens");
  blo_table_destroy(ctx, &t);
  blo_vocabulary_destroy(ctx, &v);
}

/* -------------------------------------------------------- sources and sets */

/** Write a table as the only group of a file that all ranks read. */
static blo_source_spec share(blo_comm *comm, const char *name, const blo_table *t)
{
  const char *path = data_path(comm, name);
  blo_status status = blo_comm_rank(comm) == 0 ? write_one(comm, path, t, NULL) : BLO_OK;

  BLO_REQUIRE_STATUS(blo_agree(comm, status), BLO_OK);
  return (blo_source_spec){.path = path, .labels = "", .group = ""};
}

static blo_source_spec shared_file(blo_comm *comm, const char *name, const blo_text_spec *spec,
                                   const blo_vocabulary *v)
{
  blo_table *t = table_of(comm, spec, v);
  blo_source_spec shared = share(comm, name, t);

  blo_table_destroy(blo_comm_context(comm), &t);
  return shared;
}

/** A test set must have the words and the lengths of its training set. */
static void test_sets_fit_their_training_sets(blo_comm *comm)
{
  static const struct {
    const char *text, *said;
    blo_int length;
  } cases[] = {
      {"1 a b\n0 c d e\n", "5 tokens, but the data it belongs with has one of 7", 5},
      {"1 a b\n0 c x e\n", "other words in its vocabulary", 5},
      {"1 a b c d e\n0 a\n", "has rows of 4 tokens, but the data it belongs with has rows of 5", 4},
  };
  blo_context *ctx = blo_comm_context(comm);
  blo_text_spec spec = text_file(comm, "three", "0 a b c d e\n1 a b c\n");
  blo_vocabulary *v = vocabulary_of(comm, &spec);
  blo_source_spec train = shared_file(comm, "train.h5", &spec, v);
  blo_source *a = NULL, *b = NULL;

  BLO_REQUIRE_STATUS(blo_source_open(comm, &train, NULL, &a), BLO_OK);
  BLO_EXPECT_ALL(blo_source_is_tokens(a) && blo_source_n_tokens(a) == 7);
  BLO_EXPECT_ALL(!blo_source_is_sparse(a) && blo_source_n_features(a) == 5);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    blo_text_spec text = text_file(comm, "other", cases[i].text);
    blo_vocabulary *w = NULL;
    blo_vocabulary_spec rules = {i == 0 ? 3 : 1000, 1, cases[i].length};
    BLO_REQUIRE_STATUS(blo_vocabulary_create(ctx, &text, &rules, &w), BLO_OK);
    blo_source_spec test = shared_file(comm, "test.h5", &text, w);
    BLO_EXPECT_STATUS(blo_source_open(comm, &test, a, &b), BLO_E_DATA);
    BLO_EXPECT_ERROR_HAS(cases[i].said);
    blo_vocabulary_destroy(ctx, &w);
  }
  blo_source_spec numbers = {.path = data_write_text(comm, "numbers", "1,1,2,3,4,0\n1,1,2,3,4,1\n"),
                             .labels = "",
                             .label_column = -1};
  BLO_EXPECT_STATUS(blo_source_open(comm, &numbers, a, &b), BLO_E_DATA);
  BLO_EXPECT_ERROR_HAS("has numbers, but the data it belongs with has tokens");
  blo_source_close(&a);
  BLO_REQUIRE_STATUS(blo_source_open(comm, &numbers, NULL, &a), BLO_OK);
  BLO_EXPECT_ALL(!blo_source_is_tokens(a) && blo_source_n_tokens(a) == 0);
  BLO_EXPECT_STATUS(blo_source_open(comm, &train, a, &b), BLO_E_DATA);
  BLO_EXPECT_ERROR_HAS("has tokens, but the data it belongs with has numbers");
  blo_source_close(&a);
  blo_vocabulary_destroy(ctx, &v);
}

enum { N = 300, SHARDS = 8 };

/** Rows 7 i mod N as a set. */
static blo_set *take(blo_comm *comm, blo_source *source)
{
  blo_int rows[N];
  blo_set *set = NULL;

  for (blo_int i = 0; i < N; i++) {
    rows[i] = 7 * i % N;
  }
  BLO_REQUIRE_STATUS(blo_set_take(comm, source, rows, N, SHARDS, &set), BLO_OK);
  return set;
}

/** Each rank has the rows of its shards as they are in the file. */
static void expect_rows(const blo_set *set, const blo_table *all)
{
  const blo_table *own = set->own;
  bool same = own->ld == all->ld && own->n_tokens == all->n_tokens;

  for (blo_int i = 0; i < own->n_rows && same; i++) {
    blo_int row = 7 * (set->first + i) % N;
    same = memcmp((const int32_t *)own->values + i * own->ld,
                  (const int32_t *)all->values + row * all->ld,
                  (size_t)all->ld * sizeof(int32_t)) == 0 &&
           own->label[i] == all->label[row];
  }
  BLO_EXPECT_ALL(same && own->n_rows > 0);
}

/** The fingerprint of the same set on this rank alone. */
static uint64_t alone(blo_comm *comm, const blo_source_spec *spec)
{
  blo_comm *self = NULL;
  blo_source *source = NULL;
  blo_set *set = NULL;
  blo_int rows[N];
  uint64_t print = 0;

  for (blo_int i = 0; i < N; i++) {
    rows[i] = 7 * i % N;
  }
  if (blo_comm_create(blo_comm_context(comm), MPI_COMM_SELF, &self) == BLO_OK &&
      blo_source_open(self, spec, NULL, &source) == BLO_OK &&
      blo_set_take(self, source, rows, N, SHARDS, &set) == BLO_OK) {
    print = blo_set_fingerprint(set);
  }
  blo_set_destroy(&set);
  blo_source_close(&source);
  blo_comm_destroy(&self);
  return print;
}

static void sets_of_sentences_keep_their_rows(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_text_spec text = write_sentences(comm, N);
  blo_vocabulary *v = vocabulary_of(comm, &text);
  blo_source_spec spec = shared_file(comm, "set.h5", &text, v);
  blo_table *all = table_of(comm, &text, v);
  blo_source *source = NULL;

  BLO_REQUIRE_STATUS(blo_source_open(comm, &spec, NULL, &source), BLO_OK);
  blo_set *set = take(comm, source);
  expect_rows(set, all);
  uint64_t print = blo_set_fingerprint(set);
  BLO_EXPECT_ALL(print == alone(comm, &spec) && print != 0);
  blo_scaling *scaling = NULL;
  BLO_EXPECT_STATUS(blo_scaling_create(set, BLO_SCALING_STANDARD, &scaling), BLO_E_DATA);
  BLO_EXPECT_ERROR_HAS("tokens are not scaled: set scaling to none");
  BLO_EXPECT_STATUS(blo_scaling_create(set, BLO_SCALING_UNIT, &scaling), BLO_E_DATA);
  BLO_EXPECT_STATUS(blo_scaling_create(set, BLO_SCALING_NONE, &scaling), BLO_OK);
  BLO_EXPECT_ALL(scaling != NULL && scaling->scale[6] == 1);
  blo_scaling_destroy(ctx, &scaling);
  blo_set_destroy(&set);
  blo_source_close(&source);
  /* the same tokens of another vocabulary are another set */
  all->vocabulary_crc ^= 1;
  spec = share(comm, "set.h5", all);
  BLO_EXPECT_ALL(alone(comm, &spec) != print);
  all->vocabulary_crc ^= 1;
  all->n_tokens++;
  spec = share(comm, "set.h5", all);
  BLO_EXPECT_ALL(alone(comm, &spec) != print);
  all->n_tokens--;
  spec = share(comm, "set.h5", all);
  BLO_EXPECT_ALL(alone(comm, &spec) == print);
  blo_table_destroy(ctx, &all);
  blo_vocabulary_destroy(ctx, &v);
}

/* ------------------------------------------------------------------ faults */

/** All that a conversion does, on this rank; the faults strike in any of it. */
static blo_status convert(blo_comm *comm, void *arg)
{
  blo_status status = BLO_OK;
  blo_context *ctx = blo_comm_context(comm);
  const blo_text_spec *spec = arg;
  blo_vocabulary *v = NULL, *w = NULL;
  blo_table *t = NULL, *back = NULL;
  const char *path = own_path(comm, "fault.h5");

  BLO_GO(blo_vocabulary_create(ctx, spec, &all_words, &v));
  BLO_GO(blo_table_read_text(ctx, spec, v, NULL, &t));
  BLO_GO(write_one(comm, path, t, v));
  BLO_GO(blo_vocabulary_read(ctx, path, &w));
  BLO_GO(read_one(comm, path, NULL, &back));
done:
  blo_table_destroy(ctx, &t);
  blo_table_destroy(ctx, &back);
  blo_vocabulary_destroy(ctx, &v);
  blo_vocabulary_destroy(ctx, &w);
  return blo_agree(comm, status);
}

static void whatever_fails_is_cleaned_up(blo_comm *comm)
{
  blo_text_spec spec = text_file(comm, "counted", counted);

  BLO_EXPECT_ALL(blo_test_sweep_faults(comm, convert, &spec) > 30);
}

static const blo_test tests[] = {
    {"words by hand", words_are_those_written_by_hand},
    {"the end of a text", text_ends_where_it_is_said},
    {"order of the vocabulary", words_are_ordered_by_count_and_bytes},
    {"many words", many_words_are_found_again},
    {"wishes", wishes_that_cannot_be_met_are_refused},
    {"rows", sentences_become_rows},
    {"columns", columns_between_tabs_are_found},
    {"wrong lines", lines_that_are_wrong_are_named},
    {"round trip", tokens_and_words_come_back},
    {"flipped bits", flipped_bits_are_noticed},
    {"rows that are no sentences", rows_that_are_no_sentences_are_refused},
    {"test sets", test_sets_fit_their_training_sets},
    {"sets", sets_of_sentences_keep_their_rows},
    {"faults", whatever_fails_is_cleaned_up},
};

BLO_TEST_MAIN("text", tests)

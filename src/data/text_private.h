/** @file Sets of words, text files line by line, and vocabularies. For this layer only. */
#ifndef BLO_TEXT_PRIVATE_H
#define BLO_TEXT_PRIVATE_H

#include "input.h"
#include <blo/data.h>

/** The rules by which text becomes words (tokenize.c); changed rules get another name. */
#define BLO_TOKENISER "words-1"

/** Longer words, which are no words of a language, have no token of their own. */
enum { BLO_WORD_BYTES_MAX = 255 };

/* ------------------------------------------------------------------ words */

/** Make the list empty, keeping its memory. Call: Local. */
void blo_words_clear(blo_words *words);
/** Begin a word: the bytes that follow are its own. Call: Local. */
blo_status blo_words_begin(blo_context *ctx, blo_words *words);
/** Append bytes to the last word. Call: Local. */
blo_status blo_words_append(blo_context *ctx, blo_words *words, const char *bytes, blo_int n);
/** Add a whole word. Call: Local. */
blo_status blo_words_add(blo_context *ctx, blo_words *words, const char *word);

/** Different words, numbered as they came, found by hashing. Zero-initialised it is empty. */
typedef struct blo_word_set {
  blo_words words;
  blo_int n_slots; /**< 0 or a power of two, more than the words */
  blo_int *slot;   /**< [n_slots] the number of a word + 1; 0: free */
} blo_word_set;

/** The number of a word; -1 if it is not there. Call: Local. */
blo_int blo_word_set_find(const blo_word_set *set, const char *word);
/** The number of a word, which is added if it is not there. Call: Local. */
blo_status blo_word_set_insert(blo_context *ctx, blo_word_set *set, const char *word,
                               blo_int *number);
/** Free the memory. Call: Local. */
void blo_word_set_free(blo_context *ctx, blo_word_set *set);

/* ------------------------------------------------------------- text files */

/** An open text file. */
typedef struct blo_lines {
  blo_context *ctx;
  blo_input *in;
  const blo_text_spec *spec;
  bool tabs; /**< lines are columns between tabs */
  blo_int n_columns, label_column, text_column;
} blo_lines;

/** A sample; the text is in the file's memory until the next one is read. */
typedef struct blo_line {
  double label;
  const char *text; /**< [n] no byte 0 at its end; NULL: no more samples */
  blo_int n;
} blo_line;

/** Open a text file; the spec is borrowed. Call: Local. */
blo_status blo_lines_open(blo_context *ctx, const blo_text_spec *spec, blo_lines *lines);
/** The next sample. @return BLO_OK; BLO_E_IO; BLO_E_FORMAT; BLO_E_MEMORY. Call: Local. */
blo_status blo_lines_next(blo_lines *lines, blo_line *line);
/** Close it. Call: Local. */
void blo_lines_close(blo_lines *lines);

/* ------------------------------------------------------------ vocabularies */

enum { BLO_TOKEN_PADDING, BLO_TOKEN_UNKNOWN, BLO_TOKEN_FIRST };

struct blo_vocabulary {
  blo_word_set set; /**< the word of token t is number t; 0 and 1 have names no text gives */
  blo_int min_count, max_length;
};

/** A vocabulary without words, but for the names of the first two tokens. Call: Local. */
blo_status blo_vocabulary_begin(blo_context *ctx, blo_vocabulary **out);
/** A checksum of all words in their order, never 0. Call: Local. */
uint32_t blo_vocabulary_crc(const blo_vocabulary *vocabulary);

#endif

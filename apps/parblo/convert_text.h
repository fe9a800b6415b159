/** @file `parblo convert --text`: sentences to rows of tokens, with their vocabulary. */
#ifndef BLO_APP_CONVERT_TEXT_H
#define BLO_APP_CONVERT_TEXT_H

#include <blo/blo.h>

/** What the options about text say. */
typedef struct blo_text_request {
  bool wanted;                       /**< --text is given */
  const char *other;                 /**< the file whose vocabulary is taken; NULL: a new one */
  blo_int n_words, min_count;        /**< of a new vocabulary; -1: not given */
  blo_int max_length;                /**< of rows; 0: as the vocabulary has it */
  blo_int label_column, text_column; /**< of lines with tabs */
  blo_int n_classes;
} blo_text_request;

/** What the options are if none is given. */
extern const blo_text_request blo_text_defaults;

/** Whether the options fit together. Call: Local. @return BLO_OK; BLO_E_OPTION */
BLO_MUST_USE blo_status blo_text_check(blo_context *ctx, const blo_text_request *r);

/**
 * Find or read the vocabulary, and read the parts with it. Call: Local.
 * @param[in]  path   [n] of the files, NULL where none is given; one with a new vocabulary is the
 *                    first, and the others have its classes
 * @param[out] table  [n] NULL where no file is given; what is there is the caller's to free, also
 *                    after a failure, and so is the vocabulary
 */
BLO_MUST_USE blo_status blo_text_tables(blo_context *ctx, const blo_text_request *r,
                                        const char *const *path, blo_int n, blo_table **table,
                                        blo_vocabulary **vocabulary);
/** Print one line about a vocabulary. Call: Local. */
void blo_vocabulary_line(const blo_vocabulary *vocabulary);

#endif

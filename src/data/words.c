/**
 * @file Lists and sets of words. A set finds words by open addressing with linear probing, kept at
 * most half full (Knuth, The Art of Computer Programming 3, 6.4).
 */
#include "text_private.h"
#include <string.h>

enum { FIRST_WORDS = 32, FIRST_BYTES = 256, FIRST_SLOTS = 1024 };

/* ------------------------------------------------------------------- lists */

void blo_words_clear(blo_words *words)
{
  words->n = words->n_bytes = 0;
}

blo_status blo_words_begin(blo_context *ctx, blo_words *words)
{
  if (words->n == words->start_cap) {
    blo_int cap = 2 * words->start_cap + FIRST_WORDS;
    BLO_TRY(blo_realloc(ctx, cap, sizeof *words->start, &words->start));
    words->start_cap = cap;
  }
  words->start[words->n++] = words->n_bytes++;
  return blo_words_append(ctx, words, "", 0);
}

blo_status blo_words_append(blo_context *ctx, blo_words *words, const char *bytes, blo_int n)
{
  if (words->n_bytes + n > words->byte_cap) {
    blo_int cap = 2 * (words->n_bytes + n) + FIRST_BYTES;
    BLO_TRY(blo_realloc(ctx, cap, 1, &words->bytes));
    words->byte_cap = cap;
  }
  memcpy(words->bytes + words->n_bytes - 1, bytes, (size_t)n);
  words->n_bytes += n;
  words->bytes[words->n_bytes - 1] = '\0';
  return BLO_OK;
}

blo_status blo_words_add(blo_context *ctx, blo_words *words, const char *word)
{
  BLO_TRY(blo_words_begin(ctx, words));
  return blo_words_append(ctx, words, word, (blo_int)strlen(word));
}

const char *blo_words_at(const blo_words *words, blo_int i)
{
  return words->bytes + words->start[i];
}

void blo_words_free(blo_context *ctx, blo_words *words)
{
  blo_free(ctx, &words->start);
  blo_free(ctx, &words->bytes);
  *words = (blo_words){0};
}

/* -------------------------------------------------------------------- sets */

/** The slot that has the word, or the free one where it belongs; n_slots is not 0. */
static blo_int find_slot(const blo_word_set *set, const char *word)
{
  blo_int mask = set->n_slots - 1, at = (blo_int)blo_crc32(0, word, strlen(word)) & mask;

  while (set->slot[at] != 0 && strcmp(blo_words_at(&set->words, set->slot[at] - 1), word) != 0) {
    at = (at + 1) & mask;
  }
  return at;
}

/** Double the slots and enter all words anew. */
static blo_status grow(blo_context *ctx, blo_word_set *set)
{
  blo_int n_slots = set->n_slots == 0 ? FIRST_SLOTS : 2 * set->n_slots;

  blo_free(ctx, &set->slot);
  set->n_slots = 0;
  BLO_TRY(blo_alloc(ctx, n_slots, sizeof *set->slot, &set->slot));
  set->n_slots = n_slots;
  for (blo_int i = 0; i < set->words.n; i++) {
    set->slot[find_slot(set, blo_words_at(&set->words, i))] = i + 1;
  }
  return BLO_OK;
}

blo_int blo_word_set_find(const blo_word_set *set, const char *word)
{
  return set->n_slots > 0 ? set->slot[find_slot(set, word)] - 1 : -1;
}

blo_status blo_word_set_insert(blo_context *ctx, blo_word_set *set, const char *word,
                               blo_int *number)
{
  *number = blo_word_set_find(set, word);
  if (*number >= 0) {
    return BLO_OK;
  }
  if (2 * (set->words.n + 1) > set->n_slots) {
    BLO_TRY(grow(ctx, set));
  }
  *number = set->words.n;
  BLO_TRY(blo_words_add(ctx, &set->words, word));
  set->slot[find_slot(set, word)] = *number + 1;
  return BLO_OK;
}

void blo_word_set_free(blo_context *ctx, blo_word_set *set)
{
  blo_words_free(ctx, &set->words);
  blo_free(ctx, &set->slot);
  set->n_slots = 0;
}

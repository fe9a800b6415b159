/**
 * @file The tokeniser "words-1": text to words. Its rules are written down in docs/data-format.md;
 * whoever changes them changes the name, since files keep it beside their vocabulary.
 *
 * Text is UTF-8 (RFC 3629); a byte that belongs to no valid sequence is taken as Latin-1. What a
 * character is follows from ranges of code points (The Unicode Standard 15, chapter 2.8), coarse
 * ones for what lies far from Latin letters.
 */
#include "text_private.h"
#include <string.h>
#include <strings.h>

typedef enum kind { SPACE, WORD, OTHER } kind;

/** What is left of the text, and whether the character before is part of a word. */
typedef struct scanner {
  const unsigned char *at, *end;
  bool after_word;
} scanner;

/* -------------------------------------------------------------- characters */

/** Length of the sequence that a first byte announces; 1 also for bytes that begin none. */
static int announced(unsigned char first)
{
  if (first >= 0xC2 && first <= 0xDF) {
    return 2;
  }
  if (first >= 0xE0 && first <= 0xEF) {
    return 3;
  }
  return first >= 0xF0 && first <= 0xF4 ? 4 : 1;
}

/** The code point at p < end. @param[out] n its bytes */
static uint32_t decode(const unsigned char *p, const unsigned char *end, int *n)
{
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  int length = announced(*p);
  uint32_t code = length > 1 ? *p & (0x7Fu >> length) : *p;

  *n = 1;
  if (length > end - p) {
    return *p;
  }
  for (int i = 1; i < length; i++) {
    if ((p[i] & 0xC0) != 0x80) {
      return *p;
    }
    code = code << 6 | (p[i] & 0x3Fu);
  }
  if (code < least[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
    return *p;
  }
  *n = length;
  return code;
}

/** The bytes of a code point in UTF-8. @param[out] bytes [4] @return how many */
static blo_int encode(uint32_t code, char *bytes)
{
  int n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  static const unsigned lead[] = {0, 0, 0xC0, 0xE0, 0xF0};

  for (int i = n - 1; i > 0; i--) {
    bytes[i] = (char)(0x80 | (code & 0x3F));
    code >>= 6;
  }
  bytes[0] = (char)(lead[n] | code);
  return n;
}

/** Small letters for the capital ones of Latin-1, and one kind of apostrophe. */
static uint32_t fold(uint32_t code)
{
  bool capital = (code >= 'A' && code <= 'Z') || (code >= 0xC0 && code <= 0xDE && code != 0xD7);

  return capital ? code + 0x20 : code == 0x2019 ? '\'' : code;
}

typedef struct range {
  uint32_t first, last;
  kind is;
} range;

/** Ascending; what lies between them is OTHER. */
static const range ranges[] = {
    {0x00, 0x20, SPACE},       {'\'', '\'', WORD},      {'0', '9', WORD},
    {'A', 'Z', WORD},          {'_', '_', WORD},        {'a', 'z', WORD},
    {0x7F, 0xA0, SPACE},       {0xAA, 0xAA, WORD},      {0xAD, 0xAD, SPACE},
    {0xB5, 0xB5, WORD},        {0xBA, 0xBA, WORD},      {0xC0, 0xD6, WORD},
    {0xD8, 0xF6, WORD},        {0xF8, 0x1FFF, WORD},    {0x2000, 0x200F, SPACE},
    {0x2028, 0x202F, SPACE},   {0x205F, 0x206F, SPACE}, {0x2C00, 0x2DFF, WORD},
    {0x3000, 0x3000, SPACE},   {0x3040, 0xD7FF, WORD},  {0xF900, 0xFDFF, WORD},
    {0xFE00, 0xFE0F, SPACE},   {0xFEFF, 0xFEFF, SPACE}, {0x20000, 0x3FFFF, WORD},
    {0xE0000, 0xE0FFF, SPACE},
};

static kind kind_of(uint32_t code)
{
  for (size_t i = 0; i < sizeof ranges / sizeof *ranges && ranges[i].first <= code; i++) {
    if (code <= ranges[i].last) {
      return ranges[i].is;
    }
  }
  return OTHER;
}

/** The character at hand, folded. @param[out] n its bytes, 0 at the end of the text */
static uint32_t look(const scanner *s, int *n)
{
  *n = 0;
  return s->at < s->end ? fold(decode(s->at, s->end, n)) : 0;
}

/* ------------------------------------------------------------------- words */

/** Pass what is no white space. */
static void pass_visible(scanner *s)
{
  int n;

  while (kind_of(look(s, &n)) != SPACE) {
    s->at += n;
  }
}

/** Pass an address: "http://", "https://" or "www." and more; false if there is none. */
static bool pass_url(scanner *s)
{
  static const char *const begins[] = {"http://", "https://", "www."};

  for (size_t i = 0; i < sizeof begins / sizeof *begins; i++) {
    blo_int n = (blo_int)strlen(begins[i]);
    if (s->end - s->at > n && strncasecmp((const char *)s->at, begins[i], (size_t)n) == 0) {
      scanner rest = {s->at + n, s->end, false};
      pass_visible(&rest);
      if (rest.at > s->at + n) {
        s->at = rest.at;
        return true;
      }
    }
  }
  return false;
}

static bool in_name(unsigned char c)
{
  return c < 0x80 && c != '\'' && kind_of(c) == WORD;
}

/** Pass "@name"; false if there is none. Within a word "@" is part of a mail address. */
static bool pass_name(scanner *s)
{
  const unsigned char *p = s->at + 1;

  if (*s->at != '@' || s->after_word) {
    return false;
  }
  while (p < s->end && in_name(*p)) {
    p++;
  }
  if (p == s->at + 1) {
    return false;
  }
  s->at = p;
  return true;
}

/** Take the character at hand: a word goes on as long as they are part of one. */
static blo_status take_word(blo_context *ctx, scanner *s, blo_words *words)
{
  char bytes[4];
  int n;
  uint32_t code = look(s, &n);
  bool more = kind_of(code) == WORD;

  s->after_word = more;
  BLO_TRY(blo_words_begin(ctx, words));
  do {
    BLO_TRY(blo_words_append(ctx, words, bytes, encode(code, bytes)));
    s->at += n;
    code = look(s, &n);
  } while (more && kind_of(code) == WORD);
  return BLO_OK;
}

static blo_status take_token(blo_context *ctx, scanner *s, blo_words *words)
{
  if (pass_url(s)) {
    s->after_word = false;
    return blo_words_add(ctx, words, "<url>");
  }
  if (pass_name(s)) {
    s->after_word = true;
    return blo_words_add(ctx, words, "<user>");
  }
  return take_word(ctx, s, words);
}

blo_status blo_words_split(blo_context *ctx, const char *text, blo_int n, blo_words *words)
{
  scanner s = {(const unsigned char *)text, (const unsigned char *)text + n, false};
  int bytes;

  blo_words_clear(words);
  while (s.at < s.end) {
    if (kind_of(look(&s, &bytes)) == SPACE) {
      s.at += bytes;
      s.after_word = false;
    } else {
      BLO_TRY(take_token(ctx, &s, words));
    }
  }
  return BLO_OK;
}

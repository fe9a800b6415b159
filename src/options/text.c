/**
 * @file
 * Growing text, bounded message lines, and reading a whole text file.
 */
#include "text.h"

#include <blo/options.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { PIECE = 4096, FILE_MAX_BYTES = 1 << 24 };

static blo_status reserve(blo_context *ctx, blo_text *text, blo_int need)
{
  if (need <= text->cap) {
    return BLO_OK;
  }
  blo_int cap = text->cap > 0 ? text->cap : 256;
  while (cap < need) {
    cap *= 2;
  }
  BLO_TRY(blo_realloc(ctx, cap, 1, &text->bytes));
  text->cap = cap;
  return BLO_OK;
}

blo_status blo_text_append(blo_context *ctx, blo_text *text, const char *bytes, size_t n)
{
  BLO_TRY(reserve(ctx, text, text->n + (blo_int)n + 1));
  memcpy(text->bytes + text->n, bytes, n);
  text->n += (blo_int)n;
  text->bytes[text->n] = '\0';
  return BLO_OK;
}

void blo_line_add(blo_line *line, const char *fmt, ...)
{
  if (line->n + 1 >= line->cap) {
    return;
  }
  va_list args;
  va_start(args, fmt);
  int added = vsnprintf(line->text + line->n, line->cap - line->n, fmt, args);
  va_end(args);
  size_t room = line->cap - line->n - 1;
  line->n += added < 0 ? 0 : ((size_t)added < room ? (size_t)added : room);
}

void blo_line_add_names(blo_line *line, const char *const *names)
{
  for (blo_int i = 0; names[i]; i++) {
    if (line->n + strlen(names[i]) + sizeof ", ..." > line->cap) {
      blo_line_add(line, "...");
      return;
    }
    blo_line_add(line, "%s%s", names[i], names[i + 1] ? ", " : "");
  }
}

bool blo_text_is_null(const char *text)
{
  return strcmp(text, "~") == 0 || strcasecmp(text, "null") == 0;
}

const char *blo_shown(const char *value, char shown[BLO_SHOWN_CAP])
{
  enum { ROOM = BLO_SHOWN_CAP - 4 }; /* for "..." and the end */
  size_t n = strlen(value);
  bool cut = n > ROOM;
  if (cut) {
    n = ROOM;
    while (n > 0 && ((unsigned char)value[n] & 0xC0) == 0x80) {
      n--; /* not in the middle of a UTF-8 character */
    }
  }
  for (size_t i = 0; i < n; i++) {
    unsigned char c = (unsigned char)value[i];
    shown[i] = c < 0x20 || c == 0x7F ? '?' : value[i];
  }
  memcpy(shown + n, cut ? "..." : "", cut ? 4 : 1);
  return shown;
}

static blo_status read_pieces(blo_context *ctx, const char *path, FILE *file, blo_text *text)
{
  char piece[PIECE];
  size_t n = 0;
  do {
    n = fread(piece, 1, sizeof piece, file);
    BLO_CHECK(ctx, !ferror(file), BLO_E_IO, "%s: cannot be read: %s", path, strerror(errno));
    const char *nul = memchr(piece, '\0', n);
    BLO_CHECK(ctx, !nul, BLO_E_FORMAT, "%s: not a text file: byte %lld is zero", path,
              (long long)text->n + (nul ? nul - piece : 0));
    BLO_TRY(blo_text_append(ctx, text, piece, n));
    BLO_CHECK(ctx, text->n <= FILE_MAX_BYTES, BLO_E_FORMAT,
              "%s: not a run file: more than %d bytes of text", path, FILE_MAX_BYTES);
  } while (n > 0);
  return BLO_OK;
}

blo_status blo_text_read(blo_context *ctx, const char *path, char **out)
{
  blo_status status = BLO_OK;
  blo_text text = {0};
  FILE *file = NULL;

  BLO_GO(blo_fault_point(ctx, "open a text file"));
  file = fopen(path, "r");
  BLO_CHECK_GO(ctx, file, BLO_E_IO, "%s: cannot be opened: %s", path, strerror(errno));
  BLO_GO(read_pieces(ctx, path, file, &text));
  *out = text.bytes;
  text.bytes = NULL;
done:
  if (file) {
    fclose(file);
  }
  blo_free(ctx, &text.bytes);
  return status;
}

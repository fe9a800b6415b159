/**
 * @file A stream of bytes or lines from a file, gzip or plain, over zlib's gzread().
 *
 * gzread() itself hands out what it has of a truncated or damaged file; its error state is looked
 * at after every call here, and a reader that goes on to the end of the file has seen the checksum.
 */
#include "input.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

enum {
  BUFFER = 1 << 18,
  DEFLATE_RATIO = 1032 /* most bytes that one compressed byte can stand for (zlib, zlib_tech) */
};

struct blo_input {
  blo_context *ctx;
  const char *path; /**< borrowed */
  gzFile gz;
  blo_int disk_bytes, offset; /**< size on disk; bytes handed out so far, uncompressed */
  blo_int line_number, line_cap;
  unsigned char *buffer;
  int next, filled;
  char *line;
};

static blo_status open_file(blo_input *in)
{
  struct stat about;

  BLO_TRY(blo_fault_point(in->ctx, "opening an input file"));
  BLO_CHECK(in->ctx, stat(in->path, &about) == 0, BLO_E_IO, "cannot open %s: %s", in->path,
            strerror(errno));
  BLO_CHECK(in->ctx, S_ISREG(about.st_mode), BLO_E_IO, "cannot read %s: it is not a regular file",
            in->path);
  in->disk_bytes = (blo_int)about.st_size;
  errno = 0;
  in->gz = gzopen(in->path, "rb");
  BLO_CHECK(in->ctx, in->gz != NULL, errno == 0 ? BLO_E_MEMORY : BLO_E_IO, "cannot open %s: %s",
            in->path, errno == 0 ? "out of memory" : strerror(errno));
  gzbuffer(in->gz, BUFFER);
  return BLO_OK;
}

blo_status blo_input_open(blo_context *ctx, const char *path, blo_input **out)
{
  blo_status status = BLO_OK;
  blo_input *in = NULL;

  BLO_GO(blo_alloc(ctx, 1, sizeof *in, &in));
  in->ctx = ctx;
  in->path = path;
  BLO_GO(blo_alloc(ctx, BUFFER, 1, &in->buffer));
  BLO_GO(open_file(in));
  *out = in;
  in = NULL;
done:
  blo_input_close(&in);
  return status;
}

void blo_input_close(blo_input **in)
{
  blo_input *i = *in;

  if (i == NULL) {
    return;
  }
  if (i->gz != NULL) {
    gzclose_r(i->gz);
  }
  blo_free(i->ctx, &i->buffer);
  blo_free(i->ctx, &i->line);
  blo_free(i->ctx, in);
}

static blo_status refill(blo_input *in)
{
  int got, code = Z_OK;
  const char *why;

  BLO_TRY(blo_fault_point(in->ctx, "reading an input file"));
  got = gzread(in->gz, in->buffer, BUFFER);
  why = gzerror(in->gz, &code);
  BLO_CHECK(in->ctx, code != Z_ERRNO, BLO_E_IO, "cannot read %s: %s", in->path, strerror(errno));
  BLO_CHECK(in->ctx, code != Z_MEM_ERROR, BLO_E_MEMORY, "cannot read %s: %s", in->path, why);
  BLO_CHECK(in->ctx, code != Z_BUF_ERROR, BLO_E_FORMAT,
            "%s is truncated: its compressed data (%lld bytes on disk) end too early", in->path,
            (long long)in->disk_bytes);
  BLO_CHECK(in->ctx, got >= 0 && (code == Z_OK || code == Z_STREAM_END), BLO_E_FORMAT,
            "%s is damaged, after %lld uncompressed bytes: %s", in->path, (long long)in->offset,
            why);
  in->next = 0;
  in->filled = got;
  return BLO_OK;
}

/** Make sure that the buffer has bytes; it has none afterwards only at the end of the file. */
static blo_status look_ahead(blo_input *in)
{
  return in->next < in->filled ? BLO_OK : refill(in);
}

static void hand_out(blo_input *in, void *bytes, int n)
{
  memcpy(bytes, in->buffer + in->next, (size_t)n);
  in->next += n;
  in->offset += n;
}

blo_status blo_input_read(blo_input *in, void *bytes, blo_int n, blo_int *got)
{
  char *to = bytes;

  for (*got = 0; *got < n;) {
    BLO_TRY(look_ahead(in));
    if (in->filled == 0) {
      break;
    }
    int left = in->filled - in->next, piece = n - *got < left ? (int)(n - *got) : left;
    hand_out(in, to + *got, piece);
    *got += piece;
  }
  return BLO_OK;
}

blo_status blo_input_fill(blo_input *in, void *bytes, blo_int n, const char *what)
{
  blo_int got;

  BLO_TRY(blo_input_read(in, bytes, n, &got));
  BLO_CHECK(in->ctx, got == n, BLO_E_FORMAT, "%s is truncated: it ends after %lld bytes, in its %s",
            in->path, (long long)in->offset, what);
  return BLO_OK;
}

static blo_status reserve_line(blo_input *in, blo_int n)
{
  if (n <= in->line_cap) {
    return BLO_OK;
  }
  in->line_cap = 2 * n;
  return blo_realloc(in->ctx, in->line_cap, 1, &in->line);
}

/** Append what the buffer has of the line. @param[out] complete the end of the line was there */
static blo_status append_line(blo_input *in, blo_int *n, bool *complete)
{
  const unsigned char *from = in->buffer + in->next;
  int left = in->filled - in->next;
  const unsigned char *end = memchr(from, '\n', (size_t)left);
  int piece = end != NULL ? (int)(end - from) : left;
  char newline;

  BLO_TRY(reserve_line(in, *n + piece + 1));
  hand_out(in, in->line + *n, piece);
  *n += piece;
  *complete = end != NULL;
  if (*complete) {
    hand_out(in, &newline, 1);
  }
  return BLO_OK;
}

/** Bytes of the mark U+FEFF with which some programs begin a text file. */
static blo_int mark_length(const blo_input *in, blo_int n)
{
  static const char mark[] = {'\xEF', '\xBB', '\xBF'};
  bool marked =
      in->line_number == 1 && n >= (blo_int)sizeof mark && memcmp(in->line, mark, sizeof mark) == 0;

  return marked ? (blo_int)sizeof mark : 0;
}

blo_status blo_input_line(blo_input *in, const char **line)
{
  blo_int n = 0;
  bool complete = false;

  *line = NULL;
  BLO_TRY(look_ahead(in));
  if (in->filled == 0) {
    return BLO_OK;
  }
  in->line_number++;
  while (!complete && in->filled > 0) {
    BLO_TRY(append_line(in, &n, &complete));
    if (!complete) {
      BLO_TRY(look_ahead(in));
    }
  }
  BLO_CHECK(in->ctx, memchr(in->line, '\0', (size_t)n) == NULL, BLO_E_FORMAT,
            BLO_AT ": a byte 0, so this is no text file", BLO_AT_ARGS(blo_input_place(in)));
  if (n > 0 && in->line[n - 1] == '\r') {
    n--;
  }
  in->line[n] = '\0';
  *line = in->line + mark_length(in, n);
  return BLO_OK;
}

blo_place blo_input_place(const blo_input *in)
{
  return (blo_place){in->path, "line", in->line_number};
}

blo_int blo_input_most_bytes(const blo_input *in)
{
  return gzdirect(in->gz) ? in->disk_bytes : in->disk_bytes * DEFLATE_RATIO;
}

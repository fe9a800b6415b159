/** @file A file read byte by byte or line by line, gzip or plain. For this layer only. */
#ifndef BLO_INPUT_H
#define BLO_INPUT_H

#include <blo/base.h>

typedef struct blo_input blo_input;

/** Where in the input something is wrong: "train.csv, line 7". */
typedef struct blo_place {
  const char *path;
  const char *unit; /**< "line" (from 1) or "sample" (from 0) */
  blo_int at;
} blo_place;

/** Format and arguments of a place, for messages. */
#define BLO_AT         "%s, %s %lld"
#define BLO_AT_ARGS(p) (p).path, (p).unit, (long long)(p).at

/** Open a regular file; `path` is borrowed. @return BLO_OK; BLO_E_IO; BLO_E_MEMORY. Call: Local. */
blo_status blo_input_open(blo_context *ctx, const char *path, blo_input **out);
/** Close it. NULL is accepted. Call: Local. */
void blo_input_close(blo_input **in);
/**
 * Read `n` bytes, or as many as are left. Call: Local.
 * @param[out] got  less than n only at the end of the file
 * @return BLO_OK; BLO_E_IO; BLO_E_FORMAT if the compressed data are damaged or end too early
 */
blo_status blo_input_read(blo_input *in, void *bytes, blo_int n, blo_int *got);
/** Read `n` bytes of `what`; BLO_E_FORMAT if there are fewer. Call: Local. */
blo_status blo_input_fill(blo_input *in, void *bytes, blo_int n, const char *what);
/**
 * The next line, without its end, in the input's own memory until the next call; NULL after the
 * last one. Call: Local.
 * @return as blo_input_read(); BLO_E_FORMAT also for a byte 0, which no text has
 */
blo_status blo_input_line(blo_input *in, const char **line);
/** Where the line read last is. Call: Local. */
blo_place blo_input_place(const blo_input *in);
/** More bytes than the file can hold, whatever its header says. Call: Local. */
blo_int blo_input_most_bytes(const blo_input *in);

#endif

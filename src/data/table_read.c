/** @file Reading a file of any format: the format is asked for, or recognised by content. */
#include "readers.h"
#include <string.h>

const char *const blo_format_names[] = {"auto", "idx", "libsvm", "csv", "hdf5", NULL};

static const unsigned char hdf5_signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};

/** Whether a file begins like binary data of one of the formats. */
static blo_status sniff_bytes(blo_context *ctx, const char *path, blo_format *format)
{
  blo_status status = BLO_OK;
  blo_input *in = NULL;
  unsigned char head[8] = {1};
  blo_int got;

  BLO_GO(blo_input_open(ctx, path, &in));
  BLO_GO(blo_input_read(in, head, sizeof head, &got));
  if (memcmp(head, hdf5_signature, sizeof head) == 0) {
    *format = BLO_FORMAT_HDF5;
  } else if (got >= 4 && head[0] == 0 && head[1] == 0) {
    *format = BLO_FORMAT_IDX;
  }
done:
  blo_input_close(&in);
  return status;
}

/**
 * LIBSVM if the second word of the line is "digits:...", CSV if the line has a second word or a
 * delimiter otherwise; undecided if it has one word only, which may be a sample without entries.
 */
static blo_format format_of_line(const char *line)
{
  const char *p = line + strspn(line, " \t");
  size_t digits;

  if (*p == '#' || *p == '\0') {
    return BLO_FORMAT_AUTO;
  }
  p += strcspn(p, " \t");
  p += strspn(p, " \t");
  digits = strspn(p, "0123456789");
  if (digits > 0 && p[digits] == ':') {
    return BLO_FORMAT_LIBSVM;
  }
  return *p != '\0' || strpbrk(line, ",;\t") != NULL ? BLO_FORMAT_CSV : BLO_FORMAT_AUTO;
}

/** Which of the text formats a file has, from its first lines. */
static blo_status sniff_lines(blo_context *ctx, const char *path, blo_format *format)
{
  blo_status status = BLO_OK;
  blo_input *in = NULL;
  const char *line;
  bool any = false;

  BLO_GO(blo_input_open(ctx, path, &in));
  while (*format == BLO_FORMAT_AUTO) {
    BLO_GO(blo_input_line(in, &line));
    BLO_CHECK_GO(ctx, line != NULL || any, BLO_E_DATA, "%s has no samples", path);
    BLO_CHECK_GO(ctx, line != NULL, BLO_E_FORMAT,
                 "%s is neither HDF5 nor IDX, LIBSVM or CSV: no line has a label and features",
                 path);
    any = any || line[strspn(line, " \t")] != '\0';
    *format = format_of_line(line);
  }
done:
  blo_input_close(&in);
  return status;
}

blo_status blo_format_find(blo_context *ctx, const blo_source_spec *spec, blo_format *format)
{
  *format = (blo_format)spec->format;
  if (*format == BLO_FORMAT_AUTO) {
    BLO_TRY(sniff_bytes(ctx, spec->path, format));
  }
  if (*format == BLO_FORMAT_AUTO) {
    BLO_TRY(sniff_lines(ctx, spec->path, format));
  }
  return BLO_OK;
}

blo_status blo_format_read(blo_context *ctx, blo_format format, const blo_source_spec *spec,
                           const blo_rules *rules, blo_table **out)
{
  switch (format) {
  case BLO_FORMAT_IDX:
    return blo_read_idx(ctx, spec, rules, out);
  case BLO_FORMAT_LIBSVM:
    return blo_read_libsvm(ctx, spec, rules, out);
  case BLO_FORMAT_CSV:
    return blo_read_csv(ctx, spec, rules, out);
  default:
    return blo_read_hdf5(ctx, spec, rules, out);
  }
}

blo_status blo_table_read(blo_context *ctx, const blo_source_spec *spec, const blo_table *classes,
                          blo_table **out)
{
  blo_rules rules = blo_rules_make(spec, classes);
  blo_format format;

  *out = NULL;
  BLO_TRY(blo_format_find(ctx, spec, &format));
  return blo_format_read(ctx, format, spec, &rules, out);
}

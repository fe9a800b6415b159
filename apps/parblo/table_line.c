/** @file One line about a table; see table_line.h. */
#include "table_line.h"
#include <stdio.h>

/** Bytes of the arrays in memory, and the part of the features that is stored. */
static void measure(const blo_table *t, double *bytes, double *density)
{
  double cells = (double)t->n_rows * (double)t->n_features;
  double stored = t->sparse ? (double)t->row_start[t->n_rows] : cells;
  double index =
      t->sparse ? stored * sizeof *t->column + (double)(t->n_rows + 1) * sizeof *t->row_start : 0;

  *bytes =
      stored * (double)blo_storage_size(t->storage) + index + (double)t->n_rows * sizeof *t->label;
  *density = cells > 0 ? stored / cells : 0;
}

/** Tokens in all rows, and of these the unknown ones; padding is none. */
typedef struct census {
  blo_int n, unknown, longest;
} census;

static census count_tokens(const blo_table *t)
{
  census c = {0, 0, 0};

  for (blo_int i = 0; i < t->n_rows; i++) {
    const int32_t *row = (const int32_t *)t->values + i * t->ld;
    blo_int length = 0;
    while (length < t->n_features && row[length] != 0) {
      c.unknown += row[length++] == 1;
    }
    c.n += length;
    c.longest = length > c.longest ? length : c.longest;
  }
  return c;
}

/** Sentences: lengths and the vocabulary tell more about them than features and density. */
static void print_sentences(const char *name, const blo_table *t)
{
  census c = count_tokens(t);

  printf("%-6s %lld rows, %lld classes, vocabulary %lld, longest %lld of %lld tokens, mean %.4g, "
         "unknown %.4g %%, %.4g MB\n",
         name, (long long)t->n_rows, (long long)t->n_classes, (long long)t->n_tokens,
         (long long)c.longest, (long long)t->n_features, (double)c.n / (double)t->n_rows,
         100 * (double)c.unknown / (double)c.n,
         (double)(t->n_rows * t->ld * (blo_int)sizeof(int32_t)) / 1e6);
}

void blo_table_line(const char *name, const blo_table *t)
{
  static const char *const storage_names[] = {
      [BLO_U8] = "8-bit integers", [BLO_F32] = "float", [BLO_F64] = "double"};
  double bytes, density;

  if (t->storage == BLO_I32) {
    print_sentences(name, t);
    return;
  }
  measure(t, &bytes, &density);
  printf("%-6s %lld rows, %lld features, %lld classes, %s %s, density %.4g %%, %.4g MB\n", name,
         (long long)t->n_rows, (long long)t->n_features, (long long)t->n_classes,
         t->sparse ? "sparse" : "dense", storage_names[t->storage], 100 * density, bytes / 1e6);
}

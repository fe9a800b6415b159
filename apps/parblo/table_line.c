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

void blo_table_line(const char *name, const blo_table *t)
{
  static const char *const storage_names[] = {
      [BLO_U8] = "8-bit integers", [BLO_F32] = "float", [BLO_F64] = "double"};
  double bytes, density;

  measure(t, &bytes, &density);
  printf("%-6s %lld rows, %lld features, %lld classes, %s %s, density %.4g %%, %.4g MB\n", name,
         (long long)t->n_rows, (long long)t->n_features, (long long)t->n_classes,
         t->sparse ? "sparse" : "dense", storage_names[t->storage], 100 * density, bytes / 1e6);
}

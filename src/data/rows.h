/** @file A table that grows row by row, for readers that do not know the end. This layer only. */
#ifndef BLO_ROWS_H
#define BLO_ROWS_H

#include "classes.h"

typedef struct blo_rows {
  blo_context *ctx;
  blo_table *table;           /**< n_rows and row_start[n_rows] say what is there */
  blo_int known;              /**< rows to come, if known, else 0 */
  blo_int row_cap, entry_cap; /**< rows and entries there is room for */
} blo_rows;

/** Begin a dense table; no memory is taken for rows before they come. Call: Local. */
blo_status blo_rows_begin_dense(blo_context *ctx, blo_int n_features, blo_storage storage,
                                blo_int known, blo_rows *rows);
/** Begin a sparse table, without a number of features yet. Call: Local. */
blo_status blo_rows_begin_sparse(blo_context *ctx, blo_rows *rows);
/** Add a row, all zero. @param[out] place of a dense row's values; may be NULL. Call: Local. */
blo_status blo_rows_next(blo_rows *rows, int32_t label, void **place);
/** Add an entry to the last row of a sparse table. Call: Local. */
blo_status blo_rows_add_entry(blo_rows *rows, int32_t column, double value);
/** Turn 8-bit values into doubles. Call: Local. */
blo_status blo_rows_widen(blo_rows *rows);
/**
 * The table: no more memory than needed, labels turned into classes. Call: Local.
 * @return BLO_OK; BLO_E_MEMORY; BLO_E_DATA if there are no samples, no features, or not as many
 *         features as the rules want
 */
blo_status blo_rows_finish(blo_rows *rows, blo_classes *classes, const blo_rules *rules,
                           const char *path, blo_table **out);
/** Free what was not finished. Call: Local. */
void blo_rows_end(blo_rows *rows);

#endif

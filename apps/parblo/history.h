/** @file The history of a run file or checkpoint in memory, for commands that show it. */
#ifndef BLO_APP_HISTORY_H
#define BLO_APP_HISTORY_H

#include <blo/blo.h>

/** One recorded quantity. */
typedef struct blo_record {
  char *name;
  double *value; /**< [n_rows], NAN where it was not evaluated */
  int place;     /**< order of the columns: the report, the metrics, the rest */
} blo_record;

typedef struct blo_records {
  blo_int n, n_rows;
  blo_record *at; /**< [n] */
} blo_records;

/** Read all columns. Call: Local. @param[out] h  free with blo_records_free(), also after a failure
 */
BLO_MUST_USE blo_status blo_records_read(blo_context *ctx, blo_h5 *file, blo_records *h);
/** Free the columns. Call: Local. */
void blo_records_free(blo_context *ctx, blo_records *h);
/** The values of a column, NULL if there is none. Call: Local. */
const double *blo_records_find(const blo_records *h, const char *name);

/** Most names that are looked through for one that may be meant. */
enum { BLO_RECORDS_NAMES = 256 };
/** Say that there is no column of that name, and which of `names`, ended by NULL, may be meant.
 *  Call: Local. @return BLO_E_OPTION */
blo_status blo_records_miss(blo_context *ctx, const char *option, const char *column,
                            const char *const *names);
/** True if the column is a metric of the problem. Call: Local. */
bool blo_record_is_metric(const blo_record *record);

#endif

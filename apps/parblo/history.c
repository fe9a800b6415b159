/** @file Reading a history; see history.h. */
#include "history.h"
#include <stdlib.h>
#include <string.h>

/** What every history has, in the order in which it is shown; metrics stand at METRICS. */
static const char *const standard[] = {"iteration",
                                       "seconds",
#define NAME(name, unit, help) #name,
                                       BLO_REPORT_LIST(NAME)
#undef NAME
                                           "verdict",
                                       "", /* the metrics */
#define NAME(name, text) "n_" #name,
                                       BLO_COUNT_LIST(NAME)
#undef NAME
                                           "messages",
                                       "bytes",
#define NAME(code, name, text) "seconds_" name,
                                       BLO_PHASE_LIST(NAME)
#undef NAME
};

static int metrics_place(void)
{
  int k = 0;

  while (standard[k][0] != '\0') {
    k++;
  }
  return k;
}

static int place_of(const char *name)
{
  for (int k = 0; k < (int)BLO_COUNT_OF(standard); k++) {
    if (strcmp(standard[k], name) == 0) {
      return k;
    }
  }
  return metrics_place();
}

bool blo_record_is_metric(const blo_record *record)
{
  return record->place == metrics_place();
}

/** What the walk over the arrays carries along. */
typedef struct reader {
  blo_context *ctx;
  blo_h5 *file;
  blo_records *h;
} reader;

static blo_status read_column(void *arg, const char *path)
{
  reader *r = arg;
  blo_records *h = r->h;
  const char *slash = strrchr(path, '/');
  blo_record *record;
  blo_int n_rows;

  BLO_TRY(blo_h5_array_size(r->file, path, &n_rows));
  BLO_CHECK(r->ctx, h->n == 0 || n_rows == h->n_rows, BLO_E_FORMAT,
            "the column %s has %lld rows, those before it have %lld", path, (long long)n_rows,
            (long long)h->n_rows);
  h->n_rows = n_rows;
  BLO_TRY(blo_realloc(r->ctx, h->n + 1, sizeof *h->at, &h->at));
  record = &h->at[h->n++];
  BLO_TRY(blo_strdup(r->ctx, slash != NULL ? slash + 1 : path, &record->name));
  record->place = place_of(record->name);
  BLO_TRY(blo_alloc(r->ctx, n_rows, sizeof *record->value, &record->value));
  return blo_h5_get_array(r->file, path, record->value, n_rows);
}

static int compare(const void *a, const void *b)
{
  const blo_record *left = a, *right = b;
  int gap = left->place - right->place;

  return gap != 0 ? gap : strcmp(left->name, right->name);
}

blo_status blo_records_read(blo_context *ctx, blo_h5 *file, blo_records *h)
{
  reader r = {ctx, file, h};

  *h = (blo_records){.n = 0};
  BLO_TRY(blo_h5_each_array(file, "history", read_column, &r));
  if (h->n > 0) {
    qsort(h->at, (size_t)h->n, sizeof *h->at, compare);
  }
  return BLO_OK;
}

void blo_records_free(blo_context *ctx, blo_records *h)
{
  for (blo_int i = 0; i < h->n; i++) {
    blo_free(ctx, &h->at[i].name);
    blo_free(ctx, &h->at[i].value);
  }
  blo_free(ctx, &h->at);
  h->n = 0;
}

const double *blo_records_find(const blo_records *h, const char *name)
{
  for (blo_int i = 0; i < h->n; i++) {
    if (strcmp(h->at[i].name, name) == 0) {
      return h->at[i].value;
    }
  }
  return NULL;
}

blo_status blo_records_miss(blo_context *ctx, const char *option, const char *column,
                            const char *const *names)
{
  const char *near = blo_nearest(column, names);

  return blo_fail(ctx, BLO_E_OPTION, __FILE__, __LINE__, "%s: no history has a column '%s'%s%s%s",
                  option, column, near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
                  near != NULL ? "'?" : "");
}

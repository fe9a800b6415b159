/**
 * @file `parblo history`: columns of the history of a run file or checkpoint as a table of text,
 * separated by tabs, for scripts and spreadsheets. The root does the work.
 */
#include "arguments.h"
#include "commands.h"
#include "history.h"
#include <math.h>
#include <string.h>

typedef struct table {
  blo_context *ctx;
  const char *path, *columns; /**< columns: of --columns; NULL: all */
  bool last;
  blo_records history;
  const char *name[BLO_RECORDS_NAMES];
  int n;
} table;

static blo_status parse(table *t, int argc, char **argv)
{
  static const struct option known[] = {{"columns", required_argument, NULL, 'c'},
                                        {"last", no_argument, NULL, 'l'},
                                        {NULL, 0, NULL, 0}};
  int option;

  blo_arguments_start();
  for (;;) {
    BLO_TRY(blo_arguments_next(t->ctx, argc, argv, ":c:l", known, &option));
    if (option == -1) {
      break;
    }
    if (option == 'c') {
      t->columns = optarg;
    } else {
      t->last = true;
    }
  }
  BLO_CHECK(t->ctx, optind == argc - 1, BLO_E_OPTION,
            "history needs one run file or checkpoint, not %d", argc - optind);
  t->path = argv[optind];
  return BLO_OK;
}

/** Every column of the history, ended by NULL. */
static void all_names(const table *t, const char *names[BLO_RECORDS_NAMES + 1])
{
  blo_int n = t->history.n < BLO_RECORDS_NAMES ? t->history.n : BLO_RECORDS_NAMES;

  for (blo_int i = 0; i < n; i++) {
    names[i] = t->history.at[i].name;
  }
  names[n] = NULL;
}

/** The names in --columns, which are cut apart in place. */
static blo_status take_named(table *t, char *list)
{
  const char *names[BLO_RECORDS_NAMES + 1];

  all_names(t, names);
  for (char *name = strtok(list, ","); name != NULL; name = strtok(NULL, ",")) {
    if (blo_records_find(&t->history, name) == NULL) {
      return blo_records_miss(t->ctx, "--columns", name, names);
    }
    BLO_CHECK(t->ctx, t->n < BLO_RECORDS_NAMES, BLO_E_OPTION, "--columns: more than %d columns",
              BLO_RECORDS_NAMES);
    t->name[t->n++] = name;
  }
  return BLO_OK;
}

static void take_all(table *t)
{
  const char *names[BLO_RECORDS_NAMES + 1];

  all_names(t, names);
  for (t->n = 0; names[t->n] != NULL; t->n++) {
    t->name[t->n] = names[t->n];
  }
}

/** The last value that was evaluated. */
static double last_value(const double *column, blo_int n)
{
  double value = (double)NAN;

  for (blo_int k = 0; k < n; k++) {
    value = isnan(column[k]) ? value : column[k];
  }
  return value;
}

static void print(const table *t)
{
  blo_int n_rows = t->history.n_rows;

  for (int i = 0; i < t->n; i++) {
    printf("%s%c", t->name[i], i + 1 < t->n ? '\t' : '\n');
  }
  for (blo_int k = t->last ? n_rows - 1 : 0; k < n_rows; k++) {
    for (int i = 0; i < t->n; i++) {
      const double *column = blo_records_find(&t->history, t->name[i]);
      printf("%.17g%c", t->last ? last_value(column, n_rows) : column[k],
             i + 1 < t->n ? '\t' : '\n');
    }
  }
}

static blo_status show(table *t)
{
  char *list = NULL;
  blo_h5 *file = NULL;
  blo_status status = BLO_OK;

  BLO_GO(blo_h5_open(t->ctx, t->path, NULL, &file));
  BLO_GO(blo_records_read(t->ctx, file, &t->history));
  if (t->columns != NULL) {
    BLO_GO(blo_strdup(t->ctx, t->columns, &list));
    BLO_GO(take_named(t, list));
  } else {
    take_all(t);
  }
  print(t);
done:
  blo_records_free(t->ctx, &t->history);
  blo_free(t->ctx, &list);
  blo_h5_close(&file);
  return status;
}

int blo_cmd_history(blo_comm *comm, int argc, char **argv)
{
  table t = {.ctx = blo_comm_context(comm)};
  blo_status status = BLO_OK;

  BLO_GO(parse(&t, argc, argv));
  if (blo_comm_rank(comm) == BLO_ROOT) {
    status = show(&t);
  }
  BLO_GO(blo_agree_from(comm, BLO_ROOT, status));
done:
  return status == BLO_OK ? 0 : blo_cmd_fail(comm, status);
}

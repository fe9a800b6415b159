/**
 * @file `parblo convert`: raw data files to ParBLO's HDF5 layout, of which each rank of a run reads
 * only its own part. The root does the work, the other ranks wait for its verdict.
 */
#include "arguments.h"
#include "commands.h"
#include "convert_text.h"
#include "table_line.h"
#include <string.h>
#include <sys/stat.h>

enum { PART_TRAIN, PART_TEST, N_PARTS };
static const char *const part_names[] = {"train", "test"};

typedef struct request {
  blo_source_spec source[N_PARTS]; /**< path NULL: not given */
  blo_text_request text;
  const char *output;
} request;

enum {
  OPT_TRAIN = 256,
  OPT_TRAIN_LABELS,
  OPT_TEST,
  OPT_TEST_LABELS,
  OPT_FORMAT,
  OPT_COLUMN,
  OPT_FEATURES,
  OPT_CLASSES,
  OPT_TEXT,
  OPT_TEXT_COLUMN,
  OPT_VOCABULARY,
  OPT_VOCABULARY_FROM,
  OPT_MIN_COUNT,
  OPT_MAX_LENGTH
};

/** Columns and lengths are numbers that rows can have. */
enum { COUNT_MAX = INT32_MAX - 8 };

static const struct option known[] = {
    {"train", required_argument, NULL, OPT_TRAIN},
    {"train-labels", required_argument, NULL, OPT_TRAIN_LABELS},
    {"test", required_argument, NULL, OPT_TEST},
    {"test-labels", required_argument, NULL, OPT_TEST_LABELS},
    {"format", required_argument, NULL, OPT_FORMAT},
    {"label-column", required_argument, NULL, OPT_COLUMN},
    {"features", required_argument, NULL, OPT_FEATURES},
    {"classes", required_argument, NULL, OPT_CLASSES},
    {"text", no_argument, NULL, OPT_TEXT},
    {"text-column", required_argument, NULL, OPT_TEXT_COLUMN},
    {"vocabulary", required_argument, NULL, OPT_VOCABULARY},
    {"vocabulary-from", required_argument, NULL, OPT_VOCABULARY_FROM},
    {"min-count", required_argument, NULL, OPT_MIN_COUNT},
    {"max-length", required_argument, NULL, OPT_MAX_LENGTH},
    {"output", required_argument, NULL, 'o'},
    {NULL, 0, NULL, 0},
};

/* -------------------------------------------------------------- arguments */

static blo_status find_format(blo_context *ctx, const char *text, int *format)
{
  const char *near;

  for (*format = 0; blo_format_names[*format] != NULL; (*format)++) {
    if (strcmp(blo_format_names[*format], text) == 0) {
      return BLO_OK;
    }
  }
  near = blo_nearest(text, blo_format_names);
  return blo_fail(ctx, BLO_E_OPTION, __FILE__, __LINE__,
                  "--format = '%s' is not one of auto, idx, libsvm, csv, hdf5%s%s%s", text,
                  near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
                  near != NULL ? "'?" : "");
}

/** The options about text. */
static blo_status take_text_option(blo_context *ctx, int option, request *r)
{
  blo_text_request *t = &r->text;

  switch (option) {
  case OPT_TEXT:
    t->wanted = true;
    return BLO_OK;
  case OPT_TEXT_COLUMN:
    return blo_arguments_int(ctx, "--text-column", optarg, -COUNT_MAX, COUNT_MAX, &t->text_column);
  case OPT_VOCABULARY:
    return blo_arguments_int(ctx, "--vocabulary", optarg, 1, COUNT_MAX, &t->n_words);
  case OPT_MIN_COUNT:
    return blo_arguments_int(ctx, "--min-count", optarg, 1, COUNT_MAX, &t->min_count);
  case OPT_MAX_LENGTH:
    return blo_arguments_int(ctx, "--max-length", optarg, 0, COUNT_MAX, &t->max_length);
  case OPT_VOCABULARY_FROM:
    t->other = optarg;
    return BLO_OK;
  default:
    r->output = optarg;
    return BLO_OK;
  }
}

/** Options that go for both parts are entered in the first and copied at the end. */
static blo_status take_option(blo_context *ctx, int option, request *r)
{
  blo_source_spec *train = &r->source[PART_TRAIN], *test = &r->source[PART_TEST];

  switch (option) {
  case OPT_TRAIN:
    train->path = optarg;
    return BLO_OK;
  case OPT_TRAIN_LABELS:
    train->labels = optarg;
    return BLO_OK;
  case OPT_TEST:
    test->path = optarg;
    return BLO_OK;
  case OPT_TEST_LABELS:
    test->labels = optarg;
    return BLO_OK;
  case OPT_FORMAT:
    return find_format(ctx, optarg, &train->format);
  case OPT_COLUMN:
    BLO_TRY(blo_arguments_int(ctx, "--label-column", optarg, INT32_MIN, INT32_MAX,
                              &train->label_column));
    r->text.label_column = train->label_column;
    return BLO_OK;
  case OPT_FEATURES:
    return blo_arguments_int(ctx, "--features", optarg, 0, INT32_MAX, &train->n_features);
  case OPT_CLASSES:
    return blo_arguments_int(ctx, "--classes", optarg, 0, INT32_MAX, &train->n_classes);
  default:
    return take_text_option(ctx, option, r);
  }
}

/** What goes for text, and what does not. */
static blo_status check_text(blo_context *ctx, const request *r)
{
  const blo_source_spec *train = &r->source[PART_TRAIN], *test = &r->source[PART_TEST];

  BLO_TRY(blo_text_check(ctx, &r->text));
  BLO_CHECK(ctx,
            !r->text.wanted || (train->format == BLO_FORMAT_AUTO && train->n_features == 0 &&
                                train->labels[0] == '\0' && test->labels[0] == '\0'),
            BLO_E_OPTION,
            "--text does not go with --format, --features, --train-labels and --test-labels");
  BLO_CHECK(ctx, r->text.other == NULL || test->path != NULL || train->path != NULL, BLO_E_OPTION,
            "convert --vocabulary-from needs --train FILE or --test FILE");
  return BLO_OK;
}

static blo_status check_request(blo_context *ctx, const request *r)
{
  const blo_source_spec *train = &r->source[PART_TRAIN], *test = &r->source[PART_TEST];

  BLO_TRY(check_text(ctx, r));
  BLO_CHECK(ctx, train->path != NULL || r->text.other != NULL, BLO_E_OPTION,
            "convert needs --train FILE (see `parblo help convert`)");
  BLO_CHECK(ctx, r->output != NULL, BLO_E_OPTION,
            "convert needs -o DATA.h5 (see `parblo help convert`)");
  BLO_CHECK(ctx, test->path != NULL || test->labels[0] == '\0', BLO_E_OPTION,
            "--test-labels %s is given without --test", test->labels);
  return BLO_OK;
}

static blo_status parse(blo_context *ctx, int argc, char **argv, request *r)
{
  blo_source_spec *train = &r->source[PART_TRAIN], *test = &r->source[PART_TEST];
  int option;

  *r = (request){
      .source = {{.labels = "", .group = "", .label_column = -1}, {.labels = "", .group = ""}},
      .text = blo_text_defaults};
  blo_arguments_start();
  for (;;) {
    BLO_TRY(blo_arguments_next(ctx, argc, argv, ":o:", known, &option));
    if (option == -1) {
      break;
    }
    BLO_TRY(take_option(ctx, option, r));
  }
  BLO_CHECK(ctx, optind == argc, BLO_E_OPTION,
            "convert does not know what to do with '%s'; files are given as --train, --test",
            argv[optind]);
  test->format = train->format;
  test->label_column = train->label_column;
  test->n_classes = r->text.n_classes = train->n_classes;
  return check_request(ctx, r);
}

/* ------------------------------------------------------------------- work */

/** Read what is given; the test part has the classes and the number of features of the other. */
static blo_status read_parts(blo_context *ctx, request *r, blo_table **table)
{
  blo_source_spec *test = &r->source[PART_TEST];

  BLO_TRY(blo_table_read(ctx, &r->source[PART_TRAIN], NULL, &table[PART_TRAIN]));
  if (test->path == NULL) {
    return BLO_OK;
  }
  test->n_features = table[PART_TRAIN]->n_features;
  return blo_table_read(ctx, test, table[PART_TRAIN], &table[PART_TEST]);
}

static blo_status read_text(blo_context *ctx, const request *r, blo_table **table,
                            blo_vocabulary **vocabulary)
{
  const char *path[N_PARTS];

  for (blo_int i = 0; i < N_PARTS; i++) {
    path[i] = r->source[i].path;
  }
  return blo_text_tables(ctx, &r->text, path, N_PARTS, table, vocabulary);
}

/** Write the parts that are there, and say what they are. */
static blo_status write_parts(blo_context *ctx, const request *r, blo_table *const *table,
                              const blo_vocabulary *vocabulary)
{
  const blo_table *given[N_PARTS];
  const char *names[N_PARTS];
  blo_int n = 0;

  for (blo_int i = 0; i < N_PARTS; i++) {
    if (table[i] != NULL) {
      names[n] = part_names[i];
      given[n++] = table[i];
    }
  }
  BLO_TRY(blo_table_write_text(ctx, r->output, n, names, given, vocabulary));
  for (blo_int i = 0; i < n; i++) {
    blo_table_line(names[i], given[i]);
  }
  if (vocabulary != NULL) {
    blo_vocabulary_line(vocabulary);
  }
  return BLO_OK;
}

static blo_status convert(blo_context *ctx, request *r)
{
  blo_status status = BLO_OK;
  blo_table *table[N_PARTS] = {NULL};
  blo_vocabulary *vocabulary = NULL;
  struct stat file;

  BLO_GO(r->text.wanted ? read_text(ctx, r, table, &vocabulary) : read_parts(ctx, r, table));
  BLO_GO(write_parts(ctx, r, table, vocabulary));
  BLO_CHECK_GO(ctx, stat(r->output, &file) == 0, BLO_E_IO, "%s: cannot find what was written",
               r->output);
  printf("%s: %.4g MB\n", r->output, (double)file.st_size / 1e6);
done:
  blo_table_destroy(ctx, &table[PART_TRAIN]);
  blo_table_destroy(ctx, &table[PART_TEST]);
  blo_vocabulary_destroy(ctx, &vocabulary);
  return status;
}

int blo_cmd_convert(blo_comm *comm, int argc, char **argv)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_status status;
  request r;

  BLO_GO(parse(ctx, argc, argv, &r));
  if (blo_comm_rank(comm) == BLO_ROOT) {
    status = convert(ctx, &r);
  }
  BLO_GO(blo_agree_from(comm, BLO_ROOT, status));
done:
  return status == BLO_OK ? 0 : blo_cmd_fail(comm, status);
}

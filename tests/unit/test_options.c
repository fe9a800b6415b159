/* Option tables: what is read, what is refused with which words, records that read back as the same
 * options, the comparison at resume, help and reference pages, and the rules of a table itself.
 * ranks: 1 */
#include "harness.h"

#include <blo/options.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* -------------------------------------------------- a table of every kind */

typedef struct lower_opts {
  blo_int steps, batch;
  double step, decay;
} lower_opts;

typedef struct adjoint_opts {
  int type;
  double tolerance;
} adjoint_opts;

typedef struct solver_opts {
  lower_opts lower;
  blo_int iterations;
  double shift;
  const char *note;
  const char *data;
  adjoint_opts adjoint;
  bool warm;
} solver_opts;

static const char *const adjoint_names[] = {"cg", "neumann", NULL};

static const blo_opt_row lower_rows[] = {
    BLO_OPT(lower_opts, steps, "10", 1, BLO_INF, "steps", "Lower-level steps of one outer step.",
            "Ji, Yang and Liang 2021, Alg. 1", 0),
    BLO_OPT(lower_opts, batch, "0", 0, 1e6, "samples", "Batch size; 0 takes all.", "", 0),
    BLO_OPT(lower_opts, step, "1e-2", 0, 1e300, "-", "Step size of the lower level.",
            "Ji, Yang and Liang 2021, Thm. 1", BLO_OPT_OPEN_LOW),
    BLO_OPT(lower_opts, decay, ".5", 0, 1, "-", "Exponent of the step size's decay.", "", 0),
};
static const blo_opt_table lower_table = {.name = "lower",
                                          .help = "How y follows its optimum.",
                                          .size = sizeof(lower_opts),
                                          .rows = lower_rows,
                                          .n_rows = BLO_COUNT_OF(lower_rows)};

static const blo_opt_row adjoint_rows[] = {
    BLO_OPT_NAMES(adjoint_opts, type, "cg", adjoint_names, "How the adjoint system is solved.", "",
                  0),
    BLO_OPT(adjoint_opts, tolerance, "1e-6", 0, BLO_INF, "-", "Residual at which it is solved.", "",
            0),
};
static const blo_opt_table adjoint_table = {.name = "adjoint",
                                            .help = "The adjoint system.",
                                            .size = sizeof(adjoint_opts),
                                            .rows = adjoint_rows,
                                            .n_rows = BLO_COUNT_OF(adjoint_rows)};

static const blo_opt_row solver_rows[] = {
    BLO_OPT(solver_opts, iterations, "100", 0, BLO_INF, "-", "Outer steps.", "",
            BLO_OPT_RESUME_FREE),
    BLO_OPT(solver_opts, shift, "-inf", -BLO_INF, BLO_INF, "-", "Any number at all.", "", 0),
    BLO_OPT_PLAIN(solver_opts, note, "", "A text, free of choice | or none.", 0),
    BLO_OPT_PLAIN(solver_opts, data, NULL, "The data.", BLO_OPT_REQUIRED | BLO_OPT_PATH),
    BLO_OPT_PLAIN(solver_opts, warm, "yes", "Start where the last lower level ended.", 0),
};
static const blo_opt_sub solver_subs[] = {
    {"lower", offsetof(solver_opts, lower), &lower_table},
    {"adjoint", offsetof(solver_opts, adjoint), &adjoint_table},
};
static const blo_opt_table solver_table = {.name = "stocbio",
                                           .help = "A solver with options of every kind.",
                                           .size = sizeof(solver_opts),
                                           .rows = solver_rows,
                                           .n_rows = BLO_COUNT_OF(solver_rows),
                                           .subs = solver_subs,
                                           .n_subs = BLO_COUNT_OF(solver_subs)};

static const char *const also[] = {"type", NULL};

/* The options under "solver" of a text, and its tree; `name` is that of the run file. */
static blo_status read_named(blo_comm *comm, const char *name, const char *text, const char *set,
                             solver_opts *out, blo_conf **root)
{
  blo_context *ctx = blo_comm_context(comm);
  BLO_TRY(blo_conf_parse(ctx, name, text, root));
  if (set) {
    BLO_TRY(blo_conf_set(*root, set));
  }
  return blo_opt_read(ctx, &solver_table, blo_conf_find(*root, "solver"), also, out);
}

/* ---------------------------------------------------------------- reading */

static void defaults_fill_what_is_missing(blo_comm *comm)
{
  solver_opts o;
  blo_conf *root = NULL;
  BLO_REQUIRE_STATUS(
      read_named(comm, "run.yml", "solver: {type: x, data: /d, lower: }", NULL, &o, &root), BLO_OK);
  BLO_EXPECT_ALL(o.lower.steps == 10 && o.lower.batch == 0 && o.iterations == 100);
  BLO_EXPECT_ALL(o.lower.step == 1e-2 && o.lower.decay == 0.5 && o.shift == -HUGE_VAL);
  BLO_EXPECT_ALL(strcmp(o.note, "") == 0 && strcmp(o.data, "/d") == 0);
  BLO_EXPECT_ALL(o.adjoint.type == 0 && o.adjoint.tolerance == 1e-6 && o.warm);
  blo_conf_destroy(&root);

  lower_opts lower;
  BLO_REQUIRE_STATUS(blo_opt_read(blo_comm_context(comm), &lower_table, NULL, NULL, &lower),
                     BLO_OK);
  BLO_EXPECT_ALL(memcmp(&lower, &o.lower, sizeof lower) == 0);
}

static void equal_options_are_equal_bytes(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  solver_opts a, b;
  blo_conf *root = NULL;
  memset(&a, 0xff, sizeof a);
  BLO_REQUIRE_STATUS(read_named(comm, "run.yml", "solver: {data: /d}", NULL, &b, &root), BLO_OK);
  BLO_REQUIRE_STATUS(blo_opt_read(ctx, &solver_table, blo_conf_find(root, "solver"), also, &a),
                     BLO_OK);
  BLO_EXPECT_ALL(memcmp(&a, &b, sizeof a) == 0);
  blo_conf_destroy(&root);
}

static void values_are_read(blo_comm *comm)
{
  solver_opts o;
  blo_conf *root = NULL;
  BLO_REQUIRE_STATUS(read_named(comm, "run.yml",
                                "solver:\n  data: /d\n  note: 'a: b'\n  warm: OFF\n  shift: -.inf\n"
                                "  iterations: 9223372036854775807\n"
                                "  lower: {steps: 1e3, batch: 25.0, step: .5, decay: +1E-3}\n"
                                "  adjoint: {type: neumann, tolerance: inf}\n",
                                "solver.iterations=12", &o, &root),
                     BLO_OK);
  BLO_EXPECT_ALL(o.lower.steps == 1000 && o.lower.batch == 25 && o.iterations == 12);
  BLO_EXPECT_ALL(o.lower.step == 0.5 && o.lower.decay == 1e-3 && o.shift == -HUGE_VAL);
  BLO_EXPECT_ALL(strcmp(o.note, "a: b") == 0 && !o.warm);
  BLO_EXPECT_ALL(o.adjoint.type == 1 && o.adjoint.tolerance == HUGE_VAL);
  blo_conf_destroy(&root);
}

typedef struct refusal {
  const char *text, *set, *message;
} refusal;

#define HEAD "solver:\n  data: /d\n"

static const refusal wrong_options[] = {
    {HEAD "  lower:\n    stpes: 3\n", NULL,
     "run.yml:4: unknown key 'solver.lower.stpes'; did you mean 'steps'? (known: steps, batch, "
     "step, decay)"},
    {HEAD "  lower: {qqqqq: 3}\n", NULL,
     "run.yml:3: unknown key 'solver.lower.qqqqq' (known: steps, batch, step, decay)"},
    {HEAD, "solver.Lowre.steps=3",
     "--set: unknown key 'solver.Lowre'; did you mean 'lower'? (known: type, iterations, shift, "
     "note, data, warm, lower, adjoint)"},
    {HEAD "  lower: {step: -1}\n", NULL,
     "run.yml:3: solver.lower.step = -1 is out of range: must be greater than 0 and at most "
     "1e+300"},
    {HEAD "  lower: {step: 0}\n", NULL,
     "run.yml:3: solver.lower.step = 0 is out of range: must be greater than 0 and at most "
     "1e+300"},
    {HEAD "  lower: {step: inf}\n", NULL,
     "run.yml:3: solver.lower.step = inf is out of range: must be greater than 0 and at most "
     "1e+300"},
    {HEAD, "solver.lower.decay=1.5",
     "--set: solver.lower.decay = 1.5 is out of range: must be at least 0 and at most 1"},
    {HEAD "  lower:\n    steps: 0\n", NULL,
     "run.yml:4: solver.lower.steps = 0 is out of range: must be at least 1"},
    {HEAD "  lower: {steps: 1.5}\n", NULL,
     "run.yml:3: solver.lower.steps = '1.5' is not a whole number: must be at least 1"},
    {HEAD "  lower: {steps: 99999999999999999999}\n", NULL,
     "run.yml:3: solver.lower.steps = '99999999999999999999' is not a whole number: must be at "
     "least 1"},
    {HEAD "  lower: {steps: 10k}\n", NULL,
     "run.yml:3: solver.lower.steps = '10k' is not a whole number: must be at least 1"},
    {HEAD "  lower: {steps: }\n", NULL,
     "run.yml:3: solver.lower.steps has no value: must be at least 1"},
    {HEAD "  shift: nan\n", NULL,
     "run.yml:3: solver.shift = 'nan' is not a number: must be any number"},
    {HEAD "  shift: 0x10\n", NULL,
     "run.yml:3: solver.shift = '0x10' is not a number: must be any number"},
    {HEAD "  shift: 1e999\n", NULL,
     "run.yml:3: solver.shift = '1e999' is not a number: must be any number"},
    {HEAD "  shift: 1,5\n", NULL,
     "run.yml:3: solver.shift = '1,5' is not a number: must be any number"},
    {HEAD "  shift: \"two\\nlines\"\n", NULL,
     "run.yml:3: solver.shift = 'two?lines' is not a number: must be any number"},
    {HEAD "  warm: maybe\n", NULL,
     "run.yml:3: solver.warm = 'maybe' is not a truth value: must be true or false (also yes, no, "
     "on, off)"},
    {HEAD "  adjoint: {type: cgg}\n", NULL,
     "run.yml:3: solver.adjoint.type = 'cgg' is not one of cg, neumann; did you mean 'cg'?"},
    {HEAD "  adjoint: {type: lu-factors}\n", NULL,
     "run.yml:3: solver.adjoint.type = 'lu-factors' is not one of cg, neumann"},
    {HEAD "  lower: 3\n", NULL,
     "run.yml:3: solver.lower = '3' must be a map of options, not a single value"},
    {HEAD "  shift: {a: 1}\n", NULL,
     "run.yml:3: solver.shift is a map, but must be a single number"},
    {"a: 1\nsolver:\n  note: x\n", NULL,
     "run.yml:2: solver.data is missing and has no default: must be a path"},
    {"solver:\n  data:\n", NULL,
     "run.yml:1: solver.data is missing and has no default: must be a path"},
    {"a: 1\n", NULL, "stocbio: data is missing and has no default: must be a path"},
};

static void wrong_options_are_refused(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  for (size_t i = 0; i < sizeof wrong_options / sizeof wrong_options[0]; i++) {
    const refusal *r = &wrong_options[i];
    solver_opts o;
    blo_conf *root = NULL;
    BLO_EXPECT_STATUS(read_named(comm, "run.yml", r->text, r->set, &o, &root), BLO_E_OPTION);
    BLO_EXPECT_MSG(strcmp(blo_error_text(ctx), r->message) == 0, "message '%s' instead of '%s'",
                   blo_error_text(ctx), r->message);
    blo_conf_destroy(&root);
  }
}

static void expect_path(blo_comm *comm, const char *name, const char *given, const char *set,
                        const char *folder, const char *want_tail)
{
  solver_opts o;
  blo_conf *root = NULL;
  char text[256], want[5000];
  snprintf(text, sizeof text, "solver: {data: %s}", given);
  snprintf(want, sizeof want, "%s%s", folder, want_tail);
  BLO_REQUIRE_STATUS(read_named(comm, name, text, set, &o, &root), BLO_OK);
  BLO_EXPECT_MSG(strcmp(o.data, want) == 0, "path '%s', not '%s'", o.data, want);
  blo_conf_destroy(&root);
}

static void paths_count_from_their_origin(blo_comm *comm)
{
  char here[4096];
  BLO_REQUIRE_ALL(getcwd(here, sizeof here));
  expect_path(comm, "run.yml", "d.csv", NULL, here, "/d.csv");
  expect_path(comm, "exp/one/run.yml", "d.csv", NULL, here, "/exp/one/d.csv");
  expect_path(comm, "/far/run.yml", "../d.csv", NULL, "", "/far/../d.csv");
  expect_path(comm, "/run.yml", "d.csv", NULL, "", "/d.csv");
  expect_path(comm, "/far/run.yml", "/abs/d.csv", NULL, "", "/abs/d.csv");
  expect_path(comm, "/far/run.yml", "d.csv", "solver.data=e.csv", here, "/e.csv");
}

/* ------------------------------------------------------------ round trips */

static uint64_t noise(uint64_t *state)
{
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

static double any_double(uint64_t *state)
{
  double value = 0;
  do {
    uint64_t bits = noise(state);
    memcpy(&value, &bits, sizeof value);
  } while (!isfinite(value));
  return value;
}

static solver_opts any_options(uint64_t *state)
{
  static const char *const notes[] = {"", "x", "two\nlines", "~", "- a: b", "gr\xc3\xbc\xc3\x9f"};
  solver_opts o = {0};
  o.lower.steps = 1 + (blo_int)(noise(state) >> 2);
  o.lower.batch = (blo_int)(noise(state) % 1000001);
  o.lower.step = fmin(fabs(any_double(state)) + 1e-300, 1e300);
  o.lower.decay = (double)(noise(state) >> 11) * 0x1p-53;
  o.iterations = (blo_int)(noise(state) % 1000);
  o.shift = noise(state) % 8 ? any_double(state) : HUGE_VAL;
  o.note = notes[noise(state) % 6];
  o.data = "/some where/d.csv";
  o.adjoint.type = (int)(noise(state) % 2);
  o.adjoint.tolerance = (double)(float)0.1 * (double)(noise(state) % 7);
  o.warm = noise(state) % 2;
  return o;
}

static bool same_values(const solver_opts *a, const solver_opts *b)
{
  return memcmp(&a->lower, &b->lower, sizeof a->lower) == 0 && a->iterations == b->iterations &&
         memcmp(&a->shift, &b->shift, sizeof a->shift) == 0 && strcmp(a->note, b->note) == 0 &&
         strcmp(a->data, b->data) == 0 && a->adjoint.type == b->adjoint.type &&
         a->adjoint.tolerance == b->adjoint.tolerance && a->warm == b->warm;
}

/* Record, print, parse and read; `again` points into `second`. */
static blo_status record_and_read(blo_comm *comm, const solver_opts *o, solver_opts *again,
                                  blo_conf **second)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_status status = BLO_OK;
  blo_conf *first = NULL, *map = NULL;
  char *text = NULL;
  BLO_GO(blo_conf_parse(ctx, "first", "", &first));
  BLO_GO(blo_conf_need_map(first, "solver", &map));
  BLO_GO(blo_opt_record(ctx, &solver_table, o, map));
  BLO_GO(blo_conf_print(first, &text));
  BLO_GO(read_named(comm, "elsewhere/second", text, NULL, again, second));
done:
  blo_free(ctx, &text);
  blo_conf_destroy(&first);
  return status;
}

static void records_read_back_as_the_same(blo_comm *comm)
{
  uint64_t state = 88172645463325252u;
  int wrong = 0;
  for (int round = 0; round < 2000; round++) {
    solver_opts o = any_options(&state), again;
    blo_conf *second = NULL;
    wrong += record_and_read(comm, &o, &again, &second) != BLO_OK || !same_values(&o, &again);
    wrong += blo_opt_same(blo_comm_context(comm), &solver_table, "solver", &o, &again) != BLO_OK;
    blo_conf_destroy(&second);
  }
  BLO_EXPECT_MSG(wrong == 0, "%d of 2000 records", wrong);
}

/* The record goes into the tree that was read, while the struct's texts still point there. */
static void record_keeps_texts_alive(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  solver_opts o;
  blo_conf *root = NULL;
  char *text = NULL;
  BLO_REQUIRE_STATUS(read_named(comm, "/far/run.yml",
                                "solver:\n  type: stocbio\n  data: d.csv\n  note: n\n"
                                "  lower: {steps: 1e3, step: 0.10}\n",
                                NULL, &o, &root),
                     BLO_OK);
  BLO_REQUIRE_STATUS(blo_opt_record(ctx, &solver_table, &o, blo_conf_find(root, "solver")), BLO_OK);
  BLO_REQUIRE_STATUS(blo_conf_print(root, &text), BLO_OK);
  static const char want[] = "solver:\n  type: stocbio\n  data: /far/d.csv\n  note: n\n  lower:\n"
                             "    steps: 1000\n    step: 0.1\n    batch: 0\n    decay: 0.5\n"
                             "  iterations: 100\n  shift: -inf\n  warm: true\n"
                             "  adjoint:\n    type: cg\n    tolerance: 1e-06\n";
  BLO_EXPECT_MSG(strcmp(text, want) == 0, "recorded:\n%s", text);
  BLO_EXPECT_ALL(strcmp(o.data, "/far/d.csv") == 0 && strcmp(o.note, "n") == 0);
  blo_free(ctx, &text);
  blo_conf_destroy(&root);
}

static void numbers_are_printed_short(blo_comm *comm)
{
  static const struct {
    double value;
    const char *text;
  } cases[] = {{0.1, "0.1"},
               {1.0 / 3, "0.3333333333333333"},
               {1e-3, "0.001"},
               {1e300, "1e+300"},
               {0.1 + 0.2, "0.30000000000000004"},
               {-0.0, "-0"},
               {5e-324, "5e-324"},
               {-HUGE_VAL, "-inf"}};
  char text[64];
  (void)comm;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    solver_opts o = {.shift = cases[i].value};
    blo_opt_value_text(&solver_rows[1], &o, text, sizeof text);
    BLO_EXPECT_MSG(strcmp(text, cases[i].text) == 0, "'%s', not '%s'", text, cases[i].text);
  }
  solver_opts o = {.note = "a longer text"};
  blo_opt_value_text(&solver_rows[2], &o, text, 5);
  BLO_EXPECT_ALL(strcmp(text, "a lo") == 0);
}

static void resume_compares_what_must_not_change(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  const solver_opts was = {.lower = {10, 0, 0.1, 0.5}, .note = "a", .data = "/d"};
  solver_opts now = was;
  now.iterations = 999;
  BLO_EXPECT_STATUS(blo_opt_same(ctx, &solver_table, "solver", &was, &now), BLO_OK);
  now.lower.step = 0.2;
  BLO_EXPECT_STATUS(blo_opt_same(ctx, &solver_table, "solver", &was, &now), BLO_E_MISMATCH);
  BLO_EXPECT_ALL(strcmp(blo_error_text(ctx), "solver.lower.step was '0.1' and is now '0.2'; it "
                                             "must not change when a run is resumed") == 0);
  now = was;
  now.note = "b";
  BLO_EXPECT_STATUS(blo_opt_same(ctx, &solver_table, "", &was, &now), BLO_E_MISMATCH);
  BLO_EXPECT_ERROR_HAS("note was 'a' and is now 'b'");
  now = was;
  now.adjoint.type = 1;
  BLO_EXPECT_STATUS(blo_opt_same(ctx, &solver_table, "s", &was, &now), BLO_E_MISMATCH);
  BLO_EXPECT_ERROR_HAS("s.adjoint.type was 'cg' and is now 'neumann'");
}

static blo_status read_record_print(blo_comm *comm, void *arg)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_status status = BLO_OK;
  solver_opts o, again;
  blo_conf *root = NULL, *second = NULL;
  (void)arg;
  BLO_GO(blo_opt_table_check(ctx, &solver_table));
  BLO_GO(read_named(comm, "run.yml", "solver: {data: d, note: n, lower: {steps: 1e3}}",
                    "solver.warm=no", &o, &root));
  BLO_GO(blo_opt_record(ctx, &solver_table, &o, blo_conf_find(root, "solver")));
  BLO_GO(record_and_read(comm, &o, &again, &second));
done:
  blo_conf_destroy(&root);
  blo_conf_destroy(&second);
  return status;
}

static void every_fault_is_returned(blo_comm *comm)
{
  BLO_EXPECT_ALL(blo_test_sweep_faults(comm, read_record_print, NULL) > 100);
}

/* -------------------------------------------------------- help and pages */

/* What a printer writes. @param[out] text [cap] */
static void printed(void (*print)(const blo_opt_table *, const char *, FILE *),
                    const blo_opt_table *table, const char *path, char *text, size_t cap)
{
  FILE *file = tmpfile();
  BLO_REQUIRE_ALL(file);
  print(table, path, file);
  rewind(file);
  size_t n = fread(text, 1, cap - 1, file);
  text[n] = '\0';
  fclose(file);
}

static void help_is_two_columns(blo_comm *comm)
{
  static const char want[] =
      "solver.lower: How y follows its optimum.\n"
      "  steps  integer >= 1; default 10; in steps\n"
      "         Lower-level steps of one outer step. [Ji, Yang and Liang 2021, Alg. 1]\n"
      "  batch  integer >= 0, <= 1000000; default 0; in samples\n"
      "         Batch size; 0 takes all.\n"
      "  step   number > 0, <= 1e+300; default 1e-2\n"
      "         Step size of the lower level. [Ji, Yang and Liang 2021, Thm. 1]\n"
      "  decay  number >= 0, <= 1; default .5\n"
      "         Exponent of the step size's decay.\n";
  char text[4096];
  (void)comm;
  printed(blo_opt_help, &lower_table, "solver.lower", text, sizeof text);
  BLO_EXPECT_MSG(strcmp(text, want) == 0, "printed:\n%s", text);
}

static void help_shows_all_within_80_columns(blo_comm *comm)
{
  typedef struct one {
    const char *text;
  } one;
  static const blo_opt_row rows[] = {
      BLO_OPT_PLAIN(one, text, "",
                    "Words and words and words and words and words and words and words and words "
                    "and words and words.",
                    BLO_OPT_RESUME_FREE)};
  static const blo_opt_table wide = {
      .name = "wide", .help = "Wide.", .size = sizeof(one), .rows = rows, .n_rows = 1};
  char text[4096];
  (void)comm;
  printed(blo_opt_help, &wide, "", text, sizeof text);
  BLO_EXPECT_ALL(strstr(text, "wide: Wide.\n  text  any text; default none; may change at resume"));
  int lines = 0;
  for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
    BLO_EXPECT_ALL(strcspn(line, "\n") <= 80);
    lines++;
  }
  BLO_EXPECT_ALL(lines == 4);
  printed(blo_opt_help, &solver_table, "solver", text, sizeof text);
  BLO_EXPECT_ALL(strstr(text, "\nsolver.adjoint: The adjoint system.\n  type       cg, neumann; "
                              "default cg\n"));
  BLO_EXPECT_ALL(strstr(text, "  data        a path; required\n"));
  BLO_EXPECT_ALL(strstr(text, "  shift       any number; default -inf\n"));
}

static void markdown_is_a_table(blo_comm *comm)
{
  static const char want[] =
      "### `solver.adjoint`\n\nThe adjoint system.\n\n"
      "| key | type | default | allowed | unit | meaning | source "
      "|\n|---|---|---|---|---|---|---|\n"
      "| `type` | choice | `cg` | cg, neumann | - | How the adjoint system is solved. | - |\n"
      "| `tolerance` | number | `1e-6` | >= 0 | - | Residual at which it is solved. | - |\n";
  char text[4096];
  (void)comm;
  printed(blo_opt_markdown, &solver_table, "solver", text, sizeof text);
  BLO_EXPECT_MSG(strstr(text, want), "printed:\n%s", text);
  BLO_EXPECT_ALL(strstr(text, "A text, free of choice \\| or none."));
  BLO_EXPECT_ALL(strstr(text, "| `data` | text | required | a path |"));
}

/* ---------------------------------------------------------------- nearest */

static void nearest_names_are_found(blo_comm *comm)
{
  static const char *const names[] = {"steps", "step", "cg", "neumann", "batch_size", NULL};
  static const struct {
    const char *word, *nearest;
  } cases[] = {{"stpes", "steps"},
               {"step", "step"},
               {"setp", "step"},
               {"cgg", "cg"},
               {"gc", "cg"},
               {"Neuman", "neumann"},
               {"nuemnan", "neumann"},
               {"Batch-Size", "batch_size"},
               {"batchsize", "batch_size"},
               {"zzz", NULL},
               {"", NULL},
               {"neumann_series", NULL}};
  (void)comm;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const char *got = blo_nearest(cases[i].word, names);
    const char *want = cases[i].nearest;
    BLO_EXPECT_MSG(got == want || (got && want && strcmp(got, want) == 0), "%s for '%s', not %s",
                   got ? got : "nothing", cases[i].word, want ? want : "nothing");
  }
  BLO_EXPECT_ALL(strcmp(blo_nearest("a-b", (const char *const[]){"a1b", "a_b", NULL}), "a_b") == 0);
  char longer[4096];
  memset(longer, 'a', sizeof longer - 1);
  longer[sizeof longer - 1] = '\0';
  BLO_EXPECT_ALL(!blo_nearest(longer, names));
  BLO_EXPECT_ALL(!blo_nearest("steps", (const char *const[]){longer, NULL}));
}

/* ------------------------------------------------------- rules of a table */

/* The check of a table after one change to its first row, or to the table itself. */
static void expect_bad(blo_comm *comm, const blo_opt_row *row, const char *message)
{
  blo_opt_row rows[BLO_COUNT_OF(lower_rows)];
  memcpy(rows, lower_rows, sizeof rows);
  rows[0] = *row;
  blo_opt_table table = lower_table;
  table.rows = rows;
  BLO_EXPECT_STATUS(blo_opt_table_check(blo_comm_context(comm), &table), BLO_E_OPTION);
  BLO_EXPECT_ERROR_HAS(message);
}

#define CHANGED(change) (row = lower_rows[0], row.change, &row)

static void bad_rows_are_found(blo_comm *comm)
{
  blo_opt_row row;
  expect_bad(comm, CHANGED(def = "0"), "lower: steps = 0 is out of range");
  expect_bad(comm, CHANGED(def = "x"), "lower: steps = 'x' is not a whole number");
  expect_bad(comm, CHANGED(def = NULL), "'steps' must have a default or be required");
  expect_bad(comm, CHANGED(flags = BLO_OPT_REQUIRED), "must have a default or be required");
  expect_bad(comm, CHANGED(flags = BLO_OPT_PATH), "'steps' is a path but not a text");
  expect_bad(comm, CHANGED(key = "batch"), "key 'batch' stands there twice");
  expect_bad(comm, CHANGED(help = ""), "row 'steps' has an empty text");
  expect_bad(comm, CHANGED(unit = NULL), "row 0 lacks a text");
  expect_bad(comm, CHANGED(high = 0), "'steps' has the empty range 1..0");
  expect_bad(comm, CHANGED(choices = adjoint_names), "if, and only if, it is a choice");
  expect_bad(comm, CHANGED(kind = BLO_OPT_CHOICE), "'steps' of kind choice has 8 bytes");
  expect_bad(comm, CHANGED(offset = 8), "'batch' lies on another field");
  expect_bad(comm, CHANGED(offset = 28), "'steps' lies outside the struct of 32 bytes");
  row = adjoint_rows[0];
  row.flags = BLO_OPT_OPEN_LOW;
  row.def = "cg";
  expect_bad(comm, &row, "'type' has no range to open");
}

static void forgotten_fields_are_found(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_opt_table table = lower_table;
  BLO_EXPECT_STATUS(blo_opt_table_check(ctx, &solver_table), BLO_OK);
  table.n_rows = 3;
  BLO_EXPECT_STATUS(blo_opt_table_check(ctx, &table), BLO_E_OPTION);
  BLO_EXPECT_ERROR_HAS("table 'lower': bytes 24 to 31 of the struct have no option");
  table = solver_table;
  table.n_subs = 1;
  BLO_EXPECT_STATUS(blo_opt_table_check(ctx, &table), BLO_E_OPTION);
  BLO_EXPECT_ERROR_HAS("of the struct have no option");
  table.n_subs = 0;
  table.subs = NULL;
  BLO_EXPECT_STATUS(blo_opt_table_check(ctx, &table), BLO_E_OPTION);
  BLO_EXPECT_ERROR_HAS("table 'stocbio': bytes 0 to 7 of the struct have no option");
  blo_opt_table bad = lower_table;
  bad.n_rows = 3;
  blo_opt_sub subs[] = {solver_subs[0], solver_subs[1]};
  subs[0].table = &bad;
  table = solver_table;
  table.subs = subs;
  BLO_EXPECT_STATUS(blo_opt_table_check(ctx, &table), BLO_E_OPTION);
  BLO_EXPECT_ERROR_HAS("table 'lower': bytes 24 to 31");
  table = solver_table;
  table.help = "";
  BLO_EXPECT_STATUS(blo_opt_table_check(ctx, &table), BLO_E_OPTION);
  BLO_EXPECT_ERROR_HAS("table 'stocbio' has no help");
}

static void a_table_may_be_empty(blo_comm *comm)
{
  static const blo_opt_table none = {.name = "none", .help = "Has no options."};
  blo_context *ctx = blo_comm_context(comm);
  blo_conf *root = NULL;
  char nothing = 0;
  BLO_EXPECT_STATUS(blo_opt_table_check(ctx, &none), BLO_OK);
  BLO_REQUIRE_STATUS(blo_conf_parse(ctx, "run.yml", "x: 1", &root), BLO_OK);
  BLO_EXPECT_STATUS(blo_opt_read(ctx, &none, root, NULL, &nothing), BLO_E_OPTION);
  BLO_EXPECT_ALL(strcmp(blo_error_text(ctx), "run.yml:1: unknown key 'x' (known: none)") == 0);
  blo_conf_destroy(&root);
}

static const blo_test tests[] = {
    {"defaults fill what is missing", defaults_fill_what_is_missing},
    {"equal options are equal bytes", equal_options_are_equal_bytes},
    {"values are read", values_are_read},
    {"wrong options are refused in plain words", wrong_options_are_refused},
    {"paths count from their origin", paths_count_from_their_origin},
    {"records read back as the same options", records_read_back_as_the_same},
    {"a record keeps texts alive", record_keeps_texts_alive},
    {"numbers are printed short", numbers_are_printed_short},
    {"resume compares what must not change", resume_compares_what_must_not_change},
    {"every fault is returned", every_fault_is_returned},
    {"help is two columns", help_is_two_columns},
    {"help shows all within 80 columns", help_shows_all_within_80_columns},
    {"Markdown is a table", markdown_is_a_table},
    {"nearest names are found", nearest_names_are_found},
    {"bad rows are found", bad_rows_are_found},
    {"forgotten fields are found", forgotten_fields_are_found},
    {"a table may be empty", a_table_may_be_empty},
};

BLO_TEST_MAIN("options", tests)

/**
 * @file `parblo help`: usage, the options of one block, or the whole reference of run files as
 * Markdown.
 */
#include "arguments.h"
#include "commands.h"
#include <string.h>

/** Something with options: a problem, a method, an estimator, the block `run`. */
typedef struct block {
  const char *kind, *path; /**< what it is, and where its options stand in a run file */
  const char *name, *summary, *source, *cost; /**< cost may be NULL */
  const blo_opt_table *options;               /**< NULL: none */
  bool shared;                                /**< the table is also that of another block */
} block;

enum { BLOCKS_MAX = 128, COMMANDS_MAX = 32 };

typedef struct block_list {
  blo_int n;
  block at[BLOCKS_MAX];
} block_list;

static void add(block_list *list, block b)
{
  BLO_BUG_IF(list->n == BLOCKS_MAX, "more than %d blocks with options", BLOCKS_MAX);
  list->at[list->n++] = b;
}

static void collect_problems(block_list *list, const blo_plugin_file *plugin)
{
  blo_int n;
  const blo_problem_type *const *type = blo_plugin_problems(plugin, &n);

  for (blo_int i = 0; i < n; i++) {
    add(list, (block){.kind = "problem",
                      .path = "problem",
                      .name = type[i]->name,
                      .summary = type[i]->summary,
                      .source = type[i]->source,
                      .options = type[i]->options});
  }
}

static void collect_solvers(block_list *list)
{
  blo_int n;
  const blo_solver_type *const *type = blo_solver_types(&n);

  for (blo_int i = 0; i < n; i++) {
    add(list, (block){.kind = "method",
                      .path = "solver",
                      .name = type[i]->name,
                      .summary = type[i]->summary,
                      .source = type[i]->source,
                      .cost = type[i]->cost,
                      .options = type[i]->options});
  }
}

static void collect_estimators(block_list *list)
{
  blo_int n;
  const blo_estimator_type *const *type = blo_estimator_types(&n);

  for (blo_int i = 0; i < n; i++) {
    add(list, (block){.kind = "adjoint estimator",
                      .path = "solver.adjoint",
                      .name = type[i]->name,
                      .summary = type[i]->summary,
                      .source = type[i]->source,
                      .options = &blo_adjoint_table,
                      .shared = true});
  }
}

static void collect_block(block_list *list, const char *path, const blo_opt_table *table)
{
  add(list, (block){.kind = "block",
                    .path = path,
                    .name = table->name,
                    .summary = table->help,
                    .source = "",
                    .options = table});
}

static void collect(block_list *list, const blo_plugin_file *plugin)
{
  list->n = 0;
  collect_block(list, "run", &blo_run_table);
  collect_problems(list, plugin);
  collect_solvers(list);
  collect_block(list, "solver.adjoint", &blo_adjoint_table);
  collect_estimators(list);
}

/* ------------------------------------------------------------------ usage */

static void print_exit_codes(void)
{
  static const struct {
    const char *text;
    int code;
  } codes[] = {
#define ROW(name, text, code) {text, code},
      BLO_STATUS_LIST(ROW) BLO_OUTCOME_LIST(ROW)
#undef ROW
  };

  printf(
      "\nExit codes:\n"
      "   0 success; how an optimization ended is printed\n"
      "   1 `parblo check` found oracles that contradict each other; `parblo certify` could not\n"
      "     decide\n");
  for (blo_int i = 0; i < BLO_COUNT_OF(codes); i++) {
    if (codes[i].code != 0) {
      printf("  %2d %s\n", codes[i].code, codes[i].text);
    }
  }
  printf("  30 `parblo certify` found a strict saddle\n");
}

static void print_usage(void)
{
  printf("ParBLO %s: parallel bilevel optimization\n\n"
         "Usage: parblo COMMAND [ARGUMENTS]\n"
         "       mpirun -n RANKS parblo COMMAND [ARGUMENTS]\n\nCommands:\n",
         BLO_VERSION);
  for (const blo_command *c = blo_commands; c->name != NULL; c++) {
    printf("  parblo %s%s%s\n      %s\n", c->name, c->arguments[0] != '\0' ? " " : "", c->arguments,
           c->help);
  }
  printf(
      "\nA run file is YAML with the maps problem, solver and run:\n"
      "  problem: {type: ..., ...}    parblo list, parblo help PROBLEM\n"
      "  solver:  {type: ..., ...}    parblo list, parblo help METHOD\n"
      "  run:     {iterations: ...}   parblo help run\n"
      "\nparblo help BLOCK describes the options of a problem, method, estimator or of run,\n"
      "parblo help COMMAND those of a command; parblo help --markdown is the whole reference.\n");
  print_exit_codes();
}

/** What the short line of a command has no room for. */
static const struct {
  const char *name, *text;
} command_details[] = {
    {"run",
     "  --set KEY=VALUE   instead of what the run file says, e.g. --set solver.upper.step=2\n"
     "  --plugin LIBRARY  shared library with more problems, for run.plugin\n"
     "  --dry-run         print pipeline, cost, memory and configuration, and stop\n"},
    {"resume", "  --set KEY=VALUE   change budgets, output, paths; not what decides the result\n"
               "  --plugin LIBRARY  if it is not where it was; the checkpoint names it\n"
               "  --dry-run         as for run\n"},
    {"check", "  --set KEY=VALUE   as for run\n"
              "  --plugin LIBRARY  as for run\n"
              "  --samples N       use batches of N samples instead of all data\n"
              "  --dense           compare with the assembled matrices, too\n"
              "  --dense-max Q     largest n_y for the dense direct solution (default 2000)\n"},
    {"certify", "  --epsilon E       grad F counts as zero up to this norm\n"
                "  --gamma C         curvature that counts\n"
                "  --steps N         Lanczos steps at most\n"
                "  --seed S          of the random start of Lanczos (default 1)\n"
                "  --set KEY=VALUE   certify.KEY: an option below; else as for run, e.g. data that "
                "have moved\n"
                "  --plugin LIBRARY  if it is not where it was; the file names it\n"
                "exit codes: 0 approximate local minimum, 1 not decided, 30 strict saddle\n\n"},
    {"convert",
     "  --train FILE          samples (for IDX the images); becomes the group train\n"
     "  --train-labels FILE   IDX: their labels\n"
     "  --test FILE           becomes the group test, with the classes of train\n"
     "  --test-labels FILE    IDX: their labels\n"
     "  --format FORMAT       auto, idx, libsvm, csv, hdf5 (default auto)\n"
     "  --label-column K      CSV and text with tabs: from 0, negative from the end\n"
     "                        (default -1, with --text 0)\n"
     "  --features N          LIBSVM: number of features (default the largest index)\n"
     "  --classes N           labels are 0..N-1 (default the labels found)\n"
     "  --text                the files are text: a label, a tab or blank, a sentence\n"
     "  --text-column K       text with tabs: as --label-column (default -1)\n"
     "  --vocabulary N        at most N words, the most frequent of train (default "
     "10000)\n"
     "  --min-count C         which are there C times or more (default 2)\n"
     "  --max-length L        tokens in a row, longer sentences are cut (default 0: the\n"
     "                        longest of train)\n"
     "  --vocabulary-from H5  take the vocabulary of a file that --text has made\n"
     "  -o, --output FILE     the HDF5 file to make\n"},
    {"plot",
     "  -o, --output FILE     the picture, *.png or *.svg; drawn by the program gnuplot\n"
     "  --metrics COLUMN,...  columns of the history to draw, in this order (default f, g,\n"
     "                        hypergrad_norm and metrics, six at most)\n"},
    {"list", "  --plugin LIBRARY  list the problems of a plugin, too\n"},
    {"help", "  --plugin LIBRARY  know the problems of a plugin, too\n"},
};

static void print_command(const blo_command *c)
{
  printf("parblo %s%s%s\n    %s\n", c->name, c->arguments[0] != '\0' ? " " : "", c->arguments,
         c->help);
  for (blo_int i = 0; i < BLO_COUNT_OF(command_details); i++) {
    if (strcmp(command_details[i].name, c->name) == 0) {
      printf("\n%s", command_details[i].text);
    }
  }
  if (strcmp(c->name, "certify") == 0) {
    blo_opt_help(&blo_certify_table, "certify", stdout);
  }
}

/** @return false if there is no such command */
static bool help_on_command(const char *name, bool print)
{
  for (const blo_command *c = blo_commands; c->name != NULL; c++) {
    if (strcmp(c->name, name) == 0) {
      if (print) {
        print_command(c);
      }
      return true;
    }
  }
  return false;
}

static void print_block(const block *b)
{
  printf("%s (%s): %s\n", b->name, b->kind, b->summary);
  if (b->source[0] != '\0') {
    printf("source: %s\n", b->source);
  }
  if (b->cost != NULL) {
    printf("cost of one iteration: %s\n", b->cost);
  }
  printf("\n");
  if (b->options != NULL) {
    blo_opt_help(b->options, b->path, stdout);
  } else {
    printf("no options\n");
  }
}

/** A sentence has its full stop, a phrase needs one. */
static const char *full_stop(const char *text)
{
  size_t n = strlen(text);

  return n > 0 && text[n - 1] == '.' ? "" : ".";
}

static void print_markdown_block(const block *b)
{
  printf("\n## %s `%s`\n\n%s%s\n", b->kind, b->name, b->summary, full_stop(b->summary));
  if (b->source[0] != '\0') {
    printf("\nSource: %s.\n", b->source);
  }
  if (b->cost != NULL) {
    printf("\nCost of one iteration: %s.\n", b->cost);
  }
  if (b->shared) {
    printf("\nOptions: those of `%s`.\n", b->options->name);
  } else if (b->options != NULL) {
    printf("\n");
    blo_opt_markdown(b->options, b->path, stdout);
  }
}

static void print_markdown(const block_list *list)
{
  printf("# Run file reference\n\n"
         "All options of all blocks, with defaults, ranges and sources.\n"
         "Made by `parblo help --markdown`; not edited by hand.\n");
  for (blo_int i = 0; i < list->n; i++) {
    print_markdown_block(&list->at[i]);
  }
}

/* ---------------------------------------------------------------- command */

static blo_status unknown(blo_context *ctx, const block_list *list, const char *name)
{
  const char *names[BLOCKS_MAX + COMMANDS_MAX + 1] = {NULL}, *near;
  blo_int n = 0;

  for (; n < list->n; n++) {
    names[n] = list->at[n].name;
  }
  for (int i = 0; blo_commands[i].name != NULL && i < COMMANDS_MAX; i++) {
    names[n++] = blo_commands[i].name;
  }
  near = blo_nearest(name, names);
  return blo_fail(ctx, BLO_E_OPTION, __FILE__, __LINE__,
                  "'%s' is no problem, method, estimator or command; %s%s%ssee `parblo list`", name,
                  near != NULL ? "did you mean '" : "", near != NULL ? near : "",
                  near != NULL ? "'? " : "");
}

/** Print all blocks of that name (a problem and a method may share one), or a command. */
static blo_status help_on(blo_context *ctx, const block_list *list, const char *name, bool print)
{
  blo_int found = help_on_command(name, print);

  for (blo_int i = 0; i < list->n; i++) {
    if (strcmp(list->at[i].name, name) == 0) {
      if (print) {
        printf("%s", found > 0 ? "\n" : "");
        print_block(&list->at[i]);
      }
      found++;
    }
  }
  return found > 0 ? BLO_OK : unknown(ctx, list, name);
}

/** What `help` is asked for. */
typedef struct question {
  const char *plugin, *name; /**< name NULL: not given */
  bool markdown;
} question;

static blo_status parse(blo_context *ctx, int argc, char **argv, question *q)
{
  static const struct option known[] = {{"plugin", required_argument, NULL, 'p'},
                                        {"markdown", no_argument, NULL, 'm'},
                                        {NULL, 0, NULL, 0}};
  int option, n;

  blo_arguments_start();
  for (;;) {
    BLO_TRY(blo_arguments_next(ctx, argc, argv, ":", known, &option));
    if (option == -1) {
      break;
    }
    if (option == 'p') {
      q->plugin = optarg;
    } else {
      q->markdown = true;
    }
  }
  n = argc - optind + (q->markdown ? 1 : 0);
  BLO_CHECK(ctx, n <= 1, BLO_E_OPTION, "help takes one name, found %d", n);
  q->name = optind < argc ? argv[optind] : NULL;
  return BLO_OK;
}

static blo_status answer(blo_comm *comm, const question *q, const blo_plugin_file *plugin)
{
  bool print = blo_comm_rank(comm) == BLO_ROOT;
  block_list list;

  collect(&list, plugin);
  if (q->name != NULL) {
    return help_on(blo_comm_context(comm), &list, q->name, print);
  }
  if (print && q->markdown) {
    print_markdown(&list);
  } else if (print) {
    print_usage();
  }
  return BLO_OK;
}

int blo_cmd_help(blo_comm *comm, int argc, char **argv)
{
  question q = {.plugin = ""};
  blo_plugin_file *plugin = NULL;
  blo_status status = BLO_OK;

  BLO_GO_ALL(comm, parse(blo_comm_context(comm), argc, argv, &q));
  BLO_GO(blo_plugin_open(comm, q.plugin, &plugin));
  BLO_GO(answer(comm, &q, plugin));
done:
  blo_plugin_close(&plugin);
  return status == BLO_OK ? 0 : blo_cmd_fail(comm, status);
}

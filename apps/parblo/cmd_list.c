/** @file `parblo list`: what there is to choose from, with sources. */
#include "arguments.h"
#include "commands.h"

static const char *const format_summaries[] = {
    [BLO_FORMAT_AUTO] = "found out from the file's first bytes",
    [BLO_FORMAT_IDX] = "pair of IDX files, images and labels (MNIST), plain or gzip",
    [BLO_FORMAT_LIBSVM] = "sparse text, `label index:value ...`, plain or gzip",
    [BLO_FORMAT_CSV] = "numbers separated by comma, semicolon or blanks, plain or gzip",
    [BLO_FORMAT_HDF5] = "ParBLO's own layout (docs/data-format.md); made by `parblo convert`",
};

static void print_entry(const char *name, const char *summary, const char *source)
{
  printf("  %-18s %s\n", name, summary);
  if (source != NULL && source[0] != '\0') {
    printf("  %-18s [%s]\n", "", source);
  }
}

static void list_problems(const blo_plugin_file *plugin)
{
  blo_int n;
  const blo_problem_type *const *types = blo_plugin_problems(plugin, &n);

  printf("Problems (problem.type):\n");
  for (blo_int i = 0; i < n; i++) {
    print_entry(types[i]->name, types[i]->summary, types[i]->source);
  }
}

static void list_solvers(void)
{
  blo_int n;
  const blo_solver_type *const *types = blo_solver_types(&n);

  printf("\nMethods (solver.type):\n");
  for (blo_int i = 0; i < n; i++) {
    print_entry(types[i]->name, types[i]->summary, types[i]->source);
  }
}

static void list_estimators(void)
{
  blo_int n;
  const blo_estimator_type *const *types = blo_estimator_types(&n);

  printf("\nAdjoint estimators (of methods that let you choose):\n");
  for (blo_int i = 0; i < n; i++) {
    print_entry(types[i]->name, types[i]->summary, types[i]->source);
  }
}

static void list_formats(void)
{
  printf("\nData formats (problem.data.*.format):\n");
  for (size_t i = 0; blo_format_names[i] != NULL; i++) {
    print_entry(blo_format_names[i], format_summaries[i], NULL);
  }
}

static blo_status parse(blo_context *ctx, int argc, char **argv, const char **plugin)
{
  static const struct option known[] = {{"plugin", required_argument, NULL, 'p'},
                                        {NULL, 0, NULL, 0}};
  int option;

  blo_arguments_start();
  for (;;) {
    BLO_TRY(blo_arguments_next(ctx, argc, argv, ":", known, &option));
    if (option == -1) {
      break;
    }
    *plugin = optarg;
  }
  BLO_CHECK(ctx, optind == argc, BLO_E_OPTION, "list takes no arguments, found '%s'", argv[optind]);
  return BLO_OK;
}

static void list_all(const blo_plugin_file *plugin)
{
  list_problems(plugin);
  list_solvers();
  list_estimators();
  list_formats();
  printf("\n`parblo help NAME` describes one of them with its options.\n");
}

int blo_cmd_list(blo_comm *comm, int argc, char **argv)
{
  const char *path = "";
  blo_plugin_file *plugin = NULL;
  blo_status status = BLO_OK;

  BLO_GO_ALL(comm, parse(blo_comm_context(comm), argc, argv, &path));
  BLO_GO(blo_plugin_open(comm, path, &plugin));
  if (blo_comm_rank(comm) == BLO_ROOT) {
    list_all(plugin);
  }
done:
  blo_plugin_close(&plugin);
  return status == BLO_OK ? 0 : blo_cmd_fail(comm, status);
}

/** @file `parblo list`: what there is to choose from, with sources. */
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

static void list_problems(void)
{
  blo_int n;
  const blo_problem_type *const *types = blo_problem_types(&n);

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

int blo_cmd_list(blo_comm *comm, int argc, char **argv)
{
  if (argc > 1) {
    return blo_cmd_fail(comm, blo_fail(blo_comm_context(comm), BLO_E_OPTION, __FILE__, __LINE__,
                                       "list takes no arguments, found '%s'", argv[1]));
  }
  if (blo_comm_rank(comm) == BLO_ROOT) {
    list_problems();
    list_solvers();
    list_estimators();
    list_formats();
    printf("\n`parblo help NAME` describes one of them with its options.\n");
  }
  return 0;
}

/* Plugins: that a problem from one runs and has the values of its formulas, that plugin and program
 * share one library, and that every failure on the way is everybody's. The folder of the plugins is
 * in the environment: PLUGINS. */
#include "harness.h"
#include <blo/eval.h>
#include <blo/run.h>
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH = 1024, N_X = 4, N_Y = 9, N_LOWER = 48 };

static void path_of(const char *name, char path[PATH])
{
  const char *folder = getenv("PLUGINS");
  snprintf(path, PATH, "%s/%s.so", folder != NULL ? folder : ".", name);
}

static void the_list_is_the_built_in_ones_and_more(blo_comm *comm)
{
  char path[PATH];
  blo_plugin_file *plugin = NULL;
  blo_int n, n_built_in;
  const blo_problem_type *const *built_in = blo_problem_types(&n_built_in);
  path_of("plugin_quadratic", path);
  BLO_EXPECT_ALL(blo_plugin_problems(NULL, &n) == built_in && n == n_built_in);
  BLO_REQUIRE_STATUS(blo_plugin_open(comm, path, &plugin), BLO_OK);
  const blo_problem_type *const *all = blo_plugin_problems(plugin, &n);
  BLO_EXPECT_ALL(n == n_built_in + 1 && all[0] == built_in[0]);
  BLO_EXPECT_ALL(strcmp(all[n_built_in]->name, "plugin_quadratic") == 0);
  BLO_EXPECT_ALL(blo_problem_find("plugin_quadratic") == NULL); /* nothing global knows it */
  blo_plugin_close(&plugin);
  BLO_EXPECT_ALL(plugin == NULL);
}

/* Two copies of the library would have two addresses of everything. */
static void there_is_one_library(blo_comm *comm)
{
  char path[PATH];
  const void *(*sees)(void);
  path_of("plugin_quadratic", path);
  (void)comm;
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  BLO_REQUIRE_ALL(library != NULL);
  void *symbol = dlsym(library, "plugin_sees");
  BLO_REQUIRE_ALL(symbol != NULL);
  memcpy(&sees, &symbol, sizeof sees); /* ISO C has no cast for that */
  BLO_EXPECT_ALL(sees() == (const void *)blo_layout_names);
  dlclose(library);
}

static void no_path_is_no_plugin(blo_comm *comm)
{
  blo_plugin_file *plugin = NULL;
  BLO_EXPECT_STATUS(blo_plugin_open(comm, "", &plugin), BLO_OK);
  BLO_EXPECT_ALL(plugin == NULL);
  blo_plugin_close(&plugin);
}

static void refused_ones_leave_nothing(blo_comm *comm)
{
  static const struct {
    const char *name;
    blo_status status;
    const char *says;
  } wrong[] = {{"plugin_wrong1", BLO_E_FORMAT, "no symbol blo_plugin_entry"},
               {"plugin_wrong2", BLO_E_FORMAT, "compiled for ParBLO 0.0.1"},
               {"plugin_wrong3", BLO_E_IO, "symbol_that_is_nowhere"},
               {"plugin_wrong4", BLO_E_OPTION, "'hyper_cleaning'"},
               {"plugin_wrong5", BLO_E_FORMAT, "'wrong' needs"},
               {"plugin_wrong6", BLO_E_OPTION, "its own"},
               {"plugin_wrong7", BLO_E_FORMAT, "other headers"},
               {"plugin_none", BLO_E_IO, "No such file"}};
  for (blo_int i = 0; i < BLO_COUNT_OF(wrong); i++) {
    char path[PATH];
    blo_plugin_file *plugin = NULL;
    path_of(wrong[i].name, path);
    BLO_EXPECT_STATUS(blo_plugin_open(comm, path, &plugin), wrong[i].status);
    BLO_EXPECT_ERROR_HAS(wrong[i].says);
    BLO_EXPECT_ALL(plugin == NULL);
  }
}

/* A rank that cannot open the file: the others must not think that they have a plugin. */
static void one_rank_without_is_all_without(blo_comm *comm)
{
  char path[PATH];
  blo_plugin_file *plugin = NULL;
  bool last = blo_comm_rank(comm) == blo_comm_size(comm) - 1;
  path_of(last ? "plugin_none" : "plugin_quadratic", path);
  BLO_EXPECT_STATUS(blo_plugin_open(comm, path, &plugin), BLO_E_IO);
  BLO_EXPECT_ERROR_HAS("No such file");
  BLO_EXPECT_ALL(plugin == NULL);
}

static blo_status make_setup(blo_comm *comm, void *arg)
{
  const blo_run_request request = {.plugin = arg};
  blo_setup *setup = NULL;
  blo_status status = blo_setup_from_text(
      comm, "test", "problem: {type: plugin_quadratic}\nsolver: {type: aid}\n", &request, &setup);
  blo_setup_destroy(comm, &setup);
  return status;
}

static void every_failure_is_everybodys(blo_comm *comm)
{
  char path[PATH];
  path_of("plugin_quadratic", path);
  BLO_EXPECT_ALL(blo_test_sweep_faults(comm, make_setup, path) > 0);
}

/* y*(x) = B x + weighted mean of c makes grad_y g vanish: found by Newton's one step here, because
 * H = h I: y* = y - grad_y g / h. Then f falls when x goes along -grad F = -(grad_x f - J v). */
static void runs_by_its_own_formulas(blo_comm *comm)
{
  char path[PATH];
  blo_setup *s = NULL;
  blo_report r;
  double first = (double)NAN, last = (double)NAN;
  path_of("plugin_quadratic", path);
  const blo_run_request request = {.plugin = path};
  BLO_REQUIRE_STATUS(blo_setup_from_text(comm, "test",
                                         "problem: {type: plugin_quadratic}\n"
                                         "solver: {type: aid, lower: {steps: 20, step: 0.7},\n"
                                         "  upper: {step: 0.05}}\n",
                                         &request, &s),
                     BLO_OK);
  BLO_EXPECT_ALL(s->problem->n_x == N_X && s->problem->n_y == N_Y);
  BLO_EXPECT_ALL(s->problem->n_lower == N_LOWER && s->problem->params != NULL);
  for (int k = 0; k < 60; k++) {
    s->solver->want_norms = true;
    BLO_REQUIRE_STATUS(blo_solver_step(s->solver, &r), BLO_OK);
    first = k == 0 ? r.f : first;
    last = r.f;
  }
  BLO_EXPECT_MSG(last < 0.9 * first, "f: %g, then %g", first, last);
  BLO_EXPECT_MSG(r.hypergrad_norm < 1e-3, "|grad F| = %g", r.hypergrad_norm);
  BLO_EXPECT_SAME(last);
  blo_setup_destroy(comm, &s);
}

enum { SPLIT = 48, W = 6, B = 3 };

static void read_part(blo_context *ctx, const char *file, const char *path, double *to, blo_int n)
{
  blo_h5 *h5 = NULL;
  BLO_REQUIRE_STATUS(blo_h5_open(ctx, file, "run", &h5), BLO_OK);
  blo_status status = blo_h5_get_array(h5, path, to, n);
  blo_h5_close(&h5);
  BLO_REQUIRE_STATUS(status, BLO_OK);
}

/* The y that the solver alone ends with, cut by hand: task i has W, then b, from 9 i on. */
static void parts_are_the_vectors(blo_comm *comm)
{
  static const char text[] = "problem: {type: plugin_quadratic, split: true}\n"
                             "solver: {type: aid, upper: {step: 0.05}}\n"
                             "run: {iterations: 3, log: error, output: ";
  static double y[SPLIT * N_Y], w[SPLIT * W], b[SPLIT * B];
  char path[PATH], folder[256], file[PATH];
  blo_setup *s = NULL;
  blo_report r;
  blo_run_result result;
  path_of("plugin_quadratic", path);
  blo_test_tmpdir(comm, folder, sizeof folder);
  snprintf(file, sizeof file, "%s/split.yml", folder);
  if (blo_comm_rank(comm) == 0) {
    FILE *f = fopen(file, "w");
    BLO_BUG_IF(f == NULL, "cannot write %s", file);
    fprintf(f, "%s%s}\n", text, folder);
    fclose(f);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  const blo_run_request request = {.file = file, .plugin = path};
  BLO_REQUIRE_STATUS(blo_run_execute(comm, &request, &result), BLO_OK);
  MPI_Barrier(MPI_COMM_WORLD);
  BLO_REQUIRE_STATUS(blo_setup_create(comm, &request, &s), BLO_OK);
  for (int k = 0; k < 3; k++) {
    BLO_REQUIRE_STATUS(blo_solver_step(s->solver, &r), BLO_OK);
  }
  blo_vec_gather(s->solver->y, y);
  blo_setup_destroy(comm, &s);
  read_part(blo_comm_context(comm), result.run_file, "final/y/layer.W", w, SPLIT * W);
  read_part(blo_comm_context(comm), result.run_file, "final/y/layer.b", b, SPLIT * B);
  for (int i = 0; i < SPLIT && blo_comm_rank(comm) == 0; i++) {
    BLO_BUG_IF(y[i * N_Y] == 0, "task %d has not moved", i);
    if (memcmp(w + i * W, y + i * N_Y, W * sizeof *w) != 0 ||
        memcmp(b + i * B, y + i * N_Y + W, B * sizeof *b) != 0) {
      y[0] = (double)NAN;
    }
  }
  BLO_EXPECT_MSG(!isnan(y[0]), "the parts of a task are not its y");
}

static const blo_test tests[] = {
    {"the list is the built-in ones and more", the_list_is_the_built_in_ones_and_more},
    {"there is one library", there_is_one_library},
    {"no path is no plugin", no_path_is_no_plugin},
    {"refused ones leave nothing", refused_ones_leave_nothing},
    {"one rank without is all without", one_rank_without_is_all_without},
    {"every failure is everybody's", every_failure_is_everybodys},
    {"runs by its own formulas", runs_by_its_own_formulas},
    {"parts are the vectors", parts_are_the_vectors},
};
BLO_TEST_MAIN("plugin", tests)

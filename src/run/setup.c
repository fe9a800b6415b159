/** @file From a configuration to problem, evaluator and solver. */
#include "setup.h"
#include <string.h>

enum {
  NAME_CAP = 256,
  SET_CAP = 1200,
  RUN_NAME_MAX = 200 /* file systems allow 255; ".ckpt.<12 digits>.h5.tmp.<process>" follows */
};

static const char *const blocks[] = {"problem", "solver", "run", NULL};

blo_status blo_config_read(blo_comm *comm, const char *path, char **text)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_status status = BLO_OK;

  *text = NULL;
  if (blo_comm_rank(comm) == BLO_ROOT) {
    status = blo_text_read(ctx, path, text);
  }
  BLO_GO(blo_agree_from(comm, BLO_ROOT, status));
  BLO_GO(blo_bcast_text(comm, BLO_ROOT, text));
done:
  if (status != BLO_OK) {
    blo_free(ctx, text);
  }
  return status;
}

static blo_status check_blocks(blo_context *ctx, const blo_conf *conf)
{
  for (blo_int i = 0; i < blo_conf_count(conf); i++) {
    const char *key = blo_conf_key(conf, i), *near = blo_nearest(key, blocks);
    bool known = near != NULL && strcmp(near, key) == 0;
    BLO_CHECK(ctx, known, BLO_E_OPTION,
              "%s: unknown key '%s'; %s%s%sa run file has the maps problem, solver and run",
              blo_conf_where(blo_conf_find(conf, key)), key, near != NULL ? "did you mean '" : "",
              near != NULL ? near : "", near != NULL ? "'? " : "");
  }
  return BLO_OK;
}

/* The file's name without folder and extension. */
static void stem(const char *path, char name[NAME_CAP])
{
  const char *slash = strrchr(path, '/');
  char *dot;

  snprintf(name, NAME_CAP, "%s", slash != NULL ? slash + 1 : path);
  dot = strrchr(name, '.');
  if (dot != NULL && dot != name) {
    *dot = '\0';
  }
}

static blo_status name_run(blo_conf *conf, const char *path)
{
  char name[NAME_CAP], assignment[SET_CAP];
  blo_conf *run;
  const char *given;

  BLO_TRY(blo_conf_need_map(conf, "run", &run));
  given = blo_conf_text(run, "name");
  if (given != NULL && given[0] != '\0') {
    return BLO_OK;
  }
  stem(path, name);
  snprintf(assignment, sizeof assignment, "run.name=%s", name);
  return blo_conf_set(conf, assignment);
}

/* One text from outside the run file. */
static blo_status set_text(blo_context *ctx, blo_conf *conf, const char *key, const char *value)
{
  char assignment[SET_CAP];
  int n = snprintf(assignment, sizeof assignment, "%s=%s", key, value);

  BLO_CHECK(ctx, n < (int)sizeof assignment, BLO_E_OPTION, "the path '%s' is too long", value);
  return blo_conf_set(conf, assignment);
}

static blo_status apply_sets(blo_context *ctx, blo_conf *conf, const blo_config_text *config,
                             const blo_run_request *request)
{
  if (config->output != NULL) {
    BLO_TRY(set_text(ctx, conf, "run.output", config->output));
    BLO_TRY(blo_conf_set(conf, "run.replace=false"));
  }
  if (request->plugin != NULL) {
    BLO_TRY(set_text(ctx, conf, "run.plugin", request->plugin));
  }
  for (blo_int i = 0; i < request->n_set; i++) {
    BLO_TRY(blo_conf_set(conf, request->set[i]));
  }
  return BLO_OK;
}

/* The current folder by its name, so that a path never begins with the slash after it. */
static blo_status name_output(blo_conf *conf)
{
  const blo_conf *run = blo_conf_find(conf, "run");
  const char *given = run != NULL ? blo_conf_text(run, "output") : NULL;

  return given != NULL && given[0] == '\0' ? blo_conf_set(conf, "run.output=.") : BLO_OK;
}

static blo_status open_local(blo_context *ctx, const blo_config_text *config,
                             const blo_run_request *request, blo_setup **out)
{
  blo_setup *s;

  BLO_TRY(blo_alloc(ctx, 1, sizeof *s, out));
  s = *out;
  BLO_TRY(blo_conf_parse(ctx, config->name, config->text, &s->conf));
  BLO_TRY(apply_sets(ctx, s->conf, config, request));
  BLO_TRY(check_blocks(ctx, s->conf));
  BLO_TRY(name_run(s->conf, config->name));
  BLO_TRY(name_output(s->conf));
  BLO_TRY(blo_opt_read(ctx, &blo_run_table, blo_conf_find(s->conf, "run"), NULL, &s->run));
  BLO_CHECK(ctx, strchr(s->run.name, '/') == NULL, BLO_E_OPTION,
            "%s: run.name = '%s' must be a name without '/'; run.output is for the folder",
            blo_conf_where(blo_conf_find(s->conf, "run.name")), s->run.name);
  BLO_CHECK(ctx, strlen(s->run.name) <= RUN_NAME_MAX, BLO_E_OPTION,
            "%s: run.name has %zu bytes, more than %d: file names could not be made of it",
            blo_conf_where(blo_conf_find(s->conf, "run.name")), strlen(s->run.name), RUN_NAME_MAX);
  return BLO_OK;
}

blo_status blo_setup_open(blo_comm *comm, const blo_config_text *config,
                          const blo_run_request *request, blo_setup **out)
{
  blo_status status = BLO_OK;
  blo_setup *s = NULL;

  BLO_GO_ALL(comm, open_local(blo_comm_context(comm), config, request, &s));
  BLO_GO(blo_plugin_open(comm, s->run.plugin, &s->plugin));
  if (s->plugin == NULL && request->own != NULL) {
    BLO_GO(blo_plugin_adopt(comm, request->own, &s->plugin));
  }
  *out = s;
  s = NULL;
done:
  blo_setup_destroy(comm, &s);
  return status;
}

blo_status blo_setup_build(blo_comm *comm, blo_setup *s)
{
  blo_context *ctx = blo_comm_context(comm);
  const blo_problem_type *problem = NULL;
  const blo_solver_type *solver = NULL;

  /* both, so that a mistyped method is found before the data are read */
  BLO_TRY_ALL(comm, blo_config_problem(ctx, s->conf, s->plugin, &problem));
  BLO_TRY_ALL(comm, blo_config_solver(ctx, s->conf, &solver));
  BLO_TRY(blo_problem_create(comm, problem, blo_conf_find(s->conf, "problem"), &s->problem));
  BLO_TRY(blo_eval_create(s->problem, (blo_reduction)s->run.reduction, &s->eval));
  return blo_solver_create(s->eval, solver, blo_conf_find(s->conf, "solver"), (uint64_t)s->run.seed,
                           &s->solver);
}

blo_status blo_setup_resolved(blo_context *ctx, blo_setup *s, char **text)
{
  const blo_opt_table *problem = s->problem->type->options;

  if (problem != NULL) {
    BLO_TRY(blo_opt_record(ctx, problem, s->problem->options, blo_conf_find(s->conf, "problem")));
  }
  BLO_TRY(blo_opt_record(ctx, s->solver->type->options, s->solver->options,
                         blo_conf_find(s->conf, "solver")));
  BLO_TRY(blo_opt_record(ctx, &blo_run_table, &s->run, blo_conf_find(s->conf, "run")));
  return blo_conf_print(s->conf, text);
}

blo_status blo_setup_from_text(blo_comm *comm, const char *name, const char *text,
                               const blo_run_request *request, blo_setup **out)
{
  blo_config_text config = {.name = name, .text = text};
  blo_status status = BLO_OK;
  blo_setup *s = NULL;

  BLO_GO(blo_setup_open(comm, &config, request, &s));
  BLO_GO(blo_setup_build(comm, s));
  *out = s;
  s = NULL;
done:
  blo_setup_destroy(comm, &s);
  return status;
}

blo_status blo_setup_create(blo_comm *comm, const blo_run_request *request, blo_setup **out)
{
  char *text = NULL;
  blo_status status = blo_config_read(comm, request->file, &text);

  if (status == BLO_OK) {
    status = blo_setup_from_text(comm, request->file, text, request, out);
  }
  blo_free(blo_comm_context(comm), &text);
  return status;
}

void blo_setup_destroy(blo_comm *comm, blo_setup **setup)
{
  blo_setup *s = *setup;

  if (s != NULL) {
    blo_solver_destroy(&s->solver);
    blo_eval_destroy(&s->eval);
    blo_problem_destroy(&s->problem);
    blo_conf_destroy(&s->conf);
    blo_plugin_close(&s->plugin); /* the problem's code: after all that was made by it */
    blo_free(blo_comm_context(comm), setup);
  }
}

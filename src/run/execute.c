/** @file From a request to a run: configuration, output folder, set-up, loop. */
#include "dry_run.h"
#include "driver.h"
#include "interrupt.h"
#include "setup.h"
#include <string.h>

/* A run on its way to the start. */
typedef struct launch {
  blo_comm *comm;
  blo_context *ctx;
  const blo_run_request *request;
  char *text; /* the configuration as read */
  char *given, *resolved;
  char from[BLO_PATH_CAP]; /* the checkpoint to resume from */
  blo_setup *setup;
  blo_folder folder; /* on the root */
  bool in_place;     /* on the root: resumed where its checkpoint stands, under its name */
  bool started;
} launch;

static bool is_root(const launch *l)
{
  return blo_comm_rank(l->comm) == BLO_ROOT;
}

static blo_status open_new(launch *l)
{
  blo_config_text config = {.name = l->request->file};

  BLO_TRY(blo_config_read(l->comm, l->request->file, &l->text));
  config.text = l->text;
  return blo_setup_open(l->comm, &config, l->request, &l->setup);
}

static void folder_of(const char *path, char folder[BLO_PATH_CAP])
{
  const char *slash = strrchr(path, '/');
  int n = slash == NULL ? 0 : (int)(slash - path);

  if (slash == NULL) {
    snprintf(folder, BLO_PATH_CAP, ".");
  } else {
    snprintf(folder, BLO_PATH_CAP, "%.*s", n > 0 ? n : 1, path);
  }
}

/* A resumed run writes beside its checkpoint. */
static blo_status open_resumed(launch *l)
{
  char folder[BLO_PATH_CAP];
  blo_config_text config = {.name = l->from, .output = folder};

  BLO_TRY(blo_checkpoint_find(l->comm, l->request->resume, l->from, sizeof l->from, &l->text));
  folder_of(l->from, folder);
  config.text = l->text;
  BLO_TRY(blo_setup_open(l->comm, &config, l->request, &l->setup));
  return blo_resume_check(l->comm, l->setup, &config);
}

static bool is_in_place(const launch *l)
{
  const blo_run_options *o = &l->setup->run;
  const char *slash = strrchr(l->from, '/');
  char folder[BLO_PATH_CAP];

  folder_of(l->from, folder);
  return l->request->resume != NULL && blo_folder_same(folder, o->output) &&
         blo_run_owns(slash != NULL ? slash + 1 : l->from, o->name);
}

static blo_status prepare_folder_local(launch *l)
{
  const blo_run_options *o = &l->setup->run;
  char path[BLO_PATH_CAP];

  BLO_TRY(blo_run_path(l->ctx, o->output, o->name, path));
  BLO_TRY(blo_folder_make(l->ctx, o->output, &l->folder));
  l->in_place = is_in_place(l);
  if (l->in_place || o->replace) {
    return BLO_OK;
  }
  return blo_earlier_check(l->ctx, o->output, o->name);
}

/* Before the data are read, which may take long. */
static blo_status prepare_folder(launch *l)
{
  return blo_agree_from(l->comm, BLO_ROOT, is_root(l) ? prepare_folder_local(l) : BLO_OK);
}

/* From here on a rank that needs more fails, before it has taken it. */
static void limit_memory(launch *l)
{
  double bytes = l->setup->run.memory_limit * 0x1p30;

  blo_memory_limit(l->ctx, bytes < 0x1p62 ? (blo_int)bytes : 0);
}

static size_t add_comment(char *text, size_t size, size_t used, const char *key, const char *value)
{
  bool line_open = used > 0 && text[used - 1] != '\n';

  return used + (size_t)snprintf(text + used, size - used, "%s# --set %s%s", line_open ? "\n" : "",
                                 key, value);
}

/* The configuration as given, with the --set values as comments, for the run file. */
static blo_status compose_given(launch *l)
{
  static const char plugin[] = "run.plugin=";
  const blo_run_request *r = l->request;
  size_t line = sizeof "\n# --set ", size = strlen(l->text) + 1, used;

  size += r->plugin != NULL ? strlen(r->plugin) + sizeof plugin + line : 0;
  for (blo_int i = 0; i < r->n_set; i++) {
    size += strlen(r->set[i]) + line;
  }
  BLO_TRY(blo_alloc(l->ctx, (blo_int)size, 1, &l->given));
  used = (size_t)snprintf(l->given, size, "%s", l->text);
  if (r->plugin != NULL) {
    used = add_comment(l->given, size, used, plugin, r->plugin);
  }
  for (blo_int i = 0; i < r->n_set; i++) {
    used = add_comment(l->given, size, used, "", r->set[i]);
  }
  return BLO_OK;
}

static blo_status finish_setup_local(launch *l)
{
  BLO_TRY(compose_given(l));
  return blo_setup_resolved(l->ctx, l->setup, &l->resolved);
}

static blo_status remove_earlier_local(launch *l)
{
  const blo_run_options *o = &l->setup->run;

  BLO_TRY(blo_leftovers_remove(l->ctx, o->output, o->name));
  return l->in_place ? BLO_OK : blo_earlier_remove(l->ctx, o->output, o->name);
}

static blo_status remove_earlier(launch *l)
{
  return blo_agree_from(l->comm, BLO_ROOT, is_root(l) ? remove_earlier_local(l) : BLO_OK);
}

static blo_status drive(launch *l, blo_run_result *result)
{
  blo_status status;
  blo_driver d;

  BLO_GO(blo_driver_init(&d, l->comm, l->setup, l->given, l->resolved, result));
  if (l->request->resume != NULL) {
    BLO_GO(blo_driver_load(&d, l->from));
  }
  BLO_GO(blo_driver_start(&d));
  l->started = true;
  BLO_GO(remove_earlier(l)); /* not before the new run has written its first file */
  snprintf(result->run_file, sizeof result->run_file, "%s/%s.h5", d.options->output,
           d.options->name);
  BLO_GO(blo_driver_run(&d));
done:
  blo_driver_clear(&d);
  return status;
}

/* A signal while the data were read: there is nothing to save yet, and nothing has been replaced.
 */
static bool is_stopped(launch *l, blo_run_result *result)
{
  if (blo_max_all(l->comm, blo_run_interrupted() ? 1 : 0) == 0) {
    return false;
  }
  result->outcome = BLO_OUTCOME_SIGNAL;
  blo_log(
      l->ctx, BLO_LOG_RESULT, "run",
      "stopped by a signal before the first iteration; nothing was written: to run it, give the "
      "same command again");
  return true;
}

static blo_status execute(launch *l, blo_run_result *result)
{
  BLO_TRY(l->request->resume != NULL ? open_resumed(l) : open_new(l));
  blo_log_setup(l->ctx, blo_comm_rank(l->comm), (blo_log_level)l->setup->run.log);
  limit_memory(l);
  if (!l->request->dry_run) {
    BLO_TRY(prepare_folder(l));
  }
  BLO_TRY(blo_setup_build(l->comm, l->setup));
  BLO_TRY_ALL(l->comm, finish_setup_local(l));
  if (is_stopped(l, result)) {
    return BLO_OK;
  }
  if (l->request->dry_run) {
    blo_dry_run_print(l->comm, l->setup, l->resolved);
    return BLO_OK;
  }
  return drive(l, result);
}

blo_status blo_run_execute(blo_comm *comm, const blo_run_request *request, blo_run_result *result)
{
  launch l = {.comm = comm, .ctx = blo_comm_context(comm), .request = request};
  blo_status status;

  *result = (blo_run_result){.outcome = BLO_OUTCOME_RUNNING};
  status = execute(&l, result);
  blo_memory_limit(l.ctx, 0);
  if (!l.started) {
    blo_folder_unmake(&l.folder);
  }
  blo_setup_destroy(comm, &l.setup);
  blo_free(l.ctx, &l.text);
  blo_free(l.ctx, &l.given);
  blo_free(l.ctx, &l.resolved);
  blo_run_interrupt_forget();
  return status;
}

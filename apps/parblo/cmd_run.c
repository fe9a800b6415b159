/** @file `parblo run` and `parblo resume`: arguments, signals, exit code. */
#include "arguments.h"
#include "commands.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* The arguments of both commands. */
typedef struct arguments {
  const char *what; /* run file; checkpoint or folder */
  const char **set; /* [argc] */
  blo_int n_set;
  const char *plugin; /* NULL: not given */
  bool dry_run;
} arguments;

static blo_status read_switches(blo_context *ctx, int argc, char **argv, arguments *a)
{
  static const struct option switches[] = {{"set", required_argument, NULL, 's'},
                                           {"plugin", required_argument, NULL, 'p'},
                                           {"dry-run", no_argument, NULL, 'n'},
                                           {NULL, 0, NULL, 0}};
  int option;

  blo_arguments_start();
  BLO_TRY(blo_arguments_next(ctx, argc, argv, ":s:n", switches, &option));
  while (option != -1) {
    if (option == 's') {
      a->set[a->n_set++] = optarg;
    } else if (option == 'p') {
      a->plugin = optarg;
    } else {
      a->dry_run = true;
    }
    BLO_TRY(blo_arguments_next(ctx, argc, argv, ":s:n", switches, &option));
  }
  return BLO_OK;
}

static blo_status read_arguments(blo_context *ctx, int argc, char **argv, arguments *a)
{
  BLO_TRY(blo_alloc(ctx, argc, sizeof *a->set, &a->set));
  BLO_TRY(read_switches(ctx, argc, argv, a));
  BLO_CHECK(ctx, optind == argc - 1, BLO_E_OPTION, "`parblo %s` needs one %s, %d were given",
            argv[0], strcmp(argv[0], "run") == 0 ? "run file" : "checkpoint or folder",
            argc - optind);
  a->what = argv[optind];
  return BLO_OK;
}

static void interrupt(int signal_number)
{
  (void)signal_number;
  blo_run_interrupt();
}

/* A second Ctrl-C ends the program at once. */
static void catch_signals(void)
{
  struct sigaction action = {.sa_handler = interrupt, .sa_flags = SA_RESTART};

  sigemptyset(&action.sa_mask);
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGUSR1, &action, NULL);
  action.sa_flags = (int)(SA_RESTART | SA_RESETHAND);
  sigaction(SIGINT, &action, NULL);
}

static int execute(blo_comm *comm, int argc, char **argv, bool resume)
{
  blo_context *ctx = blo_comm_context(comm);
  arguments a = {.what = NULL};
  blo_run_result result = {.outcome = BLO_OUTCOME_RUNNING};
  blo_status status = blo_agree(comm, read_arguments(ctx, argc, argv, &a));

  if (status == BLO_OK) {
    blo_run_request request = {
        .file = a.what, .set = a.set, .n_set = a.n_set, .plugin = a.plugin, .dry_run = a.dry_run};
    request.resume = resume ? a.what : NULL;
    catch_signals();
    status = blo_run_execute(comm, &request, &result);
  }
  blo_free(ctx, &a.set);
  return status == BLO_OK ? blo_outcome_exit_code(result.outcome) : blo_cmd_fail(comm, status);
}

int blo_cmd_run(blo_comm *comm, int argc, char **argv)
{
  return execute(comm, argc, argv, false);
}

int blo_cmd_resume(blo_comm *comm, int argc, char **argv)
{
  return execute(comm, argc, argv, true);
}

/** @file The program `parblo`: MPI, context and communicator around one command. */
#include "commands.h"
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __linux__
#include <signal.h>
#include <sys/prctl.h>
#endif

#define COMMAND_ROW(name, arguments, help) {#name, arguments, help, blo_cmd_##name},
const blo_command blo_commands[] = {BLO_COMMAND_LIST(COMMAND_ROW){NULL, NULL, NULL, NULL}};
#undef COMMAND_ROW

int blo_cmd_fail(blo_comm *comm, blo_status status)
{
  blo_context *ctx = blo_comm_context(comm);

  if (blo_comm_rank(comm) == BLO_ROOT) {
    fprintf(stderr, "parblo: error: %s\n", blo_error_text(ctx));
    if (blo_log_on(ctx, BLO_LOG_DETAIL)) {
      fprintf(stderr, "parblo: at %s: %s\n", blo_error_site(ctx), blo_status_text(status));
    }
  }
  return blo_status_exit_code(status);
}

/* Names that are not in the table: the usual switches. */
static const char *command_of(const char *word)
{
  bool asks = strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;

  return asks ? "help" : word;
}

static int refuse(blo_comm *comm, const char *word)
{
  const char *names[BLO_COUNT_OF(blo_commands)], *near;

  for (blo_int i = 0; i < BLO_COUNT_OF(blo_commands); i++) {
    names[i] = blo_commands[i].name;
  }
  near = blo_nearest(word, names);
  return blo_cmd_fail(comm, blo_fail(blo_comm_context(comm), BLO_E_OPTION, __FILE__, __LINE__,
                                     "unknown command '%s'; %s%s%ssee `parblo help`", word,
                                     near != NULL ? "did you mean '" : "", near != NULL ? near : "",
                                     near != NULL ? "'? " : ""));
}

static int dispatch(blo_comm *comm, int argc, char **argv)
{
  char *just_help[] = {"help", NULL};
  const char *word = argc > 1 ? command_of(argv[1]) : "help";

  if (strcmp(word, "--version") == 0) {
    if (blo_comm_rank(comm) == BLO_ROOT) {
      printf("parblo %s\n", BLO_VERSION);
    }
    return 0;
  }
  for (const blo_command *c = blo_commands; c->name != NULL; c++) {
    if (strcmp(c->name, word) == 0) {
      return argc > 1 ? c->call(comm, argc - 1, argv + 1) : c->call(comm, 1, just_help);
    }
  }
  return refuse(comm, word);
}

/* What was printed may not have arrived: a full disk shows only when the buffer is written. */
static blo_status flush_local(blo_context *ctx)
{
  bool failed = fflush(stdout) != 0;

  BLO_CHECK(ctx, !failed && !ferror(stdout), BLO_E_IO,
            "cannot write to the standard output; what was printed is not complete");
  return BLO_OK;
}

/* The exit code, of the command or of its output. */
static int close_output(blo_comm *comm, int code)
{
  bool is_root = blo_comm_rank(comm) == BLO_ROOT;
  blo_status status =
      blo_agree_from(comm, BLO_ROOT, is_root ? flush_local(blo_comm_context(comm)) : BLO_OK);

  return status == BLO_OK ? code : blo_cmd_fail(comm, status);
}

/* Launchers tell their ranks so in the environment: Open MPI, PMIx, and PMI of MPICH and Slurm. */
static bool is_launched(void)
{
  static const char *const marks[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE"};

  for (blo_int i = 0; i < BLO_COUNT_OF(marks); i++) {
    if (getenv(marks[i]) != NULL) {
      return true;
    }
  }
  return false;
}

/* When the launcher is killed outright, its ranks would run on for ever: let the kernel tell them.
 * A program started from a shell outlives it, as every other one does. */
static void end_with_launcher(void)
{
#ifdef __linux__
  if (is_launched()) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
  }
#endif
}

/* After reading a damaged file, and when a disk is full, HDF5 cannot close all it has opened, and
 * prints that as the program ends. What is wrong has then been said in one line of our own. */
static void silence_hdf5(void)
{
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

int main(int argc, char **argv)
{
  blo_context *ctx = NULL;
  blo_comm *comm = NULL;
  int threads, rank, code = blo_status_exit_code(BLO_E_MEMORY);

  end_with_launcher();
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &threads);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  silence_hdf5();
  BLO_BUG_IF(blo_context_create(&ctx) != BLO_OK, "no memory for a context");
  blo_log_setup(ctx, rank, BLO_LOG_RESULT);
  if (blo_comm_create(ctx, MPI_COMM_WORLD, &comm) == BLO_OK) {
    code = close_output(comm, dispatch(comm, argc, argv));
  }
  blo_comm_destroy(&comm);
  blo_context_destroy(&ctx);
  MPI_Finalize();
  return code;
}

/**
 * @file
 * The commands of `parblo`: one table, from which main.c dispatches and `parblo help` prints.
 *
 * A command is called by all ranks with its own arguments: argv[0] is its name, argv[1] its first
 * argument, so that getopt_long() works as in a main program. It returns the exit code of the
 * program, the same on every rank, and has printed its error by then (blo_cmd_fail()).
 */
#ifndef BLO_COMMANDS_H
#define BLO_COMMANDS_H

#include <blo/blo.h>

/** Name, arguments, one line of help; `parblo <name>` calls blo_cmd_<name>(). */
#define BLO_COMMAND_LIST(X)                                                                        \
  X(run, "RUNFILE [--set KEY=VALUE]... [--plugin LIBRARY] [--dry-run]",                            \
    "optimize what a run file describes")                                                          \
  X(resume, "CHECKPOINT|FOLDER [--set KEY=VALUE]... [--plugin LIBRARY] [--dry-run]",               \
    "continue a run")                                                                              \
  X(check,                                                                                         \
    "RUNFILE [--set KEY=VALUE]... [--plugin LIBRARY] [--samples N] [--dense] [--dense-max Q]",     \
    "verify the derivatives of a problem")                                                         \
  X(certify,                                                                                       \
    "RUN.h5|CHECKPOINT [--epsilon E] [--gamma C] [--steps N] [--seed S] [--set KEY=VALUE]... "     \
    "[--plugin LIBRARY]",                                                                          \
    "tell a minimum from a saddle where a run ended")                                              \
  X(convert, "FILES... -o DATA.h5", "convert a data set to ParBLO's HDF5 layout")                  \
  X(info, "FILE.h5...", "describe and verify a run file, a checkpoint or a data set")              \
  X(history, "RUN.h5 [--columns COLUMN,...] [--last]", "print the history of a run as a table")    \
  X(plot, "RUN.h5... -o PICTURE [--metrics COLUMN,...]", "draw the histories of runs")             \
  X(list, "[--plugin LIBRARY]", "list problems, methods, adjoint estimators and data formats")     \
  X(help, "[BLOCK | COMMAND | --markdown] [--plugin LIBRARY]",                                     \
    "describe the options of a problem, a method, an estimator, or of a command")

#define BLO_COMMAND_DECLARE(name, arguments, help)                                                 \
  int blo_cmd_##name(blo_comm *comm, int argc, char **argv);
BLO_COMMAND_LIST(BLO_COMMAND_DECLARE)
#undef BLO_COMMAND_DECLARE

typedef struct blo_command {
  const char *name, *arguments, *help;
  int (*call)(blo_comm *comm, int argc, char **argv); /**< Collective */
} blo_command;

/** The table, ended by a row whose name is NULL. */
extern const blo_command blo_commands[];

/**
 * Print the context's error as `parblo: error: <text>` on rank 0, at log level detail with its site
 * in the source. Call: Local, on all ranks.
 * @return the exit code of `status`
 */
int blo_cmd_fail(blo_comm *comm, blo_status status);

#endif

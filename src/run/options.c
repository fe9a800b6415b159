/** @file The options of the block `run`. */
#include <blo/run.h>

static const char *const reduction_names[] = {"reproducible", "fast", NULL};
static const char *const log_names[] = {"error", "result", "step", "detail", "debug", NULL};

#define T blo_run_options
static const blo_opt_row rows[] = {
    BLO_OPT(T, iterations, "100", 1, BLO_INF, "iterations",
            "Outer iterations in all, those before a restart included.", "", BLO_OPT_RESUME_FREE),
    BLO_OPT(T, seed, "1", 0, BLO_INF, "-", "Seed of everything that the method draws.", "", 0),
    BLO_OPT_PLAIN(T, name, "",
                  "Name of the run file and the checkpoints; not given: that of the YAML file.",
                  BLO_OPT_RESUME_FREE),
    BLO_OPT_PLAIN(T, output, ".",
                  "Folder for the run file and the checkpoints, made if missing; a relative path "
                  "counts from the current folder.",
                  BLO_OPT_RESUME_FREE),
    BLO_OPT_PLAIN(T, plugin, "",
                  "Shared library with more problems, opened on every rank; not given: none.",
                  BLO_OPT_RESUME_FREE | BLO_OPT_PATH),
    BLO_OPT(T, record_every, "1", 1, BLO_INF, "iterations",
            "Iterations from row to row of the history.", "", BLO_OPT_RESUME_FREE),
    BLO_OPT(T, metrics_every, "10", 1, BLO_INF, "iterations",
            "Iterations between evaluations of the task metrics; they are also evaluated at the "
            "start and at the last iteration.",
            "", BLO_OPT_RESUME_FREE),
    BLO_OPT(
        T, checkpoint_every, "0", 0, BLO_INF, "iterations",
        "Iterations between checkpoints; 0: only at the end, at a signal and at the time limit.",
        "", BLO_OPT_RESUME_FREE),
    BLO_OPT(T, checkpoint_keep, "2", 1, BLO_INF, "checkpoints", "The newest so many are kept.", "",
            BLO_OPT_RESUME_FREE),
    BLO_OPT(T, flush_every, "30", 0, BLO_INF, "s",
            "Seconds between rewrites of the run file; stretched so that they take at most 5 % of "
            "the time.",
            "", BLO_OPT_RESUME_FREE),
    BLO_OPT(T, time_limit, "inf", 0, BLO_INF, "s",
            "Stop, with a checkpoint, before the loop has taken so long; reading data is not "
            "counted, and a resumed run counts anew.",
            "", BLO_OPT_RESUME_FREE | BLO_OPT_OPEN_LOW),
    BLO_OPT(T, tol, "0", 0, BLO_INF, "-",
            "Stop when the norm of the hypergradient estimate is at most this, and of methods that "
            "move y or an adjoint by single steps their residuals too; 0: never.",
            "", BLO_OPT_RESUME_FREE),
    BLO_OPT(T, memory_limit, "inf", 0, BLO_INF, "GiB",
            "Refuse to start if a rank needs more memory.", "",
            BLO_OPT_RESUME_FREE | BLO_OPT_OPEN_LOW),
    BLO_OPT_NAMES(
        T, reduction, "reproducible", reduction_names,
        "Order of sums over ranks: the same bits on any number of ranks, or the order that "
        "MPI finds fastest.",
        "", 0),
    BLO_OPT_NAMES(T, log, "step", log_names, "How much is printed.", "", BLO_OPT_RESUME_FREE),
    BLO_OPT_PLAIN(T, rescue, "true",
                  "Keep a copy of the state after the last recorded iteration in memory, so that a "
                  "run that diverges ends with a checkpoint of it.",
                  BLO_OPT_RESUME_FREE),
    BLO_OPT_PLAIN(T, replace, "false",
                  "Let a new run replace an unfinished one of the same name and folder.",
                  BLO_OPT_RESUME_FREE),
};
#undef T

const blo_opt_table blo_run_table = {
    .name = "run",
    .help = "Budget, stopping, output and checkpoints.",
    .size = sizeof(blo_run_options),
    .rows = rows,
    .n_rows = BLO_COUNT_OF(rows),
};

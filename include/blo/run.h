/**
 * @file
 * run: the driver. It owns the outer loop: budget, stopping, signals, time limit, monitors, the run
 * file and checkpoints.
 */
#ifndef BLO_RUN_H
#define BLO_RUN_H

#include <blo/checkpoint.h>
#include <blo/plugin.h>
#include <blo/solver.h>

/** The block `run` of a run file. */
typedef struct blo_run_options {
  blo_int iterations; /**< outer iterations in all */
  blo_int seed;
  const char *name;      /**< of the run file and the checkpoints; "" = the run file's own name */
  const char *output;    /**< folder for them, made if missing */
  const char *plugin;    /**< shared library with more problems; "" = none */
  blo_int record_every;  /**< iterations between rows of the history */
  blo_int metrics_every; /**< iterations between evaluations of the task metrics */
  blo_int checkpoint_every; /**< 0: only at the end, at a signal or at the time limit */
  blo_int checkpoint_keep;
  double flush_every;  /**< seconds between rewrites of the run file */
  double time_limit;   /**< seconds, inf = none */
  double tol;          /**< stop when the hypergradient norm is at most tol; 0 = never */
  double memory_limit; /**< GiB per rank, inf = none */
  int reduction;       /**< blo_reduction */
  int log;             /**< blo_log_level */
  bool rescue;         /**< keep a copy of the last recorded state for when the run diverges */
  bool replace;        /**< start anew over an unfinished run of this name */
} blo_run_options;
BLO_API extern const blo_opt_table blo_run_table;

/** How a run ended. */
typedef struct blo_run_result {
  blo_outcome outcome;
  blo_int iterations; /**< done in all */
  double seconds;     /**< wall time of the loop, earlier parts of a resumed run included */
  char run_file[1024], checkpoint[1024]; /**< paths; "" if there is none */
  char reason[BLO_MESSAGE_MAX];          /**< for outcomes that need one */
} blo_run_result;

/** What to do with a run file. */
typedef struct blo_run_request {
  const char *file;       /**< path of the run file (or of the checkpoint's run, for messages) */
  const char *const *set; /**< [n_set] "key=value" */
  blo_int n_set;
  const char *plugin;    /**< takes the place of run.plugin, as if it were the first of `set`; NULL:
                            it is what the run file or the checkpoint says */
  const blo_plugin *own; /**< problems of the calling program, for when run.plugin is ""; or NULL */
  const char *resume;    /**< checkpoint or folder; NULL: a new run from `file` */
  bool dry_run;          /**< print the pipeline, the cost and the memory, and stop */
} blo_run_request;

/**
 * Run or resume an optimization.
 *
 * Call  Collective on all ranks of comm.
 * @return BLO_OK, and how it ended in `result`; else the error, agreed, nothing left behind
 */
BLO_API BLO_MUST_USE blo_status blo_run_execute(blo_comm *comm, const blo_run_request *request,
                                                blo_run_result *result);

/** Ask the running driver, from a signal handler or another thread, to checkpoint and stop. The
 *  only process-wide flag of the library, because signals have no other address. Call: Local. */
BLO_API void blo_run_interrupt(void);

/** A configuration, and the blocks that it describes: for commands other than `run`. */
typedef struct blo_setup {
  blo_conf *conf;
  blo_run_options run;
  blo_plugin_file *plugin; /**< NULL: none */
  blo_problem *problem;
  blo_eval *eval;
  blo_solver *solver;
} blo_setup;

/** Read a run file on the root, share it, and make problem, evaluator and solver. Texts of the
 *  options stay valid until blo_setup_destroy(). Call: Collective. */
BLO_API BLO_MUST_USE blo_status blo_setup_create(blo_comm *comm, const blo_run_request *request,
                                                 blo_setup **out);
/** The same from configuration text, e.g. of a checkpoint. Call: Collective. */
BLO_API BLO_MUST_USE blo_status blo_setup_from_text(blo_comm *comm, const char *name,
                                                    const char *text,
                                                    const blo_run_request *request,
                                                    blo_setup **out);
BLO_API void blo_setup_destroy(blo_comm *comm, blo_setup **setup);

#endif

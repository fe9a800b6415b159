/**
 * @file
 * The two halves of blo_setup_create(), between which the driver looks at the output folder, and
 * what goes with a configuration.
 */
#ifndef BLO_RUN_SETUP_H
#define BLO_RUN_SETUP_H

#include <blo/run.h>

/** Where a configuration comes from. */
typedef struct blo_config_text {
  const char *name; /**< of the file, for messages and for the run's default name */
  const char *text;
  const char *output; /**< of a recorded configuration: takes the place of run.output, as false does
                         of run.replace, unless --set gives one; NULL: it is a new one */
} blo_config_text;

/** The root's text of a file, on all ranks. Call: Collective. @param[out] text free with blo_free
 */
BLO_MUST_USE blo_status blo_config_read(blo_comm *comm, const char *path, char **text);
/** First half: parse, apply --set, read the block `run`, open the plugin. Call: Collective. */
BLO_MUST_USE blo_status blo_setup_open(blo_comm *comm, const blo_config_text *config,
                                       const blo_run_request *request, blo_setup **out);
/** Second half: problem, evaluator, solver. Call: Collective. */
BLO_MUST_USE blo_status blo_setup_build(blo_comm *comm, blo_setup *setup);
/** The configuration with everything that was used, defaults included. Call: Local, after
 *  blo_setup_build(). @param[out] text free with blo_free */
BLO_MUST_USE blo_status blo_setup_resolved(blo_context *ctx, blo_setup *setup, char **text);

/** The types that the maps `problem` and `solver` name; `plugin` NULL: built-in problems only.
 *  Call: Local. @return BLO_OK; BLO_E_OPTION */
BLO_MUST_USE blo_status blo_config_problem(blo_context *ctx, const blo_conf *conf,
                                           const blo_plugin_file *plugin,
                                           const blo_problem_type **out);
BLO_MUST_USE blo_status blo_config_solver(blo_context *ctx, const blo_conf *conf,
                                          const blo_solver_type **out);
/** The key of the maps `problem` and `solver` that no option table knows: "type", NULL. */
extern const char *const blo_config_type_keys[];

/**
 * Refuse what --set must not change in a run that is resumed: all but budgets, output and the like,
 * and paths (the fingerprint of the data tells whether they lead to the same).
 *
 * Call  Collective. @return BLO_OK; BLO_E_MISMATCH naming option and both values; BLO_E_OPTION
 */
BLO_MUST_USE blo_status blo_resume_check(blo_comm *comm, const blo_setup *now,
                                         const blo_config_text *recorded);

#endif

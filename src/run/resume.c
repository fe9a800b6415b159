/** @file What may change when a run is resumed. */
#include "setup.h"
#include <string.h>

/* Let paths compare as equal: a data set may have moved, its fingerprint is checked at loading. */
static void forget_paths(const blo_opt_table *table, void *was, const void *now)
{
  for (blo_int i = 0; i < table->n_rows; i++) {
    const blo_opt_row *row = &table->rows[i];
    if ((row->flags & BLO_OPT_PATH) != 0) {
      memcpy((char *)was + row->offset, (const char *)now + row->offset, row->size);
    }
  }
  for (blo_int i = 0; i < table->n_subs; i++) {
    const blo_opt_sub *sub = &table->subs[i];
    forget_paths(sub->table, (char *)was + sub->offset, (const char *)now + sub->offset);
  }
}

static blo_status compare_block(blo_context *ctx, const blo_opt_table *table, const char *block,
                                const blo_conf *was, const blo_conf *now)
{
  blo_status status = BLO_OK;
  void *old = NULL, *new = NULL;

  if (table == NULL) {
    return BLO_OK; /* a problem without options */
  }
  BLO_GO(blo_alloc(ctx, 1, table->size, &old));
  BLO_GO(blo_alloc(ctx, 1, table->size, &new));
  BLO_GO(blo_opt_read(ctx, table, blo_conf_find(was, block), blo_config_type_keys, old));
  BLO_GO(blo_opt_read(ctx, table, blo_conf_find(now, block), blo_config_type_keys, new));
  forget_paths(table, old, new);
  BLO_GO(blo_opt_same(ctx, table, block, old, new));
done:
  blo_free(ctx, &old);
  blo_free(ctx, &new);
  return status;
}

static blo_status compare_type(blo_context *ctx, const char *block, const char *was,
                               const char *now)
{
  BLO_CHECK(ctx, strcmp(was, now) == 0, BLO_E_MISMATCH,
            "%s.type was '%s' and is now '%s'; it must not change when a run is resumed", block,
            was, now);
  return BLO_OK;
}

static blo_status compare(blo_context *ctx, const blo_conf *was, const blo_setup *setup)
{
  const blo_conf *now = setup->conf;
  const blo_problem_type *problem_was, *problem_now;
  const blo_solver_type *solver_was, *solver_now;

  BLO_TRY(blo_config_problem(ctx, was, setup->plugin, &problem_was));
  BLO_TRY(blo_config_problem(ctx, now, setup->plugin, &problem_now));
  BLO_TRY(compare_type(ctx, "problem", problem_was->name, problem_now->name));
  BLO_TRY(blo_config_solver(ctx, was, &solver_was));
  BLO_TRY(blo_config_solver(ctx, now, &solver_now));
  BLO_TRY(compare_type(ctx, "solver", solver_was->name, solver_now->name));
  BLO_TRY(compare_block(ctx, problem_now->options, "problem", was, now));
  BLO_TRY(compare_block(ctx, solver_now->options, "solver", was, now));
  return compare_block(ctx, &blo_run_table, "run", was, now);
}

blo_status blo_resume_check(blo_comm *comm, const blo_setup *now, const blo_config_text *recorded)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_conf *was = NULL;
  blo_status status = blo_conf_parse(ctx, recorded->name, recorded->text, &was);

  if (status == BLO_OK) {
    status = compare(ctx, was, now);
  }
  blo_conf_destroy(&was);
  return blo_agree(comm, status);
}

/**
 * @file
 * The record of what was used, and the comparison of two records at resume.
 */
#include "table.h"

#include <string.h>

static blo_status record_row(const blo_opt_row *row, const void *in, blo_conf *node)
{
  char number[BLO_OPT_NUMBER_CAP];
  blo_conf *child = NULL;
  const char *value = blo_opt_value(row, in, number);
  BLO_TRY(blo_conf_child(node, row->key, blo_conf_name(node), &child));
  if (child->text && strcmp(child->text, value) == 0) {
    return BLO_OK; /* texts in the struct may point here */
  }
  return blo_conf_put_text(child, child->where, value);
}

blo_status blo_opt_record(blo_context *ctx, const blo_opt_table *table, const void *in,
                          blo_conf *node)
{
  BLO_TRY(blo_conf_become_map(node, blo_conf_name(node)));
  for (blo_int i = 0; i < table->n_rows; i++) {
    BLO_TRY(record_row(&table->rows[i], in, node));
  }
  for (blo_int i = 0; i < table->n_subs; i++) {
    const blo_opt_sub *sub = &table->subs[i];
    blo_conf *below = NULL;
    BLO_TRY(blo_conf_need_map(node, sub->key, &below));
    BLO_TRY(blo_opt_record(ctx, sub->table, blo_opt_field_const(in, sub->offset), below));
  }
  return BLO_OK;
}

static blo_status same_row(blo_context *ctx, const blo_opt_row *row, const char *path,
                           const void *was, const void *now)
{
  char number_was[BLO_OPT_NUMBER_CAP], number_now[BLO_OPT_NUMBER_CAP];
  char shown_was[BLO_SHOWN_CAP], shown_now[BLO_SHOWN_CAP];
  if (row->flags & BLO_OPT_RESUME_FREE) {
    return BLO_OK;
  }
  const char *old = blo_opt_value(row, was, number_was);
  const char *new = blo_opt_value(row, now, number_now);
  BLO_CHECK(ctx, strcmp(old, new) == 0, BLO_E_MISMATCH,
            "%s%s%s was '%s' and is now '%s'; it must not change when a run is resumed", path,
            path[0] ? "." : "", row->key, blo_shown(old, shown_was), blo_shown(new, shown_now));
  return BLO_OK;
}

blo_status blo_opt_same(blo_context *ctx, const blo_opt_table *table, const char *path,
                        const void *was, const void *now)
{
  for (blo_int i = 0; i < table->n_rows; i++) {
    BLO_TRY(same_row(ctx, &table->rows[i], path, was, now));
  }
  for (blo_int i = 0; i < table->n_subs; i++) {
    const blo_opt_sub *sub = &table->subs[i];
    char below[BLO_CONF_PATH_CAP];
    blo_opt_join(path, sub->key, below);
    BLO_TRY(blo_opt_same(ctx, sub->table, below, blo_opt_field_const(was, sub->offset),
                         blo_opt_field_const(now, sub->offset)));
  }
  return BLO_OK;
}

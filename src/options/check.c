/**
 * @file
 * The rules of an option table itself: complete rows, defaults within their ranges, and no field
 * of the struct without a row.
 */
#include "table.h"

#include <string.h>

enum { FORGOTTEN = 8 }; /* bytes in a row without an option: more than padding */

typedef struct checking {
  blo_context *ctx;
  const blo_opt_table *table;
  char *covered; /* [table->size] 1 where a row or sub-table lies */
  char *scratch; /* [table->size] a struct to read defaults into */
} checking;

#define REQUIRE(c, cond, ...) BLO_CHECK((c)->ctx, cond, BLO_E_OPTION, __VA_ARGS__)

static size_t size_of_kind(blo_opt_kind kind)
{
  switch (kind) {
  case BLO_OPT_BOOL:
    return sizeof(bool);
  case BLO_OPT_INT:
    return sizeof(blo_int);
  case BLO_OPT_DOUBLE:
    return sizeof(double);
  case BLO_OPT_TEXT:
    return sizeof(const char *);
  case BLO_OPT_CHOICE:
    return sizeof(int);
  }
  return 0;
}

static blo_status cover(checking *c, const char *key, size_t offset, size_t size)
{
  REQUIRE(c, offset <= c->table->size && size <= c->table->size - offset,
          "table '%s': '%s' lies outside the struct of %zu bytes", c->table->name, key,
          c->table->size);
  REQUIRE(c, !memchr(c->covered + offset, 1, size), "table '%s': '%s' lies on another field",
          c->table->name, key);
  memset(c->covered + offset, 1, size);
  return BLO_OK;
}

static blo_status check_coverage(checking *c)
{
  size_t bare = 0;
  for (size_t i = 0; i < c->table->size; i++) {
    bare = c->covered[i] ? 0 : bare + 1;
    REQUIRE(c, bare < FORGOTTEN, "table '%s': bytes %zu to %zu of the struct have no option",
            c->table->name, i + 1 - bare, i);
  }
  return BLO_OK;
}

static blo_status check_default(checking *c, const blo_opt_row *row)
{
  bool required = row->flags & BLO_OPT_REQUIRED;
  REQUIRE(c, required == !row->def, "table '%s': '%s' must have a default or be required",
          c->table->name, row->key);
  blo_opt_place at = {c->table->name, row->key};
  return required ? BLO_OK : blo_opt_value_parse(c->ctx, row, at, row->def, c->scratch);
}

static blo_status check_row(checking *c, const blo_opt_row *row)
{
  const char *name = c->table->name;
  bool number = blo_opt_has_range(row);
  REQUIRE(c, row->key && row->help && row->unit && row->source, "table '%s': row %lld lacks a text",
          name, (long long)(row - c->table->rows));
  REQUIRE(c, row->key[0] && row->help[0] && row->unit[0], "table '%s': row '%s' has an empty text",
          name, row->key);
  REQUIRE(c, row->size == size_of_kind(row->kind), "table '%s': '%s' of kind %s has %zu bytes",
          name, row->key, blo_opt_kind_name(row->kind), row->size);
  REQUIRE(c, !number || row->low <= row->high, "table '%s': '%s' has the empty range %g..%g", name,
          row->key, row->low, row->high);
  REQUIRE(c, number || !(row->flags & BLO_OPT_OPEN_LOW), "table '%s': '%s' has no range to open",
          name, row->key);
  REQUIRE(c, (row->kind == BLO_OPT_CHOICE) == (row->choices && row->choices[0]),
          "table '%s': '%s' must have names if, and only if, it is a choice", name, row->key);
  REQUIRE(c, row->kind == BLO_OPT_TEXT || !(row->flags & BLO_OPT_PATH),
          "table '%s': '%s' is a path but not a text", name, row->key);
  BLO_TRY(cover(c, row->key, row->offset, row->size));
  return check_default(c, row);
}

static blo_status check_sub(checking *c, const blo_opt_sub *sub)
{
  REQUIRE(c, sub->key && sub->key[0] && sub->table, "table '%s': sub-table %lld is incomplete",
          c->table->name, (long long)(sub - c->table->subs));
  BLO_TRY(blo_opt_table_check(c->ctx, sub->table));
  return cover(c, sub->key, sub->offset, sub->table->size);
}

/* Rows and sub-tables counted through. */
static const char *key_at(const blo_opt_table *table, blo_int i)
{
  return i < table->n_rows ? table->rows[i].key : table->subs[i - table->n_rows].key;
}

static blo_status check_unique(checking *c)
{
  blo_int n = c->table->n_rows + c->table->n_subs;
  for (blo_int i = 0; i < n; i++) {
    for (blo_int j = i + 1; j < n; j++) {
      REQUIRE(c, strcmp(key_at(c->table, i), key_at(c->table, j)) != 0,
              "table '%s': key '%s' stands there twice", c->table->name, key_at(c->table, i));
    }
  }
  return BLO_OK;
}

static blo_status check_all(checking *c)
{
  REQUIRE(c, c->table->help && c->table->help[0], "table '%s' has no help", c->table->name);
  for (blo_int i = 0; i < c->table->n_rows; i++) {
    BLO_TRY(check_row(c, &c->table->rows[i]));
  }
  for (blo_int i = 0; i < c->table->n_subs; i++) {
    BLO_TRY(check_sub(c, &c->table->subs[i]));
  }
  BLO_TRY(check_unique(c));
  return check_coverage(c);
}

blo_status blo_opt_table_check(blo_context *ctx, const blo_opt_table *table)
{
  blo_status status = BLO_OK;
  checking c = {.ctx = ctx, .table = table};
  BLO_CHECK_GO(ctx, table->name && table->name[0], BLO_E_OPTION, "an option table has no name");
  BLO_GO(blo_alloc(ctx, (blo_int)table->size, 1, &c.covered));
  BLO_GO(blo_alloc(ctx, (blo_int)table->size, 1, &c.scratch));
  BLO_GO(check_all(&c));
done:
  blo_free(ctx, &c.covered);
  blo_free(ctx, &c.scratch);
  return status;
}

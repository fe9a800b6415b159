/**
 * @file
 * The options of a block as Markdown tables, for the reference pages.
 */
#include "table.h"

/* A bar would end the cell. */
static void put_cell(FILE *to, const char *text)
{
  fputc(' ', to);
  for (; *text; text++) {
    fputs(*text == '|' ? "\\|" : (const char[]){*text, '\0'}, to);
  }
  fputs(" |", to);
}

/* Values as they are typed. */
static void put_code(FILE *to, const char *text)
{
  fprintf(to, " `%s` |", text);
}

static void print_row(const blo_opt_row *row, FILE *to)
{
  char text[BLO_OPT_ALLOWED_CAP];
  blo_line allowed = {text, sizeof text, 0};
  blo_opt_allowed(row, false, &allowed);
  fputc('|', to);
  put_code(to, row->key);
  put_cell(to, blo_opt_kind_name(row->kind));
  if (row->def && row->def[0]) {
    put_code(to, row->def);
  } else {
    put_cell(to, row->def ? "none" : "required");
  }
  put_cell(to, text);
  put_cell(to, row->unit);
  put_cell(to, row->help);
  put_cell(to, row->source[0] ? row->source : "-");
  fputc('\n', to);
}

static void print_table(const blo_opt_table *table, const char *path, FILE *to)
{
  fprintf(to, "### `%s`\n\n%s\n", path[0] ? path : table->name, table->help);
  if (table->n_rows > 0) {
    fputs("\n| key | type | default | allowed | unit | meaning | source |\n"
          "|---|---|---|---|---|---|---|\n",
          to);
  }
  for (blo_int i = 0; i < table->n_rows; i++) {
    print_row(&table->rows[i], to);
  }
}

void blo_opt_markdown(const blo_opt_table *table, const char *path, FILE *to)
{
  blo_opt_each_table(table, path, to, print_table);
}

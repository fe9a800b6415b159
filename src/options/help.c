/**
 * @file
 * The options of a block for a terminal: two columns, wrapped at 80 characters.
 */
#include "table.h"

#include <string.h>

enum { WIDTH = 80, ENTRY_CAP = 1024 };

void blo_opt_each_table(const blo_opt_table *table, const char *path, FILE *to,
                        void (*print)(const blo_opt_table *table, const char *path, FILE *to))
{
  print(table, path, to);
  for (blo_int i = 0; i < table->n_subs; i++) {
    char below[BLO_CONF_PATH_CAP];
    blo_opt_join(path, table->subs[i].key, below);
    fputc('\n', to);
    blo_opt_each_table(table->subs[i].table, below, to, print);
  }
}

/* Print words from column `indent` on, continuing the present line, which is filled up to there. */
static void wrap(FILE *to, int indent, const char *text)
{
  int column = indent;
  for (const char *word = text; *word;) {
    int n = (int)strcspn(word, " ");
    if (column > indent && column + 1 + n > WIDTH) {
      fprintf(to, "\n%*s", indent, "");
      column = indent;
    }
    column += fprintf(to, "%s%.*s", column > indent ? " " : "", n, word);
    word += n;
    word += strspn(word, " ");
  }
  fputc('\n', to);
}

/* "number > 0; default 0.1; in s", but "any number; ..." */
static void describe(const blo_opt_row *row, blo_line *line)
{
  bool is_bounded = row->low > -BLO_INF || row->high < BLO_INF;
  if (blo_opt_has_range(row) && is_bounded) {
    blo_line_add(line, "%s ", blo_opt_kind_name(row->kind));
  }
  blo_opt_allowed(row, false, line);
  if (row->flags & BLO_OPT_REQUIRED) {
    blo_line_add(line, "; required");
  } else {
    blo_line_add(line, "; default %s", row->def[0] ? row->def : "none");
  }
  if (strcmp(row->unit, "-") != 0) {
    blo_line_add(line, "; in %s", row->unit);
  }
  if (row->flags & BLO_OPT_RESUME_FREE) {
    blo_line_add(line, "; may change at resume");
  }
}

static void print_row(const blo_opt_row *row, int key_width, FILE *to)
{
  char entry[ENTRY_CAP];
  blo_line line = {entry, sizeof entry, 0};
  describe(row, &line);
  fprintf(to, "  %-*s  ", key_width, row->key);
  wrap(to, key_width + 4, entry);
  line.n = 0;
  blo_line_add(&line, "%s", row->help);
  if (row->source[0]) {
    blo_line_add(&line, " [%s]", row->source);
  }
  fprintf(to, "%*s", key_width + 4, "");
  wrap(to, key_width + 4, entry);
}

static int widest_key(const blo_opt_table *table)
{
  size_t width = 0;
  for (blo_int i = 0; i < table->n_rows; i++) {
    size_t n = strlen(table->rows[i].key);
    width = n > width ? n : width;
  }
  return (int)width;
}

static void print_table(const blo_opt_table *table, const char *path, FILE *to)
{
  const char *title = path[0] ? path : table->name;
  fprintf(to, "%s: ", title);
  wrap(to, (int)strlen(title) + 2, table->help);
  for (blo_int i = 0; i < table->n_rows; i++) {
    print_row(&table->rows[i], widest_key(table), to);
  }
}

void blo_opt_help(const blo_opt_table *table, const char *path, FILE *to)
{
  blo_opt_each_table(table, path, to, print_table);
}

/**
 * @file `parblo plot`: the histories of runs as a picture, drawn by gnuplot. A row of panels for
 * each column that is drawn: those of --metrics, else the objectives, the norm of the hypergradient
 * and some task metrics; over iterations on the left, over wall time on the right. The root
 * does the work.
 */
#include "arguments.h"
#include "commands.h"
#include "gnuplot.h"
#include "history.h"
#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

enum {
  PANELS_MAX = 16,
  PANELS_CHOSEN = 6, /* without --metrics */
  PANEL_WIDTH = 560,
  PANEL_HEIGHT = 300,
  KEY_HEIGHT = 18,
  FEW_POINTS = 40,
  NAME_CAP = 64
};

/** Okabe and Ito's colours, which colour-blind people can tell apart. */
static const char *const colors[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                     "#e69f00", "#56b4e9", "#000000"};
enum { N_COLORS = sizeof colors / sizeof *colors };

typedef struct run {
  const char *path;
  char *label;
  blo_records history;
} run;

typedef struct panel {
  char column[NAME_CAP];
  const char *title; /**< NULL: the column's name */
  bool logarithmic;
} panel;

/** Columns with a title of their own; the first ones are always drawn unless --metrics says what.
 */
static const panel titled[] = {
    {"f", "upper objective f", false},
    {"g", "lower objective g", false},
    {"hypergrad_norm", "norm of the hypergradient", true},
    {"lower_residual", "lower residual", true},
    {"adjoint_residual", "adjoint residual", true},
    {"adjoint_rhs", "norm of grad_y f", true},
};
enum { N_TITLED = sizeof titled / sizeof *titled, N_ALWAYS = 3 };

typedef struct plot {
  blo_context *ctx;
  const char *output, *terminal;
  const char *metrics; /**< of --metrics; NULL: not given */
  char *partial;       /**< the picture while it is drawn */
  int n_runs, n_panels;
  run *run;
  panel panel[PANELS_MAX];
  FILE *script;
} plot;

/* -------------------------------------------------------------- arguments */

static blo_status find_terminal(plot *p)
{
  const char *dot = strrchr(p->output, '.');
  bool png = dot != NULL && strcmp(dot, ".png") == 0;
  bool svg = dot != NULL && strcmp(dot, ".svg") == 0;

  BLO_CHECK(p->ctx, png || svg, BLO_E_OPTION,
            "the picture's name must end with .png or .svg, not '%s'", p->output);
  p->terminal = png ? "pngcairo" : "svg dynamic";
  return BLO_OK;
}

static blo_status parse(plot *p, int argc, char **argv)
{
  static const struct option known[] = {{"output", required_argument, NULL, 'o'},
                                        {"metrics", required_argument, NULL, 'm'},
                                        {NULL, 0, NULL, 0}};
  int option;

  blo_arguments_start();
  for (;;) {
    BLO_TRY(blo_arguments_next(p->ctx, argc, argv, ":o:m:", known, &option));
    if (option == -1) {
      break;
    }
    if (option == 'o') {
      p->output = optarg;
    } else {
      p->metrics = optarg;
    }
  }
  BLO_CHECK(p->ctx, optind < argc, BLO_E_OPTION, "plot needs at least one run file");
  BLO_CHECK(p->ctx, p->output != NULL, BLO_E_OPTION, "plot needs -o PICTURE.png or .svg");
  BLO_TRY(find_terminal(p));
  BLO_TRY(blo_alloc(p->ctx, argc - optind, sizeof *p->run, &p->run));
  p->n_runs = argc - optind;
  for (int i = 0; i < p->n_runs; i++) {
    p->run[i].path = argv[optind + i];
  }
  return BLO_OK;
}

/* ------------------------------------------------------------------ reading */

static blo_status read_run(blo_context *ctx, run *r)
{
  blo_h5 *file = NULL;
  blo_status status = BLO_OK;

  BLO_GO(blo_h5_open(ctx, r->path, NULL, &file));
  BLO_GO(blo_records_read(ctx, file, &r->history));
  BLO_CHECK_GO(ctx,
               r->history.n_rows > 0 && blo_records_find(&r->history, "iteration") != NULL &&
                   blo_records_find(&r->history, "seconds") != NULL,
               BLO_E_FORMAT, "%s has no history to draw", r->path);
done:
  blo_h5_close(&file);
  return status;
}

/** A path's last part without ".h5". */
static void stem(const char *path, const char **begin, int *length)
{
  const char *slash = strrchr(path, '/'), *dot;

  *begin = slash != NULL ? slash + 1 : path;
  dot = strrchr(*begin, '.');
  *length = (int)(dot != NULL && dot != *begin ? (size_t)(dot - *begin) : strlen(*begin));
}

static bool same_stem(const char *a, const char *b)
{
  const char *begin_a, *begin_b;
  int n_a, n_b;

  stem(a, &begin_a, &n_a);
  stem(b, &begin_b, &n_b);
  return n_a == n_b && strncmp(begin_a, begin_b, (size_t)n_a) == 0;
}

/** The file's name, or its path if another file has the same name. */
static blo_status label_run(plot *p, int i)
{
  const char *begin = p->run[i].path;
  int n = (int)strlen(begin);
  bool unique = true;

  for (int k = 0; k < p->n_runs; k++) {
    unique = unique && (k == i || !same_stem(p->run[k].path, p->run[i].path));
  }
  if (unique) {
    stem(p->run[i].path, &begin, &n);
  }
  BLO_TRY(blo_strdup(p->ctx, begin, &p->run[i].label));
  p->run[i].label[n] = '\0';
  return BLO_OK;
}

/* ------------------------------------------------------------------- panels */

/** Can the value be drawn? Metrics are NAN between their evaluations. */
static bool drawable(const panel *to, double value)
{
  return isfinite(value) && (!to->logarithmic || value > 0);
}

static blo_int n_points(const panel *to, const run *r)
{
  const double *value = blo_records_find(&r->history, to->column);
  blo_int n = 0;

  for (blo_int i = 0; value != NULL && i < r->history.n_rows; i++) {
    n += drawable(to, value[i]);
  }
  return n;
}

/** A panel of its own for a column, unless it has one, or nothing can be drawn. */
static void add_panel(plot *p, const panel *candidate, int most)
{
  blo_int n = 0;

  for (int k = 0; k < p->n_panels; k++) {
    if (strcmp(p->panel[k].column, candidate->column) == 0) {
      return;
    }
  }
  for (int i = 0; i < p->n_runs; i++) {
    n += n_points(candidate, &p->run[i]);
  }
  if (n > 0 && p->n_panels < most) {
    p->panel[p->n_panels++] = *candidate;
  }
}

/** The panel of a column; a name that is too long is no column's. */
static panel panel_of(const char *column, size_t length)
{
  panel to = {.title = NULL};

  memcpy(to.column, column, length < NAME_CAP ? length : NAME_CAP - 1);
  for (int i = 0; i < N_TITLED; i++) {
    if (strcmp(titled[i].column, to.column) == 0) {
      return titled[i];
    }
  }
  return to;
}

/** Metrics, those on test data or the others. */
static void add_metrics(plot *p, bool on_test_data)
{
  static const char test[] = "test_";

  for (int i = 0; i < p->n_runs; i++) {
    const blo_records *h = &p->run[i].history;
    for (blo_int k = 0; k < h->n; k++) {
      const char *name = h->at[k].name;
      if (blo_record_is_metric(&h->at[k]) &&
          (strncmp(name, test, sizeof test - 1) == 0) == on_test_data) {
        panel to = panel_of(name, strlen(name));
        add_panel(p, &to, PANELS_CHOSEN);
      }
    }
  }
}

/** Without --metrics: what tells most, as far as there is room. */
static void choose_panels(plot *p)
{
  for (int i = 0; i < N_ALWAYS; i++) {
    add_panel(p, &titled[i], PANELS_CHOSEN);
  }
  add_metrics(p, true);
  add_metrics(p, false);
}

/** Some run has the column; else say which name may be meant. */
static blo_status check_column(const plot *p, const char *column)
{
  const char *names[BLO_RECORDS_NAMES + 1] = {NULL};
  int n = 0;

  for (int i = 0; i < p->n_runs; i++) {
    const blo_records *h = &p->run[i].history;
    if (blo_records_find(h, column) != NULL) {
      return BLO_OK;
    }
    for (blo_int k = 0; k < h->n && n < BLO_RECORDS_NAMES; k++) {
      names[n++] = h->at[k].name;
    }
  }
  return blo_records_miss(p->ctx, "--metrics", column, names);
}

static blo_status take_named(plot *p)
{
  for (const char *name = p->metrics; *name != '\0';) {
    size_t length = strcspn(name, ",");
    panel to = panel_of(name, length);
    BLO_TRY(check_column(p, to.column));
    BLO_CHECK(p->ctx, p->n_panels < PANELS_MAX, BLO_E_OPTION, "--metrics: more than %d columns",
              PANELS_MAX);
    add_panel(p, &to, PANELS_MAX);
    name += length + (name[length] == ',');
  }
  return BLO_OK;
}

static blo_status find_panels(plot *p)
{
  if (p->metrics != NULL) {
    BLO_TRY(take_named(p));
  } else {
    choose_panels(p);
  }
  BLO_CHECK(p->ctx, p->n_panels > 0, BLO_E_DATA,
            "the histories hold nothing to draw: every value is missing or not finite");
  return BLO_OK;
}

/* ------------------------------------------------------------------- script */

/** The points of a panel and a run, as a named block: iteration, seconds, value. */
static void write_points(const plot *p, int panel_number, int i)
{
  const panel *to = &p->panel[panel_number];
  const blo_records *h = &p->run[i].history;
  const double *iteration = blo_records_find(h, "iteration");
  const double *seconds = blo_records_find(h, "seconds");
  const double *value = blo_records_find(h, to->column);

  fprintf(p->script, "$p%d_%d << END\n", panel_number, i);
  for (blo_int k = 0; value != NULL && k < h->n_rows; k++) {
    if (drawable(to, value[k])) {
      fprintf(p->script, "%.0f %.9g %.17g\n", iteration[k], seconds[k], value[k]);
    }
  }
  fprintf(p->script, "END\n");
}

/** The legend stands above all panels, a line for each run. */
static int height(const plot *p)
{
  return p->n_panels * PANEL_HEIGHT + (p->n_runs + 1) * KEY_HEIGHT;
}

static void write_head(const plot *p)
{
  fprintf(p->script,
          "set encoding utf8\n"
          "set terminal %s size %d,%d background rgb 'white' font 'DejaVu Sans,11' linewidth 1\n"
          "set output ",
          p->terminal, 2 * PANEL_WIDTH, height(p));
  blo_gnuplot_quote(p->script, p->partial);
  fprintf(p->script,
          "\nset border 3 linecolor rgb '#444444'\n"
          "set tics nomirror\n"
          "set grid linecolor rgb '#d8d8d8' linetype 1 linewidth 0.6\n"
          "set lmargin 11\nset rmargin 3\n"
          "set key noenhanced center top samplen 3 at screen 0.5,%.6f\n",
          1 - 4.0 / height(p));
}

/** Colour and line of a run, the same in all panels. */
static void write_line(const plot *p, int i, const char *style)
{
  fprintf(p->script, " with %s linewidth 1.8 dashtype %d linecolor rgb '%s' ", style,
          1 + i / N_COLORS, colors[i % N_COLORS]);
}

static void write_key(const plot *p)
{
  for (int i = 0; i < p->n_runs; i++) {
    fprintf(p->script, "keyentry");
    write_line(p, i, "lines");
    fprintf(p->script, "title ");
    blo_gnuplot_quote(p->script, p->run[i].label);
    fprintf(p->script, ", \\\n     ");
  }
}

/** A unit in which the longest run has a short number: seconds, or ms, or h. */
typedef struct time_unit {
  const char *name;
  double per_second;
} time_unit;

static time_unit choose_unit(const plot *p)
{
  double longest = 0;

  for (int i = 0; i < p->n_runs; i++) {
    const blo_records *h = &p->run[i].history;
    longest = fmax(longest, blo_records_find(h, "seconds")[h->n_rows - 1]);
  }
  if (longest < 1) {
    return (time_unit){"ms", 1e3};
  }
  return longest < 1e4 ? (time_unit){"s", 1} : (time_unit){"h", 1 / 3600.0};
}

static void write_title(const plot *p, const panel *to)
{
  char title[64];

  snprintf(title, sizeof title, "%s", to->title != NULL ? to->title : to->column);
  for (char *c = title; *c != '\0'; c++) {
    *c = *c == '_' ? ' ' : *c;
  }
  fprintf(p->script, "set title ");
  blo_gnuplot_quote(p->script, title);
  fprintf(p->script, " noenhanced\n");
}

/** Room above and below, so that a curve at its limit (an accuracy of 1) can be seen. */
static void write_y_axis(const plot *p, const panel *to)
{
  fputs(to->logarithmic
            ? "set logscale y\nset format y '10^{%T}'\nunset offsets\nset autoscale y\n"
            : "unset logscale y\nset format y '%g'\nset offsets graph 0, 0, 0.04, 0.04\n"
              "set autoscale yfix\n",
        p->script);
}

static void write_panel(const plot *p, int panel_number, bool over_time)
{
  const panel *to = &p->panel[panel_number];
  time_unit unit = choose_unit(p);
  bool first = true;

  write_title(p, to);
  write_y_axis(p, to);
  fprintf(p->script, "set xlabel '%s%s'\nplot ", over_time ? "wall time in " : "outer iteration",
          over_time ? unit.name : "");
  if (panel_number == 0 && !over_time) {
    write_key(p);
  }
  for (int i = 0; i < p->n_runs; i++) {
    blo_int n = n_points(to, &p->run[i]);
    if (n > 0) {
      fprintf(p->script, "%s$p%d_%d using (%s*%.17g):3", first ? "" : ", \\\n     ", panel_number,
              i, over_time ? "$2" : "$1", over_time ? unit.per_second : 1);
      write_line(p, i, n <= FEW_POINTS ? "linespoints pointtype 7 pointsize 0.5" : "lines");
      fprintf(p->script, "notitle");
      first = false;
    }
  }
  fprintf(p->script, "\n");
}

static void write_script(const plot *p)
{
  for (int k = 0; k < p->n_panels; k++) {
    for (int i = 0; i < p->n_runs; i++) {
      write_points(p, k, i);
    }
  }
  write_head(p);
  fprintf(p->script, "set multiplot layout %d,2 title \"", p->n_panels);
  for (int k = 1; k < p->n_runs; k++) {
    fprintf(p->script, " \\n");
  }
  fprintf(p->script, " \"\n");
  for (int k = 0; k < p->n_panels; k++) {
    write_panel(p, k, false);
    write_panel(p, k, true);
  }
  fprintf(p->script, "unset multiplot\nunset output\n");
}

/* --------------------------------------------------------------------- work */

/** gnuplot draws beside the picture's place, so that there is never half a picture. */
static blo_status open_files(plot *p)
{
  enum { SUFFIX_CAP = 32 };
  size_t cap = strlen(p->output) + SUFFIX_CAP;
  FILE *picture;

  BLO_TRY(blo_alloc(p->ctx, (blo_int)cap, 1, &p->partial));
  snprintf(p->partial, cap, "%s.partial.%ld", p->output, (long)getpid());
  picture = fopen(p->partial, "w");
  BLO_CHECK(p->ctx, picture != NULL, BLO_E_IO, "cannot write %s: %s", p->output, strerror(errno));
  fclose(picture);
  p->script = tmpfile();
  BLO_CHECK(p->ctx, p->script != NULL, BLO_E_IO, "cannot make a temporary file: %s",
            strerror(errno));
  return BLO_OK;
}

static blo_status draw(plot *p)
{
  for (int i = 0; i < p->n_runs; i++) {
    BLO_TRY(read_run(p->ctx, &p->run[i]));
    BLO_TRY(label_run(p, i));
  }
  BLO_TRY(find_panels(p));
  BLO_TRY(open_files(p));
  write_script(p);
  BLO_TRY(blo_gnuplot_run(p->ctx, p->script));
  BLO_CHECK(p->ctx, rename(p->partial, p->output) == 0, BLO_E_IO, "cannot write %s: %s", p->output,
            strerror(errno));
  printf("%s: %d panels, %d run%s\n", p->output, 2 * p->n_panels, p->n_runs,
         p->n_runs == 1 ? "" : "s");
  return BLO_OK;
}

static void clear(plot *p)
{
  if (p->script != NULL) {
    fclose(p->script);
  }
  if (p->partial != NULL) {
    unlink(p->partial);
  }
  blo_free(p->ctx, &p->partial);
  for (int i = 0; i < p->n_runs; i++) {
    blo_free(p->ctx, &p->run[i].label);
    blo_records_free(p->ctx, &p->run[i].history);
  }
  blo_free(p->ctx, &p->run);
}

int blo_cmd_plot(blo_comm *comm, int argc, char **argv)
{
  plot p = {.ctx = blo_comm_context(comm)};
  blo_status status = blo_agree(comm, parse(&p, argc, argv));

  if (status == BLO_OK) {
    status = blo_agree_from(comm, BLO_ROOT, blo_comm_rank(comm) == BLO_ROOT ? draw(&p) : BLO_OK);
  }
  clear(&p);
  return status == BLO_OK ? 0 : blo_cmd_fail(comm, status);
}

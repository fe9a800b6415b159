/** @file The progress line. */
#include "progress.h"
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

enum { LINE_CAP = 160, TERMINAL_WIDTH = 79 };
static const double terminal_interval = 0.2, log_interval = 1;

/* A launcher may give its ranks a pseudo-terminal of their own, whatever it prints to itself. Such
 * a terminal does not control this process; then the standard output of the parent, the launcher,
 * is looked at, where the system shows it. */
static bool on_terminal(void)
{
  char path[64];
  bool yes = false;
  int file;

  if (isatty(STDOUT_FILENO) == 0) {
    return false;
  }
  if (tcgetpgrp(STDOUT_FILENO) != -1) {
    return true;
  }
  snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)getppid(), STDOUT_FILENO);
  file = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK);
  if (file >= 0) {
    yes = isatty(file) != 0;
    close(file);
  }
  return yes;
}

void blo_progress_start(blo_progress *p, blo_context *ctx, blo_int first, blo_int last)
{
  *p = (blo_progress){.ctx = ctx, .begin = blo_now(), .first = first, .last = last};
  p->terminal = blo_log_on(ctx, BLO_LOG_RESULT) && on_terminal();
  p->on = p->terminal || blo_log_on(ctx, BLO_LOG_STEP);
  p->shown = p->begin;
}

typedef struct line {
  char text[LINE_CAP];
  int n;
} line;

BLO_PRINTF(2, 3) static void add(line *l, const char *fmt, ...)
{
  va_list args;
  int room = LINE_CAP - l->n, n;

  va_start(args, fmt);
  n = vsnprintf(l->text + l->n, (size_t)room, fmt, args);
  va_end(args);
  l->n += n < room ? n : room - 1;
}

static void add_time(line *l, double seconds)
{
  long s = seconds < 1e9 ? (long)ceil(seconds) : 0;

  if (s >= 3600) {
    add(l, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
  } else {
    add(l, "%ld:%02ld", s / 60, s % 60);
  }
}

static void compose(const blo_progress *p, blo_int k, const blo_report *r, const blo_history *h,
                    line *l)
{
  double rate = (double)(k - p->first) / (blo_now() - p->begin);

  add(l, "%lld/%lld %d%% %.3g it/s ETA ", (long long)k, (long long)p->last,
      (int)(100.0 * (double)k / (double)p->last), rate);
  add_time(l, (double)(p->last - k) / rate);
  if (!isnan(r->f)) {
    add(l, " f %.5g", r->f);
  }
  if (!isnan(r->hypergrad_norm)) {
    add(l, " |grad| %.2e", r->hypergrad_norm);
  }
  if (h->metrics_at >= 0 && h->problem->n_metrics > 0) {
    add(l, " %s %.4g", h->problem->metrics[0].name, h->metrics[0]);
  }
}

void blo_progress_show(blo_progress *p, blo_int k, const blo_report *report,
                       const blo_history *history)
{
  line l = {.n = 0};
  double now;

  if (!p->on) {
    return;
  }
  now = blo_now();
  if (now - p->shown < (p->terminal ? terminal_interval : log_interval)) {
    return;
  }
  p->shown = now;
  compose(p, k, report, history, &l);
  if (p->terminal) {
    printf("\r%.*s\033[K", TERMINAL_WIDTH, l.text);
    fflush(stdout);
  } else {
    blo_log(p->ctx, BLO_LOG_STEP, "run", "%s", l.text);
  }
}

void blo_progress_end(blo_progress *p)
{
  if (p->terminal) {
    printf("\r\033[K");
    fflush(stdout);
  }
}

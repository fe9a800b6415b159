/* Runs of a method from a saddle for many seeds; see saddle_run.h. */
#include "saddle_run.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { METRIC_GAP = 1, METRIC_ERROR_X = 3, METRIC_ERROR_Y, N_METRICS };

/* Local: no assertion of the harness in here, the ranks are in different runs. */
static blo_status follow(const saddle_plan *p, blo_solver *s, saddle_end *end)
{
  double values[N_METRICS];
  blo_report r = {.converged = false};
  for (int k = 0; k < p->iterations && !r.converged; k++) {
    BLO_TRY(blo_solver_step(s, &r));
    BLO_TRY(blo_eval_metrics(s->eval, s->x, s->y, values));
    if (end->reached < 0 && values[METRIC_GAP] <= p->near) {
      end->reached = k + 1;
    }
  }
  end->stopped = r.converged ? (double)s->k : -1;
  end->perturbations = r.perturbations;
  end->second_order = r.second_order;
  end->gap = values[METRIC_GAP];
  end->error_x = values[METRIC_ERROR_X];
  end->error_y = values[METRIC_ERROR_Y];
  return BLO_OK;
}

static saddle_end run(const saddle_plan *p, const fixture *f, const blo_conf *conf, uint64_t seed)
{
  saddle_end end = {.reached = -1, .stopped = -1};
  blo_solver *s = NULL;
  blo_status status = blo_solver_create(f->eval, blo_solver_find(p->method), conf, seed, &s);
  if (status == BLO_OK) {
    status = follow(p, s, &end);
  }
  end.status = status;
  blo_solver_destroy(&s);
  return end;
}

void saddle_runs(blo_comm *comm, const saddle_plan *p, saddle_end *end)
{
  enum { NUMBERS = sizeof *end / sizeof(double) };
  fixture f;
  blo_comm *self = NULL;
  blo_conf *conf = NULL;
  BLO_REQUIRE_STATUS(blo_comm_create(blo_comm_context(comm), MPI_COMM_SELF, &self), BLO_OK);
  known_open(self, p->problem, p->problem_settings, &f);
  BLO_REQUIRE_STATUS(blo_conf_parse(blo_comm_context(comm), "test", p->settings, &conf), BLO_OK);
  memset(end, 0, (size_t)p->seeds * sizeof *end);
  for (int i = blo_comm_rank(comm); i < p->seeds; i += blo_comm_size(comm)) {
    end[i] = run(p, &f, conf, (uint64_t)i + 1);
  }
  MPI_Allreduce(MPI_IN_PLACE, end, p->seeds * NUMBERS, MPI_DOUBLE, MPI_SUM, blo_comm_mpi(comm));
  blo_conf_destroy(&conf);
  fixture_free(self, &f);
  blo_comm_destroy(&self);
}

static int ascending(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(int n, double *a)
{
  qsort(a, (size_t)n, sizeof *a, ascending);
  return n == 0 ? (double)NAN : 0.5 * (a[n / 2] + a[(n - 1) / 2]);
}

saddle_tally saddle_count(blo_comm *comm, const saddle_plan *p)
{
  saddle_end end[SADDLE_SEEDS_MAX];
  saddle_tally t = {0};
  double reached[SADDLE_SEEDS_MAX], stopped[SADDLE_SEEDS_MAX];
  int n_stopped = 0;
  saddle_runs(comm, p, end);
  for (int i = 0; i < p->seeds; i++) {
    bool there = end[i].gap <= p->near, minimum = end[i].second_order == BLO_SECOND_ORDER_MINIMUM;
    t.failed += end[i].status != BLO_OK;
    if (end[i].reached >= 0) {
      reached[t.reached++] = end[i].reached;
    }
    if (end[i].stopped >= 0) {
      stopped[n_stopped++] = end[i].stopped;
      t.minima += there && minimum;
      t.undecided += there && !minimum;
      t.false_stops += !there;
      t.wrong += !there && minimum;
      t.largest_gap = fmax(t.largest_gap, end[i].gap);
    }
  }
  t.median_reached = median(t.reached, reached);
  t.median_stopped = median(n_stopped, stopped);
  return t;
}

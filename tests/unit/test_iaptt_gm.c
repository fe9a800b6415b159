/* iaptt_gm where its steps and limits are known (arXiv 2110.00455). */
#include "ride.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SEED = 31 };

/* ------------------------------------------------------------ known numbers */

static double x_of(ride *r)
{
  double x;
  bench_get(r->s->x, &x);
  return x;
}

/* With y_1 = z + s x cos(x z):  dF/dz = x (1 - s x^2 sin(x z)),
 * dF/dx = 1 + y_1 + x s (cos(x z) - x z sin(x z)). */
static void one_step_has_these_digits(blo_comm *comm)
{
  static const char origin[] = "closed form at x = 2.3, z = -0.7, s = 5e-4";
  ride r;
  ride_known(comm, "sine_follower", "{x0: 2.3, y0: -0.7, shards: 4}", "iaptt_gm",
             "{lower: {steps: 1, step: 5e-4}, init: {step: 1}, upper: {step: 1}}", SEED, &r);
  ride_step(&r);
  double z = ride_kept(r.s, "z")->data[0];
  BLO_EXPECT_NEAR(r.s->y->data[0], -0.7000450726765389, 0, 2e-16, origin);
  BLO_EXPECT_NEAR(-0.7 - z, 2.3060788256480023, 0, 1e-15, origin);
  BLO_EXPECT_NEAR(2.3 - x_of(&r), 0.2980597772757909, 0, 1e-15, origin);
  ride_close(comm, &r);
}

/* F = (1/2) (y - 1)^2 + (1/2) x^2, g = (1/2) (y - x)^2, no bound on z: without truncation z makes
 * y_K = 1 at x = 0, whatever the lower level wants (true x: 1/2). With it y_1 and y_K are equally
 * far from 1 in the end, so F = (1/2) c^2 (1 - x)^2 + (1/2) x^2 with c = (rho - rho^K) / (rho +
 * rho^K), rho = 1 - s, which is least at x = c^2 / (1 + c^2). */
static void truncation_keeps_z_honest(blo_comm *comm)
{
  static const int K[] = {5, 10};
  static const double want[] = {0.041339, 0.163140}; /* as digits in the source of the method */
  for (int i = 0; i < 2; i++) {
    double rho = 0.9, last = pow(rho, K[i]), c = (rho - last) / (rho + last);
    double limit = c * c / (1 + c * c), mean = 0;
    char text[256];
    ride r;
    BLO_EXPECT_NEAR(limit, want[i], 0, 5e-7, "the formula");
    for (int m = 0; m < 2; m++) {
      snprintf(text, sizeof text,
               "{lower: {steps: %d, step: 0.1}, init: {step: 0.5, decay: %g}, upper: {step: 0.5, "
               "decay: %g}}",
               K[i], m == 0 ? 0.5 : 0, m == 0 ? 0.5 : 0);
      ride_known(comm, "penalty_quadratic", "{kind: scalar, A: 1, t: 1, rho: 1, shards: 4}",
                 m == 0 ? "iaptt_gm" : "ia_gm", text, SEED, &r);
      for (int k = 0; k < 1200; k++) {
        ride_step(&r);
        mean += m == 0 && k >= 600 ? x_of(&r) / 600 : 0;
      }
      if (m == 0) {
        BLO_EXPECT_NEAR(mean, limit, 0, 2e-3, "the limit of iaptt_gm");
      } else {
        BLO_EXPECT_NEAR(x_of(&r), 0, 0, 1e-9, "the limit of ia_gm");
      }
      ride_close(comm, &r);
    }
  }
}

static void starts_are_brought_into_Y(blo_comm *comm)
{
  ride r;
  ride_known(comm, "sine_follower", "{x0: 0.5, y0: 3, shards: 4}", "ia_gm",
             "{lower: {set: {type: box, low: -2, high: 2}}, "
             "upper: {set: {type: box, low: 1, high: 10}}}",
             SEED, &r);
  BLO_EXPECT_ALL(r.s->y->data[0] == 2 && x_of(&r) == 1 && ride_kept(r.s, "z")->data[0] == 2);
  ride_close(comm, &r);
}

/* All of z, y_1, ... are -2, an end of Y, so f is the same everywhere: the lowest step counts. */
static void ties_go_to_the_first_step(blo_comm *comm)
{
  ride r;
  ride_known(comm, "sine_follower", "{x0: 8, y0: -2, shards: 4}", "iaptt_gm",
             "{lower: {steps: 5, step: 0.1, set: {type: box, low: -2, high: 2}}}", SEED, &r);
  ride_step(&r);
  BLO_EXPECT_ALL(r.report.truncation == 1 && r.report.f == -8);
  ride_close(comm, &r);
}

/* -------------------------------------------------------- the sine follower */

enum { SINE_K = 40, SINE_T = 500, GRID = 90, EVERY = 10, N_WAYS = 4 };

/* Ways to treat the start of the trajectory, and from how many of the 90 starts they solve it. */
typedef struct way {
  const char *method, *init;
  int solved;
} way;
static const way ways[N_WAYS] = {{"iaptt_gm", "learned", 85},
                                 {"ia_gm", "learned", 85},
                                 {"ia_gm", "fixed", 9},
                                 {"ia_gm", "last", 5}};

/* Start i of the grid: x in 1, 2, ..., 10, y in -2, -1.5, ..., 2. */
static double grid_x(int i)
{
  return 1 + i / 9;
}

static double grid_y(int i)
{
  return -2 + 0.5 * (i % 9);
}

static bool is_solution(double x, double y)
{
  return fabs(x - 8.639379797371932) < 0.12 && fabs(y + 2) < 0.05;
}

static double within(double a, double low, double high)
{
  return fmax(low, fmin(high, a));
}

/* The method in plain loops, with the constants of the authors' code. */
static bool sine_by_hand(const way *w, double x, double z)
{
  const double s = 5e-4;
  double y[SINE_K + 1], v[SINE_K + 1];
  int c = SINE_K;
  for (int t = 0; t < SINE_T; t++) {
    bool cuts = strcmp(w->method, "iaptt_gm") == 0;
    y[0] = z;
    c = cuts ? 1 : SINE_K;
    for (int k = 0; k < SINE_K; k++) {
      v[k + 1] = y[k] + s * x * cos(x * y[k]);
      y[k + 1] = within(v[k + 1], -2, 2);
      c = cuts && x * y[k + 1] > x * y[c] ? k + 1 : c;
    }
    double p = x, gx = 1 + y[c];
    for (int k = c - 1; k >= 0; k--) {
      double q = fabs(v[k + 1]) < 2 ? p : 0, xy = x * y[k];
      gx -= s * (xy * sin(xy) - cos(xy)) * q;
      p = q - s * x * x * sin(xy) * q;
    }
    x = within(x - 0.1 * gx, 1, 10);
    z = strcmp(w->init, "learned") == 0 ? within(z - 0.1 * p, -2, 2) : z;
    z = strcmp(w->init, "last") == 0 ? y[SINE_K] : z;
  }
  return is_solution(x, y[c]);
}

/* The method of the library from start i, on a communicator of this rank alone; Local. */
static blo_status sine_by_method(blo_comm *self, const way *w, int i, bool *solved)
{
  blo_context *ctx = blo_comm_context(self);
  blo_conf *problem = NULL, *method = NULL;
  blo_status status = BLO_OK;
  fixture f = {NULL, NULL, NULL};
  blo_solver *s = NULL;
  blo_report report;
  char text[256];
  snprintf(text, sizeof text, "{x0: %g, y0: %g, shards: 1}", grid_x(i), grid_y(i));
  BLO_GO(blo_conf_parse(ctx, "test", text, &problem));
  snprintf(text, sizeof text,
           "{lower: {steps: 40, step: 5e-4, set: {type: box, low: -2, high: 2}}, init: {type: %s, "
           "step: 0.1}, upper: {step: 0.1, set: {type: box, low: 1, high: 10}}}",
           w->init);
  BLO_GO(blo_conf_parse(ctx, "test", text, &method));
  BLO_GO(blo_problem_create(self, blo_problem_find("sine_follower"), problem, &f.problem));
  BLO_GO(blo_eval_create(f.problem, BLO_REPRODUCIBLE, &f.eval));
  BLO_GO(blo_solver_create(f.eval, blo_solver_find(w->method), method, SEED, &s));
  for (int t = 0; t < SINE_T; t++) {
    BLO_GO(blo_solver_step(s, &report));
  }
  *solved = is_solution(s->x->data[0], s->y->data[0]);
done:
  blo_solver_destroy(&s);
  blo_eval_destroy(&f.eval);
  blo_problem_destroy(&f.problem);
  blo_conf_destroy(&problem);
  blo_conf_destroy(&method);
  return status;
}

/* The gain is that of the learned start. The loops take all starts, the methods every tenth one,
 * each rank some of them; all of them by the methods: experiments/sine_grid.sh. */
static void learned_starts_solve_the_sine(blo_comm *comm)
{
  blo_comm *self = NULL;
  int rank = blo_comm_rank(comm), size = blo_comm_size(comm);
  BLO_REQUIRE_STATUS(blo_comm_create(blo_comm_context(comm), MPI_COMM_SELF, &self), BLO_OK);
  for (int w = 0; w < N_WAYS; w++) {
    int by_hand = 0, other = 0;
    blo_status status = BLO_OK;
    for (int i = 0; i < GRID; i++) {
      bool want = sine_by_hand(&ways[w], grid_x(i), grid_y(i)), got = want;
      by_hand += want;
      if (i % EVERY == 0 && i / EVERY % size == rank && status == BLO_OK) {
        status = sine_by_method(self, &ways[w], i, &got);
      }
      other += got != want;
    }
    BLO_EXPECT_STATUS(blo_agree(comm, status), BLO_OK);
    BLO_EXPECT_MSG(by_hand == ways[w].solved, "%s, %s: solved from %d starts", ways[w].method,
                   ways[w].init, by_hand);
    BLO_EXPECT_MSG(other == 0, "%s, %s: from %d starts it ends elsewhere than the plain loops",
                   ways[w].method, ways[w].init, other);
  }
  blo_comm_destroy(&self);
}

static const blo_test tests[] = {
    {"one step has these digits", one_step_has_these_digits},
    {"truncation keeps z honest", truncation_keeps_z_honest},
    {"starts are brought into Y", starts_are_brought_into_Y},
    {"ties go to the first step", ties_go_to_the_first_step},
    {"learned starts solve the sine", learned_starts_solve_the_sine},
};
BLO_TEST_MAIN("iaptt_gm", tests)

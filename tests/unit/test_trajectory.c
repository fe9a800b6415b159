/* Trajectories of iaptt_gm and ia_gm: the gradients of phi(x, z) = f(x, y_c(x, z)) against
 * differences of phi, for every set and both dynamics, on a lower level whose H and J vary; and
 * with little of the trajectory kept the same bits as with all of it. x and z are put in their
 * places from outside, and phi is the f of the report. */
#include "ride.h"
#include "transplant.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { D = 5, SEED = 3, ITERATIONS = 2 };

/* g = sum_j (s_j^2 + 3 sin(s_j)^2), s = y - B x. */
static const char problem[] = "{d: 5, n: 16, shards: 8, x0: 0.3}";

/* ------------------------------------------------------------ differences */

/* One iteration from (x, z), on all ranks. @param[out] x_new, z_new [D], may be NULL */
static double phi(ride *r, const double *x, const double *z, double *x_new, double *z_new)
{
  blo_vec *own_z = ride_kept(r->s, "z");
  bench_set(r->s->x, x);
  bench_set(own_z, z);
  ride_step(r);
  if (x_new != NULL) {
    bench_get(r->s->x, x_new);
    bench_get(own_z, z_new);
  }
  return r->report.f;
}

/* d phi along a direction of (x, z), of fourth order. */
static double slope(ride *r, const double *x, const double *z, const double *dx, const double *dz)
{
  static const double at[] = {-2, -1, 1, 2}, weight[] = {1, -8, 8, -1};
  const double h = 3e-4;
  double sum = 0;
  for (int m = 0; m < 4; m++) {
    double xm[D], zm[D];
    for (int i = 0; i < D; i++) {
      xm[i] = x[i] + h * at[m] * dx[i];
      zm[i] = z[i] + h * at[m] * dz[i];
    }
    sum += weight[m] * phi(r, xm, zm, NULL, NULL);
  }
  return sum / (12 * h);
}

/* A set for the trajectory, and a point z within it. */
typedef struct set_case {
  const char *text;
  double z[D];
  bool simplex;
} set_case;

/* The steps are powers of two, so that the gradients are what x and z have moved by, over them. */
#define GAMMA 0.5
#define ALPHA 0.0009765625

static void compare_slopes(blo_comm *comm, const char *rest, const set_case *c)
{
  static const double x[D] = {0.9, -0.7, 0.5, 0.8, -0.6};
  char text[256];
  double x1[D], z1[D], worst = 0, size = 0;
  ride r;
  snprintf(text, sizeof text, "lower: {%s, set: %s}\ninit: {step: %.17g}\nupper: {step: %.17g}\n",
           rest, c->text, ALPHA, GAMMA);
  ride_known(comm, "sine_pl", problem, "ia_gm", text, SEED, &r);
  phi(&r, x, c->z, x1, z1);
  for (int i = 0; i < D; i++) {
    double unit[D] = {0}, tangent[D];
    unit[i] = 1;
    for (int j = 0; j < D; j++) {
      tangent[j] = unit[j] - (c->simplex ? 1.0 / D : 0);
    }
    double gx = (x[i] - x1[i]) / GAMMA, gz = (c->z[i] - z1[i]) / ALPHA;
    worst = fmax(worst, fabs(slope(&r, x, c->z, unit, bench_zeros) - gx));
    worst = fmax(worst, fabs(slope(&r, x, c->z, bench_zeros, tangent) - gz));
    size = fmax(size, fabs(gz));
  }
  BLO_EXPECT_MSG(worst < 1e-10 && size > 1e-2, "%s, %s: off by %.3g, gradients of z up to %.3g",
                 rest, c->text, worst, size);
  ride_close(comm, &r);
}

static void gradients_are_those_of_phi(blo_comm *comm)
{
  static const set_case sets[] = {
      {"{type: none}", {0.2, 0.5, -0.3, 0.4, -0.6}, false},
      {"{type: box, low: -0.45, high: 0.6}", {0.2, 0.5, -0.3, 0.4, -0.4}, false},
      {"{type: ball, radius: 0.9, center: 0.1}", {0.4, 0.5, -0.3, 0.4, -0.2}, false},
      {"{type: simplex, total: 1.5}", {0.1, 0.2, 0.3, 0.4, 0.5}, true}};
  static const char *const rests[] = {"steps: 1, step: 0.04", "steps: 6, step: 0.04",
                                      "steps: 6, step: 0.04, dynamics: nesterov",
                                      "steps: 12, step: 0.02, dynamics: nesterov, memory: 9"};
  for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
    for (size_t j = 0; j < sizeof rests / sizeof *rests; j++) {
      compare_slopes(comm, rests[j], &sets[i]);
    }
  }
}

/* ----------------------------------------------------------------- memory */

typedef struct trace {
  uint32_t x, y, z;
  blo_int g_y;
  bool inside; /* a trajectory was cut within, not at an end */
} trace;

/* Some iterations of steps so long that the trajectories wander. */
static blo_status follow(const fixture *f, const char *method, int steps, int memory, trace *t)
{
  char text[256];
  bool nesterov = strcmp(method, "nesterov") == 0;
  snprintf(text, sizeof text,
           "lower: {steps: %d, step: 0.4, memory: %d, set: {type: ball, radius: 2}%s}\n"
           "init: {step: 0.01}\nupper: {step: 0.01}\n",
           steps, memory, nesterov ? ", dynamics: nesterov" : "");
  blo_solver *s;
  blo_status status = ride_try(f, nesterov ? "ia_gm" : method, text, SEED, &s);
  memset(t, 0, sizeof *t);
  if (status == BLO_OK) {
    blo_int before = blo_eval_counts(f->eval)->g_y;
    for (int k = 0; k < ITERATIONS; k++) {
      blo_report report;
      BLO_REQUIRE_STATUS(blo_solver_step(s, &report), BLO_OK);
      t->inside = t->inside || (report.truncation > 1 && report.truncation < steps);
    }
    t->g_y = blo_eval_counts(f->eval)->g_y - before;
    BLO_REQUIRE_STATUS(blo_vec_checksum(s->x, &t->x), BLO_OK);
    BLO_REQUIRE_STATUS(blo_vec_checksum(s->y, &t->y), BLO_OK);
    BLO_REQUIRE_STATUS(blo_vec_checksum(ride_kept(s, "z"), &t->z), BLO_OK);
  }
  blo_solver_destroy(&s);
  return status;
}

/* All amounts of memory from the least one up to more than is needed.
 * @return whether a trajectory was cut within */
static bool try_memories(const fixture *f, const char *method, int steps)
{
  trace all, part = {0};
  char least[64] = "";
  int n = 1;
  BLO_REQUIRE_STATUS(follow(f, method, steps, 0, &all), BLO_OK);
  for (; n < steps && follow(f, method, steps, n, &part) == BLO_E_OPTION; n++) {
    snprintf(least, sizeof least, "needs %d at least", n + 1);
  }
  BLO_EXPECT_MSG(n <= 2 * sqrt(2.0 * steps), "%s, %d steps: %d are needed", method, steps, n);
  if (n > 1) {
    BLO_EXPECT_STATUS(follow(f, method, steps, n - 1, &part), BLO_E_OPTION);
    BLO_EXPECT_ERROR_HAS(least);
  }
  for (; n <= steps + 2; n++) {
    BLO_EXPECT_STATUS(follow(f, method, steps, n, &part), BLO_OK);
    BLO_EXPECT_MSG(part.x == all.x && part.y == all.y && part.z == all.z,
                   "%s, %d steps, memory %d: other bits", method, steps, n);
    blo_int again = part.g_y - all.g_y;
    BLO_EXPECT_MSG(again <= ITERATIONS * steps && (n >= steps) == (again == 0) && again >= 0,
                   "%s, %d steps, memory %d: %lld steps made again", method, steps, n,
                   (long long)again);
  }
  return all.inside;
}

static void memory_does_not_change_bits(blo_comm *comm)
{
  static const char *const methods[] = {"ia_gm", "iaptt_gm", "nesterov"};
  static const int steps[] = {1, 2, 3, 9, 16};
  fixture f;
  known_open(comm, "sine_pl", problem, &f);
  for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
    bool inside = false;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
      inside = try_memories(&f, methods[m], steps[i]) || inside;
    }
    BLO_EXPECT_MSG(inside == (m == 1), "%s: no trajectory was cut within", methods[m]);
  }
  fixture_free(comm, &f);
}

static const blo_test tests[] = {
    {"gradients are those of phi", gradients_are_those_of_phi},
    {"memory does not change bits", memory_does_not_change_bits},
};
BLO_TEST_MAIN("trajectory", tests)

/* Projections of numbers that are huge, tiny, equal, infinite or none, in every layout. */
#include "set_bench.h"
#include <float.h>
#include <math.h>

typedef struct hard_case {
  const char *what;
  blo_projection_options o;
  int n;
  double z[4], want[4];
} hard_case;

#define SIMPLEX(t)                                                                                 \
  {                                                                                                \
    .type = BLO_SET_SIMPLEX, .total = (t)                                                          \
  }
#define BALL(c, r)                                                                                 \
  {                                                                                                \
    .type = BLO_SET_BALL, .center = (c), .radius = (r)                                             \
  }
#define BOX(lo, hi)                                                                                \
  {                                                                                                \
    .type = BLO_SET_BOX, .low = (lo), .high = (hi)                                                 \
  }
#define ENDLESS ((double)INFINITY)

static const hard_case hard_cases[] = {
    {"all equal", SIMPLEX(1), 4, {7, 7, 7, 7}, {.25, .25, .25, .25}},
    {"inside", SIMPLEX(1), 4, {.5, .25, .125, .125}, {.5, .25, .125, .125}},
    {"a vertex", SIMPLEX(1), 3, {0, 1, 0}, {0, 1, 0}},
    {"all on one", SIMPLEX(1), 3, {3, 100, -4}, {0, 1, 0}},
    {"ties at the edge", SIMPLEX(1), 4, {1, 1, .5, .5}, {.5, .5, 0, 0}},
    {"a single entry", SIMPLEX(3), 1, {-8}, {3}},
    {"large, two apart", SIMPLEX(1), 3, {1e16, 1e16 + 2, 0}, {0, 1, 0}},
    {"large, equal", SIMPLEX(1), 3, {1e16, 1e16, -1e16}, {.5, .5, 0}},
    {"large negative", SIMPLEX(1), 2, {-1e16, -1e16}, {.5, .5}},
    {"huge", SIMPLEX(1), 3, {-DBL_MAX, DBL_MAX, -DBL_MAX}, {0, 1, 0}},
    {"huge, equal", SIMPLEX(2), 4, {1e308, 1e308, 1e308, 1e308}, {.5, .5, .5, .5}},
    {"infinite below", SIMPLEX(1), 2, {-ENDLESS, -3}, {0, 1}},
    {"total below rounding",
     SIMPLEX(0x1p-100),
     4,
     {1, 1, 1, 0},
     {0x1p-100 / 3, 0x1p-100 / 3, 0x1p-100 / 3, 0}},
    {"denormal total", SIMPLEX(0x1p-1070), 2, {1, 1}, {0x1p-1071, 0x1p-1071}},
    {"denormal entries", SIMPLEX(1), 2, {0x1p-1070, 0}, {.5, .5}},
    {"inside", BALL(1, 2), 3, {1, 2, -.5}, {1, 2, -.5}},
    {"outside", BALL(1, 2), 2, {4, 5}, {2.2, 2.6}},
    {"a single entry", BALL(0, 2), 1, {-5}, {-2}},
    {"on the center", BALL(3, 1), 2, {3, 3}, {3, 3}},
    {"huge", BALL(0, 1), 2, {3e200, -4e200}, {.6, -.8}},
    {"huge, huge radius", BALL(0, 1e300), 2, {3e305, -4e305}, {.6e300, -.8e300}},
    {"huge and inside", BALL(0, 1e306), 2, {3e305, -4e305}, {3e305, -4e305}},
    {"tiny", BALL(0, 5e-200), 2, {3e-199, 4e-199}, {3e-200, 4e-200}},
    {"tiny and inside", BALL(0, 1e-198), 2, {3e-199, 4e-199}, {3e-199, 4e-199}},
    {"no bound", BALL(0, ENDLESS), 2, {1e300, 1e300}, {1e300, 1e300}},
    {"no bounds", BOX(-ENDLESS, ENDLESS), 3, {1e300, -ENDLESS, 0}, {1e300, -ENDLESS, 0}},
    {"infinite entries", BOX(-1, 2), 3, {ENDLESS, -ENDLESS, 0x1p-1074}, {2, -1, 0x1p-1074}},
    {"one side", BOX(0, ENDLESS), 3, {-1, 1e308, 0x1p-1074}, {0, 1e308, 0x1p-1074}},
    {"a point", BOX(.5, .5), 2, {-1, 4}, {.5, .5}},
};

static void hard_cases_are_right(blo_comm *comm)
{
  for (int k = 0; k < 3 * (int)(sizeof hard_cases / sizeof *hard_cases); k++) {
    const hard_case *c = &hard_cases[k / 3];
    double got[4];
    set_bench b;
    set_bench_open(comm, c->n, (blo_layout)(k % 3), &c->o, &b);
    set_bench_project(&b, c->z, got);
    for (int i = 0; i < c->n; i++) {
      bool same = !(got[i] < c->want[i]) && !(got[i] > c->want[i]) && !isnan(got[i]);
      BLO_EXPECT_MSG(same || fabs(got[i] - c->want[i]) <= 4e-16 * fabs(c->want[i]),
                     "set %d, %s, %s: entry %d is %.17g, not %.17g", c->o.type, c->what,
                     blo_layout_names[k % 3], i, got[i], c->want[i]);
    }
    set_bench_close(&b);
  }
}

/* A number that is none is not hidden. */
static void nan_stays(blo_comm *comm)
{
  static const blo_projection_options some[] = {BOX(-1, 2), BALL(0, 1), SIMPLEX(1)};
  for (int k = 0; k < 9; k++) {
    double z[5] = {1, -2, (double)NAN, 4, 0}, got[5];
    set_bench b;
    set_bench_open(comm, 5, (blo_layout)(k % 3), &some[k / 3], &b);
    set_bench_project(&b, z, got);
    BLO_EXPECT_MSG(isnan(got[2]), "set %d hides NaN", some[k / 3].type);
    set_bench_close(&b);
  }
}

/* z_i = -sum of 1/k (k = 1 ... i) falls so slowly at the end that a round removes few entries; the
 * result is that of sorting, which z is already: the largest m with z_m > (sum of m - total) / m.
 */
static void many_rounds_end_at_the_sorted_result(blo_comm *comm)
{
  static const double totals[] = {1e-9, 0.1, 1, 5, 1e6};
  double z[SET_BENCH_MAX], got[SET_BENCH_MAX], at = 0;
  for (int i = 0; i < SET_BENCH_MAX; i++) {
    z[i] = at;
    at -= 1.0 / (i + 1);
  }
  for (int k = 0; k < 5; k++) {
    double sum = 0, t = 0;
    set_bench b;
    for (int m = 1; m <= SET_BENCH_MAX && (sum + z[m - 1] - totals[k]) / m < z[m - 1]; m++) {
      sum += z[m - 1];
      t = (sum - totals[k]) / m;
    }
    set_bench_open(comm, SET_BENCH_MAX, (blo_layout)(k % 3),
                   &(blo_projection_options){.type = BLO_SET_SIMPLEX, .total = totals[k]}, &b);
    set_bench_project(&b, z, got);
    for (int i = 0; i < SET_BENCH_MAX; i++) {
      double want = z[i] - t;
      BLO_EXPECT_NEAR(got[i], want > 0 ? want : 0, 4e-15, 4e-15 * (5 + totals[k]), "sorting");
    }
    set_bench_close(&b);
  }
}

static const blo_test tests[] = {
    {"hard cases are right", hard_cases_are_right},
    {"nan stays", nan_stays},
    {"many rounds end at the sorted result", many_rounds_end_at_the_sorted_result},
};
BLO_TEST_MAIN("projection_numbers", tests)

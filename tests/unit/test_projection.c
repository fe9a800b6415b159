/* Projections and their derivatives against the conditions that say what a nearest point is, on any
 * number of ranks and in every layout. */
#include "set_bench.h"
#include <math.h>
#include <string.h>

/* --------------------------------------------------------------- the sets */

static double normal(int family, int item, int i)
{
  return blo_stream_normal((blo_stream){77, BLO_PURPOSE_TEST}, (uint64_t)family, (uint64_t)item,
                           (uint64_t)i);
}

static const blo_projection_options sets[] = {
    {.type = BLO_SET_BOX, .low = -0.5, .high = 0.8},
    {.type = BLO_SET_BOX, .low = 0.25, .high = 1e308},
    {.type = BLO_SET_BALL, .center = 0.3, .radius = 1.5},
    {.type = BLO_SET_BALL, .center = 0, .radius = 40},
    {.type = BLO_SET_SIMPLEX, .total = 1},
    {.type = BLO_SET_SIMPLEX, .total = 30},
    {.type = BLO_SET_USER},
};
enum { N_SETS = sizeof sets / sizeof *sets };

static double square(int n, const double *a)
{
  double sum = 0;
  for (int i = 0; i < n; i++) {
    sum += a[i] * a[i];
  }
  return sum;
}

/* A point of the set: the one for which direction . w is largest, but for `size` where it is not
 * bounded; and random ones by random directions and a shift inwards. */
static void a_point(const blo_projection_options *o, int n, const double *direction, double inwards,
                    double *w)
{
  double norm = sqrt(square(n, direction)), sum = 0;
  int best = 0;
  for (int i = 0; i < n; i++) {
    double low = o->type == BLO_SET_USER ? set_bench_bound(BLO_UPPER, i) : o->low;
    double high = o->type == BLO_SET_USER || o->high >= 1e308 ? low + 10 : o->high;
    double share = inwards > 0 ? 0.5 + 0.5 * (1 - inwards) * tanh(direction[i]) : direction[i] > 0;
    best = direction[i] > direction[best] ? i : best;
    if (o->type == BLO_SET_BALL) {
      w[i] = o->center + (1 - inwards) * o->radius * (norm > 0 ? direction[i] / norm : 0);
    } else if (o->type == BLO_SET_SIMPLEX) {
      w[i] = exp(direction[i]);
      sum += w[i];
    } else {
      w[i] = low + share * (high - low);
    }
  }
  for (int i = 0; i < n && o->type == BLO_SET_SIMPLEX; i++) {
    w[i] = inwards > 0 ? w[i] * o->total / sum : i == best ? o->total : 0;
  }
}

/* How far w is outside. */
static double outside(const blo_projection_options *o, int n, const double *w)
{
  double worst = 0, sum = 0, squares = 0;
  for (int i = 0; i < n; i++) {
    double low = o->type == BLO_SET_USER      ? set_bench_bound(BLO_UPPER, i)
                 : o->type == BLO_SET_BOX     ? o->low
                 : o->type == BLO_SET_SIMPLEX ? 0
                                              : -1e308;
    worst = fmax(worst, low - w[i]);
    worst = o->type == BLO_SET_BOX ? fmax(worst, w[i] - o->high) : worst;
    sum += w[i];
    squares += (w[i] - o->center) * (w[i] - o->center);
  }
  worst = o->type == BLO_SET_SIMPLEX ? fmax(worst, fabs(sum - o->total)) : worst;
  return o->type == BLO_SET_BALL ? sqrt(squares) - o->radius : worst;
}

/* p is the point of the set nearest to z if and only if (z - p)'(w - p) <= 0 for all w of it. */
static void expect_nearest(const blo_projection_options *o, int n, const double *z, const double *p)
{
  double off[SET_BENCH_MAX], w[SET_BENCH_MAX], direction[SET_BENCH_MAX], size = 1;
  for (int i = 0; i < n; i++) {
    off[i] = z[i] - p[i];
    size = fmax(size, fmax(fabs(z[i]), fabs(p[i])));
  }
  double tol = 1e-13 * size * n;
  BLO_EXPECT_MSG(outside(o, n, p) <= tol, "set %d, n = %d: outside by %.3g", o->type, n,
                 outside(o, n, p));
  for (int trial = 0; trial < 40; trial++) {
    double inner = 0, length = 0;
    for (int i = 0; i < n; i++) {
      direction[i] = trial == 0 ? off[i] : 3 * normal(1, trial, i);
    }
    a_point(o, n, direction, trial == 0 ? 0 : (trial % 4) / 4.0, w);
    BLO_EXPECT_MSG(outside(o, n, w) <= 1e-12 * n * (1 + o->total + o->radius),
                   "set %d: the test's own point is outside by %.3g", o->type, outside(o, n, w));
    for (int i = 0; i < n; i++) {
      inner += off[i] * (w[i] - p[i]);
      length += (w[i] - p[i]) * (w[i] - p[i]);
    }
    BLO_EXPECT_MSG(inner <= tol * (1 + sqrt(length)), "set %d, n = %d: (z - p)'(w - p) = %.3g",
                   o->type, n, inner);
  }
}

/* Points of several sizes: inside and far outside, with ties, dominated by one entry. */
enum { N_POINTS = 7 };
static void make_point(int k, int n, double *z)
{
  static const double sizes[N_POINTS] = {0.01, 1, 1, 100, 0, 1, 3};
  for (int i = 0; i < n; i++) {
    z[i] = sizes[k] * normal(2, k, i);
    z[i] = k == 2 ? round(2 * z[i]) / 2 : z[i];
    z[i] += k == 5 && i == n / 2 ? 50 : 0;
    z[i] += k == 6 ? -20 : 0;
  }
}

static void results_are_the_nearest_points(blo_comm *comm)
{
  static const int numbers[] = {1, 2, 5, 64, 200};
  for (int k = 0; k < N_SETS * 5; k++) {
    const blo_projection_options *o = &sets[k / 5];
    int n = numbers[k % 5];
    set_bench b;
    set_bench_open(comm, n, (blo_layout)(k % 3), o, &b);
    for (int j = 0; j < N_POINTS; j++) {
      double z[SET_BENCH_MAX], p[SET_BENCH_MAX], again[SET_BENCH_MAX], moved = 0;
      make_point(j, n, z);
      set_bench_project(&b, z, p);
      expect_nearest(o, n, z, p);
      set_bench_project(&b, p, again);
      for (int i = 0; i < n; i++) {
        moved = fmax(moved, fabs(again[i] - p[i]));
      }
      BLO_EXPECT_MSG(moved <= 1e-15 * n * (1 + o->total + o->radius),
                     "set %d, n = %d: a point of the set moves by %.3g", o->type, n, moved);
    }
    set_bench_close(&b);
  }
}

/* --------------------------------------------------------------- derivative */

static double dot(int n, const double *a, const double *b)
{
  double sum = 0;
  for (int i = 0; i < n; i++) {
    sum += a[i] * b[i];
  }
  return sum;
}

static void derivatives_are_those_of_differences(blo_comm *comm)
{
  enum { N = 40 };
  static const double H = 1e-6;
  for (int k = 0; k < N_SETS * 3; k++) {
    const blo_projection_options *o = &sets[k / 3];
    double z[N], u[N], v[N], up[N], down[N], du[N], dv[N], scale;
    set_bench b;
    set_bench_open(comm, N, (blo_layout)(k % 3), o, &b);
    for (int j = 0; j < N_POINTS; j++) {
      if (j == 2 || j == 4) {
        continue; /* ties: kinks */
      }
      make_point(j, N, z);
      for (int i = 0; i < N; i++) {
        u[i] = normal(3, j, i);
        v[i] = normal(4, j, i);
        up[i] = z[i] + H * v[i];
        down[i] = z[i] - H * v[i];
      }
      set_bench_project(&b, up, up);
      set_bench_project(&b, down, down);
      set_bench_pull_back(&b, z, u, du);
      set_bench_pull_back(&b, z, v, dv);
      scale = sqrt(square(N, u) * square(N, v));
      double by_difference = (dot(N, u, up) - dot(N, u, down)) / (2 * H);
      BLO_EXPECT_MSG(fabs(dot(N, v, du) - by_difference) <= 1e-7 * scale,
                     "set %d, point %d: v . DP'u = %.10g, by differences %.10g", o->type, j,
                     dot(N, v, du), by_difference);
      BLO_EXPECT_MSG(fabs(dot(N, v, du) - dot(N, u, dv)) <= 1e-14 * scale,
                     "set %d, point %d: not symmetric by %.3g", o->type, j,
                     dot(N, v, du) - dot(N, u, dv));
    }
    set_bench_close(&b);
  }
}

/* ---------------------------------------------------- ranks and layouts */

static void ranks_and_layouts_do_not_matter(blo_comm *comm)
{
  enum { N = 150 };
  blo_comm *self = NULL;
  BLO_REQUIRE_STATUS(blo_comm_create(blo_comm_context(comm), MPI_COMM_SELF, &self), BLO_OK);
  for (int k = 0; k < N_SETS * 3; k++) {
    set_bench all, alone;
    set_bench_open(comm, N, (blo_layout)(k % 3), &sets[k / 3], &all);
    set_bench_open(self, N, BLO_REPLICATED, &sets[k / 3], &alone);
    for (int j = 0; j < N_POINTS; j++) {
      double z[N], u[N], got[2][N], want[2][N];
      make_point(j, N, z);
      for (int i = 0; i < N; i++) {
        u[i] = normal(3, j, i);
      }
      set_bench_project(&all, z, got[0]);
      set_bench_pull_back(&all, z, u, got[1]);
      set_bench_project(&alone, z, want[0]);
      set_bench_pull_back(&alone, z, u, want[1]);
      BLO_EXPECT_MSG(memcmp(got, want, sizeof got) == 0, "set %d, point %d, %s: other bits",
                     sets[k / 3].type, j, blo_layout_names[k % 3]);
    }
    set_bench_close(&all);
    set_bench_close(&alone);
  }
  blo_comm_destroy(&self);
}

/* --------------------------------------------------------- options, others */

static void no_set_is_the_whole_space(blo_comm *comm)
{
  double z[3] = {1e300, -2, 0}, got[3];
  set_bench b;
  set_bench_open(comm, 3, BLO_ROOTED, &(blo_projection_options){.type = BLO_SET_NONE, .radius = 1},
                 &b);
  BLO_EXPECT_ALL(b.set == NULL);
  set_bench_project(&b, z, got);
  BLO_EXPECT_ALL(memcmp(z, got, sizeof z) == 0);
  set_bench_pull_back(&b, z, z, got);
  BLO_EXPECT_ALL(memcmp(z, got, sizeof z) == 0);
  set_bench_close(&b);
}

static void the_lower_level_has_its_own_set(blo_comm *comm)
{
  const blo_projection_options none = {.type = BLO_SET_NONE}, user = {.type = BLO_SET_USER};
  blo_projection *set = NULL;
  blo_vec *y = NULL;
  set_bench b;
  set_bench_open(comm, 5, BLO_ROOTED, &none, &b);
  BLO_REQUIRE_STATUS(blo_projection_create(b.eval, &user, BLO_LOWER, &set), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_create(blo_eval_space_y(b.eval), &y), BLO_OK);
  blo_vec_fill(y, 1.5);
  y->data[1] = -7;
  blo_projection_apply(set, y);
  BLO_EXPECT_NEAR(y->data[0], 1, 0, 0, "the bound of y");
  BLO_EXPECT_NEAR(y->data[1], -7, 0, 0, "inside");
  blo_vec_destroy(&y);
  blo_projection_destroy(&set);
  set_bench_close(&b);
}

static void sets_without_points_are_refused(blo_comm *comm)
{
  static const struct {
    blo_projection_options o;
    const char *says;
  } wrong[] = {
      {{.type = BLO_SET_BOX, .low = 2, .high = 1}, "low = 2 above high = 1"},
      {{.type = BLO_SET_BOX, .low = (double)INFINITY, .high = (double)INFINITY}, "no finite point"},
      {{.type = BLO_SET_BOX, .low = -(double)INFINITY, .high = -(double)INFINITY},
       "no finite point"},
      {{.type = BLO_SET_BALL, .center = (double)INFINITY, .radius = 1}, "finite center"},
      {{.type = BLO_SET_SIMPLEX, .total = (double)INFINITY}, "finite total"},
      {{.type = BLO_SET_USER}, "has no set of its own"},
  };
  blo_problem_type plain = set_bench_shape;
  blo_problem *p = NULL;
  blo_eval *eval = NULL;
  plain.project = NULL;
  BLO_REQUIRE_STATUS(blo_problem_create(comm, &plain, NULL, &p), BLO_OK);
  BLO_REQUIRE_STATUS(blo_eval_create(p, BLO_REPRODUCIBLE, &eval), BLO_OK);
  for (int i = 0; i < (int)(sizeof wrong / sizeof *wrong); i++) {
    blo_projection *set = NULL;
    BLO_EXPECT_STATUS(blo_projection_create(eval, &wrong[i].o, BLO_UPPER, &set), BLO_E_OPTION);
    BLO_EXPECT_ERROR_HAS(wrong[i].says);
    BLO_EXPECT_ALL(set == NULL);
  }
  blo_eval_destroy(&eval);
  blo_problem_destroy(&p);
}

static blo_status make_and_free(blo_comm *comm, void *arg)
{
  const set_bench *b = arg;
  blo_projection *set = NULL;
  blo_status status = blo_agree(comm, blo_projection_create(b->eval, &sets[4], BLO_UPPER, &set));
  blo_projection_destroy(&set);
  return status;
}

static void failing_creation_leaves_nothing(blo_comm *comm)
{
  set_bench b;
  set_bench_open(comm, 5, BLO_ROOTED, &sets[0], &b);
  BLO_EXPECT_ALL(blo_test_sweep_faults(comm, make_and_free, &b) > 0);
  set_bench_close(&b);
}

/* A ball around a point, of which blo_projection knows nothing. */
static void balls_around_points(blo_comm *comm)
{
  const double center[3] = {1, 2, -1}, z[3] = {4, 2, 3}, want[3] = {1.6, 2, -.2};
  double got[3];
  for (int k = 0; k < 3; k++) {
    blo_vec *c = NULL;
    set_bench b;
    set_bench_open(comm, 3, (blo_layout)k, &(blo_projection_options){.type = BLO_SET_NONE}, &b);
    BLO_REQUIRE_STATUS(blo_vec_create(b.z->space, &c), BLO_OK);
    set_bench_put(center, c);
    set_bench_put(z, b.z);
    blo_ball_project(c, 1, b.z, b.d);
    blo_vec_get_all(b.z, got);
    for (int i = 0; i < 3; i++) {
      BLO_EXPECT_NEAR(got[i], want[i], 4e-16, 0, "center + (3, 0, 4) / 5");
    }
    set_bench_put(z, b.z);
    blo_ball_project(c, 5.5, b.z, b.d);
    blo_vec_get_all(b.z, got);
    BLO_EXPECT_ALL(memcmp(got, z, sizeof z) == 0);
    blo_vec_destroy(&c);
    set_bench_close(&b);
  }
}

static const blo_test tests[] = {
    {"results are the nearest points", results_are_the_nearest_points},
    {"derivatives are those of differences", derivatives_are_those_of_differences},
    {"ranks and layouts do not matter", ranks_and_layouts_do_not_matter},
    {"no set is the whole space", no_set_is_the_whole_space},
    {"the lower level has its own set", the_lower_level_has_its_own_set},
    {"sets without points are refused", sets_without_points_are_refused},
    {"failing creation leaves nothing", failing_creation_leaves_nothing},
    {"balls around points", balls_around_points},
};
BLO_TEST_MAIN("projection", tests)

/* ia_gm and plain unrolling on convex_follower, entry by entry against closed forms for what they
 * converge to: a strong test of the trajectory and of its derivative, both ways. In a coordinate
 * with curvature d the inner method leaves the factor rho of the distance u_0 - x. */
#include "ride.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { N = 50 };              /* entries of x at most */
static const double A = 0.01; /* the start of every entry of x and y */

/* K steps of size s on (d / 2) e^2 from e = 1. */
static double factor_left(bool nesterov, int K, double s, double d)
{
  double e = 1, u = 1, tau = 1;
  for (int k = 0; k < K; k++) {
    double v = u - s * d * u, next = (1 + sqrt(1 + 4 * tau * tau)) / 2;
    u = nesterov ? v + (tau - 1) / next * (v - e) : v;
    e = v;
    tau = next;
  }
  return e;
}

/* y does not move w, and u_K = (1 - rho) x + rho A: F is quadratic in x. */
static double plain_limit(double rho)
{
  return (A + (1 - rho) * (1 - rho * A)) / (1 + (1 - rho) * (1 - rho));
}

/* F = 0 where x = w and (1 - rho) x + rho u_0 = 1: of these points the nearest to the start,
 * because x and z move with the same step size. */
static double learned_limit(double rho)
{
  return A + (1 - A) * (1 - rho) / ((1 - rho) * (1 - rho) + 2 * rho * rho);
}

typedef struct task {
  const char *kind, *dynamics, *init;
  double kappa, s, alpha;
  int n, K;
  double error; /* |x - e| / |e| at the limit, as the tables of docs/methods/ia_gm.md have it */
} task;

static double d_of(const task *t, int i)
{
  return strcmp(t->kind, "llc") == 0 ? 1 : pow(t->kappa, (double)i / (t->n - 1) - 1);
}

/* Run to the limit. @param[out] x [n] */
static void run(blo_comm *comm, const task *t, double *x)
{
  char problem[256], text[256];
  ride r;
  snprintf(problem, sizeof problem, "{kind: %s, n: %d, kappa: %g, x0: 0.01, shards: 4}", t->kind,
           t->n, t->kappa);
  snprintf(text, sizeof text,
           "{lower: {steps: %d, step: %g, dynamics: %s}, init: {type: %s, step: %g}, upper: {step: "
           "%g}}",
           t->K, t->s, t->dynamics, t->init, t->alpha, t->alpha);
  ride_known(comm, "convex_follower", problem, "ia_gm", text, 1, &r);
  ride_to(&r, 180);
  bench_get(r.s->x, x);
  ride_close(comm, &r);
}

static void compare(blo_comm *comm, const task *t)
{
  double x[N], square = 0, worst = 0;
  bool nesterov = strcmp(t->dynamics, "nesterov") == 0, fixed = strcmp(t->init, "fixed") == 0;
  run(comm, t, x);
  for (int i = 0; i < t->n; i++) {
    double rho = factor_left(nesterov, t->K, t->s, d_of(t, i));
    double limit = fixed ? plain_limit(rho) : learned_limit(rho);
    worst = fmax(worst, fabs(x[i] - limit));
    square += (x[i] - 1) * (x[i] - 1);
  }
  BLO_EXPECT_MSG(worst < 2e-13, "%s, %s, %s, kappa = %g, K = %d: off by %.3g", t->kind, t->dynamics,
                 t->init, t->kappa, t->K, worst);
  BLO_EXPECT_NEAR(sqrt(square / t->n), t->error, 6e-3, 0, "the tables");
}

static void limits_are_closed_forms(blo_comm *comm)
{
  static const task tasks[] = {
      {"llc", "gradient", "fixed", 1, 0.1, 0.6, 2, 5, 0.643},
      {"llc", "gradient", "fixed", 1, 0.1, 0.6, 2, 20, 0.499},
      {"llc", "gradient", "fixed", 1, 0.1, 0.6, 2, 50, 0.495},
      {"llc", "gradient", "learned", 1, 0.1, 0.6, 2, 5, 0.521},
      {"llc", "gradient", "learned", 1, 0.1, 0.6, 2, 20, 0.0954},
      {"llc", "gradient", "learned", 1, 0.1, 0.6, 2, 50, 0.00508},
      {"llc", "nesterov", "fixed", 1, 0.1, 0.6, 2, 20, 0.49486},
      {"diagonal", "gradient", "learned", 100, 1, 0.6, N, 16, 0.411},
      {"diagonal", "nesterov", "learned", 100, 1, 0.6, N, 16, 0.160},
      {"diagonal", "nesterov", "learned", 100, 1, 0.6, N, 64, 0.0124},
      {"diagonal", "nesterov", "learned", 1000, 1, 0.6, N, 16, 0.522},
  };
  for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) {
    compare(comm, &tasks[i]);
  }
  /* K = 5, 20, 50 with digits */
  BLO_EXPECT_NEAR(plain_limit(pow(0.9, 5)), 0.357191, 0, 5e-7, "prototype");
  BLO_EXPECT_NEAR(plain_limit(pow(0.9, 20)), 0.500870, 0, 5e-7, "prototype");
  BLO_EXPECT_NEAR(plain_limit(pow(0.9, 50)), 0.504993, 0, 5e-7, "prototype");
}

static const blo_test tests[] = {
    {"limits are closed forms", limits_are_closed_forms},
};
BLO_TEST_MAIN("ia_gm", tests)

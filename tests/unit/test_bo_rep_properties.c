/* Properties of bo_rep with digits: the length of its steps, the error of the truncated series, the
 * mean of an epoch, what balls allow, when y moves; and where a step without normalisation diverges
 * and bo_rep does not. */
#include "plain.h"
#include "ride.h"
#include "transplant.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SEED = 5 };

/* ------------------------------------------------- the length of the steps */

/* ||x_{k+1} - x_k|| = eta; x - x_old has an error of up to ||x|| eps. With f of any size: squares
 * of the gradient's entries leave the range of doubles at 1e-200 and 1e200. */
static void steps_have_one_length(blo_comm *comm)
{
  static const double scales[] = {1, 1e-200, 1e200, 1e-290};
  for (int i = 0; i < 4; i++) {
    ride r;
    double before[QUADRATIC_N_X];
    ride_fixture(comm, FIXTURE_QUADRATIC, "bo_rep",
                 "refine: {epochs: 0}\nlower: {interval: 2, steps: 2, step: 0.2, batch: 10}\n"
                 "adjoint: {iterations: 2, step: 0.2, batch: 10}\nupper: {step: 0.03, batch: 10}",
                 SEED, &r);
    quadratic_faults(r.f.problem)->upper_scale = scales[i];
    r.s->want_norms = true;
    for (int k = 0; k < 20; k++) {
      memcpy(before, r.s->x->data, sizeof before);
      ride_step(&r);
      BLO_EXPECT_NEAR(plain_distance(QUADRATIC_N_X, before, r.s->x->data), 0.03, 0,
                      20 * DBL_EPSILON, "eta");
    }
    ride_close(comm, &r);
  }
}

/* Where f = 0, m = 0: x stands still. */
static void no_momentum_no_step(blo_comm *comm)
{
  ride r;
  double before[QUADRATIC_N_X];
  ride_fixture(comm, FIXTURE_QUADRATIC, "bo_rep", "refine: {epochs: 0}", SEED, &r);
  quadratic_faults(r.f.problem)->upper_scale = 0;
  r.s->want_norms = true;
  memcpy(before, r.s->x->data, sizeof before);
  ride_step(&r);
  BLO_EXPECT_ALL(memcmp(before, r.s->x->data, sizeof before) == 0);
  BLO_EXPECT_ALL(r.report.hypergrad_norm == 0);
  ride_close(comm, &r);
}

/* ------------------------------------------------------------ the series */

/* Scalar H = 2, l = 4, Q = 3, grad_y f = -1, J = -1: h = -(1/l) (1 + 1/2 + 1/4) = -0.4375, 0.0625
 * from -H^-1. */
static void series_of_a_scalar(blo_comm *comm)
{
  ride r;
  ride_known(comm, "penalty_quadratic", "{kind: scalar, shards: 4}", "bo_rep",
             "refine: {epochs: 0}\nadjoint: {iterations: 2, step: 0.25, batch: 0}\n"
             "upper: {step: 1, batch: 0}",
             SEED, &r);
  r.s->want_norms = true;
  ride_step(&r);
  BLO_EXPECT_NEAR(r.report.hypergrad_norm, 0.4375, 1e-15, 0, "(1 + 1/2 + 1/4) / 4");
  BLO_EXPECT_NEAR(0.5 - r.report.hypergrad_norm, 0.0625, 1e-14, 0, "(1/2)^3 / 2");
  blo_vec_publish(r.s->x);
  BLO_EXPECT_NEAR(r.s->x->data[0], 1, 1e-15, 0, "down the slope, which is negative");
  ride_close(comm, &r);
}

#define SMOOTH "n_x: 7, n_y: 9, n: 64, shards: 4"

/* The residual of the series is -(1 - H / l)^Q grad_y f exactly; here by Q products with H. */
static void series_is_cut_after_q_terms(blo_comm *comm)
{
  static const int terms[] = {2, 4, 8, 16};
  for (int i = 0; i < 4; i++) {
    bench b;
    ride r;
    char text[256];
    bench_open(comm, "unbounded_smoothness", "{x0: 1, " SMOOTH "}", &b);
    int Q = terms[i];
    snprintf(text, sizeof text,
             "refine: {epochs: 0}\nadjoint: {iterations: %d, step: 0.2, batch: 0}\n"
             "upper: {batch: 0}",
             Q - 1);
    ride_known(comm, "unbounded_smoothness", "{x0: 1, " SMOOTH "}", "bo_rep", text, SEED, &r);
    r.s->want_norms = true;
    ride_step(&r);
    oracles o = bench_ask(&b, b.x->data, b.y->data, bench_zeros);
    double w[BENCH_MAX], x[BENCH_MAX], y[BENCH_MAX];
    memcpy(x, b.x->data, 7 * sizeof *x);
    memcpy(y, b.y->data, 9 * sizeof *y);
    memcpy(w, o.f_y, sizeof w);
    for (int q = 0; q < Q; q++) {
      o = bench_ask(&b, x, y, w);
      for (int j = 0; j < 9; j++) {
        w[j] -= 0.2 * o.hv[j];
      }
    }
    BLO_EXPECT_NEAR(r.report.adjoint_residual, blo_array_norm(9, w), 1e-12, 0, "(1 - H/l)^Q f_y");
    ride_close(comm, &r);
    bench_close(comm, &b);
  }
}

/* -------------------------------------------------------- the lower level */

static double error_y(const ride *r)
{
  return ride_at(r).error_y;
}

/* On (1/2) h y^2 - b y the mean of T steps a from a distance e is e q (1 - q^T) / ((1 - q) T) away,
 * q = 1 - a h; h = 1, a = 0.1, T = 10: 0.58618940391. The second epoch has T = 20, a = 0.05, and
 * takes two iterations. */
static void mean_of_an_epoch(blo_comm *comm)
{
  ride r;
  ride_known(comm, "unbounded_smoothness",
             "{n_x: 1, n_y: 1, low: 1, high: 1, y0: 50, n: 8, shards: 4}", "bo_rep",
             "refine: {epochs: 2, steps: 10, step: 0.1}\nlower: {batch: 0}", SEED, &r);
  r.s->want_norms = true;
  double before = error_y(&r);
  ride_step(&r);
  BLO_EXPECT_NEAR(error_y(&r) / before, 0.58618940391, 1e-11, 0, "q (1 - q^T) / ((1 - q) T)");
  BLO_EXPECT_ALL(r.report.lower_steps == 10 && r.report.step_y == 0.1 && isnan(r.report.step_x));
  before = error_y(&r);
  double q = 0.95;
  ride_step(&r);
  BLO_EXPECT_NEAR(error_y(&r) / before, pow(q, 10), 1e-13, 0, "half of the epoch: w");
  ride_step(&r);
  BLO_EXPECT_NEAR(error_y(&r) / before, q * (1 - pow(q, 20)) / (0.05 * 20), 1e-13, 0,
                  "q (1 - q^T) / ((1 - q) T)");
  BLO_EXPECT_ALL(r.report.lower_steps == 10 && r.report.step_y == 0.05);
  ride_close(comm, &r);
}

/* 1 + 2 + 4 + ... iterations of T steps: all of them as long, and a time limit counts on that. */
static void refinement_takes_equal_iterations(blo_comm *comm)
{
  ride r;
  ride_fixture(comm, FIXTURE_QUADRATIC, "bo_rep",
               "refine: {epochs: 4, steps: 7}\nlower: {batch: 0}", SEED, &r);
  ride_expect_described(r.s,
                        "the first 15 iterations refine y, x stands still: 105 gradients of g");
  for (int k = 0; k < 15; k++) {
    ride_step(&r);
    BLO_EXPECT_ALL(r.report.lower_steps == 7 && isnan(r.report.step_x));
  }
  ride_step(&r);
  BLO_EXPECT_ALL(r.report.lower_steps == 0 && r.report.step_x > 0);
  ride_close(comm, &r);
}

/* Within an epoch, too, all that counts is in the state: its center, which the ball is around, and
 * the mean so far. */
static void refinement_goes_on_elsewhere(blo_comm *comm)
{
  static const char settings[] = "refine: {epochs: 3, steps: 3, step: 0.3, radius: 0.1}\n"
                                 "lower: {batch: 20}";
  for (int k = 1; k < 7; k++) {
    ride a, b;
    ride_fixture(comm, FIXTURE_QUADRATIC, "bo_rep", settings, SEED, &a);
    ride_fixture(comm, FIXTURE_QUADRATIC, "bo_rep", settings, SEED, &b);
    ride_to(&a, k);
    transplant(a.s->state, b.s->state);
    ride_to(&a, 8);
    ride_to(&b, 8);
    BLO_EXPECT_MSG(memcmp(a.s->y->data, b.s->y->data, QUADRATIC_N_Y * sizeof(double)) == 0 &&
                       memcmp(a.s->x->data, b.s->x->data, QUADRATIC_N_X * sizeof(double)) == 0,
                   "after iteration %d", k);
    ride_close(comm, &a);
    ride_close(comm, &b);
  }
}

/* Balls of radius D, D / sqrt(2), ... reach no farther than D sqrt(2) / (sqrt(2) - 1) = 3.414 D,
 * and a far target makes use of that. x stands still. */
static void balls_have_a_reach(blo_comm *comm)
{
  enum { NY = 9, S = 10 };
  ride r;
  double first[NY], before[NY], x[7];
  ride_known(comm, "unbounded_smoothness", "{y0: 1000, x0: 2, " SMOOTH "}", "bo_rep",
             "refine: {epochs: 10, steps: 4, step: 0.3, radius: 20}\nlower: {batch: 0}", SEED, &r);
  r.s->want_norms = true;
  memcpy(first, r.s->y->data, sizeof first);
  memcpy(x, r.s->x->data, sizeof x);
  for (int s = 0; s < S; s++) {
    double D = 20 * pow(0.5, s / 2.0);
    memcpy(before, r.s->y->data, sizeof before);
    ride_to(&r, (1 << (s + 1)) - 1);
    double moved = plain_distance(NY, before, r.s->y->data);
    BLO_EXPECT_MSG(moved <= D + 1e-8 && moved > 0.9 * D, "epoch %d: %.3g of %.3g", s, moved, D);
  }
  double reach = plain_distance(NY, first, r.s->y->data), bound = 20 * sqrt(2) / (sqrt(2) - 1);
  BLO_EXPECT_MSG(reach <= bound && reach > 0.9 * bound && error_y(&r) > 1000, "%.4g of %.4g", reach,
                 bound);
  BLO_EXPECT_ALL(memcmp(x, r.s->x->data, sizeof x) == 0);
  ride_close(comm, &r);
}

/* |B| in the Frobenius norm, from products with unit vectors. */
static double size_of_b(blo_comm *comm)
{
  bench b;
  double sum = 0, x[BENCH_MAX], y[BENCH_MAX];
  bench_open(comm, "unbounded_smoothness", "{" SMOOTH "}", &b);
  memcpy(x, b.x->data, 7 * sizeof *x);
  memcpy(y, b.y->data, 9 * sizeof *y);
  for (int j = 0; j < 9; j++) {
    double e[BENCH_MAX] = {0};
    e[j] = 1;
    oracles o = bench_ask(&b, x, y, e);
    sum += blo_array_dot(7, o.jv, o.jv);
  }
  bench_close(comm, &b);
  return sqrt(sum);
}

/* y stands still between updates, moves R at most in each, and is no farther from y*(x) than it was
 * after the update plus Lip(y*) times the way of x, Lip(y*) <= |B| / low. */
static void y_is_updated_periodically(blo_comm *comm)
{
  enum { NY = 9, I = 5 };
  ride r;
  double before[NY], bound = 0, lip = size_of_b(comm), eta = 0.05;
  int updates = 0;
  ride_known(comm, "unbounded_smoothness", "{noise: 0.2, hessian_noise: 0.1, " SMOOTH "}", "bo_rep",
             "refine: {epochs: 4, steps: 10, step: 0.1}\n"
             "lower: {interval: 5, steps: 10, step: 0.1, radius: 0.1, batch: 4}\n"
             "adjoint: {iterations: 4, step: 0.2, batch: 4}\nupper: {step: 0.05, batch: 4}",
             SEED, &r);
  r.s->want_norms = true;
  ride_to(&r, 15);
  bound = error_y(&r);
  for (int k = 0; k < 60; k++) {
    memcpy(before, r.s->y->data, sizeof before);
    ride_step(&r);
    double moved = plain_distance(NY, before, r.s->y->data);
    bool now = k > 0 && k % I == 0;
    BLO_EXPECT_MSG(now ? moved > 1e-3 && moved <= 0.1 * (1 + 1e-14) : moved == 0,
                   "iteration %d: y moves by %.3g", k, moved);
    /* the error is taken after the step of x, of length eta */
    bound = now ? error_y(&r) : bound + lip * eta;
    BLO_EXPECT_MSG(error_y(&r) <= bound, "iteration %d: %.4g above %.4g", k, error_y(&r), bound);
    updates += now;
  }
  BLO_EXPECT_ALL(updates == 11);
  ride_close(comm, &r);
}

/* -------------------------------------------------------------- divergence */

/* Steps until the method fails, at most `most`; the largest entry of x goes to `x`. */
static int steps_until_failure(blo_comm *comm, const char *problem, const char *method,
                               const char *settings, int most, double *x)
{
  ride r;
  int k;
  ride_known(comm, "unbounded_smoothness", problem, method, settings, SEED, &r);
  r.s->want_norms = true;
  blo_status status = ride_until_failure(&r, most, &k);
  BLO_EXPECT_MSG(status == BLO_OK || status == BLO_E_NONFINITE, "%s", blo_status_text(status));
  *x = 0;
  for (blo_int i = 0; i < blo_space_n(r.s->x->space); i++) {
    *x = fmax(*x, fabs(r.s->x->data[i]));
  }
  ride_close(comm, &r);
  return k;
}

#define ALONE    "{coupling: 0, x0: 8, n_x: 4, n_y: 3, n: 8, shards: 4}"
#define TOGETHER "{x0: 8, n: 64, shards: 4}"
#define STOCBIO                                                                                    \
  "lower: {steps: 5, step: 0.05, batch: 0}\nadjoint: {iterations: 5, step: 0.2, batch: 0}\n"       \
  "upper: {batch: 0, step: %.17g}"

/* Gradient descent on cosh x - 1 from x0 shrinks |x| if and only if eta < 2 x0 / sinh(x0) =
 * 0.010735 at 8: the levels are independent. With levels that are not, the same to a factor below
 * two. */
static void a_plain_step_has_a_limit(blo_comm *comm)
{
  double limit = 2 * 8 / sinh(8), x;
  char text[256];
  BLO_EXPECT_NEAR(limit, 0.010735, 1e-4, 0, "docs/methods/bo_rep.md");
  snprintf(text, sizeof text, STOCBIO, limit * 1.005);
  BLO_EXPECT_ALL(steps_until_failure(comm, ALONE, "stocbio", text, 300, &x) < 300);
  snprintf(text, sizeof text, STOCBIO, limit * 0.995);
  BLO_EXPECT_ALL(steps_until_failure(comm, ALONE, "stocbio", text, 400, &x) == 400 && x < 1);
  snprintf(text, sizeof text, STOCBIO, limit * 2);
  BLO_EXPECT_ALL(steps_until_failure(comm, TOGETHER, "stocbio", text, 300, &x) < 300);
  snprintf(text, sizeof text, STOCBIO, limit / 2);
  BLO_EXPECT_ALL(steps_until_failure(comm, TOGETHER, "stocbio", text, 400, &x) == 400 && x < 3);
}

/* A step twenty times as long, from there and from farther away. */
static void a_normalised_step_has_none(blo_comm *comm)
{
  static const char *const problems[] = {TOGETHER, "{x0: 12, n: 64, shards: 4}",
                                         "{x0: 300, n: 64, shards: 4}",
                                         "{kind: quartic, x0: 8, n: 64, shards: 4}"};
  for (int i = 0; i < 4; i++) {
    double x;
    bool far =
        i == 2; /* a way of 300 20^(1/2), in steps of 8; without momentum, which remembers e^300 */
    int k = steps_until_failure(
        comm, problems[i], "bo_rep",
        far ? "refine: {epochs: 5}\nupper: {step: 8, momentum: 0, batch: 0}\nlower: {batch: 0}"
            : "refine: {epochs: 5}\nupper: {step: 0.2, batch: 0}\nlower: {batch: 0}",
        400, &x);
    BLO_EXPECT_MSG(k == 400 && x < (far ? 10 : 3), "%s: %d steps, |x| = %.3g", problems[i], k, x);
  }
}

/* ------------------------------------------------------ what is not finite */

/* A lower step beyond the range of doubles: the epoch that made it says so, not the next sweep. */
static void an_epoch_looks_at_y(blo_comm *comm)
{
  ride r;
  ride_fixture(comm, FIXTURE_QUADRATIC, "bo_rep",
               "refine: {epochs: 1, steps: 1, step: 1e12}\nlower: {batch: 0}", SEED, &r);
  quadratic_faults(r.f.problem)->shift = 1e300;
  r.s->want_norms = true;
  blo_vec_fill(r.s->y, 1);
  BLO_EXPECT_STATUS(blo_solver_step(r.s, &r.report), BLO_E_NONFINITE);
  BLO_EXPECT_ERROR_HAS("y is not finite after the lower steps of iteration 0");
  ride_close(comm, &r);
}

/* ----------------------------------------------------------------- refusals */

static void what_makes_no_sense_is_refused(blo_comm *comm)
{
  fixture f;
  fixture_make(comm, FIXTURE_TASKS, "", BLO_REPRODUCIBLE, &f);
  ride_expect_refused(&f, "bo_rep", "lower: {batch: 20}\nadjoint: {batch: 20}\nupper: {batch: 20}",
                      BLO_E_UNSUPPORTED, "bo_rep cannot take batches of tasks");
  ride_expect_refused(&f, "bo_rep", "lower: {batch: 0}\nadjoint: {batch: 0}\nupper: {batch: 20}",
                      BLO_E_UNSUPPORTED, "solver.upper.batch");
  fixture_free(comm, &f);
  fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &f);
  ride_expect_refused(&f, "bo_rep", "adjoint: {linear_system: true, warm_start: true}",
                      BLO_E_OPTION, "solver.adjoint.warm_start");
  fixture_free(comm, &f);
}

static const blo_test tests[] = {
    {"steps have one length", steps_have_one_length},
    {"no momentum, no step", no_momentum_no_step},
    {"series of a scalar", series_of_a_scalar},
    {"series is cut after Q terms", series_is_cut_after_q_terms},
    {"mean of an epoch", mean_of_an_epoch},
    {"refinement takes equal iterations", refinement_takes_equal_iterations},
    {"refinement goes on elsewhere", refinement_goes_on_elsewhere},
    {"balls have a reach", balls_have_a_reach},
    {"y is updated periodically", y_is_updated_periodically},
    {"a plain step has a limit", a_plain_step_has_a_limit},
    {"a normalised step has none", a_normalised_step_has_none},
    {"an epoch looks at y", an_epoch_looks_at_y},
    {"what makes no sense is refused", what_makes_no_sense_is_refused},
};
BLO_TEST_MAIN("bo_rep_properties", tests)

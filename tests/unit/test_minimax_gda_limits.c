/* Where minimax_gda ends, on penalty_quadratic, against closed forms: the penalised solutions for a
 * fixed penalty, their bias of order 1/a and its values, the error after each of several stages
 * with and without decay of the upper step, extrapolation, the stopping test, and sets. */
#include "plain.h"
#include "ride.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NX = 8, NY = 12, NZ = NX + 2 * NY, SHARDS = 4 };

static const double RHO = 0.1, LARGEST = 4; /* rho of f, the largest eigenvalue of A */

/* -------------------------------------------------------------- references */

/* The problem's numbers: g_y = A y + J'x - c, g_x = J y, f_y = y - t, f_x = RHO x. */
typedef struct numbers {
  double A[NY][NY], J[NX][NY], c[NY], t[NY];
} numbers;

static void read_numbers(bench *b, numbers *q)
{
  for (int j = 0; j < NY; j++) {
    double e[NY] = {0};
    e[j] = 1;
    oracles o = bench_ask(b, bench_zeros, bench_zeros, e);
    for (int i = 0; i < NY; i++) {
      q->A[i][j] = o.hv[i];
    }
    for (int i = 0; i < NX; i++) {
      q->J[i][j] = o.jv[i];
    }
    q->c[j] = -o.g_y[j];
    q->t[j] = -o.f_y[j];
  }
}

/* Gauss elimination with pivots, in place; the solution is in the last column. */
static void eliminate(double z[NZ][NZ + 1])
{
  for (int k = 0; k < NZ; k++) {
    int p = k;
    for (int i = k; i < NZ; i++) {
      p = fabs(z[i][k]) > fabs(z[p][k]) ? i : p;
    }
    for (int j = 0; j <= NZ; j++) {
      double swap = z[k][j];
      z[k][j] = z[p][j];
      z[p][j] = swap;
    }
    double pivot = z[k][k];
    for (int j = 0; j <= NZ; j++) {
      z[k][j] /= pivot;
    }
    for (int i = 0; i < NZ; i++) {
      double factor = i == k ? 0 : z[i][k];
      for (int j = 0; j <= NZ; j++) {
        z[i][j] -= factor * z[k][j];
      }
    }
  }
}

/* The stationary point of f(x, w) + a (g(x, w) - g(x, u)) in x, u and d = a (w - u):
 *     RHO x + J d = 0      A d + u + d / a - t = 0      A u + J'x - c = 0
 * well conditioned for all a; 1/a = 0 gives the bilevel solution. */
static void penalised(const numbers *q, double inverse_a, double *x, double *w)
{
  double z[NZ][NZ + 1] = {{0}};
  for (int i = 0; i < NX; i++) {
    z[i][i] = RHO;
    for (int j = 0; j < NY; j++) {
      z[i][NX + j] = q->J[i][j];
      z[NX + NY + j][i] = q->J[i][j];
    }
  }
  for (int i = 0; i < NY; i++) {
    for (int j = 0; j < NY; j++) {
      z[NX + i][NX + j] = q->A[i][j];
      z[NX + NY + i][NX + NY + j] = q->A[i][j];
    }
    z[NX + i][NX + i] += inverse_a;
    z[NX + i][NX + NY + i] = 1;
    z[NX + i][NZ] = q->t[i];
    z[NX + NY + i][NZ] = q->c[i];
  }
  eliminate(z);
  for (int i = 0; i < NX; i++) {
    x[i] = z[i][NZ];
  }
  for (int i = 0; i < NY; i++) {
    w[i] = z[NX + NY + i][NZ] + inverse_a * z[NX + i][NZ];
  }
}

/* -------------------------------------------------------------------- runs */

typedef struct run {
  bench b;
  blo_solver *s;
  blo_report r;
} run;

static void begin(blo_comm *comm, const char *problem, const char *text, run *to)
{
  bench_open(comm, "penalty_quadratic", problem, &to->b);
  to->s = ride_make(&to->b.f, "minimax_gda", text, 1);
}

static void end(blo_comm *comm, run *r)
{
  blo_solver_destroy(&r->s);
  bench_close(comm, &r->b);
}

/* Up to `steps` steps, until the method says that it has converged: how many were made. */
static int go(run *r, int steps)
{
  blo_status status = BLO_OK;
  int k = 0;
  for (r->r.converged = false; k < steps && status == BLO_OK && !r->r.converged; k++) {
    status = blo_solver_step(r->s, &r->r);
  }
  BLO_REQUIRE_STATUS(status, BLO_OK);
  return k;
}

static const double *x_of(const run *r)
{
  return r->s->x->data;
}

static const double *w_of(const run *r)
{
  return r->s->y->data;
}

static const double *u_of(const run *r)
{
  return ride_kept(r->s, "lower.u")->data;
}

/* Settings of one stage with the penalty a and steps that suit it. */
static void fixed_penalty(double a, double curvature, char *text, size_t cap)
{
  snprintf(text, cap,
           "lower: {batch: 0, step: %.17g}\nupper: {batch: 0, step: 0.2}\n"
           "stages: {penalty: %.17g, growth: 1, number: 1}\n",
           1 / (1 + a * curvature), a);
}

/* ------------------------------------------------------------ fixed penalty */

/* A = 2, t = 1, rho = 0.1: x_a = A t M / (M + rho A^2) with M = a A / (1 + a A), w_a = (t + a x_a)
 * / (1 + a A), F - F_a there, its bound l^2 / (2 a A) with l = |y* - t|; digits from another
 * program. */
static void scalar_closed_forms(blo_comm *comm)
{
  static const double rows[][5] = {{1, 1.250000, 0.750000, 0.023438, 0.035156},
                                   {10, 1.408451, 0.718310, 0.002083, 0.002187},
                                   {100, 1.426534, 0.714693, 0.000205, 0.0002055}};
  for (int i = 0; i < 3; i++) {
    char text[512];
    run r;
    double a = rows[i][0], M = 2 * a / (1 + 2 * a), want = 2 * M / (M + 0.4), one = 1;
    fixed_penalty(a, 2, text, sizeof text);
    begin(comm, "{kind: scalar, shards: 4}", text, &r);
    go(&r, 600);
    double x = x_of(&r)[0], w = w_of(&r)[0], u = u_of(&r)[0];
    BLO_EXPECT_NEAR(x, want, 0, 1e-12, "A t M / (M + rho A^2)");
    BLO_EXPECT_NEAR(x, rows[i][1], 0, 6e-7, "another program");
    BLO_EXPECT_NEAR(w, (1 + a * want) / (1 + 2 * a), 0, 1e-12, "(t + a x_a) / (1 + a A)");
    BLO_EXPECT_NEAR(w, rows[i][2], 0, 6e-7, "another program");
    BLO_EXPECT_NEAR(u, want / 2, 0, 1e-12, "y*(x_a)");
    oracles at_w = bench_ask(&r.b, &x, &w, &one), at_u = bench_ask(&r.b, &x, &u, &one);
    double loss = bench_metrics(&r.b, &x, &u).F - (at_w.f + a * (at_w.g - at_u.g));
    BLO_EXPECT_NEAR(loss, rows[i][3], 0, 6e-7, "another program");
    BLO_EXPECT_NEAR((u - 1) * (u - 1) / (4 * a), rows[i][4], 0, 6e-7, "another program");
    BLO_EXPECT_ALL(loss > 0 && loss < (u - 1) * (u - 1) / (4 * a));
    BLO_EXPECT_ALL(r.r.penalty == a);
    end(comm, &r);
  }
}

/* For each a the run ends at x_a, and the error of x_a times a tends to a constant. */
static void error_is_inverse_to_the_penalty(blo_comm *comm)
{
  double scaled[4], x[NX], w[NY], best[NX];
  for (int i = 0; i < 4; i++) {
    char text[512];
    run r;
    numbers q;
    double a = pow(10, i);
    fixed_penalty(a, LARGEST, text, sizeof text);
    begin(comm, "{shards: 4}", text, &r);
    read_numbers(&r.b, &q);
    penalised(&q, 1 / a, x, w);
    go(&r, 1600);
    BLO_EXPECT_NEAR(plain_distance(NX, x_of(&r), x), 0, 0, 1e-12, "x_a by elimination");
    BLO_EXPECT_NEAR(plain_distance(NY, w_of(&r), w), 0, 0, 1e-12, "w_a by elimination");
    penalised(&q, 0, best, w);
    scaled[i] = a * plain_distance(NX, x_of(&r), best);
    BLO_EXPECT_NEAR(known_at(&r.b.f, r.s->x, r.s->y).error_x, scaled[i] / a, 1e-9, 1e-13,
                    "1/a = 0 in the system of the penalised solution");
    end(comm, &r);
  }
  BLO_EXPECT_MSG(scaled[0] > 0.05 && fabs(scaled[2] / scaled[3] - 1) < 0.02 &&
                     fabs(scaled[1] / scaled[3] - 1) < 0.2,
                 "a |x_a - x*| = %.4g, %.4g, %.4g, %.4g for a = 1, 10, 100, 1000", scaled[0],
                 scaled[1], scaled[2], scaled[3]);
}

/* ------------------------------------------------------------------ stages */

enum { STAGES = 8, STEPS = 400 };

/* Steps of the first stage, momentum of u, w and x. */
typedef struct stage_steps {
  double r, e, stage_decay, momentum;
  bool rescale;
} stage_steps;

/* The errors of x after each stage, a = 1, 2, ... 128. */
static void errors_of_stages(blo_comm *comm, const stage_steps *o, double error[STAGES])
{
  char text[512];
  run r;
  snprintf(text, sizeof text,
           "lower: {batch: 0, step: %.17g, momentum: %g}\n"
           "upper: {batch: 0, step: %.17g, momentum: %g, stage_decay: %g}\n"
           "stages: {penalty: 0.5, growth: 2, number: %d, steps: %d, rescale: %s}\n",
           o->r, o->momentum, o->e, o->momentum, o->stage_decay, STAGES, STEPS,
           o->rescale ? "true" : "false");
  begin(comm, "{shards: 4}", text, &r);
  for (int i = 0; i < STAGES; i++) {
    go(&r, STEPS);
    BLO_EXPECT_ALL(r.r.penalty == ldexp(1, i));
    BLO_EXPECT_NEAR(r.r.step_y, ldexp(o->r, -i), 1e-15, 0, "r tau^-i");
    BLO_EXPECT_NEAR(r.r.step_x, ldexp(o->e, o->stage_decay > 0 ? -i : 0), 1e-15, 0, "e tau^(-q i)");
    error[i] = known_at(&r.b.f, r.s->x, r.s->y).error_x;
  }
  end(comm, &r);
}

/* With a constant upper step each stage halves the error; with the step of the authors' code x
 * comes to a halt far from x*. */
static void stages_halve_the_error(blo_comm *comm)
{
  double constant[STAGES], decayed[STAGES];
  errors_of_stages(comm, &(stage_steps){0.1, 0.1, 0, 0, false}, constant);
  errors_of_stages(comm, &(stage_steps){0.1, 0.1, 1, 0, false}, decayed);
  for (int i = 3; i < STAGES; i++) {
    double ratio = constant[i] / constant[i - 1];
    BLO_EXPECT_MSG(ratio > 0.4 && ratio < 0.6, "stage %d: %.3g after %.3g", i, constant[i],
                   constant[i - 1]);
  }
  BLO_EXPECT_MSG(decayed[STAGES - 1] > 0.9 * decayed[STAGES - 2] &&
                     decayed[STAGES - 1] > 5 * constant[STAGES - 1],
                 "decayed steps: %.3g after %.3g; constant ones: %.3g", decayed[STAGES - 1],
                 decayed[STAGES - 2], constant[STAGES - 1]);
}

/* With momentum x comes to a halt where a (w - u) jumps with the penalty, and goes on where it does
 * not. */
static void rescaling_lets_momentum_go_on(blo_comm *comm)
{
  double jumping[STAGES], rescaled[STAGES];
  errors_of_stages(comm, &(stage_steps){0.01, 0.005, 0, 0.9, false}, jumping);
  errors_of_stages(comm, &(stage_steps){0.01, 0.005, 0, 0.9, true}, rescaled);
  for (int i = 3; i < STAGES; i++) {
    double ratio = rescaled[i] / rescaled[i - 1];
    BLO_EXPECT_MSG(ratio > 0.4 && ratio < 0.6, "stage %d: %.3g after %.3g", i, rescaled[i],
                   rescaled[i - 1]);
  }
  BLO_EXPECT_MSG(jumping[STAGES - 1] > 3 * rescaled[STAGES - 1], "%.3g, rescaled %.3g",
                 jumping[STAGES - 1], rescaled[STAGES - 1]);
}

/* Extrapolated from the penalties a and 2 a: the error, with that at 2 a. */
static double extrapolated_error(blo_comm *comm, double a, double *plain)
{
  char text[512];
  run r;
  numbers q;
  double x[2][NX], w[2][NY];
  snprintf(text, sizeof text,
           "lower: {batch: 0, step: %.17g}\nupper: {batch: 0, step: 0.2}\n"
           "stages: {penalty: %.17g, growth: 2, number: 2, steps: 1500, richardson: true}\n",
           1 / (1 + a * LARGEST), a / 2);
  begin(comm, "{shards: 4}", text, &r);
  BLO_EXPECT_ALL(go(&r, 10000) == 3000);
  read_numbers(&r.b, &q);
  penalised(&q, 1 / a, x[0], w[0]);
  penalised(&q, 0.5 / a, x[1], w[1]);
  for (int i = 0; i < NX; i++) {
    BLO_EXPECT_NEAR(x_of(&r)[i], 2 * x[1][i] - x[0][i], 0, 1e-11, "2 x_2a - x_a");
  }
  for (int i = 0; i < NY; i++) {
    BLO_EXPECT_NEAR(w_of(&r)[i], 2 * w[1][i] - w[0][i], 0, 1e-11, "2 w_2a - w_a");
  }
  double error = known_at(&r.b.f, r.s->x, r.s->y).error_x;
  penalised(&q, 0, x[0], w[0]);
  *plain = plain_distance(NX, x[1], x[0]);
  end(comm, &r);
  return error;
}

/* The extrapolated error is O(1/a^2): 100 times less at 10 times the penalty. */
static void extrapolation_gains_an_order(blo_comm *comm)
{
  double plain[2], error[2];
  error[0] = extrapolated_error(comm, 10, &plain[0]);
  error[1] = extrapolated_error(comm, 100, &plain[1]);
  BLO_EXPECT_MSG(error[0] < 0.1 * plain[0] && error[1] < 0.01 * plain[1] &&
                     error[0] > 60 * error[1] && error[0] < 140 * error[1],
                 "%.3g and %.3g, without extrapolation %.3g and %.3g", error[0], error[1], plain[0],
                 plain[1]);
}

/* The run ends with the first stage after which the change of x says that its error is below tol.
 */
static void stops_by_its_estimate(blo_comm *comm)
{
  static const double tol = 0.02;
  char text[512];
  run r;
  numbers q;
  double x[2][NX], w[NY];
  int stage = 0;
  snprintf(text, sizeof text,
           "lower: {batch: 0, step: %.17g}\nupper: {batch: 0, step: 0.2}\n"
           "stages: {penalty: 0.5, growth: 3, number: 9, steps: 800, tol: %g}\n",
           1 / (1 + 1.5 * LARGEST), tol);
  begin(comm, "{shards: 4}", text, &r);
  read_numbers(&r.b, &q);
  penalised(&q, 1 / 1.5, x[0], w);
  do {
    stage++;
    memcpy(x[1], x[0], sizeof x[1]);
    penalised(&q, 2 * pow(3, -(stage + 1)), x[0], w);
  } while (plain_distance(NX, x[0], x[1]) / 2 > tol);
  BLO_EXPECT_ALL(stage > 1 && stage < 8);
  BLO_EXPECT_ALL(go(&r, 9 * 800) == 800 * (stage + 1) && r.r.converged);
  BLO_EXPECT_NEAR(plain_distance(NX, x_of(&r), x[0]), 0, 0, 1e-9, "x_a, not extrapolated");
  BLO_EXPECT_NEAR(known_at(&r.b.f, r.s->x, r.s->y).error_x, plain_distance(NX, x[0], x[1]) / 2,
                  0.15, 0, "the estimate of the error");
  end(comm, &r);
}

/* -------------------------------------------------------------------- sets */

/* X = [0, 1] stops x at 1. With Y = (-inf, 0.6], rho = 0.1, w at its bound and u = x / 2 inside:
 * rho x = a (w - u) gives x = 0.6 a / (rho + a / 2), near the kink 1.2 of the bilevel problem. */
static void sets_bound_the_solution(blo_comm *comm)
{
  static const char *const texts[] = {
      "lower: {batch: 0, step: 0.04}\nupper: {batch: 0, step: 0.2, set: {type: box, low: 0, high: "
      "1}}\nstages: {penalty: 10, growth: 1, number: 1}\n",
      "lower: {batch: 0, step: 0.04, set: {type: box, high: 0.6}}\nupper: {batch: 0, step: 0.1}\n"
      "stages: {penalty: 10, growth: 1, number: 1}\n"};
  double x[] = {1, 6 / 5.1}, w[] = {11.0 / 21, 0.6}, u[] = {0.5, 3 / 5.1};
  for (int i = 0; i < 2; i++) {
    run r;
    begin(comm, "{kind: scalar, shards: 4}", texts[i], &r);
    go(&r, 1000);
    BLO_EXPECT_NEAR(x_of(&r)[0], x[i], 0, 1e-12, "closed form");
    BLO_EXPECT_NEAR(w_of(&r)[0], w[i], 0, 1e-12, "closed form");
    BLO_EXPECT_NEAR(u_of(&r)[0], u[i], 0, 1e-12, "closed form");
    end(comm, &r);
  }
}

/* With w = u the direction of x knows nothing of g, and may vanish far from the solution (rho = 0
 * at the start x = 0); before the last stage it vanishes at another point. run.tol must not stop
 * there. */
static void tolerance_waits_for_the_last_stage(blo_comm *comm)
{
  run r;
  begin(comm, "{kind: vector, shards: 4}",
        "lower: {batch: 0}\nupper: {batch: 0}\nstages: {penalty: 1, steps: 5, number: 3}\n", &r);
  for (int k = 0; k < 20; k++) {
    r.s->want_norms = true;
    go(&r, 1);
    BLO_EXPECT_ALL(k > 0 || r.r.hypergrad_norm == 0);
    BLO_EXPECT_MSG(isinf(r.r.stationarity) == (k < 10), "step %d: %g", k, r.r.stationarity);
    BLO_EXPECT_ALL(k < 10 || r.r.stationarity == r.r.hypergrad_norm);
  }
  end(comm, &r);
}

static const blo_test tests[] = {
    {"tolerance waits for the last stage", tolerance_waits_for_the_last_stage},
    {"scalar closed forms", scalar_closed_forms},
    {"error is inverse to the penalty", error_is_inverse_to_the_penalty},
    {"stages halve the error", stages_halve_the_error},
    {"rescaling lets momentum go on", rescaling_lets_momentum_go_on},
    {"extrapolation gains an order", extrapolation_gains_an_order},
    {"stops by its estimate", stops_by_its_estimate},
    {"sets bound the solution", sets_bound_the_solution},
};
BLO_TEST_MAIN("minimax_gda_limits", tests)

/* perturbed_aid at the saddles of quartic_saddle and factorization, for many seeds: every run comes
 * to a minimum and knows it, plain aid stays; what a warm start is worth; how long an escape takes;
 * what is refused. Wanted numbers: docs/methods/perturbed_aid.md, from a prototype in another
 * language with other random matrices. */
#include "ride.h"
#include "saddle_run.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static saddle_plan quartic(const char *problem_settings, const char *settings, int seeds)
{
  return (saddle_plan){.problem = "quartic_saddle",
                       .problem_settings = problem_settings,
                       .method = "perturbed_aid",
                       .settings = settings,
                       .seeds = seeds,
                       .iterations = 1500,
                       .near = 1e-5};
}

static saddle_plan factorization(const char *settings, int seeds)
{
  return (saddle_plan){.problem = "factorization",
                       .problem_settings = "{shards: 1}",
                       .method = "perturbed_aid",
                       .settings = settings,
                       .seeds = seeds,
                       .iterations = 1500,
                       .near = 1e-5};
}

/* All runs: the minimum, known as one, with x and y that belong together. */
static void expect_all_sure(blo_comm *comm, const saddle_plan *p)
{
  saddle_end end[SADDLE_SEEDS_MAX];
  saddle_runs(comm, p, end);
  for (int i = 0; i < p->seeds; i++) {
    BLO_EXPECT_MSG(end[i].status == BLO_OK && end[i].stopped > 0 && end[i].gap <= 1e-6 &&
                       end[i].second_order == BLO_SECOND_ORDER_MINIMUM,
                   "%s, seed %d: gap %g after %g iterations, verdict %g", p->problem, i + 1,
                   end[i].gap, end[i].stopped, end[i].second_order);
    BLO_EXPECT_MSG(end[i].error_x < 2e-3 && end[i].error_y < 1e-6, "%s, seed %d: x off by %g, y %g",
                   p->problem, i + 1, end[i].error_x, end[i].error_y);
  }
}

static void every_seed_finds_a_minimum(blo_comm *comm)
{
  const saddle_plan plans[] = {
      quartic("{shards: 1}", "lower: {steps: 20, step: 0.0198}\nadjoint: {iterations: 10}\n", 50),
      factorization("lower: {steps: 10, step: 0.25}\nadjoint: {iterations: 3}\n", 50),
      factorization("lower: {steps: 10, step: 0.25}\n"
                    "adjoint: {type: neumann, iterations: 30, step: 0.25}\n",
                    10),
      quartic("{shards: 1}", "lower: {steps: 20, step: 0.0198}\nadjoint: {type: direct}\n", 10)};
  for (int i = 0; i < 4; i++) {
    expect_all_sure(comm, &plans[i]);
  }
}

/* The same start and steps without perturbations: not one bit moves at the one saddle, the axis is
 * never left on the way to the other. */
static void plain_aid_stalls(blo_comm *comm)
{
  saddle_plan p = quartic(
      "{shards: 1}",
      "lower: {steps: 20, step: 0.0198}\nadjoint: {iterations: 10}\nupper: {step: 0.1}\n", 1);
  saddle_end end;
  p.method = "aid";
  saddle_runs(comm, &p, &end);
  BLO_EXPECT_NEAR(end.gap, 0.405, 0, 1e-15, "F(0) - min F = m (1 - c)^2 / 4");
  BLO_EXPECT_ALL(end.error_y == 0 && end.status == BLO_OK);
  p = factorization("lower: {steps: 10, step: 0.25}\nadjoint: {iterations: 3}\nupper: {step: 0.1}",
                    1);
  p.method = "aid";
  saddle_runs(comm, &p, &end);
  BLO_EXPECT_NEAR(end.gap, 2.25 - 0.9702753945, 0, 1e-9, "F at the saddle (0, 1) - min F");
}

#define STEPS(D, N) "lower: {step: 0.0198, steps: " D "}\nadjoint: {iterations: " N "}\n"
#define COLD(D, N)                                                                                 \
  "lower: {step: 0.0198, warm_start: false, steps: " D "}\n"                                       \
  "adjoint: {warm_start: false, iterations: " N "}\n"
#define WAIT "escape: {wait: 100, radius: 0.1}\n"

/* d = 50, kappa = 100, tau = 2 / (1 + kappa), ten seeds. Runs that reach a minimum, that stop
 * there, and the median iteration: the page's prototype has 0; 10, 10, 324; 10, 0 (does not
 * settle), 179; 10, 10, 126; 119; 117; cold 0. */
static void warm_start_is_worth_its_memory(blo_comm *comm)
{
  static const struct {
    const char *settings;
    int reached, stopped;
    double from, to;
  } rows[] = {
      {STEPS("1", "1") WAIT, 0, 0, 0, 0},         {STEPS("2", "2") WAIT, 10, 10, 280, 400},
      {STEPS("5", "3") WAIT, -1, 0, 0, 0},        {STEPS("10", "5") WAIT, 10, 10, 120, 135},
      {STEPS("20", "10") WAIT, 10, 10, 115, 125}, {STEPS("50", "20") WAIT, 10, 10, 113, 123},
      {COLD("50", "20") WAIT, 0, 0, 0, 0},        {COLD("400", "50") WAIT, 10, 10, 113, 123}};
  for (int i = 0; i < 8; i++) {
    saddle_plan p = quartic("{n: 50, shards: 1}", rows[i].settings, 10);
    saddle_tally t = saddle_count(comm, &p);
    int stopped = t.minima + t.undecided;
    BLO_EXPECT_MSG((rows[i].reached < 0 || t.reached == rows[i].reached) &&
                       stopped == rows[i].stopped && t.wrong == 0,
                   "%s: %d reached it, %d stopped there, %d wrong", rows[i].settings, t.reached,
                   stopped, t.wrong);
    BLO_EXPECT_MSG(stopped == 0 ||
                       (t.median_reached >= rows[i].from && t.median_reached <= rows[i].to),
                   "%s: after %g", rows[i].settings, t.median_reached);
  }
}

/* ln 10 / ln(1 + eta gamma) iterations more for each power of ten of the radius: 11.4 at the saddle
 * of factorization with gamma = 2.25. Medians of 50; prototype: 150, 161, 172. */
static void escape_time_is_logarithmic(blo_comm *comm)
{
  static const char *const radius[] = {"0.1", "0.01", "0.001", "1e-6"};
  double median[4];
  for (int i = 0; i < 4; i++) {
    char text[256];
    snprintf(text, sizeof text,
             "lower: {steps: 10, step: 0.25}\nadjoint: {iterations: 3}\n"
             "escape: {wait: 200, radius: %s}\n",
             radius[i]);
    saddle_plan p = factorization(text, 50);
    saddle_tally t = saddle_count(comm, &p);
    BLO_EXPECT_MSG(t.minima == 50, "radius %s: %d", radius[i], t.minima);
    median[i] = t.median_reached;
  }
  double decade = log(10) / log1p(0.1 * 2.25);
  BLO_EXPECT_NEAR(median[0], 150, 0, 2, "the page's prototype");
  BLO_EXPECT_NEAR(median[1] - median[0], decade, 0, 1.5, "ln 10 / ln(1 + eta gamma)");
  BLO_EXPECT_NEAR(median[2] - median[1], decade, 0, 1.5, "ln 10 / ln(1 + eta gamma)");
  BLO_EXPECT_NEAR(median[3] - median[2], 3 * decade, 0, 2, "3 ln 10 / ln(1 + eta gamma)");
}

/* The formulas of the theory, with constants that hold around the minima: |z| <= 1.2. */
static void theory_works(blo_comm *comm)
{
  saddle_plan p = quartic("{shards: 1}",
                          "lower: {steps: 20, step: 0.0198}\nadjoint: {iterations: 10}\n"
                          "escape: {epsilon: 0.1, rule: theory, lipschitz: 10, hessian_lipschitz: "
                          "8}\n",
                          20);
  saddle_tally t = saddle_count(comm, &p);
  BLO_EXPECT_MSG(t.minima == 20, "%d sure, %d not, %d false stops", t.minima, t.undecided,
                 t.false_stops);
  BLO_EXPECT_MSG(t.largest_gap < 1e-7, "gap %g", t.largest_gap);
}

/* ----------------------------------------------- words, and what is refused */

/* The wait of a plan, and the curvature that it finds, as the evidence tells them at a minimum. */
static void evidence_tells_what_was_looked_for(blo_comm *comm)
{
  static const struct {
    const char *settings, *wait, *curvature;
  } rows[] = {
      /* ln(0.3 sqrt 10 / 0.01) = 4.5525; / ln 1.03 = 154.02; exp(4.5525 / T) = 1 + 0.1 gamma */
      {"", " of 155 iterations", "curvature > -0.3;"},
      {"escape: {wait: 10}", " of 10 iterations", "curvature > -5.8;"},
      {"escape: {curvature: 2, length: 1, radius: 1}\nupper: {step: 0.05}", " of 44 iterations",
       "curvature > -2;"},
      /* L iota / sqrt(rho epsilon) = 20 * 20 / sqrt(0.5) = 565.7 */
      {"escape: {epsilon: 0.1, rule: theory, lipschitz: 20, hessian_lipschitz: 5}",
       " of 566 iterations", NULL},
  };
  for (int i = 0; i < 4; i++) {
    ride r;
    ride_known(comm, "quartic_saddle", "{c: 2, shards: 4, kappa: 5}", "perturbed_aid",
               rows[i].settings, 1, &r);
    ride_step(&r);
    BLO_EXPECT_ALL(r.report.second_order == BLO_SECOND_ORDER_UNDECIDED);
    ride_step(&r);
    BLO_EXPECT_MSG(strstr(r.s->evidence, rows[i].wait) != NULL, "%s", r.s->evidence);
    for (int k = 0; k < 160 && rows[i].curvature != NULL && !r.report.converged; k++) {
      ride_step(&r);
    }
    BLO_EXPECT_MSG(rows[i].curvature == NULL || strstr(r.s->evidence, rows[i].curvature) != NULL,
                   "%s", r.s->evidence);
    ride_close(comm, &r);
  }
}

/* Where nothing has been seen of the curvature nothing is said of it: y or v stay behind, or x
 * jumps to and fro. */
static void no_minimum_at_the_saddle(blo_comm *comm)
{
  static const char *const rows[][2] = {
      {"lower: {step: 1e-7}\n", "y does not follow x"},
      {"lower: {steps: 20, step: 0.0198}\nadjoint: {type: neumann, step: 1e-6}\n",
       "v does not follow x"},
      {"lower: {steps: 20, step: 0.0198}\nupper: {step: 3}\nescape: {radius: 0.01}\n",
       "f has risen: smaller upper.step"},
  };
  for (int i = 0; i < 3; i++) {
    ride r;
    ride_known(comm, "quartic_saddle", "{shards: 4}", "perturbed_aid", rows[i][0], 1, &r);
    for (int k = 0; k < 400 && !(k > 0 && r.report.converged); k++) {
      ride_step(&r);
    }
    BLO_EXPECT_ALL(r.report.converged && r.report.second_order == BLO_SECOND_ORDER_UNDECIDED);
    BLO_EXPECT_MSG(strstr(r.s->evidence, rows[i][1]) != NULL, "%s", r.s->evidence);
    ride_close(comm, &r);
  }
}

/* By hand: L sqrt(n / (rho epsilon)) iota^2 2^(8 - iota) = 5 sqrt(10 / 0.006) = 204.1 times 0.0977,
 * 0.0538, 0.0295, 0.0161, 0.0088, 0.0048 for iota = 20 ... 25. */
static void dry_run_tells_the_odds(blo_comm *comm)
{
  static const char *const rows[][2] = {
      {"escape: {rule: theory, lipschitz: 5, hessian_lipschitz: 6}", "at least 25"},
      {"escape: {rule: theory, lipschitz: 5, hessian_lipschitz: 6, iota: 25}",
       "an escape fails with probability at most 0.97"},
      /* sqrt(2 / pi) sqrt(1.2) sqrt(2e-4 / 0.298) / 0.3 */
      {"", "missed with probability at most 0.075;"},
  };
  fixture f;
  known_open(comm, "quartic_saddle", "{shards: 4}", &f);
  for (int i = 0; i < 3; i++) {
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    blo_solver *s = ride_make(&f, "perturbed_aid", rows[i][0], 1);
    BLO_REQUIRE_ALL(to != NULL);
    s->type->describe(s, to);
    fclose(to);
    BLO_EXPECT_MSG(strstr(text, rows[i][1]) != NULL, "%s", text);
    free(text);
    blo_solver_destroy(&s);
  }
  fixture_free(comm, &f);
}

static void options_must_go_together(blo_comm *comm)
{
  static const char *const rows[][2] = {
      {"escape: {radius: 10}", "no room to grow to escape.length = 0.3; radius at most 1.1"},
      {"escape: {length: 1e-3}", "no room to grow"},
      {"upper: {step: 3}", "no room to grow"},
      {"escape: {decrease: 10}", "F falls by 0.0134 only"},
      {"escape: {iota: 20}", "belong to escape.rule = 'theory'"},
      {"escape: {rule: theory, lipschitz: 5, hessian_lipschitz: 6, length: 1}",
       "belong to escape.rule = 'practical'"},
      {"escape: {rule: theory, lipschitz: 5, hessian_lipschitz: 6, curvature: 1}",
       "belong to escape.rule = 'practical'"},
      {"lower: {step: 0}", "out of range"},
      {"escape: {rule: theory, lipschitz: 5, hessian_lipschitz: 6, iota: 8}",
       "here 25 makes an escape probable"},
      {"escape: {rule: theory, lipschitz: 5}", "needs lipschitz and hessian_lipschitz"},
      {"escape: {rule: theory, lipschitz: 5, hessian_lipschitz: 6, radius: 0.1}",
       "leave solver.upper.step and escape.radius, decrease and wait at 0"},
      {"upper: {step: 0.1}\nescape: {rule: theory, lipschitz: 5, hessian_lipschitz: 6}",
       "leave solver.upper.step"},
      {"escape: {lipschitz: 5}", "belong to escape.rule = 'theory'"},
      {"escape: {curvature: 1e-12, radius: 1e-300, length: 1e12}\nupper: {step: 1e-9}",
       "a wait of"},
      {"lower: {batch: 5}", "batch"},
  };
  fixture f;
  known_open(comm, "quartic_saddle", "{shards: 4}", &f);
  for (int i = 0; i < (int)(sizeof rows / sizeof *rows); i++) {
    ride_expect_refused(&f, "perturbed_aid", rows[i][0], BLO_E_OPTION, rows[i][1]);
  }
  fixture_free(comm, &f);
}

static const blo_test tests[] = {
    {"every seed finds a minimum", every_seed_finds_a_minimum},
    {"plain aid stalls", plain_aid_stalls},
    {"warm start is worth its memory", warm_start_is_worth_its_memory},
    {"escape time is logarithmic", escape_time_is_logarithmic},
    {"theory works", theory_works},
    {"evidence tells what was looked for", evidence_tells_what_was_looked_for},
    {"no minimum at the saddle", no_minimum_at_the_saddle},
    {"dry run tells the odds", dry_run_tells_the_odds},
    {"options must go together", options_must_go_together},
};
BLO_TEST_MAIN("perturbed_aid_saddles", tests)

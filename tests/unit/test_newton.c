/* ranks: 1 2 3 4 */
/* Newton steps of the lower track: against closed forms and gradient steps, from points where H is
 * indefinite, on batches and tasks, on grids of one rank and of all; and what they refuse. */
#include "lower_rig.h"
#include "ride.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---------------------------------------------------------- closed forms */

static void one_step_solves_a_quadratic(blo_comm *comm)
{
  const blo_dense_options grids[] = {rig_one_rank, rig_all_ranks};
  double want[QUADRATIC_N_Y];
  for (int i = 0; i < 2; i++) {
    lower_rig r;
    rig_open(comm, FIXTURE_QUADRATIC, "", rig_rule(BLO_LOWER_NEWTON, 9), grids[i], &r);
    r.o.tol = 1e-12;
    quadratic_solution(r.x->data, want);
    BLO_EXPECT_ALL(rig_distance(&r, want) > 0.1);
    rig_track(&r);
    BLO_EXPECT_NEAR(rig_distance(&r, want), 0, 0, 1e-12 * blo_vec_norm(r.y), "closed form");
    BLO_EXPECT_ALL(blo_lower_steps_taken(r.lower) == 1);
    rig_track(&r);
    BLO_EXPECT_ALL(blo_lower_steps_taken(r.lower) == 0);
    rig_close(comm, &r);
  }
}

/* y sharded with tasks: H is block diagonal, g their sum. */
static void one_step_solves_all_tasks(blo_comm *comm)
{
  lower_rig r;
  double want[TASKS_N_Y];
  rig_open(comm, FIXTURE_TASKS, "", rig_rule(BLO_LOWER_NEWTON, 1), rig_all_ranks, &r);
  tasks_solution(r.x->data, want);
  rig_track(&r);
  BLO_EXPECT_NEAR(rig_distance(&r, want), 0, 0, 1e-12 * blo_vec_norm(r.y), "closed form");
  rig_close(comm, &r);
}

/* Each step goes to the minimiser of its own batch, here that of the last one. */
static void steps_are_on_their_batches(blo_comm *comm)
{
  lower_rig r;
  blo_sampler *sampler = NULL;
  blo_lower_options o = rig_rule(BLO_LOWER_NEWTON, 3);
  int count[QUADRATIC_N];
  o.batch = 20;
  rig_open(comm, FIXTURE_QUADRATIC, "", o, rig_one_rank, &r);
  BLO_REQUIRE_STATUS(blo_eval_sampler(r.f.eval, RIG_SEED, BLO_PURPOSE_LOWER, o.batch, &sampler),
                     BLO_OK);
  BLO_REQUIRE_STATUS(blo_lower_track(r.lower, 5, r.x, r.y), BLO_OK);
  fixture_batch_counts(comm, blo_eval_draw(r.f.eval, sampler, 5, 3, 2), QUADRATIC_N,
                       r.f.problem->n_shards, count);
  quadratic_oracles of = quadratic_mean(BLO_LOWER, count, r.x->data, r.y->data, NULL);
  for (int j = 0; j < QUADRATIC_N_Y; j++) {
    BLO_EXPECT_NEAR(of.gy[j], 0, 0, 1e-14, "the batch's minimiser");
  }
  BLO_EXPECT_ALL(rig_residual(&r) > 0.01 && blo_hessian_assembled(r.hessian) == 3);
  blo_sampler_destroy(&sampler);
  rig_close(comm, &r);
}

/* At the minimiser of one batch, but for rounding, a step on the next batch has much to do. */
static void batches_are_not_compared(blo_comm *comm)
{
  lower_rig one, three;
  blo_lower_options o = rig_rule(BLO_LOWER_NEWTON, 1);
  o.batch = 20;
  rig_open(comm, FIXTURE_QUADRATIC, "", o, rig_one_rank, &one);
  o.steps = 3;
  rig_open(comm, FIXTURE_QUADRATIC, "", o, rig_one_rank, &three);
  BLO_REQUIRE_STATUS(blo_lower_track(one.lower, 6, one.x, one.y), BLO_OK);
  blo_vec_copy(one.y, three.y);
  three.y->data[0] += 1e-10;
  BLO_REQUIRE_STATUS(blo_lower_track(three.lower, 2, three.x, three.y), BLO_OK); /* draw 6, 7, 8 */
  BLO_EXPECT_ALL(blo_lower_steps_taken(three.lower) == 3);
  BLO_EXPECT_ALL(rig_distance(&three, one.y->data) > 0.01);
  rig_close(comm, &one);
  rig_close(comm, &three);
}

/* ------------------------------------------- the algorithm in one variable */

/* A step on g = -sin(x y) as Nocedal and Wright write it; ours tries a small tau before the others.
 * @param[in,out] trials  of factors */
static double scalar_step(double x, double y, blo_int *trials)
{
  double g = -sin(x * y), slope = -x * cos(x * y), h = x * x * sin(x * y), tau = 0, t = 1;
  for (*trials += 1; h + tau <= 0; *trials += 1) {
    tau = fmax(2 * tau, h < 0 ? -1e-3 * h : 1);
  }
  *trials += h <= 0;
  double p = -slope / (h + tau);
  while (-sin(x * (y + t * p)) > g + 1e-4 * t * p * slope) {
    t /= 2;
  }
  return y + t * p;
}

static void open_sine(blo_comm *comm, const char *settings, double y, lower_rig *r)
{
  known_open(comm, "sine_follower", settings, &r->f);
  rig_make(r, rig_rule(BLO_LOWER_NEWTON, 1), rig_one_rank);
  blo_eval_start(r->f.eval, r->x, r->y);
  blo_vec_publish(r->x);
  r->y->data[0] = y;
}

static void follow_the_book(blo_comm *comm, const char *settings, double y)
{
  lower_rig r;
  open_sine(comm, settings, y, &r);
  for (int k = 0; k < 3; k++) {
    blo_int trials = 0, before = blo_hessian_factorized(r.hessian);
    y = scalar_step(r.x->data[0], y, &trials);
    rig_track(&r);
    BLO_EXPECT_NEAR(r.y->data[0], y, 1e-10, 0, "a plain loop");
    BLO_EXPECT_ALL(blo_hessian_factorized(r.hessian) - before == trials);
  }
  rig_close(comm, &r);
}

/* From points with H > 0, H < 0 and H = 0, where the step is the gradient's. From the last four the
 * full step changes g by half of what Armijo's condition wants, one way or the other. */
static void steps_are_the_books(blo_comm *comm)
{
  static const double from[] = {0.4,  0.05,      -0.3,      -0.75,     0,        1.7,
                                -1.2, 0.0228142, 0.0228165, 0.0540834, 0.0540888};
  for (int i = 0; i < BLO_COUNT_OF(from); i++) {
    follow_the_book(comm, "{x0: 2, shards: 4}", from[i]);
  }
  follow_the_book(comm, "{x0: 3, shards: 4}", 0);
}

/* ---------------------------------------------------------- convergence */

/* The residuals are squared from step to step, and nothing is left after few of them. */
static void converges_quadratically(blo_comm *comm)
{
  char folder[256];
  lower_rig r;
  double start, before, now;
  int steps = 0;
  rig_folder(comm, folder, sizeof folder);
  rig_open(comm, FIXTURE_RIDGE_FEATURE, folder, rig_rule(BLO_LOWER_NEWTON, 1), rig_all_ranks, &r);
  for (start = before = rig_residual(&r); before > 1e-12 * start && steps < 10; steps++) {
    rig_track(&r);
    now = rig_residual(&r);
    BLO_EXPECT_MSG(now <= before * before + 1e-15, "from %.3g to %.3g", before, now);
    before = now;
  }
  BLO_EXPECT_MSG(before <= 1e-12 * start, "%d steps, residual %.3g", steps, before);
  rig_close(comm, &r);
}

/* Thousands of gradient steps go to the same y. */
static void finds_what_gradients_find(blo_comm *comm)
{
  char folder[256];
  rig_folder(comm, folder, sizeof folder);
  static const int kinds[] = {FIXTURE_RIDGE_FEATURE, FIXTURE_CLEANING};
  for (int i = 0; i < BLO_COUNT_OF(kinds); i++) {
    lower_rig newton, gradient;
    blo_lower_options o = rig_rule(BLO_LOWER_GRADIENT, 4000);
    o.step = 1;
    rig_open(comm, kinds[i], folder, rig_rule(BLO_LOWER_NEWTON, 20), rig_one_rank, &newton);
    rig_open(comm, kinds[i], folder, o, rig_one_rank, &gradient);
    rig_track(&newton);
    rig_track(&gradient);
    BLO_EXPECT_ALL(blo_lower_steps_taken(newton.lower) <= 10);
    BLO_EXPECT_ALL(blo_lower_steps_taken(gradient.lower) == 4000);
    BLO_EXPECT_ALL(rig_residual(&newton) <= 1e-15);
    BLO_EXPECT_NEAR(rig_distance(&newton, gradient.y->data), 0, 0, 1e-10, "gradient steps");
    rig_close(comm, &newton);
    rig_close(comm, &gradient);
  }
}

/* g decreases with every step, down to a stationary point; what rounding adds is not seen. */
static void descend(lower_rig *r, const char *name)
{
  double norm, g = rig_look(r, &norm), start = norm, next;
  BLO_EXPECT_MSG(!rig_is_definite(r), "%s: H is definite at the start", name);
  for (int k = 0; k < 30 && norm > 1e-13 * start; k++) {
    rig_track(r);
    next = rig_look(r, &norm);
    BLO_EXPECT_MSG(next <= g + 1e-14 * fabs(g), "%s: g grows by %.2g", name, next - g);
    g = next;
  }
  BLO_EXPECT_MSG(norm <= 1e-13 * start, "%s: residual %.3g of %.3g", name, norm, start);
}

static void descends_where_h_is_indefinite(blo_comm *comm)
{
  static const char *const known[][2] = {{"sine_pl", "{n: 128, noise: 0.3, shards: 8}"},
                                         {"sine_pl", "{n: 64, y0: 2, shards: 8}"},
                                         {"convex_follower", "{kind: diagonal, n: 5, shards: 4}"},
                                         {"pl_game", "{n: 300, d: 12, rank: 5, shards: 8}"}};
  for (int i = 0; i < BLO_COUNT_OF(known); i++) {
    lower_rig r;
    known_open(comm, known[i][0], known[i][1], &r.f);
    rig_make(&r, rig_rule(BLO_LOWER_NEWTON, 1), rig_one_rank);
    descend(&r, known[i][0]);
    rig_close(comm, &r);
  }
}

/* A network in y. */
static void descends_for_a_network(blo_comm *comm)
{
  char folder[256];
  lower_rig r;
  rig_folder(comm, folder, sizeof folder);
  rig_open_network(comm, folder, rig_rule(BLO_LOWER_NEWTON, 1), rig_all_ranks, &r);
  descend(&r, "network");
  rig_close(comm, &r);
}

/* ------------------------------------------------------------ the end */

/* The track that stops at tol is the one of as many steps, and one less is too few. */
static void stops_at_tol(blo_comm *comm)
{
  char folder[256];
  rig_folder(comm, folder, sizeof folder);
  lower_rig r, less;
  blo_lower_options o = rig_rule(BLO_LOWER_NEWTON, 20);
  o.tol = 1e-3;
  rig_open(comm, FIXTURE_CLEANING, folder, o, rig_one_rank, &r);
  rig_track(&r);
  blo_int steps = blo_lower_steps_taken(r.lower);
  BLO_EXPECT_ALL(rig_residual(&r) <= o.tol && steps > 1 && steps < 10);
  rig_open(comm, FIXTURE_CLEANING, folder, rig_rule(BLO_LOWER_NEWTON, steps - 1), rig_one_rank,
           &less);
  rig_track(&less);
  BLO_EXPECT_ALL(rig_residual(&less) > o.tol && blo_lower_steps_taken(less.lower) == steps - 1);
  rig_close(comm, &r);
  rig_close(comm, &less);
}

/* With tol = 0 rounding ends it, at residuals of rounding's size. */
static void stops_at_rounding(blo_comm *comm)
{
  char folder[256];
  rig_folder(comm, folder, sizeof folder);
  for (int kind = 0; kind < N_FIXTURES; kind++) {
    lower_rig r;
    if (kind == FIXTURE_CLEANING_LSTM || kind == FIXTURE_BLOCK_NORM) {
      continue; /* too slow; not smooth */
    }
    rig_open(comm, kind, folder, rig_rule(BLO_LOWER_NEWTON, 50), rig_one_rank, &r);
    double start = rig_residual(&r);
    rig_track(&r);
    blo_int taken = blo_lower_steps_taken(r.lower);
    BLO_EXPECT_MSG(rig_residual(&r) <= 1e-14 * start, "%s: residual %.3g of %.3g",
                   fixture_name(kind), rig_residual(&r), start);
    BLO_EXPECT_MSG(taken <= 12, "%s: %d steps", fixture_name(kind), (int)taken);
    rig_close(comm, &r);
  }
}

static void cold_starts_begin_again(blo_comm *comm)
{
  char folder[256];
  lower_rig r;
  uint32_t crc[2];
  blo_lower_options o = rig_rule(BLO_LOWER_NEWTON, 2);
  o.warm_start = false;
  rig_folder(comm, folder, sizeof folder);
  rig_open(comm, FIXTURE_CLEANING, folder, o, rig_one_rank, &r);
  for (int i = 0; i < 2; i++) {
    rig_track(&r);
    BLO_REQUIRE_STATUS(blo_vec_checksum(r.y, &crc[i]), BLO_OK);
  }
  BLO_EXPECT_ALL(crc[0] == crc[1]);
  rig_close(comm, &r);
}

/* -------------------------------------------------------------- in a method */

/* The hypergradient of an iteration, from the step that it makes. */
static void step_of_aid(blo_solver *s, blo_vec *x, blo_vec *hx, blo_report *report)
{
  blo_vec_copy(s->x, x);
  blo_vec_publish(x);
  s->want_norms = true;
  BLO_REQUIRE_STATUS(blo_solver_step(s, report), BLO_OK);
  blo_vec_copy(x, hx);
  blo_vec_axpy(-1, s->x, hx); /* upper.step is 1 */
}

/* From the first iteration on it is exact: that of a lower level solved otherwise, by LAPACK. */
static void check_aid(blo_comm *comm, int kind, const char *folder)
{
  static const char text[] = "lower: {rule: newton, steps: 20, tol: 1e-13}\n"
                             "adjoint: {type: direct}\nupper: {step: 1}\n";
  fixture f;
  blo_vec *x[3], *y;
  fixture_make(comm, kind, folder, BLO_REPRODUCIBLE, &f);
  blo_solver *s = ride_make(&f, "aid", text, 1);
  fixture_like(s->x, 3, x);
  fixture_like(s->y, 1, &y);
  for (int k = 0; k < 3; k++) {
    blo_report report;
    step_of_aid(s, x[0], x[1], &report);
    blo_vec_copy(s->y, y);
    fixture_solve_lower(&f, x[0], y, 1e-14);
    BLO_REQUIRE_STATUS(blo_dense_hypergradient(f.eval, x[0], y, x[2], NULL), BLO_OK);
    blo_vec_axpy(-1, x[1], x[2]);
    BLO_EXPECT_NEAR(blo_vec_norm(x[2]), 0, 0, 1e-11 * report.hypergrad_norm, fixture_name(kind));
    BLO_EXPECT_ALL(report.lower_residual <= 1e-13 && report.adjoint_relative <= 1e-12);
    BLO_EXPECT_ALL(report.lower_steps >= 1 && report.lower_steps <= 10);
    BLO_EXPECT_ALL(report.factorizations == report.lower_steps + 1);
    BLO_EXPECT_ALL(report.grid_ranks == blo_comm_size(comm));
    BLO_EXPECT_ALL(isnan(report.step_y)); /* the schedule is for gradient steps */
  }
  fixture_free_vecs(3, x);
  fixture_free_vecs(1, &y);
  blo_solver_destroy(&s);
  fixture_free(comm, &f);
}

static void hypergradients_are_exact(blo_comm *comm)
{
  char folder[256];
  rig_folder(comm, folder, sizeof folder);
  check_aid(comm, FIXTURE_QUADRATIC, folder);
  check_aid(comm, FIXTURE_RIDGE_FEATURE, folder);
  check_aid(comm, FIXTURE_CLEANING, folder);
  check_aid(comm, FIXTURE_TASKS, folder);
}

/* ------------------------------------------------------------ bits, faults */

/* On a grid of one rank the same bits as on one rank; on all, the same on all ranks and close. */
static void bits_do_not_know_ranks(blo_comm *comm)
{
  char folder[256];
  rig_folder(comm, folder, sizeof folder);
  static const int kinds[] = {FIXTURE_QUADRATIC, FIXTURE_CLEANING,     FIXTURE_CLEANING_ROOTED,
                              FIXTURE_TASKS,     FIXTURE_CLEANING_MLP, FIXTURE_FEW_SHOT};
  blo_comm *self = NULL;
  BLO_REQUIRE_STATUS(blo_comm_create(blo_comm_context(comm), MPI_COMM_SELF, &self), BLO_OK);
  for (int i = 0; i < BLO_COUNT_OF(kinds); i++) {
    lower_rig here, alone, spread;
    uint32_t crc[3];
    const blo_lower_options o = rig_rule(BLO_LOWER_NEWTON, 3);
    rig_open(comm, kinds[i], folder, o, rig_one_rank, &here);
    rig_open(self, kinds[i], folder, o, rig_one_rank, &alone);
    rig_open(comm, kinds[i], folder, o, rig_all_ranks, &spread);
    rig_track(&here);
    rig_track(&alone);
    rig_track(&spread);
    BLO_REQUIRE_STATUS(blo_vec_checksum(here.y, &crc[0]), BLO_OK);
    BLO_REQUIRE_STATUS(blo_vec_checksum(alone.y, &crc[1]), BLO_OK);
    BLO_REQUIRE_STATUS(blo_vec_checksum(spread.y, &crc[2]), BLO_OK);
    BLO_EXPECT_MSG(crc[0] == crc[1], "%s: other bits", fixture_name(kinds[i]));
    BLO_EXPECT_SAME_BYTES(&crc[2], sizeof crc[2]);
    if (blo_space_layout(spread.y->space) == BLO_REPLICATED) {
      BLO_EXPECT_SAME_BYTES(spread.y->data, blo_space_n(spread.y->space) * (blo_int)sizeof(double));
    }
    blo_vec_axpy(-1, here.y, spread.y);
    BLO_EXPECT_ALL(blo_vec_norm(spread.y) <= 1e-11 * blo_vec_norm(here.y));
    rig_close(comm, &here);
    rig_close(self, &alone);
    rig_close(comm, &spread);
  }
  blo_comm_destroy(&self);
}

/* The gradient's sweep serves the products of the assembly, too, and a value is all that the line
 * search asks for. */
static void steps_read_the_data_once(blo_comm *comm)
{
  char folder[256];
  lower_rig r;
  rig_folder(comm, folder, sizeof folder);
  rig_open(comm, FIXTURE_CLEANING, folder, rig_rule(BLO_LOWER_NEWTON, 1), rig_one_rank, &r);
  blo_int sweeps = 2 + (r.f.problem->n_y + BLO_DIRECTIONS_MAX - 1) / BLO_DIRECTIONS_MAX;
  rig_track(&r);
  const blo_counts *counts = blo_eval_counts(r.f.eval);
  BLO_EXPECT_ALL(counts->g == 2 && counts->g_y == 1 && counts->hv == r.f.problem->n_y);
  BLO_EXPECT_MSG(counts->samples == sweeps * r.f.problem->n_lower, "%d samples of %d, %d sweeps",
                 (int)counts->samples, (int)r.f.problem->n_lower, (int)sweeps);
  rig_close(comm, &r);
}

static void steps_allocate_nothing(blo_comm *comm)
{
  char folder[256];
  lower_rig r;
  rig_folder(comm, folder, sizeof folder);
  rig_open_network(comm, folder, rig_rule(BLO_LOWER_NEWTON, 6), rig_all_ranks, &r);
  blo_int before = blo_memory(blo_comm_context(comm)).total;
  rig_track(&r);
  BLO_EXPECT_ALL(blo_memory(blo_comm_context(comm)).total == before);
  BLO_EXPECT_ALL(blo_lower_steps_taken(r.lower) == 6);
  rig_close(comm, &r);
}

/* Problem, track, and its steps. */
static blo_status make_and_step(blo_comm *comm, void *arg)
{
  const blo_lower_options *o = arg;
  blo_status status = BLO_OK;
  fixture f = {0};
  blo_state *state = NULL;
  blo_hessian *hessian = NULL;
  blo_lower *lower = NULL;
  blo_vec *x = NULL, *y = NULL;
  BLO_GO(blo_problem_create(comm, &blo_problem_test_quadratic, NULL, &f.problem));
  BLO_GO(blo_eval_create(f.problem, BLO_REPRODUCIBLE, &f.eval));
  BLO_GO_ALL(comm, blo_state_create(f.problem->ctx, &state));
  BLO_GO_ALL(comm, blo_vec_create(blo_eval_space_x(f.eval), &x));
  BLO_GO_ALL(comm, blo_vec_create(blo_eval_space_y(f.eval), &y));
  BLO_GO(blo_hessian_create(f.eval, &rig_all_ranks, &hessian));
  BLO_GO_ALL(comm, blo_lower_create(f.eval, o, RIG_SEED, y, hessian, state, &lower));
  BLO_GO(blo_lower_track(lower, 0, x, y));
done:
  blo_lower_destroy(&lower);
  blo_hessian_destroy(&hessian);
  blo_state_destroy(&state);
  blo_vec_destroy(&x);
  blo_vec_destroy(&y);
  fixture_free(comm, &f);
  return status;
}

static void everything_may_fail(blo_comm *comm)
{
  blo_lower_options o = rig_rule(BLO_LOWER_NEWTON, 2);
  o.warm_start = false;
  BLO_EXPECT_ALL(blo_test_sweep_faults(comm, make_and_step, &o) > 10);
}

static void bad_numbers_end_it(blo_comm *comm)
{
  lower_rig r;
  rig_open(comm, FIXTURE_QUADRATIC, "", rig_rule(BLO_LOWER_NEWTON, 2), rig_all_ranks, &r);
  quadratic_faults(r.f.problem)->nan_sample = 61;
  BLO_EXPECT_STATUS(blo_lower_track(r.lower, 0, r.x, r.y), BLO_E_NONFINITE);
  rig_close(comm, &r);
}

/* ---------------------------------------------------------------- refusals */

static void refuse(blo_comm *comm, int kind, blo_lower_options o, blo_status status,
                   const char *text)
{
  lower_rig r;
  blo_lower *lower = NULL;
  rig_open(comm, kind, "", rig_rule(BLO_LOWER_GRADIENT, 1), rig_one_rank, &r);
  blo_eval_start(r.f.eval, r.x, r.y); /* sizes of batches are free again */
  BLO_EXPECT_STATUS(blo_lower_create(r.f.eval, &o, RIG_SEED, r.y, r.hessian, r.state, &lower),
                    status);
  BLO_EXPECT_ERROR_HAS(text);
  BLO_EXPECT_ERROR_HAS("'gradient'");
  BLO_EXPECT_ALL(lower == NULL);
  rig_close(comm, &r);
}

static void refuses_what_does_not_go_together(blo_comm *comm)
{
  blo_lower_options momentum = rig_rule(BLO_LOWER_NEWTON, 3);
  blo_lower_options batches = rig_rule(BLO_LOWER_NEWTON, 3);
  momentum.momentum = 0.5;
  batches.batch = 10;
  refuse(comm, FIXTURE_QUADRATIC, momentum, BLO_E_OPTION, "solver.lower.momentum");
  refuse(comm, FIXTURE_TASKS, batches, BLO_E_UNSUPPORTED, "tasks");
  refuse(comm, FIXTURE_QUADRATIC, rig_rule(BLO_LOWER_GAUSS_NEWTON, 3), BLO_E_UNSUPPORTED,
         "Gauss-Newton");
}

static void rules_are_dense(blo_comm *comm)
{
  (void)comm;
  for (int rule = 0; blo_lower_rule_names[rule] != NULL; rule++) {
    blo_lower_options o = rig_rule(rule, 1);
    BLO_EXPECT_ALL(blo_lower_is_dense(&o) == (strcmp(blo_lower_rule_names[rule], "gradient") != 0));
  }
}

static const blo_test tests[] = {
    {"one step solves a quadratic", one_step_solves_a_quadratic},
    {"one step solves all tasks", one_step_solves_all_tasks},
    {"steps are on their batches", steps_are_on_their_batches},
    {"batches are not compared", batches_are_not_compared},
    {"steps are the book's", steps_are_the_books},
    {"converges quadratically", converges_quadratically},
    {"finds what gradients find", finds_what_gradients_find},
    {"descends where H is indefinite", descends_where_h_is_indefinite},
    {"descends for a network", descends_for_a_network},
    {"stops at tol", stops_at_tol},
    {"stops at rounding", stops_at_rounding},
    {"cold starts begin again", cold_starts_begin_again},
    {"hypergradients are exact", hypergradients_are_exact},
    {"bits do not know ranks", bits_do_not_know_ranks},
    {"steps read the data once", steps_read_the_data_once},
    {"steps allocate nothing", steps_allocate_nothing},
    {"everything may fail", everything_may_fail},
    {"bad numbers end it", bad_numbers_end_it},
    {"refuses what does not go together", refuses_what_does_not_go_together},
    {"rules are dense", rules_are_dense},
};
BLO_TEST_MAIN("newton", tests)

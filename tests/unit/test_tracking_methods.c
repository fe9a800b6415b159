/* Methods on tracked matrices, as plain loops (tests/support/tracked.h), on problems with known
 * solutions: digits, identities between the methods, restarts, and what depends on the grid.
 * ranks: 1 2 3 4 */
#include "known.h"
#include "tracked.h"
#include "transplant.h"
#include <blo/checkpoint.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const tracked_plan mgbio = {.rule = BLO_TRACK_FRESH,
                                   .gamma = 1,
                                   .lambda = 1,
                                   .k = 0.5,
                                   .c = 1,
                                   .tracker = {0.1, 2, (double)INFINITY, BLO_CLIP_EIG},
                                   .dense = {0, 2}};

/* ------------------------------------------------------------------ digits */

typedef struct point {
  int t;
  double x[2], y[2], tol;
} point;

static void expect_point(const tracked *r, const point *want)
{
  double x[2] = {0}, y[2] = {0};
  int n = (int)blo_space_n(r->x->space);

  blo_vec_get_all(r->x, x);
  blo_vec_get_all(r->y, y);
  for (int i = 0; i < n; i++) {
    BLO_EXPECT_NEAR(x[i], want->x[i], 0, want->tol, "the same iteration in another program");
    BLO_EXPECT_NEAR(y[i], want->y[i], 0, want->tol, "the same iteration in another program");
  }
}

static void expect_trajectory(blo_comm *comm, const char *type, const char *settings,
                              const tracked_plan *plan, const point *want, int n)
{
  tracked r;
  fixture f;

  known_open(comm, type, settings, &f);
  tracked_open(f.eval, plan, &r);
  for (int i = 0; i < n; i++) {
    BLO_REQUIRE_STATUS(tracked_steps(&r, want[i].t - (int)r.t), BLO_OK);
    expect_point(&r, &want[i]);
  }
  tracked_close(&r);
  fixture_free(comm, &f);
}

/* By hand: y_1 = 0.4, 0.1415; x after 10 from an independent program. |S x| is the metric. */
static void tiny_game_has_its_digits(blo_comm *comm)
{
  static const point want[] = {
      {1, {0.46, 0.71}, {0.4, 3}, 1e-15},
      {2, {0.21585, 0.51835}, {0.1415, 3}, 1e-15},
  };
  static const double x10[] = {0.003496696792313, 0.056743196210819};
  double x[2], y[2];
  tracked r;
  fixture f;

  expect_trajectory(comm, "pl_game", "{kind: tiny, shards: 4}", &mgbio, want, 2);
  known_open(comm, "pl_game", "{kind: tiny, shards: 4}", &f);
  tracked_open(f.eval, &mgbio, &r);
  BLO_REQUIRE_STATUS(tracked_steps(&r, 10), BLO_OK);
  blo_vec_get_all(r.x, x);
  BLO_EXPECT_NEAR(x[0], x10[0], 0, 1e-15, "an independent program");
  BLO_EXPECT_NEAR(x[1], x10[1], 0, 1e-15, "an independent program");
  BLO_REQUIRE_STATUS(tracked_steps(&r, 40), BLO_OK);
  BLO_EXPECT_NEAR(known_at(&f, r.x, r.y).grad_norm, 6.1237e-7, 0, 5e-12, "an independent program");
  BLO_REQUIRE_STATUS(tracked_steps(&r, 50), BLO_OK);
  BLO_EXPECT_NEAR(known_at(&f, r.x, r.y).grad_norm, 9.49e-13, 0, 5e-15, "an independent program");
  blo_vec_get_all(r.y, y);
  BLO_EXPECT_ALL(y[1] == 3); /* the null space of H */
  tracked_close(&r);
  fixture_free(comm, &f);
}

/* The scalar reference: steps 0.25 in x and 0.05 in y, curvature clipped to [1, 8]. From (0, 0) the
 * numbers of an independent program. From (0, 1.2), where H = 2 + 6 cos 2.4 < 0 and J = -H:
 * u = -1, h = -0.8, so w = -1 + 0.8 H with H^-1 for 1, and with the sign kept w = u + h = -1.8. */
static void sine_has_its_digits(blo_comm *comm)
{
  static const point from_0[] = {
      {1, {0.75}, {0}, 1e-15},
      {2, {1.3125}, {.224624247990608}, 1e-14},
      {10, {1.681892327679742}, {1.600826813044536}, 1e-13},
      {100, {1.5}, {1.5}, 5e-13},
  };
  static const point eig[] = {
      {1, {-.234872458649495}, {.978680522917327}, 1e-14},
      {2, {-.572797168549067}, {.759040764694587}, 1e-14},
  };
  static const point svd[] = {{1, {0.45}, {.978680522917327}, 1e-14}};
  tracked_plan plan = mgbio;

  plan.gamma = 0.5;
  plan.lambda = 0.1;
  plan.tracker.mu = 1;
  plan.tracker.L = 8;
  expect_trajectory(comm, "sine_pl", "{d: 1, shards: 4}", &plan, from_0, 4);
  expect_trajectory(comm, "sine_pl", "{d: 1, y0: 1.2, shards: 4}", &plan, eig, 2);
  plan.tracker.clip = BLO_CLIP_SVD;
  expect_trajectory(comm, "sine_pl", "{d: 1, y0: 1.2, shards: 4}", &plan, svd, 1);
}

/* -------------------------------------------------------------- identities */

static const char game[] = "{n: 200, d: 12, rank: 5, noise: 0.3, shards: 8}";

/* VR-MSGBiO on batches, with a clip that acts: H of a batch of 8 is singular. */
static const tracked_plan vr = {.rule = BLO_TRACK_STORM,
                                .gamma = 1,
                                .lambda = 1,
                                .k = 0.5,
                                .m = 8,
                                .power = 1.0 / 3,
                                .c = 1,
                                .c_power = 2,
                                .batch = 8,
                                .tracker = {0.05, 2, 3, BLO_CLIP_EIG},
                                .dense = {0, 3}};

enum { N_GAME = 12 };

typedef struct end {
  double x[N_GAME], y[N_GAME];
  blo_clip_report clips;
} end;

static end run_game(blo_comm *comm, const char *settings, const tracked_plan *plan, int n)
{
  tracked r;
  fixture f;
  end e;

  known_open(comm, "pl_game", settings, &f);
  tracked_open(f.eval, plan, &r);
  BLO_REQUIRE_STATUS(tracked_steps(&r, n), BLO_OK);
  memset(&e, 0, sizeof e);
  blo_vec_get_all(r.x, e.x);
  blo_vec_get_all(r.y, e.y);
  e.clips = blo_tracker_clips(r.tracker);
  tracked_close(&r);
  fixture_free(comm, &f);
  return e;
}

static double distance(const end *a, const end *b)
{
  double sum = 0, size = 0;
  for (int i = 0; i < N_GAME; i++) {
    sum += (a->x[i] - b->x[i]) * (a->x[i] - b->x[i]) + (a->y[i] - b->y[i]) * (a->y[i] - b->y[i]);
    size += a->x[i] * a->x[i] + a->y[i] * a->y[i];
  }
  return sqrt(sum / size);
}

/* H and J are constant, so Pi[A + (1 - a) (Pi[A] - A)] = Pi[A]. */
static void corrections_vanish_on_all_data(blo_comm *comm)
{
  tracked_plan full = vr, plain = vr;
  full.batch = plain.batch = 0;
  plain.rule = BLO_TRACK_FRESH;
  end a = run_game(comm, game, &full, 300), b = run_game(comm, game, &plain, 300);
  BLO_EXPECT_MSG(distance(&a, &b) < 1e-13, "VR-MSGBiO and MGBiO differ by %.3g", distance(&a, &b));
}

static void coefficients_of_one_forget(blo_comm *comm)
{
  tracked_plan storm = vr, momentum = vr, fresh = vr;
  storm.c = momentum.c = (double)INFINITY;
  momentum.rule = BLO_TRACK_MOMENTUM;
  fresh.rule = BLO_TRACK_FRESH;
  end a = run_game(comm, game, &storm, 50), b = run_game(comm, game, &momentum, 50);
  end c = run_game(comm, game, &fresh, 50);
  BLO_EXPECT_MSG(distance(&a, &b) == 0, "VR-MSGBiO and MSGBiO: %.3g", distance(&a, &b));
  BLO_EXPECT_MSG(distance(&b, &c) == 0, "MSGBiO and a fresh one: %.3g", distance(&b, &c));
}

static double largest_entry(const end *e)
{
  double most = 0;
  for (int i = 0; i < N_GAME; i++) {
    most = fabs(e->x[i]) <= most ? most : fabs(e->x[i]);
  }
  return most;
}

/* A first batch of 3 samples gives a singular H. */
static void without_the_clip_it_explodes(blo_comm *comm)
{
  tracked_plan tight = vr, loose = vr;
  tight.batch = loose.batch = 3;
  loose.tracker = (blo_tracker_options){1e-9, 1e9, (double)INFINITY, BLO_CLIP_EIG};
  end bounded = run_game(comm, game, &tight, 20), wild = run_game(comm, game, &loose, 20);
  BLO_EXPECT_MSG(largest_entry(&bounded) < 2, "x = %.3g", largest_entry(&bounded));
  BLO_EXPECT_MSG(!(largest_entry(&wild) < 1e3), "x = %.3g", largest_entry(&wild));
}

/* --------------------------------------------------------------------- bits */

static void grids_differ_by_rounding(blo_comm *comm)
{
  tracked_plan one = vr;
  blo_comm *self = NULL;
  BLO_REQUIRE_STATUS(blo_comm_create(blo_comm_context(comm), MPI_COMM_SELF, &self), BLO_OK);
  one.dense.ranks = 1;
  end all = run_game(comm, game, &vr, 100), again = run_game(comm, game, &vr, 100);
  end at_one = run_game(comm, game, &one, 100), alone = run_game(self, game, &one, 100);
  BLO_EXPECT_MSG(distance(&all, &at_one) < 1e-9, "a grid of all ranks and of one differ by %.3g",
                 distance(&all, &at_one));
  BLO_EXPECT_ALL(memcmp(all.x, again.x, sizeof all.x) == 0);
  BLO_EXPECT_ALL(memcmp(all.y, again.y, sizeof all.y) == 0);
  BLO_EXPECT_SAME_BYTES(all.x, sizeof all.x);
  BLO_EXPECT_ALL(memcmp(at_one.x, alone.x, sizeof alone.x) == 0);
  BLO_EXPECT_ALL(memcmp(at_one.y, alone.y, sizeof alone.y) == 0);
  blo_comm_destroy(&self);
}

static void through_a_file(blo_comm *comm, const tracked *from, tracked *to)
{
  char folder[256], path[512];
  blo_snapshot snap = {.iteration = 5,
                       .problem = "pl_game",
                       .solver = "vr",
                       .config = "",
                       .version = BLO_VERSION,
                       .state = from->state};
  blo_test_tmpdir(comm, folder, sizeof folder);
  BLO_REQUIRE_STATUS(blo_checkpoint_save(comm, folder, "run", 1, &snap, path, sizeof path), BLO_OK);
  snap.state = to->state;
  BLO_REQUIRE_STATUS(blo_checkpoint_load(comm, path, &snap), BLO_OK);
}

/* Settings in which the clip is inactive (solves leave factors in the matrix), and in which it is
 * not. */
static void restart(blo_comm *comm, const char *settings, const tracked_plan *plan,
                    blo_clip_path path)
{
  tracked first, copied, loaded;
  fixture f;

  known_open(comm, "pl_game", settings, &f);
  tracked_open(f.eval, plan, &first);
  tracked_open(f.eval, plan, &copied);
  tracked_open(f.eval, plan, &loaded);
  BLO_REQUIRE_STATUS(tracked_steps(&first, 5), BLO_OK);
  BLO_EXPECT_ALL(blo_tracker_clips(first.tracker).path == path);
  transplant(first.state, copied.state);
  through_a_file(comm, &first, &loaded);
  BLO_REQUIRE_STATUS(tracked_steps(&first, 5), BLO_OK);
  BLO_REQUIRE_STATUS(tracked_steps(&copied, 5), BLO_OK);
  BLO_REQUIRE_STATUS(tracked_steps(&loaded, 5), BLO_OK);
  blo_vec_publish(copied.x);
  uint32_t want = tracked_checksum(first.state);
  BLO_EXPECT_ALL(tracked_checksum(copied.state) == want);
  BLO_EXPECT_ALL(tracked_checksum(loaded.state) == want);
  blo_clip_report here = blo_tracker_clips(first.tracker),
                  there = blo_tracker_clips(loaded.tracker);
  BLO_EXPECT_ALL(here.inactive + here.spectrum == 10);
  BLO_EXPECT_ALL(there.inactive == here.inactive && there.spectrum == here.spectrum);
  tracked_close(&first);
  tracked_close(&copied);
  tracked_close(&loaded);
  fixture_free(comm, &f);
}

static void restarts_keep_the_bits(blo_comm *comm)
{
  static const char definite[] = "{n: 200, d: 12, rank: 12, low: 0.5, noise: 0.3, shards: 8}";
  tracked_plan wide = vr;
  wide.batch = 150;
  wide.tracker = (blo_tracker_options){1e-3, 50, (double)INFINITY, BLO_CLIP_EIG};
  restart(comm, game, &vr, BLO_CLIP_SPECTRUM);
  restart(comm, definite, &wide, BLO_CLIP_INACTIVE);
}

/* ------------------------------------------------------------------- STABLE */

/* STABLE (arXiv 2102.04671): x+ = x - alpha (f_x - J H^-1 f_y), y+ = y - beta g_y - H^-1 J'(x+ -
 * x). r->w: direction in x, then x+ - x; r->v: adjoint, then the drift. */
static void stable_step(tracked *r, double tau, double alpha, double beta)
{
  blo_track_step step = {r->t == 0 ? BLO_TRACK_FRESH : BLO_TRACK_STORM,
                         NULL,
                         r->x,
                         r->y,
                         r->x_old,
                         r->y_old,
                         tau,
                         tau};
  blo_answer answer = {.f_x = r->now.f_x, .f_y = r->now.f_y, .g_y = r->now.g_y};
  blo_ask ask = {.lower = BLO_WANT_Y, .upper = BLO_WANT_X | BLO_WANT_Y, .x = r->x, .y = r->y};

  BLO_REQUIRE_STATUS(blo_eval_sweep(r->eval, &ask, &answer), BLO_OK);
  BLO_REQUIRE_STATUS(blo_tracker_update(r->tracker, &step), BLO_OK);
  blo_tracker_solve(r->tracker, r->now.f_y, r->v);
  blo_tracker_cross(r->tracker, r->v, r->w);
  blo_vec_axpy(-1, r->now.f_x, r->w);
  blo_vec_scale(alpha, r->w);
  blo_tracker_cross_transposed(r->tracker, r->w, r->v);
  blo_tracker_solve(r->tracker, r->v, r->v);
  blo_vec_copy(r->x, r->x_old);
  blo_vec_copy(r->y, r->y_old);
  blo_vec_axpy(1, r->w, r->x);
  blo_vec_axpy(-beta, r->now.g_y, r->y);
  blo_vec_axpy(-1, r->v, r->y);
  blo_vec_publish(r->x);
  blo_vec_publish(r->x_old);
  r->t++;
}

/* On a quadratic the drift is exact: y stays y*(x), even without lower steps (beta = 0). */
static void stable_follows_the_follower(blo_comm *comm)
{
  static const double beta[] = {0, 0.5};
  tracked_plan plan = mgbio;
  plan.tracker = (blo_tracker_options){1e-3, 50, (double)INFINITY, BLO_CLIP_EIG};
  for (int k = 0; k < 2; k++) {
    known_metrics now = {0}, start;
    tracked r;
    fixture f;
    known_open(comm, "quadratic", "{n: 150, m: 130, n_x: 6, n_y: 9, shards: 8}", &f);
    tracked_open(f.eval, &plan, &r);
    fixture_solve_lower(&f, r.x, r.y, 1e-13);
    start = known_at(&f, r.x, r.y);
    for (int t = 0; t < 150; t++) {
      stable_step(&r, 0.5, 1, beta[k]);
      now = known_at(&f, r.x, r.y);
      BLO_REQUIRE_MSG(now.error_y < 1e-11, "y is %.3g away from y*(x)", now.error_y);
    }
    BLO_EXPECT_MSG(start.error_x > 0.1 && now.error_x < 1e-7, "x was %.3g, is %.3g away",
                   start.error_x, now.error_x);
    tracked_close(&r);
    fixture_free(comm, &f);
  }
}

static const blo_test tests[] = {
    {"the tiny game has its digits", tiny_game_has_its_digits},
    {"the sine problem has its digits, with both clips", sine_has_its_digits},
    {"on all data corrections vanish", corrections_vanish_on_all_data},
    {"with coefficients of one the estimates are fresh", coefficients_of_one_forget},
    {"without the clip it explodes", without_the_clip_it_explodes},
    {"grids differ by rounding, one rank by nothing", grids_differ_by_rounding},
    {"restarts keep the bits", restarts_keep_the_bits},
    {"STABLE follows the follower", stable_follows_the_follower},
};

BLO_TEST_MAIN("tracking_methods", tests)

/* MGBiO, MSGBiO and VR-MSGBiO on problems with known answers: trajectories with digits, limits,
 * identities between the three, what the clip is for, bits, restarts, refusals. The digits come
 * from independent programs (docs/methods/mgbio.md says which are by hand). */
#include "plain.h"
#include "ride.h"
#include <blo/checkpoint.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static double slope(const ride *r)
{
  return ride_at(r).grad_norm;
}

/* ------------------------------------------------------------------ digits */

typedef struct point {
  int t;
  double x[2], y[2], tol;
} point;

static void expect_trajectory(blo_comm *comm, const char *problem, const char *settings,
                              const char *text, const point *want, int n)
{
  ride r;
  ride_known(comm, problem, settings, "mgbio", text, 1, &r);
  for (int k = 0; k < n; k++) {
    double x[2] = {0}, y[2] = {0};
    ride_to(&r, want[k].t);
    blo_vec_get_all(r.s->x, x);
    blo_vec_get_all(r.s->y, y);
    for (int i = 0; i < (int)blo_space_n(r.s->x->space); i++) {
      BLO_EXPECT_NEAR(x[i], want[k].x[i], 0, want[k].tol, "the same iteration in another program");
      BLO_EXPECT_NEAR(y[i], want[k].y[i], 0, want[k].tol, "the same iteration in another program");
    }
  }
  ride_close(comm, &r);
}

#define STEPS_OF_1 "lower: {step: 1}\nupper: {step: 1}\neta: 0.5\ndense: {block: 2}\n"
static const char tiny[] = "{kind: tiny, shards: 4}";
static const char tiny_plan[] = STEPS_OF_1 "tracker: {mu: 0.1, L: 2}";

/* y_2 is in the null space of H and stands still. By hand: iterations 1 and 2. */
static void tiny_game_has_its_digits(blo_comm *comm)
{
  static const point want[] = {
      {1, {0.46, 0.71}, {0.4, 3}, 1e-15},
      {2, {0.21585, 0.51835}, {0.1415, 3}, 1e-15},
  };
  static const double x10[] = {0.003496696792313, 0.056743196210819};
  double x[2], y[2];
  ride r;

  expect_trajectory(comm, "pl_game", tiny, tiny_plan, want, 2);
  ride_known(comm, "pl_game", tiny, "mgbio", tiny_plan, 1, &r);
  ride_to(&r, 10);
  blo_vec_get_all(r.s->x, x);
  BLO_EXPECT_NEAR(x[0], x10[0], 0, 1e-15, "an independent program");
  BLO_EXPECT_NEAR(x[1], x10[1], 0, 1e-15, "an independent program");
  ride_to(&r, 50);
  BLO_EXPECT_NEAR(slope(&r), 6.1237e-7, 0, 5e-12, "an independent program");
  ride_to(&r, 100);
  BLO_EXPECT_NEAR(slope(&r), 9.49e-13, 0, 5e-15, "an independent program");
  blo_vec_get_all(r.s->y, y);
  BLO_EXPECT_ALL(y[1] == 3);
  ride_close(comm, &r);
}

#define SINE "lower: {step: 0.1}\nupper: {step: 0.5}\neta: 0.5\n"

/* Steps 0.25 in x and 0.05 in y, curvature clipped to [1, 8]. From (0, 1.2), where H = 2 + 6
 * cos 2.4 < 0 and J = -H: u = -1, h = -0.8, so w = -1 + 0.8 H with H^-1 for 1: uphill; and with the
 * sign kept w = u + h = -1.8. */
static void sine_has_its_digits(blo_comm *comm)
{
  static const char eig[] = SINE "tracker: {mu: 1, L: 8}";
  static const char svd[] = SINE "tracker: {mu: 1, L: 8, clip: svd}";
  static const point from_0[] = {
      {1, {0.75}, {0}, 1e-15},
      {2, {1.3125}, {.224624247990608}, 1e-14},
      {10, {1.681892327679742}, {1.600826813044536}, 1e-13},
      {100, {1.5}, {1.5}, 5e-13},
  };
  static const point of_eig[] = {
      {1, {-.234872458649495}, {.978680522917327}, 1e-14},
      {2, {-.572797168549067}, {.759040764694587}, 1e-14},
      {1000, {1.5}, {1.5}, 1e-13}, /* on the way the smallest change grows to 0.1 */
  };
  static const point of_svd[] = {{1, {0.45}, {.978680522917327}, 1e-14}};

  expect_trajectory(comm, "sine_pl", "{d: 1, shards: 4}", eig, from_0, 4);
  expect_trajectory(comm, "sine_pl", "{d: 1, y0: 1.2, shards: 4}", eig, of_eig, 3);
  expect_trajectory(comm, "sine_pl", "{d: 1, y0: 1.2, shards: 4}", svd, of_svd, 1);
}

/* ------------------------------------------------------------------ limits */

/* From random starts, where the curvature of g has both signs, to the one minimum of F: the gap is
 * known to rounding errors of F itself. */
static void sine_is_solved_from_anywhere(blo_comm *comm)
{
  for (int seed = 1; seed <= 4; seed++) {
    char settings[128];
    ride r;
    snprintf(settings, sizeof settings,
             "{d: 5, shards: 4, n: 64, start: random, start_size: 3, seed: %d}", seed);
    ride_known(comm, "sine_pl", settings, "mgbio", SINE "tracker: {mu: 1, L: 8}", 1, &r);
    double before = ride_at(&r).error_x;
    ride_to(&r, 700);
    known_metrics m = ride_at(&r);
    BLO_EXPECT_MSG(before > 1 && m.error_x < 1e-13 && m.error_y < 1e-13,
                   "seed %d: x was %.3g away, x and y are %.3g, %.3g away", seed, before, m.error_x,
                   m.error_y);
    ride_close(comm, &r);
  }
}

static const char game[] = "{n: 200, d: 12, rank: 5, noise: 0.3, shards: 8}";
enum { N_GAME = 12 };

/* w = -(x+ - x) / (eta gamma). */
static void first_direction(blo_comm *comm, const char *text, double *w, double *grad)
{
  double x[N_GAME], x_new[N_GAME];
  ride r;

  ride_known(comm, "pl_game", game, "mgbio", text, 1, &r);
  blo_vec_get_all(r.s->x, x);
  for (int i = 0; i < N_GAME; i++) { /* F is quadratic: central differences are exact */
    double F[2], moved[N_GAME];
    memcpy(moved, x, sizeof moved);
    for (int side = 0; side < 2; side++) {
      moved[i] = x[i] + (side == 0 ? -1 : 1);
      blo_vec_set_from(moved, r.s->x);
      F[side] = ride_at(&r).F;
    }
    grad[i] = (F[1] - F[0]) / 2;
  }
  blo_vec_set_from(x, r.s->x);
  ride_to(&r, 1);
  blo_vec_get_all(r.s->x, x_new);
  for (int i = 0; i < N_GAME; i++) {
    w[i] = (x[i] - x_new[i]) / 0.25;
  }
  ride_close(comm, &r);
}

static double relative(int n, const double *a, const double *b)
{
  return plain_distance(n, a, b) / plain_norm(n, b);
}

/* H is singular, y one of many minimisers (the warm-up finds it). With a floor below the smallest
 * eigenvalue that is not 0, w is grad F; above, it is not. */
static void clipped_direction_is_the_gradient(blo_comm *comm)
{
  static const double mu[] = {1e-6, 1e-3, 0.05, 0.3};
  for (int k = 0; k < 4; k++) {
    double w[N_GAME], grad[N_GAME];
    char text[256];
    snprintf(text, sizeof text,
             "lower: {step: 1, warm_up: 400}\nupper: {step: 0.5}\neta: 0.5\n"
             "tracker: {mu: %g, L: 3}\n",
             mu[k]);
    first_direction(comm, text, w, grad);
    double error = relative(N_GAME, w, grad);
    BLO_EXPECT_MSG((mu[k] == 0.3) == (error > 1e-3) && (error < 1e-12 || error > 1e-3),
                   "floor %g: w differs from grad F by %.3g", mu[k], error);
  }
}

/* The iteration is linear: in the end it contracts by 1 - s l, s the step size, l the smallest
 * eigenvalue that is not 0 of what drives x or y. */
static void convergence_is_linear(blo_comm *comm)
{
  static const char *const steps[] = {"1", "1.5"};
  double factor[2];
  for (int k = 0; k < 2; k++) {
    char text[256];
    double at[4];
    ride r;
    snprintf(text, sizeof text,
             "lower: {step: %s}\nupper: {step: %s}\neta: 1\ntracker: {mu: 0.005, L: 2}\n", steps[k],
             steps[k]);
    ride_known(comm, "pl_game", "{low: 0.01, coupling: 0.02, shards: 8}", "mgbio", text, 1, &r);
    for (int i = 0; i < 4; i++) {
      ride_to(&r, 100 * i);
      at[i] = slope(&r);
    }
    factor[k] = log(at[1] / at[2]);
    BLO_EXPECT_MSG(at[1] < 1e-3 * at[0] && fabs(log(at[2] / at[3]) - factor[k]) < 1e-3 * factor[k],
                   "|grad F| = %.3g, %.3g, %.3g, %.3g", at[0], at[1], at[2], at[3]);
    ride_close(comm, &r);
  }
  BLO_EXPECT_NEAR(factor[1], -100 * log1p(-1.5 * -expm1(-factor[0] / 100)), 1e-3, 0,
                  "the other step, with the same l");
}

/* -------------------------------------------------------------- identities */

typedef struct end {
  double z[2 * N_GAME]; /* x, y */
} end;

static end run_game(blo_comm *comm, const char *method, const char *text, int n)
{
  ride r;
  end e;
  ride_known(comm, "pl_game", game, method, text, 1, &r);
  ride_to(&r, n);
  blo_vec_get_all(r.s->x, e.z);
  blo_vec_get_all(r.s->y, e.z + N_GAME);
  ride_close(comm, &r);
  return e;
}

static double distance(const end *a, const end *b)
{
  return relative(2 * N_GAME, a->z, b->z);
}

/* A clip that acts: H of a batch of 8 is singular. */
#define STEPS  "lower: {step: 1, batch: 8}\nupper: {step: 1, batch: 8}\n"
#define FULL   "lower: {step: 1, batch: 0}\nupper: {step: 1, batch: 0}\n"
#define BOUNDS "tracker: {mu: 0.05, L: 2, cross_bound: 3}\ndense: {block: 3}\n"
#define FORGET "momentum: {c_v: inf, c_u: inf, c_G: inf, c_H: inf, first: 1}\n"
/* eta_t = 1/2 up to 1e-10, whatever the power */
#define HALF_MS "eta: {k: 5e5, m: 1e12}\n"
#define HALF_VR "eta: {k: 5e3, m: 1e12}\n"

/* H and J are constant, so Pi[A + (1 - a) (Pi[A] - A)] = Pi[A]. */
static void corrections_vanish_on_all_data(blo_comm *comm)
{
  end vr = run_game(comm, "vr_msgbio", FULL BOUNDS, 100);
  end fresh = run_game(comm, "vr_msgbio", FULL BOUNDS FORGET, 100);
  end half = run_game(comm, "vr_msgbio", FULL BOUNDS HALF_VR, 60);
  end mgbio = run_game(comm, "mgbio", FULL BOUNDS, 60);
  BLO_EXPECT_MSG(distance(&vr, &fresh) < 1e-13, "with and without: %.3g", distance(&vr, &fresh));
  BLO_EXPECT_MSG(distance(&half, &mgbio) < 1e-8, "VR-MSGBiO and MGBiO: %.3g",
                 distance(&half, &mgbio));
}

static void coefficients_of_one_forget(blo_comm *comm)
{
  end vr = run_game(comm, "vr_msgbio", STEPS BOUNDS FORGET HALF_VR, 50);
  end ms = run_game(comm, "msgbio", STEPS BOUNDS FORGET HALF_MS, 50);
  end mg = run_game(comm, "mgbio", STEPS BOUNDS, 50);
  end kept = run_game(comm, "msgbio", STEPS BOUNDS HALF_MS "momentum: {first: 1}\n", 50);
  BLO_EXPECT_MSG(distance(&vr, &ms) < 1e-8, "VR-MSGBiO and MSGBiO: %.3g", distance(&vr, &ms));
  BLO_EXPECT_MSG(distance(&ms, &mg) < 1e-8, "MSGBiO and MGBiO: %.3g", distance(&ms, &mg));
  BLO_EXPECT_ALL(distance(&kept, &mg) < 1e-8); /* c eta = 1, too */
}

/* ------------------------------------------------------------ what it is for */

static double largest_entry(const end *e)
{
  double most = 0;
  for (int i = 0; i < N_GAME; i++) {
    most = fabs(e->z[i]) <= most ? most : fabs(e->z[i]);
  }
  return most;
}

/* A first batch of 3 samples gives a singular H. */
static void without_the_clip_it_explodes(blo_comm *comm)
{
#define THREE "lower: {step: 1, batch: 3}\nupper: {step: 1, batch: 3}\nmomentum: {first: 1}\n"
  end bounded = run_game(comm, "vr_msgbio", THREE BOUNDS, 20);
  end wild = run_game(comm, "vr_msgbio", THREE "tracker: {mu: 1e-9, L: 1e9}\n", 20);
  BLO_EXPECT_MSG(largest_entry(&bounded) < 2, "x = %.3g", largest_entry(&bounded));
  BLO_EXPECT_MSG(!(largest_entry(&wild) < 1e3), "x = %.3g", largest_entry(&wild));
}

/* Root mean square of |grad F| over the last fifth of the iterations. */
static double noisy_slope(blo_comm *comm, const char *method, const char *text, int n)
{
  double sum = 0;
  int count = 0;
  ride r;
  ride_known(comm, "pl_game", "{n: 400, d: 12, rank: 5, noise: 0.5, shards: 8}", method, text, 1,
             &r);
  for (int t = n - n / 5; t < n; t += 10, count++) {
    ride_to(&r, t);
    double now = slope(&r);
    sum += now * now;
  }
  ride_close(comm, &r);
  return sqrt(sum / count);
}

/* The same samples: a batch at two points counts twice. */
static void corrections_reduce_the_noise(blo_comm *comm)
{
  double ms = noisy_slope(comm, "msgbio", STEPS BOUNDS, 2000);
  double vr = noisy_slope(comm, "vr_msgbio", STEPS BOUNDS, 1000);
  BLO_EXPECT_MSG(vr < 0.7 * ms && ms < 0.1, "MSGBiO %.3g, VR-MSGBiO %.3g", ms, vr);
}

/* --------------------------------------------------------------------- bits */

static void grids_differ_by_rounding(blo_comm *comm)
{
#define ONE STEPS "tracker: {mu: 0.05, L: 2, cross_bound: 3}\ndense: {block: 3, ranks: 1}\n"
  blo_comm *self = NULL;
  BLO_REQUIRE_STATUS(blo_comm_create(blo_comm_context(comm), MPI_COMM_SELF, &self), BLO_OK);
  end all = run_game(comm, "vr_msgbio", STEPS BOUNDS, 100);
  end again = run_game(comm, "vr_msgbio", STEPS BOUNDS, 100);
  end at_one = run_game(comm, "vr_msgbio", ONE, 100), alone = run_game(self, "vr_msgbio", ONE, 100);
  BLO_EXPECT_MSG(distance(&all, &at_one) < 1e-9, "a grid of all ranks and of one differ by %.3g",
                 distance(&all, &at_one));
  BLO_EXPECT_ALL(memcmp(all.z, again.z, sizeof all.z) == 0);
  BLO_EXPECT_SAME_BYTES(all.z, sizeof all.z);
  BLO_EXPECT_ALL(memcmp(at_one.z, alone.z, sizeof alone.z) == 0);
  blo_comm_destroy(&self);
}

static void through_a_file(blo_comm *comm, blo_state *from, blo_state *to)
{
  char folder[256], path[512];
  blo_snapshot snap = {.iteration = 5,
                       .problem = "pl_game",
                       .solver = "vr_msgbio",
                       .config = "",
                       .version = BLO_VERSION,
                       .state = from};
  blo_test_tmpdir(comm, folder, sizeof folder);
  BLO_REQUIRE_STATUS(blo_checkpoint_save(comm, folder, "run", 1, &snap, path, sizeof path), BLO_OK);
  snap.state = to;
  BLO_REQUIRE_STATUS(blo_checkpoint_load(comm, path, &snap), BLO_OK);
}

/* Settings in which the clip is inactive (solves leave factors in the matrix), and in which it is
 * not; matrices on all ranks. */
static void restart(blo_comm *comm, const char *settings, const char *text)
{
  uint32_t want[2], got[2];
  ride first, loaded;

  ride_known(comm, "pl_game", settings, "vr_msgbio", text, 1, &first);
  ride_known(comm, "pl_game", settings, "vr_msgbio", text, 1, &loaded);
  ride_to(&first, 5);
  through_a_file(comm, first.s->state, loaded.s->state);
  BLO_EXPECT_ALL(loaded.s->k == 5);
  blo_vec_publish(loaded.s->x);
  ride_to(&first, 10);
  ride_to(&loaded, 10);
  BLO_REQUIRE_STATUS(blo_vec_checksum(first.s->x, &want[0]), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_checksum(first.s->y, &want[1]), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_checksum(loaded.s->x, &got[0]), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_checksum(loaded.s->y, &got[1]), BLO_OK);
  BLO_EXPECT_ALL(memcmp(want, got, sizeof want) == 0);
  BLO_EXPECT_ALL(*blo_state_find(first.s->state, "tracker.spectrum")->at.integer ==
                 *blo_state_find(loaded.s->state, "tracker.spectrum")->at.integer);
  ride_close(comm, &first);
  ride_close(comm, &loaded);
}

static void restarts_keep_the_bits(blo_comm *comm)
{
  static const char definite[] = "{n: 200, d: 12, rank: 12, low: 0.5, noise: 0.3, shards: 8}";
  restart(comm, game, STEPS BOUNDS);
  restart(comm, definite,
          "lower: {step: 0.5, batch: 150}\nupper: {step: 0.5, batch: 150}\n"
          "tracker: {mu: 1e-3, L: 50}\n");
}

/* ----------------------------------------------------------------- refusals */

static void nonsense_is_refused(blo_comm *comm)
{
  static const char *const methods[] = {"mgbio", "msgbio", "vr_msgbio"};
  fixture tasks, quadratic;
  fixture_make(comm, FIXTURE_TASKS, "", BLO_REPRODUCIBLE, &tasks);
  fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &quadratic);
  for (int i = 0; i < 3; i++) {
    ride_expect_refused(&tasks, methods[i], "lower: {batch: 20}\nupper: {batch: 20}\n",
                        BLO_E_UNSUPPORTED, "cannot take batches of tasks");
    ride_expect_refused(&quadratic, methods[i], "tracker: {mu: 3, L: 2}\n", BLO_E_OPTION,
                        "[mu, L] = [3, 2]");
    ride_expect_refused(&quadratic, methods[i], "upper: {set: {type: user}}\n", BLO_E_OPTION,
                        "set.type 'user'");
  }
  ride_expect_refused(&quadratic, "msgbio", "eta: {k: 3.1, m: 8}\n", BLO_E_OPTION,
                      "eta_1 = k / (m + 1)^e = 1.03");
  ride_expect_refused(&quadratic, "vr_msgbio", "eta: {k: 2.1, m: 8}\n", BLO_E_OPTION,
                      "eta_1 = k / (m + 1)^e = 1.0");
  fixture_free(comm, &quadratic);
  fixture_free(comm, &tasks);
}

static const blo_test tests[] = {
    {"the tiny game has its digits", tiny_game_has_its_digits},
    {"the sine problem has its digits, with both clips", sine_has_its_digits},
    {"the sine problem is solved from anywhere", sine_is_solved_from_anywhere},
    {"the clipped direction is the gradient", clipped_direction_is_the_gradient},
    {"convergence is linear", convergence_is_linear},
    {"on all data corrections vanish", corrections_vanish_on_all_data},
    {"with coefficients of one the estimates are fresh", coefficients_of_one_forget},
    {"without the clip it explodes", without_the_clip_it_explodes},
    {"corrections reduce the noise", corrections_reduce_the_noise},
    {"grids differ by rounding, one rank by nothing", grids_differ_by_rounding},
    {"restarts keep the bits", restarts_keep_the_bits},
    {"nonsense is refused", nonsense_is_refused},
};

BLO_TEST_MAIN("mgbio", tests)

/* STABLE (Chen, Sun, Xiao and Yin 2022, arXiv 2102.04671) as a plain loop over tracked matrices: a
 * user of products with J' that is no method of the library. */
#include "known.h"
#include <blo/tracking.h>
#include <math.h>

enum { X_OLD, F_X, W, N_IN_X };
enum { Y_OLD, F_Y, G_Y, V, N_IN_Y };

typedef struct rig {
  fixture f;
  blo_tracker *tracker;
  blo_vec *x, *y, *in_x[N_IN_X], *in_y[N_IN_Y];
  bool moved;
} rig;

static void open_rig(blo_comm *comm, const char *settings, rig *r)
{
  static const blo_tracker_options bounds = {1e-3, 50, (double)INFINITY, BLO_CLIP_EIG};
  static const blo_dense_options dense = {.ranks = 0, .block = 2};
  *r = (rig){.moved = false};
  known_open(comm, "quadratic", settings, &r->f);
  BLO_REQUIRE_STATUS(blo_vec_create(blo_eval_space_x(r->f.eval), &r->x), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_create(blo_eval_space_y(r->f.eval), &r->y), BLO_OK);
  fixture_like(r->x, N_IN_X, r->in_x);
  fixture_like(r->y, N_IN_Y, r->in_y);
  BLO_REQUIRE_STATUS(
      blo_tracker_create(r->f.eval, &dense, &bounds, r->f.problem->n_lower, NULL, &r->tracker),
      BLO_OK);
  blo_eval_start(r->f.eval, r->x, r->y);
  fixture_solve_lower(&r->f, r->x, r->y, 1e-13);
}

static void close_rig(blo_comm *comm, rig *r)
{
  blo_tracker_destroy(&r->tracker);
  blo_vec_destroy(&r->x);
  blo_vec_destroy(&r->y);
  fixture_free_vecs(N_IN_X, r->in_x);
  fixture_free_vecs(N_IN_Y, r->in_y);
  fixture_free(comm, &r->f);
}

/* The gradients at the point, and the estimates of H and J. */
static void estimate(rig *r, double tau)
{
  const blo_track_step step = {.rule = r->moved ? BLO_TRACK_STORM : BLO_TRACK_FRESH,
                               .x = r->x,
                               .y = r->y,
                               .x_old = r->in_x[X_OLD],
                               .y_old = r->in_y[Y_OLD],
                               .a_hessian = tau,
                               .a_cross = tau};
  const blo_ask ask = {.lower = BLO_WANT_Y, .upper = BLO_WANT_X | BLO_WANT_Y, .x = r->x, .y = r->y};
  blo_answer answer = {.f_x = r->in_x[F_X], .f_y = r->in_y[F_Y], .g_y = r->in_y[G_Y]};

  BLO_REQUIRE_STATUS(blo_eval_sweep(r->f.eval, &ask, &answer), BLO_OK);
  BLO_REQUIRE_STATUS(blo_tracker_update(r->tracker, &step), BLO_OK);
}

/* x+ = x - alpha (f_x - J H^-1 f_y), y+ = y - beta g_y - H^-1 J'(x+ - x). */
static void step(rig *r, double tau, double alpha, double beta)
{
  blo_vec *w = r->in_x[W], *v = r->in_y[V];

  estimate(r, tau);
  blo_tracker_solve(r->tracker, r->in_y[F_Y], v);
  blo_tracker_cross(r->tracker, v, w);
  blo_vec_axpy(-1, r->in_x[F_X], w);
  blo_vec_scale(alpha, w);
  blo_tracker_cross_transposed(r->tracker, w, v);
  blo_tracker_solve(r->tracker, v, v);
  blo_vec_copy(r->x, r->in_x[X_OLD]);
  blo_vec_copy(r->y, r->in_y[Y_OLD]);
  blo_vec_axpy(1, w, r->x);
  blo_vec_axpy(-beta, r->in_y[G_Y], r->y);
  blo_vec_axpy(-1, v, r->y);
  blo_vec_publish(r->x);
  blo_vec_publish(r->in_x[X_OLD]);
  r->moved = true;
}

/* On a quadratic the drift is exact: y stays y*(x), even without lower steps (beta = 0). */
static void stable_follows_the_follower(blo_comm *comm)
{
  static const double beta[] = {0, 0.5};
  for (int k = 0; k < 2; k++) {
    known_metrics now = {0}, start;
    rig r;
    open_rig(comm, "{n: 150, m: 130, n_x: 6, n_y: 9, shards: 8}", &r);
    start = known_at(&r.f, r.x, r.y);
    for (int t = 0; t < 150; t++) {
      step(&r, 0.5, 1, beta[k]);
      now = known_at(&r.f, r.x, r.y);
      BLO_REQUIRE_MSG(now.error_y < 1e-11, "y is %.3g away from y*(x)", now.error_y);
    }
    BLO_EXPECT_MSG(start.error_x > 0.1 && now.error_x < 1e-7, "x was %.3g, is %.3g away",
                   start.error_x, now.error_x);
    close_rig(comm, &r);
  }
}

static const blo_test tests[] = {
    {"STABLE follows the follower", stable_follows_the_follower},
};

BLO_TEST_MAIN("tracking_methods", tests)

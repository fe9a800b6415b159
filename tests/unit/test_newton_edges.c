/* Layer solver: Newton's steps where a full step leaves the numbers that there are, and where H is
 * singular but for rounding. */
#include "known.h"
#include "lower_rig.h"
#include <math.h>

/* ------------------------------------------- g_i = exp(y) - y, with no x that matters */

enum { N = 8 };

static blo_status setup(blo_problem *p)
{
  p->n_x = p->n_y = p->n_packed = 1;
  p->n_lower = p->n_upper = N;
  p->n_shards = 4;
  p->x_layout = BLO_REPLICATED;
  return BLO_OK;
}

static void teardown(blo_problem *p)
{
  (void)p;
}

static void start(const blo_problem *p, const blo_slice *x, const blo_slice *y)
{
  (void)p;
  x->data[0] = 0;
  y->data[0] = -10;
}

static blo_status shard(blo_problem *p, const blo_shard_task *t, const blo_shard_out *out)
{
  double e = exp(t->y[0]), scale = t->scale * (double)t->n_rows;

  (void)p;
  if (out->value != NULL) {
    *out->value += scale * (e - t->y[0]);
  }
  if (out->gy != NULL) {
    out->gy[0] += scale * (e - 1);
  }
  for (blo_int i = 0; i < t->n_v && out->hv[i] != NULL; i++) {
    out->hv[i][0] += scale * e * t->v[i][0];
  }
  return BLO_OK;
}

static blo_status no_metrics(blo_problem *p, blo_int s, const double *x, double *sums)
{
  (void)p, (void)s, (void)x, (void)sums;
  return BLO_OK;
}

static void finish_no_metrics(const blo_problem *p, const double *sums, double *values)
{
  (void)p, (void)sums, (void)values;
}

static const blo_problem_type steep = {.name = "test_steep",
                                       .summary = "exp(y) - y",
                                       .source = "-",
                                       .has = BLO_HAS_DIRECTIONS,
                                       .setup = setup,
                                       .teardown = teardown,
                                       .start = start,
                                       .shard = shard,
                                       .metrics_shard = no_metrics,
                                       .metrics_finish = finish_no_metrics};

/* From -10 the first step is one of 22025, and exp of that is infinite: the search halves t until
 * there is a number, and goes on. The minimiser is 0. */
static void overflow_shortens_the_step(blo_comm *comm)
{
  const blo_lower_options o = rig_rule(BLO_LOWER_NEWTON, 60);
  const blo_dense_options dense = {.ranks = 0, .block = 2};
  lower_rig r = {.o = o};

  r.f.conf = NULL;
  BLO_REQUIRE_STATUS(blo_problem_create(comm, &steep, NULL, &r.f.problem), BLO_OK);
  BLO_REQUIRE_STATUS(blo_eval_create(r.f.problem, BLO_REPRODUCIBLE, &r.f.eval), BLO_OK);
  rig_make(&r, o, dense);
  blo_vec_fill(r.y, -10);
  rig_track(&r);
  BLO_EXPECT_NEAR(r.y->data[0], 0, 0, 1e-12, "where exp(y) = 1");
  rig_close(comm, &r);
}

/* --------------------------------------------------------------- singular H */

/* H of pl_game has rank d - 1: a step has no part in its null space, so y does not run away there,
 * and the track ends at a stationary point. */
static void null_space_is_left_alone(blo_comm *comm)
{
  static const char *const settings[] = {
      "{n: 200, d: 4, rank: 3, shards: 8}", "{n: 300, d: 6, rank: 5, shards: 8}",
      "{n: 200, d: 10, rank: 9, shards: 8}", "{n: 200, d: 20, rank: 19, shards: 8}",
      "{n: 300, d: 9, rank: 4, shards: 8}"};
  for (int i = 0; i < BLO_COUNT_OF(settings); i++) {
    lower_rig r;
    known_open(comm, "pl_game", settings[i], &r.f);
    rig_make(&r, rig_rule(BLO_LOWER_NEWTON, 40), rig_one_rank);
    double before = blo_vec_norm(r.y);
    rig_track(&r);
    double after = blo_vec_norm(r.y), residual = rig_residual(&r);
    BLO_EXPECT_MSG(after < 1.1 * before, "%s: |y| from %.3g to %.3g", settings[i], before, after);
    BLO_EXPECT_MSG(residual < 1e-10, "%s: |grad_y g| = %.3g", settings[i], residual);
    rig_close(comm, &r);
  }
}

static const blo_test tests[] = {
    {"overflow shortens the step", overflow_shortens_the_step},
    {"null space is left alone", null_space_is_left_alone},
};
BLO_TEST_MAIN("newton edges", tests)

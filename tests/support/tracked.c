/* Methods on tracked matrices as plain loops; see tracked.h. */
#include "tracked.h"
#include "whole.h"
#include <math.h>
#include <string.h>

/* ------------------------------------------------------------------- life */

static void make_vectors(blo_eval *eval, tracked_vectors *v)
{
  BLO_REQUIRE_STATUS(blo_vec_create(blo_eval_space_x(eval), &v->f_x), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_create(blo_eval_space_y(eval), &v->f_y), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_create(blo_eval_space_y(eval), &v->g_y), BLO_OK);
}

static void free_vectors(tracked_vectors *v)
{
  blo_vec_destroy(&v->f_x);
  blo_vec_destroy(&v->f_y);
  blo_vec_destroy(&v->g_y);
}

static void make_point(tracked *r)
{
  blo_vec **const in_x[] = {&r->x, &r->x_old, &r->w}, **const in_y[] = {&r->y, &r->y_old, &r->v};
  for (int i = 0; i < 3; i++) {
    BLO_REQUIRE_STATUS(blo_vec_create(blo_eval_space_x(r->eval), in_x[i]), BLO_OK);
    BLO_REQUIRE_STATUS(blo_vec_create(blo_eval_space_y(r->eval), in_y[i]), BLO_OK);
  }
}

static void enter(tracked *r)
{
  const struct {
    const char *name;
    blo_vec *vec;
  } entries[] = {
      {"x", r->x},
      {"y", r->y},
      {"x_old", r->x_old},
      {"y_old", r->y_old},
      {"u", r->estimate.f_x},
      {"h", r->estimate.f_y},
      {"v", r->estimate.g_y},
  };
  for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
    BLO_REQUIRE_STATUS(blo_state_add_vec(r->state, entries[i].name, entries[i].vec), BLO_OK);
  }
  BLO_REQUIRE_STATUS(blo_state_add_int(r->state, "t", &r->t), BLO_OK);
}

void tracked_open(blo_eval *eval, const tracked_plan *plan, tracked *r)
{
  *r = (tracked){.plan = *plan, .eval = eval};
  make_point(r);
  make_vectors(eval, &r->estimate);
  make_vectors(eval, &r->now);
  make_vectors(eval, &r->before);
  BLO_REQUIRE_STATUS(blo_state_create(blo_eval_problem(eval)->ctx, &r->state), BLO_OK);
  enter(r);
  blo_eval_start(eval, r->x, r->y);
  BLO_REQUIRE_STATUS(blo_eval_sampler(eval, 1, BLO_PURPOSE_LOWER, plan->batch, &r->lower), BLO_OK);
  BLO_REQUIRE_STATUS(blo_eval_sampler(eval, 1, BLO_PURPOSE_UPPER, plan->batch, &r->upper), BLO_OK);
  BLO_REQUIRE_STATUS(blo_tracker_create(eval, &plan->dense, &r->plan.tracker,
                                        blo_sampler_max_own(r->lower), r->state, &r->tracker),
                     BLO_OK);
}

void tracked_close(tracked *r)
{
  blo_vec **const all[] = {&r->x, &r->y, &r->x_old, &r->y_old, &r->w, &r->v};
  blo_tracker_destroy(&r->tracker);
  blo_sampler_destroy(&r->lower);
  blo_sampler_destroy(&r->upper);
  blo_state_destroy(&r->state);
  free_vectors(&r->estimate);
  free_vectors(&r->now);
  free_vectors(&r->before);
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    blo_vec_destroy(all[i]);
  }
}

/* ------------------------------------------------------------- iterations */

static double eta(const tracked *r, blo_int t)
{
  return r->plan.k / pow(r->plan.m + (double)t, r->plan.power);
}

static blo_status gradients(tracked *r, const blo_batch *lower, const blo_batch *upper,
                            const blo_vec *x, const blo_vec *y, const tracked_vectors *to)
{
  blo_answer answer = {.f_x = to->f_x, .f_y = to->f_y, .g_y = to->g_y};
  blo_ask ask = {.lower = BLO_WANT_Y,
                 .upper = BLO_WANT_X | BLO_WANT_Y,
                 .lower_batch = lower,
                 .upper_batch = upper,
                 .x = x,
                 .y = y};
  return blo_eval_sweep(r->eval, &ask, &answer);
}

static void combine(blo_track_rule rule, double a, const blo_vec *now, const blo_vec *before,
                    blo_vec *estimate)
{
  switch (rule) {
  case BLO_TRACK_FRESH:
    blo_vec_copy(now, estimate);
    break;
  case BLO_TRACK_MOMENTUM:
    blo_vec_scale(1 - a, estimate);
    blo_vec_axpy(a, now, estimate);
    break;
  case BLO_TRACK_STORM:
    blo_vec_axpy(-1, before, estimate);
    blo_vec_aypx(1 - a, now, estimate);
    break;
  }
}

/** All five estimates at the point. */
static blo_status estimate(tracked *r, blo_track_rule rule, double a)
{
  const blo_batch *lower = blo_eval_draw(r->eval, r->lower, r->t, 1, 0);
  const blo_batch *upper = blo_eval_draw(r->eval, r->upper, r->t, 1, 0);
  blo_track_step step = {rule, lower, r->x, r->y, r->x_old, r->y_old, a, a};

  BLO_TRY(gradients(r, lower, upper, r->x, r->y, &r->now));
  if (rule == BLO_TRACK_STORM) {
    BLO_TRY(gradients(r, lower, upper, r->x_old, r->y_old, &r->before));
  }
  combine(rule, a, r->now.f_x, r->before.f_x, r->estimate.f_x);
  combine(rule, a, r->now.f_y, r->before.f_y, r->estimate.f_y);
  combine(rule, a, r->now.g_y, r->before.g_y, r->estimate.g_y);
  return blo_tracker_update(r->tracker, &step);
}

static blo_status step(tracked *r)
{
  blo_int t = r->t + 1;
  double a = fmin(1, r->plan.c * pow(eta(r, t - 1), r->plan.c_power));

  BLO_TRY(estimate(r, t == 1 ? BLO_TRACK_FRESH : r->plan.rule, a));
  blo_tracker_solve(r->tracker, r->estimate.f_y, r->v);
  blo_tracker_cross(r->tracker, r->v, r->w);
  blo_vec_aypx(-1, r->estimate.f_x, r->w);
  blo_vec_copy(r->x, r->x_old);
  blo_vec_copy(r->y, r->y_old);
  blo_vec_axpy(-eta(r, t) * r->plan.gamma, r->w, r->x);
  blo_vec_axpy(-eta(r, t) * r->plan.lambda, r->estimate.g_y, r->y);
  blo_vec_publish(r->x);
  blo_vec_publish(r->x_old);
  r->t = t;
  return BLO_OK;
}

blo_status tracked_steps(tracked *r, int n)
{
  for (int i = 0; i < n; i++) {
    BLO_TRY(step(r));
  }
  return BLO_OK;
}

/* ------------------------------------------------------- matrices, states */

static uint32_t checksum_matrix(const blo_dense *a)
{
  double *all = whole_matrix_alloc(a);
  uint32_t crc = blo_crc32(0, all, (size_t)(blo_dense_m(a) * blo_dense_n(a)) * sizeof *all);

  blo_free(blo_comm_context(blo_grid_comm(blo_dense_grid(a))), &all);
  return crc;
}

uint32_t tracked_checksum(const blo_state *state)
{
  uint32_t crc = 0;

  for (blo_int i = 0; i < blo_state_count(state); i++) {
    const blo_state_entry *e = blo_state_get(state, i);
    uint32_t part = 0;
    if (e->kind == BLO_STATE_VEC) {
      BLO_REQUIRE_STATUS(blo_vec_checksum(e->at.vec, &part), BLO_OK);
    } else if (e->kind == BLO_STATE_DENSE) {
      part = checksum_matrix(e->at.dense);
    } else {
      part = blo_crc32(0, e->at.integer, sizeof *e->at.integer); /* a number has as many bytes */
    }
    crc = blo_crc32(crc, &part, sizeof part);
  }
  return crc;
}

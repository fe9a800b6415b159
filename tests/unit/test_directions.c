/* Several directions in one sweep are as many sweeps with one direction; and what an evaluator
 * reserves for them. */
#include "fixture.h"
#include <blo/check.h>

enum { D = BLO_DIRECTIONS_MAX };
static const unsigned GRADIENTS = BLO_WANT_VALUE | BLO_WANT_X | BLO_WANT_Y;

/* A point, eight directions and their products, together and one at a time. */
typedef struct rig {
  blo_vec *x, *y, *v[D], *hv[D], *jv[D], *one[2], *grad[4];
  blo_ask ask;
  blo_answer ans;
} rig;

static void open_rig(const fixture *f, rig *r)
{
  fixture_point(f, &r->x, &r->y);
  fixture_like(r->y, D, r->v);
  fixture_like(r->y, D, r->hv);
  fixture_like(r->x, D, r->jv);
  fixture_like(r->y, 1, &r->one[0]);
  fixture_like(r->x, 1, &r->one[1]);
  fixture_like(r->y, 2, &r->grad[0]);
  fixture_like(r->x, 2, &r->grad[2]);
  r->ask = (blo_ask){.lower = GRADIENTS | BLO_WANT_HV | BLO_WANT_JV,
                     .upper = GRADIENTS,
                     .x = r->x,
                     .y = r->y,
                     .n_v = D};
  r->ans = (blo_answer){.g_y = r->grad[0], .f_y = r->grad[1], .g_x = r->grad[2], .f_x = r->grad[3]};
  for (int i = 0; i < D; i++) {
    blo_check_perturb(r->v[i], 1, 4, (uint64_t)i, r->v[i]);
    r->ask.v[i] = r->v[i];
    r->ans.hv[i] = r->hv[i];
    r->ans.jv[i] = r->jv[i];
  }
  BLO_REQUIRE_STATUS(blo_eval_reserve(f->eval, f->problem->n_lower, D), BLO_OK);
}

static void close_rig(rig *r)
{
  fixture_free_vecs(D, r->v);
  fixture_free_vecs(D, r->hv);
  fixture_free_vecs(D, r->jv);
  fixture_free_vecs(2, r->one);
  fixture_free_vecs(4, r->grad);
  blo_vec_destroy(&r->x);
  blo_vec_destroy(&r->y);
}

/* Relative distance; `from` is overwritten. */
static double distance(const blo_vec *v, blo_vec *from)
{
  double size = blo_vec_norm(from);
  blo_vec_axpy(-1, v, from);
  return blo_vec_norm(from) / size;
}

/* The linear classifiers give each direction the bits that it has alone; of the others the last
 * digits depend on who goes with whom. */
static double tolerance(int kind)
{
  return kind >= FIXTURE_CLEANING && kind <= FIXTURE_RIDGE_SPARSE ? 0 : 1e-14;
}

static void expect_singles(int kind, const fixture *f, rig *r, bool linearized)
{
  for (int i = 0; i < D; i++) {
    blo_ask ask = {.lower = BLO_WANT_HV | BLO_WANT_JV,
                   .x = r->x,
                   .y = r->y,
                   .n_v = 1,
                   .v = {r->v[i]},
                   .linearized = linearized};
    blo_answer ans = {.hv = {r->one[0]}, .jv = {r->one[1]}};
    BLO_REQUIRE_STATUS(blo_eval_sweep(f->eval, &ask, &ans), BLO_OK);
    BLO_EXPECT_ALL(blo_vec_norm(r->one[0]) > 1e-3 && blo_vec_norm(r->one[1]) > 1e-4);
    double hv = distance(r->hv[i], r->one[0]), jv = distance(r->jv[i], r->one[1]);
    BLO_EXPECT_MSG(hv <= tolerance(kind) && jv <= tolerance(kind),
                   "%s: direction %d: H v %.3g, J v %.3g", fixture_name(kind), i, hv, jv);
  }
}

static void expect_gradients(int kind, const fixture *f, rig *r)
{
  blo_vec *again[4];
  fixture_like(r->y, 2, &again[0]);
  fixture_like(r->x, 2, &again[2]);
  blo_ask ask = {.lower = GRADIENTS, .upper = GRADIENTS, .x = r->x, .y = r->y};
  blo_answer ans = {.g_y = again[0], .f_y = again[1], .g_x = again[2], .f_x = again[3]};
  BLO_REQUIRE_STATUS(blo_eval_sweep(f->eval, &ask, &ans), BLO_OK);
  BLO_EXPECT_MSG(ans.g == r->ans.g && ans.f == r->ans.f, "%s: values", fixture_name(kind));
  for (int i = 0; i < 4; i++) {
    blo_vec_axpy(-1, r->grad[i], again[i]);
    BLO_EXPECT_MSG(blo_vec_norm(again[i]) == 0, "%s: gradient %d", fixture_name(kind), i);
  }
  fixture_free_vecs(4, again);
}

static void together_as_one_by_one(blo_comm *comm, int kind, const fixture *f, blo_vec *x,
                                   blo_vec *y)
{
  bool at_once = (f->problem->has & BLO_HAS_DIRECTIONS) != 0;
  bool linearizes = blo_eval_can_linearize(f->eval);
  rig r;
  (void)x;
  (void)y;
  open_rig(f, &r);
  *blo_eval_counts(f->eval) = (blo_counts){.g = 0};
  r.ask.linearize = linearizes;
  blo_int before = blo_comm_traffic(comm).reductions;
  BLO_REQUIRE_STATUS(blo_eval_sweep(f->eval, &r.ask, &r.ans), BLO_OK);
  BLO_EXPECT_MSG(blo_comm_traffic(comm).reductions == before + (at_once ? 1 : D), "%s: messages",
                 fixture_name(kind));
  const blo_counts *c = blo_eval_counts(f->eval);
  BLO_EXPECT_ALL(c->g == 1 && c->g_x == 1 && c->g_y == 1 && c->f == 1 && c->f_x == 1);
  BLO_EXPECT_ALL(c->f_y == 1 && c->hv == D && c->jv == D);
  expect_singles(kind, f, &r, false);
  expect_gradients(kind, f, &r);
  if (linearizes) {
    r.ask.lower = BLO_WANT_HV | BLO_WANT_JV;
    r.ask.upper = 0;
    r.ask.linearize = false;
    r.ask.linearized = true;
    BLO_REQUIRE_STATUS(blo_eval_sweep(f->eval, &r.ask, &r.ans), BLO_OK);
    expect_singles(kind, f, &r, true);
  }
  close_rig(&r);
}

static void directions_together_are_single_ones(blo_comm *comm)
{
  fixture_for_all(comm, together_as_one_by_one);
}

/* Products alone, some of the directions; the others' vectors stay as they are. */
static void fewer_directions_than_reserved(blo_comm *comm)
{
  fixture f;
  rig r;
  fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &f);
  open_rig(&f, &r);
  blo_vec_fill(r.hv[3], 7);
  r.ask.lower = BLO_WANT_HV;
  r.ask.upper = 0;
  r.ask.n_v = 3;
  blo_traffic before = blo_comm_traffic(comm);
  BLO_REQUIRE_STATUS(blo_eval_sweep(f.eval, &r.ask, &r.ans), BLO_OK);
  blo_traffic after = blo_comm_traffic(comm);
  blo_int riders = 3 + BLO_N_NOTICES, want = 8 * (3 * QUADRATIC_N_Y + riders);
  BLO_EXPECT_MSG(after.bytes - before.bytes == want, "%lld bytes",
                 (long long)(after.bytes - before.bytes));
  BLO_EXPECT_ALL(r.hv[3]->data[0] == 7 && r.hv[2]->data[0] != 0);
  close_rig(&r);
  fixture_free(comm, &f);
}

static void joined_sweeps_take_one_direction(blo_comm *comm)
{
  fixture f;
  rig r;
  fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &f);
  open_rig(&f, &r);
  r.ask.join = true;
  BLO_EXPECT_STATUS(blo_eval_sweep(f.eval, &r.ask, &r.ans), BLO_E_UNSUPPORTED);
  BLO_EXPECT_ERROR_HAS("one direction, not 8");
  r.ask.n_v = 1;
  BLO_EXPECT_STATUS(blo_eval_sweep(f.eval, &r.ask, &r.ans), BLO_OK);
  close_rig(&r);
  fixture_free(comm, &f);
}

/* Memory is taken when it is asked for, once, and no more than the rank has samples for. */
static void memory_is_what_was_reserved(blo_comm *comm)
{
  char folder[256];
  fixture f;
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  fixture_make(comm, FIXTURE_CLEANING, folder, BLO_REPRODUCIBLE, &f);
  blo_context *ctx = f.problem->ctx;
  blo_int own = blo_space_n_local(blo_eval_space_x(f.eval)), start = blo_memory(ctx).bytes;
  blo_int row = f.problem->cache_per_sample * (blo_int)sizeof(double) + (blo_int)sizeof(int32_t);
  f.problem->has &= ~(unsigned)BLO_HAS_DIRECTIONS;
  BLO_REQUIRE_STATUS(blo_eval_reserve(f.eval, 10, 1), BLO_OK);
  blo_int some = blo_memory(ctx).bytes;
  BLO_EXPECT_ALL(some == start + 10 * row);
  BLO_REQUIRE_STATUS(blo_eval_reserve(f.eval, 5, 1), BLO_OK);
  BLO_REQUIRE_STATUS(blo_eval_reserve(f.eval, 10, 4), BLO_OK); /* one at a time: no room needed */
  BLO_EXPECT_ALL(blo_memory(ctx).bytes == some);
  BLO_REQUIRE_STATUS(blo_eval_reserve(f.eval, f.problem->n_lower, 1), BLO_OK);
  BLO_EXPECT_ALL(blo_memory(ctx).bytes == start + own * row);
  fixture_free(comm, &f);
}

/* A linearisation stands when more is reserved. */
static void reserving_keeps_the_linearization(blo_comm *comm)
{
  fixture f;
  rig r;
  blo_sampler *sampler = NULL;
  fixture_make(comm, FIXTURE_TASKS, "", BLO_REPRODUCIBLE, &f);
  BLO_REQUIRE_STATUS(
      blo_sampler_create(comm, 1, BLO_PURPOSE_TEST, TASKS_N, TASKS_SHARDS, 9, &sampler), BLO_OK);
  BLO_REQUIRE_STATUS(blo_eval_reserve(f.eval, blo_sampler_max_own(sampler), 1), BLO_OK);
  fixture_point(&f, &r.x, &r.y);
  fixture_like(r.y, 3, r.v);
  blo_check_perturb(r.v[0], 1, 4, 0, r.v[0]);
  blo_ask ask = {.lower = BLO_WANT_HV,
                 .lower_batch = blo_sampler_draw(sampler, 3),
                 .x = r.x,
                 .y = r.y,
                 .n_v = 1,
                 .v = {r.v[0]},
                 .linearize = true};
  blo_answer ans = {.hv = {r.v[1]}};
  BLO_REQUIRE_STATUS(blo_eval_sweep(f.eval, &ask, &ans), BLO_OK);
  blo_sampler_destroy(&sampler);
  BLO_REQUIRE_STATUS(blo_eval_reserve(f.eval, TASKS_N, D), BLO_OK);
  ask.linearize = false;
  ask.linearized = true;
  ans.hv[0] = r.v[2];
  BLO_REQUIRE_STATUS(blo_eval_sweep(f.eval, &ask, &ans), BLO_OK);
  BLO_EXPECT_ALL(blo_vec_norm(r.v[1]) > 0.1);
  blo_vec_axpy(-1, r.v[1], r.v[2]);
  BLO_EXPECT_ALL(blo_vec_norm(r.v[2]) == 0);
  fixture_free_vecs(3, r.v);
  blo_vec_destroy(&r.x);
  blo_vec_destroy(&r.y);
  fixture_free(comm, &f);
}

static blo_status reserve_all(blo_comm *comm, void *arg)
{
  fixture *f = arg;
  blo_eval *e = NULL;
  blo_status status = BLO_OK;
  BLO_GO(blo_eval_create(f->problem, BLO_REPRODUCIBLE, &e));
  BLO_GO_ALL(comm, blo_eval_reserve(e, TASKS_N, D));
done:
  blo_eval_destroy(&e);
  return status;
}

static void reserving_can_fail(blo_comm *comm)
{
  fixture f;
  fixture_make(comm, FIXTURE_TASKS, "", BLO_REPRODUCIBLE, &f);
  BLO_EXPECT_ALL(blo_test_sweep_faults(comm, reserve_all, &f) > 10);
  fixture_free(comm, &f);
}

static const blo_test tests[] = {
    {"directions together are single ones", directions_together_are_single_ones},
    {"fewer directions than reserved", fewer_directions_than_reserved},
    {"joined sweeps take one direction", joined_sweeps_take_one_direction},
    {"memory is what was reserved", memory_is_what_was_reserved},
    {"reserving keeps the linearization", reserving_keeps_the_linearization},
    {"reserving can fail", reserving_can_fail},
};
BLO_TEST_MAIN("directions", tests)

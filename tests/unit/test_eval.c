/* Layer eval: a sweep is the mean over its samples, in one message, with errors riding along. */
#include "fixture.h"
#include <math.h>
#include <string.h>

enum { NX = QUADRATIC_N_X, NY = QUADRATIC_N_Y, N = QUADRATIC_N, M = QUADRATIC_M };

typedef struct all_vecs {
  blo_vec *x, *y, *v, *g_x, *g_y, *hv, *jv, *f_x, *f_y;
} all_vecs;

static void make_vecs(const fixture *f, all_vecs *a)
{
  blo_space *sx = blo_eval_space_x(f->eval), *sy = blo_eval_space_y(f->eval);
  blo_vec **const in_x[] = {&a->g_x, &a->jv, &a->f_x},
                  **const in_y[] = {&a->v, &a->g_y, &a->hv, &a->f_y};
  fixture_point(f, &a->x, &a->y);
  for (int i = 0; i < 3; i++) {
    BLO_REQUIRE_STATUS(blo_vec_create(sx, in_x[i]), BLO_OK);
  }
  for (int i = 0; i < 4; i++) {
    BLO_REQUIRE_STATUS(blo_vec_create(sy, in_y[i]), BLO_OK);
  }
  for (blo_int i = 0; i < blo_space_n_local(sy); i++) {
    a->v->data[i] = sin((double)(3 * (blo_space_first(sy) + i) + 1));
  }
}

static void free_vecs(all_vecs *a)
{
  blo_vec **const all[] = {&a->x, &a->y, &a->v, &a->g_x, &a->g_y, &a->hv, &a->jv, &a->f_x, &a->f_y};
  for (int i = 0; i < 9; i++) {
    blo_vec_destroy(all[i]);
  }
}

static const unsigned EVERYTHING = BLO_WANT_VALUE | BLO_WANT_X | BLO_WANT_Y;

static blo_ask ask_all(const all_vecs *a)
{
  return (blo_ask){.lower = EVERYTHING | BLO_WANT_HV | BLO_WANT_JV,
                   .upper = EVERYTHING,
                   .x = a->x,
                   .y = a->y,
                   .n_v = 1,
                   .v = {a->v}};
}

static blo_answer answer_all(const all_vecs *a)
{
  return (blo_answer){
      .g_x = a->g_x, .g_y = a->g_y, .hv = {a->hv}, .jv = {a->jv}, .f_x = a->f_x, .f_y = a->f_y};
}

static double distance(int n, const double *a, const double *b)
{
  double most = 0;
  for (int i = 0; i < n; i++) {
    most = fmax(most, fabs(a[i] - b[i]));
  }
  return most;
}

/* x-vectors live at the root: bring them to all. */
static void compare(all_vecs *a, const blo_answer *ans, const quadratic_oracles *g,
                    const quadratic_oracles *f)
{
  blo_vec_publish(a->g_x);
  blo_vec_publish(a->jv);
  blo_vec_publish(a->f_x);
  BLO_EXPECT_NEAR(ans->g, g->value, 1e-13, 1e-13, "sum over samples");
  BLO_EXPECT_NEAR(ans->f, f->value, 1e-13, 1e-13, "sum over samples");
  BLO_EXPECT_ALL(distance(NX, a->g_x->data, g->gx) < 1e-13);
  BLO_EXPECT_ALL(distance(NY, a->g_y->data, g->gy) < 1e-13);
  BLO_EXPECT_ALL(distance(NY, a->hv->data, g->hv) < 1e-13);
  BLO_EXPECT_ALL(distance(NX, a->jv->data, g->jv) < 1e-13);
  BLO_EXPECT_ALL(distance(NX, a->f_x->data, f->gx) < 1e-13);
  BLO_EXPECT_ALL(distance(NY, a->f_y->data, f->gy) < 1e-13);
  BLO_EXPECT_ALL(fabs(g->jv[0]) > 1e-3 && fabs(g->gy[1]) > 1e-3); /* zeros would tell nothing */
}

/* The quadratic with a question for everything. */
typedef struct whole {
  fixture f;
  all_vecs a;
  blo_ask ask;
  blo_answer ans;
} whole;

static void open_whole(blo_comm *comm, whole *w)
{
  fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &w->f);
  make_vecs(&w->f, &w->a);
  w->ask = ask_all(&w->a);
  w->ans = answer_all(&w->a);
}

static void close_whole(blo_comm *comm, whole *w)
{
  free_vecs(&w->a);
  fixture_free(comm, &w->f);
}

static void sweep_is_the_mean(blo_comm *comm)
{
  int ones[N];
  for (int i = 0; i < N; i++) {
    ones[i] = 1;
  }
  for (int how = BLO_REPRODUCIBLE; how <= BLO_FAST; how++) {
    fixture f;
    all_vecs a;
    fixture_make(comm, FIXTURE_QUADRATIC, "", (blo_reduction)how, &f);
    make_vecs(&f, &a);
    quadratic_oracles lower = quadratic_mean(BLO_LOWER, ones, a.x->data, a.y->data, a.v->data);
    quadratic_oracles upper = quadratic_mean(BLO_UPPER, ones, a.x->data, a.y->data, NULL);
    blo_ask ask = ask_all(&a);
    blo_answer ans = answer_all(&a);
    blo_int before = blo_comm_traffic(comm).reductions;
    BLO_REQUIRE_STATUS(blo_eval_sweep(f.eval, &ask, &ans), BLO_OK);
    BLO_EXPECT_ALL(blo_comm_traffic(comm).reductions == before + 1);
    compare(&a, &ans, &lower, &upper);
    blo_counts *c = blo_eval_counts(f.eval);
    BLO_EXPECT_ALL(c->g == 1 && c->g_x == 1 && c->g_y == 1 && c->hv == 1 && c->jv == 1);
    BLO_EXPECT_ALL(c->f == 1 && c->f_x == 1 && c->f_y == 1 && c->samples == N + M);
    free_vecs(&a);
    fixture_free(comm, &f);
  }
}

static void batches_and_joined_directions(blo_comm *comm)
{
  fixture f;
  all_vecs a;
  quadratic_oracles g, h; /* of the lower, of the upper level */
  int count[N];
  blo_sampler *lower = NULL, *upper = NULL;
  fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &f);
  make_vecs(&f, &a);
  BLO_REQUIRE_STATUS(blo_sampler_create(comm, 1, BLO_PURPOSE_LOWER, N, 16, 30, &lower), BLO_OK);
  BLO_REQUIRE_STATUS(blo_sampler_create(comm, 1, BLO_PURPOSE_UPPER, M, 16, 9, &upper), BLO_OK);
  blo_ask ask = ask_all(&a);
  blo_answer ans = answer_all(&a);
  ask.lower_batch = blo_sampler_draw(lower, 7);
  ask.upper_batch = blo_sampler_draw(upper, 7);
  fixture_batch_counts(comm, ask.lower_batch, N, 16, count);
  g = quadratic_mean(BLO_LOWER, count, a.x->data, a.y->data, a.v->data);
  fixture_batch_counts(comm, ask.upper_batch, M, 16, count);
  h = quadratic_mean(BLO_UPPER, count, a.x->data, a.y->data, NULL);
  BLO_REQUIRE_STATUS(blo_eval_sweep(f.eval, &ask, &ans), BLO_OK);
  compare(&a, &ans, &g, &h);
  BLO_EXPECT_ALL(blo_eval_counts(f.eval)->samples == 39);

  ask.join = true;
  ans.f_x = ans.f_y = NULL;
  BLO_REQUIRE_STATUS(blo_eval_sweep(f.eval, &ask, &ans), BLO_OK);
  blo_vec_publish(a.jv);
  for (int i = 0; i < NY; i++) {
    g.hv[i] -= h.gy[i];
  }
  for (int i = 0; i < NX; i++) {
    g.jv[i] -= h.gx[i];
  }
  BLO_EXPECT_ALL(distance(NY, a.hv->data, g.hv) < 1e-13);
  BLO_EXPECT_ALL(distance(NX, a.jv->data, g.jv) < 1e-13);
  BLO_EXPECT_NEAR(ans.f, h.value, 1e-13, 0, "sum over samples");
  blo_sampler_destroy(&lower);
  blo_sampler_destroy(&upper);
  free_vecs(&a);
  fixture_free(comm, &f);
}

static void failing_oracle_fails_everywhere(blo_comm *comm)
{
  whole w;
  open_whole(comm, &w);
  quadratic_faults(w.f.problem)->failing_sample = N - 1; /* the last rank's */
  BLO_EXPECT_STATUS(blo_eval_sweep(w.f.eval, &w.ask, &w.ans), BLO_E_DATA);
  BLO_EXPECT_ERROR_HAS("sample 99 fails");
  quadratic_faults(w.f.problem)->failing_sample = -1;
  BLO_EXPECT_STATUS(blo_eval_sweep(w.f.eval, &w.ask, &w.ans), BLO_OK);
  close_whole(comm, &w);
}

static void nan_is_traced_to_its_shard(blo_comm *comm)
{
  whole w;
  open_whole(comm, &w);
  quadratic_faults(w.f.problem)->nan_sample = 50; /* the first of shard 8 of 16 */
  BLO_EXPECT_STATUS(blo_eval_sweep(w.f.eval, &w.ask, &w.ans), BLO_E_NONFINITE);
  BLO_EXPECT_ERROR_HAS("grad_y g is not finite");
  BLO_EXPECT_ERROR_HAS("shard 8");
  quadratic_faults(w.f.problem)->nan_sample = -1;
  w.a.y->data[2] = (double)INFINITY;
  BLO_EXPECT_STATUS(blo_eval_sweep(w.f.eval, &w.ask, &w.ans), BLO_E_NONFINITE);
  close_whole(comm, &w);
}

static void notices_ride_along(blo_comm *comm)
{
  whole w;
  open_whole(comm, &w);
  if (blo_comm_rank(comm) == blo_comm_size(comm) - 1) {
    blo_eval_notify(w.f.eval, BLO_NOTICE_SIGNAL);
  }
  BLO_EXPECT_ALL(!blo_eval_noticed(w.f.eval, BLO_NOTICE_SIGNAL));
  BLO_REQUIRE_STATUS(blo_eval_sweep(w.f.eval, &w.ask, &w.ans), BLO_OK);
  BLO_EXPECT_ALL(blo_eval_noticed(w.f.eval, BLO_NOTICE_SIGNAL));
  BLO_EXPECT_ALL(!blo_eval_noticed(w.f.eval, BLO_NOTICE_TIME));
  blo_eval_forget(w.f.eval, BLO_NOTICE_SIGNAL);
  BLO_REQUIRE_STATUS(blo_eval_sweep(w.f.eval, &w.ask, &w.ans), BLO_OK);
  BLO_EXPECT_ALL(!blo_eval_noticed(w.f.eval, BLO_NOTICE_SIGNAL));
  double n;
  BLO_REQUIRE_STATUS(blo_eval_metrics(w.f.eval, w.a.x, w.a.y, &n), BLO_OK);
  BLO_EXPECT_ALL(n == N);
  close_whole(comm, &w);
}

static void nothing_is_allocated_in_a_sweep(blo_comm *comm)
{
  char folder[256];
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  for (int kind = 0; kind < N_FIXTURES; kind++) {
    fixture f;
    all_vecs a;
    fixture_make(comm, kind, folder, BLO_REPRODUCIBLE, &f);
    make_vecs(&f, &a);
    blo_ask ask = ask_all(&a);
    blo_answer ans = answer_all(&a);
    blo_int before = blo_memory(f.problem->ctx).total;
    BLO_REQUIRE_STATUS(blo_eval_sweep(f.eval, &ask, &ans), BLO_OK);
    BLO_EXPECT_ALL(blo_memory(f.problem->ctx).total == before);
    free_vecs(&a);
    fixture_free(comm, &f);
  }
}

static blo_status make_quadratic(blo_comm *comm, void *arg)
{
  blo_problem *p = NULL;
  blo_eval *e = NULL;
  blo_status status = blo_problem_create(comm, &blo_problem_test_quadratic, NULL, &p);
  (void)arg;
  if (status == BLO_OK) {
    status = blo_eval_create(p, BLO_REPRODUCIBLE, &e);
  }
  blo_eval_destroy(&e);
  blo_problem_destroy(&p);
  return status;
}

static void making_an_evaluator_can_fail(blo_comm *comm)
{
  BLO_EXPECT_ALL(blo_test_sweep_faults(comm, make_quadratic, NULL) > 10);
}

static const blo_test tests[] = {
    {"sweep is the mean", sweep_is_the_mean},
    {"batches and joined directions", batches_and_joined_directions},
    {"failing oracle fails everywhere", failing_oracle_fails_everywhere},
    {"nan is traced to its shard", nan_is_traced_to_its_shard},
    {"notices ride along", notices_ride_along},
    {"nothing is allocated in a sweep", nothing_is_allocated_in_a_sweep},
    {"making an evaluator can fail", making_an_evaluator_can_fail},
};
BLO_TEST_MAIN("eval", tests)

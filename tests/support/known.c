/* The built-in problems with known solutions, and a bench for them; see known.h. */
#include "known.h"
#include <string.h>

const known_case known_cases[N_KNOWN] = {
    {"quadratic", "{n: 150, m: 130, n_x: 6, n_y: 9, shards: 8}", true},
    {"quadratic", "{n: 90, m: 200, n_x: 8, n_y: 3, flat: 2, noise: 0.3, shards: 4}", true},
    {"quartic_saddle", "{shards: 8}", true},
    {"factorization", "{n_x: 4, n_y: 3, shards: 4}", true},
    {"minimax_saddle", "{shards: 4}", true},
    {"minimax_w", "{shards: 4}", true},
    {"sine_follower", "{x0: 2, y0: 0.8, shards: 4}", true},
    {"convex_follower", "{n: 5, shards: 4}", false},
    {"convex_follower", "{kind: diagonal, n: 5, shards: 4}", false},
    {"pl_game", "{n: 300, d: 12, rank: 5, noise: 0.3, shards: 8}", false},
    {"pl_game", "{kind: tiny, shards: 4}", false},
    {"sine_pl", "{n: 128, noise: 0.3, shards: 8}", true},
    {"penalty_quadratic", "{shards: 4}", true},
    {"quartic_saddle", "{samples: 128, noise: 0.3, noise_hessian: 0.2, shards: 8}", true},
    {"unbounded_smoothness",
     "{n_x: 6, n_y: 8, x0: 1, n: 40, noise: 0.3, hessian_noise: 0.2, shards: 8}", true},
};

void known_open(blo_comm *comm, const char *type, const char *settings, fixture *f)
{
  blo_context *ctx = blo_comm_context(comm);
  *f = (fixture){NULL, NULL, NULL};
  BLO_REQUIRE_STATUS(blo_conf_parse(ctx, "test", settings, &f->conf), BLO_OK);
  BLO_REQUIRE_STATUS(blo_problem_create(comm, blo_problem_find(type), f->conf, &f->problem),
                     BLO_OK);
  BLO_REQUIRE_STATUS(blo_eval_create(f->problem, BLO_REPRODUCIBLE, &f->eval), BLO_OK);
}

void known_expect_refused(blo_comm *comm, const char *type, const char *settings, const char *says)
{
  blo_conf *conf = NULL;
  blo_problem *p = NULL;
  BLO_REQUIRE_STATUS(blo_conf_parse(blo_comm_context(comm), "test", settings, &conf), BLO_OK);
  BLO_EXPECT_STATUS(blo_problem_create(comm, blo_problem_find(type), conf, &p), BLO_E_OPTION);
  BLO_EXPECT_ERROR_HAS(says);
  blo_problem_destroy(&p);
  blo_conf_destroy(&conf);
}

typedef struct recipe {
  const char *type;
  const blo_conf *conf;
} recipe;

static blo_status make_and_free(blo_comm *comm, void *arg)
{
  const recipe *r = arg;
  blo_problem *p = NULL;
  blo_status status = blo_problem_create(comm, blo_problem_find(r->type), r->conf, &p);
  blo_problem_destroy(&p);
  return status;
}

void known_expect_clean_failures(blo_comm *comm, const char *type, const char *settings)
{
  blo_conf *conf = NULL;
  BLO_REQUIRE_STATUS(blo_conf_parse(blo_comm_context(comm), "test", settings, &conf), BLO_OK);
  recipe r = {type, conf};
  BLO_EXPECT_ALL(blo_test_sweep_faults(comm, make_and_free, &r) > 0);
  blo_conf_destroy(&conf);
}

known_metrics known_at(const fixture *f, const blo_vec *x, const blo_vec *y)
{
  double v[5];
  BLO_REQUIRE_STATUS(blo_eval_metrics(f->eval, x, y, v), BLO_OK);
  return (known_metrics){v[0], v[1], v[2], v[3], v[4]};
}

/* ----------------------------------------------------------------- bench */

const double bench_zeros[BENCH_MAX];

void bench_set(blo_vec *v, const double *values)
{
  memcpy(v->data, values, (size_t)blo_space_n(v->space) * sizeof *values);
  blo_vec_publish(v);
}

void bench_get(blo_vec *v, double *to)
{
  blo_vec_publish(v);
  memcpy(to, v->data, (size_t)blo_space_n(v->space) * sizeof *to);
}

void bench_open(blo_comm *comm, const char *type, const char *settings, bench *b)
{
  known_open(comm, type, settings, &b->f);
  BLO_REQUIRE_STATUS(blo_vec_create(blo_eval_space_x(b->f.eval), &b->x), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_create(blo_eval_space_y(b->f.eval), &b->y), BLO_OK);
  blo_eval_start(b->f.eval, b->x, b->y);
  fixture_like(b->x, 2, b->in_x);
  fixture_like(b->y, 3, b->in_y);
}

void bench_close(blo_comm *comm, bench *b)
{
  fixture_free_vecs(1, &b->x);
  fixture_free_vecs(1, &b->y);
  fixture_free_vecs(2, b->in_x);
  fixture_free_vecs(3, b->in_y);
  fixture_free(comm, &b->f);
}

known_metrics bench_metrics(bench *b, const double *x, const double *y)
{
  bench_set(b->x, x);
  bench_set(b->y, y);
  return known_at(&b->f, b->x, b->y);
}

/* The levels one after the other, in the same room. */
oracles bench_ask(bench *b, const double *x, const double *y, const double *v)
{
  oracles r;
  bench_set(b->x, x);
  bench_set(b->y, y);
  bench_set(b->in_y[0], v);
  blo_ask lower = {.lower = BLO_WANT_VALUE | BLO_WANT_X | BLO_WANT_Y | BLO_WANT_HV | BLO_WANT_JV,
                   .x = b->x,
                   .y = b->y,
                   .n_v = 1,
                   .v = {b->in_y[0]}};
  blo_answer ans = {.g_x = b->in_x[0], .jv = {b->in_x[1]}, .g_y = b->in_y[1], .hv = {b->in_y[2]}};
  BLO_REQUIRE_STATUS(blo_eval_sweep(b->f.eval, &lower, &ans), BLO_OK);
  r.g = ans.g;
  bench_get(b->in_x[0], r.g_x);
  bench_get(b->in_x[1], r.jv);
  bench_get(b->in_y[1], r.g_y);
  bench_get(b->in_y[2], r.hv);
  blo_ask upper = {.upper = BLO_WANT_VALUE | BLO_WANT_X | BLO_WANT_Y, .x = b->x, .y = b->y};
  ans = (blo_answer){.f_x = b->in_x[0], .f_y = b->in_y[1]};
  BLO_REQUIRE_STATUS(blo_eval_sweep(b->f.eval, &upper, &ans), BLO_OK);
  r.f = ans.f;
  bench_get(b->in_x[0], r.f_x);
  bench_get(b->in_y[1], r.f_y);
  return r;
}

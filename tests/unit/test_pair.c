/* Two sweeps in one message: bits, counts and failures are those of two sweeps. */
#include "fixture.h"
#include <math.h>
#include <string.h>

/* Room for what a pair of questions gives. */
typedef struct answers {
  blo_answer of[2];
  blo_vec *in_x[6], *in_y[6];
} answers;

static void make_answers(const blo_vec *x, const blo_vec *y, answers *a)
{
  fixture_like(x, 6, a->in_x);
  fixture_like(y, 6, a->in_y);
  for (int i = 0; i < 2; i++) {
    a->of[i] = (blo_answer){.g_x = a->in_x[3 * i],
                            .f_x = a->in_x[3 * i + 1],
                            .jv = {a->in_x[3 * i + 2]},
                            .g_y = a->in_y[3 * i],
                            .f_y = a->in_y[3 * i + 1],
                            .hv = {a->in_y[3 * i + 2]}};
  }
}

static void free_answers(answers *a)
{
  fixture_free_vecs(6, a->in_x);
  fixture_free_vecs(6, a->in_y);
}

/* The parts that were wanted are the same; x-vectors as far as this rank owns them. */
static void expect_same(int kind, const answers *a, const answers *b)
{
  for (int i = 0; i < 6; i++) {
    size_t n_x = (size_t)blo_space_n_local(a->in_x[i]->space) * sizeof(double);
    size_t n_y = (size_t)blo_space_n_local(a->in_y[i]->space) * sizeof(double);
    bool owned = blo_space_owned(a->in_x[i]->space);
    BLO_EXPECT_MSG(!owned || memcmp(a->in_x[i]->data, b->in_x[i]->data, n_x) == 0,
                   "%s: x-vector %d", fixture_name(kind), i);
    BLO_EXPECT_MSG(memcmp(a->in_y[i]->data, b->in_y[i]->data, n_y) == 0, "%s: y-vector %d",
                   fixture_name(kind), i);
  }
  for (int i = 0; i < 2; i++) {
    BLO_EXPECT_MSG(a->of[i].g == b->of[i].g && a->of[i].f == b->of[i].f, "%s: values",
                   fixture_name(kind));
  }
}

/* Gradients of both levels at one point, and of g with a joined product at another, on batches. */
static void pair_is_two_sweeps(blo_comm *comm, int kind, const fixture *f, blo_vec *x, blo_vec *y)
{
  blo_vec *other_x, *other_y;
  answers two, pair;
  blo_sampler *s[2];
  blo_eval_start(f->eval, x, y);
  fixture_point(f, &other_x, &other_y);
  make_answers(x, y, &two);
  make_answers(x, y, &pair);
  BLO_REQUIRE_STATUS(blo_eval_sampler(f->eval, 3, BLO_PURPOSE_LOWER, 4, &s[0]), BLO_OK);
  BLO_REQUIRE_STATUS(blo_eval_sampler(f->eval, 3, BLO_PURPOSE_UPPER, 4, &s[1]), BLO_OK);
  const blo_ask first = {.lower = BLO_WANT_VALUE | BLO_WANT_X | BLO_WANT_Y,
                         .upper = BLO_WANT_VALUE | BLO_WANT_X | BLO_WANT_Y,
                         .lower_batch = blo_eval_draw(f->eval, s[0], 0, 1, 0),
                         .upper_batch = blo_eval_draw(f->eval, s[1], 0, 1, 0),
                         .x = x,
                         .y = y};
  const blo_ask second = {.lower = BLO_WANT_VALUE | BLO_WANT_Y | BLO_WANT_HV | BLO_WANT_JV,
                          .upper = BLO_WANT_VALUE | BLO_WANT_X | BLO_WANT_Y,
                          .x = other_x,
                          .y = other_y,
                          .n_v = 1,
                          .v = {y},
                          .join = true};
  BLO_REQUIRE_STATUS(blo_eval_reserve_pair(f->eval, &first, &second), BLO_OK);
  blo_counts zero = *blo_eval_counts(f->eval);
  BLO_REQUIRE_STATUS(blo_eval_sweep(f->eval, &first, &two.of[0]), BLO_OK);
  BLO_REQUIRE_STATUS(blo_eval_sweep(f->eval, &second, &two.of[1]), BLO_OK);
  blo_counts by_two = *blo_eval_counts(f->eval);
  blo_int before = blo_comm_traffic(comm).reductions;
  BLO_REQUIRE_STATUS(blo_eval_sweep_pair(f->eval, (const blo_ask *const[]){&first, &second},
                                         (blo_answer *const[]){&pair.of[0], &pair.of[1]}),
                     BLO_OK);
  blo_counts by_pair = *blo_eval_counts(f->eval);
  BLO_EXPECT_ALL(blo_comm_traffic(comm).reductions == before + 1);
  BLO_EXPECT_ALL(by_pair.g_y - by_two.g_y == by_two.g_y - zero.g_y && by_two.g_y - zero.g_y == 2);
  BLO_EXPECT_ALL(by_pair.samples - by_two.samples == by_two.samples - zero.samples);
  expect_same(kind, &two, &pair);
  for (int i = 0; i < 2; i++) {
    blo_sampler_destroy(&s[i]);
  }
  free_answers(&two);
  free_answers(&pair);
  blo_vec_destroy(&other_x);
  blo_vec_destroy(&other_y);
}

static void bits_are_those_of_two_sweeps(blo_comm *comm)
{
  fixture_for_all(comm, pair_is_two_sweeps);
}

/* A pair of gradients of g at x, y and 2 y. */
static blo_status gradients(const fixture *f, const blo_vec *x, blo_vec *y, double scale)
{
  blo_vec *v[3];
  blo_status status;
  fixture_like(y, 3, v);
  blo_vec_copy(y, v[0]);
  blo_vec_scale(scale, v[0]);
  blo_answer a = {.g_y = v[1]}, b = {.g_y = v[2]};
  const blo_ask first = {.lower = BLO_WANT_Y, .x = x, .y = y};
  const blo_ask second = {.lower = BLO_WANT_Y, .x = x, .y = v[0]};
  BLO_REQUIRE_STATUS(blo_eval_reserve_pair(f->eval, &first, &second), BLO_OK);
  status = blo_eval_sweep_pair(f->eval, (const blo_ask *const[]){&first, &second},
                               (blo_answer *const[]){&a, &b});
  fixture_free_vecs(3, v);
  return status;
}

static void failures_are_named(blo_comm *comm)
{
  fixture f;
  blo_vec *x, *y;
  fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &f);
  fixture_point(&f, &x, &y);
  BLO_EXPECT_STATUS(gradients(&f, x, y, 2), BLO_OK);
  BLO_EXPECT_STATUS(gradients(&f, x, y, (double)INFINITY), BLO_E_NONFINITE);
  BLO_EXPECT_ERROR_HAS("grad_y g is not finite: rank ");
  quadratic_faults(f.problem)->nan_sample = QUADRATIC_N - 1;
  BLO_EXPECT_STATUS(gradients(&f, x, y, 2), BLO_E_NONFINITE);
  BLO_EXPECT_ERROR_HAS("grad_y g is not finite: rank ");
  quadratic_faults(f.problem)->nan_sample = -1;
  quadratic_faults(f.problem)->failing_sample = 3;
  BLO_EXPECT_STATUS(gradients(&f, x, y, 2), BLO_E_DATA);
  quadratic_faults(f.problem)->failing_sample = -1;
  BLO_EXPECT_STATUS(gradients(&f, x, y, 2), BLO_OK);
  blo_vec_destroy(&x);
  blo_vec_destroy(&y);
  fixture_free(comm, &f);
}

static const blo_test tests[] = {
    {"bits are those of two sweeps", bits_are_those_of_two_sweeps},
    {"failures are named", failures_are_named},
};
BLO_TEST_MAIN("pair", tests)

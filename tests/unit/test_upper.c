/* The upper step against plain loops over all numbers: gradient descent, momentum, Adam, clipping;
 * in every layout of x, and after a restart. */
#include "fixture.h"
#include <math.h>
#include <string.h>

enum { STEPS = 10, N_MAX = 512 };

/* Problems whose x is rooted, sharded, and one more; x of the first has 5 numbers. */
static const fixture_kind kinds[] = {FIXTURE_QUADRATIC, FIXTURE_CLEANING, FIXTURE_CLEANING_ROOTED};

/* Numbers that stand for a hypergradient: of several sizes, and sometimes zero. */
static double direction(blo_int i, int k)
{
  return i % 7 == 3 ? 0 : sin(1.7 * (double)i + 0.9 * k) * pow(10, (double)(i % 5) - 3);
}

/* A plain copy of a whole x with its moments; formulas as in the papers. */
typedef struct plain {
  blo_int n;
  double x[N_MAX], m[N_MAX], v[N_MAX];
} plain;

static double clipped(const plain *p, const blo_upper_options *o, int k)
{
  double squares = 0;
  for (blo_int i = 0; i < p->n; i++) {
    squares += direction(i, k) * direction(i, k);
  }
  return o->clip > 0 && sqrt(squares) > o->clip ? o->clip / sqrt(squares) : 1;
}

static void plain_step(plain *p, const blo_upper_options *o, int k)
{
  double gamma = o->step / pow(k + 1, o->decay), scale = clipped(p, o, k);
  for (blo_int i = 0; i < p->n; i++) {
    double g = scale * direction(i, k);
    if (o->rule == BLO_UPPER_ADAM) {
      p->m[i] = o->beta1 * p->m[i] + (1 - o->beta1) * g;
      p->v[i] = o->beta2 * p->v[i] + (1 - o->beta2) * g * g;
      double m_hat = p->m[i] / (1 - pow(o->beta1, k + 1));
      double v_hat = p->v[i] / (1 - pow(o->beta2, k + 1));
      p->x[i] -= gamma * m_hat / (sqrt(v_hat) + o->epsilon);
    } else {
      p->m[i] = o->momentum * p->m[i] + g;
      p->x[i] -= gamma * p->m[i];
    }
  }
}

/* The block under test, with its x and a vector for directions. */
typedef struct bench {
  fixture f;
  blo_state *state;
  blo_upper *upper;
  blo_vec *x, *hx;
} bench;

static void fill(blo_vec *to, int k)
{
  for (blo_int i = 0; i < blo_space_n_local(to->space); i++) {
    bool owned = blo_space_owned(to->space);
    to->data[i] = owned ? direction(blo_space_first(to->space) + i, k) : (double)NAN;
  }
}

static void make(blo_comm *comm, fixture_kind kind, const char *folder, const blo_upper_options *o,
                 bench *b)
{
  *b = (bench){.upper = NULL};
  fixture_make(comm, (int)kind, folder, BLO_REPRODUCIBLE, &b->f);
  BLO_REQUIRE_STATUS(blo_state_create(blo_comm_context(comm), &b->state), BLO_OK);
  BLO_REQUIRE_STATUS(blo_upper_create(b->f.eval, o, b->state, &b->upper), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_create(blo_eval_space_x(b->f.eval), &b->x), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_create(blo_eval_space_x(b->f.eval), &b->hx), BLO_OK);
}

static void release(blo_comm *comm, bench *b)
{
  blo_upper_destroy(&b->upper);
  blo_state_destroy(&b->state);
  blo_vec_destroy(&b->x);
  blo_vec_destroy(&b->hx);
  fixture_free(comm, &b->f);
}

static void steps(bench *b, int first, int end)
{
  for (int k = first; k < end; k++) {
    fill(b->hx, k);
    BLO_REQUIRE_STATUS(blo_upper_step(b->upper, k, b->hx, b->x), BLO_OK);
  }
}

/* Each number within a few roundings of the plain loop's. */
static void expect_plain(const bench *b, const plain *p, const char *what)
{
  blo_int first = blo_space_first(b->x->space);
  double worst = 0;
  for (blo_int i = 0; i < blo_space_n_local(b->x->space); i++) {
    double want = p->x[first + i];
    worst = fmax(worst, fabs(b->x->data[i] - want) / (fabs(want) + 1e-300));
  }
  BLO_EXPECT_MSG(worst <= 1e-13, "%s: off by %.2g", what, worst);
}

static void follow(blo_comm *comm, const blo_upper_options *o, const char *what)
{
  char folder[256];
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  for (blo_int i = 0; i < BLO_COUNT_OF(kinds); i++) {
    bench b;
    static plain p;
    make(comm, kinds[i], folder, o, &b);
    memset(&p, 0, sizeof p);
    p.n = blo_space_n(b.x->space);
    BLO_REQUIRE_ALL(p.n <= N_MAX);
    for (int k = 0; k < STEPS; k++) {
      plain_step(&p, o, k);
    }
    steps(&b, 0, STEPS);
    expect_plain(&b, &p, what);
    release(comm, &b);
  }
}

static const blo_upper_options sgd = {.step = 0.3, .decay = 0.5, .rule = BLO_UPPER_SGD};
static const blo_upper_options adam = {
    .step = 0.01, .rule = BLO_UPPER_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};

static void descends_as_a_plain_loop(blo_comm *comm)
{
  blo_upper_options o = sgd;
  follow(comm, &o, "sgd");
  o.momentum = 0.8;
  follow(comm, &o, "momentum");
}

static void adam_is_the_papers(blo_comm *comm)
{
  blo_upper_options o = adam;
  follow(comm, &o, "adam");
  o = (blo_upper_options){.step = 0.1,
                          .decay = 0.5,
                          .rule = BLO_UPPER_ADAM,
                          .beta1 = 0.5,
                          .beta2 = 0.7,
                          .epsilon = 1e-2};
  follow(comm, &o, "adam with other constants");
}

/* 1e-9 and 1e9: always, and never. */
static void long_directions_are_shortened(blo_comm *comm)
{
  static const double clips[] = {1e-9, 1, 1e9};
  for (blo_int i = 0; i < BLO_COUNT_OF(clips); i++) {
    blo_upper_options o = sgd;
    o.clip = clips[i];
    follow(comm, &o, "sgd, clipped");
    o.momentum = 0.8;
    follow(comm, &o, "momentum, clipped");
    o = adam;
    o.clip = clips[i];
    follow(comm, &o, "adam, clipped");
  }
}

/* Adam's first step is gamma in every number that has a direction, however long it is: an exact
 * property, free of any formula above. */
/* The squares of directions of size 1e200 and 1e-200 leave the range of doubles. With a clip of
 * that size and a step of its inverse the steps are those of size 1. */
static void clipping_knows_any_size(blo_comm *comm)
{
  static const double sizes[] = {1e200, 1e-200, 1e300, 1e-280};
  char folder[256];
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  for (blo_int i = 0; i < 4 * BLO_COUNT_OF(kinds); i++) {
    bench b;
    static plain p;
    double size = sizes[i % 4];
    blo_upper_options o = {.step = 0.3, .clip = 0.5},
                      scaled = {.step = 0.3 / size, .clip = 0.5 * size};
    make(comm, kinds[i / 4], folder, &scaled, &b);
    memset(&p, 0, sizeof p);
    p.n = blo_space_n(b.x->space);
    for (int k = 0; k < STEPS; k++) {
      plain_step(&p, &o, k);
      fill(b.hx, k);
      blo_vec_scale(size, b.hx);
      BLO_REQUIRE_STATUS(blo_upper_step(b.upper, k, b.hx, b.x), BLO_OK);
    }
    expect_plain(&b, &p, "clipped, of any size");
    release(comm, &b);
  }
}

static void first_step_of_adam_is_gamma(blo_comm *comm)
{
  bench b;
  blo_upper_options o = adam;
  o.epsilon = 1e-20;
  make(comm, FIXTURE_QUADRATIC, "", &o, &b);
  steps(&b, 0, 1);
  for (blo_int i = 0; i < blo_space_n_local(b.x->space); i++) {
    double g = direction(i, 0), want = g > 0 ? -o.step : g < 0 ? o.step : 0;
    BLO_EXPECT_NEAR(b.x->data[i], want, 1e-14, 0, "the sign of the direction");
  }
  release(comm, &b);
}

/* What is in the state, copied into a new block, is all that goes on. */
static void state_is_complete(blo_comm *comm)
{
  char folder[256];
  uint32_t whole, parts;
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  for (blo_int i = 0; i < BLO_COUNT_OF(kinds); i++) {
    bench a, b;
    make(comm, kinds[i], folder, &adam, &a);
    make(comm, kinds[i], folder, &adam, &b);
    BLO_EXPECT_ALL(blo_state_find(a.state, "upper.m") != NULL &&
                   blo_state_find(a.state, "upper.v") != NULL && blo_state_count(a.state) == 2);
    steps(&a, 0, 4);
    for (blo_int k = 0; k < blo_state_count(a.state); k++) {
      blo_vec_copy(blo_state_get(a.state, k)->at.vec, blo_state_get(b.state, k)->at.vec);
    }
    blo_vec_copy(a.x, b.x);
    steps(&a, 4, STEPS);
    steps(&b, 4, STEPS);
    BLO_REQUIRE_STATUS(blo_vec_checksum(a.x, &whole), BLO_OK);
    BLO_REQUIRE_STATUS(blo_vec_checksum(b.x, &parts), BLO_OK);
    BLO_EXPECT_ALL(whole == parts);
    release(comm, &a);
    release(comm, &b);
  }
}

/* The same bits on all ranks as on one. */
static void bits_do_not_know_ranks(blo_comm *comm)
{
  char folder[256];
  blo_comm *self = NULL;
  blo_upper_options o = adam;
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  BLO_REQUIRE_STATUS(blo_comm_create(blo_comm_context(comm), MPI_COMM_SELF, &self), BLO_OK);
  o.clip = 0.5;
  for (blo_int i = 0; i < BLO_COUNT_OF(kinds); i++) {
    bench here, alone;
    uint32_t crc[2];
    make(comm, kinds[i], folder, &o, &here);
    make(self, kinds[i], folder, &o, &alone);
    steps(&here, 0, STEPS);
    steps(&alone, 0, STEPS);
    BLO_REQUIRE_STATUS(blo_vec_checksum(here.x, &crc[0]), BLO_OK);
    BLO_REQUIRE_STATUS(blo_vec_checksum(alone.x, &crc[1]), BLO_OK);
    BLO_EXPECT_ALL(crc[0] == crc[1]);
    release(comm, &here);
    release(self, &alone);
  }
  blo_comm_destroy(&self);
}

static void clipping_costs_one_message(blo_comm *comm)
{
  bench b;
  blo_upper_options o = sgd;
  for (int clip = 0; clip <= 1; clip++) {
    o.clip = clip;
    make(comm, FIXTURE_QUADRATIC, "", &o, &b); /* x is rooted */
    blo_int before = blo_comm_traffic(comm).broadcasts;
    steps(&b, 0, 1);
    BLO_EXPECT_ALL(blo_comm_size(comm) == 1 ||
                   blo_comm_traffic(comm).broadcasts - before == 1 + clip);
    release(comm, &b);
  }
}

static void adam_takes_no_momentum(blo_comm *comm)
{
  fixture f;
  blo_state *state = NULL;
  blo_upper *upper = NULL;
  blo_upper_options o = adam;
  o.momentum = 0.5;
  fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &f);
  BLO_REQUIRE_STATUS(blo_state_create(blo_comm_context(comm), &state), BLO_OK);
  BLO_EXPECT_STATUS(blo_upper_create(f.eval, &o, state, &upper), BLO_E_OPTION);
  BLO_EXPECT_ERROR_HAS("solver.upper.momentum");
  BLO_EXPECT_ERROR_HAS("solver.upper.rule");
  BLO_EXPECT_ALL(upper == NULL);
  blo_state_destroy(&state);
  fixture_free(comm, &f);
}

static const blo_test tests[] = {
    {"descends as a plain loop", descends_as_a_plain_loop},
    {"adam is the paper's", adam_is_the_papers},
    {"long directions are shortened", long_directions_are_shortened},
    {"first step of adam is gamma", first_step_of_adam_is_gamma},
    {"state is complete", state_is_complete},
    {"bits do not know ranks", bits_do_not_know_ranks},
    {"clipping knows any size", clipping_knows_any_size},
    {"clipping costs one message", clipping_costs_one_message},
    {"adam takes no momentum", adam_takes_no_momentum},
};
BLO_TEST_MAIN("upper", tests)

/* Layer hypergrad: the direct adjoint is that of CG run to rounding, exact where H is indefinite,
 * and factorises only when the point has moved. */
#include "known.h"
#include <math.h>
#include <string.h>

enum { CG, NEUMANN, DIRECT };

/** An estimator on its own matrices, with what it works on. */
typedef struct solver {
  blo_adjoint_options o;
  blo_dense_options dense;
  blo_hessian *hessian;
  blo_state *state;
  blo_estimator *e;
} solver;

static blo_status open_with(const fixture *f, solver *s)
{
  blo_status status;

  s->hessian = NULL;
  s->e = NULL;
  BLO_REQUIRE_STATUS(blo_state_create(f->problem->ctx, &s->state), BLO_OK);
  status = s->o.type == DIRECT ? blo_hessian_create(f->eval, &s->dense, &s->hessian) : BLO_OK;
  if (status == BLO_OK) {
    status = blo_estimator_create(f->eval, &s->o, s->o.batch, 5, s->hessian, s->state, &s->e);
  }
  return status;
}

static void open_solver(const fixture *f, int type, blo_int ranks, blo_int block, solver *s)
{
  *s = (solver){.o = {.iterations = 2000, .tol = 1e-15, .type = type}, .dense = {ranks, block}};
  BLO_REQUIRE_STATUS(open_with(f, s), BLO_OK);
}

static void close_solver(solver *s)
{
  blo_estimator_destroy(&s->e);
  blo_hessian_destroy(&s->hessian);
  blo_state_destroy(&s->state);
}

static blo_certificate compute(const fixture *f, int type, blo_int ranks, blo_int block,
                               const blo_vec *x, const blo_vec *y, blo_vec *hx)
{
  solver s;
  blo_certificate c;

  open_solver(f, type, ranks, block, &s);
  BLO_REQUIRE_STATUS(blo_estimator_compute(s.e, 0, x, y, hx), BLO_OK);
  c = s.e->certificate;
  close_solver(&s);
  return c;
}

static double gap(const blo_vec *got, const blo_vec *want, blo_vec *work)
{
  blo_vec_copy(got, work);
  blo_vec_axpy(-1, want, work);
  return blo_vec_norm(work) / blo_vec_norm(want);
}

static void compare_with_cg(const fixture *f, const char *name, const blo_vec *x, const blo_vec *y)
{
  blo_vec *vec[3];

  fixture_like(x, 3, vec);
  compute(f, CG, 0, 64, x, y, vec[0]);
  for (blo_int block = 2; block <= 32; block *= 16) {
    blo_certificate c = compute(f, DIRECT, 0, block, x, y, vec[1]);
    BLO_EXPECT_MSG(gap(vec[1], vec[0], vec[2]) < 1e-12, "%s: relative distance %.3g", name,
                   gap(vec[1], vec[0], vec[2]));
    BLO_EXPECT_ALL(c.factor == BLO_FACTOR_CHOLESKY && c.verdict == BLO_VERDICT_CONVERGED);
    BLO_EXPECT_MSG(c.adjoint_relative < 1e-13, "%s: relative residual %.3g", name,
                   c.adjoint_relative);
    BLO_EXPECT_ALL(c.iterations == f->problem->n_y && !c.factor_reused);
  }
  fixture_free_vecs(3, vec);
}

static void compare_fixture(blo_comm *comm, int kind, const fixture *f, blo_vec *x, blo_vec *y)
{
  (void)comm;
  if (kind != FIXTURE_BLOCK_NORM) { /* whose H is indefinite */
    compare_with_cg(f, fixture_name(kind), x, y);
  }
}

static void agrees_with_cg(blo_comm *comm)
{
  fixture_for_all(comm, compare_fixture);
  for (int k = 0; k < N_KNOWN; k++) {
    fixture f;
    blo_vec *x, *y;
    if (!known_cases[k].definite) {
      continue;
    }
    known_open(comm, known_cases[k].type, known_cases[k].settings, &f);
    fixture_point(&f, &x, &y);
    for (int i = 0; i < 100 && strcmp(known_cases[k].type, "sine_pl") == 0; i++) {
      blo_vec *g_y;
      fixture_like(y, 1, &g_y);
      blo_ask ask = {.lower = BLO_WANT_Y, .x = x, .y = y};
      blo_answer answer = {.g_y = g_y};
      BLO_REQUIRE_STATUS(blo_eval_sweep(f.eval, &ask, &answer), BLO_OK);
      blo_vec_axpy(-0.1, g_y, y); /* to where g is convex */
      fixture_free_vecs(1, &g_y);
    }
    compare_with_cg(&f, known_cases[k].type, x, y);
    blo_vec_destroy(&x);
    blo_vec_destroy(&y);
    fixture_free(comm, &f);
  }
}

/** The quadratic at its point. */
typedef struct quadratic {
  fixture f;
  blo_vec *x, *y, *vec[3];
} quadratic;

static void open_quadratic(blo_comm *comm, double shift, quadratic *q)
{
  fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &q->f);
  quadratic_faults(q->f.problem)->shift = shift;
  fixture_point(&q->f, &q->x, &q->y);
  fixture_like(q->x, 3, q->vec);
}

static void close_quadratic(blo_comm *comm, quadratic *q)
{
  fixture_free_vecs(3, q->vec);
  blo_vec_destroy(&q->x);
  blo_vec_destroy(&q->y);
  fixture_free(comm, &q->f);
}

static void factors_are_used_again(blo_comm *comm)
{
  quadratic q;
  solver s;

  open_quadratic(comm, 0, &q);
  open_solver(&q.f, DIRECT, 0, 4, &s);
  for (int k = 0; k < 5; k++) {
    bool moved = k != 1 && k != 3;
    if (k == 2) {
      q.y->data[1] += 0.5;
    } else if (k == 4) {
      q.x->data[0] += 0.25;
      blo_vec_publish(q.x);
    }
    BLO_REQUIRE_STATUS(blo_estimator_compute(s.e, k, q.x, q.y, q.vec[0]), BLO_OK);
    const blo_certificate *c = &s.e->certificate;
    BLO_EXPECT_ALL(c->factor_reused == !moved);
    BLO_EXPECT_ALL(c->iterations == (moved ? QUADRATIC_N_Y : 0));
    BLO_EXPECT_ALL(c->adjoint_relative < 1e-14);
    quadratic_hypergradient(q.x->data, q.y->data, q.vec[1]->data);
    BLO_EXPECT_ALL(gap(q.vec[0], q.vec[1], q.vec[2]) < 1e-14);
  }
  BLO_EXPECT_ALL(blo_hessian_assembled(s.hessian) == 3);
  BLO_EXPECT_ALL(blo_hessian_factorized(s.hessian) == 3);
  close_solver(&s);
  close_quadratic(comm, &q);
}

/* A warm start is corrected, not replaced: v is the exact solution from wherever it begins. */
static void warm_starts_are_corrected(blo_comm *comm)
{
  quadratic q;
  solver s = {.o = {.iterations = 10, .type = DIRECT, .warm_start = true}, .dense = {0, 4}};

  open_quadratic(comm, 0, &q);
  BLO_REQUIRE_STATUS(open_with(&q.f, &s), BLO_OK);
  for (int k = 0; k < 4; k++) { /* at k = 3 nothing has moved */
    q.y->data[1] += k < 3 ? 0.5 : 0;
    BLO_REQUIRE_STATUS(blo_estimator_compute(s.e, k, q.x, q.y, q.vec[0]), BLO_OK);
    BLO_EXPECT_ALL(s.e->certificate.factor_reused == (k == 3));
    BLO_EXPECT_ALL(s.e->certificate.adjoint_relative < 1e-14);
    quadratic_hypergradient(q.x->data, q.y->data, q.vec[1]->data);
    BLO_EXPECT_ALL(gap(q.vec[0], q.vec[1], q.vec[2]) < 1e-14);
  }
  close_solver(&s);
  close_quadratic(comm, &q);
}

/* H = (1 + shift) I + mean s s' is indefinite at shift = -1.7. */
static void indefinite_stops_or_is_solved(blo_comm *comm)
{
  quadratic q;
  solver s;

  open_quadratic(comm, -1.7, &q);
  open_solver(&q.f, DIRECT, 0, 2, &s);
  BLO_EXPECT_STATUS(blo_estimator_compute(s.e, 0, q.x, q.y, q.vec[0]), BLO_E_CURVATURE);
  BLO_EXPECT_ERROR_HAS("not positive definite");
  s.o.on_curvature = BLO_CURVATURE_TRUNCATE;
  for (int k = 0; k < 3; k++) {
    BLO_REQUIRE_STATUS(blo_estimator_compute(s.e, k, q.x, q.y, q.vec[0]), BLO_OK);
    BLO_EXPECT_ALL(s.e->certificate.factor == BLO_FACTOR_LU);
    BLO_EXPECT_ALL(s.e->certificate.verdict == BLO_VERDICT_CURVATURE);
    BLO_EXPECT_ALL(s.e->certificate.adjoint_relative < 1e-13);
    BLO_REQUIRE_STATUS(blo_dense_hypergradient(q.f.eval, q.x, q.y, q.vec[1], NULL), BLO_OK);
    BLO_EXPECT_ALL(gap(q.vec[0], q.vec[1], q.vec[2]) < 1e-12);
  }
  close_solver(&s);
  close_quadratic(comm, &q);
}

/* H of pl_game has rank d - 1, up to rounding: no v is used in silence. */
static void singular_is_said(blo_comm *comm)
{
  fixture f;
  blo_vec *x, *y, *hx;
  solver s;
  blo_status status;

  known_open(comm, "pl_game", "{n: 200, d: 10, rank: 9, shards: 8}", &f);
  fixture_point(&f, &x, &y);
  fixture_like(x, 1, &hx);
  open_solver(&f, DIRECT, 0, 4, &s);
  BLO_EXPECT_STATUS(blo_estimator_compute(s.e, 0, x, y, hx), BLO_E_CURVATURE);
  BLO_EXPECT_ERROR_HAS("not strongly convex here");
  s.o.on_curvature = BLO_CURVATURE_TRUNCATE;
  status = blo_estimator_compute(s.e, 1, x, y, hx);
  BLO_EXPECT_ALL(status == BLO_E_CURVATURE ||
                 (status == BLO_OK && s.e->certificate.verdict == BLO_VERDICT_ILL &&
                  s.e->certificate.rcond < 1e-14));
  close_solver(&s);
  fixture_free_vecs(1, &hx);
  blo_vec_destroy(&x);
  blo_vec_destroy(&y);
  fixture_free(comm, &f);
}

static void condition_is_estimated(blo_comm *comm)
{
  quadratic q;
  double rcond;

  open_quadratic(comm, 0, &q);
  BLO_REQUIRE_STATUS(blo_dense_hypergradient(q.f.eval, q.x, q.y, q.vec[1], &rcond), BLO_OK);
  blo_certificate c = compute(&q.f, DIRECT, 0, 2, q.x, q.y, q.vec[0]);
  BLO_EXPECT_NEAR(c.rcond, rcond, 1e-10, 0, "LAPACK's estimate");
  BLO_EXPECT_ALL(isnan(compute(&q.f, CG, 0, 2, q.x, q.y, q.vec[0]).rcond));
  close_quadratic(comm, &q);
}

/* Where Newton steps have left shifted factors behind, they are not mistaken for those of H. */
static void shifted_factors_are_told_apart(blo_comm *comm)
{
  quadratic q;
  blo_hessian *h = NULL;
  const blo_dense_options o = {0, 4};
  blo_vec *e, *v;
  bool definite;
  double plain, shifted;

  open_quadratic(comm, 0, &q);
  BLO_REQUIRE_STATUS(blo_hessian_create(q.f.eval, &o, &h), BLO_OK);
  BLO_REQUIRE_STATUS(blo_eval_reserve(q.f.eval, q.f.problem->n_lower, 1), BLO_OK);
  fixture_like(q.y, 1, &e);
  fixture_like(q.y, 1, &v);
  blo_vec_fill(e, 1);
  const blo_hessian_point at = {.full = true, .x = q.x, .y = q.y};
  BLO_REQUIRE_STATUS(blo_hessian_at(h, &at), BLO_OK);
  BLO_REQUIRE_STATUS(blo_hessian_cholesky(h, 0, &definite), BLO_OK);
  blo_hessian_solve(h, e, v);
  plain = blo_vec_norm(v);
  BLO_REQUIRE_STATUS(blo_hessian_cholesky(h, 100, &definite), BLO_OK);
  blo_hessian_solve(h, e, v);
  shifted = blo_vec_norm(v);
  BLO_EXPECT_ALL(definite && shifted < 0.05 * plain);
  BLO_REQUIRE_STATUS(blo_hessian_lu(h), BLO_OK);
  blo_hessian_solve(h, e, v);
  BLO_EXPECT_NEAR(blo_vec_norm(v), plain, 1e-13, 0, "Cholesky factors");
  BLO_REQUIRE_STATUS(blo_hessian_cholesky(h, 0, &definite),
                     BLO_OK); /* H has to be assembled anew */
  blo_hessian_solve(h, e, v);
  BLO_EXPECT_NEAR(blo_vec_norm(v), plain, 0, 0, "the same factors");
  BLO_EXPECT_ALL(blo_hessian_assembled(h) == 2);
  fixture_free_vecs(1, &e);
  fixture_free_vecs(1, &v);
  blo_hessian_destroy(&h);
  close_quadratic(comm, &q);
}

/** The Hessian of a problem that linearises, with factors. */
typedef struct held {
  const fixture *f;
  blo_hessian *h;
  blo_vec *rhs, *elsewhere, *vec[2];
} held;

/** v = H^-1 rhs, by Cholesky factors. */
static void invert(const held *a, const blo_hessian_point *at, blo_vec *v)
{
  bool definite;

  BLO_REQUIRE_STATUS(blo_hessian_at(a->h, at), BLO_OK);
  BLO_REQUIRE_STATUS(blo_hessian_cholesky(a->h, 0, &definite), BLO_OK);
  BLO_EXPECT_ALL(definite);
  blo_hessian_solve(a->h, a->rhs, v);
}

static void linearize(const held *a, const blo_vec *x, const blo_vec *y)
{
  const blo_ask ask = {.lower = BLO_WANT_VALUE, .x = x, .y = y, .linearize = true};
  blo_answer answer = {.g = 0};

  BLO_REQUIRE_STATUS(blo_eval_sweep(a->f->eval, &ask, &answer), BLO_OK);
}

static void tell_batches_apart(const held *a, const blo_vec *x, const blo_vec *y)
{
  const blo_hessian_point all = {.full = true, .x = x, .y = y};
  blo_sampler *sampler = NULL;

  BLO_REQUIRE_STATUS(blo_eval_sampler(a->f->eval, 3, BLO_PURPOSE_LOWER, 40, &sampler), BLO_OK);
  const blo_hessian_point some = {
      .batch = blo_eval_draw(a->f->eval, sampler, 0, 1, 0), .x = x, .y = y};
  invert(a, &all, a->vec[0]);
  invert(a, &some, a->vec[1]);
  BLO_EXPECT_ALL(gap(a->vec[1], a->vec[0], a->elsewhere) > 1e-3);
  invert(a, &all, a->vec[1]);
  BLO_EXPECT_ALL(gap(a->vec[1], a->vec[0], a->elsewhere) == 0);
  BLO_EXPECT_ALL(blo_hessian_assembled(a->h) == 3);
  blo_sampler_destroy(&sampler);
}

/* LU factors replace H; it has to come back where it was, whatever was linearised since. */
static void bring_back(const held *a, const blo_vec *x, const blo_vec *y)
{
  const blo_hessian_point at = {.full = true, .x = x, .y = y, .linearized = true};
  bool definite;

  linearize(a, x, y);
  invert(a, &at, a->vec[0]);
  BLO_REQUIRE_STATUS(blo_hessian_lu(a->h), BLO_OK);
  blo_vec_copy(y, a->elsewhere);
  blo_vec_scale(3, a->elsewhere);
  linearize(a, x, a->elsewhere);
  BLO_REQUIRE_STATUS(blo_hessian_cholesky(a->h, 0, &definite), BLO_OK);
  blo_hessian_solve(a->h, a->rhs, a->vec[1]);
  BLO_EXPECT_ALL(gap(a->vec[1], a->vec[0], a->elsewhere) == 0);
}

static void hold(blo_comm *comm, int kind, const fixture *f, blo_vec *x, blo_vec *y)
{
  const blo_dense_options o = {0, 4};
  held a = {.f = f};

  (void)comm;
  if (kind != FIXTURE_RIDGE_FEATURE) {
    return;
  }
  BLO_EXPECT_ALL(blo_eval_can_linearize(f->eval));
  BLO_REQUIRE_STATUS(blo_hessian_create(f->eval, &o, &a.h), BLO_OK);
  BLO_REQUIRE_STATUS(blo_eval_reserve(f->eval, f->problem->n_lower, 1), BLO_OK);
  fixture_like(y, 1, &a.rhs);
  fixture_like(y, 1, &a.elsewhere);
  fixture_like(y, 2, a.vec);
  blo_vec_copy(y, a.rhs); /* not a constant: softmax has none of its part in that direction */
  tell_batches_apart(&a, x, y);
  bring_back(&a, x, y);
  fixture_free_vecs(2, a.vec);
  fixture_free_vecs(1, &a.elsewhere);
  fixture_free_vecs(1, &a.rhs);
  blo_hessian_destroy(&a.h);
}

static void other_matrices_are_told_apart(blo_comm *comm)
{
  fixture_for_all(comm, hold);
}

/* On a grid of one rank the bits are those of a run on one rank. */
static uint32_t bits(blo_comm *comm, const char *settings)
{
  fixture f;
  blo_vec *x, *y, *hx;
  uint32_t crc;
  blo_certificate c;

  known_open(comm, "quadratic", settings, &f);
  fixture_point(&f, &x, &y);
  fixture_like(x, 1, &hx);
  c = compute(&f, DIRECT, 1, 8, x, y, hx);
  BLO_EXPECT_ALL(c.grid_rows == 1 && c.grid_cols == 1);
  BLO_REQUIRE_STATUS(blo_vec_checksum(hx, &crc), BLO_OK);
  fixture_free_vecs(1, &hx);
  blo_vec_destroy(&x);
  blo_vec_destroy(&y);
  fixture_free(comm, &f);
  return crc;
}

static void one_rank_grids_do_not_know_the_ranks(blo_comm *comm)
{
  static const char *const sizes[] = {"{n_x: 3, n_y: 7}", "{n_x: 40, n_y: 130, n: 200}"};
  blo_comm *alone = NULL;

  BLO_REQUIRE_STATUS(blo_comm_create(blo_comm_context(comm), MPI_COMM_SELF, &alone), BLO_OK);
  for (int i = 0; i < 2; i++) {
    uint32_t together = bits(comm, sizes[i]);
    BLO_EXPECT_ALL(bits(alone, sizes[i]) == together);
  }
  blo_comm_destroy(&alone);
}

static void memory_is_refused_with_numbers(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  fixture f;
  solver s = {.o = {.iterations = 10, .type = DIRECT}, .dense = {0, 16}};

  known_open(comm, "quadratic", "{n_x: 5, n_y: 400, n: 500}", &f);
  blo_memory_limit(ctx, blo_memory(ctx).bytes + 100000);
  BLO_EXPECT_STATUS(open_with(&f, &s), BLO_E_MEMORY);
  BLO_EXPECT_ERROR_HAS("a dense Hessian of n_y = 400");
  BLO_EXPECT_ERROR_HAS("run.memory_limit is");
  BLO_EXPECT_ERROR_HAS("'cg' or 'neumann'");
  blo_memory_limit(ctx, 0);
  close_solver(&s);
  fixture_free(comm, &f);
}

static void memory_is_as_predicted(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  const blo_dense_options o = {0, 16};
  blo_hessian *h = NULL;
  fixture f;
  blo_int before;
  double used, predicted;

  known_open(comm, "quadratic", "{n_x: 5, n_y: 400, n: 500}", &f);
  before = blo_memory(ctx).bytes;
  BLO_REQUIRE_STATUS(blo_hessian_create(f.eval, &o, &h), BLO_OK);
  used = blo_max_all(comm, (double)(blo_memory(ctx).bytes - before));
  predicted = (double)blo_hessian_bytes(h);
  BLO_EXPECT_MSG(used <= predicted && used >= 0.5 * predicted, "%.0f bytes, predicted %.0f", used,
                 predicted);
  blo_hessian_destroy(&h);
  fixture_free(comm, &f);
}

static void batches_of_tasks_are_refused(blo_comm *comm)
{
  fixture f;
  solver s = {.o = {.iterations = 10, .batch = 3, .type = DIRECT}, .dense = {0, 16}};

  fixture_make(comm, FIXTURE_TASKS, "", BLO_REPRODUCIBLE, &f);
  BLO_EXPECT_STATUS(open_with(&f, &s), BLO_E_UNSUPPORTED);
  BLO_EXPECT_ERROR_HAS("batches of tasks");
  close_solver(&s);
  fixture_free(comm, &f);
}

static blo_status make_hessian(blo_comm *comm, void *arg)
{
  const blo_dense_options o = {0, 4};
  const fixture *f = arg;
  blo_hessian *h = NULL;
  blo_status status = blo_hessian_create(f->eval, &o, &h);

  (void)comm;
  blo_hessian_destroy(&h);
  return status;
}

static void every_allocation_may_fail(blo_comm *comm)
{
  fixture f;

  fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &f);
  BLO_REQUIRE_STATUS(blo_eval_reserve_scattered(f.eval, 0, BLO_DIRECTIONS_MAX, BLO_WANT_HV),
                     BLO_OK);
  BLO_EXPECT_ALL(blo_test_sweep_faults(comm, make_hessian, &f) > 0);
  fixture_free(comm, &f);
}

static const blo_test tests[] = {
    {"agrees with CG", agrees_with_cg},
    {"factors are used again", factors_are_used_again},
    {"warm starts are corrected", warm_starts_are_corrected},
    {"indefinite H stops or is solved", indefinite_stops_or_is_solved},
    {"singular H is said", singular_is_said},
    {"the condition is estimated", condition_is_estimated},
    {"shifted factors are told apart", shifted_factors_are_told_apart},
    {"other matrices are told apart", other_matrices_are_told_apart},
    {"one-rank grids do not know the ranks", one_rank_grids_do_not_know_the_ranks},
    {"memory is refused with numbers", memory_is_refused_with_numbers},
    {"memory is as predicted", memory_is_as_predicted},
    {"batches of tasks are refused", batches_of_tasks_are_refused},
    {"every allocation may fail", every_allocation_may_fail},
};
BLO_TEST_MAIN("direct", tests)

/* Scattered sweeps: the products of a direction on one rank are those that an ordinary sweep gives
 * to all, bit for bit; the other ranks' vectors are left alone; and what is not finite is found,
 * whoever has it. */
#include "fixture.h"
#include <blo/check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { D = 5 }; /* directions: on no number of ranks above 1 the same for all */
static const double UNTOUCHED = -77;

/* Directions and their products by a scattered sweep, and by an ordinary one. */
typedef struct rig {
  blo_vec *v[D], *hv[D], *jv[D], *all_hv[D], *all_jv[D];
  blo_ask ask;
  blo_answer ans, all;
} rig;

static void open_rig(const fixture *f, const blo_vec *x, const blo_vec *y, rig *r)
{
  fixture_like(y, D, r->v);
  fixture_like(y, D, r->hv);
  fixture_like(x, D, r->jv);
  fixture_like(y, D, r->all_hv);
  fixture_like(x, D, r->all_jv);
  BLO_REQUIRE_STATUS(
      blo_eval_reserve_scattered(f->eval, f->problem->n_lower, D, BLO_WANT_HV | BLO_WANT_JV),
      BLO_OK);
  BLO_REQUIRE_STATUS(blo_eval_reserve(f->eval, f->problem->n_lower, D), BLO_OK);
  r->ask = (blo_ask){.lower = BLO_WANT_VALUE | BLO_WANT_HV | BLO_WANT_JV,
                     .upper = BLO_WANT_VALUE,
                     .x = x,
                     .y = y,
                     .n_v = D};
  r->ans = r->all = (blo_answer){.g = 0};
  for (int i = 0; i < D; i++) {
    blo_check_perturb(r->v[i], 1, 4, (uint64_t)i, r->v[i]);
    r->ask.v[i] = r->v[i];
    r->ans.hv[i] = r->hv[i];
    r->ans.jv[i] = r->jv[i];
    r->all.hv[i] = r->all_hv[i];
    r->all.jv[i] = r->all_jv[i];
  }
}

static void close_rig(rig *r)
{
  blo_vec **const vecs[] = {r->v, r->hv, r->jv, r->all_hv, r->all_jv};
  for (int i = 0; i < 5; i++) {
    fixture_free_vecs(D, vecs[i]);
  }
}

static void fill(blo_vec *v, double value)
{
  for (blo_int i = 0; i < blo_space_n_local(v->space); i++) {
    v->data[i] = value;
  }
}

static bool is_mine(const fixture *f, blo_int i)
{
  int rank = blo_comm_rank(f->problem->comm);
  return i >= blo_eval_first_direction(f->eval, D, rank) &&
         i < blo_eval_first_direction(f->eval, D, rank + 1);
}

/* The rank's part of a product: its own slices of what belongs to samples, else all or nothing. */
static bool right_part(const fixture *f, const blo_vec *got, const blo_vec *want, bool stays,
                       blo_int i, double tolerance)
{
  blo_comm *comm = f->problem->comm;
  blo_int n = blo_space_n(want->space), from = 0, to = blo_space_n_local(want->space);
  double *all = NULL;
  bool right = blo_alloc(f->problem->ctx, n, sizeof *all, &all) == BLO_OK;
  blo_vec_gather(want, all);
  blo_bcast(comm, BLO_ROOT, all, n * (blo_int)sizeof *all);
  if (stays) {
    from = blo_space_shard_offset(got->space, blo_comm_first_shard(comm, f->problem->n_shards));
    to = blo_space_shard_offset(got->space, blo_comm_end_shard(comm, f->problem->n_shards));
  }
  for (blo_int k = from; k < to && right; k++) {
    double whole = all[blo_space_first(got->space) + k];
    double expected = stays || is_mine(f, i) ? whole : UNTOUCHED;
    right = fabs(got->data[k] - expected) <= tolerance * (1 + fabs(whole));
  }
  blo_free(f->problem->ctx, &all);
  return right;
}

static void expect_parts(const char *name, const fixture *f, const rig *r, double tolerance)
{
  const blo_problem *p = f->problem;
  for (int i = 0; i < D; i++) {
    bool hv = right_part(f, r->hv[i], r->all_hv[i], p->y_width > 0, i, tolerance);
    bool jv = right_part(f, r->jv[i], r->all_jv[i], p->x_aligned, i, tolerance);
    BLO_EXPECT_MSG(hv && jv, "%s: direction %d: H v %s, J v %s", name, i, hv ? "right" : "wrong",
                   jv ? "right" : "wrong");
  }
}

static void compare(const char *name, const fixture *f, const blo_vec *x, const blo_vec *y,
                    double tolerance)
{
  rig r;
  open_rig(f, x, y, &r);
  r.ask.linearize = blo_eval_can_linearize(f->eval);
  for (int i = 0; i < D; i++) {
    fill(r.hv[i], UNTOUCHED);
    fill(r.jv[i], UNTOUCHED);
  }
  BLO_REQUIRE_STATUS(blo_eval_sweep(f->eval, &r.ask, &r.all), BLO_OK);
  blo_counts before = *blo_eval_counts(f->eval);
  r.ask.scatter = true;
  BLO_REQUIRE_STATUS(blo_eval_sweep(f->eval, &r.ask, &r.ans), BLO_OK);
  const blo_counts *after = blo_eval_counts(f->eval);
  BLO_EXPECT_ALL(after->hv == before.hv + D && after->jv == before.jv + D);
  BLO_EXPECT_NEAR(r.ans.g, r.all.g, tolerance, 0, "an ordinary sweep");
  BLO_EXPECT_NEAR(r.ans.f, r.all.f, tolerance, 0, "an ordinary sweep");
  expect_parts(name, f, &r, tolerance);
  close_rig(&r);
}

static void compare_fixture(blo_comm *comm, int kind, const fixture *f, blo_vec *x, blo_vec *y)
{
  /* a norm's second derivative is rounded otherwise for one direction than for several */
  double tolerance = kind == FIXTURE_BLOCK_NORM ? 1e-14 : 0;
  (void)comm;
  compare(fixture_name(kind), f, x, y, tolerance);
}

static void products_go_to_their_ranks(blo_comm *comm)
{
  fixture_for_all(comm, compare_fixture);
}

static void fast_ones_are_close(blo_comm *comm)
{
  fixture f;
  blo_vec *x, *y;
  fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_FAST, &f);
  fixture_point(&f, &x, &y);
  compare("fast", &f, x, y, 1e-12);
  blo_vec_destroy(&x);
  blo_vec_destroy(&y);
  fixture_free(comm, &f);
}

/* The order in which room is provided for does not matter, and vectors that are not the rank's may
 * be missing. */
static void vectors_of_others_may_be_missing(blo_comm *comm)
{
  fixture f;
  blo_vec *x, *y;
  rig r;
  fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &f);
  fixture_point(&f, &x, &y);
  open_rig(&f, x, y, &r);
  BLO_REQUIRE_STATUS(blo_eval_sweep(f.eval, &r.ask, &r.all), BLO_OK);
  BLO_REQUIRE_STATUS(blo_eval_reserve(f.eval, 0, BLO_DIRECTIONS_MAX), BLO_OK);
  BLO_REQUIRE_STATUS(blo_eval_reserve_scattered(f.eval, 0, D, BLO_WANT_HV), BLO_OK);
  r.ask.scatter = true;
  for (int i = 0; i < D; i++) {
    fill(r.hv[i], UNTOUCHED);
    fill(r.jv[i], UNTOUCHED);
    r.ans.hv[i] = is_mine(&f, i) ? r.hv[i] : NULL;
    r.ans.jv[i] = is_mine(&f, i) ? r.jv[i] : NULL;
  }
  BLO_REQUIRE_STATUS(blo_eval_sweep(f.eval, &r.ask, &r.ans), BLO_OK);
  expect_parts("missing", &f, &r, 0);
  close_rig(&r);
  blo_vec_destroy(&x);
  blo_vec_destroy(&y);
  fixture_free(comm, &f);
}

/* ----------------------------------------------------- what is not finite */

/* The quadratic with something added to the diagonal of each A_i; every direction is e_2 times
 * `size` on its own. */
static void expect_nonfinite(blo_comm *comm, int victim, double shift, double size,
                             const char *text)
{
  fixture f;
  blo_vec *x, *y;
  rig r;
  fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &f);
  fixture_point(&f, &x, &y);
  open_rig(&f, x, y, &r);
  r.ask.scatter = true;
  for (int i = 0; i < D; i++) {
    blo_vec_fill(r.v[i], 0);
    r.v[i]->data[2] = i == D - 1 ? size : 0;
  }
  quadratic_fault *fault = quadratic_faults(f.problem);
  fault->shift = victim < 0 || victim == blo_comm_rank(comm) ? shift : 0;
  BLO_EXPECT_STATUS(blo_eval_sweep(f.eval, &r.ask, &r.ans), BLO_E_NONFINITE);
  BLO_EXPECT_ERROR_HAS(text);
  fault->shift = 0;
  BLO_EXPECT_STATUS(blo_eval_sweep(f.eval, &r.ask, &r.ans), BLO_OK);
  close_rig(&r);
  blo_vec_destroy(&x);
  blo_vec_destroy(&y);
  fixture_free(comm, &f);
}

/* Of the last direction, which is the last rank's: on one rank alone; and only in the sum, of 16
 * shards of 6 or 7 samples of 100. */
static void nonfinite_products_are_traced(blo_comm *comm)
{
  for (int victim = 0; victim < blo_comm_size(comm); victim++) {
    char text[64];
    snprintf(text, sizeof text, "H v is not finite: rank %d", victim);
    expect_nonfinite(comm, victim, (double)INFINITY, 1, text);
  }
  expect_nonfinite(comm, -1, 1e304, 2e5, "a sum over the shards, each of which is finite");
}

/* ridge_logistic's regulariser exp(x) |y|^2 overflows, on the rank of the direction only. */
static void nonfinite_terms_are_kept(blo_comm *comm)
{
  char folder[256];
  fixture f;
  blo_vec *x, *y;
  rig r;
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  fixture_make(comm, FIXTURE_RIDGE_FEATURE, folder, BLO_REPRODUCIBLE, &f);
  fixture_point(&f, &x, &y);
  open_rig(&f, x, y, &r);
  blo_vec_fill(x, 705); /* exp(705) = 1.5e306 */
  blo_vec_publish(x);
  blo_vec_fill(y, 0);
  r.ask.scatter = true;
  r.ask.lower = BLO_WANT_HV;
  r.ask.upper = 0;
  blo_vec_scale(1e3, r.v[D - 1]);
  BLO_EXPECT_STATUS(blo_eval_sweep(f.eval, &r.ask, &r.ans), BLO_OK);
  BLO_EXPECT_STATUS(blo_eval_settle(f.eval), BLO_E_NONFINITE);
  BLO_EXPECT_ERROR_HAS("H v is not finite in its terms without samples");
  close_rig(&r);
  blo_vec_destroy(&x);
  blo_vec_destroy(&y);
  fixture_free(comm, &f);
}

static const blo_test tests[] = {
    {"products go to their ranks", products_go_to_their_ranks},
    {"fast ones are close", fast_ones_are_close},
    {"vectors of others may be missing", vectors_of_others_may_be_missing},
    {"nonfinite products are traced", nonfinite_products_are_traced},
    {"nonfinite terms are kept", nonfinite_terms_are_kept},
};
BLO_TEST_MAIN("scattered", tests)

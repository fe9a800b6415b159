/* Running estimates of Hessian and cross Jacobian against plain arrays, on every kind of problem:
 * so with every layout of x, and with y of tasks. What projections count; memory; refusals. ranks:
 * 1 2 3 4 */
#include "known.h"
#include "plain.h"
#include "track_reference.h"
#include "whole.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const double TOL = 1e-12; /* measured: below 3e-14 */

/* --------------------------------------------------------------- comparisons */

static double distance(int n, const double *a, const double *b)
{
  double most = 0;
  for (int i = 0; i < n; i++) {
    double d = fabs(a[i] - b[i]);
    most = d <= most ? most : d;
  }
  return most;
}

/* A matrix of the state, column after column, to be freed. */
static double *read(const track_reference *r, const blo_state *state, const char *name)
{
  const blo_dense *a = blo_state_find(state, name)->at.dense;
  double *all = NULL;
  BLO_REQUIRE_STATUS(
      blo_alloc(r->f->problem->ctx, blo_dense_m(a) * blo_dense_n(a), sizeof *all, &all), BLO_OK);
  whole_matrix(a, all);
  return all;
}

static void expect_symmetric(int n, const double *a, const char *where)
{
  bool symmetric = true;
  for (int k = 0; k < n * n; k++) {
    symmetric = symmetric && a[k] == a[k % n * n + k / n];
  }
  BLO_EXPECT_MSG(symmetric, "%s: H is not exactly symmetric", where);
}

static void expect_matrices(const track_reference *r, const blo_state *state, const char *where)
{
  int square = r->n_y * r->n_y, cross = r->n_x * r->n_y;
  double *H = read(r, state, "tracker.hessian"), *J = read(r, state, "tracker.cross");
  double d_H = distance(square, H, r->H), size_H = fmax(1, plain_norm(square, r->H));
  double d_J = distance(cross, J, r->J), size_J = fmax(1, plain_norm(cross, r->J));
  BLO_EXPECT_MSG(d_H <= TOL * size_H, "%s: H differs by %.3g of %.3g", where, d_H, size_H);
  BLO_EXPECT_MSG(d_J <= TOL * size_J, "%s: J differs by %.3g of %.3g", where, d_J, size_J);
  expect_symmetric(r->n_y, H, where);
  blo_free(r->f->problem->ctx, &H);
  blo_free(r->f->problem->ctx, &J);
}

/* What every rank stores of `got`, so of a rooted vector the workers' copies too. */
static void expect_vector(const blo_vec *got, const double *want, const char *what,
                          const char *where)
{
  int n = (int)blo_space_n(got->space), n_local = (int)blo_space_n_local(got->space);
  double d = distance(n_local, got->data, want + blo_space_first(got->space));
  double size = fmax(1, plain_norm(n, want));
  BLO_EXPECT_MSG(d <= TOL * size, "%s: %s differs by %.3g of %.3g", where, what, d, size);
}

/* A vector on the workers of a rooted space is what they received last. */
static void set_waves(const track_reference *r, blo_vec *v)
{
  for (int i = 0; i < (int)blo_space_n(v->space); i++) {
    r->in[i] = cos(1.7 * i);
  }
  blo_vec_set_from(r->in, v);
}

/* J v; J' w; H z = J' w for z = H^-1 J' w, which is how y*(x) moves when x moves by -w. */
static void expect_products(const track_reference *r, blo_tracker *t, const blo_vec *x,
                            const blo_vec *y, const char *where)
{
  blo_vec *in_x, *in_y;
  fixture_like(x, 1, &in_x);
  fixture_like(y, 1, &in_y);

  set_waves(r, in_y);
  track_multiply(false, r->n_x, r->n_y, r->J, r->in, r->out);
  blo_tracker_cross(t, in_y, in_x);
  expect_vector(in_x, r->out, "J v", where);

  set_waves(r, in_x);
  track_multiply(true, r->n_x, r->n_y, r->J, r->in, r->out);
  blo_tracker_cross_transposed(t, in_x, in_y);
  expect_vector(in_y, r->out, "J' w", where);

  blo_tracker_solve(t, in_y, in_y);
  blo_vec_get_all(in_y, r->in);
  blo_vec_set_from(r->out, in_y);
  track_multiply(false, r->n_y, r->n_y, r->H, r->in, r->out);
  expect_vector(in_y, r->out, "H (H^-1 J' w)", where);
  fixture_free_vecs(1, &in_x);
  fixture_free_vecs(1, &in_y);
}

/* --------------------------------------------------------------- recursions */

enum { N_UPDATES = 4 };

static const struct {
  blo_track_rule rule;
  double a_hessian, a_cross;
} updates[N_UPDATES] = {{BLO_TRACK_FRESH, 0, 0},
                        {BLO_TRACK_MOMENTUM, 0.3, 0.6},
                        {BLO_TRACK_STORM, 0.25, 0.7},
                        {BLO_TRACK_STORM, 0.8, 0.1}};

/* Points that are apart from each other. */
static void make_points(const blo_vec *v, blo_vec **point)
{
  fixture_like(v, N_UPDATES, point);
  for (int k = 0; k < N_UPDATES; k++) {
    blo_vec_copy(v, point[k]);
    for (blo_int i = 0; i < blo_space_n_local(v->space); i++) {
      point[k]->data[i] += 0.05 * cos((double)(blo_space_first(v->space) + i + 7 * k));
    }
    blo_vec_publish(point[k]);
  }
}

/* Bounds that cut off a third of the spectrum at each end, and half of J; or as little as leaves
 * solves well-conditioned, and nothing of J. */
static blo_tracker_options choose_bounds(track_reference *r, bool tight)
{
  double infinite = (double)INFINITY, size = plain_norm(r->n_x * r->n_y, r->J), most, mu;
  track_reference_decompose(r);
  most = fmax(fabs(r->eigen[0]), fabs(r->eigen[r->n_y - 1]));
  mu = fmax(tight ? r->eigen[r->n_y / 3] : 0, (tight ? 0.02 : 1e-3) * most);
  return (blo_tracker_options){.mu = mu,
                               .L = tight ? fmax(mu, r->eigen[2 * r->n_y / 3]) : infinite,
                               .cross_bound = tight ? fmax(size / 2, 1e-3) : infinite,
                               .clip = BLO_CLIP_EIG};
}

/* As somebody does who wants gradients at the point, too: then the update need not. */
static void linearize(const track_reference *r, blo_track_step *step)
{
  bool storm = step->rule == BLO_TRACK_STORM;
  blo_answer answer = {.g = 0};
  blo_ask ask = {.lower = BLO_WANT_VALUE,
                 .lower_batch = step->batch,
                 .x = storm ? step->x_old : step->x,
                 .y = storm ? step->y_old : step->y,
                 .linearize = true};
  if (blo_eval_can_linearize(r->f->eval)) {
    BLO_REQUIRE_STATUS(blo_eval_sweep(r->f->eval, &ask, &answer), BLO_OK);
  }
  step->linearized = true;
}

static void follow(track_reference *r, const blo_tracker_options *o, blo_sampler *sampler,
                   blo_vec *const *x, blo_vec *const *y)
{
  const blo_dense_options dense = {0, 3};
  blo_tracker *t = NULL;
  blo_state *state = NULL;
  BLO_REQUIRE_STATUS(blo_state_create(r->f->problem->ctx, &state), BLO_OK);
  BLO_REQUIRE_STATUS(
      blo_tracker_create(r->f->eval, &dense, o, blo_sampler_max_own(sampler), state, &t), BLO_OK);
  for (int k = 0; k < N_UPDATES; k++) {
    char where[96];
    blo_track_step step = {.rule = updates[k].rule,
                           .batch = blo_eval_draw(r->f->eval, sampler, k, 1, 0),
                           .x = x[k],
                           .y = y[k],
                           .x_old = k > 0 ? x[k - 1] : NULL,
                           .y_old = k > 0 ? y[k - 1] : NULL,
                           .a_hessian = updates[k].a_hessian,
                           .a_cross = updates[k].a_cross};
    snprintf(where, sizeof where, "%s, update %d", r->f->problem->type->name, k);
    track_reference_advance(r, &step);
    track_reference_project(r, o);
    if (isfinite(o->L)) {
      linearize(r, &step);
    }
    BLO_REQUIRE_STATUS(blo_tracker_update(t, &step), BLO_OK);
    expect_products(r, t, x[k], y[k], where);
    expect_matrices(r, state, where); /* after a solve, too */
  }
  blo_tracker_destroy(&t);
  blo_state_destroy(&state);
}

static void recursions_of(blo_comm *comm, int kind, const fixture *f, blo_vec *x, blo_vec *y)
{
  blo_vec *in_x[N_UPDATES], *in_y[N_UPDATES];
  blo_track_step all = {.rule = BLO_TRACK_FRESH, .x = x, .y = y};
  blo_sampler *sampler = NULL;
  track_reference r;
  (void)comm, (void)kind;

  track_reference_open(f, &r);
  make_points(x, in_x);
  make_points(y, in_y);
  BLO_REQUIRE_STATUS(
      blo_eval_sampler(f->eval, 5, BLO_PURPOSE_LOWER, f->problem->n_lower / 2, &sampler), BLO_OK);
  for (int tight = 0; tight < 2; tight++) {
    track_reference_advance(&r, &all);
    blo_tracker_options o = choose_bounds(&r, tight);
    follow(&r, &o, sampler, in_x, in_y);
  }
  blo_sampler_destroy(&sampler);
  fixture_free_vecs(N_UPDATES, in_x);
  fixture_free_vecs(N_UPDATES, in_y);
  track_reference_close(&r);
}

static void recursions_are_those_of_plain_arrays(blo_comm *comm)
{
  fixture_for_all(comm, recursions_of);
}

/* --------------------------------------------------------------- projections */

static const char small[] = "{n: 150, m: 130, n_x: 6, n_y: 9, shards: 8}";

/* The certificate knows a solution from another vector, and how the Hessian was clipped. */
static void expect_certificate(blo_tracker *t, const blo_vec *rhs, blo_vec *v)
{
  blo_clip_report clips = blo_tracker_clips(t);
  blo_certificate c;
  blo_tracker_certify(t, rhs, v, &c);
  BLO_EXPECT_ALL(c.adjoint_relative < 1e-13 && c.adjoint_rhs == blo_vec_norm(rhs));
  BLO_EXPECT_ALL(c.clip.path == clips.path && c.clip.inactive == clips.inactive &&
                 c.clip.spectrum == clips.spectrum);
  BLO_EXPECT_ALL(c.grid_rows * c.grid_cols > 0);
  blo_vec_scale(2, v);
  blo_tracker_certify(t, rhs, v, &c);
  BLO_EXPECT_NEAR(c.adjoint_relative, 1, 1e-13, 0, "|2 rhs - rhs| / |rhs|");
}

/* Three momentum updates on the test's quadratic, of which the first is fresh. */
static void three_updates(blo_comm *comm, const blo_tracker_options *o, blo_clip_report *clips,
                          blo_int *shortened, double *J_norm)
{
  const blo_dense_options dense = {0, 2};
  blo_tracker *t = NULL;
  blo_state *state = NULL;
  bench b;
  bench_open(comm, "quadratic", small, &b);
  BLO_REQUIRE_STATUS(blo_state_create(b.f.problem->ctx, &state), BLO_OK);
  BLO_REQUIRE_STATUS(blo_tracker_create(b.f.eval, &dense, o, b.f.problem->n_lower, state, &t),
                     BLO_OK);
  for (int k = 0; k < 3; k++) {
    blo_track_step step = {.rule = k == 0 ? BLO_TRACK_FRESH : BLO_TRACK_MOMENTUM,
                           .x = b.x,
                           .y = b.y,
                           .a_hessian = 0.5,
                           .a_cross = 0.5};
    BLO_REQUIRE_STATUS(blo_tracker_update(t, &step), BLO_OK);
    blo_vec_fill(b.in_y[1], 1);
    blo_tracker_solve(t, b.in_y[1], b.in_y[0]);
    expect_certificate(t, b.in_y[1], b.in_y[0]);
  }
  *clips = blo_tracker_clips(t);
  *shortened = blo_tracker_shortened(t);
  *J_norm = blo_dense_norm_frobenius(blo_state_find(state, "tracker.cross")->at.dense);
  blo_tracker_destroy(&t);
  blo_state_destroy(&state);
  bench_close(comm, &b);
}

static void projections_are_counted(blo_comm *comm)
{
  const blo_tracker_options wide = {1e-3, 100, (double)INFINITY, BLO_CLIP_EIG};
  const blo_tracker_options tight = {0.3, 0.6, 0.01, BLO_CLIP_EIG};
  blo_clip_report clips;
  blo_int shortened;
  double J_norm;

  three_updates(comm, &wide, &clips, &shortened, &J_norm);
  BLO_EXPECT_ALL(clips.path == BLO_CLIP_INACTIVE && clips.inactive == 3 && clips.spectrum == 0);
  BLO_EXPECT_ALL(clips.below == 0 && clips.above == 0 && shortened == 0);
  BLO_EXPECT_ALL(J_norm > 0.02);

  three_updates(comm, &tight, &clips, &shortened, &J_norm);
  BLO_EXPECT_ALL(clips.path == BLO_CLIP_SPECTRUM && clips.spectrum == 3 && clips.inactive == 0);
  BLO_EXPECT_ALL(clips.below > 0 && clips.above > 0 && clips.least < 0.3 && clips.most > 0.6);
  BLO_EXPECT_NEAR(J_norm, 0.01, 1e-14, 0, "the ball's radius");
  BLO_EXPECT_ALL(shortened == 3);
}

/* ------------------------------------------------------------------- memory */

static const blo_dense_options all_ranks = {0, 4};
static const blo_tracker_options bounds = {0.3, 0.6, 0.05, BLO_CLIP_EIG};

/* Two updates and a solve, with everything that needs memory. */
static blo_status track_twice(blo_comm *comm, void *arg)
{
  fixture *f = arg;
  blo_context *ctx = blo_comm_context(comm);
  blo_eval *eval = NULL;
  blo_tracker *t = NULL;
  blo_state *state = NULL;
  blo_vec *x = NULL, *y = NULL;
  blo_status status;

  BLO_GO(blo_eval_create(f->problem, BLO_REPRODUCIBLE, &eval));
  BLO_GO_ALL(comm, blo_state_create(ctx, &state));
  BLO_GO_ALL(comm, blo_vec_create(blo_eval_space_x(eval), &x));
  BLO_GO_ALL(comm, blo_vec_create(blo_eval_space_y(eval), &y));
  blo_eval_start(eval, x, y);
  BLO_GO(blo_tracker_create(eval, &all_ranks, &bounds, f->problem->n_lower, state, &t));
  blo_track_step step = {.x = x, .y = y, .x_old = x, .y_old = y, .a_hessian = 1, .a_cross = 1};
  BLO_GO(blo_tracker_update(t, &step));
  step.rule = BLO_TRACK_STORM;
  BLO_GO(blo_tracker_update(t, &step));
  blo_tracker_solve(t, y, y);
done:
  blo_tracker_destroy(&t);
  blo_state_destroy(&state);
  blo_vec_destroy(&x);
  blo_vec_destroy(&y);
  blo_eval_destroy(&eval);
  return status;
}

static void every_fault_is_agreed_and_leaves_nothing(blo_comm *comm)
{
  fixture f;
  known_open(comm, "quadratic", small, &f);
  BLO_EXPECT_ALL(blo_test_sweep_faults(comm, track_twice, &f) > 20);
  fixture_free(comm, &f);
}

static void updates_take_no_memory(blo_comm *comm)
{
  static const double mu[] = {1e-4, 0.3}; /* the clip inactive, and by the spectrum */
  for (int k = 0; k < 2; k++) {
    blo_tracker_options o = {mu[k], 50, 0.05, BLO_CLIP_EIG};
    blo_tracker *t = NULL;
    bench b;
    blo_int before;
    bench_open(comm, "quadratic", small, &b);
    BLO_REQUIRE_STATUS(blo_tracker_create(b.f.eval, &all_ranks, &o, 150, NULL, &t), BLO_OK);
    before = blo_memory(b.f.problem->ctx).total;
    for (int rule = BLO_TRACK_FRESH; rule <= BLO_TRACK_STORM; rule++) {
      blo_track_step step = {(blo_track_rule)rule, NULL, b.x, b.y, b.x, b.y, 0.5, 0.5, false};
      BLO_REQUIRE_STATUS(blo_tracker_update(t, &step), BLO_OK);
      blo_tracker_solve(t, b.y, b.in_y[0]);
      blo_tracker_cross(t, b.y, b.in_x[0]);
      blo_tracker_cross_transposed(t, b.x, b.in_y[0]);
    }
    BLO_EXPECT_ALL(blo_tracker_clips(t).path == (k == 0 ? BLO_CLIP_INACTIVE : BLO_CLIP_SPECTRUM));
    BLO_EXPECT_ALL(blo_memory(b.f.problem->ctx).total == before);
    blo_tracker_destroy(&t);
    bench_close(comm, &b);
  }
}

static void too_much_memory_is_refused_in_advance(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_tracker *t = NULL;
  blo_int used, bytes;
  fixture f;

  known_open(comm, "quadratic", "{n: 400, n_x: 50, n_y: 300, shards: 8}", &f);
  BLO_REQUIRE_STATUS(blo_tracker_create(f.eval, &all_ranks, &bounds, 400, NULL, &t), BLO_OK);
  bytes = blo_tracker_bytes(f.eval, blo_tracker_grid(t));
  blo_tracker_destroy(&t);
  used = blo_memory(ctx).bytes; /* with what a tracker has reserved in the evaluator */
  BLO_REQUIRE_STATUS(blo_tracker_create(f.eval, &all_ranks, &bounds, 400, NULL, &t), BLO_OK);
  BLO_EXPECT_MSG(blo_max_all(comm, (double)(blo_memory(ctx).bytes - used)) <= 1.01 * (double)bytes,
                 "%lld bytes, %lld were announced", (long long)(blo_memory(ctx).bytes - used),
                 (long long)bytes);
  blo_tracker_destroy(&t);

  blo_memory_limit(ctx, used + bytes - 1);
  BLO_EXPECT_STATUS(blo_tracker_create(f.eval, &all_ranks, &bounds, 400, NULL, &t), BLO_E_MEMORY);
  blo_memory_limit(ctx, 0);
  BLO_EXPECT_ALL(t == NULL);
  BLO_EXPECT_ERROR_HAS("n_y = 300, n_x = 50");
  BLO_EXPECT_ERROR_HAS("run.memory_limit");
  BLO_EXPECT_ERROR_HAS("GiB");
  BLO_EXPECT_ERROR_HAS("'soba'");
  fixture_free(comm, &f);
}

static void wrong_bounds_are_refused(blo_comm *comm)
{
  const blo_tracker_options o = {2, 1, 1, BLO_CLIP_EIG};
  blo_tracker *t = NULL;
  fixture f;

  known_open(comm, "sine_pl", "{shards: 4}", &f);
  BLO_EXPECT_STATUS(blo_tracker_create(f.eval, &all_ranks, &o, 1, NULL, &t), BLO_E_OPTION);
  BLO_EXPECT_ERROR_HAS("[mu, L] = [2, 1]");
  fixture_free(comm, &f);
}

static const blo_test tests[] = {
    {"the recursions are those of plain arrays", recursions_are_those_of_plain_arrays},
    {"projections are counted", projections_are_counted},
    {"every fault is agreed and leaves nothing", every_fault_is_agreed_and_leaves_nothing},
    {"updates take no memory", updates_take_no_memory},
    {"too much memory is refused in advance", too_much_memory_is_refused_in_advance},
    {"wrong bounds are refused", wrong_bounds_are_refused},
};

BLO_TEST_MAIN("tracking", tests)

/* Hypergradients of every estimator against a closed form, a dense direct solution, and finite
 * differences of F itself. Relative errors measured on 1 to 4 ranks: closed form 3e-16, dense 2e-15,
 * differences 6e-12 (their own accuracy); the bounds below leave room for other processors. */
#include "fixture.h"
#include <math.h>
#include <string.h>

/* CG to rounding, or so many terms that the series has converged to rounding. */
static blo_adjoint_options exact(int type)
{
  return (blo_adjoint_options){.iterations = type == 0 ? 200 : 4000,
                               .tol = 1e-15,
                               .step = 0.3,
                               .type = type,
                               .warm_start = false};
}

static int n_types(void)
{
  blo_int n;
  (void)blo_estimator_types(&n);
  return (int)n;
}

/* hx by an estimator at (x, y), and its certificate. */
static blo_certificate estimate(const fixture *f, const blo_adjoint_options *o, const blo_vec *x,
                                const blo_vec *y, blo_vec *hx)
{
  blo_context *ctx = f->problem->ctx;
  blo_state *state = NULL;
  blo_estimator *e = NULL;
  BLO_REQUIRE_STATUS(blo_state_create(ctx, &state), BLO_OK);
  BLO_REQUIRE_STATUS(blo_estimator_create(f->eval, o, 0, 5, state, &e), BLO_OK);
  BLO_REQUIRE_STATUS(blo_estimator_compute(e, 0, x, y, hx), BLO_OK);
  blo_certificate c = e->certificate;
  blo_estimator_destroy(&e);
  blo_state_destroy(&state);
  return c;
}

static double relative_error(const blo_vec *got, const blo_vec *want, blo_vec *work)
{
  blo_vec_copy(got, work);
  blo_vec_axpy(-1, want, work);
  return blo_vec_norm(work) / blo_vec_norm(want);
}

static void quadratic_has_closed_form(blo_comm *comm)
{
  fixture f;
  blo_vec *x, *y, *hx, *want, *work;
  fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &f);
  fixture_point(&f, &x, &y);
  BLO_REQUIRE_STATUS(blo_vec_create(x->space, &hx), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_create(x->space, &want), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_create(x->space, &work), BLO_OK);
  quadratic_hypergradient(x->data, y->data, want->data);
  for (int type = 0; type < n_types(); type++) {
    blo_adjoint_options o = exact(type);
    blo_certificate c = estimate(&f, &o, x, y, hx);
    double error = relative_error(hx, want, work);
    BLO_EXPECT_MSG(error < 1e-14, "%s: relative error %.3g", blo_estimator_names[type], error);
    BLO_EXPECT_MSG(c.adjoint_residual < 1e-13 * c.adjoint_rhs, "residual %.3g",
                   c.adjoint_residual / c.adjoint_rhs);
    BLO_EXPECT_ALL(!c.sampled);
  }
  blo_vec_destroy(&x);
  blo_vec_destroy(&y);
  blo_vec_destroy(&hx);
  blo_vec_destroy(&want);
  blo_vec_destroy(&work);
  fixture_free(comm, &f);
}

static void solution_of_quadratic(blo_comm *comm)
{
  fixture f;
  blo_vec *x, *y;
  double want[QUADRATIC_N_Y];
  fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &f);
  fixture_point(&f, &x, &y);
  fixture_solve_lower(&f, x, y, 1e-13);
  quadratic_solution(x->data, want);
  for (int j = 0; j < QUADRATIC_N_Y; j++) {
    BLO_EXPECT_NEAR(y->data[j], want[j], 0, 1e-12, "Gauss elimination");
  }
  blo_vec_destroy(&x);
  blo_vec_destroy(&y);
  fixture_free(comm, &f);
}

static void dense_solution_agrees(blo_comm *comm)
{
  char folder[256];
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  for (int kind = 0; kind < N_FIXTURES; kind++) {
    fixture f;
    blo_vec *x, *y, *hx, *want, *work;
    fixture_make(comm, kind, folder, BLO_REPRODUCIBLE, &f);
    fixture_point(&f, &x, &y);
    BLO_REQUIRE_STATUS(blo_vec_create(x->space, &hx), BLO_OK);
    BLO_REQUIRE_STATUS(blo_vec_create(x->space, &want), BLO_OK);
    BLO_REQUIRE_STATUS(blo_vec_create(x->space, &work), BLO_OK);
    BLO_REQUIRE_STATUS(blo_dense_hypergradient(f.eval, x, y, want, NULL), BLO_OK);
    for (int type = 0; type < n_types(); type++) {
      blo_adjoint_options o = exact(type);
      estimate(&f, &o, x, y, hx);
      double error = relative_error(hx, want, work);
      BLO_EXPECT_MSG(error < 5e-14, "%s, %s: relative error %.3g", fixture_name(kind),
                     blo_estimator_names[type], error);
    }
    blo_vec_destroy(&x);
    blo_vec_destroy(&y);
    blo_vec_destroy(&hx);
    blo_vec_destroy(&want);
    blo_vec_destroy(&work);
    fixture_free(comm, &f);
  }
}

/* F(x + t w), with the lower level solved to 1e-12. */
static double value_of_F(const fixture *f, const blo_vec *x, double t, const blo_vec *w,
                         const blo_vec *y, blo_vec *x_t, blo_vec *y_t)
{
  blo_answer ans = {.f = 0};
  blo_ask ask = {.upper = BLO_WANT_VALUE, .x = x_t, .y = y_t};
  blo_vec_copy(x, x_t);
  blo_vec_axpy(t, w, x_t);
  blo_vec_publish(x_t);
  blo_vec_copy(y, y_t);
  fixture_solve_lower(f, x_t, y_t, 1e-12);
  BLO_REQUIRE_STATUS(blo_eval_sweep(f->eval, &ask, &ans), BLO_OK);
  return ans.f;
}

/* dF/dt at t = 0 by the central difference of order 6. */
static double slope_of_F(const fixture *f, const blo_vec *x, const blo_vec *w, const blo_vec *y,
                         blo_vec *x_t, blo_vec *y_t)
{
  static const double weight[] = {3.0 / 4, -3.0 / 20, 1.0 / 60};
  const double h = 0.01;
  double slope = 0;
  for (int k = 1; k <= 3; k++) {
    slope += weight[k - 1] / h *
             (value_of_F(f, x, k * h, w, y, x_t, y_t) - value_of_F(f, x, -k * h, w, y, x_t, y_t));
  }
  return slope;
}

static void differences_of_F_agree(blo_comm *comm)
{
  char folder[256];
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  for (int kind = 0; kind < N_FIXTURES; kind++) {
    fixture f;
    blo_vec *x, *y, *hx, *w, *x_t, *y_t;
    blo_adjoint_options o = exact(0);
    blo_stream st = {8, BLO_PURPOSE_TEST};
    fixture_make(comm, kind, folder, BLO_REPRODUCIBLE, &f);
    fixture_point(&f, &x, &y);
    BLO_REQUIRE_STATUS(blo_vec_create(x->space, &hx), BLO_OK);
    BLO_REQUIRE_STATUS(blo_vec_create(x->space, &w), BLO_OK);
    BLO_REQUIRE_STATUS(blo_vec_create(x->space, &x_t), BLO_OK);
    BLO_REQUIRE_STATUS(blo_vec_create(y->space, &y_t), BLO_OK);
    for (blo_int i = 0; i < blo_space_n_local(w->space); i++) {
      w->data[i] = blo_stream_normal(st, 1, 0, (uint64_t)(blo_space_first(w->space) + i));
    }
    fixture_solve_lower(&f, x, y, 1e-12);
    estimate(&f, &o, x, y, hx);
    double got = blo_vec_dot(hx, w), want = slope_of_F(&f, x, w, y, x_t, y_t);
    double size = blo_vec_norm(hx) * blo_vec_norm(w);
    BLO_EXPECT_MSG(fabs(got - want) < 1e-10 * size, "%s: slope %.12g by hypergradient, %.12g by F",
                   fixture_name(kind), got, want);
    BLO_EXPECT_MSG(fabs(got) > 1e-3 * size, "%s: the direction tells nothing", fixture_name(kind));
    blo_vec **const all[] = {&x, &y, &hx, &w, &x_t, &y_t};
    for (int i = 0; i < 6; i++) {
      blo_vec_destroy(all[i]);
    }
    fixture_free(comm, &f);
  }
}

/* One step of CG is exact if H is a multiple of I: a CG that returns the previous iterate gives 0.
 */
static void early_convergence_keeps_the_last_iterate(blo_comm *comm)
{
  fixture f;
  blo_vec *x, *y, *hx, *want, *work;
  blo_adjoint_options o = {.iterations = QUADRATIC_N_Y, .tol = 1e-9, .type = 0};
  fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &f);
  fixture_point(&f, &x, &y);
  BLO_REQUIRE_STATUS(blo_vec_create(x->space, &hx), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_create(x->space, &want), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_create(x->space, &work), BLO_OK);
  quadratic_hypergradient(x->data, y->data, want->data);
  blo_certificate c = estimate(&f, &o, x, y, hx);
  BLO_EXPECT_ALL(c.verdict == BLO_VERDICT_CONVERGED && c.curvature > 1);
  BLO_EXPECT_ALL(c.adjoint_residual <= 1.01e-9 * c.adjoint_rhs);
  BLO_EXPECT_ALL(relative_error(hx, want, work) < 1e-8);
  blo_vec **const all[] = {&x, &y, &hx, &want, &work};
  for (int i = 0; i < 5; i++) {
    blo_vec_destroy(all[i]);
  }
  fixture_free(comm, &f);
}

/* The error of the truncated series is (I - eta H)^(K+1) H^-1 u: it falls by at most 1 - eta mu. */
static void neumann_falls_at_its_rate(blo_comm *comm)
{
  fixture f;
  blo_vec *x, *y, *hx;
  double residual[3];
  fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &f);
  fixture_point(&f, &x, &y);
  BLO_REQUIRE_STATUS(blo_vec_create(x->space, &hx), BLO_OK);
  for (int k = 0; k < 3; k++) {
    blo_adjoint_options o = exact(1);
    o.iterations = 10 * (k + 1);
    blo_certificate c = estimate(&f, &o, x, y, hx);
    residual[k] = c.adjoint_residual / c.adjoint_rhs;
    BLO_EXPECT_ALL(c.iterations == o.iterations && c.verdict == BLO_VERDICT_SPENT);
  }
  /* H = I + mean s s' with eigenvalues in (1, 3): the factor of ten terms is below 0.7^10 */
  BLO_EXPECT_ALL(residual[0] < pow(0.7, 11) && residual[1] < residual[0] * pow(0.7, 10));
  BLO_EXPECT_ALL(residual[2] < residual[1] * pow(0.7, 10) && residual[2] > 0);
  blo_adjoint_options o = exact(1);
  o.iterations = 20;
  o.step = 2;
  BLO_EXPECT_ALL(estimate(&f, &o, x, y, hx).verdict == BLO_VERDICT_GREW);
  blo_vec_destroy(&x);
  blo_vec_destroy(&y);
  blo_vec_destroy(&hx);
  fixture_free(comm, &f);
}

/* A second call at the same point begins where the first one ended. */
static void warm_start_goes_on(blo_comm *comm)
{
  for (int type = 0; type < n_types(); type++) {
    fixture f;
    blo_vec *x, *y, *hx;
    blo_state *state = NULL;
    blo_estimator *e = NULL;
    blo_adjoint_options o = exact(type);
    o.iterations = 3;
    o.warm_start = true;
    fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &f);
    fixture_point(&f, &x, &y);
    BLO_REQUIRE_STATUS(blo_vec_create(x->space, &hx), BLO_OK);
    BLO_REQUIRE_STATUS(blo_state_create(f.problem->ctx, &state), BLO_OK);
    BLO_REQUIRE_STATUS(blo_estimator_create(f.eval, &o, 0, 5, state, &e), BLO_OK);
    BLO_EXPECT_ALL(blo_state_find(state, "adjoint.v") != NULL);
    double last = INFINITY;
    for (int k = 0; k < 4; k++) {
      blo_int before = blo_comm_traffic(comm).reductions;
      BLO_REQUIRE_STATUS(blo_estimator_compute(e, k, x, y, hx), BLO_OK);
      BLO_EXPECT_ALL(blo_comm_traffic(comm).reductions == before + o.iterations + 2);
      BLO_EXPECT_ALL(e->certificate.adjoint_residual < 0.5 * last);
      last = e->certificate.adjoint_residual;
    }
    blo_estimator_destroy(&e);
    blo_state_destroy(&state);
    blo_vec_destroy(&x);
    blo_vec_destroy(&y);
    blo_vec_destroy(&hx);
    fixture_free(comm, &f);
  }
}

/* The mean over many fresh batches is the full-batch estimate. */
static void batches_are_unbiased(blo_comm *comm)
{
  enum { CALLS = 600 };
  fixture f;
  blo_vec *x, *y, *hx, *want, *mean;
  blo_state *state = NULL;
  blo_estimator *e = NULL;
  blo_adjoint_options o = {.iterations = 4, .step = 0.3, .type = 1};
  fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &f);
  fixture_point(&f, &x, &y);
  BLO_REQUIRE_STATUS(blo_vec_create(x->space, &hx), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_create(x->space, &want), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_create(x->space, &mean), BLO_OK);
  estimate(&f, &o, x, y, want);
  o.batch = 10;
  BLO_REQUIRE_STATUS(blo_state_create(f.problem->ctx, &state), BLO_OK);
  BLO_REQUIRE_STATUS(blo_estimator_create(f.eval, &o, 10, 5, state, &e), BLO_OK);
  double square = 0;
  for (int k = 0; k < CALLS; k++) {
    BLO_REQUIRE_STATUS(blo_estimator_compute(e, k, x, y, hx), BLO_OK);
    blo_vec_axpy(1.0 / CALLS, hx, mean);
    blo_vec_axpy(-1, want, hx);
    square += blo_vec_dot(hx, hx) / CALLS;
  }
  blo_vec_axpy(-1, want, mean);
  double error = blo_vec_norm(mean), deviation = sqrt(square / CALLS);
  BLO_EXPECT_MSG(error < 3 * deviation, "mean off by %.3g, standard deviation %.3g", error,
                 deviation);
  BLO_EXPECT_ALL(e->certificate.sampled && deviation > 0);
  blo_estimator_destroy(&e);
  blo_state_destroy(&state);
  blo_vec **const all[] = {&x, &y, &hx, &want, &mean};
  for (int i = 0; i < 5; i++) {
    blo_vec_destroy(all[i]);
  }
  fixture_free(comm, &f);
}

static const blo_test tests[] = {
    {"quadratic has closed form", quadratic_has_closed_form},
    {"solution of quadratic", solution_of_quadratic},
    {"dense solution agrees", dense_solution_agrees},
    {"differences of F agree", differences_of_F_agree},
    {"early convergence keeps the last iterate", early_convergence_keeps_the_last_iterate},
    {"Neumann falls at its rate", neumann_falls_at_its_rate},
    {"warm start goes on", warm_start_goes_on},
    {"batches are unbiased", batches_are_unbiased},
};
BLO_TEST_MAIN("estimator", tests)

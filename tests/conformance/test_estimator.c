/* Hypergradients of every estimator against a closed form, a dense direct solution, and finite
 * differences of F itself. Relative errors measured on 1 to 4 ranks: closed form 3e-16, dense
 * 2e-15, differences 6e-12 (their own accuracy); the bounds below leave room for other processors.
 */
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
  BLO_REQUIRE_STATUS(blo_estimator_create(f->eval, o, 0, 5, NULL, state, &e), BLO_OK);
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

/* The quadratic at its point, with room for a hypergradient and the closed form. */
typedef struct quadratic {
  fixture f;
  blo_vec *x, *y;
  blo_vec *vec[3]; /* hypergradient, closed form, work */
} quadratic;

static void open_quadratic(blo_comm *comm, quadratic *q)
{
  fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &q->f);
  fixture_point(&q->f, &q->x, &q->y);
  fixture_like(q->x, 3, q->vec);
  quadratic_hypergradient(q->x->data, q->y->data, q->vec[1]->data);
}

static void close_quadratic(blo_comm *comm, quadratic *q)
{
  fixture_free_vecs(3, q->vec);
  blo_vec_destroy(&q->x);
  blo_vec_destroy(&q->y);
  fixture_free(comm, &q->f);
}

static void quadratic_has_closed_form(blo_comm *comm)
{
  quadratic q;
  open_quadratic(comm, &q);
  for (int type = 0; type < n_types(); type++) {
    blo_adjoint_options o = exact(type);
    blo_certificate c = estimate(&q.f, &o, q.x, q.y, q.vec[0]);
    double error = relative_error(q.vec[0], q.vec[1], q.vec[2]);
    BLO_EXPECT_MSG(error < 1e-14, "%s: relative error %.3g", blo_estimator_names[type], error);
    BLO_EXPECT_MSG(c.adjoint_residual < 1e-13 * c.adjoint_rhs, "residual %.3g",
                   c.adjoint_residual / c.adjoint_rhs);
    BLO_EXPECT_ALL(!c.sampled);
  }
  close_quadratic(comm, &q);
}

static void tasks_have_closed_form(blo_comm *comm)
{
  fixture f;
  blo_vec *x, *y, *vec[3]; /* hypergradient, closed form, work */
  double whole[TASKS_N_Y];
  fixture_make(comm, FIXTURE_TASKS, "", BLO_REPRODUCIBLE, &f);
  fixture_point(&f, &x, &y);
  fixture_like(x, 3, vec);
  blo_vec_gather(y, whole);
  blo_bcast(comm, BLO_ROOT, whole, sizeof whole);
  tasks_hypergradient(x->data, whole, vec[1]->data);
  for (int type = 0; type < n_types(); type++) {
    blo_adjoint_options o = exact(type);
    blo_certificate c = estimate(&f, &o, x, y, vec[0]);
    double error = relative_error(vec[0], vec[1], vec[2]);
    BLO_EXPECT_MSG(error < 1e-14, "%s: relative error %.3g", blo_estimator_names[type], error);
    BLO_EXPECT_MSG(c.adjoint_residual < 1e-13 * c.adjoint_rhs, "residual %.3g",
                   c.adjoint_residual / c.adjoint_rhs);
  }
  fixture_solve_lower(&f, x, y, 1e-13);
  blo_vec_gather(y, whole);
  blo_bcast(comm, BLO_ROOT, whole, sizeof whole);
  double want[TASKS_N_Y], worst = 0;
  tasks_solution(x->data, want);
  for (int i = 0; i < TASKS_N_Y; i++) {
    worst = fmax(worst, fabs(whole[i] - want[i]));
  }
  BLO_EXPECT_MSG(worst < 1e-12, "y* off by %.3g", worst);
  fixture_free_vecs(3, vec);
  blo_vec_destroy(&x);
  blo_vec_destroy(&y);
  fixture_free(comm, &f);
}

static void solution_of_quadratic(blo_comm *comm)
{
  quadratic q;
  double want[QUADRATIC_N_Y];
  open_quadratic(comm, &q);
  fixture_solve_lower(&q.f, q.x, q.y, 1e-13);
  quadratic_solution(q.x->data, want);
  for (int j = 0; j < QUADRATIC_N_Y; j++) {
    BLO_EXPECT_NEAR(q.y->data[j], want[j], 0, 1e-12, "Gauss elimination");
  }
  close_quadratic(comm, &q);
}

static void compare_with_dense(blo_comm *comm, int kind, const fixture *f, blo_vec *x, blo_vec *y)
{
  blo_vec *vec[3];
  (void)comm;
  if (kind == FIXTURE_BLOCK_NORM) {
    return; /* H is indefinite */
  }
  fixture_like(x, 3, vec);
  BLO_REQUIRE_STATUS(blo_dense_hypergradient(f->eval, x, y, vec[1], NULL), BLO_OK);
  for (int type = 0; type < n_types(); type++) {
    blo_adjoint_options o = exact(type);
    o.iterations = fixture_is_network(kind) ? 400 : o.iterations; /* H is far from singular */
    estimate(f, &o, x, y, vec[0]);
    double error = relative_error(vec[0], vec[1], vec[2]);
    BLO_EXPECT_MSG(error < 5e-14, "%s, %s: relative error %.3g", fixture_name(kind),
                   blo_estimator_names[type], error);
  }
  fixture_free_vecs(3, vec);
}

static void dense_solution_agrees(blo_comm *comm)
{
  fixture_for_all(comm, compare_with_dense);
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
static double slope_of_F(const fixture *f, double h, const blo_vec *x, const blo_vec *w,
                         const blo_vec *y, blo_vec *x_t, blo_vec *y_t)
{
  static const double weight[] = {3.0 / 4, -3.0 / 20, 1.0 / 60};
  double slope = 0;
  for (int k = 1; k <= 3; k++) {
    slope += weight[k - 1] / h *
             (value_of_F(f, x, k * h, w, y, x_t, y_t) - value_of_F(f, x, -k * h, w, y, x_t, y_t));
  }
  return slope;
}

static void compare_with_F(blo_comm *comm, int kind, const fixture *f, blo_vec *x, blo_vec *y)
{
  blo_vec *vec[3], *y_t; /* hypergradient, direction, moved x; moved y */
  blo_adjoint_options o = exact(0);
  blo_stream st = {8, BLO_PURPOSE_TEST};
  double h = fixture_is_network(kind) ? 0.002 : 0.01; /* F of a network bends more */
  (void)comm;
  if (kind == FIXTURE_BLOCK_NORM) {
    return; /* y* may be where the norm is not smooth */
  }
  fixture_like(x, 3, vec);
  fixture_like(y, 1, &y_t);
  for (blo_int i = 0; i < blo_space_n_local(x->space); i++) {
    vec[1]->data[i] = blo_stream_normal(st, 1, 0, (uint64_t)(blo_space_first(x->space) + i));
  }
  fixture_solve_lower(f, x, y, 1e-12);
  estimate(f, &o, x, y, vec[0]);
  double got = blo_vec_dot(vec[0], vec[1]), want = slope_of_F(f, h, x, vec[1], y, vec[2], y_t);
  double size = blo_vec_norm(vec[0]) * blo_vec_norm(vec[1]);
  BLO_EXPECT_MSG(fabs(got - want) < 1e-10 * size, "%s: slope %.12g by hypergradient, %.12g by F",
                 fixture_name(kind), got, want);
  BLO_EXPECT_MSG(fabs(got) > 1e-3 * size, "%s: the direction tells nothing", fixture_name(kind));
  fixture_free_vecs(3, vec);
  fixture_free_vecs(1, &y_t);
}

static void differences_of_F_agree(blo_comm *comm)
{
  fixture_for_all(comm, compare_with_F);
}

/* A CG that returns the previous iterate when it converges early misses the last correction. */
static void early_convergence_keeps_the_last_iterate(blo_comm *comm)
{
  quadratic q;
  blo_adjoint_options o = {.iterations = QUADRATIC_N_Y, .tol = 1e-9, .type = 0};
  open_quadratic(comm, &q);
  blo_certificate c = estimate(&q.f, &o, q.x, q.y, q.vec[0]);
  BLO_EXPECT_ALL(c.verdict == BLO_VERDICT_CONVERGED && c.curvature > 1);
  BLO_EXPECT_ALL(c.adjoint_residual <= 1.01e-9 * c.adjoint_rhs);
  BLO_EXPECT_ALL(relative_error(q.vec[0], q.vec[1], q.vec[2]) < 1e-8);
  close_quadratic(comm, &q);
}

/* The error of the truncated series is (I - eta H)^(K+1) H^-1 u: it falls by at most 1 - eta mu. */
static void neumann_falls_at_its_rate(blo_comm *comm)
{
  quadratic q;
  double residual[3];
  open_quadratic(comm, &q);
  for (int k = 0; k < 3; k++) {
    blo_adjoint_options o = exact(1);
    o.iterations = 10 * (k + 1);
    blo_certificate c = estimate(&q.f, &o, q.x, q.y, q.vec[0]);
    residual[k] = c.adjoint_residual / c.adjoint_rhs;
    BLO_EXPECT_ALL(c.iterations == o.iterations && c.verdict == BLO_VERDICT_SPENT);
  }
  /* H = I + mean s s' with eigenvalues in (1, 3): the factor of ten terms is below 0.7^10 */
  BLO_EXPECT_ALL(residual[0] < pow(0.7, 11) && residual[1] < residual[0] * pow(0.7, 10));
  BLO_EXPECT_ALL(residual[2] < residual[1] * pow(0.7, 10) && residual[2] > 0);
  blo_adjoint_options o = exact(1);
  o.iterations = 20;
  o.step = 2;
  BLO_EXPECT_ALL(estimate(&q.f, &o, q.x, q.y, q.vec[0]).verdict == BLO_VERDICT_GREW);
  close_quadratic(comm, &q);
}

/* An estimator that is used more than once. */
static blo_estimator *open_estimator(const fixture *f, const blo_adjoint_options *o,
                                     blo_int batch_upper, blo_state **state)
{
  blo_estimator *e = NULL;
  BLO_REQUIRE_STATUS(blo_state_create(f->problem->ctx, state), BLO_OK);
  BLO_REQUIRE_STATUS(blo_estimator_create(f->eval, o, batch_upper, 5, NULL, *state, &e), BLO_OK);
  return e;
}

/* A second call at the same point begins where the first one ended. */
static void warm_start_goes_on(blo_comm *comm)
{
  for (int type = 0; type < n_types(); type++) {
    quadratic q;
    blo_state *state = NULL;
    blo_adjoint_options o = exact(type);
    if (blo_adjoint_is_dense(&o)) {
      continue; /* is exact at once; see test_direct */
    }
    o.iterations = 3;
    o.warm_start = true;
    open_quadratic(comm, &q);
    blo_estimator *e = open_estimator(&q.f, &o, 0, &state);
    BLO_EXPECT_ALL(blo_state_find(state, "adjoint.v") != NULL);
    double last = (double)INFINITY;
    for (int k = 0; k < 4; k++) {
      blo_int before = blo_comm_traffic(comm).reductions;
      BLO_REQUIRE_STATUS(blo_estimator_compute(e, k, q.x, q.y, q.vec[0]), BLO_OK);
      BLO_EXPECT_ALL(blo_comm_traffic(comm).reductions == before + o.iterations + 2);
      BLO_EXPECT_ALL(e->certificate.adjoint_residual < 0.5 * last);
      last = e->certificate.adjoint_residual;
    }
    blo_estimator_destroy(&e);
    blo_state_destroy(&state);
    close_quadratic(comm, &q);
  }
}

/* The mean over many fresh batches is the full-batch estimate. */
static void batches_are_unbiased(blo_comm *comm)
{
  enum { CALLS = 600 };
  quadratic q;
  blo_state *state = NULL;
  blo_adjoint_options o = {.iterations = 4, .step = 0.3, .type = 1};
  open_quadratic(comm, &q);
  blo_vec *hx = q.vec[0], *want = q.vec[1], *mean = q.vec[2];
  estimate(&q.f, &o, q.x, q.y, want);
  o.batch = 10;
  blo_estimator *e = open_estimator(&q.f, &o, 10, &state);
  double square = 0;
  for (int k = 0; k < CALLS; k++) {
    BLO_REQUIRE_STATUS(blo_estimator_compute(e, k, q.x, q.y, hx), BLO_OK);
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
  close_quadratic(comm, &q);
}

/* The certificate says whether batches of either level took part. */
static void certificate_knows_batches(blo_comm *comm)
{
  for (int which = 0; which < 4; which++) {
    quadratic q;
    blo_state *state = NULL;
    blo_adjoint_options o = exact(0);
    o.batch = (which & 1) != 0 ? 10 : 0;
    open_quadratic(comm, &q);
    blo_estimator *e = open_estimator(&q.f, &o, (which & 2) != 0 ? 10 : 0, &state);
    BLO_REQUIRE_STATUS(blo_estimator_compute(e, 0, q.x, q.y, q.vec[0]), BLO_OK);
    BLO_EXPECT_MSG(e->certificate.sampled == (which != 0), "lower %d, upper %d", which & 1,
                   which & 2);
    blo_estimator_destroy(&e);
    blo_state_destroy(&state);
    close_quadratic(comm, &q);
  }
}

/* One call of CG on the quadratic with faults. */
typedef struct spoiled {
  quadratic q;
  blo_adjoint_options o;
  blo_state *state;
  blo_estimator *e;
} spoiled;

static blo_status solve_spoiled(blo_comm *comm, double shift, double upper_scale, double tol,
                                blo_on_curvature on, spoiled *s)
{
  s->o = (blo_adjoint_options){.iterations = 50, .tol = tol, .on_curvature = (int)on};
  open_quadratic(comm, &s->q);
  quadratic_faults(s->q.f.problem)->shift = shift;
  quadratic_faults(s->q.f.problem)->upper_scale = upper_scale;
  s->e = open_estimator(&s->q.f, &s->o, 0, &s->state);
  return blo_estimator_compute(s->e, 0, s->q.x, s->q.y, s->q.vec[0]);
}

static void close_spoiled(blo_comm *comm, spoiled *s)
{
  blo_estimator_destroy(&s->e);
  blo_state_destroy(&s->state);
  close_quadratic(comm, &s->q);
}

/* H = (1 + shift) I + mean s s', whose last part has eigenvalues about 1: indefinite at -1.7,
 * negative definite at -9. What is met is a Rayleigh quotient, so at least 1 + shift. */
static void negative_curvature_stops_or_truncates(blo_comm *comm)
{
  static const double shifts[] = {-1.7, -9};
  for (int i = 0; i < 2; i++) {
    spoiled s;
    BLO_EXPECT_STATUS(solve_spoiled(comm, shifts[i], 1, 1e-10, BLO_CURVATURE_STOP, &s),
                      BLO_E_CURVATURE);
    BLO_EXPECT_ERROR_HAS("negative curvature of g");
    close_spoiled(comm, &s);

    BLO_EXPECT_STATUS(solve_spoiled(comm, shifts[i], 1, 1e-10, BLO_CURVATURE_TRUNCATE, &s), BLO_OK);
    const blo_certificate *c = &s.e->certificate;
    BLO_EXPECT_ALL(c->verdict == BLO_VERDICT_CURVATURE);
    BLO_EXPECT_MSG(c->curvature <= 0 && c->curvature >= 1 + shifts[i], "curvature %.3g",
                   c->curvature);
    /* the first direction of the negative definite one is already bad: v is the start, 0 */
    BLO_EXPECT_MSG((c->iterations > 1) == (i == 0) && (blo_vec_norm(s.e->v) > 0) == (i == 0),
                   "%lld products, |v| = %.3g", (long long)c->iterations, blo_vec_norm(s.e->v));
    close_spoiled(comm, &s);
  }
}

/* v, H v and the hypergradient of the truncated solve belong together: the certificate is that of
 * the v found so far, and hx = grad_x f - J v with it. */
static void truncated_solve_is_consistent(blo_comm *comm)
{
  spoiled s;
  int ones[QUADRATIC_N];
  double residual = 0, error = 0;
  BLO_REQUIRE_STATUS(solve_spoiled(comm, -1.7, 1, 1e-10, BLO_CURVATURE_TRUNCATE, &s), BLO_OK);
  for (int i = 0; i < QUADRATIC_N; i++) {
    ones[i] = 1;
  }
  const double *x = s.q.x->data, *y = s.q.y->data, *v = s.e->v->data;
  quadratic_oracles g = quadratic_mean(BLO_LOWER, ones, x, y, v);
  quadratic_oracles f = quadratic_mean(BLO_UPPER, ones, x, y, NULL);
  blo_vec_publish(s.q.vec[0]);
  for (int j = 0; j < QUADRATIC_N_Y; j++) {
    residual += pow(g.hv[j] - 1.7 * v[j] - f.gy[j], 2);
  }
  for (int i = 0; i < QUADRATIC_N_X; i++) {
    error = fmax(error, fabs(s.q.vec[0]->data[i] - (f.gx[i] - g.jv[i])));
  }
  BLO_EXPECT_NEAR(s.e->certificate.adjoint_residual, sqrt(residual), 1e-12, 0, "direct sums");
  BLO_EXPECT_MSG(error < 1e-12, "hypergradient off by %.3g", error);
  close_spoiled(comm, &s);
}

/* Beyond rounding the recursion of CG only underflows; p'Hp = 0 then is no curvature of g. */
static void tolerance_zero_converges(blo_comm *comm)
{
  for (int on = BLO_CURVATURE_STOP; on <= BLO_CURVATURE_TRUNCATE; on++) {
    spoiled s;
    BLO_EXPECT_STATUS(solve_spoiled(comm, 0, 1, 0, (blo_on_curvature)on, &s), BLO_OK);
    BLO_EXPECT_ALL(s.e->certificate.verdict == BLO_VERDICT_CONVERGED);
    BLO_EXPECT_ALL(s.e->certificate.curvature > 1);
    BLO_EXPECT_ALL(s.e->certificate.adjoint_residual < 1e-14 * s.e->certificate.adjoint_rhs);
    close_spoiled(comm, &s);
  }
}

/* Scalar products of numbers near 1e160 overflow: neither "converged" nor a wrong v. */
static void huge_right_hand_side_is_refused(blo_comm *comm)
{
  spoiled s;
  BLO_EXPECT_STATUS(solve_spoiled(comm, 0, 1e160, 1e-10, BLO_CURVATURE_STOP, &s), BLO_E_NONFINITE);
  BLO_EXPECT_ERROR_HAS("conjugate gradients");
  close_spoiled(comm, &s);
}

static const blo_test tests[] = {
    {"quadratic has closed form", quadratic_has_closed_form},
    {"tasks have closed form", tasks_have_closed_form},
    {"solution of quadratic", solution_of_quadratic},
    {"dense solution agrees", dense_solution_agrees},
    {"differences of F agree", differences_of_F_agree},
    {"early convergence keeps the last iterate", early_convergence_keeps_the_last_iterate},
    {"Neumann falls at its rate", neumann_falls_at_its_rate},
    {"warm start goes on", warm_start_goes_on},
    {"batches are unbiased", batches_are_unbiased},
    {"certificate knows batches", certificate_knows_batches},
    {"negative curvature stops or truncates", negative_curvature_stops_or_truncates},
    {"truncated solve is consistent", truncated_solve_is_consistent},
    {"tolerance 0 converges", tolerance_zero_converges},
    {"huge right-hand side is refused", huge_right_hand_side_is_refused},
};
BLO_TEST_MAIN("estimator", tests)

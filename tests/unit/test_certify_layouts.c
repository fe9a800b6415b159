/* Layer solver: certificates for every layout of x and y: the same bits, an independent reference,
 * no allocation, and what becomes of failures. */
#include "known.h"
#include <blo/second_order.h>
#include <math.h>
#include <string.h>

static const blo_certify_options few_steps = {.epsilon = 1e9,
                                              .gamma = 1e-2,
                                              .failure = 1e-3,
                                              .tol = 1e-4,
                                              .steps = 5,
                                              .lower_steps = 6,
                                              .exact = {1e-12, 1e-12, 100, 10000, true}};

/* What a certificate is made of, as numbers. */
enum { NUMBERS = 16 };

static void to_numbers(const blo_certify_report *r, double *to)
{
  const double all[NUMBERS] = {r->at.hypergrad_norm,
                               r->at.lower_residual,
                               r->at.adjoint_residual,
                               r->worst.lower_error,
                               r->worst.adjoint_error,
                               r->lower.smallest,
                               r->lower.largest,
                               r->upper.smallest,
                               r->upper.largest,
                               r->upper.bound,
                               r->upper.residual,
                               r->upper.asymmetry,
                               r->rayleigh,
                               r->accuracy,
                               (double)r->worst.products,
                               (double)r->verdict};
  memcpy(to, all, sizeof all);
}

/* A certificate near the start of a fixture; leaves the test on failure. */
static blo_certify_report certify(const fixture *f, const blo_certify_options *o, blo_vec *x,
                                  blo_vec *y, blo_vec *z)
{
  blo_certifier *c = NULL;
  blo_certify_report r;
  BLO_REQUIRE_STATUS(blo_certifier_create(f->eval, o, &c), BLO_OK);
  blo_int before = blo_memory(f->problem->ctx).total;
  BLO_REQUIRE_STATUS(blo_certifier_run(c, x, y, 1, &r, z), BLO_OK);
  BLO_EXPECT_ALL(blo_memory(f->problem->ctx).total == before);
  blo_certifier_destroy(&c);
  return r;
}

static blo_certify_report certify_kind(blo_comm *comm, int kind, const char *folder)
{
  fixture f;
  blo_vec *x, *y;
  fixture_make(comm, kind, folder, BLO_REPRODUCIBLE, &f);
  fixture_point(&f, &x, &y);
  blo_certify_report r = certify(&f, &few_steps, x, y, NULL);
  blo_vec_destroy(&x);
  blo_vec_destroy(&y);
  fixture_free(comm, &f);
  return r;
}

static const int kinds[] = {FIXTURE_QUADRATIC,    FIXTURE_CLEANING, FIXTURE_CLEANING_ROOTED,
                            FIXTURE_RIDGE_SPARSE, FIXTURE_TASKS,    FIXTURE_REPRESENTATION,
                            FIXTURE_BLOCK_SQUARE};

/* On all ranks and on one; and a sharded x as a rooted one. */
static void bits(blo_comm *comm)
{
  char folder[512];
  blo_comm *alone = NULL;
  double sharded[NUMBERS] = {0};
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  BLO_REQUIRE_STATUS(blo_comm_create(blo_comm_context(comm), MPI_COMM_SELF, &alone), BLO_OK);
  for (int k = 0; k < BLO_COUNT_OF(kinds); k++) {
    double here[NUMBERS], there[NUMBERS];
    blo_certify_report r = certify_kind(comm, kinds[k], folder);
    to_numbers(&r, here);
    BLO_EXPECT_SAME_BYTES(here, sizeof here);
    BLO_EXPECT_MSG(r.worst.solved, "%s: %s", fixture_name(kinds[k]), r.evidence);
    r = certify_kind(alone, kinds[k], folder);
    to_numbers(&r, there);
    BLO_EXPECT_MSG(memcmp(here, there, sizeof here) == 0, "%s: smallest %.17g, on one rank %.17g",
                   fixture_name(kinds[k]), here[7], there[7]);
    if (kinds[k] == FIXTURE_CLEANING) {
      memcpy(sharded, here, sizeof here);
    } else if (kinds[k] == FIXTURE_CLEANING_ROOTED) {
      BLO_EXPECT_ALL(memcmp(here, sharded, sizeof here) == 0);
    }
  }
  blo_comm_destroy(&alone);
}

/* ----------------------------------------------------------- reference */

/* grad F at x + t z: the lower level by the fixture's Newton steps, H as a dense matrix. */
static void reference_gradient(const fixture *f, const blo_vec *x, const blo_vec *y, double t,
                               const blo_vec *z, blo_vec *out)
{
  blo_vec *at[1], *lower[1];
  fixture_like(x, 1, at);
  fixture_like(y, 1, lower);
  blo_vec_copy(x, at[0]);
  blo_vec_axpy(t, z, at[0]);
  blo_vec_publish(at[0]);
  blo_vec_copy(y, lower[0]);
  fixture_solve_lower(f, at[0], lower[0], 1e-13);
  BLO_REQUIRE_STATUS(blo_dense_hypergradient(f->eval, at[0], lower[0], out, NULL), BLO_OK);
  fixture_free_vecs(1, at);
  fixture_free_vecs(1, lower);
}

/* z'D^2F z by another step, other solvers; and ||grad F||. */
static void against_dense(blo_comm *comm)
{
  static const int some[] = {FIXTURE_QUADRATIC, FIXTURE_CLEANING, FIXTURE_RIDGE_CLASS};
  const double h = 1e-3;
  char folder[512];
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  for (int k = 0; k < BLO_COUNT_OF(some); k++) {
    fixture f;
    blo_vec *x, *y, *more[3];
    fixture_make(comm, some[k], folder, BLO_REPRODUCIBLE, &f);
    fixture_point(&f, &x, &y);
    fixture_like(x, 3, more);
    blo_certify_report r = certify(&f, &few_steps, x, y, more[0]);
    reference_gradient(&f, x, y, h, more[0], more[1]);
    reference_gradient(&f, x, y, -h, more[0], more[2]);
    double want = (blo_vec_dot(more[0], more[1]) - blo_vec_dot(more[0], more[2])) / (2 * h);
    BLO_EXPECT_NEAR(r.rayleigh, want, 1e-5, 1e-8, "dense hypergradients");
    BLO_EXPECT_MSG(fabs(want) > 1e-6, "%s: curvature %.3g", fixture_name(some[k]), want);
    reference_gradient(&f, x, y, 0, more[0], more[1]);
    BLO_EXPECT_NEAR(r.at.hypergrad_norm, blo_vec_norm(more[1]), 1e-9, 0, "dense hypergradient");
    blo_certify_options lean = few_steps;
    lean.exact.linearize = false;
    blo_certify_report again = certify(&f, &lean, x, y, NULL);
    BLO_EXPECT_NEAR(again.rayleigh, r.rayleigh, 1e-6, 0, "with linearisations");
    fixture_free_vecs(3, more);
    blo_vec_destroy(&x);
    blo_vec_destroy(&y);
    fixture_free(comm, &f);
  }
}

/* ------------------------------------------------------------ failures */

static blo_status make_and_run(blo_comm *comm, void *arg)
{
  bench *b = arg;
  blo_certifier *c = NULL;
  blo_certify_report r;
  blo_status status = BLO_OK;
  (void)comm;
  BLO_GO(blo_certifier_create(b->f.eval, &few_steps, &c));
  BLO_GO(blo_certifier_run(c, b->x, b->y, 1, &r, NULL));
done:
  blo_certifier_destroy(&c);
  return status;
}

static void every_failure_is_agreed(blo_comm *comm)
{
  bench b;
  bench_open(comm, "factorization", "{shards: 4}", &b);
  BLO_EXPECT_ALL(blo_test_sweep_faults(comm, make_and_run, &b) > 10);
  bench_close(comm, &b);
}

/* A sample that answers NAN is named, on every rank: no failure, and no verdict. */
static void not_finite(blo_comm *comm)
{
  fixture f;
  blo_vec *x, *y;
  blo_certifier *c = NULL;
  blo_certify_report r;
  fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &f);
  fixture_point(&f, &x, &y);
  quadratic_faults(f.problem)->nan_sample = 3;
  BLO_REQUIRE_STATUS(blo_certifier_create(f.eval, &few_steps, &c), BLO_OK);
  BLO_EXPECT_STATUS(blo_certifier_run(c, x, y, 1, &r, NULL), BLO_OK);
  BLO_EXPECT_ALL(r.verdict == BLO_SECOND_ORDER_UNDECIDED && isnan(r.at.hypergrad_norm));
  BLO_EXPECT_MSG(strstr(r.evidence, "at the point: ") != NULL &&
                     strstr(r.evidence, "is not finite: rank ") != NULL,
                 "evidence: %s", r.evidence);
  blo_certifier_destroy(&c);
  blo_vec_destroy(&x);
  blo_vec_destroy(&y);
  fixture_free(comm, &f);
}

/* H made indefinite: whatever F does, y is no minimiser.  has  of the evidence */
static void expect_no_minimiser(blo_comm *comm, blo_int newton, blo_int products, blo_int steps,
                                const char *has)
{
  fixture f;
  blo_vec *x, *y;
  fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &f);
  fixture_point(&f, &x, &y);
  double x_all[QUADRATIC_N_X], y_all[QUADRATIC_N_Y];
  quadratic_faults(f.problem)->shift = -1.9;
  blo_vec_get_all(x, x_all);
  quadratic_solution(x_all, y_all);
  blo_vec_set_from(y_all, y);
  blo_certify_options o = few_steps;
  o.exact.newton = newton; /* few: g is not bounded below */
  o.exact.products = products;
  o.lower_steps = steps;
  blo_certifier *c = NULL;
  blo_certify_report r;
  BLO_REQUIRE_STATUS(blo_certifier_create(f.eval, &o, &c), BLO_OK);
  BLO_REQUIRE_STATUS(blo_certifier_run(c, x, y, 1, &r, NULL), BLO_OK);
  BLO_EXPECT_MSG(r.verdict == BLO_SECOND_ORDER_UNDECIDED, "%s", r.evidence);
  BLO_EXPECT_MSG(strstr(r.evidence, has) != NULL, "%s", r.evidence);
  BLO_EXPECT_ALL(steps == 0 || r.lower.smallest < -0.1);
  blo_certifier_destroy(&c);
  blo_vec_destroy(&x);
  blo_vec_destroy(&y);
  fixture_free(comm, &f);
}

/* CG meets it by itself; or is stopped before, and Lanczos on H does. */
static void indefinite_lower_level(blo_comm *comm)
{
  expect_no_minimiser(comm, 3, 1000, 0, "conjugate gradients met negative curvature of g, -");
  expect_no_minimiser(comm, 0, 1, 6, "H has the Ritz value -");
}

/* Far out the probabilities of a logistic lower level are 0 and 1, and H is little but its
 * regularisation: full Newton steps would go astray. */
static void logistic_from_afar(blo_comm *comm)
{
  const blo_exact_options o = {1e-12, 1e-12, 200, 1000, true};
  char folder[512];
  fixture f;
  blo_vec *x, *y, *hx[1];
  blo_exact *e = NULL;
  blo_exact_report r;
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  fixture_make(comm, FIXTURE_CLEANING, folder, BLO_REPRODUCIBLE, &f);
  fixture_point(&f, &x, &y);
  fixture_like(x, 1, hx);
  blo_vec_scale(100, y);
  BLO_REQUIRE_STATUS(blo_exact_create(f.eval, &o, &e), BLO_OK);
  BLO_REQUIRE_STATUS(blo_exact_hypergradient(e, x, y, hx[0], &r), BLO_OK);
  BLO_EXPECT_MSG(r.solved && r.steps < 30, "%d steps, error %.3g", (int)r.steps, r.lower_error);
  blo_exact_destroy(&e);
  fixture_free_vecs(1, hx);
  blo_vec_destroy(&x);
  blo_vec_destroy(&y);
  fixture_free(comm, &f);
}

/* g = -sin(x y) is not convex: from far off, Newton's method with CG goes downhill to one of its
 * minimisers, where H = x^2 and dF/dx = 1. */
static void lower_level_from_afar(blo_comm *comm)
{
  bench b;
  double y0 = 60;
  bench_open(comm, "sine_follower", "{shards: 4}", &b);
  blo_exact *e = NULL;
  blo_exact_report r;
  const blo_exact_options o = {1e-12, 1e-12, 200, 100, true};
  double x = 2;
  bench_set(b.x, &x);
  bench_set(b.y, &y0);
  BLO_REQUIRE_STATUS(blo_exact_create(b.f.eval, &o, &e), BLO_OK);
  BLO_REQUIRE_STATUS(blo_exact_hypergradient(e, b.x, b.y, b.in_x[0], &r), BLO_OK);
  BLO_EXPECT_MSG(r.solved && r.steps < 100, "%d steps, error %.3g", (int)r.steps, r.lower_error);
  BLO_EXPECT_ALL(r.lower_residual < 1e-9);
  bench_get(b.y, &y0);
  BLO_EXPECT_NEAR(sin(x * y0), 1, 1e-14, 0, "a minimiser");
  BLO_EXPECT_NEAR(r.curvature, x * x, 1e-9, 0, "H = x^2");
  BLO_EXPECT_NEAR(r.hypergrad_norm, 1, 1e-9, 0, "F = x + t");
  blo_exact_destroy(&e);
  bench_close(comm, &b);
}

static const blo_test tests[] = {
    {"bits", bits},
    {"against dense", against_dense},
    {"every failure is agreed", every_failure_is_agreed},
    {"not finite", not_finite},
    {"indefinite lower level", indefinite_lower_level},
    {"logistic from afar", logistic_from_afar},
    {"lower level from afar", lower_level_from_afar},
};
BLO_TEST_MAIN("certify_layouts", tests)

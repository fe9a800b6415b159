/* The derivative checks and the dense hypergradient on a quadratic problem, whose hypergradient has
 * a closed form: correct oracles pass, each kind of wrong oracle fails exactly the comparisons that
 * it takes part in. */
#include "harness.h"
#include <blo/check.h>
#include <blo/hypergrad.h>
#include <math.h>

enum { N_X = 3, N_Y = 7, N_LOWER = 41, N_UPPER = 26, N_SHARDS = 8 };

/** Which oracle is wrong. */
typedef enum bug {
  BUG_NONE,
  BUG_G,
  BUG_G_X,
  BUG_G_Y,
  BUG_HV,
  BUG_JV,
  BUG_F,
  BUG_F_X,
  BUG_F_Y,
  BUG_ASYMMETRY,
  BUG_ROWS, /**< the rows of a batch are not looked at */
  N_BUGS
} bug;

static const double WRONG = 1 + 1e-5;

/**
 * g_i = y'Ay/2 - y'Bx - c_i'y + 0.15 x'x,   f_j = |y - d_j|^2 / 2 + j x'x / 2,
 * A = diag(D) + a 1 1'.
 */
typedef struct quadratic {
  double D[N_Y], a;
  bug bug;
} quadratic;

static double b_entry(blo_int row, blo_int column)
{
  return sin(1.0 + (double)(3 * row + 5 * column));
}

static double c_entry(blo_int sample, blo_int k)
{
  return cos((double)(sample + 2 * k));
}

static double d_entry(blo_int sample, blo_int k)
{
  return sin((double)(2 * sample + k));
}

static blo_status setup(blo_problem *p)
{
  quadratic *q = p->state;

  p->n_x = N_X;
  p->n_y = N_Y;
  p->n_lower = N_LOWER;
  p->n_upper = N_UPPER;
  p->n_shards = N_SHARDS;
  p->x_layout = BLO_ROOTED;
  q->a = 0.3;
  for (int k = 0; k < N_Y; k++) {
    q->D[k] = 1 + 0.5 * k;
  }
  return BLO_OK;
}

static void start(const blo_problem *p, const blo_slice *x, const blo_slice *y)
{
  (void)p;
  for (blo_int i = 0; i < x->n; i++) {
    x->data[i] = 0.5 + 0.25 * (double)(x->first + i);
  }
  for (blo_int k = 0; k < y->n; k++) {
    y->data[k] = 0.1 * (double)(y->first + k - 2);
  }
}

/** (A y)_k. */
static double a_times(const quadratic *q, const double *y, int k)
{
  double sum = 0;

  for (int i = 0; i < N_Y; i++) {
    sum += y[i];
  }
  return q->D[k] * y[k] + q->a * sum;
}

/** (B x)_k. */
static double b_times(const double *x, int k)
{
  double sum = 0;

  for (int i = 0; i < N_X; i++) {
    sum += b_entry(k, i) * x[i];
  }
  return sum;
}

static double wrong_if(const quadratic *q, bug which)
{
  return q->bug == which ? WRONG : 1;
}

static void add_lower_y(const quadratic *q, const blo_shard_task *t, blo_int sample, double s,
                        const blo_shard_out *out)
{
  for (int k = 0; k < N_Y; k++) {
    double ay = a_times(q, t->y, k), bx = b_times(t->x, k), c = c_entry(sample, k);
    if (out->value != NULL) {
      *out->value += s * wrong_if(q, BUG_G) * t->y[k] * (0.5 * ay - bx - c);
    }
    if (out->gy != NULL) {
      out->gy[k] += s * wrong_if(q, BUG_G_Y) * (ay - bx - c);
    }
    if (out->hv[0] != NULL) {
      double skew = q->bug == BUG_ASYMMETRY && k == 1 ? 1e-5 * t->v[0][0] : 0;
      out->hv[0][k] += s * wrong_if(q, BUG_HV) * (a_times(q, t->v[0], k) + skew);
    }
  }
}

static void add_lower_x(const quadratic *q, const blo_shard_task *t, double s,
                        const blo_shard_out *out)
{
  for (int i = 0; i < N_X; i++) {
    double by = 0, bv = 0;
    for (int k = 0; k < N_Y; k++) {
      by += b_entry(k, i) * t->y[k];
      bv += t->n_v > 0 ? b_entry(k, i) * t->v[0][k] : 0;
    }
    if (out->value != NULL) {
      *out->value += s * wrong_if(q, BUG_G) * 0.15 * t->x[i] * t->x[i];
    }
    if (out->gx != NULL) {
      out->gx[i] += s * wrong_if(q, BUG_G_X) * (0.3 * t->x[i] - by);
    }
    if (out->jv[0] != NULL) {
      out->jv[0][i] -= s * wrong_if(q, BUG_JV) * bv;
    }
  }
}

static void add_upper(const quadratic *q, const blo_shard_task *t, blo_int sample, double s,
                      const blo_shard_out *out)
{
  for (int k = 0; k < N_Y; k++) {
    double gap = t->y[k] - d_entry(sample, k);
    if (out->value != NULL) {
      *out->value += s * wrong_if(q, BUG_F) * 0.5 * gap * gap;
    }
    if (out->gy != NULL) {
      out->gy[k] += s * wrong_if(q, BUG_F_Y) * gap;
    }
  }
  for (int i = 0; i < N_X; i++) {
    double weighted = (double)sample * t->x[i];
    if (out->value != NULL) {
      *out->value += s * wrong_if(q, BUG_F) * 0.5 * weighted * t->x[i];
    }
    if (out->gx != NULL) {
      out->gx[i] += s * wrong_if(q, BUG_F_X) * weighted;
    }
  }
}

static blo_status shard(blo_problem *p, const blo_shard_task *t, const blo_shard_out *out)
{
  const quadratic *q = p->state;
  blo_int n = t->level == BLO_LOWER ? N_LOWER : N_UPPER;

  for (blo_int i = 0; i < t->n_rows; i++) {
    blo_int row = t->row != NULL && q->bug != BUG_ROWS ? t->row[i] : i;
    blo_int sample = blo_shard_begin(n, N_SHARDS, t->shard) + row;
    if (t->level == BLO_LOWER) {
      add_lower_y(q, t, sample, t->scale, out);
      add_lower_x(q, t, t->scale, out);
    } else {
      add_upper(q, t, sample, t->scale, out);
    }
  }
  return BLO_OK;
}

static const blo_problem_type quadratic_type = {.name = "quadratic",
                                                .summary = "for this test",
                                                .source = "",
                                                .state_size = sizeof(quadratic),
                                                .has = BLO_HAS_G_X | BLO_HAS_F_X,
                                                .setup = setup,
                                                .start = start,
                                                .shard = shard};

/* ------------------------------------------------------------------ fixture */

typedef struct fixture {
  blo_problem *problem;
  quadratic *quadratic;
  blo_eval *eval;
  blo_vec *x, *y, *hx;
} fixture;

static void fixture_free(fixture *f)
{
  blo_vec_destroy(&f->x);
  blo_vec_destroy(&f->y);
  blo_vec_destroy(&f->hx);
  blo_eval_destroy(&f->eval);
  blo_problem_destroy(&f->problem);
}

static blo_status fixture_make(blo_comm *comm, fixture *f)
{
  blo_status status = BLO_OK;

  *f = (fixture){.problem = NULL};
  BLO_GO(blo_problem_create(comm, &quadratic_type, NULL, &f->problem));
  f->quadratic = f->problem->state;
  BLO_GO(blo_eval_create(f->problem, BLO_REPRODUCIBLE, &f->eval));
  BLO_GO_ALL(comm, blo_vec_create(blo_eval_space_x(f->eval), &f->x));
  BLO_GO_ALL(comm, blo_vec_create(blo_eval_space_y(f->eval), &f->y));
  BLO_GO_ALL(comm, blo_vec_create(blo_eval_space_x(f->eval), &f->hx));
  blo_eval_start(f->eval, f->x, f->y);
done:
  if (status != BLO_OK) {
    fixture_free(f);
  }
  return status;
}

/* ------------------------------------------------------------------- checks */

#define BIT(name) (1u << BLO_CHECK_ROW_##name)

/** The rows that each bug must fail, and no others. */
static const unsigned fails[N_BUGS] = {
    [BUG_G] = BIT(g_x) | BIT(g_y),
    [BUG_G_X] = BIT(g_x) | BIT(jv),
    [BUG_G_Y] = BIT(g_y) | BIT(hv) | BIT(jv_adjoint),
    [BUG_HV] = BIT(hv),
    [BUG_JV] = BIT(jv) | BIT(jv_adjoint),
    [BUG_F] = BIT(f_x) | BIT(f_y),
    [BUG_F_X] = BIT(f_x),
    [BUG_F_Y] = BIT(f_y),
    [BUG_ASYMMETRY] = BIT(hv) | BIT(hv_symmetry),
    [BUG_ROWS] = BIT(halves),
};

static void each_bug_fails_its_rows(blo_comm *comm)
{
  fixture f;

  BLO_REQUIRE_STATUS(fixture_make(comm, &f), BLO_OK);
  for (int b = 0; b < N_BUGS; b++) {
    blo_check_row rows[BLO_CHECK_ROWS];
    f.quadratic->bug = (bug)b;
    BLO_REQUIRE_STATUS(blo_check_problem(f.eval, NULL, NULL, f.x, f.y, 5, rows), BLO_OK);
    for (int r = 0; r < BLO_CHECK_ROWS; r++) {
      bool linearized = ((BIT(hv_linearized) | BIT(jv_linearized)) >> r & 1u) != 0;
      blo_check_verdict want = linearized                  ? BLO_CHECK_SKIP
                               : (fails[b] >> r & 1u) != 0 ? BLO_CHECK_FAIL
                                                           : BLO_CHECK_PASS;
      BLO_EXPECT_MSG(rows[r].verdict == want, "bug %d, row %s: %s, error %.3g", b, rows[r].name,
                     blo_check_verdict_text(rows[r].verdict), rows[r].error);
      BLO_EXPECT_SAME(rows[r].verdict == BLO_CHECK_SKIP ? 0 : rows[r].error);
    }
  }
  fixture_free(&f);
}

static void rows_keep_the_worst(blo_comm *comm)
{
  blo_check_row row;

  (void)comm;
  blo_check_row_init(&row, "name", "statement", 0.5);
  BLO_EXPECT_ALL(row.verdict == BLO_CHECK_SKIP && isnan(row.error));
  blo_check_row_record(&row, 0.25);
  blo_check_row_record(&row, 0.125);
  BLO_EXPECT_ALL(row.verdict == BLO_CHECK_PASS && row.error == 0.25);
  blo_check_row_record(&row, (double)NAN);
  blo_check_row_record(&row, 0.25);
  BLO_EXPECT_ALL(row.verdict == BLO_CHECK_FAIL && isinf(row.error));
}

static void perturbations_differ(blo_comm *comm)
{
  fixture f;
  double moved, back;

  BLO_REQUIRE_STATUS(fixture_make(comm, &f), BLO_OK);
  blo_check_perturb(f.x, 0.5, 3, 1, f.hx);
  blo_vec_axpy(-1, f.x, f.hx);
  moved = blo_vec_norm(f.hx);
  BLO_EXPECT_MSG(moved > 0.01 && moved < 0.5 * 5 * sqrt(N_X), "moved by %.3g", moved);
  blo_check_perturb(f.x, 0.5, 3, 2, f.hx);
  blo_vec_axpy(-1, f.x, f.hx);
  back = blo_vec_norm(f.hx);
  BLO_EXPECT_ALL(back != moved);
  fixture_free(&f);
}

/* ------------------------------------------------------- dense hypergradient */

/** x mean(j) + B'A^-1 (y - mean(d)), with A^-1 by Sherman and Morrison. [N_X] */
static void closed_form(const quadratic *q, const double *x, const double *y, double *hx)
{
  double b[N_Y], sum_db = 0, sum_d = 0, mean_j = 0.5 * (N_UPPER - 1);

  for (int k = 0; k < N_Y; k++) {
    b[k] = y[k];
    for (int j = 0; j < N_UPPER; j++) {
      b[k] -= d_entry(j, k) / N_UPPER;
    }
    sum_db += b[k] / q->D[k];
    sum_d += 1 / q->D[k];
  }
  for (int i = 0; i < N_X; i++) {
    hx[i] = mean_j * x[i];
    for (int k = 0; k < N_Y; k++) {
      double v = (b[k] - q->a * sum_db / (1 + q->a * sum_d)) / q->D[k];
      hx[i] += b_entry(k, i) * v;
    }
  }
}

static void expect_closed_form(const fixture *f)
{
  double want[N_X];

  closed_form(f->quadratic, f->x->data, f->y->data, want);
  blo_vec_publish(f->hx);
  for (int i = 0; i < N_X; i++) {
    BLO_EXPECT_NEAR(f->hx->data[i], want[i], 1e-12, 1e-12, "Sherman and Morrison's formula");
  }
}

static void dense_solution_has_closed_form(blo_comm *comm)
{
  fixture f;
  double rcond = 0;

  BLO_REQUIRE_STATUS(fixture_make(comm, &f), BLO_OK);
  BLO_REQUIRE_STATUS(blo_dense_hypergradient(f.eval, f.x, f.y, f.hx, &rcond), BLO_OK);
  BLO_EXPECT_SAME(rcond);
  BLO_EXPECT_MSG(rcond > 0.05 && rcond <= 1, "reciprocal condition %.3g", rcond);
  expect_closed_form(&f);
  /* an indefinite H has a solution, too */
  f.quadratic->D[2] = -1.5;
  BLO_REQUIRE_STATUS(blo_dense_hypergradient(f.eval, f.x, f.y, f.hx, &rcond), BLO_OK);
  BLO_EXPECT_MSG(rcond < 0, "reciprocal condition %.3g", rcond);
  expect_closed_form(&f);
  fixture_free(&f);
}

static void singular_hessian_is_an_error(blo_comm *comm)
{
  fixture f;

  BLO_REQUIRE_STATUS(fixture_make(comm, &f), BLO_OK);
  f.quadratic->a = 0;
  f.quadratic->D[2] = 0;
  BLO_EXPECT_STATUS(blo_dense_hypergradient(f.eval, f.x, f.y, f.hx, NULL), BLO_E_CURVATURE);
  BLO_EXPECT_ERROR_HAS("singular: pivot 3 of 7");
  fixture_free(&f);
}

/* -------------------------------------------------------------------- faults */

static blo_status check_and_solve(blo_comm *comm, void *arg)
{
  blo_check_row rows[BLO_CHECK_ROWS];
  blo_status status = BLO_OK;
  fixture f;

  (void)arg;
  BLO_TRY(fixture_make(comm, &f));
  BLO_GO(blo_check_problem(f.eval, NULL, NULL, f.x, f.y, 5, rows));
  BLO_GO(blo_dense_hypergradient(f.eval, f.x, f.y, f.hx, NULL));
done:
  fixture_free(&f);
  return status;
}

static void faults_are_agreed(blo_comm *comm)
{
  BLO_EXPECT_ALL(blo_test_sweep_faults(comm, check_and_solve, NULL) > 30);
}

static const blo_test tests[] = {
    {"each bug fails its rows", each_bug_fails_its_rows},
    {"rows keep the worst", rows_keep_the_worst},
    {"perturbations differ", perturbations_differ},
    {"dense solution has closed form", dense_solution_has_closed_form},
    {"singular Hessian is an error", singular_hessian_is_an_error},
    {"faults are agreed", faults_are_agreed},
};
BLO_TEST_MAIN("check", tests)

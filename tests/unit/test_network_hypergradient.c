/* ranks: 1 3
 * The hypergradient of networks: an LSTM that classifies texts of which some have wrong labels, and
 * few-shot learning with convolutions. The estimators are compared with the dense direct solution
 * (blo_dense_hypergradient); with one that uses no product of the library, where H and J come from
 * differences of gradients and the system is solved here; and with differences of
 * F(x) = f(x, y*(x)) itself, the lower level being solved to 1e-12. Relative errors measured: 1e-15
 * by conjugate gradients, 3e-13 by differences of gradients, 8e-11 by differences of F (3e-10 where
 * F has kinks). */
#include "fixture.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Central differences of order 6 (Fornberg, Math. Comp. 51 (1988) 699-706). */
static const double weight[] = {3.0 / 4, -3.0 / 20, 1.0 / 60};

/* A problem at x and y*(x), whole on every rank. */
typedef struct rig {
  fixture f;
  blo_comm *comm;
  blo_vec *x, *y, *gx, *gy;
  blo_int n_x, n_y;
  double *at_x, *at_y;
} rig;

static double *numbers(blo_int n)
{
  double *a = calloc((size_t)n, sizeof *a);
  BLO_BUG_IF(a == NULL, "no memory for %lld numbers", (long long)n);
  return a;
}

static void gather(const rig *r, const blo_vec *v, blo_int n, double *all)
{
  blo_vec_gather(v, all);
  blo_bcast(r->comm, BLO_ROOT, all, n * (blo_int)sizeof *all);
}

static void open_rig(blo_comm *comm, const char *type, const char *text, rig *r)
{
  *r = (rig){.comm = comm};
  BLO_REQUIRE_STATUS(blo_conf_parse(blo_comm_context(comm), "test", text, &r->f.conf), BLO_OK);
  BLO_REQUIRE_STATUS(blo_problem_create(comm, blo_problem_find(type), r->f.conf, &r->f.problem),
                     BLO_OK);
  BLO_REQUIRE_STATUS(blo_eval_create(r->f.problem, BLO_REPRODUCIBLE, &r->f.eval), BLO_OK);
  fixture_point(&r->f, &r->x, &r->y);
  fixture_like(r->x, 1, &r->gx);
  fixture_like(r->y, 1, &r->gy);
  fixture_solve_lower(&r->f, r->x, r->y, 1e-13);
  r->n_x = r->f.problem->n_x;
  r->n_y = r->f.problem->n_y;
  r->at_x = numbers(r->n_x);
  r->at_y = numbers(r->n_y);
  gather(r, r->x, r->n_x, r->at_x);
  gather(r, r->y, r->n_y, r->at_y);
}

static void close_rig(rig *r)
{
  blo_vec *all[] = {r->x, r->y, r->gx, r->gy};
  fixture_free_vecs(4, all);
  free(r->at_x);
  free(r->at_y);
  fixture_free(r->comm, &r->f);
}

/* Gradients of a level at (x, y), whole on every rank. */
static void gradients(rig *r, blo_level level, double *y, double *gx, double *gy)
{
  unsigned want = BLO_WANT_X | BLO_WANT_Y;
  bool lower = level == BLO_LOWER;
  blo_vec_scatter(y, r->y);
  blo_ask ask = {.lower = lower ? want : 0, .upper = lower ? 0 : want, .x = r->x, .y = r->y};
  blo_answer ans = {.g_x = r->gx, .g_y = r->gy, .f_x = r->gx, .f_y = r->gy};
  BLO_REQUIRE_STATUS(blo_eval_sweep(r->f.eval, &ask, &ans), BLO_OK);
  gather(r, r->gx, r->n_x, gx);
  gather(r, r->gy, r->n_y, gy);
}

/* Columns j of H [n_y][n_y] and of J [n_y][n_x] (row j here), for all j. */
static void difference_columns(rig *r, double h, double *hessian, double *mixed)
{
  double *y = numbers(r->n_y), *gx = numbers(r->n_x), *gy = numbers(r->n_y);
  memcpy(y, r->at_y, (size_t)r->n_y * sizeof *y);
  for (blo_int j = 0; j < r->n_y; j++) {
    for (int k = -3; k <= 3; k++) {
      double c = k == 0 ? 0 : (k > 0 ? 1 : -1) * weight[abs(k) - 1] / h;
      y[j] = r->at_y[j] + k * h;
      if (k != 0) {
        gradients(r, BLO_LOWER, y, gx, gy);
      }
      for (blo_int i = 0; i < r->n_y; i++) {
        hessian[j * r->n_y + i] += c * gy[i];
      }
      for (blo_int i = 0; i < r->n_x; i++) {
        mixed[j * r->n_x + i] += c * gx[i];
      }
    }
    y[j] = r->at_y[j];
  }
  free(y);
  free(gx);
  free(gy);
}

/* b = A^-1 b by Cholesky factors, which replace the lower half of A [n][n]. */
static bool solve(blo_int n, double *a, double *b)
{
  for (blo_int j = 0; j < n; j++) {
    for (blo_int i = j; i < n; i++) {
      double sum = a[i * n + j];
      for (blo_int k = 0; k < j; k++) {
        sum -= a[i * n + k] * a[j * n + k];
      }
      if (i == j && !(sum > 0)) {
        return false;
      }
      a[i * n + j] = i == j ? sqrt(sum) : sum / a[j * n + j];
    }
  }
  for (blo_int i = 0; i < n; i++) {
    for (blo_int k = 0; k < i; k++) {
      b[i] -= a[i * n + k] * b[k];
    }
    b[i] /= a[i * n + i];
  }
  for (blo_int i = n - 1; i >= 0; i--) {
    for (blo_int k = i + 1; k < n; k++) {
      b[i] -= a[k * n + i] * b[k];
    }
    b[i] /= a[i * n + i];
  }
  return true;
}

/* hx = grad_x f - J H^-1 grad_y f with H and J from differences. */
static void by_differences(rig *r, double h, double *hx)
{
  double *hessian = numbers(r->n_y * r->n_y), *mixed = numbers(r->n_y * r->n_x);
  double *v = numbers(r->n_y);
  difference_columns(r, h, hessian, mixed);
  gradients(r, BLO_UPPER, r->at_y, hx, v);
  BLO_REQUIRE_MSG(solve(r->n_y, hessian, v), "H is positive definite");
  for (blo_int j = 0; j < r->n_y; j++) {
    for (blo_int i = 0; i < r->n_x; i++) {
      hx[i] -= mixed[j * r->n_x + i] * v[j];
    }
  }
  free(hessian);
  free(mixed);
  free(v);
}

static double distance(blo_int n, const double *a, const double *b)
{
  double square = 0, size = 0;
  for (blo_int i = 0; i < n; i++) {
    square += (a[i] - b[i]) * (a[i] - b[i]);
    size += b[i] * b[i];
  }
  return sqrt(square / size);
}

static void dense(rig *r, double *hx)
{
  double rcond = 0;
  BLO_REQUIRE_STATUS(blo_dense_hypergradient(r->f.eval, r->x, r->y, r->gx, &rcond), BLO_OK);
  BLO_REQUIRE_MSG(rcond > 1e-4, "H is not well conditioned: %.3g", rcond);
  gather(r, r->gx, r->n_x, hx);
}

static void estimate(rig *r, double *hx)
{
  blo_adjoint_options o = {.iterations = 500, .tol = 1e-15};
  blo_state *state = NULL;
  blo_estimator *e = NULL;
  BLO_REQUIRE_STATUS(blo_state_create(r->f.problem->ctx, &state), BLO_OK);
  BLO_REQUIRE_STATUS(blo_estimator_create(r->f.eval, &o, 0, 5, NULL, state, &e), BLO_OK);
  BLO_REQUIRE_STATUS(blo_estimator_compute(e, 0, r->x, r->y, r->gx), BLO_OK);
  gather(r, r->gx, r->n_x, hx);
  blo_estimator_destroy(&e);
  blo_state_destroy(&state);
}

/* F at x + t w, from the branch of y* that the rig is on. */
static double value_of_F(rig *r, double t, const double *w)
{
  double *x = numbers(r->n_x);
  blo_answer ans = {.f = 0};
  blo_ask ask = {.upper = BLO_WANT_VALUE, .x = r->x, .y = r->y};
  for (blo_int i = 0; i < r->n_x; i++) {
    x[i] = r->at_x[i] + t * w[i];
  }
  blo_vec_scatter(x, r->x);
  blo_vec_publish(r->x);
  blo_vec_scatter(r->at_y, r->y);
  fixture_solve_lower(&r->f, r->x, r->y, 1e-12);
  BLO_REQUIRE_STATUS(blo_eval_sweep(r->f.eval, &ask, &ans), BLO_OK);
  free(x);
  return ans.f;
}

/* Slopes of F along a few directions, relative to |hx| |w| / sqrt(n). */
static double worst_slope(rig *r, double h, const double *hx)
{
  blo_stream st = {21, BLO_PURPOSE_TEST};
  double *w = numbers(r->n_x), worst = 0;
  for (uint64_t d = 0; d < 3; d++) {
    double want = 0, got = 0, size = 0;
    for (blo_int i = 0; i < r->n_x; i++) {
      w[i] = blo_stream_normal(st, d, 0, (uint64_t)i);
      got += hx[i] * w[i];
      size += hx[i] * hx[i];
    }
    for (int k = 1; k <= 3; k++) {
      want += weight[k - 1] / h * (value_of_F(r, k * h, w) - value_of_F(r, -k * h, w));
    }
    worst = fmax(worst, fabs(got - want) / fmax(fabs(want), sqrt(size)));
  }
  free(w);
  return worst;
}

/* Bounds of the relative errors: of the estimate and of the differences of gradients against the
 * dense solution, and of the slopes of F against the estimate. */
typedef struct bounds {
  double estimate, differences, slope;
  double h; /* step of F's differences */
} bounds;

static void compare_all(rig *r, const bounds *b)
{
  double *want = numbers(r->n_x), *got = numbers(r->n_x);
  dense(r, want);
  estimate(r, got);
  double error = distance(r->n_x, got, want);
  BLO_EXPECT_MSG(error < b->estimate, "CG and dense solution differ by %.3g", error);
  by_differences(r, 0.002, got);
  error = distance(r->n_x, got, want);
  BLO_EXPECT_MSG(error < b->differences, "differences and dense solution differ by %.3g", error);
  error = worst_slope(r, b->h, want);
  BLO_EXPECT_MSG(error < b->slope, "slope of F off by %.3g", error);
  free(want);
  free(got);
}

static void write_data(blo_comm *comm, char *folder, size_t cap)
{
  blo_test_tmpdir(comm, folder, cap);
  fixture_write_data(comm, folder);
}

/* Norm of the part of y* that a named block is. */
static double norm_of(const rig *r, const char *name)
{
  const blo_block *b = blo_params_find(r->f.problem->params, name);
  BLO_REQUIRE_MSG(b != NULL && b->owner == BLO_IN_Y, "%s belongs to y", name);
  return sqrt(blo_array_dot(b->n, r->at_y + b->offset, r->at_y + b->offset));
}

/* At y* the whole network is in use: y* = 0 but for the last layer would show little. More than one
 * number per word could be rotated, together with W_ih, without changing g: H would be singular. */
static void of_an_lstm(blo_comm *comm)
{
  char folder[256], text[1024];
  rig r;
  write_data(comm, folder, sizeof folder);
  snprintf(text, sizeof text,
           "corrupt: 0.2\nreg: 0.01\nx0: 1\n"
           "model: {type: lstm, hidden: 2, embedding: 1, pooling: mean}\n"
           "data:\n  train: {path: %s/texts.h5}\n  n_train: 40\n  n_val: 30\n  shards: 4\n"
           "  scaling: none\n",
           folder);
  open_rig(comm, "hyper_cleaning", text, &r);
  BLO_EXPECT_ALL(norm_of(&r, "embedding.E") > 0.3 && norm_of(&r, "lstm.W_ih") > 0.3 &&
                 norm_of(&r, "lstm.W_hh") > 0.05);
  compare_all(&r, &(bounds){1e-13, 1e-10, 1e-9, 0.002});
  close_rig(&r);
}

static void few_shot(blo_comm *comm, const char *model, const bounds *b)
{
  char folder[256], text[1024];
  rig r;
  write_data(comm, folder, sizeof folder);
  snprintf(text, sizeof text,
           "train: {path: %s/images.h5, group: train}\nmodel: {type: conv, layers: 2, filters: 2, "
           "norm: channel%s}"
           "\nways: 3\nshots: 2\nqueries: 3\nepisodes: 4\nshards: 4\nreg: 0.02\n",
           folder, model);
  open_rig(comm, "few_shot", text, &r);
  compare_all(&r, b);
  close_rig(&r);
}

static void of_smooth_convolutions(blo_comm *comm)
{
  few_shot(comm, ", smooth: true", &(bounds){1e-13, 1e-10, 1e-9, 0.002});
}

/* With relu and max pooling F is differentiable only almost everywhere: a step that meets no kink
 * is short, and F's rounding then shows. g is smooth in y all the same. */
static void of_convolutions_with_kinks(blo_comm *comm)
{
  few_shot(comm, "", &(bounds){1e-13, 1e-10, 1e-7, 1e-6});
}

static const blo_test tests[] = {
    {"of an LSTM", of_an_lstm},
    {"of smooth convolutions", of_smooth_convolutions},
    {"of convolutions with kinks", of_convolutions_with_kinks},
};
BLO_TEST_MAIN("network hypergradient", tests)

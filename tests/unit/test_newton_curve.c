/* ranks: 1 2 3 4 */
/* Gauss-Newton steps of the lower track, beside Newton's: on a small nonlinear least-squares
 * problem against plain loops, and on networks. */
#include "lower_rig.h"
#include <math.h>
#include <string.h>

/* -------------------------------------------------------- a curve to fit */

/* Least squares with a model that is not linear in y, and answers to everything that a track asks:
 *     g = mean (1/2) (m_i - b_i)^2   m_i = y_0 exp(-y_1 t_i)   b_i = the same at TRUTH + noise c_i
 * Its x is of no use. */
enum { CURVE_N = 24 };
static const double TRUTH[2] = {2, 0.7};

typedef struct curve_state {
  double noise; /* the residuals' size at TRUTH */
  double lie;   /* what the gradient is multiplied by; 1: the truth */
} curve_state;

typedef struct curve_sample {
  double r, m_y[2], m_yy[2][2]; /* residual, derivatives of the model */
} curve_sample;

static curve_sample curve_at(double noise, blo_int i, const double *y)
{
  double t = (double)i / 8, e = exp(-y[1] * t);
  double b = TRUTH[0] * exp(-TRUTH[1] * t) + noise * cos(3 * (double)i);
  return (curve_sample){.r = y[0] * e - b,
                        .m_y = {e, -y[0] * t * e},
                        .m_yy = {{0, -t * e}, {-t * e, y[0] * t * t * e}}};
}

/* H of a sample, or its Gauss-Newton matrix. */
static void curve_matrix(const curve_sample *s, bool gauss_newton, double h[2][2])
{
  for (int j = 0; j < 2; j++) {
    for (int k = 0; k < 2; k++) {
      h[j][k] = s->m_y[j] * s->m_y[k] + (gauss_newton ? 0 : s->r * s->m_yy[j][k]);
    }
  }
}

static void curve_add(const curve_state *st, const curve_sample *s, const blo_shard_task *task,
                      const blo_shard_out *out)
{
  double h[2][2];
  curve_matrix(s, (task->want & BLO_WANT_GAUSS_NEWTON) != 0, h);
  if (out->value != NULL) {
    *out->value += task->scale * 0.5 * s->r * s->r;
  }
  for (int j = 0; j < 2; j++) {
    if (out->gy != NULL) {
      out->gy[j] += task->scale * st->lie * s->r * s->m_y[j];
    }
    if (out->hv[0] != NULL) {
      out->hv[0][j] += task->scale * (h[j][0] * task->v[0][0] + h[j][1] * task->v[0][1]);
    }
  }
}

static blo_status curve_shard(blo_problem *p, const blo_shard_task *task, const blo_shard_out *out)
{
  const curve_state *st = p->state;
  blo_int first = blo_shard_begin(CURVE_N, p->n_shards, task->shard);
  for (blo_int r = 0; r < task->n_rows && task->level == BLO_LOWER; r++) {
    blo_int i = first + (task->row != NULL ? task->row[r] : r);
    curve_sample s = curve_at(st->noise, i, task->y);
    curve_add(st, &s, task, out);
  }
  return BLO_OK;
}

static blo_status curve_setup(blo_problem *p)
{
  curve_state *st = p->state;
  *st = (curve_state){.lie = 1};
  p->n_x = 1;
  p->n_y = 2;
  p->n_lower = p->n_upper = CURVE_N;
  p->n_shards = 4;
  p->x_layout = BLO_REPLICATED;
  return BLO_OK;
}

static void curve_start(const blo_problem *p, const blo_slice *x, const blo_slice *y)
{
  (void)p;
  x->data[0] = 0;
  y->data[0] = 1.6;
  y->data[1] = 1;
}

static const blo_problem_type curve = {.name = "test_curve",
                                       .summary = "",
                                       .source = "",
                                       .state_size = sizeof(curve_state),
                                       .has = BLO_HAS_GAUSS_NEWTON,
                                       .setup = curve_setup,
                                       .start = curve_start,
                                       .shard = curve_shard};

static void open_curve(blo_comm *comm, blo_lower_options o, curve_state st, lower_rig *r)
{
  r->f.conf = NULL;
  BLO_REQUIRE_STATUS(blo_problem_create(comm, &curve, NULL, &r->f.problem), BLO_OK);
  *(curve_state *)r->f.problem->state = st;
  BLO_REQUIRE_STATUS(blo_eval_create(r->f.problem, BLO_REPRODUCIBLE, &r->f.eval), BLO_OK);
  rig_make(r, o, rig_one_rank);
  blo_eval_start(r->f.eval, r->x, r->y);
}

/* y of the full step from y, by Cramer's rule. */
static void curve_step(double noise, bool gauss_newton, const double *y, double *to)
{
  double b[2][2] = {{0}}, g[2] = {0};
  for (int i = 0; i < CURVE_N; i++) {
    double h[2][2];
    curve_sample s = curve_at(noise, i, y);
    curve_matrix(&s, gauss_newton, h);
    for (int j = 0; j < 2; j++) {
      g[j] += s.r * s.m_y[j];
      b[j][0] += h[j][0];
      b[j][1] += h[j][1];
    }
  }
  double det = b[0][0] * b[1][1] - b[0][1] * b[1][0];
  to[0] = y[0] - (g[0] * b[1][1] - g[1] * b[0][1]) / det;
  to[1] = y[1] - (g[1] * b[0][0] - g[0] * b[1][0]) / det;
}

/* ----------------------------------------------------------- Gauss-Newton */

/* One step of either rule against 2 x 2 systems; from the start both take the full step. */
static void curve_steps_are_plain(blo_comm *comm)
{
  for (int gn = 0; gn < 2; gn++) {
    lower_rig r;
    double want[2];
    open_curve(comm, rig_rule(gn ? BLO_LOWER_GAUSS_NEWTON : BLO_LOWER_NEWTON, 1),
               (curve_state){.noise = 0.1, .lie = 1}, &r);
    r.y->data[0] = 1.9;
    r.y->data[1] = 0.75;
    curve_step(0.1, gn != 0, r.y->data, want);
    rig_track(&r);
    BLO_EXPECT_NEAR(r.y->data[0], want[0], 1e-12, 0, "Cramer's rule");
    BLO_EXPECT_NEAR(r.y->data[1], want[1], 1e-12, 0, "Cramer's rule");
    rig_close(comm, &r);
  }
}

/* Without noise both rules find the curve that made the data, as fast as each other. */
static void curve_is_found(blo_comm *comm)
{
  for (int rule = BLO_LOWER_NEWTON; rule <= BLO_LOWER_GAUSS_NEWTON; rule++) {
    lower_rig r;
    open_curve(comm, rig_rule(rule, 12), (curve_state){.lie = 1}, &r);
    rig_track(&r);
    BLO_EXPECT_NEAR(r.y->data[0], TRUTH[0], 1e-14, 0, "the curve of the data");
    BLO_EXPECT_NEAR(r.y->data[1], TRUTH[1], 1e-14, 0, "the curve of the data");
    BLO_EXPECT_ALL(blo_lower_steps_taken(r.lower) <= 9);
    rig_close(comm, &r);
  }
}

/* With residuals Gauss-Newton is slower, and ends where Newton does. */
static void curve_with_noise(blo_comm *comm)
{
  lower_rig r[2];
  for (int i = 0; i < 2; i++) {
    open_curve(comm, rig_rule(i == 0 ? BLO_LOWER_NEWTON : BLO_LOWER_GAUSS_NEWTON, 60),
               (curve_state){.noise = 0.2, .lie = 1}, &r[i]);
    rig_track(&r[i]);
  }
  BLO_EXPECT_ALL(rig_residual(&r[0]) <= 1e-15 && rig_residual(&r[1]) <= 1e-14);
  BLO_EXPECT_NEAR(rig_distance(&r[1], r[0].y->data), 0, 0, 1e-12, "Newton's steps");
  BLO_EXPECT_ALL(blo_lower_steps_taken(r[1].lower) > blo_lower_steps_taken(r[0].lower) + 2);
  rig_close(comm, &r[0]);
  rig_close(comm, &r[1]);
}

/* Where the model is linear in y the matrices are the same up to rounding, and so are the steps. */
static void same_as_newton_for_linear_models(blo_comm *comm)
{
  char folder[256];
  rig_folder(comm, folder, sizeof folder);
  static const int kinds[] = {FIXTURE_CLEANING, FIXTURE_RIDGE_CLASS, FIXTURE_REPRESENTATION};
  for (int i = 0; i < BLO_COUNT_OF(kinds); i++) {
    lower_rig r[2];
    for (int j = 0; j < 2; j++) {
      rig_open(comm, kinds[i], folder,
               rig_rule(j == 0 ? BLO_LOWER_NEWTON : BLO_LOWER_GAUSS_NEWTON, 2), rig_one_rank,
               &r[j]);
      rig_track(&r[j]);
    }
    BLO_EXPECT_NEAR(rig_distance(&r[1], r[0].y->data), 0, 0, 1e-12, fixture_name(kinds[i]));
    rig_close(comm, &r[0]);
    rig_close(comm, &r[1]);
  }
}

/* A network in y: there are factors of its Gauss-Newton matrix without a shift even where H has
 * none. Close to the end the full step goes a little too far along one direction, which only slopes
 * tell: g is the same up to rounding. */
static void gauss_newton_trains_a_network(blo_comm *comm)
{
  char folder[256];
  lower_rig r;
  int steps = 0;
  rig_folder(comm, folder, sizeof folder);
  rig_open_network(comm, folder, rig_rule(BLO_LOWER_GAUSS_NEWTON, 1), rig_one_rank, &r);
  double start, norm, g = rig_look(&r, &start);
  BLO_EXPECT_ALL(!rig_is_definite(&r));
  blo_int tried = blo_hessian_factorized(r.hessian);
  for (norm = start; norm > 1e-12 * start && steps < 400; steps++) {
    rig_track(&r);
    double next = rig_look(&r, &norm);
    BLO_EXPECT_MSG(next <= g + 1e-14 * fabs(g), "g grows by %.2g", next - g);
    g = next;
  }
  BLO_EXPECT_MSG(norm <= 1e-12 * start, "%d steps: residual %.3g of %.3g", steps, norm, start);
  BLO_EXPECT_ALL(blo_hessian_factorized(r.hessian) - tried == steps);
  rig_close(comm, &r);
}

/* Where g does not decrease along p, y stays; that is no error. */
static void a_failed_search_keeps_y(blo_comm *comm)
{
  lower_rig r;
  open_curve(comm, rig_rule(BLO_LOWER_GAUSS_NEWTON, 5), (curve_state){.lie = -1}, &r);
  double before[2] = {r.y->data[0], r.y->data[1]};
  blo_int values = blo_eval_counts(r.f.eval)->g;
  rig_track(&r);
  BLO_EXPECT_ALL(memcmp(before, r.y->data, sizeof before) == 0);
  BLO_EXPECT_ALL(blo_lower_steps_taken(r.lower) == 0);
  BLO_EXPECT_ALL(blo_eval_counts(r.f.eval)->g - values == 1 + 41);
  rig_track(&r); /* the matrix stands */
  BLO_EXPECT_ALL(blo_hessian_assembled(r.hessian) == 1);
  rig_close(comm, &r);
}

/* The next batch has another matrix, even where y has not moved. */
static void matrices_are_of_their_batches(blo_comm *comm)
{
  lower_rig r;
  blo_lower_options o = rig_rule(BLO_LOWER_GAUSS_NEWTON, 1);
  o.batch = 8;
  open_curve(comm, o, (curve_state){.lie = -1}, &r);
  for (int k = 0; k < 3; k++) {
    BLO_REQUIRE_STATUS(blo_lower_track(r.lower, k, r.x, r.y), BLO_OK);
  }
  BLO_EXPECT_ALL(blo_hessian_assembled(r.hessian) == 3);
  rig_close(comm, &r);
}

static const blo_test tests[] = {
    {"curve steps are plain", curve_steps_are_plain},
    {"curve is found", curve_is_found},
    {"curve with noise", curve_with_noise},
    {"same as newton for linear models", same_as_newton_for_linear_models},
    {"gauss-newton trains a network", gauss_newton_trains_a_network},
    {"a failed search keeps y", a_failed_search_keeps_y},
    {"matrices are of their batches", matrices_are_of_their_batches},
};
BLO_TEST_MAIN("newton curve", tests)

/* ranks: 1 2 3 4 6 */
/* Assembled matrices are what ordinary sweeps give column by column on one rank, bit for bit, with
 * any layout of x and y and on any grid; failures on one rank become everybody's; and no rank takes
 * more room than it may. */
#include "assembled.h"
#include "whole.h"
#include <math.h>
#include <string.h>

enum { N = ASSEMBLED_N, NY = ASSEMBLED_NY, NX = ASSEMBLED_NX };

/* What the question with `linearized` takes for granted. */
static void linearize(const assembled_rig *r)
{
  blo_ask ask = {.lower = BLO_WANT_VALUE,
                 .lower_batch = r->ask.batch,
                 .x = r->x,
                 .y = r->y,
                 .linearize = true};
  blo_answer ans = {.g = 0};
  BLO_REQUIRE_STATUS(blo_eval_sweep(r->f.eval, &ask, &ans), BLO_OK);
}

/* Assemble, and compare with the reference. */
static void expect_assembled(blo_comm *comm, const assembled_source *from,
                             const assembled_manner *how, const matrix_pair *want, double tolerance)
{
  blo_context *ctx = blo_comm_context(comm);
  assembled_rig r;
  assembled_open(comm, from, how, &r);
  if (how->linearize_before && blo_eval_can_linearize(r.f.eval)) {
    linearize(&r);
    r.ask.linearized = true;
  }
  blo_int total = blo_memory(ctx).total, values = blo_eval_counts(r.f.eval)->g;
  BLO_EXPECT_STATUS(blo_assemble(r.assembler, &r.ask), BLO_OK);
  BLO_EXPECT_ALL(blo_memory(ctx).total == total);
  BLO_EXPECT_ALL(!how->linearize_before || blo_eval_counts(r.f.eval)->g == values);
  assembled_expect(&r, r.h, how->scale, r.ask.hessian != NULL ? want->h : NULL, tolerance, "H");
  assembled_expect(&r, r.j, how->scale, r.ask.cross != NULL ? want->j : NULL, tolerance, "J");
  assembled_close(comm, &r);
}

/* ----------------------------------------------------- the tests: matrices */

/* The sweeps that assembly is compared with give the matrices that are known. */
static void expect_known(const assembled_source *from, bool gn, const matrix_pair *m)
{
  bool right = true;
  blo_int n_x = from->form.aligned ? N : NX;
  for (blo_int j = 0; j < NY; j++) {
    for (blo_int i = 0; i < NY; i++) {
      double want = assembled_entry(&from->form, false, gn, i, j);
      right = right && fabs(m->h[j * NY + i] - want) < 1e-13;
    }
    for (blo_int i = 0; i < n_x && !gn; i++) {
      double want = assembled_entry(&from->form, true, gn, i, j);
      right = right && fabs(m->j[j * n_x + i] - want) < 1e-13;
    }
  }
  BLO_EXPECT_ALL(right);
}

static void known_matrices_are_found(blo_comm *comm)
{
  const assembled_manner plain = {.grid = {0, 2}, .scale = 1};
  for (int k = 0; k < 2 * N_ASSEMBLED_FORMS; k++) {
    assembled_source from = {.kind = -1, .form = assembled_forms[k / 2]};
    assembled_manner how = plain;
    matrix_pair want;
    how.gn = k % 2 == 1;
    assembled_reference(comm, &from, 0, how.gn, &want);
    expect_known(&from, how.gn, &want);
    expect_assembled(comm, &from, &how, &want, 0);
    assembled_free(blo_comm_context(comm), &want);
  }
}

static void grids_scales_and_batches_are_free(blo_comm *comm)
{
  static const assembled_manner manners[] = {
      {.grid = {1, 64}, .scale = 1},
      {.grid = {2, 3}, .scale = -0.3},
      {.grid = {0, 1}, .scale = 1e-3, .batch = 13},
      {.grid = {3, 5}, .scale = 7, .batch = 1},
      {.grid = {0, 8}, .scale = 1, .batch = 20, .no_h = true},
      {.grid = {0, 64}, .scale = 2, .batch = 20, .no_j = true},
      {.grid = {0, 2}, .scale = 1, .batch = 20, .linearize_before = true},
  };
  const assembled_source froms[] = {{.kind = FIXTURE_QUADRATIC},
                                    {.kind = FIXTURE_TASKS},
                                    {.kind = -1, .form = assembled_forms[2]},
                                    {.kind = -1, .form = assembled_forms[3]}};
  for (size_t k = 0; k < sizeof manners / sizeof *manners; k++) {
    for (int i = 0; i < 4; i++) {
      matrix_pair want;
      assembled_reference(comm, &froms[i], manners[k].batch, false, &want);
      expect_assembled(comm, &froms[i], &manners[k], &want, 0);
      assembled_free(blo_comm_context(comm), &want);
    }
  }
}

/* Another reference: no shard, batch or sum of the library takes part in this one. */
static void quadratic_is_its_mean_matrices(blo_comm *comm)
{
  static const double zero[QUADRATIC_N_Y] = {0};
  const assembled_source from = {.kind = FIXTURE_QUADRATIC};
  matrix_pair got;
  int ones[QUADRATIC_N];
  for (int i = 0; i < QUADRATIC_N; i++) {
    ones[i] = 1;
  }
  assembled_reference(comm, &from, 0, false, &got);
  for (int j = 0; j < QUADRATIC_N_Y; j++) {
    double unit[QUADRATIC_N_Y] = {0};
    unit[j] = 1;
    quadratic_oracles want = quadratic_mean(BLO_LOWER, ones, zero, zero, unit);
    for (int i = 0; i < QUADRATIC_N_Y; i++) {
      BLO_EXPECT_NEAR(got.h[j * QUADRATIC_N_Y + i], want.hv[i], 1e-13, 1e-13, "sum over samples");
    }
    for (int i = 0; i < QUADRATIC_N_X; i++) {
      BLO_EXPECT_NEAR(got.j[j * QUADRATIC_N_X + i], want.jv[i], 1e-13, 1e-13, "sum over samples");
    }
  }
  assembled_free(blo_comm_context(comm), &got);
}

static bool has_gauss_newton(blo_comm *comm, const assembled_source *from)
{
  fixture f;
  fixture_make(comm, from->kind, from->folder, BLO_REPRODUCIBLE, &f);
  bool has = (f.problem->has & BLO_HAS_GAUSS_NEWTON) != 0;
  fixture_free(comm, &f);
  return has;
}

/* H assembled on all ranks, and on this one alone. */
static void expect_same_alone(blo_comm *comm, const assembled_source *from,
                              const assembled_manner *how)
{
  blo_comm *self = NULL, *on[2] = {comm, NULL};
  double *h[2] = {NULL, NULL};
  blo_int n = 0;
  BLO_REQUIRE_STATUS(blo_comm_create(blo_comm_context(comm), MPI_COMM_SELF, &self), BLO_OK);
  on[1] = self;
  for (int i = 0; i < 2; i++) {
    assembled_rig r;
    assembled_open(on[i], from, how, &r);
    BLO_REQUIRE_STATUS(blo_assemble(r.assembler, &r.ask), BLO_OK);
    n = r.f.problem->n_y;
    BLO_REQUIRE_STATUS(blo_alloc(blo_comm_context(comm), n * n, sizeof *h[i], &h[i]), BLO_OK);
    whole_matrix(r.h, h[i]);
    assembled_close(on[i], &r);
  }
  BLO_EXPECT_ALL(memcmp(h[0], h[1], (size_t)(n * n) * sizeof *h[0]) == 0);
  blo_free(blo_comm_context(comm), &h[0]);
  blo_free(blo_comm_context(comm), &h[1]);
  blo_comm_destroy(&self);
}

static void every_problem_is_assembled(blo_comm *comm)
{
  char folder[256];
  if (blo_comm_size(comm) > 4) {
    blo_test_skip("the fixtures have 4 shards");
    return;
  }
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  for (int k = 0; k < 2 * N_FIXTURES; k++) {
    const assembled_source from = {.kind = k / 2, .folder = folder};
    const assembled_manner how = {.grid = {0, 5}, .scale = 0.7, .gn = k % 2 == 1};
    matrix_pair want;
    if (how.gn && !has_gauss_newton(comm, &from)) {
      continue;
    }
    assembled_reference(comm, &from, 0, how.gn, &want);
    /* a norm's second derivative is rounded otherwise for one direction than for several */
    expect_assembled(comm, &from, &how, &want, from.kind == FIXTURE_BLOCK_NORM ? 1e-14 : 0);
    if (from.kind == FIXTURE_BLOCK_NORM) {
      expect_same_alone(comm, &from, &how);
    }
    assembled_free(blo_comm_context(comm), &want);
  }
}

/* ----------------------------------------------------- the tests: failures */

/* A sample fails, or gives NAN; only the rank that has it knows. With an aligned x and H not asked
 * nothing is sent, so it is told at the end. */
static void failures_become_everybodys(blo_comm *comm)
{
  for (int k = 0; k < 2 * N_ASSEMBLED_FORMS; k++) {
    assembled_source from = {.kind = -1, .form = assembled_forms[k / 2]};
    assembled_manner how = {.grid = {0, 2}, .scale = 1, .no_h = k % 2 == 1};
    bool has_samples = (from.form.has & BLO_HAS_G_X) != 0;
    assembled_rig r;
    from.form.failing = k % 4 < 2 ? N - 1 : 0;
    assembled_open(comm, &from, &how, &r);
    assembled_form *f = assembled_form_of(r.f.problem);
    BLO_EXPECT_STATUS(blo_assemble(r.assembler, &r.ask), BLO_E_DATA);
    BLO_EXPECT_ERROR_HAS(k % 4 < 2 ? "sample 44 fails" : "sample 0 fails");
    f->failing = -1;
    f->nan = N - 1;
    BLO_EXPECT_STATUS(blo_assemble(r.assembler, &r.ask), has_samples ? BLO_E_NONFINITE : BLO_OK);
    if (has_samples) {
      BLO_EXPECT_ERROR_HAS("J v is not finite: rank");
      BLO_EXPECT_ERROR_HAS("shard 7");
    }
    f->nan = -1;
    BLO_EXPECT_STATUS(blo_assemble(r.assembler, &r.ask), BLO_OK);
    assembled_close(comm, &r);
  }
}

/* Tasks whose products fail on the last rank: all of H is found silently. */
static void silent_failures_are_told_at_the_end(blo_comm *comm)
{
  const assembled_source from = {.kind = FIXTURE_TASKS};
  const assembled_manner how = {.grid = {0, 4}, .scale = 1, .no_j = true};
  assembled_rig r;
  assembled_open(comm, &from, &how, &r);
  tasks_probe *probe = tasks_probe_of(r.f.problem);
  probe->failing_products = blo_comm_rank(comm) == blo_comm_size(comm) - 1;
  blo_int before_it = blo_comm_traffic(comm).reductions;
  BLO_EXPECT_STATUS(blo_assemble(r.assembler, &r.ask), BLO_E_DATA);
  BLO_EXPECT_ERROR_HAS("H v fails");
  BLO_EXPECT_ALL(blo_comm_traffic(comm).reductions == before_it + 1); /* of the linearising sweep */
  assembled_close(comm, &r);
}

static void gauss_newton_is_refused(blo_comm *comm)
{
  const assembled_source from = {.kind = FIXTURE_QUADRATIC};
  const assembled_manner how = {.grid = {0, 4}, .scale = 1, .gn = true};
  assembled_rig r;
  assembled_open(comm, &from, &how, &r);
  BLO_EXPECT_STATUS(blo_assemble(r.assembler, &r.ask), BLO_E_UNSUPPORTED);
  BLO_EXPECT_ERROR_HAS("problem 'test_quadratic' has no Gauss-Newton matrix");
  assembled_close(comm, &r);
}

/* ------------------------------------------------------- the tests: memory */

static blo_status make_and_free(blo_comm *comm, void *arg)
{
  assembled_rig *r = arg;
  blo_assembler *a = NULL;
  blo_status status = blo_assembler_create(r->f.eval, r->grid, r->f.problem->n_lower, true, &a);
  if (status == BLO_OK) {
    status = blo_assemble(r->assembler, &r->ask);
  }
  (void)comm;
  blo_assembler_destroy(&a);
  return status;
}

/* The evaluator keeps what was reserved for the first assembler, so only the assembler's own
 * allocations fail here; then the evaluator's, in a fresh one. */
static void making_one_can_fail(blo_comm *comm)
{
  const assembled_source from = {.kind = FIXTURE_TASKS};
  const assembled_manner how = {.grid = {0, 4}, .scale = 1};
  assembled_rig r;
  assembled_open(comm, &from, &how, &r);
  BLO_EXPECT_ALL(blo_test_sweep_faults(comm, make_and_free, &r) >= 20);
  assembled_close(comm, &r);
}

static blo_status make_fresh(blo_comm *comm, void *arg)
{
  const assembled_rig *r = arg;
  blo_eval *eval = NULL;
  blo_assembler *a = NULL;
  blo_status status = blo_eval_create(r->f.problem, BLO_REPRODUCIBLE, &eval);
  if (status == BLO_OK) {
    status = blo_assembler_create(eval, r->grid, r->f.problem->n_lower, true, &a);
  }
  (void)comm;
  blo_assembler_destroy(&a);
  blo_eval_destroy(&eval);
  return status;
}

static void reserving_for_one_can_fail(blo_comm *comm)
{
  const assembled_source from = {.kind = -1, .form = assembled_forms[0]};
  const assembled_manner how = {.grid = {0, 4}, .scale = 1};
  assembled_rig r;
  assembled_open(comm, &from, &how, &r);
  BLO_EXPECT_ALL(blo_test_sweep_faults(comm, make_fresh, &r) >= 30);
  assembled_close(comm, &r);
}

enum { BIG_N = 5000, BIG_NY = 1000, BIG_NX = 1500, PANELS = 2, BLOCK = 64 };

static blo_status big_setup(blo_problem *p)
{
  p->n_x = BIG_NX;
  p->n_y = BIG_NY;
  p->n_lower = BIG_N;
  p->n_upper = 1;
  p->n_shards = 64;
  p->x_layout = BLO_ROOTED;
  return BLO_OK;
}

static const blo_problem_type big_type = {
    .name = "test_big",
    .summary = "never evaluated",
    .source = "",
    .has = BLO_HAS_G_X | BLO_HAS_DIRECTIONS,
    .setup = big_setup,
};

/* No rank takes more than two panels of all rows that are asked for, besides its matrices, at no
 * time; and what is said before is right. */
static void two_panels_are_enough(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  for (int cross = 0; cross < 2; cross++) {
    const blo_dense_options options = {0, BLOCK};
    blo_int rows = BIG_NY + (cross ? BIG_NX : 0);
    fixture f = {NULL, NULL, NULL};
    blo_grid *grid = NULL;
    blo_assembler *a = NULL;
    BLO_REQUIRE_STATUS(blo_problem_create(comm, &big_type, NULL, &f.problem), BLO_OK);
    BLO_REQUIRE_STATUS(blo_eval_create(f.problem, BLO_REPRODUCIBLE, &f.eval), BLO_OK);
    BLO_REQUIRE_STATUS(blo_grid_create(comm, &options, &grid), BLO_OK);
    blo_int said = blo_assembler_bytes(f.eval, grid, cross);
    blo_memory_use old = blo_memory(ctx);
    blo_memory_limit(ctx, old.bytes + PANELS * BLOCK * rows * (blo_int)sizeof(double));
    BLO_REQUIRE_STATUS(blo_assembler_create(f.eval, grid, BIG_N, cross, &a), BLO_OK);
    blo_memory_limit(ctx, 0);
    blo_int used = blo_memory(ctx).bytes - old.bytes;
    BLO_EXPECT_MSG(used <= said && said <= PANELS * BLOCK * rows * (blo_int)sizeof(double),
                   "%lld bytes, said %lld", (long long)used, (long long)said);
    blo_assembler_destroy(&a);
    blo_grid_destroy(&grid);
    fixture_free(comm, &f);
  }
}

static const blo_test tests[] = {
    {"known matrices are found", known_matrices_are_found},
    {"quadratic is its mean matrices", quadratic_is_its_mean_matrices},
    {"grids, scales and batches are free", grids_scales_and_batches_are_free},
    {"every problem is assembled", every_problem_is_assembled},
    {"failures become everybody's", failures_become_everybodys},
    {"silent failures are told at the end", silent_failures_are_told_at_the_end},
    {"Gauss-Newton is refused", gauss_newton_is_refused},
    {"making one can fail", making_one_can_fail},
    {"reserving for one can fail", reserving_for_one_can_fail},
    {"two panels are enough", two_panels_are_enough},
};
BLO_TEST_MAIN("assemble", tests)

/* y that belongs to tasks: the lower track and products send nothing, what fails meanwhile becomes
 * everybody's with the next message, and all blocks of a method draw one batch of tasks. */
#include "ride.h"
#include <blo/check.h>
#include <blo/checkpoint.h>
#include <math.h>
#include <string.h>

enum { N = TASKS_N, W = TASKS_W };

/* The tasks at their starting point, with a lower track of four steps. */
typedef struct rig {
  fixture f;
  blo_lower_options o;
  blo_state *state;
  blo_lower *lower;
  blo_vec *x, *y, *work;
} rig;

static void open_rig(blo_comm *comm, blo_int batch, rig *r)
{
  fixture_make(comm, FIXTURE_TASKS, "", BLO_REPRODUCIBLE, &r->f);
  r->o = (blo_lower_options){.steps = 4, .batch = batch, .step = 0.1, .warm_start = true};
  r->lower = NULL;
  fixture_point(&r->f, &r->x, &r->y);
  fixture_like(r->y, 1, &r->work);
  BLO_REQUIRE_STATUS(blo_state_create(r->f.problem->ctx, &r->state), BLO_OK);
  BLO_REQUIRE_STATUS(blo_lower_create(r->f.eval, &r->o, 3, r->y, NULL, r->state, &r->lower),
                     BLO_OK);
}

static void close_rig(blo_comm *comm, rig *r)
{
  blo_lower_destroy(&r->lower);
  blo_state_destroy(&r->state);
  blo_vec_destroy(&r->x);
  blo_vec_destroy(&r->y);
  blo_vec_destroy(&r->work);
  fixture_free(comm, &r->f);
}

/* A sweep that communicates. */
static blo_status speak(rig *r)
{
  blo_ask ask = {.upper = BLO_WANT_VALUE, .x = r->x, .y = r->y};
  blo_answer ans = {.f = 0};
  return blo_eval_sweep(r->f.eval, &ask, &ans);
}

/* The sum over the ranks of a number that each has. */
static double total(blo_comm *comm, double mine)
{
  MPI_Allreduce(MPI_IN_PLACE, &mine, 1, MPI_DOUBLE, MPI_SUM, blo_comm_mpi(comm));
  return mine;
}

static void lower_track_sends_nothing(blo_comm *comm)
{
  static const blo_int batches[] = {0, 10};
  for (int i = 0; i < 2; i++) {
    rig r;
    open_rig(comm, batches[i], &r);
    blo_vec_copy(r.y, r.work);
    blo_traffic before = blo_comm_traffic(comm);
    BLO_REQUIRE_STATUS(blo_lower_track(r.lower, 0, r.x, r.y), BLO_OK);
    BLO_REQUIRE_STATUS(blo_lower_track(r.lower, 1, r.x, r.y), BLO_OK);
    blo_traffic after = blo_comm_traffic(comm);
    BLO_EXPECT_ALL(memcmp(&before, &after, sizeof before) == 0);
    BLO_EXPECT_ALL(blo_eval_counts(r.f.eval)->g_y == 8);
    blo_vec_axpy(-1, r.y, r.work);
    BLO_EXPECT_ALL(blo_vec_norm(r.work) > 0.1);
    close_rig(comm, &r);
  }
}

/* Tasks that are not in the batch of an outer iteration stand still, whatever their earlier steps.
 */
static void tasks_that_wait_stand_still(blo_comm *comm)
{
  rig r;
  double before[TASKS_N_Y] = {0}, after[TASKS_N_Y] = {0};
  int moved = 0;
  open_rig(comm, 10, &r);
  blo_lower_destroy(&r.lower);
  r.o.momentum = 0.9;
  BLO_REQUIRE_STATUS(blo_lower_create(r.f.eval, &r.o, 3, r.y, NULL, r.state, &r.lower), BLO_OK);
  BLO_REQUIRE_STATUS(blo_lower_track(r.lower, 0, r.x, r.y), BLO_OK);
  blo_vec_gather(r.y, before);
  BLO_REQUIRE_STATUS(blo_lower_track(r.lower, 1, r.x, r.y), BLO_OK);
  blo_vec_gather(r.y, after);
  for (int i = 0; i < N; i++) {
    moved += memcmp(before + i * W, after + i * W, W * sizeof *before) != 0;
  }
  BLO_EXPECT_MSG(blo_comm_rank(comm) != BLO_ROOT || moved == 10, "%d of 10 tasks moved", moved);
  close_rig(comm, &r);
}

/* u = B x + c is computed in the first step of an outer iteration and used again in the others;
 * the track is y <- y - rho A (y - y*) on each task. */
static void lower_track_uses_x_parts_again(blo_comm *comm)
{
  rig r;
  double all[TASKS_N_Y], want[TASKS_N_Y], target[TASKS_N_Y], worst = 0;
  open_rig(comm, 0, &r);
  blo_vec_gather(r.y, want);
  blo_bcast(comm, BLO_ROOT, want, sizeof want);
  tasks_solution(r.x->data, target);
  BLO_REQUIRE_STATUS(blo_lower_track(r.lower, 0, r.x, r.y), BLO_OK);
  const tasks_probe *probe = tasks_probe_of(r.f.problem);
  BLO_EXPECT_ALL(total(comm, (double)probe->fresh) == N);
  BLO_EXPECT_ALL(total(comm, (double)probe->again) == 3 * N);
  blo_vec_gather(r.y, all);
  blo_bcast(comm, BLO_ROOT, all, sizeof all);
  for (int i = 0; i < N; i++) { /* distances from y* shrink by 1 - rho l, l >= 1 */
    double before = 0, after = 0;
    for (int j = i * W; j < (i + 1) * W; j++) {
      before += pow(want[j] - target[j], 2);
      after += pow(all[j] - target[j], 2);
    }
    worst = fmax(worst, sqrt(after / before));
  }
  BLO_EXPECT_MSG(worst <= pow(0.9, 4) + 1e-14 && worst > 0.3, "worst contraction %.17g", worst);
  close_rig(comm, &r);
}

/* The same steps without linearisation: same_x changes no bit. */
static void same_x_changes_no_bit(blo_comm *comm)
{
  uint32_t crc[2];
  for (int reuse = 0; reuse < 2; reuse++) {
    fixture f;
    blo_lower *lower = NULL;
    blo_state *state = NULL;
    blo_vec *x, *y;
    blo_lower_options o = {.steps = 5, .batch = 12, .step = 0.05, .warm_start = true};
    fixture_make(comm, FIXTURE_TASKS, "", BLO_REPRODUCIBLE, &f);
    f.problem->reuses_x = reuse != 0;
    fixture_point(&f, &x, &y);
    BLO_REQUIRE_STATUS(blo_state_create(f.problem->ctx, &state), BLO_OK);
    BLO_REQUIRE_STATUS(blo_lower_create(f.eval, &o, 3, y, NULL, state, &lower), BLO_OK);
    for (int k = 0; k < 3; k++) {
      BLO_REQUIRE_STATUS(blo_lower_track(lower, k, x, y), BLO_OK);
    }
    BLO_EXPECT_ALL(total(comm, (double)tasks_probe_of(f.problem)->again) == reuse * 3 * 4 * 12);
    BLO_REQUIRE_STATUS(blo_vec_checksum(y, &crc[reuse]), BLO_OK);
    blo_lower_destroy(&lower);
    blo_state_destroy(&state);
    blo_vec_destroy(&x);
    blo_vec_destroy(&y);
    fixture_free(comm, &f);
  }
  BLO_EXPECT_ALL(crc[0] == crc[1]);
}

/* Only the first rank, the last one, and a NAN; metrics report it as well as sweeps. */
static void silent_failures_become_everybodys(blo_comm *comm)
{
  static const struct {
    blo_int failing, nan;
    blo_status status;
    const char *text;
  } faults[] = {{N - 1, -1, BLO_E_DATA, "task 44 fails"},
                {0, -1, BLO_E_DATA, "task 0 fails"},
                {-1, N - 1, BLO_E_NONFINITE, "grad_y g is not finite"},
                {-1, N - 1, BLO_E_NONFINITE, "shard 7"}};
  for (int i = 0; i < 4; i++) {
    rig r;
    double value;
    open_rig(comm, 0, &r);
    tasks_probe *probe = tasks_probe_of(r.f.problem);
    probe->failing_task = faults[i].failing;
    probe->nan_task = faults[i].nan;
    BLO_EXPECT_STATUS(blo_lower_track(r.lower, 0, r.x, r.y), BLO_OK);
    probe->failing_task = probe->nan_task = -1;
    BLO_EXPECT_STATUS(blo_lower_track(r.lower, 0, r.x, r.y), BLO_OK);
    blo_counts counts = *blo_eval_counts(r.f.eval);
    BLO_EXPECT_SAME_BYTES(&counts, sizeof counts);
    if (i % 2 == 0) {
      BLO_EXPECT_STATUS(speak(&r), faults[i].status);
    } else {
      BLO_EXPECT_STATUS(blo_eval_metrics(r.f.eval, r.x, r.y, &value), faults[i].status);
    }
    BLO_EXPECT_ERROR_HAS(faults[i].text);
    blo_eval_start(r.f.eval, r.x, r.y);
    BLO_EXPECT_STATUS(speak(&r), BLO_OK); /* it is told once */
    BLO_EXPECT_STATUS(blo_eval_metrics(r.f.eval, r.x, r.y, &value), BLO_OK);
    close_rig(comm, &r);
  }
}

/* The first failure of a rank is told, not what followed from it. */
static void first_failure_is_told(blo_comm *comm)
{
  rig r;
  open_rig(comm, 0, &r);
  tasks_probe *probe = tasks_probe_of(r.f.problem);
  probe->failing_task = N - 1;
  BLO_EXPECT_STATUS(blo_lower_track(r.lower, 0, r.x, r.y), BLO_OK);
  probe->failing_task = -1;
  probe->nan_task = N - 1;
  BLO_EXPECT_STATUS(blo_lower_track(r.lower, 1, r.x, r.y), BLO_OK);
  BLO_EXPECT_STATUS(blo_eval_settle(r.f.eval), BLO_E_DATA);
  BLO_EXPECT_ERROR_HAS("task 44 fails");
  BLO_EXPECT_STATUS(blo_eval_settle(r.f.eval), BLO_OK);
  close_rig(comm, &r);
}

/* A product fails while CG and the dense solution send scalar products only. Of products that all
 * fail p'Hp is 0 and H singular, which must not be taken for the reason. */
static void failures_in_a_solve_are_told(blo_comm *comm)
{
  rig r;
  blo_vec *hx;
  blo_adjoint_options o = {.iterations = 20, .tol = 1e-9, .type = 0, .batch = 0};
  blo_estimator *e = NULL;
  open_rig(comm, 0, &r);
  fixture_like(r.x, 1, &hx);
  BLO_REQUIRE_STATUS(blo_estimator_create(r.f.eval, &o, 0, 5, NULL, r.state, &e), BLO_OK);
  BLO_EXPECT_STATUS(blo_estimator_compute(e, 0, r.x, r.y, hx), BLO_OK);
  tasks_probe_of(r.f.problem)->failing_products = true;
  BLO_EXPECT_STATUS(blo_estimator_compute(e, 1, r.x, r.y, hx), BLO_E_DATA);
  BLO_EXPECT_ERROR_HAS("H v fails");
  BLO_EXPECT_STATUS(blo_dense_hypergradient(r.f.eval, r.x, r.y, hx, NULL), BLO_E_DATA);
  BLO_EXPECT_ERROR_HAS("H v fails");
  tasks_probe_of(r.f.problem)->failing_products = false;
  BLO_EXPECT_STATUS(blo_estimator_compute(e, 1, r.x, r.y, hx), BLO_OK);
  tasks_probe_of(r.f.problem)->failing_task = 0;
  BLO_EXPECT_STATUS(blo_estimator_compute(e, 1, r.x, r.y, hx), BLO_E_DATA);
  BLO_EXPECT_STATUS(blo_dense_hypergradient(r.f.eval, r.x, r.y, hx, NULL), BLO_E_DATA);
  e->x = r.x; /* one product only: the next sweep of the estimator has not come */
  e->y = r.y;
  BLO_EXPECT_STATUS(blo_estimator_product(e, e->rhs), BLO_OK);
  BLO_EXPECT_STATUS(blo_eval_settle(r.f.eval), BLO_E_DATA);
  BLO_EXPECT_ERROR_HAS("task 0 fails");
  blo_estimator_destroy(&e);
  blo_vec_destroy(&hx);
  close_rig(comm, &r);
}

/* Eight products at once, and nothing is sent; a value makes it one message. */
static void products_send_nothing(blo_comm *comm)
{
  enum { D = BLO_DIRECTIONS_MAX };
  rig r;
  blo_vec *v[D], *hv[D];
  blo_ask ask = {.lower = BLO_WANT_HV | BLO_WANT_Y, .n_v = D};
  open_rig(comm, 0, &r);
  fixture_like(r.y, D, v);
  fixture_like(r.y, D, hv);
  BLO_REQUIRE_STATUS(blo_eval_reserve(r.f.eval, 0, D), BLO_OK);
  blo_answer ans = {.g_y = r.work};
  ask.x = r.x;
  ask.y = r.y;
  for (int i = 0; i < D; i++) {
    blo_check_perturb(r.y, 1, 4, (uint64_t)i, v[i]);
    ask.v[i] = v[i];
    ans.hv[i] = hv[i];
  }
  blo_traffic before = blo_comm_traffic(comm);
  BLO_REQUIRE_STATUS(blo_eval_sweep(r.f.eval, &ask, &ans), BLO_OK);
  blo_traffic after = blo_comm_traffic(comm);
  BLO_EXPECT_ALL(memcmp(&before, &after, sizeof before) == 0);
  BLO_EXPECT_ALL(blo_eval_counts(r.f.eval)->hv == D && blo_eval_counts(r.f.eval)->samples == N);
  ask.lower |= BLO_WANT_VALUE;
  BLO_REQUIRE_STATUS(blo_eval_sweep(r.f.eval, &ask, &ans), BLO_OK);
  BLO_EXPECT_ALL(blo_comm_traffic(comm).reductions == after.reductions + 1);
  BLO_EXPECT_ALL(blo_comm_traffic(comm).bytes == after.bytes + 8 * (3 + BLO_N_NOTICES));
  fixture_free_vecs(D, v);
  fixture_free_vecs(D, hv);
  close_rig(comm, &r);
}

static void notices_wait(blo_comm *comm)
{
  rig r;
  open_rig(comm, 0, &r);
  if (blo_comm_rank(comm) == blo_comm_size(comm) - 1) {
    blo_eval_notify(r.f.eval, BLO_NOTICE_TIME);
  }
  BLO_REQUIRE_STATUS(blo_lower_track(r.lower, 0, r.x, r.y), BLO_OK);
  BLO_EXPECT_ALL(!blo_eval_noticed(r.f.eval, BLO_NOTICE_TIME));
  BLO_REQUIRE_STATUS(speak(&r), BLO_OK);
  BLO_EXPECT_ALL(blo_eval_noticed(r.f.eval, BLO_NOTICE_TIME));
  close_rig(comm, &r);
}

/* -------------------------------------------------------------- batches */

static bool same_batch(const blo_batch *a, const blo_batch *b, blo_int own_shards)
{
  return a->n == b->n && a->n_own == b->n_own &&
         memcmp(a->start, b->start, (size_t)(own_shards + 1) * sizeof *a->start) == 0 &&
         memcmp(a->row, b->row, (size_t)a->n_own * sizeof *a->row) == 0;
}

/* Every block of a method and every inner step has the tasks of the outer iteration. */
static void blocks_draw_one_batch(blo_comm *comm)
{
  static const blo_purpose purposes[] = {BLO_PURPOSE_LOWER, BLO_PURPOSE_UPPER, BLO_PURPOSE_ADJOINT,
                                         BLO_PURPOSE_CROSS};
  blo_int own = blo_comm_end_shard(comm, TASKS_SHARDS) - blo_comm_first_shard(comm, TASKS_SHARDS);
  blo_sampler *plain = NULL, *s[4] = {NULL};
  fixture f;
  fixture_make(comm, FIXTURE_TASKS, "", BLO_REPRODUCIBLE, &f);
  BLO_REQUIRE_STATUS(blo_sampler_create(comm, 6, BLO_PURPOSE_TASKS, N, TASKS_SHARDS, 11, &plain),
                     BLO_OK);
  for (int i = 0; i < 4; i++) {
    BLO_REQUIRE_STATUS(blo_eval_sampler(f.eval, 6, purposes[i], 11, &s[i]), BLO_OK);
    BLO_EXPECT_ALL(blo_eval_one_batch(f.eval, s[i]));
  }
  for (blo_int k = 0; k < 3; k++) {
    const blo_batch *want = blo_sampler_draw(plain, (uint64_t)k);
    for (int i = 0; i < 4; i++) {
      for (blo_int t = 0; t < 3; t++) {
        BLO_EXPECT_ALL(same_batch(blo_eval_draw(f.eval, s[i], k, 3, t), want, own));
      }
    }
  }
  blo_sampler *other = NULL;
  BLO_EXPECT_STATUS(blo_eval_sampler(f.eval, 6, BLO_PURPOSE_UPPER, 12, &other), BLO_E_OPTION);
  BLO_EXPECT_ERROR_HAS("batches of 11 and of 12 tasks");
  BLO_EXPECT_STATUS(blo_eval_sampler(f.eval, 6, BLO_PURPOSE_UPPER, 0, &other), BLO_E_OPTION);
  for (int i = 0; i < 4; i++) {
    blo_sampler_destroy(&s[i]);
  }
  blo_sampler_destroy(&plain);
  fixture_free(comm, &f);
}

/* Other problems have a batch for each block and step, by purpose and number. */
static void other_problems_draw_as_ever(blo_comm *comm)
{
  blo_int own = blo_comm_end_shard(comm, 16) - blo_comm_first_shard(comm, 16);
  blo_sampler *plain = NULL, *sampler = NULL, *full = NULL;
  fixture f;
  fixture_make(comm, FIXTURE_QUADRATIC, "", BLO_REPRODUCIBLE, &f);
  BLO_REQUIRE_STATUS(blo_sampler_create(comm, 6, BLO_PURPOSE_UPPER, QUADRATIC_M, 16, 11, &plain),
                     BLO_OK);
  BLO_REQUIRE_STATUS(blo_eval_sampler(f.eval, 6, BLO_PURPOSE_UPPER, 11, &sampler), BLO_OK);
  BLO_REQUIRE_STATUS(blo_eval_sampler(f.eval, 6, BLO_PURPOSE_LOWER, 0, &full), BLO_OK);
  BLO_EXPECT_ALL(!blo_eval_one_batch(f.eval, sampler) && blo_eval_one_batch(f.eval, full));
  const blo_batch *batch = blo_eval_draw(f.eval, sampler, 5, 7, 2);
  BLO_EXPECT_ALL(same_batch(batch, blo_sampler_draw(plain, 5 * 7 + 2), own));
  blo_sampler_destroy(&plain);
  blo_sampler_destroy(&sampler);
  blo_sampler_destroy(&full);
  fixture_free(comm, &f);
}

static void method_with_two_sizes_is_refused(blo_comm *comm)
{
  static const char *const texts[] = {
      "lower: {batch: 10}\nadjoint: {batch: 10}\nupper: {batch: 9}\n",
      "lower: {batch: 10}\nupper: {batch: 0}\n"};
  static const char *const methods[] = {"stocbio", "soba"};
  for (int i = 0; i < 2; i++) {
    fixture f;
    fixture_make(comm, FIXTURE_TASKS, "", BLO_REPRODUCIBLE, &f);
    ride_expect_refused(&f, methods[i], texts[i], BLO_E_OPTION,
                        "all blocks of a method need the same batch size");
    fixture_free(comm, &f);
  }
}

/* ---------------------------------------------------------------- sizes */

static void unpack(const blo_problem *p, const double *packed, double *y)
{
  memcpy(y, packed, (size_t)p->n_y * sizeof *y);
}

/* What does not go together is refused when the evaluator is made. */
static void contradictions_are_refused(blo_comm *comm)
{
  for (int which = 0; which < 4; which++) {
    static const char *const texts[] = {"f has as many samples as g", "but n_y is",
                                        "cannot be packed", "cannot be aligned"};
    blo_problem_type type = blo_problem_test_tasks;
    blo_problem *p = NULL;
    blo_eval *e = NULL;
    BLO_REQUIRE_STATUS(blo_problem_create(comm, &type, NULL, &p), BLO_OK);
    p->n_upper -= which == 0;
    p->n_y += which == 1;
    type.unpack = which == 2 ? unpack : NULL;
    p->x_aligned = which == 3;
    p->n_x = which == 3 ? p->n_lower : p->n_x;
    p->has = which == 3 ? BLO_HAS_G_X : p->has;
    blo_status want = which < 2 ? BLO_E_SHAPE : BLO_E_UNSUPPORTED;
    BLO_EXPECT_STATUS(blo_eval_create(p, BLO_REPRODUCIBLE, &e), want);
    BLO_EXPECT_ERROR_HAS(texts[which]);
    blo_problem_destroy(&p);
  }
}

/* -------------------------------------------------------------- restart */

static void open_run(blo_comm *comm, ride *r)
{
  static const char text[] = "lower: {steps: 3, batch: 20, step: 0.1, momentum: 0.4}\n"
                             "adjoint: {iterations: 3, batch: 20, step: 0.1, warm_start: true}\n"
                             "upper: {batch: 20, step: 0.2}\n";
  ride_fixture(comm, FIXTURE_TASKS, "stocbio", text, 17, r);
}

/* Four more iterations, and what they come to. */
static void go_on(ride *r, uint32_t crc[2])
{
  ride_to(r, r->s->k + 4);
  BLO_REQUIRE_STATUS(blo_vec_checksum(r->s->x, &crc[0]), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_checksum(r->s->y, &crc[1]), BLO_OK);
}

/* y, the momentum and v go through a checkpoint, to the same ranks and to each rank alone. */
static void checkpoint_continues_on_other_ranks(blo_comm *comm)
{
  char folder[256], path[512];
  blo_comm *self = NULL;
  blo_comm *resumed[2] = {comm, NULL};
  uint32_t want[2], got[2];
  ride r, s;
  blo_test_tmpdir(comm, folder, sizeof folder);
  BLO_REQUIRE_STATUS(blo_comm_create(blo_comm_context(comm), MPI_COMM_SELF, &self), BLO_OK);
  resumed[1] = self;
  open_run(comm, &r);
  go_on(&r, want);
  blo_snapshot snap = {.iteration = 4,
                       .problem = "test_tasks",
                       .solver = "stocbio",
                       .config = "",
                       .version = "test",
                       .state = r.s->state};
  BLO_REQUIRE_STATUS(blo_checkpoint_save(comm, folder, "t", 1, &snap, path, sizeof path), BLO_OK);
  go_on(&r, want);
  for (int i = 0; i < 2; i++) {
    open_run(resumed[i], &s);
    snap.state = s.s->state;
    BLO_REQUIRE_STATUS(blo_checkpoint_load(resumed[i], path, &snap), BLO_OK);
    go_on(&s, got);
    BLO_EXPECT_MSG(memcmp(got, want, sizeof got) == 0, "other bits %s",
                   i == 0 ? "after a restart" : "on one rank");
    ride_close(resumed[i], &s);
  }
  ride_close(comm, &r);
  blo_comm_destroy(&self);
}

static void metrics_see_all_tasks(blo_comm *comm)
{
  rig r;
  double value, norm;
  open_rig(comm, 0, &r);
  norm = blo_vec_norm(r.y);
  BLO_REQUIRE_STATUS(blo_eval_metrics(r.f.eval, r.x, r.y, &value), BLO_OK);
  BLO_EXPECT_NEAR(value, norm * norm / N, 1e-14, 0, "the norm of y");
  BLO_EXPECT_SAME(value);
  close_rig(comm, &r);
}

static const blo_test tests[] = {
    {"lower track sends nothing", lower_track_sends_nothing},
    {"tasks that wait stand still", tasks_that_wait_stand_still},
    {"lower track uses x-parts again", lower_track_uses_x_parts_again},
    {"same_x changes no bit", same_x_changes_no_bit},
    {"silent failures become everybody's", silent_failures_become_everybodys},
    {"first failure is told", first_failure_is_told},
    {"failures in a solve are told", failures_in_a_solve_are_told},
    {"products send nothing", products_send_nothing},
    {"notices wait", notices_wait},
    {"blocks draw one batch", blocks_draw_one_batch},
    {"other problems draw as ever", other_problems_draw_as_ever},
    {"method with two sizes is refused", method_with_two_sizes_is_refused},
    {"contradictions are refused", contradictions_are_refused},
    {"checkpoint continues on other ranks", checkpoint_continues_on_other_ranks},
    {"metrics see all tasks", metrics_see_all_tasks},
};
BLO_TEST_MAIN("tasks", tests)

/* Few-shot learning beyond its derivatives and episodes: what is sent, which tasks a batch touches,
 * the test tasks against plain loops, and test data that do not belong with the training data. */
#include "model_check.h"
#include "ride.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static void open_conf(blo_comm *comm, const char *text, fixture *f)
{
  *f = (fixture){NULL, NULL, NULL};
  BLO_REQUIRE_STATUS(blo_conf_parse(blo_comm_context(comm), "test", text, &f->conf), BLO_OK);
  BLO_REQUIRE_STATUS(blo_problem_create(comm, blo_problem_find("few_shot"), f->conf, &f->problem),
                     BLO_OK);
  BLO_REQUIRE_STATUS(blo_eval_create(f->problem, BLO_REPRODUCIBLE, &f->eval), BLO_OK);
}

static void open_fixture(blo_comm *comm, fixture *f)
{
  char folder[256];
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  fixture_make(comm, FIXTURE_FEW_SHOT, folder, BLO_REPRODUCIBLE, f);
}

/* -------------------------------------------------------------- messages */

/* Gradients and products in y are each rank's own; grad_x f and J v are one message. */
static void lower_level_sends_nothing(blo_comm *comm)
{
  fixture f;
  blo_vec *x, *y, *gy, *hv, *jv;
  open_fixture(comm, &f);
  fixture_point(&f, &x, &y);
  fixture_like(y, 1, &gy);
  fixture_like(y, 1, &hv);
  fixture_like(x, 1, &jv);
  BLO_REQUIRE_STATUS(blo_eval_reserve(f.eval, f.problem->n_lower, 1), BLO_OK);
  blo_traffic before = blo_comm_traffic(comm);
  for (int t = 0; t < 5; t++) {
    blo_ask ask = {.lower = BLO_WANT_Y, .x = x, .y = y, .linearize = true, .same_x = t > 0};
    blo_answer ans = {.g_y = gy};
    BLO_REQUIRE_STATUS(blo_eval_sweep(f.eval, &ask, &ans), BLO_OK);
    blo_vec_axpy(-0.1, gy, y);
  }
  blo_ask ask = {.lower = BLO_WANT_HV, .x = x, .y = y, .n_v = 1, .v = {gy}};
  blo_answer ans = {.hv = {hv}, .jv = {jv}};
  BLO_REQUIRE_STATUS(blo_eval_sweep(f.eval, &ask, &ans), BLO_OK);
  blo_traffic after = blo_comm_traffic(comm);
  BLO_EXPECT_ALL(memcmp(&before, &after, sizeof before) == 0);
  ask.lower |= BLO_WANT_JV;
  BLO_REQUIRE_STATUS(blo_eval_sweep(f.eval, &ask, &ans), BLO_OK);
  BLO_EXPECT_ALL(blo_comm_traffic(comm).reductions == after.reductions + 1);
  BLO_EXPECT_ALL(blo_vec_norm(gy) > 1e-3 && blo_vec_norm(hv) > 1e-4 && blo_vec_norm(jv) > 1e-4);
  blo_vec *all[] = {x, y, gy, hv, jv};
  fixture_free_vecs(5, all);
  fixture_free(comm, &f);
}

/* ---------------------------------------------------------------- batches */

enum { TASKS = 8, BATCH = 4 };

/* Which tasks' parts of a y-vector are not zero: as bits. */
static unsigned tasks_in(blo_comm *comm, const fixture *f, const blo_vec *y)
{
  double all[4000];
  unsigned bits = 0;
  BLO_REQUIRE_ALL(f->problem->n_y <= 4000 && f->problem->n_lower == TASKS);
  blo_vec_gather(y, all);
  blo_bcast(comm, BLO_ROOT, all, f->problem->n_y * (blo_int)sizeof *all);
  for (blo_int i = 0; i < f->problem->n_y; i++) {
    bits |= (all[i] < 0 || all[i] > 0 ? 1u : 0u) << i / f->problem->y_width;
  }
  return bits;
}

/* The first iteration starts with y = 0 and v = 0: both move on the same tasks only. */
static void blocks_share_a_batch_of_tasks(blo_comm *comm)
{
  fixture f;
  blo_report r;
  open_fixture(comm, &f);
  blo_solver *s =
      ride_make(&f, "stocbio",
                "lower: {steps: 3, step: 0.1, batch: 4}\nadjoint: {iterations: 3, "
                "step: 0.1, batch: 4, warm_start: true}\nupper: {step: 0.1, batch: 4}\n",
                3);
  BLO_REQUIRE_STATUS(blo_solver_step(s, &r), BLO_OK);
  const blo_state_entry *v = blo_state_find(s->state, "adjoint.v");
  BLO_REQUIRE_ALL(v != NULL);
  unsigned of_y = tasks_in(comm, &f, s->y), of_v = tasks_in(comm, &f, v->at.vec);
  int n = 0;
  for (int t = 0; t < TASKS; t++) {
    n += (of_y >> t & 1) != 0;
  }
  BLO_EXPECT_MSG(n == BATCH && of_y == of_v, "%d tasks; y %x, v %x", n, of_y, of_v);
  blo_solver_destroy(&s);
  fixture_free(comm, &f);
}

static void other_batch_sizes_are_refused(blo_comm *comm)
{
  fixture f;
  open_fixture(comm, &f);
  ride_expect_refused(&f, "stocbio", "lower: {batch: 4}\nadjoint: {batch: 4}\nupper: {batch: 2}\n",
                      BLO_E_OPTION,
                      "tasks: y belongs to tasks in problem 'few_shot', so all blocks");
  fixture_free(comm, &f);
}

/* ------------------------------------------------------------- test tasks */

enum { WAYS = 3, SHOTS = 2, QUERIES = 3, PLACES = 4, STEPS = 7, N_TEST = 32 };
static const double step = 0.3, reg = 0.02;

/* Test classes 0, 1, 2, 3 with 20 equal samples each, whose features are e_0, e_1, e_1, e_2: class
 * 1 and 2 cannot be told apart. Training classes are e_0 ... e_3. */
static void write_places(blo_comm *comm, const char *path, bool test)
{
  if (blo_comm_rank(comm) == 0) {
    FILE *to = fopen(path, "w");
    BLO_BUG_IF(to == NULL, "cannot write %s", path);
    for (int i = 0; i < 20 * PLACES; i++) {
      int class = i % PLACES, place = test && class >= 2 ? class - 1 : class;
      for (int k = 0; k < PLACES; k++) {
        fprintf(to, "%d,", k == place);
      }
      fprintf(to, "%d\n", class);
    }
    fclose(to);
  }
  MPI_Barrier(blo_comm_mpi(comm));
}

/* Logits of a layer at e_place. */
static void logits(double w[PLACES][WAYS], const double *b, int place, double *p, double *sum)
{
  *sum = 0;
  for (int c = 0; c < WAYS; c++) {
    p[c] = exp(w[place][c] + b[c]);
    *sum += p[c];
  }
}

/* Mean loss of the queries of a task whose classes are at these places, after the gradient steps.
 */
static double adapted_loss(const int *place)
{
  double w[PLACES][WAYS] = {{0}}, b[WAYS] = {0}, p[WAYS], sum, loss = 0;
  for (int t = 0; t < STEPS; t++) {
    double gw[PLACES][WAYS], gb[WAYS];
    for (int c = 0; c < WAYS; c++) {
      for (int k = 0; k < PLACES; k++) {
        gw[k][c] = 2 * reg * w[k][c];
      }
      gb[c] = 2 * reg * b[c];
    }
    for (int l = 0; l < WAYS; l++) {
      logits(w, b, place[l], p, &sum);
      for (int c = 0; c < WAYS; c++) {
        double r = (p[c] / sum - (c == l)) / WAYS;
        gw[place[l]][c] += r;
        gb[c] += r;
      }
    }
    for (int c = 0; c < WAYS; c++) {
      for (int k = 0; k < PLACES; k++) {
        w[k][c] -= step * gw[k][c];
      }
      b[c] -= step * gb[c];
    }
  }
  for (int l = 0; l < WAYS; l++) {
    logits(w, b, place[l], p, &sum);
    loss += log(sum / p[l]) / WAYS;
  }
  return loss;
}

/* Of the tasks that have both classes at e_1, a third of the queries is wrong; share q of all. */
static void test_tasks_are_adapted(blo_comm *comm)
{
  static const int twins[] = {0, 1, 1}, others[] = {0, 1, 2};
  char folder[256], train[300], test[300], text[1500];
  fixture f;
  blo_vec *x, *y;
  double got[3];
  blo_test_tmpdir(comm, folder, sizeof folder);
  snprintf(train, sizeof train, "%s/train.csv", folder);
  snprintf(test, sizeof test, "%s/test.csv", folder);
  write_places(comm, train, false);
  write_places(comm, test, true);
  snprintf(text, sizeof text,
           "train: {path: %s}\ntest: {path: %s}\nmodel: {type: mlp, activation: relu, hidden: %d}\n"
           "ways: %d\nshots: %d\nqueries: %d\nepisodes: 8\ntest_episodes: %d\nshards: 4\n"
           "adapt_steps: %d\nadapt_step: %g\nreg: %g\n",
           train, test, PLACES, WAYS, SHOTS, QUERIES, N_TEST, STEPS, step, reg);
  open_conf(comm, text, &f);
  fixture_point(&f, &x, &y);
  blo_vec_fill(x, 0);
  const blo_block *w = blo_params_find(f.problem->params, "mlp.1.W");
  for (int k = 0; k < PLACES; k++) {
    x->data[w->offset + k * (PLACES + 1)] = 1;
  }
  blo_vec_publish(x);
  BLO_REQUIRE_STATUS(blo_eval_metrics(f.eval, x, y, got), BLO_OK);
  double q = 3 * (1 - got[0]), n = q * N_TEST;
  BLO_EXPECT_MSG(fabs(n - round(n)) < 1e-9 && n > 6 && n < 26, "accuracy %.17g", got[0]);
  BLO_EXPECT_NEAR(got[1], 1.96 * sqrt(q * (1 - q) / N_TEST) / 3, 1e-10, 0, "binomial");
  BLO_EXPECT_NEAR(got[2], q * adapted_loss(twins) + (1 - q) * adapted_loss(others), 1e-13, 0,
                  "plain loops");
  BLO_EXPECT_ALL(adapted_loss(twins) > 1.05 * adapted_loss(others));
  blo_vec_destroy(&x);
  blo_vec_destroy(&y);
  fixture_free(comm, &f);
}

/* ------------------------------------------- data that do not go together */

static void write_text(blo_comm *comm, const char *folder, const char *name, blo_int words)
{
  blo_context *ctx = blo_comm_context(comm);
  static const char *const group[] = {"train"};
  char path[512];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  if (blo_comm_rank(comm) == 0) {
    blo_table *t = NULL;
    BLO_BUG_IF(model_random_tokens(ctx, 80, 4, words, 4, 5, &t) != BLO_OK ||
                   blo_table_write(ctx, path, 1, group, &(const blo_table *){t}) != BLO_OK,
               "%s", blo_error_text(ctx));
    blo_table_destroy(ctx, &t);
  }
  MPI_Barrier(blo_comm_mpi(comm));
}

/* Other classes are wanted of test data; other features, or words by other numbers, are not. */
static void strange_test_data_are_refused(blo_comm *comm)
{
  static const struct {
    const char *train, *test, *model, *text;
  } wrong[] = {
      {"data.csv", "data.svm", "mlp", "is sparse"},
      {"texts7.h5", "texts9.h5", "lstm", "another one of 9"},
      {"texts7.h5", "numbers.csv", "lstm", "has numbers"},
      {"numbers.csv", "data.csv", "mlp", "features"},
      {"data.svm", "data.svm", "mlp", "sparse features are not supported"},
      {"data.csv", "", "linear", "no representation to learn"},
      {"texts7.h5", "", "mlp", "texts"},
      {"data.csv", "", "lstm", "no tokens"},
  };
  char folder[256], path[512];
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  write_text(comm, folder, "texts7.h5", 7);
  write_text(comm, folder, "texts9.h5", 9);
  snprintf(path, sizeof path, "%s/numbers.csv", folder);
  write_places(comm, path, false);
  for (int i = 0; i < BLO_COUNT_OF(wrong); i++) {
    char text[1500], test[600] = "";
    blo_conf *conf = NULL;
    blo_problem *p = NULL;
    if (wrong[i].test[0] != '\0') {
      snprintf(test, sizeof test, "test: {path: %s/%s}\n", folder, wrong[i].test);
    }
    snprintf(text, sizeof text,
             "train: {path: %s/%s}\n%smodel: {type: %s, hidden: 2, embedding: 2}\nways: 3\nshots: "
             "1\nqueries: 2\nepisodes: 4\ntest_episodes: 4\nshards: 4\nscaling: none\n",
             folder, wrong[i].train, test, wrong[i].model);
    BLO_REQUIRE_STATUS(blo_conf_parse(blo_comm_context(comm), "test", text, &conf), BLO_OK);
    blo_status status = blo_problem_create(comm, blo_problem_find("few_shot"), conf, &p);
    BLO_EXPECT_MSG(status != BLO_OK, "%s, %s, %s", wrong[i].train, wrong[i].test, wrong[i].model);
    if (status != BLO_OK) {
      BLO_EXPECT_ERROR_HAS(wrong[i].text);
    }
    blo_problem_destroy(&p);
    blo_conf_destroy(&conf);
  }
}

/* Set-ups in which every allocation and every file operation fails once. */
typedef struct attempt {
  const char *type, *text;
} attempt;

static blo_status set_up(blo_comm *comm, void *arg)
{
  const attempt *a = arg;
  blo_status status = BLO_OK;
  blo_conf *conf = NULL;
  blo_problem *p = NULL;
  blo_eval *eval = NULL;
  BLO_GO_ALL(comm, blo_conf_parse(blo_comm_context(comm), "test", a->text, &conf));
  BLO_GO(blo_problem_create(comm, blo_problem_find(a->type), conf, &p));
  BLO_GO(blo_eval_create(p, BLO_REPRODUCIBLE, &eval));
done:
  blo_eval_destroy(&eval);
  blo_problem_destroy(&p);
  blo_conf_destroy(&conf);
  return status;
}

static void failures_of_set_up_are_everybodys(blo_comm *comm)
{
  static const char *const texts[][2] = {
      {"few_shot", "train: {path: %s/images.h5, group: train}\ntest: {path: %s/images.h5, group: "
                   "test}\nmodel: {type: conv, layers: 1, filters: 2}\nways: 2\nepisodes: 4\n"
                   "test_episodes: 4\nshards: 4\n"},
      {"hyper_cleaning", "model: {type: gru, hidden: 2, embedding: 2}\ncorrupt: 0.2\ndata: {train: "
                         "{path: %s/texts.h5}, n_train: 40, n_val: 20, shards: 4, scaling: none}\n"
                         "# %s\n"}};
  char folder[256], text[1500];
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  for (int i = 0; i < BLO_COUNT_OF(texts); i++) {
    attempt a = {texts[i][0], text};
    snprintf(text, sizeof text, texts[i][1], folder, folder);
    BLO_EXPECT_ALL(blo_test_sweep_faults(comm, set_up, &a) > 50);
  }
}

static const blo_test tests[] = {
    {"lower level sends nothing", lower_level_sends_nothing},
    {"blocks share a batch of tasks", blocks_share_a_batch_of_tasks},
    {"other batch sizes are refused", other_batch_sizes_are_refused},
    {"test tasks are adapted", test_tasks_are_adapted},
    {"strange test data are refused", strange_test_data_are_refused},
    {"failures of set-up are everybody's", failures_of_set_up_are_everybodys},
};
BLO_TEST_MAIN("few_shot", tests)

/* Few-shot episodes, read back through the oracles: sample k has the features e_k (a one at place
 * k), the representation is the identity, and at y = 0 the derivative of a task's loss in
 * W[k][c] is (1/N - [sample k is in class c]) / n if k is among the task's n samples, else 0. */
#include "fixture.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES = 8, SAMPLES = 44, WAYS = 3, SHOTS = 1, QUERIES = 2, EPISODES = 512 };

static int class_of(int sample)
{
  return sample % CLASSES; /* four classes of six samples, four of five */
}

/* Which samples an episode has for each of its classes. */
typedef struct episode {
  int n_support, n_queries;
  int support[WAYS * SHOTS], support_label[WAYS * SHOTS];
  int query[WAYS * QUERIES], query_label[WAYS * QUERIES];
} episode;

static void write_samples(blo_comm *comm, const char *path)
{
  if (blo_comm_rank(comm) == 0) {
    FILE *to = fopen(path, "w");
    BLO_BUG_IF(to == NULL, "cannot write %s", path);
    for (int i = 0; i < SAMPLES; i++) {
      for (int k = 0; k < SAMPLES; k++) {
        fprintf(to, "%d,", k == i);
      }
      fprintf(to, "%d\n", class_of(i));
    }
    fclose(to);
  }
  MPI_Barrier(blo_comm_mpi(comm));
}

/* phi(a) = relu(a), which is a. */
static void set_identity(const fixture *f, blo_vec *x)
{
  const blo_block *w = blo_params_find(f->problem->params, "mlp.1.W");
  BLO_REQUIRE_ALL(w != NULL && w->dim[0] == SAMPLES && w->dim[1] == SAMPLES);
  blo_vec_fill(x, 0);
  for (int k = 0; k < SAMPLES; k++) {
    x->data[w->offset + k * (SAMPLES + 1)] = 1;
  }
  blo_vec_publish(x);
}

/* The samples of which the derivatives tell. @return how many, -1 if they make no sense */
static int decode(const double *g, double n, int most, int *sample, int *label)
{
  int found = 0;
  for (int k = 0; k < SAMPLES; k++) {
    int own = -1, others = 0;
    for (int c = 0; c < WAYS; c++) {
      double a = n * g[k * WAYS + c];
      own = fabs(a - (1.0 / WAYS - 1)) < 1e-12 ? c : own;
      others += fabs(a - 1.0 / WAYS) < 1e-12;
    }
    if (own >= 0) {
      if (others != WAYS - 1 || found == most) {
        return -1;
      }
      sample[found] = k;
      label[found++] = own;
    }
  }
  return found;
}

/* Draw n episodes. @param[out] out [n], the same on every rank */
static void draw(blo_comm *comm, const char *path, int n, int shards, int seed, episode *out)
{
  char text[1024];
  fixture f = {NULL, NULL, NULL};
  blo_vec *x = NULL, *y = NULL, *g[2] = {NULL, NULL};
  snprintf(text, sizeof text,
           "train: {path: %s}\nmodel: {type: mlp, activation: relu, hidden: %d}\nways: %d\nshots: "
           "%d\nqueries: %d\nepisodes: %d\nshards: %d\nseed: %d\n",
           path, SAMPLES, WAYS, SHOTS, QUERIES, n, shards, seed);
  BLO_REQUIRE_STATUS(blo_conf_parse(blo_comm_context(comm), "test", text, &f.conf), BLO_OK);
  BLO_REQUIRE_STATUS(blo_problem_create(comm, blo_problem_find("few_shot"), f.conf, &f.problem),
                     BLO_OK);
  BLO_REQUIRE_STATUS(blo_eval_create(f.problem, BLO_REPRODUCIBLE, &f.eval), BLO_OK);
  fixture_point(&f, &x, &y);
  set_identity(&f, x);
  blo_vec_fill(y, 0);
  fixture_like(y, 2, g);
  blo_ask ask = {.lower = BLO_WANT_Y, .upper = BLO_WANT_Y, .x = x, .y = y};
  blo_answer ans = {.g_y = g[0], .f_y = g[1]};
  BLO_REQUIRE_STATUS(blo_eval_sweep(f.eval, &ask, &ans), BLO_OK);
  blo_int width = f.problem->y_width, n_y = f.problem->n_y;
  double *all[2] = {calloc((size_t)n_y, sizeof(double)), calloc((size_t)n_y, sizeof(double))};
  for (int level = 0; level < 2; level++) {
    blo_vec_gather(g[level], all[level]);
    blo_bcast(comm, BLO_ROOT, all[level], n_y * (blo_int)sizeof(double));
  }
  BLO_REQUIRE_ALL(width == (SAMPLES + 1) * WAYS && n_y == n * width);
  for (int e = 0; e < n; e++) { /* g is the sum over the tasks, f their mean */
    out[e].n_support = decode(all[0] + e * width, WAYS * SHOTS, WAYS * SHOTS, out[e].support,
                              out[e].support_label);
    out[e].n_queries = decode(all[1] + e * width, (double)(n * WAYS * QUERIES), WAYS * QUERIES,
                              out[e].query, out[e].query_label);
  }
  free(all[0]);
  free(all[1]);
  blo_vec *vecs[] = {x, y, g[0], g[1]};
  fixture_free_vecs(4, vecs);
  fixture_free(comm, &f);
}

static const char *make_samples(blo_comm *comm)
{
  static char path[512];
  char folder[256];
  blo_test_tmpdir(comm, folder, sizeof folder);
  snprintf(path, sizeof path, "%s/samples.csv", folder);
  write_samples(comm, path);
  return path;
}

/* ------------------------------------------------------------------ tests */

/* Each of N labels stands for one class, another for each label, and has K and Q samples of it. */
static bool is_proper(const episode *e)
{
  int class[WAYS] = {-1, -1, -1}, times[WAYS] = {0};
  if (e->n_support != WAYS * SHOTS || e->n_queries != WAYS * QUERIES) {
    return false;
  }
  for (int i = 0; i < e->n_support; i++) {
    int l = e->support_label[i];
    if (class[l] >= 0) {
      return false;
    }
    class[l] = class_of(e->support[i]);
  }
  for (int i = 0; i < e->n_queries; i++) {
    int l = e->query_label[i];
    times[l]++;
    if (class_of(e->query[i]) != class[l] || e->query[i] == e->support[0] ||
        e->query[i] == e->support[1] || e->query[i] == e->support[2]) {
      return false;
    }
  }
  return class[0] != class[1] && class[0] != class[2] && class[1] != class[2] &&
         times[0] == QUERIES && times[1] == QUERIES && times[2] == QUERIES;
}

static void classes_and_samples_are_distinct(blo_comm *comm)
{
  episode *e = calloc(EPISODES, sizeof *e);
  int proper = 0, ordered = 0;
  draw(comm, make_samples(comm), EPISODES, 8, 1, e);
  for (int i = 0; i < EPISODES; i++) {
    proper += is_proper(&e[i]);
    ordered += e[i].n_support == WAYS && e[i].support_label[0] < e[i].support_label[1];
  }
  BLO_EXPECT_MSG(proper == EPISODES, "%d of %d episodes are proper", proper, EPISODES);
  /* which sample comes first in the file says nothing about the label */
  BLO_EXPECT_MSG(abs(2 * ordered - EPISODES) < 4 * sqrt(EPISODES), "%d in order", ordered);
  free(e);
}

/* Pearson's statistic; draws without replacement vary less than independent ones, so it is below
 * its bound for those. */
static double chi_square(int n, const int *count, const double *expected)
{
  double sum = 0;
  for (int i = 0; i < n; i++) {
    sum += (count[i] - expected[i]) * (count[i] - expected[i]) / expected[i];
  }
  return sum;
}

/* Bounds: 0.999 of the chi-square distributions with 7 and with 43 degrees of freedom. */
static void all_occur_equally_often(blo_comm *comm)
{
  episode *e = calloc(EPISODES, sizeof *e);
  int class[CLASSES] = {0}, support[SAMPLES] = {0}, query[SAMPLES] = {0};
  double of_class[CLASSES], in_support[SAMPLES], in_queries[SAMPLES];
  draw(comm, make_samples(comm), EPISODES, 8, 1, e);
  for (int i = 0; i < EPISODES; i++) {
    for (int k = 0; k < e[i].n_support; k++) {
      class[class_of(e[i].support[k])]++;
      support[e[i].support[k]]++;
    }
    for (int k = 0; k < e[i].n_queries; k++) {
      query[e[i].query[k]]++;
    }
  }
  for (int c = 0; c < CLASSES; c++) {
    of_class[c] = (double)EPISODES * WAYS / CLASSES;
  }
  for (int k = 0; k < SAMPLES; k++) {
    double size = class_of(k) < SAMPLES % CLASSES ? SAMPLES / CLASSES + 1 : SAMPLES / CLASSES;
    in_support[k] = of_class[0] * SHOTS / size;
    in_queries[k] = of_class[0] * QUERIES / size;
  }
  double a = chi_square(CLASSES, class, of_class), b = chi_square(SAMPLES, support, in_support);
  double c = chi_square(SAMPLES, query, in_queries);
  BLO_EXPECT_MSG(a > 0.1 && a < 24.3, "classes: chi-square %.3g", a);
  BLO_EXPECT_MSG(b > 10 && b < 77.4, "samples of the support: chi-square %.3g", b);
  BLO_EXPECT_MSG(c > 5 && c < 77.4, "queries: chi-square %.3g", c);
  free(e);
}

/* Episode e is a function of the seed and e. */
static void episodes_know_seed_and_number_only(blo_comm *comm)
{
  enum { FEW = 16 };
  const char *path = make_samples(comm);
  blo_comm *self = NULL;
  episode few[FEW], more[2 * FEW], alone[FEW], other[FEW];
  BLO_REQUIRE_STATUS(blo_comm_create(blo_comm_context(comm), MPI_COMM_SELF, &self), BLO_OK);
  memset(few, 0, sizeof few);
  memset(more, 0, sizeof more);
  memset(alone, 0, sizeof alone);
  memset(other, 0, sizeof other);
  draw(comm, path, FEW, 4, 5, few);
  draw(comm, path, 2 * FEW, 16, 5, more);
  draw(self, path, FEW, 1, 5, alone);
  draw(comm, path, FEW, 4, 6, other);
  BLO_EXPECT_ALL(memcmp(few, more, sizeof few) == 0);
  BLO_EXPECT_ALL(memcmp(few, alone, sizeof few) == 0);
  int same = 0;
  for (int e = 0; e < FEW; e++) {
    same += memcmp(&few[e], &other[e], sizeof few[e]) == 0;
  }
  BLO_EXPECT_MSG(same == 0 && memcmp(&few[0], &few[1], sizeof few[0]) != 0,
                 "%d episodes of another seed are the same", same);
  blo_comm_destroy(&self);
}

static void what_does_not_go_is_refused(blo_comm *comm)
{
  static const struct {
    const char *options;
    bool test; /* with test tasks */
    blo_status status;
    const char *text;
  } wrong[] = {
      {"ways: 9\nepisodes: 16", false, BLO_E_DATA, "has 8 classes: too few for ways = 9"},
      {"shots: 3\nqueries: 3\nepisodes: 16", false, BLO_E_DATA,
       "class 4 has 5 samples: too few for shots = 3 and queries = 3"},
      {"queries: 2\nepisodes: 12", false, BLO_E_OPTION,
       "12 episodes are no multiple of the 8 shards"},
      {"queries: 2\nepisodes: 16\ntest_episodes: 20", true, BLO_E_OPTION,
       "20 episodes are no multiple of the 8 shards"},
  };
  const char *path = make_samples(comm);
  for (int i = 0; i < BLO_COUNT_OF(wrong); i++) {
    char test[600] = "", text[1500];
    blo_conf *conf = NULL;
    blo_problem *p = NULL;
    if (wrong[i].test) {
      snprintf(test, sizeof test, "test: {path: %s}\n", path);
    }
    snprintf(text, sizeof text, "train: {path: %s}\n%smodel: {type: mlp}\nshards: 8\n%s\n", path,
             test, wrong[i].options);
    BLO_REQUIRE_STATUS(blo_conf_parse(blo_comm_context(comm), "test", text, &conf), BLO_OK);
    BLO_EXPECT_STATUS(blo_problem_create(comm, blo_problem_find("few_shot"), conf, &p),
                      wrong[i].status);
    BLO_EXPECT_ERROR_HAS(wrong[i].text);
    blo_conf_destroy(&conf);
  }
}

static const blo_test tests[] = {
    {"classes and samples are distinct", classes_and_samples_are_distinct},
    {"all occur equally often", all_occur_equally_often},
    {"episodes know seed and number only", episodes_know_seed_and_number_only},
    {"what does not go is refused", what_does_not_go_is_refused},
};
BLO_TEST_MAIN("episodes", tests)

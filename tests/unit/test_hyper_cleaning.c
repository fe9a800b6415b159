/* Data hyper-cleaning against counts by hand on the generated data (Franceschi et al. 2017, arXiv
 * 1703.01785, section 5.1). Labels are read back through an oracle: at x = 0 the derivative of g in
 * x_i is CE_i(y) / (4 n), and CE_i at a known y tells sample and label apart. */
#include "fixture.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = FIXTURE_ROWS, K = FIXTURE_FEATURES, C = FIXTURE_CLASSES, NY = C * (K + 1) };
enum { N_TRAIN = 200, N_VAL = 90, N_TEST = ROWS - N_TRAIN - N_VAL };

/* Weights of a classifier: mostly right, never sure. */
static double weight(int j)
{
  int c = j / (K + 1), k = j % (K + 1);
  return 0.3 * sin((double)(5 * j + 2)) + 1.2 * (k == c);
}

/* Cross-entropy of row i of the file if its label were c; *right: whether c has the largest p. */
static double cross_entropy(blo_int i, int c, bool *right)
{
  double z[C], sum = 0;
  int best = 0;
  for (int l = 0; l < C; l++) {
    z[l] = weight(l * (K + 1) + K);
    for (int k = 0; k < K; k++) {
      z[l] += weight(l * (K + 1) + k) * fixture_feature(i, k);
    }
    sum += exp(z[l]);
    best = z[l] > z[best] ? l : best;
  }
  *right = best == c;
  return log(sum) - z[c];
}

/* ------------------------------------------------------------ a problem */

typedef struct cleaning {
  blo_conf *conf;
  blo_problem *p;
  blo_eval *eval;
  blo_vec *x, *y, *gx;
  double ce[N_TRAIN]; /* of each training sample, with the label that g sees; on every rank */
} cleaning;

static void read_cross_entropies(cleaning *w)
{
  blo_ask ask = {.lower = BLO_WANT_X, .x = w->x, .y = w->y};
  blo_answer ans = {.g_x = w->gx};
  BLO_REQUIRE_STATUS(blo_eval_sweep(w->eval, &ask, &ans), BLO_OK);
  blo_vec_gather(w->gx, w->ce);
  blo_bcast(w->p->comm, 0, w->ce, sizeof w->ce);
  for (int i = 0; i < N_TRAIN; i++) {
    w->ce[i] *= 4.0 * N_TRAIN;
  }
}

static void make(blo_comm *comm, const char *folder, const char *more, int seed, const char *split,
                 cleaning *w)
{
  char text[1024];
  *w = (cleaning){.conf = NULL};
  snprintf(text, sizeof text,
           "%s\ndata:\n  train: {path: %s/data.csv}\n  n_train: %d\n  n_val: %d\n  n_test: %d\n"
           "  shards: 4\n  scaling: none\n  seed: %d\n  split: %s\n",
           more, folder, N_TRAIN, N_VAL, N_TEST, seed, split);
  BLO_REQUIRE_STATUS(blo_conf_parse(blo_comm_context(comm), "test", text, &w->conf), BLO_OK);
  BLO_REQUIRE_STATUS(blo_problem_create(comm, blo_problem_find("hyper_cleaning"), w->conf, &w->p),
                     BLO_OK);
  BLO_REQUIRE_STATUS(blo_eval_create(w->p, BLO_REPRODUCIBLE, &w->eval), BLO_OK);
  fixture_point(&(fixture){.problem = w->p, .eval = w->eval}, &w->x, &w->y);
  fixture_like(w->x, 1, &w->gx);
  blo_vec_fill(w->x, 0);
  blo_vec_publish(w->x);
  BLO_REQUIRE_ALL(w->p->n_y == NY && w->p->n_x == N_TRAIN);
  for (int j = 0; j < NY; j++) {
    w->y->data[j] = weight(j);
  }
  read_cross_entropies(w);
}

static void release(cleaning *w)
{
  blo_vec_destroy(&w->x);
  blo_vec_destroy(&w->y);
  blo_vec_destroy(&w->gx);
  blo_eval_destroy(&w->eval);
  blo_problem_destroy(&w->p);
  blo_conf_destroy(&w->conf);
}

static void open_folder(blo_comm *comm, char *folder, size_t cap)
{
  blo_test_tmpdir(comm, folder, cap);
  fixture_write_data(comm, folder);
}

/* The labels that g sees, the samples being in file order; -1 where none fits. */
static void labels_seen(const cleaning *w, int *label)
{
  bool right;
  for (int i = 0; i < N_TRAIN; i++) {
    label[i] = -1;
    for (int c = 0; c < C; c++) {
      if (fabs(cross_entropy(i, c, &right) - w->ce[i]) < 1e-11) {
        label[i] = c;
      }
    }
  }
}

static int count_wrong(const int *label)
{
  int wrong = 0;
  for (int i = 0; i < N_TRAIN; i++) {
    wrong += label[i] != i % C;
  }
  return wrong;
}

/* ------------------------------------------------------------ corruption */

static void exactly_the_share_is_wrong(blo_comm *comm)
{
  static const struct {
    const char *rate;
    int wrong;
  } want[] = {{"0", 0}, {"0.3", 60}, {"0.333", 67}, {"0.0124", 2}, {"1", N_TRAIN}};
  char folder[256];
  open_folder(comm, folder, sizeof folder);
  for (int r = 0; r < 5; r++) {
    for (int next = 0; next < 2; next++) {
      char more[128];
      int label[N_TRAIN], shifted[C] = {0};
      cleaning w;
      snprintf(more, sizeof more, "corrupt: %s\ncorrupt_kind: %s", want[r].rate,
               next != 0 ? "next" : "uniform");
      make(comm, folder, more, 3, "ordered", &w);
      labels_seen(&w, label);
      for (int i = 0; i < N_TRAIN; i++) {
        BLO_REQUIRE_MSG(label[i] >= 0, "sample %d has no label that fits", i);
        shifted[(label[i] - i % C + C) % C]++;
      }
      BLO_EXPECT_MSG(count_wrong(label) == want[r].wrong, "%s: %d wrong labels, not %d",
                     want[r].rate, count_wrong(label), want[r].wrong);
      BLO_EXPECT_MSG(next == 0 || shifted[2] == 0, "%d labels are not the next class", shifted[2]);
      /* two other classes, alike: 3 standard deviations of a fair coin */
      BLO_EXPECT_MSG(next != 0 || abs(shifted[1] - shifted[2]) <= 3 * sqrt(want[r].wrong),
                     "other classes %d and %d times", shifted[1], shifted[2]);
      release(&w);
    }
  }
}

static void corruption_follows_from_the_seed(blo_comm *comm)
{
  char folder[256];
  int here[N_TRAIN], alone[N_TRAIN], other[N_TRAIN];
  blo_comm *self = NULL;
  cleaning w;
  open_folder(comm, folder, sizeof folder);
  BLO_REQUIRE_STATUS(blo_comm_create(blo_comm_context(comm), MPI_COMM_SELF, &self), BLO_OK);
  make(comm, folder, "corrupt: 0.4", 3, "ordered", &w);
  labels_seen(&w, here);
  release(&w);
  make(self, folder, "corrupt: 0.4", 3, "ordered", &w);
  labels_seen(&w, alone);
  release(&w);
  make(comm, folder, "corrupt: 0.4", 4, "ordered", &w);
  labels_seen(&w, other);
  release(&w);
  BLO_EXPECT_ALL(memcmp(here, alone, sizeof here) == 0);
  BLO_EXPECT_ALL(memcmp(here, other, sizeof here) != 0);
  BLO_EXPECT_ALL(count_wrong(here) == 80 && count_wrong(other) == 80);
  blo_comm_destroy(&self);
}

/* --------------------------------------------------------------- metrics */

/* Mean cross-entropy and accuracy of rows first..first+n of the file, with their own labels. */
static void score(int first, int n, double *accuracy, double *loss)
{
  *accuracy = *loss = 0;
  for (int i = first; i < first + n; i++) {
    bool right;
    *loss += cross_entropy(i, i % C, &right) / n;
    *accuracy += (double)right / n;
  }
}

static double metric(const cleaning *w, const char *name, const double *values)
{
  for (blo_int m = 0; m < w->p->type->n_metrics; m++) {
    if (strcmp(w->p->type->metrics[m].name, name) == 0) {
      return values[m];
    }
  }
  return (double)NAN;
}

static void expect_metric(const cleaning *w, const char *name, const double *values, double want)
{
  double got = metric(w, name, values);
  BLO_EXPECT_MSG(fabs(got - want) <= 1e-13 * fabs(want), "%s is %.17g, by hand %.17g", name, got,
                 want);
}

/* A logit for each training sample; samples 5, 18, ... lie at 0, whose weight 1/2 flags nothing. */
static double logit(blo_int i)
{
  return i % 13 == 5 ? 0 : sin((double)(7 * i + 1)) + 0.3;
}

static void metrics_are_counts(blo_comm *comm)
{
  char folder[256];
  double values[16], accuracy, loss, flagged = 0, found = 0, wrong = 0;
  int label[N_TRAIN];
  cleaning w;
  open_folder(comm, folder, sizeof folder);
  make(comm, folder, "corrupt: 0.3", 3, "ordered", &w);
  labels_seen(&w, label);
  for (blo_int i = 0; i < blo_space_n_local(w.x->space); i++) {
    w.x->data[i] = logit(blo_space_first(w.x->space) + i);
  }
  BLO_REQUIRE_ALL(w.p->type->n_metrics <= 16);
  BLO_REQUIRE_STATUS(blo_eval_metrics(w.eval, w.x, w.y, values), BLO_OK);
  score(N_TRAIN, N_VAL, &accuracy, &loss);
  expect_metric(&w, "val_accuracy", values, accuracy);
  expect_metric(&w, "val_loss", values, loss);
  score(N_TRAIN + N_VAL, N_TEST, &accuracy, &loss);
  expect_metric(&w, "test_accuracy", values, accuracy);
  expect_metric(&w, "test_loss", values, loss);
  for (int i = 0; i < N_TRAIN; i++) {
    wrong += label[i] != i % C;
    flagged += logit(i) < 0;
    found += logit(i) < 0 && label[i] != i % C;
  }
  BLO_EXPECT_ALL(found > 5 && flagged > found && flagged < N_TRAIN && wrong > found);
  double precision = found / flagged, recall = found / wrong;
  expect_metric(&w, "precision", values, precision);
  expect_metric(&w, "recall", values, recall);
  expect_metric(&w, "f1", values, 2 * precision * recall / (precision + recall));
  release(&w);
}

/* ------------------------------------------------ products by definition */

enum { D = BLO_DIRECTIONS_MAX };

/* Eight directions of a problem and their products. */
typedef struct products {
  blo_vec *v[D], *hv[D], *jv[D];
  blo_ask ask;
  blo_answer ans;
} products;

static void open_products(cleaning *w, products *q)
{
  fixture_like(w->y, D, q->v);
  fixture_like(w->y, D, q->hv);
  fixture_like(w->x, D, q->jv);
  q->ask = (blo_ask){.lower = BLO_WANT_HV | BLO_WANT_JV, .x = w->x, .y = w->y, .n_v = D};
  q->ans = (blo_answer){.g = 0};
  for (int d = 0; d < D; d++) {
    for (blo_int j = 0; j < w->p->n_y; j++) {
      q->v[d]->data[j] = cos((double)((3 * d + 7) * (j + 1)));
    }
    q->ask.v[d] = q->v[d];
    q->ans.hv[d] = q->hv[d];
    q->ans.jv[d] = q->jv[d];
  }
  BLO_REQUIRE_STATUS(blo_eval_reserve(w->eval, 0, D), BLO_OK);
}

static void close_products(products *q)
{
  fixture_free_vecs(D, q->v);
  fixture_free_vecs(D, q->hv);
  fixture_free_vecs(D, q->jv);
}

/* (y_1 . a, ..., y_C . a) of row i of the file, a with the constant 1. */
static void outputs(int i, const double *y, double *z)
{
  for (int c = 0; c < C; c++) {
    z[c] = y[c * (K + 1) + K];
    for (int k = 0; k < K; k++) {
      z[c] += y[c * (K + 1) + k] * fixture_feature(i, k);
    }
  }
}

/* p = softmax(y a) of row i, u = v a, and their scalar product. */
static double link_row(int i, const double *y, const double *v, double *p, double *u)
{
  double sum = 0, pu = 0;
  outputs(i, y, p);
  outputs(i, v, u);
  for (int c = 0; c < C; c++) {
    p[c] = exp(p[c]);
    sum += p[c];
  }
  for (int c = 0; c < C; c++) {
    p[c] /= sum;
    pu += p[c] * u[c];
  }
  return pu;
}

/* H v = (1/n) sum_i w_i (p o u - p (p . u)) (x) a_i + 2 reg v, w = 1/2 at x = 0, and
 * (J v)_i = (1/n) w (1 - w) (p - e_l) . u; reg is 0.25. */
static void products_by_hand(const double *y, const double *v, const int *label, double *hv,
                             double *jv)
{
  for (int j = 0; j < NY; j++) {
    hv[j] = 2 * 0.25 * v[j];
  }
  for (int i = 0; i < N_TRAIN; i++) {
    double p[C], u[C], pu = link_row(i, y, v, p, u);
    for (int j = 0; j < NY; j++) {
      int c = j / (K + 1), k = j % (K + 1);
      hv[j] += 0.5 / N_TRAIN * p[c] * (u[c] - pu) * (k == K ? 1 : fixture_feature(i, k));
    }
    jv[i] = 0.25 / N_TRAIN * (pu - u[label[i]]);
  }
}

static void products_are_those_by_hand(blo_comm *comm)
{
  char folder[256];
  double hv[NY], jv[N_TRAIN], got[N_TRAIN];
  int label[N_TRAIN];
  cleaning w;
  products q;
  open_folder(comm, folder, sizeof folder);
  make(comm, folder, "corrupt: 0.3\nreg: 0.25", 3, "ordered", &w);
  labels_seen(&w, label);
  open_products(&w, &q);
  BLO_REQUIRE_STATUS(blo_eval_sweep(w.eval, &q.ask, &q.ans), BLO_OK);
  for (int d = 0; d < D; d++) {
    double worst_hv = 0, worst_jv = 0;
    products_by_hand(w.y->data, q.v[d]->data, label, hv, jv);
    blo_vec_gather(q.jv[d], got);
    for (int j = 0; j < NY; j++) {
      worst_hv = fmax(worst_hv, fabs(q.hv[d]->data[j] - hv[j]));
    }
    for (int i = 0; i < N_TRAIN && blo_comm_rank(comm) == 0; i++) {
      worst_jv = fmax(worst_jv, fabs(got[i] - jv[i]));
    }
    BLO_EXPECT_MSG(worst_hv < 1e-14 && worst_jv < 1e-16, "direction %d: H v %.3g, J v %.3g", d,
                   worst_hv, worst_jv);
  }
  close_products(&q);
  release(&w);
}

/* The model is linear in y, so that its Gauss-Newton matrix is H. */
static void gauss_newton_is_the_hessian(blo_comm *comm)
{
  char folder[256];
  cleaning w;
  products q;
  open_folder(comm, folder, sizeof folder);
  make(comm, folder, "", 3, "ordered", &w);
  BLO_REQUIRE_ALL((w.p->has & BLO_HAS_GAUSS_NEWTON) != 0);
  open_products(&w, &q);
  q.ask.n_v = 1;
  q.ask.lower = BLO_WANT_HV;
  BLO_REQUIRE_STATUS(blo_eval_sweep(w.eval, &q.ask, &q.ans), BLO_OK);
  q.ask.lower = BLO_WANT_HV | BLO_WANT_GAUSS_NEWTON;
  q.ans.hv[0] = q.hv[1];
  BLO_REQUIRE_STATUS(blo_eval_sweep(w.eval, &q.ask, &q.ans), BLO_OK);
  BLO_EXPECT_ALL(blo_vec_norm(q.hv[0]) > 1e-3);
  BLO_EXPECT_ALL(memcmp(q.hv[0]->data, q.hv[1]->data, NY * sizeof(double)) == 0);
  close_products(&q);
  release(&w);
}

/* Each direction alone has the bits that it had among the others. */
static void expect_alone_the_same(const cleaning *w, const products *q)
{
  blo_vec *hv, *jv;
  fixture_like(w->y, 1, &hv);
  fixture_like(w->x, 1, &jv);
  for (int d = 0; d < D; d++) {
    blo_ask ask = q->ask;
    blo_answer ans = {.hv = {hv}, .jv = {jv}};
    ask.n_v = 1;
    ask.v[0] = q->v[d];
    BLO_REQUIRE_STATUS(blo_eval_sweep(w->eval, &ask, &ans), BLO_OK);
    BLO_EXPECT_ALL(blo_vec_norm(hv) > 1e-3 && blo_vec_norm(jv) > 1e-5);
    BLO_EXPECT_ALL(memcmp(hv->data, q->hv[d]->data, (size_t)w->p->n_y * sizeof(double)) == 0);
    blo_vec_axpy(-1, q->jv[d], jv);
    BLO_EXPECT_ALL(blo_vec_norm(jv) == 0);
  }
  blo_vec_destroy(&hv);
  blo_vec_destroy(&jv);
}

/* Samples of MANY classes: so many that only a few directions fit side by side. */
enum { MANY = 100, MANY_ROWS = 300, MANY_FEATURES = 4 };

static void write_many_classes(blo_comm *comm, const char *folder)
{
  char path[512];
  bool written = true;
  snprintf(path, sizeof path, "%s/many.csv", folder);
  if (blo_comm_rank(comm) == 0) {
    FILE *f = fopen(path, "w");
    for (int i = 0; f != NULL && i < MANY_ROWS; i++) {
      for (int k = 0; k < MANY_FEATURES; k++) {
        fprintf(f, "%.3f,", sin((double)(i * MANY_FEATURES + k)));
      }
      fprintf(f, "%d\n", i % MANY);
    }
    written = f != NULL && fclose(f) == 0;
  }
  BLO_REQUIRE_ALL(written);
}

static void open_problem(blo_comm *comm, const char *text, cleaning *w)
{
  *w = (cleaning){.conf = NULL};
  BLO_REQUIRE_STATUS(blo_conf_parse(blo_comm_context(comm), "test", text, &w->conf), BLO_OK);
  BLO_REQUIRE_STATUS(blo_problem_create(comm, blo_problem_find("hyper_cleaning"), w->conf, &w->p),
                     BLO_OK);
  BLO_REQUIRE_STATUS(blo_eval_create(w->p, BLO_REPRODUCIBLE, &w->eval), BLO_OK);
  fixture_point(&(fixture){.problem = w->p, .eval = w->eval}, &w->x, &w->y);
}

static void directions_go_in_groups(blo_comm *comm)
{
  char folder[256], text[1024];
  cleaning w;
  products q;
  blo_test_tmpdir(comm, folder, sizeof folder);
  write_many_classes(comm, folder);
  snprintf(text, sizeof text,
           "data:\n  train: {path: %s/many.csv}\n  n_train: 200\n  n_val: 100\n  shards: 4\n",
           folder);
  open_problem(comm, text, &w);
  BLO_REQUIRE_ALL(w.p->n_y == MANY * (MANY_FEATURES + 1));
  BLO_EXPECT_ALL((w.p->has & BLO_HAS_DIRECTIONS) != 0);
  open_products(&w, &q);
  BLO_REQUIRE_STATUS(blo_eval_sweep(w.eval, &q.ask, &q.ans), BLO_OK);
  expect_alone_the_same(&w, &q);
  close_products(&q);
  release(&w);
}

/* Weights too large to keep eight of them: one direction at a time, with the same results. */
static void wide_data_go_one_by_one(blo_comm *comm)
{
  char folder[256], text[1024];
  cleaning w;
  products q;
  open_folder(comm, folder, sizeof folder);
  snprintf(text, sizeof text,
           "data:\n  train: {path: %s/data.svm, n_features: 20000}\n  n_val: 90\n  shards: 4\n",
           folder);
  open_problem(comm, text, &w);
  BLO_EXPECT_ALL((w.p->has & BLO_HAS_DIRECTIONS) == 0 && w.p->n_packed > 1 << 16);
  open_products(&w, &q);
  BLO_REQUIRE_STATUS(blo_eval_sweep(w.eval, &q.ask, &q.ans), BLO_OK);
  expect_alone_the_same(&w, &q);
  close_products(&q);
  release(&w);
}

/* ------------------------------------------------------- split and start */

/* The row of the file that training sample i is, by its cross-entropy; labels are clean. */
static int row_of(double ce)
{
  int found = -1;
  bool right;
  for (int i = 0; i < ROWS; i++) {
    if (fabs(cross_entropy(i, i % C, &right) - ce) < 1e-12) {
      found = found < 0 ? i : ROWS; /* two rows alike: ROWS */
    }
  }
  return found;
}

static void rows_taken(blo_comm *comm, const char *folder, int seed, const char *split, int *row)
{
  double values[16], loss = 0, total, accuracy;
  int seen[ROWS] = {0};
  cleaning w;
  make(comm, folder, "", seed, split, &w);
  for (int i = 0; i < N_TRAIN; i++) {
    row[i] = row_of(w.ce[i]);
    BLO_REQUIRE_MSG(row[i] >= 0 && row[i] < ROWS && seen[row[i]] == 0,
                    "training sample %d is row %d of the file, or was there before", i, row[i]);
    seen[row[i]] = 1;
    loss += w.ce[i];
  }
  /* all rows are used: the cross-entropies of the three sets add up to those of the file */
  BLO_REQUIRE_STATUS(blo_eval_metrics(w.eval, w.x, w.y, values), BLO_OK);
  loss += N_VAL * metric(&w, "val_loss", values) + N_TEST * metric(&w, "test_loss", values);
  score(0, ROWS, &accuracy, &total);
  BLO_EXPECT_NEAR(loss, ROWS * total, 1e-13, 0, "sum over the file");
  release(&w);
}

static void splits_are_permutations(blo_comm *comm)
{
  char folder[256];
  int ordered[N_TRAIN], drawn[N_TRAIN], again[N_TRAIN], other[N_TRAIN];
  int in_place = 0;
  open_folder(comm, folder, sizeof folder);
  rows_taken(comm, folder, 3, "ordered", ordered);
  rows_taken(comm, folder, 3, "random", drawn);
  rows_taken(comm, folder, 3, "random", again);
  rows_taken(comm, folder, 4, "random", other);
  for (int i = 0; i < N_TRAIN; i++) {
    BLO_EXPECT_ALL(ordered[i] == i);
    in_place += drawn[i] == i;
  }
  BLO_EXPECT_MSG(in_place < 10, "%d rows of a random split are in place", in_place);
  BLO_EXPECT_ALL(memcmp(drawn, again, sizeof drawn) == 0);
  BLO_EXPECT_ALL(memcmp(drawn, other, sizeof drawn) != 0);
}

static void start_is_zero(blo_comm *comm)
{
  char folder[256];
  cleaning w;
  open_folder(comm, folder, sizeof folder);
  make(comm, folder, "x0: -1.5", 3, "random", &w);
  blo_eval_start(w.eval, w.x, w.y);
  for (int j = 0; j < NY; j++) {
    BLO_EXPECT_ALL(w.y->data[j] == 0);
  }
  bool same = true;
  for (blo_int i = 0; i < blo_space_n_local(w.x->space); i++) {
    same = same && w.x->data[i] == -1.5;
  }
  BLO_EXPECT_ALL(same);
  release(&w);
}

/* Dense and sparse rows go through other kernels: a test set of the other kind is refused. */
static void kinds_of_data_do_not_mix(blo_comm *comm)
{
  static const char *const train[] = {"csv", "svm"}, *const test[] = {"svm", "csv"};
  char folder[256], text[1024];
  open_folder(comm, folder, sizeof folder);
  for (int i = 0; i < 2; i++) {
    blo_conf *conf = NULL;
    blo_problem *p = NULL;
    snprintf(text, sizeof text,
             "data:\n  train: {path: %s/data.%s}\n  test: {path: %s/data.%s}\n  n_val: 90\n"
             "  shards: 4\n",
             folder, train[i], folder, test[i]);
    BLO_REQUIRE_STATUS(blo_conf_parse(blo_comm_context(comm), "test", text, &conf), BLO_OK);
    BLO_EXPECT_STATUS(blo_problem_create(comm, blo_problem_find("hyper_cleaning"), conf, &p),
                      BLO_E_DATA);
    BLO_EXPECT_ERROR_HAS("sparse");
    BLO_EXPECT_ERROR_HAS("dense");
    blo_problem_destroy(&p);
    blo_conf_destroy(&conf);
  }
}

static const blo_test tests[] = {
    {"exactly the share is wrong", exactly_the_share_is_wrong},
    {"corruption follows from the seed", corruption_follows_from_the_seed},
    {"metrics are counts", metrics_are_counts},
    {"products are those by hand", products_are_those_by_hand},
    {"Gauss-Newton is the Hessian", gauss_newton_is_the_hessian},
    {"directions go in groups", directions_go_in_groups},
    {"wide data go one by one", wide_data_go_one_by_one},
    {"splits are permutations", splits_are_permutations},
    {"start is zero", start_is_zero},
    {"kinds of data do not mix", kinds_of_data_do_not_mix},
};
BLO_TEST_MAIN("hyper cleaning", tests)

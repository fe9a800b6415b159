/* Problems made of graphs: the general path against the linear classifier on kernels of its own
 * (hyper_cleaning), on dense, mostly zero and sparse features; names and starts of parameters;
 * metrics against plain loops; and what the lower track uses again. */
#include "ride.h"
#include <blo/check.h>
#include <blo/network.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { C = FIXTURE_CLASSES, K = FIXTURE_FEATURES };

static void open_text(blo_comm *comm, const blo_problem_type *type, const char *text, fixture *f)
{
  *f = (fixture){NULL, NULL, NULL};
  BLO_REQUIRE_STATUS(blo_conf_parse(blo_comm_context(comm), "test", text, &f->conf), BLO_OK);
  BLO_REQUIRE_STATUS(blo_problem_create(comm, type, f->conf, &f->problem), BLO_OK);
  BLO_REQUIRE_STATUS(blo_eval_create(f->problem, BLO_REPRODUCIBLE, &f->eval), BLO_OK);
}

/* ----------------------------------------- a linear network, hand-written */

/* hyper_cleaning without corruption, described with operations only. */
typedef struct linear_options {
  blo_net_options net;
  double reg;
} linear_options;

static void describe_linear(const blo_problem *p, blo_level level, blo_graph *g)
{
  const linear_options *o = p->options;
  blo_node z = blo_graph_linear(g, BLO_IN_Y, "head", blo_graph_features(g), C);
  blo_node ce = blo_graph_softmax_ce(g, z);

  blo_graph_mark_output(g, z);
  if (level == BLO_UPPER) {
    blo_graph_loss(g, ce);
    return;
  }
  blo_graph_loss(g, blo_graph_product(g, ce, blo_graph_sigmoid(g, blo_graph_sample_value(g))));
  blo_graph_ridge(g, BLO_IN_Y, o->reg);
}

static const blo_opt_row linear_rows[] = {
    BLO_NET_ROWS(linear_options),
    BLO_OPT(linear_options, reg, "0.001", 0, 1e6, "-", "weight of ||y||^2 in g", "", 0),
};
static const blo_opt_sub linear_subs[] = {
    {"data", offsetof(linear_options, net.data), &blo_data_table}};
static const blo_opt_table linear_table = {"linear",
                                           "a linear network",
                                           sizeof(linear_options),
                                           linear_rows,
                                           BLO_COUNT_OF(linear_rows),
                                           linear_subs,
                                           BLO_COUNT_OF(linear_subs)};
static const blo_problem_type linear_net = {BLO_NET_SLOTS, .name = "linear_net",
                                            .options = &linear_table, .describe = describe_linear};

/* The network keeps W [features][classes] and then b, the classifier rows (W_c, b_c). */
static void to_rows(blo_int n_features, const double *net, double *rows)
{
  for (blo_int c = 0; c < C; c++) {
    for (blo_int k = 0; k <= n_features; k++) {
      rows[c * (n_features + 1) + k] = net[k * C + c];
    }
  }
}

/* Everything that a sweep gives, at x, y and v. */
typedef struct answers {
  blo_vec *x, *y, *v, *vec[5]; /* g_x, J v; g_y, f_y, H v */
  blo_answer ans;
} answers;

static void ask_all(const fixture *f, bool linearized, answers *a)
{
  unsigned gradients = BLO_WANT_VALUE | BLO_WANT_X | BLO_WANT_Y;
  unsigned products = BLO_WANT_HV | BLO_WANT_JV;
  blo_ask ask = {.lower = gradients | (linearized ? 0 : products),
                 .upper = BLO_WANT_VALUE | BLO_WANT_Y,
                 .x = a->x,
                 .y = a->y,
                 .n_v = linearized ? 0 : 1,
                 .v = {a->v},
                 .linearize = linearized};
  a->ans = (blo_answer){
      .g_x = a->vec[0], .g_y = a->vec[2], .f_y = a->vec[3], .hv = {a->vec[4]}, .jv = {a->vec[1]}};
  BLO_REQUIRE_STATUS(blo_eval_sweep(f->eval, &ask, &a->ans), BLO_OK);
  if (linearized) {
    blo_ask again = {
        .lower = products, .x = a->x, .y = a->y, .n_v = 1, .v = {a->v}, .linearized = true};
    BLO_REQUIRE_STATUS(blo_eval_sweep(f->eval, &again, &a->ans), BLO_OK);
  }
}

static void open_answers(const fixture *f, answers *a)
{
  fixture_point(f, &a->x, &a->y);
  fixture_like(a->y, 1, &a->v);
  fixture_like(a->x, 2, &a->vec[0]);
  fixture_like(a->y, 3, &a->vec[2]);
  BLO_REQUIRE_STATUS(blo_eval_reserve(f->eval, f->problem->n_lower, 1), BLO_OK);
}

static void close_answers(answers *a)
{
  blo_vec *all[] = {a->x, a->y, a->v};
  fixture_free_vecs(3, all);
  fixture_free_vecs(5, a->vec);
}

static double distance(const blo_vec *want, blo_vec *got)
{
  double size = blo_vec_norm(want);
  blo_vec_axpy(-1, want, got);
  return blo_vec_norm(got) / size;
}

/* Let y and v of the classifier be those of the network; both are replicated. */
static void same_point(blo_int n_features, const answers *net, answers *rows)
{
  blo_check_perturb(net->v, 1, 4, 0, net->v);
  to_rows(n_features, net->y->data, rows->y->data);
  to_rows(n_features, net->v->data, rows->v->data);
}

static void compare_linear(const char *what, const fixture *a, const fixture *b, bool linearized)
{
  answers net, rows;
  blo_int n_features = a->problem->n_y / C - 1;
  open_answers(a, &net);
  open_answers(b, &rows);
  same_point(n_features, &net, &rows);
  ask_all(a, linearized, &net);
  ask_all(b, linearized, &rows);
  BLO_EXPECT_NEAR(net.ans.g, rows.ans.g, 1e-14, 0, "the linear classifier");
  BLO_EXPECT_NEAR(net.ans.f, rows.ans.f, 1e-14, 0, "the linear classifier");
  for (int i = 0; i < 5; i++) {
    static const char *const names[] = {"g_x", "J v", "g_y", "f_y", "H v"};
    blo_vec *got = net.vec[i];
    if (i >= 2) {
      to_rows(n_features, net.vec[i]->data, net.v->data);
      got = net.v;
    }
    double error = distance(rows.vec[i], got);
    BLO_EXPECT_MSG(error < 1e-13, "%s: %s off by %.3g", what, names[i], error);
  }
  close_answers(&net);
  close_answers(&rows);
}

/* A longer data.csv; or one with most numbers made zero, so that the network leaves zeros out. */
static void write_csv(blo_comm *comm, const char *folder, const char *name, blo_int n_rows,
                      bool zeros)
{
  char path[512];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  if (blo_comm_rank(comm) == 0) {
    FILE *to = fopen(path, "w");
    BLO_BUG_IF(to == NULL, "cannot write %s", path);
    for (blo_int i = 0; i < n_rows; i++) {
      for (int k = 0; k < K; k++) {
        double a = fixture_feature(i, k);
        fprintf(to, "%.17g,", !zeros || a > 1 || i == 7 ? a : 0);
      }
      fprintf(to, "%d\n", (int)(i % C));
    }
    fclose(to);
  }
  MPI_Barrier(blo_comm_mpi(comm));
}

static void linear_networks_are_linear_classifiers(blo_comm *comm)
{
  static const char *const files[] = {"data.csv", "zeros.csv", "data.svm"};
  char folder[256], text[1024], what[64];
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  write_csv(comm, folder, "zeros.csv", FIXTURE_ROWS, true);
  for (int i = 0; i < 3; i++) {
    for (int scaling = 0; blo_scaling_names[scaling] != NULL; scaling++) {
      fixture net, classifier;
      snprintf(what, sizeof what, "%s, scaling %s", files[i], blo_scaling_names[scaling]);
      snprintf(text, sizeof text,
               "reg: 0.02\ndata:\n  train: {path: %s/%s}\n  n_train: 200\n  n_val: 90\n"
               "  n_test: 70\n  shards: 4\n  scaling: %s\n",
               folder, files[i], blo_scaling_names[scaling]);
      open_text(comm, &linear_net, text, &net);
      open_text(comm, blo_problem_find("hyper_cleaning"), text, &classifier);
      compare_linear(what, &net, &classifier, false);
      compare_linear(what, &net, &classifier, true);
      fixture_free(comm, &net);
      fixture_free(comm, &classifier);
    }
  }
}

/* ------------------------------------------------------ names and starts */

typedef struct named {
  const char *name;
  blo_owner owner;
  int n_dims;
  blo_int dim[BLO_DIMS_MAX];
} named;

/* The blocks of a problem are these, each owner's one after the other. */
static void expect_blocks(const blo_problem *p, int n, const named *want)
{
  blo_int end[2] = {0, 0};
  BLO_REQUIRE_MSG(p->params != NULL, "%s names no parameters", p->type->name);
  BLO_REQUIRE_MSG(blo_params_count(p->params) == n, "%s has %lld blocks, not %d", p->type->name,
                  (long long)blo_params_count(p->params), n);
  for (int i = 0; i < n; i++) {
    const blo_block *b = blo_params_find(p->params, want[i].name);
    BLO_REQUIRE_MSG(b != NULL, "there is no %s", want[i].name);
    BLO_EXPECT_MSG(b == blo_params_get(p->params, i) && b->owner == want[i].owner &&
                       b->n_dims == want[i].n_dims && b->offset == end[b->owner] &&
                       memcmp(b->dim, want[i].dim, (size_t)b->n_dims * sizeof *b->dim) == 0,
                   "%s", want[i].name);
    end[b->owner] += b->n;
  }
  BLO_EXPECT_ALL(p->x_aligned || end[BLO_IN_X] == p->n_x);
  BLO_EXPECT_ALL(end[BLO_IN_Y] == (p->y_width > 0 ? p->y_width : p->n_y));
}

static void parameters_have_names(blo_comm *comm)
{
  static const named mlp[] = {{"mlp.1.W", BLO_IN_X, 2, {5, 3}}, {"mlp.1.b", BLO_IN_X, 1, {3}},
                              {"mlp.2.W", BLO_IN_X, 2, {3, 3}}, {"mlp.2.b", BLO_IN_X, 1, {3}},
                              {"head.W", BLO_IN_Y, 2, {3, 3}},  {"head.b", BLO_IN_Y, 1, {3}}};
  static const named lstm[] = {
      {"embedding.E", BLO_IN_Y, 2, {7, 3}}, {"lstm.W_ih", BLO_IN_Y, 2, {3, 8}},
      {"lstm.b_ih", BLO_IN_Y, 1, {8}},      {"lstm.W_hh", BLO_IN_Y, 2, {2, 8}},
      {"head.W", BLO_IN_Y, 2, {2, 3}},      {"head.b", BLO_IN_Y, 1, {3}}};
  static const named block[] = {{"mlp.1.W", BLO_IN_Y, 2, {5, 3}},
                                {"mlp.1.b", BLO_IN_Y, 1, {3}},
                                {"head.W", BLO_IN_Y, 2, {3, 3}},
                                {"head.b", BLO_IN_Y, 1, {3}},
                                {"log_weight", BLO_IN_X, 1, {4}}};
  static const named conv[] = {
      {"conv.1.K", BLO_IN_X, 4, {3, 1, 3, 3}}, {"conv.1.scale", BLO_IN_X, 1, {3}},
      {"conv.1.shift", BLO_IN_X, 1, {3}},      {"conv.2.K", BLO_IN_X, 4, {3, 3, 3, 3}},
      {"conv.2.scale", BLO_IN_X, 1, {3}},      {"conv.2.shift", BLO_IN_X, 1, {3}},
      {"head.W", BLO_IN_Y, 2, {12, 3}},        {"head.b", BLO_IN_Y, 1, {3}}};
  static const struct {
    int kind, n;
    const named *blocks;
  } cases[] = {{FIXTURE_REPRESENTATION, BLO_COUNT_OF(mlp), mlp},
               {FIXTURE_CLEANING_LSTM, BLO_COUNT_OF(lstm), lstm},
               {FIXTURE_BLOCK_SQUARE, BLO_COUNT_OF(block), block},
               {FIXTURE_FEW_SHOT, BLO_COUNT_OF(conv), conv}};
  char folder[256];
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  for (int i = 0; i < BLO_COUNT_OF(cases); i++) {
    fixture f;
    fixture_make(comm, cases[i].kind, folder, BLO_REPRODUCIBLE, &f);
    expect_blocks(f.problem, cases[i].n, cases[i].blocks);
    fixture_free(comm, &f);
  }
}

/* Checksums of the starting x and y. */
static void start_of(blo_comm *comm, int kind, const char *folder, uint32_t crc[2])
{
  fixture f;
  blo_vec *x = NULL, *y = NULL;
  fixture_make(comm, kind, folder, BLO_REPRODUCIBLE, &f);
  BLO_REQUIRE_STATUS(blo_vec_create(blo_eval_space_x(f.eval), &x), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_create(blo_eval_space_y(f.eval), &y), BLO_OK);
  blo_eval_start(f.eval, x, y);
  BLO_REQUIRE_STATUS(blo_vec_checksum(x, &crc[0]), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_checksum(y, &crc[1]), BLO_OK);
  BLO_EXPECT_ALL(blo_vec_norm(x) > 0.1 && (kind == FIXTURE_FEW_SHOT) == !(blo_vec_norm(y) > 0.1));
  blo_vec_destroy(&x);
  blo_vec_destroy(&y);
  fixture_free(comm, &f);
}

static void starts_do_not_know_ranks(blo_comm *comm)
{
  char folder[256];
  blo_comm *self = NULL;
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  BLO_REQUIRE_STATUS(blo_comm_create(blo_comm_context(comm), MPI_COMM_SELF, &self), BLO_OK);
  for (int kind = FIXTURE_REPRESENTATION; kind < N_FIXTURES; kind++) {
    uint32_t here[2], alone[2];
    start_of(comm, kind, folder, here);
    start_of(self, kind, folder, alone);
    BLO_EXPECT_MSG(memcmp(here, alone, sizeof here) == 0, "%s", fixture_name(kind));
  }
  blo_comm_destroy(&self);
}

/* --------------------------------------------------------------- metrics */

enum { N_TRAIN = 61, N_VAL = 31, N_TEST = 23, HIDDEN = 4 };

/* out = in W + b. */
static void layer(const blo_problem *p, const char *name, const double *vector, const double *in,
                  double *out)
{
  char w_name[64], b_name[64];
  snprintf(w_name, sizeof w_name, "%s.W", name);
  snprintf(b_name, sizeof b_name, "%s.b", name);
  const blo_block *w = blo_params_find(p->params, w_name), *b = blo_params_find(p->params, b_name);
  for (blo_int j = 0; j < w->dim[1]; j++) {
    out[j] = vector[b->offset + j];
    for (blo_int k = 0; k < w->dim[0]; k++) {
      out[j] += in[k] * vector[w->offset + k * w->dim[1] + j];
    }
  }
}

/* Loss of row i of the file by x and y, and whether it is classified rightly. */
static double row_loss(const blo_problem *p, const double *x, const double *y, blo_int i,
                       bool *right)
{
  double a[K], h[HIDDEN], z[C], sum = 0;
  int label = (int)(i % C), best = 0;
  for (int k = 0; k < K; k++) {
    a[k] = fixture_feature(i, k);
  }
  layer(p, "mlp.1", x, a, h);
  for (int k = 0; k < HIDDEN; k++) {
    h[k] = 1 / (1 + exp(-h[k]));
  }
  layer(p, "head", y, h, z);
  for (int c = 0; c < C; c++) {
    sum += exp(z[c]);
    best = z[c] > z[best] ? c : best;
  }
  *right = best == label;
  return log(sum) - z[label];
}

/* accuracy, loss over rows first..first+n of the file */
static void means(const blo_problem *p, const double *x, const double *y, blo_int first, blo_int n,
                  double *mean)
{
  mean[0] = mean[1] = 0;
  for (blo_int i = first; i < first + n; i++) {
    bool right;
    mean[1] += row_loss(p, x, y, i, &right) / (double)n;
    mean[0] += right ? 1 / (double)n : 0;
  }
}

/* Samples in the order of the file; the test set may be missing. */
static void metrics_are_means_over_rows(blo_comm *comm)
{
  char folder[256], text[1024];
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  for (int n_test = 0; n_test <= N_TEST; n_test += N_TEST) {
    fixture f;
    blo_vec *x, *y;
    double got[BLO_NET_N_METRICS], want[BLO_NET_N_METRICS];
    snprintf(text, sizeof text,
             "model: {type: mlp, hidden: %d, activation: sigmoid}\ndata:\n  train: {path: "
             "%s/data.csv}\n  n_train: %d\n  n_val: %d\n  n_test: %d\n  shards: 4\n  split: "
             "ordered\n  scaling: none\n",
             HIDDEN, folder, N_TRAIN, N_VAL, n_test);
    open_text(comm, blo_problem_find("hyper_representation"), text, &f);
    fixture_point(&f, &x, &y);
    BLO_REQUIRE_STATUS(blo_eval_metrics(f.eval, x, y, got), BLO_OK);
    means(f.problem, x->data, y->data, N_TRAIN + N_VAL, N_TEST, want);
    means(f.problem, x->data, y->data, N_TRAIN, N_VAL, want + 2);
    for (int m = 0; m < BLO_NET_N_METRICS; m++) {
      if (m < 2 && n_test == 0) {
        BLO_EXPECT_ALL(isnan(got[m]));
      } else {
        BLO_EXPECT_NEAR(got[m], want[m], 1e-13, 0, "plain loops");
      }
    }
    BLO_EXPECT_ALL(want[0] > 0.1 && want[0] < 0.95 && want[2] > 0.1 && want[2] < 0.95);
    blo_vec_destroy(&x);
    blo_vec_destroy(&y);
    fixture_free(comm, &f);
  }
}

/* --------------------------------------------------------- used again */

/* Checksums of x and y after three iterations, with one batch for a whole lower track. */
static void three_steps(blo_comm *comm, int kind, const char *folder, bool reuse, uint32_t crc[2])
{
  static const char settings[] = "lower:\n  steps: 5\n  step: 0.3\n  momentum: 0.5\nadjoint:\n"
                                 "  iterations: 4\nupper:\n  step: 0.1\n";
  fixture f;
  blo_report report;
  fixture_make(comm, kind, folder, BLO_REPRODUCIBLE, &f);
  BLO_REQUIRE_MSG(f.problem->reuses_x, "%s gains from same_x", fixture_name(kind));
  f.problem->reuses_x = reuse;
  blo_solver *solver = ride_make(&f, "aid", settings, 1);
  for (int k = 0; k < 3; k++) {
    BLO_REQUIRE_STATUS(blo_solver_step(solver, &report), BLO_OK);
  }
  BLO_REQUIRE_STATUS(blo_vec_checksum(solver->x, &crc[0]), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_checksum(solver->y, &crc[1]), BLO_OK);
  blo_solver_destroy(&solver);
  fixture_free(comm, &f);
}

static void what_is_used_again_has_the_same_bits(blo_comm *comm)
{
  static const int kinds[] = {FIXTURE_REPRESENTATION, FIXTURE_BLOCK_SQUARE, FIXTURE_FEW_SHOT};
  char folder[256];
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  for (int i = 0; i < BLO_COUNT_OF(kinds); i++) {
    uint32_t fresh[2], again[2];
    three_steps(comm, kinds[i], folder, false, fresh);
    three_steps(comm, kinds[i], folder, true, again);
    BLO_EXPECT_MSG(memcmp(fresh, again, sizeof fresh) == 0, "%s", fixture_name(kinds[i]));
  }
}

/* ------------------------------------------------------ portions of rows */

/* Where only b[0] = 1 of each task's layer is not zero, CE is log(2 + e), less 1 in class 0: a
 * third of the samples. */
static void expect_labels(const fixture *f, const blo_vec *x, blo_vec *y)
{
  static const double reg = 0.01; /* the default */
  const double ce = log(2 + exp(1)) - 1.0 / 3;
  blo_int width = f->problem->y_width, first = blo_space_first(y->space);
  for (blo_int i = 0; i < blo_space_n_local(y->space); i++) {
    y->data[i] = (first + i) % width == blo_params_find(f->problem->params, "head.b")->offset;
  }
  blo_ask ask = {.lower = BLO_WANT_VALUE, .upper = BLO_WANT_VALUE, .x = x, .y = y};
  blo_answer ans = {.g = 0};
  BLO_REQUIRE_STATUS(blo_eval_sweep(f->eval, &ask, &ans), BLO_OK);
  BLO_EXPECT_NEAR(ans.g, (double)f->problem->n_lower * (ce + reg), 1e-13, 0, "the formula");
  BLO_EXPECT_NEAR(ans.f, ce, 1e-13, 0, "the formula");
}

/* A graph takes some hundreds of rows at once: those of a shard, or of a task, then come in several
 * portions, and linearised and direct products, halves of a batch and derivatives agree all the
 * same. */
static void portions_add_up(blo_comm *comm)
{
  static const char *const texts[][2] = {
      {"hyper_representation", "data: {train: {path: %s/many.csv}, n_train: 4400, n_val: 4400, "
                               "shards: 4}\nmodel: {type: mlp, hidden: 3}\n"},
      {"few_shot", "train: {path: %s/many.csv}\nmodel: {type: mlp, hidden: 3}\nways: 3\n"
                   "shots: 350\nqueries: 360\nepisodes: 4\nshards: 4\n"}};
  char folder[256], text[1024];
  blo_test_tmpdir(comm, folder, sizeof folder);
  write_csv(comm, folder, "many.csv", 8900, false);
  for (int i = 0; i < BLO_COUNT_OF(texts); i++) {
    fixture f;
    blo_vec *x, *y;
    blo_check_row rows[BLO_CHECK_ROWS];
    snprintf(text, sizeof text, texts[i][1], folder);
    open_text(comm, blo_problem_find(texts[i][0]), text, &f);
    fixture_point(&f, &x, &y);
    BLO_REQUIRE_STATUS(blo_check_problem(f.eval, NULL, NULL, x, y, 3, rows), BLO_OK);
    for (int r = 0; r < BLO_CHECK_ROWS; r++) {
      BLO_EXPECT_MSG(rows[r].verdict != BLO_CHECK_FAIL, "%s: %s: error %.3g > %.3g", texts[i][0],
                     rows[r].statement, rows[r].error, rows[r].tol);
    }
    if (f.problem->y_width > 0) {
      expect_labels(&f, x, y);
    }
    blo_vec_destroy(&x);
    blo_vec_destroy(&y);
    fixture_free(comm, &f);
  }
}

/* ------------------------------------------------- what the formulas say */

/* g and grad_x g at the fixture's point, y whole on every rank. */
typedef struct lower {
  fixture f;
  blo_vec *x, *y, *g_x;
  double g;
} lower;

static void open_lower(blo_comm *comm, int kind, const char *folder, lower *l)
{
  fixture_make(comm, kind, folder, BLO_REPRODUCIBLE, &l->f);
  fixture_point(&l->f, &l->x, &l->y);
  fixture_like(l->x, 1, &l->g_x);
}

static void ask_lower(lower *l)
{
  blo_ask ask = {.lower = BLO_WANT_VALUE | BLO_WANT_X, .x = l->x, .y = l->y};
  blo_answer ans = {.g_x = l->g_x};
  BLO_REQUIRE_STATUS(blo_eval_sweep(l->f.eval, &ask, &ans), BLO_OK);
  l->g = ans.g;
}

static void close_lower(blo_comm *comm, lower *l)
{
  blo_vec *all[] = {l->x, l->y, l->g_x};
  fixture_free_vecs(3, all);
  fixture_free(comm, &l->f);
}

/* grad_x g is exp(x_b) R(y_b) / 2, R the square of a block's norm or the norm. */
static void each_block_has_its_weight(blo_comm *comm)
{
  char folder[256];
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  for (int kind = FIXTURE_BLOCK_SQUARE; kind <= FIXTURE_BLOCK_NORM; kind++) {
    lower l;
    open_lower(comm, kind, folder, &l);
    ask_lower(&l);
    blo_vec_publish(l.g_x);
    for (blo_int b = 0; b < l.f.problem->n_x; b++) {
      const blo_block *block = blo_params_get(l.f.problem->params, b);
      double square = 0;
      for (blo_int i = 0; i < block->n; i++) {
        square += l.y->data[block->offset + i] * l.y->data[block->offset + i];
      }
      double size = kind == FIXTURE_BLOCK_SQUARE ? square : sqrt(square);
      BLO_EXPECT_NEAR(l.g_x->data[b], exp(l.x->data[b]) * size / 2, 1e-13, 0, "the formula");
    }
    close_lower(comm, &l);
  }
}

static double sigmoid(double x)
{
  return 1 / (1 + exp(-x));
}

/* n grad_x g = sigmoid'(x_i) CE_i, whatever x is, and g = mean of sigmoid(x_i) CE_i + reg |y|^2:
 * x = 0 gives the CE_i, the fixture's point is compared with them. */
static void each_sample_has_its_weight(blo_comm *comm)
{
  static const double reg = 0.4; /* of the fixtures */
  char folder[256];
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  for (int kind = FIXTURE_CLEANING_MLP; kind <= FIXTURE_CLEANING_LSTM; kind++) {
    lower at, zero;
    double worst = 0, sum = 0;
    open_lower(comm, kind, folder, &at);
    open_lower(comm, kind, folder, &zero);
    blo_vec_fill(zero.x, 0);
    ask_lower(&at);
    ask_lower(&zero);
    double n = (double)at.f.problem->n_x, y = blo_vec_norm(at.y);
    for (blo_int i = 0; i < blo_space_n_local(at.x->space); i++) {
      double w = sigmoid(at.x->data[i]), ce = 4 * n * zero.g_x->data[i];
      worst = fmax(worst, fabs(n * at.g_x->data[i] / (w * (1 - w) * ce) - 1));
      sum += w * ce;
    }
    MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_DOUBLE, MPI_SUM, blo_comm_mpi(comm));
    BLO_EXPECT_MSG(worst < 1e-13, "%s: grad_x g off by %.3g", fixture_name(kind), worst);
    BLO_EXPECT_NEAR(at.g, sum / n + reg * y * y, 1e-13, 0, "the formula");
    close_lower(comm, &at);
    close_lower(comm, &zero);
  }
}

static const blo_test tests[] = {
    {"linear networks are linear classifiers", linear_networks_are_linear_classifiers},
    {"parameters have names", parameters_have_names},
    {"starts do not know ranks", starts_do_not_know_ranks},
    {"metrics are means over rows", metrics_are_means_over_rows},
    {"what is used again has the same bits", what_is_used_again_has_the_same_bits},
    {"portions add up", portions_add_up},
    {"each block has its weight", each_block_has_its_weight},
    {"each sample has its weight", each_sample_has_its_weight},
};
BLO_TEST_MAIN("network", tests)

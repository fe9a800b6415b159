/* Problems for tests; see fixture.h. */
#include "fixture.h"
#include "model_check.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = FIXTURE_ROWS, FEATURES = FIXTURE_FEATURES, CLASSES = FIXTURE_CLASSES };
/* Texts: at most SENTENCE words of a vocabulary of WORDS. Images: SIDE x SIDE, in KINDS classes. */
enum { TEXTS = 120, SENTENCE = 4, WORDS = 7, IMAGES = 96, SIDE = 8, KINDS = 6 };

/* A kind: the problem, its data file, and its block of a run file after `type` and `data`. */
typedef struct recipe {
  const char *name, *type, *file, *options;
  blo_int n_train, n_val, n_test;
  const blo_problem_type *own; /* instead of `type`: one of the tests, without options */
} recipe;

#define NET    60, 30, 20, NULL
#define LINEAR 200, 90, 70, NULL
static const recipe recipes[N_FIXTURES] = {
    [FIXTURE_QUADRATIC] = {.name = "quadratic", .own = &blo_problem_test_quadratic},
    [FIXTURE_CLEANING] = {"cleaning", "hyper_cleaning", "data.csv",
                          "corrupt: 0.3\nreg: 0.01\nx0: 0.5\n", LINEAR},
    [FIXTURE_CLEANING_ROOTED] = {"cleaning, rooted", "hyper_cleaning", "data.csv",
                                 "corrupt: 0.3\nreg: 0.01\nx0: 0.5\nx: rooted\n", LINEAR},
    [FIXTURE_RIDGE_FEATURE] = {"ridge per feature", "ridge_logistic", "data.csv", "per: feature\n",
                               LINEAR},
    [FIXTURE_RIDGE_CLASS] = {"ridge per class", "ridge_logistic", "data.csv", "per: class\n",
                             LINEAR},
    [FIXTURE_RIDGE_SPARSE] = {"ridge, sparse", "ridge_logistic", "data.svm", "per: all\n", LINEAR},
    [FIXTURE_TASKS] = {.name = "tasks", .own = &blo_problem_test_tasks},
    [FIXTURE_MINIMAX] = {.name = "minimax", .own = &blo_problem_test_minimax},
    [FIXTURE_REPRESENTATION] = {"representation", "hyper_representation", "data.csv",
                                "reg: 0.3\nmodel: {type: mlp, hidden: 3, layers: 2}\n", NET},
    [FIXTURE_CLEANING_MLP] = {"cleaning, mlp", "hyper_cleaning", "data.csv",
                              "corrupt: 0.3\nreg: 0.4\nx0: 0.5\n"
                              "model: {type: mlp, hidden: 3, activation: softplus}\n",
                              NET},
    [FIXTURE_CLEANING_LSTM] = {"cleaning, lstm", "hyper_cleaning", "texts.h5",
                               "corrupt: 0.3\nreg: 0.4\nx0: 0.5\n"
                               "model: {type: lstm, hidden: 2, embedding: 3, pooling: mean}\n",
                               NET},
    [FIXTURE_BLOCK_SQUARE] = {"block ridge, square", "block_ridge", "data.csv",
                              "weight: 0.7\nmodel: {type: mlp, hidden: 3}\n", NET},
    [FIXTURE_BLOCK_NORM] = {"block ridge, norm", "block_ridge", "data.csv",
                            "weight: 0.1\npenalty: norm\nmodel: {type: mlp, hidden: 3}\n", NET},
    [FIXTURE_FEW_SHOT] =
        {.name = "few shot",
         .type = "few_shot",
         .file = "images.h5",
         .options = "model: {type: conv, layers: 2, filters: 3, norm: channel, smooth: true}\n"
                    "ways: 3\nshots: 2\nqueries: 3\nepisodes: 8\ntest_episodes: 4\n"
                    "shards: 4\nreg: 0.3\n"},
};

const char *fixture_name(int kind)
{
  return recipes[kind].name;
}

bool fixture_is_network(int kind)
{
  return kind >= FIXTURE_REPRESENTATION;
}

/* ------------------------------------------------------------------ files */

/* Clusters that overlap, one for each class. */
double fixture_feature(blo_int i, int k)
{
  int c = (int)(i % CLASSES);
  blo_stream st = {77, BLO_PURPOSE_TEST};
  return 0.8 * (k == c) - 0.5 * (k == 3 && c == 1) +
         blo_stream_normal(st, 50, (uint64_t)i, (uint64_t)k);
}

static void write_file(const char *folder, const char *name, bool sparse)
{
  char path[512];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *to = fopen(path, "w");
  BLO_BUG_IF(to == NULL, "cannot write %s", path);
  for (blo_int i = 0; i < ROWS; i++) {
    int c = (int)(i % CLASSES);
    if (sparse) {
      fprintf(to, "%d", c);
    }
    for (int k = 0; k < FEATURES; k++) {
      double a = fixture_feature(i, k);
      if (!sparse) {
        fprintf(to, "%.17g,", a);
      } else if (a > 0.3) {
        fprintf(to, " %d:%.17g", k + 1, a);
      }
    }
    fprintf(to, sparse ? "\n" : "%d\n", c);
  }
  fclose(to);
}

static void write_tables(blo_context *ctx, const char *folder, const char *name,
                         const blo_table *train, const blo_table *test)
{
  static const char *const groups[] = {"train", "test"};
  const blo_table *const tables[] = {train, test};
  char path[512];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  blo_status status = blo_table_write(ctx, path, test != NULL ? 2 : 1, groups, tables);
  BLO_BUG_IF(status != BLO_OK, "%s", blo_error_text(ctx));
}

/* Classes in turn; words 2, 3 and 4 are each more frequent in one class. */
static void write_texts(blo_context *ctx, const char *folder)
{
  blo_table *t = NULL;
  blo_status status = model_random_tokens(ctx, TEXTS, SENTENCE, WORDS, CLASSES, 78, &t);
  BLO_BUG_IF(status != BLO_OK, "%s", blo_error_text(ctx));
  for (blo_int i = 0; i < TEXTS; i++) {
    int32_t *word = (int32_t *)t->values + i * t->ld;
    t->label[i] = (int32_t)(i % CLASSES);
    if (i % 4 != 0) {
      word[0] = 2 + t->label[i];
    }
  }
  write_tables(ctx, folder, "texts.h5", t, NULL);
  blo_table_destroy(ctx, &t);
}

/* Noise on a wave for each class. */
static blo_table *images(blo_context *ctx, uint64_t seed)
{
  blo_table *t = NULL;
  blo_status status = model_random_table(ctx, IMAGES, SIDE * SIDE, KINDS, seed, &t);
  BLO_BUG_IF(status != BLO_OK, "%s", blo_error_text(ctx));
  for (blo_int i = 0; i < IMAGES; i++) {
    double *pixel = (double *)t->values + i * t->ld;
    t->label[i] = (int32_t)(i % KINDS);
    for (int k = 0; k < SIDE * SIDE; k++) {
      pixel[k] = 0.5 * pixel[k] + sin((1 + t->label[i]) * (0.7 * (k % SIDE) + 0.3 * (k / SIDE)));
    }
  }
  return t;
}

static void write_images(blo_context *ctx, const char *folder)
{
  blo_table *train = images(ctx, 79), *test = images(ctx, 80);
  write_tables(ctx, folder, "images.h5", train, test);
  blo_table_destroy(ctx, &train);
  blo_table_destroy(ctx, &test);
}

void fixture_write_data(blo_comm *comm, const char *folder)
{
  if (blo_comm_rank(comm) == 0) {
    write_file(folder, "data.csv", false);
    write_file(folder, "data.svm", true);
    write_texts(blo_comm_context(comm), folder);
    write_images(blo_comm_context(comm), folder);
  }
  MPI_Barrier(blo_comm_mpi(comm));
}

/* --------------------------------------------------------------- problems */

/* The block `problem` of a run file. */
static void write_block(int kind, const char *folder, char *text, size_t cap)
{
  const recipe *r = &recipes[kind];
  if (r->n_train == 0) {
    snprintf(text, cap, "%strain: {path: %s/%s, group: train}\ntest: {path: %s/%s, group: test}\n",
             r->options, folder, r->file, folder, r->file);
    return;
  }
  snprintf(text, cap,
           "%sdata:\n  train: {path: %s/%s}\n  n_train: %d\n  n_val: %d\n  n_test: %d\n"
           "  shards: 4\n%s", /* of the linear ones, more than BLO_BLOCK_ROWS samples in each */
           r->options, folder, r->file, (int)r->n_train, (int)r->n_val, (int)r->n_test,
           kind == FIXTURE_CLEANING_LSTM ? "  scaling: none\n" : "");
}

void fixture_make(blo_comm *comm, int kind, const char *folder, blo_reduction how, fixture *f)
{
  blo_context *ctx = blo_comm_context(comm);
  const blo_problem_type *type = recipes[kind].own;
  char text[2048];
  *f = (fixture){NULL, NULL, NULL};
  if (type == NULL) {
    type = blo_problem_find(recipes[kind].type);
    write_block(kind, folder, text, sizeof text);
    BLO_REQUIRE_STATUS(blo_conf_parse(ctx, "test", text, &f->conf), BLO_OK);
  }
  BLO_REQUIRE_STATUS(blo_problem_create(comm, type, f->conf, &f->problem), BLO_OK);
  BLO_REQUIRE_STATUS(blo_eval_create(f->problem, how, &f->eval), BLO_OK);
}

void fixture_free(blo_comm *comm, fixture *f)
{
  (void)comm;
  blo_eval_destroy(&f->eval);
  blo_problem_destroy(&f->problem);
  blo_conf_destroy(&f->conf);
}

void fixture_point(const fixture *f, blo_vec **x, blo_vec **y)
{
  blo_stream st = {11, BLO_PURPOSE_TEST};
  BLO_REQUIRE_STATUS(blo_vec_create(blo_eval_space_x(f->eval), x), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_create(blo_eval_space_y(f->eval), y), BLO_OK);
  blo_eval_start(f->eval, *x, *y);
  blo_int first = blo_space_first((*x)->space);
  for (blo_int i = 0; i < blo_space_n_local((*x)->space); i++) {
    (*x)->data[i] += 0.5 * blo_stream_normal(st, 1, 0, (uint64_t)(first + i));
  }
  first = blo_space_first((*y)->space);
  for (blo_int i = 0; i < blo_space_n_local((*y)->space); i++) {
    (*y)->data[i] += 0.5 * blo_stream_normal(st, 2, 0, (uint64_t)(first + i));
  }
  blo_vec_publish(*x);
}

void fixture_like(const blo_vec *v, int n, blo_vec **out)
{
  for (int i = 0; i < n; i++) {
    BLO_REQUIRE_STATUS(blo_vec_create(v->space, &out[i]), BLO_OK);
  }
}

void fixture_free_vecs(int n, blo_vec **v)
{
  for (int i = 0; i < n; i++) {
    blo_vec_destroy(&v[i]);
  }
}

void fixture_batch_counts(blo_comm *comm, const blo_batch *batch, blo_int n, blo_int n_shards,
                          int *count)
{
  blo_int first = blo_comm_first_shard(comm, n_shards), end = blo_comm_end_shard(comm, n_shards);
  memset(count, 0, (size_t)n * sizeof *count);
  for (blo_int s = first; s < end; s++) {
    blo_int from = batch->start[s - first];
    for (blo_int r = from; r < batch->start[s - first + 1]; r++) {
      blo_int in_shard = batch->row != NULL ? batch->row[r] : r - from;
      count[blo_shard_begin(n, n_shards, s) + in_shard]++;
    }
  }
  MPI_Allreduce(MPI_IN_PLACE, count, (int)n, MPI_INT, MPI_SUM, blo_comm_mpi(comm));
}

void fixture_for_all(blo_comm *comm, void (*each)(blo_comm *comm, int kind, const fixture *f,
                                                  blo_vec *x, blo_vec *y))
{
  char folder[256];
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  for (int kind = 0; kind < N_FIXTURES; kind++) {
    fixture f;
    blo_vec *point[2];
    fixture_make(comm, kind, folder, BLO_REPRODUCIBLE, &f);
    fixture_point(&f, &point[0], &point[1]);
    each(comm, kind, &f, point[0], point[1]);
    fixture_free_vecs(2, point);
    fixture_free(comm, &f);
  }
}

typedef struct newton {
  blo_vec *g_y, *hv, *r, *p, *d;
} newton;

/* d = H^-1 g_y by CG to rounding; where H has negative curvature, what CG has found before, and at
 * least the gradient (Steihaug, SIAM J. Numer. Anal. 20 (1983) 626-637). */
static void newton_direction(const fixture *f, const blo_vec *x, const blo_vec *y, newton *w)
{
  blo_answer ans = {.hv = {w->hv}};
  blo_ask ask = {.lower = BLO_WANT_HV, .x = x, .y = y, .n_v = 1, .v = {w->p}};
  double rr, goal;
  blo_vec_fill(w->d, 0);
  blo_vec_copy(w->g_y, w->r);
  blo_vec_copy(w->g_y, w->p);
  rr = blo_vec_dot(w->r, w->r);
  goal = 1e-26 * rr;
  for (int k = 0; k < 200 && rr > goal; k++) {
    BLO_REQUIRE_STATUS(blo_eval_sweep(f->eval, &ask, &ans), BLO_OK);
    double curvature = blo_vec_dot(w->p, w->hv), rr_old = rr;
    if (curvature <= 0) {
      break;
    }
    blo_vec_axpy(rr / curvature, w->p, w->d);
    blo_vec_axpy(-rr / curvature, w->hv, w->r);
    rr = blo_vec_dot(w->r, w->r);
    blo_vec_aypx(rr / rr_old, w->r, w->p);
  }
  if (!(blo_vec_norm(w->d) > 0)) {
    blo_vec_copy(w->g_y, w->d);
  }
}

/* g at (x, y), and w->g_y. */
static double value_of_g(const fixture *f, const blo_vec *x, const blo_vec *y, newton *w)
{
  blo_answer ans = {.g_y = w->g_y};
  blo_ask ask = {.lower = BLO_WANT_VALUE | BLO_WANT_Y, .x = x, .y = y};
  BLO_REQUIRE_STATUS(blo_eval_sweep(f->eval, &ask, &ans), BLO_OK);
  return ans.g;
}

/* y -= t d with the first t of 1, 1/2, 1/4, ... that does not let g grow by more than rounding. */
static double newton_step(const fixture *f, const blo_vec *x, double g, blo_vec *y, newton *w)
{
  double t = 1, next;
  blo_vec_axpy(-t, w->d, y);
  next = value_of_g(f, x, y, w);
  for (int k = 0; k < 30 && next > g + 1e-14 * fabs(g); k++) {
    t /= 2;
    blo_vec_axpy(t, w->d, y);
    next = value_of_g(f, x, y, w);
  }
  return next;
}

void fixture_solve_lower(const fixture *f, const blo_vec *x, blo_vec *y, double tol)
{
  newton w;
  blo_vec **const all[] = {&w.g_y, &w.hv, &w.r, &w.p, &w.d};
  for (int i = 0; i < 5; i++) {
    BLO_REQUIRE_STATUS(blo_vec_create(blo_eval_space_y(f->eval), all[i]), BLO_OK);
  }
  double g = value_of_g(f, x, y, &w);
  for (int k = 0; k < 100 && blo_vec_norm(w.g_y) > tol; k++) {
    newton_direction(f, x, y, &w);
    g = newton_step(f, x, g, y, &w);
  }
  double norm = blo_vec_norm(w.g_y);
  BLO_REQUIRE_MSG(norm <= tol, "lower level not solved: residual %.3g", norm);
  for (int i = 0; i < 5; i++) {
    blo_vec_destroy(all[i]);
  }
}

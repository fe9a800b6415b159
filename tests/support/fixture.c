/* Problems for tests; see fixture.h. */
#include "fixture.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = FIXTURE_ROWS, FEATURES = FIXTURE_FEATURES, CLASSES = FIXTURE_CLASSES };

static const char *const names[] = {
    "quadratic",     "cleaning", "cleaning, rooted", "ridge per feature", "ridge per class",
    "ridge, sparse", "tasks"};

const char *fixture_name(int kind)
{
  return names[kind];
}

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

void fixture_write_data(blo_comm *comm, const char *folder)
{
  if (blo_comm_rank(comm) == 0) {
    write_file(folder, "data.csv", false);
    write_file(folder, "data.svm", true);
  }
  MPI_Barrier(blo_comm_mpi(comm));
}

static const char *file_of(int kind)
{
  return kind == FIXTURE_RIDGE_SPARSE ? "data.svm" : "data.csv";
}

static const char *extra(int kind)
{
  static const char *const texts[] = {"",
                                      "corrupt: 0.3\nreg: 0.01\nx0: 0.5\n",
                                      "corrupt: 0.3\nreg: 0.01\nx0: 0.5\nx: rooted\n",
                                      "per: feature\n",
                                      "per: class\n",
                                      "per: all\n",
                                      ""};
  return texts[kind];
}

void fixture_make(blo_comm *comm, int kind, const char *folder, blo_reduction how, fixture *f)
{
  blo_context *ctx = blo_comm_context(comm);
  const blo_problem_type *type = &blo_problem_test_quadratic;
  char text[2048];
  *f = (fixture){NULL, NULL, NULL};
  if (kind == FIXTURE_TASKS) {
    type = &blo_problem_test_tasks;
  } else if (kind != FIXTURE_QUADRATIC) {
    type = blo_problem_find(kind <= FIXTURE_CLEANING_ROOTED ? "hyper_cleaning" : "ridge_logistic");
    snprintf(text, sizeof text,
             "%sdata:\n  train:\n    path: %s/%s\n  n_train: 200\n  n_val: 90\n  n_test: 70\n"
             "  shards: 4\n", /* more than a block of BLO_BLOCK_ROWS samples in each */
             extra(kind), folder, file_of(kind));
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

/* d = H^-1 g_y by CG to rounding. */
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
    double alpha = rr / blo_vec_dot(w->p, w->hv), rr_old = rr;
    blo_vec_axpy(alpha, w->p, w->d);
    blo_vec_axpy(-alpha, w->hv, w->r);
    rr = blo_vec_dot(w->r, w->r);
    blo_vec_aypx(rr / rr_old, w->r, w->p);
  }
}

void fixture_solve_lower(const fixture *f, const blo_vec *x, blo_vec *y, double tol)
{
  newton w;
  blo_vec **const all[] = {&w.g_y, &w.hv, &w.r, &w.p, &w.d};
  blo_answer ans;
  for (int i = 0; i < 5; i++) {
    BLO_REQUIRE_STATUS(blo_vec_create(blo_eval_space_y(f->eval), all[i]), BLO_OK);
  }
  ans = (blo_answer){.g_y = w.g_y};
  double norm = (double)INFINITY;
  for (int k = 0; k < 50 && norm > tol; k++) {
    blo_ask ask = {.lower = BLO_WANT_Y, .x = x, .y = y};
    BLO_REQUIRE_STATUS(blo_eval_sweep(f->eval, &ask, &ans), BLO_OK);
    norm = blo_vec_norm(w.g_y);
    if (norm > tol) {
      newton_direction(f, x, y, &w);
      blo_vec_axpy(-1, w.d, y);
    }
  }
  BLO_REQUIRE_MSG(norm <= tol, "lower level not solved: residual %.3g", norm);
  for (int i = 0; i < 5; i++) {
    blo_vec_destroy(all[i]);
  }
}

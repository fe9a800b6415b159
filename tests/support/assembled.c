/* Assembled matrices for tests; see assembled.h. */
#include "assembled.h"
#include "whole.h"
#include <math.h>
#include <string.h>

enum { N = ASSEMBLED_N, NY = ASSEMBLED_NY, NX = ASSEMBLED_NX, SHARDS = ASSEMBLED_SHARDS };
enum { D = BLO_DIRECTIONS_MAX };

/* ------------------------------------------------------------ the problem */

static double number(int what, blo_int i, blo_int k)
{
  blo_stream st = {41, BLO_PURPOSE_TEST};
  return blo_stream_normal(st, (uint64_t)what, (uint64_t)i, (uint64_t)k);
}

enum { OF_S, OF_B, OF_C, OF_E, OF_X, OF_BEFORE }; /* streams of numbers */

static double dot(int what, blo_int i, const double *v)
{
  double sum = 0;
  for (int j = 0; j < NY; j++) {
    sum += number(what, i, j) * v[j];
  }
  return sum;
}

static blo_status setup(blo_problem *p)
{
  p->n_x = NX;
  p->n_y = NY;
  p->n_lower = N;
  p->n_upper = 1;
  p->n_shards = SHARDS;
  p->x_layout = BLO_ROOTED;
  return BLO_OK;
}

static void start(const blo_problem *p, const blo_slice *x, const blo_slice *y)
{
  (void)p;
  for (blo_int i = 0; i < x->n; i++) {
    x->data[i] = number(OF_X, x->first + i, 0);
  }
  memset(y->data, 0, (size_t)y->n * sizeof *y->data);
}

/* Sample i, at place `at` of its shard, in direction d. */
static void add_sample(const blo_problem *p, const blo_shard_task *t, blo_int i, blo_int at,
                       blo_int d, const blo_shard_out *out)
{
  const assembled_form *f = p->state;
  bool gn = (t->want & BLO_WANT_GAUSS_NEWTON) != 0;
  double sv = t->scale * (gn ? 3 : 1) * dot(OF_S, i, t->v[d]);
  double cv = t->scale * (i == f->nan ? (double)NAN : 1) * dot(OF_C, i, t->v[d]);
  for (int j = 0; j < NY && out->hv[d] != NULL; j++) {
    out->hv[d][j] += sv * number(OF_S, i, j);
  }
  if (out->jv[d] != NULL && p->x_aligned) {
    out->jv[d][at] += cv;
  }
  for (int k = 0; k < NX && out->jv[d] != NULL && !p->x_aligned; k++) {
    out->jv[d][k] += cv * number(OF_B, i, k);
  }
}

static blo_status shard(blo_problem *p, const blo_shard_task *t, const blo_shard_out *out)
{
  const assembled_form *f = p->state;
  blo_int first = blo_shard_begin(N, SHARDS, t->shard);
  for (blo_int r = 0; r < t->n_rows && t->level == BLO_LOWER; r++) {
    blo_int at = t->row != NULL ? t->row[r] : r;
    BLO_CHECK(p->ctx, first + at != f->failing, BLO_E_DATA, "sample %lld fails",
              (long long)(first + at));
    for (blo_int d = 0; d < t->n_v; d++) {
      add_sample(p, t, first + at, at, d, out);
    }
  }
  return BLO_OK;
}

/* The rank's part of an x-vector: where it begins, and its length. */
static blo_int part_of_x(const blo_problem *p, blo_int *first)
{
  blo_int shard_no = blo_comm_first_shard(p->comm, SHARDS),
          end = blo_comm_end_shard(p->comm, SHARDS);
  *first = p->x_layout == BLO_SHARDED ? blo_shard_begin(N, SHARDS, shard_no) : 0;
  return p->x_layout == BLO_SHARDED ? blo_shard_begin(N, SHARDS, end) - *first : p->n_x;
}

static void common(const blo_problem *p, blo_level level, unsigned want, const blo_point *at,
                   double scale, const blo_shard_out *out)
{
  bool gn = (want & BLO_WANT_GAUSS_NEWTON) != 0;
  blo_int first, n = part_of_x(p, &first);
  for (blo_int d = 0; d < at->n_v && level == BLO_LOWER; d++) {
    for (int j = 0; j < NY && out->hv[0] != NULL; j++) {
      out->hv[d][j] += scale * (gn ? 1 : j + 1) * at->v[d][j];
    }
    for (blo_int k = 0; k < n && out->jv[0] != NULL; k++) {
      out->jv[d][k] += scale * dot(OF_E, first + k, at->v[d]);
    }
  }
}

static const blo_problem_type known_type = {
    .name = "test_known",
    .summary = "known matrices",
    .source = "",
    .state_size = sizeof(assembled_form),
    .setup = setup,
    .start = start,
    .shard = shard,
    .common = common,
};

enum { ALL_HAS = BLO_HAS_G_X | BLO_HAS_DIRECTIONS | BLO_HAS_GAUSS_NEWTON };
const assembled_form assembled_forms[N_ASSEMBLED_FORMS] = {
    {BLO_ROOTED, false, ALL_HAS, -1, -1},
    {BLO_REPLICATED, false, ALL_HAS, -1, -1},
    {BLO_SHARDED, true, ALL_HAS, -1, -1},
    {BLO_ROOTED, true, ALL_HAS, -1, -1},
    {BLO_ROOTED, false, BLO_HAS_G_X | BLO_HAS_GAUSS_NEWTON, -1, -1},
    {BLO_SHARDED, true, BLO_HAS_G_X | BLO_HAS_GAUSS_NEWTON, -1, -1},
    {BLO_ROOTED, false, BLO_HAS_DIRECTIONS | BLO_HAS_GAUSS_NEWTON, -1, -1},
    {BLO_SHARDED, true, BLO_HAS_DIRECTIONS | BLO_HAS_GAUSS_NEWTON, -1, -1},
    {BLO_ROOTED, true, BLO_HAS_DIRECTIONS | BLO_HAS_GAUSS_NEWTON, -1, -1},
};

assembled_form *assembled_form_of(blo_problem *p)
{
  return p->state;
}

double assembled_entry(const assembled_form *f, bool cross, bool gn, blo_int i, blo_int j)
{
  double sum = 0;
  for (blo_int n = 0; n < N; n++) {
    if (!cross) {
      sum += (gn ? 3 : 1) * number(OF_S, n, i) * number(OF_S, n, j) / N;
    } else if ((f->has & BLO_HAS_G_X) != 0) {
      sum += (f->aligned ? n == i : number(OF_B, n, i)) * number(OF_C, n, j) / N;
    }
  }
  return sum + (cross ? number(OF_E, i, j) : i != j ? 0 : gn ? 1 : (double)(i + 1));
}

/* --------------------------------------------------------------- problems */

static void make_problem(blo_comm *comm, const assembled_source *from, fixture *f)
{
  if (from->kind >= 0) {
    fixture_make(comm, from->kind, from->folder, BLO_REPRODUCIBLE, f);
    return;
  }
  *f = (fixture){NULL, NULL, NULL};
  BLO_REQUIRE_STATUS(blo_problem_create(comm, &known_type, NULL, &f->problem), BLO_OK);
  blo_problem *p = f->problem;
  *(assembled_form *)p->state = from->form;
  p->has = from->form.has;
  p->x_layout = from->form.layout;
  p->x_aligned = from->form.aligned;
  p->n_x = p->x_aligned ? N : NX;
  BLO_REQUIRE_STATUS(blo_eval_create(p, BLO_REPRODUCIBLE, &f->eval), BLO_OK);
}

/* ------------------------------------------------------ one rank's sweeps */

static void make_pair(blo_context *ctx, const blo_problem *p, matrix_pair *m)
{
  *m = (matrix_pair){NULL, NULL};
  bool done = blo_alloc(ctx, p->n_y * p->n_y, sizeof *m->h, &m->h) == BLO_OK &&
              blo_alloc(ctx, p->n_y * p->n_x, sizeof *m->j, &m->j) == BLO_OK;
  BLO_REQUIRE_ALL(done);
}

void assembled_free(blo_context *ctx, matrix_pair *m)
{
  blo_free(ctx, &m->h);
  blo_free(ctx, &m->j);
}

/* Question and answer of a panel of n columns of both matrices, each in a vector. */
static void unit_panel(blo_int j, blo_int n, blo_vec *const *v, blo_ask *ask)
{
  ask->n_v = n;
  for (blo_int i = 0; i < n; i++) {
    memset(v[i]->data, 0, (size_t)blo_space_n_local(v[i]->space) * sizeof(double));
    v[i]->data[j + i] = 1;
    ask->v[i] = v[i];
  }
}

/* Sweeps of a problem on this rank alone, as many columns at once as the assembler takes. A batch
 * of `batch` samples, or all. */
static void sweep_alone(const fixture *f, blo_int batch, bool gn, matrix_pair *m)
{
  blo_int n_y = f->problem->n_y, n_x = f->problem->n_x;
  blo_sampler *sampler = NULL;
  blo_vec *x, *y, *v[D], *hv[D], *jv[D];
  fixture_point(f, &x, &y);
  fixture_like(y, D, v);
  fixture_like(y, D, hv);
  fixture_like(x, D, jv);
  BLO_REQUIRE_STATUS(blo_eval_reserve(f->eval, f->problem->n_lower, D), BLO_OK);
  BLO_REQUIRE_STATUS(blo_eval_sampler(f->eval, 9, BLO_PURPOSE_TEST, batch, &sampler), BLO_OK);
  blo_ask ask = {.lower = BLO_WANT_VALUE, .x = x, .y = y};
  blo_answer ans = {.g = 0};
  ask.lower_batch = batch > 0 ? blo_eval_draw(f->eval, sampler, 3, 1, 0) : NULL;
  ask.linearize = blo_eval_can_linearize(f->eval);
  BLO_REQUIRE_STATUS(blo_eval_sweep(f->eval, &ask, &ans), BLO_OK);
  ask.linearized = ask.linearize;
  ask.linearize = false;
  ask.lower = BLO_WANT_HV | (gn ? BLO_WANT_GAUSS_NEWTON : BLO_WANT_JV);
  memcpy(ans.hv, hv, sizeof hv);
  memcpy(ans.jv, jv, sizeof jv);
  for (blo_int j = 0; j < n_y; j += D) {
    blo_int n = n_y - j < D ? n_y - j : D;
    unit_panel(j, n, v, &ask);
    BLO_REQUIRE_STATUS(blo_eval_sweep(f->eval, &ask, &ans), BLO_OK);
    for (blo_int i = 0; i < n; i++) {
      memcpy(m->h + (j + i) * n_y, hv[i]->data, (size_t)n_y * sizeof *m->h);
      memcpy(m->j + (j + i) * n_x, jv[i]->data, (size_t)n_x * sizeof *m->j);
    }
  }
  blo_sampler_destroy(&sampler);
  fixture_free_vecs(D, v);
  fixture_free_vecs(D, hv);
  fixture_free_vecs(D, jv);
  blo_vec_destroy(&x);
  blo_vec_destroy(&y);
}

void assembled_reference(blo_comm *comm, const assembled_source *from, blo_int batch, bool gn,
                         matrix_pair *m)
{
  blo_comm *self = NULL;
  fixture f;
  BLO_REQUIRE_STATUS(blo_comm_create(blo_comm_context(comm), MPI_COMM_SELF, &self), BLO_OK);
  make_problem(self, from, &f);
  make_pair(blo_comm_context(comm), f.problem, m);
  sweep_alone(&f, batch, gn, m);
  fixture_free(self, &f);
  blo_comm_destroy(&self);
}

/* --------------------------------------------------------------- assembly */

/* What is in a matrix before something is added. */
static double before(void *arg, blo_int i, blo_int j)
{
  (void)arg;
  return number(OF_BEFORE, i, j);
}

void assembled_open(blo_comm *comm, const assembled_source *from, const assembled_manner *how,
                    assembled_rig *r)
{
  *r = (assembled_rig){.x = NULL};
  make_problem(comm, from, &r->f);
  const blo_problem *p = r->f.problem;
  blo_eval *eval = r->f.eval;
  fixture_point(&r->f, &r->x, &r->y);
  BLO_REQUIRE_STATUS(blo_grid_create(comm, &how->grid, &r->grid), BLO_OK);
  BLO_REQUIRE_STATUS(blo_assembler_create(eval, r->grid, p->n_lower, !how->gn, &r->assembler),
                     BLO_OK);
  BLO_REQUIRE_STATUS(blo_dense_create(r->grid, p->n_y, p->n_y, &r->h), BLO_OK);
  BLO_REQUIRE_STATUS(blo_dense_create(r->grid, p->n_x, p->n_y, &r->j), BLO_OK);
  blo_dense_set(r->h, before, NULL);
  blo_dense_set(r->j, before, NULL);
  BLO_REQUIRE_STATUS(blo_eval_sampler(eval, 9, BLO_PURPOSE_TEST, how->batch, &r->sampler), BLO_OK);
  r->ask = (blo_assemble_ask){.scale = how->scale,
                              .x = r->x,
                              .y = r->y,
                              .gauss_newton = how->gn,
                              .hessian = how->no_h ? NULL : r->h,
                              .cross = how->gn || how->no_j ? NULL : r->j};
  r->ask.batch = how->batch > 0 ? blo_eval_draw(eval, r->sampler, 3, 1, 0) : NULL;
}

void assembled_close(blo_comm *comm, assembled_rig *r)
{
  blo_dense_destroy(&r->h);
  blo_dense_destroy(&r->j);
  blo_assembler_destroy(&r->assembler);
  blo_sampler_destroy(&r->sampler);
  blo_grid_destroy(&r->grid);
  blo_vec_destroy(&r->x);
  blo_vec_destroy(&r->y);
  fixture_free(comm, &r->f);
}

void assembled_expect(const assembled_rig *r, const blo_dense *a, double scale,
                      const double *reference, double tolerance, const char *what)
{
  blo_context *ctx = r->f.problem->ctx;
  blo_int m = blo_dense_m(a), n = blo_dense_n(a), wrong = 0;
  double *got = NULL, size = 0;
  BLO_REQUIRE_STATUS(blo_alloc(ctx, m * n, sizeof *got, &got), BLO_OK);
  whole_matrix(a, got);
  for (blo_int k = 0; k < m * n; k++) {
    double want = number(OF_BEFORE, k % m, k / m);
    if (reference != NULL) {
      double moved = scale * reference[k];
      want += moved;
      size += fabs(reference[k]);
    }
    wrong += !(fabs(got[k] - want) <= tolerance * (1 + fabs(want)));
  }
  BLO_EXPECT_MSG(wrong == 0 && (reference == NULL || size > 1e-3),
                 "%s: %s: %lld of %lld x %lld entries differ", r->f.problem->type->name, what,
                 (long long)wrong, (long long)m, (long long)n);
  blo_free(ctx, &got);
}

/* Tracked matrices in plain arrays; see track_reference.h. */
#include "track_reference.h"
#include "plain.h"
#include <math.h>
#include <string.h>

extern void dsyev_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda,
                   double *w, double *work, const int *lwork, int *info, size_t n_jobz,
                   size_t n_uplo);

/* ------------------------------------------------------------------- life */

static double *take(double **pool, int n)
{
  double *a = *pool;
  *pool += n;
  return a;
}

void track_reference_open(const fixture *f, track_reference *r)
{
  int n_x = (int)f->problem->n_x, n_y = (int)f->problem->n_y, n = n_x > n_y ? n_x : n_y;
  int square = n_y * n_y, cross = n_x * n_y, n_room = 34 * n_y;
  double *pool = NULL;
  BLO_REQUIRE_STATUS(blo_alloc(f->problem->ctx, 4 * square + 3 * cross + n_y + n_room + 2 * n,
                               sizeof *pool, &pool),
                     BLO_OK);
  *r = (track_reference){.f = f, .n_x = n_x, .n_y = n_y, .n_room = n_room, .pool = pool};
  r->H = take(&pool, square);
  r->new_H = take(&pool, square);
  r->old_H = take(&pool, square);
  r->vectors = take(&pool, square);
  r->J = take(&pool, cross);
  r->new_J = take(&pool, cross);
  r->old_J = take(&pool, cross);
  r->eigen = take(&pool, n_y);
  r->room = take(&pool, n_room);
  r->in = take(&pool, n);
  r->out = take(&pool, n);
}

void track_reference_close(track_reference *r)
{
  blo_free(r->f->problem->ctx, &r->pool);
}

/* -------------------------------------------------------------- recursions */

static void set_unit(track_reference *r, int j, blo_vec *v)
{
  memset(r->in, 0, (size_t)r->n_y * sizeof *r->in);
  r->in[j] = 1;
  blo_vec_set_from(r->in, v);
}

/* Both matrices of a batch, one product at a time. */
static void find_matrices(track_reference *r, const blo_batch *batch, const blo_vec *x,
                          const blo_vec *y, double *H, double *J)
{
  blo_vec *v, *hv, *jv;
  fixture_like(y, 1, &v);
  fixture_like(y, 1, &hv);
  fixture_like(x, 1, &jv);
  for (int j = 0; j < r->n_y; j++) {
    blo_answer answer = {.hv = {hv}, .jv = {jv}};
    blo_ask ask = {.lower = BLO_WANT_HV | BLO_WANT_JV,
                   .lower_batch = batch,
                   .x = x,
                   .y = y,
                   .n_v = 1,
                   .v = {v}};
    set_unit(r, j, v);
    BLO_REQUIRE_STATUS(blo_eval_sweep(r->f->eval, &ask, &answer), BLO_OK);
    blo_vec_get_all(hv, H + j * r->n_y);
    blo_vec_get_all(jv, J + j * r->n_x);
  }
  fixture_free_vecs(1, &v);
  fixture_free_vecs(1, &hv);
  fixture_free_vecs(1, &jv);
}

static void combine(blo_track_rule rule, double a, int n, const double *now, const double *old,
                    double *m)
{
  for (int i = 0; i < n; i++) {
    m[i] = rule == BLO_TRACK_FRESH      ? now[i]
           : rule == BLO_TRACK_MOMENTUM ? (1 - a) * m[i] + a * now[i]
                                        : (1 - a) * (m[i] - old[i]) + now[i];
  }
}

void track_reference_advance(track_reference *r, const blo_track_step *s)
{
  find_matrices(r, s->batch, s->x, s->y, r->new_H, r->new_J);
  if (s->rule == BLO_TRACK_STORM) {
    find_matrices(r, s->batch, s->x_old, s->y_old, r->old_H, r->old_J);
  }
  combine(s->rule, s->a_hessian, r->n_y * r->n_y, r->new_H, r->old_H, r->H);
  combine(s->rule, s->a_cross, r->n_x * r->n_y, r->new_J, r->old_J, r->J);
}

/* ------------------------------------------------------------- projections */

void track_reference_decompose(track_reference *r)
{
  int n = r->n_y, info;
  for (int j = 0; j < n; j++) {
    for (int i = 0; i < n; i++) {
      r->vectors[j * n + i] = (r->H[j * n + i] + r->H[i * n + j]) / 2;
    }
  }
  dsyev_("V", "L", &n, r->vectors, &n, r->eigen, r->room, &r->n_room, &info, 1, 1);
  BLO_REQUIRE_ALL(info == 0);
}

static void project_hessian(track_reference *r, double mu, double L)
{
  int n = r->n_y;
  track_reference_decompose(r);
  memset(r->H, 0, (size_t)(n * n) * sizeof *r->H);
  for (int k = 0; k < n; k++) {
    double w = fmin(fmax(r->eigen[k], mu), L);
    for (int j = 0; j < n; j++) {
      for (int i = 0; i < n; i++) {
        r->H[j * n + i] += w * r->vectors[k * n + i] * r->vectors[k * n + j];
      }
    }
  }
}

void track_reference_project(track_reference *r, const blo_tracker_options *o)
{
  int n = r->n_x * r->n_y;
  double size = plain_norm(n, r->J);
  project_hessian(r, o->mu, o->L);
  for (int i = 0; i < n && size > o->cross_bound; i++) {
    r->J[i] *= o->cross_bound / size;
  }
}

/* ----------------------------------------------------------------- algebra */

void track_multiply(bool transpose, int m, int n, const double *a, const double *v, double *out)
{
  memset(out, 0, (size_t)(transpose ? n : m) * sizeof *out);
  for (int j = 0; j < n; j++) {
    for (int i = 0; i < m; i++) {
      out[transpose ? j : i] += a[j * m + i] * v[transpose ? i : j];
    }
  }
}

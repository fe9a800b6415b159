/** @file Samples of rank one: their room, their noise, what they add; see rank_one.h. */
#include "rank_one.h"

/** Is a part a vector in y? */
static bool in_y(int k)
{
  return ((RANK_S | RANK_D | RANK_A) >> k & 1) != 0;
}

static blo_int samples_of(const blo_problem *p, blo_level level)
{
  return level == BLO_LOWER ? p->n_lower : p->n_upper;
}

blo_status rank_one_create(blo_problem *p, blo_level level, unsigned parts, rank_one *r)
{
  blo_int n = samples_of(p, level);
  blo_int end = blo_shard_begin(n, p->n_shards, blo_comm_end_shard(p->comm, p->n_shards));

  r->n_x = p->n_x;
  r->n_y = p->n_y;
  r->first = blo_shard_begin(n, p->n_shards, blo_comm_first_shard(p->comm, p->n_shards));
  r->n_own = end - r->first;
  for (int k = 0; k < N_RANK_PARTS; k++) {
    if ((parts >> k & 1) != 0) {
      BLO_TRY(
          blo_alloc(p->ctx, r->n_own * (in_y(k) ? r->n_y : r->n_x), sizeof(double), &r->part[k]));
    }
  }
  return BLO_OK;
}

void rank_one_free(blo_problem *p, rank_one *r)
{
  for (int k = 0; k < N_RANK_PARTS; k++) {
    blo_free(p->ctx, &r->part[k]);
  }
}

double *rank_one_at(const rank_one *r, unsigned part, blo_int i)
{
  int k = 0;

  while ((part >> k & 1) == 0) {
    k++;
  }
  return r->part[k] == NULL ? NULL : r->part[k] + i * (in_y(k) ? r->n_y : r->n_x);
}

/* ----------------------------------------------------------------- noise */

enum { FAMILY_NOISE = 1000 };

/** The opposite vectors of samples i and i + 1, counted from the rank's first one. */
static void noise_pair(const rank_one *r, blo_level level, uint64_t seed, double sigma, blo_int i)
{
  for (int of_x = 0; of_x < 2; of_x++) {
    unsigned part = of_x ? RANK_E : RANK_A;
    double *one = rank_one_at(r, part, i), *other = rank_one_at(r, part, i + 1);
    blo_int n = of_x ? r->n_x : r->n_y;
    if (one == NULL) {
      continue;
    }
    matrix_normal(seed, FAMILY_NOISE + 2 * (uint64_t)level + (uint64_t)of_x, r->first + i, n, one);
    for (blo_int k = 0; k < n; k++) {
      one[k] *= sigma;
      other[k] = -one[k];
    }
  }
}

void rank_one_noise(blo_problem *p, blo_level level, uint64_t seed, double sigma, rank_one *r)
{
  blo_int n = samples_of(p, level), end = blo_comm_end_shard(p->comm, p->n_shards);

  for (blo_int s = blo_comm_first_shard(p->comm, p->n_shards); s < end; s++) {
    blo_int last = blo_shard_begin(n, p->n_shards, s + 1);
    for (blo_int i = blo_shard_begin(n, p->n_shards, s); i + 1 < last; i += 2) {
      noise_pair(r, level, seed, sigma, i - r->first);
    }
  }
}

/* --------------------------------------------------------------- oracles */

/** One sample: its vectors, NULL if left out. */
typedef struct sample {
  const double *s, *b, *c, *d, *a, *e;
} sample;

static double dot(blo_int n, const double *u, const double *z)
{
  return u == NULL ? 0 : blo_array_dot(n, u, z);
}

/** to += w u, if both are there. */
static void add(blo_int n, double w, const double *u, double *to)
{
  if (u != NULL && to != NULL) {
    matrix_axpy(n, w, u, to);
  }
}

static void add_sample(const rank_one *r, const sample *q, const blo_shard_task *t,
                       const blo_shard_out *out)
{
  blo_int n_x = r->n_x, n_y = r->n_y;
  double sy = dot(n_y, q->s, t->y), bx = dot(n_x, q->b, t->x), w = t->scale;
  double cx = dot(n_x, q->c, t->x), dy = dot(n_y, q->d, t->y);

  if (out->value != NULL) {
    *out->value +=
        w * (0.5 * (sy * sy + bx * bx) + cx * dy + dot(n_y, q->a, t->y) + dot(n_x, q->e, t->x));
  }
  add(n_y, w * sy, q->s, out->gy);
  add(n_y, w * cx, q->d, out->gy);
  add(n_y, w, q->a, out->gy);
  add(n_x, w * bx, q->b, out->gx);
  add(n_x, w * dy, q->c, out->gx);
  add(n_x, w, q->e, out->gx);
  for (blo_int i = 0; i < t->n_v; i++) {
    add(n_y, w * dot(n_y, q->s, t->v[i]), q->s, out->hv[i]);
    add(n_x, w * dot(n_y, q->d, t->v[i]), q->c, out->jv[i]);
  }
}

void rank_one_shard(const rank_one *r, blo_int first, const blo_shard_task *task,
                    const blo_shard_out *out)
{
  for (blo_int k = 0; k < task->n_rows; k++) {
    blo_int i = first - r->first + (task->row != NULL ? task->row[k] : k);
    sample q = {.s = rank_one_at(r, RANK_S, i),
                .b = rank_one_at(r, RANK_B, i),
                .c = rank_one_at(r, RANK_C, i),
                .d = rank_one_at(r, RANK_D, i),
                .a = rank_one_at(r, RANK_A, i),
                .e = rank_one_at(r, RANK_E, i)};
    add_sample(r, &q, task, out);
  }
}

blo_status rank_one_slot(blo_problem *p, const blo_shard_task *task, const blo_shard_out *out)
{
  const rank_one_state *st = p->state;
  blo_int first = blo_shard_begin(samples_of(p, task->level), p->n_shards, task->shard);

  rank_one_shard(&st->level[task->level], first, task, out);
  return BLO_OK;
}

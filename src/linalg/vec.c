/** @file Vectors: elementwise operations, scalar products, and movement between ranks. */
#include "space_private.h"
#include <limits.h>
#include <math.h>
#include <string.h>

blo_status blo_vec_create(blo_space *space, blo_vec **out)
{
  blo_context *ctx = blo_comm_context(space->comm);
  blo_vec *v = NULL;
  blo_status status = BLO_OK;

  BLO_GO(blo_alloc(ctx, 1, sizeof *v, &v));
  v->space = space;
  BLO_GO(blo_alloc(ctx, blo_space_n_local(space), sizeof *v->data, &v->data));
  *out = v;
  v = NULL;
done:
  blo_vec_destroy(&v);
  return status;
}

void blo_vec_destroy(blo_vec **v)
{
  if (*v != NULL) {
    blo_context *ctx = blo_comm_context((*v)->space->comm);
    blo_free(ctx, &(*v)->data);
    blo_free(ctx, v);
  }
}

/* ---------------------------------------------------------- elementwise */

/** How many numbers this rank computes with: none on the workers of a rooted space. */
static blo_int n_owned(const blo_vec *v)
{
  return v->space->owned ? blo_space_n_local(v->space) : 0;
}

void blo_vec_fill(blo_vec *v, double value)
{
  blo_int n = n_owned(v);

  for (blo_int i = 0; i < n; i++) {
    v->data[i] = value;
  }
}

void blo_vec_copy(const blo_vec *from, blo_vec *to)
{
  memcpy(to->data, from->data, (size_t)n_owned(to) * sizeof *to->data);
}

void blo_vec_scale(double a, blo_vec *v)
{
  blo_int n = n_owned(v);

  for (blo_int i = 0; i < n; i++) {
    v->data[i] *= a;
  }
}

void blo_vec_axpy(double a, const blo_vec *x, blo_vec *y)
{
  blo_int n = n_owned(y);
  const double *restrict from = x->data;
  double *restrict to = y->data;

  for (blo_int i = 0; i < n; i++) {
    to[i] += a * from[i];
  }
}

void blo_vec_aypx(double a, const blo_vec *x, blo_vec *y)
{
  blo_int n = n_owned(y);
  const double *restrict from = x->data;
  double *restrict to = y->data;

  for (blo_int i = 0; i < n; i++) {
    to[i] = a * to[i] + from[i];
  }
}

void blo_vec_adam(const blo_adam *adam, blo_int t, double gamma, double scale,
                  const blo_vec *direction, blo_vec *m, blo_vec *v, blo_vec *x)
{
  double b1 = adam->beta1, b2 = adam->beta2;
  double whole1 = 1 - pow(b1, (double)t), whole2 = 1 - pow(b2, (double)t);
  blo_int n = n_owned(x);

  for (blo_int i = 0; i < n; i++) {
    double g = scale * direction->data[i];
    m->data[i] = b1 * m->data[i] + (1 - b1) * g;
    v->data[i] = b2 * v->data[i] + (1 - b2) * (g * g);
    x->data[i] -= gamma * (m->data[i] / whole1) / (sqrt(v->data[i] / whole2) + adam->epsilon);
  }
}

/* ------------------------------------------------------ scalar products */

/** The part of a scalar product that lies in shard s. */
static double shard_dot(const blo_vec *a, const blo_vec *b, blo_int s)
{
  blo_int begin = blo_space_shard_offset(a->space, s);

  return blo_array_dot(blo_space_shard_offset(a->space, s + 1) - begin, a->data + begin,
                       b->data + begin);
}

static void dots_here(blo_space *space, blo_int n, const blo_vec *const *a, const blo_vec *const *b,
                      double *dots)
{
  for (blo_int k = 0; k < n; k++) {
    for (blo_int s = 0; s < space->n_shards; s++) {
      space->part[s] = shard_dot(a[k], b[k], s);
    }
    dots[k] = blo_tree_sum(space->part, space->n_shards);
  }
}

static void dots_sharded(blo_space *space, blo_int n, const blo_vec *const *a,
                         const blo_vec *const *b, double *dots)
{
  blo_sum_begin(space->sum, n);
  for (blo_int s = space->first_shard; s < space->end_shard; s++) {
    double *part = blo_sum_next_shard(space->sum);
    for (blo_int k = 0; k < n; k++) {
      part[k] = shard_dot(a[k], b[k], s);
    }
  }
  blo_sum_finish(space->sum, dots);
}

void blo_vec_dots(blo_int n, const blo_vec *const *a, const blo_vec *const *b, double *dots)
{
  blo_space *space = a[0]->space;

  if (space->layout == BLO_SHARDED) {
    dots_sharded(space, n, a, b, dots);
    return;
  }
  if (space->owned) {
    dots_here(space, n, a, b, dots);
  }
  if (space->layout == BLO_ROOTED) {
    blo_bcast(space->comm, BLO_ROOT, dots, n * (blo_int)sizeof *dots);
  }
}

double blo_vec_dot(const blo_vec *a, const blo_vec *b)
{
  double dot;

  blo_vec_dots(1, &a, &b, &dot);
  return dot;
}

double blo_vec_norm(const blo_vec *v)
{
  return sqrt(blo_vec_dot(v, v));
}

bool blo_vec_finite(const blo_vec *v)
{
  return blo_array_finite(n_owned(v), v->data);
}

/* -------------------------------------------------- between the ranks */

void blo_vec_publish(blo_vec *v)
{
  blo_space *space = v->space;

  if (space->layout == BLO_ROOTED && blo_comm_size(space->comm) > 1) {
    blo_phase before = blo_phase_enter(blo_comm_context(space->comm), BLO_PHASE_REDUCE);
    blo_bcast(space->comm, BLO_ROOT, v->data, space->n * (blo_int)sizeof *v->data);
    blo_phase_enter(blo_comm_context(space->comm), before);
  }
}

enum { PIECE = INT_MAX / 16 };

/** Slices of rank r: where they begin, and the end. */
static blo_int rank_begin(const blo_space *space, int r)
{
  return space_shard_begin(space,
                           blo_rank_first_shard(space->n_shards, blo_comm_size(space->comm), r));
}

/** Move one rank's slice from or to the root, in pieces that fit MPI's counts. */
static void move_slice(const blo_space *space, int r, bool to_root, double *at)
{
  int rank = blo_comm_rank(space->comm);
  MPI_Comm mpi = blo_comm_mpi(space->comm);
  blo_int left = rank_begin(space, r + 1) - rank_begin(space, r);
  bool i_send = to_root ? rank == r : rank == BLO_ROOT;

  while (left > 0) {
    int n = (int)(left < PIECE ? left : PIECE);
    if (i_send) {
      MPI_Send(at, n, MPI_DOUBLE, to_root ? BLO_ROOT : r, 0, mpi);
    } else {
      MPI_Recv(at, n, MPI_DOUBLE, to_root ? r : BLO_ROOT, 0, mpi, MPI_STATUS_IGNORE);
    }
    at += n;
    left -= n;
  }
}

/** Move the workers' slices, at `slice` there, between them and the root's array `all`. */
static void move_slices(const blo_space *space, bool to_root, double *slice, double *all)
{
  int rank = blo_comm_rank(space->comm), size = blo_comm_size(space->comm);

  if (size > 1) {
    blo_comm_count_broadcast(space->comm, space->n * (blo_int)sizeof *all);
  }
  if (rank != BLO_ROOT) {
    move_slice(space, rank, to_root, slice);
    return;
  }
  for (int r = 0; r < size; r++) {
    if (r != BLO_ROOT) {
      move_slice(space, r, to_root, all + rank_begin(space, r));
    }
  }
}

void blo_vec_collect(blo_vec *v)
{
  blo_space *space = v->space;

  if (space->layout == BLO_ROOTED) {
    blo_phase before = blo_phase_enter(blo_comm_context(space->comm), BLO_PHASE_REDUCE);
    move_slices(space, true, v->data + rank_begin(space, blo_comm_rank(space->comm)), v->data);
    blo_phase_enter(blo_comm_context(space->comm), before);
  }
}

void blo_vec_gather(const blo_vec *v, double *all)
{
  blo_space *space = v->space;

  if (blo_comm_rank(space->comm) == BLO_ROOT) {
    memcpy(all, v->data, (size_t)blo_space_n_local(space) * sizeof *all);
  }
  if (space->layout == BLO_SHARDED) {
    move_slices(space, true, v->data, all);
  }
}

void blo_vec_scatter(double *all, blo_vec *v)
{
  blo_space *space = v->space;

  if (blo_comm_rank(space->comm) == BLO_ROOT) {
    memcpy(v->data, all, (size_t)blo_space_n_local(space) * sizeof *all);
  }
  if (space->layout == BLO_SHARDED) {
    move_slices(space, false, v->data, all);
  } else {
    blo_bcast(space->comm, BLO_ROOT, v->data, space->n * (blo_int)sizeof *all);
  }
}

void blo_vec_get_all(const blo_vec *v, double *all)
{
  const blo_space *space = v->space;

  if (space->layout == BLO_REPLICATED) {
    memcpy(all, v->data, (size_t)space->n * sizeof *all);
    return;
  }
  blo_vec_gather(v, all);
  blo_bcast(space->comm, BLO_ROOT, all, space->n * (blo_int)sizeof *all);
}

void blo_vec_set_from(const double *all, blo_vec *v)
{
  memcpy(v->data, all + blo_space_first(v->space),
         (size_t)blo_space_n_local(v->space) * sizeof *all);
}

blo_status blo_vec_checksum(const blo_vec *v, uint32_t *crc)
{
  blo_comm *comm = v->space->comm;
  blo_context *ctx = blo_comm_context(comm);
  bool root = blo_comm_rank(comm) == BLO_ROOT;
  double *all = NULL;

  BLO_TRY(blo_agree(comm, root ? blo_alloc(ctx, v->space->n, sizeof *all, &all) : BLO_OK));
  blo_vec_gather(v, all);
  if (root) {
    *crc = blo_crc32(0, all, (size_t)v->space->n * sizeof *all);
  }
  blo_bcast(comm, BLO_ROOT, crc, sizeof *crc);
  blo_free(ctx, &all);
  return BLO_OK;
}

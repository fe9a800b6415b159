/**
 * @file
 * Rectangles of a matrix between the ranks that hold them whole and the owners of their entries.
 *
 * What goes from one rank to another is packed column after column, both sides in the same order:
 * so one exchange of plain numbers does it, and each side knows the counts from the rectangles.
 */
#include "dense_private.h"
#include <limits.h>
#include <string.h>

struct blo_mover {
  blo_grid *grid;
  blo_int most, owned_most;
  double *given;                                       /**< [most] in the order of the owners */
  double *owned;                                       /**< [owned_most] in that of the holders */
  int *n_given, *given_at, *n_owned, *owned_at, *next; /**< [ranks] each, in one allocation */
};

/** No columns have more on one rank than the first ones have on the first rank. */
blo_int blo_dense_owned_most(const blo_grid *g, blo_int m, blo_int n_cols)
{
  return axis_count(g->rows, 0, m) * axis_count(g->cols, 0, n_cols);
}

static blo_status make(blo_grid *g, blo_int most, blo_int owned, blo_mover **out)
{
  int size = blo_comm_size(g->comm);
  blo_mover *m;

  BLO_TRY(blo_alloc(g->ctx, 1, sizeof *m, out));
  m = *out;
  *m = (blo_mover){.grid = g, .most = most, .owned_most = owned};
  BLO_CHECK(g->ctx, most <= INT_MAX && owned <= INT_MAX, BLO_E_SHAPE,
            "%lld numbers of a matrix are too many for one MPI message",
            (long long)(most > owned ? most : owned));
  BLO_TRY(blo_alloc(g->ctx, most, sizeof *m->given, &m->given));
  BLO_TRY(blo_alloc(g->ctx, owned, sizeof *m->owned, &m->owned));
  BLO_TRY(blo_alloc(g->ctx, 5 * size, sizeof *m->n_given, &m->n_given));
  m->given_at = m->n_given + size;
  m->n_owned = m->given_at + size;
  m->owned_at = m->n_owned + size;
  m->next = m->owned_at + size;
  return BLO_OK;
}

blo_status blo_mover_create(blo_grid *g, blo_int most, blo_int owned, blo_mover **out)
{
  blo_status status = BLO_OK;
  blo_mover *m = NULL;

  BLO_GO(make(g, most, owned, &m));
  *out = m;
  m = NULL;
done:
  blo_mover_destroy(&m);
  return status;
}

void blo_mover_destroy(blo_mover **mover)
{
  blo_mover *m = *mover;

  if (m != NULL) {
    blo_context *ctx = m->grid->ctx;
    blo_free(ctx, &m->given);
    blo_free(ctx, &m->owned);
    blo_free(ctx, &m->n_given);
    blo_free(ctx, mover);
  }
}

/* ----------------------------------------------------------------- counts */

/** Indices of [first, first + n) that the rank with number `me` has. */
static blo_int count_within(axis a, int me, blo_int first, blo_int n)
{
  return axis_count(a, me, first + n) - axis_count(a, me, first);
}

/** Entries of a rectangle that the rank in this place of the grid owns. */
static blo_int count_owned(const blo_grid *g, const blo_rect *r, int row, int col)
{
  return count_within(g->rows, row, r->row, r->n_rows) *
         count_within(g->cols, col, r->col, r->n_cols);
}

/** Where the pieces begin, and how many numbers there are. */
static blo_int place(int size, const int *n, int *at)
{
  blo_int sum = 0;

  for (int r = 0; r < size; r++) {
    at[r] = (int)sum;
    sum += n[r];
  }
  return sum;
}

static void count_pieces(blo_mover *m, const blo_rect *rects)
{
  const blo_grid *g = m->grid;
  int size = blo_comm_size(g->comm), me = blo_comm_rank(g->comm);
  int inside = g->rows.count * g->cols.count;
  blo_int n_given, n_owned;

  for (int r = 0; r < size; r++) {
    int row = r < inside ? r / g->cols.count : -1, col = r < inside ? r % g->cols.count : -1;
    m->n_given[r] = (int)count_owned(g, &rects[me], row, col);
    m->n_owned[r] = (int)count_owned(g, &rects[r], g->rows.me, g->cols.me);
  }
  n_given = place(size, m->n_given, m->given_at);
  n_owned = place(size, m->n_owned, m->owned_at);
  BLO_BUG_IF(n_given > m->most || n_owned > m->owned_most,
             "%lld and %lld numbers to move, provided for %lld and %lld", (long long)n_given,
             (long long)n_owned, (long long)m->most, (long long)m->owned_most);
}

/* ---------------------------------------------------------------- packing */

/** Indices from i on that lie in one block and before `end`. */
static blo_int run_length(axis a, blo_int i, blo_int end)
{
  blo_int run = a.block - i % a.block;

  return i + run < end ? run : end - i;
}

/** Between this rank's rectangle and the pieces for (or from) the owners. */
static void pack_given(blo_mover *m, const blo_rect *r, const double *from, double *to)
{
  const blo_grid *g = m->grid;
  blo_int end = r->row + r->n_rows;

  memcpy(m->next, m->given_at, (size_t)blo_comm_size(g->comm) * sizeof *m->next);
  for (blo_int j = 0; j < r->n_cols; j++) {
    int col = axis_owner(g->cols, r->col + j);
    for (blo_int i = r->row, run; i < end; i += run) {
      int owner = axis_owner(g->rows, i) * g->cols.count + col;
      double *piece = m->given + m->next[owner];
      blo_int at = j * r->n_rows + i - r->row;
      run = run_length(g->rows, i, end);
      if (from != NULL) {
        memcpy(piece, from + at, (size_t)run * sizeof *piece);
      } else {
        memcpy(to + at, piece, (size_t)run * sizeof *piece);
      }
      m->next[owner] += (int)run;
    }
  }
}

/** A piece that is added, or filled. */
typedef struct target {
  double scale;
  bool add;
} target;

static void handle_run(target t, blo_int n, double *matrix, double *piece)
{
  if (!t.add) {
    memcpy(piece, matrix, (size_t)n * sizeof *piece);
    return;
  }
  for (blo_int k = 0; k < n; k++) {
    matrix[k] += t.scale * piece[k];
  }
}

/** Between this rank's part of the matrix and the piece of one holder's rectangle. */
static void handle_piece(const blo_dense *a, const blo_rect *r, target t, double *piece)
{
  const blo_grid *g = a->grid;
  blo_int end = r->row + r->n_rows;

  for (blo_int j = r->col; j < r->col + r->n_cols; j++) {
    if (axis_owner(g->cols, j) != g->cols.me) {
      continue;
    }
    for (blo_int i = r->row, run; i < end; i += run) {
      run = run_length(g->rows, i, end);
      if (axis_owner(g->rows, i) == g->rows.me) {
        handle_run(t, run, dense_at(a, axis_local(g->rows, i), axis_local(g->cols, j)), piece);
        piece += run;
      }
    }
  }
}

static void handle_owned(const blo_dense *a, const blo_rect *rects, target t, blo_mover *m)
{
  for (int r = 0; r < blo_comm_size(m->grid->comm); r++) {
    if (m->n_owned[r] > 0) {
      handle_piece(a, &rects[r], t, m->owned + m->owned_at[r]);
    }
  }
}

/* --------------------------------------------------------------- exchange */

static void exchange(blo_mover *m, bool to_owners)
{
  const blo_grid *g = m->grid;
  int size = blo_comm_size(g->comm);
  blo_phase before = blo_phase_enter(g->ctx, BLO_PHASE_REDUCE);

  blo_comm_count_broadcast(g->comm, place(size, m->n_given, m->given_at) * (blo_int)sizeof(double));
  if (to_owners) {
    MPI_Alltoallv(m->given, m->n_given, m->given_at, MPI_DOUBLE, m->owned, m->n_owned, m->owned_at,
                  MPI_DOUBLE, blo_comm_mpi(g->comm));
  } else {
    MPI_Alltoallv(m->owned, m->n_owned, m->owned_at, MPI_DOUBLE, m->given, m->n_given, m->given_at,
                  MPI_DOUBLE, blo_comm_mpi(g->comm));
  }
  blo_phase_enter(g->ctx, before);
}

void blo_dense_add(blo_dense *a, double s, const blo_rect *rects, const double *mine, blo_mover *m)
{
  count_pieces(m, rects);
  pack_given(m, &rects[blo_comm_rank(m->grid->comm)], mine, NULL);
  exchange(m, true);
  handle_owned(a, rects, (target){.scale = s, .add = true}, m);
}

void blo_dense_get(const blo_dense *a, const blo_rect *rects, double *mine, blo_mover *m)
{
  count_pieces(m, rects);
  handle_owned(a, rects, (target){.add = false}, m);
  exchange(m, false);
  pack_given(m, &rects[blo_comm_rank(m->grid->comm)], NULL, mine);
}

/**
 * @file Room for what a state moves between the ranks and the root's file, taken before the first
 * of it is moved; and the movement of matrices, panel after panel of rows.
 *
 * The file has a matrix row after row, rectangles of a blo_dense are stored column after column:
 * the root turns each panel round.
 */
#include "checkpoint_private.h"

typedef struct grid_mover {
  const blo_grid *grid;
  blo_mover *mover;
} grid_mover;

struct blo_ckpt_room {
  blo_comm *comm;
  blo_context *ctx;
  double *all;       /**< at the root: the largest vector, or the largest panel by rows */
  double *by_column; /**< at the root: the largest panel by columns */
  blo_rect *rects;   /**< [ranks] all of a panel at the root */
  blo_int n_movers;
  grid_mover *mover; /**< [n_movers] one for each grid that the state's matrices have */
};

/* ------------------------------------------------------------------ sizes */

static blo_int panel_rows(const blo_dense *a)
{
  return blo_h5_panel_rows(blo_dense_m(a), blo_dense_n(a));
}

static blo_int panel_size(const blo_dense *a)
{
  return panel_rows(a) * blo_dense_n(a);
}

/** Numbers in the largest vector of a state, 0 if it has none. */
static blo_int largest_vec(const blo_state *state)
{
  blo_int largest = 0;

  for (blo_int i = 0; i < blo_state_count(state); i++) {
    const blo_state_entry *entry = blo_state_get(state, i);
    if (entry->kind == BLO_STATE_VEC) {
      largest = blo_larger(largest, blo_space_n(entry->at.vec->space));
    }
  }
  return largest;
}

/** Numbers in the largest panel of the matrices of a grid (NULL: of any), 0 if there is none. */
static blo_int largest_panel(const blo_state *state, const blo_grid *grid)
{
  blo_int largest = 0;

  for (blo_int i = 0; i < blo_state_count(state); i++) {
    const blo_state_entry *entry = blo_state_get(state, i);
    if (entry->kind == BLO_STATE_DENSE &&
        (grid == NULL || blo_dense_grid(entry->at.dense) == grid)) {
      largest = blo_larger(largest, panel_size(entry->at.dense));
    }
  }
  return largest;
}

/* ------------------------------------------------------------------- room */

static blo_mover *mover_of(const blo_ckpt_room *room, const blo_grid *grid)
{
  for (blo_int i = 0; i < room->n_movers; i++) {
    if (room->mover[i].grid == grid) {
      return room->mover[i].mover;
    }
  }
  return NULL;
}

/** The root holds whole panels; nobody owns more than a panel of one. */
static blo_status add_mover(blo_ckpt_room *room, const blo_state *state, blo_grid *grid)
{
  blo_int largest = largest_panel(state, grid);
  bool root = blo_comm_rank(room->comm) == BLO_ROOT;
  grid_mover *next = room->mover + room->n_movers;

  BLO_TRY(blo_mover_create(grid, root ? largest : 0, largest, &next->mover));
  next->grid = grid;
  room->n_movers++;
  return BLO_OK;
}

static blo_status add_movers(blo_ckpt_room *room, const blo_state *state)
{
  BLO_TRY(blo_alloc(room->ctx, blo_comm_size(room->comm), sizeof *room->rects, &room->rects));
  BLO_TRY(blo_alloc(room->ctx, blo_state_count(state), sizeof *room->mover, &room->mover));
  for (blo_int i = 0; i < blo_state_count(state); i++) {
    const blo_state_entry *entry = blo_state_get(state, i);
    if (entry->kind == BLO_STATE_DENSE && mover_of(room, blo_dense_grid(entry->at.dense)) == NULL) {
      BLO_TRY(add_mover(room, state, blo_dense_grid(entry->at.dense)));
    }
  }
  return BLO_OK;
}

blo_status blo_ckpt_room_create(blo_comm *comm, const blo_state *state, blo_ckpt_room **out)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_status status = BLO_OK;
  blo_int panel = largest_panel(state, NULL);
  blo_ckpt_room *room = NULL;

  BLO_GO(blo_alloc(ctx, 1, sizeof *room, &room));
  *room = (blo_ckpt_room){.comm = comm, .ctx = ctx};
  if (blo_comm_rank(comm) == BLO_ROOT) {
    BLO_GO(blo_alloc(ctx, blo_larger(largest_vec(state), panel), sizeof *room->all, &room->all));
    BLO_GO(blo_alloc(ctx, panel, sizeof *room->by_column, &room->by_column));
  }
  BLO_GO(add_movers(room, state));
  *out = room;
  room = NULL;
done:
  blo_ckpt_room_destroy(&room);
  return status;
}

void blo_ckpt_room_destroy(blo_ckpt_room **out)
{
  blo_ckpt_room *room = *out;

  if (room != NULL) {
    blo_context *ctx = room->ctx;
    for (blo_int i = 0; i < room->n_movers; i++) {
      blo_mover_destroy(&room->mover[i].mover);
    }
    blo_free(ctx, &room->mover);
    blo_free(ctx, &room->rects);
    blo_free(ctx, &room->by_column);
    blo_free(ctx, &room->all);
    blo_free(ctx, out);
  }
}

double *blo_ckpt_room_vec(const blo_ckpt_room *room)
{
  return room->all;
}

/* ----------------------------------------------------------------- panels */

/** to [m][n] = the transpose of from [n][m], in strips of a cache line. */
static void turn_round(blo_int m, blo_int n, const double *from, double *to)
{
  enum { STRIP = 8 };

  for (blo_int first = 0; first < n; first += STRIP) {
    blo_int end = first + STRIP < n ? first + STRIP : n;
    for (blo_int i = 0; i < m; i++) {
      for (blo_int j = first; j < end; j++) {
        to[i * n + j] = from[j * m + i];
      }
    }
  }
}

/** Let the root have the panel that begins at this row. @return how many rows it has */
static blo_int set_panel(blo_ckpt_room *room, const blo_dense *a, blo_int first)
{
  blo_int left = blo_dense_m(a) - first, most = panel_rows(a);
  blo_rect panel = {.row = first, .n_rows = left < most ? left : most, .n_cols = blo_dense_n(a)};

  for (int r = 0; r < blo_comm_size(room->comm); r++) {
    room->rects[r] = r == BLO_ROOT ? panel : (blo_rect){0};
  }
  return panel.n_rows;
}

/** Every rank takes part in every panel, also when the root can no longer write. */
static blo_status put_panels(blo_ckpt_room *room, const blo_dense *a, blo_h5_rows *rows)
{
  blo_mover *mover = mover_of(room, blo_dense_grid(a));
  blo_status status = BLO_OK;

  for (blo_int first = 0, n; first < blo_dense_m(a); first += n) {
    n = set_panel(room, a, first);
    blo_dense_get(a, room->rects, room->by_column, mover);
    if (rows != NULL && status == BLO_OK) {
      turn_round(n, blo_dense_n(a), room->by_column, room->all);
      status = blo_h5_rows_put(rows, n, room->all);
    }
  }
  return rows != NULL && status == BLO_OK ? blo_h5_rows_finish(rows) : status;
}

blo_status blo_ckpt_put_dense(blo_ckpt_room *room, const blo_dense *a, blo_h5 *f, const char *path)
{
  const blo_int dim[] = {blo_dense_m(a), blo_dense_n(a)};
  blo_h5_rows *rows = NULL;
  blo_status status = f != NULL ? blo_h5_rows_create(f, path, 2, dim, &rows) : BLO_OK;
  blo_status put = put_panels(room, a, rows);

  blo_h5_rows_close(&rows);
  return status != BLO_OK ? status : put;
}

/**
 * Every rank takes part in every panel, also when the root can no longer read. Numbers added to -0
 * keep their bits; added to 0, -0 would lose its sign.
 */
static blo_status get_panels(blo_ckpt_room *room, blo_dense *a, blo_h5_rows *rows)
{
  blo_mover *mover = mover_of(room, blo_dense_grid(a));
  blo_status status = BLO_OK;

  blo_dense_fill(-0.0, a);
  for (blo_int first = 0, n; first < blo_dense_m(a); first += n) {
    n = set_panel(room, a, first);
    if (rows != NULL && status == BLO_OK) {
      status = blo_h5_rows_get(rows, n, room->all);
      turn_round(blo_dense_n(a), n, room->all, room->by_column);
    }
    blo_dense_add(a, 1, room->rects, room->by_column, mover);
  }
  return rows != NULL && status == BLO_OK ? blo_h5_rows_finish(rows) : status;
}

blo_status blo_ckpt_get_dense(blo_ckpt_room *room, blo_dense *a, blo_h5 *f, const char *path)
{
  blo_h5_rows *rows = NULL;
  blo_status status = f != NULL ? blo_h5_rows_open(f, path, &rows) : BLO_OK;
  blo_status got = get_panels(room, a, rows);

  blo_h5_rows_close(&rows);
  return status != BLO_OK ? status : got;
}

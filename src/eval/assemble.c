/**
 * @file The Hessian and the cross Jacobian of a batch as distributed matrices; see assemble.h.
 *
 * Column j of a matrix is its product with the unit vector e_j. A panel of columns comes from one
 * scattered sweep: a rank is given whole columns, those of its directions, or, if the rows belong
 * to samples, its own rows of all columns. Either is a rectangle, which goes to the owners of its
 * entries.
 */
#include <blo/assemble.h>
#include <string.h>

/** How the columns of one of the two matrices are found. */
typedef struct side {
  blo_int rows;         /**< of the matrix: n_y or n_x */
  bool stays;           /**< each rank has its own rows of all columns, else its columns whole */
  blo_int items, width; /**< of which the rows are made, to be cut into shards */
  blo_int stored;       /**< numbers of a vector on this rank */
  blo_int columns;      /**< vectors on this rank */
  double *panel;        /**< [columns][stored] */
  blo_vec column[BLO_DIRECTIONS_MAX]; /**< [columns] of the panel */
} side;

struct blo_assembler {
  blo_eval *eval;
  blo_grid *grid;
  blo_int n_v; /**< columns of a panel */
  bool cross;
  side of_y, of_x;
  blo_vec *v[BLO_DIRECTIONS_MAX]; /**< [n_v] zero but during a sweep */
  blo_rect *rects;                /**< [ranks] */
  blo_mover *mover;
};

/* ------------------------------------------------------------- the sides */

static blo_int panel_columns(const blo_problem *p)
{
  return p->n_y < BLO_DIRECTIONS_MAX ? p->n_y : BLO_DIRECTIONS_MAX;
}

/** What is known of a side before it has memory. */
static side describe_side(const blo_eval *eval, bool is_x)
{
  const blo_problem *p = blo_eval_problem((blo_eval *)eval);
  bool tasks = !is_x && p->y_width > 0;
  side s = {.rows = is_x ? p->n_x : p->n_y, .stays = is_x ? p->x_aligned : tasks};
  int size = blo_comm_size(p->comm);

  s.items = tasks ? p->n_lower : s.rows;
  s.width = tasks ? p->y_width : 1;
  s.stored = blo_space_n_local(is_x ? blo_eval_space_x(eval) : blo_eval_space_y(eval));
  s.columns = s.stays ? panel_columns(p) : (panel_columns(p) + size - 1) / size;
  return s;
}

/** The first row of rank r, if the rows stay with the ranks. */
static blo_int first_row(const blo_problem *p, const side *s, int r)
{
  blo_int shard = blo_rank_first_shard(p->n_shards, blo_comm_size(p->comm), r);

  return s->width * blo_shard_begin(s->items, p->n_shards, shard);
}

/** Numbers of a panel that this rank gives away at most. */
static blo_int most_given(const blo_problem *p, const side *s)
{
  int rank = blo_comm_rank(p->comm);

  return s->columns * (s->stays ? first_row(p, s, rank + 1) - first_row(p, s, rank) : s->rows);
}

/** What each rank holds of the n columns that begin at column j. */
static void set_rects(const blo_assembler *a, const side *s, blo_int j, blo_int n)
{
  const blo_problem *p = blo_eval_problem(a->eval);

  for (int r = 0; r < blo_comm_size(p->comm); r++) {
    blo_int row = s->stays ? first_row(p, s, r) : 0;
    blo_int end = s->stays ? first_row(p, s, r + 1) : s->rows;
    blo_int first = s->stays ? 0 : blo_eval_first_direction(a->eval, n, r);
    blo_int last = s->stays ? n : blo_eval_first_direction(a->eval, n, r + 1);
    a->rects[r] = (blo_rect){row, end - row, j + first, last - first};
  }
}

/* ----------------------------------------------------------------- memory */

static blo_status make_side(blo_context *ctx, blo_space *space, side *s)
{
  BLO_TRY(blo_alloc(ctx, s->columns * s->stored, sizeof *s->panel, &s->panel));
  for (blo_int i = 0; i < s->columns; i++) {
    s->column[i] = (blo_vec){space, s->panel + i * s->stored};
  }
  return BLO_OK;
}

/** Numbers that the mover is to provide for: given, and owned. */
static void size_mover(const blo_problem *p, const blo_grid *grid, const side *of_y,
                       const side *of_x, bool cross, blo_int *most, blo_int *owned)
{
  blo_int n_v = panel_columns(p);

  *most = blo_larger(most_given(p, of_y), cross ? most_given(p, of_x) : 0);
  *owned = blo_larger(blo_dense_owned_most(grid, p->n_y, n_v),
                      cross ? blo_dense_owned_most(grid, p->n_x, n_v) : 0);
}

static unsigned wanted_products(bool cross)
{
  return BLO_WANT_HV | (cross ? (unsigned)BLO_WANT_JV : 0);
}

static blo_status make(blo_assembler *a, blo_int rows)
{
  const blo_problem *p = blo_eval_problem(a->eval);
  blo_space *space_y = blo_eval_space_y(a->eval);
  blo_int most, owned;

  BLO_TRY(blo_eval_reserve_scattered(a->eval, rows, a->n_v, wanted_products(a->cross)));
  for (blo_int i = 0; i < a->n_v; i++) {
    BLO_TRY(blo_vec_create(space_y, &a->v[i]));
  }
  BLO_TRY(make_side(p->ctx, space_y, &a->of_y));
  if (a->cross) {
    BLO_TRY(make_side(p->ctx, blo_eval_space_x(a->eval), &a->of_x));
  }
  BLO_TRY(blo_alloc(p->ctx, blo_comm_size(p->comm), sizeof *a->rects, &a->rects));
  size_mover(p, a->grid, &a->of_y, &a->of_x, a->cross, &most, &owned);
  return blo_mover_create(a->grid, most, owned, &a->mover);
}

static blo_status allocate(blo_eval *eval, blo_grid *grid, bool cross, blo_assembler **out)
{
  const blo_problem *p = blo_eval_problem(eval);

  BLO_TRY(blo_alloc(p->ctx, 1, sizeof **out, out));
  **out = (blo_assembler){.eval = eval, .grid = grid, .n_v = panel_columns(p), .cross = cross};
  (*out)->of_y = describe_side(eval, false);
  (*out)->of_x = describe_side(eval, true);
  return BLO_OK;
}

blo_status blo_assembler_create(blo_eval *eval, blo_grid *grid, blo_int rows, bool cross,
                                blo_assembler **out)
{
  const blo_problem *p = blo_eval_problem(eval);
  blo_status status = BLO_OK;
  blo_assembler *a = NULL;

  BLO_BUG_IF(blo_grid_comm(grid) != p->comm, "grid and problem are of different communicators");
  BLO_GO_ALL(p->comm, allocate(eval, grid, cross, &a));
  BLO_GO_ALL(p->comm, make(a, rows));
  *out = a;
  a = NULL;
done:
  blo_assembler_destroy(&a);
  return status;
}

void blo_assembler_destroy(blo_assembler **assembler)
{
  blo_assembler *a = *assembler;

  if (a != NULL) {
    blo_context *ctx = blo_eval_problem(a->eval)->ctx;
    for (blo_int i = 0; i < a->n_v; i++) {
      blo_vec_destroy(&a->v[i]);
    }
    blo_free(ctx, &a->of_y.panel);
    blo_free(ctx, &a->of_x.panel);
    blo_free(ctx, &a->rects);
    blo_mover_destroy(&a->mover);
    blo_free(ctx, assembler);
  }
}

blo_int blo_assembler_bytes(const blo_eval *eval, const blo_grid *grid, bool cross)
{
  const blo_problem *p = blo_eval_problem(eval);
  side of_y = describe_side(eval, false), of_x = describe_side(eval, true);
  blo_int n_v = panel_columns(p), most, owned, panels;

  size_mover(p, grid, &of_y, &of_x, cross, &most, &owned);
  panels = of_y.columns * of_y.stored + (cross ? of_x.columns * of_x.stored : 0);
  return blo_eval_scattered_bytes(eval, n_v, wanted_products(cross)) +
         (n_v * of_y.stored + panels + most + owned) * (blo_int)sizeof(double);
}

/* --------------------------------------------------------------- assembly */

/** v_j = value, if this rank stores it. */
static void set_entry(blo_vec *v, blo_int j, double value)
{
  blo_int own = j - blo_space_first(v->space);

  if (own >= 0 && own < blo_space_n_local(v->space)) {
    v->data[own] = value;
  }
}

/** Where a sweep of n directions is to write the products that come to this rank. */
static void offer_columns(const blo_assembler *a, side *s, blo_int n, blo_vec **answer)
{
  int rank = blo_comm_rank(blo_eval_problem(a->eval)->comm);
  blo_int first = s->stays ? 0 : blo_eval_first_direction(a->eval, n, rank);
  blo_int end = s->stays ? n : blo_eval_first_direction(a->eval, n, rank + 1);

  for (blo_int i = first; i < end; i++) {
    answer[i] = &s->column[i - first];
  }
}

/** A rooted vector of which this rank has its own rows only: bring these rows of all columns
 *  together. */
static void close_gaps(const side *s, const blo_rect *own)
{
  for (blo_int i = 0; i < own->n_cols && own->n_rows < s->stored; i++) {
    memmove(s->panel + i * own->n_rows, s->panel + i * s->stored + own->row,
            (size_t)own->n_rows * sizeof *s->panel);
  }
}

/** Add the panel, which begins at column j, to the matrix. Collective. */
static void add_columns(const blo_assembler *a, const side *s, blo_int j, blo_int n, double scale,
                        blo_dense *to)
{
  set_rects(a, s, j, n);
  close_gaps(s, &a->rects[blo_comm_rank(blo_eval_problem(a->eval)->comm)]);
  blo_dense_add(to, scale, a->rects, s->panel, a->mover);
}

/** Products with e_j, ..., e_{j + n - 1}. Collective. */
static blo_status sweep_columns(blo_assembler *a, const blo_assemble_ask *ask, blo_int j, blo_int n)
{
  blo_ask question = {.lower = (ask->hessian != NULL ? (unsigned)BLO_WANT_HV : 0) |
                               (ask->cross != NULL ? (unsigned)BLO_WANT_JV : 0) |
                               (ask->gauss_newton ? (unsigned)BLO_WANT_GAUSS_NEWTON : 0),
                      .lower_batch = ask->batch,
                      .x = ask->x,
                      .y = ask->y,
                      .n_v = n,
                      .linearized = blo_eval_can_linearize(a->eval),
                      .scatter = true};
  blo_answer answer = {.g = 0};
  blo_status status;

  offer_columns(a, &a->of_y, n, answer.hv);
  offer_columns(a, &a->of_x, n, answer.jv);
  for (blo_int i = 0; i < n; i++) {
    set_entry(a->v[i], j + i, 1);
    question.v[i] = a->v[i];
  }
  status = blo_eval_sweep(a->eval, &question, &answer);
  for (blo_int i = 0; i < n; i++) {
    set_entry(a->v[i], j + i, 0);
  }
  return status;
}

/** The one sweep that keeps what all products share. Collective. */
static blo_status linearize(blo_assembler *a, const blo_assemble_ask *ask)
{
  blo_ask question = {.lower = BLO_WANT_VALUE,
                      .lower_batch = ask->batch,
                      .x = ask->x,
                      .y = ask->y,
                      .linearize = true};
  blo_answer answer = {.g = 0};

  return blo_eval_sweep(a->eval, &question, &answer);
}

static void refuse_bugs(const blo_assembler *a, const blo_assemble_ask *ask)
{
  const blo_dense *h = ask->hessian, *j = ask->cross;
  blo_int n_y = a->of_y.rows, n_x = a->of_x.rows;

  BLO_BUG_IF(j != NULL && !a->cross, "J was not provided for");
  BLO_BUG_IF(ask->gauss_newton && (h == NULL || j != NULL),
             "the Gauss-Newton matrix is assembled in place of H, and without J");
  BLO_BUG_IF(h != NULL && (blo_dense_m(h) != n_y || blo_dense_n(h) != n_y),
             "a Hessian of order %lld in a matrix [%lld][%lld]", (long long)n_y,
             (long long)blo_dense_m(h), (long long)blo_dense_n(h));
  BLO_BUG_IF(j != NULL && (blo_dense_m(j) != n_x || blo_dense_n(j) != n_y),
             "a cross Jacobian [%lld][%lld] in a matrix [%lld][%lld]", (long long)n_x,
             (long long)n_y, (long long)blo_dense_m(j), (long long)blo_dense_n(j));
}

blo_status blo_assemble(blo_assembler *a, const blo_assemble_ask *ask)
{
  refuse_bugs(a, ask);
  if (blo_eval_can_linearize(a->eval) && !ask->linearized) {
    BLO_TRY(linearize(a, ask));
  }
  for (blo_int j = 0; j < a->of_y.rows; j += a->n_v) {
    blo_int n = a->of_y.rows - j < a->n_v ? a->of_y.rows - j : a->n_v;
    BLO_TRY(sweep_columns(a, ask, j, n));
    if (ask->hessian != NULL) {
      add_columns(a, &a->of_y, j, n, ask->scale, ask->hessian);
    }
    if (ask->cross != NULL) {
      add_columns(a, &a->of_x, j, n, ask->scale, ask->cross);
    }
  }
  return blo_eval_settle(a->eval);
}

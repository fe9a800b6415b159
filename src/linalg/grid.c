/** @file Process grids over BLACS, and how the indices of a matrix are dealt to their ranks. */
#include "dense_private.h"
#include "scalapack.h"
#include <limits.h>

static const blo_opt_row rows[] = {
    BLO_OPT(blo_dense_options, ranks, "0", 0, 1e6, "ranks",
            "ranks that share each matrix, 0 = all; the bits of what is computed with matrices "
            "depend on it, and with 1 not on the number of ranks of the run",
            "", 0),
    BLO_OPT(blo_dense_options, block, "64", 1, 4096, "-",
            "rows and columns of the blocks that are dealt to the ranks",
            "Blackford et al. 1997, ScaLAPACK Users' Guide, chapter 4", 0),
};
const blo_opt_table blo_dense_table =
    BLO_OPT_TABLE("dense", "distributed dense matrices", blo_dense_options, rows);

/* ------------------------------------------------------------------ axes */

blo_int axis_count(axis a, int me, blo_int n)
{
  blo_int whole = n / a.block, last = whole % a.count, count = whole / a.count * a.block;

  if (me < 0) {
    return 0;
  }
  return count + (me < last ? a.block : me == last ? n % a.block : 0);
}

/* ------------------------------------------------------------------ grids */

/** P x Q of at most `ranks` ranks: as square as can be, leaving out less than P of them. */
static void choose_shape(int ranks, int *n_rows, int *n_cols)
{
  int p = 1;

  while ((p + 1) * (p + 1) <= ranks) {
    p++;
  }
  *n_rows = p;
  *n_cols = ranks / p;
}

/** Rank r has place (r / Q, r % Q). BLACS wants the ranks column by column. */
static void place_ranks(blo_grid *g, int *map)
{
  int rank = blo_comm_rank(g->comm);
  bool inside = rank < g->rows.count * g->cols.count;

  for (int i = 0; i < g->rows.count; i++) {
    for (int j = 0; j < g->cols.count; j++) {
      map[i + j * g->rows.count] = i * g->cols.count + j;
    }
  }
  g->rows.me = inside ? rank / g->cols.count : -1;
  g->cols.me = inside ? rank % g->cols.count : -1;
}

/** Open the grid in BLACS; sums within it are to repeat their bits. BLACS' handle of a communicator
 *  is one for all grids, and needed only here. Collective. */
static void open_context(blo_grid *g, int *map)
{
  const int yes = 1;
  int handle = Csys2blacs_handle(blo_comm_mpi(g->comm));

  g->context = handle;
  Cblacs_gridmap(&g->context, map, g->rows.count, g->rows.count, g->cols.count);
  Cfree_blacs_system_handle(handle);
  if (g->context >= 0) {
    Cblacs_set(g->context, BLACS_REPEATABLE, &yes);
  }
}

static blo_status make(blo_comm *comm, const blo_dense_options *options, int ranks, blo_grid **out,
                       int **map)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_grid *g;

  BLO_TRY(blo_alloc(ctx, 1, sizeof *g, out));
  g = *out;
  *g = (blo_grid){.comm = comm, .ctx = ctx, .context = -1};
  g->rows.block = g->cols.block = options->block;
  choose_shape(ranks, &g->rows.count, &g->cols.count);
  return blo_alloc(ctx, ranks, sizeof **map, map);
}

blo_status blo_grid_create(blo_comm *comm, const blo_dense_options *options, blo_grid **out)
{
  int size = blo_comm_size(comm);
  int ranks = options->ranks > 0 && options->ranks < size ? (int)options->ranks : size;
  blo_status status = BLO_OK;
  blo_grid *g = NULL;
  int *map = NULL;

  BLO_GO_ALL(comm, make(comm, options, ranks, &g, &map));
  place_ranks(g, map);
  open_context(g, map);
  *out = g;
  g = NULL;
done:
  blo_free(blo_comm_context(comm), &map);
  blo_grid_destroy(&g);
  return status;
}

void blo_grid_destroy(blo_grid **grid)
{
  blo_grid *g = *grid;

  if (g != NULL) {
    if (g->context >= 0) {
      Cblacs_gridexit(g->context);
    }
    blo_free(g->ctx, grid);
  }
}

blo_comm *blo_grid_comm(const blo_grid *g)
{
  return g->comm;
}

int blo_grid_rows(const blo_grid *g)
{
  return g->rows.count;
}

int blo_grid_cols(const blo_grid *g)
{
  return g->cols.count;
}

blo_int blo_grid_block(const blo_grid *g)
{
  return g->rows.block;
}

/* A grid of one rank does the same arithmetic whatever the number of ranks. */
const char *blo_grid_bits_text(const blo_grid *g)
{
  return g->rows.count * g->cols.count == 1
             ? "the same bits on any number of ranks"
             : "other grids give other last bits (dense.ranks 1: none do)";
}

bool blo_grid_inside(const blo_grid *g)
{
  return g->rows.me >= 0;
}

/* ------------------------------------------------- what matrices need of it */

blo_status dense_check_size(const blo_grid *g, blo_int numbers, const char *what)
{
  BLO_CHECK(g->ctx, numbers >= 0 && numbers <= INT_MAX, BLO_E_SHAPE,
            "%s: %lld numbers on one of the %d x %d ranks that share a matrix, and ScaLAPACK's "
            "integers end at %d; use more ranks, or adjoint.type 'cg' or 'neumann', which need no "
            "matrix",
            what, (long long)numbers, g->rows.count, g->cols.count, INT_MAX);
  return BLO_OK;
}

void grid_sum(const blo_grid *g, double *numbers, blo_int n)
{
  blo_phase before = blo_phase_enter(g->ctx, BLO_PHASE_REDUCE);

  blo_comm_count_reduction(g->comm, n * (blo_int)sizeof *numbers);
  if (blo_comm_size(g->comm) > 1) {
    MPI_Allreduce(MPI_IN_PLACE, numbers, (int)n, MPI_DOUBLE, MPI_SUM, blo_comm_mpi(g->comm));
  } else {
    for (blo_int k = 0; k < n; k++) {
      numbers[k] += 0; /* -0 becomes 0, as it does when other ranks add zeros */
    }
  }
  blo_phase_enter(g->ctx, before);
}

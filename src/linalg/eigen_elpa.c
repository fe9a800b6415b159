/**
 * @file ELPA's one-stage solver for eigenvalues (Marek et al. 2014, J. Phys.: Condens. Matter 26,
 * 213201). It wants both triangles and overwrites them, and takes its room itself at each solve.
 */
#include "eigen_private.h"

#ifdef BLO_HAVE_ELPA

#include <elpa/elpa.h>

typedef struct solver {
  blo_context *ctx;
  MPI_Comm comm; /**< the ranks of the grid, row by row; MPI_COMM_NULL outside */
  elpa_t handle; /**< NULL outside */
} solver;

/** ELPA wants a block on every rank. */
static bool takes(const blo_grid *g, blo_int n)
{
  return axis_count(g->rows, g->rows.count - 1, n) > 0 &&
         axis_count(g->cols, g->cols.count - 1, n) > 0;
}

/** The first error stays. */
static void set(elpa_t handle, const char *name, blo_int value, int *first)
{
  int error = ELPA_OK;

  elpa_set_integer(handle, name, (int)value, &error);
  if (*first == ELPA_OK) {
    *first = error;
  }
}

/** Inside the grid: what the matrices look like. Collective there. */
static int describe(elpa_t handle, MPI_Comm comm, const blo_grid *g, blo_int n)
{
  int error = ELPA_OK;

  set(handle, "na", n, &error);
  set(handle, "nev", n, &error);
  set(handle, "local_nrows", axis_count(g->rows, g->rows.me, n), &error);
  set(handle, "local_ncols", axis_count(g->cols, g->cols.me, n), &error);
  set(handle, "nblk", g->rows.block, &error);
  set(handle, "mpi_comm_parent", MPI_Comm_c2f(comm), &error);
  set(handle, "process_row", g->rows.me, &error);
  set(handle, "process_col", g->cols.me, &error);
  if (error == ELPA_OK) {
    error = elpa_setup(handle);
  }
  set(handle, "solver", ELPA_SOLVER_1STAGE, &error);
  return error;
}

/** Inside the grid. elpa_init() only notes the version; elpa_uninit() is for the whole program, of
 *  which this may not be the only user. */
static blo_status open_handle(solver *s, const blo_grid *g, blo_int n)
{
  int error = elpa_init(ELPA_API_VERSION);

  if (error == ELPA_OK) {
    s->handle = elpa_allocate(&error);
  }
  if (error == ELPA_OK) {
    error = describe(s->handle, s->comm, g, n);
  }
  BLO_CHECK(g->ctx, error == ELPA_OK, BLO_E_UNSUPPORTED, "ELPA refuses a matrix [%lld][%lld]: %s",
            (long long)n, (long long)n, elpa_strerr(error));
  return BLO_OK;
}

/** Local. */
static blo_status make(blo_context *ctx, void **out)
{
  BLO_TRY(blo_alloc(ctx, 1, sizeof(solver), out));
  *(solver *)*out = (solver){.ctx = ctx, .comm = MPI_COMM_NULL, .handle = NULL};
  return BLO_OK;
}

static blo_status create(const blo_grid *g, blo_int n, void **out)
{
  bool inside = blo_grid_inside(g);
  solver *s;

  BLO_TRY_ALL(g->comm, make(g->ctx, out));
  s = *out;
  MPI_Comm_split(blo_comm_mpi(g->comm), inside ? 0 : MPI_UNDEFINED, blo_comm_rank(g->comm),
                 &s->comm);
  return blo_agree(g->comm, inside ? open_handle(s, g, n) : BLO_OK);
}

static void destroy(void **state)
{
  solver *s = *state;
  int error = ELPA_OK;

  if (s != NULL) {
    blo_context *ctx = s->ctx;
    if (s->handle != NULL) {
      elpa_deallocate(s->handle, &error);
    }
    if (s->comm != MPI_COMM_NULL) {
      MPI_Comm_free(&s->comm);
    }
    blo_free(ctx, state);
  }
}

static int solve(const void *state, blo_dense *a, double *w, blo_dense *z)
{
  const solver *s = state;
  int error = ELPA_OK;

  elpa_eigenvectors(s->handle, a->data, w, z->data, &error);
  return error == ELPA_OK ? 0 : 1;
}

const eigen_library eigen_elpa = {"ELPA", true, takes, create, destroy, solve};

#endif

/**
 * @file ScaLAPACK's divide and conquer for eigenvalues (Tisseur and Dongarra 1999, SIAM J. Sci.
 * Comput. 20, 2223-2236).
 *
 * What pdsyevd answers when asked for its work space is too little where blocks are large compared
 * with the matrix: pdormtr and pdlasrt, which it calls, want more, and it ignores their refusal. So
 * their documented sizes are allowed for. If the matrix is one block, only the rank that has it
 * learns the eigenvalues and whether they converged.
 */
#include "eigen_private.h"
#include "scalapack.h"

typedef struct syevd {
  blo_context *ctx;
  double *work;
  int *iwork;
  int n_work, n_iwork;
} syevd;

static const int ONE = 1;

/* ------------------------------------------------------------------- room */

static blo_int work_size(const blo_grid *g, blo_int n, blo_int np, blo_int nq)
{
  blo_int nb = g->rows.block;
  blo_int divide = 1 + 6 * n + 2 * np * nq;                               /* pdstedc */
  blo_int sort = blo_larger(n, np * (nb + nq));                           /* pdlasrt */
  blo_int back = blo_larger(nb * (nb - 1) / 2, (np + nq) * nb) + nb * nb; /* pdormtr */
  blo_int tridiagonal = blo_larger(nb * (np + 1), blo_larger(3 * nb, n)); /* pdsytrd, pdlared1d */

  return blo_larger(4 * n + tridiagonal, 2 * n + blo_larger(divide, blo_larger(sort, back)));
}

static blo_int iwork_size(const blo_grid *g, blo_int n)
{
  return 7 * n + 8 * g->cols.count + 2;
}

blo_int eigen_scalapack_bytes(const blo_grid *g, blo_int n, blo_int np, blo_int nq)
{
  return work_size(g, n, np, nq) * (blo_int)sizeof(double) +
         iwork_size(g, n) * (blo_int)sizeof(int);
}

static bool takes(const blo_grid *g, blo_int n)
{
  (void)g;
  (void)n;
  return true;
}

/** The same on all ranks. Local. */
static blo_status check_room(const blo_grid *g, blo_int n)
{
  blo_int np = axis_count(g->rows, 0, n), nq = axis_count(g->cols, 0, n);

  BLO_TRY(dense_check_size(g, iwork_size(g, n), "the integer work space of pdsyevd"));
  return dense_check_size(g, work_size(g, n, np, nq), "the work space of pdsyevd");
}

/** What pdsyevd asks for, if that is more. Inside the grid only. */
static void query(const blo_grid *g, blo_int size, blo_int *n_work, blo_int *n_iwork)
{
  const int n = (int)size, ask = -1, nb = (int)g->rows.block;
  const int rows = (int)blo_larger(1, axis_count(g->rows, g->rows.me, size));
  const int desc[DESC_SIZE] = {1, g->context, n, n, nb, nb, 0, 0, rows};
  double none = 0, work = 0;
  int iwork = 0, info = 0;

  pdsyevd_("V", "L", &n, &none, &ONE, &ONE, desc, &none, &none, &ONE, &ONE, desc, &work, &ask,
           &iwork, &ask, &info, 1, 1);
  BLO_BUG_IF(info != 0, "pdsyevd refuses argument %d", -info);
  *n_work = blo_larger(*n_work, (blo_int)work);
  *n_iwork = blo_larger(*n_iwork, iwork);
}

/* ---------------------------------------------------------------- library */

/** Local. */
static blo_status allocate(const blo_grid *g, blo_int n_work, blo_int n_iwork, void **out)
{
  syevd *s;

  BLO_TRY(blo_alloc(g->ctx, 1, sizeof *s, out));
  s = *out;
  *s = (syevd){.ctx = g->ctx, .n_work = (int)n_work, .n_iwork = (int)n_iwork};
  BLO_TRY(blo_alloc(g->ctx, n_work, sizeof *s->work, &s->work));
  return blo_alloc(g->ctx, n_iwork, sizeof *s->iwork, &s->iwork);
}

static blo_status create(const blo_grid *g, blo_int n, void **out)
{
  blo_int n_work = 0, n_iwork = 0;

  BLO_TRY(check_room(g, n));
  if (blo_grid_inside(g)) {
    n_work =
        work_size(g, n, axis_count(g->rows, g->rows.me, n), axis_count(g->cols, g->cols.me, n));
    n_iwork = iwork_size(g, n);
    query(g, n, &n_work, &n_iwork);
  }
  return blo_agree(g->comm, allocate(g, n_work, n_iwork, out));
}

static void destroy(void **state)
{
  syevd *s = *state;

  if (s != NULL) {
    blo_context *ctx = s->ctx;
    blo_free(ctx, &s->work);
    blo_free(ctx, &s->iwork);
    blo_free(ctx, state);
  }
}

static int solve(const void *state, blo_dense *a, double *w, blo_dense *z)
{
  const syevd *s = state;
  const int n = (int)a->n;
  int info = 0;

  pdsyevd_("V", "L", &n, a->data, &ONE, &ONE, a->desc, w, z->data, &ONE, &ONE, z->desc, s->work,
           &s->n_work, s->iwork, &s->n_iwork, &info, 1, 1);
  BLO_BUG_IF(info < 0, "pdsyevd refuses argument %d", -info);
  return info;
}

const eigen_library eigen_scalapack = {"ScaLAPACK pdsyevd", false, takes, create, destroy, solve};

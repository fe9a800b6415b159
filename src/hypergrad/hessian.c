/** @file The Hessian of g at one point, assembled and factorised; see hessian.h. */
#include <blo/hessian.h>
#include <blo/hypergrad.h>
#include <float.h>
#include <math.h>
#include <string.h>

/** What the matrix is of. */
typedef struct place {
  bool stands; /**< x, y and kind below are those of a matrix of all data */
  bool gauss_newton;
  double *x, *y; /**< this rank's numbers */
} place;

struct blo_hessian {
  blo_eval *eval;
  blo_context *ctx;
  blo_grid *grid;
  blo_dense *matrix;
  blo_factor *factor;
  blo_assembler *assembler;
  double *rhs;  /**< [n_y] */
  double shift; /**< of the factors */
  double rcond; /**< of the factors; NAN: not asked for yet */
  place at;
  blo_hessian_point point; /**< as it was asked for last */
  bool lost;               /**< LU factors have replaced the matrix */
  blo_int assembled, factorized;
  blo_int bytes; /**< of it on the rank that has most */
};

/* ------------------------------------------------------------------- life */

static double gibibytes(blo_int bytes)
{
  return (double)bytes / 0x1p30;
}

blo_status blo_hessian_check_room(const blo_grid *grid, const char *what, blo_int bytes,
                                  const char *instead)
{
  blo_context *ctx = blo_comm_context(blo_grid_comm(grid));
  blo_int limit = blo_memory_limit_set(ctx), used = blo_memory(ctx).bytes;

  BLO_CHECK(ctx, limit == 0 || bytes <= limit - used, BLO_E_MEMORY,
            "%s on a grid of %d x %d ranks needs %.3g GiB on a rank, beside %.3g GiB in use; "
            "run.memory_limit is %.3g GiB. Use more ranks, or %s",
            what, blo_grid_rows(grid), blo_grid_cols(grid), gibibytes(bytes), gibibytes(used),
            gibibytes(limit), instead);
  return BLO_OK;
}

static double mebibytes(blo_int bytes)
{
  return (double)bytes / 0x1p20;
}

static blo_int bytes_of(const blo_eval *eval, const blo_grid *grid)
{
  blo_int n = blo_space_n(blo_eval_space_y(eval));

  return blo_dense_bytes(grid, n, n) + blo_factor_bytes(grid, n, 1) +
         blo_assembler_bytes(eval, grid, false);
}

static blo_status allocate(blo_eval *eval, blo_hessian **out)
{
  blo_context *ctx = blo_eval_problem(eval)->ctx;

  BLO_TRY(blo_alloc(ctx, 1, sizeof **out, out));
  **out = (blo_hessian){.eval = eval, .ctx = ctx};
  return BLO_OK;
}

static blo_status make_local(blo_hessian *h)
{
  blo_space *x = blo_eval_space_x(h->eval), *y = blo_eval_space_y(h->eval);
  char what[64];

  snprintf(what, sizeof what, "a dense Hessian of n_y = %lld", (long long)blo_space_n(y));
  BLO_TRY(blo_hessian_check_room(h->grid, what, bytes_of(h->eval, h->grid),
                                 "adjoint.type 'cg' or 'neumann' and lower.rule 'gradient', which "
                                 "need products with H only"));
  BLO_TRY(blo_alloc(h->ctx, blo_space_n(y), sizeof *h->rhs, &h->rhs));
  BLO_TRY(blo_alloc(h->ctx, blo_space_n_local(x), sizeof *h->at.x, &h->at.x));
  return blo_alloc(h->ctx, blo_space_n_local(y), sizeof *h->at.y, &h->at.y);
}

static blo_status make(blo_hessian *h, const blo_dense_options *options)
{
  blo_comm *comm = blo_eval_problem(h->eval)->comm;
  blo_int n = blo_space_n(blo_eval_space_y(h->eval));

  BLO_TRY(blo_grid_create(comm, options, &h->grid));
  BLO_TRY_ALL(comm, make_local(h));
  h->bytes = (blo_int)blo_max_all(comm, (double)bytes_of(h->eval, h->grid));
  BLO_TRY(blo_dense_create(h->grid, n, n, &h->matrix));
  BLO_TRY(blo_factor_create(h->matrix, 1, &h->factor));
  return blo_assembler_create(h->eval, h->grid, 0, false, &h->assembler);
}

blo_status blo_hessian_create(blo_eval *eval, const blo_dense_options *options, blo_hessian **out)
{
  blo_status status = BLO_OK;
  blo_hessian *h = NULL;

  BLO_GO_ALL(blo_eval_problem(eval)->comm, allocate(eval, &h));
  BLO_GO(make(h, options));
  *out = h;
  h = NULL;
done:
  blo_hessian_destroy(&h);
  return status;
}

void blo_hessian_destroy(blo_hessian **hessian)
{
  blo_hessian *h = *hessian;

  if (h != NULL) {
    blo_context *ctx = h->ctx;
    blo_assembler_destroy(&h->assembler);
    blo_factor_destroy(&h->factor);
    blo_dense_destroy(&h->matrix);
    blo_grid_destroy(&h->grid);
    blo_free(ctx, &h->rhs);
    blo_free(ctx, &h->at.x);
    blo_free(ctx, &h->at.y);
    blo_free(ctx, hessian);
  }
}

blo_grid *blo_hessian_grid(const blo_hessian *h)
{
  return h->grid;
}

blo_int blo_hessian_bytes(const blo_hessian *h)
{
  return h->bytes;
}

void blo_hessian_describe(const blo_hessian *h, FILE *to)
{
  blo_int n;

  if (h == NULL) {
    return;
  }
  n = blo_dense_n(h->matrix);
  fprintf(
      to,
      "dense     H %lld x %lld on a grid of %d x %d ranks, blocks of %lld: %.2f MiB on the rank "
      "that has most\n          (matrix %.2f, factors %.2f, panels %.2f); %s\n",
      (long long)n, (long long)n, blo_grid_rows(h->grid), blo_grid_cols(h->grid),
      (long long)blo_grid_block(h->grid), mebibytes(blo_hessian_bytes(h)),
      mebibytes(blo_dense_bytes(h->grid, n, n)), mebibytes(blo_factor_bytes(h->grid, n, 1)),
      mebibytes(h->bytes - blo_dense_bytes(h->grid, n, n) - blo_factor_bytes(h->grid, n, 1)),
      blo_grid_bits_text(h->grid));
}

/* -------------------------------------------------------------- the matrix */

static bool same(const blo_vec *v, const double *kept)
{
  return memcmp(v->data, kept, (size_t)blo_space_n_local(v->space) * sizeof *kept) == 0;
}

/** Does the matrix (or its factors) belong to this point? Each rank sees its own part of x and y.
 *  Collective. */
static bool stands_at(const blo_hessian *h, const blo_hessian_point *p)
{
  bool here = h->at.stands && p->full && h->at.gauss_newton == p->gauss_newton &&
              same(p->x, h->at.x) && same(p->y, h->at.y);

  return blo_max_all(blo_eval_problem(h->eval)->comm, here ? 0 : 1) == 0;
}

static void keep(const blo_vec *v, double *kept)
{
  memcpy(kept, v->data, (size_t)blo_space_n_local(v->space) * sizeof *kept);
}

static blo_status assemble(blo_hessian *h)
{
  const blo_hessian_point *p = &h->point;
  const blo_assemble_ask ask = {.scale = 1,
                                .batch = p->batch,
                                .x = p->x,
                                .y = p->y,
                                .gauss_newton = p->gauss_newton,
                                .linearized = p->linearized,
                                .hessian = h->matrix};

  h->lost = false;
  h->at.stands = false;
  blo_factor_forget(h->factor);
  blo_dense_fill(0, h->matrix);
  h->assembled++;
  BLO_TRY(blo_assemble(h->assembler, &ask));
  blo_dense_symmetrise(h->matrix);
  h->at.stands = p->full;
  h->at.gauss_newton = p->gauss_newton;
  keep(p->x, h->at.x);
  keep(p->y, h->at.y);
  return BLO_OK;
}

blo_status blo_hessian_at(blo_hessian *h, const blo_hessian_point *point)
{
  bool stands = stands_at(h, point);

  h->point = *point;
  return stands ? BLO_OK : assemble(h);
}

/* ------------------------------------------------------------- its factors */

blo_status blo_hessian_cholesky(blo_hessian *h, double shift, bool *definite)
{
  *definite = blo_factor_which(h->factor) == BLO_FACTOR_CHOLESKY && h->shift == shift;
  if (*definite) {
    return BLO_OK;
  }
  if (blo_factor_which(h->factor) == BLO_FACTOR_CHOLESKY) {
    blo_factor_undo(h->factor);
  } else if (h->lost) {
    h->point.linearized = false; /* somebody may have linearised elsewhere since */
    BLO_TRY(assemble(h));
  }
  h->shift = shift;
  h->rcond = (double)NAN;
  h->factorized++;
  blo_factor_cholesky(h->factor, shift, definite);
  return BLO_OK;
}

blo_status blo_hessian_lu(blo_hessian *h)
{
  blo_status status;

  if (blo_factor_which(h->factor) == BLO_FACTOR_LU) {
    return BLO_OK;
  }
  if (blo_factor_which(h->factor) == BLO_FACTOR_CHOLESKY) {
    blo_factor_undo(h->factor);
  }
  h->lost = true;
  h->factorized++;
  h->rcond = (double)NAN;
  BLO_CHECK(h->ctx, (status = blo_factor_lu(h->factor)) != BLO_E_CURVATURE, BLO_E_CURVATURE,
            "the Hessian of g is singular: the lower level is not strongly convex here. Regularise "
            "it, or use adjoint.type 'cg'");
  return status;
}

void blo_hessian_solve(blo_hessian *h, const blo_vec *in, blo_vec *out)
{
  blo_vec_get_all(in, h->rhs);
  blo_factor_solve(h->factor, 1, h->rhs);
  blo_vec_set_from(h->rhs, out);
}

double blo_hessian_rcond(blo_hessian *h)
{
  if (isnan(h->rcond)) {
    h->rcond = blo_factor_rcond(h->factor);
  }
  return h->rcond;
}

bool blo_hessian_is_singular(blo_hessian *h)
{
  return !(blo_hessian_rcond(h) > (double)blo_dense_n(h->matrix) * DBL_EPSILON);
}

double blo_hessian_norm(const blo_hessian *h)
{
  return blo_factor_norm(h->factor);
}

blo_factor_kind blo_hessian_factor(const blo_hessian *h)
{
  return blo_factor_which(h->factor);
}

blo_int blo_hessian_minor(const blo_hessian *h)
{
  return blo_factor_failed_minor(h->factor);
}

blo_int blo_hessian_assembled(const blo_hessian *h)
{
  return h != NULL ? h->assembled : 0;
}

blo_int blo_hessian_factorized(const blo_hessian *h)
{
  return h != NULL ? h->factorized : 0;
}

/** @file Products H v and J v against the assembled matrices; see check.h. */
#include "check_private.h"
#include <math.h>

/** The two matrices, and what they are compared with. */
typedef struct dense_checker {
  blo_eval *eval;
  const blo_batch *batch;
  const blo_vec *x, *y;
  blo_grid *grid;
  blo_assembler *assembler;
  blo_dense *hessian, *transpose;
  blo_dense *cross; /**< NULL: too large */
  blo_vec *v, *zero, *hv, *jv;
  double *all_v, *product, *want; /**< [n_y], [n_x or n_y] */
} dense_checker;

/** Local. */
static blo_status make_vectors(dense_checker *c)
{
  blo_context *ctx = blo_eval_problem(c->eval)->ctx;
  blo_space *x = blo_eval_space_x(c->eval), *y = blo_eval_space_y(c->eval);
  blo_int n_y = blo_space_n(y), longest = blo_larger(blo_space_n(x), n_y);

  BLO_TRY(blo_vec_create(y, &c->v));
  BLO_TRY(blo_vec_create(y, &c->zero));
  BLO_TRY(blo_vec_create(y, &c->hv));
  BLO_TRY(blo_vec_create(x, &c->jv));
  BLO_TRY(blo_alloc(ctx, n_y, sizeof *c->all_v, &c->all_v));
  BLO_TRY(blo_alloc(ctx, longest, sizeof *c->product, &c->product));
  return blo_alloc(ctx, longest, sizeof *c->want, &c->want);
}

/** Collective. */
static blo_status make(dense_checker *c, blo_int most)
{
  static const blo_dense_options options = {.ranks = 0, .block = 64};
  const blo_problem *p = blo_eval_problem(c->eval);
  bool with_cross = p->n_x <= most / p->n_y;

  BLO_TRY_ALL(p->comm, make_vectors(c));
  BLO_TRY(blo_grid_create(p->comm, &options, &c->grid));
  BLO_TRY(blo_dense_create(c->grid, p->n_y, p->n_y, &c->hessian));
  BLO_TRY(blo_dense_create(c->grid, p->n_y, p->n_y, &c->transpose));
  if (with_cross) {
    BLO_TRY(blo_dense_create(c->grid, p->n_x, p->n_y, &c->cross));
  }
  return blo_assembler_create(c->eval, c->grid, p->n_lower, with_cross, &c->assembler);
}

static void free_all(dense_checker *c)
{
  blo_context *ctx = blo_eval_problem(c->eval)->ctx;

  blo_assembler_destroy(&c->assembler);
  blo_dense_destroy(&c->hessian);
  blo_dense_destroy(&c->transpose);
  blo_dense_destroy(&c->cross);
  blo_grid_destroy(&c->grid);
  blo_vec_destroy(&c->v);
  blo_vec_destroy(&c->zero);
  blo_vec_destroy(&c->hv);
  blo_vec_destroy(&c->jv);
  blo_free(ctx, &c->all_v);
  blo_free(ctx, &c->product);
  blo_free(ctx, &c->want);
}

/** c->hv = H v and c->jv = J v, without the linearisation. Collective. */
static blo_status products(dense_checker *c)
{
  const blo_ask ask = {.lower = BLO_WANT_VALUE | BLO_WANT_HV | BLO_WANT_JV,
                       .lower_batch = c->batch,
                       .x = c->x,
                       .y = c->y,
                       .n_v = 1,
                       .v = {c->v}};
  blo_answer answer = {.hv = {c->hv}, .jv = {c->jv}};

  return blo_eval_sweep(c->eval, &ask, &answer);
}

static blo_status assemble(dense_checker *c)
{
  const blo_assemble_ask ask = {.scale = 1,
                                .batch = c->batch,
                                .x = c->x,
                                .y = c->y,
                                .hessian = c->hessian,
                                .cross = c->cross};

  return blo_assemble(c->assembler, &ask);
}

/** | A v - want | over |A| |v|. Collective. */
static double product_error(dense_checker *c, const blo_dense *a, const blo_vec *want)
{
  blo_int m = blo_dense_m(a), n = blo_dense_n(a);

  blo_dense_multiply(false, a, c->all_v, c->product);
  blo_vec_get_all(want, c->want);
  for (blo_int i = 0; i < m; i++) {
    c->product[i] -= c->want[i];
  }
  return blo_check_ratio(blo_array_norm(m, c->product),
                         blo_dense_norm_frobenius(a) * blo_array_norm(n, c->all_v) +
                             blo_array_norm(m, c->want));
}

/** |A - A'| over |A|. Collective. */
static double symmetry_error(dense_checker *c)
{
  double size = blo_dense_norm_frobenius(c->hessian);

  blo_dense_copy(c->hessian, c->transpose);
  blo_dense_symmetrise(c->transpose);
  blo_dense_axpy(-1, c->hessian, c->transpose);
  return blo_check_ratio(2 * blo_dense_norm_frobenius(c->transpose), size);
}

static blo_status compare(dense_checker *c, uint64_t seed, blo_check_row *rows)
{
  blo_check_perturb(c->zero, 1, seed, 3, c->v);
  blo_vec_get_all(c->v, c->all_v);
  BLO_TRY(products(c));
  BLO_TRY(assemble(c));
  blo_check_row_record(&rows[BLO_CHECK_ROW_dense_hv], product_error(c, c->hessian, c->hv));
  blo_check_row_record(&rows[BLO_CHECK_ROW_dense_symmetry], symmetry_error(c));
  if (c->cross == NULL) {
    rows[BLO_CHECK_ROW_dense_jv].why = "J has too many entries";
    return BLO_OK;
  }
  blo_check_row_record(&rows[BLO_CHECK_ROW_dense_jv], product_error(c, c->cross, c->jv));
  return BLO_OK;
}

void blo_check_dense_skip(const char *why, blo_check_row *rows)
{
#define INIT(name, tol, text) blo_check_row_init(&rows[BLO_CHECK_ROW_##name], #name, text, tol);
  BLO_CHECK_DENSE_LIST(INIT)
#undef INIT
  for (int i = 0; i < BLO_CHECK_DENSE_ROWS; i++) {
    rows[i].why = why;
  }
}

blo_status blo_check_dense(blo_eval *eval, const blo_batch *batch, const blo_vec *x,
                           const blo_vec *y, uint64_t seed, blo_int most, blo_check_row *rows)
{
  dense_checker c = {.eval = eval, .batch = batch, .x = x, .y = y};
  blo_status status = BLO_OK;

  blo_check_dense_skip("", rows);
  BLO_GO(make(&c, most));
  BLO_GO(compare(&c, seed, rows));
done:
  free_all(&c);
  return status;
}

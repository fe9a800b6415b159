/**
 * @file
 * The truncated Neumann series (Ji, Yang and Liang 2021, arXiv 2010.07962, eq. 4 and algorithm 3):
 *
 *     w_0 = grad_y f - H v_0,   w_k = w_{k-1} - eta H w_{k-1},   v = v_0 + eta sum_{k=0}^K w_k
 *
 * with a fresh batch for each product if batches are used. The factor eta stands before the whole
 * sum and the sum includes w_0 (the authors' code has neither). With one H, w_{K+1} would be the
 * residual, so the series is growing, and v is worthless, if ||w_K|| > ||w_0||.
 */
#include <blo/hypergrad.h>

static blo_status solve(blo_estimator *e)
{
  blo_certificate *c = &e->certificate;
  blo_vec *w = e->work[0];
  double eta = e->options->step, first = blo_vec_norm(w);

  blo_vec_axpy(eta, w, e->v);
  while (c->iterations < e->options->iterations) {
    BLO_TRY(blo_estimator_product(e, w));
    c->iterations++;
    blo_vec_axpy(-eta, e->hv, w);
    blo_vec_axpy(eta, w, e->v);
  }
  c->verdict = blo_vec_norm(w) > first ? BLO_VERDICT_GREW : BLO_VERDICT_SPENT;
  return BLO_OK;
}

const blo_estimator_type blo_estimator_neumann = {
    .name = "neumann",
    .summary = "truncated Neumann series, K products with the same or with fresh Hessians",
    .source = "Ghadimi and Wang 2018, arXiv 1802.02246; Ji, Yang and Liang 2021, arXiv 2010.07962, "
              "algorithm 3",
    .n_work = 1,
    .one_batch = false,
    .solve = solve,
};

/**
 * @file
 * Regularisation of (multi-class) logistic regression: one weight exp(x_j) per feature, per class,
 * or one for all (Pedregosa 2016, arXiv 1602.02355, section 5; Grazzi et al. 2020, arXiv
 * 2006.16218; Dagreou et al. 2022, arXiv 2201.13409, section 4).
 *
 *     g(x, y) = (1/n) sum_i CE_i(y) + (1/2) sum_{c,j} exp(x_{k(c,j)}) y_{cj}^2
 *     f(y)    = (1/m) sum_j CE_j(y)
 *
 * with k(c,j) = j, c or 0. The bias is a feature like the others (the last one), so that the lower
 * level is strongly convex. x enters through the terms without samples alone:
 *     (grad_x g)_k = (1/2) exp(x_k) sum y_{cj}^2      (J v)_k = exp(x_k) sum y_{cj} v_{cj}
 * over the (c,j) with k(c,j) = k.
 */
#include "classify.h"
#include <math.h>

typedef struct options {
  blo_data_options data;
  double x0;
  int per, x;
} options;

typedef struct state {
  classify linear;
} state;

typedef enum per_kind { PER_FEATURE, PER_CLASS, PER_ALL } per_kind;

static blo_status setup(blo_problem *p)
{
  const options *o = p->options;
  state *st = p->state;

  BLO_TRY(classify_setup(p, &o->data, o->x0, &st->linear));
  p->n_x = o->per == PER_FEATURE ? st->linear.data.n_features + 1
           : o->per == PER_CLASS ? st->linear.data.n_classes
                                 : 1;
  p->x_layout = o->x == 0 ? BLO_ROOTED : BLO_REPLICATED;
  return BLO_OK;
}

static void teardown(blo_problem *p)
{
  state *st = p->state;

  classify_teardown(p, &st->linear);
}

static blo_status shard(blo_problem *p, const blo_shard_task *task, const blo_shard_out *out)
{
  state *st = p->state;

  softmax_shard(&st->linear.model[task->level == BLO_LOWER ? PART_TRAIN : PART_VAL], task, false,
                out);
  return BLO_OK;
}

/** Weight i = (c,j) of the regulariser, w its exp(x_k) times the scale: products with all
 *  directions. */
static void common_products(const blo_point *at, double w, blo_int i, blo_int k,
                            const blo_shard_out *out)
{
  for (blo_int d = 0; d < at->n_v; d++) {
    if (out->hv[d] != NULL) {
      out->hv[d][i] += w * at->v[d][i];
    }
    if (out->jv[d] != NULL) {
      out->jv[d][k] += w * at->y[i] * at->v[d][i];
    }
  }
}

/** One row (c) of the regulariser: its weights begin at `first`, their x at `first_x`, which moves
 * on by `step` (0 or 1) from one feature to the next. */
static void common_row(const blo_point *at, blo_int n, blo_int first, blo_int first_x, blo_int step,
                       double scale, const blo_shard_out *out)
{
  double value = 0;

  for (blo_int j = 0; j < n; j++) {
    blo_int i = first + j, k = first_x + j * step;
    double w = scale * exp(at->x[k]), y = at->y[i];
    value += 0.5 * w * y * y;
    if (out->gy != NULL) {
      out->gy[i] += w * y;
    }
    if (out->gx != NULL) {
      out->gx[k] += 0.5 * w * y * y;
    }
    common_products(at, w, i, k, out);
  }
  if (out->value != NULL) {
    *out->value += value;
  }
}

static void common(const blo_problem *p, blo_level level, unsigned want, const blo_point *at,
                   double scale, const blo_shard_out *out)
{
  const options *o = p->options;
  const state *st = p->state;
  blo_int n = st->linear.data.n_features + 1, step = o->per == PER_FEATURE;

  (void)want;
  if (level == BLO_UPPER) {
    return;
  }
  for (blo_int c = 0; c < st->linear.data.n_classes; c++) {
    common_row(at, n, c * n, o->per == PER_CLASS ? c : 0, step, scale, out);
  }
}

static const blo_metric metrics[] = {BLO_NET_METRICS};

static blo_status metrics_shard(blo_problem *p, blo_int s, const double *x, double *sums)
{
  const state *st = p->state;

  (void)x;
  classify_score(&st->linear, s, sums);
  return BLO_OK;
}

static void metrics_finish(const blo_problem *p, const double *sums, double *values)
{
  const state *st = p->state;

  classify_metrics(&st->linear, sums, values);
}

static const char *const per_names[] = {"feature", "class", "all", NULL};
static const char *const x_names[] = {"rooted", "replicated", NULL};

static const blo_opt_row rows[] = {
    BLO_OPT(options, x0, "-2", -700, 700, "-", "starting value of every log-weight",
            "Dagreou et al. 2022, appendix", 0),
    BLO_OPT_NAMES(
        options, per, "feature", per_names,
        "what a regularisation weight belongs to: a feature (the bias is one), a class, or "
        "all of y",
        "", 0),
    BLO_OPT_NAMES(options, x, "rooted", x_names,
                  "x on the root rank (updated there and broadcast), or on every rank", "", 0),
};

static const blo_opt_sub subs[] = {{"data", offsetof(options, data), &blo_data_table}};

static const blo_opt_table table =
    BLO_OPT_TABLE_WITH("ridge_logistic", "weights of the l2 regularisation", options, rows, subs);

const blo_problem_type blo_problem_ridge_logistic = {
    .name = "ridge_logistic",
    .summary = "hyperparameter optimisation: l2 weights of logistic regression",
    .source = "Pedregosa 2016, arXiv 1602.02355; Grazzi et al. 2020, arXiv 2006.16218",
    .state_size = sizeof(state),
    .options = &table,
    .has = BLO_HAS_DIRECTIONS | BLO_HAS_GAUSS_NEWTON,
    .metrics = metrics,
    .n_metrics = BLO_COUNT_OF(metrics),
    .n_metric_sums = N_CLASSIFY_SUMS,
    .setup = setup,
    .teardown = teardown,
    .start = classify_start,
    .prepare = classify_prepare,
    .shard = shard,
    .unpack = classify_unpack,
    .common = common,
    .metrics_prepare = classify_metrics_prepare,
    .metrics_shard = metrics_shard,
    .metrics_finish = metrics_finish,
};

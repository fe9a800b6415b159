/**
 * @file
 * Data hyper-cleaning (Franceschi et al. 2017, arXiv 1703.01785, section 5.1; in the form of Ji,
 * Yang and Liang 2021, arXiv 2010.07962, appendix B): learn which training labels are wrong.
 *
 *     g(x, y) = (1/n) sum_i sigmoid(x_i) CE_i(y) + reg ||y||^2      f(y) = (1/m) sum_j CE_j(y)
 *
 * x holds one logit per training sample, y a softmax classifier with bias; the labels of g are
 * corrupted, those of f are clean. H carries 2 reg I besides the terms of softmax.h.
 *
 * This file is the form with a linear classifier, on kernels of its own; with another model
 * (problem.model.type) cleaning_net.c takes its place.
 */
#include "classify.h"
#include "cleaning.h"

typedef struct state {
  classify linear;
  corruption labels;
} state;

static const blo_problem_type *variant(const blo_problem *p)
{
  const cleaning_options *o = p->options;

  return o->model.type == BLO_MODEL_LINEAR ? p->type : &cleaning_net_type;
}

/* ----------------------------------------------------------------- slots */

static blo_status setup(blo_problem *p)
{
  const cleaning_options *o = p->options;
  state *st = p->state;

  BLO_TRY(classify_setup(p, &o->net.data, o->x0, &st->linear));
  BLO_TRY(corruption_make(p, st->linear.data.set[PART_TRAIN], &st->labels));
  cleaning_align_x(p);
  return BLO_OK;
}

static void teardown(blo_problem *p)
{
  state *st = p->state;

  classify_teardown(p, &st->linear);
  corruption_free(p, &st->labels);
}

static blo_status shard(blo_problem *p, const blo_shard_task *task, const blo_shard_out *out)
{
  state *st = p->state;
  bool lower = task->level == BLO_LOWER;

  softmax_shard(&st->linear.model[lower ? PART_TRAIN : PART_VAL], task, lower, out);
  return BLO_OK;
}

/** y += a v. */
static void axpy(blo_int n, double a, const double *v, double *y)
{
  for (blo_int i = 0; i < n; i++) {
    y[i] += a * v[i];
  }
}

/** reg ||y||^2 and its derivatives; f has no such term. */
static void common(const blo_problem *p, blo_level level, unsigned want, const blo_point *at,
                   double scale, const blo_shard_out *out)
{
  const cleaning_options *o = p->options;

  (void)want;
  if (level == BLO_UPPER) {
    return;
  }
  if (out->value != NULL) {
    *out->value += scale * o->reg * blo_array_dot(p->n_y, at->y, at->y);
  }
  if (out->gy != NULL) {
    axpy(p->n_y, 2 * scale * o->reg, at->y, out->gy);
  }
  for (blo_int i = 0; i < at->n_v && out->hv[0] != NULL; i++) {
    axpy(p->n_y, 2 * scale * o->reg, at->v[i], out->hv[i]);
  }
}

/* --------------------------------------------------------------- metrics */

static blo_status metrics_shard(blo_problem *p, blo_int s, const double *x, double *sums)
{
  const state *st = p->state;

  classify_score(&st->linear, s, sums);
  corruption_score(&st->labels, st->linear.data.set[PART_TRAIN], s, x, sums + N_CLASSIFY_SUMS);
  return BLO_OK;
}

static void metrics_finish(const blo_problem *p, const double *sums, double *values)
{
  const state *st = p->state;

  classify_metrics(&st->linear, sums, values);
  corruption_metrics(&st->labels, sums + N_CLASSIFY_SUMS, values + N_CLASSIFY_METRICS);
}

const blo_problem_type blo_problem_hyper_cleaning = {
    .name = "hyper_cleaning",
    .summary = "data cleaning: one weight per training sample, a linear or another classifier",
    .source = "Franceschi et al. 2017, arXiv 1703.01785; Ji, Yang and Liang 2021, arXiv 2010.07962",
    .state_size = sizeof(state),
    .options = &cleaning_table,
    .variant = variant,
    .has = BLO_HAS_G_X | BLO_HAS_DIRECTIONS | BLO_HAS_GAUSS_NEWTON,
    .metrics = cleaning_metrics,
    .n_metrics = CLEANING_N_METRICS,
    .n_metric_sums = CLEANING_N_SUMS,
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

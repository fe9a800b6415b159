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
 * The corruption is made once, from the seed: exactly round(corrupt * n) labels, each replaced by
 * another class.
 */
#include "classify.h"
#include <math.h>

typedef struct options {
  classify_base base;
  double corrupt, reg;
  int corrupt_kind, x;
} options;

typedef struct state {
  classify data;
  unsigned char *corrupted; /**< [own training samples] 1 if the label was replaced */
  blo_int n_corrupted;      /**< over all ranks */
} state;

typedef enum corrupt_kind { CORRUPT_UNIFORM, CORRUPT_NEXT } corrupt_kind;

/* ------------------------------------------------------------ corruption */

/** The wrong label of training sample i. */
static int32_t wrong_label(const options *o, blo_int n_classes, blo_int i, int32_t label)
{
  blo_stream stream = {(uint64_t)o->base.data.seed, BLO_PURPOSE_CORRUPT};
  int32_t shift = 1;

  if (o->corrupt_kind == CORRUPT_UNIFORM) {
    shift += (int32_t)blo_stream_below(stream, 1, 0, (uint64_t)i, (uint64_t)n_classes - 1);
  }
  return (int32_t)((label + shift) % n_classes);
}

/** Corrupt the labels of this rank's training samples. */
static blo_status corrupt_labels(blo_problem *p, const options *o, state *st)
{
  const blo_set *set = st->data.set[PART_TRAIN];
  blo_stream stream = {(uint64_t)o->base.data.seed, BLO_PURPOSE_CORRUPT};
  blo_status status = BLO_OK;
  blo_int *perm = NULL;

  st->n_corrupted = (blo_int)floor(o->corrupt * (double)set->n + 0.5);
  BLO_GO(blo_alloc(p->ctx, set->own->n_rows, 1, &st->corrupted));
  BLO_GO(blo_alloc(p->ctx, set->n, sizeof *perm, &perm));
  blo_stream_permutation(stream, 0, set->n, perm);
  for (blo_int k = 0; k < st->n_corrupted; k++) {
    blo_int own = perm[k] - set->first;
    if (own >= 0 && own < set->own->n_rows) {
      int32_t *label = set->own->label + own;
      *label = wrong_label(o, st->data.n_classes, perm[k], *label);
      st->corrupted[own] = 1;
    }
  }
done:
  blo_free(p->ctx, &perm);
  return status;
}

/* ----------------------------------------------------------------- slots */

static blo_status setup(blo_problem *p)
{
  const options *o = p->options;
  state *st = p->state;
  uint64_t clean;

  BLO_TRY(classify_setup(p, &o->base.data, &st->data));
  clean = p->fingerprint;
  BLO_TRY_ALL(p->comm, corrupt_labels(p, o, st));
  p->fingerprint = clean * 31 + blo_set_fingerprint(st->data.set[PART_TRAIN]);
  p->n_x = p->n_lower;
  p->x_aligned = true;
  p->x_layout = o->x == 0 ? BLO_SHARDED : BLO_ROOTED;
  return BLO_OK;
}

static void teardown(blo_problem *p)
{
  state *st = p->state;

  classify_teardown(p, &st->data);
  blo_free(p->ctx, &st->corrupted);
}

static blo_status shard(blo_problem *p, const blo_shard_task *task, const blo_shard_out *out)
{
  state *st = p->state;
  bool lower = task->level == BLO_LOWER;

  softmax_shard(&st->data.model[lower ? PART_TRAIN : PART_VAL], task, lower, out);
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
  const options *o = p->options;

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
  if (out->hv[0] != NULL) {
    axpy(p->n_y, 2 * scale * o->reg, at->v[0], out->hv[0]);
  }
}

/* --------------------------------------------------------------- metrics */

static const blo_metric metrics[] = {
    CLASSIFY_METRICS,
    {"precision", "-", "share of the samples with weight below 1/2 whose label is corrupted"},
    {"recall", "-", "share of the corrupted samples whose weight is below 1/2"},
    {"f1", "-", "harmonic mean of precision and recall"},
};
enum { SUM_FLAGGED = N_CLASSIFY_SUMS, SUM_FOUND, N_SUMS };

static blo_status metrics_shard(blo_problem *p, blo_int s, const double *x, double *sums)
{
  const state *st = p->state;
  const blo_set *set = st->data.set[PART_TRAIN];
  blo_int begin = blo_set_offset(set, s), n = blo_set_offset(set, s + 1) - begin;

  classify_score(&st->data, s, sums);
  for (blo_int i = 0; i < n; i++) {
    if (x[i] < 0) {
      sums[SUM_FLAGGED] += 1;
      sums[SUM_FOUND] += st->corrupted[begin + i];
    }
  }
  return BLO_OK;
}

/** 0/0 gives NAN: nothing was flagged, or nothing is corrupted. */
static void metrics_finish(const blo_problem *p, const double *sums, double *values)
{
  const state *st = p->state;
  double *out = values + N_CLASSIFY_METRICS;

  classify_metrics(&st->data, sums, values);
  out[0] = sums[SUM_FOUND] / sums[SUM_FLAGGED];
  out[1] = sums[SUM_FOUND] / (double)st->n_corrupted;
  out[2] = 2 * sums[SUM_FOUND] / (sums[SUM_FLAGGED] + (double)st->n_corrupted);
}

/* ------------------------------------------------------------- the table */

static const char *const corrupt_names[] = {"uniform", "next", NULL};
static const char *const x_names[] = {"sharded", "rooted", NULL};

static const blo_opt_row rows[] = {
    BLO_OPT(options, corrupt, "0", 0, 1, "-", "share of the training labels that are corrupted", "",
            0),
    BLO_OPT(options, reg, "0.001", 0, 1e6, "-", "weight of ||y||^2 in g",
            "Ji, Yang and Liang 2021, appendix B", 0),
    BLO_OPT_AS("x0", options, base.x0, "0", -700, 700, "-",
               "starting logit of every training sample", "", 0),
    BLO_OPT_NAMES(options, corrupt_kind, "uniform", corrupt_names,
                  "wrong labels: uniform over the other classes, or always the next class", "", 0),
    BLO_OPT_NAMES(options, x, "sharded", x_names,
                  "x with its samples, or on the root rank (broadcast, and reduced to it)", "", 0),
};

static const blo_opt_sub subs[] = {{"data", offsetof(options, base.data), &classify_table}};

static const blo_opt_table table = {"hyper_cleaning",   "learn which training labels are wrong",
                                    sizeof(options),    rows,
                                    BLO_COUNT_OF(rows), subs,
                                    BLO_COUNT_OF(subs)};

const blo_problem_type blo_problem_hyper_cleaning = {
    .name = "hyper_cleaning",
    .summary = "data cleaning: one weight per training sample, softmax classifier",
    .source = "Franceschi et al. 2017, arXiv 1703.01785; Ji, Yang and Liang 2021, arXiv 2010.07962",
    .state_size = sizeof(state),
    .options = &table,
    .has = BLO_HAS_G_X,
    .metrics = metrics,
    .n_metrics = BLO_COUNT_OF(metrics),
    .n_metric_sums = N_SUMS,
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

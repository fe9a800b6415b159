/**
 * @file
 * Corrupted labels and what both forms of hyper_cleaning are told; see cleaning.h. The corruption
 * is made once, from the seed: exactly round(corrupt * n) labels, each replaced by another class.
 */
#include "cleaning.h"
#include <math.h>

typedef enum corrupt_kind { CORRUPT_UNIFORM, CORRUPT_NEXT } corrupt_kind;

/** The wrong label of training sample i. */
static int32_t wrong_label(const cleaning_options *o, blo_int n_classes, blo_int i, int32_t label)
{
  blo_stream stream = {(uint64_t)o->net.data.seed, BLO_PURPOSE_CORRUPT};
  int32_t shift = 1;

  if (o->corrupt_kind == CORRUPT_UNIFORM) {
    shift += (int32_t)blo_stream_below(stream, 1, 0, (uint64_t)i, (uint64_t)n_classes - 1);
  }
  return (int32_t)((label + shift) % n_classes);
}

/** Corrupt the labels of this rank's training samples. */
static blo_status corrupt_own(blo_problem *p, const blo_set *set, corruption *c)
{
  const cleaning_options *o = p->options;
  blo_stream stream = {(uint64_t)o->net.data.seed, BLO_PURPOSE_CORRUPT};
  blo_status status = BLO_OK;
  blo_int *perm = NULL;

  c->n_corrupted = (blo_int)floor(o->corrupt * (double)set->n + 0.5);
  BLO_GO(blo_alloc(p->ctx, set->own->n_rows, 1, &c->corrupted));
  BLO_GO(blo_alloc(p->ctx, set->n, sizeof *perm, &perm));
  blo_stream_permutation(stream, 0, set->n, perm);
  for (blo_int k = 0; k < c->n_corrupted; k++) {
    blo_int own = perm[k] - set->first;
    if (own >= 0 && own < set->own->n_rows) {
      int32_t *label = set->own->label + own;
      *label = wrong_label(o, set->own->n_classes, perm[k], *label);
      c->corrupted[own] = 1;
    }
  }
done:
  blo_free(p->ctx, &perm);
  return status;
}

blo_status corruption_make(blo_problem *p, const blo_set *train, corruption *c)
{
  uint64_t clean = p->fingerprint;

  BLO_TRY_ALL(p->comm, corrupt_own(p, train, c));
  p->fingerprint = clean * 31 + blo_set_fingerprint(train);
  return BLO_OK;
}

void corruption_free(blo_problem *p, corruption *c)
{
  blo_free(p->ctx, &c->corrupted);
}

void cleaning_align_x(blo_problem *p)
{
  const cleaning_options *o = p->options;

  p->n_x = p->n_lower;
  p->x_aligned = true;
  p->x_layout = o->x == 0 ? BLO_SHARDED : BLO_ROOTED;
}

/* --------------------------------------------------------------- metrics */

const blo_metric cleaning_metrics[CLEANING_N_METRICS] = {
    BLO_NET_METRICS,
    {"precision", "-", "share of the samples with weight below 1/2 whose label is corrupted"},
    {"recall", "-", "share of the corrupted samples whose weight is below 1/2"},
    {"f1", "-", "harmonic mean of precision and recall"},
};
enum { SUM_FLAGGED, SUM_FOUND };

void corruption_score(const corruption *c, const blo_set *train, blo_int shard, const double *x,
                      double *sums)
{
  blo_int begin = blo_set_offset(train, shard), n = blo_set_offset(train, shard + 1) - begin;

  for (blo_int i = 0; i < n; i++) {
    if (x[i] < 0) {
      sums[SUM_FLAGGED] += 1;
      sums[SUM_FOUND] += c->corrupted[begin + i];
    }
  }
}

void corruption_metrics(const corruption *c, const double *sums, double *values)
{
  values[0] = sums[SUM_FOUND] / sums[SUM_FLAGGED];
  values[1] = sums[SUM_FOUND] / (double)c->n_corrupted;
  values[2] = 2 * sums[SUM_FOUND] / (sums[SUM_FLAGGED] + (double)c->n_corrupted);
}

/* ------------------------------------------------------------- the table */

static const char *const corrupt_names[] = {"uniform", "next", NULL};
static const char *const x_names[] = {"sharded", "rooted", NULL};

static const blo_opt_row rows[] = {
    BLO_OPT(cleaning_options, corrupt, "0", 0, 1, "-",
            "share of the training labels that are corrupted", "", 0),
    BLO_OPT(cleaning_options, reg, "0.001", 0, 1e6, "-", "weight of ||y||^2 in g",
            "Ji, Yang and Liang 2021, appendix B", 0),
    BLO_NET_ROWS(cleaning_options),
    BLO_OPT(cleaning_options, x0, "0", -700, 700, "-", "starting logit of every training sample",
            "", 0),
    BLO_OPT_NAMES(cleaning_options, corrupt_kind, "uniform", corrupt_names,
                  "wrong labels: uniform over the other classes, or always the next class", "", 0),
    BLO_OPT_NAMES(cleaning_options, x, "sharded", x_names,
                  "x with its samples, or on the root rank (broadcast, and reduced to it)", "", 0),
};

static const blo_opt_row model_rows[] = {BLO_MODEL_ROWS("linear")};
static const blo_opt_table model_table =
    BLO_OPT_TABLE("model", "the classifier, all of it in y", blo_model_options, model_rows);

static const blo_opt_sub subs[] = {
    {"data", offsetof(cleaning_options, net.data), &blo_data_table},
    {"model", offsetof(cleaning_options, model), &model_table},
};

const blo_opt_table cleaning_table = BLO_OPT_TABLE_WITH(
    "hyper_cleaning", "learn which training labels are wrong", cleaning_options, rows, subs);

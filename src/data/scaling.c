/**
 * @file Finding a scaling of the features from a set.
 *
 * Standardisation takes two passes: the mean, then the mean square deviation from it (compare Chan,
 * Golub, LeVeque, Algorithms for computing the sample variance, Am. Stat. 37, 1983). Both passes
 * work on the differences to the set's first sample, so that a constant feature gives exactly 0 and
 * is known as such, whatever its rounding. Sums go over the logical shards in their fixed order.
 */
#include "table_private.h"
#include <math.h>
#include <string.h>

const char *const blo_scaling_names[] = {"none", "standard", "unit", NULL};

/** Work of one pass over a set. */
typedef struct pass {
  const blo_set *set;
  blo_sum *sum;
  double *from;  /**< [n_features] what is subtracted from the features */
  double *total; /**< [n_features] */
} pass;

/** Add the powers of the differences of row i, `power` 1 or 2, to `sum`. */
static void add_dense_row(const blo_table *t, blo_int i, const double *from, int power, double *sum)
{
  const void *row = blo_table_row(t, i);

  for (blo_int k = 0; k < t->n_features; k++) {
    double difference = blo_storage_get(t->storage, row, k) - from[k];
    sum[k] += power == 1 ? difference : difference * difference;
  }
}

/** Add the squares of row i to `sum`. */
static void add_sparse_row(const blo_table *t, blo_int i, double *sum)
{
  const double *value = t->values;

  for (blo_int j = t->row_start[i]; j < t->row_start[i + 1]; j++) {
    sum[t->column[j]] += value[j] * value[j];
  }
}

/** Collective: total_k = sum over all samples of (a_k - from_k)^power. */
static void sum_powers(pass *p, int power)
{
  const blo_table *t = p->set->own;

  blo_sum_begin(p->sum, t->n_features);
  for (blo_int s = p->set->first_shard; s < p->set->end_shard; s++) {
    double *sum = blo_sum_next_shard(p->sum);
    for (blo_int i = blo_set_offset(p->set, s); i < blo_set_offset(p->set, s + 1); i++) {
      if (t->sparse) {
        add_sparse_row(t, i, sum);
      } else {
        add_dense_row(t, i, p->from, power, sum);
      }
    }
  }
  blo_sum_finish(p->sum, p->total);
}

/** Collective: the set's first sample, on every rank. */
static void share_first_sample(pass *p)
{
  const blo_table *t = p->set->own;

  for (blo_int k = 0; k < t->n_features && p->set->first == 0; k++) {
    p->from[k] = blo_storage_get(t->storage, t->values, k);
  }
  blo_bcast(p->set->comm, 0, p->from, t->n_features * (blo_int)sizeof *p->from);
}

/** The same on every rank. Turns the mean squares' sums into scales. */
static blo_status make_scales(const pass *p, blo_scaling *scaling)
{
  for (blo_int k = 0; k < scaling->n_features; k++) {
    double square = p->total[k] / (double)p->set->n;
    BLO_CHECK(blo_comm_context(p->set->comm), isfinite(square), BLO_E_DATA,
              "feature %lld (from 0) cannot be standardised: its variance is too large",
              (long long)k);
    scaling->scale[k] = square > 0 ? 1 / sqrt(square) : 0;
  }
  return BLO_OK;
}

/** Collective. */
static blo_status standardize(pass *p, blo_scaling *scaling)
{
  blo_int n = scaling->n_features;

  if (!p->set->own->sparse) {
    share_first_sample(p);
    sum_powers(p, 1);
    for (blo_int k = 0; k < n; k++) {
      p->from[k] += p->total[k] / (double)p->set->n;
    }
    memcpy(scaling->shift, p->from, (size_t)n * sizeof *p->from);
  }
  sum_powers(p, 2);
  return make_scales(p, scaling);
}

static double largest_value(const blo_table *t)
{
  blo_int n = t->sparse ? t->row_start[t->n_rows] : t->n_rows * t->ld;
  double largest = 0;

  for (blo_int i = 0; i < n; i++) {
    largest = fmax(largest, fabs(blo_storage_get(t->storage, t->values, i)));
  }
  return largest;
}

/** Collective. The largest value of all ranks decides. */
static blo_status scale_to_unit(const blo_set *set, blo_scaling *scaling)
{
  double largest = blo_max_all(set->comm, largest_value(set->own));
  double scale = largest > 0 ? 1 / largest : 0;

  BLO_CHECK(blo_comm_context(set->comm), isfinite(scale), BLO_E_DATA,
            "the features cannot be scaled: the largest value is %g", largest);
  for (blo_int k = 0; k < scaling->n_features; k++) {
    scaling->scale[k] = scale;
  }
  return BLO_OK;
}

static blo_status new_scaling(blo_context *ctx, blo_int n_features, blo_scaling **out)
{
  BLO_TRY(blo_alloc(ctx, 1, sizeof **out, out));
  (*out)->n_features = n_features;
  BLO_TRY(blo_alloc(ctx, n_features, sizeof(double), &(*out)->shift));
  BLO_TRY(blo_alloc(ctx, n_features, sizeof(double), &(*out)->scale));
  for (blo_int k = 0; k < n_features; k++) {
    (*out)->scale[k] = 1;
  }
  return BLO_OK;
}

static blo_status new_pass(const blo_set *set, pass *p)
{
  blo_context *ctx = blo_comm_context(set->comm);
  blo_int n = set->own->n_features;

  BLO_TRY(blo_alloc(ctx, n, sizeof *p->from, &p->from));
  BLO_TRY(blo_alloc(ctx, n, sizeof *p->total, &p->total));
  return blo_sum_create(set->comm, BLO_REPRODUCIBLE, set->n_shards, n, &p->sum);
}

/** Collective. */
static blo_status run_standardize(const blo_set *set, blo_scaling *scaling)
{
  blo_status status = BLO_OK;
  blo_context *ctx = blo_comm_context(set->comm);
  pass p = {.set = set};

  BLO_GO(blo_agree(set->comm, new_pass(set, &p)));
  BLO_GO(standardize(&p, scaling));
done:
  blo_sum_destroy(&p.sum);
  blo_free(ctx, &p.total);
  blo_free(ctx, &p.from);
  return status;
}

blo_status blo_scaling_create(const blo_set *set, blo_scaling_kind kind, blo_scaling **out)
{
  blo_status status = BLO_OK;
  blo_context *ctx = blo_comm_context(set->comm);
  blo_scaling *scaling = NULL;

  *out = NULL;
  BLO_CHECK_GO(ctx, kind == BLO_SCALING_NONE || set->own->storage != BLO_I32, BLO_E_DATA,
               "tokens are not scaled: set scaling to none");
  BLO_GO(blo_agree(set->comm, new_scaling(ctx, set->own->n_features, &scaling)));
  if (kind == BLO_SCALING_STANDARD) {
    BLO_GO(run_standardize(set, scaling));
  } else if (kind == BLO_SCALING_UNIT) {
    BLO_GO(scale_to_unit(set, scaling));
  }
  *out = scaling;
  scaling = NULL;
done:
  blo_scaling_destroy(ctx, &scaling);
  return status;
}

void blo_scaling_destroy(blo_context *ctx, blo_scaling **scaling)
{
  if (*scaling != NULL) {
    blo_free(ctx, &(*scaling)->shift);
    blo_free(ctx, &(*scaling)->scale);
    blo_free(ctx, scaling);
  }
}

/** @file What the samples look like: sizes, and how many of the features are zero. */
#include "network_private.h"

/* Below this share of nonzeros, sums over them beat a dense product (measured:
 * docs/performance.md). */
static const double sparse_share = 0.4;

static double feature(const blo_table *t, blo_int at)
{
  switch (t->storage) {
  case BLO_U8:
    return ((const uint8_t *)t->values)[at];
  case BLO_F32:
    return (double)((const float *)t->values)[at];
  default:
    return ((const double *)t->values)[at];
  }
}

static blo_int nonzeros_of_row(const blo_table *t, blo_int i)
{
  blo_int n = 0;

  if (t->sparse) {
    return t->row_start[i + 1] - t->row_start[i];
  }
  for (blo_int k = 0; k < t->n_features; k++) {
    double a = feature(t, i * t->ld + k);
    n += a < 0 || a > 0;
  }
  return n;
}

/** Nonzeros of a rank's samples: all, and the most in a row. */
static void count_nonzeros(const blo_set *set, blo_int *all, blo_int *most)
{
  for (blo_int i = 0; set != NULL && i < set->own->n_rows; i++) {
    blo_int n = nonzeros_of_row(set->own, i);
    *all += n;
    *most = n > *most ? n : *most;
  }
}

static void find_zeros(blo_problem *p, const samples *s, blo_input *in)
{
  blo_int all = 0, unused = 0, most = 0;
  double total = (double)s->set[PART_TRAIN]->n * (double)s->n_features;

  count_nonzeros(s->set[PART_TRAIN], &all, &most);
  count_nonzeros(s->set[PART_VAL], &unused, &most);
  count_nonzeros(s->set[PART_TEST], &unused, &most);
  in->n_nonzeros = (blo_int)blo_max_all(p->comm, (double)most);
  in->skip_zeros = !s->sparse && (double)blo_sum_all(p->comm, all) < sparse_share * total;
}

blo_input network_input(blo_problem *p, const samples *s)
{
  blo_input in = {.n_features = s->n_features,
                  .n_classes = s->n_classes,
                  .n_tokens = s->n_tokens,
                  .sparse = s->sparse};

  if (s->n_tokens == 0) {
    find_zeros(p, s, &in);
  }
  return in;
}

/** @file The softmax classifiers of the linear problems; see classify.h. */
#include "classify.h"
#include <math.h>

/* Packed numbers of a direction above which several at once are slower than one after the other:
 * the sums of all of them over the shards leave the caches. It also bounds their memory. */
enum { DIRECTION_MAX = 1 << 16 };

/** Directions that are packed at once: several, if they are not too large for it. */
static blo_int directions_of(blo_problem *p)
{
  if (p->n_packed > DIRECTION_MAX) {
    p->has &= ~(unsigned)BLO_HAS_DIRECTIONS;
  }
  return (p->has & BLO_HAS_DIRECTIONS) != 0 ? BLO_DIRECTIONS_MAX : 1;
}

static blo_status make_models(blo_problem *p, classify *c)
{
  int isa = blo_isa_agree(p->comm);

  for (int part = 0; part < N_PARTS; part++) {
    softmax *m = &c->model[part];
    if (c->data.set[part] != NULL) {
      blo_features_init(&m->features, c->data.set[part]->own, c->data.scaling, c->data.n_classes,
                        isa);
      m->set = c->data.set[part];
    }
  }
  p->n_packed = blo_features_packed_size(&c->model[PART_TRAIN].features);
  BLO_TRY_ALL(p->comm, blo_alloc(p->ctx, p->n_packed, sizeof(double), &c->packed_y));
  BLO_TRY_ALL(p->comm,
              blo_alloc(p->ctx, p->n_packed * directions_of(p), sizeof(double), &c->packed_v));
  for (int part = 0; part < N_PARTS; part++) {
    c->model[part].packed_y = c->packed_y;
    c->model[part].packed_v = c->packed_v;
  }
  return BLO_OK;
}

blo_status classify_setup(blo_problem *p, const blo_data_options *o, double x0, classify *c)
{
  c->x0 = x0;
  BLO_TRY(samples_load(p, o, &c->data));
  BLO_CHECK(
      p->ctx, c->data.n_tokens == 0, BLO_E_OPTION,
      "problem '%s': %s holds texts, which need a model of texts: problem.model.type rnn, gru "
      "or lstm",
      p->type->name, o->train.path);
  BLO_TRY(make_models(p, c));
  p->n_y = c->data.n_classes * (c->data.n_features + 1);
  p->cache_per_sample = softmax_cache_size(c->data.n_classes);
  return BLO_OK;
}

void classify_teardown(blo_problem *p, classify *c)
{
  samples_free(p, &c->data);
  blo_free(p->ctx, &c->packed_y);
  blo_free(p->ctx, &c->packed_v);
}

void classify_start(const blo_problem *p, const blo_slice *x, const blo_slice *y)
{
  const classify *c = p->state;

  for (blo_int i = 0; i < x->n; i++) {
    x->data[i] = c->x0;
  }
  for (blo_int i = 0; i < y->n; i++) {
    y->data[i] = 0;
  }
}

void classify_prepare(blo_problem *p, const blo_point *at, unsigned want_lower, unsigned want_upper,
                      bool linearized)
{
  classify *c = p->state;
  const blo_features *f = &c->model[PART_TRAIN].features;

  if ((want_lower != 0 && !linearized) || want_upper != 0) {
    blo_features_pack(f, at->y, c->packed_y);
  }
  if ((want_lower & (BLO_WANT_HV | BLO_WANT_JV)) != 0) {
    softmax_pack_directions(&c->model[PART_TRAIN], at->n_v, at->v, c->packed_v);
  }
}

void classify_unpack(const blo_problem *p, const double *packed, double *y)
{
  const classify *c = p->state;

  blo_features_unpack(&c->model[PART_TRAIN].features, packed, y);
}

void classify_metrics_prepare(blo_problem *p, const blo_point *at)
{
  classify *c = p->state;

  blo_features_pack(&c->model[PART_TRAIN].features, at->y, c->packed_y);
}

void classify_score(const classify *c, blo_int shard, double *sums)
{
  if (c->data.set[PART_TEST] != NULL) {
    softmax_score(&c->model[PART_TEST], shard, sums);
  }
  softmax_score(&c->model[PART_VAL], shard, sums + 2);
}

void classify_metrics(const classify *c, const double *sums, double *values)
{
  double n_test = c->data.set[PART_TEST] != NULL ? (double)c->data.set[PART_TEST]->n : (double)NAN;
  double n_val = (double)c->data.set[PART_VAL]->n;

  values[0] = sums[1] / n_test;
  values[1] = sums[0] / n_test;
  values[2] = sums[3] / n_val;
  values[3] = sums[2] / n_val;
}

/** @file Data of the classification problems; see classify.h. */
#include "classify.h"
#include <math.h>

static const blo_opt_row source_rows[] = {
    BLO_OPT_PLAIN(blo_source_spec, path, "", "file with the samples; for IDX the images",
                  BLO_OPT_PATH),
    BLO_OPT_PLAIN(blo_source_spec, labels, "", "IDX only: file with the labels", BLO_OPT_PATH),
    BLO_OPT_PLAIN(blo_source_spec, group, "", "HDF5 only: group of the file, e.g. train", 0),
    BLO_OPT_NAMES(blo_source_spec, format, "auto", blo_format_names,
                  "format of the file; auto looks at its first bytes", "", 0),
    BLO_OPT(blo_source_spec, label_column, "-1", -1e9, 1e9, "column",
            "CSV only: column of the label, counted from 0, or from the end if negative", "", 0),
    BLO_OPT(blo_source_spec, n_features, "0", 0, 1e9, "features",
            "LIBSVM only: number of features; 0 = the largest index found", "", 0),
    BLO_OPT(blo_source_spec, n_classes, "0", 0, SOFTMAX_MAX_CLASSES, "classes",
            "labels must be 0..n_classes-1; 0 = the distinct labels found, in ascending order", "",
            0),
};

static const blo_opt_table source_table = {"source",
                                           "where samples come from",
                                           sizeof(blo_source_spec),
                                           source_rows,
                                           BLO_COUNT_OF(source_rows),
                                           NULL,
                                           0};

typedef enum split_kind { SPLIT_RANDOM, SPLIT_ORDERED } split_kind;
static const char *const split_names[] = {"random", "ordered", NULL};

static const blo_opt_row rows[] = {
    BLO_OPT(classify_options, n_train, "0", 0, 1e12, "samples",
            "training samples, from the training source; 0 = what n_val (and n_test) leave", "", 0),
    BLO_OPT(classify_options, n_val, NULL, 1, 1e12, "samples",
            "validation samples, from the training source, disjoint from the training samples", "",
            BLO_OPT_REQUIRED),
    BLO_OPT(classify_options, n_test, "0", 0, 1e12, "samples",
            "test samples: the first ones of the test source, 0 = all of it; without a test source "
            "they come from the training source, 0 = none",
            "", 0),
    BLO_OPT(classify_options, shards, "64", 1, 1 << 20, "shards",
            "logical shards, a power of two: the most ranks that can be used; results depend on "
            "it, not on the number of ranks",
            "", 0),
    BLO_OPT(classify_options, seed, "1", 0, 9007199254740992.0, "-",
            "seed of the split and of the corruption", "", 0),
    BLO_OPT_NAMES(
        classify_options, split, "random", split_names,
        "which samples of the training source are taken: a random permutation, or file order", "",
        0),
    BLO_OPT_NAMES(classify_options, scaling, "standard", blo_scaling_names,
                  "of the features, found on the training samples", "", 0),
};

static const blo_opt_sub subs[] = {
    {"train", offsetof(classify_options, train), &source_table},
    {"test", offsetof(classify_options, test), &source_table},
};

const blo_opt_table classify_table = {"data",
                                      "training, validation and test samples",
                                      sizeof(classify_options),
                                      rows,
                                      BLO_COUNT_OF(rows),
                                      subs,
                                      BLO_COUNT_OF(subs)};

/** Sizes of the three sets, and whether the test set comes from the training source. */
typedef struct cut {
  blo_int n[N_CLASSIFY_PARTS];
  bool own_test;
} cut;

static blo_status find_cut(blo_context *ctx, const classify_options *o, const blo_source *train,
                           const blo_source *test, cut *k)
{
  blo_int have = blo_source_n_rows(train), from_train;

  k->own_test = test == NULL;
  k->n[PART_VAL] = o->n_val;
  k->n[PART_TEST] = test != NULL && o->n_test == 0 ? blo_source_n_rows(test) : o->n_test;
  from_train = o->n_val + (k->own_test ? k->n[PART_TEST] : 0);
  k->n[PART_TRAIN] = o->n_train > 0 ? o->n_train : have - from_train;
  BLO_CHECK(ctx, k->n[PART_TRAIN] > 0 && k->n[PART_TRAIN] + from_train <= have, BLO_E_DATA,
            "%s has %lld samples: too few for n_train = %lld, n_val = %lld and n_test = %lld",
            o->train.path, (long long)have, (long long)o->n_train, (long long)o->n_val,
            (long long)(k->own_test ? k->n[PART_TEST] : 0));
  BLO_CHECK(ctx, test == NULL || k->n[PART_TEST] <= blo_source_n_rows(test), BLO_E_DATA,
            "%s has %lld samples: too few for n_test = %lld", o->test.path,
            (long long)blo_source_n_rows(test), (long long)o->n_test);
  return BLO_OK;
}

/** Row numbers: `perm` for the training source, then 0, 1, 2, ... for a test source. */
static blo_status order_rows(blo_context *ctx, const classify_options *o, blo_int n, bool random,
                             blo_int **rows_out)
{
  blo_stream stream = {(uint64_t)o->seed, BLO_PURPOSE_SPLIT};

  BLO_TRY(blo_alloc(ctx, n, sizeof **rows_out, rows_out));
  if (random) {
    blo_stream_permutation(stream, 0, n, *rows_out);
    return BLO_OK;
  }
  for (blo_int i = 0; i < n; i++) {
    (*rows_out)[i] = i;
  }
  return BLO_OK;
}

static blo_status take_sets(blo_problem *p, const classify_options *o, blo_source *train,
                            blo_source *test, classify *c)
{
  blo_status status = BLO_OK;
  blo_int *order = NULL, *test_order = NULL, first = 0;
  cut k;

  BLO_TRY(find_cut(p->ctx, o, train, test, &k));
  BLO_GO_ALL(p->comm,
             order_rows(p->ctx, o, blo_source_n_rows(train), o->split == SPLIT_RANDOM, &order));
  for (int part = 0; part < N_CLASSIFY_PARTS; part++) {
    if (part == PART_TEST && (!k.own_test || k.n[part] == 0)) {
      break;
    }
    BLO_GO(blo_set_take(p->comm, train, order + first, k.n[part], o->shards, &c->set[part]));
    first += k.n[part];
  }
  if (test != NULL) {
    BLO_GO_ALL(p->comm, order_rows(p->ctx, o, blo_source_n_rows(test), false, &test_order));
    BLO_GO(blo_set_take(p->comm, test, test_order, k.n[PART_TEST], o->shards, &c->set[PART_TEST]));
  }
done:
  blo_free(p->ctx, &order);
  blo_free(p->ctx, &test_order);
  return status;
}

static blo_status load_sets(blo_problem *p, const classify_options *o, classify *c)
{
  blo_status status = BLO_OK;
  blo_source *train = NULL, *test = NULL;

  BLO_CHECK(p->ctx, o->train.path[0] != '\0', BLO_E_OPTION,
            "problem.data.train.path is not given: where are the training samples?");
  BLO_CHECK(p->ctx,
            o->test.path[0] != '\0' || (o->test.labels[0] == '\0' && o->test.group[0] == '\0'),
            BLO_E_OPTION, "problem.data.test has labels or a group, but no path");
  BLO_GO(blo_source_open(p->comm, &o->train, NULL, &train));
  if (o->test.path[0] != '\0') {
    BLO_GO(blo_source_open(p->comm, &o->test, train, &test));
    BLO_CHECK_GO(p->ctx, blo_source_n_features(test) == blo_source_n_features(train), BLO_E_SHAPE,
                 "%s has %lld features, %s has %lld", o->test.path,
                 (long long)blo_source_n_features(test), o->train.path,
                 (long long)blo_source_n_features(train));
  }
  BLO_CHECK_GO(p->ctx, test == NULL || blo_source_is_sparse(test) == blo_source_is_sparse(train),
               BLO_E_DATA, "%s is sparse, %s is dense: both must be of one kind",
               blo_source_is_sparse(train) ? o->train.path : o->test.path,
               blo_source_is_sparse(train) ? o->test.path : o->train.path);
  c->n_features = blo_source_n_features(train);
  c->n_classes = blo_source_n_classes(train);
  BLO_CHECK_GO(p->ctx, c->n_classes >= 2 && c->n_classes <= SOFTMAX_MAX_CLASSES, BLO_E_DATA,
               "%s has %lld classes; a classifier needs 2 to %d", o->train.path,
               (long long)c->n_classes, SOFTMAX_MAX_CLASSES);
  BLO_GO(take_sets(p, o, train, test, c));
done:
  blo_source_close(&train);
  blo_source_close(&test);
  return status;
}

static blo_status make_models(blo_problem *p, classify *c)
{
  int isa = blo_isa_agree(p->comm);

  for (int part = 0; part < N_CLASSIFY_PARTS; part++) {
    softmax *m = &c->model[part];
    if (c->set[part] != NULL) {
      blo_features_init(&m->features, c->set[part]->own, c->scaling, c->n_classes, isa);
      m->set = c->set[part];
    }
  }
  p->n_packed = blo_features_packed_size(&c->model[PART_TRAIN].features);
  BLO_TRY_ALL(p->comm, blo_alloc(p->ctx, p->n_packed, sizeof(double), &c->packed_y));
  BLO_TRY_ALL(p->comm, blo_alloc(p->ctx, p->n_packed, sizeof(double), &c->packed_v));
  for (int part = 0; part < N_CLASSIFY_PARTS; part++) {
    c->model[part].packed_y = c->packed_y;
    c->model[part].packed_v = c->packed_v;
  }
  return BLO_OK;
}

blo_status classify_setup(blo_problem *p, const classify_options *o, classify *c)
{
  BLO_TRY(blo_shards_check(p->comm, o->shards));
  BLO_TRY(load_sets(p, o, c));
  BLO_TRY(blo_scaling_create(c->set[PART_TRAIN], (blo_scaling_kind)o->scaling, &c->scaling));
  BLO_TRY(make_models(p, c));
  p->n_y = c->n_classes * (c->n_features + 1);
  p->n_lower = c->set[PART_TRAIN]->n;
  p->n_upper = c->set[PART_VAL]->n;
  p->n_shards = o->shards;
  p->cache_per_sample = softmax_cache_size(c->n_classes);
  for (int part = 0; part < N_CLASSIFY_PARTS; part++) {
    if (c->set[part] != NULL) {
      p->fingerprint = p->fingerprint * 31 + blo_set_fingerprint(c->set[part]);
    }
  }
  return BLO_OK;
}

void classify_teardown(blo_problem *p, classify *c)
{
  for (int part = 0; part < N_CLASSIFY_PARTS; part++) {
    blo_set_destroy(&c->set[part]);
  }
  blo_scaling_destroy(p->ctx, &c->scaling);
  blo_free(p->ctx, &c->packed_y);
  blo_free(p->ctx, &c->packed_v);
}

void classify_start(const blo_problem *p, const blo_slice *x, const blo_slice *y)
{
  const classify_base *o = p->options;

  for (blo_int i = 0; i < x->n; i++) {
    x->data[i] = o->x0;
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
    blo_features_pack(f, at->v[0], c->packed_v);
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
  if (c->set[PART_TEST] != NULL) {
    softmax_score(&c->model[PART_TEST], shard, sums);
  }
  softmax_score(&c->model[PART_VAL], shard, sums + 2);
}

void classify_metrics(const classify *c, const double *sums, double *values)
{
  double n_test = c->set[PART_TEST] != NULL ? (double)c->set[PART_TEST]->n : (double)NAN;
  double n_val = (double)c->set[PART_VAL]->n;

  values[0] = sums[1] / n_test;
  values[1] = sums[0] / n_test;
  values[2] = sums[3] / n_val;
  values[3] = sums[2] / n_val;
}

/** @file Loading the data of the built-in problems; see samples.h. */
#include "samples.h"

/* More classes than this are refused: rows of outputs live on the stack. */
enum { CLASSES_MAX = 256 };

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
    BLO_OPT(blo_source_spec, n_classes, "0", 0, CLASSES_MAX, "classes",
            "labels must be 0..n_classes-1; 0 = the distinct labels found, in ascending order", "",
            0),
};

const blo_opt_table blo_source_table =
    BLO_OPT_TABLE("source", "where samples come from", blo_source_spec, source_rows);

typedef enum split_kind { SPLIT_RANDOM, SPLIT_ORDERED } split_kind;
static const char *const split_names[] = {"random", "ordered", NULL};

static const blo_opt_row rows[] = {
    BLO_OPT(blo_data_options, n_train, "0", 0, 1e12, "samples",
            "training samples, from the training source; 0 = what n_val (and n_test) leave", "", 0),
    BLO_OPT(blo_data_options, n_val, NULL, 1, 1e12, "samples",
            "validation samples, from the training source, disjoint from the training samples", "",
            BLO_OPT_REQUIRED),
    BLO_OPT(blo_data_options, n_test, "0", 0, 1e12, "samples",
            "test samples: the first ones of the test source, 0 = all of it; without a test source "
            "they come from the training source, 0 = none",
            "", 0),
    BLO_OPT(blo_data_options, shards, "64", 1, 1 << 20, "shards",
            "logical shards, a power of two: the most ranks that can be used; results depend on "
            "it, not on the number of ranks",
            "", 0),
    BLO_OPT(blo_data_options, seed, "1", 0, 9007199254740992.0, "-",
            "seed of the split and of the corruption", "", 0),
    BLO_OPT_NAMES(
        blo_data_options, split, "random", split_names,
        "which samples of the training source are taken: a random permutation, or file order", "",
        0),
    BLO_OPT_NAMES(blo_data_options, scaling, "standard", blo_scaling_names,
                  "of the features, found on the training samples", "", 0),
};

static const blo_opt_sub subs[] = {
    {"train", offsetof(blo_data_options, train), &blo_source_table},
    {"test", offsetof(blo_data_options, test), &blo_source_table},
};

const blo_opt_table blo_data_table = BLO_OPT_TABLE_WITH(
    "data", "training, validation and test samples", blo_data_options, rows, subs);

/** Sizes of the three sets, and whether the test set comes from the training source. */
typedef struct cut {
  blo_int n[N_PARTS];
  bool own_test;
} cut;

static blo_status find_cut(blo_context *ctx, const blo_data_options *o, const blo_source *train,
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
static blo_status order_rows(blo_context *ctx, const blo_data_options *o, blo_int n, bool random,
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

static blo_status take_sets(blo_problem *p, const blo_data_options *o, blo_source *train,
                            blo_source *test, samples *s)
{
  blo_status status = BLO_OK;
  blo_int *order = NULL, *test_order = NULL, first = 0;
  cut k;

  BLO_TRY(find_cut(p->ctx, o, train, test, &k));
  BLO_GO_ALL(p->comm,
             order_rows(p->ctx, o, blo_source_n_rows(train), o->split == SPLIT_RANDOM, &order));
  for (int part = 0; part < N_PARTS; part++) {
    if (part == PART_TEST && (!k.own_test || k.n[part] == 0)) {
      break;
    }
    BLO_GO(blo_set_take(p->comm, train, order + first, k.n[part], o->shards, &s->set[part]));
    first += k.n[part];
  }
  if (test != NULL) {
    BLO_GO_ALL(p->comm, order_rows(p->ctx, o, blo_source_n_rows(test), false, &test_order));
    BLO_GO(blo_set_take(p->comm, test, test_order, k.n[PART_TEST], o->shards, &s->set[PART_TEST]));
  }
done:
  blo_free(p->ctx, &order);
  blo_free(p->ctx, &test_order);
  return status;
}

static blo_status load_sets(blo_problem *p, const blo_data_options *o, samples *s)
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
  s->n_features = blo_source_n_features(train);
  s->n_classes = blo_source_n_classes(train);
  s->n_tokens = blo_source_n_tokens(train);
  s->sparse = blo_source_is_sparse(train);
  BLO_CHECK_GO(p->ctx, s->n_classes >= 2 && s->n_classes <= CLASSES_MAX, BLO_E_DATA,
               "%s has %lld classes; a classifier needs 2 to %d", o->train.path,
               (long long)s->n_classes, CLASSES_MAX);
  BLO_GO(take_sets(p, o, train, test, s));
done:
  blo_source_close(&train);
  blo_source_close(&test);
  return status;
}

blo_status samples_load(blo_problem *p, const blo_data_options *o, samples *s)
{
  BLO_TRY(blo_shards_check(p->comm, o->shards));
  BLO_TRY(load_sets(p, o, s));
  BLO_TRY(blo_scaling_create(s->set[PART_TRAIN], (blo_scaling_kind)o->scaling, &s->scaling));
  p->n_lower = s->set[PART_TRAIN]->n;
  p->n_upper = s->set[PART_VAL]->n;
  p->n_shards = o->shards;
  for (int part = 0; part < N_PARTS; part++) {
    if (s->set[part] != NULL) {
      p->fingerprint = p->fingerprint * 31 + blo_set_fingerprint(s->set[part]);
    }
  }
  return BLO_OK;
}

void samples_free(blo_problem *p, samples *s)
{
  for (int part = 0; part < N_PARTS; part++) {
    blo_set_destroy(&s->set[part]);
  }
  blo_scaling_destroy(p->ctx, &s->scaling);
}

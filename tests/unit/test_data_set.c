/**
 * @file Sets and scalings: that each rank has exactly the rows asked for, from every kind of
 * source, and that what is computed from a set does not depend on the number of ranks. The same set
 * on one rank alone (MPI_COMM_SELF) is the reference.
 */
#include "test_data_files.h"
#include <blo/random.h>
#include <math.h>
#include <stdlib.h>

enum { N = 3001, D = 403, SHARDS = 16 };

/** Feature k of row i of the files made here; features 0 and 1 are constant. */
static double value_of(blo_int i, blo_int k)
{
  return k == 0 ? 0.1 : k == 1 ? 0 : sin((double)(i * D + k)) * (double)(k % 7 + 1) + 1e3;
}

static int label_of(blo_int i)
{
  return (int)(i * i % 5) - 1;
}

/** Doubles as an IDX pair; all N are 9.7 MB: several messages to each of up to 4 ranks. */
static blo_source_spec write_dense(blo_comm *comm, blo_int n)
{
  unsigned char *bytes = malloc((size_t)(16 + 8 * n * D));
  idx_bytes b = {bytes, 0};
  blo_source_spec spec = {0};

  idx_header(&b, 0x0E, (uint32_t)n, D, 0);
  for (blo_int i = 0; i < n * D; i++) {
    double value = value_of(i / D, i % D);
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    idx_put(&b, bits, 8);
  }
  spec.path = data_write(comm, "images", bytes, b.n, false);
  idx_header(&b, 0x09, (uint32_t)n, 0, 0);
  for (blo_int i = 0; i < n; i++) {
    idx_put(&b, (uint64_t)(int64_t)label_of(i), 1);
  }
  spec.labels = data_write(comm, "labels", bytes, b.n, false);
  free(bytes);
  return spec;
}

/** Row i has i % 4 entries, among them always one in column i % D. */
static blo_source_spec write_sparse(blo_comm *comm)
{
  char *text = malloc(64 * N);
  size_t used = 0;

  for (blo_int i = 0; i < N; i++) {
    used += (size_t)sprintf(text + used, "%d", label_of(i));
    for (blo_int j = 0; j < i % 4; j++) {
      used +=
          (size_t)sprintf(text + used, " %d:%.17g", (int)(i % D + 1 + j * D), value_of(i, j + 2));
    }
    text[used++] = '\n';
  }
  blo_source_spec spec = {.path = data_write(comm, "svm", text, used, false)};
  free(text);
  return spec;
}

/** The same samples as an HDF5 file. */
static blo_source_spec convert(blo_comm *comm, const blo_source_spec *spec)
{
  static const char *const names[] = {"all"};
  blo_source_spec converted = {.path = data_path(comm, "set.h5"), .group = "all"};
  blo_context *ctx = blo_comm_context(comm);
  blo_status status = BLO_OK;
  blo_table *t = NULL;

  if (blo_comm_rank(comm) == 0) {
    status = blo_table_read(ctx, spec, NULL, &t);
    status = status != BLO_OK
                 ? status
                 : blo_table_write(ctx, converted.path, 1, names, &(const blo_table *){t});
    blo_table_destroy(ctx, &t);
  }
  BLO_REQUIRE_STATUS(blo_agree(comm, status), BLO_OK);
  return converted;
}

/** A random selection of two thirds, in random order, with one row twice. */
static blo_int *select_rows(blo_int *n)
{
  blo_int *rows = malloc(N * sizeof *rows);

  blo_stream_permutation((blo_stream){3, BLO_PURPOSE_TEST}, 0, N, rows);
  *n = 2 * N / 3;
  rows[*n - 1] = rows[0];
  return rows;
}

static blo_set *take(blo_comm *comm, const blo_source_spec *spec, const blo_int *rows, blo_int n)
{
  blo_source *source = NULL;
  blo_set *set = NULL;

  BLO_REQUIRE_STATUS(blo_source_open(comm, spec, NULL, &source), BLO_OK);
  BLO_EXPECT_ALL(blo_source_n_rows(source) == N && blo_source_n_classes(source) == 3);
  BLO_REQUIRE_STATUS(blo_set_take(comm, source, rows, n, SHARDS, &set), BLO_OK);
  blo_source_close(&source);
  return set;
}

/** This rank's samples are those that the files were made of, in the set's order. */
static bool has_rows(const blo_set *set, const blo_int *rows)
{
  const blo_table *t = set->own;
  bool same = true;

  for (blo_int i = 0; i < t->n_rows && same; i++) {
    blo_int row = rows[set->first + i];
    same = data_label(t, i) == label_of(row);
    for (blo_int k = 0; k < D && same && !t->sparse; k++) {
      same = data_value(t, i, k) == value_of(row, k);
    }
    same = same && (!t->sparse || t->row_start[i + 1] - t->row_start[i] == row % 4);
    for (blo_int j = 0; t->sparse && j < row % 4 && same; j++) {
      same = t->column[t->row_start[i] + j] == row % D + j * D &&
             data_value(t, i, row % D + j * D) == value_of(row, j + 2);
    }
  }
  return same;
}

static void expect_set(blo_comm *comm, const blo_source_spec *spec)
{
  blo_int n, *rows = select_rows(&n);
  blo_set *set = take(comm, spec, rows, n);
  blo_int first = blo_shard_begin(n, SHARDS, set->first_shard);
  blo_int end = blo_shard_begin(n, SHARDS, set->end_shard);

  BLO_EXPECT_ALL(set->n == n && set->first == first && set->own->n_rows == end - first);
  BLO_EXPECT_ALL(blo_sum_all(comm, set->own->n_rows) == n);
  BLO_EXPECT_ALL(blo_set_offset(set, set->first_shard) == 0);
  BLO_EXPECT_ALL(blo_set_offset(set, set->end_shard) == set->own->n_rows);
  BLO_EXPECT_ALL(has_rows(set, rows));
  blo_set_destroy(&set);
  free(rows);
}

static void ranks_have_exactly_their_rows(blo_comm *comm)
{
  blo_source_spec spec = write_dense(comm, N), converted = convert(comm, &spec);

  expect_set(comm, &spec);
  expect_set(comm, &converted);
  spec = write_sparse(comm);
  converted = convert(comm, &spec);
  expect_set(comm, &spec);
  expect_set(comm, &converted);
}

/** A test source follows the classes of the training source. */
static void sources_share_classes(blo_comm *comm)
{
  blo_source_spec train = {.path = data_write_text(comm, "train", "3 1:1\n9 5:1\n")};
  blo_source_spec test = {.path = data_write_text(comm, "test", "9 2:1\n9 1:1\n")};
  blo_source_spec wrong = {.path = data_write_text(comm, "wrong", "9 2:1\n4 1:1\n")};
  blo_source *a = NULL, *b = NULL;
  blo_set *set = NULL;
  blo_int rows[8] = {1, 0, 1, 0, 1, 0, 1, 0};

  BLO_REQUIRE_STATUS(blo_source_open(comm, &train, NULL, &a), BLO_OK);
  BLO_REQUIRE_STATUS(blo_source_open(comm, &test, a, &b), BLO_OK);
  BLO_EXPECT_ALL(blo_source_n_classes(b) == 2 && blo_source_n_features(b) == 5);
  BLO_EXPECT_ALL(blo_source_is_sparse(b));
  BLO_EXPECT_STATUS(blo_set_take(comm, b, rows, 8, 8, &set), BLO_OK);
  BLO_EXPECT_ALL(set->own->label[0] == 1 && set->own->class_value[1] == 9);
  blo_set_destroy(&set);
  blo_source_close(&b);
  BLO_EXPECT_STATUS(blo_source_open(comm, &wrong, a, &b), BLO_E_DATA);
  BLO_EXPECT_ERROR_HAS("label 4 is not allowed: 3, 9");
  blo_source_close(&a);
}

static void impossible_sets_are_refused(blo_comm *comm)
{
  blo_source_spec spec = {.path = data_write_text(comm, "train", "3 1:1\n9 5:1\n")};
  blo_source *source = NULL;
  blo_set *set = NULL;
  blo_int rows[8] = {1, 0, 1, 0, 1, 0, 1, 2};

  BLO_REQUIRE_STATUS(blo_source_open(comm, &spec, NULL, &source), BLO_OK);
  BLO_EXPECT_STATUS(blo_set_take(comm, source, rows, 7, 8, &set), BLO_E_DATA);
  BLO_EXPECT_ERROR_HAS("7 samples");
  BLO_EXPECT_ERROR_HAS("8 shards: lower the option problem.data.shards");
  BLO_EXPECT_STATUS(blo_set_take(comm, source, rows, 8, 8, &set), BLO_E_DATA);
  BLO_EXPECT_ERROR_HAS("sample 2 of");
  BLO_EXPECT_STATUS(blo_set_take(comm, source, rows, 7, 6, &set), BLO_E_OPTION);
  blo_source_close(&source);
  spec.path = data_path(comm, "nothing");
  BLO_EXPECT_STATUS(blo_source_open(comm, &spec, NULL, &source), BLO_E_IO);
  BLO_EXPECT_ERROR_HAS("No such file");
}

/* ------------------------------------------------------------ fingerprints */

/** Fingerprints of a set on all ranks together, and on this rank alone. */
static void expect_one_fingerprint(blo_comm *comm, blo_comm *alone, const blo_source_spec *spec)
{
  blo_int n, *rows = select_rows(&n);
  blo_set *set = take(comm, spec, rows, n), *whole = take(alone, spec, rows, n);
  uint64_t here = blo_set_fingerprint(set), there = blo_set_fingerprint(whole);

  BLO_EXPECT_ALL(here == there);
  BLO_EXPECT_SAME_BYTES(&here, sizeof here);
  blo_set_destroy(&set);
  blo_set_destroy(&whole);
  free(rows);
}

static blo_comm *make_alone(blo_comm *comm)
{
  blo_comm *alone = NULL;

  BLO_REQUIRE_STATUS(blo_comm_create(blo_comm_context(comm), MPI_COMM_SELF, &alone), BLO_OK);
  return alone;
}

static void fingerprints_do_not_know_the_ranks(blo_comm *comm)
{
  blo_comm *alone = make_alone(comm);
  blo_source_spec dense = write_dense(comm, N), sparse = write_sparse(comm);

  expect_one_fingerprint(comm, alone, &dense);
  expect_one_fingerprint(comm, alone, &sparse);
  blo_comm_destroy(&alone);
}

/** The fingerprint of a set of eight rows of a text. */
static uint64_t fingerprint_of(blo_comm *comm, const char *text, const blo_int rows[8])
{
  blo_source_spec spec = {.path = data_write_text(comm, "print", text), .label_column = -1};
  blo_source *source = NULL;
  blo_set *set = NULL;
  uint64_t print;

  BLO_REQUIRE_STATUS(blo_source_open(comm, &spec, NULL, &source), BLO_OK);
  BLO_REQUIRE_STATUS(blo_set_take(comm, source, rows, 8, 8, &set), BLO_OK);
  print = blo_set_fingerprint(set);
  blo_source_close(&source);
  blo_set_destroy(&set);
  return print;
}

static void fingerprints_tell_sets_apart(blo_comm *comm)
{
  static const blo_int rows[8] = {0, 1, 2, 3, 0, 1, 2, 3}, other[8] = {1, 0, 2, 3, 0, 1, 2, 3};
  static const char *const texts[] = {
      "1,2,0\n3,4,1\n5,6,0\n7,8,1\n", "1,2,0\n3,4,1\n5,6,0\n7,9,1\n",
      "1,2,0\n3,4,1\n5,6,0\n7,8,0\n", "1,2,0\n3,4,5\n5,6,0\n7,8,5\n",
      "0 1:1\n1 2:1\n0 2:2\n1 1:2\n", "0 1:1\n1 1:1\n0 2:2\n1 1:2\n"};
  uint64_t print[7];
  bool distinct = true;

  for (size_t i = 0; i < 6; i++) {
    print[i] = fingerprint_of(comm, texts[i], rows);
  }
  print[6] = fingerprint_of(comm, texts[0], other);
  for (size_t i = 0; i < 7; i++) {
    for (size_t j = 0; j < i; j++) {
      distinct = distinct && print[i] != print[j];
    }
  }
  BLO_EXPECT_ALL(distinct && print[0] == fingerprint_of(comm, texts[0], rows));
}

/* ----------------------------------------------------------------- scaling */

static double near(double got, long double want)
{
  return fabs((double)((long double)got - want)) / (1e-300 + fabs((double)want));
}

/** Mean and standard deviation of feature k over the rows asked for, in long double. */
static void moments(const blo_int *rows, blo_int n, blo_int k, long double *mean, long double *sd)
{
  long double sum = 0, square = 0;

  for (blo_int i = 0; i < n; i++) {
    sum += (long double)value_of(rows[i], k);
  }
  *mean = sum / n;
  for (blo_int i = 0; i < n; i++) {
    long double deviation = (long double)value_of(rows[i], k) - *mean;
    square += deviation * deviation;
  }
  *sd = sqrtl(square / n);
}

static bool same_scaling(const blo_scaling *a, const blo_scaling *b)
{
  size_t bytes = (size_t)a->n_features * sizeof(double);

  return a->n_features == b->n_features && memcmp(a->shift, b->shift, bytes) == 0 &&
         memcmp(a->scale, b->scale, bytes) == 0;
}

static void expect_same_alone(blo_comm *comm, const blo_source_spec *spec, const blo_int *rows,
                              blo_int n, blo_scaling_kind kind, const blo_scaling *scaling)
{
  blo_comm *alone = make_alone(comm);
  blo_set *whole = take(alone, spec, rows, n);
  blo_scaling *reference = NULL;

  BLO_EXPECT_STATUS(blo_scaling_create(whole, kind, &reference), BLO_OK);
  BLO_EXPECT_ALL(same_scaling(scaling, reference));
  blo_scaling_destroy(blo_comm_context(comm), &reference);
  blo_set_destroy(&whole);
  blo_comm_destroy(&alone);
}

static void standard_scaling_is_that_of_the_moments(blo_comm *comm)
{
  blo_int n, *rows = select_rows(&n);
  blo_source_spec spec = write_dense(comm, N);
  blo_set *set = take(comm, &spec, rows, n);
  blo_scaling *s = NULL;
  long double mean, sd;
  double worst = 0;

  BLO_REQUIRE_STATUS(blo_scaling_create(set, BLO_SCALING_STANDARD, &s), BLO_OK);
  BLO_EXPECT_ALL(s->shift[0] == 0.1 && s->scale[0] == 0 && s->shift[1] == 0 && s->scale[1] == 0);
  for (blo_int k = 2; k < D; k++) {
    moments(rows, n, k, &mean, &sd);
    worst = fmax(worst, fmax(near(s->shift[k], mean), near(s->scale[k], 1 / sd)));
  }
  BLO_EXPECT_NEAR(worst, 0, 0, 1e-14, "moments in long double");
  expect_same_alone(comm, &spec, rows, n, BLO_SCALING_STANDARD, s);
  blo_scaling_destroy(blo_comm_context(comm), &s);
  blo_set_destroy(&set);
  free(rows);
}

static void sparse_scaling_is_that_of_the_mean_square(blo_comm *comm)
{
  blo_int n, *rows = select_rows(&n);
  blo_source_spec spec = write_sparse(comm);
  blo_set *set = take(comm, &spec, rows, n);
  blo_scaling *s = NULL;
  long double square[3 * D] = {0};
  double worst = 0;

  BLO_REQUIRE_STATUS(blo_scaling_create(set, BLO_SCALING_STANDARD, &s), BLO_OK);
  for (blo_int i = 0; i < n; i++) {
    for (blo_int j = 0; j < rows[i] % 4; j++) {
      long double value = (long double)value_of(rows[i], j + 2);
      square[rows[i] % D + j * D] += value * value;
    }
  }
  for (blo_int k = 0; k < s->n_features; k++) {
    long double want = square[k] > 0 ? 1 / sqrtl(square[k] / n) : 0;
    worst = fmax(worst, s->shift[k] != 0 ? 1 : near(s->scale[k], want));
  }
  BLO_EXPECT_NEAR(worst, 0, 0, 1e-14, "mean squares in long double");
  expect_same_alone(comm, &spec, rows, n, BLO_SCALING_STANDARD, s);
  blo_scaling_destroy(blo_comm_context(comm), &s);
  blo_set_destroy(&set);
  free(rows);
}

static void other_scalings_are_one_factor(blo_comm *comm)
{
  blo_int n, *rows = select_rows(&n);
  blo_source_spec spec = write_dense(comm, N);
  blo_set *set = take(comm, &spec, rows, n);
  blo_scaling *unit = NULL, *none = NULL;
  double largest = 0;

  for (blo_int i = 0; i < n; i++) {
    for (blo_int k = 0; k < D; k++) {
      largest = fmax(largest, fabs(value_of(rows[i], k)));
    }
  }
  BLO_REQUIRE_STATUS(blo_scaling_create(set, BLO_SCALING_UNIT, &unit), BLO_OK);
  BLO_REQUIRE_STATUS(blo_scaling_create(set, BLO_SCALING_NONE, &none), BLO_OK);
  for (blo_int k = 0; k < D; k += D - 1) {
    BLO_EXPECT_ALL(unit->shift[k] == 0 && unit->scale[k] == 1 / largest);
    BLO_EXPECT_ALL(none->shift[k] == 0 && none->scale[k] == 1);
  }
  blo_scaling_destroy(blo_comm_context(comm), &unit);
  blo_scaling_destroy(blo_comm_context(comm), &none);
  blo_set_destroy(&set);
  free(rows);
}

static void values_too_large_to_scale_are_refused(blo_comm *comm)
{
  static const blo_int rows[4] = {0, 1, 2, 3};
  blo_source_spec spec = {
      .path = data_write_text(comm, "huge", "1,1e200,0\n1,2,1\n1,-1e200,0\n1,3,1\n"),
      .label_column = -1};
  blo_source *source = NULL;
  blo_set *set = NULL;
  blo_scaling *s = NULL;

  BLO_REQUIRE_STATUS(blo_source_open(comm, &spec, NULL, &source), BLO_OK);
  BLO_REQUIRE_STATUS(blo_set_take(comm, source, rows, 4, 4, &set), BLO_OK);
  BLO_EXPECT_STATUS(blo_scaling_create(set, BLO_SCALING_STANDARD, &s), BLO_E_DATA);
  BLO_EXPECT_ERROR_HAS("feature 1 (from 0) cannot be standardised");
  blo_set_destroy(&set);
  blo_source_close(&source);
}

/* ------------------------------------------------------------------ faults */

static blo_status use_source(blo_comm *comm, void *arg)
{
  static const blo_int rows[8] = {1, 0, 1, 0, 1, 0, 1, 0};
  blo_status status = BLO_OK;
  blo_source *source = NULL;
  blo_set *set = NULL;
  blo_scaling *scaling = NULL;

  BLO_GO(blo_source_open(comm, arg, NULL, &source));
  BLO_GO(blo_set_take(comm, source, rows, 8, 8, &set));
  BLO_GO(blo_scaling_create(set, BLO_SCALING_STANDARD, &scaling));
done:
  blo_scaling_destroy(blo_comm_context(comm), &scaling);
  blo_set_destroy(&set);
  blo_source_close(&source);
  return status;
}

static void every_failure_is_everybodys(blo_comm *comm)
{
  blo_source_spec csv = {.path = data_write_text(comm, "csv", "1,2,0\n3,4.5,1\n"),
                         .label_column = -1};
  blo_source_spec svm = {.path = data_write_text(comm, "svm", "1 1:2\n2 2:1\n")};
  blo_source_spec dense = write_dense(comm, 2), hdf5;

  BLO_EXPECT_ALL(blo_test_sweep_faults(comm, use_source, &csv) > 10);
  BLO_EXPECT_ALL(blo_test_sweep_faults(comm, use_source, &svm) > 10);
  BLO_EXPECT_ALL(blo_test_sweep_faults(comm, use_source, &dense) > 10);
  hdf5 = convert(comm, &svm);
  BLO_EXPECT_ALL(blo_test_sweep_faults(comm, use_source, &hdf5) > 10);
  hdf5 = convert(comm, &csv);
  BLO_EXPECT_ALL(blo_test_sweep_faults(comm, use_source, &hdf5) > 10);
}

static const blo_test tests[] = {
    {"exactly the rows asked for", ranks_have_exactly_their_rows},
    {"classes of another source", sources_share_classes},
    {"impossible sets", impossible_sets_are_refused},
    {"fingerprints and ranks", fingerprints_do_not_know_the_ranks},
    {"fingerprints tell sets apart", fingerprints_tell_sets_apart},
    {"standard scaling", standard_scaling_is_that_of_the_moments},
    {"sparse scaling", sparse_scaling_is_that_of_the_mean_square},
    {"other scalings", other_scalings_are_one_factor},
    {"values too large", values_too_large_to_scale_are_refused},
    {"faults", every_failure_is_everybodys},
};

BLO_TEST_MAIN("data, sets", tests)

/** @file Reading IDX, LIBSVM and CSV files: what is in them, and what is wrong with them. */
#include "test_data_files.h"
#include <blo/random.h>
#include <math.h>
#include <stdlib.h>

/** Read a text as a file of a format; NULL if that fails. */
static blo_table *read_spec(blo_comm *comm, const blo_source_spec *spec)
{
  blo_table *t = NULL;

  BLO_EXPECT_STATUS(blo_table_read(blo_comm_context(comm), spec, NULL, &t), BLO_OK);
  return t;
}

static blo_table *read_text(blo_comm *comm, const char *text, int format, blo_int label_column)
{
  blo_source_spec spec = {
      .path = data_write_text(comm, "text", text), .format = format, .label_column = label_column};
  blo_table *t = read_spec(comm, &spec);

  BLO_REQUIRE_ALL(t != NULL);
  return t;
}

/** A text that must be refused, with a message that names what is wrong. */
typedef struct refusal {
  const char *text;
  blo_status status;
  const char *message;
} refusal;

static void expect_refusals(blo_comm *comm, int format, const refusal *list, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    blo_source_spec spec = {
        .path = data_write_text(comm, "text", list[i].text), .format = format, .label_column = -1};
    blo_table *t = NULL;
    BLO_EXPECT_STATUS(blo_table_read(blo_comm_context(comm), &spec, NULL, &t), list[i].status);
    BLO_EXPECT_ERROR_HAS(list[i].message);
    BLO_EXPECT_ERROR_HAS(spec.path);
    blo_table_destroy(blo_comm_context(comm), &t);
  }
}

/* -------------------------------------------------------------------- CSV */

static void csv_of_any_delimiter_is_read(blo_comm *comm)
{
  static const char *const texts[] = {
      "a,\"b\",label\n1.5,-2,7\n\n# comment\n3,4e1,-1\n.25,1E-3,7\n",
      "1.5;-2;7\n3;4e1;-1\n.25;1E-3;7", "1.5\t-2\t7\r\n3\t4e1\t-1\r\n.25\t1E-3\t7\r\n",
      "  1.5  -2   7 \n3 4e1 -1\n.25 1E-3 7\n", "1.5, -2 ,7\n3,4e1,-1.0\n.25,+1E-3,7e0\n"};
  static const double want[3][2] = {{1.5, -2}, {3, 40}, {.25, .001}};

  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    blo_table *t = read_text(comm, texts[i], BLO_FORMAT_AUTO, -1);
    BLO_REQUIRE_ALL(t->n_rows == 3 && t->n_features == 2 && t->n_classes == 2);
    BLO_EXPECT_ALL(!t->sparse && t->storage == BLO_F64 && t->ld == 8);
    for (blo_int r = 0; r < 3; r++) {
      BLO_EXPECT_ALL(data_value(t, r, 0) == want[r][0] && data_value(t, r, 1) == want[r][1]);
      BLO_EXPECT_ALL(data_label(t, r) == (r == 1 ? -1 : 7));
    }
    BLO_EXPECT_ALL(t->class_value[0] == -1 && t->class_value[1] == 7);
    blo_table_destroy(blo_comm_context(comm), &t);
  }
}

static void csv_label_column_counts_from_both_ends(blo_comm *comm)
{
  blo_table *first = read_text(comm, "3,10,20\n4,30,40\n", BLO_FORMAT_CSV, 0);
  blo_table *middle = read_text(comm, "3,10,20\n4,30,40\n", BLO_FORMAT_CSV, -2);

  BLO_EXPECT_ALL(data_label(first, 1) == 4 && data_value(first, 1, 0) == 30);
  BLO_EXPECT_ALL(data_label(middle, 1) == 30 && data_value(middle, 1, 1) == 40);
  blo_table_destroy(blo_comm_context(comm), &first);
  blo_table_destroy(blo_comm_context(comm), &middle);
}

static void csv_takes_8_bits_as_long_as_they_do(blo_comm *comm)
{
  blo_table *small = read_text(comm, "0,255,1\n7,8,0\n", BLO_FORMAT_CSV, -1);
  blo_table *large = read_text(comm, "0,255,1\n7,256,0\n", BLO_FORMAT_CSV, -1);
  blo_table *minus = read_text(comm, "0,255,1\n7,-0.0,0\n", BLO_FORMAT_CSV, -1);
  bool rest_is_zero = true;

  BLO_EXPECT_ALL(small->storage == BLO_U8 && small->ld == 8);
  BLO_EXPECT_ALL(large->storage == BLO_F64 && data_value(large, 0, 1) == 255);
  BLO_EXPECT_ALL(data_value(large, 1, 1) == 256);
  BLO_EXPECT_ALL(minus->storage == BLO_F64 && signbit(data_value(minus, 1, 1)));
  for (blo_int k = 2; k < 8; k++) {
    rest_is_zero = rest_is_zero && data_value(small, 1, k) == 0 && data_value(large, 1, k) == 0;
  }
  BLO_EXPECT_ALL(rest_is_zero);
  blo_table_destroy(blo_comm_context(comm), &small);
  blo_table_destroy(blo_comm_context(comm), &large);
  blo_table_destroy(blo_comm_context(comm), &minus);
}

static void csv_damage_is_named(blo_comm *comm)
{
  static const refusal list[] = {
      {"", BLO_E_DATA, "no samples"},
      {"# only\n\n", BLO_E_DATA, "no samples"},
      {"a,b,c\n", BLO_E_DATA, "no samples"},
      {"1,2,0\n3,4\n", BLO_E_FORMAT, "line 2: 2 columns, but the lines before have 3"},
      {"1,2,0\n3,4,1,\n", BLO_E_FORMAT, "line 2: 4 columns"},
      {"1,2,0\n3,x,1\n", BLO_E_FORMAT, "line 2: column 1 (from 0), \"x\", is not a number"},
      {"1,2,0\n3,,1\n", BLO_E_FORMAT, "line 2: column 1"},
      {"1,2,0\n3,4z,1\n", BLO_E_FORMAT, "\"4z\""},
      {"1,2,0\n3,1e,1\n", BLO_E_FORMAT, "\"1e\""},
      {"1,2,0\n3,nan,1\n", BLO_E_DATA, "line 2: column 1 (from 0) is nan"},
      {"1,2,0\n-Inf,3,1\n", BLO_E_DATA, "line 2: column 0 (from 0) is -inf"},
      {"1,2,0\n1e999,3,1\n", BLO_E_DATA, "is inf"},
      {"nan,2,0\n1,3,1\n", BLO_E_DATA, "line 1: column 0 (from 0) is nan"},
      {"1x,2,0\n1,3,1\n", BLO_E_FORMAT, "line 1"},
      {"1,2,0.5\n", BLO_E_DATA, "line 1: label 0.5 is not an integer"},
      {"1,2,3000000000\n", BLO_E_DATA, "label 3000000000 is not an integer of 32 bits"},
      {"1\n2\n", BLO_E_FORMAT, "one column only"}};

  expect_refusals(comm, BLO_FORMAT_CSV, list, sizeof list / sizeof *list);
}

static void binary_in_a_text_is_refused(blo_comm *comm)
{
  blo_source_spec spec = {.path = data_write(comm, "text", "1,2,0\n1,\0,1\n", 12, false),
                          .format = BLO_FORMAT_CSV};
  blo_table *t = NULL;

  BLO_EXPECT_STATUS(blo_table_read(blo_comm_context(comm), &spec, NULL, &t), BLO_E_FORMAT);
  BLO_EXPECT_ERROR_HAS("line 2: a byte 0");
}

static void label_column_must_exist(blo_comm *comm)
{
  blo_source_spec spec = {.path = data_write_text(comm, "text", "1,2,0\n"),
                          .format = BLO_FORMAT_CSV,
                          .label_column = 3};
  blo_table *t = NULL;

  BLO_EXPECT_STATUS(blo_table_read(blo_comm_context(comm), &spec, NULL, &t), BLO_E_OPTION);
  BLO_EXPECT_ERROR_HAS("-3..2, not 3");
}

/** Texts of numbers of all sizes and forms; strtod() is the reference. */
static void numbers_are_rounded_as_strtod_does(blo_comm *comm)
{
  enum { N = 3000, TEXT = 40 };
  static const char *const forms[] = {"%.17g", "%.6f", "%.15g", "%.3e", "%.16g", "%.0f"};
  blo_stream stream = {7, BLO_PURPOSE_TEST};
  char(*number)[TEXT] = malloc(N * sizeof *number), *text = malloc(N * (TEXT + 4));
  size_t used = 0;
  bool same = true;

  for (uint64_t i = 0; i < N; i++) {
    double size = pow(10, 24 * blo_stream_uniform(stream, 0, 0, i) - 12);
    double value = size * blo_stream_normal(stream, 1, 0, i);
    const char *form = forms[i % (sizeof forms / sizeof *forms)];
    snprintf(number[i], TEXT, form, value);
    used += (size_t)sprintf(text + used, "%s,0\n", number[i]);
  }
  blo_table *t = read_text(comm, text, BLO_FORMAT_CSV, 1);
  for (blo_int i = 0; i < N && t->n_rows == N; i++) {
    double got = data_value(t, i, 0), want = strtod(number[i], NULL);
    same = same && memcmp(&got, &want, sizeof got) == 0;
  }
  BLO_EXPECT_ALL(t->n_rows == N && same);
  blo_table_destroy(blo_comm_context(comm), &t);
  free(text);
  free(number);
}

/* ----------------------------------------------------------------- LIBSVM */

static const char svm_text[] = "# a comment\n+1 1:0.5 3:-2e1 # more\n\n-1.0\n1 2:0 7:1\n";

static void expect_svm(blo_comm *comm, const blo_table *t, blo_int n_features)
{
  BLO_REQUIRE_ALL(t->n_rows == 3 && t->sparse && t->n_features == n_features);
  BLO_EXPECT_ALL(t->row_start[1] == 2 && t->row_start[2] == 2 && t->row_start[3] == 4);
  BLO_EXPECT_ALL(data_value(t, 0, 0) == .5 && data_value(t, 0, 2) == -20);
  BLO_EXPECT_ALL(t->column[2] == 1 && t->column[3] == 6 && data_value(t, 2, 6) == 1);
  BLO_EXPECT_ALL(data_label(t, 0) == 1 && data_label(t, 1) == -1 && t->label[1] == 0);
  (void)comm;
}

static void libsvm_is_read_plain_and_compressed(blo_comm *comm)
{
  blo_source_spec spec = {.path = data_write_text(comm, "svm", svm_text)};
  blo_table *t = read_spec(comm, &spec);

  expect_svm(comm, t, 7);
  blo_table_destroy(blo_comm_context(comm), &t);
  spec.path = data_write(comm, "svm.gz", svm_text, strlen(svm_text), true);
  spec.n_features = 9;
  t = read_spec(comm, &spec);
  expect_svm(comm, t, 9);
  blo_table_destroy(blo_comm_context(comm), &t);
}

static void libsvm_damage_is_named(blo_comm *comm)
{
  static const refusal list[] = {
      {"", BLO_E_DATA, "no samples"},
      {"1\n0\n", BLO_E_DATA, "no features"},
      {"1 1:2\nx 1:2\n", BLO_E_FORMAT, "line 2: \"x\" is not a label"},
      {"1,2 1:2\n", BLO_E_FORMAT, "line 1: \"1,2\" is not a label"},
      {"1.5 1:2\n", BLO_E_DATA, "label 1.5 is not an integer"},
      {"1 qid:3 1:2\n", BLO_E_FORMAT, "\"qid:3\" is not index:value"},
      {"1 1:2 3\n", BLO_E_FORMAT, "\"3\" is not index:value"},
      {"1 1:2 3:\n", BLO_E_FORMAT, "\"3:\" is not index:value"},
      {"1 1:2 3:4x\n", BLO_E_FORMAT, "\"3:4x\" is not index:value"},
      {"1 1:2\n0 0:1\n", BLO_E_DATA, "line 2: feature 0 is outside 1.."},
      {"1 99999999999999999999:1\n", BLO_E_DATA, "is outside 1..2147483647"},
      {"1 2:1 2:1\n", BLO_E_FORMAT, "feature 2 comes after feature 2"},
      {"1 2:1 1:1\n", BLO_E_FORMAT, "feature 1 comes after feature 2"},
      {"1 2:nan\n", BLO_E_DATA, "line 1: feature 2 is nan"},
      {"1 2:-inf\n", BLO_E_DATA, "line 1: feature 2 is -inf"}};

  expect_refusals(comm, BLO_FORMAT_LIBSVM, list, sizeof list / sizeof *list);
}

static void libsvm_features_beyond_the_given_number_are_refused(blo_comm *comm)
{
  blo_source_spec spec = {.path = data_write_text(comm, "svm", svm_text), .n_features = 6};
  blo_table *t = NULL;

  BLO_EXPECT_STATUS(blo_table_read(blo_comm_context(comm), &spec, NULL, &t), BLO_E_DATA);
  BLO_EXPECT_ERROR_HAS("line 5: feature 7 is outside 1..6");
}

/* -------------------------------------------------------------------- IDX */

/** The type codes with values that only the right decoding gives. */
static const struct {
  int type, bytes;
  blo_storage storage;
  double value[6];
} idx_types[] = {{0x08, 1, BLO_U8, {0, 1, 127, 128, 254, 255}},
                 {0x09, 1, BLO_F32, {0, 1, 127, -128, -1, 5}},
                 {0x0B, 2, BLO_F32, {0, 1, 32767, -32768, -1, 258}},
                 {0x0C, 4, BLO_F64, {0, 1, 2147483647, -2147483648.0, -1, 16909060}},
                 {0x0D, 4, BLO_F32, {0, 1, -0.375, 0x1.fffffep127, 0x1p-140, 3}},
                 {0x0E, 8, BLO_F64, {0, 1, -0.1, 1e300, 5e-324, 3}}};

static uint64_t bits_of(int type, double value)
{
  float single = (float)value;
  uint32_t bits32;
  uint64_t bits;

  if (type == 0x0E) {
    memcpy(&bits, &value, sizeof bits);
    return bits;
  }
  if (type == 0x0D) {
    memcpy(&bits32, &single, sizeof bits32);
    return bits32;
  }
  return (uint64_t)(int64_t)value;
}

/** Three samples of 1 x 2 values; labels of 4 bytes. */
static blo_source_spec write_idx(blo_comm *comm, size_t type, bool gzip)
{
  unsigned char bytes[128];
  idx_bytes b = {bytes, 0};
  blo_source_spec spec = {0};

  idx_header(&b, idx_types[type].type, 3, 1, 2);
  for (int k = 0; k < 6; k++) {
    idx_put(&b, bits_of(idx_types[type].type, idx_types[type].value[k]), idx_types[type].bytes);
  }
  spec.path = data_write(comm, "images", bytes, b.n, gzip);
  idx_header(&b, 0x0C, 3, 0, 0);
  idx_put(&b, 70000, 4);
  idx_put(&b, (uint64_t)-5, 4);
  idx_put(&b, 70000, 4);
  spec.labels = data_write(comm, "labels", bytes, b.n, gzip);
  return spec;
}

static void idx_of_every_type_is_read(blo_comm *comm)
{
  for (size_t type = 0; type < sizeof idx_types / sizeof *idx_types; type++) {
    blo_source_spec spec = write_idx(comm, type, type % 2 == 1);
    blo_table *t = read_spec(comm, &spec);
    BLO_REQUIRE_ALL(t != NULL && t->n_rows == 3 && t->n_features == 2 && t->ld == 8);
    BLO_EXPECT_ALL(t->storage == idx_types[type].storage && !t->sparse);
    for (blo_int k = 0; k < 6; k++) {
      BLO_EXPECT_ALL(data_value(t, k / 2, k % 2) == idx_types[type].value[k]);
    }
    BLO_EXPECT_ALL(data_label(t, 0) == 70000 && data_label(t, 1) == -5 && t->label[1] == 0);
    blo_table_destroy(blo_comm_context(comm), &t);
  }
}

/** Put damaged bytes in place of one of the two files and read: true if the status is `want`. */
static bool reads_as(blo_comm *comm, blo_source_spec spec, bool images, const unsigned char *bytes,
                     size_t n, blo_status want)
{
  char name[32];
  const char *path;
  blo_table *t = NULL;
  blo_status got;

  snprintf(name, sizeof name, "damaged%d", blo_comm_rank(comm));
  path = data_path(comm, name);
  if (!data_put(path, bytes, n, false)) {
    return false;
  }
  *(images ? &spec.path : &spec.labels) = path;
  spec.format = BLO_FORMAT_IDX;
  got = blo_table_read(blo_comm_context(comm), &spec, NULL, &t);
  blo_table_destroy(blo_comm_context(comm), &t);
  return got == want && strstr(blo_error_text(blo_comm_context(comm)), path) != NULL;
}

static void idx_truncated_anywhere_is_refused(blo_comm *comm)
{
  for (int variant = 0; variant < 4; variant++) {
    blo_source_spec spec = write_idx(comm, 4, variant % 2 == 1);
    bool images = variant < 2;
    unsigned char bytes[256];
    size_t n = data_get(images ? spec.path : spec.labels, bytes, sizeof bytes), wrong = 0;
    for (size_t cut = 0; cut < n; cut++) {
      wrong += !reads_as(comm, spec, images, bytes, cut, BLO_E_FORMAT);
    }
    BLO_EXPECT_MSG(n >= 20 && wrong == 0, "variant %d: %zu of %zu lengths", variant, wrong, n);
    BLO_EXPECT_ERROR_HAS("is truncated");
  }
}

static void idx_with_more_than_its_header_says_is_refused(blo_comm *comm)
{
  blo_source_spec spec = write_idx(comm, 0, false);
  unsigned char bytes[64] = {0};
  size_t n = data_get(spec.path, bytes, sizeof bytes);

  BLO_EXPECT_ALL(reads_as(comm, spec, true, bytes, n + 1, BLO_E_FORMAT));
  BLO_EXPECT_ERROR_HAS("more than the 3 samples of 2 values");
  n = data_get(spec.labels, bytes, sizeof bytes);
  BLO_EXPECT_ALL(reads_as(comm, spec, false, bytes, n + 1, BLO_E_FORMAT));
}

/** A header of 2^32 samples must not be believed: no memory is taken for them. */
static void idx_with_an_absurd_header_is_refused(blo_comm *comm)
{
  blo_source_spec spec = write_idx(comm, 0, false);
  unsigned char bytes[64];
  size_t n = data_get(spec.path, bytes, sizeof bytes);
  blo_int before = blo_memory(blo_comm_context(comm)).peak_bytes;

  for (size_t at = 4; at < 16; at++) {
    unsigned char was = bytes[at];
    bytes[at] = 0xff;
    BLO_EXPECT_MSG(reads_as(comm, spec, true, bytes, n, BLO_E_FORMAT), "header byte %zu", at);
    bytes[at] = was;
  }
  BLO_EXPECT_ALL(blo_memory(blo_comm_context(comm)).peak_bytes < before + (8 << 20));
  for (size_t at = 0; at < 4; at++) {
    bytes[at] ^= 0x40;
    BLO_EXPECT_MSG(reads_as(comm, spec, true, bytes, n, BLO_E_FORMAT), "header byte %zu", at);
    bytes[at] ^= 0x40;
  }
}

static void idx_files_that_do_not_belong_together_are_refused(blo_comm *comm)
{
  blo_source_spec spec = write_idx(comm, 0, false);
  unsigned char bytes[64];
  idx_bytes b = {bytes, 0};

  idx_header(&b, 0x08, 2, 0, 0);
  idx_put(&b, 1, 2);
  BLO_EXPECT_ALL(reads_as(comm, spec, false, bytes, b.n, BLO_E_DATA));
  BLO_EXPECT_ERROR_HAS("has 3 samples, but");
  BLO_EXPECT_ERROR_HAS("has 2 labels");
  BLO_EXPECT_ALL(reads_as(comm, spec, true, bytes, b.n, BLO_E_FORMAT));
  BLO_EXPECT_ERROR_HAS("is it the file of the labels?");
  spec.labels = "";
  BLO_EXPECT_ALL(blo_table_read(blo_comm_context(comm), &spec, NULL, &(blo_table *){NULL}) ==
                 BLO_E_OPTION);
}

static void idx_values_that_are_not_finite_are_refused(blo_comm *comm)
{
  blo_source_spec spec = write_idx(comm, 4, false);
  unsigned char bytes[64];
  size_t n = data_get(spec.path, bytes, sizeof bytes);

  bytes[n - 4] = 0x7f;
  bytes[n - 3] = 0xc0;
  BLO_EXPECT_ALL(reads_as(comm, spec, true, bytes, n, BLO_E_DATA));
  BLO_EXPECT_ERROR_HAS("sample 2: feature 1 (both from 0) is nan");
}

/** Every flipped bit of a compressed file is noticed, or was of no importance. */
static void gzip_with_a_flipped_bit_is_noticed(blo_comm *comm)
{
  blo_source_spec spec = {.path = data_write(comm, "svm.gz", svm_text, strlen(svm_text), true),
                          .format = BLO_FORMAT_LIBSVM};
  blo_table *whole = read_spec(comm, &spec);
  unsigned char bytes[256];
  size_t n = data_get(spec.path, bytes, sizeof bytes), wrong = 0, refused = 0;
  char name[32];

  snprintf(name, sizeof name, "damaged%d.gz", blo_comm_rank(comm));
  spec.path = data_path(comm, name);
  for (size_t bit = 0; bit < 8 * n; bit++) {
    blo_table *t = NULL;
    bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
    data_put(spec.path, bytes, n, false);
    if (blo_table_read(blo_comm_context(comm), &spec, NULL, &t) != BLO_OK) {
      refused++;
    } else {
      wrong += !data_equal(t, whole);
    }
    blo_table_destroy(blo_comm_context(comm), &t);
    bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
  }
  BLO_EXPECT_MSG(wrong == 0 && refused > 4 * n, "%zu bits: %zu silent, %zu refused", 8 * n, wrong,
                 refused);
  blo_table_destroy(blo_comm_context(comm), &whole);
}

/* ----------------------------------------------------------------- labels */

static void labels_follow_the_number_of_classes(blo_comm *comm)
{
  blo_source_spec spec = {.path = data_write_text(comm, "svm", "0 1:1\n3 1:1\n"), .n_classes = 5};
  blo_table *t = read_spec(comm, &spec);

  BLO_EXPECT_ALL(t->n_classes == 5 && t->label[1] == 3 && t->class_value[4] == 4);
  blo_table_destroy(blo_comm_context(comm), &t);
  spec.n_classes = 3;
  BLO_EXPECT_STATUS(blo_table_read(blo_comm_context(comm), &spec, NULL, &t), BLO_E_DATA);
  BLO_EXPECT_ERROR_HAS("line 2: label 3 is not allowed: 0..2");
  spec.n_classes = -1;
  BLO_EXPECT_STATUS(blo_table_read(blo_comm_context(comm), &spec, NULL, &t), BLO_E_OPTION);
}

static void labels_of_a_test_set_follow_the_training_set(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_table *train = read_text(comm, "-1 1:1\n5 4:1\n8 1:1\n", BLO_FORMAT_AUTO, 0), *t = NULL;
  blo_source_spec spec = {.path = data_write_text(comm, "test", "8 1:1\n-1 2:1\n")};

  BLO_EXPECT_STATUS(blo_table_read(ctx, &spec, train, &t), BLO_OK);
  BLO_EXPECT_ALL(t->n_classes == 3 && t->label[0] == 2 && t->label[1] == 0 && t->n_features == 4);
  blo_table_destroy(ctx, &t);
  data_write_text(comm, "test", "8 1:1\n6 2:1\n");
  BLO_EXPECT_STATUS(blo_table_read(ctx, &spec, train, &t), BLO_E_DATA);
  BLO_EXPECT_ERROR_HAS("line 2: label 6 is not allowed: -1, 5, 8");
  data_write_text(comm, "test", "8,1,2\n5,2,3\n");
  BLO_EXPECT_STATUS(blo_table_read(ctx, &spec, train, &t), BLO_E_DATA);
  BLO_EXPECT_ERROR_HAS("has 2 features, but the data it belongs with has 4");
  blo_table_destroy(ctx, &train);
}

/* ------------------------------------------------------------------ files */

static void formats_are_recognised_by_content(blo_comm *comm)
{
  static const struct {
    const char *text;
    bool sparse;
    blo_int n_rows;
  } cases[] = {{"1\n\n0 3:1\n", true, 2},
               {"# x\n1 2:5\n", true, 1},
               {"t a,b:c\n1 2,0\n1 3,1\n", false, 0},
               {"1 2 3\n4 5 6\n", false, 2},
               {"1,2\n", false, 1}};

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    blo_source_spec spec = {.path = data_write_text(comm, "text", cases[i].text)};
    blo_table *t = NULL;
    blo_status status = blo_table_read(blo_comm_context(comm), &spec, NULL, &t);
    BLO_EXPECT_MSG(cases[i].n_rows == 0 ? status == BLO_E_FORMAT
                                        : status == BLO_OK && t->sparse == cases[i].sparse &&
                                              t->n_rows == cases[i].n_rows,
                   "case %zu", i);
    blo_table_destroy(blo_comm_context(comm), &t);
  }
}

static void files_that_cannot_be_read_are_named(blo_comm *comm)
{
  blo_source_spec spec = {.path = data_path(comm, "nothing")};
  blo_table *t = NULL;

  for (int format = BLO_FORMAT_AUTO; format <= BLO_FORMAT_HDF5; format++) {
    spec.format = format;
    spec.labels = spec.path;
    BLO_EXPECT_STATUS(blo_table_read(blo_comm_context(comm), &spec, NULL, &t), BLO_E_IO);
    BLO_EXPECT_ERROR_HAS("No such file or directory");
    BLO_EXPECT_ERROR_HAS(spec.path);
  }
  spec.path = data_path(comm, "");
  spec.format = BLO_FORMAT_AUTO;
  BLO_EXPECT_STATUS(blo_table_read(blo_comm_context(comm), &spec, NULL, &t), BLO_E_IO);
  BLO_EXPECT_ERROR_HAS("not a regular file");
  spec.path = data_write_text(comm, "text", "");
  BLO_EXPECT_STATUS(blo_table_read(blo_comm_context(comm), &spec, NULL, &t), BLO_E_DATA);
  spec.path = data_write_text(comm, "text", "word\nother\n");
  BLO_EXPECT_STATUS(blo_table_read(blo_comm_context(comm), &spec, NULL, &t), BLO_E_FORMAT);
}

/** A table whose arrays have to grow several times. */
static void long_files_are_read_whole(blo_comm *comm)
{
  enum { N = 100000 };
  char *text = malloc(N * 32);
  size_t used = 0;
  bool same = true;

  for (int i = 0; i < N; i++) {
    used += (size_t)sprintf(text + used, "%d %d:%d %d:1\n", i % 3, i % 50 + 1, i, i % 50 + 2);
  }
  blo_table *t = read_text(comm, text, BLO_FORMAT_AUTO, 0);
  BLO_REQUIRE_ALL(t->n_rows == N && t->n_features == 51 && t->row_start[N] == 2 * N);
  for (blo_int i = 0; i < N; i++) {
    same = same && t->label[i] == i % 3 && t->row_start[i] == 2 * i &&
           data_value(t, i, i % 50) == (double)i;
  }
  BLO_EXPECT_ALL(same);
  blo_table_destroy(blo_comm_context(comm), &t);
  free(text);
}

static const blo_test tests[] = {
    {"CSV of any delimiter", csv_of_any_delimiter_is_read},
    {"CSV label column", csv_label_column_counts_from_both_ends},
    {"CSV storage", csv_takes_8_bits_as_long_as_they_do},
    {"CSV damage", csv_damage_is_named},
    {"binary in a text", binary_in_a_text_is_refused},
    {"CSV label column that is not there", label_column_must_exist},
    {"numbers", numbers_are_rounded_as_strtod_does},
    {"LIBSVM plain and compressed", libsvm_is_read_plain_and_compressed},
    {"LIBSVM damage", libsvm_damage_is_named},
    {"LIBSVM number of features", libsvm_features_beyond_the_given_number_are_refused},
    {"IDX of every type", idx_of_every_type_is_read},
    {"IDX truncated", idx_truncated_anywhere_is_refused},
    {"IDX with trailing bytes", idx_with_more_than_its_header_says_is_refused},
    {"IDX with an absurd header", idx_with_an_absurd_header_is_refused},
    {"IDX pair", idx_files_that_do_not_belong_together_are_refused},
    {"IDX values not finite", idx_values_that_are_not_finite_are_refused},
    {"gzip with a flipped bit", gzip_with_a_flipped_bit_is_noticed},
    {"labels and number of classes", labels_follow_the_number_of_classes},
    {"labels of a test set", labels_of_a_test_set_follow_the_training_set},
    {"formats by content", formats_are_recognised_by_content},
    {"files that cannot be read", files_that_cannot_be_read_are_named},
    {"long files", long_files_are_read_whole},
};

BLO_TEST_MAIN("data, reading", tests)

/**
 * @file The label -> class mapping that all readers share. Classes are the distinct labels in
 * ascending order: those of the training set, 0..N-1 if the caller gives N, or else those found.
 */
#include "classes.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/** More different labels than this are no classes, but a wrong column. */
enum { MOST_CLASSES = 65536 };

blo_rules blo_rules_make(const blo_source_spec *spec, const blo_table *classes)
{
  if (classes != NULL) {
    return (blo_rules){classes->n_classes, classes->class_value,   classes->n_features, true,
                       classes->n_tokens,  classes->vocabulary_crc};
  }
  return (blo_rules){.n_classes = spec->n_classes};
}

/** Tokens of another vocabulary would be other words. */
static blo_status check_tokens(blo_context *ctx, const blo_rules *rules, const blo_table *t,
                               const char *path)
{
  BLO_CHECK(ctx, (t->n_tokens > 0) == (rules->n_tokens > 0), BLO_E_DATA,
            "%s has %s, but the data it belongs with has %s", path,
            t->n_tokens > 0 ? "tokens" : "numbers", t->n_tokens > 0 ? "numbers" : "tokens");
  BLO_CHECK(ctx, t->n_tokens == rules->n_tokens, BLO_E_DATA,
            "%s has a vocabulary of %lld tokens, but the data it belongs with has one of %lld: "
            "convert it with that one's vocabulary (--vocabulary-from)",
            path, (long long)t->n_tokens, (long long)rules->n_tokens);
  BLO_CHECK(ctx,
            t->vocabulary_crc == rules->vocabulary_crc || t->vocabulary_crc == 0 ||
                rules->vocabulary_crc == 0,
            BLO_E_DATA,
            "%s has other words in its vocabulary than the data it belongs with: convert it with "
            "that one's vocabulary (--vocabulary-from)",
            path);
  BLO_CHECK(ctx, t->n_tokens == 0 || t->n_features == rules->n_features, BLO_E_DATA,
            "%s has rows of %lld tokens, but the data it belongs with has rows of %lld: convert it "
            "with --max-length %lld",
            path, (long long)t->n_features, (long long)rules->n_features,
            (long long)rules->n_features);
  return BLO_OK;
}

blo_status blo_rules_check(blo_context *ctx, const blo_rules *rules, const blo_table *table,
                           const char *path)
{
  if (rules->joined) {
    BLO_TRY(check_tokens(ctx, rules, table, path));
  }
  BLO_CHECK(ctx, rules->n_features == 0 || table->n_features == rules->n_features, BLO_E_DATA,
            "%s has %lld features, but the data it belongs with has %lld", path,
            (long long)table->n_features, (long long)rules->n_features);
  return BLO_OK;
}

blo_status blo_classes_begin(blo_context *ctx, const blo_rules *rules, blo_classes *c)
{
  blo_int n = rules->n_classes;

  *c = (blo_classes){n > 0, 0, 0, NULL};
  BLO_CHECK(ctx, n >= 0 && n <= MOST_CLASSES, BLO_E_OPTION,
            "the number of classes must be 0 (as found) or 1..%d, not %lld", MOST_CLASSES,
            (long long)n);
  BLO_TRY(blo_alloc(ctx, n, sizeof *c->value, &c->value));
  for (blo_int i = 0; i < n; i++) {
    c->value[i] = rules->class_value != NULL ? rules->class_value[i] : (int32_t)i;
  }
  c->n = c->cap = n;
  return BLO_OK;
}

void blo_classes_end(blo_context *ctx, blo_classes *c)
{
  blo_free(ctx, &c->value);
}

/** The first place whose value is not below `value`. */
static blo_int find(const blo_classes *c, int32_t value)
{
  blo_int low = 0, high = c->n;

  while (low < high) {
    blo_int middle = (low + high) / 2;
    if (c->value[middle] < value) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/** "0..9", or the first values: "-1, 1". */
static void describe(const blo_classes *c, char *text, size_t cap)
{
  size_t used = 0;

  if (c->n > 2 && c->value[c->n - 1] - (blo_int)c->value[0] == c->n - 1) {
    snprintf(text, cap, "%d..%d", (int)c->value[0], (int)c->value[c->n - 1]);
    return;
  }
  for (blo_int i = 0; i < c->n && i < 10; i++) {
    used += (size_t)snprintf(text + used, cap - used, i > 0 ? ", %d" : "%d", (int)c->value[i]);
  }
  snprintf(text + used, cap - used, c->n > 10 ? ", ..." : "");
}

static blo_status refuse(blo_context *ctx, const blo_classes *c, blo_place place, int32_t value)
{
  char allowed[160];

  describe(c, allowed, sizeof allowed);
  return blo_fail(ctx, BLO_E_DATA, __FILE__, __LINE__, BLO_AT ": label %d is not allowed: %s",
                  BLO_AT_ARGS(place), (int)value, allowed);
}

static blo_status insert(blo_context *ctx, blo_classes *c, blo_place place, blo_int at,
                         int32_t value)
{
  BLO_CHECK(ctx, c->n < MOST_CLASSES, BLO_E_DATA,
            BLO_AT ": label %d is the %lldth different one: are these class labels?",
            BLO_AT_ARGS(place), (int)value, (long long)c->n + 1);
  if (c->n == c->cap) {
    c->cap = 2 * c->cap + 16;
    BLO_TRY(blo_realloc(ctx, c->cap, sizeof *c->value, &c->value));
  }
  memmove(c->value + at + 1, c->value + at, (size_t)(c->n - at) * sizeof *c->value);
  c->value[at] = value;
  c->n++;
  return BLO_OK;
}

blo_status blo_classes_take(blo_context *ctx, blo_classes *c, blo_place place, double label,
                            int32_t *value)
{
  blo_int at;

  BLO_CHECK(ctx, fabs(label) <= INT32_MAX && label == trunc(label), BLO_E_DATA,
            BLO_AT ": label %.12g is not an integer of 32 bits", BLO_AT_ARGS(place), label);
  *value = (int32_t)label;
  at = find(c, *value);
  if (at < c->n && c->value[at] == *value) {
    return BLO_OK;
  }
  return c->fixed ? refuse(ctx, c, place, *value) : insert(ctx, c, place, at, *value);
}

void blo_classes_apply(const blo_classes *c, int32_t *label, blo_int n)
{
  for (blo_int i = 0; i < n; i++) {
    label[i] = (int32_t)find(c, label[i]);
  }
}

/**
 * @file A fingerprint of a set: each sample's checksum is mixed with its number in the set, and the
 * results are added as integers, so that the order of samples counts, but not who has them.
 */
#include "table_private.h"

/** The finalizer of splitmix64 (Steele, Lea, Flood, OOPSLA 2014): a bijection that mixes all bits.
 */
static uint64_t mix(uint64_t z)
{
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

/** Checksum of a sample's features, as stored. */
static uint32_t checksum(const blo_table *t, blo_int i)
{
  blo_int first, n;
  uint32_t crc;

  if (!t->sparse) {
    return blo_crc32(0, blo_table_row(t, i), (size_t)t->n_features * blo_storage_size(t->storage));
  }
  first = t->row_start[i];
  n = t->row_start[i + 1] - first;
  crc = blo_crc32(0, t->column + first, (size_t)n * sizeof *t->column);
  return blo_crc32(crc, (double *)t->values + first, (size_t)n * sizeof(double));
}

/** What all samples have in common. */
static uint64_t head(const blo_set *set)
{
  const blo_table *t = set->own;
  const blo_int sizes[] = {set->n, t->n_features, t->n_classes, t->sparse, (blo_int)t->storage};
  uint32_t crc = blo_crc32(0, sizes, sizeof sizes);

  if (t->storage == BLO_I32) {
    const blo_int tokens[] = {t->n_tokens, t->vocabulary_crc};
    crc = blo_crc32(crc, tokens, sizeof tokens);
  }
  return mix(blo_crc32(crc, t->class_value, (size_t)t->n_classes * sizeof *t->class_value));
}

uint64_t blo_set_fingerprint(const blo_set *set)
{
  const blo_table *t = set->own;
  uint64_t sum = 0;

  for (blo_int i = 0; i < t->n_rows; i++) {
    uint64_t sample = (uint64_t)checksum(t, i) << 32 | (uint32_t)t->label[i];
    sum += mix(sample + mix((uint64_t)(set->first + i) + 1));
  }
  return (uint64_t)blo_sum_all(set->comm, (blo_int)sum) + head(set);
}

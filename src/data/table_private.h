/** @file Making tables, and single values of their storage types. For this layer only. */
#ifndef BLO_TABLE_PRIVATE_H
#define BLO_TABLE_PRIVATE_H

#include <blo/data.h>

/** Values between two dense rows: n_features, rounded up to a multiple of 8. */
static inline blo_int blo_ld_of(blo_int n_features)
{
  return (n_features + 7) / 8 * 8;
}

/** Value k of an array. */
static inline double blo_storage_get(blo_storage storage, const void *values, blo_int k)
{
  switch (storage) {
  case BLO_U8:
    return ((const uint8_t *)values)[k];
  case BLO_F32:
    return (double)((const float *)values)[k];
  case BLO_I32:
    return ((const int32_t *)values)[k];
  default:
    return ((const double *)values)[k];
  }
}

/** Set value k of an array; the value fits the storage type. */
static inline void blo_storage_put(blo_storage storage, void *values, blo_int k, double value)
{
  switch (storage) {
  case BLO_U8:
    ((uint8_t *)values)[k] = (uint8_t)value;
    break;
  case BLO_F32:
    ((float *)values)[k] = (float)value;
    break;
  case BLO_I32:
    ((int32_t *)values)[k] = (int32_t)value;
    break;
  default:
    ((double *)values)[k] = value;
  }
}

/** Where row i of a dense table begins. */
static inline void *blo_table_row(const blo_table *t, blo_int i)
{
  return (char *)t->values + (size_t)(i * t->ld) * blo_storage_size(t->storage);
}

/**
 * A table of `n_rows` rows with the sizes, storage and classes of `like`, all zero; a sparse one
 * has no entries yet. Call: Local. @return BLO_OK; BLO_E_MEMORY
 */
blo_status blo_table_create_like(blo_context *ctx, const blo_table *like, blo_int n_rows,
                                 blo_table **out);
/** Room for the entries of a sparse table, row_start[n_rows] of them. Call: Local. */
blo_status blo_table_alloc_entries(blo_context *ctx, blo_table *t);

#endif

/** @file From the labels in a file to classes 0..n-1. For this layer only. */
#ifndef BLO_CLASSES_H
#define BLO_CLASSES_H

#include "input.h"
#include <blo/data.h>

/** What a file must agree with: the caller's wishes, or another table or source. */
typedef struct blo_rules {
  blo_int n_classes;          /**< 0: the labels found are the classes */
  const int32_t *class_value; /**< [n_classes] ascending; NULL: 0..n_classes-1 */
  blo_int n_features;         /**< 0: any number */
  bool joined;                /**< there is another table, whose tokens these are */
  blo_int n_tokens;           /**< of the other table; 0: it has none */
  uint32_t vocabulary_crc;    /**< of the other table; 0: not known */
} blo_rules;

/** The labels that a reader accepts, and the class of each. */
typedef struct blo_classes {
  bool fixed; /**< the values are known beforehand, others are refused */
  blo_int n, cap;
  int32_t *value; /**< [n] ascending */
} blo_classes;

/** Rules from a source's description and, if not NULL, from a table it belongs with. */
blo_rules blo_rules_make(const blo_source_spec *spec, const blo_table *classes);
/** Whether a table of `path` has the features and tokens that the rules want. Call: Local.
 *  @return BLO_OK; BLO_E_DATA */
blo_status blo_rules_check(blo_context *ctx, const blo_rules *rules, const blo_table *table,
                           const char *path);
/** Begin with what the rules give. @return BLO_OK; BLO_E_OPTION; BLO_E_MEMORY. Call: Local. */
blo_status blo_classes_begin(blo_context *ctx, const blo_rules *rules, blo_classes *c);
/**
 * Accept a label, or refuse it: BLO_E_DATA with the place, the label and what is allowed.
 * @param[out] value  the label as an integer. Call: Local.
 */
blo_status blo_classes_take(blo_context *ctx, blo_classes *c, blo_place place, double label,
                            int32_t *value);
/** Replace accepted labels by their classes. @param[in,out] label [n]. Call: Local. */
void blo_classes_apply(const blo_classes *c, int32_t *label, blo_int n);
/** Free the values. Call: Local. */
void blo_classes_end(blo_context *ctx, blo_classes *c);

#endif

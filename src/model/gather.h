/** @file Sums of rows of a matrix, the kernel behind products with sparse features. */
#ifndef BLO_GATHER_H
#define BLO_GATHER_H

#include <blo/base.h>

/** Entries v_j at places index_j. */
typedef struct gather_list {
  blo_int n;
  const double *v;
  const int32_t *index;
} gather_list;

/** z[m] += sum_j v_j w[index_j], the entries added in their order; row i of w begins at i ld. */
void gather_rows(const gather_list *list, blo_int m, const double *w, blo_int ld, double *z);

#endif

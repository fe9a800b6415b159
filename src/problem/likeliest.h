/** @file The class that a row of outputs speaks for. For files of this layer only. */
#ifndef BLO_LIKELIEST_H
#define BLO_LIKELIEST_H

#include <blo/base.h>

/** The place of the largest of n numbers; the lower one if two are equal. */
static inline blo_int likeliest(blo_int n, const double *output)
{
  blo_int best = 0;

  for (blo_int k = 1; k < n; k++) {
    best = output[k] > output[best] ? k : best;
  }
  return best;
}

#endif

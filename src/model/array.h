/** @file Loops over arrays of numbers that many operations share. For files of this layer only. */
#ifndef BLO_ARRAY_H
#define BLO_ARRAY_H

#include <blo/base.h>
#include <string.h>

/** to += from; they do not overlap. */
void array_add(blo_int n, const double *from, double *to);
/** to += factor from; they do not overlap. */
void array_add_times(blo_int n, double factor, const double *from, double *to);

static inline void array_clear(blo_int n, double *to)
{
  memset(to, 0, (size_t)n * sizeof *to);
}

/** a . b, added in their order. */
static inline double array_dot(blo_int n, const double *a, const double *b)
{
  double sum = 0;

  for (blo_int k = 0; k < n; k++) {
    sum += a[k] * b[k];
  }
  return sum;
}

#endif

/** @file Loops over arrays; see array.h. */
#include "array.h"
#include "clones.h"

BLO_CLONES static void add(blo_int n, const double *restrict from, double *restrict to)
{
  for (blo_int k = 0; k < n; k++) {
    to[k] += from[k];
  }
}

BLO_CLONES static void add_times(blo_int n, double factor, const double *restrict from,
                                 double *restrict to)
{
  for (blo_int k = 0; k < n; k++) {
    to[k] += factor * from[k];
  }
}

/* A function with clones is exported, whatever its visibility, unless it is static. */
void array_add(blo_int n, const double *from, double *to)
{
  add(n, from, to);
}

void array_add_times(blo_int n, double factor, const double *from, double *to)
{
  add_times(n, factor, from, to);
}

/** @file Plain arrays: a scalar product with a fixed order of additions, and a test for NaN. */
#include <blo/linalg.h>
#include <math.h>

enum { LANES = 8 };

/** Eight partial sums, so that the compiler can use vectors without reordering anything. */
double blo_array_dot(blo_int n, const double *a, const double *b)
{
  double lane[LANES] = {0};
  blo_int i = 0;

  for (; i + LANES <= n; i += LANES) {
    for (int k = 0; k < LANES; k++) {
      lane[k] += a[i + k] * b[i + k];
    }
  }
  for (int k = 0; i < n; i++, k++) {
    lane[k] += a[i] * b[i];
  }
  return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

/** A number times zero is zero exactly if it is finite. */
bool blo_array_finite(blo_int n, const double *a)
{
  double lane[LANES] = {0};
  blo_int i = 0;

  for (; i + LANES <= n; i += LANES) {
    for (int k = 0; k < LANES; k++) {
      lane[k] += a[i + k] * 0;
    }
  }
  for (int k = 0; i < n; i++, k++) {
    lane[k] += a[i] * 0;
  }
  for (int k = 1; k < LANES; k++) {
    lane[0] += lane[k];
  }
  return lane[0] == 0;
}

double blo_array_norm(blo_int n, const double *a)
{
  return sqrt(blo_array_dot(n, a, a));
}

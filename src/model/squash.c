/**
 * @file
 * Logistic function and tanh by one exponential of x <= 0 without branches, which compilers turn
 * into vector instructions: x = n ln 2 + r with |r| <= ln(2) / 2 and n ln 2 subtracted in two parts
 * (Cody and Waite 1980), q = exp(r) - 1 by its Taylor polynomial of degree 13 (remainder below
 * 1e-17 of r), and exp(x) = 2^n + 2^n q, exp(x) - 1 = (2^n - 1) + 2^n q. Errors are a few units in
 * the last place; not a number stays that. The bits are the same on all processors, which they are
 * not by the C library.
 */
#include "squash.h"
#include "clones.h"
#include <math.h>
#include <string.h>

/** Added to a number of modest size, it leaves the nearest integer in the lowest bits. */
static const double shifter = 0x1.8p52;

/** exp(x) - one for x <= 0 and one = 0 or 1. */
static inline double exp_minus(double x, double one)
{
  double y = x < -700 ? -700 : x; /* 2^n stays a normal number */
  double shifted = y * 0x1.71547652b82fep0 + shifter, n = shifted - shifter;
  double r = (y - n * 0x1.62e42fee00000p-1) - n * 0x1.a39ef35793c76p-33;
  double q, scale;
  uint64_t bits;

  q = 1.0 / 6227020800;
  q = q * r + 1.0 / 479001600;
  q = q * r + 1.0 / 39916800;
  q = q * r + 1.0 / 3628800;
  q = q * r + 1.0 / 362880;
  q = q * r + 1.0 / 40320;
  q = q * r + 1.0 / 5040;
  q = q * r + 1.0 / 720;
  q = q * r + 1.0 / 120;
  q = q * r + 1.0 / 24;
  q = q * r + 1.0 / 6;
  q = q * r + 0.5;
  q = r + r * r * q;
  memcpy(&bits, &shifted, sizeof bits);
  bits = (bits + 1023) << 52;
  memcpy(&scale, &bits, sizeof scale);
  return scale * q + (scale - one);
}

BLO_CLONES void squash_sigmoid(blo_int n, double *a)
{
  for (blo_int i = 0; i < n; i++) {
    double e = exp_minus(-fabs(a[i]), 0);
    a[i] = (a[i] < 0 ? e : 1) / (1 + e);
  }
}

BLO_CLONES void squash_tanh(blo_int n, double *a)
{
  for (blo_int i = 0; i < n; i++) {
    double m = exp_minus(-2 * fabs(a[i]), 1);
    a[i] = copysign(m / (2 + m), a[i]);
  }
}

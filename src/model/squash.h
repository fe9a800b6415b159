/**
 * @file
 * tanh and the logistic function without calls and branches, so that loops over them become vector
 * code. Their bits are the same on every processor (no fused operations); errors against exact
 * values are below 4 units in the last place (tests/unit/test_squash.c).
 *
 * With y = k ln 2 + r, |r| <= ln 2 / 2, and q(r) = expm1(r) by its Taylor series to degree 13,
 *
 *     expm1(y) = 2^k q(r) + (2^k - 1)
 *
 * (Cody and Waite 1980, ch. 6). Where 2^k = 1 nothing cancels, so small arguments keep their
 * relative accuracy.
 */
#ifndef BLO_SQUASH_H
#define BLO_SQUASH_H

#include <stdint.h>
#include <string.h>

/** 2^k and q(r) of y. */
typedef struct squash_parts {
  double power, q;
} squash_parts;

/** For |y| < 1000. */
static inline squash_parts squash_split(double y)
{
  /* adding 1.5 * 2^52 rounds to an integer and leaves it in the low bits */
  const double round = 0x1.8p52, log2_e = 0x1.71547652b82fep0;
  const double ln2_high = 0x1.62e42feep-1, ln2_low = 0x1.a39ef35793c76p-33; /* k * high is exact */
  double t = y * log2_e + round, k = t - round;
  double r = (y - k * ln2_high) - k * ln2_low;
  uint64_t bits;
  squash_parts p;

  p.q = 1.0 / 6227020800;
  p.q = p.q * r + 1.0 / 479001600;
  p.q = p.q * r + 1.0 / 39916800;
  p.q = p.q * r + 1.0 / 3628800;
  p.q = p.q * r + 1.0 / 362880;
  p.q = p.q * r + 1.0 / 40320;
  p.q = p.q * r + 1.0 / 5040;
  p.q = p.q * r + 1.0 / 720;
  p.q = p.q * r + 1.0 / 120;
  p.q = p.q * r + 1.0 / 24;
  p.q = p.q * r + 1.0 / 6;
  p.q = p.q * r + 1.0 / 2;
  p.q = p.q * (r * r) + r;
  memcpy(&bits, &t, sizeof bits);
  bits = (bits + 1023) << 52;
  memcpy(&p.power, &bits, sizeof bits);
  return p;
}

/** tanh a = expm1(2 |a|) / (expm1(2 |a|) + 2), with a's sign. */
static inline double squash_tanh(double a)
{
  double size = a < 0 ? -a : a, y = 2 * (size > 20 ? 20 : size);
  squash_parts p = squash_split(y);
  double e = p.power * p.q + (p.power - 1), t = e / (e + 2);

  return a < 0 ? -t : t;
}

/** 1 / (1 + exp(-a)), from exp(-|a|). */
static inline double squash_sigmoid(double a)
{
  double size = a < 0 ? -a : a, y = -(size > 700 ? 700 : size);
  squash_parts p = squash_split(y);
  double e = p.power * p.q + p.power;

  return (a < 0 ? e : 1) / (1 + e);
}

#endif

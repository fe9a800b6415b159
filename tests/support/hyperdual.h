/**
 * @file
 * Hyper-dual numbers f + a e1 + b e2 + ab e1 e2 with e1^2 = e2^2 = 0 (Fike and Alonso, AIAA
 * 2011-886): evaluating a function at (x + e1 u + e2 v) gives its value, the derivatives along u
 * and along v, and the second derivative u' H v, each to rounding. As the complex step, but for
 * second derivatives too.
 */
#ifndef HYPERDUAL_H
#define HYPERDUAL_H

#include <math.h>

typedef struct hyperdual {
  double f, a, b, ab;
} hyperdual;

static inline hyperdual hd(double f)
{
  return (hyperdual){f, 0, 0, 0};
}

static inline hyperdual hd_add(hyperdual x, hyperdual y)
{
  return (hyperdual){x.f + y.f, x.a + y.a, x.b + y.b, x.ab + y.ab};
}

static inline hyperdual hd_sub(hyperdual x, hyperdual y)
{
  return (hyperdual){x.f - y.f, x.a - y.a, x.b - y.b, x.ab - y.ab};
}

static inline hyperdual hd_scale(double s, hyperdual x)
{
  return (hyperdual){s * x.f, s * x.a, s * x.b, s * x.ab};
}

static inline hyperdual hd_mul(hyperdual x, hyperdual y)
{
  return (hyperdual){x.f * y.f, x.a * y.f + x.f * y.a, x.b * y.f + x.f * y.b,
                     x.ab * y.f + x.a * y.b + x.b * y.a + x.f * y.ab};
}

/** A function with value f, first and second derivative d and dd at x.f. */
static inline hyperdual hd_function(hyperdual x, double f, double d, double dd)
{
  return (hyperdual){f, d * x.a, d * x.b, d * x.ab + dd * x.a * x.b};
}

static inline hyperdual hd_exp(hyperdual x)
{
  double e = exp(x.f);
  return hd_function(x, e, e, e);
}

static inline hyperdual hd_log(hyperdual x)
{
  return hd_function(x, log(x.f), 1 / x.f, -1 / (x.f * x.f));
}

static inline hyperdual hd_sin(hyperdual x)
{
  return hd_function(x, sin(x.f), cos(x.f), -sin(x.f));
}

static inline hyperdual hd_cos(hyperdual x)
{
  return hd_function(x, cos(x.f), -sin(x.f), -cos(x.f));
}

/** x^p for x > 0. */
static inline hyperdual hd_pow(hyperdual x, double p)
{
  return hd_function(x, pow(x.f, p), p * pow(x.f, p - 1), p * (p - 1) * pow(x.f, p - 2));
}

static inline hyperdual hd_div(hyperdual x, hyperdual y)
{
  return hd_mul(x, hd_function(y, 1 / y.f, -1 / (y.f * y.f), 2 / (y.f * y.f * y.f)));
}

/* From their definitions, not from closed forms of derivatives. */

static inline hyperdual hd_tanh(hyperdual x)
{
  hyperdual p = hd_exp(x), m = hd_exp(hd_scale(-1, x));
  return hd_div(hd_sub(p, m), hd_add(p, m));
}

static inline hyperdual hd_sigmoid(hyperdual x)
{
  return hd_div(hd(1), hd_add(hd(1), hd_exp(hd_scale(-1, x))));
}

static inline hyperdual hd_max(hyperdual x, hyperdual y)
{
  return x.f >= y.f ? x : y;
}

#endif

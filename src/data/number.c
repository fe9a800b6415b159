/**
 * @file Decimal numbers to doubles. With at most 15 digits and a power of ten up to 10^22 both are
 * exact doubles, so that one multiplication or division rounds correctly (Clinger, How to read
 * floating point numbers accurately, PLDI 1990); that is the fast path, and it does not know the
 * locale. Other numbers are left to strtod().
 */
#include "number.h"
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <strings.h>

enum { EXACT_DIGITS = 15, EXACT_POWER = 22 };

static const double power_of_ten[EXACT_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                     1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                     1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/** A number as written: mantissa * 10^exponent, the mantissa right up to EXACT_DIGITS digits. */
typedef struct decimal {
  uint64_t mantissa;
  int n_digits, exponent;
} decimal;

static bool is_digit(char c)
{
  return c >= '0' && c <= '9';
}

/** Digits from `p` on; each one moves the exponent by `step`. */
static const char *scan_digits(const char *p, decimal *d, int step)
{
  for (; is_digit(*p); p++) {
    if (d->n_digits <= EXACT_DIGITS) {
      d->mantissa = 10 * d->mantissa + (uint64_t)(*p - '0');
      d->n_digits += d->mantissa > 0;
      d->exponent += step;
    }
  }
  return p;
}

/** An exponent at `p`, if there is one: "e-3". */
static const char *scan_exponent(const char *p, decimal *d)
{
  const char *digits = p + 1;
  bool negative;
  int e = 0;

  if (*p != 'e' && *p != 'E') {
    return p;
  }
  negative = *digits == '-';
  digits += *digits == '-' || *digits == '+';
  if (!is_digit(*digits)) {
    return p;
  }
  for (p = digits; is_digit(*p); p++) {
    e = e < 100000 ? 10 * e + (*p - '0') : e;
  }
  d->exponent += negative ? -e : e;
  return p;
}

static const char *parse_word(const char *text, double *value)
{
  static const struct {
    const char *word;
    size_t length;
    double value;
  } words[] = {
      {"infinity", 8, (double)INFINITY}, {"inf", 3, (double)INFINITY}, {"nan", 3, (double)NAN}};

  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    if (strncasecmp(text, words[i].word, words[i].length) == 0) {
      *value = words[i].value;
      return text + words[i].length;
    }
  }
  return NULL;
}

const char *blo_number_parse(const char *text, double *value)
{
  decimal d = {0, 0, 0};
  const char *digits = text + (*text == '-' || *text == '+'), *p = scan_digits(digits, &d, 0);
  bool any = p > digits;
  char *end;

  if (*p == '.') {
    const char *fraction = p + 1;
    p = scan_digits(fraction, &d, -1);
    any = any || p > fraction;
  }
  if (!any) {
    p = parse_word(digits, value);
    *value = *text == '-' && p != NULL ? -*value : *value;
    return p;
  }
  p = scan_exponent(p, &d);
  if (d.n_digits > EXACT_DIGITS || d.exponent > EXACT_POWER || d.exponent < -EXACT_POWER) {
    *value = strtod(text, &end);
    return end == p ? p : NULL; /* a locale with another decimal point must not cut numbers */
  }
  *value = d.exponent < 0 ? (double)d.mantissa / power_of_ten[-d.exponent]
                          : (double)d.mantissa * power_of_ten[d.exponent];
  *value = *text == '-' ? -*value : *value;
  return p;
}

/**
 * @file
 * Kernels in plain C, for any processor. Where the compiler has vector types, doubles go by twos,
 * which are registers of every 64-bit processor.
 */
#include "kernel.h"
#include "kernel_compiler.h"

#include <string.h>

#if defined __GNUC__
typedef double two __attribute__((vector_size(16)));
#else
typedef double two;
#endif

enum { LANES = sizeof(two) / sizeof(double), TWOS = 8 / LANES };

typedef struct octet {
  two part[TWOS];
} octet;
typedef struct quad {
  two part[TWOS / 2];
} quad;
typedef struct pair {
  two part[TWOS / 4];
} pair;

static inline two two_load(const double *at)
{
  two a;
  memcpy(&a, at, sizeof a);
  return a;
}

/* The operations of a type made of n twos; a multiply-add is rounded twice here. */
#define OPERATIONS(type, n)                                                                        \
  static inline type type##_load_f64(const double *at)                                             \
  {                                                                                                \
    type a;                                                                                        \
    UNROLL for (int k = 0; k < (n); k++)                                                           \
    {                                                                                              \
      a.part[k] = two_load(at + k * LANES);                                                        \
    }                                                                                              \
    return a;                                                                                      \
  }                                                                                                \
  static inline void type##_store(double *at, type a)                                              \
  {                                                                                                \
    UNROLL for (int k = 0; k < (n); k++)                                                           \
    {                                                                                              \
      memcpy(at + k * LANES, &a.part[k], sizeof(two));                                             \
    }                                                                                              \
  }                                                                                                \
  static inline type type##_spread(double value)                                                   \
  {                                                                                                \
    const double lane[2] = {value, value};                                                         \
    type a;                                                                                        \
    UNROLL for (int k = 0; k < (n); k++)                                                           \
    {                                                                                              \
      a.part[k] = two_load(lane);                                                                  \
    }                                                                                              \
    return a;                                                                                      \
  }                                                                                                \
  static inline type type##_multiply_add(type a, type b, type sum)                                 \
  {                                                                                                \
    UNROLL for (int k = 0; k < (n); k++)                                                           \
    {                                                                                              \
      sum.part[k] += a.part[k] * b.part[k];                                                        \
    }                                                                                              \
    return sum;                                                                                    \
  }

OPERATIONS(octet, TWOS)
OPERATIONS(quad, TWOS / 2)
OPERATIONS(pair, TWOS / 4)

static inline octet octet_zero(void)
{
  return octet_spread(0);
}

static inline octet octet_load_f32(const float *at)
{
  const double lane[8] = {(double)at[0], (double)at[1], (double)at[2], (double)at[3],
                          (double)at[4], (double)at[5], (double)at[6], (double)at[7]};
  return octet_load_f64(lane);
}

static inline octet octet_load_u8(const uint8_t *at)
{
  const double lane[8] = {at[0], at[1], at[2], at[3], at[4], at[5], at[6], at[7]};
  return octet_load_f64(lane);
}

/** ((a0 + a4) + (a2 + a6)) + ((a1 + a5) + (a3 + a7)) */
static inline double octet_sum(octet a)
{
  double l[8];
  octet_store(l, a);
  return ((l[0] + l[4]) + (l[2] + l[6])) + ((l[1] + l[5]) + (l[3] + l[7]));
}

/* Register blocks: 1 row x 3 classes of sums, 1 octet x 3 classes of the gradient. */
#define ROW_GROUP     1
#define FORWARD_GROUP 3
#define OCTET_GROUP   1
#define ADJOINT_GROUP 3
#include "kernel_family.inc"

const blo_kernel *const blo_kernel_plain = &family;

/**
 * @file
 * Kernels for AVX2 with FMA: an octet is two of 16 registers.
 */
#include "kernel.h"

#if defined __AVX2__ && defined __FMA__
#include "kernel_x86.inc"

typedef struct octet {
  __m256d low, high;
} octet;

static inline octet octet_zero(void)
{
  return (octet){_mm256_setzero_pd(), _mm256_setzero_pd()};
}

static inline octet octet_spread(double value)
{
  return (octet){_mm256_set1_pd(value), _mm256_set1_pd(value)};
}

static inline octet octet_load_f64(const double *at)
{
  return (octet){_mm256_loadu_pd(at), _mm256_loadu_pd(at + 4)};
}

static inline octet octet_load_f32(const float *at)
{
  return (octet){_mm256_cvtps_pd(_mm_loadu_ps(at)), _mm256_cvtps_pd(_mm_loadu_ps(at + 4))};
}

static inline octet octet_load_u8(const uint8_t *at)
{
  __m128i bytes = _mm_loadl_epi64((const __m128i *)(const void *)at);
  __m256i whole = _mm256_cvtepu8_epi32(bytes);
  return (octet){_mm256_cvtepi32_pd(_mm256_castsi256_si128(whole)),
                 _mm256_cvtepi32_pd(_mm256_extracti128_si256(whole, 1))};
}

static inline void octet_store(double *at, octet a)
{
  _mm256_storeu_pd(at, a.low);
  _mm256_storeu_pd(at + 4, a.high);
}

/** sum + a * b, rounded once. */
static inline octet octet_multiply_add(octet a, octet b, octet sum)
{
  return (octet){_mm256_fmadd_pd(a.low, b.low, sum.low), _mm256_fmadd_pd(a.high, b.high, sum.high)};
}

/** ((a0 + a4) + (a2 + a6)) + ((a1 + a5) + (a3 + a7)) */
static inline double octet_sum(octet a)
{
  return quad_sum(_mm256_add_pd(a.low, a.high));
}

/* Register blocks: 2 rows x 3 classes of sums, 2 octets x 3 classes of the gradient. */
#define ROW_GROUP     2
#define FORWARD_GROUP 3
#define OCTET_GROUP   2
#define ADJOINT_GROUP 3
#include "kernel_family.inc"

const blo_kernel *const blo_kernel_avx2 = &family;
#else
const blo_kernel *const blo_kernel_avx2 = NULL;
#endif

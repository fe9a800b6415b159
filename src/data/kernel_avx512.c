/**
 * @file
 * Kernels for AVX-512: an octet is one register, of which there are 32.
 */
#include "kernel.h"

#if defined __AVX512F__ && defined __AVX512DQ__ && defined __AVX512VL__
#include "kernel_x86.inc"

typedef __m512d octet;

static inline octet octet_zero(void)
{
  return _mm512_setzero_pd();
}

static inline octet octet_spread(double value)
{
  return _mm512_set1_pd(value);
}

static inline octet octet_load_f64(const double *at)
{
  return _mm512_loadu_pd(at);
}

static inline octet octet_load_f32(const float *at)
{
  return _mm512_cvtps_pd(_mm256_loadu_ps(at));
}

static inline octet octet_load_u8(const uint8_t *at)
{
  return _mm512_cvtepi32_pd(
      _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)at)));
}

static inline void octet_store(double *at, octet a)
{
  _mm512_storeu_pd(at, a);
}

/** sum + a * b, rounded once. */
static inline octet octet_multiply_add(octet a, octet b, octet sum)
{
  return _mm512_fmadd_pd(a, b, sum);
}

/** ((a0 + a4) + (a2 + a6)) + ((a1 + a5) + (a3 + a7)) */
static inline double octet_sum(octet a)
{
  return quad_sum(_mm256_add_pd(_mm512_castpd512_pd256(a), _mm512_extractf64x4_pd(a, 1)));
}

/* Register blocks: 4 rows x 5 classes of sums; 4 octets x 5 or 2 octets x 10 classes of the
 * gradient, where more classes at once read the features less often. */
#define ROW_GROUP     4
#define FORWARD_GROUP 5
#define OCTET_GROUP   4
#define ADJOINT_GROUP 10
#include "kernel_family.inc"

const blo_kernel *const blo_kernel_avx512 = &family;
#else
const blo_kernel *const blo_kernel_avx512 = NULL;
#endif

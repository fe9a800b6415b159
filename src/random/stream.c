/** @file Numbers of a counter-based stream: Philox4x64-10 (Random123). */
#include <Random123/philox.h>
#include <blo/random.h>
#include <math.h>

void blo_stream_bits(blo_stream st, uint64_t iteration, uint64_t shard, uint64_t index,
                     uint64_t out[4])
{
  philox4x64_ctr_t counter = {{iteration, shard, index, 0}};
  philox4x64_key_t key = {{st.seed, st.purpose}};
  philox4x64_ctr_t bits = philox4x64(counter, key);

  for (int i = 0; i < 4; i++) {
    out[i] = bits.v[i];
  }
}

static double unit(uint64_t bits)
{
  return (double)(bits >> 11) * 0x1p-53;
}

double blo_stream_uniform(blo_stream st, uint64_t iteration, uint64_t shard, uint64_t index)
{
  uint64_t bits[4];

  blo_stream_bits(st, iteration, shard, index, bits);
  return unit(bits[0]);
}

double blo_stream_normal(blo_stream st, uint64_t iteration, uint64_t shard, uint64_t index)
{
  static const double two_pi = 6.283185307179586;
  uint64_t bits[4];

  blo_stream_bits(st, iteration, shard, index, bits);
  return sqrt(-2 * log(1 - unit(bits[0]))) * cos(two_pi * unit(bits[1]));
}

/** The high and the low word of a * b. */
static uint64_t multiply(uint64_t a, uint64_t b, uint64_t *low)
{
  uint64_t a0 = a & 0xffffffffu, a1 = a >> 32, b0 = b & 0xffffffffu, b1 = b >> 32;
  uint64_t mid = a1 * b0 + (a0 * b0 >> 32), mid2 = a0 * b1 + (mid & 0xffffffffu);

  *low = a * b;
  return a1 * b1 + (mid >> 32) + (mid2 >> 32);
}

uint64_t blo_stream_below(blo_stream st, uint64_t iteration, uint64_t shard, uint64_t index,
                          uint64_t n)
{
  philox4x64_key_t key = {{st.seed, st.purpose}};
  uint64_t refuse = (0 - n) % n;

  /* the fourth counter word, zero elsewhere, numbers the attempts */
  for (uint64_t attempt = 0;; attempt++) {
    philox4x64_ctr_t counter = {{iteration, shard, index, attempt}};
    philox4x64_ctr_t bits = philox4x64(counter, key);
    for (int i = 0; i < 4; i++) {
      uint64_t low, high = multiply(bits.v[i], n, &low);
      if (low >= refuse) {
        return high;
      }
    }
  }
}

void blo_stream_permutation(blo_stream st, uint64_t iteration, blo_int n, blo_int *perm)
{
  for (blo_int i = 0; i < n; i++) {
    perm[i] = i;
  }
  for (blo_int i = n - 1; i > 0; i--) {
    blo_int j = (blo_int)blo_stream_below(st, iteration, 0, (uint64_t)i, (uint64_t)i + 1);
    blo_int keep = perm[i];
    perm[i] = perm[j];
    perm[j] = keep;
  }
}

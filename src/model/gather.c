/**
 * @file
 * Sums of rows, in strips that stay in registers. Multiplications and additions are not fused, so
 * each processor gives the same bits, whatever the width of its registers.
 */
#include "gather.h"
#include "clones.h"

/* Eight doubles, anywhere in memory; the compiler makes of them what the processor has. */
typedef double octet __attribute__((vector_size(64), aligned(8), may_alias));
#define AT(p) (*(const octet *)(p))

enum { OCTET = 8, HALF = 4 * OCTET, STRIP = 8 * OCTET };

/** 64 columns, as eight sums. */
static inline __attribute__((always_inline)) void strip(const gather_list *l, const double *w,
                                                        blo_int ld, double *z)
{
  octet s0 = AT(z), s1 = AT(z + 8), s2 = AT(z + 16), s3 = AT(z + 24);
  octet s4 = AT(z + 32), s5 = AT(z + 40), s6 = AT(z + 48), s7 = AT(z + 56);

  for (blo_int j = 0; j < l->n; j++) {
    const double *at = w + l->index[j] * ld, v = l->v[j];
    s0 += v * AT(at);
    s1 += v * AT(at + 8);
    s2 += v * AT(at + 16);
    s3 += v * AT(at + 24);
    s4 += v * AT(at + 32);
    s5 += v * AT(at + 40);
    s6 += v * AT(at + 48);
    s7 += v * AT(at + 56);
  }
  *(octet *)(z) = s0;
  *(octet *)(z + 8) = s1;
  *(octet *)(z + 16) = s2;
  *(octet *)(z + 24) = s3;
  *(octet *)(z + 32) = s4;
  *(octet *)(z + 40) = s5;
  *(octet *)(z + 48) = s6;
  *(octet *)(z + 56) = s7;
}

/** 32 columns, as four sums. */
static inline __attribute__((always_inline)) void half(const gather_list *l, const double *w,
                                                       blo_int ld, double *z)
{
  octet s0 = AT(z), s1 = AT(z + 8), s2 = AT(z + 16), s3 = AT(z + 24);

  for (blo_int j = 0; j < l->n; j++) {
    const double *at = w + l->index[j] * ld, v = l->v[j];
    s0 += v * AT(at);
    s1 += v * AT(at + 8);
    s2 += v * AT(at + 16);
    s3 += v * AT(at + 24);
  }
  *(octet *)(z) = s0;
  *(octet *)(z + 8) = s1;
  *(octet *)(z + 16) = s2;
  *(octet *)(z + 24) = s3;
}

static inline __attribute__((always_inline)) void eight(const gather_list *l, const double *w,
                                                        blo_int ld, double *z)
{
  octet sum = AT(z);

  for (blo_int j = 0; j < l->n; j++) {
    sum += l->v[j] * AT(w + l->index[j] * ld);
  }
  *(octet *)(z) = sum;
}

BLO_CLONES static void gather(const gather_list *l, blo_int m, const double *w, blo_int ld,
                              double *z)
{
  blo_int c = 0;

  for (; c + STRIP <= m; c += STRIP) {
    strip(l, w + c, ld, z + c);
  }
  for (; c + HALF <= m; c += HALF) {
    half(l, w + c, ld, z + c);
  }
  for (; c + OCTET <= m; c += OCTET) {
    eight(l, w + c, ld, z + c);
  }
  for (; c < m; c++) {
    for (blo_int j = 0; j < l->n; j++) {
      z[c] += l->v[j] * w[l->index[j] * ld + c];
    }
  }
}

/* A function with clones is exported, whatever its visibility, unless it is static. */
void gather_rows(const gather_list *list, blo_int m, const double *w, blo_int ld, double *z)
{
  gather(list, m, w, ld, z);
}

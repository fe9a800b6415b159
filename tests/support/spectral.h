/* Symmetric matrices with known eigenvalues, and grids to have them on. */
#ifndef BLO_TEST_SPECTRAL_H
#define BLO_TEST_SPECTRAL_H

#include <blo/dense.h>

/* A = Q diag(l) Q', Q being a product of three reflections that depend on n only: so the matrix of
 * f(l) is f(A). Every rank has it whole, exactly symmetric. */
typedef struct spectral {
  blo_int n;
  double *a; /* [n][n] */
} spectral;

/* Leave the test if there is no memory. Call: Collective. @param l [n] */
void spectral_make(blo_comm *comm, blo_int n, const double *l, spectral *s);
void spectral_free(blo_comm *comm, spectral *s);
/* An entry function of blo_dense_set(); arg: a spectral. */
double spectral_entry(void *arg, blo_int i, blo_int j);
/* The same matrix on a grid, made or set. Call: Collective. */
blo_dense *spectral_dense(blo_grid *grid, spectral *s);
/* Largest |a_ij - s_ij|, over all ranks, or NAN. Call: Collective. */
double spectral_distance(const blo_dense *a, spectral *s);
/* crc32 of all entries, column after column; the same on all ranks. Call: Collective. */
uint32_t spectral_bits(const blo_dense *a);
/* out = A in on this rank. */
void spectral_times(const spectral *s, const double *in, double *out);
double spectral_norm_one(const spectral *s);

/* A grid; leaves the test if it cannot be made. Call: Collective. */
blo_grid *spectral_grid(blo_comm *comm, blo_int ranks, blo_int block);
/* Call `check` for sizes 1 to 600, blocks 1 to 64, and grids of all ranks, of one, and of all but
 * one. `step` 2 leaves out every other combination of a size and a block. Call: Collective. */
void spectral_cases(blo_comm *comm, int step, void (*check)(blo_grid *grid, blo_int n));

/* A checksum of what some algebra of a matrix of order n gives on a grid. */
typedef uint32_t (*spectral_bits_on)(blo_grid *grid, blo_int n);
/* The same algebra gives the same bits each time. Call: Collective. */
void spectral_expect_repeats(blo_comm *comm, spectral_bits_on bits_on);
/* A grid of one rank has the bits of a communicator of one, which is what a run on one rank has.
 * Call: Collective. */
void spectral_expect_one_rank(blo_comm *comm, spectral_bits_on bits_on);

#endif

/**
 * @file
 * All of a distributed matrix on every rank, for tests.
 */
#ifndef BLO_TEST_WHOLE_H
#define BLO_TEST_WHOLE_H

#include <blo/dense.h>

/** Call: Collective; leaves the test on failure. @param[out] all  [n][m], column after column */
void whole_matrix(const blo_dense *a, double *all);
/** The same in memory of its own, to be freed with blo_free(). */
double *whole_matrix_alloc(const blo_dense *a);

#endif

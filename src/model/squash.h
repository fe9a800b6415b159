/** @file Logistic function and tanh of arrays, several numbers at once. */
#ifndef BLO_SQUASH_H
#define BLO_SQUASH_H

#include <blo/base.h>

/** a[i] = 1 / (1 + exp(-a[i])). */
void squash_sigmoid(blo_int n, double *a);
/** a[i] = tanh(a[i]). */
void squash_tanh(blo_int n, double *a);

#endif

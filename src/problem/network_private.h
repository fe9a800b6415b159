/** @file The inside of a network problem, for files of this layer only. */
#ifndef BLO_NETWORK_PRIVATE_H
#define BLO_NETWORK_PRIVATE_H

#include "samples.h"

struct blo_net {
  samples data;
  blo_params *params;
  blo_graph *graph[2];                        /**< by level */
  blo_int *row;                               /**< [rows of a chunk] in the table */
  double *sample_value, *g_sample_value;      /**< [rows of a chunk] */
  double *j_sample_value[BLO_DIRECTIONS_MAX]; /**< [rows of a chunk] */
  double *output, *loss;                      /**< of the rows of a chunk */
  const double *x, *y;                        /**< where metrics are taken */
};

/** What the graphs are told about the samples. Call: Collective. */
blo_input network_input(blo_problem *p, const samples *s);

static inline blo_net *net_of(const blo_problem *p)
{
  return *(blo_net **)p->state;
}

#endif

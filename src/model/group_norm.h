/** @file Normalisation with scale and shift in one operation. For files of this layer only. */
#ifndef BLO_GROUP_NORM_H
#define BLO_GROUP_NORM_H

#include "graph_private.h"

/** As blo_graph_group_norm(), then times `scale` plus `shift`: parameters of one owner, a number
 *  for each group of a row. */
blo_node group_norm_add(blo_graph *g, blo_node in, blo_node scale, blo_node shift, blo_int n,
                        double eps);

#endif

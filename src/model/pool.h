/** @file What the pooling operations share. For files of this layer only. */
#ifndef BLO_POOL_H
#define BLO_POOL_H

#include "graph_private.h"

/** Describe a node over windows of size x size, stride = size, of an image; size[0] is the size.
 *  @return false if describing has failed or the windows do not fit */
bool pool_describe(blo_graph *g, const op_type *type, blo_node in, blo_int size, node *n);

#endif

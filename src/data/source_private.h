/** @file A source's contents, and the dealing of rows from the root. For this layer only. */
#ifndef BLO_SOURCE_PRIVATE_H
#define BLO_SOURCE_PRIVATE_H

#include "hdf5_private.h"

struct blo_source {
  blo_comm *comm;
  char *path;
  blo_table *table;    /**< text formats: all samples at the root, only the head elsewhere */
  blo_hdf5_data *data; /**< HDF5: open on every rank */
};

/** Sizes, storage and classes of a source, on every rank; the rows may be elsewhere. */
const blo_table *blo_source_head(const blo_source *source);
/** Rows of this rank's samples when n samples lie in S shards: [begin, end) of the set. */
void blo_set_share(blo_int n, blo_int n_shards, int size, int rank, blo_int *begin, blo_int *end);
/**
 * Send every rank the rows of its shards from the table that the root has.
 *
 * @param[in] from  the root's table; on other ranks only its head is looked at
 * @param[in] rows  [n] replicated
 * Call: Collective. @return BLO_OK; BLO_E_MEMORY
 */
blo_status blo_table_deal(blo_comm *comm, const blo_table *from, const blo_int *rows, blo_int n,
                          blo_int n_shards, blo_table **out);

#endif

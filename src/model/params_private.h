/** @file The inside of a parameter list, for files of this layer only. */
#ifndef BLO_PARAMS_PRIVATE_H
#define BLO_PARAMS_PRIVATE_H

#include <blo/model.h>

struct blo_params {
  blo_context *ctx;
  blo_block *blocks;
  blo_int n, cap;
  blo_int size[2]; /**< by owner */
};

/** Add a block; its offset is filled in. @return BLO_OK; BLO_E_MEMORY */
blo_status params_append(blo_params *params, const blo_block *block);

#endif

/** @file The context's contents, for the files of this layer only. */
#ifndef BLO_CONTEXT_PRIVATE_H
#define BLO_CONTEXT_PRIVATE_H

#include <blo/base.h>

struct blo_context {
  char text[BLO_MESSAGE_MAX], site[256];
  blo_memory_use memory;
  blo_int memory_limit; /**< bytes; 0: none */
  blo_int fault_in;     /**< fallible operations until the armed fault strikes; 0: not armed */
  bool fault_struck;
  int rank;
  blo_log_level log_level;
  blo_phase phase;
  double phase_since;
  double phase_seconds[BLO_PHASE_COUNT];
};

#endif

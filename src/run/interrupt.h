/** @file Reading the flag that blo_run_interrupt() sets. */
#ifndef BLO_RUN_INTERRUPT_H
#define BLO_RUN_INTERRUPT_H

#include <blo/run.h>

bool blo_run_interrupted(void);
/** At the end of a run, so that the next one in this process starts without it. */
void blo_run_interrupt_forget(void);

#endif

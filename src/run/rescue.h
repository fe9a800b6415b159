/**
 * @file
 * What a run that diverges leaves: a copy in memory of the state after the last recorded iteration,
 * to be saved when a later one fails.
 */
#ifndef BLO_RUN_RESCUE_H
#define BLO_RUN_RESCUE_H

#include <blo/solver.h>

typedef struct blo_rescue blo_rescue;

/** Provide for copies of all entries of a state. Call: Collective.
 *  @return BLO_OK; BLO_E_MEMORY */
BLO_MUST_USE blo_status blo_rescue_create(blo_comm *comm, const blo_state *state, blo_rescue **out);
/** Free it. NULL is accepted. Call: Collective. */
void blo_rescue_destroy(blo_rescue **rescue);
/** Copy the state. Call: Local. */
void blo_rescue_keep(blo_rescue *rescue);
/** Bring back the last copy. Call: Local. @return false if there is none */
bool blo_rescue_restore(blo_rescue *rescue);

/** See that all vectors of a state are finite. Call: Collective. Cost: one agreement.
 *  @return BLO_OK; BLO_E_NONFINITE naming one that is not */
BLO_MUST_USE blo_status blo_state_check(blo_comm *comm, const blo_state *state);

#endif

/**
 * @file
 * Moving a state from one solver to another, for tests of what it holds.
 */
#ifndef BLO_TEST_TRANSPLANT_H
#define BLO_TEST_TRANSPLANT_H

#include <blo/state.h>

/** Copy all that is entered in one list, nothing else, to the entries of those names of another
 *  list, which has no others; leaves the test on failure. Call: Collective. */
void transplant(const blo_state *from, const blo_state *to);

#endif

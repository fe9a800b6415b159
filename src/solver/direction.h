/**
 * @file
 * Random directions in a space, for methods that move away from saddles. For files of this layer
 * only.
 */
#ifndef BLO_DIRECTION_H
#define BLO_DIRECTION_H

#include <blo/solver.h>

/**
 * A direction that is uniform on the unit sphere: standard normal numbers, keyed by the entries'
 * global indices, scaled to norm 1. So the bits depend neither on the ranks nor on the layout. A
 * rooted u is not published.
 *
 * Call  Collective. Same: seed, purpose, draw. Cost: one scalar product
 * @param[in]  draw  number of the direction
 * @param[out] u     [n] in its space
 */
void random_direction(uint64_t seed, blo_purpose purpose, blo_int draw, blo_vec *u);

#endif

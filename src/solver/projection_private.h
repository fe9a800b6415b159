/** @file What projections share with methods; for files of this layer only. */
#ifndef BLO_PROJECTION_PRIVATE_H
#define BLO_PROJECTION_PRIVATE_H

#include <blo/projection.h>

/**
 * ||w|| of any size, to rounding: where squares of the entries could get too large or too small w
 * is multiplied by a power of two, `scale`, and the norm is that of the result; else `scale` is 1.
 * Not finite only if an entry is not. Call: Collective. Cost: one scalar product, or two.
 */
double scaled_norm(blo_vec *w, double *scale);
/**
 * With batches of tasks the lower vectors of all other tasks must stand still: no set may couple
 * them. Call: Local. @param[in] of_g  the sampler of the lower steps
 * @return BLO_OK; BLO_E_OPTION, naming solver.lower.set
 */
blo_status check_set_of_tasks(const blo_problem *p, const blo_projection_options *set,
                              const blo_sampler *of_g);

#endif

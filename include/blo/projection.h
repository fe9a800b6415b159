/**
 * @file
 * projection (layer solver): the sets X and Y that a method keeps x and y in, and the projections
 * onto them, for vectors of any layout. The bits do not depend on the number of ranks.
 *
 *     box      low <= z_i <= high
 *     ball     ||z - center e|| <= radius, e the vector of ones
 *     simplex  z_i >= 0, sum_i z_i = total
 *     user     what the problem's slot `project` makes of z
 */
#ifndef BLO_PROJECTION_H
#define BLO_PROJECTION_H

#include <blo/eval.h>

typedef enum blo_set_type {
  BLO_SET_NONE,
  BLO_SET_BOX,
  BLO_SET_BALL,
  BLO_SET_SIMPLEX,
  BLO_SET_USER
} blo_set_type;

/** Options of a set; a method that can work with sets has a map `set` of them. What is not of the
 *  type has its default, or is 0 in a struct that is filled by hand. */
typedef struct blo_projection_options {
  double low, high;      /**< of the box; -inf, inf: no bound */
  double center, radius; /**< of the ball; center: of every entry */
  double total;          /**< of the simplex */
  int type;              /**< blo_set_type */
} blo_projection_options;
BLO_API extern const blo_opt_table blo_projection_table;

typedef struct blo_projection blo_projection;

/**
 * Make the projection onto a set in the space of x (`of` = BLO_UPPER) or y (BLO_LOWER).
 *
 * Call  Local. @param[in] options  copied. @param[out] out  NULL for type `none`, which all
 *       functions here accept as the whole space
 * @return BLO_OK; BLO_E_MEMORY; BLO_E_OPTION if the set has no finite point, the problem no
 *         `project`, or a key of another type is not at its default
 */
BLO_API BLO_MUST_USE blo_status blo_projection_create(blo_eval *eval,
                                                      const blo_projection_options *options,
                                                      blo_level of, blo_projection **out);
/** Free it. NULL is accepted. Call: Local. */
BLO_API void blo_projection_destroy(blo_projection **set);
/**
 * z <- the nearest point of the set. A rooted z is to be published afterwards.
 * NaN is not hidden: then some entries of the result are NaN. An infinite entry is taken to its
 * bound by a box, and to 0 by a simplex if it is below; else it gives NaN too.
 *
 * Call  Collective. Cost: box, user none; ball one scalar product (two if its square is near the
 *       ends of the range of doubles); simplex two scalar products for each round of
 *       removing entries (Michelot 1986), in one message, n rounds at most, at most 15 on
 *       10^7 normal numbers; and the largest entry if z is sharded
 */
BLO_API void blo_projection_apply(blo_projection *set, blo_vec *z);
/**
 * d <- DP(z)' d with the derivative of the projection P at z, the point before it was projected:
 *
 *     box      d_i where low < z_i < high, else 0
 *     ball     d inside; (radius / r) (d - u u'd) outside, u = (z - center e) / r, r its norm
 *     simplex  d_i - mean of d over the support of P(z), on that support; else 0
 *
 * Where P has no derivative, at a kink, it is that of one side.
 *
 * Call  Collective. Cost: as blo_projection_apply(), and one scalar product for ball and simplex.
 */
BLO_API void blo_projection_pullback(blo_projection *set, const blo_vec *z, blo_vec *d);
/** z <- the nearest point with ||z - center|| <= radius, for a ball around a point. Call:
 *  Collective. Cost: as of a ball above. @param[out] work  room, of the same space */
BLO_API void blo_ball_project(const blo_vec *center, double radius, blo_vec *z, blo_vec *work);

#endif

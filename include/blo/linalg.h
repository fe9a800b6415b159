/**
 * @file
 * linalg: spaces and vectors. The space decides the communication.
 *
 *   rooted      the root rank owns the vector and updates it; the others have a copy that
 *               blo_vec_publish() refreshes by broadcast
 *   replicated  every rank holds the vector and does the same arithmetic
 *   sharded     each rank owns the slices of its logical shards
 *
 * Solvers are written once against these operations and never call MPI. Every space is cut into S
 * logical shards, whatever its layout, and scalar products add the shards' parts in the fixed tree
 * of comm.h: so their bits depend neither on the layout nor on the number of ranks.
 */
#ifndef BLO_LINALG_H
#define BLO_LINALG_H

#include <blo/comm.h>

/* ------------------------------------------------------------- spaces */

typedef enum blo_layout { BLO_ROOTED, BLO_REPLICATED, BLO_SHARDED } blo_layout;
/** "rooted", "replicated", "sharded", NULL. */
BLO_API extern const char *const blo_layout_names[];

enum { BLO_ROOT = 0 }; /**< the rank that owns rooted vectors */

typedef struct blo_space blo_space;

/**
 * Make a space of n numbers, cut into n_shards logical shards.
 * Call  Local, with the same arguments on all ranks. @return BLO_OK; BLO_E_MEMORY
 */
BLO_API BLO_MUST_USE blo_status blo_space_create(blo_comm *comm, blo_layout layout, blo_int n,
                                                 blo_int n_shards, blo_space **out);
/**
 * The same for n_items items of `width` numbers each; the shards are cut between items, as
 * those of a set of n_items samples are. width = 1: blo_space_create(). Call: Local.
 */
BLO_API BLO_MUST_USE blo_status blo_space_create_items(blo_comm *comm, blo_layout layout,
                                                       blo_int n_items, blo_int width,
                                                       blo_int n_shards, blo_space **out);
/** Free it; its vectors are gone before. NULL is accepted. Call: Local. */
BLO_API void blo_space_destroy(blo_space **space);
BLO_API blo_comm *blo_space_comm(const blo_space *space);
BLO_API blo_layout blo_space_layout(const blo_space *space);
BLO_API blo_int blo_space_n(const blo_space *space);
BLO_API blo_int blo_space_n_shards(const blo_space *space);
/** Numbers stored on this rank: n, or those of its shards. Call: Local. */
BLO_API blo_int blo_space_n_local(const blo_space *space);
/** Global index of the first number stored on this rank. Call: Local. */
BLO_API blo_int blo_space_first(const blo_space *space);
/** True if this rank updates vectors of the space (all but the workers of a rooted one). Call:
 *  Local. */
BLO_API bool blo_space_owned(const blo_space *space);
/** Where shard s begins in this rank's storage. Call: Local. */
BLO_API blo_int blo_space_shard_offset(const blo_space *space, blo_int s);

/* ------------------------------------------------------------ vectors */

typedef struct blo_vec {
  blo_space *space; /**< borrowed */
  double *data;     /**< [n_local]; on workers of a rooted space the copy received last */
} blo_vec;

/** Make a zero vector. Call: Local. @return BLO_OK; BLO_E_MEMORY */
BLO_API BLO_MUST_USE blo_status blo_vec_create(blo_space *space, blo_vec **out);
/** Free it. NULL is accepted. Call: Local. */
BLO_API void blo_vec_destroy(blo_vec **v);

/* Elementwise, on the ranks that own the vector. All Local. */

/** v = value. */
BLO_API void blo_vec_fill(blo_vec *v, double value);
/** to = from. */
BLO_API void blo_vec_copy(const blo_vec *from, blo_vec *to);
/** v = a v. */
BLO_API void blo_vec_scale(double a, blo_vec *v);
/** y = y + a x. */
BLO_API void blo_vec_axpy(double a, const blo_vec *x, blo_vec *y);
/** y = a y + x. */
BLO_API void blo_vec_aypx(double a, const blo_vec *x, blo_vec *y);
/** The constants of Adam (Kingma and Ba 2015, arXiv 1412.6980, algorithm 1). */
typedef struct blo_adam {
  double beta1, beta2; /**< in [0, 1) */
  double epsilon;
} blo_adam;
/**
 * Step number t = 1, 2, ... of Adam along g = scale * direction, with step size gamma:
 *
 *     m <- beta1 m + (1 - beta1) g     v <- beta2 v + (1 - beta2) g^2
 *     x <- x - gamma (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
 *
 * @param[in,out] m, v  the moments, zero before the first step, in the space of x
 */
BLO_API void blo_vec_adam(const blo_adam *adam, blo_int t, double gamma, double scale,
                          const blo_vec *direction, blo_vec *m, blo_vec *v, blo_vec *x);

/** Send a rooted vector to all ranks; nothing to do for the others. Call: Collective. */
BLO_API void blo_vec_publish(blo_vec *v);

/**
 * Scalar products of pairs of vectors of one space, the same bits on every rank.
 *
 * Call  Collective. Cost: replicated none; sharded one reduction, rooted one broadcast, of `n`
 *       numbers
 * @param[in]  a, b  [n] vectors, n <= BLO_DOTS_MAX
 * @param[out] dots  [n]
 */
enum { BLO_DOTS_MAX = 8 };
BLO_API void blo_vec_dots(blo_int n, const blo_vec *const *a, const blo_vec *const *b,
                          double *dots);
/** One scalar product. Call: Collective. */
BLO_API double blo_vec_dot(const blo_vec *a, const blo_vec *b);
/** The Euclidean norm. Call: Collective. */
BLO_API double blo_vec_norm(const blo_vec *v);
/** True if all numbers that this rank owns are finite. Call: Local. */
BLO_API bool blo_vec_finite(const blo_vec *v);

/**
 * Complete a rooted vector whose shards each rank has computed in its own copy: the workers' slices
 * are moved to the root. Nothing to do for other layouts. Call: Collective.
 */
BLO_API void blo_vec_collect(blo_vec *v);
/**
 * Collect the whole vector, in global order, at the root. Call: Collective.
 * @param[out] all  [n] at the root, ignored elsewhere
 */
BLO_API void blo_vec_gather(const blo_vec *v, double *all);
/** Set the vector on all ranks from the root's copy. Call: Collective. @param[in] all [n] at root
 */
BLO_API void blo_vec_scatter(double *all, blo_vec *v);
/** The whole vector, in global order, on every rank. Call: Collective. Cost: none if replicated;
 * one broadcast if rooted; a gather and a broadcast if sharded. @param[out] all [n] */
BLO_API void blo_vec_get_all(const blo_vec *v, double *all);
/** What this rank stores of a vector, from all of it. Call: Local. @param[in] all [n] */
BLO_API void blo_vec_set_from(const double *all, blo_vec *v);
/** crc32 of the numbers in global order; the same for any layout and rank count. Call: Collective.
 *  @return BLO_OK; BLO_E_MEMORY */
BLO_API BLO_MUST_USE blo_status blo_vec_checksum(const blo_vec *v, uint32_t *crc);

/* ------------------------------------------- plain arrays, one rank's own */

/** Sum of a_i b_i over n numbers in a fixed order of additions. Call: Local. */
BLO_API double blo_array_dot(blo_int n, const double *a, const double *b);
/** The Euclidean norm of n numbers. Call: Local. */
BLO_API double blo_array_norm(blo_int n, const double *a);
/** True if no number is infinite or NaN. Call: Local. */
BLO_API bool blo_array_finite(blo_int n, const double *a);

#endif

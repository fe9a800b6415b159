/**
 * @file
 * comm: the communicator, agreement on errors, logical shards, and sums that do not depend on the
 * number of ranks.
 *
 * Logical shards. n items are cut once into S shards, S a power of two that does not depend on the
 * number of ranks: shard s holds the items [s*n/S, (s+1)*n/S). Rank r of P owns the shards
 * [r*S/P, (r+1)*S/P). Needs P <= S.
 *
 * Sums. Every shard contributes a vector. With BLO_REPRODUCIBLE the S vectors are added in one
 * fixed binary tree over the shard numbers, so the bits of the sum are the same on any number of
 * ranks; with BLO_FAST each rank adds its shards in order and MPI_Allreduce does the rest.
 *
 * A function marked Collective must be called by all ranks of the communicator, and returns the
 * same status on all of them.
 */
#ifndef BLO_COMM_H
#define BLO_COMM_H

#include <blo/base.h>
#include <mpi.h>

typedef struct blo_comm blo_comm;

/** Duplicate an MPI communicator, whose errors are fatal. Call: Collective. */
BLO_API BLO_MUST_USE blo_status blo_comm_create(blo_context *ctx, MPI_Comm mpi, blo_comm **out);
/** Free it. NULL is accepted. Call: Collective. */
BLO_API void blo_comm_destroy(blo_comm **comm);
BLO_API int blo_comm_rank(const blo_comm *comm);
BLO_API int blo_comm_size(const blo_comm *comm);
BLO_API blo_context *blo_comm_context(const blo_comm *comm);
/** The duplicated MPI communicator, for code outside ParBLO's layers. Call: Local. */
BLO_API MPI_Comm blo_comm_mpi(const blo_comm *comm);

/** Messages and bytes that this rank has taken part in since the communicator was made. */
typedef struct blo_traffic {
  blo_int reductions; /**< fused sums, one per blo_sum_finish() */
  blo_int broadcasts; /**< broadcasts, gathers and scatters of vectors */
  blo_int agreements; /**< agreements on a status */
  blo_int bytes;      /**< payload of all of them */
} blo_traffic;
/** The counts so far. Call: Local. */
BLO_API blo_traffic blo_comm_traffic(const blo_comm *comm);
/** Count a movement of a vector that linalg makes itself. Call: Local. */
BLO_API void blo_comm_count_broadcast(blo_comm *comm, blo_int n_bytes);
/** Count a sum that linalg makes itself. Call: Local. */
BLO_API void blo_comm_count_reduction(blo_comm *comm, blo_int n_bytes);

/* -------------------------------------------------------------- agreement */

/**
 * Make a rank-local failure everybody's failure.
 *
 * Call  Collective. The status of the lowest failing rank, with its text, is returned and recorded
 * on every rank.
 * Cost  one reduction of one integer; on failure also a broadcast of the text.
 */
BLO_API BLO_MUST_USE blo_status blo_agree(blo_comm *comm, blo_status local);
/** The same when only `root` did the work: one broadcast. Call: Collective. */
BLO_API BLO_MUST_USE blo_status blo_agree_from(blo_comm *comm, int root, blo_status at_root);
/** A Local callee inside a Collective function: agree, then propagate. */
#define BLO_TRY_ALL(comm, call) BLO_TRY(blo_agree((comm), (call)))
#define BLO_GO_ALL(comm, call)  BLO_GO(blo_agree((comm), (call)))

/** Broadcast bytes from `root`; any length. Call: Collective. */
BLO_API void blo_bcast(blo_comm *comm, int root, void *data, blo_int n_bytes);
/** Broadcast a string made by blo_alloc at root; allocated on the others. Call: Collective. */
BLO_API BLO_MUST_USE blo_status blo_bcast_text(blo_comm *comm, int root, char **text);
/** The largest of the ranks' values, on all ranks. Call: Collective. */
BLO_API double blo_max_all(blo_comm *comm, double value);
/** The sum of the ranks' integers, on all ranks. Call: Collective. */
BLO_API blo_int blo_sum_all(blo_comm *comm, blo_int value);

/* ----------------------------------------------------------------- shards */

/** First item of shard s of S when n items are cut; s = S gives n. Call: Local. */
BLO_API blo_int blo_shard_begin(blo_int n, blo_int n_shards, blo_int s);
/** First shard of rank r of P; r = P gives S. Call: Local. */
BLO_API blo_int blo_rank_first_shard(blo_int n_shards, int size, int rank);
/** First shard of this rank, and one past its last. Call: Local. */
BLO_API blo_int blo_comm_first_shard(const blo_comm *comm, blo_int n_shards);
BLO_API blo_int blo_comm_end_shard(const blo_comm *comm, blo_int n_shards);
/** Refuse shard counts that are no power of two, or fewer shards than ranks. Call: Local, and the
 *  same on every rank. @return BLO_OK; BLO_E_OPTION */
BLO_API BLO_MUST_USE blo_status blo_shards_check(blo_comm *comm, blo_int n_shards);

/* ------------------------------------------------------------------- sums */

typedef enum blo_reduction { BLO_REPRODUCIBLE, BLO_FAST } blo_reduction;

typedef struct blo_sum blo_sum;

/**
 * Plan sums of vectors of at most `max_len` doubles over S shards; ranks may plan for different
 * lengths, and sum what all of them have planned for.
 *
 * Call  Local (no communication); all memory is taken here.
 * @return BLO_OK; BLO_E_MEMORY; BLO_E_SHAPE if max_len is too long for one MPI message
 */
BLO_API BLO_MUST_USE blo_status blo_sum_create(blo_comm *comm, blo_reduction how, blo_int n_shards,
                                               blo_int max_len, blo_sum **out);
/** Free the plan. NULL is accepted. Call: Local. */
BLO_API void blo_sum_destroy(blo_sum **sum);
/** Start a sum of vectors of `len` doubles. Call: Local. */
BLO_API void blo_sum_begin(blo_sum *sum, blo_int len);
/**
 * The vector [len] into which the next shard adds; zero or, with BLO_FAST, the shards before it.
 * Call: Local, once for each of the rank's shards, in ascending order.
 */
BLO_API double *blo_sum_next_shard(blo_sum *sum);
/**
 * After a pass over the shards, another one: their vectors [len] come behind those before, in the
 * same sum. The bits are those of two sums; there is one message. Call: Local.
 */
BLO_API void blo_sum_append(blo_sum *sum, blo_int len);
/**
 * Finish: the total of all shards of all ranks.
 *
 * Call  Collective. Ranks whose shards were not all opened contribute zeros for the rest.
 * Cost  one reduction of len doubles.
 * @param[out] total [len] replicated
 */
BLO_API void blo_sum_finish(blo_sum *sum, double *total);
/** Provide for blo_sum_finish_pieces(). Call: Local. @return BLO_OK; BLO_E_MEMORY */
BLO_API BLO_MUST_USE blo_status blo_sum_provide_pieces(blo_sum *sum);
/**
 * Finish as blo_sum_finish() does, with the same bits if the sum is reproducible, but rank r is
 * given only [begin[r], begin[r + 1]) of the total, and all ranks the tail [begin[size], len).
 *
 * Call  Collective.
 * Cost  one exchange in which a rank sends and receives about len doubles (in several rounds if
 *       len is large and the number of ranks no power of two), counted as one reduction.
 * @param[in]  begin [size + 1] ascending from 0, the same on every rank
 * @param[out] total [len], of which the rest is left alone
 */
BLO_API void blo_sum_finish_pieces(blo_sum *sum, const blo_int *begin, double *total);
/** Bytes that such a plan takes on a rank at most, with pieces provided for; but for its tables,
 *  which do not grow with max_len. Call: Local. */
BLO_API blo_int blo_sum_bytes(const blo_comm *comm, blo_reduction how, blo_int n_shards,
                              blo_int max_len);
/**
 * The same tree over S numbers that one rank has all of: the total that the distributed sum gives.
 * @param[in,out] part [n_shards], overwritten. Call: Local.
 */
BLO_API double blo_tree_sum(double *part, blo_int n_shards);

#endif

/**
 * @file
 * random: counter-based streams and the samplers made of them.
 *
 * A number is a pure function of (seed, purpose, iteration, shard, index): Philox4x64-10 of
 * Random123 (Salmon et al., SC 2011) with key (seed, purpose) and counter (iteration, shard, index,
 * 0). Nothing is stored, so one rank and a thousand ranks draw the same, and a restart needs only
 * the iteration number.
 */
#ifndef BLO_RANDOM_H
#define BLO_RANDOM_H

#include <blo/comm.h>

/** What a stream is for; two purposes never share numbers. Values are part of the file format. */
typedef enum blo_purpose {
  BLO_PURPOSE_SPLIT = 1,     /**< which samples form the training and validation sets */
  BLO_PURPOSE_CORRUPT = 2,   /**< which labels are corrupted, and how */
  BLO_PURPOSE_INIT = 3,      /**< initial points */
  BLO_PURPOSE_LOWER = 4,     /**< batches of lower-level steps */
  BLO_PURPOSE_UPPER = 5,     /**< batches of the upper-level objective */
  BLO_PURPOSE_ADJOINT = 6,   /**< batches of Hessian products */
  BLO_PURPOSE_CROSS = 7,     /**< batches of the mixed product */
  BLO_PURPOSE_CHECK = 8,     /**< random directions of derivative checks */
  BLO_PURPOSE_TEST = 9,      /**< tests and generated data */
  BLO_PURPOSE_TASKS = 10,    /**< batches of tasks that serve a whole outer iteration */
  BLO_PURPOSE_EPISODE = 11,  /**< classes and samples of few-shot episodes */
  BLO_PURPOSE_DIRECTION = 12 /**< random directions and signs of methods that leave saddles */
} blo_purpose;

typedef struct blo_stream {
  uint64_t seed, purpose;
} blo_stream;

/** Four 64-bit numbers of the stream. Call: Local. */
BLO_API void blo_stream_bits(blo_stream st, uint64_t iteration, uint64_t shard, uint64_t index,
                             uint64_t out[4]);
/** A double uniform on [0, 1), with 53 random bits. Call: Local. */
BLO_API double blo_stream_uniform(blo_stream st, uint64_t iteration, uint64_t shard,
                                  uint64_t index);
/** A standard normal number (Box and Muller 1958). Call: Local. */
BLO_API double blo_stream_normal(blo_stream st, uint64_t iteration, uint64_t shard, uint64_t index);
/** An integer uniform on [0, n), n >= 1, without modulo bias (Lemire 2019). Call: Local. */
BLO_API uint64_t blo_stream_below(blo_stream st, uint64_t iteration, uint64_t shard, uint64_t index,
                                  uint64_t n);
/** A random permutation of 0..n-1 (Fisher and Yates); the same on every rank. Call: Local.
 *  @param[out] perm [n] */
BLO_API void blo_stream_permutation(blo_stream st, uint64_t iteration, blo_int n, blo_int *perm);

/* ---------------------------------------------------------------- batches */

/**
 * The part of a batch that a rank owns.
 * Shard s (counted from the rank's first one) contributes the rows row[start[s]..start[s+1]),
 * counted from the shard's first sample, ascending; with `row` NULL all of its samples.
 */
typedef struct blo_batch {
  blo_int n;            /**< samples of the whole batch, over all ranks */
  blo_int n_own;        /**< samples of this rank */
  const blo_int *start; /**< [own shards + 1] */
  const int32_t *row;   /**< [n_own], or NULL for the full batch */
} blo_batch;

typedef struct blo_sampler blo_sampler;

/**
 * A sampler of batches of b samples out of n that lie in S shards.
 *
 * Shard s, holding the samples [c_s, c_{s+1}), contributes
 *     b_s = floor(b c_{s+1}/n + u) - floor(b c_s/n + u)
 * of them, drawn without replacement, u uniform on [0,1) for the iteration. So every batch has
 * exactly b distinct samples, E b_s = b n_s/n, and each sample is drawn with probability b/n: the
 * mean over the batch is an unbiased estimate of the mean over the data (systematic stratified
 * sampling; Cochran, Sampling Techniques, 1977, ch. 5 and 8).
 * b = 0 or b >= n: all samples, always.
 *
 * Call  Local. @return BLO_OK; BLO_E_MEMORY
 */
BLO_API BLO_MUST_USE blo_status blo_sampler_create(const blo_comm *comm, uint64_t seed,
                                                   blo_purpose purpose, blo_int n, blo_int n_shards,
                                                   blo_int b, blo_sampler **out);
/** Free it. NULL is accepted. Call: Local. */
BLO_API void blo_sampler_destroy(blo_sampler **sampler);
/**
 * The rank's part of batch number `draw`; drawing the same number again gives the same batch.
 * @return a batch owned by the sampler, valid until the next draw. Call: Local.
 */
BLO_API const blo_batch *blo_sampler_draw(blo_sampler *sampler, uint64_t draw);
/** True if every batch is the full data. Call: Local. */
BLO_API bool blo_sampler_is_full(const blo_sampler *sampler);
/** Samples in a batch. Call: Local. */
BLO_API blo_int blo_sampler_size(const blo_sampler *sampler);
/** The most samples of a batch that this rank can own. Call: Local. */
BLO_API blo_int blo_sampler_max_own(const blo_sampler *sampler);

#endif

/**
 * @file
 * Few-shot episodes (Vinyals et al. 2016, arXiv 1606.04080): N classes drawn from a source, K
 * samples of each to learn from (support) and Q others to be judged by (queries). Episode e is a
 * function of the seed and e. For files of this layer only.
 */
#ifndef BLO_EPISODES_H
#define BLO_EPISODES_H

#include <blo/problem.h>

typedef struct episode_shape {
  blo_int ways, shots, queries; /**< N, K, Q */
} episode_shape;

/** Samples of an episode: class by class, the support before the queries. */
static inline blo_int episode_size(const episode_shape *s)
{
  return s->ways * (s->shots + s->queries);
}

/** What the samples of a source are drawn by; other numbers give other episodes. */
typedef struct episode_draw {
  uint64_t seed, number;
} episode_draw;

/**
 * Draw `n` episodes from a source and take their samples as a set, episode by episode, cut into
 * shards between episodes.
 *
 * Call  Collective. @return BLO_OK; BLO_E_DATA if the source has too few classes or samples of a
 * class; BLO_E_OPTION if n is no multiple of n_shards; what reading gives
 */
blo_status episodes_take(blo_comm *comm, blo_source *source, const char *path,
                         const episode_shape *shape, episode_draw draw, blo_int n, blo_int n_shards,
                         blo_set **out);

/** Places in an episode, and the labels 0..N-1, of its support or its queries.
 *  @param[out] place, label  [N K] or [N Q] */
void episode_part(const episode_shape *shape, bool queries, blo_int *place, int32_t *label);

#endif

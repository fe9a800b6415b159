/**
 * @file
 * eval: distributed, counted evaluation of a problem's oracles. One *sweep* evaluates everything
 * that is asked for on one batch of lower-level and one batch of upper-level samples, from one read
 * of the data, and sums it over the ranks in one fused message; the ranks' errors and their notices
 * (a signal has come, time is up) ride along.
 */
#ifndef BLO_EVAL_H
#define BLO_EVAL_H

#include <blo/problem.h>

typedef struct blo_eval blo_eval;

/** Oracle calls on batches, and samples they touched on all ranks together. */
#define BLO_COUNT_LIST(X)                                                                          \
  X(g, "values of g")                                                                              \
  X(g_x, "gradients of g in x")                                                                    \
  X(g_y, "gradients of g in y")                                                                    \
  X(hv, "Hessian products H v")                                                                    \
  X(jv, "mixed products J v")                                                                      \
  X(f, "values of f")                                                                              \
  X(f_x, "gradients of f in x")                                                                    \
  X(f_y, "gradients of f in y")                                                                    \
  X(samples, "samples read, over all ranks")
#define BLO_COUNT_FIELD(name, text) blo_int name;
typedef struct blo_counts {
  BLO_COUNT_LIST(BLO_COUNT_FIELD)
} blo_counts;
#undef BLO_COUNT_FIELD

/** A question. Vectors are in the problem's spaces; x is up to date on all ranks (published). */
typedef struct blo_ask {
  unsigned lower, upper; /**< BLO_WANT_... of each level; 0: level is not evaluated */
  const blo_batch *lower_batch, *upper_batch; /**< NULL: all samples */
  const blo_vec *x, *y;
  blo_int n_v;                          /**< directions */
  const blo_vec *v[BLO_DIRECTIONS_MAX]; /**< [n_v] */
  bool linearize;                       /**< keep what products at (x, y) on lower_batch share */
  bool same_x;     /**< with linearize: x and lower_batch are those of the last linearising sweep,
                        only y differs: what does not depend on y is used again */
  bool linearized; /**< use it: lower_batch, x and y are those of the last linearising sweep */
  bool join;       /**< give H v - grad_y f in hv and J v - grad_x f in jv (SOBA's directions) */
  bool scatter;    /**< products of a direction go whole to one rank only; see blo_eval_sweep() */
} blo_ask;

/** The answer; vectors are the caller's, overwritten if wanted, else not looked at. */
typedef struct blo_answer {
  double g, f;
  blo_vec *g_x, *g_y, *f_x, *f_y;
  blo_vec *hv[BLO_DIRECTIONS_MAX], *jv[BLO_DIRECTIONS_MAX]; /**< [n_v of the question] */
} blo_answer;

/**
 * Make an evaluator for a problem; all memory that sweeps need is taken here and in
 * blo_eval_reserve().
 * Call  Collective. @return BLO_OK; BLO_E_MEMORY; BLO_E_UNSUPPORTED, BLO_E_SHAPE or BLO_E_OPTION if
 *       the problem's sizes and layout do not go together
 */
BLO_API BLO_MUST_USE blo_status blo_eval_create(blo_problem *problem, blo_reduction how,
                                                blo_eval **out);
/** Free it. NULL is accepted. Call: Local. */
BLO_API void blo_eval_destroy(blo_eval **eval);
BLO_API blo_problem *blo_eval_problem(const blo_eval *eval);
/** The spaces of x and y, owned by the evaluator. Call: Local. */
BLO_API blo_space *blo_eval_space_x(const blo_eval *eval);
BLO_API blo_space *blo_eval_space_y(const blo_eval *eval);

/**
 * Provide for sweeps to come: linearisations of up to `rows` samples of this rank, and up to
 * `directions` directions at once. Without it sweeps can have one direction, and cannot linearise.
 * Smaller numbers than before change nothing; rows beyond the rank's own samples of g count as
 * these, so n_lower provides for all.
 * Call  Local. @return BLO_OK; BLO_E_MEMORY; BLO_E_SHAPE if the message gets too long for MPI
 */
BLO_API BLO_MUST_USE blo_status blo_eval_reserve(blo_eval *eval, blo_int rows, blo_int directions);

/**
 * Provide for scattered sweeps: with up to `directions` directions, that want no other products
 * than `want` (BLO_WANT_HV, BLO_WANT_JV), and `rows` as above. Smaller numbers than before change
 * nothing. Call  Local. @return BLO_OK; BLO_E_MEMORY; BLO_E_SHAPE if the message gets too long for
 * MPI
 */
BLO_API BLO_MUST_USE blo_status blo_eval_reserve_scattered(blo_eval *eval, blo_int rows,
                                                           blo_int directions, unsigned want);
/** Bytes that this takes for messages on the rank that has most. Call: Local. */
BLO_API blo_int blo_eval_scattered_bytes(const blo_eval *eval, blo_int directions, unsigned want);
/** The first of the n_v directions of a scattered sweep whose products go to this rank; those from
 *  the next rank's first one on do not; rank = size gives n_v. Call: Local. */
BLO_API blo_int blo_eval_first_direction(const blo_eval *eval, blo_int n_v, int rank);

/**
 * A sampler of batches of one level for a method's block, and the batch to use in inner step `t` of
 * outer iteration k, where a block makes at most `per_outer` draws an outer iteration (its draws
 * are numbered k per_outer + t). If y belongs to tasks, all blocks draw the one batch of tasks of
 * the outer iteration, and must ask for the same size; blo_eval_start() begins a new method, whose
 * size is free. Call  Local, the same on every rank.
 * @return BLO_OK; BLO_E_MEMORY; BLO_E_OPTION if the sizes of two blocks differ though y belongs to
 *         tasks
 */
BLO_API BLO_MUST_USE blo_status blo_eval_sampler(blo_eval *eval, uint64_t seed, blo_purpose purpose,
                                                 blo_int batch, blo_sampler **out);
/** The batch of step `t`; valid until the sampler's next draw. Call: Local. */
BLO_API const blo_batch *blo_eval_draw(const blo_eval *eval, blo_sampler *sampler, blo_int k,
                                       blo_int per_outer, blo_int t);
/** True if all draws of an outer iteration give the same batch. Call: Local. */
BLO_API bool blo_eval_one_batch(const blo_eval *eval, const blo_sampler *sampler);

/**
 * Evaluate.
 *
 * Where every part that is wanted stays on its rank (gradients and products in a y that belongs to
 * tasks, in a sharded x, and what samples do not contribute to) and no value is wanted, nothing is
 * sent: a failure is then kept, and becomes everybody's with the next sweep or metrics that
 * communicate.
 *
 * Several directions go in one sweep, their products in one message, if the problem has
 * BLO_HAS_DIRECTIONS; else the sweep is made once for each direction, everything else that is
 * wanted with the first one. Each direction counts as a product.
 *
 * A *scattered* sweep wants products, and values at most. Those of direction i go to one rank only,
 * blo_eval_first_direction() tells which: there the whole vector is written, whatever its layout
 * (of a rooted x the rank's own copy). On the other ranks hv[i] and jv[i] are left alone, and may
 * be NULL. Vectors that belong to samples (tasks' y; an aligned x, rooted or not) are on no one
 * rank: each writes its own slices of all directions, and nobody collects them. Terms without
 * samples are asked for one direction at a time; if a product is not finite in these only, this is
 * kept as above: see blo_eval_settle(). The bits depend on the number of ranks no more than those
 * of any sweep.
 *
 * Call  Collective. Cost: one reduction, or none, or one for each direction; a rooted aligned x
 *       adds one gather per x-vector wanted; a scattered sweep, one number from all to all
 * @return BLO_OK; BLO_E_NONFINITE naming quantity, rank and shard; BLO_E_UNSUPPORTED if products
 *         are wanted linearised and the problem cannot, a joined sweep has several directions, or
 *         Gauss-Newton products are wanted of a problem without them;
 *         what an oracle returned, on any rank
 */
BLO_API BLO_MUST_USE blo_status blo_eval_sweep(blo_eval *eval, const blo_ask *ask,
                                               blo_answer *answer);
/**
 * Provide for pairs of sweeps that want this (only their `lower` and `upper` are looked at).
 * Call  Local. @return BLO_OK; BLO_E_MEMORY; BLO_E_SHAPE if the message gets too long for MPI
 */
BLO_API BLO_MUST_USE blo_status blo_eval_reserve_pair(blo_eval *eval, const blo_ask *first,
                                                      const blo_ask *second);
/**
 * Evaluate two questions, e.g. at two points, in one message. The answers have the bits of two
 * sweeps. At most one direction each; without linearisations, not scattered.
 * Call  Collective. Cost: one reduction, or none; see blo_eval_sweep(). @return as there
 */
BLO_API BLO_MUST_USE blo_status blo_eval_sweep_pair(blo_eval *eval, const blo_ask *const ask[2],
                                                    blo_answer *const answer[2]);
/**
 * Make failures that sweeps have kept everybody's now: for callers that draw conclusions from what
 * was computed, and have no sweep that communicates before. Call: Collective. Cost: one agreement.
 * @return BLO_OK; the kept failure of the lowest rank that has one
 */
BLO_API BLO_MUST_USE blo_status blo_eval_settle(blo_eval *eval);
/** True if the problem supports linearised products. Call: Local. */
BLO_API bool blo_eval_can_linearize(const blo_eval *eval);
/**
 * The task metrics at (x, y). Call: Collective. Cost: one reduction and one agreement.
 * @param[out] values [n_metrics of the problem's type]
 */
BLO_API BLO_MUST_USE blo_status blo_eval_metrics(blo_eval *eval, const blo_vec *x, const blo_vec *y,
                                                 double *values);
/** Starting values of the problem, in vectors of its spaces; x is published. Call: Collective. */
BLO_API void blo_eval_start(blo_eval *eval, blo_vec *x, blo_vec *y);
/** Counts since the evaluator was made, and setting them (after a restart). Call: Local. */
BLO_API blo_counts *blo_eval_counts(blo_eval *eval);

/** Notices: what one rank knows and all ranks must act on together. */
enum { BLO_NOTICE_SIGNAL, BLO_NOTICE_TIME, BLO_NOTICE_CHECKPOINT, BLO_N_NOTICES };
/** Give notice; it reaches all ranks with the next sweep that communicates. Call: Local. */
BLO_API void blo_eval_notify(blo_eval *eval, int notice);
/** True if, by the last sweep, any rank had given this notice; the same on all ranks. Call: Local.
 */
BLO_API bool blo_eval_noticed(const blo_eval *eval, int notice);
/** Forget a notice, on this rank. Call: Local, on all ranks at the same point. */
BLO_API void blo_eval_forget(blo_eval *eval, int notice);

#endif

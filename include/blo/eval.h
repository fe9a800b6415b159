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
  const blo_vec *x, *y, *v;
  bool linearize;  /**< keep what products at (x, y) on lower_batch share */
  bool linearized; /**< use it: lower_batch, x and y are those of the last linearising sweep */
  bool join;       /**< give H v - grad_y f in hv and J v - grad_x f in jv (SOBA's directions) */
} blo_ask;

/** The answer; vectors are the caller's, overwritten if wanted, else not looked at. */
typedef struct blo_answer {
  double g, f;
  blo_vec *g_x, *g_y, *hv, *jv, *f_x, *f_y;
} blo_answer;

/**
 * Make an evaluator for a problem; all memory that sweeps need is taken here.
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
 * Evaluate.
 *
 * Call  Collective. Cost: one reduction; a rooted aligned x adds one gather per x-vector wanted
 * @return BLO_OK; BLO_E_NONFINITE naming quantity, rank and shard; BLO_E_UNSUPPORTED if products
 *         are wanted linearised and the problem cannot; what an oracle returned, on any rank
 */
BLO_API BLO_MUST_USE blo_status blo_eval_sweep(blo_eval *eval, const blo_ask *ask,
                                               blo_answer *answer);
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
/** Give notice; it reaches all ranks with the next sweep. Call: Local. */
BLO_API void blo_eval_notify(blo_eval *eval, int notice);
/** True if, by the last sweep, any rank had given this notice; the same on all ranks. Call: Local.
 */
BLO_API bool blo_eval_noticed(const blo_eval *eval, int notice);
/** Forget a notice, on this rank. Call: Local, on all ranks at the same point. */
BLO_API void blo_eval_forget(blo_eval *eval, int notice);

#endif

/**
 * @file
 * Recurrent layers: what a cell is, and the operation that all cells share (op_recurrent.c).
 *
 * A cell is a pointwise function of a row of k hidden units at one step. It gets the input part p
 * [gates k] and q = h_before W + b [gates k], and makes h [k] and a state [state k] that its
 * derivatives, or the next step, need. Its four functions are those of an operation, with the
 * products with W left out.
 */
#ifndef BLO_OP_RECURRENT_H
#define BLO_OP_RECURRENT_H

#include "graph_private.h"

/** A row of a step: values, tangents, adjoints or tangents of adjoints. */
typedef struct cell_row {
  double *gate; /**< [gates k]; values, tangents: of q, to be replaced by the cell's own; adjoints:
                   of q, to write */
  double *h_before; /**< [k] of the step before, 0 at first; adjoints: to add to, beside q's part */
  double *h;        /**< [k]; values, tangents: to write */
  double *state_before; /**< the state of the step before; as h_before */
  double *state; /**< values, tangents: to write; adjoints: what later steps gave, to complete
                    by this step's part */
} cell_row;

/** A cell and the operation made of it. Numbers per unit and step: gates; the state's value,
 *  tangent and adjoint. The part of the state that the next step sees comes first, [k]. */
typedef struct cell_type {
  op_type op;
  blo_int gates, state, state_dot, state_bar;
  /** Replaces v's gates, writes v's h and state. */
  void (*value)(blo_int k, const double *p, const cell_row *v);
  /** From the adjoints of h and state: q's is written to bar's gates, p's is added to p_bar. */
  void (*vjp)(blo_int k, const cell_row *v, const cell_row *bar, double *p_bar);
  void (*jvp)(blo_int k, const cell_row *v, const double *p_dot, const cell_row *dot);
  /** As vjp, one tangent further; `bar` is as vjp has left it. */
  void (*vjp_dot)(blo_int k, const cell_row *v, const cell_row *dot, const cell_row *bar,
                  const cell_row *bar_dot, double *p_bar_dot);
} cell_type;

/* The functions of the operation of any cell; its op_type is the first part of its cell_type. */
void recurrent_value(const op_call *c);
void recurrent_vjp(const op_call *c);
void recurrent_jvp(const op_call *c);
void recurrent_vjp_dot(const op_call *c);

/** Add a node; n_in is 2 (p, w) or 3 (p, w, b_hh). */
blo_node recurrent_add(blo_graph *g, const cell_type *cell, int n_in, const blo_node *in);

/* Before a loop over hidden units: its arrays do not overlap, so it can take several at once. */
#if defined __clang__
#define EACH_UNIT _Pragma("clang loop vectorize(assume_safety)")
#elif defined __GNUC__
#define EACH_UNIT _Pragma("GCC ivdep")
#else
#define EACH_UNIT
#endif

#endif

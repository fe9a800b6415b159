/**
 * @file
 * Operations of the model layer against references in hyper-dual numbers, between all kinds of
 * inputs: on rows or global, made of x, of y, of both, of the samples' own entries of x, of none.
 * The loss, or the term if all inputs are global, is sum_k sin(out_k y_k + tanh x_k).
 */
#ifndef OP_CASE_H
#define OP_CASE_H

#include "model_check.h"

/** Features are flat, or images [2][4][4]; of them [2][4][3] is cut, because squares hide mistakes.
 */
enum { FLAT = 5, MOST = 24, SIDE = 4, WIDTH = 3 };

/** How the base of an input on rows is made of the features. */
typedef enum base { NONE, WHOLE, SLICE, MEAN } base;
/** Shape and base of an input; NONE: it must be global. */
typedef struct slot {
  base base;
  int n_dims;
  blo_int dim[3];
  blo_int at; /**< SLICE: first number */
} slot;

/** An operation: how it is added, and its numbers by plain loops. */
typedef struct op_case {
  const char *name;
  blo_node (*build)(blo_graph *g, const blo_node *in);
  hyperdual (*f)(hyperdual); /**< elementwise, or: */
  void (*refer)(const hyperdual *a, const hyperdual *b, int label, hyperdual *out);
  blo_int n_out;
  slot in[2];        /**< of the second one n_dims is 0 if there is none */
  blo_int n_classes; /**< 0: labels do not matter */
} op_case;

/** Check `n` operations between all kinds of inputs that they can have. Call: Collective. */
void op_case_run(blo_comm *comm, const op_case *cases, size_t n);
#define OP_CASE_RUN(comm, cases) op_case_run(comm, cases, sizeof(cases) / sizeof((cases)[0]))

#endif

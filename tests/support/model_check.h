/**
 * @file
 * The conformance check of the model layer: a graph against a reference that computes the same loss
 * with plain loops in hyper-dual numbers. Everything that the graph gives is compared: value,
 * gradients, H v and J v, linearised or not, several directions at once, parts of the rows against
 * all of them, same_x, symmetry.
 */
#ifndef MODEL_CHECK_H
#define MODEL_CHECK_H

#include "harness.h"
#include "hyperdual.h"
#include <blo/model.h>

/** A graph with its rows and its reference. */
typedef struct model_case {
  const char *name; /**< for messages, or NULL */
  blo_params *params;
  blo_graph *graph;    /**< finished, with 3 directions or more */
  blo_graph_rows rows; /**< all of them fit into one chunk */
  /** The loss of row i of `rows`, from the owners' vectors x [n_x] and y [n_y] and the row's own
   * entry of x (0 if the graph has none). */
  hyperdual (*loss)(const struct model_case *c, blo_int i, const hyperdual *x, const hyperdual *y,
                    hyperdual sample_value);
  /** The terms, or NULL. */
  hyperdual (*term)(const struct model_case *c, const hyperdual *x, const hyperdual *y);
  const void *more; /**< of the case */
} model_case;

/**
 * Check a case at (x, y): relative errors (against the largest entry of each vector) at most `tol`.
 * Collective as all tests are; each rank checks the same numbers.
 */
void model_check(const model_case *c, const double *x, const double *y, double tol);
/** The same at random x and y, entries normal with standard deviation `size`. */
void model_check_random(const model_case *c, double size, uint64_t seed, double tol);
/** A dense table of rows x features normal numbers and random labels. Free with
 * blo_table_destroy(). */
blo_status model_random_table(blo_context *ctx, blo_int n_rows, blo_int n_features,
                              blo_int n_classes, uint64_t seed, blo_table **out);
/** A table of tokens: sentences of random length 1..max_length, tokens 1..n_tokens-1, then zeros.
 */
blo_status model_random_tokens(blo_context *ctx, blo_int n_rows, blo_int max_length,
                               blo_int n_tokens, blo_int n_classes, uint64_t seed, blo_table **out);

#endif

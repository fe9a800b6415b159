/**
 * @file
 * The inside of a graph: nodes, the functions of an operation, and what an operation's file uses to
 * add nodes. For files of this layer only.
 *
 * Tensors in memory, r rows and D directions: values and adjoints [r][n], tangents and tangents of
 * adjoints [r][D][n]; global nodes have r = 1. So a tangent with the last dimensions of its node is
 * a value of r D rows.
 */
#ifndef BLO_GRAPH_PRIVATE_H
#define BLO_GRAPH_PRIVATE_H

#include <blo/model.h>

enum { NODE_INPUTS = 3, NODE_DIMS = 3 };

typedef struct node node;

/** Everything that an operation's functions get. */
typedef struct op_call {
  const blo_graph *graph;
  const node *node;
  const node *in_node[NODE_INPUTS];
  const blo_graph_rows *batch; /**< NULL for global nodes */
  const blo_int *length;       /**< [rows] of the token sequences; NULL: all are full */
  blo_int rows;                /**< of the node */
  blo_int n_v;                 /**< D */
  const double *in[NODE_INPUTS];
  double *out;
  double *keep;                      /**< [rows][keep] from `value` for the other functions; `vjp`
                                        may add what `vjp_dot` needs of the adjoints */
  double *keep_dot;                  /**< [rows][D][keep_dot] from `jvp` for `vjp_dot` */
  const double *bar;                 /**< adjoint of out */
  double *in_bar[NODE_INPUTS];       /**< adjoints of inputs, to add to; NULL: not wanted */
  const double *in_dot[NODE_INPUTS]; /**< tangents of inputs; NULL: zero */
  double *out_dot;
  const double *bar_dot;           /**< tangent of the adjoint of out */
  double *in_bar_dot[NODE_INPUTS]; /**< to add to; NULL: not wanted */
  double *work;                    /**< scratch, see node */
} op_call;

/** What an operation is to the Gauss-Newton matrix (gauss_newton.c). */
typedef enum op_kind {
  OP_MODEL,  /**< none of these: part of a model only */
  OP_LOSS,   /**< each number is a convex function of all inputs together, and never negative */
  OP_WEIGHT, /**< not convex, but never negative */
  OP_SUM,    /**< each number is a sum of numbers of the inputs, times constants that are >= 0 */
  OP_AFFINE, /**< number[0] in + number[1] */
  OP_PRODUCT /**< the product of its two inputs */
} op_kind;

/**
 * An operation out = F(in_1, in_2, ...). With bar the adjoint of out, and all sums over the rows
 * for a global input of an operation on rows:
 *
 *   value    out = F(in)                                           (overwrites, and fills keep)
 *   vjp      bar(in_k) += (dF/din_k)' bar(out)
 *   jvp      dot(out) = sum_k dF/din_k dot(in_k)                    (overwrites)
 *   vjp_dot  dot(bar(in_k)) += (dF/din_k)' dot(bar(out)) + sum_l (d2F/din_k din_l dot(in_l))'
 * bar(out)
 *
 * vjp_dot is called with all in_dot and bar NULL if the node does not depend on y. So it is for
 * products with the Gauss-Newton matrix, if the node is no loss. Else bar is there, and at least
 * one in_dot.
 */
typedef struct op_type {
  const char *name;
  void (*value)(const op_call *c);
  void (*vjp)(const op_call *c);
  void (*jvp)(const op_call *c);
  void (*vjp_dot)(const op_call *c);
  op_kind kind;
} op_type;

/** What a node is computed for. */
enum { FOR_LOSS = 1, FOR_TERM = 2, FOR_OUTPUT = 4 };

struct node {
  const op_type *type;
  int n_in, in[NODE_INPUTS];
  int n_dims;
  blo_int dim[NODE_DIMS], n;
  bool global;
  bool on_x, on_y; /**< depends on parameters of x, of y */
  bool is_param;   /**< see `block` */
  bool is_data;    /**< comes with the samples: never kept in a linearisation */
  bool is_sample;  /**< the sample's entry of x */
  bool fetches;    /**< reads the samples' features itself: nothing is loaded for it */
  bool keeps_bar;  /**< `vjp` adds to `keep`: it runs even if no adjoint of an input is wanted */
  bool is_loss;    /**< of the Gauss-Newton matrix */
  bool never_negative; /**< none of its numbers, whatever the inputs are */
  unsigned part;       /**< see gauss_newton.c */
  blo_int block;       /**< of the parameter list */
  blo_int keep;        /**< doubles kept per row */
  blo_int keep_dot;    /**< and, of tangents, per row and direction */
  blo_int work;        /**< scratch: doubles in all, */
  blo_int work_row;    /**< per row and direction, */
  blo_int work_rows;   /**< per row, */
  blo_int work_v;      /**< and per direction */
  double number[2];    /**< the operation's own settings */
  blo_int size[4];
  double *data;                      /**< owned by the graph */
  unsigned purpose;                  /**< FOR_... */
  blo_int at_value, at_keep, at_bar; /**< per row, in the cache; -1: not there */
};

/** Where a node's tensors are in the current call. */
typedef struct place {
  const double *value, *dot;
  double *value_out, *dot_out; /**< the same, where the operation writes; NULL for parameters */
  double *keep, *bar, *bar_dot, *keep_dot;
} place;

/** Where the workspace of a node begins in the graph's memory; -1: it has none. */
typedef struct area {
  blo_int value, keep, bar, dot, bar_dot, keep_dot;
} area;

struct blo_graph {
  blo_context *ctx;
  blo_params *params;
  blo_input input;
  node *nodes;
  place *places;
  area *areas;
  int n_nodes, cap;
  int loss, output;
  int *terms;
  int n_terms;
  bool has_gauss_newton;
  blo_status status; /**< of describing; with its text: */
  char why[400];
  /* the plan */
  blo_int chunk;      /**< rows at once */
  blo_int directions; /**< at once; more are taken in groups */
  blo_int cache_size, bytes;
  double *memory;    /**< all of it, cut up by plan.c */
  double *own_cache; /**< [chunk][cache_size] for calls without cache */
  double *work;
  blo_int *length; /**< [chunk] */
};

/* ------------------------------------------------- for operations' files */

/** Add a node: shape, inputs and settings are given; the rest is filled in. */
blo_node graph_add(blo_graph *g, const node *described);
/** True if one of the inputs is a failed node, or the graph has failed: add nothing. */
bool graph_failed(const blo_graph *g, int n, const blo_node *in);
/** Remember that describing failed (the first time counts). @return -1 */
blo_node graph_refuse(blo_graph *g, blo_status code, const char *fmt, ...) BLO_PRINTF(3, 4);
const node *graph_node(const blo_graph *g, blo_node i);
/** A node with the shape of `like`. */
node graph_like(const blo_graph *g, const op_type *type, blo_node like);
/** A node [n] per row, global if all its inputs are. */
node graph_flat(const op_type *type, blo_int n);
/** The label of row i. */
int32_t graph_label(const blo_graph_rows *batch, blo_int i);

/* ---------------------------------------------------- between the core's files */

blo_status graph_plan(blo_graph *g, blo_int directions);
/** Is no number of the node negative, whatever its inputs are? They have been added. */
bool graph_never_negative(const blo_graph *g, const node *n);
/** Find the nodes that are losses of the Gauss-Newton matrix. */
void graph_find_losses(blo_graph *g);

extern const op_type op_features, op_label, op_sample_value, op_constant, op_param;

#endif

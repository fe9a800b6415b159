/**
 * @file
 * Recurrent layers: h_t = cell(p_t, q_t, h_(t-1), state_(t-1)) with q_t = h_(t-1) W + b, from zero;
 * the cells are in cell_*.c. Backwards in time, with Q = bar(q) and all sums over rows and steps:
 *
 *     value    q_t = h_(t-1) W + b
 *     vjp      bar(h_(t-1)) += Q_t W'               bar(W) += h_(t-1)' Q_t         bar(b) += Q_t
 *     jvp      dot(q_t) = dot(h_(t-1)) W + h_(t-1) dot(W) + dot(b)
 *     vjp_dot  dot(bar(h_(t-1))) += dot(Q_t) W' + Q_t dot(W)'
 *              dot(bar(W)) += h_(t-1)' dot(Q_t) + dot(h_(t-1))' Q_t        dot(bar(b)) += dot(Q_t)
 *
 * The rows' steps are packed: rows by length, the longest first, and of each step only those that
 * have it, step after step. So one matrix product takes a step of all rows and directions, without
 * padding, and whatever needs no order in time (all sums for W, the products with dot(W) forwards)
 * is one product over all steps. Linearised are activated gates, states, adjoints: products call
 * no transcendental functions.
 */
#include "op_recurrent.h"
#include "array.h"
#include "sequence.h"
#include <blo/blas.h>
#include <assert.h>
#include <string.h>

static_assert(sizeof(blo_int) == sizeof(double), "integers are kept in the scratch");

/* --------------------------------------------------------------- the packing */

typedef struct loop {
  const op_call *c;
  const cell_type *cell;
  blo_int k, gk, time, longest; /**< gk: numbers of all gates */
  blo_int *start;               /**< [time + 1] step t has the packed rows start_t .. start_(t+1) */
  blo_int *row;                 /**< [rows] the longest first */
  double *zero;                 /**< [gk] */
  double *spare;                /**< [gk + 2 k] takes adjoints that nobody wants */
  double *rest;                 /**< of the scratch */
} loop;

/** Packed matrices of values, tangents or adjoints: n_v rows side by side for each row and step. */
typedef struct sheets {
  blo_int n_v, state_size;
  double *gate;  /**< [..][gk] */
  double *h;     /**< [..][k] h of the step before; of adjoints: of the step itself */
  double *state; /**< [..][state_size] */
} sheets;

static blo_int in_step(const loop *l, blo_int t)
{
  return t < l->time ? l->start[t + 1] - l->start[t] : 0;
}

/** Counting sort of the rows by length; `next` [time + 1] is scratch. */
static void pack_rows(loop *l, blo_int *next)
{
  const op_call *c = l->c;
  blo_int longer = 0;

  memset(next, 0, (size_t)(l->time + 1) * sizeof *next);
  for (blo_int r = 0; r < c->rows; r++) {
    next[sequence_length(c, r, l->time)]++;
  }
  for (blo_int t = l->time; t >= 0; t--) {
    blo_int as_long = next[t];
    next[t] = longer;
    longer += as_long;
  }
  l->start[0] = 0;
  for (blo_int t = 0; t < l->time; t++) {
    l->start[t + 1] = l->start[t] + next[t];
    l->longest = next[t] > 0 ? t + 1 : l->longest;
  }
  for (blo_int r = 0; r < c->rows; r++) {
    l->row[next[sequence_length(c, r, l->time)]++] = r;
  }
}

static blo_int scratch_size(blo_int time, blo_int gk, blo_int k)
{
  return 2 * (time + 1) + 2 * gk + 2 * k;
}

static loop begin(const op_call *c)
{
  const cell_type *cell = (const cell_type *)c->node->type;
  blo_int time = c->node->dim[0], k = c->node->dim[1], gk = cell->gates * k;
  loop l = {.c = c, .cell = cell, .k = k, .gk = gk, .time = time};

  l.zero = c->work;
  l.spare = l.zero + gk;
  memset(l.zero, 0, (size_t)(2 * gk + 2 * k) * sizeof(double));
  l.start = (blo_int *)(l.spare + gk + 2 * k);
  l.row = l.start + 2 * (time + 1);
  l.rest = c->work + scratch_size(time, gk, k) + c->rows;
  pack_rows(&l, l.start + time + 1);
  return l;
}

static sheets lay(const loop *l, double *at, blo_int n_v, blo_int state)
{
  blo_int n = l->c->rows * n_v * l->time;
  sheets s = {.n_v = n_v, .state_size = state * l->k, .gate = at};

  s.h = s.gate + n * l->gk;
  s.state = s.h + n * l->k;
  return s;
}

static sheets values_of(const loop *l)
{
  return lay(l, l->c->keep, 1, l->cell->state);
}

/** The adjoints of the first order, which the tangents of adjoints need again. */
static sheets adjoints_of(const loop *l)
{
  blo_int before = l->c->rows * l->time * (l->gk + (1 + l->cell->state) * l->k);

  return lay(l, l->c->keep + before, 1, l->cell->state_bar);
}

static sheets tangents_of(const loop *l)
{
  return lay(l, l->c->keep_dot, l->c->n_v, l->cell->state_dot);
}

static sheets tangents_of_adjoints(const loop *l)
{
  return lay(l, l->rest, l->c->n_v, l->cell->state_bar);
}

/* ------------------------------------------------------------------ its rows */

/** Where a cell is: packed row i of a step, direction d. */
typedef struct place_in {
  blo_int t, i, d;
} place_in;

/** Number of the packed row, of step t + shift. */
static blo_int packed(const loop *l, const sheets *s, place_in at, blo_int shift)
{
  return (l->start[at.t + shift] + at.i) * s->n_v + at.d;
}

/** Number of the row in the tensors of the graph, [rows][n_v][time]. */
static blo_int unpacked(const loop *l, const sheets *s, place_in at)
{
  return (l->row[at.i] * s->n_v + at.d) * l->time + at.t;
}

/** A row of values or tangents. */
static cell_row row_of(const loop *l, const sheets *s, place_in at, double *out)
{
  blo_int j = packed(l, s, at, 0);

  return (cell_row){
      .gate = s->gate + j * l->gk,
      .h_before = s->h + j * l->k,
      .h = out != NULL ? out + unpacked(l, s, at) * l->k : NULL,
      .state_before = at.t > 0 ? s->state + packed(l, s, at, -1) * s->state_size : l->zero,
      .state = s->state + j * s->state_size,
  };
}

/** A row of adjoints or their tangents. */
static cell_row bar_of(const loop *l, const sheets *s, place_in at)
{
  blo_int j = packed(l, s, at, 0), b = at.t > 0 ? packed(l, s, at, -1) : 0;
  double *spare = l->spare + l->gk;

  return (cell_row){
      .gate = s->gate + j * l->gk,
      .h_before = at.t > 0 ? s->h + b * l->k : spare,
      .h = s->h + j * l->k,
      .state_before = at.t > 0 ? s->state + b * s->state_size : spare + l->k,
      .state = s->state + j * s->state_size,
  };
}

/* ------------------------------------------------------------------ forwards */

/** What does not wait for other steps: q = b, and h before the first step = 0. */
static void start_forwards(const loop *l, const sheets *s, const double *b)
{
  size_t bytes = (size_t)l->gk * sizeof(double);

  for (blo_int j = 0; j < l->start[l->time] * s->n_v; j++) {
    memcpy(s->gate + j * l->gk, b != NULL ? b + j % s->n_v * l->gk : l->zero, bytes);
  }
  memset(s->h, 0, (size_t)(in_step(l, 0) * s->n_v * l->k) * sizeof(double));
}

/** q_t += h_(t-1) W. */
static void step_forwards(const loop *l, const sheets *s, blo_int t)
{
  blo_int j = l->start[t] * s->n_v;

  if (t > 0) {
    blo_gemm(false, false, in_step(l, t) * s->n_v, l->gk, l->k, s->h + j * l->k, l->k, l->c->in[1],
             l->gk, 1, s->gate + j * l->gk, l->gk);
  }
}

static void pass_on(const loop *l, const sheets *s, place_in at, const double *h)
{
  if (at.i < in_step(l, at.t + 1)) {
    memcpy(s->h + packed(l, s, at, 1) * l->k, h, (size_t)l->k * sizeof *h);
  }
}

/** Padded steps have the last state. */
static void pad(const loop *l, blo_int n_v, double *out)
{
  size_t bytes = (size_t)l->k * sizeof *out;

  for (blo_int i = 0; i < l->c->rows * n_v; i++) {
    double *to = out + i * l->time * l->k;
    blo_int length = sequence_length(l->c, i / n_v, l->time);
    const double *last = length > 0 ? to + (length - 1) * l->k : l->zero;
    for (blo_int t = length; t < l->time; t++) {
      memcpy(to + t * l->k, last, bytes);
    }
  }
}

void recurrent_value(const op_call *c)
{
  loop l = begin(c);
  sheets v = values_of(&l);

  start_forwards(&l, &v, c->in[2]);
  for (blo_int t = 0; t < l.longest; t++) {
    step_forwards(&l, &v, t);
    for (blo_int i = 0; i < in_step(&l, t); i++) {
      place_in at = {t, i, 0};
      cell_row to = row_of(&l, &v, at, c->out);
      l.cell->value(l.k, c->in[0] + unpacked(&l, &v, at) * l.gk, &to);
      pass_on(&l, &v, at, to.h);
    }
  }
  pad(&l, 1, c->out);
}

/** dot(q) += h_before dot(W), for all steps after the first. */
static void move_weights(const loop *l, const sheets *v, const sheets *dot)
{
  const double *w_dot = l->c->in_dot[1];
  blo_int first = l->start[1], n = l->start[l->time] - first;

  for (blo_int d = 0; w_dot != NULL && d < dot->n_v; d++) {
    blo_gemm(false, false, n, l->gk, l->k, v->h + first * l->k, l->k, w_dot + d * l->k * l->gk,
             l->gk, 1, dot->gate + (first * dot->n_v + d) * l->gk, dot->n_v * l->gk);
  }
}

void recurrent_jvp(const op_call *c)
{
  loop l = begin(c);
  sheets v = values_of(&l), dot = tangents_of(&l);

  start_forwards(&l, &dot, c->in_dot[2]);
  move_weights(&l, &v, &dot);
  for (blo_int t = 0; t < l.longest; t++) {
    step_forwards(&l, &dot, t);
    for (blo_int i = 0; i < in_step(&l, t) * c->n_v; i++) {
      place_in at = {t, i / c->n_v, i % c->n_v};
      cell_row of = row_of(&l, &v, (place_in){t, at.i, 0}, NULL);
      cell_row to = row_of(&l, &dot, at, c->out_dot);
      const double *p_dot = c->in_dot[0];
      l.cell->jvp(l.k, &of, p_dot != NULL ? p_dot + unpacked(&l, &dot, at) * l.gk : l.zero, &to);
      pass_on(&l, &dot, at, to.h);
    }
  }
  pad(&l, c->n_v, c->out_dot);
}

/* ----------------------------------------------------------------- backwards */

/** One sweep backwards in time: adjoints, or their tangents. */
typedef struct sweep {
  loop l;
  sheets v, to;
  bool moves;            /**< there are tangents: */
  sheets dot, bar;       /**< of the values, and the adjoints of the first order */
  double *const *in_bar; /**< where the results go */
} sweep;

/** Adjoints of h from outside; the last step has those of the padding too. */
static void start_backwards(const sweep *s, const double *out_bar)
{
  const loop *l = &s->l;
  blo_int n_v = s->to.n_v, k = l->k;

  for (blo_int t = 0; t < l->longest; t++) {
    for (blo_int i = 0; i < in_step(l, t) * n_v; i++) {
      place_in at = {t, i / n_v, i % n_v};
      const double *from = out_bar + unpacked(l, &s->to, at) * k;
      double *h = s->to.h + packed(l, &s->to, at, 0) * k;
      memcpy(h, from, (size_t)k * sizeof *h);
      for (blo_int j = k; at.i >= in_step(l, t + 1) && j < (l->time - t) * k; j++) {
        h[j % k] += from[j];
      }
    }
  }
  memset(s->to.state, 0, (size_t)(l->start[l->time] * n_v * s->to.state_size) * sizeof(double));
}

static void cells_backwards(const sweep *s, blo_int t)
{
  const loop *l = &s->l;
  blo_int n_v = s->to.n_v;

  for (blo_int i = 0; i < in_step(l, t) * n_v; i++) {
    place_in at = {t, i / n_v, i % n_v}, once = {t, at.i, 0};
    cell_row v = row_of(l, &s->v, once, NULL), to = bar_of(l, &s->to, at);
    double *p_bar = l->spare;
    if (s->in_bar[0] != NULL) {
      p_bar = s->in_bar[0] + unpacked(l, &s->to, at) * l->gk;
    }
    if (s->moves) {
      cell_row dot = row_of(l, &s->dot, at, NULL), bar = bar_of(l, &s->bar, once);
      l->cell->vjp_dot(l->k, &v, &dot, &bar, &to, p_bar);
    } else {
      l->cell->vjp(l->k, &v, &to, p_bar);
    }
  }
}

/** From q_t to h_(t-1). */
static void step_backwards(const sweep *s, blo_int t)
{
  const loop *l = &s->l;
  const double *w = l->c->in[1], *w_dot = s->moves ? l->c->in_dot[1] : NULL;
  blo_int n_v = s->to.n_v, k = l->k, gk = l->gk, n = in_step(l, t);
  double *h = s->to.h + l->start[t - 1] * n_v * k;

  blo_gemm(false, true, n * n_v, k, gk, s->to.gate + l->start[t] * n_v * gk, gk, w, gk, 1, h, k);
  for (blo_int d = 0; w_dot != NULL && d < n_v; d++) {
    blo_gemm(false, true, n, k, gk, s->bar.gate + l->start[t] * gk, gk, w_dot + d * k * gk, gk, 1,
             h + d * k, n_v * k);
  }
}

/** The sums for W, over all steps after the first. */
static void sum_weights(const sweep *s)
{
  const loop *l = &s->l;
  blo_int n_v = s->to.n_v, k = l->k, gk = l->gk, first = l->start[1];
  blo_int n = l->start[l->time] - first;

  for (blo_int d = 0; s->in_bar[1] != NULL && d < n_v; d++) {
    double *w_bar = s->in_bar[1] + d * k * gk;
    blo_gemm(true, false, k, gk, n, s->v.h + first * k, k, s->to.gate + (first * n_v + d) * gk,
             n_v * gk, 1, w_bar, gk);
    if (s->moves) {
      blo_gemm(true, false, k, gk, n, s->dot.h + (first * n_v + d) * k, n_v * k,
               s->bar.gate + first * gk, gk, 1, w_bar, gk);
    }
  }
}

static void sum_biases(const sweep *s)
{
  const loop *l = &s->l;
  blo_int n_v = s->to.n_v, gk = l->gk;

  for (blo_int j = 0; s->in_bar[2] != NULL && j < l->start[l->time] * n_v; j++) {
    double *b_bar = s->in_bar[2] + j % n_v * gk;
    array_add(gk, s->to.gate + j * gk, b_bar);
  }
}

static void run_backwards(const sweep *s, const double *out_bar)
{
  start_backwards(s, out_bar);
  for (blo_int t = s->l.longest - 1; t >= 0; t--) {
    cells_backwards(s, t);
    if (t > 0) {
      step_backwards(s, t);
    }
  }
  sum_weights(s);
  sum_biases(s);
}

void recurrent_vjp(const op_call *c)
{
  sweep s = {.l = begin(c), .in_bar = c->in_bar};

  s.v = values_of(&s.l);
  s.to = adjoints_of(&s.l);
  run_backwards(&s, c->bar);
}

void recurrent_vjp_dot(const op_call *c)
{
  sweep s = {.l = begin(c), .moves = c->bar != NULL, .in_bar = c->in_bar_dot};

  s.v = values_of(&s.l);
  s.to = tangents_of_adjoints(&s.l);
  if (s.moves) {
    s.dot = tangents_of(&s.l);
    s.bar = adjoints_of(&s.l);
  }
  run_backwards(&s, c->bar_dot);
}

/* -------------------------------------------------------------------- nodes */

static bool fits(const blo_graph *g, const cell_type *cell, int n_in, const blo_node *in)
{
  const node *p = graph_node(g, in[0]), *w = graph_node(g, in[1]);
  blo_int k = w->dim[0], gk = cell->gates * k;

  return !p->global && p->n_dims == 2 && w->global && w->n_dims == 2 && w->dim[1] == gk &&
         p->dim[1] == gk &&
         (n_in < 3 || (graph_node(g, in[2])->global && graph_node(g, in[2])->n == gk));
}

blo_node recurrent_add(blo_graph *g, const cell_type *cell, int n_in, const blo_node *in)
{
  node n = {.type = &cell->op, .n_in = n_in, .n_dims = 2};
  blo_int time, k, gk;

  if (graph_failed(g, n_in, in)) {
    return -1;
  }
  if (!fits(g, cell, n_in, in)) {
    return graph_refuse(g, BLO_E_SHAPE,
                        "%s: needs inputs [time][%lld k] of samples and W [k][%lld k]",
                        cell->op.name, (long long)cell->gates, (long long)cell->gates);
  }
  memcpy(n.in, in, (size_t)n_in * sizeof *in);
  time = n.dim[0] = graph_node(g, in[0])->dim[0];
  k = n.dim[1] = graph_node(g, in[1])->dim[0];
  gk = cell->gates * k;
  n.n = time * k;
  n.keep = time * (2 * gk + (2 + cell->state + cell->state_bar) * k);
  n.keeps_bar = true;
  n.keep_dot = time * (gk + (1 + cell->state_dot) * k);
  n.work = scratch_size(time, gk, k);
  n.work_rows = 1;
  n.work_row = time * (gk + (1 + cell->state_bar) * k);
  return graph_add(g, &n);
}

/**
 * @file Derivative checks: gradients and products against differences along random directions, and
 * products against products; see check.h. Differences by Ridders' method (Adv. Eng. Software 4
 * (1982) 75-76).
 */
#include "check_private.h"
#include <math.h>

enum { DIRECTIONS = 2, LEVELS = 10 };
static const double FIRST_STEP = 0.1, STEP_RATIO = 4;

/** Quantities smaller than this part of what is differenced drown in its rounding. */
static const double FLOOR = 1e-4;

/* ----------------------------------------------------------------- rows */

const char *blo_check_verdict_text(blo_check_verdict verdict)
{
  static const char *const text[] = {"SKIP", "PASS", "FAIL"};

  return text[verdict];
}

void blo_check_row_init(blo_check_row *row, const char *name, const char *statement, double tol)
{
  *row = (blo_check_row){.name = name,
                         .statement = statement,
                         .error = (double)NAN,
                         .tol = tol,
                         .verdict = BLO_CHECK_SKIP,
                         .why = ""};
}

void blo_check_row_record(blo_check_row *row, double error)
{
  double e = isnan(error) ? (double)INFINITY : error;

  if (row->verdict == BLO_CHECK_SKIP || e > row->error) {
    row->error = e;
  }
  row->verdict = row->error <= row->tol ? BLO_CHECK_PASS : BLO_CHECK_FAIL;
}

double blo_check_ratio(double difference, double scale)
{
  return difference == 0 ? 0 : difference / scale;
}

/* ---------------------------------------------------- points and directions */

/** v += size * (standard normal numbers), keyed by global index. */
static void add_normal(blo_vec *v, double size, uint64_t seed, uint64_t family, uint64_t number)
{
  const blo_stream st = {seed, BLO_PURPOSE_CHECK};
  blo_int first = blo_space_first(v->space);
  blo_int n = blo_space_owned(v->space) ? blo_space_n_local(v->space) : 0;

  for (blo_int i = 0; i < n; i++) {
    v->data[i] += size * blo_stream_normal(st, number, family, (uint64_t)(first + i));
  }
}

void blo_check_perturb(const blo_vec *from, double size, uint64_t seed, uint64_t number,
                       blo_vec *to)
{
  blo_vec_copy(from, to);
  add_normal(to, size, seed, 0, number);
  blo_vec_publish(to);
}

static void draw_directions(blo_checker *c, uint64_t seed, uint64_t draw)
{
  blo_vec *direction[] = {c->u, c->v, c->w};

  for (uint64_t k = 0; k < 3; k++) {
    blo_vec_fill(direction[k], 0);
    add_normal(direction[k], 1, seed, 1, 3 * draw + k);
  }
}

/* ---------------------------------------------------------------- slopes */

/** What is differenced along a line, all from one sweep. */
typedef enum quantity { OF_F, OF_G, OF_G_Y, OF_G_X, QUANTITIES } quantity;
typedef enum line { ALONG_X, ALONG_Y } line;

/** f, g, a direction times grad_y g, w times grad_x g at distance e along the line. */
static blo_status measure(blo_checker *c, line along, double e, double *q)
{
  const blo_vec *from = along == ALONG_X ? c->x : c->y;
  const blo_vec *direction = along == ALONG_X ? c->w : c->v;
  blo_vec *moved = along == ALONG_X ? c->x_moved : c->y_moved;
  blo_ask ask = blo_check_ask_all(c);

  blo_vec_copy(from, moved);
  blo_vec_axpy(e, direction, moved);
  blo_vec_publish(moved);
  ask.lower = BLO_WANT_VALUE | BLO_WANT_X | BLO_WANT_Y;
  ask.upper = BLO_WANT_VALUE;
  ask.x = along == ALONG_X ? moved : c->x;
  ask.y = along == ALONG_Y ? moved : c->y;
  ask.n_v = 0;
  BLO_TRY(blo_eval_sweep(c->eval, &ask, &c->work));
  q[OF_F] = c->work.f;
  q[OF_G] = c->work.g;
  q[OF_G_Y] = blo_vec_dot(c->work.g_y, along == ALONG_X ? c->v : c->u);
  q[OF_G_X] = blo_vec_dot(c->work.g_x, c->w);
  return BLO_OK;
}

/** Ridders' tableau: its last column, and the entry that agrees best with its neighbours. */
typedef struct tableau {
  double column[LEVELS];
  int n;
  double slope, disagreement;
} tableau;

/** Enter the central difference of the next, smaller step, and extrapolate. */
static void extrapolate(tableau *t, double difference)
{
  double factor = 1, entry = difference, left;

  if (t->n == 0) {
    t->slope = difference;
    t->disagreement = (double)INFINITY;
  }
  for (int order = 0; order < t->n; order++) {
    double above = entry, gap;
    left = t->column[order];
    t->column[order] = above;
    factor *= STEP_RATIO * STEP_RATIO;
    entry = (factor * above - left) / (factor - 1);
    gap = fmax(fabs(entry - above), fabs(entry - left));
    if (gap < t->disagreement) {
      t->disagreement = gap;
      t->slope = entry;
    }
  }
  t->column[t->n++] = entry;
}

static blo_status find_slopes(blo_checker *c, line along, double *slope)
{
  tableau t[QUANTITIES] = {{.n = 0}};
  double step = FIRST_STEP;

  for (int level = 0; level < LEVELS; level++, step /= STEP_RATIO) {
    double ahead[QUANTITIES], behind[QUANTITIES];
    BLO_TRY(measure(c, along, step, ahead));
    BLO_TRY(measure(c, along, -step, behind));
    for (int k = 0; k < QUANTITIES; k++) {
      extrapolate(&t[k], (ahead[k] - behind[k]) / (2 * step));
    }
  }
  for (int k = 0; k < QUANTITIES; k++) {
    slope[k] = t[k].slope;
  }
  return BLO_OK;
}

/* ----------------------------------------------------------- comparisons */

/** a . b, and how large it typically is for vectors of these norms. */
typedef struct product {
  double value, typical, bound;
} product;

static product multiply(const blo_vec *a, const blo_vec *b)
{
  const blo_vec *left[] = {a, a, b}, *right[] = {b, a, b};
  double dots[3], bound;

  blo_vec_dots(3, left, right, dots);
  bound = sqrt(dots[1] * dots[2]);
  return (product){dots[0], bound / sqrt((double)blo_space_n(a->space)), bound};
}

/** @param[in] differenced  typical size of the quantity whose slope it is */
static void compare(blo_check_row *row, double slope, product claim, double differenced)
{
  double size = fmax(fmax(fabs(slope), fabs(claim.value)), claim.typical);

  blo_check_row_record(row,
                       blo_check_ratio(fabs(slope - claim.value), fmax(size, FLOOR * differenced)));
}

static blo_status check_along_y(blo_checker *c, blo_check_row *rows)
{
  double slope[QUANTITIES];

  BLO_TRY(find_slopes(c, ALONG_Y, slope));
  compare(&rows[BLO_CHECK_ROW_f_y], slope[OF_F], multiply(c->at.f_y, c->v), fabs(c->at.f));
  compare(&rows[BLO_CHECK_ROW_g_y], slope[OF_G], multiply(c->at.g_y, c->v), fabs(c->at.g));
  compare(&rows[BLO_CHECK_ROW_hv], slope[OF_G_Y], multiply(c->at.hv[0], c->u),
          multiply(c->at.g_y, c->u).typical);
  compare(&rows[BLO_CHECK_ROW_jv], slope[OF_G_X], multiply(c->at.jv[0], c->w),
          multiply(c->at.g_x, c->w).typical);
  return BLO_OK;
}

static blo_status check_along_x(blo_checker *c, blo_check_row *rows)
{
  double slope[QUANTITIES];

  BLO_TRY(find_slopes(c, ALONG_X, slope));
  compare(&rows[BLO_CHECK_ROW_f_x], slope[OF_F], multiply(c->at.f_x, c->w), fabs(c->at.f));
  compare(&rows[BLO_CHECK_ROW_g_x], slope[OF_G], multiply(c->at.g_x, c->w), fabs(c->at.g));
  compare(&rows[BLO_CHECK_ROW_jv_adjoint], slope[OF_G_Y], multiply(c->at.jv[0], c->w),
          multiply(c->at.g_y, c->v).typical);
  return BLO_OK;
}

static blo_status check_symmetry(blo_checker *c, blo_check_row *row)
{
  product uhv = multiply(c->at.hv[0], c->u), vhu;
  blo_ask ask = blo_check_ask_all(c);

  ask.lower = BLO_WANT_HV;
  ask.upper = 0;
  ask.v[0] = c->u;
  BLO_TRY(blo_eval_sweep(c->eval, &ask, &c->work));
  vhu = multiply(c->work.hv[0], c->v);
  blo_check_row_record(row,
                       blo_check_ratio(fabs(uhv.value - vhu.value), fmax(uhv.bound, vhu.bound)));
  return BLO_OK;
}

/** ||got - want|| relative to ||want||; got is overwritten. */
static double distance(blo_vec *got, const blo_vec *want)
{
  blo_vec_axpy(-1, want, got);
  return blo_check_ratio(blo_vec_norm(got), blo_vec_norm(want));
}

static blo_status check_linearized(blo_checker *c, blo_check_row *rows)
{
  blo_check_row *hv = &rows[BLO_CHECK_ROW_hv_linearized];
  blo_check_row *jv = &rows[BLO_CHECK_ROW_jv_linearized];
  blo_ask ask = blo_check_ask_all(c);

  if (!blo_eval_can_linearize(c->eval)) {
    hv->why = jv->why = "the problem has no linearised products";
    return BLO_OK;
  }
  ask.upper = 0;
  ask.lower = BLO_WANT_VALUE | BLO_WANT_Y;
  ask.linearize = true;
  BLO_TRY(blo_eval_sweep(c->eval, &ask, &c->work));
  ask.lower = BLO_WANT_HV | BLO_WANT_JV;
  ask.linearize = false;
  ask.linearized = true;
  BLO_TRY(blo_eval_sweep(c->eval, &ask, &c->work));
  blo_check_row_record(hv, distance(c->work.hv[0], c->at.hv[0]));
  blo_check_row_record(jv, distance(c->work.jv[0], c->at.jv[0]));
  return BLO_OK;
}

/** av - b, formed by one sweep, against the two answers. */
static double joined_error(blo_vec *joined, const blo_vec *av, const blo_vec *b)
{
  double scale = fmax(blo_vec_norm(av), blo_vec_norm(b));

  blo_vec_axpy(1, b, joined);
  blo_vec_axpy(-1, av, joined);
  return blo_check_ratio(blo_vec_norm(joined), scale);
}

static blo_status check_joined(blo_checker *c, blo_check_row *rows)
{
  blo_ask ask = blo_check_ask_all(c);

  ask.lower = BLO_WANT_HV | BLO_WANT_JV;
  ask.upper = BLO_WANT_X | BLO_WANT_Y;
  ask.join = true;
  BLO_TRY(blo_eval_sweep(c->eval, &ask, &c->work));
  blo_check_row_record(&rows[BLO_CHECK_ROW_hv_joined],
                       joined_error(c->work.hv[0], c->at.hv[0], c->at.f_y));
  blo_check_row_record(&rows[BLO_CHECK_ROW_jv_joined],
                       joined_error(c->work.jv[0], c->at.jv[0], c->at.f_x));
  return BLO_OK;
}

/* ------------------------------------------------------------- the checker */

blo_check_vectors blo_check_vectors_of(blo_answer *a)
{
  return (blo_check_vectors){{&a->g_y, &a->hv[0], &a->f_y, &a->g_x, &a->jv[0], &a->f_x}};
}

blo_level blo_check_vector_level(int k)
{
  return k % 3 == 2 ? BLO_UPPER : BLO_LOWER;
}

blo_ask blo_check_ask_all(const blo_checker *c)
{
  const unsigned upper = BLO_WANT_VALUE | BLO_WANT_X | BLO_WANT_Y;

  return (blo_ask){.lower = upper | BLO_WANT_HV | BLO_WANT_JV,
                   .upper = upper,
                   .lower_batch = c->lower,
                   .upper_batch = c->upper,
                   .x = c->x,
                   .y = c->y,
                   .n_v = 1,
                   .v = {c->v}};
}

static blo_status make_answer(blo_eval *eval, blo_answer *answer)
{
  blo_check_vectors list = blo_check_vectors_of(answer);

  for (int k = 0; k < BLO_CHECK_VECTORS; k++) {
    bool in_y = k < BLO_CHECK_VECTORS / 2;
    BLO_TRY(blo_vec_create(in_y ? blo_eval_space_y(eval) : blo_eval_space_x(eval), list.at[k]));
  }
  return BLO_OK;
}

static void free_answer(blo_answer *answer)
{
  blo_check_vectors list = blo_check_vectors_of(answer);

  for (int k = 0; k < BLO_CHECK_VECTORS; k++) {
    blo_vec_destroy(list.at[k]);
  }
}

static blo_status make_vectors(blo_checker *c)
{
  blo_space *space_x = blo_eval_space_x(c->eval), *space_y = blo_eval_space_y(c->eval);

  BLO_TRY(blo_eval_reserve(c->eval, blo_eval_problem(c->eval)->n_lower, 1));
  BLO_TRY(blo_vec_create(space_y, &c->u));
  BLO_TRY(blo_vec_create(space_y, &c->v));
  BLO_TRY(blo_vec_create(space_x, &c->w));
  BLO_TRY(blo_vec_create(space_x, &c->x_moved));
  BLO_TRY(blo_vec_create(space_y, &c->y_moved));
  BLO_TRY(make_answer(c->eval, &c->at));
  BLO_TRY(make_answer(c->eval, &c->work));
  return make_answer(c->eval, &c->other);
}

static void free_vectors(blo_checker *c)
{
  blo_vec_destroy(&c->u);
  blo_vec_destroy(&c->v);
  blo_vec_destroy(&c->w);
  blo_vec_destroy(&c->x_moved);
  blo_vec_destroy(&c->y_moved);
  free_answer(&c->at);
  free_answer(&c->work);
  free_answer(&c->other);
}

/** All comparisons with one draw of the directions. */
static blo_status check_once(blo_checker *c, blo_check_row *rows)
{
  blo_ask ask = blo_check_ask_all(c);

  BLO_TRY(blo_eval_sweep(c->eval, &ask, &c->at));
  BLO_TRY(check_along_y(c, rows));
  BLO_TRY(check_along_x(c, rows));
  BLO_TRY(check_symmetry(c, &rows[BLO_CHECK_ROW_hv_symmetry]));
  BLO_TRY(check_linearized(c, rows));
  BLO_TRY(check_joined(c, rows));
  return blo_check_halves(c, &rows[BLO_CHECK_ROW_halves]);
}

blo_status blo_check_problem(blo_eval *eval, const blo_batch *lower, const blo_batch *upper,
                             const blo_vec *x, const blo_vec *y, uint64_t seed, blo_check_row *rows)
{
  blo_checker c = {.eval = eval, .lower = lower, .upper = upper, .x = x, .y = y};
  blo_status status = BLO_OK;

#define INIT_ROW(name, tol, text) blo_check_row_init(&rows[BLO_CHECK_ROW_##name], #name, text, tol);
  BLO_CHECK_LIST(INIT_ROW)
#undef INIT_ROW
  BLO_GO_ALL(blo_eval_problem(eval)->comm, make_vectors(&c));
  for (uint64_t draw = 0; draw < DIRECTIONS; draw++) {
    draw_directions(&c, seed, draw);
    BLO_GO(check_once(&c, rows));
  }
  BLO_GO(blo_eval_settle(eval));
done:
  free_vectors(&c);
  return status;
}

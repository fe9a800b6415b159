/** @file Projections and their derivatives; see projection.h. */
#include "projection_private.h"
#include <math.h>

struct blo_projection {
  const blo_problem *problem;
  blo_projection_options o;
  blo_level of;
  blo_vec *work;  /**< ball: room; simplex: 1 where an entry is left, else 0 */
  blo_vec *other; /**< ball: the center; simplex: z less its largest entry, where it is left */
};

/* ------------------------------------------------------------------- life */

static const char *const type_names[] = {"none", "box", "ball", "simplex", "user", NULL};

static const blo_opt_row rows[] = {
    BLO_OPT_NAMES(blo_projection_options, type, "none", type_names,
                  "the set that the variable is kept in; user: the problem's own", "", 0),
    BLO_OPT(blo_projection_options, low, "-inf", -BLO_INF, BLO_INF, "-",
            "box: least value of an entry", "", 0),
    BLO_OPT(blo_projection_options, high, "inf", -BLO_INF, BLO_INF, "-",
            "box: largest value of an entry", "", 0),
    BLO_OPT(blo_projection_options, center, "0", -BLO_INF, BLO_INF, "-",
            "ball: every entry of its center", "", 0),
    BLO_OPT(blo_projection_options, radius, "1", 0, BLO_INF, "-", "ball: its radius", "",
            BLO_OPT_OPEN_LOW),
    BLO_OPT(blo_projection_options, total, "1", 0, BLO_INF, "-", "simplex: the sum of the entries",
            "", BLO_OPT_OPEN_LOW),
};

const blo_opt_table blo_projection_table =
    BLO_OPT_TABLE("set", "the set that a variable is kept in", blo_projection_options, rows);

/** A key that does nothing would be an error in silence: what is no default belongs to `type`. In a
 *  struct that is filled by hand it may be 0 too; radius and total never are in one that was read.
 */
static blo_status check_unused(blo_context *ctx, const blo_projection_options *o, const char *map)
{
  bool read = o->radius > 0 && o->total > 0;
  struct {
    const char *key, *owner;
    bool given;
  } keys[] = {{"low", "box", o->type != BLO_SET_BOX && o->low > -BLO_INF},
              {"high", "box", o->type != BLO_SET_BOX && o->high < BLO_INF},
              {"center", "ball", o->type != BLO_SET_BALL && o->center != 0},
              {"radius", "ball", o->type != BLO_SET_BALL && o->radius != 1},
              {"total", "simplex", o->type != BLO_SET_SIMPLEX && o->total != 1}};

  for (blo_int i = 0; read && i < BLO_COUNT_OF(keys); i++) {
    BLO_CHECK(ctx, !keys[i].given, BLO_E_OPTION,
              "%s.%s belongs to %s.type = '%s'; with '%s' it does nothing and must be left out",
              map, keys[i].key, map, keys[i].owner, type_names[o->type]);
  }
  return BLO_OK;
}

static blo_status check(const blo_problem *p, const blo_projection_options *o, blo_level of)
{
  const char *map = of == BLO_UPPER ? "solver.upper.set" : "solver.lower.set";

  BLO_TRY(check_unused(p->ctx, o, map));
  BLO_CHECK(p->ctx, o->type != BLO_SET_BOX || o->low <= o->high, BLO_E_OPTION,
            "%s.type 'box' with low = %g above high = %g is empty", map, o->low, o->high);
  BLO_CHECK(p->ctx, o->type != BLO_SET_BOX || (o->low < BLO_INF && o->high > -BLO_INF),
            BLO_E_OPTION, "%s.type 'box' with low = %g and high = %g has no finite point", map,
            o->low, o->high);
  BLO_CHECK(p->ctx, o->type != BLO_SET_BALL || fabs(o->center) < BLO_INF, BLO_E_OPTION,
            "%s.type 'ball' needs a finite center, not %g", map, o->center);
  BLO_CHECK(p->ctx, o->type != BLO_SET_SIMPLEX || o->total < BLO_INF, BLO_E_OPTION,
            "%s.type 'simplex' needs a finite total, not %g", map, o->total);
  BLO_CHECK(p->ctx, o->type != BLO_SET_USER || p->type->project != NULL, BLO_E_OPTION,
            "%s.type 'user': problem '%s' has no set of its own (its slot `project`); allowed are "
            "none, box, ball, simplex",
            map, p->type->name);
  return BLO_OK;
}

blo_status check_set_of_tasks(const blo_problem *p, const blo_projection_options *set,
                              const blo_sampler *of_g)
{
  bool deals = p->y_width > 0 && !blo_sampler_is_full(of_g);

  BLO_CHECK(p->ctx, !deals || (set->type != BLO_SET_BALL && set->type != BLO_SET_SIMPLEX),
            BLO_E_OPTION,
            "solver.lower.set.type '%s' couples the tasks, so it does not go with batches of them; "
            "allowed are none, box and user, or all tasks (solver.lower.batch = 0)",
            type_names[set->type]);
  return BLO_OK;
}

static blo_status make_vectors(blo_space *space, blo_projection *s)
{
  bool is_ball = s->o.type == BLO_SET_BALL;

  if (!is_ball && s->o.type != BLO_SET_SIMPLEX) {
    return BLO_OK;
  }
  BLO_TRY(blo_vec_create(space, &s->work));
  BLO_TRY(blo_vec_create(space, &s->other));
  if (is_ball) {
    blo_vec_fill(s->other, s->o.center);
  }
  return BLO_OK;
}

blo_status blo_projection_create(blo_eval *eval, const blo_projection_options *options,
                                 blo_level of, blo_projection **out)
{
  blo_problem *p = blo_eval_problem(eval);
  blo_status status = BLO_OK;
  blo_projection *s = NULL;

  *out = NULL;
  BLO_GO(check(p, options, of));
  if (options->type == BLO_SET_NONE) {
    return BLO_OK;
  }
  BLO_GO(blo_alloc(p->ctx, 1, sizeof *s, &s));
  *s = (blo_projection){.problem = p, .o = *options, .of = of};
  BLO_GO(make_vectors(of == BLO_UPPER ? blo_eval_space_x(eval) : blo_eval_space_y(eval), s));
  *out = s;
  s = NULL;
done:
  blo_projection_destroy(&s);
  return status;
}

void blo_projection_destroy(blo_projection **set)
{
  blo_projection *s = *set;

  if (s != NULL) {
    blo_context *ctx = s->problem->ctx;
    blo_vec_destroy(&s->work);
    blo_vec_destroy(&s->other);
    blo_free(ctx, set);
  }
}

/** Entries of z that this rank is to change. */
static blo_int n_own(const blo_vec *z)
{
  return blo_space_owned(z->space) ? blo_space_n_local(z->space) : 0;
}

/* -------------------------------------------------------------------- box */

static void box_project(const blo_projection *s, blo_vec *z)
{
  for (blo_int i = 0; i < n_own(z); i++) {
    if (z->data[i] < s->o.low) {
      z->data[i] = s->o.low;
    } else if (z->data[i] > s->o.high) {
      z->data[i] = s->o.high;
    }
  }
}

static void box_pullback(const blo_projection *s, const blo_vec *z, blo_vec *d)
{
  for (blo_int i = 0; i < n_own(z); i++) {
    if (z->data[i] <= s->o.low || z->data[i] >= s->o.high) {
      d->data[i] = 0;
    }
  }
}

/* ------------------------------------------------------------------- ball */

double scaled_norm(blo_vec *w, double *scale)
{
  double r = blo_vec_norm(w);

  *scale = r > 0x1p450 ? 0x1p-600 : r < 0x1p-400 ? 0x1p600 : 1;
  if (*scale == 1) {
    return r;
  }
  blo_vec_scale(*scale, w);
  return blo_vec_norm(w);
}

void blo_ball_project(const blo_vec *center, double radius, blo_vec *z, blo_vec *work)
{
  double r, scale;

  blo_vec_copy(z, work);
  blo_vec_axpy(-1, center, work);
  r = scaled_norm(work, &scale);
  if (r > radius * scale) {
    blo_vec_scale(1 / r, work);
    blo_vec_copy(center, z);
    blo_vec_axpy(radius, work, z);
  }
}

/** d <- (radius / r) (d - u u'd). */
static void ball_pullback(const blo_projection *s, const blo_vec *z, blo_vec *d)
{
  double r, scale;

  blo_vec_copy(z, s->work);
  blo_vec_axpy(-1, s->other, s->work);
  r = scaled_norm(s->work, &scale);
  if (r > s->o.radius * scale) {
    blo_vec_scale(1 / r, s->work);
    blo_vec_axpy(-blo_vec_dot(s->work, d), s->work, d);
    blo_vec_scale(s->o.radius * scale / r, d);
  }
}

/* ---------------------------------------------------------------- simplex */

/** The largest entry, on ranks that own z; one that is not a number is left out. Collective. */
static double largest(const blo_vec *z)
{
  double most = -(double)INFINITY;

  for (blo_int i = 0; i < n_own(z); i++) {
    most = fmax(most, z->data[i]);
  }
  return blo_space_layout(z->space) == BLO_SHARDED ? blo_max_all(blo_space_comm(z->space), most)
                                                   : most;
}

/**
 * s->other <- w = z - max z, which changes nothing, but the entries that count are now small, and
 * their differences exact. An entry below -total becomes 0 in any case: with t below it the largest
 * entry alone would be left more than `total`. What may be left is marked in s->work; an entry
 * that is not a number is, so that the result is none either. Collective.
 */
static void simplex_begin(const blo_projection *s, const blo_vec *z)
{
  double top = largest(z);

  for (blo_int i = 0; i < n_own(z); i++) {
    double w = z->data[i] - top;
    bool out = w < -s->o.total;
    s->work->data[i] = out ? 0 : 1;
    s->other->data[i] = out ? 0 : w;
  }
}

/**
 * The t with sum_i max(w_i - t, 0) = total: the mean excess of the entries that are left, until
 * none of them is below it (Michelot 1986, J. Optim. Theory Appl. 50(1)). t <= 0 in any rounding,
 * so the largest entry, w = 0, always stays; and each round but the last removes an entry.
 * Collective.
 */
static double simplex_threshold(const blo_projection *s, const blo_vec *z)
{
  const blo_vec *const left[] = {s->work, s->work}, *const right[] = {s->other, s->work};
  double dots[2], before = 0, t = 0;

  simplex_begin(s, z);
  for (blo_vec_dots(2, left, right, dots); dots[1] != before; blo_vec_dots(2, left, right, dots)) {
    before = dots[1];
    t = (dots[0] - s->o.total) / dots[1];
    for (blo_int i = 0; i < n_own(z); i++) {
      if (s->other->data[i] < t) {
        s->work->data[i] = s->other->data[i] = 0;
      }
    }
  }
  return t;
}

static void simplex_project(const blo_projection *s, blo_vec *z)
{
  double t = simplex_threshold(s, z);

  for (blo_int i = 0; i < n_own(z); i++) {
    z->data[i] = s->work->data[i] > 0 ? s->other->data[i] - t : 0;
  }
}

static void simplex_pullback(const blo_projection *s, const blo_vec *z, blo_vec *d)
{
  const blo_vec *const left[] = {s->work, s->work}, *const right[] = {d, s->work};
  double dots[2], mean;

  simplex_threshold(s, z);
  blo_vec_dots(2, left, right, dots);
  mean = dots[0] / dots[1];
  for (blo_int i = 0; i < n_own(z); i++) {
    d->data[i] = s->work->data[i] > 0 ? d->data[i] - mean : 0;
  }
}

/* ------------------------------------------------------------ all of them */

/** The problem's own projection of z, or its derivative on d. */
static void user_call(const blo_projection *s, const blo_vec *z, double *d)
{
  const blo_slice part = {blo_space_first(z->space), blo_space_n_local(z->space), z->data};

  if (blo_space_owned(z->space)) {
    s->problem->type->project(s->problem, s->of, &part, d);
  }
}

void blo_projection_apply(blo_projection *s, blo_vec *z)
{
  if (s == NULL) {
    return;
  }
  switch ((blo_set_type)s->o.type) {
  case BLO_SET_NONE:
    break;
  case BLO_SET_BOX:
    box_project(s, z);
    break;
  case BLO_SET_BALL:
    blo_ball_project(s->other, s->o.radius, z, s->work);
    break;
  case BLO_SET_SIMPLEX:
    simplex_project(s, z);
    break;
  case BLO_SET_USER:
    user_call(s, z, NULL);
    break;
  }
}

void blo_projection_pullback(blo_projection *s, const blo_vec *z, blo_vec *d)
{
  if (s == NULL) {
    return;
  }
  switch ((blo_set_type)s->o.type) {
  case BLO_SET_NONE:
    break;
  case BLO_SET_BOX:
    box_pullback(s, z, d);
    break;
  case BLO_SET_BALL:
    ball_pullback(s, z, d);
    break;
  case BLO_SET_SIMPLEX:
    simplex_pullback(s, z, d);
    break;
  case BLO_SET_USER:
    user_call(s, z, d->data);
    break;
  }
}

/** @file Projections and their derivatives; see projection.h. */
#include <blo/projection.h>
#include <math.h>

struct blo_projection {
  const blo_problem *problem;
  blo_projection_options o;
  blo_level of;
  blo_vec *work;  /**< ball: z - center; simplex: 1 on the support, else 0 */
  blo_vec *other; /**< ball: the center; simplex: ones */
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

const blo_opt_table blo_projection_table = {"set",
                                            "the set that a variable is kept in",
                                            sizeof(blo_projection_options),
                                            rows,
                                            BLO_COUNT_OF(rows),
                                            NULL,
                                            0};

static blo_status check(const blo_problem *p, const blo_projection_options *o)
{
  BLO_CHECK(p->ctx, o->type != BLO_SET_BOX || o->low <= o->high, BLO_E_OPTION,
            "set.type 'box' with low = %g above high = %g is empty", o->low, o->high);
  BLO_CHECK(p->ctx, o->type != BLO_SET_USER || p->type->project != NULL, BLO_E_OPTION,
            "set.type 'user': problem '%s' has no set of its own (its slot `project`); allowed are "
            "none, box, ball, simplex",
            p->type->name);
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
  blo_vec_fill(s->other, is_ball ? s->o.center : 1);
  return BLO_OK;
}

blo_status blo_projection_create(blo_eval *eval, const blo_projection_options *options,
                                 blo_level of, blo_projection **out)
{
  blo_problem *p = blo_eval_problem(eval);
  blo_status status = BLO_OK;
  blo_projection *s = NULL;

  *out = NULL;
  if (options->type == BLO_SET_NONE) {
    return BLO_OK;
  }
  BLO_GO(check(p, options));
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

/* -------------------------------------------------------------------- box */

static void box_project(const blo_projection *s, blo_vec *z)
{
  for (blo_int i = 0; i < blo_space_n_local(z->space); i++) {
    if (z->data[i] < s->o.low) {
      z->data[i] = s->o.low;
    } else if (z->data[i] > s->o.high) {
      z->data[i] = s->o.high;
    }
  }
}

static void box_pullback(const blo_projection *s, const blo_vec *z, blo_vec *d)
{
  for (blo_int i = 0; i < blo_space_n_local(z->space); i++) {
    if (z->data[i] <= s->o.low || z->data[i] >= s->o.high) {
      d->data[i] = 0;
    }
  }
}

/* ------------------------------------------------------------------- ball */

void blo_ball_project(const blo_vec *center, double radius, blo_vec *z, blo_vec *work)
{
  double r;

  blo_vec_copy(z, work);
  blo_vec_axpy(-1, center, work);
  r = blo_vec_norm(work);
  if (r > radius) {
    blo_vec_copy(center, z);
    blo_vec_axpy(radius / r, work, z);
  }
}

static void ball_pullback(const blo_projection *s, const blo_vec *z, blo_vec *d)
{
  const blo_vec *const left[] = {s->work, s->work}, *const right[] = {s->work, d};
  double dots[2], r;

  blo_vec_copy(z, s->work);
  blo_vec_axpy(-1, s->other, s->work);
  blo_vec_dots(2, left, right, dots);
  r = sqrt(dots[0]);
  if (r > s->o.radius) {
    blo_vec_axpy(-dots[1] / dots[0], s->work, d);
    blo_vec_scale(s->o.radius / r, d);
  }
}

/* ---------------------------------------------------------------- simplex */

/**
 * The t with sum_i max(z_i - t, 0) = total: the mean excess of the entries that are left, until
 * none of them is below it (Michelot 1986, J. Optim. Theory Appl. 50(1)). Their marks stay in
 * s->work. Collective.
 */
static double simplex_threshold(const blo_projection *s, const blo_vec *z)
{
  const blo_vec *const left[] = {s->work, s->work}, *const right[] = {z, s->other};
  double dots[2], before = 0, t = 0;

  blo_vec_fill(s->work, 1);
  for (blo_vec_dots(2, left, right, dots); dots[1] != before; blo_vec_dots(2, left, right, dots)) {
    before = dots[1];
    t = (dots[0] - s->o.total) / dots[1];
    for (blo_int i = 0; i < blo_space_n_local(z->space); i++) {
      s->work->data[i] = z->data[i] <= t ? 0 : s->work->data[i];
    }
  }
  return t;
}

static void simplex_project(const blo_projection *s, blo_vec *z)
{
  double t = simplex_threshold(s, z);

  for (blo_int i = 0; i < blo_space_n_local(z->space); i++) {
    z->data[i] = s->work->data[i] * (z->data[i] - t);
  }
}

static void simplex_pullback(const blo_projection *s, const blo_vec *z, blo_vec *d)
{
  const blo_vec *const left[] = {s->work, s->work}, *const right[] = {d, s->other};
  double dots[2], mean;

  simplex_threshold(s, z);
  blo_vec_dots(2, left, right, dots);
  mean = dots[0] / dots[1];
  for (blo_int i = 0; i < blo_space_n_local(z->space); i++) {
    d->data[i] = s->work->data[i] * (d->data[i] - mean);
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

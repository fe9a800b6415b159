/** @file Projected lower-level steps, kept and differentiated; see trajectory.h. */
#include "trajectory.h"
#include "projection_private.h"
#include <math.h>

const char *const trajectory_dynamics_names[] = {"gradient", "nesterov", NULL};

const blo_opt_sub trajectory_subs[1] = {
    {"set", offsetof(trajectory_options, set), &blo_projection_table}};

/* ------------------------------------------------------------ what is kept */

/** Vectors that segments of L steps take: marks, points before marks, and those between two. */
static blo_int vectors_of(const trajectory *t, blo_int L)
{
  blo_int K = t->options->steps;
  bool before = t->kind.dynamics == TRAJECTORY_NESTEROV && L > 1;

  return K / L + (before ? (K - 1) / L : 0) + L - 1;
}

/** Steps that are made again on the way back from y_K: all but the last of each segment but the
 * last. */
static blo_int steps_again(const trajectory_options *o, blo_int L)
{
  return (o->steps - 1) / L * (L - 1);
}

/** Of the segments that fit those for which the fewest steps are made again. */
static blo_status choose_length(trajectory *t)
{
  const trajectory_options *o = t->options;
  blo_int room = o->memory > 0 ? o->memory : o->steps, least = o->steps;

  t->length = 0;
  for (blo_int L = 1; L <= o->steps; L++) {
    blo_int n = vectors_of(t, L);
    least = n < least ? n : least;
    if (n <= room && (t->length == 0 || steps_again(o, L) < steps_again(o, t->length))) {
      t->length = L;
    }
  }
  BLO_CHECK(t->ctx, t->length > 0, BLO_E_OPTION,
            "solver.lower.memory = %lld iterates: a trajectory of %lld %s steps needs %lld at "
            "least; 0 keeps all of them",
            (long long)room, (long long)o->steps, trajectory_dynamics_names[t->kind.dynamics],
            (long long)least);
  return BLO_OK;
}

static blo_status make_list(trajectory *t, blo_int n, blo_vec ***out)
{
  BLO_TRY(blo_alloc(t->ctx, n, sizeof **out, out));
  for (blo_int i = 0; i < n; i++) {
    BLO_TRY(blo_vec_create(blo_eval_space_y(t->eval), &(*out)[i]));
  }
  return BLO_OK;
}

static void free_list(trajectory *t, blo_int n, blo_vec ***list)
{
  for (blo_int i = 0; *list != NULL && i < n; i++) {
    blo_vec_destroy(&(*list)[i]);
  }
  blo_free(t->ctx, list);
}

static blo_status make_store(trajectory *t)
{
  blo_int K = t->options->steps;
  bool nesterov = t->kind.dynamics == TRAJECTORY_NESTEROV;

  BLO_TRY(choose_length(t));
  t->n_mark = K / t->length;
  t->n_before = nesterov && t->length > 1 ? (K - 1) / t->length : 0;
  BLO_TRY(make_list(t, t->n_mark, &t->mark));
  BLO_TRY(make_list(t, t->n_before, &t->before));
  return make_list(t, t->length - 1, &t->fill);
}

/** The place of v_i, i >= 1. */
static blo_vec *place(const trajectory *t, blo_int i)
{
  blo_int L = t->length;

  return i % L == 0 ? t->mark[i / L - 1] : t->fill[i % L - 1];
}

/* ------------------------------------------------------------------- life */

static blo_status make_momentum(trajectory *t)
{
  blo_int K = t->options->steps;
  double before = 1;

  if (t->kind.dynamics != TRAJECTORY_NESTEROV) {
    return BLO_OK;
  }
  BLO_TRY(blo_alloc(t->ctx, K, sizeof *t->momentum, &t->momentum));
  for (blo_int k = 0; k < K; k++) {
    double next = (1 + sqrt(1 + 4 * before * before)) / 2;
    t->momentum[k] = (before - 1) / next;
    before = next;
  }
  return blo_vec_create(blo_eval_space_y(t->eval), &t->w);
}

static blo_status make_vectors(trajectory *t)
{
  blo_vec **const in_y[] = {&t->y, &t->g_y, &t->f_y, &t->at, &t->other};

  for (size_t i = 0; i < sizeof in_y / sizeof *in_y; i++) {
    BLO_TRY(blo_vec_create(blo_eval_space_y(t->eval), in_y[i]));
  }
  BLO_TRY(blo_vec_create(blo_eval_space_x(t->eval), &t->f_x));
  return blo_vec_create(blo_eval_space_x(t->eval), &t->jv);
}

static blo_status make_samplers(trajectory *t, blo_int batch_f, uint64_t seed)
{
  blo_int batch_g = t->options->batch;

  BLO_TRY(blo_eval_sampler(t->eval, seed, BLO_PURPOSE_LOWER, batch_g, &t->lower));
  BLO_TRY(blo_eval_sampler(t->eval, seed, BLO_PURPOSE_UPPER, batch_f, &t->upper));
  t->keeps = blo_eval_problem(t->eval)->reuses_x && blo_eval_can_linearize(t->eval);
  return t->keeps ? blo_eval_reserve(t->eval, blo_sampler_max_own(t->lower), 1) : BLO_OK;
}

blo_status trajectory_create(blo_eval *eval, const trajectory_options *options,
                             trajectory_kind kind, blo_int batch_f, uint64_t seed, trajectory **out)
{
  blo_context *ctx = blo_eval_problem(eval)->ctx;
  blo_status status = BLO_OK;
  trajectory *t = NULL;

  BLO_BUG_IF(kind.truncates && kind.dynamics != TRAJECTORY_GRADIENT, "f is watched at the u_k");
  BLO_GO(blo_alloc(ctx, 1, sizeof *t, &t));
  *t = (trajectory){.ctx = ctx, .eval = eval, .options = options, .kind = kind};
  BLO_GO(make_samplers(t, batch_f, seed));
  BLO_GO(check_set_of_tasks(blo_eval_problem(eval), &options->set, t->lower));
  BLO_GO(blo_projection_create(eval, &options->set, BLO_LOWER, &t->set));
  BLO_GO(make_momentum(t));
  BLO_GO(make_vectors(t));
  BLO_GO(make_store(t));
  *out = t;
  t = NULL;
done:
  trajectory_destroy(&t);
  return status;
}

void trajectory_destroy(trajectory **trajectory_)
{
  trajectory *t = *trajectory_;

  if (t != NULL) {
    blo_context *ctx = t->ctx;
    blo_vec **const all[] = {&t->y, &t->g_y, &t->f_y, &t->at, &t->other, &t->w, &t->f_x, &t->jv};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
      blo_vec_destroy(all[i]);
    }
    free_list(t, t->n_mark, &t->mark);
    free_list(t, t->n_before, &t->before);
    free_list(t, t->length - 1, &t->fill);
    blo_free(ctx, &t->momentum);
    blo_projection_destroy(&t->set);
    blo_sampler_destroy(&t->lower);
    blo_sampler_destroy(&t->upper);
    blo_free(ctx, trajectory_);
  }
}

/* ------------------------------------------------------------------ points */

/** y <- P_Y(v). */
static void project(trajectory *t, const blo_vec *v, blo_vec *y)
{
  blo_vec_copy(v, y);
  blo_projection_apply(t->set, y);
}

/** t->at <- u_k, from v_k and, for nesterov, v_{k-1}. */
static void go_to(trajectory *t, blo_int k)
{
  blo_int L = t->length;
  double b = t->momentum != NULL && k > 0 ? t->momentum[k - 1] : 0;

  if (k == 0) {
    blo_vec_copy(t->z, t->at);
    return;
  }
  project(t, place(t, k), t->at);
  if (b == 0) { /* gradient steps, and u_1 = y_1 */
    return;
  }
  project(t, k % L == 0 && L > 1 ? t->before[k / L - 1] : place(t, k - 1), t->other);
  blo_vec_scale(1 + b, t->at);
  blo_vec_axpy(-b, t->other, t->at);
}

/** A sweep of this outer iteration: all of them are at one x and on one batch. */
static blo_status sweep(trajectory *t, blo_ask *ask, blo_answer *answer)
{
  ask->x = t->x;
  ask->lower_batch = t->lower_batch;
  ask->upper_batch = t->upper_batch;
  ask->linearize = t->keeps;
  ask->same_x = t->linear;
  BLO_TRY(blo_eval_sweep(t->eval, ask, answer));
  t->linear = t->keeps;
  return BLO_OK;
}

/* --------------------------------------------------------------- forwards */

/** Step k: v_{k+1} = u_k - s grad_y g(x, u_k). With `f`, f(x, u_k) from the same sweep. */
static blo_status advance(trajectory *t, blo_int k, double *f)
{
  blo_int L = t->length;
  blo_vec *v = place(t, k + 1);
  blo_answer ans = {.g_y = t->g_y};
  blo_ask ask = {.lower = BLO_WANT_Y, .upper = f != NULL ? BLO_WANT_VALUE : 0u, .y = t->at};

  go_to(t, k);
  BLO_TRY(sweep(t, &ask, &ans));
  blo_vec_copy(t->at, v);
  blo_vec_axpy(-t->step_y, t->g_y, v);
  if ((k + 2) % L == 0 && (k + 2) / L <= t->n_before) {
    blo_vec_copy(v, t->before[(k + 2) / L - 1]);
  }
  if (f != NULL) {
    *f = ans.f;
  }
  return BLO_OK;
}

/** Provide v_i, i >= 1: make the steps of its segment again, up to it, if another one is held. */
static blo_status recall(trajectory *t, blo_int i)
{
  blo_int L = t->length, segment = i / L;

  if (i % L == 0 || segment == t->held) {
    return BLO_OK;
  }
  t->held = segment;
  for (blo_int k = segment * L; k < i; k++) {
    BLO_TRY(advance(t, k, NULL));
  }
  return BLO_OK;
}

/** Everything at y_c. */
static blo_status look(trajectory *t, blo_int c)
{
  blo_answer ans = {.g_y = t->g_y, .f_y = t->f_y, .f_x = t->f_x};
  blo_ask ask = {.lower = BLO_WANT_VALUE | BLO_WANT_Y,
                 .upper = BLO_WANT_VALUE | BLO_WANT_X | BLO_WANT_Y,
                 .y = t->y};

  BLO_TRY(recall(t, c));
  project(t, place(t, c), t->y);
  BLO_TRY(sweep(t, &ask, &ans));
  t->cut = c;
  t->f = ans.f;
  t->g = ans.g;
  return BLO_OK;
}

blo_status trajectory_forward(trajectory *t, blo_int k, const blo_vec *x, const blo_vec *z)
{
  const trajectory_options *o = t->options;
  double f, largest = -(double)INFINITY;
  blo_int best = o->steps;

  t->x = x;
  t->z = z;
  t->linear = false;
  t->step_y = blo_schedule_at((blo_schedule){o->step, o->decay}, k);
  t->lower_batch = blo_eval_draw(t->eval, t->lower, k, 1, 0);
  t->upper_batch = blo_eval_draw(t->eval, t->upper, k, 1, 0);
  for (blo_int i = 0; i < o->steps; i++) {
    bool watch = t->kind.truncates && i > 0;
    BLO_TRY(advance(t, i, watch ? &f : NULL));
    if (watch && f > largest) {
      largest = f;
      best = i;
    }
  }
  t->held = (o->steps - 1) / t->length;
  BLO_TRY(look(t, o->steps));
  return best < o->steps && t->f <= largest ? look(t, best) : BLO_OK;
}

/* --------------------------------------------------------------- backwards */

/**
 * The adjoint of y_{k+1}, to be overwritten. nesterov: with p = t->f_y the adjoint of y_{k+1} as
 * y_{k+2} sees it, and w that of u_{k+1} = (1 + b) y_{k+1} - b y_k, it is p + (1 + b) w, and y_k
 * gets -b w.
 */
static blo_vec *adjoint_of(trajectory *t, blo_int k)
{
  double b;

  if (t->momentum == NULL) {
    return t->f_y;
  }
  b = t->momentum[k];
  blo_vec_copy(t->w, t->other);
  blo_vec_scale(1 + b, t->w);
  blo_vec_axpy(1, t->f_y, t->w);
  blo_vec_copy(t->other, t->f_y);
  blo_vec_scale(-b, t->f_y);
  return t->w;
}

/**
 * Step k: q <- DP_Y(v_{k+1})' q,  dx <- dx - s J(u_k) q,  q <- q - s H(u_k) q, the adjoint of u_k.
 * v_{k+1} is at hand from the step before, or from trajectory_forward().
 */
static blo_status retreat(trajectory *t, blo_int k)
{
  blo_vec *q = adjoint_of(t, k), *hv = t->g_y;
  blo_answer ans = {.hv = {hv}, .jv = {t->jv}};
  blo_ask ask = {.lower = BLO_WANT_HV | BLO_WANT_JV, .y = t->at, .n_v = 1, .v = {q}};

  blo_projection_pullback(t->set, place(t, k + 1), q);
  BLO_TRY(recall(t, k));
  go_to(t, k);
  BLO_TRY(sweep(t, &ask, &ans));
  blo_vec_axpy(-t->step_y, t->jv, t->f_x);
  blo_vec_axpy(-t->step_y, hv, q);
  return BLO_OK;
}

blo_status trajectory_reverse(trajectory *t)
{
  if (t->w != NULL) {
    blo_vec_fill(t->w, 0);
  }
  for (blo_int k = t->cut; k-- > 0;) {
    BLO_TRY(retreat(t, k));
  }
  if (t->w != NULL) { /* z is y_0 and u_0 */
    blo_vec_axpy(1, t->w, t->f_y);
  }
  return BLO_OK;
}

void trajectory_describe(const trajectory *t, FILE *to)
{
  blo_int K = t->options->steps, L = t->length;

  fprintf(to, "track     %lld steps, kept in %lld y-vectors", (long long)K,
          (long long)vectors_of(t, L));
  if (L > 1) {
    fprintf(to, "; segments of %lld steps, at most %lld steps made again on the way back",
            (long long)L, (long long)steps_again(t->options, L));
  }
  fprintf(to, "\n");
}

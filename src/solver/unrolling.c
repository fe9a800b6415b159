/** @file One outer iteration of IAPTT-GM and IA-GM; see unrolling.h. */
#include "unrolling.h"
#include <math.h>

const char *const unrolling_start_names[] = {"learned", "fixed", "last", NULL};

static const blo_opt_row init_rows[] = {
    BLO_OPT_NAMES(
        unrolling_init, type, "learned", unrolling_start_names,
        "the start z of the trajectory: learned with x; fixed at the starting y, or last, "
        "the y of the iteration before (both are plain unrolling)",
        "Liu, Liu, Zeng and Zhang 2021, arXiv 2110.00455", 0),
    BLO_OPT_NAMES(unrolling_init, rule, "sgd", blo_upper_rule_names,
                  "learned: the step on z, along the gradient or Adam's",
                  "Kingma and Ba 2015, arXiv 1412.6980, algorithm 1", 0),
    BLO_SCHEDULE_ROWS(unrolling_init, "0.1", "0", "learned: step size alpha of z"),
    BLO_OPT(unrolling_init, beta1, "0.9", 0, 0.9999, "-",
            "adam: decay of the mean of the gradients in z", "", 0),
    BLO_OPT(unrolling_init, beta2, "0.999", 0, 0.999999, "-",
            "adam: decay of the mean of their squares", "", 0),
    BLO_OPT(unrolling_init, epsilon, "1e-8", 0, 1, "-",
            "adam: added to the root of the mean square", "", BLO_OPT_OPEN_LOW),
};
const blo_opt_table unrolling_init_table =
    BLO_OPT_TABLE("init", "the start of the trajectory", unrolling_init, init_rows);

/* ------------------------------------------------------------------- life */

/** Adam is for a z that takes steps; and moments from other tasks' steps would move the z of tasks
 *  that have no gradient now. */
static blo_status check_rule(const blo_solver *s, const unrolling_parts *o)
{
  const blo_problem *p = blo_eval_problem(s->eval);
  bool deals = p->y_width > 0 && o->lower->batch > 0 && o->lower->batch < p->n_lower;
  const unrolling_init *init = o->init;

  BLO_CHECK(p->ctx, init->type == UNROLLING_LEARNED || init->rule == BLO_UPPER_SGD, BLO_E_OPTION,
            "solver.init.rule 'adam' belongs to solver.init.type = 'learned'; with '%s' z takes no "
            "steps, and rule must be left out",
            unrolling_start_names[init->type]);
  BLO_CHECK(p->ctx, !deals || init->rule != BLO_UPPER_ADAM, BLO_E_OPTION,
            "solver.init.rule 'adam' moves the z of tasks that are not in the batch, so it does "
            "not go with batches of tasks (solver.lower.batch = %lld); allowed are 'sgd', or all "
            "tasks (batch 0)",
            (long long)o->lower->batch);
  return BLO_OK;
}

static blo_status make_vectors(blo_solver *s, unrolling *u)
{
  blo_space *space = blo_eval_space_y(s->eval);

  BLO_TRY(blo_vec_create(space, &u->z));
  BLO_TRY(blo_state_add_vec(s->state, "z", u->z));
  if (u->parts.init->rule != BLO_UPPER_ADAM) {
    return BLO_OK;
  }
  BLO_TRY(blo_vec_create(space, &u->m));
  BLO_TRY(blo_vec_create(space, &u->v));
  BLO_TRY(blo_state_add_vec(s->state, "init.m", u->m));
  return blo_state_add_vec(s->state, "init.v", u->v);
}

blo_status unrolling_setup(blo_solver *s, const unrolling_parts *o)
{
  blo_comm *comm = blo_eval_problem(s->eval)->comm;
  unrolling *u = s->data;

  u->parts = *o;
  BLO_TRY_ALL(comm, check_rule(s, o));
  BLO_TRY_ALL(comm,
              trajectory_create(s->eval, o->lower, o->kind, o->upper->batch, s->seed, &u->track));
  BLO_TRY_ALL(comm, blo_upper_create(s->eval, o->upper, s->state, &u->upper));
  BLO_TRY_ALL(comm, make_vectors(s, u));
  blo_upper_begin(u->upper, s->x);
  blo_projection_apply(u->track->set, s->y);
  blo_vec_copy(s->y, u->z);
  return BLO_OK;
}

void unrolling_teardown(blo_solver *s)
{
  unrolling *u = s->data;

  trajectory_destroy(&u->track);
  blo_upper_destroy(&u->upper);
  blo_vec_destroy(&u->z);
  blo_vec_destroy(&u->m);
  blo_vec_destroy(&u->v);
}

void unrolling_describe(const blo_solver *s, FILE *to)
{
  trajectory_describe(((const unrolling *)s->data)->track, to);
}

/* --------------------------------------------------------- one iteration */

/** z <- P_Y(z - alpha d_z), or Adam's step, projected. */
static blo_status learn(const unrolling_init *o, unrolling *u, blo_int k)
{
  const blo_adam adam = {.beta1 = o->beta1, .beta2 = o->beta2, .epsilon = o->epsilon};
  double alpha = blo_schedule_at((blo_schedule){o->step, o->decay}, k);
  const trajectory *t = u->track;

  if (u->m != NULL) {
    blo_vec_adam(&adam, k + 1, alpha, 1, t->f_y, u->m, u->v, u->z);
  } else {
    blo_vec_axpy(-alpha, t->f_y, u->z);
  }
  blo_projection_apply(t->set, u->z);
  return blo_step_check(u->z, "z", "the step", k);
}

static blo_status next_start(unrolling *u, blo_int k)
{
  switch ((unrolling_start)u->parts.init->type) {
  case UNROLLING_LEARNED:
    return learn(u->parts.init, u, k);
  case UNROLLING_FIXED:
    break;
  case UNROLLING_LAST:
    blo_vec_copy(u->track->y, u->z);
    break;
  }
  return BLO_OK;
}

blo_status unrolling_step(blo_solver *s, blo_report *r)
{
  unrolling *u = s->data;
  const unrolling_parts *o = &u->parts;
  trajectory *t = u->track;

  BLO_TRY(trajectory_forward(t, s->k, s->x, u->z));
  r->lower_residual = s->want_norms ? blo_vec_norm(t->g_y) : r->lower_residual;
  BLO_TRY(trajectory_reverse(t));
  if (s->want_norms) {
    r->hypergrad_norm = blo_vec_norm(t->f_x);
    r->stationarity = o->init->type == UNROLLING_LEARNED
                          ? hypot(r->hypergrad_norm, blo_vec_norm(t->f_y)) /* z is a variable too */
                          : r->hypergrad_norm;
  }
  r->f = t->f;
  r->g = t->g;
  r->lower_steps = (double)o->lower->steps;
  r->truncation = t->kind.truncates ? (double)t->cut : r->truncation;
  r->step_x = blo_schedule_at((blo_schedule){o->upper->step, o->upper->decay}, s->k);
  r->step_y = t->step_y;
  blo_vec_copy(t->y, s->y);
  BLO_TRY(next_start(u, s->k));
  return blo_upper_step(u->upper, s->k, t->f_x, s->x);
}

/**
 * @file
 * SOBA (Dagreou, Ablin, Vaiter and Moreau 2022, arXiv 2201.13409, algorithm 1): one stochastic step
 * on y, on the adjoint v and on x in every iteration, all three directions at the old point and
 * from the same batches, hence one fused reduction:
 *
 *     D_y = grad_y g(x, y; xi)         D_v = H(xi) v - grad_y f(x, y; zeta)
 *     D_x = grad_x f(x, y; zeta) - J(xi) v
 *     y <- y - rho_k D_y     v <- v - eta_k D_v     x <- x - gamma_k D_x
 *
 * with steps c / (k + 1)^(1/2). The paper's v has the other sign.
 */
#include <blo/solver.h>
#include <math.h>

typedef struct step_options {
  double step, decay;
} step_options;

typedef struct lower_options {
  blo_int batch;
  double step, decay;
} lower_options;

typedef struct options {
  lower_options lower;
  step_options adjoint;
  blo_upper_options upper;
} options;

typedef struct state {
  blo_sampler *xi, *zeta;
  blo_upper *upper;
  blo_vec *v, *d_y, *d_v, *d_x;
} state;

static blo_status make_vectors(blo_solver *s, state *st)
{
  blo_space *y = blo_eval_space_y(s->eval);

  BLO_TRY(blo_vec_create(y, &st->v));
  BLO_TRY(blo_vec_create(y, &st->d_y));
  BLO_TRY(blo_vec_create(y, &st->d_v));
  BLO_TRY(blo_vec_create(blo_eval_space_x(s->eval), &st->d_x));
  return blo_state_add_vec(s->state, "adjoint.v", st->v);
}

static blo_status make_samplers(blo_solver *s, const options *o, state *st)
{
  BLO_TRY(blo_eval_sampler(s->eval, s->seed, BLO_PURPOSE_LOWER, o->lower.batch, &st->xi));
  return blo_eval_sampler(s->eval, s->seed, BLO_PURPOSE_UPPER, o->upper.batch, &st->zeta);
}

static blo_status setup(blo_solver *s)
{
  blo_comm *comm = blo_eval_problem(s->eval)->comm;
  const options *o = s->options;
  state *st = s->data;

  BLO_TRY_ALL(comm, make_vectors(s, st));
  BLO_TRY_ALL(comm, make_samplers(s, o, st));
  BLO_TRY_ALL(comm, blo_upper_create(s->eval, &o->upper, s->state, &st->upper));
  blo_upper_begin(st->upper, s->x);
  return BLO_OK;
}

/** All three directions: one sweep. `join` gives H v - grad_y f and J v - grad_x f. */
static blo_status directions(blo_solver *s, state *st, blo_report *r)
{
  blo_answer ans = {.g_y = st->d_y, .hv = {st->d_v}, .jv = {st->d_x}};
  blo_ask ask = {.lower = BLO_WANT_VALUE | BLO_WANT_Y | BLO_WANT_HV | BLO_WANT_JV,
                 .upper = BLO_WANT_VALUE | BLO_WANT_X | BLO_WANT_Y,
                 .lower_batch = blo_eval_draw(s->eval, st->xi, s->k, 1, 0),
                 .upper_batch = blo_eval_draw(s->eval, st->zeta, s->k, 1, 0),
                 .x = s->x,
                 .y = s->y,
                 .n_v = 1,
                 .v = {st->v},
                 .join = true};

  BLO_TRY(blo_eval_sweep(s->eval, &ask, &ans));
  blo_vec_scale(-1, st->d_x);
  r->g = ans.g;
  r->f = ans.f;
  return BLO_OK;
}

static blo_status step(blo_solver *s, blo_report *r)
{
  const options *o = s->options;
  state *st = s->data;
  double rho = blo_schedule_at((blo_schedule){o->lower.step, o->lower.decay}, s->k);
  double eta = blo_schedule_at((blo_schedule){o->adjoint.step, o->adjoint.decay}, s->k);

  BLO_TRY(directions(s, st, r));
  if (s->want_norms) {
    r->hypergrad_norm = blo_vec_norm(st->d_x);
    r->lower_residual = blo_vec_norm(st->d_y);
    r->adjoint_residual = blo_vec_norm(st->d_v);
    r->stationarity = fmax(r->hypergrad_norm, fmax(r->lower_residual, r->adjoint_residual));
  }
  r->adjoint_iterations = 1;
  r->verdict = BLO_VERDICT_SPENT;
  r->step_y = rho;
  r->step_x = blo_schedule_at((blo_schedule){o->upper.step, o->upper.decay}, s->k);
  blo_vec_axpy(-rho, st->d_y, s->y);
  blo_vec_axpy(-eta, st->d_v, st->v);
  return blo_upper_step(st->upper, s->k, st->d_x, s->x);
}

static void teardown(blo_solver *s)
{
  state *st = s->data;

  blo_sampler_destroy(&st->xi);
  blo_sampler_destroy(&st->zeta);
  blo_upper_destroy(&st->upper);
  blo_vec_destroy(&st->v);
  blo_vec_destroy(&st->d_y);
  blo_vec_destroy(&st->d_v);
  blo_vec_destroy(&st->d_x);
}

static const blo_opt_row lower_rows[] = {
    BLO_OPT(lower_options, batch, "256", 0, 1e12, "samples", "samples of g in a step, 0 = all", "",
            0),
    BLO_SCHEDULE_ROWS(lower_options, "0.1", "0.5", "lower step size rho"),
};
static const blo_opt_row adjoint_rows[] = {
    BLO_SCHEDULE_ROWS(step_options, "0.1", "0.5", "adjoint step size eta; the paper's is rho"),
};
static const blo_opt_row upper_rows[] = {BLO_UPPER_ROWS("1", "0.5", "256")};

static const blo_opt_table lower_table =
    BLO_OPT_TABLE("lower", "the step on y", lower_options, lower_rows);
static const blo_opt_table adjoint_table =
    BLO_OPT_TABLE("adjoint", "the step on the adjoint v", step_options, adjoint_rows);
static const blo_opt_table upper_table =
    BLO_OPT_TABLE_WITH("upper", "the step on x", blo_upper_options, upper_rows, blo_upper_subs);
static const blo_opt_sub subs[] = {
    {"lower", offsetof(options, lower), &lower_table},
    {"adjoint", offsetof(options, adjoint), &adjoint_table},
    {"upper", offsetof(options, upper), &upper_table},
};
static const blo_opt_table table =
    BLO_OPT_TABLE_OF("soba", "single-loop stochastic bilevel optimization", options, subs);

const blo_solver_type blo_solver_soba = {
    .name = "soba",
    .summary = "SOBA: one step on y, v and x an iteration, one fused reduction",
    .source = "Dagreou, Ablin, Vaiter and Moreau 2022, arXiv 2201.13409, algorithm 1",
    .cost = "1 gradient of g, 1 product H v with J v, 1 gradient of f, on batches; 1 reduction",
    .state_size = sizeof(state),
    .options = &table,
    .setup = setup,
    .step = step,
    .teardown = teardown,
};

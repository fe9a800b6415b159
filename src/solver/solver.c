/** @file Life of a solver, and the list of the methods. */
#include <blo/solver.h>
#include <math.h>
#include <string.h>

#define BLO_SOLVER(name) extern const blo_solver_type blo_solver_##name;
#include "solver_list.h"
#undef BLO_SOLVER

static const blo_solver_type *const types[] = {
#define BLO_SOLVER(name) &blo_solver_##name,
#include "solver_list.h"
#undef BLO_SOLVER
};

const char *blo_second_order_text(blo_second_order verdict)
{
  static const char *const texts[] = {
#define BLO_SECOND_ORDER_TEXT(code, text) text,
      BLO_SECOND_ORDER_LIST(BLO_SECOND_ORDER_TEXT)
#undef BLO_SECOND_ORDER_TEXT
  };

  return texts[verdict];
}

const blo_solver_type *const *blo_solver_types(blo_int *n)
{
  *n = BLO_COUNT_OF(types);
  return types;
}

const blo_solver_type *blo_solver_find(const char *name)
{
  for (blo_int i = 0; i < BLO_COUNT_OF(types); i++) {
    if (strcmp(types[i]->name, name) == 0) {
      return types[i];
    }
  }
  return NULL;
}

static blo_status allocate(blo_eval *eval, const blo_solver_type *type, uint64_t seed,
                           blo_solver **out)
{
  BLO_TRY(blo_alloc(blo_eval_problem(eval)->ctx, 1, sizeof **out, out));
  **out = (blo_solver){.type = type, .eval = eval, .seed = seed};
  return BLO_OK;
}

static blo_status make_parts(blo_solver *s, const blo_conf *conf)
{
  static const char *const also[] = {"type", NULL};
  blo_context *ctx = blo_eval_problem(s->eval)->ctx;

  BLO_TRY(blo_alloc(ctx, 1, s->type->state_size, &s->data));
  BLO_TRY(blo_alloc(ctx, 1, s->type->options->size, &s->options));
  BLO_TRY(blo_opt_read(ctx, s->type->options, conf, also, s->options));
  BLO_TRY(blo_state_create(ctx, &s->state));
  BLO_TRY(blo_vec_create(blo_eval_space_x(s->eval), &s->x));
  BLO_TRY(blo_vec_create(blo_eval_space_y(s->eval), &s->y));
  BLO_TRY(blo_state_add_int(s->state, "k", &s->k));
  BLO_TRY(blo_state_add_vec(s->state, "x", s->x));
  return blo_state_add_vec(s->state, "y", s->y);
}

blo_status blo_solver_create(blo_eval *eval, const blo_solver_type *type, const blo_conf *conf,
                             uint64_t seed, blo_solver **out)
{
  blo_problem *p = blo_eval_problem(eval);
  blo_status status = BLO_OK;
  blo_solver *s = NULL;

  BLO_GO_ALL(p->comm, allocate(eval, type, seed, &s));
  BLO_GO_ALL(p->comm, make_parts(s, conf));
  blo_eval_start(eval, s->x, s->y);
  BLO_GO(type->setup(s));
  *out = s;
  s = NULL;
done:
  blo_solver_destroy(&s);
  return status;
}

void blo_solver_destroy(blo_solver **solver)
{
  blo_solver *s = *solver;

  if (s != NULL) {
    blo_context *ctx = blo_eval_problem(s->eval)->ctx;
    if (s->data != NULL) {
      s->type->teardown(s);
    }
    blo_vec_destroy(&s->x);
    blo_vec_destroy(&s->y);
    blo_state_destroy(&s->state);
    blo_free(ctx, &s->options);
    blo_free(ctx, &s->data);
    blo_free(ctx, solver);
  }
}

blo_report blo_report_none(void)
{
  return (blo_report){
#define BLO_REPORT_NONE(name, unit, help) .name = (double)NAN,
      BLO_REPORT_LIST(BLO_REPORT_NONE)
#undef BLO_REPORT_NONE
          .stationarity = (double)NAN};
}

blo_status blo_solver_step(blo_solver *s, blo_report *r)
{
  *r = blo_report_none();
  BLO_TRY(s->type->step(s, r));
  s->k++;
  return BLO_OK;
}

void blo_report_estimate(const blo_estimator *e, blo_report *r)
{
  const blo_certificate *c = &e->certificate;

  r->f = e->f;
  r->g = e->g;
  r->lower_residual = c->lower_residual;
  r->adjoint_residual = c->adjoint_residual;
  r->adjoint_rhs = c->adjoint_rhs;
  r->adjoint_relative = c->adjoint_relative;
  r->adjoint_iterations = (double)c->iterations;
  r->curvature = c->curvature;
  r->verdict = c->verdict;
}

void blo_report_hessian(const blo_hessian *h, blo_int before, blo_report *r)
{
  if (h != NULL) {
    r->factorizations = (double)(blo_hessian_factorized(h) - before);
    r->grid_ranks = blo_grid_rows(blo_hessian_grid(h)) * blo_grid_cols(blo_hessian_grid(h));
  }
}

blo_status blo_step_check(const blo_vec *v, const char *name, const char *what, blo_int k)
{
  BLO_CHECK(blo_comm_context(blo_space_comm(v->space)),
            blo_space_layout(v->space) == BLO_SHARDED ||
                blo_array_finite(blo_space_n_local(v->space), v->data),
            BLO_E_NONFINITE, "%s is not finite after %s of iteration %lld", name, what,
            (long long)k);
  return BLO_OK;
}

void blo_solver_describe(const blo_solver *s, FILE *to)
{
  const blo_problem *p = blo_eval_problem(s->eval);
  blo_space *x = blo_eval_space_x(s->eval);

  fprintf(to, "problem   %s: %s\n", p->type->name, p->type->summary);
  fprintf(to, "          x %lld numbers, %s%s; y %lld numbers, %s%s\n", (long long)p->n_x,
          blo_layout_names[blo_space_layout(x)],
          p->x_aligned ? ", aligned with the samples of g" : "", (long long)p->n_y,
          blo_layout_names[blo_space_layout(blo_eval_space_y(s->eval))],
          p->y_width > 0 ? " with the tasks (samples of g)" : "");
  fprintf(to, "          g over %lld samples, f over %lld, in %lld logical shards\n",
          (long long)p->n_lower, (long long)p->n_upper, (long long)p->n_shards);
  fprintf(to, "method    %s: %s\n", s->type->name, s->type->summary);
  fprintf(to, "          %s\n", s->type->source);
  fprintf(to, "cost      %s\n", s->type->cost);
  if (s->type->describe != NULL) {
    s->type->describe(s, to);
  }
}

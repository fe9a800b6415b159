/** @file Life of a problem, and the list of the built-in ones. */
#include <blo/blas.h>
#include <blo/problem.h>
#include <string.h>

#define BLO_PROBLEM(name) extern const blo_problem_type blo_problem_##name;
#include "problem_list.h"
#undef BLO_PROBLEM

static const blo_problem_type *const types[] = {
#define BLO_PROBLEM(name) &blo_problem_##name,
#include "problem_list.h"
#undef BLO_PROBLEM
};

const blo_problem_type *const *blo_problem_types(blo_int *n)
{
  *n = BLO_COUNT_OF(types);
  return types;
}

const blo_problem_type *blo_problem_find(const char *name)
{
  for (blo_int i = 0; i < BLO_COUNT_OF(types); i++) {
    if (strcmp(types[i]->name, name) == 0) {
      return types[i];
    }
  }
  return NULL;
}

static blo_status allocate(blo_comm *comm, const blo_problem_type *type, blo_problem **out)
{
  blo_context *ctx = blo_comm_context(comm);

  BLO_TRY(blo_alloc(ctx, 1, sizeof **out, out));
  **out = (blo_problem){.type = type, .comm = comm, .ctx = ctx, .has = type->has};
  return BLO_OK;
}

static blo_status read_options(blo_problem *p, const blo_conf *conf)
{
  static const char *const also[] = {"type", NULL};

  if (p->type->options != NULL) {
    BLO_TRY(blo_alloc(p->ctx, 1, p->type->options->size, &p->options));
    BLO_TRY(blo_opt_read(p->ctx, p->type->options, conf, also, p->options));
  }
  return BLO_OK;
}

/** The state of the descriptor that the options lead to. */
static blo_status make_state(blo_problem *p)
{
  if (p->type->variant != NULL) {
    p->type = p->type->variant(p);
    p->has = p->type->has;
  }
  return blo_alloc(p->ctx, 1, p->type->state_size, &p->state);
}

blo_status blo_problem_create(blo_comm *comm, const blo_problem_type *type, const blo_conf *conf,
                              blo_problem **out)
{
  blo_status status = BLO_OK;
  blo_problem *p = NULL;

  blo_blas_single_thread();
  BLO_GO_ALL(comm, allocate(comm, type, &p));
  BLO_GO_ALL(comm, read_options(p, conf));
  BLO_GO_ALL(comm, make_state(p));
  BLO_GO(p->type->setup(p));
  if (p->type->unpack == NULL) {
    p->n_packed = p->n_y;
  }
  *out = p;
  p = NULL;
done:
  blo_problem_destroy(&p);
  return status;
}

void blo_problem_destroy(blo_problem **problem)
{
  blo_problem *p = *problem;

  if (p != NULL) {
    blo_context *ctx = p->ctx;
    if (p->state != NULL && p->type->teardown != NULL) {
      p->type->teardown(p);
    }
    blo_free(ctx, &p->state);
    blo_free(ctx, &p->options);
    blo_free(ctx, problem);
  }
}

blo_status blo_problem_spaces(blo_problem *p, blo_space **x, blo_space **y)
{
  BLO_TRY(blo_space_create(p->comm, p->x_layout, p->n_x, p->n_shards, x));
  if (p->y_width > 0) {
    return blo_space_create_items(p->comm, BLO_SHARDED, p->n_lower, p->y_width, p->n_shards, y);
  }
  return blo_space_create(p->comm, BLO_REPLICATED, p->n_y, p->n_shards, y);
}

/* A lower track at a point; see lower_rig.h. */
#include "lower_rig.h"
#include "known.h"
#include <math.h>
#include <stdio.h>

const blo_dense_options rig_one_rank = {.ranks = 1, .block = 64};
const blo_dense_options rig_all_ranks = {.ranks = 0, .block = 2};

blo_lower_options rig_rule(int rule, blo_int steps)
{
  return (blo_lower_options){.steps = steps, .step = 0.1, .warm_start = true, .rule = rule};
}

void rig_make(lower_rig *r, blo_lower_options o, blo_dense_options dense)
{
  fixture_point(&r->f, &r->x, &r->y);
  fixture_like(r->y, 1, &r->g_y);
  r->o = o;
  BLO_REQUIRE_STATUS(blo_state_create(r->f.problem->ctx, &r->state), BLO_OK);
  BLO_REQUIRE_STATUS(blo_hessian_create(r->f.eval, &dense, &r->hessian), BLO_OK);
  BLO_REQUIRE_STATUS(
      blo_lower_create(r->f.eval, &r->o, RIG_SEED, r->y, r->hessian, r->state, &r->lower), BLO_OK);
}

void rig_open(blo_comm *comm, int kind, const char *folder, blo_lower_options o,
              blo_dense_options dense, lower_rig *r)
{
  fixture_make(comm, kind, folder, BLO_REPRODUCIBLE, &r->f);
  rig_make(r, o, dense);
}

void rig_open_network(blo_comm *comm, const char *folder, blo_lower_options o,
                      blo_dense_options dense, lower_rig *r)
{
  char text[600];
  snprintf(text, sizeof text,
           "{corrupt: 0.3, reg: 0.01, x0: 0.5, "
           "model: {type: mlp, hidden: 3, activation: softplus}, "
           "data: {train: {path: %s/data.csv}, n_train: 60, n_val: 30, n_test: "
           "20, shards: 4}}",
           folder);
  known_open(comm, "hyper_cleaning", text, &r->f);
  rig_make(r, o, dense);
}

void rig_close(blo_comm *comm, lower_rig *r)
{
  blo_lower_destroy(&r->lower);
  blo_hessian_destroy(&r->hessian);
  blo_state_destroy(&r->state);
  fixture_free_vecs(1, &r->x);
  fixture_free_vecs(1, &r->y);
  fixture_free_vecs(1, &r->g_y);
  fixture_free(comm, &r->f);
}

void rig_track(lower_rig *r)
{
  BLO_REQUIRE_STATUS(blo_lower_track(r->lower, 0, r->x, r->y), BLO_OK);
}

double rig_look(lower_rig *r, double *norm)
{
  blo_answer ans = {.g_y = r->g_y};
  blo_ask ask = {.lower = BLO_WANT_VALUE | BLO_WANT_Y, .x = r->x, .y = r->y};
  BLO_REQUIRE_STATUS(blo_eval_sweep(r->f.eval, &ask, &ans), BLO_OK);
  *norm = blo_vec_norm(r->g_y);
  return ans.g;
}

double rig_residual(lower_rig *r)
{
  double norm;
  rig_look(r, &norm);
  return norm;
}

bool rig_is_definite(lower_rig *r)
{
  const blo_hessian_point point = {.full = true, .x = r->x, .y = r->y};
  bool definite;
  BLO_REQUIRE_STATUS(blo_hessian_at(r->hessian, &point), BLO_OK);
  BLO_REQUIRE_STATUS(blo_hessian_cholesky(r->hessian, 0, &definite), BLO_OK);
  return definite;
}

double rig_distance(const lower_rig *r, const double *b)
{
  double sum = 0;
  for (blo_int i = 0; i < blo_space_n_local(r->y->space); i++) {
    sum += pow(r->y->data[i] - b[blo_space_first(r->y->space) + i], 2);
  }
  return sqrt(sum);
}

void rig_folder(blo_comm *comm, char *path, size_t cap)
{
  blo_test_tmpdir(comm, path, cap);
  fixture_write_data(comm, path);
}

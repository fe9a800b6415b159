/**
 * @file The batches of a method's blocks. A problem whose y belongs to tasks has one batch of tasks
 * an outer iteration: the lower steps, the adjoint system and f are all about the same tasks, as in
 * meta-learning (Finn, Abbeel and Levine 2017, arXiv 1703.03400, algorithm 1).
 */
#include "eval_private.h"

static bool has_tasks(const blo_eval *e)
{
  return e->problem->y_width > 0;
}

blo_status blo_eval_sampler(blo_eval *e, uint64_t seed, blo_purpose purpose, blo_int batch,
                            blo_sampler **out)
{
  const blo_problem *p = e->problem;
  blo_int n = purpose == BLO_PURPOSE_UPPER ? p->n_upper : p->n_lower;
  blo_int size = batch > 0 && batch < n ? batch : n;

  BLO_CHECK(e->ctx, !has_tasks(e) || e->tasks == 0 || e->tasks == size, BLO_E_OPTION,
            "batches of %lld and of %lld tasks: y belongs to tasks in problem '%s', so all blocks "
            "of a method need the same batch size",
            (long long)e->tasks, (long long)size, p->type->name);
  BLO_TRY(blo_sampler_create(p->comm, seed, has_tasks(e) ? BLO_PURPOSE_TASKS : purpose, n,
                             p->n_shards, batch, out));
  e->tasks = size;
  return BLO_OK;
}

const blo_batch *blo_eval_draw(const blo_eval *e, blo_sampler *sampler, blo_int k,
                               blo_int per_outer, blo_int t)
{
  return blo_sampler_draw(sampler, (uint64_t)(has_tasks(e) ? k : k * per_outer + t));
}

bool blo_eval_one_batch(const blo_eval *e, const blo_sampler *sampler)
{
  return has_tasks(e) || blo_sampler_is_full(sampler);
}

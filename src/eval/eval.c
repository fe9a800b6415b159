/** @file Life of an evaluator, its counters and notices, and the metrics. */
#include "eval_private.h"

static blo_status check_problem(const blo_problem *p)
{
  blo_context *ctx = p->ctx;

  BLO_CHECK(ctx, p->x_layout != BLO_SHARDED || p->x_aligned, BLO_E_UNSUPPORTED,
            "problem '%s': x can be sharded only if it is aligned with the samples of g",
            p->type->name);
  BLO_CHECK(ctx, !p->x_aligned || p->n_x == p->n_lower, BLO_E_SHAPE,
            "problem '%s': an aligned x has one entry per sample of g, %lld, not %lld",
            p->type->name, (long long)p->n_lower, (long long)p->n_x);
  BLO_CHECK(ctx, !p->x_aligned || (p->has & BLO_HAS_F_X) == 0, BLO_E_UNSUPPORTED,
            "problem '%s': samples of f cannot contribute to an x aligned with those of g",
            p->type->name);
  BLO_CHECK(ctx, p->x_layout != BLO_REPLICATED || !p->x_aligned, BLO_E_UNSUPPORTED,
            "problem '%s': an aligned x is sharded or rooted, not replicated", p->type->name);
  return blo_shards_check(p->comm, p->n_shards);
}

static blo_status check_tasks(const blo_problem *p)
{
  blo_context *ctx = p->ctx;

  if (p->y_width == 0) {
    return BLO_OK;
  }
  BLO_CHECK(ctx, p->n_upper == p->n_lower, BLO_E_SHAPE,
            "problem '%s': y belongs to tasks, so f has as many samples as g, %lld, not %lld",
            p->type->name, (long long)p->n_lower, (long long)p->n_upper);
  BLO_CHECK(ctx, p->y_width > 0 && p->n_y == p->n_lower * p->y_width, BLO_E_SHAPE,
            "problem '%s': %lld tasks with %lld numbers of y each, but n_y is %lld", p->type->name,
            (long long)p->n_lower, (long long)p->y_width, (long long)p->n_y);
  BLO_CHECK(ctx, p->type->unpack == NULL, BLO_E_UNSUPPORTED,
            "problem '%s': a y that belongs to tasks cannot be packed", p->type->name);
  BLO_CHECK(ctx, !p->x_aligned, BLO_E_UNSUPPORTED,
            "problem '%s': x cannot be aligned with the samples of g if y belongs to them",
            p->type->name);
  return BLO_OK;
}

static blo_status make_full_batch(blo_eval *e, blo_level level)
{
  blo_problem *p = e->problem;
  blo_int n = level == BLO_LOWER ? p->n_lower : p->n_upper, own = e->end_shard - e->first_shard;
  blo_int begin = blo_shard_begin(n, p->n_shards, e->first_shard), *start;

  BLO_TRY(blo_alloc(e->ctx, own + 1, sizeof *start, &e->all_start[level]));
  start = e->all_start[level];
  for (blo_int s = 0; s <= own; s++) {
    start[s] = blo_shard_begin(n, p->n_shards, e->first_shard + s) - begin;
  }
  e->all[level] = (blo_batch){.n = n, .n_own = start[own], .start = start};
  return BLO_OK;
}

static blo_status make_memory(blo_eval *e)
{
  blo_problem *p = e->problem;
  blo_context *ctx = e->ctx;
  blo_int own = e->end_shard - e->first_shard;

  BLO_TRY(make_full_batch(e, BLO_LOWER));
  BLO_TRY(make_full_batch(e, BLO_UPPER));
  e->longest = blo_eval_longest_message(p, 1);
  BLO_TRY(blo_alloc(ctx, e->longest, sizeof *e->total, &e->total));
  BLO_TRY(blo_alloc(ctx, blo_comm_size(e->comm) + 1, sizeof *e->piece, &e->piece));
  BLO_TRY(blo_alloc(ctx, p->type->n_metric_sums, sizeof *e->metric_total, &e->metric_total));
  return blo_alloc(ctx, own + 1, sizeof(blo_int), &e->linearized_start);
}

static blo_status allocate(blo_problem *p, blo_reduction how, blo_eval **out)
{
  BLO_TRY(blo_alloc(p->ctx, 1, sizeof **out, out));
  **out = (blo_eval){.problem = p, .comm = p->comm, .ctx = p->ctx, .how = how, .directions = 1};
  (*out)->first_shard = blo_comm_first_shard(p->comm, p->n_shards);
  (*out)->end_shard = blo_comm_end_shard(p->comm, p->n_shards);
  return BLO_OK;
}

blo_status blo_eval_create(blo_problem *problem, blo_reduction how, blo_eval **out)
{
  blo_comm *comm = problem->comm;
  blo_status status = BLO_OK;
  blo_eval *e = NULL;

  BLO_GO(check_problem(problem));
  BLO_GO(check_tasks(problem));
  BLO_GO_ALL(comm, allocate(problem, how, &e));
  BLO_GO_ALL(comm, make_memory(e));
  BLO_GO_ALL(comm, blo_problem_spaces(problem, &e->space_x, &e->space_y));
  BLO_GO_ALL(comm, blo_sum_create(comm, how, problem->n_shards, e->longest, &e->sum));
  BLO_GO_ALL(comm, blo_sum_create(comm, BLO_REPRODUCIBLE, problem->n_shards,
                                  problem->type->n_metric_sums, &e->metric_sum));
  *out = e;
  e = NULL;
done:
  blo_eval_destroy(&e);
  return status;
}

void blo_eval_destroy(blo_eval **eval)
{
  blo_eval *e = *eval;

  if (e != NULL) {
    blo_context *ctx = e->ctx;
    blo_sum_destroy(&e->sum);
    blo_sum_destroy(&e->metric_sum);
    blo_space_destroy(&e->space_x);
    blo_space_destroy(&e->space_y);
    blo_free(ctx, &e->total);
    blo_free(ctx, &e->piece);
    blo_free(ctx, &e->metric_total);
    blo_free(ctx, &e->all_start[BLO_LOWER]);
    blo_free(ctx, &e->all_start[BLO_UPPER]);
    blo_free(ctx, &e->linearized_start);
    blo_free(ctx, &e->linearized_row);
    blo_free(ctx, &e->cache);
    blo_free(ctx, eval);
  }
}

blo_problem *blo_eval_problem(const blo_eval *e)
{
  return e->problem;
}

blo_space *blo_eval_space_x(const blo_eval *e)
{
  return e->space_x;
}

blo_space *blo_eval_space_y(const blo_eval *e)
{
  return e->space_y;
}

bool blo_eval_can_linearize(const blo_eval *e)
{
  return e->problem->cache_per_sample > 0;
}

blo_counts *blo_eval_counts(blo_eval *e)
{
  return &e->counts;
}

void blo_eval_notify(blo_eval *e, int notice)
{
  e->notice[notice] = true;
}

bool blo_eval_noticed(const blo_eval *e, int notice)
{
  return e->noticed[notice];
}

void blo_eval_forget(blo_eval *e, int notice)
{
  e->notice[notice] = e->noticed[notice] = false;
}

static blo_slice slice_of(const blo_vec *v)
{
  return (blo_slice){blo_space_first(v->space), blo_space_n_local(v->space), v->data};
}

void blo_eval_start(blo_eval *e, blo_vec *x, blo_vec *y)
{
  blo_slice of_x = slice_of(x), of_y = slice_of(y);

  e->tasks = 0;
  e->problem->type->start(e->problem, &of_x, &of_y);
  blo_vec_publish(x);
}

blo_status blo_eval_metrics(blo_eval *e, const blo_vec *x, const blo_vec *y, double *values)
{
  blo_problem *p = e->problem;
  blo_point at = {.x = x->data, .y = y->data};
  blo_status local = BLO_OK;
  blo_phase before = blo_phase_enter(e->ctx, BLO_PHASE_MONITOR);

  if (p->type->metrics_prepare != NULL) {
    p->type->metrics_prepare(p, &at);
  }
  blo_sum_begin(e->metric_sum, p->type->n_metric_sums);
  for (blo_int s = e->first_shard; s < e->end_shard && local == BLO_OK; s++) {
    blo_int offset = p->x_aligned ? blo_space_shard_offset(e->space_x, s) : 0;
    local = p->type->metrics_shard(p, s, x->data + offset, blo_sum_next_shard(e->metric_sum));
  }
  blo_sum_finish(e->metric_sum, e->metric_total);
  blo_phase_enter(e->ctx, before);
  blo_eval_keep(e, local);
  BLO_TRY(blo_eval_settle(e));
  p->type->metrics_finish(p, e->metric_total, values);
  return BLO_OK;
}

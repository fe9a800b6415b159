/* Projections on vectors of any size and layout; see set_bench.h. */
#include "set_bench.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Only its spaces and its slot `project` matter. */
typedef struct shape_options {
  blo_int n;
  int layout;
} shape_options;

static const blo_opt_row shape_rows[] = {
    BLO_OPT(shape_options, n, "5", 1, SET_BENCH_MAX, "-", "entries of x", "", 0),
    BLO_OPT_NAMES(shape_options, layout, "rooted", blo_layout_names, "of x", "", 0),
};
static const blo_opt_table shape_table = {
    "shape", "a shape", sizeof(shape_options), shape_rows, BLO_COUNT_OF(shape_rows), NULL, 0};

static blo_status shape_setup(blo_problem *p)
{
  const shape_options *o = p->options;
  p->n_x = p->n_lower = p->n_upper = o->n;
  p->n_y = 3;
  p->n_shards = 8;
  p->x_layout = (blo_layout)o->layout;
  p->x_aligned = o->layout == BLO_SHARDED;
  return BLO_OK;
}

static blo_status no_shard(blo_problem *p, const blo_shard_task *task, const blo_shard_out *out)
{
  (void)p, (void)task, (void)out;
  return BLO_OK;
}

static void no_start(const blo_problem *p, const blo_slice *x, const blo_slice *y)
{
  (void)p, (void)x, (void)y;
}

double set_bench_bound(blo_level level, blo_int i)
{
  return level == BLO_UPPER ? (double)i / 8 - 1 : 1;
}

static void own_project(const blo_problem *p, blo_level level, const blo_slice *z, double *d)
{
  (void)p;
  for (blo_int i = 0; i < z->n; i++) {
    double bound = set_bench_bound(level, z->first + i);
    bool out = level == BLO_UPPER ? z->data[i] < bound : z->data[i] > bound;
    if (d != NULL) {
      d[i] = out ? 0 : d[i];
    } else {
      z->data[i] = out ? bound : z->data[i];
    }
  }
}

const blo_problem_type set_bench_shape = {.name = "shape",
                                          .summary = "",
                                          .source = "",
                                          .options = &shape_table,
                                          .setup = shape_setup,
                                          .start = no_start,
                                          .shard = no_shard,
                                          .project = own_project};

void set_bench_open(blo_comm *comm, int n, blo_layout layout, const blo_projection_options *o,
                    set_bench *b)
{
  char text[64];
  *b = (set_bench){.set = NULL};
  snprintf(text, sizeof text, "{n: %d, layout: %s}", n, blo_layout_names[layout]);
  BLO_REQUIRE_STATUS(blo_conf_parse(blo_comm_context(comm), "test", text, &b->conf), BLO_OK);
  BLO_REQUIRE_STATUS(blo_problem_create(comm, &set_bench_shape, b->conf, &b->problem), BLO_OK);
  BLO_REQUIRE_STATUS(blo_eval_create(b->problem, BLO_REPRODUCIBLE, &b->eval), BLO_OK);
  BLO_REQUIRE_STATUS(blo_projection_create(b->eval, o, BLO_UPPER, &b->set), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_create(blo_eval_space_x(b->eval), &b->z), BLO_OK);
  BLO_REQUIRE_STATUS(blo_vec_create(blo_eval_space_x(b->eval), &b->d), BLO_OK);
}

void set_bench_close(set_bench *b)
{
  blo_projection_destroy(&b->set);
  blo_vec_destroy(&b->z);
  blo_vec_destroy(&b->d);
  blo_eval_destroy(&b->eval);
  blo_problem_destroy(&b->problem);
  blo_conf_destroy(&b->conf);
}

void set_bench_put(const double *all, blo_vec *v)
{
  blo_vec_set_from(all, v);
  for (blo_int i = 0; i < blo_space_n_local(v->space) && !blo_space_owned(v->space); i++) {
    v->data[i] = (double)NAN;
  }
}

void set_bench_project(set_bench *b, const double *z, double *out)
{
  set_bench_put(z, b->z);
  blo_projection_apply(b->set, b->z);
  blo_vec_get_all(b->z, out);
}

void set_bench_pull_back(set_bench *b, const double *z, const double *d, double *out)
{
  set_bench_put(z, b->z);
  set_bench_put(d, b->d);
  blo_projection_pullback(b->set, b->z, b->d);
  blo_vec_get_all(b->z, out);
  BLO_EXPECT_ALL(memcmp(out, z, (size_t)blo_space_n(b->z->space) * sizeof *z) == 0);
  blo_vec_get_all(b->d, out);
}

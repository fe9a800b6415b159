/** @file Describing a run without running it. */
#include "dry_run.h"
#include <blo/model.h>

/* MiB on the ranks: at the time of the call, and the most there ever was. */
typedef struct memory {
  double now, peak, all;
} memory;

static memory ask_memory(blo_comm *comm)
{
  blo_memory_use use = blo_memory(blo_comm_context(comm));

  return (memory){.now = blo_max_all(comm, (double)use.bytes / 0x1p20),
                  .peak = blo_max_all(comm, (double)use.peak_bytes / 0x1p20),
                  .all = (double)blo_sum_all(comm, use.bytes) / 0x1p20};
}

static void print_block(const blo_block *b)
{
  enum { SHAPE_CAP = 100 };
  char shape[SHAPE_CAP] = "";
  int used = 0;

  for (int i = 0; i < b->n_dims; i++) {
    used += snprintf(shape + used, sizeof shape - (size_t)used, "%s%lld", i > 0 ? " x " : "",
                     (long long)b->dim[i]);
  }
  printf("          %s  %-28s %-20s %12lld\n", b->owner == BLO_IN_X ? "x" : "y", b->name, shape,
         (long long)b->n);
}

/* What the blocks of an owner sum up to, and the vector's length if that is something else. */
static void print_total(const blo_params *params, blo_owner owner, const char *name, blo_int n)
{
  blo_int size = blo_params_size(params, owner);

  printf("          all blocks of %-39s %12lld", name, (long long)size);
  if (size != n) {
    printf("  of its %lld numbers", (long long)n);
  }
  printf("\n");
}

static void print_params(const blo_problem *p)
{
  if (p->params == NULL) {
    return;
  }
  printf("blocks    in  name, dimensions, numbers\n");
  for (blo_int i = 0; i < blo_params_count(p->params); i++) {
    print_block(blo_params_get(p->params, i));
  }
  print_total(p->params, BLO_IN_X, "x", p->n_x);
  print_total(p->params, BLO_IN_Y, p->y_width > 0 ? "y of one task" : "y",
              p->y_width > 0 ? p->y_width : p->n_y);
}

void blo_dry_run_print(blo_comm *comm, const blo_setup *setup, const char *resolved)
{
  memory m = ask_memory(comm);

  if (blo_comm_rank(comm) != BLO_ROOT) {
    return;
  }
  blo_solver_describe(setup->solver, stdout);
  print_params(setup->problem);
  printf("numbers   n_x = %lld, n_y = %lld\n", (long long)setup->problem->n_x,
         (long long)setup->problem->n_y);
  printf("memory    after set-up %.2f MiB on the rank that has most, %.2f MiB on all %d; at most "
         "%.2f MiB on a rank\n          during set-up\n",
         m.now, m.all, blo_comm_size(comm), m.peak);
  printf("\n# the configuration with all defaults\n%s", resolved);
  fflush(stdout);
}

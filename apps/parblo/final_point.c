/** @file Reading the point at which a run ended; see final_point.h. The root reads. */
#include "final_point.h"
#include <stdio.h>
#include <string.h>

/* ---------------------------------------------------------------- the file */

static blo_status open_local(blo_context *ctx, blo_final *f)
{
  BLO_TRY(blo_h5_open(ctx, f->path, NULL, &f->file));
  f->is_run = blo_h5_has(f->file, "outcome");
  BLO_CHECK(ctx, f->is_run || blo_h5_has(f->file, "state"), BLO_E_FORMAT,
            "%s is neither a run file nor a checkpoint", f->path);
  BLO_CHECK(ctx, !f->is_run || blo_h5_has(f->file, "final/x"), BLO_E_DATA,
            "%s has no final point: the run has not come to its first checkpoint", f->path);
  BLO_TRY(blo_h5_get_text(f->file, f->is_run ? "config/resolved" : "config", &f->config));
  return blo_h5_get_int(f->file, f->is_run ? "final/iteration" : "iteration", &f->iteration);
}

blo_status blo_final_open(blo_comm *comm, const char *path, blo_final *f)
{
  bool is_root = blo_comm_rank(comm) == BLO_ROOT;

  *f = (blo_final){.path = path};
  BLO_TRY(blo_agree_from(comm, BLO_ROOT, is_root ? open_local(blo_comm_context(comm), f) : BLO_OK));
  blo_bcast(comm, BLO_ROOT, &f->is_run, sizeof f->is_run);
  blo_bcast(comm, BLO_ROOT, &f->iteration, sizeof f->iteration);
  return blo_bcast_text(comm, BLO_ROOT, &f->config);
}

void blo_final_close(blo_context *ctx, blo_final *f)
{
  blo_h5_close(&f->file);
  blo_free(ctx, &f->config);
}

/* --------------------------------------------------------------- a vector */

/** A vector as it stands in the file. */
typedef struct part {
  const char *path;
  const blo_params *params; /**< names of its parts, or NULL */
  blo_owner owner;
  blo_int n, n_items; /**< numbers; tasks that own n / n_items each, 0: it is not split */
} part;

static blo_status check_size(blo_context *ctx, const blo_final *f, const char *path, blo_int n)
{
  blo_int found;

  BLO_TRY(blo_h5_array_size(f->file, path, &found));
  BLO_CHECK(ctx, found == n, BLO_E_MISMATCH,
            "%s: %s has %lld numbers, the problem has %lld there; the configuration is not that of "
            "the run",
            f->path, path, (long long)found, (long long)n);
  return BLO_OK;
}

/** One named part, of all tasks. @param[in] size  numbers of a task that all parts make up */
static blo_status read_block(blo_context *ctx, const blo_final *f, const part *v,
                             const blo_block *b, blo_int size, double *all)
{
  enum { PATH_CAP = 32 + BLO_NAME_MAX };
  char path[PATH_CAP];
  blo_int n = v->n / size * b->n;
  double *numbers = NULL, *from;
  blo_status status = BLO_OK;

  snprintf(path, sizeof path, "%s/%s", v->path, b->name);
  BLO_GO(check_size(ctx, f, path, n));
  BLO_GO(blo_alloc(ctx, n, sizeof *numbers, &numbers));
  BLO_GO(blo_h5_get_array(f->file, path, numbers, n));
  from = numbers;
  for (blo_int at = b->offset; at < v->n; at += size, from += b->n) {
    memcpy(all + at, from, (size_t)b->n * sizeof *from);
  }
done:
  blo_free(ctx, &numbers);
  return status;
}

/** A run file has the parts in a group if they have names that cover the vector. */
static blo_status read_local(blo_context *ctx, const blo_final *f, const part *v, double *all)
{
  blo_int size = f->is_run && v->params != NULL ? blo_params_size(v->params, v->owner) : 0;

  if (size == 0 || size * (v->n_items > 0 ? v->n_items : 1) != v->n) {
    BLO_TRY(check_size(ctx, f, v->path, v->n));
    return blo_h5_get_array(f->file, v->path, all, v->n);
  }
  for (blo_int i = 0; i < blo_params_count(v->params); i++) {
    const blo_block *b = blo_params_get(v->params, i);
    if (b->owner == v->owner) {
      BLO_TRY(read_block(ctx, f, v, b, size, all));
    }
  }
  return BLO_OK;
}

static blo_status read_vector(blo_comm *comm, const blo_final *f, const part *v, blo_vec *to)
{
  blo_context *ctx = blo_comm_context(comm);
  bool is_root = blo_comm_rank(comm) == BLO_ROOT;
  double *all = NULL;
  blo_status status = BLO_OK;

  BLO_GO_ALL(comm, blo_alloc(ctx, v->n, sizeof *all, &all));
  BLO_GO(blo_agree_from(comm, BLO_ROOT, is_root ? read_local(ctx, f, v, all) : BLO_OK));
  blo_vec_scatter(all, to);
  blo_vec_publish(to);
done:
  blo_free(ctx, &all);
  return status;
}

/* --------------------------------------------------------------- the point */

/** A checkpoint knows its data. */
static blo_status compare_data(blo_context *ctx, const blo_final *f, const blo_problem *p)
{
  char mine[17];
  char *found = NULL;
  blo_status status = BLO_OK;

  if (f->is_run) {
    return BLO_OK;
  }
  snprintf(mine, sizeof mine, "%016llx", (unsigned long long)p->fingerprint);
  BLO_GO(blo_h5_get_text(f->file, "fingerprint", &found));
  BLO_CHECK_GO(ctx, strcmp(found, mine) == 0, BLO_E_MISMATCH,
               "%s was made with other data: fingerprint %s, the problem has %s", f->path, found,
               mine);
done:
  blo_free(ctx, &found);
  return status;
}

blo_status blo_final_read(blo_comm *comm, const blo_final *f, const blo_problem *p, blo_vec *x,
                          blo_vec *y)
{
  const part in_x = {.path = f->is_run ? "final/x" : "state/x",
                     .params = p->params,
                     .owner = BLO_IN_X,
                     .n = p->n_x};
  const part in_y = {.path = f->is_run ? "final/y" : "state/y",
                     .params = p->params,
                     .owner = BLO_IN_Y,
                     .n = p->n_y,
                     .n_items = p->y_width > 0 ? p->n_lower : 0};
  bool is_root = blo_comm_rank(comm) == BLO_ROOT;

  BLO_TRY(blo_agree_from(comm, BLO_ROOT,
                         is_root ? compare_data(blo_comm_context(comm), f, p) : BLO_OK));
  BLO_TRY(read_vector(comm, f, &in_x, x));
  return read_vector(comm, f, &in_y, y);
}

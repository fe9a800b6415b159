/** @file Writing an x or y by its named parts; see point.h. */
#include "point.h"
#include <string.h>

/* Numbers that the blocks describe: all, or those of one task; 0 if they do not cover them. */
static blo_int described(const blo_point_vector *v)
{
  blo_int size = v->params != NULL ? blo_params_size(v->params, v->owner) : 0;

  return size * (v->n_items > 0 ? v->n_items : 1) == v->n ? size : 0;
}

/* The block's numbers of all tasks, one task after the other. */
static void collect(const blo_point_vector *v, const blo_block *b, blo_int size, double *to)
{
  for (blo_int at = b->offset; at < v->n; at += size) {
    memcpy(to, v->data + at, (size_t)b->n * sizeof *to);
    to += b->n;
  }
}

static blo_status write_block(blo_context *ctx, blo_h5 *h5, const char *path,
                              const blo_point_vector *v, const blo_block *b)
{
  enum { PATH_CAP = 32 + BLO_NAME_MAX };
  char name[PATH_CAP];
  blo_int dim[BLO_H5_DIMS_MAX] = {v->n_items}, size = described(v);
  int n_dims = v->n_items > 0 ? 1 : 0;
  blo_status status = BLO_OK;
  double *numbers = NULL;

  for (int i = 0; i < b->n_dims; i++) {
    dim[n_dims++] = b->dim[i];
  }
  snprintf(name, sizeof name, "%s/%s", path, b->name);
  BLO_GO(blo_alloc(ctx, v->n / size * b->n, sizeof *numbers, &numbers));
  collect(v, b, size, numbers);
  BLO_GO(blo_h5_put_tensor(h5, name, numbers, n_dims, dim, "-", v->help));
done:
  blo_free(ctx, &numbers);
  return status;
}

blo_status blo_point_write(blo_context *ctx, blo_h5 *h5, const char *path,
                           const blo_point_vector *v)
{
  if (described(v) == 0) {
    return blo_h5_put_array(h5, path, v->data, v->n, false, "-", v->help, NULL);
  }
  for (blo_int i = 0; i < blo_params_count(v->params); i++) {
    const blo_block *b = blo_params_get(v->params, i);
    if (b->owner == v->owner) {
      BLO_TRY(write_block(ctx, h5, path, v, b));
    }
  }
  return BLO_OK;
}

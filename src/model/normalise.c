/**
 * @file
 * Batch normalisation with fixed statistics: a scale and a shift per channel that are constants,
 * factor = (variance + eps)^(-1/2) and -mean * factor.
 */
#include "graph_private.h"
#include <math.h>

/** A constant that fits the node, number k that of channel k % channels: of an image [channels],
 *  of others one for each number. */
static blo_node spread(blo_graph *g, blo_node like, blo_int channels, const double *values)
{
  const node *a = graph_node(g, like);
  blo_int n = a->n_dims == NODE_DIMS ? channels : a->n;
  double *all = NULL;
  blo_status status = blo_alloc(g->ctx, n, sizeof *all, &all);
  blo_node made;

  if (status != BLO_OK) {
    return graph_refuse(g, status, "%s", blo_error_text(g->ctx));
  }
  for (blo_int k = 0; k < n; k++) {
    all[k] = values[k % channels];
  }
  made = blo_graph_constant(g, n, all);
  blo_free(g->ctx, &all);
  return made;
}

static bool fill(blo_graph *g, blo_int channels, const double *mean, const double *variance,
                 double eps, double *factor, double *shift)
{
  for (blo_int k = 0; k < channels; k++) {
    if (!(variance[k] + eps > 0)) {
      graph_refuse(g, BLO_E_DATA, "batch_norm: channel %lld: variance %g and eps %g", (long long)k,
                   variance[k], eps);
      return false;
    }
    factor[k] = 1 / sqrt(variance[k] + eps);
    shift[k] = -mean[k] * factor[k];
  }
  return true;
}

blo_node blo_graph_batch_norm(blo_graph *g, blo_node in, const double *mean, const double *variance,
                              double eps)
{
  double *factor = NULL;
  const node *a;
  blo_node out = -1;
  blo_int channels;
  blo_status status;

  if (graph_failed(g, 1, &in)) {
    return -1;
  }
  a = graph_node(g, in);
  channels = a->n_dims == NODE_DIMS ? a->dim[0] : a->dim[a->n_dims - 1];
  status = blo_alloc(g->ctx, 2 * channels, sizeof *factor, &factor);
  if (status != BLO_OK) {
    return graph_refuse(g, status, "%s", blo_error_text(g->ctx));
  }
  if (fill(g, channels, mean, variance, eps, factor, factor + channels)) {
    out = blo_graph_product(g, in, spread(g, in, channels, factor));
    out = out < 0 ? -1 : blo_graph_add(g, out, spread(g, in, channels, factor + channels));
  }
  blo_free(g->ctx, &factor);
  return out;
}

/* All of a distributed matrix on every rank; see whole.h. */
#include "whole.h"
#include "harness.h"

void whole_matrix(const blo_dense *a, double *all)
{
  blo_grid *grid = blo_dense_grid(a);
  blo_comm *comm = blo_grid_comm(grid);
  int size = blo_comm_size(comm);
  blo_int m = blo_dense_m(a), n = blo_dense_n(a);
  blo_mover *mover = NULL;
  blo_rect *rects = NULL;

  BLO_REQUIRE_STATUS(blo_mover_create(grid, m * n, size * m * n, &mover), BLO_OK);
  BLO_REQUIRE_STATUS(blo_alloc(blo_comm_context(comm), size, sizeof *rects, &rects), BLO_OK);
  for (int r = 0; r < size; r++) {
    rects[r] = (blo_rect){0, m, 0, n};
  }
  blo_dense_get(a, rects, all, mover);
  blo_free(blo_comm_context(comm), &rects);
  blo_mover_destroy(&mover);
}

double *whole_matrix_alloc(const blo_dense *a)
{
  blo_context *ctx = blo_comm_context(blo_grid_comm(blo_dense_grid(a)));
  double *all = NULL;

  BLO_REQUIRE_STATUS(blo_alloc(ctx, blo_dense_m(a) * blo_dense_n(a), sizeof *all, &all), BLO_OK);
  whole_matrix(a, all);
  return all;
}

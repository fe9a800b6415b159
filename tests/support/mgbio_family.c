/* What mgbio and its kin cost; see mgbio_family.h. */
#include "mgbio_family.h"

/* The matrices come eight columns at a time. A Hessian that needs no clip takes its norm and that
 * of each of two Cholesky factorisations, the norm of J, the solve, the product. */
method_cost mgbio_cost(int points, int steps, bool tasks)
{
  int n_y = tasks ? TASKS_N_Y : QUADRATIC_N_Y;
  return (method_cost){.g_x = 0,
                       .g_y = points,
                       .hv = points * n_y,
                       .jv = points * n_y,
                       .f_x = points,
                       .f_y = points,
                       .reductions = points * (1 + (n_y + 7) / 8) + 6 * steps};
}

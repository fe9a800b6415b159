/* ranks: 1 */
/* The branch-free tanh and logistic function against the C library in extended precision. The
 * header is private to the model layer; it has no state and no dependencies. */
#include "../../src/model/squash.h"
#include "harness.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>

/** Arguments of all sizes, 1e-12 to 60, both signs. */
static double argument(int i)
{
  double size = pow(10, -12 + 13.8 * (i / 2) / 20000.0);

  return i % 2 == 0 ? size : -size;
}

static double error_in_ulps(double got, long double exact)
{
  return (double)(fabsl((long double)got - exact) / fabsl(exact)) / DBL_EPSILON;
}

static void agrees_with_the_library(blo_comm *comm)
{
  double of_tanh = 0, of_sigmoid = 0;

  (void)comm;
  for (int i = 0; i < 40000; i++) {
    double a = argument(i);
    of_tanh = fmax(of_tanh, error_in_ulps(squash_tanh(a), tanhl((long double)a)));
    of_sigmoid =
        fmax(of_sigmoid, error_in_ulps(squash_sigmoid(a), 1 / (1 + expl(-(long double)a))));
  }
  BLO_EXPECT_MSG(of_tanh < 4, "tanh: %.2f ulps", of_tanh);
  BLO_EXPECT_MSG(of_sigmoid < 4, "sigmoid: %.2f ulps", of_sigmoid);
}

static void goes_to_its_limits(blo_comm *comm)
{
  const double huge = 1e308;

  (void)comm;
  BLO_EXPECT_ALL(squash_tanh(huge) >= 1 && squash_tanh(huge) <= 1);
  BLO_EXPECT_ALL(squash_tanh(-(double)INFINITY) >= -1 && squash_tanh(-(double)INFINITY) <= -1);
  BLO_EXPECT_ALL(squash_sigmoid((double)INFINITY) >= 1 && squash_sigmoid((double)INFINITY) <= 1);
  BLO_EXPECT_ALL(squash_sigmoid(-huge) > 0 && squash_sigmoid(-huge) < 1e-300);
  BLO_EXPECT_ALL(fabs(squash_tanh(0)) <= 0 && fabs(squash_sigmoid(0) - 0.5) <= 0);
  BLO_EXPECT_ALL(isnan(squash_tanh((double)NAN)) && isnan(squash_sigmoid((double)NAN)));
}

static const blo_test tests[] = {{"agrees with the library", agrees_with_the_library},
                                 {"goes to its limits", goes_to_its_limits}};
BLO_TEST_MAIN("squash", tests)

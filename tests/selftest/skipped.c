/* A program all of whose tests are skipped. */
#include "harness.h"

static void needs_more(blo_comm *comm)
{
  blo_test_skip("needs more than %d ranks", blo_comm_size(comm));
}

static const blo_test tests[] = {{"needs more", needs_more}};
BLO_TEST_MAIN("skipped", tests)

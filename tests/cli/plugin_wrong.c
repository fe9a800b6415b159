/**
 * @file
 * Shared libraries that are no good plugins. Compiled with WRONG = 1: no entry; 2: the entry of
 * another version; 3: a symbol that is nowhere; 4: the name of a built-in problem; 5: a problem
 * that is not complete; 6: one name twice; 7: other headers.
 */
#include <blo/plugin.h>

static blo_status setup(blo_problem *p)
{
  (void)p;
  return BLO_OK;
}

static void start(const blo_problem *p, const blo_slice *x, const blo_slice *y)
{
  (void)p, (void)x, (void)y;
}

#if WRONG == 3
extern blo_status symbol_that_is_nowhere(void);
#endif

static blo_status shard(blo_problem *p, const blo_shard_task *task, const blo_shard_out *out)
{
  (void)p, (void)task, (void)out;
#if WRONG == 3
  return symbol_that_is_nowhere();
#else
  return BLO_OK;
#endif
}

static const blo_problem_type wrong = {
    .name = WRONG == 4 ? "hyper_cleaning" : "wrong",
    .summary = "",
    .source = "",
    .setup = setup,
    .start = start,
    .shard = WRONG == 5 ? NULL : shard,
};

#if WRONG == 1
BLO_API const blo_problem_type *not_the_entry(void);
const blo_problem_type *not_the_entry(void)
{
  return &wrong;
}
#elif WRONG == 2
static const blo_problem_type *const problems[] = {&wrong};
BLO_API extern const blo_plugin blo_plugin_entry;
const blo_plugin blo_plugin_entry = {"0.0.1", BLO_PLUGIN_SIZE, 1, problems};
#elif WRONG == 6
BLO_PLUGIN(&wrong, &wrong);
#elif WRONG == 7
static const blo_problem_type *const problems[] = {&wrong};
BLO_API extern const blo_plugin blo_plugin_entry;
const blo_plugin blo_plugin_entry = {BLO_VERSION, BLO_PLUGIN_SIZE + 8, 1, problems};
#else
BLO_PLUGIN(&wrong);
#endif

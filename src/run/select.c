/** @file The types that `problem.type` and `solver.type` choose. */
#include "setup.h"
#include <string.h>

enum { NAMES_MAX = 64, LIST_CAP = 512 };

const char *const blo_config_type_keys[] = {"type", NULL};

static void join(const char *const *names, char list[LIST_CAP])
{
  size_t used = 0;

  list[0] = '\0';
  for (int i = 0; names[i] != NULL && used < LIST_CAP; i++) {
    int n = snprintf(list + used, LIST_CAP - used, "%s%s", i > 0 ? ", " : "", names[i]);
    used += (size_t)n;
  }
}

/* The place of the block's type among `names`. */
static blo_status choose(blo_context *ctx, const blo_conf *conf, const char *block,
                         const char *const *names, int *place)
{
  const blo_conf *map = blo_conf_find(conf, block);
  const char *where = blo_conf_where(map != NULL ? map : conf);
  const char *given = map != NULL ? blo_conf_text(map, "type") : NULL, *near;
  char list[LIST_CAP];

  join(names, list);
  BLO_CHECK(ctx, given != NULL && given[0] != '\0', BLO_E_OPTION,
            "%s: %s.type is missing: must be one of %s", where, block, list);
  for (*place = 0; names[*place] != NULL; (*place)++) {
    if (strcmp(names[*place], given) == 0) {
      return BLO_OK;
    }
  }
  near = blo_nearest(given, names);
  return blo_fail(ctx, BLO_E_OPTION, __FILE__, __LINE__,
                  "%s: %s.type = '%s' is not known; %s%s%s(known: %s)",
                  blo_conf_where(blo_conf_find(map, "type")), block, given,
                  near != NULL ? "did you mean '" : "", near != NULL ? near : "",
                  near != NULL ? "'? " : "", list);
}

blo_status blo_config_problem(blo_context *ctx, const blo_conf *conf, const blo_plugin_file *plugin,
                              const blo_problem_type **out)
{
  const char *names[NAMES_MAX + 1] = {NULL};
  blo_int n;
  const blo_problem_type *const *types = blo_plugin_problems(plugin, &n);
  int place = 0;

  for (blo_int i = 0; i < n && i < NAMES_MAX; i++) {
    names[i] = types[i]->name;
  }
  BLO_TRY(choose(ctx, conf, "problem", names, &place));
  *out = types[place];
  return BLO_OK;
}

blo_status blo_config_solver(blo_context *ctx, const blo_conf *conf, const blo_solver_type **out)
{
  const char *names[NAMES_MAX + 1] = {NULL};
  blo_int n;
  const blo_solver_type *const *types = blo_solver_types(&n);
  int place = 0;

  for (blo_int i = 0; i < n && i < NAMES_MAX; i++) {
    names[i] = types[i]->name;
  }
  BLO_TRY(choose(ctx, conf, "solver", names, &place));
  *out = types[place];
  return BLO_OK;
}

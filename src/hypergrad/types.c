/** @file The list of the adjoint estimators, their common option table, and the verdicts' words. */
#include <blo/hypergrad.h>
#include <string.h>

#define BLO_ESTIMATOR(name) extern const blo_estimator_type blo_estimator_##name;
#include "estimator_list.h"
#undef BLO_ESTIMATOR

static const blo_estimator_type *const types[] = {
#define BLO_ESTIMATOR(name) &blo_estimator_##name,
#include "estimator_list.h"
#undef BLO_ESTIMATOR
};

const char *const blo_estimator_names[] = {
#define BLO_ESTIMATOR(name) #name,
#include "estimator_list.h"
#undef BLO_ESTIMATOR
    NULL};

const char *const blo_on_curvature_names[] = {"stop", "truncate", NULL};

static const blo_opt_row rows[] = {BLO_ADJOINT_ROWS("cg", "10", "0.5", "0", "true")};

const blo_opt_table blo_adjoint_table =
    BLO_OPT_TABLE("adjoint", "solution of the adjoint system", blo_adjoint_options, rows);

const blo_estimator_type *const *blo_estimator_types(blo_int *n)
{
  *n = BLO_COUNT_OF(types);
  return types;
}

const blo_estimator_type *blo_estimator_find(const char *name)
{
  for (blo_int i = 0; i < BLO_COUNT_OF(types); i++) {
    if (strcmp(types[i]->name, name) == 0) {
      return types[i];
    }
  }
  return NULL;
}

const char *blo_verdict_text(blo_verdict verdict)
{
  static const char *const texts[] = {
#define TEXT(code, text) text,
      BLO_VERDICT_LIST(TEXT)
#undef TEXT
  };
  return texts[verdict];
}

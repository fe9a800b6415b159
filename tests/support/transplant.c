/* Moving a state from one solver to another; see transplant.h. */
#include "transplant.h"
#include "harness.h"
#include <string.h>

void transplant(const blo_state *from, const blo_state *to)
{
  BLO_REQUIRE_ALL(blo_state_count(from) == blo_state_count(to));
  for (blo_int i = 0; i < blo_state_count(from); i++) {
    const blo_state_entry *a = blo_state_get(from, i), *b = blo_state_find(to, a->name);
    BLO_REQUIRE_ALL(b != NULL && a->kind == b->kind);
    switch (a->kind) {
    case BLO_STATE_VEC:
      memcpy(b->at.vec->data, a->at.vec->data,
             (size_t)blo_space_n_local(b->at.vec->space) * sizeof(double));
      break;
    case BLO_STATE_DENSE:
      blo_dense_copy(a->at.dense, b->at.dense);
      break;
    case BLO_STATE_INT:
      *b->at.integer = *a->at.integer;
      break;
    case BLO_STATE_DOUBLE:
      *b->at.number = *a->at.number;
      break;
    }
  }
}

/** @file Random directions (Muller 1959, Communications of the ACM 2(4)); see direction.h. */
#include "direction.h"

void random_direction(uint64_t seed, blo_purpose purpose, blo_int draw, blo_vec *u)
{
  const blo_stream st = {seed, purpose};
  blo_int first = blo_space_first(u->space);
  blo_int n = blo_space_owned(u->space) ? blo_space_n_local(u->space) : 0;

  for (blo_int i = 0; i < n; i++) {
    u->data[i] = blo_stream_normal(st, (uint64_t)draw, 0, (uint64_t)(first + i));
  }
  blo_vec_scale(1 / blo_vec_norm(u), u);
}

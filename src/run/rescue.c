/** @file The last good state of a run; see rescue.h. */
#include "rescue.h"
#include <string.h>

/** The copy of an entry: in one of the two. */
typedef struct copy {
  double *numbers; /**< in `room`: a vector's, or the 8 bytes of an integer or a number */
  blo_dense *dense;
} copy;

struct blo_rescue {
  blo_context *ctx;
  const blo_state *state;
  copy *copy; /**< [entries of the state] */
  double *room;
  bool filled;
};

/** Doubles that the copy of an entry takes on this rank. */
static blo_int size_of(const blo_state_entry *e)
{
  switch (e->kind) {
  case BLO_STATE_VEC:
    return blo_space_n_local(e->at.vec->space);
  case BLO_STATE_DENSE:
    return 0;
  default:
    return 1;
  }
}

static blo_status allocate(blo_context *ctx, const blo_state *state, blo_rescue **out)
{
  blo_int n = blo_state_count(state), size = 0;
  blo_rescue *r;

  BLO_TRY(blo_alloc(ctx, 1, sizeof *r, out));
  r = *out;
  *r = (blo_rescue){.ctx = ctx, .state = state};
  BLO_TRY(blo_alloc(ctx, n, sizeof *r->copy, &r->copy));
  for (blo_int i = 0; i < n; i++) {
    size += size_of(blo_state_get(state, i));
  }
  BLO_TRY(blo_alloc(ctx, size, sizeof *r->room, &r->room));
  size = 0;
  for (blo_int i = 0; i < n; i++) {
    r->copy[i].numbers = r->room + size;
    size += size_of(blo_state_get(state, i));
  }
  return BLO_OK;
}

static blo_status make_matrices(blo_rescue *r)
{
  for (blo_int i = 0; i < blo_state_count(r->state); i++) {
    const blo_state_entry *e = blo_state_get(r->state, i);
    if (e->kind == BLO_STATE_DENSE) {
      const blo_dense *a = e->at.dense;
      BLO_TRY(
          blo_dense_create(blo_dense_grid(a), blo_dense_m(a), blo_dense_n(a), &r->copy[i].dense));
    }
  }
  return BLO_OK;
}

blo_status blo_rescue_create(blo_comm *comm, const blo_state *state, blo_rescue **out)
{
  blo_status status = BLO_OK;
  blo_rescue *r = NULL;

  BLO_GO_ALL(comm, allocate(blo_comm_context(comm), state, &r));
  BLO_GO(make_matrices(r));
  *out = r;
  r = NULL;
done:
  blo_rescue_destroy(&r);
  return status;
}

void blo_rescue_destroy(blo_rescue **rescue)
{
  blo_rescue *r = *rescue;

  if (r != NULL) {
    blo_context *ctx = r->ctx;
    for (blo_int i = 0; r->copy != NULL && i < blo_state_count(r->state); i++) {
      blo_dense_destroy(&r->copy[i].dense);
    }
    blo_free(ctx, &r->room);
    blo_free(ctx, &r->copy);
    blo_free(ctx, rescue);
  }
}

/** Where the numbers of an entry are that is no matrix. */
static void *place_of(const blo_state_entry *e)
{
  switch (e->kind) {
  case BLO_STATE_VEC:
    return e->at.vec->data;
  case BLO_STATE_INT:
    return e->at.integer;
  default:
    return e->at.number;
  }
}

void blo_rescue_keep(blo_rescue *r)
{
  for (blo_int i = 0; i < blo_state_count(r->state); i++) {
    const blo_state_entry *e = blo_state_get(r->state, i);
    if (e->kind == BLO_STATE_DENSE) {
      blo_dense_copy(e->at.dense, r->copy[i].dense);
    } else {
      memcpy(r->copy[i].numbers, place_of(e), (size_t)size_of(e) * sizeof(double));
    }
  }
  r->filled = true;
}

bool blo_rescue_restore(blo_rescue *r)
{
  for (blo_int i = 0; r->filled && i < blo_state_count(r->state); i++) {
    const blo_state_entry *e = blo_state_get(r->state, i);
    if (e->kind == BLO_STATE_DENSE) {
      blo_dense_copy(r->copy[i].dense, e->at.dense);
    } else {
      memcpy(place_of(e), r->copy[i].numbers, (size_t)size_of(e) * sizeof(double));
    }
  }
  return r->filled;
}

static blo_status check_local(blo_context *ctx, const blo_state *state)
{
  for (blo_int i = 0; i < blo_state_count(state); i++) {
    const blo_state_entry *e = blo_state_get(state, i);
    BLO_CHECK(ctx, e->kind != BLO_STATE_VEC || blo_vec_finite(e->at.vec), BLO_E_NONFINITE,
              "'%s' of the method's state is not finite", e->name);
  }
  return BLO_OK;
}

blo_status blo_state_check(blo_comm *comm, const blo_state *state)
{
  return blo_agree(comm, check_local(blo_comm_context(comm), state));
}

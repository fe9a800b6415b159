/** @file The list of what must survive a restart; see state.h. */
#include <blo/state.h>
#include <string.h>

struct blo_state {
  blo_context *ctx;
  blo_int n, cap;
  blo_state_entry *entry;
};

blo_status blo_state_create(blo_context *ctx, blo_state **out)
{
  blo_state *s;

  BLO_TRY(blo_alloc(ctx, 1, sizeof *s, &s));
  s->ctx = ctx;
  *out = s;
  return BLO_OK;
}

void blo_state_destroy(blo_state **state)
{
  if (*state != NULL) {
    blo_context *ctx = (*state)->ctx;
    blo_free(ctx, &(*state)->entry);
    blo_free(ctx, state);
  }
}

static blo_status add(blo_state *s, blo_state_entry entry)
{
  BLO_BUG_IF(blo_state_find(s, entry.name) != NULL, "two state entries are named '%s'", entry.name);
  if (s->n == s->cap) {
    blo_int cap = s->cap == 0 ? 16 : 2 * s->cap;
    BLO_TRY(blo_realloc(s->ctx, cap, sizeof *s->entry, &s->entry));
    s->cap = cap;
  }
  s->entry[s->n++] = entry;
  return BLO_OK;
}

blo_status blo_state_add_vec(blo_state *s, const char *name, blo_vec *vec)
{
  return add(s, (blo_state_entry){.name = name, .kind = BLO_STATE_VEC, .at.vec = vec});
}

blo_status blo_state_add_int(blo_state *s, const char *name, blo_int *at)
{
  return add(s, (blo_state_entry){.name = name, .kind = BLO_STATE_INT, .at.integer = at});
}

blo_status blo_state_add_double(blo_state *s, const char *name, double *at)
{
  return add(s, (blo_state_entry){.name = name, .kind = BLO_STATE_DOUBLE, .at.number = at});
}

blo_status blo_state_add_dense(blo_state *s, const char *name, blo_dense *dense)
{
  return add(s, (blo_state_entry){.name = name, .kind = BLO_STATE_DENSE, .at.dense = dense});
}

blo_int blo_state_count(const blo_state *s)
{
  return s->n;
}

const blo_state_entry *blo_state_get(const blo_state *s, blo_int i)
{
  return s->entry + i;
}

const blo_state_entry *blo_state_find(const blo_state *s, const char *name)
{
  for (blo_int i = 0; i < s->n; i++) {
    if (strcmp(s->entry[i].name, name) == 0) {
      return s->entry + i;
    }
  }
  return NULL;
}

/** @file Sources: where samples come from, with their sizes known on every rank. */
#include "source_private.h"
#include "readers.h"

enum { ROOT = 0 };

const blo_table *blo_source_head(const blo_source *source)
{
  return source->data != NULL ? source->data->head : source->table;
}

blo_int blo_source_n_rows(const blo_source *source)
{
  return blo_source_head(source)->n_rows;
}

blo_int blo_source_n_features(const blo_source *source)
{
  return blo_source_head(source)->n_features;
}

blo_int blo_source_n_classes(const blo_source *source)
{
  return blo_source_head(source)->n_classes;
}

bool blo_source_is_sparse(const blo_source *source)
{
  return blo_source_head(source)->sparse;
}

bool blo_source_is_tokens(const blo_source *source)
{
  return blo_source_head(source)->storage == BLO_I32;
}

blo_int blo_source_n_tokens(const blo_source *source)
{
  return blo_source_head(source)->n_tokens;
}

/** The root recognises the format for all. */
static blo_status agree_on_format(blo_comm *comm, const blo_source_spec *spec, blo_format *format)
{
  blo_status status = BLO_OK;

  if (blo_comm_rank(comm) == ROOT) {
    status = blo_format_find(blo_comm_context(comm), spec, format);
  }
  BLO_TRY(blo_agree_from(comm, ROOT, status));
  blo_bcast(comm, ROOT, format, sizeof *format);
  return BLO_OK;
}

/** Give every rank the root's sizes and classes; the arrays of the rows stay where they are. */
static blo_status share_head(blo_comm *comm, blo_table **table)
{
  blo_status status = BLO_OK;
  blo_context *ctx = blo_comm_context(comm);
  bool root = blo_comm_rank(comm) == ROOT;
  blo_table head = {0};
  blo_table *t = *table;

  if (root) {
    head = *t;
  } else {
    status = blo_alloc(ctx, 1, sizeof *t, &t);
    *table = t;
  }
  blo_bcast(comm, ROOT, &head, sizeof head);
  if (!root && status == BLO_OK) {
    head.values = head.row_start = NULL;
    head.column = head.label = head.class_value = NULL;
    *t = head;
    status = blo_alloc(ctx, t->n_classes, sizeof *t->class_value, &t->class_value);
  }
  BLO_TRY(blo_agree(comm, status));
  blo_bcast(comm, ROOT, t->class_value, t->n_classes * (blo_int)sizeof *t->class_value);
  return BLO_OK;
}

static blo_status open_text(blo_source *s, blo_format format, const blo_source_spec *spec,
                            const blo_rules *rules)
{
  blo_status status = BLO_OK;

  if (blo_comm_rank(s->comm) == ROOT) {
    status = blo_format_read(blo_comm_context(s->comm), format, spec, rules, &s->table);
  }
  BLO_TRY(blo_agree_from(s->comm, ROOT, status));
  return share_head(s->comm, &s->table);
}

static blo_status new_source(blo_comm *comm, const char *path, blo_source **out)
{
  blo_context *ctx = blo_comm_context(comm);

  BLO_TRY(blo_alloc(ctx, 1, sizeof **out, out));
  (*out)->comm = comm;
  return blo_strdup(ctx, path, &(*out)->path);
}

blo_status blo_source_open(blo_comm *comm, const blo_source_spec *spec, const blo_source *classes,
                           blo_source **out)
{
  blo_status status = BLO_OK;
  blo_context *ctx = blo_comm_context(comm);
  blo_rules rules = blo_rules_make(spec, classes != NULL ? blo_source_head(classes) : NULL);
  blo_format format = BLO_FORMAT_AUTO;
  blo_source *s = NULL;

  *out = NULL;
  BLO_GO(blo_agree(comm, new_source(comm, spec->path, &s)));
  BLO_GO(agree_on_format(comm, spec, &format));
  if (format == BLO_FORMAT_HDF5) {
    BLO_GO(blo_agree(comm, blo_hdf5_open(ctx, spec->path, spec->group, &rules, &s->data)));
  } else {
    BLO_GO(open_text(s, format, spec, &rules));
  }
  *out = s;
  s = NULL;
done:
  blo_source_close(&s);
  return status;
}

void blo_source_close(blo_source **source)
{
  blo_source *s = *source;
  blo_context *ctx;

  if (s == NULL) {
    return;
  }
  ctx = blo_comm_context(s->comm);
  blo_table_destroy(ctx, &s->table);
  blo_hdf5_close_data(&s->data);
  blo_free(ctx, &s->path);
  blo_free(ctx, source);
}

/**
 * @file Dealing rows from the root's memory: each rank gets the bytes of its rows as one stream per
 * array, in its own order, cut into messages of a bounded size. On the receiving side the stream is
 * the array.
 */
#include "source_private.h"
#include "table_private.h"
#include <string.h>

enum { ROOT = 0, MESSAGE_BYTES = 1 << 20, TAG = 1 };

/** A stream to one rank. At the root, to itself, it is a copy. */
typedef struct stream {
  blo_comm *comm;
  int rank;     /**< who receives */
  char *buffer; /**< [MESSAGE_BYTES], or the root's own array */
  blo_int filled;
} stream;

/** A piece of the root's table. */
typedef struct piece {
  const void *at;
  blo_int bytes;
} piece;

/** The piece that row i contributes to an array. */
typedef piece piece_fn(const blo_table *t, blo_int i);

static piece label_of(const blo_table *t, blo_int i)
{
  return (piece){t->label + i, sizeof *t->label};
}

static piece dense_row_of(const blo_table *t, blo_int i)
{
  return (piece){blo_table_row(t, i), t->ld * (blo_int)blo_storage_size(t->storage)};
}

/** Begin and end of the row's entries. */
static piece extent_of(const blo_table *t, blo_int i)
{
  return (piece){t->row_start + i, 2 * (blo_int)sizeof *t->row_start};
}

static piece columns_of(const blo_table *t, blo_int i)
{
  blo_int n = t->row_start[i + 1] - t->row_start[i];

  return (piece){t->column + t->row_start[i], n * (blo_int)sizeof *t->column};
}

static piece entries_of(const blo_table *t, blo_int i)
{
  blo_int n = t->row_start[i + 1] - t->row_start[i];

  return (piece){(double *)t->values + t->row_start[i], n * (blo_int)sizeof(double)};
}

static void flush(stream *s)
{
  if (s->rank != ROOT && s->filled > 0) {
    MPI_Send(s->buffer, (int)s->filled, MPI_BYTE, s->rank, TAG, blo_comm_mpi(s->comm));
    s->filled = 0;
  }
}

static void put(stream *s, piece p)
{
  const char *from = p.at;

  while (p.bytes > 0) {
    blo_int room = s->rank == ROOT ? p.bytes : MESSAGE_BYTES - s->filled;
    blo_int n = p.bytes < room ? p.bytes : room;
    memcpy(s->buffer + s->filled, from, (size_t)n);
    s->filled += n;
    from += n;
    p.bytes -= n;
    if (n == room) {
      flush(s);
    }
  }
}

static void receive(blo_comm *comm, void *to, blo_int bytes)
{
  char *at = to;

  while (bytes > 0) {
    int n = (int)(bytes < MESSAGE_BYTES ? bytes : MESSAGE_BYTES);
    MPI_Recv(at, n, MPI_BYTE, ROOT, TAG, blo_comm_mpi(comm), MPI_STATUS_IGNORE);
    at += n;
    bytes -= n;
  }
}

/** What is dealt: rows of the root's table, by the shards of the set. */
typedef struct dealer {
  blo_comm *comm;
  const blo_table *from;
  const blo_int *rows;
  blo_int n, n_shards;
  char *buffer; /**< the root's, [MESSAGE_BYTES] */
} dealer;

/** Deal one array. @param[out] own [bytes] this rank's part */
static void deal(const dealer *d, piece_fn *piece_of, void *own, blo_int bytes)
{
  int size = blo_comm_size(d->comm);

  if (blo_comm_rank(d->comm) != ROOT) {
    receive(d->comm, own, bytes);
    return;
  }
  for (int r = 0; r < size; r++) {
    stream s = {d->comm, r, r == ROOT ? own : d->buffer, 0};
    blo_int begin, end;
    blo_set_share(d->n, d->n_shards, size, r, &begin, &end);
    for (blo_int i = begin; i < end; i++) {
      put(&s, piece_of(d->from, d->rows[i]));
    }
    flush(&s);
  }
}

static void deal_dense(const dealer *d, blo_table *t)
{
  deal(d, dense_row_of, t->values, t->n_rows * t->ld * (blo_int)blo_storage_size(t->storage));
}

/** Collective: memory for the entries can be short on any rank. */
static blo_status deal_sparse(const dealer *d, blo_table *t)
{
  blo_status status = BLO_OK;
  blo_context *ctx = blo_comm_context(d->comm);
  blo_int *extent = NULL, nnz;

  BLO_GO(blo_agree(d->comm, blo_alloc(ctx, 2 * t->n_rows, sizeof *extent, &extent)));
  deal(d, extent_of, extent, 2 * t->n_rows * (blo_int)sizeof *extent);
  for (blo_int i = 0; i < t->n_rows; i++) {
    t->row_start[i + 1] = t->row_start[i] + extent[2 * i + 1] - extent[2 * i];
  }
  nnz = t->row_start[t->n_rows];
  BLO_GO(blo_agree(d->comm, blo_table_alloc_entries(ctx, t)));
  deal(d, columns_of, t->column, nnz * (blo_int)sizeof *t->column);
  deal(d, entries_of, t->values, nnz * (blo_int)sizeof(double));
done:
  blo_free(ctx, &extent);
  return status;
}

/** Local: the rank's table and the root's buffer. */
static blo_status prepare(dealer *d, blo_table **t)
{
  blo_context *ctx = blo_comm_context(d->comm);
  int rank = blo_comm_rank(d->comm);
  blo_int begin, end;

  blo_set_share(d->n, d->n_shards, blo_comm_size(d->comm), rank, &begin, &end);
  BLO_TRY(blo_table_create_like(ctx, d->from, end - begin, t));
  return blo_alloc(ctx, rank == ROOT ? MESSAGE_BYTES : 0, 1, &d->buffer);
}

blo_status blo_table_deal(blo_comm *comm, const blo_table *from, const blo_int *rows, blo_int n,
                          blo_int n_shards, blo_table **out)
{
  blo_status status = BLO_OK;
  blo_context *ctx = blo_comm_context(comm);
  dealer d = {comm, from, rows, n, n_shards, NULL};
  blo_table *t = NULL;

  BLO_GO(blo_agree(comm, prepare(&d, &t)));
  deal(&d, label_of, t->label, t->n_rows * (blo_int)sizeof *t->label);
  if (t->sparse) {
    BLO_GO(deal_sparse(&d, t));
  } else {
    deal_dense(&d, t);
  }
  *out = t;
  t = NULL;
done:
  blo_free(ctx, &d.buffer);
  blo_table_destroy(ctx, &t);
  return status;
}

/** @file Images as matrices, and back; see im2col.h. */
#include "im2col.h"
#include "array.h"
#include <string.h>

enum { TILE_COLUMNS = 256 /**< about: wide enough for BLAS, small enough for the cache */ };

static blo_int least(blo_int a, blo_int b)
{
  return a < b ? a : b;
}

static blo_int most(blo_int a, blo_int b)
{
  return a > b ? a : b;
}

/** a / b, rounded up; 0 for negative a. */
static blo_int parts(blo_int a, blo_int b)
{
  return a > 0 ? (a + b - 1) / b : 0;
}

/* ------------------------------------------------------------------- tiles */

/** Rows of a tile: those of a few images, or the rows of one image shared out evenly. */
static blo_int tile_rows(const window *s)
{
  blo_int places = s->oh * s->ow;

  if (2 * places <= 3 * TILE_COLUMNS) {
    return s->oh * most(1, TILE_COLUMNS / places);
  }
  return parts(s->oh, parts(places, TILE_COLUMNS));
}

blo_int tile_columns_max(const window *s)
{
  return tile_rows(s) * s->ow;
}

blo_int tile_columns(const window *s, tile t)
{
  return (t.last - t.first) * s->ow;
}

tile tile_at(const window *s, blo_int n_images, blo_int first)
{
  blo_int rows = tile_rows(s);
  blo_int end = rows < s->oh ? (first / s->oh + 1) * s->oh : n_images * s->oh;

  return (tile){first, least(first + rows, end)};
}

tile_part tile_part_at(const window *s, tile t, blo_int first)
{
  blo_int number = first / s->oh, from = first % s->oh;

  return (tile_part){number, from, least(s->oh, from + t.last - first), (first - t.first) * s->ow};
}

/* ------------------------------------------- one number of the kernel, one image */

typedef struct range {
  blo_int from, to;
} range;

/** Those i of from..to with 0 <= i stride + shift < n. */
static range inside(blo_int n, blo_int shift, blo_int stride, blo_int from, blo_int to)
{
  blo_int begin = most(from, parts(-shift, stride)), end = least(to, parts(n - shift, stride));

  return (range){least(begin, to), most(least(begin, to), end)};
}

/** Where the rows of a result read the image, for one number of the kernel. */
typedef struct view {
  const window *s;
  blo_int down, right; /**< place of the number in the kernel, less the padding */
  range rows, columns; /**< of the result that read the image, not the padding */
} view;

static view view_of(const window *s, blo_int ki, blo_int kj, const tile_part *p)
{
  view v = {.s = s, .down = ki - s->pad, .right = kj - s->pad};

  v.rows = inside(s->h, v.down, s->stride, p->from, p->to);
  v.columns = inside(s->w, v.right, s->stride, 0, s->ow);
  return v;
}

/** With stride 1 and results as wide as images, rows that lie one after the other in the image do
 *  so in the result: all are one shifted copy, but for what comes from the row before or after. */
static bool is_shift(const window *s)
{
  return s->stride == 1 && s->ow == s->w && s->pad <= s->w;
}

/** Clear what a shifted copy has taken from other rows. */
static void clear_margins(const view *v, double *to)
{
  blo_int w = v->s->w;

  for (blo_int y = 0; y < v->rows.to - v->rows.from; y++) {
    for (blo_int x = 0; x < v->columns.from; x++) {
      to[y * w + x] = 0;
    }
    for (blo_int x = v->columns.to; x < w; x++) {
      to[y * w + x] = 0;
    }
  }
}

/** A shifted copy: n numbers, from where in the image to where in the result. */
typedef struct shift {
  blo_int n, from, to;
} shift;

static shift shift_of(const view *v)
{
  blo_int w = v->s->w, begin = (v->rows.from + v->down) * w;
  blo_int skip = v->right < 0 ? -v->right : v->right;

  return (shift){.n = (v->rows.to - v->rows.from) * w - skip,
                 .from = begin + most(v->right, 0),
                 .to = most(-v->right, 0)};
}

/** Rows v->rows of the result, from `plane` [h][w]. */
static void read_rows(const view *v, const double *plane, double *to)
{
  const window *s = v->s;

  for (blo_int y = v->rows.from; y < v->rows.to; y++, to += s->ow) {
    blo_int at = (y * s->stride + v->down) * s->w + v->right;
    for (blo_int x = 0; x < v->columns.from; x++) {
      to[x] = 0;
    }
    for (blo_int x = v->columns.from; x < v->columns.to; x++) {
      to[x] = plane[at + x * s->stride];
    }
    for (blo_int x = v->columns.to; x < s->ow; x++) {
      to[x] = 0;
    }
  }
}

static void add_rows(const view *v, const double *from, double *plane)
{
  const window *s = v->s;

  for (blo_int y = v->rows.from; y < v->rows.to; y++, from += s->ow) {
    blo_int at = (y * s->stride + v->down) * s->w + v->right;
    for (blo_int x = v->columns.from; x < v->columns.to; x++) {
      plane[at + x * s->stride] += from[x];
    }
  }
}

/** The part's columns of one row of the matrix. */
static void read_plane(const view *v, const tile_part *p, const double *plane, double *to)
{
  blo_int ow = v->s->ow;
  double *first = to + (v->rows.from - p->from) * ow;

  array_clear(first - to, to);
  array_clear((p->to - v->rows.to) * ow, to + (v->rows.to - p->from) * ow);
  if (!is_shift(v->s)) {
    read_rows(v, plane, first);
  } else if (v->rows.from < v->rows.to) {
    shift f = shift_of(v);
    memcpy(first + f.to, plane + f.from, (size_t)f.n * sizeof *to);
    clear_margins(v, first);
  }
}

static void add_plane(const view *v, const tile_part *p, double *from, double *plane)
{
  double *first = from + (v->rows.from - p->from) * v->s->ow;

  if (!is_shift(v->s)) {
    add_rows(v, first, plane);
  } else if (v->rows.from < v->rows.to) {
    shift f = shift_of(v);
    clear_margins(v, first);
    array_add(f.n, first + f.to, plane + f.from);
  }
}

/* ------------------------------------------------------------------ matrices */

void im2col(const window *s, tile t, const double *images, blo_int apart, double *col)
{
  blo_int n = tile_columns(s, t), field = s->kh * s->kw;

  for (blo_int first = t.first; first < t.last;) {
    tile_part p = tile_part_at(s, t, first);
    for (blo_int k = 0; k < field; k++) {
      view v = view_of(s, k / s->kw, k % s->kw, &p);
      for (blo_int c = 0; c < s->c; c++) {
        read_plane(&v, &p, images + p.number * apart + c * s->h * s->w,
                   col + (c * field + k) * n + p.at);
      }
    }
    first += p.to - p.from;
  }
}

void col2im(const window *s, tile t, double *col, double *images, blo_int apart)
{
  blo_int n = tile_columns(s, t), field = s->kh * s->kw;

  for (blo_int first = t.first; first < t.last;) {
    tile_part p = tile_part_at(s, t, first);
    for (blo_int k = 0; k < field; k++) {
      view v = view_of(s, k / s->kw, k % s->kw, &p);
      for (blo_int c = 0; c < s->c; c++) {
        add_plane(&v, &p, col + (c * field + k) * n + p.at,
                  images + p.number * apart + c * s->h * s->w);
      }
    }
    first += p.to - p.from;
  }
}

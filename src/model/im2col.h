/**
 * @file
 * Images as matrices, so that a convolution is a matrix product. For a kernel [c][kh][kw], the
 * matrix of an image has a row for each number of the kernel and a column for each place of the
 * result: the number of the (padded) image that the two meet. Images side by side make one wider
 * matrix; a *tile* is a part of it whose size suits the cache.
 */
#ifndef BLO_IM2COL_H
#define BLO_IM2COL_H

#include <blo/base.h>

/** Sizes of a convolution of one image. */
typedef struct window {
  blo_int c, h, w; /**< the image */
  blo_int kh, kw, stride, pad;
  blo_int oh, ow; /**< rows and columns of the result */
} window;

/** Rows first..last of the results, counted through all images. */
typedef struct tile {
  blo_int first, last;
} tile;

/** Image `number` of those of a tile: its rows from..to, which are columns at.. of the tile. */
typedef struct tile_part {
  blo_int number, from, to, at;
} tile_part;

/** The most columns that a tile has. */
blo_int tile_columns_max(const window *s);
blo_int tile_columns(const window *s, tile t);
/** The tile that begins at row `first`. It is in one image or has whole images. */
tile tile_at(const window *s, blo_int n_images, blo_int first);
/** The part of the tile that begins at row `first`. */
tile_part tile_part_at(const window *s, tile t, blo_int first);

/**
 * The matrix of a tile, [c kh kw][columns of the tile].
 * @param[in] images  [..][c][h][w], `apart` numbers from one to the next
 */
void im2col(const window *s, tile t, const double *images, blo_int apart, double *col);
/** The adjoint of im2col(): add each number of the matrix to where it comes from. Destroys `col`.
 */
void col2im(const window *s, tile t, double *col, double *images, blo_int apart);

#endif

/** @file Reading the vocabulary of an HDF5 file. */
#include "hdf5_private.h"
#include "text_private.h"
#include <string.h>

/** An open dataset of words. */
typedef struct dataset {
  blo_context *ctx;
  const char *path;
  hid_t file, id, type;
  blo_int n;
  size_t width; /**< bytes of a word, with zeros behind it */
} dataset;

/** Another tokeniser would give other words of the same text. */
static blo_status check_tokeniser(const dataset *d)
{
  char name[32];

  BLO_TRY(blo_hdf5_read_text(d->ctx, d->id, d->path, "tokeniser", name, sizeof name));
  BLO_CHECK(d->ctx, strcmp(name, BLO_TOKENISER) == 0, BLO_E_FORMAT,
            "%s: its vocabulary is of the tokeniser \"%s\", not \"%s\"", d->path, name,
            BLO_TOKENISER);
  return BLO_OK;
}

static blo_status read_shape(dataset *d)
{
  hid_t space = H5Dget_space(d->id);
  hssize_t n = space > 0 ? H5Sget_simple_extent_npoints(space) : -1;

  blo_hdf5_close(&space, H5Sclose);
  d->type = H5Dget_type(d->id);
  BLO_HDF5_CHECK(d->ctx, d->type > 0, BLO_E_FORMAT, d->path, BLO_HDF5_VOCABULARY);
  d->n = (blo_int)n;
  d->width = H5Tget_size(d->type);
  BLO_CHECK(d->ctx,
            H5Tget_class(d->type) == H5T_STRING && H5Tis_variable_str(d->type) == 0 && n >= 2 &&
                n <= INT32_MAX && d->width <= BLO_WORD_BYTES_MAX + 1,
            BLO_E_FORMAT, "%s: dataset %s does not hold words of a fixed length", d->path,
            BLO_HDF5_VOCABULARY);
  return BLO_OK;
}

static blo_status open_dataset(dataset *d)
{
  bool ours;

  BLO_TRY(blo_hdf5_open_file(d->ctx, d->path, &d->file));
  BLO_TRY(blo_hdf5_check_format(d->ctx, d->file, d->path, &ours));
  BLO_CHECK(d->ctx, ours && blo_hdf5_has_dataset(d->file, BLO_HDF5_VOCABULARY), BLO_E_DATA,
            "%s has no vocabulary: it is not made by `parblo convert --text`", d->path);
  d->id = H5Dopen2(d->file, BLO_HDF5_VOCABULARY, H5P_DEFAULT);
  BLO_HDF5_CHECK(d->ctx, d->id > 0, BLO_E_FORMAT, d->path, BLO_HDF5_VOCABULARY);
  BLO_TRY(check_tokeniser(d));
  return read_shape(d);
}

static void close_dataset(dataset *d)
{
  blo_hdf5_close(&d->type, H5Tclose);
  blo_hdf5_close(&d->id, H5Dclose);
  blo_hdf5_close(&d->file, H5Fclose);
}

/** Enter the words, whose numbers are their tokens. @param[in] bytes [n][width] */
static blo_status enter(const dataset *d, const char *bytes, blo_vocabulary *v)
{
  char word[BLO_WORD_BYTES_MAX + 2] = "";
  blo_int number;

  for (blo_int i = 0; i < d->n; i++) {
    memcpy(word, bytes + (size_t)i * d->width, d->width);
    BLO_TRY(blo_word_set_insert(d->ctx, &v->set, word, &number));
    BLO_CHECK(d->ctx, number == i && word[0] != '\0', BLO_E_FORMAT,
              "%s: word %lld of the vocabulary, \"%s\", is empty or there twice", d->path,
              (long long)i, word);
  }
  BLO_TRY(blo_hdf5_read_int(d->ctx, d->id, d->path, "min_count", &v->min_count));
  BLO_TRY(blo_hdf5_read_int(d->ctx, d->id, d->path, "max_length", &v->max_length));
  BLO_CHECK(d->ctx, v->max_length >= 1 && v->max_length <= INT32_MAX - 7, BLO_E_FORMAT,
            "%s: max_length of the vocabulary is %lld", d->path, (long long)v->max_length);
  return BLO_OK;
}

static blo_status read_words(const dataset *d, blo_vocabulary *v)
{
  blo_status status = BLO_OK;
  char *bytes = NULL;

  BLO_GO(blo_alloc(d->ctx, d->n, d->width, &bytes));
  BLO_GO(blo_fault_point(d->ctx, "reading a dataset"));
  BLO_HDF5_CHECK_GO(d->ctx, H5Dread(d->id, d->type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes) >= 0,
                    BLO_E_FORMAT, d->path, BLO_HDF5_VOCABULARY);
  BLO_GO(enter(d, bytes, v));
done:
  blo_free(d->ctx, &bytes);
  return status;
}

blo_status blo_vocabulary_read(blo_context *ctx, const char *path, blo_vocabulary **out)
{
  blo_status status = BLO_OK;
  dataset d = {.ctx = ctx, .path = path};
  blo_vocabulary *v = NULL;
  blo_hdf5_report report;

  *out = NULL;
  blo_hdf5_silence(&report);
  BLO_GO(open_dataset(&d));
  BLO_GO(blo_vocabulary_begin(ctx, &v));
  BLO_GO(read_words(&d, v));
  *out = v;
  v = NULL;
done:
  blo_vocabulary_destroy(ctx, &v);
  close_dataset(&d);
  blo_hdf5_restore(&report);
  return status;
}

/**
 * @file `parblo info`: what a file of ParBLO's is, what it says, and whether all of it is as it was
 * written: every array and text is read and its checksum compared. The root does the work.
 */
#include "commands.h"
#include "convert_text.h"
#include "history.h"
#include "table_line.h"
#include <math.h>
#include <string.h>

/* ------------------------------------------------------------ single values */

static blo_status show_text(blo_context *ctx, blo_h5 *f, const char *label, const char *path)
{
  char *text = NULL;
  blo_status status = BLO_OK;

  if (!blo_h5_has(f, path)) {
    return BLO_OK;
  }
  BLO_GO(blo_h5_get_text(f, path, &text));
  if (text[0] != '\0') {
    printf("  %-14s %.*s\n", label, (int)strcspn(text, "\n"), text);
  }
done:
  blo_free(ctx, &text);
  return status;
}

static blo_status show_int(blo_h5 *f, const char *label, const char *path)
{
  blo_int value;

  if (!blo_h5_has(f, path)) {
    return BLO_OK;
  }
  BLO_TRY(blo_h5_get_int(f, path, &value));
  printf("  %-14s %lld\n", label, (long long)value);
  return BLO_OK;
}

static blo_status show_double(blo_h5 *f, const char *label, const char *path, const char *unit)
{
  double value;

  if (!blo_h5_has(f, path)) {
    return BLO_OK;
  }
  BLO_TRY(blo_h5_get_double(f, path, &value));
  printf("  %-14s %.6g %s\n", label, value, unit);
  return BLO_OK;
}

/** A text of several lines, indented. */
static blo_status show_block(blo_context *ctx, blo_h5 *f, const char *label, const char *path)
{
  char *text = NULL;
  blo_status status = BLO_OK;

  if (!blo_h5_has(f, path)) {
    return BLO_OK;
  }
  BLO_GO(blo_h5_get_text(f, path, &text));
  printf("%s:\n", label);
  for (const char *line = text; *line != '\0';) {
    size_t n = strcspn(line, "\n");
    printf("  %.*s\n", (int)n, line);
    line += n + (line[n] == '\n');
  }
done:
  blo_free(ctx, &text);
  return status;
}

/* ------------------------------------------------------------------ arrays */

static blo_status show_history(blo_context *ctx, blo_h5 *f)
{
  blo_status status = BLO_OK;
  blo_records h;

  BLO_GO(blo_records_read(ctx, f, &h));
  if (h.n_rows == 0) {
    goto done;
  }
  printf("history: %lld rows of %lld columns; the last one:\n", (long long)h.n_rows,
         (long long)h.n);
  for (blo_int i = 0; i < h.n; i++) {
    double value = h.at[i].value[h.n_rows - 1];
    if (!isnan(value)) {
      printf("  %-20s %.10g\n", h.at[i].name, value);
    }
  }
done:
  blo_records_free(ctx, &h);
  return status;
}

/** The size, and the dimensions if there are several. */
static blo_status show_size(void *arg, const char *path)
{
  blo_int n, dim[BLO_H5_DIMS_MAX];
  int n_dims;

  BLO_TRY(blo_h5_array_size(arg, path, &n));
  BLO_TRY(blo_h5_array_dims(arg, path, &n_dims, dim));
  printf("  %-20s %lld numbers", path, (long long)n);
  for (int i = 0; n_dims > 1 && i < n_dims; i++) {
    printf("%s%lld", i == 0 ? ": " : " x ", (long long)dim[i]);
  }
  printf("\n");
  return BLO_OK;
}

/* ------------------------------------------------------------------- files */

static blo_status show_run(blo_context *ctx, blo_h5 *f)
{
  BLO_TRY(show_text(ctx, f, "problem", "config/problem"));
  BLO_TRY(show_text(ctx, f, "method", "config/solver"));
  BLO_TRY(show_text(ctx, f, "outcome", "outcome/text"));
  BLO_TRY(show_text(ctx, f, "reason", "outcome/reason"));
  BLO_TRY(show_int(f, "iterations", "outcome/iterations"));
  BLO_TRY(show_double(f, "time", "outcome/seconds", "s"));
  BLO_TRY(show_text(ctx, f, "checkpoint", "outcome/checkpoint"));
  BLO_TRY(show_text(ctx, f, "started", "provenance/started"));
  BLO_TRY(show_int(f, "ranks", "provenance/ranks"));
  BLO_TRY(show_text(ctx, f, "hosts", "provenance/hosts"));
  BLO_TRY(show_text(ctx, f, "ParBLO", "provenance/version"));
  BLO_TRY(show_text(ctx, f, "revision", "provenance/revision"));
  BLO_TRY(show_text(ctx, f, "compiler", "provenance/compiler"));
  BLO_TRY(show_text(ctx, f, "MPI", "provenance/mpi"));
  BLO_TRY(show_text(ctx, f, "HDF5", "provenance/hdf5"));
  BLO_TRY(show_text(ctx, f, "BLAS", "provenance/blas"));
  BLO_TRY(show_text(ctx, f, "kernels", "provenance/isa"));
  printf("final point:\n");
  BLO_TRY(blo_h5_each_array(f, "final", show_size, f));
  BLO_TRY(show_block(ctx, f, "configuration", "config/resolved"));
  return show_history(ctx, f);
}

static blo_status show_checkpoint(blo_context *ctx, blo_h5 *f)
{
  BLO_TRY(show_text(ctx, f, "problem", "problem"));
  BLO_TRY(show_text(ctx, f, "method", "solver"));
  BLO_TRY(show_int(f, "iteration", "iteration"));
  BLO_TRY(show_text(ctx, f, "ParBLO", "version"));
  printf("state:\n");
  BLO_TRY(blo_h5_each_array(f, "state", show_size, f));
  BLO_TRY(show_block(ctx, f, "configuration", "config"));
  return show_history(ctx, f);
}

/** A run file or a checkpoint that has been opened: verify it all before a word is said. */
static blo_status show_own(blo_context *ctx, const char *path, blo_h5 *f)
{
  bool is_run = blo_h5_has(f, "outcome");

  BLO_TRY(blo_h5_verify(f));
  printf("%s: %s; all checksums verified\n", path, is_run ? "run file" : "checkpoint");
  return is_run ? show_run(ctx, f) : show_checkpoint(ctx, f);
}

/** The vocabulary of tokens, whose checksums are verified too; a file can have tokens without. */
static blo_status read_vocabulary(blo_context *ctx, const char *path, const blo_table *table,
                                  blo_vocabulary **vocabulary)
{
  blo_status status = table->n_tokens > 0 ? blo_vocabulary_read(ctx, path, vocabulary) : BLO_E_DATA;

  return status == BLO_E_DATA ? BLO_OK : status;
}

/** One group of a data file; reading it verifies its checksums. */
static blo_status show_group(blo_context *ctx, const char *path, const char *group, bool first)
{
  const blo_source_spec spec = {
      .path = path, .labels = "", .group = group, .format = BLO_FORMAT_HDF5};
  blo_table *table = NULL;
  blo_vocabulary *vocabulary = NULL;
  blo_status status = BLO_OK;

  BLO_GO(blo_table_read(ctx, &spec, NULL, &table));
  BLO_GO(read_vocabulary(ctx, path, table, &vocabulary));
  if (first) {
    printf("%s: data; all checksums verified\n", path);
  }
  if (first && vocabulary != NULL) {
    blo_vocabulary_line(vocabulary);
  }
  blo_table_line(group[0] != '\0' ? group : "samples", table);
done:
  blo_vocabulary_destroy(ctx, &vocabulary);
  blo_table_destroy(ctx, &table);
  return status;
}

/** Its only group, or the two that `parblo convert` makes. */
static blo_status show_data(blo_context *ctx, const char *path)
{
  blo_status status = show_group(ctx, path, "", true);

  if (status == BLO_E_OPTION) {
    BLO_TRY(show_group(ctx, path, "train", true));
    return show_group(ctx, path, "test", false);
  }
  return status;
}

static blo_status show_file(blo_context *ctx, const char *path)
{
  char why[BLO_MESSAGE_MAX];
  blo_h5 *f = NULL;
  blo_status status = blo_h5_open(ctx, path, NULL, &f);

  if (status == BLO_OK) {
    status = show_own(ctx, path, f);
    blo_h5_close(&f);
    return status;
  }
  if (status != BLO_E_FORMAT) {
    return status;
  }
  snprintf(why, sizeof why, "%s", blo_error_text(ctx));
  status = show_data(ctx, path);
  BLO_CHECK(ctx, status == BLO_OK || status == BLO_E_MEMORY, BLO_E_FORMAT,
            "%s is damaged, or no file of ParBLO's. As a run file or checkpoint: %.400s; as data: "
            "%.400s",
            path, why, blo_error_text(ctx));
  return status;
}

/** All files, whatever is wrong with one; the first failure is returned. */
static blo_status show_files(blo_context *ctx, int n, char **path)
{
  blo_status first = BLO_OK;
  int bad = 0;

  for (int i = 0; i < n; i++) {
    blo_status status = show_file(ctx, path[i]);
    if (status != BLO_OK && n > 1) {
      printf("%s\n", blo_error_text(ctx));
    }
    bad += status != BLO_OK;
    first = first != BLO_OK ? first : status;
  }
  BLO_CHECK(ctx, bad == 0 || n == 1, first, "%d of %d files cannot be used", bad, n);
  return first;
}

int blo_cmd_info(blo_comm *comm, int argc, char **argv)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_status status = BLO_OK;

  BLO_CHECK_GO(ctx, argc > 1, BLO_E_OPTION, "info needs at least one file");
  if (blo_comm_rank(comm) == BLO_ROOT) {
    status = show_files(ctx, argc - 1, argv + 1);
  }
  BLO_GO(blo_agree_from(comm, BLO_ROOT, status));
done:
  return status == BLO_OK ? 0 : blo_cmd_fail(comm, status);
}

/**
 * @file
 * data: tables of samples, readers, distributed sets cut into logical shards, and the products
 * with their features.
 *
 * A table (blo_table) is samples in one rank's memory: features in their own storage type (8-bit,
 * float or double, dense; double, sparse), or sentences as rows of tokens, and integer class
 * labels. A source is where samples come from: an IDX pair, a LIBSVM or CSV file (gzip or not), or
 * ParBLO's own HDF5 layout (docs/data-format.md). A set (blo_set) is n samples of a source spread
 * over the ranks by logical shards.
 */
#ifndef BLO_DATA_H
#define BLO_DATA_H

#include <blo/comm.h>

/* ----------------------------------------------------------------- tables */

typedef enum blo_storage {
  BLO_U8,
  BLO_F32,
  BLO_F64,
  BLO_I32 /**< tokens: numbers of words, dense */
} blo_storage;

/** Bytes of one value. Call: Local. */
BLO_API size_t blo_storage_size(blo_storage storage);

/**
 * Samples. A table of *tokens* (storage BLO_I32) has a sentence a row: the numbers of its words, 1
 * for an unknown word and 2, 3, ... for those of a vocabulary; after its end zeros. Each row has
 * one token at least, and n_features is the length for which there is room.
 */
typedef struct blo_table {
  blo_int n_rows, n_features;
  blo_int n_classes; /**< labels are 0..n_classes-1 */
  bool sparse;
  blo_storage storage; /**< of `values`; BLO_F64 if sparse */
  blo_int ld;   /**< dense: values of row i begin at i*ld; ld is a multiple of 8, the rest 0 */
  void *values; /**< dense [n_rows][ld]; sparse [nnz] */
  blo_int *row_start;      /**< sparse: [n_rows + 1], from 0 */
  int32_t *column;         /**< sparse: [nnz], ascending in each row */
  int32_t *label;          /**< [n_rows], class index */
  int32_t *class_value;    /**< [n_classes] the label of each class in the file, ascending */
  blo_int n_tokens;        /**< tokens are 0..n_tokens-1; 0 if the table has none */
  uint32_t vocabulary_crc; /**< of the words that the tokens stand for; 0: not known */
} blo_table;

/** Free a table and its arrays. NULL is accepted. Call: Local. */
BLO_API void blo_table_destroy(blo_context *ctx, blo_table **table);

typedef enum blo_format {
  BLO_FORMAT_AUTO,
  BLO_FORMAT_IDX,
  BLO_FORMAT_LIBSVM,
  BLO_FORMAT_CSV,
  BLO_FORMAT_HDF5
} blo_format;

/** Names of the formats for option tables: "auto", "idx", "libsvm", "csv", "hdf5", NULL. */
BLO_API extern const char *const blo_format_names[];

/** Where samples are and how to read them. Texts are borrowed. */
typedef struct blo_source_spec {
  const char *path;     /**< the file; for IDX the images */
  const char *labels;   /**< IDX: the labels; else "" */
  const char *group;    /**< HDF5: the group, e.g. "train"; "" means the only one */
  int format;           /**< blo_format; AUTO decides by the file's first bytes */
  blo_int label_column; /**< CSV: counted from 0; negative from the end */
  blo_int n_features;   /**< LIBSVM: 0 = the largest index seen; else indices above are an error */
  blo_int n_classes;    /**< 0 = the distinct labels found, ascending; N = labels must be 0..N-1 */
} blo_source_spec;

/**
 * Read a whole file of any format into one rank's memory.
 *
 * Call  Local.
 * @param[in]  classes  if not NULL, labels must be among its class_value, there must be as many
 *         features, and tokens must be those of the same vocabulary (a test set's training set)
 * @return BLO_OK; BLO_E_IO (missing, unreadable); BLO_E_FORMAT (truncated or damaged: message with
 *         file and byte or line); BLO_E_DATA (NaN or infinite value, label out of range, no
 *         samples, another number of features); BLO_E_OPTION; BLO_E_MEMORY
 */
BLO_API BLO_MUST_USE blo_status blo_table_read(blo_context *ctx, const blo_source_spec *spec,
                                               const blo_table *classes, blo_table **out);
/**
 * Write tables as groups of a file in ParBLO's HDF5 layout.
 * The file appears under its name only when complete. Call: Local.
 * @param[in] names  [n] of the groups, e.g. "train"
 * @param[in] tables [n]
 * @return BLO_OK; BLO_E_IO; BLO_E_MEMORY
 */
BLO_API BLO_MUST_USE blo_status blo_table_write(blo_context *ctx, const char *path, blo_int n,
                                                const char *const *names,
                                                const blo_table *const *tables);

/* ------------------------------------------------------------------- text */

/**
 * A list of words, one text after the other; zero-initialised it is empty. The rules of the
 * tokeniser "words-1", which makes words of text, are in docs/data-format.md.
 */
typedef struct blo_words {
  blo_int n;
  blo_int *start; /**< [n] word i begins at bytes + start[i] */
  char *bytes;    /**< the words in UTF-8, each ended by a byte 0 */
  blo_int n_bytes, start_cap, byte_cap;
} blo_words;

/** Replace the list by the words of a text of `n` bytes. Call: Local. @return BLO_OK; BLO_E_MEMORY
 */
BLO_API BLO_MUST_USE blo_status blo_words_split(blo_context *ctx, const char *text, blo_int n,
                                                blo_words *words);
/** Word i, in the list's own memory until it changes. Call: Local. */
BLO_API const char *blo_words_at(const blo_words *words, blo_int i);
/** Free the list's memory. Call: Local. */
BLO_API void blo_words_free(blo_context *ctx, blo_words *words);

/**
 * A file with a sentence a line, gzip or not: a label, a tab or blank, the text. If the first line
 * has a tab, all lines are columns between tabs, as many in each.
 */
typedef struct blo_text_spec {
  const char *path;
  blo_int label_column, text_column; /**< with tabs: from 0; negative from the end */
  blo_int n_classes;                 /**< as in blo_source_spec */
} blo_text_spec;

/** The words that have tokens of their own, and the length of rows. */
typedef struct blo_vocabulary blo_vocabulary;

/** How a vocabulary is found. */
typedef struct blo_vocabulary_spec {
  blo_int n_words;    /**< the most frequent ones, at most; ties go by the words' bytes */
  blo_int min_count;  /**< rarer words have no token */
  blo_int max_length; /**< of a row; 0: the longest sentence's */
} blo_vocabulary_spec;

/**
 * Find the vocabulary of a (training) text file: token 2 is the most frequent word.
 *
 * Call  Local.
 * @return BLO_OK; BLO_E_IO; BLO_E_FORMAT (with file and line); BLO_E_DATA (no samples, no word is
 *         frequent enough); BLO_E_OPTION; BLO_E_MEMORY
 */
BLO_API BLO_MUST_USE blo_status blo_vocabulary_create(blo_context *ctx, const blo_text_spec *text,
                                                      const blo_vocabulary_spec *spec,
                                                      blo_vocabulary **out);
/** Read the vocabulary of a file in ParBLO's HDF5 layout. Call: Local.
 *  @return BLO_OK; BLO_E_IO; BLO_E_FORMAT; BLO_E_DATA if it has none; BLO_E_MEMORY */
BLO_API BLO_MUST_USE blo_status blo_vocabulary_read(blo_context *ctx, const char *path,
                                                    blo_vocabulary **out);
/** Free it. NULL is accepted. Call: Local. */
BLO_API void blo_vocabulary_destroy(blo_context *ctx, blo_vocabulary **vocabulary);
/** Different tokens, 0 and 1 included. Call: Local. */
BLO_API blo_int blo_vocabulary_n_tokens(const blo_vocabulary *vocabulary);
/** The token of a word, 1 if it has none of its own. Call: Local. */
BLO_API int32_t blo_vocabulary_token(const blo_vocabulary *vocabulary, const char *word);
/** The word of a token; "<padding>" and "<unknown>" for 0 and 1. Call: Local. */
BLO_API const char *blo_vocabulary_word(const blo_vocabulary *vocabulary, blo_int token);
/** The least count of its words, and the length of rows. Call: Local. */
BLO_API blo_int blo_vocabulary_min_count(const blo_vocabulary *vocabulary);
BLO_API blo_int blo_vocabulary_max_length(const blo_vocabulary *vocabulary);
/** Give rows another length > 0. Call: Local. */
BLO_API void blo_vocabulary_set_length(blo_vocabulary *vocabulary, blo_int max_length);

/**
 * Read a text file as rows of tokens. Sentences longer than the vocabulary's rows are cut at the
 * end; one without words becomes one unknown word.
 *
 * Call  Local.
 * @param[in] classes  as for blo_table_read()
 * @return as blo_table_read()
 */
BLO_API BLO_MUST_USE blo_status blo_table_read_text(blo_context *ctx, const blo_text_spec *spec,
                                                    const blo_vocabulary *vocabulary,
                                                    const blo_table *classes, blo_table **out);
/** As blo_table_write(), with the vocabulary of the tables beside them, if it is not NULL. Call:
 *  Local. */
BLO_API BLO_MUST_USE blo_status blo_table_write_text(blo_context *ctx, const char *path, blo_int n,
                                                     const char *const *names,
                                                     const blo_table *const *tables,
                                                     const blo_vocabulary *vocabulary);

/* ---------------------------------------------------------------- sources */

typedef struct blo_source blo_source;

/**
 * Open a source: its sizes are known on every rank afterwards. Text formats are read by the root
 * rank into its memory; of an HDF5 file only the header is read, by every rank.
 *
 * Call  Collective.
 * @param[in] classes as for blo_table_read(), another source or NULL
 */
BLO_API BLO_MUST_USE blo_status blo_source_open(blo_comm *comm, const blo_source_spec *spec,
                                                const blo_source *classes, blo_source **out);
/** Close it. NULL is accepted. Call: Local. */
BLO_API void blo_source_close(blo_source **source);
BLO_API blo_int blo_source_n_rows(const blo_source *source);
BLO_API blo_int blo_source_n_features(const blo_source *source);
BLO_API blo_int blo_source_n_classes(const blo_source *source);
BLO_API bool blo_source_is_sparse(const blo_source *source);
/** Whether the samples are rows of tokens, and how many different ones there are (0: none). Call:
 * Local.
 */
BLO_API bool blo_source_is_tokens(const blo_source *source);
BLO_API blo_int blo_source_n_tokens(const blo_source *source);

/* ------------------------------------------------------------------- sets */

/** n samples over all ranks; this rank has those of its shards, in order. */
typedef struct blo_set {
  blo_comm *comm;
  blo_int n, n_shards;
  blo_int first_shard, end_shard; /**< this rank's */
  blo_int first;                  /**< number of the rank's first sample in the set */
  blo_table *own;                 /**< the rank's samples; n_rows of them */
} blo_set;

/**
 * Take rows of a source as a set: sample i of the set is row rows[i]. Each rank receives, or reads
 * from the HDF5 file, only the rows of its shards.
 *
 * Call  Collective. Same: all arguments.
 * @param[in] rows  [n] row numbers in the source, replicated
 * @return BLO_OK; BLO_E_DATA if n < n_shards or n = 0, or a row is out of range; BLO_E_IO and
 *         BLO_E_FORMAT from reading; BLO_E_OPTION if n_shards is no power of two or < ranks
 */
BLO_API BLO_MUST_USE blo_status blo_set_take(blo_comm *comm, blo_source *source,
                                             const blo_int *rows, blo_int n, blo_int n_shards,
                                             blo_set **out);
/** Free it. NULL is accepted. Call: Local. */
BLO_API void blo_set_destroy(blo_set **set);
/** First sample of shard s (one of the rank's), counted from the rank's first one. Call: Local. */
BLO_API blo_int blo_set_offset(const blo_set *set, blo_int s);
/** The labels of all samples, on every rank. Call: Collective. @param[out] label [n of the set] */
BLO_API void blo_set_labels(const blo_set *set, int32_t *label);
/** A hash of all samples and labels, the same on any number of ranks. Call: Collective. */
BLO_API uint64_t blo_set_fingerprint(const blo_set *set);

/* --------------------------------------------------------- standardisation */

/** a'_k = (a_k - shift_k) * scale_k, with [n_features] each. */
typedef struct blo_scaling {
  blo_int n_features;
  double *shift, *scale;
} blo_scaling;

typedef enum blo_scaling_kind {
  BLO_SCALING_NONE,     /**< shift 0, scale 1 */
  BLO_SCALING_STANDARD, /**< mean 0, variance 1 per feature; sparse: scale by 1/rms, no shift */
  BLO_SCALING_UNIT      /**< one factor for all: 1 / (largest absolute value) */
} blo_scaling_kind;
/** "none", "standard", "unit", NULL. */
BLO_API extern const char *const blo_scaling_names[];

/** Find the scaling from a (training) set; constant features get scale 0. Same bits on any number
 *  of ranks. Tokens are not scaled: with them any kind but NONE is BLO_E_DATA. Call: Collective. */
BLO_API BLO_MUST_USE blo_status blo_scaling_create(const blo_set *set, blo_scaling_kind kind,
                                                   blo_scaling **out);
BLO_API void blo_scaling_destroy(blo_context *ctx, blo_scaling **scaling);

/* ---------------------------------------------------------------- products */

/**
 * Products with the rows a_i of a table, each extended by a constant 1 (the bias) and scaled:
 *
 *     forward:  Z[i][c] = W_c . a'_i + b_c          adjoint:  G += sum_i R[i][c] (a'_i, 1)
 *
 * y-like vectors are [C][n_features + 1], row c = (W_c, b_c). The kernels work on *packed* weights
 * and gradients, made from y-like vectors by blo_features_pack() and turned back by
 * blo_features_unpack(); the scaling is folded in there, so that the features stay in their own
 * storage type. Packed gradients are sums over samples and may be added.
 */
typedef struct blo_features {
  const blo_table *table;     /**< borrowed */
  const blo_scaling *scaling; /**< borrowed, or NULL */
  blo_int n_classes;          /**< C */
  blo_int ld;                 /**< leading dimension of a packed weight, opaque */
  int isa;                    /**< kernel family, the same on all ranks, see blo_isa_agree() */
} blo_features;

/** Set up the view; not of a table of tokens. Call: Local. */
BLO_API void blo_features_init(blo_features *f, const blo_table *table, const blo_scaling *scaling,
                               blo_int n_classes, int isa);
/** The kernel family that every rank's processor has (0 plain, 1 AVX2+FMA, 2 AVX-512); the
 *  environment variable PARBLO_ISA (plain, avx2, avx512) lowers it. Call: Collective. */
BLO_API int blo_isa_agree(blo_comm *comm);
/** "plain", "avx2", "avx512". Call: Local. */
BLO_API const char *blo_isa_name(int isa);
/** Doubles in a packed weight or gradient. Call: Local. */
BLO_API blo_int blo_features_packed_size(const blo_features *f);
/** @param[in] y [C][n_features + 1]  @param[out] packed [packed_size]. Call: Local. */
BLO_API void blo_features_pack(const blo_features *f, const double *y, double *packed);
/** Chain rule back through the packing. @param[in] packed [packed_size] gradient
 *  @param[out] y [C][n_features + 1], overwritten. Call: Local. */
BLO_API void blo_features_unpack(const blo_features *f, const double *packed, double *y);

enum { BLO_BLOCK_ROWS = 32 }; /**< rows that the two calls below take at most */

/**
 * Z = forward of `n` <= BLO_BLOCK_ROWS rows. Each Z[i] depends on row i alone, bit for bit.
 * @param[in]  row  [n] table rows
 * @param[in]  packed  weights
 * @param[out] z  [n][C]
 * Call: Local.
 */
BLO_API void blo_features_forward(const blo_features *f, const blo_int *row, blo_int n,
                                  const double *packed, double *z);
/**
 * G += adjoint of the rows, added one row after the other, so the bits do not depend on how rows
 * are grouped into calls.
 * @param[in]     r  [n][C]
 * @param[in,out] packed  gradient
 * Call: Local.
 */
BLO_API void blo_features_adjoint(const blo_features *f, const blo_int *row, blo_int n,
                                  const double *r, double *packed);

/**
 * Pack the weights of several vectors side by side, for products that read the rows once for all.
 * @param[in]  y  [n_vectors] of [C][n_features + 1]
 * @param[out] packed  weights; n_vectors * packed_size is enough room
 * Call: Local.
 */
BLO_API void blo_features_pack_many(const blo_features *f, blo_int n_vectors,
                                    const double *const *y, double *packed);
/**
 * Forward with weights packed side by side: the bits of each vector are those it has alone.
 * @param[in]  packed  weights as blo_features_pack_many() made them
 * @param[out] z  [n][n_vectors][C]
 * Call: Local.
 */
BLO_API void blo_features_forward_many(const blo_features *f, blo_int n_vectors, const blo_int *row,
                                       blo_int n, const double *packed, double *z);
/**
 * Adjoint of several vectors: the bits of each are those it has alone.
 * @param[in]     r  [n][n_vectors][C]
 * @param[in,out] packed  [n_vectors] gradients, each of its own [packed_size]
 * Call: Local.
 */
BLO_API void blo_features_adjoint_many(const blo_features *f, blo_int n_vectors, const blo_int *row,
                                       blo_int n, const double *r, double *const *packed);

#endif

/** @file The readers of whole files, and how a file's format is recognised. This layer only. */
#ifndef BLO_READERS_H
#define BLO_READERS_H

#include "classes.h"

/* All readers: Call Local; the statuses of blo_table_read(). */
blo_status blo_read_idx(blo_context *ctx, const blo_source_spec *spec, const blo_rules *rules,
                        blo_table **out);
blo_status blo_read_libsvm(blo_context *ctx, const blo_source_spec *spec, const blo_rules *rules,
                           blo_table **out);
blo_status blo_read_csv(blo_context *ctx, const blo_source_spec *spec, const blo_rules *rules,
                        blo_table **out);
blo_status blo_read_hdf5(blo_context *ctx, const blo_source_spec *spec, const blo_rules *rules,
                         blo_table **out);

/**
 * The format of the file: the one asked for, or with AUTO the one its first bytes show.
 * @return BLO_OK; BLO_E_IO; BLO_E_FORMAT. Call: Local.
 */
blo_status blo_format_find(blo_context *ctx, const blo_source_spec *spec, blo_format *format);
/** Read a whole file of a known format. Call: Local. */
blo_status blo_format_read(blo_context *ctx, blo_format format, const blo_source_spec *spec,
                           const blo_rules *rules, blo_table **out);

#endif

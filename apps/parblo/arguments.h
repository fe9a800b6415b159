/** @file Reading a command's arguments with getopt_long(): its errors as statuses with a text. */
#ifndef BLO_ARGUMENTS_H
#define BLO_ARGUMENTS_H

#include <blo/blo.h>
#include <getopt.h>

/**
 * The next option, as getopt_long() gives it; all ranks do the same. Short options are listed with
 * a leading ':'; every long option has a `val`. Call: Local.
 * @param[out] option  the option's letter or `val`; -1 at the end
 * @return BLO_OK; BLO_E_OPTION naming an unknown option and the nearest known one, or one without
 *         its value
 */
BLO_MUST_USE blo_status blo_arguments_next(blo_context *ctx, int argc, char **argv,
                                           const char *letters, const struct option *known,
                                           int *option);
/** Start with the first argument. Call: Local. */
void blo_arguments_start(void);
/** A whole number in [low, high]. Call: Local. @return BLO_OK; BLO_E_OPTION */
BLO_MUST_USE blo_status blo_arguments_int(blo_context *ctx, const char *option, const char *text,
                                          blo_int low, blo_int high, blo_int *value);

#endif
